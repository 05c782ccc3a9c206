//! Block devices whose first bytes are an image: a written USB stick or a disc.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::{ReadError, Stamp};

/// Offset of the primary volume descriptor in an ISO 9660 image (ECMA-119, 6.2.1 and 8.4): sector
/// 16, of 2048 bytes.
const DESCRIPTOR_AT: u64 = 16 * 2048;
/// Beginning of the descriptor (ECMA-119, 8.4.1 to 8.4.3): its type, identifier and version.
const DESCRIPTOR: &[u8] = b"\x01CD001\x01";
/// Offset of the volume space size, in logical blocks, in both byte orders (ECMA-119, 8.4.8).
const SPACE_SIZE_AT: usize = 80;
/// Offset of the logical block size, in both byte orders (ECMA-119, 8.4.12).
const BLOCK_SIZE_AT: usize = 128;

/// Opens the block device at `path` to read its first `length` bytes.
///
/// # Errors
/// [`ReadError::NotRegular`] for anything but a block device, [`ReadError::Changed`] if it is
/// smaller, or the errors of open(2).
pub fn open(path: &Path, length: u64) -> Result<(File, Stamp), ReadError> {
    let file = super::open(path, OFlags::NONBLOCK | OFlags::NOCTTY).map_err(|error| match error
        .kind()
    {
        io::ErrorKind::NotFound => ReadError::Missing,
        _ => ReadError::Io(error),
    })?;
    let metadata = file.metadata()?;
    // Fail closed: a character device or a FIFO returns different bytes on each read, and has no
    // size.
    if !metadata.file_type().is_block_device() {
        return Err(ReadError::NotRegular);
    }
    expect_length(&file, length)?;
    let stamp = Stamp {
        size: length,
        ..Stamp::of(&metadata)
    };
    Ok((file, stamp))
}

/// Fails closed: bytes beyond the end of a device were not read, even if a map of it contains some.
pub(super) fn expect_length(file: &File, length: u64) -> Result<(), ReadError> {
    if size(file)? < length {
        return Err(ReadError::Changed);
    }
    Ok(())
}

/// Returns the size of an open block device in bytes.
///
/// # Errors
/// Those of lseek(2).
pub fn size(mut file: &File) -> io::Result<u64> {
    file.seek(SeekFrom::End(0))
}

/// Returns the size of the ISO 9660 image at the start of the device, as recorded in its primary
/// volume descriptor; `None` unless both byte orders agree.
///
/// # Errors
/// Those of pread(2).
pub fn image_size(file: &File) -> io::Result<Option<u64>> {
    let mut descriptor = [0; 2048];
    match file.read_exact_at(&mut descriptor, DESCRIPTOR_AT) {
        Ok(()) => Ok(size_in(&descriptor)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

fn size_in(descriptor: &[u8]) -> Option<u64> {
    let &[a, b, c, d, e, f, g, h] = descriptor.get(SPACE_SIZE_AT..)?.first_chunk()?;
    let &[i, j, k, l] = descriptor.get(BLOCK_SIZE_AT..)?.first_chunk()?;
    let (blocks, again) = (
        u32::from_le_bytes([a, b, c, d]),
        u32::from_be_bytes([e, f, g, h]),
    );
    let (block, block_again) = (u16::from_le_bytes([i, j]), u16::from_be_bytes([k, l]));
    // Fail closed: contradictory numbers mean a damaged descriptor, or something else.
    let is_sound = blocks == again && block == block_again && blocks > 0;
    let is_allowed = matches!(block, 512 | 1024 | 2048);
    let is_there = descriptor.starts_with(DESCRIPTOR) && is_sound && is_allowed;
    is_there.then(|| u64::from(blocks) * u64::from(block))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(blocks: u32, block: u16) -> Vec<u8> {
        let mut bytes = vec![0; 2048];
        bytes[..7].copy_from_slice(DESCRIPTOR);
        bytes[80..84].copy_from_slice(&blocks.to_le_bytes());
        bytes[84..88].copy_from_slice(&blocks.to_be_bytes());
        bytes[128..130].copy_from_slice(&block.to_le_bytes());
        bytes[130..132].copy_from_slice(&block.to_be_bytes());
        bytes
    }

    #[test]
    fn a_volume_descriptor_says_the_size_where_it_says_it_twice() {
        assert_eq!(size_in(&descriptor(3, 2048)), Some(6144));
        assert_eq!(
            size_in(&descriptor(u32::MAX, 2048)),
            Some(u64::from(u32::MAX) * 2048)
        );
        assert_eq!(size_in(&descriptor(7, 512)), Some(3584));
        for bad in [
            descriptor(0, 2048),
            descriptor(3, 0),
            descriptor(3, 4096),
            descriptor(3, 1000),
        ] {
            assert_eq!(size_in(&bad), None);
        }
        for at in [0, 1, 5, 6, 80, 83, 84, 87, 128, 131] {
            let mut damaged = descriptor(3, 2048);
            damaged[at] ^= 0x40;
            assert_eq!(size_in(&damaged), None, "{at}");
        }
        assert_eq!(size_in(&descriptor(3, 2048)[..100]), None);
    }

    #[test]
    fn only_a_block_device_is_read_as_one() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("x.iso");
        std::fs::write(&file, "alpha").unwrap();
        for path in [&file, Path::new("/dev/null"), directory.path()] {
            assert!(
                matches!(open(path, 1), Err(ReadError::NotRegular)),
                "{path:?}"
            );
        }
        let nothing = open(&directory.path().join("none"), 1);
        assert!(matches!(nothing, Err(ReadError::Missing)));
    }
}
