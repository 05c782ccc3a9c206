//! Runs the command as the files in `tests/cases/` say: what lies in the directory, what is typed,
//! what comes out.
//!
//! A case is run several times: as it stands, on one thread, reading without memory maps, and with
//! every SHA-256 implementation that this processor knows; the results must be the same.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use serde::Deserialize;
use support::{Mirror, Run};
use verify_signatures::internals::digest::Hasher;
use verify_signatures::internals::module;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// A sentence about behaviour.
    name: String,
    /// What `sh` does in the directory first; see `PRELUDE`.
    #[serde(default)]
    setup: String,
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// Only in a build with a validated module, or only in one without.
    module: Option<bool>,
    /// Run without root's rights, so that permissions count.
    #[serde(default)]
    without_rights: bool,
    stdout: String,
    /// Each must occur in stderr.
    #[serde(default)]
    stderr: Vec<String>,
    /// All of stderr.
    stderr_whole: Option<String>,
    status: i32,
}

/// What the setups can use: `$FIX` has the prepared files, `$KEYS` the wrong keys.
const PRELUDE: &str = r#"
set -e
signed() { mkdir -p "$(dirname "$1")" "$(dirname "$2")"; cp "$FIX/alpha" "$1"; cp "$FIX/alpha.sig" "$2"; }
"#;
/// The user id of `nobody`.
const NOBODY: u32 = 65534;

fn variants() -> Vec<Vec<&'static str>> {
    let ways = Hasher::all();
    let forced = ways.iter().map(|way| vec!["--sha256", way.name()]);
    let others = [vec![], vec!["--jobs", "1"], vec!["--io", "read"]];
    others.into_iter().chain(forced).collect()
}

fn main() {
    let arguments = Arguments::from_args();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    // Before the first thread: a child that is being started meanwhile would hold the copy open for
    // writing.
    let public = tempfile::tempdir().unwrap();
    let program: Arc<Path> = support::public_command(public.path()).into();
    let mut trials = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let cases: File = toml::from_str(&text)
            .map_err(|e| format!("{file:?}: {e}"))
            .unwrap();
        let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
        let has_module = cfg!(feature = "fips");
        let is_of_this_build = |case: &Case| case.module.is_none_or(|wanted| wanted == has_module);
        for case in cases.case.into_iter().filter(is_of_this_build) {
            let program = Arc::clone(&program);
            trials.push(Trial::test(format!("{stem}: {}", case.name), move || {
                check(&case, &program)
            }));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(public);
    conclusion.exit();
}

fn check(case: &Case, program: &Path) -> Result<(), Failed> {
    for variant in variants() {
        if variant
            .first()
            .is_none_or(|v| !case.args.iter().any(|a| a == v))
        {
            compare(case, &run(case, &variant, program)?, &variant)?;
        }
    }
    Ok(())
}

fn run(case: &Case, variant: &[&str], program: &Path) -> Result<Run, Failed> {
    let fixtures = tempfile::tempdir()?;
    support::open_to_all(fixtures.path());
    prepare(fixtures.path());
    let mirror = Mirror::new();
    support::open_to_all(mirror.path());
    set_up(case, mirror.path(), fixtures.path())?;
    let mut command = Command::new(program);
    command
        .current_dir(mirror.path())
        .env_remove("PUBKEY")
        .env("FIX", fixtures.path())
        .envs(&case.env)
        .args(variant)
        .args(&case.args);
    if case.without_rights {
        drop_rights(&mut command);
    }
    Ok(Run::of(command))
}

fn set_up(case: &Case, directory: &Path, fixtures: &Path) -> Result<(), Failed> {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
    let output = Command::new("sh")
        .args(["-c", &format!("{PRELUDE}{}", case.setup)])
        .current_dir(directory)
        .env("FIX", fixtures)
        .env("KEYS", keys)
        .output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("setup: {}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}

/// Root may read everything; `nobody` may not.
fn drop_rights(command: &mut Command) {
    if support::is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
}

fn prepare(fixtures: &Path) {
    let (key, other) = (support::signing_key(1), support::signing_key(2));
    let write = |name: &str, content: &[u8]| fs::write(fixtures.join(name), content).unwrap();
    write("alpha", b"alpha\n");
    write("alpha.sig", &support::sign(&key, b"alpha\n"));
    write("alpha.other.sig", &support::sign(&other, b"alpha\n"));
    write("beta", b"beta\n");
    write("beta.sig", &support::sign(&key, b"beta\n"));
    write("empty.sig", &support::sign(&key, b""));
    write("key.der", &support::public_der(&key));
    write("other.pem", support::public_pem(&other).as_bytes());
    write("private.pem", support::private_pem(&key).as_bytes());
    write("private.der", &support::private_der(&key));
}

fn compare(case: &Case, run: &Run, variant: &[&str]) -> Result<(), Failed> {
    let missing: Vec<&String> = case
        .stderr
        .iter()
        .filter(|text| !run.stderr.contains(*text))
        .collect();
    let whole = case
        .stderr_whole
        .as_ref()
        .is_none_or(|text| *text == run.stderr);
    // What the build says of its cryptography.
    let stdout = case.stdout.replace("MODULE", &module::version());
    if run.stdout == stdout && run.status == Some(case.status) && missing.is_empty() && whole {
        return Ok(());
    }
    let Run {
        stdout,
        stderr,
        status,
    } = run;
    Err(format!(
        "{variant:?}\n--- stdout, expected\n{}--- stdout, actual\n{stdout}--- stderr, lacking {missing:?}\n{stderr}\
         --- status {status:?}, expected {}",
        case.stdout, case.status
    )
    .into())
}
