//! The trusted keys, and their abbreviations in the table.

use crate::run::{Run, Start, TrustedKey};
use crate::trust::claimed::ClaimedDigest;

/// Number of digits of an abbreviated fingerprint, which is shown in full elsewhere.
const SHORT: usize = 12;

/// A trusted key and what it verified.
pub(super) struct KeyRow {
    pub(super) name: String,
    pub(super) fingerprint: String,
    /// Its algorithm and hash, if known.
    pub(super) kind: Option<String>,
    pub(super) valid: usize,
    pub(super) is_pinned: bool,
    pub(super) is_exposed: bool,
    pub(super) only_images: bool,
}

/// Returns the trusted keys, those of images last.
pub(super) fn rows(run: Run<'_>) -> Vec<KeyRow> {
    let verified = |key: &TrustedKey| {
        let by = run
            .records
            .iter()
            .filter_map(|record| record.verdict.valid_by());
        by.filter(|by| *by == key.fingerprint).count()
    };
    let row = |(key, only_images): (&TrustedKey, bool)| KeyRow {
        name: key.name.clone(),
        fingerprint: key.fingerprint.to_string(),
        kind: key.kind(),
        valid: verified(key),
        is_pinned: key.is_pinned,
        is_exposed: key.is_exposed,
        only_images,
    };
    let artifacts = run.start.keys.iter().map(|key| (key, false));
    let images = run.start.image_keys().map(|key| (key, true));
    artifacts.chain(images).map(row).collect()
}

/// The keys by their numbers.
pub(super) struct Numbers(Vec<ClaimedDigest>);

impl Numbers {
    pub(super) fn of(start: &Start) -> Numbers {
        let keys = start.keys.iter().chain(start.image_keys());
        Numbers(keys.map(|key| key.fingerprint).collect())
    }

    /// Returns the class of a key's cells; see [`style`].
    pub(super) fn class(&self, key: ClaimedDigest) -> String {
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
