//! A run as one self-contained page: for an auditor to print and an engineer to filter.
//!
//! `page.html` beside this file is the template, `page.css` its style, and `page.js` sorts and
//! filters its table; both are embedded in the page. File names are hostile: they are escaped as
//! for a terminal and then for HTML, and the page's policy lets no other script run (Content
//! Security Policy Level 3, 2.3.1: sources by hash).

mod banner;
mod bars;
pub(super) mod comparison;
mod directories;
mod facts;
mod failures;
mod keys;
mod options;
mod rows;
mod tables;
mod unchecked;

use std::io::{self, Write};

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{differences, words};
use crate::audit::Audit;
use crate::digest::Digest;
use crate::run::Run;
use crate::text::time::rfc3339;
use crate::trust::record::{Record, Subject};
use banner::Banner;
use bars::Bar;
use directories::Directory;
use failures::Failures;
use keys::{KeyRow, Numbers};
use rows::Row;
use tables::{FindingRow, ShardRow, SignerRow};
use unchecked::Gap;

const STYLE: &str = concat!(include_str!("page.css"), include_str!("tables.css"));
const SCRIPT: &str = include_str!("page.js");

/// Writes a whole run.
///
/// # Errors
/// Those of the writer.
pub fn write(mut out: impl Write, run: Run<'_>) -> io::Result<()> {
    Page::of(run).write_into(&mut out)
}

#[derive(Template)]
#[template(path = "html/page.html", config = "src/report/askama.toml")]
struct Page<'a> {
    style: String,
    script: &'static str,
    policy: String,
    banner: Banner,
    /// Where and when: the host, the PATHs and the time.
    place: String,
    bars: Vec<Bar>,
    failures: Failures<'a>,
    gaps: Vec<Gap>,
    directories: Vec<Directory<'a>>,
    facts: Vec<facts::Fact>,
    keys: Vec<KeyRow>,
    numbers: Numbers,
    problems: &'a [String],
    notes: Vec<String>,
    audit: Option<AuditRows>,
    findings: Vec<FindingRow>,
    signers: Vec<SignerRow>,
    shards: Vec<ShardRow>,
    records: &'a [Record],
    has_images: bool,
    has_earlier: bool,
    /// Whether the table has only what is not valid.
    is_large: bool,
}

/// Maximum number of records in the table. A browser takes ten seconds for a table of a hundred
/// thousand. With more, it has what is not valid, and each directory lists all that is in it as
/// text.
const LARGE: usize = 10_000;

impl<'a> Page<'a> {
    fn of(run: Run<'a>) -> Self {
        let keys = keys::rows(run);
        let style = [STYLE, &keys::style(&keys)].concat();
        let gaps = unchecked::gaps(run);
        let is_large = run.records.len() > LARGE;
        Page {
            policy: policy(&style),
            style,
            script: SCRIPT,
            banner: Banner::of(run),
            place: place(run),
            bars: bars::of(run),
            failures: Failures::of(run.records),
            gaps,
            directories: directories::of(run.records, is_large),
            facts: facts::of(run),
            keys,
            numbers: Numbers::of(run.start),
            problems: &run.end.problems,
            notes: notes(run),
            audit: run.end.audit.as_deref().map(AuditRows::of),
            findings: findings(run),
            signers: SignerRow::all(&run.end.notes),
            shards: run.start.shards.iter().map(ShardRow::of).collect(),
            records: run.records,
            has_images: run.end.summary.images.records() > 0,
            has_earlier: run.end.summary.verified_earlier > 0,
            is_large,
        }
    }

    /// Returns the rows, each built when it is written. That of an image is inside the artifact's
    /// row before it, if there is one.
    fn rows(&self) -> impl Iterator<Item = Row> {
        let mut artifact = None;
        let is_valid = |record: &&Record| record.verdict.status().is_signed();
        let shown = self.records.iter();
        let shown = shown.filter(move |record| !self.is_large || !is_valid(record));
        shown.take(LARGE).map(move |record| {
            if let Subject::Artifact(path) = &record.subject {
                artifact = Some(path);
            }
            let is_inside = !matches!(record.subject, Subject::Artifact(_))
                && artifact.is_some_and(|artifact| artifact == record.path());
            Row::of(record, is_inside, &self.numbers)
        })
    }

    /// Returns what the rows are.
    fn kinds(&self) -> &'static str {
        match (self.is_large, self.has_images) {
            (true, _) if self.has_earlier => "records that neither are nor were valid",
            (true, _) => "records that are not valid",
            (false, true) => "artifacts and images",
            (false, false) => "artifacts",
        }
    }
}

/// Returns the content security policy: only the page's own style and script, by their digests.
fn policy(style: &str) -> String {
    let hash = |text: &str| {
        let digest = Digest::of(text.as_bytes());
        format!("'sha256-{}'", STANDARD.encode(digest.as_bytes()))
    };
    let (style, script) = (hash(style), hash(SCRIPT));
    format!(
        "default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'"
    )
}

/// Maximum number of PATHs in the title.
const MOST_ROOTS: usize = 2;

/// Returns what was verified, on which machine, and when.
fn place(run: Run<'_>) -> String {
    let start = run.start;
    let absolute = |root: &std::path::PathBuf| match &start.directory {
        // No file can have this name there: it would be `./-`.
        _ if *root == std::path::Path::new("-") => "standard input".to_owned(),
        Some(directory) if *root == std::path::Path::new(".") => words::shown_path(directory),
        Some(directory) => words::shown_path(&directory.join(root)),
        None => words::shown_path(root),
    };
    let roots: Vec<String> = start.roots.iter().take(MOST_ROOTS).map(absolute).collect();
    let more = match start.roots.len().saturating_sub(MOST_ROOTS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let host = crate::text::escape::name(start.host.as_ref());
    let time = rfc3339(start.time);
    // To the minute: the exact times are among the facts.
    let time = time.get(..16).unwrap_or(&time).replace('T', " ");
    format!("{}{more} on {host}, {time} UTC", roots.join(", "))
}

/// Returns the notes on the run, except those on keys, which have a table.
fn notes(run: Run<'_>) -> Vec<String> {
    let notes = run.end.notes.iter();
    let others = notes.filter(|note| !SignerRow::is_one(note));
    others.map(words::note).collect()
}

fn findings(run: Run<'_>) -> Vec<FindingRow> {
    let audits = run.end.audit.iter();
    let findings = audits.flat_map(|audit| &audit.findings);
    findings.map(FindingRow::of).collect()
}

/// The audit as the page shows it.
struct AuditRows {
    result: String,
    digest: String,
}

impl AuditRows {
    fn of(audit: &Audit) -> AuditRows {
        AuditRows {
            result: differences::audit(audit),
            digest: audit.digest.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
