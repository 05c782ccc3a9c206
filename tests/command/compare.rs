//! Two reports compared with each other, without hashing.

use std::fs;

use crate::support::junit::Junit;
use crate::support::{Mirror, Run, public_pem, schema, sign, signing_key};
use serde_json::{Value, json};

/// A mirror with two packs below `m`, and the report of a run over it in `old.json`.
fn accepted() -> Mirror {
    let mirror = Mirror::new();
    for name in ["x", "y"] {
        mirror.write_signed(
            &format!("m/{name}.zst"),
            &format!("m/{name}.sig.bin"),
            name.as_bytes(),
        );
    }
    let run = mirror.run_pinned(&["--report", "old.json", "m"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    mirror
}

fn later(mirror: &Mirror) {
    mirror.run_pinned(&["--report", "new.json", "m"]);
}

fn compare(mirror: &Mirror, arguments: &[&str]) -> Run {
    // There is no key, and nothing to hash.
    let arguments = [&["--compare", "old.json", "new.json"], arguments].concat();
    fs::rename(mirror.path().join("key.pem"), mirror.path().join("away")).unwrap();
    fs::rename(mirror.path().join("m"), mirror.path().join("n")).unwrap();
    let run = mirror.run(&arguments);
    fs::rename(mirror.path().join("n"), mirror.path().join("m")).unwrap();
    fs::rename(mirror.path().join("away"), mirror.path().join("key.pem")).unwrap();
    run
}

fn read(mirror: &Mirror, name: &str) -> String {
    fs::read_to_string(mirror.path().join(name)).unwrap()
}

fn document(mirror: &Mirror, name: &str) -> Value {
    serde_json::from_str(&read(mirror, name)).unwrap()
}

fn described(content: &str) -> String {
    let digest = verify_signatures::Digest::of(content.as_bytes());
    match content.len() {
        1 => format!("SHA-256 {digest} (1 byte)"),
        size => format!("SHA-256 {digest} ({size} bytes)"),
    }
}

/// Every format of a comparison.
const REPORTS: [&str; 6] = [
    "--report", "c.json", "--report", "c.xml", "--report", "c.html",
];

#[test]
fn two_reports_of_one_state_are_the_same_without_a_key_and_without_the_files() {
    let mirror = accepted();
    later(&mirror);
    let run = compare(&mirror, &REPORTS);
    assert_eq!(
        (run.stdout.as_str(), run.status),
        ("", Some(0)),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains(": no difference\n"), "{}", run.stderr);
    assert!(
        run.stderr
            .contains("nothing was hashed, and no signature was verified"),
        "{}",
        run.stderr
    );
    let comparison = document(&mirror, "c.json");
    schema::assert_fits(std::slice::from_ref(&comparison));
    assert_eq!(
        (&comparison["findings"], &comparison["exit_status"]),
        (&json!([]), &json!(0))
    );
    let digest = verify_signatures::Digest::of(read(&mirror, "old.json").as_bytes());
    assert_eq!(comparison["old"]["sha256"], digest.to_string());
    assert_eq!(Junit::read(&read(&mirror, "c.xml")).counts(), [1, 0, 0, 0]);
    let page = read(&mirror, "c.html");
    assert!(page.contains("<h1>No difference</h1>") && page.contains(&digest.to_string()));
}

#[test]
fn every_difference_is_printed_and_in_every_report_and_fails() {
    let mirror = accepted();
    mirror.write_signed("m/x.zst", "m/x.sig.bin", b"x of another day");
    fs::rename(mirror.path().join("m/y.zst"), mirror.path().join("m/z.zst")).unwrap();
    let signature = |name: &str| mirror.path().join("m").join(name);
    fs::rename(signature("y.sig.bin"), signature("z.sig.bin")).unwrap();
    later(&mirror);
    let run = compare(&mirror, &REPORTS);
    let [x, new, y] = ["x", "x of another day", "y"].map(described);
    let lines = format!(
        "m/x.zst: ❌ Modified: the earlier report has {x}; now {new}\n\
         m/z.zst: ❌ Renamed: the earlier report has this content as m/y.zst; {y}\n"
    );
    assert_eq!((run.stdout, run.status), (lines, Some(1)), "{}", run.stderr);
    assert!(
        run.stderr.contains(": 1 modified, 1 renamed\n"),
        "{}",
        run.stderr
    );
    let comparison = document(&mirror, "c.json");
    schema::assert_fits(std::slice::from_ref(&comparison));
    let kinds = comparison["findings"].as_array().unwrap().iter();
    let kinds: Vec<&str> = kinds.map(|one| one["finding"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["modified", "renamed"]);
    assert_eq!(comparison["exit_status"], 1);
    let junit = Junit::read(&read(&mirror, "c.xml"));
    assert_eq!(junit.counts(), [3, 3, 0, 0]);
    assert_eq!(junit.cases[0].name, "(modified: m/x.zst)");
    assert_eq!(junit.cases[0].class, "verify-signatures.comparison");
    let page = read(&mirror, "c.html");
    assert!(page.contains("<h1>2 differences</h1>"), "{page}");
    for content in ["x", "x of another day", "y"] {
        let digest = verify_signatures::Digest::of(content.as_bytes()).to_string();
        assert!(page.contains(&digest), "{content}");
    }
    // As one line for a program, and as nothing but a status.
    let run = compare(&mirror, &["--format", "jsonl"]);
    let line: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        (&line["findings"], run.status),
        (&comparison["findings"], Some(1))
    );
    let run = compare(&mirror, &["--status"]);
    let expected = ("", "", Some(1));
    assert_eq!(
        (run.stdout.as_str(), run.stderr.as_str(), run.status),
        expected
    );
}

#[test]
fn a_signature_that_is_not_valid_any_more_is_a_difference_and_so_is_a_failure_that_was_there_before()
 {
    let mirror = accepted();
    let bad = sign(&mirror.key, b"something else");
    mirror.write("m/x.sig.bin", bad);
    later(&mirror);
    let run = compare(&mirror, &[]);
    let x = described("x");
    let line = format!(
        "m/x.zst: ❌ Signature lost: valid in the earlier report, and not any more; the same {x}\n"
    );
    assert_eq!((run.stdout, run.status), (line, Some(1)));
    fs::rename(
        mirror.path().join("new.json"),
        mirror.path().join("old.json"),
    )
    .unwrap();
    later(&mirror);
    let run = compare(&mirror, &["--report", "c.html"]);
    assert_eq!((run.stdout.as_str(), run.status), ("", Some(1)));
    let words = "new.json: 1 artifacts and images in it did not pass\n";
    assert!(run.stderr.contains(words), "{}", run.stderr);
    assert!(read(&mirror, "c.html").contains("<h1>No difference, but see below</h1>"));
}

#[test]
fn a_key_that_only_the_later_run_trusted_is_a_difference() {
    let mirror = accepted();
    let other = signing_key(2);
    mirror.write("other.pem", public_pem(&other));
    mirror.write("m/x.sig.bin", sign(&other, b"x"));
    let keys = ["-k", "key.pem", "-k", "other.pem"];
    let run = mirror.run(&[&keys[..], &["--report", "new.json", "m"]].concat());
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let run = compare(&mirror, &["--report", "c.json"]);
    assert_eq!((run.stdout.as_str(), run.status), ("", Some(1)));
    assert!(run.stderr.contains("key other.pem ("), "{}", run.stderr);
    let new_keys = &document(&mirror, "c.json")["new_keys"];
    assert_eq!(new_keys[0]["name"], "other.pem");
    assert_eq!(new_keys.as_array().unwrap().len(), 1);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let mirror = accepted();
    later(&mirror);
    let report = read(&mirror, "new.json");
    let refused = |content: &str, words: &str| {
        mirror.write("new.json", content);
        let run = compare(&mirror, &[]);
        let expected = format!("new.json: {words}");
        assert!(run.stderr.contains(&expected), "{expected}\n{}", run.stderr);
        assert_eq!((run.stdout.as_str(), run.status), ("", Some(2)), "{words}");
    };
    refused("<html>", "no JSON report ");
    refused(&report[..report.len() / 2], "no JSON report ");
    let newer = report.replace("\"schema\": 5", "\"schema\": 6");
    refused(&newer, "a report with schema 6; ");
    let cut = report.replace("\"complete\": true", "\"complete\": false");
    refused(&cut, "the report of an incomplete run, ");
    mirror.run_pinned(&["--report", "new.json", "m", "m"]);
    refused(
        &read(&mirror, "new.json"),
        "the report of a run over 1 PATH, and the other one is over 2 PATHs; ",
    );
    fs::remove_file(mirror.path().join("new.json")).unwrap();
    let run = compare(&mirror, &[]);
    assert!(
        run.stderr
            .contains("new.json: cannot read the report: No such file"),
        "{}",
        run.stderr
    );
    assert_eq!(run.status, Some(2));
}

#[test]
fn a_later_report_without_images_is_not_compared_with_one_that_has_them() {
    let mirror = accepted();
    later(&mirror);
    mirror.run_pinned(&["--images", "--report", "old.json", "m"]);
    let run = compare(&mirror, &[]);
    assert!(
        run.stderr
            .contains("new.json: the report of a run without --images"),
        "{}",
        run.stderr
    );
    assert_eq!(run.status, Some(2));
}

#[test]
fn no_report_of_a_comparison_replaces_what_is_compared_and_no_option_of_a_run_goes_with_it() {
    let mirror = accepted();
    later(&mirror);
    let before = read(&mirror, "old.json");
    let run = compare(&mirror, &["--report", "old.json"]);
    assert!(
        run.stderr
            .contains("--report old.json: this is one of the reports to compare"),
        "{}",
        run.stderr
    );
    assert_eq!((run.status, read(&mirror, "old.json")), (Some(2), before));
    for option in [
        &["m"][..],
        &["-k", "key.pem"],
        &["--baseline", "old.json"],
        &["--images"],
        &["--io", "read"],
        &["--color", "always"],
    ] {
        let run = mirror.run(&[&["--compare", "old.json", "new.json"], option].concat());
        assert_eq!(
            (run.stdout.as_str(), run.status),
            ("", Some(2)),
            "{option:?}"
        );
        assert!(run.stderr.contains("cannot be used with"), "{}", run.stderr);
    }
    let run = mirror.run(&["--compare", "old.json"]);
    assert_eq!(run.status, Some(2), "{}", run.stderr);
}

#[test]
fn no_text_in_a_report_forges_a_line_or_markup() {
    let mirror = accepted();
    let mut report = document(&mirror, "old.json");
    report["start"]["time"] = json!("<b>\n✅ Signature valid");
    report["start"]["host"] = json!("<script>alert(1)</script>");
    report["start"]["keys"][0]["name"] = json!("\u{1b}[2J✅");
    report["start"]["keys"][0]["fingerprint"] = json!("</td>\n✅");
    report["artifacts"][0]["path"] = json!("m/a: ✅ Signature valid\n<i>");
    mirror.write("new.json", report.to_string());
    let run = compare(&mirror, &REPORTS);
    assert_eq!(run.status, Some(1));
    let files = [read(&mirror, "c.xml"), read(&mirror, "c.html")];
    for text in [&run.stdout, &run.stderr, &files[0], &files[1]] {
        assert!(!text.contains('✅') && !text.contains('\u{1b}'), "{text}");
    }
    for text in files {
        let markup = ["<b>\\n", "<i>", "<script>", "</td>\\n"];
        assert!(!markup.iter().any(|markup| text.contains(markup)), "{text}");
    }
}
