//! What an auditor keeps: what was not checked, which run it was, and what a report's digest is.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use crate::support::{Mirror, PINNED, Run, send, sign, wait_until_open};
use serde_json::{Value, json};
use verify_signatures::Digest;

const REPORTS: [&str; 6] = [
    "--report", "r.json", "--report", "r.xml", "--report", "r.html",
];

/// A mirror of which a part is old, a part lies deeper, and a part needs no signature.
fn mirror() -> Mirror {
    let mirror = Mirror::new();
    mirror.write_signed("m/new.zst", "m/new.sig.bin", b"new");
    mirror.write_signed("m/old/a.zst", "m/old/a.sig.bin", b"old a");
    mirror.write_signed("m/old/b.iso", "m/old/b.iso.sig.bin", b"old b");
    mirror.write_signed("m/deep/er/c.zst", "m/deep/er/c.sig.bin", b"deep");
    mirror.write("m/README", "read me");
    mirror
}

fn run(mirror: &Mirror, arguments: &[&str]) -> Run {
    mirror.run(&[&["-k", "key.pem"], arguments].concat())
}

fn report(mirror: &Mirror, name: &str) -> String {
    fs::read_to_string(mirror.path().join(name)).unwrap()
}

fn document(mirror: &Mirror) -> Value {
    serde_json::from_str(&report(mirror, "r.json")).unwrap()
}

/// Names in a report, by their paths.
fn paths(names: &Value) -> Vec<&str> {
    assert_eq!(names["left_off"], 0);
    let paths = names["paths"].as_array().unwrap();
    assert_eq!(names["count"], paths.len());
    paths.iter().map(|p| p["path"].as_str().unwrap()).collect()
}

#[test]
fn a_run_that_excludes_a_part_of_a_mirror_says_so_everywhere_and_its_page_is_not_green() {
    let mirror = mirror();
    // The tampered one is among what is left out.
    mirror.write("m/old/a.zst", "tampered");
    let excluded = [
        "--exclude",
        "nothing*",
        "--exclude",
        "old/a.zst",
        "--exclude",
        "old/b.*",
        "--exclude",
        "deep",
    ];
    let stream = ["m", "--format", "jsonl"];
    let run = run(&mirror, &[&excluded[..], &REPORTS, &stream].concat());
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let size = |name: &str| fs::metadata(mirror.path().join(name)).unwrap().len();
    let of_a = size("m/old/a.zst") + size("m/old/a.sig.bin");
    let of_b = size("m/old/b.iso") + size("m/old/b.iso.sig.bin");
    let sentences = [
        &format!("2 files (1 artifact, {of_a} B) excluded by \"old/a.zst\""),
        &format!("2 files (1 artifact, {of_b} B) excluded by \"old/b.*\""),
        "1 directory and all its contents excluded by \"deep\"",
        "1 file not covered by a signature (--all-files requires one)",
    ];
    let document = document(&mirror);
    let not_checked = &document["summary"]["not_checked"];
    let excluded = not_checked["excluded"].as_array().unwrap();
    let patterns: Vec<_> = excluded
        .iter()
        .map(|e| e["pattern"].as_str().unwrap())
        .collect();
    assert_eq!(patterns, ["nothing*", "old/a.zst", "old/b.*", "deep"]);
    assert_eq!(
        (&excluded[0]["artifacts"], &excluded[0]["bytes"]),
        (&json!(0), &json!(0))
    );
    // A data file takes its signature along.
    assert_eq!(
        paths(&excluded[1]["files"]),
        ["m/old/a.zst", "m/old/a.sig.bin"]
    );
    assert_eq!(excluded[1]["bytes"], of_a);
    assert_eq!(
        paths(&excluded[2]["files"]),
        ["m/old/b.iso", "m/old/b.iso.sig.bin"]
    );
    assert_eq!(excluded[2]["artifacts"], 1);
    assert_eq!(paths(&excluded[3]["directories"]), ["m/deep"]);
    assert_eq!(paths(&not_checked["uncovered"]), ["m/README"]);
    let last: Value = serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["not_checked"], *not_checked);
    let page = report(&mirror, "r.html");
    assert!(page.contains("<header class=\"banner none\">"), "{page}");
    assert!(
        page.contains("<h1>1 valid; not everything was checked</h1>"),
        "{page}"
    );
    assert!(
        page.contains("without &#34;nothing*&#34;, which matched nothing"),
        "{page}"
    );
    assert!(page.contains("<b>2</b> excluded</li>"), "{page}");
    let xml = report(&mirror, "r.xml");
    for sentence in sentences {
        assert!(
            run.stderr.contains(&format!("\nnot checked: {sentence}\n")),
            "{}",
            run.stderr
        );
        assert!(page.contains(&sentence.replace('"', "&#34;")), "{sentence}");
        let property = sentence.replace('"', "&quot;");
        let property = format!("<property name=\"not-checked\" value=\"{property}\"/>");
        assert!(xml.contains(&property), "{xml}");
    }
}

