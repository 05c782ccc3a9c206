//! Whether the images inside an artifact are what their vendor signed, to the last byte of their
//! last layer.
//!
//! Everything here is pure: members with the digests that they were hashed to in, verdicts out. No
//! files, threads, clock or printing. The rules are those of the OCI image specification (manifest,
//! index, layout), of Docker's archive format, and of Cosign's signatures.

mod archive;
mod beside;
mod contents;
mod descriptor;
mod document;
pub mod evidence;
mod found;
mod judging;
mod layout;
mod listed;
mod media;
mod names;
mod notes;
mod platform;
mod policy;
mod saved;
mod signature;
mod signer;
mod sources;
mod walk;

#[cfg(feature = "internals")]
pub use crate::trust::image_notes::ImageNote;
pub use contents::Contents;
#[cfg(feature = "internals")]
pub use contents::MAX_TEXT;
#[cfg(feature = "internals")]
pub use judging::Judged;
pub use judging::{Judgement, judge};
pub use policy::{Outer, Policy, Prefix, Wanted};
