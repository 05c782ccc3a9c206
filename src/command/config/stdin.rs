//! `-` as PATH: standard input, verified against one signature.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Stat, fstat};
use rustix::stdio::stdin;

use super::{ConfigError, Environment, one, reports};
use crate::command::args::Cli;
use crate::content::IoMode;
use crate::report::format::ReportFormat;
use crate::verify::{DataKind, One, STDIN};

/// Returns standard input and its signature, if a PATH asks for it.
///
/// # Errors
/// If it cannot be read as the artifact of this run.
pub(super) fn find(cli: &Cli, environment: &Environment) -> Result<Option<One>, ConfigError> {
    let is_stdin = |path: &PathBuf| path.as_path() == Path::new(STDIN);
    if !cli.paths.iter().any(is_stdin) {
        return Ok(None);
    }
    let signature = cli.signature.as_deref();
    let signature = signature.ok_or(ConfigError::StdinWithoutSignature)?;
    if cli.paths.len() > 1 {
        return Err(ConfigError::NotOneFile);
    }
    refuse_options(cli)?;
    let stat = fstat(stdin()).map_err(|error| ConfigError::StdinUnreadable(error.into()))?;
    let size = size(&stat)?;
    refuse_others(cli, environment, &stat)?;
    let found = fs::metadata(signature).map_err(|source| ConfigError::NoPath {
        path: signature.to_owned(),
        source,
    })?;
    Ok(Some(One {
        data: STDIN.into(),
        content: one::content(signature, &found)?,
        signature: signature.to_owned(),
        kind: DataKind::Stdin(size),
    }))
}

/// Returns the PATHs that lie somewhere: not standard input, which has no place.
pub(super) fn without(paths: &[PathBuf]) -> &[PathBuf] {
    match paths {
        [path] if path.as_path() == Path::new(STDIN) => &[],
        paths => paths,
    }
}

/// Refuses options that need a file.
fn refuse_options(cli: &Cli) -> Result<(), ConfigError> {
    if cli.length.is_some() {
        return Err(ConfigError::LengthOfFile(STDIN.into()));
    }
    if let IoMode::Mmap | IoMode::Direct = cli.io {
        return Err(ConfigError::StdinRead(cli.io));
    }
    if cli.baseline.is_some() {
        return Err(ConfigError::StdinCompared);
    }
    // A stream has no place and no stamps by which a later run would know it.
    if cli.ledger.is_some() || cli.resume.is_some() {
        return Err(ConfigError::StdinLater);
    }
    // Fail closed: a list or a statement that names `-` would name a file of whoever reads it.
    let names_files = |format| {
        use ReportFormat::{InToto, Sums, SumsSignature};
        matches!(format, InToto | Sums | SumsSignature)
    };
    let reports = reports(cli)?;
    match reports.iter().find(|report| names_files(report.format)) {
        Some(report) => Err(ConfigError::StdinListed(report.path.clone())),
        None => Ok(()),
    }
}

/// Returns the number of bytes to come, if it is known.
///
/// # Errors
/// Unless it is a pipe, a socket or a regular file.
fn size(stat: &Stat) -> Result<Option<u64>, ConfigError> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Fifo | FileType::Socket => Ok(None),
        FileType::RegularFile => Ok(rest(stat)),
        FileType::Directory => Err(ConfigError::StdinDirectory),
        FileType::BlockDevice => Err(ConfigError::StdinDevice),
        // Also what std opens in place of a closed one.
        _ if rustix::termios::isatty(stdin()) => Err(ConfigError::StdinTerminal),
        _ => Err(ConfigError::StdinNothing),
    }
}

/// Returns the number of bytes behind the position of a regular file.
fn rest(stat: &Stat) -> Option<u64> {
    let at = rustix::fs::tell(stdin()).ok()?;
    u64::try_from(stat.st_size).ok()?.checked_sub(at)
}

/// Refuses standard input under another name, such as /dev/stdin, for something else: one of both
/// would get what belongs to the other.
fn refuse_others(cli: &Cli, environment: &Environment, stat: &Stat) -> Result<(), ConfigError> {
    let named = cli.signature.iter().chain(&cli.keys).chain(&cli.image_keys);
    let named = named.chain(&cli.image_signatures).cloned();
    let default = environment.pubkey.iter().map(PathBuf::from);
    let mut named = named.chain(default.filter(|_| cli.keys.is_empty()));
    let is_stdin = |path: &PathBuf| {
        let found = rustix::fs::stat(path.as_path());
        found.is_ok_and(|found| (found.st_dev, found.st_ino) == (stat.st_dev, stat.st_ino))
    };
    match named.find(is_stdin) {
        Some(path) => Err(ConfigError::StdinTwice(path)),
        None => Ok(()),
    }
}
