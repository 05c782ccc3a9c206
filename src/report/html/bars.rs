//! The diagrams of the totals: one of the signatures, and one of the audit.

use crate::audit::{Audit, Difference, Finding};
use crate::run::Run;
use crate::trust::summary::Summary;
use crate::trust::terms::Status;

/// A diagram of totals.
pub(super) struct Bar {
    pub(super) label: &'static str,
    pub(super) shares: Vec<Share>,
}

/// A part of a diagram.
pub(super) struct Share {
    pub(super) status: &'static str,
    pub(super) count: u64,
    /// The class of its colour: `pass`, `fail`, `none` for what was accepted or left out, or
    /// `unknown`.
    pub(super) class: &'static str,
    /// Its start and width, in thousandths of the whole.
    pub(super) begin: f64,
    pub(super) width: f64,
    /// What it is covered with, to distinguish it from others without colours.
    pub(super) pattern: Option<&'static str>,
}

/// The share of artifacts that patterns excluded.
const EXCLUDED: &str = "excluded";
/// The share of artifacts that were not judged before the run ended.
const NOT_JUDGED: &str = "not-judged";
/// The share of artifacts that are as the baseline has them.
const UNCHANGED: &str = "as-in-baseline";

/// Returns the diagrams of a run.
pub(super) fn of(run: Run<'_>) -> Vec<Bar> {
    let excluded = run.end.unchecked.excluded.iter();
    let excluded = excluded.map(|excluded| excluded.artifacts).sum();
    let refuses = !run.start.options.allow_unsigned && run.end.summary.unsigned > 0;
    let signatures = Bar {
        label: "Signatures",
        shares: shares(signatures(&run.end.summary, excluded), refuses),
    };
    let audit = run.end.audit.as_deref().map(|audit| Bar {
        label: "Compared with the baseline",
        shares: shares(differences(audit, run.end.summary.records()), false),
    });
    [signatures].into_iter().chain(audit).collect()
}

fn signatures(summary: &Summary, excluded: u64) -> Vec<(&'static str, u64)> {
    let unjudged = summary.expected.saturating_sub(summary.records());
    let counts = Status::ALL.map(|status| (status.name(), summary.of(status)));
    let others = [(NOT_JUDGED, unjudged), (EXCLUDED, excluded)];
    counts.into_iter().chain(others).collect()
}

fn differences(audit: &Audit, records: u64) -> Vec<(&'static str, u64)> {
    let is_gone = |finding: &&Finding| {
        matches!(
            finding.difference,
            Difference::Removed | Difference::ImageRemoved
        )
    };
    let gone = audit.findings.iter().filter(is_gone).count();
    let here = (audit.findings.len() - gone) as u64;
    let mut counts = vec![(UNCHANGED, records.saturating_sub(here))];
    for name in audit
        .findings
        .iter()
        .map(|finding| finding.difference.name())
    {
        match counts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => counts.push((name, 1)),
        }
    }
    counts
}

/// Minimum width of a share, in thousandths, so that one failure in a million is visible.
const LEAST: f64 = 12.0;

/// `refuses`: whether artifacts without a signature fail. Images without one may pass: see
/// [`ImageCounts`](crate::trust::summary::ImageCounts).
fn shares(counts: Vec<(&'static str, u64)>, refuses: bool) -> Vec<Share> {
    let counts: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
    let whole = counts.iter().map(|(_, count)| count).sum::<u64>().max(1) as f64;
    let rest = 1000.0 - LEAST * counts.len() as f64;
    let mut begin = 0.0;
    let share = |(status, count): (&'static str, u64)| {
        let width = LEAST + rest * count as f64 / whole;
        begin += width;
        Share {
            status,
            count,
            class: class(status, refuses),
            begin: begin - width,
            width,
            pattern: match class(status, refuses) {
                "pass" => None,
                "fail" => Some("hatched"),
                _ => Some("dotted"),
            },
        }
    };
    counts.into_iter().map(share).collect()
}

fn class(status: &str, refuses: bool) -> &'static str {
    match status {
        "valid" | "listed" | UNCHANGED => "pass",
        "unsigned" if refuses => "fail",
        "unsigned" | "no-images" | "verified-earlier" | EXCLUDED => "none",
        NOT_JUDGED => "unknown",
        _ => "fail",
    }
}
