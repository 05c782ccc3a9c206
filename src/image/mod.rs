//! Whether the images inside an artifact are what their vendor signed, to the last byte of their
//! last layer.
//!
//! Everything here is pure: members with the digests that they were hashed to in, verdicts out. No
//! files, threads, clock or printing. The rules are those of the OCI image specification (manifest,
//! index, layout), of Docker's archive format, and of Cosign's signatures.

pub mod evidence;
pub(crate) mod json;
mod signature;
