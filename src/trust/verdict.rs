//! What was found out about each artifact, and the sum of it.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::key::Key;
use super::signature::{Signature, SignatureError};
use super::sniffed::Sniffed;
use super::terms::{Reason, Status};
use crate::digest::Digest;
use crate::files::SharedPath;

/// What a record speaks of.
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
}

/// One line of the result: one signature, or one thing that has none.
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
    /// What was judged.
    pub subject: Subject,
    /// The signature file, where there is one.
    pub signature: Option<SharedPath>,
    /// The judgement.
    pub verdict: Verdict,
    /// The SHA-256 of the artifact, where it was hashed to its end and stayed the same meanwhile.
    pub digest: Option<Digest>,
    /// The artifact's size in bytes, where it is known.
    pub size: Option<u64>,
    /// The files that the artifact was split into and read from, in their order; none where it is
    /// one file.
    pub parts: Arc<[SharedPath]>,
    /// What the artifact is a link to, where it was judged by the signature of that.
    pub link: Option<Arc<SharedPath>>,
    /// Another name of the same file, under which it was read, once for both.
    pub read_as: Option<Arc<SharedPath>>,
    /// From opening the artifact to its verdict.
    pub elapsed: Duration,
    /// What the artifact really is, where it fails and is not what its name says: a hint.
    pub sniffed: Option<Sniffed>,
    /// The signature itself, where no trusted key made it over this artifact. It may fit another
    /// (see `hints::notes`).
    pub(crate) unfit: Option<Box<Signature>>,
}

impl Record {
    /// The path of the artifact, or of the directory that could not be read, as reached from the
    /// argument.
    pub fn path(&self) -> &SharedPath {
        let Subject::Artifact(path) = &self.subject;
        path
    }

    /// A record on an artifact that was not hashed.
    pub(crate) fn unhashed(
        data: SharedPath,
        signature: Option<SharedPath>,
        verdict: Verdict,
    ) -> Record {
        Record {
            subject: Subject::Artifact(data),
            signature,
            verdict,
            digest: None,
            size: None,
            parts: Arc::default(),
            link: None,
            read_as: None,
            elapsed: Duration::ZERO,
            sniffed: None,
            unfit: None,
        }
    }
}

/// The words of [`Verdict::Unreadable`] for an artifact that a defect of this program kept from
/// being judged.
pub const INTERNAL_ERROR: &str = "internal error, a defect of verify-signatures";

/// A judgement. Only [`Verdict::Valid`], and [`Verdict::Unsigned`] and [`Verdict::NotEntered`]
/// where that was allowed, are no failure.
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
        /// The first of the trusted keys that does.
        key: Arc<Key>,
    },
    /// The signature is not one that a trusted key made over these bytes.
    Invalid(Invalid),
    /// There is a signature, and no file that it belongs to.
    Missing,
    /// There is a signature, and of the parts that its file was split into this one is not there.
    PartMissing(SharedPath),
    /// There is a file that needs a signature, and none that claims it.
    Unsigned {
        /// Whether the user accepts that (`--allow-unsigned`).
        allowed: bool,
        /// Why none claims it.
        why: Unclaimed,
    },
    /// It is a linked directory that was not entered, so that nothing in it was judged.
    NotEntered {
        /// Whether the user accepts that (`--allow-unsigned`).
        allowed: bool,
    },
    /// It was not the same after reading as before. A file's digest speaks of neither then, and of
    /// a directory an entry may be missing.
    Changed {
        /// Which of the things on disk.
        part: Part,
    },
    /// The system refused to read.
    Unreadable {
        /// What it refused to read.
        part: Part,
        /// The reason in the system's words, such as `Permission denied`, or `internal error`.
        words: String,
    },
    /// A name that should be a file is a directory, a FIFO, a socket or a device.
    NotRegular {
        /// Which of the two files.
        part: Part,
    },
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
    /// There is none for its name.
    NoSignature,
    /// It is an unfinished download or copy, or a file that a program keeps beside one.
    UnfinishedDownload,
    /// It is a second copy by its name, such as `x.zst.1` or `x.zst (1)`.
    SecondCopy,
    /// The query of a URL is still in its name.
    UrlQuery,
    /// Blanks or control characters follow the ending of its name.
    TrailingBlanks,
    /// It is a part of a split artifact that no signature claims.
    PartWithoutWhole,
    /// It is a link to an artifact that this signature file signs, which is not part of the run.
    SignedElsewhere(SharedPath),
}

