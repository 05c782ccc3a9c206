//! The names of a bundle's members: one form for each, and no two members with one name.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::Defect;
use super::defect::shown;
use crate::digest::Digest;

/// Maximum length of a name in bytes: PATH_MAX of Linux.
const LONGEST: usize = 4096;

/// Maximum number of components of a path. Images have fewer than ten; the work for a name grows
/// with them.
const DEEPEST: usize = 128;

/// Returns the path in its one form: components joined by `/`, without empty ones and `.`; empty
/// for the root.
///
/// # Errors
/// [`Defect::UnsafeName`] for an empty or absolute name, one with `..` or a zero byte, or one
/// longer than 4096 bytes; [`Defect::NamesTooLong`] for more than 128 components.
pub(super) fn normal(name: &[u8]) -> Result<Vec<u8>, Defect> {
    check(name)?;
    if components(name).any(|component| component == b"..") {
        return Err(unsafe_name(name));
    }
    let all: Vec<&[u8]> = components(name).collect();
    joined(&all)
}

/// Returns the path of a symbolic link's target: relative to the directory of `link`, which is in
/// its one form, `..` included.
///
/// # Errors
/// [`Defect::UnsafeName`] for a target that is empty, absolute, has a zero byte, is longer than
/// 4096 bytes, or leads out of the bundle; [`Defect::NamesTooLong`] for more than 128 components.
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
    joined(&path)
}

fn joined(components: &[&[u8]]) -> Result<Vec<u8>, Defect> {
    if components.len() > DEEPEST {
        return Err(Defect::NamesTooLong);
    }
    Ok(components.join(&b'/'))
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

/// What stands for a name: a part of the SHA-256 of its directory's own, followed by its last
/// component. No two names share it, and each component of a name is hashed once.
type Id = [u8; 16];

/// What stands for the bundle's root.
const ROOT: Id = [0; 16];

/// The names met so far.
#[derive(Debug)]
pub(super) struct Names {
    known: HashMap<Id, Kind>,
    most: usize,
    /// The directory whose name, and those above it, are already known.
    last: Vec<u8>,
    last_id: Id,
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
            last_id: ROOT,
        }
    }

    /// Adds a directory, which may come several times, and those above it.
    ///
    /// # Errors
    /// [`Defect::Duplicate`] if a file or a link has one of these names;
    /// [`Defect::TooManyMembers`].
    pub(super) fn add_directory(&mut self, path: &[u8]) -> Result<(), Defect> {
        self.directory(path).map(|_| ())
    }

    fn directory(&mut self, path: &[u8]) -> Result<Id, Defect> {
        if path.is_empty() {
            return Ok(ROOT);
        }
        if path == self.last {
            return Ok(self.last_id);
        }
        let mut id = ROOT;
        let mut start = 0;
        // Fail closed: a member below a link would, unpacked, lie elsewhere and could replace
        // another one.
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        for end in ends.map(|(end, _)| end).chain([path.len()]) {
            id = below(&id, &path[start..end]);
            if self.add(id, Kind::Directory)? == Kind::Leaf {
                return Err(Defect::Duplicate(shown(&path[..end])));
            }
            start = end + 1;
        }
        self.last = path.to_owned();
        self.last_id = id;
        Ok(id)
    }

    /// Adds a file or a link, and the directories above it.
    ///
    /// # Errors
    /// [`Defect::Duplicate`] if the name is not new; [`Defect::TooManyMembers`].
    pub(super) fn add_leaf(&mut self, path: &[u8]) -> Result<(), Defect> {
        let id = match path.iter().rposition(|byte| *byte == b'/') {
            Some(end) => below(&self.directory(&path[..end])?, &path[end + 1..]),
            None => below(&ROOT, path),
        };
        let before = self.known.len();
        self.add(id, Kind::Leaf)?;
        // Fail closed: programs differ in whether the first or the last of two members counts.
        if self.known.len() == before {
            return Err(Defect::Duplicate(shown(path)));
        }
        Ok(())
    }

    /// Adds a name, unless it is known, and returns its kind.
    fn add(&mut self, id: Id, kind: Kind) -> Result<Kind, Defect> {
        let is_full = self.known.len() >= self.most;
        match self.known.entry(id) {
            Entry::Occupied(known) => Ok(*known.get()),
            Entry::Vacant(_) if is_full => Err(Defect::TooManyMembers),
            Entry::Vacant(place) => Ok(*place.insert(kind)),
        }
    }
}

/// Returns what stands for a name of one component in a directory.
fn below(directory: &Id, component: &[u8]) -> Id {
    let digest = Digest::of(&[directory, component].concat());
    let mut id = ROOT;
    id.copy_from_slice(&digest.as_bytes()[..ROOT.len()]);
    id
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

    #[test]
    fn a_name_has_at_most_128_components() {
        let deepest = ["a"; 128].join("/");
        assert_eq!(normal(deepest.as_bytes()), Ok(deepest.clone().into()));
        let deeper = format!("{deepest}/a");
        assert_eq!(normal(deeper.as_bytes()), Err(Defect::NamesTooLong));
        let to = |path: &str| target(b"b/l", path.as_bytes());
        assert_eq!(to(&format!("../{deepest}")), Ok(deepest.clone().into()));
        assert_eq!(to(&deepest), Err(Defect::NamesTooLong));
    }

    #[test]
    fn names_of_the_same_letters_in_other_directories_are_others() {
        let mut names = Names::new(20);
        for name in ["ab/c", "a/bc", "a/b/c", "abc", "b/c/ab"] {
            assert_eq!(names.add_leaf(name.as_bytes()), Ok(()), "{name}");
        }
        assert_eq!(names.add_leaf(b"a/b/c"), duplicate("a/b/c"));
        assert_eq!(names.add_leaf(b"ab/c"), duplicate("ab/c"));
        assert_eq!(names.add_directory(b""), Ok(()));
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
