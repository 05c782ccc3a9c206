//! The two reports of `--compare`, and what is to be written of their comparison.

use std::path::Path;

use super::places::is_same_file;
use super::{ConfigError, Target, baseline, reports};
use crate::audit::comparison::Report;
use crate::command::args::{Cli, Format};

/// The checked configuration of a comparison.
#[derive(Debug)]
pub struct Compared {
    /// The earlier report.
    pub old: Report,
    /// The later report.
    pub new: Report,
    /// The later report's path, which an error of comparing is about.
    pub named: String,
    /// The reports to write.
    pub reports: Vec<Target>,
    /// Whether to print anything.
    pub prints: bool,
    /// The format of stdout.
    pub format: Format,
}

impl Compared {
    /// Reads both reports.
    ///
    /// # Errors
    /// If a report cannot be read, or a comparison cannot be written as demanded.
    pub fn resolve(cli: &Cli, old: &Path, new: &Path) -> Result<Compared, ConfigError> {
        let targets = reports(cli)?;
        for Target { path, format } in &targets {
            if !format.has_comparisons() {
                return Err(ConfigError::NoComparison(path.clone()));
            }
            if is_same_file(path, old) || is_same_file(path, new) {
                return Err(ConfigError::ReportReplacesCompared(path.clone()));
            }
        }
        Ok(Compared {
            old: report(old)?,
            new: report(new)?,
            named: super::shown(new),
            reports: targets,
            prints: !cli.status,
            format: cli.format,
        })
    }
}

fn report(path: &Path) -> Result<Report, ConfigError> {
    let content = baseline::read(path).map_err(|source| ConfigError::ReportUnreadable {
        path: path.to_owned(),
        source,
    })?;
    Report::parse(path, &content).map_err(|source| ConfigError::BadBaseline {
        path: path.to_owned(),
        source,
    })
}
