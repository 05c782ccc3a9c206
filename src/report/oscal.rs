//! A run as OSCAL assessment results (version 1.1.3), in JSON.
//!
//! There are observations, and no findings: a run shows that a check was made and what came of it,
//! and not that a control is satisfied. `docs/CONTROLS.md` says which controls it speaks to.
//!
//! The first observation is the run's; one follows for each artifact or image that does not pass,
//! and for each difference from the baseline. Valid artifacts are counted, and each is in the other
//! reports that the same run wrote: these are resources in the back matter, with their SHA-256, and
//! the relevant evidence of the run's observation.

use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use uuid::Builder;

use super::context::{Context, Written};
use super::relative::reference;
use super::{differences, gaps, words};
use crate::audit::Finding;
use crate::digest::Digest;
use crate::module;
use crate::run::{End, Run, Start, VERSION};
use crate::text::escape;
use crate::text::time::rfc3339;
use crate::trust::record::Record;
use crate::trust::terms::{Reason, Status};

/// The version of the format.
const OSCAL: &str = "1.1.3";
/// The controls of NIST SP 800-53, revision 5, that a run gives evidence for.
const CONTROLS: [&str; 6] = ["cm-14", "si-7", "si-7.1", "si-7.6", "si-7.15", "sr-4.3"];
/// The namespace of this program's own properties: a name that cannot be registered.
const NAMESPACE: &str = "https://verify-signatures.invalid/ns/oscal";

/// The resource that stands for a plan.
const NO_PLAN: &str = "No assessment plan: the check runs as its command line says";

/// Writes a whole run.
///
/// # Errors
/// Those of the writer.
pub(super) fn write(mut out: impl Write, context: &Context<'_>) -> io::Result<()> {
    let (ids, start, end) = (
        Ids::of(context.run.start),
        context.run.start,
        context.run.end,
    );
    let results = Results {
        uuid: start.origin.id.clone(),
        title: "Signatures of a mirror",
        description: description(end),
        start: rfc3339(start.time),
        end: rfc3339(end.time),
        props: about(start),
        local_definitions: definitions(ids),
        reviewed_controls: controls(),
        observations: Observations { context, ids },
    };
    let document = Root {
        document: Document {
            uuid: ids.id("document"),
            metadata: metadata(start, end),
            import_ap: json!({"href": format!("#{}", ids.id(NO_PLAN))}),
            results: [results],
            back_matter: json!({"resources": resources(context, ids)}),
        },
    };
    serde_json::to_writer_pretty(&mut out, &document)?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Root<'a> {
    #[serde(rename = "assessment-results")]
    document: Document<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'a> {
    uuid: String,
    metadata: Value,
    import_ap: Value,
    results: [Results<'a>; 1],
    back_matter: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Results<'a> {
    uuid: String,
    title: &'static str,
    description: String,
    start: String,
    end: String,
    props: Vec<Value>,
    local_definitions: Value,
    reviewed_controls: Value,
    observations: Observations<'a>,
}

/// The observations, built during serialization: a mirror with the wrong key has one for each
/// artifact.
struct Observations<'a> {
    context: &'a Context<'a>,
    ids: Ids,
}

impl Serialize for Observations<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Observations { context, ids } = *self;
        let Run { records, end, .. } = context.run;
        let failed = records.iter().enumerate();
        let failed = failed.filter(|(_, record)| !record.verdict.passes());
        let failed = failed.map(|(n, record)| of_record(ids, end, n, record));
        let findings = end.audit.iter().flat_map(|audit| &audit.findings);
        let findings = findings
            .enumerate()
            .map(|(n, finding)| of_finding(ids, end, n, finding));
        let all = [of_run(context, ids)]
            .into_iter()
            .chain(failed)
            .chain(findings);
        serializer.collect_seq(all)
    }
}

/// The identifiers in one document: each is made of the run and of what it identifies, so that the
/// same run gives the same ones. SHA-256 makes pseudorandom numbers of these (RFC 9562, version 4).
#[derive(Clone, Copy)]
struct Ids(Digest);

impl Ids {
    /// Begins with the run's identifier.
    fn of(start: &Start) -> Ids {
        Ids(Digest::of(start.origin.id.as_bytes()))
    }

