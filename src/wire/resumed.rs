//! The members of a [`Document`](super::Document) from which a run is resumed.

use serde::Deserialize;

use super::{Key, Options, PathMember, SignatureMember, Stamps};

/// See [`super::Document`].
#[derive(Debug, Deserialize)]
pub struct Document {
    /// See [`super::Document::schema`].
    pub schema: u64,
    /// See [`super::Document::start`].
    pub start: Start,
    /// See [`super::Document::artifacts`].
    pub artifacts: Vec<Artifact>,
}

/// The version of any report, independent of its other members.
pub use super::audited::Version;

/// See [`super::Start`].
#[derive(Debug, Deserialize)]
pub struct Start {
    /// See [`super::Start::directory`].
    pub directory: Option<PathMember<'static>>,
    /// See [`super::Start::shards`].
    #[serde(default)]
    pub shards: Vec<serde::de::IgnoredAny>,
    /// See [`super::Start::keys`].
    #[serde(default)]
    pub keys: Vec<Key<'static>>,
    /// See [`super::Start::options`].
    pub options: Options<'static>,
}

/// See [`super::SignatureFile`].
#[derive(Debug, Deserialize)]
pub struct SignatureFile {
    /// See [`super::SignatureFile::sha256`].
    pub sha256: Option<String>,
}

/// See [`super::Artifact`].
#[derive(Debug, Deserialize)]
pub struct Artifact {
    path: Option<String>,
    path_base64: Option<String>,
    signature: Option<String>,
    signature_base64: Option<String>,
    /// See [`super::Artifact::type`].
    #[serde(default = "super::artifact::artifact")]
    pub r#type: super::Type,
    /// See [`super::Artifact::status`].
    pub status: String,
    /// See [`super::Artifact::passes`].
    #[serde(default)]
    pub passes: bool,
    /// See [`super::Artifact::sha256`].
    pub sha256: Option<String>,
    /// See [`super::Artifact::signature_file`].
    pub signature_file: Option<SignatureFile>,
    /// See [`super::Artifact::key`].
    pub key: Option<String>,
    /// See [`super::Artifact::parts`].
    #[serde(default)]
    pub parts: Vec<PathMember<'static>>,
    /// See [`super::Artifact::stamps`].
    pub stamps: Option<Stamps<'static>>,
}

impl Artifact {
    /// See [`super::Artifact::path`].
    pub fn path(&self) -> PathMember<'_> {
        PathMember::of_members(self.path.as_deref(), self.path_base64.as_deref())
    }

    /// See [`super::Artifact::signature`].
    pub fn signature(&self) -> SignatureMember<'_> {
        let base64 = self.signature_base64.as_deref();
        PathMember::of_members(self.signature.as_deref(), base64).into()
    }
}
