//! A run as one self-contained page: for an auditor to print and an engineer to filter.
//!
//! `report.html` beside this file is the template, `report.css` its style, and `report.js` sorts
//! and filters its table; both are embedded in the page. File names are hostile: they are escaped
//! as for a terminal and then for HTML, and the page's policy lets no other script run (Content
//! Security Policy Level 3, 2.3.1: sources by hash).

use std::io::{self, Write};

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::words;
use crate::audit::Audit;
use crate::digest::Digest;
use crate::run::conclusion::Conclusion;
use crate::run::{End, ImageOptions, Run, Start, VERSION};
use crate::text::escape;
use crate::text::size::{rate, size};
use crate::text::time::rfc3339;
use crate::trust::terms::{Reason, Status};
use crate::trust::verdict::{Record, Subject, Summary, Verdict};

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");
/// Number of digits of an abbreviated fingerprint, which is shown in full elsewhere.
const SHORT: usize = 12;

/// Writes a whole run.
///
/// # Errors
/// Those of the writer.
pub fn write(mut out: impl Write, run: Run<'_>) -> io::Result<()> {
    Page::of(run).write_into(&mut out)
}

#[derive(Template)]
#[template(path = "report.html", config = "src/report/askama.toml")]
struct Page<'a> {
    style: &'static str,
    script: &'static str,
    policy: String,
    banner: Banner,
    shares: Vec<Share>,
    facts: Vec<(&'static str, String)>,
    keys: Vec<KeyRow>,
    problems: &'a [String],
    notes: Vec<String>,
    audit: Option<AuditRows>,
    records: &'a [Record],
    has_images: bool,
}

impl<'a> Page<'a> {
    fn of(run: Run<'a>) -> Self {
        Page {
            style: STYLE,
            script: SCRIPT,
            policy: policy(),
            banner: Banner::of(run.end, run.start.options.allow_unsigned),
            shares: shares(&run.end.summary),
            facts: facts(run.start, run.end),
            keys: keys(run),
            problems: &run.end.problems,
            notes: run.end.notes.iter().map(words::note).collect(),
            audit: run.end.audit.as_deref().map(AuditRows::of),
            records: run.records,
            has_images: run.end.summary.images.records() > 0,
        }
    }

    /// Returns the rows, each built when it is written. That of an image is inside the artifact's
    /// row before it, if there is one.
    fn rows(&self) -> impl Iterator<Item = Row> {
        let mut artifact = None;
        self.records.iter().map(move |record| {
            if let Subject::Artifact(path) = &record.subject {
                artifact = Some(path);
            }
            let is_inside = !matches!(record.subject, Subject::Artifact(_))
                && artifact.is_some_and(|artifact| artifact == record.path());
            Row::of(record, is_inside)
        })
    }
}

/// Returns the content security policy: only the page's own style and script, by their digests.
fn policy() -> String {
    let hash = |text: &str| {
        let digest = Digest::of(text.as_bytes());
        format!("'sha256-{}'", STANDARD.encode(digest.as_bytes()))
    };
    let (style, script) = (hash(STYLE), hash(SCRIPT));
    format!(
        "default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'"
    )
}

/// The result of the whole run.
#[derive(Debug, PartialEq, Eq)]
struct Banner {
    class: &'static str,
    title: String,
    text: String,
}

