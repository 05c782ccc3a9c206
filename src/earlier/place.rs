//! Where an artifact and its signature are: the same in every run, regardless of what its PATHs
//! are called.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::files::{Directory, SharedPath};

/// The places of an artifact and its signature, if it has one: absolute paths without links to
/// directories.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The artifact.
    pub(crate) data: SharedPath,
    /// Its signature file; `None` for what has none, and for what is inside the artifact.
    pub(crate) signature: Option<SharedPath>,
}

impl Place {
    /// Returns the place of what is inside the artifact.
    pub fn inside(&self) -> Place {
        Place {
            data: self.data.clone(),
            signature: None,
        }
    }
}

/// Finds places; each directory is resolved once.
#[derive(Debug, Default)]
pub struct Places {
    /// Where relative paths begin; the working directory if it is empty.
    base: PathBuf,
    /// The directories, as they are reached, and where they are.
    known: HashMap<PathBuf, Option<Directory>>,
}

impl Places {
    /// Finds the places of paths that begin in a directory.
    pub fn below(base: PathBuf) -> Places {
        Places {
            base,
            known: HashMap::new(),
        }
    }

    /// Returns the place of an artifact and its signature; `None` where one of their directories is
    /// not there. Fail closed: what has no place has no past.
    pub fn of(&mut self, data: &SharedPath, signature: Option<&SharedPath>) -> Option<Place> {
        place(data, signature, |path| self.resolve(path))
    }

    fn resolve(&mut self, path: &SharedPath) -> Option<SharedPath> {
        let directory = path.directory().as_path();
        if !self.known.contains_key(directory) {
            let there = real(&self.base, directory);
            self.known.insert(directory.to_owned(), there);
        }
        joined(&self.known, path)
    }
}

/// The places in the directories of a run, without asking the file system again: one that does not
/// answer any more must not hold up the thread that prints.
#[derive(Debug, Default)]
pub struct Known(HashMap<PathBuf, Option<Directory>>);

impl From<Places> for Known {
    fn from(places: Places) -> Known {
        Known(places.known)
    }
}

impl Known {
    /// Returns the place of an artifact and its signature, as [`Places::of`] does; `None` in a
    /// directory that is not one of the run's.
    pub fn of(&self, data: &SharedPath, signature: Option<&SharedPath>) -> Option<Place> {
        place(data, signature, |path| joined(&self.0, path))
    }
}

fn place(
    data: &SharedPath,
    signature: Option<&SharedPath>,
    mut resolve: impl FnMut(&SharedPath) -> Option<SharedPath>,
) -> Option<Place> {
    Some(Place {
        data: resolve(data)?,
        signature: match signature {
            Some(path) => Some(resolve(path)?),
            None => None,
        },
    })
}

fn joined(known: &HashMap<PathBuf, Option<Directory>>, path: &SharedPath) -> Option<SharedPath> {
    let directory = known.get(path.directory().as_path())?.as_ref()?;
    // The last component stays what it is: a link is known by what it leads to, which has stamps of
    // its own.
    let is_name = ["", ".", ".."].iter().all(|none| **path.name() != **none);
    is_name.then(|| directory.join(path.name()))
}

fn real(base: &Path, directory: &Path) -> Option<Directory> {
    let path = base.join(directory);
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        &path
    };
    Some(Directory::new(&path.canonicalize().ok()?))
}
