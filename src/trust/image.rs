//! Images inside an artifact, as subjects of records, and how they fail.

use std::sync::Arc;

use thiserror::Error;

use crate::digest::Digest;
use crate::files::SharedPath;

/// An image inside a bundle, a saved image or a directory of images.
///
/// ```no_run
/// # use verify_signatures::{Key, Verifier};
/// # fn of(key: Key) -> Result<(), Box<dyn std::error::Error>> {
/// use verify_signatures::Subject;
///
/// for record in Verifier::new([key]).images().mirror(["/srv/mirror"])? {
///     if let Subject::Image(image) = &record.subject {
///         println!("{} in {}: {}", image.id, image.artifact, record.verdict.reason());
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Image {
    /// The bundle, saved image or directory that holds it, as reached from the argument.
    pub artifact: SharedPath,
    /// The name on its label. No image signature covers it.
    pub name: Option<Box<str>>,
    /// The digest that its entry names, `sha256:` and 64 hexadecimal digits: that of its index or
    /// manifest, or of its configuration where an archive keeps neither.
    pub id: Box<str>,
    /// Its platforms, in the order of its index.
    pub platforms: Arc<[Platform]>,
    /// The blobs that it consists of, if they were asked for.
    pub blobs: Vec<Blob>,
}

/// A platform that an image is made for.
///
/// ```
/// use verify_signatures::Platform;
///
/// let platform = Platform {
///     name: "linux/arm/v7".into(),
///     is_whole: true,
/// };
/// assert!(platform.name.starts_with("linux/"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Platform {
    /// Operating system, architecture and variant, such as `linux/arm/v7`.
    pub name: Box<str>,
    /// Whether its content is there, all of it. Otherwise it was left out, as is usual.
    pub is_whole: bool,
}

/// An archive that holds images, as a whole.
///
/// ```
/// use verify_signatures::{Archive, Digest};
///
/// let archive = Archive {
///     digest: Digest::of(b"abc"),
///     size: 3,
/// };
/// assert!(archive.digest.to_string().starts_with("ba7816bf"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Archive {
    /// The SHA-256 of its bytes, as hashed.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// A blob of an image.
///
/// ```
/// use verify_signatures::{Blob, Digest};
///
/// let blob = Blob {
///     digest: Digest::of(b"abc"),
///     size: 3,
/// };
/// assert!(blob.digest.to_string().starts_with("ba7816bf"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Blob {
    /// The SHA-256 of its bytes, as hashed.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// Why an image fails, regardless of who signed it.
///
/// ```
/// use verify_signatures::{ImageFailure, Verdict};
///
/// let verdict = Verdict::Image(ImageFailure::NoPlatform);
/// assert!(!verdict.passes());
/// assert_eq!(verdict.reason().name(), "no-platform");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ImageFailure {
    /// No member has the content that a document of the image demands.
    #[error("{0} is missing")]
    BlobMissing(Box<str>),
    /// A blob has another size than the document that names it says.
    #[error("{digest} has {actual} bytes instead of {promised}")]
    BlobSize {
        /// The blob's digest.
        digest: Box<str>,
        /// The size in the document.
        promised: u64,
        /// The size of the content.
        actual: u64,
    },
    /// A platform that was asked for is not there.
    #[error("platform {0} is missing")]
    PlatformMissing(Box<str>),
    /// No platform of the image is there as a whole.
    #[error("none of its platforms is complete")]
    NoPlatform,
    /// The layers of an archive are not those of the signed manifest.
    #[error("{0}")]
    LayersDiffer(Box<str>),
    /// A document breaks the rules that give it a meaning.
    #[error("{document}: {why}")]
    Malformed {
        /// The document's digest or name.
        document: Box<str>,
        /// The rule.
        why: Box<str>,
    },
    /// Another image of the same source has the same name.
    #[error("{0} has the same name")]
    NameTwice(Box<str>),
    /// It has more documents, or deeper ones, than are judged.
    #[error("{0}")]
    TooLarge(Box<str>),
}

/// Why the contents of an artifact cannot be judged, regardless of who signed it.
///
/// ```
/// use verify_signatures::{ContentsFailure, Verdict};
///
/// let verdict = Verdict::Contents(ContentsFailure::Damaged("the content is cut off".into()));
/// assert!(!verdict.passes());
/// assert_eq!(verdict.status().name(), "malformed");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ContentsFailure {
    /// The compressed data or the archive is damaged or ends early.
    #[error("{0}")]
    Damaged(Box<str>),
    /// The archive or a document in it could be read in more than one way, or reaches outside.
    #[error("{0}")]
    Refused(Box<str>),
    /// A blob's name is not its digest.
    #[error("{name}: its content has the digest {digest}")]
    Mislabelled {
        /// The member's path, as printed.
        name: Box<str>,
        /// The digest of its content.
        digest: Digest,
    },
    /// It needs more memory or more time than it may.
    #[error("{0}")]
    Limit(Box<str>),
}
