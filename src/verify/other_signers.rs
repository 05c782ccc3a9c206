//! Notes on signatures that no trusted key made: whether the keys are the wrong ones, and which
//! keys made them instead. None of these keys is trusted, and no verdict rests on them.

use std::collections::HashSet;
use std::sync::Arc;

use super::key_files::KeyFiles;
use crate::engine::Settings;
use crate::files::SharedPath;
use crate::hints::budget::Budget;
use crate::hints::notes::{Note, NoteCollector};
use crate::hints::signers::{AtHand, Grouped, MOST_WORK, Purpose};
use crate::trust::claimed::KeyName;
use crate::trust::key::Key;

/// Returns the notes. `found` are the notes on signatures that fit other files.
pub(super) fn notes(
    collector: &mut NoteCollector,
    found: &[Note],
    settings: &Settings,
    files: &KeyFiles,
    cancelled: &dyn Fn() -> bool,
) -> Vec<Note> {
    let (fitting, is_used) = fitting(found);
    // A trusted key made a signature, even if over another file.
    let all_strange = collector.all_strange().filter(|_| !is_used);
    let strangers = &mut collector.strangers;
    strangers.leave_out(&fitting);
    if strangers.count() == 0 && all_strange.is_none() {
        return Vec::new();
    }
    let at_hand = at_hand(settings, files);
    let grouped = strangers.grouped(&at_hand, &Budget::new(MOST_WORK, cancelled));
    let failed = strangers.count();
    let mut notes = Vec::new();
    // Signatures that could have shown one key in common, and do not, were not made by one.
    let is_ruled_out = grouped.could_share && grouped.signers.is_empty();
    notes.extend(all_strange.filter(|_| !is_ruled_out).map(|signatures| {
        Note::WrongKey {
            keys: settings
                .keys
                .iter()
                .map(|key| KeyName::from(&**key))
                .collect(),
            signatures,
        }
    }));
    let says_something = !grouped.signers.is_empty() || is_ruled_out && all_strange.is_some();
    notes.extend(of_groups(grouped, failed, says_something));
    notes
}

fn of_groups(grouped: Grouped, failed: u64, says_something: bool) -> Vec<Note> {
    let Grouped {
        signers,
        alone,
        examined,
        ..
    } = grouped;
    let note = |signer| Note::OtherSigner {
        signer: Box::new(signer),
        examined,
        failed,
    };
    let mut notes: Vec<Note> = signers.into_iter().map(note).collect();
    if says_something && !alone.is_empty() {
        notes.push(Note::NoCommonSigner {
            of: alone,
            examined,
            failed,
        });
    }
    notes
}

/// Returns the signature files that were made by trusted keys over other files than theirs, and
/// whether there is any such signature.
fn fitting(found: &[Note]) -> (HashSet<&SharedPath>, bool) {
    let fits_other = found.iter().filter_map(|note| match note {
        Note::SignatureFitsOther { signature, .. } => Some(signature),
        _ => None,
    });
    let fits_other: HashSet<&SharedPath> = fits_other.collect();
    let mut all = found.iter();
    let is_used =
        !fits_other.is_empty() || all.any(|note| matches!(note, Note::SignatureFits { .. }));
    (fits_other, is_used)
}

/// Returns the keys that the user named, for any purpose, and those in and beside the tree.
fn at_hand(settings: &Settings, files: &KeyFiles) -> Vec<AtHand> {
    let named = |purpose: Purpose| {
        move |key: &Arc<Key>| AtHand {
            key: Arc::clone(key),
            file: None,
            trusted_for: Some(purpose),
        }
    };
    let of_images = settings.images.as_ref();
    let of_images = of_images.map_or(&[][..], |images| &images.policy.keys);
    let artifacts = settings.keys.iter().map(named(Purpose::Artifacts));
    let images = of_images.iter().map(named(Purpose::Images));
    artifacts.chain(images).chain(files.read()).collect()
}
