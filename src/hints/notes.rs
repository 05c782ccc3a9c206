//! Notes on the run as a whole, which no single verdict contains. A note changes no verdict.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::budget::Budget;
use super::cross_match::Seeking;
use super::same_content::{Content, same_contents};
use super::signers::{Signed, Signer, Strangers};
use crate::digest::Digest;
use crate::files::SharedPath;
use crate::trust::claimed::{ClaimedDigest, KeyName};
use crate::trust::image_notes::ImageNote;
use crate::trust::key::Key;
use crate::trust::record::{Record, Subject};
use crate::trust::signature::Signature;
use crate::trust::verdict::{Invalid, Verdict};

/// Maximum number of signatures, in the order of the lines, to match with other artifacts by one
/// key; fewer by several. Each costs a few verifications, and a run with more of them has another
/// key or another release.
const MOST_UNFIT: usize = 1000;
/// Maximum work of the search, in verifications, regardless of its size: a few seconds, and enough
/// for a hundred thousand contents.
const MOST_WORK: usize = 45_000;
/// Number of contents between two checks for cancellation: a few milliseconds' work.
const AT_ONCE: usize = 96;

/// A finding on the run as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// `same-content`: artifacts with one content, of which at least one passes, have different
    /// names. A signature does not cover the name, so an old release under the name of a new one is
    /// valid.
    SameContent {
        /// The SHA-256 that they share.
        digest: ClaimedDigest,
        /// Their paths, in the order of the lines.
        paths: Vec<SharedPath>,
    },
    /// `signature-fits-other`: a signature that is invalid for its artifact was made by a trusted
    /// key over another one.
    SignatureFitsOther {
        /// The signature file.
        signature: SharedPath,
        /// The artifact that it is paired with by name.
        path: SharedPath,
        /// The artifact that it was made over.
        verifies: SharedPath,
    },
    /// `signature-fits`: a signature file that is paired with no file was made by a trusted key
    /// over this artifact.
    SignatureFits {
        /// The signature file.
        signature: SharedPath,
        /// The artifact that it was made over.
        verifies: SharedPath,
    },
    /// `stray-signature`: a file with a name like a signature's that is paired with no file.
    StraySignature {
        /// The file.
        path: SharedPath,
    },
    /// `not-a-list`: a file with a name like a checksum list's that a trusted key signed, and that
    /// lists nothing.
    NotAList {
        /// The file.
        path: SharedPath,
    },
    /// `wrong-key`: no signature of the run is valid for a trusted key, and all are well formed.
    WrongKey {
        /// The trusted keys.
        keys: Vec<KeyName>,
        /// Number of signatures.
        signatures: u64,
    },
    /// `other-signer`: one key that is not trusted made several signatures, or one whose file is at
    /// hand made some. This says nothing about whether to trust it.
    OtherSigner {
        /// The key, and what it signed.
        signer: Box<Signer>,
        /// Number of signatures that were examined.
        examined: u64,
        /// Number of signatures that no trusted key made.
        failed: u64,
    },
    /// `no-common-signer`: signatures that no trusted key made, nor any key that made another one:
    /// what they are for was probably changed.
    NoCommonSigner {
        /// What they are for, in the order of the lines.
        of: Vec<Signed>,
        /// Number of signatures that were examined.
        examined: u64,
        /// Number of signatures that no trusted key made.
        failed: u64,
    },
    /// `spare-parts`: an artifact exists whole, and so do parts that it was split into, which were
    /// not read.
    SpareParts {
        /// The artifact.
        whole: SharedPath,
        /// Its parts.
        paths: Vec<SharedPath>,
    },
    /// `alike-names`: names of artifacts that look alike.
    AlikeNames {
        /// The difference: a term of [`Difference`](crate::names::alike::Difference).
        difference: &'static str,
        /// Their paths, in the order of the lines.
        paths: Vec<SharedPath>,
    },
    /// `same-directory`: a directory has two names, and its content is judged under only one of
    /// them.
    SameDirectory {
        /// The name under which it was not entered.
        path: SharedPath,
        /// The name under which its content is judged.
        judged_as: SharedPath,
    },
    /// `unused-registry`: no image of the run has a name below this value of `--signed-registry`.
    UnusedRegistry {
        /// The value.
        prefix: String,
    },
    /// `within-shards`: this is a merge, and what takes reading signatures (which file one fits,
    /// and which key made it) was looked for in each shard by itself.
    WithinShards,
    /// A note on the images in an artifact.
    Images {
        /// The artifact.
        path: SharedPath,
        /// What there is to note.
        note: ImageNote,
    },
}

