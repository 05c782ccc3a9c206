//! Every way to compute SHA-256, in memory that no cache holds: bytes per second in one thread for
//! each number of lanes, and on all cores with all lanes, which is the ceiling for a whole run.
//!
//! `cargo bench --bench hash`. The lanes read from random pages of a large buffer, as the windows
//! of files do. Without `--bench` (as a test) it runs once on little memory.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use verify_signatures::internals::digest::{Block, Feed, Hasher};

const PAGE: usize = 4096 / 64;
const WINDOW: usize = 2 * 1024 * 1024 / 64;

struct Plan {
    /// Blocks of the buffer.
    buffer: usize,
    /// Blocks that each lane takes in at once.
    window: usize,
    windows: usize,
    times: usize,
}

/// Numbers by the xorshift of Marsaglia (2003).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// Hashes windows from random pages in all of the lanes; returns the bytes.
fn hash(plan: &Plan, buffer: &[Block], hasher: Hasher, lanes: usize, seed: u64) -> usize {
    let mut numbers = Numbers(seed);
    let mut states = vec![hasher.begin(); lanes];
    for _ in 0..plan.windows {
        let mut feeds: Vec<Feed<'_>> = states
            .iter_mut()
            .map(|lane| {
                let start = numbers.below((buffer.len() - plan.window) / PAGE) * PAGE;
                let blocks = &buffer[start..start + plan.window];
                Feed { lane, blocks }
            })
            .collect();
        hasher.advance(&mut feeds);
    }
    black_box(states);
    lanes * plan.windows * plan.window * 64
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn rate(plan: &Plan, buffer: &[Block], hasher: Hasher, lanes: usize, threads: usize) -> f64 {
    let once = |time: usize| {
        let started = Instant::now();
        let bytes: usize = thread::scope(|scope| {
            let work =
                |n| move || hash(plan, buffer, hasher, lanes, (time * threads + n + 1) as u64);
            let running: Vec<_> = (0..threads).map(|n| scope.spawn(work(n))).collect();
            running
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        bytes as f64 / started.elapsed().as_secs_f64() / 1e9
    };
    median((0..plan.times).map(once).collect())
}

fn main() {
    let plan = match std::env::args().any(|argument| argument == "--bench") {
        true => Plan {
            buffer: 16 * 1024 * 1024,
            window: WINDOW,
            windows: 32,
            times: 5,
        },
        false => Plan {
            buffer: 4 * PAGE,
            window: PAGE,
            windows: 2,
            times: 1,
        },
    };
    let buffer: Vec<Block> = (0..plan.buffer).map(|n| [(n % 251) as u8; 64]).collect();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    println!(
        "{:<10} {:>5} {:>7} {:>8}",
        "way", "lanes", "threads", "GB/s"
    );
    for hasher in Hasher::all() {
        for lanes in 1..=hasher.lanes() {
            let rate = rate(&plan, &buffer, hasher, lanes, 1);
            println!("{:<10} {lanes:>5} {:>7} {rate:>8.2}", hasher.name(), 1);
        }
        let rate = rate(&plan, &buffer, hasher, hasher.lanes(), cores);
        println!(
            "{:<10} {:>5} {cores:>7} {rate:>8.2}",
            hasher.name(),
            hasher.lanes()
        );
    }
}
