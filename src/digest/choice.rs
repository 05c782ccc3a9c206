//! Which way to compute SHA-256 is the fastest on this processor: found out by measuring, not from its description.
//!
//! What two lanes gain differs from nothing to almost double between processors that all report the same instructions.

use std::time::{Duration, Instant};

use super::{Block, Feed, Hasher, Lane};

/// What one lane takes in for one measurement. Small enough for the nearest caches, long enough for the clock.
const BLOCKS: usize = 16 * 1024 / 64;
/// Each is measured this many times and its best time counts: what disturbs a measurement makes it longer.
const TIMES: usize = 4;

/// From this part of the best rate on, the way that comes last in [`Hasher::all`] wins. What is measured lies in the nearest
/// cache; on files, our own ways are faster than they seem there, since they ask for memory ahead (BENCHMARKS.md).
const A_TIE: f64 = 0.95;

/// The rate of one way with some of its lanes in use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement {
    /// The way.
    pub hasher: Hasher,
    /// Lanes in use.
    pub lanes: usize,
    /// Bytes per second of all lanes together, in one thread.
    pub rate: f64,
}

/// The way that was chosen, with the measurements that speak for it; none where nothing had to be measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The way to use.
    pub hasher: Hasher,
    /// What was measured.
    pub measured: Vec<Measurement>,
}

impl Choice {
    /// One that is not chosen by its speed.
    pub fn unmeasured(hasher: Hasher) -> Choice {
        Choice {
            hasher,
            measured: Vec::new(),
        }
    }
}

/// Measures every way that this processor knows, for a thread that has `in_flight` messages at once; takes a
/// millisecond or two.
pub fn fastest(in_flight: usize) -> Choice {
    let measured: Vec<Measurement> = Hasher::all()
        .into_iter()
        .map(|hasher| measure(hasher, hasher.lanes().min(in_flight.max(1))))
        .collect();
    let best = measured.iter().map(|m| m.rate).fold(0.0, f64::max);
    let chosen = measured.iter().rfind(|m| m.rate >= best * A_TIE);
    Choice {
        hasher: chosen.map_or(Hasher::PORTABLE, |chosen| chosen.hasher),
        measured,
    }
}

/// Measures one way with so many lanes in use.
pub fn measure(hasher: Hasher, lanes: usize) -> Measurement {
    let message: Vec<Block> = vec![[0x5a; 64]; BLOCKS];
    let shortest = (0..TIMES).map(|_| time(hasher, lanes, &message)).min();
    let seconds = shortest.unwrap_or(Duration::MAX).as_secs_f64();
    Measurement {
        hasher,
        lanes,
        rate: (lanes * message.len() * size_of::<Block>()) as f64 / seconds.max(f64::EPSILON),
    }
}

fn time(hasher: Hasher, lanes: usize, message: &[Block]) -> Duration {
    let mut lanes = vec![Lane::default(); lanes];
    let mut feeds: Vec<Feed<'_>> = lanes
        .iter_mut()
        .map(|lane| Feed {
            lane,
            blocks: message,
        })
        .collect();
    let started = Instant::now();
    hasher.advance(&mut feeds);
    let taken = started.elapsed();
    std::hint::black_box(lanes);
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_is_the_fastest_of_what_was_measured_but_for_a_tie() {
        let choice = fastest(2);
        let rate_of = |hasher| {
            let of = choice.measured.iter().find(|m| m.hasher == hasher);
            of.map(|m| m.rate).unwrap()
        };
        for measurement in &choice.measured {
            assert!(rate_of(choice.hasher) >= measurement.rate * A_TIE);
            assert!(measurement.lanes <= 2);
        }
        assert_eq!(choice.measured.len(), Hasher::all().len());
    }
}
