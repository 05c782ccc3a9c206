//! The report of one shard: what it says, checked for contradictions within itself.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use thiserror::Error;

use super::paths::{Paths, decoded};
use super::reading::{Read, read};
use super::{notes, options, records, unchecked};
use crate::digest::Digest;
use crate::files::SharedPath;
use crate::hints::notes::Note;
use crate::module::Module;
use crate::names::place::Place;
use crate::run::{ShardRun, TrustedKey};
use crate::shard::{Shard, Total, fingerprint};
use crate::text::escape;
use crate::text::time::from_rfc3339;
use crate::trust::claimed::ClaimedDigest;
use crate::trust::record::{Record, Subject};
use crate::trust::summary::Summary;
use crate::trust::terms::Status;
use crate::trust::unchecked::Unchecked;
use crate::wire::{self, Options, SCHEMA, Share};

/// Why a file is not the report of a shard.
#[derive(Debug, Error)]
pub enum PartError {
    /// It is not a report, or it is damaged.
    #[error("no JSON report of this program: {0}")]
    NotAReport(#[from] serde_json::Error),
    /// There is nothing in it.
    #[error("this report is empty")]
    Empty,
    /// It ends before its end.
    #[error("this report was cut off")]
    CutOff,
    /// It is a report with another schema version.
    #[error(
        "a report with schema {0}, of another version of this program; this one merges schema {SCHEMA}"
    )]
    OtherSchema(u64),
    /// It is the report of a run over the whole mirror.
    #[error("not a shard's report: its run was over the whole mirror (without --shard)")]
    NotAShard,
    /// It is a merged report.
    #[error("a merged report, and not a shard's; merge the reports of the shards themselves")]
    Merged,
    /// A member has a value that no report contains.
    #[error("a damaged report: {0}")]
    Damaged(String),
}

/// The report of a shard.
#[derive(Debug)]
pub struct Part {
    pub(super) path: PathBuf,
    pub(super) digest: Digest,
    pub(super) shard: Shard,
    /// How the mirror was divided, in a word.
    pub(super) method: String,
    /// The whole mirror, as this shard saw it.
    pub(super) survey: Total,
    /// What the shard was to verify.
    pub(super) share: Total,
    pub(super) division: ClaimedDigest,
    pub(super) id: String,
    pub(super) version: String,
    /// The validated module that it claims, if any.
    pub(super) module: Option<Module>,
    pub(super) host: String,
    pub(super) directory: Option<PathBuf>,
    /// The PATHs, as the merged report spells them.
    pub(super) roots: Vec<PathBuf>,
    /// The PATHs, as they were given.
    pub(super) given: Vec<PathBuf>,
    pub(super) began: SystemTime,
    pub(super) elapsed: Duration,
    pub(super) keys: Vec<TrustedKey>,
    pub(super) image_keys: Vec<TrustedKey>,
    pub(super) options: Options<'static>,
    pub(super) threads: usize,
    /// Whether the run came to its end, and every artifact was judged.
    pub(super) is_complete: bool,
    /// The signal that ended it.
    pub(super) interrupted: Option<String>,
    pub(super) exit_status: u8,
    pub(super) problems: Vec<String>,
    pub(super) expected: u64,
    pub(super) bytes: u64,
    /// The records, in the order of the lines.
    pub(super) records: Vec<Record>,
    /// For each record the number of the PATH that brings it in.
    pub(super) paths: Vec<usize>,
    /// When the first of the artifacts was read that were verified earlier.
    pub(super) earliest: Option<SystemTime>,
    /// What the records come to.
    pub(super) counted: Summary,
    /// How the report contradicts itself, if it does.
    pub(super) contradiction: Option<String>,
    pub(super) notes: Vec<Note>,
    pub(super) unchecked: Unchecked,
}

