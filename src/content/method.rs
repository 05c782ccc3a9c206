//! Chooses how a file's windows are loaded, and what follows from that.

use std::fs::File;
use std::io;
#[cfg(target_os = "linux")]
use std::os::unix::fs::MetadataExt;

use super::{IoMode, READ_WINDOW, ReadError, Reading, SMALL, WORTH_A_THREAD, direct};

/// A method of loading windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// Memory maps; if `only`, nothing else where they are refused.
    Map { only: bool },
    /// pread(2).
    Read,
    /// Direct I/O, which is on for the file; if `only`, nothing else where it is refused.
    Direct { only: bool },
}

impl Method {
    /// Chooses the method for a file of `size` bytes, and turns direct I/O on if that is it.
    ///
    /// # Errors
    /// [`ReadError::NoDirectIo`], or those of fcntl(2) and statfs(2).
    pub(super) fn choose(file: &File, size: u64, reading: Reading) -> Result<Method, ReadError> {
        Ok(match reading.io {
            IoMode::Auto if size <= SMALL || takes_memory_to_map(file)? => Method::Read,
            IoMode::Auto
                if reading.direct && direct::suits(file, size) && direct::turn_on(file).is_ok() =>
            {
                Method::Direct { only: false }
            }
            IoMode::Auto => Method::Map { only: false },
            IoMode::Mmap => Method::Map { only: true },
            IoMode::Read => Method::Read,
            IoMode::Direct => {
                direct::turn_on(file).map_err(direct::refused)?;
                Method::Direct { only: true }
            }
        })
    }

    /// Returns the maximum number of bytes per window.
    pub(super) fn window(self, reading: Reading) -> usize {
        match self {
            Method::Map { .. } => reading.window,
            Method::Read => READ_WINDOW.min(reading.window),
            Method::Direct { .. } => direct::WINDOW.min(reading.window),
        }
    }

    /// Returns the number of bytes that the system is asked to read ahead: none past the page
    /// cache, which is where it puts them.
    pub(super) fn ahead(self, reading: Reading) -> Option<u64> {
        match self {
            Method::Map { .. } | Method::Read => Some(reading.ahead),
            Method::Direct { .. } => None,
        }
    }

    /// Returns the number of threads that bring in the windows of a file of `size` bytes; 0 leaves
    /// that to the thread that hashes.
    pub(super) fn readers(self, size: u64, reading: Reading) -> usize {
        match self {
            Method::Direct { .. } if reading.direct && size > direct::WINDOW as u64 => {
                direct::READERS
            }
            _ if reading.spare_core && size >= WORTH_A_THREAD => 1,
            _ => 0,
        }
    }
}

/// Reports whether this is a sparse file on tmpfs, which allocates memory for every mapped hole and
/// does not release it: a sparse file of any size could exhaust memory. Reading allocates none.
#[cfg(target_os = "linux")]
fn takes_memory_to_map(file: &File) -> io::Result<bool> {
    /// The file system type of tmpfs in statfs(2).
    const TMPFS_MAGIC: u32 = 0x0102_1994;
    /// Unit of `st_blocks` in bytes.
    const BLOCK: u64 = 512;
    let metadata = file.metadata()?;
    let has_holes = metadata.blocks().saturating_mul(BLOCK) < metadata.size();
    Ok(has_holes && rustix::fs::fstatfs(file)?.f_type as u32 == TMPFS_MAGIC)
}

#[cfg(not(target_os = "linux"))]
fn takes_memory_to_map(_file: &File) -> io::Result<bool> {
    Ok(false)
}
