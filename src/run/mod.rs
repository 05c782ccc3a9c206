//! What a report says of a run besides its records: how it began and how it ended.

pub mod conclusion;
pub mod outcome;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use crate::audit::Audit;
use crate::hints::notes::Note;
use crate::trust::key::Key;
use crate::trust::verdict::{Record, Summary};
use conclusion::Conclusion;
use outcome::Outcome;

/// How a run began.
#[derive(Clone, Debug)]
pub struct Start {
    /// When, by the system's clock.
    pub time: SystemTime,
    /// The name that the machine gives itself (uname(2), `nodename`).
    pub host: String,
    /// The trusted keys.
    pub keys: Vec<Arc<Key>>,
    /// The directory that it ran in, from which PATHs are reached that do not begin at the root.
    /// Unknown where it was removed.
    pub directory: Option<PathBuf>,
    /// The PATHs as they were given.
    pub roots: Vec<PathBuf>,
    /// What else was asked for.
    pub options: Options,
}

/// What a run was asked to do, as far as it bears on its verdicts or its speed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The one signature file that was named (`--signature`).
    pub signature: Option<PathBuf>,
    /// How many levels were walked; `None` is all.
    pub max_depth: Option<usize>,
    /// Whether linked directories were entered.
    pub follow_links: bool,
    /// What was left out.
    pub exclude: Vec<String>,
    /// The only fingerprints that a key was allowed to have (`--key-fingerprint`), if any were
    /// named.
    pub key_fingerprints: Vec<String>,
    /// Whether a missing signature was accepted.
    pub allow_unsigned: bool,
    /// Whether every regular file needed a signature.
    pub all_files: bool,
    /// The report that the run was audited against (`--baseline`).
    pub baseline: Option<PathBuf>,
    /// How files were read: `auto`, `mmap` or `read`.
    pub io: &'static str,
    /// Worker threads.
    pub threads: usize,
    /// How SHA-256 was computed: the name of an implementation.
    pub sha256: &'static str,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct End {
    /// When, by the system's clock.
    pub time: SystemTime,
    /// How many artifacts got each verdict, and what it cost.
    pub summary: Summary,
    /// The signal that ended it, if one did: `SIGHUP`, `SIGINT`, `SIGTERM` or `SIGXCPU`.
    pub interrupted: Option<&'static str>,
    /// How it ended, unless a report cannot be written after this one.
    pub conclusion: Conclusion,
    /// What kept the run from a judgement, in words.
    pub problems: Vec<String>,
    /// What the run shows as a whole.
    pub notes: Arc<[Note]>,
    /// How it differs from its baseline, where it was audited.
    pub audit: Option<Arc<Audit>>,
}

impl End {
    /// How a run ends now.
    pub fn of(outcome: &Outcome) -> End {
        End {
            time: SystemTime::now(),
            summary: outcome.summary.clone(),
            interrupted: outcome.signal(),
            conclusion: outcome.conclusion(),
            problems: outcome.problems(),
            notes: Arc::clone(&outcome.notes),
            audit: outcome.audit.audit().map(Arc::clone),
        }
    }
}

/// A whole run.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// How it began.
    pub start: &'a Start,
    /// Its records, in the order of the lines.
    pub records: &'a [Record],
    /// How it ended.
    pub end: &'a End,
}

/// The version of the program that makes the reports.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
