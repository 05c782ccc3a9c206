//! The lines of the sample script, and the summary.

use std::fmt::{self, Display};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use super::escape;
use crate::digest::choice::{Choice, Measurement};
use crate::trust::verdict::{Part, Record, Subject, Summary, Verdict};

/// Which lines are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detail {
    /// Any at all, and the summary.
    pub lines: bool,
    /// Those of valid artifacts.
    pub valid: bool,
    /// The reason behind each verdict.
    pub reasons: bool,
}

/// Writes a line for each record.
#[derive(Debug)]
pub struct Lines<W> {
    out: W,
    detail: Detail,
}

impl<W: Write> Lines<W> {
    /// A writer of lines to `out`.
    pub fn new(out: W, detail: Detail) -> Self {
        Lines { out, detail }
    }

    /// Whether the record gets a line.
    pub fn shows(&self, record: &Record) -> bool {
        let valid = matches!(record.verdict, Verdict::Valid { .. });
        self.detail.lines && (self.detail.valid || !valid)
    }

    /// Writes the record's line, if it gets one, and hands it to the reader at once.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn record(&mut self, record: &Record) -> io::Result<()> {
        if !self.shows(record) {
            return Ok(());
        }
        let mut line = format!("{}: {}", subject(record), words(&record.verdict));
        if self.detail.reasons {
            line += &format!(" ({})", reason(record));
        }
        writeln!(self.out, "{line}")?;
        self.out.flush()
    }
}

fn subject(record: &Record) -> String {
    match &record.subject {
        Subject::Artifact(path) => shown(path),
    }
}

fn shown(path: &Path) -> String {
    escape::name(path.as_os_str())
}

/// The verdict as the sample script words it, and as it would word the others.
fn words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Valid { .. } => "✅ Signature valid".to_owned(),
        Verdict::Invalid(_) => "❌ Signature invalid".to_owned(),
        Verdict::Missing => "❌ Data file not found".to_owned(),
        Verdict::Unsigned { allowed: false } => "❌ Signature file not found".to_owned(),
        Verdict::Unsigned { allowed: true } => "⚠️ Signature file not found".to_owned(),
        Verdict::Changed => "❌ Changed while reading".to_owned(),
        Verdict::Unreadable { words, .. } => format!("❌ Cannot read: {words}"),
        Verdict::NotRegular { .. } => "❌ Not a regular file".to_owned(),
    }
}

/// The signature file: by its name alone where it lies beside the artifact, as nearly all do.
fn signature(record: &Record) -> String {
    let Subject::Artifact(data) = &record.subject;
    match &record.signature {
        None => "no signature file".to_owned(),
        Some(path) if path.parent() == data.parent() => {
            escape::name(path.file_name().unwrap_or(path.as_os_str()))
        }
        Some(path) => shown(path),
    }
}

/// Why the verdict is what it is, and from which file.
fn reason(record: &Record) -> String {
    let signature = signature(record);
    match &record.verdict {
        Verdict::Valid { key } => {
            format!("{signature}, key {}", key.name())
        }
        Verdict::Invalid(why) => format!("{signature}: {why}"),
        Verdict::Missing => format!("{signature} is there, and the file that it belongs to is not"),
        Verdict::Unsigned { .. } => "no signature file claims it".to_owned(),
        Verdict::Changed => format!("{signature}: the file was written to or replaced meanwhile"),
        Verdict::Unreadable { part, .. } => match part {
            Part::Data => format!("{signature}: the data file cannot be read"),
            Part::Signature => format!("{signature}: the signature file cannot be read"),
            Part::Directory => "nothing behind it was verified".to_owned(),
        },
        Verdict::NotRegular { part } => match part {
            Part::Signature => {
                format!("{signature}: the signature is a directory, FIFO, socket or device")
            }
            Part::Data | Part::Directory => "a directory, FIFO, socket or device".to_owned(),
        },
    }
}

