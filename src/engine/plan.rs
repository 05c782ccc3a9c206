//! Decides which file is hashed next. Pure: takes sizes, identities and limits, and returns
//! decisions.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use crate::device::{Access, Medium};
use crate::files::FileId;

/// What the plan needs to know about one artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Its size in bytes.
    pub size: u64,
    /// The file's identity, from the file system.
    pub file: FileId,
    /// The number of its name, or of its list of parts, where the identity of the file does not
    /// suffice; see [`crate::device::identity`].
    pub name: Option<usize>,
    /// Whose turn it is.
    pub turn: Turn,
}

/// Whose turn it is: the smaller ones go first, among equals the larger files.
///
/// It is the time of the last verdict that passed, in nanoseconds since 1970; 0 for an artifact
/// that never passed, or failed last. Without a ledger all are equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn(pub u64);

/// One file to hash once, for all the artifacts that are names of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The most recently observed size in bytes.
    pub size: u64,
    /// The first turn of its artifacts.
    pub turn: Turn,
    /// The indices of its artifacts in the planned list, in that list's order.
    pub members: Vec<usize>,
    /// What it takes of its device, if that limits readers.
    pub slot: Option<Slot>,
    /// Number of bytes that the system is asked to read ahead.
    pub ahead: u64,
    /// Whether direct I/O is worth it on its device.
    pub direct: bool,
}

/// What a file takes of a device that limits its readers, from its beginning to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The plan's queue of the files on the device.
    pub queue: usize,
    /// Whether its last bytes were requested, so that it does not count as being read any more.
    pub is_requested: bool,
    /// Whether it is too large to be read beside others.
    pub is_large: bool,
}

/// A file that is not begun yet: there may be a million.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    size: u64,
    turn: Turn,
    /// Where its artifacts begin in the plan's members.
    first: usize,
    /// Their number.
    count: u32,
    /// The index of its device.
    device: u32,
}

/// How the files of a device are read.
#[derive(Clone, Copy, Debug)]
struct Device {
    /// Its queue, if it limits readers.
    queue: Option<usize>,
    ahead: u64,
    direct: bool,
}

/// The files that are not begun yet.
#[derive(Debug, Default)]
pub struct Plan {
    /// The indices of the artifacts, those of a file beside each other.
    members: Vec<usize>,
    devices: Vec<Device>,
    /// Files on devices without a reader limit; the largest last, to be taken first, so that the
    /// last file to end is a small one.
    free: VecDeque<Waiting>,
    /// Files that go before those, since all of them together hardly delay the others; in the same
    /// order.
    before: VecDeque<Waiting>,
    /// The files on devices without a reader limit by their turns, if these are not all equal; the
    /// others are empty then.
    by_turn: Queue,
    /// Files on devices with a reader limit, each queue in the order of the paths (often that of
    /// the disk), last first.
    limited: Vec<Queue>,
}

/// Ratio of sizes: files go before others that are this many times as large as all of them
/// together. A file that claims to be endless then holds nothing up, and the run ends at most a
/// fortieth later.
pub(super) const TIMES_AS_LARGE: u64 = 40;

#[derive(Debug, Default)]
struct Queue {
    /// In the order of the paths, the last first; a gap is a file that was taken out of order. The
    /// last place is never one.
    waiting: Vec<Option<Waiting>>,
    /// The indices of the files, the smallest last; built on demand.
    by_size: Option<Vec<usize>>,
    /// Number of waiting files.
    left: usize,
    /// Number of files that were begun and have not ended.
    begun: usize,
    /// Number of those whose last bytes were not requested yet.
    being_read: usize,
    /// Number of those that are large.
    large: usize,
    /// Number of small files that may be read at once; a large one is read alone.
    readers: usize,
    /// The size of the largest small file.
    small: u64,
}

impl Plan {
    /// Plans the work for `costs`; `access` defines how each device is read. Devices not in it
    /// count as [`Medium::Unknown`].
    #[cfg(test)]
    pub fn new(costs: &[Cost], access: &BTreeMap<u64, Access>) -> Plan {
        Plan::of(costs.len(), |at| costs.get(at).copied(), access)
    }