    fn id(self, of: &str) -> String {
        let digest = Digest::of(format!("{}\n{of}", self.0).as_bytes());
        let (bytes, _) = digest.as_bytes().as_chunks();
        let uuid = Builder::from_random_bytes(bytes[0]).into_uuid();
        uuid.hyphenated().to_string()
    }
}

fn metadata(start: &Start, end: &End) -> Value {
    json!({
        "title": "Verification of the signatures of a mirror",
        "last-modified": rfc3339(end.time),
        "version": rfc3339(start.time),
        "oscal-version": OSCAL,
        "props": [
            prop("program", env!("CARGO_PKG_NAME")),
            prop("program-version", VERSION),
            prop("cryptographic-module", &module::words(start.module.as_ref())),
        ],
    })
}

/// Describes what the run came to. It has no names: a reader may take text for markup.
fn description(end: &End) -> String {
    let summary = &end.summary;
    let of = if summary.unsurveyed {
        "an unknown number".to_owned()
    } else {
        summary.expected.to_string()
    };
    let (records, valid, failures) = (summary.records(), summary.valid_in_all(), summary.failures);
    let ended = match end.interrupted {
        Some(signal) => format!(" {signal} ended the run."),
        None => String::new(),
    };
    let listed = match summary.listed {
        0 => String::new(),
        listed => format!(" {listed} listed in a signed list,"),
    };
    let earlier = match summary.verified_earlier {
        0 => String::new(),
        earlier => format!(" {earlier} verified earlier and not read again,"),
    };
    format!(
        "Judged {records} of {of} signatures and files without one: {valid} valid,{listed}{earlier} {failures} that do not pass.{ended} Exit status {}.",
        end.conclusion.exit_status()
    )
}

/// Returns where the run looked, and with which keys.
fn about(start: &Start) -> Vec<Value> {
    let paths = start
        .roots
        .iter()
        .map(|root| prop("path", &words::shown_path(root)));
    let of_images = start.options.images.iter().flat_map(|images| &images.keys);
    let keys = start.keys.iter().map(|key| ("trusted-key", key));
    let keys = keys.chain(of_images.map(|key| ("trusted-image-key", key)));
    let keys = keys.map(|(name, key)| prop(name, &key.fingerprint.to_string()));
    let note = start.origin.note.iter();
    let note = note.map(|note| prop("note", &escape::name(note.as_ref())));
    [prop("host", &escape::name(start.host.as_ref()))]
        .into_iter()
        .chain(paths)
        .chain(keys)
        .chain(note)
        .collect()
}

/// Defines what the observations refer to: the mirror, and the program that looked at it.
fn definitions(ids: Ids) -> Value {
    let component = |what: &str, title: &str, description: &str| {
        json!({
            "uuid": ids.id(what),
            "type": "software",
            "title": title,
            "description": description,
            "status": {"state": "operational"},
        })
    };
    let program = "Verifies signatures by ECDSA, RSA and Ed25519 over SHA-2, without the network.";
    json!({
        "components": [
            component("mirror", "The mirror", "The files below the paths of the run."),
            component("tool", env!("CARGO_PKG_NAME"), program),
        ],
    })
}

fn controls() -> Value {
    let controls = CONTROLS.map(|id| json!({"control-id": id}));
    json!({
        "description": "NIST SP 800-53, revision 5.",
        "control-selections": [{"include-controls": controls}],
    })
}

/// Returns what all observations have.
fn observation(ids: Ids, end: &End, id: &str, title: &str, description: &str) -> Value {
    json!({
        "uuid": ids.id(id),
        "title": title,
        "description": description,
        "methods": ["TEST"],
        "origins": [{"actors": [{"type": "tool", "actor-uuid": ids.id("tool")}]}],
        "subjects": [{"subject-uuid": ids.id("mirror"), "type": "component"}],
        "collected": rfc3339(end.time),
    })
}

