//! A worker: which files it has in its lanes, which it gives away, and which it hashes in passing.
//! Over any kind of files and clock: [`super::workshop`] has those of a run, and the tests simulate
//! others.

use std::cmp::Reverse;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::dispatcher::Dispatcher;
use super::plan::{self, Job};
use super::scheduler::{self, Next, Piece};

/// Time for which a run goes by its plan alone, before small files are hashed in passing.
const PATIENCE: Duration = Duration::from_secs(1);
/// Part of a worker's time that goes to what is hashed in passing, from then on: enough for
/// everything to be judged in the end, and too little to be missed.
pub(super) const PART_OF_ERRANDS: u32 = 64;
/// Time for which it pays to turn to something else.
const SHORTEST_ERRAND: Duration = Duration::from_millis(5);

/// What a worker works with.
pub(super) trait Workshop {
    /// A file in a lane.
    type Piece: Piece;

    fn now(&self) -> Instant;

    fn is_cancelled(&self) -> bool;

    /// Bytes that are left in the run.
    fn left(&self) -> u64;

    /// Bytes that the run has hashed.
    fn hashed(&self) -> u64;

    /// Opens the file of a job; `None` where that ends it.
    fn open(&mut self, job: &Job) -> Option<Self::Piece>;

    /// Takes the first `in_use` of the lanes one step further, and those at their end out of them.
    /// Their queues go to `freed`.
    fn step(&mut self, lanes: &mut Vec<Self::Piece>, in_use: usize, freed: &mut Vec<usize>);

    /// Notes that there was a panic.
    fn note_panic(&mut self);

    /// Hands over what a step that panicked had brought to its end by then.
    fn settle(&mut self, freed: &mut Vec<usize>);

    /// Fails a file that a panic kept from being opened.
    fn fail_job(&mut self, job: &Job);

    /// Fails a file that was in a lane at a panic.
    fn fail_piece(&mut self, piece: &Self::Piece);
}

/// What came of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turned {
    /// The next turn may follow.
    On,
    /// There is nothing to do now. The next turn is for later.
    Idle,
    /// The work is over.
    Over,
}

/// One of those who work.
pub(super) struct Worker<D, W>
where
    D: Deref<Target = Dispatcher<W::Piece>>,
    W: Workshop,
{
    me: usize,
    dispatcher: D,
    /// How many workers there are.
    workers: usize,
    /// How many files it hashes side by side.
    most_lanes: usize,
    pub(super) shop: W,
    pub(super) lanes: Vec<W::Piece>,
    /// A small file that is hashed in passing, while those in the lanes have no end; so nothing
    /// waits for ever, whatever size other files claim to have. One at the most.
    errand: Vec<W::Piece>,
    /// A lane that is taken a step further by itself. Empty between turns.
    parked: Vec<W::Piece>,
    /// The file that is being opened. None between turns.
    opening: Option<Job>,
    /// Queues of the plan that are to be told of an end. Empty between turns.
    freed: Vec<usize>,
    started: Instant,
    /// When something was hashed in passing last.
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

    /// Goes one step further. A panic meanwhile costs the files that this worker has, and no
    /// others.
    pub(super) fn turn(&mut self) -> Turned {
        // Unwind safety: what a panic leaves half done is a file in this worker's hands, and all of
        // those fail without being looked at again. What is shared is changed in whole steps, under
        // locks or in atomics.
        match catch_unwind(AssertUnwindSafe(|| self.unguarded_turn())) {
            Ok(turned) => turned,
            Err(_) => {
                self.shop.note_panic();
                // Without a file to fail, the same might happen for ever.
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

    /// Takes files until every lane is in use or none is to be had now.
    fn fill_lanes(&mut self) -> Turned {
        while self.lanes.len() < self.most_lanes {
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

    /// Gives a part of the time to the smallest file that waits, in the plan or for a longer one
    /// here, once the run is a long one.
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

    /// What is left of the smallest of the lanes, if it waits for the longest.
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
            self.freed.extend(job.queue);
        }
        self.opening = None;
        self.free();
        piece
    }

    /// Tells that other files of these queues may be read.
    fn free(&mut self) {
        for queue in self.freed.drain(..) {
            self.dispatcher.ended(queue);
        }
    }

    /// Fails every file that was in this worker's hands at a panic. Returns whether there was one.
    fn fail_files(&mut self) -> bool {
        self.shop.settle(&mut self.freed);
        let opening = self.opening.take();
        if let Some(job) = &opening {
            self.shop.fail_job(job);
            self.freed.extend(job.queue);
        }
        let mut pieces = std::mem::take(&mut self.lanes);
        pieces.append(&mut self.errand);
        pieces.append(&mut self.parked);
        for piece in &pieces {
            self.shop.fail_piece(piece);
            self.freed.extend(piece.queue());
        }
        self.free();
        opening.is_some() || !pieces.is_empty()
    }
}

/// One that leaves, in whatever way, is waited for by nobody, and takes no place in a queue with
/// it.
impl<D, W> Drop for Worker<D, W>
where
    D: Deref<Target = Dispatcher<W::Piece>>,
    W: Workshop,
{
    fn drop(&mut self) {
        let pieces = self.lanes.iter().chain(&self.errand).chain(&self.parked);
        self.freed.extend(pieces.filter_map(Piece::queue));
        self.freed
            .extend(self.opening.iter().filter_map(|job| job.queue));
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
    freed: &mut Vec<usize>,
) {
    longest_first(lanes);
    let in_use = scheduler::in_use(lanes, shop.left(), workers);
    shop.step(lanes, in_use, freed);
}
