//! What the file systems of the tests have in common: each serves one directory, inode 1, and the
//! files in it, from inode 2 on in their order.
//!
//! Needs `/dev/fuse` and the right to mount.

use std::path::Path;
use std::process::Command;
use std::time::UNIX_EPOCH;

use fuser::{
    BackgroundSession, Config, FileAttr, FileType, Filesystem, INodeNo, MountOption, ReplyDirectory,
};

use super::{is_available, is_root};

/// Whether a file system can be mounted here; says that the test is skipped if it cannot.
pub fn is_here(test: &str) -> bool {
    let here = Path::new("/dev/fuse").exists() && is_root();
    is_available(here, "/dev/fuse and root", test)
}

/// Mounts a file system, read-only, with these options in addition.
pub fn mount(
    fs: impl Filesystem,
    at: &Path,
    name: &str,
    options: &[MountOption],
) -> BackgroundSession {
    std::fs::create_dir_all(at).unwrap();
    let mut config = Config::default();
    config.mount_options = vec![MountOption::RO, MountOption::FSName(name.to_owned())];
    config.mount_options.extend_from_slice(options);
    fuser::spawn_mount(fs, at, &config).unwrap()
}

/// Unmounts what is mounted there, even from under a command that a failed test left behind.
pub fn unmount(at: &Path) {
    let _ = Command::new("umount").arg("--lazy").arg(at).status();
}

/// Returns the inode of a file.
pub fn inode(file: usize) -> INodeNo {
    INodeNo(file as u64 + 2)
}

/// Returns the index of a file; `None` for the directory.
pub fn file(inode: INodeNo) -> Option<usize> {
    usize::try_from(u64::from(inode)).ok()?.checked_sub(2)
}

/// Returns the attributes of the directory, or those of a file of so many bytes; never modified.
pub fn attributes(inode: INodeNo, size: u64) -> FileAttr {
    let (kind, perm) = match file(inode) {
        None => (FileType::Directory, 0o755),
        Some(_) => (FileType::RegularFile, 0o644),
    };
    FileAttr {
        ino: inode,
        size,
        blocks: size.div_ceil(512),
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind,
        perm,
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: 4096,
        flags: 0,
    }
}

/// Lists files from an offset on, as many as there is room for.
pub fn list<'a>(names: impl Iterator<Item = &'a str>, offset: u64, reply: &mut ReplyDirectory) {
    for (at, name) in names.enumerate().skip(offset as usize) {
        if reply.add(inode(at), at as u64 + 1, FileType::RegularFile, name) {
            break;
        }
    }
}
