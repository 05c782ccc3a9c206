//! A comparison of two reports as one page.

use std::io::{self, Write};

use askama::Template;

use super::super::differences;
use super::super::words::shown_path;
use super::tables::FindingRow;
use super::{STYLE, policy};
use crate::audit::comparison::{Comparison, Side};
use crate::run::VERSION;
use crate::run::conclusion::Conclusion;
use crate::text::escape;
use crate::text::time::rfc3339;

/// Writes a comparison.
///
/// # Errors
/// Those of the writer.
pub fn write(mut out: impl Write, comparison: &Comparison) -> io::Result<()> {
    let (class, title) = title(comparison);
    let page = Page {
        style: STYLE,
        policy: policy(STYLE),
        class,
        title,
        rests_on: differences::RESTS_ON,
        remarks: differences::comparison_remarks(comparison),
        result: differences::counts(&comparison.findings),
        rows: comparison.findings.iter().map(FindingRow::of).collect(),
        sides: [
            SideFacts::of("The earlier report", &comparison.old),
            SideFacts::of("The later report", &comparison.new),
        ],
        version: VERSION,
        host: escape::name(comparison.host.as_ref()),
        time: rfc3339(comparison.time),
    };
    page.write_into(&mut out)
}

#[derive(Template)]
#[template(path = "html/comparison.html", config = "src/report/askama.toml")]
struct Page {
    style: &'static str,
    policy: String,
    class: &'static str,
    title: String,
    rests_on: &'static str,
    remarks: Vec<String>,
    result: String,
    rows: Vec<FindingRow>,
    sides: [SideFacts; 2],
    version: &'static str,
    host: String,
    time: String,
}

/// Returns the class of the banner and its headline.
fn title(comparison: &Comparison) -> (&'static str, String) {
    match (Conclusion::of(comparison), comparison.findings.len()) {
        // Fail closed: success is only what is concluded to be one.
        (Conclusion::Valid, _) => ("pass", "No difference".to_owned()),
        (Conclusion::NotValid, 0) => ("fail", "No difference, but see below".to_owned()),
        (Conclusion::NotValid, 1) => ("fail", "1 difference".to_owned()),
        (Conclusion::NotValid, count) => ("fail", format!("{count} differences")),
        _ => ("none", "No verdict".to_owned()),
    }
}

/// What is known of one of the reports.
struct SideFacts {
    title: &'static str,
    path: String,
    facts: Vec<(&'static str, String)>,
}

impl SideFacts {
    fn of(title: &'static str, side: &Side) -> SideFacts {
        SideFacts {
            title,
            path: shown_path(&side.path),
            facts: vec![
                ("SHA-256", side.digest.to_string()),
                ("Began", escape::name(side.time.as_ref())),
                ("Host", escape::name(side.host.as_ref())),
                ("Artifacts", side.artifacts.to_string()),
                ("Failures", side.failures.to_string()),
                ("Exit status", side.exit_status.to_string()),
            ],
        }
    }
}
