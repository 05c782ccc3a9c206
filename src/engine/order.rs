//! Results in the order of the work, whatever the order in which they were found.

/// Holds each result back until all before it are there.
#[derive(Debug)]
pub(super) struct InOrder<T> {
    slots: Vec<Option<T>>,
    next: usize,
}

impl<T> InOrder<T> {
    /// Waits for as many results.
    pub(super) fn new(results: usize) -> Self {
        let slots = std::iter::repeat_with(|| None).take(results).collect();
        InOrder { slots, next: 0 }
    }

    /// Whether no result of place `at` came yet.
    pub(super) fn awaits(&self, at: usize) -> bool {
        at >= self.next && self.slots.get(at).is_some_and(Option::is_none)
    }

    /// Puts the result of place `at` there.
    pub(super) fn put(&mut self, at: usize, result: T) {
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = Some(result);
        }
    }

    /// The next result, if all before it were taken.
    pub(super) fn take_ready(&mut self) -> Option<T> {
        let result = self.slots.get_mut(self.next)?.take()?;
        self.next += 1;
        Some(result)
    }

    /// What is there of the rest, in order, when no more will come.
    pub(super) fn take_rest(self) -> impl Iterator<Item = T> {
        self.slots.into_iter().skip(self.next).flatten()
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
        assert_eq!(order.take_rest().collect::<Vec<_>>(), ['d']);
    }
}
