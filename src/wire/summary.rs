//! The end of a run.

use serde::{Deserialize, Serialize};

use super::{Audit, Note, PathMember, Text, Type};

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary<'a, N = Vec<Note<'a>>> {
    /// [`Type::Summary`].
    #[serde(default = "summary")]
    pub r#type: Type,
    /// End time (RFC 3339, UTC).
    #[serde(default)]
    pub time: Text<'a>,
    /// Whether every artifact was found and judged.
    pub complete: bool,
    /// The signal that ended it, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<Text<'a>>,
    /// The expected number of artifacts.
    #[serde(default)]
    pub expected: u64,
    /// The number of artifacts with each status.
    #[serde(default)]
    pub counts: Counts,
    /// The number of images with each status, if any were judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_counts: Option<ImageCounts>,
    /// The number of artifacts and images that do not pass.
    #[serde(default)]
    pub failures: u64,
    /// Bytes hashed.
    #[serde(default)]
    pub bytes: u64,
    /// Duration in seconds.
    #[serde(default)]
    pub seconds: f64,
    /// The exit status.
    #[serde(default)]
    pub exit_status: u8,
    /// What was not checked.
    #[serde(default)]
    pub not_checked: NotChecked<'a>,
    /// How the run ended, a term of [`Conclusion`](crate::run::conclusion::Conclusion).
    #[serde(default)]
    pub conclusion: Text<'a>,
    /// What prevented a judgement, as text.
    #[serde(default)]
    pub problems: Vec<Text<'a>>,
    /// Observations on the run as a whole.
    #[serde(default)]
    pub notes: N,
    /// The differences from its baseline, if it was audited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<Audit<'a>>,
}

fn summary() -> Type {
    Type::Summary
}

/// What a run did not check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NotChecked<'a> {
    /// What each excluded pattern left out, in their order.
    pub excluded: Vec<Excluded<'a>>,
    /// Directories below the maximum depth.
    pub too_deep: Names<'a>,
    /// Linked directories that were not entered, and whose content was not judged elsewhere.
    pub links: Names<'a>,
    /// Regular files that no signature covers and that needed none.
    pub uncovered: Names<'a>,
    /// Artifacts that were not judged before the run ended.
    pub unjudged: Names<'a>,
}

/// What an excluded pattern left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Excluded<'a> {
    /// The pattern.
    pub pattern: Text<'a>,
    /// How many of the files have the name of an artifact.
    pub artifacts: u64,
    /// The sizes of the files, in bytes.
    pub bytes: u64,
    /// The files.
    pub files: Names<'a>,
    /// The directories.
    pub directories: Names<'a>,
}

/// Names, of which there may be too many to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Names<'a> {
    /// How many there are.
    pub count: u64,
    /// The first of them.
    pub paths: Vec<PathMember<'a>>,
    /// How many are not listed.
    pub left_off: u64,
}

/// The number of artifacts with each status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Counts {
    /// `valid`.
    pub valid: u64,
    /// `listed`.
    pub listed: u64,
    /// `invalid`.
    pub invalid: u64,
    /// `unsigned`.
    pub unsigned: u64,
    /// `missing`.
    pub missing: u64,
    /// `changed`.
    pub changed: u64,
    /// `unreadable`.
    pub unreadable: u64,
    /// `not-regular`.
    pub not_regular: u64,
    /// `verified-earlier`.
    pub verified_earlier: u64,
}

/// The number of images with each status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct ImageCounts {
    /// `valid`.
    pub valid: u64,
    /// `invalid`.
    pub invalid: u64,
    /// `unsigned`.
    pub unsigned: u64,
    /// `incomplete`.
    pub incomplete: u64,
    /// `malformed`.
    pub malformed: u64,
    /// `too-large`.
    pub too_large: u64,
    /// `no-images`.
    pub no_images: u64,
}
