//! `-` as PATH: standard input, verified against one signature.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::bundles::{Image, Layout, zstd};
use crate::support::{
    Mirror, PINNED, Run, bytes, end_of, is_here, openssl_is_here, openssl_verifies, send,
    wait_until,
};

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

/// A data file of a few chunks that no common size divides, and its signature. And a file named
/// `-`, which is not read.
fn signed() -> Mirror {
    let mirror = Mirror::new();
    let data = bytes(1_000_003, 0);
    mirror.write_signed("x", "x.sig", &data);
    mirror.write("-", "something else");
    mirror
}

const VALID: &str = "-: ✅ Signature valid\n";
const INVALID: &str = "-: ❌ Signature invalid\n";

#[test]
fn standard_input_is_verified_however_it_comes() {
    if !is_here("bash", "standard input is verified however it comes") {
        return;
    }
    let mirror = signed();
    for line in [
        "cat x | $V -k key.pem -s x.sig -",
        "cat x | $V -k key.pem -s x.sig -- -",
        "cat x | $V -k key.pem -s <(cat x.sig) -",
        "cat x | $V -k key.pem -s x.sig - --jobs 1 --io read",
        "cat x | $V -k <(cat key.pem) -s x.sig - --progress always",
        "$V -k key.pem -s x.sig - <x",
        "$V -k key.pem -s x.sig - --jobs 1 <x",
        "$V -k key.pem -s x.sig - < <(cat x)",
        "mkfifo f; cat x >f & $V -k key.pem -s x.sig - <f; s=$?; rm f; exit $s",
        // Slowly, and in pieces of no whole blocks.
        "(head -c 100 x; sleep 0.2; tail -c +101 x | head -c 70001; sleep 0.2; tail -c +70102 x) | $V -k key.pem -s x.sig -",
        // A file in which somebody has read on.
        "(cat key.pem x) >both; exec <both; head -c $(stat -c %s key.pem) | cmp - key.pem && $V -k key.pem -s x.sig -",
    ] {
        let run = bash(&mirror, line);
        let expected = (VALID, Some(0));
        assert_eq!(
            (run.stdout.as_str(), run.status),
            expected,
            "{line}\n{}",
            run.stderr
        );
        assert!(!run.stderr.contains("inside the tree"), "{}", run.stderr);
    }
}

#[test]
fn a_stream_that_is_shorter_longer_or_other_than_what_was_signed_is_not_valid() {
    if !is_here("bash", "a stream that is shorter, longer or other") {
        return;
    }
    let mirror = signed();
    for line in [
        "head -c -1 x | $V -k key.pem -s x.sig -",
        "(cat x; echo) | $V -k key.pem -s x.sig -",
        "tr '\\1' '\\2' <x | $V -k key.pem -s x.sig -",
        "(head -c 1; $V -k key.pem -s x.sig -) <x >out; tail -c +2 out",
        "true | $V -k key.pem -s x.sig -",
        // A writer that dies on the way.
        "(head -c 300000 x; kill -9 $BASHPID) | $V -k key.pem -s x.sig -",
        "cat - <x | $V -k key.pem -s x -",
    ] {
        let run = bash(&mirror, line);
        assert_eq!(run.stdout, INVALID, "{line}\n{}", run.stderr);
    }
    let run = bash(&mirror, "true | $V -k key.pem -v -s x.sig -");
    assert!(
        run.stdout.contains("the data file is empty"),
        "{}",
        run.stdout
    );
    assert_eq!(run.status, Some(1));
}

#[test]
fn openssl_agrees_on_streams_of_every_length_around_blocks_and_chunks() {
    if !is_here("bash", "openssl agrees on streams")
        || !openssl_is_here("openssl agrees on streams")
    {
        return;
    }
    let mirror = Mirror::new();
    let at = |path: &str| mirror.path().join(path);
    for length in [
        0, 1, 55, 56, 63, 64, 65, 119, 262_143, 262_144, 262_145, 524_288, 524_300,
    ] {
        let data = bytes(length, 0);
        mirror.write_signed("x", "x.sig", &data);
        assert!(openssl_verifies(&at("key.pem"), &at("x.sig"), &at("x")));
        let run = bash(&mirror, "cat x | $V -k key.pem -s x.sig -");
        assert_eq!(
            (run.stdout.as_str(), run.status),
            (VALID, Some(0)),
            "{length}"
        );
    }
}

