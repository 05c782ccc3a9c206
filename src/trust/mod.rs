//! Who signed what: keys, signatures and the verdicts on artifacts.
//!
//! Everything here is pure: bytes in, values out. No files, threads, clock or printing. The one thing it
//! takes from elsewhere is the type [`crate::digest::Digest`], which cannot be made without hashing.

mod fits;
pub mod key;
pub mod looks;
mod multiples;
pub mod note;
pub mod signature;
pub mod terms;
pub mod verdict;

use std::sync::Arc;

use crate::digest::Digest;
use key::Key;
use signature::Signature;
use verdict::{Invalid, Verdict};

/// Decides one signature: valid if any of the trusted `keys` verifies it over `digest`.
///
/// The keys are tried in their order; the first that verifies is the one the verdict names.
pub fn judge(keys: &[Arc<Key>], digest: &Digest, signature: &Signature) -> Verdict {
    // Fail closed: this is the only place that says `Valid`, and without a key that verifies it is not reached.
    keys.iter()
        .find(|key| key.verifies(digest, signature))
        .map_or(Verdict::Invalid(Invalid::NoKeyVerifies), |key| {
            Verdict::Valid {
                key: Arc::clone(key),
            }
        })
}
