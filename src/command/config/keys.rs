//! The keys that are trusted: where they are looked for, which of them are accepted, and whether
//! they lie where they can be exchanged.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{ConfigError, DEFAULT_KEY, Environment, lies_inside, shown};
use crate::command::args::Cli;
use crate::hints;
use crate::hints::path::PathHint;
use crate::trust::key::{Key, KeyError, MAX_FILE_BYTES};

/// How the names of keys end in a directory of them.
const KEY_EXTENSIONS: [&str; 3] = ["pem", "pub", "der"];

/// The keys, with their files.
type Keys = Vec<(PathBuf, Arc<Key>)>;

/// A file in a directory of keys that was not read as a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The file.
    pub path: PathBuf,
    /// Why not.
    pub why: WhyNoKey,
}

/// Why a file in a directory of keys is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNoKey {
    /// By its name and its content, macOS keeps it beside another file.
    AppleDouble,
    /// Its name does not end as those of keys do.
    OtherEnding,
    /// It is a directory, a FIFO, a socket or a device, or a link that leads nowhere.
    NotAFile,
}

/// The keys that were named, and what was skipped where they were looked for.
pub(super) fn find(
    cli: &Cli,
    environment: &Environment,
) -> Result<(Keys, Vec<Skipped>), ConfigError> {
    let pins = &cli.fingerprints;
    if !cli.keys.is_empty() {
        return load_keys(&cli.keys, pins);
    }
    match &environment.pubkey {
        Some(path) => load_keys(&[path.into()], pins)
            .map_err(|error| ConfigError::FromPubkey(Box::new(error))),
        None => load_keys(&[default_key()?], pins),
    }
}

/// The key in the current directory. It may be the mirror that lies there, so that what bears the
/// key's name may be anything: a FIFO, for one, would be waited for.
fn default_key() -> Result<PathBuf, ConfigError> {
    let path = PathBuf::from(DEFAULT_KEY);
    match path.metadata() {
        Ok(metadata) if metadata.is_file() => Ok(path),
        Ok(_) => Err(ConfigError::KeyNotAFile(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ConfigError::NoKey),
        Err(source) => Err(unreadable(&path, source)),
    }
}

/// Each key once, and only those with one of the `pins` where there are any.
fn load_keys(paths: &[PathBuf], pins: &[String]) -> Result<(Keys, Vec<Skipped>), ConfigError> {
    let (mut keys, mut skipped) = (Keys::new(), Vec::new());
    for path in paths {
        let found = if path.is_dir() {
            load_directory(path, &mut skipped)?
        } else {
            vec![(path.clone(), Arc::new(load_key(path)?))]
        };
        for (file, key) in accept(path, found, pins)? {
            let same = |(_, known): &(PathBuf, Arc<Key>)| known.fingerprint() == key.fingerprint();
            if !keys.iter().any(same) {
                keys.push((file, key));
            }
        }
    }
    Ok((keys, skipped))
}

/// Those keys of a `--key` that are pinned.
fn accept(
    path: &Path,
    mut found: Vec<(PathBuf, Arc<Key>)>,
    pins: &[String],
) -> Result<Vec<(PathBuf, Arc<Key>)>, ConfigError> {
    let is_pinned = |key: &Key| pins.is_empty() || pins.contains(&key.fingerprint().to_string());
    // Fail closed: a file that is named and is not what its user expects was exchanged, or the pin
    // is wrong.
    match found.first() {
        Some((file, key)) if file == path && !is_pinned(key) => {
            Err(ConfigError::OtherFingerprint {
                name: key.name().to_owned(),
                fingerprint: key.fingerprint().to_string(),
            })
        }
        _ => {
            found.retain(|(_, key)| is_pinned(key));
            if found.is_empty() {
                Err(ConfigError::NoKeyWithFingerprint(path.to_owned()))
            } else {
                Ok(found)
            }
        }
    }
}

/// The keys whose files, or links to them, lie in what is verified.
pub(super) fn exposed(keys: &[(PathBuf, Arc<Key>)], roots: &[PathBuf]) -> Vec<Arc<Key>> {
    let inside = keys.iter().filter(|(path, _)| lies_inside(path, roots));
    inside.map(|(_, key)| Arc::clone(key)).collect()
}

/// The keys of a directory, in the order of their files' names.
fn load_directory(path: &Path, skipped: &mut Vec<Skipped>) -> Result<Keys, ConfigError> {
    let list = || -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(path)?.map(|entry| entry.map(|e| e.path()));
        entries.collect()
    };
    let mut files = list().map_err(|source| unreadable(path, source))?;
    files.sort_unstable();
    let mut keys = Keys::new();
    for file in files {
        match load_entry(&file)? {
            Ok(key) => keys.push((file, Arc::new(key))),
            Err(why) => skipped.push(Skipped { path: file, why }),
        }
    }
    if keys.is_empty() {
        return Err(ConfigError::NoKeyInDirectory(path.to_owned()));
    }
    Ok(keys)
}

