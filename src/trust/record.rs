//! One result of a run: a verdict with what is known of its subject.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::claimed::{ClaimedContent, ClaimedDigest};
use super::earlier::Seen;
use super::format::{Ignored, SignatureFormat};
use super::image::{Archive, Image};
use super::image_notes::ImageNote;
use super::listed::UnsignedList;
use super::signature::Signature;
use super::sniffed::Sniffed;
use super::verdict::Verdict;
use crate::digest::Digest;
use crate::files::SharedPath;

/// The subject of a record.
///
/// ```no_run
/// # use verify_signatures::{Key, Verifier};
/// # fn of(key: Key) -> Result<(), Box<dyn std::error::Error>> {
/// use verify_signatures::Subject;
///
/// for record in Verifier::new([key]).mirror(["/srv/mirror"])? {
///     match &record.subject {
///         Subject::Artifact(path) => println!("{path}"),
///         // More kinds may come.
///         other => println!("{other:?}"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Subject {
    /// A file, by its path as reached from the argument. For [`Verdict::Unreadable`] it may be a
    /// directory.
    Artifact(SharedPath),
    /// An image inside an artifact.
    Image(Box<Image>),
    /// The contents of the artifact with this path, where they cannot be judged image by image.
    Contents(SharedPath),
}

/// One result: a signature, or an artifact or directory without one.
///
/// ```no_run
/// # use verify_signatures::{Key, Verifier};
/// # fn of(key: Key) -> Result<(), Box<dyn std::error::Error>> {
/// let record = Verifier::new([key]).file("x.iso", "x.iso.sig.bin");
/// if let (true, Some(digest)) = (record.verdict.passes(), record.digest) {
///     println!("{digest}  {}", record.path());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The subject of the verdict.
    pub subject: Subject,
    /// The signature file, if there is one; of a file that a signed list vouches for, or does not,
    /// the list.
    pub signature: Option<SharedPath>,
    /// The signature file as it was read, if it was.
    pub signature_file: Option<Box<SignatureFile>>,
    /// The verdict.
    pub verdict: Verdict,
    /// The SHA-256 of the artifact, if it was hashed to its end and did not change meanwhile.
    pub digest: Option<Digest>,
    /// The artifact's size in bytes, if known.
    pub size: Option<u64>,
    /// The files that the artifact was split into and read from, in order; empty if it is one file.
    pub parts: Arc<[SharedPath]>,
    /// The target, if the artifact is a link and was judged by its target's signature.
    pub link: Option<Arc<SharedPath>>,
    /// Another name of the same file, under which it was read once for both.
    pub read_as: Option<Arc<SharedPath>>,
    /// Time from opening the artifact to its verdict.
    pub elapsed: Duration,
    /// The kind of the artifact's content, if it fails and its name is misleading: a hint.
    pub sniffed: Option<Sniffed>,
    /// How the artifact compares with a checksum list, if neither has a signature. No verdict rests
    /// on it.
    pub(crate) unsigned_list: Option<Box<UnsignedList>>,
    /// A signature beside an artifact that fails without one, if only another program verifies it:
    /// a hint.
    pub(crate) foreign: Option<Box<SharedPath>>,
    /// The archive that holds the image, if no record of the run is on the archive itself.
    pub archive: Option<Archive>,
    /// The signature, if no trusted key made it over this artifact. It may match another (see
    /// `hints::notes`).
    pub(crate) unfit: Option<Box<Signature>>,
    /// The signatures of an image, each with what it is verified over, if no trusted key made one.
    pub(crate) strange: Option<Arc<[(Digest, Signature)]>>,
    /// The artifact's file as it was when it was hashed, if it is one regular file that did not
    /// change meanwhile; for [`Verdict::VerifiedEarlier`] as the earlier run saw it.
    pub(crate) seen: Option<Box<Seen>>,
    /// Notes on the images in the artifact, with the first of its records on them.
    pub(crate) image_notes: Option<Box<[ImageNote]>>,
}

