//! Sigstore's bundles, up to version 0.3: an envelope or a signature, with what belongs to it.

use super::{SigstoreError, bytes, certificate, object, quoted, text};
use crate::digest::Algorithm;
use crate::text::json::{Json, JsonError, Object};
use crate::trust::claimed::ClaimedDigest;
use crate::trust::listed::Sum;

/// What the media type of a bundle of any version begins with.
pub(crate) const ANY: &str = "application/vnd.dev.sigstore.bundle";
/// The media types that are known: versions 0.1 to 0.3.
pub(crate) const KNOWN: [&str; 4] = [
    "application/vnd.dev.sigstore.bundle.v0.3+json",
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
];

/// Reports whether a media type is that of a bundle, of a known version or not.
pub(crate) fn is_media_type(media_type: &str) -> bool {
    media_type.starts_with(ANY)
}

/// Reports whether a document is a bundle by its media type.
pub(crate) fn is_bundle(document: &Object) -> bool {
    let media_type = document.exact("mediaType").and_then(Json::as_str);
    media_type.is_some_and(is_media_type)
}

/// A bundle of a known version. What is in it is not read yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bundle<'a> {
    /// What is signed, with the signature.
    pub(crate) content: Content<'a>,
    /// What belongs to the signature.
    pub(crate) material: &'a Object,
}

/// What is signed in a bundle.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Content<'a> {
    /// An envelope.
    Envelope(&'a Object),
    /// Bytes that are elsewhere.
    Message(&'a Object),
}

impl<'a> Bundle<'a> {
    /// Reads a bundle.
    ///
    /// # Errors
    /// Reports another media type, and any other content than exactly one of the two kinds.
    pub(crate) fn read(bundle: &'a Object) -> Result<Bundle<'a>, SigstoreError> {
        let media_type = text(bundle, "mediaType")?;
        if !KNOWN.contains(&media_type) {
            return Err(SigstoreError::media_type(media_type));
        }
        let material = object(bundle, "verificationMaterial")?;
        let envelope = bundle.object("dsseEnvelope")?;
        let message = bundle.object("messageSignature")?;
        let content = match (envelope, message) {
            (Some(envelope), None) => Content::Envelope(envelope),
            (None, Some(message)) => Content::Message(message),
            _ => {
                return Err(SigstoreError::Alternatives(
                    "dsseEnvelope and messageSignature",
                ));
            }
        };
        Ok(Bundle { content, material })
    }
}

/// A signature over bytes that are elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// The digest of those bytes, if the bundle declares it.
    pub(crate) digest: Option<Sum>,
    /// The signature's bytes.
    pub(crate) signature: Vec<u8>,
}

impl Message {
    /// Returns the SHA-256 that it declares.
    ///
    /// # Errors
    /// Reports another algorithm, and that there is no digest.
    pub(crate) fn sha256(&self) -> Result<ClaimedDigest, SigstoreError> {
        let sum = self.digest.as_ref();
        let sum = sum.ok_or(JsonError::Missing("messageDigest"))?;
        let of_it = |(_, known): &&(&str, Algorithm)| *known == sum.algorithm();
        let name = ALGORITHMS.iter().find(of_it).map_or("", |(name, _)| name);
        let other = || SigstoreError::DigestAlgorithm(quoted(name));
        sum.sha256().ok_or_else(other)
    }

    /// Reads the signature.
    ///
    /// # Errors
    /// Reports a digest of another algorithm than SHA-256, SHA-384 and SHA-512, and what is missing.
    pub(crate) fn read(message: &Object) -> Result<Message, SigstoreError> {
        Ok(Message {
            digest: message.object("messageDigest")?.map(digest).transpose()?,
            signature: bytes(message, "signature")?,
        })
    }
}

/// The hash functions that are computed here, by their names in bundles (sigstore_common.proto).
const ALGORITHMS: [(&str, Algorithm); 3] = [
    ("SHA2_256", Algorithm::Sha256),
    ("SHA2_384", Algorithm::Sha384),
    ("SHA2_512", Algorithm::Sha512),
];

fn digest(digest: &Object) -> Result<Sum, SigstoreError> {
    let name = text(digest, "algorithm")?;
    let known = ALGORITHMS.iter().find(|(known, _)| *known == name);
    // Fail closed: a digest that is not computed here cannot be compared.
    let (_, algorithm) = known.ok_or_else(|| SigstoreError::DigestAlgorithm(quoted(name)))?;
    let sum = Sum::of_bytes(*algorithm, &bytes(digest, "digest")?);
    sum.ok_or(SigstoreError::Base64("digest"))
}

/// What belongs to a bundle's signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Material {
    /// The SHA-256 of the certificate's DER, if there is one.
    pub(crate) certificate: Option<ClaimedDigest>,
    /// The entries of the transparency log.
    pub(crate) entries: Vec<Vec<u8>>,
}

impl Material {
    /// Reads a bundle's verification material.
    ///
    /// # Errors
    /// Reports a signer that is not exactly one of the three kinds, and an entry without a body.
    pub(crate) fn read(material: &Object) -> Result<Material, SigstoreError> {
        Ok(Material {
            certificate: certificate::in_material(material)?,
            entries: entries(material)?,
        })
    }
}

fn entries(material: &Object) -> Result<Vec<Vec<u8>>, SigstoreError> {
    let entries = material.array("tlogEntries")?.unwrap_or_default();
    let body = |entry: &Json| {
        let entry = entry.as_object();
        bytes(
            entry.ok_or(JsonError::Missing("canonicalizedBody"))?,
            "canonicalizedBody",
        )
    };
    entries.iter().map(body).collect()
}
