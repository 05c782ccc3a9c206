//! The directories below a PATH: their entries, and what could not be read of them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::FileType;
use std::io;
use std::path::{Path, PathBuf};

use globset::GlobSet;
use walkdir::{DirEntry, WalkDir};

use super::pairing::{self, Entry, Kind};

/// How far a walk goes.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// How many levels below the PATH; 1 is the files directly in it. `None` is all.
    pub max_depth: Option<usize>,
    /// Whether links to directories are entered.
    pub follow_links: bool,
    /// What is left out, matched on the path below the PATH.
    pub exclude: GlobSet,
}

/// What a walk found.
#[derive(Debug, Default)]
pub struct Found {
    /// The entries of each directory, by the directory's path.
    pub directories: BTreeMap<PathBuf, Vec<Entry>>,
    /// What could not be read. The walk went on behind it.
    pub problems: Vec<Problem>,
    /// Links to directories that were not entered.
    pub links_not_entered: Vec<PathBuf>,
}

/// A directory (or a place in one) that could not be read.
#[derive(Debug)]
pub struct Problem {
    /// Its path.
    pub path: PathBuf,
    /// The system's reason.
    pub error: io::Error,
}

/// Walks the directory `root`, and never fails as a whole. Ends early when `cancelled` says so.
pub fn walk(root: &Path, reach: &Reach, cancelled: &dyn Fn() -> bool) -> Found {
    let mut found = Found::default();
    let walker = WalkDir::new(root)
        .min_depth(1)
        .max_depth(reach.max_depth.unwrap_or(usize::MAX))
        .follow_links(reach.follow_links)
        .into_iter()
        // A directory that is left out is not entered. A file that is left out is still seen: see `pairing`.
        .filter_entry(|e| !(e.file_type().is_dir() && is_excluded(root, e.path(), reach)));
    for step in walker.take_while(|_| !cancelled()) {
        match step {
            Ok(entry) => found.add(&entry, is_excluded(root, entry.path(), reach)),
            Err(error) => found.add_problem(error, root, reach),
        }
    }
    found
}

/// What stands under `path` itself, links followed for files and directories alike.
///
/// # Errors
/// Those of stat(2), but for a link that leads nowhere, which is [`Kind::Dangling`].
pub fn kind_at(path: &Path) -> io::Result<Kind> {
    match path.metadata() {
        Ok(metadata) => Ok(kind_of(metadata.file_type())),
        Err(_) if path.is_symlink() => Ok(Kind::Dangling),
        Err(error) => Err(error),
    }
}

impl Found {
    fn add(&mut self, entry: &DirEntry, excluded: bool) {
        let is_link = entry.file_type().is_symlink();
        let kind = if is_link {
            // Fail closed: whatever keeps a link from being resolved, what it stands for is reported, not skipped.
            kind_at(entry.path()).unwrap_or(Kind::Dangling)
        } else {
            kind_of(entry.file_type())
        };
        if is_link && kind == Kind::Directory && !excluded {
            self.links_not_entered.push(entry.path().to_owned());
        }
        self.insert(entry.path(), kind, excluded);
    }

    fn insert(&mut self, path: &Path, kind: Kind, excluded: bool) {
        let entry = Entry {
            name: path.file_name().unwrap_or(OsStr::new("")).to_owned(),
            kind,
            excluded,
        };
        let directory = path.parent().unwrap_or(Path::new(""));
        match self.directories.get_mut(directory) {
            Some(entries) => entries.push(entry),
            None => {
                self.directories.insert(directory.to_owned(), vec![entry]);
            }
        }
    }

    fn add_problem(&mut self, error: walkdir::Error, root: &Path, reach: &Reach) {
        let path = error.path().unwrap_or(root).to_owned();
        let excluded = is_excluded(root, &path, reach);
        // A link back to a directory above it has no I/O error: everything behind it is being walked already.
        let Some(error) = error.into_io_error() else {
            return;
        };
        if path != root && path.is_symlink() && is_entry(&path, &error) {
            self.insert(&path, Kind::Dangling, excluded);
        } else if !excluded {
            self.problems.push(Problem { path, error });
        }
    }
}

/// With links followed, one that cannot be resolved is told as an error. It is an entry like any other where
/// it leads nowhere or bears an artifact's name; else a directory may lie behind it, which must not be lost.
fn is_entry(link: &Path, error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || link.file_name().is_some_and(pairing::is_artifact)
}

fn kind_of(file_type: FileType) -> Kind {
    if file_type.is_file() {
        Kind::File
    } else if file_type.is_dir() {
        Kind::Directory
    } else {
        Kind::Special
    }
}

fn is_excluded(root: &Path, path: &Path, reach: &Reach) -> bool {
    path.strip_prefix(root)
        .is_ok_and(|below| reach.exclude.is_match(below))
}
