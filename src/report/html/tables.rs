//! The page's tables besides that of the artifacts: differences, and keys that are not trusted.

use super::super::{differences, signers, words};
use crate::audit::{Content, Finding};
use crate::hints::notes::Note;
use crate::run::ShardRun;
use crate::text::escape;
use crate::text::time::{rfc3339, span};

/// A difference.
pub(super) struct FindingRow {
    pub(super) difference: String,
    pub(super) subject: String,
    /// Other paths that it has to do with.
    pub(super) remarks: Vec<String>,
    pub(super) old: Option<ContentCell>,
    pub(super) new: Option<ContentCell>,
}

/// A content.
pub(super) struct ContentCell {
    pub(super) digest: String,
    pub(super) size: String,
}

impl FindingRow {
    pub(super) fn of(finding: &Finding) -> FindingRow {
        let from = finding.from.as_ref();
        let from = from.map(|from| format!("then: {}", words::shown(from)));
        let like = finding.like.as_ref();
        let like = like.map(|like| format!("looks like {}, which is gone", words::shown(like)));
        FindingRow {
            difference: finding.difference.name().replace('-', " "),
            subject: differences::subject(finding),
            remarks: from.into_iter().chain(like).collect(),
            old: finding.old.as_ref().map(ContentCell::of),
            new: finding.new.as_ref().map(ContentCell::of),
        }
    }
}

impl ContentCell {
    fn of(content: &Content) -> ContentCell {
        let digest = content.sha256.map(|digest| digest.to_string());
        ContentCell {
            digest: digest.unwrap_or_else(|| "not hashed".to_owned()),
            size: content
                .size
                .map(differences::exact_size)
                .unwrap_or_default(),
        }
    }
}

/// A run over one shard.
pub(super) struct ShardRow {
    pub(super) index: u32,
    pub(super) host: String,
    pub(super) began: String,
    pub(super) took: String,
    pub(super) records: u64,
    pub(super) failures: u64,
    pub(super) exit_status: u8,
    pub(super) report: String,
    pub(super) digest: String,
}

impl ShardRow {
    pub(super) fn of(run: &ShardRun) -> ShardRow {
        ShardRow {
            index: run.index,
            host: escape::name(run.host.as_ref()),
            began: rfc3339(run.time),
            took: span(run.elapsed),
            records: run.records,
            failures: run.failures,
            exit_status: run.exit_status,
            report: words::shown_path(&run.report),
            digest: run.digest.to_string(),
        }
    }
}

/// A key that is not trusted and made signatures, or what no key in common made.
pub(super) struct SignerRow {
    pub(super) fingerprint: Option<String>,
    pub(super) held_by: Vec<String>,
    pub(super) made: Vec<String>,
    pub(super) examined: u64,
    pub(super) failed: u64,
}

impl SignerRow {
    /// Reports whether a note is one of the rows, and need not be reported again.
    pub(super) fn is_one(note: &Note) -> bool {
        matches!(note, Note::OtherSigner { .. } | Note::NoCommonSigner { .. })
    }

    pub(super) fn all(notes: &[Note]) -> Vec<SignerRow> {
        notes.iter().filter_map(SignerRow::of).collect()
    }

    fn of(note: &Note) -> Option<SignerRow> {
        Some(match note {
            Note::OtherSigner {
                signer,
                examined,
                failed,
            } => SignerRow {
                fingerprint: Some(signer.fingerprint.to_string()),
                held_by: signer.found_in.iter().map(words::shown).collect(),
                made: signer.made.iter().map(signers::subject).collect(),
                examined: *examined,
                failed: *failed,
            },
            Note::NoCommonSigner {
                of,
                examined,
                failed,
            } => SignerRow {
                fingerprint: None,
                held_by: Vec::new(),
                made: of.iter().map(signers::subject).collect(),
                examined: *examined,
                failed: *failed,
            },
            _ => return None,
        })
    }
}
