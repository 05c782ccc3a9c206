//! The state of a mirror by the places of its artifacts: as a run found it, or as a report says.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::baseline::{BaselineError, path, sha256};
use super::finding::Content;
use super::images::{self, Images};
use crate::files::SharedPath;
use crate::names::place::{Place, Roots};
use crate::trust::record::{Record, Subject};
use crate::trust::terms::Status;
use crate::trust::verdict::{Part, Verdict};
use crate::wire::Type;
use crate::wire::audited::{self, Artifact};

/// The state of a mirror.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// The artifacts that existed.
    pub(super) artifacts: BTreeMap<Place, Known>,
    /// The images in them, if images were judged.
    pub(super) images: Option<Images>,
}

/// What is known of an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// Its path, in the words of the run.
    pub(super) path: SharedPath,
    pub(super) content: Content,
    /// Whether any of its records passes.
    pub(super) passes: bool,
    /// Number of its signatures by trusted keys.
    pub(super) signatures: u32,
    /// Whether it has two contents, because it was replaced between two reads.
    pub(super) is_torn: bool,
    /// Whether it is judged by the images in it alone.
    pub(super) has_only_images: bool,
}

/// One record of an artifact.
struct Found {
    content: Content,
    passes: bool,
    is_signed: bool,
    /// Whether it is on the artifact, and not on something in it.
    is_own: bool,
}

impl State {
    /// Returns the state that a run over the PATHs `roots` found.
    pub(super) fn of_run(roots: &[PathBuf], records: &[Record]) -> State {
        let places = Roots::new(roots);
        let mut state = State::default();
        for record in records.iter().filter(|record| is_there(&record.verdict)) {
            let place = places.place(&record.path().to_path_buf());
            state.add(place, record.path(), of_record(record));
        }
        state.images = Some(images::of_run(&places, records));
        state
    }

    /// Returns the state that the records of a report over the PATHs `roots` say.
    ///
    /// # Errors
    /// If one of them has a value that no report contains.
    pub(super) fn of_report(
        report: &audited::Document,
        roots: &[PathBuf],
    ) -> Result<State, BaselineError> {
        let places = Roots::new(roots);
        let mut state = State::default();
        for artifact in report
            .artifacts
            .iter()
            .filter(|artifact| was_there(artifact))
        {
            let path = path(&artifact.path())?;
            let found = of_artifact(artifact)?;
            state.add(places.place(&path), &path.into(), found);
        }
        if report.start.options.images.is_some() {
            state.images = Some(images::of_report(&places, &report.artifacts)?);
        }
        Ok(state)
    }

    fn add(&mut self, place: Place, path: &SharedPath, found: Found) {
        let known = self.artifacts.entry(place).or_insert_with(|| Known {
            path: path.clone(),
            content: Content::default(),
            passes: false,
            signatures: 0,
            is_torn: false,
            has_only_images: true,
        });
        let (before, after) = (known.content.sha256, found.content.sha256);
        known.is_torn |= before.is_some() && after.is_some() && before != after;
        known.content.sha256 = before.or(after);
        known.content.size = known.content.size.or(found.content.size);
        known.passes |= found.passes;
        known.signatures += u32::from(found.is_signed);
        known.has_only_images &= !found.is_own;
    }

    /// Returns the first artifact that has two contents.
    pub(super) fn torn(&self) -> Option<&SharedPath> {
        let mut torn = self.artifacts.values().filter(|known| known.is_torn);
        torn.next().map(|known| &known.path)
    }
}

fn of_record(record: &Record) -> Found {
    let is_own = matches!(record.subject, Subject::Artifact(_));
    let content = if is_own {
        Content {
            sha256: record.sha256(),
            size: record.size,
        }
    } else {
        // The digest of an image is not that of the artifact.
        let archive = record.archive_content().unwrap_or_default();
        Content {
            sha256: archive.sha256,
            size: archive.size,
        }
    };
    Found {
        content,
        passes: record.verdict.passes(),
        is_signed: is_own && record.verdict.status().is_signed(),
        is_own,
    }
}

fn of_artifact(artifact: &Artifact) -> Result<Found, BaselineError> {
    let is_own = artifact.r#type == Type::Artifact;
    let archive = artifact.archive.as_ref();
    let (digest, size) = if is_own {
        (artifact.sha256.as_deref(), artifact.size)
    } else {
        let digest = archive.and_then(|archive| archive.sha256.as_deref());
        (digest, archive.and_then(|archive| archive.size))
    };
    Ok(Found {
        content: Content {
            sha256: digest.map(sha256).transpose()?,
            size,
        },
        passes: artifact.passes,
        is_signed: is_own && is_signed(&artifact.status),
        is_own,
    })
}

fn is_signed(status: &str) -> bool {
    let mut signed = Status::ALL.into_iter().filter(|known| known.is_signed());
    signed.any(|known| known.name() == status)
}

/// Reports whether the verdict is on something that exists and is not a directory.
fn is_there(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Missing => false,
        Verdict::Unreadable { part, .. } | Verdict::Changed { part } => *part != Part::Directory,
        _ => true,
    }
}

/// Reports whether the artifact existed then, and is not a directory.
fn was_there(artifact: &Artifact) -> bool {
    let directory = ["directory-unreadable", "directory-changed"];
    artifact.status != "missing" && !directory.contains(&artifact.reason.as_str())
}
