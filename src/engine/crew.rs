//! The worker threads: as many as the system allows, started before the pool that they join.
//!
//! A rayon pool fails to build if one of its threads cannot start; threads that already run cannot
//! fail to start.

use std::hint::black_box;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;

use memmap2::MmapMut;
use rayon::{ThreadBuilder, ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use rustix::io::Errno;

use super::shape::{STACK, Shape};
use crate::limits;

/// Memory per thread besides its stack: a guard page, thread-local variables, a signal stack, and
/// the heap's growth at one time.
const BESIDE_STACK: usize = 256 * 1024;

/// Threads that wait to become workers. They end when this is dropped.
#[derive(Debug, Default)]
pub(super) struct Crew {
    waiting: Vec<SyncSender<ThreadBuilder>>,
    /// Why no more threads started, if more were wanted.
    pub(super) spawn_error: Option<io::Error>,
}

impl Crew {
    /// Starts the threads, or as many of them as the system allows.
    pub(super) fn start(shape: &Shape) -> Crew {
        let mut crew = Crew::default();
        let mut ballast = shape.memory.and_then(|_| Ballast::take(shape).ok());
        for _ in 0..shape.workers {
            if let Some(ballast) = &mut ballast {
                ballast.stacks.pop();
            }
            match start(shape.memory.is_some()) {
                Ok(hand) => crew.waiting.push(hand),
                Err(error) => {
                    crew.spawn_error = Some(error);
                    break;
                }
            }
        }
        crew
    }

    pub(super) fn size(&self) -> usize {
        self.waiting.len()
    }

    /// Turns the threads into a pool; there must be at least one.
    pub(super) fn into_pool(self) -> Result<ThreadPool, ThreadPoolBuildError> {
        let mut waiting = self.waiting;
        let lost = || io::Error::other("a thread that was started has ended");
        ThreadPoolBuilder::new()
            .num_threads(waiting.len())
            // Otherwise a panic would end the process. The panic hook has reported it, and the
            // receiver fails the work left undone.
            .panic_handler(|_| {})
            .spawn_handler(move |thread| {
                let hand = waiting.pop().ok_or_else(lost)?;
                hand.send(thread).map_err(|_| lost())
            })
            .build()
    }
}

/// Starts a thread that waits for its place in the pool; if memory is short, returns once the
/// thread has the memory that it needs.
fn start(memory_is_short: bool) -> io::Result<SyncSender<ThreadBuilder>> {
    // A thread that has memory for only its stack ends the process: std panics before running it.
    if memory_is_short && !limits::has_room((STACK + BESIDE_STACK) as u64) {
        return Err(Errno::NOMEM.into());
    }
    let (hand, place) = sync_channel(1);
    let (ready, is_ready) = channel();
    let wait = move || {
        // A thread's first allocation may map a 64 MiB arena (glibc).
        drop(black_box(Vec::<u8>::with_capacity(64)));
        let _ = ready.send(());
        run(&place);
    };
    let builder = thread::Builder::new().name("verify".to_owned());
    builder.stack_size(STACK).spawn(wait)?;
    if memory_is_short {
        // No answer means that the thread has ended; using its place will report that.
        let _ = is_ready.recv();
    }
    Ok(hand)
}

fn run(place: &Receiver<ThreadBuilder>) {
    // The channel is closed if the run ended before it began.
    if let Ok(thread) = place.recv() {
        thread.run();
    }
}

/// Memory kept from glibc's arenas until the threads exist: the arenas would take all of it in
/// pieces of 64 MiB.
///
/// Mapped rather than allocated: freed allocations would stay with the heap.
struct Ballast {
    stacks: Vec<MmapMut>,
    _windows: MmapMut,
}

impl Ballast {
    fn take(shape: &Shape) -> io::Result<Ballast> {
        let all = shape.memory.unwrap_or_default();
        let stacks = shape.workers * (STACK + BESIDE_STACK);
        let windows = usize::try_from(all)
            .unwrap_or(usize::MAX)
            .saturating_sub(stacks);
        let stacks = (0..shape.workers).map(|_| MmapMut::map_anon(STACK + BESIDE_STACK));
        Ok(Ballast {
            stacks: stacks.collect::<Result<_, _>>()?,
            _windows: MmapMut::map_anon(windows.max(1))?,
        })
    }
}
