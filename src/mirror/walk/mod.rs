//! Walks the directories below a PATH: their entries, and what could not be read of them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::FileType;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use globset::GlobSet;
use walkdir::{DirEntry, WalkDir};

use super::pairing::{Entry, Kind};
use super::watch::{Ended, Room, Watch};
use crate::files::FileId;
use crate::names::endings;

/// Options of a walk.
#[derive(Clone, Debug, Default)]
pub struct WalkOptions {
    /// Maximum depth below the PATH; 1 means only its own entries. `None` means no limit.
    pub max_depth: Option<usize>,
    /// Whether links to directories are entered.
    pub follow_links: bool,
    /// What to exclude, matched against the path below the PATH.
    pub exclude: GlobSet,
    /// Those of `exclude` that match the last component alone, at any depth.
    pub exclude_anywhere: GlobSet,
}

/// The result of a walk. All paths begin with the PATH.
#[derive(Debug, Default)]
pub struct Found {
    /// The content of each directory, by the directory's path.
    pub directories: BTreeMap<PathBuf, Listing>,
    /// What could not be read. The walk continued after it.
    pub problems: Vec<Problem>,
    /// Directories that were not entered though within the depth limit, each with its depth.
    pub not_entered: Vec<(PathBuf, usize)>,
    /// Additional names of directories, each with the name under which the directory was read.
    pub other_names: Vec<(PathBuf, PathBuf)>,
    /// Directories with exclusions that would not apply under another of their names.
    pub partly: HashSet<PathBuf>,
}

/// The content of a directory.
#[derive(Debug, Default)]
pub struct Listing {
    /// Its entries.
    pub entries: Vec<Entry>,
    /// The names of its links to files, and to directories that were entered or have another name.
    pub followed: Vec<OsString>,
}

/// A directory that may not have been read completely.
#[derive(Debug)]
pub struct Problem {
    /// Its path.
    pub path: PathBuf,
    /// The error.
    pub error: WalkError,
}

/// An error on a directory.
#[derive(Debug)]
pub enum WalkError {
    /// It could not be read completely, for this reason.
    Unreadable(io::Error),
    /// Its entries kept changing while it was read.
    Changed,
}

/// Maximum number of changes to a directory during reading; then it fails. The first ones are
/// tolerated: a pipeline may log into the tree.
const MOST_CHANGES: usize = 3;

/// Maximum number of checks of all directories for changes. Fail closed: those that still change
/// then fail, since a file may have moved from a directory not yet read to one already read.
/// Without this bound, a writer that moves through the tree makes the work quadratic.
const MOST_ROUNDS: usize = 8;

/// Maximum number of names with different real paths under which links may lead to one directory.
/// Bind mounts, case-insensitive file systems and servers that give many directories one inode
/// number create such names; without this bound, their number may double with every level.
const MOST_NAMES: usize = 16;

/// Walks the directory `root`; its content never makes the walk itself fail.
///
/// Reads each directory once. If links are followed, a directory may have several names: it is read
/// under the one in the tree, else under the first of the others. With `max_depth`, the shallowest
/// name takes precedence, since most of the directory is read there.
///
/// # Errors
/// If it was ended early.
pub fn walk(root: &Path, reach: &WalkOptions, watch: Watch<'_>) -> Result<Found, Ended> {
    let mut walk = Walk {
        root,
        reach,
        watch,
        room: Room::new(watch),
        has_read_again: false,
        waiting: BTreeSet::new(),
        read: BTreeMap::new(),
        names: HashMap::new(),
        others: HashMap::new(),
        failed: HashMap::new(),
        entered: HashMap::new(),
    };
    walk.waiting.insert(Step {
        rank: 0,
        linked: false,
        path: root.to_owned(),
        // If even the PATH has no real path, links into it have none either, and fail.
        place: Some(root.canonicalize().unwrap_or_else(|_| root.to_owned())),
        depth: 0,
    });
    walk.read_waiting()?;
    walk.read_again()?;
    walk.finish()
}

/// Memory per directory in bytes in addition to its path, during the walk.
const MEMORY_OF_A_DIRECTORY: usize = 300;
/// Memory per entry in bytes in addition to its name.
const MEMORY_OF_AN_ENTRY: usize = size_of::<Entry>() + 24;

