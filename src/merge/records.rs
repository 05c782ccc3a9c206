//! Records from the objects of a report, and those of all reports in one order.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::part::{PartError, seconds, sha256, time};
use super::paths::Paths;
use crate::earlier::stamps;
use crate::files::SharedPath;
use crate::names::place::Place;
use crate::text::escape;
use crate::trust::claimed::{
    ClaimedContent, ClaimedDigest, ClaimedInside, ClaimedVerdict, ClaimedWhy,
};
use crate::trust::earlier::Seen;
use crate::trust::format::SignatureFormat;
use crate::trust::image::{Image, Platform};
use crate::trust::record::{Record, Subject};
use crate::trust::sniffed::Sniffed;
use crate::trust::terms::{Reason, Status};
use crate::trust::verdict::Verdict;
use crate::wire::{self, Artifact, Type};

/// Returns the records of a report in the order of the lines, and the place of each. `trusted` are
/// the fingerprints of its keys.
///
/// # Errors
/// [`PartError::Damaged`] if an object is none of a record.
pub(super) fn read(
    artifacts: Vec<Artifact<'static>>,
    paths: &mut Paths<'_>,
    trusted: &[ClaimedDigest],
) -> Result<(Vec<Record>, Vec<Place>), PartError> {
    let mut texts = Texts::default();
    let records = artifacts.into_iter().map(|artifact| {
        let record = record(artifact, paths, &mut texts)?;
        // Fail closed: a key that the run did not trust makes nothing valid.
        match record.1.verdict.key() {
            Some(key) if !trusted.contains(&key) => Err(damaged(&record.1, "a key not trusted")),
            _ => Ok(record),
        }
    });
    let mut records = records.collect::<Result<Vec<(Place, Record)>, PartError>>()?;
    // Stable: the objects that were printed as they were decided; images stay behind their bundle.
    records.sort_by(|(a, _), (b, _)| a.cmp(b));
    let (places, records) = records.into_iter().unzip();
    Ok((records, places))
}

/// Texts that many records have, each kept once.
#[derive(Default)]
struct Texts(HashMap<Box<str>, Arc<str>>);

impl Texts {
    fn shared(&mut self, text: &str) -> Arc<str> {
        match self.0.get(text) {
            Some(known) => Arc::clone(known),
            None => {
                let shared: Arc<str> = text.into();
                self.0.insert(text.into(), Arc::clone(&shared));
                shared
            }
        }
    }
}

fn record(
    artifact: Artifact<'static>,
    paths: &mut Paths<'_>,
    texts: &mut Texts,
) -> Result<(Place, Record), PartError> {
    let (path, place) = paths.placed(&artifact.path())?;
    let signature = paths.signature(&artifact.signature())?;
    let beside = signature.as_ref().filter(|file| file.is_beside(&path));
    let why = why(&artifact, beside, texts)?;
    let verdict = Verdict::Claimed(Box::new(claimed(&artifact, why, texts)?));
    let link = artifact.link.as_ref().map(|link| paths.path(link));
    let read_as = artifact.read_as.as_ref().map(|name| paths.path(name));
    let looks = artifact.looks.as_deref().map(|term| {
        Sniffed::named(term)
            .ok_or_else(|| PartError::Damaged(format!("a file that looks {term:?}")))
    });
    let mut record = Record::on(subject(&artifact, path)?, verdict);
    record.signature = signature;
    record.size = artifact.size;
    // The others share one empty list.
    if !artifact.parts.is_empty() {
        record.parts = paths.paths(&artifact.parts)?.into();
    }
    record.link = link.transpose()?.map(Arc::new);
    record.read_as = read_as.transpose()?.map(Arc::new);
    record.sniffed = looks.transpose()?;
    record.seen = seen(&artifact)?;
    record.elapsed = seconds(artifact.seconds)?;
    consistent(&record)?;
    Ok((place, record))
}

fn subject(artifact: &Artifact<'static>, path: SharedPath) -> Result<Subject, PartError> {
    Ok(match (artifact.r#type, &artifact.image) {
        (Type::Artifact, None) => Subject::Artifact(path),
        (Type::Contents, None) => Subject::Contents(path),
        (Type::Image, Some(image)) => Subject::Image(Box::new(Image {
            artifact: path,
            name: image.name.as_deref().map(Into::into),
            id: image.id.as_ref().into(),
            platforms: image.platforms.iter().map(platform).collect(),
            blobs: Vec::new(),
        })),
        _ => return Err(PartError::Damaged("a record on nothing".to_owned())),
    })
}

