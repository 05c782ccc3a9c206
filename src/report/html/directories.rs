//! The totals of each directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::words;
use crate::text::size::size;
use crate::trust::verdict::{Record, Subject, Verdict};

/// The totals of a directory.
pub(super) struct Directory {
    pub(super) path: String,
    pub(super) records: u64,
    pub(super) valid: u64,
    pub(super) failed: u64,
    pub(super) size: String,
}

#[derive(Default)]
struct Totals {
    records: u64,
    valid: u64,
    failed: u64,
    bytes: u64,
}

/// Returns the totals of each directory that holds artifacts, in bytewise order; none if there is
/// only one: its totals are those of the run.
pub(super) fn of(records: &[Record]) -> Vec<Directory> {
    let mut all: BTreeMap<PathBuf, Totals> = BTreeMap::new();
    let mut last = None;
    for record in records {
        let path = record.path();
        let directory = path.parent().unwrap_or(Path::new(""));
        let totals = match all.get_mut(directory) {
            Some(totals) => totals,
            None => all.entry(directory.to_owned()).or_default(),
        };
        totals.records += 1;
        totals.valid += u64::from(matches!(record.verdict, Verdict::Valid { .. }));
        totals.failed += u64::from(!record.verdict.passes());
        // A file with two signatures has two records, one behind the other.
        if matches!(record.subject, Subject::Artifact(_)) && last != Some(path) {
            totals.bytes += record.size.unwrap_or_default();
            last = Some(path);
        }
    }
    if all.len() < 2 {
        return Vec::new();
    }
    let directory = |(path, totals): (PathBuf, Totals)| Directory {
        path: match path.as_os_str().is_empty() {
            true => ".".to_owned(),
            false => words::shown_path(&path),
        },
        records: totals.records,
        valid: totals.valid,
        failed: totals.failed,
        size: size(totals.bytes),
    };
    all.into_iter().map(directory).collect()
}
