//! Checks whether a file can replace another, as far as the system reports it, so that a rename's
//! error is known before the work and not after it.

use std::io;
use std::path::Path;

/// Returns the error with which the system would refuse a rename to `target`, which is in
/// `directory`.
///
/// # Errors
/// EBUSY for a mount point; EPERM for an immutable or append-only file, and for another user's file
/// in a sticky directory.
#[cfg(target_os = "linux")]
pub(super) fn is_allowed(target: &Path, directory: &Path) -> io::Result<()> {
    linux::is_allowed(target, directory).map_err(io::Error::from)
}

/// Allows everything: other systems do not report this.
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
        // A path that cannot be examined is not judged here: creating the new file reports the
        // error, if there is one.
        let Ok(directory) = look(directory) else {
            return Ok(());
        };
        // In an append-only directory, the new file could not be renamed from its temporary name.
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

    /// Reports whether a file belongs to another user, in a directory where only its owner may
    /// replace it (rename(2), EPERM).
    fn is_others(file: &Statx, directory: &Statx) -> bool {
        let is_sticky = Mode::from_raw_mode(directory.stx_mode.into()).contains(Mode::SVTX);
        let own = [file.stx_uid, directory.stx_uid].contains(&geteuid().as_raw());
        is_sticky && !own && !may_act_for_others()
    }

    fn may_act_for_others() -> bool {
        capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::FOWNER))
    }

    /// Reports an attribute. A file system that does not support it does not set it.
    fn has(file: &Statx, attribute: StatxAttributes) -> bool {
        file.stx_attributes.contains(attribute)
    }
}