fn platform(platform: &wire::Platform<'_>) -> Platform {
    Platform {
        name: platform.name.as_ref().into(),
        is_whole: platform.whole,
    }
}

fn claimed(
    artifact: &Artifact<'static>,
    why: ClaimedWhy,
    texts: &mut Texts,
) -> Result<ClaimedVerdict, PartError> {
    let unknown = |term: &str| PartError::Damaged(format!("{term:?} is no term of a verdict"));
    Ok(ClaimedVerdict {
        status: Status::named(&artifact.status).ok_or_else(|| unknown(&artifact.status))?,
        reason: Reason::named(&artifact.reason).ok_or_else(|| unknown(&artifact.reason))?,
        passes: artifact.passes,
        why,
        line: texts.shared(&artifact.line),
        remedy: artifact.remedy.as_deref().map(|text| texts.shared(text)),
        sha256: artifact.sha256.as_deref().map(sha256).transpose()?,
        key: artifact.key.as_deref().map(sha256).transpose()?,
        signature_file: artifact.signature_file.as_ref().map(file).transpose()?,
        inside: inside(artifact)?.map(Box::new),
    })
}

/// Returns what only records of images have.
fn inside(artifact: &Artifact<'static>) -> Result<Option<ClaimedInside>, PartError> {
    let archive = artifact.archive.as_ref().map(content).transpose()?;
    let blobs = artifact.image.iter().flat_map(|image| &image.blobs);
    let blobs = blobs.map(|blob| Ok((sha256(&blob.sha256)?, blob.size)));
    let blobs = blobs.collect::<Result<Vec<_>, PartError>>()?;
    let has_any = archive.is_some() || !blobs.is_empty();
    Ok(has_any.then_some(ClaimedInside { archive, blobs }))
}

/// Returns when an artifact was verified earlier, and what it was then. Of the others a merge says
/// nothing of the kind: the numbers of devices and inodes are those of several machines.
fn seen(artifact: &Artifact<'static>) -> Result<Option<Box<Seen>>, PartError> {
    let is_earlier = artifact.status == Status::VerifiedEarlier.name();
    let Some(stamps) = artifact.stamps.as_ref().filter(|_| is_earlier) else {
        return Ok(None);
    };
    let seen = stamps::seen(stamps);
    let seen = seen.ok_or_else(|| PartError::Damaged("stamps that are none".to_owned()));
    Ok(Some(Box::new(seen?)))
}

fn file(file: &wire::SignatureFile<'_>) -> Result<ClaimedContent, PartError> {
    Ok(ClaimedContent {
        sha256: file.sha256.as_deref().map(sha256).transpose()?,
        size: Some(file.size),
        modified: file.modified.as_deref().map(time).transpose()?,
        format: file.format.as_deref().map(format).transpose()?,
    })
}

fn format(term: &str) -> Result<SignatureFormat, PartError> {
    let damaged = || PartError::Damaged(format!("the format of a signature {term:?}"));
    SignatureFormat::named(term).ok_or_else(damaged)
}

fn content(content: &wire::Content<'_>) -> Result<ClaimedContent, PartError> {
    Ok(ClaimedContent {
        sha256: content.sha256.as_deref().map(sha256).transpose()?,
        size: content.size,
        ..ClaimedContent::default()
    })
}

/// Returns the reason in words: the detail without the verdict before it. `beside` is the
/// signature, if that is beside the artifact; then words name it by its name only.
fn why(
    artifact: &Artifact<'static>,
    beside: Option<&SharedPath>,
    texts: &mut Texts,
) -> Result<ClaimedWhy, PartError> {
    let words = artifact.line.split_once(' ').map(|(_, words)| words);
    let why = words.and_then(|words| artifact.detail.strip_prefix(words));
    let why = why.and_then(|why| why.strip_prefix(" (")?.strip_suffix(')'));
    let why = why.ok_or_else(|| {
        PartError::Damaged(format!("{:?} explains another line", artifact.detail))
    })?;
    let name = beside.and_then(|file| file.file_name()).map(escape::name);
    let rest = name.and_then(|name| why.strip_prefix(&name));
    Ok(ClaimedWhy {
        follows_signature: rest.is_some(),
        text: texts.shared(rest.unwrap_or(why)),
    })
}

/// The mark of what was verified earlier.
const EARLIER: &str = "⏭️";

