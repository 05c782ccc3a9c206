//! Lists beside a PATH that is a file: they are asked about that file, and nothing else.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::Context;
use super::signed::Signed;
use crate::files::{Directory, SharedPath};
use crate::mirror::vouched::Vouched;
use crate::mirror::watch::Ended;
use crate::mirror::{self, Artifact, State, Survey};
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
        for name in list_names(&directory) {
            context.go_on()?;
            let list = Directory::new(&directory).join(&name);
            if judged.contains_key(&list) {
                continue;
            }
            let found = mirror::survey(&[list.to_path_buf()], context.search, context.watch)?;
            let is_signed = |artifact: &&Artifact| {
                artifact.data == list && matches!(artifact.state, State::Signed(..))
            };
            let signed: Vec<&Artifact> = found.artifacts.iter().filter(is_signed).collect();
            if signed.is_empty() {
                continue;
            }
            let all = Signed::read(&list, &signed, context.settings).vouched(&list, 0);
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

/// Returns the names in a directory that are like those of lists. One that cannot be listed has none:
/// no verdict gets better by that.
fn list_names(directory: &Path) -> Vec<OsString> {
    let entries = fs::read_dir(Path::new(".").join(directory));
    let entries = entries.into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name());
    let mut names: Vec<OsString> = names.filter(|name| is_list(name)).collect();
    names.sort_unstable();
    names
}