    /// Plans the work for so many artifacts, each with its cost.
    pub fn of(
        count: usize,
        cost: impl Fn(usize) -> Option<Cost>,
        access: &BTreeMap<u64, Access>,
    ) -> Plan {
        let mut plan = Plan {
            members: by_file(count, &cost),
            ..Plan::default()
        };
        let mut devices = BTreeMap::new();
        for file in files(&plan.members, &cost).into_iter().rev() {
            let members = plan.members.get(file.clone()).unwrap_or_default();
            let Some(last) = members.last().and_then(|at| cost(*at)) else {
                continue;
            };
            let turns = members.iter().filter_map(|at| Some(cost(*at)?.turn));
            let turn = turns.min().unwrap_or_default();
            let number = last.file.device;
            let device = *devices
                .entry(number)
                .or_insert_with(|| plan.device(access.get(&number).copied()));
            let waiting = Waiting {
                size: last.size,
                turn,
                first: file.start,
                count: u32::try_from(file.len()).unwrap_or(u32::MAX),
                device,
            };
            match plan.queue_of(waiting) {
                Some(queue) => queue.push(waiting),
                None => plan.free.push_back(waiting),
            }
        }
        if (1..count).any(|at| cost(at).map(|cost| cost.turn) != cost(at - 1).map(|cost| cost.turn))
        {
            plan.take_turns();
        }
        // Stable on a reversed list, so that equal sizes are taken in the order of the paths.
        plan.free.make_contiguous().sort_by_key(|file| file.size);
        let late = plan.free.split_off(small_ones(&plan.free));
        plan.before = std::mem::replace(&mut plan.free, late);
        plan
    }

    /// Adds a device, and returns its index.
    fn device(&mut self, access: Option<Access>) -> u32 {
        let access = access.unwrap_or_else(|| Medium::Unknown.access());
        let queue = access.readers.map(|readers| {
            self.limited.push(Queue::new(readers, access.ahead));
            self.limited.len() - 1
        });
        self.devices.push(Device {
            queue,
            ahead: access.ahead,
            direct: access.direct,
        });
        u32::try_from(self.devices.len() - 1).unwrap_or(u32::MAX)
    }

    fn queue_of(&mut self, file: Waiting) -> Option<&mut Queue> {
        let device = self.devices.get(file.device as usize)?;
        self.limited.get_mut(device.queue?)
    }

    /// Returns the job that a waiting file becomes.
    fn job(&self, file: Waiting) -> Job {
        let members = file.first..file.first + file.count as usize;
        let device = self.devices.get(file.device as usize);
        let slot = |queue: usize| Slot {
            queue,
            is_requested: false,
            is_large: self.limited.get(queue).is_some_and(|q| q.is_large(file)),
        };
        Job {
            size: file.size,
            turn: file.turn,
            members: self.members.get(members).unwrap_or_default().to_vec(),
            slot: device.and_then(|device| device.queue).map(slot),
            ahead: device.map_or(0, |device| device.ahead),
            direct: device.is_some_and(|device| device.direct),
        }
    }

    /// Has the files wait for their turns.
    fn take_turns(&mut self) {
        // Stable, and the last is taken first: in the order of the paths where a seek is dear.
        for queue in &mut self.limited {
            queue
                .waiting
                .sort_by_key(|job| job.as_ref().map(|job| Reverse(job.turn)));
        }
        let mut free: Vec<Waiting> = self.free.drain(..).collect();
        free.sort_by_key(|job| (Reverse(job.turn), job.size));
        self.by_turn = Queue::new(usize::MAX, u64::MAX);
        free.into_iter().for_each(|job| self.by_turn.push(job));
    }

    /// Returns all waiting files, which wait no longer.
    pub fn clear(&mut self) -> Vec<Job> {
        let queues = self.limited.iter_mut().chain([&mut self.by_turn]);
        let queued: Vec<Waiting> = queues.flat_map(Queue::clear).collect();
        let free = self.before.drain(..).chain(self.free.drain(..));
        let waiting: Vec<Waiting> = free.chain(queued).collect();
        waiting.into_iter().map(|file| self.job(file)).collect()
    }

    /// Returns the sizes of all waiting files.
    pub fn sizes(&self) -> impl Iterator<Item = u64> {
        let queues = self.limited.iter().chain([&self.by_turn]);
        let limited = queues.flat_map(|queue| &queue.waiting);
        let free = self.before.iter().chain(&self.free);
        free.chain(limited.flatten()).map(|file| file.size)
    }

