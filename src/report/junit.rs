//! A run as JUnit XML, as GitLab and Jenkins read it: one test case per artifact.

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

use askama::Template;

use super::junit_names::{Class, Identity, names, part, part_of};
use super::signers::{self, Signers};
use super::{differences, unchecked, words};
use crate::audit::comparison::Comparison;
use crate::audit::{Content, Finding};
use crate::hints::signers::Signer;
use crate::module;
use crate::run::conclusion::Conclusion;
use crate::run::origin::{COMMIT, Origin};
use crate::run::{End, Run, ShardRun, TrustedKey, VERSION};
use crate::text::{escape, time};
use crate::trust::record::Record;
use crate::trust::terms::{Reason, Status};

/// The name of the report and of its suite.
const NAME: &str = env!("CARGO_PKG_NAME");

/// Writes a whole run.
///
/// # Errors
/// Those of the writer.
pub fn write(mut out: impl Write, run: Run<'_>) -> io::Result<()> {
    Report::of(run).write_into(&mut out)?;
    out.write_all(b"\n")
}

#[derive(Template)]
#[template(path = "junit.xml", config = "src/report/askama.toml")]
struct Report<'a> {
    name: &'static str,
    counts: Counts,
    timestamp: String,
    time: String,
    properties: Vec<(&'static str, String)>,
    records: &'a [Record],
    signers: Signers<'a>,
    /// The cases that belong to no record.
    others: Vec<Case>,
    notes: Option<String>,
}

/// The number of cases, and of each outcome except success.
#[derive(Default)]
struct Counts {
    tests: usize,
    skipped: usize,
    failures: usize,
    errors: usize,
}

impl<'a> Report<'a> {
    fn of(run: Run<'a>) -> Report<'a> {
        let findings = run.end.audit.iter().flat_map(|audit| &audit.findings);
        let others: Vec<Case> = findings
            .map(|finding| difference(finding, Class::Baseline, differences::finding(finding)))
            .chain(unfinished(run.end))
            .collect();
        let mut counts = Counts::default();
        run.records
            .iter()
            .for_each(|record| counts.add(&outcome(record)));
        others.iter().for_each(|case| counts.add(&case.outcome));
        let notes: Vec<String> = run.end.notes.iter().map(words::note).collect();
        Report {
            name: NAME,
            counts,
            timestamp: time::rfc3339_with_offset(run.start.time),
            time: seconds(run.end.summary.elapsed),
            properties: [properties(run), signers(run.end)].concat(),
            records: run.records,
            signers: Signers::of(&run.end.notes),
            others,
            notes: (!notes.is_empty()).then(|| notes.join("\n")),
        }
    }

    /// Returns the cases, building those of records during writing.
    fn cases(&self) -> impl Iterator<Item = Cow<'_, Case>> {
        let records = self.records.iter().zip(names(self.records));
        let records = records.map(|(record, name)| Cow::Owned(case(record, name, &self.signers)));
        records.chain(self.others.iter().map(Cow::Borrowed))
    }
}

/// Writes a comparison of two reports: a case for each difference, and one for the whole.
///
/// # Errors
/// Those of the writer.
pub fn write_comparison(mut out: impl Write, comparison: &Comparison) -> io::Result<()> {
    let findings = comparison.findings.iter();
    let cases = findings
        .map(|finding| difference(finding, Class::Comparison, differences::compared(finding)));
    let cases: Vec<Case> = cases.chain([the_comparison(comparison)]).collect();
    let mut counts = Counts::default();
    cases.iter().for_each(|case| counts.add(&case.outcome));
    let report = Report {
        name: NAME,
        counts,
        timestamp: time::rfc3339_with_offset(comparison.time),
        time: seconds(Duration::ZERO),
        properties: vec![
            ("version", VERSION.to_owned()),
            ("host", escape::name(comparison.host.as_ref())),
            ("old-report", differences::side(&comparison.old)),
            ("old-report-sha256", comparison.old.digest.to_string()),
            ("new-report", differences::side(&comparison.new)),
            ("new-report-sha256", comparison.new.digest.to_string()),
        ],
        records: &[],
        signers: Signers::default(),
        others: cases,
        notes: Some(differences::RESTS_ON.to_owned()),
    };
    report.write_into(&mut out)?;
    out.write_all(b"\n")
}

/// Returns the case of a comparison as a whole.
fn the_comparison(comparison: &Comparison) -> Case {
    let conclusion = Conclusion::of(comparison);
    let remarks = differences::comparison_remarks(comparison);
    let message = [vec![differences::comparison(comparison)], remarks].concat();
    let message = message.join("; ");
    let kind = format!("exit-status-{}", conclusion.exit_status());
    let outcome = match conclusion {
        Conclusion::Valid => Outcome::Success,
        Conclusion::NotValid => Outcome::Failure {
            message,
            kind: "different",
            description: None,
        },
        _ => Outcome::Error { message, kind },
    };
    Identity::of_run(Class::Comparison, "the two reports").into_case(outcome)
}

