//! What the engine has to do for each artifact, and how what the artifacts lie on is best read.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use crate::config::Config;
use crate::device::{self, Access, Medium};
use crate::engine::plan::{FileId, Load};
use crate::engine::{Task, Work};
use crate::errno;
use crate::mirror::{Artifact, Facts, State};
use crate::trust::verdict::{Part, Record, Verdict};

/// What the files lie on, by the number of the device.
pub(super) fn media(works: &[Work]) -> BTreeMap<u64, Medium> {
    let devices: BTreeSet<u64> = works
        .iter()
        .filter_map(|work| match work {
            Work::Verify(task) => Some(task.load.file.device),
            Work::Decided(_) => None,
        })
        .collect();
    devices
        .into_iter()
        .map(|device| (device, device::medium(device)))
        .collect()
}

/// How a medium is read: as is best for it, but by as many threads as the user asked for.
pub(super) fn access(medium: Medium, config: &Config) -> Access {
    let best = medium.access();
    Access {
        readers: best.readers.filter(|_| config.limit_readers),
        ..best
    }
}

/// What the engine has to do for an artifact: nothing, where what lies on disk decides it.
pub(super) fn work(artifact: Artifact, config: &Config) -> Work {
    let data = artifact.data;
    let decided = |signature, verdict| {
        Work::Decided(Box::new(Record::unhashed(data.clone(), signature, verdict)))
    };
    let unreadable = |part, error: &io::Error| Verdict::Unreadable {
        part,
        words: errno::words(error),
    };
    match artifact.state {
        State::Signed(signature, facts) => Work::Verify(Task {
            load: load(facts),
            data,
            signature: Some(signature),
        }),
        State::Missing(signature) => decided(Some(signature), Verdict::Missing),
        State::Unsigned => unsigned(data, config),
        State::DataNotRegular(signature) => {
            decided(signature, Verdict::NotRegular { part: Part::Data })
        }
        State::SignatureNotRegular(signature) => decided(
            Some(signature),
            Verdict::NotRegular {
                part: Part::Signature,
            },
        ),
        State::Unreadable(signature, error) => {
            decided(Some(signature), unreadable(Part::Data, &error))
        }
        State::Gone(error) => decided(None, unreadable(Part::Data, &error)),
        State::DirectoryUnreadable(error) => decided(None, unreadable(Part::Directory, &error)),
        State::LinkNotEntered => decided(
            None,
            Verdict::NotEntered {
                allowed: config.allow_unsigned,
            },
        ),
        State::DirectoryChanged => decided(
            None,
            Verdict::Changed {
                part: Part::Directory,
            },
        ),
    }
}

/// An artifact without a signature: its verdict is known. It is hashed all the same where it is accepted and somebody will want to know
/// whether it stayed the same; what cannot be looked at has no digest then.
fn unsigned(data: PathBuf, config: &Config) -> Work {
    let allowed = config.allow_unsigned;
    let is_hashed = allowed && config.wants_digests();
    match is_hashed.then(|| Facts::at(&data)) {
        Some(Ok(facts)) => Work::Verify(Task {
            load: load(facts),
            data,
            signature: None,
        }),
        _ => Work::Decided(Box::new(Record::unhashed(
            data,
            None,
            Verdict::Unsigned { allowed },
        ))),
    }
}

fn load(facts: Facts) -> Load {
    Load {
        size: facts.size,
        file: FileId {
            device: facts.device,
            inode: facts.inode,
        },
    }
}
