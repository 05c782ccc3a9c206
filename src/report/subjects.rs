//! Which artifacts and images of a run a statement may name as passed, and which as failed.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

use super::context::Withheld;
use super::images::{self, INSIDE};
use super::relative::Places;
use crate::audit::{Audit, Difference, Finding};
use crate::files::SharedPath;
use crate::run::Run;
use crate::text::escape;
use crate::trust::image::Image;
use crate::trust::record::{self, Record};
use crate::trust::terms::Reason;

/// What a statement is about: an artifact or an image with a digest.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Subject {
    /// Its name, if that is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    digest: Sha256,
    annotations: Annotations,
}

/// A SHA-256 in hexadecimal digits, as a set of digests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Sha256 {
    sha256: Box<str>,
}

/// Why a subject passed or failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Annotations {
    /// The fingerprint of the key that made its signature.
    Key(String),
    /// The reason: a term of [`Reason`], or of a difference from the baseline.
    Reason(&'static str),
}

/// Something that failed and has no digest.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Unhashed {
    #[serde(flatten)]
    name: Name,
    reason: &'static str,
}

/// A name as a member: text, or the base64 of bytes that are not.
#[derive(Debug, PartialEq, Eq)]
struct Name(Vec<u8>);

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let member = match std::str::from_utf8(&self.0) {
            Ok(text) => ("name", text.to_owned()),
            Err(_) => ("name_base64", STANDARD.encode(&self.0)),
        };
        serializer.collect_map([member])
    }
}

/// The subjects of a run, and what failed and cannot be one.
#[derive(Debug)]
pub(super) struct Subjects {
    /// The valid ones.
    pub(super) passed: Vec<Subject>,
    /// The artifacts that are not valid.
    pub(super) failed: Vec<Subject>,
    /// What failed and has no digest.
    pub(super) unhashed: Vec<Unhashed>,
}

/// A name as bytes.
type Bytes = Vec<u8>;
/// Subjects by their names.
type Named = BTreeMap<Bytes, (Sha256, Annotations)>;

impl Subjects {
    /// Sorts the records of a run.
    ///
    /// # Errors
    /// [`Withheld`] if two subjects with different digests would have one name.
    pub(super) fn of(run: Run<'_>, places: &Places, base: &Path) -> io::Result<Subjects> {
        let name = |path: &SharedPath| places.name(path, base).into_os_string().into_vec();
        let differences = Differences::of(run.end.audit.as_deref());
        let files = Files::of(run.records, &differences, name);
        let (mut passed, mut failed) = (Named::new(), Named::new());
        let mut unhashed: BTreeMap<Bytes, &'static str> = BTreeMap::new();
        for record in run.records {
            let file = name(record.path());
            let subject = subject_name(record, &file);
            let of_file = files.failed.get(&file).filter(|_| is_artifact(record));
            match (
                of_file.copied().or(differences.failure(record)),
                sha256(record),
            ) {
                (None, Some(digest)) => {
                    if let (true, Some(key)) =
                        (record.verdict.status().is_verified(), record.verdict.key())
                    {
                        let key = Annotations::Key(key.to_string());
                        insert(&mut passed, subject, (digest, key))?;
                    }
                }
                (None, None) => {}
                // Fail closed: the digest of an image that failed is what its entry claims.
                (Some(reason), Some(digest)) if is_artifact(record) => {
                    let reason = Annotations::Reason(reason);
                    insert(&mut failed, subject, (digest, reason))?;
                }
                // Another record of the same file has its digest.
                (Some(_), None) if is_artifact(record) && files.hashed.contains(&file) => {}
                (Some(reason), _) => drop(unhashed.entry(subject).or_insert(reason)),
            }
        }
        for (path, image, reason) in differences.absent() {
            unhashed.entry(inside(&name(path), image)).or_insert(reason);
        }
        Ok(Subjects {
            passed: passed.into_iter().map(subject).collect(),
            failed: failed.into_iter().map(subject).collect(),
            unhashed: unhashed
                .into_iter()
                .map(|(name, reason)| Unhashed {
                    name: Name(name),
                    reason,
                })
                .collect(),
        })
    }
}

/// What all the records on a file come to, by the file's name.
struct Files {
    /// The files of which a record failed, be it on something inside, with the first reason.
    failed: HashMap<Bytes, &'static str>,
    /// The files that were hashed.
    hashed: HashSet<Bytes>,
}

