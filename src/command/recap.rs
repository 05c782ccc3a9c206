//! The failures of a run, which are named as they are decided, and the counts at its end.

use std::fmt::{self, Display};

use crate::report::words;
use crate::run::{Start, TrustedKey};
use crate::terminal::Message;
use crate::text::size::{rate, size};
use crate::trust::record::Record;
use crate::trust::summary::{ImageCounts, Summary};
use crate::trust::terms::Status;

/// Maximum number of failures named on stderr; stdout and the reports name all of them.
const MOST: usize = 100;

/// What the end of a run prints besides its summary.
#[derive(Debug, Default)]
pub struct Recap {
    failures: Vec<Failure>,
    more: u64,
    /// Each key, what it is called, and the number of artifacts and images that it verified.
    verified: Vec<(TrustedKey, &'static str, Verified)>,
}

/// What a key verified.
#[derive(Clone, Copy, Debug, Default)]
struct Verified {
    /// Artifacts and images with a valid signature.
    valid: u64,
    /// Artifacts in lists with a valid signature.
    listed: u64,
}

impl Verified {
    fn add(&mut self, status: Status) {
        match status {
            Status::Listed => self.listed += 1,
            _ => self.valid += 1,
        }
    }
}

impl Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} valid", self.valid)?;
        match self.listed {
            0 => Ok(()),
            listed => write!(f, ", {listed} listed"),
        }
    }
}

/// A failure, described.
#[derive(Debug)]
struct Failure {
    /// What failed, and why.
    what: String,
    /// What to do.
    help: Option<String>,
}

impl Failure {
    fn message(&self) -> Message {
        Message::error(self.what.as_str()).maybe_help(self.help.clone())
    }
}

impl Recap {
    /// Begins with the trusted keys, and those that are trusted for images.
    pub fn new(start: &Start) -> Recap {
        let keys = start
            .keys
            .iter()
            .map(|key| (key.clone(), "key", Verified::default()));
        let only_images = start.image_keys();
        let only_images = only_images.map(|key| (key.clone(), "image key", Verified::default()));
        Recap {
            verified: keys.chain(only_images).collect(),
            ..Recap::default()
        }
    }

    /// Takes a record into account as it is decided, and returns what to say about it at once.
    pub fn note(&mut self, record: &Record) -> Option<Message> {
        if let Some(key) = record.verdict.valid_by() {
            let mut known = self.verified.iter_mut();
            if let Some((_, _, count)) = known.find(|(known, ..)| known.fingerprint == key) {
                count.add(record.verdict.status());
            }
        }
        if record.verdict.passes() {
            return None;
        }
        if self.failures.len() < MOST {
            let (what, help) = words::failure(record);
            let failure = Failure { what, help };
            let message = failure.message();
            self.failures.push(failure);
            return Some(message);
        }
        self.more += 1;
        (self.more == 1).then(|| {
            Message::note(format!(
                "{MOST} failures are named here; from now on they are only counted"
            ))
        })
    }

    /// Returns the failures again, for a screen from which they may have gone. Failures with the
    /// same remedy in a row have it once, below the last of them.
    pub fn again(&self) -> Vec<Message> {
        let mut messages: Vec<Message> = Vec::new();
        for (at, failure) in self.failures.iter().enumerate() {
            let next = self.failures.get(at + 1);
            let is_repeated = next.is_some_and(|next| next.help == failure.help);
            let help = failure.help.clone().filter(|_| !is_repeated);
            messages.push(Message::error(failure.what.as_str()).maybe_help(help));
        }
        messages
    }

    /// Returns the number of failures beyond those that are named.
    pub fn more(&self) -> u64 {
        self.more
    }

    /// Returns for each trusted key what it is called, and a text: its name, its fingerprint, and
    /// how many artifacts and images it verified.
    pub fn keys(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.verified.iter().map(|(key, what, count)| {
            let TrustedKey {
                name, fingerprint, ..
            } = key;
            // P-256 is what every key was once, and goes without saying.
            let is_usual = key.algorithm.as_deref() == Some("ecdsa-p256");
            let kind = key.kind().filter(|_| !is_usual);
            let kind = kind.map_or_else(String::new, |kind| format!(", {kind}"));
            (*what, format!("{name} ({fingerprint}{kind}): {count}"))
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
        let others = [
            (self.listed, "listed in a signed list"),
            (self.verified_earlier, "verified earlier"),
            (self.invalid, "invalid"),
            (self.missing, "without data file"),
            (self.unsigned, "without signature file"),
            (self.changed, "changed while reading"),
            (self.unreadable, "unreadable"),
            (self.not_regular, "not regular"),
        ];
        for (count, words) in others.into_iter().filter(|(count, _)| *count > 0) {
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
    use crate::trust::verdict::{Invalid, Verdict};
    use std::time::Duration;

    fn failure(name: String) -> Record {
        Record::unhashed(name.into(), None, Verdict::Missing)
    }

    #[test]
    fn a_failure_is_named_with_its_reason_and_what_to_do() {
        let mut recap = Recap::default();
        let path = "a.zst".into();
        let record = Record::unhashed(path, Some("a.sig.bin".into()), Verdict::Missing);
        let said = recap.note(&record).unwrap().lines();
        assert_eq!(
            said,
            "error: a.zst: ❌ Data file not found (a.sig.bin exists, but the file that it signs does not)\n\
             help: copy the data file here, or delete its signature\n"
        );
    }

    #[test]
    fn of_many_failures_a_hundred_are_named_and_the_others_counted() {
        let mut recap = Recap::default();
        let said: Vec<_> = (0..105)
            .map(|n| recap.note(&failure(n.to_string())))
            .collect();
        assert!(said[..101].iter().all(Option::is_some));
        assert!(said[101..].iter().all(Option::is_none));
        assert!(
            said[100]
                .as_ref()
                .unwrap()
                .lines()
                .starts_with("note: 100 ")
        );
        assert_eq!((recap.again().len(), recap.more()), (100, 5));
    }

    #[test]
    fn failures_in_a_row_have_their_common_remedy_once() {
        let mut recap = Recap::default();
        for name in ["a", "b"] {
            recap.note(&failure(name.to_owned()));
        }
        let verdict = Verdict::Invalid(Invalid::NoKeyVerifies);
        recap.note(&Record::unhashed("c".into(), None, verdict));
        let said = recap.again().iter().map(Message::lines).collect::<String>();
        let begins: Vec<&str> = said.lines().map(|line| &line[..8]).collect();
        assert_eq!(
            begins,
            ["error: a", "error: b", "help: co", "error: c", "help: if"]
        );
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
