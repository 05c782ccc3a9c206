//! The environment of a run's worker: the artifacts, the system's clock, and a channel for results
//! to the receiver.

use std::sync::mpsc::Sender;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::dispatcher::Dispatcher;
use super::judging;
use super::opened::{self, Ended, Opened, Placed};
use super::plan::{Job, Slot};
use super::pool::{Kept, Shared, taken};
use super::scheduler::Piece;
use super::worker::{Turned, Worker, Workshop};

/// Time for which a worker keeps results before it wakes the receiver.
const COLLECT: Duration = Duration::from_millis(5);

/// The files of a run.
pub(super) struct Files {
    shared: Arc<Shared>,
    /// Finished files whose records are not handed over yet. Empty between steps.
    ended: Vec<Ended>,
    batch: Batch,
}

/// A worker of a run. It owns its environment, so that it can be left behind in a read that never
/// returns.
pub(super) type FileWorker = Worker<Arc<Dispatcher<Opened>>, Files>;

/// Hashes and judges as worker `me` until nothing is left or the run is cancelled.
pub(super) fn work(me: usize, shared: Arc<Shared>, results: Sender<Vec<Placed>>) {
    let dispatcher = Arc::clone(&shared.dispatcher);
    let worker = worker(me, shared, results);
    take_turns(worker, &dispatcher, |files| &mut files.batch);
}

/// Takes a worker's turns to the end of its work, and hands over the results in its batch.
pub(super) fn take_turns<W: Workshop>(
    mut worker: Worker<Arc<Dispatcher<W::Piece>>, W>,
    dispatcher: &Dispatcher<W::Piece>,
    batch: impl Fn(&mut W) -> &mut Batch,
) {
    loop {
        match worker.turn() {
            Turned::On => batch(&mut worker.shop).hand_over_old(),
            Turned::Over => break,
            // Hand over every result before idling.
            Turned::Idle => {
                batch(&mut worker.shop).hand_over();
                dispatcher.wait();
            }
        }
    }
    batch(&mut worker.shop).hand_over();
}

/// Returns worker `me`, ready for its turns.
pub(super) fn worker(me: usize, shared: Arc<Shared>, results: Sender<Vec<Placed>>) -> FileWorker {
    let shape = (shared.shape.workers, shared.shape.lanes);
    let dispatcher = Arc::clone(&shared.dispatcher);
    let batch = Batch::new(me, &shared.kept, results);
    let files = Files {
        shared,
        ended: Vec::new(),
        batch,
    };
    Worker::new(me, shape, dispatcher, files)
}

impl Workshop for Files {
    type Piece = Opened;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn is_cancelled(&self) -> bool {
        self.shared.cancel.is_cancelled()
    }

    fn left(&self) -> u64 {
        self.shared.counters.left()
    }

    fn hashed(&self) -> u64 {
        self.shared.counters.hashed()
    }

    fn open(&mut self, job: &Job) -> Option<Opened> {
        let (records, opened) = opened::open(job, &self.shared.context());
        self.batch.put(records);
        opened
    }

    fn step(&mut self, lanes: &mut Vec<Opened>, in_use: usize, freed: &mut Vec<Slot>) {
        for queue in opened::request(lanes, in_use) {
            self.shared.dispatcher.requested(queue);
        }
        opened::step(lanes, in_use, &self.shared.context(), &mut self.ended);
        self.settle(freed);
    }

    fn note_panic(&mut self) {
        self.shared.counters.note_panic();
    }

    fn settle(&mut self, freed: &mut Vec<Slot>) {
        for ended in self.ended.drain(..) {
            freed.extend(ended.slot);
            self.batch.put(ended.records);
        }
    }

    fn fail_job(&mut self, job: &Job) {
        self.shared.counters.pass_over(job.size);
        self.fail(job.members.iter().copied());
    }

    fn fail_piece(&mut self, piece: &Opened) {
        self.shared.counters.pass_over(piece.left());
        self.fail(piece.positions());
    }
}

impl Files {
    fn fail(&mut self, positions: impl Iterator<Item = usize>) {
        let tasks = positions.filter_map(|position| self.shared.tasks.get(position));
        self.batch
            .put(tasks.map(|(place, task)| Placed::only(*place, judging::failed(task))));
    }
}

/// Results to be sent, a few at a time, so that small files do not wake the receiver one by one.
pub(super) struct Batch {
    me: usize,
    kept: Arc<[Kept]>,
    oldest: Instant,
    results: Sender<Vec<Placed>>,
}

impl Batch {
    pub(super) fn new(me: usize, kept: &Arc<[Kept]>, results: Sender<Vec<Placed>>) -> Batch {
        Batch {
            me,
            kept: Arc::clone(kept),
            oldest: Instant::now(),
            results,
        }
    }

    pub(super) fn put(&mut self, records: impl IntoIterator<Item = Placed>) {
        let mut kept = self.kept[self.me]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
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
        let records = taken(&self.kept[self.me]);
        if !records.is_empty() {
            // The receiver is gone if the run ended early; these records are not needed then.
            let _ = self.results.send(records);
        }
    }
}
