//! Where the output goes: to standard streams that are closed, read-only, full or discarded, and
//! what is said on stderr.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::{Mirror, Run};

/// Runs `script` in bash, with the command and its arguments as `"$@"`.
fn through(mirror: &Mirror, script: &str, arguments: &[&str]) -> Run {
    let mut shell = Command::new("bash");
    shell.args(["-c", script, "bash", crate::support::COMMAND]);
    shell.args(arguments).current_dir(mirror.path());
    shell.env_remove("PUBKEY");
    Run::of(shell)
}

fn signed() -> Mirror {
    let mirror = Mirror::new();
    mirror.write_signed("x.zst", "x.sig.bin", b"alpha");
    mirror
}

const CLOSED: &str = "error: standard output: it is closed, so nothing can be delivered; \
                      redirect it to a file or a pipe (to /dev/null to discard it)\n";

/// Everything that prints to stdout.
const PRINTS: [&[&str]; 9] = [
    &["-k", "key.pem"],
    &["-k", "key.pem", "--quiet"],
    &["-k", "key.pem", "--format", "jsonl"],
    &["--version"],
    &["--version", "-v"],
    &["--help"],
    &["-h"],
    &["--generate", "man"],
    &["--generate", "bash"],
];

#[test]
fn a_closed_stdout_gives_status_2_and_a_message_whatever_is_to_be_printed() {
    let mirror = signed();
    let ways = [
        "\"$@\" >&-",
        "\"$@\" >&- <&-",
        // Where memory is limited the program starts itself again.
        "ulimit -v 2000000; \"$@\" >&-",
        "exec >&-; exec \"$@\"",
    ];
    for way in ways {
        for arguments in PRINTS {
            let run = through(&mirror, way, arguments);
            let expected = Run {
                stdout: String::new(),
                stderr: CLOSED.to_owned(),
                status: Some(2),
            };
            assert_eq!(run, expected, "{way} {arguments:?}");
        }
    }
}

#[test]
fn a_closed_stdout_is_reported_before_a_report_is_begun() {
    let mirror = signed();
    let run = through(
        &mirror,
        "\"$@\" >&-",
        &["-k", "key.pem", "--report", "r.json"],
    );
    assert_eq!((run.stderr.as_str(), run.status), (CLOSED, Some(2)));
    assert!(!mirror.path().join("r.json").exists());
}

#[test]
fn a_stdout_that_is_open_for_reading_only_gives_status_2_and_a_message() {
    let mirror = signed();
    for way in ["\"$@\" 1<key.pem", "\"$@\" 1</dev/null"] {
        for arguments in PRINTS {
            let run = through(&mirror, way, arguments);
            assert_eq!((run.stdout.as_str(), run.status), ("", Some(2)));
            let said = "error: standard output: it is open for reading only, ";
            assert!(run.stderr.starts_with(said), "{way}: {}", run.stderr);
        }
    }
    assert!(!fs::read(mirror.path().join("key.pem")).unwrap().is_empty());
}

#[test]
fn a_stdout_that_is_full_gives_status_2_and_a_message() {
    let mirror = signed();
    for arguments in PRINTS
        .iter()
        .filter(|arguments| !arguments.contains(&"--quiet"))
    {
        let run = through(&mirror, "\"$@\" >/dev/full", arguments);
        let said = "error: standard output: No space left on device\n";
        assert!(run.stderr.ends_with(said), "{}", run.stderr);
        assert_eq!(run.status, Some(2));
    }
}

#[test]
fn output_that_is_discarded_on_purpose_is_delivered() {
    let mirror = signed();
    let ways = [
        "\"$@\" >/dev/null",
        "\"$@\" 1<>/dev/null",
        "\"$@\" <>/dev/null 1>&0 2>&0",
        "ulimit -v 2000000; \"$@\" 1<>/dev/null",
    ];
    for way in ways {
        for arguments in PRINTS {
            assert_eq!(through(&mirror, way, arguments).status, Some(0), "{way}");
        }
    }
    // As daemons and Python's subprocess.DEVNULL pass it on: one that is open for reading and
    // writing.
    let null = || {
        let mut null = fs::OpenOptions::new();
        Stdio::from(null.read(true).write(true).open("/dev/null").unwrap())
    };
    for arguments in PRINTS {
        let mut command = mirror.command(arguments);
        command.stdin(null()).stdout(null()).stderr(null());
        assert_eq!(command.status().unwrap().code(), Some(0));
    }
}

#[test]
fn where_nothing_is_printed_a_closed_stdout_is_no_failure() {
    let mirror = signed();
    let run = through(&mirror, "\"$@\" >&-", &["-k", "key.pem", "--status"]);
    assert_eq!((run.stderr.as_str(), run.status), ("", Some(0)));
    mirror.write("x.zst", "beta");
    let run = through(&mirror, "\"$@\" >&-", &["-k", "key.pem", "--status"]);
    assert_eq!((run.stderr.as_str(), run.status), ("", Some(1)));
}

