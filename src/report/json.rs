//! Records as JSON: one object a line as they are decided (`--format jsonl`), or one document (`--report FILE.json`).
//!
//! Both carry the same objects, told apart by `type`; `docs/report.schema.json` describes them (JSON Schema, draft 2020-12).
//!
//! - `start`, the first: `schema` (the version of all this, [`SCHEMA`]), `version` of the program, `time` (RFC 3339, UTC), `host`,
//!   `keys` (each with `name` and `fingerprint`, the SHA-256 of its DER), `directory` (the working directory), `roots` (the PATHs)
//!   and `options`.
//! - `artifact`, one for each record: `path`, `status` ([`Status`]), `passes` (whether it may be used), `reason` ([`Reason`]),
//!   `detail` (the reason in words, for people), `remedy` (what to do, where it does not pass), and where they are known: `size` in bytes, `sha256`, `signature` (its file), `key`
//!   (the fingerprint of the key that verified it), `parts` (the files that it was split into and read from, in their order), `link` (what
//!   it is a link to, where the signature is that of its target), `read_as` (another name of the same file, under which it was read, once
//!   for both), and `seconds` from opening it to its verdict. `looks` ([`Looks`]) is a hint where an
//!   artifact fails by its content or for want of a signature: what the data really is.
//! - `summary`, the last: `time`, `complete` (whether every artifact was found and judged), `interrupted` (the signal, if one ended the run),
//!   `expected` and `counts` of artifacts, `failures`, `bytes` hashed, `seconds`, `exit_status`, `problems` in words, `notes` ([`Note`],
//!   told apart by `note`), and where there was a baseline the `audit`: the `baseline`'s path, its `sha256` and `time`, and the `findings`
//!   ([`Finding`], told apart by `finding`).
//!
//! A document has the members `schema`, `start`, `artifacts` (in the order of the lines) and `summary`.
//!
//! # Paths
//! JSON is Unicode; file names are bytes. A path that is UTF-8 is the string `path`. One that is not has no `path` but a
//! `path_base64`: its bytes in base64 (RFC 4648, section 4), so that nobody takes it for another file. The same holds for
//! `signature` and `signature_base64`. No other escaping is done than that of JSON.

use std::borrow::Cow;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde::ser::SerializeMap;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::remedy::remedy;
use super::run::{End, Options, Run, Start, VERSION, rfc3339};
use super::{escape, words};
use crate::audit::{Audit, Finding};
use crate::files::SharedPath;
use crate::trust::key::Key;
use crate::trust::looks::Looks;
use crate::trust::note::Note;
use crate::trust::terms::{Reason, Status};
use crate::trust::verdict::{Record, Subject, Summary, Verdict};

/// The version of the objects, raised whenever a consumer could misunderstand the new ones.
pub const SCHEMA: u32 = 1;

/// Writes the first object of a stream.
///
/// # Errors
/// Those of the writer.
pub fn start(out: impl Write, start: &Start) -> io::Result<()> {
    line(out, &StartObject::of(start))
}

/// Writes the object of a record.
///
/// # Errors
/// Those of the writer.
pub fn record(out: impl Write, record: &Record) -> io::Result<()> {
    line(out, &ArtifactObject::of(record))
}

/// Writes the last object of a stream.
///
/// # Errors
/// Those of the writer.
pub fn end(out: impl Write, end: &End) -> io::Result<()> {
    line(out, &SummaryObject::of(end))
}

fn line(mut out: impl Write, object: &impl Serialize) -> io::Result<()> {
    object.serialize(&mut Serializer::with_formatter(&mut out, ForLogs))?;
    out.write_all(b"\n")
}

/// Compact JSON for a terminal or the log of a CI job: a parser reads the same, but nothing in it is obeyed there. What a name
/// shows escaped is escaped here, too, and no two `#` are neighbours (see [`escape::name`]).
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
    serde_json::to_writer_pretty(&mut out, &Document::of(run))?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    start: StartObject<'a>,
    artifacts: Artifacts<'a>,
    summary: SummaryObject<'a>,
}

impl<'a> Document<'a> {
    fn of(run: Run<'a>) -> Self {
        Document {
            schema: SCHEMA,
            start: StartObject::of(run.start),
            artifacts: Artifacts(run.records),
            summary: SummaryObject::of(run.end),
        }
    }
}

/// A list that is made while it is written, so that a million records are not in memory twice.
struct Artifacts<'a>(&'a [Record]);

impl Serialize for Artifacts<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(ArtifactObject::of))
    }
}

/// A path as one member of an object: as it is under a name, or its bytes under another.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum PathMember<'a> {
    Path(Cow<'a, str>),
    PathBase64(String),
}

/// The same for a signature file.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum SignatureMember<'a> {
    Signature(Cow<'a, str>),
    SignatureBase64(String),
}

/// Lossless: `Err` is the base64 of what is not UTF-8.
fn lossless(path: &Path) -> Result<Cow<'_, str>, String> {
    let text = path.to_str().map(Cow::Borrowed);
    text.ok_or_else(|| STANDARD.encode(path.as_os_str().as_bytes()))
}

