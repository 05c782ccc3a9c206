//! The names of a bundle's members: one form for each, and no two members with one name.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::Defect;
use super::defect::shown;
use crate::digest::Digest;

/// Maximum length of a name in bytes: PATH_MAX of Linux.
const LONGEST: usize = 4096;

/// Returns the path in its one form: components joined by `/`, without empty ones and `.`; empty
/// for the root.
///
/// # Errors
/// [`Defect::UnsafeName`] for an empty or absolute name, one with `..` or a zero byte, or one
/// longer than 4096 bytes.
pub(super) fn normal(name: &[u8]) -> Result<Vec<u8>, Defect> {
    resolved(&[], name)
}

/// Returns the path of a symbolic link's target: relative to the directory of `link`, which is in
/// its one form, `..` included.
///
/// # Errors
/// [`Defect::UnsafeName`] for a target that is empty, absolute, has a zero byte, is longer than
/// 4096 bytes, or leads out of the bundle.
pub(super) fn target(link: &[u8], target: &[u8]) -> Result<Vec<u8>, Defect> {
    let directory = match link.iter().rposition(|byte| *byte == b'/') {
        Some(end) => &link[..end],
        None => &[],
    };
    let is_upward = |component: &[u8]| component == b"..";
    let mut path: Vec<&[u8]> = components(directory).collect();
    check(target)?;
    for component in components(target) {
        if !is_upward(component) {
            path.push(component);
        } else if path.pop().is_none() {
            return Err(unsafe_name(target));
        }
    }
    Ok(path.join(&b'/'))
}

fn resolved(base: &[u8], name: &[u8]) -> Result<Vec<u8>, Defect> {
    check(name)?;
    if components(name).any(|component| component == b"..") {
        return Err(unsafe_name(name));
    }
    let all: Vec<&[u8]> = components(base).chain(components(name)).collect();
    Ok(all.join(&b'/'))
}

fn check(name: &[u8]) -> Result<(), Defect> {
    let is_absolute_or_empty = matches!(name.first(), None | Some(b'/'));
    if is_absolute_or_empty || name.contains(&0) || name.len() > LONGEST {
        return Err(unsafe_name(name));
    }
    Ok(())
}

fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let all = path.split(|byte| *byte == b'/');
    all.filter(|component| !matches!(*component, b"" | b"."))
}

fn unsafe_name(name: &[u8]) -> Defect {
    let beginning = name.get(..LONGEST).unwrap_or(name);
    Defect::UnsafeName(shown(beginning))
}

/// The names met so far. Of each, a part of its SHA-256 is kept: 16 bytes, which no two names
/// share.
#[derive(Debug)]
pub(super) struct Names {
    known: HashMap<[u8; 16], Kind>,
    most: usize,
    /// The directory whose name, and those above it, are already known.
    last: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Directory,
    Leaf,
}

impl Names {
    /// Returns an empty list for at most `most` names, directories included.
    pub(super) fn new(most: usize) -> Names {
        Names {
            known: HashMap::new(),
            most,
            last: Vec::new(),
        }
    }

    /// Adds a directory, which may come several times, and those above it.
    ///
    /// # Errors
    /// [`Defect::Duplicate`] if a file or a link has one of these names;
    /// [`Defect::TooManyMembers`].
    pub(super) fn add_directory(&mut self, path: &[u8]) -> Result<(), Defect> {
        if path == self.last {
            return Ok(());
        }
        // Fail closed: a member below a link would, unpacked, lie elsewhere and could replace
        // another one.
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        for end in ends.map(|(end, _)| end).chain([path.len()]) {
            if self.add(&path[..end], Kind::Directory)? == Kind::Leaf {
                return Err(Defect::Duplicate(shown(&path[..end])));
            }
        }
        self.last = path.to_owned();
        Ok(())
    }

