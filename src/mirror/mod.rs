//! Finds the artifacts that the PATHs bring in, each with its signature and its state on disk.

pub mod links;
pub mod lookalike;
pub mod pairing;
mod saved;
mod siblings;
mod targets;
mod unchecked;
pub mod vouched;
pub mod walk;
pub mod watch;

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::files::{Directory, SharedPath};
use crate::names::endings;
use crate::names::lists::is_list;
use crate::trust::listed::{ListEntry, ReadAsList, Unlisted, UnsignedEntry};
use crate::trust::unchecked::Unchecked;
use crate::trust::verdict::Unclaimed;
use links::Walked;
use pairing::{Content, Entry, Kind, Needed, Pair, Paired};
use siblings::Siblings;
use unchecked::{LeftOut, Place};
use walk::{Found, Listing, Problem, WalkError, WalkOptions};
use watch::{Ended, Room, Watch};

/// The subject of a record: an artifact, by its path as reached from the PATH, or a directory that
/// could not be read.
#[derive(Debug)]
pub struct Artifact {
    /// The data file's path; if it does not exist, the expected path.
    pub data: SharedPath,
    /// The files that it was split into, in order; empty if it is one file.
    pub parts: Arc<[SharedPath]>,
    /// The target, if it is a link and is judged by its target's signature.
    pub link: Option<Arc<SharedPath>>,
    /// What a signed list says of it, if the list takes the place of the signature file.
    pub listing: Option<Arc<ListEntry>>,
    /// How it was read as a checksum list, if it was.
    pub read_as_list: Option<Box<ReadAsList>>,
    /// What a list without a signature has of it, if it has none either.
    pub unsigned_entry: Option<Arc<UnsignedEntry>>,
    /// Its state before anything is opened.
    pub state: State,
}

/// The state of an artifact before anything is opened.
#[derive(Debug)]
pub enum State {
    /// Data, and the signature file with this path.
    Signed(SharedPath, Metadata),
    /// The signature file with this path, but no data.
    Missing(SharedPath),
    /// The signature file with the first path; of the parts of its data, the second path does not
    /// exist.
    PartMissing(SharedPath, SharedPath),
    /// Data without a signature.
    Unsigned(Unclaimed),
    /// A saved image without a signature, to be judged by the images in it.
    SavedImage(Metadata),
    /// A directory that holds images, to be judged by them. Its size is that of the files in it.
    ImageDirectory(Metadata),
    /// A signed list with this path does not vouch for it; or it is a signed list itself, with the
    /// signature at this path, and cannot be used.
    Unlisted(SharedPath, Unlisted),
    /// The data is not a regular file, with this signature if any.
    DataNotRegular(Option<SharedPath>),
    /// The signature is not a regular file.
    SignatureNotRegular(SharedPath),
    /// The data, which has a signature, could not be examined.
    Unreadable(SharedPath, io::Error),
    /// A PATH that can no longer be examined.
    Gone(io::Error),
    /// A directory that could not be read.
    DirectoryUnreadable(io::Error),
    /// A directory whose entries came or went while it was read.
    DirectoryChanged,
    /// A linked directory that was not entered.
    LinkNotEntered,
}

/// A data file's metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Its size in bytes.
    pub size: u64,
    /// Its device number.
    pub device: u64,
    /// Its inode number.
    pub inode: u64,
}

