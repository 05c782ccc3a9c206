//! The memory for windows of zstd frames, shared by all bundles of a run.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Maximum window in bytes that needs no share of the budget: what every decoder must support (RFC
/// 8878, 3.1.1.1.2).
const ORDINARY: u64 = 8 * 1024 * 1024;

/// Time between two looks at whether the wait is still wanted.
const PATIENCE: Duration = Duration::from_millis(50);

/// The bytes that all large windows may have together. Frames that find none left wait for others
/// to end.
#[derive(Clone, Debug)]
pub(crate) struct WindowBudget {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    total: u64,
    free: Mutex<u64>,
    /// Signalled when a share is returned.
    returned: Condvar,
}

/// A part of the budget, returned when it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    of: Arc<Shared>,
    bytes: u64,
}

impl WindowBudget {
    /// Returns a budget of `total` bytes: at least the largest window allowed.
    pub(crate) fn new(total: u64) -> WindowBudget {
        WindowBudget {
            shared: Arc::new(Shared {
                total,
                free: Mutex::new(total),
                returned: Condvar::new(),
            }),
        }
    }

    /// Waits until a window of `bytes` fits. Returns `None` once `is_abandoned`.
    pub(super) fn acquire(&self, bytes: u64, is_abandoned: &dyn Fn() -> bool) -> Option<Share> {
        // A window larger than the budget takes all of it.
        let bytes = if bytes <= ORDINARY {
            0
        } else {
            bytes.min(self.shared.total)
        };
        let mut free = self.shared.free();
        while *free < bytes {
            if is_abandoned() {
                return None;
            }
            let waited = self.shared.returned.wait_timeout(free, PATIENCE);
            (free, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        *free -= bytes;
        Some(Share {
            of: Arc::clone(&self.shared),
            bytes,
        })
    }
}

impl Shared {
    /// Locks the number, which is consistent wherever a thread could panic.
    fn free(&self) -> MutexGuard<'_, u64> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Reports whether it is a large window, whose memory is to be released with its frame.
    pub(super) fn is_large(&self) -> bool {
        self.bytes > 0
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        *self.of.free() += self.bytes;
        self.of.returned.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn a_large_window_waits_until_another_is_returned() {
        let budget = WindowBudget::new(128 * MIB);
        let first = budget.acquire(100 * MIB, &|| false).unwrap();
        assert!(budget.acquire(64 * MIB, &|| true).is_none());
        let other = budget.clone();
        let waiting = std::thread::spawn(move || other.acquire(64 * MIB, &|| false).is_some());
        drop(first);
        assert!(waiting.join().unwrap());
        assert_eq!(*budget.shared.free(), 128 * MIB);
    }

    #[test]
    fn an_ordinary_window_never_waits() {
        let budget = WindowBudget::new(128 * MIB);
        let _all = budget.acquire(128 * MIB, &|| false).unwrap();
        let ordinary = budget.acquire(8 * MIB, &|| true).unwrap();
        assert!(!ordinary.is_large());
    }

    #[test]
    fn a_window_larger_than_the_budget_takes_all_of_it() {
        let budget = WindowBudget::new(128 * MIB);
        let all = budget.acquire(u64::MAX, &|| false).unwrap();
        assert_eq!(*budget.shared.free(), 0);
        assert!(all.is_large());
        assert!(budget.acquire(9 * MIB, &|| true).is_none());
    }
}
