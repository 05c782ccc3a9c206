//! Images inside bundles, compared with those of an earlier run.

use serde_json::{Value, json};

use crate::support::bundles::{Image, Layout, zstd};
use crate::support::{Mirror, Run, sign};

fn image(content: &str) -> Image {
    Image::new("amd64", &[content.as_bytes()])
}

/// Writes the bundle `m/b.zst` with these images and its signature.
fn write(mirror: &Mirror, images: &[(&str, &str)]) {
    let mut layout = Layout::default();
    for (name, content) in images {
        layout.add(name, &image(content));
    }
    let bundle = zstd(&layout.tar());
    mirror.write("m/b.zst", &bundle);
    mirror.write("m/b.sig.bin", sign(&mirror.key, &bundle));
}

const ONE: &str = "registry.example.com/one:1";
const TWO: &str = "registry.example.com/two:1";

/// A mirror with a bundle of two images, and the report of a run over it in `b.json`.
fn accepted() -> Mirror {
    let mirror = Mirror::new();
    write(&mirror, &[(ONE, "one"), (TWO, "two")]);
    let run = mirror.run_pinned(&["--images", "--report", "b.json", "m"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    mirror
}

fn audit(mirror: &Mirror, arguments: &[&str]) -> Run {
    mirror.run_pinned(&[&["--baseline", "b.json"], arguments].concat())
}

/// What is said of differences, without contents, and their sum.
fn findings(run: &Run) -> Vec<String> {
    let lines = run
        .stderr
        .lines()
        .filter_map(|line| Some(line.split_once(": ")?.1));
    let is_finding =
        |line: &&str| line.starts_with("m/") || line.starts_with("audit against b.json, of ");
    let lines = lines.filter(is_finding);
    lines
        .map(|line| line.split_once("Z: ").map_or(line, |(_, result)| result))
        .map(without_contents)
        .collect()
}

/// Replaces each content, which has to be a known one, by `#`.
fn without_contents(line: &str) -> String {
    let mut pieces = line.split("SHA-256 ");
    let mut text = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_at(64);
        assert!(digits.bytes().all(|b| b.is_ascii_hexdigit()), "{line}");
        let (size, rest) = rest.strip_prefix(" (").unwrap().split_once(')').unwrap();
        assert!(size.ends_with(" bytes"), "{line}");
        text = text + "#" + rest;
    }
    text
}

const CHANGED: &str = "m/b.zst: ❌ Modified: the baseline has #; now #";

#[test]
fn images_that_are_what_the_baseline_says_pass() {
    let mirror = accepted();
    let run = audit(&mirror, &["--images", "m"]);
    assert_eq!(findings(&run), ["no difference"]);
    assert_eq!(run.status, Some(0));
}

#[test]
fn an_image_that_came_went_or_changed_is_named_behind_its_bundle() {
    for (images, lines, result) in [
        (
            &[(ONE, "one"), (TWO, "two"), ("quay.io/new:1", "new")][..],
            &["m/b.zst » quay.io/new:1: ❌ Image added: the baseline does not have it; #"][..],
            "1 modified, 1 image added",
        ),
        (
            &[(ONE, "one")],
            &["m/b.zst » registry.example.com/two:1: ❌ Image removed: the baseline has it, #"],
            "1 modified, 1 image removed",
        ),
        (
            &[(ONE, "one"), (TWO, "another")],
            &["m/b.zst » registry.example.com/two:1: ❌ Image modified: the baseline has #; now #"],
            "1 modified, 1 image modified",
        ),
        // Old content under the name of the new.
        (
            &[(ONE, "two"), (TWO, "one")],
            &[
                "m/b.zst » registry.example.com/one:1: ❌ Image modified: the baseline has #; now #",
                "m/b.zst » registry.example.com/two:1: ❌ Image modified: the baseline has #; now #",
            ],
            "1 modified, 2 image modified",
        ),
    ] {
        let mirror = accepted();
        write(&mirror, images);
        let run = audit(&mirror, &["--images", "--report", "now.json", "m"]);
        assert_eq!(findings(&run), [&[CHANGED], lines, &[result]].concat());
        assert_eq!(run.status, Some(1));
        let text = std::fs::read(mirror.path().join("now.json")).unwrap();
        let report: Value = serde_json::from_slice(&text).unwrap();
        let found = report["summary"]["audit"]["findings"].as_array().unwrap();
        assert_eq!(found.len(), 1 + lines.len());
        for (finding, line) in found[1..].iter().zip(lines) {
            let (subject, words) = line.split_once(": ❌ Image ").unwrap();
            let (path, name) = subject.split_once(" » ").unwrap();
            let kind = format!("image-{}", words.split(':').next().unwrap());
            let expected = json!([kind, path, name]);
            assert_eq!(
                json!([finding["finding"], finding["path"], finding["image"]]),
                expected
            );
            for (member, unlike) in [("old", "image-added"), ("new", "image-removed")] {
                let is_known =
                    finding[member]["sha256"].is_string() && finding[member]["size"].is_u64();
                assert_eq!(is_known, kind != unlike, "{finding}");
            }
        }
    }
}

#[test]
fn images_of_a_bundle_that_came_or_went_are_named_with_it_alone() {
    let mirror = accepted();
    std::fs::remove_file(mirror.path().join("m/b.sig.bin")).unwrap();
    std::fs::rename(mirror.path().join("m/b.zst"), mirror.path().join("m/c.zst")).unwrap();
    let bundle = std::fs::read(mirror.path().join("m/c.zst")).unwrap();
    mirror.write("m/c.sig.bin", sign(&mirror.key, &bundle));
    let run = audit(&mirror, &["--images", "m"]);
    let renamed = "m/c.zst: ❌ Renamed: the baseline has this content as m/b.zst; #";
    assert_eq!(findings(&run), [renamed, "1 renamed"]);
    assert_eq!(run.status, Some(1));
}

#[test]
fn images_of_a_saved_image_are_compared_though_the_file_has_no_signature() {
    let mirror = Mirror::new();
    let write = |content: &str| {
        let mut layout = Layout::default();
        let image = image(content);
        layout.add(ONE, &image);
        layout.sign(&mirror.key, "registry.example.com/one", &image.manifest);
        mirror.write("m/x.tar", layout.tar());
    };
    write("one");
    let run = mirror.run_pinned(&["--images", "--report", "b.json", "m"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert_eq!(audit(&mirror, &["--images", "m"]).status, Some(0));
    write("older, and signed as well");
    let run = audit(&mirror, &["--images", "m"]);
    let line = "m/x.tar » registry.example.com/one:1: ❌ Image modified: the baseline has #; now #";
    let archive = "m/x.tar: ❌ Modified: the baseline has #; now #";
    assert_eq!(
        findings(&run),
        [archive, line, "1 modified, 1 image modified"]
    );
    assert_eq!(run.status, Some(1));
    // The file went.
    std::fs::remove_file(mirror.path().join("m/x.tar")).unwrap();
    mirror.write_signed("m/y.zst", "m/y.sig.bin", b"another");
    let run = audit(&mirror, &["--images", "m"]);
    let expected = [
        "m/x.tar: ❌ Removed: the baseline has it, #",
        "m/y.zst: ❌ Added: the baseline does not have it; #",
        "1 removed, 1 added",
    ];
    assert_eq!(findings(&run), expected);
    assert_eq!(run.status, Some(1));
}

#[test]
fn a_baseline_with_images_needs_a_run_that_judges_them() {
    let mirror = accepted();
    let run = audit(&mirror, &["m"]);
    assert_eq!((run.stdout.as_str(), run.status), ("", Some(2)));
    let line = "error: b.json: this baseline lists images, and this run does not judge any";
    assert_eq!(run.stderr.lines().next(), Some(line));
}

#[test]
fn a_baseline_without_images_says_nothing_of_them() {
    let mirror = accepted();
    let run = mirror.run_pinned(&["--report", "b.json", "m"]);
    assert_eq!(run.status, Some(0));
    let run = audit(&mirror, &["--images", "m"]);
    assert_eq!(
        findings(&run).last().map(String::as_str),
        Some(
            "no difference; images were not compared, since this baseline lists none: make a new one with --images"
        )
    );
    assert_eq!(run.status, Some(0));
}

#[test]
fn an_archive_with_other_bytes_and_the_same_images_is_a_difference() {
    let mirror = Mirror::new();
    let mut layout = Layout::default();
    let image = image("one");
    layout.add(ONE, &image);
    layout.sign(&mirror.key, "registry.example.com/one", &image.manifest);
    let archive = layout.tar();
    mirror.write("m/x.tar", &archive);
    let run = mirror.run_pinned(&["--images", "--report", "b.json", "m"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    // More zeros at the end of an archive change nothing of what it holds.
    let longer = [archive.as_slice(), &[0; 10240]].concat();
    mirror.write("m/x.tar", &longer);
    let run = audit(&mirror, &["--images", "m", "--report", "now.json"]);
    let line = "m/x.tar: ❌ Modified: the baseline has #; now #";
    assert_eq!(findings(&run), [line, "1 modified"], "{}", run.stderr);
    assert_eq!(run.status, Some(1));
    let text = std::fs::read(mirror.path().join("now.json")).unwrap();
    let report: Value = serde_json::from_slice(&text).unwrap();
    let finding = &report["summary"]["audit"]["findings"][0];
    let content = |bytes: &[u8]| {
        let digest = verify_signatures::Digest::of(bytes).to_string();
        json!({"sha256": digest, "size": bytes.len()})
    };
    assert_eq!(finding["old"], content(&archive));
    assert_eq!(finding["new"], content(&longer));
    assert_eq!(report["artifacts"][0]["archive"], content(&longer));
}

#[test]
fn an_image_whose_signature_was_taken_away_is_a_difference_though_it_is_accepted_unsigned() {
    let mirror = Mirror::new();
    let mut layout = Layout::default();
    let one = image("one");
    layout.add(ONE, &one);
    let bundle = zstd(&layout.tar());
    mirror.write("m/b.zst", &bundle);
    mirror.write("m/b.sig.bin", sign(&mirror.key, &bundle));
    layout.sign(&mirror.key, "registry.example.com/one", &one.manifest);
    mirror.write("signatures.tar", layout.tar());
    let unpack = "mkdir s && tar -xf signatures.tar -C s";
    let mut shell = std::process::Command::new("sh");
    let unpacked = shell
        .args(["-c", unpack])
        .current_dir(mirror.path())
        .status();
    assert!(unpacked.unwrap().success());
    let with = ["--images", "--image-signatures", "s", "m"];
    let run = mirror.run_pinned(&[&["--report", "b.json"], &with[..]].concat());
    assert!(
        run.stdout.contains("✅ Image signature valid"),
        "{}",
        run.stdout
    );
    assert_eq!(audit(&mirror, &with).status, Some(0));
    let run = audit(&mirror, &["--images", "m"]);
    assert!(
        run.stdout.contains("⚠️ Image not signed, intact"),
        "{}",
        run.stdout
    );
    let line = "m/b.zst » registry.example.com/one:1: ❌ Image signature lost: valid in the baseline, and not any more; the same #";
    assert_eq!(findings(&run), [line, "1 image signature lost"]);
    assert_eq!(run.status, Some(1));
}
