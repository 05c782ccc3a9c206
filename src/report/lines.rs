//! The lines of the sample script.

use std::io::{self, Write};

use console::Style;

use super::words;
use crate::trust::record::Record;
use crate::trust::terms::Status;

/// Which lines are printed, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detail {
    /// Whether to print lines at all, and the summary.
    pub lines: bool,
    /// Whether to print the lines of artifacts that are valid or listed, or were and are unchanged.
    pub valid: bool,
    /// Whether to print the reason for each verdict.
    pub reasons: bool,
    /// Whether to colour the verdicts. Without colour the bytes are those of the sample script.
    pub colour: bool,
}

impl Detail {
    /// Reports whether the record gets a line.
    pub fn shows(&self, record: &Record) -> bool {
        let valid = record.verdict.status().is_signed();
        self.lines && (self.valid || !valid)
    }
}

/// Writes the record's line, if it gets one.
///
/// # Errors
/// Those of the writer.
pub fn record(mut out: impl Write, record: &Record, detail: Detail) -> io::Result<()> {
    if !detail.shows(record) {
        return Ok(());
    }
    let (subject, verdict) = (words::subject(record), words::verdict(record));
    let verdict = style(record, detail.colour).apply_to(verdict);
    let mut line = format!("{subject}: {verdict}");
    if detail.reasons {
        line += &format!(" ({})", words::reason(record));
    }
    writeln!(out, "{line}")
}

fn style(record: &Record, colour: bool) -> Style {
    let style = match record.verdict.status() {
        Status::Valid | Status::Listed => Style::new().green(),
        _ if record.verdict.passes() => Style::new().yellow(),
        _ => Style::new().red(),
    };
    style.force_styling(colour)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::verdict::{Invalid, Part, Unclaimed, Verdict};

    fn printed(detail: Detail) -> String {
        let mut lines = Vec::new();
        let unreadable = Verdict::Unreadable {
            part: Part::Data,
            words: "Input/output error".to_owned(),
        };
        for verdict in [
            Verdict::Invalid(Invalid::NoKeyVerifies),
            Verdict::Missing,
            Verdict::Unsigned {
                allowed: false,
                why: Unclaimed::NoSignature,
            },
            Verdict::Unsigned {
                allowed: true,
                why: Unclaimed::NoSignature,
            },
            Verdict::Changed { part: Part::Data },
            unreadable,
            Verdict::NotRegular { part: Part::Data },
        ] {
            let failed = Record::unhashed("x.zst".into(), Some("x.sig.bin".into()), verdict);
            record(&mut lines, &failed, detail).unwrap();
        }
        String::from_utf8(lines).unwrap()
    }

    #[test]
    fn each_failure_has_its_line() {
        let detail = Detail {
            lines: true,
            valid: false,
            reasons: false,
            colour: false,
        };
        assert_eq!(
            printed(detail),
            "x.zst: ❌ Signature invalid\n\
             x.zst: ❌ Data file not found\n\
             x.zst: ❌ Signature file not found\n\
             x.zst: ⚠️ Signature file not found\n\
             x.zst: ❌ Changed while reading\n\
             x.zst: ❌ Cannot read: Input/output error\n\
             x.zst: ❌ Not a regular file\n"
        );
    }

    #[test]
    fn without_lines_nothing_is_printed() {
        let detail = Detail {
            lines: false,
            valid: true,
            reasons: true,
            colour: true,
        };
        assert_eq!(printed(detail), "");
    }

    #[test]
    fn colours_are_around_the_verdict_and_leave_its_bytes_together() {
        let detail = Detail {
            lines: true,
            valid: false,
            reasons: true,
            colour: true,
        };
        let first = "x.zst: \u{1b}[31m❌ Signature invalid\u{1b}[0m (x.sig.bin: ";
        assert!(printed(detail).starts_with(first));
        let allowed = "x.zst: \u{1b}[33m⚠️ Signature file not found\u{1b}[0m (";
        assert!(printed(detail).contains(allowed));
    }
}
