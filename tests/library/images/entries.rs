//! Entry documents, and what a source without a usable one comes to.

use std::collections::BTreeSet;

use serde_json::json;
use verify_signatures::internals::image::{Contents, Outer, Policy};
use verify_signatures::{ContentsFailure, Digest, Verdict};

use super::made::*;

fn refused(source: &Source) -> String {
    match &source.judged().failures[..] {
        [ContentsFailure::Refused(words)] => words.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_layout_may_lie_below_any_directory_and_its_members_in_any_order() {
    let mut source = signed().all();
    source.members.reverse();
    assert_eq!(source.verdict(), valid());
    for (path, _) in &mut source.members {
        path.insert_str(0, "images/");
    }
    source.file("zarf.yaml", "x").file("checksums.txt", "x");
    assert_eq!(source.verdict(), valid());
}

#[test]
fn an_entry_document_that_is_read_in_two_ways_is_refused() {
    for (text, words) in [
        (
            r#"{"manifests":[],"Manifests":[]}"#,
            r#"index.json: some programs read the key "Manifests" as "manifests""#,
        ),
        (
            r#"{"manifests":[],"layers":[]}"#,
            "index.json: it is both an index and a manifest",
        ),
        (
            r#"{"manifests":[{}]}"#,
            "index.json: \"mediaType\" is missing",
        ),
        (
            r#"{"manifests":{}}"#,
            "index.json: \"manifests\" is not an array",
        ),
        ("{}", "index.json: it lists no manifests"),
        ("x", "index.json: it is not JSON"),
    ] {
        let mut source = signed().all();
        source.replace("index.json", text.as_bytes());
        assert_eq!(refused(&source), words);
    }
    let mut source = signed().all();
    source.replace("index.json", br#"{"manifests":[],"manifests":[]}"#);
    assert!(refused(&source).starts_with("index.json: duplicate key \"manifests\""));
    source.replace("index.json", br#"{"manifests":[]} {}"#);
    assert!(refused(&source).starts_with("index.json: trailing characters"));
}

#[test]
fn a_list_that_is_missing_hides_no_image() {
    let mut source = signed().all();
    source.remove("index.json");
    assert_eq!(
        refused(&source),
        "index.json: missing, although there are parts of a layout"
    );
    source.remove("oci-layout");
    assert_eq!(
        refused(&source),
        "index.json: missing, although there are parts of a layout"
    );
    let mut source = Source::default();
    source.file(format!("{}.json", Digest::of(b"c")), "{}");
    let words = "manifest.json: missing, although there are files named like parts of an image";
    assert_eq!(refused(&source), words);
    let mut source = Source::default();
    source
        .file("repositories", "{}")
        .file("x/layer.tar", "l")
        .file("x/VERSION", "1.0");
    assert_eq!(refused(&source), words);
}

#[test]
fn an_archive_from_before_manifest_json_is_refused_even_without_names() {
    for (directory, has_index) in [("", false), ("", true), ("x/", false)] {
        let mut source = if has_index {
            signed().all()
        } else {
            Source::default()
        };
        source
            .file(format!("{directory}abc/VERSION"), "1.0")
            .file(format!("{directory}abc/json"), r#"{"id":"abc"}"#)
            .file(format!("{directory}abc/layer.tar"), "layer");
        let words = "manifest.json: missing, although there are files named like parts of an image";
        assert_eq!(refused(&source), format!("{directory}{words}"));
        // With its list, Docker's loader looks at nothing else.
        source.file(
            format!("{directory}manifest.json"),
            r#"[{"Config":"c","Layers":[]}]"#,
        );
        assert_eq!(source.judged().failures, []);
    }
}

#[test]
fn a_list_that_is_too_large_to_be_read_is_refused() {
    let large = format!("[{}]", " ".repeat(4 << 20));
    for name in ["index.json", "manifest.json"] {
        let mut source = Source::default();
        source.file(name, &large);
        assert_eq!(refused(&source), format!("{name}: it is larger than 4 MiB"));
    }
}

#[test]
fn an_archives_list_that_is_read_in_two_ways_is_refused() {
    let mut source = Source::default();
    source.file(
        "manifest.json",
        r#"[{"Config":"c","Layers":[],"config":"d"}]"#,
    );
    let words = r#"manifest.json: some programs read the key "config" as "Config""#;
    assert_eq!(refused(&source), words);
    source.replace("manifest.json", br#"[{"Config":"../c","Layers":[]}]"#);
    assert_eq!(
        refused(&source),
        r#"manifest.json: "../c" is not the path of a member"#
    );
}

#[test]
fn a_layout_of_another_version_is_refused() {
    for (text, words) in [
        (
            r#"{"imageLayoutVersion":"2.0.0"}"#,
            "oci-layout: its version is not 1.0.0",
        ),
        ("x", "oci-layout: it is not JSON"),
    ] {
        let mut source = signed().all();
        source.replace("oci-layout", text.as_bytes());
        assert_eq!(refused(&source), words);
    }
}

#[test]
fn the_storage_of_a_registry_is_refused_as_not_supported() {
    let mut source = Source::default();
    source.file("x/docker/registry/v2/blobs/sha256/ab/abc/data", "x");
    let words = "a registry's storage directory, which is not supported";
    assert_eq!(refused(&source), words);
}

#[test]
fn files_that_have_nothing_to_do_with_images_are_no_images() {
    let mut source = Source::default();
    source
        .file("manifest.json", r#"{"name":"app"}"#)
        .file("index.json", "[1]");
    source
        .file("a/version", "1")
        .file("blobs/other/x", "x")
        .file("b/repositories", "x")
        .file("c/index.json", "{}");
    let judgement = source.judged();
    assert_eq!((judgement.images, judgement.failures), (vec![], vec![]));
}

#[test]
fn a_directory_of_skopeo_has_one_image_whose_blobs_have_bare_names() {
    let mut blobs = Source::default();
    let image = blobs.image("a", "linux/amd64", 2);
    let mut source = Source::default();
    for (path, content) in &blobs.members {
        let name = match *path == path_of(&image) {
            true => "manifest.json",
            false => path.strip_prefix("blobs/sha256/").unwrap(),
        };
        source.file(name, content);
    }
    source.file("version", "Directory Transport Version: 1.1\n");
    source.file(
        "signature-1",
        signature(image["digest"].as_str().unwrap(), VENDOR, "r"),
    );
    assert_eq!(source.verdict(), valid());
    let layer = id("a layer 1")[7..].to_owned();
    source.replace(&layer, b"other");
    let failures = source.judged().failures;
    let (name, digest) = (layer.into(), Digest::of(b"other"));
    assert_eq!(failures, [ContentsFailure::Mislabelled { name, digest }]);
}

#[test]
fn a_source_with_more_members_than_are_kept_is_not_judged() {
    let mut contents = signed().all().contents();
    let digest = Digest::of(b"x");
    (0..500_001).for_each(|_| contents.add_file(b"x", digest, 1, None));
    assert!(contents.is_over_limit());
    let artifact = verify_signatures::SharedPath::from(std::path::Path::new("b"));
    let outside = Contents::default();
    let judge = verify_signatures::internals::image::judge;
    let judgement = judge(&artifact, &contents, &outside, &policy(), Outer::Valid);
    let words = "it has more members or larger documents than are judged";
    assert_eq!(judgement.failures, [ContentsFailure::Limit(words.into())]);
    assert_eq!(judgement.images, []);
}

#[test]
fn a_few_documents_that_name_each_other_very_often_are_not_followed_for_ever() {
    let mut source = Source::default();
    let many = vec![descriptor(MANIFEST, "not here"); 20_000];
    let wide = source.index(&many);
    for number in 0..400 {
        let other = descriptor(MANIFEST, number.to_string());
        let root = source.index(&[wide.clone(), other]);
        source.list(&root, "");
    }
    let judgement = source.judged_by(&policy(), Outer::Valid);
    assert_eq!(judgement.images.len(), 400);
    let too_large = |verdict: &Verdict| verdict.reason().name() == "image-too-large";
    assert!(
        judgement
            .images
            .iter()
            .any(|judged| too_large(&judged.verdict))
    );
    assert!(
        !judgement
            .images
            .iter()
            .any(|judged| judged.verdict.passes())
    );
}

#[test]
fn an_empty_list_lists_nothing() {
    let mut source = signed().all();
    source.replace(
        "index.json",
        json!({"manifests": []}).to_string().as_bytes(),
    );
    let judgement = source.judged();
    assert_eq!((judgement.images, judgement.failures), (vec![], vec![]));
    assert_eq!(judgement.notes.len(), 1);
}

/// A source with `images` images of one index, each of which has `own` signatures by another key,
/// and the index `of_index`.
fn with_signatures(images: usize, own: usize, of_index: usize) -> Source {
    let mut source = Source::default();
    let children: Vec<_> = (0..images)
        .map(|number| source.image("a", &format!("linux/{number}"), 0))
        .collect();
    let index = source.index(&children);
    let mut sign = |image: &serde_json::Value, count: usize| {
        (0..count).for_each(|number| _ = source.sign(image, 2, &number.to_string()));
    };
    sign(&index, of_index);
    children.iter().for_each(|image| sign(image, own));
    children.iter().for_each(|image| _ = source.list(image, ""));
    source
}

fn reasons(source: &Source, policy: &Policy) -> BTreeSet<&'static str> {
    let images = source.judged_by(policy, Outer::NotValid).images;
    let reasons = images.iter().map(|judged| judged.verdict.reason().name());
    reasons.collect()
}

#[test]
fn signatures_of_an_index_are_verified_once_for_all_its_images() {
    // Verified for each image, they would be 200 000.
    let source = with_signatures(400, 0, 500);
    assert_eq!(reasons(&source, &policy()), ["no-key-verifies"].into());
}

#[test]
fn more_signatures_than_can_be_verified_in_a_while_are_not() {
    let source = with_signatures(30, 30, 0);
    let keys = |count: u8| Policy {
        keys: (10..10 + count).map(key).collect(),
        ..Policy::default()
    };
    // 27 000 and 90 000 verifications.
    assert_eq!(reasons(&source, &keys(30)), ["no-key-verifies"].into());
    let expected = ["image-too-large", "no-key-verifies"];
    assert_eq!(reasons(&source, &keys(100)), expected.into());
}
