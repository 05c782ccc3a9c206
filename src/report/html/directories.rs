//! The directories: the totals of each, and in a large run what was found in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::words;
use super::keys::short;
use super::rows::evidence;
use crate::text::size::size;
use crate::trust::record::{Record, Subject};

/// A directory that holds artifacts.
pub(super) struct Directory<'a> {
    pub(super) path: String,
    pub(super) valid: u64,
    pub(super) failed: u64,
    pub(super) size: String,
    pub(super) records: Vec<&'a Record>,
}

/// Returns the directories in bytewise order; none if there is only one and the run is not large:
/// its totals are those of the run.
pub(super) fn of(records: &[Record], is_large: bool) -> Vec<Directory<'_>> {
    let mut all: BTreeMap<PathBuf, Vec<&Record>> = BTreeMap::new();
    for record in records {
        let directory = record.path().parent().unwrap_or(Path::new(""));
        match all.get_mut(directory) {
            Some(others) => others.push(record),
            None => drop(all.insert(directory.to_owned(), vec![record])),
        }
    }
    if all.len() < 2 && !is_large {
        return Vec::new();
    }
    all.into_iter()
        .map(|(path, records)| Directory::new(&path, records))
        .collect()
}

impl<'a> Directory<'a> {
    fn new(path: &Path, records: Vec<&'a Record>) -> Directory<'a> {
        let is_valid = |record: &&&Record| record.verdict.status().is_verified();
        let fails = |record: &&&Record| !record.verdict.passes();
        Directory {
            path: if path.as_os_str().is_empty() {
                ".".to_owned()
            } else {
                words::shown_path(path)
            },
            valid: records.iter().filter(is_valid).count() as u64,
            failed: records.iter().filter(fails).count() as u64,
            size: size(bytes(&records)),
            records,
        }
    }

    /// Returns a line for each record: the verdict's mark, the subject, and what is known of it.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        self.records.iter().map(|record| line(record))
    }
}

/// Returns the size of all artifacts. One with two signatures has two records, one behind the
/// other.
fn bytes(records: &[&Record]) -> u64 {
    let mut last = None;
    let mut bytes: u64 = 0;
    for record in records {
        if matches!(record.subject, Subject::Artifact(_)) && last != Some(record.path()) {
            bytes = bytes.saturating_add(record.size.unwrap_or_default());
            last = Some(record.path());
        }
    }
    bytes
}

fn line(record: &Record) -> String {
    let subject = match (&record.subject, record.path().file_name()) {
        (Subject::Artifact(_), Some(name)) => words::shown_path(Path::new(name)),
        _ => words::subject(record),
    };
    let size = record.size.map(|size| format!("{size} bytes"));
    let digest = record.sha256().map(|digest| format!("SHA-256 {digest}"));
    let signature = record.signature.as_ref().map(|_| words::signature(record));
    let file = record.signature_content().map(evidence);
    let signature = signature.map(|name| match file {
        Some(file) => format!("{name} ({file})"),
        None => name,
    });
    let key = record.verdict.key();
    let key = key.map(|key| format!("key {}", short(&key.to_string())));
    let known = [size, digest, signature, key].into_iter().flatten();
    let known: Vec<String> = known.collect();
    let verdict = words::verdict(record);
    format!("{verdict}: {subject}  {}", known.join("  "))
}
