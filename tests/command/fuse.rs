//! Storage that fails as it is told to: a file system of our own, mounted for the test.
//!
//! Needs `/dev/fuse` and the right to mount; where either is missing, and it is not CI, the tests
//! say that they are skipped.

use std::any::Any;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use crate::support::{
    Mirror, before_the_deadline, bytes, comes_true, fuse, send, sign, wait_until,
};
use fuser::{
    BackgroundSession, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, KernelConfig, LockOwner, OpenFlags, ReplyAttr, ReplyData, ReplyDirectory, ReplyEntry,
    ReplyOpen, Request,
};

const MIB: usize = 1024 * 1024;
const SIZE: usize = 12 * MIB;
/// Where reading begins to fail: in the second window or later, at no border of anything.
const FAILS_AT: u64 = 9 * MIB as u64 + 4096;
/// How long the system may cache what it learned about a file.
const TTL: Duration = Duration::from_secs(60);

/// What a file does behind [`FAILS_AT`].
#[derive(Clone, Copy, Debug, PartialEq)]
enum Behaviour {
    Sound,
    /// The device fails (EIO).
    Fails,
    /// Fewer bytes come than the file has.
    Short,
    /// Nothing comes, and no error.
    Stalls,
    /// The same from its first byte on.
    StallsAtOnce,
    /// It is gone when it is opened, though it was there when the directory was read.
    Vanishes,
    /// Not even its size can be had (EIO).
    Unknown,
    /// It has other bytes than were signed.
    Other,
    /// Looking it up is never answered.
    StallsInLookup,
    /// Opening it is never answered.
    StallsInOpen,
}

struct Node {
    name: String,
    content: Vec<u8>,
    behaviour: Behaviour,
}

/// Reads that are not answered; none any more once they are let go, or a reader that tries again
/// would wait for ever.
type Stalled = Mutex<Option<Vec<Box<dyn Any + Send>>>>;

/// Keeps a request without an answer; an error where they are let go.
fn stall<T: Any + Send>(stalled: &Stalled, reply: T, refuse: fn(T)) {
    match stalled.lock().unwrap().as_mut() {
        Some(stalled) => stalled.push(Box::new(reply)),
        None => refuse(reply),
    }
}

struct FailingFs {
    nodes: Vec<Node>,
    /// Reads that are not answered as long as this is mounted.
    stalled: Arc<Stalled>,
    directory: Directory,
    /// How often the directory has been opened.
    opened: Arc<AtomicU64>,
    /// How often it has been listed from its beginning.
    listings: AtomicU64,
}

/// What the directory itself does.
#[derive(Clone, Copy)]
struct Directory {
    /// How many of its files can be listed before it fails.
    listed: usize,
    /// How often it changes while it is listed.
    changes: u64,
    /// Whether it is never listed to its end.
    stalls: bool,
    /// Whether all files in it have one inode number and, as far as their attributes tell, are
    /// one.
    one_number: bool,
}

const SOUND: Directory = Directory {
    listed: usize::MAX,
    changes: 0,
    stalls: false,
    one_number: false,
};

impl FailingFs {
    fn node(&self, inode: INodeNo) -> Option<&Node> {
        self.nodes.get(fuse::file(inode)?)
    }

    fn attributes(&self, inode: INodeNo) -> Option<FileAttr> {
        if fuse::file(inode).is_some() {
            let size = self.node(inode)?.content.len() as u64;
            return Some(fuse::attributes(inode, size));
        }
        let listings = self.listings.load(Ordering::Relaxed);
        let changes = Duration::from_secs(listings.min(self.directory.changes));
        Some(FileAttr {
            mtime: UNIX_EPOCH + changes,
            ..fuse::attributes(inode, 0)
        })
    }
}

impl Filesystem for FailingFs {
    /// Room for every read that stalls: by default the kernel holds all others back when twelve
    /// wait, whichever files they are of.
    fn init(&mut self, _request: &Request, config: &mut KernelConfig) -> io::Result<()> {
        config
            .set_max_background(4096)
            .map_err(|_| io::ErrorKind::InvalidInput)?;
        Ok(())
    }

