//! What programs read: the stream of objects, and the report files.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::{Mirror, Run, is_available, is_root, sign, signing_key};

/// A mirror with every status that does not need another process.
fn mirror_of_all() -> Mirror {
    let mirror = Mirror::new();
    mirror.write_signed("valid.zst", "valid.sig.bin", b"alpha");
    mirror.write_signed("changed.zst", "changed.sig.bin", b"alpha");
    mirror.write("changed.zst", "beta");
    mirror.write_signed("empty.iso", "empty.iso.sig.bin", b"alpha");
    mirror.write("empty.iso.sig.bin", "");
    mirror.write_signed("long.iso", "long.iso.sig.bin", b"alpha");
    mirror.write("long.iso.sig.bin", [0x30; 100]);
    mirror.write_signed("text.iso", "text.iso.sig.bin", b"alpha");
    mirror.write("text.iso.sig.bin", "TUlJ");
    mirror.write("unsigned.zst", "alpha");
    mirror.write("gone.sig.bin", sign(&mirror.key, b"alpha"));
    fs::create_dir(mirror.path().join("directory.zst")).unwrap();
    mirror.write("directory.sig.bin", sign(&mirror.key, b"alpha"));
    symlink("loop.zst", mirror.path().join("loop.zst")).unwrap();
    mirror.write("loop.sig.bin", sign(&mirror.key, b"alpha"));
    let odd = mirror.path().join(OsStr::from_bytes(b"odd\xff\n.zst"));
    fs::write(odd, "alpha").unwrap();
    let odd = mirror
        .path()
        .join(OsStr::from_bytes(b"odd\xff\n.zst.sig.bin"));
    fs::write(odd, sign(&mirror.key, b"alpha")).unwrap();
    mirror
}

fn schema() -> jsonschema::Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/report.schema.json");
    let schema: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

/// The objects of a stream, each of which fits the schema.
fn objects(run: &Run) -> Vec<Value> {
    let schema = schema();
    let object = |line: &str| {
        let object: Value = serde_json::from_str(line).unwrap();
        let fits = schema.validate(&object);
        assert!(fits.is_ok(), "{line}: {fits:?}");
        object
    };
    run.stdout.lines().map(object).collect()
}

fn of_type<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|o| o["type"] == kind).collect()
}

fn document(mirror: &Mirror, name: &str) -> Value {
    let document: Value =
        serde_json::from_slice(&fs::read(mirror.path().join(name)).unwrap()).unwrap();
    let fits = schema().validate(&document).map_err(|e| e.to_string());
    assert_eq!(fits, Ok(()));
    document
}

#[test]
fn every_status_and_reason_is_an_object_that_fits_the_schema() {
    let mirror = mirror_of_all();
    let run = mirror.run(&["-k", "key.pem", "--format", "jsonl"]);
    let objects = objects(&run);
    let told = |object: &&Value| {
        let text = |member: &str| object[member].as_str().unwrap_or("").to_owned();
        (text("path"), (text("status"), text("reason")))
    };
    let told: BTreeMap<_, _> = of_type(&objects, "artifact").iter().map(told).collect();
    let expected = [
        ("", "valid", "key-verifies"),
        ("changed.zst", "invalid", "no-key-verifies"),
        ("directory.zst", "not-regular", "data-not-regular"),
        ("empty.iso", "invalid", "signature-empty"),
        ("gone.zst", "missing", "no-data-file"),
        ("long.iso", "invalid", "signature-too-long"),
        ("loop.zst", "unreadable", "data-unreadable"),
        ("text.iso", "invalid", "signature-not-der"),
        ("unsigned.zst", "unsigned", "no-signature-file"),
        ("valid.zst", "valid", "key-verifies"),
    ];
    let owned = |(path, status, reason): (&str, &str, &str)| {
        (path.to_owned(), (status.to_owned(), reason.to_owned()))
    };
    assert_eq!(told, expected.map(owned).into());
    assert_eq!(run.status, Some(1));
}

