//! Progress and cancellation of a survey.

use std::sync::atomic::AtomicU64;

/// What a survey reports to and checks while it runs.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Counts the entries as they are found.
    pub entries: &'a AtomicU64,
    /// Reports whether to end; called before each entry.
    pub cancelled: &'a (dyn Fn() -> bool + Sync),
    /// Reports whether this many more bytes are available; called before they are needed.
    pub has_room: &'a (dyn Fn(u64) -> bool + Sync),
}

/// Why a survey ended early. Its partial result proves nothing, not even about a directory, which
/// may have been read only in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was cancelled.
    Cancelled,
    /// There is too little memory for the survey.
    Memory,
}

impl Watch<'_> {
    /// Returns an error if the survey was cancelled.
    pub(super) fn go_on(&self) -> Result<(), Ended> {
        if (self.cancelled)() {
            return Err(Ended::Cancelled);
        }
        Ok(())
    }
}

/// Interval in bytes at which the remaining memory is checked: a check costs as much as creating a
/// few paths.
const STEP: usize = 256 * 1024;
/// Reserve in bytes for allocations too small to count, and for the message that reports how the
/// run ended.
const SPARE: usize = 2 * 1024 * 1024;

/// Accounts for memory, so that a survey that runs out of it ends with a message: the allocator
/// would end the process without one.
pub(super) struct Room<'a> {
    watch: Watch<'a>,
    /// Bytes taken since the last check.
    taken: usize,
}

impl<'a> Room<'a> {
    pub(super) fn new(watch: Watch<'a>) -> Room<'a> {
        Room { watch, taken: 0 }
    }

    /// Takes about `bytes` bytes, in small pieces.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), Ended> {
        self.taken += bytes;
        if self.taken < STEP {
            return Ok(());
        }
        let needed = self.taken + SPARE;
        self.taken = 0;
        self.check(needed)
    }

    /// Returns how many bytes were taken since the remaining memory was checked: another account
    /// may take them over.
    pub(super) fn unchecked(&self) -> usize {
        self.taken
    }

    /// Takes `bytes` bytes temporarily.
    pub(super) fn borrow(&mut self, bytes: usize) -> Result<(), Ended> {
        if bytes < STEP {
            return self.take(bytes);
        }
        self.check(bytes.saturating_add(SPARE))
    }

    /// Makes room for one more element.
    pub(super) fn grow<T>(&mut self, list: &mut Vec<T>) -> Result<(), Ended> {
        if list.len() < list.capacity() {
            return Ok(());
        }
        // While a list is moved, it exists twice.
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

    fn watch<'a>(entries: &'a AtomicU64, has_room: &'a (dyn Fn(u64) -> bool + Sync)) -> Watch<'a> {
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
