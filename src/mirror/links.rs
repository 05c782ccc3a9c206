//! Links that lead out of the PATHs: what is read through them lies elsewhere.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use super::{Artifact, Survey};

/// A link that leads out of the PATHs.
#[derive(Debug, PartialEq, Eq)]
pub struct Outward {
    /// Its path as reached from the PATH.
    pub link: PathBuf,
    /// What it leads to, all links resolved.
    pub target: PathBuf,
}

/// The links to artifacts, to signatures and to entered directories that lead out of all of `paths`, each once, by path.
///
/// Only links are resolved, so that a mirror without any costs nothing.
pub fn leading_out(survey: &Survey, paths: &[PathBuf]) -> Vec<Outward> {
    if survey.links_followed.is_empty() {
        return Vec::new();
    }
    let places: Vec<PathBuf> = paths.iter().filter_map(|path| place(path)).collect();
    let read: HashSet<&Path> = survey.artifacts.iter().flat_map(names).collect();
    let links: BTreeSet<&PathBuf> = survey.links_followed.iter().collect();
    let outward = |link: &PathBuf| {
        let target = link.canonicalize().ok()?;
        let is_inside = places.iter().any(|place| target.starts_with(place));
        let is_used = read.contains(link.as_path()) || target.is_dir();
        (!is_inside && is_used).then(|| Outward {
            link: link.clone(),
            target,
        })
    };
    links.into_iter().filter_map(outward).collect()
}

/// The directory that a PATH brings in, or that a file named as PATH lies in.
fn place(path: &Path) -> Option<PathBuf> {
    let directory = match path.is_dir() {
        true => path,
        false => path.parent()?,
    };
    Path::new(".").join(directory).canonicalize().ok()
}

/// The paths of an artifact's files.
pub(super) fn names(artifact: &Artifact) -> impl Iterator<Item = &Path> {
    [Some(artifact.data.as_path()), artifact.signature()]
        .into_iter()
        .flatten()
}
