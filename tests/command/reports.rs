//! What programs read: the stream of objects, and the report files.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::junit::Junit;
use crate::support::readers::Readers;
use crate::support::{Mirror, Run, is_available, is_root, schema, sign, signing_key, wait_until};
use serde_json::Value;
use verify_signatures::Sniffed;

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

/// The objects of a stream, each of which fits the schema.
fn objects(run: &Run) -> Vec<Value> {
    let lines = run.stdout.lines();
    let objects: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    schema::assert_fits(&objects);
    objects
}

fn of_type<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|o| o["type"] == kind).collect()
}

#[test]
fn an_object_with_an_unknown_status_does_not_fit_the_schema() {
    let Some(readers) = Readers::of("an object with an unknown status does not fit the schema")
    else {
        return;
    };
    let mirror = mirror_of_all();
    let run = mirror.run(&["-k", "key.pem", "--format", "jsonl", "valid.zst"]);
    let mut objects = objects(&run);
    assert_eq!(objects[1]["type"], "artifact");
    objects[1]["status"] = "fine".into();
    let refused = schema::errors(&readers, &objects);
    assert!(
        refused.iter().any(|error| error.contains("'fine'")),
        "{refused:?}"
    );
}

#[test]
fn records_of_the_usual_verdicts_have_their_status_and_reason() {
    let mirror = mirror_of_all();
    let run = mirror.run(&["-k", "key.pem", "--format", "jsonl"]);
    let objects = objects(&run);
    let found = |object: &&Value| {
        let text = |member: &str| object[member].as_str().unwrap_or("").to_owned();
        (text("path"), (text("status"), text("reason")))
    };
    let found: BTreeMap<_, _> = of_type(&objects, "artifact").iter().map(found).collect();
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
    assert_eq!(found, expected.map(owned).into());
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
    let document = mirror.report("r.json");
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
fn the_lines_are_the_same_with_a_report_and_all_records_are_in_it_even_if_not_printed() {
    let mirror = mirror_of_all();
    let plain = mirror.run(&["-k", "key.pem"]);
    let with_report = mirror.run(&["-k", "key.pem", "--report", "r.json"]);
    assert_eq!(plain.stdout, with_report.stdout);
    let silent = mirror.run(&["-k", "key.pem", "--status", "--report", "r.json"]);
    assert_eq!((silent.stdout.as_str(), silent.stderr.as_str()), ("", ""));
    assert_eq!(
        mirror.report("r.json")["artifacts"]
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
    let junit = Junit::read(&text);
    assert_eq!(junit.counts(), [10, 7, 0, 1]);
    let names: Vec<_> = junit.cases.iter().map(|case| case.name.as_str()).collect();
    assert!(names.contains(&r"odd\xff\n.zst"), "{names:?}");
    assert!(text.contains(r#"<failure message="❌ Data file not found" type="no-data-file">"#));
    assert!(text.contains(r#"<skipped message="⚠️ Signature file not found"/>"#));
}

#[test]
fn the_junit_cases_of_a_file_with_two_signatures_are_distinguished_by_them() {
    let mirror = Mirror::new();
    mirror.write_signed("d/x.iso", "d/x.sig.bin", b"alpha");
    mirror.write("d/x.iso.sig.bin", sign(&mirror.key, b"beta"));
    mirror.write_signed("d/y.iso", "d/y.sig.bin", b"alpha");
    mirror.run(&["-k", "key.pem", "--report", "r.xml"]);
    let text = fs::read_to_string(mirror.path().join("r.xml")).unwrap();
    let junit = Junit::read(&text);
    let names: Vec<_> = junit.cases.iter().map(|case| case.name.as_str()).collect();
    let expected = ["d/x.iso (x.iso.sig.bin)", "d/x.iso (x.sig.bin)", "d/y.iso"];
    assert_eq!(names, expected);
}

/// The cases of a JUnit report, each by class and name, with whether it succeeded.
fn cases(mirror: &Mirror, name: &str) -> Vec<((String, String), bool)> {
    let text = fs::read_to_string(mirror.path().join(name)).unwrap();
    let cases = Junit::read(&text).cases.into_iter();
    cases
        .map(|case| ((case.class, case.name), case.outcome == "success"))
        .collect()
}

/// Asserts that no two cases are one to a consumer that goes by the name, by class and name, or by
/// both joined as GitLab joins them.
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
fn no_junit_case_hides_behind_a_similar_one() {
    let mirror = Mirror::new();
    // One file with two signatures, of which one is bad, and files that are called as its cases
    // are.
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
    let class = "verify-signatures.artifact".to_owned();
    let of_file = (class, r"x.iso \u{28}x.iso.sig.bin)".to_owned());
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
        "baseline_(modified) p/q.zst",
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
        r"(modified: \u{28}baseline)/p.zst)",
        "(modified: baseline/p.zst)",
        "(added: q.zst)",
    ];
    let class = "verify-signatures.baseline";
    assert_eq!(failed, expected.map(|name| (class, name)));
}

#[test]
fn the_junit_report_of_a_run_without_a_judgement_has_an_error() {
    let mirror = Mirror::new();
    mirror.write_signed("full/x.zst", "full/x.sig.bin", b"alpha");
    fs::create_dir(mirror.path().join("empty")).unwrap();
    let run = mirror.run(&["-k", "key.pem", "full", "empty", "--report", "r.xml"]);
    assert_eq!(run.status, Some(2));
    let text = fs::read_to_string(mirror.path().join("r.xml")).unwrap();
    assert_eq!(Junit::read(&text).counts(), [2, 0, 1, 0]);
    assert!(text.contains("empty: nothing to verify"), "{text}");
}

#[test]
fn a_report_that_cannot_be_written_is_refused_before_a_byte_is_hashed() {
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
            "error: --report r.pdf: the name does not say which format to write\nhelp: end it in .json, .xml (JUnit), ",
        ),
    ];
    for (target, words) in cases {
        let run = mirror.run(&["-k", "key.pem", "--report", target]);
        assert_eq!((run.stdout.as_str(), run.status), ("", Some(2)), "{target}");
        assert!(run.stderr.contains(words), "{}", run.stderr);
        assert!(!run.stderr.contains(".tmp"), "{}", run.stderr);
    }
}

#[test]
fn a_report_whose_place_is_taken_during_the_run_is_kept_under_a_name_that_the_error_gives() {
    let mirror = Mirror::new();
    mirror.write_signed("x.zst", "x.sig.bin", b"alpha");
    let mut command = mirror.command(&[
        "-k",
        "key.pem",
        "--report",
        "r.json",
        "-s",
        "x.sig.bin",
        "-",
    ]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let kept = || {
        let names = fs::read_dir(mirror.path()).unwrap().flatten();
        let mut names = names.map(|entry| entry.file_name().into_string().unwrap());
        names.find(|name| name.ends_with(".tmp"))
    };
    wait_until("the report is begun", || kept().is_some());
    let kept = kept().unwrap();
    fs::create_dir(mirror.path().join("r.json")).unwrap();
    child.stdin.take().unwrap().write_all(b"alpha").unwrap();
    let run = Run::from(child.wait_with_output().unwrap());
    let words = "error: r.json: cannot write the report: Is a directory; its content is in ";
    assert!(run.stderr.contains(words), "{}", run.stderr);
    assert!(run.stderr.contains(&format!("/{kept}\n")), "{}", run.stderr);
    assert_eq!(
        (run.stdout.as_str(), run.status),
        ("-: ✅ Signature valid\n", Some(2))
    );
    let report: Value =
        serde_json::from_slice(&fs::read(mirror.path().join(&kept)).unwrap()).unwrap();
    assert_eq!(report["artifacts"][0]["status"], "valid");
}

/// Undoes what was done to a path when the test is over, however that ends.
struct Undo(Vec<OsString>);

impl Drop for Undo {
    fn drop(&mut self) {
        let _ = Command::new(&self.0[0]).args(&self.0[1..]).status();
    }
}

/// Does something to the system that only root may do, until the value is gone. `None` where it is
/// not possible here.
fn done(program: &str, arguments: &[&OsStr], undo: &[&OsStr]) -> Option<Undo> {
    let output = Command::new(program).args(arguments).output();
    let is_done = output.is_ok_and(|output| output.status.success());
    is_done.then(|| Undo(undo.iter().map(|argument| (*argument).to_owned()).collect()))
}

/// Whether the report is refused with these words before a file is read, and nothing is left beside
/// its place.
fn assert_refused(run: &Run, words: &str, directory: &Path) {
    let expected = format!("cannot write the report: {words}\n");
    assert!(run.stderr.ends_with(&expected), "{}", run.stderr);
    assert_eq!((run.stdout.as_str(), run.status), ("", Some(2)));
    let mut names = fs::read_dir(directory).unwrap().flatten();
    assert!(names.all(|entry| !entry.file_name().to_string_lossy().ends_with(".tmp")));
}

#[test]
fn a_report_that_another_users_file_keeps_out_of_a_sticky_directory_is_refused_before_a_byte_is_hashed()
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
    let program = crate::support::public_command(mirror.path());
    let as_other_user = |report: &str| {
        let mut command = Command::new(&program);
        command.args(["-k", "key.pem", "m", "--report", report]);
        command.current_dir(mirror.path()).uid(65534).gid(65534);
        Run::of(command)
    };
    assert_refused(
        &as_other_user("out/r.json"),
        "Operation not permitted",
        &out,
    );
    assert_eq!(fs::read(out.join("r.json")).unwrap(), b"root's");
    // Its own it may replace, and root may everybody's.
    assert_eq!(as_other_user("out/own.json").status, Some(0));
    assert_eq!(as_other_user("out/own.json").status, Some(0));
    let run = mirror.run(&["-k", "key.pem", "m", "--report", "out/own.json"]);
    assert_eq!(run.status, Some(0));
}

#[test]
fn a_report_whose_place_is_a_mount_point_is_refused_before_a_byte_is_hashed() {
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
fn a_report_whose_place_is_immutable_or_append_only_is_refused_before_a_byte_is_hashed() {
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
    mirror.report("out/r.json");
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
    mirror.report("real.json");
    assert!(mirror.path().join("alias.json").is_symlink());
}

const REPLACES: &str = "an artifact or a signature of this run; a report there would replace it";

/// Asserts that a report is refused with these words before a file is read.
fn assert_not_begun(run: &Run, words: &str) {
    assert!(run.stderr.contains(words), "{}", run.stderr);
    assert_eq!(
        (run.stdout.as_str(), run.status),
        ("", Some(2)),
        "{}",
        run.stderr
    );
}

#[test]
fn a_report_follows_no_link_that_another_user_made() {
    let test = "a_report_follows_no_link_that_another_user_made";
    if !is_available(is_root(), "root", test) {
        return;
    }
    let mirror = Mirror::new();
    mirror.write_signed("m/x.zst", "m/x.sig.bin", b"alpha");
    mirror.write("secret/r.json", "root's");
    for (directory, mode) in [("sticky", 0o1777), ("theirs", 0o755)] {
        let path = mirror.path().join(directory);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let links = [
            ("r.json", "../secret/r.json"),
            ("new.json", "../secret/new.json"),
            ("d", "../secret"),
            ("chain.json", "r.json"),
        ];
        for (name, to) in links {
            symlink(to, path.join(name)).unwrap();
            lchown(path.join(name), Some(1234), Some(1234)).unwrap();
        }
    }
    chown(mirror.path().join("theirs"), Some(1234), Some(1234)).unwrap();
    // Root's own link, and what it leads to.
    symlink("sticky/r.json", mirror.path().join("own.json")).unwrap();
    let targets = [
        "r.json",
        "new.json",
        "d/r.json",
        "d/../d/new.json",
        "chain.json",
    ];
    let theirs = targets
        .iter()
        .flat_map(|name| [format!("sticky/{name}"), format!("theirs/{name}")]);
    for target in theirs.chain(["own.json".to_owned()]) {
        let run = mirror.run(&["-k", "key.pem", "m", "--report", &target]);
        assert_not_begun(
            &run,
            " is a link that another user made; name the place that it leads to, or delete it",
        );
    }
    assert_eq!(
        fs::read(mirror.path().join("secret/r.json")).unwrap(),
        b"root's"
    );
    assert!(!mirror.path().join("secret/new.json").exists());
    // A user follows root's links and his own, and no other's.
    let program = crate::support::public_command(mirror.path());
    let sticky = mirror.path().join("sticky");
    fs::create_dir(sticky.join("mine")).unwrap();
    chown(sticky.join("mine"), Some(65534), Some(65534)).unwrap();
    symlink("mine/r.json", sticky.join("roots.json")).unwrap();
    symlink("mine/r.json", sticky.join("mine.json")).unwrap();
    lchown(sticky.join("mine.json"), Some(65534), Some(65534)).unwrap();
    for (target, status) in [("roots.json", 0), ("mine.json", 0), ("r.json", 2)] {
        let mut command = Command::new(&program);
        command.args([
            "-k",
            "key.pem",
            "m",
            "--report",
            &format!("sticky/{target}"),
        ]);
        command.current_dir(mirror.path()).uid(65534).gid(65534);
        let run = Run::of(command);
        assert_eq!(run.status, Some(status), "{target}: {}", run.stderr);
    }
    assert!(sticky.join("mine/r.json").is_file());
}

#[test]
fn a_report_finds_its_place_through_links_of_its_own_user() {
    let mirror = Mirror::new();
    mirror.write_signed("m/x.zst", "m/x.sig.bin", b"alpha");
    fs::create_dir_all(mirror.path().join("a/b")).unwrap();
    let links = [
        ("l", "a/b"),
        ("a/b/up.json", "../../new.json"),
        ("loop.json", "loop.json"),
        ("a/far", "../l/."),
    ];
    for (name, to) in links {
        symlink(to, mirror.path().join(name)).unwrap();
    }
    symlink(mirror.path().join("a"), mirror.path().join("absolute")).unwrap();
    for (target, place) in [
        ("l/r.json", "a/b/r.json"),
        ("l/../s.json", "a/s.json"),
        ("l/up.json", "new.json"),
        ("./absolute/far/../t.json", "a/t.json"),
        ("m/../absolute/../u.json", "u.json"),
    ] {
        let run = mirror.run(&["-k", "key.pem", "m", "--report", target]);
        assert_eq!(run.status, Some(0), "{target}: {}", run.stderr);
        mirror.report(place);
    }
    assert!(mirror.path().join("a/b/up.json").is_symlink());
    for (target, words) in [
        ("loop.json", "Too many levels of symbolic links"),
        ("none/../r.json", "No such file or directory"),
        ("key.pem/../r.json", "Not a directory"),
    ] {
        let run = mirror.run(&["-k", "key.pem", "m", "--report", target]);
        assert_not_begun(&run, words);
    }
}

/// The mode of a file.
fn mode(mirror: &Mirror, name: &str) -> u32 {
    fs::metadata(mirror.path().join(name)).unwrap().mode() & 0o7777
}

fn with_umask(mirror: &Mirror, umask: &str, report: &str) -> Run {
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "umask $1; shift; exec \"$@\"",
        "sh",
        umask,
        crate::support::COMMAND,
    ]);
    command.args(["-k", "key.pem", "m", "--report", report]);
    command.current_dir(mirror.path()).env_remove("PUBKEY");
    Run::of(command)
}

#[test]
fn a_report_keeps_the_mode_of_the_one_that_it_replaces_and_a_new_one_has_the_umasks() {
    let mirror = Mirror::new();
    mirror.write_signed("m/x.zst", "m/x.sig.bin", b"alpha");
    for (umask, new) in [("022", 0o644), ("077", 0o600), ("002", 0o664), ("0", 0o666)] {
        let name = format!("new{umask}.json");
        assert_eq!(with_umask(&mirror, umask, &name).status, Some(0));
        assert_eq!(mode(&mirror, &name), new, "umask {umask}");
        for old in [0o600, 0o640, 0o644, 0o660, 0o666, 0o444, 0o400] {
            mirror.write("r.json", "old");
            let path = mirror.path().join("r.json");
            fs::set_permissions(&path, fs::Permissions::from_mode(old)).unwrap();
            assert_eq!(with_umask(&mirror, umask, "r.json").status, Some(0));
            assert_eq!(mode(&mirror, "r.json"), old, "umask {umask}");
            mirror.report("r.json");
            fs::remove_file(path).unwrap();
        }
    }
    // Neither is a program, or runs as another user.
    mirror.write("s.json", "old");
    fs::set_permissions(
        mirror.path().join("s.json"),
        fs::Permissions::from_mode(0o4700),
    )
    .unwrap();
    assert_eq!(with_umask(&mirror, "022", "s.json").status, Some(0));
    assert_eq!(mode(&mirror, "s.json"), 0o700);
}

#[test]
fn a_file_that_another_user_put_there_does_not_make_a_report_wider() {
    let test = "a_file_that_another_user_put_there_does_not_make_a_report_wider";
    if !is_available(is_root(), "root", test) {
        return;
    }
    let mirror = Mirror::new();
    mirror.write_signed("m/x.zst", "m/x.sig.bin", b"alpha");
    for (umask, old, new) in [
        ("022", 0o666, 0o644),
        ("077", 0o666, 0o600),
        ("022", 0o600, 0o600),
        ("022", 0o606, 0o604),
    ] {
        mirror.write("r.json", "planted");
        let path = mirror.path().join("r.json");
        fs::set_permissions(&path, fs::Permissions::from_mode(old)).unwrap();
        chown(&path, Some(1234), Some(1234)).unwrap();
        assert_eq!(with_umask(&mirror, umask, "r.json").status, Some(0));
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!(
            (metadata.uid(), metadata.mode() & 0o7777),
            (0, new),
            "umask {umask}, {old:o}"
        );
    }
    // The group of one's own file stays with its rights.
    mirror.write("g.json", "old");
    let path = mirror.path().join("g.json");
    chown(&path, None, Some(1234)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(with_umask(&mirror, "022", "g.json").status, Some(0));
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!((metadata.gid(), metadata.mode() & 0o7777), (1234, 0o640));
}

#[test]
fn a_report_replaces_no_key_under_any_name() {
    let mirror = Mirror::new();
    mirror.write_signed("m/x.zst", "m/x.sig.bin", b"alpha");
    let key = fs::read(mirror.path().join("key.pem")).unwrap();
    // A second file of one key, and keys of a directory, of which a pin leaves one out.
    mirror.write("second.json", &key);
    mirror.write("store/a.json", &key);
    mirror.write("store/b.json", crate::support::public_pem(&signing_key(2)));
    fs::create_dir(mirror.path().join("keys")).unwrap();
    for name in ["a", "b"] {
        symlink(
            format!("../store/{name}.json"),
            mirror.path().join(format!("keys/{name}.pem")),
        )
        .unwrap();
    }
    fs::hard_link(
        mirror.path().join("key.pem"),
        mirror.path().join("hard.json"),
    )
    .unwrap();
    let words = "this is a key of this run; a report there would replace it";
    let (pinned, fingerprint) = (crate::support::PINNED[2], crate::support::PINNED[3]);
    for (keys, targets) in [
        (
            &["-k", "key.pem", "-k", "second.json"][..],
            &["second.json", "hard.json"][..],
        ),
        (
            &["-k", "keys", pinned, fingerprint],
            &["store/a.json", "store/b.json"],
        ),
    ] {
        for target in targets {
            let run = mirror.run(&[keys, &["m", "--report", target]].concat());
            assert_not_begun(&run, words);
        }
    }
    let mut command = mirror.command(&["m", "--report", "second.json"]);
    command.env("PUBKEY", "second.json");
    assert_not_begun(&Run::of(command), words);
    assert_eq!(fs::read(mirror.path().join("second.json")).unwrap(), key);
    // What lies beside keys and is none is a report's place.
    mirror.write("keys/r.json", "old");
    let run = mirror.run(&["-k", "keys", "m", "--report", "keys/r.json"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
}

#[test]
fn a_report_replaces_no_part_and_nothing_that_an_option_names() {
    let mirror = Mirror::new();
    mirror.write("m/x.json.000", b"al");
    mirror.write("m/x.json.001", b"pha");
    mirror.write("m/x.json.sig.bin", sign(&mirror.key, b"alpha"));
    // Where the whole should be, it would be taken for it.
    let run = mirror.run(&["-k", "key.pem", "m", "--report", "m/x.json"]);
    assert_not_begun(&run, REPLACES);
    mirror.write("data.json", "alpha");
    mirror.write("signature.json", sign(&mirror.key, b"alpha"));
    symlink("data.json", mirror.path().join("d")).unwrap();
    symlink("signature.json", mirror.path().join("s")).unwrap();
    fs::hard_link(
        mirror.path().join("data.json"),
        mirror.path().join("hard.json"),
    )
    .unwrap();
    for target in [
        "data.json",
        "signature.json",
        "hard.json",
        "./m/../data.json",
    ] {
        let run = mirror.run(&["-k", "key.pem", "-s", "s", "d", "--report", target]);
        assert_not_begun(&run, REPLACES);
    }
    assert_eq!(fs::read(mirror.path().join("data.json")).unwrap(), b"alpha");
}

#[test]
fn a_report_does_not_replace_the_file_that_the_output_goes_to() {
    let mirror = Mirror::new();
    mirror.write_signed("m/x.zst", "m/x.sig.bin", b"alpha");
    symlink("o.json", mirror.path().join("link.json")).unwrap();
    symlink("/dev/stdout", mirror.path().join("dev.json")).unwrap();
    symlink("/proc/self/fd/1", mirror.path().join("proc.json")).unwrap();
    let words = "standard output or standard error of this run goes there";
    for target in [
        "o.json",
        "./m/../o.json",
        "link.json",
        "dev.json",
        "proc.json",
    ] {
        for format in ["text", "jsonl"] {
            let out = fs::File::create(mirror.path().join("o.json")).unwrap();
            let mut command =
                mirror.command(&["-k", "key.pem", "m", "--format", format, "--report", target]);
            let output = command.stdout(out).output().unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert!(stderr.contains(words), "{target}: {stderr}");
            assert_eq!(output.status.code(), Some(2));
        }
    }
    // A pipe, and a file that has lost its name.
    for target in ["dev.json", "proc.json"] {
        let run = mirror.run(&["-k", "key.pem", "m", "--report", target]);
        assert_not_begun(&run, "cannot write the report: Not a file in a directory");
        let out = fs::File::create(mirror.path().join("gone.json")).unwrap();
        fs::remove_file(mirror.path().join("gone.json")).unwrap();
        let mut command = mirror.command(&["-k", "key.pem", "m", "--report", target]);
        assert_eq!(command.stdout(out).output().unwrap().status.code(), Some(2));
    }
    let names = fs::read_dir(mirror.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    assert!(
        !names
            .into_iter()
            .any(|name| name.to_string_lossy().contains("deleted"))
    );
    let err = fs::File::create(mirror.path().join("o.json")).unwrap();
    let mut command = mirror.command(&["-k", "key.pem", "m", "--report", "o.json"]);
    let status = command.stderr(err).output().unwrap().status;
    assert_eq!(status.code(), Some(2));
    let expected = fs::read_to_string(mirror.path().join("o.json")).unwrap();
    assert!(expected.contains(words), "{expected}");
}

#[test]
fn a_link_in_the_tree_to_the_place_of_a_report_keeps_nothing_from_being_judged() {
    for earlier in [None, Some("old"), Some("")] {
        let mirror = Mirror::new();
        mirror.write_signed("m/good.zst", "m/good.sig.bin", b"alpha");
        // As data, as a signature, as a part, and as an artifact without a signature.
        symlink("../r.json", mirror.path().join("m/x.zst")).unwrap();
        mirror.write("m/x.sig.bin", sign(&mirror.key, b"alpha"));
        mirror.write("m/y.zst", b"alpha");
        symlink("../r.json", mirror.path().join("m/y.sig.bin")).unwrap();
        symlink("../r.json", mirror.path().join("m/z.zst.000")).unwrap();
        mirror.write("m/z.sig.bin", sign(&mirror.key, b"alpha"));
        symlink("../r.json", mirror.path().join("m/unsigned.iso")).unwrap();
        if let Some(earlier) = earlier {
            mirror.write("r.json", earlier);
            fs::hard_link(
                mirror.path().join("r.json"),
                mirror.path().join("m/hard.iso"),
            )
            .unwrap();
            mirror.write("m/hard.iso.sig.bin", sign(&mirror.key, b"alpha"));
        }
        for _ in 0..2 {
            let run = mirror.run(&["-k", "key.pem", "m", "--report", "r.json"]);
            assert_eq!(run.status, Some(1), "{}", run.stderr);
            let valid: Vec<_> = run
                .stdout
                .lines()
                .filter(|line| line.contains('✅'))
                .collect();
            assert_eq!(valid, ["m/good.zst: ✅ Signature valid"]);
            assert!(run.stdout.lines().count() >= 5, "{}", run.stdout);
            let report = mirror.report("r.json");
            let artifacts = report["artifacts"].as_array().unwrap();
            assert_eq!(artifacts.len(), run.stdout.lines().count());
        }
    }
}

#[test]
fn what_is_valid_through_a_link_in_the_tree_is_not_replaced() {
    let mirror = Mirror::new();
    mirror.write("store/data.json", "alpha");
    fs::create_dir(mirror.path().join("m")).unwrap();
    symlink("../store/data.json", mirror.path().join("m/x.zst")).unwrap();
    mirror.write("store/signature.json", sign(&mirror.key, b"alpha"));
    symlink("../store/signature.json", mirror.path().join("m/x.sig.bin")).unwrap();
    let arguments = [
        "-k",
        "key.pem",
        "m",
        "--report",
        "store/data.json",
        "--report",
        "r.json",
    ];
    let run = mirror.run(&arguments);
    let words = "store/data.json: cannot write the report: m/x.zst leads here by a link, and is valid or was not judged";
    assert!(run.stderr.contains(words), "{}", run.stderr);
    assert_eq!(
        (run.stdout.as_str(), run.status),
        ("m/x.zst: ✅ Signature valid\n", Some(2))
    );
    assert_eq!(
        fs::read(mirror.path().join("store/data.json")).unwrap(),
        b"alpha"
    );
    // The other report is written.
    mirror.report("r.json");
    assert_eq!(
        fs::read_dir(mirror.path().join("store")).unwrap().count(),
        2
    );
    // A signature is recognized before the work begins, and stays though its artifact is damaged.
    for data in ["alpha", "beta"] {
        mirror.write("store/data.json", data);
        let run = mirror.run(&["-k", "key.pem", "m", "--report", "store/signature.json"]);
        assert_not_begun(&run, REPLACES);
    }
    let signature = fs::read(mirror.path().join("store/signature.json")).unwrap();
    assert_eq!(signature, sign(&mirror.key, b"alpha"));
}

#[test]
fn a_report_has_every_record_that_it_counts_when_the_stream_is_not_read() {
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
        let document = mirror.report("r.json");
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
    crate::support::wait_until_open(&child, |target| target.ends_with("0"));
    crate::support::send(&["-TERM"], &child);
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
    let expected = "interrupted while looking for files; nothing was verified";
    assert_eq!((run.stdout.as_str(), run.status), ("", Some(143)));
    assert!(
        run.stderr
            .ends_with(&format!("error: {expected}\nInterrupted\n")),
        "{}",
        run.stderr
    );
    let document = mirror.report("r.json");
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
    assert_eq!(summary["problems"], serde_json::json!([expected]));
    let junit = fs::read_to_string(mirror.path().join("r.xml")).unwrap();
    assert_eq!(Junit::read(&junit).counts(), [1, 0, 1, 0]);
    assert!(
        junit.contains(&format!("<error message=\"{expected}; ended by SIGTERM\"")),
        "{junit}"
    );
    let page = fs::read_to_string(mirror.path().join("r.html")).unwrap();
    assert!(page.contains("<h1>Interrupted by SIGTERM</h1>"), "{page}");
    assert!(
        page.contains(&format!("<p class=\"problem\">{expected}</p>")),
        "{page}"
    );
}

#[test]
fn a_run_that_is_ended_while_it_looks_for_files_has_a_report_where_its_users_link_leads() {
    let mirror = Mirror::new();
    let endless = mirror.write_endless();
    mirror.write("real.json", "old");
    symlink("real.json", mirror.path().join("alias.json")).unwrap();
    let run = interrupted_while_walking(&mirror, &endless, &["--report", "alias.json"]);
    assert_eq!(run.status, Some(143), "{}", run.stderr);
    assert_eq!(
        mirror.report("real.json")["summary"]["interrupted"],
        "SIGTERM"
    );
    assert!(mirror.path().join("alias.json").is_symlink());
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
    mirror.write("other.pem", crate::support::public_pem(&other));
    mirror.write_signed("x.zst", "x.sig.bin", b"alpha");
    mirror.write("y.zst", "beta");
    mirror.write("y.sig.bin", sign(&other, b"beta"));
    mirror.run(&["-k", "key.pem", "-k", "other.pem", "--report", "r.json"]);
    let document = mirror.report("r.json");
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
    let document = mirror.report("r.json");
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
    assert_eq!(findings, ["added", "renamed", "removed", "modified"]);
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
    let document = mirror.report("r.json");
    assert_eq!(document["summary"]["audit"], summary["audit"]);
    assert_eq!(document["summary"]["notes"], summary["notes"]);
}

#[test]
fn the_schema_lists_what_a_file_can_look_like_as_looks_and_as_the_reason_of_a_signature() {
    let schema: Value =
        serde_json::from_str(include_str!("../../docs/report.schema.json")).unwrap();
    let properties = &schema["$defs"]["artifact"]["properties"];
    let listed = |name: &str| -> Vec<&str> {
        let terms = properties[name]["enum"].as_array().unwrap();
        terms.iter().map(|term| term.as_str().unwrap()).collect()
    };
    let names: Vec<&str> = Sniffed::ALL.iter().map(|looks| looks.name()).collect();
    assert_eq!(listed("looks"), names);
    for looks in Sniffed::ALL {
        assert!(listed("reason").contains(&looks.reason()), "{looks:?}");
    }
}
