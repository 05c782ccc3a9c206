//! Reports for machines, each read by a program or a library that others wrote.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::bundles::{Image, Layout, digest as image_digest, zstd};
use crate::support::readers::Readers;
use crate::support::{
    Mirror, Run, is_here, openssl_is_here, openssl_verifies, private_pem, public_der, public_pem,
    sign, signing_key,
};
use sha2::{Digest, Sha256};

/// The number of the key that signs reports, which is not the vendor's.
const REPORTER: u8 = 7;

/// The SHA-256 of a content in hexadecimal digits.
fn sha256(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A mirror in `m`, beside the key that signs reports.
fn mirror() -> Mirror {
    let mirror = Mirror::new();
    mirror.write("reporter.pem", private_pem(&signing_key(REPORTER)));
    mirror.write("reporter.pub", public_pem(&signing_key(REPORTER)));
    mirror.write("reporter.der", public_der(&signing_key(REPORTER)));
    mirror.write_signed("m/4.1/a.zst", "m/4.1/a.sig.bin", b"alpha");
    mirror.write_signed("m/b.iso", "m/b.iso.sig.bin", b"beta");
    mirror
}

/// Adds files that fail for one reason each.
fn with_failures(mirror: &Mirror) {
    mirror.write_signed("m/=bad.iso", "m/=bad.iso.sig.bin", b"beta");
    mirror.write("m/=bad.iso", "other");
    mirror.write("m/gone.sig.bin", sign(&mirror.key, b"x"));
    mirror.write("m/unsigned.zst", "u");
}

fn run(mirror: &Mirror, arguments: &[&str]) -> Run {
    mirror.run(&[&["-k", "key.pem"], arguments].concat())
}

/// The fingerprint of the key that signs reports.
fn reporter() -> String {
    sha256(&public_der(&signing_key(REPORTER)))
}

/// What `sha256sum --check` says of a list, in the list's directory.
fn checked(list: &Path) -> (bool, String) {
    let mut command = Command::new("sha256sum");
    command
        .args(["--check", "--strict"])
        .arg(list.file_name().unwrap());
    let output = command
        .current_dir(list.parent().unwrap())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), text)
}

#[test]
fn a_list_of_checksums_names_the_files_from_its_own_directory() {
    let mirror = mirror();
    let expected = |prefix: &str| {
        let (a, b) = (sha256(b"alpha"), sha256(b"beta"));
        format!("{a}  {prefix}4.1/a.zst\n{b}  {prefix}b.iso\n")
    };
    fs::create_dir_all(mirror.path().join("audit/july")).unwrap();
    symlink("m", mirror.path().join("current")).unwrap();
    let absolute = mirror.path().join("m");
    let absolute = absolute.to_str().unwrap();
    for (report, path, prefix) in [
        ("m/SHA256SUMS", "m", ""),
        ("m/SHA256SUMS", absolute, ""),
        ("m/SHA256SUMS", "current", ""),
        ("current/SHA256SUMS", "m", ""),
        ("SHA256SUMS", "m", "m/"),
        ("SHA256SUMS", "audit/../m", "m/"),
        ("audit/july/SHA256SUMS", "m", "../../m/"),
        ("audit/july/SHA256SUMS", absolute, "../../m/"),
    ] {
        let run = run(&mirror, &["--report", report, path]);
        assert_eq!(run.status, Some(0), "{}", run.stderr);
        let list = mirror.path().join(report);
        assert_eq!(
            fs::read_to_string(&list).unwrap(),
            expected(prefix),
            "{report} of {path}"
        );
        if is_here(
            "sha256sum",
            "a_list_of_checksums_names_the_files_from_its_own_directory",
        ) {
            assert!(checked(&list).0, "{report} of {path}");
        }
        fs::remove_file(list).unwrap();
    }
}

#[test]
fn a_list_names_a_file_that_a_path_names_and_one_that_is_named_twice_once() {
    let mirror = mirror();
    let run = run(
        &mirror,
        &["--report", "SHA256SUMS", "m/b.iso", "m/b.iso.sig.bin", "m"],
    );
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let list = fs::read_to_string(mirror.path().join("SHA256SUMS")).unwrap();
    let (a, b) = (sha256(b"alpha"), sha256(b"beta"));
    assert_eq!(list, format!("{a}  m/4.1/a.zst\n{b}  m/b.iso\n"));
}

