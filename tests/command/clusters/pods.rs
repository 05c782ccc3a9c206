//! The pods of `examples/cluster/kubernetes`, run by podman with the command lines and the rights
//! that the manifests give them.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::manifests::Job;
use super::{Shared, example, report};
use crate::support::readers::Readers;
use crate::support::{Run, is_available, is_here, is_root, open_to_all};

/// Images and containers in a directory of their own, away from the machine's.
struct Podman {
    storage: TempDir,
}

impl Podman {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("podman");
        for (option, directory) in [
            ("--root", "root"),
            ("--runroot", "run"),
            ("--tmpdir", "tmp"),
        ] {
            command.arg(option).arg(self.storage.path().join(directory));
        }
        command.args(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"]);
        command.args(["--runtime", "runc"]).args(arguments);
        command
    }

    /// Builds the example's image, with the libraries that this build of the command needs: the
    /// example's is linked statically.
    fn with_image() -> Podman {
        let storage = tempfile::tempdir().unwrap();
        let context = storage.path().join("context");
        fs::create_dir(&context).unwrap();
        let built = Path::new(crate::support::COMMAND);
        fs::copy(built, context.join("verify-signatures")).unwrap();
        for library in libraries(built) {
            let copy = context
                .join("libraries")
                .join(library.strip_prefix("/").unwrap());
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            fs::copy(library, copy).unwrap();
        }
        let file = fs::read_to_string(example("kubernetes/Containerfile")).unwrap();
        fs::write(context.join("Containerfile"), file + "COPY libraries /\n").unwrap();
        let podman = Podman { storage };
        let mut build = podman.command(&["build", "--quiet", "--isolation", "chroot"]);
        let built = Run::of({
            build.args(["--tag", "verify"]).arg(&context);
            build
        });
        assert_eq!(built.status, Some(0), "{}", built.stderr);
        podman
    }

    /// Runs a Job's container as the Job has it, with this index.
    fn run(&self, job: &Job, index: u64, shared: &Shared) -> Run {
        self.run_with(job, job.arguments(), index, shared)
    }

    /// The same with other arguments.
    fn run_with(&self, job: &Job, arguments: Vec<&str>, index: u64, shared: &Shared) -> Run {
        let mut command = self.command(&["run", "--rm", "--network", "none"]);
        // podman's own limits are above what this process may have.
        command.args([
            "--ulimit",
            "nofile=1024:1024",
            "--ulimit",
            "nproc=4096:4096",
        ]);
        command.args(rights(job)).args(mounts(job, shared));
        command.arg("verify");
        let expanded = |text: &str| text.replace("$(JOB_COMPLETION_INDEX)", &index.to_string());
        command.args(arguments.into_iter().map(expanded));
        Run::of(command)
    }
}

/// The libraries that a program is linked to.
fn libraries(program: &Path) -> Vec<PathBuf> {
    let output = Command::new("ldd").arg(program).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let words = text.split_whitespace();
    words
        .filter(|word| word.starts_with('/'))
        .map(PathBuf::from)
        .collect()
}

/// podman's options for a Job's security contexts, each of which must be there.
fn rights(job: &Job) -> Vec<String> {
    let (pod, container) = (
        &job.pod()["securityContext"],
        &job.container()["securityContext"],
    );
    assert_eq!(pod["runAsNonRoot"], true);
    // podman's own profile is its runtime's default.
    assert_eq!(pod["seccompProfile"]["type"], "RuntimeDefault");
    assert_eq!(container["readOnlyRootFilesystem"], true);
    assert_eq!(container["allowPrivilegeEscalation"], false);
    let mut options = vec![
        format!("--user={}:{}", pod["runAsUser"], pod["runAsGroup"]),
        format!("--group-add={}", pod["fsGroup"]),
        "--read-only".to_owned(),
        "--read-only-tmpfs=false".to_owned(),
        "--security-opt=no-new-privileges".to_owned(),
    ];
    let dropped = container["capabilities"]["drop"].as_array().unwrap();
    options.extend(
        dropped
            .iter()
            .map(|name| format!("--cap-drop={}", name.as_str().unwrap())),
    );
    options
}

/// podman's options for a container's volumes.
fn mounts(job: &Job, shared: &Shared) -> Vec<String> {
    let mounts = job.container()["volumeMounts"].as_array().unwrap();
    let of_mount = |mount: &serde_json::Value| {
        let from = shared.path(mount["name"].as_str().unwrap());
        let access = if mount["readOnly"] == true {
            "ro"
        } else {
            "rw"
        };
        let to = mount["mountPath"].as_str().unwrap();
        format!("--volume={}:{to}:{access}", from.display())
    };
    mounts.iter().map(of_mount).collect()
}

/// A mirror, the key under its name in the example, and a place for reports that only the pods'
/// user can write to.
fn shared() -> Shared {
    let shared = Shared::with_artifacts(5);
    let key = fs::read(shared.path("key.pem")).unwrap();
    shared.root.write("key/spectro_public_key.pem", key);
    open_to_all(shared.root.path());
    let reports = shared.path("reports");
    fs::create_dir(&reports).unwrap();
    chown(&reports, Some(65532), Some(65532)).unwrap();
    shared
}

fn pods_are_possible(test: &str) -> bool {
    let programs = ["podman", "runc", "ldd"];
    is_available(is_root(), "root", test) && programs.iter().all(|program| is_here(program, test))
}

#[test]
#[ignore = "builds an image and runs twenty containers; CI runs it"]
fn the_pods_of_the_example_verify_a_mirror_without_network_root_or_a_place_to_write() {
    let test = "the_pods_of_the_example_verify_a_mirror";
    let Some(readers) = Readers::of(test) else {
        return;
    };
    if !pods_are_possible(test) {
        return;
    }
    let (shared, podman) = (shared(), Podman::with_image());
    let verify = Job::of(&readers, "verify.yaml");
    let shards = verify.0["spec"]["completions"].as_u64().unwrap();
    for index in 0..shards {
        let run = podman.run(&verify, index, &shared);
        assert_eq!(run.status, Some(0), "{index}: {run:?}");
    }
    let written = fs::metadata(shared.path("reports/2026-11-25-shard-0.json")).unwrap();
    assert_eq!(written.uid(), 65532);
    for elsewhere in ["/report.json", "/mirror/report.json", "/tmp/report.json"] {
        let mut arguments = verify.arguments();
        let report = arguments
            .iter_mut()
            .find(|text| text.starts_with("/reports/"));
        *report.unwrap() = elsewhere;
        let run = podman.run_with(&verify, arguments, 0, &shared);
        assert_eq!(run.status, Some(2), "{elsewhere}: {run:?}");
    }

    let merge = Job::of(&readers, "merge.yaml");
    let run = podman.run(&merge, 0, &shared);
    assert_eq!(run.status, Some(0), "{run:?}");
    let whole = report(&shared.path("reports/2026-11-25-whole.json"));
    assert_eq!(whole["summary"]["counts"]["valid"], 5);

    // One shard is gone, and then one artifact is bad as well.
    let of_shard = |index: u64| shared.path(&format!("reports/2026-11-25-shard-{index}.json"));
    fs::remove_file(of_shard(7)).unwrap();
    assert_eq!(podman.run(&merge, 0, &shared).status, Some(2));
    shared.damage_artifact(4);
    let statuses: Vec<_> = (0..shards - 1)
        .map(|index| podman.run(&verify, index, &shared).status)
        .collect();
    assert_eq!(
        statuses.iter().filter(|status| **status == Some(1)).count(),
        1
    );
    assert_eq!(podman.run(&merge, 0, &shared).status, Some(1));
}
