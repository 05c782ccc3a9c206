//! The workers on a rayon pool, and the one receiver of their results.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rayon::ThreadPoolBuilder;
use thiserror::Error;

use super::board::{Board, Turn};
use super::counters::Counters;
use super::hashing::{self, Context, Hashing, Placed};
use super::order::InOrder;
use super::plan::{Job, Load, Plan};
use super::{Cancel, Settings, Sink, Task, Work};
use crate::device::Access;
use crate::digest::Hasher;
use crate::digest::choice::{self, Choice};
use crate::trust::verdict::Record;

/// How often the receiver looks up from waiting, to see whether the run was cancelled.
const GLANCE: Duration = Duration::from_millis(20);
/// How long a cancelled run waits for its workers. One that is stuck in a read (a dead network share) is left behind.
const GRACE: Duration = Duration::from_millis(30);
/// With fewer bytes to hash than this, measuring the ways to do that takes longer than it can save.
const WORTH_MEASURING: u64 = 128 * 1024 * 1024;
/// With fewer bytes to hash than this, and no more than [`FEW`] files, the work is done before a thread would have started.
const WORTH_THREADS: u64 = 1024 * 1024;
/// See [`WORTH_THREADS`]: a signature takes about a tenth of a millisecond.
const FEW: usize = 4;
/// How long a worker keeps results to itself before it wakes the receiver for them.
const COLLECT: Duration = Duration::from_millis(5);

/// The workers could not be started.
#[derive(Debug, Error)]
#[error("cannot start {threads} worker threads: {source}; try a smaller --jobs")]
pub struct PoolError {
    threads: usize,
    source: rayon::ThreadPoolBuildError,
}

/// A run that is planned and has not begun.
#[derive(Debug)]
pub struct Prepared {
    works: usize,
    known: Vec<Placed>,
    tasks: Vec<(usize, Task)>,
    plan: Plan,
    settings: Settings,
    threads: usize,
    choice: Choice,
    total: u64,
    jobs: usize,
}

/// The results that a worker keeps to itself, where the receiver finds them when the worker is stuck in a read.
type Kept = Mutex<Vec<Placed>>;

/// What all workers share.
struct Shared {
    tasks: Vec<(usize, Task)>,
    settings: Settings,
    hasher: Hasher,
    counters: Arc<Counters>,
    cancel: Cancel,
    board: Board,
    workers: usize,
    /// Of each worker.
    kept: Arc<[Kept]>,
}

/// Plans the work: which file is read when, by how many threads, and how it is hashed. `access` says on which devices
/// few files may be read at once.
pub fn prepare(works: Vec<Work>, settings: Settings, access: &BTreeMap<u64, Access>) -> Prepared {
    let count = works.len();
    let (known, tasks) = split(works);
    let loads: Vec<Load> = tasks.iter().map(|(_, task)| task.load).collect();
    let plan = Plan::new(&loads, access);
    // Three sparse files of the greatest size have more bytes than the number holds.
    let total = plan
        .waiting()
        .fold(0_u64, |sum, job| sum.saturating_add(job.size));
    let jobs = plan.waiting().count();
    let threads = plan.useful_threads(settings.threads).max(1);
    let choice = match settings.hasher {
        Some(hasher) => Choice::unmeasured(hasher),
        None if total < WORTH_MEASURING => Choice::unmeasured(Hasher::likely()),
        None => choice::fastest(jobs.div_ceil(threads)),
    };
    Prepared {
        works: count,
        known,
        tasks,
        plan,
        settings,
        threads,
        choice,
        total,
        jobs,
    }
}

/// The records that are known already and the tasks, each with its place.
fn split(works: Vec<Work>) -> (Vec<Placed>, Vec<(usize, Task)>) {
    let (mut known, mut tasks) = (Vec::new(), Vec::new());
    for (at, work) in works.into_iter().enumerate() {
        match work {
            Work::Decided(record) => known.push((at, *record)),
            Work::Verify(task) => tasks.push((at, task)),
        }
    }
    (known, tasks)
}

impl Prepared {
    /// The worker threads that will be used.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// How SHA-256 will be computed, and why so.
    pub fn choice(&self) -> &Choice {
        &self.choice
    }

