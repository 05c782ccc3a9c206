//! A worker: hashes what the board gives it, and hands its results over.

use std::ops::ControlFlow;
use std::sync::PoisonError;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use super::board::Turn;
use super::hashing::{self, Context, Ended, Hashing, Placed};
use super::plan::{self, Job};
use super::pool::{Kept, Shared, taken};

/// How long a worker keeps results to itself before it wakes the receiver for them.
const COLLECT: Duration = Duration::from_millis(5);
/// How long a run goes by its plan alone, before small files are done in passing.
const PATIENCE: Duration = Duration::from_secs(1);
/// Part of a worker's time that goes to what is done in passing, from then on: enough for everything to be judged in the end,
/// and too little to be missed.
const PART_OF_ERRANDS: u32 = 64;
/// The time for which it pays to turn to something else.
const SHORTEST_ERRAND: Duration = Duration::from_millis(5);

/// One of the threads at work.
pub(super) struct Worker<'a> {
    me: usize,
    shared: &'a Shared,
    context: Context<'a>,
    lanes: Vec<Hashing>,
    /// A small file that is done in passing, while those in the lanes have no end; so nothing waits for ever, whatever size
    /// other files claim to have.
    errand: Option<Hashing>,
    started: Instant,
    /// When something was done in passing last.
    last_errand: Instant,
    outbox: Outbox<'a>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(me: usize, shared: &'a Shared, results: &'a Sender<Vec<Placed>>) -> Self {
        Worker {
            me,
            shared,
            context: Context {
                tasks: &shared.tasks,
                settings: &shared.settings,
                counters: &shared.counters,
                shape: shared.shape,
            },
            lanes: Vec::new(),
            errand: None,
            started: Instant::now(),
            last_errand: Instant::now(),
            outbox: Outbox {
                kept: &shared.kept[me],
                oldest: Instant::now(),
                results,
            },
        }
    }

    /// Hashes and judges until nothing is left or the run is cancelled.
    pub(super) fn work(mut self) {
        while self.turn().is_continue() {
            self.outbox.hand_over_old();
        }
        self.outbox.hand_over();
    }

    /// Goes one step further; breaks when the work is over.
    pub(super) fn turn(&mut self) -> ControlFlow<()> {
        if self.shared.cancel.is_cancelled() {
            return ControlFlow::Break(());
        }
        if self.lanes.is_empty() {
            self.lanes.extend(self.errand.take());
        }
        self.fill_lanes()?;
        self.run_errands();
        let ended = hashing::step(self.shared.hasher, &mut self.lanes, &self.context);
        self.put(ended);
        if self.shared.board.has_idle() {
            self.lanes.extend(self.errand.take());
            self.shared.board.share(&mut self.lanes);
        }
        ControlFlow::Continue(())
    }

    /// Takes files until every lane is in use or none is to be had now; breaks when the work is over.
    fn fill_lanes(&mut self) -> ControlFlow<()> {
        while self.lanes.len() < self.context.shape.lanes {
            let left = self.context.counters.left();
            match self.shared.board.turn(self.me, &self.lanes, left) {
                Turn::Begin(job) => {
                    let begun = self.begin(&job);
                    self.lanes.extend(begun);
                }
                Turn::TakeOver(hashing) => self.lanes.push(*hashing),
                Turn::Continue => break,
                Turn::End => return ControlFlow::Break(()),
                // No result stays behind while there is nothing to do.
                Turn::Wait => {
                    self.outbox.hand_over();
                    self.shared.board.wait();
                    break;
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Gives a part of the time to the smallest file that waits, in the plan or for a longer one here, once the run is a long one.
    fn run_errands(&mut self) {
        let began = Instant::now();
        if self.lanes.is_empty() || began.duration_since(self.started) < PATIENCE {
            self.last_errand = began;
            return;
        }
        let part = began.duration_since(self.last_errand) / PART_OF_ERRANDS;
        if part < SHORTEST_ERRAND {
            return;
        }
        while began.elapsed() < part && !self.shared.cancel.is_cancelled() {
            let is_stuck = hashing::in_use(&self.lanes, &self.context) < self.lanes.len();
            let stuck = self.lanes.last().filter(|_| is_stuck).map(Hashing::left);
            if self.errand.is_none() {
                let small = plan::small_beside(self.context.counters.hashed());
                let job = self
                    .shared
                    .board
                    .errand(stuck.unwrap_or(u64::MAX).min(small));
                self.errand = job.and_then(|job| self.begin(&job));
            }
            let errand = self.errand.as_ref().map(Hashing::left);
            match (errand, stuck) {
                (None, None) => break,
                (Some(errand), stuck) if stuck.is_none_or(|stuck| errand <= stuck) => {
                    self.errand = self.errand.take().and_then(|errand| self.step(errand));
                }
                _ => {
                    let stuck = self.lanes.pop();
                    let stuck = stuck.and_then(|stuck| self.step(stuck));
                    self.lanes.extend(stuck);
                }
            }
        }
        self.last_errand = Instant::now();
    }

    /// Takes one file a step further; it comes back unless it is at its end.
    fn step(&mut self, hashing: Hashing) -> Option<Hashing> {
        let mut lane = vec![hashing];
        let ended = hashing::step(self.shared.hasher, &mut lane, &self.context);
        self.put(ended);
        lane.pop()
    }

    fn begin(&mut self, job: &Job) -> Option<Hashing> {
        let (records, hashing) = hashing::open(job, &self.context);
        self.outbox.put(records);
        if hashing.is_none() {
            self.shared.board.ended(job.queue);
        }
        hashing
    }

    fn put(&mut self, all: Vec<Ended>) {
        for ended in all {
            self.shared.board.ended(ended.queue);
            self.outbox.put(ended.records);
        }
    }
}

/// Results on their way out, handed over a few at a time, so that small files do not wake the receiver one by one.
struct Outbox<'a> {
    kept: &'a Kept,
    oldest: Instant,
    results: &'a Sender<Vec<Placed>>,
}

impl Outbox<'_> {
    fn put(&mut self, records: impl IntoIterator<Item = Placed>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_empty() {
            self.oldest = Instant::now();
        }
        kept.extend(records);
    }

    fn hand_over_old(&mut self) {
        if self.oldest.elapsed() >= COLLECT {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        let records = taken(self.kept);
        if !records.is_empty() {
            // Nobody receives any more where the run has ended early; then nobody asks for these records.
            let _ = self.results.send(records);
        }
    }
}
