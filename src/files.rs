//! Paths that share their directories (a mirror has hundreds of thousands of paths with common
//! prefixes), and the identity of files.

mod stamp;

use std::cmp::Ordering;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::Metadata;
use std::hash::{Hash, Hasher};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::text::escape;
#[cfg(test)]
pub use stamp::FileTime;
pub use stamp::Stamp;

/// A file's identity: its inode number and the device that number is unique on (POSIX
/// `<sys/stat.h>`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId {
    /// `st_dev`.
    pub device: u64,
    /// `st_ino`.
    pub inode: u64,
}

impl From<&Metadata> for FileId {
    fn from(metadata: &Metadata) -> FileId {
        FileId {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}

/// A directory, as a prefix of the paths in it: empty, or ending in `/`. A clone is as large as a
/// pointer.
#[derive(Clone, Debug)]
pub struct Directory(Arc<Box<OsStr>>);

/// A path: the directory that it shares with its siblings, and its own name. A clone copies
/// neither.
///
/// Comparison is bytewise: equality, order and hash are those of the path's bytes. (`Path` itself
/// compares component by component.)
///
/// ```
/// use verify_signatures::SharedPath;
///
/// let path = SharedPath::from(std::path::Path::new("m/x\u{202e}.iso"));
/// assert_eq!(path.file_name().unwrap(), "x\u{202e}.iso");
/// // As it is printed: on one line, and with everything to be seen.
/// assert_eq!(path.to_string(), r"m/x\u{202e}.iso");
/// ```
#[derive(Clone)]
pub struct SharedPath {
    directory: Directory,
    /// The part after the last `/`.
    name: Arc<OsStr>,
}

impl Directory {
    /// Returns the directory at `path`.
    pub fn new(path: &Path) -> Directory {
        let mut start = path.as_os_str().to_owned();
        if !start.is_empty() && !start.as_bytes().ends_with(b"/") {
            start.push("/");
        }
        Directory::starting(start.as_bytes())
    }

    fn starting(start: &[u8]) -> Directory {
        Directory(Arc::new(OsStr::from_bytes(start).into()))
    }

    /// Returns the path of the entry `name` in it.
    pub fn join(&self, name: &OsStr) -> SharedPath {
        if name.as_bytes().contains(&b'/') {
            return Path::new(&**self.0).join(name).into();
        }
        SharedPath {
            directory: self.clone(),
            name: name.into(),
        }
    }

    /// Reports whether both share one allocation, without comparing bytes.
    pub fn is_shared_with(&self, other: &Directory) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Returns its path, which ends in a `/` unless it is empty.
    pub fn as_path(&self) -> &Path {
        Path::new(&**self.0)
    }

    fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl SharedPath {
    /// Returns the directory that contains the name.
    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Returns the part after the last `/`; empty if nothing follows it.
    pub fn name(&self) -> &Arc<OsStr> {
        &self.name
    }

    /// Returns the path as one `PathBuf`.
    pub fn to_path_buf(&self) -> PathBuf {
        self.into()
    }

    /// Returns the path as one `OsString`.
    pub fn to_os_string(&self) -> OsString {
        OsString::from_vec([self.directory.bytes(), self.name.as_bytes()].concat())
    }

    /// Returns the last component, like [`Path::file_name`].
    pub fn file_name(&self) -> Option<&OsStr> {
        match self.name.as_bytes() {
            b"" | b"." => self.directory.as_path().file_name(),
            _ => Path::new(&*self.name).file_name(),
        }
    }

    /// Returns the path without its last component, like [`Path::parent`].
    pub fn parent(&self) -> Option<&Path> {
        let directory = self.directory.as_path();
        match (self.directory.bytes(), self.name.as_bytes()) {
            (b"", b"") => None,
            (b"", _) => Some(Path::new("")),
            (_, b"" | b".") => directory.parent(),
            // Without trailing separators.
            _ => Some(directory.components().as_path()),
        }
    }

    /// Reports whether both lie in the same directory.
    pub(crate) fn is_beside(&self, other: &SharedPath) -> bool {
        let is_named = |path: &SharedPath| !matches!(path.name.as_bytes(), b"" | b".");
        let is_shared = self.directory.is_shared_with(&other.directory);
        (is_shared && is_named(self) && is_named(other)) || self.parent() == other.parent()
    }

    /// Returns the path with `rest` appended to its last component.
    pub(crate) fn followed_by(&self, rest: &OsStr) -> SharedPath {
        let mut name = self.name.to_os_string();
        name.push(rest);
        self.directory.join(&name)
    }
}

impl From<&[u8]> for SharedPath {
    fn from(bytes: &[u8]) -> SharedPath {
        let start = bytes.iter().rposition(|byte| *byte == b'/');
        let (directory, name) = bytes.split_at(start.map_or(0, |at| at + 1));
        SharedPath {
            directory: Directory::starting(directory),
            name: OsStr::from_bytes(name).into(),
        }
    }
}

impl From<&Path> for SharedPath {
    fn from(path: &Path) -> SharedPath {
        path.as_os_str().as_bytes().into()
    }
}

impl From<PathBuf> for SharedPath {
    fn from(path: PathBuf) -> SharedPath {
        path.as_path().into()
    }
}

impl From<&PathBuf> for SharedPath {
    fn from(path: &PathBuf) -> SharedPath {
        path.as_path().into()
    }
}

impl From<&str> for SharedPath {
    fn from(path: &str) -> SharedPath {
        path.as_bytes().into()
    }
}

impl From<String> for SharedPath {
    fn from(path: String) -> SharedPath {
        path.as_bytes().into()
    }
}

impl From<&SharedPath> for PathBuf {
    fn from(path: &SharedPath) -> PathBuf {
        path.to_os_string().into()
    }
}

/// Prints the path on one line, with non-text and invisible characters escaped.
impl fmt::Display for SharedPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escape::name(&self.to_os_string()))
    }
}

