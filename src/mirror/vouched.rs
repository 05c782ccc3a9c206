//! Brings what signed checksum lists name into a survey: each listed file once for each list,
//! at any depth below the list, and whether it exists or not.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::ops::Bound;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::located::{split, whole};
use super::siblings::Siblings;
use super::watch::{Ended, Room, Watch};
use super::{Artifact, Search, State, Survey, order, targets, walk};
use crate::files::SharedPath;
use crate::mirror::pairing::Kind;
use crate::names::endings::is_signature;
use crate::names::parts;
use crate::trust::listed::{ListEntry, Unlisted};
use crate::trust::verdict::Unclaimed;

/// A file that a signed list names.
#[derive(Clone, Debug)]
pub struct Vouched {
    /// The index of the list in the survey's artifacts.
    pub at: usize,
    /// The list.
    pub list: SharedPath,
    /// The file, below the list's directory.
    pub data: SharedPath,
    /// What the list says of it.
    pub says: Result<Arc<ListEntry>, Unlisted>,
}

/// Memory per listed file in bytes: its artifact, and its places in the indexes.
const MEMORY_OF_A_LISTED: usize = size_of::<Artifact>() + 400;

/// Brings listed files into a survey of the PATHs `roots`, in the order of its artifacts. A file
/// that no signature claims is judged by its lists; one with a signature is judged by both.
///
/// # Errors
/// If it ended early.
pub fn bring(
    survey: &mut Survey,
    roots: &[PathBuf],
    search: &Search,
    vouched: Vec<Vouched>,
    watch: Watch<'_>,
) -> Result<(), Ended> {
    let mut room = Room::new(watch);
    room.take(MEMORY_OF_A_LISTED * (vouched.len() + survey.artifacts.len()))?;
    let artifacts = std::mem::take(&mut survey.artifacts);
    let mut here = Here::of(&artifacts);
    let runs = sorted_runs(&artifacts);
    let mut judged_by_list: HashSet<usize> = HashSet::new();
    let mut covered: HashSet<SharedPath> = HashSet::new();
    let mut listed: Vec<(usize, Artifact)> = Vec::new();
    for one in vouched {
        watch.go_on()?;
        if let Some(pattern) = excluded_by(&one.data, roots, search) {
            note_excluded(survey, pattern, &one.data);
            continue;
        }
        let run = runs.partition_point(|start| *start <= one.at);
        covered.insert(one.data.clone());
        let (artifact, instead_of) = here.listed(one);
        judged_by_list.extend(instead_of);
        listed.push((run, artifact));
    }
    let is_walked_whole = search.reach.max_depth.is_none();
    survey
        .unchecked
        .uncovered
        .forget(&covered, here.unclaimed(&covered), is_walked_whole);
    let rest = artifacts.into_iter().enumerate();
    let rest = rest.filter(|(at, _)| !judged_by_list.contains(at));
    let rest = rest.map(|(at, artifact)| (runs.partition_point(|start| *start <= at), artifact));
    listed.extend(rest);
    listed.sort_by(|(run, a), (other, b)| run.cmp(other).then_with(|| order(a).cmp(&order(b))));
    let all = listed.into_iter().map(|(_, artifact)| artifact).collect();
    // Links to what only a list vouches for.
    let mut siblings = Siblings::new(search.is_signature);
    survey.artifacts = targets::share_signatures(all, &mut siblings, watch, &mut room)?;
    Ok(())
}

/// Adds artifacts to a survey: in the order of its lines if they are below its only PATH, behind
/// all others otherwise.
pub fn add(survey: &mut Survey, artifacts: Vec<Artifact>, roots: &[PathBuf]) {
    for artifact in artifacts {
        let all = &mut survey.artifacts;
        let at = match roots {
            [root] if is_below(root, &artifact.data) => {
                all.partition_point(|other| order(other) <= order(&artifact))
            }
            _ => all.len(),
        };
        all.insert(at, artifact);
    }
}

fn is_below(root: &Path, data: &SharedPath) -> bool {
    root == Path::new(".") || data.to_path_buf().starts_with(root)
}

/// Returns where the artifacts of another PATH begin, as far as the order shows it.
fn sorted_runs(artifacts: &[Artifact]) -> Vec<usize> {
    let pairs = artifacts.windows(2).enumerate();
    let breaks = pairs.filter(|(_, pair)| order(&pair[0]) > order(&pair[1]));
    breaks.map(|(at, _)| at + 1).collect()
}

/// Returns the first pattern that excludes a listed file, or a directory above it.
fn excluded_by(data: &SharedPath, roots: &[PathBuf], search: &Search) -> Option<usize> {
    let path = data.to_path_buf();
    let below = |root: &PathBuf| {
        if root == Path::new(".") {
            return Some(path.clone());
        }
        path.strip_prefix(root).ok().map(Path::to_owned)
    };
    let patterns = |below: PathBuf| {
        let above = below.ancestors().filter(|part| *part != Path::new(""));
        let matches = above.flat_map(|part| search.reach.exclude.matches(part));
        matches.min()
    };
    // Fail closed: what one PATH brings in is not excluded by its place below another.
    let of_roots = roots.iter().filter_map(below).map(patterns);
    let of_roots: Option<Vec<usize>> = of_roots.collect();
    of_roots?.into_iter().min()
}

/// Counts a listed file that is excluded and not there, so that no walk has counted it.
fn note_excluded(survey: &mut Survey, pattern: usize, data: &SharedPath) {
    let excluded = survey.unchecked.excluded.get_mut(pattern);
    if let Some(excluded) = excluded.filter(|_| data.to_path_buf().symlink_metadata().is_err()) {
        excluded.files.add(|| data.clone());
        excluded.artifacts += 1;
    }
}

