//! Lists that the user named.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::Context;
use crate::files::SharedPath;
use crate::mirror::watch::Ended;
use crate::mirror::{self, Artifact, State, Survey};
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
            let found = mirror::survey(&[path], context.search, context.watch)?;
            survey.artifacts.extend(found.artifacts);
        }
        named.insert(shared);
    }
    for artifact in &mut survey.artifacts {
        let is_unsigned = matches!(artifact.state, State::Unsigned(Unclaimed::NoSignature));
        if is_unsigned && named.contains(&artifact.data) {
            artifact.state = State::Unsigned(Unclaimed::NamedList);
        }
    }
    Ok(named)
}

/// Returns the path of a list as it would be reached from a PATH, so that it is judged once, however
/// the user spelled it. It is the same directory entry: no link of that name is followed.
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

fn real_parent(path: &Path) -> Option<PathBuf> {
    Path::new(".").join(path).parent()?.canonicalize().ok()
}
