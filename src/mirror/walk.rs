//! The directories below a PATH: their entries, and what could not be read of them.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs::{FileType, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use globset::GlobSet;
use walkdir::{DirEntry, WalkDir};

use super::pairing::{self, Entry, Kind};
use crate::limits;

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

/// What a walk found. All paths begin with the PATH.
#[derive(Debug, Default)]
pub struct Found {
    /// The entries of each directory, by the directory's path.
    pub directories: BTreeMap<PathBuf, Vec<Entry>>,
    /// What could not be read. The walk went on after it.
    pub problems: Vec<Problem>,
    /// Links to directories that were not entered, because nobody asked for it.
    pub links_not_entered: Vec<PathBuf>,
    /// Links to files, and to directories that were entered.
    pub links_followed: Vec<PathBuf>,
}

/// A directory of which nobody knows whether all was seen.
#[derive(Debug)]
pub struct Problem {
    /// Its path.
    pub path: PathBuf,
    /// What happened.
    pub trouble: Trouble,
}

/// What can happen to a directory.
#[derive(Debug)]
pub enum Trouble {
    /// It could not be read, or not to its end, and this is the system's reason.
    Unreadable(io::Error),
    /// Its entries changed while it was read, however often that was tried.
    Changed,
}

/// As often as this a directory may change while it is read. Once is not told, since somebody may just have made a file (a pipeline that logs
/// into the tree, say); a directory in which it never ends is.
const MOST_CHANGES: usize = 3;

/// How a walk is watched, and ended, from outside.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Counts the entries as they are found.
    pub entries: &'a AtomicU64,
    /// Whether to end; looked at before each entry.
    pub cancelled: &'a dyn Fn() -> bool,
}

/// Walks the directory `root`, and never fails as a whole. `None` when it was cancelled before the end.
pub fn walk(root: &Path, reach: &Reach, watch: Watch<'_>) -> Option<Found> {
    let mut walk = Walk {
        root,
        reach,
        watch,
        found: Found::default(),
        read: BTreeMap::new(),
        changes: HashMap::new(),
    };
    walk.enter(root, reach.max_depth.unwrap_or(usize::MAX))?;
    while walk.read_again()? {}
    Some(walk.found)
}

/// What stands under `path` itself, links followed for files and directories alike.
///
/// # Errors
/// Those of stat(2), but for a link that cannot be resolved, which is [`Kind::Dangling`].
pub fn kind_at(path: &Path) -> io::Result<Kind> {
    match path.metadata() {
        Ok(metadata) => Ok(kind_of(metadata.file_type())),
        Err(_) if path.is_symlink() => Ok(Kind::Dangling),
        Err(error) => Err(error),
    }
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

struct Walk<'a> {
    root: &'a Path,
    reach: &'a Reach,
    watch: Watch<'a>,
    found: Found,
    /// The directories that are read, each as it was before, and how many levels of it are.
    read: BTreeMap<PathBuf, (Version, usize)>,
    /// How often directories have changed while they were read.
    changes: HashMap<PathBuf, usize>,
}

/// What tells a directory from itself after an entry came or went: the times of the last changes of its entries and of its inode. (Its number
/// does not: some file systems make it up anew from time to time. And one directory in the place of another changes the one above.)
#[derive(Debug, PartialEq, Eq)]
struct Version((i64, i64), (i64, i64));

impl Version {
    fn at(path: &Path) -> io::Result<Version> {
        path.metadata().map(|directory| {
            Version(
                (directory.mtime(), directory.mtime_nsec()),
                (directory.ctime(), directory.ctime_nsec()),
            )
        })
    }
}

