//! Why a signature cannot be used, whoever made it.

use thiserror::Error;

use crate::text::json::JsonError;

/// The type of a payload about an image.
pub(crate) const PAYLOAD_TYPE: &str = "cosign container image signature";

/// Longest text of a document that is repeated in a reason, in characters.
const MAX_QUOTED: usize = 100;

/// Why a signature, or a part of one, cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Error)]
pub(crate) enum SigstoreError {
    /// A document has not the form that it should have.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A payload has an unknown member.
    #[error("unknown payload field {0:?}")]
    UnknownMember(Box<str>),
    /// A digest is not `sha256:` and 64 lower-case hexadecimal digits.
    #[error("{0:?} is not a SHA-256 in lower case")]
    Digest(Box<str>),
    /// A digest is of an algorithm that is not computed here.
    #[error("the digest that it declares is of the algorithm {0:?}, which is not computed here")]
    DigestAlgorithm(Box<str>),
    /// A text should be base64, and is not, or is too long or too short for what it stands for.
    #[error("{0:?} is invalid base64 or has the wrong length")]
    Base64(&'static str),
    /// The payload is of another type.
    #[error("the payload is of the type {0:?}, not {PAYLOAD_TYPE:?}")]
    PayloadType(Box<str>),
    /// The signature is of another algorithm, or damaged.
    #[error("the signature is not a DER-encoded ECDSA P-256 signature")]
    NotP256,
    /// A document is of a type, or a version, that is not known.
    #[error("the media type {0:?} is not known")]
    MediaType(Box<str>),
    /// There should be exactly one, and there are others or none.
    #[error("{key:?} has {count} items instead of one")]
    NotOne {
        /// The key.
        key: &'static str,
        /// Their number.
        count: usize,
    },
    /// Of members that exclude each other, exactly one should be there.
    #[error("exactly one of {0} is required")]
    Alternatives(&'static str),
    /// The envelope holds something other than a statement.
    #[error("the envelope holds {0:?}, not an in-toto statement")]
    PayloadMediaType(Box<str>),
    /// The statement is of another type.
    #[error("the statement is of the type {0:?}, which is not known")]
    StatementType(Box<str>),
    /// It is an attestation, and signs nothing.
    #[error("it is an attestation of {0:?}, not a signature")]
    Attestation(Box<str>),
    /// A statement has none, or more subjects than are judged.
    #[error("the statement has {0} subjects")]
    Subjects(usize),
    /// What should be a certificate is none: a public key, for example.
    #[error("what it has for a certificate is none")]
    NotACertificate,
    /// The public key that it names did not make the signature.
    #[error("it names a different public key than the one that made the signature")]
    OtherKey,
    /// An entry of the transparency log is of a kind, or a version, that is not known.
    #[error("its log entry is of the kind {0:?}, which is not known")]
    LogKind(Box<str>),
    /// An entry of the transparency log is about something else.
    #[error("its log entry has a different {0}")]
    LogDiffers(&'static str),
    /// A manifest has layers of a signature and others.
    #[error("it mixes signature layers with other layers")]
    MixedLayers,
    /// At least one line is not what `cosign download signature` prints.
    #[error("not all of its lines are signatures")]
    Line,
}

impl SigstoreError {
    pub(crate) fn digest(text: &str) -> SigstoreError {
        SigstoreError::Digest(quoted(text))
    }

    pub(crate) fn media_type(text: &str) -> SigstoreError {
        SigstoreError::MediaType(quoted(text))
    }
}

/// Returns the beginning of a text, which whoever wrote the document has chosen.
pub(crate) fn quoted(text: &str) -> Box<str> {
    text.chars().take(MAX_QUOTED).collect::<String>().into()
}
