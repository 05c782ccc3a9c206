//! How much a run did not check, as numbers that every format can carry.

use crate::trust::unchecked::{Excluded, Names, Unchecked};

/// Returns each kind and its number, none left out. The JSON report has the names.
pub(super) fn counts(unchecked: &Unchecked) -> [(&'static str, u64); 6] {
    let excluded = |of: fn(&Excluded) -> &Names| {
        let counts = unchecked.excluded.iter().map(|one| of(one).count());
        counts.sum()
    };
    [
        ("excluded-files", excluded(|one| &one.files)),
        ("excluded-directories", excluded(|one| &one.directories)),
        ("too-deep", unchecked.too_deep.count()),
        ("links", unchecked.links.count()),
        ("uncovered", unchecked.uncovered.count()),
        ("unjudged", unchecked.unjudged.count()),
    ]
}
