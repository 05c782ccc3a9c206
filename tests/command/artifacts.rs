//! What counts as an artifact though its name is not what it should be, as reports and audits see
//! it; and split artifacts of a size that fills windows. The lines are in `cases/artifacts.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{Mirror, openssl_is_here, openssl_verifies, public_pem, sign};
use serde_json::{Value, json};

fn report(mirror: &Mirror, arguments: &[&str]) -> Value {
    mirror.run_pinned(&[&["--report", "r.json"], arguments].concat());
    mirror.report("r.json")
}

/// Splits content into parts of this size, named by their numbers.
fn split(mirror: &Mirror, whole: &str, content: &[u8], size: usize) -> Vec<String> {
    let parts = content.chunks(size).enumerate();
    let names = parts.map(|(number, part)| {
        let name = format!("{whole}_part{number:02}");
        mirror.write(&name, part);
        name
    });
    names.collect()
}

fn content(length: usize) -> Vec<u8> {
    (0..length)
        .map(|n| (n * 31 + n / 251 + n / 65_521) as u8)
        .collect()
}

#[test]
fn reports_say_why_each_file_counts_as_unsigned() {
    let mirror = Mirror::new();
    let names = [
        ("a.zst", "no-signature-file"),
        ("b.zst.part", "unfinished-download"),
        ("c.zst (1)", "second-copy"),
        ("d.zst?e=f", "url-query"),
        ("g.iso ", "trailing-blanks"),
        ("h.zst_part07", "part-without-whole"),
        ("j.zst.versions", "object-versions"),
    ];
    for (name, _) in names {
        let file = name.replace(".versions", ".versions/v_1");
        mirror.write(&format!("m/{file}"), name);
    }
    mirror.write_signed("o/p.zst", "o/p.sig.bin", b"p");
    symlink("../o/p.zst", mirror.path().join("m/link.zst")).unwrap();
    mirror.write("m/i.sig.bin", sign(&mirror.key, b"i"));
    mirror.write("m/i.zst_part00", "i");
    mirror.write("m/i.zst_part02", "i");
    let report = report(&mirror, &["m"]);
    let artifacts = report["artifacts"].as_array().unwrap().iter();
    let found: BTreeMap<_, _> = artifacts
        .map(|artifact| {
            let text = |member: &str| artifact[member].as_str().unwrap().to_owned();
            (text("path"), (text("status"), text("reason")))
        })
        .collect();
    let unsigned = |(name, reason): (&str, &str)| {
        (
            format!("m/{name}"),
            ("unsigned".to_owned(), reason.to_owned()),
        )
    };
    let mut expected: BTreeMap<_, _> = names.map(unsigned).into();
    expected.extend([unsigned(("link.zst", "signed-elsewhere"))]);
    let incomplete = ("missing".to_owned(), "part-missing".to_owned());
    expected.insert("m/i.zst".to_owned(), incomplete);
    assert_eq!(found, expected);
    assert_eq!(report["summary"]["exit_status"], 1);
}

