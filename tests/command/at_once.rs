//! Failures: named while the run goes on, repeated when they have left the screen, and, if asked
//! for, the end of the run.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use crate::support::{Mirror, PINNED, end_of, send};
use crate::terminal::{ENDLESS, GREEN, RED, Terminal, any_signature, bars_in, command, sparse};
use pty_process::blocking::Command;
use serde_json::Value;

/// A failure whose line waits for a file that has no end.
fn behind_an_endless_file() -> Mirror {
    let mirror = Mirror::new();
    sparse(&mirror, "a-big.iso", ENDLESS);
    mirror.write("b.zst", [0x28, 0xb5, 0x2f, 0xfd, 1]);
    mirror
}

const UNSIGNED: &str = "error: b.zst: ❌ Signature file not found (no signature file claims it: neither b.sig.bin nor b.zst.sig.bin \
                        is here)";

#[test]
fn a_failure_is_named_above_the_bars_while_its_line_waits() {
    let mirror = behind_an_endless_file();
    let terminal = Terminal::run(&mirror, 24, 200, &[]);
    let rows =
        terminal.wait_for(|rows| rows.iter().any(|row| row == UNSIGNED) && bars_in(rows) == 2);
    let at = rows.iter().position(|row| row == UNSIGNED).unwrap();
    assert!(
        rows[at + 1].starts_with("help: get its signature from the vendor"),
        "{rows:#?}"
    );
    assert!(rows[at + 2].starts_with("a-big.iso "), "{rows:#?}");
    assert!(
        !rows.iter().any(|row| row.starts_with("b.zst: ")),
        "{rows:#?}"
    );
}

#[test]
fn in_a_log_a_failure_is_named_at_once_and_stdout_keeps_its_order() {
    let mirror = behind_an_endless_file();
    let out = mirror.path().join("out");
    let mut command = mirror.command(&PINNED);
    command
        .stdout(File::create(&out).unwrap())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert_eq!(line, format!("{UNSIGNED}\n"));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "");
    send(&["-INT"], &child);
    assert_eq!(end_of(&mut child), Some(130));
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert!(
        rest.ends_with("\nInterrupted: 1 of 2 judged, 1 failed\n"),
        "{rest}"
    );
    let lines = std::fs::read_to_string(&out).unwrap();
    assert_eq!(lines, "b.zst: ❌ Signature file not found\n");
}

/// The finished screen of a shell that has run the command, and prompts again.
fn finished(mirror: &Mirror, rows: u16, columns: u16, arguments: &[&str]) -> Vec<String> {
    let shell = Command::new("sh").args(["-c", "\"$@\"; printf '$ '", "sh"]);
    let shell = shell.arg(crate::support::COMMAND);
    let shell = shell.args(crate::support::PINNED).args(arguments);
    let shell = shell
        .current_dir(mirror.path())
        .env("TERM", "xterm-256color");
    let shell = shell.env_remove("NO_COLOR").env_remove("PUBKEY");
    let (_, rows) = Terminal::start(rows, columns, shell).end();
    assert_eq!(rows.last().map(String::as_str), Some("$"), "{rows:#?}");
    rows
}

/// One artifact that fails before others that do not.
fn first_of(others: usize) -> Mirror {
    let mirror = Mirror::new();
    mirror.write("a.zst", "alpha");
    for n in 1..others {
        let name = format!("b-{n:02}.zst");
        mirror.write_signed(&name, &format!("{name}.sig.bin"), name.as_bytes());
    }
    mirror
}

/// How often the failure is named with its reason, wherever the rows are wrapped.
fn named(rows: &[String]) -> usize {
    rows.concat()
        .matches("error: a.zst: ❌ Signature file not found")
        .count()
}

#[test]
fn the_finished_screen_shows_the_failure_however_many_lines_came_after_it() {
    // With 24 lines the screen is full; the summary and the prompt take the failure's place.
    for lines in [5, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 40] {
        let rows = finished(&first_of(lines), 24, 80, &[]);
        assert!(named(&rows) > 0, "{lines} lines: {rows:#?}");
        assert_eq!(rows[rows.len() - 2], format!("FAILED: 1 of {lines}"));
    }
}

#[test]
fn a_failure_that_can_still_be_seen_is_not_repeated() {
    let rows = finished(&first_of(5), 24, 80, &[]);
    assert_eq!(named(&rows), 1, "{rows:#?}");
    assert!(!rows.concat().contains("the failures again"), "{rows:#?}");
}

