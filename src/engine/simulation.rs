//! Simulates a run's scheduler and workers over files and a clock that are numbers. One thread
//! takes the turns of all workers, always that of the one whose clock is behind, so that every test
//! is deterministic.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::dispatcher::Dispatcher;
use super::plan::{Cost, Job, Plan, Slot, TIMES_AS_LARGE, Turn};
use super::scheduler::Piece;
use super::worker::{PART_OF_ERRANDS, Turned, Worker, Workshop};
use crate::device::{Access, Medium};
use crate::files::FileId;
use crate::progress::Counters;

const MB: u64 = 1_000_000;
const GB: u64 = 1_000_000_000;
/// Bytes by which a step advances all lanes in use, as in a run.
const WINDOW: u64 = 8 * 1024 * 1024;
/// Maximum number of turns: a simulation that has not ended by then never will.
const MOST_TURNS: u64 = 50_000_000;

/// A file: its job, and its progress.
struct File {
    at: usize,
    left: u64,
    slot: Option<Slot>,
}

impl Piece for File {
    fn left(&self) -> u64 {
        self.left
    }

    fn slot(&self) -> Option<Slot> {
        self.slot
    }
}

/// What became of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Fate {
    begun: u32,
    done: u32,
    failed: u32,
    /// When it was done.
    at: Duration,
}

/// What all workers share besides the dispatcher.
struct World {
    began: Instant,
    window: u64,
    counters: Counters,
    fates: RefCell<Vec<Fate>>,
    /// Files over which a worker panics: when they are opened, or, if they have bytes, after the
    /// first step.
    faulty: Vec<Option<Planted>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Planted {
    WhenOpened,
    WhenHashed,
    /// The file cannot be opened, which is no panic.
    Absent,
}

/// The environment of one worker. A byte takes a nanosecond, regardless of the number of lanes.
struct Simulated {
    world: Rc<World>,
    clock: Rc<Cell<Duration>>,
}

impl Workshop for Simulated {
    type Piece = File;

    fn now(&self) -> Instant {
        self.world.began + self.clock.get()
    }

    fn is_cancelled(&self) -> bool {
        false
    }

    fn left(&self) -> u64 {
        self.world.counters.left()
    }

    fn hashed(&self) -> u64 {
        self.world.counters.hashed()
    }

    fn open(&mut self, job: &Job) -> Option<File> {
        let at = job.members[0];
        self.world.fates.borrow_mut()[at].begun += 1;
        match self.world.faulty[at] {
            Some(Planted::WhenOpened) => resume_unwind(Box::new("opened")),
            Some(Planted::Absent) => {
                self.world.counters.pass_over(job.size);
                self.end(at);
                None
            }
            _ => Some(File {
                at,
                left: job.size,
                slot: job.slot,
            }),
        }
    }

    fn step(&mut self, lanes: &mut Vec<File>, mut in_use: usize, freed: &mut Vec<Slot>) {
        let mut at = 0;
        while at < in_use {
            if lanes[at].left == 0 {
                let ended = lanes.remove(at);
                freed.extend(ended.slot);
                self.end(ended.at);
                in_use -= 1;
            } else {
                at += 1;
            }
        }
        let used = &mut lanes[..in_use];
        let shortest = used.iter().map(|file| file.left).min().unwrap_or(0);
        let taken = shortest.min(self.world.window / in_use.max(1) as u64);
        if used
            .iter()
            .any(|file| self.world.faulty[file.at] == Some(Planted::WhenHashed))
        {
            resume_unwind(Box::new("hashed"));
        }
        used.iter_mut().for_each(|file| file.left -= taken);
        self.world.counters.add_hashed(taken * in_use as u64);
        let time = Duration::from_nanos(taken * in_use as u64);
        self.clock.set(self.clock.get() + time);
    }

    fn note_panic(&mut self) {
        self.world.counters.note_panic();
    }

    fn settle(&mut self, _freed: &mut Vec<Slot>) {}

