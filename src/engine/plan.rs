//! Which file is hashed next, and by whom. Pure: sizes, identities and limits in, decisions out.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

use crate::device::{Access, Medium};

/// What the plan needs to know of one artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Its size in bytes.
    pub size: u64,
    /// Which file it is, as the file system says.
    pub file: FileId,
    /// Which of its names this is, where it is not certain that all of them are one file; see [`crate::device::identity`].
    pub name: Option<usize>,
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
    free: VecDeque<Job>,
    /// Those that go before them, since all of them together delay the others by next to nothing; in the same order.
    before: VecDeque<Job>,
    /// On devices that few may read at once, each in the order of the paths (which is often that of the disk), last first.
    limited: Vec<Queue>,
}

/// Files are done before others that are so many times as large as all of them together. What claims to be endless keeps
/// nothing waiting then, and the end of the run is later by no more than a fortieth.
const TIMES_AS_LARGE: u64 = 40;

#[derive(Debug)]
struct Queue {
    /// In the order of the paths, the last first; a gap is a file that was taken out of turn.
    waiting: Vec<Option<Job>>,
    /// The places of the files, the smallest last; made when it is needed.
    by_size: Option<Vec<usize>>,
    /// How many are waiting.
    left: usize,
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
                plan.free.push_back(job);
                continue;
            };
            let queue = *queues.entry(device).or_insert(plan.limited.len());
            if queue == plan.limited.len() {
                plan.limited.push(Queue::new(readers));
            }
            job.queue = Some(queue);
            plan.limited[queue].push(job);
        }
        // Stable on a list in reverse, so that equals are taken in the order of the paths.
        plan.free.make_contiguous().sort_by_key(|job| job.size);
        let late = plan.free.split_off(small_ones(&plan.free));
        plan.before = std::mem::replace(&mut plan.free, late);
        plan
    }

    /// All files that wait.
    pub fn waiting(&self) -> impl Iterator<Item = &Job> {
        let limited = self.limited.iter().flat_map(|queue| &queue.waiting);
        let free = self.before.iter().chain(&self.free);
        free.chain(limited.flatten())
    }

    /// Whether nothing waits any more.
    pub fn is_empty(&self) -> bool {
        let mut limited = self.limited.iter();
        self.has_no_free() && limited.all(|queue| queue.left == 0)
    }

    fn has_no_free(&self) -> bool {
        self.before.is_empty() && self.free.is_empty()
    }

    /// How many files may be hashed at once, by at most `threads` workers for the devices that any number may read.
    pub fn useful_threads(&self, threads: usize) -> usize {
        let limited = self.limited.iter().map(|q| q.readers.min(q.left));
        let free = self.before.len() + self.free.len();
        free.min(threads) + limited.sum::<usize>()
    }

    /// The file to begin with now. Those on slow devices come first, since everything else is done sooner than they are.
    pub fn take(&mut self) -> Option<Job> {
        let limited = self.limited.iter_mut().find_map(Queue::take);
        limited.or_else(|| self.take_free())
    }

    /// Whether there is a file to begin with now.
    pub fn may_begin(&self) -> bool {
        let limited = self.limited.iter();
        let ready = |queue: &Queue| queue.being_read < queue.readers && queue.left > 0;
        !self.has_no_free() || limited.into_iter().any(ready)
    }

    /// The file to begin with beside another one: never one on a slow device, which would hold the other one up.
    pub fn take_free(&mut self) -> Option<Job> {
        self.before.pop_back().or_else(|| self.free.pop_back())
    }

    /// The smallest file that waits, whatever its device, if it has at most so many bytes: it is to be done beside files that may
    /// have no end.
    pub fn take_smallest(&mut self, most: u64) -> Option<Job> {
        let free = self.before.front().or_else(|| self.free.front());
        let free = free.map(|job| job.size).filter(|size| *size <= most);
        let limited = self.limited.iter_mut();
        let smallest = limited
            .filter_map(|queue| Some((queue.smallest()?, queue)))
            .min_by_key(|(size, _)| *size);
        match smallest {
            Some((size, queue)) if size <= most && free.is_none_or(|free| size < free) => {
                queue.take_smallest()
            }
            _ if free.is_none() => None,
            _ => self.before.pop_front().or_else(|| self.free.pop_front()),
        }
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
            by_size: None,
            left: 0,
            being_read: 0,
            readers,
        }
    }

    fn take(&mut self) -> Option<Job> {
        if self.being_read >= self.readers {
            return None;
        }
        while let Some(place) = self.waiting.pop() {
            if place.is_some() {
                return self.taken(place);
            }
        }
        None
    }

    fn push(&mut self, job: Job) {
        self.waiting.push(Some(job));
        self.left += 1;
    }

    /// The size of the smallest file that waits.
    fn smallest(&mut self) -> Option<u64> {
        let waiting = &self.waiting;
        let size = |at: &usize| Some(waiting.get(*at)?.as_ref()?.size);
        let by_size = self.by_size.get_or_insert_with(|| {
            let mut places: Vec<usize> = (0..waiting.len()).rev().collect();
            places.sort_by_key(|at| Reverse(size(at)));
            places
        });
        // What was taken in its turn is no more there.
        while by_size.last().is_some_and(|at| size(at).is_none()) {
            by_size.pop();
        }
        by_size.last().and_then(size)
    }

    fn take_smallest(&mut self) -> Option<Job> {
        self.smallest()?;
        let at = self.by_size.as_mut()?.pop()?;
        let job = self.waiting.get_mut(at)?.take();
        self.taken(job)
    }

    fn taken(&mut self, job: Option<Job>) -> Option<Job> {
        if job.is_some() {
            self.left -= 1;
            self.being_read += 1;
        }
        job
    }
}