impl Metadata {
    /// Returns the metadata of the current file at `path`, following links.
    ///
    /// # Errors
    /// Those of stat(2).
    pub fn at(path: &Path) -> io::Result<Metadata> {
        path.metadata().map(|metadata| Metadata {
            size: metadata.size(),
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }

    /// Returns the metadata of the block device at `path`, of which `length` bytes are read.
    ///
    /// # Errors
    /// Those of stat(2).
    pub fn of_device(path: &Path, length: u64) -> io::Result<Metadata> {
        path.metadata().map(|metadata| Metadata {
            size: length,
            // A block device lies on itself.
            device: metadata.rdev(),
            inode: metadata.ino(),
        })
    }

    /// Returns the combined metadata of the parts of one file, in order: the sum of their sizes,
    /// and the location of the first.
    ///
    /// # Errors
    /// Those of stat(2), for the first part that fails.
    fn of_all(parts: &[SharedPath]) -> io::Result<Metadata> {
        let mut all = Metadata {
            size: 0,
            device: 0,
            inode: 0,
        };
        for part in parts.iter().rev() {
            let metadata = Metadata::at(&part.to_path_buf())?;
            all = Metadata {
                size: all.size.saturating_add(metadata.size),
                ..metadata
            };
        }
        Ok(all)
    }
}

/// The scope of a survey.
#[derive(Clone, Debug)]
pub struct Search {
    /// How far directories are walked.
    pub reach: WalkOptions,
    /// What must have a signature.
    pub needed: Needed,
    /// Whether to find saved images, and directories of images.
    pub images: bool,
    /// The checksum lists that the user named.
    pub lists: Vec<PathBuf>,
    /// Reports whether the file at a path is a signature by its content. Asked only of a file whose
    /// name leaves it open, and which stands alone: the survey opens nothing else.
    pub is_signature: fn(&Path) -> bool,
}

impl Search {
    fn needed(&self) -> Needed {
        match self.needed {
            Needed::Artifacts if self.images => Needed::ArtifactsAndImages,
            needed => needed,
        }
    }
}

/// What a survey found.
#[derive(Debug, Default)]
pub struct Survey {
    /// The artifacts, in the order of the PATHs and bytewise by path within each.
    pub artifacts: Vec<Artifact>,
    /// PATHs that contain nothing to verify.
    pub empty: Vec<PathBuf>,
    /// Linked directories that were not entered, and whose content is not judged under another
    /// name.
    pub links_not_entered: Vec<SharedPath>,
    /// Linked directories whose content is judged under another name, each with that name.
    pub other_names: Vec<(SharedPath, SharedPath)>,
    /// Links to files, and to directories that were entered.
    pub links_followed: Vec<SharedPath>,
    /// Files with names like a signature's that belong to no artifact.
    pub strays: Vec<SharedPath>,
    /// Parts of artifacts that also exist whole, each after the path of the whole.
    pub spare_parts: Vec<(SharedPath, SharedPath)>,
    /// What was left out.
    pub unchecked: Unchecked,
    /// The first files with names like those of keys. No verdict rests on them.
    pub key_files: Vec<SharedPath>,
    /// The first files with names like those of checksum lists that no signature claims. No verdict
    /// rests on them.
    pub lists: Vec<SharedPath>,
    /// Files with names like those of lists that a trusted key signed, and that list nothing.
    pub not_lists: Vec<SharedPath>,
}

impl Survey {
    fn note_lists(&mut self, directory: &Directory, uncovered: &[OsString]) {
        let left = MOST_LISTS.saturating_sub(self.lists.len());
        let lists = uncovered.iter().filter(|name| is_list(name));
        self.lists
            .extend(lists.take(left).map(|name| directory.join(name)));
    }

    fn note_key_files(&mut self, directory: &Directory, entries: &[Entry]) {
        let left = MOST_KEY_FILES.saturating_sub(self.key_files.len());
        let keys = entries.iter();
        let keys = keys.filter(|entry| entry.kind == Kind::File && endings::is_key(&entry.name));
        let keys = keys.map(|entry| directory.join(&entry.name));
        self.key_files.extend(keys.take(left));
    }
}

/// Surveys all PATHs. Artifacts found by several PATHs under the same path are listed once.
///
/// # Errors
/// If it ended early: a partly read directory proves nothing about its pairs.
pub fn survey(paths: &[PathBuf], search: &Search, watch: Watch<'_>) -> Result<Survey, Ended> {
    let mut looking = Looking {
        search,
        watch,
        room: Room::new(watch),
        // A link in one PATH may lead to a directory of another PATH.
        has_others: paths.len() > 1,
        survey: Survey::default(),
        walked: Walked::default(),
        siblings: Siblings::new(search.is_signature),
        left_out: LeftOut::new(paths, search),
    };
    let mut brought: Vec<(Vec<Artifact>, Vec<NotEntered>)> = Vec::new();
    for path in paths {
        brought.push(if path.is_dir() {
            looking.directory(path)?
        } else {
            (looking.file(path)?, Vec::new())
        });
    }
    let mut seen = Seen::default();
    for (path, (mut artifacts, not_entered)) in paths.iter().zip(brought) {
        looking.name_links(&mut artifacts, not_entered);
        if artifacts.is_empty() {
            looking.survey.empty.push(path.clone());
        }
        looking.room.borrow(size_of_val(&*artifacts))?;
        artifacts.sort_by(|a, b| order(a).cmp(&order(b)));
        if looking.has_others {
            looking.room.take(MEMORY_OF_ONE_SEEN * artifacts.len())?;
            artifacts.retain(|artifact| seen.is_new(artifact));
        }
        looking.bring(artifacts)?;
    }
    let Looking {
        mut survey,
        mut siblings,
        mut room,
        left_out,
        ..
    } = looking;
    survey.unchecked = left_out.into_unchecked();
    survey.unchecked.links = survey.links_not_entered.iter().cloned().collect();
    let artifacts = std::mem::take(&mut survey.artifacts);
    survey.artifacts = targets::share_signatures(artifacts, &mut siblings, watch, &mut room)?;
    saved::judge_by_images(&mut survey.artifacts, search);
    Ok(survey)
}

/// Memory per entry in bytes while its directory is paired, for a name of usual length.
const MEMORY_OF_PAIRING: usize = 400;
/// Memory per artifact in bytes in addition to itself: two names.
const MEMORY_OF_NAMES: usize = 2 * 64;
/// Memory per artifact in bytes in the set of those already seen.
const MEMORY_OF_ONE_SEEN: usize = 2 * size_of::<(usize, Arc<OsStr>, Option<Arc<OsStr>>)>();

/// Maximum number of files with names like those of keys that a survey remembers.
const MOST_KEY_FILES: usize = 64;

/// Maximum number of files with names like those of lists that a survey remembers.
const MOST_LISTS: usize = 1000;

/// A survey in progress.
struct Looking<'a> {
    search: &'a Search,
    watch: Watch<'a>,
    room: Room<'a>,
    /// Whether there are several PATHs.
    has_others: bool,
    survey: Survey,
    walked: Walked,
    siblings: Siblings,
    left_out: LeftOut<'a>,
}

/// A linked directory that a walk did not enter.
struct NotEntered {
    link: PathBuf,
    shown: SharedPath,
    depth: usize,
}

impl Looking<'_> {
    /// Returns the artifacts of a directory, and the linked directories in it that were not
    /// entered.
    fn directory(&mut self, root: &Path) -> Result<(Vec<Artifact>, Vec<NotEntered>), Ended> {
        let found = walk::walk(root, &self.search.reach, self.watch)?;
        self.left_out.begin(root);
        let Found {
            directories,
            problems,
            not_entered,
            other_names,
            partly,
        } = found;
        let reached = |path: &Path| SharedPath::from(shown(root, path, Path::new(".")));
        for (name, first) in &other_names {
            let names = (reached(name), reached(first));
            self.survey.other_names.push(names);
        }
        let not_entered = not_entered.into_iter().map(|(link, depth)| NotEntered {
            shown: reached(&link),
            link,
            depth,
        });
        let not_entered: Vec<NotEntered> = not_entered.collect();
        let problem = |Problem { path, error }| {
            let state = match error {
                WalkError::Unreadable(error) => State::DirectoryUnreadable(error),
                WalkError::Changed => State::DirectoryChanged,
            };
            Artifact::new(reached(&path), state)
        };
        let mut artifacts: Vec<Artifact> = problems.into_iter().map(problem).collect();
        let is_asked_for = self.has_others || !not_entered.is_empty();
        let mut read = Vec::new();
        // Release the directories one by one, so that not everything exists twice.
        for (path, listing) in directories {
            let holds_images =
                self.search.images && saved::holds_images(&listing.entries, path == root);
            if holds_images {
                artifacts.push(saved::directory(reached(&path)));
            }
            let place = Place {
                path: &path,
                directory: &Directory::new(&shown(root, &path, Path::new(""))),
                holds_images,
            };
            self.listing(place, listing, &mut artifacts)?;
            if is_asked_for {
                self.room.grow(&mut read)?;
                read.push(path);
            }
        }
        if is_asked_for {
            self.walked.add(root, read, partly, &self.search.reach);
        }
        Ok((artifacts, not_entered))
    }

