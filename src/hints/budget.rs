//! How much work a hint may cost, counted in verifications, and whether anybody still waits for it.

use std::cell::Cell;

/// The work that is left for hints. It is used up by what is computed, and not by what there is to
/// look at: whoever makes up the files decides how much of that there is.
pub struct Budget<'a> {
    left: Cell<usize>,
    spent: Cell<usize>,
    cancelled: &'a dyn Fn() -> bool,
}

impl<'a> Budget<'a> {
    /// As much work as so many verifications take, and none when `cancelled`.
    pub fn new(verifications: usize, cancelled: &'a dyn Fn() -> bool) -> Budget<'a> {
        Budget {
            left: Cell::new(verifications),
            spent: Cell::new(0),
            cancelled,
        }
    }

    /// Whether work of this cost may be done now; it counts as done then.
    pub fn spend(&self, verifications: usize) -> bool {
        let left = self.left.get().checked_sub(verifications);
        let Some(left) = left.filter(|_| !(self.cancelled)()) else {
            return false;
        };
        self.left.set(left);
        self.spent.set(self.spent.get() + verifications);
        true
    }

    /// The work that was done.
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