/// The most bytes that a file may have to be done in passing, when a run has hashed so many: what it delays is delayed by little
/// of the time that has passed already. Without this, the last files of a plan would be begun long before their time.
pub fn small_beside(hashed: u64) -> u64 {
    hashed / TIMES_AS_LARGE
}

/// How many of the files, the smallest first, are so small that they go before the others; see [`TIMES_AS_LARGE`].
fn small_ones(by_size: &VecDeque<Job>) -> usize {
    let (mut small, mut sum) = (0, 0_u64);
    for (at, job) in by_size.iter().enumerate() {
        if job.size > sum.saturating_mul(TIMES_AS_LARGE) {
            small = at;
        }
        sum = sum.saturating_add(job.size);
    }
    small
}

/// One job for each file, behind the device it lies on, in the order of its first name.
fn jobs(loads: &[Load]) -> Vec<(u64, Job)> {
    // Fail closed: a name that may be one of another file is a file of its own, and hashed.
    let file = |position: &usize| loads.get(*position).map(|load| (load.file, load.name));
    let mut positions: Vec<usize> = (0..loads.len()).collect();
    // Stable, so that the names of a file stay in the list's order.
    positions.sort_by_key(file);
    let mut files: Vec<&[usize]> = positions.chunk_by(|a, b| file(a) == file(b)).collect();
    files.sort_unstable();
    let job = |members: &[usize]| {
        let last = loads.get(*members.last()?)?;
        let job = Job {
            size: last.size,
            members: members.to_vec(),
            queue: None,
            ahead: 0,
        };
        Some((last.file.device, job))
    };
    files.into_iter().filter_map(job).collect()
}

