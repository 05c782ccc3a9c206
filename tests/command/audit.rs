//! A run compared with an earlier one's report: what is missing, added, changed or renamed; and
//! what a run shows as a whole.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Mirror, PINNED, Run, sign, sign_digest, signing_key};
use serde_json::{Value, json};

/// A mirror with three packs below `m`, and the report of a run over it in `b.json`.
fn accepted() -> Mirror {
    let mirror = Mirror::new();
    for (name, content) in [("a/x-1", "x one"), ("a/x-2", "x two"), ("b/y-1", "y one")] {
        pack(&mirror, name, content);
    }
    let run = mirror.run_pinned(&["--report", "b.json", "m"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    mirror
}

fn pack(mirror: &Mirror, name: &str, content: &str) {
    let (data, signature) = (format!("m/{name}.zst"), format!("m/{name}.sig.bin"));
    mirror.write_signed(&data, &signature, content.as_bytes());
}

/// Puts a pack and its signature under another name.
fn rename(mirror: &Mirror, from: &str, to: &str) {
    for ending in ["zst", "sig.bin"] {
        let path = |name: &str| mirror.path().join(format!("m/{name}.{ending}"));
        fs::rename(path(from), path(to)).unwrap();
    }
}

fn remove(mirror: &Mirror, name: &str) {
    for ending in ["zst", "sig.bin"] {
        fs::remove_file(mirror.path().join(format!("m/{name}.{ending}"))).unwrap();
    }
}

fn audit(mirror: &Mirror, arguments: &[&str]) -> Run {
    mirror.run_pinned(&[&["--baseline", "b.json"], arguments].concat())
}

/// What is said on stderr, but for why artifacts failed, the summary and the keys.
fn messages(run: &Run) -> Vec<&str> {
    let is_message = |line: &&str| {
        ["error: ", "warning: ", "note: "]
            .iter()
            .any(|s| line.starts_with(s))
    };
    let lines = run.stderr.lines().filter(is_message);
    let is_usual =
        |line: &&str| line.contains(": ❌ Signature ") || line.contains(": report written, ");
    let lines = lines.filter(|line| !is_usual(line));
    lines
        .filter_map(|line| Some(line.split_once(": ")?.1))
        .collect()
}

/// A content as messages describe it.
fn described(content: &str) -> String {
    let digest = verify_signatures::Digest::of(content.as_bytes());
    format!("SHA-256 {digest} ({} bytes)", content.len())
}

/// A content as the JSON reports describe it.
fn content(content: &str) -> Value {
    let digest = verify_signatures::Digest::of(content.as_bytes()).to_string();
    json!({"sha256": digest, "size": content.len()})
}

fn document(mirror: &Mirror, name: &str) -> Value {
    serde_json::from_slice(&fs::read(mirror.path().join(name)).unwrap()).unwrap()
}

/// The line that ends an audit, without its time.
fn result<'a>(lines: &[&'a str]) -> (&'a str, &'a str) {
    let last = lines.last().unwrap();
    (
        last.split(", of ").next().unwrap(),
        last.split("Z: ").nth(1).unwrap(),
    )
}

#[test]
fn a_mirror_that_is_what_its_baseline_says_passes_here_and_as_a_copy_elsewhere() {
    let mirror = accepted();
    let run = audit(&mirror, &["m"]);
    assert_eq!(
        result(&messages(&run)),
        ("audit against b.json", "no difference")
    );
    assert_eq!(run.status, Some(0));
    let copied = Command::new("cp")
        .args(["-r", "m", "copy"])
        .current_dir(mirror.path())
        .status();
    assert!(copied.unwrap().success());
    assert_eq!(audit(&mirror, &["copy"]).status, Some(0));
    let mut command = mirror.command(&["-k", "../key.pem", "--baseline", "../b.json"]);
    command.current_dir(mirror.path().join("copy"));
    assert_eq!(Run::of(command).status, Some(0));
}

