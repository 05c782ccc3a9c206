//! One file in a lane: opened, hashed window by window, and judged for each artifact that is one of
//! its names.

use std::sync::Arc;
use std::time::Instant;

#[cfg(test)]
use super::faults;
use super::judging::{CHANGED, Pending, of_error, record, unopened};
use super::plan::Job;
use super::scheduler::Piece;
use super::shape::Shape;
use super::sniffing;
use super::{Claim, Settings, Task, zarf};
use crate::content::{Joined, ReadError, Reading};
use crate::device::Medium;
use crate::digest::{Block, Digest, Feed, Hasher, Lane};
use crate::files::SharedPath;
use crate::hints::data;
use crate::progress::{Counters, Flight};
use crate::trust::verdict::{Record, Subject, Unclaimed, Verdict};

/// A record, and the work that it belongs to.
#[derive(Debug)]
pub(crate) struct Placed {
    /// The index of the work in the list.
    pub(crate) place: usize,
    /// The record.
    pub(crate) record: Record,
    /// Whether this is the work's last record.
    pub(crate) is_last: bool,
}

impl Placed {
    /// Returns the only record of a work.
    pub(super) fn only(place: usize, record: Record) -> Placed {
        Placed {
            place,
            record,
            is_last: true,
        }
    }
}

/// What workers need besides their files.
pub(super) struct Context<'a> {
    /// The tasks, each with the index of its work.
    pub(super) tasks: &'a [(usize, Task)],
    pub(super) settings: &'a Settings,
    pub(super) counters: &'a Counters,
    pub(super) hasher: Hasher,
    pub(super) shape: Shape,
}

/// Number of files for which one spare core reads ahead: bringing in a file's windows takes a
/// twelfth of the time of hashing them, so that this many keep the core from idling.
const FILES_OF_A_SPARE: usize = 8;

impl Context<'_> {
    fn spare_threads(&self) -> usize {
        self.settings.threads.saturating_sub(self.shape.workers)
    }

    fn reading(&self, job: &Job) -> Reading {
        Reading {
            io: self.settings.io,
            window: self.shape.window,
            ahead: job.ahead,
            // If memory is short, there is none for another thread and a second window.
            spare_core: self.shape.memory.is_none()
                && self.spare_threads() * FILES_OF_A_SPARE >= self.shape.workers,
        }
    }
}

/// A file being hashed, for all of its names that wait for its digest.
pub(super) struct Hashing {
    content: Joined,
    lane: Lane,
    /// The names: indices into the tasks, with what each waits for.
    names: Vec<(usize, Pending)>,
    queue: Option<usize>,
    started: Instant,
    /// Its entry in the progress display.
    flight: Option<Arc<Flight>>,
}

/// A file that is finished, or that could not be hashed further.
pub(super) struct Ended {
    pub(super) records: Vec<Placed>,
    /// The plan's queue to notify.
    pub(super) queue: Option<usize>,
}

/// Opens the file of a job. A name that cannot be opened gets its record at once and does not
/// affect the others.
pub(super) fn open(job: &Job, context: &Context<'_>) -> (Vec<Placed>, Option<Hashing>) {
    let started = Instant::now();
    let mut records = Vec::new();
    for (at, position) in job.members.iter().enumerate() {
        let Some((place, task)) = context.tasks.get(*position) else {
            continue;
        };
        #[cfg(test)]
        faults::strike(faults::Moment::Opening, &task.data.to_path_buf());
        match open_content(task, context.reading(job)) {
            Err(verdict) => records.push(Placed::only(*place, record(task, verdict, started))),
            Ok(content) => {
                let names = job.members.get(at..).unwrap_or_default();
                return (
                    records,
                    Some(Hashing::new(content, names, job.queue, context, started)),
                );
            }
        }
    }
    context.counters.pass_over(job.size);
    (records, None)
}