impl Banner {
    /// `allow_unsigned`: whether the user accepts what has no signature.
    fn of(end: &End, allow_unsigned: bool) -> Banner {
        let summary = &end.summary;
        let (judged, expected) = (summary.records(), summary.expected);
        let kinds = match summary.images.records() {
            0 => "artifacts",
            _ => "artifacts and images",
        };
        let of_all = if summary.unsurveyed {
            "How many artifacts there are is not known.".to_owned()
        } else {
            format!(
                "{judged} of {expected} {kinds} were judged, {} of them not valid.",
                summary.failures
            )
        };
        // Fail closed: success remains only after everything else is ruled out.
        let (class, title, text) = match (end.interrupted, end.conclusion) {
            (Some(signal), _) => ("none", format!("Interrupted by {signal}"), of_all),
            (None, Conclusion::PipeClosed) => (
                "none",
                "Ended early: standard output was closed".to_owned(),
                of_all,
            ),
            (None, Conclusion::NotValid) if summary.failures == 0 => (
                "fail",
                format!("{} differences from the baseline", findings(end)),
                format!("{of_all} Each difference is listed below."),
            ),
            (None, Conclusion::NotValid) => (
                "fail",
                format!(
                    "{} of {expected} {kinds} must not be used",
                    summary.failures
                ),
                match findings(end) {
                    0 => "Each is listed below with the reason.".to_owned(),
                    count => format!(
                        "Each is listed below with the reason. The mirror is not what its baseline says either: {count} differences."
                    ),
                },
            ),
            (None, Conclusion::Valid) if is_success(end) && summary.of(Status::Unsigned) == 0 => (
                "pass",
                format!("Every signature is valid: {}", summary.valid_in_all()),
                "Every artifact that was found is what the holder of a trusted key signed.".to_owned(),
            ),
            (None, Conclusion::Valid) if is_success(end) && !allow_unsigned => (
                "pass",
                format!("Nothing failed: {} valid", summary.valid_in_all()),
                format!(
                    "Images without a signature by a trusted key: {}. They are intact, and the valid signature of their bundle covers them.",
                    summary.images.unsigned
                ),
            ),
            (None, Conclusion::Valid) if is_success(end) => (
                "none",
                format!("{} valid, {} without a signature", summary.valid_in_all(), summary.of(Status::Unsigned)),
                "Missing signatures were accepted, as asked for: nothing vouches for those artifacts.".to_owned(),
            ),
            (None, _) => ("none", "No judgement".to_owned(), of_all),
        };
        Banner { class, title, text }
    }
}

/// Returns the number of differences from the baseline.
fn findings(end: &End) -> usize {
    end.audit.as_ref().map_or(0, |audit| audit.findings.len())
}

/// Reports whether nothing contradicts success.
fn is_success(end: &End) -> bool {
    let summary = &end.summary;
    findings(end) == 0
        && summary.is_complete()
        && summary.failures == 0
        && summary.valid_in_all() > 0
        && end.problems.is_empty()
}

/// A status in the diagram of the totals.
struct Share {
    status: &'static str,
    count: u64,
    /// Its start and width, in thousandths of the whole.
    begin: f64,
    width: f64,
}

/// Minimum width of a share, in thousandths, so that one failure in a million is visible.
const LEAST: f64 = 12.0;

