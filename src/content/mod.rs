//! A file's bytes, window by window, and whether they stayed the same while they were read.

mod mapped;
mod read;

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::ops::Deref;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use thiserror::Error;

/// Bytes of a file that are in memory at one time. Memory stays flat whatever the file's size,
/// and a cancelled run ends after at most one window.
pub const WINDOW: usize = 2 * 1024 * 1024;

/// How files are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Io {
    /// Memory maps, and `pread` for a file whose system refuses them.
    #[default]
    Auto,
    /// Memory maps only; a file that cannot be mapped is not readable.
    Mmap,
    /// `pread` only.
    Read,
}

/// Why a file's bytes cannot be had.
#[derive(Debug, Error)]
pub enum Fault {
    /// There is no such file.
    #[error("no such file")]
    Missing,
    /// It is a directory, a FIFO, a socket or a device.
    #[error("not a regular file")]
    NotRegular,
    /// It is not, or no longer, what it was when it was opened.
    #[error("changed while reading")]
    Changed,
    /// The system says why.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What tells a file, at an instant, from another one and from itself after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    /// Last change of the content: seconds and nanoseconds since the epoch.
    modified: (i64, i64),
    /// Last change of the inode, which no program can set back.
    changed: (i64, i64),
}

impl Stamp {
    /// The stamp of what stands under `path` now, links followed.
    ///
    /// # Errors
    /// Those of stat(2).
    pub fn at(path: &Path) -> io::Result<Stamp> {
        path.metadata().map(|metadata| Stamp::of(&metadata))
    }

    fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// The size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

/// An open regular file, read once from its beginning to the size that it had when it was opened.
#[derive(Debug)]
pub struct Content {
    file: File,
    stamp: Stamp,
    offset: u64,
    io: Io,
    buffer: Vec<u8>,
}

/// The bytes of one window. They are to be hashed and let go, never kept.
pub struct Window<'a>(Bytes<'a>);

enum Bytes<'a> {
    Mapped(mapped::Map),
    Read(&'a [u8]),
}

impl Deref for Window<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Bytes::Mapped(map) => map,
            Bytes::Read(bytes) => bytes,
        }
    }
}

/// Opens a regular file for reading and never waits for one that is not.
///
/// # Errors
/// [`Fault::Missing`], [`Fault::NotRegular`], or what open(2) says.
pub fn open_regular(path: &Path) -> Result<(File, Stamp), Fault> {
    let file = OpenOptions::new()
        .read(true)
        // Should a FIFO or a terminal have taken the file's place since the walk: neither wait for it nor adopt it.
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Fault::Missing,
            _ => Fault::Io(error),
        })?;
    let metadata = file.metadata()?;
    if metadata.is_file() {
        Ok((file, Stamp::of(&metadata)))
    } else {
        Err(Fault::NotRegular)
    }
}

impl Content {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// Those of [`open_regular`].
    pub fn open(path: &Path, io: Io) -> Result<Content, Fault> {
        let (file, stamp) = open_regular(path)?;
        Ok(Content {
            file,
            stamp,
            offset: 0,
            io,
            buffer: Vec::new(),
        })
    }

    /// What the file was when it was opened.
    pub fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// The next [`WINDOW`] bytes, or the fewer that are left; `None` at the end.
    ///
    /// # Errors
    /// [`Fault::Changed`] where the file ends before or goes on behind the size that it was opened with.
    pub fn next_window(&mut self) -> Result<Option<Window<'_>>, Fault> {
        let left = self.stamp.size - self.offset;
        if left == 0 {
            return self.expect_end().map(|()| None);
        }
        let at = self.offset;
        let length = usize::try_from(left).map_or(WINDOW, |left| left.min(WINDOW));
        self.offset += length as u64;
        self.window(at, length).map(|bytes| Some(Window(bytes)))
    }

    fn window(&mut self, at: u64, length: usize) -> Result<Bytes<'_>, Fault> {
        if self.io != Io::Read {
            match mapped::map(&self.file, at, length) {
                Ok(map) => return Ok(Bytes::Mapped(map)),
                Err(mapped::Refusal::Map(error)) if self.io == Io::Mmap => return Err(error.into()),
                Err(mapped::Refusal::Map(_)) => self.io = Io::Read,
                // A page that cannot be had: reading it tells whether the file ends here or the device fails.
                Err(mapped::Refusal::Page) => {}
            }
        }
        read::exactly(&self.file, at, length, &mut self.buffer).map(Bytes::Read)
    }

    /// Fail closed: a file that goes on behind its size (it grew, or lies in a file system that reports
    /// no sizes, as /proc does) was not hashed whole, so its digest would speak of a part.
    fn expect_end(&self) -> Result<(), Fault> {
        match self.file.read_at(&mut [0], self.stamp.size) {
            Ok(0) => Ok(()),
            Ok(_) => Err(Fault::Changed),
            Err(error) => Err(error.into()),
        }
    }
}

/// The system's words for an error, without the number that `io::Error` appends.
pub fn words(error: &io::Error) -> String {
    let text = error.to_string();
    match error.raw_os_error() {
        Some(code) => text
            .trim_end_matches(&format!(" (os error {code})"))
            .to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn windows(path: &Path, io: Io) -> Result<Vec<u8>, Fault> {
        let mut content = Content::open(path, io)?;
        let mut all = Vec::new();
        while let Some(window) = content.next_window()? {
            all.extend_from_slice(&window);
        }
        Ok(all)
    }

    #[test]
    fn every_way_of_reading_gives_the_same_bytes_around_each_window_edge() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        for size in [0, 1, 4095, 4097, WINDOW - 1, WINDOW, WINDOW + 1, 3 * WINDOW] {
            let bytes: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
            file.as_file().set_len(0).unwrap();
            file.as_file().write_all_at(&bytes, 0).unwrap();
            for io in [Io::Auto, Io::Mmap, Io::Read] {
                assert!(
                    windows(file.path(), io).unwrap() == bytes,
                    "{size} by {io:?}"
                );
            }
        }
        file.flush().unwrap();
    }

    #[test]
    fn a_file_that_shrinks_or_grows_after_opening_has_changed() {
        for io in [Io::Auto, Io::Mmap, Io::Read] {
            for size in [0, WINDOW as u64 + 4096, 2 * WINDOW as u64 + 1] {
                let file = tempfile::NamedTempFile::new().unwrap();
                file.as_file().set_len(WINDOW as u64 + 8192).unwrap();
                let mut content = Content::open(file.path(), io).unwrap();
                assert!(content.next_window().unwrap().is_some());
                file.as_file().set_len(size).unwrap();
                let rest = content.next_window().map(|w| w.is_some());
                let end = rest.and_then(|_| content.next_window().map(|w| w.is_some()));
                assert!(matches!(end, Err(Fault::Changed)), "{size} by {io:?}");
            }
        }
    }

    #[test]
    fn a_directory_is_not_a_regular_file_and_nothing_is_missing() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(
            Content::open(directory.path(), Io::Auto),
            Err(Fault::NotRegular)
        ));
        assert!(matches!(
            Content::open(&directory.path().join("none"), Io::Auto),
            Err(Fault::Missing)
        ));
    }

    #[test]
    fn the_words_of_an_error_carry_no_number() {
        let error = io::Error::from_raw_os_error(libc::EIO);
        assert_eq!(words(&error), "Input/output error");
    }
}
