//! The records of a run, one by one.

use std::sync::Arc;
use std::time::Instant;

use crate::engine::order::InOrder;
use crate::engine::{Placed, Running};
use crate::progress::Counters;
use crate::trust::verdict::{Record, Summary};

/// The records of a run, each as soon as it is decided. The work goes on in threads of its own
/// meanwhile; dropping this ends it.
///
/// What is asked of it last is [`Records::summary`]: after a signal or an error in between, not
/// everything was judged.
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
    /// Holds records back until those before them are decided, where they are wanted in order.
    order: Option<InOrder<Box<Record>>>,
    /// The places whose records were given before they were wanted in order.
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

    /// Gives the records, or those that were not given yet, in the order of the paths, each as soon
    /// as all before it are decided.
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

    /// How far the run is: a handle that any thread may look at while this one waits for the next
    /// record.
    pub fn progress(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// What the records so far came to. The run is whole when [`Summary::is_complete`] says so.
    pub fn summary(&self) -> Summary {
        Summary {
            bytes: self.counters.hashed(),
            elapsed: self.began.elapsed(),
            ..self.summary.clone()
        }
    }

    /// How many records there will be.
    pub(crate) fn expected(&self) -> usize {
        self.running.works()
    }

    /// The next record that is decided, with its place in the order.
    pub(crate) fn next_placed(&mut self) -> Option<Placed> {
        let placed = self.running.next()?;
        self.summary.count(&placed.record.verdict);
        Some(placed)
    }

    /// Whether a record is at hand, so that asking for one does not wait.
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
                // Nothing more will come; what was decided is given, whatever is missing before it.
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
