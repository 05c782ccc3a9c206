//! Loads one window of a file by the method that was chosen for it, or by another that the system
//! allows.

use std::fs::File;
use std::io;
use std::sync::Arc;

use super::direct::Buffer;
use super::mapped::MapError;
use super::method::Method;
use super::{READ_WINDOW, ReadError, mapped, read};

/// Bytes of the file in memory, lent for hashing and released with the next window.
#[derive(Debug)]
pub(super) enum Window {
    Mapped(mapped::Map),
    Read(Vec<u8>),
    Direct(Buffer),
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
            Window::Direct(buffer) => buffer.bytes(),
        }
    }

    /// Reports whether a page disappeared during use: its bytes are then not the file's.
    pub(super) fn is_damaged(&self) -> bool {
        match self {
            Window::Mapped(map) => map.is_damaged(),
            Window::Read(_) | Window::Direct(_) => false,
        }
    }

    /// Returns the buffer for reuse; unmaps a map.
    fn into_buffer(self) -> Vec<u8> {
        match self {
            Window::Read(buffer) => buffer,
            Window::Mapped(_) | Window::Direct(_) => Vec::new(),
        }
    }

    /// Returns the buffer of direct I/O for reuse.
    fn into_direct(self) -> Buffer {
        match self {
            Window::Direct(buffer) => buffer,
            Window::Mapped(_) | Window::Read(_) => Buffer::default(),
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
    /// Returns the extent at offset `at` of a file of `size` bytes: `most` bytes, or those that are
    /// left; none at the end.
    pub(super) fn within(size: u64, at: u64, most: usize) -> Extent {
        let left = size.saturating_sub(at);
        let length = usize::try_from(left).map_or(most, |left| left.min(most));
        Extent { at, length }
    }

    /// Returns the offset after its last byte.
    pub(super) fn end(self) -> u64 {
        self.at + self.length as u64
    }
}

/// Loads the windows of a file.
#[derive(Clone, Debug)]
pub(super) struct Loader {
    file: Arc<File>,
    method: Method,
}

impl Loader {
    pub(super) fn new(file: Arc<File>, method: Method) -> Loader {
        Loader { file, method }
    }

    /// Loads `extent`, reusing the memory of a `used` window: all of its bytes, or the first
    /// [`READ_WINDOW`] if the system has no memory for more.
    pub(super) fn load(&mut self, extent: Extent, used: Window) -> Result<Window, ReadError> {
        match self.method {
            Method::Map { only } => self.map(extent, used, only),
            Method::Read => self.read(extent, used),
            Method::Direct { only } => self.read_directly(extent, used, only),
        }
    }

    fn map(&mut self, extent: Extent, used: Window, only: bool) -> Result<Window, ReadError> {
        let buffer = Window::Read(used.into_buffer());
        match mapped::map(&self.file, extent.at, extent.length) {
            Ok(map) => return Ok(Window::Mapped(map)),
            Err(MapError::Map(error)) if only => return self.smaller(extent, error),
            Err(MapError::Map(_)) => self.method = Method::Read,
            // A page is unavailable: reading it reveals whether the file ends here or the device
            // fails.
            Err(MapError::Page) => {}
        }
        self.read(extent, buffer)
    }

    fn read(&self, extent: Extent, used: Window) -> Result<Window, ReadError> {
        let mut buffer = used.into_buffer();
        let length = extent.length.min(READ_WINDOW);
        read::exactly(&self.file, extent.at, length, &mut buffer)?;
        Ok(Window::Read(buffer))
    }

    fn read_directly(&self, extent: Extent, used: Window, only: bool) -> Result<Window, ReadError> {
        let mut buffer = used.into_direct();
        buffer.exactly(&self.file, extent.at, extent.length, only)?;
        Ok(Window::Direct(buffer))
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
