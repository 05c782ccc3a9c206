//! The workers: a rayon pool that takes jobs from the plan, and the one receiver of their results.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use rayon::ThreadPoolBuilder;
use thiserror::Error;

use super::order::InOrder;
use super::plan::{self, Job, Load};
use super::verify::{self, Context};
use super::{Cancel, Counters, Settings, Task, Work};
use crate::trust::verdict::Record;

/// Results on their way to the receiver. Enough that no worker waits for a slow terminal line by line.
const IN_FLIGHT: usize = 1024;
/// How often the receiver looks up from waiting, to see whether the run was cancelled.
const GLANCE: Duration = Duration::from_millis(20);
/// How long a cancelled run waits for its workers. One that is stuck in a read (a dead network share) is left behind.
const GRACE: Duration = Duration::from_millis(60);

/// The workers could not be started.
#[derive(Debug, Error)]
#[error("cannot start {threads} worker threads: {source}; try a smaller --jobs")]
pub struct PoolError {
    threads: usize,
    source: rayon::ThreadPoolBuildError,
}

/// What all workers share.
struct Shared {
    tasks: Vec<(usize, Task)>,
    jobs: Vec<Job>,
    next: AtomicUsize,
    settings: Settings,
    counters: Arc<Counters>,
    cancel: Cancel,
}

/// A record, and the place of its work in the list.
type Placed = (usize, Record);

/// Does all the work and hands each record to `sink`, in the order of `works`, as soon as all before it are known.
///
/// Ends early when `cancel` is set or `sink` breaks; then the records that are known are handed over, still in order.
///
/// # Errors
/// When the system has no threads to give. Nothing was read then.
pub fn run(
    works: Vec<Work>,
    settings: Settings,
    counters: Arc<Counters>,
    cancel: &Cancel,
    mut sink: impl FnMut(Record) -> ControlFlow<()>,
) -> Result<(), PoolError> {
    let (slots, tasks) = split(works);
    let results = start(tasks, settings, counters, cancel)?;
    let mut order = InOrder::new(slots);
    let mut deliver = |order: &mut InOrder<Record>| {
        while let Some(record) = order.take_ready() {
            sink(record)?;
        }
        ControlFlow::Continue(())
    };
    let mut deadline = None;
    loop {
        if deliver(&mut order).is_break() {
            cancel.cancel();
            return Ok(());
        }
        if cancel.is_cancelled() && Instant::now() > *deadline.get_or_insert(Instant::now() + GRACE)
        {
            break;
        }
        match results.recv_timeout(GLANCE) {
            Ok((at, record)) => order.put(at, record),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    // Nothing more will come. Of a run that was not cancelled, nothing is left.
    let _ = order.take_rest().try_for_each(sink);
    Ok(())
}

/// The records that are known already, in their places, and the tasks with theirs.
fn split(works: Vec<Work>) -> (Vec<Option<Record>>, Vec<(usize, Task)>) {
    let mut slots = Vec::with_capacity(works.len());
    let mut tasks = Vec::new();
    for (at, work) in works.into_iter().enumerate() {
        match work {
            Work::Decided(record) => slots.push(Some(record)),
            Work::Verify(task) => {
                slots.push(None);
                tasks.push((at, task));
            }
        }
    }
    (slots, tasks)
}

fn start(
    tasks: Vec<(usize, Task)>,
    settings: Settings,
    counters: Arc<Counters>,
    cancel: &Cancel,
) -> Result<Receiver<Placed>, PoolError> {
    let loads: Vec<Load> = tasks.iter().map(|(_, task)| task.load).collect();
    let jobs = plan::plan(&loads);
    counters.set_total(jobs.iter().map(|job| job.size).sum());
    let threads = settings.threads.min(jobs.len()).max(1);
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|n| format!("verify-{n}"))
        .build()
        .map_err(|source| PoolError { threads, source })?;
    let shared = Arc::new(Shared {
        tasks,
        jobs,
        next: AtomicUsize::new(0),
        settings,
        counters,
        cancel: cancel.clone(),
    });
    let (sender, receiver) = sync_channel(IN_FLIGHT);
    // The workers own what they use, so that the receiver can leave one behind that the system does not wake.
    for _ in 0..threads {
        let (shared, sender) = (Arc::clone(&shared), sender.clone());
        pool.spawn(move || work(&shared, &sender));
    }
    Ok(receiver)
}

/// Takes jobs from the plan until none is left, the run is cancelled, or nobody receives any more.
fn work(shared: &Shared, results: &SyncSender<Placed>) {
    let context = Context {
        settings: &shared.settings,
        counters: &shared.counters,
        cancel: &shared.cancel,
    };
    while let Some(job) = shared.jobs.get(shared.next.fetch_add(1, Ordering::Relaxed)) {
        let members = job.members.iter().filter_map(|m| shared.tasks.get(*m));
        let (places, tasks): (Vec<usize>, Vec<&Task>) = members.map(|(at, t)| (at, t)).unzip();
        let Ok(records) = verify::job(&tasks, &context) else {
            return;
        };
        for placed in places.into_iter().zip(records) {
            if results.send(placed).is_err() {
                return;
            }
        }
    }
}
