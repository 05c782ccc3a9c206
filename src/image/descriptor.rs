//! Descriptors (OCI image specification): what a document says of content elsewhere.

use super::media::Class;
use super::names;
use super::platform;
use crate::text::json::{Json, JsonError, Object};
use crate::trust::claimed::ClaimedDigest;

/// What a document says of one blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Descriptor {
    /// The SHA-256 that it must have.
    pub(super) digest: ClaimedDigest,
    /// The size that it must have, in bytes.
    pub(super) size: u64,
    /// What it is.
    pub(super) class: Class,
    /// Whether the document says where else it can be had.
    pub(super) has_urls: bool,
}

/// One of an index's manifests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Child {
    /// The manifest, or a further index.
    pub(super) descriptor: Descriptor,
    /// The platform that it is for, if the index says so.
    pub(super) platform: Option<Box<str>>,
    /// The names on its labels, its own first.
    pub(super) names: Box<[Box<str>]>,
}

/// Why a descriptor has no meaning.
pub(super) type DescriptorError = Box<str>;

impl From<JsonError> for DescriptorError {
    fn from(error: JsonError) -> DescriptorError {
        error.to_string().into()
    }
}

impl Descriptor {
    /// Reads a descriptor.
    pub(super) fn read(json: &Json) -> Result<Descriptor, DescriptorError> {
        Descriptor::of(object(json)?)
    }

    fn of(object: &Object) -> Result<Descriptor, DescriptorError> {
        let media_type = object.text("mediaType")?;
        Ok(Descriptor {
            class: Class::of(media_type.ok_or(JsonError::Missing("mediaType"))?),
            digest: digest(object.text("digest")?.ok_or(JsonError::Missing("digest"))?)?,
            size: object.number("size")?.ok_or(JsonError::Missing("size"))?,
            has_urls: object.array("urls")?.is_some_and(|urls| !urls.is_empty()),
        })
    }

    /// Reports whether its content may be absent: it belongs to somebody who does not let it be
    /// passed on, and is fetched from there.
    pub(super) fn may_be_absent(&self) -> bool {
        self.class == Class::ForeignLayer && self.has_urls
    }
}

impl Child {
    /// Reads an item of `manifests`.
    pub(super) fn read(json: &Json) -> Result<Child, DescriptorError> {
        let object = object(json)?;
        let platform = object.object("platform")?;
        let annotations = object.object("annotations")?;
        Ok(Child {
            descriptor: Descriptor::of(object)?,
            platform: platform.map(platform::read).transpose()?.flatten(),
            names: annotations.map_or_else(Box::default, names::of_annotations),
        })
    }
}

fn object(json: &Json) -> Result<&Object, DescriptorError> {
    json.as_object()
        .ok_or_else(|| "a descriptor is not an object".into())
}

/// Reads a digest as documents have it.
///
/// Fail closed: `sha256:` and 64 digits, in lower case. Content under another algorithm is not
/// hashed, so it cannot be judged.
pub(super) fn digest(text: &str) -> Result<ClaimedDigest, DescriptorError> {
    let digits = text.strip_prefix("sha256:");
    let parsed = digits.filter(|digits| is_hex(digits.as_bytes()));
    parsed
        .and_then(ClaimedDigest::parse)
        .ok_or_else(|| format!("{text:?} is not sha256: with 64 lower-case digits").into())
}

/// Reports whether these are the 64 lower-case hexadecimal digits of a SHA-256.
pub(super) fn is_hex(digits: &[u8]) -> bool {
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    digits.len() == 64 && digits.iter().all(is_digit)
}
