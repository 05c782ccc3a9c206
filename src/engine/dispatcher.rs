//! The scheduler as threads share it: behind a lock, with a condition variable for waiting workers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::plan::{Job, Plan, Slot};
use super::scheduler::{Next, Piece, Scheduler};

/// Time after which an idle worker looks for work by itself, in case it was not notified. Long:
/// hundreds of idle workers that look often keep a core busy with nothing.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Where workers get their next work. See [`Scheduler`] for the methods of the same names.
pub(super) struct Dispatcher<P> {
    scheduler: Mutex<Scheduler<P>>,
    changed: Condvar,
    /// Number of waiting workers, readable without the lock.
    idle: AtomicUsize,
    /// When no further file is begun, if there is such a time.
    stop_at: Option<Instant>,
}

impl<P: Piece> Dispatcher<P> {
    pub(super) fn new(plan: Plan, workers: usize, stop_at: Option<Instant>) -> Dispatcher<P> {
        Dispatcher {
            scheduler: Mutex::new(Scheduler::new(plan, workers)),
            changed: Condvar::new(),
            idle: AtomicUsize::new(0),
            stop_at,
        }
    }

    pub(super) fn next(&self, me: usize, lanes: &[P], all: u64) -> Next<P> {
        let next = self.in_time().next(me, lanes, all);
        if matches!(next, Next::End) {
            self.changed.notify_all();
        }
        next
    }

    /// Waits until a worker without a file may find something to do, or the run is cancelled.
    pub(super) fn wait(&self) {
        let mut scheduler = self.lock();
        self.rest_in(&mut scheduler);
        let in_vain = |scheduler: &mut Scheduler<P>| !scheduler.has_news();
        let waited = self
            .changed
            .wait_timeout_while(scheduler, POLL_INTERVAL, in_vain);
        let (mut scheduler, _) = waited.unwrap_or_else(PoisonError::into_inner);
        self.rise_in(&mut scheduler);
    }

    fn rest_in(&self, scheduler: &mut Scheduler<P>) {
        scheduler.rest();
        self.idle.store(scheduler.idle(), Ordering::Relaxed);
    }

    fn rise_in(&self, scheduler: &mut Scheduler<P>) {
        scheduler.rise();
        self.idle.store(scheduler.idle(), Ordering::Relaxed);
    }

    /// Has idle workers find out that the run is cancelled.
    pub(super) fn cancel(&self) {
        self.lock().cancel();
        self.changed.notify_all();
    }

    #[cfg(test)]
    pub(super) fn rest(&self) {
        self.rest_in(&mut self.lock());
    }

    #[cfg(test)]
    pub(super) fn rise(&self) {
        self.rise_in(&mut self.lock());
    }

    /// Reports whether a worker is idle. Takes no lock.
    pub(super) fn has_idle(&self) -> bool {
        self.idle.load(Ordering::Relaxed) > 0
    }

    pub(super) fn share(&self, lanes: &mut Vec<P>) {
        if lanes.len() < 2 {
            return;
        }
        for _ in 0..self.lock().share(lanes) {
            self.changed.notify_one();
        }
    }

    pub(super) fn errand(&self, most: u64) -> Option<Job> {
        self.in_time().errand(most)
    }

    pub(super) fn requested(&self, queue: usize) {
        // Room for one file.
        self.make_room(|scheduler| scheduler.requested(queue), Condvar::notify_one);
    }

    pub(super) fn ended(&self, slot: Slot) {
        // After a large file, room for several small ones.
        let wake = if slot.is_large {
            Condvar::notify_all
        } else {
            Condvar::notify_one
        };
        self.make_room(|scheduler| scheduler.ended(slot), wake);
    }

    /// Notes that a device may have room for more, and wakes as many workers as that is for.
    fn make_room(&self, note: impl FnOnce(&mut Scheduler<P>), wake: fn(&Condvar)) {
        let mut scheduler = self.lock();
        note(&mut scheduler);
        let is_awaited = scheduler.idle() > 0 && scheduler.has_news();
        drop(scheduler);
        if is_awaited {
            wake(&self.changed);
        }
    }

    pub(super) fn leave(&self, me: usize) {
        self.lock().leave(me);
        self.changed.notify_all();
    }

    /// Returns the indices of the artifacts that are not begun, since time ran out.
    pub(super) fn left_out(&self) -> Vec<usize> {
        self.lock().left_out().to_vec()
    }

    #[cfg(test)]
    pub(super) fn has_news(&self) -> bool {
        self.lock().has_news()
    }

    /// Locks the scheduler, which begins nothing more once time has run out.
    fn in_time(&self) -> MutexGuard<'_, Scheduler<P>> {
        let mut scheduler = self.lock();
        if self
            .stop_at
            .is_some_and(|stop_at| Instant::now() >= stop_at)
        {
            scheduler.stop();
        }
        scheduler
    }

    /// Locks the scheduler. It is consistent at every point at which a thread could panic, so
    /// poisoning means nothing.
    fn lock(&self) -> MutexGuard<'_, Scheduler<P>> {
        self.scheduler
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
