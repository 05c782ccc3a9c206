//! Plans the work, and runs the workers on a rayon pool.

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;

use super::crew::Crew;
use super::dispatcher::Dispatcher;
use super::opened::{Context, Opened, Placed};
use super::plan::Plan;
use super::running::{Running, Source};
use super::shape::{Allowed, Shape};
use super::workshop;
use super::{Settings, Task, Work};
use crate::device::Access;
use crate::digest::Hasher;
use crate::digest::choice::{self, Choice};
use crate::limits;
use crate::progress::Cancel;
use crate::progress::Counters;
use crate::text::os_error::words;

/// Break-even of measuring: with fewer bytes to hash, choosing an implementation costs more than it
/// saves.
const WORTH_MEASURING: u64 = 128 * 1024 * 1024;
/// Break-even of threads: with fewer bytes to hash and at most [`FEW`] files, one worker is done
/// before a second one would have started.
const WORTH_THREADS: u64 = 1024 * 1024;
/// Maximum number of files for one worker; see [`WORTH_THREADS`]. A signature takes about 0.1 ms.
const FEW: usize = 4;

/// Why the work cannot begin.
///
/// ```
/// use verify_signatures::PoolError;
///
/// let error = PoolError::Memory { records: 1_000_000 };
/// let words = "the limit on memory leaves too little to verify 1000000 artifacts";
/// assert_eq!(error.to_string(), words);
/// ```
#[derive(Debug, Error)]
pub enum PoolError {
    /// Fewer threads than the user asked for. Fewer would do the same work, but the user asked for
    /// an exact number.
    #[error("the system starts only {given} of {asked} threads: {}", words(source))]
    FewerThreads {
        /// Number of threads that were asked for.
        asked: usize,
        /// Number of threads available; the main thread counts if there is no other.
        given: usize,
        /// The system's reason for refusing another thread.
        source: io::Error,
    },
    /// There is not enough memory for a single worker.
    #[error("the limit on memory leaves too little to verify {records} artifacts")]
    Memory {
        /// Number of artifacts.
        records: usize,
    },
    /// The pool could not be built, although its threads had started.
    #[error("cannot start the worker threads: {0}")]
    Pool(#[from] rayon::ThreadPoolBuildError),
}

/// A planned run that has not begun.
#[derive(Debug)]
pub struct Prepared {
    works: usize,
    known: Vec<Placed>,
    tasks: Vec<(usize, Task)>,
    pub(super) plan: Plan,
    settings: Settings,
    pub(super) shape: Shape,
    crew: Crew,
    wanted: usize,
    choice: Choice,
    total: u64,
}

/// Why fewer threads are used than there is work for.
#[derive(Clone, Copy, Debug)]
pub enum WhyFewer<'a> {
    /// The system starts no thread: the main thread does the work.
    NoThread(&'a io::Error),
    /// The system starts no more threads.
    NoMore(&'a io::Error),
    /// The limits on memory or open files allow no more.
    Limits,
}

/// The results that a worker has not sent yet, where the receiver finds them if the worker is
/// blocked in a read.
pub(super) type Kept = Mutex<Vec<Placed>>;

/// What all workers share.
pub(super) struct Shared {
    pub(super) tasks: Vec<(usize, Task)>,
    pub(super) settings: Settings,
    pub(super) hasher: Hasher,
    pub(super) counters: Arc<Counters>,
    pub(super) cancel: Cancel,
    pub(super) dispatcher: Arc<Dispatcher<Opened>>,
    pub(super) shape: Shape,
    /// One entry per worker.
    pub(super) kept: Arc<[Kept]>,
}

impl Shared {
    pub(super) fn context(&self) -> Context<'_> {
        Context {
            tasks: &self.tasks,
            settings: &self.settings,
            counters: &self.counters,
            hasher: self.hasher,
            shape: self.shape,
        }
    }
}

/// Plans the work: when each file is read, by how many threads, and how it is hashed. `access`
/// defines which devices limit their readers. The threads exist on return, and wait.
///
/// # Errors
/// If the system lacks the resources for the work. Nothing has been read then.
pub fn prepare(
    works: Vec<Work>,
    settings: Settings,
    access: &BTreeMap<u64, Access>,
) -> Result<Prepared, PoolError> {
    let count = works.len();
    let (known, tasks) = split(works);
    let cost = |at: usize| tasks.get(at).map(|(_, task)| task.cost);
    let mut plan = Plan::of(tasks.len(), cost, access);
    // Saturating: three sparse files of the maximum size exceed a `u64`.
    let total = plan.sizes().fold(0_u64, u64::saturating_add);
    let jobs = plan.sizes().count();
    let useful = plan.useful_threads(settings.threads).max(1);
    let is_little = jobs <= FEW && total < WORTH_THREADS;
    let wanted = if is_little { 1 } else { useful };
    let choice = match settings.hasher {
        Some(hasher) => Choice::unmeasured(hasher),
        // How much comes out of a stream is not known.
        None if total < WORTH_MEASURING && !tasks.iter().any(|(_, task)| task.is_stream()) => {
            Choice::unmeasured(Hasher::promised())
        }
        None => choice::choose(jobs.div_ceil(wanted)),
    };
    let allowed = Allowed {
        files: limits::files_left(),
        memory: limits::memory_left(),
    };
    let mut shape = match jobs {
        0 => Some(Shape::of_one()),
        _ => Shape::within(allowed, wanted, choice.hasher.lanes(), count),
    }
    .ok_or(PoolError::Memory { records: count })?;
    let crew = start(&shape, jobs, &settings)?;
    shape.workers = crew.size().max(1);
    if shape.workers < wanted {
        plan.read_alone();
    }
    Ok(Prepared {
        works: count,
        known,
        tasks,
        plan,
        settings,
        shape,
        crew,
        wanted,
        choice,
        total,
    })
}

/// Starts the threads, if there is work for them.
fn start(shape: &Shape, jobs: usize, settings: &Settings) -> Result<Crew, PoolError> {
    if jobs == 0 {
        return Ok(Crew::default());
    }
    let mut crew = Crew::start(shape);
    let given = crew.size().max(1);
    // If memory is short, one thread more or less depends on a few bytes, and not on the user.
    let is_asked_for = settings.exact_threads && shape.memory.is_none();
    if given < shape.workers
        && is_asked_for
        && let Some(source) = crew.spawn_error.take()
    {
        let asked = settings.threads;
        return Err(PoolError::FewerThreads {
            asked,
            given,
            source,
        });
    }
    Ok(crew)
}

/// Splits the works into decided records and tasks, each with its index.
fn split(works: Vec<Work>) -> (Vec<Placed>, Vec<(usize, Task)>) {
    let is_task = |work: &&Work| matches!(work, Work::Verify(_));
    let mut known = Vec::new();
    // At once: a list that grows needs the memory of two.
    let mut tasks = Vec::with_capacity(works.iter().filter(is_task).count());
    limits::consume(works, |at, work| match work {
        Work::Decided(record) => known.push(Placed::only(at, record)),
        Work::Verify(task) => tasks.push((at, task)),
    });
    known.reverse();
    tasks.reverse();
    (known, tasks)
}

impl Prepared {
    /// Returns the number of worker threads to be used.
    pub fn threads(&self) -> usize {
        self.shape.workers
    }

