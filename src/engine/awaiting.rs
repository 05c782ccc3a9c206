//! The names of one file that wait for its digest, and what becomes of each.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

#[cfg(test)]
use super::faults;
use super::judging::{CHANGED, Pending};
use super::opened::Context;
use super::plan::Slot;
use super::{Task, sniffing};
use crate::content::Input;
use crate::digest::{Digests, Wanted};
use crate::files::SharedPath;
use crate::hints::data;
use crate::progress::Flight;
use crate::trust::earlier::Seen;
use crate::trust::listed::Unlisted;
use crate::trust::record::Record;
use crate::trust::verdict::{Unclaimed, Verdict};

/// The names of one file that wait for its digest.
pub(super) struct Awaiting {
    /// Indices into the tasks, with what each waits for.
    names: Vec<(usize, Pending)>,
    /// What the file takes of its device, if that limits readers.
    pub(super) slot: Option<Slot>,
    pub(super) started: Instant,
    /// The same, by the system clock.
    time: SystemTime,
    /// The file's entry in the progress display.
    flight: Option<Arc<Flight>>,
}

/// A name's place in the list of works, its task, and the record of the file under that name. A
/// saved image that could be read has no record of its own.
pub(super) struct Outcome<'a> {
    pub(super) place: usize,
    pub(super) task: &'a Task,
    pub(super) record: Option<Box<Record>>,
}

impl Awaiting {
    /// Has the names, indices into the tasks, wait for a file of `size` bytes.
    pub(super) fn new(
        names: &[usize],
        size: u64,
        slot: Option<Slot>,
        context: &Context<'_>,
        started: Instant,
    ) -> Awaiting {
        let pending = |position: &usize| {
            let (_, task) = context.tasks.get(*position)?;
            Some((*position, Pending::of(task, &context.settings.keys)))
        };
        let first = names.first().and_then(|at| context.tasks.get(*at));
        Awaiting {
            flight: first
                .and_then(|(_, task)| context.counters.begin(&task.data.to_path_buf(), size)),
            names: names.iter().filter_map(pending).collect(),
            slot,
            started,
            time: SystemTime::now(),
        }
    }

    /// Has the file pass without being read under all of its names, if an earlier run's evidence
    /// holds for each that waits for its digest.
    pub(super) fn cover(&mut self, content: &Input, context: &Context<'_>) {
        let cover = |(position, pending): &(usize, Pending)| {
            let (_, task) = context.tasks.get(*position)?;
            Some((*position, pending.covered(task, content, context.settings)?))
        };
        // Fail closed: a file that is read for one name is judged anew under all.
        let covered: Option<Vec<_>> = self.names.iter().map(cover).collect();
        if let Some(covered) = covered {
            self.names = covered;
        }
    }

    /// Returns the indices of the names in the tasks.
    pub(super) fn positions(&self) -> impl Iterator<Item = usize> {
        self.names.iter().map(|(position, _)| *position)
    }

    /// Reports whether no verdict depends on the digest.
    pub(super) fn needs_nothing(&self) -> bool {
        let is_known = |(_, pending): &(usize, Pending)| {
            matches!(pending, Pending::Nothing(..) | Pending::Covered(..))
        };
        self.names.iter().all(is_known)
    }

    /// Returns what the names want of the file beside its SHA-256.
    pub(super) fn wanted(&self, context: &Context<'_>) -> Wanted {
        let mut wanted = Wanted::default();
        for (_, pending) in &self.names {
            wanted.add(pending.wanted(&context.settings.keys));
        }
        wanted
    }

    /// Shows that so many more bytes are done.
    pub(super) fn advance(&self, bytes: u64) {
        if let Some(flight) = &self.flight {
            flight.add(bytes);
        }
    }

    #[cfg(test)]
    pub(super) fn strike(&self, moment: faults::Moment, context: &Context<'_>) {
        for position in self.positions() {
            faults::strike(moment, &context.tasks[position].1.data.to_path_buf());
        }
    }

    /// Judges the file under each of its names according to the outcome of hashing.
    pub(super) fn judge<'a>(
        &self,
        hashed: &Result<Digests, Verdict>,
        content: &Input,
        context: &Context<'a>,
    ) -> Vec<Outcome<'a>> {
        #[cfg(test)]
        self.strike(faults::Moment::Judging, context);
        let read_as = self.read_as(context);
        let judge = |(position, pending): &(usize, Pending)| {
            let (place, task) = context.tasks.get(*position)?;
            let digests = hashed
                .clone()
                .and_then(|digests| still(content, task, digests));
            let judged = pending.judged(task, digests, context.settings, self.started);
            let record = judged.map(|judged| {
                Box::new(Record {
                    size: content.size(),
                    seen: judged.seen.clone().or_else(|| self.seen(&judged, content)),
                    read_as: read_as.clone().filter(|name| **name != task.data),
                    ..judged
                })
            });
            Some(Outcome {
                place: *place,
                task,
                record,
            })
        };
        let mut outcomes: Vec<Outcome<'a>> = self.names.iter().filter_map(judge).collect();
        add_hints(&mut outcomes, content, context.settings.control_files);
        outcomes
    }

    /// Returns what was seen of a file that was hashed for this record.
    fn seen(&self, judged: &Record, content: &Input) -> Option<Box<Seen>> {
        let stamp = content
            .lasting_stamp()
            .filter(|_| judged.digest.is_some())?;
        Some(Box::new(Seen {
            stamp: *stamp,
            time: self.time,
        }))
    }

    /// Returns the name under which a file with several names was read.
    fn read_as(&self, context: &Context<'_>) -> Option<Arc<SharedPath>> {
        let first = self.names.first().filter(|_| self.names.len() > 1);
        let (_, task) = context.tasks.get(first?.0)?;
        Some(Arc::new(task.data.clone()))
    }
}

/// Returns the digests if the name still leads to the hashed file.
fn still(content: &Input, task: &Task, digests: Digests) -> Result<Digests, Verdict> {
    // Fail closed: the name must lead to the file that was hashed, in the same state.
    if content.is_unchanged(&task.data.to_path_buf()) {
        Ok(digests)
    } else {
        Err(CHANGED)
    }
}

/// Adds hints to records that fail because of the content or the lack of a signature. The verdicts
/// are final by then.
fn add_hints(outcomes: &mut [Outcome<'_>], content: &Input, control_files: bool) {
    let is_invalid = |verdict: &Verdict| {
        matches!(
            verdict,
            Verdict::Invalid(_)
                | Verdict::Unlisted(Unlisted::Differs)
                | Verdict::Unsigned {
                    allowed: false,
                    why: Unclaimed::NoSignature
                }
        )
    };
    // If another signature of the file is valid, the file is intact.
    let is_valid = |verdict: &Verdict| verdict.status().is_verified();
    let mut records: Vec<&mut Record> = outcomes
        .iter_mut()
        .filter_map(|outcome| outcome.record.as_deref_mut())
        .collect();
    let has = |is: &dyn Fn(&Verdict) -> bool, records: &[&mut Record]| {
        records.iter().any(|record| is(&record.verdict))
    };
    if !has(&is_invalid, &records) || has(&is_valid, &records) {
        return;
    }
    // An unreadable file gets no hint.
    if let (Ok(beginning), Some(size)) = (content.beginning(data::SNIFF_BYTES), content.size()) {
        for record in &mut records {
            if is_invalid(&record.verdict) {
                let path = record.path().to_path_buf();
                record.sniffed = sniffing::sniff(&path, size, &beginning, control_files);
            }
        }
    }
}