    fn fail_job(&mut self, job: &Job) {
        self.world.counters.pass_over(job.size);
        self.world.fates.borrow_mut()[job.members[0]].failed += 1;
    }

    fn fail_piece(&mut self, piece: &File) {
        self.world.counters.pass_over(piece.left);
        self.world.fates.borrow_mut()[piece.at].failed += 1;
    }
}

impl Simulated {
    fn end(&self, at: usize) {
        let fate = &mut self.world.fates.borrow_mut()[at];
        fate.done += 1;
        fate.at = self.clock.get();
    }
}

/// The input of a simulation.
#[derive(Clone, Debug, Default)]
struct Scene {
    /// The files: their sizes and their devices.
    files: Vec<(u64, u64)>,
    access: BTreeMap<u64, Access>,
    faulty: Vec<Option<Planted>>,
    /// The turn after which a worker leaves with everything that it holds, as after an
    /// unrecoverable failure.
    leaves: Vec<Option<u64>>,
    workers: usize,
    lanes: usize,
    window: u64,
}

/// The outcome of a simulation.
struct Ran {
    fates: Vec<Fate>,
    /// When the last worker was done.
    makespan: Duration,
    world: Rc<World>,
}

impl Scene {
    fn of(sizes: &[u64], (workers, lanes): (usize, usize)) -> Scene {
        Scene {
            files: sizes.iter().map(|size| (*size, 1)).collect(),
            workers,
            lanes,
            window: WINDOW,
            ..Scene::default()
        }
    }

    fn loads(&self) -> Vec<Cost> {
        let load = |(inode, (size, device)): (u64, &(u64, u64))| Cost {
            size: *size,
            file: FileId {
                device: *device,
                inode,
            },
            name: None,
            turn: Turn::default(),
        };
        (0..).zip(&self.files).map(load).collect()
    }

    fn world(&self) -> World {
        let sizes: Vec<u64> = self.files.iter().map(|(size, _)| *size).collect();
        let counters = Counters::default();
        let total = sizes
            .iter()
            .fold(0_u64, |sum, size| sum.saturating_add(*size));
        counters.expect(sizes.len(), total);
        let mut faulty = self.faulty.clone();
        faulty.resize(sizes.len(), None);
        World {
            began: Instant::now(),
            window: self.window,
            counters,
            fates: RefCell::new(vec![Fate::default(); sizes.len()]),
            faulty,
        }
    }

    fn run(&self) -> Ran {
        self.run_until(|_| false)
    }

    /// Runs until the work is over or `is_enough`.
    fn run_until(&self, is_enough: impl Fn(&World) -> bool) -> Ran {
        let world = Rc::new(self.world());
        let plan = Plan::new(&self.loads(), &self.access);
        let dispatcher = Dispatcher::new(plan, self.workers, None);
        let mut crew: Vec<Hand<'_>> = (0..self.workers)
            .map(|me| self.hand(me, &dispatcher, &world))
            .collect();
        let mut turns = 0;
        while !is_enough(&world) && self.turn(&mut crew, &dispatcher, &world) {
            turns += 1;
            assert!(turns < MOST_TURNS, "it goes on for ever");
        }
        let makespan = crew.iter().map(|hand| hand.clock.get()).max();
        drop(crew);
        let fates = world.fates.borrow().clone();
        Ran {
            fates,
            makespan: makespan.unwrap(),
            world,
        }
    }

