//! What the runs did not check.

use super::paths::Paths;
use super::{Part, PartError};
use crate::trust::unchecked::{Excluded, Names, Unchecked};
use crate::wire;

/// Reads what a run did not check.
///
/// # Errors
/// [`PartError::Damaged`] if a path is none.
pub(super) fn read(
    unchecked: &wire::NotChecked<'_>,
    paths: &mut Paths<'_>,
) -> Result<Unchecked, PartError> {
    let mut excluded = Vec::new();
    for one in &unchecked.excluded {
        excluded.push(Excluded {
            files: names(&one.files, paths)?,
            artifacts: one.artifacts,
            bytes: one.bytes,
            directories: names(&one.directories, paths)?,
        });
    }
    Ok(Unchecked {
        excluded,
        too_deep: names(&unchecked.too_deep, paths)?,
        links: names(&unchecked.links, paths)?,
        uncovered: names(&unchecked.uncovered, paths)?,
        unjudged: names(&unchecked.unjudged, paths)?,
    })
}

fn names(names: &wire::Names<'_>, paths: &mut Paths<'_>) -> Result<Names, PartError> {
    Ok(Names::of(names.count, paths.paths(&names.paths)?))
}

/// Returns what no shard checked. Every shard surveys the whole mirror, so each has the same to
/// say; of several, what is more. What was not judged differs.
pub(super) fn of(parts: &[Part]) -> Unchecked {
    let mut all = parts.iter().map(|part| part.unchecked.clone());
    let Some(mut merged) = all.next() else {
        return Unchecked::default();
    };
    for other in all {
        for (known, one) in merged.excluded.iter_mut().zip(other.excluded) {
            more(&mut known.files, one.files);
            more(&mut known.directories, one.directories);
            known.artifacts = known.artifacts.max(one.artifacts);
            known.bytes = known.bytes.max(one.bytes);
        }
        more(&mut merged.too_deep, other.too_deep);
        more(&mut merged.links, other.links);
        more(&mut merged.uncovered, other.uncovered);
        merged.unjudged.append(&other.unjudged);
    }
    merged
}

fn more(known: &mut Names, other: Names) {
    if other.count() > known.count() {
        *known = other;
    }
}