/// A file in a directory of keys. What is named like a key and is none is an error, and not passed
/// over.
fn load_entry(file: &Path) -> Result<Result<Key, WhyNoKey>, ConfigError> {
    let extension = file.extension().unwrap_or_default();
    if !KEY_EXTENSIONS
        .iter()
        .any(|e| extension.eq_ignore_ascii_case(e))
    {
        return Ok(Err(WhyNoKey::OtherEnding));
    }
    match file.metadata() {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Ok(Err(WhyNoKey::NotAFile)),
        // A link that leads nowhere, as editors leave behind beside a file that they have open.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Err(WhyNoKey::NotAFile));
        }
        Err(source) => return Err(unreadable(file, source)),
    }
    let content = read(file)?;
    let name = file.file_name().unwrap_or_default().as_bytes();
    if hints::key::is_apple_double(name, &content) {
        return Ok(Err(WhyNoKey::AppleDouble));
    }
    let key = parse(file, &content)?;
    // Fail closed: a key that hides under the name of what macOS writes by itself is one that
    // nobody sees, and its owner may not mean it to be trusted. Leaving it out silently would
    // be no better.
    if name.starts_with(b"._") {
        return Err(ConfigError::HiddenKey(file.to_owned()));
    }
    Ok(Ok(key))
}

fn load_key(path: &Path) -> Result<Key, ConfigError> {
    parse(path, &read(path)?)
}

/// The content of a key file, or of what else the user names (a pipe, for one), read once and as
/// far as a key can go.
fn read(path: &Path) -> Result<Vec<u8>, ConfigError> {
    let mut content = Vec::new();
    // One byte more than a key may have tells that there is more, whatever the file's size.
    let read = |file: File| {
        file.take(MAX_FILE_BYTES as u64 + 1)
            .read_to_end(&mut content)
    };
    File::open(path)
        .and_then(read)
        .map_err(|source| unreadable(path, source))?;
    Ok(content)
}

fn parse(path: &Path, content: &[u8]) -> Result<Key, ConfigError> {
    Key::parse(shown(path), content).map_err(|source| ConfigError::BadKey {
        path: path.to_owned(),
        looks: match source {
            // These say nothing about what the file is: two short integers, for one, are a
            // signature.
            KeyError::NotAKey
            | KeyError::DamagedPem
            | KeyError::TooLong
            | KeyError::OtherBlock(_)
            | KeyError::Rsa { bits: ..1024 } => hints::key::sniff(content),
            _ => None,
        },
        source,
    })
}

fn unreadable(path: &Path, source: io::Error) -> ConfigError {
    if PathHint::of(path.as_os_str().as_bytes()) == Some(PathHint::KeyText) {
        // Its text is not shown: it may be that of a private key.
        return ConfigError::KeyText;
    }
    ConfigError::KeyUnreadable {
        path: path.to_owned(),
        source,
    }
}