    /// Reports whether no file is waiting.
    pub fn is_empty(&self) -> bool {
        let mut limited = self.limited.iter();
        self.has_no_free() && limited.all(|queue| queue.left == 0)
    }

    fn has_no_free(&self) -> bool {
        self.before.is_empty() && self.free.is_empty() && self.by_turn.left == 0
    }

    /// Returns how many files can usefully be hashed at once, with at most `threads` workers for
    /// the devices without a reader limit. On the others, one more than may be read: while its last
    /// bytes come and are hashed, the next one is opened and read.
    pub fn useful_threads(&self, threads: usize) -> usize {
        let limited = self.limited.iter().map(Queue::useful_threads);
        let free = self.before.len() + self.free.len() + self.by_turn.left;
        free.min(threads) + limited.sum::<usize>()
    }

    /// Has small files on slow devices read alone, too, where there are fewer workers than would be
    /// useful: these must not all be with one device, which may answer nothing.
    pub fn read_alone(&mut self) {
        self.limited.iter_mut().for_each(|queue| queue.readers = 1);
    }

    /// Takes the next file to begin. Files on slow devices come first, since everything else is
    /// done sooner.
    pub fn take(&mut self) -> Option<Job> {
        let limited = self.limited.iter_mut().find_map(Queue::take);
        match limited {
            Some(file) => Some(self.job(file)),
            None => self.take_free(),
        }
    }

    /// Reports whether a file can begin now.
    pub fn may_begin(&self) -> bool {
        let limited = self.limited.iter();
        !self.has_no_free() || limited.into_iter().any(Queue::may_begin)
    }

    /// Takes a file to begin alongside another one: never one on a slow device, which would hold
    /// the other one up.
    pub fn take_free(&mut self) -> Option<Job> {
        let by_size = self.before.pop_back().or_else(|| self.free.pop_back());
        let file = by_size.or_else(|| self.by_turn.take());
        file.map(|file| self.job(file))
    }

    /// Takes the smallest waiting file, on any device, if it has at most `most` bytes: it is to be
    /// hashed alongside files that may never end.
    pub fn take_smallest(&mut self, most: u64) -> Option<Job> {
        let free = self.before.front().or_else(|| self.free.front());
        let free = free.map(|job| job.size).filter(|size| *size <= most);
        let queues = self.limited.iter_mut().chain([&mut self.by_turn]);
        let smallest = queues
            .filter_map(|queue| Some((queue.smallest()?, queue)))
            .min_by_key(|(size, _)| *size);
        let file = match smallest {
            Some((size, queue)) if size <= most && free.is_none_or(|free| size < free) => {
                queue.take_smallest()
            }
            _ if free.is_none() => None,
            _ => self.before.pop_front().or_else(|| self.free.pop_front()),
        };
        file.map(|file| self.job(file))
    }

    /// Notes that the last bytes of a file of this queue were requested: the next one of its device
    /// may begin.
    pub fn requested(&mut self, queue: usize) {
        if let Some(queue) = self.limited.get_mut(queue) {
            queue.being_read -= 1;
        }
    }

    /// Notes that a file that had this slot has ended.
    pub fn ended(&mut self, slot: Slot) {
        if let Some(queue) = self.limited.get_mut(slot.queue) {
            queue.begun -= 1;
            queue.being_read -= usize::from(!slot.is_requested);
            queue.large -= usize::from(slot.is_large);
        }
    }
}

impl Queue {
    fn new(readers: usize, small: u64) -> Queue {
        Queue {
            readers,
            small,
            ..Queue::default()
        }
    }

    fn is_large(&self, file: Waiting) -> bool {
        file.size > self.small
    }

    /// Reports whether the next file may begin. Besides those that are read, one may wait for bytes
    /// that were requested, and no more: a device that answers nothing must not hold up every
    /// worker.
    fn may_begin(&self) -> bool {
        let next = self.waiting.last().copied().flatten();
        next.is_some_and(|next| {
            let is_alone = self.large > 0 || self.is_large(next);
            let readers = if is_alone { 1 } else { self.readers };
            self.being_read < readers && self.begun <= readers
        })
    }

    /// Returns how many workers can be busy with its files: one more than may be read. Small files
    /// are read side by side only where they follow one another.
    fn useful_threads(&self) -> usize {
        let runs = self
            .waiting
            .split(|file| file.is_some_and(|file| self.is_large(file)));
        let longest = runs.map(<[_]>::len).max().unwrap_or(0);
        (longest.clamp(1, self.readers) + 1).min(self.left)
    }

