//! What benches see of this room: a run whose files are times, and whose hashing is a wait. All
//! else is a real run's: plan, scheduler, workers on their pool, batches of records, receiver.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::dispatcher::Dispatcher;
use super::judging;
use super::opened::Placed;
use super::plan::{Cost, Job, Slot, Turn};
use super::pool::{self, Prepared, Shared};
use super::running::{Running, Source};
use super::scheduler::Piece;
use super::worker::{Worker, Workshop};
use super::workshop::{Batch, take_turns};
use super::{Bundle, Claim, PoolError, Settings, Task, Work};
use crate::device::Medium;
use crate::digest::Hasher;
use crate::files::FileId;
use crate::progress::{Cancel, Counters};

/// Bytes by which a step advances all lanes in use, as in a run. Here a byte takes a nanosecond.
const WINDOW: u64 = 8 * 1024 * 1024;
/// The device that limits its readers to one.
const LIMITED: u64 = 2;

/// A file: how long a worker takes to hash it.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// The time for which one worker hashes it.
    pub time: Duration,
    /// Whether it is on a device that limits its readers to one.
    pub is_limited: bool,
}

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The files.
    pub files: Vec<Load>,
    /// Number of worker threads.
    pub workers: usize,
    /// Number of files that each worker hashes in parallel.
    pub lanes: usize,
    /// Waits for as long as hashing takes.
    pub hash: fn(Duration),
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub struct Ran {
    /// From the list of files to workers that exist, with their plan.
    pub preparing: Duration,
    /// From there to the last record.
    pub makespan: Duration,
    /// Number of records that the receiver had.
    pub records: usize,
    /// Number of workers.
    pub workers: usize,
    /// Number of waits in place of hashing.
    pub steps: u64,
    /// The sum of the times for which they were to last.
    pub hashing: Duration,
    /// Number of questions to the scheduler what to do next.
    pub questions: u64,
    /// The sum of the times from each question to its answer, on all workers: it has the wait for
    /// the lock, and that for a processor.
    pub asking: Duration,
}

/// Simulates a run with real threads.
///
/// # Errors
/// If the threads cannot start.
pub fn run(scene: &Scene) -> Result<Ran, PoolError> {
    let (works, access) = (works(scene), [(LIMITED, Medium::Optical.access())]);
    let began = Instant::now();
    let mut prepared = pool::prepare(works, settings(scene), &BTreeMap::from(access))?;
    let workers = prepared.shape.workers;
    // The run's own dispatcher hands out files that are opened.
    let plan = std::mem::take(&mut prepared.plan);
    let dispatcher = Arc::new(Dispatcher::new(plan, workers, None));
    let tally = Arc::new(Tally::default());
    let preparing = began.elapsed();

    let began = Instant::now();
    let records = begin(prepared, scene, &dispatcher, &tally)?.count();
    Ok(Ran {
        preparing,
        makespan: began.elapsed(),
        records,
        workers,
        steps: tally.steps.load(Ordering::Relaxed),
        hashing: Duration::from_nanos(tally.hashing.load(Ordering::Relaxed)),
        questions: tally.questions.load(Ordering::Relaxed),
        asking: Duration::from_nanos(tally.asking.load(Ordering::Relaxed)),
    })
}

fn works(scene: &Scene) -> Vec<Work> {
    let work = |(inode, load): (u64, &Load)| {
        let name = format!("{inode}.iso");
        Work::Verify(Task {
            data: name.as_bytes().into(),
            parts: Arc::default(),
            link: None,
            claim: Claim::Signed(format!("{name}.sig.bin").as_bytes().into()),
            bundle: Bundle::No,
            cost: Cost {
                size: nanoseconds(load.time),
                file: FileId {
                    device: if load.is_limited { LIMITED } else { 1 },
                    inode,
                },
                name: None,
                turn: Turn::default(),
            },
            earlier: None,
            read_as_list: None,
        })
    };
    (0..).zip(&scene.files).map(work).collect()
}