impl Walk<'_> {
    /// Takes note of a directory before its entries are read. One that cannot be looked at cannot be read either, which is told.
    fn will_read(&mut self, directory: &Path, levels: usize) {
        if let Ok(version) = Version::at(directory) {
            self.read.insert(directory.to_owned(), (version, levels));
        }
    }

    /// Reads those directories again that changed while they were read, with all that is in them; whether there were any. `None` when
    /// cancelled.
    ///
    /// Fail closed: a file that is put in the place of another while the directory is read may be missing from its entries (readdir(3)
    /// leaves that open, and tmpfs does so), so that nobody would hear of it.
    fn read_again(&mut self) -> Option<bool> {
        let mut again: Vec<(PathBuf, usize)> = Vec::new();
        for (directory, levels) in self.changed()? {
            let changes = self.changes.entry(directory.clone()).or_default();
            *changes += 1;
            // In their order, what is in a directory comes behind it.
            let is_inside = |(above, _): &(PathBuf, usize)| directory.starts_with(above);
            if *changes >= MOST_CHANGES {
                self.read.remove(&directory);
                // Once, however often what it lies in is read again.
                let told = (*changes == MOST_CHANGES).then_some(Problem {
                    path: directory,
                    trouble: Trouble::Changed,
                });
                self.found.problems.extend(told);
            } else if !again.last().is_some_and(is_inside) {
                again.push((directory, levels));
            }
        }
        for (directory, levels) in &again {
            self.forget(directory);
            self.enter(directory, *levels)?;
        }
        Some(!again.is_empty())
    }

    /// The directories that are not what they were, and how many levels of each are read.
    fn changed(&self) -> Option<Vec<(PathBuf, usize)>> {
        let mut changed = Vec::new();
        for (directory, (version, levels)) in &self.read {
            if (self.watch.cancelled)() {
                return None;
            }
            if Version::at(directory).map_or(true, |now| now != *version) {
                changed.push((directory.clone(), *levels));
            }
        }
        Some(changed)
    }

    /// Forgets what was found in a directory, but not that it changed too often.
    fn forget(&mut self, directory: &Path) {
        let is_elsewhere = |path: &Path| !path.starts_with(directory);
        let found = &mut self.found;
        found.directories.retain(|path, _| is_elsewhere(path));
        found.links_not_entered.retain(|path| is_elsewhere(path));
        found.links_followed.retain(|path| is_elsewhere(path));
        let is_kept = |problem: &Problem| matches!(problem.trouble, Trouble::Changed);
        found
            .problems
            .retain(|problem| is_kept(problem) || is_elsewhere(&problem.path));
        self.read.retain(|path, _| is_elsewhere(path));
    }

    /// Walks `levels` levels of a directory, or of a link to one. `None` when cancelled.
    ///
    /// Links are followed here and not by walkdir, which does not name the link where following fails.
    fn enter(&mut self, directory: &Path, levels: usize) -> Option<()> {
        let mut steps = WalkDir::new(directory)
            .max_open((limits::files_left() / 2).clamp(1, 10))
            .max_depth(levels)
            .into_iter();
        while let Some(step) = steps.next() {
            if (self.watch.cancelled)() {
                return None;
            }
            match step {
                Ok(entry) if entry.depth() == 0 => self.will_read(directory, levels),
                Ok(entry) => {
                    self.watch.entries.fetch_add(1, Ordering::Relaxed);
                    let excluded = self.is_excluded(entry.path());
                    if entry.file_type().is_symlink() {
                        self.link(&entry, excluded, levels)?;
                    } else {
                        self.insert(entry.path(), kind_of(entry.file_type()), excluded);
                    }
                    if entry.file_type().is_dir() {
                        match excluded {
                            true => steps.skip_current_dir(),
                            // walkdir has it open already, and reads it from the next step on.
                            false if entry.depth() < levels => {
                                self.will_read(entry.path(), levels - entry.depth());
                            }
                            false => {}
                        }
                    }
                }
                Err(error) => self.problem(error, directory),
            }
        }
        Some(())
    }

    fn link(&mut self, link: &DirEntry, excluded: bool, levels: usize) -> Option<()> {
        let path = link.path();
        match path.metadata() {
            Ok(target) => {
                self.insert(path, kind_of(target.file_type()), excluded);
                if excluded {
                    return Some(());
                }
                if target.is_file() {
                    self.found.links_followed.push(path.to_owned());
                } else if target.is_dir() && !self.reach.follow_links {
                    self.found.links_not_entered.push(path.to_owned());
                } else if target.is_dir()
                    && link.depth() < levels
                    && !self.leads_back(path, &target)
                {
                    self.found.links_followed.push(path.to_owned());
                    return self.enter(path, levels - link.depth());
                }
            }
            Err(error) => {
                self.insert(path, Kind::Dangling, excluded);
                // Fail closed: a directory may lie there, and its files must not be lost without a word. What leads
                // nowhere has none, and a link with an artifact's name gets its line from the pairing.
                let is_told = error.kind() == io::ErrorKind::NotFound
                    || path.file_name().is_some_and(pairing::is_artifact);
                if self.reach.follow_links && !is_told && !excluded {
                    self.found.problems.push(Problem {
                        path: path.to_owned(),
                        trouble: Trouble::Unreadable(error),
                    });
                }
            }
        }
        Some(())
    }

    /// Whether a link leads to a directory above it, all of which is being walked already.
    fn leads_back(&self, link: &Path, target: &Metadata) -> bool {
        let above = link.ancestors().skip(1);
        let below_root = above.take_while(|path| path.starts_with(self.root));
        let is_target = |path: &Path| {
            path.metadata()
                .is_ok_and(|m| (m.dev(), m.ino()) == (target.dev(), target.ino()))
        };
        below_root.into_iter().any(is_target)
    }

    fn insert(&mut self, path: &Path, kind: Kind, excluded: bool) {
        let entry = Entry {
            name: path.file_name().unwrap_or(OsStr::new("")).to_owned(),
            kind,
            excluded,
        };
        let directory = path.parent().unwrap_or(Path::new(""));
        match self.found.directories.get_mut(directory) {
            Some(entries) => entries.push(entry),
            None => {
                self.found
                    .directories
                    .insert(directory.to_owned(), vec![entry]);
            }
        }
    }

    fn problem(&mut self, error: walkdir::Error, directory: &Path) {
        let path = error.path().unwrap_or(directory).to_owned();
        let words = error.to_string();
        let error = error.into_io_error();
        if !self.is_excluded(&path) {
            self.found.problems.push(Problem {
                path,
                // Links are not followed, so that there are no loops and every error is one of the system's.
                trouble: Trouble::Unreadable(error.unwrap_or_else(|| io::Error::other(words))),
            });
        }
    }

    fn is_excluded(&self, path: &Path) -> bool {
        path.strip_prefix(self.root)
            .is_ok_and(|below| self.reach.exclude.is_match(below))
    }
}