    /// Adds the artifacts that lie directly in a directory.
    fn listing(
        &mut self,
        place: Place<'_>,
        listing: Listing,
        artifacts: &mut Vec<Artifact>,
    ) -> Result<(), Ended> {
        let Listing {
            mut entries,
            followed,
        } = listing;
        let directory = place.directory;
        self.room.borrow(entries.len() * MEMORY_OF_PAIRING)?;
        decide(place.path, &mut entries, self.search.is_signature);
        let paired = pairing::pair(&entries, self.search.needed());
        let kept = self.left_out.take(place, &entries, &paired);
        self.room.take(MEMORY_OF_NAMES * kept)?;
        self.survey.note_key_files(directory, &entries);
        self.survey.note_lists(directory, &paired.uncovered);
        drop(entries);
        let Paired {
            pairs,
            strays,
            spare_parts,
            ..
        } = paired;
        self.room.take(2 * directory.as_path().as_os_str().len())?;
        let survey = &mut self.survey;
        let strays = strays.iter().map(|name| directory.join(name));
        survey.strays.extend(strays);
        let spare = spare_parts.iter();
        let spare = spare.map(|(whole, part)| (directory.join(whole), directory.join(part)));
        survey.spare_parts.extend(spare);
        let followed = followed.iter().map(|name| directory.join(name));
        survey.links_followed.extend(followed);
        for pair in pairs {
            self.watch.go_on()?;
            self.room.take(MEMORY_OF_NAMES)?;
            self.room.grow(artifacts)?;
            artifacts.push(located(directory, pair));
        }
        Ok(())
    }

