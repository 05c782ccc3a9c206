//! The belt between the thread that decodes a bundle and the worker that hashes it: two short
//! queues, of the file's bytes and of its members', and the two lanes that hash them.
//!
//! Whichever is free hashes: the worker takes both lanes side by side. The thread takes one when a
//! queue is full, so it never waits for a worker that is busy elsewhere, and two cores share the
//! work of one bundle evenly, regardless of their speeds.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::inner::{Inner, Job, Outer};
use super::packer::{Conveyor, Piece};
use super::{BundleError, Contents, Defect, Entry, Member};
use crate::content::ReadError;
use crate::digest::{Digests, Hasher, Wanted};

/// Maximum number of chunks, and of pieces, that wait: 2 MiB of each.
const MOST_WAITING: usize = 8;

/// Bytes of finished members, names and link targets included, that wait for the worker before the
/// thread waits as well.
const MOST_DONE: usize = 2 * 1024 * 1024;

/// Number of chunks or pieces down to which the thread hashes once a queue is full, so that the two
/// threads do not wait for each other at every chunk.
const ENOUGH_ROOM: usize = MOST_WAITING / 2;

/// Longest time for which a worker waits for bytes before it looks at its other files.
const PATIENCE: Duration = Duration::from_millis(10);

/// How a bundle ended.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Whether the file was read to its end.
    pub(super) read: Result<(), ReadError>,
    pub(super) contents: Result<Contents, Defect>,
}

#[derive(Debug)]
pub(super) struct Belt {
    hasher: Hasher,
    state: Mutex<State>,
    /// Signalled whenever the state changes.
    changed: Condvar,
    is_abandoned: AtomicBool,
}

#[derive(Debug)]
struct State {
    chunks: VecDeque<Arc<Vec<u8>>>,
    pieces: VecDeque<Piece>,
    /// The lanes, while no thread hashes in them.
    outer: Option<Outer>,
    inner: Option<Inner>,
    /// Buffers to be used again.
    spent: (Vec<Arc<Vec<u8>>>, Vec<Vec<u8>>),
    done: Vec<Member>,
    /// Bytes that those take.
    done_bytes: usize,
    /// Bytes of the file hashed since the worker last looked.
    hashed: u64,
    /// Whether the worker is hashing, or about to.
    has_worker: bool,
    /// Whether the thread waits for a lane.
    has_helper: bool,
    is_closed: bool,
    outcome: Option<Outcome>,
}

/// Who hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Worker,
    Helper,
}

impl Belt {
    pub(super) fn new(hasher: Hasher, wanted: Wanted) -> Belt {
        Belt {
            hasher,
            state: Mutex::new(State {
                chunks: VecDeque::new(),
                pieces: VecDeque::new(),
                outer: Some(Outer::new(hasher, wanted)),
                inner: Some(Inner::new(hasher)),
                spent: (Vec::new(), Vec::new()),
                done: Vec::new(),
                done_bytes: 0,
                hashed: 0,
                has_worker: false,
                has_helper: false,
                is_closed: false,
                outcome: None,
            }),
            changed: Condvar::new(),
            is_abandoned: AtomicBool::new(false),
        }
    }

    /// Ends the thread: its results are no longer awaited.
    pub(super) fn abandon(&self) {
        self.is_abandoned.store(true, Ordering::Relaxed);
        self.changed.notify_all();
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.is_abandoned.load(Ordering::Relaxed)
    }

    /// Adds a chunk of the file. Hashes while there is no room.
    pub(super) fn put_chunk(&self, chunk: Arc<Vec<u8>>) -> Result<(), BundleError> {
        let mut state = self.with_room(|state| state.chunks.len())?;
        state.chunks.push_back(chunk);
        let waiting = state.chunks.len();
        drop(state);
        self.wake_for(waiting);
        Ok(())
    }

    /// Returns an empty buffer for a chunk.
    pub(super) fn chunk_buffer(&self) -> Vec<u8> {
        let spent = self.lock().spent.0.pop();
        let mut buffer = spent.and_then(Arc::into_inner).unwrap_or_default();
        buffer.clear();
        buffer
    }

    /// Notes that nothing will be added.
    pub(super) fn close(&self, outcome: Outcome) {
        let mut state = self.lock();
        state.is_closed = true;
        state.outcome = Some(outcome);
        self.changed.notify_all();
    }

