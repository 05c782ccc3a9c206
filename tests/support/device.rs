//! A device of a known speed: a file system of our own that serves the files of a directory as a disk,
//! a stick or a share would, and notes what was asked of it. One request is served at a time: of those
//! that wait, the next one in the direction in which the head moves, or else the first one.
//!
//! Needs `/dev/fuse` and the right to mount.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::{Mirror, fuse};
use fuser::{
    BackgroundSession, Errno, FileAttr, FileHandle, Filesystem, FopenFlags, Generation, INodeNo,
    InitFlags, KernelConfig, LockOwner, MountOption, OpenFlags, ReplyAttr, ReplyData,
    ReplyDirectory, ReplyEntry, ReplyOpen, Request,
};

const MIB: u64 = 1024 * 1024;
/// How long the system may cache what it learned about a file.
const TTL: Duration = Duration::from_secs(3600);

/// How fast a device is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Speed {
    /// Before a request that does not begin where the last one ended.
    pub seek: Duration,
    /// Before every request.
    pub command: Duration,
    /// Bytes in a second; 0 for as many as there are.
    pub rate: u64,
    /// From an answer that is ready to its arrival, for every call: meanwhile others are served.
    pub round_trip: Duration,
}

/// A request for bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The index of the file, in the order of the names.
    pub file: usize,
    /// Where it begins in the file.
    pub offset: u64,
    /// Its bytes.
    pub size: u64,
}

/// What a device did.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Requests for bytes, in the order in which they were served.
    pub asked: Vec<Asked>,
    /// Those that did not begin where the last one ended.
    pub seeks: usize,
    /// For how long it was busy.
    pub busy: Duration,
}

/// A file, and where it lies on the device: files lie one after the other, in the order of their
/// names.
struct Node {
    name: String,
    file: File,
    size: u64,
    at: u64,
}

impl Node {
    fn bytes(&self, asked: Asked) -> Vec<u8> {
        let mut bytes = vec![0; asked.size as usize];
        self.file.read_exact_at(&mut bytes, asked.offset).unwrap();
        bytes
    }
}

/// A mounted device; unmounted with the value.
pub struct Device {
    mount: PathBuf,
    account: Arc<Mutex<Account>>,
    held: Arc<Held>,
    nodes: Arc<Vec<Node>>,
    session: Option<BackgroundSession>,
}

/// Files whose bytes are held back, and those who wait for them.
type Held = Mutex<Option<(Vec<usize>, Vec<Wanted>)>>;

impl Device {
    /// Mounts the files of `directory` at `mount`.
    pub fn mount(directory: &Path, mount: &Path, speed: Speed) -> Device {
        let account = Arc::new(Mutex::new(Account::default()));
        let held = Arc::new(Held::default());
        let nodes = Arc::new(nodes(directory));
        let (requests, to_serve) = channel();
        let (answers, to_deliver) = channel();
        let served = Served {
            nodes: Arc::clone(&nodes),
            account: Arc::clone(&account),
            held: Arc::clone(&held),
            answers: answers.clone(),
            speed,
        };
        thread::spawn(move || served.serve(&to_serve));
        thread::spawn(move || deliver(&to_deliver));
        let front = Front {
            nodes: Arc::clone(&nodes),
            requests,
            answers,
            round_trip: speed.round_trip,
        };
        // A share, whose readers are limited, as those of a spinning disk are. (`Subtype` is for
        // fusermount; root calls mount(2).)
        let subtype = MountOption::CUSTOM("subtype=sshfs".to_owned());
        Device {
            session: Some(fuse::mount(front, mount, "device", &[subtype])),
            mount: mount.to_owned(),
            account,
            held,
            nodes,
        }
    }

    /// Holds back the bytes of these files, until [`Device::let_go`].
    pub fn hold(&self, files: &[usize]) {
        *self.held.lock().unwrap() = Some((files.to_owned(), Vec::new()));
    }

    /// Answers the requests for bytes that were held back.
    pub fn let_go(&self) {
        for Wanted { asked, reply, .. } in self
            .held
            .lock()
            .unwrap()
            .take()
            .into_iter()
            .flat_map(|held| held.1)
        {
            reply.data(&self.nodes[asked.file].bytes(asked));
        }
    }

    /// Returns the requests until now.
    pub fn asked(&self) -> Vec<Asked> {
        self.account.lock().unwrap().asked.clone()
    }

    /// Returns what was done since the last time.
    pub fn take_account(&self) -> Account {
        std::mem::take(&mut *self.account.lock().unwrap())
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // Requests that still wait get an answer, so that nothing holds on to the mount.
        self.let_go();
        fuse::unmount(&self.mount);
        drop(self.session.take());
    }
}

