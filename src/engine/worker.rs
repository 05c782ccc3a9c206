//! A worker: the files in its lanes, those that it hands over, and those that it hashes in passing.
//! Generic over files and clock: [`super::workshop`] has those of a run, and the tests simulate
//! others.

use std::cmp::Reverse;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::dispatcher::Dispatcher;
use super::plan::{self, Job, Slot};
use super::scheduler::{self, Next, Piece};

/// Time for which a run follows only its plan, before small files are hashed in passing.
const PATIENCE: Duration = Duration::from_secs(1);
/// Divisor of a worker's time: the part spent on files in passing from then on. It is enough for
/// everything to be judged in the end, and too small to be noticed.
pub(super) const PART_OF_ERRANDS: u32 = 64;
/// Minimum time worth spending on files in passing.
const SHORTEST_ERRAND: Duration = Duration::from_millis(5);

/// The environment that a worker works in.
pub(super) trait Workshop {
    /// A file in a lane.
    type Piece: Piece;

    fn now(&self) -> Instant;

    fn is_cancelled(&self) -> bool;

    /// Returns the number of bytes left in the run.
    fn left(&self) -> u64;

    /// Returns the number of bytes that the run has hashed.
    fn hashed(&self) -> u64;

    /// Opens the file of a job; returns `None` if that ends it.
    fn open(&mut self, job: &Job) -> Option<Self::Piece>;

    /// Advances the first `in_use` lanes and removes finished files from them. Their slots go to
    /// `freed`.
    fn step(&mut self, lanes: &mut Vec<Self::Piece>, in_use: usize, freed: &mut Vec<Slot>);

    /// Counts a panic.
    fn note_panic(&mut self);

    /// Sends the results that a panicked step had already completed.
    fn settle(&mut self, freed: &mut Vec<Slot>);

    /// Fails a file whose opening panicked.
    fn fail_job(&mut self, job: &Job);

    /// Fails a file that was in a lane during a panic.
    fn fail_piece(&mut self, piece: &Self::Piece);
}

/// The outcome of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turned {
    /// The next turn may follow.
    On,
    /// There is nothing to do now; the next turn comes later.
    Idle,
    /// The work is over.
    Over,
}

/// One worker.
pub(super) struct Worker<D, W>
where
    D: Deref<Target = Dispatcher<W::Piece>>,
    W: Workshop,
{
    me: usize,
    dispatcher: D,
    /// Total number of workers.
    workers: usize,
    /// Number of files that it hashes in parallel.
    most_lanes: usize,
    pub(super) shop: W,
    pub(super) lanes: Vec<W::Piece>,
    /// At most one small file, hashed in passing while those in the lanes have no end, so that
    /// nothing waits forever, regardless of the size that other files claim.
    errand: Vec<W::Piece>,
    /// A lane that is advanced by itself. Empty between turns.
    parked: Vec<W::Piece>,
    /// The file being opened. `None` between turns.
    opening: Option<Job>,
    /// Queues of the plan to notify of an end. Empty between turns.
    freed: Vec<Slot>,
    started: Instant,
    /// When a file was last hashed in passing.
    last_errand: Instant,
}

