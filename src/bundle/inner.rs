//! The two messages of a bundle that are hashed: the file as it is, and its members, one after
//! another.

use std::sync::Arc;

use super::packer::{Ended, Piece};
use super::{Entry, Member};
use crate::digest::{Block, Digests, Feed, Hasher, Lane, Wanted, Wide};

/// The file as it is.
#[derive(Debug)]
pub(super) struct Outer {
    lane: Lane,
    /// What is wanted beside SHA-256, if anything; it has the bytes that the lane has.
    wide: Option<Wide>,
    /// The bytes being hashed. All but the file's last have whole blocks.
    chunk: Option<Arc<Vec<u8>>>,
    at: usize,
    /// The file's last bytes, fewer than a block.
    tail: Vec<u8>,
}

impl Outer {
    pub(super) fn new(hasher: Hasher, wanted: Wanted) -> Outer {
        Outer {
            lane: hasher.begin(),
            wide: Wide::begin(wanted),
            chunk: None,
            at: 0,
            tail: Vec::new(),
        }
    }

    /// Reports whether another chunk can be loaded.
    pub(super) fn is_empty(&self) -> bool {
        self.chunk.is_none()
    }

    /// Begins a chunk.
    pub(super) fn load(&mut self, chunk: Arc<Vec<u8>>) {
        self.chunk = Some(chunk);
        self.at = 0;
    }

    fn feed(&mut self) -> Feed<'_> {
        let bytes = self.chunk.as_ref().and_then(|chunk| chunk.get(self.at..));
        Feed {
            lane: &mut self.lane,
            blocks: bytes.unwrap_or_default().as_chunks().0,
        }
    }

    /// Marks so many bytes as hashed, which the lane has taken.
    fn consume(&mut self, count: usize) {
        if let (Some(wide), Some(chunk)) = (&mut self.wide, &self.chunk) {
            let taken = chunk.get(self.at..self.at + count);
            wide.update(taken.unwrap_or_default());
        }
        self.at += count;
    }

    /// Ends a chunk that has no whole block left, and returns it.
    fn unload(&mut self) -> Option<Arc<Vec<u8>>> {
        let chunk = self.chunk.take()?;
        let rest = chunk.get(self.at..).unwrap_or_default();
        if rest.len() >= size_of::<Block>() {
            self.chunk = Some(chunk);
            return None;
        }
        self.tail = rest.to_vec();
        Some(chunk)
    }

    /// Returns the digests of all chunks.
    pub(super) fn finish(self) -> Digests {
        self.lane.finish_with(self.wide, &self.tail)
    }
}

/// The members.
#[derive(Debug)]
pub(super) struct Inner {
    hasher: Hasher,
    lane: Lane,
    piece: Option<Piece>,
    at: usize,
    /// The members that are finished.
    pub(super) done: Vec<Member>,
}

impl Inner {
    pub(super) fn new(hasher: Hasher) -> Inner {
        Inner {
            hasher,
            lane: hasher.begin(),
            piece: None,
            at: 0,
            done: Vec::new(),
        }
    }

    /// Reports whether another piece can be loaded.
    pub(super) fn is_empty(&self) -> bool {
        self.piece.is_none()
    }

    /// Begins a piece.
    pub(super) fn load(&mut self, piece: Piece) {
        self.piece = Some(piece);
        self.at = 0;
        self.settle();
    }

    /// Finishes the members whose next bytes are fewer than a block.
    fn settle(&mut self) {
        let Some(piece) = &mut self.piece else {
            return;
        };
        while let Some(end) = piece.ends.front() {
            let Some(rest) = piece.bytes.get(self.at..end.at) else {
                return;
            };
            if rest.len() >= size_of::<Block>() {
                return;
            }
            let entry = |kind, lane: &mut Lane| match kind {
                Ended::Link(target) => Entry::Link { target },
                Ended::File(size, text) => {
                    let lane = std::mem::replace(lane, self.hasher.begin());
                    let digest = lane.finish(rest);
                    Entry::File { digest, size, text }
                }
            };
            self.at = end.at;
            let Some(end) = piece.ends.pop_front() else {
                return;
            };
            self.done.push(Member {
                path: end.path,
                entry: entry(end.kind, &mut self.lane),
            });
        }
    }

    fn feed(&mut self) -> Feed<'_> {
        let bytes = self.piece.as_ref().and_then(|piece| {
            let end = piece.ends.front().map_or(piece.bytes.len(), |end| end.at);
            piece.bytes.get(self.at..end)
        });
        Feed {
            lane: &mut self.lane,
            blocks: bytes.unwrap_or_default().as_chunks().0,
        }
    }

    /// Ends a piece that is hashed, and returns its buffer.
    fn unload(&mut self) -> Option<Vec<u8>> {
        self.settle();
        let is_done = |piece: &Piece| self.at >= piece.bytes.len() && piece.ends.is_empty();
        if !self.piece.as_ref().is_some_and(is_done) {
            return None;
        }
        self.piece.take().map(|piece| piece.bytes)
    }
}

/// What was taken to be hashed.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) outer: Option<Outer>,
    pub(super) inner: Option<Inner>,
    /// Bytes of the file that were hashed.
    pub(super) hashed: u64,
    /// A chunk that is hashed.
    pub(super) chunk: Option<Arc<Vec<u8>>>,
    /// The buffer of a piece that is hashed.
    pub(super) buffer: Option<Vec<u8>>,
}

impl Job {
    /// Hashes until a chunk or a piece is through.
    pub(super) fn run(&mut self, hasher: Hasher) {
        while self.chunk.is_none() && self.buffer.is_none() {
            let feeds = (
                self.outer.as_mut().map(Outer::feed),
                self.inner.as_mut().map(Inner::feed),
            );
            let (on_outer, on_inner, taken) = match feeds {
                (Some(outer), Some(inner)) => (true, true, hasher.advance(&mut [outer, inner])),
                (Some(outer), None) => (true, false, hasher.advance(&mut [outer])),
                (None, Some(inner)) => (false, true, hasher.advance(&mut [inner])),
                (None, None) => return,
            };
            let bytes = taken * size_of::<Block>();
            if let Some(outer) = self.outer.as_mut().filter(|_| on_outer) {
                outer.consume(bytes);
                self.hashed += bytes as u64;
                self.chunk = outer.unload();
                self.hashed += self.chunk.as_ref().map_or(0, |_| outer.tail.len() as u64);
            }
            if let Some(inner) = self.inner.as_mut().filter(|_| on_inner) {
                inner.at += bytes;
                self.buffer = inner.unload();
            }
        }
    }
}
