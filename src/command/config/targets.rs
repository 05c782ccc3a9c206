//! The reports to write, and the files that none of them may replace.

use std::fs;
use std::path::{Path, PathBuf};

use super::places::{is_same_file, lies_inside, place};
use super::{ConfigError, DEFAULT_KEY, Environment};
use crate::command::args::{Cli, Format};
use crate::report::format::{self, ReportFormat};

/// A report to write.
#[derive(Clone, Debug)]
pub struct Target {
    /// The name to write it under.
    pub path: PathBuf,
    /// Its format, by the ending of the name.
    pub format: ReportFormat,
}

/// Rejects a report that would replace the baseline or a key.
pub(super) fn spare(reports: &[Target], cli: &Cli, keys: &[PathBuf]) -> Result<(), ConfigError> {
    let (baseline, evidence) = (cli.baseline.as_deref(), &cli.image_signatures);
    for Target { path, .. } in reports {
        let is_evidence = |given: &PathBuf| is_same_file(given, path);
        if evidence.iter().any(is_evidence) || lies_inside(path, &directories(evidence)) {
            return Err(ConfigError::ReportReplacesEvidence(path.clone()));
        }
        if baseline.is_some_and(|baseline| is_same_file(baseline, path)) {
            return Err(ConfigError::ReportReplacesBaseline(path.clone()));
        }
        if keys.iter().any(|key| is_same_file(key, path)) {
            return Err(ConfigError::ReportReplacesKey(path.clone()));
        }
    }
    Ok(())
}

pub(super) fn directories(paths: &[PathBuf]) -> Vec<PathBuf> {
    let directories = paths.iter().filter(|path| path.is_dir());
    directories.cloned().collect()
}

/// Returns every file that may hold a key of this run or the next: besides the trusted keys, that
/// includes duplicate files of a key, and keys that are not pinned.
pub(super) fn key_files(cli: &Cli, environment: &Environment) -> Vec<PathBuf> {
    let default = || {
        vec![
            environment
                .pubkey
                .as_ref()
                .map_or(DEFAULT_KEY.into(), PathBuf::from),
        ]
    };
    let named = if cli.keys.is_empty() {
        default()
    } else {
        cli.keys.clone()
    };
    let named = named.iter().chain(&cli.image_keys).chain(&cli.sign_report);
    named.flat_map(|path| files_of(path)).collect()
}

/// Returns a file, or the files of a directory of keys; a file there with the name of a report is
/// an earlier run's, and not a key.
fn files_of(path: &Path) -> Vec<PathBuf> {
    match fs::read_dir(path) {
        Err(_) => vec![path.to_owned()],
        Ok(entries) => {
            let paths = entries.flatten().map(|entry| entry.path());
            paths
                .filter(|path| ReportFormat::of(path).is_none())
                .collect()
        }
    }
}

/// Returns the reports with their formats; no two may share a place.
pub(super) fn reports(cli: &Cli) -> Result<Vec<Target>, ConfigError> {
    if cli.note.is_some() && cli.reports.is_empty() && cli.format == Format::Text {
        return Err(ConfigError::NoteNowhere);
    }
    let mut named: Vec<Target> = Vec::new();
    for path in &cli.reports {
        let format =
            ReportFormat::of(path).ok_or_else(|| ConfigError::ReportFormat(path.clone()))?;
        named.push(Target {
            path: path.clone(),
            format,
        });
        if format == ReportFormat::Sums && cli.sign_report.is_some() {
            named.push(Target {
                path: format::signature_of(path),
                format: ReportFormat::SumsSignature,
            });
        }
    }
    let mut reports: Vec<Target> = Vec::new();
    for target in named {
        let is_there = |other: &Target| place(&other.path) == place(&target.path);
        if reports.iter().any(is_there) {
            return Err(ConfigError::SameReport(target.path));
        }
        reports.push(target);
    }
    Ok(reports)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn cli(arguments: &[&str]) -> Cli {
        Cli::parse_from([&["verify-signatures"], arguments].concat())
    }

    #[test]
    fn a_report_has_a_format_by_its_name_and_a_place_of_its_own() {
        let of = |names: &[&str]| {
            let options = names.iter().flat_map(|name| ["--report", name]);
            reports(&cli(&options.collect::<Vec<_>>()))
        };
        let both = of(&["a.json", "d/b.html"]).unwrap();
        let formats: Vec<_> = both.iter().map(|report| report.format).collect();
        assert_eq!(formats, [ReportFormat::Json, ReportFormat::Html]);
        assert!(matches!(of(&["a.txt"]), Err(ConfigError::ReportFormat(_))));
        assert!(matches!(of(&["a"]), Err(ConfigError::ReportFormat(_))));
        assert!(matches!(
            of(&["a.xml", "a.xml"]),
            Err(ConfigError::SameReport(_))
        ));
    }
}