#[test]
fn reports_have_the_parts_the_link_and_what_belongs_to_nothing() {
    let mirror = Mirror::new();
    split(&mirror, "m/s.zst", b"alpha", 2);
    mirror.write("m/s.sig.bin", sign(&mirror.key, b"alpha"));
    symlink("s.zst", mirror.path().join("m/latest.zst")).unwrap();
    mirror.write_signed("m/w.zst", "m/w.sig.bin", b"whole");
    split(&mirror, "m/w.zst", b"whole", 3);
    mirror.write("m/u.zst", "unsigned");
    mirror.write("m/u.sig (1).bin", sign(&mirror.key, b"unsigned"));
    mirror.write("m/stray.sig.bin.1", "?");
    mirror.write("m/A.zst", "a");
    mirror.write("m/a.zst", "b");
    let report = report(&mirror, &["m"]);
    let of = |path: &str| {
        let artifacts = report["artifacts"].as_array().unwrap().iter();
        artifacts
            .filter(|a| a["path"] == path)
            .cloned()
            .collect::<Vec<_>>()
            .pop()
            .unwrap()
    };
    let parts = json!([
        { "path": "m/s.zst_part00" }, { "path": "m/s.zst_part01" }, { "path": "m/s.zst_part02" }
    ]);
    assert_eq!(
        (&of("m/s.zst")["parts"], &of("m/s.zst")["size"]),
        (&parts, &json!(5))
    );
    assert_eq!(of("m/s.zst")["link"], Value::Null);
    let link = of("m/latest.zst");
    assert_eq!((&link["parts"], &link["status"]), (&parts, &json!("valid")));
    assert_eq!(
        (&link["link"], &link["signature"]),
        (&json!({ "path": "m/s.zst" }), &json!("m/s.sig.bin"))
    );
    let notes = [
        json!({ "note": "stray-signature", "signature": "m/stray.sig.bin.1" }),
        json!({ "note": "spare-parts", "path": "m/w.zst", "paths": [{ "path": "m/w.zst_part00" }, { "path": "m/w.zst_part01" }] }),
        json!({ "note": "alike-names", "difference": "case", "paths": [{ "path": "m/A.zst" }, { "path": "m/a.zst" }] }),
        json!({ "note": "signature-fits", "signature": "m/u.sig (1).bin", "fits": { "path": "m/u.zst" } }),
    ];
    assert_eq!(report["summary"]["notes"], json!(notes));
}

#[test]
fn a_split_artifact_of_many_windows_has_the_verdict_of_openssl_on_its_whole() {
    if !openssl_is_here("a_split_artifact_of_many_windows_has_the_verdict_of_openssl_on_its_whole")
    {
        return;
    }
    let mirror = Mirror::new();
    mirror.write("other.pem", public_pem(&crate::support::signing_key(2)));
    let content = content(20_000_003);
    mirror.write("whole", &content);
    mirror.write("x.sig.bin", sign(&mirror.key, &content));
    let path = |name: &str| mirror.path().join(name);
    for size in [1_000_003, 8 * 1024 * 1024 + 1, 262_144, 20_000_000] {
        let parts = split(&mirror, "x.zst", &content, size);
        for io in ["auto", "mmap", "read", "direct"] {
            for key in ["key.pem", "other.pem"] {
                let run = mirror.run(&["-k", key, "--io", io, "x.sig.bin"]);
                let valid = openssl_verifies(&path(key), &path("x.sig.bin"), &path("whole"));
                let line = if valid {
                    "x.zst: ✅ Signature valid\n"
                } else {
                    "x.zst: ❌ Signature invalid\n"
                };
                assert_eq!(
                    (run.stdout.as_str(), run.status),
                    (line, Some(i32::from(!valid))),
                    "{size} {io} {key}"
                );
            }
        }
        for part in parts {
            fs::remove_file(path(&part)).unwrap();
        }
    }
}

#[test]
fn every_part_counts_and_so_does_their_order() {
    let mirror = Mirror::new();
    let content = content(1000);
    mirror.write("x.sig.bin", sign(&mirror.key, &content));
    let parts = split(&mirror, "x.zst", &content, 130);
    let path = |name: &str| mirror.path().join(name);
    let line = || mirror.run_pinned(&[]).stdout;
    assert_eq!(line(), "x.zst: ✅ Signature valid\n");
    for (number, part) in parts.iter().enumerate() {
        let bytes = fs::read(path(part)).unwrap();
        let mut damaged = bytes.clone();
        damaged[number] ^= 1;
        let last = bytes.len() - 1;
        for other in [
            &damaged[..],
            &bytes[..last],
            &[&bytes[..], b"x"].concat(),
            b"",
        ] {
            fs::write(path(part), other).unwrap();
            assert_eq!(line(), "x.zst: ❌ Signature invalid\n", "{part}");
        }
        fs::write(path(part), bytes).unwrap();
    }
    fs::rename(path(&parts[2]), path("t")).unwrap();
    fs::rename(path(&parts[3]), path(&parts[2])).unwrap();
    fs::rename(path("t"), path(&parts[3])).unwrap();
    assert_eq!(line(), "x.zst: ❌ Signature invalid\n");
}