/// Returns the kind of the file at `path`, following links to files and directories alike.
///
/// # Errors
/// Those of stat(2), except that an unresolvable link is [`Kind::Dangling`].
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

/// A directory to read. Its order is the reading order.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    /// The depth, if there is a depth limit.
    rank: usize,
    /// Whether it is reached through a link.
    linked: bool,
    path: PathBuf,
    /// Its real path; `None` for a link that is not yet resolved.
    place: Option<PathBuf>,
    depth: usize,
}

/// A directory that was read. There are many, and most have only one or two entries.
#[derive(Debug)]
struct Reading {
    /// Its real path, if links are followed.
    place: PathBuf,
    /// Its stamp before it was read. `None` if it cannot be examined, or has changed.
    stamp: Option<Stamp>,
    depth: usize,
    linked: bool,
    changes: usize,
    has_failed: bool,
    is_partly_read: bool,
    entries: Vec<Entry>,
    /// Data that few directories need.
    rare: Option<Box<Rare>>,
}

/// Data that few directories need: links, and read errors.
#[derive(Debug, Default)]
struct Rare {
    problems: Vec<Problem>,
    /// The names of links to files, and to directories that are entered.
    followed: Vec<OsString>,
    /// The names of links to directories that are not entered.
    not_entered: Vec<OsString>,
}

impl Reading {
    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Returns the names of its directories, including linked ones, that are entered within the
    /// depth limit.
    fn directories(&self) -> impl Iterator<Item = &OsStr> {
        let links = self.rare.iter().flat_map(|rare| &rare.not_entered);
        let links: HashSet<&OsString> = links.collect();
        let directories = self.entries.iter();
        let directories =
            directories.filter(|entry| entry.kind == Kind::Directory && !entry.excluded);
        directories
            .filter(move |entry| !links.contains(&entry.name))
            .map(|entry| entry.name.as_os_str())
    }
}

/// Detects that entries came or went: the times of the last changes of a directory's entries and of
/// its inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    times: [(i64, i64); 2],
    /// The directory itself. Some file systems renumber inodes from time to time, so a new
    /// number alone is not a change.
    file: FileId,
}

impl Stamp {
    fn at(path: &Path) -> io::Result<Stamp> {
        path.metadata().map(|directory| Stamp {
            times: [
                (directory.mtime(), directory.mtime_nsec()),
                (directory.ctime(), directory.ctime_nsec()),
            ],
            file: FileId::from(&directory),
        })
    }
}

struct Walk<'a> {
    root: &'a Path,
    reach: &'a WalkOptions,
    watch: Watch<'a>,
    room: Room<'a>,
    /// Whether a directory was read more than once, so others may no longer be reachable.
    has_read_again: bool,
    waiting: BTreeSet<Step>,
    /// The directories that were read, by name.
    read: BTreeMap<PathBuf, Box<Reading>>,
    /// The name under which each directory was read, by real path. Only if links are followed.
    names: HashMap<PathBuf, PathBuf>,
    /// The real paths and depths of additional names.
    others: HashMap<PathBuf, (PathBuf, usize)>,
    /// Why linked directories were not entered.
    failed: HashMap<PathBuf, WalkError>,
    /// How often each device and inode was entered through links.
    entered: HashMap<FileId, usize>,
}

