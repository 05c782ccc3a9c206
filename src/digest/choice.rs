//! Chooses the SHA-256 implementation: the one that the processor's instructions promise to be
//! fastest, unless measurement shows otherwise.
//!
//! The gain from two lanes ranges from none to almost double on processors that report the same
//! instructions, so it has to be measured. But a measurement is one millisecond of a run of hours,
//! and other programs disturb it: a single one decides nothing.

use std::thread;
use std::time::{Duration, Instant};

use super::{Block, Feed, Hasher};

/// Blocks per lane in one sample: few enough for the nearest caches, enough for the clock's
/// resolution.
const BLOCKS: usize = 16 * 1024 / 64;
/// Samples of each implementation per round, of which the best counts: disturbances only lengthen a
/// sample.
const TIMES: usize = 4;
/// Pause before the round that confirms a loss: longer than the usual time slice of another
/// program.
const PAUSE: Duration = Duration::from_millis(5);

/// Tolerance: the most promising implementation loses a round below this fraction of another's
/// rate. The measured data lies in the nearest cache; on files, our own implementations are faster
/// than measured, since they prefetch (BENCHMARKS.md).
const A_TIE: f64 = 0.95;

/// The rate of one implementation with some of its lanes in use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement {
    /// The implementation.
    pub hasher: Hasher,
    /// Number of lanes in use.
    pub lanes: usize,
    /// Bytes per second of all lanes together, in one thread.
    pub rate: f64,
}

/// The chosen implementation and the measurements; empty if measuring was not worthwhile.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The implementation to use.
    pub hasher: Hasher,
    /// The best rate of each implementation, least promising first.
    pub measured: Vec<Measurement>,
}

impl Choice {
    /// Returns a choice without measurements.
    pub fn unmeasured(hasher: Hasher) -> Choice {
        Choice {
            hasher,
            measured: Vec::new(),
        }
    }

    /// Returns the implementation that lost in measurement though the instructions promise more of
    /// it.
    pub fn demoted(&self) -> Option<Hasher> {
        let promised = self.measured.last()?.hasher;
        (promised != self.hasher).then_some(promised)
    }
}

/// Chooses an implementation for a thread that hashes `in_flight` messages at once. Measuring takes
/// a millisecond, and a few more if the most promising implementation appears to lose.
pub fn choose(in_flight: usize) -> Choice {
    let mut measured: Vec<Measurement> = Hasher::all()
        .into_iter()
        .map(|hasher| Measurement {
            hasher,
            lanes: hasher.lanes().min(in_flight.max(1)),
            rate: 0.0,
        })
        .collect();
    let candidates: Vec<Hasher> = measured.iter().map(|m| m.hasher).collect();
    let mut is_first = true;
    let rounds = std::iter::from_fn(|| {
        if !std::mem::take(&mut is_first) {
            thread::sleep(PAUSE);
        }
        let rates = round(&measured);
        for (candidate, rate) in measured.iter_mut().zip(&rates) {
            candidate.rate = candidate.rate.max(*rate);
        }
        Some(rates)
    });
    Choice {
        hasher: decide(&candidates, rounds).unwrap_or(Hasher::PORTABLE),
        measured,
    }
}

/// Decides among the `candidates`, most promising last. Each of the `rounds` contains the rate of
/// every implementation, in the same order. The most promising one is rejected only for one to
/// which it loses two rounds in a row; the second round is requested only after a lost first one.
fn decide<H: Copy + PartialEq>(
    candidates: &[H],
    mut rounds: impl Iterator<Item = Vec<f64>>,
) -> Option<H> {
    let (promised, others) = candidates.split_last()?;
    let mut lost_to = |rivals: &[H]| -> Vec<H> {
        let rates = rounds.next().unwrap_or_default();
        // Without a measured rate of its own, it has not lost.
        let Some(own) = rates.get(others.len()) else {
            return Vec::new();
        };
        let faster = others
            .iter()
            .zip(&rates)
            .filter(|(candidate, rate)| rivals.contains(candidate) && *own < *rate * A_TIE);
        let mut faster: Vec<(&H, &f64)> = faster.collect();
        faster.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        faster
            .into_iter()
            .map(|(candidate, _)| *candidate)
            .collect()
    };
    let once = lost_to(others);
    if once.is_empty() {
        return Some(*promised);
    }
    // The fastest of those to which it lost twice.
    Some(lost_to(&once).pop().unwrap_or(*promised))
}

