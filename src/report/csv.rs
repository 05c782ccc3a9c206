//! A run as a table for spreadsheets and scripts: RFC 4180, UTF-8, with a row of names first.
//!
//! Each record is a row, and so is each difference from the baseline. The last row is the run's
//! own: a file without it was cut off, and one whose run did not come to its end says so there.
//!
//! Columns ([`COLUMNS`]) have the terms and values of the JSON report, and are empty where a row
//! has no value. Text that may begin with a name is as printed: [`escape::name`] makes it, so that
//! it can be turned back. Beyond that, a character with which spreadsheets begin a formula is
//! escaped in the same way (`\u{3d}` for `=`), at the beginning of a cell and where another
//! separator would begin one.

use std::io::{self, Write};

use ::csv::{Terminator, WriterBuilder};

use super::remedy::remedy;
use super::{differences, gaps, images, words};
use crate::audit::Finding;
use crate::module;
use crate::run::Run;
use crate::run::conclusion::Conclusion;
use crate::text::escape;
use crate::trust::record::{Record, Subject};
use crate::trust::terms::{Reason, Status};

/// The names of the columns.
const COLUMNS: [&str; 13] = [
    // `artifact`, `image`, `contents`, `difference` or `run`.
    "type",
    // The artifact.
    "path",
    // The name of the image in it, or its digest if it has none.
    "image",
    // `valid` or another status, the kind of difference, or what the run came to.
    "status",
    // `true` or `false`.
    "passes",
    "reason",
    "detail",
    "remedy",
    // Bytes.
    "size",
    // Of the artifact, or of the image: its digest.
    "sha256",
    "signature",
    // The fingerprint of the key that made the signature.
    "key",
    "seconds",
];

/// A row.
#[derive(Default)]
struct Row {
    r#type: &'static str,
    path: String,
    image: String,
    status: &'static str,
    passes: bool,
    reason: String,
    detail: String,
    remedy: String,
    size: Option<u64>,
    sha256: String,
    signature: String,
    key: String,
    seconds: String,
}

/// Writes a whole run.
///
/// # Errors
/// Those of the writer.
pub(super) fn write(out: impl Write, run: Run<'_>) -> io::Result<()> {
    let mut table = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(out);
    table.write_record(COLUMNS)?;
    let findings = run.end.audit.iter().flat_map(|audit| &audit.findings);
    let rows = run.records.iter().map(of_record);
    let rows = rows.chain(findings.map(of_finding));
    for row in rows.chain([of_run(run)]) {
        table.write_record(row.cells())?;
    }
    table.flush()
}

impl Row {
    fn cells(self) -> [String; 13] {
        let size = self.size.map(|size| size.to_string());
        [
            self.r#type.to_owned(),
            text(&self.path),
            text(&self.image),
            self.status.to_owned(),
            self.passes.to_string(),
            self.reason,
            text(&self.detail),
            text(&self.remedy),
            size.unwrap_or_default(),
            self.sha256,
            text(&self.signature),
            self.key,
            self.seconds,
        ]
    }
}

fn of_record(record: &Record) -> Row {
    let image = match &record.subject {
        Subject::Image(image) => Some(image),
        Subject::Artifact(_) | Subject::Contents(_) => None,
    };
    let name = |image: &crate::trust::image::Image| images::name(image.name.as_deref(), &image.id);
    let digest = record.sha256().map(|digest| digest.to_string());
    let of_image = || Some(image?.id.strip_prefix("sha256:")?.to_owned());
    Row {
        r#type: match &record.subject {
            Subject::Artifact(_) => "artifact",
            Subject::Image(_) => "image",
            Subject::Contents(_) => "contents",
        },
        path: words::shown(record.path()),
        image: image.map(|image| name(image)).unwrap_or_default(),
        status: Status::of(&record.verdict).name(),
        passes: record.verdict.passes(),
        reason: Reason::of(&record.verdict).name().to_owned(),
        detail: words::detail(record),
        remedy: remedy(record).unwrap_or_default().to_owned(),
        size: record.size,
        sha256: digest.or_else(of_image).unwrap_or_default(),
        signature: record
            .signature
            .as_ref()
            .map(words::shown)
            .unwrap_or_default(),
        key: record
            .verdict
            .key()
            .map(|key| key.to_string())
            .unwrap_or_default(),
        seconds: format!("{:.6}", record.elapsed.as_secs_f64()),
    }
}