#[test]
fn a_run_in_which_everything_was_checked_is_green_and_says_nothing_else() {
    let mirror = Mirror::new();
    mirror.write_signed("m/new.zst", "m/new.sig.bin", b"new");
    let run = run(&mirror, &[&REPORTS[..], &["m"]].concat());
    assert!(!run.stderr.contains("not checked"), "{}", run.stderr);
    assert!(!report(&mirror, "r.xml").contains("not-checked"));
    let page = report(&mirror, "r.html");
    assert!(page.contains("<header class=\"banner pass\">"), "{page}");
    assert!(!page.contains("Not checked"), "{page}");
}

#[test]
fn directories_below_the_maximum_depth_and_behind_links_are_named() {
    let mirror = mirror();
    symlink("/", mirror.path().join("m/out")).unwrap();
    let arguments = ["--max-depth", "2", "--allow-unsigned", "m"];
    let run = run(&mirror, &[&arguments[..], &REPORTS].concat());
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let document = document(&mirror);
    let not_checked = &document["summary"]["not_checked"];
    assert_eq!(paths(&not_checked["too_deep"]), ["m/deep/er"]);
    assert_eq!(paths(&not_checked["links"]), ["m/out"]);
    let page = report(&mirror, "r.html");
    let title = "<h1>3 valid, 1 without a signature; not everything was checked</h1>";
    assert!(page.contains(title), "{page}");
    assert!(
        run.stderr
            .contains("not checked: 1 directory below --max-depth"),
        "{}",
        run.stderr
    );
}

#[test]
fn under_verbose_each_name_is_listed_on_one_line_however_it_is_called() {
    let mirror = mirror();
    let odd = mirror
        .path()
        .join("m/old")
        .join(OsStr::from_bytes(b"x\xff\n\x1b[31m.txt"));
    fs::write(odd, "").unwrap();
    let run = run(
        &mirror,
        &["--verbose", "--exclude", "old/x*", "--exclude", "deep", "m"],
    );
    for line in [
        r#"m/old/x\xff\n\u{1b}[31m.txt: not checked (excluded by "old/x*")"#,
        r#"m/deep: not checked (excluded by "deep")"#,
        "m/README: not checked (not covered by a signature (--all-files requires one))",
    ] {
        let line = format!("note: {line}");
        assert!(
            run.stderr.lines().any(|other| other == line),
            "{line}: {}",
            run.stderr
        );
    }
}

#[test]
fn what_another_path_brings_in_is_not_called_unchecked() {
    let mirror = mirror();
    let arguments = [
        "m",
        "m/old",
        "m/deep/er",
        "--max-depth",
        "1",
        "--exclude",
        "old",
    ];
    let run = run(&mirror, &[&arguments[..], &REPORTS].concat());
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert_eq!(run.stdout.matches('✅').count(), 4);
    let document = document(&mirror);
    let not_checked = &document["summary"]["not_checked"];
    assert_eq!(not_checked["excluded"][0]["directories"]["count"], 0);
    // What is in it besides the other PATH was not looked at.
    assert_eq!(paths(&not_checked["too_deep"]), ["m/deep"]);
}

#[test]
fn files_of_a_directory_of_images_are_judged_as_images_and_not_called_uncovered() {
    let mirror = Mirror::new();
    mirror.write_signed("m/x.zst", "m/x.sig.bin", b"no tar");
    mirror.write("m/layout/oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    mirror.write(
        "m/layout/index.json",
        r#"{"schemaVersion":2,"manifests":[]}"#,
    );
    mirror.write("m/layout/blobs/sha256/abc", "");
    mirror.write("m/other", "");
    run(&mirror, &[&["m", "--images"], &REPORTS[..]].concat());
    let document = document(&mirror);
    let uncovered = &document["summary"]["not_checked"]["uncovered"];
    assert_eq!(paths(uncovered), ["m/other"]);
}

