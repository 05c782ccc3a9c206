//! Readers of reports that others wrote: Python's and Node's libraries, which `.ci/run` installs.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::is_available;

/// Where `.ci/run` installed them.
pub struct Readers(PathBuf);

impl Readers {
    /// The readers, if they are here.
    pub fn of(test: &str) -> Option<Readers> {
        let directory = std::env::var_os("READERS").map(PathBuf::from);
        let here = directory.filter(|directory| directory.join("complete").exists());
        let what = "the readers of reports that .ci/run installs ($READERS)";
        is_available(here.is_some(), what, test).then_some(Readers(here?))
    }

    /// What the script of this name in `tests/readers` prints if it accepts the report, and what it
    /// complains of if it does not.
    pub fn read(&self, script: &str, report: &Path, more: &[&str]) -> Result<String, String> {
        let mut command = self.command(script);
        let output = command.arg(report).args(more).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(text(&output.stderr))
        }
    }

    /// A script of `tests/readers`, to be given its arguments.
    pub fn command(&self, script: &str) -> Command {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers");
        let program = if script.ends_with(".cjs") {
            PathBuf::from("node")
        } else {
            self.0.join("python/bin/python")
        };
        let mut command = Command::new(program);
        command.arg(directory.join(script));
        command.env("NODE_PATH", self.0.join("node_modules"));
        // No cache of compiled scripts in the source tree.
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}
