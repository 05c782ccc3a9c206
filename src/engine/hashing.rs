//! One file in a lane: hashed window by window, and judged for each artifact that is one of its
//! names.

use super::awaiting::{Awaiting, Outcome};
use super::judging::{CHANGED, of_error, record};
use super::opened::{Context, Ended, Placed};
use crate::content::{Input, ReadError};
use crate::digest::{Block, Digests, Feed, Lane, Wide};
use crate::trust::verdict::Verdict;

/// Blocks that a lane takes before the wider hashes take the same bytes: few enough to be found in
/// the processor's cache.
const MOST_BESIDE: usize = 256 * 1024 / size_of::<Block>();

/// A file being hashed, for all of its names that wait for its digest.
pub(super) struct Hashing {
    content: Input,
    lane: Lane,
    /// What the names want beside SHA-256, if anything.
    wide: Option<Wide>,
    pub(super) names: Awaiting,
}

impl Hashing {
    pub(super) fn new(content: Input, names: Awaiting, context: &Context<'_>) -> Hashing {
        Hashing {
            content,
            lane: context.hasher.begin(),
            wide: Wide::begin(names.wanted(context)),
            names,
        }
    }

    /// Returns the number of bytes still to be hashed.
    pub(super) fn left(&self) -> u64 {
        self.content.left()
    }

    /// Requests the bytes that it reads next, and waits for none. Returns its queue in the plan if
    /// those are its last: the device goes on with another file while these come and are hashed.
    pub(super) fn request(&mut self) -> Option<usize> {
        let needs_nothing = self.names.needs_nothing();
        let slot = self.names.slot.as_mut()?;
        if slot.is_requested || needs_nothing {
            return None;
        }
        self.content.request();
        slot.is_requested = self.content.is_requested();
        slot.is_requested.then_some(slot.queue)
    }

    /// Ensures that at least one block is in memory, or returns how the file ended.
    pub(super) fn fill(&mut self) -> Option<Result<Digests, Verdict>> {
        if self.names.needs_nothing() {
            // No signature can be valid, regardless of the digest. Fail closed: this verdict is not
            // used, and it would not pass.
            return Some(Err(CHANGED));
        }
        let filled = self.content.fill();
        match filled {
            Ok(()) if self.content.unread().len() >= size_of::<Block>() => None,
            Ok(()) => Some(self.finish().map_err(of_error)),
            Err(error) => Some(Err(of_error(error))),
        }
    }

    /// Consumes the last bytes, fewer than a block.
    fn finish(&mut self) -> Result<Digests, ReadError> {
        let rest = self.content.unread().to_vec();
        self.content.consume(rest.len());
        self.content.fill()?;
        // Fail closed: a short window before the end means that the file changed while it was read.
        if !self.content.unread().is_empty() {
            return Err(ReadError::Changed);
        }
        Ok(self.lane.clone().finish_with(self.wide.take(), &rest))
    }

    pub(super) fn feed(&mut self) -> Feed<'_> {
        let blocks = self.content.unread().as_chunks().0;
        let most = match self.wide {
            Some(_) => blocks.len().min(MOST_BESIDE),
            None => blocks.len(),
        };
        Feed {
            lane: &mut self.lane,
            blocks: blocks.get(..most).unwrap_or(blocks),
        }
    }

    /// Marks the next `count` bytes as hashed, which the lane has taken.
    pub(super) fn consume(&mut self, count: usize) {
        if let Some(wide) = &mut self.wide {
            // A page of a map may have changed since the lane took it, so that the two hash
            // different bytes. A verdict rests on one digest alone, of bytes that were read; and
            // what changed is found changed when it is judged.
            let taken = self.content.unread().get(..count);
            wide.update(taken.unwrap_or_default());
        }
        self.content.consume(count);
        self.names.advance(count as u64);
    }

    /// Judges every name according to the outcome of hashing.
    pub(super) fn end(&self, hashed: Result<Digests, Verdict>, context: &Context<'_>) -> Ended {
        match &hashed {
            // The last bytes, fewer than a block, that `finish` consumed.
            Ok(_) => context
                .counters
                .add_hashed(self.content.size().unwrap_or(0) % size_of::<Block>() as u64),
            Err(_) => context.counters.pass_over(self.content.left()),
        }
        let outcomes = self.names.judge(&hashed, &self.content, context);
        let placed = |outcome: Outcome<'_>| {
            // Fail closed: a name that is judged by its images alone passes nowhere else.
            let without = || Box::new(record(outcome.task, CHANGED, self.names.started));
            Placed::only(outcome.place, outcome.record.unwrap_or_else(without))
        };
        Ended {
            records: outcomes.into_iter().map(placed).collect(),
            slot: self.names.slot,
        }
    }
}
