//! How images inside bundles are judged: by which keys, signatures and rules.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use walkdir::WalkDir;

use super::ConfigError;
use crate::command::args::Cli;
use crate::engine::Images;
use crate::text::json;
use crate::trust::key::Key;

/// Maximum size in bytes of a file with signatures, a manifest or an index. Longer ones in a
/// directory are layers.
const MAX_FILE_BYTES: u64 = json::MOST_BYTES as u64;

/// Returns how images are judged, if they are; `keys` are those that verify them.
pub(super) fn find(cli: &Cli, keys: Vec<Arc<Key>>) -> Result<Option<Images>, ConfigError> {
    if !cli.images {
        return Ok(None);
    }
    let mut images = Images::signed_by(keys);
    images.limit_windows(cli.max_window);
    images.limits.max_output = cli.max_unpacked.unwrap_or(u64::MAX);
    images.allow_unsigned = cli.allow_unsigned;
    images.policy.wants_blobs = cli.image_blobs;
    for prefix in &cli.signed_registries {
        images
            .require(prefix)
            .map_err(|why| ConfigError::BadRegistry {
                prefix: prefix.clone(),
                why,
            })?;
    }
    for platform in &cli.platforms {
        images
            .demand(platform)
            .map_err(|why| ConfigError::BadPlatform {
                platform: platform.clone(),
                why,
            })?;
    }
    for path in &cli.image_signatures {
        bring(&mut images, path)?;
    }
    Ok(Some(images))
}

/// Checks the keys that are for images alone.
///
/// # Errors
/// If one is not on P-256: the signatures of images are read only there, and the user would take
/// images for unsigned.
pub(super) fn check_keys(keys: &[(PathBuf, Arc<Key>)]) -> Result<(), ConfigError> {
    let other = keys.iter().find(|(_, key)| key.point().is_none());
    other.map_or(Ok(()), |(path, key)| {
        Err(ConfigError::ImageKeyAlgorithm {
            path: path.clone(),
            algorithm: key.algorithm(),
        })
    })
}

/// Takes in the signatures, manifests and indexes of a file or a directory.
fn bring(images: &mut Images, path: &Path) -> Result<(), ConfigError> {
    let unreadable = |source: io::Error| ConfigError::ImageSignaturesUnreadable {
        path: path.to_owned(),
        source,
    };
    let mut found = false;
    for file in files(path).map_err(unreadable)? {
        let content = read(&file).map_err(|source| ConfigError::ImageSignaturesUnreadable {
            path: file.clone(),
            source,
        })?;
        found |= content.is_some_and(|content| images.bring(&file, &content));
    }
    // A mistyped path would show as images without signatures.
    if found {
        Ok(())
    } else {
        Err(ConfigError::NoImageSignatures(path.to_owned()))
    }
}

/// Returns a file, or those below a directory, in the order of their paths.
fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.metadata()?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in WalkDir::new(path).follow_links(true).sort_by_file_name() {
        let entry = entry.map_err(io::Error::from)?;
        if entry.file_type().is_file() {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

/// Returns the content of a file, unless it is longer than any document.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut content = Vec::new();
    File::open(path)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut content)?;
    Ok((content.len() as u64 <= MAX_FILE_BYTES).then_some(content))
}