    /// Adds a file or a link, and the directories above it.
    ///
    /// # Errors
    /// [`Defect::Duplicate`] if the name is not new; [`Defect::TooManyMembers`].
    pub(super) fn add_leaf(&mut self, path: &[u8]) -> Result<(), Defect> {
        if let Some(end) = path.iter().rposition(|byte| *byte == b'/') {
            self.add_directory(&path[..end])?;
        }
        let before = self.known.len();
        self.add(path, Kind::Leaf)?;
        // Fail closed: programs differ in whether the first or the last of two members counts.
        if self.known.len() == before {
            return Err(Defect::Duplicate(shown(path)));
        }
        Ok(())
    }

    /// Adds a name, unless it is known, and returns its kind.
    fn add(&mut self, path: &[u8], kind: Kind) -> Result<Kind, Defect> {
        let digest = Digest::of(path);
        let mut part = [0; 16];
        part.copy_from_slice(&digest.as_bytes()[..16]);
        let is_full = self.known.len() >= self.most;
        match self.known.entry(part) {
            Entry::Occupied(known) => Ok(*known.get()),
            Entry::Vacant(_) if is_full => Err(Defect::TooManyMembers),
            Entry::Vacant(place) => Ok(*place.insert(kind)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_unsafe(result: &Result<Vec<u8>, Defect>) -> bool {
        matches!(result, Err(Defect::UnsafeName(_)))
    }

    #[test]
    fn a_name_has_one_form() {
        for (name, form) in [
            ("a", "a"),
            ("./a", "a"),
            ("././/a//b/./c", "a/b/c"),
            ("a/", "a"),
            (".", ""),
            ("./", ""),
            ("...", "..."),
            ("a..b", "a..b"),
        ] {
            assert_eq!(normal(name.as_bytes()), Ok(form.into()), "{name}");
        }
    }

    #[test]
    fn a_name_that_leads_out_of_the_bundle_or_nowhere_is_unsafe() {
        let long = "a/".repeat(2049);
        for name in ["", "/", "/a", "..", "a/..", "a/../b", "../a", "a\0b", &long] {
            assert!(is_unsafe(&normal(name.as_bytes())), "{name:?}");
        }
    }

    #[test]
    fn a_target_is_relative_to_the_directory_of_its_link() {
        for (link, to, path) in [
            ("a", "b", "b"),
            ("d/a", "b", "d/b"),
            ("d/a", "../b", "b"),
            ("d/e/a", "../../x/./layer.tar", "x/layer.tar"),
        ] {
            assert_eq!(target(link.as_bytes(), to.as_bytes()), Ok(path.into()));
        }
        for (link, to) in [("a", ".."), ("d/a", "../../b"), ("a", "/b"), ("a", "")] {
            assert!(is_unsafe(&target(link.as_bytes(), to.as_bytes())), "{to}");
        }
    }

    fn duplicate(name: &str) -> Result<(), Defect> {
        Err(Defect::Duplicate(name.into()))
    }

    #[test]
    fn a_directory_may_come_twice_and_a_file_only_once() {
        let mut names = Names::new(10);
        assert_eq!(names.add_directory(b"a/b"), Ok(()));
        assert_eq!(names.add_directory(b"a"), Ok(()));
        assert_eq!(names.add_directory(b"a/b"), Ok(()));
        assert_eq!(names.add_leaf(b"a/b/c"), Ok(()));
        assert_eq!(names.add_leaf(b"a/b/c"), duplicate("a/b/c"));
        assert_eq!(names.add_leaf(b"a/b"), duplicate("a/b"));
        assert_eq!(names.add_directory(b"a/b/c"), duplicate("a/b/c"));
    }

    #[test]
    fn nothing_lies_below_a_file_or_a_link_in_either_order() {
        let mut names = Names::new(10);
        names.add_leaf(b"a").unwrap();
        assert_eq!(names.add_leaf(b"a/b/c"), duplicate("a"));
        let mut names = Names::new(10);
        names.add_leaf(b"a/b/c").unwrap();
        assert_eq!(names.add_leaf(b"a"), duplicate("a"));
    }

    #[test]
    fn directories_count_among_the_names() {
        let mut names = Names::new(3);
        assert_eq!(names.add_leaf(b"a/b/c"), Ok(()));
        assert_eq!(names.add_leaf(b"a/b/d"), Err(Defect::TooManyMembers));
    }
}
