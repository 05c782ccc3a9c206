//! What a user names that is no regular file: pipes for keys and signatures, block devices for
//! artifacts.
//!
//! Devices need loop devices and root; where one is missing, and it is not CI, their tests say that
//! they are skipped.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use crate::support::{
    Mirror, PINNED, Run, bytes, is_available, is_here, is_root, openssl_is_here, sign,
};

const FINGERPRINT: &str = PINNED[3];

/// What begins as its name says, so that nothing is said of it.
const ALPHA: &[u8] = b"\x28\xb5\x2f\xfdalpha";

/// Runs a line of bash, in which `$V` is the command.
fn bash(mirror: &Mirror, line: &str) -> Run {
    let mut command = Command::new("timeout");
    command
        .args(["60", "bash", "-c", line])
        .env("V", crate::support::COMMAND)
        .env_remove("PUBKEY")
        .current_dir(mirror.path());
    Run::of(command)
}

fn signed() -> Mirror {
    let mirror = Mirror::new();
    mirror.write_signed("m/x.zst", "x.sig", ALPHA);
    mirror.write("m/y.zst", b"\x28\xb5\x2f\xfdbeta");
    let base64 = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        sign(&mirror.key, ALPHA),
    );
    mirror.write("x.base64", base64);
    mirror
}

const VALID: &str = "m/x.zst: ✅ Signature valid\n";

#[test]
fn pipes_serve_as_signature_and_as_key_wherever_the_user_names_one() {
    if !is_here("bash", "pipes serve as signature and as key") {
        return;
    }
    let mirror = signed();
    for line in [
        "$V -k key.pem -s <(base64 -d x.base64) m/x.zst",
        "base64 -d x.base64 | $V -k key.pem -s /dev/stdin m/x.zst",
        "$V -k key.pem -s <(cat x.base64) m/x.zst",
        "$V -k key.pem -s /dev/stdin m/x.zst <x.sig",
        "$V -k <(cat key.pem) -s x.sig m/x.zst",
        "$V -k <(openssl pkey -pubin -in key.pem -outform DER 2>/dev/null || cat key.pem) -s <(cat x.sig) m/x.zst",
        "PUBKEY=<(cat key.pem) $V -s x.sig m/x.zst",
        "PUBKEY=/dev/stdin $V -s x.sig m/x.zst <key.pem",
        "mkfifo f; cat x.sig >f & $V -k key.pem -s f m/x.zst; rm f",
        // Slowly, and in two pieces.
        "$V -k key.pem -s <(head -c 20 x.sig; sleep 0.2; tail -c +21 x.sig) m/x.zst",
    ] {
        let run = bash(&mirror, line);
        assert_eq!(
            (run.stdout.as_str(), run.status),
            (VALID, Some(0)),
            "{line}\n{}",
            run.stderr
        );
    }
}

#[test]
fn a_pipe_is_read_once_and_no_further_than_needed_to_identify_it() {
    if !is_here("bash", "a pipe is read once") {
        return;
    }
    let mirror = signed();
    let detail = |line: &str| {
        let run = bash(&mirror, line);
        assert_eq!(run.status, Some(1), "{line}\n{}", run.stderr);
        run.stdout
    };
    let invalid = |reason: &str| format!("m/x.zst: ❌ Signature invalid ({reason})\n");
    let endless = detail("tr '\\0' x </dev/zero | $V -k key.pem -v -s /dev/stdin m/x.zst");
    let long = "/dev/stdin: the signature file is longer than the 72 bytes that a P-256 signature has at most";
    assert!(endless.contains(long), "{endless}");
    let zeros = detail("$V -k key.pem -v -s /dev/zero m/x.zst");
    assert!(
        zeros.contains("/dev/zero: the signature file is all zeros"),
        "{zeros}"
    );
    let empty = detail("$V -k key.pem -v -s /dev/null m/x.zst");
    assert_eq!(empty, invalid("/dev/null: the signature file is empty"));
    let other = detail("$V -k key.pem -s <(cat x.sig) m/y.zst");
    assert_eq!(other, "m/y.zst: ❌ Signature invalid\n");
    let key = bash(
        &mirror,
        "tr '\\0' x </dev/zero | $V -k /dev/stdin -s x.sig m/x.zst",
    );
    assert_eq!(key.status, Some(2));
    assert!(
        key.stderr
            .contains("/dev/stdin: more than 64 KiB, too long for a key"),
        "{}",
        key.stderr
    );
}

