//! Detects devices through Linux's `/sys` and `/proc`. Undetectable ones are [`Medium::Unknown`].

use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::{major, minor};

use super::Medium;

/// Maximum stacking depth of devices (a loop device in a volume on an array on a disk …); anything
/// deeper is unknown.
const STORIES: usize = 8;

/// Network file systems, by their type in mountinfo; for those of FUSE, after `fuse.`.
const NETWORK: [&str; 11] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "afs",
    "ceph",
    "lustre",
    "sshfs",
    "glusterfs",
];

/// Substrings that identify the disks of virtual machines: in the bus path in /sys, and in the
/// vendor and model.
const VIRTUAL_BUS: [&str; 4] = ["/virtio", "/vmbus", "/vbd-", "/xen"];
const VIRTUAL_MODEL: [&str; 5] = ["QEMU", "VMware", "VBOX", "Msft", "Virtual"];

/// Returns the medium of the files of device `number`, with `/sys` and `/proc` below `root`.
pub(super) fn medium(root: &Path, number: u64) -> Medium {
    let system = System { root };
    system.number(major(number), minor(number), STORIES)
}

struct System<'a> {
    root: &'a Path,
}

/// A line of /proc/self/mountinfo (proc_pid_mountinfo(5)).
#[derive(Debug)]
pub(super) struct Mount {
    /// Its ID, as statx(2) reports it for a file.
    pub(super) id: String,
    /// The device number of its files, for most file systems.
    pub(super) number: String,
    pub(super) point: PathBuf,
    pub(super) kind: String,
    pub(super) source: String,
    pub(super) options: String,
}

/// Returns the current mounts, with `/proc` below `root`.
pub(super) fn mounts(root: &Path) -> Vec<Mount> {
    System { root }.mounts()
}

/// Returns the ID of a file's mount, and its device number, in the format of [`Mount`].
#[cfg(target_os = "linux")]
pub(super) fn place(path: &Path) -> Option<(String, String)> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
    let file = statx(CWD, path, AtFlags::empty(), StatxFlags::MNT_ID).ok()?;
    // Linux before 5.8 does not report the mount ID.
    let is_reported = file.stx_mask & StatxFlags::MNT_ID.bits() != 0;
    let number = format!("{}:{}", file.stx_dev_major, file.stx_dev_minor);
    is_reported.then(|| (file.stx_mnt_id.to_string(), number))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn place(_path: &Path) -> Option<(String, String)> {
    None
}

