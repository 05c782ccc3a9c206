//! The objects of the JSON reports as plain data: one definition for writing and reading.
//!
//! `docs/report.schema.json` specifies them (JSON Schema, draft 2020-12), and
//! [`report::json`](crate::report::json) describes them. A reader also accepts reports of this
//! schema from older versions of the program, so members that were added later may be missing.

mod artifact;
pub mod audited;
mod comparison;
mod member;
mod note;
pub mod resumed;
mod start;
mod summary;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub use artifact::{Artifact, Blob, Image, Platform, SignatureFile, Stamps};
pub use comparison::{Audit, Compared, Comparison, Content, Finding, KeyName};
pub use member::{PathMember, SignatureMember};
pub use note::{Note, Signed};
pub use start::{ImageOptions, Key, Module, Options, Shard, ShardRun, Share, Start, User};
pub use summary::{Counts, Excluded, ImageCounts, Names, NotChecked, Summary};

/// Version of the objects, raised whenever a consumer could misunderstand the new ones.
pub const SCHEMA: u64 = 5;

/// The versions that a reader accepts: the first one had no images, the second did not account for
/// what was not checked, and the third had no shards and nothing that was verified earlier.
pub const READ: std::ops::RangeInclusive<u64> = 1..=SCHEMA;

/// A text: borrowed for writing, owned after reading.
type Text<'a> = Cow<'a, str>;

/// The type of the object in a line of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// [`Start`].
    Start,
    /// [`Artifact`].
    Artifact,
    /// [`Artifact`] with an [`Image`].
    Image,
    /// [`Artifact`]: its contents as a whole.
    Contents,
    /// [`Summary`].
    Summary,
    /// [`Comparison`].
    Comparison,
}

/// A whole run as one document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "A: Deserialize<'de>, N: Default + Deserialize<'de>"))]
pub struct Document<'a, A = Vec<Artifact<'a>>, N = Vec<Note<'a>>> {
    /// [`SCHEMA`].
    pub schema: u64,
    /// Its beginning.
    pub start: Start<'a>,
    /// Its artifacts, in the order of the lines.
    pub artifacts: A,
    /// Its end.
    pub summary: Summary<'a, N>,
}

#[cfg(test)]
mod tests;
