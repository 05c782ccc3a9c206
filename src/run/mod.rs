//! What a report records about a run besides its records: its start and its end.

pub mod conclusion;
pub mod origin;
pub mod outcome;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::audit::Audit;
use crate::digest::{Algorithm, Digest};
use crate::hints::notes::Note;
use crate::module::Module;
use crate::shard::Division;
use crate::trust::claimed::ClaimedDigest;
use crate::trust::key::Key;
use crate::trust::record::Record;
use crate::trust::summary::Summary;
use crate::trust::unchecked::Unchecked;
use conclusion::Conclusion;
use origin::Origin;
use outcome::Outcome;

/// The start of a run.
#[derive(Clone, Debug)]
pub struct Start {
    /// Which run it is.
    pub origin: Origin,
    /// The validated module that did the cryptography, if one did.
    pub module: Option<Module>,
    /// The time, by the system clock.
    pub time: SystemTime,
    /// The machine's name (uname(2), `nodename`).
    pub host: String,
    /// The trusted keys.
    pub keys: Vec<TrustedKey>,
    /// The working directory, which relative PATHs start from. Unknown if it was removed.
    pub directory: Option<PathBuf>,
    /// The PATHs as they were given.
    pub roots: Vec<PathBuf>,
    /// The other options.
    pub options: Options,
    /// Number of worker threads.
    pub threads: usize,
    /// The name of the SHA-256 implementation.
    pub sha256: String,
    /// Which part of the mirror was verified, if it was divided among machines.
    pub division: Option<Division>,
    /// The runs over the shards of which this is a merge, in their order.
    pub shards: Vec<ShardRun>,
}

/// A run over one shard of a mirror, as its report describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardRun {
    /// The shard's number, from 1.
    pub index: u32,
    /// The path of its report.
    pub report: PathBuf,
    /// The SHA-256 of its report.
    pub digest: Digest,
    /// The identifier of its run.
    pub id: String,
    /// The name of its machine.
    pub host: String,
    /// The working directory there, if known.
    pub directory: Option<PathBuf>,
    /// The PATHs as they were given there.
    pub roots: Vec<PathBuf>,
    /// When it began, by that machine's clock.
    pub time: SystemTime,
    /// How long it took.
    pub elapsed: Duration,
    /// Number of its artifacts and images.
    pub records: u64,
    /// Number of those that did not pass.
    pub failures: u64,
    /// The exit status of its run.
    pub exit_status: u8,
}

/// A trusted key, as reports describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    /// The name of its file.
    pub name: String,
    /// The SHA-256 of its DER (SubjectPublicKeyInfo).
    pub fingerprint: ClaimedDigest,
    /// The term of its algorithm, if known.
    pub algorithm: Option<String>,
    /// The hash that its signatures are over; `None` if that is part of its algorithm, or not
    /// known.
    pub digest: Option<Algorithm>,
    /// Whether it was named by its fingerprint (`--key-fingerprint`). Then no other was accepted.
    pub is_pinned: bool,
    /// Whether its file lay inside the verified tree.
    pub is_exposed: bool,
}

/// The options of a run that affect its verdicts or its speed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The one given signature file (`--signature`).
    pub signature: Option<PathBuf>,
    /// Maximum depth of the walk; `None` means no limit.
    pub max_depth: Option<usize>,
    /// Whether linked directories were entered.
    pub follow_links: bool,
    /// The excluded globs.
    pub exclude: Vec<String>,
    /// The only accepted key fingerprints (`--key-fingerprint`), if any were given.
    pub key_fingerprints: Vec<String>,
    /// Whether a missing signature was accepted.
    pub allow_unsigned: bool,
    /// Whether every regular file needed a signature.
    pub all_files: bool,
    /// The checksum lists that were named (`--list`).
    pub lists: Vec<PathBuf>,
    /// Whether the first failure was to end the run (`--fail-fast`).
    pub fail_fast: bool,
    /// How images were judged (`--images`), if they were.
    pub images: Option<ImageOptions>,
    /// The baseline of the audit (`--baseline`).
    pub baseline: Option<PathBuf>,
    /// How the work is spread over time.
    pub over_time: OverTime,
    /// How files were read: `auto`, `mmap` or `read`.
    pub io: String,
}

/// How the work is spread over time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OverTime {
    /// The time after which no artifact was begun (`--stop-after`).
    pub stop_after: Option<Duration>,
    /// The ledger (`--ledger`).
    pub ledger: Option<PathBuf>,
    /// How old a verdict of the ledger could be to do instead of reading (`--max-age`).
    pub max_age: Option<Duration>,
    /// The report of the run that was resumed (`--resume`).
    pub resume: Option<PathBuf>,
}

