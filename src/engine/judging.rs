//! What becomes of one name of a file: the signature that waits for a digest, and finally the
//! record.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rustix::io::Errno;

use super::{Claim, Offer, Settings, Task};
use crate::content::{self, Input, ReadError, Stamp};
use crate::digest::{Digest, Digests, Wanted};
use crate::hints;
use crate::text::os_error;
use crate::trust;
use crate::trust::earlier::{Earlier, Found, Seen};
use crate::trust::signature::{MAX_BYTES, SNIFF_BYTES, Signature, SignatureError};
use crate::trust::verdict::{INTERNAL_ERROR, Invalid, Part, Record, SignatureFile, Verdict};

/// What its signature file was, if it was read.
type Signed = Option<Box<SignatureFile>>;

/// What a name of a file waits for during hashing.
pub(super) enum Pending {
    /// Judging its signature.
    Judgement(Signature, Signed),
    /// Only the digest: it has no signature, and this is its verdict.
    Digest(Verdict),
    /// Nothing: its verdict is known, regardless of the digest.
    Nothing(Verdict, Signed),
    /// Nothing: it was verified earlier, and is as it was then.
    Covered(Box<Earlier>, Seen, Signed),
    /// The images in it, which are judged elsewhere.
    Images,
}

impl Pending {
    pub(super) fn of(task: &Task) -> Pending {
        match &task.claim {
            Claim::Unsigned(verdict) => Pending::Digest((**verdict).clone()),
            Claim::SavedImage | Claim::ImageDirectory => Pending::Images,
            Claim::Signed(path) => Pending::signature(read_signature(&path.to_path_buf())),
            Claim::Named(named) => Pending::signature(match &named.content {
                Some(content) => Ok((content.clone(), evidence(content, None))),
                None => read_signature(&named.signature.to_path_buf()),
            }),
        }
    }

    fn signature(read: Result<(Vec<u8>, SignatureFile), Verdict>) -> Pending {
        match read {
            Err(verdict) => Pending::Nothing(verdict, None),
            Ok((bytes, file)) => {
                let file = Some(Box::new(file));
                match parse(&bytes) {
                    Ok(signature) => Pending::Judgement(signature, file),
                    Err(verdict) => Pending::Nothing(verdict, file),
                }
            }
        }
    }

    /// Returns the same, to pass without being read if an earlier run's evidence holds; `None` if it
    /// must be read.
    pub(super) fn covered(
        &self,
        task: &Task,
        content: &Input,
        settings: &Settings,
    ) -> Option<Pending> {
        let file = match self {
            Pending::Judgement(_, file) => file,
            Pending::Nothing(verdict, file) => {
                return Some(Pending::Nothing(verdict.clone(), file.clone()));
            }
            Pending::Digest(_) | Pending::Covered(..) | Pending::Images => return None,
        };
        // Fail closed: only one regular file with a signature file has stamps that say something.
        let is_plain = matches!(task.claim, Claim::Signed(_)) && task.parts.is_empty();
        let Offer { evidence, terms } = task.earlier.as_deref().filter(|_| is_plain)?;
        let found = Found {
            stamp: *content.lasting_stamp()?,
            signature: file.as_ref()?.digest?,
            keys: &settings.keys,
        };
        let earlier = evidence.holds(*terms, found).ok()?;
        // Fail closed: the name must lead to the file that was opened.
        let is_there = content.is_unchanged(&task.data.to_path_buf());
        let covered = Pending::Covered(Box::new(earlier), evidence.seen, file.clone());
        is_there.then_some(covered)
    }

    /// Returns what must be computed of the file beside its SHA-256.
    pub(super) fn wanted(&self) -> Wanted {
        match self {
            // P-256 signs SHA-256.
            Pending::Judgement(..)
            | Pending::Digest(_)
            | Pending::Nothing(..)
            | Pending::Covered(..)
            | Pending::Images => Wanted::default(),
        }
    }

