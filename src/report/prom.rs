//! A run as metrics in the text format of Prometheus (version 0.0.4), for the textfile collector of
//! its node exporter.
//!
//! Names, types and labels are stable. Every sample has the label `report`, the name of its file
//! without the ending, since a collector that reads two files refuses a sample that is in both. The
//! metrics are those of the last run, and one of them is the time of its end: alert on that too, or
//! a run that never comes again looks like a success.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::SystemTime;

use super::context::Context;
use super::{gaps, words};
use crate::module;
use crate::run::conclusion::Conclusion;
use crate::run::{End, Run, Start, VERSION};
use crate::text::escape;
use crate::trust::summary::Summary;
use crate::trust::terms::Status;

/// A metric: its name, and what it says.
struct Metric(&'static str, &'static str);

const INFO: Metric = Metric(
    "verify_signatures_info",
    "The program, the machine and the PATHs of the last run; always 1.",
);
const KEY: Metric = Metric(
    "verify_signatures_key_info",
    "A trusted key of the last run by its fingerprint; always 1.",
);
const ARTIFACTS: Metric = Metric(
    "verify_signatures_artifacts",
    "Artifacts of the last run with each verdict.",
);
const IMAGES: Metric = Metric(
    "verify_signatures_images",
    "Images inside artifacts of the last run with each verdict.",
);
const EXPECTED: Metric = Metric(
    "verify_signatures_expected",
    "Artifacts and images that the last run had to judge.",
);
const FAILURES: Metric = Metric(
    "verify_signatures_failures",
    "Artifacts and images of the last run that do not pass.",
);
const DIFFERENCES: Metric = Metric(
    "verify_signatures_differences",
    "Differences of the last run from its baseline.",
);
const COMPLETE: Metric = Metric(
    "verify_signatures_complete",
    "Whether the last run judged everything: 1 or 0.",
);
const EXIT_STATUS: Metric = Metric(
    "verify_signatures_exit_status",
    "Exit status of the last run; 0 is success.",
);
const BYTES: Metric = Metric(
    "verify_signatures_hashed_bytes",
    "Bytes hashed in the last run.",
);
const DURATION: Metric = Metric(
    "verify_signatures_duration_seconds",
    "Duration of the last run.",
);
const NOT_CHECKED: Metric = Metric(
    "verify_signatures_not_checked",
    "Files, directories and links that the last run did not check.",
);
const END: Metric = Metric(
    "verify_signatures_end_timestamp_seconds",
    "When the last run ended, in seconds since 1970.",
);

/// Maximum number of PATHs in a label.
const MOST_PATHS: usize = 4;

/// Writes a whole run.
///
/// # Errors
/// Those of the writer.
pub(super) fn write(out: impl Write, context: &Context<'_>) -> io::Result<()> {
    let report = context.place.file_stem().unwrap_or_default();
    let mut metrics = Metrics {
        out,
        report: escape::name(report),
    };
    let Run { start, end, .. } = context.run;
    origin(&mut metrics, start)?;
    verdicts(&mut metrics, &end.summary, start.options.images.is_some())?;
    metrics.one(&EXPECTED, end.summary.expected)?;
    metrics.one(&FAILURES, end.summary.failures)?;
    if let Some(audit) = &end.audit {
        metrics.one(&DIFFERENCES, audit.findings.len())?;
    }
    metrics.begin(&NOT_CHECKED)?;
    for (what, count) in gaps::counts(&end.unchecked) {
        metrics.sample(&NOT_CHECKED, &[("what", what)], count)?;
    }
    metrics.one(&COMPLETE, u8::from(is_complete(end)))?;
    metrics.one(&EXIT_STATUS, end.conclusion.exit_status())?;
    metrics.one(&BYTES, end.summary.bytes)?;
    metrics.one(&DURATION, end.summary.elapsed.as_secs_f64())?;
    metrics.one(&END, seconds(end.time))
}

/// Writes which run it was, and its keys.
fn origin<W: Write>(metrics: &mut Metrics<W>, start: &Start) -> io::Result<()> {
    let host = escape::name(start.host.as_ref());
    let paths = paths(&start.roots);
    metrics.begin(&INFO)?;
    let module = escape::message(&module::words(start.module.as_ref()));
    let labels = [
        ("version", VERSION),
        ("module", &module),
        ("host", &host),
        ("paths", &paths),
        ("run", &start.origin.id),
    ];
    let shard = start.division.as_ref();
    let shard = shard.map(|division| division.shard.to_string());
    let shard = shard.iter().map(|shard| ("shard", shard.as_str()));
    let labels: Vec<(&str, &str)> = labels.into_iter().chain(shard).collect();
    metrics.sample(&INFO, &labels, 1)?;
    metrics.begin(&KEY)?;
    for key in &start.keys {
        let fingerprint = key.fingerprint.to_string();
        metrics.sample(&KEY, &[("fingerprint", &fingerprint)], 1)?;
    }
    Ok(())
}

