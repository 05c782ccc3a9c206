//! `--shard`: what one machine of several must leave behind.

use super::{ConfigError, Target};
use crate::command::args::{Cli, Format};
use crate::report::format::ReportFormat;

/// Checks that a shard leaves a report that can be merged, and none that looks like that of a whole
/// mirror.
///
/// # Errors
/// [`ConfigError::ShardUnreported`] and [`ConfigError::ShardOfWhole`].
pub(super) fn check(cli: &Cli, reports: &[Target]) -> Result<(), ConfigError> {
    if super::shard(cli).is_none() {
        return Ok(());
    }
    let is_json = |report: &Target| report.format == ReportFormat::Json;
    // Objects are left out where not all lines are printed.
    let prints_all = cli.format == Format::Jsonl && !cli.quiet && !cli.status;
    // Fail closed: a share that is not counted is not missed.
    if !prints_all && !reports.iter().any(is_json) {
        return Err(ConfigError::ShardUnreported);
    }
    // Fail closed: these list what is valid, and have no place to say what they are a part of.
    let is_of_whole = |report: &&Target| !report.format.has_shards();
    match reports.iter().find(is_of_whole) {
        Some(report) => Err(ConfigError::ShardOfWhole(report.path.clone())),
        None => Ok(()),
    }
}