/// The same of a path that is in one piece only while it is written.
fn lossless_shared(path: &SharedPath) -> Result<Cow<'static, str>, String> {
    let text = path.to_os_string().into_string();
    text.map(Cow::Owned)
        .map_err(|bytes| STANDARD.encode(bytes.as_bytes()))
}

fn path_member(path: &Path) -> PathMember<'_> {
    lossless(path).map_or_else(PathMember::PathBase64, PathMember::Path)
}

fn shared_member(path: &SharedPath) -> PathMember<'static> {
    lossless_shared(path).map_or_else(PathMember::PathBase64, PathMember::Path)
}

fn signature_member(path: &SharedPath) -> SignatureMember<'static> {
    lossless_shared(path).map_or_else(SignatureMember::SignatureBase64, SignatureMember::Signature)
}

/// Paths that are made while they are written, one by one.
struct Paths<'a>(&'a [SharedPath]);

impl Paths<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Paths<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(shared_member))
    }
}

#[derive(Serialize)]
struct StartObject<'a> {
    r#type: &'static str,
    schema: u32,
    version: &'static str,
    time: String,
    host: &'a str,
    keys: Vec<KeyObject<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    directory: Option<PathMember<'a>>,
    roots: Vec<PathMember<'a>>,
    options: OptionsObject<'a>,
}

impl<'a> StartObject<'a> {
    fn of(start: &'a Start) -> Self {
        StartObject {
            r#type: "start",
            schema: SCHEMA,
            version: VERSION,
            time: rfc3339(start.time),
            host: &start.host,
            keys: start.keys.iter().map(|key| KeyObject::of(key)).collect(),
            directory: start.directory.as_deref().map(path_member),
            roots: start.roots.iter().map(|root| path_member(root)).collect(),
            options: OptionsObject::of(&start.options),
        }
    }
}

#[derive(Serialize)]
struct KeyObject<'a> {
    name: &'a str,
    fingerprint: String,
}

impl<'a> KeyObject<'a> {
    fn of(key: &'a Key) -> Self {
        KeyObject {
            name: key.name(),
            fingerprint: key.fingerprint().to_string(),
        }
    }
}

#[derive(Serialize)]
struct OptionsObject<'a> {
    #[serde(flatten)]
    signature: Option<SignatureMember<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_depth: Option<usize>,
    follow_links: bool,
    exclude: &'a [String],
    key_fingerprints: &'a [String],
    allow_unsigned: bool,
    all_files: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<PathMember<'a>>,
    io: &'static str,
    threads: usize,
    sha256: &'static str,
}

impl<'a> OptionsObject<'a> {
    fn of(options: &'a Options) -> Self {
        OptionsObject {
            signature: options
                .signature
                .as_deref()
                .map(|path| signature_member(&path.into())),
            max_depth: options.max_depth,
            follow_links: options.follow_links,
            exclude: &options.exclude,
            key_fingerprints: &options.key_fingerprints,
            allow_unsigned: options.allow_unsigned,
            all_files: options.all_files,
            baseline: options.baseline.as_deref().map(path_member),
            io: options.io,
            threads: options.threads,
            sha256: options.sha256,
        }
    }
}

#[derive(Serialize)]
struct ArtifactObject<'a> {
    r#type: &'static str,
    #[serde(flatten)]
    path: PathMember<'a>,
    status: &'static str,
    passes: bool,
    reason: &'static str,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(flatten)]
    signature: Option<SignatureMember<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Paths::is_empty")]
    parts: Paths<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<PathMember<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    looks: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_as: Option<PathMember<'a>>,
    seconds: f64,
}

impl<'a> ArtifactObject<'a> {
    fn of(record: &'a Record) -> Self {
        let Subject::Artifact(path) = &record.subject;
        let key = match &record.verdict {
            Verdict::Valid { key } => Some(key.fingerprint().to_string()),
            _ => None,
        };
        ArtifactObject {
            r#type: "artifact",
            path: shared_member(path),
            status: Status::of(&record.verdict).name(),
            passes: record.verdict.passes(),
            reason: Reason::of(&record.verdict).name(),
            detail: words::detail(record),
            remedy: remedy(record),
            size: record.size,
            sha256: record.digest.map(|digest| digest.to_string()),
            signature: record.signature.as_ref().map(signature_member),
            key,
            parts: Paths(&record.parts),
            link: record.link.as_deref().map(shared_member),
            looks: record.looks.map(Looks::name),
            read_as: record.read_as.as_deref().map(shared_member),
            seconds: seconds(record.elapsed),
        }
    }
}

#[derive(Serialize)]
struct SummaryObject<'a> {
    r#type: &'static str,
    time: String,
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    interrupted: Option<&'static str>,
    expected: u64,
    counts: Counts<'a>,
    failures: u64,
    bytes: u64,
    seconds: f64,
    exit_status: u8,
    problems: &'a [String],
    notes: Notes<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit: Option<AuditObject<'a>>,
}

