//! Lists with a signature: whether they vouch for their files, and for which.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use crate::checksums::{self, List, ListError};
use crate::content::ReadError;
use crate::engine::{self, Settings};
use crate::files::SharedPath;
use crate::mirror::vouched::Vouched;
use crate::mirror::{Artifact, State};
use crate::text::os_error;
use crate::trust::listed::{ListEntry, ReadAsList, Unlisted, Unusable};
use crate::trust::verdict::Verdict;

/// A list with a signature, as it was read.
pub(super) enum Signed {
    /// A trusted key made its signature.
    Valid {
        list: List,
        /// What every file in it has in common.
        common: ListEntry,
        read: ReadAsList,
    },
    /// A trusted key made its signature, but it lists nothing.
    NotAList(ReadAsList),
    /// No trusted key made its signature: it vouches for nothing.
    Untrusted(ReadAsList),
    /// It cannot be used as a list.
    Unusable(Unlisted),
    /// It cannot be read.
    Unreadable(io::Error),
}

impl Signed {
    /// Reads the list at `path`, of which these artifacts have a signature each.
    pub(super) fn read(path: &SharedPath, signed: &[&Artifact], settings: &Settings) -> Signed {
        let parts = signed.first().map(|artifact| Arc::clone(&artifact.parts));
        let (bytes, file) = match super::read(path, &parts.unwrap_or_default()) {
            Ok(read) => read,
            Err(ReadError::Io(error)) => return Signed::Unreadable(error),
            Err(error) => return Signed::Unreadable(io::Error::other(error.to_string())),
        };
        // Fail closed: a list that is too long names files that would not be looked for.
        let Some(digest) = file.digest else {
            return Signed::Unusable(Unlisted::TooLong);
        };
        let signatures = signed.iter().filter_map(|artifact| artifact.signature());
        let mut verdicts = signatures
            .map(|signature| engine::verify_bytes(settings, &bytes, &signature.to_path_buf()));
        let key = verdicts.find_map(|verdict| match verdict {
            Verdict::Valid { key } => Some(key),
            _ => None,
        });
        let is_signed = key.is_some();
        let read = ReadAsList { digest, is_signed };
        let Some(key) = key else {
            return Signed::Untrusted(read);
        };
        match List::parse(&bytes) {
            Ok(list) => Signed::Valid {
                list,
                common: ListEntry {
                    list: path.clone(),
                    file,
                    key,
                    sums: Box::default(),
                },
                read,
            },
            Err(ListError::Line(line)) => Signed::Unusable(Unlisted::Line(line)),
            Err(ListError::ClearSigned) => Signed::Unusable(Unlisted::ClearSigned),
            Err(ListError::NotAList) => Signed::NotAList(read),
        }
    }

    /// Has the artifact of the list, by one of its signatures, come out as what was found here.
    /// `is_named`: whether the user named it as a list.
    pub(super) fn mark(&self, artifact: &mut Artifact, is_named: bool) {
        let Some(signature) = artifact.signature().cloned() else {
            return;
        };
        match self {
            Signed::NotAList(_) if is_named => {
                artifact.state = State::Unlisted(signature, Unlisted::NotAList);
            }
            Signed::Valid { read, .. } | Signed::NotAList(read) | Signed::Untrusted(read) => {
                artifact.read_as_list = Some(Box::new(*read));
            }
            Signed::Unusable(why) => artifact.state = State::Unlisted(signature, *why),
            // Fail closed: it could be read a moment later, and its files would not be looked for.
            Signed::Unreadable(error) => {
                artifact.state = State::Unreadable(signature, os_error::copy(error));
            }
        }
    }

    /// Returns what the list vouches for.
    pub(super) fn vouched(self, path: &SharedPath, at: usize) -> Vec<Vouched> {
        let Signed::Valid { list, common, .. } = self else {
            return Vec::new();
        };
        let directory = path.directory().as_path().to_owned();
        let entries = list.entries.into_iter();
        let vouched = entries.map(|entry| {
            let below = checksums::below(&entry.name);
            let outside = Unlisted::Unusable(Unusable::Outside);
            let (name, says) = match (below, entry.sums) {
                (Ok(name), Ok(sums)) => (name, Ok(sums)),
                (Ok(name), Err(why)) => (name, Err(Unlisted::Unusable(why))),
                (Err(_), _) => (OsStr::from_bytes(&entry.name).into(), Err(outside)),
            };
            let says = says.map(|sums| {
                Arc::new(ListEntry {
                    sums,
                    ..common.clone()
                })
            });
            Vouched {
                at,
                list: path.clone(),
                data: directory.join(name).into(),
                says,
            }
        });
        vouched.collect()
    }
}
