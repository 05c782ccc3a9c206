//! Direct I/O: what is read past the page cache, and what is not.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use rustix::fs::{Advice, fadvise, fstatfs};

use crate::support::{Mirror, Run, bytes, is_available, is_here, is_root};

/// The bytes of the large file: not a whole number of blocks.
const LARGE: usize = 32 * 1024 * 1024 + 4321;

/// Whether temporary files are on a file system that direct I/O is known to suit.
fn is_on_a_local_disk(test: &str) -> bool {
    const KNOWN: [u32; 3] = [0xEF53, 0x5846_5342, 0x9123_683E];
    let file = tempfile::tempfile().unwrap();
    let found = fstatfs(&file).unwrap().f_type as u32;
    let here = KNOWN.contains(&found);
    is_available(here, "a temporary folder on ext4, XFS or Btrfs", test) && is_here("fincore", test)
}

/// A mirror of one large file, which is on the disk.
fn mirror() -> Mirror {
    let mirror = Mirror::new();
    let content = bytes(LARGE, 0);
    mirror.write_signed("large.iso", "large.iso.sig.bin", &content);
    File::open(mirror.path().join("large.iso"))
        .unwrap()
        .sync_all()
        .unwrap();
    mirror
}

/// Has the system forget the large file.
fn forget(mirror: &Mirror) {
    let file = File::open(mirror.path().join("large.iso")).unwrap();
    fadvise(&file, 0, None, Advice::DontNeed).unwrap();
}

/// The share of the large file that is in the page cache, in percent.
fn cached(mirror: &Mirror) -> usize {
    let mut fincore = Command::new("fincore");
    fincore.args(["--bytes", "--noheadings", "--output", "RES", "large.iso"]);
    let output = fincore.current_dir(mirror.path()).output().unwrap();
    let bytes = String::from_utf8(output.stdout).unwrap();
    bytes.trim().parse::<usize>().unwrap() * 100 / LARGE
}

fn is_valid(run: &Run) {
    assert_eq!(run.stdout, "large.iso: ✅ Signature valid\n");
    assert_eq!(run.status, Some(0), "{}", run.stderr);
}

#[test]
fn a_large_file_that_is_not_in_memory_is_read_past_the_page_cache() {
    if !is_on_a_local_disk("a_large_file_that_is_not_in_memory") {
        return;
    }
    let mirror = mirror();
    for io in ["auto", "direct"] {
        forget(&mirror);
        is_valid(&mirror.run(&["-k", "key.pem", "--io", io]));
        let cached = cached(&mirror);
        assert!(cached < 50, "{io}: {cached} percent are in the page cache");
    }
}

#[test]
fn a_file_that_is_in_memory_is_verified_from_there_and_stays_there() {
    if !is_on_a_local_disk("a_file_that_is_in_memory") {
        return;
    }
    let mirror = mirror();
    fs::read(mirror.path().join("large.iso")).unwrap();
    for io in ["auto", "direct"] {
        is_valid(&mirror.run(&["-k", "key.pem", "--io", io]));
        assert!(cached(&mirror) >= 100, "{io}");
    }
}

#[test]
fn what_was_just_written_is_what_direct_io_reads() {
    if !is_on_a_local_disk("what_was_just_written") {
        return;
    }
    let mirror = mirror();
    let path = mirror.path().join("large.iso");
    let mut content = fs::read(&path).unwrap();
    for at in [0, LARGE / 2, LARGE - 1] {
        content[at] ^= 1;
        fs::write(&path, &content).unwrap();
        let run = mirror.run(&["-k", "key.pem", "--io", "direct"]);
        assert_eq!(run.stdout, "large.iso: ❌ Signature invalid\n");
        content[at] ^= 1;
        fs::write(&path, &content).unwrap();
        is_valid(&mirror.run(&["-k", "key.pem", "--io", "direct"]));
    }
}

/// A mount of ramfs, which refuses direct I/O; gone with the value.
struct Ramfs(PathBuf);

impl Ramfs {
    fn at(point: PathBuf) -> Ramfs {
        fs::create_dir(&point).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "ramfs", "ramfs"]).arg(&point);
        assert!(mount.status().unwrap().success());
        Ramfs(point)
    }
}

impl Drop for Ramfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_file_system_that_refuses_direct_io_is_named_where_it_is_demanded_and_passed_over_else() {
    if !is_available(is_root(), "root", "a_file_system_that_refuses_direct_io") {
        return;
    }
    let mirror = mirror();
    let mount = Ramfs::at(mirror.path().join("m"));
    for name in ["large.iso", "large.iso.sig.bin"] {
        fs::copy(mirror.path().join(name), mount.0.join(name)).unwrap();
    }
    let refused = mirror.run(&["-k", "key.pem", "m", "--io", "direct"]);
    let line = "m/large.iso: ❌ Cannot read: its file system does not support direct I/O\n";
    assert_eq!((refused.stdout.as_str(), refused.status), (line, Some(1)));
    assert!(
        refused.stderr.contains("--io auto"),
        "no remedy: {}",
        refused.stderr
    );
    let passed_over = mirror.run(&["-k", "key.pem", "m"]);
    let line = "m/large.iso: ✅ Signature valid\n";
    assert_eq!(
        (passed_over.stdout.as_str(), passed_over.status),
        (line, Some(0))
    );
    assert!(
        !passed_over.stderr.contains("direct"),
        "{}",
        passed_over.stderr
    );
}
