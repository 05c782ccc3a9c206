//! Whether a file can be put in another's place, as far as the system tells: what a rename would
//! say is said before the work and not after it.

use std::io;
use std::path::Path;

/// Says what a rename to `target`, which is in `directory`, would be refused with.
///
/// # Errors
/// EBUSY for a mount point; EPERM for what is immutable or only appended to, and for another user's
/// file in a sticky directory.
#[cfg(target_os = "linux")]
pub(super) fn is_allowed(target: &Path, directory: &Path) -> io::Result<()> {
    linux::is_allowed(target, directory).map_err(io::Error::from)
}

/// Elsewhere nothing tells.
#[cfg(not(target_os = "linux"))]
pub(super) fn is_allowed(_target: &Path, _directory: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(target_os = "linux")]
mod linux {
    use std::path::Path;

    use rustix::fs::{AtFlags, CWD, Mode, Statx, StatxAttributes, StatxFlags, statx};
    use rustix::io::Errno;
    use rustix::process::geteuid;
    use rustix::thread::{CapabilitySet, capabilities};

    pub(super) fn is_allowed(target: &Path, directory: &Path) -> Result<(), Errno> {
        let look = |path| {
            statx(
                CWD,
                path,
                AtFlags::SYMLINK_NOFOLLOW,
                StatxFlags::BASIC_STATS,
            )
        };
        // What cannot be looked at is not judged here: making the new file says what is wrong, if
        // anything is.
        let Ok(directory) = look(directory) else {
            return Ok(());
        };
        // Where names are only added, the new file could not lose its first one.
        if is_kept(&directory) {
            return Err(Errno::PERM);
        }
        match look(target) {
            Ok(file) if has(&file, StatxAttributes::MOUNT_ROOT) => Err(Errno::BUSY),
            Ok(file) if is_kept(&file) || is_others(&file, &directory) => Err(Errno::PERM),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn is_kept(file: &Statx) -> bool {
        has(file, StatxAttributes::IMMUTABLE) || has(file, StatxAttributes::APPEND)
    }

    /// Whether a file is another user's, in a directory where nobody else may replace it
    /// (rename(2), EPERM).
    fn is_others(file: &Statx, directory: &Statx) -> bool {
        let is_sticky = Mode::from_raw_mode(directory.stx_mode.into()).contains(Mode::SVTX);
        let own = [file.stx_uid, directory.stx_uid].contains(&geteuid().as_raw());
        is_sticky && !own && !may_act_for_others()
    }

    fn may_act_for_others() -> bool {
        capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::FOWNER))
    }

    /// A file system that does not know an attribute does not set it.
    fn has(file: &Statx, attribute: StatxAttributes) -> bool {
        file.stx_attributes.contains(attribute)
    }
}