    /// Returns the pairs that the file itself is part of, as data, as a part of it, or as a
    /// signature.
    fn file(&mut self, path: &Path) -> Result<Vec<Artifact>, Ended> {
        let artifacts = of_file(path, &mut self.siblings, &mut self.room)?;
        let links = artifacts.iter().flat_map(links::names);
        let links = links.filter(|name| name.to_path_buf().is_symlink());
        self.survey.links_followed.extend(links.cloned());
        Ok(artifacts)
    }

    /// Records, for linked directories that were not entered, where their content is judged, or
    /// that it is not.
    fn name_links(&mut self, artifacts: &mut Vec<Artifact>, not_entered: Vec<NotEntered>) {
        for NotEntered { link, shown, depth } in not_entered {
            if let Some(first) = self.walked.name_of(&link, depth) {
                self.survey.other_names.push((shown, first.into()));
                continue;
            }
            self.survey.links_not_entered.push(shown.clone());
            artifacts.push(Artifact::new(shown, State::LinkNotEntered));
        }
    }

    /// Appends the artifacts of one PATH to those of the others.
    fn bring(&mut self, mut artifacts: Vec<Artifact>) -> Result<(), Ended> {
        let all = &mut self.survey.artifacts;
        if all.is_empty() {
            *all = artifacts;
            return Ok(());
        }
        self.room.borrow(2 * size_of_val(&*artifacts))?;
        let is_refused = all.try_reserve(artifacts.len()).is_err();
        all.append(&mut artifacts);
        if is_refused {
            Err(Ended::Memory)
        } else {
            Ok(())
        }
    }
}

/// The artifacts found so far, each by the number of its directory and its names. Directories are
/// compared like [`Path`]s.
#[derive(Default)]
struct Seen {
    directories: HashMap<PathBuf, usize>,
    /// The last directory that was looked up, and its number: its neighbours lie there too.
    last: Option<(Directory, usize)>,
    seen: HashSet<(usize, Arc<OsStr>, Option<Arc<OsStr>>)>,
}

