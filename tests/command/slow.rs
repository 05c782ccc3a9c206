//! Slow devices, by what is asked of them: a disk and a share of our own, which note every request.
//!
//! Needs `/dev/fuse` and the right to mount; where either is missing, and it is not CI, the tests
//! say that they are skipped.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::support::device::{Asked, Device, Disk, Speed, write_image};
use crate::support::{Mirror, bytes, fuse, is_available, is_root, wait_until};

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
    let mirror = mirror(&[17 * MIB; 3]);
    let device = share(&mirror);
    // Not one byte of it comes, so that it cannot be hashed.
    device.hold(&[0]);
    let mut command = mirror.command(&["-k", "key.pem", "m"]);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let child = command.spawn().unwrap();
    wait_until("the last file is read", || {
        device.asked().iter().any(|asked| asked.file == 4)
    });
    device.let_go();
    let output = child.wait_with_output().unwrap();
    all_are_valid(&String::from_utf8(output.stdout).unwrap(), 3);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn small_files_of_a_share_are_read_beside_four_that_do_not_come() {
    if !fuse::is_here("small_files_of_a_share_are_read_beside_four") {
        return;
    }
    let sizes = [300_000; 9];
    let mirror = mirror(&sizes);
    let device = share(&mirror);
    device.hold(&[0, 2, 4, 6]);
    let mut command = mirror.command(&["-k", "key.pem", "m"]);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let child = command.spawn().unwrap();
    wait_until("the last file is read", || {
        device.asked().iter().any(|asked| asked.file == 16)
    });
    device.let_go();
    let output = child.wait_with_output().unwrap();
    all_are_valid(&String::from_utf8(output.stdout).unwrap(), sizes.len());
    assert_eq!(output.status.code(), Some(0));
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
