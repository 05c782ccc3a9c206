//! Checksum lists: finds the lists of a survey, verifies their signatures, and brings what they
//! name into the survey.
//!
//! A list is read once, here, and what was verified is what is parsed.

mod beside;
mod named;
mod signed;
mod unsigned;

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::path::PathBuf;

use crate::checksums::MOST_BYTES;
use crate::content::{self, ReadError};
use crate::digest::Digest;
use crate::engine::Settings;
use crate::files::SharedPath;
use crate::mirror::vouched::{self, Vouched};
use crate::mirror::watch::{Ended, Watch};
use crate::mirror::{Artifact, Search, State, Survey};
use crate::names::lists::is_list;
use crate::trust::format::Ignored;
use crate::trust::record::SignatureFile;
use signed::Signed;

/// What it takes to find lists and to judge them.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// The PATHs.
    pub(super) roots: &'a [PathBuf],
    pub(super) search: &'a Search,
    pub(super) settings: &'a Settings,
    pub(super) watch: Watch<'a>,
}

impl Context<'_> {
    /// Returns an error if the survey was cancelled.
    fn go_on(&self) -> Result<(), Ended> {
        if (self.watch.cancelled)() {
            return Err(Ended::Cancelled);
        }
        Ok(())
    }
}

/// Brings what the lists of a survey name into it: the lists among its artifacts, by their names;
/// those that the user named; and those beside a PATH that is a file, for that file alone.
///
/// # Errors
/// If it ended early.
pub(super) fn bring(survey: &mut Survey, context: Context<'_>) -> Result<(), Ended> {
    let named = named::bring(survey, context)?;
    let mut vouched = Vec::new();
    let lists = lists(&survey.artifacts, &named);
    for (path, signed) in &lists {
        context.go_on()?;
        vouched.extend(judged(
            survey,
            path,
            signed,
            named.contains(path),
            context.settings,
        ));
    }
    vouched.extend(beside::vouched(survey, &lists, context)?);
    if !vouched.is_empty() {
        // What a list names may lie in directories that were not walked.
        survey.control_files = true;
        vouched::bring(
            survey,
            context.roots,
            context.search,
            vouched,
            context.watch,
        )?;
    }
    unsigned::compare(survey, context)
}

/// Judges the list at `path`, of which the artifacts with these indices have a signature each.
/// Returns what it vouches for.
fn judged(
    survey: &mut Survey,
    path: &SharedPath,
    signed: &[usize],
    is_named: bool,
    settings: &Settings,
) -> Vec<Vouched> {
    let artifacts: Vec<&Artifact> = signed.iter().map(|at| &survey.artifacts[*at]).collect();
    let list = Signed::read(path, &artifacts, settings);
    for at in signed {
        list.mark(&mut survey.artifacts[*at], is_named);
    }
    if matches!(list, Signed::NotAList(_)) && !is_named {
        survey.not_lists.push(path.clone());
    }
    list.vouched(path, signed.first().copied().unwrap_or_default())
}

/// Returns the lists that have a signature, each with the indices of its artifacts: one for each
/// signature.
fn lists(artifacts: &[Artifact], named: &HashSet<SharedPath>) -> BTreeMap<SharedPath, Vec<usize>> {
    let mut lists: BTreeMap<SharedPath, Vec<usize>> = BTreeMap::new();
    for (at, artifact) in artifacts.iter().enumerate() {
        let is_called_so = || artifact.data.file_name().is_some_and(is_list);
        let is_list = || is_called_so() || named.contains(&artifact.data);
        if matches!(artifact.state, State::Signed(..)) && is_list() {
            lists.entry(artifact.data.clone()).or_default().push(at);
        }
    }
    lists
}

/// Returns the bytes of a list, joined from its parts if it has any. Of a list that is longer than
/// any that is read, the description has no digest.
fn read(path: &SharedPath, parts: &[SharedPath]) -> Result<(Vec<u8>, SignatureFile), ReadError> {
    let whole = std::slice::from_ref(path);
    let (mut bytes, mut modified) = (Vec::new(), None);
    for file in if parts.is_empty() { whole } else { parts } {
        let (file, stamp) = content::open_regular(&file.to_path_buf())?;
        let room = (MOST_BYTES + 1).saturating_sub(bytes.len() as u64);
        file.take(room).read_to_end(&mut bytes)?;
        modified = modified.or(stamp.modified());
    }
    let size = bytes.len() as u64;
    let digest = (size <= MOST_BYTES).then(|| Digest::of(&bytes));
    let file = SignatureFile {
        digest,
        size,
        modified,
        format: None,
        ignored: Ignored::default(),
    };
    Ok((bytes, file))
}
