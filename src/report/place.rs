//! Resolves the place of a report, and decides which links on the way are followed.

use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use rustix::io::Errno;
use rustix::process::geteuid;

use super::words;
use crate::files::FileId;

/// Maximum number of links on the way to one place, as in Linux (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// Returns the place of a file written under the name `target`: a path without links, which may not
/// exist yet.
///
/// # Errors
/// Those of lstat(2) and readlink(2), and an error for a link that another user made.
pub fn of(target: &Path) -> io::Result<PathBuf> {
    let mut ahead = reversed(target);
    let mut place = PathBuf::from(".");
    let mut links = 0;
    while let Some(component) = ahead.pop() {
        if component == ".." {
            leave(&mut place);
            continue;
        }
        // An absolute component, as in the target of a link, replaces everything before it.
        let next = place.join(component);
        match next.symlink_metadata() {
            Ok(link) if link.is_symlink() => {
                may_be_followed(&next, &link)?;
                links += 1;
                if links > MOST_LINKS {
                    return Err(Errno::LOOP.into());
                }
                ahead.extend(reversed(&next.read_link()?));
            }
            Ok(there) if !there.is_dir() && !ahead.is_empty() => return Err(Errno::NOTDIR.into()),
            Err(error) if error.kind() != io::ErrorKind::NotFound || !ahead.is_empty() => {
                return Err(error);
            }
            Ok(_) | Err(_) => place = next,
        }
    }
    if is_elsewhere(target, &place) {
        return Err(io::Error::other("Not a file in a directory"));
    }
    Ok(place)
}

/// Reports whether the system finds another file under `target` than at the place: links in /proc
/// lead to open files, such as pipes and deleted files, regardless of their apparent target.
fn is_elsewhere(target: &Path, place: &Path) -> bool {
    let identity = |there: Metadata| FileId::from(&there);
    let found = target.metadata().map(identity).ok();
    found.is_some() && found != place.symlink_metadata().map(identity).ok()
}

/// Returns the components of a path, the last first, without `.`.
fn reversed(path: &Path) -> Vec<OsString> {
    let components = path.components().rev();
    let significant = components.filter(|component| *component != Component::CurDir);
    significant
        .map(|component| component.as_os_str().to_owned())
        .collect()
}

/// Moves to the parent of a directory that was reached without links.
fn leave(place: &mut PathBuf) {
    match place.components().next_back() {
        Some(Component::Normal(_)) => drop(place.pop()),
        Some(Component::RootDir) => {}
        _ => place.push(".."),
    }
}

/// Checks that a link may be followed. Fail closed: a link that another user made can direct the
/// report to a file of ours that the other user wants replaced. The kernel refuses such links in
/// sticky world-writable directories (proc(5), protected_symlinks); a report never follows them,
/// regardless of the directory and the kernel. Root could replace the file without a link.
fn may_be_followed(path: &Path, link: &Metadata) -> io::Result<()> {
    if link.uid() == geteuid().as_raw() || link.uid() == 0 {
        return Ok(());
    }
    let path = words::shown_path(path);
    Err(io::Error::other(format!(
        "{path} is a link that another user made; name the place that it leads to, or delete it"
    )))
}
