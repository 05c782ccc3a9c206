//! What lies on disk: the artifacts that the PATHs bring in, each with its signature and what stands there.

pub mod pairing;
pub mod walk;

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use pairing::{Entry, Kind, Needed, Pair};
use walk::{Found, Reach};

/// A signature with the file it belongs to, or a file that has none.
#[derive(Debug)]
pub struct Artifact {
    /// The data file's path as reached from the PATH; where there is none, the path it should have.
    pub data: PathBuf,
    /// The signature file's path.
    pub signature: Option<PathBuf>,
    /// What is known of it before anything is opened.
    pub state: State,
}

/// What is known of an artifact before anything is opened.
#[derive(Debug)]
pub enum State {
    /// There is data and a signature.
    Ready(Facts),
    /// There is a signature, and no data.
    Missing,
    /// There is data, and no signature.
    Unsigned,
    /// The data is no file.
    DataNotRegular,
    /// The signature is no file.
    SignatureNotRegular,
    /// A directory or link could not be looked at.
    Unreadable(io::Error),
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
    /// Links to directories that were not entered.
    pub links_not_entered: Vec<PathBuf>,
}

/// Looks through all PATHs. What two of them bring in under the same path is brought in once.
/// Ends early when `cancelled` says so.
pub fn survey(paths: &[PathBuf], search: &Search, cancelled: &dyn Fn() -> bool) -> Survey {
    let mut survey = Survey::default();
    let mut seen: HashSet<(PathBuf, Option<PathBuf>)> = HashSet::new();
    for path in paths {
        let mut artifacts = if path.is_dir() {
            let found = walk::walk(path, &search.reach, cancelled);
            survey
                .links_not_entered
                .extend_from_slice(&found.links_not_entered);
            in_directory(path, found, search.needed)
        } else {
            of_file(path)
        };
        if artifacts.is_empty() {
            survey.empty.push(path.clone());
        }
        artifacts.sort_by(|a, b| order(a).cmp(&order(b)));
        if paths.len() > 1 {
            artifacts.retain(|a| seen.insert((a.data.clone(), a.signature.clone())));
        }
        survey.artifacts.append(&mut artifacts);
    }
    survey
}

/// One data file with the signature that the user names for it, whatever the names.
pub fn appointed(data: &Path, signature: &Path) -> Artifact {
    // Fail closed: what cannot be looked at is opened all the same, and opening it says why it cannot be read.
    let kind = |path| walk::kind_at(path).unwrap_or(Kind::Dangling);
    let signature_kind = kind(signature);
    artifact(
        data.to_owned(),
        Some(kind(data)),
        Some((signature.to_owned(), signature_kind)),
    )
}

/// The order of the lines: bytewise by path. (`Path` itself compares component by component.)
fn order(artifact: &Artifact) -> (&OsStr, Option<&OsStr>) {
    let signature = artifact.signature.as_ref().map(|path| path.as_os_str());
    (artifact.data.as_os_str(), signature)
}

fn in_directory(root: &Path, found: Found, needed: Needed) -> Vec<Artifact> {
    let problems = found.problems.into_iter().map(|problem| Artifact {
        data: shown(root, &problem.path, Path::new(".")),
        signature: None,
        state: State::Unreadable(problem.error),
    });
    let mut artifacts: Vec<Artifact> = problems.collect();
    for (directory, entries) in &found.directories {
        let directory = shown(root, directory, Path::new(""));
        let pairs = pairing::pair(entries, needed);
        artifacts.extend(pairs.into_iter().map(|pair| located(&directory, pair)));
    }
    artifacts
}

/// A path as reached from the PATH `root`: below `.` it is shown without it, and `.` itself as `dot`.
fn shown(root: &Path, path: &Path, dot: &Path) -> PathBuf {
    let path = match path.strip_prefix(".") {
        Ok(below) if root == Path::new(".") => below,
        _ => return path.to_owned(),
    };
    if path == Path::new("") { dot } else { path }.to_owned()
}

/// The pairs that the file itself is part of, as its data or as its signature.
fn of_file(path: &Path) -> Vec<Artifact> {
    let Some(name) = path.file_name() else {
        return Vec::new();
    };
    let directory = path.parent().unwrap_or(Path::new(""));
    let entries: Vec<Entry> = pairing::relatives(name)
        .into_iter()
        .filter_map(|name| entry_at(directory, name))
        .collect();
    let mut pairs = pairing::pair(&entries, Needed::AllFiles);
    pairs.retain(|p| p.data == name || p.signature.as_ref().is_some_and(|(s, _)| s == name));
    // A file that the user names is to be verified, whatever its name and kind.
    if pairs.is_empty() {
        pairs.push(Pair {
            data: name.to_owned(),
            data_kind: walk::kind_at(path).ok(),
            signature: None,
        });
    }
    pairs
        .into_iter()
        .map(|pair| located(directory, pair))
        .collect()
}

fn entry_at(directory: &Path, name: OsString) -> Option<Entry> {
    let path = directory.join(&name);
    path.symlink_metadata().ok()?;
    Some(Entry {
        // Fail closed: there is something under this name, though it cannot be looked at; opening it will say why.
        kind: walk::kind_at(&path).unwrap_or(Kind::Dangling),
        name,
        excluded: false,
    })
}

fn located(directory: &Path, pair: Pair) -> Artifact {
    let signature = pair
        .signature
        .map(|(name, kind)| (directory.join(name), kind));
    artifact(directory.join(pair.data), pair.data_kind, signature)
}

fn artifact(
    data: PathBuf,
    data_kind: Option<Kind>,
    signature: Option<(PathBuf, Kind)>,
) -> Artifact {
    let state = match (data_kind, &signature) {
        (None, _) => State::Missing,
        (Some(Kind::Special | Kind::Directory), _) => State::DataNotRegular,
        (_, None) => State::Unsigned,
        (_, Some((_, Kind::Special | Kind::Directory))) => State::SignatureNotRegular,
        (Some(Kind::File | Kind::Dangling), Some(_)) => facts(&data),
    };
    Artifact {
        data,
        signature: signature.map(|(path, _)| path),
        state,
    }
}

fn facts(data: &Path) -> State {
    match data.metadata() {
        Ok(metadata) => State::Ready(Facts {
            size: metadata.size(),
            device: metadata.dev(),
            inode: metadata.ino(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => State::Missing,
        Err(error) => State::Unreadable(error),
    }
}
