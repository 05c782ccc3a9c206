//! Finds the trusted keys, decides which are accepted, and detects keys in places where they can be
//! replaced.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::places::lies_inside;
use super::{ConfigError, DEFAULT_KEY, Environment, digests, shown};
use crate::command::args::Cli;
use crate::command::values::Hashed;
use crate::hints;
use crate::hints::path::PathHint;
use crate::trust::key::{Key, KeyError, MAX_FILE_BYTES};

/// File extensions of keys in a directory of keys.
const KEY_EXTENSIONS: [&str; 3] = ["pem", "pub", "der"];

/// The keys, with their files.
type Keys = Vec<(PathBuf, Arc<Key>)>;
/// The same, before it is settled which hashes their signatures are over.
pub(super) type Loaded = Vec<(PathBuf, Key)>;

/// A file in a directory of keys that was not read as a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The file.
    pub path: PathBuf,
    /// The reason.
    pub why: WhyNoKey,
}

/// Why a file in a directory of keys is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNoKey {
    /// An AppleDouble file by name and content: macOS keeps it beside another file.
    AppleDouble,
    /// Its name lacks the extension of a key.
    OtherEnding,
    /// It is a directory, a FIFO, a socket or a device, or a dangling link.
    NotAFile,
}

/// Loads the keys that are given, and returns the files that were skipped on the way.
pub(super) fn find(
    cli: &Cli,
    environment: &Environment,
) -> Result<(Keys, Vec<Skipped>), ConfigError> {
    let named = (cli.fingerprints.as_slice(), cli.digests.as_slice());
    if !cli.keys.is_empty() {
        return load(&cli.keys, named);
    }
    match &environment.pubkey {
        Some(path) => {
            load(&[path.into()], named).map_err(|error| ConfigError::FromPubkey(Box::new(error)))
        }
        None => load(&[default_key()?], named),
    }
}

/// Returns the path of the key in the current directory. That may be the mirror itself, so the
/// entry with the key's name may be anything: reading a FIFO would block.
fn default_key() -> Result<PathBuf, ConfigError> {
    let path = PathBuf::from(DEFAULT_KEY);
    match path.metadata() {
        Ok(metadata) if metadata.is_file() => Ok(path),
        Ok(_) => Err(ConfigError::KeyNotAFile(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ConfigError::NoKey),
        Err(source) => Err(unreadable(&path, source)),
    }
}

/// Loads each key once, and only keys with one of the `pins` if there are any. Has them verify
/// signatures over these hashes.
pub(super) fn load(
    paths: &[PathBuf],
    (pins, digests): (&[String], &[Hashed]),
) -> Result<(Keys, Vec<Skipped>), ConfigError> {
    let (mut all, mut skipped) = (Loaded::new(), Vec::new());
    for path in paths {
        let found = if path.is_dir() {
            load_directory(path, &mut skipped)?
        } else {
            vec![(path.clone(), load_key(path)?)]
        };
        all.extend(accept(path, found, pins)?);
    }
    let mut keys = Keys::new();
    for (file, key) in digests::apply(all, digests)? {
        let same = |(_, known): &&(PathBuf, Arc<Key>)| known.fingerprint() == key.fingerprint();
        match keys.iter().find(same) {
            None => keys.push((file, key)),
            // Fail closed: do not guess which of the two is meant.
            Some((_, known)) if known.digest() != key.digest() => {
                return Err(ConfigError::TwoDigests(file));
            }
            Some(_) => {}
        }
    }
    Ok((keys, skipped))
}

/// Returns the pinned keys of one `--key`.
fn accept(path: &Path, mut found: Loaded, pins: &[String]) -> Result<Loaded, ConfigError> {
    let is_pinned = |key: &Key| pins.is_empty() || pins.contains(&key.fingerprint().to_string());
    // Fail closed: if a file named by the user has another fingerprint, it was replaced or the pin
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

/// Returns the keys whose files, or links to them, are inside the verified tree.
pub(super) fn exposed(keys: &[(PathBuf, Arc<Key>)], roots: &[PathBuf]) -> Vec<Arc<Key>> {
    let inside = keys.iter().filter(|(path, _)| lies_inside(path, roots));
    inside.map(|(_, key)| Arc::clone(key)).collect()
}

/// Loads the keys of a directory, in the order of their file names.
fn load_directory(path: &Path, skipped: &mut Vec<Skipped>) -> Result<Loaded, ConfigError> {
    let list = || -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(path)?.map(|entry| entry.map(|e| e.path()));
        entries.collect()
    };
    let mut files = list().map_err(|source| unreadable(path, source))?;
    files.sort_unstable();
    let mut keys = Loaded::new();
    for file in files {
        match load_entry(&file)? {
            Ok(key) => keys.push((file, key)),
            Err(why) => skipped.push(Skipped { path: file, why }),
        }
    }
    if keys.is_empty() {
        return Err(ConfigError::NoKeyInDirectory(path.to_owned()));
    }
    Ok(keys)
}

/// Loads one entry of a directory of keys. A file that is named like a key but is not one is an
/// error, and is not skipped.
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
        // A dangling link, such as editors leave beside an open file.
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
    // Fail closed: a key with a name that macOS gives to its metadata is invisible in practice, and
    // its owner may not intend it to be trusted. Skipping it silently would be no better.
    if name.starts_with(b"._") {
        return Err(ConfigError::HiddenKey(file.to_owned()));
    }
    Ok(Ok(key))
}

fn load_key(path: &Path) -> Result<Key, ConfigError> {
    parse(path, &read(path)?)
}

/// Reads the content of a key file, or of anything else that the user names, such as a pipe: once,
/// and no further than a key can extend.
fn read(path: &Path) -> Result<Vec<u8>, ConfigError> {
    let mut content = Vec::new();
    // One byte more than a key may have shows that the file is longer, even if its reported size is
    // wrong.
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
        sniffed: match source {
            // These errors do not identify the file: two short integers, for example, are a
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
        // The text is not printed: it may be that of a private key.
        return ConfigError::KeyText;
    }
    ConfigError::KeyUnreadable {
        path: path.to_owned(),
        source,
    }
}
