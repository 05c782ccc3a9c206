//! Cosign's signatures of images. Each form has a file of its own, and all become the same few
//! values: bytes that name images, and signatures over bytes.
//!
//! Nothing here is verified, and nothing here becomes a key: a certificate or public key beside a
//! signature is only ever compared.

mod attached;
mod bundle;
mod downloaded;
mod manifest;
mod payload;
mod skopeo;
mod statement;

use crate::digest::Digests;
use crate::sigstore::hex;
#[cfg(test)]
pub(crate) use crate::sigstore::made;
use crate::text::json::{self, Json, Object};
use crate::trust::claimed::ClaimedDigest;
use crate::trust::signature::Signature;

pub(crate) use crate::sigstore::SigstoreError;

/// Longest document that is read, in bytes. A signature takes a few thousand.
const MAX_BYTES: usize = json::MOST_BYTES;

/// Bytes that name the images which whoever signs them vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// The digest of the bytes: what a signature of them is verified over.
    pub(crate) hashed: Digests,
    /// The digests of the images' manifests or indexes.
    pub(crate) images: Vec<ClaimedDigest>,
    /// The name that the image was signed under, if the form has one.
    pub(crate) reference: Option<Box<str>>,
}

/// A signature of bytes, not verified.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Proof {
    /// The signature; absent if it cannot be used, and then never verified.
    pub(crate) signature: Option<Signature>,
    /// Whether a certificate is there.
    pub(crate) has_certificate: bool,
    /// The SHA-256 of the public key's DER that a transparency log recorded with it, if one did.
    pub(crate) logged_key: Option<ClaimedDigest>,
}

/// What a document holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Bytes that name images.
    Claim(Claim),
    /// A signature of the bytes of a claim, which may be in another document.
    Proof {
        /// The digest of those bytes.
        over: ClaimedDigest,
        /// The signature.
        proof: Proof,
    },
    /// A signature of the very bytes of a manifest or index.
    Direct {
        /// The digest of the manifest or index.
        image: ClaimedDigest,
        /// The signature.
        proof: Proof,
    },
    /// Something that cannot be used.
    Refused(SigstoreError),
}

/// The part of a document in what a bundle holds of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// None: it may be an image.
    None,
    /// It holds a claim or a signature, and no program could take it for an image.
    Content,
    /// A manifest of nothing but such contents.
    Manifest(Vec<ClaimedDigest>),
}

/// A document, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// What it holds.
    pub(crate) found: Vec<Found>,
    /// Its part.
    pub(crate) role: Role,
}

impl Reading {
    fn content(found: Vec<Found>) -> Reading {
        let role = Role::Content;
        Reading { found, role }
    }
}

/// Reads a document, if it is of a form of signature, or part of one.
pub(crate) fn read(text: &[u8]) -> Option<Reading> {
    if text.len() > MAX_BYTES {
        return None;
    }
    if let Some(rest) = text.strip_prefix(skopeo::MAGIC) {
        return Some(Reading::content(skopeo::read(rest)));
    }
    let Ok(json) = Json::parse(text) else {
        return downloaded::lines(text).map(Reading::content);
    };
    let object = json.as_object()?;
    if !is_no_image(object) {
        return manifest::read(object);
    }
    if let Some(found) = payload::read(object, text) {
        return Some(Reading::content(found));
    }
    downloaded::line(object).map(Reading::content)
}

/// Reports whether no program can take a document for an image's.
///
/// Fail closed: otherwise an image that is made to look like a signature would not be judged.
fn is_no_image(object: &Object) -> bool {
    let keys = ["layers", "manifests", "config", "fsLayers", "rootfs"];
    keys.iter().all(|key| matches!(object.get(key), Ok(None)))
}

/// What a result comes to: what was found, or why it cannot be used.
fn or_refused(result: Result<Vec<Found>, SigstoreError>) -> Vec<Found> {
    result.unwrap_or_else(|why| vec![Found::Refused(why)])
}

/// Reads `sha256:` and 64 lower-case hexadecimal digits.
fn sha256(text: &str) -> Result<ClaimedDigest, SigstoreError> {
    let digits = text.strip_prefix("sha256:");
    digits.map_or_else(|| Err(SigstoreError::digest(text)), hex)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn digest() -> ClaimedDigest {
        Digest::of(b"x").into()
    }

    #[test]
    fn only_sha256_in_lower_case_is_a_digest() {
        let digits = digest().to_string();
        assert_eq!(sha256(&format!("sha256:{digits}")), Ok(digest()));
        for text in [
            digits.clone(),
            format!("sha512:{digits}{digits}"),
            format!("sha256:{}", digits.to_uppercase()),
            format!("SHA256:{digits}"),
            format!("sha256:{}", &digits[1..]),
            format!("sha256:{digits} "),
        ] {
            assert_eq!(
                sha256(&text),
                Err(SigstoreError::digest(&text.replacen("sha256:", "", 1)))
            );
        }
    }

    #[test]
    fn what_is_no_json_or_no_signature_is_none_of_this() {
        for text in [
            &b""[..],
            b"{}",
            b"[]",
            b"{",
            b"null",
            b"{}\n{}\n",
            b"\0other\n{}",
            br#"{"schemaVersion":2,"manifests":[]}"#,
            br#"{"schemaVersion":2,"config":{},"layers":[]}"#,
            br#"{"architecture":"amd64","rootfs":{"diff_ids":[]},"critical":{}}"#,
        ] {
            assert_eq!(read(text), None, "{:?}", str::from_utf8(text));
        }
    }

    #[test]
    fn a_document_longer_than_any_signature_is_not_read() {
        let text = made::payload("r", &digest());
        let padded = |length: usize| [&text[..], &vec![b' '; length - text.len()]].concat();
        assert!(read(&padded(MAX_BYTES)).is_some());
        assert_eq!(read(&padded(MAX_BYTES + 1)), None);
    }
}
