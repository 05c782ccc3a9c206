//! Who works when: the plan, the workers, and the order in which their results come out.

mod crew;
mod dispatcher;
#[cfg(test)]
mod faults;
mod hashing;
mod judging;
pub(crate) mod order;
pub mod plan;
mod pool;
mod running;
mod scheduler;
mod shape;
#[cfg(test)]
mod simulation;
mod sniffing;
mod worker;
mod workshop;
mod zarf;

use std::path::Path;
use std::sync::Arc;

use crate::content::IoMode;
use crate::digest::Hasher;
use crate::files::SharedPath;
use crate::trust::key::Key;
use crate::trust::verdict::{Record, Verdict};
use plan::{Cost, FileId};

pub(crate) use hashing::Placed;
pub use judging::signature_in;
pub use pool::{PoolError, Prepared, prepare};
pub(crate) use running::Running;
pub use sniffing::look_at;

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
    pub data: SharedPath,
    /// The files that it was split into, in their order, where it is not one file.
    pub parts: Arc<[SharedPath]>,
    /// What it is a link to, where the signature is the one of that.
    pub link: Option<Arc<SharedPath>>,
    /// What is claimed of it.
    pub claim: Claim,
    /// Its weight in the plan.
    pub cost: Cost,
}

/// What is claimed of an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// This file has a signature over it.
    Signed(SharedPath),
    /// What the user names in place of a file says so.
    Named(Box<Named>),
    /// Nothing. It is hashed for its digest alone, and this is its verdict.
    Unsigned(Box<Verdict>),
}

/// What the user names where a signature file or an artifact is no regular file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The signature's path.
    pub signature: SharedPath,
    /// What was read of it, where it can be read only once.
    pub content: Option<Vec<u8>>,
    /// How many bytes the artifact has, where it is a block device.
    pub device_length: Option<u64>,
}

impl Task {
    /// The signature file, where there is one.
    pub fn signature(&self) -> Option<&SharedPath> {
        match &self.claim {
            Claim::Signed(path) => Some(path),
            Claim::Named(named) => Some(&named.signature),
            Claim::Unsigned(_) => None,
        }
    }
}

/// How the artifacts are verified.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The trusted keys.
    pub keys: Vec<Arc<Key>>,
    /// How files are read.
    pub io: IoMode,
    /// Worker threads, at least 1.
    pub threads: usize,
    /// Whether exactly so many were asked for, so that fewer are an error.
    pub exact_threads: bool,
    /// How SHA-256 is computed; chosen by [`crate::digest::choice`] where nothing is said.
    pub hasher: Option<Hasher>,
}

/// Verifies one artifact against one signature file, on this thread.
///
/// Returns the same record as a whole run does. A failure of whatever kind is a verdict.
pub fn verify_file(settings: &Settings, data: &Path, signature: &Path) -> Record {
    let nowhere = FileId {
        device: 0,
        inode: 0,
    };
    let task = Task {
        data: data.into(),
        parts: Arc::default(),
        link: None,
        claim: Claim::Signed(signature.into()),
        cost: Cost {
            size: 0,
            file: nowhere,
            name: None,
        },
    };
    let hasher = settings.hasher.unwrap_or(Hasher::promised());
    hashing::alone(task, settings, hasher)
}
