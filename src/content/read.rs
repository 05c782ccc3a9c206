//! Windows by pread(2), without memory maps; and readahead, which serves both methods.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::num::NonZeroU64;
use std::os::unix::fs::FileExt;

use rustix::fs::{Advice, fadvise};
use rustix::io::Errno;
#[cfg(target_os = "linux")]
use rustix::io::{ReadWriteFlags, preadv2};

use super::ReadError;

/// Reads exactly `length` bytes at offset `at` into `buffer`.
///
/// # Errors
/// [`ReadError::Changed`] if the file ends early: it was longer when it was opened. ENOMEM if there
/// is no memory for a larger buffer.
pub(super) fn exactly(
    file: &File,
    at: u64,
    length: usize,
    buffer: &mut Vec<u8>,
) -> Result<(), ReadError> {
    let more = length.saturating_sub(buffer.len());
    // Fail this one file instead of aborting the process.
    let reserved = buffer.try_reserve_exact(more);
    reserved.map_err(|_| io::Error::from(Errno::NOMEM))?;
    buffer.resize(length, 0);
    match file.read_exact_at(buffer, at) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(ReadError::Changed),
        Err(error) => Err(error.into()),
    }
}

/// Maximum readahead per request: the smallest value that Linux uses for `read_ahead_kb`.
const REQUEST: u64 = 128 * 1024;

/// Asks the system to load the bytes from `start` to `end`, without waiting for them.
pub(super) fn ahead(file: &File, start: u64, end: u64) {
    // Looking at a byte that is not cached reads it. The first one is read next anyway; to the last
    // one and back, a disk seeks twice.
    if is_in_memory(file, start) && is_in_memory(file, end - 1) {
        return;
    }
    let mut at = start;
    while let Some(length) = NonZeroU64::new(REQUEST.min(end - at)) {
        // Advice only: if the system ignores it, reading is slower but equally correct.
        let _ = fadvise(file, at, Some(length), Advice::WillNeed);
        at += length.get();
    }
}

/// Reports whether the byte at `offset` is cached. Requesting cached bytes costs a few percent of
/// the hashing time. One byte stands for those before it; if it is wrong about them, reading is
/// slower but equally correct.
#[cfg(target_os = "linux")]
pub(super) fn is_in_memory(file: &File, offset: u64) -> bool {
    let mut byte = [0];
    let buffers = &mut [IoSliceMut::new(&mut byte)];
    preadv2(file, buffers, offset, ReadWriteFlags::NOWAIT) == Ok(1)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_in_memory(_file: &File, _offset: u64) -> bool {
    false
}
