//! Looks into one directory, on any thread: pairs its entries, and asks the file system for what
//! the artifacts are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::helpers::Helpers;
use super::located::{decide, located};
use super::pairing::{self, Entry, Pair, Paired};
use super::walk::Listing;
use super::watch::{Ended, Room, Watch};
use super::{Artifact, Search, saved, shown};
use crate::files::{Directory, SharedPath};

/// Memory per entry in bytes while its directory is paired, for a name of usual length.
const MEMORY_OF_PAIRING: usize = 400;
/// Memory per artifact in bytes in addition to itself: two names.
pub(super) const MEMORY_OF_NAMES: usize = 2 * 64;
/// Pairs that one thread examines at a time.
const PAIRS_AT_ONCE: usize = 512;

/// What a survey looks for, and what helps it.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) search: &'a Search,
    pub(super) watch: Watch<'a>,
    pub(super) helpers: &'a Helpers,
}

/// A directory that was looked into.
pub(super) struct Looked<'a> {
    /// Its path, which begins with the PATH.
    pub(super) path: PathBuf,
    /// The directory as it is shown.
    pub(super) directory: Directory,
    /// Whether the files in it and below it are judged as images.
    pub(super) holds_images: bool,
    /// Its entries.
    pub(super) entries: Vec<Entry>,
    /// The names of links in it that are followed.
    pub(super) followed: Vec<OsString>,
    /// How they were paired, without the pairs themselves.
    pub(super) paired: Paired,
    /// The artifacts directly in it.
    pub(super) artifacts: Vec<Artifact>,
    /// Whether control files of unfinished downloads are among its entries.
    pub(super) control_files: bool,
    /// The account of the memory that it takes.
    pub(super) room: Room<'a>,
}

impl<'a> Look<'a> {
    /// Looks into a directory below the PATH `root`.
    ///
    /// # Errors
    /// If the survey was ended early.
    pub(super) fn into(
        self,
        root: &Path,
        (path, listing): (PathBuf, Listing),
    ) -> Result<Looked<'a>, Ended> {
        let Listing {
            mut entries,
            followed,
        } = listing;
        let mut room = Room::new(self.watch);
        room.borrow(entries.len() * MEMORY_OF_PAIRING)?;
        decide(&path, &mut entries, self.search.is_signature);
        let mut paired = pairing::pair(&entries, self.search.needed());
        let holds_images = self.search.images && saved::holds_images(&entries, path == root);
        let reached = || SharedPath::from(shown(root, &path, Path::new(".")));
        let of_images = holds_images.then(|| saved::directory(reached()));
        let directory = Directory::new(&shown(root, &path, Path::new("")));
        room.take(2 * directory.as_path().as_os_str().len())?;
        let mut artifacts = Vec::from_iter(of_images);
        let pairs = std::mem::take(&mut paired.pairs);
        self.examine(&directory, pairs, &mut artifacts, &mut room)?;
        let is_control_file = |entry: &Entry| (self.search.is_control_file)(&entry.name);
        Ok(Looked {
            control_files: entries.iter().any(is_control_file),
            path,
            directory,
            holds_images,
            entries,
            followed,
            paired,
            artifacts,
            room,
        })
    }

    /// Examines the files of the pairs.
    fn examine(
        self,
        directory: &Directory,
        pairs: Vec<Pair>,
        artifacts: &mut Vec<Artifact>,
        room: &mut Room<'_>,
    ) -> Result<(), Ended> {
        let mut pairs = pairs.into_iter().peekable();
        let parts = std::iter::from_fn(|| {
            pairs.peek()?;
            Some(pairs.by_ref().take(PAIRS_AT_ONCE).collect())
        });
        let part = |pairs: Vec<Pair>| {
            let examine = |pair| {
                self.watch.go_on()?;
                Ok(located(directory, pair))
            };
            pairs.into_iter().map(examine).collect()
        };
        let take = |part: Result<Vec<Artifact>, Ended>| {
            for artifact in part? {
                room.take(MEMORY_OF_NAMES)?;
                room.grow(artifacts)?;
                artifacts.push(artifact);
            }
            Ok(())
        };
        self.helpers.each(parts.collect(), part, take)
    }
}
