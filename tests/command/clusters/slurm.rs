//! `examples/cluster/slurm` on a cluster of four nodes that is started for the test.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::daemons::{Cluster, slurm_is_here};
use super::slow::Slow;
use super::{Shared, content, report, run_script, script};
use crate::support::{Run, fuse, wait_until};

const SUBMIT: &str = "slurm/submit.sh";

/// Submits a run of so many shards, and what more there is to say, and waits for its end.
fn verify(cluster: &Cluster, shared: &Shared, shards: &str, more: &[&str]) -> Run {
    run_script(SUBMIT, |command| {
        cluster.reach(command);
        command.args(["--wait", shards]);
        command.args(shared.places("reports")).args(more);
    })
}

/// The same, while the test goes on; with a time limit for each job, in minutes.
fn begin(cluster: &Cluster, shared: &Shared, shards: &str, limit: Option<&str>) -> Child {
    let mut command = script(SUBMIT);
    cluster.reach(&mut command);
    command.envs(limit.map(|limit| ("SBATCH_TIMELIMIT", limit)));
    command.args(["--wait", shards]);
    command.args(shared.places("reports"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn end(run: Child) -> Run {
    run.wait_with_output().unwrap().into()
}

/// Everything there is to see where something is not as expected.
fn account(cluster: &Cluster, shared: &Shared, run: &Run) -> String {
    let logs = Command::new("sh")
        .args(["-c", "tail -n 20 \"$1\"/*.log", "sh"])
        .arg(shared.path("reports"))
        .output()
        .unwrap();
    let logs = String::from_utf8_lossy(&logs.stdout).into_owned();
    format!(
        "{run:?}\n{:#?}\n{logs}\n{}",
        cluster.tasks(),
        cluster.logs()
    )
}

/// Adds to a mirror one artifact that cannot be read until that is allowed.
fn with_slow_artifact(shared: &Shared) -> Slow {
    let slow = content(100);
    let signature = shared.sign(&slow);
    let files = vec![
        ("slow.zst".to_owned(), slow),
        ("slow.sig.bin".to_owned(), signature),
    ];
    Slow::mount(shared.path("mirror/slow"), files)
}

/// Number and node of the only task that still runs, once it waits for the slow artifact.
fn wait_for_slow_task(cluster: &Cluster, slow: &Slow) -> (usize, String) {
    let mut running = Vec::new();
    wait_until("one task alone waits for its artifact", || {
        running = cluster
            .tasks()
            .into_iter()
            .filter(|(_, task)| task.state == "RUNNING")
            .map(|(number, task)| (number, task.node))
            .collect();
        running.len() == 1 && slow.is_waited_for()
    });
    running.remove(0)
}

/// Whether the shard of this number has left a report that says that it was cut off.
fn is_incomplete(shared: &Shared, number: usize) -> bool {
    let of_shard = shared.path(&format!("reports/shards/{number}.json"));
    of_shard.exists() && report(&of_shard)["summary"]["complete"] == false
}

/// How many artifacts are valid, of how many.
fn counts(whole: &Path) -> (u64, u64) {
    let summary = &report(whole)["summary"];
    let valid = summary["counts"]["valid"].as_u64().unwrap();
    (valid, summary["expected"].as_u64().unwrap())
}

#[test]
#[ignore = "starts a Slurm cluster; CI runs it"]
fn slurm_verifies_a_mirror_in_shards_and_the_merge_says_that_all_is_valid() {
    if !slurm_is_here("a mirror in shards") {
        return;
    }
    let (shared, cluster) = (Shared::with_artifacts(9), Cluster::start());
    let run = verify(&cluster, &shared, "4", &[]);
    assert_eq!(run.status, Some(0), "{}", account(&cluster, &shared, &run));
    assert_eq!(counts(&shared.path("reports/whole.json")), (9, 9));
    assert!(shared.path("reports/evidence.html").exists());
    let exits: Vec<_> = cluster
        .tasks()
        .into_values()
        .map(|task| task.exit)
        .collect();
    assert_eq!(exits, ["0:0"; 4]);
}

#[test]
#[ignore = "starts a Slurm cluster; CI runs it"]
fn slurm_runs_the_merge_after_a_bad_shard_which_is_not_requeued() {
    if !slurm_is_here("a bad shard") {
        return;
    }
    let (shared, cluster) = (Shared::with_artifacts(9), Cluster::start());
    shared.damage_artifact(8);
    let run = verify(&cluster, &shared, "4", &[]);
    assert_eq!(run.status, Some(1), "{}", account(&cluster, &shared, &run));
    assert_eq!(counts(&shared.path("reports/whole.json")), (8, 9));
    let mut exits: Vec<_> = cluster
        .tasks()
        .into_values()
        .map(|task| task.exit)
        .collect();
    exits.sort();
    assert_eq!(exits, ["0:0", "0:0", "0:0", "1:0"]);
    assert!(cluster.tasks().values().all(|task| task.restarts == 0));
}

#[test]
#[ignore = "starts a Slurm cluster; CI runs it"]
fn slurm_runs_the_shard_of_a_lost_node_again_on_another() {
    let test = "the shard of a lost node";
    if !slurm_is_here(test) || !fuse::is_here(test) {
        return;
    }
    let shared = Shared::with_artifacts(4);
    let slow = with_slow_artifact(&shared);
    let mut cluster = Cluster::that_misses_lost_nodes();
    let run = begin(&cluster, &shared, "4", None);
    let (number, node) = wait_for_slow_task(&cluster, &slow);
    cluster.kill(&node);
    slow.allow();
    let run = end(run);
    assert_eq!(run.status, Some(0), "{}", account(&cluster, &shared, &run));
    assert_eq!(counts(&shared.path("reports/whole.json")), (5, 5));
    let task = &cluster.tasks()[&number];
    assert_eq!((task.restarts, task.exit.as_str()), (1, "0:0"));
    assert_ne!(task.node, node);
}

#[test]
#[ignore = "starts a Slurm cluster; CI runs it"]
fn slurm_requeues_shards_without_a_judgement_until_they_have_one() {
    if !slurm_is_here("shards without a judgement") {
        return;
    }
    let (shared, cluster) = (Shared::with_artifacts(4), Cluster::start());
    shared.hide_key();
    let run = begin(&cluster, &shared, "2", None);
    wait_until("both shards are requeued", || {
        let tasks = cluster.tasks();
        tasks.len() == 2 && tasks.values().all(|task| task.restarts > 0)
    });
    shared.show_key();
    let run = end(run);
    assert_eq!(run.status, Some(0), "{}", account(&cluster, &shared, &run));
}

#[test]
#[ignore = "starts a Slurm cluster; CI runs it"]
fn slurm_gives_up_shards_that_never_have_a_judgement_and_the_merge_ends_the_run_once() {
    if !slurm_is_here("shards that never have a judgement") {
        return;
    }
    let (shared, cluster) = (Shared::with_artifacts(4), Cluster::start());
    shared.hide_key();
    let run = verify(&cluster, &shared, "2", &[]);
    assert_eq!(run.status, Some(2), "{}", account(&cluster, &shared, &run));
    let exits: Vec<_> = cluster
        .tasks()
        .into_values()
        .map(|task| task.exit)
        .collect();
    assert_eq!(exits, ["3:0"; 2]);
}

#[test]
#[ignore = "starts a Slurm cluster; CI runs it"]
fn slurm_runs_a_shard_that_hit_its_time_limit_again_alone_and_the_merge_turns_from_2_to_0() {
    let test = "a shard that hit its time limit";
    if !slurm_is_here(test) || !fuse::is_here(test) {
        return;
    }
    let shared = Shared::with_artifacts(4);
    let slow = with_slow_artifact(&shared);
    let cluster = Cluster::start();
    // The shortest limit there is: SIGTERM comes a minute before it, at once.
    let run = begin(&cluster, &shared, "4", Some("1"));
    let mut cut_off = None;
    wait_until("a shard has reported how far it came", || {
        cut_off = (1..=4).find(|number| is_incomplete(&shared, *number));
        cut_off.is_some()
    });
    let number = cut_off.unwrap();
    slow.allow();
    let run = end(run);
    assert_eq!(run.status, Some(2), "{}", account(&cluster, &shared, &run));
    assert_eq!(cluster.tasks()[&number].exit, "143:0");

    let run = verify(&cluster, &shared, "4", &[&number.to_string()]);
    assert_eq!(run.status, Some(0), "{}", account(&cluster, &shared, &run));
    assert_eq!(counts(&shared.path("reports/whole.json")), (5, 5));
}

#[test]
#[ignore = "starts a Slurm cluster; CI runs it"]
fn slurm_runs_more_shards_than_there_are_artifacts() {
    if !slurm_is_here("more shards than artifacts") {
        return;
    }
    let (shared, cluster) = (Shared::with_artifacts(2), Cluster::start());
    let run = verify(&cluster, &shared, "6", &[]);
    assert_eq!(run.status, Some(0), "{}", account(&cluster, &shared, &run));
    assert_eq!(counts(&shared.path("reports/whole.json")), (2, 2));
}
