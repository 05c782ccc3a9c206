//! Reads a stream once, from where it stands to its end: a pipe, a socket, or a file that somebody
//! else has opened.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::{ReadError, Stamp};

/// Bytes that are handed out at a time, except at the end: whole blocks of SHA-256, and few enough
/// to be in the processor's nearer caches still when they are hashed.
const CHUNK: usize = 256 * 1024;

/// Bytes that a pipe is asked to hold: as many as Linux lets any user have (pipe(7),
/// `pipe-max-size`). With more room its writer waits less often.
#[cfg(target_os = "linux")]
const PIPE: usize = 1024 * 1024;

/// Bytes of the beginning that are kept: all that tells what a file is fits into them.
const BEGINNING: usize = 64 * 1024;

/// Stack size of the thread that reads, which does little besides system calls.
const STACK: usize = 256 * 1024;

/// A stream that is being read.
#[derive(Debug)]
pub struct Piped {
    file: Arc<File>,
    /// The file's stamp at the beginning, if it is a regular one.
    stamp: Option<Stamp>,
    source: Source,
    chunk: Vec<u8>,
    /// Consumed bytes of the chunk.
    consumed: usize,
    /// Bytes received so far.
    received: u64,
    beginning: Vec<u8>,
    /// Whether the last chunk was received.
    has_ended: bool,
}

/// What brings in the chunks.
#[derive(Debug)]
enum Source {
    /// The calling thread.
    Here,
    /// A thread that reads ahead. It takes buffers, and returns them with the next bytes.
    Ahead(SyncSender<Vec<u8>>, Receiver<io::Result<Vec<u8>>>),
    /// Nothing: reading failed.
    Failed,
}

impl Piped {
    /// Begins to read standard input, in a thread of its own if that is faster on a machine whose
    /// other cores are idle.
    ///
    /// # Errors
    /// Those of dup(2) and fstat(2).
    pub fn stdin(spare_core: bool) -> io::Result<Piped> {
        let stdin = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 0)?;
        let file = File::from(stdin);
        // The writer of a pipe keeps a core busy, and reads ahead itself (BENCHMARKS.md).
        let is_spare = || file.metadata().is_ok_and(|file| file.is_file()) || cores() > 2;
        let ahead = spare_core && is_spare();
        Piped::new(file, ahead)
    }

    fn new(file: File, reads_ahead: bool) -> io::Result<Piped> {
        let metadata = file.metadata()?;
        enlarge(&file);
        let file = Arc::new(file);
        let ahead = reads_ahead.then(|| ahead(&file)).flatten();
        Ok(Piped {
            stamp: metadata.is_file().then(|| Stamp::of(&metadata)),
            file,
            source: ahead.unwrap_or(Source::Here),
            chunk: Vec::new(),
            consumed: 0,
            received: 0,
            beginning: Vec::new(),
            has_ended: false,
        })
    }

    /// Returns the number of bytes of the whole stream, once it was read to its end.
    pub fn size(&self) -> Option<u64> {
        self.has_ended.then_some(self.received)
    }

    /// Returns the unconsumed bytes in memory: none before the first [`Piped::fill`] and at the
    /// end.
    pub fn unread(&self) -> &[u8] {
        self.chunk.get(self.consumed..).unwrap_or_default()
    }

    /// Marks the next `count` bytes as consumed.
    pub fn consume(&mut self, count: usize) {
        self.consumed += count;
    }

    /// Brings in the next bytes if none are left, and waits for their writer. If fewer than a block
    /// are unread afterwards, they are the last.
    ///
    /// # Errors
    /// Those of read(2). After one, there is no end: every later call fails, too.
    pub fn fill(&mut self) -> Result<(), ReadError> {
        if !self.unread().is_empty() || self.has_ended {
            return Ok(());
        }
        let used = std::mem::take(&mut self.chunk);
        self.consumed = 0;
        let chunk = self.next(used).inspect_err(|_| {
            // Fail closed: what follows an error is not the rest of the stream.
            self.source = Source::Failed;
        })?;
        self.has_ended = chunk.len() < CHUNK;
        self.received += chunk.len() as u64;
        let wanted = BEGINNING.saturating_sub(self.beginning.len());
        let beginning = chunk.get(..wanted.min(chunk.len())).unwrap_or_default();
        self.beginning.extend_from_slice(beginning);
        self.chunk = chunk;
        Ok(())
    }

    fn next(&mut self, used: Vec<u8>) -> io::Result<Vec<u8>> {
        match &self.source {
            Source::Here => chunk(&self.file, used),
            Source::Ahead(buffers, chunks) => {
                // At the end of the stream, buffers are no longer taken.
                let _ = buffers.try_send(used);
                // Fail closed: a thread that has died read nothing.
                chunks.recv().unwrap_or_else(|_| Err(vanished()))
            }
            Source::Failed => Err(vanished()),
        }
    }

    /// Reports whether what was read is a pipe, which has no other content, or a regular file that
    /// did not change meanwhile.
    pub fn is_unchanged(&self) -> bool {
        let now = || self.file.metadata().map(|metadata| Stamp::of(&metadata));
        self.stamp
            .is_none_or(|stamp| now().is_ok_and(|now| now == stamp))
    }

    /// Returns at most the first `most` bytes of those that were read, and at most 64 KiB.
    pub fn beginning(&self, most: usize) -> Vec<u8> {
        self.beginning.iter().take(most).copied().collect()
    }
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Has a pipe hold more. If the system refuses, or this is none, reading is slower but equally
/// correct.
#[cfg(target_os = "linux")]
fn enlarge(file: &File) {
    use rustix::pipe::{fcntl_getpipe_size, fcntl_setpipe_size};
    if fcntl_getpipe_size(file).is_ok_and(|size| size < PIPE) {
        let _ = fcntl_setpipe_size(file, PIPE);
    }
}

