//! Scheduling: the plan, the workers, and the order of their results.

mod awaiting;
mod bundles;
mod crew;
mod dispatcher;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fixtures;
mod hashing;
mod judging;
mod opened;
pub(crate) mod order;
pub mod plan;
mod pool;
#[cfg(feature = "internals")]
pub mod probe;
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
use std::time::Instant;

use crate::content::IoMode;
use crate::digest::Hasher;
use crate::files::{FileId, SharedPath};
use crate::trust::earlier::{Evidence, Terms};
use crate::trust::key::Key;
use crate::trust::listed::{ListEntry, ReadAsList, UnsignedEntry};
use crate::trust::record::Record;
use crate::trust::verdict::Verdict;
use plan::{Cost, Turn};

pub use bundles::Images;
pub use judging::{is_signature_file, signature_in, verify_bytes};
pub(crate) use opened::Placed;
pub use pool::{PoolError, Prepared, WhyFewer, prepare};
pub(crate) use running::Running;
pub use sniffing::sniff_file;

/// A record to produce: already decided, or to be determined by reading.
#[derive(Debug)]
pub enum Work {
    /// Nothing to read: the record is decided.
    Decided(Box<Record>),
    /// An artifact and its signature, to be read.
    Verify(Task),
}

/// An artifact with its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The artifact.
    pub data: SharedPath,
    /// The files that the artifact was split into, in their order; empty if it is one file.
    pub parts: Arc<[SharedPath]>,
    /// The target of the link that the artifact is, if the signature is the target's.
    pub link: Option<Arc<SharedPath>>,
    /// The claim on the artifact.
    pub claim: Claim,
    /// Whether there may be images in it, to be judged if the run judges images.
    pub bundle: Bundle,
    /// Its weight in the plan.
    pub cost: Cost,
    /// What an earlier run saw, if it may do instead of reading the artifact.
    pub earlier: Option<Box<Offer>>,
    /// How it was read as a checksum list, if it was.
    pub read_as_list: Option<Box<ReadAsList>>,
}

/// Evidence of an earlier run on an artifact, and what it takes for it to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The evidence.
    pub evidence: Evidence,
    /// What it takes.
    pub terms: Terms,
}

/// Whether there may be images in an artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bundle {
    /// It is not looked into.
    No,
    /// It has another name than a bundle, and may be one.
    Possible,
    /// It has the name of a bundle: what cannot be looked into fails.
    Certain,
}

/// The claim made on an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// This file is its signature, by its name.
    Signed(SharedPath),
    /// The user named its signature.
    Named(Box<Named>),
    /// A signed checksum list says this of it.
    Listed(Arc<ListEntry>),
    /// None: it is hashed for its digest alone, and this is its verdict; and this is what a list
    /// without a signature has of it.
    Unsigned(Box<Verdict>, Option<Arc<UnsignedEntry>>),
    /// None: it is a saved image, judged by the images in it.
    SavedImage,
    /// None: it is a directory of images, judged by them.
    ImageDirectory,
}

/// A signature that the user specified, regardless of its name, and its artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The signature's path.
    pub signature: SharedPath,
    /// The signature's content, if it can be read only once.
    pub content: Option<Vec<u8>>,
    /// What the artifact is.
    pub data: NamedData,
}

/// What the user named as an artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedData {
    /// A file.
    File,
    /// A block device, of which so many bytes are read.
    Device(u64),
    /// Standard input.
    Stdin,
}

impl Task {
    /// Reports whether the artifact is a stream, of any length.
    pub fn is_stream(&self) -> bool {
        matches!(&self.claim, Claim::Named(named) if named.data == NamedData::Stdin)
    }

    /// Returns the signature file, or the list that stands for one, if there is any.
    pub fn signature(&self) -> Option<&SharedPath> {
        match &self.claim {
            Claim::Signed(path) => Some(path),
            Claim::Named(named) => Some(&named.signature),
            Claim::Listed(listing) => Some(&listing.list),
            Claim::Unsigned(..) | Claim::SavedImage | Claim::ImageDirectory => None,
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
    /// Whether the user asked for exactly this number, so that fewer threads are an error.
    pub exact_threads: bool,
    /// The SHA-256 implementation; `None` leaves it to [`crate::digest::choice`].
    pub hasher: Option<Hasher>,
    /// How the images in bundles are judged; `None` if they are not.
    pub images: Option<Arc<Images>>,
    /// Whether records keep what the file system says of their files, for later runs.
    pub keeps_stamps: bool,
    /// Whether control files of unfinished downloads may lie beside the artifacts. If not, none is
    /// looked for.
    pub control_files: bool,
    /// When no further artifact is begun, if there is such a time.
    pub stop_at: Option<Instant>,
}

impl Settings {
    /// Returns the settings of a run without any option: these keys and this number
    /// of threads, or fewer; files are read and hashed in the fastest way.
    pub fn new(keys: Vec<Arc<Key>>, threads: usize) -> Settings {
        Settings {
            keys,
            io: IoMode::Auto,
            threads,
            exact_threads: false,
            hasher: None,
            images: None,
            keeps_stamps: false,
            control_files: true,
            stop_at: None,
        }
    }
}

/// Verifies one artifact against one signature file on the current thread.
///
/// Returns the same record as a whole run, except that the name of the signature means nothing. Any
/// failure is a verdict.
pub fn verify_file(settings: &Settings, data: &Path, signature: &Path) -> Record {
    let nowhere = FileId {
        device: 0,
        inode: 0,
    };
    let task = Task {
        data: data.into(),
        parts: Arc::default(),
        link: None,
        claim: Claim::Named(Box::new(Named {
            signature: signature.into(),
            content: None,
            data: NamedData::File,
        })),
        bundle: Bundle::No,
        cost: Cost {
            size: 0,
            file: nowhere,
            name: None,
            turn: Turn::default(),
        },
        earlier: None,
        read_as_list: None,
    };
    let hasher = settings.hasher.unwrap_or(Hasher::promised());
    opened::alone(task, settings, hasher)
}
