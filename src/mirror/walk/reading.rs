//! Reads the entries of one directory, on any thread.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirEntry, FileType};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::{
    MEMORY_OF_A_DIRECTORY, MEMORY_OF_AN_ENTRY, Problem, Step, WalkError, WalkOptions, kind_of,
};
use crate::files::FileId;
use crate::mirror::pairing::{Entry, Kind};
use crate::mirror::watch::{Ended, Room, Watch};
use crate::names::endings;

/// Where a walk goes, and what it reports to.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) root: &'a Path,
    pub(super) reach: &'a WalkOptions,
    pub(super) watch: Watch<'a>,
}

impl Scope<'_> {
    /// Reports whether the entries of directories at this depth are walked.
    pub(super) fn is_walked(&self, depth: usize) -> bool {
        self.reach.max_depth.is_none_or(|most| depth < most)
    }

    fn is_excluded(&self, path: &Path) -> bool {
        let below = || path.strip_prefix(self.root);
        !self.reach.exclude.is_empty()
            && below().is_ok_and(|below| self.reach.exclude.is_match(below))
    }

    /// Returns the step to a directory at this depth; `place` is its real path, if that is known.
    pub(super) fn step(
        &self,
        path: PathBuf,
        place: Option<PathBuf>,
        depth: usize,
        linked: bool,
    ) -> Step {
        Step {
            rank: self.reach.max_depth.map_or(0, |_| depth),
            linked,
            path,
            place: place.filter(|_| self.reach.follow_links),
            depth,
        }
    }
}

/// A directory that was read. There are many, and most have only one or two entries.
#[derive(Debug)]
pub(super) struct Reading {
    /// Its real path, if links are followed.
    pub(super) place: PathBuf,
    /// Its stamp before it was read. `None` if it cannot be examined, or has changed.
    pub(super) stamp: Option<Stamp>,
    pub(super) depth: usize,
    pub(super) linked: bool,
    pub(super) changes: usize,
    pub(super) has_failed: bool,
    pub(super) is_partly_read: bool,
    pub(super) entries: Vec<Entry>,
    /// Data that few directories need.
    pub(super) rare: Option<Box<Rare>>,
}

/// Data that few directories need: links, and read errors.
#[derive(Debug, Default)]
pub(super) struct Rare {
    pub(super) problems: Vec<Problem>,
    /// The names of links to files, and to directories that are entered.
    pub(super) followed: Vec<OsString>,
    /// The names of links to directories that are not entered.
    pub(super) not_entered: Vec<OsString>,
}

impl Reading {
    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Returns the names of its directories, including linked ones, that are entered within the
    /// depth limit.
    pub(super) fn directories(&self) -> impl Iterator<Item = &OsStr> {
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
pub(super) struct Stamp {
    pub(super) times: [(i64, i64); 2],
    /// The directory itself. Some file systems renumber inodes from time to time, so a new
    /// number alone is not a change.
    pub(super) file: FileId,
}

impl Stamp {
    pub(super) fn at(path: &Path) -> io::Result<Stamp> {
        path.metadata().map(|directory| Stamp {
            times: [
                (directory.mtime(), directory.mtime_nsec()),
                (directory.ctime(), directory.ctime_nsec()),
            ],
            file: FileId::from(&directory),
        })
    }
}

/// A visit to a directory: what is read there, and the directories that it leads to.
pub(super) struct Visit<'a> {
    scope: Scope<'a>,
    pub(super) room: Room<'a>,
    pub(super) path: PathBuf,
    pub(super) reading: Reading,
    pub(super) leads_to: Vec<Step>,
}

impl<'a> Visit<'a> {
    /// Reads a directory with this real path, of which this is the stamp. It has changed so many
    /// times before.
    ///
    /// # Errors
    /// If the walk was ended early.
    pub(super) fn to(
        step: Step,
        place: PathBuf,
        stamp: Option<Stamp>,
        changes: usize,
        scope: Scope<'a>,
    ) -> Result<Visit<'a>, Ended> {
        let mut visit = Visit {
            scope,
            room: Room::new(scope.watch),
            path: step.path,
            reading: Reading {
                place,
                stamp,
                depth: step.depth,
                linked: step.linked,
                changes,
                has_failed: false,
                is_partly_read: false,
                entries: Vec::new(),
                rare: None,
            },
            leads_to: Vec::new(),
        };
        visit.list()?;
        Ok(visit)
    }