impl Seen {
    /// Reports whether no artifact with this path and this signature was seen before.
    fn is_new(&mut self, artifact: &Artifact) -> bool {
        let data = normal(&artifact.data);
        // Walks and listings find artifacts beside their signatures.
        let signature = artifact.signature().map(|path| Arc::clone(path.name()));
        let directory = self.number(data.directory());
        self.seen
            .insert((directory, Arc::clone(data.name()), signature))
    }

    fn number(&mut self, directory: &Directory) -> usize {
        if let Some((last, number)) = &self.last
            && last.is_shared_with(directory)
        {
            return *number;
        }
        let next = self.directories.len();
        let path = directory.as_path().to_owned();
        let number = *self.directories.entry(path).or_insert(next);
        self.last = Some((directory.clone(), number));
        number
    }
}

/// Returns a path whose name is its last component, for comparison: `m` for `m/`.
fn normal(path: &SharedPath) -> SharedPath {
    match path.name().as_bytes() {
        b"" | b"." => SharedPath::from(path.to_path_buf().components().as_path()),
        _ => path.clone(),
    }
}

impl Artifact {
    fn new(data: SharedPath, state: State) -> Artifact {
        Artifact {
            data,
            parts: Arc::default(),
            link: None,
            listing: None,
            read_as_list: None,
            unsigned_entry: None,
            state,
        }
    }

    /// Returns the signature file's path, if there is one.
    pub fn signature(&self) -> Option<&SharedPath> {
        match &self.state {
            State::Signed(path, _)
            | State::Missing(path)
            | State::PartMissing(path, _)
            | State::SignatureNotRegular(path)
            | State::Unreadable(path, _)
            | State::Unlisted(path, _) => Some(path),
            State::DataNotRegular(path) => path.as_ref(),
            State::Unsigned(_)
            | State::SavedImage(_)
            | State::ImageDirectory(_)
            | State::Gone(_)
            | State::DirectoryUnreadable(_)
            | State::DirectoryChanged
            | State::LinkNotEntered => None,
        }
    }
}

impl Artifact {
    /// Reports whether a new file at `place`, a path without links, would replace the data, a part
    /// of it or the signature.
    ///
    /// Compares the directory entry, which a rename replaces. A link to it elsewhere in the tree,
    /// or a hard link, is not replaced.
    pub fn would_be_replaced_by(&self, place: &Path) -> bool {
        // Whatever is in a directory of images may be a part of one.
        if matches!(self.state, State::ImageDirectory(_)) {
            return is_inside(&self.data.to_path_buf(), place);
        }
        let Some(signature) = self.signature() else {
            return false;
        };
        let mut names = self.parts.iter().chain([&self.data]);
        is_same_place(signature, place) || names.any(|name| is_same_place(name, place))
    }
}

/// Reports whether a file at `place` would be inside the directory.
fn is_inside(directory: &Path, place: &Path) -> bool {
    let directory = directory.canonicalize();
    real_parent(place)
        .is_some_and(|above| directory.is_ok_and(|directory| above.starts_with(directory)))
}

/// Returns the real path of the directory that has this entry, which is not resolved.
pub fn real_parent(entry: &Path) -> Option<PathBuf> {
    Path::new(".").join(entry).parent()?.canonicalize().ok()
}

/// Reports whether two paths name the same entry of the same directory.
fn is_same_place(a: &SharedPath, b: &Path) -> bool {
    a.file_name() == b.file_name() && real_parent(&a.to_path_buf()) == real_parent(b)
}

/// Returns a data file with the signature that the user names for it, regardless of their names. If
/// `is_read`, the signature was already read, so its path is not examined.
pub fn appointed(data: &Path, signature: &Path, is_read: bool) -> Artifact {
    // Fail closed: a file that cannot be examined is opened all the same; opening it reports the
    // error.
    let kind = |path| walk::kind_at(path).unwrap_or(Kind::Dangling);
    let signature_kind = if is_read { Kind::File } else { kind(signature) };
    let signature = (signature.into(), signature_kind);
    whole(data.into(), kind(data), Some(signature))
}

