//! The paths of a report, as the merged report spells them.

use std::collections::HashMap;
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
    directories: HashMap<PathBuf, Directory>,
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
        self.placed(member).map(|(path, _)| path)
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
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return path.into();
        };
        let directory = match self.directories.get(parent) {
            Some(known) => known.clone(),
            None => {
                let directory = Directory::new(parent);
                self.directories
                    .insert(parent.to_owned(), directory.clone());
                directory
            }
        };
        let shared = directory.join(name);
        // A path may have trailing separators, or several in a row.
        if shared.to_path_buf().as_os_str() == path.as_os_str() {
            shared
        } else {
            path.into()
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