impl Counts {
    fn add(&mut self, outcome: &Outcome) {
        self.tests += 1;
        match outcome {
            Outcome::Success => {}
            Outcome::Skipped { .. } => self.skipped += 1,
            Outcome::Failure { .. } => self.failures += 1,
            Outcome::Error { .. } => self.errors += 1,
        }
    }
}

/// A test case.
#[derive(Clone)]
struct Case {
    identity: Identity,
    /// Seconds.
    time: Option<String>,
    properties: Vec<(&'static str, String)>,
    outcome: Outcome,
}

impl Case {
    /// Reports whether it has no child element.
    fn is_bare(&self) -> bool {
        self.properties.is_empty() && matches!(self.outcome, Outcome::Success)
    }
}

/// The outcome of a case, in the format's terms.
#[derive(Clone)]
enum Outcome {
    Success,
    Skipped {
        message: String,
    },
    Failure {
        message: String,
        kind: &'static str,
        description: Option<String>,
    },
    Error {
        message: String,
        kind: String,
    },
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

/// Returns the keys that made signatures and are not trusted, each with the number of these.
fn signers(end: &End) -> Vec<(&'static str, String)> {
    let signers = signers::of_notes(&end.notes);
    let text = |signer: &Signer| format!("{} {}", signer.fingerprint, signer.made.len());
    signers
        .map(|signer| ("other-signer", text(signer)))
        .collect()
}

fn properties(run: Run<'_>) -> Vec<(&'static str, String)> {
    let start = run.start;
    let key = |key: &TrustedKey| ("key", format!("{} {}", key.fingerprint, key.name));
    let root = |root: &std::path::PathBuf| ("path", words::shown_path(root));
    let mut properties = vec![
        ("run", start.origin.id.clone()),
        ("version", VERSION.to_owned()),
        (
            "module",
            escape::message(&module::words(start.module.as_ref())),
        ),
        ("host", escape::name(start.host.as_ref())),
    ];
    let directory = start.directory.as_deref().map(words::shown_path);
    properties.extend(directory.map(|directory| ("directory", directory)));
    properties.extend(start.keys.iter().map(key));
    let of_images = start.image_keys();
    properties.extend(of_images.map(|of_images| ("image-key", key(of_images).1)));
    properties.extend(start.roots.iter().map(root));
    let shard = start.division.as_ref().map(words::division);
    properties.extend(shard.map(|shard| ("shard", shard)));
    properties.extend(start.shards.iter().map(|run| ("merged", merged(run))));
    properties.extend(of_origin(&start.origin));
    let unchecked = unchecked::kinds(&start.options.exclude, &run.end.unchecked);
    properties.extend(
        unchecked
            .into_iter()
            .map(|kind| ("not-checked", kind.sentence)),
    );
    properties
}

/// Returns one of the runs of which this is a merge.
fn merged(run: &ShardRun) -> String {
    format!(
        "shard {} on {}, {} records, {} failed, exit status {}, {}, SHA-256 {}",
        run.index,
        escape::name(run.host.as_ref()),
        run.records,
        run.failures,
        run.exit_status,
        words::shown_path(&run.report),
        run.digest
    )
}

/// Returns who ran what, and what for, as far as that is known.
fn of_origin(origin: &Origin) -> impl Iterator<Item = (&'static str, String)> {
    let executable = origin.executable.map(|digest| digest.to_string());
    let texts = [
        ("note", origin.note.as_deref().map(escape::message)),
        ("command", Some(origin.command.clone())),
        ("user", Some(words::user(&origin.user))),
        ("system", Some(escape::message(&origin.system))),
        ("commit", COMMIT.map(escape::message)),
        ("executable-sha256", executable),
    ];
    texts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
}

impl Identity {
    fn into_case(self, outcome: Outcome) -> Case {
        Case {
            identity: self,
            time: None,
            properties: Vec::new(),
            outcome,
        }
    }
}

fn case(record: &Record, name: String, signers: &Signers<'_>) -> Case {
    let signature = record.signature.as_ref().map(words::shown);
    let digest = record.sha256().map(|digest| digest.to_string());
    let signer = signers.signer(record).map(ToString::to_string);
    let properties = [
        ("signature", signature),
        ("sha256", digest),
        ("other-signer", signer),
    ];
    Case {
        time: Some(seconds(record.elapsed)),
        properties: known(properties),
        ..Identity::of_record(record, name).into_case(outcome(record))
    }
}

/// Returns the properties that have a value.
fn known<const N: usize>(
    properties: [(&'static str, Option<String>); N],
) -> Vec<(&'static str, String)> {
    let properties = properties.into_iter();
    properties
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

fn outcome(record: &Record) -> Outcome {
    let message = words::verdict(record);
    match record.verdict.status() {
        Status::Valid | Status::Listed => Outcome::Success,
        // An artifact that is allowed to be unsigned was not verified: it is neither a success nor
        // a failure.
        _ if record.verdict.passes() => Outcome::Skipped { message },
        _ => Outcome::Failure {
            message,
            kind: Reason::of(&record.verdict).name(),
            description: Some(words::full_detail(record)),
        },
    }
}

/// Returns a case that fails because of a difference.
fn difference(finding: &Finding, class: Class, message: String) -> Case {
    let image = finding.image.as_ref().map(|image| format!(" {image}"));
    let image = part_of(&image.unwrap_or_default());
    let kind = finding.difference.name();
    let name = format!("{kind}: {}{image}", part(&finding.path));
    let digest = |content: &Option<Content>| Some(content.as_ref()?.sha256?.to_string());
    let size = |content: &Option<Content>| Some(content.as_ref()?.size?.to_string());
    let properties = [
        ("from", finding.from.as_ref().map(words::shown)),
        ("old-sha256", digest(&finding.old)),
        ("old-size", size(&finding.old)),
        ("new-sha256", digest(&finding.new)),
        ("new-size", size(&finding.new)),
    ];
    Case {
        properties: known(properties),
        ..Identity::of_run(class, &name).into_case(Outcome::Failure {
            message,
            kind,
            description: None,
        })
    }
}

/// Returns a case that fails for the run itself, if not every artifact was judged or none could be.
///
/// Fail closed: a reader of only the cases must not mistake an interrupted run for a success.
fn unfinished(end: &End) -> Option<Case> {
    let mut problems = end.problems.clone();
    if let Some(signal) = end.interrupted {
        problems.push(format!("ended by {signal}"));
    }
    if !end.summary.is_complete() && !end.summary.unsurveyed {
        let (records, expected) = (end.summary.records(), end.summary.expected);
        problems.push(format!("{records} of {expected} were judged"));
    }
    if end.conclusion == Conclusion::FailedFast {
        problems.push("the first failure ended the run (--fail-fast)".to_owned());
    }
    let is_judgement = matches!(end.conclusion, Conclusion::Valid | Conclusion::NotValid);
    let judged = is_judgement && problems.is_empty();
    (!judged).then(|| {
        the_run(Outcome::Error {
            message: problems.join("; "),
            kind: format!("exit-status-{}", end.conclusion.exit_status()),
        })
    })
}

fn the_run(outcome: Outcome) -> Case {
    Identity::of_run(Class::Run, "the whole run").into_case(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Difference;
    use crate::files::SharedPath;
    use crate::trust::verdict::Verdict;
    use proptest::prelude::*;
    use std::collections::HashSet;

    /// Paths that resemble the parts of an identity, so that collisions are likely.
    fn path() -> impl Strategy<Value = SharedPath> {
        let piece = prop::sample::select(vec![
            "a",
            "_",
            "/",
            "_a",
            " ",
            " (",
            "(",
            ")",
            "a (a)",
            " (a)",
            " ((2))",
            "(2)",
            ".",
            "x.sig.bin",
            "(baseline)",
            "_(removed: ",
            "baseline",
            "\\",
            "\n",
            "\u{28}",
            "\u{20}",
            "verify-signatures.run_(the whole run)",
        ]);
        let pieces = prop::collection::vec(piece, 1..5);
        pieces.prop_map(|pieces| pieces.concat().into())
    }

    fn records() -> impl Strategy<Value = Vec<Record>> {
        let signature = prop::option::of(path());
        let record = (path(), signature)
            .prop_map(|(data, signature)| Record::unhashed(data, signature, Verdict::Missing));
        prop::collection::vec(record, 0..24)
    }

    fn finding() -> impl Strategy<Value = Finding> {
        (path(), any::<bool>()).prop_map(|(path, is_removed)| {
            let difference = if is_removed {
                Difference::Removed
            } else {
                Difference::Added
            };
            Finding::new(difference, path)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn no_two_cases_have_one_identity_however_it_is_formed(
            records in records(), findings in prop::collection::vec(finding(), 0..8)
        ) {
            let mut cases: Vec<Case> =
                records.iter().zip(names(&records)).map(|(record, name)| case(record, name, &Signers::default())).collect();
            let mut seen = HashSet::new();
            let once = findings.iter().filter(|f| seen.insert((f.difference, &f.path)));
            cases.extend(once.map(|finding| difference(finding, Class::Baseline, String::new())));
            cases.push(the_run(Outcome::Success));
            let by_name: HashSet<String> = cases.iter().map(|case| case.identity.name.clone()).collect();
            let joined: HashSet<String> = cases.iter().map(|case| format!("{}_{}", case.identity.class, case.identity.name)).collect();
            let trimmed: HashSet<String> = cases.iter().map(|case| case.identity.name.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
            prop_assert_eq!([by_name.len(), joined.len(), trimmed.len()], [cases.len(); 3]);
        }
    }
}