    fn take(&mut self) -> Option<Waiting> {
        if !self.may_begin() {
            return None;
        }
        let next = self.waiting.pop().flatten();
        self.taken(next)
    }

    fn clear(&mut self) -> Vec<Waiting> {
        self.left = 0;
        std::mem::take(&mut self.waiting)
            .into_iter()
            .flatten()
            .collect()
    }

    fn push(&mut self, file: Waiting) {
        self.waiting.push(Some(file));
        self.left += 1;
    }

    /// Returns the size of the smallest waiting file.
    fn smallest(&mut self) -> Option<u64> {
        let waiting = &self.waiting;
        let size = |at: &usize| Some(waiting.get(*at)?.as_ref()?.size);
        let by_size = self.by_size.get_or_insert_with(|| {
            let mut places: Vec<usize> = (0..waiting.len()).rev().collect();
            places.sort_by_key(|at| Reverse(size(at)));
            places
        });
        // Drop files that were already taken in order.
        while by_size.last().is_some_and(|at| size(at).is_none()) {
            by_size.pop();
        }
        by_size.last().and_then(size)
    }

    fn take_smallest(&mut self) -> Option<Waiting> {
        self.smallest()?;
        let at = self.by_size.as_mut()?.pop()?;
        let file = self.waiting.get_mut(at)?.take();
        self.taken(file)
    }

    fn taken(&mut self, file: Option<Waiting>) -> Option<Waiting> {
        // So that the last one is the next one.
        while self.waiting.pop_if(|place| place.is_none()).is_some() {}
        let file = file?;
        self.left -= 1;
        self.begun += 1;
        self.being_read += 1;
        self.large += usize::from(self.is_large(file));
        Some(file)
    }
}

/// Returns the maximum size of a file to hash in passing, in bytes, after a run has hashed `hashed`
/// bytes: any delay is small compared with the time already spent. Without this limit, the last
/// files of a plan would begin far too early.
pub fn small_beside(hashed: u64) -> u64 {
    hashed / TIMES_AS_LARGE
}

/// Returns how many of the files, the smallest first, are small enough to go before the others; see
/// [`TIMES_AS_LARGE`].
fn small_ones(by_size: &VecDeque<Waiting>) -> usize {
    let (mut small, mut sum) = (0, 0_u64);
    for (at, job) in by_size.iter().enumerate() {
        if job.size > sum.saturating_mul(TIMES_AS_LARGE) {
            small = at;
        }
        sum = sum.saturating_add(job.size);
    }
    small
}

/// Returns the indices of all artifacts, those of a file beside each other and in order.
fn by_file(count: usize, cost: impl Fn(usize) -> Option<Cost>) -> Vec<usize> {
    let mut positions: Vec<usize> = (0..count).collect();
    // Stable, so that the names of a file stay in the list's order.
    positions.sort_by_key(|at| file(*at, &cost));
    positions
}

/// Returns what identifies the file of an artifact.
///
/// Fail closed: a name that may belong to another file counts as a separate file, and is hashed.
fn file(at: usize, cost: impl Fn(usize) -> Option<Cost>) -> Option<(FileId, Option<usize>)> {
    cost(at).map(|cost| (cost.file, cost.name))
}

/// Returns where the artifacts of each file are among the members, in the order of their first
/// names.
fn files(members: &[usize], cost: impl Fn(usize) -> Option<Cost>) -> Vec<Range<usize>> {
    let mut files = Vec::with_capacity(members.len());
    let mut start = 0;
    for names in members.chunk_by(|a, b| file(*a, &cost) == file(*b, &cost)) {
        files.push(start..start + names.len());
        start += names.len();
    }
    files.sort_unstable_by_key(|file| members.get(file.start));
    files
}

