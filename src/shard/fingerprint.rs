//! Digests of surveys, by which the shards of a mirror show that they saw the same one.
//!
//! A text is hashed with its length before it (64 bits, little-endian), so that no two lists have
//! the same bytes.

use std::io::{self, Write};

use crate::digest::stream::Stream;
use crate::names::place::Place;
use crate::trust::claimed::ClaimedDigest;

/// A digest in the making.
#[derive(Clone, Debug, Default)]
pub struct Fingerprint(Stream);

impl Fingerprint {
    pub(super) fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    pub(super) fn text(&mut self, text: &[u8]) {
        self.number(text.len() as u64);
        self.bytes(text);
    }

    /// Takes in the place of an artifact: the number of its PATH, how it lies there, and its name
    /// from there. How the PATH is spelled makes no difference.
    pub fn place(&mut self, place: &Place) {
        let (path, kind, name) = place.key();
        self.number(path as u64);
        self.number(u64::from(kind));
        self.text(name);
    }

    /// Returns the digest.
    pub fn finish(self) -> ClaimedDigest {
        self.0.finish().into()
    }

    fn bytes(&mut self, bytes: &[u8]) {
        // Hashing does not fail.
        let hashed: io::Result<()> = self.0.write_all(bytes);
        debug_assert!(hashed.is_ok());
    }
}

/// Returns the digest of a share: of its places in their order, each once. It can be computed anew
/// from the records of the share.
pub fn of_share<'a>(places: impl IntoIterator<Item = &'a Place>) -> ClaimedDigest {
    let mut share = Fingerprint::default();
    places.into_iter().for_each(|place| share.place(place));
    share.finish()
}

/// Returns the digest of a division: of the digests of its shares, in their order. With all shares
/// at hand, it shows that they are those of one division.
pub fn of_division(shares: impl IntoIterator<Item = ClaimedDigest>) -> ClaimedDigest {
    let mut division = Fingerprint::default();
    for share in shares {
        division.text(share.to_string().as_bytes());
    }
    division.finish()
}
