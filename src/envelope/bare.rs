//! The signature's bytes and nothing else: `.sig.bin`, and `.sig` as `openssl dgst -sign` writes
//! it.

use super::Opened;
use crate::trust::format::{EnvelopeError, SignatureFormat};

/// Opens the file: its bytes are the signature's. What they are is for its parser to say.
#[expect(
    clippy::unnecessary_wraps,
    reason = "every format opens by the same type"
)]
pub(super) fn open(content: &[u8]) -> Result<Opened, EnvelopeError> {
    Ok(Opened::bare(SignatureFormat::Bare, content.to_vec()))
}
