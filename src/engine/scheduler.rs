//! Decides which worker hashes which file next: the waiting files, the lanes handed over, and the
//! busy workers. Pure: it uses no files, threads or clocks, so that the tests simulate this very
//! code.

use super::plan::{Job, Plan, Slot, may_join};

/// A file in a lane, as the scheduler sees it.
pub(super) trait Piece {
    /// Returns the number of bytes still to be hashed.
    fn left(&self) -> u64;

    /// Returns what it takes of its device, if that limits readers.
    fn slot(&self) -> Option<Slot>;

    /// Reports whether it uses every lane of its worker by itself.
    fn fills_lanes(&self) -> bool {
        false
    }
}

/// What a worker does next.
pub(super) enum Next<P> {
    /// Begin a file.
    Begin(Job),
    /// Continue a file that another worker began.
    TakeOver(P),
    /// Continue with the files that it has.
    Continue,
    /// Wait: there may be work later.
    Wait,
    /// Stop: no work is left, and none will come.
    End,
}

/// Decides what each worker does next.
pub(super) struct Scheduler<P> {
    plan: Plan,
    /// Lanes whose worker has another one, for an idle worker.
    spare: Vec<P>,
    /// Which workers have a lane in use.
    busy: Vec<bool>,
    /// The number of those workers.
    at_work: usize,
    /// Number of workers that have not left.
    present: usize,
    /// Number of idle workers.
    idle: usize,
    /// Whether the run is cancelled.
    is_cancelled: bool,
    /// The indices of the artifacts that are not begun, since time ran out.
    left_out: Vec<usize>,
}

impl<P: Piece> Scheduler<P> {
    pub(super) fn new(plan: Plan, workers: usize) -> Scheduler<P> {
        Scheduler {
            plan,
            spare: Vec::new(),
            busy: vec![false; workers],
            at_work: 0,
            present: workers,
            idle: 0,
            is_cancelled: false,
            left_out: Vec::new(),
        }
    }

    /// Decides what worker `me`, which has `lanes` in use, does next; `all` is the number of bytes
    /// left in the run.
    pub(super) fn next(&mut self, me: usize, lanes: &[P], all: u64) -> Next<P> {
        if !lanes.is_empty() {
            return self.another(lanes, all);
        }
        let first = self.first();
        self.set_busy(me, first.is_some());
        match first {
            Some(next) => next,
            None if self.is_over() => Next::End,
            None => Next::Wait,
        }
    }

    /// Takes lanes from a worker for idle ones, leaving it at least one. Returns how many it took.
    pub(super) fn share(&mut self, lanes: &mut Vec<P>) -> usize {
        let wanted = self.idle.saturating_sub(self.spare.len());
        let shared = wanted.min(lanes.len().saturating_sub(1));
        self.spare.extend(lanes.drain(lanes.len() - shared..));
        shared
    }

    /// Takes the smallest waiting file if it has at most `most` bytes, to be hashed alongside files
    /// that may never end.
    pub(super) fn errand(&mut self, most: u64) -> Option<Job> {
        self.plan.take_smallest(most)
    }

    /// Begins nothing more. What is in a lane, or handed over, is finished.
    pub(super) fn stop(&mut self) {
        let waiting = self.plan.clear();
        self.left_out
            .extend(waiting.into_iter().flat_map(|job| job.members));
    }

    /// Returns the indices of the artifacts that were waiting when it was to begin nothing more.
    pub(super) fn left_out(&self) -> &[usize] {
        &self.left_out
    }

    /// Notes that the last bytes of a file of this queue of the plan were requested.
    pub(super) fn requested(&mut self, queue: usize) {
        self.plan.requested(queue);
    }

    /// Notes that a file that had this slot has ended.
    pub(super) fn ended(&mut self, slot: Slot) {
        self.plan.ended(slot);
    }

    /// Counts one more idle worker.
    pub(super) fn rest(&mut self) {
        self.idle += 1;
    }

    /// Counts one idle worker fewer.
    pub(super) fn rise(&mut self) {
        self.idle -= 1;
    }

    /// Returns the number of idle workers.
    pub(super) fn idle(&self) -> usize {
        self.idle
    }

    /// Notes that worker `me` has left.
    pub(super) fn leave(&mut self, me: usize) {
        self.set_busy(me, false);
        self.present = self.present.saturating_sub(1);
    }

    /// Notes that the run is cancelled: idle workers have no reason to wait.
    pub(super) fn cancel(&mut self) {
        self.is_cancelled = true;
    }

    /// Reports whether a worker without a file would find one, or the end.
    pub(super) fn has_news(&self) -> bool {
        !self.spare.is_empty() || self.plan.may_begin() || self.is_over() || self.is_cancelled
    }