#[test]
fn an_interrupted_run_names_what_it_did_not_judge() {
    let mirror = mirror();
    let big = fs::File::create(mirror.path().join("m/big.iso")).unwrap();
    big.set_len(200 << 30).unwrap();
    mirror.write("m/big.iso.sig.bin", sign(&mirror.key, b"x"));
    let arguments = [&["-k", "key.pem", "--jobs", "1", "m"], &REPORTS[..]].concat();
    let mut command = mirror.command(&arguments);
    let (out, err) = (std::process::Stdio::piped(), std::process::Stdio::piped());
    let child = command.stdout(out).stderr(err).spawn().unwrap();
    wait_until_open(&child, |target| target.ends_with("big.iso"));
    send(&["-INT"], &child);
    let run: Run = child.wait_with_output().unwrap().into();
    assert_eq!(run.status, Some(130), "{}", run.stderr);
    let document = document(&mirror);
    let unjudged = paths(&document["summary"]["not_checked"]["unjudged"]);
    assert!(unjudged.contains(&"m/big.iso"), "{unjudged:?}");
    let artifacts = document["artifacts"].as_array().unwrap().len();
    assert_eq!(document["summary"]["expected"], artifacts + unjudged.len());
    let page = report(&mirror, "r.html");
    assert!(page.contains("<h1>Interrupted by SIGINT</h1>") && page.contains("<li>m/big.iso</li>"));
}