/// Whether a file of which `own` bytes are left may share its worker with others, when `all` bytes are left in the run.
///
/// Two files in one thread are hashed faster than one after the other, but each of them slower than alone. So a file that
/// is more than one worker's part of what is left goes on alone, as long as it is: the run cannot end before it does.
pub fn may_join(own: u64, all: u64, threads: usize) -> bool {
    let others = u128::from(all.saturating_sub(own));
    u128::from(own) * (threads.saturating_sub(1) as u128) < others
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn load(size: u64, inode: u64) -> Load {
        on(1, size, inode)
    }

    fn on(device: u64, size: u64, inode: u64) -> Load {
        Load {
            size,
            file: FileId { device, inode },
            name: None,
        }
    }

    fn planned(loads: &[Load]) -> Plan {
        Plan::new(loads, &BTreeMap::new())
    }

    fn drain(mut plan: Plan) -> Vec<Vec<usize>> {
        std::iter::from_fn(|| plan.take())
            .map(|job| job.members)
            .collect()
    }

    #[test]
    fn the_largest_comes_first_and_equals_keep_their_order() {
        let plan = planned(&[load(5, 1), load(9, 2), load(5, 3)]);
        assert_eq!(drain(plan), [vec![1], vec![0], vec![2]]);
    }

    #[test]
    fn one_inode_on_two_devices_is_two_files() {
        assert_eq!(drain(planned(&[on(1, 5, 1), on(2, 5, 1)])).len(), 2);
    }

    #[test]
    fn a_slow_device_is_read_in_the_order_of_the_paths_by_no_more_than_its_readers() {
        let access = BTreeMap::from([(7, Medium::Spinning.access())]);
        let loads = [on(7, 1, 1), on(1, 5, 2), on(7, 9, 3), on(1, 6, 4)];
        let mut plan = Plan::new(&loads, &access);
        assert_eq!(plan.useful_threads(8), 3);
        assert_eq!(plan.useful_threads(1), 2);
        let first = plan.take().unwrap();
        assert_eq!((first.members, first.queue), (vec![0], Some(0)));
        // Its reader is busy: what else there is goes on, and nothing of it beside another file.
        assert_eq!(plan.take().unwrap().members, [3]);
        assert_eq!(plan.take_free().unwrap().members, [1]);
        assert!(plan.take().is_none() && !plan.may_begin() && !plan.is_empty());
        plan.ended(0);
        assert!(plan.may_begin());
        assert_eq!(plan.take().unwrap().members, [2]);
        assert!(plan.is_empty());
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
            let loads: Vec<Load> = inodes
                .iter()
                .map(|(inode, name)| Load { name: *name, ..load(1, *inode) })
                .collect();
            for job in drain(planned(&loads)) {
                prop_assert!(job.iter().all(|member| loads[*member].name == loads[job[0]].name));
            }
        }

        #[test]
        fn the_smallest_is_taken_out_of_turn_and_everything_once(
            sizes in prop::collection::vec((0_u64..1000, 1_u64..4), 0..60),
            turns in prop::collection::vec(prop::bool::ANY, 60)
        ) {
            let access = BTreeMap::from([(2, Medium::Spinning.access()), (3, Medium::Network.access())]);
            let loads: Vec<Load> = (0..).zip(&sizes).map(|(n, (size, device))| on(*device, *size, n)).collect();
            let mut plan = Plan::new(&loads, &access);
            let mut members = Vec::new();
            for out_of_turn in turns {
                let smallest = plan.waiting().map(|job| job.size).min();
                let job = if out_of_turn { plan.take_smallest(u64::MAX) } else { plan.take() };
                if let Some(job) = job {
                    prop_assert!(!out_of_turn || Some(job.size) == smallest);
                    members.extend(job.members);
                    if let Some(queue) = job.queue {
                        plan.ended(queue);
                    }
                } else {
                    prop_assert_eq!(smallest, None);
                }
                prop_assert_eq!(plan.is_empty(), plan.waiting().next().is_none());
            }
            prop_assert!(plan.is_empty());
            members.sort_unstable();
            prop_assert_eq!(members, (0..loads.len()).collect::<Vec<_>>());
        }

        #[test]
        fn every_artifact_is_planned_once_and_shares_its_job_with_the_names_of_its_file(
            inodes in prop::collection::vec((0_u64..20, 0_u64..1000), 0..60)
        ) {
            let loads: Vec<Load> = inodes.iter().map(|(inode, size)| load(*size, *inode)).collect();
            let mut plan = planned(&loads);
            let jobs: Vec<Job> = std::iter::from_fn(|| plan.take()).collect();
            let mut members: Vec<usize> = jobs.iter().flat_map(|j| j.members.clone()).collect();
            members.sort_unstable();
            prop_assert_eq!(members, (0..loads.len()).collect::<Vec<_>>());
            for job in &jobs {
                let file = loads[job.members[0]].file;
                prop_assert!(job.members.iter().all(|m| loads[*m].file == file));
                // The size that was seen last.
                prop_assert_eq!(job.size, loads[*job.members.last().unwrap()].size);
            }
            let mut before = 0;
            for (at, pair) in jobs.windows(2).enumerate() {
                before += pair[0].size;
                // The largest first, but for those that take no time beside all that come after them.
                let is_larger = pair[0].size >= pair[1].size;
                prop_assert!(is_larger || jobs[at + 1..].iter().all(|job| job.size > TIMES_AS_LARGE * before));
                prop_assert_ne!(loads[pair[0].members[0]].file, loads[pair[1].members[0]].file);
            }
        }
    }

    /// Workers that follow the plan, each with a rate of 1 that its lanes share.
    struct Simulation {
        plan: Plan,
        lanes: usize,
        /// What is left of the files in each worker's lanes.
        workers: Vec<Vec<f64>>,
        /// What is left of the file that each of them does in passing.
        errands: Vec<Option<f64>>,
        left: f64,
        hashed: f64,
        now: f64,
    }

    /// As the workers do: a part of the time of each.
    const PART_OF_ERRANDS: f64 = 64.0;

    impl Simulation {
        fn of(sizes: &[u64], workers: usize, lanes: usize) -> Simulation {
            let loads: Vec<Load> = (0..)
                .zip(sizes)
                .map(|(inode, size)| load(*size, inode))
                .collect();
            Simulation {
                plan: planned(&loads),
                lanes,
                workers: vec![Vec::new(); workers],
                errands: vec![None; workers],
                left: sizes.iter().map(|size| *size as f64).sum(),
                hashed: 0.0,
                now: 0.0,
            }
        }

        fn makespan(sizes: &[u64], workers: usize, lanes: usize) -> f64 {
            let mut simulation = Simulation::of(sizes, workers, lanes);
            let moment = simulation.left / workers as f64 / 1000.0;
            loop {
                simulation.assign();
                if simulation.workers.iter().all(Vec::is_empty) {
                    break;
                }
                simulation.run(moment);
            }
            simulation.now
        }

        /// When all files of at most that size are done.
        fn all_small_are_done(sizes: &[u64], workers: usize, lanes: usize, size: u64) -> f64 {
            let mut simulation = Simulation::of(sizes, workers, lanes);
            let small: u64 = sizes.iter().filter(|s| **s <= size).sum();
            let is_small = |left: &f64| *left <= size as f64;
            for _ in 0..1_000_000 {
                simulation.assign();
                let waits = simulation.plan.waiting().any(|job| job.size <= size);
                let lanes = simulation.workers.iter().flatten();
                let mut open = lanes.chain(simulation.errands.iter().flatten());
                if !waits && !open.any(is_small) {
                    return simulation.now;
                }
                simulation.run(small as f64 / 1000.0);
            }
            f64::INFINITY
        }

        /// As the board does: first a file for everyone, then more for those who may join, then lanes handed over.
        fn assign(&mut self) {
            for me in 0..self.workers.len() {
                if self.workers[me].is_empty() {
                    let errand = self.errands[me].take();
                    self.workers[me].extend(errand);
                }
                if self.workers[me].is_empty() {
                    let begun = self.plan.take().map(|job| job.size as f64);
                    self.workers[me].extend(begun);
                }
            }
            for me in 0..self.workers.len() {
                while self.workers[me].len() < self.lanes && self.may_join(me) {
                    let Some(job) = self.plan.take_free() else {
                        break;
                    };
                    self.workers[me].push(job.size as f64);
                }
            }
            for me in 0..self.workers.len() {
                let lanes = &self.workers[me];
                if self.errands[me].is_none() && !lanes.is_empty() {
                    let stuck = self.stuck(lanes).map_or(u64::MAX, |stuck| stuck as u64);
                    let most = stuck.min(small_beside(self.hashed as u64));
                    self.errands[me] = self.plan.take_smallest(most).map(|job| job.size as f64);
                }
            }
            while let Some(idle) = self.workers.iter().position(Vec::is_empty) {
                for (lanes, errand) in self.workers.iter_mut().zip(&mut self.errands) {
                    lanes.extend(errand.take());
                }
                let Some(rich) = self.workers.iter().position(|lanes| lanes.len() > 1) else {
                    break;
                };
                let handed = self.workers[rich].pop();
                self.workers[idle].extend(handed);
            }
        }

        /// What is left of the smallest of the lanes that wait for the longest.
        fn stuck(&self, lanes: &[f64]) -> Option<f64> {
            let waits = lanes.len() > 1 && !self.may_share(lanes);
            waits.then(|| lanes.iter().copied().fold(f64::MAX, f64::min))
        }

        fn may_join(&self, me: usize) -> bool {
            let everyone_is_busy = self.workers.iter().all(|lanes| !lanes.is_empty());
            everyone_is_busy && self.may_share(&self.workers[me])
        }

        fn may_share(&self, lanes: &[f64]) -> bool {
            let longest = lanes.iter().copied().fold(0.0, f64::max);
            may_join(longest as u64, self.left as u64, self.workers.len())
        }

        /// Until a file ends, or a moment has passed.
        fn run(&mut self, moment: f64) {
            for lanes in &mut self.workers {
                lanes.sort_by(|a, b| b.total_cmp(a));
            }
            let in_use: Vec<usize> = self
                .workers
                .iter()
                .map(|lanes| {
                    if self.may_share(lanes) {
                        lanes.len()
                    } else {
                        lanes.len().min(1)
                    }
                })
                .collect();
            let ends = self
                .workers
                .iter()
                .zip(&in_use)
                .filter_map(|(lanes, used)| {
                    let first = lanes[..*used].last()?;
                    Some(first * *used as f64)
                });
            let step = ends.fold(moment, f64::min);
            self.now += step;
            for (me, used) in in_use.into_iter().enumerate() {
                let lanes = &mut self.workers[me];
                let mut time = step;
                let stuck = if used < lanes.len() {
                    lanes.last_mut()
                } else {
                    None
                };
                let errand = self.errands[me].as_mut();
                let smallest = stuck
                    .into_iter()
                    .chain(errand)
                    .min_by(|a, b| a.total_cmp(b));
                if let Some(left) = smallest {
                    let part = (step / PART_OF_ERRANDS).min(*left);
                    *left -= part;
                    self.left -= part;
                    self.hashed += part;
                    time -= part;
                }
                self.errands[me] = self.errands[me].filter(|left| *left > 0.01);
                let share = time / used.max(1) as f64;
                self.left -= share * used as f64;
                self.hashed += share * used as f64;
                lanes[..used].iter_mut().for_each(|left| *left -= share);
                lanes.retain(|left| *left > 0.01);
            }
        }
    }

    /// Sizes of 1 KB to 1 GB, log-normal around 300 KB, the same in every run.
    fn log_normal(count: usize) -> Vec<u64> {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut uniform = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut size = || {
            // Twelve uniform numbers have a variance of 1.
            let normal = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
            (300_000.0_f64.ln() + 2.0 * normal).exp().clamp(1e3, 1e9) as u64
        };
        (0..count).map(|_| size()).collect()
    }

    #[test]
    fn the_end_comes_within_5_percent_of_the_earliest_possible() {
        const MB: u64 = 1_000_000;
        let packs = [3100, 1900, 850, 400, 220, 90, 30].map(|size| size * MB);
        let bundles: Vec<u64> = [22, 21, 20, 20, 18, 17, 17, 16, 15, 14, 13, 12, 11, 10]
            .map(|size| size * 1000 * MB)
            .into();
        let one_among_many: Vec<u64> = [vec![17_000 * MB], vec![10 * MB; 1000]].concat();
        let many = log_normal(100_000);
        for sizes in [&packs[..], &bundles, &one_among_many, &many] {
            for (workers, lanes) in [(1, 2), (2, 2), (4, 2), (8, 2), (2, 8), (16, 8)] {
                let total: u64 = sizes.iter().sum();
                let largest = sizes.iter().copied().max().unwrap_or(0);
                let bound = (total as f64 / workers as f64).max(largest as f64);
                let makespan = Simulation::makespan(sizes, workers, lanes);
                assert!(
                    makespan <= 1.05 * bound,
                    "{} files, {workers} workers, {lanes} lanes: {:.3}",
                    sizes.len(),
                    makespan / bound
                );
            }
        }
    }

    #[test]
    fn every_file_is_done_in_bounded_time_whatever_the_others_claim_to_be() {
        const GB: u64 = 1_000_000_000;
        let good = [GB; 20];
        let giants = [7 << 60; 4];
        // Each twice as large as the one before: none of them is beyond comparison with those that are smaller.
        let ladder: Vec<u64> = (31..63).map(|bit| 1 << bit).collect();
        for claims in [&giants[..], &ladder, &[&giants[..], &ladder].concat()] {
            let sizes = [&good[..], claims].concat();
            for (workers, lanes) in [(1, 1), (1, 2), (2, 2), (4, 2), (2, 8), (16, 8)] {
                let done = Simulation::all_small_are_done(&sizes, workers, lanes, GB);
                // Until they are small beside what was done; then all of them, by no more than one worker's errands.
                let bound = (GB * TIMES_AS_LARGE) as f64
                    + good.iter().sum::<u64>() as f64 * PART_OF_ERRANDS;
                assert!(
                    done <= bound,
                    "{workers} workers, {lanes} lanes: {:.3}",
                    done / bound
                );
            }
        }
    }

    #[test]
    fn small_files_go_before_those_beside_which_they_take_no_time() {
        let sizes = [9_000, 4_001, 60, 40];
        let loads: Vec<Load> = (0..).zip(sizes).map(|(n, size)| load(size, n)).collect();
        assert_eq!(drain(planned(&loads)), [[2], [3], [0], [1]]);
        let sizes = [9_000, 4_000, 60, 40];
        let loads: Vec<Load> = (0..).zip(sizes).map(|(n, size)| load(size, n)).collect();
        assert_eq!(drain(planned(&loads)), [[0], [1], [2], [3]]);
    }
}
