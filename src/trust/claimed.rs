//! What somebody claims: digests in a baseline or in a list, verdicts in a report.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::format::SignatureFormat;
use super::key::Key;
use super::terms::{Reason, Status};
use crate::digest::Digest;
use crate::text::hex::from_hex;

/// A SHA-256 that was read, not made by hashing. It is compared with others; no signature is
/// verified with it, since that takes a [`Digest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimedDigest([u8; 32]);

impl ClaimedDigest {
    /// Reads 64 hexadecimal digits of either case.
    pub(crate) fn parse(text: &str) -> Option<ClaimedDigest> {
        let bytes = from_hex(text.as_bytes())?;
        bytes.try_into().ok().map(ClaimedDigest)
    }

    /// Returns the digest with its algorithm in front (OCI image specification, descriptor.md).
    pub(crate) fn with_algorithm(&self) -> Box<str> {
        format!("sha256:{self}").into()
    }
}

/// Prints 64 lower-case hexadecimal digits, as [`Digest`] does.
impl fmt::Display for ClaimedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What was hashed may be claimed; not the other way round.
impl From<Digest> for ClaimedDigest {
    fn from(digest: Digest) -> ClaimedDigest {
        ClaimedDigest(*digest.as_bytes())
    }
}

impl From<[u8; 32]> for ClaimedDigest {
    fn from(bytes: [u8; 32]) -> ClaimedDigest {
        ClaimedDigest(bytes)
    }
}

/// A key, as a report names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyName {
    /// The name of its file.
    pub(crate) name: String,
    /// The SHA-256 of its DER (SubjectPublicKeyInfo).
    pub(crate) fingerprint: ClaimedDigest,
}

impl From<&Key> for KeyName {
    fn from(key: &Key) -> KeyName {
        KeyName {
            name: key.name().to_owned(),
            fingerprint: (*key.fingerprint()).into(),
        }
    }
}

/// What is known of a file or an archive besides its name. What is not known is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClaimedContent {
    pub(crate) sha256: Option<ClaimedDigest>,
    /// In bytes.
    pub(crate) size: Option<u64>,
    /// When it was last modified.
    pub(crate) modified: Option<SystemTime>,
    /// The format of a signature file.
    pub(crate) format: Option<SignatureFormat>,
}

/// A verdict that was read from a report, with what the report says of it. It was reached by
/// another run; nothing was verified for it here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedVerdict {
    pub(crate) status: Status,
    pub(crate) reason: Reason,
    pub(crate) passes: bool,
    /// What its line says after the path.
    pub(crate) line: Arc<str>,
    /// The reason in words.
    pub(crate) why: ClaimedWhy,
    /// What to do, if it does not pass.
    pub(crate) remedy: Option<Arc<str>>,
    /// The SHA-256 of the artifact, if it was hashed.
    pub(crate) sha256: Option<ClaimedDigest>,
    /// The fingerprint of the key that verified it.
    pub(crate) key: Option<ClaimedDigest>,
    /// The signature file, if it was read.
    pub(crate) signature_file: Option<ClaimedContent>,
    /// What only records of images have.
    pub(crate) inside: Option<Box<ClaimedInside>>,
}

/// A reason in words. Nearly all begin with the name of the signature, and go on as many others do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedWhy {
    /// Whether the name of the signature comes before the text.
    pub(crate) follows_signature: bool,
    pub(crate) text: Arc<str>,
}

/// What only records of images have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimedInside {
    /// The archive that holds the image, if no record is on the archive itself.
    pub(crate) archive: Option<ClaimedContent>,
    /// The blobs of the image, if they were asked for, each with its size.
    pub(crate) blobs: Vec<(ClaimedDigest, u64)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_of_what_was_hashed_equals_it() {
        let digest = Digest::of(b"abc");
        let claimed = ClaimedDigest::parse(&digest.to_string());
        assert_eq!(claimed, Some(digest.into()));
        assert_eq!(claimed, Some(ClaimedDigest::from(*digest.as_bytes())));
        let printed = ClaimedDigest::from(digest).to_string();
        assert_eq!(printed, digest.to_string());
        assert_eq!(ClaimedDigest::parse("ab"), None);
    }
}
