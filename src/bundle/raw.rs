//! The bytes of a file, for a decoder; everything that passes here is hashed as well.

use std::io::{self, BufRead, Read};
use std::sync::Arc;

use super::BundleError;
use super::belt::Belt;
use crate::content::{Input, ReadError};
use crate::digest::Block;

/// Length of a chunk in bytes: whole blocks.
const CHUNK: usize = 256 * 1024;

/// Reads a file chunk by chunk. What is decoded and what is hashed are the same bytes of our own
/// memory.
pub(super) struct Raw<'a> {
    content: &'a mut Input,
    belt: &'a Belt,
    chunk: Arc<Vec<u8>>,
    at: usize,
    /// Whether the file's last bytes, fewer than a block, were read.
    had_tail: bool,
}

impl<'a> Raw<'a> {
    pub(super) fn new(content: &'a mut Input, belt: &'a Belt) -> Raw<'a> {
        Raw {
            content,
            belt,
            chunk: Arc::default(),
            at: 0,
            had_tail: false,
        }
    }

    /// Passes over what no decoder has read.
    ///
    /// # Errors
    /// Those of [`Input::fill`]; [`BundleError::Abandoned`].
    pub(super) fn read_to_end(&mut self) -> Result<(), BundleError> {
        while self.next()? {}
        Ok(())
    }

    /// Reads the next chunk. Returns false at the end.
    fn next(&mut self) -> Result<bool, BundleError> {
        self.chunk = Arc::default();
        self.at = 0;
        let mut buffer = self.belt.chunk_buffer();
        buffer.reserve_exact(CHUNK);
        while buffer.len() < CHUNK {
            if self.belt.is_abandoned() {
                return Err(BundleError::Abandoned);
            }
            let count = self.add_to(&mut buffer)?;
            if count == 0 {
                break;
            }
        }
        if buffer.is_empty() {
            return Ok(false);
        }
        let chunk = Arc::new(buffer);
        self.belt.put_chunk(Arc::clone(&chunk))?;
        self.chunk = chunk;
        Ok(true)
    }

    /// Adds whole blocks, or the file's last bytes, and returns their number.
    fn add_to(&mut self, buffer: &mut Vec<u8>) -> Result<usize, ReadError> {
        self.content.fill()?;
        let unread = self.content.unread();
        // Fail closed: fewer bytes than a block before the end mean that the file changed.
        if self.had_tail && !unread.is_empty() {
            return Err(ReadError::Changed);
        }
        let room = unread.len().min(CHUNK - buffer.len());
        let count = if unread.len() < size_of::<Block>() {
            self.had_tail = !unread.is_empty();
            unread.len()
        } else {
            room / size_of::<Block>() * size_of::<Block>()
        };
        buffer.extend_from_slice(&unread[..count]);
        self.content.consume(count);
        Ok(count)
    }
}

impl BufRead for Raw<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.chunk.len() {
            self.next()?;
        }
        Ok(self.chunk.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

impl Read for Raw<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(target)?;
        self.consume(count);
        Ok(count)
    }
}
