//! What the user demands of images.

use std::sync::Arc;

pub use super::names::Prefix;
use super::names::is_legal;
pub use super::platform::Wanted;
use crate::trust::key::Key;

/// What the user demands of images.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// The trusted keys.
    pub keys: Vec<Arc<Key>>,
    /// The beginnings of the names of images that must be signed.
    pub signed_registries: Vec<Prefix>,
    /// The platforms that every image must have.
    pub platforms: Vec<Wanted>,
    /// Whether every blob of an image is to be reported.
    pub wants_blobs: bool,
}

/// What the signature of the artifact that holds the images says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outer {
    /// A trusted key signed the artifact: the names in it are what its vendor wrote.
    Valid,
    /// It has none, and the user accepts that: an image in it may be unsigned, too.
    Accepted,
    /// No trusted key did: a name in it proves nothing.
    NotValid,
}

impl Policy {
    /// Reports whether an image with these names must be signed.
    pub(super) fn requires<'n>(
        &self,
        mut names: impl Iterator<Item = &'n str>,
        outer: Outer,
    ) -> bool {
        // Fail closed: where names prove nothing and the user did not accept that, no name exempts
        // an image.
        let covers = |name: &str| {
            self.signed_registries
                .iter()
                .any(|prefix| prefix.covers(name))
        };
        // Fail closed: what is no legal name may be taken for one with any of the prefixes.
        let is_covered = |name: &str| covers(name) || !is_legal(name);
        let has_prefixes = !self.signed_registries.is_empty();
        outer == Outer::NotValid || (has_prefixes && names.any(is_covered))
    }
}
