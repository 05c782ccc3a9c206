//! Windows by mmap(2), with every page brought in before a byte is looked at.
#![allow(unsafe_code)]

mod bus;

use std::fs::File;
use std::io;
use std::ops::Deref;

use memmap2::{Mmap, MmapOptions};
use rustix::io::Errno;

use bus::Guard;
pub(super) use bus::MOST;

/// A part of a file mapped read-only and guarded; unmapped when dropped.
#[derive(Debug)]
pub(super) struct Map {
    // The guard goes first, before the memory that it guards can be somebody else's.
    guard: Guard,
    bytes: Mmap,
}

impl Map {
    /// Whether a page of it went away while it was looked at. What was seen there since is not the
    /// file's.
    pub(super) fn is_damaged(&self) -> bool {
        self.guard.is_damaged()
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why there is no map.
pub(super) enum MapError {
    /// The system or the file system does not map this file.
    Map(io::Error),
    /// It is mapped, but a page of it cannot be had.
    Page,
}

/// Maps the `length` bytes of `file` at offset `at`, a multiple of the page size or not.
pub(super) fn map(file: &File, at: u64, length: usize) -> Result<Map, MapError> {
    // SAFETY: The map is read-only, private to this window and unmapped with it. What the type
    // system cannot promise is that no other process changes the file meanwhile. (a) A changed
    // byte: the slice goes to a hash function only, which takes any bytes, branches on none of
    // them and indexes by none; the digest of a mixture verifies under no signature, and the
    // file's stamp, compared afterwards, tells that it changed. (b) A page that goes away, by
    // truncation or a failing device: the pages are brought in below and a failure there is an
    // error; between that and the hashing the kernel answers with SIGBUS, for which there
    // is the guard. Memory that is not ours is never read.
    let bytes = unsafe { MmapOptions::new().offset(at).len(length).map(file) };
    let bytes = bytes.map_err(MapError::Map)?;
    let guard = Guard::over(&bytes).map_err(MapError::Map)?;
    populate(&bytes)?;
    Ok(Map { guard, bytes })
}

/// Brings in all pages of the map with one call, instead of by one fault for each few of them.
#[cfg(target_os = "linux")]
fn populate(map: &Mmap) -> Result<(), MapError> {
    match map.advise(memmap2::Advice::PopulateRead) {
        Ok(()) => Ok(()),
        // Linux before 5.14 does not know the advice; there each page is brought in when it is
        // touched.
        Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => Ok(()),
        Err(_) => Err(MapError::Page),
    }
}

#[cfg(not(target_os = "linux"))]
fn populate(_map: &Mmap) -> Result<(), MapError> {
    Ok(())
}
