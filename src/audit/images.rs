//! Images inside artifacts, compared with those of an earlier run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::Finding;
use super::place::{Place, Roots};
use crate::trust::image::Image;
use crate::trust::verdict::{Record, Subject};
use crate::wire::audited;

/// The digests that each image had: by the place of its artifact, and by its name, or its digest if
/// it has none.
pub(super) type Images = BTreeMap<(Place, String), BTreeSet<String>>;

/// Returns the images of a report.
pub(super) fn then<'a>(images: impl Iterator<Item = (Place, &'a audited::Image)>) -> Images {
    let mut all = Images::new();
    for (place, image) in images {
        let name = image.name.as_ref().unwrap_or(&image.id).clone();
        all.entry((place, name))
            .or_default()
            .insert(image.id.clone());
    }
    all
}

fn now<'a>(roots: &Roots<'_>, images: impl Iterator<Item = &'a Image>) -> Images {
    let mut all = Images::new();
    for image in images {
        let place = roots.place(&image.artifact.to_path_buf());
        let name = image.name.as_ref().unwrap_or(&image.id).to_string();
        all.entry((place, name))
            .or_default()
            .insert(image.id.to_string());
    }
    all
}

/// Returns the images that came, went or changed, in the order of their artifacts and names. Those
/// of an artifact that came or went itself are named with it, and not again here: `is_here` is
/// whether an artifact is in both runs.
pub(super) fn compare(
    then: &Images,
    roots: &[PathBuf],
    records: &[Record],
    is_here: impl Fn(&Place) -> bool,
) -> Vec<Finding> {
    let images = records.iter().filter_map(|record| match &record.subject {
        Subject::Image(image) => Some(&**image),
        Subject::Artifact(_) | Subject::Contents(_) => None,
    });
    let now = now(&Roots::new(roots), images);
    let names: BTreeSet<&(Place, String)> = then.keys().chain(now.keys()).collect();
    let finding = |name: &(Place, String)| {
        let (place, image) = name;
        let path = place.under(roots).into();
        let image = image.clone();
        match (then.get(name), now.get(name)) {
            (Some(_), None) => Some(Finding::ImageMissing { path, image }),
            (None, Some(_)) => Some(Finding::ImageAdded { path, image }),
            (then, now) if then != now => Some(Finding::ImageChanged { path, image }),
            _ => None,
        }
    };
    let names = names.into_iter().filter(|(place, _)| is_here(place));
    names.filter_map(finding).collect()
}