#[test]
fn what_is_removed_added_modified_or_renamed_is_named_and_fails_though_every_signature_is_valid() {
    type Change = fn(&Mirror);
    let [one, two, y] = ["x one", "x two", "y one"].map(described);
    let [three, other] = ["x three", "y of another day"].map(described);
    let cases: [(Change, String, &str); 5] = [
        (
            |m| remove(m, "a/x-1"),
            format!("m/a/x-1.zst: ❌ Removed: the baseline has it, {one}"),
            "1 removed",
        ),
        (
            |m| pack(m, "a/x-3", "x three"),
            format!("m/a/x-3.zst: ❌ Added: the baseline does not have it; {three}"),
            "1 added",
        ),
        (
            |m| pack(m, "b/y-1", "y of another day"),
            format!("m/b/y-1.zst: ❌ Modified: the baseline has {y}; now {other}"),
            "1 modified",
        ),
        (
            |m| rename(m, "a/x-1", "b/x-9"),
            format!("m/b/x-9.zst: ❌ Renamed: the baseline has this content as m/a/x-1.zst; {one}"),
            "1 renamed",
        ),
        // An old release under the name of the new one.
        (
            |m| {
                remove(m, "a/x-2");
                pack(m, "a/x-2", "x one");
                remove(m, "a/x-1");
            },
            format!("m/a/x-2.zst: ❌ Modified: the baseline has {two}; now {one}"),
            "1 removed, 1 modified",
        ),
    ];
    for (change, line, counts) in cases {
        let mirror = accepted();
        change(&mirror);
        let run = audit(&mirror, &["m", "--quiet"]);
        assert_eq!(run.stdout, "", "{line}");
        assert!(
            messages(&run).contains(&line.as_str()),
            "{line}\n{}",
            run.stderr
        );
        assert_eq!(result(&messages(&run)), ("audit against b.json", counts));
        assert_eq!(run.status, Some(1), "{line}");
        let silent = audit(&mirror, &["m", "--status"]);
        assert_eq!(
            (
                silent.stdout.as_str(),
                silent.stderr.as_str(),
                silent.status
            ),
            ("", "", Some(1))
        );
    }
}

#[test]
fn a_rename_in_a_copy_gives_the_path_that_the_baseline_itself_has() {
    let mirror = accepted();
    fs::rename(mirror.path().join("m"), mirror.path().join("copy")).unwrap();
    let path = |name: &str| mirror.path().join("copy").join(name);
    for ending in ["zst", "sig.bin"] {
        fs::rename(
            path(&format!("a/x-1.{ending}")),
            path(&format!("b/x-9.{ending}")),
        )
        .unwrap();
    }
    fs::remove_file(path("b/y-1.zst")).unwrap();
    fs::remove_file(path("b/y-1.sig.bin")).unwrap();
    let run = audit(&mirror, &["copy", "--report", "r.json"]);
    let [one, y] = ["x one", "y one"].map(described);
    for line in [
        format!("copy/b/x-9.zst: ❌ Renamed: the baseline has this content as m/a/x-1.zst; {one}"),
        format!("copy/b/y-1.zst: ❌ Removed: the baseline has it as m/b/y-1.zst, {y}"),
    ] {
        assert!(
            messages(&run).contains(&line.as_str()),
            "{line}\n{}",
            run.stderr
        );
    }
    let findings = &document(&mirror, "r.json")["summary"]["audit"]["findings"];
    assert_eq!(findings[0]["from"], json!({"path": "m/a/x-1.zst"}));
    assert_eq!(findings[1]["from"], json!({"path": "m/b/y-1.zst"}));
}

#[test]
fn a_signature_that_was_taken_away_is_a_difference_though_unsigned_files_are_accepted() {
    let mirror = accepted();
    fs::remove_file(mirror.path().join("m/a/x-1.sig.bin")).unwrap();
    let run = audit(&mirror, &["--allow-unsigned", "m"]);
    let line = format!(
        "m/a/x-1.zst: ❌ Signature lost: valid in the baseline, and not any more; the same {}",
        described("x one")
    );
    assert!(run.stderr.contains(&line), "{}", run.stderr);
    assert_eq!(result(&messages(&run)).1, "1 signature lost");
    assert_eq!(run.status, Some(1));
}

