//! The key files in the tree and beside it. None of them is trusted: they only help to tell whose
//! signatures those are that no trusted key made. They are read after such a signature was found.

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Inputs;
use crate::content;
use crate::files::SharedPath;
use crate::hints::signers::AtHand;
use crate::mirror::Survey;
use crate::names::endings::is_key;
use crate::trust::key::{Key, MAX_FILE_BYTES};

/// Maximum number of key files that are read.
const MOST_FILES: usize = 64;
/// Maximum number of directories beside the tree that are listed, and of entries in each.
const MOST_DIRECTORIES: usize = 16;
const MOST_ENTRIES: usize = 4096;

/// Where key files may be.
#[derive(Debug, Default)]
pub(super) struct KeyFiles {
    /// Those in the tree.
    inside: Vec<SharedPath>,
    /// Directories that hold a PATH.
    beside: Vec<PathBuf>,
}

impl KeyFiles {
    /// Remembers where to look. Reads nothing.
    pub(super) fn of(survey: &Survey, inputs: &Inputs) -> KeyFiles {
        let paths = match inputs {
            Inputs::Paths(paths) => paths.clone(),
            Inputs::One(one) => vec![one.data.clone(), one.signature.clone()],
        };
        let mut seen = HashSet::new();
        let beside = paths.iter().map(|path| holder(path));
        let beside = beside.chain([PathBuf::new()]);
        KeyFiles {
            inside: survey.key_files.clone(),
            beside: beside
                .filter(|directory| seen.insert(directory.clone()))
                .take(MOST_DIRECTORIES)
                .collect(),
        }
    }

    /// Reads the keys. What is not a key, or cannot be read, is passed over.
    pub(super) fn read(&self) -> Vec<AtHand> {
        let mut seen = HashSet::new();
        let beside = self.beside.iter().flat_map(|directory| listed(directory));
        let files = self.inside.iter().cloned().chain(beside);
        let files = files.filter(|file| seen.insert(file.clone()));
        let key = |file: SharedPath| {
            let key = key_in(&file.to_path_buf())?;
            Some(AtHand {
                key: Arc::new(key),
                file: Some(file),
                trusted_for: None,
            })
        };
        files.take(MOST_FILES).filter_map(key).collect()
    }
}

/// Returns the directory that holds a PATH, in the form it was given.
fn holder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) => parent.to_owned(),
        // The current directory is looked into anyway.
        None => PathBuf::new(),
    }
}

/// Returns the names like those of keys in a directory, in order.
fn listed(directory: &Path) -> Vec<SharedPath> {
    let here = Path::new(".");
    let place = if directory == Path::new("") {
        here
    } else {
        directory
    };
    let entries = place.read_dir().into_iter().flatten();
    let names = entries
        .take(MOST_ENTRIES)
        .flatten()
        .map(|entry| entry.file_name());
    let mut files: Vec<SharedPath> = names
        .filter(|name| is_key(name))
        .map(|name| SharedPath::from(directory.join(name)))
        .collect();
    files.sort_unstable();
    files
}

fn key_in(path: &Path) -> Option<Key> {
    let (file, _) = content::open_regular(path).ok()?;
    let mut bytes = Vec::new();
    let most = MAX_FILE_BYTES as u64 + 1;
    file.take(most).read_to_end(&mut bytes).ok()?;
    Key::parse("", &bytes).ok()
}
