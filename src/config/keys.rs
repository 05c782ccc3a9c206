//! The keys that are trusted: where they are looked for, which of them are accepted, and whether they lie where they can be exchanged.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{ConfigError, DEFAULT_KEY, Environment, lies_inside, shown};
use crate::cli::Cli;
use crate::trust::key::{Key, MAX_FILE_BYTES};

/// How the names of keys end in a directory of them.
const KEY_EXTENSIONS: [&str; 3] = ["pem", "pub", "der"];

/// Where the keys are: what was typed, else `$PUBKEY`, else the default in the current directory.
pub(super) fn key_paths(cli: &Cli, environment: &Environment) -> Result<Vec<PathBuf>, ConfigError> {
    if !cli.keys.is_empty() {
        return Ok(cli.keys.clone());
    }
    match &environment.pubkey {
        Some(path) => Ok(vec![path.into()]),
        None => default_key().map(|path| vec![path]),
    }
}

/// The key in the current directory. It may be the mirror that lies there, so that what bears the key's name may be anything:
/// a FIFO, for one, would be waited for.
fn default_key() -> Result<PathBuf, ConfigError> {
    let path = PathBuf::from(DEFAULT_KEY);
    match path.metadata() {
        Ok(metadata) if metadata.is_file() => Ok(path),
        Ok(_) => Err(ConfigError::KeyNotAFile(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ConfigError::NoKey),
        Err(source) => Err(unreadable(&path, source)),
    }
}

/// The keys with their files; each key once, and only those with one of the `pins` where there are any.
pub(super) fn load_keys(
    paths: &[PathBuf],
    pins: &[String],
) -> Result<Vec<(PathBuf, Arc<Key>)>, ConfigError> {
    let mut keys: Vec<(PathBuf, Arc<Key>)> = Vec::new();
    for path in paths {
        let mut found = Vec::new();
        for file in key_files(path)? {
            let key = load_key(&file)?;
            found.push((file, Arc::new(key)));
        }
        for (file, key) in accept(path, found, pins)? {
            let same = |(_, known): &(PathBuf, Arc<Key>)| known.fingerprint() == key.fingerprint();
            if !keys.iter().any(same) {
                keys.push((file, key));
            }
        }
    }
    Ok(keys)
}

/// Those keys of a `--key` that are pinned.
fn accept(
    path: &Path,
    mut found: Vec<(PathBuf, Arc<Key>)>,
    pins: &[String],
) -> Result<Vec<(PathBuf, Arc<Key>)>, ConfigError> {
    let is_pinned = |key: &Key| pins.is_empty() || pins.contains(&key.fingerprint().to_string());
    // Fail closed: a file that is named and is not what its user expects was exchanged, or the pin is wrong.
    match found.first() {
        Some((file, key)) if file == path && !is_pinned(key) => {
            Err(ConfigError::OtherFingerprint {
                name: key.name().to_owned(),
                fingerprint: key.fingerprint().to_string(),
            })
        }
        _ => {
            found.retain(|(_, key)| is_pinned(key));
            match found.is_empty() {
                true => Err(ConfigError::NoKeyWithFingerprint(path.to_owned())),
                false => Ok(found),
            }
        }
    }
}

/// The keys whose files, or links to them, lie in what is verified.
pub(super) fn exposed(keys: &[(PathBuf, Arc<Key>)], roots: &[PathBuf]) -> Vec<Arc<Key>> {
    let inside = keys.iter().filter(|(path, _)| lies_inside(path, roots));
    inside.map(|(_, key)| Arc::clone(key)).collect()
}

/// The key files under a `--key`: itself, or those of a directory in the order of their names.
fn key_files(path: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let list = || -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(path)?.map(|entry| entry.map(|e| e.path()));
        entries.collect()
    };
    let mut files = list().map_err(|source| unreadable(path, source))?;
    files.retain(|file| {
        let extension = file.extension().and_then(OsStr::to_str);
        extension.is_some_and(|e| KEY_EXTENSIONS.contains(&e)) && file.is_file()
    });
    files.sort_unstable();
    match files.is_empty() {
        true => Err(ConfigError::NoKeyInDirectory(path.to_owned())),
        false => Ok(files),
    }
}

fn load_key(path: &Path) -> Result<Key, ConfigError> {
    let mut content = Vec::new();
    // One byte more than a key may have tells that there is more, whatever the file's size.
    let read = |file: File| {
        file.take(MAX_FILE_BYTES as u64 + 1)
            .read_to_end(&mut content)
    };
    File::open(path)
        .and_then(read)
        .map_err(|source| unreadable(path, source))?;
    Key::parse(shown(path), &content).map_err(|source| ConfigError::BadKey {
        path: path.to_owned(),
        source,
    })
}

fn unreadable(path: &Path, source: io::Error) -> ConfigError {
    ConfigError::KeyUnreadable {
        path: path.to_owned(),
        source,
    }
}
