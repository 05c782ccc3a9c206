//! What the command line means here: the environment, the key files, the terminal, the machine.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use thiserror::Error;

use crate::cli::{Cli, Way, When};
use crate::content::Io;
use crate::digest::Hasher;
use crate::engine::Settings;
use crate::errno::words;
use crate::mirror::Search;
use crate::mirror::pairing::Needed;
use crate::mirror::walk::Reach;
use crate::report::escape;
use crate::report::progress::Style;
use crate::report::text::Detail;
use crate::trust::key::{Key, KeyError, MAX_FILE_BYTES};

/// The key file that is looked for where none is named.
const DEFAULT_KEY: &str = "spectro_public_key.pem";
/// How the names of keys end in a directory of them.
const KEY_EXTENSIONS: [&str; 3] = ["pem", "pub", "der"];

/// Everything that a run needs to know, checked.
#[derive(Debug)]
pub struct Config {
    /// What to verify.
    pub target: Target,
    /// How to verify it.
    pub settings: Settings,
    /// Whether devices that are slower when many files are read at once are spared that.
    pub limit_readers: bool,
    /// Whether a missing signature is accepted.
    pub allow_unsigned: bool,
    /// Which lines are printed.
    pub detail: Detail,
    /// How the progress is shown.
    pub progress: Style,
}

/// What to verify.
#[derive(Debug)]
pub enum Target {
    /// Whatever these PATHs bring in.
    Paths(Vec<PathBuf>, Search),
    /// One data file against one signature.
    One {
        /// The data file.
        data: PathBuf,
        /// The signature file.
        signature: PathBuf,
    },
}

/// What a run takes from its surroundings.
#[derive(Clone, Debug)]
pub struct Environment {
    /// `$PUBKEY`.
    pub pubkey: Option<OsString>,
    /// Whether somebody may be looking at stderr.
    pub stderr_is_terminal: bool,
    /// The threads that the system lets run at once.
    pub cores: usize,
}

/// Why nothing can be verified.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// No key is named, and none lies where keys are looked for.
    #[error(
        "no public key: --key was not given, $PUBKEY is not set, and there is no {DEFAULT_KEY} in the current \
         directory; get the vendor's public key from a source that you trust, not with the files, and name it with --key FILE"
    )]
    NoKey,
    /// A key file cannot be read.
    #[error("{}: cannot read the key: {}", shown(path), words(source))]
    KeyUnreadable {
        /// The key file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The default key is a directory, a FIFO, a socket or a device.
    #[error("{}: the key is no regular file; name one with --key FILE", shown(.0))]
    KeyNotAFile(PathBuf),
    /// A key file holds something else.
    #[error("{}: {source}", shown(path))]
    BadKey {
        /// The key file.
        path: PathBuf,
        /// What it holds.
        source: KeyError,
    },
    /// A directory of keys has none.
    #[error("{}: no key in this directory; their names end in .pem, .pub or .der", shown(.0))]
    NoKeyInDirectory(PathBuf),
    /// A PATH cannot be looked at.
    #[error("{}: {}", shown(path), words(source))]
    NoPath {
        /// The PATH.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// `--signature` without exactly one data file.
    #[error("--signature needs exactly one PATH: the data file that it signs")]
    NotOneFile,
    /// `--signature` with something that is no file.
    #[error("{}: the signature is no regular file", shown(.0))]
    SignatureNotAFile(PathBuf),
    /// `--sha256` with a way that this processor does not know.
    #[error("--sha256 {name}: this processor knows {}", known.join(", "))]
    NoSuchHasher {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// `--exclude` with something that no path can match.
    #[error(
        "--exclude {0:?} matches nothing: it is compared with the path below PATH, which does not begin with a slash"
    )]
    GlobMatchesNothing(String),
    /// `--exclude` with something that is no glob.
    #[error("--exclude {glob}: {source}")]
    BadGlob {
        /// What was given.
        glob: String,
        /// What is wrong with it.
        source: globset::Error,
    },
}

