//! The hashes that signatures need beside SHA-256 (FIPS 180-4), computed from the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use sha2::Digest as _;

use super::implementation::{Kept, Sha384, Sha512};
use super::{Digest, Lane};

/// A hash function that signatures are made over.
///
/// ```
/// use verify_signatures::Algorithm;
///
/// assert_eq!(Algorithm::Sha384.name(), "sha384");
/// assert_eq!(Algorithm::named("md5"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// Every hash function, shortest digest first.
    pub const ALL: [Algorithm; 3] = [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512];

    /// Returns its term in options and reports.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha384 => "sha384",
            Algorithm::Sha512 => "sha512",
        }
    }

    /// Returns the one with this term.
    pub fn named(term: &str) -> Option<Algorithm> {
        let mut all = Algorithm::ALL.into_iter();
        all.find(|algorithm| algorithm.name() == term)
    }

    /// Returns the length of its digests in bytes.
    pub fn bytes(self) -> usize {
        match self {
            Algorithm::Sha256 => 32,
            Algorithm::Sha384 => 48,
            Algorithm::Sha512 => 64,
        }
    }
}

/// Prints its name as FIPS 180-4 writes it.
impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha384 => "SHA-384",
            Algorithm::Sha512 => "SHA-512",
        })
    }
}

/// Which hashes beside SHA-256 are wanted of a content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Algorithms {
    sha384: bool,
    sha512: bool,
}

impl Algorithms {
    /// None beside SHA-256.
    pub const NONE: Algorithms = Algorithms {
        sha384: false,
        sha512: false,
    };

    /// Returns what either set has.
    #[must_use]
    pub fn union(self, other: Algorithms) -> Algorithms {
        Algorithms {
            sha384: self.sha384 || other.sha384,
            sha512: self.sha512 || other.sha512,
        }
    }

    /// Reports whether SHA-256 is enough.
    pub fn is_empty(self) -> bool {
        self == Algorithms::NONE
    }
}

/// The set of this one hash, which is empty for SHA-256: it is always computed.
impl From<Algorithm> for Algorithms {
    fn from(algorithm: Algorithm) -> Algorithms {
        Algorithms {
            sha384: algorithm == Algorithm::Sha384,
            sha512: algorithm == Algorithm::Sha512,
        }
    }
}

/// Bytes that are hashed before a content: of Ed25519, R and the key (RFC 8032, 5.1.7).
pub type Prefix = [u8; 64];

/// Maximum number of prefixes: of signatures on one file, each by one Ed25519 key. Each costs
/// another pass over the file, and whoever can write beside it can make any number of signatures.
const MOST_PREFIXES: usize = 32;

/// What is to be computed of a content beside its SHA-256.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    algorithms: Algorithms,
    /// The prefixes of which SHA-512 is wanted with the content behind them.
    prefixes: BTreeSet<Prefix>,
}

impl Wanted {
    /// Adds what is wanted elsewhere.
    pub fn add(&mut self, other: Wanted) {
        self.algorithms = self.algorithms.union(other.algorithms);
        for prefix in other.prefixes {
            self.add_behind(prefix);
        }
    }

    /// Adds the SHA-512 of `prefix` and the content behind it, unless there are [`MOST_PREFIXES`].
    pub fn add_behind(&mut self, prefix: Prefix) {
        // Fail closed: what is not computed verifies nothing.
        if self.prefixes.len() < MOST_PREFIXES {
            self.prefixes.insert(prefix);
        }
    }

    /// Reports whether SHA-256 is enough.
    pub fn is_empty(&self) -> bool {
        self.algorithms.is_empty() && self.prefixes.is_empty()
    }
}

impl From<Algorithms> for Wanted {
    fn from(algorithms: Algorithms) -> Wanted {
        Wanted {
            algorithms,
            prefixes: BTreeSet::new(),
        }
    }
}

impl From<Algorithm> for Wanted {
    fn from(algorithm: Algorithm) -> Wanted {
        Algorithms::from(algorithm).into()
    }
}

/// A content being hashed by everything that is wanted beside SHA-256.
#[derive(Clone, Debug)]
pub struct Wide {
    sha384: Option<Sha384>,
    sha512: Option<Sha512>,
    behind: Vec<(Prefix, Sha512)>,
}

