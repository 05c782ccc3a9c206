//! What lies in a bundle: a tar archive, compressed by zstd or gzip or not at all, and directories
//! of images. Each byte is read once; the file's digest and those of its members come from the same
//! bytes, and nothing is unpacked.
//!
//! [`stream`] is the way of a file, from its bytes to its members; [`directory`] that of a
//! directory. What the members mean is not known here.

mod belt;
mod defect;
mod directory;
mod error;
mod frames;
mod gzip;
mod inner;
mod names;
mod packer;
#[cfg(any(test, feature = "internals"))]
pub mod probe;
mod raw;
mod stream;
mod tar;
#[cfg(test)]
mod testing;
mod text;
mod window;
mod zstd;

use crate::digest::Digest;
use crate::text::json;

pub(crate) use defect::Defect;
pub(crate) use directory::Tree;
pub(crate) use error::BundleError;
pub(crate) use stream::{End, Stream};
pub(crate) use window::WindowBudget;

/// Maximum size in bytes of a member that is kept as text.
const LARGEST_TEXT: u64 = json::MOST_BYTES as u64;

/// What one input may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Maximum window of a zstd frame in bytes (RFC 8878, 3.1.1.1.2).
    pub(crate) max_window: u64,
    /// Maximum number of bytes after decompression; `u64::MAX` for no limit.
    pub(crate) max_output: u64,
    /// Maximum number of names: members, and the directories that they lie in.
    pub(crate) members: usize,
    /// Maximum number of bytes of all texts together.
    pub(crate) text: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_window: 128 * 1024 * 1024,
            max_output: u64::MAX,
            members: 500_000,
            text: 64 * 1024 * 1024,
        }
    }
}

/// A file or a link of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// The path from the bundle's root: components joined by `/`, none of them empty, `.` or `..`.
    /// No two members have the same, and none lies below another.
    pub(crate) path: Vec<u8>,
    /// What it is.
    pub(crate) entry: Entry,
}

/// What a member is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A regular file.
    File {
        /// The SHA-256 of its content.
        digest: Digest,
        /// Its size in bytes.
        size: u64,
        /// Its content, if it looks like JSON (its first byte after white space is `{` or `[`) or
        /// is a signature of skopeo's (it begins with `\0sigstore-json\n`), and is at most 4 MiB.
        text: Option<Vec<u8>>,
    },
    /// A symbolic or hard link.
    Link {
        /// The path that it names, from the bundle's root. There may be no such member.
        target: Vec<u8>,
    },
}

/// What a file turned out to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contents {
    /// A tar archive: its members are all that it has.
    Tar,
    /// Something else, which has no members.
    NotATar,
}

/// How far one step came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// There is more.
    On {
        /// Bytes of the input that were hashed in this step.
        hashed: u64,
    },
    /// Everything is hashed, or the input cannot be read further.
    Over {
        /// Bytes of the input that were hashed in this step.
        hashed: u64,
    },
}
