//! Images inside artifacts, compared with those of an earlier state.

use std::collections::{BTreeMap, BTreeSet};

use super::baseline::{BaselineError, path, sha256};
use super::finding::{Content, Difference, Finding};
use super::{Failures, is_reported};
use crate::files::SharedPath;
use crate::names::place::{Place, Roots};
use crate::trust::record::{Record, Subject};
use crate::trust::terms::Status;
use crate::wire::audited::Artifact;

/// The images that each name stood for, by digest: by the place of its artifact, and by its name,
/// or its digest if it has none.
pub(super) type Images = BTreeMap<(Place, String), BTreeMap<String, Known>>;

/// What is known of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    content: Content,
    passes: bool,
    is_signed: bool,
}

/// Returns the images of a report.
pub(super) fn of_report(
    places: &Roots<'_>,
    artifacts: &[Artifact],
) -> Result<Images, BaselineError> {
    let mut all = Images::new();
    for artifact in artifacts {
        let Some(image) = &artifact.image else {
            continue;
        };
        let place = places.place(&path(&artifact.path())?);
        let name = image.name.as_ref().unwrap_or(&image.id).clone();
        let known = Known {
            content: Content {
                sha256: artifact.sha256.as_deref().map(sha256).transpose()?,
                size: artifact.size,
            },
            passes: artifact.passes,
            is_signed: artifact.status == "valid",
        };
        add(&mut all, (place, name), image.id.clone(), known);
    }
    Ok(all)
}

/// Returns the images that a run found.
pub(super) fn of_run(places: &Roots<'_>, records: &[Record]) -> Images {
    let mut all = Images::new();
    for record in records {
        let Subject::Image(image) = &record.subject else {
            continue;
        };
        let place = places.place(&image.artifact.to_path_buf());
        let name = image.name.as_ref().unwrap_or(&image.id).to_string();
        let known = Known {
            content: Content {
                sha256: record.sha256(),
                size: record.size,
            },
            passes: record.verdict.passes(),
            is_signed: record.verdict.status() == Status::Valid,
        };
        add(&mut all, (place, name), image.id.to_string(), known);
    }
    all
}

fn add(all: &mut Images, name: (Place, String), id: String, found: Known) {
    let known = all.entry(name).or_default().entry(id).or_insert(found);
    known.passes |= found.passes;
    // Fail closed: one of two records that says it is signed is to be found again.
    known.is_signed |= found.is_signed;
}

/// Returns the images that came, went or changed, or are signed no more, in the order of their
/// artifacts and names. Those of an artifact that came or went itself are named with it, and not
/// again here: `is_here` is whether an artifact is in both states.
pub(super) fn differences(
    then: &Images,
    now: &Images,
    failures: Failures,
    is_here: impl Fn(&Place) -> bool,
    path: impl Fn(&Place) -> SharedPath,
) -> Vec<Finding> {
    let names: BTreeSet<&(Place, String)> = then.keys().chain(now.keys()).collect();
    let names = names.into_iter().filter(|(place, _)| is_here(place));
    let finding = |name: &(Place, String)| {
        let difference = difference(then.get(name), now.get(name), failures)?;
        let (place, image) = name;
        Some(Finding {
            image: Some(image.clone()),
            old: content(then.get(name), now.get(name)),
            new: content(now.get(name), then.get(name)),
            ..Finding::new(difference, path(place))
        })
    };
    names.filter_map(finding).collect()
}

/// The images that a name stands for, by digest.
type Named = BTreeMap<String, Known>;

fn difference(then: Option<&Named>, now: Option<&Named>, failures: Failures) -> Option<Difference> {
    let (then, now) = match (then, now) {
        (Some(then), Some(now)) => (then, now),
        (Some(_), None) => return Some(Difference::ImageRemoved),
        (None, Some(_)) => return Some(Difference::ImageAdded),
        (None, None) => return None,
    };
    if !then.keys().eq(now.keys()) {
        return Some(Difference::ImageModified);
    }
    let mut both = then.values().zip(now.values());
    let is_lost = both
        .any(|(then, now)| then.is_signed && !now.is_signed && is_reported(now.passes, failures));
    is_lost.then_some(Difference::ImageSignatureLost)
}

/// Returns the content of the first image that only one state has under a name, or of the first.
fn content(of: Option<&Named>, other: Option<&Named>) -> Option<Content> {
    let is_new = |id: &String| other.is_none_or(|other| !other.contains_key(id));
    let of = of?;
    let only = of.iter().find(|(id, _)| is_new(id));
    let (_, known) = only.or_else(|| of.iter().next())?;
    Some(known.content)
}
