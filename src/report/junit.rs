//! A run as JUnit XML, as GitLab and Jenkins read it: one test case an artifact.

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::run::{End, Run, Start, VERSION};
use super::words;
use crate::audit::Finding;
use crate::trust::terms::Reason;
use crate::trust::verdict::{Record, Subject};

/// The name of the report, of its suite, and of the case that stands for the run.
const NAME: &str = env!("CARGO_PKG_NAME");

/// Writes a whole run.
///
/// # Errors
/// Those of the writer.
pub fn write(mut out: impl Write, run: Run<'_>) -> io::Result<()> {
    let mut report = Report::new(NAME);
    report.set_timestamp(DateTime::<Utc>::from(run.start.time));
    report.set_time(run.end.summary.elapsed);
    report.add_test_suite(suite(run));
    report.serialize(&mut out).map_err(io::Error::other)
}

fn suite(run: Run<'_>) -> TestSuite {
    let mut suite = TestSuite::new(NAME);
    suite.set_timestamp(DateTime::<Utc>::from(run.start.time));
    suite.set_time(run.end.summary.elapsed);
    for (name, value) in properties(run.start) {
        suite.add_property((name, value.as_str()));
    }
    let several = with_several(run.records);
    suite.add_test_cases(run.records.iter().map(|record| case(record, &several)));
    let findings = run.end.audit.iter().flat_map(|audit| &audit.findings);
    suite.add_test_cases(findings.map(difference));
    let notes: Vec<String> = run.end.notes.iter().map(words::note).collect();
    if !notes.is_empty() {
        suite.set_system_out(notes.join("\n"));
    }
    suite.add_test_cases(unfinished(run.end));
    suite
}

fn properties(start: &Start) -> Vec<(&'static str, String)> {
    let key = |key: &std::sync::Arc<crate::trust::key::Key>| {
        ("key", format!("{} {}", key.fingerprint(), key.name()))
    };
    let root = |root: &std::path::PathBuf| ("path", words::shown(root));
    let mut properties = vec![
        ("version", VERSION.to_owned()),
        ("host", start.host.clone()),
    ];
    let directory = start.directory.as_deref().map(words::shown);
    properties.extend(directory.map(|directory| ("directory", directory)));
    properties.extend(start.keys.iter().map(key));
    properties.extend(start.roots.iter().map(root));
    properties
}

/// What more than one record speaks of: a file with two signatures.
fn with_several(records: &[Record]) -> HashSet<&Subject> {
    let mut seen = HashSet::new();
    let subjects = records.iter().map(|record| &record.subject);
    subjects.filter(|subject| !seen.insert(*subject)).collect()
}

/// The name of a case, which no other has: GitLab takes two of one name for one.
fn name(record: &Record, several: &HashSet<&Subject>) -> String {
    let subject = words::subject(record);
    match several.contains(&record.subject) {
        true => format!("{subject} ({})", words::signature(record)),
        false => subject,
    }
}

fn case(record: &Record, several: &HashSet<&Subject>) -> TestCase {
    let Subject::Artifact(path) = &record.subject;
    let mut case = TestCase::new(name(record, several), status(record));
    let directory = path.parent().unwrap_or(Path::new(""));
    case.set_classname(match directory.as_os_str().is_empty() {
        true => ".".to_owned(),
        false => words::shown(directory),
    });
    case.set_time(record.elapsed);
    if let Some(signature) = &record.signature {
        case.add_property(("signature", words::shown(signature).as_str()));
    }
    if let Some(digest) = &record.digest {
        case.add_property(("sha256", digest.to_string().as_str()));
    }
    case
}

fn status(record: &Record) -> TestCaseStatus {
    let line = words::verdict(&record.verdict);
    match record.verdict {
        crate::trust::verdict::Verdict::Valid { .. } => TestCaseStatus::success(),
        // What is allowed to have no signature was not verified: it is neither a success nor a failure.
        _ if record.verdict.passes() => {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message(line);
            skipped
        }
        _ => {
            let mut failure = TestCaseStatus::non_success(NonSuccessKind::Failure);
            failure
                .set_message(line)
                .set_type(Reason::of(&record.verdict).name())
                .set_description(words::full_detail(record));
            failure
        }
    }
}

/// A case that fails for a difference from the baseline.
fn difference(finding: &Finding) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    let line = words::finding(finding);
    status.set_message(line).set_type(finding.name());
    let mut case = TestCase::new(words::shown(finding.path()), status);
    case.set_classname("baseline");
    case
}

/// A case that fails for the run itself, where not every artifact was judged or none could be.
///
/// Fail closed: who reads the cases alone must not take a run that was cut short for a success.
fn unfinished(end: &End) -> Option<TestCase> {
    let mut problems = end.problems.clone();
    if let Some(signal) = end.interrupted {
        problems.push(format!("ended by {signal}"));
    }
    if !end.summary.is_complete() && !end.summary.unsurveyed {
        let (records, expected) = (end.summary.records(), end.summary.expected);
        problems.push(format!("{records} of {expected} were judged"));
    }
    let judged = matches!(end.exit_status, 0 | 1) && problems.is_empty();
    (!judged).then(|| {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status
            .set_message(problems.join("; "))
            .set_type(format!("exit-status-{}", end.exit_status));
        let mut case = TestCase::new("the whole run", status);
        case.set_classname(NAME);
        case
    })
}
