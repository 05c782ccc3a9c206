//! The verdict on one subject, and why.

use std::sync::Arc;

use thiserror::Error;

use super::claimed::{ClaimedDigest, ClaimedVerdict};
use super::earlier::Earlier;
use super::format::EnvelopeError;
use super::image::{ContentsFailure, ImageFailure};
use super::key::Key;
use super::listed::Unlisted;
use super::signature::SignatureError;
use super::terms::{Reason, Status};
use crate::files::SharedPath;

/// Wording of [`Verdict::Unreadable`] for an artifact that a defect of this program left unjudged.
pub const INTERNAL_ERROR: &str = "internal error, a defect of verify-signatures";

/// Wording of [`Verdict::Unreadable`] for an artifact that was to be read by direct I/O, which its
/// file system refuses.
pub const NO_DIRECT_IO: &str = "its file system does not support direct I/O";

/// A verdict. Only [`Verdict::Valid`], [`Verdict::Listed`], [`Verdict::NoImages`],
/// [`Verdict::VerifiedEarlier`], and [`Verdict::Unsigned`] and [`Verdict::NotEntered`] if allowed,
/// pass.
///
/// ```
/// use verify_signatures::{Part, Verdict};
///
/// assert!(!Verdict::Missing.passes());
/// assert!(!Verdict::Changed { part: Part::Data }.passes());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// A trusted key verifies the signature over the artifact's bytes.
    Valid {
        /// The first trusted key that verifies it.
        key: Arc<Key>,
    },
    /// A checksum list that a trusted key signed names the file, with the digest of its content.
    Listed {
        /// The trusted key that verifies the list's signature.
        key: Arc<Key>,
    },
    /// A list that a trusted key signed does not vouch for this file, or cannot be used as a list.
    Unlisted(Unlisted),
    /// No trusted key made the signature over these bytes.
    Invalid(Invalid),
    /// There is a signature, but the file that it belongs to does not exist.
    Missing,
    /// There is a signature, but this part of its split file does not exist.
    PartMissing(SharedPath),
    /// A file needs a signature, and none claims it.
    Unsigned {
        /// Whether the user accepts that (`--allow-unsigned`).
        allowed: bool,
        /// Why none claims it.
        why: Unclaimed,
    },
    /// A linked directory that was not entered, so nothing in it was judged.
    NotEntered {
        /// Whether the user accepts that (`--allow-unsigned`).
        allowed: bool,
    },
    /// It changed while it was read. A file's digest then describes neither version, and a
    /// directory may lack an entry.
    Changed {
        /// What changed.
        part: Part,
    },
    /// The system refused to read.
    Unreadable {
        /// What it refused to read.
        part: Part,
        /// The system's error message, such as `Permission denied`, or `internal error`.
        words: String,
    },
    /// A directory, a FIFO, a socket or a device stands where a file should be.
    NotRegular {
        /// Which of the two files.
        part: Part,
    },
    /// An image that is not whole, or not what it says.
    Image(ImageFailure),
    /// The contents of an artifact cannot be judged.
    Contents(ContentsFailure),
    /// A saved image, or an archive that could be one, with no image in it.
    NoImages,
    /// An earlier run found it valid, and the user accepts that while nothing has changed as far as
    /// the file system says (`--max-age`, `--resume`). It was not read.
    VerifiedEarlier(Box<Earlier>),
    /// What the report of another run claims. No verification has this verdict: reports that are
    /// merged have it, which the library does not do.
    #[doc(hidden)]
    Claimed(Box<ClaimedVerdict>),
}

