//! The records of a run, as an iterator.

use std::sync::Arc;
use std::time::Instant;

use crate::engine::order::InOrder;
use crate::engine::{Placed, Running};
use crate::files::SharedPath;
use crate::progress::Counters;
use crate::trust::record::Record;
use crate::trust::summary::Summary;

/// The records of a run, each as soon as it is decided. Other threads do the work meanwhile;
/// dropping this ends it.
///
/// Check [`Records::summary`] at the end: after a signal or an error, some artifacts may not have
/// been judged.
///
/// ```no_run
/// # use verify_signatures::{Key, Verifier};
/// # fn of(key: Key) -> Result<(), Box<dyn std::error::Error>> {
/// let records = Verifier::new([key]).mirror(["/srv/mirror"])?;
/// for record in records.in_order().filter(|record| !record.verdict.passes()) {
///     println!("{}: {}", record.path(), record.verdict.reason());
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "what is not asked for is not judged"]
pub struct Records {
    running: Running,
    counters: Arc<Counters>,
    /// Holds records back until all before them are decided, if they are wanted in order.
    order: Option<InOrder<Box<Record>>>,
    /// The places whose records were returned before order was asked for.
    given: Vec<usize>,
    summary: Summary,
    began: Instant,
}

impl Records {
    pub(super) fn new(running: Running, counters: Arc<Counters>, began: Instant) -> Records {
        Records {
            summary: Summary {
                expected: running.works() as u64,
                ..Summary::default()
            },
            running,
            counters,
            order: None,
            given: Vec::new(),
            began,
        }
    }

    /// Returns the remaining records in the order of the paths, each as soon as all before it are
    /// decided.
    pub fn in_order(mut self) -> Records {
        self.order();
        self
    }

    /// Returns the records that are held back, from now on.
    fn order(&mut self) -> &mut InOrder<Box<Record>> {
        self.order.get_or_insert_with(|| {
            let mut order = InOrder::new(self.running.works());
            self.given
                .drain(..)
                .for_each(|place| order.pass_over(place));
            order
        })
    }

    /// Returns the progress of the run: a handle that any thread may read while this one waits for
    /// the next record.
    pub fn progress(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Returns the summary of the records so far. The run is complete if [`Summary::is_complete`].
    pub fn summary(&self) -> Summary {
        Summary {
            bytes: self.counters.hashed(),
            elapsed: self.began.elapsed(),
            ..self.summary.clone()
        }
    }

    /// Waits for the next decided record, shows it to `decided`, and holds it back for its turn.
    /// Returns whether there was one.
    pub(crate) fn receive(&mut self, decided: impl FnOnce(&Record)) -> bool {
        let Some(placed) = self.next_placed() else {
            return false;
        };
        decided(&placed.record);
        self.order()
            .put(placed.place, placed.record, placed.is_last);
        true
    }

    /// Returns the next record in order, if all before it were taken.
    pub(crate) fn take_ready(&mut self) -> Option<Record> {
        self.order().take_ready().map(|record| *record)
    }

    /// Returns the next record in order even if records before it are missing, once no more will
    /// come.
    pub(crate) fn take_next(&mut self) -> Option<Record> {
        self.order().take_next().map(|record| *record)
    }

    /// Returns the artifacts that were not judged, or not to their end, so far.
    pub(crate) fn not_judged(&self) -> impl Iterator<Item = &SharedPath> {
        self.running.awaited()
    }

    /// Returns the artifacts that were not begun since time ran out, each with its signature.
    pub(crate) fn left_out(&self) -> Vec<(SharedPath, Option<SharedPath>)> {
        self.running.left_out()
    }

    fn next_placed(&mut self) -> Option<Placed> {
        let placed = self.running.next()?;
        // A work with several records was expected to have one.
        self.summary.expected += u64::from(!placed.is_last);
        self.summary.count(&placed.record);
        Some(placed)
    }

    /// Reports whether a record is at hand, so that asking for one does not block.
    pub(crate) fn is_ready(&self) -> bool {
        self.running.is_ready()
    }
}

impl Iterator for Records {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        if self.order.is_none() {
            let placed = self.next_placed()?;
            self.given.extend(placed.is_last.then_some(placed.place));
            return Some(*placed.record);
        }
        loop {
            let ready = self.take_ready();
            if ready.is_some() {
                return ready;
            }
            if !self.receive(|_| {}) {
                // No more will come: return what was decided, even if records before it are
                // missing.
                return self.take_next();
            }
        }
    }
}
