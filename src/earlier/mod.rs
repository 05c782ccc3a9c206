//! What earlier runs found, by the places of artifacts: in what order to look at them again, and
//! which of them need not be read again. Whether evidence holds is decided in
//! [`trust::earlier`](crate::trust::earlier).

#[cfg(feature = "cli")]
pub(crate) mod ledger;
pub(crate) mod place;
#[cfg(feature = "cli")]
pub(crate) mod resume;
#[cfg(feature = "cli")]
pub(crate) mod stamps;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::files::Stamp;
use crate::trust::earlier::{Evidence, Terms};
use crate::trust::record::{Record, Subject};
use place::Place;

/// What was last found of an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Last {
    /// It passed at this time. The evidence is there if it was one file that a signature fits.
    Passed(SystemTime, Option<Box<Evidence>>),
    /// It failed at this time.
    Failed(SystemTime),
}

impl Last {
    /// Returns its time.
    pub fn time(&self) -> SystemTime {
        match self {
            Last::Passed(time, _) | Last::Failed(time) => *time,
        }
    }

    /// Returns what a record says at this time.
    pub fn of(record: &Record, now: SystemTime) -> Last {
        let evidence = evidence(record);
        match evidence {
            _ if !record.verdict.passes() => Last::Failed(now),
            Some(evidence) => Last::Passed(evidence.seen.time, Some(Box::new(evidence))),
            None => Last::Passed(now, None),
        }
    }
}

/// Returns the evidence that a record is for a later run, if it is any.
fn evidence(record: &Record) -> Option<Evidence> {
    let is_file = matches!(record.subject, Subject::Artifact(_)) && record.parts.is_empty();
    // Fail closed: what passes for another reason than a signature has nothing to show for it.
    if !is_file || !record.verdict.status().is_signed() {
        return None;
    }
    // Fail closed: a file system that says such times says nothing.
    let seen = record.seen.as_deref().filter(|seen| {
        let Stamp {
            modified, changed, ..
        } = seen.stamp;
        modified.is_plain() && changed.is_plain()
    });
    Some(Evidence {
        seen: *seen?,
        content: record.sha256()?,
        signature: record.signature_file.as_ref()?.digest?.into(),
        key: record.verdict.key()?,
        digest: record.verdict.trusted_key()?.other_digest(),
    })
}

/// What was last found of many artifacts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    pub(crate) last: HashMap<Place, Last>,
}

/// The artifacts of a run for which its time did not suffice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unseen {
    /// How many of them failed when they were last looked at.
    pub failed: u64,
    /// How many of them never passed, as far as is known, and did not fail either.
    pub never: u64,
    /// When the one that passed longest ago did.
    pub oldest: Option<SystemTime>,
}

/// What a run knows of earlier ones.
#[derive(Clone, Debug)]
pub struct Past {
    /// The beginning of this run, by the system clock.
    pub now: SystemTime,
    /// The ledger, if there is one.
    pub ledger: Option<Arc<History>>,
    /// How old a verdict of the ledger may be to do instead of reading (`--max-age`).
    pub max_age: Option<Duration>,
    /// The run that is resumed, if one is.
    pub resumed: Option<History>,
}

impl Past {
    /// Returns when an artifact last passed; `None` if it never did, failed last, or a clock was
    /// wrong.
    pub fn passed(&self, place: &Place) -> Option<SystemTime> {
        if self.failed(place) {
            return None;
        }
        let mut found = self
            .histories()
            .filter_map(|history| history.last.get(place));
        match found.next()? {
            Last::Passed(time, _) if *time <= self.now => Some(*time),
            Last::Passed(..) | Last::Failed(_) => None,
        }
    }

    /// Returns what is known: the ledger, and the run that is resumed.
    fn histories(&self) -> impl Iterator<Item = &History> {
        self.ledger.as_deref().into_iter().chain(&self.resumed)
    }

    /// Reports whether an artifact, or something in it, failed when it was last examined. Fail
    /// closed: a failure that any of the sources records counts, regardless of the others.
    fn failed(&self, place: &Place) -> bool {
        let places = [place.clone(), place.inside()];
        let failed = |history: &History| {
            let mut last = places.iter().filter_map(|place| history.last.get(place));
            last.any(|last| matches!(last, Last::Failed(_)))
        };
        self.histories().any(failed)
    }

    /// Returns evidence that may do instead of reading an artifact, and what it takes.
    pub fn offer(&self, place: &Place) -> Option<(Evidence, Terms)> {
        // Fail closed: what failed when it was last looked at is looked at again.
        if self.failed(place) {
            return None;
        }
        let of_resumed = self.resumed.as_ref();
        let of_resumed = of_resumed.map(|history| (history, self.max_age));
        // Without --max-age, nothing that the ledger says spares the reading.
        let of_ledger = self.ledger.as_deref().zip(self.max_age);
        let of_ledger = of_ledger.map(|(history, max_age)| (history, Some(max_age)));
        let sources = of_resumed.into_iter().chain(of_ledger);
        let mut offers = sources.filter_map(|(history, max_age)| {
            let now = self.now;
            let terms = Terms { now, max_age };
            match history.last.get(place)? {
                Last::Passed(_, Some(evidence)) => Some((**evidence, terms)),
                Last::Passed(_, None) | Last::Failed(_) => None,
            }
        });
        offers.find(|(evidence, terms)| evidence.counts(*terms).is_ok())
    }

    /// Counts artifacts that were not looked at.
    pub fn count(&self, places: impl Iterator<Item = Option<Place>>) -> Unseen {
        let mut unseen = Unseen::default();
        for place in places {
            let is_failed = place.as_ref().is_some_and(|place| self.failed(place));
            let passed = place.as_ref().and_then(|place| self.passed(place));
            unseen.failed += u64::from(is_failed);
            unseen.never += u64::from(passed.is_none() && !is_failed);
            unseen.oldest = [unseen.oldest, passed].into_iter().flatten().min();
        }
        unseen
    }
}

#[cfg(test)]
mod tests;