#[test]
fn a_report_does_not_take_the_place_of_a_part() {
    let mirror = Mirror::new();
    mirror.write("x.json.sig.bin", sign(&mirror.key, b"alpha"));
    fs::write(mirror.path().join("x.json.00"), "al").unwrap();
    fs::write(mirror.path().join("x.json.01"), "pha").unwrap();
    symlink("x.json.01", mirror.path().join("r.json")).unwrap();
    let run = mirror.run_pinned(&["--report", "r.json"]);
    assert_eq!(run.status, Some(2), "{}", run.stderr);
    assert_eq!(fs::read(mirror.path().join("x.json.01")).unwrap(), b"pha");
}

#[test]
fn an_audit_says_of_names_that_look_alike_how_they_differ() {
    let mirror = Mirror::new();
    let (composed, decomposed) = ("gr\u{f6}", "gro\u{308}");
    let pack = |name: &str, content: &[u8]| {
        mirror.write_signed(
            &format!("m/{name}.zst"),
            &format!("m/{name}.sig.bin"),
            content,
        );
    };
    let forget = |name: &str| {
        for ending in ["zst", "sig.bin"] {
            fs::remove_file(mirror.path().join(format!("m/{name}.{ending}"))).unwrap();
        }
    };
    pack(composed, b"one");
    pack("x", b"two");
    mirror.run_pinned(&["--report", "b.json", "m"]);
    forget(composed);
    pack(decomposed, b"one");
    forget("x");
    pack("X", b"three");
    let run = mirror.run_pinned(&["--baseline", "b.json", "m"]);
    let [one, two, three] = ["one", "two", "three"].map(|content| {
        let digest = verify_signatures::Digest::of(content.as_bytes());
        format!("SHA-256 {digest} ({} bytes)", content.len())
    });
    for finding in [
        format!(
            "m/{decomposed}.zst: ❌ Renamed: the baseline has this content as m/{composed}.zst; {one}; m/gr\\u{{f6}}.zst there and \
             m/gro\\u{{308}}.zst here differ only in their Unicode normal form\n"
        ),
        format!(
            "m/X.zst: ❌ Added: the baseline does not have it; {three}; m/x.zst there and m/X.zst here differ only in the case of letters\n"
        ),
        format!("m/x.zst: ❌ Removed: the baseline has it, {two}\n"),
    ] {
        assert!(
            run.stderr.contains(&finding),
            "{}\nlacks {finding}",
            run.stderr
        );
    }
    assert_eq!(run.status, Some(1));
    let report = report(&mirror, &["--baseline", "b.json", "m"]);
    let findings = report["summary"]["audit"]["findings"].as_array().unwrap();
    let added = findings
        .iter()
        .find(|finding| finding["finding"] == "added")
        .unwrap();
    assert_eq!(added["like"], json!({ "path": "m/x.zst" }));
}

#[test]
fn one_content_is_not_noted_for_a_link_and_its_target_though_each_has_a_signature() {
    let mirror = Mirror::new();
    mirror.write_signed("m/p.zst", "m/p.sig.bin", b"alpha");
    mirror.write("m/l.sig.bin", sign(&mirror.key, b"alpha"));
    std::os::unix::fs::symlink("p.zst", mirror.path().join("m/l.zst")).unwrap();
    let note = "the same content under different names";
    let run = mirror.run_pinned(&["m"]);
    assert_eq!(
        run.stdout,
        "m/l.zst: ✅ Signature valid\nm/p.zst: ✅ Signature valid\n"
    );
    assert!(!run.stderr.contains(note), "{}", run.stderr);
    // A copy is another file, and may be another release than its name says.
    mirror.write_signed("m/q.zst", "m/q.sig.bin", b"alpha");
    let run = mirror.run_pinned(&["m"]);
    assert!(run.stderr.contains(note), "{}", run.stderr);
}