#[test]
fn a_stream_begins_with_the_start_and_ends_with_a_summary_that_counts_it() {
    let mirror = mirror_of_all();
    let run = mirror.run(&["-k", "key.pem", "--format", "jsonl", "--exclude", "text*"]);
    let objects = objects(&run);
    let (first, last) = (&objects[0], &objects[objects.len() - 1]);
    assert_eq!(first["type"], "start");
    assert_eq!(first["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(first["options"]["exclude"], serde_json::json!(["text*"]));
    assert_eq!(first["roots"], serde_json::json!([{ "path": "." }]));
    assert_eq!(first["keys"][0]["name"], "key.pem");
    assert_eq!(last["type"], "summary");
    assert_eq!(
        (&last["complete"], &last["expected"]),
        (&true.into(), &9.into())
    );
    assert_eq!(last["counts"]["valid"], 2);
    assert_eq!(last["failures"], 7);
    assert_eq!(last["exit_status"], 1);
    assert_eq!(of_type(&objects, "artifact").len(), 9);
}

#[test]
fn a_path_that_is_not_utf_8_is_carried_whole_and_cannot_be_taken_for_another() {
    let mirror = mirror_of_all();
    let run = mirror.run(&["-k", "key.pem", "--format", "jsonl"]);
    let objects = objects(&run);
    let odd = of_type(&objects, "artifact");
    let odd: Vec<_> = odd.iter().filter(|o| o["path"].is_null()).collect();
    assert_eq!(odd.len(), 1);
    // printf 'odd\377\n.zst' | base64
    assert_eq!(odd[0]["path_base64"], "b2Rk/wouenN0");
    assert_eq!(odd[0]["signature_base64"], "b2Rk/wouenN0LnNpZy5iaW4=");
    assert_eq!(odd[0]["status"], "valid");
}

#[test]
fn what_is_quiet_in_lines_is_quiet_in_objects() {
    let mirror = mirror_of_all();
    let run = mirror.run(&["-k", "key.pem", "--format", "jsonl", "--quiet"]);
    let objects = objects(&run);
    assert!(
        of_type(&objects, "artifact")
            .iter()
            .all(|o| o["status"] != "valid")
    );
    assert_eq!(of_type(&objects, "artifact").len(), 8);
    assert_eq!(of_type(&objects, "summary")[0]["counts"]["valid"], 2);
    let run = mirror.run(&["-k", "key.pem", "--format", "jsonl", "--status"]);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
}

#[test]
fn an_artifact_object_has_what_an_auditor_asks_for() {
    let mirror = Mirror::new();
    mirror.write_signed("x.zst", "x.sig.bin", b"alpha");
    let run = mirror.run(&["-k", "key.pem", "--format", "jsonl"]);
    let objects = objects(&run);
    let artifact = of_type(&objects, "artifact")[0];
    assert_eq!(artifact["size"], 5);
    // printf alpha | sha256sum
    let digest = "8ed3f6ad685b959ead7022518e1af76cd816f8e8ec7ccdda1ed4018e8f2223f8";
    assert_eq!(artifact["sha256"], digest);
    assert_eq!(artifact["signature"], "x.sig.bin");
    assert_eq!(artifact["key"], objects[0]["keys"][0]["fingerprint"]);
    assert_eq!(
        artifact["detail"],
        "Signature valid (x.sig.bin, key key.pem)"
    );
    assert!(artifact["seconds"].as_f64().unwrap() > 0.0);
}

#[test]
fn the_json_report_has_the_objects_of_the_stream_in_the_order_of_the_lines() {
    let mirror = mirror_of_all();
    let run = mirror.run(&["-k", "key.pem", "--format", "jsonl", "--report", "r.json"]);
    let document = document(&mirror, "r.json");
    let without_times = |object: &Value| {
        let mut object = object.clone();
        for member in ["seconds", "time", "bytes"] {
            object.as_object_mut().unwrap().remove(member);
        }
        object
    };
    let mut streamed: Vec<_> = objects(&run).iter().map(without_times).collect();
    let mut reported = vec![without_times(&document["start"])];
    let artifacts = document["artifacts"].as_array().unwrap();
    reported.extend(artifacts.iter().map(without_times));
    reported.push(without_times(&document["summary"]));
    let paths = artifacts.iter().filter_map(|o| o["path"].as_str());
    assert!(paths.is_sorted());
    streamed.sort_by_key(Value::to_string);
    reported.sort_by_key(Value::to_string);
    assert_eq!(streamed, reported);
}

#[test]
fn the_lines_are_the_same_with_a_report_and_all_records_are_in_it_whatever_is_printed() {
    let mirror = mirror_of_all();
    let plain = mirror.run(&["-k", "key.pem"]);
    let with_report = mirror.run(&["-k", "key.pem", "--report", "r.json"]);
    assert_eq!(plain.stdout, with_report.stdout);
    let silent = mirror.run(&["-k", "key.pem", "--status", "--report", "r.json"]);
    assert_eq!((silent.stdout.as_str(), silent.stderr.as_str()), ("", ""));
    assert_eq!(
        document(&mirror, "r.json")["artifacts"]
            .as_array()
            .unwrap()
            .len(),
        10
    );
}

#[test]
fn the_junit_report_has_a_case_for_each_artifact_and_a_failure_with_its_reason() {
    let mirror = mirror_of_all();
    mirror.run(&["-k", "key.pem", "--allow-unsigned", "--report", "r.xml"]);
    let text = fs::read_to_string(mirror.path().join("r.xml")).unwrap();
    let report = quick_junit::Report::deserialize_from_str(&text).unwrap();
    assert_eq!((report.tests, report.failures, report.errors), (10, 7, 0));
    let cases = &report.test_suites[0].test_cases;
    let names: Vec<_> = cases.iter().map(|case| case.name.as_str()).collect();
    assert!(names.contains(&r"odd\xff\n.zst"), "{names:?}");
    assert!(text.contains(r#"<failure message="❌ Data file not found" type="no-data-file">"#));
    assert!(text.contains(r#"<skipped message="⚠️ Signature file not found"/>"#));
}

#[test]
fn the_junit_cases_of_a_file_with_two_signatures_are_told_apart_by_them() {
    let mirror = Mirror::new();
    mirror.write_signed("d/x.iso", "d/x.sig.bin", b"alpha");
    mirror.write("d/x.iso.sig.bin", sign(&mirror.key, b"beta"));
    mirror.write_signed("d/y.iso", "d/y.sig.bin", b"alpha");
    mirror.run(&["-k", "key.pem", "--report", "r.xml"]);
    let text = fs::read_to_string(mirror.path().join("r.xml")).unwrap();
    let report = quick_junit::Report::deserialize_from_str(&text).unwrap();
    let cases = &report.test_suites[0].test_cases;
    let names: Vec<_> = cases.iter().map(|case| case.name.as_str()).collect();
    let expected = ["d/x.iso (x.iso.sig.bin)", "d/x.iso (x.sig.bin)", "d/y.iso"];
    assert_eq!(names, expected);
}

/// The cases of a JUnit report, each by class and name, with whether it succeeded.
fn cases(mirror: &Mirror, name: &str) -> Vec<((String, String), bool)> {
    let text = fs::read_to_string(mirror.path().join(name)).unwrap();
    let report = quick_junit::Report::deserialize_from_str(&text).unwrap();
    let cases = report.test_suites[0].test_cases.iter().map(|case| {
        let class = case.classname.as_ref().unwrap().to_string();
        let succeeded = matches!(case.status, quick_junit::TestCaseStatus::Success { .. });
        ((class, case.name.to_string()), succeeded)
    });
    cases.collect()
}

/// Asserts that no two cases are one to a consumer that goes by the name, by class and name, or by both joined as GitLab joins them.
fn assert_distinct(cases: &[((String, String), bool)]) {
    let names: BTreeSet<_> = cases.iter().map(|((_, name), _)| name).collect();
    let joined: BTreeSet<_> = cases.iter().map(|((c, n), _)| format!("{c}_{n}")).collect();
    assert_eq!(
        (names.len(), joined.len()),
        (cases.len(), cases.len()),
        "{cases:#?}"
    );
}

#[test]
fn no_junit_case_hides_behind_one_that_looks_like_it() {
    let mirror = Mirror::new();
    // One file with two signatures, of which one is bad, and files that are called as its cases are.
    mirror.write_signed("x.iso", "x.sig.bin", b"alpha");
    mirror.write("x.iso.sig.bin", sign(&mirror.key, b"beta"));
    let copies = [
        "x.iso (x.sig.bin)",
        "x.iso (x.iso.sig.bin)",
        "(the whole run)",
        "the whole run",
        " x.iso",
        "x.iso ",
    ];
    for copy in copies {
        mirror.write_signed(copy, &format!("{copy}.sig.bin"), b"alpha");
    }
    mirror.run(&["-k", "key.pem", "--report", "r.xml"]);
    let cases = cases(&mirror, "r.xml");
    assert_distinct(&cases);
    let failed: Vec<_> = cases.iter().filter(|(_, succeeded)| !succeeded).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].0.1, "x.iso (x.iso.sig.bin)");
    let of_file = (".".to_owned(), r"x.iso \u{28}x.iso.sig.bin)".to_owned());
    assert!(cases.contains(&(of_file, true)), "{cases:#?}");
}

#[test]
fn no_difference_from_a_baseline_hides_behind_a_file_in_a_directory_of_that_name() {
    let mirror = Mirror::new();
    for name in [
        "baseline/p.zst",
        "baseline/q.zst",
        "verify-signatures/p.zst",
        "(baseline)/p.zst",
        "baseline_(changed) p/q.zst",
    ] {
        mirror.write_signed(name, &name.replace(".zst", ".sig.bin"), b"alpha");
    }
    mirror.run(&["-k", "key.pem", "--report", "b.json"]);
    // Signed by the same key, and not what the baseline has.
    for name in ["baseline/p.zst", "(baseline)/p.zst"] {
        mirror.write_signed(name, &name.replace(".zst", ".sig.bin"), b"beta");
    }
    mirror.write_signed("q.zst", "q.sig.bin", b"gamma");
    let run = mirror.run(&["-k", "key.pem", "--baseline", "b.json", "--report", "r.xml"]);
    assert_eq!(run.status, Some(1));
    let cases = cases(&mirror, "r.xml");
    assert_distinct(&cases);
    let failed = cases.iter().filter(|(_, succeeded)| !succeeded);
    let failed: Vec<_> = failed
        .map(|((class, name), _)| (class.as_str(), name.as_str()))
        .collect();
    let expected = [
        ("(baseline)", r"(changed: \u{28}baseline)/p.zst)"),
        ("(baseline)", "(changed: baseline/p.zst)"),
        ("(baseline)", "(added: q.zst)"),
    ];
    assert_eq!(failed, expected);
}

#[test]
fn the_junit_report_of_a_run_without_a_judgement_has_an_error() {
    let mirror = Mirror::new();
    mirror.write_signed("full/x.zst", "full/x.sig.bin", b"alpha");
    fs::create_dir(mirror.path().join("empty")).unwrap();
    let run = mirror.run(&["-k", "key.pem", "full", "empty", "--report", "r.xml"]);
    assert_eq!(run.status, Some(2));
    let text = fs::read_to_string(mirror.path().join("r.xml")).unwrap();
    let report = quick_junit::Report::deserialize_from_str(&text).unwrap();
    assert_eq!((report.tests, report.failures, report.errors), (2, 0, 1));
    assert!(text.contains("empty: nothing to verify"), "{text}");
}

#[test]
fn a_report_that_cannot_be_written_is_told_before_a_byte_is_hashed() {
    let mirror = Mirror::new();
    mirror.write_signed("x.zst", "x.sig.bin", b"alpha");
    fs::create_dir(mirror.path().join("d.json")).unwrap();
    let cases = [
        (
            "none/r.json",
            "none/r.json: cannot write the report: No such file or directory",
        ),
        (
            "key.pem/r.json",
            "key.pem/r.json: cannot write the report: Not a directory",
        ),
        ("d.json", "d.json: cannot write the report: Is a directory"),
        (
            "r.pdf",
            "--report r.pdf: its name must end in .json, .xml (JUnit) or .html",
        ),
    ];
    for (target, words) in cases {
        let run = mirror.run(&["-k", "key.pem", "--report", target]);
        assert_eq!((run.stdout.as_str(), run.status), ("", Some(2)), "{target}");
        assert!(run.stderr.contains(words), "{}", run.stderr);
        assert!(!run.stderr.contains(".tmp"), "{}", run.stderr);
    }
}

/// Undoes what was done to a path when the test is over, however that ends.
struct Undo(Vec<OsString>);

impl Drop for Undo {
    fn drop(&mut self) {
        let _ = Command::new(&self.0[0]).args(&self.0[1..]).status();
    }
}

/// Does something to the system that only root may do, until the value is gone. `None` where it is not possible here.
fn done(program: &str, arguments: &[&OsStr], undo: &[&OsStr]) -> Option<Undo> {
    let output = Command::new(program).args(arguments).output();
    let is_done = output.is_ok_and(|output| output.status.success());
    is_done.then(|| Undo(undo.iter().map(|argument| (*argument).to_owned()).collect()))
}

/// Whether the report is refused with these words before a file is read, and nothing is left beside its place.
fn assert_refused(run: &Run, words: &str, directory: &Path) {
    let said = format!("cannot write the report: {words}\n");
    assert!(run.stderr.ends_with(&said), "{}", run.stderr);
    assert_eq!((run.stdout.as_str(), run.status), ("", Some(2)));
    let mut names = fs::read_dir(directory).unwrap().flatten();
    assert!(names.all(|entry| !entry.file_name().to_string_lossy().ends_with(".tmp")));
}

#[test]
fn a_report_that_another_users_file_keeps_out_of_a_sticky_directory_is_told_before_a_byte_is_hashed()
 {
    let test = "a_report_that_another_users_file_keeps_out_of_a_sticky_directory";
    if !is_available(is_root(), "root", test) {
        return;
    }
    let mirror = Mirror::new();
    mirror.write_signed("m/x.zst", "m/x.sig.bin", b"alpha");
    mirror.write("out/r.json", "root's");
    let out = mirror.path().join("out");
    fs::set_permissions(&out, fs::Permissions::from_mode(0o1777)).unwrap();
    let program = support::public_command(mirror.path());
    let as_nobody = |report: &str| {
        let mut command = Command::new(&program);
        command.args(["-k", "key.pem", "m", "--report", report]);
        command.current_dir(mirror.path()).uid(65534).gid(65534);
        Run::of(command)
    };
    assert_refused(&as_nobody("out/r.json"), "Operation not permitted", &out);
    assert_eq!(fs::read(out.join("r.json")).unwrap(), b"root's");
    // Its own it may replace, and root may everybody's.
    assert_eq!(as_nobody("out/own.json").status, Some(0));
    assert_eq!(as_nobody("out/own.json").status, Some(0));
    let run = mirror.run(&["-k", "key.pem", "m", "--report", "out/own.json"]);
    assert_eq!(run.status, Some(0));
}

#[test]
fn a_report_whose_place_is_a_mount_point_is_told_before_a_byte_is_hashed() {
    let mirror = Mirror::new();
    mirror.write_signed("m/x.zst", "m/x.sig.bin", b"alpha");
    mirror.write("out/r.json", "");
    mirror.write("other", "");
    let (other, place) = (
        mirror.path().join("other"),
        mirror.path().join("out/r.json"),
    );
    let undo = ["umount", "--lazy"].map(OsStr::new);
    let mounted = done(
        "mount",
        &[OsStr::new("--bind"), other.as_os_str(), place.as_os_str()],
        &[&undo[..], &[place.as_os_str()]].concat(),
    );
    let test = "a_report_whose_place_is_a_mount_point";
    if !is_available(mounted.is_some(), "the right to mount", test) {
        return;
    }
    let run = mirror.run(&["-k", "key.pem", "m", "--report", "out/r.json"]);
    assert_refused(&run, "Device or resource busy", &mirror.path().join("out"));
}

#[test]
fn a_report_whose_place_is_immutable_or_only_appended_to_is_told_before_a_byte_is_hashed() {
    for (place, flag) in [
        ("out/r.json", "i"),
        ("out/r.json", "a"),
        ("out", "a"),
        ("out", "i"),
    ] {
        let mirror = Mirror::new();
        mirror.write_signed("m/x.zst", "m/x.sig.bin", b"alpha");
        mirror.write("out/r.json", "old");
        let path = mirror.path().join(place);
        let (on, off) = (format!("+{flag}"), format!("-{flag}"));
        let undo = [OsStr::new("chattr"), OsStr::new(&off), path.as_os_str()];
        let flagged = done("chattr", &[OsStr::new(&on), path.as_os_str()], &undo);
        let test = "a_report_whose_place_is_immutable_or_only_appended_to";
        if !is_available(flagged.is_some(), "the right to chattr", test) {
            return;
        }
        let run = mirror.run(&["-k", "key.pem", "m", "--report", "out/r.json"]);
        assert_refused(&run, "Operation not permitted", &mirror.path().join("out"));
        assert_eq!(fs::read(mirror.path().join("out/r.json")).unwrap(), b"old");
    }
}

#[test]
fn a_report_takes_the_place_of_an_old_one_whole_and_nothing_is_left_beside_it() {
    let mirror = Mirror::new();
    mirror.write_signed("m/x.zst", "m/x.sig.bin", b"alpha");
    mirror.write("out/r.json", "old");
    let arguments = [
        "-k",
        "key.pem",
        "m",
        "--report",
        "out/r.json",
        "--report",
        "out/r.html",
    ];
    assert_eq!(mirror.run(&arguments).status, Some(0));
    document(&mirror, "out/r.json");
    let names = fs::read_dir(mirror.path().join("out")).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["r.html", "r.json"]);
    let mode = fs::metadata(mirror.path().join("out/r.json"))
        .unwrap()
        .mode();
    assert_eq!(mode & 0o600, 0o600);
}

#[test]
fn a_report_takes_no_artifacts_place_and_no_pipes_and_follows_a_link() {
    let mirror = Mirror::new();
    mirror.write_signed("m/r.json", "m/r.json.sig.bin", b"alpha");
    symlink("m/r.json", mirror.path().join("link.json")).unwrap();
    symlink("m/r.json.sig.bin", mirror.path().join("signature.json")).unwrap();
    for target in ["m/r.json", "./m/../m/r.json", "link.json", "signature.json"] {
        let run = mirror.run(&["-k", "key.pem", "m", "--report", target]);
        assert_eq!((run.stdout.as_str(), run.status), ("", Some(2)), "{target}");
        let words = "an artifact or a signature of this run; a report there would replace it";
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    assert_eq!(fs::read(mirror.path().join("m/r.json")).unwrap(), b"alpha");
    symlink("/dev/null", mirror.path().join("device.json")).unwrap();
    let run = mirror.run(&["-k", "key.pem", "m", "--report", "device.json"]);
    assert!(run.stderr.contains("Not a regular file"), "{}", run.stderr);
    mirror.write("real.json", "");
    symlink("real.json", mirror.path().join("alias.json")).unwrap();
    mirror.run(&["-k", "key.pem", "m", "--report", "alias.json"]);
    document(&mirror, "real.json");
    assert!(mirror.path().join("alias.json").is_symlink());
}

#[test]
fn a_report_has_every_record_that_it_counts_when_nobody_reads_the_stream() {
    let mirror = Mirror::new();
    for n in 0..300 {
        mirror.write_signed(&format!("{n}.zst"), &format!("{n}.sig.bin"), b"alpha");
    }
    for _ in 0..5 {
        let arguments = ["-k", "key.pem", "--format", "jsonl", "--report", "r.json"];
        let mut command = mirror.command(&arguments);
        command.stdout(std::process::Stdio::piped());
        let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(141));
        let document = document(&mirror, "r.json");
        let artifacts = document["artifacts"].as_array().unwrap().len();
        assert_eq!(document["summary"]["counts"]["valid"], artifacts);
        assert_eq!(document["summary"]["exit_status"], 141);
    }
}

/// Ends the command with SIGTERM in the middle of a walk that has no end.
fn interrupted_while_walking(mirror: &Mirror, endless: &[&str], arguments: &[&str]) -> Run {
    let mut command = mirror.command(&[&["-k", "key.pem"], endless, arguments].concat());
    let (out, err) = (std::process::Stdio::piped(), std::process::Stdio::piped());
    let child = command.stdout(out).stderr(err).spawn().unwrap();
    let descriptors = format!("/proc/{}/fd", child.id());
    let is_walking = || {
        let links = fs::read_dir(&descriptors).into_iter().flatten().flatten();
        let mut targets = links.flat_map(|link| fs::read_link(link.path()));
        targets.any(|target| target.ends_with("0"))
    };
    while !is_walking() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let kill = ["-c", "kill -TERM \"$0\"", &child.id().to_string()];
    assert!(Command::new("sh").args(kill).status().unwrap().success());
    child.wait_with_output().unwrap().into()
}

#[test]
fn a_run_that_is_ended_while_it_looks_for_files_has_reports_that_say_so() {
    let mirror = Mirror::new();
    let endless = mirror.write_endless();
    mirror.write("r.json", "an earlier run's");
    let reports = [
        "--report", "r.json", "--report", "r.xml", "--report", "r.html",
    ];
    let run = interrupted_while_walking(&mirror, &endless, &reports);
    let said = "interrupted while looking for files; nothing was verified";
    assert_eq!((run.stdout.as_str(), run.status), ("", Some(143)));
    assert!(
        run.stderr
            .ends_with(&format!("verify-signatures: {said}\n")),
        "{}",
        run.stderr
    );
    let document = document(&mirror, "r.json");
    let summary = &document["summary"];
    assert_eq!(document["artifacts"], serde_json::json!([]));
    assert_eq!(
        (&summary["complete"], &summary["expected"]),
        (&false.into(), &0.into())
    );
    assert_eq!(
        (&summary["interrupted"], &summary["exit_status"]),
        (&"SIGTERM".into(), &143.into())
    );
    assert_eq!(summary["problems"], serde_json::json!([said]));
    let junit = fs::read_to_string(mirror.path().join("r.xml")).unwrap();
    let cases = quick_junit::Report::deserialize_from_str(&junit).unwrap();
    assert_eq!((cases.tests, cases.failures, cases.errors), (1, 0, 1));
    assert!(
        junit.contains(&format!("<error message=\"{said}; ended by SIGTERM\"")),
        "{junit}"
    );
    let page = fs::read_to_string(mirror.path().join("r.html")).unwrap();
    assert!(page.contains("<h1>Interrupted by SIGTERM</h1>"), "{page}");
    assert!(
        page.contains(&format!("<p class=\"problem\">{said}</p>")),
        "{page}"
    );
}

#[test]
fn a_run_that_is_ended_while_it_looks_for_files_replaces_no_signed_file_by_its_report() {
    let mirror = Mirror::new();
    let endless = mirror.write_endless();
    mirror.write_signed("m/r.json", "m/r.json.sig.bin", b"alpha");
    mirror.write_signed("m/x.zst", "m/x.sig.bin", b"alpha");
    symlink("m/r.json", mirror.path().join("link.json")).unwrap();
    symlink("m/x.zst", mirror.path().join("data.json")).unwrap();
    symlink("m/x.sig.bin", mirror.path().join("signature.json")).unwrap();
    for target in ["m/r.json", "link.json", "data.json", "signature.json"] {
        let run = interrupted_while_walking(&mirror, &endless, &["--report", target]);
        let words = "an artifact or a signature of this run; a report there would replace it";
        assert!(run.stderr.contains(words), "{target}: {}", run.stderr);
        assert_eq!(run.status, Some(143));
    }
    assert_eq!(fs::read(mirror.path().join("m/r.json")).unwrap(), b"alpha");
    assert_eq!(fs::read(mirror.path().join("m/x.zst")).unwrap(), b"alpha");
    assert_eq!(
        fs::read(mirror.path().join("m/x.sig.bin")).unwrap(),
        sign(&mirror.key, b"alpha")
    );
}

#[test]
fn with_several_keys_the_report_says_which_verified_what() {
    let mirror = Mirror::new();
    let other = signing_key(2);
    mirror.write("other.pem", support::public_pem(&other));
    mirror.write_signed("x.zst", "x.sig.bin", b"alpha");
    mirror.write("y.zst", "beta");
    mirror.write("y.sig.bin", sign(&other, b"beta"));
    mirror.run(&["-k", "key.pem", "-k", "other.pem", "--report", "r.json"]);
    let document = document(&mirror, "r.json");
    let keys = &document["start"]["keys"];
    assert_eq!(document["artifacts"][0]["key"], keys[0]["fingerprint"]);
    assert_eq!(document["artifacts"][1]["key"], keys[1]["fingerprint"]);
}

#[test]
fn linked_directories_fit_the_schema_and_are_in_every_report() {
    let mirror = Mirror::new();
    mirror.write_signed("d/x.zst", "d/x.sig.bin", b"alpha");
    symlink("d", mirror.path().join("same")).unwrap();
    symlink("/", mirror.path().join("out")).unwrap();
    let reports = [
        "--report", "r.json", "--report", "r.xml", "--report", "r.html",
    ];
    let run = mirror.run(&[&["-k", "key.pem", "--status"], &reports[..]].concat());
    assert_eq!((run.stdout.as_str(), run.status), ("", Some(1)));
    let document = document(&mirror, "r.json");
    assert!(schema().is_valid(&document));
    let out = &document["artifacts"][1];
    assert_eq!(
        (&out["path"], &out["status"], &out["reason"]),
        (
            &"out".into(),
            &"unsigned".into(),
            &"linked-directory-not-entered".into()
        )
    );
    assert_eq!(document["summary"]["counts"]["unsigned"], 1);
    let same = serde_json::json!({ "note": "same-directory", "path": "same", "judged_as": { "path": "d" } });
    assert_eq!(document["summary"]["notes"], serde_json::json!([same]));
    let words = "same: the same directory as d, judged there";
    for name in ["r.xml", "r.html"] {
        let report = fs::read_to_string(mirror.path().join(name)).unwrap();
        assert!(
            report.contains("a linked directory that was not entered"),
            "{name}"
        );
        assert!(report.contains(words), "{name}");
    }
}

#[test]
fn notes_hints_and_an_audit_fit_the_schema() {
    let mirror = mirror_of_all();
    mirror.write_signed("old.zst", "old.sig.bin", b"alpha");
    mirror.write_signed("page.zst", "page.sig.bin", b"<html>");
    mirror.write("page.sig.bin", sign(&mirror.key, b"alpha"));
    mirror.run(&["-k", "key.pem", "--report", "b.json"]);
    fs::rename(mirror.path().join("old.zst"), mirror.path().join("new.zst")).unwrap();
    let old = mirror.path().join("old.sig.bin");
    fs::rename(old, mirror.path().join("new.sig.bin")).unwrap();
    fs::remove_file(mirror.path().join("text.iso")).unwrap();
    mirror.write("added.zst", "");
    mirror.write("valid.zst", "beta");
    let arguments = ["-k", "key.pem", "--baseline", "b.json", "--format", "jsonl"];
    let run = mirror.run(&[&arguments[..], &["--report", "r.json"]].concat());
    let objects = objects(&run);
    let summary = &objects[objects.len() - 1];
    let kinds = |list: &Value, name: &str| -> Vec<String> {
        let kind = |value: &Value| value[name].as_str().unwrap().to_owned();
        list.as_array().unwrap().iter().map(kind).collect()
    };
    let findings = kinds(&summary["audit"]["findings"], "finding");
    assert_eq!(findings, ["added", "renamed", "missing", "changed"]);
    let notes = kinds(&summary["notes"], "note");
    assert!(notes.contains(&"same-content".to_owned()), "{notes:?}");
    assert!(
        notes.contains(&"signature-fits-other".to_owned()),
        "{notes:?}"
    );
    let looks: Vec<_> = of_type(&objects, "artifact")
        .iter()
        .filter_map(|o| o.get("looks"))
        .collect();
    assert!(looks.contains(&&Value::from("html")), "{looks:?}");
    let document = document(&mirror, "r.json");
    assert!(schema().is_valid(&document));
    assert_eq!(document["summary"]["audit"], summary["audit"]);
    assert_eq!(document["summary"]["notes"], summary["notes"]);
}
