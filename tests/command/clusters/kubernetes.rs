//! `examples/cluster/kubernetes`: manifests that are what Kubernetes asks for and agree with each
//! other, and the script that starts them, with a stand-in for the server that there is none of.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::manifests::{Job, RUN, read};
use super::{example, path_with, run_script};
use crate::support::Run;
use crate::support::readers::Readers;

/// The files with manifests.
fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir(example("kubernetes")).unwrap().flatten();
    let paths = entries.map(|entry| entry.path());
    paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect()
}

#[test]
fn every_manifest_is_strictly_valid_for_each_version_of_kubernetes_from_1_29_on() {
    let test = "every_manifest_is_strictly_valid_for_each_version_of_kubernetes";
    let Some(readers) = Readers::of(test) else {
        return;
    };
    let files = files();
    assert_eq!(files.len(), 4, "{files:?}");
    for file in files {
        read(&readers, &file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
    // And it is not that anything would pass.
    let text = fs::read_to_string(example("kubernetes/verify.yaml")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    for (right, wrong) in [
        ("backoffLimitPerIndex: 3", "backoffLimitPerIndexes: 3"),
        ("status: \"True\"", "status: True"),
        ("restartPolicy: Never", "restartPolicy: [Never]"),
        (
            "allowPrivilegeEscalation: false",
            "allowPrivilegeEscalations: false",
        ),
    ] {
        let file = directory.path().join("wrong.yaml");
        assert!(text.contains(right), "{right}");
        fs::write(&file, text.replace(right, wrong)).unwrap();
        assert!(read(&readers, &file).is_err(), "{wrong}");
    }
}

#[test]
fn shards_completions_and_the_reports_that_are_merged_are_as_many() {
    let test = "shards_completions_and_the_reports_that_are_merged_are_as_many";
    let Some(readers) = Readers::of(test) else {
        return;
    };
    let (verify, merge) = (
        Job::of(&readers, "verify.yaml"),
        Job::of(&readers, "merge.yaml"),
    );
    let spec = &verify.0["spec"];
    let shards = spec["completions"].as_u64().unwrap();
    assert_eq!(spec["completionMode"], "Indexed");
    assert_eq!(spec["parallelism"], shards);
    let index = format!("$(JOB_COMPLETION_INDEX)/{shards}");
    assert_eq!(verify.values_of("--shard-index"), [index]);
    let [written] = verify.values_of("--report")[..] else {
        panic!("not one report");
    };
    let expected: Vec<_> = (0..shards)
        .map(|index| written.replace("$(JOB_COMPLETION_INDEX)", &index.to_string()))
        .collect();
    let arguments = merge.arguments();
    assert_eq!(arguments[0], "--merge");
    assert_eq!(arguments[1..=expected.len()], expected);
    assert_eq!(arguments[expected.len() + 1], "--report");
}

#[test]
fn a_bad_artifact_is_final_and_a_drained_node_is_nobodys_failure() {
    let test = "a_bad_artifact_is_final_and_a_drained_node_is_nobodys_failure";
    let Some(readers) = Readers::of(test) else {
        return;
    };
    let verify = Job::of(&readers, "verify.yaml");
    let spec = &verify.0["spec"];
    let final_status = json!({
        "action": "FailIndex",
        "onExitCodes": { "containerName": "verify", "operator": "In", "values": [1] }
    });
    let drained = json!({
        "action": "Ignore",
        "onPodConditions": [{ "type": "DisruptionTarget", "status": "True" }]
    });
    assert_eq!(
        spec["podFailurePolicy"]["rules"],
        json!([final_status, drained])
    );
    assert_eq!(verify.container()["name"], "verify");
    // Some of the shards would do for a success policy, and the first failure for a limit.
    assert_eq!(spec["successPolicy"], Value::Null);
    assert_eq!(spec["maxFailedIndexes"], Value::Null);
    let merge = Job::of(&readers, "merge.yaml");
    assert_eq!(merge.0["spec"]["backoffLimit"], 0);
    assert_eq!(
        merge.0["spec"]["podFailurePolicy"]["rules"],
        json!([drained])
    );
}

#[test]
fn no_pod_has_a_right_that_it_does_not_need() {
    let Some(readers) = Readers::of("no_pod_has_a_right_that_it_does_not_need") else {
        return;
    };
    for file in ["verify.yaml", "merge.yaml"] {
        let job = Job::of(&readers, file);
        let pod = job.pod();
        assert_eq!(pod["restartPolicy"], "Never");
        assert_eq!(pod["automountServiceAccountToken"], false);
        let expected = json!({
            "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532,
            "fsGroupChangePolicy": "OnRootMismatch", "seccompProfile": { "type": "RuntimeDefault" }
        });
        assert_eq!(pod["securityContext"], expected, "{file}");
        let expected = json!({
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] }
        });
        assert_eq!(job.container()["securityContext"], expected, "{file}");
        for mount in job.container()["volumeMounts"].as_array().unwrap() {
            let is_read_only = mount["readOnly"] == true;
            assert_eq!(is_read_only, mount["name"] != "reports", "{mount}");
        }
    }
    let manifests = read(&readers, &example("kubernetes/namespace.yaml")).unwrap();
    let expected = json!({ "podSelector": {}, "policyTypes": ["Ingress", "Egress"] });
    assert_eq!(manifests[1]["kind"], "NetworkPolicy");
    assert_eq!(manifests[1]["spec"], expected);
}

/// A directory with a stand-in for `kubectl`, which answers from files and keeps what it is given,
/// and one for `sleep`.
fn stand_in(conditions: &[&str], exit_code: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let kubectl = r#"#!/bin/sh
here=$(dirname "$0")
echo "$*" >>"$here/calls"
case $3 in
create) cat >"$here/created-$(grep -c ' create ' "$here/calls").yaml" ;;
get) if [ "$4" = pods ]; then cat "$here/exit-code"; else
    # A line for each time that it is asked, and the last one from then on.
    head -n 1 "$here/conditions"
    [ "$(wc -l <"$here/conditions")" -eq 1 ] || sed -i 1d "$here/conditions"
  fi ;;