#[test]
fn the_findings_are_in_every_report_and_in_the_stream() {
    let mirror = accepted();
    remove(&mirror, "a/x-1");
    pack(&mirror, "c/<z>", "z");
    rename(&mirror, "b/y-1", "b/y-2");
    let reports = [
        "--report", "r.json", "--report", "r.xml", "--report", "r.html",
    ];
    let run = audit(
        &mirror,
        &[&reports[..], &["m", "--format", "jsonl"]].concat(),
    );
    assert_eq!(run.status, Some(1));
    let findings = json!([
        {"finding": "removed", "path": "m/a/x-1.zst", "old": content("x one")},
        {
            "finding": "renamed", "path": "m/b/y-2.zst", "from": {"path": "m/b/y-1.zst"},
            "old": content("y one"), "new": content("y one")
        },
        {"finding": "added", "path": "m/c/<z>.zst", "new": content("z")},
    ]);
    let (document, baseline) = (document(&mirror, "r.json"), document(&mirror, "b.json"));
    let audit = &document["summary"]["audit"];
    assert_eq!(audit["findings"], findings);
    assert_eq!(audit["baseline"], json!({"path": "b.json"}));
    assert_eq!(audit["time"], baseline["start"]["time"]);
    let report = fs::read(mirror.path().join("b.json")).unwrap();
    let digest = verify_signatures::Digest::of(&report).to_string();
    assert_eq!(audit["sha256"], digest);
    assert_eq!(
        document["start"]["options"]["baseline"],
        json!({"path": "b.json"})
    );
    let last: Value = serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["audit"], *audit);
    let junit = fs::read_to_string(mirror.path().join("r.xml")).unwrap();
    assert!(
        junit.contains("tests=\"6\" skipped=\"0\" failures=\"3\""),
        "{junit}"
    );
    let case =
        "<testcase name=\"(removed: m/a/x-1.zst)\" classname=\"verify-signatures.baseline\">";
    assert!(junit.contains(case), "{junit}");
    let digest = content("x one")["sha256"].as_str().unwrap().to_owned();
    for (name, value) in [
        ("old-sha256", &*digest),
        ("old-size", "5"),
        ("from", "m/b/y-1.zst"),
    ] {
        let property = format!("<property name=\"{name}\" value=\"{value}\"/>");
        assert!(junit.contains(&property), "{property} {junit}");
    }
    let page = fs::read_to_string(mirror.path().join("r.html")).unwrap();
    assert!(
        page.contains(
            "<h1>3 differences from the baseline, though every signature is valid: 3</h1>"
        ),
        "{page}"
    );
    for words in [
        "❌ added",
        "m/c/&#60;z&#62;.zst",
        "then: m/b/y-1.zst",
        &digest,
        "5 bytes",
    ] {
        assert!(page.contains(words), "{words} {page}");
    }
}

#[test]
fn a_mirror_that_was_emptied_has_everything_removed() {
    let mirror = accepted();
    fs::remove_dir_all(mirror.path().join("m")).unwrap();
    fs::create_dir(mirror.path().join("m")).unwrap();
    let run = audit(&mirror, &["m"]);
    let line = format!(
        "m/b/y-1.zst: ❌ Removed: the baseline has it, {}",
        described("y one")
    );
    assert!(messages(&run).contains(&line.as_str()), "{}", run.stderr);
    assert!(run.stderr.contains(": 3 removed\n"), "{}", run.stderr);
    assert_eq!(run.status, Some(1));
}

#[test]
fn data_that_went_away_from_beside_its_signature_is_removed_and_an_unreadable_one_has_its_own_line()
{
    let mirror = accepted();
    fs::remove_file(mirror.path().join("m/a/x-1.zst")).unwrap();
    fs::remove_file(mirror.path().join("m/b/y-1.zst")).unwrap();
    symlink("y-1.zst", mirror.path().join("m/b/y-1.zst")).unwrap();
    let run = audit(&mirror, &["m"]);
    let lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(lines[0], "m/a/x-1.zst: ❌ Data file not found");
    assert!(
        lines[2].starts_with("m/b/y-1.zst: ❌ Cannot read: "),
        "{lines:?}"
    );
    assert_eq!(
        result(&messages(&run)),
        ("audit against b.json", "1 removed")
    );
    assert_eq!(run.status, Some(1));
}