#[test]
fn all_reports_of_a_run_carry_its_identifier_and_note_and_their_digests_are_printed() {
    let mirror = mirror();
    let note = "CHG-4711 <b>\"é\"</b>\u{202e} & alice";
    let arguments = ["--note", note, "--format", "jsonl", "m"];
    let first = run(&mirror, &[&arguments[..], &REPORTS].concat());
    let document = document(&mirror);
    let start = &document["start"];
    let id = start["id"].as_str().unwrap();
    assert_eq!(start["note"], note);
    let streamed: Value = serde_json::from_str(first.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(streamed, *start);
    let (page, xml) = (report(&mirror, "r.html"), report(&mirror, "r.xml"));
    assert!(
        page.contains(&format!("<dd class=\"code\">{id}</dd>")),
        "{page}"
    );
    assert!(
        page.contains("<dd>CHG-4711 &#60;b&#62;&#34;é&#34;&#60;/b&#62;\\u{202e} &#38; alice</dd>")
    );
    assert!(
        xml.contains(&format!("<property name=\"run\" value=\"{id}\"/>")),
        "{xml}"
    );
    let shown = "value=\"CHG-4711 &lt;b&gt;&quot;é&quot;&lt;/b&gt;\\u{202e} &amp; alice\"/>";
    assert!(xml.contains(shown), "{xml}");
    assert!(
        first.stderr.contains(&format!("run: {id}\n")),
        "{}",
        first.stderr
    );
    for name in ["r.json", "r.xml", "r.html"] {
        let digest = Digest::of(&fs::read(mirror.path().join(name)).unwrap());
        let line = format!("note: {name}: report written, SHA-256 {digest}\n");
        assert!(first.stderr.contains(&line), "{}", first.stderr);
    }
    run(&mirror, &["m", "--report", "r.json"]);
    assert_ne!(self::document(&mirror)["start"]["id"], id);
}

#[test]
fn a_report_says_who_ran_which_program_how() {
    let mirror = mirror();
    run(&mirror, &["--note", "it's ours", "m", "--report", "r.json"]);
    let document = document(&mirror);
    let start = &document["start"];
    let program = crate::support::COMMAND;
    let executable = Digest::of(&fs::read(program).unwrap()).to_string();
    assert_eq!(start["executable_sha256"], executable);
    let command = start["command"].as_str().unwrap();
    let arguments = r" -k key.pem --note $'it\'s ours' m --report r.json";
    assert!(command.ends_with(arguments), "{command}");
    assert_eq!(start["user"]["id"], rustix::process::geteuid().as_raw());
    let system = start["system"].as_str().unwrap();
    let kernel = rustix::system::uname();
    assert!(
        system.contains(kernel.release().to_str().unwrap()),
        "{system}"
    );
    // Whose build named a commit has it in all its reports.
    let commit = option_env!("VERIFY_SIGNATURES_COMMIT");
    assert_eq!(start.get("commit").and_then(Value::as_str), commit);
}

#[test]
fn a_key_is_reported_as_pinned_and_as_lying_inside_the_tree() {
    let mirror = mirror();
    let key = fs::read(mirror.path().join("key.pem")).unwrap();
    mirror.write("m/inside.pem", key);
    for (key, pins, pinned, inside) in [
        ("key.pem", &[][..], false, false),
        ("key.pem", &PINNED[2..], true, false),
        ("m/inside.pem", &[], false, true),
        ("m/inside.pem", &PINNED[2..], true, true),
    ] {
        let arguments = [&["-k", key, "m"], &REPORTS[..], pins].concat();
        assert_eq!(mirror.run(&arguments).status, Some(0));
        let document = document(&mirror);
        let known = &document["start"]["keys"][0];
        assert_eq!(
            (&known["pinned"], &known["inside_tree"]),
            (&pinned.into(), &inside.into())
        );
        let page = report(&mirror, "r.html");
        assert_eq!(page.contains("<dd>yes, by --key-fingerprint</dd>"), pinned);
        assert_eq!(page.contains("inside the verified tree: whoever"), inside);
    }
}

#[test]
fn a_signature_file_is_reported_with_its_digest_size_and_time() {
    let mirror = mirror();
    mirror.write("m/long.sig.bin", [b'x'; 5000]);
    mirror.write("m/long.zst", "x");
    run(&mirror, &[&["m"], &REPORTS[..]].concat());
    let document = document(&mirror);
    let artifacts = document["artifacts"].as_array().unwrap();
    let of = |path: &str| artifacts.iter().find(|a| a["path"] == path).unwrap();
    let file = &of("m/new.zst")["signature_file"];
    let bytes = fs::read(mirror.path().join("m/new.sig.bin")).unwrap();
    assert_eq!(file["sha256"], Digest::of(&bytes).to_string());
    assert_eq!(file["size"], bytes.len());
    assert!(
        file["modified"].as_str().unwrap().starts_with("20"),
        "{file}"
    );
    assert!(report(&mirror, "r.html").contains(&Digest::of(&bytes).to_string()));
    // What is too long to be one is not read to its end.
    let long = &of("m/long.zst")["signature_file"];
    assert_eq!((&long["size"], long.get("sha256")), (&5000.into(), None));
}

#[test]
fn a_note_that_is_empty_too_long_or_for_no_report_is_refused() {
    let mirror = mirror();
    let long = "é".repeat(1001);
    for (arguments, words) in [
        (
            &["--note", " ", "--report", "r.json"][..],
            "the note is empty",
        ),
        (
            &["--note", &long, "--report", "r.json"],
            "the note has more than 1000 characters",
        ),
        (
            &["--note", "x"],
            "--note: there is no report for it; add --report FILE or --format jsonl",
        ),
    ] {
        let run = run(&mirror, &[arguments, &["m"]].concat());
        assert!(run.stderr.contains(words), "{}", run.stderr);
        assert_eq!((run.stdout.as_str(), run.status), ("", Some(2)));
    }
    let longest = "é".repeat(1000);
    let run = run(&mirror, &["m", "--note", &longest, "--report", "r.json"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert_eq!(document(&mirror)["start"]["note"], longest);
}

#[test]
fn after_fail_fast_every_artifact_is_either_in_the_report_or_named_as_not_judged() {
    let mirror = Mirror::new();
    mirror.write("m/0.zst", "not signed");
    for number in 1..40 {
        let (data, signature) = (format!("m/{number}.zst"), format!("m/{number}.sig.bin"));
        mirror.write_signed(&data, &signature, b"alpha");
        mirror.write(&data, "other");
    }
    for jobs in ["1", "2", "8"] {
        let run = mirror.run(&[
            "-k",
            "key.pem",
            "--fail-fast",
            "--jobs",
            jobs,
            "--report",
            "r.json",
            "m",
        ]);
        assert_eq!(run.status, Some(1), "{}", run.stderr);
        let report = document(&mirror);
        let judged = report["artifacts"].as_array().unwrap().len() as u64;
        let unjudged = report["summary"]["not_checked"]["unjudged"]["count"].as_u64();
        assert_eq!(judged + unjudged.unwrap(), 40, "{report}");
        assert_eq!(report["summary"]["expected"], 40);
        let word = format!(
            "FAILED: 1 of 40, {} not judged (--fail-fast)\n",
            40 - judged
        );
        assert!(run.stderr.ends_with(&word), "{}", run.stderr);
    }
}
