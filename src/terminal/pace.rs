//! How fast something goes on, and how long it will take: a smoothed rate. Pure; time is an
//! argument.

use std::time::{Duration, Instant};

/// Seconds after which a rate counts for a third of what it counted for: long enough for a steady
/// estimate, and short enough to follow a disk that slows down.
const MEMORY: f64 = 10.0;

/// The pace of something that is done by the byte.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    began: Instant,
    last: Instant,
    done: u64,
    /// The rates so far, each weighted by how recent it is. The weights do not add up to 1 at the
    /// beginning.
    weighted: f64,
}

impl Pace {
    /// Begins, with so much done before.
    pub(super) fn begin(now: Instant, done: u64) -> Pace {
        Pace {
            began: now,
            last: now,
            done,
            weighted: 0.0,
        }
    }

    /// Takes into account what is done now.
    pub(super) fn note(&mut self, now: Instant, done: u64) {
        let seconds = now.saturating_duration_since(self.last).as_secs_f64();
        if seconds <= 0.0 {
            return;
        }
        let rate = done.saturating_sub(self.done) as f64 / seconds;
        let kept = (-seconds / MEMORY).exp();
        self.weighted = self.weighted * kept + rate * (1.0 - kept);
        (self.last, self.done) = (now, done);
    }

    /// Returns the bytes per second.
    pub(super) fn rate(&self) -> u64 {
        let seconds = self.last.saturating_duration_since(self.began);
        let weights = 1.0 - (-seconds.as_secs_f64() / MEMORY).exp();
        if weights > 0.0 {
            (self.weighted / weights) as u64
        } else {
            0
        }
    }

    /// Returns the time since the beginning.
    pub(super) fn elapsed(&self) -> Duration {
        self.last.saturating_duration_since(self.began)
    }

    /// Returns the time that the rest of `total` bytes will take; `None` if nothing moves.
    pub(super) fn left(&self, total: u64) -> Option<Duration> {
        let left = total.saturating_sub(self.done);
        match self.rate() {
            0 if left > 0 => None,
            rate => Some(Duration::from_secs(left / rate.max(1))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pace after steps of a second, each with so many bytes.
    fn after(steps: &[u64]) -> Pace {
        let began = Instant::now();
        let mut pace = Pace::begin(began, 0);
        let mut done = 0;
        for (second, step) in (1..).zip(steps) {
            done += step;
            pace.note(began + Duration::from_secs(second), done);
        }
        pace
    }

    #[test]
    fn a_steady_pace_is_known_from_the_first_step_on() {
        for steps in [1, 2, 100] {
            let pace = after(&vec![1_000_000; steps]);
            assert!(pace.rate().abs_diff(1_000_000) < 100, "{pace:?}");
            assert_eq!(pace.elapsed(), Duration::from_secs(steps as u64));
        }
    }

    #[test]
    fn a_new_pace_is_followed_within_half_a_minute() {
        let steps = [vec![1_000_000; 60], vec![100_000; 30]].concat();
        let rate = after(&steps).rate();
        assert!((100_000..200_000).contains(&rate), "{rate}");
    }

    #[test]
    fn the_time_left_is_that_of_the_rest_at_this_pace() {
        let pace = after(&[1000; 10]);
        let left = pace.left(20_000).unwrap();
        assert!(left.as_secs().abs_diff(10) <= 1, "{left:?}");
        assert_eq!(pace.left(10_000), Some(Duration::ZERO));
        assert_eq!(after(&[0; 10]).left(1), None);
        assert_eq!(after(&[]).left(1), None);
    }
}