    fn hand<'a>(&self, me: usize, dispatcher: &'a Dispatcher<File>, world: &Rc<World>) -> Hand<'a> {
        let clock = Rc::new(Cell::new(Duration::ZERO));
        let shop = Simulated {
            world: Rc::clone(world),
            clock: Rc::clone(&clock),
        };
        Hand {
            worker: Some(Worker::new(
                me,
                (self.workers, self.lanes),
                dispatcher,
                shop,
            )),
            clock,
            is_idle: false,
            turns_left: self.leaves.get(me).copied().flatten(),
        }
    }

    /// Gives the next turn to the worker whose clock is behind; returns false if all workers are
    /// gone.
    fn turn(&self, crew: &mut [Hand<'_>], dispatcher: &Dispatcher<File>, world: &World) -> bool {
        let awake = crew
            .iter_mut()
            .filter(|hand| hand.worker.is_some() && !hand.is_idle);
        let Some(hand) = awake.min_by_key(|hand| hand.clock.get()) else {
            // Real threads would poll forever and find nothing.
            assert!(crew.iter().all(|hand| hand.worker.is_none()), "it hangs");
            return false;
        };
        hand.take_turn(dispatcher);
        let (now, is_idle, lanes) = (hand.clock.get(), hand.is_idle, hand.lanes());
        if is_idle {
            self.assert_nothing_waits(world);
        }
        if dispatcher.has_news() {
            for idle in crew.iter_mut().filter(|hand| hand.is_idle) {
                dispatcher.rise();
                idle.is_idle = false;
                idle.clock.set(idle.clock.get().max(now));
            }
        } else {
            let is_alone = crew.iter().all(|hand| !hand.is_idle);
            assert!(
                is_alone || lanes < 2,
                "one has two files, and another one has none"
            );
        }
        true
    }

    /// Returns how many files of a device may be read at once, at least.
    fn most_readers(&self, device: u64) -> Option<usize> {
        let access = self.access.get(&device)?;
        let mut sizes = self.files.iter().filter(|file| file.1 == device);
        let are_small = sizes.all(|file| file.0 <= access.ahead);
        access
            .readers
            .map(|readers| if are_small { readers } else { 1 })
    }

    /// Asserts that every file has begun, except those on a device with the maximum number of
    /// readers.
    fn assert_nothing_waits(&self, world: &World) {
        let fates = world.fates.borrow();
        let mut reading: BTreeMap<u64, usize> = BTreeMap::new();
        for ((_, device), fate) in self.files.iter().zip(&*fates) {
            let is_read = fate.begun > 0 && fate.done + fate.failed == 0;
            *reading.entry(*device).or_default() += usize::from(is_read);
        }
        for ((_, device), fate) in self.files.iter().zip(&*fates) {
            let is_full = self
                .most_readers(*device)
                .is_some_and(|most| reading[device] >= most);
            assert!(
                fate.begun > 0 || is_full,
                "a file waits, and a worker is idle"
            );
        }
    }
}

/// A worker and its clock.
struct Hand<'a> {
    /// `None` when it is gone.
    worker: Option<Worker<&'a Dispatcher<File>, Simulated>>,
    clock: Rc<Cell<Duration>>,
    is_idle: bool,
    turns_left: Option<u64>,
}

