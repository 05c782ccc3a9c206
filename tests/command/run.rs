//! A run as a process: memory, signals, closed pipes, full disks, progress.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Mirror, PINNED, Run, end_of, send, sign_digest, signing_key};
use rustix::event::{PollFd, PollFlags, Timespec};

const GIB: u64 = 1024 * 1024 * 1024;
/// SHA-256 of 20 GiB of zero bytes: `truncate -s 20G x; openssl dgst -sha256 x`.
const TWENTY_GIB_OF_ZEROS: &str =
    "6cb118a8f8b3c19385874297e291dcbcdf3a9837ba1ca7b00ace2491adbff551";

/// A mirror with one sparse ISO, which costs no disk but is hashed like any other.
fn sparse(size: u64, signature: &[u8]) -> Mirror {
    let mirror = Mirror::new();
    let iso = File::create(mirror.path().join("big.iso")).unwrap();
    iso.set_len(size).unwrap();
    mirror.write("big.iso.sig.bin", signature);
    mirror
}

fn any_signature() -> Vec<u8> {
    sign_digest(&signing_key(1), &[7; 32])
}

/// The greatest resident memory of a process so far, in KiB (proc(5), `VmHWM`).
fn peak_memory(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn peak_memory_of(mut command: Command) -> (u64, Run) {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak_memory(&child).unwrap_or(0).max(peak);
        thread::sleep(Duration::from_millis(2));
    }
    (peak, child.wait_with_output().unwrap().into())
}

fn digest_from_hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn memory_stays_flat_on_a_file_of_one_gibibyte() {
    for io in ["mmap", "read", "direct"] {
        let mirror = sparse(GIB, &any_signature());
        let (peak, run) = peak_memory_of(mirror.command(&["-k", "key.pem", "--io", io]));
        assert_eq!(run.stdout, "big.iso: ❌ Signature invalid\n");
        assert!(0 < peak && peak < 64 * 1024, "{peak} KiB by {io}");
    }
}

#[test]
#[ignore = "hashes 20 GiB; CI runs it"]
fn memory_stays_under_64_mib_on_a_valid_iso_of_20_gib_beside_8_others() {
    let signature = sign_digest(&signing_key(1), &digest_from_hex(TWENTY_GIB_OF_ZEROS));
    let mirror = sparse(20 * GIB, &signature);
    for n in 0..8 {
        let other = File::create(mirror.path().join(format!("other-{n}.iso"))).unwrap();
        other.set_len(GIB / 2).unwrap();
        mirror.write(&format!("other-{n}.sig.bin"), any_signature());
    }
    let (peak, run) = peak_memory_of(mirror.command(&["-k", "key.pem"]));
    assert!(
        run.stdout.starts_with("big.iso: ✅ Signature valid\n"),
        "{}",
        run.stdout
    );
    assert!(run.stderr.contains("1 valid, 8 invalid;"), "{}", run.stderr);
    assert!(0 < peak && peak < 64 * 1024, "{peak} KiB");
}

#[test]
fn a_signature_file_of_10_gb_costs_nothing() {
    let mirror = Mirror::new();
    mirror.write("x.zst", b"x");
    let signature = File::create(mirror.path().join("x.sig.bin")).unwrap();
    signature.set_len(10_000_000_000).unwrap();
    // With 1 GB of addresses, a run that reads or maps it ends badly.
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -v 1000000; exec \"$0\" -k key.pem"])
        .arg(crate::support::COMMAND)
        .current_dir(mirror.path());
    let run = Run::of(command);
    assert_eq!(run.stdout, "x.zst: ❌ Signature invalid\n");
    assert!(run.stderr.contains("1 invalid; 0 B in "), "{}", run.stderr);
}