/// Reports whether a file with `own` bytes left may share its worker with others, when `all` bytes
/// are left in the run.
///
/// Two files on one thread are hashed faster together than one after the other, but each of them
/// more slowly than alone. So a file that exceeds one worker's share of the remaining work
/// continues alone while it does: the run cannot end before that file.
pub fn may_join(own: u64, all: u64, threads: usize) -> bool {
    let others = u128::from(all.saturating_sub(own));
    u128::from(own) * (threads.saturating_sub(1) as u128) < others
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cost(size: u64, inode: u64) -> Cost {
        on(1, size, inode)
    }

    fn on(device: u64, size: u64, inode: u64) -> Cost {
        Cost {
            size,
            file: FileId { device, inode },
            name: None,
            turn: Turn::default(),
        }
    }

    fn with_turns(costs: &[Cost], turns: &[u64]) -> Vec<Cost> {
        let both = costs.iter().zip(turns);
        both.map(|(cost, turn)| Cost {
            turn: Turn(*turn),
            ..*cost
        })
        .collect()
    }

    #[test]
    fn the_first_turn_goes_first_and_of_equals_the_largest() {
        let costs: Vec<Cost> = (1..=6).map(|n| cost(n * 10, n)).collect();
        let plan = planned(&with_turns(&costs, &[7, 0, 3, 0, 7, 3]));
        let order: Vec<usize> = drain(plan).into_iter().flatten().collect();
        assert_eq!(order, [3, 1, 5, 2, 4, 0]);
        // Without a ledger it is as if there were no turns.
        let equal = planned(&with_turns(&costs, &[5; 6]));
        assert_eq!(drain(equal), drain(planned(&costs)));
    }

    #[test]
    fn a_file_has_the_first_turn_of_its_names() {
        let costs = [cost(10, 1), cost(20, 2), cost(20, 2)];
        let plan = planned(&with_turns(&costs, &[4, 9, 0]));
        assert_eq!(drain(plan), [vec![1, 2], vec![0]]);
    }

    #[test]
    fn on_a_device_with_one_reader_the_paths_of_one_turn_stay_in_order() {
        let costs: Vec<Cost> = (1..=4).map(|n| on(1, n * 10, n)).collect();
        let access = Access {
            readers: Some(1),
            ahead: 0,
            direct: false,
        };
        let access = BTreeMap::from([(1, access)]);
        let mut plan = Plan::new(&with_turns(&costs, &[1, 0, 1, 0]), &access);
        let mut order = Vec::new();
        while let Some(job) = plan.take() {
            order.extend(job.members);
            plan.ended(job.slot.unwrap());
        }
        assert_eq!(order, [1, 3, 0, 2]);
    }

    #[test]
    fn the_smallest_file_is_found_whoever_s_turn_it_is() {
        let costs: Vec<Cost> = (1..=4).map(|n| cost(n * 10, n)).collect();
        let mut plan = planned(&with_turns(&costs, &[9, 0, 3, 1]));
        assert_eq!(plan.take_smallest(9), None);
        assert_eq!(plan.take_smallest(10).map(|job| job.size), Some(10));
        assert_eq!(plan.useful_threads(9), 3);
        let rest: Vec<u64> = plan.clear().iter().map(|job| job.size).collect();
        assert_eq!(rest, [30, 40, 20]);
        assert!(plan.is_empty() && plan.sizes().next().is_none());
        assert!(plan.take_free().is_none() && plan.take_smallest(99).is_none());
    }

    fn planned(costs: &[Cost]) -> Plan {
        Plan::new(costs, &BTreeMap::new())
    }

    fn drain(mut plan: Plan) -> Vec<Vec<usize>> {
        std::iter::from_fn(|| plan.take())
            .map(|job| job.members)
            .collect()
    }

    #[test]
    fn the_largest_comes_first_and_equals_keep_their_order() {
        let plan = planned(&[cost(5, 1), cost(9, 2), cost(5, 3)]);
        assert_eq!(drain(plan), [vec![1], vec![0], vec![2]]);
    }

    #[test]
    fn one_inode_on_two_devices_is_two_files() {
        assert_eq!(drain(planned(&[on(1, 5, 1), on(2, 5, 1)])).len(), 2);
    }

    #[test]
    fn a_slow_device_is_read_in_the_order_of_the_paths_by_no_more_than_its_readers() {
        let access = BTreeMap::from([(7, Medium::Optical.access())]);
        let costs = [on(7, 1, 1), on(1, 5, 2), on(7, 9, 3), on(1, 6, 4)];
        let mut plan = Plan::new(&costs, &access);
        assert_eq!(plan.useful_threads(8), 4);
        assert_eq!(plan.useful_threads(1), 3);
        let first = plan.take().unwrap();
        let slot = Slot {
            queue: 0,
            is_requested: false,
            is_large: false,
        };
        assert_eq!((first.members, first.slot), (vec![0], Some(slot)));
        // Its reader is busy: what else there is goes on, and nothing of it beside another file.
        assert_eq!(plan.take().unwrap().members, [3]);
        assert_eq!(plan.take_free().unwrap().members, [1]);
        assert!(plan.take().is_none() && !plan.may_begin() && !plan.is_empty());
        plan.ended(slot);
        assert!(plan.may_begin());
        assert_eq!(plan.take().unwrap().members, [2]);
        assert!(plan.is_empty());
    }

    #[test]
    fn one_file_more_than_may_be_read_is_begun_however_many_are_requested() {
        let access = BTreeMap::from([(7, Medium::Optical.access())]);
        let costs: Vec<Cost> = (1..=5).map(|n| on(7, 10, n)).collect();
        let mut plan = Plan::new(&costs, &access);
        let first = plan.take().unwrap().slot.unwrap();
        assert!(!plan.may_begin() && plan.take().is_none());
        plan.requested(first.queue);
        let second = plan.take().unwrap().slot.unwrap();
        plan.requested(second.queue);
        // Neither has ended, so nothing says that the device answers.
        assert!(!plan.may_begin() && plan.take().is_none());
        let requested = |slot| Slot {
            is_requested: true,
            ..slot
        };
        plan.ended(requested(first));
        assert!(plan.may_begin());
        let third = plan.take().unwrap().slot.unwrap();
        // One fails before anything was requested, and the other ends.
        plan.ended(third);
        plan.ended(requested(second));
        assert_eq!(plan.take().unwrap().members, [3]);
        assert!(plan.take().is_none());
    }

    #[test]
    fn small_files_of_a_slow_device_are_read_side_by_side_and_a_large_one_alone() {
        let access = Medium::Spinning.access();
        let (small, large) = (access.ahead, access.ahead + 1);
        let sizes = [
            small, small, small, small, small, small, large, small, small,
        ];
        let costs: Vec<Cost> = (0..).zip(sizes).map(|(n, size)| on(7, size, n)).collect();
        let mut plan = Plan::new(&costs, &BTreeMap::from([(7, access)]));
        assert_eq!(plan.useful_threads(1), 5);
        let begun =
            |plan: &mut Plan| -> Vec<Slot> { std::iter::from_fn(|| plan.take()?.slot).collect() };
        let requested = |plan: &mut Plan, slot: Slot| {
            plan.requested(slot.queue);
            let is_requested = true;
            Slot {
                is_requested,
                ..slot
            }
        };
        let four = begun(&mut plan);
        assert_eq!(four.len(), 4);
        let first = requested(&mut plan, four[0]);
        let fifth = begun(&mut plan);
        assert_eq!(fifth.len(), 1);
        plan.ended(first);
        assert!(!plan.may_begin());
        let second = requested(&mut plan, four[1]);
        let sixth = begun(&mut plan);
        assert_eq!(sixth.len(), 1);
        // The next one is large, and waits for all of them but the one whose bytes are on their
        // way.
        four[2..]
            .iter()
            .chain(&fifth)
            .for_each(|slot| plan.ended(*slot));
        assert!(!plan.may_begin());
        plan.ended(sixth[0]);
        let alone = begun(&mut plan);
        assert!(alone.len() == 1 && alone[0].is_large);
        plan.ended(second);
        assert!(!plan.may_begin());
        let alone = requested(&mut plan, alone[0]);
        assert_eq!(begun(&mut plan).len(), 1);
        plan.ended(alone);
        assert_eq!(begun(&mut plan).len(), 1);
        assert!(plan.is_empty());
    }

    #[test]
    fn so_many_workers_are_useful_as_files_can_be_read_side_by_side() {
        let access = Medium::Spinning.access();
        let (small, large) = (access.ahead, access.ahead + 1);
        for (sizes, useful) in [
            (&[small][..], 1),
            (&[large; 4], 2),
            (&[small, large, small, large, small, large, small], 2),
            (&[large, small, small, large, small], 3),
            (&[small; 9], 5),
        ] {
            let costs: Vec<Cost> = (0..).zip(sizes).map(|(n, size)| on(7, *size, n)).collect();
            let mut plan = Plan::new(&costs, &BTreeMap::from([(7, access)]));
            assert_eq!(plan.useful_threads(2), useful, "{sizes:?}");
            plan.read_alone();
            assert_eq!(plan.useful_threads(2), useful.min(2), "{sizes:?}");
        }
    }

    #[test]
    fn a_file_is_joined_only_while_the_others_have_more_to_do() {
        assert!(may_join(10, 30, 2));
        assert!(!may_join(10, 20, 2));
        assert!(!may_join(10, 15, 2));
        assert!(may_join(10, 11, 1));
        assert!(!may_join(10, 10, 1));
        assert!(!may_join(u64::MAX, u64::MAX, 64));
    }

    proptest! {
        #[test]
        fn what_is_not_certainly_one_file_is_planned_name_by_name(
            inodes in prop::collection::vec((0_u64..5, prop::option::of(0_usize..3)), 0..40)
        ) {
            let costs: Vec<Cost> = inodes
                .iter()
                .map(|(inode, name)| Cost { name: *name, ..cost(1, *inode) })
                .collect();
            for job in drain(planned(&costs)) {
                prop_assert!(job.iter().all(|member| costs[*member].name == costs[job[0]].name));
            }
        }

        #[test]
        fn the_smallest_is_taken_out_of_turn_and_everything_once(
            sizes in prop::collection::vec((0_u64..1000, 1_u64..4), 0..60),
            turns in prop::collection::vec(prop::bool::ANY, 60)
        ) {
            let access = BTreeMap::from([(2, Medium::Spinning.access()), (3, Medium::Network.access())]);
            let costs: Vec<Cost> = (0..).zip(&sizes).map(|(n, (size, device))| on(*device, *size, n)).collect();
            let mut plan = Plan::new(&costs, &access);
            let mut members = Vec::new();
            for out_of_turn in turns {
                let smallest = plan.sizes().min();
                let job = if out_of_turn { plan.take_smallest(u64::MAX) } else { plan.take() };
                if let Some(job) = job {
                    prop_assert!(!out_of_turn || Some(job.size) == smallest);
                    members.extend(job.members);
                    if let Some(slot) = job.slot {
                        plan.ended(slot);
                    }
                } else {
                    prop_assert_eq!(smallest, None);
                }
                prop_assert_eq!(plan.is_empty(), plan.sizes().next().is_none());
            }
            prop_assert!(plan.is_empty());
            members.sort_unstable();
            prop_assert_eq!(members, (0..costs.len()).collect::<Vec<_>>());
        }

        #[test]
        fn every_artifact_is_planned_once_and_shares_its_job_with_the_names_of_its_file(
            inodes in prop::collection::vec((0_u64..20, 0_u64..1000), 0..60)
        ) {
            let costs: Vec<Cost> = inodes.iter().map(|(inode, size)| cost(*size, *inode)).collect();
            let mut plan = planned(&costs);
            let jobs: Vec<Job> = std::iter::from_fn(|| plan.take()).collect();
            let mut members: Vec<usize> = jobs.iter().flat_map(|j| j.members.clone()).collect();
            members.sort_unstable();
            prop_assert_eq!(members, (0..costs.len()).collect::<Vec<_>>());
            for job in &jobs {
                let file = costs[job.members[0]].file;
                prop_assert!(job.members.iter().all(|m| costs[*m].file == file));
                // The size that was seen last.
                prop_assert_eq!(job.size, costs[*job.members.last().unwrap()].size);
            }
            let mut before = 0;
            for (at, pair) in jobs.windows(2).enumerate() {
                before += pair[0].size;
                // The largest first, except those that take no time compared with all later ones.
                let is_larger = pair[0].size >= pair[1].size;
                prop_assert!(is_larger || jobs[at + 1..].iter().all(|job| job.size > TIMES_AS_LARGE * before));
                prop_assert_ne!(costs[pair[0].members[0]].file, costs[pair[1].members[0]].file);
            }
        }
    }

    #[test]
    fn small_files_go_before_those_beside_which_they_take_no_time() {
        let sizes = [9_000, 4_001, 60, 40];
        let costs: Vec<Cost> = (0..).zip(sizes).map(|(n, size)| cost(size, n)).collect();
        assert_eq!(drain(planned(&costs)), [[2], [3], [0], [1]]);
        let sizes = [9_000, 4_000, 60, 40];
        let costs: Vec<Cost> = (0..).zip(sizes).map(|(n, size)| cost(size, n)).collect();
        assert_eq!(drain(planned(&costs)), [[0], [1], [2], [3]]);
    }
}