#[test]
fn sha256sum_finds_the_files_of_a_list_whatever_they_are_called() {
    let mirror = Mirror::new();
    let names: [&[u8]; 8] = [
        b"-",
        b"a b.iso",
        b"back\\slash.iso",
        b"line\nfeed.iso",
        b"return\r.iso",
        b"return.iso\r",
        b"bytes\xff.iso",
        b" *star.iso",
    ];
    for name in names {
        let data = mirror.path().join(OsStr::from_bytes(name));
        let signature = [name, b".sig.bin"].concat();
        fs::write(&data, name).unwrap();
        let signature = mirror.path().join(OsStr::from_bytes(&signature));
        fs::write(signature, sign(&mirror.key, name)).unwrap();
    }
    let run = run(&mirror, &["--report", "SHA256SUMS", "."]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let list = mirror.path().join("SHA256SUMS");
    let text = fs::read(&list).unwrap();
    let line = format!("\\{}  line\\nfeed.iso\n", sha256(b"line\nfeed.iso"));
    assert!(String::from_utf8_lossy(&text).contains(&line));
    if is_here(
        "sha256sum",
        "sha256sum_finds_the_files_of_a_list_whatever_they_are_called",
    ) {
        let (is_valid, said) = checked(&list);
        assert!(is_valid, "{said}");
        assert_eq!(
            said.lines().filter(|line| line.ends_with(": OK")).count(),
            names.len()
        );
    }
}

#[test]
fn a_signed_list_is_verified_by_openssl_and_by_this_command() {
    let mirror = mirror();
    let arguments = [
        "--report",
        "SHA256SUMS",
        "--sign-report",
        "reporter.pem",
        "m",
    ];
    let first = run(&mirror, &arguments);
    assert_eq!(first.status, Some(0), "{}", first.stderr);
    let signature = fs::read(mirror.path().join("SHA256SUMS.sig.bin")).unwrap();
    let verified = mirror.run(&["-k", "reporter.pub", "SHA256SUMS"]);
    let lines = "SHA256SUMS: ✅ Signature valid\n\
                 m/4.1/a.zst: ✅ Listed in a signed list\n\
                 m/b.iso: ✅ Listed in a signed list\n";
    assert_eq!(verified.stdout, lines);
    if openssl_is_here("a_signed_list_is_verified_by_openssl_and_by_this_command") {
        let file = |name: &str| mirror.path().join(name);
        let (key, list) = (file("reporter.pub"), file("SHA256SUMS"));
        assert!(openssl_verifies(&key, &file("SHA256SUMS.sig.bin"), &list));
    }
    // The nonce is made of the key and the message: the same list has the same signature. A validated
    // module makes random ones.
    assert_eq!(run(&mirror, &arguments).status, Some(0));
    let again = fs::read(mirror.path().join("SHA256SUMS.sig.bin")).unwrap();
    assert_eq!(again == signature, !cfg!(feature = "fips"));
}

/// The statements of a report, unverified.
fn statements(mirror: &Mirror, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(mirror.path().join(name)).unwrap();
    let statement = |line: &str| {
        let envelope: Value = serde_json::from_str(line).unwrap();
        let payload = STANDARD
            .decode(envelope["payload"].as_str().unwrap())
            .unwrap();
        serde_json::from_slice(&payload).unwrap()
    };
    text.lines().map(statement).collect()
}

/// The names and digests of a statement's subjects.
fn subjects(statement: &Value) -> Vec<(Option<&str>, &str)> {
    let subjects = statement["subject"].as_array().unwrap();
    let mut of_each = Vec::new();
    for subject in subjects {
        let digest = subject["digest"]["sha256"].as_str().unwrap();
        of_each.push((subject["name"].as_str(), digest));
    }
    of_each
}

const EXTENSION: &str = "pkg:cargo/verify-signatures#run";

#[test]
fn a_statement_has_what_is_valid_and_another_what_is_not() {
    let mirror = mirror();
    with_failures(&mirror);
    let odd = mirror.path().join(OsStr::from_bytes(b"m/\xff.iso"));
    fs::write(odd, "odd").unwrap();
    let odd = mirror.path().join(OsStr::from_bytes(b"m/\xff.iso.sig.bin"));
    fs::write(odd, sign(&mirror.key, b"odd")).unwrap();
    let run = run(
        &mirror,
        &["--report", "r.intoto.jsonl", "--report", "r.json", "m"],
    );
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    let statements = statements(&mirror, "r.intoto.jsonl");
    let [passed, failed] = statements.as_slice() else {
        panic!("{statements:?}");
    };
    let (a, b, odd, bad) = (
        sha256(b"alpha"),
        sha256(b"beta"),
        sha256(b"odd"),
        sha256(b"other"),
    );
    let expected = [(Some("4.1/a.zst"), &*a), (Some("b.iso"), &b), (None, &odd)];
    assert_eq!(subjects(passed), expected);
    // One that is unsigned is hashed where a signature without a file may be its own.
    let unsigned = sha256(b"u");
    let expected = [(Some("=bad.iso"), &*bad), (Some("unsigned.zst"), &unsigned)];
    assert_eq!(subjects(failed), expected);
    assert_eq!(
        failed["subject"][0]["annotations"],
        json!({"reason": "no-key-verifies"})
    );
    let key = sha256(&public_der(&mirror.key));
    assert_eq!(passed["subject"][0]["annotations"], json!({"key": key}));
    let directory = mirror.path().canonicalize().unwrap();
    let host = rustix::system::uname();
    let host = host.nodename().to_str().unwrap();
    let uri = |name: &str| format!("file://{host}{}/{name}", directory.display());
    let report = sha256(&fs::read(mirror.path().join("r.json")).unwrap());
    for (statement, result, level) in [
        (passed, "PASSED", "SIGNED_BY_TRUSTED_KEY"),
        (failed, "FAILED", "FAILED"),
    ] {
        let predicate = &statement["predicate"];
        assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
        assert_eq!(
            statement["predicateType"],
            "https://slsa.dev/verification_summary/v1"
        );
        assert_eq!(predicate["verificationResult"], result);
        assert_eq!(predicate["verifiedLevels"], json!([level]));
        assert_eq!(predicate["resourceUri"], uri("m/"));
        let input = json!([{"uri": uri("r.json"), "digest": {"sha256": report}}]);
        assert_eq!(predicate["inputAttestations"], input);
        let of_run = &predicate[EXTENSION];
        assert_eq!(of_run["failures"], 3);
        assert_eq!(of_run["exitStatus"], 1);
        assert_eq!(
            of_run["unhashed"],
            json!([
                {"name": "gone.zst", "reason": "no-data-file"},
            ])
        );
    }
}

#[test]
fn the_policy_of_a_statement_has_the_keys_and_the_options_and_their_digest() {
    let mirror = mirror();
    let policy = |arguments: &[&str]| {
        let run = run(
            &mirror,
            &[&["--report", "r.intoto.jsonl", "m"], arguments].concat(),
        );
        assert_eq!(run.status, Some(0), "{}", run.stderr);
        let policy = statements(&mirror, "r.intoto.jsonl")[0]["predicate"]["policy"].clone();
        let content = STANDARD
            .decode(policy["content"].as_str().unwrap())
            .unwrap();
        assert_eq!(policy["digest"]["sha256"], sha256(&content));
        let content: Value = serde_json::from_slice(&content).unwrap();
        (policy["digest"].clone(), content)
    };
    let (digest, content) = policy(&[]);
    assert_eq!(content["keys"], json!([sha256(&public_der(&mirror.key))]));
    assert_eq!(content["options"]["allow_unsigned"], false);
    // What decides only how fast is no policy.
    assert_eq!(policy(&["--jobs", "2", "--io", "read"]).0, digest);
    let (other, content) = policy(&["--exclude", "**/a.*"]);
    assert_ne!(other, digest);
    assert_eq!(content["options"]["exclude"], json!(["**/a.*"]));
}

#[test]
fn an_artifact_with_one_signature_that_fails_is_not_named_as_passed() {
    let mirror = mirror();
    mirror.write("m/b.sig.bin", sign(&mirror.key, b"something else"));
    let run = run(&mirror, &["--report", "r.intoto.jsonl", "m"]);
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    let statements = statements(&mirror, "r.intoto.jsonl");
    assert_eq!(statements.len(), 2);
    assert_eq!(
        subjects(&statements[0]),
        [(Some("4.1/a.zst"), &*sha256(b"alpha"))]
    );
    assert_eq!(
        subjects(&statements[1]),
        [(Some("b.iso"), &*sha256(b"beta"))]
    );
}

#[test]
fn what_differs_from_the_baseline_is_not_named_as_passed() {
    let mirror = mirror();
    mirror.write_signed("m/c.iso", "m/c.iso.sig.bin", b"gamma");
    assert_eq!(
        run(&mirror, &["--report", "then.json", "m"]).status,
        Some(0)
    );
    mirror.write_signed("m/b.iso", "m/b.iso.sig.bin", b"an older release");
    fs::remove_file(mirror.path().join("m/c.iso")).unwrap();
    fs::remove_file(mirror.path().join("m/c.iso.sig.bin")).unwrap();
    let run = run(
        &mirror,
        &["--baseline", "then.json", "--report", "r.intoto.jsonl", "m"],
    );
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    let statements = statements(&mirror, "r.intoto.jsonl");
    assert_eq!(
        subjects(&statements[0]),
        [(Some("4.1/a.zst"), &*sha256(b"alpha"))]
    );
    assert_eq!(
        subjects(&statements[1]),
        [(Some("b.iso"), &*sha256(b"an older release"))]
    );
    let reason = &statements[1]["subject"][0]["annotations"]["reason"];
    let of_run = &statements[1]["predicate"][EXTENSION];
    assert_eq!(of_run["differences"], 2);
    assert_eq!(of_run["unhashed"][0]["name"], "c.iso");
    assert_eq!(reason, "modified");
}

#[test]
fn an_image_that_is_signed_is_a_subject_with_its_own_digest() {
    let mirror = Mirror::new();
    let mut layout = Layout::default();
    let image = Image::new("amd64", &[b"docs"]);
    layout.add("registry.example.com/docs:1", &image);
    layout.sign(&mirror.key, "registry.example.com/docs", &image.manifest);
    let bundle = zstd(&layout.tar());
    mirror.write_signed("m/x.tar.zst", "m/x.tar.zst.sig.bin", &bundle);
    let run = run(&mirror, &["--images", "--report", "r.intoto.jsonl", "m"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let id = image_digest(&image.manifest);
    let name = format!("x.tar.zst » registry.example.com/docs:1@{id}");
    let statements = statements(&mirror, "r.intoto.jsonl");
    assert_eq!(statements.len(), 1);
    assert_eq!(
        subjects(&statements[0]),
        [
            (Some("x.tar.zst"), &*sha256(&bundle)),
            (Some(&*name), id.strip_prefix("sha256:").unwrap()),
        ]
    );
}

#[test]
fn securesystemslib_and_sigstore_verify_what_was_signed_and_nothing_else() {
    let test = "securesystemslib_and_sigstore_verify_what_was_signed_and_nothing_else";
    let Some(readers) = Readers::of(test) else {
        return;
    };
    let mirror = mirror();
    with_failures(&mirror);
    let report = [
        "--report",
        "r.intoto.jsonl",
        "--report",
        "plain.intoto.jsonl",
    ];
    let key = ["--sign-report", "reporter.pem", "m"];
    assert_eq!(run(&mirror, &[&report[..2], &key].concat()).status, Some(1));
    assert_eq!(
        run(&mirror, &[&report[2..], &key[2..]].concat()).status,
        Some(1)
    );
    let file = |name: &str| mirror.path().join(name);
    let arguments = [
        file("reporter.pub").to_str().unwrap().to_owned(),
        reporter(),
    ];
    let [public, keyid] = arguments.each_ref().map(String::as_str);
    let der = file("reporter.der");
    let der = der.to_str().unwrap();
    let signed = file("r.intoto.jsonl");
    let read = readers.read("dsse.py", &signed, &[public, keyid]).unwrap();
    let read = read.lines().map(|line| serde_json::from_str(line).unwrap());
    assert_eq!(
        read.collect::<Vec<Value>>(),
        statements(&mirror, "r.intoto.jsonl")
    );
    let verified = readers.read("bundle.cjs", &signed, &[der]).unwrap();
    assert_eq!(verified, "verified\nverified\n");
    // Unsigned by default.
    let unsigned = readers
        .read("dsse.py", &file("plain.intoto.jsonl"), &[])
        .unwrap();
    assert_eq!(unsigned.lines().count(), 2);
    // One statement under the other's signature.
    let text = fs::read_to_string(&signed).unwrap();
    let mut envelopes = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let (mut first, second) = (envelopes.next().unwrap(), envelopes.next().unwrap());
    first["payload"] = second["payload"].clone();
    mirror.write("mixed.intoto.jsonl", format!("{first}\n"));
    let mixed = file("mixed.intoto.jsonl");
    let refused = readers
        .read("dsse.py", &mixed, &[public, keyid])
        .unwrap_err();
    assert!(refused.contains("VerificationError"), "{refused}");
    let refused = readers.read("bundle.cjs", &mixed, &[der]).unwrap_err();
    assert!(refused.contains("SIGNATURE_ERROR"), "{refused}");
}

#[test]
fn a_table_has_a_row_for_each_record_and_no_formula() {
    let mirror = mirror();
    with_failures(&mirror);
    mirror.write_signed("=1+1.iso", "=1+1.iso.sig.bin", b"gamma");
    mirror.write_signed("m/q\",\n.iso", "m/q\",\n.iso.sig.bin", b"quoted");
    let run = run(&mirror, &["--report", "r.csv", "m", "=1+1.iso"]);
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    let text = fs::read_to_string(mirror.path().join("r.csv")).unwrap();
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    let Some(readers) = Readers::of("a_table_has_a_row_for_each_record_and_no_formula") else {
        return;
    };
    let rows = readers.read("table.py", &mirror.path().join("r.csv"), &[]);
    let rows: Vec<BTreeMap<String, String>> = serde_json::from_str(&rows.unwrap()).unwrap();
    let of = |name: &str| rows.iter().map(|row| row[name].clone()).collect::<Vec<_>>();
    assert_eq!(
        of("path"),
        [
            "m/4.1/a.zst",
            "m/=bad.iso",
            "m/b.iso",
            "m/gone.zst",
            "m/q\",\\n.iso",
            "m/unsigned.zst",
            "\\u{3d}1+1.iso",
            "",
        ]
    );
    let statuses = [
        "valid",
        "invalid",
        "valid",
        "missing",
        "valid",
        "unsigned",
        "valid",
        "not-valid",
    ];
    assert_eq!(of("status"), statuses);
    assert_eq!(
        of("passes")
            .iter()
            .filter(|passes| *passes == "false")
            .count(),
        4
    );
    assert_eq!(rows[0]["sha256"], sha256(b"alpha"));
    assert_eq!(rows[0]["key"], sha256(&public_der(&mirror.key)));
    let last = rows.last().unwrap();
    assert_eq!((&*last["type"], &*last["reason"]), ("run", "exit-status-1"));
    let begins_a_formula = |cell: &&String| cell.starts_with(['=', '+', '-', '@']);
    assert_eq!(
        rows.iter()
            .flat_map(BTreeMap::values)
            .find(begins_a_formula),
        None
    );
}

#[test]
fn the_documentation_has_every_column_and_every_metric() {
    let mirror = mirror();
    assert_eq!(
        run(&mirror, &["--report", "then.json", "m"]).status,
        Some(0)
    );
    let reports = ["--report", "r.csv", "--report", "r.prom"];
    let audited = ["--images", "--baseline", "then.json", "m"];
    assert_eq!(
        run(&mirror, &[&reports[..], &audited].concat()).status,
        Some(0)
    );
    let documented = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/REPORTS.md");
    let documented = fs::read_to_string(documented).unwrap();
    let written = |name: &str| fs::read_to_string(mirror.path().join(name)).unwrap();
    let table = written("r.csv");
    assert!(documented.contains(&format!("\n{}\n", table.lines().next().unwrap())));
    let metrics = written("r.prom");
    let named: Vec<&str> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter_map(|line| line.strip_suffix(" gauge"))
        .collect();
    let rows = documented
        .lines()
        .filter_map(|line| line.strip_prefix("| `verify_signatures_"));
    let rows: Vec<String> = rows
        .map(|row| format!("verify_signatures_{}", row.split('`').next().unwrap()))
        .collect();
    assert_eq!(named, rows);
}

#[test]
fn prometheus_reads_the_metrics_of_a_run() {
    let Some(readers) = Readers::of("prometheus_reads_the_metrics_of_a_run") else {
        return;
    };
    let mirror = mirror();
    with_failures(&mirror);
    let run = run(&mirror, &["--report", "a\"b\\c.prom", "m"]);
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    let read = readers.read("prom.py", &mirror.path().join("a\"b\\c.prom"), &[]);
    type Sample = (String, BTreeMap<String, String>, f64);
    let samples: Vec<Sample> = serde_json::from_str(&read.unwrap()).unwrap();
    // The name as printed, in which a backslash is two.
    assert!(
        samples
            .iter()
            .all(|(_, labels, _)| labels["report"] == "a\"b\\\\c")
    );
    let value = |name: &str, verdict: Option<&str>| {
        let mut of_it = samples.iter().filter(|(known, labels, _)| {
            *known == format!("verify_signatures_{name}")
                && labels.get("verdict").map(String::as_str) == verdict
        });
        let value = of_it.next().unwrap_or_else(|| panic!("{name}")).2;
        assert!(of_it.next().is_none(), "{name}");
        value
    };
    for (verdict, count) in [
        ("valid", 2.0),
        ("invalid", 1.0),
        ("missing", 1.0),
        ("changed", 0.0),
    ] {
        assert_eq!(value("artifacts", Some(verdict)), count);
    }
    assert_eq!(value("failures", None), 3.0);
    assert_eq!(value("exit_status", None), 1.0);
    assert_eq!(value("complete", None), 1.0);
    assert!(value("end_timestamp_seconds", None) > 1.7e9);
    assert_eq!(value("hashed_bytes", None), 15.0);
}

#[test]
fn trestle_reads_the_assessment_results_of_a_run() {
    let Some(readers) = Readers::of("trestle_reads_the_assessment_results_of_a_run") else {
        return;
    };
    let mirror = mirror();
    with_failures(&mirror);
    mirror.write("m/ blank .zst ", "x");
    fs::create_dir(mirror.path().join("audit")).unwrap();
    let reports = ["--report", "audit/r.oscal.json", "--report", "a b.json"];
    let run = run(
        &mirror,
        &[&reports[..], &["m", "--report", "audit/r.csv"]].concat(),
    );
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    let read = readers.read("oscal.py", &mirror.path().join("audit/r.oscal.json"), &[]);
    let read: Value = serde_json::from_str(&read.unwrap()).unwrap();
    let controls = json!(["cm-14", "si-7", "si-7.1", "si-7.6", "si-7.15", "sr-4.3"]);
    assert_eq!(read["controls"], controls);
    let observations = read["observations"].as_array().unwrap();
    let first = &observations[0];
    assert_eq!(first["props"]["valid"], "2");
    assert_eq!(first["props"]["failures"], "4");
    assert_eq!(first["props"]["exit-status"], "1");
    let file = |name: &str| sha256(&fs::read(mirror.path().join(name)).unwrap());
    let evidence = [
        ["../a%20b.json", &file("a b.json")],
        ["r.csv", &file("audit/r.csv")],
    ];
    assert_eq!(first["evidence"], json!(evidence));
    let subjects = observations[1..]
        .iter()
        .map(|failed| failed["props"]["subject"].as_str());
    assert_eq!(
        subjects.flatten().collect::<Vec<_>>(),
        [
            "m/ blank .zst\\u{20}",
            "m/=bad.iso",
            "m/gone.zst",
            "m/unsigned.zst"
        ]
    );
    let identifiers = observations
        .iter()
        .map(|observation| observation["uuid"].as_str().unwrap());
    let distinct: std::collections::BTreeSet<&str> = identifiers.collect();
    assert_eq!(distinct.len(), observations.len());
}
