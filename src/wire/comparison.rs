//! What a run differs in from its baseline, and two reports from each other.

use serde::{Deserialize, Serialize};

use super::{PathMember, Text, Type};

/// The differences of a run from its baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit<'a> {
    /// The baseline's path.
    pub baseline: PathMember<'a>,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: Text<'a>,
    /// The start time of the run that the baseline reports.
    pub time: Text<'a>,
    /// The differences.
    pub findings: Vec<Finding<'a>>,
}

/// A difference from the baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding<'a> {
    /// A term of `audit::Difference`.
    pub finding: Text<'a>,
    /// The artifact's path, or the expected one.
    #[serde(flatten)]
    pub path: PathMember<'a>,
    /// The image in it, by name or digest, if the difference is one of an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Text<'a>>,
    /// The path in the baseline's own words, if it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PathMember<'a>>,
    /// The content that the baseline has, if it has the artifact or image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Content<'a>>,
    /// The content now, if the artifact or image exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Content<'a>>,
    /// The missing artifact that an added one resembles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<PathMember<'a>>,
}

/// A content: of an artifact, or of the root document of an image. What is unknown is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content<'a> {
    /// Its SHA-256, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Text<'a>>,
    /// Its size in bytes; of an image, that of its blobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// Two reports compared with each other (`--compare`): what they claim, and nothing that was
/// hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison<'a> {
    /// [`SCHEMA`].
    pub schema: u64,
    /// [`Type::Comparison`].
    pub r#type: Type,
    /// The version of the program.
    pub version: Text<'a>,
    /// The time of the comparison (RFC 3339, UTC).
    pub time: Text<'a>,
    /// The machine on which it was made.
    pub host: Text<'a>,
    /// The earlier report.
    pub old: Compared<'a>,
    /// The later report.
    pub new: Compared<'a>,
    /// The differences.
    pub findings: Vec<Finding<'a>>,
    /// Keys that the later run trusted and the earlier one did not.
    pub new_keys: Vec<KeyName<'a>>,
    /// What else there is to say, as text.
    pub remarks: Vec<Text<'a>>,
    /// The exit status.
    pub exit_status: u8,
}

/// A key, as a report names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyName<'a> {
    /// The name of its file.
    pub name: Text<'a>,
    /// The SHA-256 of its DER, in hexadecimal digits.
    pub fingerprint: Text<'a>,
}

/// A report that was compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared<'a> {
    /// The report.
    pub report: PathMember<'a>,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: Text<'a>,
    /// When its run began, as it says.
    pub time: Text<'a>,
    /// The machine of its run, as it says.
    pub host: Text<'a>,
    /// Number of artifacts in it.
    pub artifacts: u64,
    /// Number of artifacts and images that did not pass, as it says.
    pub failures: u64,
    /// The exit status of its run, as it says.
    pub exit_status: u8,
}
