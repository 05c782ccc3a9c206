//! What was not checked, as the page shows it.

use super::super::{unchecked, words};
use crate::run::Run;

/// Maximum number of names that the page lists of one kind.
const MOST: usize = 1000;
/// Maximum number of names that are shown without a click.
const IN_SIGHT: usize = 20;

/// One kind of what was not checked.
pub(super) struct Gap {
    pub(super) sentence: String,
    pub(super) names: Vec<String>,
    /// The number of names that are not listed.
    pub(super) more: u64,
    pub(super) is_folded: bool,
}

/// Returns each kind that has any.
pub(super) fn gaps(run: Run<'_>) -> Vec<Gap> {
    let patterns = &run.start.options.exclude;
    let kinds = unchecked::kinds(patterns, &run.end.unchecked).into_iter();
    kinds.map(gap).collect()
}

fn gap(kind: unchecked::Kind<'_>) -> Gap {
    let kept = kind.names.iter().flat_map(|names| names.kept());
    let names: Vec<String> = kept.take(MOST).map(words::shown).collect();
    let all: u64 = kind.names.iter().map(|names| names.count()).sum();
    Gap {
        sentence: kind.sentence,
        more: all - names.len() as u64,
        is_folded: names.len() > IN_SIGHT,
        names,
    }
}
