//! What is made from the definition of the command line: help, the manual page, completions.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::{Mirror, Run, is_here};

fn generated(what: &str) -> String {
    // Without a key and without a mirror: nothing of a run is needed.
    let run = Mirror::new().run(&["--generate", what]);
    assert_eq!((run.stderr.as_str(), run.status), ("", Some(0)), "{what}");
    run.stdout
}

/// What a shell says to a script.
fn shell(program: &str, arguments: &[&str], script: &str) -> Run {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let written = child.stdin.take().unwrap().write_all(script.as_bytes());
    written.unwrap();
    child.wait_with_output().unwrap().into()
}

#[test]
fn the_short_help_has_every_option_on_one_line_of_80_columns_under_a_heading() {
    let help = Mirror::new().run(&["-h"]).stdout;
    let long = Mirror::new().run(&["--help"]).stdout;
    let options = |help: &str| -> Vec<String> {
        let words = help
            .lines()
            .filter(|line| line.trim_start().starts_with('-'));
        let longs = words.filter_map(|line| line.split_whitespace().find(|w| w.starts_with("--")));
        longs.map(str::to_owned).collect()
    };
    assert_eq!(options(&help), options(&long));
    for line in help.lines() {
        assert!(line.chars().count() <= 80, "{line}");
        let is_option = line.starts_with("  ") && line.trim_start().starts_with('-');
        let is_heading = line.ends_with(':') && !line.starts_with(' ');
        let is_other = line.is_empty()
            || ["Verify ", "Usage: ", "  [PATH]...", "Exit status: "]
                .iter()
                .any(|begin| line.starts_with(begin));
        assert!(is_option || is_heading || is_other, "{line}");
    }
}

#[test]
fn the_long_help_has_every_option_examples_and_exit_statuses() {
    let help = Mirror::new().run(&["--help"]).stdout;
    for option in [
        "--key",
        "--key-fingerprint",
        "--digest",
        "--signature",
        "--jobs",
        "--max-depth",
        "--follow-links",
        "--exclude",
        "--allow-unsigned",
        "--all-files",
        "--quiet",
        "--status",
        "--format",
        "--report",
        "--progress",
        "--color",
        "--io",
        "--verbose",
        "--generate",
        "--help",
        "--version",
    ] {
        assert!(
            help.contains(&format!("{option} ")) || help.contains(&format!("{option}\n")),
            "{option}"
        );
    }
    assert!(
        help.contains("\nExamples:\n") && help.contains("\nExit status:\n"),
        "{help}"
    );
    assert!(!help.contains("--sha256"), "{help}");
}

#[test]
fn a_mistyped_option_suggests_the_right_one_and_a_wrong_value_the_possible_ones() {
    let run = Mirror::new().run(&["--exlude", "x"]);
    let meant = "\nhelp: did you mean --exclude? -h lists all options\n";
    assert!(run.stderr.ends_with(meant), "{}", run.stderr);
    assert_eq!(run.status, Some(2));
    let run = Mirror::new().run(&["--format", "json"]);
    assert_eq!(
        run.stderr,
        "error: --format json: not a value of this option\nhelp: give one of these: text, jsonl\n"
    );
}

#[test]
fn the_manual_page_is_rendered_without_a_warning_and_has_its_sections() {
    if !is_here(
        "man",
        "the_manual_page_is_rendered_without_a_warning_and_has_its_sections",
    ) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let page = directory.path().join("verify-signatures.1");
    fs::write(&page, generated("man")).unwrap();
    let mut man = Command::new("man");
    man.args(["--warnings", "-l"]).arg(&page);
    man.env("MANWIDTH", "80").env("LC_ALL", "C.UTF-8");
    let run = Run::of(man);
    assert_eq!((run.stderr.as_str(), run.status), ("", Some(0)));
    for section in [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "EXIT STATUS",
        "ENVIRONMENT",
        "FILES",
        "EXAMPLES",
    ] {
        assert!(
            run.stdout.lines().any(|line| line == section),
            "{section}\n{}",
            run.stdout
        );
    }
    assert!(run.stdout.contains("--report"), "{}", run.stdout);
    assert!(
        run.stdout.contains("Enter linked directories too"),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains("--sha256"), "{}", run.stdout);
}

#[test]
fn bash_completes_options_and_their_values() {
    if !is_here("bash", "bash_completes_options_and_their_values") {
        return;
    }
    let script = generated("bash");
    assert!(!script.contains("--sha256"), "{script}");
    let script = script
        + r#"
COMP_WORDS=(verify-signatures --form); COMP_CWORD=1
_verify__signatures verify-signatures --form verify-signatures; echo "${COMPREPLY[@]}"
COMP_WORDS=(verify-signatures --format ""); COMP_CWORD=2
_verify__signatures verify-signatures "" --format; echo "${COMPREPLY[@]}"
"#;
    let run = shell("bash", &["--norc", "-s"], &script);
    assert_eq!(
        (run.stdout.as_str(), run.stderr.as_str()),
        ("--format\ntext jsonl\n", "")
    );
}

#[test]
fn zsh_loads_its_completions() {
    if !is_here("zsh", "zsh_loads_its_completions") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("_verify-signatures");
    fs::write(path, generated("zsh")).unwrap();
    let directory = directory.path().display();
    let script = format!(
        "fpath=({directory} $fpath); autoload -Uz compinit; compinit -u -d {directory}/dump\n\
         echo $_comps[verify-signatures]; autoload +X _verify-signatures && echo loaded\n"
    );
    let run = shell("zsh", &["-f", "-s"], &script);
    assert_eq!(
        (run.stdout.as_str(), run.stderr.as_str()),
        ("_verify-signatures\nloaded\n", "")
    );
}

#[test]
fn fish_completes_options_and_their_values() {
    if !is_here("fish", "fish_completes_options_and_their_values") {
        return;
    }
    let script = generated("fish")
        + "complete -C 'verify-signatures --form'\ncomplete -C 'verify-signatures --format '\n";
    let run = shell("fish", &["--no-config"], &script);
    let words: Vec<_> = run
        .stdout
        .lines()
        .filter_map(|line| line.split('\t').next())
        .collect();
    assert_eq!(
        (words, run.stderr.as_str()),
        (vec!["--format", "jsonl", "text"], "")
    );
}

#[test]
fn the_completions_of_powershell_and_elvish_have_the_options() {
    for what in ["powershell", "elvish"] {
        let script = generated(what);
        assert!(!script.contains("sha256'"), "{what}");
        for option in ["--report", "--key", "--color"] {
            assert!(
                script.contains(&format!("'{option}'")) || script.contains(&format!("{option} ")),
                "{what}"
            );
        }
    }
}
