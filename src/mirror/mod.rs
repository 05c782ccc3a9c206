//! Finds the artifacts that the PATHs bring in, each with its signature and its state on disk.

pub mod helpers;
pub mod links;
mod located;
pub mod lookalike;
mod looked;
pub mod pairing;
mod saved;
mod seen;
mod siblings;
mod survey;
mod targets;
mod unchecked;
pub mod vouched;
pub mod walk;
pub mod watch;

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::files::{Directory, SharedPath};
use crate::names::endings;
use crate::names::lists::is_list;
use crate::trust::listed::{ListEntry, ReadAsList, Unlisted, UnsignedEntry};
use crate::trust::unchecked::Unchecked;
use crate::trust::verdict::Unclaimed;
pub use located::{appointed, appointed_stream};
use pairing::{Entry, Kind, Needed};
pub use survey::survey;
use walk::WalkOptions;

/// The subject of a record: an artifact, by its path as reached from the PATH, or a directory that
/// could not be read.
#[derive(Debug)]
pub struct Artifact {
    /// The data file's path; if it does not exist, the expected path.
    pub data: SharedPath,
    /// The files that it was split into, in order; empty if it is one file.
    pub parts: Arc<[SharedPath]>,
    /// The target, if it is a link and is judged by its target's signature.
    pub link: Option<Arc<SharedPath>>,
    /// What a signed list says of it, if the list takes the place of the signature file.
    pub listing: Option<Arc<ListEntry>>,
    /// How it was read as a checksum list, if it was.
    pub read_as_list: Option<Box<ReadAsList>>,
    /// What a list without a signature has of it, if it has none either.
    pub unsigned_entry: Option<Arc<UnsignedEntry>>,
    /// Its state before anything is opened.
    pub state: State,
}

/// The state of an artifact before anything is opened.
#[derive(Debug)]
pub enum State {
    /// Data, and the signature file with this path.
    Signed(SharedPath, Metadata),
    /// The signature file with this path, but no data.
    Missing(SharedPath),
    /// The signature file with the first path; of the parts of its data, the second path does not
    /// exist.
    PartMissing(SharedPath, SharedPath),
    /// Data without a signature.
    Unsigned(Unclaimed),
    /// A saved image without a signature, to be judged by the images in it.
    SavedImage(Metadata),
    /// A directory that holds images, to be judged by them. Its size is that of the files in it.
    ImageDirectory(Metadata),
    /// A signed list with this path does not vouch for it; or it is a signed list itself, with the
    /// signature at this path, and cannot be used.
    Unlisted(SharedPath, Unlisted),
    /// The data is not a regular file, with this signature if any.
    DataNotRegular(Option<SharedPath>),
    /// The signature is not a regular file.
    SignatureNotRegular(SharedPath),
    /// The data, which has a signature, could not be examined.
    Unreadable(SharedPath, io::Error),
    /// A PATH that can no longer be examined.
    Gone(io::Error),
    /// A directory that could not be read.
    DirectoryUnreadable(io::Error),
    /// A directory whose entries came or went while it was read.
    DirectoryChanged,
    /// A linked directory that was not entered.
    LinkNotEntered,
}

/// A data file's metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Its size in bytes.
    pub size: u64,
    /// Its device number.
    pub device: u64,
    /// Its inode number.
    pub inode: u64,
}

