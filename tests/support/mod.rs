//! What the tests have in common: a key pair, signed files, the built command, and OpenSSL.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::explicit_write
)]

pub mod bundles;
pub mod device;
pub mod fuse;
pub mod hostile;
pub mod junit;
pub mod readers;
pub mod schema;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{DerSignature, Signature, SigningKey};
use p256::pkcs8::{EncodePrivateKey, EncodePublicKey};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

pub mod unescape;

/// The built command. With a validated module it has a name of its own, and the same tests.
pub const COMMAND: &str = if cfg!(feature = "fips") {
    match option_env!("CARGO_BIN_EXE_verify-signatures-fips") {
        Some(built) => built,
        None => panic!("cargo has built no verify-signatures-fips"),
    }
} else {
    env!("CARGO_BIN_EXE_verify-signatures")
};

/// Time after which what has not happened is taken for something that never will: far longer than
/// the busiest machine needs.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Whether it comes to this before the deadline.
pub fn comes_true(mut is_so: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    loop {
        if is_so() {
            return true;
        }
        if started.elapsed() >= DEADLINE {
            return false;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until it has come to this.
pub fn wait_until(what: &str, is_so: impl FnMut() -> bool) {
    assert!(comes_true(is_so), "it never came to this: {what}");
}

/// What comes of something that might never end; `None` if it has not ended by the deadline.
pub fn before_the_deadline<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = mpsc::channel();
    // After the deadline, the receiver is gone.
    thread::spawn(move || drop(sender.send(work())));
    receiver.recv_timeout(DEADLINE).ok()
}

/// The exit status of a process that must not hang.
pub fn end_of(child: &mut Child) -> Option<i32> {
    let has_ended = comes_true(|| child.try_wait().unwrap().is_some());
    // Of one that has ended, nothing is killed.
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert!(has_ended, "it hangs");
    status.code()
}

/// Sends a signal such as `-INT`, as often as it is named.
pub fn send(signals: &[&str], child: &Child) {
    let id = child.id().to_string();
    // The shell's own command, since not every machine has the program.
    let script = "id=$1; shift; for signal; do kill $signal $id; done";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh", &id]).args(signals);
    assert!(shell.status().unwrap().success());
}

/// Waits until the process has something open that is as it should be: it is in the midst of its
/// work on that.
pub fn wait_until_open(child: &Child, is_wanted: impl Fn(&Path) -> bool) {
    let descriptors = format!("/proc/{}/fd", child.id());
    wait_until("a file is open", || {
        let links = fs::read_dir(&descriptors).into_iter().flatten().flatten();
        let mut targets = links.flat_map(|link| fs::read_link(link.path()));
        targets.any(|target| is_wanted(&target))
    });
}

/// A signing key that is the same in every run; `number` tells several apart.
pub fn signing_key(number: u8) -> SigningKey {
    SigningKey::from_slice(&[number; 32]).unwrap()
}

/// The key of a [`Mirror`] that lies in it, pinned, so that nothing is said of where it lies.
pub const PINNED: [&str; 4] = [
    "-k",
    "key.pem",
    "--key-fingerprint",
    "f857ae4ed6e34e33761aea25caaee3fe54a15960fb92dcd63a375ab121deb2a9",
];

pub fn public_pem(key: &SigningKey) -> String {
    let der = key.verifying_key().to_public_key_der().unwrap();
    pem::encode_config(
        &pem::Pem::new("PUBLIC KEY", der.as_bytes()),
        pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
    )
}

pub fn public_der(key: &SigningKey) -> Vec<u8> {
    key.verifying_key().to_public_key_der().unwrap().into_vec()
}

pub fn private_der(key: &SigningKey) -> Vec<u8> {
    key.to_pkcs8_der().unwrap().as_bytes().to_vec()
}

pub fn private_pem(key: &SigningKey) -> String {
    pem::encode(&pem::Pem::new("PRIVATE KEY", private_der(key)))
}

/// The DER signature of a message.
pub fn sign(key: &SigningKey, message: &[u8]) -> Vec<u8> {
    sign_digest(key, &Sha256::digest(message))
}

pub fn sign_digest(key: &SigningKey, digest: &[u8]) -> Vec<u8> {
    let signature: Signature = key.sign_prehash(digest).unwrap();
    DerSignature::from(signature).as_bytes().to_vec()
}

/// Whether each artifact is valid, from the lines of a run over artifacts whose names are numbers;
/// none has another verdict than valid or invalid.
pub fn verdicts(lines: &str) -> BTreeMap<usize, bool> {
    let verdict = |line: &str| {
        let (path, verdict) = line.split_once(".zst: ").unwrap();
        let (_, number) = path.rsplit_once('/').unwrap();
        let is_valid = verdict == "✅ Signature valid";
        assert!(is_valid || verdict == "❌ Signature invalid", "{line}");
        (number.parse().unwrap(), is_valid)
    };
    lines.lines().map(verdict).collect()
}

/// `length` bytes: 251 different ones, beginning with `first`, again and again. They are copied:
/// made one by one, they would take longer than the command needs to hash them.
pub fn bytes(length: usize, first: u8) -> Vec<u8> {
    let period: Vec<u8> = (0..251).map(|n| first.wrapping_add(n)).collect();
    let mut bytes = period.repeat(length.div_ceil(period.len()));
    bytes.truncate(length);
    bytes
}

/// A directory with `key.pem` in it, gone with the value.
pub struct Mirror {
    pub directory: TempDir,
    pub key: SigningKey,
}

impl Mirror {
    pub fn new() -> Mirror {
        let mirror = Mirror {
            directory: tempfile::tempdir().unwrap(),
            key: signing_key(1),
        };
        mirror.write("key.pem", public_pem(&mirror.key));
        mirror
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Writes a data file and its signature.
    pub fn write_signed(&self, data: &str, signature: &str, content: &[u8]) {
        self.write(data, content);
        self.write(signature, sign(&self.key, content));
    }

    /// The JSON report of this name, which fits the schema.
    pub fn report(&self, name: &str) -> Value {
        let report = fs::read(self.path().join(name)).unwrap();
        let report: Value = serde_json::from_slice(&report).unwrap();
        schema::assert_fits(std::slice::from_ref(&report));
        report
    }

    /// Runs the built command with the pinned key.
    pub fn run_pinned(&self, arguments: &[&str]) -> Run {
        self.run(&[&PINNED, arguments].concat())
    }

    /// Runs the built command in the directory.
    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments))
    }

    /// Makes a directory that takes minutes to walk when it is named as often as the returned
    /// arguments name it.
    pub fn write_endless(&self) -> Vec<&'static str> {
        self.write("0/x.zst", "");
        for n in 0..5000 {
            self.write(&format!("0/{n}"), "");
        }
        vec!["0"; 30_000]
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(COMMAND);
        command
            .args(arguments)
            .current_dir(self.path())
            .env_remove("PUBKEY");
        command
    }
}