    /// Reads the entries.
    ///
    /// Not by walkdir: it opens every directory in this one before it asks whether that is to be
    /// entered, so that a directory which the user excluded because it hangs would be waited for.
    fn list(&mut self) -> Result<(), Ended> {
        let length = self.path.as_os_str().len();
        self.room.take(MEMORY_OF_A_DIRECTORY + length)?;
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) => {
                self.fail(self.path.clone(), error);
                return Ok(());
            }
        };
        for entry in entries {
            self.scope.watch.go_on()?;
            match entry {
                Ok(entry) => match entry.file_type() {
                    Ok(file_type) => self.take(&entry, file_type)?,
                    Err(error) => self.fail(entry.path(), error),
                },
                Err(error) => self.fail(self.path.clone(), error),
            }
        }
        self.reading.entries.shrink_to_fit();
        Ok(())
    }

    /// Records what could not be read.
    fn fail(&mut self, path: PathBuf, error: io::Error) {
        let error = WalkError::Unreadable(error);
        self.reading.rare().problems.push(Problem { path, error });
    }

    fn take(&mut self, entry: &DirEntry, file_type: FileType) -> Result<(), Ended> {
        self.scope.watch.entries.fetch_add(1, Ordering::Relaxed);
        let (path, name) = (entry.path(), entry.file_name());
        let (path, name) = (path.as_path(), name.as_os_str());
        self.room.take(MEMORY_OF_AN_ENTRY + name.len())?;
        self.room.grow(&mut self.reading.entries)?;
        let is_excluded = self.scope.is_excluded(path);
        let anywhere = &self.scope.reach.exclude_anywhere;
        self.reading.is_partly_read |= is_excluded && !anywhere.is_match(Path::new(name));
        let kind = if file_type.is_symlink() {
            self.link(path, is_excluded)?
        } else {
            if file_type.is_dir() && !is_excluded {
                let place = Some(self.reading.place.join(name));
                self.lead_to(path, place, self.reading.linked)?;
            }
            kind_of(file_type)
        };
        if kind == Kind::Directory {
            self.room
                .take(MEMORY_OF_A_DIRECTORY + path.as_os_str().len())?;
        }
        self.reading.entries.push(Entry {
            name: name.to_owned(),
            kind,
            excluded: is_excluded,
            is_other: false,
        });
        Ok(())
    }

    /// Returns the kind of a link's target, and records the link unless it is excluded.
    fn link(&mut self, path: &Path, is_excluded: bool) -> Result<Kind, Ended> {
        let (kind, error) = match path.metadata() {
            Ok(target) => (kind_of(target.file_type()), None),
            Err(error) => (Kind::Dangling, Some(error)),
        };
        let is_walked = self.scope.is_walked(self.reading.depth + 1);
        let name = || path.file_name().unwrap_or_default().to_owned();
        match (kind, error) {
            _ if is_excluded => {}
            (Kind::File, _) => self.reading.rare().followed.push(name()),
            (Kind::Directory, _) if is_walked && self.scope.reach.follow_links => {
                self.reading.rare().followed.push(name());
                self.lead_to(path, None, true)?;
            }
            (Kind::Directory, _) if is_walked => self.reading.rare().not_entered.push(name()),
            (_, Some(error)) if self.hides_a_directory(path, &error) => {
                self.fail(path.to_owned(), error);
            }
            _ => {}
        }
        Ok(kind)
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
        !is_nothing && !is_reported && (self.scope.reach.follow_links || !is_loop)
    }

    /// Has a directory in this one be visited later, unless it is too deep.
    fn lead_to(&mut self, path: &Path, place: Option<PathBuf>, linked: bool) -> Result<(), Ended> {
        let depth = self.reading.depth + 1;
        if self.scope.is_walked(depth) {
            self.room.grow(&mut self.leads_to)?;
            let step = self.scope.step(path.to_owned(), place, depth, linked);
            self.leads_to.push(step);
        }
        Ok(())
    }
}