impl Hand<'_> {
    fn lanes(&self) -> usize {
        self.worker.as_ref().map_or(0, |worker| worker.lanes.len())
    }

    fn take_turn(&mut self, dispatcher: &Dispatcher<File>) {
        if self.turns_left == Some(0) {
            self.worker = None;
            return;
        }
        self.turns_left = self.turns_left.map(|turns| turns - 1);
        match self.worker.as_mut().map(Worker::turn) {
            Some(Turned::On) => {}
            Some(Turned::Idle) => {
                dispatcher.rest();
                self.is_idle = true;
            }
            Some(Turned::Over) | None => self.worker = None,
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

const SHAPES: [(usize, usize); 6] = [(1, 2), (2, 2), (4, 2), (8, 2), (2, 8), (16, 8)];

#[test]
fn the_end_comes_within_5_percent_of_the_earliest_possible() {
    let packs = [3100, 1900, 850, 400, 220, 90, 30].map(|size| size * MB);
    let bundles: Vec<u64> = [22, 21, 20, 20, 18, 17, 17, 16, 15, 14, 13, 12, 11, 10]
        .map(|size| size * GB)
        .into();
    let one_among_many: Vec<u64> = [vec![17 * GB], vec![10 * MB; 1000]].concat();
    let many = log_normal(100_000);
    for sizes in [&packs[..], &bundles, &one_among_many, &many] {
        for shape in SHAPES {
            let total: u64 = sizes.iter().sum();
            let largest = sizes.iter().copied().max().unwrap();
            let bound = (total as f64 / shape.0 as f64).max(largest as f64);
            let ran = Scene::of(sizes, shape).run();
            let late = ran.makespan.as_nanos() as f64 / bound;
            assert!(late <= 1.05, "{} files, {shape:?}: {late:.3}", sizes.len());
            assert!(ran.fates.iter().all(|fate| fate.done == 1));
        }
    }
}

/// Asserts that the run ends within 5 percent of the earliest possible: an equal part for each
/// worker, the largest file, or all files of a device that has one reader.
fn assert_ends_in_time(scene: &Scene, what: &str) {
    let shape = (scene.workers, scene.lanes);
    let sizes = || scene.files.iter().map(|(size, _)| *size);
    let part = sizes().sum::<u64>() as f64 / scene.workers as f64;
    let limited = scene.files.iter().filter(|(_, device)| *device == 2);
    let limited: u64 = limited.map(|(size, _)| size).sum();
    let bound = part.max(sizes().max().unwrap().max(limited) as f64);
    let ran = scene.run();
    let late = ran.makespan.as_nanos() as f64 / bound;
    assert!(late <= 1.05, "{what}, {shape:?}: {late:.3}");
    assert!(ran.fates.iter().all(|fate| fate.done == 1), "{what}");
}

#[test]
fn on_64_and_on_256_workers_the_end_comes_within_5_percent_of_the_earliest_possible() {
    for workers in [64, 256] {
        for lanes in [1, 2] {
            // What ends 20 000 times a second, for a fifth of one.
            let equal = vec![workers as u64 * GB / 20_000; 4_000];
            let sum: u64 = equal.iter().sum();
            let largest = |large: u64| [&equal[..], &[large]].concat();
            for (what, sizes) in [
                ("equal files", equal.clone()),
                ("log-normal files", log_normal(4_000)),
                // It takes longer than all others together take all workers.
                ("one large file", largest(sum / workers as u64 * 2)),
                // It takes as long as they do.
                ("one as long as all", largest(sum / workers as u64)),
            ] {
                assert_ends_in_time(&Scene::of(&sizes, (workers, lanes)), what);
            }
            let mut limited = Scene::of(&equal, (workers, lanes));
            limited.access = BTreeMap::from([(2, Medium::Optical.access())]);
            limited.files.extend(vec![(MB, 2); 200]);
            assert_ends_in_time(&limited, "a device with one reader");
        }
    }
}

#[test]
fn every_file_is_done_in_bounded_time_regardless_of_the_sizes_of_others() {
    let good = [GB; 20];
    let giants = [7 << 60; 4];
    // Each is twice as large as the one before, so none of them dwarfs the smaller ones.
    let ladder: Vec<u64> = (31..63).map(|bit| 1 << bit).collect();
    for claims in [&giants[..], &ladder, &[&giants[..], &ladder].concat()] {
        let sizes = [&good[..], claims].concat();
        for shape in [(1, 1), (1, 2), (2, 2), (4, 2), (2, 8), (16, 8)] {
            let good_are_done = |world: &World| {
                let fates = world.fates.borrow();
                fates[..good.len()].iter().all(|fate| fate.done > 0)
            };
            let ran = Scene::of(&sizes, shape).run_until(good_are_done);
            let last = ran.fates[..good.len()].iter().map(|fate| fate.at).max();
            // Bound: until they are small compared with what was done, then all of them, delayed by
            // at most one worker's errands.
            let bound = GB * TIMES_AS_LARGE + good.iter().sum::<u64>() * u64::from(PART_OF_ERRANDS);
            let late = last.unwrap().as_nanos() as f64 / bound as f64;
            assert!(late <= 1.0, "{} files, {shape:?}: {late:.3}", sizes.len());
        }
    }
}

fn scenes() -> impl Strategy<Value = Scene> {
    let sizes = prop_oneof![0..4_u64, 0..1000_u64, 0..1_000_000_u64];
    let files = prop::collection::vec((sizes, 1..4_u64), 0..60);
    let ahead = prop_oneof![Just(0_u64), Just(500), Just(u64::MAX)];
    let shape = (1..6_usize, 1..5_usize, 100..100_000_u64);
    (files, shape, ahead).prop_map(|(files, (workers, lanes, window), ahead)| {
        Scene {
            files,
            // Device 1 has no reader limit; the others do, and large files are read alone.
            access: BTreeMap::from([
                (2, Medium::Optical.access()),
                (
                    3,
                    Access {
                        ahead,
                        ..Medium::Spinning.access()
                    },
                ),
            ]),
            workers,
            lanes,
            window,
            ..Scene::default()
        }
    })
}

fn faults() -> impl Strategy<Value = Vec<Option<Planted>>> {
    let fault = prop_oneof![
        6 => Just(None),
        1 => Just(Some(Planted::WhenOpened)),
        1 => Just(Some(Planted::WhenHashed)),
        1 => Just(Some(Planted::Absent)),
    ];
    prop::collection::vec(fault, 60)
}

proptest! {
    #[test]
    fn every_file_is_done_once_and_none_waits_while_a_worker_is_idle(scene in scenes()) {
        let ran = scene.run();
        prop_assert!(ran.fates.iter().all(|fate| (fate.begun, fate.done, fate.failed) == (1, 1, 0)));
        prop_assert_eq!(ran.world.counters.left(), 0);
    }

    #[test]
    fn no_end_comes_later_than_the_largest_file_after_an_equal_part_for_each(mut scene in scenes()) {
        scene.files.iter_mut().for_each(|file| file.1 = 1);
        let ran = scene.run();
        let sizes = || scene.files.iter().map(|(size, _)| *size);
        let part = sizes().sum::<u64>() / scene.workers as u64;
        // A worker checks only after each window.
        let bound = part + sizes().max().unwrap_or(0) + 2 * scene.window;
        prop_assert!(ran.makespan <= Duration::from_nanos(bound), "{:?} > {bound}", ran.makespan);
    }

    #[test]
    fn a_panic_costs_the_files_of_its_worker_and_every_other_one_is_done(
        mut scene in scenes(), faulty in faults()
    ) {
        scene.faulty = faulty;
        let ran = scene.run();
        let mut panics = 0;
        for (fate, fault) in ran.fates.iter().zip(&scene.faulty) {
            prop_assert_eq!((fate.begun, fate.done + fate.failed), (1, 1));
            let panicked = matches!(fault, Some(Planted::WhenOpened | Planted::WhenHashed));
            panics += u32::from(panicked);
        }
        let failed: u32 = ran.fates.iter().map(|fate| fate.failed).sum();
        // The other files that a worker held in its lanes, in passing and parked.
        prop_assert!(failed <= panics * (scene.lanes as u32 + 2));
        for (at, fate) in ran.fates.iter().enumerate() {
            if scene.faulty[at] == Some(Planted::WhenOpened) {
                prop_assert_eq!(fate.failed, 1);
            }
        }
        prop_assert_eq!(ran.world.counters.left(), 0);
        prop_assert!(ran.world.counters.panics() <= u64::from(panics));
    }

    #[test]
    fn a_worker_that_leaves_takes_its_own_files_with_it_and_blocks_no_other(
        mut scene in scenes(), leaves in prop::collection::vec(prop::option::of(0..60_u64), 6)
    ) {
        scene.leaves = leaves;
        // One stays.
        scene.leaves[0] = None;
        let ran = scene.run();
        let gone = scene.leaves[..scene.workers].iter().flatten().count();
        let lost = ran.fates.iter().filter(|fate| fate.done == 0).count();
        prop_assert!(lost <= gone * (scene.lanes + 1), "{lost} lost with {gone}");
        prop_assert!(ran.fates.iter().all(|fate| fate.begun == 1 && fate.done <= 1));
    }
}
