//! What a walk finds beside artifacts with their signatures: signatures that belong to nothing,
//! parts that are not needed, names that look alike. All of it is worth a note, and none of it is a
//! verdict.

use std::collections::{BTreeMap, HashSet};

use crate::engine;
use crate::files::SharedPath;
use crate::hints::notes::{Note, NoteCollector};
use crate::mirror::{Artifact, State, Survey};
use crate::names::alike::{self, Difference};
use crate::trust::signature::Signature;

/// The most unmatched signatures that are read, so that a directory of them costs no more than a
/// moment.
const MOST_SIGNATURES: usize = 1000;

/// What no artifact was matched with, and what else is worth a note.
#[derive(Debug)]
pub(crate) struct Unmatched {
    signatures: Vec<(SharedPath, Signature)>,
    notes: Vec<Note>,
}

impl Unmatched {
    /// Looks through a survey, and reads its unmatched signatures where there is an artifact that
    /// one of them could be made over.
    pub(super) fn of(survey: &Survey) -> Unmatched {
        let strays = survey.strays.iter();
        let strays = strays.map(|path| Note::StraySignature { path: path.clone() });
        let same = |(path, judged_as): &(SharedPath, SharedPath)| Note::SameDirectory {
            path: path.clone(),
            judged_as: judged_as.clone(),
        };
        let notes = strays
            .chain(spare_parts(survey))
            .chain(alike_names(survey))
            .chain(survey.other_names.iter().map(same));
        Unmatched {
            signatures: signatures(survey),
            notes: notes.collect(),
        }
    }

    /// Whether the digests of artifacts without a signature are wanted.
    pub(super) fn seeks(&self) -> bool {
        !self.signatures.is_empty()
    }

    /// Hands the signatures over, to find what they were made over, and the notes.
    pub(super) fn into_notes(self, collector: &mut NoteCollector) -> Vec<Note> {
        for (path, signature) in self.signatures {
            collector.take_unmatched(path, signature);
        }
        self.notes
    }
}

/// Leaves out the notes on stray signatures of which something better is known.
pub(super) fn without_repetitions(notes: Vec<Note>) -> Vec<Note> {
    let fits = notes.iter().filter_map(|note| match note {
        Note::SignatureFits { signature, .. } => Some(signature.clone()),
        _ => None,
    });
    let fits: HashSet<SharedPath> = fits.collect();
    let says_more =
        |note: &Note| !matches!(note, Note::StraySignature { path } if fits.contains(path));
    notes.into_iter().filter(says_more).collect()
}

fn signatures(survey: &Survey) -> Vec<(SharedPath, Signature)> {
    let is_unsigned = |artifact: &Artifact| matches!(artifact.state, State::Unsigned(_));
    if !survey.artifacts.iter().any(is_unsigned) {
        return Vec::new();
    }
    let orphans = survey
        .artifacts
        .iter()
        .filter_map(|artifact| match &artifact.state {
            State::Missing(signature) | State::PartMissing(signature, _) => Some(signature),
            _ => None,
        });
    let paths = orphans.chain(&survey.strays).take(MOST_SIGNATURES);
    paths
        .filter_map(|path| Some((path.clone(), engine::signature_in(&path.to_path_buf())?)))
        .collect()
}

fn spare_parts(survey: &Survey) -> Vec<Note> {
    let mut by_whole: BTreeMap<&SharedPath, Vec<SharedPath>> = BTreeMap::new();
    for (whole, part) in &survey.spare_parts {
        by_whole.entry(whole).or_default().push(part.clone());
    }
    let note = |(whole, paths): (&SharedPath, Vec<SharedPath>)| Note::SpareParts {
        whole: whole.clone(),
        paths,
    };
    by_whole.into_iter().map(note).collect()
}

fn alike_names(survey: &Survey) -> Vec<Note> {
    let paths = survey.artifacts.iter().map(|artifact| &artifact.data);
    let groups = alike::groups(paths).into_iter();
    let note = |group: Vec<&SharedPath>| {
        let difference = Difference::between(group.first()?, group.get(1)?)?;
        Some(Note::AlikeNames {
            difference: difference.name(),
            paths: group.into_iter().cloned().collect(),
        })
    };
    groups.filter_map(note).collect()
}
