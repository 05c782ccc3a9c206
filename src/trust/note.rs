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

    /// What there is to note: first of the contents, then of the signatures, each in the order of the lines. Looking for what signatures fit
    /// takes its time; when `cancelled`, nothing is said of them.
    pub fn notes(self, keys: &[Arc<Key>], cancelled: &dyn Fn() -> bool) -> Vec<Note> {
        let mut contents: Vec<(Digest, Paths)> = self.contents.into_iter().collect();
        contents.sort_unstable_by_key(|(_, paths)| paths.place);
        let fitting = fitting(&self.unfit, &contents, keys, cancelled);
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
fn fitting(
    unfit: &[Unfit],
    contents: &[(Digest, Paths)],
    keys: &[Arc<Key>],
    cancelled: &dyn Fn() -> bool,
) -> Vec<Note> {
    if unfit.is_empty() {
        return Vec::new();
    }
    let digests: Vec<Digest> = contents.iter().map(|(digest, _)| *digest).collect();
    let Some(fits) = Fits::among(&digests, cancelled) else {
        return Vec::new();
    };
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
    let unfit = unfit.iter().take_while(|_| !cancelled());
    unfit.filter_map(note).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::verdict::{Invalid, Verdict};
    use p256::ecdsa::SigningKey;
    use p256::ecdsa::signature::hazmat::PrehashSigner;
    use p256::pkcs8::EncodePublicKey;

    fn key() -> SigningKey {
        SigningKey::from_slice(&[1; 32]).unwrap()
    }

    fn trusted() -> Vec<Arc<Key>> {
        let der = key().verifying_key().to_public_key_der().unwrap();
        vec![Arc::new(Key::parse("k", der.as_bytes()).unwrap())]
    }

    fn hashed(path: &str, content: &str) -> Record {
        Record {
            digest: Some(Digest::of(content.as_bytes())),
            ..Record::unhashed(path.into(), None, Verdict::Missing)
        }
    }

    /// A record whose signature was made over something else.
    fn unfit(path: &str, content: &str, signed: &str) -> Record {
        let digest = Digest::of(signed.as_bytes());
        let signature = Signature(key().sign_prehash(digest.as_bytes()).unwrap());
        Record {
            verdict: Verdict::Invalid(Invalid::NoKeyVerifies),
            signature: Some(format!("{path}.sig.bin").into()),
            unfit: Some(Box::new(signature)),
            ..hashed(path, content)
        }
    }

    fn noted(records: impl IntoIterator<Item = Record>) -> Vec<Note> {
        let mut noting = Noting::default();
        records.into_iter().for_each(|record| noting.take(&record));
        noting.notes(&trusted(), &|| false)
    }

    fn same(content: &str, paths: &[&str]) -> Note {
        Note::SameContent {
            digest: Digest::of(content.as_bytes()),
            paths: paths.iter().map(PathBuf::from).collect(),
        }
    }

    fn fits(path: &str, other: &str) -> Note {
        Note::SignatureFitsOther {
            signature: format!("{path}.sig.bin").into(),
            path: path.into(),
            fits: other.into(),
        }
    }

    #[test]
    fn one_content_is_noted_once_with_all_its_paths_if_they_differ_in_their_names() {
        let records = [
            ("m/b", "1"),
            ("m/a", "2"),
            ("n/a", "2"),
            ("m/c", "1"),
            ("n/c", "1"),
        ];
        let notes = noted(records.map(|(path, content)| hashed(path, content)));
        assert_eq!(notes, [same("1", &["m/b", "m/c", "n/c"])]);
    }

    #[test]
    fn two_records_of_one_path_are_one_path() {
        let paths = ["m/a", "m/a", "m/b", "m/b", "m/c"];
        let notes = noted(paths.map(|path| hashed(path, "1")));
        assert_eq!(notes, [same("1", &["m/a", "m/b", "m/c"])]);
    }

    #[test]
    fn contents_are_noted_in_the_order_of_the_lines_and_signatures_after_them() {
        let records = [
            unfit("e", "5", "2"),
            hashed("d", "1"),
            hashed("c", "2"),
            hashed("b", "2"),
            hashed("a", "1"),
        ];
        let expected = [
            same("1", &["d", "a"]),
            same("2", &["c", "b"]),
            fits("e", "c"),
        ];
        assert_eq!(noted(records), expected);
    }

    #[test]
    fn of_many_signatures_that_fit_elsewhere_a_thousand_are_looked_at() {
        let records = (0..1001).map(|n| unfit(&n.to_string(), "same", "other"));
        let notes = noted(records.chain([hashed("x", "other")]));
        let fitting = notes
            .iter()
            .filter(|note| matches!(note, Note::SignatureFitsOther { .. }));
        assert_eq!(fitting.count(), 1000);
    }

    #[test]
    fn when_cancelled_nothing_is_said_of_signatures() {
        let mut noting = Noting::default();
        for record in [unfit("a", "1", "2"), hashed("b", "2"), hashed("c", "2")] {
            noting.take(&record);
        }
        assert_eq!(noting.notes(&trusted(), &|| true), [same("2", &["b", "c"])]);
    }
}
