//! Detects the medium that holds the mirror, and how best to read it. The policy is pure; `sys`
//! does the detection.

pub mod identity;
mod sys;

use std::fmt;
use std::path::Path;

/// The best access pattern for a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Number of small files, of at most [`Access::ahead`] bytes, to read at once, in path order; a
    /// larger one is read alone. One more may be on its way. `None` means any number of any size, largest first.
    pub readers: Option<usize>,
    /// Bytes of readahead to request per file.
    pub ahead: u64,
    /// Whether direct I/O is worth it: it keeps a device busy that serves many requests at once.
    pub direct: bool,
}

/// The kind of medium that holds the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Medium {
    /// Flash memory: an SSD, an NVMe drive.
    SolidState,
    /// A disk of a virtual machine. The medium behind it is not visible; its rotational flag means
    /// nothing.
    Virtual,
    /// Not detectable, or memory.
    Unknown,
    /// A file system of another machine.
    Network,
    /// A spinning disk, or a USB device that does not report otherwise.
    Spinning,
    /// A CD, DVD or Blu-ray drive.
    Optical,
}

impl fmt::Display for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Medium::SolidState => "solid-state drive",
            Medium::Virtual => "virtual disk",
            Medium::Unknown => "device of unknown kind",
            Medium::Network => "network share",
            Medium::Spinning => "spinning disk",
            Medium::Optical => "optical drive",
        })
    }
}

const MIB: u64 = 1024 * 1024;

impl Medium {
    /// Returns the best access pattern for this medium.
    pub fn access(self) -> Access {
        match self {
            // Measured on a virtual disk with a cold cache: readahead beyond 8 MiB gained nothing
            // (BENCHMARKS.md).
            Medium::SolidState | Medium::Virtual | Medium::Unknown => Access {
                readers: None,
                ahead: 8 * MIB,
                direct: true,
            },
            // A seek between two files takes about 10 ms, in which the disk could have read 2 MB;
            // and a network share divides one link among its readers. Readahead keeps them from
            // pausing. Small files are requested whole, so that several of them let the disk choose
            // the shortest way, and share the round trips: half the time for files of 512 KiB on
            // a disk (BENCHMARKS.md).
            Medium::Network | Medium::Spinning => Access {
                readers: Some(4),
                ahead: 16 * MIB,
                direct: false,
            },
            // The lens takes 100 ms to move, and the drive does what it is asked in that order.
            Medium::Optical => Access {
                readers: Some(1),
                ahead: 16 * MIB,
                direct: false,
            },
        }
    }
}

/// Returns the medium of the files of device `number` (`st_dev`).
pub fn medium(number: u64) -> Medium {
    sys::medium(Path::new("/"), number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_slower_with_many_readers_limits_them() {
        for medium in [Medium::SolidState, Medium::Virtual, Medium::Unknown] {
            assert_eq!(medium.access().readers, None, "{medium}");
        }
        for medium in [Medium::Network, Medium::Spinning] {
            assert_eq!(medium.access().readers, Some(4), "{medium}");
        }
        assert_eq!(Medium::Optical.access().readers, Some(1));
    }
}
