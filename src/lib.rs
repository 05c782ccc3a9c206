//! Verifies that the files of a mirror are what their vendor signed: detached signatures beside
//! their files (`.sig.bin`, and what Cosign and Sigstore write), many artifacts at once, no
//! network. By default a signature is one of ECDSA P-256 over SHA-256; keys of other algorithms are
//! in [`Key`].
//!
//! [`Verifier`] is the entry point. To verify a mirror and stop at the first failure:
//!
//! ```no_run
//! use verify_signatures::{Key, Verifier};
//!
//! let key = Key::parse("vendor", &std::fs::read("vendor.pem")?)?;
//! let mut records = Verifier::new([key]).mirror(["/srv/mirror"])?;
//! if let Some(failure) = records.find(|record| !record.verdict.passes()) {
//!     eprintln!("{}: {}", failure.path(), failure.verdict.reason());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The command is a thin layer over it, behind the feature `cli`, which is on by default.
//! `docs/ARCHITECTURE.md` describes the library's internals, room by room.
// Without the command, items that only the command uses are unused, not forgotten.
#![cfg_attr(not(feature = "cli"), allow(dead_code, unused_imports))]

#[cfg(not(unix))]
compile_error!(
    "verify-signatures reads files as Unix does: inodes, links and names that are bytes"
);

#[cfg(feature = "cli")]
mod audit;
mod bundle;
mod checksums;
#[cfg(feature = "cli")]
mod command;
mod content;
mod device;
mod digest;
mod earlier;
mod engine;
mod envelope;
mod files;
mod hints;
mod image;
mod limits;
#[cfg(feature = "cli")]
mod merge;
mod mirror;
mod module;
mod names;
mod progress;
#[cfg(feature = "cli")]
mod report;
#[cfg(feature = "cli")]
mod run;
#[cfg(feature = "cli")]
mod shard;
mod sigstore;
#[cfg(feature = "cli")]
mod terminal;
#[cfg(test)]
mod testing;
mod text;
mod trust;
mod verify;
#[cfg(feature = "cli")]
mod wire;

/// The command: reads the process's arguments, verifies, prints, and returns the exit status.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub use command::command;

pub use content::IoMode;
pub use digest::{Algorithm, Digest};
pub use engine::PoolError;
pub use files::SharedPath;
pub use progress::{Cancel, Counters, Flight};
pub use trust::earlier::Earlier;
pub use trust::format::{EnvelopeError, SignatureFormat};
pub use trust::image::{Archive, Blob, ContentsFailure, Image, ImageFailure, Platform};
pub use trust::key::{Key, KeyError, OwnDigest};
pub use trust::listed::{Unlisted, Unusable};
pub use trust::record::{Record, SignatureFile, Subject};
pub use trust::signature::SignatureError;
pub use trust::sniffed::Sniffed;
pub use trust::summary::{ImageCounts, Summary};
pub use trust::terms::{Reason, Status};
pub use trust::verdict::{Invalid, Part, Unclaimed, Verdict};
pub use verify::{Records, Verifier, VerifyError};

/// Rooms of the library for its own tests, benches and fuzz targets. Not part of the stable API.
#[cfg(feature = "internals")]
#[doc(hidden)]
#[allow(missing_docs)]
pub mod internals {
    pub mod bundle {
        pub use crate::bundle::probe::*;
    }
    pub mod checksums {
        pub use crate::checksums::*;
    }
    pub mod digest {
        pub use crate::digest::*;
    }
    pub mod engine {
        pub use crate::engine::probe::*;
    }
    pub mod envelope {
        pub use crate::envelope::*;
    }
    pub mod hints {
        pub use crate::hints::*;
    }
    pub mod image {
        pub use crate::image::*;
    }
    pub mod mirror {
        pub use crate::mirror::*;
    }
    pub mod module {
        pub use crate::module::*;
    }
    pub mod names {
        pub use crate::names::*;
    }
    pub mod text {
        pub use crate::text::*;
    }
    pub mod trust {
        pub use crate::trust::*;
    }
}
