//! One record, and what belongs to it.

use serde::{Deserialize, Serialize};

use super::{Content, PathMember, SignatureMember, Text, Type};

/// An image inside an artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image<'a> {
    /// The name on its label; absent if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Text<'a>>,
    /// The digest of its index or manifest: `sha256:` and hexadecimal digits.
    pub id: Text<'a>,
    /// Its platforms.
    #[serde(default)]
    pub platforms: Vec<Platform<'a>>,
    /// The blobs that it consists of, if they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blobs: Vec<Blob<'a>>,
}

/// A platform of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform<'a> {
    /// Operating system, architecture and variant.
    pub name: Text<'a>,
    /// Whether its content is there, all of it.
    pub whole: bool,
}

/// A blob of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob<'a> {
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: Text<'a>,
    /// Its size in bytes.
    pub size: u64,
}

/// What the file system said of a file when it was hashed, and when that was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamps<'a> {
    /// The number of its device (`st_dev`).
    pub device: u64,
    /// Its inode number (`st_ino`).
    pub inode: u64,
    /// Its size in bytes.
    pub size: u64,
    /// When its content was last modified: seconds since 1970 with nine decimals (`stat -c %.9Y`).
    pub modified: Text<'a>,
    /// When its inode was last changed, in the same form (`stat -c %.9Z`).
    pub changed: Text<'a>,
    /// When hashing began (RFC 3339, UTC).
    pub read: Text<'a>,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Artifact<'a> {
    /// [`Type::Artifact`].
    #[serde(default = "artifact")]
    pub r#type: Type,
    /// Its path, or the expected one, if it is UTF-8. See [`PathMember`]: its members stand here
    /// themselves, since a million of them are read in a third of the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Text<'a>>,
    /// The base64 of its bytes, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_base64: Option<Text<'a>>,
    /// The image in it that the record is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image<'a>>,
    /// A term of [`Status`](crate::trust::terms::Status).
    pub status: Text<'a>,
    /// Whether it may be used.
    #[serde(default)]
    pub passes: bool,
    /// What its line says after the path.
    #[serde(default)]
    pub line: Text<'a>,
    /// A term of [`Reason`](crate::trust::terms::Reason).
    pub reason: Text<'a>,
    /// The reason as text.
    #[serde(default)]
    pub detail: Text<'a>,
    /// The remedy, if it does not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<Text<'a>>,
    /// Its size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Its SHA-256, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Text<'a>>,
    /// Its signature file, if there is one and its path is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Text<'a>>,
    /// The base64 of its path, if that is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_base64: Option<Text<'a>>,
    /// The signature file as it was read, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_file: Option<SignatureFile<'a>>,
    /// The archive that holds the image, if that has no object of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<Content<'a>>,
    /// What the file system said of it, if it is one file that was hashed and did not change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamps: Option<Stamps<'a>>,
    /// The fingerprint of the key that verified it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Text<'a>>,
    /// The files that it was split into, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PathMember<'a>>,
    /// The link's target, if the signature is the target's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<PathMember<'a>>,
    /// The kind of its content: a hint, a term of [`Sniffed`](crate::trust::sniffed::Sniffed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks: Option<Text<'a>>,
    /// Another name of the same file, under which it was read once for both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_as: Option<PathMember<'a>>,
    /// Seconds from opening it to its verdict.
    #[serde(default)]
    pub seconds: f64,
}

pub(super) fn artifact() -> Type {
    Type::Artifact
}

impl Artifact<'_> {
    /// Returns its path, or the expected one.
    pub fn path(&self) -> PathMember<'_> {
        PathMember::of_members(self.path.as_deref(), self.path_base64.as_deref())
    }

    /// Returns its signature file.
    pub fn signature(&self) -> SignatureMember<'_> {
        let base64 = self.signature_base64.as_deref();
        PathMember::of_members(self.signature.as_deref(), base64).into()
    }
}

/// A signature file as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureFile<'a> {
    /// Its SHA-256, in hexadecimal digits, unless it was too long to be read to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Text<'a>>,
    /// Its size in bytes.
    pub size: u64,
    /// When its content was last modified (RFC 3339, UTC), if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<Text<'a>>,
    /// Its format, if a signature was found in it: a term of
    /// [`SignatureFormat`](crate::trust::format::SignatureFormat).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Text<'a>>,
}
