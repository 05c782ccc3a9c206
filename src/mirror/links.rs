//! Targets of links: outside of the PATHs, or a directory that is judged under another name.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::walk::{WalkOptions, real_directory};
use super::{Artifact, Survey};
use crate::files::SharedPath;

/// The directories that a run's walks read, used to find out whether a link that was not entered
/// leads to one of them.
#[derive(Default)]
pub(super) struct Walked {
    trees: Vec<Tree>,
}

struct Tree {
    root: PathBuf,
    /// The real path of `root`.
    place: PathBuf,
    /// The directories that were read, sorted.
    read: Vec<PathBuf>,
    partly: HashSet<PathBuf>,
    max_depth: Option<usize>,
    follow_links: bool,
}

impl Walked {
    /// Adds the directories `read` below the PATH `root`, sorted, and those of them read only in
    /// part. A root without a real path is left out: no link is known to lead into it.
    pub(super) fn add(
        &mut self,
        root: &Path,
        read: Vec<PathBuf>,
        partly: HashSet<PathBuf>,
        reach: &WalkOptions,
    ) {
        self.trees.extend(root.canonicalize().map(|place| Tree {
            root: root.to_owned(),
            place,
            read,
            partly,
            max_depth: reach.max_depth,
            follow_links: reach.follow_links,
        }));
    }

    /// Returns the name under which the directory behind a link of this depth is judged, if
    /// everything that would be judged behind the link is judged there.
    pub(super) fn name_of(&self, link: &Path, depth: usize) -> Option<PathBuf> {
        let target = real_directory(link).ok()?;
        self.trees
            .iter()
            .find_map(|tree| tree.name_of(&target, depth))
    }
}

impl Tree {
    fn name_of(&self, target: &Path, link_depth: usize) -> Option<PathBuf> {
        let below = target.strip_prefix(&self.place).ok()?;
        let name = if below == Path::new("") {
            self.root.clone()
        } else {
            self.root.join(below)
        };
        // Fail closed: a directory from which something was left out, or parts of which are deeper
        // than the walk went, is not judged. Nor is one already known to have another name, which
        // happens if links are followed.
        let is_judged = !self.follow_links
            && self.read.binary_search(&name).is_ok()
            && !self.partly.contains(&name)
            && (self.max_depth.is_none() || below.components().count() <= link_depth);
        is_judged.then(|| super::shown(&self.root, &name, Path::new(".")))
    }
}

/// A link that leads out of the PATHs.
#[derive(Debug, PartialEq, Eq)]
pub struct OutsideLink {
    /// Its path as reached from the PATH.
    pub link: PathBuf,
    /// Its target, with all links resolved.
    pub target: PathBuf,
}

/// Returns the links to artifacts, signatures and entered directories that lead out of all of
/// `paths`, each once, sorted by path.
///
/// Resolves only links, so that a mirror without links costs nothing.
pub fn leading_out(survey: &Survey, paths: &[PathBuf]) -> Vec<OutsideLink> {
    if survey.links_followed.is_empty() {
        return Vec::new();
    }
    let places: Vec<PathBuf> = paths.iter().filter_map(|path| place(path)).collect();
    let read: HashSet<&SharedPath> = survey.artifacts.iter().flat_map(names).collect();
    let outside = |path: &SharedPath| {
        let link = path.to_path_buf();
        let target = link.canonicalize().ok()?;
        let is_inside = places.iter().any(|place| target.starts_with(place));
        let is_used = read.contains(path) || target.is_dir();
        (!is_inside && is_used).then_some(OutsideLink { link, target })
    };
    let links: HashSet<&SharedPath> = survey.links_followed.iter().collect();
    let mut outside: Vec<OutsideLink> = links.into_iter().filter_map(outside).collect();
    outside.sort_by(|a, b| a.link.cmp(&b.link));
    outside.dedup_by(|a, b| a.link == b.link);
    outside
}

/// Returns the directory that a PATH names, or that contains the file it names.
fn place(path: &Path) -> Option<PathBuf> {
    let directory = if path.is_dir() { path } else { path.parent()? };
    Path::new(".").join(directory).canonicalize().ok()
}

/// Returns the paths of an artifact's data and signature.
pub(super) fn names(artifact: &Artifact) -> impl Iterator<Item = &SharedPath> {
    [Some(&artifact.data), artifact.signature()]
        .into_iter()
        .flatten()
}
