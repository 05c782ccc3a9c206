//! A run as in-toto statements (version 1) with the predicate of a SLSA verification summary
//! (version 1), each in an envelope of its own (see [`dsse`](super::dsse)).
//!
//! The first statement is PASSED and has the valid artifacts and images as its subjects; the second
//! is FAILED and has the artifacts that are not valid. One that would have no subject is left out.
//!
//! - `resourceUri` is the directory that contains all PATHs, and a subject's `name` is its path
//!   from there. An image's name is that of its artifact, ` » `, its own name or digest, `@` and
//!   its digest. A path that is not UTF-8 gives its subject no name. Names are unique.
//! - An artifact with several records passes if all of them do, with those of its contents; one that
//!   differs from the baseline does not pass.
//! - A subject needs a digest. What failed without having been hashed to its end (a missing file,
//!   say), and an image that failed, whose digest is only claimed, has none: the member
//!   [`EXTENSION`] of each statement lists it in `unhashed`.
//! - `policy` has the keys and the options that decided, as JSON in its `content`, with the digest
//!   of that. `inputAttestations` has the JSON reports that the same run wrote.
//!
//! Fail closed: there is no statement of a run that did not come to its end or to a judgement.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value, json};

use super::context::{Context, Withheld};
use super::format::ReportFormat;
use super::relative::{Places, uri};
use super::subjects::{Subject, Subjects, Unhashed};
use super::{document, dsse, gaps};
use crate::digest::Digest;
use crate::module;
use crate::run::conclusion::Conclusion;
use crate::run::{End, Run, Start, TrustedKey, VERSION};
use crate::text::time::rfc3339;

/// The type of a statement.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// The type of its predicate.
const PREDICATE: &str = "https://slsa.dev/verification_summary/v1";
/// What verified: this program, as a package URL.
const VERIFIER: &str = concat!("pkg:cargo/", env!("CARGO_PKG_NAME"));
/// The member of a predicate that is not the standard's: what the run came to.
const EXTENSION: &str = concat!("pkg:cargo/", env!("CARGO_PKG_NAME"), "#run");
/// The level of what passed. Levels of SLSA itself begin with `SLSA_`.
const PASSED_LEVEL: &str = "SIGNED_BY_TRUSTED_KEY";

/// Writes the statements of a run.
///
/// # Errors
/// Those of the writer, and [`Withheld`] if the run gives no statement.
pub(super) fn write(mut out: impl Write, context: &Context<'_>) -> io::Result<()> {
    let run = context.run;
    is_whole(run.end)?;
    let places = Places::of(run.start)?;
    let base = places.common();
    let subjects = Subjects::of(run, &places, &base)?;
    if subjects.passed.is_empty() && subjects.failed.is_empty() {
        let why = "no artifact was hashed, so a statement would have no subject";
        return Err(Withheld(why.to_owned()).into());
    }
    // Fail closed: readers that know nothing of this program see the results only.
    if run.end.conclusion != Conclusion::Valid && subjects.failed.is_empty() {
        let why = "what failed has no digest to make a statement about, and what passed alone would look complete";
        return Err(Withheld(why.to_owned()).into());
    }
    for (result, of_it) in [("PASSED", &subjects.passed), ("FAILED", &subjects.failed)] {
        if !of_it.is_empty() {
            let predicate = predicate(context, &base, result, &subjects.unhashed);
            let statement = Statement {
                r#type: STATEMENT,
                subject: of_it,
                predicate_type: PREDICATE,
                predicate,
            };
            dsse::write(&mut out, &statement, context.signer)?;
        }
    }
    Ok(())
}

/// Checks that a run came to its end and to a judgement.
fn is_whole(end: &End) -> Result<(), Withheld> {
    let is_judged = matches!(end.conclusion, Conclusion::Valid | Conclusion::NotValid);
    if is_judged && end.interrupted.is_none() && end.summary.is_complete() {
        return Ok(());
    }
    let why = "the run did not come to a judgement on everything, and states nothing";
    Err(Withheld(why.to_owned()))
}

#[derive(Serialize)]
struct Statement<'a> {
    #[serde(rename = "_type")]
    r#type: &'static str,
    subject: &'a [Subject],
    #[serde(rename = "predicateType")]
    predicate_type: &'static str,
    predicate: Value,
}

fn predicate(context: &Context<'_>, base: &Path, result: &str, unhashed: &[Unhashed]) -> Value {
    let run = context.run;
    let level = if result == "PASSED" {
        PASSED_LEVEL
    } else {
        result
    };
    let mut predicate = json!({
        "verifier": {"id": VERIFIER, "version": {env!("CARGO_PKG_NAME"): VERSION}},
        "timeVerified": rfc3339(run.end.time),
        "resourceUri": uri(&run.start.host, base, true),
        "policy": policy(run.start),
        "verificationResult": result,
        "verifiedLevels": [level],
        EXTENSION: of_run(run, unhashed),
    });
    let inputs: Vec<Value> = inputs(context).collect();
    if !inputs.is_empty() {
        predicate["inputAttestations"] = inputs.into();
    }
    predicate
}

/// Describes the JSON reports of the run, which have every record.
fn inputs<'a>(context: &'a Context<'_>) -> impl Iterator<Item = Value> + 'a {
    let written = context.written.iter();
    let reports = written.filter(|written| written.format == ReportFormat::Json);
    let host = &context.run.start.host;
    reports.filter_map(move |report| {
        let place = report.place.canonicalize().ok()?;
        Some(json!({
            "uri": uri(host, &place, false),
            "digest": {"sha256": report.digests.sha256().to_string()},
        }))
    })
}

/// Describes what decided: the keys by their fingerprints, and the options, without those that
/// decide only how fast.
fn policy(start: &Start) -> Value {
    let mut fingerprints: Vec<String> = start.keys.iter().map(TrustedKey::identity).collect();
    fingerprints.sort_unstable();
    let mut options = json!(document::options(start));
    if let Some(options) = options.as_object_mut() {
        for speed in ["io", "threads", "sha256"] {
            options.remove(speed);
        }
    }
    // The members of objects are sorted, so that the same options have the same digest.
    let content = json!({"keys": fingerprints, "options": options}).to_string();
    json!({
        "uri": format!("{VERIFIER}@{VERSION}#policy"),
        "digest": {"sha256": Digest::of(content.as_bytes()).to_string()},
        "content": STANDARD.encode(&content),
        "mediaType": "application/json",
    })
}

/// Describes what the run came to, so that a statement on some artifacts shows that there were
/// others.
fn of_run(run: Run<'_>, unhashed: &[Unhashed]) -> Value {
    let (start, summary) = (run.start, &run.end.summary);
    json!({
        "id": start.origin.id,
        "note": start.origin.note,
        "module": module::words(start.module.as_ref()),
        "host": start.host,
        "started": rfc3339(start.time),
        "expected": summary.expected,
        "valid": summary.valid_in_all(),
        "listed": summary.listed,
        "verifiedEarlier": summary.verified_earlier,
        "failures": summary.failures,
        "differences": run.end.audit.as_ref().map(|audit| audit.findings.len()),
        "exitStatus": run.end.conclusion.exit_status(),
        "notChecked": BTreeMap::from(gaps::counts(&run.end.unchecked)),
        "unhashed": unhashed,
    })
}
