//! Lists that the user named.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::Context;
use crate::files::SharedPath;
use crate::mirror::helpers::Helpers;
use crate::mirror::vouched;
use crate::mirror::watch::Ended;
use crate::mirror::{self, Artifact, State, Survey, real_parent};
use crate::names::endings::SignatureEnding;
use crate::trust::verdict::Unclaimed;

/// Brings in the lists that the user named and that are not among the artifacts yet. Returns their
/// paths.
pub(super) fn bring(
    survey: &mut Survey,
    context: Context<'_>,
) -> Result<HashSet<SharedPath>, Ended> {
    let mut named = HashSet::new();
    for list in &context.search.lists {
        let path = as_reached(list, context.roots);
        let shared = SharedPath::from(path.as_path());
        let is_it = |artifact: &Artifact| artifact.data == shared;
        if !survey.artifacts.iter().any(is_it) {
            let found = mirror::survey(&[path], context.search, context.watch, &Helpers::none())?;
            vouched::add(survey, found.artifacts, context.roots);
        }
        named.insert(shared);
    }
    survey.unchecked.uncovered.forget(&named, 0, false);
    for artifact in &mut survey.artifacts {
        if matches!(artifact.state, State::Unsigned(_)) && named.contains(&artifact.data) {
            sign(artifact);
        }
    }
    Ok(named)
}

/// Gives a named list the signature that has its whole name, if there is one: by its name alone it
/// may belong to another file, too.
fn sign(artifact: &mut Artifact) {
    let data = artifact.data.to_path_buf();
    let ending = SignatureEnding::SigBin.text();
    let signature = artifact.data.followed_by(OsStr::new(ending));
    let signature = signature.to_path_buf();
    if signature.is_file() {
        *artifact = mirror::appointed(&data, &signature, false);
    } else {
        // Fail closed: the signature of what it is a link to is not one of a list at this place.
        artifact.state = State::Unsigned(Unclaimed::NamedList);
    }
}

/// Returns the path of a list as it would be reached from a PATH, so that it is judged once,
/// however the user spelled it. It is the same directory entry: no link of that name is followed.
fn as_reached(list: &Path, roots: &[PathBuf]) -> PathBuf {
    let reached = || {
        let (directory, name) = (real_parent(list)?, list.file_name()?);
        let mut below = roots
            .iter()
            .filter_map(|root| below(root, &directory, name));
        below.next()
    };
    reached().unwrap_or_else(|| list.to_owned())
}

/// Returns the path of an entry of a directory, if that lies below the PATH or beside it.
fn below(root: &Path, directory: &Path, name: &OsStr) -> Option<PathBuf> {
    if root.is_dir() {
        let below = directory.strip_prefix(root.canonicalize().ok()?).ok()?;
        let root = if root == Path::new(".") {
            Path::new("")
        } else {
            root
        };
        return Some(root.join(below).join(name));
    }
    (real_parent(root)? == directory).then(|| root.with_file_name(name))
}
