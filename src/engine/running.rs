//! A run in progress, and the one receiver of its results.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::judging;
use super::opened::Placed;
use super::pool::{Shared, taken};
use super::worker::Turned;
use super::workshop::{self, FileWorker};
use crate::files::SharedPath;
use crate::trust::verdict::Verdict;

/// Interval at which the receiver checks for cancellation.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Maximum time that a cancelled run waits for its workers. One that is blocked in a read (a dead
/// network share) is left behind.
const JOIN_TIMEOUT: Duration = Duration::from_millis(30);

/// The source of the results.
pub(super) enum Source {
    /// The workers of the pool.
    Pool(Receiver<Vec<Placed>>),
    /// The current thread, if the system allows no other.
    Here(Box<FileWorker>),
}

impl Source {
    /// Returns a worker without its own thread.
    pub(super) fn here(shared: &Arc<Shared>) -> Source {
        // The receiver reads what the worker keeps; nothing is received from the channel.
        let (sender, _) = channel();
        Source::Here(Box::new(workshop::worker(0, Arc::clone(shared), sender)))
    }
}

/// A run in progress: an iterator over its records as they are decided, each with the index of its
/// work. Those decided without reading come first. Dropping it before its end cancels the run.
pub(crate) struct Running {
    shared: Arc<Shared>,
    source: Source,
    /// The works whose records are still to come.
    awaited: Vec<bool>,
    ready: VecDeque<Placed>,
    /// When the kept results were last collected.
    looked: Instant,
    /// When a cancelled run stops waiting.
    deadline: Option<Instant>,
    is_over: bool,
}

impl Running {
    pub(super) fn new(
        works: usize,
        known: Vec<Placed>,
        shared: Arc<Shared>,
        source: Source,
    ) -> Running {
        let mut running = Running {
            shared,
            source,
            awaited: vec![true; works],
            ready: VecDeque::new(),
            looked: Instant::now(),
            deadline: None,
            is_over: false,
        };
        running.take_in(known);
        running
    }

    /// Returns the number of works.
    pub(crate) fn works(&self) -> usize {
        self.awaited.len()
    }

    /// Returns the artifacts whose records, or the last of whose records, were not taken yet.
    pub(crate) fn awaited(&self) -> impl Iterator<Item = &SharedPath> {
        let tasks = self.shared.tasks.iter();
        let awaited = tasks.filter(|(place, _)| self.awaited[*place]);
        // A run that ends at a failure takes no more of those that are at hand.
        let ready = self.ready.iter().filter(|placed| placed.is_last);
        let ready = ready.map(|placed| placed.record.path());
        awaited.map(|(_, task)| &task.data).chain(ready)
    }

    /// Returns the artifacts that were not begun since time ran out, each with its signature.
    pub(crate) fn left_out(&self) -> Vec<(SharedPath, Option<SharedPath>)> {
        let left_out = self.shared.dispatcher.left_out().into_iter();
        let tasks = left_out.filter_map(|at| Some(&self.shared.tasks.get(at)?.1));
        tasks
            .map(|task| (task.data.clone(), task.signature().cloned()))
            .collect()
    }

    /// Reports whether a record is at hand, so that asking for one does not block.
    pub(crate) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Waits until results are at hand or none will come.
    fn wait(&mut self) {
        while self.ready.is_empty() && !self.is_over {
            match &mut self.source {
                Source::Here(worker) => {
                    self.is_over = worker.turn() == Turned::Over;
                    self.take_kept();
                }
                Source::Pool(_) => self.receive(),
            }
            if self.is_over {
                self.fail_rest();
            }
        }
    }

