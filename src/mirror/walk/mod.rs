//! Walks the directories below a PATH: their entries, and what could not be read of them.

mod reading;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::OsString;
use std::fs::FileType;
use std::io;
use std::path::{Path, PathBuf};

use globset::GlobSet;

use super::helpers::Helpers;
use super::pairing::{Entry, Kind};
use super::watch::{Ended, Room, Watch};
use crate::files::FileId;
use reading::{Reading, Scope, Stamp, Visit};

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
    /// The path of each directory and its content, ordered by path.
    pub directories: Vec<(PathBuf, Listing)>,
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
pub fn walk(
    root: &Path,
    reach: &WalkOptions,
    watch: Watch<'_>,
    helpers: &Helpers,
) -> Result<Found, Ended> {
    let scope = Scope { root, reach, watch };
    let mut walk = Walk {
        scope,
        helpers,
        room: Room::new(watch),
        has_read_again: false,
        waiting: BTreeSet::new(),
        read: BTreeMap::new(),
        names: HashMap::new(),
        others: HashMap::new(),
        failed: HashMap::new(),
        entered: HashMap::new(),
    };
    // If even the PATH has no real path, links into it have none either, and fail.
    let place = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let first = scope.step(root.to_owned(), Some(place), 0, false);
    walk.waiting.insert(first);
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
    /// Its real path; `None` for a link that is not yet resolved, and if links are not followed.
    place: Option<PathBuf>,
    depth: usize,
}

/// A directory to read, with what is known of it from an earlier reading.
struct Due {
    step: Step,
    changes: usize,
    has_failed: bool,
    stamp: Option<Stamp>,
}

impl Due {
    /// Reads the directory; returns `None` if it has not changed since it was read, or changes too
    /// often.
    fn read(self, scope: Scope<'_>) -> Result<Option<Visit<'_>>, Ended> {
        scope.watch.go_on()?;
        let stamp = Stamp::at(&self.step.path).ok();
        if self.has_failed || stamp.is_some() && stamp == self.stamp {
            return Ok(None);
        }
        Visit::to(self.step, PathBuf::new(), stamp, self.changes, scope).map(Some)
    }
}

struct Walk<'a> {
    scope: Scope<'a>,
    helpers: &'a Helpers,
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
        // Which of a directory's names comes first matters only if links are followed.
        if self.scope.reach.follow_links {
            while let Some(step) = self.waiting.pop_first() {
                self.scope.watch.go_on()?;
                self.visit(step)?;
            }
            return Ok(());
        }
        while !self.waiting.is_empty() {
            self.room.borrow(self.waiting.len() * size_of::<Due>())?;
            let steps = std::mem::take(&mut self.waiting).into_iter();
            let due: Vec<Due> = steps.map(|step| self.due(step)).collect();
            let (helpers, scope) = (self.helpers, self.scope);
            let read = |due: Due| due.read(scope);
            helpers.each(due, read, |visit| self.take_in(visit?))?;
        }
        Ok(())
    }

    /// Returns a step with what is known of its directory.
    fn due(&self, step: Step) -> Due {
        let read = self.read.get(&step.path);
        Due {
            changes: read.map_or(0, |read| read.changes),
            has_failed: read.is_some_and(|read| read.has_failed),
            stamp: read.and_then(|read| read.stamp),
            step,
        }
    }

    /// Keeps what was read of a directory, unless it had not changed since it was read before.
    fn take_in(&mut self, visit: Option<Visit<'_>>) -> Result<(), Ended> {
        let Some(visit) = visit else { return Ok(()) };
        self.room.take(visit.room.unchecked())?;
        self.room
            .borrow(2 * visit.leads_to.len() * size_of::<Step>())?;
        self.waiting.extend(visit.leads_to);
        self.read.insert(visit.path, Box::new(visit.reading));
        Ok(())
    }

    /// Reads a directory, unless it was already read.
    fn visit(&mut self, step: Step) -> Result<(), Ended> {
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
        self.others.remove(&step.path);
        self.failed.remove(&step.path);
        let changes = self.read.get(&step.path).map_or(0, |read| read.changes);
        let visit = Visit::to(step, place, stamp, changes, self.scope)?;
        self.take_in(Some(visit))
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

    fn changed(&mut self) -> Result<Vec<PathBuf>, Ended> {
        self.room
            .borrow(self.read.len() * size_of::<(&PathBuf, Stamp)>())?;
        let mut changed = Vec::new();
        let read = self.read.iter();
        let stamped = read.filter_map(|(path, read)| Some((path, read.stamp?)));
        let has_changed = |(path, before): (&PathBuf, Stamp)| {
            let now = Stamp::at(path);
            now.map_or(true, |now| now.times != before.times)
                .then(|| path.clone())
        };
        self.helpers.each(stamped.collect(), has_changed, |path| {
            self.scope.watch.go_on()?;
            changed.extend(path);
            Ok(())
        })?;
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
        let place = (!path.is_symlink() || path == self.scope.root).then(|| read.place.clone());
        let step = self.scope.step(path, place, depth, linked);
        self.waiting.insert(step);
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
        let count = self.read.len();
        self.room.borrow(count * size_of::<(PathBuf, Listing)>())?;
        let reserved = found.directories.try_reserve_exact(count);
        reserved.map_err(|_| Ended::Memory)?;
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
        let mut reached = vec![self.scope.root.to_owned()];
        while let Some(path) = reached.pop() {
            if let Some(reading) = self.read.remove(&path) {
                if self.scope.is_walked(reading.depth + 1) {
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
        self.scope.reach.max_depth.is_some() && one > other
    }

    fn keep(&self, found: &mut Found, path: PathBuf, reading: Reading) {
        if reading.is_partly_read {
            for above in path.ancestors() {
                if !found.partly.insert(above.to_owned()) || above == self.scope.root {
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
        found.directories.push((path, listing));
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

#[cfg(test)]
mod tests;