impl Wide {
    /// Begins an empty content; `None` if SHA-256 is enough, so that it costs nothing.
    pub fn begin(wanted: Wanted) -> Option<Wide> {
        if wanted.is_empty() {
            return None;
        }
        let Wanted {
            algorithms,
            prefixes,
        } = wanted;
        let begun = |prefix: Prefix| (prefix, Sha512::new_with_prefix(prefix));
        Some(Wide {
            sha384: algorithms.sha384.then(Sha384::new),
            sha512: algorithms.sha512.then(Sha512::new),
            behind: prefixes.into_iter().map(begun).collect(),
        })
    }

    /// Adds the next bytes, of any number.
    pub fn update(&mut self, bytes: &[u8]) {
        // Piece by piece: what one hash has brought into the nearest cache, the others find there.
        for piece in bytes.chunks(PIECE) {
            if let Some(hash) = &mut self.sha384 {
                hash.update(piece);
            }
            if let Some(hash) = &mut self.sha512 {
                hash.update(piece);
            }
            for (_, hash) in &mut self.behind {
                hash.update(piece);
            }
        }
    }

    fn finish(self, kept: &mut Kept) -> Computed {
        if let Some(hash) = &self.sha384 {
            kept.add_sha384(hash);
        }
        if let Some(hash) = &self.sha512 {
            kept.add_sha512(hash);
        }
        let behind = self.behind.into_iter();
        Computed {
            sha384: self.sha384.map(|hash| hash.finalize().into()),
            sha512: self.sha512.map(|hash| hash.finalize().into()),
            behind: behind
                .map(|(prefix, hash)| (prefix, hash.finalize().into()))
                .collect(),
        }
    }
}

/// Bytes that each hash takes before the next one does.
const PIECE: usize = 16 * 1024;

/// Every digest of one content that was computed: SHA-256, and what was wanted beside it.
///
/// Like [`Digest`], it is made by this module alone, by hashing: whoever has one has what was
/// computed of bytes that were read. If a file changes while it is read, its digests may be those
/// of different bytes. That is no harm: a verdict rests on one of them, and what changed fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    sha256: Digest,
    wide: Option<Arc<Computed>>,
    pub(super) kept: Kept,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Computed {
    sha384: Option<[u8; 48]>,
    sha512: Option<[u8; 64]>,
    behind: BTreeMap<Prefix, [u8; 64]>,
}

impl Digests {
    /// Returns the digests of bytes in memory.
    pub fn of(bytes: &[u8], wanted: impl Into<Wanted>) -> Digests {
        let mut wide = Wide::begin(wanted.into());
        if let Some(wide) = &mut wide {
            wide.update(bytes);
        }
        Digests::new(Lane::new().end(bytes), wide)
    }

    /// Joins the SHA-256 of a content with what else was computed of it.
    pub(super) fn new((sha256, mut kept): (Digest, Kept), wide: Option<Wide>) -> Digests {
        let wide = wide.map(|wide| Arc::new(wide.finish(&mut kept)));
        Digests { sha256, wide, kept }
    }

    /// Returns the SHA-256.
    pub fn sha256(&self) -> &Digest {
        &self.sha256
    }

    /// Returns the digest by this hash, if it was computed.
    pub fn get(&self, algorithm: Algorithm) -> Option<&[u8]> {
        let wide = self.wide.as_deref();
        match algorithm {
            Algorithm::Sha256 => Some(self.sha256.as_bytes()),
            Algorithm::Sha384 => wide?.sha384.as_ref().map(|digest| &digest[..]),
            Algorithm::Sha512 => wide?.sha512.as_ref().map(|digest| &digest[..]),
        }
    }

    /// Returns the SHA-512 of `prefix` and the content behind it, if it was computed.
    #[cfg_attr(feature = "fips", allow(dead_code))]
    pub fn behind(&self, prefix: &Prefix) -> Option<&[u8; 64]> {
        self.wide.as_deref()?.behind.get(prefix)
    }
}

/// Only its SHA-256 is known of the content. A validated module needs the content itself.
#[cfg(not(feature = "fips"))]
impl From<Digest> for Digests {
    fn from(sha256: Digest) -> Digests {
        Digests {
            sha256,
            wide: None,
            kept: Kept,
        }
    }
}

impl Lane {
    /// Adds the `rest` of the message, of any length, here and to `wide`, which had every byte that
    /// this lane had, and finishes both.
    pub fn finish_with(self, mut wide: Option<Wide>, rest: &[u8]) -> Digests {
        if let Some(wide) = &mut wide {
            wide.update(rest);
        }
        Digests::new(self.end(rest), wide)
    }
}

#[cfg(test)]
mod tests;
