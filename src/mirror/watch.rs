//! How a survey is watched, and ended, from outside.

use std::sync::atomic::AtomicU64;

/// What a survey looks at while it goes on.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Counts the entries as they are found.
    pub entries: &'a AtomicU64,
    /// Whether to end; looked at before each entry.
    pub cancelled: &'a dyn Fn() -> bool,
    /// Whether so many more bytes can be had; looked at before they are needed.
    pub has_room: &'a dyn Fn(u64) -> bool,
}

/// Why a survey ended before the end. What was seen until then says nothing true: not even about a
/// directory, of whose pairs a part was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was cancelled.
    Cancelled,
    /// There is too little memory for all that lies there.
    Memory,
}

impl Watch<'_> {
    /// Ends a survey that was cancelled.
    pub(super) fn go_on(&self) -> Result<(), Ended> {
        if (self.cancelled)() {
            return Err(Ended::Cancelled);
        }
        Ok(())
    }
}

/// Bytes after which it is looked again at how many are left: a look takes as long as making a few
/// paths.
const STEP: usize = 256 * 1024;
/// Bytes that are left to whatever is too small to be counted, and to the message that says how the
/// run ends.
const SPARE: usize = 2 * 1024 * 1024;

/// Sees to it that a survey ends with a message where memory ends: the allocator would end the
/// process without one.
pub(super) struct Room<'a> {
    watch: Watch<'a>,
    /// Bytes that were taken since the last look.
    taken: usize,
}

impl<'a> Room<'a> {
    pub(super) fn new(watch: Watch<'a>) -> Room<'a> {
        Room { watch, taken: 0 }
    }

    /// Takes about as many bytes, in small pieces.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), Ended> {
        self.taken += bytes;
        if self.taken < STEP {
            return Ok(());
        }
        let needed = self.taken + SPARE;
        self.taken = 0;
        self.check(needed)
    }

    /// Takes as many bytes for a moment, and gives them back.
    pub(super) fn borrow(&mut self, bytes: usize) -> Result<(), Ended> {
        if bytes < STEP {
            return self.take(bytes);
        }
        self.check(bytes.saturating_add(SPARE))
    }

    /// Makes room for one more in a list.
    pub(super) fn grow<T>(&mut self, list: &mut Vec<T>) -> Result<(), Ended> {
        if list.len() < list.capacity() {
            return Ok(());
        }
        // While a list is moved, it is there twice.
        let bytes = list.capacity().saturating_mul(2 * size_of::<T>());
        self.borrow(bytes)?;
        list.try_reserve(1).map_err(|_| Ended::Memory)
    }

    fn check(&self, bytes: usize) -> Result<(), Ended> {
        if (self.watch.has_room)(bytes as u64) {
            return Ok(());
        }
        Err(Ended::Memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch<'a>(entries: &'a AtomicU64, has_room: &'a dyn Fn(u64) -> bool) -> Watch<'a> {
        Watch {
            entries,
            cancelled: &|| false,
            has_room,
        }
    }

    #[test]
    fn many_small_pieces_are_counted_together_and_a_large_one_by_itself() {
        let entries = AtomicU64::new(0);
        let has_room = |bytes| bytes < 3 * SPARE as u64;
        let mut room = Room::new(watch(&entries, &has_room));
        assert_eq!(room.take(STEP - 1), Ok(()));
        assert_eq!(room.take(1), Ok(()));
        assert_eq!(room.borrow(SPARE), Ok(()));
        assert_eq!(room.borrow(2 * SPARE), Err(Ended::Memory));
        let mut none = Room::new(watch(&entries, &|_| false));
        assert_eq!(none.take(STEP - 1), Ok(()));
        assert_eq!(none.take(1), Err(Ended::Memory));
    }

    #[test]
    fn a_list_grows_while_there_is_room_for_it() {
        let entries = AtomicU64::new(0);
        let has_room = |bytes| bytes < 2 * SPARE as u64;
        let mut room = Room::new(watch(&entries, &has_room));
        let mut list: Vec<u64> = Vec::new();
        while room.grow(&mut list).is_ok() {
            list.push(0);
        }
        assert!(
            (SPARE / 16..=SPARE / 8).contains(&list.len()),
            "{}",
            list.len()
        );
    }
}