    /// Does the work and tells `sink` of each record.
    ///
    /// Ends early when `cancel` is set or `sink` breaks; after `cancel` the records that are known are still handed over.
    ///
    /// # Errors
    /// When the system has no threads to give. Nothing was read then.
    pub fn run(
        self,
        counters: Arc<Counters>,
        cancel: &Cancel,
        sink: &mut impl Sink,
    ) -> Result<(), PoolError> {
        counters.expect(self.works, self.total);
        let at_once = self.jobs <= FEW && self.total < WORTH_THREADS;
        let workers = if at_once { 1 } else { self.threads };
        let kept: Arc<[Kept]> = (0..workers).map(|_| Kept::default()).collect();
        let shared = Shared {
            tasks: self.tasks,
            settings: self.settings,
            hasher: self.choice.hasher,
            counters: Arc::clone(&counters),
            cancel: cancel.clone(),
            board: Board::new(self.plan, workers),
            workers,
            kept: Arc::clone(&kept),
        };
        let results = match at_once {
            true => here(&shared),
            false => on_pool(shared, self.threads)?,
        };
        let receiver = Receiving {
            order: InOrder::new(self.works),
            kept: &kept,
            counters: &counters,
            sink,
        };
        if receiver.receive(self.known, &results, cancel).is_break() {
            cancel.cancel();
        }
        Ok(())
    }
}

/// Does the work before anything is received.
fn here(shared: &Shared) -> Receiver<Vec<Placed>> {
    let (sender, receiver) = channel();
    work(0, shared, &sender);
    receiver
}

/// Starts the workers. They own what they use, so that the receiver can leave one behind that the system does not wake.
fn on_pool(shared: Shared, threads: usize) -> Result<Receiver<Vec<Placed>>, PoolError> {
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|n| format!("verify-{n}"))
        .build()
        .map_err(|source| PoolError { threads, source })?;
    let shared = Arc::new(shared);
    let (sender, receiver) = channel();
    for me in 0..threads {
        let (shared, sender) = (Arc::clone(&shared), sender.clone());
        pool.spawn(move || work(me, &shared, &sender));
    }
    Ok(receiver)
}

/// The one receiver of all records.
struct Receiving<'a, S> {
    order: InOrder<Record>,
    kept: &'a [Kept],
    counters: &'a Counters,
    sink: &'a mut S,
}

impl<S: Sink> Receiving<'_, S> {
    /// Tells the sink of the records that are known already and of those that come; breaks when the sink does. Whatever was decided
    /// until then is told in order, too, so that no count is of a record that nobody was told of.
    fn receive(
        mut self,
        known: Vec<Placed>,
        results: &Receiver<Vec<Placed>>,
        cancel: &Cancel,
    ) -> ControlFlow<()> {
        let told = self.take_all(known, results, cancel);
        // Nothing more will come. Of a run that was not cancelled, nothing is left.
        for record in self.order.take_rest() {
            // One that breaks has broken off before.
            let _ = self.sink.in_order(record);
        }
        self.sink.settled()?;
        told
    }

    fn take_all(
        &mut self,
        known: Vec<Placed>,
        results: &Receiver<Vec<Placed>>,
        cancel: &Cancel,
    ) -> ControlFlow<()> {
        self.take_in(known)?;
        let (mut deadline, mut looked) = (None, Instant::now());
        loop {
            let now = Instant::now();
            let is_over = cancel.is_cancelled() && now > *deadline.get_or_insert(now + GRACE);
            if is_over || now.duration_since(looked) >= GLANCE {
                looked = now;
                self.take_kept()?;
            }
            if is_over {
                return ControlFlow::Continue(());
            }
            match results.recv_timeout(GLANCE) {
                Ok(records) => self.take_in(records)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return ControlFlow::Continue(()),
            }
        }
    }

    /// Takes in what workers still keep. One that is stuck in a read would keep it for as long as that takes.
    fn take_kept(&mut self) -> ControlFlow<()> {
        let kept = self.kept;
        kept.iter()
            .map(taken)
            .try_for_each(|records| match records.is_empty() {
                true => ControlFlow::Continue(()),
                false => self.take_in(records),
            })
    }

    fn take_in(&mut self, records: Vec<Placed>) -> ControlFlow<()> {
        let mut told = ControlFlow::Continue(());
        for (at, record) in records {
            self.counters.decide(record.verdict.passes());
            if self.sink.decided(&record).is_break() {
                told = ControlFlow::Break(());
            }
            self.order.put(at, record);
        }
        told?;
        while let Some(record) = self.order.take_ready() {
            self.sink.in_order(record)?;
        }
        self.sink.settled()
    }
}