    /// Returns the number of threads that there is work for.
    pub fn useful_threads(&self) -> usize {
        self.wanted
    }

    /// Returns why fewer threads are used than there is work for, if so.
    pub fn why_fewer_threads(&self) -> Option<WhyFewer<'_>> {
        match &self.crew.spawn_error {
            Some(error) if self.crew.size() == 0 => Some(WhyFewer::NoThread(error)),
            Some(error) => Some(WhyFewer::NoMore(error)),
            None if self.shape.workers < self.wanted => Some(WhyFewer::Limits),
            None => None,
        }
    }

    /// Returns the choice of the SHA-256 implementation, with its reason.
    pub fn choice(&self) -> &Choice {
        &self.choice
    }

    /// Begins the work.
    ///
    /// A worker's panic fails the files that it held, and no others; `counters` count it.
    ///
    /// # Errors
    /// If the threads cannot form a pool. Nothing has been read then.
    pub(crate) fn begin(
        self,
        counters: Arc<Counters>,
        cancel: Cancel,
    ) -> Result<Running, PoolError> {
        let works = self.works;
        let (shared, known, crew) = self.share(counters, cancel);
        let source = if crew.size() == 0 {
            Source::here(&shared)
        } else {
            Source::Pool(on_pool(&shared, crew, workshop::work)?)
        };
        Ok(Running::new(works, known, shared, source))
    }

    /// Returns the workers' shared state, the records decided without them, and the threads.
    pub(super) fn share(
        self,
        counters: Arc<Counters>,
        cancel: Cancel,
    ) -> (Arc<Shared>, Vec<Placed>, Crew) {
        counters.expect(self.works, self.total);
        let workers = self.shape.workers;
        let stop_at = self.settings.stop_at;
        let shared = Shared {
            tasks: self.tasks,
            settings: self.settings,
            hasher: self.choice.hasher,
            counters,
            cancel,
            dispatcher: Arc::new(Dispatcher::new(self.plan, workers, stop_at)),
            shape: self.shape,
            kept: (0..workers).map(|_| Kept::default()).collect(),
        };
        (Arc::new(shared), self.known, self.crew)
    }
}