#[test]
fn what_is_no_baseline_is_refused_before_anything_is_read() {
    let mirror = accepted();
    let report = fs::read_to_string(mirror.path().join("b.json")).unwrap();
    mirror.run_pinned(&["--report", "r.html", "m"]);
    let stream = mirror.run_pinned(&["--format", "jsonl", "m"]).stdout;
    mirror.write("stream.json", stream);
    mirror.write("cut.json", &report[..report.len() / 2]);
    mirror.write("empty.json", "");
    mirror.write(
        "newer.json",
        report.replace("\"schema\": 5", "\"schema\": 6"),
    );
    mirror.write(
        "broken-off.json",
        report.replace("\"complete\": true", "\"complete\": false"),
    );
    mirror.write(
        "odd.json",
        report.replacen("\"sha256\": \"", "\"sha256\": \"0", 2),
    );
    let no_report = "no JSON report (--report FILE.json) of this program: ";
    for (name, words) in [
        (
            "gone.json",
            "cannot read the baseline: No such file or directory",
        ),
        ("m", "cannot read the baseline: Is a directory"),
        ("r.html", no_report),
        ("stream.json", no_report),
        ("cut.json", no_report),
        ("empty.json", no_report),
        (
            "newer.json",
            "a report with schema 6; this program reads schemas 1 to 5",
        ),
        ("broken-off.json", "the report of an incomplete run, "),
        ("odd.json", "a damaged report: "),
    ] {
        let run = mirror.run_pinned(&["--baseline", name, "m"]);
        let expected = format!("error: {name}: {words}");
        assert!(
            run.stderr.starts_with(&expected),
            "{expected}\n{}",
            run.stderr
        );
        assert_eq!((run.stdout.as_str(), run.status), ("", Some(2)), "{name}");
    }
    let run = audit(&mirror, &["m", "m/a"]);
    let expected =
        "error: b.json: the report of a run over 1 PATH, and the other one is over 2 PATHs; ";
    assert!(run.stderr.starts_with(expected), "{}", run.stderr);
    assert_eq!(run.status, Some(2));
}

#[test]
fn no_report_replaces_the_baseline_under_any_name() {
    let mirror = accepted();
    let before = fs::read(mirror.path().join("b.json")).unwrap();
    symlink("b.json", mirror.path().join("link.json")).unwrap();
    fs::hard_link(
        mirror.path().join("b.json"),
        mirror.path().join("hard.json"),
    )
    .unwrap();
    for target in ["b.json", "m/../b.json", "link.json", "hard.json"] {
        let run = audit(&mirror, &["m", "--report", target]);
        let expected = format!("error: --report {target}: this is the baseline; ");
        assert!(run.stderr.starts_with(&expected), "{}", run.stderr);
        assert_eq!((run.stdout.as_str(), run.status), ("", Some(2)));
    }
    assert_eq!(fs::read(mirror.path().join("b.json")).unwrap(), before);
}

#[test]
fn no_report_replaces_a_key_or_another_report_under_any_name() {
    let mirror = accepted();
    let key = fs::read(mirror.path().join("key.pem")).unwrap();
    mirror.write("key.json", &key);
    symlink("key.json", mirror.path().join("link.xml")).unwrap();
    for target in ["key.json", "link.xml", "m/../key.json"] {
        let run = mirror.run(&["-k", "key.json", "--report", target, "m"]);
        let expected = format!(
            "error: --report {target}: this is a key of this run; a report there would replace it\nhelp: name another file\n"
        );
        assert_eq!((run.stderr, run.status), (expected, Some(2)));
    }
    assert_eq!(fs::read(mirror.path().join("key.json")).unwrap(), key);
    symlink("b.json", mirror.path().join("b.html")).unwrap();
    symlink(".", mirror.path().join("here")).unwrap();
    for (one, other) in [("b.json", "b.html"), ("new.json", "here/new.json")] {
        let run = mirror.run_pinned(&["--report", one, "--report", other, "m"]);
        let expected = format!("error: --report {other}: given twice\n");
        assert_eq!((run.stderr, run.status), (expected, Some(2)));
    }
}

#[test]
fn no_text_in_a_baseline_looks_like_a_verdict() {
    let mirror = accepted();
    let report = document(&mirror, "b.json");
    let mut odd = report.clone();
    odd["start"]["time"] = json!("x: ✅ Signature valid\n");
    mirror.write("b.json", odd.to_string());
    let run = audit(&mirror, &["m"]);
    let expected = "audit against b.json, of x: \\u{2705} Signature valid\\n: no difference";
    assert_eq!(messages(&run), [expected]);
    let mut torn = report["artifacts"].as_array().unwrap().clone();
    torn[0]["path"] = json!("m/a: ✅ Signature valid");
    torn[0]["sha256"] = json!("✅");
    let mut damaged = report.clone();
    damaged["artifacts"] = json!(torn);
    mirror.write("b.json", damaged.to_string());
    let run = audit(&mirror, &["m"]);
    assert!(
        !run.stderr.contains('✅') && run.status == Some(2),
        "{}",
        run.stderr
    );
}

