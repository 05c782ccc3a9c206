//! What becomes of one name of a file: the signature that waits for a digest, and finally the
//! record.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rustix::io::Errno;

use super::{Claim, NamedData, Offer, Settings, Task};
use crate::content::{self, Input, ReadError, Stamp};
use crate::digest::{Digest, Digests, Wanted};
use crate::envelope::{self, Admitted, Opened};
use crate::hints;
use crate::text::os_error;
use crate::trust;
use crate::trust::earlier::{Earlier, Found, Seen};
use crate::trust::format::{EnvelopeError, Ignored};
use crate::trust::key::Key;
use crate::trust::listed::{ListEntry, ReadAsList, Unlisted, UnsignedEntry};
use crate::trust::record::{Record, SignatureFile};
use crate::trust::signature::{SNIFF_BYTES, Signature, SignatureError};
use crate::trust::verdict::{INTERNAL_ERROR, Invalid, NO_DIRECT_IO, Part, Verdict};

/// What its signature file was, if it was read.
type Signed = Option<Box<SignatureFile>>;

/// What a name of a file waits for during hashing.
pub(super) enum Pending {
    /// Judging its signature, as its envelope allows.
    Judgement(Signature, Box<Opened>, Signed),
    /// Comparing its digests with those of a signed list.
    Listed(Arc<ListEntry>),
    /// Only the digest: it has no signature, and this is its verdict.
    Digest(Verdict, Option<Arc<UnsignedEntry>>),
    /// Nothing: its verdict is known, regardless of the digest.
    Nothing(Verdict, Signed),
    /// Nothing: it was verified earlier, and is as it was then.
    Covered(Box<Earlier>, Seen, Signed),
    /// The images in it, which are judged elsewhere.
    Images,
}

impl Pending {
    pub(super) fn of(task: &Task, keys: &[Arc<Key>]) -> Pending {
        match &task.claim {
            Claim::Unsigned(verdict, entry) => Pending::Digest((**verdict).clone(), entry.clone()),
            Claim::Listed(entry) => Pending::Listed(Arc::clone(entry)),
            Claim::SavedImage | Claim::ImageDirectory => Pending::Images,
            Claim::Signed(path) => {
                let admitted = path.file_name().map_or(Admitted::Any, Admitted::by_name);
                let read = read_signature(&path.to_path_buf(), admitted);
                Pending::signature(read, admitted, keys)
            }
            Claim::Named(named) => {
                let read = match &named.content {
                    Some(content) => Ok((content.clone(), evidence(content, None))),
                    None => read_signature(&named.signature.to_path_buf(), Admitted::Any),
                };
                Pending::signature(read, Admitted::Any, keys)
            }
        }
    }

    fn signature(
        read: Result<(Vec<u8>, SignatureFile), Verdict>,
        admitted: Admitted,
        keys: &[Arc<Key>],
    ) -> Pending {
        match read {
            Err(verdict) => Pending::Nothing(verdict, None),
            Ok((bytes, file)) => match parse(&bytes, admitted, keys) {
                Ok((signature, opened)) => {
                    let file = SignatureFile {
                        format: Some(opened.format),
                        ignored: opened.ignored,
                        ..file
                    };
                    Pending::Judgement(signature, Box::new(opened), Some(Box::new(file)))
                }
                Err(verdict) => Pending::Nothing(verdict, Some(Box::new(file))),
            },
        }
    }

    /// Returns the same, to pass without being read if an earlier run's evidence holds; `None` if
    /// it must be read.
    pub(super) fn covered(
        &self,
        task: &Task,
        content: &Input,
        settings: &Settings,
    ) -> Option<Pending> {
        let file = match self {
            Pending::Judgement(_, _, file) => file.as_deref().copied(),
            Pending::Listed(entry) => Some(entry.file),
            Pending::Nothing(verdict, file) => {
                return Some(Pending::Nothing(verdict.clone(), file.clone()));
            }
            Pending::Digest(..) | Pending::Covered(..) | Pending::Images => return None,
        };
        // Fail closed: only one regular file with a signature file, or in a list, has stamps that
        // say something. A list itself is always judged anew, since its files are.
        let is_file = match &task.claim {
            Claim::Signed(_) | Claim::Listed(_) => true,
            Claim::Named(named) => named.content.is_none() && named.data == NamedData::File,
            _ => false,
        };
        let is_plain = is_file && task.parts.is_empty() && task.read_as_list.is_none();
        let Offer { evidence, terms } = task.earlier.as_deref().filter(|_| is_plain)?;
        let found = Found {
            stamp: *content.lasting_stamp()?,
            signature: file?.digest?,
            keys: &settings.keys,
        };
        let earlier = evidence.holds(*terms, found).ok()?;
        // Fail closed: the name must lead to the file that was opened.
        let is_there = content.is_unchanged(&task.data.to_path_buf());
        let covered = Pending::Covered(Box::new(earlier), evidence.seen, file.map(Box::new));
        is_there.then_some(covered)
    }