fn shares(summary: &Summary) -> Vec<Share> {
    let unjudged = summary.expected.saturating_sub(summary.records());
    let counts = Status::ALL.map(|status| (status.name(), summary.of(status)));
    let counts = counts.into_iter().chain([("not-judged", unjudged)]);
    let counts: Vec<(&'static str, u64)> = counts.filter(|(_, count)| *count > 0).collect();
    let whole = counts.iter().map(|(_, count)| count).sum::<u64>().max(1) as f64;
    let rest = 1000.0 - LEAST * counts.len() as f64;
    let mut begin = 0.0;
    let share = |(status, count): (&'static str, u64)| {
        let width = LEAST + rest * count as f64 / whole;
        begin += width;
        Share {
            status,
            count,
            begin: begin - width,
            width,
        }
    };
    counts.into_iter().map(share).collect()
}

fn facts(start: &Start, end: &End) -> Vec<(&'static str, String)> {
    let summary = &end.summary;
    let roots: Vec<String> = start
        .roots
        .iter()
        .map(|root| words::shown_path(root))
        .collect();
    let directory = start.directory.as_deref().map(words::shown_path);
    let seconds = summary.elapsed.as_secs_f64();
    vec![
        ("Program", format!("verify-signatures {VERSION}")),
        ("Host", escape::name(start.host.as_ref())),
        ("Began", rfc3339(start.time)),
        ("Ended", rfc3339(end.time)),
        (
            "Took",
            format!(
                "{seconds:.2} s, {}/s",
                size(rate(summary.bytes, summary.elapsed))
            ),
        ),
        (
            "Hashed",
            format!("{} ({} bytes)", size(summary.bytes), summary.bytes),
        ),
        ("Directory", directory.unwrap_or_default()),
        ("Paths", roots.join("\n")),
        ("Options", options(start)),
        ("Exit status", end.conclusion.exit_status().to_string()),
    ]
}

fn options(start: &Start) -> String {
    let options = &start.options;
    let mut texts = vec![format!(
        "{} threads, SHA-256 by {}, reading by {}",
        start.threads, start.sha256, options.io
    )];
    texts.extend(
        options
            .signature
            .as_ref()
            .map(|path| format!("signature file {}", words::shown_path(path))),
    );
    texts.extend(
        options
            .max_depth
            .map(|levels| format!("{levels} levels deep")),
    );
    texts.extend(
        options
            .exclude
            .iter()
            .map(|glob| format!("without {}", escape::message(glob))),
    );
    let pins = options.key_fingerprints.iter();
    texts.extend(pins.map(|pin| format!("only a key with the fingerprint {pin}")));
    let switches = [
        (options.follow_links, "linked directories entered"),
        (options.allow_unsigned, "missing signatures accepted"),
        (options.all_files, "a signature needed for every file"),
    ];
    let on = switches.into_iter().filter(|(on, _)| *on);
    texts.extend(on.map(|(_, text)| text.to_owned()));
    texts.extend(options.images.iter().flat_map(of_images));
    texts.join("\n")
}

fn of_images(options: &ImageOptions) -> Vec<String> {
    let mut texts = vec![format!(
        "images verified, with zstd windows of at most {} bytes",
        options.max_window
    )];
    let most = options.max_unpacked;
    texts.extend(most.map(|most| format!("at most {most} bytes decompressed from a bundle")));
    let signatures = options.signatures.iter();
    texts.extend(signatures.map(|path| format!("image signatures in {}", words::shown_path(path))));
    let registries = options.signed_registries.iter();
    texts.extend(registries.map(|prefix| {
        format!(
            "signatures required for images below {}",
            escape::message(prefix)
        )
    }));
    let platforms = options.platforms.iter();
    texts.extend(
        platforms.map(|platform| format!("platform {} required", escape::message(platform))),
    );
    texts
}

/// The audit as the page shows it.
struct AuditRows {
    result: String,
    digest: String,
    findings: Vec<String>,
}

impl AuditRows {
    fn of(audit: &Audit) -> AuditRows {
        AuditRows {
            result: words::audit(audit),
            digest: audit.digest.to_string(),
            findings: audit.findings.iter().map(words::finding).collect(),
        }
    }
}

/// A trusted key and what it verified.
struct KeyRow {
    name: String,
    fingerprint: String,
    valid: usize,
}

fn keys(run: Run<'_>) -> Vec<KeyRow> {
    let row = |key: &std::sync::Arc<crate::trust::key::Key>| KeyRow {
        name: key.name().to_owned(),
        fingerprint: key.fingerprint().to_string(),
        valid: run
            .records
            .iter()
            .filter(|r| matches!(&r.verdict, Verdict::Valid { key: by } if by == key))
            .count(),
    };
    let images = run.start.options.images.iter();
    let of_images = images.flat_map(|images| &images.keys);
    let of_images = of_images.filter(|key| !run.start.keys.contains(key));
    run.start.keys.iter().chain(of_images).map(row).collect()
}

/// An artifact in the table.
struct Row {
    /// Whether it is about something inside the artifact of a row before it.
    is_inside: bool,
    class: &'static str,
    mark: String,
    status: &'static str,
    path: String,
    size: String,
    bytes: String,
    digest: String,
    signature: String,
    key: String,
    fingerprint: String,
    reason: &'static str,
    detail: String,
    seconds: String,
}

impl Row {
    fn of(record: &Record, is_inside: bool) -> Row {
        let verdict = words::verdict(record);
        let fingerprint = match &record.verdict {
            Verdict::Valid { key } => key.fingerprint().to_string(),
            _ => String::new(),
        };
        Row {
            is_inside,
            class: class(&record.verdict),
            mark: verdict.split(' ').next().unwrap_or_default().to_owned(),
            status: Status::of(&record.verdict).name(),
            path: words::subject(record),
            size: record.size.map(size).unwrap_or_default(),
            bytes: record
                .size
                .map(|bytes| bytes.to_string())
                .unwrap_or_default(),
            digest: record
                .digest
                .map(|digest| digest.to_string())
                .unwrap_or_default(),
            signature: record
                .signature
                .as_ref()
                .map(words::shown)
                .unwrap_or_default(),
            key: fingerprint.chars().take(SHORT).collect(),
            fingerprint,
            reason: Reason::of(&record.verdict).name(),
            detail: words::full_detail(record),
            seconds: format!("{:.3}", record.elapsed.as_secs_f64()),
        }
    }
}

/// Returns the class of an artifact: valid, accepted without a signature, or failed.
fn class(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Valid { .. } => "pass",
        verdict if verdict.passes() => "none",
        _ => "fail",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Options;
    use std::path::PathBuf;
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    fn end(
        conclusion: Conclusion,
        interrupted: Option<&'static str>,
        valid: u64,
        missing: u64,
        expected: u64,
    ) -> End {
        End {
            time: SystemTime::UNIX_EPOCH,
            summary: Summary {
                valid,
                missing,
                failures: missing,
                expected,
                elapsed: Duration::from_secs(1),
                ..Summary::default()
            },
            interrupted,
            conclusion,
            problems: Vec::new(),
            notes: Arc::from([]),
            audit: None,
        }
    }

    #[test]
    fn only_a_whole_run_without_a_failure_is_called_valid() {
        let banner = |end: &End| {
            let banner = Banner::of(end, true);
            (banner.class, banner.title)
        };
        let expected = |class, title: &str| (class, title.to_owned());
        assert_eq!(
            banner(&end(Conclusion::Valid, None, 2, 0, 2)),
            expected("pass", "Every signature is valid: 2")
        );
        assert_eq!(
            banner(&end(Conclusion::NotValid, None, 1, 1, 2)),
            expected("fail", "1 of 2 artifacts must not be used")
        );
        assert_eq!(
            banner(&end(Conclusion::CannotJudge, None, 2, 0, 2)),
            expected("none", "No judgement")
        );
        assert_eq!(
            banner(&end(Conclusion::Valid, None, 1, 0, 2)),
            expected("none", "No judgement")
        );
        let mut allowed = end(Conclusion::Valid, None, 1, 0, 2);
        allowed.summary.unsigned = 1;
        assert_eq!(
            banner(&allowed),
            expected("none", "1 valid, 1 without a signature")
        );
        let mut problem = end(Conclusion::Valid, None, 2, 0, 2);
        problem.problems.push("something".to_owned());
        assert_eq!(banner(&problem), expected("none", "No judgement"));
        let interrupted = end(Conclusion::Interrupted, Some("SIGINT"), 1, 0, 2);
        assert_eq!(
            banner(&interrupted),
            expected("none", "Interrupted by SIGINT")
        );
        let closed = expected("none", "Ended early: standard output was closed");
        assert_eq!(banner(&end(Conclusion::PipeClosed, None, 1, 0, 2)), closed);
    }

    fn page(name: &[u8]) -> String {
        let start = Start {
            time: SystemTime::UNIX_EPOCH,
            host: "<host>\u{202e}\n".to_owned(),
            keys: Vec::new(),
            directory: None,
            roots: vec![PathBuf::from("a&b")],
            options: Options {
                signature: None,
                max_depth: None,
                follow_links: false,
                exclude: vec!["</script>".to_owned()],
                key_fingerprints: Vec::new(),
                allow_unsigned: false,
                all_files: false,
                images: None,
                baseline: None,
                io: "auto",
            },
            threads: 1,
            sha256: "portable",
        };
        let record = Record::unhashed(name.into(), None, Verdict::Missing);
        let mut page = Vec::new();
        let run = Run {
            start: &start,
            records: &[record],
            end: &end(Conclusion::NotValid, None, 0, 1, 1),
        };
        write(&mut page, run).unwrap();
        String::from_utf8(page).unwrap()
    }

    #[test]
    fn no_name_is_taken_for_a_part_of_the_page() {
        let page = page(b"</td><script>alert('1')</script>\"&\xff\n");
        assert!(page.contains(
            "&#60;/td&#62;&#60;script&#62;alert(&#39;1&#39;)&#60;/script&#62;&#34;&#38;\\xff\\n"
        ));
        assert!(page.contains("&#60;host&#62;\\u{202e}\\n") && page.contains("a&#38;b"));
        assert_eq!(page.matches("<script>").count(), 1);
        assert_eq!(page.matches("</script>").count(), 1);
    }

    #[test]
    fn the_policy_names_the_digests_of_what_stands_between_the_tags() {
        let page = page(b"x.zst");
        let between =
            |begin: &str, end: &str| page.split(begin).nth(1).unwrap().split(end).next().unwrap();
        for (source, text) in [
            ("style-src", between("<style>", "</style>")),
            ("script-src", between("<script>", "</script>")),
        ] {
            let digest = STANDARD.encode(Digest::of(text.as_bytes()).as_bytes());
            // Askama escapes the apostrophes of the attribute.
            let named = format!("{source} &#39;sha256-{digest}&#39;");
            assert!(page.contains(&named), "{source}");
        }
    }
}
