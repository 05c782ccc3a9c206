//! Runs work that may block on a file system forever, so that a signal need not wait for it.

use std::sync::mpsc::{RecvTimeoutError, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::progress::Cancel;

/// Interval at which the waiting thread checks for cancellation.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// Maximum time for which a cancelled run waits for the work to notice.
const JOIN_TIMEOUT: Duration = Duration::from_millis(30);
/// Stack size of the thread: that of a main thread, unless memory is limited.
const STACK: usize = 2 * 1024 * 1024;

/// Runs the work on its own thread and returns its outcome, or `None` if the run was cancelled
/// first. The thread is then left behind: one that is blocked on a file system cannot be ended.
pub fn unless_cancelled<T: Send + 'static>(
    cancel: &Cancel,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    unless_cancelled_for(JOIN_TIMEOUT, cancel, work)
}

fn unless_cancelled_for<T: Send + 'static>(
    grace: Duration,
    cancel: &Cancel,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    // The work is sent through a channel, so that it is still here if the thread cannot start.
    let (hand, handed) = sync_channel(1);
    let (done, is_done) = channel();
    let run = move || {
        if let Ok(work) = handed.recv() {
            let work: Box<dyn FnOnce() -> T + Send> = work;
            // The receiver is gone if the run was cancelled.
            let _ = done.send(work());
        }
    };
    let builder = thread::Builder::new().name("look".to_owned());
    let Ok(thread) = builder.stack_size(STACK).spawn(run) else {
        return Some(work());
    };
    let sent = hand.send(Box::new(work));
    let mut deadline = None;
    while sent.is_ok() {
        match is_done.recv_timeout(POLL_INTERVAL) {
            Ok(outcome) => {
                // Joined before the next thread starts, so that it counts against no limit.
                let _ = thread.join();
                return Some(outcome);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        let now = Instant::now();
        if cancel.is_cancelled() && now >= *deadline.get_or_insert(now + grace) {
            break;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_ends_gives_its_outcome_and_work_that_does_not_is_left_behind_after_a_signal() {
        let cancel = Cancel::default();
        assert_eq!(unless_cancelled(&cancel, || 7), Some(7));
        cancel.cancel();
        // Even so, work that ends at once keeps its outcome.
        let for_ever = Duration::from_secs(60);
        assert_eq!(unless_cancelled_for(for_ever, &cancel, || 8), Some(8));
        let (_keep, never) = channel::<()>();
        assert_eq!(unless_cancelled(&cancel, move || never.recv()), None);
    }

    #[test]
    fn work_that_panics_has_no_outcome() {
        let work = || -> u8 { std::panic::resume_unwind(Box::new("gone")) };
        assert_eq!(unless_cancelled(&Cancel::default(), work), None);
    }
}
