//! The reports of all shards of a mirror, merged into the account of one run. Pure: takes the bytes
//! of reports, returns records, counts, and why they are not those of one whole mirror.
//!
//! Nothing is verified here: a merge rests on what the reports claim, and its verdicts are of a
//! kind of their own ([`Verdict::Claimed`](crate::trust::verdict::Verdict::Claimed)).

mod agreement;
mod notes;
mod options;
mod part;
mod paths;
mod problems;
mod reading;
mod records;
mod unchecked;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::hints::notes::Note;
use crate::module::Module;
use crate::run::outcome::Problem;
use crate::run::{Options, ShardRun, TrustedKey};
use crate::trust::claimed::ClaimedDigest;
use crate::trust::record::Record;
use crate::trust::summary::Summary;
use crate::trust::unchecked::Unchecked;
pub use part::{Part, PartError};

/// What a merge is to accept besides what always holds.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// The only fingerprints that keys may have (`--key-fingerprint`); any, if empty.
    pub fingerprints: Vec<ClaimedDigest>,
    /// The longest span from the beginning of the first run to the end of the last (`--within`).
    pub within: Option<Duration>,
}

/// The merged runs.
#[derive(Debug)]
pub struct Merged {
    /// The records of all shards, in the order of the lines.
    pub records: Vec<Record>,
    /// Their counts, the bytes that were hashed, and the time from the first beginning to the last
    /// end.
    pub summary: Summary,
    /// Why the reports are not those of one whole mirror; empty if they are.
    pub problems: Vec<Problem>,
    /// Whether a shard failed, by its exit status.
    pub has_failed: bool,
    /// What differs and may differ, and how far apart the runs were.
    pub remarks: Vec<String>,
    /// The notes on the mirror.
    pub notes: Vec<Note>,
    /// What no shard checked.
    pub unchecked: Unchecked,
    /// The runs, in the order of the shards.
    pub shards: Vec<ShardRun>,
    /// The PATHs, as the first report spells them.
    pub roots: Vec<PathBuf>,
    /// The working directory of the first report, if known.
    pub directory: Option<PathBuf>,
    /// The validated module of the runs, if they all had the same.
    pub module: Option<Module>,
    /// The keys that were trusted.
    pub keys: Vec<TrustedKey>,
    /// The options of the runs.
    pub options: Options,
    /// The sum of their worker threads.
    pub threads: usize,
    /// The implementations of SHA-256.
    pub sha256: String,
    /// When the first run began, and when the last one ended.
    pub began: SystemTime,
    /// The end of the last one.
    pub ended: SystemTime,
}

/// The reports that were read so far.
#[derive(Debug, Default)]
pub struct Reports {
    parts: Vec<Part>,
    /// The records of all of them.
    records: Vec<Record>,
    /// For each of them the number of the PATH that brings it in.
    paths: Vec<usize>,
    /// Why others could not be read.
    pub unread: Vec<Problem>,
}

impl Reports {
    /// Takes a report. Its records move to those of the others, so that a million of them are not
    /// in memory twice.
    pub fn add(&mut self, mut part: Part) {
        self.records.append(&mut part.records);
        part.records = Vec::new();
        self.paths.append(&mut part.paths);
        part.paths = Vec::new();
        self.parts.push(part);
    }
}

/// Merges the reports.
///
/// Returns `None` if there is none: then there is nothing to give an account of.
pub fn merge(reports: Reports, demands: &Demands) -> Option<Merged> {
    let Reports {
        mut parts,
        records,
        paths,
        unread,
    } = reports;
    parts.sort_by(|a, b| (a.shard.index(), &a.path).cmp(&(b.shard.index(), &b.path)));
    let span = problems::Span::of(&parts)?;
    let mut found = unread;
    found.extend(problems::of(&parts, &span, demands));
    let first = parts.first()?;
    let roots = first.roots.clone();
    // Both are of the report whose spelling the others follow.
    let spelled = parts.iter().find(|part| part.given == roots);
    let directory = spelled.and_then(|part| part.directory.clone());
    let module = first.module.clone();
    // Fail closed: what one of the runs did without it was not done by it.
    let module = module.filter(|own| parts.iter().all(|part| part.module.as_ref() == Some(own)));
    let (keys, options) = (options::trusted(&parts), options::merged(&parts, demands)?);
    let remarks = problems::remarks(&parts, &span);
    let has_failed = parts.iter().any(|part| part.exit_status == 1);
    let notes = notes::of(&mut parts);
    let mut unchecked = unchecked::of(&parts);
    let threads = parts.iter().map(|part| part.threads);
    let bytes = parts.iter().map(|part| part.bytes);
    let mut summary = Summary {
        bytes: bytes.fold(0, u64::saturating_add),
        elapsed: span.length(),
        ..Summary::default()
    };
    let shards = parts.iter().map(Part::run).collect();
    let (threads, sha256) = (threads.sum(), options::sha256(&parts));
    let expected = problems::expected(&parts);
    let records = records::merged(records, paths);
    records.iter().for_each(|record| summary.count(record));
    // Those of a shard that is missing count as expected.
    summary.expected = expected.max(summary.records());
    // What a missing shard would have judged has no names here.
    let unjudged = summary.expected - summary.records();
    unchecked.unjudged.count_at_least(unjudged);
    if found.is_empty() && !summary.is_complete() {
        let (listed, expected) = (summary.records(), summary.expected);
        let text = format!(
            "the reports list {listed} records, and {expected} are expected: one is missing, or given twice"
        );
        found
            .push(Problem::new(text).help("run all shards again: a report was changed or damaged"));
    }
    Some(Merged {
        notes: notes.and_across(&records),
        records,
        summary,
        problems: found,
        has_failed,
        remarks,
        unchecked,
        shards,
        roots,
        directory,
        module,
        keys,
        options,
        threads,
        sha256,
        began: span.began,
        ended: span.ended,
    })
}