fn open_content(task: &Task, reading: Reading) -> Result<Joined, Verdict> {
    let path = task.data.to_path_buf();
    if let Claim::Named(named) = &task.claim
        && let Some(length) = named.device_length
    {
        return Joined::open_device(&path, length, reading).map_err(|error| unopened(task, error));
    }
    let (parts, missing) = zarf::with_content(&task.parts);
    if missing > 0 {
        // The description gives the number of parts but not their names, so the record names the
        // whole as incomplete.
        return Err(Verdict::PartMissing(task.data.clone()));
    }
    Joined::open(&path, parts, reading).map_err(|error| unopened(task, error))
}

/// Advances the first `in_use` lanes by the bytes that all of them have in memory. Finished files
/// move from the lanes to `ended` one at a time, so that a panic over one of them loses no other.
pub(super) fn step(
    lanes: &mut Vec<Hashing>,
    mut in_use: usize,
    context: &Context<'_>,
    ended: &mut Vec<Ended>,
) {
    let mut at = 0;
    while at < in_use {
        let Some(hashing) = lanes.get_mut(at) else {
            break;
        };
        match hashing.fill() {
            None => at += 1,
            Some(result) => {
                ended.push(hashing.end(result, context));
                lanes.remove(at);
                in_use -= 1;
            }
        }
    }
    let used = lanes.get_mut(..in_use).unwrap_or_default();
    #[cfg(test)]
    used.iter()
        .for_each(|hashing| hashing.strike(faults::Moment::Hashing, context));
    let mut feeds: Vec<Feed<'_>> = used.iter_mut().map(Hashing::feed).collect();
    let taken = context.hasher.advance(&mut feeds) * size_of::<Block>();
    for hashing in used.iter_mut() {
        hashing.content.consume(taken);
        if let Some(flight) = &hashing.flight {
            flight.add(taken as u64);
        }
    }
    context.counters.add_hashed((taken * in_use) as u64);
}

/// Verifies one artifact that shares its file with no other, on the current thread.
pub(super) fn alone(task: Task, settings: &Settings, hasher: Hasher) -> Record {
    let context = Context {
        tasks: &[(0, task)],
        settings,
        counters: &Counters::default(),
        hasher,
        shape: Shape::of_one(),
    };
    let job = Job {
        size: 0,
        members: vec![0],
        queue: None,
        ahead: Medium::Unknown.access().ahead,
    };
    let (mut records, hashing) = open(&job, &context);
    let mut lanes: Vec<Hashing> = hashing.into_iter().collect();
    let mut ended = Vec::new();
    while !lanes.is_empty() {
        step(&mut lanes, 1, &context, &mut ended);
        records.extend(ended.drain(..).flat_map(|ended| ended.records));
    }
    // One name gives one record. Fail closed: without one, the verdict would not pass.
    let nothing = || record(&context.tasks[0].1, CHANGED, Instant::now());
    records.pop().map_or_else(nothing, |placed| placed.record)
}

impl Piece for Hashing {
    fn left(&self) -> u64 {
        self.content.left()
    }

    fn queue(&self) -> Option<usize> {
        self.queue
    }
}

impl Hashing {
    fn new(
        content: Joined,
        names: &[usize],
        queue: Option<usize>,
        context: &Context<'_>,
        started: Instant,
    ) -> Hashing {
        let pending = |position: &usize| {
            let (_, task) = context.tasks.get(*position)?;
            Some((*position, Pending::of(task)))
        };
        let first = names.first().and_then(|at| context.tasks.get(*at));
        let size = content.size();
        Hashing {
            flight: first
                .and_then(|(_, task)| context.counters.begin(&task.data.to_path_buf(), size)),
            content,
            lane: context.hasher.begin(),
            names: names.iter().filter_map(pending).collect(),
            queue,
            started,
        }
    }

    /// Returns the indices of its names in the tasks.
    pub(super) fn positions(&self) -> impl Iterator<Item = usize> {
        self.names.iter().map(|(position, _)| *position)
    }

    #[cfg(test)]
    fn strike(&self, moment: faults::Moment, context: &Context<'_>) {
        for position in self.positions() {
            faults::strike(moment, &context.tasks[position].1.data.to_path_buf());
        }
    }

