//! What an artifact is read from: its files, or a stream.

use std::io;
use std::path::Path;

use super::{Joined, Piped, ReadError, Stamp};

/// An open artifact, read once from its beginning to its end.
#[derive(Debug)]
pub enum Input {
    /// A file, its parts, or a block device.
    Files(Joined),
    /// Standard input.
    Stream(Piped),
}

impl Input {
    /// Returns the stamp of the file at the time it was opened, if it is one regular file and every
    /// later change shows in it.
    pub fn lasting_stamp(&self) -> Option<&Stamp> {
        match self {
            Input::Files(files) => files.lasting_stamp(),
            Input::Stream(_) => None,
        }
    }

    /// Returns the total size in bytes; `None` before the end of a stream.
    pub fn size(&self) -> Option<u64> {
        match self {
            Input::Files(files) => Some(files.size()),
            Input::Stream(stream) => stream.size(),
        }
    }

    /// Returns the number of bytes not yet consumed. Of a stream it is not known, and 0.
    pub fn left(&self) -> u64 {
        match self {
            Input::Files(files) => files.left(),
            Input::Stream(_) => 0,
        }
    }

    /// Returns the unconsumed bytes in memory: none before the first [`Input::fill`] and at the
    /// end.
    pub fn unread(&self) -> &[u8] {
        match self {
            Input::Files(files) => files.unread(),
            Input::Stream(stream) => stream.unread(),
        }
    }

    /// Marks the next `count` bytes as consumed.
    pub fn consume(&mut self, count: usize) {
        match self {
            Input::Files(files) => files.consume(count),
            Input::Stream(stream) => stream.consume(count),
        }
    }

    /// Brings in the next bytes if none are left. If fewer than a block are unread afterwards, they
    /// are the last.
    ///
    /// # Errors
    /// Those of [`Joined::fill`] and [`Piped::fill`].
    pub fn fill(&mut self) -> Result<(), ReadError> {
        match self {
            Input::Files(files) => files.fill(),
            Input::Stream(stream) => stream.fill(),
        }
    }

    /// Requests the next bytes from the device, and waits for none.
    pub fn request(&mut self) {
        match self {
            Input::Files(files) => files.request(),
            Input::Stream(_) => {}
        }
    }

    /// Reports whether every byte was requested from the device, or read. Of a stream it is not
    /// known.
    pub fn is_requested(&self) -> bool {
        match self {
            Input::Files(files) => files.is_requested(),
            Input::Stream(_) => false,
        }
    }

    /// Reports whether the artifact is still what was read. Files are looked up by `path`; a stream
    /// has none.
    pub fn is_unchanged(&self, path: &Path) -> bool {
        match self {
            Input::Files(files) => files.is_unchanged(path),
            Input::Stream(stream) => stream.is_unchanged(),
        }
    }

    /// Returns at most the first `most` bytes; of a stream, of those that were read.
    ///
    /// # Errors
    /// Those of [`Joined::beginning`].
    pub fn beginning(&self, most: usize) -> io::Result<Vec<u8>> {
        match self {
            Input::Files(files) => files.beginning(most),
            Input::Stream(stream) => Ok(stream.beginning(most)),
        }
    }
}

impl From<Joined> for Input {
    fn from(files: Joined) -> Input {
        Input::Files(files)
    }
}
