//! The records of a run, as an iterator.

use std::sync::Arc;
use std::time::Instant;

use crate::engine::order::InOrder;
use crate::engine::{Placed, Running};
use crate::progress::Counters;
use crate::trust::verdict::{Record, Summary};

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
        if self.order.is_some() {
            return self;
        }
        let mut order = InOrder::new(self.running.works());
        self.given
            .drain(..)
            .for_each(|place| order.pass_over(place));
        self.order = Some(order);
        self
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

    /// Returns the number of records to expect.
    pub(crate) fn expected(&self) -> usize {
        self.running.works()
    }

    /// Returns the next decided record, with its place in the order.
    pub(crate) fn next_placed(&mut self) -> Option<Placed> {
        let placed = self.running.next()?;
        self.summary.count(&placed.record.verdict);
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
        loop {
            if let Some(record) = self.order.as_mut().and_then(InOrder::take_ready) {
                return Some(*record);
            }
            let Some(placed) = self.next_placed() else {
                // No more will come: return what was decided, even if records before it are
                // missing.
                return self.order.as_mut()?.take_next().map(|record| *record);
            };
            let Placed {
                place,
                record,
                is_last,
            } = placed;
            match &mut self.order {
                Some(order) => order.put(place, Box::new(record), is_last),
                None => {
                    self.given.extend(is_last.then_some(place));
                    return Some(record);
                }
            }
        }
    }
}
