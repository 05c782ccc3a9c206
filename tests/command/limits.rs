//! The limits that a process may have (setrlimit(2)): none of them ends the command without a word,
//! and none makes it fail where it could go on.
//!
//! They are set by prlimit(1); where that is missing, and it is not CI, the tests say that they are
//! skipped.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Mirror, Run, is_available, is_here, is_root, sign_digest, signing_key};

const MIB: usize = 1024 * 1024;

fn prlimit_is_here(test: &str) -> bool {
    is_here("prlimit", test)
}

/// Eight artifacts of nine MiB: more than one window each.
fn mirror() -> Mirror {
    let mirror = Mirror::new();
    let mut content = vec![7; 9 * MIB];
    for n in 0..8 {
        content[0] = n;
        mirror.write_signed(&format!("{n}.zst"), &format!("{n}.sig.bin"), &content);
    }
    mirror
}

/// The command under a limit.
fn limited(mirror: &Mirror, limit: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("prlimit");
    command
        .arg(limit)
        .arg(crate::support::COMMAND)
        .args(["-k", "key.pem"])
        .args(arguments)
        .current_dir(mirror.path())
        .env_remove("PUBKEY");
    command
}

/// Bytes of the program as a release has them in memory before it does anything.
const RELEASE: u64 = 7_000_000;

/// A limit in bytes: these megabytes for a program that is as large as a release, and as much more
/// for one that was compiled in less time.
fn bytes(megabytes: u64) -> u64 {
    let program = fs::read(crate::support::COMMAND).unwrap();
    megabytes * 1_000_000 + loaded(&program).saturating_sub(RELEASE)
}

/// Bytes of an ELF file's segments that are loaded (elf(5): `e_phoff`, `e_phnum`, `PT_LOAD`).
fn loaded(elf: &[u8]) -> u64 {
    let number = |at: usize, length: usize| {
        let bytes = elf[at..at + length].iter().rev();
        bytes.fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    };
    let headers = (0..number(56, 2)).map(|n| (number(32, 8) + n * 56) as usize);
    let loaded = headers.filter(|at| number(*at, 4) == 1);
    loaded.map(|at| number(at + 40, 8)).sum()
}

fn all_valid() -> String {
    (0..8)
        .map(|n| format!("{n}.zst: ✅ Signature valid\n"))
        .collect()
}

fn is_right(run: &Run) -> bool {
    run.status == Some(0) && run.stdout == all_valid()
}

/// Nothing was verified, and a message says why.
fn is_refused(run: &Run) -> bool {
    run.status == Some(2) && run.stdout.is_empty() && run.stderr.contains("limit on memory")
}

#[test]
#[ignore = "verifies a mirror under a hundred limits; CI runs it"]
fn with_little_memory_a_run_is_right_or_refused_and_never_breaks_off() {
    if !prlimit_is_here("with_little_memory_a_run_is_right_or_refused") {
        return;
    }
    let mirror = mirror();
    for limit in ["--as", "--data"] {
        for megabytes in [11, 12, 13, 14, 16, 18, 24, 40, 70, 130, 200, 400, 1000] {
            for jobs in ["1", "2", "16", "64"] {
                let limit = format!("{limit}={}", bytes(megabytes));
                let run = Run::of(limited(&mirror, &limit, &["--jobs", jobs]));
                assert!(
                    is_right(&run) || is_refused(&run),
                    "{limit}, {jobs} jobs: {run:?}"
                );
            }
        }
    }
}

#[test]
fn with_twenty_megabytes_all_files_are_verified_however_they_are_read() {
    if !prlimit_is_here("with_twenty_megabytes_all_files_are_verified") {
        return;
    }
    let mirror = mirror();
    for io in ["auto", "mmap", "read", "direct"] {
        for jobs in ["2", "16"] {
            let run = Run::of(limited(
                &mirror,
                &format!("--as={}", bytes(20)),
                &["--io", io, "--jobs", jobs],
            ));
            assert!(is_right(&run), "{io}, {jobs} jobs: {run:?}");
        }
    }
}

/// Makes as many artifacts of one content with as many signatures, all of them names of two files,
/// in `directories` in turn.
fn write_many(mirror: &Mirror, artifacts: usize, directories: &[String]) {
    mirror.write_signed("data", "signature", b"x");
    for directory in directories {
        fs::create_dir_all(mirror.path().join(directory)).unwrap();
    }
    for (n, directory) in (0..artifacts).zip(directories.iter().cycle()) {
        let directory = mirror.path().join(directory);
        let link = |from: &str, name: String| {
            fs::hard_link(mirror.path().join(from), directory.join(name)).unwrap();
        };
        link("data", format!("{n:05}.zst"));
        link("signature", format!("{n:05}.sig.bin"));
    }
    for name in ["data", "signature"] {
        fs::remove_file(mirror.path().join(name)).unwrap();
    }
}