impl System<'_> {
    fn number(&self, major: u32, minor: u32, stories: usize) -> Medium {
        let Some(stories) = stories.checked_sub(1) else {
            return Medium::Unknown;
        };
        let number = format!("{major}:{minor}");
        match fs::canonicalize(self.root.join("sys/dev/block").join(&number)) {
            Ok(directory) => self.block(&directory, stories),
            // Not a block device: a file system with an anonymous device number.
            Err(_) => self.file_system(&number, stories),
        }
    }

    /// Returns the medium of a block device by its directory below /sys/devices.
    fn block(&self, directory: &Path, stories: usize) -> Medium {
        let disk = if directory.join("partition").exists() {
            directory.parent().unwrap_or(directory)
        } else {
            directory
        };
        let name = disk.file_name().map(|name| name.to_string_lossy());
        if let Some(file) = read(&disk.join("loop/backing_file")) {
            return self.holder_of(Path::new(&file), stories);
        }
        if let Some(below) = self.below(disk, stories) {
            return below;
        }
        let path = disk.to_string_lossy();
        let device = |file: &str| read(&disk.join("device").join(file)).unwrap_or_default();
        let model = device("vendor") + " " + &device("model");
        // SCSI device type 5: CD and DVD drives.
        if name.is_some_and(|name| name.starts_with("sr")) || device("type") == "5" {
            Medium::Optical
        } else if VIRTUAL_BUS.iter().any(|bus| path.contains(bus))
            || VIRTUAL_MODEL.iter().any(|word| model.contains(word))
        {
            Medium::Virtual
        } else {
            match read(&disk.join("queue/rotational")).as_deref() {
                Some("0") => Medium::SolidState,
                Some("1") => Medium::Spinning,
                _ => Medium::Unknown,
            }
        }
    }

    /// Returns the medium below a volume or an array (device mapper, md); of several, the most
    /// restrictive.
    fn below(&self, disk: &Path, stories: usize) -> Option<Medium> {
        let slaves = fs::read_dir(disk.join("slaves")).ok()?;
        let stories = stories.checked_sub(1)?;
        let directories = slaves.filter_map(|slave| fs::canonicalize(slave.ok()?.path()).ok());
        directories
            .map(|directory| self.block(&directory, stories))
            .max()
    }

    fn file_system(&self, number: &str, stories: usize) -> Medium {
        let mounts = self.mounts();
        let Some(mount) = mounts.iter().rfind(|mount| mount.number == number) else {
            return Medium::Unknown;
        };
        let kind = mount.kind.strip_prefix("fuse.").unwrap_or(&mount.kind);
        if NETWORK.contains(&kind) {
            return Medium::Network;
        }
        // btrfs and similar: the source names one of the devices.
        if let Some(device) = mount.source.strip_prefix("/dev/") {
            return self.named(device, stories);
        }
        // An overlay: most of its content lies in its lower directories.
        let lower = mount
            .options
            .split(',')
            .find_map(|o| o.strip_prefix("lowerdir="));
        let first = lower.and_then(|list| list.split(':').find(|path| !path.is_empty()));
        first.map_or(Medium::Unknown, |path| {
            self.holder_of(Path::new(path), stories)
        })
    }

    /// Returns the medium of a block device by its name below /dev.
    fn named(&self, device: &str, stories: usize) -> Medium {
        let class = self.root.join("sys/class/block");
        let mapped = device.strip_prefix("mapper/").and_then(|name| {
            let devices = fs::read_dir(&class).ok()?;
            let paths = devices.filter_map(|entry| Some(entry.ok()?.path()));
            paths
                .into_iter()
                .find(|path| read(&path.join("dm/name")).as_deref() == Some(name))
        });
        let path = mapped.unwrap_or_else(|| class.join(device));
        fs::canonicalize(path).map_or(Medium::Unknown, |directory| self.block(&directory, stories))
    }

    /// Returns the medium of the file system that contains `path`.
    fn holder_of(&self, path: &Path, stories: usize) -> Medium {
        let mounts = self.mounts();
        let holding = mounts.iter().filter(|mount| path.starts_with(&mount.point));
        let deepest = holding.max_by_key(|mount| mount.point.components().count());
        let number = deepest.and_then(|mount| {
            let (major, minor) = mount.number.split_once(':')?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        });
        number.map_or(Medium::Unknown, |(major, minor)| {
            self.number(major, minor, stories)
        })
    }

    fn mounts(&self) -> Vec<Mount> {
        let text = read(&self.root.join("proc/self/mountinfo")).unwrap_or_default();
        text.lines().filter_map(mount).collect()
    }
}

fn mount(line: &str) -> Option<Mount> {
    let (own, of_file_system) = line.split_once(" - ")?;
    let own: Vec<&str> = own.split(' ').collect();
    let mut rest = of_file_system.split(' ');
    Some(Mount {
        id: (*own.first()?).to_owned(),
        number: (*own.get(2)?).to_owned(),
        point: own.get(4)?.replace("\\040", " ").into(),
        kind: rest.next()?.to_owned(),
        source: rest.next()?.to_owned(),
        options: rest.next().unwrap_or_default().to_owned(),
    })
}

