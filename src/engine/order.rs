//! Restores results, found in any order, to the order of the work.

use std::collections::VecDeque;

/// Holds each result back until all before it are available. A place may have several results; the
/// order advances once its last one is taken.
#[derive(Debug)]
pub(crate) struct InOrder<T> {
    slots: Vec<Slot<T>>,
    next: usize,
}

/// The results of one place. Nearly every place has one result, and there are many places.
#[derive(Debug)]
enum Slot<T> {
    /// No result yet.
    Empty,
    /// The only result.
    Only(T),
    /// Some of several results, and whether the last one is among them.
    Several(Box<(VecDeque<T>, bool)>),
    /// All results were taken.
    Done,
}

impl<T> Slot<T> {
    fn put(&mut self, result: T, is_last: bool) {
        match self {
            Slot::Empty if is_last => *self = Slot::Only(result),
            Slot::Empty => *self = Slot::Several(Box::new((VecDeque::from([result]), false))),
            Slot::Several(several) => {
                several.0.push_back(result);
                several.1 |= is_last;
            }
            // No result follows the last one.
            Slot::Only(_) | Slot::Done => {}
        }
    }

    fn take(&mut self) -> Option<T> {
        match std::mem::replace(self, Slot::Done) {
            Slot::Only(result) => Some(result),
            Slot::Several(mut several) => {
                let result = several.0.pop_front();
                if !several.0.is_empty() || !several.1 {
                    *self = Slot::Several(several);
                }
                result
            }
            Slot::Empty => {
                *self = Slot::Empty;
                None
            }
            Slot::Done => None,
        }
    }
}

impl<T> InOrder<T> {
    /// Waits for the results of this many places.
    pub(crate) fn new(places: usize) -> Self {
        let slots = std::iter::repeat_with(|| Slot::Empty)
            .take(places)
            .collect();
        InOrder { slots, next: 0 }
    }

    /// Stores a result of a place, which may be its last one.
    pub(crate) fn put(&mut self, place: usize, result: T, is_last: bool) {
        if let Some(slot) = self.slots.get_mut(place) {
            slot.put(result, is_last);
        }
    }

    /// Skips a place: its results were returned elsewhere.
    pub(crate) fn pass_over(&mut self, place: usize) {
        if let Some(slot) = self.slots.get_mut(place) {
            *slot = Slot::Done;
        }
    }

    /// Returns the next result, if all before it were taken.
    pub(crate) fn take_ready(&mut self) -> Option<T> {
        while let Some(slot) = self.slots.get_mut(self.next) {
            let result = slot.take();
            if result.is_some() {
                return result;
            }
            if !matches!(slot, Slot::Done) {
                return None;
            }
            self.next += 1;
        }
        None
    }

    /// Returns the next available result even if earlier ones are missing, once no more will come.
    pub(crate) fn take_next(&mut self) -> Option<T> {
        while self.next < self.slots.len() {
            let result = self.take_ready();
            if result.is_some() {
                return result;
            }
            self.next += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_out_in_order_as_soon_as_all_before_them_are_there() {
        let mut order = InOrder::new(4);
        order.put(1, 'b', true);
        assert_eq!(order.take_ready(), None);
        order.put(0, 'a', true);
        assert_eq!(order.take_ready(), Some('a'));
        assert_eq!(order.take_ready(), Some('b'));
        assert_eq!(order.take_ready(), None);
        order.put(3, 'd', true);
        assert_eq!(order.take_ready(), None);
        assert_eq!(order.take_next(), Some('d'));
        assert_eq!(order.take_next(), None);
    }

    #[test]
    fn a_place_is_left_behind_its_last_result_and_its_first_ones_do_not_wait_for_it() {
        let mut order = InOrder::new(2);
        order.put(1, 'z', true);
        order.put(0, 'a', false);
        order.put(0, 'b', false);
        assert_eq!(order.take_ready(), Some('a'));
        assert_eq!(order.take_ready(), Some('b'));
        assert_eq!(order.take_ready(), None);
        order.put(0, 'c', true);
        assert_eq!(order.take_ready(), Some('c'));
        assert_eq!(order.take_ready(), Some('z'));
    }

    #[test]
    fn a_place_that_is_passed_over_keeps_none_waiting() {
        let mut order = InOrder::new(2);
        order.put(1, 'b', true);
        order.pass_over(0);
        assert_eq!(order.take_ready(), Some('b'));
    }
}
