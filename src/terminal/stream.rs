//! Standard output and standard error, which wait for their readers, but not after a signal.
//!
//! Not by a thread that writes what comes through a channel: nothing ends it while write(2) blocks,
//! so it would have to poll as well, and everything would be copied once more.

use std::fs::File;
use std::io::{self, StderrLock, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::isatty;

use super::closed;

/// Number of bytes that a pipe accepts without blocking when it is ready (pipe(7): a whole page;
/// this is the minimum on every system, `_POSIX_PIPE_BUF`).
const PIECE: usize = 512;
/// Interval at which a waiting writer checks for a signal.
const POLL_INTERVAL: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 20_000_000,
};
const NO_TIME: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};
/// Maximum total time that writers keep waiting after a signal.
const JOIN_TIMEOUT: Duration = Duration::from_millis(20);

/// Whether a signal ended the run. Without a run this is unset, and there is no handler: a signal
/// ends the process while it waits.
static ENDED: OnceLock<Arc<AtomicBool>> = OnceLock::new();
/// When the waiting ends after a signal.
static DEADLINE: OnceLock<Instant> = OnceLock::new();

/// Stops waiting for readers once `ended` is set.
pub fn cancel_on(ended: Arc<AtomicBool>) {
    // A process has one run; a second one would end as the first does.
    let _ = ENDED.set(ended);
}

/// A stream that waits for its reader, but not after a signal: the remaining output then fails with
/// an error, and is lost.
pub struct Stream<W> {
    out: W,
    delivery: Delivery,
}

/// How to write without waiting too long for the reader.
enum Delivery {
    /// In one call: a file has no reader.
    AtOnce,
    /// In pieces.
    Pieces,
    /// To the terminal reopened in non-blocking mode: it does not report how much it accepts, and
    /// other processes that share it expect blocking mode.
    Again(File),
    /// Not at all: the stream was closed before the process started.
    Closed,
}

impl Stream<File> {
    /// Returns standard output with all errors reported: std's own ignores a descriptor that cannot
    /// be written to.
    ///
    /// # Errors
    /// Those of dup(2).
    pub fn stdout() -> io::Result<Stream<File>> {
        let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        if closed::stdout_was_closed() {
            let delivery = Delivery::Closed;
            return Ok(Stream { out, delivery });
        }
        Ok(Stream::new(out))
    }

    /// Checks that the stream can be written to, before work whose result would be lost.
    ///
    /// # Errors
    /// If it is closed, or open for reading only.
    pub fn check(&self) -> io::Result<()> {
        // A descriptor opened with O_PATH allows neither, and counts as read-only.
        let access = rustix::fs::fcntl_getfl(&self.out)? & OFlags::RWMODE;
        if matches!(self.delivery, Delivery::Closed) {
            Err(closed_error("closed"))
        } else if access == OFlags::RDONLY {
            Err(closed_error("open for reading only"))
        } else {
            Ok(())
        }
    }
}

fn closed_error(what: &str) -> io::Error {
    io::Error::other(format!(
        "it is {what}, so nothing can be delivered; redirect it to a file or a pipe (to /dev/null to discard it)"
    ))
}

impl Stream<StderrLock<'static>> {
    /// Returns standard error, for one writer at a time.
    pub fn stderr() -> Self {
        Stream::new(io::stderr().lock())
    }
}

impl<W: Write + AsFd> Stream<W> {
    fn new(out: W) -> Stream<W> {
        let delivery = Delivery::to(&out);
        Stream { out, delivery }
    }

    /// Returns when a piece can be written without blocking.
    fn wait(&self) -> io::Result<()> {
        loop {
            let glance = if is_overdue() { NO_TIME } else { POLL_INTERVAL };
            let mut out = [PollFd::new(&self.out, PollFlags::OUT)];
            match poll(&mut out, Some(&glance)) {
                Ok(0) | Err(Errno::INTR) => go_on()?,
                // A write reports the error, if there is one.
                Ok(_) | Err(_) => return Ok(()),
            }
        }
    }
}

impl Delivery {
    fn to(out: &impl AsFd) -> Delivery {
        let is_file = |mode| FileType::from_raw_mode(mode) == FileType::RegularFile;
        match rustix::fs::fstat(out) {
            Ok(stat) if is_file(stat.st_mode) => Delivery::AtOnce,
            Ok(_) if isatty(out) => again(out).map_or(Delivery::Pieces, Delivery::Again),
            // A write reports the error, if there is one.
            Ok(_) | Err(_) => Delivery::Pieces,
        }
    }
}

/// Reopens a terminal. Another user's terminal cannot be opened, nor any terminal without /proc.
fn again(terminal: &impl AsFd) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let path = format!("/proc/self/fd/{}", terminal.as_fd().as_raw_fd());
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

/// Checks whether to keep waiting.
fn go_on() -> io::Result<()> {
    let ended = ENDED
        .get()
        .is_some_and(|ended| ended.load(Ordering::Relaxed));
    // The time starts with the first wait.
    if ended && Instant::now() >= *DEADLINE.get_or_init(|| Instant::now() + JOIN_TIMEOUT) {
        let words = "nobody reads it, and the run was ended";
        return Err(io::Error::new(io::ErrorKind::TimedOut, words));
    }
    Ok(())
}

fn is_overdue() -> bool {
    DEADLINE
        .get()
        .is_some_and(|deadline| Instant::now() >= *deadline)
}

impl<W: Write + AsFd> Write for Stream<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = bytes.get(..PIECE).unwrap_or(bytes);
        loop {
            let written = match &mut self.delivery {
                Delivery::AtOnce => return self.out.write(bytes),
                Delivery::Again(terminal) => terminal.write(bytes),
                // Fail closed: std's /dev/null is there, which would accept everything.
                Delivery::Closed => return Err(closed_error("closed")),
                Delivery::Pieces => {
                    self.wait()?;
                    self.out.write(piece)
                }
            };
            match written {
                // The pipe accepts nothing now, or another writer was faster on a non-blocking
                // pipe.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    go_on()?;
                    // In case it accepts something, but less than a piece.
                    thread::sleep(Duration::from_millis(1));
                    self.wait()?;
                }
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
