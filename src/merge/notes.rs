//! The notes on the mirror: what the shards noted, each once, and what only all records show.

mod read;

use std::collections::{BTreeMap, HashSet};

use super::Part;
use crate::hints::notes::Note;
use crate::hints::same_content::{Content, same_contents};
use crate::hints::signers::Signer;
use crate::trust::claimed::{ClaimedDigest, KeyName};
use crate::trust::record::{Record, Subject};
use crate::trust::terms::{Reason, Status};

pub(super) use read::read;

/// The notes of all shards.
pub(super) struct Noted {
    notes: Vec<Note>,
    /// The trusted keys, by which no signature may be valid.
    keys: Vec<KeyName>,
    shards: usize,
}

/// Takes the notes of all shards, each once.
pub(super) fn of(parts: &mut [Part]) -> Noted {
    let shards = parts.len();
    let keys = parts.first().map(|part| part.keys.clone());
    let keys = keys.unwrap_or_default().into_iter().map(|key| KeyName {
        name: key.name,
        fingerprint: key.fingerprint,
    });
    let keys = keys.collect();
    let mut all: Vec<Vec<Note>> = Vec::new();
    for part in parts {
        all.push(std::mem::take(&mut part.notes));
    }
    // What one shard has no use for, another one may.
    let is_unused = |note: &Note| all.iter().all(|notes| notes.contains(note));
    let unused: Vec<Note> = all
        .first()
        .into_iter()
        .flatten()
        .filter(|note| matches!(note, Note::UnusedRegistry { .. }) && is_unused(note))
        .cloned()
        .collect();
    let (mut seen, mut notes, mut signers) = (HashSet::new(), Vec::new(), Vec::new());
    for note in all.into_iter().flatten() {
        match note {
            Note::UnusedRegistry { .. } | Note::WrongKey { .. } | Note::NoCommonSigner { .. } => {}
            Note::OtherSigner {
                signer,
                examined,
                failed,
            } => signers.push((*signer, examined, failed)),
            note => {
                if seen.insert(format!("{note:?}")) {
                    notes.push(note);
                }
            }
        }
    }
    notes.extend(unused);
    notes.extend(together(signers));
    Noted {
        notes,
        keys,
        shards,
    }
}

/// Joins what one key signed in several shards.
fn together(signers: Vec<(Signer, u64, u64)>) -> Vec<Note> {
    let mut by_key: BTreeMap<_, (Signer, u64, u64)> = BTreeMap::new();
    for (signer, examined, failed) in signers {
        match by_key.get_mut(&signer.fingerprint) {
            None => drop(by_key.insert(signer.fingerprint, (signer, examined, failed))),
            Some((known, all_examined, all_failed)) => {
                known.made.extend(signer.made);
                known.found_in.extend(signer.found_in);
                known.found_in.sort();
                known.found_in.dedup();
                *all_examined += examined;
                *all_failed += failed;
            }
        }
    }
    let mut found: Vec<(Signer, u64, u64)> = by_key.into_values().collect();
    // Stable: the key that made most comes first, as in one run.
    found.sort_by_key(|(signer, ..)| std::cmp::Reverse(signer.made.len()));
    let note = |(signer, examined, failed)| Note::OtherSigner {
        signer: Box::new(signer),
        examined,
        failed,
    };
    found.into_iter().map(note).collect()
}

impl Noted {
    /// Adds what only the records of all shards show: one content in two shares under two names,
    /// and that no signature is valid. What took reading the signatures was looked for in each
    /// share by itself, and that is said.
    pub(super) fn and_across(self, records: &[Record]) -> Vec<Note> {
        let contents = shared_contents(records);
        let (same, others): (Vec<Note>, Vec<Note>) = self
            .notes
            .into_iter()
            .partition(|note| matches!(note, Note::SameContent { .. }));
        let mut notes = across(same_contents(&contents), same);
        notes.extend(wrong_key(records, self.keys));
        let strange = records.iter().filter(|record| is_strange(record)).count() as u64;
        notes.extend(others.into_iter().map(|note| of_all(note, strange)));
        let has_strangers = records.iter().any(may_fit_elsewhere);
        if has_strangers && self.shards > 1 {
            notes.push(Note::WithinShards);
        }
        notes
    }
}

/// Counts in a note on a signer all signatures that no trusted key made, also those of shards that
/// knew of no other key.
fn of_all(note: Note, strange: u64) -> Note {
    match note {
        Note::OtherSigner {
            signer,
            examined,
            failed,
        } => Note::OtherSigner {
            signer,
            examined,
            failed: failed.max(strange),
        },
        note => note,
    }
}

/// Returns the contents that several artifacts have: of a million records they are few.
fn shared_contents(records: &[Record]) -> Vec<Content<ClaimedDigest>> {
    let mut digests: Vec<ClaimedDigest> = records.iter().filter_map(Record::sha256).collect();
    digests.sort_unstable();
    let same = digests.chunk_by(|a, b| a == b);
    let shared = same.filter(|same| same.len() > 1);
    let shared: HashSet<&ClaimedDigest> = shared.filter_map(<[_]>::first).collect();
    let is_shared = |record: &&Record| {
        record
            .sha256()
            .is_some_and(|digest| shared.contains(&digest))
    };
    let records = records.iter().filter(is_shared);
    records.filter_map(Content::claimed).collect()
}

/// Returns the notes on contents of all shards: those that one shard noted, with what others have
/// of the same content.
///
/// A shard knows that a name is a link to another one, which are no two names of a release; it has
/// all names of a file. So where it noted nothing, only names in several shards are worth a note.
fn across(of_all: Vec<Note>, of_shards: Vec<Note>) -> Vec<Note> {
    let noted: HashSet<_> = of_shards
        .iter()
        .filter_map(|note| match note {
            Note::SameContent { digest, .. } => Some(*digest),
            _ => None,
        })
        .collect();
    let is_kept = |note: &Note| match note {
        Note::SameContent { digest, paths } => noted.contains(digest) || paths.len() > 1,
        _ => true,
    };
    of_all.into_iter().filter(is_kept).collect()
}

/// Reports whether a signature was not made by a trusted key over what it is for.
fn is_strange(record: &Record) -> bool {
    matches!(record.subject, Subject::Artifact(_))
        && record.verdict.reason() == Reason::NoKeyVerifies
}

/// Reports whether a signature may fit a file of another share.
fn may_fit_elsewhere(record: &Record) -> bool {
    let is_lost = matches!(
        record.verdict.reason(),
        Reason::NoDataFile | Reason::PartMissing
    );
    is_strange(record) || is_lost
}

/// Returns the note that no signature is valid for a trusted key, although all are well formed.
fn wrong_key(records: &[Record], keys: Vec<KeyName>) -> Option<Note> {
    let of_artifacts = || {
        let records = records.iter();
        records.filter(|record| matches!(record.subject, Subject::Artifact(_)))
    };
    let is_mixed = |record: &Record| match record.verdict.status() {
        Status::Valid | Status::Listed => true,
        Status::Invalid => record.verdict.reason() != Reason::NoKeyVerifies,
        _ => false,
    };
    let strange = of_artifacts().filter(|record| is_strange(record)).count();
    (strange > 0 && !of_artifacts().any(is_mixed)).then_some(Note::WrongKey {
        keys,
        signatures: strange as u64,
    })
}
