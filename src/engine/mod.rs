//! Who works when: the plan, the workers, and the order in which their results come out.

mod board;
mod hashing;
mod order;
pub mod plan;
mod pool;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::content::Io;
use crate::digest::Hasher;
use crate::trust::key::Key;
use crate::trust::verdict::Record;
use plan::{FileId, Load};

pub use pool::{PoolError, Prepared, prepare};

/// One record to be: known already, or to be found out by reading.
#[derive(Debug)]
pub enum Work {
    /// There is nothing to read.
    Decided(Box<Record>),
    /// An artifact and its signature are to be read.
    Verify(Task),
}

/// An artifact with its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The artifact.
    pub data: PathBuf,
    /// The signature file.
    pub signature: PathBuf,
    /// Its weight in the plan.
    pub load: Load,
}

/// How the artifacts are verified.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The trusted keys.
    pub keys: Vec<Arc<Key>>,
    /// How files are read.
    pub io: Io,
    /// Worker threads, at least 1.
    pub threads: usize,
    /// How SHA-256 is computed; by what is fastest here where nothing is said.
    pub hasher: Option<Hasher>,
}

/// What the workers tell while they work, readable from any thread.
#[derive(Debug, Default)]
pub struct Counters {
    total: AtomicU64,
    hashed: AtomicU64,
    passed_over: AtomicU64,
}

impl Counters {
    /// Bytes of all files that are to be hashed, each once.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Bytes hashed so far.
    pub fn hashed(&self) -> u64 {
        self.hashed.load(Ordering::Relaxed)
    }

    /// Bytes that are dealt with: hashed, or no longer worth hashing.
    pub fn done(&self) -> u64 {
        self.hashed()
            .saturating_add(self.passed_over.load(Ordering::Relaxed))
    }

    /// Bytes that are not dealt with yet. (A file that grew since it was planned makes this less than it is.)
    fn left(&self) -> u64 {
        self.total().saturating_sub(self.done())
    }

    fn set_total(&self, bytes: u64) {
        self.total.store(bytes, Ordering::Relaxed);
    }

    fn add_hashed(&self, bytes: u64) {
        self.hashed.fetch_add(bytes, Ordering::Relaxed);
    }

    fn pass_over(&self, bytes: u64) {
        self.passed_over.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// A wish to end the run, looked at in every window.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Ends the run soon.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the run is to end.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// The flag itself, for a signal handler to set.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

/// Verifies one artifact against one signature file, on this thread.
///
/// Returns the same record as a whole run does. A failure of whatever kind is a verdict.
pub fn verify_file(keys: &[Arc<Key>], data: &Path, signature: &Path) -> Record {
    let nowhere = FileId {
        device: 0,
        inode: 0,
    };
    let task = Task {
        data: data.to_owned(),
        signature: signature.to_owned(),
        load: Load {
            size: 0,
            file: nowhere,
        },
    };
    let settings = Settings {
        keys: keys.to_vec(),
        io: Io::Auto,
        threads: 1,
        hasher: None,
    };
    hashing::alone(task, &settings, Hasher::likely())
}
