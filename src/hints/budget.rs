//! The work that a hint may cost, counted in verifications, and its cancellation.

use std::cell::Cell;

/// The work left for hints. Computation uses it up, and not the number of files to examine: an
/// attacker who creates the files controls that number.
pub struct Budget<'a> {
    left: Cell<usize>,
    spent: Cell<usize>,
    cancelled: &'a dyn Fn() -> bool,
}

impl<'a> Budget<'a> {
    /// Returns a budget of `verifications` verifications, and of none once `cancelled`.
    pub fn new(verifications: usize, cancelled: &'a dyn Fn() -> bool) -> Budget<'a> {
        Budget {
            left: Cell::new(verifications),
            spent: Cell::new(0),
            cancelled,
        }
    }

    /// Reports whether work of this cost may be done now, and counts it as done.
    pub fn spend(&self, verifications: usize) -> bool {
        let left = self.left.get().checked_sub(verifications);
        let Some(left) = left.filter(|_| !(self.cancelled)()) else {
            return false;
        };
        self.left.set(left);
        self.spent.set(self.spent.get() + verifications);
        true
    }

    /// Returns the work done.
    #[cfg(test)]
    pub fn spent(&self) -> usize {
        self.spent.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_gives_as_much_as_it_has_and_nothing_when_cancelled() {
        let cancelled = Cell::new(false);
        let is_cancelled = || cancelled.get();
        let budget = Budget::new(5, &is_cancelled);
        assert!(budget.spend(3) && !budget.spend(3) && budget.spend(1));
        cancelled.set(true);
        assert!(!budget.spend(1));
        assert_eq!(budget.spent(), 4);
    }
}