impl Metadata {
    /// Returns the metadata of the current file at `path`, following links.
    ///
    /// # Errors
    /// Those of stat(2).
    pub fn at(path: &Path) -> io::Result<Metadata> {
        path.metadata().map(|metadata| Metadata {
            size: metadata.size(),
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }

    /// Returns the metadata of the block device at `path`, of which `length` bytes are read.
    ///
    /// # Errors
    /// Those of stat(2).
    pub fn of_device(path: &Path, length: u64) -> io::Result<Metadata> {
        path.metadata().map(|metadata| Metadata {
            size: length,
            // A block device is on itself.
            device: metadata.rdev(),
            inode: metadata.ino(),
        })
    }

    /// Returns the combined metadata of the parts of one file, in order: the sum of their sizes,
    /// and the location of the first.
    ///
    /// # Errors
    /// Those of stat(2), for the first part that fails.
    fn of_all(parts: &[SharedPath]) -> io::Result<Metadata> {
        let mut all = Metadata {
            size: 0,
            device: 0,
            inode: 0,
        };
        for part in parts.iter().rev() {
            let metadata = Metadata::at(&part.to_path_buf())?;
            all = Metadata {
                size: all.size.saturating_add(metadata.size),
                ..metadata
            };
        }
        Ok(all)
    }
}

/// The scope of a survey.
#[derive(Clone, Debug)]
pub struct Search {
    /// How far directories are walked.
    pub reach: WalkOptions,
    /// What must have a signature.
    pub needed: Needed,
    /// Whether to find saved images, and directories of images.
    pub images: bool,
    /// The checksum lists that the user named.
    pub lists: Vec<PathBuf>,
    /// Reports whether the file at a path is a signature by its content. Asked only of a file whose
    /// name leaves it open, and which stands alone: the survey opens nothing else.
    pub is_signature: fn(&Path) -> bool,
    /// Reports whether a file of this name may be the control file of an unfinished download.
    pub is_control_file: fn(&OsStr) -> bool,
}

impl Search {
    fn needed(&self) -> Needed {
        match self.needed {
            Needed::Artifacts if self.images => Needed::ArtifactsAndImages,
            needed => needed,
        }
    }
}

/// What a survey found.
#[derive(Debug, Default)]
pub struct Survey {
    /// The artifacts, in the order of the PATHs and bytewise by path within each.
    pub artifacts: Vec<Artifact>,
    /// PATHs that contain nothing to verify.
    pub empty: Vec<PathBuf>,
    /// Linked directories that were not entered, and whose content is not judged under another
    /// name.
    pub links_not_entered: Vec<SharedPath>,
    /// Linked directories whose content is judged under another name, each with that name.
    pub other_names: Vec<(SharedPath, SharedPath)>,
    /// Links to files, and to directories that were entered.
    pub links_followed: Vec<SharedPath>,
    /// Files with names like a signature's that belong to no artifact.
    pub strays: Vec<SharedPath>,
    /// Parts of artifacts that also exist whole, each after the path of the whole.
    pub spare_parts: Vec<(SharedPath, SharedPath)>,
    /// What was left out.
    pub unchecked: Unchecked,
    /// The first files with names like those of keys. No verdict rests on them.
    pub key_files: Vec<SharedPath>,
    /// The first files with names like those of checksum lists that no signature claims. No verdict
    /// rests on them.
    pub lists: Vec<SharedPath>,
    /// Whether control files of unfinished downloads may be beside artifacts.
    pub control_files: bool,
    /// Files with names like those of lists that a trusted key signed, and that list nothing.
    pub not_lists: Vec<SharedPath>,
}

/// Maximum number of files with names like those of keys that a survey remembers.
const MOST_KEY_FILES: usize = 64;

/// Maximum number of files with names like those of lists that a survey remembers.
const MOST_LISTS: usize = 1000;

impl Survey {
    fn note_lists(&mut self, directory: &Directory, uncovered: &[OsString]) {
        let left = MOST_LISTS.saturating_sub(self.lists.len());
        let lists = uncovered.iter().filter(|name| is_list(name));
        self.lists
            .extend(lists.take(left).map(|name| directory.join(name)));
    }

    fn note_key_files(&mut self, directory: &Directory, entries: &[Entry]) {
        let left = MOST_KEY_FILES.saturating_sub(self.key_files.len());
        let keys = entries.iter();
        let keys = keys.filter(|entry| entry.kind == Kind::File && endings::is_key(&entry.name));
        let keys = keys.map(|entry| directory.join(&entry.name));
        self.key_files.extend(keys.take(left));
    }
}

impl Artifact {
    fn new(data: SharedPath, state: State) -> Artifact {
        Artifact {
            data,
            parts: Arc::default(),
            link: None,
            listing: None,
            read_as_list: None,
            unsigned_entry: None,
            state,
        }
    }

    /// Returns the signature file's path, if there is one.
    pub fn signature(&self) -> Option<&SharedPath> {
        match &self.state {
            State::Signed(path, _)
            | State::Missing(path)
            | State::PartMissing(path, _)
            | State::SignatureNotRegular(path)
            | State::Unreadable(path, _)
            | State::Unlisted(path, _) => Some(path),
            State::DataNotRegular(path) => path.as_ref(),
            State::Unsigned(_)
            | State::SavedImage(_)
            | State::ImageDirectory(_)
            | State::Gone(_)
            | State::DirectoryUnreadable(_)
            | State::DirectoryChanged
            | State::LinkNotEntered => None,
        }
    }
}

impl Artifact {
    /// Reports whether a new file at `place`, a path without links, would replace the data, a part
    /// of it or the signature.
    ///
    /// Compares the directory entry, which a rename replaces. A link to it elsewhere in the tree,
    /// or a hard link, is not replaced.
    pub fn would_be_replaced_by(&self, place: &Path) -> bool {
        // Anything in a directory of images may be a part of one.
        if matches!(self.state, State::ImageDirectory(_)) {
            return is_inside(&self.data.to_path_buf(), place);
        }
        let Some(signature) = self.signature() else {
            return false;
        };
        let mut names = self.parts.iter().chain([&self.data]);
        is_same_place(signature, place) || names.any(|name| is_same_place(name, place))
    }
}

/// Reports whether a file at `place` would be inside the directory.
fn is_inside(directory: &Path, place: &Path) -> bool {
    let directory = directory.canonicalize();
    real_parent(place)
        .is_some_and(|above| directory.is_ok_and(|directory| above.starts_with(directory)))
}

/// Returns the real path of the directory that has this entry, which is not resolved.
pub fn real_parent(entry: &Path) -> Option<PathBuf> {
    Path::new(".").join(entry).parent()?.canonicalize().ok()
}

/// Reports whether two paths name the same entry of the same directory.
fn is_same_place(a: &SharedPath, b: &Path) -> bool {
    a.file_name() == b.file_name() && real_parent(&a.to_path_buf()) == real_parent(b)
}

/// Sort key of the output lines: bytewise by path.
fn order(artifact: &Artifact) -> (&SharedPath, Option<&SharedPath>) {
    (&artifact.data, artifact.signature())
}

/// Returns a path as reached from the PATH `root`, in the form it was given: without a leading `.`,
/// and `.` itself as `dot`.
fn shown(root: &Path, path: &Path, dot: &Path) -> PathBuf {
    let below = path.strip_prefix(root).unwrap_or(path);
    let nothing_below = below == Path::new("");
    match (root == Path::new("."), nothing_below) {
        (true, true) => dot.to_owned(),
        (true, false) => below.to_owned(),
        (false, true) => root.to_owned(),
        (false, false) => root.join(below),
    }
}

#[cfg(test)]
mod tests;
