//! What a run shows as a whole and no single verdict tells. A note changes no verdict.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fits::Fits;
use super::key::Key;
use super::signature::Signature;
use super::verdict::{Record, Subject};
use crate::digest::Digest;

/// As many signatures are looked at, in the order of the lines, for what else they fit: it takes a few signatures' time for each, and whoever
/// has more of them has another key or another release before them.
const MOST_UNFIT: usize = 1000;

/// Something that a run shows as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// `same-content`: artifacts with one content bear different names. A signature does not cover the name, so that an old release under
    /// the name of a new one is valid.
    SameContent {
        /// The SHA-256 of them all.
        digest: Digest,
        /// Their paths, in the order of the lines.
        paths: Vec<PathBuf>,
    },
    /// `signature-fits-other`: a signature that is invalid for its artifact was made by a trusted key over another one.
    SignatureFitsOther {
        /// The signature file.
        signature: PathBuf,
        /// The artifact that it belongs to by its name.
        path: PathBuf,
        /// The artifact that it was made over.
        fits: PathBuf,
    },
}

/// Takes in the records of a run, one by one.
#[derive(Debug, Default)]
pub struct Noting {
    contents: HashMap<Digest, Paths>,
    unfit: Vec<Unfit>,
}

/// The artifacts with one content; nearly always one.
#[derive(Debug)]
struct Paths {
    /// The place of the first among all contents.
    place: usize,
    first: Box<Path>,
    others: Vec<PathBuf>,
}

#[derive(Debug)]
struct Unfit {
    path: PathBuf,
    file: PathBuf,
    signature: Box<Signature>,
}

impl Noting {
    /// Takes in a record. They come in the order of the lines.
    pub fn take(&mut self, record: &Record) {
        let Subject::Artifact(path) = &record.subject;
        if let Some(digest) = record.digest {
            self.content(digest, path);
        }
        if let (Some(signature), Some(file)) = (&record.unfit, &record.signature)
            && self.unfit.len() < MOST_UNFIT
        {
            self.unfit.push(Unfit {
                path: path.clone(),
                file: file.clone(),
                signature: signature.clone(),
            });
        }
    }

    fn content(&mut self, digest: Digest, path: &Path) {
        let place = self.contents.len();
        let paths = self.contents.entry(digest).or_insert_with(|| Paths {
            place,
            first: path.into(),
            others: Vec::new(),
        });
        // An artifact with two signatures has two records, one after the other.
        let last = paths.others.last().map_or(&*paths.first, |last| last);
        if last != path {
            paths.others.push(path.to_owned());
        }
    }

    /// What there is to note: first of the contents, then of the signatures, each in the order of the lines.
    pub fn notes(self, keys: &[Arc<Key>]) -> Vec<Note> {
        let mut contents: Vec<(Digest, Paths)> = self.contents.into_iter().collect();
        contents.sort_unstable_by_key(|(_, paths)| paths.place);
        let fitting = fitting(&self.unfit, &contents, keys);
        let same = contents
            .into_iter()
            .filter_map(|(digest, paths)| paths.note(digest));
        same.chain(fitting).collect()
    }
}

impl Paths {
    fn note(self, digest: Digest) -> Option<Note> {
        let name = self.first.file_name();
        let bears_another = |path: &PathBuf| path.file_name() != name;
        // One name in several directories is how mirrors keep one file for several releases.
        self.others
            .iter()
            .any(bears_another)
            .then(|| Note::SameContent {
                digest,
                paths: std::iter::once(self.first.into_path_buf())
                    .chain(self.others)
                    .collect(),
            })
    }
}

/// The signatures that fit another content than that of their artifact.
fn fitting(unfit: &[Unfit], contents: &[(Digest, Paths)], keys: &[Arc<Key>]) -> Vec<Note> {
    if unfit.is_empty() {
        return Vec::new();
    }
    let digests: Vec<Digest> = contents.iter().map(|(digest, _)| *digest).collect();
    let fits = Fits::among(&digests);
    let note = |unfit: &Unfit| {
        let place = keys
            .iter()
            .find_map(|key| fits.find(key, &unfit.signature))?;
        let (_, paths) = contents.get(place)?;
        Some(Note::SignatureFitsOther {
            signature: unfit.file.clone(),
            path: unfit.path.clone(),
            fits: paths.first.to_path_buf(),
        })
    };
    unfit.iter().filter_map(note).collect()
}