impl<D, W> Worker<D, W>
where
    D: Deref<Target = Dispatcher<W::Piece>>,
    W: Workshop,
{
    pub(super) fn new(
        me: usize,
        (workers, most_lanes): (usize, usize),
        dispatcher: D,
        shop: W,
    ) -> Self {
        let now = shop.now();
        Worker {
            me,
            dispatcher,
            workers,
            most_lanes,
            shop,
            lanes: Vec::new(),
            errand: Vec::new(),
            parked: Vec::new(),
            opening: None,
            freed: Vec::new(),
            started: now,
            last_errand: now,
        }
    }

    /// Advances one step. A panic fails the files that this worker holds, and no others.
    pub(super) fn turn(&mut self) -> Turned {
        // Unwind safety: what a panic leaves half done is a file that this worker holds, and all of
        // those fail without being examined again. Shared state changes in whole steps, under locks
        // or in atomics.
        match catch_unwind(AssertUnwindSafe(|| self.unguarded_turn())) {
            Ok(turned) => turned,
            Err(_) => {
                self.shop.note_panic();
                // Without a file to fail, the same panic might recur forever.
                if self.fail_files() {
                    Turned::On
                } else {
                    Turned::Over
                }
            }
        }
    }

    fn unguarded_turn(&mut self) -> Turned {
        if self.shop.is_cancelled() {
            return Turned::Over;
        }
        if self.lanes.is_empty() {
            self.lanes.append(&mut self.errand);
        }
        let turned = self.fill_lanes();
        if turned != Turned::On {
            return turned;
        }
        self.run_errands();
        step(
            &mut self.lanes,
            &mut self.shop,
            self.workers,
            &mut self.freed,
        );
        self.free();
        if self.dispatcher.has_idle() {
            self.lanes.append(&mut self.errand);
            self.dispatcher.share(&mut self.lanes);
        }
        Turned::On
    }

    /// Takes files until every lane is in use or no file is available now.
    fn fill_lanes(&mut self) -> Turned {
        while self.lanes.len() < self.most_lanes && !self.lanes.iter().any(Piece::fills_lanes) {
            let left = self.shop.left();
            match self.dispatcher.next(self.me, &self.lanes, left) {
                Next::Begin(job) => {
                    let begun = self.open(job);
                    self.lanes.extend(begun);
                }
                Next::TakeOver(piece) => self.lanes.push(piece),
                Next::Continue => break,
                Next::End => return Turned::Over,
                Next::Wait => {
                    self.last_errand = self.shop.now();
                    return Turned::Idle;
                }
            }
        }
        Turned::On
    }

    /// Spends part of the time on the smallest waiting file, in the plan or behind a longer one
    /// here, once the run has lasted a while.
    fn run_errands(&mut self) {
        let began = self.shop.now();
        if self.lanes.is_empty() || began.duration_since(self.started) < PATIENCE {
            self.last_errand = began;
            return;
        }
        let part = began.duration_since(self.last_errand) / PART_OF_ERRANDS;
        if part < SHORTEST_ERRAND {
            return;
        }
        longest_first(&mut self.lanes);
        while self.shop.now().duration_since(began) < part && !self.shop.is_cancelled() {
            let stuck = self.stuck();
            self.begin_errand(stuck);
            let errand = self.errand.first().map(Piece::left);
            match (errand, stuck) {
                (None, None) => break,
                (Some(errand), stuck) if stuck.is_none_or(|stuck| errand <= stuck) => {
                    step(
                        &mut self.errand,
                        &mut self.shop,
                        self.workers,
                        &mut self.freed,
                    );
                }
                _ => {
                    self.parked.extend(self.lanes.pop());
                    step(
                        &mut self.parked,
                        &mut self.shop,
                        self.workers,
                        &mut self.freed,
                    );
                    self.lanes.append(&mut self.parked);
                }
            }
            self.free();
        }
        self.last_errand = self.shop.now();
    }

    /// Returns the bytes left of the smallest lane, if it waits for the longest.
    fn stuck(&self) -> Option<u64> {
        let in_use = scheduler::in_use(&self.lanes, self.shop.left(), self.workers);
        let waits = in_use < self.lanes.len();
        self.lanes.last().filter(|_| waits).map(Piece::left)
    }

    fn begin_errand(&mut self, stuck: Option<u64>) {
        if self.errand.is_empty() {
            let small = plan::small_beside(self.shop.hashed());
            let most = stuck.unwrap_or(u64::MAX).min(small);
            let begun = self.dispatcher.errand(most).and_then(|job| self.open(job));
            self.errand.extend(begun);
        }
    }

    fn open(&mut self, job: Job) -> Option<W::Piece> {
        let job = self.opening.insert(job);
        let piece = self.shop.open(job);
        if piece.is_none() {
            self.freed.extend(job.slot);
        }
        self.opening = None;
        self.free();
        piece
    }

    /// Notifies the plan of the files that have ended.
    fn free(&mut self) {
        for slot in self.freed.drain(..) {
            self.dispatcher.ended(slot);
        }
    }

    /// Fails every file that this worker held during a panic. Returns whether there was one.
    fn fail_files(&mut self) -> bool {
        self.shop.settle(&mut self.freed);
        let opening = self.opening.take();
        if let Some(job) = &opening {
            self.shop.fail_job(job);
            self.freed.extend(job.slot);
        }
        let mut pieces = std::mem::take(&mut self.lanes);
        pieces.append(&mut self.errand);
        pieces.append(&mut self.parked);
        for piece in &pieces {
            self.shop.fail_piece(piece);
            self.freed.extend(piece.slot());
        }
        self.free();
        opening.is_some() || !pieces.is_empty()
    }
}

/// A worker that leaves for any reason stops counting as present, and frees its places in the
/// queues.
impl<D, W> Drop for Worker<D, W>
where
    D: Deref<Target = Dispatcher<W::Piece>>,
    W: Workshop,
{
    fn drop(&mut self) {
        let pieces = self.lanes.iter().chain(&self.errand).chain(&self.parked);
        self.freed.extend(pieces.filter_map(Piece::slot));
        self.freed
            .extend(self.opening.iter().filter_map(|job| job.slot));
        self.free();
        self.dispatcher.leave(self.me);
    }
}

fn longest_first<P: Piece>(lanes: &mut [P]) {
    lanes.sort_by_key(|piece| Reverse(piece.left()));
}

fn step<W: Workshop>(
    lanes: &mut Vec<W::Piece>,
    shop: &mut W,
    workers: usize,
    freed: &mut Vec<Slot>,
) {
    longest_first(lanes);
    let in_use = scheduler::in_use(lanes, shop.left(), workers);
    shop.step(lanes, in_use, freed);
}