/// Collects the records of a run, one by one.
#[derive(Debug, Default)]
pub struct NoteCollector {
    contents: Vec<Content<Digest>>,
    unfit: Vec<Unfit>,
    /// Signatures that no trusted key made over their artifacts and images.
    pub(crate) strangers: Strangers,
    /// Number of those of artifacts.
    strange: u64,
    /// Whether there was a valid signature, or a signature file that contains none.
    is_mixed: bool,
    /// Notes on the images in artifacts.
    images: Vec<Note>,
}

/// A signature that is invalid for its artifact, or has none.
#[derive(Debug)]
struct Unfit {
    path: Option<SharedPath>,
    file: SharedPath,
    signature: Box<Signature>,
}

impl NoteCollector {
    /// Has artifacts that are links take part under the names of what they lead to.
    pub fn resolve_links(&mut self, links: &HashMap<SharedPath, SharedPath>) {
        for content in &mut self.contents {
            if content.link.is_none()
                && let Some(target) = links.get(&content.path)
            {
                content.link = Some(target.clone().into());
            }
        }
    }

    /// Takes in a record. Records must come in the order of the lines.
    pub fn take(&mut self, record: &Record) {
        let notes = record.image_notes.iter().flat_map(|notes| notes.iter());
        self.images.extend(notes.map(|note| Note::Images {
            path: record.path().clone(),
            note: note.clone(),
        }));
        self.take_strangers(record);
        let Subject::Artifact(path) = &record.subject else {
            return;
        };
        self.contents.extend(Content::hashed(record));
        self.is_mixed |= matches!(
            record.verdict,
            Verdict::Valid { .. } | Verdict::Invalid(Invalid::Malformed(_) | Invalid::Envelope(_))
        );
        if let (Some(signature), Some(file)) = (&record.unfit, &record.signature)
            && self.unfit.len() < MOST_UNFIT
        {
            self.unfit.push(Unfit {
                path: Some(path.clone()),
                file: file.clone(),
                signature: signature.clone(),
            });
        }
    }

    fn take_strangers(&mut self, record: &Record) {
        let image = match &record.subject {
            Subject::Image(image) => Some(image.name.as_ref().unwrap_or(&image.id)),
            Subject::Artifact(_) | Subject::Contents(_) => None,
        };
        let of = || Signed {
            path: record.path().clone(),
            signature: record.signature.clone(),
            image: image.cloned(),
        };
        if let (Some(signature), Some(digest)) = (&record.unfit, record.digest) {
            self.strange += 1;
            self.strangers.take(digest, signature, of);
        }
        // What passes all the same needs no other key.
        let strange = record.strange.iter().filter(|_| !record.verdict.passes());
        for (digest, signature) in strange.flat_map(|strange| strange.iter()) {
            self.strangers.take(*digest, signature, of);
        }
    }

    /// Takes in a signature that is paired with no file.
    pub fn take_unmatched(&mut self, file: SharedPath, signature: Signature) {
        if self.unfit.len() < MOST_UNFIT {
            self.unfit.push(Unfit {
                path: None,
                file,
                signature: Box::new(signature),
            });
        }
    }

