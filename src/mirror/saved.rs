//! Images saved without a signature file of their own: an archive, or a directory. Every image in
//! them must be signed instead.

use std::ffi::OsStr;

use walkdir::WalkDir;

use super::pairing::{Entry, Kind, Needed};
use super::{Artifact, Metadata, Search, State};
use crate::files::SharedPath;
use crate::names::endings::is_saved_image;
use crate::trust::verdict::Unclaimed;

/// The file that marks a directory as an OCI image layout (OCI image specification, "Image
/// Layout").
const OCI_LAYOUT: &str = "oci-layout";
/// The files that mark a directory as one of containers/image ("dir:").
const DIR_TRANSPORT: [&str; 2] = ["version", "manifest.json"];

/// Reports whether a directory with these entries holds images. Several kinds of directories have
/// the files of a `dir:`, so that one counts only where the user names it (`is_path`).
pub(super) fn holds_images(entries: &[Entry], is_path: bool) -> bool {
    let is_here = |name: &str| {
        let mut entries = entries.iter();
        entries.any(|entry| entry.name == OsStr::new(name) && entry.kind == Kind::File)
    };
    is_here(OCI_LAYOUT) || is_path && DIR_TRANSPORT.into_iter().all(is_here)
}

/// Returns a directory that holds images. Its size is that of the files in it.
pub(super) fn directory(path: SharedPath) -> Artifact {
    let place = path.to_path_buf();
    let walk = WalkDir::new(&place).max_open(1).into_iter();
    let files = walk.filter_map(Result::ok);
    let files = files.filter(|entry| entry.file_type().is_file());
    // A file that cannot be examined here fails when it is read; this is only a measure of the
    // work.
    let sizes = files.filter_map(|file| Some(file.metadata().ok()?.len()));
    let size = sizes.fold(0, u64::saturating_add);
    let state = match Metadata::at(&place) {
        Ok(metadata) => State::ImageDirectory(Metadata { size, ..metadata }),
        Err(error) => State::DirectoryUnreadable(error),
    };
    Artifact::new(path, state)
}

/// Judges each saved image that no signature claims by the images in it, if they are asked for.
pub(super) fn judge_by_images(artifacts: &mut [Artifact], search: &Search) {
    // Fail closed: where every file must be signed, so must this one.
    if !search.images || search.needed == Needed::AllFiles {
        return;
    }
    for artifact in artifacts {
        let is_saved = artifact.data.file_name().is_some_and(is_saved_image);
        if is_saved
            && matches!(artifact.state, State::Unsigned(Unclaimed::NoSignature))
            && let Ok(metadata) = Metadata::at(&artifact.data.to_path_buf())
        {
            artifact.state = State::SavedImage(metadata);
        }
    }
}
