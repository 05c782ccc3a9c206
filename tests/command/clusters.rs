//! The schedulers that share out a mirror among machines, with the scripts and manifests of
//! `examples/cluster` as they are.

mod daemons;
mod kubernetes;
mod manifests;
mod parallel;
mod pods;
mod scripts;
mod slow;
mod slurm;
mod ssh;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Mirror, Run, public_pem, sign};

/// A file or directory of `examples/cluster`.
fn example(path: &str) -> PathBuf {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/cluster");
    examples.join(path)
}

/// `PATH` with the built command and these programs before everything else.
fn path_with(programs: &[&Path]) -> OsString {
    let built = Path::new(crate::support::COMMAND);
    let inherited = std::env::var_os("PATH").unwrap();
    let first = programs.iter().map(|program| program.to_path_buf());
    let then = built.parent().map(Path::to_path_buf);
    let last = std::env::split_paths(&inherited);
    std::env::join_paths(first.chain(then).chain(last)).unwrap()
}

/// A script of the examples, which must not take longer than all the tests may.
fn script(name: &str) -> Command {
    let mut command = Command::new("timeout");
    command.arg("300").arg(example(name));
    command.env("PATH", path_with(&[])).env_remove("PUBKEY");
    command
}

/// What such a script says.
fn run_script(name: &str, adapt: impl FnOnce(&mut Command)) -> Run {
    let mut command = script(name);
    adapt(&mut command);
    Run::of(command)
}

/// A mirror on shared storage, the vendor's key beside it, and a place for reports.
struct Shared {
    root: Mirror,
}

impl Shared {
    /// So many artifacts, all valid, of different sizes.
    fn with_artifacts(count: usize) -> Shared {
        let shared = Shared {
            root: Mirror::new(),
        };
        for n in 0..count {
            shared.sign_artifact(n);
        }
        shared
    }

    /// Writes the artifact of this number as the vendor made it.
    fn sign_artifact(&self, n: usize) {
        let content = content(n);
        let (data, signature) = (format!("mirror/{n}.zst"), format!("mirror/{n}.sig.bin"));
        self.root.write_signed(&data, &signature, &content);
    }

    /// Damages the artifact of this number, which keeps its size.
    fn damage_artifact(&self, n: usize) {
        let mut content = content(n);
        content[0] ^= 1;
        self.root.write(&format!("mirror/{n}.zst"), content);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Key, mirror and reports, as the scripts are told them after N.
    fn places(&self, reports: &str) -> [PathBuf; 3] {
        ["key.pem", "mirror", reports].map(|name| self.path(name))
    }

    fn hide_key(&self) {
        fs::remove_file(self.path("key.pem")).unwrap();
    }

    fn show_key(&self) {
        self.root.write("key.pem", public_pem(&self.root.key));
    }

    fn sign(&self, content: &[u8]) -> Vec<u8> {
        sign(&self.root.key, content)
    }
}

/// The content of the artifact of this number.
fn content(n: usize) -> Vec<u8> {
    vec![n as u8; 1000 * (n + 1)]
}

/// A JSON report.
fn report(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}
