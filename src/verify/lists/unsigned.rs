//! Lists without a signature: they vouch for nothing. What they say of an artifact that has no
//! signature either is compared with its content, so that its failure can tell damage from a lack
//! of a signature.

use std::collections::HashMap;
use std::sync::Arc;

use super::Context;
use crate::checksums::{self, List};
use crate::files::SharedPath;
use crate::mirror::watch::Ended;
use crate::mirror::{Artifact, State, Survey};
use crate::names::lists::is_list;
use crate::trust::listed::UnsignedEntry;
use crate::trust::verdict::Unclaimed;
use crate::verify::work::foreign;

/// Maximum number of lists that are read.
const MOST_LISTS: usize = 1000;

/// Adds to the artifacts without a signature what a list without one has of them: the first list
/// that names it.
pub(super) fn compare(survey: &mut Survey, context: Context<'_>) -> Result<(), Ended> {
    let mut lists = survey.lists.clone();
    lists.extend(survey.artifacts.iter().filter_map(list));
    let mut entries: HashMap<SharedPath, Arc<UnsignedEntry>> = HashMap::new();
    for path in lists.into_iter().take(MOST_LISTS) {
        context.go_on()?;
        for (data, entry) in self::entries(&path) {
            entries.entry(data).or_insert_with(|| Arc::new(entry));
        }
    }
    if entries.is_empty() {
        return Ok(());
    }
    for artifact in &mut survey.artifacts {
        if matches!(artifact.state, State::Unsigned(Unclaimed::NoSignature)) {
            artifact.unsigned_entry = entries.get(&artifact.data).cloned();
        }
    }
    Ok(())
}

/// Returns the path of an artifact that is a list without a signature.
fn list(artifact: &Artifact) -> Option<SharedPath> {
    let is_list = match artifact.state {
        State::Unsigned(Unclaimed::NamedList) => true,
        State::Unsigned(Unclaimed::NoSignature) => artifact.data.file_name().is_some_and(is_list),
        _ => false,
    };
    is_list.then(|| artifact.data.clone())
}

/// Returns what a list has of which files. One that cannot be used says nothing: no verdict rests
/// on it.
fn entries(path: &SharedPath) -> Vec<(SharedPath, UnsignedEntry)> {
    let Ok((bytes, file)) = super::read(path, &[]) else {
        return Vec::new();
    };
    if file.digest.is_none() {
        return Vec::new();
    }
    let list = List::parse(&bytes).unwrap_or_default();
    let directory = path.directory().as_path();
    let foreign = foreign(path);
    let entries = list.entries.into_iter().filter_map(|entry| {
        let data = directory.join(checksums::below(&entry.name).ok()?).into();
        let sums = entry.sums.ok()?;
        let entry = UnsignedEntry {
            list: path.clone(),
            foreign: foreign.clone(),
            sums,
        };
        Some((data, entry))
    });
    entries.collect()
}