/// All of so many artifacts were found valid.
fn are_all_valid(run: &Run, artifacts: usize) -> bool {
    let expected = format!("summary: {artifacts} valid; ");
    run.status == Some(0) && run.stderr.contains(&expected)
}

/// Checks a run under each of these limits, in megabytes: it finds all valid, or is refused before
/// the first line. Returns how many were refused.
fn right_or_refused(mirror: &Mirror, artifacts: usize, limits: &[u64]) -> usize {
    let mut refused = 0;
    for limit in ["--as", "--data"] {
        for megabytes in limits {
            let limit = format!("{limit}={}", bytes(*megabytes));
            let mut command = limited(mirror, &limit, &["--report", "r.xml"]);
            let out = mirror.path().join("out");
            command.stdout(File::create(&out).unwrap());
            let run = Run::of(command);
            let is_unheard = fs::metadata(&out).unwrap().len() == 0;
            let is_refused = is_unheard && is_refused(&run);
            // The document of a JUnit report is made as a whole, and may be what there is no memory
            // for.
            let is_unreported = run.status == Some(2)
                && run
                    .stderr
                    .contains("r.xml: cannot write the report: Cannot allocate memory")
                && run.stderr.contains(&format!("{artifacts} valid; "));
            assert!(
                is_refused || is_unreported || are_all_valid(&run, artifacts),
                "{limit}: {:?} {}",
                run.status,
                run.stderr
            );
            refused += usize::from(is_refused);
        }
    }
    refused
}

/// Checks runs over so many artifacts under limits that are too low for any of them, that may be, and that are not.
fn memory_is_enough_or_a_run_is_refused(artifacts: usize, directories: &[String]) {
    if !prlimit_is_here("more_artifacts_than_memory_holds_are_refused") {
        return;
    }
    let mirror = Mirror::new();
    write_many(&mirror, artifacts, directories);
    assert!(right_or_refused(&mirror, artifacts, &[11, 14, 20]) > 0);
    right_or_refused(&mirror, artifacts, &[24, 28, 32, 35, 38, 42, 50]);
    assert_eq!(right_or_refused(&mirror, artifacts, &[200]), 0);
}

#[test]
#[ignore = "verifies thousands of directories under many limits; CI runs it"]
fn more_directories_than_memory_holds_are_refused_with_a_message() {
    let path = "directory/".repeat(20);
    let own: Vec<String> = (0..2000).map(|n| format!("{path}{n}")).collect();
    memory_is_enough_or_a_run_is_refused(2000, &own);
}

#[test]
#[ignore = "makes 40 000 names, and verifies them twenty times; CI runs it"]
fn more_artifacts_than_memory_holds_are_refused_with_a_message() {
    memory_is_enough_or_a_run_is_refused(20_000, &["m".to_owned()]);
}

#[test]
#[ignore = "makes 120 000 names; CI runs it"]
fn sixty_thousand_artifacts_under_a_path_of_3800_bytes_are_verified_in_a_gigabyte() {
    let test = "sixty_thousand_artifacts_under_a_path_of_3800_bytes";
    if !prlimit_is_here(test) {
        return;
    }
    let mirror = Mirror::new();
    let name = "n".repeat(250);
    let long = [&*name; 15].join("/");
    write_many(&mirror, 60_000, std::slice::from_ref(&long));
    let mut command = limited(&mirror, "--as=1000000000", &[]);
    let out = mirror.path().join("out");
    command.stdout(File::create(&out).unwrap());
    let run = Run::of(command);
    assert!(are_all_valid(&run, 60_000), "{:?}", run.status);
    let lines = BufReader::new(File::open(&out).unwrap()).lines();
    let expected = (0..60_000).map(|n| format!("{long}/{n:05}.zst: ✅ Signature valid"));
    assert!(lines.map(Result::unwrap).eq(expected));
}