/// What a finished command said.
#[derive(Debug, PartialEq, Eq)]
pub struct Run {
    pub stdout: String,
    pub stderr: String,
    pub status: Option<i32>,
}

impl Run {
    pub fn of(mut command: Command) -> Run {
        // execve(2) refuses a program that a process has open for writing (ETXTBSY), be it for a
        // moment. That says nothing of the program.
        let mut output = command.output();
        let is_free = || {
            let is_busy = |error: &io::Error| error.kind() == io::ErrorKind::ExecutableFileBusy;
            if output.as_ref().is_err_and(is_busy) {
                output = command.output();
            }
            !output.as_ref().is_err_and(is_busy)
        };
        comes_true(is_free);
        output.unwrap().into()
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Run {
        Run {
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            status: output.status.code(),
        }
    }
}

/// Whether the oracle is here.
pub fn openssl_is_here(test: &str) -> bool {
    is_here("openssl", test)
}

/// Whether a program is here.
pub fn is_here(program: &str, test: &str) -> bool {
    // What it makes of the argument does not matter.
    let here = Command::new(program).arg("--version").output().is_ok();
    is_available(here, program, test)
}

/// Whether it is here, as it is said to be. Where CI runs it must be; elsewhere its absence is said
/// out loud.
pub fn is_available(here: bool, what: &str, test: &str) -> bool {
    let in_ci = std::env::var_os("CI").is_some();
    assert!(here || !in_ci, "CI needs {what}");
    if !here {
        // Not by eprintln!, which the harness holds back when a test passes.
        writeln!(io::stderr(), "SKIPPED, for want of {what}: {test}").unwrap();
    }
    here
}

/// The SHA-256 implementation of this processor that hashes the most files side by side.
pub fn most_lanes() -> &'static str {
    let all = verify_signatures::internals::digest::Hasher::all();
    all.iter().max_by_key(|way| way.lanes()).unwrap().name()
}

/// Whether this runs with root's rights.
pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// A user that has no other process on this machine, also beside other suites; `number`, less than
/// 16, tells several apart. Less than 65536, which containers may have no user above.
pub fn lonely_user(number: u32) -> u32 {
    40_000 + std::process::id() % 1500 * 16 + number
}

/// The verdict of `openssl dgst -sha256 -verify`.
pub fn openssl_verifies(key: &Path, signature: &Path, data: &Path) -> bool {
    let output = Command::new("openssl")
        .args(["dgst", "-sha256", "-verify"])
        .arg(key)
        .arg("-signature")
        .arg(signature)
        .arg(data)
        .output()
        .unwrap();
    output.status.success()
}

/// A copy of the command that every user may run, in a directory that every user may enter.
pub fn public_command(directory: &Path) -> PathBuf {
    let copy = directory.join("verify-signatures");
    fs::copy(COMMAND, &copy).unwrap();
    open_to_all(directory);
    copy
}

pub fn open_to_all(directory: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
}