    /// Notes that the thread ended without an outcome.
    pub(super) fn close_early(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    /// Hashes at most about `most` bytes of the file and as much of its members, and hands over the
    /// members that are finished. Returns the number of the file's bytes that were hashed since the
    /// last call, and whether that was all.
    pub(super) fn advance(&self, most: u64, sink: &mut dyn FnMut(Member)) -> (u64, bool) {
        let mut state = self.lock();
        state.has_worker = true;
        let mut jobs = 0;
        // A job takes one chunk or one piece to its end.
        while state.hashed < most && jobs < most / super::packer::PIECE as u64 * 2 {
            if let Some(job) = state.take(Who::Worker) {
                jobs += 1;
                state = self.run(state, job);
            } else if state.is_over() {
                break;
            } else {
                let waited = self.changed.wait_timeout(state, PATIENCE);
                let timeout;
                (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                if timeout.timed_out() {
                    break;
                }
            }
        }
        state.has_worker = false;
        let members = std::mem::take(&mut state.done);
        state.done_bytes = 0;
        let result = (std::mem::take(&mut state.hashed), state.is_over());
        drop(state);
        self.changed.notify_all();
        members.into_iter().for_each(sink);
        result
    }

    /// Returns the digests of all chunks, and the outcome, once [`Belt::advance`] said that this is
    /// all.
    pub(super) fn end(&self) -> Option<(Digests, Outcome)> {
        let mut state = self.lock();
        let outcome = state.outcome.take()?;
        Some((state.outer.take()?.finish(), outcome))
    }

    /// Wakes a worker that waits, once that is worth it: a thread woken for every chunk spends its
    /// time with falling asleep. With fewer, it wakes by itself after a while.
    fn wake_for(&self, waiting: usize) {
        if waiting >= ENOUGH_ROOM {
            self.changed.notify_all();
        }
    }

    /// Waits until fewer than the maximum of one queue waits, and hashes meanwhile.
    fn with_room(
        &self,
        waiting: impl Fn(&State) -> usize,
    ) -> Result<MutexGuard<'_, State>, BundleError> {
        let mut state = self.lock();
        let mut most = MOST_WAITING;
        loop {
            if self.is_abandoned() {
                return Err(BundleError::Abandoned);
            }
            if waiting(&state) < most {
                state.has_helper = false;
                return Ok(state);
            }
            most = ENOUGH_ROOM;
            state.has_helper = state.done_bytes < MOST_DONE;
            let job = if state.has_helper {
                state.take(Who::Helper)
            } else {
                None
            };
            if let Some(job) = job {
                state = self.run(state, job);
            } else {
                let waited = self.changed.wait_timeout(state, PATIENCE);
                (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Hashes without holding the lock, which is released and taken again.
    fn run<'a>(&'a self, state: MutexGuard<'a, State>, mut job: Job) -> MutexGuard<'a, State> {
        drop(state);
        job.run(self.hasher);
        self.lock().put_back(job);
        // Without the lock, which the thread that wakes needs at once.
        self.changed.notify_all();
        self.lock()
    }

    /// Locks the state. If a thread panicked over it, a lane is missing, and there is no outcome.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes what there is to hash, if it is worth it.
    fn take(&mut self, who: Who) -> Option<Job> {
        if let Some(outer) = self.outer.as_mut().filter(|outer| outer.is_empty())
            && let Some(chunk) = self.chunks.pop_front()
        {
            outer.load(chunk);
        }
        if let Some(inner) = self.inner.as_mut().filter(|inner| inner.is_empty())
            && let Some(piece) = self.pieces.pop_front()
        {
            inner.load(piece);
        }
        let has_outer = self.outer.as_ref().is_some_and(|outer| !outer.is_empty());
        let has_inner = self.inner.as_ref().is_some_and(|inner| !inner.is_empty());
        let (outer, inner) = match (has_outer, has_inner) {
            (true, true) => self.divide(who),
            // Alone, a lane is slower than beside another: wait for it, unless that takes too long.
            (true, false) => (
                self.is_alone(self.inner.is_none(), self.chunks.len()),
                false,
            ),
            (false, true) => (
                false,
                self.is_alone(self.outer.is_none(), self.pieces.len()),
            ),
            (false, false) => (false, false),
        };
        (outer || inner).then(|| Job {
            outer: self.outer.take_if(|_| outer),
            inner: self.inner.take_if(|_| inner),
            hashed: 0,
            chunk: None,
            buffer: None,
        })
    }

    /// Decides which of two lanes with bytes to take.
    fn divide(&self, who: Who) -> (bool, bool) {
        match who {
            Who::Worker if self.has_helper => (true, false),
            Who::Worker => (true, true),
            Who::Helper if self.has_worker => (false, true),
            Who::Helper => (true, true),
        }
    }

    fn is_alone(&self, other_is_taken: bool, waiting: usize) -> bool {
        other_is_taken || self.is_closed || waiting >= ENOUGH_ROOM
    }

    fn put_back(&mut self, job: Job) {
        self.hashed += job.hashed;
        self.spent.0.extend(job.chunk);
        self.spent.1.extend(job.buffer);
        if let Some(outer) = job.outer {
            self.outer = Some(outer);
        }
        if let Some(mut inner) = job.inner {
            self.done_bytes += inner.done.iter().map(memory_of).sum::<usize>();
            self.done.append(&mut inner.done);
            self.inner = Some(inner);
        }
    }

    /// Reports whether everything is hashed, or can never be.
    fn is_over(&self) -> bool {
        let is_idle = |is_empty: Option<bool>| is_empty.unwrap_or(self.outcome.is_none());
        self.is_closed
            && self.chunks.is_empty()
            && self.pieces.is_empty()
            && is_idle(self.outer.as_ref().map(Outer::is_empty))
            && is_idle(self.inner.as_ref().map(Inner::is_empty))
    }
}

/// Returns how many bytes a member takes. Its text has a limit of its own.
fn memory_of(member: &Member) -> usize {
    let target = match &member.entry {
        Entry::Link { target } => target.len(),
        Entry::File { .. } => 0,
    };
    size_of::<Member>() + member.path.len() + target
}

/// The thread's end of the belt.
pub(super) struct Loading<'a>(pub(super) &'a Belt);

impl Conveyor for Loading<'_> {
    fn buffer(&mut self) -> Vec<u8> {
        self.0.lock().spent.1.pop().unwrap_or_default()
    }

    fn put(&mut self, piece: Piece) -> Result<(), BundleError> {
        let mut state = self.0.with_room(|state| state.pieces.len())?;
        state.pieces.push_back(piece);
        let waiting = state.pieces.len();
        drop(state);
        self.0.wake_for(waiting);
        Ok(())
    }
}
