//! Findings of a walk besides artifacts with their signatures: unmatched signatures, unneeded
//! parts, look-alike names. Each is worth a note; none is a verdict.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::Inputs;
use super::key_files::KeyFiles;
use crate::engine;
use crate::files::SharedPath;
use crate::hints::notes::{Note, NoteCollector};
use crate::mirror::{Artifact, State, Survey};
use crate::names::alike::{self, Difference};
use crate::trust::key::Key;
use crate::trust::signature::Signature;

/// Maximum number of unmatched signatures to read, so that a directory full of them takes only a
/// moment.
const MOST_SIGNATURES: usize = 1000;

/// The unmatched signatures, and what else is worth a note.
#[derive(Debug)]
pub(crate) struct Unmatched {
    signatures: Vec<(SharedPath, Signature)>,
    /// Signed artifacts that are links, each with its real path.
    links: HashMap<SharedPath, SharedPath>,
    notes: Vec<Note>,
    key_files: KeyFiles,
}

impl Unmatched {
    /// Searches a survey, and reads its unmatched signatures if one of them could have been made
    /// over an artifact in it.
    pub(super) fn of(survey: &Survey, inputs: &Inputs, keys: &[Arc<Key>]) -> Unmatched {
        let strays = survey.strays.iter();
        let strays = strays.map(|path| Note::StraySignature { path: path.clone() });
        let same = |(path, judged_as): &(SharedPath, SharedPath)| Note::SameDirectory {
            path: path.clone(),
            judged_as: judged_as.clone(),
        };
        let not_lists = survey.not_lists.iter();
        let not_lists = not_lists.map(|path| Note::NotAList { path: path.clone() });
        let notes = strays
            .chain(not_lists)
            .chain(spare_parts(survey))
            .chain(alike_names(survey))
            .chain(survey.other_names.iter().map(same));
        Unmatched {
            signatures: signatures(survey, keys),
            links: links(survey),
            notes: notes.collect(),
            key_files: KeyFiles::of(survey, inputs),
        }
    }

    /// Reports whether the digests of artifacts without a signature are needed.
    pub(super) fn seeks(&self) -> bool {
        !self.signatures.is_empty()
    }

    /// Passes the signatures to the collector, which finds what they were made over, and returns
    /// the notes, and where key files may be.
    pub(super) fn into_notes(self, collector: &mut NoteCollector) -> (Vec<Note>, KeyFiles) {
        for (path, signature) in self.signatures {
            collector.take_unmatched(path, signature);
        }
        collector.resolve_links(&self.links);
        (self.notes, self.key_files)
    }
}

/// Removes the notes on stray signatures for which a more specific note exists.
pub(super) fn without_repetitions(notes: Vec<Note>) -> Vec<Note> {
    let matched = notes.iter().filter_map(|note| match note {
        Note::SignatureFits { signature, .. } => Some(signature.clone()),
        _ => None,
    });
    let matched: HashSet<SharedPath> = matched.collect();
    let is_kept =
        |note: &Note| !matches!(note, Note::StraySignature { path } if matched.contains(path));
    notes.into_iter().filter(is_kept).collect()
}

fn signatures(survey: &Survey, keys: &[Arc<Key>]) -> Vec<(SharedPath, Signature)> {
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
        .filter_map(|path| {
            let signature = engine::signature_in(&path.to_path_buf(), keys)?;
            Some((path.clone(), signature))
        })
        .collect()
}

/// Returns the artifacts with a signature that are links, and what they lead to: one content under
/// the names of a link and its target is no news.
fn links(survey: &Survey) -> HashMap<SharedPath, SharedPath> {
    if survey.links_followed.is_empty() {
        return HashMap::new();
    }
    let links: HashSet<&SharedPath> = survey.links_followed.iter().collect();
    let is_signed_link =
        |artifact: &&Artifact| artifact.signature().is_some() && links.contains(&artifact.data);
    let artifacts = survey.artifacts.iter().filter(is_signed_link);
    artifacts
        .filter_map(|artifact| {
            let target = artifact.data.to_path_buf().canonicalize().ok()?;
            Some((artifact.data.clone(), target.into()))
        })
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
