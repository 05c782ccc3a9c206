//! Windows by pread(2): the way without memory maps.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::Fault;

/// Reads the `length` bytes at offset `at` into `buffer`, all of them.
///
/// # Errors
/// [`Fault::Changed`] where the file ends before that: it was longer when it was opened.
pub(super) fn exactly<'a>(
    file: &File,
    at: u64,
    length: usize,
    buffer: &'a mut Vec<u8>,
) -> Result<&'a [u8], Fault> {
    buffer.resize(length, 0);
    match file.read_exact_at(buffer, at) {
        Ok(()) => Ok(buffer),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Fault::Changed),
        Err(error) => Err(error.into()),
    }
}