    fn lookup(&self, _request: &Request, _parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let at = self.nodes.iter().position(|node| *node.name == *name);
        let behaviour = at.map(|at| self.nodes[at].behaviour);
        match at.and_then(|at| self.attributes(fuse::inode(at))) {
            Some(_) if behaviour == Some(Behaviour::Unknown) => reply.error(Errno::EIO),
            Some(_) if behaviour == Some(Behaviour::StallsInLookup) => {
                stall(&self.stalled, reply, |reply| reply.error(Errno::EIO));
            }
            // The number is that of the request here, and any in the answers to the following ones.
            Some(attributes) if self.directory.one_number => {
                reply.entry(&Duration::ZERO, &attributes, Generation(0));
            }
            Some(attributes) => reply.entry(&TTL, &attributes, Generation(0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn open(&self, _request: &Request, inode: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        match self.node(inode).map(|node| node.behaviour) {
            None | Some(Behaviour::Vanishes) => reply.error(Errno::ENOENT),
            Some(Behaviour::StallsInOpen) => {
                stall(&self.stalled, reply, |reply| reply.error(Errno::EIO));
            }
            Some(_) => reply.opened(FileHandle(0), FopenFlags::empty()),
        }
    }

    fn getattr(
        &self,
        _request: &Request,
        inode: INodeNo,
        _handle: Option<FileHandle>,
        reply: ReplyAttr,
    ) {
        match self.attributes(inode) {
            Some(attributes) if attributes.kind == FileType::Directory => {
                reply.attr(&Duration::ZERO, &attributes)
            }
            Some(attributes) if self.directory.one_number => {
                let ino = INodeNo(99);
                reply.attr(&Duration::ZERO, &FileAttr { ino, ..attributes });
            }
            Some(attributes) => reply.attr(&TTL, &attributes),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn opendir(&self, _request: &Request, _inode: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        self.opened.fetch_add(1, Ordering::SeqCst);
        reply.opened(FileHandle(0), FopenFlags::empty());
    }

    fn readdir(
        &self,
        _request: &Request,
        _inode: INodeNo,
        _handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        if offset == 0 {
            self.listings.fetch_add(1, Ordering::Relaxed);
        }
        if self.directory.stalls {
            return stall(&self.stalled, reply, |reply| reply.error(Errno::EIO));
        }
        let listed = self.directory.listed;
        if offset as usize >= listed && listed < self.nodes.len() {
            return reply.error(Errno::EIO);
        }
        let names = self.nodes.iter().map(|node| &*node.name).take(listed);
        fuse::list(names, offset, &mut reply);
        reply.ok();
    }

    fn read(
        &self,
        _request: &Request,
        inode: INodeNo,
        _handle: FileHandle,
        offset: u64,
        size: u32,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let Some(node) = self.node(inode) else {
            return reply.error(Errno::ENOENT);
        };
        let end = (offset as usize + size as usize).min(node.content.len());
        let bytes = node.content.get(offset as usize..end).unwrap_or_default();
        match node.behaviour {
            Behaviour::Sound => reply.data(bytes),
            Behaviour::Other => {
                let other: Vec<u8> = bytes.iter().map(|byte| !byte).collect();
                reply.data(&other);
            }
            behaviour if behaviour != Behaviour::StallsAtOnce && end as u64 <= FAILS_AT => {
                reply.data(bytes)
            }
            Behaviour::Fails => reply.error(Errno::EIO),
            Behaviour::Stalls | Behaviour::StallsAtOnce => {
                stall(&self.stalled, reply, |reply| reply.error(Errno::EIO));
            }
            _ => reply.data(&bytes[..bytes.len() / 2]),
        }
    }
}

/// A mirror on the failing file system; unmounted with the value. Its key lies beside it.
struct Mounted {
    stalled: Arc<Stalled>,
    /// How often its directory has been opened.
    opened: Arc<AtomicU64>,
    session: Option<BackgroundSession>,
    beside: Mirror,
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Reads that still wait get an error, so that nothing holds on to the mount.
        self.stalled.lock().unwrap().take();
        fuse::unmount(&self.beside.path().join("m"));
        drop(self.session.take());
    }
}

impl Mounted {
    /// Neighbours on either side of a victim that behaves so, all of them signed as they are.
    fn new(behaviour: Behaviour) -> Mounted {
        Mounted::of(behaviour, Behaviour::Sound, SOUND)
    }

    /// The same with the victim's signature and the directory.
    fn of(behaviour: Behaviour, of_signature: Behaviour, directory: Directory) -> Mounted {
        let beside = Mirror::new();
        let content = bytes(SIZE, 0);
        let signature = sign(&beside.key, &content);
        let mut nodes = Vec::new();
        for (name, behaviour, of_signature) in [
            ("a.iso", Behaviour::Sound, Behaviour::Sound),
            ("victim.iso", behaviour, of_signature),
            ("z.iso", Behaviour::Sound, Behaviour::Sound),
        ] {
            let signature = Node {
                name: format!("{name}.sig.bin"),
                content: signature.clone(),
                behaviour: of_signature,
            };
            nodes.extend([
                Node {
                    name: name.to_owned(),
                    content: content.clone(),
                    behaviour,
                },
                signature,
            ]);
        }
        let mount = beside.path().join("m");
        let stalled = Arc::new(Mutex::new(Some(Vec::new())));
        let opened = Arc::new(AtomicU64::new(0));
        let fs = FailingFs {
            nodes,
            stalled: Arc::clone(&stalled),
            opened: Arc::clone(&opened),
            directory,
            listings: AtomicU64::new(0),
        };
        let session = Some(fuse::mount(fs, &mount, "failing", &[]));
        Mounted {
            stalled,
            opened,
            session,
            beside,
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.beside.command(&["-k", "key.pem", "m"]);
        command
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

const NEIGHBOURS: [&str; 2] = ["m/a.iso: ✅ Signature valid", "m/z.iso: ✅ Signature valid"];

#[test]
fn a_device_that_fails_in_the_middle_of_a_file_fails_that_file_and_no_other() {
    if !fuse::is_here("a_device_that_fails_in_the_middle_of_a_file") {
        return;
    }
    for io in ["auto", "mmap", "read", "direct"] {
        for jobs in ["1", "4"] {
            let mounted = Mounted::new(Behaviour::Fails);
            let output = mounted
                .command(&["--io", io, "--jobs", jobs])
                .output()
                .unwrap();
            let lines = String::from_utf8(output.stdout).unwrap();
            let failed = "m/victim.iso: ❌ Cannot read: Input/output error";
            let expected = format!("{}\n{failed}\n{}\n", NEIGHBOURS[0], NEIGHBOURS[1]);
            assert_eq!(lines, expected, "--io {io} --jobs {jobs}");
            assert_eq!(output.status.code(), Some(1));
        }
    }
}

#[test]
fn a_file_of_which_fewer_bytes_come_than_it_has_is_never_valid() {
    if !fuse::is_here("a_file_of_which_fewer_bytes_come_than_it_has") {
        return;
    }
    for io in ["mmap", "read", "direct"] {
        let mounted = Mounted::new(Behaviour::Short);
        let output = mounted.command(&["--io", io]).output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<_> = lines.lines().collect();
        assert_eq!((lines[0], lines[2]), (NEIGHBOURS[0], NEIGHBOURS[1]));
        assert!(lines[1].starts_with("m/victim.iso: ❌ "), "{lines:?}");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn a_read_that_stalls_blocks_no_other_and_a_signal_ends_the_run() {
    if !fuse::is_here("a_read_that_stalls") {
        return;
    }
    for io in ["mmap", "read", "direct"] {
        let mounted = Mounted::new(Behaviour::Stalls);
        let mut child = mounted
            .command(&["--io", io, "--jobs", "3", "--format", "jsonl"])
            .spawn()
            .unwrap();
        let mut objects = BufReader::new(child.stdout.take().unwrap()).lines();
        // The start and both neighbours, as they are decided, while the victim stalls.
        let seen: Vec<String> = objects.by_ref().take(3).map(Result::unwrap).collect();
        let valid = seen
            .iter()
            .filter(|line| line.contains("\"status\":\"valid\""))
            .count();
        assert_eq!(valid, 2, "{seen:?}");
        send(&["-INT"], &child);
        // While the read stalls.
        let summary = before_the_deadline(move || objects.next()).expect("it hangs");
        let summary = summary.unwrap().unwrap();
        assert!(summary.contains("\"interrupted\":\"SIGINT\""), "{summary}");
        drop(mounted);
        assert_eq!(child.wait().unwrap().code(), Some(130), "{io}");
        let mut stderr = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut stderr)
            .unwrap();
        assert!(stderr.contains("ended after 2 of 3: 2 valid; "), "{stderr}");
    }
}

#[test]
fn what_was_decided_is_printed_while_its_worker_is_stuck_in_the_next_file() {
    if !fuse::is_here("what_was_decided_is_printed_while_its_worker_is_stuck") {
        return;
    }
    for io in ["mmap", "read", "direct"] {
        let mounted = Mounted::new(Behaviour::StallsAtOnce);
        // One worker that hashes one file after the other.
        let mut child = mounted
            .command(&["--io", io, "--jobs", "1", "--sha256", "portable"])
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reported = before_the_deadline(move || lines.next());
        send(&["-INT"], &child);
        drop(mounted);
        assert_eq!(reported.unwrap().unwrap().unwrap(), NEIGHBOURS[0], "{io}");
        assert_eq!(child.wait().unwrap().code(), Some(130), "{io}");
    }
}

#[test]
fn what_vanishes_or_fails_between_the_walk_and_its_opening_is_reported_and_never_passes() {
    use Behaviour::{Sound, Unknown, Vanishes};
    if !fuse::is_here("what_vanishes_or_fails_between_the_walk_and_its_opening") {
        return;
    }
    for (data, signature, verdict) in [
        (Vanishes, Sound, "❌ Data file not found"),
        (Vanishes, Vanishes, "❌ Data file not found"),
        (Sound, Vanishes, "❌ Cannot read: No such file or directory"),
        (Unknown, Sound, "❌ Cannot read: Input/output error"),
        (Sound, Unknown, "❌ Cannot read: Input/output error"),
    ] {
        for io in ["mmap", "read", "direct"] {
            let mounted = Mounted::of(data, signature, SOUND);
            // What has lost its signature must not pass as one that never had any.
            let output = mounted
                .command(&["--io", io, "--allow-unsigned"])
                .output()
                .unwrap();
            let lines = String::from_utf8(output.stdout).unwrap();
            let [first, last] = NEIGHBOURS;
            assert_eq!(lines, format!("{first}\nm/victim.iso: {verdict}\n{last}\n"));
            assert_eq!(output.status.code(), Some(1));
        }
    }
}

#[test]
fn a_directory_that_fails_while_it_is_listed_is_reported_and_what_was_seen_of_it_is_verified() {
    if !fuse::is_here("a_directory_that_fails_while_it_is_listed") {
        return;
    }
    let failed = "m: ❌ Cannot read: Input/output error";
    // Nothing of it, the first pair, and the data of a second whose signature was not seen.
    for (listed, expected) in [
        (0, vec![failed]),
        (2, vec![failed, NEIGHBOURS[0]]),
        (
            3,
            vec![
                failed,
                NEIGHBOURS[0],
                "m/victim.iso: ⚠️ Signature file not found",
            ],
        ),
    ] {
        let mounted = Mounted::of(
            Behaviour::Sound,
            Behaviour::Sound,
            Directory { listed, ..SOUND },
        );
        let output = mounted.command(&["--allow-unsigned"]).output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        assert_eq!(lines.lines().collect::<Vec<_>>(), expected);
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn a_directory_that_changes_while_it_is_read_is_read_again_and_fails_when_it_never_stays_the_same()
{
    if !fuse::is_here("a_directory_that_changes_while_it_is_read") {
        return;
    }
    let files = format!(
        "{}\nm/victim.iso: ✅ Signature valid\n{}\n",
        NEIGHBOURS[0], NEIGHBOURS[1]
    );
    let failed = "m: ❌ Changed while reading (entries were added or removed while it was being read, so some may be missing here)\n";
    for (changes, first, status) in [(1, "", 0), (2, "", 0), (3, failed, 1), (1000, failed, 1)] {
        let directory = Directory { changes, ..SOUND };
        let mounted = Mounted::of(Behaviour::Sound, Behaviour::Sound, directory);
        let output = mounted
            .command(&["--allow-unsigned", "-v"])
            .output()
            .unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        let reasons = |line: &str| match line.starts_with("m: ") {
            true => format!("{line}\n"),
            false => format!("{}\n", line.split(" (").next().unwrap()),
        };
        let reported: String = lines.lines().map(reasons).collect();
        assert_eq!(reported, format!("{first}{files}"), "{changes} changes");
        assert_eq!(output.status.code(), Some(status));
    }
}

#[test]
fn files_to_which_a_server_gives_one_inode_number_are_each_read() {
    if !fuse::is_here("files_to_which_a_server_gives_one_inode_number") {
        return;
    }
    let directory = Directory {
        one_number: true,
        ..SOUND
    };
    for jobs in ["1", "4"] {
        // A server that does not care about numbers, with files as they were signed.
        let mounted = Mounted::of(Behaviour::Sound, Behaviour::Sound, directory);
        let output = mounted.command(&["--jobs", jobs]).output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        let expected = format!(
            "{}\nm/victim.iso: ✅ Signature valid\n{}\n",
            NEIGHBOURS[0], NEIGHBOURS[1]
        );
        assert_eq!((lines, output.status.code()), (expected, Some(0)));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("3 valid; 37.75 MB in "), "{stderr}");
        // One that would have the bytes of one file vouch for those of another.
        let mounted = Mounted::of(Behaviour::Other, Behaviour::Sound, directory);
        let output = mounted.command(&["--jobs", jobs]).output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        let expected = format!(
            "{}\nm/victim.iso: ❌ Signature invalid\n{}\n",
            NEIGHBOURS[0], NEIGHBOURS[1]
        );
        assert_eq!((lines, output.status.code()), (expected, Some(1)));
    }
}

#[test]
fn a_signal_ends_a_run_that_waits_for_a_directory_a_name_or_a_file_that_never_comes() {
    use Behaviour::{Sound, StallsInLookup, StallsInOpen};
    if !fuse::is_here("a_signal_ends_a_run_that_waits_for_a_directory_a_name_or_a_file") {
        return;
    }
    let stalls = Directory {
        stalls: true,
        ..SOUND
    };
    for (data, signature, directory) in [
        (Sound, Sound, stalls),
        (StallsInLookup, Sound, SOUND),
        (Sound, StallsInLookup, SOUND),
        (StallsInOpen, Sound, SOUND),
        (Sound, StallsInOpen, SOUND),
    ] {
        for arguments in [
            &["--report", "r.json"][..],
            &["--report", "r.json", "--jobs", "1", "-v"],
        ] {
            let mounted = Mounted::of(data, signature, directory);
            let mut child = mounted.command(arguments).spawn().unwrap();
            wait_until("a call stalls", || {
                !mounted.stalled.lock().unwrap().as_ref().unwrap().is_empty()
            });
            send(&["-INT"], &child);
            let beside = mounted.beside.path().to_owned();
            let report = || std::fs::read_to_string(beside.join("r.json"));
            let is_written = comes_true(|| report().is_ok());
            // The run is over. The process is, too, once the system lets go of the thread that
            // waits.
            drop(mounted.stalled.lock().unwrap().take());
            assert_eq!(child.wait().unwrap().code(), Some(130));
            let hidden = std::fs::read_dir(&beside).unwrap().filter(|entry| {
                let name = entry.as_ref().unwrap().file_name();
                name.to_string_lossy().starts_with('.')
            });
            assert_eq!(hidden.count(), 0);
            assert!(is_written, "{data:?}, {signature:?}, {arguments:?}");
            let report = report().unwrap();
            assert!(report.contains("\"interrupted\": \"SIGINT\""), "{report}");
        }
    }
}

#[test]
fn a_directory_that_is_excluded_or_too_deep_is_not_opened_since_its_mount_may_be_dead() {
    if !fuse::is_here("a_directory_that_is_excluded_or_too_deep_is_not_opened") {
        return;
    }
    let mounted = Mounted::new(Behaviour::Sound);
    mounted.beside.write_signed("x.zst", "x.sig.bin", b"x");
    for (arguments, opened) in [
        (&["--exclude", "m"][..], 0),
        (&["--max-depth", "1"], 0),
        (&[], 1),
    ] {
        let arguments = [&["-k", "key.pem", "."], arguments].concat();
        let run = mounted.beside.run(&arguments);
        assert!(
            run.stdout.contains("x.zst: ✅ Signature valid\n"),
            "{run:?}"
        );
        let times = mounted.opened.load(Ordering::SeqCst);
        assert_eq!(times.min(1), opened, "{arguments:?}");
    }
}

#[test]
fn standard_input_that_cannot_be_read_to_its_end_is_never_valid() {
    if !fuse::is_here("standard_input_that_cannot_be_read_to_its_end") {
        return;
    }
    for (behaviour, verdict) in [
        (Behaviour::Sound, "✅ Signature valid"),
        (Behaviour::Fails, "❌ Cannot read: Input/output error"),
        (Behaviour::Other, "❌ Signature invalid"),
    ] {
        for jobs in ["1", "2"] {
            let mounted = Mounted::new(behaviour);
            let mount = mounted.beside.path().join("m");
            let key = ["-k", "key.pem", "-j", jobs];
            let arguments = [&key[..], &["-s", "m/victim.iso.sig.bin", "-"]].concat();
            let mut command = mounted.beside.command(&arguments);
            command.stdin(std::fs::File::open(mount.join("victim.iso")).unwrap());
            let output = command.output().unwrap();
            let lines = String::from_utf8(output.stdout).unwrap();
            assert_eq!(lines, format!("-: {verdict}\n"));
            let status = i32::from(behaviour != Behaviour::Sound);
            assert_eq!(output.status.code(), Some(status));
        }
    }
}