/// The artifacts that the walk found, by their paths.
struct Here<'a> {
    artifacts: &'a [Artifact],
    at: BTreeMap<&'a SharedPath, Vec<usize>>,
    /// The names in directories in which something was missing.
    names: HashMap<PathBuf, BTreeSet<OsString>>,
}

impl<'a> Here<'a> {
    fn of(artifacts: &'a [Artifact]) -> Here<'a> {
        let mut at: BTreeMap<&SharedPath, Vec<usize>> = BTreeMap::new();
        for (n, artifact) in artifacts.iter().enumerate() {
            at.entry(&artifact.data).or_default().push(n);
        }
        Here {
            artifacts,
            at,
            names: HashMap::new(),
        }
    }

    /// Returns the names in a directory; none, if it cannot be listed.
    fn names_in(&mut self, directory: &Path) -> &BTreeSet<OsString> {
        self.names.entry(directory.to_owned()).or_insert_with(|| {
            let entries = fs::read_dir(Path::new(".").join(directory));
            let entries = entries.into_iter().flatten().flatten();
            entries.map(|entry| entry.file_name()).collect()
        })
    }

    /// Returns how many of these files are there, and claimed by no signature and needed none:
    /// those that the walk counted as not covered.
    fn unclaimed(&self, covered: &HashSet<SharedPath>) -> u64 {
        let is_unclaimed = |path: &&SharedPath| {
            !self.at.contains_key(path)
                && !path.file_name().is_some_and(is_signature)
                && path.to_path_buf().is_file()
        };
        covered.iter().filter(is_unclaimed).count() as u64
    }

    /// Returns the artifact of a listed file, and the indices of those that it takes the place of.
    fn listed(&mut self, one: Vouched) -> (Artifact, Vec<usize>) {
        let Vouched {
            list, data, says, ..
        } = one;
        let same: Vec<usize> = self.at.get(&data).cloned().unwrap_or_default();
        // What has no signature of its own is judged by the list.
        let is_judged_so = |at: &usize| {
            let state = &self.artifacts[*at].state;
            matches!(state, State::Unsigned(_) | State::SavedImage(_))
        };
        let mut instead_of: Vec<usize> = same.iter().copied().filter(is_judged_so).collect();
        let listing = match says {
            Ok(listing) => listing,
            Err(why) => {
                let state = State::Unlisted(list, why);
                return (Artifact::new(data, state), instead_of);
            }
        };
        let found = whole_file(&data, &list);
        let is_missing = matches!(found.state, State::Missing(_));
        let of_parts = is_missing.then(|| self.of_parts(&data, &list, &same));
        let artifact = match of_parts.flatten() {
            Some((artifact, parts)) => {
                instead_of.extend(parts);
                artifact
            }
            None => Artifact {
                state: match found.state {
                    State::Missing(list) => State::Unlisted(list, Unlisted::Missing),
                    state => state,
                },
                ..found
            },
        };
        let listing = Some(listing);
        (
            Artifact {
                listing,
                ..artifact
            },
            instead_of,
        )
    }

    /// Returns the artifact of a listed file that was split, and the indices of its parts where no
    /// signature claims them. `same`: the artifacts of that name.
    fn of_parts(
        &mut self,
        data: &SharedPath,
        list: &SharedPath,
        same: &[usize],
    ) -> Option<(Artifact, Vec<usize>)> {
        let signature = (list.clone(), Kind::File);
        let mut parts = same.iter().map(|at| &self.artifacts[*at].parts);
        if let Some(parts) = parts.find(|parts| !parts.is_empty()) {
            let parts = Arc::clone(parts);
            return Some((split(data.clone(), parts, None, signature), Vec::new()));
        }
        let name = data.file_name()?.as_bytes();
        let directory = data.directory();
        let names = self.names_in(directory.as_path());
        let behind = (Bound::Excluded(data.file_name()?), Bound::Unbounded);
        let beginning = names
            .range::<OsStr, _>(behind)
            .map_while(|found| Some((found, found.as_bytes().strip_prefix(name)?)));
        let candidates: Vec<(Vec<u8>, SharedPath)> = beginning
            .map(|(found, rest)| (rest.to_vec(), directory.join(found)))
            .filter(|(_, path)| path.to_path_buf().is_file())
            .collect();
        let found = parts::collect(candidates.iter().map(|(rest, path)| (&rest[..], path)))?;
        let is_part = |at: &usize| {
            matches!(
                self.artifacts[*at].state,
                State::Unsigned(Unclaimed::PartWithoutWhole)
            )
        };
        let of_parts = found.present.iter().flat_map(|path| self.at.get(*path));
        let instead_of = of_parts.flatten().copied().filter(is_part).collect();
        let missing = found.missing.as_ref();
        let missing = missing.map(|rest| data.followed_by(OsStr::from_bytes(rest)));
        let paths = found.present.into_iter().cloned();
        let artifact = split(data.clone(), paths.collect(), missing, signature);
        Some((artifact, instead_of))
    }
}

/// Returns the artifact of a listed file that is not split.
fn whole_file(data: &SharedPath, list: &SharedPath) -> Artifact {
    // Fail closed: a file that cannot be examined is opened all the same; opening it reports the
    // error.
    let kind = walk::kind_at(&data.to_path_buf()).unwrap_or(Kind::Dangling);
    whole(data.clone(), kind, Some((list.clone(), Kind::File)))
}
