//! A run as the objects of the JSON reports: the only place where a record is flattened.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::remedy::remedy;
use super::words;
use crate::run::{self, Run, VERSION};
use crate::text::time::rfc3339;
use crate::trust::key;
use crate::trust::looks::Looks;
use crate::trust::terms::{Reason, Status};
use crate::trust::verdict::{self, Record, Subject, Verdict};
use crate::wire::{
    Artifact, Audit, Counts, Document, Finding, Key, Note, Options, PathMember, SCHEMA,
    SignatureMember, Start, Summary, Type,
};
use crate::{audit, hints};

/// A whole run.
pub(super) fn whole(run: Run<'_>) -> Document<'_, Artifacts<'_>> {
    Document {
        schema: SCHEMA,
        start: start(run.start),
        artifacts: Artifacts(run.records),
        summary: summary(run.end),
    }
}

/// A list that is made while it is written, so that a million records are not in memory twice.
pub(super) struct Artifacts<'a>(&'a [Record]);

impl Serialize for Artifacts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(artifact))
    }
}

/// How a run began.
pub(super) fn start(start: &run::Start) -> Start<'_> {
    Start {
        r#type: Type::Start,
        schema: SCHEMA,
        version: VERSION.into(),
        time: rfc3339(start.time).into(),
        host: start.host.as_str().into(),
        keys: start.keys.iter().map(|key| of_key(key)).collect(),
        directory: start.directory.as_deref().map(PathMember::of),
        roots: paths(&start.roots),
        options: options(&start.options),
    }
}

fn of_key(key: &key::Key) -> Key<'_> {
    Key {
        name: key.name().into(),
        fingerprint: key.fingerprint().to_string().into(),
    }
}

fn paths(paths: &[PathBuf]) -> Vec<PathMember<'_>> {
    paths.iter().map(|path| PathMember::of(path)).collect()
}

fn signature(path: Option<&Path>) -> SignatureMember<'_> {
    path.map(SignatureMember::of).unwrap_or_default()
}

fn options(options: &run::Options) -> Options<'_> {
    let texts = |texts: &'_ [String]| texts.iter().map(|text| text.clone().into()).collect();
    Options {
        signature: signature(options.signature.as_deref()),
        max_depth: options.max_depth,
        follow_links: options.follow_links,
        exclude: texts(&options.exclude),
        key_fingerprints: texts(&options.key_fingerprints),
        allow_unsigned: options.allow_unsigned,
        all_files: options.all_files,
        baseline: options.baseline.as_deref().map(PathMember::of),
        io: options.io.into(),
        threads: options.threads,
        sha256: options.sha256.into(),
    }
}

/// A record.
pub(super) fn artifact(record: &Record) -> Artifact<'_> {
    let Subject::Artifact(path) = &record.subject;
    let key = match &record.verdict {
        Verdict::Valid { key } => Some(key.fingerprint().to_string().into()),
        _ => None,
    };
    Artifact {
        r#type: Type::Artifact,
        path: PathMember::of(path),
        status: Status::of(&record.verdict).name().into(),
        passes: record.verdict.passes(),
        reason: Reason::of(&record.verdict).name().into(),
        detail: words::detail(record).into(),
        remedy: remedy(record).map(Into::into),
        size: record.size,
        sha256: record.digest.map(|digest| digest.to_string().into()),
        signature: signature(record.signature.as_deref()),
        key,
        parts: paths(&record.parts),
        link: record.link.as_deref().map(PathMember::of),
        looks: record.looks.map(Looks::name).map(Into::into),
        read_as: record.read_as.as_deref().map(PathMember::of),
        seconds: seconds(record.elapsed),
    }
}

/// How a run ended.
pub(super) fn summary(end: &run::End) -> Summary<'_> {
    Summary {
        r#type: Type::Summary,
        time: rfc3339(end.time).into(),
        complete: end.summary.is_complete(),
        interrupted: end.interrupted.map(Into::into),
        expected: end.summary.expected,
        counts: counts(&end.summary),
        failures: end.summary.failures,
        bytes: end.summary.bytes,
        seconds: seconds(end.summary.elapsed),
        exit_status: end.exit_status,
        problems: end
            .problems
            .iter()
            .map(|text| text.as_str().into())
            .collect(),
        notes: end.notes.iter().map(note).collect(),
        audit: end.audit.as_deref().map(of_audit),
    }
}

fn counts(summary: &verdict::Summary) -> Counts {
    Counts {
        valid: summary.valid,
        invalid: summary.invalid,
        unsigned: summary.unsigned,
        missing: summary.missing,
        changed: summary.changed,
        unreadable: summary.unreadable,
        not_regular: summary.not_regular,
    }
}

fn note(note: &hints::notes::Note) -> Note<'_> {
    use hints::notes::Note as Said;
    match note {
        Said::SameContent { digest, paths: of } => Note::SameContent {
            sha256: digest.to_string().into(),
            paths: paths(of),
        },
        Said::SameDirectory { path, judged_as } => Note::SameDirectory {
            path: PathMember::of(path),
            judged_as: PathMember::of(judged_as),
        },
        Said::SignatureFitsOther {
            signature,
            path,
            fits,
        } => Note::SignatureFitsOther {
            signature: SignatureMember::of(signature),
            path: PathMember::of(path),
            fits: PathMember::of(fits),
        },
        Said::WrongKey {
            keys,
            signatures,
            signer,
        } => {
            let fingerprints = keys.iter().map(|key| key.fingerprint().to_string().into());
            Note::WrongKey {
                keys: fingerprints.collect(),
                signatures: *signatures,
                signer: signer.map(|(fingerprint, _)| fingerprint.to_string().into()),
                signer_signatures: signer.map(|(_, made)| made),
            }
        }
        Said::SignatureFits { signature, fits } => Note::SignatureFits {
            signature: SignatureMember::of(signature),
            fits: PathMember::of(fits),
        },
        Said::StraySignature { path } => Note::StraySignature {
            signature: SignatureMember::of(path),
        },
        Said::SpareParts { whole, paths: of } => Note::SpareParts {
            path: PathMember::of(whole),
            paths: paths(of),
        },
        Said::AlikeNames {
            difference,
            paths: of,
        } => Note::AlikeNames {
            difference: (*difference).into(),
            paths: paths(of),
        },
    }
}

fn of_audit(audit: &audit::Audit) -> Audit<'_> {
    Audit {
        baseline: PathMember::of(&audit.baseline),
        sha256: audit.digest.to_string().into(),
        time: audit.time.as_str().into(),
        findings: audit.findings.iter().map(finding).collect(),
    }
}

fn finding(finding: &audit::Finding) -> Finding<'_> {
    let from = match finding {
        audit::Finding::Renamed { from, .. } => Some(PathMember::of(from)),
        _ => None,
    };
    Finding {
        finding: finding.name().into(),
        path: PathMember::of(finding.path()),
        from,
        like: finding.like().map(PathMember::of),
    }
}

/// Seconds with as many digits as a clock is good for: microseconds.
fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e6
}