/// Why no signature claims a file that needs one.
///
/// ```
/// use verify_signatures::{Unclaimed, Verdict};
///
/// let why = Unclaimed::UnfinishedDownload;
/// assert!(!Verdict::Unsigned { allowed: false, why }.passes());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Unclaimed {
    /// There is no signature for its name.
    NoSignature,
    /// There is none, and the user named it as a checksum list (`--list`).
    NamedList,
    /// An unfinished download or copy, or a file that a program keeps beside one.
    UnfinishedDownload,
    /// A second copy, judging by its name, such as `x.zst.1` or `x.zst (1)`.
    SecondCopy,
    /// Its name still contains the query of a URL.
    UrlQuery,
    /// Blanks or control characters follow the ending of its name.
    TrailingBlanks,
    /// A part of a split artifact that no signature claims.
    PartWithoutWhole,
    /// A directory in which an object store keeps the versions of an artifact or of a signature.
    ObjectVersions,
    /// A link to an artifact whose signature is this file, which is not part of the run.
    SignedElsewhere(SharedPath),
    /// An image with signatures, none of which a trusted key made.
    OtherSigner,
    /// An image whose only signatures were made with short-lived certificates ("keyless"), which
    /// cannot be judged without the network.
    Keyless,
}

/// The file or directory that a verdict is about.
///
/// ```
/// use verify_signatures::{Part, Verdict};
///
/// let verdict = Verdict::NotRegular { part: Part::Signature };
/// assert_eq!(verdict.reason().name(), "signature-not-regular");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The artifact.
    Data,
    /// Its signature file.
    Signature,
    /// A directory of the tree.
    Directory,
}

/// Why a signature is not valid.
///
/// ```
/// use verify_signatures::{Invalid, SignatureError, Verdict};
///
/// let verdict = Verdict::Invalid(Invalid::Malformed(SignatureError::Empty));
/// assert_eq!(verdict.reason().name(), "signature-empty");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Invalid {
    /// The signature file holds no signature.
    #[error(transparent)]
    Malformed(#[from] SignatureError),
    /// The signature file has a known format, in which the signature does not count.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// A well-formed signature, but no trusted key verifies it over this digest.
    #[error("no trusted key made this signature over these bytes")]
    NoKeyVerifies,
}

impl Verdict {
    /// Returns the status, as a machine-readable term.
    pub fn status(&self) -> Status {
        Status::of(self)
    }

    /// Returns the reason, as a machine-readable term.
    pub fn reason(&self) -> Reason {
        Reason::of(self)
    }

    /// Returns the fingerprint of the trusted key by which it is valid, or listed.
    pub(crate) fn valid_by(&self) -> Option<ClaimedDigest> {
        self.key().filter(|_| self.status().is_verified())
    }

    /// Reports whether an artifact with this verdict may be used.
    pub fn passes(&self) -> bool {
        // Fail closed: passing verdicts are listed; a verdict added later fails until it is listed
        // too.
        match self {
            Verdict::Valid { .. }
            | Verdict::Listed { .. }
            | Verdict::NoImages
            | Verdict::VerifiedEarlier(_)
            | Verdict::Unsigned { allowed: true, .. }
            | Verdict::NotEntered { allowed: true } => true,
            Verdict::Claimed(claimed) => claimed.passes,
            _ => false,
        }
    }

    /// Returns the trusted key of this run that verified the signature, its own or that of a
    /// list, now or earlier.
    pub(crate) fn trusted_key(&self) -> Option<&Arc<Key>> {
        match self {
            Verdict::Valid { key } | Verdict::Listed { key } => Some(key),
            Verdict::VerifiedEarlier(earlier) => Some(&earlier.key),
            _ => None,
        }
    }

    /// Returns the fingerprint of the trusted key that verified the signature, its own or that of a
    /// list, now or earlier.
    pub(crate) fn key(&self) -> Option<ClaimedDigest> {
        match self {
            Verdict::Valid { key } | Verdict::Listed { key } => Some((*key.fingerprint()).into()),
            Verdict::VerifiedEarlier(earlier) => Some((*earlier.key.fingerprint()).into()),
            Verdict::Claimed(claimed) => claimed.key,
            _ => None,
        }
    }
}
