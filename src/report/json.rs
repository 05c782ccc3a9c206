//! Records as JSON: one object a line as they are decided (`--format jsonl`), or one document
//! (`--report FILE.json`).
//!
//! Both carry the same objects, distinguished by `type`; `docs/report.schema.json` describes them
//! (JSON Schema, draft 2020-12).
//!
//! - `start`, the first: `schema` (the format's version, [`SCHEMA`](crate::wire::SCHEMA)),
//!   `id` (the run's own, a UUID), `note` (the user's), `version` of the program, the `commit` that
//!   it was built from (if its builder named it), the validated `module` that did the cryptography
//!   (or `null`), `executable_sha256`, `command` (the command line,
//!   for people), `user`, `system`, `time` (RFC 3339, UTC), `host`, `keys` (each with `name`,
//!   `fingerprint`, the SHA-256 of its DER, its `algorithm`, the `digest` that its signatures are
//!   over unless that is part of it, and whether it was `pinned` and lay `inside_tree`),
//!   `directory` (the working directory), `roots` (the PATHs) and `options`.
//! - `artifact`, one for each record: `path`, `status` ([`Status`](crate::trust::terms::Status)),
//!   `passes` (whether it may be used), `reason` ([`Reason`](crate::trust::terms::Reason)),
//!   `detail` (the reason as text, for people), `remedy` (what to do, if it does not pass), and if
//!   known: `size` in bytes, `sha256`, `signature` (its file), `signature_file` (the `sha256`, the
//!   `size` and the time of modification of that), `key` (the fingerprint of the key that verified
//!   it), `parts` (the files that it was split into and read from, in their order), `link` (the
//!   target of the link that it is, if the signature is the target's), `read_as` (another name of
//!   the same file, under which it was read, once for both), and `seconds` from opening it to its
//!   verdict. `looks` ([`Sniffed`](crate::trust::sniffed::Sniffed)) is a hint on an artifact that
//!   fails by its content or for lack of a signature: what the data really is.
//! - `summary`, the last: `time`, `complete` (whether every artifact was found and judged),
//!   `interrupted` (the signal, if one ended the run), `expected` and `counts` of artifacts,
//!   `failures`, `bytes` hashed, `seconds`, `exit_status`, `conclusion`
//!   ([`Conclusion`](crate::run::conclusion::Conclusion)), `not_checked` (what was excluded, not
//!   entered, not covered by a signature, or not judged: each with its `count` and the first
//!   [`MOST_NAMES`](crate::trust::unchecked::MOST_NAMES) `paths`), `problems` as text, `notes`
//!   ([`Note`](crate::hints::notes::Note), distinguished by `note`), and if there was a baseline
//!   the `audit`: the `baseline`'s path, its `sha256` and `time`, and the `findings`
//!   ([`Finding`](crate::audit::Finding), distinguished by `finding`).
//!
//! A document has the members `schema`, `start`, `artifacts` (in the order of the lines) and
//! `summary`.
//!
//! # Paths
//! JSON is Unicode; file names are bytes. A path that is UTF-8 is the string `path`. One that is
//! not has no `path` but a `path_base64`: its bytes in base64 (RFC 4648, section 4), so that it
//! cannot be mistaken for another file. The same applies to `signature` and `signature_base64`.
//! There is no escaping besides JSON's.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::{document, document_audit};
use crate::audit::comparison::Comparison;
use crate::run::{End, Run, Start};
use crate::text::escape;
use crate::trust::record::Record;

/// Writes the first object of a stream.
///
/// # Errors
/// Those of the writer.
pub fn start(out: impl Write, start: &Start) -> io::Result<()> {
    line(out, &document::start(start))
}

/// Writes the object of a record.
///
/// # Errors
/// Those of the writer.
pub fn record(out: impl Write, record: &Record) -> io::Result<()> {
    line(out, &document::artifact(record))
}

/// Writes the last object of a stream.
///
/// # Errors
/// Those of the writer.
pub fn end(out: impl Write, start: &Start, end: &End) -> io::Result<()> {
    line(out, &document::summary(start, end))
}

fn line(mut out: impl Write, object: &impl Serialize) -> io::Result<()> {
    object.serialize(&mut Serializer::with_formatter(&mut out, ForLogs))?;
    out.write_all(b"\n")
}

/// Compact JSON for a terminal or the log of a CI job: a parser reads the same values, but neither
/// obeys anything in it. Characters that a name escapes as unseen ([`escape::is_unseen`]) are
/// escaped here, too, and no two `#` are adjacent (see [`escape::name`]).
struct ForLogs;

impl Formatter for ForLogs {
    fn write_string_fragment<W>(&mut self, out: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        let mut chars = fragment.chars().peekable();
        while let Some(c) = chars.next() {
            let is_command = c == '#' && chars.peek() == Some(&'#');
            if escape::is_unseen(c) || is_command {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            } else {
                out.write_all(c.encode_utf8(&mut [0; 4]).as_bytes())?;
            }
        }
        Ok(())
    }
}

/// Writes a whole run as one document.
///
/// # Errors
/// Those of the writer.
pub fn write(mut out: impl Write, run: Run<'_>) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut out, &document::whole(run))?;
    out.write_all(b"\n")
}

/// Writes a comparison of two reports as one document.
///
/// # Errors
/// Those of the writer.
pub fn write_comparison(mut out: impl Write, comparison: &Comparison) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut out, &document_audit::comparison(comparison))?;
    out.write_all(b"\n")
}

/// Writes a comparison of two reports as one line.
///
/// # Errors
/// Those of the writer.
pub fn comparison(out: impl Write, comparison: &Comparison) -> io::Result<()> {
    line(out, &document_audit::comparison(comparison))
}
