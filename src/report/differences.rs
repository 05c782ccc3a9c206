//! Audits as text: how a run differs from its baseline, and two reports from each other.

use super::images;
use super::words::{difference_in_words, distinguishably, shown, shown_path};
use crate::audit::comparison::{Comparison, Side, Trusted};
use crate::audit::{Audit, Content, Difference, Finding};
use crate::files::SharedPath;
use crate::names::alike;
use crate::text::escape;
use crate::text::size::size;

/// Returns a difference of a run from its baseline, as a line like those of the verdicts.
pub fn finding(finding: &Finding) -> String {
    line(finding, "the baseline")
}

/// Returns a difference of two reports, as a line like those of the verdicts.
pub fn compared(finding: &Finding) -> String {
    line(finding, "the earlier report")
}

fn line(finding: &Finding, earlier: &str) -> String {
    let subject = subject(finding);
    let then = finding.old.as_ref().map(content).unwrap_or_default();
    let now = finding.new.as_ref().map(content).unwrap_or_default();
    let from = finding.from.as_ref();
    let as_then = from.map(|from| format!(" as {}", shown(from)));
    let as_then = as_then.unwrap_or_default();
    let like = finding.like.as_ref().or(from);
    let alike = like.map(|like| alike(like, &finding.path));
    let alike = alike.unwrap_or_default();
    let what = match finding.difference {
        Difference::Removed => format!("❌ Removed: {earlier} has it{as_then}, {then}"),
        Difference::Added => {
            format!("❌ Added: {earlier} does not have it; {now}{alike}")
        }
        Difference::Modified => {
            format!("❌ Modified: {earlier} has {then}{as_then}; now {now}")
        }
        Difference::Renamed => {
            format!("❌ Renamed: {earlier} has this content{as_then}; {now}{alike}")
        }
        Difference::SignatureLost => {
            format!("❌ Signature lost: valid in {earlier}, and not any more; the same {now}")
        }
        Difference::ImageRemoved => format!("❌ Image removed: {earlier} has it, {then}"),
        Difference::ImageAdded => {
            format!("❌ Image added: {earlier} does not have it; {now}")
        }
        Difference::ImageModified => {
            format!("❌ Image modified: {earlier} has {then}; now {now}")
        }
        Difference::ImageSignatureLost => {
            format!("❌ Image signature lost: valid in {earlier}, and not any more; the same {now}")
        }
    };
    format!("{subject}: {what}")
}

/// Returns the artifact or image that differs, as printed.
pub(super) fn subject(finding: &Finding) -> String {
    match &finding.image {
        Some(image) => images::inside(&finding.path, image),
        None => shown(&finding.path),
    }
}

/// Returns a content by its digest and size.
fn content(content: &Content) -> String {
    let digest = match content.sha256 {
        Some(digest) => format!("SHA-256 {digest}"),
        None => "a content that was not hashed".to_owned(),
    };
    match content.size {
        Some(bytes) => format!("{digest} ({})", exact_size(bytes)),
        None => digest,
    }
}

/// Returns a size to the byte: two contents of nearly the same size are told apart.
pub(super) fn exact_size(bytes: u64) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        0..=999 => format!("{bytes} bytes"),
        _ => format!("{}, {bytes} bytes", size(bytes)),
    }
}

/// Describes how two similar paths differ; empty if they are not similar.
fn alike(then: &SharedPath, now: &SharedPath) -> String {
    let difference = alike::Difference::between(then, now);
    difference
        .map(alike::Difference::name)
        .map_or_else(String::new, |difference| {
            let name = distinguishably(difference);
            format!(
                "; {} there and {} here differ only in {}",
                name(then),
                name(now),
                difference_in_words(difference)
            )
        })
}

/// Returns the result of an audit: the number of differences of each kind.
pub fn audit(audit: &Audit) -> String {
    let (baseline, time) = (
        shown_path(&audit.baseline),
        escape::name(audit.time.as_ref()),
    );
    let images = if audit.leaves_out_images {
        "; images were not compared, since this baseline lists none: make a new one with --images"
    } else {
        ""
    };
    let result = counts(&audit.findings);
    format!("audit against {baseline}, of {time}: {result}{images}")
}

/// Returns the number of differences of each kind.
pub(super) fn counts(findings: &[Finding]) -> String {
    let count = |difference| {
        let of_kind = findings.iter();
        of_kind
            .filter(|finding| finding.difference == difference)
            .count()
    };
    let counts = Difference::ALL.map(|difference| (count(difference), difference.name()));
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts
        .map(|(count, kind)| format!("{count} {}", kind.replace('-', " ")))
        .collect();
    if counts.is_empty() {
        "no difference".to_owned()
    } else {
        counts.join(", ")
    }
}

/// Returns the result of a comparison: the number of differences of each kind.
pub fn comparison(comparison: &Comparison) -> String {
    let (old, new) = (&comparison.old, &comparison.new);
    format!(
        "{} compared with {}: {}",
        side(new),
        side(old),
        counts(&comparison.findings)
    )
}

/// Returns a report of a comparison: its path and its run, as it says.
pub(super) fn side(side: &Side) -> String {
    let (path, time) = (shown_path(&side.path), escape::name(side.time.as_ref()));
    format!("{path}, of {time}")
}

/// What a comparison rests on.
pub const RESTS_ON: &str = "this compares what two reports claim: nothing was hashed, and no signature was verified; it is worth as \
                            much as the places where the reports were kept";

/// Returns what else there is to say of a comparison, most of which keeps it from success.
pub fn comparison_remarks(comparison: &Comparison) -> Vec<String> {
    let Comparison { new, .. } = comparison;
    let mut remarks: Vec<String> = comparison.new_keys.iter().map(new_key).collect();
    let path = shown_path(&new.path);
    if new.failures > 0 {
        let failures = new.failures;
        remarks.push(format!(
            "{path}: {failures} artifacts and images in it did not pass"
        ));
    }
    if new.exit_status > 1 {
        let status = new.exit_status;
        remarks.push(format!(
            "{path}: its run came to no judgement (exit status {status})"
        ));
    }
    if new.artifacts == 0 {
        remarks.push(format!(
            "{path}: no artifact is in it, so there is nothing to compare"
        ));
    }
    if comparison.leaves_out_images() {
        let path = shown_path(&comparison.old.path);
        remarks.push(format!(
            "{path}: it lists no images, so images were not compared: make it again with --images"
        ));
    }
    remarks
}

fn new_key(key: &Trusted) -> String {
    let (name, fingerprint) = (
        escape::name(key.name.as_ref()),
        escape::name(key.fingerprint.as_ref()),
    );
    format!(
        "key {name} ({fingerprint}): the later run trusted it, and the earlier one did not; what it verified may \
         have been signed by anyone who could name a key"
    )
}