impl Walk<'_> {
    fn read_waiting(&mut self) -> Result<(), Ended> {
        while let Some(step) = self.waiting.pop_first() {
            self.watch.go_on()?;
            self.visit(step)?;
        }
        Ok(())
    }

    /// Reads a directory, unless it was already read.
    fn visit(&mut self, step: Step) -> Result<(), Ended> {
        self.room
            .take(MEMORY_OF_A_DIRECTORY + step.path.as_os_str().len())?;
        let stamp = Stamp::at(&step.path).ok();
        let place = match self.place(&step, stamp) {
            Ok(place) => place,
            Err(error) => {
                self.refuse(step.path, error);
                return Ok(());
            }
        };
        if self.is_read_as(&step.path, &place, stamp) {
            return Ok(());
        }
        if self.reach.follow_links {
            if self.name_of(&place).is_some_and(|name| *name != step.path) {
                self.read.remove(&step.path);
                self.others.insert(step.path, (place, step.depth));
                return Ok(());
            }
            if step.linked && !self.may_enter(stamp) {
                self.refuse(step.path, rustix::io::Errno::LOOP.into());
                return Ok(());
            }
            self.names.insert(place.clone(), step.path.clone());
        }
        self.others.remove(&step.path);
        self.failed.remove(&step.path);
        self.list(step, place, stamp)
    }

    fn refuse(&mut self, path: PathBuf, error: io::Error) {
        self.read.remove(&path);
        self.others.remove(&path);
        self.failed.insert(path, WalkError::Unreadable(error));
    }

    /// Returns the real path, which identifies a directory.
    ///
    /// Fail closed: an inode number does not. A server may give two directories one number, and
    /// only one of them would be read.
    fn place(&self, step: &Step, stamp: Option<Stamp>) -> io::Result<PathBuf> {
        match &step.place {
            _ if !self.reach.follow_links => Ok(PathBuf::new()),
            Some(place) => Ok(place.clone()),
            None => real_path(&step.path, stamp),
        }
    }

    /// Reports whether a directory was read under this name and has not changed since.
    fn is_read_as(&self, path: &Path, place: &Path, now: Option<Stamp>) -> bool {
        self.read.get(path).is_some_and(|read| {
            let is_same = read.stamp.is_some() && read.stamp == now && read.place == place;
            read.has_failed || is_same
        })
    }

    /// Returns the name under which the directory with this real path was read.
    fn name_of(&self, place: &Path) -> Option<&PathBuf> {
        let is_there = |name: &&PathBuf| self.read.get(*name).is_some_and(|r| r.place == place);
        self.names.get(place).filter(is_there)
    }

    fn may_enter(&mut self, stamp: Option<Stamp>) -> bool {
        let Some(stamp) = stamp else { return true };
        let times = self.entered.entry(stamp.file).or_default();
        *times += 1;
        // A changing directory is counted each time it is read, hence the product.
        *times <= MOST_NAMES * MOST_CHANGES
    }

    /// Rereads the directories that changed while they were read.
    ///
    /// Fail closed: a file that replaces another while the directory is read may be missing from
    /// its entries (readdir(3) leaves that unspecified, and tmpfs does so), and so may one that
    /// moves from a directory that is read later to one that was read before.
    fn read_again(&mut self) -> Result<(), Ended> {
        for round in 1..=MOST_ROUNDS {
            let changed = self.changed()?;
            if changed.is_empty() {
                break;
            }
            self.has_read_again = true;
            for path in changed {
                self.has_changed(path, round == MOST_ROUNDS);
            }
            self.read_waiting()?;
        }
        Ok(())
    }

    fn changed(&self) -> Result<Vec<PathBuf>, Ended> {
        let mut changed = Vec::new();
        for (path, read) in &self.read {
            self.watch.go_on()?;
            let Some(before) = read.stamp else { continue };
            if Stamp::at(path).map_or(true, |now| now.times != before.times) {
                changed.push(path.clone());
            }
        }
        Ok(changed)
    }

    fn has_changed(&mut self, path: PathBuf, is_last: bool) {
        let Some(read) = self.read.get_mut(&path) else {
            return;
        };
        read.changes += 1;
        read.stamp = None;
        if read.changes >= MOST_CHANGES || is_last {
            read.has_failed = true;
            return;
        }
        let (depth, linked) = (read.depth, read.linked);
        // Resolve a link again, since its target may have changed.
        let place = (!path.is_symlink() || path == self.root).then(|| read.place.clone());
        self.wait_for(path, place, depth, linked);
    }

    fn wait_for(&mut self, path: PathBuf, place: Option<PathBuf>, depth: usize, linked: bool) {
        let rank = self.reach.max_depth.map_or(0, |_| depth);
        self.waiting.insert(Step {
            rank,
            linked,
            path,
            place,
            depth,
        });
    }

    /// Reports whether the entries of directories at this depth are walked.
    fn is_walked(&self, depth: usize) -> bool {
        self.reach.max_depth.is_none_or(|most| depth < most)
    }

    /// Reads the entries of one directory.
    ///
    /// Follows links here, not in walkdir, which does not name the link if following it fails.
    fn list(&mut self, step: Step, place: PathBuf, stamp: Option<Stamp>) -> Result<(), Ended> {
        let mut reading = Reading {
            place,
            stamp,
            depth: step.depth,
            linked: step.linked,
            changes: self.read.get(&step.path).map_or(0, |read| read.changes),
            has_failed: false,
            is_partly_read: false,
            entries: Vec::new(),
            rare: None,
        };
        let entries = WalkDir::new(&step.path).min_depth(1).max_depth(1);
        for entry in entries {
            self.watch.go_on()?;
            match entry {
                Ok(entry) => self.take(&mut reading, &entry)?,
                Err(error) => reading.rare().problems.push(problem(error, &step.path)),
            }
        }
        reading.entries.shrink_to_fit();
        self.read.insert(step.path, Box::new(reading));
        Ok(())
    }

    fn take(&mut self, reading: &mut Reading, entry: &DirEntry) -> Result<(), Ended> {
        self.watch.entries.fetch_add(1, Ordering::Relaxed);
        let (path, name) = (entry.path(), entry.file_name());
        self.room.take(MEMORY_OF_AN_ENTRY + name.len())?;
        self.room.grow(&mut reading.entries)?;
        let is_excluded = self.is_excluded(path);
        let anywhere = &self.reach.exclude_anywhere;
        reading.is_partly_read |= is_excluded && !anywhere.is_match(Path::new(name));
        let kind = if entry.file_type().is_symlink() {
            self.link(reading, path, is_excluded)
        } else {
            if entry.file_type().is_dir() && !is_excluded && self.is_walked(reading.depth + 1) {
                let place = Some(reading.place.join(name));
                self.wait_for(path.to_owned(), place, reading.depth + 1, reading.linked);
            }
            kind_of(entry.file_type())
        };
        if kind == Kind::Directory {
            self.room
                .take(MEMORY_OF_A_DIRECTORY + path.as_os_str().len())?;
        }
        reading.entries.push(Entry {
            name: name.to_owned(),
            kind,
            excluded: is_excluded,
            is_other: false,
        });
        Ok(())
    }

    /// Returns the kind of a link's target, and records the link unless it is excluded.
    fn link(&mut self, reading: &mut Reading, path: &Path, is_excluded: bool) -> Kind {
        let (kind, error) = match path.metadata() {
            Ok(target) => (kind_of(target.file_type()), None),
            Err(error) => (Kind::Dangling, Some(error)),
        };
        let is_walked = self.is_walked(reading.depth + 1);
        let name = || path.file_name().unwrap_or_default().to_owned();
        match (kind, error) {
            _ if is_excluded => {}
            (Kind::File, _) => reading.rare().followed.push(name()),
            (Kind::Directory, _) if is_walked && self.reach.follow_links => {
                reading.rare().followed.push(name());
                self.wait_for(path.to_owned(), None, reading.depth + 1, true);
            }
            (Kind::Directory, _) if is_walked => reading.rare().not_entered.push(name()),
            (_, Some(error)) if self.hides_a_directory(path, &error) => {
                reading.rare().problems.push(Problem {
                    path: path.to_owned(),
                    error: WalkError::Unreadable(error),
                });
            }
            _ => {}
        }
        kind
    }

    /// Reports whether an unresolvable link may lead to a directory.
    ///
    /// Fail closed: its files must not be lost silently. A dangling link has none, and the pairing
    /// reports a link with an artifact's name. A loop of links leads to nothing either, but is
    /// reported if links are followed.
    fn hides_a_directory(&self, path: &Path, error: &io::Error) -> bool {
        let is_loop = rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::LOOP);
        let is_nothing = error.kind() == io::ErrorKind::NotFound;
        let is_reported = path.file_name().is_some_and(endings::is_artifact);
        !is_nothing && !is_reported && (self.reach.follow_links || !is_loop)
    }

    /// Returns the result: the directories still reachable from the PATH.
    fn finish(mut self) -> Result<Found, Ended> {
        let mut found = Found::default();
        let mut kept: HashMap<PathBuf, (PathBuf, usize)> = HashMap::new();
        let others = if self.has_read_again {
            self.drop_unreached()
        } else {
            // No directory was reread, so all that was read is still reachable.
            std::mem::take(&mut self.others)
        };
        for (path, error) in std::mem::take(&mut self.failed) {
            found.problems.push(Problem { path, error });
        }
        while let Some((path, mut reading)) = self.read.pop_first() {
            self.room.take(MEMORY_OF_A_DIRECTORY)?;
            if !others.is_empty() {
                let place = std::mem::take(&mut reading.place);
                kept.insert(path.clone(), (place, reading.depth));
            }
            self.keep(&mut found, path, *reading);
        }
        for (path, (place, depth)) in others {
            let name = self.names.get(&place);
            let name = name.and_then(|name| kept.get(name).map(|(at, depth)| (name, at, *depth)));
            match name.filter(|(_, at, _)| **at == place) {
                // Fail closed: part of the directory may not have been judged under its first name.
                Some((name, _, at)) if found.partly.contains(name) || self.is_deeper(at, depth) => {
                    found.not_entered.push((path, depth));
                }
                Some((name, ..)) => found.other_names.push((path, name.clone())),
                // Fail closed: the name under which it was read is gone, and its content with it.
                None => found.problems.push(Problem {
                    path,
                    error: WalkError::Changed,
                }),
            }
        }
        found.not_entered.sort_unstable();
        found.other_names.sort_unstable();
        Ok(found)
    }

    /// Drops what is no longer reachable from the PATH after directories changed. Returns the
    /// additional names that are.
    fn drop_unreached(&mut self) -> HashMap<PathBuf, (PathBuf, usize)> {
        let (mut read, mut others, mut failed) = (BTreeMap::new(), HashMap::new(), HashMap::new());
        let mut reached = vec![self.root.to_owned()];
        while let Some(path) = reached.pop() {
            if let Some(reading) = self.read.remove(&path) {
                if self.is_walked(reading.depth + 1) {
                    reached.extend(reading.directories().map(|name| path.join(name)));
                }
                read.insert(path, reading);
            } else if let Some(other) = self.others.remove(&path) {
                others.insert(path, other);
            } else if let Some(error) = self.failed.remove(&path) {
                failed.insert(path, error);
            }
        }
        (self.read, self.failed) = (read, failed);
        others
    }

    fn is_deeper(&self, one: usize, other: usize) -> bool {
        self.reach.max_depth.is_some() && one > other
    }

    fn keep(&self, found: &mut Found, path: PathBuf, reading: Reading) {
        if reading.is_partly_read {
            for above in path.ancestors() {
                if !found.partly.insert(above.to_owned()) || above == self.root {
                    break;
                }
            }
        }
        let rare = reading.rare.map(|rare| *rare).unwrap_or_default();
        found.problems.extend(rare.problems);
        let depth = reading.depth + 1;
        let not_entered = rare.not_entered.iter().map(|name| (path.join(name), depth));
        found.not_entered.extend(not_entered);
        if reading.has_failed {
            found.problems.push(Problem {
                path: path.clone(),
                error: WalkError::Changed,
            });
        }
        let listing = Listing {
            entries: reading.entries,
            followed: rare.followed,
        };
        found.directories.insert(path, listing);
    }

    fn is_excluded(&self, path: &Path) -> bool {
        path.strip_prefix(self.root)
            .is_ok_and(|below| self.reach.exclude.is_match(below))
    }
}

/// Returns the real path of a directory.
///
/// # Errors
/// Those of realpath(3), or an error if the real path leads to another directory: the text of some
/// links under /proc does not give their target.
pub fn real_directory(path: &Path) -> io::Result<PathBuf> {
    real_path(path, Stamp::at(path).ok())
}

fn real_path(path: &Path, stamp: Option<Stamp>) -> io::Result<PathBuf> {
    let place = path.canonicalize()?;
    let there = Stamp::at(&place)?.file;
    // Fail closed: the real path must lead to the same directory as `path`.
    if stamp.is_some_and(|stamp| stamp.file == there) {
        Ok(place)
    } else {
        Err(io::Error::other(
            "the link does not lead where its text says",
        ))
    }
}

fn problem(error: walkdir::Error, directory: &Path) -> Problem {
    let path = error.path().unwrap_or(directory).to_owned();
    let words = error.to_string();
    let error = error.into_io_error();
    Problem {
        path,
        // Links are not followed, so there are no loops and every error comes from the system.
        error: WalkError::Unreadable(error.unwrap_or_else(|| io::Error::other(words))),
    }
}

#[cfg(test)]
mod tests;
