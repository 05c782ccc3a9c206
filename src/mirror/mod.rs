//! What lies on disk: the artifacts that the PATHs bring in, each with its signature and what
//! stands there.

pub mod links;
pub mod lookalike;
pub mod pairing;
mod siblings;
mod targets;
pub mod walk;
pub mod watch;

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::files::{Directory, SharedPath};
use crate::trust::verdict::Unclaimed;
use links::Walked;
use pairing::{Content, Kind, Needed, Pair, Paired};
use siblings::Siblings;
use walk::{Found, Listing, Problem, WalkError, WalkOptions};
use watch::{Ended, Room, Watch};

/// What will have a record: an artifact, by its path as reached from the PATH, or a directory that
/// could not be read.
#[derive(Debug)]
pub struct Artifact {
    /// The data file's path; where there is none, the path it should have.
    pub data: SharedPath,
    /// The files that it was split into, in their order, where it is not one file.
    pub parts: Arc<[SharedPath]>,
    /// What it is a link to, where it is judged by the signature of that.
    pub link: Option<Arc<SharedPath>>,
    /// What is known of it before anything is opened.
    pub state: State,
}

/// What is known of an artifact before anything is opened.
#[derive(Debug)]
pub enum State {
    /// There is data, and the signature file with this path.
    Signed(SharedPath, Metadata),
    /// There is the signature file with this path, and no data.
    Missing(SharedPath),
    /// There is the signature file with the first path, and of the parts that its data was split
    /// into the second is not there.
    PartMissing(SharedPath, SharedPath),
    /// There is data, and no signature.
    Unsigned(Unclaimed),
    /// The data is no file, whatever signs it.
    DataNotRegular(Option<SharedPath>),
    /// The signature is no file.
    SignatureNotRegular(SharedPath),
    /// The data, which has a signature, could not be looked at.
    Unreadable(SharedPath, io::Error),
    /// It is a PATH, and nobody can say what lies there any more.
    Gone(io::Error),
    /// It is a directory, and could not be read.
    DirectoryUnreadable(io::Error),
    /// It is a directory, and entries came or went while it was read.
    DirectoryChanged,
    /// It is a linked directory that was not entered.
    LinkNotEntered,
}

/// What the file system says of a data file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Its size in bytes.
    pub size: u64,
    /// The device it lies on.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
}

impl Metadata {
    /// What it says of what stands under `path` now, links followed.
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

    /// What it says of the block device under `path`, of which so many bytes are read.
    ///
    /// # Errors
    /// Those of stat(2).
    pub fn of_device(path: &Path, length: u64) -> io::Result<Metadata> {
        path.metadata().map(|metadata| Metadata {
            size: length,
            // What it is on is the device itself.
            device: metadata.rdev(),
            inode: metadata.ino(),
        })
    }

