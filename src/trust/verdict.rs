//! The verdict on each artifact, and their summary.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use thiserror::Error;

use super::claimed::{ClaimedContent, ClaimedDigest, ClaimedVerdict};
use super::earlier::{Earlier, Seen};
use super::format::{EnvelopeError, Ignored, SignatureFormat};
use super::image::{Archive, ContentsFailure, Image, ImageFailure};
use super::image_notes::ImageNote;
use super::key::Key;
use super::listed::{Unlisted, UnsignedList};
use super::signature::{Signature, SignatureError};
use super::sniffed::Sniffed;
use super::terms::{Reason, Status};
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
    /// The signature file, if there is one; of a file that a signed list vouches for, or does not, the
    /// list.
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
    /// How the artifact compares with a checksum list, if neither has a signature. No verdict rests on
    /// it.
    pub(crate) unsigned_list: Option<Box<UnsignedList>>,
    /// A signature beside an artifact that fails without one, if only another program verifies it: a
    /// hint.
    pub(crate) foreign: Option<Box<SharedPath>>,
    /// The archive that holds the image, if no record of the run is on the archive itself.
    pub archive: Option<Archive>,
    /// The signature, if no trusted key made it over this artifact. It may match another (see
    /// `hints::notes`).
    pub(crate) unfit: Option<Box<Signature>>,
    /// The signatures of an image, each with what it is verified over, if no trusted key made one.
    pub(crate) strange: Option<Arc<[(Digest, Signature)]>>,
    /// The artifact's file as it was when it was hashed, if it is one regular file that did not change
    /// meanwhile; for [`Verdict::VerifiedEarlier`] as the earlier run saw it.
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

/// Wording of [`Verdict::Unreadable`] for an artifact that a defect of this program left unjudged.
pub const INTERNAL_ERROR: &str = "internal error, a defect of verify-signatures";

/// Wording of [`Verdict::Unreadable`] for an artifact that was to be read by direct I/O, which its
/// file system refuses.
pub const NO_DIRECT_IO: &str = "its file system does not support direct I/O";

/// A verdict. Only [`Verdict::Valid`], [`Verdict::Listed`], [`Verdict::NoImages`],
/// [`Verdict::VerifiedEarlier`], and [`Verdict::Unsigned`] and [`Verdict::NotEntered`] if allowed, pass.
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
    /// merged have it.
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

/// Number of artifacts and images with each verdict, and the run's cost.
///
/// ```no_run
/// # use verify_signatures::{Key, Verifier};
/// # fn of(key: Key) -> Result<(), Box<dyn std::error::Error>> {
/// let mut records = Verifier::new([key]).mirror(["/srv/mirror"])?;
/// records.by_ref().for_each(drop);
/// let summary = records.summary();
/// assert!(summary.is_complete() && summary.failures == 0 && summary.valid > 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// [`Verdict::Valid`].
    pub valid: u64,
    /// [`Verdict::Listed`].
    pub listed: u64,
    /// [`Verdict::Invalid`] and [`Verdict::Unlisted`].
    pub invalid: u64,
    /// [`Verdict::Missing`], [`Verdict::PartMissing`], and a listed file that is missing.
    pub missing: u64,
    /// [`Verdict::Unsigned`] and [`Verdict::NotEntered`], allowed or not.
    pub unsigned: u64,
    /// [`Verdict::Changed`].
    pub changed: u64,
    /// [`Verdict::Unreadable`].
    pub unreadable: u64,
    /// [`Verdict::NotRegular`].
    pub not_regular: u64,
    /// [`Verdict::VerifiedEarlier`].
    pub verified_earlier: u64,
    /// Images inside artifacts, which the numbers above leave out.
    pub images: ImageCounts,
    /// Records whose verdict does not pass.
    pub failures: u64,
    /// Records that an uninterrupted run would have. Those of images are expected once they are
    /// found.
    pub expected: u64,
    /// Whether the run ended before the number of records was known.
    pub unsurveyed: bool,
    /// Bytes hashed, counting each file once.
    pub bytes: u64,
    /// Wall-clock time of the run.
    pub elapsed: Duration,
}

/// Number of images with each verdict, and of artifacts whose contents have one.
///
/// ```no_run
/// # use verify_signatures::{Key, Verifier};
/// # fn of(key: Key) -> Result<(), Box<dyn std::error::Error>> {
/// let mut records = Verifier::new([key]).images().mirror(["/srv/mirror"])?;
/// records.by_ref().for_each(drop);
/// println!("{} images are signed", records.summary().images.valid);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageCounts {
    /// [`Status::Valid`].
    pub valid: u64,
    /// [`Status::Invalid`].
    pub invalid: u64,
    /// [`Status::Unsigned`].
    pub unsigned: u64,
    /// [`Status::Incomplete`].
    pub incomplete: u64,
    /// [`Status::Malformed`].
    pub malformed: u64,
    /// [`Status::TooLarge`].
    pub too_large: u64,
    /// [`Status::NoImages`].
    pub no_images: u64,
}

