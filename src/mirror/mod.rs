//! What lies on disk: the artifacts that the PATHs bring in, each with its signature and what stands there.

pub mod alike;
mod endings;
pub mod links;
pub mod lookalike;
pub mod pairing;
pub mod parts;
mod siblings;
mod targets;
pub mod walk;

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::trust::verdict::Unclaimed;
use links::Walked;
use pairing::{Content, Kind, Needed, Pair, Paired};
use siblings::Siblings;
use walk::{Found, Reach, Trouble, Watch};

/// What will have a record: an artifact, by its path as reached from the PATH, or a directory that could not be read.
#[derive(Debug)]
pub struct Artifact {
    /// The data file's path; where there is none, the path it should have.
    pub data: PathBuf,
    /// The files that it was split into, in their order, where it is not one file.
    pub parts: Vec<PathBuf>,
    /// What it is a link to, where it is judged by the signature of that.
    pub link: Option<PathBuf>,
    /// What is known of it before anything is opened.
    pub state: State,
}

/// What is known of an artifact before anything is opened.
#[derive(Debug)]
pub enum State {
    /// There is data, and the signature file with this path.
    Signed(PathBuf, Facts),
    /// There is the signature file with this path, and no data.
    Missing(PathBuf),
    /// There is the signature file with the first path, and of the parts that its data was split into the second is not there.
    PartMissing(PathBuf, PathBuf),
    /// There is data, and no signature.
    Unsigned(Unclaimed),
    /// The data is no file, whatever signs it.
    DataNotRegular(Option<PathBuf>),
    /// The signature is no file.
    SignatureNotRegular(PathBuf),
    /// The data, which has a signature, could not be looked at.
    Unreadable(PathBuf, io::Error),
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
pub struct Facts {
    /// Its size in bytes.
    pub size: u64,
    /// The device it lies on.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
}

impl Facts {
    /// What it says of what stands under `path` now, links followed.
    ///
    /// # Errors
    /// Those of stat(2).
    pub fn at(path: &Path) -> io::Result<Facts> {
        path.metadata().map(|metadata| Facts {
            size: metadata.size(),
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }

    /// What it says of the block device under `path`, of which so many bytes are read.
    ///
    /// # Errors
    /// Those of stat(2).
    pub fn of_device(path: &Path, length: u64) -> io::Result<Facts> {
        path.metadata().map(|metadata| Facts {
            size: length,
            // What it is on is the device itself.
            device: metadata.rdev(),
            inode: metadata.ino(),
        })
    }

    /// The same of files that are parts of one, in their order: their sizes together, and where the first of them is.
    ///
    /// # Errors
    /// Those of stat(2), of the first that fails.
    fn of_all(parts: &[PathBuf]) -> io::Result<Facts> {
        let mut all = Facts {
            size: 0,
            device: 0,
            inode: 0,
        };
        for part in parts.iter().rev() {
            let facts = Facts::at(part)?;
            all = Facts {
                size: all.size.saturating_add(facts.size),
                ..facts
            };
        }
        Ok(all)
    }
}

/// What to look for.
#[derive(Clone, Debug)]
pub struct Search {
    /// How far directories are walked.
    pub reach: Reach,
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
    /// Linked directories that were not entered, and whose content is not judged under another name either.
    pub links_not_entered: Vec<PathBuf>,
    /// Linked directories whose content is judged under another name, with that name.
    pub other_names: Vec<(PathBuf, PathBuf)>,
    /// Links to files, and to directories that were entered.
    pub links_followed: Vec<PathBuf>,
    /// Files with names like a signature's that belong to nothing.
    pub strays: Vec<PathBuf>,
    /// Parts of artifacts that are there whole, too, each behind the path of the whole.
    pub spare_parts: Vec<(PathBuf, PathBuf)>,
}

/// Looks through all PATHs. What two of them bring in under the same path is brought in once.
///
/// `None` when it was cancelled before the end: a directory of which a part was seen says nothing true about its pairs.
pub fn survey(paths: &[PathBuf], search: &Search, watch: Watch<'_>) -> Option<Survey> {
    let mut survey = Survey::default();
    let mut walked = Walked::default();
    let mut siblings = Siblings::default();
    let mut brought: Vec<(Vec<Artifact>, Vec<NotEntered>)> = Vec::new();
    for path in paths {
        brought.push(if path.is_dir() {
            let found = walk::walk(path, &search.reach, watch)?;
            let reached = |link: &PathBuf| shown(path, link, Path::new("."));
            for (name, first) in &found.other_names {
                survey.other_names.push((reached(name), reached(first)));
            }
            let links = found.links_followed.iter().map(reached);
            survey.links_followed.extend(links);
            let not_entered = found.not_entered.iter().map(|(link, depth)| NotEntered {
                link: link.clone(),
                shown: reached(link),
                depth: *depth,
            });
            let not_entered = not_entered.collect();
            walked.add(path, &found, &search.reach);
            (
                in_directory(path, found, search.needed, &mut survey, watch)?,
                not_entered,
            )
        } else {
            let artifacts = of_file(path, &mut siblings);
            let links = artifacts.iter().flat_map(links::names);
            let links = links.filter(|name| name.is_symlink()).map(Path::to_owned);
            survey.links_followed.extend(links);
            (artifacts, Vec::new())
        });
    }
    let mut seen: HashSet<(PathBuf, Option<PathBuf>)> = HashSet::new();
    for (path, (mut artifacts, not_entered)) in paths.iter().zip(brought) {
        for NotEntered { link, shown, depth } in not_entered {
            if let Some(first) = walked.name_of(&link, depth) {
                survey.other_names.push((shown, first));
                continue;
            }
            survey.links_not_entered.push(shown.clone());
            artifacts.push(Artifact::new(shown, State::LinkNotEntered));
        }
        if artifacts.is_empty() {
            survey.empty.push(path.clone());
        }
        artifacts.sort_by(|a, b| order(a).cmp(&order(b)));
        if paths.len() > 1 {
            artifacts.retain(|a| seen.insert((a.data.clone(), a.signature().map(Path::to_owned))));
        }
        survey.artifacts.append(&mut artifacts);
    }
    survey.artifacts = targets::share_signatures(survey.artifacts, &mut siblings, watch)?;
    Some(survey)
}

/// A linked directory that a walk did not enter.
struct NotEntered {
    link: PathBuf,
    shown: PathBuf,
    depth: usize,
}

impl Artifact {
    fn new(data: PathBuf, state: State) -> Artifact {
        Artifact {
            data,
            parts: Vec::new(),
            link: None,
            state,
        }
    }

    /// The signature file's path, where there is one.
    pub fn signature(&self) -> Option<&Path> {
        match &self.state {
            State::Signed(path, _)
            | State::Missing(path)
            | State::PartMissing(path, _)
            | State::SignatureNotRegular(path)
            | State::Unreadable(path, _) => Some(path),
            State::DataNotRegular(path) => path.as_deref(),
            State::Unsigned(_)
            | State::Gone(_)
            | State::DirectoryUnreadable(_)
            | State::DirectoryChanged
            | State::LinkNotEntered => None,
        }
    }
}

impl Artifact {
    /// Whether a new file at `place`, a path without links, would take the place of the data, of a part of it or of the signature.
    ///
    /// The entry counts that a rename replaces. A link to it elsewhere in the tree, or a hard link, is not replaced.
    pub fn would_be_replaced_by(&self, place: &Path) -> bool {
        let Some(signature) = self.signature() else {
            return false;
        };
        let mut names = self.parts.iter().chain([&self.data]);
        is_same_place(signature, place) || names.any(|name| is_same_place(name, place))
    }
}

/// Whether two paths name one entry of one directory.
fn is_same_place(a: &Path, b: &Path) -> bool {
    let directory = |path: &Path| Path::new(".").join(path).parent()?.canonicalize().ok();
    a.file_name() == b.file_name() && directory(a) == directory(b)
}

/// One data file with the signature that the user names for it, whatever the names. Where `is_read`, the signature is at hand, whatever
/// stands under its name.
pub fn appointed(data: &Path, signature: &Path, is_read: bool) -> Artifact {
    // Fail closed: what cannot be looked at is opened all the same, and opening it says why it cannot be read.
    let kind = |path| walk::kind_at(path).unwrap_or(Kind::Dangling);
    let signature_kind = if is_read { Kind::File } else { kind(signature) };
    let signature = (signature.to_owned(), signature_kind);
    whole(data.to_owned(), kind(data), Some(signature))
}

/// The order of the lines: bytewise by path. (`Path` itself compares component by component.)
fn order(artifact: &Artifact) -> (&OsStr, Option<&OsStr>) {
    let signature = artifact.signature().map(Path::as_os_str);
    (artifact.data.as_os_str(), signature)
}

fn in_directory(
    root: &Path,
    found: Found,
    needed: Needed,
    survey: &mut Survey,
    watch: Watch<'_>,
) -> Option<Vec<Artifact>> {
    let problems = found.problems.into_iter().map(|problem| {
        let data = shown(root, &problem.path, Path::new("."));
        Artifact::new(
            data,
            match problem.trouble {
                Trouble::Unreadable(error) => State::DirectoryUnreadable(error),
                Trouble::Changed => State::DirectoryChanged,
            },
        )
    });
    let mut artifacts: Vec<Artifact> = problems.collect();
    for (directory, entries) in &found.directories {
        let directory = shown(root, directory, Path::new(""));
        let Paired {
            pairs,
            strays,
            spare_parts,
        } = pairing::pair(entries, needed);
        survey
            .strays
            .extend(strays.iter().map(|name| directory.join(name)));
        let spare = spare_parts.iter();
        survey
            .spare_parts
            .extend(spare.map(|(whole, part)| (directory.join(whole), directory.join(part))));
        for pair in pairs {
            if (watch.cancelled)() {
                return None;
            }
            artifacts.push(located(&directory, pair));
        }
    }
    Some(artifacts)
}

/// A path as reached from the PATH `root`, in whatever form that was given: below `.` it is shown without it, and `.`
/// itself as `dot`.
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
fn of_file(path: &Path, siblings: &mut Siblings) -> Vec<Artifact> {
    let Some(name) = path.file_name() else {
        return Vec::new();
    };
    let directory = path.parent().unwrap_or(Path::new(""));
    let pairs = siblings.pairs(directory, name);
    if pairs.is_empty() {
        return vec![alone(path)];
    }
    pairs
        .into_iter()
        .map(|pair| located(directory, pair))
        .collect()
}

/// What the user names is to be verified, whatever its name and kind, though nothing signs it.
fn alone(path: &Path) -> Artifact {
    let state = match walk::kind_at(path) {
        Ok(Kind::Special | Kind::Directory) => State::DataNotRegular(None),
        Ok(Kind::File | Kind::Dangling) => State::Unsigned(Unclaimed::NoSignature),
        // Fail closed: it was there a moment ago, and was a directory, maybe, of which nothing was seen. As an artifact without a
        // signature it could pass.
        Err(error) => State::Gone(error),
    };
    Artifact::new(path.to_owned(), state)
}

fn located(directory: &Path, pair: Pair) -> Artifact {
    let signature = pair
        .signature
        .map(|(name, kind)| (directory.join(name), kind));
    let data = directory.join(pair.data);
    match (pair.content, signature) {
        (Content::Whole(kind), signature) => whole(data, kind, signature),
        (Content::Lookalike(_, why), _) => Artifact::new(data, State::Unsigned(why)),
        (Content::Nothing, Some((signature, _))) => Artifact::new(data, State::Missing(signature)),
        (Content::Split(parts), Some(signature)) => {
            let missing = parts.missing.map(|rest| joined(&data, &rest));
            let present = parts.present.iter().map(|part| directory.join(part));
            split(data, present.collect(), missing, signature)
        }
        // Without data and without a signature there is no pair.
        (Content::Nothing | Content::Split(_), None) => {
            Artifact::new(data, State::Unsigned(Unclaimed::NoSignature))
        }
    }
}

/// A path with something behind its last component.
fn joined(path: &Path, rest: &[u8]) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(OsStr::from_bytes(rest));
    path.into()
}

/// An artifact that lies in one file.
fn whole(data: PathBuf, kind: Kind, signature: Option<(PathBuf, Kind)>) -> Artifact {
    let state = match (kind, signature) {
        (Kind::Special | Kind::Directory, signature) => {
            State::DataNotRegular(signature.map(|(path, _)| path))
        }
        (Kind::File | Kind::Dangling, None) => State::Unsigned(Unclaimed::NoSignature),
        (Kind::File | Kind::Dangling, Some(signature)) => signed(signature, || Facts::at(&data)),
    };
    Artifact::new(data, state)
}

/// An artifact that was split into `parts`.
fn split(
    data: PathBuf,
    parts: Vec<PathBuf>,
    missing: Option<PathBuf>,
    signature: (PathBuf, Kind),
) -> Artifact {
    let state = match missing {
        Some(missing) => State::PartMissing(signature.0, missing),
        None => signed(signature, || Facts::of_all(&parts)),
    };
    Artifact {
        parts,
        ..Artifact::new(data, state)
    }
}

fn signed((signature, kind): (PathBuf, Kind), facts: impl Fn() -> io::Result<Facts>) -> State {
    match (kind, facts()) {
        (Kind::Special | Kind::Directory, _) => State::SignatureNotRegular(signature),
        (Kind::File | Kind::Dangling, Ok(facts)) => State::Signed(signature, facts),
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
        Watch { entries, cancelled }
    }

    #[test]
    fn a_path_that_is_gone_when_it_is_looked_at_fails_and_is_not_one_without_a_signature() {
        let directory = tempfile::tempdir().unwrap();
        let search = Search {
            reach: Reach::default(),
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
            reach: Reach::default(),
            needed: Needed::Artifacts,
        };
        let paths = [directory.path().to_owned()];
        // Twenty entries and the directory itself are looked at, then ten pairs.
        for after in 0..31 {
            let looks = Cell::new(0);
            let cancelled = || looks.replace(looks.get() + 1) >= after;
            let ended = survey(&paths, &search, watch(&cancelled, &AtomicU64::new(0)));
            assert!(ended.is_none(), "after {after}");
        }
        let entries = AtomicU64::new(0);
        let whole = survey(&paths, &search, watch(&|| false, &entries)).unwrap();
        assert_eq!(entries.into_inner(), 20);
        assert_eq!(whole.artifacts.len(), 10);
    }
}