/// Which of the things on disk a verdict complains of.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Invalid {
    /// The signature file holds no signature.
    #[error(transparent)]
    Malformed(#[from] SignatureError),
    /// It is a signature, but no trusted key verifies it over this digest.
    #[error("no trusted key made this signature over these bytes")]
    NoKeyVerifies,
}

impl Verdict {
    /// The class of the verdict, in a term that programs read.
    pub fn status(&self) -> Status {
        Status::of(self)
    }

    /// Why it is so, in a term that programs read.
    pub fn reason(&self) -> Reason {
        Reason::of(self)
    }

    /// Whether an artifact with this verdict may be used.
    pub fn passes(&self) -> bool {
        // Fail closed: what passes is listed; whatever verdict is added later fails until it is
        // listed too.
        matches!(
            self,
            Verdict::Valid { .. }
                | Verdict::Unsigned { allowed: true, .. }
                | Verdict::NotEntered { allowed: true }
        )
    }
}

/// How many artifacts got each verdict, and what it cost.
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
    /// [`Verdict::Invalid`].
    pub invalid: u64,
    /// [`Verdict::Missing`] and [`Verdict::PartMissing`].
    pub missing: u64,
    /// [`Verdict::Unsigned`] and [`Verdict::NotEntered`], allowed or not.
    pub unsigned: u64,
    /// [`Verdict::Changed`].
    pub changed: u64,
    /// [`Verdict::Unreadable`].
    pub unreadable: u64,
    /// [`Verdict::NotRegular`].
    pub not_regular: u64,
    /// Records whose verdict does not pass.
    pub failures: u64,
    /// Records that the run would have had, had nothing stopped it.
    pub expected: u64,
    /// Whether the run was ended before it was known what to expect.
    pub unsurveyed: bool,
    /// Bytes hashed, each file once.
    pub bytes: u64,
    /// Wall-clock time of the run.
    pub elapsed: Duration,
}

impl Summary {
    /// Adds one record's verdict.
    pub(crate) fn count(&mut self, verdict: &Verdict) {
        let class = match Status::of(verdict) {
            Status::Valid => &mut self.valid,
            Status::Invalid => &mut self.invalid,
            Status::Unsigned => &mut self.unsigned,
            Status::Missing => &mut self.missing,
            Status::Changed => &mut self.changed,
            Status::Unreadable => &mut self.unreadable,
            Status::NotRegular => &mut self.not_regular,
        };
        *class += 1;
        self.failures += u64::from(!verdict.passes());
    }

    /// The records with a status.
    pub fn of(&self, status: Status) -> u64 {
        match status {
            Status::Valid => self.valid,
            Status::Invalid => self.invalid,
            Status::Unsigned => self.unsigned,
            Status::Missing => self.missing,
            Status::Changed => self.changed,
            Status::Unreadable => self.unreadable,
            Status::NotRegular => self.not_regular,
        }
    }

    /// The records counted so far.
    pub fn records(&self) -> u64 {
        Status::ALL.map(|status| self.of(status)).iter().sum()
    }

    /// Whether every expected record was counted.
    pub fn is_complete(&self) -> bool {
        // Fail closed: nothing of nothing is not everything, where nobody knows how much there is.
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

    /// A verdict of each status that has no key in it, and how many of it.
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
            (0..times).for_each(|_| summary.count(&verdict));
        }
        let counts = Status::ALL.map(|status| summary.of(status));
        assert_eq!(counts, [0, 2, 4, 5, 6, 7, 8]);
        assert_eq!((summary.records(), summary.failures), (32, 31));
        assert!(!summary.is_complete());
        summary.expected = 32;
        assert!(summary.is_complete());
        summary.unsurveyed = true;
        assert!(!summary.is_complete());
    }
}
