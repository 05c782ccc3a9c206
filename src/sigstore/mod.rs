//! Sigstore's documents: bundles, envelopes, certificates and entries of the transparency log. What
//! they are signatures of, images or files, is for others to say.
//!
//! Nothing here is verified, and nothing here becomes a key: a certificate or public key beside a
//! signature is only ever compared.

pub(crate) mod bundle;
pub(crate) mod certificate;
pub(crate) mod dsse;
mod error;
pub(crate) mod log;
#[cfg(test)]
pub(crate) mod made;
mod parts;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::text::json::{Json, JsonError, Object};
use crate::trust::claimed::ClaimedDigest;

pub(crate) use error::{PAYLOAD_TYPE, SigstoreError, quoted};
pub(crate) use parts::Parts;

/// Returns a text that must be there.
pub(crate) fn text<'a>(object: &'a Object, key: &'static str) -> Result<&'a str, SigstoreError> {
    Ok(object.text(key)?.ok_or(JsonError::Missing(key))?)
}

/// Returns an object that must be there.
pub(crate) fn object<'a>(
    object: &'a Object,
    key: &'static str,
) -> Result<&'a Object, SigstoreError> {
    Ok(object.object(key)?.ok_or(JsonError::Missing(key))?)
}

/// Returns the object that is the only item of an array.
pub(crate) fn only<'a>(parent: &'a Object, key: &'static str) -> Result<&'a Object, SigstoreError> {
    match parent.array(key)? {
        Some([Json::Object(one)]) => Ok(one),
        Some([_]) | None => Err(JsonError::Missing(key).into()),
        // Fail closed: which of several is meant is not guessed.
        Some(items) => Err(SigstoreError::NotOne {
            key,
            count: items.len(),
        }),
    }
}

/// Returns bytes that must be there, as base64 (RFC 4648, section 4).
pub(crate) fn bytes(object: &Object, key: &'static str) -> Result<Vec<u8>, SigstoreError> {
    from_base64(text(object, key)?, key)
}

/// Decodes base64 (RFC 4648, section 4): padded, in one line.
pub(crate) fn from_base64(text: &str, key: &'static str) -> Result<Vec<u8>, SigstoreError> {
    STANDARD
        .decode(text)
        .map_err(|_| SigstoreError::Base64(key))
}

/// Reads 64 lower-case hexadecimal digits.
pub(crate) fn hex(digits: &str) -> Result<ClaimedDigest, SigstoreError> {
    let is_lower = !digits.bytes().any(|byte| byte.is_ascii_uppercase());
    let digest = ClaimedDigest::parse(digits).filter(|_| is_lower);
    digest.ok_or_else(|| SigstoreError::digest(digits))
}

/// Returns the digest that these bytes are.
pub(crate) fn raw(bytes: Vec<u8>, key: &'static str) -> Result<ClaimedDigest, SigstoreError> {
    let digest: Result<[u8; 32], _> = bytes.try_into();
    digest
        .map(ClaimedDigest::from)
        .map_err(|_| SigstoreError::Base64(key))
}
