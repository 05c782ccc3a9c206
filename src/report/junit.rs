//! A run as JUnit XML, as GitLab and Jenkins read it: one test case an artifact.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use rustix::io::Errno;

use super::run::{End, Run, Start, VERSION};
use super::{escape, words};
use crate::audit::Finding;
use crate::files::SharedPath;
use crate::limits;
use crate::trust::terms::Reason;
use crate::trust::verdict::{Record, Subject};

/// The name of the report and of its suite.
const NAME: &str = env!("CARGO_PKG_NAME");

/// Bytes that a case takes beside its texts.
const MEMORY_OF_A_CASE: usize = 1024;
/// How often a case has the path of its artifact: as its class, as its name, and beside the signature's; and once more in the lists
/// that are made of them.
const TIMES_A_PATH: usize = 5;

/// Writes a whole run.
///
/// # Errors
/// Those of the writer, and one where there is too little memory for the document, which is made as a whole.
pub fn write(mut out: impl Write, run: Run<'_>) -> io::Result<()> {
    if !limits::has_room(memory(run.records)) {
        return Err(Errno::NOMEM.into());
    }
    let mut report = Report::new(NAME);
    report.set_timestamp(DateTime::<Utc>::from(run.start.time));
    report.set_time(run.end.summary.elapsed);
    report.add_test_suite(suite(run));
    report.serialize(&mut out).map_err(io::Error::other)
}

/// The bytes that the cases of these records take.
fn memory(records: &[Record]) -> u64 {
    let of = |record: &Record| {
        let Subject::Artifact(path) = &record.subject;
        let length = path.directory().as_path().as_os_str().len() + path.name().len();
        (MEMORY_OF_A_CASE + TIMES_A_PATH * length) as u64
    };
    records.iter().map(of).sum()
}

fn suite(run: Run<'_>) -> TestSuite {
    let mut suite = TestSuite::new(NAME);
    suite.set_timestamp(DateTime::<Utc>::from(run.start.time));
    suite.set_time(run.end.summary.elapsed);
    for (name, value) in properties(run.start) {
        suite.add_property((name, value.as_str()));
    }
    let names = names(run.records);
    suite.add_test_cases(run.records.iter().zip(names).map(|(r, name)| case(r, name)));
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
    let root = |root: &std::path::PathBuf| ("path", words::shown_path(root));
    let mut properties = vec![
        ("version", VERSION.to_owned()),
        ("host", escape::name(start.host.as_ref())),
    ];
    let directory = start.directory.as_deref().map(words::shown_path);
    properties.extend(directory.map(|directory| ("directory", directory)));
    properties.extend(start.keys.iter().map(key));
    properties.extend(start.roots.iter().map(root));
    properties
}

/// What tells a case from all others: consumers keep one of two cases with the same identity, so a failing case could hide
/// behind a passing one.
///
/// Some consumers go by the name alone, some by class and name, and GitLab by the hash of `class_name`: none of these three may be
/// the same for two cases. Cases of records have a class and a name in the form of [`part`], which neither begins with `(` nor
/// contains ` (`. So what begins with `(` is a case of the run itself, and what stands behind the first ` (` was put there by
/// [`names`].
struct Identity {
    class: String,
    name: String,
}

impl Identity {
    /// The identity of a case that is not an artifact's.
    fn of_run(class: &str, name: &str) -> Identity {
        Identity {
            class: format!("({class})"),
            name: format!("({name})"),
        }
    }

    fn into_case(self, status: TestCaseStatus) -> TestCase {
        let mut case = TestCase::new(self.name, status);
        case.set_classname(self.class);
        case
    }
}

/// Returns a path in a form of its own, as printed, and without what separates the parts of a name. Blanks at the ends or in a row
/// are escaped as well, since what reads XML attributes may drop them.
fn part(path: &SharedPath) -> String {
    part_of(&words::shown(path))
}