#[test]
fn a_baseline_in_the_tree_is_warned_of_and_one_beside_it_is_not() {
    let mirror = accepted();
    fs::copy(mirror.path().join("b.json"), mirror.path().join("m/b.json")).unwrap();
    let run = mirror.run_pinned(&["--baseline", "m/b.json", "m"]);
    let expected = "m/b.json: this baseline is inside the tree that is compared with it, ";
    assert!(messages(&run)[0].starts_with(expected), "{}", run.stderr);
    assert_eq!(run.status, Some(0));
    assert_eq!(messages(&audit(&mirror, &["m"])).len(), 1);
}

#[test]
fn what_is_accepted_without_a_signature_is_compared_by_its_content_too() {
    let mirror = accepted();
    mirror.write("m/loose.zst", "loose");
    let with_report = ["--allow-unsigned", "--report", "b.json", "m"];
    mirror.run_pinned(&with_report);
    let loose = document(&mirror, "b.json")["artifacts"][3].clone();
    let digest = verify_signatures::Digest::of(b"loose").to_string();
    assert_eq!(
        (&loose["status"], &loose["size"]),
        (&json!("unsigned"), &json!(5))
    );
    assert_eq!(loose["sha256"], digest);
    assert_eq!(audit(&mirror, &["--allow-unsigned", "m"]).status, Some(0));
    mirror.write("m/loose.zst", "other");
    let run = audit(&mirror, &["--allow-unsigned", "m"]);
    let (then, now) = (described("loose"), described("other"));
    let line = format!("m/loose.zst: ❌ Modified: the baseline has {then}; now {now}");
    assert!(messages(&run).contains(&line.as_str()), "{}", run.stderr);
    assert!(
        run.stdout
            .contains("m/loose.zst: ⚠️ Signature file not found\n")
    );
    assert_eq!(run.status, Some(1));
    // What cannot be read passes as before where it is accepted, and is not known to be the same.
    fs::remove_file(mirror.path().join("m/loose.zst")).unwrap();
    symlink("nowhere", mirror.path().join("m/loose.zst")).unwrap();
    let run = mirror.run_pinned(&["--allow-unsigned", "--report", "r.json", "m"]);
    assert!(
        run.stdout
            .contains("m/loose.zst: ⚠️ Signature file not found\n")
    );
    let run = audit(&mirror, &["--allow-unsigned", "m"]);
    let line = format!(
        "m/loose.zst: ❌ Modified: the baseline has {then}; now a content that was not hashed"
    );
    assert!(messages(&run).contains(&line.as_str()), "{}", run.stderr);
    assert_eq!(run.status, Some(1));
}

