//! An audit: a comparison of a run's records with the report of an earlier run, or of two reports.
//! Pure: takes records and reports, returns findings.
//!
//! A signature covers neither a file's name nor the set of files. A report of the mirror in an
//! accepted state reveals what was removed, added, renamed, or replaced by something else that is
//! signed as well, such as an older release.

pub mod baseline;
pub mod comparison;
mod finding;
mod images;
mod state;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::path::PathBuf;

use crate::digest::Digest;
use crate::files::SharedPath;
use crate::names::alike;
use crate::names::place::Place;
use crate::trust::claimed::ClaimedDigest;
use crate::trust::record::Record;
use baseline::Baseline;
pub use finding::{Content, Difference, Finding};
use state::{Known, State};

/// A completed audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// The report that the run was compared with.
    pub baseline: PathBuf,
    /// The SHA-256 of that report.
    pub digest: Digest,
    /// When the baseline's run began, according to the report.
    pub time: String,
    /// Whether this run judged images and could not compare them: the baseline's did not.
    pub leaves_out_images: bool,
    /// All differences.
    pub findings: Vec<Finding>,
}

/// What reports the failures of the later state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failures {
    /// The run's own lines do, so a failure is not a difference as well.
    HaveLines,
    /// Nothing else does.
    AreFindings,
}

/// The places of the earlier state where nothing exists any more, by their content.
type Gone<'a> = BTreeMap<Option<ClaimedDigest>, VecDeque<&'a Place>>;

/// Compares the records of a complete run over the PATHs `roots` with a baseline, and returns all
/// differences, in bytewise order of paths within each PATH.
pub fn compare(baseline: &Baseline, roots: &[PathBuf], records: &[Record]) -> Vec<Finding> {
    let now = State::of_run(roots, records);
    differences(&baseline.state, &now, roots, Failures::HaveLines)
}

/// Returns all differences between two states. `roots` are the PATHs of the later one.
fn differences(then: &State, now: &State, roots: &[PathBuf], failures: Failures) -> Vec<Finding> {
    let mut gone = gone(then, now);
    let mut findings: BTreeMap<&Place, Finding> = BTreeMap::new();
    for (place, known) in &now.artifacts {
        let finding = match then.artifacts.get(place) {
            Some(earlier) => difference(earlier, known, failures),
            None => Some(match take(&mut gone, known.content.sha256) {
                Some(from) => renamed(from, then, known),
                None => new_one(known),
            }),
        };
        findings.extend(finding.map(|finding| (place, finding)));
    }
    for place in gone.into_values().flatten() {
        findings.insert(place, removed(place, then, roots));
    }
    let mut findings: Vec<Finding> = findings.into_values().collect();
    note_alike(&mut findings);
    if let (Some(of_then), Some(of_now)) = (&then.images, &now.images) {
        let is_here =
            |place: &Place| then.artifacts.contains_key(place) && now.artifacts.contains_key(place);
        let roots = |place: &Place| place.under(roots).into();
        findings.extend(images::differences(
            of_then, of_now, failures, is_here, roots,
        ));
    }
    findings
}

/// Returns how an artifact differs that both states have at its place.
fn difference(then: &Known, now: &Known, failures: Failures) -> Option<Finding> {
    let difference = if is_changed(then, now, failures) {
        Difference::Modified
    } else if then.signatures > now.signatures && is_reported(now.passes, failures) {
        Difference::SignatureLost
    } else {
        return None;
    };
    Some(Finding {
        from: Some(&then.path).filter(|path| **path != now.path).cloned(),
        old: Some(then.content),
        new: Some(now.content),
        ..Finding::new(difference, now.path.clone())
    })
}

/// Reports whether something that was signed is not any more, and no line says so.
fn is_reported(passes: bool, failures: Failures) -> bool {
    passes || failures == Failures::AreFindings
}

fn is_changed(then: &Known, now: &Known, failures: Failures) -> bool {
    match (then.content.sha256, now.content.sha256) {
        // Fail closed: one of its contents differs from the baseline's.
        _ if now.is_torn => true,
        (Some(then), Some(now)) => then != now,
        // Fail closed: an unknown content is not known to be the same, even if the new one is
        // signed. This costs a finding where an artifact was unreadable when the baseline was made:
        // it had none of its contents.
        (None, Some(_)) => true,
        // Its images are compared one by one.
        (None, None) if now.has_only_images => false,
        // An artifact that was not hashed has already failed, with its own line. Fail closed: if
        // one ever passes, or has no line, it is not known to be the same.
        (Some(_), None) => now.passes || failures == Failures::AreFindings,
        (None, None) => now.passes || then.passes && failures == Failures::AreFindings,
    }
}

fn renamed(from: &Place, then: &State, now: &Known) -> Finding {
    let then = then.artifacts.get(from);
    Finding {
        from: then.map(|then| then.path.clone()),
        old: then.map(|then| then.content),
        new: Some(now.content),
        ..Finding::new(Difference::Renamed, now.path.clone())
    }
}

fn new_one(now: &Known) -> Finding {
    Finding {
        new: Some(now.content),
        ..Finding::new(Difference::Added, now.path.clone())
    }
}

fn removed(place: &Place, then: &State, roots: &[PathBuf]) -> Finding {
    let path: SharedPath = place.under(roots).into();
    let then = then.artifacts.get(place);
    let from = then.map(|then| &then.path).filter(|from| **from != path);
    Finding {
        from: from.cloned(),
        old: then.map(|then| then.content),
        ..Finding::new(Difference::Removed, path)
    }
}

/// Adds the removed path that looks like it to each added one, whose lines would look the same.
fn note_alike(findings: &mut [Finding]) {
    let removed = findings
        .iter()
        .filter(|finding| finding.difference == Difference::Removed);
    let removed: HashSet<&SharedPath> = removed.map(|finding| &finding.path).collect();
    let groups = alike::groups(findings.iter().map(|finding| &finding.path));
    let groups = groups.into_iter().filter_map(|group| {
        let like = group.iter().copied().find(|path| removed.contains(*path))?;
        Some((group.into_iter().cloned().collect::<Vec<_>>(), like.clone()))
    });
    let like: HashMap<SharedPath, SharedPath> = groups
        .flat_map(|(paths, like)| paths.into_iter().map(move |path| (path, like.clone())))
        .collect();
    for finding in findings {
        if finding.difference == Difference::Added {
            finding.like = like.get(&finding.path).cloned();
        }
    }
}

fn gone<'a>(then: &'a State, now: &State) -> Gone<'a> {
    let mut gone = Gone::new();
    for (place, known) in &then.artifacts {
        if !now.artifacts.contains_key(place) {
            let same = gone.entry(known.content.sha256).or_default();
            same.push_back(place);
        }
    }
    gone
}

/// Takes a place that had this content. Each place belongs to at most one rename.
fn take<'a>(gone: &mut Gone<'a>, sha256: Option<ClaimedDigest>) -> Option<&'a Place> {
    // Two unknown contents do not count as the same.
    let places = sha256.and_then(|sha256| gone.get_mut(&Some(sha256)))?;
    places.pop_front()
}
