//! Reads a file's bytes, window by window, and detects whether they changed meanwhile.

pub mod device;
mod direct;
mod input;
mod joined;
mod loader;
mod mapped;
mod method;
mod piped;
mod prefetch;
mod read;
mod settled;

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::OFlags;
use thiserror::Error;

use direct::Buffer;
pub use input::Input;
pub use joined::Joined;
use loader::{Extent, Loader, Window};
use method::Method;
pub use piped::Piped;
use prefetch::Prefetcher;

pub use crate::files::Stamp;

/// Maximum number of bytes that one thread maps at a time for its lanes; doubled for a file whose
/// windows another thread prefetches. Memory use is independent of file sizes: two threads stay
/// below 64 MiB.
///
/// Measured with a warm cache and two lanes: windows of 8 MiB 4.0 GB/s, of 2 MiB 3.8, of 512 KiB
/// 3.5 (BENCHMARKS.md).
const MAPPED_BY_A_THREAD: usize = 16 * 1024 * 1024;

/// Maximum window size. A larger one would delay cancellation too much.
const LARGEST_WINDOW: usize = 8 * 1024 * 1024;

/// Returns the window size per file in bytes, a multiple of the page size, for a thread that reads
/// `files` files at once.
pub fn window(files: usize) -> usize {
    (MAPPED_BY_A_THREAD / files.max(1).next_power_of_two()).min(LARGEST_WINDOW)
}

/// Maximum number of files mapped at one time. The others are read, which is slower.
pub const MOST_MAPPED: usize = mapped::MOST;

/// Minimum window size, used if memory is scarce.
pub const SMALLEST_WINDOW: usize = 64 * 1024;

/// Bytes per read without memory maps. Windows of 64 KiB and 1 MiB measured the same
/// (BENCHMARKS.md).
const READ_WINDOW: usize = 256 * 1024;

/// Maximum size of a file that is read with one call, which costs less than a map, and without
/// readahead.
const SMALL: u64 = READ_WINDOW as u64;

/// Break-even: minimum size of a file whose windows a thread of their own brings in, if a core is
/// idle.
const WORTH_A_THREAD: u64 = 64 * 1024 * 1024;

/// How files are read.
///
/// ```
/// use verify_signatures::IoMode;
///
/// assert_eq!(IoMode::default(), IoMode::Auto);
/// assert_eq!(IoMode::Read.name(), "read");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum IoMode {
    /// The fastest method that the file's system allows: direct I/O for large files on local disks
    /// that are not cached yet, else memory maps, else `pread`.
    #[default]
    Auto,
    /// Memory maps only; a file that cannot be mapped is unreadable. (A page that a map cannot
    /// bring in is still read once with `pread`, since only that reveals the cause.)
    Mmap,
    /// `pread` only.
    Read,
    /// Direct I/O (`O_DIRECT`) only, which bypasses the page cache; a file whose file system does
    /// not support it is unreadable.
    Direct,
}

impl IoMode {
    /// Returns its term in options and reports.
    pub fn name(self) -> &'static str {
        match self {
            IoMode::Auto => "auto",
            IoMode::Mmap => "mmap",
            IoMode::Read => "read",
            IoMode::Direct => "direct",
        }
    }
}

/// How one file is read.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// The method.
    pub io: IoMode,
    /// Bytes mapped at one time; see [`window`].
    pub window: usize,
    /// Bytes of readahead to request from the system.
    pub ahead: u64,
    /// Whether cores are idle, so that one may bring in windows while another hashes.
    pub spare_core: bool,
    /// Whether [`IoMode::Auto`] may read directly: the device gains from it, and memory is not
    /// limited.
    pub direct: bool,
    /// Whether a later run is to know the file by its stamp, which must show every later change.
    pub settles: bool,
}

/// Why a file's bytes cannot be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The file does not exist.
    #[error("no such file")]
    Missing,
    /// It is a directory, a FIFO, a socket or a device.
    #[error("not a regular file")]
    NotRegular,
    /// Its file system does not support direct I/O, and nothing else is allowed.
    #[error("its file system does not support direct I/O")]
    NoDirectIo,
    /// The file changed, or was replaced, after it was opened.
    #[error("changed while reading")]
    Changed,
    /// The system's error.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// An open regular file, read once, window by window, from its beginning to its size when opened.
#[derive(Debug)]
pub struct Content {
    file: Arc<File>,
    stamp: Stamp,
    /// Whether it is a block device, which may extend beyond the bytes to read.
    is_device: bool,
    /// Whether every later change shows in the stamp.
    is_settled: bool,
    method: Method,
    source: Source,
    /// Maximum bytes per window.
    most: usize,
    /// See [`Reading::ahead`]; `None` to request nothing.
    ahead: Option<u64>,
    window: Window,
    /// Offset of the end of the window.
    window_end: u64,
    /// Offset up to which readahead was requested.
    asked: u64,
    /// Consumed bytes of the window.
    consumed: usize,
}

