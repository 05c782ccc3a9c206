//! The paths of a report, as the merged report spells them.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::PartError;
use crate::files::{Directory, SharedPath};
use crate::names::place::{Place, Roots};
use crate::wire::{PathMember, SignatureMember};

/// Decodes the paths of one report.
pub(super) struct Paths<'a> {
    /// The PATHs of the report's own run.
    roots: Roots<'a>,
    /// The PATHs as the merged report spells them, if that is otherwise.
    spelled: Option<&'a [PathBuf]>,
    /// A mirror has few directories and many files: each is kept once.
    directories: HashMap<Vec<u8>, Directory>,
}

impl<'a> Paths<'a> {
    /// `own` are the PATHs of the report; `merged` those of the merged report, of which the first
    /// is the same place as the first of `own`, and so on.
    pub(super) fn new(own: &'a [PathBuf], merged: &'a [PathBuf]) -> Paths<'a> {
        let is_otherwise = own != merged && own.len() == merged.len();
        Paths {
            roots: Roots::new(own),
            spelled: is_otherwise.then_some(merged),
            directories: HashMap::new(),
        }
    }

    /// Returns a path and its place.
    ///
    /// # Errors
    /// [`PartError::Damaged`] if it is none.
    pub(super) fn placed(
        &mut self,
        member: &PathMember<'_>,
    ) -> Result<(SharedPath, Place), PartError> {
        let path = decoded(member)?;
        let place = self.roots.place(&path);
        let path = match self.spelled {
            None => path,
            Some(spelled) => place.under(spelled),
        };
        Ok((self.shared(&path), place))
    }

    /// Returns a path.
    ///
    /// # Errors
    /// [`PartError::Damaged`] if it is none.
    pub(super) fn path(&mut self, member: &PathMember<'_>) -> Result<SharedPath, PartError> {
        if self.spelled.is_some() {
            return self.placed(member).map(|(path, _)| path);
        }
        let path = decoded(member)?;
        Ok(self.shared(&path))
    }

    /// Returns paths in their order.
    ///
    /// # Errors
    /// [`PartError::Damaged`] if one is none.
    pub(super) fn paths(
        &mut self,
        members: &[PathMember<'_>],
    ) -> Result<Vec<SharedPath>, PartError> {
        members.iter().map(|member| self.path(member)).collect()
    }

    /// Returns the path of a signature file, if there is one.
    ///
    /// # Errors
    /// [`PartError::Damaged`] if it is none.
    pub(super) fn signature(
        &mut self,
        member: &SignatureMember<'_>,
    ) -> Result<Option<SharedPath>, PartError> {
        if *member == SignatureMember::default() {
            return Ok(None);
        }
        let member = PathMember {
            path: member.signature.as_deref().map(Into::into),
            path_base64: member.signature_base64.as_deref().map(Into::into),
        };
        self.path(&member).map(Some)
    }

    fn shared(&mut self, path: &Path) -> SharedPath {
        let bytes = path.as_os_str().as_bytes();
        let start = bytes.iter().rposition(|byte| *byte == b'/');
        let (directory, name) = bytes.split_at(start.map_or(0, |at| at + 1));
        if directory.is_empty() || name.is_empty() {
            return path.into();
        }
        let name = OsStr::from_bytes(name);
        match self.directories.get(directory) {
            Some(known) => known.join(name),
            None => {
                let new = Directory::new(Path::new(OsStr::from_bytes(directory)));
                let shared = new.join(name);
                self.directories.insert(directory.to_owned(), new);
                shared
            }
        }
    }
}

/// Returns a path as a report has it.
///
/// # Errors
/// [`PartError::Damaged`] if it is none.
pub(super) fn decoded(member: &PathMember<'_>) -> Result<PathBuf, PartError> {
    let damaged = || PartError::Damaged("a path that is none".to_owned());
    member.decode().ok_or_else(damaged)
}
