//! The failure recap and the counts at the end of a run.

use std::fmt::{self, Display};
use std::sync::Arc;

use crate::report::words;
use crate::text::size::{rate, size};
use crate::trust::key::Key;
use crate::trust::verdict::{ImageCounts, Record, Summary, Verdict};

/// Maximum number of failures explained at the end; a report explains all of them.
const MOST: usize = 100;

/// What the end of a run prints besides its summary.
#[derive(Debug, Default)]
pub struct Recap {
    failures: Vec<Failure>,
    more: u64,
    lines: usize,
    /// Each key, what it is called, and the number of artifacts and images that it verified.
    verified: Vec<(Arc<Key>, &'static str, u64)>,
}

/// A failure, described.
#[derive(Debug)]
struct Failure {
    /// What failed, why, and what to do.
    full: String,
    /// Only what to do, if the reason does not include it.
    advice: Option<String>,
}

impl Recap {
    /// Begins with the trusted keys, and those that are trusted for images.
    pub fn new(keys: &[Arc<Key>], of_images: &[Arc<Key>]) -> Recap {
        let only_images = of_images.iter().filter(|key| !keys.contains(key));
        let keys = keys.iter().map(|key| (Arc::clone(key), "key", 0));
        let only_images = only_images.map(|key| (Arc::clone(key), "image key", 0));
        Recap {
            verified: keys.chain(only_images).collect(),
            ..Recap::default()
        }
    }

    /// Takes a record into account, and whether a line about it was printed.
    pub fn note(&mut self, record: &Record, printed: bool) {
        self.lines += usize::from(printed);
        if let Verdict::Valid { key } = &record.verdict {
            let mut known = self.verified.iter_mut();
            if let Some((_, _, count)) = known.find(|(known, ..)| known == key) {
                *count += 1;
            }
        }
        if record.verdict.passes() {
            return;
        }
        if self.failures.len() < MOST {
            self.failures.push(Failure {
                full: words::failure(record),
                advice: words::advice(record),
            });
        } else {
            self.more += 1;
        }
    }

    /// Returns the first failures, each with its reason and what to do.
    pub fn failures(&self) -> impl Iterator<Item = &str> {
        self.failures.iter().map(|failure| failure.full.as_str())
    }

    /// Returns what to do about the first failures, for users who can still see the reasons.
    pub fn advice(&self) -> impl Iterator<Item = &str> {
        let advice = self.failures.iter();
        advice.filter_map(|failure| failure.advice.as_deref())
    }

    /// Returns the number of failures beyond the first ones.
    pub fn more(&self) -> u64 {
        self.more
    }

    /// Reports whether the lines are still on a screen of `rows` rows.
    pub fn fits(&self, rows: usize) -> bool {
        self.lines <= rows
    }

    /// Returns a line for each trusted key: its name, its fingerprint, and how many artifacts and
    /// images it verified.
    pub fn keys(&self) -> impl Iterator<Item = String> {
        self.verified.iter().map(|(key, what, count)| {
            let (name, fingerprint) = (key.name(), key.fingerprint());
            format!("{what} {name} ({fingerprint}): {count} valid")
        })
    }
}

/// The summary in one line: the count of each verdict, bytes, time and rate.
impl Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_complete() {
            write!(f, "ended after {} of {}: ", self.records(), self.expected)?;
        }
        write!(f, "{} valid", self.valid)?;
        let failures = [
            (self.invalid, "invalid"),
            (self.missing, "without data file"),
            (self.unsigned, "without signature file"),
            (self.changed, "changed while reading"),
            (self.unreadable, "unreadable"),
            (self.not_regular, "not regular"),
        ];
        for (count, words) in failures.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, ", {count} {words}")?;
        }
        write_images(f, self.images)?;
        let seconds = self.elapsed.as_secs_f64();
        write!(f, "; {} in {seconds:.2} s", size(self.bytes))?;
        write!(f, ", {}/s", size(rate(self.bytes, self.elapsed)))
    }
}

/// Writes the count of each verdict on images, if there were any.
fn write_images(f: &mut fmt::Formatter<'_>, images: ImageCounts) -> fmt::Result {
    if images.records() == 0 {
        return Ok(());
    }
    write!(f, "; images: {} valid", images.valid)?;
    let others = [
        (images.invalid, "with invalid signature"),
        (images.unsigned, "not signed"),
        (images.incomplete, "incomplete"),
        (images.malformed, "malformed"),
        (images.too_large, "too large"),
    ];
    for (count, words) in others.into_iter().filter(|(count, _)| *count > 0) {
        write!(f, ", {count} {words}")?;
    }
    match images.no_images {
        0 => Ok(()),
        count => write!(f, "; archives without images: {count}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::verdict::Invalid;
    use std::time::Duration;

    fn failure(name: String) -> Record {
        Record::unhashed(name.into(), None, Verdict::Missing)
    }

    #[test]
    fn a_failure_is_explained_by_its_reason_and_what_to_do() {
        let mut recap = Recap::default();
        let path = "a.zst".into();
        let record = Record::unhashed(path, Some("a.sig.bin".into()), Verdict::Missing);
        recap.note(&record, true);
        let full = "a.zst: ❌ Data file not found (a.sig.bin exists, but the file that it signs does not; \
                    copy the data file here, or delete its signature)";
        assert_eq!(recap.failures().collect::<Vec<_>>(), [full]);
        let advice = "a.zst: copy the data file here, or delete its signature";
        assert_eq!(recap.advice().collect::<Vec<_>>(), [advice]);
        assert!(recap.fits(1) && !recap.fits(0));
    }

    #[test]
    fn of_many_failures_a_hundred_are_explained_and_the_others_counted() {
        let mut recap = Recap::default();
        for n in 0..105 {
            recap.note(&failure(n.to_string()), true);
        }
        assert_eq!((recap.failures().count(), recap.more()), (100, 5));
    }

    #[test]
    fn the_summary_counts_each_verdict_and_states_when_it_is_incomplete() {
        let mut summary = Summary {
            expected: 3,
            bytes: 3_210_000_000,
            elapsed: Duration::from_secs(2),
            ..Summary::default()
        };
        for verdict in [Verdict::Missing, Verdict::Invalid(Invalid::NoKeyVerifies)] {
            summary.count(&Record::unhashed("x".into(), None, verdict));
        }
        assert_eq!(
            summary.to_string(),
            "ended after 2 of 3: 0 valid, 1 invalid, 1 without data file; 3.21 GB in 2.00 s, 1.60 GB/s"
        );
    }
}
