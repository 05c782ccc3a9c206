//! Where paths lead, regardless of their names.

use std::path::{Path, PathBuf};

use crate::files::FileId;

/// Returns the place of a file of this name, existing or not: all links are resolved as far as the
/// path exists.
pub(super) fn place(path: &Path) -> PathBuf {
    let beside = || Some(parent(path).canonicalize().ok()?.join(path.file_name()?));
    let place = path.canonicalize().ok().or_else(beside);
    place.unwrap_or_else(|| path.to_owned())
}

/// Reports whether two paths lead to the same existing file.
pub(super) fn is_same_file(a: &Path, b: &Path) -> bool {
    let file = |path: &Path| path.metadata().map(|file| FileId::from(&file)).ok();
    file(a).is_some() && file(a) == file(b)
}

/// Reports whether a file, or a link to it, is in one of the directories `roots`, or beside a root
/// that is a file.
pub(super) fn lies_inside(path: &Path, roots: &[PathBuf]) -> bool {
    let directory = |path: &Path| {
        if path.is_dir() {
            path.canonicalize()
        } else {
            parent(path).canonicalize()
        }
    };
    let roots: Vec<PathBuf> = roots
        .iter()
        .filter_map(|root| directory(root).ok())
        .collect();
    // The name's place counts as much as the link's target: anyone who can change the tree can
    // point the link elsewhere.
    let leads_to = crate::report::place::of(path).and_then(|place| parent(&place).canonicalize());
    // Also where a link leads that leads to nothing yet.
    let places = [parent(path).canonicalize(), path.canonicalize(), leads_to];
    let is_inside = |place: &PathBuf| roots.iter().any(|root| place.starts_with(root));
    places.iter().flatten().any(is_inside)
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
