//! Lists without a signature: they vouch for nothing. What they say of an artifact that has no
//! signature either is compared with its content, so that its failure can tell damage from a lack of
//! a signature.

use std::collections::HashMap;
use std::sync::Arc;

use super::Context;
use crate::checksums::{self, List};
use crate::files::SharedPath;
use crate::mirror::watch::Ended;
use crate::mirror::{State, Survey};
use crate::names::lists::is_list;
use crate::trust::listed::UnsignedEntry;
use crate::trust::verdict::Unclaimed;
use crate::verify::work::foreign;

/// Maximum number of lists that are read.
const MOST_LISTS: usize = 1000;

/// Adds to the artifacts without a signature what a list without one has of them: the first list that
/// names it.
pub(super) fn compare(survey: &mut Survey, context: Context<'_>) -> Result<(), Ended> {
    let mut unsigned: HashMap<SharedPath, usize> = HashMap::new();
    let mut lists = survey.lists.clone();
    for (at, artifact) in survey.artifacts.iter().enumerate() {
        let is_named_list = match artifact.state {
            State::Unsigned(Unclaimed::NamedList) => true,
            State::Unsigned(Unclaimed::NoSignature) => false,
            _ => continue,
        };
        if is_named_list || artifact.data.file_name().is_some_and(is_list) {
            lists.push(artifact.data.clone());
        }
        unsigned.insert(artifact.data.clone(), at);
    }
    if unsigned.is_empty() {
        return Ok(());
    }
    for path in lists.into_iter().take(MOST_LISTS) {
        context.go_on()?;
        for (data, entry) in entries(&path) {
            if let Some(at) = unsigned.remove(&data) {
                survey.artifacts[at].unsigned_entry = Some(Arc::new(entry));
            }
        }
    }
    Ok(())
}

/// Returns what a list has of which files. One that cannot be used says nothing: no verdict rests on
/// it.
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