impl ImageCounts {
    /// Returns the place of a status; `None` for one that is given to files only.
    fn place(&mut self, status: Status) -> Option<&mut u64> {
        Some(match status {
            Status::Valid => &mut self.valid,
            Status::Invalid => &mut self.invalid,
            Status::Unsigned => &mut self.unsigned,
            Status::Incomplete => &mut self.incomplete,
            Status::Malformed => &mut self.malformed,
            Status::TooLarge => &mut self.too_large,
            Status::NoImages => &mut self.no_images,
            Status::Missing
            | Status::Changed
            | Status::Unreadable
            | Status::NotRegular
            | Status::Listed
            | Status::VerifiedEarlier => return None,
        })
    }

    /// Returns the number of records with a status.
    pub fn of(mut self, status: Status) -> u64 {
        self.place(status).map_or(0, |count| *count)
    }

    /// Returns the number of records.
    pub fn records(self) -> u64 {
        Status::ALL.map(|status| self.of(status)).iter().sum()
    }
}

impl Summary {
    /// Counts one record.
    pub(crate) fn count(&mut self, record: &Record) {
        let status = record.verdict.status();
        self.failures += u64::from(!record.verdict.passes());
        let count = match record.subject {
            Subject::Artifact(_) => self.place(status),
            Subject::Image(_) | Subject::Contents(_) => self.images.place(status),
        };
        // A verdict on an artifact is given to nothing else, and the other way round.
        if let Some(count) = count {
            *count += 1;
        }
    }

    /// Returns the place of an artifact's status; `None` for one that is given to images only.
    fn place(&mut self, status: Status) -> Option<&mut u64> {
        Some(match status {
            Status::Valid => &mut self.valid,
            Status::Listed => &mut self.listed,
            Status::Invalid => &mut self.invalid,
            Status::Unsigned => &mut self.unsigned,
            Status::Missing => &mut self.missing,
            Status::Changed => &mut self.changed,
            Status::Unreadable => &mut self.unreadable,
            Status::NotRegular => &mut self.not_regular,
            Status::VerifiedEarlier => &mut self.verified_earlier,
            Status::Incomplete | Status::Malformed | Status::TooLarge | Status::NoImages => {
                return None;
            }
        })
    }

    /// Returns the number of records with a status, on artifacts and images.
    pub fn of(&self, status: Status) -> u64 {
        let artifacts = self.clone().place(status).map_or(0, |count| *count);
        artifacts + self.images.of(status)
    }

    /// Returns the number of records counted so far.
    pub fn records(&self) -> u64 {
        Status::ALL.map(|status| self.of(status)).iter().sum()
    }

    /// Returns the number of valid signatures, of artifacts and of images.
    pub fn valid_in_all(&self) -> u64 {
        self.of(Status::Valid)
    }

    /// Returns the number of records that a trusted key vouches for: by a valid signature, by a signed
    /// list, or by a signature that was valid earlier, on a file unchanged since.
    pub(crate) fn covered(&self) -> u64 {
        self.valid_in_all() + self.listed + self.verified_earlier
    }

    /// Reports whether every expected record was counted.
    pub fn is_complete(&self) -> bool {
        // Fail closed: zero of zero is not complete if the expected number is unknown.
        !self.unsurveyed && self.records() == self.expected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsigned(allowed: bool) -> Verdict {
        let why = Unclaimed::NoSignature;
        Verdict::Unsigned { allowed, why }
    }

    /// Returns a verdict of each status that has no key in it, with a count for each.
    fn verdicts() -> [(Verdict, u64); 7] {
        let unreadable = Verdict::Unreadable {
            part: Part::Data,
            words: "Permission denied".to_owned(),
        };
        [
            (Verdict::Invalid(Invalid::NoKeyVerifies), 2),
            (unsigned(false), 3),
            (unsigned(true), 1),
            (Verdict::Missing, 5),
            (Verdict::Changed { part: Part::Data }, 6),
            (unreadable, 7),
            (Verdict::NotRegular { part: Part::Data }, 8),
        ]
    }

    #[test]
    fn a_summary_counts_each_verdict_under_its_status_and_what_does_not_pass_as_a_failure() {
        let mut summary = Summary::default();
        assert!(summary.is_complete());
        for (verdict, times) in verdicts() {
            let record = Record::unhashed("x".into(), None, verdict);
            (0..times).for_each(|_| summary.count(&record));
        }
        let counts = Status::ALL.map(|status| summary.of(status));
        assert_eq!(counts, [0, 0, 2, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0]);
        assert_eq!((summary.records(), summary.failures), (32, 31));
        assert!(!summary.is_complete());
        summary.expected = 32;
        assert!(summary.is_complete());
        summary.unsurveyed = true;
        assert!(!summary.is_complete());
    }
}