impl Environment {
    /// Looks around.
    pub fn here() -> Environment {
        Environment {
            pubkey: std::env::var_os("PUBKEY").filter(|value| !value.is_empty()),
            stderr_is_terminal: io::stderr().is_terminal(),
            cores: thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

impl Config {
    /// Checks what was typed and loads the keys; reads no artifact.
    ///
    /// # Errors
    /// The first thing that keeps the run from starting.
    pub fn resolve(cli: &Cli, environment: &Environment) -> Result<Config, ConfigError> {
        let exclude = globs(&cli.exclude)?;
        let hasher = hasher(cli)?;
        let keys = load_keys(&key_paths(cli, environment)?)?;
        let target = target(cli, exclude)?;
        Ok(Config {
            target,
            settings: Settings {
                keys,
                io: match cli.io {
                    Way::Auto => Io::Auto,
                    Way::Mmap => Io::Mmap,
                    Way::Read => Io::Read,
                },
                threads: cli.jobs.unwrap_or(environment.cores),
                hasher,
            },
            limit_readers: cli.jobs.is_none(),
            allow_unsigned: cli.allow_unsigned,
            detail: Detail {
                lines: !cli.status,
                valid: !cli.quiet,
                reasons: cli.verbose,
            },
            progress: style(cli, environment),
        })
    }
}

/// The way to hash that was asked for, if any was.
fn hasher(cli: &Cli) -> Result<Option<Hasher>, ConfigError> {
    let known = |name: &String| {
        Hasher::named(name).ok_or_else(|| ConfigError::NoSuchHasher {
            name: name.clone(),
            known: Hasher::all().iter().map(|way| way.name()).collect(),
        })
    };
    cli.sha256.as_ref().map(known).transpose()
}

/// A path as messages show it.
fn shown(path: &Path) -> String {
    escape::name(path.as_os_str())
}

fn style(cli: &Cli, environment: &Environment) -> Style {
    match (cli.progress, environment.stderr_is_terminal) {
        (When::Never, _) | (When::Auto, false) => Style::Hidden,
        (When::Auto, true) if cli.status => Style::Hidden,
        (When::Auto | When::Always, true) => Style::Bar,
        (When::Always, false) => Style::Lines,
    }
}

fn globs(patterns: &[String]) -> Result<GlobSet, ConfigError> {
    let bad = |glob: &str, source| ConfigError::BadGlob {
        glob: glob.to_owned(),
        source,
    };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        // As people type paths: `./old/` means what `old` means.
        let plain = pattern.strip_prefix("./").unwrap_or(pattern);
        let plain = plain.strip_suffix('/').unwrap_or(plain);
        if plain.is_empty() || plain.starts_with('/') {
            return Err(ConfigError::GlobMatchesNothing(pattern.clone()));
        }
        let glob = GlobBuilder::new(plain).literal_separator(true).build();
        set.add(glob.map_err(|error| bad(pattern, error))?);
    }
    set.build().map_err(|error| bad("", error))
}

fn target(cli: &Cli, exclude: GlobSet) -> Result<Target, ConfigError> {
    let check = |path: &PathBuf| {
        fs::metadata(path).map_err(|source| ConfigError::NoPath {
            path: path.clone(),
            source,
        })
    };
    // A PATH that is mistyped is told now, not after hours of hashing the others.
    cli.paths
        .iter()
        .try_for_each(|path| check(path).map(|_| ()))?;
    let Some(signature) = &cli.signature else {
        let search = Search {
            reach: Reach {
                max_depth: cli.max_depth,
                follow_links: cli.follow_links,
                exclude,
            },
            needed: match cli.all_files {
                true => Needed::AllFiles,
                false => Needed::Artifacts,
            },
        };
        return Ok(Target::Paths(cli.paths.clone(), search));
    };
    if !check(signature)?.is_file() {
        return Err(ConfigError::SignatureNotAFile(signature.clone()));
    }
    match cli.paths.as_slice() {
        [data] if !data.is_dir() => Ok(Target::One {
            data: data.clone(),
            signature: signature.clone(),
        }),
        _ => Err(ConfigError::NotOneFile),
    }
}

/// Where the keys are: what was typed, else `$PUBKEY`, else the default in the current directory.
fn key_paths(cli: &Cli, environment: &Environment) -> Result<Vec<PathBuf>, ConfigError> {
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

fn load_keys(paths: &[PathBuf]) -> Result<Vec<Arc<Key>>, ConfigError> {
    let mut keys: Vec<Arc<Key>> = Vec::new();
    for path in paths {
        for file in key_files(path)? {
            let key = load_key(&file)?;
            if keys.iter().all(|k| k.fingerprint() != key.fingerprint()) {
                keys.push(Arc::new(key));
            }
        }
    }
    Ok(keys)
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn style_of(arguments: &[&str], stderr_is_terminal: bool) -> Style {
        let cli = Cli::parse_from([&["verify-signatures"], arguments].concat());
        let environment = Environment {
            pubkey: None,
            stderr_is_terminal,
            cores: 1,
        };
        style(&cli, &environment)
    }

    #[test]
    fn the_bar_is_for_terminals_and_not_where_nothing_is_to_be_printed() {
        assert_eq!(style_of(&[], true), Style::Bar);
        assert_eq!(style_of(&[], false), Style::Hidden);
        assert_eq!(style_of(&["--status"], true), Style::Hidden);
        assert_eq!(style_of(&["--progress", "never"], true), Style::Hidden);
        assert_eq!(style_of(&["--progress", "always"], true), Style::Bar);
        assert_eq!(style_of(&["--progress", "always"], false), Style::Lines);
    }
}
