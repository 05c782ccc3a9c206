//! One file in a lane: hashed window by window, and judged for each artifact that is one of its
//! names.

use super::awaiting::{Awaiting, Outcome};
use super::judging::{CHANGED, of_error, record};
use super::opened::{Context, Ended, Placed};
use crate::content::{Input, ReadError};
use crate::digest::{Block, Digest, Feed, Hasher, Lane};
use crate::trust::verdict::Verdict;

/// A file being hashed, for all of its names that wait for its digest.
pub(super) struct Hashing {
    content: Input,
    lane: Lane,
    pub(super) names: Awaiting,
}

impl Hashing {
    pub(super) fn new(content: Input, names: Awaiting, hasher: Hasher) -> Hashing {
        Hashing {
            content,
            lane: hasher.begin(),
            names,
        }
    }

    /// Returns the number of bytes still to be hashed.
    pub(super) fn left(&self) -> u64 {
        self.content.left()
    }

    /// Ensures that at least one block is in memory, or returns how the file ended.
    pub(super) fn fill(&mut self) -> Option<Result<Digest, Verdict>> {
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
    fn finish(&mut self) -> Result<Digest, ReadError> {
        let rest = self.content.unread().to_vec();
        self.content.consume(rest.len());
        self.content.fill()?;
        // Fail closed: a short window before the end means that the file changed while it was read.
        if !self.content.unread().is_empty() {
            return Err(ReadError::Changed);
        }
        Ok(self.lane.clone().finish(&rest))
    }

    pub(super) fn feed(&mut self) -> Feed<'_> {
        Feed {
            lane: &mut self.lane,
            blocks: self.content.unread().as_chunks().0,
        }
    }

    /// Marks the next `count` bytes as hashed.
    pub(super) fn consume(&mut self, count: usize) {
        self.content.consume(count);
        self.names.advance(count as u64);
    }

    /// Judges every name according to the outcome of hashing.
    pub(super) fn end(&self, hashed: Result<Digest, Verdict>, context: &Context<'_>) -> Ended {
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
            let without = || record(outcome.task, CHANGED, self.names.started);
            Placed::only(outcome.place, outcome.record.unwrap_or_else(without))
        };
        Ended {
            records: outcomes.into_iter().map(placed).collect(),
            queue: self.names.queue,
        }
    }
}
