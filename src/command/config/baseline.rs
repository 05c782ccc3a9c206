//! The baseline for the audit: read before any artifact, so that a bad one is reported at once.

use std::fs;
use std::io;
use std::path::Path;

use rustix::io::Errno;

use super::{Against, ConfigError, lies_inside};
use crate::audit::baseline::Baseline;
use crate::command::args::Cli;
use crate::limits;

/// Loads the baseline, if one is given.
pub(super) fn load(cli: &Cli) -> Result<Option<Against>, ConfigError> {
    let Some(path) = &cli.baseline else {
        return Ok(None);
    };
    let is_exposed = lies_inside(path, &cli.paths);
    of(path, cli.paths.len(), cli.images, is_exposed).map(Some)
}

/// Loads the baseline of a run over this many PATHs.
pub(super) fn of(
    path: &Path,
    paths: usize,
    has_images: bool,
    is_exposed: bool,
) -> Result<Against, ConfigError> {
    let report = read(path).map_err(|source| ConfigError::BaselineUnreadable {
        path: path.to_owned(),
        source,
    })?;
    let baseline = Baseline::parse(&report, paths);
    let baseline = baseline.map_err(|source| ConfigError::BadBaseline {
        path: path.to_owned(),
        source,
    })?;
    // Fail closed: an audit that leaves out what the baseline has would find no difference there.
    if baseline.has_images() && !has_images {
        return Err(ConfigError::BaselineHasImages(path.to_owned()));
    }
    Ok(Against {
        is_exposed,
        path: path.to_owned(),
        baseline,
    })
}

/// Reads a report, unless memory lacks the room for it and its parsed form, which is no larger.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let room = path.metadata()?.len().saturating_mul(2);
    if limits::has_room(room) {
        fs::read(path)
    } else {
        Err(Errno::NOMEM.into())
    }
}
