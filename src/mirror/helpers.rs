//! Threads that help a survey: most of its time goes to questions to the file system, which answers
//! many at once.

use std::fmt;
use std::sync::OnceLock;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// Maximum number of helpers. More gain nothing: the kernel locks each directory.
const MOST: usize = 16;
/// Break-even: threads start while one thread looks into this many directories.
const WORTH_HELP: usize = 16;
/// Minimum number of pieces per thread between two times at which results are taken in: enough for
/// every thread to be busy.
const LEAST_PER_THREAD: usize = 16;
/// Maximum number of pieces of all threads between those times: few enough that not everything
/// exists twice.
const MOST_AT_ONCE: usize = 512;
/// The work that threads are woken for, if the pieces are that many: waking them, and waiting for
/// the last one, takes as long as looking into several small directories.
const WORTH_WAKING: Duration = Duration::from_millis(2);

/// Threads that help, started when there is enough to do.
pub struct Helpers {
    /// Maximum number of threads.
    most: usize,
    /// Reports whether several threads would be slower than one.
    is_slower: Box<dyn Fn() -> bool + Send + Sync>,
    /// `None` if there are none.
    threads: OnceLock<Option<Threads>>,
}

/// Threads that wait for work until they are dropped.
struct Threads {
    pool: Option<ThreadPool>,
    handles: Vec<JoinHandle<()>>,
}

impl Threads {
    /// Starts so many threads; returns `None` if the system starts fewer.
    fn start(count: usize) -> Option<Threads> {
        let mut handles = Vec::new();
        let builder = ThreadPoolBuilder::new().num_threads(count);
        let pool = builder.spawn_handler(|thread| {
            let builder = thread::Builder::new().name("look".to_owned());
            handles.push(builder.spawn(move || thread.run())?);
            Ok(())
        });
        let pool = pool.build().ok();
        let is_started = pool.is_some();
        let threads = Threads { pool, handles };
        is_started.then_some(threads)
    }
}

/// The threads have ended on return, so that they count against no limit of those that come later.
impl Drop for Threads {
    fn drop(&mut self) {
        self.pool = None;
        for handle in self.handles.drain(..) {
            // One that panicked has ended, too.
            let _ = handle.join();
        }
    }
}

impl Helpers {
    /// Returns no helpers: everything is done one after the other, on the current thread.
    pub fn none() -> Helpers {
        Helpers::new(1, || false)
    }

    /// Returns up to `threads` helpers, unless they turn out to be slower than one thread alone,
    /// which is asked at most once.
    pub fn new(threads: usize, is_slower: impl Fn() -> bool + Send + Sync + 'static) -> Helpers {
        Helpers {
            most: threads.min(MOST),
            is_slower: Box::new(is_slower),
            threads: OnceLock::new(),
        }
    }

    /// Does `work` on each piece, on several threads if that is worth it, and hands each result to
    /// `take` in the order of the pieces. Without helpers, each result is taken before the next
    /// piece is begun.
    ///
    /// # Errors
    /// The first that `take` returns.
    pub(super) fn each<T: Send, R: Send, E>(
        &self,
        pieces: Vec<T>,
        work: impl Fn(T) -> R + Sync,
        mut take: impl FnMut(R) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(pool) = self.pool(pieces.len()) else {
            return pieces.into_iter().try_for_each(|piece| take(work(piece)));
        };
        let mut pieces = pieces.into_iter();
        let least = LEAST_PER_THREAD * pool.current_num_threads();
        let mut at_once = least;
        loop {
            let now: Vec<T> = pieces.by_ref().take(at_once).collect();
            if now.is_empty() {
                return Ok(());
            }
            let woken = Instant::now();
            let results: Vec<R> = pool.install(|| now.into_par_iter().map(&work).collect());
            at_once = next_at_once(at_once, woken.elapsed()).max(least);
            results.into_iter().try_for_each(&mut take)?;
        }
    }

    /// Returns the threads, if they are worth starting for so many pieces.
    fn pool(&self, pieces: usize) -> Option<&ThreadPool> {
        if self.most < 2 || pieces < 2 || pieces < WORTH_HELP && self.threads.get().is_none() {
            return None;
        }
        // Where the system starts no more threads, the one that is here does everything.
        let start = || {
            let is_faster = !(self.is_slower)();
            is_faster.then(|| Threads::start(self.most)).flatten()
        };
        self.threads.get_or_init(start).as_ref()?.pool.as_ref()
    }
}

/// Returns the number of pieces that are worth waking threads for, where `at_once` pieces took this
/// long: at most twice as many, since the next ones may take longer.
fn next_at_once(at_once: usize, took: Duration) -> usize {
    let worth_it = at_once as u128 * WORTH_WAKING.as_nanos() / took.as_nanos().max(1);
    let most = MOST_AT_ONCE.min(2 * at_once);
    usize::try_from(worth_it).map_or(most, |worth_it| worth_it.min(most))
}

impl fmt::Debug for Helpers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Helpers").field("most", &self.most).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Returns the results in the order in which they are taken, and the most that were done and
    /// not taken yet.
    fn doubled(helpers: &Helpers, pieces: usize, each: Duration) -> (Vec<usize>, usize) {
        let (ahead, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let mut taken = Vec::new();
        let work = |piece| {
            thread::sleep(each);
            most.fetch_max(1 + ahead.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
            2 * piece
        };
        let done = helpers.each((0..pieces).collect(), work, |result| {
            ahead.fetch_sub(1, Ordering::SeqCst);
            taken.push(result);
            if result == 2000 { Err(()) } else { Ok(()) }
        });
        assert_eq!(done, if pieces > 1000 { Err(()) } else { Ok(()) });
        (taken, most.into_inner())
    }

    #[test]
    fn results_come_in_order_and_with_helpers_only_a_few_wait() {
        let (short, long) = (Duration::ZERO, WORTH_WAKING / LEAST_PER_THREAD as u32);
        for (helpers, each, waiting) in [
            (Helpers::none(), short, 1),
            (Helpers::new(4, || true), short, 1),
            (Helpers::new(4, || false), short, MOST_AT_ONCE),
            (Helpers::new(4, || false), long, 4 * LEAST_PER_THREAD),
        ] {
            for pieces in [0, 1, 15, 16, 1000, 5000] {
                let (taken, most) = doubled(&helpers, pieces, each);
                let expected: Vec<usize> = (0..pieces.min(1001)).map(|n| 2 * n).collect();
                assert_eq!(taken, expected);
                assert!(most <= waiting, "{most} of {pieces}");
            }
        }
    }

    #[test]
    fn threads_are_woken_for_more_pieces_the_shorter_these_are() {
        assert_eq!(next_at_once(64, WORTH_WAKING), 64);
        assert_eq!(next_at_once(64, WORTH_WAKING / 2), 128);
        assert_eq!(next_at_once(64, WORTH_WAKING / 100), 128);
        assert_eq!(next_at_once(64, WORTH_WAKING * 4), 16);
        assert_eq!(next_at_once(MOST_AT_ONCE, Duration::ZERO), MOST_AT_ONCE);
        assert_eq!(next_at_once(64, Duration::MAX), 0);
    }
}