#[test]
fn a_report_past_the_limit_on_files_is_a_failed_report_and_leaves_nothing_behind() {
    if !prlimit_is_here("a_report_past_the_limit_on_files") {
        return;
    }
    let mirror = mirror();
    for limit in ["--fsize=0", "--fsize=1000"] {
        for name in ["r.json", "r.xml", "r.html"] {
            let run = Run::of(limited(&mirror, limit, &["--report", name]));
            assert_eq!((run.stdout, run.status), (all_valid(), Some(2)));
            let expected = format!("\nerror: {name}: cannot write the report: File too large\n");
            assert!(run.stderr.contains(&expected), "{}", run.stderr);
            let word = "\nNO VERDICT: 8 of 8 valid; see the errors above\n";
            assert!(run.stderr.ends_with(word), "{}", run.stderr);
        }
    }
    let names = fs::read_dir(mirror.path()).unwrap();
    let left = names.map(|entry| entry.unwrap().file_name());
    assert_eq!(left.count(), 17, "eight pairs and the key");
}

#[test]
fn output_past_the_limit_on_files_was_not_delivered() {
    if !prlimit_is_here("output_past_the_limit_on_files") {
        return;
    }
    let mirror = mirror();
    for arguments in [
        &[][..],
        &["--format", "jsonl"],
        &["--help"],
        &["--generate", "man"],
    ] {
        for limit in ["--fsize=0", "--fsize=20"] {
            let mut command = limited(&mirror, limit, arguments);
            command.stdout(File::create(mirror.path().join("out")).unwrap());
            let run = Run::of(command);
            assert_eq!(run.status, Some(2), "{arguments:?} {}", run.stderr);
            let expected = "standard output: File too large\n";
            assert!(
                run.stderr.ends_with(expected),
                "{arguments:?} {}",
                run.stderr
            );
        }
    }
}

#[test]
fn no_more_files_are_open_at_once_than_are_allowed() {
    if !prlimit_is_here("no_more_files_are_open_at_once_than_are_allowed") {
        return;
    }
    let mirror = mirror();
    // The soft limit is raised; the hard one is heeded.
    for limit in [
        "--nofile=5:256",
        "--nofile=8:8",
        "--nofile=12:12",
        "--nofile=40:40",
    ] {
        for jobs in ["1", "8"] {
            for hasher in ["portable", crate::support::most_lanes()] {
                let arguments = ["--jobs", jobs, "--sha256", hasher, "--report", "r.json"];
                let run = Run::of(limited(&mirror, limit, &arguments));
                assert!(is_right(&run), "{limit} {jobs} jobs, {hasher}: {run:?}");
            }
        }
    }
}

#[test]
fn no_more_directories_are_open_at_once_than_are_allowed() {
    if !prlimit_is_here("no_more_directories_are_open_at_once_than_are_allowed") {
        return;
    }
    let mirror = Mirror::new();
    for n in 0..40 {
        mirror.write_signed(&format!("{n}/x.zst"), &format!("{n}/x.sig.bin"), b"x");
    }
    for limit in ["--nofile=8:8", "--nofile=12:12", "--nofile=40:40"] {
        for _ in 0..5 {
            let run = Run::of(limited(&mirror, limit, &["--jobs", "8", "--status"]));
            assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""), "{limit}");
        }
    }
}

#[test]
fn a_deep_tree_is_walked_with_few_files_open() {
    if !prlimit_is_here("a_deep_tree_is_walked_with_few_files_open") {
        return;
    }
    let mirror = Mirror::new();
    let deep = "d/".repeat(40);
    mirror.write_signed(&format!("{deep}x.zst"), &format!("{deep}x.sig.bin"), b"x");
    let run = Run::of(limited(&mirror, "--nofile=10:10", &[]));
    assert_eq!(run.stdout, format!("{deep}x.zst: ✅ Signature valid\n"));
    assert_eq!(run.status, Some(0));
}

/// The command as a user who may have so many threads, in all, and has none but the command's.
fn with_threads(mirror: &Mirror, program: &Path, threads: usize, arguments: &[&str]) -> Run {
    let user = crate::support::lonely_user(threads as u32);
    let mut command = Command::new("prlimit");
    command
        .arg(format!("--nproc={threads}:{threads}"))
        .arg(program)
        .args(["-k", "key.pem", "-v"])
        .args(arguments)
        .current_dir(mirror.path())
        .uid(user)
        .gid(user);
    Run::of(command)
}

