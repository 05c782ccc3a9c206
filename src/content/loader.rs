//! Loads one window of a file by any method that the system allows.

use std::fs::File;
use std::io;
use std::sync::Arc;

use super::mapped::MapError;
use super::{IoMode, READ_WINDOW, ReadError, mapped, read};

/// Bytes of the file in memory, lent for hashing and released with the next window.
#[derive(Debug)]
pub(super) enum Window {
    Mapped(mapped::Map),
    Read(Vec<u8>),
}

impl Default for Window {
    fn default() -> Window {
        Window::Read(Vec::new())
    }
}

impl Window {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Window::Mapped(map) => map,
            Window::Read(bytes) => bytes,
        }
    }

    /// Reports whether a page disappeared during use: its bytes are then not the file's.
    pub(super) fn is_damaged(&self) -> bool {
        match self {
            Window::Mapped(map) => map.is_damaged(),
            Window::Read(_) => false,
        }
    }

    /// Returns the buffer for reuse; unmaps a map.
    fn into_buffer(self) -> Vec<u8> {
        match self {
            Window::Mapped(_) => Vec::new(),
            Window::Read(buffer) => buffer,
        }
    }
}

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// The offset of its first byte.
    pub(super) at: u64,
    /// Its length in bytes.
    pub(super) length: usize,
}

impl Extent {
    /// Returns the offset after its last byte.
    pub(super) fn end(self) -> u64 {
        self.at + self.length as u64
    }
}

/// Loads the windows of a file.
#[derive(Debug)]
pub(super) struct Loader {
    file: Arc<File>,
    io: IoMode,
}

impl Loader {
    pub(super) fn new(file: Arc<File>, io: IoMode) -> Loader {
        Loader { file, io }
    }

    /// Loads `extent`, reusing the memory of a `used` window: all of its bytes, or the first
    /// [`READ_WINDOW`] if the system has no memory for more.
    pub(super) fn load(&mut self, extent: Extent, used: Window) -> Result<Window, ReadError> {
        let mut buffer = used.into_buffer();
        if self.io != IoMode::Read {
            match mapped::map(&self.file, extent.at, extent.length) {
                Ok(map) => return Ok(Window::Mapped(map)),
                Err(MapError::Map(error)) if self.io == IoMode::Mmap => {
                    return self.smaller(extent, error);
                }
                Err(MapError::Map(_)) => self.io = IoMode::Read,
                // A page is unavailable: reading it reveals whether the file ends here or the
                // device fails.
                Err(MapError::Page) => {}
            }
        }
        let length = extent.length.min(READ_WINDOW);
        read::exactly(&self.file, extent.at, length, &mut buffer)?;
        Ok(Window::Read(buffer))
    }

    /// Maps the beginning of an extent that could not be mapped whole.
    fn smaller(&self, extent: Extent, error: io::Error) -> Result<Window, ReadError> {
        let length = extent.length.min(READ_WINDOW);
        if error.kind() != io::ErrorKind::OutOfMemory || length == extent.length {
            return Err(error.into());
        }
        match mapped::map(&self.file, extent.at, length) {
            Ok(map) => Ok(Window::Mapped(map)),
            Err(MapError::Map(error)) => Err(error.into()),
            Err(MapError::Page) => {
                let mut buffer = Vec::new();
                read::exactly(&self.file, extent.at, length, &mut buffer)?;
                Ok(Window::Read(buffer))
            }
        }
    }
}
