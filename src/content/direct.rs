//! Windows by direct I/O (`O_DIRECT` of open(2)): from the device into memory of our own, bypassing
//! the page cache. On a fast device the cache limits a cold run, since filling it takes as long as
//! hashing; and filling it evicts what other programs have cached.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::unix::fs::FileExt;

use memmap2::MmapMut;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;

use super::{ReadError, read};

/// Alignment of offsets and lengths in bytes: the largest logical block that Linux allows, a
/// multiple of what any device asks for (`STATX_DIOALIGN` of statx(2)). Addresses are those of
/// whole pages.
const ALIGNMENT: usize = 64 * 1024;

/// Break-even: a smaller file is in memory before the threads that would read it have started.
const WORTH_IT: u64 = 8 * 1024 * 1024;

/// Bytes per window: one huge page, so that a request is one piece of memory. In pages of 4 KiB it
/// is hundreds, and a virtual disk reads at a third of the speed (BENCHMARKS.md).
pub(super) const WINDOW: usize = 2 * 1024 * 1024;

/// Number of threads that read one file by turns, so that the device always has a request.
pub(super) const READERS: usize = 2;

/// Number of offsets that are looked at to see whether a file is in the page cache.
const SAMPLES: usize = 5;

/// Memory that direct I/O can read into.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    memory: Option<MmapMut>,
    /// The index of the first aligned byte.
    start: usize,
    /// Number of bytes that were read and are wanted.
    length: usize,
}

impl Buffer {
    pub(super) fn bytes(&self) -> &[u8] {
        let end = self.start + self.length;
        let memory = self.memory.as_deref().unwrap_or_default();
        memory.get(self.start..end).unwrap_or_default()
    }

    /// Returns aligned room for `length` bytes, rounded up; what was read before is gone.
    ///
    /// # Errors
    /// ENOMEM.
    fn room(&mut self, length: usize) -> io::Result<&mut [u8]> {
        self.length = 0;
        let length = length.next_multiple_of(ALIGNMENT);
        let found = self.memory.as_deref().unwrap_or_default().len();
        if found < self.start + length {
            (self.memory, self.start) = (None, 0);
            let (memory, start) = allocate(length)?;
            (self.memory, self.start) = (Some(memory), start);
        }
        let room = self.memory.as_deref_mut().unwrap_or_default();
        let room = room.get_mut(self.start..self.start + length);
        room.ok_or_else(|| Errno::NOMEM.into())
    }

    /// Reads `length` bytes at `at`, a multiple of [`ALIGNMENT`], or as many as the file has.
    /// Returns how many there are, which may be more if `length` is not such a multiple. A file
    /// system that wants another alignment is read through the page cache from now on, unless
    /// `only` direct I/O will do.
    ///
    /// # Errors
    /// [`ReadError::NoDirectIo`], or those of pread(2); ENOMEM.
    pub(super) fn read(
        &mut self,
        file: &File,
        at: u64,
        length: usize,
        only: bool,
    ) -> Result<usize, ReadError> {
        match self.try_read(file, at, length) {
            Err(error) if is_refusal(&error) && !only => {
                turn_off(file)?;
                Ok(self.try_read(file, at, length)?)
            }
            read => read.map_err(refused),
        }
    }

    fn try_read(&mut self, file: &File, at: u64, length: usize) -> io::Result<usize> {
        let room = self.room(length)?;
        let mut filled = 0;
        while filled < length {
            let rest = room.get_mut(filled..).unwrap_or_default();
            match file.read_at(rest, at + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What does not end at a block is the end of the file, from where nothing is read.
                Err(error) if is_refusal(&error) && !filled.is_multiple_of(ALIGNMENT) => break,
                Err(error) => return Err(error),
            }
        }
        self.length = filled.min(length);
        Ok(filled)
    }

    /// Reads exactly `length` bytes at `at`, a multiple of [`ALIGNMENT`].
    ///
    /// # Errors
    /// [`ReadError::Changed`] if the file ends early: it was longer when it was opened. Else those
    /// of [`Buffer::read`].
    pub(super) fn exactly(
        &mut self,
        file: &File,
        at: u64,
        length: usize,
        only: bool,
    ) -> Result<(), ReadError> {
        if self.read(file, at, length, only)? < length {
            return Err(ReadError::Changed);
        }
        Ok(())
    }
}

/// Returns memory, and the index in it from which `length` bytes are aligned: in huge pages, if
/// they fill one.
///
/// # Errors
/// ENOMEM.
fn allocate(length: usize) -> io::Result<(MmapMut, usize)> {
    if length < WINDOW {
        return Ok((MmapMut::map_anon(length.max(1))?, 0));
    }
    let memory = MmapMut::map_anon(length + WINDOW)?;
    // Advice only: in small pages, reading is slower but equally correct.
    #[cfg(target_os = "linux")]
    let _ = memory.advise(memmap2::Advice::HugePage);
    let start = memory.as_ptr().align_offset(WINDOW);
    Ok((memory, start))
}

/// Reports whether an error says that the file system does not read this way.
fn is_refusal(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::INVAL.raw_os_error())
}

/// Returns the error for a file that is to be read by nothing but direct I/O.
pub(super) fn refused(error: io::Error) -> ReadError {
    if is_refusal(&error) {
        ReadError::NoDirectIo
    } else {
        error.into()
    }
}

