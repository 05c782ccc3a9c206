//! Names that look alike: they differ only in the case of their letters or in their Unicode normal
//! form (UAX #15), as after copies to FAT, macOS and back. Two such lines appear identical but name
//! two files. Pure: paths in, groups out.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::os::unix::ffi::OsStrExt;

use unicode_normalization::UnicodeNormalization;

use crate::files::SharedPath;

/// The difference between two paths that look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// `case`: in the case of letters.
    Case,
    /// `normal-form`: in their Unicode normal form.
    NormalForm,
    /// `case-and-normal-form`: in both.
    Both,
}

impl Difference {
    /// Returns the difference between two paths, if they look alike and are not equal.
    pub fn between(a: &SharedPath, b: &SharedPath) -> Option<Difference> {
        let (a, b) = (a.to_os_string(), b.to_os_string());
        let (a, b) = (a.as_bytes(), b.as_bytes());
        if a == b || folded(a) != folded(b) {
            None
        } else if composed(a) == composed(b) {
            Some(Difference::NormalForm)
        } else if lower(a) == lower(b) {
            Some(Difference::Case)
        } else {
            Some(Difference::Both)
        }
    }

    /// Returns the difference with this term.
    pub fn named(term: &str) -> Option<Difference> {
        let all = [Difference::Case, Difference::NormalForm, Difference::Both];
        all.into_iter().find(|difference| difference.name() == term)
    }

    /// Returns the term.
    pub fn name(self) -> &'static str {
        match self {
            Difference::Case => "case",
            Difference::NormalForm => "normal-form",
            Difference::Both => "case-and-normal-form",
        }
    }
}

/// Returns the groups of paths that look alike, ordered by their beginning; each path once.
pub fn groups<'a>(paths: impl Iterator<Item = &'a SharedPath>) -> Vec<Vec<&'a SharedPath>> {
    let hasher = RandomState::new();
    // Keyed by a hash of the folded path, so that a million paths need no copy of each.
    let mut first: HashMap<u64, &SharedPath> = HashMap::new();
    let mut groups: HashMap<Vec<u8>, (usize, Vec<&SharedPath>)> = HashMap::new();
    for (at, path) in paths.enumerate() {
        let whole = path.to_os_string();
        let look = folded(whole.as_bytes());
        let known = *first.entry(hasher.hash_one(&look)).or_insert(path);
        if known != path {
            let (_, group) = groups.entry(look.into_owned()).or_insert((at, Vec::new()));
            // A hash collision yields a first path that does not look alike.
            if group.is_empty() && Difference::between(known, path).is_some() {
                group.push(known);
            }
            if !group.contains(&path) {
                group.push(path);
            }
        }
    }
    let mut groups: Vec<(usize, Vec<&SharedPath>)> = groups.into_values().collect();
    groups.retain(|(_, group)| group.len() > 1);
    groups.sort_by_key(|(at, _)| *at);
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Returns the form that names that look alike have in common.
fn folded(name: &[u8]) -> Cow<'_, [u8]> {
    match str::from_utf8(name) {
        Ok(text) if !text.is_ascii() => {
            let lower = text.nfd().collect::<String>().to_lowercase();
            Cow::Owned(lower.nfc().collect::<String>().into_bytes())
        }
        _ => lower(name),
    }
}

fn lower(name: &[u8]) -> Cow<'_, [u8]> {
    match str::from_utf8(name) {
        Ok(text) if !text.is_ascii() => Cow::Owned(text.to_lowercase().into_bytes()),
        _ if name.iter().any(u8::is_ascii_uppercase) => Cow::Owned(name.to_ascii_lowercase()),
        _ => Cow::Borrowed(name),
    }
}

fn composed(name: &[u8]) -> Cow<'_, [u8]> {
    match str::from_utf8(name) {
        Ok(text) if !text.is_ascii() => Cow::Owned(text.nfc().collect::<String>().into_bytes()),
        _ => Cow::Borrowed(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_look_alike_that_differ_in_case_or_normal_form_only() {
        let between = |a: &str, b: &str| Difference::between(&a.into(), &b.into());
        assert_eq!(between("m/X.zst", "m/x.ZST"), Some(Difference::Case));
        assert_eq!(
            between("gr\u{f6}\u{df}e", "gro\u{308}\u{df}e"),
            Some(Difference::NormalForm)
        );
        assert_eq!(
            between("Gr\u{f6}\u{df}e", "gro\u{308}\u{df}e"),
            Some(Difference::Both)
        );
        assert_eq!(between("x", "x"), None);
        assert_eq!(between("x", "y"), None);
    }

    #[test]
    fn each_group_is_named_once_in_its_order() {
        let paths = ["b", "A", "o\u{308}", "a", "B", "a", "c", "\u{f6}", "B"];
        let paths = paths.map(SharedPath::from);
        let groups = groups(paths.iter());
        let expected = [["A", "a"], ["b", "B"], ["o\u{308}", "\u{f6}"]];
        let shown = |path: &&SharedPath| path.to_os_string();
        let groups: Vec<Vec<_>> = groups
            .iter()
            .map(|g| g.iter().map(shown).collect())
            .collect();
        assert_eq!(groups, expected.map(|group| group.to_vec()));
    }
}
