//! The trusted keys, and their abbreviations in the table.

use std::sync::Arc;

use crate::run::{Run, Start};
use crate::trust::key::Key;
use crate::trust::verdict::Verdict;

/// Number of digits of an abbreviated fingerprint, which is shown in full elsewhere.
const SHORT: usize = 12;

/// A trusted key and what it verified.
pub(super) struct KeyRow {
    pub(super) name: String,
    pub(super) fingerprint: String,
    pub(super) valid: usize,
    pub(super) is_pinned: bool,
    pub(super) is_exposed: bool,
    pub(super) only_images: bool,
}

/// Returns the trusted keys, those of images last.
pub(super) fn rows(run: Run<'_>) -> Vec<KeyRow> {
    let row = |key: &Arc<Key>| KeyRow {
        name: key.name().to_owned(),
        fingerprint: key.fingerprint().to_string(),
        valid: run
            .records
            .iter()
            .filter(|r| matches!(&r.verdict, Verdict::Valid { key: by } if by == key))
            .count(),
        is_pinned: run.start.has_pinned_keys(),
        is_exposed: run.start.is_exposed(key),
        only_images: !run.start.keys.contains(key),
    };
    all(run.start).map(row).collect()
}

fn all(start: &Start) -> impl Iterator<Item = &Arc<Key>> {
    let images = start.options.images.iter();
    let of_images = images.flat_map(|images| &images.keys);
    let of_images = of_images.filter(|key| !start.keys.contains(key));
    start.keys.iter().chain(of_images)
}

/// The keys by their numbers.
pub(super) struct Numbers<'a>(Vec<&'a Arc<Key>>);

impl<'a> Numbers<'a> {
    pub(super) fn of(start: &'a Start) -> Numbers<'a> {
        Numbers(all(start).collect())
    }

    /// Returns the class of a key's cells; see [`style`].
    pub(super) fn class(&self, key: &Arc<Key>) -> String {
        let number = self.0.iter().position(|known| *known == key);
        number.map_or_else(String::new, |number| format!(" k{number}"))
    }
}

/// Returns an abbreviated fingerprint.
pub(super) fn short(fingerprint: &str) -> &str {
    fingerprint.get(..SHORT).unwrap_or(fingerprint)
}

/// Returns the part of the style that prints fingerprints in full, without a copy in each row.
pub(super) fn style(keys: &[KeyRow]) -> String {
    let rule = |(number, key): (usize, &KeyRow)| {
        let rest = key.fingerprint.get(SHORT..).unwrap_or_default();
        format!("@media print {{ td.k{number}::after {{ content: \"{rest}\"; }} }}\n")
    };
    keys.iter().enumerate().map(rule).collect()
}
