//! Why a key file holds no public key.

use thiserror::Error;

use super::MAX_FILE_BYTES;
use super::algorithm::RSA_SIZES;

/// What a key file holds instead of one public key.
///
/// ```
/// use verify_signatures::{Key, KeyError};
///
/// let error = Key::parse("vendor.pem", b"").unwrap_err();
/// assert_eq!(error, KeyError::Empty);
/// assert_eq!(error.to_string(), "the file is empty; a public key is needed: ECDSA, RSA or Ed25519");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The file is empty.
    #[error("the file is empty; a public key is needed: ECDSA, RSA or Ed25519")]
    Empty,
    /// The file is longer than 64 KiB.
    #[error("more than {} KiB, too long for a key; a public key is needed: ECDSA, RSA or Ed25519", MAX_FILE_BYTES / 1024)]
    TooLong,
    /// A private key in any format.
    #[error(
        "a private key; the public key is needed, and the private one should not be here at all"
    )]
    PrivateKey,
    /// An X.509 certificate.
    #[error("a certificate; the public key inside it is needed")]
    Certificate,
    /// An RSA public key of a size that is not accepted.
    #[error("RSA {bits}; RSA keys have {} to {} bits here", RSA_SIZES.start(), RSA_SIZES.end())]
    Rsa {
        /// The length of the modulus in bits.
        bits: usize,
    },
    /// An RSA public key without a SubjectPublicKeyInfo around it (RFC 8017, A.1.1).
    #[error("an RSA public key as PKCS #1; it is needed as a `PUBLIC KEY` (SubjectPublicKeyInfo)")]
    Pkcs1,
    /// The numbers of an RSA key cannot be those of one.
    #[error("its modulus and exponent are not those of an RSA key, so it is damaged or forged")]
    BadRsa,
    /// Parameters that are not those of the key's algorithm, or that are not supported.
    #[error("its parameters are not those of a key of the algorithm {0}")]
    Parameters(&'static str),
    /// A key for signatures over another hash.
    #[error("a key for signatures over {0}; SHA-256, SHA-384 or SHA-512 is needed")]
    OtherHash(String),
    /// An elliptic-curve key on another curve.
    #[error("a key on the curve {0}; one on P-256, P-384 or P-521 is needed")]
    OtherCurve(String),
    /// An elliptic-curve key with explicit curve parameters instead of a named curve, which RFC
    /// 5480, 2.1.1 forbids.
    #[error("a key with explicit curve parameters; one that names the curve P-256 is needed")]
    ExplicitCurve,
    /// A public key of another algorithm.
    #[error("a key of the algorithm {0}; one of ECDSA, RSA or Ed25519 is needed")]
    OtherAlgorithm(String),
    /// A key whose signatures the validated module of this build does not verify as one of its
    /// approved services.
    #[error(
        "a key of the algorithm {0}, whose signatures the validated module of this build does not verify"
    )]
    NotInModule(String),
    /// The coordinates are not a point on the curve.
    #[error("its point is not on the curve {0}, so the key is damaged or forged")]
    NotOnCurve(&'static str),
    /// The point is encoded in a form that RFC 5480, 2.2 does not define.
    #[error("its point is neither compressed nor uncompressed")]
    OtherForm,
    /// A PEM block of another type.
    #[error("a PEM block `{0}`; a `PUBLIC KEY` is needed")]
    OtherBlock(String),
    /// More than one PEM block.
    #[error("{0} PEM blocks in one file")]
    Several(usize),
    /// A line in the format of `~/.ssh/*.pub`.
    #[error("an OpenSSH public key; it is needed as PEM")]
    OpenSsh,
    /// A PEM block that cannot be decoded.
    #[error("its PEM block is damaged; a public key is needed: ECDSA, RSA or Ed25519")]
    DamagedPem,
    /// No recognized format.
    #[error("neither PEM nor DER of a public key; a public key is needed: ECDSA, RSA or Ed25519")]
    NotAKey,
}
