//! What earlier runs left for this one: the ledger, and the report of a run to resume. Both are
//! read before any artifact.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustix::process::geteuid;

use super::ConfigError;
use super::baseline::{read, read_whole};
use super::places::{is_same_file, lies_inside, place};
use super::stdin::without;
use super::targets::directories;
use crate::command::args::Cli;
use crate::earlier::ledger::Ledger;
use crate::earlier::resume::{self, Asked};
use crate::earlier::{History, Past};
use crate::text::os_error;

/// A ledger to keep.
#[derive(Debug)]
pub struct LedgerFound {
    /// Its path.
    pub path: PathBuf,
    /// What it says.
    pub history: Arc<History>,
    /// Whether it must be written anew before anything can be appended.
    pub is_torn: bool,
    /// Why it counts as empty, in words, if there is something that does.
    pub damage: Option<String>,
}

/// Reads the ledger, if one is given.
///
/// # Errors
/// If it may not be kept there. One that cannot be read, or is damaged, counts as empty.
pub(super) fn ledger(cli: &Cli, keys: &[PathBuf]) -> Result<Option<LedgerFound>, ConfigError> {
    let Some(path) = &cli.ledger else {
        return Ok(None);
    };
    spare(path, cli, keys)?;
    let (ledger, damage) = match content(path).map(|bytes| Ledger::parse(&bytes)) {
        Ok(Ok(ledger)) => (ledger, None),
        Ok(Err(damaged)) => (empty(), Some(damaged.to_string())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (empty(), None),
        Err(error) => (empty(), Some(os_error::words(&error))),
    };
    Ok(Some(LedgerFound {
        path: path.clone(),
        history: Arc::new(ledger.history),
        is_torn: ledger.is_torn,
        damage,
    }))
}

fn empty() -> Ledger {
    Ledger {
        is_torn: true,
        ..Ledger::default()
    }
}

/// Returns the content of a regular file; anything else there is refused when it is to be written.
fn content(path: &Path) -> io::Result<Vec<u8>> {
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("Not a regular file"));
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let is_ours = [geteuid().as_raw(), 0].contains(&metadata.uid());
    // Fail closed: who can write to it can have anything taken for verified.
    if !is_ours || metadata.mode() & 0o002 != 0 {
        return Err(io::Error::other("others can write to it"));
    }
    read_whole(file)
}

/// Rejects a ledger inside the tree, where others may write, and one that would replace a file that
/// the user named. What is found in the tree is looked at after the survey.
fn spare(path: &Path, cli: &Cli, keys: &[PathBuf]) -> Result<(), ConfigError> {
    if lies_inside(path, without(&cli.paths)) {
        return Err(ConfigError::LedgerInside(path.to_owned()));
    }
    let is_it = |other: &&PathBuf| is_same_file(other, path);
    let given = [&cli.signature, &cli.baseline, &cli.resume];
    let given = given.into_iter().flatten().chain(&cli.image_signatures);
    let is_there = |report: &PathBuf| place(report) == place(path);
    if keys.iter().chain(given).any(|other| is_it(&other))
        || cli.reports.iter().any(is_there)
        || lies_inside(path, &directories(&cli.image_signatures))
    {
        return Err(ConfigError::LedgerReplaces(path.to_owned()));
    }
    Ok(())
}

/// Returns what this run knows of earlier ones, if it may know.
///
/// # Errors
/// If the run that is to be resumed cannot be.
pub(super) fn past(
    cli: &Cli,
    ledger: Option<&LedgerFound>,
) -> Result<Option<Arc<Past>>, ConfigError> {
    let resumed = cli.resume.as_deref().map(|path| resumed(path, cli));
    let resumed = resumed.transpose()?;
    let ledger = ledger.map(|ledger| Arc::clone(&ledger.history));
    let is_known = ledger.is_some() || resumed.is_some();
    if cli.max_age.is_some() && !is_known {
        return Err(ConfigError::AgeOfNothing);
    }
    Ok(is_known.then(|| {
        Arc::new(Past {
            now: SystemTime::now(),
            ledger,
            max_age: cli.max_age,
            resumed,
        })
    }))
}

fn resumed(path: &Path, cli: &Cli) -> Result<History, ConfigError> {
    // Fail closed: who can change the artifacts could have written it.
    if lies_inside(path, without(&cli.paths)) {
        return Err(ConfigError::ResumedInside(path.to_owned()));
    }
    let report = read(path).map_err(|source| ConfigError::ReportUnreadable {
        path: path.to_owned(),
        source,
    })?;
    let asked = Asked {
        signature: cli.signature.clone(),
        max_depth: cli.max_depth,
        follow_links: cli.follow_links,
        exclude: cli.exclude.clone(),
        allow_unsigned: cli.allow_unsigned,
        all_files: cli.all_files,
        lists: cli.lists.clone(),
        images: cli.images,
    };
    resume::read(&report, &asked).map_err(|source| ConfigError::NotResumable {
        path: path.to_owned(),
        source,
    })
}
