//! Verifies that the files of a mirror are what their vendor signed: detached ECDSA P-256 signatures over SHA-256,
//! one `.sig.bin` beside each artifact, many artifacts at once, no network.
//!
//! The command is a thin layer over this library. To verify one file:
//!
//! ```no_run
//! use std::{path::Path, sync::Arc};
//! use verify_signatures::{engine, trust::key::Key};
//!
//! let key = Arc::new(Key::parse("vendor", &std::fs::read("vendor.pem")?)?);
//! let record = engine::verify_file(&[key], Path::new("x.iso"), Path::new("x.iso.sig.bin"));
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

mod app;
pub mod audit;
mod cli;
mod closed;
mod config;
pub mod content;
mod defect;
pub mod device;
pub mod digest;
pub mod engine;
mod errno;
mod exit;
mod generate;
pub mod hints;
mod interrupt;
mod limits;
pub mod mirror;
mod patience;
pub mod report;
#[cfg(test)]
mod testing;
pub mod trust;

/// The command: reads the process's arguments, verifies, prints, and says how it ended.
pub use app::run as command;
