//! The artifacts that several PATHs bring in, each once.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::mem::{Discriminant, discriminant};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Artifact, State};
use crate::files::{Directory, SharedPath};

/// What tells artifacts apart: the number of the directory, the names of data and signature, and
/// what was found. Fail closed: of a link that one PATH does not enter and another one does, both
/// count.
type Mark = (usize, Arc<OsStr>, Option<Arc<OsStr>>, Discriminant<State>);

/// Memory per artifact in bytes in the set of those already seen.
pub(super) const MEMORY_OF_ONE_SEEN: usize = 2 * size_of::<Mark>();

/// The artifacts found so far. Directories are compared like [`Path`](std::path::Path)s.
#[derive(Default)]
pub(super) struct Seen {
    directories: HashMap<PathBuf, usize>,
    /// The last directory that was looked up, and its number: its neighbours are there too.
    last: Option<(Directory, usize)>,
    seen: HashSet<Mark>,
}

impl Seen {
    /// Reports whether no such artifact with this path and this signature was seen before.
    pub(super) fn is_new(&mut self, artifact: &Artifact) -> bool {
        let data = normal(&artifact.data);
        // Walks and listings find artifacts beside their signatures.
        let signature = artifact.signature().map(|path| Arc::clone(path.name()));
        let directory = self.number(data.directory());
        let state = discriminant(&artifact.state);
        self.seen
            .insert((directory, Arc::clone(data.name()), signature, state))
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