/// Returns a stream of `size` bytes, if that is known, with the signature that the user names for
/// it. Nothing is looked up by its name.
pub fn appointed_stream(
    name: &Path,
    size: Option<u64>,
    signature: &Path,
    is_read: bool,
) -> Artifact {
    let kind = || walk::kind_at(signature).unwrap_or(Kind::Dangling);
    let kind = if is_read { Kind::File } else { kind() };
    let metadata = Metadata {
        size: size.unwrap_or(0),
        device: 0,
        inode: 0,
    };
    let state = signed((signature.into(), kind), || Ok(metadata));
    Artifact::new(name.into(), state)
}

/// Sort key of the output lines: bytewise by path.
fn order(artifact: &Artifact) -> (&SharedPath, Option<&SharedPath>) {
    (&artifact.data, artifact.signature())
}

/// Returns a path as reached from the PATH `root`, in the form it was given: without a leading `.`,
/// and `.` itself as `dot`.
fn shown(root: &Path, path: &Path, dot: &Path) -> PathBuf {
    let below = path.strip_prefix(root).unwrap_or(path);
    let nothing_below = below == Path::new("");
    match (root == Path::new("."), nothing_below) {
        (true, true) => dot.to_owned(),
        (true, false) => below.to_owned(),
        (false, true) => root.to_owned(),
        (false, false) => root.join(below),
    }
}

/// Looks into the files of a directory whose names leave open whether they are signatures.
fn decide(directory: &Path, entries: &mut [Entry], is_signature: fn(&Path) -> bool) {
    let undecided = pairing::undecided(entries).into_iter();
    let others = undecided.filter(|name| !is_signature(&directory.join(name)));
    let others: HashSet<OsString> = others.map(OsStr::to_owned).collect();
    for entry in entries.iter_mut().filter(|_| !others.is_empty()) {
        entry.is_other = others.contains(&entry.name);
    }
}

/// Returns the pairs that the file itself is part of, as data, as a part of it, or as a signature.
fn of_file(
    path: &Path,
    siblings: &mut Siblings,
    room: &mut Room<'_>,
) -> Result<Vec<Artifact>, Ended> {
    let Some(name) = path.file_name() else {
        return Ok(Vec::new());
    };
    let directory = path.parent().unwrap_or(Path::new(""));
    let pairs = siblings.pairs(directory, name, room)?;
    if pairs.is_empty() {
        return Ok(vec![alone(path)]);
    }
    let directory = Directory::new(directory);
    let located = |pair| located(&directory, pair);
    Ok(pairs.into_iter().map(located).collect())
}

/// Returns a PATH that belongs to no pair: it must be verified regardless of its name and kind.
fn alone(path: &Path) -> Artifact {
    let state = match walk::kind_at(path) {
        Ok(Kind::Special | Kind::Directory) => State::DataNotRegular(None),
        Ok(Kind::File | Kind::Dangling) => State::Unsigned(Unclaimed::NoSignature),
        // Fail closed: it existed a moment ago, and may have been a directory whose content was not
        // seen. As an artifact without a signature it could pass.
        Err(error) => State::Gone(error),
    };
    Artifact::new(path.into(), state)
}

fn located(directory: &Directory, pair: Pair) -> Artifact {
    let signature = pair
        .signature
        .map(|(name, kind)| (directory.join(&name), kind));
    let data = directory.join(&pair.data);
    match (pair.content, signature) {
        (Content::Whole(kind), signature) => whole(data, kind, signature),
        (Content::Lookalike(_, why), _) => Artifact::new(data, State::Unsigned(why)),
        (Content::Nothing, Some((signature, _))) => Artifact::new(data, State::Missing(signature)),
        (Content::Split(parts), Some(signature)) => {
            let missing = parts.missing;
            let missing = missing.map(|rest| data.followed_by(OsStr::from_bytes(&rest)));
            let present = parts.present.iter().map(|part| directory.join(part));
            split(data, present.collect(), missing, signature)
        }
        // Without data and without a signature there is no pair.
        (Content::Nothing | Content::Split(_), None) => {
            Artifact::new(data, State::Unsigned(Unclaimed::NoSignature))
        }
    }
}

