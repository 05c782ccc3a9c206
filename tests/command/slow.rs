//! Slow devices, by what is asked of them: a disk and a share of our own, which note every request.
//!
//! Needs `/dev/fuse` and the right to mount; where either is missing, and it is not CI, the tests
//! say that they are skipped.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::support::device::{Asked, Device, Disk, Speed, write_image};
use crate::support::{Mirror, Run, bytes, fuse, is_available, is_root, wait_until};

const MIB: usize = 1024 * 1024;

/// A mirror whose artifacts are in the folder `d`, and its key beside that.
fn mirror(sizes: &[usize]) -> Mirror {
    let mirror = Mirror::new();
    fs::create_dir(mirror.path().join("d")).unwrap();
    for (number, size) in sizes.iter().enumerate() {
        let content = bytes(*size, number as u8);
        let name = format!("d/{number}");
        mirror.write_signed(
            &format!("{name}.iso"),
            &format!("{name}.iso.sig.bin"),
            &content,
        );
    }
    mirror
}

fn share(mirror: &Mirror) -> Device {
    let path = |name: &str| mirror.path().join(name);
    Device::mount(&path("d"), &path("m"), Speed::default())
}

fn all_are_valid(stdout: &str, artifacts: usize) {
    let lines: Vec<String> = (0..artifacts)
        .map(|number| format!("m/{number}.iso: ✅ Signature valid\n"))
        .collect();
    assert_eq!(stdout, lines.concat());
}

#[test]
fn large_files_of_a_share_are_read_in_the_order_of_the_paths_each_to_its_end() {
    if !fuse::is_here("large_files_of_a_share_are_read_in_the_order") {
        return;
    }
    // None is read beside another one.
    let sizes = [17 * MIB, 20 * MIB, 16 * MIB + 1, 17 * MIB + 77];
    let mirror = mirror(&sizes);
    let device = share(&mirror);
    all_are_valid(&mirror.run(&["-k", "key.pem", "m"]).stdout, sizes.len());
    // Every second one is a signature.
    let of_data = |asked: &Asked| asked.file.is_multiple_of(2);
    let asked: Vec<Asked> = device.asked().into_iter().filter(of_data).collect();
    let is_in_order = |two: &[Asked]| (two[0].file, two[0].offset) < (two[1].file, two[1].offset);
    assert!(asked.windows(2).all(is_in_order), "{asked:?}");
    let bytes: u64 = asked.iter().map(|asked| asked.size).sum();
    assert_eq!(bytes, sizes.iter().sum::<usize>() as u64);
}

#[test]
fn the_next_file_of_a_share_is_read_while_the_bytes_of_the_one_before_are_on_their_way() {
    if !fuse::is_here("the_next_file_of_a_share_is_read") {
        return;
    }
    // Not one byte of it comes, so that it cannot be hashed.
    assert_the_last_is_read_beside(&[0], &[17 * MIB; 3]);
}

#[test]
fn small_files_of_a_share_are_read_beside_four_that_do_not_come() {
    if !fuse::is_here("small_files_of_a_share_are_read_beside_four") {
        return;
    }
    assert_the_last_is_read_beside(&[0, 2, 4, 6], &[300_000; 9]);
}

/// Asserts that the last artifact of a share is read while no bytes of the `held` files come, and
/// that all are valid once these do.
fn assert_the_last_is_read_beside(held: &[usize], sizes: &[usize]) {
    let mirror = mirror(sizes);
    let device = share(&mirror);
    device.hold(held);
    let mut command = mirror.command(&["-k", "key.pem", "-v", "m"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    wait_until("the last file is read", || {
        let last = 2 * (sizes.len() - 1);
        device.asked().iter().any(|asked| asked.file == last)
    });
    device.let_go();
    let run = Run::from(child.wait_with_output().unwrap());
    let how =
        "note: network share: one file at a time, small ones up to 4, in the order of the paths\n";
    assert!(run.stderr.contains(how), "{}", run.stderr);
    let lines = run
        .stdout
        .lines()
        .map(|line| line.split(" (").next().unwrap());
    let lines: Vec<String> = lines.map(|line| format!("{line}\n")).collect();
    all_are_valid(&lines.concat(), sizes.len());
    assert_eq!(run.status, Some(0));
}

#[test]
fn a_disk_need_not_go_back_and_forth_over_one_file() {
    let here = ["/dev/fuse", "/dev/loop-control", "/usr/sbin/mkfs.ext4"];
    let here = here.iter().all(|path| Path::new(path).exists()) && is_root();
    if !is_available(
        here,
        "loop devices, mkfs.ext4 and root",
        "a_disk_need_not_go_back",
    ) {
        return;
    }
    let size = 64 * MIB;
    let mirror = mirror(&[size]);
    write_image(&mirror, size as u64);
    let disk = Disk::mount(&mirror, Speed::default(), 1280);
    all_are_valid(&mirror.run(&["-k", "key.pem", "m"]).stdout, 1);
    let asked = disk.device().asked();
    assert!(asked.iter().map(|asked| asked.size).sum::<u64>() >= size as u64);
    // Requests that are close may change places.
    let goes_back = |two: &&[Asked]| two[1].offset + (MIB as u64) < two[0].offset;
    let back = asked.windows(2).filter(goes_back).count();
    assert!(back < size / (8 * MIB), "{back} times: {asked:?}");
}