impl Part {
    /// Reads the report at `path`, and spells its paths as those below `roots`, or as they are if
    /// it has another number of PATHs.
    ///
    /// # Errors
    /// If it is not the report of a shard.
    pub fn parse(path: &Path, report: &[u8], roots: &[PathBuf]) -> Result<Part, PartError> {
        let Read {
            start,
            artifacts,
            summary,
        } = read(report)?;
        let shard = match &start.shard {
            _ if !start.shards.is_empty() => return Err(PartError::Merged),
            None => return Err(PartError::NotAShard),
            Some(shard) => shard,
        };
        let given = start.roots.iter().map(decoded);
        let given = given.collect::<Result<Vec<PathBuf>, _>>()?;
        let directory = start.directory.as_ref().map(decoded).transpose()?;
        let mut paths = Paths::new(&given, roots);
        let is_cut_off = summary.is_none();
        let end = summary.unwrap_or_else(unended);
        let notes = notes::read(&end.notes, &mut paths, &start)?;
        let unchecked = unchecked::read(&end.not_checked, &mut paths)?;
        let keys = options::keys(&start.keys)?;
        let image_keys = start.options.images.as_ref();
        let image_keys = image_keys.map_or(Ok(Vec::new()), |images| options::keys(&images.keys))?;
        let trusted: Vec<ClaimedDigest> = keys
            .iter()
            .chain(&image_keys)
            .map(|key| key.fingerprint)
            .collect();
        let (records, places) = records::read(artifacts, &mut paths, &trusted)?;
        let mut counted = Summary::default();
        records.iter().for_each(|record| counted.count(record));
        let earlier = records.iter().filter_map(|record| record.seen.as_ref());
        let earliest = earlier.map(|seen| seen.time).min();
        let mut part = Part {
            earliest,
            path: path.to_owned(),
            digest: Digest::of(report),
            shard: Shard::new(shard.index, shard.count)
                .ok_or_else(|| PartError::Damaged("a shard that does not exist".to_owned()))?,
            method: shard.divided.clone().into_owned(),
            survey: total(&shard.survey)?,
            share: total(&shard.share)?,
            division: sha256(&shard.division_sha256)?,
            id: start.id.into_owned(),
            version: start.version.into_owned(),
            module: start.module.map(|module| Module {
                name: module.name.into_owned(),
                version: module.version.into_owned(),
                certificate: module.certificate.into_owned(),
            }),
            host: start.host.into_owned(),
            directory,
            roots: if given.len() == roots.len() {
                roots.to_vec()
            } else {
                given.clone()
            },
            began: time(&start.time)?,
            elapsed: seconds(end.seconds)?,
            keys,
            image_keys,
            threads: start.options.threads,
            options: start.options,
            is_complete: end.complete && !is_cut_off,
            interrupted: end.interrupted.as_deref().map(str::to_owned),
            exit_status: end.exit_status,
            problems: end.problems.iter().map(|text| text.to_string()).collect(),
            expected: end.expected,
            bytes: end.bytes,
            records,
            paths: Vec::new(),
            counted,
            contradiction: None,
            notes,
            unchecked,
            given,
        };
        part.paths = brought_in_by(&part.records, &part.roots);
        part.contradiction = (!is_cut_off)
            .then(|| part.contradiction(&end, &places))
            .flatten();
        Ok(part)
    }

    /// Returns how the records contradict what the report says of them.
    fn contradiction(&self, end: &wire::Summary<'_>, places: &[Place]) -> Option<String> {
        let (counts, failures) = (&end.counts, end.failures);
        let counted = &self.counted;
        let found = (counted.records(), counted.failures, counted.valid);
        let by_evidence = [
            (counted.listed, counts.listed, "listed"),
            (
                counted.verified_earlier,
                counts.verified_earlier,
                "verified earlier",
            ),
        ];
        for (found, said, what) in by_evidence {
            if found != said {
                return Some(format!("it says {said} {what}, and lists {found}"));
            }
        }
        let (records, failed, valid) = found;
        if (failed, valid) != (failures, counts.valid) {
            return Some(format!(
                "it says {} valid and {failures} failed, and lists {valid} and {failed}",
                counts.valid
            ));
        }
        let is_accepted = |record: &Record| {
            let is_file = matches!(record.subject, Subject::Artifact(_));
            is_file && record.verdict.status() == Status::Unsigned && record.verdict.passes()
        };
        if !self.options.allow_unsigned && self.records.iter().any(is_accepted) {
            return Some("it accepts what is unsigned, without --allow-unsigned".to_owned());
        }
        // Fail closed: a reader may go by any of them.
        let is_consistent = match (self.exit_status, &*end.conclusion) {
            (0, "valid" | "covered") => failed == 0 && self.is_complete,
            (1, "not-valid" | "failed-fast") => failed > 0 || !self.is_complete,
            (0 | 1, _) => false,
            _ => true,
        };
        if !is_consistent {
            let (status, conclusion) = (self.exit_status, escape::message(&end.conclusion));
            return Some(format!(
                "it says exit status {status} and {conclusion:?}, and lists {failed} failures"
            ));
        }
        if !self.is_complete {
            // The share of a run that was cut short is not whole.
            return None;
        }
        if records != self.expected {
            return Some(format!(
                "it says that it has {} records, and lists {records}",
                self.expected
            ));
        }
        let entries = entries(&self.records);
        if entries != self.share.artifacts {
            let share = self.share.artifacts;
            return Some(format!(
                "its share of the mirror is {share}, and it lists {entries}"
            ));
        }
        let mut distinct: Vec<&Place> = places.iter().collect();
        distinct.dedup();
        (fingerprint::of_share(distinct) != self.share.sha256)
            .then(|| "it lists other artifacts than its share of the mirror".to_owned())
    }