/// What brings in the windows.
#[derive(Debug)]
enum Source {
    /// The calling thread.
    Here(Loader),
    /// Dedicated threads.
    Prefetched(Prefetcher),
}

/// Opens a regular file for reading; never blocks on any other kind of file.
///
/// # Errors
/// [`ReadError::Missing`], [`ReadError::NotRegular`], or the errors of open(2).
pub fn open_regular(path: &Path) -> Result<(File, Stamp), ReadError> {
    // If a FIFO or a terminal has replaced the file since the walk, neither block on it nor make it
    // the controlling terminal.
    let opened =
        open(path, OFlags::NONBLOCK | OFlags::NOCTTY).or_else(|error| match error.kind() {
            // Another program (a file server) holds a lease on the file, and releases it when an
            // open blocks.
            io::ErrorKind::WouldBlock if path.is_file() => open(path, OFlags::NOCTTY),
            _ => Err(error),
        });
    let file = opened.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => ReadError::Missing,
        _ => ReadError::Io(error),
    })?;
    let metadata = file.metadata()?;
    if metadata.is_file() {
        Ok((file, Stamp::of(&metadata)))
    } else {
        Err(ReadError::NotRegular)
    }
}

/// Returns the size of the regular file at `path` and at most its first `most` bytes.
///
/// # Errors
/// Those of [`open_regular`] and read(2).
pub fn beginning_of(path: &Path, most: usize) -> Result<(u64, Vec<u8>), ReadError> {
    let (file, stamp) = open_regular(path)?;
    let mut beginning = Vec::new();
    file.take(most as u64).read_to_end(&mut beginning)?;
    Ok((stamp.size, beginning))
}

