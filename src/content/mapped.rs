//! Windows by mmap(2), with every page loaded before any byte is accessed.
#![allow(unsafe_code)]

mod bus;

use std::fs::File;
use std::io;
use std::ops::Deref;

use memmap2::{Mmap, MmapOptions};
use rustix::io::Errno;

use bus::Guard;
pub(super) use bus::MOST;

/// A part of a file, mapped read-only and guarded; unmapped when dropped.
#[derive(Debug)]
pub(super) struct Map {
    // Dropped first, before the memory that it guards can be reused.
    guard: Guard,
    bytes: Mmap,
}

impl Map {
    /// Reports whether a page disappeared during use. Bytes read since then are not the file's.
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
    /// The file is mapped, but one of its pages cannot be loaded.
    Page,
}

/// Maps `length` bytes of `file` at offset `at`, which need not be a multiple of the page size.
pub(super) fn map(file: &File, at: u64, length: usize) -> Result<Map, MapError> {
    // SAFETY: The map is read-only, private to this window and unmapped with it. The type system
    // cannot guarantee that no other process changes the file meanwhile. (a) A changed byte: the
    // slice goes only to a hash function, which accepts any bytes, and neither branches on them nor
    // indexes by them; the digest of a mixture verifies under no signature, and comparing the
    // file's stamp afterwards detects the change. (b) A page that disappears through truncation or
    // a failing device: the pages are loaded below, and a failure there is an error; between that
    // and the hashing the kernel raises SIGBUS, which the guard handles. Memory that is not ours is
    // never read.
    let bytes = unsafe { MmapOptions::new().offset(at).len(length).map(file) };
    let bytes = bytes.map_err(MapError::Map)?;
    let guard = Guard::over(&bytes).map_err(MapError::Map)?;
    populate(&bytes)?;
    Ok(Map { guard, bytes })
}

/// Loads all pages of the map with one call, instead of one page fault for every few pages.
#[cfg(target_os = "linux")]
fn populate(map: &Mmap) -> Result<(), MapError> {
    match map.advise(memmap2::Advice::PopulateRead) {
        Ok(()) => Ok(()),
        // Linux before 5.14 does not support the advice; there each page is loaded on first access.
        Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => Ok(()),
        Err(_) => Err(MapError::Page),
    }
}

#[cfg(not(target_os = "linux"))]
fn populate(_map: &Mmap) -> Result<(), MapError> {
    Ok(())
}
