//! Windows by pread(2), the way without memory maps; and readahead, which serves both ways.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::num::NonZeroU64;
use std::os::unix::fs::FileExt;

use rustix::fs::{Advice, fadvise};
use rustix::io::Errno;
#[cfg(target_os = "linux")]
use rustix::io::{ReadWriteFlags, preadv2};

use super::ReadError;

/// Reads the `length` bytes at offset `at` into `buffer`, all of them.
///
/// # Errors
/// [`ReadError::Changed`] where the file ends before that: it was longer when it was opened. ENOMEM
/// where there is no memory for a larger buffer.
pub(super) fn exactly(
    file: &File,
    at: u64,
    length: usize,
    buffer: &mut Vec<u8>,
) -> Result<(), ReadError> {
    let more = length.saturating_sub(buffer.len());
    // One file fails where the process would otherwise end.
    let reserved = buffer.try_reserve_exact(more);
    reserved.map_err(|_| io::Error::from(Errno::NOMEM))?;
    buffer.resize(length, 0);
    match file.read_exact_at(buffer, at) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(ReadError::Changed),
        Err(error) => Err(error.into()),
    }
}

/// The system reads at most this much ahead for one request: the least that Linux has as
/// `read_ahead_kb`.
const REQUEST: u64 = 128 * 1024;

/// Asks the system to bring in the bytes from `start` to `end`, and does not wait for them.
pub(super) fn ahead(file: &File, start: u64, end: u64) {
    if is_in_memory(file, end - 1) {
        return;
    }
    let mut at = start;
    while let Some(length) = NonZeroU64::new(REQUEST.min(end - at)) {
        // Only advice: where the system does not take it, reading is slower and no less right.
        let _ = fadvise(file, at, Some(length), Advice::WillNeed);
        at += length.get();
    }
}

/// Whether the system has the byte at `offset` in memory. Asking for what is there already costs as
/// much as a few percent of the hashing; one byte speaks for those before it, and where it is wrong
/// about them, reading is slower and no less right.
#[cfg(target_os = "linux")]
fn is_in_memory(file: &File, offset: u64) -> bool {
    let mut byte = [0];
    let buffers = &mut [IoSliceMut::new(&mut byte)];
    preadv2(file, buffers, offset, ReadWriteFlags::NOWAIT) == Ok(1)
}

#[cfg(not(target_os = "linux"))]
fn is_in_memory(_file: &File, _offset: u64) -> bool {
    false
}
