//! The place of an artifact relative to the PATH that brought it in, so that runs over two copies
//! of a mirror can be compared.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::endings::is_signature;

/// A path, relative to the PATHs of its run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Below the PATH of this number, at this relative path.
    Below(usize, PathBuf),
    /// Beside the PATH of this number, under this name: it is that file, or the one that it signs.
    Beside(usize, OsString),
    /// Not near any PATH. No run has such a path.
    Elsewhere(PathBuf),
}

/// The PATHs of a run, for lookup by path.
#[derive(Debug)]
pub(crate) struct Roots<'a> {
    paths: HashMap<&'a Path, usize>,
    /// The first PATH that is a signature file, for each directory.
    signatures: HashMap<&'a Path, usize>,
    /// The lengths of the PATHs, without trailing separators: hashing every directory above a path
    /// would take the square of its depth.
    lengths: HashSet<usize>,
}

impl<'a> Roots<'a> {
    pub(crate) fn new(roots: &'a [PathBuf]) -> Roots<'a> {
        let (mut paths, mut signatures) = (HashMap::new(), HashMap::new());
        for (n, root) in roots.iter().enumerate() {
            paths.entry(root.as_path()).or_insert(n);
            if let (Some(name), Some(directory)) = (root.file_name(), root.parent())
                && is_signature(name)
            {
                signatures.entry(directory).or_insert(n);
            }
        }
        let lengths = roots.iter().map(|root| length(root)).collect();
        Roots {
            paths,
            signatures,
            lengths,
        }
    }

    /// Returns the place of a path, relative to the nearest PATH. Two paths of one run have
    /// different places.
    pub(crate) fn place(&self, path: &Path) -> Place {
        let itself = self.paths.get(path);
        let signed = || self.signatures.get(path.parent()?);
        match (itself.or_else(signed), path.file_name()) {
            (Some(n), Some(name)) => Place::Beside(*n, name.to_owned()),
            _ => self
                .below(path)
                .unwrap_or_else(|| Place::Elsewhere(path.to_owned())),
        }
    }

    /// Returns the place below the longest PATH that contains the path; paths below `.` are shown
    /// without it.
    fn below(&self, path: &Path) -> Option<Place> {
        let below = path.ancestors().skip(1).find_map(|above| {
            let root = if above == Path::new("") {
                Path::new(".")
            } else {
                above
            };
            if !self.lengths.contains(&length(root)) {
                return None;
            }
            let n = self.paths.get(root)?;
            Some((*n, path.strip_prefix(above).ok()?))
        });
        below.map(|(n, below)| Place::Below(n, below.to_owned()))
    }
}

/// Returns the number of bytes of a path without trailing separators.
fn length(path: &Path) -> usize {
    path.components().as_path().as_os_str().len()
}

impl Place {
    /// Returns the path of this place in a run over the PATHs `roots`.
    pub(crate) fn under(&self, roots: &[PathBuf]) -> PathBuf {
        match self {
            Place::Below(n, below) => match roots.get(*n) {
                Some(root) if root != Path::new(".") => root.join(below),
                _ => below.clone(),
            },
            Place::Beside(n, name) => match roots.get(*n).and_then(|root| root.parent()) {
                Some(directory) => directory.join(name),
                None => name.into(),
            },
            Place::Elsewhere(path) => path.clone(),
        }
    }

    /// Returns the sort key: the number of the PATH, the kind of place, the bytes.
    pub(crate) fn key(&self) -> (usize, u8, &[u8]) {
        match self {
            Place::Below(n, below) => (*n, 0, below.as_os_str().as_bytes()),
            Place::Beside(n, name) => (*n, 1, name.as_bytes()),
            Place::Elsewhere(path) => (usize::MAX, 2, path.as_os_str().as_bytes()),
        }
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &str, roots: &[&str]) -> Place {
        let roots: Vec<PathBuf> = roots.iter().map(PathBuf::from).collect();
        let place = Roots::new(&roots).place(Path::new(path));
        assert_eq!(place.under(&roots), Path::new(path), "{place:?}");
        place
    }

    fn below(root: usize, path: &str) -> Place {
        Place::Below(root, path.into())
    }

    fn beside(root: usize, name: &str) -> Place {
        Place::Beside(root, name.into())
    }

    #[test]
    fn a_place_is_taken_from_the_nearest_path() {
        assert_eq!(place("m/a/x", &["m"]), below(0, "a/x"));
        assert_eq!(place("a/x", &["."]), below(0, "a/x"));
        assert_eq!(place("/m/a/x", &["m", "/m"]), below(1, "a/x"));
        assert_eq!(place("m/a/x", &["m", "m/a"]), below(1, "x"));
        assert_eq!(place("m/a/x", &["m/a", "m"]), below(0, "x"));
        assert_eq!(place("a/x", &[".", "a/x"]), beside(1, "x"));
        assert_eq!(place("x.zst", &["x.sig.bin"]), beside(0, "x.zst"));
        assert_eq!(place("m/x.zst", &["m/x.sig.bin"]), beside(0, "x.zst"));
        assert_eq!(place("m/x.zst", &["m", "m/x.sig.bin"]), beside(1, "x.zst"));
        let elsewhere = Place::Elsewhere("n/x".into());
        assert_eq!(place("n/x", &["m", "m/x.sig.bin"]), elsewhere);
    }

    #[test]
    fn the_order_is_that_of_the_paths_and_bytewise_within_each() {
        let ordered = [
            below(0, "a-b"),
            below(0, "a/b"),
            beside(0, "a"),
            below(1, "a"),
            Place::Elsewhere("a".into()),
        ];
        let mut sorted = ordered.clone();
        sorted.reverse();
        sorted.sort();
        assert_eq!(sorted, ordered);
    }
}
