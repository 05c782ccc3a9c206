//! Where an artifact lies as seen from the PATH that brought it in, so that runs over two copies of a mirror can be compared.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::mirror::pairing::is_signature;

/// A path, told from the PATHs of its run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// So far below the PATH of this number.
    Below(usize, PathBuf),
    /// In the directory in which the PATH of this number lies: it is that file, or the one that it signs.
    Beside(usize, OsString),
    /// Nowhere near any PATH. No run has such a path.
    Elsewhere(PathBuf),
}

impl Place {
    /// The place of a path of a run over the PATHs `roots`: as near to one of them as it can be. Two paths of one run have two places.
    pub(super) fn of(path: &Path, roots: &[PathBuf]) -> Place {
        let itself = || roots.iter().position(|root| root == path);
        let signed = || roots.iter().position(|root| signs(root, path));
        match (itself().or_else(signed), path.file_name()) {
            (Some(n), Some(name)) => Place::Beside(n, name.to_owned()),
            _ => Place::below(path, roots).unwrap_or_else(|| Place::Elsewhere(path.to_owned())),
        }
    }

    /// Below the longest PATH that it is below of.
    fn below(path: &Path, roots: &[PathBuf]) -> Option<Place> {
        let numbered = roots.iter().enumerate();
        let below = numbered.filter_map(|(n, root)| Some((n, below(root, path)?)));
        let (n, below) = below.min_by_key(|(_, below)| below.components().count())?;
        Some(Place::Below(n, below.to_owned()))
    }

    /// The path of this place in a run over the PATHs `roots`.
    pub(super) fn under(&self, roots: &[PathBuf]) -> PathBuf {
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

    /// What the order goes by: the number of the PATH, then the bytes.
    fn key(&self) -> (usize, u8, &[u8]) {
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

/// The path below the directory `root`; what lies below `.` is shown without it.
fn below<'a>(root: &Path, path: &'a Path) -> Option<&'a Path> {
    match root == Path::new(".") {
        true => path.is_relative().then_some(path),
        false => path.strip_prefix(root).ok(),
    }
}

/// Whether `root` is a signature file, and may be that of what lies beside it.
fn signs(root: &Path, path: &Path) -> bool {
    root.file_name().is_some_and(is_signature) && root.parent() == path.parent()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &str, roots: &[&str]) -> Place {
        let roots: Vec<PathBuf> = roots.iter().map(PathBuf::from).collect();
        let place = Place::of(Path::new(path), &roots);
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
    fn a_place_is_told_from_the_path_that_is_nearest() {
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