fn open(path: &Path, flags: OFlags) -> io::Result<File> {
    let flags = flags.bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

impl Content {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// Those of [`open_regular`].
    pub fn open(path: &Path, reading: Reading) -> Result<Content, ReadError> {
        let (file, stamp) = open_regular(path)?;
        if !reading.settles || !settled::settle(&file) {
            return Content::of(file, stamp, reading);
        }
        // What was still to be written may have got its time only now.
        let stamp = Stamp::of(&file.metadata()?);
        let content = Content::of(file, stamp, reading)?;
        Ok(Content {
            is_settled: true,
            ..content
        })
    }

    /// Opens the block device at `path` to read its first `length` bytes like a file.
    ///
    /// # Errors
    /// Those of [`device::open`].
    pub fn open_device(path: &Path, length: u64, reading: Reading) -> Result<Content, ReadError> {
        let (file, stamp) = device::open(path, length)?;
        let content = Content::of(file, stamp, reading)?;
        Ok(Content {
            is_device: true,
            ..content
        })
    }

    fn of(file: File, stamp: Stamp, reading: Reading) -> Result<Content, ReadError> {
        let file = Arc::new(file);
        let method = Method::choose(&file, stamp.size, reading)?;
        let loader = Loader::new(Arc::clone(&file), method);
        Ok(Content {
            file,
            source: Source::new(loader, method.readers(stamp.size, reading)),
            stamp,
            is_device: false,
            is_settled: false,
            method,
            most: method.window(reading),
            ahead: method.ahead(reading),
            window: Window::default(),
            window_end: 0,
            asked: 0,
            consumed: 0,
        })
    }

    /// Reports whether every change since it was opened shows in its stamp.
    pub fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// Returns the file's stamp at the time it was opened.
    pub fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// Returns at most the first `most` bytes of the file, independent of the reading position.
    ///
    /// # Errors
    /// Those of pread(2).
    pub fn beginning(&self, most: usize) -> io::Result<Vec<u8>> {
        let size = usize::try_from(self.stamp.size).unwrap_or(most);
        if let Method::Direct { only } = self.method {
            let mut buffer = Buffer::default();
            let read = buffer.read(&self.file, 0, most.min(size), only);
            read.map_err(io::Error::other)?;
            return Ok(buffer.bytes().to_vec());
        }
        let mut bytes = vec![0; most.min(size)];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// Returns the number of bytes not yet consumed.
    pub fn left(&self) -> u64 {
        self.stamp.size - self.window_end + self.unread().len() as u64
    }

    /// Returns the unconsumed bytes of the current window: none before the first [`Content::fill`]
    /// and at the end.
    pub fn unread(&self) -> &[u8] {
        self.window.bytes().get(self.consumed..).unwrap_or_default()
    }

    /// Marks the next `count` bytes as consumed.
    pub fn consume(&mut self, count: usize) {
        self.consumed += count;
    }

    /// Brings in the next window if the current one is consumed. If nothing is unread afterwards,
    /// the file has ended.
    ///
    /// The length of every window but the last is a multiple of 64 bytes.
    ///
    /// # Errors
    /// [`ReadError::Changed`] if the file is shorter or longer than when it was opened.
    pub fn fill(&mut self) -> Result<(), ReadError> {
        if !self.unread().is_empty() {
            return Ok(());
        }
        // Fail closed: check before any result of this window is used, and again on every later
        // call.
        if self.window.is_damaged() {
            return Err(self.damage());
        }
        // Release the window before loading the next: after an error, nothing is left that could be
        // hashed twice.
        let used = std::mem::take(&mut self.window);
        self.consumed = 0;
        let extent = self.next_extent();
        if extent.length == 0 {
            return if self.is_device {
                device::expect_length(&self.file, self.stamp.size)
            } else {
                self.expect_end()
            };
        }
        self.read_ahead(extent.end());
        let (size, most) = (self.stamp.size, self.most);
        let following = |extent: Extent| Extent::within(size, extent.end(), most);
        self.window = match &mut self.source {
            Source::Here(loader) => loader.load(extent, used)?,
            Source::Prefetched(ahead) => ahead.next(extent, following, used)?,
        };
        let length = self.window.bytes().len();
        self.window_end = extent.at + length as u64;
        if length < extent.length {
            self.do_with_less();
        }
        Ok(())
    }

    fn next_extent(&self) -> Extent {
        Extent::within(self.stamp.size, self.window_end, self.most)
    }

    /// Requests the bytes that [`Content::fill`] would request, and waits for none.
    pub fn request(&mut self) {
        if self.unread().is_empty() {
            self.read_ahead(self.next_extent().end());
        }
    }

    /// Reports whether every byte was requested from the device, or read.
    pub fn is_requested(&self) -> bool {
        self.asked.max(self.window_end) >= self.stamp.size
    }

    /// Switches to small windows, since the system has no memory for larger ones.
    fn do_with_less(&mut self) {
        self.most = READ_WINDOW;
        // The thread is about to load the extent that would follow a whole window.
        if let Source::Prefetched(_) = self.source {
            self.source = Source::Here(Loader::new(Arc::clone(&self.file), self.method));
        }
    }

    /// Finds the cause of damage to the window: rereading it reveals whether the file ends here or
    /// the device fails.
    fn damage(&self) -> ReadError {
        let start = self.window_end - self.window.bytes().len() as u64;
        let mut buffer = Vec::new();
        for at in (start..self.window_end).step_by(READ_WINDOW) {
            let length = (self.window_end - at).min(READ_WINDOW as u64) as usize;
            if let Err(fault) = read::exactly(&self.file, at, length, &mut buffer) {
                return fault;
            }
        }
        ReadError::Changed
    }

    /// Requests the bytes after `end`, so that the device works while the processor hashes.
    fn read_ahead(&mut self, end: u64) {
        let Some(ahead) = self.ahead else {
            return;
        };
        let wanted = end.saturating_add(ahead).min(self.stamp.size);
        if self.stamp.size > SMALL && wanted > self.asked {
            read::ahead(&self.file, self.asked, wanted);
            self.asked = wanted;
        }
    }

    /// Fail closed: a file that continues beyond its size (it grew, or its file system reports no
    /// sizes, as /proc does) was not hashed whole, so its digest would cover only a part.
    fn expect_end(&self) -> Result<(), ReadError> {
        let size = self.stamp.size;
        let ends = match self.method {
            Method::Direct { only } => direct::ends_at(&self.file, size, only)?,
            Method::Map { .. } | Method::Read => self.file.read_at(&mut [0], size)? == 0,
        };
        ends.then_some(()).ok_or(ReadError::Changed)
    }
}

impl Source {
    /// Has so many threads bring in the windows, or as many as the system allows.
    fn new(loader: Loader, readers: usize) -> Source {
        if readers == 0 {
            return Source::Here(loader);
        }
        // Without a thread, reading is as slow as with one lane, but equally correct.
        Prefetcher::start(loader, readers).map_or_else(Source::Here, Source::Prefetched)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const WINDOW: usize = 2 * 1024 * 1024;

    /// The ways of reading that the file system of temporary files allows.
    #[allow(clippy::print_stderr)]
    fn ways() -> Vec<IoMode> {
        let file = tempfile::tempfile().unwrap();
        let mut ways = vec![IoMode::Auto, IoMode::Mmap, IoMode::Read];
        match direct::turn_on(&file) {
            Ok(()) => ways.push(IoMode::Direct),
            Err(error) => eprintln!("SKIPPED: direct I/O on temporary files: {error}"),
        }
        ways
    }

    fn reading(io: IoMode) -> Reading {
        Reading {
            settles: false,
            io,
            direct: true,
            window: WINDOW,
            ahead: WINDOW as u64,
            // Takes effect from `WORTH_A_THREAD` on.
            spare_core: true,
        }
    }

    fn all_of(path: &Path, io: IoMode) -> Result<Vec<u8>, ReadError> {
        let mut content = Content::open(path, reading(io))?;
        let mut all = Vec::new();
        loop {
            content.fill()?;
            if content.unread().is_empty() {
                return Ok(all);
            }
            assert_eq!(content.left(), content.stamp.size - all.len() as u64);
            all.extend_from_slice(content.unread());
            content.consume(content.unread().len());
        }
    }

    fn end_of(content: &mut Content) -> Result<(), ReadError> {
        loop {
            content.fill()?;
            match content.unread().len() {
                0 => return Ok(()),
                unread => content.consume(unread),
            }
        }
    }

    #[test]
    fn every_way_of_reading_gives_the_same_bytes_around_each_window_edge() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        for size in [
            0,
            1,
            4095,
            4097,
            READ_WINDOW,
            READ_WINDOW + 1,
            WINDOW - 1,
            WINDOW,
            WINDOW + 1,
            3 * WINDOW,
            WORTH_A_THREAD as usize - 1,
            WORTH_A_THREAD as usize,
            WORTH_A_THREAD as usize + 1,
        ] {
            let bytes: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
            file.as_file().set_len(0).unwrap();
            file.as_file().write_all_at(&bytes, 0).unwrap();
            for io in ways() {
                assert!(
                    all_of(file.path(), io).unwrap() == bytes,
                    "{size} by {io:?}"
                );
            }
        }
        file.flush().unwrap();
    }

    #[test]
    fn a_file_that_shrinks_or_grows_after_opening_has_changed() {
        for io in ways() {
            for opened in [WINDOW as u64 + 8192, WORTH_A_THREAD + 8192] {
                for size in [0, opened - 4096, opened + WINDOW as u64] {
                    let file = tempfile::NamedTempFile::new().unwrap();
                    file.as_file().set_len(opened).unwrap();
                    let mut content = Content::open(file.path(), reading(io)).unwrap();
                    content.fill().unwrap();
                    file.as_file().set_len(size).unwrap();
                    // Discard what was read before: the map is truncated, so it must not be
                    // accessed.
                    content.consume(content.unread().len());
                    let end = end_of(&mut content);
                    let what = format!("{opened} to {size} by {io:?}");
                    assert!(matches!(end, Err(ReadError::Changed)), "{what}");
                }
            }
        }
    }

    #[test]
    fn a_window_that_went_away_while_it_was_looked_at_has_changed_however_often_one_asks() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(WINDOW as u64).unwrap();
        let mut content = Content::open(file.path(), reading(IoMode::Mmap)).unwrap();
        content.fill().unwrap();
        file.as_file().set_len(0).unwrap();
        assert_eq!(content.unread().iter().max(), Some(&0));
        content.consume(WINDOW);
        // Restore the length, so that only the damage reveals the change.
        file.as_file().set_len(WINDOW as u64).unwrap();
        for _ in 0..2 {
            assert!(matches!(content.fill(), Err(ReadError::Changed)));
        }
    }

    #[test]
    fn a_fifo_that_took_a_files_place_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("x.zst");
        let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR);
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, kind, mode, 0).unwrap();
        assert!(matches!(open_regular(&fifo), Err(ReadError::NotRegular)));
    }

    #[test]
    fn a_directory_is_not_a_regular_file_and_nothing_is_missing() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(
            Content::open(directory.path(), reading(IoMode::Auto)),
            Err(ReadError::NotRegular)
        ));
        assert!(matches!(
            Content::open(&directory.path().join("none"), reading(IoMode::Auto)),
            Err(ReadError::Missing)
        ));
    }

    #[test]
    fn what_a_thread_maps_is_bounded_regardless_of_what_it_reads() {
        for files in 1..=64 {
            let window = window(files);
            assert!(window * files <= MAPPED_BY_A_THREAD, "{files}");
            assert_eq!(window % 65536, 0, "{files}");
        }
        assert_eq!(
            [1, 2, 8].map(window),
            [8, 8, 2].map(|mib| mib * 1024 * 1024)
        );
    }
}
