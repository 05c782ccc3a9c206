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

/// What is said of differences, and their sum.
fn findings(run: &Run) -> Vec<&str> {
    let lines = run
        .stderr
        .lines()
        .filter_map(|line| Some(line.split_once(": ")?.1));
    let is_finding =
        |line: &&str| line.starts_with("m/") || line.starts_with("audit against b.json, of ");
    let lines = lines.filter(is_finding);
    lines
        .map(|line| line.split_once("Z: ").map_or(line, |(_, result)| result))
        .collect()
}

const CHANGED: &str = "m/b.zst: ❌ Changed: not the content that the baseline has";

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
            &["m/b.zst » quay.io/new:1: ❌ Image added: the baseline does not have it"][..],
            "1 changed, 1 image added",
        ),
        (
            &[(ONE, "one")],
            &["m/b.zst » registry.example.com/two:1: ❌ Image missing: the baseline has it"],
            "1 changed, 1 image missing",
        ),
        (
            &[(ONE, "one"), (TWO, "another")],
            &[
                "m/b.zst » registry.example.com/two:1: ❌ Image changed: its digest differs from the baseline",
            ],
            "1 changed, 1 image changed",
        ),
        // Old content under the name of the new.
        (
            &[(ONE, "two"), (TWO, "one")],
            &[
                "m/b.zst » registry.example.com/one:1: ❌ Image changed: its digest differs from the baseline",
                "m/b.zst » registry.example.com/two:1: ❌ Image changed: its digest differs from the baseline",
            ],
            "1 changed, 2 image changed",
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
            assert_eq!(
                *finding,
                json!({"finding": kind, "path": path, "image": name})
            );
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
    let renamed = "m/c.zst: ❌ Renamed: the baseline has this content as m/b.zst";
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
    let line = "m/x.tar » registry.example.com/one:1: ❌ Image changed: its digest differs from the baseline";
    assert_eq!(findings(&run), [line, "1 image changed"]);
    assert_eq!(run.status, Some(1));
    // The file went.
    std::fs::remove_file(mirror.path().join("m/x.tar")).unwrap();
    mirror.write_signed("m/y.zst", "m/y.sig.bin", b"another");
    let run = audit(&mirror, &["--images", "m"]);
    let expected = [
        "m/x.tar: ❌ Missing: the baseline has it",
        "m/y.zst: ❌ Added: the baseline does not have it",
        "1 missing, 1 added",
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
        findings(&run).last(),
        Some(
            &"no difference; images were not compared, since this baseline lists none: make a new one with --images"
        )
    );
    assert_eq!(run.status, Some(0));
}