    /// The same of files that are parts of one, in their order: their sizes together, and where the
    /// first of them is.
    ///
    /// # Errors
    /// Those of stat(2), of the first that fails.
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

/// What to look for.
#[derive(Clone, Debug)]
pub struct Search {
    /// How far directories are walked.
    pub reach: WalkOptions,
    /// What must have a signature.
    pub needed: Needed,
}

/// What the PATHs bring in.
#[derive(Debug, Default)]
pub struct Survey {
    /// The artifacts, in the order of the PATHs and bytewise by path within each.
    pub artifacts: Vec<Artifact>,
    /// PATHs in which there is nothing to verify.
    pub empty: Vec<PathBuf>,
    /// Linked directories that were not entered, and whose content is not judged under another
    /// name either.
    pub links_not_entered: Vec<SharedPath>,
    /// Linked directories whose content is judged under another name, with that name.
    pub other_names: Vec<(SharedPath, SharedPath)>,
    /// Links to files, and to directories that were entered.
    pub links_followed: Vec<SharedPath>,
    /// Files with names like a signature's that belong to nothing.
    pub strays: Vec<SharedPath>,
    /// Parts of artifacts that are there whole, too, each behind the path of the whole.
    pub spare_parts: Vec<(SharedPath, SharedPath)>,
}

/// Looks through all PATHs. What two of them bring in under the same path is brought in once.
///
/// # Errors
/// When it ended before the end: a directory of which a part was seen says nothing true about its
/// pairs.
pub fn survey(paths: &[PathBuf], search: &Search, watch: Watch<'_>) -> Result<Survey, Ended> {
    let mut looking = Looking {
        search,
        watch,
        room: Room::new(watch),
        // A link in one PATH may lead to a directory that another one brings in.
        has_others: paths.len() > 1,
        survey: Survey::default(),
        walked: Walked::default(),
        siblings: Siblings::default(),
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
        ..
    } = looking;
    let artifacts = std::mem::take(&mut survey.artifacts);
    survey.artifacts = targets::share_signatures(artifacts, &mut siblings, watch, &mut room)?;
    Ok(survey)
}

/// Bytes that an entry takes while its directory is paired, with a name of usual length.
const MEMORY_OF_PAIRING: usize = 400;
/// Bytes that an artifact takes beside itself: two names.
const MEMORY_OF_NAMES: usize = 2 * 64;
/// Bytes that an artifact takes while it is remembered that it was seen.
const MEMORY_OF_ONE_SEEN: usize = 2 * size_of::<(usize, Arc<OsStr>, Option<Arc<OsStr>>)>();

/// A survey that goes on.
struct Looking<'a> {
    search: &'a Search,
    watch: Watch<'a>,
    room: Room<'a>,
    /// Whether there are several PATHs.
    has_others: bool,
    survey: Survey,
    walked: Walked,
    siblings: Siblings,
}

/// A linked directory that a walk did not enter.
struct NotEntered {
    link: PathBuf,
    shown: SharedPath,
    depth: usize,
}

impl Looking<'_> {
    /// What a directory brings in, and the linked directories in it that were not entered.
    fn directory(&mut self, root: &Path) -> Result<(Vec<Artifact>, Vec<NotEntered>), Ended> {
        let found = walk::walk(root, &self.search.reach, self.watch)?;
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
        // One directory after the other is given up, so that not everything is there twice.
        for (path, listing) in directories {
            self.listing(&shown(root, &path, Path::new("")), listing, &mut artifacts)?;
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

    /// What lies directly in a directory.
    fn listing(
        &mut self,
        directory: &Path,
        listing: Listing,
        artifacts: &mut Vec<Artifact>,
    ) -> Result<(), Ended> {
        let Listing { entries, followed } = listing;
        self.room.borrow(entries.len() * MEMORY_OF_PAIRING)?;
        let Paired {
            pairs,
            strays,
            spare_parts,
        } = pairing::pair(&entries, self.search.needed);
        drop(entries);
        self.room.take(2 * directory.as_os_str().len())?;
        let directory = Directory::new(directory);
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
            artifacts.push(located(&directory, pair));
        }
        Ok(())
    }

    /// The pairs that the file itself is part of, as its data, as a part of it, or as its
    /// signature.
    fn file(&mut self, path: &Path) -> Result<Vec<Artifact>, Ended> {
        let artifacts = of_file(path, &mut self.siblings, &mut self.room)?;
        let links = artifacts.iter().flat_map(links::names);
        let links = links.filter(|name| name.to_path_buf().is_symlink());
        self.survey.links_followed.extend(links.cloned());
        Ok(artifacts)
    }

    /// Says of linked directories that were not entered where their content is judged, or that it
    /// is not.
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

    /// Puts the artifacts of one PATH behind those of the others.
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

/// The artifacts that were brought in, each by the number of its directory and its names.
/// Directories are told apart as [`Path`] does.
#[derive(Default)]
struct Seen {
    directories: HashMap<PathBuf, usize>,
    /// The directory that was looked up last, and its number: its neighbours lie there, too.
    last: Option<(Directory, usize)>,
    seen: HashSet<(usize, Arc<OsStr>, Option<Arc<OsStr>>)>,
}

impl Seen {
    /// Whether none with this path and this signature was there before.
    fn is_new(&mut self, artifact: &Artifact) -> bool {
        let data = normal(&artifact.data);
        // What a walk or a listing brings in lies beside its signature.
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

/// A path whose name is its last component, for a comparison: `m` for `m/`.
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
            state,
        }
    }

    /// The signature file's path, where there is one.
    pub fn signature(&self) -> Option<&SharedPath> {
        match &self.state {
            State::Signed(path, _)
            | State::Missing(path)
            | State::PartMissing(path, _)
            | State::SignatureNotRegular(path)
            | State::Unreadable(path, _) => Some(path),
            State::DataNotRegular(path) => path.as_ref(),
            State::Unsigned(_)
            | State::Gone(_)
            | State::DirectoryUnreadable(_)
            | State::DirectoryChanged
            | State::LinkNotEntered => None,
        }
    }
}