impl Files {
    fn of(
        records: &[Record],
        differences: &Differences<'_>,
        name: impl Fn(&SharedPath) -> Bytes,
    ) -> Files {
        let (mut failed, mut hashed) = (HashMap::new(), HashSet::new());
        for record in records {
            if let Some(reason) = differences.failure(record) {
                failed.entry(name(record.path())).or_insert(reason);
            }
            if is_artifact(record) && record.sha256().is_some() {
                hashed.insert(name(record.path()));
            }
        }
        Files { failed, hashed }
    }
}

/// The differences of a run from its baseline.
#[derive(Default)]
struct Differences<'a> {
    all: &'a [Finding],
    files: HashMap<&'a SharedPath, &'static str>,
    images: HashMap<(&'a SharedPath, &'a str), &'static str>,
}

impl<'a> Differences<'a> {
    fn of(audit: Option<&'a Audit>) -> Differences<'a> {
        let mut differences = Differences::default();
        for finding in audit.iter().flat_map(|audit| &audit.findings) {
            let (path, term) = (&finding.path, finding.difference.name());
            match finding.image.as_deref() {
                Some(image) => drop(differences.images.insert((path, image), term)),
                None => drop(differences.files.insert(path, term)),
            }
        }
        differences.all = audit.map_or(&[], |audit| &audit.findings);
        differences
    }

    /// Returns why a record is not to be named as passed: its verdict, or a difference.
    fn failure(&self, record: &Record) -> Option<&'static str> {
        if !record.verdict.passes() {
            return Some(Reason::of(&record.verdict).name());
        }
        let of_file = self.files.get(record.path());
        let of_image = match &record.subject {
            record::Subject::Image(image) => self.images.get(&(record.path(), title(image))),
            _ => None,
        };
        of_file.or(of_image).copied()
    }

    /// Returns what is not there any more.
    fn absent(&self) -> impl Iterator<Item = (&SharedPath, Option<&str>, &'static str)> {
        let absent = self.all.iter().filter(|finding| {
            matches!(
                finding.difference,
                Difference::Removed | Difference::ImageRemoved
            )
        });
        absent.map(|finding| {
            let image = finding.image.as_deref();
            (&finding.path, image, finding.difference.name())
        })
    }
}

fn is_artifact(record: &Record) -> bool {
    matches!(record.subject, record::Subject::Artifact(_))
}

/// Returns the name of an image, or its digest if it has none, as an audit identifies it.
fn title(image: &Image) -> &str {
    image.name.as_deref().unwrap_or(&image.id)
}

/// Returns the name of the subject of a record.
fn subject_name(record: &Record, file: &[u8]) -> Bytes {
    match &record.subject {
        record::Subject::Artifact(_) => file.to_vec(),
        record::Subject::Contents(_) => inside(file, Some(images::CONTENTS)),
        record::Subject::Image(image) => {
            let name = images::name(image.name.as_deref(), &image.id);
            inside(file, Some(&format!("{name}@{}", images::label(&image.id))))
        }
    }
}

/// Returns the name of something inside a file, if it is not the file itself.
fn inside(file: &[u8], what: Option<&str>) -> Bytes {
    let what = what.map(|what| format!("{INSIDE}{what}"));
    [file, what.unwrap_or_default().as_bytes()].concat()
}

/// Returns the digest of the subject of a record.
fn sha256(record: &Record) -> Option<Sha256> {
    let digits = match &record.subject {
        record::Subject::Artifact(_) => record.sha256()?.to_string(),
        record::Subject::Image(image) => image.id.strip_prefix("sha256:")?.to_owned(),
        record::Subject::Contents(_) => return None,
    };
    Some(Sha256 {
        sha256: digits.into(),
    })
}

fn insert(named: &mut Named, name: Bytes, subject: (Sha256, Annotations)) -> Result<(), Withheld> {
    match named.entry(name) {
        Entry::Vacant(place) => drop(place.insert(subject)),
        Entry::Occupied(known) if known.get().0 == subject.0 => {}
        Entry::Occupied(known) => {
            let name = escape::name(OsStr::from_bytes(known.key()));
            let why = format!("two different contents would have the name {name}");
            return Err(Withheld(why));
        }
    }
    Ok(())
}

fn subject((name, (digest, annotations)): (Bytes, (Sha256, Annotations))) -> Subject {
    Subject {
        name: String::from_utf8(name).ok(),
        digest,
        annotations,
    }
}
