//! What the file system says of a file, which distinguishes its versions.

use std::fmt;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

/// A time of a file, to the nanosecond.
///
/// Its text is that of `stat -c %.9Y`: seconds since 1970, and nine digits of nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileTime {
    /// Seconds since the epoch, rounded down.
    seconds: i64,
    /// Nanoseconds since then. Fail closed: as the file system says it, also where it says more
    /// than a second's, so that no two times become one.
    nanoseconds: i64,
}

/// Nanoseconds in a second.
const SECOND: i64 = 1_000_000_000;

impl FileTime {
    /// Returns the time of so many seconds and nanoseconds.
    pub const fn new(seconds: i64, nanoseconds: i64) -> FileTime {
        FileTime {
            seconds,
            nanoseconds,
        }
    }

    /// Reports whether it has fewer nanoseconds than a second's.
    pub fn is_plain(self) -> bool {
        (0..SECOND).contains(&self.nanoseconds)
    }

    /// Returns the time by the system clock; `None` before 1970, and beyond what the clock has.
    pub fn system(self) -> Option<SystemTime> {
        let seconds = Duration::from_secs(self.seconds.try_into().ok()?);
        let nanoseconds = Duration::from_nanos(self.nanoseconds.try_into().ok()?);
        SystemTime::UNIX_EPOCH.checked_add(seconds.checked_add(nanoseconds)?)
    }
}

impl fmt::Display for FileTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.seconds, self.nanoseconds)
    }
}

/// The text is not a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time of a file")]
pub struct NotATime;

impl FromStr for FileTime {
    type Err = NotATime;

    /// Reads what `Display` writes, and no other form of it.
    fn from_str(text: &str) -> Result<FileTime, NotATime> {
        let (seconds, nanoseconds) = text.split_once('.').ok_or(NotATime)?;
        let seconds = seconds.parse().map_err(|_| NotATime)?;
        let nanoseconds = nanoseconds.parse().map_err(|_| NotATime)?;
        let time = FileTime::new(seconds, nanoseconds);
        // Fail closed: another spelling is not one of this program's.
        let is_one = time.is_plain() && time.to_string() == text;
        is_one.then_some(time).ok_or(NotATime)
    }
}

/// Identifies a file and its version: distinguishes it from other files and from itself after a
/// change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// `st_dev`; for a block device `st_rdev`.
    pub device: u64,
    /// `st_ino`.
    pub inode: u64,
    /// The size in bytes.
    pub size: u64,
    /// Last modification of the content.
    pub modified: FileTime,
    /// Last change of the inode. On most file systems no program sets it otherwise; which these are
    /// is for others to know.
    pub changed: FileTime,
}

impl Stamp {
    /// Returns the stamp of the current file at `path`, following links.
    ///
    /// # Errors
    /// Those of stat(2).
    pub fn at(path: &Path) -> io::Result<Stamp> {
        path.metadata().map(|metadata| Stamp::of(&metadata))
    }

    /// Returns the stamp in what stat(2) says.
    pub fn of(metadata: &Metadata) -> Stamp {
        let is_block_device = metadata.file_type().is_block_device();
        Stamp {
            // A block device is identified by its own number, not by where its name lies.
            device: if is_block_device {
                metadata.rdev()
            } else {
                metadata.dev()
            },
            inode: metadata.ino(),
            size: metadata.size(),
            modified: FileTime::new(metadata.mtime(), metadata.mtime_nsec()),
            changed: FileTime::new(metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Returns the size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the time of the last modification of the content; `None` before 1970.
    pub fn modified(&self) -> Option<SystemTime> {
        self.modified.system()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_one_spelling_of_a_time_is_read() {
        let read = |text: &str| text.parse::<FileTime>().ok();
        assert_eq!(read("7.000000005"), Some(FileTime::new(7, 5)));
        assert_eq!(read("-1.500000000"), Some(FileTime::new(-1, 500_000_000)));
        let others = [
            "",
            ".",
            "7",
            "7.",
            "7.5",
            "+7.000000005",
            "07.000000005",
            "7.0000000050",
            "7.1000000000",
            "7.-00000005",
            " 7.000000005",
            "99999999999999999999.000000000",
            "NaN.0",
        ];
        for other in others {
            assert_eq!(read(other), None, "{other}");
        }
        for odd in [
            FileTime::new(0, -1),
            FileTime::new(-1, 0),
            FileTime::new(i64::MAX, i64::MAX),
        ] {
            assert_eq!(odd.system(), None, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn a_time_is_read_as_it_was_written(seconds: i64, nanoseconds in 0..SECOND) {
            let time = FileTime::new(seconds, nanoseconds);
            prop_assert_eq!(time.to_string().parse(), Ok(time));
        }
    }
}