/// Returns an artifact that is one file.
fn whole(data: SharedPath, kind: Kind, signature: Option<(SharedPath, Kind)>) -> Artifact {
    let state = match (kind, signature) {
        (Kind::Special | Kind::Directory, signature) => {
            State::DataNotRegular(signature.map(|(path, _)| path))
        }
        (Kind::File | Kind::Dangling, None) => State::Unsigned(Unclaimed::NoSignature),
        (Kind::File | Kind::Dangling, Some(signature)) => {
            signed(signature, || Metadata::at(&data.to_path_buf()))
        }
    };
    Artifact::new(data, state)
}

/// Returns an artifact that was split into `parts`.
fn split(
    data: SharedPath,
    parts: Arc<[SharedPath]>,
    missing: Option<SharedPath>,
    signature: (SharedPath, Kind),
) -> Artifact {
    let state = match missing {
        Some(missing) => State::PartMissing(signature.0, missing),
        None => signed(signature, || Metadata::of_all(&parts)),
    };
    Artifact {
        parts,
        ..Artifact::new(data, state)
    }
}

fn signed(
    (signature, kind): (SharedPath, Kind),
    metadata: impl Fn() -> io::Result<Metadata>,
) -> State {
    match (kind, metadata()) {
        (Kind::Special | Kind::Directory, _) => State::SignatureNotRegular(signature),
        (Kind::File | Kind::Dangling, Ok(metadata)) => State::Signed(signature, metadata),
        (_, Err(error)) if error.kind() == io::ErrorKind::NotFound => State::Missing(signature),
        (_, Err(error)) => State::Unreadable(signature, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::fs;
    use std::sync::atomic::AtomicU64;

    fn watch<'a>(cancelled: &'a dyn Fn() -> bool, entries: &'a AtomicU64) -> Watch<'a> {
        Watch {
            entries,
            cancelled,
            has_room: &|_| true,
        }
    }

    #[test]
    fn a_path_that_is_gone_when_it_is_looked_at_fails_and_is_not_one_without_a_signature() {
        let directory = tempfile::tempdir().unwrap();
        let search = Search {
            reach: WalkOptions::default(),
            needed: Needed::Artifacts,
            images: false,
            lists: Vec::new(),
            is_signature: |_| true,
        };
        for name in ["usb", "x.zst", "x.sig.bin"] {
            let paths = [directory.path().join(name)];
            let entries = AtomicU64::new(0);
            let survey = survey(&paths, &search, watch(&|| false, &entries)).unwrap();
            let states: Vec<&State> = survey.artifacts.iter().map(|a| &a.state).collect();
            assert!(matches!(states[..], [State::Gone(_)]), "{states:?}");
        }
    }

    #[test]
    fn a_cancelled_survey_returns_nothing_of_what_it_saw() {
        let directory = tempfile::tempdir().unwrap();
        for n in 0..10 {
            fs::write(directory.path().join(format!("{n}.zst")), "").unwrap();
            fs::write(directory.path().join(format!("{n}.sig.bin")), "").unwrap();
        }
        let search = Search {
            reach: WalkOptions::default(),
            needed: Needed::Artifacts,
            images: false,
            lists: Vec::new(),
            is_signature: |_| true,
        };
        let paths = [directory.path().to_owned()];
        // Twenty entries and the directory itself are examined, then ten pairs.
        for after in 0..31 {
            let looks = Cell::new(0);
            let cancelled = || looks.replace(looks.get() + 1) >= after;
            let ended = survey(&paths, &search, watch(&cancelled, &AtomicU64::new(0)));
            assert!(matches!(ended, Err(Ended::Cancelled)), "after {after}");
        }
        let entries = AtomicU64::new(0);
        let whole = survey(&paths, &search, watch(&|| false, &entries)).unwrap();
        assert_eq!(entries.into_inner(), 20);
        assert_eq!(whole.artifacts.len(), 10);
    }
}
