//! Results in the order of the work, whatever the order in which they were found.

/// Holds each result back until all before it are there.
#[derive(Debug)]
pub(crate) struct InOrder<T> {
    slots: Vec<Option<T>>,
    next: usize,
}

impl<T> InOrder<T> {
    /// Waits for as many results.
    pub(crate) fn new(results: usize) -> Self {
        let slots = std::iter::repeat_with(|| None).take(results).collect();
        InOrder { slots, next: 0 }
    }

    /// Puts the result of place `at` there.
    pub(crate) fn put(&mut self, at: usize, result: T) {
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = Some(result);
        }
    }

    /// The next result, if all before it were taken.
    pub(crate) fn take_ready(&mut self) -> Option<T> {
        let result = self.slots.get_mut(self.next)?.take()?;
        self.next += 1;
        Some(result)
    }

    /// The next result that is there, whatever is missing before it, when no more will come.
    pub(crate) fn take_next(&mut self) -> Option<T> {
        let rest = self.slots.get_mut(self.next..)?;
        let skipped = rest.iter().take_while(|slot| slot.is_none()).count();
        self.next += skipped;
        self.take_ready()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_out_in_order_as_soon_as_all_before_them_are_there() {
        let mut order = InOrder::new(4);
        order.put(1, 'b');
        assert_eq!(order.take_ready(), None);
        order.put(0, 'a');
        assert_eq!(order.take_ready(), Some('a'));
        assert_eq!(order.take_ready(), Some('b'));
        assert_eq!(order.take_ready(), None);
        order.put(3, 'd');
        assert_eq!(order.take_ready(), None);
        assert_eq!(order.take_next(), Some('d'));
        assert_eq!(order.take_next(), None);
    }
}
