//! `--merge`: the reports of the shards, and what is to be written of the whole.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::places::is_same_file;
use super::{
    Against, ConfigError, Environment, Output, Target, baseline, reports, signing, stdout_colour,
};
use crate::command::args::Cli;
use crate::merge::Demands;
use crate::report::lines::Detail;
use crate::report::sign::Signer;
use crate::terminal::progress::Style;
use crate::trust::claimed::ClaimedDigest;

/// The checked configuration of a merge.
#[derive(Debug)]
pub struct Merging {
    /// The reports of the shards.
    pub parts: Vec<PathBuf>,
    /// What they must be besides whole.
    pub demands: Demands,
    /// What to print.
    pub output: Output,
    /// The reports to write.
    pub reports: Vec<Target>,
    /// The key to sign them with, if one is named.
    pub signer: Option<Signer>,
    /// What the user has to say on the merge.
    pub note: Option<String>,
    /// The baseline's path, if one is named. How many PATHs it must have is known once the reports
    /// are read.
    pub baseline: Option<PathBuf>,
}

impl Merging {
    /// Checks the command line; reads no report.
    ///
    /// # Errors
    /// If the whole cannot be written as demanded.
    pub fn resolve(cli: &Cli, environment: &Environment) -> Result<Merging, ConfigError> {
        let reports = reports(cli)?;
        let merge = expanded(&cli.merge)?;
        let parts = merge.iter().chain(&cli.baseline);
        for Target { path, .. } in &reports {
            if parts.clone().any(|part| is_same_file(part, path)) {
                return Err(ConfigError::ReportReplacesMerged(path.clone()));
            }
        }
        let signer = signing::load(cli, &[], &reports)?;
        let fingerprints = cli.fingerprints.iter();
        let fingerprints = fingerprints.filter_map(|pin| ClaimedDigest::parse(pin));
        Ok(Merging {
            parts: merge,
            demands: Demands {
                fingerprints: fingerprints.collect(),
                within: cli.within,
            },
            output: Output {
                detail: Detail {
                    lines: !cli.status,
                    valid: !cli.quiet,
                    reasons: cli.verbose,
                    colour: stdout_colour(cli, environment),
                },
                format: cli.format,
                progress: Style::Hidden,
                fail_fast: false,
            },
            reports,
            signer,
            note: cli.note.clone(),
            baseline: cli.baseline.clone(),
        })
    }

    /// Reads the baseline for a merge over this many PATHs.
    ///
    /// # Errors
    /// If it is none, or has images and the merged runs did not judge any.
    pub fn against(&self, paths: usize, has_images: bool) -> Result<Option<Against>, ConfigError> {
        let Some(path) = &self.baseline else {
            return Ok(None);
        };
        baseline::of(path, paths, has_images, false).map(Some)
    }
}

/// Returns the reports, with those in a directory in the place of it: every .json and .jsonl there.
///
/// # Errors
/// If a directory cannot be read, and if it has no report.
fn expanded(given: &[PathBuf]) -> Result<Vec<PathBuf>, ConfigError> {
    let mut reports = Vec::new();
    for path in given {
        if !path.is_dir() {
            reports.push(path.clone());
            continue;
        }
        let inside = inside(path).map_err(|source| ConfigError::ReportUnreadable {
            path: path.clone(),
            source,
        })?;
        if inside.is_empty() {
            return Err(ConfigError::NoReportInDirectory(path.clone()));
        }
        reports.extend(inside);
    }
    Ok(reports)
}

fn inside(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut reports = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let ending = path.extension();
        // A pipe with the name of a report would be waited for.
        if path.is_file() && ending.is_some_and(|ending| ending == "json" || ending == "jsonl") {
            reports.push(path);
        }
    }
    reports.sort();
    Ok(reports)
}

/// Reads the report of a shard.
///
/// # Errors
/// If it cannot be read.
pub fn part(path: &Path) -> Result<Vec<u8>, ConfigError> {
    baseline::read(path).map_err(|source| ConfigError::ReportUnreadable {
        path: path.to_owned(),
        source,
    })
}