logs) echo "what the merge printed" ;;
esac
"#;
    for (name, content) in [
        ("kubectl", kubectl.to_owned()),
        ("sleep", "#!/bin/sh\n".to_owned()),
        ("conditions", conditions.join("\n") + "\n"),
        ("exit-code", exit_code.to_owned()),
    ] {
        let path = directory.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    directory
}

fn run(stand_in: &Path, arguments: &[&str]) -> Run {
    run_script("kubernetes/run.sh", |command| {
        command.env("PATH", path_with(&[stand_in])).args(arguments);
    })
}

#[test]
fn the_merge_is_started_once_all_shards_have_ended_whichever_way_and_its_status_is_the_runs() {
    for (conditions, exit_code, status) in [
        (&["Complete"][..], "0", 0),
        (
            &["", "SuccessCriteriaMet", "SuccessCriteriaMet Complete"],
            "0",
            0,
        ),
        (&["", "FailureTarget", "FailureTarget Failed"], "1", 1),
        (&["Failed"], "2", 2),
        (&["Failed"], "143", 143),
        // A pod that is gone.
        (&["Complete"], "", 2),
    ] {
        let stand_in = stand_in(conditions, exit_code);
        let run = run(stand_in.path(), &["2027-01-02"]);
        assert_eq!(run.status, Some(status), "{conditions:?} {run:?}");
        assert!(run.stdout.contains("what the merge printed"), "{run:?}");
        let calls = fs::read_to_string(stand_in.path().join("calls")).unwrap();
        let created: Vec<_> = calls.match_indices(" create ").collect();
        assert_eq!(created.len(), 2, "{calls}");
        let before_merge = &calls[..created[1].0];
        let asked = before_merge.matches("get job verify-2027-01-02 ").count();
        assert_eq!(asked, conditions.len(), "{calls}");
    }
}

#[test]
fn a_run_has_jobs_and_reports_of_its_own_name() {
    let Some(readers) = Readers::of("a_run_has_jobs_and_reports_of_its_own_name") else {
        return;
    };
    let stand_in = stand_in(&["Complete"], "0");
    run(stand_in.path(), &["2027-01-02"]);
    for (file, job) in [("created-1.yaml", "verify"), ("created-2.yaml", "merge")] {
        let path = stand_in.path().join(file);
        let manifests = read(&readers, &path).unwrap();
        assert_eq!(
            manifests[0]["metadata"]["name"],
            format!("{job}-2027-01-02")
        );
        assert!(!fs::read_to_string(path).unwrap().contains(RUN));
        let reports = manifests[0]
            .to_string()
            .matches("/reports/2027-01-02-")
            .count();
        assert!(reports > 0);
    }
}

#[test]
fn one_shard_of_a_run_can_be_run_again() {
    let Some(readers) = Readers::of("one_shard_of_a_run_can_be_run_again") else {
        return;
    };
    let stand_in = stand_in(&["Complete"], "0");
    assert_eq!(run(stand_in.path(), &["2027-01-02", "3"]).status, Some(0));
    let created = |n: u8| {
        let path = stand_in.path().join(format!("created-{n}.yaml"));
        Job(read(&readers, &path).unwrap().remove(0))
    };
    let (verify, merge) = (created(1), created(2));
    assert_eq!(verify.0["metadata"]["name"], "verify-2027-01-02-again-3");
    assert_eq!(verify.0["spec"]["completions"], 1);
    assert_eq!(verify.0["spec"]["parallelism"], 1);
    assert_eq!(verify.values_of("--shard-index"), ["3/8"]);
    assert_eq!(
        verify.values_of("--report"),
        ["/reports/2027-01-02-shard-3.json"]
    );
    assert_eq!(merge.0["metadata"]["name"], "merge-2027-01-02-again-3");
    let arguments = merge.arguments();
    assert_eq!(arguments[1], "/reports/2027-01-02-shard-0.json");
    let calls = fs::read_to_string(stand_in.path().join("calls")).unwrap();
    assert!(
        calls.contains("get job merge-2027-01-02-again-3 "),
        "{calls}"
    );
}

#[test]
fn a_run_needs_a_name_that_a_job_can_have_and_a_shard_a_number() {
    for arguments in [
        &[""][..],
        &["a b"],
        &["../x"],
        &["A"],
        &["x/g;s/y"],
        &["a", "x"],
    ] {
        let stand_in = stand_in(&["Complete"], "0");
        let run = run(stand_in.path(), arguments);
        assert_eq!(run.status, Some(2), "{arguments:?}");
        assert!(run.stderr.starts_with("  run.sh RUN"), "{}", run.stderr);
        assert!(!stand_in.path().join("calls").exists());
    }
}
