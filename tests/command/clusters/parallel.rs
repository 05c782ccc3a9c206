//! `examples/cluster/parallel`: GNU parallel, here and by ssh.

use std::fs;

use super::ssh::Sshd;
use super::{Shared, report, run_script};
use crate::support::{Run, is_here};

const VERIFY: &str = "parallel/verify.sh";

/// Runs the script for so many shards: `before` comes first, `after` last.
fn verify(shared: &Shared, before: &[&str], shards: &str, after: &[String]) -> Run {
    run_script(VERIFY, |command| {
        // Where parallel keeps what it knows of machines.
        command.env("HOME", shared.root.path());
        command.args(before).arg(shards);
        command.args(shared.places("reports")).args(after);
    })
}

/// Fields of the jobs in the log of all that was run, in its order.
fn jobs(shared: &Shared, field: usize) -> Vec<String> {
    let log = fs::read_to_string(shared.path("reports/joblog")).unwrap();
    let jobs = log.lines().skip(1);
    jobs.map(|job| job.split('\t').nth(field).unwrap().to_owned())
        .collect()
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

/// Columns of parallel's log.
const NUMBER: usize = 0;
const HOST: usize = 1;
const EXIT: usize = 6;

fn valid(shared: &Shared) -> u64 {
    let whole = report(&shared.path("reports/whole.json"));
    whole["summary"]["counts"]["valid"].as_u64().unwrap()
}

#[test]
fn parallel_verifies_a_mirror_whose_paths_have_blanks_and_the_merge_says_that_all_is_valid() {
    if !is_here("parallel", "parallel_verifies_a_mirror") {
        return;
    }
    let shared = Shared::with_artifacts(5);
    let [key, mirror, _] = shared.places("");
    let spaced = [shared.path("the $key.pem"), shared.path("the mirror's")];
    fs::rename(key, &spaced[0]).unwrap();
    fs::rename(mirror, &spaced[1]).unwrap();
    let run = run_script(VERIFY, |command| {
        command.env("HOME", shared.root.path()).arg("3");
        command.args(spaced).arg(shared.path("reports"));
    });
    assert_eq!(run.status, Some(0), "{run:?}");
    assert_eq!(valid(&shared), 5);
    assert!(shared.path("reports/evidence.html").exists());
}

#[test]
fn two_bad_shards_are_status_1_and_not_2_and_only_they_are_run_again() {
    if !is_here("parallel", "two_bad_shards_are_status_1_and_not_2") {
        return;
    }
    let shared = Shared::with_artifacts(3);
    shared.damage_artifact(1);
    shared.damage_artifact(2);
    let run = verify(&shared, &[], "3", &[]);
    assert_eq!(run.status, Some(1), "{run:?}");
    assert!(
        run.stderr.contains("note: parallel ended with 2; "),
        "{run:?}"
    );
    assert_eq!(sorted(jobs(&shared, EXIT)), ["0", "1", "1"]);

    shared.sign_artifact(1);
    shared.sign_artifact(2);
    let run = verify(&shared, &["--again"], "3", &[]);
    assert_eq!(run.status, Some(0), "{run:?}");
    assert_eq!(valid(&shared), 3);
    assert_eq!(jobs(&shared, NUMBER).len(), 3 + 2);
}

#[test]
fn one_shard_without_a_judgement_is_status_2_and_not_1() {
    if !is_here("parallel", "one_shard_without_a_judgement_is_status_2") {
        return;
    }
    let shared = Shared::with_artifacts(3);
    shared.hide_key();
    let run = verify(&shared, &[], "1", &[]);
    assert_eq!(run.status, Some(2), "{run:?}");
    assert_eq!(jobs(&shared, EXIT), ["2"]);
    shared.show_key();
    let run = verify(&shared, &["--again"], "1", &[]);
    assert_eq!(run.status, Some(0), "{run:?}");
}

#[test]
fn a_run_that_parallel_does_not_even_begin_is_status_2() {
    if !is_here("parallel", "a_run_that_parallel_does_not_even_begin") {
        return;
    }
    let shared = Shared::with_artifacts(3);
    let run = verify(
        &shared,
        &[],
        "2",
        &["--sshloginfile", "/nowhere"].map(str::to_owned),
    );
    assert_eq!(run.status, Some(2), "{run:?}");
}

#[test]
fn parallel_shares_out_a_mirror_by_ssh_and_a_machine_that_is_gone_is_made_up_for() {
    let test = "parallel_shares_out_a_mirror_by_ssh";
    if !is_here("parallel", test) || !Sshd::is_possible(test) {
        return;
    }
    let shared = Shared::with_artifacts(6);
    let sshd = Sshd::start();
    let gone = verify(&shared, &[], "4", &machines(&sshd, &["n1", "gone"]));
    assert_eq!(gone.status, Some(2), "{gone:?}");
    let run = verify(&shared, &["--again"], "4", &machines(&sshd, &["n1", "n2"]));
    assert_eq!(run.status, Some(0), "{run:?}");
    assert_eq!(valid(&shared), 6);

    shared.damage_artifact(0);
    fs::rename(shared.path("reports"), shared.path("earlier")).unwrap();
    let run = verify(&shared, &[], "4", &machines(&sshd, &["n1", "n2"]));
    assert_eq!(run.status, Some(1), "{run:?}");
    assert_eq!(sorted(jobs(&shared, EXIT)), ["0", "0", "0", "1"]);
    let hosts = jobs(&shared, HOST).join("\n");
    assert!(hosts.contains("n1") && hosts.contains("n2"), "{hosts}");
}

/// parallel's options for these machines.
fn machines(sshd: &Sshd, names: &[&str]) -> [String; 4] {
    let file = sshd.path().join("machines");
    fs::write(&file, names.join("\n") + "\n").unwrap();
    let file = file.to_str().unwrap().to_owned();
    [
        "--ssh".to_owned(),
        sshd.client(),
        "--sshloginfile".to_owned(),
        file,
    ]
}
