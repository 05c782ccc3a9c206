//! Standard output that waits for its reader, but not after a signal.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// As many bytes as a pipe takes without waiting when it says that it takes any (pipe(7): a whole page, of which this is the
/// part that every system promises, `_POSIX_PIPE_BUF`).
const PIECE: usize = 512;
/// How often a writer that waits looks up.
const GLANCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 20_000_000,
};
/// How long it goes on waiting after a signal.
const GRACE: Duration = Duration::from_millis(20);

/// Standard output, where every error is told: std's own takes a descriptor that cannot be written for one that swallows all. (One that
/// was closed before the start is /dev/null by now, and takes everything.)
pub struct Stdout<C> {
    file: File,
    /// Whether writing can take as long as a reader likes.
    may_wait: bool,
    cancelled: C,
    deadline: Option<Instant>,
}

impl<C: Fn() -> bool> Stdout<C> {
    /// Opens it; `cancelled` says when there is no time to wait any more.
    ///
    /// # Errors
    /// Those of dup(2) and fstat(2).
    pub fn open(cancelled: C) -> io::Result<Stdout<C>> {
        let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let may_wait = !file.metadata()?.is_file();
        Ok(Stdout {
            file,
            may_wait,
            cancelled,
            deadline: None,
        })
    }

    /// Returns when a piece can be written without waiting.
    fn wait(&mut self) -> io::Result<()> {
        loop {
            let mut out = [PollFd::new(&self.file, PollFlags::OUT)];
            match poll(&mut out, Some(&GLANCE)) {
                Ok(0) | Err(Errno::INTR) => {}
                // Writing tells what is wrong, if anything is.
                Ok(_) | Err(_) => return Ok(()),
            }
            if (self.cancelled)() && self.is_overdue() {
                let words = "nobody reads it, and the run was ended";
                return Err(io::Error::new(io::ErrorKind::TimedOut, words));
            }
        }
    }

    fn is_overdue(&mut self) -> bool {
        let now = Instant::now();
        now >= *self.deadline.get_or_insert(now + GRACE)
    }
}

impl<C: Fn() -> bool> Write for Stdout<C> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.may_wait {
            return self.file.write(bytes);
        }
        let piece = bytes.get(..PIECE).unwrap_or(bytes);
        loop {
            self.wait()?;
            match self.file.write(piece) {
                // Somebody else was quicker, on a pipe that does not wait by itself.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