/// Checks that a record does not contradict itself.
///
/// Fail closed: a reader of the merged report goes by its mark, by its status or by whether it
/// passes, and must come to the same.
fn consistent(record: &Record) -> Result<(), PartError> {
    let Verdict::Claimed(claimed) = &record.verdict else {
        return Ok(());
    };
    let mark = claimed.line.split(' ').next().unwrap_or_default();
    let is_consistent = match (claimed.status, claimed.passes, mark) {
        (Status::Valid, true, "✅") => claimed.reason == Reason::KeyVerifies && is_proven(record),
        (Status::Listed, true, "✅") => {
            claimed.reason == Reason::InSignedList && is_proven(record)
        }
        (Status::VerifiedEarlier, true, EARLIER) => is_proven(record),
        (Status::Valid | Status::Listed | Status::VerifiedEarlier, ..) => false,
        (_, _, "✅" | EARLIER) => false,
        (status, true, mark) => status.may_pass() && mark != "❌",
        (_, false, mark) => mark == "❌",
    };
    if !is_consistent {
        return Err(damaged(record, "a verdict that contradicts itself"));
    }
    // A mark may consist of several characters, of which not all are seen.
    let words = claimed.line.split_once(' ').map(|(_, words)| words);
    let texts = [words, Some(&*claimed.why.text), claimed.remedy.as_deref()];
    // Fail closed: they are printed as they are. What this program writes is escaped already.
    if texts
        .into_iter()
        .flatten()
        .any(|text| text.chars().any(escape::is_unseen))
    {
        return Err(damaged(record, "a text that no report has"));
    }
    Ok(())
}

/// Reports whether a record has what a valid signature leaves: the fingerprint of the key, and of
/// an artifact its digest and its signature.
fn is_proven(record: &Record) -> bool {
    let is_of_file = matches!(record.subject, Subject::Artifact(_));
    let line = match &record.verdict {
        Verdict::Claimed(claimed) => &*claimed.line,
        _ => "",
    };
    let is_line = match (record.verdict.status(), is_of_file) {
        (Status::Valid, true) => line == "✅ Signature valid",
        (Status::Listed, true) => line == "✅ Listed in a signed list",
        (Status::Listed, false) => false,
        (Status::Valid, false) => line == "✅ Image signature valid",
        _ => true,
    };
    let has_file = record.sha256().is_some() && record.signature.is_some();
    is_line && record.verdict.key().is_some() && (has_file || !is_of_file)
}

fn damaged(record: &Record, what: &str) -> PartError {
    PartError::Damaged(format!("{}: {what}", record.path()))
}

/// Returns the records of all reports in the order of the lines. Of two on the same thing, which
/// only reports have that do not belong together, it is the one that does not pass.
///
/// `paths` has for each record the number of the PATH that brings it in.
pub(super) fn merged(mut records: Vec<Record>, paths: Vec<usize>) -> Vec<Record> {
    let order = order(&records, paths);
    arrange(&mut records, order);
    without_doubles(records)
}

/// Returns the positions of the records in the order of the lines.
fn order(records: &[Record], paths: Vec<usize>) -> Vec<usize> {
    let records = paths.into_iter().zip(records).enumerate();
    let mut keys: Vec<_> = records
        .map(|(at, (of_path, record))| (of_path, record.path(), at))
        .collect();
    // Each report is in order by itself, of which only the stable sort makes use. Images stay
    // behind their bundle, and signatures in their order.
    keys.sort();
    keys.into_iter().map(|(.., at)| at).collect()
}

/// Arranges the records: first that at the first of these positions, and so on. A million records
/// are not in memory twice.
fn arrange(records: &mut [Record], mut from: Vec<usize>) {
    for start in 0..from.len() {
        let mut at = start;
        while from[at] != start {
            let next = std::mem::replace(&mut from[at], at);
            records.swap(at, next);
            at = next;
        }
        from[at] = at;
    }
}

fn without_doubles(mut records: Vec<Record>) -> Vec<Record> {
    let (mut doubles, mut failed) = (Vec::new(), Vec::new());
    let mut known: HashMap<(&Subject, Option<&SharedPath>), usize> = HashMap::new();
    for (at, record) in records.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| records.get(before));
        if before.is_none_or(|before| before.path() != record.path()) {
            known.clear();
        }
        match known.entry((&record.subject, record.signature.as_ref())) {
            Entry::Vacant(place) => drop(place.insert(at)),
            Entry::Occupied(other) => {
                doubles.push(at);
                // Fail closed: what fails anywhere fails.
                failed.extend((!record.verdict.passes()).then_some((*other.get(), at)));
            }
        }
    }
    for (kept, failed) in failed {
        records.swap(kept, failed);
    }
    let mut doubles = doubles.into_iter().peekable();
    let mut at = 0;
    records.retain(|_| {
        let is_double = doubles.next_if_eq(&at).is_some();
        at += 1;
        !is_double
    });
    records
}
