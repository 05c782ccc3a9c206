//! A detached signature: the bytes of a `.sig.bin` file, or why they are none.

use p256::ecdsa;
use thiserror::Error;

/// The longest DER encoding of an ECDSA P-256 signature, in bytes (SEC 1, C.5: `ECDSA-Sig-Value`).
///
/// A two-byte SEQUENCE header, then two INTEGERs of a two-byte header, 32 bytes, and a zero byte where the first bit is set.
pub const MAX_BYTES: usize = 2 + 2 * (2 + 33);

/// An ECDSA P-256 signature whose `r` and `s` are in range, not yet verified over anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature(pub(super) ecdsa::Signature);

/// Why bytes are no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// There are no bytes.
    #[error("the signature file is empty")]
    Empty,
    /// There are more bytes than a signature can have.
    #[error(
        "the signature file is longer than the {MAX_BYTES} bytes that a P-256 signature has at most"
    )]
    TooLong,
    /// The bytes are not the DER of two integers in the range 1 to n − 1, and nothing else.
    #[error("the signature file is not a DER-encoded ECDSA P-256 signature")]
    NotDer,
}

impl Signature {
    /// Reads the whole content of a signature file: strict DER (X.690, clause 10), with nothing after it.
    ///
    /// # Errors
    /// Says what the bytes are instead of a signature.
    pub fn parse(bytes: &[u8]) -> Result<Signature, SignatureError> {
        match bytes.len() {
            0 => Err(SignatureError::Empty),
            // Fail closed: OpenSSL reads 72 bytes and ignores what follows, so that junk behind a
            // full-length signature passes there. Bytes that nobody signed do not pass here.
            n if n > MAX_BYTES => Err(SignatureError::TooLong),
            _ => ecdsa::Signature::from_der(bytes)
                .map(Signature)
                .map_err(|_| SignatureError::NotDer),
        }
    }
}
