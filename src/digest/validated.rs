//! All hashing in the validated module, one message after the other.

use std::sync::Arc;

use sha2::digest::consts::{U32, U48, U64};
use sha2::digest::{FixedOutput, HashMarker, Output, OutputSizeUser, Update};

use super::{Algorithm, Digest, Digests, Feed};
use crate::module::hash::{Function, Hash};

/// A message being hashed.
#[derive(Clone, Debug)]
pub struct Lane(Hash);

impl Lane {
    pub(super) fn new() -> Lane {
        Lane(Hash::new(Function::Sha256))
    }

    /// Adds the `rest` of the message, of any length, and finishes it.
    pub fn finish(self, rest: &[u8]) -> Digest {
        self.end(rest).0
    }

    /// Adds the `rest` of the message, and finishes it.
    pub(super) fn end(mut self, rest: &[u8]) -> (Digest, Kept) {
        self.0.update(rest);
        (Digest(self.0.digest()), Kept::begun(self.0))
    }
}

/// The module's implementation of SHA-256. It chooses among the processor's instructions by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hasher(());

impl Hasher {
    /// The implementation that every processor supports.
    pub const PORTABLE: Hasher = Hasher(());

    /// Returns the implementation that is fastest: the only one.
    pub fn promised() -> Hasher {
        Hasher::PORTABLE
    }

    /// Returns all implementations.
    pub fn all() -> Vec<Hasher> {
        vec![Hasher::PORTABLE]
    }

    /// Returns the implementation of this name.
    pub fn named(name: &str) -> Option<Hasher> {
        (name == Hasher::PORTABLE.name()).then_some(Hasher::PORTABLE)
    }

    /// Returns its name in messages and options.
    pub fn name(self) -> &'static str {
        "aws-lc-fips"
    }

    /// Begins a message: the single entry point for everything that is hashed.
    pub fn begin(self) -> Lane {
        Lane::new()
    }

    /// Returns the number of messages hashed side by side in one thread.
    pub fn lanes(self) -> usize {
        1
    }

    /// Adds the same number of blocks to each lane, as many as the shortest feed has, and returns
    /// that number.
    pub fn advance(self, feeds: &mut [Feed<'_>]) -> usize {
        let lengths = feeds.iter().map(|feed| feed.blocks.len());
        let common = lengths.min().unwrap_or(0);
        for feed in feeds {
            feed.blocks = &feed.blocks[..common];
            feed.lane.0.update(feed.blocks.as_flattened());
        }
        common
    }
}

/// A hash function of the module behind the traits of the crate `digest`.
macro_rules! function {
    ($name:ident, $size:ty) => {
        #[doc = concat!(stringify!($name), " in the module.")]
        #[derive(Clone, Debug)]
        pub struct $name(Hash);

        impl Default for $name {
            fn default() -> $name {
                $name(Hash::new(Function::$name))
            }
        }

        impl OutputSizeUser for $name {
            type OutputSize = $size;
        }

        impl Update for $name {
            fn update(&mut self, bytes: &[u8]) {
                self.0.update(bytes);
            }
        }

        impl FixedOutput for $name {
            fn finalize_into(self, out: &mut Output<Self>) {
                *out = self.0.digest().into();
            }
        }

        impl HashMarker for $name {}
    };
}

function!(Sha256, U32);
function!(Sha384, U48);
function!(Sha512, U64);

/// What is kept of a message beside its digests: the hashes as they were after its last byte, which
/// the module ends itself when it verifies a signature.
#[derive(Clone, Debug)]
pub struct Kept {
    sha256: Arc<Hash>,
    sha384: Option<Arc<Hash>>,
    sha512: Option<Arc<Hash>>,
}

/// All are equal: the digests beside them tell messages apart.
impl PartialEq for Kept {
    fn eq(&self, _: &Kept) -> bool {
        true
    }
}

impl Eq for Kept {}

impl Kept {
    fn begun(sha256: Hash) -> Kept {
        Kept {
            sha256: Arc::new(sha256),
            sha384: None,
            sha512: None,
        }
    }

    pub(super) fn of(sha256: &Sha256) -> Kept {
        Kept::begun(sha256.0.clone())
    }

    pub(super) fn add_sha384(&mut self, hash: &Sha384) {
        self.sha384 = Some(Arc::new(hash.0.clone()));
    }

    pub(super) fn add_sha512(&mut self, hash: &Sha512) {
        self.sha512 = Some(Arc::new(hash.0.clone()));
    }
}

impl Digests {
    /// Returns the message as this hash had it after its last byte, if it was computed.
    pub(crate) fn message(&self, algorithm: Algorithm) -> Option<&Hash> {
        match algorithm {
            Algorithm::Sha256 => Some(&self.kept.sha256),
            Algorithm::Sha384 => self.kept.sha384.as_deref(),
            Algorithm::Sha512 => self.kept.sha512.as_deref(),
        }
    }
}
