//! Base64 (RFC 4648, section 4) of a signature: `.sig` as `cosign sign-blob` and base64(1) write
//! it.

use std::borrow::Cow;

use ::base64::Engine;
use ::base64::engine::general_purpose::STANDARD;

use super::Opened;
use crate::trust::format::{EnvelopeError, SignatureFormat};

/// The most bytes that are read: enough for the longest signatures, those of RSA keys, in lines.
pub(super) const LONGEST: usize = 3 * 1024;

/// Reports whether a content is base64 to its last byte. A signature's own bytes never are: DER has
/// bytes that base64 has not, and others are too long to have none by chance.
///
/// A longer text is not looked at: as bytes, it is too long for a signature.
pub(super) fn is(content: &[u8]) -> bool {
    let is_of_text = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\r' | b'\n')
    };
    content.len() <= LONGEST && content.iter().all(is_of_text) && decoded(content).is_some()
}

/// Opens the file.
pub(super) fn open(content: &[u8]) -> Result<Opened, EnvelopeError> {
    let refused = || EnvelopeError::Refused("it is no base64".into());
    let signature = decoded(content).ok_or_else(refused)?;
    Ok(Opened::bare(SignatureFormat::Base64, signature))
}

/// Decodes padded base64 whose lines may have ends, and nothing else between its characters.
fn decoded(content: &[u8]) -> Option<Vec<u8>> {
    let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let text: Cow<'_, [u8]> = if content.iter().any(is_end) {
        content
            .iter()
            .copied()
            .filter(|byte| !is_end(byte))
            .collect()
    } else {
        content.into()
    };
    let bytes = STANDARD.decode(text).ok()?;
    (!bytes.is_empty()).then_some(bytes)
}