impl fmt::Debug for SharedPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_os_string().fmt(f)
    }
}

impl PartialEq for Directory {
    fn eq(&self, other: &Directory) -> bool {
        self.is_shared_with(other) || self.bytes() == other.bytes()
    }
}

impl Eq for Directory {}

impl PartialEq for SharedPath {
    fn eq(&self, other: &SharedPath) -> bool {
        // A path has only one last `/`.
        self.name == other.name && self.directory == other.directory
    }
}

impl Eq for SharedPath {}

impl Ord for SharedPath {
    fn cmp(&self, other: &SharedPath) -> Ordering {
        let names = (self.name.as_bytes(), other.name.as_bytes());
        if self.directory.is_shared_with(&other.directory) {
            return names.0.cmp(names.1);
        }
        let (this, that) = (self.directory.bytes(), other.directory.bytes());
        let (this, this_rest) = this.split_at(this.len().min(that.len()));
        let (that, that_rest) = that.split_at(this.len());
        let rest = || {
            let this = this_rest.iter().chain(names.0);
            this.cmp(that_rest.iter().chain(names.1))
        };
        this.cmp(that).then_with(rest)
    }
}

impl PartialOrd for SharedPath {
    fn partial_cmp(&self, other: &SharedPath) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for SharedPath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // As for a slice of bytes.
        state.write_usize(self.directory.bytes().len() + self.name.len());
        state.write(self.directory.bytes());
        state.write(self.name.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::hash::{BuildHasher, RandomState};

    /// Generates paths with much in common.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop::sample::select(b"/./ab\xff".to_vec());
        prop::collection::vec(byte, 0..8)
    }

    fn path(bytes: &[u8]) -> PathBuf {
        OsStr::from_bytes(bytes).into()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn two_paths_compare_and_hash_as_their_bytes_do(a in bytes(), b in bytes()) {
            let (one, other) = (SharedPath::from(&*a), SharedPath::from(&*b));
            prop_assert_eq!(one == other, a == b);
            prop_assert_eq!(one.cmp(&other), a.cmp(&b));
            let hasher = RandomState::new();
            prop_assert_eq!(hasher.hash_one(&one), hasher.hash_one(&a[..]));
            prop_assert_eq!(hasher.hash_one(&one) == hasher.hash_one(&other), a == b);
        }

        #[test]
        fn entries_of_one_directory_compare_and_hash_as_their_bytes_do(
            directory in bytes(), a in "[ab.]{1,3}", b in "[ab.]{1,3}"
        ) {
            let (here, again) = (Directory::new(&path(&directory)), Directory::new(&path(&directory)));
            let whole = |name: &str| path(&directory).join(name);
            let bytes = |name: &str| whole(name).into_os_string().into_vec();
            for there in [&here, &again] {
                let (one, other) = (here.join(a.as_ref()), there.join(b.as_ref()));
                prop_assert_eq!(one.to_path_buf().into_os_string(), whole(&a).into_os_string());
                prop_assert_eq!(one == other, a == b);
                prop_assert_eq!(one.cmp(&other), bytes(&a).cmp(&bytes(&b)));
                let hasher = RandomState::new();
                prop_assert_eq!(hasher.hash_one(&one), hasher.hash_one(&bytes(&a)[..]));
            }
        }

        #[test]
        fn a_path_has_the_bytes_the_parent_and_the_last_component_that_it_was_made_of(a in bytes(), b in bytes()) {
            let (whole, shared) = (path(&a), SharedPath::from(&*a));
            prop_assert_eq!(shared.to_os_string().into_vec(), a.clone());
            prop_assert_eq!(shared.file_name(), whole.file_name());
            let bytes = |path: Option<&Path>| path.map(|path| path.as_os_str().to_owned());
            prop_assert_eq!(bytes(shared.parent()), bytes(whole.parent()));
            let (other, beside) = (path(&b), SharedPath::from(&*b));
            prop_assert_eq!(shared.is_beside(&beside), whole.parent() == other.parent());
            prop_assert_eq!(format!("{shared:?}"), format!("{whole:?}"));
        }

        #[test]
        fn what_follows_a_path_follows_its_bytes(a in bytes(), b in bytes()) {
            let followed = SharedPath::from(&*a).followed_by(OsStr::from_bytes(&b));
            // A name with a separator is a path of its own, as in `Path::join`.
            if !b.contains(&b'/') {
                prop_assert_eq!(followed.to_os_string().into_vec(), [a, b].concat());
            }
        }
    }
}
