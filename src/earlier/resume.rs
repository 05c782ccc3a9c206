//! The JSON report of a run that is resumed.

use std::path::PathBuf;
use std::time::SystemTime;

use thiserror::Error;

use super::place::Places;
use super::{History, Last, stamps};
use crate::digest::Algorithm;
use crate::files::SharedPath;
use crate::trust::claimed::ClaimedDigest;
use crate::trust::earlier::Evidence;
use crate::trust::terms::Status;
use crate::wire::resumed::{Artifact, Document, Version};
use crate::wire::{Key, Options, PathMember, READ, SCHEMA, Type};

/// The first schema whose reports have what it takes.
const FIRST: u64 = 4;

/// Why a run cannot be resumed from a report.
#[derive(Debug, Error)]
pub enum NotResumable {
    /// It is not a report, or it is damaged.
    #[error("no JSON report (--report FILE.json) of this program: {0}")]
    NotAReport(#[from] serde_json::Error),
    /// It is a JSON report with another schema version.
    #[error("a report with schema {0}; a run is resumed from schemas {FIRST} to {SCHEMA}")]
    OtherSchema(u64),
    /// It is a merge of reports.
    #[error("a merged report; resume each shard from its own")]
    Merged,
    /// An option that decides what is judged, or how, was another.
    #[error("the report of a run with another {0}; give the same options")]
    OtherOption(&'static str),
}

/// The options that decide what is judged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `--signature`.
    pub signature: Option<PathBuf>,
    /// `--max-depth`.
    pub max_depth: Option<usize>,
    /// `--follow-links`.
    pub follow_links: bool,
    /// `--exclude`.
    pub exclude: Vec<String>,
    /// `--allow-unsigned`.
    pub allow_unsigned: bool,
    /// `--all-files`.
    pub all_files: bool,
    /// `--list`.
    pub lists: Vec<PathBuf>,
    /// `--images`.
    pub images: bool,
}

impl Asked {
    fn of(options: &Options<'_>) -> Asked {
        Asked {
            signature: options.signature.decode(),
            max_depth: options.max_depth,
            follow_links: options.follow_links,
            exclude: options.exclude.iter().map(ToString::to_string).collect(),
            allow_unsigned: options.allow_unsigned,
            all_files: options.all_files,
            // A path that is none differs from every other.
            lists: options
                .lists
                .iter()
                .filter_map(PathMember::decode)
                .collect(),
            images: options.images.is_some(),
        }
    }

    /// Returns the first option in which two runs differ.
    fn difference(&self, other: &Asked) -> Option<&'static str> {
        let options = [
            ("--signature", self.signature == other.signature),
            ("--max-depth", self.max_depth == other.max_depth),
            ("--follow-links", self.follow_links == other.follow_links),
            ("--exclude", self.exclude == other.exclude),
            (
                "--allow-unsigned",
                self.allow_unsigned == other.allow_unsigned,
            ),
            ("--all-files", self.all_files == other.all_files),
            ("--list", self.lists == other.lists),
            ("--images", self.images == other.images),
        ];
        let mut others = options.into_iter().filter(|(_, is_same)| !is_same);
        others.next().map(|(name, _)| name)
    }
}

/// Returns what a report found valid, for a run with these options.
///
/// # Errors
/// If it is no report of such a run.
pub fn read(report: &[u8], asked: &Asked) -> Result<History, NotResumable> {
    let document: Document = match serde_json::from_slice(report) {
        Ok(document) => document,
        // A report of another version may have other members.
        Err(error) => return Err(other_version(report).unwrap_or(error.into())),
    };
    if !(FIRST..=SCHEMA).contains(&document.schema) {
        return Err(NotResumable::OtherSchema(document.schema));
    }
    if !document.start.shards.is_empty() {
        return Err(NotResumable::Merged);
    }
    if let Some(option) = Asked::of(&document.start.options).difference(asked) {
        return Err(NotResumable::OtherOption(option));
    }
    let base = document.start.directory.as_ref();
    let base = base.and_then(|directory| directory.decode());
    let mut places = Places::below(base.unwrap_or_default());
    let mut history = History::default();
    for artifact in &document.artifacts {
        if let Some((data, signature, last)) = found(artifact, &document.start.keys)
            && let Some(place) = places.of(&data, signature.as_ref())
        {
            let known = history.last.entry(place).or_insert_with(|| last.clone());
            // Fail closed: of two records on one artifact, the failure counts.
            if matches!(last, Last::Failed(_)) {
                *known = last;
            }
        }
    }
    Ok(history)
}

/// Returns the error for a report of another version, if it states one.
fn other_version(report: &[u8]) -> Option<NotResumable> {
    let Version { schema } = serde_json::from_slice(report).ok()?;
    (!READ.contains(&schema)).then_some(NotResumable::OtherSchema(schema))
}

/// Returns an artifact, its signature if it has one, and what was found of it; `None` for what
/// neither failed nor has evidence.
fn found(artifact: &Artifact, keys: &[Key<'_>]) -> Option<(SharedPath, Option<SharedPath>, Last)> {
    if artifact.passes {
        let (data, signature, last) = valid(artifact, keys)?;
        return Some((data, Some(signature), last));
    }
    // What failed has no time of its own; it is looked at in any case.
    let last = Last::Failed(SystemTime::UNIX_EPOCH);
    let data = artifact.path().decode()?.into();
    // Images have no signature of their own here: they stand for what is inside.
    let signature = artifact.signature().decode().map(Into::into);
    let signature = signature.filter(|_| artifact.r#type == Type::Artifact);
    Some((data, signature, last))
}

/// Returns an artifact that was valid, its signature, and the evidence; `None` for every other.
/// Fail closed: what is incomplete, or is no value, is read again.
fn valid(artifact: &Artifact, keys: &[Key<'_>]) -> Option<(SharedPath, SharedPath, Last)> {
    let covered = [Status::Valid, Status::Listed, Status::VerifiedEarlier].map(Status::name);
    let is_covered = artifact.passes && covered.contains(&artifact.status.as_str());
    if artifact.r#type != Type::Artifact || !is_covered || !artifact.parts.is_empty() {
        return None;
    }
    let claimed = |text: &Option<String>| ClaimedDigest::parse(text.as_ref()?);
    let evidence = Evidence {
        seen: stamps::seen(artifact.stamps.as_ref()?)?,
        content: claimed(&artifact.sha256)?,
        signature: claimed(&artifact.signature_file.as_ref()?.sha256)?,
        key: claimed(&artifact.key)?,
        digest: other_digest(artifact.key.as_deref()?, keys)?,
    };
    let last = Last::Passed(evidence.seen.time, Some(Box::new(evidence)));
    let signature = artifact.signature().decode()?;
    Some((artifact.path().decode()?.into(), signature.into(), last))
}

/// Returns the hash that a key was trusted with, if it is not the usual one. Fail closed: `None`
/// for one that this program does not know, or for a key that the report does not list.
fn other_digest(fingerprint: &str, keys: &[Key<'_>]) -> Option<Option<Algorithm>> {
    let key = keys.iter().find(|key| key.fingerprint == fingerprint)?;
    match &key.digest {
        // Reports say it since there are keys with another.
        None => Some(None),
        Some(term) => {
            let digest = Algorithm::named(term)?;
            Some(Some(digest).filter(|digest| *digest != Algorithm::Sha256))
        }
    }
}