impl<'a> SummaryObject<'a> {
    fn of(end: &'a End) -> Self {
        SummaryObject {
            r#type: "summary",
            time: rfc3339(end.time),
            complete: end.summary.is_complete(),
            interrupted: end.interrupted,
            expected: end.summary.expected,
            counts: Counts(&end.summary),
            failures: end.summary.failures,
            bytes: end.summary.bytes,
            seconds: seconds(end.summary.elapsed),
            exit_status: end.exit_status,
            problems: &end.problems,
            notes: Notes(&end.notes),
            audit: end.audit.as_deref().map(AuditObject::of),
        }
    }
}

/// What the run shows as a whole, made while it is written.
struct Notes<'a>(&'a [Note]);

impl Serialize for Notes<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(NoteObject::of))
    }
}

#[derive(Serialize)]
#[serde(tag = "note", rename_all = "kebab-case")]
enum NoteObject<'a> {
    SameContent {
        sha256: String,
        paths: Paths<'a>,
    },
    SignatureFitsOther {
        #[serde(flatten)]
        signature: SignatureMember<'a>,
        #[serde(flatten)]
        path: PathMember<'a>,
        fits: PathMember<'a>,
    },
    SignatureFits {
        #[serde(flatten)]
        signature: SignatureMember<'a>,
        fits: PathMember<'a>,
    },
    WrongKey {
        keys: Vec<String>,
        signatures: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        signer: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        signer_signatures: Option<u64>,
    },
    StraySignature {
        #[serde(flatten)]
        signature: SignatureMember<'a>,
    },
    SpareParts {
        #[serde(flatten)]
        path: PathMember<'a>,
        paths: Paths<'a>,
    },
    AlikeNames {
        difference: &'static str,
        paths: Paths<'a>,
    },
    SameDirectory {
        #[serde(flatten)]
        path: PathMember<'a>,
        judged_as: PathMember<'a>,
    },
}

impl<'a> NoteObject<'a> {
    fn of(note: &'a Note) -> Self {
        match note {
            Note::SameContent { digest, paths } => NoteObject::SameContent {
                sha256: digest.to_string(),
                paths: Paths(paths),
            },
            Note::SameDirectory { path, judged_as } => NoteObject::SameDirectory {
                path: shared_member(path),
                judged_as: shared_member(judged_as),
            },
            Note::SignatureFitsOther {
                signature,
                path,
                fits,
            } => NoteObject::SignatureFitsOther {
                signature: signature_member(signature),
                path: shared_member(path),
                fits: shared_member(fits),
            },
            Note::WrongKey {
                keys,
                signatures,
                signer,
            } => NoteObject::WrongKey {
                keys: keys
                    .iter()
                    .map(|key| key.fingerprint().to_string())
                    .collect(),
                signatures: *signatures,
                signer: signer.map(|(fingerprint, _)| fingerprint.to_string()),
                signer_signatures: signer.map(|(_, made)| made),
            },
            Note::SignatureFits { signature, fits } => NoteObject::SignatureFits {
                signature: signature_member(signature),
                fits: shared_member(fits),
            },
            Note::StraySignature { path } => NoteObject::StraySignature {
                signature: signature_member(path),
            },
            Note::SpareParts { whole, paths } => NoteObject::SpareParts {
                path: shared_member(whole),
                paths: Paths(paths),
            },
            Note::AlikeNames { difference, paths } => NoteObject::AlikeNames {
                difference,
                paths: Paths(paths),
            },
        }
    }
}

#[derive(Serialize)]
struct AuditObject<'a> {
    baseline: PathMember<'a>,
    sha256: String,
    time: &'a str,
    findings: Findings<'a>,
}

impl<'a> AuditObject<'a> {
    fn of(audit: &'a Audit) -> Self {
        AuditObject {
            baseline: path_member(&audit.baseline),
            sha256: audit.digest.to_string(),
            time: &audit.time,
            findings: Findings(&audit.findings),
        }
    }
}

/// The differences from a baseline, made while they are written.
struct Findings<'a>(&'a [Finding]);

impl Serialize for Findings<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(FindingObject::of))
    }
}

#[derive(Serialize)]
struct FindingObject<'a> {
    finding: &'static str,
    #[serde(flatten)]
    path: PathMember<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<PathMember<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    like: Option<PathMember<'a>>,
}

impl<'a> FindingObject<'a> {
    fn of(finding: &'a Finding) -> Self {
        let from = match finding {
            Finding::Renamed { from, .. } => Some(shared_member(from)),
            _ => None,
        };
        FindingObject {
            finding: finding.name(),
            path: shared_member(finding.path()),
            from,
            like: finding.like().map(shared_member),
        }
    }
}

/// How many artifacts have each status.
struct Counts<'a>(&'a Summary);

impl Serialize for Counts<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Status::ALL.len()))?;
        for status in Status::ALL {
            map.serialize_entry(status.name(), &self.0.of(status))?;
        }
        map.end()
    }
}

/// Seconds with as many digits as a clock is good for: microseconds.
fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e6
}
