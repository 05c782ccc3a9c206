//! Verifies that the files of a mirror are what their vendor signed: detached ECDSA P-256 signatures over SHA-256,
//! one `.sig.bin` beside each artifact, many artifacts at once, no network.
//!
//! The command is a thin layer over this library. To verify one file:
//!
//! ```no_run
//! use verify_signatures::{Key, Verifier};
//!
//! let key = Key::parse("vendor", &std::fs::read("vendor.pem")?)?;
//! let record = Verifier::new([key]).file("x.iso", "x.iso.sig.bin");
//! assert!(record.verdict.passes());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`mirror`] finds what lies on disk, [`device`] what it lies on, [`trust`] says who signed what, [`digest`] hashes,
//! [`content`] reads, [`engine`] puts the work in order, [`audit`] compares what came of it with an earlier run, and [`report`] says it.
//! The command wires them together.

#[cfg(not(unix))]
compile_error!(
    "verify-signatures reads files as Unix does: inodes, links and names that are bytes"
);

pub mod audit;
mod command;
pub mod content;
pub mod device;
pub mod digest;
pub mod engine;
pub mod files;
pub mod hints;
mod limits;
pub mod mirror;
pub mod progress;
pub mod report;
pub mod run;
mod terminal;
pub mod text;
pub mod trust;
mod verify;
pub mod wire;

/// The command: reads the process's arguments, verifies, prints, and says how it ended.
pub use command::command;
pub use trust::key::Key;
pub use verify::{Records, Verifier, VerifyError};