    /// Ensures that at least one block is in memory, or returns how the file ended.
    fn fill(&mut self) -> Option<Result<Digest, Verdict>> {
        let is_known = |(_, pending): &(usize, Pending)| matches!(pending, Pending::Nothing(_));
        if self.names.iter().all(is_known) {
            // No signature can be valid, regardless of the digest. Fail closed: this verdict is not
            // used, and it would not pass.
            return Some(Err(CHANGED));
        }
        let filled = self.content.fill();
        match filled {
            Ok(()) if self.content.unread().len() >= size_of::<Block>() => None,
            Ok(()) => Some(self.finish().map_err(of_error)),
            Err(error) => Some(Err(of_error(error))),
        }
    }

    /// Consumes the last bytes, fewer than a block.
    fn finish(&mut self) -> Result<Digest, ReadError> {
        let rest = self.content.unread().to_vec();
        self.content.consume(rest.len());
        self.content.fill()?;
        // Fail closed: a short window before the end means that the file changed while it was read.
        if !self.content.unread().is_empty() {
            return Err(ReadError::Changed);
        }
        Ok(self.lane.clone().finish(&rest))
    }

    fn feed(&mut self) -> Feed<'_> {
        Feed {
            lane: &mut self.lane,
            blocks: self.content.unread().as_chunks().0,
        }
    }

    /// Judges every name according to the outcome of hashing.
    fn end(&self, hashed: Result<Digest, Verdict>, context: &Context<'_>) -> Ended {
        #[cfg(test)]
        self.strike(faults::Moment::Judging, context);
        let size = self.content.size();
        match &hashed {
            // The last bytes, fewer than a block, that `finish` consumed.
            Ok(_) => context
                .counters
                .add_hashed(size % size_of::<Block>() as u64),
            Err(_) => context.counters.pass_over(self.content.left()),
        }
        let read_as = self.read_as(context);
        let judge = |(position, pending): &(usize, Pending)| {
            let (place, task) = context.tasks.get(*position)?;
            let digest = hashed.clone().and_then(|digest| self.still(task, digest));
            let judged = Record {
                size: Some(size),
                read_as: read_as.clone().filter(|name| **name != task.data),
                ..pending.judged(task, digest, context.settings, self.started)
            };
            Some(Placed::only(*place, judged))
        };
        let records = self.names.iter().filter_map(judge).collect();
        Ended {
            records: self.with_hints(records),
            queue: self.queue,
        }
    }

    /// Returns the name under which a file with several names was read.
    fn read_as(&self, context: &Context<'_>) -> Option<Arc<SharedPath>> {
        let first = self.names.first().filter(|_| self.names.len() > 1);
        let (_, task) = context.tasks.get(first?.0)?;
        Some(Arc::new(task.data.clone()))
    }

    /// Returns the digest if the name still leads to the hashed file.
    fn still(&self, task: &Task, digest: Digest) -> Result<Digest, Verdict> {
        // Fail closed: the name must lead to the file that was hashed, in the same state.
        if self.content.is_unchanged(&task.data.to_path_buf()) {
            Ok(digest)
        } else {
            Err(CHANGED)
        }
    }

    /// Adds hints to records that fail because of the content or the lack of a signature. The
    /// verdicts are final by then.
    fn with_hints(&self, mut records: Vec<Placed>) -> Vec<Placed> {
        let verdicts = || records.iter().map(|placed| &placed.record.verdict);
        let is_invalid = |verdict: &Verdict| {
            matches!(
                verdict,
                Verdict::Invalid(_)
                    | Verdict::Unsigned {
                        allowed: false,
                        why: Unclaimed::NoSignature
                    }
            )
        };
        // If another signature of the file is valid, the file is intact.
        let is_valid = |verdict: &Verdict| matches!(verdict, Verdict::Valid { .. });
        if !verdicts().any(is_invalid) || verdicts().any(is_valid) {
            return records;
        }
        // An unreadable file gets no hint.
        if let Ok(beginning) = self.content.beginning(data::SNIFF_BYTES) {
            let invalid = records.iter_mut().map(|placed| &mut placed.record);
            for record in invalid.filter(|record| is_invalid(&record.verdict)) {
                let Subject::Artifact(path) = &record.subject;
                record.sniffed =
                    sniffing::sniff(&path.to_path_buf(), self.content.size(), &beginning);
            }
        }
        records
    }
}
