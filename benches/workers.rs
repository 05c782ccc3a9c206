//! Many workers: what scheduling costs, and when a run ends, with 64 and 256 worker threads whose
//! hashing is a wait. Scheduler, workers, batches of records and their receiver are those of a run.
//!
//! `cargo bench --bench workers [-- SECONDS TURNS]`: each scene is made for a run of 3 seconds at 20 000
//! files a second, and has 5 turns. Without `--bench` (as a test) it runs once, for a moment.
//!
//! A processor that hashes is one that waits here, so that two cores do for 256 workers, and what
//! they are busy with is all else: the waits themselves, which a second run without a scheduler
//! measures, and scheduling. Both runs wait equally often and long.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::cell::Cell;
use std::fs;
use std::num::NonZeroU64;
use std::thread;
use std::time::{Duration, Instant};

use rustix::thread::set_current_timer_slack;
use verify_signatures::internals::engine::{Load, Ran, Scene, run};

/// Files that end in a second, on all workers together.
const RATE: usize = 20_000;

/// Numbers by the xorshift of Marsaglia (2003).
struct Numbers(u64);

impl Numbers {
    /// Returns a number in (0, 1].
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }
}

thread_local! {
    /// How much later than it was to end this thread's last wait ended.
    static LATE: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Waits. If it ends late, since both cores were busy with other workers, which a worker with a core
/// of its own would not notice, the next wait is shorter by as much.
fn wait(time: Duration) {
    // A microsecond, where by default the system adds 50.
    set_current_timer_slack(NonZeroU64::new(1)).unwrap();
    let (late, began) = (LATE.get(), Instant::now());
    thread::sleep(time.saturating_sub(late));
    LATE.set((began.elapsed() + late).saturating_sub(time));
}

fn free(time: Duration) -> Load {
    Load {
        time,
        is_limited: false,
    }
}

/// Files that take one worker as long as `workers` of them do where [`RATE`] end in a second.
fn equal(workers: usize, seconds: f64) -> Vec<Load> {
    let each = Duration::from_secs_f64(workers as f64 / RATE as f64);
    vec![free(each); (RATE as f64 * seconds) as usize]
}

/// The same number of files and the same time in all, in sizes of a heavy tail (Pareto, 1.2).
fn heavy(workers: usize, seconds: f64) -> Vec<Load> {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let count = (RATE as f64 * seconds) as usize;
    // None is larger than a worker's part of all: that is another scene.
    let most = count as f64 / workers as f64 / 2.0;
    let sizes = (0..count).map(|_| numbers.next().powf(-1.0 / 1.2).min(most));
    let sizes: Vec<f64> = sizes.collect();
    let one = workers as f64 * seconds / sizes.iter().sum::<f64>();
    let load = |size: &f64| free(Duration::from_secs_f64(size * one));
    sizes.iter().map(load).collect()
}

/// Half of the time small files, and one that takes all of it: at the end all workers but one are
/// idle.
fn one_large(workers: usize, seconds: f64) -> Vec<Load> {
    let mut files = equal(workers, seconds / 2.0);
    files.push(free(Duration::from_secs_f64(seconds)));
    files
}

/// Half of the time small files, and others all the time on a device with one reader.
fn limited(workers: usize, seconds: f64) -> Vec<Load> {
    let mut files = equal(workers, seconds / 2.0);
    let slow = Load {
        time: Duration::from_millis(1),
        is_limited: true,
    };
    files.extend(vec![slow; (seconds * 1e3) as usize]);
    files
}

/// Files without a byte: as many as the scheduler and the receiver manage.
fn empty(_workers: usize, seconds: f64) -> Vec<Load> {
    vec![free(Duration::ZERO); (RATE as f64 * 10.0 * seconds) as usize]
}

/// As many files as workers: what it takes to begin.
fn one_each(workers: usize, seconds: f64) -> Vec<Load> {
    vec![free(Duration::from_secs_f64(seconds)); workers]
}

/// Returns the files of a scene for so many workers and seconds.
type Files = fn(usize, f64) -> Vec<Load>;

/// Returns the processor time of this process, in seconds (proc_pid_stat(5)).
fn processor_time() -> f64 {
    const TICKS: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit(") ").next().unwrap().split(' ');
    let ticks: Vec<f64> = fields
        .skip(11)
        .take(2)
        .map(|n| n.parse().unwrap())
        .collect();
    (ticks[0] + ticks[1]) / TICKS
}

/// Waits as often and as long as that run, in as many threads; returns the processor time and the
/// time, in seconds.
fn baseline(ran: &Ran) -> (f64, f64) {
    let (before, began) = (processor_time(), Instant::now());
    let steps = ran.steps.div_ceil(ran.workers as u64);
    let each = ran
        .hashing
        .div_f64((steps * ran.workers as u64).max(1) as f64);
    thread::scope(|scope| {
        for _ in 0..ran.workers {
            scope.spawn(|| (0..steps).for_each(|_| wait(each)));
        }
    });
    (processor_time() - before, began.elapsed().as_secs_f64())
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// One turn: a run, and the same without a scheduler.
struct Turn {
    ran: Ran,
    /// Processor time of the run, in seconds.
    busy: f64,
    /// Processor time without a scheduler, in seconds.
    waiting: f64,
    /// When that ended, in seconds.
    waited: f64,
}

impl Turn {
    fn of(scene: &Scene) -> Turn {
        let before = processor_time();
        let ran = run(scene).unwrap();
        let busy = processor_time() - before;
        assert_eq!(ran.records, scene.files.len());
        // Fewer where there are fewer files; and on top, for a device that allows one reader, that and
        // one whose bytes were requested.
        assert!((1..=scene.workers + 2).contains(&ran.workers));
        let (waiting, waited) = baseline(&ran);
        Turn {
            ran,
            busy,
            waiting,
            waited,
        }
    }

    fn makespan(&self) -> f64 {
        self.ran.makespan.as_secs_f64()
    }

    /// The processor time of scheduling and handing over, in seconds.
    fn cost(&self) -> f64 {
        (self.busy - self.waiting).max(0.0)
    }

    /// That, as a part of the time of all workers.
    fn share(&self) -> f64 {
        self.cost() / self.makespan() / self.ran.workers as f64
    }

    /// Seconds from a question to the scheduler to its answer.
    fn asking(&self) -> f64 {
        self.ran.asking.as_secs_f64() / self.ran.questions as f64
    }

    /// Processors that the run keeps busy.
    fn load(&self) -> f64 {
        self.busy / self.makespan()
    }
}

/// The earliest end: an equal part for each worker, the longest file, or all those of the device with
/// one reader.
fn bound(scene: &Scene) -> f64 {
    let seconds = |load: &Load| load.time.as_secs_f64();
    let total: f64 = scene.files.iter().map(seconds).sum();
    let limited = scene.files.iter().filter(|load| load.is_limited);
    let longest = scene.files.iter().map(seconds);
    let bound = longest.fold(limited.map(seconds).sum(), f64::max);
    bound.max(total / scene.workers as f64)
}

const HEADING: &str = "files       workers  number  a second  µs each  % cost  µs to ask  makespan  \
                       waits alone  cores busy  ms to start";

fn report(name: &str, scene: &Scene, turns: &[Turn]) {
    let of = |value: &dyn Fn(&Turn) -> f64| median(turns.iter().map(value));
    let files = scene.files.len() as f64;
    let bound = bound(scene);
    let late = |end: f64| match bound > 0.0 {
        true => format!("{:.3}", end / bound),
        false => "-".to_owned(),
    };
    println!(
        "{name:<11} {:>7} {:>7} {:>9.0} {:>8.1} {:>7.2} {:>10.2} {:>9} {:>12} {:>11.2} {:>12.1}",
        scene.workers,
        files,
        files / of(&Turn::makespan),
        of(&Turn::cost) / files * 1e6,
        of(&Turn::share) * 100.0,
        of(&Turn::asking) * 1e6,
        late(of(&Turn::makespan)),
        late(of(&|turn| turn.waited)),
        of(&Turn::load),
        of(&|turn| turn.ran.preparing.as_secs_f64()) * 1e3,
    );
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<f64> = arguments.iter().filter_map(|a| a.parse().ok()).collect();
    let (seconds, turns) = match (arguments.iter().any(|a| a == "--bench"), &*numbers) {
        (false, _) => (0.01, 1),
        (true, [seconds, turns]) => (*seconds, *turns as usize),
        (true, _) => (3.0, 5),
    };
    println!("{HEADING}");
    let scenes: [(&str, Files); 6] = [
        ("equal", equal),
        ("heavy tail", heavy),
        ("one large", one_large),
        ("one reader", limited),
        ("empty", empty),
        ("one each", one_each),
    ];
    for (name, files) in scenes {
        for workers in [64, 256] {
            let scene = Scene {
                files: files(workers, seconds),
                workers,
                lanes: 2,
                hash: wait,
            };
            let turns: Vec<Turn> = (0..turns).map(|_| Turn::of(&scene)).collect();
            report(name, &scene, &turns);
        }
    }
}
