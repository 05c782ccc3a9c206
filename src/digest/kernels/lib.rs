//! The compression function of SHA-256 (FIPS 180-4, 6.2.2) on several messages side by side, with
//! the vector instructions of x86-64.
//!
//! A package of its own, so that the debug builds of its workspace can have it optimized, and
//! nothing else: without optimization each instruction is a call, and the tests would wait for it.
//! It makes no digests: that is left to the room around it.
#![cfg(target_arch = "x86_64")]

pub mod avx2;
pub mod sha_ni;

/// The hash value of SHA-256: the words A to H.
pub type State = [u32; 8];

/// The block of SHA-256: 64 bytes.
pub type Block = [u8; 64];