#[test]
fn a_closed_stderr_changes_neither_lines_nor_status() {
    let mirror = signed();
    let run = through(&mirror, "\"$@\" 2>&-", &["-k", "key.pem"]);
    assert_eq!(
        (run.stdout.as_str(), run.status),
        ("x.zst: ✅ Signature valid\n", Some(0))
    );
    let run = through(&mirror, "\"$@\" >&- 2>&-", &["-k", "key.pem"]);
    assert_eq!(run.status, Some(2));
    let run = through(&mirror, "\"$@\" <&-", &["-k", "key.pem"]);
    assert_eq!(run.status, Some(0));
}

/// One artifact for each of many ways to fail, and what stderr says of it.
#[test]
fn every_failure_is_explained_on_stderr_with_what_to_do() {
    let mirror = Mirror::new();
    mirror.write_signed("changed.zst", "changed.sig.bin", b"alpha");
    mirror.write("changed.zst", [0x28, 0xb5, 0x2f, 0xfd, 0]);
    mirror.write("gone.sig.bin", crate::support::sign(&mirror.key, b"alpha"));
    mirror.write_signed("junk", "junk.sig.bin", b"alpha");
    mirror.write("junk.sig.bin", "");
    mirror.write("new.zst", [0x28, 0xb5, 0x2f, 0xfd, 1]);
    mirror.write("part.zst.part", "alpha");
    fs::create_dir(mirror.path().join("d.zst")).unwrap();
    mirror.write("d.sig.bin", crate::support::sign(&mirror.key, b"alpha"));
    std::os::unix::fs::symlink("/", mirror.path().join("root")).unwrap();
    let explained = [
        "changed.zst: ❌ Signature invalid (changed.sig.bin: no trusted key made this signature over these bytes)\n\
         help: if no other key is reported to have made it, download the file and its signature again; if that does not help, ask the vendor which key signed it",
        "d.zst: ❌ Not a regular file (a directory, FIFO, socket or device)\n\
         help: replace it with the file itself, or leave it out with --exclude",
        "gone.zst: ❌ Data file not found (gone.sig.bin exists, but the file that it signs does not)\n\
         help: copy the data file here, or delete its signature",
        "junk: ❌ Signature invalid (junk.sig.bin: the signature file is empty)\n\
         help: download the signature file again",
        "new.zst: ❌ Signature file not found (no signature file claims it: neither new.sig.bin nor new.zst.sig.bin is here)\n\
         help: get its signature from the vendor; --exclude leaves it out, --allow-unsigned accepts it",
        "part.zst.part: ❌ Signature file not found (an unfinished download or copy)\n\
         help: finish it, or delete it",
        "root: ❌ Signature file not found (a linked directory that was not entered)\n\
         help: --follow-links enters it, --exclude leaves it out",
    ];
    let lines: String = explained
        .iter()
        .map(|line| line.split_once(" (").unwrap().0.to_owned() + "\n")
        .collect();
    let ways: [&[&str]; 4] = [&[], &["--quiet"], &["--format", "jsonl"], &["--verbose"]];
    for way in ways {
        let run = mirror.run_pinned(way);
        for failure in explained {
            let named = format!("error: {failure}\n");
            assert_eq!(
                run.stderr.matches(&named).count(),
                1,
                "{way:?}\n{}",
                run.stderr
            );
        }
        assert!(run.stderr.ends_with("\nFAILED: 7 of 7\n"), "{}", run.stderr);
        assert_eq!(run.status, Some(1));
    }
    assert_eq!(mirror.run_pinned(&[]).stdout, lines);
    let silent = mirror.run_pinned(&["--status"]);
    assert_eq!((silent.stderr.as_str(), silent.status), ("", Some(1)));
}

#[test]
fn of_many_failures_a_hundred_are_explained_and_the_rest_are_counted() {
    let mirror = Mirror::new();
    for n in 0..103 {
        mirror.write(&format!("{n:03}.zst"), "");
    }
    let run = mirror.run_pinned(&[]);
    assert_eq!(
        run.stderr.matches("no signature file claims it").count(),
        100
    );
    assert!(
        run.stderr
            .contains("\nnote: 3 more failures are not named here\nhelp: --report FILE writes all of them, with reasons\n")
    );
    let run = mirror.run_pinned(&["--quiet", "--report", "r.json"]);
    assert!(
        run.stderr
            .contains("\nnote: 3 more failures are not named here\nhelp: the reports have all of them, with reasons\n")
    );
    let report = fs::read_to_string(mirror.path().join("r.json")).unwrap();
    let remedy = "\"remedy\": \"get its signature from the vendor; --exclude leaves it out, --allow-unsigned accepts it\"";
    assert_eq!(report.matches(remedy).count(), 103);
}

#[test]
fn what_passes_is_not_explained() {
    let mirror = signed();
    mirror.write("y.zst", "");
    let run = mirror.run_pinned(&["--allow-unsigned", "--format", "jsonl"]);
    assert!(!run.stderr.contains("error: "), "{}", run.stderr);
    assert!(!run.stdout.contains("remedy"), "{}", run.stdout);
    assert_eq!(run.status, Some(0));
}