    /// Returns the number of signatures of artifacts, if none is valid for a trusted key; `None` if
    /// one is valid, or a signature file contains none.
    pub fn all_strange(&self) -> Option<u64> {
        (self.strange > 0 && !self.is_mixed).then_some(self.strange)
    }

    /// Returns the notes: first on contents, then on signatures, each in the order of the lines.
    /// Matching signatures takes time; once `cancelled`, there are no more notes on them.
    pub fn notes(&self, keys: &[Arc<Key>], cancelled: &dyn Fn() -> bool) -> Vec<Note> {
        let budget = Budget::new(MOST_WORK, cancelled);
        let fitting = fitting(&self.unfit, &self.contents, keys, &budget);
        same_contents(&self.contents)
            .into_iter()
            .chain(fitting)
            .chain(self.images.iter().cloned())
            .collect()
    }
}

/// Returns the signatures that are valid for another content than their artifact's.
///
/// One content may have many names, and one signature many copies; each is examined once, or the
/// work would grow with the product of names and copies.
fn fitting(
    unfit: &[Unfit],
    contents: &[Content<Digest>],
    keys: &[Arc<Key>],
    budget: &Budget<'_>,
) -> Vec<Note> {
    if unfit.is_empty() {
        return Vec::new();
    }
    let copies = copies(unfit, MOST_UNFIT / keys.len().max(1));
    let signatures = copies
        .iter()
        .filter_map(|numbers| unfit.get(*numbers.first()?));
    let signatures = signatures.map(|unfit| &*unfit.signature).collect();
    let seeking = Seeking::of(signatures, keys, budget);
    let mut notes: Vec<Option<Note>> = vec![None; unfit.len()];
    let mut seen = HashSet::new();
    let contents = contents.iter();
    let contents: Vec<&Content<Digest>> = contents
        .filter(|content| seen.insert(content.digest))
        .collect();
    for contents in contents.chunks(AT_ONCE) {
        let digests: Vec<Digest> = contents.iter().map(|content| content.digest).collect();
        for (signature, place) in seeking.among(&digests, budget) {
            for number in copies.get(signature).into_iter().flatten() {
                if let (Some(note @ None), Some(unfit), Some(content)) = (
                    notes.get_mut(*number),
                    unfit.get(*number),
                    contents.get(place),
                ) {
                    *note = Some(unfit.note_on(content));
                }
            }
        }
    }
    notes.into_iter().flatten().collect()
}

/// Returns the indices of the copies of each signature, for at most `most` signatures, in the order
/// of the first copies.
fn copies(unfit: &[Unfit], most: usize) -> Vec<Vec<usize>> {
    let mut places: HashMap<&Signature, usize> = HashMap::new();
    let mut copies: Vec<Vec<usize>> = Vec::new();
    for (number, unfit) in unfit.iter().enumerate() {
        let next = copies.len();
        let place = *places.entry(&unfit.signature).or_insert(next);
        if place < most && place == next {
            copies.push(Vec::new());
        }
        if let Some(copies) = copies.get_mut(place) {
            copies.push(number);
        }
    }
    copies
}