/// Which way to compute SHA-256 was chosen, and why, in one line.
pub fn choice(choice: &Choice) -> String {
    let name = choice.hasher.name();
    let measured: Vec<String> = choice.measured.iter().map(measurement).collect();
    match measured.is_empty() {
        true => format!("SHA-256: {name}, not measured"),
        false => format!("SHA-256: {name}, the fastest of {}", measured.join(", ")),
    }
}

fn measurement(measured: &Measurement) -> String {
    let lanes = match measured.lanes {
        1 => "1 lane".to_owned(),
        lanes => format!("{lanes} lanes"),
    };
    let gigabytes = measured.rate / 1e9;
    format!("{} on {lanes} {gigabytes:.2} GB/s", measured.hasher.name())
}

/// The summary in one line: how many of each verdict, bytes, time and rate.
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
        let seconds = self.elapsed.as_secs_f64();
        write!(f, "; {} in {seconds:.2} s", size(self.bytes))?;
        write!(f, ", {}/s", size(rate(self.bytes, self.elapsed)))
    }
}

/// Bytes per second.
fn rate(bytes: u64, time: Duration) -> u64 {
    let nanoseconds = time.as_nanos().max(1);
    u64::try_from(u128::from(bytes) * 1_000_000_000 / nanoseconds).unwrap_or(u64::MAX)
}

/// A number of bytes for people, in powers of 1000 (SI), as disks and networks are sold.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (1_000_000_000_000, "TB"),
        (1_000_000_000, "GB"),
        (1_000_000, "MB"),
        (1_000, "kB"),
    ];
    let unit = UNITS.iter().find(|(unit, _)| bytes >= *unit);
    unit.map_or(format!("{bytes} B"), |(unit, name)| {
        format!("{:.2} {name}", bytes as f64 / *unit as f64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::verdict::Invalid;

    fn record(path: &str, verdict: Verdict) -> Record {
        Record {
            subject: Subject::Artifact(path.into()),
            signature: Some("x.sig.bin".into()),
            verdict,
            digest: None,
            size: None,
            elapsed: Duration::ZERO,
        }
    }

    fn printed(detail: Detail) -> String {
        let mut lines = Lines::new(Vec::new(), detail);
        let unreadable = Verdict::Unreadable {
            part: Part::Data,
            words: "Input/output error".to_owned(),
        };
        for verdict in [
            Verdict::Invalid(Invalid::NoKeyVerifies),
            Verdict::Missing,
            Verdict::Unsigned { allowed: false },
            Verdict::Unsigned { allowed: true },
            Verdict::Changed,
            unreadable,
            Verdict::NotRegular { part: Part::Data },
        ] {
            lines.record(&record("x.zst", verdict)).unwrap();
        }
        String::from_utf8(lines.out).unwrap()
    }

    #[test]
    fn each_failure_has_its_line() {
        let detail = Detail {
            lines: true,
            valid: false,
            reasons: false,
        };
        assert_eq!(
            printed(detail),
            "x.zst: ❌ Signature invalid\n\
             x.zst: ❌ Data file not found\n\
             x.zst: ❌ Signature file not found\n\
             x.zst: ⚠️ Signature file not found\n\
             x.zst: ❌ Changed while reading\n\
             x.zst: ❌ Cannot read: Input/output error\n\
             x.zst: ❌ Not a regular file\n"
        );
    }

    #[test]
    fn without_lines_nothing_is_printed() {
        let detail = Detail {
            lines: false,
            valid: true,
            reasons: true,
        };
        assert_eq!(printed(detail), "");
    }

    #[test]
    fn the_summary_names_what_there_was_and_says_when_it_is_not_all() {
        let mut summary = Summary {
            expected: 3,
            bytes: 3_210_000_000,
            elapsed: Duration::from_secs(2),
            ..Summary::default()
        };
        summary.count(&Verdict::Missing);
        summary.count(&Verdict::Invalid(Invalid::NoKeyVerifies));
        assert_eq!(
            summary.to_string(),
            "ended after 2 of 3: 0 valid, 1 invalid, 1 without data file; 3.21 GB in 2.00 s, 1.60 GB/s"
        );
    }
}
