//! The siblings of a PATH that is a file: the names that it is paired with.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use super::pairing::{self, Entry, Kind, Needed, Pair};
use super::watch::{Ended, Room};
use super::{located, walk};

/// Memory per entry in bytes while its pairs are kept.
const MEMORY_OF_A_PAIR: usize = 600;

/// Caches the pairs of listed directories, so that each directory is listed once, however many of
/// its files are named.
#[derive(Debug)]
pub(super) struct Siblings {
    listed: HashMap<PathBuf, Listing>,
    /// See [`Search::is_signature`](super::Search::is_signature).
    is_signature: fn(&Path) -> bool,
}

/// The pairs of a directory.
#[derive(Debug, Default)]
struct Listing {
    pairs: Vec<Pair>,
    /// The pairs that each name is part of.
    of: HashMap<OsString, Vec<usize>>,
}

impl Siblings {
    pub(super) fn new(is_signature: fn(&Path) -> bool) -> Siblings {
        Siblings {
            listed: HashMap::new(),
            is_signature,
        }
    }

    /// Returns the pairs that the file of this name is part of: as data, as a part of it, or as a
    /// signature.
    ///
    /// # Errors
    /// If there is too little memory for the directory's entries.
    pub(super) fn pairs(
        &mut self,
        directory: &Path,
        name: &OsStr,
        room: &mut Room<'_>,
    ) -> Result<Vec<Pair>, Ended> {
        if !self.listed.contains_key(directory) {
            // If a directory may be entered but not listed, try the usual names.
            let Ok(mut entries) = listed(directory, room)? else {
                let mut near = near(directory, name);
                located::decide(directory, &mut near, self.is_signature);
                return Ok(Listing::of(&near).pairs_of(name));
            };
            located::decide(directory, &mut entries, self.is_signature);
            room.borrow(MEMORY_OF_A_PAIR * entries.len())?;
            self.listed
                .insert(directory.to_owned(), Listing::of(&entries));
        }
        let listing = self.listed.get(directory);
        Ok(listing.map_or_else(Vec::new, |listing| listing.pairs_of(name)))
    }
}

impl Listing {
    fn of(entries: &[Entry]) -> Listing {
        let pairs = pairing::pair(entries, Needed::AllFiles).pairs;
        let mut of: HashMap<OsString, Vec<usize>> = HashMap::new();
        for (at, pair) in pairs.iter().enumerate() {
            let signature = pair.signature.as_ref().map(|(name, _)| name.as_os_str());
            for name in pair.data_names().chain(signature) {
                of.entry(name.to_owned()).or_default().push(at);
            }
        }
        Listing { pairs, of }
    }

    fn pairs_of(&self, name: &OsStr) -> Vec<Pair> {
        let places = self.of.get(name).into_iter().flatten();
        places
            .filter_map(|at| self.pairs.get(*at).cloned())
            .collect()
    }
}

fn listed(directory: &Path, room: &mut Room<'_>) -> Result<io::Result<Vec<Entry>>, Ended> {
    let listed = if directory == Path::new("") {
        Path::new(".")
    } else {
        directory
    };
    let mut entries = Vec::new();
    let listing = match listed.read_dir() {
        Ok(listing) => listing,
        Err(error) => return Ok(Err(error)),
    };
    for entry in listing {
        let name = match entry {
            Ok(entry) => entry.file_name(),
            Err(error) => return Ok(Err(error)),
        };
        room.take(size_of::<Entry>() + name.len())?;
        room.grow(&mut entries)?;
        entries.extend(entry_at(directory, name));
    }
    Ok(Ok(entries))
}

fn near(directory: &Path, name: &OsStr) -> Vec<Entry> {
    let names = pairing::relatives(name).into_iter();
    names.filter_map(|name| entry_at(directory, name)).collect()
}

fn entry_at(directory: &Path, name: OsString) -> Option<Entry> {
    let path = directory.join(&name);
    match path.symlink_metadata() {
        Err(error) if is_nothing(&error) => return None,
        Ok(_) | Err(_) => {}
    }
    Some(Entry {
        // Fail closed: something exists under this name, though it cannot be examined; opening it
        // will report why.
        kind: walk::kind_at(&path).unwrap_or(Kind::Dangling),
        name,
        excluded: false,
        is_other: false,
    })
}

/// Reports whether an error means that the file does not exist. (A name that is too long never
/// exists.)
fn is_nothing(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | InvalidFilename)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_system_reports_as_absent_is_absent() {
        use rustix::io::Errno;
        for nothing in [Errno::NOENT, Errno::NOTDIR, Errno::NAMETOOLONG] {
            assert!(is_nothing(&nothing.into()), "{nothing}");
        }
        for something in [Errno::IO, Errno::ACCESS, Errno::LOOP, Errno::STALE] {
            assert!(!is_nothing(&something.into()), "{something}");
        }
    }
}
