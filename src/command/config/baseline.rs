//! The baseline that a run is audited against: read before any artifact, so that one that is none
//! is told at once.

use std::fs;
use std::io;
use std::path::Path;

use rustix::io::Errno;

use super::{Against, ConfigError, lies_inside};
use crate::audit::baseline::Baseline;
use crate::command::args::Cli;
use crate::limits;

/// The baseline that is named, if one is.
pub(super) fn load(cli: &Cli) -> Result<Option<Against>, ConfigError> {
    let Some(path) = &cli.baseline else {
        return Ok(None);
    };
    let report = read(path).map_err(|source| ConfigError::BaselineUnreadable {
        path: path.clone(),
        source,
    })?;
    let baseline = Baseline::parse(&report, cli.paths.len());
    let baseline = baseline.map_err(|source| ConfigError::BadBaseline {
        path: path.clone(),
        source,
    })?;
    Ok(Some(Against {
        is_exposed: lies_inside(path, &cli.paths),
        path: path.clone(),
        baseline,
    }))
}

/// Reads a report, unless there is no room for it and for what is made of it, which is no longer.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let room = path.metadata()?.len().saturating_mul(2);
    if limits::has_room(room) {
        fs::read(path)
    } else {
        Err(Errno::NOMEM.into())
    }
}