#[test]
fn what_cannot_be_the_artifact_of_a_run_is_refused_with_what_to_do() {
    if !is_here("bash", "what cannot be the artifact of a run") {
        return;
    }
    let mirror = signed();
    fs::create_dir(mirror.path().join("d")).unwrap();
    let nothing = "-: standard input is closed, or a device such as /dev/null\nhelp: pipe the file into this command, or name it";
    let named = "it names files, and standard input has no name\nhelp: write another report, such as .json, or verify the file by its name";
    let twice = "this is standard input, which is to be verified\nhelp: name a file, or a pipe of its own: <(COMMAND)";
    for (line, error) in [
        (
            "cat x | $V -k key.pem -",
            "-: standard input is verified against one signature, and --signature is not given\nhelp: add --signature FILE; a file or a directory that is called - is ./-",
        ),
        (
            "cat x | $V -k key.pem x -",
            "-: standard input is verified against one signature, and --signature is not given\nhelp: add --signature FILE; a file or a directory that is called - is ./-",
        ),
        (
            "cat x | $V -k key.pem -s x.sig - x",
            "--signature needs exactly one PATH: the data file that it signs\nhelp: leave --signature out to verify directories",
        ),
        ("$V -k key.pem -s x.sig - <&-", nothing),
        ("$V -k key.pem -s x.sig - </dev/null", nothing),
        ("$V -k key.pem -s x.sig - </dev/zero", nothing),
        (
            "$V -k key.pem -s x.sig - <d",
            "-: standard input is a directory\nhelp: name the directory, and leave --signature out",
        ),
        (
            "cat x | $V -k key.pem -s x.sig - --io mmap",
            "--io mmap does not apply to standard input\nhelp: leave --io out",
        ),
        (
            "cat x | $V -k key.pem -s x.sig - --io direct",
            "--io direct does not apply to standard input\nhelp: leave --io out",
        ),
        (
            "cat x | $V -k key.pem -s x.sig - --length 5",
            "--length applies to block devices only, and - is not one\nhelp: leave it out: a file is always hashed whole",
        ),
        (
            "cat x | $V -k key.pem -s x.sig - --baseline none.json",
            "--baseline compares files by their paths, and standard input has none\nhelp: leave it out",
        ),
        (
            "cat x | $V -k key.pem -s x.sig - --report r.json --report SHA256SUMS",
            &format!("--report SHA256SUMS: {named}"),
        ),
        (
            "cat x | $V -k key.pem -s x.sig - --report r.intoto.jsonl",
            &format!("--report r.intoto.jsonl: {named}"),
        ),
        (
            "cat x | $V -k key.pem -s /dev/stdin -",
            &format!("/dev/stdin: {twice}"),
        ),
        (
            "$V -k key.pem -s x.sig - <x.sig",
            &format!("x.sig: {twice}"),
        ),
        (
            "cat x | $V -k /dev/fd/0 -s x.sig -",
            &format!("/dev/fd/0: {twice}"),
        ),
        (
            "cat x | PUBKEY=/dev/stdin $V -s x.sig -",
            &format!("/dev/stdin: {twice}"),
        ),
        (
            "cat x | $V -k key.pem -s x.sig - --images --image-signatures /dev/stdin",
            &format!("/dev/stdin: {twice}"),
        ),
        (
            "cp x x.json; $V -k key.pem -s x.sig - --report x.json <x.json",
            "x.json: an artifact or a signature of this run; a report there would replace it\nhelp: name another file",
        ),
    ] {
        let run = bash(&mirror, line);
        let expected = Run {
            stdout: String::new(),
            stderr: format!("error: {error}\n"),
            status: Some(2),
        };
        assert_eq!(run, expected, "{line}");
        assert!(!mirror.path().join("r.json").exists());
    }
}

#[test]
fn a_terminal_is_not_waited_for() {
    if !is_here("script", "a terminal is not waited for") {
        return;
    }
    let mirror = signed();
    let run = bash(
        &mirror,
        "script -qec '$V -k key.pem -s x.sig - --color never' /dev/null </dev/null",
    );
    let error = "error: -: standard input is a terminal\r\n";
    assert!(run.stdout.starts_with(error), "{run:?}");
    assert_eq!(run.status, Some(2));
}

#[test]
fn a_file_called_like_standard_input_is_verified_under_another_path() {
    let mirror = Mirror::new();
    mirror.write_signed("-", "x.sig", b"alpha");
    for path in ["./-", mirror.path().join("-").to_str().unwrap()] {
        let run = mirror.run_pinned(&["-s", "x.sig", path]);
        let line = format!("{path}: ✅ Signature valid\n");
        assert_eq!((run.stdout, run.status), (line, Some(0)));
    }
}

