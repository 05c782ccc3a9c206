//! A disk that really fails: a file system whose last blocks are cut off under it, so that the
//! system itself cannot bring them in.
//!
//! Needs a loop device, `mkfs.ext4`, and root; where one is missing, and it is not CI, the tests
//! say that they are skipped.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{Mirror, Run, bytes, is_available, is_here, is_root, sign};
use rustix::fs::FallocateFlags;

const MIB: u64 = 1024 * 1024;
const BLOCK: u64 = 4096;
/// The other files' size; the victim is larger, so that there are windows that can be read and such
/// that cannot.
const SMALL: usize = 3 * MIB as usize;
const LARGE: usize = 24 * MIB as usize;

/// A file system in a file, and its mount; gone with the value. The key lies beside it.
struct Disk {
    beside: Mirror,
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Even from under a command that a failed test left behind. The loop device goes with the
        // mount.
        let _ = Command::new("umount")
            .args(["--lazy", "--quiet"])
            .arg(self.mount_point())
            .stderr(Stdio::null())
            .status();
    }
}

fn succeeds(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

impl Disk {
    /// Two neighbours and, in the last blocks, a victim, all of them signed as they are; not
    /// mounted.
    fn new() -> Disk {
        let disk = Disk {
            beside: Mirror::new(),
        };
        File::create(disk.image())
            .unwrap()
            .set_len(64 * MIB)
            .unwrap();
        // Without a journal there is nothing that would have to be written behind the files.
        let options = ["-q", "-F", "-b", "4096", "-m", "0", "-O", "^has_journal"];
        succeeds(
            "mkfs.ext4",
            &[&options[..], &[disk.image().to_str().unwrap()]].concat(),
        );
        fs::create_dir(disk.mount_point()).unwrap();
        disk.mount("rw");
        for (name, size) in [("a.iso", SMALL), ("z.iso", SMALL), ("victim.iso", LARGE)] {
            let content = bytes(size, 1);
            disk.write(
                &format!("{name}.sig.bin"),
                &sign(&disk.beside.key, &content),
            );
            disk.write(name, &content);
        }
        disk.unmount();
        disk
    }

    fn image(&self) -> PathBuf {
        self.beside.path().join("image")
    }

    fn mount_point(&self) -> PathBuf {
        self.beside.path().join("m")
    }

    fn mount(&self, how: &str) {
        let (image, point) = (self.image(), self.mount_point());
        let options = format!("loop,{how}");
        succeeds(
            "mount",
            &[
                "-t",
                "ext4",
                "-o",
                &options,
                image.to_str().unwrap(),
                point.to_str().unwrap(),
            ],
        );
    }

    /// Makes the next reads come from the image.
    fn unmount(&self) {
        succeeds("umount", &[self.mount_point().to_str().unwrap()]);
    }

    /// Writes a file, blocks and all, before the next one gets its own.
    fn write(&self, name: &str, content: &[u8]) {
        let mut file = File::create(self.mount_point().join(name)).unwrap();
        file.write_all(content).unwrap();
        file.sync_all().unwrap();
    }

    /// The blocks of a file, in its order.
    fn blocks(&self, name: &str) -> Vec<u64> {
        let request = format!("blocks /{name}");
        let blocks = succeeds("debugfs", &["-R", &request, self.image().to_str().unwrap()]);
        blocks
            .split_whitespace()
            .map(|block| block.parse().unwrap())
            .collect()
    }

    /// The first byte on the disk that holds the second half of the victim, and none of anything
    /// else.
    fn second_half(&self) -> u64 {
        let victim = self.blocks("victim.iso");
        assert_eq!(victim.len() as u64, LARGE as u64 / BLOCK);
        let (first, second) = victim.split_at(victim.len() / 2);
        let start = *second.iter().min().unwrap();
        let others = [
            "a.iso",
            "z.iso",
            "a.iso.sig.bin",
            "z.iso.sig.bin",
            "victim.iso.sig.bin",
        ];
        let mut others = others.into_iter().flat_map(|name| self.blocks(name));
        assert!(first.iter().all(|block| *block < start) && others.all(|block| block < start));
        start * BLOCK
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.beside
            .run(&[&["-k", "key.pem", "m"], arguments].concat())
    }
}

fn loop_devices_are_here(test: &str) -> bool {
    let here = Path::new("/dev/loop-control").exists() && is_root();
    is_available(here, "a loop device and root", test) && is_here("mkfs.ext4", test)
}

fn ways() -> impl Iterator<Item = [&'static str; 4]> {
    let ways = ["auto", "mmap", "read", "direct"].into_iter();
    ways.flat_map(|io| ["1", "4"].map(|jobs| ["--io", io, "--jobs", jobs]))
}

fn lines(victim: &str) -> String {
    format!("m/a.iso: ✅ Signature valid\nm/victim.iso: {victim}\nm/z.iso: ✅ Signature valid\n")
}

#[test]
fn a_disk_whose_end_is_gone_fails_the_file_that_lies_there_and_no_other() {
    if !loop_devices_are_here("a_disk_whose_end_is_gone") {
        return;
    }
    let disk = Disk::new();
    let cut = disk.second_half();
    disk.mount("ro");
    assert_eq!(disk.run(&[]).stdout, lines("✅ Signature valid"));
    for way in ways() {
        // Nothing of it stays in memory.
        disk.unmount();
        let image = File::options().write(true).open(disk.image()).unwrap();
        image.set_len(64 * MIB).unwrap();
        disk.mount("ro");
        image.set_len(cut).unwrap();
        let run = disk.run(&way);
        assert_eq!(
            run.stdout,
            lines("❌ Cannot read: Input/output error"),
            "{way:?}"
        );
        assert!(
            run.stderr.contains(" 2 valid, 1 unreadable; "),
            "{}",
            run.stderr
        );
        assert_eq!(run.status, Some(1));
    }
}

#[test]
fn a_disk_that_has_forgotten_a_part_of_a_file_and_gives_zeros_for_it_makes_it_invalid() {
    if !loop_devices_are_here("a_disk_that_has_forgotten_a_part") {
        return;
    }
    let disk = Disk::new();
    let start = disk.second_half();
    let image = File::options().write(true).open(disk.image()).unwrap();
    // One block in the midst of a window.
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    rustix::fs::fallocate(&image, flags, start + 5 * BLOCK, BLOCK).unwrap();
    disk.mount("ro");
    for way in ways() {
        let run = disk.run(&way);
        assert_eq!(run.stdout, lines("❌ Signature invalid"), "{way:?}");
        assert_eq!(run.status, Some(1));
    }
}

#[test]
fn a_signature_that_the_disk_cannot_give_back_does_not_make_its_artifact_an_unsigned_one() {
    if !loop_devices_are_here("a_signature_that_the_disk_cannot_give_back") {
        return;
    }
    let disk = Disk::new();
    disk.mount("rw");
    // Far larger than any signature, so that it gets blocks behind all others; its first ones are
    // gone with them.
    disk.write("lost.zst", b"alpha");
    disk.write("lost.sig.bin", &vec![0x30; SMALL]);
    disk.unmount();
    let lost = *disk.blocks("lost.sig.bin").iter().min().unwrap();
    assert!(
        disk.blocks("victim.iso")
            .into_iter()
            .all(|block| block < lost)
    );
    disk.mount("ro");
    File::options()
        .write(true)
        .open(disk.image())
        .unwrap()
        .set_len(lost * BLOCK)
        .unwrap();
    for way in ways() {
        let run = disk.run(&[&way[..], &["--allow-unsigned"]].concat());
        let expected = [
            "m/a.iso: ✅ Signature valid",
            "m/lost.zst: ❌ Cannot read: Input/output error",
        ];
        let lines: Vec<&str> = run.stdout.lines().take(2).collect();
        assert_eq!(lines, expected, "{way:?}");
        assert!(
            run.stderr.contains(" 3 valid, 1 unreadable; "),
            "{}",
            run.stderr
        );
        assert_eq!(run.status, Some(1));
    }
}