#[test]
fn lines_that_the_terminal_wraps_push_a_failure_off_the_screen_too() {
    let mirror = Mirror::new();
    mirror.write("a.zst", "alpha");
    for n in 1..9 {
        let name = format!("b-{}-{n}.zst", "x".repeat(150));
        mirror.write_signed(&name, &format!("{name}.sig.bin"), name.as_bytes());
    }
    let rows = finished(&mirror, 24, 80, &[]);
    assert!(named(&rows) > 0, "{rows:#?}");
    assert!(
        rows.concat().contains("note: the failures again"),
        "{rows:#?}"
    );
}

#[test]
fn a_log_names_each_failure_once() {
    let run = first_of(60).run_pinned(&[]);
    assert_eq!(run.stderr.matches("a.zst: ❌").count(), 1, "{}", run.stderr);
}

#[test]
fn the_last_line_says_in_colour_how_the_run_ended() {
    let valid = Mirror::new();
    valid.write_signed("x.zst", "x.sig.bin", b"x");
    for (mirror, word, colour) in [
        (valid, "OK: 1 of 1 valid", GREEN),
        (first_of(3), "FAILED: 1 of 3", RED),
    ] {
        let terminal = Terminal::start(24, 80, command(&mirror, &[]));
        let rows = terminal.wait_for(|rows| rows.iter().any(|row| row == word));
        assert_eq!(rows.last().map(String::as_str), Some(word));
        let row = terminal.row_of(word);
        assert_eq!(terminal.colour_at(row, 0), colour);
    }
}

#[test]
fn nothing_is_not_summarized() {
    let mirror = Mirror::new();
    std::fs::create_dir(mirror.path().join("d")).unwrap();
    let run = mirror.run_pinned(&["d"]);
    assert_eq!(
        run.stderr,
        "error: d: nothing to verify: no signature, and no file that needs one\n\
         help: check that this is the right directory, and that what belongs there is mounted\n"
    );
}

#[test]
fn fail_fast_ends_the_run_at_the_first_failure() {
    let mirror = behind_an_endless_file();
    mirror.write("c.zst", "");
    let reports = [
        "--report", "r.json", "--report", "r.xml", "--report", "r.html",
    ];
    let run = mirror.run_pinned(&[&["--fail-fast"], &reports[..]].concat());
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    assert_eq!(run.stdout, "b.zst: ❌ Signature file not found\n");
    assert!(
        run.stderr
            .ends_with("\nFAILED: 1 of 3, 2 not judged (--fail-fast)\n"),
        "{}",
        run.stderr
    );
    let read = |name: &str| std::fs::read_to_string(mirror.path().join(name)).unwrap();
    let report: Value = serde_json::from_str(&read("r.json")).unwrap();
    let summary = &report["summary"];
    assert_eq!(summary["conclusion"], "failed-fast");
    assert_eq!(summary["exit_status"], 1);
    assert_eq!(summary["complete"], false);
    assert_eq!(summary["expected"], 3);
    assert_eq!(report["start"]["options"]["fail_fast"], true);
    assert_eq!(report["artifacts"].as_array().unwrap().len(), 1);
    let words = "the first failure ended the run (--fail-fast)";
    assert!(read("r.xml").contains(words), "{}", read("r.xml"));
    assert!(read("r.html").contains("Ended at the first failure"));
}

#[test]
fn fail_fast_ends_a_run_whose_failure_comes_late() {
    let mirror = Mirror::new();
    for n in 0..3 {
        let name = format!("a-{n}.zst");
        mirror.write_signed(&name, &format!("{name}.sig.bin"), b"alpha");
    }
    mirror.write("b.zst", "beta");
    mirror.write("b.sig.bin", any_signature());
    sparse(&mirror, "c.iso", ENDLESS);
    let run = mirror.run_pinned(&["--fail-fast", "--format", "jsonl", "--jobs", "2"]);
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    let objects = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let objects: Vec<Value> = objects.collect();
    let last = &objects[objects.len() - 1];
    assert_eq!(last["conclusion"], "failed-fast");
    assert_eq!(objects[objects.len() - 2]["passes"], false);
}

#[test]
fn fail_fast_changes_nothing_where_nothing_fails_or_only_the_last_does() {
    let mirror = Mirror::new();
    mirror.write_signed("x.zst", "x.sig.bin", b"x");
    let run = mirror.run_pinned(&["--fail-fast", "--report", "r.json"]);
    assert_eq!(run.status, Some(0));
    let report = std::fs::read_to_string(mirror.path().join("r.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["summary"]["conclusion"], "valid");
    mirror.write("x.zst", "y");
    let run = mirror.run_pinned(&["--fail-fast"]);
    assert!(run.stderr.ends_with("\nFAILED: 1 of 1\n"), "{}", run.stderr);
    assert_eq!(run.status, Some(1));
}