fn read(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::makedev;

    /// Creates a recorded tree: each line is a file with its content, a link with its target, or a
    /// directory.
    fn tree(record: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for line in record
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            let make = |path: &str| {
                let path = root.path().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                path
            };
            if let Some((path, target)) = line.split_once(" -> ") {
                let up = "../".repeat(path.matches('/').count());
                std::os::unix::fs::symlink(format!("{up}{target}"), make(path)).unwrap();
            } else if let Some((path, content)) = line.split_once(" = ") {
                let path = make(path);
                let before = fs::read_to_string(&path).unwrap_or_default();
                fs::write(path, format!("{before}{content}\n")).unwrap();
            } else {
                fs::create_dir_all(make(line)).unwrap();
            }
        }
        root
    }

    fn medium_in(record: &str, major: u32, minor: u32) -> Medium {
        medium(tree(record).path(), makedev(major, minor))
    }

    const SATA: &str = "
        sys/devices/pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0/block/sda/queue/rotational = 1
        sys/devices/pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0/block/sda/sda1/partition = 1
        sys/devices/pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0/block/sda/device/vendor = ATA
        sys/devices/pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0/block/sda/device/model = ST4000NM0035-1V4
        sys/devices/pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0/block/sda/device/type = 0
        sys/devices/pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0/block/sda/slaves
        sys/dev/block/8:0 -> sys/devices/pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0/block/sda
        sys/dev/block/8:1 -> sys/devices/pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0/block/sda/sda1
        sys/class/block/sda1 -> sys/devices/pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0/block/sda/sda1
        proc/self/mountinfo = 29 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
    ";

    const NVME: &str = "
        sys/devices/pci0000:00/0000:00:1d.0/0000:03:00.0/nvme/nvme0/nvme0n1/queue/rotational = 0
        sys/devices/pci0000:00/0000:00:1d.0/0000:03:00.0/nvme/nvme0/nvme0n1/nvme0n1p2/partition = 2
        sys/dev/block/259:2 -> sys/devices/pci0000:00/0000:00:1d.0/0000:03:00.0/nvme/nvme0/nvme0n1/nvme0n1p2
        sys/class/block/nvme0n1p2 -> sys/devices/pci0000:00/0000:00:1d.0/0000:03:00.0/nvme/nvme0/nvme0n1/nvme0n1p2
    ";

    #[test]
    fn a_partition_of_a_sata_disk_is_spinning() {
        assert_eq!(medium_in(SATA, 8, 1), Medium::Spinning);
        assert_eq!(medium_in(SATA, 8, 0), Medium::Spinning);
    }

    #[test]
    fn an_nvme_drive_is_solid_state() {
        assert_eq!(medium_in(NVME, 259, 2), Medium::SolidState);
    }

    #[test]
    fn a_virtual_disk_that_says_it_is_rotational_is_virtual() {
        let virtio = "
            sys/devices/pci0000:00/0000:00:05.0/virtio2/block/vda/queue/rotational = 1
            sys/dev/block/254:0 -> sys/devices/pci0000:00/0000:00:05.0/virtio2/block/vda
        ";
        assert_eq!(medium_in(virtio, 254, 0), Medium::Virtual);
        let scsi = SATA
            .replace("= ATA", "= QEMU")
            .replace("ST4000NM0035-1V4", "QEMU HARDDISK");
        assert_eq!(medium_in(&scsi, 8, 1), Medium::Virtual);
        let vmware = SATA
            .replace("= ATA", "= VMware")
            .replace("ST4000NM0035-1V4", "Virtual disk");
        assert_eq!(medium_in(&vmware, 8, 1), Medium::Virtual);
    }

    #[test]
    fn a_usb_disk_is_spinning_where_it_does_not_say_otherwise() {
        let usb = "
            sys/devices/pci0000:00/0000:00:14.0/usb2/2-3/2-3:1.0/host6/target6:0:0/6:0:0:0/block/sdb/queue/rotational = 1
            sys/devices/pci0000:00/0000:00:14.0/usb2/2-3/2-3:1.0/host6/target6:0:0/6:0:0:0/block/sdb/sdb1/partition = 1
            sys/dev/block/8:17 -> sys/devices/pci0000:00/0000:00:14.0/usb2/2-3/2-3:1.0/host6/target6:0:0/6:0:0:0/block/sdb/sdb1
        ";
        assert_eq!(medium_in(usb, 8, 17), Medium::Spinning);
        assert_eq!(
            medium_in(&usb.replace("rotational = 1", "rotational = 0"), 8, 17),
            Medium::SolidState
        );
    }

    #[test]
    fn a_dvd_drive_is_optical() {
        let drive = "
            sys/devices/pci0000:00/0000:00:17.0/ata5/host4/target4:0:0/4:0:0:0/block/sr0/queue/rotational = 1
            sys/devices/pci0000:00/0000:00:17.0/ata5/host4/target4:0:0/4:0:0:0/block/sr0/device/type = 5
            sys/dev/block/11:0 -> sys/devices/pci0000:00/0000:00:17.0/ata5/host4/target4:0:0/4:0:0:0/block/sr0
        ";
        assert_eq!(medium_in(drive, 11, 0), Medium::Optical);
    }

    #[test]
    fn a_loop_device_is_what_its_file_lies_on() {
        let on = |file: &str| {
            format!(
                "{SATA}{NVME}
                sys/devices/virtual/block/loop0/loop/backing_file = {file}
                sys/devices/virtual/block/loop0/queue/rotational = 0
                sys/dev/block/7:0 -> sys/devices/virtual/block/loop0
                proc/self/mountinfo = 31 29 259:2 / /fast rw - xfs /dev/nvme0n1p2 rw"
            )
        };
        assert_eq!(medium_in(&on("/var/images/a.iso"), 7, 0), Medium::Spinning);
        assert_eq!(medium_in(&on("/fast/a.iso"), 7, 0), Medium::SolidState);
    }

    #[test]
    fn a_device_mapper_volume_is_the_most_particular_of_what_it_stands_on() {
        let volume = format!(
            "{SATA}{NVME}
            sys/devices/virtual/block/dm-0/queue/rotational = 1
            sys/devices/virtual/block/dm-0/slaves/sda1 -> sys/class/block/sda1
            sys/dev/block/253:0 -> sys/devices/virtual/block/dm-0"
        );
        assert_eq!(medium_in(&volume, 253, 0), Medium::Spinning);
        let both = format!(
            "{volume}\nsys/devices/virtual/block/dm-0/slaves/nvme0n1p2 -> sys/class/block/nvme0n1p2"
        );
        assert_eq!(medium_in(&both, 253, 0), Medium::Spinning);
        let fast = volume.replace(
            "slaves/sda1 -> sys/class/block/sda1",
            "slaves/n -> sys/class/block/nvme0n1p2",
        );
        assert_eq!(medium_in(&fast, 253, 0), Medium::SolidState);
    }

    #[test]
    fn btrfs_lies_on_the_device_that_it_was_mounted_from() {
        let btrfs = format!(
            "{SATA}\nproc/self/mountinfo = 40 29 0:35 / /data rw - btrfs /dev/sda1 rw,space_cache"
        );
        assert_eq!(medium_in(&btrfs, 0, 35), Medium::Spinning);
        let mapped = format!(
            "{SATA}
            sys/devices/virtual/block/dm-0/dm/name = vg-data
            sys/devices/virtual/block/dm-0/slaves/sda1 -> sys/class/block/sda1
            sys/class/block/dm-0 -> sys/devices/virtual/block/dm-0
            proc/self/mountinfo = 40 29 0:35 / /data rw - btrfs /dev/mapper/vg-data rw"
        );
        assert_eq!(medium_in(&mapped, 0, 35), Medium::Spinning);
    }

    #[test]
    fn nfs_cifs_and_sshfs_are_network_shares() {
        for (kind, source) in [
            ("nfs4", "filer:/export"),
            ("cifs", "//filer/share"),
            ("fuse.sshfs", "me@host:"),
        ] {
            let share =
                format!("proc/self/mountinfo = 50 29 0:60 / /mnt rw shared:5 - {kind} {source} rw");
            assert_eq!(medium_in(&share, 0, 60), Medium::Network, "{kind}");
        }
    }

    #[test]
    fn an_overlay_is_what_its_first_lower_directory_lies_on() {
        let overlay = format!(
            "{SATA}
            proc/self/mountinfo = 60 29 0:70 / /merged rw - overlay overlay rw,lowerdir=/var/l1:/var/l2,upperdir=/var/u"
        );
        assert_eq!(medium_in(&overlay, 0, 70), Medium::Spinning);
    }

    #[test]
    fn what_cannot_be_found_out_is_unknown_and_nothing_turns_in_circles() {
        assert_eq!(
            medium_in(
                "proc/self/mountinfo = 70 29 0:80 / /tmp rw - tmpfs tmpfs rw",
                0,
                80
            ),
            Medium::Unknown
        );
        assert_eq!(medium_in("sys", 0, 81), Medium::Unknown);
        let circle = "
            sys/devices/virtual/block/loop0/loop/backing_file = /a
            sys/dev/block/7:0 -> sys/devices/virtual/block/loop0
            proc/self/mountinfo = 29 1 7:0 / / rw - ext4 /dev/loop0 rw
        ";
        assert_eq!(medium_in(circle, 7, 0), Medium::Unknown);
    }
}