/// Reports whether a file ends after `size` bytes, by reading its last block again. Fail closed:
/// the windows at its end may have been read before it was cut off.
///
/// # Errors
/// Those of [`Buffer::read`].
pub(super) fn ends_at(file: &File, size: u64, only: bool) -> Result<bool, ReadError> {
    let start = size.saturating_sub(1) / ALIGNMENT as u64 * ALIGNMENT as u64;
    let in_block = (size - start) as usize;
    Ok(Buffer::default().read(file, start, in_block + 1, only)? == in_block)
}

/// Has what is read from now on come from the device.
///
/// # Errors
/// EINVAL if the file system does not support it.
pub(super) fn turn_on(file: &File) -> io::Result<()> {
    let flags = fcntl_getfl(file)?;
    Ok(fcntl_setfl(file, flags | OFlags::DIRECT)?)
}

/// Has what is read from now on come through the page cache.
///
/// # Errors
/// Those of fcntl(2).
fn turn_off(file: &File) -> io::Result<()> {
    let flags = fcntl_getfl(file)?;
    Ok(fcntl_setfl(file, flags - OFlags::DIRECT)?)
}

/// Reports whether direct I/O is likely the fastest way to read a file of `size` bytes: it is on a
/// file system of this machine that is known for it, is not small, and is not in memory already.
pub(super) fn suits(file: &File, size: u64) -> bool {
    size >= WORTH_IT && is_known_for_it(file) && !is_in_memory(file, size)
}

/// Reports whether a file is on a file system that passes direct reads to its device. Any other may
/// accept them and be slower: over a network, in user space, or on top of another.
#[cfg(target_os = "linux")]
fn is_known_for_it(file: &File) -> bool {
    /// The types in statfs(2) of ext2 to ext4, XFS, Btrfs and F2FS.
    const KNOWN: [u32; 4] = [0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010];
    rustix::fs::fstatfs(file).is_ok_and(|found| KNOWN.contains(&(found.f_type as u32)))
}

#[cfg(not(target_os = "linux"))]
fn is_known_for_it(_file: &File) -> bool {
    false
}

/// Reports whether most of a file is in the page cache, by a few of its bytes. At random, since
/// looking brings their surroundings in: the next run looks elsewhere. If it is wrong, reading is
/// slower but equally correct.
fn is_in_memory(file: &File, size: u64) -> bool {
    let random = RandomState::new();
    let mut offsets = (0..SAMPLES).map(|sample| random.hash_one(sample) % size.max(1));
    let mut absent = 0;
    // No longer than it takes to know, since each look may be a seek.
    offsets.all(|offset| {
        absent += usize::from(!read::is_in_memory(file, offset));
        absent <= SAMPLES / 2
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_buffer_is_aligned_and_has_what_was_asked_for_however_often_it_is_used() {
        let mut file = tempfile::tempfile().unwrap();
        let content: Vec<u8> = (0..3 * ALIGNMENT + 5).map(|n| (n % 251) as u8).collect();
        file.write_all(&content).unwrap();
        let mut buffer = Buffer::default();
        for length in [1, 4096, 4097, 2 * ALIGNMENT, 100] {
            for at in [0, ALIGNMENT] {
                buffer.exactly(&file, at as u64, length, true).unwrap();
                assert_eq!(buffer.bytes(), &content[at..at + length]);
                assert_eq!(buffer.bytes().as_ptr().align_offset(4096), 0);
            }
        }
        file.set_len(WINDOW as u64).unwrap();
        buffer.exactly(&file, 0, WINDOW, true).unwrap();
        assert_eq!(buffer.bytes()[..content.len()], content);
        assert_eq!(buffer.bytes().as_ptr().align_offset(WINDOW), 0);
    }

    #[test]
    fn the_end_of_a_file_is_its_last_byte_and_a_file_that_ends_early_has_changed() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[7; ALIGNMENT + 5]).unwrap();
        let mut buffer = Buffer::default();
        assert_eq!(buffer.read(&file, ALIGNMENT as u64, 1, true).unwrap(), 5);
        assert_eq!(buffer.bytes(), [7]);
        assert_eq!(
            buffer.read(&file, 2 * ALIGNMENT as u64, 1, true).unwrap(),
            0
        );
        for (size, ends) in [(0, false), (ALIGNMENT, false), (ALIGNMENT + 5, true)] {
            assert_eq!(ends_at(&file, size as u64, true).unwrap(), ends, "{size}");
        }
        for size in [ALIGNMENT + 4, ALIGNMENT + 6, 2 * ALIGNMENT] {
            assert!(!ends_at(&file, size as u64, true).unwrap(), "{size}");
        }
        let early = buffer.exactly(&file, ALIGNMENT as u64, 6, true);
        assert!(matches!(early, Err(ReadError::Changed)));
    }

    #[test]
    #[allow(clippy::print_stderr)]
    fn what_is_refused_is_read_through_the_page_cache_unless_only_direct_io_will_do() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        if let Err(error) = turn_on(&file) {
            eprintln!("SKIPPED: direct I/O on temporary files: {error}");
            return;
        }
        // No block begins at the second byte.
        let mut buffer = Buffer::default();
        let only = buffer.read(&file, 1, 3, true);
        assert!(matches!(only, Err(ReadError::NoDirectIo)), "{only:?}");
        assert_eq!(buffer.bytes(), b"");
        assert_eq!(buffer.read(&file, 1, 3, false).unwrap(), 9);
        assert_eq!(buffer.bytes(), b"123");
        // Now nothing is refused any more.
        buffer.exactly(&file, 3, 4, true).unwrap();
        assert_eq!(buffer.bytes(), b"3456");
    }
}
