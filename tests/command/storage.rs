//! Files that are cut off, rewritten and emptied while they are hashed, again and again, at random
//! moments.
//!
//! The moment is random, and the outcome is not: no death, no ✅ that is not true, and a right
//! verdict on every neighbour.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{DEADLINE, Mirror, send, sign, wait_until, wait_until_open};

const MIB: usize = 1024 * 1024;
const SIZE: usize = 24 * MIB;
/// Where the file is cut off: in the second window or the first, regardless of the windows' size.
const CUT: u64 = 4096;
/// Number of moments in a plain run of the tests.
const FEW: usize = 20;
/// Number of moments in CI.
const MANY: usize = 150;

/// Its signature is over its beginning followed by zeros, which is what a handler that fills in
/// zeros would make of it, once it is cut off.
fn trap() -> (Vec<u8>, Vec<u8>) {
    let mut content = vec![7; SIZE];
    content[CUT as usize..].fill(0);
    let zeros = content.clone();
    content[CUT as usize..].fill(9);
    (content, zeros)
}

/// A mirror in which the signature of `victim.iso` is over `signed`, with a valid neighbour on
/// either side.
fn mirror(signed: &[u8]) -> Mirror {
    let mirror = Mirror::new();
    let neighbour = vec![5; 3 * MIB];
    mirror.write_signed("a.iso", "a.iso.sig.bin", &neighbour);
    mirror.write_signed("z.iso", "z.iso.sig.bin", &neighbour);
    mirror.write("victim.iso.sig.bin", sign(&mirror.key, signed));
    mirror
}

/// Numbers that look random, the same in every run (Marsaglia's xorshift).
struct Moments(u64);

impl Moments {
    fn next(&mut self, below: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        below.mul_f64((self.0 % 1000) as f64 / 1000.0)
    }
}

/// Runs the command and does something to the victim after a wait. Returns the lines.
fn run_and(
    mirror: &Mirror,
    arguments: &[&str],
    wait: impl FnOnce(&Child),
    action: impl Fn(&File),
) -> Vec<String> {
    let path = mirror.path().join("victim.iso");
    let victim = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut command = mirror.command(arguments);
    let child = command
        .args(["-k", "key.pem"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait(&child);
    action(&victim);
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.signal(), None, "{stderr}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(str::to_owned).collect()
}

/// Returns how long an undisturbed run takes.
fn undisturbed(mirror: &Mirror) -> Duration {
    let started = Instant::now();
    mirror.run(&["-k", "key.pem"]);
    started.elapsed()
}

fn neighbours_are_valid(lines: &[String]) {
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[0], "a.iso: ✅ Signature valid");
    assert_eq!(lines[2], "z.iso: ✅ Signature valid");
}

#[test]
fn a_file_that_is_cut_off_at_any_moment_fails_alone_and_is_never_taken_for_one_that_ends_in_zeros()
{
    cut_off_at_moments(FEW);
}

#[test]
#[ignore = "hashes 30 MiB at 150 moments; CI runs it"]
fn a_file_that_is_cut_off_at_any_of_many_moments_fails_alone() {
    cut_off_at_moments(MANY);
}

fn cut_off_at_moments(rounds: usize) {
    let (content, zeros) = trap();
    let mirror = mirror(&zeros);
    mirror.write("victim.iso", &content);
    let (longest, mut moments) = (undisturbed(&mirror), Moments(0x2545_f491_4f6c_dd1d));
    let mut seen = Vec::new();
    let was_within = |seen: &[String]| {
        let mut lines = seen.iter();
        lines.any(|line| line.ends_with("Changed while reading"))
    };
    let started = Instant::now();
    // On, where a busy machine let no moment be within the hashing.
    for round in 0.. {
        if round >= rounds && (was_within(&seen) || started.elapsed() > DEADLINE) {
            break;
        }
        mirror.write("victim.iso", &content);
        // One thread: the file is alone in a window of its own for longer.
        let jobs = ["1", "2"][round % 2];
        let moment = moments.next(longest);
        let wait = |_: &Child| thread::sleep(moment);
        let lines = run_and(&mirror, &["--jobs", jobs], wait, |victim| {
            victim.set_len(CUT).unwrap()
        });
        neighbours_are_valid(&lines);
        assert!(lines[1].starts_with("victim.iso: ❌ "), "{lines:?}");
        seen.push(lines[1].clone());
    }
    assert!(
        was_within(&seen),
        "the moments were never within the hashing: {seen:?}"
    );
}

#[test]
fn a_file_that_is_rewritten_at_any_moment_is_valid_only_if_what_was_signed_was_read() {
    rewritten_at_moments(FEW);
}

#[test]
#[ignore = "hashes 30 MiB at 150 moments; CI runs it"]
fn a_file_that_is_rewritten_at_any_of_many_moments_is_valid_only_if_what_was_signed_was_read() {
    rewritten_at_moments(MANY);
}

fn rewritten_at_moments(rounds: usize) {
    let (content, _) = trap();
    let mirror = mirror(&content);
    mirror.write("victim.iso", &content);
    let (longest, mut moments) = (undisturbed(&mirror), Moments(0x9e37_79b9_7f4a_7c15));
    for _ in 0..rounds {
        mirror.write("victim.iso", &content);
        let moment = moments.next(longest);
        // The last byte: a run that calls the file valid has read it before this moment.
        let wait = |_: &Child| thread::sleep(moment);
        let lines = run_and(&mirror, &[], wait, |victim| {
            victim.write_all_at(&[0], SIZE as u64 - 1).unwrap()
        });
        neighbours_are_valid(&lines);
        let verdicts = [
            "✅ Signature valid",
            "❌ Signature invalid",
            "❌ Changed while reading",
        ];
        assert!(
            verdicts
                .iter()
                .any(|v| lines[1] == format!("victim.iso: {v}")),
            "{lines:?}"
        );
    }
}

#[test]
fn a_bus_error_that_somebody_sends_ends_the_process() {
    let mirror = mirror(b"whatever");
    let giant = File::create(mirror.path().join("victim.iso")).unwrap();
    giant.set_len(100 << 30).unwrap();
    let mut child = mirror
        .command(&["-k", "key.pem", "--status"])
        .spawn()
        .unwrap();
    // Once something is mapped, the handler is there.
    let maps = format!("/proc/{}/maps", child.id());
    wait_until("the victim is mapped", || {
        let maps = std::fs::read_to_string(&maps).unwrap();
        maps.contains("victim.iso")
    });
    send(&["-BUS"], &child);
    assert_eq!(child.wait().unwrap().signal(), Some(7));
}

#[test]
fn a_sparse_giant_that_is_emptied_has_changed_and_its_neighbours_are_verified() {
    let mirror = mirror(b"whatever");
    let giant = File::create(mirror.path().join("victim.iso")).unwrap();
    for io in ["auto", "mmap", "read", "direct"] {
        giant.set_len(100 << 30).unwrap();
        let is_victim = |target: &Path| target.ends_with("victim.iso");
        let wait = |child: &Child| wait_until_open(child, is_victim);
        let lines = run_and(&mirror, &["--io", io], wait, |victim| {
            victim.set_len(0).unwrap()
        });
        neighbours_are_valid(&lines);
        assert_eq!(lines[1], "victim.iso: ❌ Changed while reading", "{io}");
    }
}