    /// Returns the PATHs, as the merged report spells them.
    pub fn roots(&self) -> &[PathBuf] {
        &self.roots
    }

    /// Describes its run.
    pub(super) fn run(&self) -> ShardRun {
        ShardRun {
            index: self.shard.index(),
            report: self.path.clone(),
            digest: self.digest,
            id: self.id.clone(),
            host: self.host.clone(),
            directory: self.directory.clone(),
            roots: self.given.clone(),
            time: self.began,
            elapsed: self.elapsed,
            records: self.counted.records(),
            failures: self.counted.failures,
            exit_status: self.exit_status,
        }
    }

    /// Returns the fingerprints of all keys that its run trusted, each once.
    pub(super) fn fingerprints(&self) -> Vec<ClaimedDigest> {
        let mut fingerprints: Vec<ClaimedDigest> = Vec::new();
        for key in self.keys.iter().chain(&self.image_keys) {
            if !fingerprints.contains(&key.fingerprint) {
                fingerprints.push(key.fingerprint);
            }
        }
        fingerprints
    }

    /// Returns when the oldest of its verdicts was reached: when its run began, or earlier where
    /// that did not read again what an earlier one had verified.
    pub(super) fn oldest(&self) -> SystemTime {
        self.earliest
            .map_or(self.began, |earliest| earliest.min(self.began))
    }

    /// Returns when its run ended.
    pub(super) fn ended(&self) -> SystemTime {
        self.began + self.elapsed
    }
}

/// Returns for each record the number of the PATH that brings it in: the first that contains the
/// artifact, or is its signature or one of its parts.
fn brought_in_by(records: &[Record], roots: &[PathBuf]) -> Vec<usize> {
    let first = |record: &Record| {
        let path = record.path().to_path_buf();
        let beside = record.signature.iter().chain(record.parts.iter());
        let beside: Vec<PathBuf> = beside.map(SharedPath::to_path_buf).collect();
        // Paths below `.` are shown without it.
        let contains = |root: &PathBuf| {
            if root == Path::new(".") {
                path.is_relative()
            } else {
                path.starts_with(root) || beside.contains(root)
            }
        };
        roots.iter().position(contains).unwrap_or(roots.len())
    };
    match roots {
        // There is nothing to look for.
        [] | [_] => vec![0; records.len()],
        _ => records.iter().map(first).collect(),
    }
}

/// Returns the number of entries of a survey that records come from: each record of an artifact,
/// and each artifact that has only records of what is in it.
fn entries(records: &[Record]) -> u64 {
    let together = records.chunk_by(|a, b| a.path() == b.path());
    let of_one = |records: &[Record]| {
        let artifacts = records.iter();
        let artifacts = artifacts.filter(|record| matches!(record.subject, Subject::Artifact(_)));
        (artifacts.count() as u64).max(1)
    };
    together.map(of_one).sum()
}

/// Returns the end of a run whose report was cut off.
fn unended() -> wire::Summary<'static> {
    wire::Summary {
        r#type: wire::Type::Summary,
        time: "".into(),
        complete: false,
        interrupted: None,
        expected: 0,
        counts: wire::Counts::default(),
        image_counts: None,
        failures: 0,
        bytes: 0,
        seconds: 0.0,
        // Fail closed: it came to no judgement.
        exit_status: 2,
        not_checked: wire::NotChecked::default(),
        conclusion: "".into(),
        problems: vec!["its report was cut off".into()],
        notes: Vec::new(),
        audit: None,
    }
}

fn total(share: &Share<'_>) -> Result<Total, PartError> {
    Ok(Total {
        artifacts: share.artifacts,
        bytes: share.bytes,
        sha256: sha256(&share.sha256)?,
    })
}

pub(super) fn sha256(text: &str) -> Result<ClaimedDigest, PartError> {
    let damaged = || PartError::Damaged(format!("{text:?} is no SHA-256"));
    ClaimedDigest::parse(text).ok_or_else(damaged)
}

pub(super) fn time(text: &str) -> Result<SystemTime, PartError> {
    let damaged = || PartError::Damaged(format!("{text:?} is no time"));
    from_rfc3339(text).ok_or_else(damaged)
}

pub(super) fn seconds(seconds: f64) -> Result<Duration, PartError> {
    let damaged = |_| PartError::Damaged(format!("{seconds} is no number of seconds"));
    let elapsed = Duration::try_from_secs_f64(seconds).map_err(damaged)?;
    // A thousand years: the end of the run can still be computed.
    Ok(elapsed.min(Duration::from_secs(31_557_600_000)))
}
