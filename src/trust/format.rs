//! The formats of signature files, and what keeps a signature in one of them from counting.

use thiserror::Error;

/// The format of a signature file. The list is closed: another format means another version of the
/// reports' schema.
///
/// ```
/// use verify_signatures::SignatureFormat;
///
/// assert_eq!(SignatureFormat::SigstoreBundle.name(), "sigstore-bundle");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureFormat {
    /// `bare`: the signature's bytes and nothing else.
    Bare,
    /// `base64`: their base64, as `cosign sign-blob` writes it.
    Base64,
    /// `sigstore-bundle`: a bundle of Sigstore, up to version 0.3.
    SigstoreBundle,
    /// `cosign-bundle`: the bundle of Cosign up to version 2.
    CosignBundle,
}

impl SignatureFormat {
    /// Every format.
    pub const ALL: [SignatureFormat; 4] = [
        SignatureFormat::Bare,
        SignatureFormat::Base64,
        SignatureFormat::SigstoreBundle,
        SignatureFormat::CosignBundle,
    ];

    /// Returns the format with this term.
    pub(crate) fn named(term: &str) -> Option<SignatureFormat> {
        let mut all = SignatureFormat::ALL.into_iter();
        all.find(|format| format.name() == term)
    }

    /// Returns the term, as in the member `format` of a report.
    pub fn name(self) -> &'static str {
        match self {
            SignatureFormat::Bare => "bare",
            SignatureFormat::Base64 => "base64",
            SignatureFormat::SigstoreBundle => "sigstore-bundle",
            SignatureFormat::CosignBundle => "cosign-bundle",
        }
    }
}

/// What a signature file has besides the signature that no verdict counts as evidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    /// A certificate.
    pub(crate) certificate: bool,
    /// A public key, or a hint at one.
    pub(crate) key: bool,
    /// Entries of a transparency log.
    pub(crate) log: bool,
    /// Signed timestamps.
    pub(crate) timestamps: bool,
}

/// Why a signature does not count, although its file is one of a known format.
///
/// ```
/// use verify_signatures::{EnvelopeError, Invalid, Verdict};
///
/// let verdict = Verdict::Invalid(Invalid::Envelope(EnvelopeError::Keyless));
/// assert_eq!(verdict.reason().name(), "signature-keyless");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The file is longer than any of its format that is read.
    #[error("the signature file is longer than the {longest} bytes that are read of such a file")]
    TooLong {
        /// The most bytes that are read.
        longest: usize,
    },
    /// Its rules are broken, or it needs what this program does not do.
    #[error("the signature file cannot be used: {0}")]
    Refused(Box<str>),
    /// It holds an attestation about the file: a signed statement, not a signature of the file.
    #[error("the signature file holds an attestation (dsseEnvelope), not a signature of the file")]
    Attestation,
    /// It declares another digest than the file has.
    #[error("the signature file declares another SHA-256 than the file has")]
    OtherDigest,
    /// Somebody signed with a short-lived certificate, and no trusted key made the signature.
    #[error(
        "no trusted key made this signature, and its certificate (keyless) cannot be judged here"
    )]
    Keyless,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_formats_are_those_that_the_reports_schema_lists() {
        let schema = include_str!("../../docs/report.schema.json");
        let schema: Value = serde_json::from_str(schema).unwrap();
        let file = &schema["$defs"]["artifact"]["properties"]["signature_file"];
        let listed = file["properties"]["format"]["enum"].as_array().unwrap();
        let listed: Vec<&str> = listed.iter().filter_map(Value::as_str).collect();
        assert_eq!(listed, SignatureFormat::ALL.map(SignatureFormat::name));
        for format in SignatureFormat::ALL {
            assert_eq!(SignatureFormat::named(format.name()), Some(format));
        }
    }
}
