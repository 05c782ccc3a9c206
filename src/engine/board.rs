//! Where the workers meet: the files that wait, the lanes that are to be handed over, and who has nothing to do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::hashing::Hashing;
use super::plan::{Job, Plan, may_join};

/// How often a worker with nothing to do looks up, to see whether the run was cancelled.
const GLANCE: Duration = Duration::from_millis(20);

/// What a worker is to do next.
pub(super) enum Turn {
    /// Begin with a file.
    Begin(Job),
    /// Go on with a file that another worker began with.
    TakeOver(Box<Hashing>),
    /// Go on with what it has.
    Continue,
    /// Nothing now, but others may have something for it later.
    Wait,
    /// Nothing, and nothing will come.
    End,
}

/// The meeting place.
pub(super) struct Board {
    state: Mutex<State>,
    changed: Condvar,
    /// Workers that have nothing to do, readable without the lock.
    idle: AtomicUsize,
}

struct State {
    plan: Plan,
    /// Lanes whose worker has another one, for a worker that has none.
    spare: Vec<Hashing>,
    /// Which workers have a lane in use.
    busy: Vec<bool>,
    /// How many of them have.
    at_work: usize,
}

impl Board {
    pub(super) fn new(plan: Plan, workers: usize) -> Board {
        let state = State {
            plan,
            spare: Vec::new(),
            busy: vec![false; workers],
            at_work: 0,
        };
        Board {
            state: Mutex::new(state),
            changed: Condvar::new(),
            idle: AtomicUsize::new(0),
        }
    }

    /// What worker `me`, that has the `lanes` in use, is to do next; `all` is the number of bytes left in the run.
    pub(super) fn turn(&self, me: usize, lanes: &[Hashing], all: u64) -> Turn {
        let mut state = self.lock();
        if !lanes.is_empty() {
            return state.another(lanes, all);
        }
        let turn = state.first();
        state.set_busy(me, turn.is_some());
        match turn {
            Some(turn) => turn,
            None if state.is_over() => {
                self.changed.notify_all();
                Turn::End
            }
            None => Turn::Wait,
        }
    }

    /// Waits, not for long, until a worker without a file may find something to do.
    pub(super) fn wait(&self) {
        let state = self.lock();
        self.idle.fetch_add(1, Ordering::Relaxed);
        let in_vain = |state: &mut State| !state.has_something() && !state.is_over();
        drop(self.changed.wait_timeout_while(state, GLANCE, in_vain));
        self.idle.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether a worker has nothing to do.
    pub(super) fn has_idle(&self) -> bool {
        self.idle.load(Ordering::Relaxed) > 0
    }

    /// Gives away all lanes but one, as many as there are workers with nothing to do.
    pub(super) fn share(&self, lanes: &mut Vec<Hashing>) {
        while lanes.len() > 1 && self.idle.load(Ordering::Relaxed) > 0 {
            let mut state = self.lock();
            if state.spare.len() >= self.idle.load(Ordering::Relaxed) {
                return;
            }
            state.spare.extend(lanes.pop());
            self.changed.notify_one();
        }
    }

    /// The smallest file that waits, to be done beside files that may have no end, if it has fewer bytes than that.
    pub(super) fn errand(&self, below: u64) -> Option<Job> {
        self.lock().plan.take_smallest(below)
    }

    /// A file of this queue of the plan is read to its end.
    pub(super) fn ended(&self, queue: Option<usize>) {
        if let Some(queue) = queue {
            self.lock().plan.ended(queue);
            self.changed.notify_all();
        }
    }

    /// The state is whole at every moment at which a thread could fail, so that poison says nothing.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn first(&mut self) -> Option<Turn> {
        let handed = self
            .spare
            .pop()
            .map(|hashing| Turn::TakeOver(Box::new(hashing)));
        handed.or_else(|| self.plan.take().map(Turn::Begin))
    }

    fn has_something(&self) -> bool {
        !self.spare.is_empty() || self.plan.may_begin()
    }

    /// Another file beside those in use: only when every worker has one, so that no core is idle while a lane is shared.
    fn another(&mut self, lanes: &[Hashing], all: u64) -> Turn {
        let everyone_is_busy = self.at_work == self.busy.len();
        let longest = lanes.iter().map(Hashing::left).max().unwrap_or(0);
        let waits_for_a_device = lanes.iter().any(Hashing::is_on_slow_device);
        let join =
            everyone_is_busy && !waits_for_a_device && may_join(longest, all, self.busy.len());
        let job = if join { self.plan.take_free() } else { None };
        job.map_or(Turn::Continue, Turn::Begin)
    }

    fn is_over(&self) -> bool {
        self.plan.is_empty() && self.spare.is_empty() && self.at_work == 0
    }

    fn set_busy(&mut self, worker: usize, busy: bool) {
        if let Some(place) = self.busy.get_mut(worker) {
            self.at_work = self.at_work + usize::from(busy) - usize::from(*place);
            *place = busy;
        }
    }
}