/// Starts the workers, each of which does `work`, and returns what they send.
pub(super) fn on_pool(
    shared: &Arc<Shared>,
    crew: Crew,
    work: impl Fn(usize, Arc<Shared>, Sender<Vec<Placed>>) + Clone + Send + 'static,
) -> Result<Receiver<Vec<Placed>>, PoolError> {
    let workers = crew.size();
    let pool = crew.into_pool()?;
    let (sender, receiver) = channel();
    for me in 0..workers {
        let (shared, sender, work) = (Arc::clone(shared), sender.clone(), work.clone());
        pool.spawn(move || work(me, shared, sender));
    }
    Ok(receiver)
}

pub(super) fn taken(kept: &Kept) -> Vec<Placed> {
    std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests {
    use super::super::faults::Moment;
    use super::super::fixtures::task;
    use super::*;
    use crate::trust::verdict::{INTERNAL_ERROR, Part, Verdict};

    /// Returns the verdicts of a run, in the order of its work.
    fn run(prepared: Prepared, counters: &Arc<Counters>) -> Vec<Verdict> {
        let running = prepared.begin(Arc::clone(counters), Cancel::default());
        let mut placed: Vec<Placed> = running.unwrap().collect();
        placed.sort_by_key(|placed| placed.place);
        placed
            .into_iter()
            .map(|placed| placed.record.verdict)
            .collect()
    }

    /// Returns the verdicts on these files, each with a signature that no key made, and the number
    /// of worker panics.
    fn verdicts(names: &[&str], threads: usize) -> (Vec<Verdict>, u64) {
        let directory = tempfile::tempdir().unwrap();
        // r and s are 1.
        let signature = [0x30, 6, 2, 1, 1, 2, 1, 1];
        std::fs::write(directory.path().join("sig"), signature).unwrap();
        let work = |(inode, name): (u64, &&str)| {
            let path = directory.path().join(name);
            std::fs::write(&path, [7; 1000]).unwrap();
            let mut task = task(path.into(), directory.path().join("sig").into());
            task.cost.file.inode = inode;
            task.cost.size = 1000;
            Work::Verify(task)
        };
        let works = (0..).zip(names).map(work).collect();
        let settings = Settings::new(Vec::new(), threads);
        let mut prepared = prepare(works, settings, &BTreeMap::new()).unwrap();
        if threads == 0 {
            prepared.crew = Crew::default();
        }
        let counters = Arc::new(Counters::default());
        let verdicts = run(prepared, &counters);
        assert_eq!(verdicts.len(), names.len());
        // The last bytes of a file, fewer than a block, are counted when it is judged.
        assert!(counters.total() - counters.done() < 64);
        assert_eq!(counters.decided(), names.len() as u64);
        (verdicts, counters.panics())
    }

    #[test]
    fn a_file_over_which_a_worker_panics_fails_and_the_others_are_judged() {
        let failed = Verdict::Unreadable {
            part: Part::Data,
            words: INTERNAL_ERROR.to_owned(),
        };
        for moment in Moment::ALL {
            let mut names = ["a"; 64];
            names[5] = moment.name();
            // Without a thread, the main thread does the work.
            for threads in [0, 1, 2, 8] {
                let (verdicts, panics) = verdicts(&names, threads);
                assert_eq!(
                    (&verdicts[5], panics),
                    (&failed, 1),
                    "{moment:?}, {threads}"
                );
                // Files in other lanes of the same worker fail with it.
                let others = verdicts.iter().filter(|verdict| **verdict != failed);
                let judged = others.filter(|verdict| matches!(verdict, Verdict::Invalid(_)));
                assert!(
                    judged.count() >= names.len() - 8,
                    "{moment:?}, {verdicts:?}"
                );
            }
        }
    }

    #[test]
    fn a_run_in_which_every_file_panics_comes_to_its_end() {
        let names = Moment::ALL.map(Moment::name);
        for threads in [0, 1, 2] {
            let (verdicts, panics) = verdicts(&names, threads);
            assert!(verdicts.iter().all(|verdict| !verdict.passes()));
            assert!(panics > 0);
        }
    }

    #[test]
    fn a_name_that_cannot_be_opened_does_not_affect_the_files_other_names() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("here"), "alpha").unwrap();
        std::fs::write(path("sig"), [0x30]).unwrap();
        let works = ["gone", "here", "away"]
            .map(|name| Work::Verify(task(path(name).into(), path("sig").into())));
        let settings = Settings::new(Vec::new(), 2);
        let prepared = prepare(works.into(), settings, &BTreeMap::new()).unwrap();
        let counters = Arc::new(Counters::default());
        let verdicts = run(prepared, &counters);
        assert_eq!(verdicts.len(), 3);
        assert_eq!(verdicts[0], Verdict::Missing);
        assert!(matches!(verdicts[1], Verdict::Invalid(_)));
        assert!(matches!(verdicts[2], Verdict::Invalid(_)));
        assert_eq!(counters.done(), counters.total());
        assert_eq!((counters.records(), counters.failures()), (3, 3));
    }
}
