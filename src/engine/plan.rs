//! Which file is hashed next, and by whom. Pure: sizes, identities and limits in, decisions out.

use std::collections::{BTreeMap, HashMap};

use crate::device::{Access, Medium};

/// What the plan needs to know of one artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Its size in bytes.
    pub size: u64,
    /// Which file it is, whatever the name.
    pub file: FileId,
}

/// A file's identity: its inode number and the device that number is unique on (POSIX `<sys/stat.h>`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId {
    /// `st_dev`.
    pub device: u64,
    /// `st_ino`.
    pub inode: u64,
}

/// One file to be hashed once, for all the artifacts that are names of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The size in bytes that was seen last.
    pub size: u64,
    /// The positions of its artifacts in the list that was planned, in that list's order.
    pub members: Vec<usize>,
    /// The queue to tell of its end, if its device is one that few may read at once.
    pub queue: Option<usize>,
    /// How many bytes the system is asked to read ahead.
    pub ahead: u64,
}

/// The files that nobody has begun with.
#[derive(Debug, Default)]
pub struct Plan {
    /// On devices that any number may read at once; the largest last, to be taken first, so that the last file to
    /// end is a small one.
    free: Vec<Job>,
    /// On devices that few may read at once, each in the order of the paths (which is often that of the disk), last first.
    limited: Vec<Queue>,
}

#[derive(Debug)]
struct Queue {
    waiting: Vec<Job>,
    being_read: usize,
    readers: usize,
}

impl Plan {
    /// Plans the `loads`; `access` says how each device is read. What is not in it is of [`Medium::Unknown`].
    pub fn new(loads: &[Load], access: &BTreeMap<u64, Access>) -> Plan {
        let mut plan = Plan::default();
        let mut queues: BTreeMap<u64, usize> = BTreeMap::new();
        for (device, mut job) in jobs(loads).into_iter().rev() {
            let access = access.get(&device).copied();
            let access = access.unwrap_or_else(|| Medium::Unknown.access());
            job.ahead = access.ahead;
            let Some(readers) = access.readers else {
                plan.free.push(job);
                continue;
            };
            let queue = *queues.entry(device).or_insert(plan.limited.len());
            if queue == plan.limited.len() {
                plan.limited.push(Queue::new(readers));
            }
            job.queue = Some(queue);
            plan.limited[queue].waiting.push(job);
        }
        // Stable on a list in reverse, so that equals are taken in the order of the paths.
        plan.free.sort_by_key(|job| job.size);
        plan
    }

    /// All files that wait.
    pub fn waiting(&self) -> impl Iterator<Item = &Job> {
        let limited = self.limited.iter().flat_map(|queue| &queue.waiting);
        self.free.iter().chain(limited)
    }

    /// Whether nothing waits any more.
    pub fn is_empty(&self) -> bool {
        self.waiting().next().is_none()
    }

    /// How many files may be hashed at once, by at most `threads` workers for the devices that any number may read.
    pub fn useful_threads(&self, threads: usize) -> usize {
        let limited = self.limited.iter().map(|q| q.readers.min(q.waiting.len()));
        self.free.len().min(threads) + limited.sum::<usize>()
    }

    /// The file to begin with now. Those on slow devices come first, since everything else is done sooner than they are.
    pub fn next(&mut self) -> Option<Job> {
        let limited = self.limited.iter_mut().find_map(Queue::next);
        limited.or_else(|| self.free.pop())
    }

    /// Whether there is a file to begin with now.
    pub fn may_begin(&self) -> bool {
        let limited = self.limited.iter();
        let ready = |queue: &Queue| queue.being_read < queue.readers && !queue.waiting.is_empty();
        !self.free.is_empty() || limited.into_iter().any(ready)
    }

    /// The file to begin with beside another one: never one on a slow device, which would hold the other one up.
    pub fn next_free(&mut self) -> Option<Job> {
        self.free.pop()
    }

    /// A file of this queue is read to its end: the next of its device may begin.
    pub fn ended(&mut self, queue: usize) {
        if let Some(queue) = self.limited.get_mut(queue) {
            queue.being_read -= 1;
        }
    }
}

impl Queue {
    fn new(readers: usize) -> Queue {
        Queue {
            waiting: Vec::new(),
            being_read: 0,
            readers,
        }
    }

    fn next(&mut self) -> Option<Job> {
        if self.being_read >= self.readers {
            return None;
        }
        let job = self.waiting.pop()?;
        self.being_read += 1;
        Some(job)
    }
}

/// One job for each file, behind the device it lies on, in the order of its first name.
fn jobs(loads: &[Load]) -> Vec<(u64, Job)> {
    let mut jobs: Vec<(u64, Job)> = Vec::with_capacity(loads.len());
    let mut job_of: HashMap<FileId, usize> = HashMap::with_capacity(loads.len());
    for (position, load) in loads.iter().enumerate() {
        let at = *job_of.entry(load.file).or_insert(jobs.len());
        match jobs.get_mut(at) {
            Some((_, job)) => {
                job.size = load.size;
                job.members.push(position);
            }
            None => jobs.push((
                load.file.device,
                Job {
                    size: load.size,
                    members: vec![position],
                    queue: None,
                    ahead: 0,
                },
            )),
        }
    }
    jobs
}

/// Whether a worker takes another file beside one of which `own` bytes are left, when `all` bytes are left in the run.
///
/// Two files in one thread are hashed faster than one after the other, but each of them slower than alone. So a file that
/// is more than the share of the others stays alone: the run cannot end before it does.
pub fn may_join(own: u64, all: u64, threads: usize) -> bool {
    let others = u128::from(all.saturating_sub(own));
    u128::from(own) * (threads.saturating_sub(1) as u128) < others
}