/// Returns the first of the PATHs, and the number of the others.
fn paths(roots: &[PathBuf]) -> String {
    let shown = roots.iter().take(MOST_PATHS);
    let shown: Vec<String> = shown.map(|root| words::shown_path(root)).collect();
    let more = match roots.len().saturating_sub(MOST_PATHS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    shown.join(", ") + &more
}

/// Writes the number of artifacts and of images with each verdict, none left out.
fn verdicts<W: Write>(
    metrics: &mut Metrics<W>,
    summary: &Summary,
    has_images: bool,
) -> io::Result<()> {
    metrics.begin(&ARTIFACTS)?;
    for status in OF_ARTIFACTS {
        let count = summary.of(status) - summary.images.of(status);
        metrics.sample(&ARTIFACTS, &[("verdict", status.name())], count)?;
    }
    if has_images {
        metrics.begin(&IMAGES)?;
        for status in OF_IMAGES {
            let count = summary.images.of(status);
            metrics.sample(&IMAGES, &[("verdict", status.name())], count)?;
        }
    }
    Ok(())
}

/// The statuses that artifacts have.
const OF_ARTIFACTS: [Status; 9] = [
    Status::Valid,
    Status::Listed,
    Status::Invalid,
    Status::Unsigned,
    Status::Missing,
    Status::Changed,
    Status::Unreadable,
    Status::NotRegular,
    Status::VerifiedEarlier,
];
/// The statuses that images have.
const OF_IMAGES: [Status; 7] = [
    Status::Valid,
    Status::Invalid,
    Status::Unsigned,
    Status::Incomplete,
    Status::Malformed,
    Status::TooLarge,
    Status::NoImages,
];

/// Reports whether a run judged everything and came to its end.
fn is_complete(end: &End) -> bool {
    let is_judged = matches!(
        end.conclusion,
        Conclusion::Valid | Conclusion::NotValid | Conclusion::CannotJudge
    );
    end.summary.is_complete() && end.interrupted.is_none() && is_judged
}

/// Returns seconds since 1970, with milliseconds; 0 for a clock before that.
fn seconds(time: SystemTime) -> f64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0.0, |since| (since.as_secs_f64() * 1e3).round() / 1e3)
}

/// Where the metrics go, and what all samples have.
struct Metrics<W> {
    out: W,
    report: String,
}

impl<W: Write> Metrics<W> {
    /// Writes a metric with one sample.
    fn one(&mut self, metric: &Metric, value: impl Display) -> io::Result<()> {
        self.begin(metric)?;
        self.sample(metric, &[], value)
    }

    /// Begins a metric. Its samples follow.
    fn begin(&mut self, Metric(name, help): &Metric) -> io::Result<()> {
        write!(self.out, "# HELP {name} {help}\n# TYPE {name} gauge\n")
    }

    /// Writes a sample with the labels that it has besides `report`.
    fn sample(
        &mut self,
        Metric(name, _): &Metric,
        labels: &[(&str, &str)],
        value: impl Display,
    ) -> io::Result<()> {
        write!(self.out, "{name}{{report=\"{}\"", quoted(&self.report))?;
        for (label, value) in labels {
            write!(self.out, ",{label}=\"{}\"", quoted(value))?;
        }
        writeln!(self.out, "}} {value}")
    }
}

/// Returns the value of a label as it is between its quotes.
fn quoted(value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"");
    value.replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_of_a_label_is_on_one_line_and_between_its_quotes() {
        assert_eq!(quoted("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    }

    #[test]
    fn many_paths_are_counted() {
        let of = |names: &[&str]| paths(&names.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(of(&["a", "b"]), "a, b");
        assert_eq!(of(&["a", "b", "c", "d", "e", "f"]), "a, b, c, d and 2 more");
    }

    #[test]
    fn every_status_is_counted_for_artifacts_or_for_images() {
        let is_listed =
            |status: &Status| OF_ARTIFACTS.contains(status) || OF_IMAGES.contains(status);
        assert!(Status::ALL.iter().all(is_listed));
    }
}
