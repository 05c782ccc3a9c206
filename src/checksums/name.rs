//! The names in lists.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// Returns a listed name without `./` and repeated `/`; `None` if it names no file, as `-` does,
/// which stands for standard input, and as what ends in `/` does.
pub(super) fn tidy(name: &[u8]) -> Option<Vec<u8>> {
    if name == b"-" || name.ends_with(b"/") {
        return None;
    }
    let is_absolute = name.starts_with(b"/");
    let parts = name.split(|byte| *byte == b'/');
    let parts: Vec<&[u8]> = parts.filter(|part| !matches!(part, [] | [b'.'])).collect();
    let joined = parts.join(&b'/');
    match (is_absolute, joined.is_empty()) {
        (_, true) => None,
        (true, false) => Some([b"/", &joined[..]].concat()),
        (false, false) => Some(joined),
    }
}

/// A listed name leads out of the directory of its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outside;

/// Returns the path of a listed name below the directory of its list.
///
/// # Errors
/// Fail closed: a name with `..` in it is outside, even if it comes back, since what `..` leads to
/// depends on links.
pub fn below(name: &[u8]) -> Result<PathBuf, Outside> {
    let path = Path::new(OsStr::from_bytes(name));
    let is_normal = |part: Component<'_>| matches!(part, Component::Normal(_));
    if path.components().all(is_normal) {
        Ok(path.to_owned())
    } else {
        Err(Outside)
    }
}
