//! Finds the private key of `--sign-report`.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use p256::elliptic_curve::zeroize::Zeroizing;

use super::places::lies_inside;
use super::{ConfigError, Target};
use crate::command::args::Cli;
use crate::report::sign::{MAX_FILE_BYTES, Signer};

/// Reads the key that signs the reports, if one is named.
///
/// # Errors
/// If it is not a key, if it signs nothing, and if it is inside the tree: what others can write to
/// must not hold what vouches for it, and a copy of the tree would take the key along.
pub(super) fn load(
    cli: &Cli,
    roots: &[PathBuf],
    reports: &[Target],
) -> Result<Option<Signer>, ConfigError> {
    let Some(path) = &cli.sign_report else {
        return Ok(None);
    };
    if !reports.iter().any(|report| report.format.is_signed()) {
        return Err(ConfigError::NothingToSign);
    }
    if lies_inside(path, roots) {
        return Err(ConfigError::SigningKeyInside(path.clone()));
    }
    let content = read(path).map_err(|source| ConfigError::SigningKeyUnreadable {
        path: path.clone(),
        source,
    })?;
    let signer = Signer::from_pem(&content).map_err(|source| ConfigError::BadSigningKey {
        path: path.clone(),
        source,
    })?;
    Ok(Some(signer))
}

/// Reads a file, or anything else that the user names, such as a pipe, once and no further than a
/// key can extend. The content is overwritten when it is dropped.
fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    // One byte more than a key may have shows that it is longer. With all the room at once, no
    // smaller copy is left behind.
    let mut content = Zeroizing::new(vec![0; MAX_FILE_BYTES + 1]);
    let (mut file, mut length) = (File::open(path)?, 0);
    while length < content.len() {
        match file.read(&mut content[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    content.truncate(length);
    Ok(content)
}