#[cfg(not(target_os = "linux"))]
fn enlarge(_file: &File) {}

/// Starts a thread that reads one chunk ahead; `None` if the system refuses one.
fn ahead(file: &Arc<File>) -> Option<Source> {
    let (give, buffers) = sync_channel(2);
    let (loaded, chunks) = sync_channel(1);
    let file = Arc::clone(file);
    let bring_in = move || {
        loop {
            let read = chunk(&file, buffers.try_recv().unwrap_or_default());
            let is_last = read.as_ref().map_or(true, |chunk| chunk.len() < CHUNK);
            // Without a receiver the stream was abandoned.
            if loaded.send(read).is_err() || is_last {
                return;
            }
        }
    };
    let builder = thread::Builder::new().name("read-ahead".to_owned());
    builder.stack_size(STACK).spawn(bring_in).ok()?;
    Some(Source::Ahead(give, chunks))
}

/// Reads a whole chunk, or all that is left.
fn chunk(mut file: &File, mut buffer: Vec<u8>) -> io::Result<Vec<u8>> {
    let more = CHUNK.saturating_sub(buffer.len());
    // Fail this stream instead of aborting the process.
    buffer
        .try_reserve_exact(more)
        .map_err(|_| io::Error::from(Errno::NOMEM))?;
    buffer.resize(CHUNK, 0);
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Another process that shares the pipe made it so.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait_for(file)?,
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(filled);
    Ok(buffer)
}

/// Waits until there is something to read, or the end.
fn wait_for(file: &File) -> io::Result<()> {
    match poll(
        &mut [PollFd::from_borrowed_fd(file.as_fd(), PollFlags::IN)],
        None,
    ) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn vanished() -> io::Error {
    io::Error::other("the thread that reads standard input ended")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::OwnedFd;

    const BLOCK: usize = 64;

    fn pipe() -> (File, File) {
        let (reader, writer) = io::pipe().unwrap();
        (OwnedFd::from(reader).into(), OwnedFd::from(writer).into())
    }

    fn message(length: usize) -> Vec<u8> {
        (0..length).map(|n| (n * 31 + n / 251) as u8).collect()
    }

    /// Reads to the end, as hashing does.
    fn all_of(piped: &mut Piped) -> Result<Vec<u8>, ReadError> {
        let mut all = Vec::new();
        loop {
            piped.fill()?;
            let unread = piped.unread();
            let is_end = unread.len() < BLOCK;
            let count = if is_end {
                unread.len()
            } else {
                unread.len() / BLOCK * BLOCK
            };
            all.extend_from_slice(&unread[..count]);
            piped.consume(count);
            if is_end {
                piped.fill()?;
                assert!(piped.unread().is_empty());
                return Ok(all);
            }
        }
    }

    #[test]
    fn a_stream_of_any_length_is_read_whole_in_whatever_pieces_it_comes() {
        for spare_core in [false, true] {
            for length in [0, 1, 63, 64, 65, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7] {
                for piece in [1000, 70_000, usize::MAX] {
                    let (reader, mut writer) = pipe();
                    let whole = message(length);
                    let sent = whole.clone();
                    let write = thread::spawn(move || {
                        let pieces = sent.chunks(piece.min(sent.len().max(1)));
                        pieces.for_each(|piece| writer.write_all(piece).unwrap());
                    });
                    let mut piped = Piped::new(reader, spare_core).unwrap();
                    assert_eq!(piped.size(), None);
                    assert!(all_of(&mut piped).unwrap() == whole, "{length}, {piece}");
                    write.join().unwrap();
                    assert_eq!(piped.size(), Some(length as u64));
                    assert_eq!(piped.beginning(10), whole[..length.min(10)]);
                    assert!(piped.beginning(usize::MAX) == whole[..length.min(BEGINNING)]);
                    assert!(piped.is_unchanged());
                }
            }
        }
    }

    #[test]
    fn a_pipe_that_does_not_block_is_waited_for() {
        let (reader, mut writer) = pipe();
        rustix::io::ioctl_fionbio(&reader, true).unwrap();
        let (go_on, wait) = sync_channel(0);
        let write = thread::spawn(move || {
            wait.recv().unwrap();
            writer.write_all(b"alpha").unwrap();
        });
        let mut piped = Piped::new(reader, true).unwrap();
        go_on.send(()).unwrap();
        assert_eq!(all_of(&mut piped).unwrap(), b"alpha");
        write.join().unwrap();
    }

    #[test]
    fn a_regular_file_is_read_from_where_it_stands_and_fails_if_it_changes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x");
        std::fs::write(&path, "alphabet").unwrap();
        let mut file = File::open(&path).unwrap();
        file.read_exact(&mut [0; 5]).unwrap();
        let mut piped = Piped::new(file, false).unwrap();
        assert_eq!(all_of(&mut piped).unwrap(), b"bet");
        assert!(piped.is_unchanged());
        std::fs::write(&path, "alphabets").unwrap();
        assert!(!piped.is_unchanged());
    }

    #[test]
    fn after_an_error_there_is_no_end() {
        let directory = tempfile::tempdir().unwrap();
        for spare_core in [false, true] {
            // read(2) of a directory fails.
            let file = File::open(directory.path()).unwrap();
            let mut piped = Piped::new(file, spare_core).unwrap();
            for _ in 0..3 {
                assert!(piped.fill().is_err());
                assert_eq!((piped.unread(), piped.size()), (&b""[..], None));
            }
        }
    }
}
