//! The rows of the table.

use super::super::words;
use super::keys::{Numbers, short};
use crate::text::size::size;
use crate::text::time::rfc3339;
use crate::trust::claimed::ClaimedContent;
use crate::trust::record::Record;
use crate::trust::terms::{Reason, Status};
use crate::trust::verdict::Verdict;

/// A record in the table.
pub(super) struct Row {
    /// Whether it is about something inside the artifact of a row before it.
    pub(super) is_inside: bool,
    pub(super) class: &'static str,
    pub(super) mark: String,
    pub(super) status: &'static str,
    pub(super) path: String,
    pub(super) size: String,
    pub(super) bytes: String,
    pub(super) digest: String,
    pub(super) signature: String,
    pub(super) signature_file: String,
    pub(super) key: String,
    pub(super) key_class: String,
    /// The reason as a term, and in words with what to do; empty if it is valid.
    pub(super) reason: &'static str,
    pub(super) detail: String,
    pub(super) seconds: String,
}

impl Row {
    pub(super) fn of(record: &Record, is_inside: bool, keys: &Numbers) -> Row {
        let verdict = words::verdict(record);
        let key = record.verdict.key();
        let signature_file = record.signature_content();
        let is_valid = record.verdict.status().is_verified();
        Row {
            is_inside,
            class: class(&record.verdict),
            mark: verdict.split(' ').next().unwrap_or_default().to_owned(),
            status: Status::of(&record.verdict).name(),
            path: words::subject(record),
            size: record.size.map(size).unwrap_or_default(),
            bytes: record
                .size
                .map(|bytes| bytes.to_string())
                .unwrap_or_default(),
            digest: record
                .sha256()
                .map(|digest| digest.to_string())
                .unwrap_or_default(),
            signature: match &record.signature {
                Some(_) => words::signature(record),
                None => String::new(),
            },
            signature_file: signature_file.map(evidence).unwrap_or_default(),
            key: key
                .map(|key| short(&key.to_string()).to_owned())
                .unwrap_or_default(),
            key_class: key.map(|key| keys.class(key)).unwrap_or_default(),
            reason: if is_valid {
                ""
            } else {
                Reason::of(&record.verdict).name()
            },
            detail: if is_valid {
                String::new()
            } else {
                words::full_detail(record)
            },
            seconds: format!("{:.3}", record.elapsed.as_secs_f64()),
        }
    }
}

/// Returns the size, the time and the digest of a signature file.
pub(super) fn evidence(file: ClaimedContent) -> String {
    let modified = file.modified.map(|time| format!(", {}", rfc3339(time)));
    let digest = file.sha256.map(|digest| format!(", {digest}"));
    format!(
        "{} bytes{}{}",
        file.size.unwrap_or_default(),
        modified.unwrap_or_default(),
        digest.unwrap_or_default()
    )
}

/// Returns the class of an artifact: valid, accepted without a signature, or failed.
fn class(verdict: &Verdict) -> &'static str {
    match verdict {
        verdict if verdict.status().is_verified() => "pass",
        verdict if verdict.passes() => "none",
        _ => "fail",
    }
}
