//! Packs the content of members into pieces of one size, so that many small members cost no more
//! than a few large ones.

use std::collections::VecDeque;
use std::io::Read;

use super::text::Texts;
use super::{BundleError, Defect};
use crate::digest::Block;

/// Length of a full piece in bytes.
pub(super) const PIECE: usize = 256 * 1024;

/// Maximum number of members that end in one piece.
const MOST_ENDS: usize = 1024;

/// Bytes of names and link targets in one piece after which it is handed over.
const MOST_NAMES: usize = 128 * 1024;

/// The contents of members, one after another. A content that continues in the next piece has whole
/// blocks in this one.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) bytes: Vec<u8>,
    /// In order of their offsets.
    pub(super) ends: VecDeque<Ending>,
}

/// The end of a member's content.
#[derive(Debug)]
pub(super) struct Ending {
    /// The offset in the piece.
    pub(super) at: usize,
    pub(super) path: Vec<u8>,
    pub(super) kind: Ended,
}

/// What ends.
#[derive(Debug)]
pub(super) enum Ended {
    /// A file of this size in bytes, with its text.
    File(u64, Option<Vec<u8>>),
    /// A link to this target, without content.
    Link(Vec<u8>),
}

/// What takes pieces to where they are hashed.
pub(super) trait Conveyor {
    /// Returns a buffer, a used one if there is one; its content is arbitrary.
    fn buffer(&mut self) -> Vec<u8>;

    /// Takes a piece.
    ///
    /// # Errors
    /// [`BundleError::Abandoned`].
    fn put(&mut self, piece: Piece) -> Result<(), BundleError>;
}

/// Fills pieces.
pub(super) struct Packer<'a, C: Conveyor> {
    conveyor: &'a mut C,
    /// Its bytes are a whole buffer, of which `filled` are used.
    piece: Piece,
    filled: usize,
    /// Bytes of names and link targets in the piece.
    names: usize,
    texts: Texts,
}

impl<'a, C: Conveyor> Packer<'a, C> {
    /// Returns a packer that keeps at most `text` bytes of text.
    pub(super) fn new(conveyor: &'a mut C, text: usize) -> Packer<'a, C> {
        Packer {
            conveyor,
            piece: Piece::default(),
            filled: 0,
            names: 0,
            texts: Texts::new(text),
        }
    }

    /// Packs a file whose content is the next `size` bytes of the input.
    ///
    /// # Errors
    /// [`Defect::Truncated`] if there are fewer; [`Defect::TooMuchText`]; those of the input.
    pub(super) fn file(
        &mut self,
        path: Vec<u8>,
        size: u64,
        input: &mut impl Read,
    ) -> Result<(), BundleError> {
        let mut text = Texts::begin(size);
        let mut left = size;
        while left > 0 {
            let room = self.room(left)?;
            let part = room.min(usize::try_from(left).unwrap_or(room));
            let target = &mut self.piece.bytes[self.filled..self.filled + part];
            if super::tar::fill(input, target)? < part {
                return Err(Defect::Truncated.into());
            }
            self.texts.add(&mut text, target)?;
            self.filled += part;
            left -= part as u64;
        }
        let text = self.texts.end(text);
        self.end(path, Ended::File(size, text))
    }

    /// Packs a link.
    pub(super) fn link(&mut self, path: Vec<u8>, target: Vec<u8>) -> Result<(), BundleError> {
        self.end(path, Ended::Link(target))
    }

    /// Hands over the last piece.
    pub(super) fn finish(&mut self) -> Result<(), BundleError> {
        self.hand_over()
    }

    fn end(&mut self, path: Vec<u8>, kind: Ended) -> Result<(), BundleError> {
        let at = self.filled;
        self.names += path.len();
        if let Ended::Link(target) = &kind {
            self.names += target.len();
        }
        self.piece.ends.push_back(Ending { at, path, kind });
        if self.piece.ends.len() >= MOST_ENDS || self.names >= MOST_NAMES {
            self.hand_over()?;
        }
        Ok(())
    }

    /// Returns how much of a content, of which `left` bytes are to come, goes into the piece: all
    /// of it, or whole blocks. Hands over a full piece first.
    fn room(&mut self, left: u64) -> Result<usize, BundleError> {
        let fits = |free: usize| left <= free as u64;
        let mut free = PIECE - self.filled;
        if !fits(free) && free < size_of::<Block>() {
            self.hand_over()?;
            free = PIECE;
        }
        if self.piece.bytes.is_empty() {
            self.piece.bytes = self.conveyor.buffer();
            self.piece.bytes.resize(PIECE, 0);
        }
        Ok(if fits(free) {
            free
        } else {
            free / size_of::<Block>() * size_of::<Block>()
        })
    }

    fn hand_over(&mut self) -> Result<(), BundleError> {
        let mut piece = std::mem::take(&mut self.piece);
        piece.bytes.truncate(std::mem::take(&mut self.filled));
        self.names = 0;
        if piece.bytes.is_empty() && piece.ends.is_empty() {
            return Ok(());
        }
        self.conveyor.put(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps the pieces.
    #[derive(Default)]
    struct Kept(Vec<Piece>);

    impl Conveyor for Kept {
        fn buffer(&mut self) -> Vec<u8> {
            Vec::new()
        }

        fn put(&mut self, piece: Piece) -> Result<(), BundleError> {
            self.0.push(piece);
            Ok(())
        }
    }

    #[test]
    fn a_piece_has_a_bounded_number_of_names_and_of_their_bytes() {
        for (length, in_one) in [(1, MOST_ENDS), (4096, MOST_NAMES / 8192)] {
            let mut kept = Kept::default();
            let mut packer = Packer::new(&mut kept, 0);
            for _ in 0..in_one + 1 {
                packer.link(vec![b'a'; length], vec![b'b'; length]).unwrap();
            }
            packer.finish().unwrap();
            let counts: Vec<usize> = kept.0.iter().map(|piece| piece.ends.len()).collect();
            assert_eq!(counts, [in_one, 1]);
        }
    }
}
