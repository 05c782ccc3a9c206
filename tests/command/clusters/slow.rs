//! A directory whose data files cannot be read until it is allowed: a run over it is in the midst
//! of its work for exactly as long as a test needs.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fuser::{
    BackgroundSession, Errno, FileAttr, FileHandle, Filesystem, FopenFlags, Generation, INodeNo,
    LockOwner, OpenFlags, ReplyAttr, ReplyData, ReplyDirectory, ReplyEntry, ReplyOpen, Request,
};

use crate::support::fuse;

/// How long the system may believe what it was told of a file.
const TTL: Duration = Duration::from_secs(60);

/// The reads that wait, each with what it is to get; `None` once nothing waits any more.
type Waiting = Mutex<Option<Vec<(ReplyData, Vec<u8>)>>>;

struct SlowFs {
    files: Vec<(String, Vec<u8>)>,
    waiting: Arc<Waiting>,
}

impl SlowFs {
    fn file(&self, inode: INodeNo) -> Option<&(String, Vec<u8>)> {
        self.files.get(fuse::file(inode)?)
    }

    fn attributes(&self, inode: INodeNo) -> Option<FileAttr> {
        let size = match fuse::file(inode) {
            None => 0,
            Some(_) => self.file(inode)?.1.len(),
        };
        Some(fuse::attributes(inode, size as u64))
    }
}

impl Filesystem for SlowFs {
    fn lookup(&self, _request: &Request, _parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let at = self.files.iter().position(|file| *file.0 == *name);
        match at.and_then(|at| self.attributes(fuse::inode(at))) {
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
        let names = self.files.iter().map(|(name, _)| &**name);
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
    /// Mounts these files.
    pub fn mount(mount: PathBuf, files: Vec<(String, Vec<u8>)>) -> Slow {
        let waiting = Arc::new(Mutex::new(Some(Vec::new())));
        let fs = SlowFs {
            files,
            waiting: Arc::clone(&waiting),
        };
        let session = Some(fuse::mount(fs, &mount, "slow", &[]));
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
        fuse::unmount(&self.mount);
        drop(self.session.take());
    }
}
