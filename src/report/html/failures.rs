//! The failures, each with its reason and what to do.

use super::super::words;
use crate::trust::record::Record;

/// Maximum number of failures in their own section; the table has them all.
const MOST: usize = 1000;

/// The failures of a run.
pub(super) struct Failures<'a> {
    pub(super) count: usize,
    /// The first of them.
    shown: Vec<&'a Record>,
}

/// A failure as the page shows it.
pub(super) struct Failure {
    pub(super) path: String,
    pub(super) verdict: String,
    pub(super) reason: String,
    pub(super) remedy: Option<String>,
}

impl<'a> Failures<'a> {
    pub(super) fn of(records: &'a [Record]) -> Failures<'a> {
        let failed = || records.iter().filter(|record| !record.verdict.passes());
        Failures {
            count: failed().count(),
            shown: failed().take(MOST).collect(),
        }
    }

    /// Returns the number of failures that are in the table only.
    pub(super) fn more(&self) -> usize {
        self.count - self.shown.len()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = Failure> {
        self.shown.iter().map(|record| {
            let (reason, remedy) = words::reason_and_remedy(record);
            Failure {
                path: words::subject(record),
                verdict: words::verdict(record),
                reason,
                remedy,
            }
        })
    }
}