/// Returns the row of a difference, with the size and the digest of what is there now.
fn of_finding(finding: &Finding) -> Row {
    let new = finding.new.unwrap_or_default();
    Row {
        size: new.size,
        sha256: new
            .sha256
            .map(|digest| digest.to_string())
            .unwrap_or_default(),
        r#type: "difference",
        path: words::shown(&finding.path),
        image: finding
            .image
            .as_deref()
            .map(images::label)
            .unwrap_or_default(),
        status: finding.difference.name(),
        passes: false,
        reason: finding.difference.name().to_owned(),
        detail: differences::finding(finding),
        ..Row::default()
    }
}

/// Returns the row of the run itself.
fn of_run(run: Run<'_>) -> Row {
    let (origin, end) = (&run.start.origin, run.end);
    let summary = &end.summary;
    let judged = if summary.unsurveyed {
        "the search for files did not end".to_owned()
    } else {
        format!("{} of {} were judged", summary.records(), summary.expected)
    };
    let signal = end.interrupted.map(|signal| format!("ended by {signal}"));
    let gaps = gaps::counts(&end.unchecked).into_iter();
    let gaps = gaps.filter(|(_, count)| *count > 0);
    let gaps = gaps.map(|(what, count)| format!("not checked, {what}: {count}"));
    let note = origin
        .note
        .iter()
        .map(|note| format!("note: {}", escape::name(note.as_ref())));
    let more = end
        .problems
        .iter()
        .cloned()
        .chain(signal)
        .chain(gaps)
        .chain(note);
    let shard = run.start.division.as_ref();
    let shard = shard.map(|division| format!("shard {}", division.shard));
    let merged = match run.start.shards.len() {
        0 => None,
        shards => Some(format!("merged from {shards} shards")),
    };
    let module = module::words(run.start.module.as_ref());
    let first = [format!("run {}", origin.id), judged];
    let first = first.into_iter().chain(shard).chain(merged);
    let detail: Vec<String> = first.chain(more).chain([module]).collect();
    Row {
        r#type: "run",
        status: end.conclusion_name(),
        passes: end.conclusion == Conclusion::Valid,
        reason: format!("exit-status-{}", end.conclusion.exit_status()),
        detail: detail.join("; "),
        size: Some(summary.bytes),
        seconds: format!("{:.6}", summary.elapsed.as_secs_f64()),
        ..Row::default()
    }
}

/// Returns text as a cell has it: with no character where a spreadsheet would take it for the
/// beginning of a formula.
fn text(printed: &str) -> String {
    let mut cell = String::with_capacity(printed.len());
    // A spreadsheet may separate cells by something else than the comma, take quotes for what they
    // are here, and leave out blanks at the beginning.
    let mut begins = true;
    for c in printed.chars() {
        if begins && is_formula(c) {
            cell.extend(c.escape_unicode());
        } else {
            cell.push(c);
        }
        begins = match c {
            ' ' => begins,
            c => matches!(c, ',' | ';' | '|' | '"' | '\''),
        };
    }
    cell
}

/// Reports whether a spreadsheet begins a formula with a character; some take the wide form for it.
fn is_formula(c: char) -> bool {
    matches!(
        c,
        '=' | '+' | '-' | '@' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_a_formula_and_each_can_be_turned_back() {
        for (name, cell) in [
            ("=1+1", r"\u{3d}1+1"),
            ("-x.iso", r"\u{2d}x.iso"),
            ("@a", r"\u{40}a"),
            ("+a", r"\u{2b}a"),
            ("\u{ff1d}a", r"\u{ff1d}a"),
            ("  =a", r"  \u{3d}a"),
            ("a;=b", r"a;\u{3d}b"),
            ("a, \"=b", "a, \"\\u{3d}b"),
            ("a=b-c+d@e", "a=b-c+d@e"),
            ("m/-x", "m/-x"),
            ("", ""),
        ] {
            assert_eq!(text(name), cell, "{name}");
        }
    }
}