#[test]
fn as_many_threads_are_used_as_the_system_gives_and_an_explicit_number_is_exact() {
    let test = "as_many_threads_are_used_as_the_system_gives";
    if !prlimit_is_here(test) || !is_available(is_root(), "root", test) {
        return;
    }
    let mirror = mirror();
    crate::support::open_to_all(mirror.path());
    let program = crate::support::public_command(mirror.path());
    let valid = |run: &Run| {
        run.stdout
            .lines()
            .filter(|line| line.contains("✅"))
            .count()
    };
    for (threads, jobs, given) in [(1, "1", 1), (2, "1", 1), (3, "1", 1), (10, "8", 8)] {
        let run = with_threads(&mirror, &program, threads, &["--jobs", jobs]);
        assert_eq!((valid(&run), run.status), (8, Some(0)), "{run:?}");
        let expected = format!("threads: {given}; reading by ");
        assert!(run.stderr.contains(&expected), "{}", run.stderr);
    }
    for (threads, jobs, given) in [(1, "2", 1), (3, "8", 1), (5, "8", 3)] {
        let run = with_threads(&mirror, &program, threads, &["--jobs", jobs]);
        assert_eq!((run.stdout.as_str(), run.status), ("", Some(2)));
        let expected = format!(
            "error: --jobs {jobs}: the system starts only {given} of these threads: Resource temporarily unavailable\nhelp: use --jobs {given}, "
        );
        assert!(run.stderr.contains(&expected), "{}", run.stderr);
    }
    let run = with_threads(&mirror, &program, 1, &[]);
    assert_eq!((valid(&run), run.status), (8, Some(0)), "{run:?}");
    let expected = "the system starts no thread (Resource temporarily unavailable): the main thread does the work";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
}

#[test]
fn an_absurd_number_of_jobs_is_refused_at_once_and_a_large_one_starts_no_idle_threads() {
    let mirror = mirror();
    for (jobs, what) in [
        ("100000", "too many threads"),
        ("18446744073709551616", "too large a number"),
        ("0", "without a thread nothing is verified"),
    ] {
        let run = mirror.run(&["-k", "key.pem", "--jobs", jobs]);
        assert_eq!((run.stdout.as_str(), run.status), ("", Some(2)));
        let expected = format!("error: --jobs {jobs}: {what}\nhelp: give a number from 1 to 1024");
        assert!(run.stderr.starts_with(&expected), "{}", run.stderr);
    }
    let run = mirror.run(&["-k", "key.pem", "-v", "--jobs", "1024"]);
    assert!(
        run.stderr.contains("threads: 8; reading by "),
        "{}",
        run.stderr
    );
    assert_eq!(run.status, Some(0));
}

#[test]
fn a_small_stack_is_enough() {
    if !prlimit_is_here("a_small_stack_is_enough") {
        return;
    }
    let mirror = mirror();
    for limit in [
        "--stack=65536:65536",
        "--stack=65536:unlimited",
        "--stack=unlimited:unlimited",
    ] {
        let reports = [
            "--report", "r.json", "--report", "r.xml", "--report", "r.html",
        ];
        let run = Run::of(limited(&mirror, limit, &reports));
        assert!(is_right(&run), "{limit}: {run:?}");
        let run = Run::of(limited(&mirror, limit, &["--help"]));
        assert_eq!(run.status, Some(0), "{limit}: {run:?}");
    }
}

#[test]
fn a_run_that_uses_up_its_processor_time_ends_with_its_reports() {
    if !prlimit_is_here("a_run_that_uses_up_its_processor_time") {
        return;
    }
    let any = sign_digest(&signing_key(1), &[7; 32]);
    // The soft limit; and the hard one alone, before which the command stops by itself.
    for limit in ["--cpu=1:100", "--cpu=4:4"] {
        let mirror = Mirror::new();
        mirror.write_signed("a.zst", "a.sig.bin", b"a");
        let big = File::create(mirror.path().join("big.iso")).unwrap();
        big.set_len(200 << 30).unwrap();
        mirror.write("big.sig.bin", &any);
        let mut command = limited(&mirror, limit, &["--jobs", "1", "--report", "r.json"]);
        let run = Run::of({
            command.stdin(Stdio::null());
            command
        });
        assert_eq!(run.stdout, "a.zst: ✅ Signature valid\n", "{run:?}");
        assert_eq!(run.status, Some(2), "{limit}: {run:?}");
        let expected = "the processor time that this process is allowed is used up (ulimit -t); not everything was verified";
        assert!(run.stderr.contains(expected), "{}", run.stderr);
        let report = fs::read_to_string(mirror.path().join("r.json")).unwrap();
        assert!(report.contains("\"interrupted\": \"SIGXCPU\""), "{report}");
    }
}