/// Measures all implementations in turn, so that a slowdown of the processor affects each of them.
fn round(candidates: &[Measurement]) -> Vec<f64> {
    let message: Vec<Block> = vec![[0x5a; 64]; BLOCKS];
    let mut rates = vec![0.0_f64; candidates.len()];
    for _ in 0..TIMES {
        for (candidate, best) in candidates.iter().zip(&mut rates) {
            *best = best.max(sample(*candidate, &message));
        }
    }
    rates
}

fn sample(candidate: Measurement, message: &[Block]) -> f64 {
    let mut lanes = vec![candidate.hasher.begin(); candidate.lanes];
    let mut feeds: Vec<Feed<'_>> = lanes
        .iter_mut()
        .map(|lane| Feed {
            lane,
            blocks: message,
        })
        .collect();
    let started = Instant::now();
    candidate.hasher.advance(&mut feeds);
    let taken = started.elapsed();
    std::hint::black_box(lanes);
    (candidate.lanes * size_of_val(message)) as f64 / taken.as_secs_f64().max(f64::EPSILON)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Least promising first, as in [`Hasher::all`].
    const CANDIDATES: [&str; 3] = ["portable", "wide", "instructions"];

    /// Returns the choice after these rounds, and how many of them were requested.
    fn decided(rounds: &[[f64; 3]]) -> (&'static str, usize) {
        let mut asked = 0;
        let rounds = rounds.iter().inspect(|_| asked += 1);
        let candidate = decide(&CANDIDATES, rounds.map(|rates| rates.to_vec())).unwrap();
        (candidate, asked)
    }

    #[test]
    fn what_the_processor_promises_is_chosen_after_one_round_that_it_does_not_lose() {
        assert_eq!(decided(&[[1.0, 1.5, 3.4]]), ("instructions", 1));
        // A tie is not a loss.
        assert_eq!(decided(&[[3.5, 1.5, 3.4]]), ("instructions", 1));
    }

    #[test]
    fn one_lost_round_demotes_nothing() {
        let (lost, won) = ([3.4, 1.5, 1.7], [1.8, 1.5, 3.4]);
        assert_eq!(decided(&[lost, won]), ("instructions", 2));
        // Nor do two losses to different ones.
        let lost_to_another = [1.0, 3.4, 1.7];
        assert_eq!(decided(&[lost, lost_to_another]), ("instructions", 2));
        // Nor does a loss without a further measurement.
        assert_eq!(decided(&[lost]), ("instructions", 1));
    }

    #[test]
    fn a_hasher_that_loses_twice_to_the_same_one_is_demoted_for_the_fastest_of_those() {
        assert_eq!(decided(&[[3.4, 1.5, 1.7]; 2]), ("portable", 2));
        assert_eq!(decided(&[[2.0, 3.4, 1.7]; 2]), ("wide", 2));
        assert_eq!(
            decided(&[[2.0, 1.0, 1.7], [2.0, 3.4, 1.7]]),
            ("portable", 2)
        );
    }

    #[test]
    fn rates_that_cannot_be_compared_demote_nothing() {
        let nan = f64::NAN;
        assert_eq!(decided(&[[nan, nan, 1.0]; 2]).0, "instructions");
        assert_eq!(decided(&[[3.4, 1.5, nan]; 2]).0, "instructions");
        assert_eq!(decided(&[]).0, "instructions");
        assert_eq!(
            decide(&CANDIDATES, std::iter::repeat(vec![9.0])),
            Some("instructions")
        );
        assert_eq!(decide::<u8>(&[], std::iter::empty()), None);
    }

    proptest! {
        #[test]
        fn only_a_supported_hasher_is_chosen_and_another_than_the_promised_one_only_if_faster_twice(
            supported in 1..=3_usize,
            rounds in prop::collection::vec(prop::array::uniform5(0.0..10.0_f64), 0..4)
        ) {
            let candidates = &CANDIDATES[..supported];
            // The rates include implementations that are not supported.
            let chosen = decide(candidates, rounds.iter().map(|rates| rates.to_vec())).unwrap();
            let at = candidates.iter().position(|candidate| *candidate == chosen);
            prop_assert!(at.is_some());
            let (at, promised) = (at.unwrap(), supported - 1);
            if at != promised {
                prop_assert!(rounds.len() >= 2);
                prop_assert!(rounds[..2].iter().all(|rates| rates[promised] < rates[at] * A_TIE));
            }
        }
    }

    #[test]
    fn every_hasher_of_this_processor_is_measured_with_no_more_lanes_than_there_are_messages() {
        let choice = choose(2);
        let measured: Vec<Hasher> = choice.measured.iter().map(|m| m.hasher).collect();
        assert_eq!(measured, Hasher::all());
        assert!(choice.measured.iter().all(|m| m.lanes <= 2 && m.rate > 0.0));
        assert!(measured.contains(&choice.hasher));
    }
}