    /// Returns what must be computed of the file beside its SHA-256.
    pub(super) fn wanted(&self, keys: &[Arc<Key>]) -> Wanted {
        let mut wanted = Wanted::default();
        match self {
            Pending::Listed(entry) => wanted.add(entry.algorithms().into()),
            Pending::Digest(_, Some(entry)) => wanted.add(entry.algorithms().into()),
            Pending::Judgement(signature, opened, _) => {
                keys.iter().for_each(|key| wanted.add(key.wants(signature)));
                wanted.add(opened.algorithms().into());
            }
            Pending::Digest(_, None)
            | Pending::Nothing(..)
            | Pending::Covered(..)
            | Pending::Images => {}
        }
        wanted
    }

    /// Judges a name of a file; `None` if its images are judged instead.
    pub(super) fn judged(
        &self,
        task: &Task,
        digests: Result<Digests, Verdict>,
        settings: &Settings,
        started: Instant,
    ) -> Option<Record> {
        let mut unfit = None;
        let unsigned_list = match (self, &digests) {
            (Pending::Digest(_, Some(entry)), Ok(digests)) => {
                Some(Box::new(entry.compared(digests)))
            }
            _ => None,
        };
        let (verdict, digest) = match (self, digests) {
            (Pending::Images, Ok(_)) => return None,
            (Pending::Images, Err(failure)) => (failure, None),
            (Pending::Nothing(known, _) | Pending::Digest(known, _), digests) => {
                (known.clone(), digests.ok().map(|digests| *digests.sha256()))
            }
            (Pending::Covered(earlier, ..), _) => (Verdict::VerifiedEarlier(earlier.clone()), None),
            (Pending::Listed(_), Err(failure)) => (of_listed(failure), None),
            (Pending::Judgement(..), Err(failure)) => (failure, None),
            (Pending::Listed(entry), Ok(digests)) => {
                let verdict = trust::listed::judge(entry, &digests);
                (verdict, Some(*digests.sha256()))
            }
            (Pending::Judgement(signature, opened, _), Ok(digests)) => {
                let judged = trust::judge(&settings.keys, &digests, signature);
                // One that a trusted key made fits this file, and one of a certificate fits no key.
                let is_unfit = !judged.passes() && !opened.has_certificate();
                unfit = is_unfit.then(|| Box::new(signature.clone()));
                let verdict = opened.restrict(&digests, judged);
                (as_list(verdict, task, &digests), Some(*digests.sha256()))
            }
        };
        let signature_file = match self {
            Pending::Judgement(_, _, file)
            | Pending::Nothing(_, file)
            | Pending::Covered(_, _, file) => file.clone(),
            Pending::Listed(entry) => Some(Box::new(entry.file)),
            Pending::Digest(..) | Pending::Images => None,
        };
        Some(Record {
            signature_file,
            digest,
            unfit,
            unsigned_list,
            seen: match self {
                Pending::Covered(_, seen, _) => Some(Box::new(*seen)),
                _ => None,
            },
            ..record(task, verdict, started)
        })
    }
}

/// Returns the verdict on a signed file that may be a list: a valid one is the list that was read.
fn as_list(verdict: Verdict, task: &Task, digests: &Digests) -> Verdict {
    let is_other = |read: &ReadAsList| !read.is_same(digests.sha256());
    match verdict {
        Verdict::Valid { .. } if task.read_as_list.as_deref().is_some_and(is_other) => CHANGED,
        verdict => verdict,
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
        Claim::Listed(_) => of_listed(of_error(error)),
        Claim::Unsigned(verdict, _) => (**verdict).clone(),
    }
}

/// Returns the verdict on a listed file that cannot be read.
fn of_listed(failure: Verdict) -> Verdict {
    match failure {
        Verdict::Missing => Verdict::Unlisted(Unlisted::Missing),
        failure => failure,
    }
}