fn of_run(context: &Context<'_>, ids: Ids) -> Value {
    let end = context.run.end;
    let summary = &end.summary;
    let mut run = observation(ids, end, "run", "The whole run", &description(end));
    let is_complete = summary.is_complete().to_string();
    let numbers = [
        ("complete", is_complete),
        ("expected", summary.expected.to_string()),
        ("valid", summary.valid_in_all().to_string()),
        ("listed", summary.listed.to_string()),
        ("failures", summary.failures.to_string()),
        ("bytes", summary.bytes.to_string()),
        ("exit-status", end.conclusion.exit_status().to_string()),
    ];
    let numbers = numbers.map(|(name, value)| prop(name, &value));
    let gaps = gaps::counts(&end.unchecked);
    let gaps = gaps.map(|(what, count)| prop(&format!("not-checked-{what}"), &count.to_string()));
    run["props"] = numbers.into_iter().chain(gaps).collect();
    let evidence = context.written.iter().map(|report| {
        let href = format!("#{}", ids.id(&resource(report)));
        json!({"href": href, "description": "A report of the same run."})
    });
    let evidence: Vec<Value> = evidence.collect();
    if !evidence.is_empty() {
        run["relevant-evidence"] = evidence.into();
    }
    run
}

fn of_record(ids: Ids, end: &End, n: usize, record: &Record) -> Value {
    let (status, reason) = (Status::of(&record.verdict), Reason::of(&record.verdict));
    let description = format!("It does not pass: {status}, {reason}.");
    let title = "An artifact that does not pass";
    let mut failed = observation(ids, end, &format!("record {n}"), title, &description);
    let subject = prop("subject", &words::subject(record));
    let terms = [prop("status", status.name()), prop("reason", reason.name())];
    let detail = prop("detail", &words::full_detail(record));
    let signature = record
        .signature
        .as_ref()
        .map(|path| prop("signature", &words::shown(path)));
    let digest = record
        .sha256()
        .map(|digest| prop("sha256", &digest.to_string()));
    let known = signature.into_iter().chain(digest);
    let props = [subject]
        .into_iter()
        .chain(terms)
        .chain([detail])
        .chain(known);
    failed["props"] = props.collect();
    failed
}

fn of_finding(ids: Ids, end: &End, n: usize, finding: &Finding) -> Value {
    let description = format!(
        "It differs from the baseline: {}.",
        finding.difference.name()
    );
    let title = "A difference from the baseline";
    let mut difference = observation(ids, end, &format!("difference {n}"), title, &description);
    difference["props"] = json!([
        prop("subject", &words::shown(&finding.path)),
        prop("difference", finding.difference.name()),
        prop("detail", &differences::finding(finding)),
    ]);
    difference
}

/// Returns what identifies the resource of a report.
fn resource(report: &Written) -> String {
    format!("report {}", words::shown_path(&report.place))
}

/// Returns the other reports of the run, and what stands for a plan, which the format requires.
fn resources(context: &Context<'_>, ids: Ids) -> Vec<Value> {
    let reports = context.written.iter().map(|report| {
        let name = report.place.file_name().unwrap_or_default();
        let mut link = json!({
            "href": reference(&report.place, super::file::parent(context.place)),
            "hashes": [{"algorithm": "SHA-256", "value": report.digests.sha256().to_string()}],
        });
        if let Some(media_type) = report.format.media_type() {
            link["media-type"] = media_type.into();
        }
        json!({
            "uuid": ids.id(&resource(report)),
            "title": "A report of the same run",
            "props": [prop("name", &escape::name(name))],
            "rlinks": [link],
        })
    });
    let plan = json!({"uuid": ids.id(NO_PLAN), "title": NO_PLAN});
    [plan].into_iter().chain(reports).collect()
}

/// Returns a property. Its value has text at both ends, as the format wants it.
fn prop(name: &str, value: &str) -> Value {
    const BLANK: &str = "\\u{20}";
    let value = match value.strip_prefix(' ') {
        Some(rest) => format!("{BLANK}{rest}"),
        None => value.to_owned(),
    };
    let value = match value.strip_suffix(' ') {
        Some(rest) => format!("{rest}{BLANK}"),
        None if value.is_empty() => "(none)".to_owned(),
        None => value,
    };
    json!({"name": name, "ns": NAMESPACE, "value": value})
}
