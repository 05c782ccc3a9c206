//! Where one inode number is certainly one file, so that what was read under one name is true of
//! another.
//!
//! A number is only as good as whoever makes it up: a FUSE server gives any file any number,
//! network shares repeat what their server says, an overlay shows the numbers of several file
//! systems, and tmpfs without `inode64` begins again when its 32 bits are used up. What is certain
//! is a list.

use std::path::Path;

use super::sys::{self, Mount};

/// File systems of this machine's kernel whose inode numbers are places on a block device: two
/// files cannot have one. (Those of btrfs are, too, but its subvolumes have device numbers that no
/// list of mounts has.)
const NUMBERS_ARE_PLACES: [&str; 5] = ["ext2", "ext3", "ext4", "xfs", "f2fs"];

/// The file systems that are mounted.
#[derive(Debug)]
pub struct Identities {
    mounts: Vec<Mount>,
}

impl Identities {
    /// Looks at what is mounted now.
    pub fn now() -> Identities {
        Identities {
            mounts: sys::mounts(Path::new("/")),
        }
    }

    /// Whether the file under `path`, links followed, is the only one with its device and inode
    /// number.
    pub fn is_certain(&self, path: &Path) -> bool {
        // Fail closed: what the system does not tell is not certain.
        sys::place(path).is_some_and(|(id, number)| {
            // Both, since the id of a mount that ended is given to the next one.
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
    fn a_file_that_nobody_can_look_at_is_not_certain() {
        let directory = tempfile::tempdir().unwrap();
        assert!(!Identities::now().is_certain(&directory.path().join("none")));
        assert!(!Identities { mounts: Vec::new() }.is_certain(directory.path()));
    }
}
