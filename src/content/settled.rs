//! Whether a later change of a file will show in its time stamps.

use std::fs::File;

use rustix::fs::{fdatasync, fstatfs};

/// File systems that set a file's time of change (`st_ctime`) whenever its content is changed, by
/// the clock of the machine that changes it, and on which no program sets it otherwise: the
/// numbers of statfs(2).
///
/// Fail closed: others are not listed. An image that is mounted has the times that its maker chose
/// (squashfs, erofs, ISO 9660, UDF); FAT has no such time; a FUSE server says what it likes; and in
/// tmpfs, also below an overlay, a map that was written to once is written to again without one.
const KEEP_TIMES: [u64; 12] = [
    0xef53,      // ext2, ext3, ext4
    0x5846_5342, // XFS
    0x9123_683e, // btrfs
    0xf2f5_2010, // F2FS
    0x2fc1_2fc1, // ZFS
    0xca45_1a4e, // bcachefs
    0x3153_464a, // JFS
    0x6969,      // NFS
    0x00c3_6400, // Ceph
    0x0bd0_0bd0, // Lustre
    0x4750_4653, // GPFS
    0x1983_0326, // BeeGFS
];

/// Makes every change from now on show in the file's time stamps, and reports whether it will.
///
/// A page of a shared map that is dirty is written to without a new time until it is written back.
/// So it is written back now, and the next change through the map has to ask again.
pub(super) fn settle(file: &File) -> bool {
    let keeps = fstatfs(file).is_ok_and(|system| {
        let number = system.f_type as u64 & 0xffff_ffff;
        KEEP_TIMES.contains(&number)
    });
    keeps && fdatasync(file).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_memory_does_not_settle() {
        let file = tempfile::tempfile_in("/dev/shm").unwrap();
        assert!(!settle(&file));
    }
}