#[test]
fn reports_call_it_by_its_path_and_know_its_size() {
    if !is_here("bash", "reports call standard input by its path") {
        return;
    }
    let mirror = signed();
    let run = bash(
        &mirror,
        "cat x | $V -k key.pem -s x.sig - --report r.json --report r.html --report r.xml --report r.csv --report r.prom --report r.oscal.json",
    );
    assert_eq!(
        (run.stdout.as_str(), run.status),
        (VALID, Some(0)),
        "{}",
        run.stderr
    );
    let report = fs::read(mirror.path().join("r.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["start"]["roots"][0]["path"], "-");
    let artifact = &report["artifacts"][0];
    assert_eq!(artifact["path"], "-");
    assert_eq!(artifact["size"], 1_000_003);
    assert_eq!(report["summary"]["bytes"], 1_000_003);
    let page = fs::read_to_string(mirror.path().join("r.html")).unwrap();
    assert!(page.contains("1 – standard input on "));
    // What is not read to its end has no size: this signature fits nothing.
    mirror.write("bad.sig", "no signature");
    let run = bash(
        &mirror,
        "cat x | $V -k key.pem -s bad.sig - --report r.json",
    );
    assert_eq!((run.stdout.as_str(), run.status), (INVALID, Some(1)));
    let report = fs::read(mirror.path().join("r.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["artifacts"][0].get("size"), None);
}

#[test]
fn images_in_a_stream_are_judged_as_in_a_file() {
    let mirror = Mirror::new();
    let mut layout = Layout::default();
    layout.add(
        "docker.io/library/busybox:1.36",
        &Image::new("amd64", &[b"busybox"]),
    );
    let whole = zstd(&layout.tar());
    mirror.write_signed("bundle", "x.sig", &whole);
    let run = |file: &str, option: &str| {
        let mut command = mirror.command(&[&PINNED[..], &["-s", "x.sig", option, "-"]].concat());
        command.stdin(File::open(mirror.path().join(file)).unwrap());
        Run::of(command)
    };
    let image = "docker.io/library/busybox:1.36 (linux/amd64): ⚠️ Image not signed, intact\n";
    let expected = format!("{VALID}- » {image}");
    let found = run("bundle", "--images");
    assert_eq!(
        (found.stdout, found.status),
        (expected, Some(0)),
        "{}",
        found.stderr
    );
    assert_eq!(run("bundle", "--quiet").status, Some(0));
    mirror.write("half", &whole[..whole.len() / 2]);
    let half = run("half", "--images");
    assert!(half.stdout.starts_with(INVALID), "{}", half.stdout);
    assert!(
        half.stdout.contains("- » (contents): ❌ Contents damaged"),
        "{}",
        half.stdout
    );
    assert_eq!(half.status, Some(1));
}

/// Starts the command with a pipe, writes something into it, and keeps it open.
fn waiting(mirror: &Mirror, arguments: &[&str]) -> Child {
    let arguments = [
        &PINNED[..],
        &["-s", "x.sig", "-", "--report", "r.json"],
        arguments,
    ]
    .concat();
    let mut command = mirror.command(&arguments);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .as_mut()
        .unwrap()
        .write_all(&[7; 100_000])
        .unwrap();
    child
}

/// Whether all that was written into its pipe was read, so that it waits for more.
fn has_read_all(child: &Child) -> bool {
    let pipe = child.stdin.as_ref().unwrap();
    rustix::io::ioctl_fionread(pipe).is_ok_and(|left| left == 0)
}

#[test]
fn a_signal_ends_a_run_that_waits_for_the_writer() {
    for arguments in [&[][..], &["--jobs", "1"], &["--images"]] {
        let mirror = signed();
        let mut child = waiting(&mirror, arguments);
        wait_until("all is read", || has_read_all(&child));
        send(&["-INT"], &child);
        // The pipe stays open.
        let pipe = child.stdin.take();
        assert_eq!(end_of(&mut child), Some(130), "{arguments:?}");
        drop(pipe);
        let report = fs::read_to_string(mirror.path().join("r.json")).unwrap();
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let summary = &report["summary"];
        assert_eq!(summary["interrupted"], "SIGINT");
        assert_eq!(summary["complete"], false);
        assert_eq!(summary["exit_status"], 130);
    }
}

#[test]
fn a_pipe_that_is_named_is_not_read_and_a_note_says_how_it_would_be() {
    if !is_here("bash", "a pipe that is named is not read") {
        return;
    }
    let mirror = signed();
    let run = bash(&mirror, "cat x | $V -k key.pem -s x.sig /dev/stdin");
    assert_eq!(run.stdout, "/dev/stdin: ❌ Not a regular file\n");
    assert_eq!(run.status, Some(1));
    let note = "note: /dev/stdin: a pipe, which is not read under a name\nhelp: lead it to standard input, and give - as PATH\n";
    assert!(run.stderr.contains(note), "{}", run.stderr);
}

#[test]
fn a_socket_is_as_good_as_a_pipe() {
    let mirror = signed();
    let whole = fs::read(mirror.path().join("x")).unwrap();
    let (mut ours, its) = UnixStream::pair().unwrap();
    let write = std::thread::spawn(move || ours.write_all(&whole).unwrap());
    let mut command = mirror.command(&[&PINNED[..], &["-s", "x.sig", "-"]].concat());
    command.stdin(Stdio::from(OwnedFd::from(its)));
    let run = Run::of(command);
    write.join().unwrap();
    assert_eq!((run.stdout.as_str(), run.status), (VALID, Some(0)));
}

#[test]
fn a_writer_that_ends_early_has_sent_something_else() {
    let mirror = signed();
    let child = waiting(&mirror, &[]);
    // Its pipe is closed here: what came is all.
    let output = child.wait_with_output().unwrap();
    let run = Run::from(output);
    assert_eq!((run.stdout.as_str(), run.status), (INVALID, Some(1)));
    assert!(Path::new(&mirror.path().join("r.json")).exists());
}
