//! The container of a signature: what a signature file is, before anything is verified with it.

use super::signature::SignatureError;

/// Returns the bytes of the signature that a signature file contains, at most `most` of them. The
/// one container is the bare signature itself. Of a longer file, its first
/// [`SNIFF_BYTES`](super::signature::SNIFF_BYTES) are enough.
///
/// # Errors
/// [`SignatureError::Empty`] and [`SignatureError::TooLong`].
pub(super) fn open(content: &[u8], most: usize) -> Result<&[u8], SignatureError> {
    match content.len() {
        0 => Err(SignatureError::Empty),
        length if length <= most => Ok(content),
        // Fail closed: OpenSSL reads 72 bytes and ignores the rest, so junk behind a signature of
        // full length passes there. Unsigned bytes do not pass here.
        _ => Err(SignatureError::TooLong),
    }
}
