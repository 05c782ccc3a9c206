//! How fast something goes on, and how long it will take, as indicatif estimates it. The bars
//! themselves are drawn on a [canvas](super::canvas), which leaves nothing behind on a screen that
//! is resized.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget};

/// The pace of something that is done by the byte. A clone is the same pace.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    /// Counts from 0: what was done before says nothing about the pace.
    bar: ProgressBar,
    /// Bytes done before the beginning.
    before: u64,
}

impl Pace {
    /// Begins now, with so much done before.
    pub(super) fn begin(done: u64) -> Pace {
        Pace {
            bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
            before: done,
        }
    }

    /// Takes into account what is done now, of so much in all.
    pub(super) fn note(&self, done: u64, total: u64) {
        self.bar.set_length(total.saturating_sub(self.before));
        self.bar.set_position(done.saturating_sub(self.before));
    }

    /// Returns the bytes per second.
    pub(super) fn rate(&self) -> u64 {
        self.bar.per_sec() as u64
    }

    /// Returns the time since the beginning.
    pub(super) fn elapsed(&self) -> Duration {
        self.bar.elapsed()
    }

    /// Returns the time that the rest will take; `None` if nothing moves.
    pub(super) fn left(&self) -> Option<Duration> {
        let is_done = self.bar.length() == Some(self.bar.position());
        (is_done || self.rate() > 0).then(|| self.bar.eta())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::sleep;

    #[test]
    fn the_time_left_is_unknown_until_something_moves() {
        let pace = Pace::begin(500);
        pace.note(500, 10_000_000);
        assert_eq!((pace.rate(), pace.left()), (0, None));
        sleep(Duration::from_millis(20));
        pace.note(1_000_500, 10_000_000);
        assert!(pace.rate() > 0);
        assert!(pace.left().is_some_and(|left| left > Duration::ZERO));
        assert!(pace.elapsed() >= Duration::from_millis(20));
        pace.note(10_000_000, 10_000_000);
        assert_eq!(pace.left(), Some(Duration::ZERO));
    }

    #[test]
    fn what_was_done_before_does_not_count() {
        let pace = Pace::begin(u64::MAX / 2);
        sleep(Duration::from_millis(20));
        pace.note(u64::MAX / 2 + 1000, u64::MAX);
        // No more than those bytes, in no less than that time.
        assert!(pace.rate() <= 50_000, "{}", pace.rate());
    }
}
