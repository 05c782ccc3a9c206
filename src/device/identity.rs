//! Decides where an inode number certainly identifies one file, so that the content read under one
//! name also holds for another.
//!
//! A number is only as reliable as its source: a FUSE server assigns any number to any file,
//! network shares repeat their server's numbers, an overlay shows those of several file systems,
//! and tmpfs without `inode64` reuses its 32-bit numbers. The reliable file systems are listed.

use std::path::Path;

use super::sys::{self, Mount};

/// File systems of this machine's kernel whose inode numbers are locations on a block device: two
/// files cannot share one. (Those of btrfs are too, but its subvolumes have device numbers that
/// appear in no list of mounts.)
const NUMBERS_ARE_PLACES: [&str; 5] = ["ext2", "ext3", "ext4", "xfs", "f2fs"];

/// The mounted file systems.
#[derive(Debug)]
pub struct Identities {
    mounts: Vec<Mount>,
}

impl Identities {
    /// Reads the current mounts.
    pub fn now() -> Identities {
        Identities {
            mounts: sys::mounts(Path::new("/")),
        }
    }

    /// Reports whether the file at `path`, following links, is certainly the only one with its
    /// device and inode number.
    pub fn is_certain(&self, path: &Path) -> bool {
        // Fail closed: what the system does not report is not certain.
        sys::place(path).is_some_and(|(id, number)| {
            // Compare both, since the ID of an ended mount is reused.
            let is_it = |mount: &&Mount| mount.id == id && mount.number == number;
            self.mounts.iter().find(is_it).is_some_and(is_certain_on)
        })
    }
}

fn is_certain_on(mount: &Mount) -> bool {
    let has_long_numbers = || mount.options.split(',').any(|option| option == "inode64");
    NUMBERS_ARE_PLACES.contains(&mount.kind.as_str())
        || (mount.kind == "tmpfs" && has_long_numbers())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_certain(kind: &str, options: &str) -> bool {
        is_certain_on(&Mount {
            id: "7".to_owned(),
            number: "0:7".to_owned(),
            point: "/".into(),
            kind: kind.to_owned(),
            source: "/dev/sda1".to_owned(),
            options: options.to_owned(),
        })
    }

    #[test]
    fn only_file_systems_of_the_kernel_on_this_machine_number_their_files_for_certain() {
        for kind in ["ext2", "ext3", "ext4", "xfs", "f2fs"] {
            assert!(is_certain(kind, "rw"), "{kind}");
        }
        for kind in [
            "fuse",
            "fuseblk",
            "fuse.sshfs",
            "fuse.ext4",
            "nfs",
            "nfs4",
            "cifs",
            "9p",
            "virtiofs",
            "overlay",
            "ecryptfs",
            "btrfs",
            "zfs",
            "squashfs",
            "iso9660",
            "vfat",
            "ntfs3",
            "aufs",
            "ext5",
            "",
        ] {
            assert!(!is_certain(kind, "rw,inode64"), "{kind}");
        }
    }

    #[test]
    fn tmpfs_numbers_its_files_for_certain_where_the_numbers_do_not_begin_again() {
        assert!(is_certain("tmpfs", "rw,size=1k,inode64"));
        assert!(!is_certain("tmpfs", "rw,size=1k,inode32"));
        assert!(!is_certain("tmpfs", "rw,size=1k"));
    }

    #[test]
    fn a_file_that_cannot_be_examined_is_not_certain() {
        let directory = tempfile::tempdir().unwrap();
        assert!(!Identities::now().is_certain(&directory.path().join("none")));
        assert!(!Identities { mounts: Vec::new() }.is_certain(directory.path()));
    }
}
