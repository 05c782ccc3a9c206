//! Converts audits and comparisons to the objects of the JSON reports.

use super::differences;
use super::document::member;
use crate::audit;
use crate::audit::comparison::{Comparison, Side};
use crate::run::VERSION;
use crate::run::conclusion::Conclusion;
use crate::text::time::rfc3339;
use crate::wire::{self, Audit, Content, Finding, KeyName, PathMember, SCHEMA, Type};

/// Returns an audit.
pub(super) fn of_audit(audit: &audit::Audit) -> Audit<'_> {
    Audit {
        baseline: PathMember::of(&audit.baseline),
        sha256: audit.digest.to_string().into(),
        time: audit.time.as_str().into(),
        findings: audit.findings.iter().map(finding).collect(),
    }
}

fn finding(finding: &audit::Finding) -> Finding<'_> {
    Finding {
        finding: finding.difference.name().into(),
        path: member(&finding.path),
        image: finding.image.as_deref().map(Into::into),
        from: finding.from.as_ref().map(member),
        old: finding.old.as_ref().map(content),
        new: finding.new.as_ref().map(content),
        like: finding.like.as_ref().map(member),
    }
}

fn content(content: &audit::Content) -> Content<'static> {
    Content {
        sha256: content.sha256.map(|sha256| sha256.to_string().into()),
        size: content.size,
    }
}

/// Returns a comparison of two reports.
pub(super) fn comparison(comparison: &Comparison) -> wire::Comparison<'_> {
    wire::Comparison {
        schema: SCHEMA,
        r#type: Type::Comparison,
        version: VERSION.into(),
        time: rfc3339(comparison.time).into(),
        host: comparison.host.as_str().into(),
        old: compared(&comparison.old),
        new: compared(&comparison.new),
        findings: comparison.findings.iter().map(finding).collect(),
        new_keys: comparison
            .new_keys
            .iter()
            .map(|key| KeyName {
                name: key.name.as_str().into(),
                fingerprint: key.fingerprint.as_str().into(),
            })
            .collect(),
        remarks: differences::comparison_remarks(comparison)
            .into_iter()
            .map(Into::into)
            .collect(),
        exit_status: Conclusion::of(comparison).exit_status(),
    }
}

fn compared(side: &Side) -> wire::Compared<'_> {
    wire::Compared {
        report: PathMember::of(&side.path),
        sha256: side.digest.to_string().into(),
        time: side.time.as_str().into(),
        host: side.host.as_str().into(),
        artifacts: side.artifacts,
        failures: side.failures,
        exit_status: side.exit_status,
    }
}
