//! What all scripts of `examples/cluster` have in common.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{Shared, example, run_script};
use crate::support::{Run, is_here};

/// Every script below `examples/cluster`.
fn scripts() -> Vec<PathBuf> {
    let directories = fs::read_dir(example("")).unwrap().flatten();
    let mut scripts = Vec::new();
    for directory in directories
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
    {
        for entry in fs::read_dir(directory).unwrap().flatten() {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            if text.starts_with("#!") {
                scripts.push(entry.path());
            }
        }
    }
    scripts
}

#[test]
fn shellcheck_has_nothing_to_say_about_the_scripts() {
    if !is_here(
        "shellcheck",
        "shellcheck_has_nothing_to_say_about_the_scripts",
    ) {
        return;
    }
    let scripts = scripts();
    assert_eq!(scripts.len(), 5, "{scripts:?}");
    let mut command = Command::new("shellcheck");
    command.args(scripts);
    let run = Run::of(command);
    assert_eq!((run.stdout.as_str(), run.status), ("", Some(0)));
}

#[test]
fn a_script_that_is_told_too_little_says_what_it_needs_and_has_no_judgement() {
    for script in ["slurm/submit.sh", "parallel/verify.sh", "kubernetes/run.sh"] {
        let run = run_script(script, |_| {});
        assert_eq!(run.status, Some(2), "{script}");
        let name = script.rsplit('/').next().unwrap();
        assert!(run.stderr.trim_start().starts_with(name), "{}", run.stderr);
    }
}

#[test]
fn reports_of_an_earlier_run_never_stand_in_for_those_of_this_one() {
    let shared = Shared::with_artifacts(1);
    fs::create_dir(shared.path("reports")).unwrap();
    for script in ["slurm/submit.sh", "parallel/verify.sh"] {
        let run = run_script(script, |command| {
            command.arg("2").args(shared.places("reports"));
        });
        assert_eq!(run.status, Some(2), "{script}");
        assert!(run.stderr.contains("File exists"), "{}", run.stderr);
        assert!(!shared.path("reports/shards").exists());
    }
}

#[test]
fn only_a_run_that_has_begun_can_be_gone_on_with() {
    let shared = Shared::with_artifacts(1);
    let places = shared.places("reports");
    let run = run_script("slurm/submit.sh", |command| {
        command.arg("2").args(&places).arg("1");
    });
    assert_eq!(run.status, Some(2), "{}", run.stderr);
    let run = run_script("parallel/verify.sh", |command| {
        command.args(["--again", "2"]).args(&places);
    });
    assert_eq!(run.status, Some(2), "{}", run.stderr);
}