/// How images were judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageOptions {
    /// The keys that they may be signed with.
    pub keys: Vec<TrustedKey>,
    /// Files and directories with signatures of images (`--image-signatures`).
    pub signatures: Vec<PathBuf>,
    /// Prefixes of the names of images that must be signed (`--signed-registry`).
    pub signed_registries: Vec<String>,
    /// Platforms that each image must be here for (`--platform`).
    pub platforms: Vec<String>,
    /// The largest window of a zstd frame in bytes (`--max-window`).
    pub max_window: u64,
    /// The number of bytes that are unpacked of one bundle (`--max-unpacked`).
    pub max_unpacked: Option<u64>,
}

/// The end of a run.
#[derive(Clone, Debug)]
pub struct End {
    /// The time, by the system clock.
    pub time: SystemTime,
    /// The count of each verdict, and the cost.
    pub summary: Summary,
    /// The signal that ended it, if one did: `SIGHUP`, `SIGINT`, `SIGTERM` or `SIGXCPU`.
    pub interrupted: Option<&'static str>,
    /// The conclusion, unless a report cannot be written after this one.
    pub conclusion: Conclusion,
    /// What kept the run from a judgement, as text.
    pub problems: Vec<String>,
    /// What the run did not check.
    pub unchecked: Arc<Unchecked>,
    /// The notes on the run as a whole.
    pub notes: Arc<[Note]>,
    /// The differences from its baseline, if it was audited.
    pub audit: Option<Arc<Audit>>,
}

impl TrustedKey {
    /// Returns the description of a key.
    pub fn of(key: &Key, is_pinned: bool, is_exposed: bool) -> TrustedKey {
        TrustedKey {
            name: key.name().to_owned(),
            fingerprint: (*key.fingerprint()).into(),
            algorithm: Some(key.algorithm()),
            digest: key.digest(),
            is_pinned,
            is_exposed,
        }
    }

    /// Reports whether both are the same key and trusted with the same hash, regardless of the
    /// names of their files.
    pub fn is(&self, other: &TrustedKey) -> bool {
        self.identity() == other.identity()
    }

    /// Returns what the key is trusted by: its fingerprint, and the hash of its signatures if it is
    /// another than the usual.
    pub fn identity(&self) -> String {
        match self.digest {
            None | Some(Algorithm::Sha256) => self.fingerprint.to_string(),
            Some(digest) => format!("{} {}", self.fingerprint, digest.name()),
        }
    }

    /// Returns its algorithm and hash, as people read them.
    pub fn kind(&self) -> Option<String> {
        let algorithm = self.algorithm.as_ref()?;
        Some(match self.digest {
            Some(digest) => format!("{algorithm} over {digest}"),
            None => algorithm.clone(),
        })
    }
}

impl Start {
    /// Returns the keys that are trusted for images only.
    pub fn image_keys(&self) -> impl Iterator<Item = &TrustedKey> {
        let images = self.options.images.iter();
        let keys = images.flat_map(|images| &images.keys);
        keys.filter(|key| !self.keys.iter().any(|known| known.is(key)))
    }
}

impl End {
    /// Returns the name that reports give the conclusion.
    ///
    /// Fail closed: a run that did not read everything is not called valid where a reader looks for
    /// that word.
    pub fn conclusion_name(&self) -> &'static str {
        match self.conclusion {
            Conclusion::Valid if self.summary.verified_earlier > 0 => "covered",
            conclusion => conclusion.name(),
        }
    }

    /// Returns the end of a run that ends now.
    pub fn of(outcome: &Outcome) -> End {
        End {
            time: SystemTime::now(),
            summary: outcome.summary.clone(),
            interrupted: outcome.signal(),
            conclusion: outcome.conclusion(),
            problems: outcome
                .problems()
                .into_iter()
                .map(|problem| problem.what)
                .collect(),
            unchecked: Arc::clone(&outcome.unchecked),
            notes: Arc::clone(&outcome.notes),
            audit: outcome.audit.audit().map(Arc::clone),
        }
    }
}

/// A whole run.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The start.
    pub start: &'a Start,
    /// Its records, in the order of the lines.
    pub records: &'a [Record],
    /// The end.
    pub end: &'a End,
}

/// The version of the program that writes the reports.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
