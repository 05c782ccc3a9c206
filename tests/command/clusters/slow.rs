//! A directory whose data files cannot be read until it is allowed: a run over it is in the midst
//! of its work for exactly as long as a test needs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags,
    Generation, INodeNo, LockOwner, MountOption, OpenFlags, ReplyAttr, ReplyData, ReplyDirectory,
    ReplyEntry, ReplyOpen, Request,
};

use crate::support::{is_available, is_root};

/// How long the system may believe what it was told of a file.
const TTL: Duration = Duration::from_secs(60);

/// The reads that wait, each with what it is to get; `None` once nothing waits any more.
type Waiting = Mutex<Option<Vec<(ReplyData, Vec<u8>)>>>;

struct SlowFs {
    files: Vec<(String, Vec<u8>)>,
    waiting: Arc<Waiting>,
}

impl SlowFs {
    /// Inode 1 is the directory; the files follow.
    fn file(&self, inode: INodeNo) -> Option<&(String, Vec<u8>)> {
        self.files
            .get(usize::try_from(u64::from(inode)).ok()?.checked_sub(2)?)
    }

    fn attributes(&self, inode: INodeNo) -> Option<FileAttr> {
        let (kind, perm, size) = match u64::from(inode) {
            1 => (FileType::Directory, 0o755, 0),
            _ => (FileType::RegularFile, 0o644, self.file(inode)?.1.len()),
        };
        Some(FileAttr {
            ino: inode,
            size: size as u64,
            blocks: (size as u64).div_ceil(512),
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind,
            perm,
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        })
    }
}

impl Filesystem for SlowFs {
    fn lookup(&self, _request: &Request, _parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let at = self.files.iter().position(|file| *file.0 == *name);
        match at.and_then(|at| self.attributes(INodeNo(at as u64 + 2))) {
            Some(attributes) => reply.entry(&TTL, &attributes, Generation(0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn open(&self, _request: &Request, _inode: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::empty());
    }

    fn getattr(
        &self,
        _request: &Request,
        inode: INodeNo,
        _handle: Option<FileHandle>,
        reply: ReplyAttr,
    ) {
        match self.attributes(inode) {
            Some(attributes) => reply.attr(&TTL, &attributes),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn readdir(
        &self,
        _request: &Request,
        _inode: INodeNo,
        _handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        for (at, (name, _)) in self.files.iter().enumerate().skip(offset as usize) {
            let inode = INodeNo(at as u64 + 2);
            if reply.add(inode, at as u64 + 1, FileType::RegularFile, name) {
                break;
            }
        }
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
        let Some((name, content)) = self.file(inode) else {
            return reply.error(Errno::ENOENT);
        };
        let end = (offset as usize + size as usize).min(content.len());
        let bytes = content.get(offset as usize..end).unwrap_or_default();
        match self.waiting.lock().unwrap().as_mut() {
            Some(waiting) if !name.ends_with(".sig.bin") => waiting.push((reply, bytes.to_vec())),
            _ => reply.data(bytes),
        }
    }
}

/// The directory, mounted as long as the value lives.
pub struct Slow {
    waiting: Arc<Waiting>,
    session: Option<BackgroundSession>,
    mount: PathBuf,
}

impl Slow {
    pub fn is_possible(test: &str) -> bool {
        let here = Path::new("/dev/fuse").exists() && is_root();
        is_available(here, "/dev/fuse and root", test)
    }

    /// Mounts these files.
    pub fn mount(mount: PathBuf, files: Vec<(String, Vec<u8>)>) -> Slow {
        std::fs::create_dir_all(&mount).unwrap();
        let waiting = Arc::new(Mutex::new(Some(Vec::new())));
        let fs = SlowFs {
            files,
            waiting: Arc::clone(&waiting),
        };
        let mut config = Config::default();
        config.mount_options = vec![MountOption::RO, MountOption::FSName("slow".to_owned())];
        let session = Some(fuser::spawn_mount(fs, &mount, &config).unwrap());
        Slow {
            waiting,
            session,
            mount,
        }
    }

    /// Whether somebody waits for content.
    pub fn is_waited_for(&self) -> bool {
        let waiting = self.waiting.lock().unwrap();
        waiting.as_ref().is_some_and(|waiting| !waiting.is_empty())
    }

    /// Lets everybody read, now and from now on.
    pub fn allow(&self) {
        for (reply, bytes) in self.waiting.lock().unwrap().take().into_iter().flatten() {
            reply.data(&bytes);
        }
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        // Leaves no reader waiting: that would keep it from being unmounted.
        self.allow();
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(&self.mount)
            .status();
        drop(self.session.take());
    }
}
