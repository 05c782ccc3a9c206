//! What the mirror lies on, and how that is best read. The policy is pure; looking is in `sys`.

pub mod identity;
mod sys;

use std::fmt;
use std::path::Path;

/// How a device is best read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// How many files at once, in the order of their paths; any number, the largest first, where
    /// nothing is said.
    pub readers: Option<usize>,
    /// How many bytes the system is asked to read ahead in each file.
    pub ahead: u64,
}

/// What kind of thing holds the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Medium {
    /// Flash memory: an SSD, an NVMe drive.
    SolidState,
    /// A disk of a virtual machine. What is behind it is not to be seen; that it calls itself
    /// rotational says nothing.
    Virtual,
    /// Not to be found out, or memory.
    Unknown,
    /// A file system of another machine.
    Network,
    /// A disk that turns, or a USB device that does not say that it does not.
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
    /// How such a medium is best read.
    pub fn access(self) -> Access {
        match self {
            // Measured on a virtual disk, cold: more than 8 MiB ahead gained nothing
            // (BENCHMARKS.md).
            Medium::SolidState | Medium::Virtual | Medium::Unknown => Access {
                readers: None,
                ahead: 8 * MIB,
            },
            // A head that has to move between two files takes about 10 ms each time, in which it
            // would have read 2 MB; and a share gives each reader its part of one wire.
            // What is asked for ahead keeps them from pausing.
            Medium::Network | Medium::Spinning | Medium::Optical => Access {
                readers: Some(1),
                ahead: 16 * MIB,
            },
        }
    }
}

/// What the files of device `number` (`st_dev`) lie on.
pub fn medium(number: u64) -> Medium {
    sys::medium(Path::new("/"), number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_slower_with_many_readers_has_one() {
        for medium in [Medium::SolidState, Medium::Virtual, Medium::Unknown] {
            assert_eq!(medium.access().readers, None, "{medium}");
        }
        for medium in [Medium::Network, Medium::Spinning, Medium::Optical] {
            assert_eq!(medium.access().readers, Some(1), "{medium}");
        }
    }
}