impl Unfit {
    fn note_on(&self, content: &Content<Digest>) -> Note {
        let (signature, verifies) = (self.file.clone(), content.path.clone());
        match self.path.clone() {
            Some(path) => Note::SignatureFitsOther {
                signature,
                path,
                verifies,
            },
            None => Note::SignatureFits {
                signature,
                verifies,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::verdict::Unclaimed;
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
            ..Record::unhashed(
                path.into(),
                None,
                Verdict::Unsigned {
                    allowed: true,
                    why: Unclaimed::NoSignature,
                },
            )
        }
    }

    /// Returns a record whose signature was made over something else.
    fn unfit(path: &str, content: &str, signed: &str) -> Record {
        let digest = Digest::of(signed.as_bytes());
        let signature: p256::ecdsa::Signature = key().sign_prehash(digest.as_bytes()).unwrap();
        Record {
            verdict: Verdict::Invalid(Invalid::NoKeyVerifies),
            signature: Some(format!("{path}.sig.bin").into()),
            unfit: Some(Box::new(signature.into())),
            ..hashed(path, content)
        }
    }

    fn noted(records: impl IntoIterator<Item = Record>) -> Vec<Note> {
        let mut collector = NoteCollector::default();
        records
            .into_iter()
            .for_each(|record| collector.take(&record));
        collector.notes(&trusted(), &|| false)
    }

    fn same(content: &str, paths: &[&str]) -> Note {
        Note::SameContent {
            digest: Digest::of(content.as_bytes()).into(),
            paths: paths.iter().map(|path| SharedPath::from(*path)).collect(),
        }
    }

    fn mixed_up(path: &str, other: &str) -> Note {
        Note::SignatureFitsOther {
            signature: format!("{path}.sig.bin").into(),
            path: path.into(),
            verifies: other.into(),
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
        let paths = ["m/a", "m/a", "m/b", "m/a", "m/b", "m/c"];
        let notes = noted(paths.map(|path| hashed(path, "1")));
        assert_eq!(notes, [same("1", &["m/a", "m/b", "m/c"])]);
    }

    #[test]
    fn one_content_is_noted_only_if_it_passes_under_one_of_its_names() {
        let failed = |path: &str| unfit(path, "1", "2");
        assert_eq!(noted([failed("a"), failed("b")]), []);
        let both = same("1", &["a", "b"]);
        assert_eq!(noted([failed("a"), hashed("b", "1")]), vec![both.clone()]);
        // Its second signature is valid.
        assert_eq!(noted([failed("a"), hashed("a", "1"), failed("b")]), [both]);
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
            mixed_up("e", "c"),
        ];
        assert_eq!(noted(records), expected);
    }

    #[test]
    fn of_many_signatures_that_fit_elsewhere_a_thousand_are_looked_at_or_fewer_by_several_keys() {
        for (keys, looked_at) in [(1, 1000), (2, 500)] {
            let mut collector = NoteCollector::default();
            for n in (0..1001).map(|n| n.to_string()) {
                collector.take(&unfit(&n, "same", &n));
                collector.take(&hashed(&format!("{n}.other"), &n));
            }
            let keys: Vec<Arc<Key>> = trusted().into_iter().cycle().take(keys).collect();
            let notes = collector.notes(&keys, &|| false);
            let is_mixed_up = |note: &&Note| matches!(note, Note::SignatureFitsOther { .. });
            assert_eq!(notes.iter().filter(is_mixed_up).count(), looked_at);
        }
    }

    #[test]
    fn many_names_of_one_content_and_many_copies_of_one_signature_are_each_looked_at_once() {
        let mut collector = NoteCollector::default();
        for n in 0..500 {
            collector.take(&unfit(&format!("{n}.junk"), &n.to_string(), "signed"));
            collector.take(&hashed(&format!("{n}.name"), "signed"));
        }
        let keys = trusted();
        let budget = Budget::new(MOST_WORK, &|| false);
        let notes = fitting(&collector.unfit, &collector.contents, &keys, &budget);
        assert_eq!(notes.len(), 500);
        let (first, last) = (mixed_up("0.junk", "0.name"), mixed_up("499.junk", "0.name"));
        assert_eq!((&notes[0], &notes[499]), (&first, &last));
        // 501 contents and one signature.
        assert!(budget.spent() < 200, "{}", budget.spent());
    }

    #[test]
    fn when_cancelled_there_are_no_notes_on_signatures() {
        let mut collector = NoteCollector::default();
        for record in [unfit("a", "1", "2"), hashed("b", "2"), hashed("c", "2")] {
            collector.take(&record);
        }
        assert_eq!(
            collector.notes(&trusted(), &|| true),
            [same("2", &["b", "c"])]
        );
    }
}
