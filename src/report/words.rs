//! Verdicts in words.

use std::path::Path;

use super::escape;
use crate::digest::choice::{Choice, Measurement};
use crate::trust::verdict::{Part, Record, Subject, Verdict};

/// What a record speaks of, as it is printed.
pub(super) fn subject(record: &Record) -> String {
    match &record.subject {
        Subject::Artifact(path) => shown(path),
    }
}

/// A path as it is printed.
pub(super) fn shown(path: &Path) -> String {
    escape::name(path.as_os_str())
}

/// The verdict as the sample script words it, and as it would word the others.
pub(super) fn verdict(verdict: &Verdict) -> String {
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
pub(super) fn reason(record: &Record) -> String {
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

/// The verdict and its reason, without a mark.
pub(super) fn detail(record: &Record) -> String {
    let verdict = verdict(&record.verdict);
    let (_, words) = verdict.split_once(' ').unwrap_or_default();
    format!("{words} ({})", reason(record))
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