/// Runs a program of the system.
fn run(program: &str, arguments: &[&OsStr]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {words}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Copies the folder `d` of a mirror into an image of ext4, as it would be written to a disk; `bytes`
/// is how many it has.
pub fn write_image(mirror: &Mirror, bytes: u64) {
    let (folder, image) = (mirror.path().join("i"), mirror.path().join("i/image"));
    fs::create_dir_all(&folder).unwrap();
    let file = fs::File::create(&image).unwrap();
    file.set_len(bytes * 5 / 4 + 64 * MIB).unwrap();
    run(
        "mkfs.ext4",
        &["-q".as_ref(), "-m0".as_ref(), image.as_os_str()],
    );
    let mount = mirror.path().join("m");
    fs::create_dir_all(&mount).unwrap();
    run(
        "mount",
        &["-oloop".as_ref(), image.as_os_str(), mount.as_os_str()],
    );
    let mut from = mirror.path().join("d").into_os_string();
    from.push("/.");
    run("cp", &["-r".as_ref(), &from, mount.as_os_str()]);
    run("umount", &[mount.as_os_str()]);
}

/// A device of blocks, with the ext4 of the image of a mirror, mounted there as `m`; unmounted with the
/// value. A loop device is what the file that it shows lies on.
pub struct Disk {
    mount: PathBuf,
    loop_device: String,
    device: Device,
}

impl Disk {
    /// Mounts the image, to be read by requests of at most `largest` KiB.
    pub fn mount(mirror: &Mirror, speed: Speed, largest: u32) -> Disk {
        let path = |name: &str| mirror.path().join(name);
        let device = Device::mount(&path("i"), &path("f"), speed);
        let (image, mount) = (path("f/image"), path("m"));
        // Directly, or the image would be cached below the file system too.
        let options = ["--find", "--show", "--read-only", "--direct-io=on"].map(OsStr::new);
        let loop_device = run("losetup", &[&options[..], &[image.as_os_str()]].concat());
        let number = loop_device.trim_start_matches("/dev/");
        let queue = format!("/sys/block/{number}/queue/max_sectors_kb");
        fs::write(queue, largest.to_string()).unwrap();
        let name = OsStr::new(&loop_device);
        run("mount", &["-oro".as_ref(), name, mount.as_os_str()]);
        device.take_account();
        Disk {
            mount,
            loop_device,
            device,
        }
    }

    /// Returns the device below the file system.
    pub fn device(&self) -> &Device {
        &self.device
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        fuse::unmount(&self.mount);
        let _ = Command::new("losetup")
            .args(["--detach", &self.loop_device])
            .status();
    }
}

fn nodes(directory: &Path) -> Vec<Node> {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let mut paths: Vec<PathBuf> = files.map(|entry| entry.path()).collect();
    paths.sort();
    let mut at = 0;
    let node = |path: PathBuf| {
        let file = File::open(&path).unwrap();
        let size = file.metadata().unwrap().len();
        at += size;
        Node {
            name: path.file_name().unwrap().to_str().unwrap().to_owned(),
            file,
            size,
            at: at - size,
        }
    };
    paths.into_iter().map(node).collect()
}

/// An answer to deliver, and when.
type Answer = (Instant, Box<dyn FnOnce() + Send>);

/// Delivers each answer at its time; they come in the order of their times.
fn deliver(answers: &Receiver<Answer>) {
    for (time, answer) in answers {
        sleep_until(time);
        answer();
    }
}

fn sleep_until(time: Instant) {
    // A microsecond, where the system adds 50.
    let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
    thread::sleep(time.saturating_duration_since(Instant::now()));
}

/// A request for bytes, and when it came.
struct Wanted {
    came: Instant,
    asked: Asked,
    reply: ReplyData,
}

/// What serves requests for bytes.
struct Served {
    nodes: Arc<Vec<Node>>,
    account: Arc<Mutex<Account>>,
    held: Arc<Held>,
    answers: Sender<Answer>,
    speed: Speed,
}

impl Served {
    fn serve(&self, requests: &Receiver<Wanted>) {
        let (mut head, mut free) = (u64::MAX, Instant::now());
        let mut waiting = Vec::new();
        loop {
            if waiting.is_empty() {
                let Ok(wanted) = requests.recv() else {
                    return;
                };
                waiting.push(wanted);
            }
            waiting.extend(requests.try_iter());
            let next = self.next(&waiting, head);
            let Wanted { came, asked, reply } = waiting.remove(next);
            let at = self.place(asked);
            let seeks = at != head;
            head = at + asked.size;
            let time = self.time(asked.size, seeks);
            // From its own clock: a thread that is woken late makes no device slower.
            free = free.max(came) + time;
            {
                let mut account = self.account.lock().unwrap();
                account.asked.push(asked);
                account.seeks += usize::from(seeks);
                account.busy += time;
            }
            if let Some((files, held)) = self.held.lock().unwrap().as_mut()
                && files.contains(&asked.file)
            {
                held.push(Wanted { came, asked, reply });
                continue;
            }
            let bytes = self.nodes[asked.file].bytes(asked);
            sleep_until(free);
            let answer = move || reply.data(&bytes);
            if self.speed.round_trip.is_zero() {
                answer();
            } else {
                let time = free + self.speed.round_trip;
                // Nothing is delivered once it is unmounted.
                let _ = self.answers.send((time, Box::new(answer)));
            }
        }
    }

    /// Returns where a request begins on the device.
    fn place(&self, asked: Asked) -> u64 {
        self.nodes[asked.file].at + asked.offset
    }

    /// Returns the index of the request to serve next: from the head on towards the end, and from the
    /// beginning again, as disks and their schedulers do (C-LOOK).
    fn next(&self, waiting: &[Wanted], head: u64) -> usize {
        let away = |wanted: &Wanted| self.place(wanted.asked).wrapping_sub(head);
        let all = waiting.iter().enumerate();
        let nearest = all.filter(|_| !self.speed.seek.is_zero());
        let nearest = nearest.min_by_key(|(_, wanted)| away(wanted));
        nearest.map_or(0, |(at, _)| at)
    }

    fn time(&self, size: u64, seeks: bool) -> Duration {
        let seek = if seeks {
            self.speed.seek
        } else {
            Duration::ZERO
        };
        let transfer = size as f64 / (self.speed.rate.max(1) as f64);
        let transfer = match self.speed.rate {
            0 => Duration::ZERO,
            _ => Duration::from_secs_f64(transfer),
        };
        seek + self.speed.command + transfer
    }
}

/// What answers the system.
struct Front {
    nodes: Arc<Vec<Node>>,
    requests: Sender<Wanted>,
    answers: Sender<Answer>,
    round_trip: Duration,
}

impl Front {
    /// Answers after a round trip.
    fn answer(&self, answer: impl FnOnce() + Send + 'static) {
        if self.round_trip.is_zero() {
            return answer();
        }
        let time = Instant::now() + self.round_trip;
        let _ = self.answers.send((time, Box::new(answer)));
    }

    fn attributes(&self, inode: INodeNo) -> Option<FileAttr> {
        let size = match fuse::file(inode) {
            None => 0,
            Some(at) => self.nodes.get(at)?.size,
        };
        Some(fuse::attributes(inode, size))
    }
}

impl Filesystem for Front {
    /// As much at a time as the system asks for, so that it is the device that has them wait.
    fn init(&mut self, _request: &Request, config: &mut KernelConfig) -> io::Result<()> {
        let _ = config.set_max_background(4096);
        let _ = config.set_max_readahead(1024 * 1024);
        let _ = config.add_capabilities(InitFlags::FUSE_ASYNC_DIO);
        Ok(())
    }

    fn lookup(&self, _request: &Request, _parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let at = self.nodes.iter().position(|node| *node.name == *name);
        let attributes = at.and_then(|at| self.attributes(fuse::inode(at)));
        self.answer(move || match attributes {
            Some(attributes) => reply.entry(&TTL, &attributes, Generation(0)),
            None => reply.error(Errno::ENOENT),
        });
    }

    fn open(&self, _request: &Request, _inode: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        self.answer(move || reply.opened(FileHandle(0), FopenFlags::empty()));
    }

    fn getattr(
        &self,
        _request: &Request,
        inode: INodeNo,
        _handle: Option<FileHandle>,
        reply: ReplyAttr,
    ) {
        let attributes = self.attributes(inode);
        self.answer(move || match attributes {
            Some(attributes) => reply.attr(&TTL, &attributes),
            None => reply.error(Errno::ENOENT),
        });
    }

    fn readdir(
        &self,
        _request: &Request,
        _inode: INodeNo,
        _handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let names = self.nodes.iter().map(|node| &*node.name);
        fuse::list(names, offset, &mut reply);
        self.answer(move || reply.ok());
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
        let Some((file, node)) = fuse::file(inode).and_then(|at| Some((at, self.nodes.get(at)?)))
        else {
            return reply.error(Errno::ENOENT);
        };
        let size = u64::from(size).min(node.size.saturating_sub(offset));
        let asked = Asked { file, offset, size };
        let came = Instant::now();
        // Nothing is served once it is unmounted; the system answers then.
        let _ = self.requests.send(Wanted { came, asked, reply });
    }
}