/// Returns the bytes of a signature file, or enough of a longer one to show that it is none.
fn read_signature(path: &Path, admitted: Admitted) -> Result<(Vec<u8>, SignatureFile), Verdict> {
    signature_bytes(path, admitted).map_err(|error| match error {
        ReadError::NotRegular => Verdict::NotRegular {
            part: Part::Signature,
        },
        ReadError::Io(error) => unreadable(Part::Signature, &error),
        ReadError::NoDirectIo => unreadable(Part::Signature, &Errno::INVAL.into()),
        // Fail closed: the signature existed during the walk. Calling the artifact unsigned would
        // let it pass under --allow-unsigned.
        ReadError::Missing | ReadError::Changed => {
            unreadable(Part::Signature, &Errno::NOENT.into())
        }
    })
}

/// What a signature is called where a bundle should be.
const BARE: &str = "it is a bare signature, which a name in .sig has, and not a bundle";

/// Returns the signature that a signature file holds, which one of these keys can have made, and
/// its envelope.
fn parse(
    bytes: &[u8],
    admitted: Admitted,
    keys: &[Arc<Key>],
) -> Result<(Signature, Opened), Verdict> {
    let read = || {
        let opened = envelope::open(bytes, admitted).map_err(|error| match error {
            Invalid::Malformed(_) if Signature::of_keys(bytes, keys).is_ok() => {
                EnvelopeError::Refused(BARE.into()).into()
            }
            Invalid::Malformed(error) => instead(error, &[bytes]),
            error => error,
        })?;
        match Signature::of_keys(opened.signature(), keys) {
            Ok(signature) => Ok((signature, opened)),
            // A certificate's key may be of another algorithm than the trusted ones.
            Err(_) if opened.has_certificate() => Err(EnvelopeError::Keyless.into()),
            Err(error) if opened.is_bundle() => Err(instead(error, &[opened.signature()])),
            Err(error) => Err(instead(error, &[bytes, opened.signature()])),
        }
    };
    read().map_err(Verdict::Invalid)
}

/// Returns why a signature file is none: by the first of these contents whose kind is known. It is
/// invalid, regardless of what it resembles.
fn instead(error: SignatureError, contents: &[&[u8]]) -> Invalid {
    let sniff = |bytes: &&[u8]| {
        let beginning = bytes.get(..SNIFF_BYTES).unwrap_or(bytes);
        match error {
            SignatureError::OtherAlgorithm => hints::signature::sniff_among_others(beginning),
            _ => hints::signature::sniff(beginning),
        }
    };
    let looks = contents.iter().find_map(sniff);
    looks.map_or(error, SignatureError::Instead).into()
}

/// Judges bytes in memory by a signature file.
pub fn verify_bytes(settings: &Settings, bytes: &[u8], signature: &Path) -> Verdict {
    let admitted = signature
        .file_name()
        .map_or(Admitted::Any, Admitted::by_name);
    let read = read_signature(signature, admitted);
    let pending = Pending::signature(read, admitted, &settings.keys);
    match &pending {
        Pending::Judgement(signature, opened, _) => {
            let digests = Digests::of(bytes, pending.wanted(&settings.keys));
            let judged = trust::judge(&settings.keys, &digests, signature);
            opened.restrict(&digests, judged)
        }
        Pending::Nothing(verdict, _) => verdict.clone(),
        // Fail closed: a signature file leads to nothing else.
        _ => CHANGED,
    }
}

/// Returns the signature in a file, if there is one that one of these keys can have made. No
/// verdict rests on it.
pub fn signature_in(path: &Path, keys: &[Arc<Key>]) -> Option<Signature> {
    let admitted = path.file_name().map_or(Admitted::Any, Admitted::by_name);
    let (bytes, _) = read_signature(path, admitted).ok()?;
    Some(parse(&bytes, admitted, keys).ok()?.0)
}

/// Reports whether the file at a path is a bundle with a signature, whole or not. Fail closed: so
/// is one that cannot be read.
pub fn is_signature_file(path: &Path) -> bool {
    signature_bytes(path, Admitted::Any).map_or(true, |(bytes, _)| envelope::is_signature(&bytes))
}

fn signature_bytes(path: &Path, admitted: Admitted) -> Result<(Vec<u8>, SignatureFile), ReadError> {
    let (file, stamp) = content::open_regular(path)?;
    let mut bytes = Vec::new();
    file.take(admitted.most_bytes() as u64)
        .read_to_end(&mut bytes)?;
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
        format: None,
        ignored: Ignored::default(),
    }
}

pub(super) fn of_error(error: ReadError) -> Verdict {
    match error {
        ReadError::Missing => Verdict::Missing,
        ReadError::NotRegular => Verdict::NotRegular { part: Part::Data },
        ReadError::Changed => CHANGED,
        ReadError::NoDirectIo => Verdict::Unreadable {
            part: Part::Data,
            words: NO_DIRECT_IO.to_owned(),
        },
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
