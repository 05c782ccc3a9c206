//! An opened envelope: the signature's bytes, and what the envelope demands of a verdict.

use crate::digest::{Algorithms, Digests};
use crate::sigstore::log::Over;
use crate::sigstore::{Parts, SigstoreError};
use crate::trust::claimed::ClaimedDigest;
use crate::trust::format::{EnvelopeError, Ignored, SignatureFormat};
use crate::trust::listed::Sum;
use crate::trust::verdict::{Invalid, Verdict};

/// What a signature file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Its format.
    pub format: SignatureFormat,
    /// What it has that no verdict counts as evidence.
    pub ignored: Ignored,
    /// The digest that it declares of the signed file, if it does.
    pub(super) declared: Option<Sum>,
    /// The SHA-256 of the DER of the public key that it names, if it names one.
    pub(super) named_key: Option<ClaimedDigest>,
    pub(super) parts: Parts,
}

impl Opened {
    /// Returns an envelope with a signature and nothing else.
    pub(super) fn bare(format: SignatureFormat, signature: Vec<u8>) -> Opened {
        Opened {
            format,
            ignored: Ignored::default(),
            declared: None,
            named_key: None,
            parts: Parts {
                signature,
                certificate: None,
                entries: Vec::new(),
            },
        }
    }

    /// Returns the signature's bytes, not parsed.
    pub fn signature(&self) -> &[u8] {
        &self.parts.signature
    }

    /// Reports whether it is a bundle, in which the signature is one member of several.
    pub fn is_bundle(&self) -> bool {
        matches!(
            self.format,
            SignatureFormat::SigstoreBundle | SignatureFormat::CosignBundle
        )
    }

    /// Reports whether it has a certificate, whose key no verdict counts.
    pub fn has_certificate(&self) -> bool {
        self.parts.certificate.is_some()
    }

    /// Returns the hash function that the digest it declares needs beside SHA-256.
    pub fn algorithms(&self) -> Algorithms {
        let declared = self.declared.as_ref();
        declared.map_or(Algorithms::NONE, |sum| sum.algorithm().into())
    }

    /// Returns the verdict on a file with these digests, where `judged` is the verdict of the
    /// trusted keys on the signature. Only ever makes it worse: what an envelope says can keep a
    /// signature from counting, and never makes one count.
    ///
    /// A signature by a trusted key counts with a certificate beside it, too, as with Cosign:
    /// whoever names a key is asked about that key, not about certificates.
    pub fn restrict(&self, digests: &Digests, judged: Verdict) -> Verdict {
        let ours = ClaimedDigest::from(*digests.sha256());
        // Fail closed: regardless of the keys, a bundle for another file is another file's.
        let is_ours = |declared: &Sum| declared.is_of(digests);
        if !self.declared.as_ref().is_none_or(is_ours) {
            return invalid(EnvelopeError::OtherDigest);
        }
        let over = Over {
            bytes: ours,
            statement: None,
        };
        let logged = match self.parts.logged_key(&over) {
            Ok(logged) => logged,
            Err(why) => return invalid(refused(&why)),
        };
        match judged {
            // Fail closed: what names another key is about another signature.
            Verdict::Valid { key } if !logged.is_none_or(|named| key.is_named_by(&named)) => {
                invalid(refused(&SigstoreError::LogDiffers("key")))
            }
            Verdict::Valid { key }
                if !(self.named_key).is_none_or(|named| key.is_named_by(&named)) =>
            {
                invalid(refused(&SigstoreError::OtherKey))
            }
            Verdict::Invalid(Invalid::NoKeyVerifies) if self.has_certificate() => {
                invalid(EnvelopeError::Keyless)
            }
            judged => judged,
        }
    }
}

fn invalid(why: EnvelopeError) -> Verdict {
    Verdict::Invalid(Invalid::Envelope(why))
}

/// Returns the error of an envelope that breaks a rule.
pub(super) fn refused(why: &SigstoreError) -> EnvelopeError {
    EnvelopeError::Refused(why.to_string().into())
}