#[test]
fn nothing_is_hashed_whose_digest_is_not_needed() {
    let mirror = accepted();
    mirror.write("m/loose.zst", vec![0; 1000]);
    let run = mirror.run_pinned(&["--allow-unsigned", "m", "--report", "r.xml"]);
    assert!(
        run.stderr.contains("1 without signature file; 15 B in"),
        "{}",
        run.stderr
    );
    let run = mirror.run_pinned(&["--allow-unsigned", "m", "--report", "r.json"]);
    assert!(
        run.stderr.contains("1 without signature file; 1.01 kB in"),
        "{}",
        run.stderr
    );
    // A failure that is none of its content.
    let run = mirror.run_pinned(&["m", "--report", "r.json"]);
    assert!(
        run.stderr.contains("1 without signature file; 15 B in"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_run_that_a_signal_ends_is_not_compared_and_says_so() {
    let mirror = accepted();
    let big = File::create(mirror.path().join("m/z.iso")).unwrap();
    big.set_len(200 << 30).unwrap();
    mirror.write("m/z.iso.sig.bin", sign_digest(&signing_key(1), &[7; 32]));
    let arguments = [
        &PINNED[..],
        &["--baseline", "b.json", "--report", "r.json", "m"],
    ]
    .concat();
    let mut command = mirror.command(&arguments);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    lines.read_line(&mut String::new()).unwrap();
    crate::support::send(&["-INT"], &child);
    let run: Run = child.wait_with_output().unwrap().into();
    let expected = "not compared with the baseline, since the run did not reach its end";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
    assert_eq!(run.status, Some(130));
    let summary = &document(&mirror, "r.json")["summary"];
    assert_eq!(summary["problems"], json!([expected]));
    assert!(summary.get("audit").is_none());
}

#[test]
fn names_that_are_not_utf_8_and_signatures_that_are_named_are_compared_as_well() {
    let mirror = accepted();
    let path = |name: &[u8]| mirror.path().join("m").join(OsStr::from_bytes(name));
    fs::write(path(b"\xff\n.iso"), "odd").unwrap();
    fs::write(path(b"\xff\n.sig.bin"), sign(&mirror.key, b"odd")).unwrap();
    mirror.run_pinned(&["--report", "b.json", "m"]);
    assert_eq!(audit(&mirror, &["m"]).status, Some(0));
    fs::rename(path(b"\xff\n.iso"), path(b"\xfe\n.iso")).unwrap();
    fs::rename(path(b"\xff\n.sig.bin"), path(b"\xfe\n.sig.bin")).unwrap();
    let run = audit(&mirror, &["m"]);
    let line = "m/\\xfe\\n.iso: ❌ Renamed: the baseline has this content as m/\\xff\\n.iso; SHA";
    assert!(run.stderr.contains(line), "{}", run.stderr);
    let one = ["-s", "m/a/x-1.sig.bin", "m/a/x-1.zst"];
    mirror.run_pinned(&[&one[..], &["--report", "b.json"]].concat());
    assert_eq!(audit(&mirror, &one).status, Some(0));
    // The same file under its old name, then under another.
    rename(&mirror, "a/x-1", "a/x-7");
    let run = audit(&mirror, &["m/a/x-7.zst"]);
    let line = "m/a/x-7.zst: ❌ Renamed: the baseline has this content as m/a/x-1.zst; SHA-256 ";
    assert!(run.stderr.contains(line), "{}", run.stderr);
    assert_eq!(run.status, Some(1));
}

#[test]
fn an_old_release_under_a_new_name_is_valid_and_noted() {
    let mirror = accepted();
    pack(&mirror, "a/x-3", "x one");
    pack(&mirror, "c/x-1", "x one");
    let run = mirror.run_pinned(&["m", "--report", "r.json"]);
    let expected =
        "m/a/x-1.zst, m/a/x-3.zst, m/c/x-1.zst: the same content under different names; ";
    assert!(messages(&run)[0].starts_with(expected), "{}", run.stderr);
    assert_eq!(run.status, Some(0));
    let paths = json!([{"path": "m/a/x-1.zst"}, {"path": "m/a/x-3.zst"}, {"path": "m/c/x-1.zst"}]);
    let notes = &document(&mirror, "r.json")["summary"]["notes"];
    assert_eq!(
        (&notes[0]["note"], &notes[0]["paths"]),
        (&json!("same-content"), &paths)
    );
    assert_eq!(notes.as_array().unwrap().len(), 1);
    let silent = mirror.run_pinned(&["m", "--status"]);
    assert_eq!((silent.stderr.as_str(), silent.status), ("", Some(0)));
}

#[test]
fn one_name_in_two_directories_and_two_signatures_of_one_file_are_nothing_to_note() {
    let mirror = accepted();
    pack(&mirror, "c/x-1", "x one");
    mirror.write_signed("m/z.iso", "m/z.iso.sig.bin", b"z");
    mirror.write("m/z.sig.bin", sign(&mirror.key, b"z"));
    assert_eq!(messages(&mirror.run_pinned(&["m"])), [""; 0]);
}

#[test]
fn swapped_signatures_are_invalid_and_a_note_names_what_each_one_verifies() {
    let mirror = accepted();
    let other = signing_key(2);
    mirror.write("other.pem", crate::support::public_pem(&other));
    mirror.write("m/b/y-1.sig.bin", sign(&mirror.key, b"x two"));
    mirror.write("m/a/x-2.sig.bin", sign(&other, b"y one"));
    // What fits nothing that is here, and what no trusted key made.
    mirror.write("m/a/x-1.sig.bin", sign(&mirror.key, b"x zero"));
    pack(&mirror, "d/z", "z");
    mirror.write("m/d/z.sig.bin", sign(&signing_key(3), b"x two"));
    let run = mirror.run(&[
        "-k",
        "key.pem",
        "-k",
        "other.pem",
        "m",
        "--report",
        "r.json",
    ]);
    assert_eq!(run.stdout.matches("❌ Signature invalid").count(), 4);
    let fits = |signature: &str, data: &str| {
        format!(
            "m/{signature}: this signature fits m/{data}; the files are mixed up, or one is in the other's place"
        )
    };
    let expected = [
        fits("a/x-2.sig.bin", "b/y-1.zst"),
        fits("b/y-1.sig.bin", "a/x-2.zst"),
    ];
    assert_eq!(messages(&run), expected);
    let note = |signature, path, fits| json!({"note": "signature-fits-other", "signature": signature, "path": path, "fits": {"path": fits}});
    let notes = json!([
        note("m/a/x-2.sig.bin", "m/a/x-2.zst", "m/b/y-1.zst"),
        note("m/b/y-1.sig.bin", "m/b/y-1.zst", "m/a/x-2.zst"),
    ]);
    assert_eq!(document(&mirror, "r.json")["summary"]["notes"], notes);
    assert_eq!(run.status, Some(1));
}

#[test]
fn where_data_is_not_what_its_name_says_an_invalid_signature_has_a_hint_and_a_valid_one_has_none() {
    let mirror = Mirror::new();
    let page = "<!DOCTYPE html><title>404</title>";
    mirror.write("page.zst", page);
    mirror.write("page.sig.bin", sign(&mirror.key, b"a pack"));
    mirror.write("both.iso", page);
    mirror.write("both.iso.sig.bin", page);
    mirror.write("cut.iso", vec![0; 20_000]);
    mirror.write("cut.iso.sig.bin", sign(&mirror.key, b"an image"));
    mirror.write("text.zst", "text");
    mirror.write("text.sig.bin", sign(&mirror.key, b"a pack"));
    mirror.write("right.zst", [0x28, 0xb5, 0x2f, 0xfd, 0]);
    mirror.write("right.sig.bin", sign(&mirror.key, b"a pack"));
    // No matter what it looks like, it is what was signed.
    mirror.write_signed("signed.zst", "signed.sig.bin", page.as_bytes());
    let run = mirror.run_pinned(&["-v", "--report", "r.json"]);
    let is_page =
        "; the data file is an HTML page, such as a server sends for an error: download it again)";
    let expected = [
        (
            "both.iso: ❌ Signature invalid (both.iso.sig.bin: the signature file is an HTML page, ",
            is_page,
        ),
        (
            "cut.iso: ❌ Signature invalid (",
            "; the data file is not a whole ISO 9660 image, though its name says so: download it again)",
        ),
        ("page.zst: ❌ Signature invalid (", is_page),
        (
            "right.zst: ❌ Signature invalid (",
            ": no trusted key made this signature over these bytes)",
        ),
        (
            "signed.zst: ✅ Signature valid (",
            "signed.sig.bin, key key.pem)",
        ),
        (
            "text.zst: ❌ Signature invalid (",
            "; the data file is not Zstandard data, though its name says so: download it again)",
        ),
    ];
    let lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(lines.len(), expected.len());
    for (line, (begin, end)) in lines.iter().zip(expected) {
        assert!(line.starts_with(begin) && line.ends_with(end), "{line}");
    }
    let document = document(&mirror, "r.json");
    let looks: Vec<_> = document["artifacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a.get("looks"))
        .collect();
    let (html, iso, zstd) = (json!("html"), json!("not-iso9660"), json!("not-zstd"));
    assert_eq!(
        looks,
        [
            Some(&html),
            Some(&iso),
            Some(&html),
            None,
            None,
            Some(&zstd)
        ]
    );
}

#[test]
fn the_baseline_may_come_from_a_pipe() {
    let mirror = accepted();
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            "cat b.json | \"$0\" -k key.pem --baseline /dev/stdin m",
        ])
        .arg(Path::new(crate::support::COMMAND))
        .current_dir(mirror.path());
    let run = Run::of(command);
    assert!(
        run.stderr.contains("audit against /dev/stdin, of "),
        "{}",
        run.stderr
    );
    assert_eq!(run.status, Some(0));
}