impl Artifact {
    /// Whether a new file at `place`, a path without links, would take the place of the data, of a
    /// part of it or of the signature.
    ///
    /// The entry counts that a rename replaces. A link to it elsewhere in the tree, or a hard link,
    /// is not replaced.
    pub fn would_be_replaced_by(&self, place: &Path) -> bool {
        let Some(signature) = self.signature() else {
            return false;
        };
        let mut names = self.parts.iter().chain([&self.data]);
        is_same_place(signature, place) || names.any(|name| is_same_place(name, place))
    }
}

/// Whether two paths name one entry of one directory.
fn is_same_place(a: &SharedPath, b: &Path) -> bool {
    let directory = |path: &Path| Path::new(".").join(path).parent()?.canonicalize().ok();
    a.file_name() == b.file_name() && directory(&a.to_path_buf()) == directory(b)
}

/// One data file with the signature that the user names for it, whatever the names. Where
/// `is_read`, the signature is at hand, whatever stands under its name.
pub fn appointed(data: &Path, signature: &Path, is_read: bool) -> Artifact {
    // Fail closed: what cannot be looked at is opened all the same, and opening it says why it
    // cannot be read.
    let kind = |path| walk::kind_at(path).unwrap_or(Kind::Dangling);
    let signature_kind = if is_read { Kind::File } else { kind(signature) };
    let signature = (signature.into(), signature_kind);
    whole(data.into(), kind(data), Some(signature))
}

/// The order of the lines: bytewise by path.
fn order(artifact: &Artifact) -> (&SharedPath, Option<&SharedPath>) {
    (&artifact.data, artifact.signature())
}

/// A path as reached from the PATH `root`, in whatever form that was given: below `.` it is shown
/// without it, and `.` itself as `dot`.
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

/// The pairs that the file itself is part of, as its data, as a part of it, or as its signature.
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

/// What the user names is to be verified, whatever its name and kind, though nothing signs it.
fn alone(path: &Path) -> Artifact {
    let state = match walk::kind_at(path) {
        Ok(Kind::Special | Kind::Directory) => State::DataNotRegular(None),
        Ok(Kind::File | Kind::Dangling) => State::Unsigned(Unclaimed::NoSignature),
        // Fail closed: it was there a moment ago, and was a directory, maybe, of which nothing was
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

/// An artifact that lies in one file.
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

/// An artifact that was split into `parts`.
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
    fn a_survey_that_is_cancelled_says_nothing_about_what_it_saw() {
        let directory = tempfile::tempdir().unwrap();
        for n in 0..10 {
            fs::write(directory.path().join(format!("{n}.zst")), "").unwrap();
            fs::write(directory.path().join(format!("{n}.sig.bin")), "").unwrap();
        }
        let search = Search {
            reach: WalkOptions::default(),
            needed: Needed::Artifacts,
        };
        let paths = [directory.path().to_owned()];
        // Twenty entries and the directory itself are looked at, then ten pairs.
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