    fn first(&mut self) -> Option<Next<P>> {
        let handed = self.spare.pop().map(Next::TakeOver);
        handed.or_else(|| self.plan.take().map(Next::Begin))
    }

    /// Returns another file to begin alongside those in use: only if every worker has one, so that
    /// no core idles while a worker hashes two files.
    fn another(&mut self, lanes: &[P], all: u64) -> Next<P> {
        let everyone_is_busy = self.at_work == self.present;
        let waits_for_a_device = lanes.iter().any(|piece| piece.slot().is_some());
        let may_join = may_join(longest(lanes), all, self.present);
        let job = if everyone_is_busy && !waits_for_a_device && may_join {
            self.plan.take_free()
        } else {
            None
        };
        job.map_or(Next::Continue, Next::Begin)
    }

    fn is_over(&self) -> bool {
        self.plan.is_empty() && self.spare.is_empty() && self.at_work == 0
    }

    fn set_busy(&mut self, worker: usize, busy: bool) {
        if let Some(was_busy) = self.busy.get_mut(worker) {
            self.at_work = self.at_work + usize::from(busy) - usize::from(*was_busy);
            *was_busy = busy;
        }
    }
}

/// Returns how many of the lanes, the longest first, advance now: all of them, or only the longest
/// file while it must not wait for others (see [`may_join`]).
pub(super) fn in_use<P: Piece>(lanes: &[P], all: u64, workers: usize) -> usize {
    if may_join(longest(lanes), all, workers) {
        lanes.len()
    } else {
        lanes.len().min(1)
    }
}

fn longest<P: Piece>(lanes: &[P]) -> u64 {
    lanes.iter().map(Piece::left).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::plan::{Cost, Turn};
    use super::*;
    use crate::files::FileId;
    use std::collections::BTreeMap;

    struct Left(u64);

    impl Piece for Left {
        fn left(&self) -> u64 {
            self.0
        }

        fn slot(&self) -> Option<Slot> {
            None
        }
    }

    fn of_equal_files(files: u64, workers: usize) -> Scheduler<Left> {
        let cost = |inode| Cost {
            size: 10,
            file: FileId { device: 1, inode },
            name: None,
            turn: Turn::default(),
        };
        let loads: Vec<Cost> = (0..files).map(cost).collect();
        Scheduler::new(Plan::new(&loads, &BTreeMap::new()), workers)
    }

    #[test]
    fn a_second_file_is_begun_when_every_worker_that_is_left_has_one() {
        let mut scheduler = of_equal_files(8, 2);
        assert!(matches!(scheduler.next(0, &[], 80), Next::Begin(_)));
        assert!(matches!(scheduler.next(0, &[Left(10)], 80), Next::Continue));
        scheduler.leave(1);
        assert!(matches!(scheduler.next(0, &[Left(10)], 80), Next::Begin(_)));
    }

    #[test]
    fn nobody_waits_for_work_of_a_run_that_is_cancelled() {
        let mut scheduler = of_equal_files(1, 2);
        assert!(matches!(scheduler.next(0, &[], 10), Next::Begin(_)));
        assert!(matches!(scheduler.next(1, &[], 10), Next::Wait));
        assert!(!scheduler.has_news());
        scheduler.cancel();
        assert!(scheduler.has_news());
    }

    #[test]
    fn lanes_are_given_to_as_many_as_wait_and_the_last_one_is_kept() {
        for (idle, shared) in [(0, 0), (1, 1), (2, 2), (3, 2)] {
            let mut scheduler = of_equal_files(0, 4);
            (0..idle).for_each(|_| scheduler.rest());
            let mut lanes = vec![Left(3), Left(2), Left(1)];
            assert_eq!(scheduler.share(&mut lanes), shared);
            assert_eq!(lanes.len(), 3 - shared);
            // Those lanes are already handed over.
            assert_eq!(scheduler.share(&mut lanes), 0);
        }
    }

    #[test]
    fn after_the_end_of_its_time_nothing_is_begun_and_what_is_in_a_lane_is_finished() {
        let mut scheduler = of_equal_files(4, 2);
        assert!(matches!(scheduler.next(0, &[], 40), Next::Begin(_)));
        scheduler.stop();
        assert!(matches!(scheduler.next(0, &[Left(5)], 35), Next::Continue));
        // The other worker waits: a lane may still be handed over.
        assert!(matches!(scheduler.next(1, &[], 35), Next::Wait));
        assert!(scheduler.errand(u64::MAX).is_none());
        assert!(matches!(scheduler.next(0, &[], 30), Next::End));
        assert!(matches!(scheduler.next(1, &[], 30), Next::End));
        let mut left_out = scheduler.left_out().to_vec();
        left_out.sort_unstable();
        assert_eq!(left_out, [1, 2, 3]);
        scheduler.stop();
        assert_eq!(scheduler.left_out().len(), 3);
    }
}
