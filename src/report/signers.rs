//! Keys that are not trusted and made signatures all the same, as text, and by what they signed.

use std::collections::HashMap;

use super::{images, words};
use crate::files::SharedPath;
use crate::hints::notes::Note;
use crate::hints::signers::{Purpose, Signed, Signer};
use crate::trust::claimed::ClaimedDigest;
use crate::trust::record::{Record, Subject};

/// Maximum number of artifacts and images that a sentence names; a report has them all.
const MOST_NAMED: usize = 4;
/// Maximum number of key files that a sentence names.
const MOST_FILES: usize = 2;

/// The keys that made signatures and are not trusted, by what they signed.
#[derive(Debug, Default)]
pub(super) struct Signers<'a>(
    HashMap<(&'a SharedPath, Option<&'a SharedPath>, Option<&'a str>), &'a ClaimedDigest>,
);

impl<'a> Signers<'a> {
    pub(super) fn of(notes: &'a [Note]) -> Signers<'a> {
        let mut all = HashMap::new();
        for signer in of_notes(notes) {
            for made in &signer.made {
                let image = made.image.as_deref();
                all.insert(
                    (&made.path, made.signature.as_ref(), image),
                    &signer.fingerprint,
                );
            }
        }
        Signers(all)
    }

    /// Returns the fingerprint of the key that made the signature of a record, if it is known and
    /// not trusted.
    pub(super) fn signer(&self, record: &'a Record) -> Option<&'a ClaimedDigest> {
        let image = match &record.subject {
            Subject::Image(image) => Some(image.name.as_deref().unwrap_or(&image.id)),
            Subject::Artifact(_) | Subject::Contents(_) => None,
        };
        let key = (record.path(), record.signature.as_ref(), image);
        self.0.get(&key).copied()
    }
}

/// Returns the keys that the notes are about.
pub(super) fn of_notes(notes: &[Note]) -> impl Iterator<Item = &Signer> {
    notes.iter().filter_map(|note| match note {
        Note::OtherSigner { signer, .. } => Some(&**signer),
        _ => None,
    })
}

/// Returns what a note says of a key that is not trusted. The wording is a question and a warning:
/// it must not read as a reason to trust that key.
pub(super) fn other_signer(signer: &Signer, examined: u64, failed: u64) -> String {
    let (fingerprint, made) = (&signer.fingerprint, named(&signer.made));
    let count = count(signer.made.len(), examined, failed);
    let were = if signer.made.len() == 1 {
        "was"
    } else {
        "were"
    };
    let (which, question) = match signer.trusted_for {
        None => (
            "one key that you did not name",
            "rotated, or another product's key?",
        ),
        Some(Purpose::Images) => (
            "a key that you trust for images only",
            "is it named with the right option?",
        ),
        Some(Purpose::Artifacts) => (
            "a key that you trust for artifacts only",
            "is it named with the right option?",
        ),
    };
    let found = found_in(&signer.found_in);
    format!(
        "{count} {were} made by {which} (fingerprint {fingerprint}): {made}; {question} Trust it only if the vendor \
         publishes this fingerprint: anyone can sign with a key of their own{found}"
    )
}

/// Returns what a note says of signatures whose key made no other one.
pub(super) fn no_common_signer(of: &[Signed], examined: u64, failed: u64) -> String {
    let named = named(of);
    if of.len() as u64 == examined {
        let all = signatures(examined, failed);
        return format!(
            "no key made two of the {all}, so another key would make at most one of them valid: {named}; more \
             likely these files are not what was signed"
        );
    }
    let count = count(of.len(), examined, failed);
    let (have, these) = match of.len() {
        1 => ("has", "this file is"),
        _ => ("have", "these files are"),
    };
    format!(
        "{count} {have} no key in common with any other: {named}; most likely {these} not what was signed"
    )
}

/// Describes some of the signatures that were examined.
fn count(count: usize, examined: u64, failed: u64) -> String {
    if failed == 1 {
        "the signature that fits no trusted key".to_owned()
    } else {
        format!("{count} of the {}", signatures(examined, failed))
    }
}

/// Describes the signatures that were examined, out of all that no trusted key made.
fn signatures(examined: u64, failed: u64) -> String {
    if examined < failed {
        format!("{examined} examined signatures, out of {failed} that fit no trusted key,")
    } else {
        format!("{failed} signatures that fit no trusted key")
    }
}

/// Describes in which files a key was found.
fn found_in(files: &[SharedPath]) -> String {
    if files.is_empty() {
        return String::new();
    }
    let shown: Vec<String> = files.iter().take(MOST_FILES).map(words::shown).collect();
    let more = and_more(files.len(), MOST_FILES);
    let hold = if files.len() == 1 { "holds" } else { "hold" };
    format!(
        "; {}{more} {hold} this key, but that proves nothing: whoever can change these files can add a key",
        shown.join(", ")
    )
}

/// Returns the first of what was signed, and the number of the others.
fn named(signed: &[Signed]) -> String {
    let shown: Vec<String> = signed.iter().take(MOST_NAMED).map(subject).collect();
    shown.join(", ") + &and_more(signed.len(), MOST_NAMED)
}

/// Returns an artifact or an image as printed.
pub(super) fn subject(signed: &Signed) -> String {
    match &signed.image {
        Some(image) => images::inside(&signed.path, image),
        None => words::shown(&signed.path),
    }
}

fn and_more(all: usize, shown: usize) -> String {
    match all.saturating_sub(shown) {
        0 => String::new(),
        more => format!(" and {more} more"),
    }
}