    fn receive(&mut self) {
        let now = Instant::now();
        let is_cancelled = self.shared.cancel.is_cancelled();
        if is_cancelled && self.deadline.is_none() {
            self.deadline = Some(now + JOIN_TIMEOUT);
            self.shared.dispatcher.cancel();
        }
        self.is_over = self.deadline.is_some_and(|deadline| now > deadline);
        if self.is_over {
            // What was decided is reported, even if it was decided faster than it was taken.
            self.take_sent();
        }
        if self.is_over || now.duration_since(self.looked) >= POLL_INTERVAL {
            self.looked = now;
            self.take_kept();
        }
        let Source::Pool(results) = &self.source else {
            return;
        };
        if self.is_over || !self.ready.is_empty() {
            return;
        }
        match results.recv_timeout(POLL_INTERVAL) {
            Ok(records) => {
                self.take_in(records);
                // From all of them at once: hundreds of workers would wake it one after the other.
                self.looked = now;
                self.take_kept();
            }
            Err(RecvTimeoutError::Timeout) => {}
            // A worker that panicked may have left results.
            Err(RecvTimeoutError::Disconnected) => {
                self.is_over = true;
                self.take_kept();
            }
        }
    }

    /// Fails the artifacts that no worker judged if no worker is left, for example after all of
    /// them panicked. Fail closed: nothing is omitted silently. After a signal, unjudged artifacts
    /// stay unjudged, and so do those for which no time was left.
    fn fail_rest(&mut self) {
        if self.shared.cancel.is_cancelled() {
            return;
        }
        let left_out: HashSet<usize> = self.shared.dispatcher.left_out().into_iter().collect();
        let rest = self.shared.tasks.iter().enumerate();
        let rest = rest.filter(|(at, (place, _))| self.awaited[*place] && !left_out.contains(at));
        let failed = rest.map(|(_, (place, task))| Placed::only(*place, judging::failed(task)));
        let failed = failed.collect();
        self.take_in(failed);
    }

    /// Collects what workers have sent, without waiting.
    fn take_sent(&mut self) {
        let Source::Pool(results) = &self.source else {
            return;
        };
        let sent: Vec<Vec<Placed>> = results.try_iter().collect();
        sent.into_iter().for_each(|records| self.take_in(records));
    }

    /// Collects what workers still keep. One that is blocked in a read would otherwise keep it
    /// until the read ends.
    fn take_kept(&mut self) {
        let shared = Arc::clone(&self.shared);
        shared
            .kept
            .iter()
            .map(taken)
            .for_each(|records| self.take_in(records));
    }

    fn take_in(&mut self, records: Vec<Placed>) {
        for placed in records {
            // Nothing counts after the last record of a work: a panic may occur between judging a
            // file and releasing it.
            if self.awaited[placed.place] {
                self.awaited[placed.place] = !placed.is_last;
                if !placed.is_last {
                    self.shared.counters.expect_another();
                }
                let passes = placed.record.verdict.passes();
                self.shared.counters.decide(passes);
                if matches!(placed.record.verdict, Verdict::VerifiedEarlier(_)) {
                    self.shared.counters.note_earlier();
                }
                self.ready.push_back(placed);
            }
        }
    }
}

impl Iterator for Running {
    type Item = Placed;

    fn next(&mut self) -> Option<Placed> {
        self.wait();
        self.ready.pop_front()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_over {
            self.shared.cancel.cancel();
            self.shared.dispatcher.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::task;
    use super::super::{Settings, Work, prepare};
    use super::*;
    use crate::progress::{Cancel, Counters};
    use std::collections::BTreeMap;

    fn work(name: &str) -> Work {
        Work::Verify(task(name.as_bytes().into(), b"sig"[..].into()))
    }

    #[test]
    fn what_no_worker_judged_fails_when_none_is_left() {
        let run = |cancel: Cancel| {
            let settings = Settings::new(Vec::new(), 1);
            let works = ["x", "y"].map(work).into();
            let prepared = prepare(works, settings, &BTreeMap::new()).unwrap();
            let counters = Arc::new(Counters::default());
            let (shared, known, _) = prepared.share(Arc::clone(&counters), cancel);
            let (sender, results) = channel();
            // A duplicate counts once.
            for _ in 0..2 {
                let record = judging::failed(&shared.tasks[0].1);
                sender.send(vec![Placed::only(0, record)]).unwrap();
            }
            // The worker is gone.
            drop(sender);
            let running = Running::new(2, known, shared, Source::Pool(results));
            (running.count(), counters.failures())
        };
        assert_eq!(run(Cancel::default()), (2, 2));
        // After a signal, unjudged artifacts stay unjudged.
        let cancel = Cancel::default();
        cancel.cancel();
        assert!(run(cancel).0 < 2);
    }
}