fn settings(scene: &Scene) -> Settings {
    Settings {
        exact_threads: true,
        hasher: Some(Hasher::promised()),
        control_files: false,
        ..Settings::new(Vec::new(), scene.workers)
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn begin(
    prepared: Prepared,
    scene: &Scene,
    dispatcher: &Arc<Dispatcher<File>>,
    tally: &Arc<Tally>,
) -> Result<Running, PoolError> {
    let (shared, known, crew) = prepared.share(Arc::default(), Cancel::default());
    let shape = (shared.shape.workers, scene.lanes);
    let (dispatcher, tally, hash) = (Arc::clone(dispatcher), Arc::clone(tally), scene.hash);
    let results = pool::on_pool(&shared, crew, move |me, shared, results| {
        let files = Files {
            batch: Batch::new(me, &shared.kept, results),
            shared,
            tally: Arc::clone(&tally),
            hash,
            steps: 0,
            hashing: 0,
            asked: Cell::new(None),
            questions: Cell::new(0),
            asking: Cell::new(Duration::ZERO),
        };
        let worker = Worker::new(me, shape, Arc::clone(&dispatcher), files);
        take_turns(worker, &dispatcher, |files| &mut files.batch);
    })?;
    let works = scene.files.len();
    Ok(Running::new(works, known, shared, Source::Pool(results)))
}

/// What all workers did.
#[derive(Debug, Default)]
struct Tally {
    steps: AtomicU64,
    hashing: AtomicU64,
    questions: AtomicU64,
    asking: AtomicU64,
}

/// A file in a lane.
struct File {
    job: Job,
    left: u64,
}

impl Piece for File {
    fn left(&self) -> u64 {
        self.left
    }

    fn slot(&self) -> Option<Slot> {
        self.job.slot
    }
}

/// The environment of a worker.
struct Files {
    batch: Batch,
    shared: Arc<Shared>,
    tally: Arc<Tally>,
    hash: fn(Duration),
    steps: u64,
    /// In nanoseconds.
    hashing: u64,
    /// When the scheduler was asked, until it answered: a worker looks at what is left before each
    /// question, and does one of the following after it.
    asked: Cell<Option<Instant>>,
    questions: Cell<u64>,
    asking: Cell<Duration>,
}

impl Files {
    fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    fn answered(&self) {
        if let Some(asked) = self.asked.take() {
            self.questions.set(self.questions.get() + 1);
            self.asking.set(self.asking.get() + asked.elapsed());
        }
    }

    /// Puts a record into the batch: that of a failure, as there is no verdict without a file.
    fn judge(&mut self, job: &Job) {
        let tasks = job
            .members
            .iter()
            .filter_map(|at| self.shared.tasks.get(*at));
        self.batch
            .put(tasks.map(|(place, task)| Placed::only(*place, judging::failed(task))));
    }
}

impl Workshop for Files {
    type Piece = File;

    fn now(&self) -> Instant {
        self.answered();
        Instant::now()
    }

    fn is_cancelled(&self) -> bool {
        self.shared.cancel.is_cancelled()
    }

    fn left(&self) -> u64 {
        self.answered();
        self.asked.set(Some(Instant::now()));
        self.counters().left()
    }

    fn hashed(&self) -> u64 {
        self.counters().hashed()
    }

    fn open(&mut self, job: &Job) -> Option<File> {
        self.answered();
        Some(File {
            job: job.clone(),
            left: job.size,
        })
    }

    fn step(&mut self, lanes: &mut Vec<File>, mut in_use: usize, freed: &mut Vec<Slot>) {
        // That was no question.
        self.asked.set(None);
        for ended in lanes.extract_if(..in_use, |file| file.left == 0) {
            in_use -= 1;
            freed.extend(ended.job.slot);
            self.judge(&ended.job);
        }
        let used = lanes.get_mut(..in_use).unwrap_or_default();
        let shortest = used.iter().map(|file| file.left()).min().unwrap_or(0);
        let taken = shortest.min(WINDOW / in_use.max(1) as u64);
        used.iter_mut().for_each(|file| file.left -= taken);
        let all = taken * in_use as u64;
        if all > 0 {
            (self.hash)(Duration::from_nanos(all));
            self.steps += 1;
            self.hashing += all;
            self.counters().add_hashed(all);
        }
    }

    fn note_panic(&mut self) {
        self.counters().note_panic();
    }

    fn settle(&mut self, _freed: &mut Vec<Slot>) {}

    fn fail_job(&mut self, job: &Job) {
        self.counters().pass_over(job.size);
        self.judge(job);
    }

    fn fail_piece(&mut self, piece: &File) {
        self.counters().pass_over(piece.left);
        self.judge(&piece.job);
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let tally = &self.tally;
        tally.steps.fetch_add(self.steps, Ordering::Relaxed);
        tally.hashing.fetch_add(self.hashing, Ordering::Relaxed);
        tally
            .questions
            .fetch_add(self.questions.get(), Ordering::Relaxed);
        let asking = nanoseconds(self.asking.get());
        tally.asking.fetch_add(asking, Ordering::Relaxed);
    }
}