fn spawn(mut command: Command) -> Child {
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until the pipe has so much in it that a writer waits for its reader.
fn wait_until_full(pipe: &impl AsRawFd) {
    // A writer's end of it, which knows.
    let path = format!("/proc/self/fd/{}", pipe.as_raw_fd());
    let writer = File::options().write(true).open(path).unwrap();
    let now = Timespec::default();
    crate::support::wait_until("a pipe is full", || {
        let mut ends = [PollFd::new(&writer, PollFlags::OUT)];
        rustix::event::poll(&mut ends, Some(&now)).unwrap() == 0
    });
}

#[test]
fn a_signal_is_answered_while_the_lines_are_not_read() {
    let mirror = Mirror::new();
    for n in 0..3000 {
        mirror.write(&format!("a-rather-long-name-{n:04}.zst"), "");
    }
    for (signal, status) in [("-HUP", 129), ("-INT", 130), ("-TERM", 143)] {
        let mut child = spawn(mirror.command(&["-k", "key.pem"]));
        let mut stdout = child.stdout.take().unwrap();
        wait_until_full(&stdout);
        send(&[signal], &child);
        assert_eq!(end_of(&mut child), Some(status));
        // What comes last may be the half of a character.
        let mut lines = Vec::new();
        stdout.read_to_end(&mut lines).unwrap();
        let lines = String::from_utf8_lossy(&lines);
        assert!(lines.starts_with("a-rather-long-name-0000.zst: ❌ Signature file not found\n"));
        let mut stderr = String::new();
        child.stderr.unwrap().read_to_string(&mut stderr).unwrap();
        assert!(
            stderr.contains(" 3000 without signature file; "),
            "{stderr}"
        );
        let lines = "standard output: nobody reads it, and the run was ended";
        assert!(stderr.contains(lines), "{stderr}");
    }
}

/// A mirror of which there is more to say, under `--verbose`, than a pipe takes: links to a
/// directory that is not part of it.
fn mirror_with_many_messages() -> Mirror {
    let mirror = Mirror::new();
    // Were each message waited for by itself, which takes 20 ms, the run would hang by what tests
    // call that.
    for n in 0..10_000 {
        let link = mirror.path().join(format!("a-rather-long-name-{n:05}"));
        std::os::unix::fs::symlink("/", link).unwrap();
    }
    mirror.write_signed("x.zst", "x.sig.bin", b"alpha");
    mirror
}

#[test]
fn a_signal_is_answered_while_the_messages_are_not_read() {
    let mirror = mirror_with_many_messages();
    for (signal, status) in [("-INT", 130), ("-TERM", 143)] {
        let mut child = spawn(mirror.command(&["-k", "key.pem", "--verbose"]));
        // Its messages about the links are not read.
        let stderr = child.stderr.take().unwrap();
        wait_until_full(&stderr);
        send(&[signal], &child);
        assert_eq!(end_of(&mut child), Some(status));
    }
}

#[test]
fn a_signal_is_answered_while_the_one_pipe_of_lines_and_messages_is_not_read() {
    let mirror = Mirror::new();
    for n in 0..3000 {
        mirror.write(&format!("a-rather-long-name-{n:04}.zst"), "");
    }
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = mirror.command(&["-k", "key.pem"]);
    command.stdout(writer.try_clone().unwrap()).stderr(writer);
    let mut child = command.spawn().unwrap();
    wait_until_full(&reader);
    send(&["-INT"], &child);
    assert_eq!(end_of(&mut child), Some(130));
}

#[test]
fn a_signal_that_is_ignored_from_the_start_stays_ignored() {
    for (signal, number) in [("INT", 2), ("HUP", 1)] {
        let mirror = sparse(200 * GIB, &any_signature());
        let program = crate::support::COMMAND;
        let mut shell = Command::new("sh");
        let script = "trap '' \"$1\"; exec \"$0\" -k key.pem --progress never";
        shell
            .args(["-c", script, program, signal])
            .current_dir(mirror.path());
        let mut child = spawn(shell);
        wait_until_open(&child, &mirror.path().join("big.iso"));
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = u64::from_str_radix(ignored.unwrap().trim(), 16).unwrap();
        assert_eq!(ignored >> (number - 1) & 1, 1, "{status}");
        send(&[&format!("-{signal}")], &child);
        send(&["-TERM"], &child);
        assert_eq!(end_of(&mut child), Some(143));
    }
}

#[test]
fn the_two_hangups_of_a_closed_terminal_are_one_signal() {
    let mirror = sparse(200 * GIB, &any_signature());
    let mut child = spawn(mirror.command(&["-k", "key.pem", "--report", "r.json"]));
    wait_until_open(&child, &mirror.path().join("big.iso"));
    send(&["-HUP"; 4], &child);
    assert_eq!(end_of(&mut child), Some(129));
    let report = fs::read_to_string(mirror.path().join("r.json")).unwrap();
    assert!(report.contains("\"interrupted\": \"SIGHUP\""), "{report}");
}

#[test]
fn a_signal_that_comes_twice_at_once_ends_the_run_with_its_reports() {
    for _ in 0..20 {
        let mirror = sparse(200 * GIB, &any_signature());
        let mut child = spawn(mirror.command(&["-k", "key.pem", "--report", "r.json"]));
        wait_until_open(&child, &mirror.path().join("big.iso"));
        // As timeout(1) does: to the process, and to its group.
        send(&["-TERM"; 2], &child);
        assert_eq!(end_of(&mut child), Some(143));
        let report = fs::read_to_string(mirror.path().join("r.json")).unwrap();
        assert!(report.contains("\"interrupted\": \"SIGTERM\""), "{report}");
    }
}

/// Sends the signal when the first line is out, so that the run is in the midst of the big file.
fn signalled_after_first_line(signal: &str) -> Run {
    let mirror = sparse(200 * GIB, &any_signature());
    mirror.write_signed("a.zst", "a.sig.bin", b"a");
    let mut child = spawn(mirror.command(&["-k", "key.pem", "--jobs", "2"]));
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut stdout = String::new();
    lines.read_line(&mut stdout).unwrap();
    send(&[signal], &child);
    lines.read_to_string(&mut stdout).unwrap();
    let output = child.wait_with_output().unwrap();
    Run {
        stdout,
        ..output.into()
    }
}

#[test]
fn a_signal_ends_the_run_within_a_big_file_and_the_summary_says_what_was_verified_until_then() {
    for (signal, status) in [("-HUP", 129), ("-INT", 130), ("-TERM", 143)] {
        let run = signalled_after_first_line(signal);
        assert_eq!(run.stdout, "a.zst: ✅ Signature valid\n");
        assert!(
            run.stderr.contains("ended after 1 of 2: 1 valid;"),
            "{}",
            run.stderr
        );
        assert_eq!(run.status, Some(status));
    }
}

#[test]
fn a_pipe_that_closes_early_ends_the_run_quietly_and_not_with_success() {
    let mirror = sparse(200 * GIB, &any_signature());
    for n in 0..200 {
        mirror.write_signed(&format!("{n}.zst"), &format!("{n}.sig.bin"), b"x");
    }
    let mut child = spawn(mirror.command(&PINNED));
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(141));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn output_that_cannot_be_written_is_reported_and_no_success() {
    let mirror = Mirror::new();
    mirror.write_signed("x.zst", "x.sig.bin", b"x");
    let mut command = mirror.command(&PINNED);
    command.stdout(File::options().write(true).open("/dev/full").unwrap());
    let run = Run::of(command);
    assert_eq!(run.status, Some(2));
    assert_eq!(
        run.stderr,
        "error: standard output: No space left on device\n"
    );
}

#[test]
fn a_log_gets_a_line_of_progress_after_ten_seconds_under_progress_always() {
    let mirror = sparse(200 * GIB, &any_signature());
    let started = Instant::now();
    let mut child = spawn(mirror.command(&[&PINNED[..], &["--progress", "always"]].concat()));
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let done = line.strip_prefix("note: ").unwrap();
    assert!(!done.starts_with("0 B"), "{line}");
    let rest = " of 214.75 GB done, 0 of 1 files, 0 failed\n";
    assert!(line.ends_with(rest), "{line}");
    assert!(started.elapsed() >= Duration::from_secs(10));
}

#[test]
fn no_progress_is_shown_where_stderr_is_no_terminal_or_under_status() {
    let mirror = sparse(GIB, &any_signature());
    let run = mirror.run(&["-k", "key.pem", "--status"]);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    let run = mirror.run_pinned(&[]);
    let lines: Vec<_> = run.stderr.lines().collect();
    let begins = [
        "error: big.iso: ❌ Signature invalid (",
        "help: ",
        "note: the only signature of this run",
        "key: key.pem (",
        "not checked: 1 file ",
        "summary: 0 valid, 1 invalid; ",
        "FAILED: 1 of 1",
    ];
    assert_eq!(lines.len(), begins.len(), "{lines:#?}");
    for (line, begin) in lines.iter().zip(begins) {
        assert!(line.starts_with(begin), "{begin}: {lines:#?}");
    }
}

#[test]
fn two_names_of_one_big_file_are_hashed_once() {
    let mirror = sparse(GIB, &any_signature());
    let big = mirror.path().join("big.iso");
    fs::hard_link(&big, mirror.path().join("other.iso")).unwrap();
    mirror.write("other.iso.sig.bin", any_signature());
    assert_eq!(fs::metadata(big).unwrap().nlink(), 2);
    if !lies_where_numbers_are_certain(mirror.path(), "two_names_of_one_big_file") {
        return;
    }
    let run = mirror.run(&["-k", "key.pem", "-v", "--report", "r.json"]);
    assert!(
        run.stderr.contains("2 invalid; 1.07 GB in "),
        "{}",
        run.stderr
    );
    let lines: Vec<&str> = run.stdout.lines().collect();
    let expected = "; read as big.iso, another name of the same file)";
    assert!(
        !lines[0].contains("read as") && lines[1].ends_with(expected),
        "{lines:?}"
    );
    let report = fs::read_to_string(mirror.path().join("r.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let read_as = |at: usize| report["artifacts"][at]["read_as"]["path"].as_str();
    assert_eq!([read_as(0), read_as(1)], [None, Some("big.iso")]);
}

/// Whether two names with one inode number are certainly one file there; anywhere else each is
/// read.
fn lies_where_numbers_are_certain(path: &Path, test: &str) -> bool {
    let kind = Command::new("stat")
        .args(["-f", "-c", "%T"])
        .arg(path)
        .output()
        .unwrap();
    let kind = String::from_utf8(kind.stdout).unwrap();
    let is_certain = ["ext2/ext3", "xfs", "f2fs"].contains(&kind.trim());
    crate::support::is_available(is_certain, "a temporary directory on ext4 or xfs", test)
}

#[test]
fn a_signal_ends_a_run_over_very_many_names_of_one_small_file() {
    let mirror = Mirror::new();
    mirror.write_signed("0.zst", "0.sig.bin", b"x");
    let path = |name: &str| mirror.path().join(name);
    for n in 1..30_000 {
        fs::hard_link(path("0.zst"), path(&format!("{n}.zst"))).unwrap();
        fs::hard_link(path("0.sig.bin"), path(&format!("{n}.sig.bin"))).unwrap();
    }
    let mut child = spawn(mirror.command(&["-k", "key.pem", "--status", "--report", "r.json"]));
    wait_until_open(&child, &path("0.zst"));
    send(&["-INT"], &child);
    assert_eq!(end_of(&mut child), Some(130));
    let report = fs::read_to_string(path("r.json")).unwrap();
    assert!(report.contains("\"interrupted\": \"SIGINT\""));
    assert!(report.contains("\"complete\": false"));
}

#[test]
fn files_of_any_size_do_not_keep_smaller_ones_from_being_judged() {
    // Sparse, and without an end; and each twice as large as the one before, so that none is beyond
    // comparison with the next.
    let ladder: Vec<u64> = (20..43).map(|bits| 1 << bits).collect();
    for claims in [vec![7 << 60; 4], ladder] {
        let mirror = Mirror::new();
        for (n, size) in claims.iter().enumerate() {
            let giant = File::create(mirror.path().join(format!("giant-{n}.iso"))).unwrap();
            // Not every file system takes a size of 7 EiB.
            if giant.set_len(*size).is_err() {
                giant.set_len(15 << 40).unwrap();
            }
            mirror.write(&format!("giant-{n}.sig.bin"), any_signature());
        }
        let good = vec![7; 100_000];
        for n in 0..20 {
            mirror.write_signed(
                &format!("good-{n}.zst"),
                &format!("good-{n}.sig.bin"),
                &good,
            );
        }
        let mut child = spawn(mirror.command(&["-k", "key.pem", "--format", "jsonl"]));
        let objects = BufReader::new(child.stdout.take().unwrap()).lines();
        let valid = objects
            .map(Result::unwrap)
            .filter(|object| object.contains("\"status\":\"valid\""))
            .take(20);
        assert_eq!(valid.count(), 20);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

/// Waits until the process has the file open, so that what is done to the file is done in the midst
/// of its hashing.
fn wait_until_open(child: &Child, path: &Path) {
    let path = path.canonicalize().unwrap();
    crate::support::wait_until_open(child, |target| target == path);
}

/// The bytes that a process has read, as the kernel counts them (proc(5), `io`).
fn bytes_read(child: &Child) -> u64 {
    let io = fs::read_to_string(format!("/proc/{}/io", child.id())).unwrap_or_default();
    let count = io.lines().find_map(|line| line.strip_prefix("rchar: "));
    count.map_or(0, |count| count.parse().unwrap())
}

/// What is printed when something happens to the big file while it is hashed.
fn when_meanwhile(action: impl FnOnce(&Path)) -> (String, Option<i32>) {
    let mirror = sparse(2 * GIB, &any_signature());
    mirror.write_signed("z.zst", "z.sig.bin", b"z");
    let mut child = spawn(mirror.command(&["-k", "key.pem", "--io", "read"]));
    let iso = mirror.path().join("big.iso");
    wait_until_open(&child, &iso);
    // An open file may not have been examined yet; one of which so much was read has been.
    crate::support::wait_until("some of it is read", || bytes_read(&child) > GIB / 32);
    action(&iso);
    let mut stdout = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut stdout)
        .unwrap();
    (stdout, child.wait().unwrap().code())
}

const CHANGED: &str = "big.iso: ❌ Changed while reading\nz.zst: ✅ Signature valid\n";

#[test]
fn a_file_that_is_written_to_while_it_is_hashed_has_changed_and_the_others_are_verified() {
    // The size stays; only the times of the last change tell.
    let write = |iso: &Path| {
        let file = File::options().write(true).open(iso).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, b"!", 0).unwrap();
    };
    assert_eq!(when_meanwhile(write), (CHANGED.to_owned(), Some(1)));
}

#[test]
fn a_file_that_is_replaced_while_it_is_hashed_has_changed() {
    let replace = |iso: &Path| {
        let other = iso.with_extension("new");
        File::create(&other).unwrap().set_len(2 * GIB).unwrap();
        fs::rename(other, iso).unwrap();
    };
    assert_eq!(when_meanwhile(replace), (CHANGED.to_owned(), Some(1)));
}

#[test]
fn a_file_that_is_cut_off_while_it_is_read_has_changed() {
    let cut = |iso: &Path| {
        File::options()
            .write(true)
            .open(iso)
            .unwrap()
            .set_len(0)
            .unwrap()
    };
    assert_eq!(when_meanwhile(cut), (CHANGED.to_owned(), Some(1)));
}

#[test]
fn a_file_that_is_removed_while_it_is_hashed_has_changed() {
    let remove = |iso: &Path| fs::remove_file(iso).unwrap();
    assert_eq!(when_meanwhile(remove), (CHANGED.to_owned(), Some(1)));
}

#[test]
fn a_socket_under_an_artifacts_name_is_no_regular_file() {
    let mirror = Mirror::new();
    let _socket = std::os::unix::net::UnixListener::bind(mirror.path().join("x.zst")).unwrap();
    mirror.write("x.sig.bin", any_signature());
    let run = mirror.run(&["-k", "key.pem"]);
    assert_eq!(run.stdout, "x.zst: ❌ Not a regular file\n");
    assert_eq!(run.status, Some(1));
}

#[test]
fn a_descriptor_that_cannot_be_written_is_reported_and_no_success() {
    let mirror = Mirror::new();
    mirror.write_signed("x.zst", "x.sig.bin", b"x");
    for arguments in [&PINNED[..], &["--help"], &["--version"]] {
        let mut command = mirror.command(arguments);
        command.stdout(File::open("/dev/null").unwrap());
        let run = Run::of(command);
        assert_eq!(
            run.stderr,
            "error: standard output: it is open for reading only, so nothing can be delivered; redirect it to a \
             file or a pipe (to /dev/null to discard it)\n"
        );
        assert_eq!(run.status, Some(2));
    }
}

#[test]
fn without_a_thread_to_draw_it_there_is_no_bar_and_no_panic() {
    let mirror = Mirror::new();
    mirror.write_signed("x.zst", "x.sig.bin", b"x");
    crate::support::open_to_all(mirror.path());
    let program = crate::support::public_command(mirror.path());
    let mut command = Command::new("sh");
    // A user that has no other process on this machine, so that the limit is the command's own.
    command
        .args([
            "-c",
            "ulimit -u 1; exec \"$0\" -k key.pem --progress always --jobs 1",
        ])
        .arg(program)
        .current_dir(mirror.path());
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if is_root {
        let user = crate::support::lonely_user(0);
        command.uid(user).gid(user);
    }
    let run = Run::of(command);
    assert_eq!(run.stdout, "x.zst: ✅ Signature valid\n", "{}", run.stderr);
    assert_eq!(run.status, Some(0));
}
