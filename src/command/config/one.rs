//! The inputs of `--signature`: one artifact and its signature, each a file, or a device and a
//! pipe.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::ConfigError;
use crate::content::device;
use crate::envelope::Admitted;
use crate::verify::{DataKind, Extent, One};

/// Examines both, with `found` being the metadata of the signature's path, and reads the signature
/// if it is a pipe.
pub(super) fn of(
    data: &Path,
    signature: &Path,
    found: &Metadata,
    length: Option<u64>,
) -> Result<One, ConfigError> {
    Ok(One {
        kind: extent(data, length)?.map_or(DataKind::File, DataKind::Device),
        content: content(signature, found)?,
        data: data.to_owned(),
        signature: signature.to_owned(),
    })
}

/// Reads a signature that is not a regular file: a pipe, or a terminal. Reads no more than it takes
/// to identify the content.
pub(super) fn content(path: &Path, found: &Metadata) -> Result<Option<Vec<u8>>, ConfigError> {
    let kind = found.file_type();
    if kind.is_file() {
        return Ok(None);
    }
    if !kind.is_fifo() && !kind.is_char_device() {
        return Err(ConfigError::SignatureNotAFile(path.to_owned()));
    }
    let mut content = Vec::new();
    // The user named it, and waits for its writer. Files found by a walk are never waited for.
    let most = Admitted::Any.most_bytes() as u64;
    let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut content));
    read.map_err(|source| ConfigError::SignatureUnreadable {
        path: path.to_owned(),
        source,
    })?;
    Ok(Some(content))
}

/// Returns the extent to hash on a block device; `None` for everything else.
fn extent(path: &Path, asked: Option<u64>) -> Result<Option<Extent>, ConfigError> {
    let is_device = path
        .metadata()
        .is_ok_and(|metadata| metadata.file_type().is_block_device());
    if !is_device {
        // Fail closed: a part of a file is not the file, and a ✅ beside its name would be taken for
        // a verdict on the whole.
        return match asked {
            Some(_) => Err(ConfigError::LengthOfFile(path.to_owned())),
            None => Ok(None),
        };
    }
    let (size, of_image) = measure(path).map_err(|source| ConfigError::DeviceUnreadable {
        path: path.to_owned(),
        source,
    })?;
    let extent = match (asked, of_image) {
        (Some(length), _) => Extent {
            length,
            is_asked: true,
        },
        (None, Some(length)) => Extent {
            length,
            is_asked: false,
        },
        (None, None) => return Err(ConfigError::NoLength(path.to_owned())),
    };
    if extent.length > size {
        return Err(ConfigError::DeviceTooSmall {
            path: path.to_owned(),
            size,
            length: extent.length,
            is_asked: extent.is_asked,
        });
    }
    Ok(Some(extent))
}

/// Returns the size of a block device, and of the image on it if the image records one.
fn measure(path: &Path) -> io::Result<(u64, Option<u64>)> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    Ok((device::size(&file)?, device::image_size(&file)?))
}