impl Record {
    /// Returns the path of the artifact, or of the unreadable directory, as reached from the
    /// argument; for an image, that of the artifact that holds it.
    pub fn path(&self) -> &SharedPath {
        match &self.subject {
            Subject::Artifact(path) | Subject::Contents(path) => path,
            Subject::Image(image) => &image.artifact,
        }
    }

    /// Returns the SHA-256 of the artifact: of this run, or what another run claims.
    pub(crate) fn sha256(&self) -> Option<ClaimedDigest> {
        match &self.verdict {
            Verdict::Claimed(claimed) => claimed.sha256,
            Verdict::VerifiedEarlier(earlier) => Some(earlier.content),
            _ => self.digest.map(ClaimedDigest::from),
        }
    }

    /// Returns what is known of the signature file, if it was read.
    pub(crate) fn signature_content(&self) -> Option<ClaimedContent> {
        match &self.verdict {
            Verdict::Claimed(claimed) => claimed.signature_file,
            _ => self.signature_file.as_deref().map(|file| ClaimedContent {
                sha256: file.digest.map(ClaimedDigest::from),
                size: Some(file.size),
                modified: file.modified,
                format: file.format,
            }),
        }
    }

    /// Returns what is known of the archive that holds the image, if no record is on the archive.
    pub(crate) fn archive_content(&self) -> Option<ClaimedContent> {
        match &self.verdict {
            Verdict::Claimed(claimed) => claimed.inside.as_ref()?.archive,
            _ => self.archive.map(|archive| ClaimedContent {
                sha256: Some(archive.digest.into()),
                size: Some(archive.size),
                ..ClaimedContent::default()
            }),
        }
    }

    /// Returns the blobs of the image, each with its size.
    pub(crate) fn blobs(&self) -> Vec<(ClaimedDigest, u64)> {
        match (&self.verdict, &self.subject) {
            (Verdict::Claimed(claimed), _) => {
                let inside = claimed.inside.as_ref();
                inside.map_or_else(Vec::new, |inside| inside.blobs.clone())
            }
            (_, Subject::Image(image)) => {
                let blobs = image.blobs.iter();
                blobs.map(|blob| (blob.digest.into(), blob.size)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns a record for an artifact that was not hashed.
    pub(crate) fn unhashed(
        data: SharedPath,
        signature: Option<SharedPath>,
        verdict: Verdict,
    ) -> Record {
        Record {
            signature,
            ..Record::on(Subject::Artifact(data), verdict)
        }
    }

    /// Returns a record of a verdict on something that was not hashed by itself.
    pub(crate) fn on(subject: Subject, verdict: Verdict) -> Record {
        Record {
            subject,
            signature: None,
            signature_file: None,
            verdict,
            digest: None,
            size: None,
            parts: Arc::default(),
            link: None,
            read_as: None,
            elapsed: Duration::ZERO,
            sniffed: None,
            foreign: None,
            unfit: None,
            unsigned_list: None,
            strange: None,
            archive: None,
            seen: None,
            image_notes: None,
        }
    }
}

/// A signature file as it was read: evidence for later, which no verdict rests on.
///
/// ```no_run
/// # use verify_signatures::{Key, Verifier};
/// # fn of(key: Key) -> Result<(), Box<dyn std::error::Error>> {
/// let record = Verifier::new([key]).file("x.iso", "x.iso.sig.bin");
/// if let Some(digest) = record.signature_file.and_then(|file| file.digest) {
///     println!("{digest}  x.iso.sig.bin");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignatureFile {
    /// Its SHA-256, unless it is longer than any signature and was not read to its end.
    pub digest: Option<Digest>,
    /// Its size in bytes.
    pub size: u64,
    /// When its content was last modified; unknown for a pipe.
    pub modified: Option<SystemTime>,
    /// Its format, if a signature was found in it.
    pub format: Option<SignatureFormat>,
    /// What it has besides that no verdict counts.
    pub(crate) ignored: Ignored,
}