    /// Judges a name of a file; `None` if its images are judged instead.
    pub(super) fn judged(
        &self,
        task: &Task,
        digests: Result<Digests, Verdict>,
        settings: &Settings,
        started: Instant,
    ) -> Option<Record> {
        let (verdict, digest) = match (self, digests) {
            (Pending::Images, Ok(_)) => return None,
            (Pending::Images, Err(failure)) => (failure, None),
            (Pending::Nothing(known, _) | Pending::Digest(known), digests) => {
                (known.clone(), digests.ok().map(|digests| *digests.sha256()))
            }
            (Pending::Covered(earlier, ..), _) => (Verdict::VerifiedEarlier(earlier.clone()), None),
            (Pending::Judgement(..), Err(failure)) => (failure, None),
            (Pending::Judgement(signature, _), Ok(digests)) => {
                let verdict = trust::judge(&settings.keys, &digests, signature);
                (verdict, Some(*digests.sha256()))
            }
        };
        let unfit = match (self, &verdict) {
            (Pending::Judgement(signature, _), Verdict::Invalid(_)) => {
                Some(Box::new(signature.clone()))
            }
            _ => None,
        };
        let signature_file = match self {
            Pending::Judgement(_, file)
            | Pending::Nothing(_, file)
            | Pending::Covered(_, _, file) => file.clone(),
            Pending::Digest(_) | Pending::Images => None,
        };
        Some(Record {
            signature_file,
            digest,
            unfit,
            seen: match self {
                Pending::Covered(_, seen, _) => Some(Box::new(*seen)),
                _ => None,
            },
            ..record(task, verdict, started)
        })
    }
}

/// The verdict on an artifact that changed while it was read.
pub(super) const CHANGED: Verdict = Verdict::Changed { part: Part::Data };

/// Returns the verdict on a name that cannot be opened. The verdict on an artifact without a
/// signature does not depend on its content.
pub(super) fn unopened(task: &Task, error: ReadError) -> Verdict {
    match &task.claim {
        Claim::Signed(_) | Claim::Named(_) | Claim::SavedImage | Claim::ImageDirectory => {
            of_error(error)
        }
        Claim::Unsigned(verdict) => (**verdict).clone(),
    }
}

/// Returns the bytes of a signature file, or enough of a longer one to show that it is none.
fn read_signature(path: &Path) -> Result<(Vec<u8>, SignatureFile), Verdict> {
    signature_bytes(path).map_err(|error| match error {
        ReadError::NotRegular => Verdict::NotRegular {
            part: Part::Signature,
        },
        ReadError::Io(error) => unreadable(Part::Signature, &error),
        // Fail closed: the signature existed during the walk. Calling the artifact unsigned would
        // let it pass under --allow-unsigned.
        ReadError::Missing | ReadError::Changed => {
            unreadable(Part::Signature, &Errno::NOENT.into())
        }
    })
}

fn parse(bytes: &[u8]) -> Result<Signature, Verdict> {
    Signature::parse(bytes).map_err(|error| {
        // It is invalid, regardless of what it resembles.
        let instead = hints::signature::sniff(bytes).map(SignatureError::Instead);
        Verdict::Invalid(Invalid::Malformed(instead.unwrap_or(error)))
    })
}

/// Returns the signature in a file, if there is one. No verdict rests on it.
pub fn signature_in(path: &Path) -> Option<Signature> {
    let (bytes, _) = read_signature(path).ok()?;
    parse(&bytes).ok()
}

fn signature_bytes(path: &Path) -> Result<(Vec<u8>, SignatureFile), ReadError> {
    let (file, stamp) = content::open_regular(path)?;
    let mut bytes = Vec::with_capacity(MAX_BYTES + 1);
    file.take(SNIFF_BYTES as u64).read_to_end(&mut bytes)?;
    let evidence = evidence(&bytes, Some(stamp));
    Ok((bytes, evidence))
}

/// Describes a signature file of which these bytes were read.
fn evidence(bytes: &[u8], stamp: Option<Stamp>) -> SignatureFile {
    let size = stamp.map_or(bytes.len() as u64, |stamp| stamp.size());
    SignatureFile {
        digest: (size == bytes.len() as u64).then(|| Digest::of(bytes)),
        size,
        modified: stamp.and_then(|stamp| stamp.modified()),
    }
}

pub(super) fn of_error(error: ReadError) -> Verdict {
    match error {
        ReadError::Missing => Verdict::Missing,
        ReadError::NotRegular => Verdict::NotRegular { part: Part::Data },
        ReadError::Changed => CHANGED,
        ReadError::Io(error) => unreadable(Part::Data, &error),
    }
}

/// Returns the record of a name whose worker panicked. Fail closed: this includes a name whose
/// verdict did not depend on its content.
pub(super) fn failed(task: &Task) -> Record {
    let verdict = Verdict::Unreadable {
        part: Part::Data,
        words: INTERNAL_ERROR.to_owned(),
    };
    record(task, verdict, Instant::now())
}

fn unreadable(part: Part, error: &io::Error) -> Verdict {
    Verdict::Unreadable {
        part,
        words: os_error::words(error),
    }
}

pub(super) fn record(task: &Task, verdict: Verdict, started: Instant) -> Record {
    let signature = task.signature().cloned();
    Record {
        elapsed: started.elapsed(),
        parts: Arc::clone(&task.parts),
        link: task.link.clone(),
        ..Record::unhashed(task.data.clone(), signature, verdict)
    }
}
