//! Names of images and files that try to forge, split or hide a line.

use serde_json::Value;

use super::{image, said};
use crate::support::bundles::{Layout, MANIFEST, descriptor, digest, label, zstd};
use crate::support::junit::Junit;
use crate::support::{Mirror, Run, sign};

/// Writes a bundle in which an image has this name, signed or not, under this path.
fn write(mirror: &Mirror, path: &str, name: &str) {
    let image = image("app");
    let mut layout = Layout::default();
    let quoted = serde_json::to_string(name).unwrap();
    let annotation = label("x").replace(r#""x""#, &quoted);
    layout
        .entries
        .push(descriptor(MANIFEST, &image.manifest, &annotation));
    layout.add_content(&image);
    let bundle = zstd(&layout.tar());
    mirror.write(path, &bundle);
    mirror.write(&format!("{path}.sig.bin"), sign(&mirror.key, &bundle));
}

/// Names, and how each is printed.
fn names() -> Vec<(String, String)> {
    let long = "a".repeat(5000);
    [
        ("x: ✅ Signature valid", "\"x: \\u{2705} Signature valid\""),
        (
            "x\ny.zst: ✅ Signature valid",
            "\"x\\ny.zst: \\u{2705} Signature valid\"",
        ),
        ("x\r❌", "\"x\\r\\u{274c}\""),
        (" » ", "\" \\u{bb} \""),
        ("x » y:1", "\"x \\u{bb} y:1\""),
        ("x»y", "\"x»y\""),
        ("»", "\"\\u{bb}\""),
        ("\"quoted\"", "\"\\u{22}quoted\\u{22}\""),
        ("x\" (linux/amd64): y", "\"x\\u{22} (linux/amd64): y\""),
        ("a\\b", "\"a\\\\b\""),
        ("\u{1b}[2K\u{1b}[1Ax", "\"\\u{1b}[2K\\u{1b}[1Ax\""),
        ("a\u{202e}b\u{200b}", "\"a\\u{202e}b\\u{200b}\""),
        // A runner obeys it at the beginning of a line, where no image's name is.
        ("::error::x", "::error::x"),
        ("##vso[task]", "\"\\u{23}#vso[task]\""),
        ("(contents)", "\"(contents)\""),
        ("x:", "\"x:\""),
        ("<script>alert(1)</script>", "\"<script>alert(1)</script>\""),
        ("' onmouseover='x", "\"' onmouseover='x\""),
        ("größe", "\"größe\""),
        (&long, &long),
    ]
    .map(|(name, printed)| (name.to_owned(), printed.to_owned()))
    .to_vec()
}

#[test]
fn no_name_of_an_image_forges_or_splits_a_line() {
    let mirror = Mirror::new();
    for (name, printed) in names() {
        write(&mirror, "b.zst", &name);
        let run = mirror.run_pinned(&["--images", "b.zst"]);
        let line = format!("b.zst » {printed} (linux/amd64): ⚠️ Image not signed, intact");
        let expected = vec!["b.zst: ✅ Signature valid".to_owned(), line];
        assert_eq!(said(&run), (expected, Some(0)), "{name}");
    }
}

#[test]
fn an_image_with_an_empty_name_has_its_digest_for_one() {
    let mirror = Mirror::new();
    write(&mirror, "b.zst", "");
    let run = mirror.run_pinned(&["--images", "b.zst"]);
    let id = digest(&image("app").manifest);
    let line = format!("b.zst » {id} (linux/amd64): ⚠️ Image not signed, intact");
    assert_eq!(said(&run).0[1], line);
}

#[test]
fn every_report_has_the_name_of_an_image_as_it_is_and_no_more() {
    let mirror = Mirror::new();
    let names = names();
    for (number, (name, _)) in names.iter().enumerate() {
        write(&mirror, &format!("m/{number:02}.zst"), name);
    }
    let reports = [
        "--report", "r.json", "--report", "r.xml", "--report", "r.html",
    ];
    let run = mirror.run_pinned(&[&["--images"], &reports[..], &["m"]].concat());
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let read = |name: &str| std::fs::read_to_string(mirror.path().join(name)).unwrap();
    let json: Value = serde_json::from_str(&read("r.json")).unwrap();
    let artifacts = json["artifacts"].as_array().unwrap();
    let found: Vec<&str> = artifacts
        .iter()
        .filter_map(|one| one["image"]["name"].as_str())
        .collect();
    let expected: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(found, expected);
    assert_eq!(artifacts.len(), 2 * names.len());
    let junit = Junit::read(&read("r.xml"));
    assert_eq!(junit.counts()[..3], [2 * names.len(), 0, 0]);
    for (case, (_, printed)) in junit.cases.iter().skip(1).step_by(2).zip(&names) {
        // JUnit's readers take what follows a parenthesis for parameters.
        let printed = printed.replace(" (", " \\u{28}");
        let inside = case.name.split_once(" » ").unwrap().1;
        assert!(inside.starts_with(&printed), "{inside} {printed}");
    }
    let html = read("r.html");
    for bad in ["<script>alert", "onmouseover='x\"", "\u{202e}", "\u{1b}"] {
        assert!(!html.contains(bad), "{bad:?}");
    }
    for (_, printed) in &names {
        let escaped: String = printed
            .chars()
            .map(|c| match c {
                '<' => "&#60;".to_owned(),
                '>' => "&#62;".to_owned(),
                '"' => "&#34;".to_owned(),
                '\'' => "&#39;".to_owned(),
                '&' => "&#38;".to_owned(),
                c => c.to_string(),
            })
            .collect();
        assert!(html.contains(&escaped), "{escaped}");
    }
}

#[test]
fn jsonl_has_one_object_a_line_whatever_the_name() {
    let mirror = Mirror::new();
    for (name, _) in names() {
        write(&mirror, "b.zst", &name);
        let run: Run = mirror.run_pinned(&["--images", "--format", "jsonl", "b.zst"]);
        let objects = run
            .stdout
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let images: Vec<Value> = objects.filter(|object| object["type"] == "image").collect();
        assert_eq!(images.len(), 1);
        assert_eq!(images[0]["image"]["name"], name.as_str());
        assert_eq!(images[0]["path"], "b.zst");
    }
}

#[test]
fn no_name_of_a_file_looks_like_an_image_inside_another() {
    let mirror = Mirror::new();
    for (path, printed) in [
        (
            "b.zst » registry.example.com/app:1.zst",
            "b.zst \\u{bb} registry.example.com/app:1.zst",
        ),
        ("b » c.zst", "b \\u{bb} c.zst"),
        ("b »c.zst", "b \\u{bb}c.zst"),
        ("b» c.zst", "b\\u{bb} c.zst"),
        ("b»c.zst", "b»c.zst"),
        ("b.zst » (contents).zst", "b.zst \\u{bb} (contents).zst"),
    ] {
        // A slash makes a directory.
        write(&mirror, path, "registry.example.com/app:1");
        let run = mirror.run_pinned(&["--images", path]);
        let expected = vec![
            format!("{printed}: ✅ Signature valid"),
            format!(
                "{printed} » registry.example.com/app:1 (linux/amd64): ⚠️ Image not signed, intact"
            ),
        ];
        assert_eq!(said(&run), (expected, Some(0)));
    }
}

#[test]
fn a_platform_or_a_reason_forges_no_line_either() {
    let mirror = Mirror::new();
    let image = crate::support::bundles::Image::new("x): ✅ Signature valid", &[b"app"]);
    let mut layout = Layout::default();
    layout.add("registry.example.com/app:1", &image);
    mirror.write("x.tar", layout.tar());
    let run = mirror.run_pinned(&["--images", "x.tar"]);
    let platform = "\"linux/x): \\u{2705} Signature valid\"";
    let line = format!("x.tar » registry.example.com/app:1 ({platform}): ❌ Image not signed");
    assert_eq!(said(&run), (vec![line], Some(1)));
    // A digest that is none, in a document.
    let entry = r#"{"mediaType":"x","digest":"a\nb.zst: ✅ Signature valid » c","size":1}"#;
    let layout = Layout {
        entries: vec![entry.to_owned()],
        files: Vec::new(),
    };
    mirror.write("x.tar", layout.tar());
    let run = mirror.run_pinned(&["-v", "--images", "x.tar"]);
    let why = "index.json: \"a\\nb.zst: \\u{2705} Signature valid \\u{bb} c\" is not sha256: with 64 lower-case digits";
    assert_eq!(said(&run), super::refused(why));
}
