//! The members of a [`Document`](super::Document) that an audit reads. All others take no memory,
//! and may be those of another version of the program.

use serde::Deserialize;

use super::{Content, Key, PathMember};

/// See [`super::Document`].
#[derive(Debug, Deserialize)]
pub struct Document {
    /// See [`super::Document::schema`].
    pub schema: u64,
    /// See [`super::Document::start`].
    pub start: Start,
    /// See [`super::Document::artifacts`].
    pub artifacts: Vec<Artifact>,
    /// See [`super::Document::summary`].
    pub summary: Summary,
}

/// The version of any report, independent of its other members.
#[derive(Debug, Deserialize)]
pub struct Version {
    /// See [`super::Document::schema`].
    pub schema: u64,
}

/// See [`super::Start`].
#[derive(Debug, Deserialize)]
pub struct Start {
    /// See [`super::Start::shard`].
    pub shard: Option<Shard>,
    /// See [`super::Start::time`].
    pub time: String,
    /// See [`super::Start::roots`].
    pub roots: Vec<PathMember<'static>>,
    /// See [`super::Start::options`].
    #[serde(default)]
    pub options: Options,
    /// See [`super::Start::host`].
    #[serde(default)]
    pub host: String,
    /// See [`super::Start::keys`].
    #[serde(default)]
    pub keys: Vec<Key<'static>>,
}

/// See [`super::Shard`].
#[derive(Debug, Deserialize)]
pub struct Shard {
    /// See [`super::Shard::index`].
    pub index: u32,
    /// See [`super::Shard::count`].
    pub count: u32,
}

/// See [`super::Options`].
#[derive(Debug, Default, Deserialize)]
pub struct Options {
    /// See [`super::Options::images`].
    pub images: Option<ImageOptions>,
}

/// See [`super::ImageOptions`].
#[derive(Debug, Deserialize)]
pub struct ImageOptions {
    /// See [`super::ImageOptions::keys`].
    #[serde(default)]
    pub keys: Vec<Key<'static>>,
}

/// See [`super::Image`].
#[derive(Debug, Deserialize)]
pub struct Image {
    /// See [`super::Image::name`].
    pub name: Option<String>,
    /// See [`super::Image::id`].
    pub id: String,
}

/// See [`super::Artifact`].
#[derive(Debug, Deserialize)]
pub struct Artifact {
    path: Option<String>,
    path_base64: Option<String>,
    /// See [`super::Artifact::type`].
    #[serde(default = "super::artifact::artifact")]
    pub r#type: super::Type,
    /// See [`super::Artifact::image`].
    pub image: Option<Image>,
    /// See [`super::Artifact::status`].
    pub status: String,
    /// See [`super::Artifact::reason`].
    pub reason: String,
    /// See [`super::Artifact::sha256`].
    pub sha256: Option<String>,
    /// See [`super::Artifact::size`].
    pub size: Option<u64>,
    /// See [`super::Artifact::passes`].
    #[serde(default)]
    pub passes: bool,
    /// See [`super::Artifact::archive`].
    pub archive: Option<Content<'static>>,
}

impl Artifact {
    /// See [`super::Artifact::path`].
    pub fn path(&self) -> PathMember<'_> {
        PathMember {
            path: self.path.as_deref().map(Into::into),
            path_base64: self.path_base64.as_deref().map(Into::into),
        }
    }
}

/// See [`super::Summary`].
#[derive(Debug, Deserialize)]
pub struct Summary {
    /// See [`super::Summary::complete`].
    pub complete: bool,
    /// See [`super::Summary::interrupted`].
    pub interrupted: Option<String>,
    /// See [`super::Summary::failures`].
    pub failures: Option<u64>,
    /// See [`super::Summary::exit_status`].
    pub exit_status: Option<u8>,
}
