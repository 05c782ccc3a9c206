//! `--digest`: which hash the signatures of which key are over.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ConfigError;
use super::keys::Loaded;
use super::places::is_same_file;
use crate::command::values::Hashed;
use crate::digest::Algorithm;
use crate::trust::key::Key;

/// Has the keys verify signatures over the hashes that the user named.
///
/// # Errors
/// If a hash is for no key, for one that has its own, or if two are for the same.
pub(super) fn apply(
    keys: Loaded,
    named: &[Hashed],
) -> Result<Vec<(PathBuf, Arc<Key>)>, ConfigError> {
    for Hashed { key, .. } in named {
        if let Some(file) = key
            && !keys.iter().any(|(path, _)| is_it(path, file))
        {
            return Err(ConfigError::DigestOfNoKey(file.clone()));
        }
    }
    let of_all = of(named.iter().filter(|hashed| hashed.key.is_none()));
    let of_all = of_all.map_err(|()| ConfigError::DigestTwice)?;
    if of_all.is_some() && !keys.iter().any(|(_, key)| key.leaves_digest_open()) {
        return Err(ConfigError::DigestOfNothing);
    }
    let with = |(path, key): (PathBuf, Key)| {
        let is_for_it = |hashed: &&Hashed| {
            let file = hashed.key.as_ref();
            file.is_some_and(|file| is_it(&path, file))
        };
        let own = of(named.iter().filter(is_for_it));
        let own = own.map_err(|()| ConfigError::TwoDigests(path.clone()))?;
        let digest = own.or_else(|| of_all.filter(|_| key.leaves_digest_open()));
        let name = key.name().to_owned();
        let key = match digest {
            None => Ok(key),
            Some(digest) => key.with_digest(digest),
        };
        let key = key.map_err(|source| ConfigError::OwnDigest { name, source })?;
        Ok((path, Arc::new(key)))
    };
    keys.into_iter().map(with).collect()
}

fn is_it(path: &Path, file: &Path) -> bool {
    path == file || is_same_file(path, file)
}

/// Returns the hash that all of these name, if there are any; an error if they differ.
fn of<'a>(mut named: impl Iterator<Item = &'a Hashed>) -> Result<Option<Algorithm>, ()> {
    let Some(first) = named.next() else {
        return Ok(None);
    };
    if named.all(|other| other.digest == first.digest) {
        Ok(Some(first.digest))
    } else {
        Err(())
    }
}
