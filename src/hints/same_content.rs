//! Artifacts with one content and different names.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::sync::Arc;

use super::notes::Note;
use crate::digest::Digest;
use crate::files::SharedPath;
use crate::trust::claimed::ClaimedDigest;
use crate::trust::record::{Record, Subject};
use crate::trust::terms::Status;

/// The content of an artifact: as hashed, or as a report claims.
#[derive(Clone, Debug)]
pub struct Content<D> {
    pub(super) digest: D,
    pub(super) passes: bool,
    /// Whether a signed list vouches for its name as well.
    pub(super) is_listed: bool,
    pub(super) path: SharedPath,
    /// The target, if it is a link; its name is the one that counts.
    pub(super) link: Option<Arc<SharedPath>>,
}

impl Content<Digest> {
    /// Returns the content of an artifact that was hashed.
    pub(super) fn hashed(record: &Record) -> Option<Content<Digest>> {
        Content::of(record, record.digest)
    }
}

impl Content<ClaimedDigest> {
    /// Returns the content of an artifact as a report claims it.
    pub fn claimed(record: &Record) -> Option<Content<ClaimedDigest>> {
        Content::of(record, record.sha256())
    }
}

impl<D> Content<D> {
    fn of(record: &Record, digest: Option<D>) -> Option<Content<D>> {
        match &record.subject {
            Subject::Artifact(path) => Some(Content {
                digest: digest?,
                passes: record.verdict.passes(),
                is_listed: record.verdict.status() == Status::Listed,
                path: path.clone(),
                link: record.link.clone(),
            }),
            Subject::Image(_) | Subject::Contents(_) => None,
        }
    }

    /// Returns the name of the release: that of the target, if this is a link with its target's
    /// verdict.
    fn name(&self) -> Option<&OsStr> {
        self.link.as_deref().unwrap_or(&self.path).file_name()
    }
}

/// Returns the contents that artifacts with different names share. The contents must come in the
/// order of the lines.
pub fn same_contents<D: Copy + Into<ClaimedDigest>>(contents: &[Content<D>]) -> Vec<Note> {
    let mut places: Vec<usize> = (0..contents.len()).collect();
    let digest = |place: &usize| -> Option<ClaimedDigest> {
        contents.get(*place).map(|content| content.digest.into())
    };
    // Stable, so that artifacts with one content stay in the order of the lines.
    places.sort_by_key(digest);
    let together = places.chunk_by(|a, b| digest(a) == digest(b));
    let mut groups: Vec<&[usize]> = together.filter(|group| group.len() > 1).collect();
    groups.sort_by_key(|group| group.first().copied());
    let content = |place: &usize| contents.get(*place);
    let groups = groups
        .into_iter()
        .map(|group| group.iter().filter_map(content));
    groups
        .filter_map(|group| same_content(&group.collect::<Vec<_>>()))
        .collect()
}

fn same_content<D: Copy + Into<ClaimedDigest>>(group: &[&Content<D>]) -> Option<Note> {
    let first = group.first()?;
    let bears_another = |content: &&Content<D>| content.name() != first.name();
    // Mirrors keep one file for several releases under one name in several directories. And files
    // that must not be used in any case deceive no user.
    let passes = |content: &&Content<D>| content.passes;
    let is_listed = |content: &&Content<D>| content.is_listed;
    let deceives =
        group.iter().any(bears_another) && group.iter().any(passes) && !group.iter().all(is_listed);
    deceives.then(|| Note::SameContent {
        digest: first.digest.into(),
        paths: each_once(group),
    })
}

/// Returns the distinct paths of the artifacts. Two PATHs may each bring in the same artifact with
/// a signature.
fn each_once<D>(group: &[&Content<D>]) -> Vec<SharedPath> {
    let mut seen = HashSet::new();
    let paths = group.iter().map(|content| &content.path);
    paths.filter(|path| seen.insert(*path)).cloned().collect()
}