fn part_of(printed: &str) -> String {
    let mut text = String::new();
    let mut chars = printed.chars().peekable();
    while let Some(c) = chars.next() {
        let at_start = text.is_empty();
        let is_escaped = match c {
            '(' => at_start || text.ends_with(' '),
            ' ' => at_start || text.ends_with(' ') || chars.peek().is_none(),
            _ => false,
        };
        if is_escaped {
            text.extend(c.escape_unicode());
        } else {
            text.push(c);
        }
    }
    text
}

/// Returns the names of the records' cases, in their order: the path; behind it the signature, where several records are about one
/// path; and behind that a number, where even these are the same.
fn names(records: &[Record]) -> impl Iterator<Item = String> {
    let mut of_subject: HashMap<&Subject, usize> = HashMap::new();
    for record in records {
        *of_subject.entry(&record.subject).or_default() += 1;
    }
    let mut seen: HashMap<(&Subject, String), usize> = HashMap::new();
    records.iter().map(move |record| {
        let Subject::Artifact(path) = &record.subject;
        let name = part(path);
        if of_subject[&record.subject] == 1 {
            return name;
        }
        let signature = record.signature.as_ref();
        let signature = signature.map_or_else(String::new, |s| format!(" ({})", beside(path, s)));
        let mut name = name + &signature;
        let times = seen.entry((&record.subject, signature)).or_default();
        *times += 1;
        if *times > 1 {
            // No signature file is shown with a parenthesis at its start.
            name += &format!(" (({times}))");
        }
        name
    })
}

/// Returns a signature file as the name of its artifact's case has it: without its directory, where that is the artifact's.
fn beside(data: &SharedPath, signature: &SharedPath) -> String {
    match signature.file_name().filter(|_| signature.is_beside(data)) {
        Some(name) => part_of(&escape::name(name)),
        None => part(signature),
    }
}

fn case(record: &Record, name: String) -> TestCase {
    let Subject::Artifact(path) = &record.subject;
    let directory = path.parent().unwrap_or(Path::new(""));
    let class = match directory.as_os_str().is_empty() {
        true => ".".to_owned(),
        false => part_of(&words::shown_path(directory)),
    };
    let mut case = Identity { class, name }.into_case(status(record));
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
    let name = format!("{}: {}", finding.name(), part(finding.path()));
    Identity::of_run("baseline", &name).into_case(status)
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
        the_run(status)
    })
}

fn the_run(status: TestCaseStatus) -> TestCase {
    Identity::of_run("run", "the whole run").into_case(status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::verdict::Verdict;
    use proptest::prelude::*;
    use std::collections::HashSet;

    /// Paths of what looks like the parts of an identity, so that they would be confused often.
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
            "_(missing: ",
            "baseline",
            "\\",
            "\n",
            "\u{28}",
            "\u{20}",
            "(run)_(the whole run)",
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
        (path(), any::<bool>()).prop_map(|(path, is_missing)| {
            if is_missing {
                Finding::Missing { path }
            } else {
                Finding::Added { path, like: None }
            }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn no_two_cases_have_one_identity_however_it_is_formed(
            records in records(), findings in prop::collection::vec(finding(), 0..8)
        ) {
            let mut cases: Vec<TestCase> =
                records.iter().zip(names(&records)).map(|(record, name)| case(record, name)).collect();
            let mut told = HashSet::new();
            let once = findings.iter().filter(|f| told.insert((f.name(), f.path())));
            cases.extend(once.map(difference));
            cases.push(the_run(TestCaseStatus::success()));
            let class = |case: &TestCase| case.classname.as_ref().unwrap().to_string();
            let by_name: HashSet<String> = cases.iter().map(|case| case.name.to_string()).collect();
            let joined: HashSet<String> = cases.iter().map(|case| format!("{}_{}", class(case), case.name.as_str())).collect();
            let trimmed: HashSet<String> = cases.iter().map(|case| case.name.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
            prop_assert_eq!([by_name.len(), joined.len(), trimmed.len()], [cases.len(); 3]);
        }
    }
}
