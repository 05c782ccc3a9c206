//! A run as JUnit XML, as GitLab and Jenkins read it: one test case per artifact.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use askama::Template;

use super::images::{self, INSIDE};
use super::{unchecked, words};
use crate::audit::Finding;
use crate::files::SharedPath;
use crate::run::conclusion::Conclusion;
use crate::run::origin::{COMMIT, Origin};
use crate::run::{End, Run, VERSION};
use crate::text::{escape, time};
use crate::trust::terms::Reason;
use crate::trust::verdict::{Record, Subject, Verdict};

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
            .map(difference)
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
            properties: properties(run),
            records: run.records,
            others,
            notes: (!notes.is_empty()).then(|| notes.join("\n")),
        }
    }

    /// Returns the cases, building those of records during writing.
    fn cases(&self) -> impl Iterator<Item = Cow<'_, Case>> {
        let records = self.records.iter().zip(names(self.records));
        let records = records.map(|(record, name)| Cow::Owned(case(record, name)));
        records.chain(self.others.iter().map(Cow::Borrowed))
    }
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

fn properties(run: Run<'_>) -> Vec<(&'static str, String)> {
    let start = run.start;
    let key = |key: &std::sync::Arc<crate::trust::key::Key>| {
        ("key", format!("{} {}", key.fingerprint(), key.name()))
    };
    let root = |root: &std::path::PathBuf| ("path", words::shown_path(root));
    let mut properties = vec![
        ("run", start.origin.id.clone()),
        ("version", VERSION.to_owned()),
        ("host", escape::name(start.host.as_ref())),
    ];
    let directory = start.directory.as_deref().map(words::shown_path);
    properties.extend(directory.map(|directory| ("directory", directory)));
    properties.extend(start.keys.iter().map(key));
    let of_images = start.options.images.iter();
    let of_images = of_images.flat_map(|images| &images.keys);
    let of_images = of_images.filter(|key| !start.keys.contains(key));
    properties.extend(of_images.map(|of_images| ("image-key", key(of_images).1)));
    properties.extend(start.roots.iter().map(root));
    properties.extend(of_origin(&start.origin));
    let unchecked = unchecked::kinds(&start.options.exclude, &run.end.unchecked);
    properties.extend(
        unchecked
            .into_iter()
            .map(|kind| ("not-checked", kind.sentence)),
    );
    properties
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

/// A case's unique identity: consumers keep one of two cases with the same identity, so a failing
/// case could hide behind a passing one.
///
/// Some consumers identify a case by the name alone, some by class and name, and GitLab by the hash
/// of `class_name`: none of these three may be the same for two cases. Cases of records have a
/// class and a name in the form of [`part`], which neither begins with `(` nor contains ` (`. So a
/// case that begins with `(` belongs to the run itself, and text after the first ` (` was added by
/// [`names`].
#[derive(Clone)]
struct Identity {
    class: String,
    name: String,
}

impl Identity {
    /// Returns the identity of a case that is not an artifact's.
    fn of_run(class: &str, name: &str) -> Identity {
        Identity {
            class: format!("({class})"),
            name: format!("({name})"),
        }
    }

    fn into_case(self, outcome: Outcome) -> Case {
        Case {
            identity: self,
            time: None,
            properties: Vec::new(),
            outcome,
        }
    }
}

/// Returns a path in a unique form, as printed, and without the separators of a name's parts.
/// Leading, trailing and repeated blanks are escaped as well, since parsers of XML attributes may
/// drop them.
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

/// What the name of a case is made of. Two records may have the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Named<'a> {
    Artifact(&'a SharedPath),
    /// The artifact, the image's name and its digest. An index may list an image twice.
    Image(&'a SharedPath, Option<&'a str>, &'a str),
    Contents(&'a SharedPath),
}

impl<'a> Named<'a> {
    fn of(record: &'a Record) -> Named<'a> {
        match &record.subject {
            Subject::Artifact(path) => Named::Artifact(path),
            Subject::Image(image) => {
                Named::Image(&image.artifact, image.name.as_deref(), &image.id)
            }
            Subject::Contents(artifact) => Named::Contents(artifact),
        }
    }

    fn printed(self) -> String {
        match self {
            Named::Artifact(path) => part(path),
            Named::Image(artifact, name, id) => format!(
                "{}{INSIDE}{} {}",
                part(artifact),
                part_of(&images::name(name, id)),
                part_of(&images::label(id))
            ),
            Named::Contents(artifact) => format!("{}{INSIDE}contents", part(artifact)),
        }
    }
}

/// Returns the names of the records' cases, in their order: the path; the signature after it, if
/// several records share a path; and a number after that, if even these are the same.
fn names(records: &[Record]) -> impl Iterator<Item = String> {
    let mut of_subject: HashMap<Named<'_>, usize> = HashMap::new();
    for record in records {
        *of_subject.entry(Named::of(record)).or_default() += 1;
    }
    let mut seen: HashMap<(Named<'_>, String), usize> = HashMap::new();
    records.iter().map(move |record| {
        let named = Named::of(record);
        let name = named.printed();
        if of_subject[&named] == 1 {
            return name;
        }
        let signature = record.signature.as_ref();
        let signature =
            signature.map_or_else(String::new, |s| format!(" ({})", beside(record.path(), s)));
        let mut name = name + &signature;
        let times = seen.entry((named, signature)).or_default();
        *times += 1;
        if *times > 1 {
            // No signature file is shown with a leading parenthesis.
            name += &format!(" (({times}))");
        }
        name
    })
}

/// Returns a signature file as it appears in the name of its artifact's case: without its directory
/// if that is the artifact's.
fn beside(data: &SharedPath, signature: &SharedPath) -> String {
    match signature.file_name().filter(|_| signature.is_beside(data)) {
        Some(name) => part_of(&escape::name(name)),
        None => part(signature),
    }
}

fn case(record: &Record, name: String) -> Case {
    let directory = record.path().parent().unwrap_or(Path::new(""));
    let class = if directory.as_os_str().is_empty() {
        ".".to_owned()
    } else {
        part_of(&words::shown_path(directory))
    };
    let signature = record.signature.as_ref().map(words::shown);
    let digest = record.digest.map(|digest| digest.to_string());
    let properties = [("signature", signature), ("sha256", digest)];
    let properties = properties.into_iter();
    Case {
        identity: Identity { class, name },
        time: Some(seconds(record.elapsed)),
        properties: properties
            .filter_map(|(name, value)| Some((name, value?)))
            .collect(),
        outcome: outcome(record),
    }
}

fn outcome(record: &Record) -> Outcome {
    let message = words::verdict(record);
    match record.verdict {
        Verdict::Valid { .. } => Outcome::Success,
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

/// Returns a case that fails because of a difference from the baseline.
fn difference(finding: &Finding) -> Case {
    let image = finding.image().map(|image| format!(" {image}"));
    let image = part_of(&image.unwrap_or_default());
    let name = format!("{}: {}{image}", finding.name(), part(finding.path()));
    Identity::of_run("baseline", &name).into_case(Outcome::Failure {
        message: words::finding(finding),
        kind: finding.name(),
        description: None,
    })
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
    Identity::of_run("run", "the whole run").into_case(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;
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
            let mut cases: Vec<Case> =
                records.iter().zip(names(&records)).map(|(record, name)| case(record, name)).collect();
            let mut seen = HashSet::new();
            let once = findings.iter().filter(|f| seen.insert((f.name(), f.path())));
            cases.extend(once.map(difference));
            cases.push(the_run(Outcome::Success));
            let by_name: HashSet<String> = cases.iter().map(|case| case.identity.name.clone()).collect();
            let joined: HashSet<String> = cases.iter().map(|case| format!("{}_{}", case.identity.class, case.identity.name)).collect();
            let trimmed: HashSet<String> = cases.iter().map(|case| case.identity.name.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
            prop_assert_eq!([by_name.len(), joined.len(), trimmed.len()], [cases.len(); 3]);
        }
    }
}
