//! What a run did not check: how much of each kind, and the names.

use std::collections::HashSet;

use crate::files::SharedPath;

/// Maximum number of names kept of each kind, and of each excluded pattern. A tree may have a
/// million files that no signature covers; the count has them all.
pub const MOST_NAMES: usize = 10_000;

/// Names of one kind: all are counted, and the first are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    count: u64,
    kept: Vec<SharedPath>,
}

impl Names {
    /// Counts a name, and keeps it if there is room for it.
    pub fn add(&mut self, name: impl FnOnce() -> SharedPath) {
        self.count += 1;
        if self.kept.len() < MOST_NAMES {
            self.kept.push(name());
        }
    }

    /// Returns names of which these were kept.
    pub fn of(count: u64, kept: Vec<SharedPath>) -> Names {
        Names {
            count: count.max(kept.len() as u64),
            kept,
        }
    }

    /// Counts as many as there are known to be, of which others have no names.
    pub fn count_at_least(&mut self, count: u64) {
        self.count = self.count.max(count);
    }

    /// Takes back those that are among `names`. If all that there are were counted, `count` of them
    /// were, whether they are kept or not.
    pub fn forget(&mut self, names: &HashSet<SharedPath>, count: u64, were_counted: bool) {
        let before = self.kept.len();
        self.kept.retain(|name| !names.contains(name));
        let kept = (before - self.kept.len()) as u64;
        let were_all_kept = before as u64 == self.count;
        let forgotten = if were_counted && !were_all_kept {
            count.max(kept)
        } else {
            kept
        };
        self.count = self
            .count
            .saturating_sub(forgotten)
            .max(self.kept.len() as u64);
    }

    /// Adds other names.
    pub fn append(&mut self, other: &Names) {
        let room = MOST_NAMES.saturating_sub(self.kept.len());
        self.kept.extend(other.kept.iter().take(room).cloned());
        self.count = self.count.saturating_add(other.count);
    }

    /// Returns the number of names.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the names that were kept.
    pub fn kept(&self) -> &[SharedPath] {
        &self.kept
    }

    /// Returns the number of names that were not kept.
    pub fn left_off(&self) -> u64 {
        self.count - self.kept.len() as u64
    }
}

impl FromIterator<SharedPath> for Names {
    fn from_iter<I: IntoIterator<Item = SharedPath>>(all: I) -> Names {
        let mut names = Names::default();
        all.into_iter().for_each(|name| names.add(|| name));
        names
    }
}

/// What one excluded pattern left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excluded {
    /// The files, with the signatures that were left out along with their data.
    pub files: Names,
    /// How many of the files have the name of an artifact.
    pub artifacts: u64,
    /// The sizes of the files, in bytes.
    pub bytes: u64,
    /// The directories. What is in them is not known: nothing below them was looked at.
    pub directories: Names,
}

impl Excluded {
    /// Reports whether the pattern left out nothing.
    pub fn is_empty(&self) -> bool {
        self.files.count() == 0 && self.directories.count() == 0
    }
}

/// What a run did not check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unchecked {
    /// What each excluded pattern left out, in the order of the patterns. An entry that several
    /// patterns match belongs to the first of them.
    pub excluded: Vec<Excluded>,
    /// Directories below the maximum depth.
    pub too_deep: Names,
    /// Linked directories that were not entered, and whose content was not judged elsewhere. They
    /// have verdicts: they fail unless that is accepted.
    pub links: Names,
    /// Regular files that no signature covers and that needed none.
    pub uncovered: Names,
    /// Artifacts that were found and not judged before the run ended.
    pub unjudged: Names,
}

impl Unchecked {
    /// Reports whether something was left out that may hold artifacts.
    ///
    /// Fail closed: also files that bear no artifact's name, since a signature covers a file of any
    /// name.
    pub fn has_gaps(&self) -> bool {
        let names = [&self.too_deep, &self.links, &self.unjudged];
        names.iter().any(|names| names.count() > 0) || !self.excluded.iter().all(Excluded::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_million_names_all_are_counted_and_the_first_are_kept() {
        let names: Names = (0..MOST_NAMES + 5).map(|n| n.to_string().into()).collect();
        assert_eq!(names.count(), MOST_NAMES as u64 + 5);
        assert_eq!((names.kept().len(), names.left_off()), (MOST_NAMES, 5));
    }

    #[test]
    fn files_that_needed_no_signature_are_no_gap_and_everything_else_is() {
        let one = || Names::from_iter(["x".into()]);
        let uncovered = Unchecked {
            uncovered: one(),
            ..Unchecked::default()
        };
        assert!(!uncovered.has_gaps());
        let excluded = Unchecked {
            excluded: vec![
                Excluded::default(),
                Excluded {
                    directories: one(),
                    ..Excluded::default()
                },
            ],
            ..Unchecked::default()
        };
        let deep = Unchecked {
            too_deep: one(),
            ..Unchecked::default()
        };
        assert!(excluded.has_gaps() && deep.has_gaps());
        let nothing = Unchecked {
            excluded: vec![Excluded::default()],
            ..Unchecked::default()
        };
        assert!(!nothing.has_gaps());
    }
}
