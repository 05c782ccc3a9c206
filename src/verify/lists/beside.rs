//! Lists beside a PATH that is a file: they are asked about that file, and nothing else.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::Context;
use super::signed::Signed;
use crate::files::SharedPath;
use crate::mirror::helpers::Helpers;
use crate::mirror::vouched::Vouched;
use crate::mirror::watch::Ended;
use crate::mirror::{self, Artifact, State, Survey};
use crate::names::endings::strip_signature;
use crate::names::lists::is_list;

/// Returns what lists with valid signatures say of the files that PATHs bring in by themselves.
/// `judged` are the lists that are judged in the run already.
pub(super) fn vouched(
    survey: &Survey,
    judged: &BTreeMap<SharedPath, Vec<usize>>,
    context: Context<'_>,
) -> Result<Vec<Vouched>, Ended> {
    let mut vouched = Vec::new();
    for (directory, files) in by_directory(survey, context.roots) {
        let lists: Vec<PathBuf> = signed_lists(&directory)
            .into_iter()
            .filter(|list| !judged.contains_key(&SharedPath::from(list.as_path())))
            .collect();
        if lists.is_empty() {
            continue;
        }
        let found = mirror::survey(&lists, context.search, context.watch, &Helpers::none())?;
        let mut signatures: BTreeMap<&SharedPath, Vec<&Artifact>> = BTreeMap::new();
        for artifact in &found.artifacts {
            let is_called_so = artifact.data.file_name().is_some_and(is_list);
            if is_called_so && matches!(artifact.state, State::Signed(..)) {
                signatures.entry(&artifact.data).or_default().push(artifact);
            }
        }
        for (list, signed) in signatures {
            context.go_on()?;
            let all = Signed::read(list, &signed, context.settings).vouched(list, 0);
            vouched.extend(all.into_iter().filter_map(|one| {
                let at = *files.get(&one.data)?;
                Some(Vouched { at, ..one })
            }));
        }
    }
    Ok(vouched)
}

/// Returns the data files that PATHs bring in by themselves, with their indices, by directory.
fn by_directory(
    survey: &Survey,
    roots: &[PathBuf],
) -> BTreeMap<PathBuf, HashMap<SharedPath, usize>> {
    let files = roots.iter().filter(|root| !root.is_dir());
    let files: HashSet<SharedPath> = files.map(|root| root.as_path().into()).collect();
    let mut all: BTreeMap<PathBuf, HashMap<SharedPath, usize>> = BTreeMap::new();
    if files.is_empty() {
        return all;
    }
    for (at, artifact) in survey.artifacts.iter().enumerate() {
        let mut names = [Some(&artifact.data), artifact.signature()].into_iter();
        if names.any(|name| name.is_some_and(|name| files.contains(name))) {
            let directory = artifact.data.directory().as_path().to_owned();
            let files = all.entry(directory).or_default();
            files.entry(artifact.data.clone()).or_insert(at);
        }
    }
    all
}

/// Returns the files in a directory that are named like lists, and have a file beside them that is
/// named like their signature. A directory that cannot be listed has none: no verdict gets better
/// by that.
fn signed_lists(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(Path::new(".").join(directory));
    let entries = entries.into_iter().flatten().flatten();
    let names: HashSet<OsString> = entries.map(|entry| entry.file_name()).collect();
    let stems = names
        .iter()
        .filter_map(|name| strip_signature(name.as_bytes()));
    let stems = stems.map(|(stem, _)| OsStr::from_bytes(stem));
    let lists = stems.filter(|stem| is_list(stem) && names.contains(*stem));
    let mut lists: Vec<PathBuf> = lists.map(|list| directory.join(list)).collect();
    lists.sort_unstable();
    lists.dedup();
    lists
}
