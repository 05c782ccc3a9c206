//! Files that a signed checksum list vouches for. Pure.
//!
//! A signature on a list covers names as well as contents: what the list names and is not there is
//! missing, and what is there under a name has the content that was meant by it.

use std::sync::Arc;

use thiserror::Error;

use super::claimed::ClaimedDigest;
use super::key::Key;
use super::record::SignatureFile;
use super::verdict::Verdict;
use crate::digest::{Algorithm, Algorithms, Digest, Digests};
use crate::files::SharedPath;
use crate::text::hex::from_hex;

/// A digest that a list has for a file: a claim.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sum {
    algorithm: Algorithm,
    bytes: Box<[u8]>,
}

impl Sum {
    /// Reads the hexadecimal digits of a digest, of either case; `None` if there are not as many as
    /// the algorithm has.
    pub fn parse(algorithm: Algorithm, digits: &[u8]) -> Option<Sum> {
        Sum::of_bytes(algorithm, &from_hex(digits)?)
    }

    /// Takes the bytes of a digest; `None` if there are not as many as the algorithm has.
    pub(crate) fn of_bytes(algorithm: Algorithm, bytes: &[u8]) -> Option<Sum> {
        (bytes.len() == algorithm.bytes()).then(|| Sum {
            algorithm,
            bytes: bytes.into(),
        })
    }

    /// Returns the digest if it is a SHA-256.
    pub(crate) fn sha256(&self) -> Option<ClaimedDigest> {
        let bytes: [u8; 32] = self.bytes[..].try_into().ok()?;
        Some(bytes.into())
    }

    /// Reports whether it is that of the content.
    ///
    /// Fail closed: one that was not computed is not.
    pub(crate) fn is_of(&self, digests: &Digests) -> bool {
        digests.get(self.algorithm) == Some(&*self.bytes)
    }

    /// Returns the hash function.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// Why a list that is signed says nothing usable of a file that it names.
///
/// ```
/// use verify_signatures::{Unlisted, Unusable, Verdict};
///
/// let why = Unusable::TwoDigests;
/// assert_eq!(why.to_string(), "it is listed twice, with different digests");
/// assert!(!Verdict::Unlisted(Unlisted::Unusable(why)).passes());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unusable {
    /// It has two digests of one kind for it.
    #[error("it is listed twice, with different digests")]
    TwoDigests,
    /// It has no digest of a kind that counts: SHA-256, SHA-384 or SHA-512.
    #[error("it is listed without a SHA-256, SHA-384 or SHA-512")]
    NoDigest,
    /// Its name leads out of the list's directory.
    #[error("its listed name leads out of the list's directory")]
    Outside,
}

/// What a list with a valid signature says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListEntry {
    /// The list.
    pub list: SharedPath,
    /// The list's file as it was read.
    pub file: SignatureFile,
    /// The trusted key that made the list's signature.
    pub key: Arc<Key>,
    /// The digests that the file's content must have, all of them; at least one.
    pub sums: Box<[Sum]>,
}

impl ListEntry {
    /// Returns the hash functions that its digests need beside SHA-256.
    pub fn algorithms(&self) -> Algorithms {
        algorithms(&self.sums)
    }
}

/// What a list without a signature has of a file that has none either. It vouches for nothing, and
/// no verdict rests on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsignedEntry {
    /// The list.
    pub list: SharedPath,
    /// Its signature, if it has one that only another program verifies.
    pub foreign: Option<SharedPath>,
    /// The digests that it has of the file, at least one.
    pub sums: Box<[Sum]>,
}

impl UnsignedEntry {
    /// Returns the hash functions that its digests need beside SHA-256.
    pub fn algorithms(&self) -> Algorithms {
        algorithms(&self.sums)
    }

    /// Compares it with the content.
    pub fn compared(&self, digests: &Digests) -> UnsignedList {
        UnsignedList {
            list: self.list.clone(),
            foreign: self.foreign.clone(),
            agrees: are_met(&self.sums, digests),
        }
    }
}

/// How the content of a file without a signature compares with what a list without one has of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsignedList {
    /// The list.
    pub list: SharedPath,
    /// Its signature, if it has one that only another program verifies.
    pub foreign: Option<SharedPath>,
    /// Whether all digests are those of the content.
    pub agrees: bool,
}

fn algorithms(sums: &[Sum]) -> Algorithms {
    let algorithms = sums.iter().map(|sum| sum.algorithm.into());
    algorithms.fold(Algorithms::NONE, Algorithms::union)
}

/// Reports whether all digests are those of the content.
fn are_met(sums: &[Sum], digests: &Digests) -> bool {
    // Fail closed: no digest lists nothing.
    !sums.is_empty() && sums.iter().all(|sum| sum.is_of(digests))
}

/// How a file that may be a signed list was read before the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadAsList {
    /// The digest of the bytes that were read.
    pub digest: Digest,
    /// Whether a trusted key had signed them: what they list, if they are a list, is judged then.
    pub is_signed: bool,
}

impl ReadAsList {
    /// Reports whether a list with a valid signature over this content is the one that was read.
    ///
    /// Fail closed: otherwise a list that was put there later would be valid, and the files that it
    /// names would not have been looked for.
    pub fn is_same(&self, content: &Digest) -> bool {
        self.is_signed && self.digest == *content
    }
}

/// Decides on a file that a signed list names: it is listed if all digests are those of its
/// content.
pub fn judge(entry: &ListEntry, digests: &Digests) -> Verdict {
    // Fail closed: this is the only place that returns `Listed`.
    if are_met(&entry.sums, digests) {
        Verdict::Listed {
            key: Arc::clone(&entry.key),
        }
    } else {
        Verdict::Unlisted(Unlisted::Differs)
    }
}

/// Why a signed list does not vouch for a file that it names, or cannot be used at all.
///
/// ```
/// use verify_signatures::{Unlisted, Verdict};
///
/// let why = Unlisted::Missing;
/// assert_eq!(why.to_string(), "the list names it, but it is not there");
/// assert!(!Verdict::Unlisted(why).passes());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unlisted {
    /// The file is not there.
    #[error("the list names it, but it is not there")]
    Missing,
    /// The content has another digest.
    #[error("its digest is not the one in the list")]
    Differs,
    /// The list says nothing usable of it.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// The list cannot be used as a whole, although its signature is valid: this line of it is not
    /// one of a list.
    #[error("line {0} is not a line of a checksum list")]
    Line(u64),
    /// The list, which was named as one, lists nothing.
    #[error("it lists nothing")]
    NotAList,
    /// The list has an OpenPGP signature inside.
    #[error("it is a clear-signed OpenPGP message")]
    ClearSigned,
    /// The list is longer than any that is read.
    #[error("the list is longer than any that is read")]
    TooLong,
}