#[test]
fn pins_warnings_and_reports_are_the_same_with_a_pipe() {
    if !is_here(
        "bash",
        "pins, warnings and reports are the same with a pipe",
    ) {
        return;
    }
    let mirror = signed();
    let pinned = format!("$V -k <(cat key.pem) --key-fingerprint {FINGERPRINT} -s x.sig m/x.zst");
    assert_eq!(bash(&mirror, &pinned).status, Some(0));
    let zeros = "0".repeat(64);
    let other = format!("$V -k <(cat key.pem) --key-fingerprint {zeros} -s x.sig m/x.zst");
    let refused = bash(&mirror, &other);
    assert_eq!(refused.status, Some(2));
    assert!(
        refused
            .stderr
            .contains("which --key-fingerprint does not list"),
        "{}",
        refused.stderr
    );
    let outside = bash(&mirror, "$V -k <(cat key.pem) -s x.sig m/x.zst");
    assert!(
        !outside.stderr.contains("this key is inside the tree"),
        "{}",
        outside.stderr
    );
    let inside = bash(
        &mirror,
        "mkfifo m/k.pem; cat key.pem >m/k.pem & $V -k m/k.pem -s <(cat x.sig) m/x.zst --report r.json; rm m/k.pem",
    );
    assert!(
        inside
            .stderr
            .contains("m/k.pem: this key is inside the tree"),
        "{}",
        inside.stderr
    );
    let report = fs::read_to_string(mirror.path().join("r.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["artifacts"][0]["status"], "valid");
    assert_eq!(
        report["artifacts"][0]["signature"],
        report["start"]["options"]["signature"]
    );
}

#[test]
fn what_a_walk_finds_is_never_waited_for_and_other_kinds_are_refused() {
    if !is_here("bash", "what a walk finds is never waited for") {
        return;
    }
    let mirror = signed();
    let walked = bash(
        &mirror,
        "mkfifo m/x.sig.bin; $V -k key.pem m/x.zst; s=$?; rm m/x.sig.bin; exit $s",
    );
    assert_eq!(walked.stdout, "m/x.zst: ❌ Not a regular file\n");
    assert_eq!(walked.status, Some(1));
    for (line, words) in [
        (
            "$V -k key.pem -s m m/x.zst",
            "m: the signature is neither a regular file nor a pipe\n",
        ),
        (
            "$V -k key.pem -s x.sig --length 5 m/x.zst",
            "--length applies to block devices only, and m/x.zst is not one\nhelp: leave it out: a file is always hashed whole\n",
        ),
        (
            "$V -k key.pem -s x.sig --length 5 /dev/zero",
            "--length applies to block devices only, and /dev/zero is not one",
        ),
    ] {
        let run = bash(&mirror, line);
        assert_eq!((run.stdout.as_str(), run.status), ("", Some(2)), "{line}");
        assert!(run.stderr.contains(words), "{line}\n{}", run.stderr);
    }
    for (line, expected) in [
        (
            "$V -k key.pem -s x.sig /dev/zero",
            "/dev/zero: ❌ Not a regular file\n",
        ),
        (
            "mkfifo d; $V -k key.pem -s <(cat x.sig) d; rm d",
            "d: ❌ Not a regular file\n",
        ),
    ] {
        assert_eq!(bash(&mirror, line).stdout, expected, "{line}");
    }
    for line in [
        "$V -k key.pem --length 5 m",
        "$V -k key.pem -s x.sig --length 0 m/x.zst",
        "$V -k key.pem -s x.sig --length 5k m/x.zst",
    ] {
        assert_eq!(bash(&mirror, line).status, Some(2), "{line}");
    }
}

/// A loop device over a file; gone with the value.
struct Device(String);

impl Device {
    fn over(image: &Path) -> Device {
        Device::of_sectors(512, image).unwrap()
    }

    /// `None` if the system has no devices of such sectors.
    fn of_sectors(bytes: u32, image: &Path) -> Option<Device> {
        let output = Command::new("losetup")
            .args(["--find", "--show", "--sector-size", &bytes.to_string()])
            .arg(image)
            .output()
            .unwrap();
        let name = String::from_utf8(output.stdout).unwrap();
        output
            .status
            .success()
            .then(|| Device(name.trim().to_owned()))
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        let _ = Command::new("losetup").args(["--detach", &self.0]).status();
    }
}

fn devices_are_here(test: &str) -> bool {
    let here = Path::new("/dev/loop-control").exists() && is_root();
    is_available(here, "a loop device and root", test) && is_here("losetup", test)
}

const MIB: u64 = 1024 * 1024;
/// Bytes of the image, which is neither a multiple of a window nor of a map.
const IMAGE: u64 = 9 * MIB + 2048;
/// Bytes of the stick that it is written to.
const STICK: u64 = 16 * MIB;

/// An image that says its size in `blocks` of 2048 bytes, and junk of what was on the stick before
/// behind it.
fn stick(mirror: &Mirror, blocks: u64) -> Vec<u8> {
    let mut content = bytes(usize::try_from(STICK).unwrap(), 1);
    let descriptor = &mut content[16 * 2048..17 * 2048];
    descriptor.fill(0);
    descriptor[..7].copy_from_slice(b"\x01CD001\x01");
    let blocks = u32::try_from(blocks).unwrap();
    descriptor[80..84].copy_from_slice(&blocks.to_le_bytes());
    descriptor[84..88].copy_from_slice(&blocks.to_be_bytes());
    descriptor[128..132].copy_from_slice(&[0, 8, 8, 0]);
    mirror.write("stick", &content);
    content.truncate(usize::try_from(IMAGE).unwrap());
    content
}

fn ways() -> impl Iterator<Item = [&'static str; 4]> {
    let ways = ["auto", "mmap", "read", "direct"].into_iter();
    ways.flat_map(|io| ["1", "2"].map(|jobs| ["--io", io, "--jobs", jobs]))
}

#[test]
fn a_device_of_large_sectors_is_read_in_every_way_to_any_length() {
    let test = "a device of large sectors is read";
    if !devices_are_here(test) {
        return;
    }
    let mirror = Mirror::new();
    let image = stick(&mirror, 0);
    // Linux before 6.15 has none larger than a page.
    let of_sectors = |bytes| Device::of_sectors(bytes, &mirror.path().join("stick"));
    let sizes = [65_536, 16_384, 4096];
    let device = sizes.into_iter().find_map(of_sectors).unwrap();
    for length in [1, 4095, 4096, 65_537, image.len() - 1, image.len()] {
        mirror.write("image.sig", sign(&mirror.key, &image[..length]));
        let length = length.to_string();
        let named = ["-k", "key.pem", "-s", "image.sig", "--length", &length];
        for way in ways() {
            let run = mirror.run(&[&named[..], &way[..], &[&device.0]].concat());
            let valid = format!("{}: ✅ Signature valid\n", device.0);
            assert_eq!(
                (run.stdout.as_str(), run.status),
                (valid.as_str(), Some(0)),
                "{way:?} {length}: {}",
                run.stderr
            );
        }
    }
}

#[test]
fn a_written_stick_is_hashed_for_the_size_that_its_image_names_or_the_user() {
    let test = "a written stick is hashed for its size";
    if !devices_are_here(test) || !openssl_is_here(test) {
        return;
    }
    let mirror = Mirror::new();
    let image = stick(&mirror, IMAGE / 2048);
    mirror.write("image.sig", sign(&mirror.key, &image));
    let device = Device::over(&mirror.path().join("stick"));
    // The oracle, on what head(1) reads of the device.
    let line = format!(
        "head -c {IMAGE} {} >head && openssl dgst -sha256 -verify key.pem -signature image.sig head",
        device.0
    );
    assert_eq!(bash(&mirror, &line).status, Some(0));
    let valid = format!("{}: ✅ Signature valid\n", device.0);
    let length = IMAGE.to_string();
    for way in ways() {
        for asked in [&[][..], &["--length", &length]] {
            let arguments = [
                &["-k", "key.pem", "-s", "image.sig"],
                &way[..],
                asked,
                &[&device.0],
            ]
            .concat();
            let run = mirror.run(&arguments);
            assert_eq!(
                (run.stdout.as_str(), run.status),
                (valid.as_str(), Some(0)),
                "{way:?} {}",
                run.stderr
            );
            let says_so = run.stderr.contains(&format!("hashing its first {IMAGE} bytes, the size that its ISO 9660 volume descriptor names"));
            assert_eq!(says_so, asked.is_empty(), "{}", run.stderr);
        }
        for other in [IMAGE - 1, IMAGE + 1, STICK].map(|n| n.to_string()) {
            let arguments = [
                &["-k", "key.pem", "-s", "image.sig", "--length", &other],
                &way[..],
                &[&device.0],
            ]
            .concat();
            let run = mirror.run(&arguments);
            assert_eq!(
                run.stdout,
                format!("{}: ❌ Signature invalid\n", device.0),
                "{other}"
            );
        }
    }
    let report = mirror.run(&[
        "-k",
        "key.pem",
        "-s",
        "image.sig",
        "--format",
        "jsonl",
        &device.0,
    ]);
    assert!(
        report.stdout.contains(&format!("\"size\":{IMAGE},")),
        "{}",
        report.stdout
    );
    // Without --signature it stays what it was.
    let alone = mirror.run(&["-k", "key.pem", &device.0]);
    assert_eq!(
        alone.stdout,
        format!("{}: ❌ Not a regular file\n", device.0)
    );
}

#[test]
fn a_hybrid_image_that_is_longer_than_it_says_is_verified_with_its_length() {
    if !devices_are_here("a hybrid image that is longer than it says") {
        return;
    }
    let mirror = Mirror::new();
    let image = stick(&mirror, 1000);
    mirror.write("image.sig", sign(&mirror.key, &image));
    let device = Device::over(&mirror.path().join("stick"));
    let run = mirror.run(&["-k", "key.pem", "-s", "image.sig", &device.0]);
    assert_eq!(run.status, Some(1));
    assert!(run.stderr.contains("\nhelp: if the signature does not fit, the image may be longer: give its size with --length BYTES\n"), "{}", run.stderr);
    let run = mirror.run(&[
        "-k",
        "key.pem",
        "-s",
        "image.sig",
        "--length",
        &IMAGE.to_string(),
        &device.0,
    ]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
}

#[test]
fn a_length_that_a_device_does_not_have_or_report_is_refused_before_anything_is_read() {
    if !devices_are_here("a length that a device does not have") {
        return;
    }
    let mirror = Mirror::new();
    stick(&mirror, STICK / 2048 + 1);
    mirror.write("image.sig", sign(&mirror.key, b"x"));
    mirror.write("blank", vec![0; MIB as usize]);
    let (device, blank) = (
        Device::over(&mirror.path().join("stick")),
        Device::over(&mirror.path().join("blank")),
    );
    let beyond = (STICK + 1).to_string();
    for (arguments, words) in [
        (
            vec![device.0.as_str()],
            format!(
                "{}: the device has {STICK} bytes, fewer than the {} that its ISO 9660 volume descriptor names: the image was not written whole",
                device.0,
                STICK + 2048
            ),
        ),
        (
            vec!["--length", &beyond, &device.0],
            format!(
                "{}: the device has {STICK} bytes, fewer than the {beyond} that --length names",
                device.0
            ),
        ),
        (
            vec![blank.0.as_str()],
            format!(
                "{}: the device has no valid ISO 9660 volume descriptor to give the image's size\nhelp: give the size with --length BYTES\n",
                blank.0
            ),
        ),
    ] {
        let run = mirror.run(&[&["-k", "key.pem", "-s", "image.sig"], &arguments[..]].concat());
        assert_eq!(
            (run.stdout.as_str(), run.status),
            ("", Some(2)),
            "{arguments:?}"
        );
        assert!(run.stderr.contains(&words), "{}", run.stderr);
    }
}

#[test]
fn a_stick_whose_end_is_gone_cannot_be_read_and_is_never_valid() {
    if !devices_are_here("a stick whose end is gone") {
        return;
    }
    let mirror = Mirror::new();
    let image = stick(&mirror, IMAGE / 2048);
    mirror.write("image.sig", sign(&mirror.key, &image));
    for way in ways() {
        let file = File::options()
            .write(true)
            .open(mirror.path().join("stick"))
            .unwrap();
        file.set_len(STICK).unwrap();
        file.write_all_at(&image, 0).unwrap();
        let device = Device::over(&mirror.path().join("stick"));
        // The device keeps its size, and the system fails to bring its end in.
        file.set_len(4 * MIB).unwrap();
        let run = mirror.run(
            &[
                &["-k", "key.pem", "-s", "image.sig"],
                &way[..],
                &[&device.0],
            ]
            .concat(),
        );
        assert_eq!(
            run.stdout,
            format!("{}: ❌ Cannot read: Input/output error\n", device.0),
            "{way:?} {}",
            run.stderr
        );
        assert_eq!(run.status, Some(1));
    }
}

#[test]
fn a_report_may_come_through_a_pipe_and_nothing_that_has_no_end_is_read_to_it() {
    if !is_here("bash", "a report may come through a pipe") {
        return;
    }
    let mirror = signed();
    fs::copy(
        mirror.path().join("x.sig"),
        mirror.path().join("m/x.zst.sig.bin"),
    )
    .unwrap();
    fs::remove_file(mirror.path().join("m/y.zst")).unwrap();
    assert_eq!(
        bash(&mirror, "$V -k key.pem m --report r.json").status,
        Some(0)
    );
    for line in [
        "$V -k key.pem m --baseline <(cat r.json)",
        "$V -k key.pem m --baseline /dev/stdin <r.json",
        "$V --compare <(cat r.json) r.json",
        "cat r.json | $V --compare r.json /dev/stdin",
        "mkfifo f; (sleep 0.2; cat r.json >f) & $V --compare f r.json; s=$?; rm f; exit $s",
    ] {
        let run = bash(&mirror, line);
        assert_eq!(run.status, Some(0), "{line}\n{}", run.stderr);
    }
    let no_end = "neither a regular file nor a pipe";
    let too_long = "longer than 4 GiB, which no report is";
    let other = "no JSON report (--report FILE.json) of this program";
    for (line, words) in [
        ("$V -k key.pem m --baseline /dev/zero", no_end),
        ("$V --compare r.json /dev/zero", no_end),
        ("$V --compare /dev/null r.json", no_end),
        ("$V -k key.pem m --baseline m", "Is a directory"),
        (
            "truncate -s 4294967297 long.json; $V --compare r.json long.json",
            too_long,
        ),
        (
            "truncate -s 1T longer.json; $V -k key.pem m --baseline longer.json",
            too_long,
        ),
        (
            "tr '\\0' x </dev/zero | $V --compare r.json /dev/stdin",
            other,
        ),
        ("yes | $V -k key.pem m --baseline /dev/stdin", other),
        ("true | $V -k key.pem m --baseline /dev/stdin", other),
        // As much as the limit on memory allows.
        (
            "ulimit -v 200000; (echo {; yes) | $V --compare r.json /dev/stdin",
            "Cannot allocate memory",
        ),
    ] {
        let run = bash(&mirror, line);
        assert_eq!(run.status, Some(2), "{line}\n{}", run.stderr);
        assert!(run.stderr.contains(words), "{line}\n{}", run.stderr);
    }
}