fn taken(kept: &Kept) -> Vec<Placed> {
    std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner))
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

/// Hashes and judges until nothing is left or the run is cancelled.
fn work(me: usize, shared: &Shared, results: &Sender<Vec<Placed>>) {
    let context = Context {
        tasks: &shared.tasks,
        settings: &shared.settings,
        counters: &shared.counters,
        workers: shared.workers,
        lanes: shared.hasher.lanes(),
    };
    let mut lanes: Vec<Hashing> = Vec::new();
    let mut outbox = Outbox {
        kept: &shared.kept[me],
        oldest: Instant::now(),
        results,
    };
    while !shared.cancel.is_cancelled() {
        if fill_lanes(me, shared, &context, &mut lanes, &mut outbox).is_break() {
            break;
        }
        for ended in hashing::step(shared.hasher, &mut lanes, &context) {
            shared.board.ended(ended.queue);
            outbox.put(ended.records);
        }
        outbox.hand_over_old();
        shared.board.share(&mut lanes);
    }
    outbox.hand_over();
}

/// Takes files until every lane is in use or none is to be had now; breaks when the work is over.
fn fill_lanes(
    me: usize,
    shared: &Shared,
    context: &Context<'_>,
    lanes: &mut Vec<Hashing>,
    outbox: &mut Outbox<'_>,
) -> ControlFlow<()> {
    while lanes.len() < shared.hasher.lanes() {
        match shared.board.turn(me, lanes, shared.counters.left()) {
            Turn::Begin(job) => begin(&job, shared, context, lanes, outbox),
            Turn::TakeOver(hashing) => lanes.push(*hashing),
            Turn::Continue => break,
            Turn::End => return ControlFlow::Break(()),
            // No result stays behind while there is nothing to do.
            Turn::Wait => {
                outbox.hand_over();
                shared.board.wait();
                break;
            }
        }
    }
    ControlFlow::Continue(())
}

fn begin(
    job: &Job,
    shared: &Shared,
    context: &Context<'_>,
    lanes: &mut Vec<Hashing>,
    outbox: &mut Outbox<'_>,
) {
    let (records, hashing) = hashing::open(job, context);
    outbox.put(records);
    match hashing {
        Some(hashing) => lanes.push(hashing),
        None => shared.board.ended(job.queue),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Claim;
    use super::super::plan::FileId;
    use super::*;
    use crate::content::Io;
    use crate::trust::verdict::Verdict;
    use std::path::PathBuf;

    #[derive(Default)]
    struct Verdicts {
        decided: usize,
        in_order: Vec<Verdict>,
    }

    impl Sink for Verdicts {
        fn decided(&mut self, _record: &Record) -> ControlFlow<()> {
            self.decided += 1;
            ControlFlow::Continue(())
        }

        fn in_order(&mut self, record: Record) -> ControlFlow<()> {
            self.in_order.push(record.verdict);
            ControlFlow::Continue(())
        }

        fn settled(&mut self) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
    }

    fn task(data: PathBuf, signature: PathBuf) -> Work {
        let file = FileId {
            device: 1,
            inode: 1,
        };
        Work::Verify(Task {
            data,
            parts: Vec::new(),
            link: None,
            claim: Claim::Signed(signature),
            load: Load { size: 5, file },
        })
    }

    #[test]
    fn a_name_that_cannot_be_opened_says_nothing_about_the_files_other_names() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("here"), "alpha").unwrap();
        std::fs::write(path("sig"), [0x30]).unwrap();
        let works = ["gone", "here", "away"].map(|name| task(path(name), path("sig")));
        let settings = Settings {
            keys: Vec::new(),
            io: Io::Auto,
            threads: 2,
            hasher: None,
        };
        let prepared = prepare(works.into(), settings, &BTreeMap::new());
        let counters = Arc::new(Counters::default());
        let mut verdicts = Verdicts::default();
        let done = prepared.run(Arc::clone(&counters), &Cancel::default(), &mut verdicts);
        assert!(done.is_ok());
        assert_eq!(verdicts.decided, 3);
        let verdicts = verdicts.in_order;
        assert_eq!(verdicts[0], Verdict::Missing);
        assert!(matches!(verdicts[1], Verdict::Invalid(_)));
        assert!(matches!(verdicts[2], Verdict::Invalid(_)));
        assert_eq!(counters.done(), counters.total());
        assert_eq!((counters.records(), counters.failures()), (3, 3));
    }
}
