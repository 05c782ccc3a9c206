//! Accounts for what a walk leaves out: what patterns exclude, what is too deep, and what no
//! signature covers.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use super::Search;
use super::pairing::{Entry, Kind, Paired};
use crate::files::Directory;
use crate::names::endings::is_artifact;
use crate::trust::unchecked::{Excluded, Names, Unchecked};

/// A directory that was walked.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// Its path, which begins with the PATH.
    pub(super) path: &'a Path,
    /// The directory as it is shown.
    pub(super) directory: &'a Directory,
    /// Whether the files in it and below it are judged as images.
    pub(super) holds_images: bool,
}

/// The account of what the walks of a survey left out.
pub(super) struct LeftOut<'a> {
    search: &'a Search,
    /// The PATHs with their real paths, if there are several.
    roots: HashMap<&'a Path, PathBuf>,
    /// Those real paths.
    real: BTreeSet<PathBuf>,
    /// The PATH that is walked.
    root: PathBuf,
    /// The other PATHs in it, as paths that begin with it: their own walks account for
    /// them.
    others: HashSet<PathBuf>,
    /// The directory of images that was met last.
    images: Option<PathBuf>,
    unchecked: Unchecked,
}

impl<'a> LeftOut<'a> {
    pub(super) fn new(paths: &'a [PathBuf], search: &'a Search) -> LeftOut<'a> {
        let real = |path: &'a PathBuf| Some((path.as_path(), path.canonicalize().ok()?));
        let roots: HashMap<&Path, PathBuf> = match paths {
            [_] => HashMap::new(),
            paths => paths.iter().filter_map(real).collect(),
        };
        LeftOut {
            search,
            real: roots.values().cloned().collect(),
            roots,
            root: PathBuf::new(),
            others: HashSet::new(),
            images: None,
            unchecked: Unchecked {
                excluded: vec![Excluded::default(); search.reach.exclude.len()],
                ..Unchecked::default()
            },
        }
    }

    /// Begins with the walk of a PATH.
    pub(super) fn begin(&mut self, root: &Path) {
        self.images = None;
        root.clone_into(&mut self.root);
        self.others.clear();
        let Some(real) = self.roots.get(root) else {
            return;
        };
        // In the order of paths, what is in a directory follows it.
        let behind = (Bound::Excluded(real.as_path()), Bound::Unbounded);
        let behind = self.real.range::<Path, _>(behind);
        let below = behind.map_while(|other| other.strip_prefix(real).ok());
        self.others.extend(below.map(|below| root.join(below)));
    }

    /// Returns the account.
    pub(super) fn into_unchecked(self) -> Unchecked {
        self.unchecked
    }

    /// Takes a directory into account: its entries, and how they were paired. Returns the number of
    /// names that are kept of them.
    pub(super) fn take(&mut self, place: Place<'_>, entries: &[Entry], paired: &Paired) -> usize {
        let before = self.kept();
        let is_deepest = self.is_deepest(place);
        let is_left_out =
            |entry: &&Entry| entry.excluded || is_deepest && entry.kind == Kind::Directory;
        let mut left_out: Vec<&Entry> = entries.iter().filter(is_left_out).collect();
        left_out.sort_unstable_by_key(|entry| &entry.name);
        for entry in left_out {
            if entry.excluded {
                self.exclude(place, &entry.name, &entry.name, entry.kind);
            } else if !self.is_of_another(place, &entry.name) {
                let too_deep = &mut self.unchecked.too_deep;
                too_deep.add(|| place.directory.join(&entry.name));
            }
        }
        for (signature, data) in &paired.excluded_along {
            self.exclude(place, signature, data, Kind::File);
        }
        if !self.is_of_images(place) {
            for name in &paired.uncovered {
                if !self.is_of_another(place, name) {
                    let uncovered = &mut self.unchecked.uncovered;
                    uncovered.add(|| place.directory.join(name));
                }
            }
        }
        self.kept() - before
    }

    /// Counts an entry that is left out because a pattern matches the name `matched`.
    fn exclude(&mut self, place: Place<'_>, name: &OsStr, matched: &OsStr, kind: Kind) {
        if self.is_of_another(place, name) {
            return;
        }
        let path = place.path.join(matched);
        let below = path.strip_prefix(&self.root).unwrap_or(&path);
        let matches = self.search.reach.exclude.matches(below);
        let first = matches.first().copied().unwrap_or_default();
        let Some(excluded) = self.unchecked.excluded.get_mut(first) else {
            return;
        };
        if kind == Kind::Directory {
            excluded.directories.add(|| place.directory.join(name));
            return;
        }
        excluded.files.add(|| place.directory.join(name));
        excluded.artifacts += u64::from(is_artifact(name));
        // A file that is gone has no size.
        let size = || {
            place
                .path
                .join(name)
                .metadata()
                .map_or(0, |file| file.len())
        };
        excluded.bytes += if kind == Kind::File { size() } else { 0 };
    }

    /// Reports whether the directories in this one are too deep.
    fn is_deepest(&self, place: Place<'_>) -> bool {
        let below = place.path.strip_prefix(&self.root);
        let depth = below.map_or(0, |below| below.components().count()) + 1;
        self.search
            .reach
            .max_depth
            .is_some_and(|most| depth >= most)
    }

    /// Reports whether the files here are judged as images: in a directory of images, or below one.
    fn is_of_images(&mut self, place: Place<'_>) -> bool {
        let is_below = |images: &PathBuf| place.path.starts_with(images);
        if !self.images.as_ref().is_some_and(is_below) {
            self.images = place.holds_images.then(|| place.path.to_owned());
        }
        self.images.is_some()
    }

    /// Reports whether an entry is, or is in, another PATH.
    fn is_of_another(&self, place: Place<'_>, name: &OsStr) -> bool {
        if self.others.is_empty() {
            return false;
        }
        let entry = place.path.join(name);
        entry.ancestors().any(|above| self.others.contains(above))
    }

    fn kept(&self) -> usize {
        let unchecked = &self.unchecked;
        let excluded = unchecked.excluded.iter();
        let excluded = excluded.flat_map(|excluded| [&excluded.files, &excluded.directories]);
        let names = excluded.chain([&unchecked.too_deep, &unchecked.uncovered]);
        names.map(|names: &Names| names.kept().len()).sum()
    }
}
