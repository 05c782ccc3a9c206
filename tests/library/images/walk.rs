//! The walk from an image's digest down to its last blob.

use serde_json::json;
use verify_signatures::{ContentsFailure, Digest, ImageFailure, Verdict};

use super::made::*;

/// A source with one document as the root of its only image.
fn with_root(media_type: &str, document: &str) -> Source {
    let mut source = Source::default();
    let root = source.blob(media_type, document);
    source.list(&root, "").sign(&root, VENDOR, "r.example/a");
    source
}

fn malformed(document: &str, why: &str) -> Verdict {
    Verdict::Image(ImageFailure::Malformed {
        document: id(document).into(),
        why: why.into(),
    })
}

#[test]
fn a_whole_and_signed_image_is_valid_with_all_its_blobs_counted_once() {
    let source = signed();
    let mut policy = policy();
    policy.wants_blobs = true;
    let judgement = source.judged_by(
        &policy,
        verify_signatures::internals::image::Outer::NotValid,
    );
    let judged = one(&judgement);
    assert_eq!(judged.verdict, valid());
    assert_eq!(judged.image.name.as_deref(), Some("r.example/a:1"));
    assert_eq!(
        *judged.image.id,
        *source.entries[0]["digest"].as_str().unwrap()
    );
    assert_eq!(
        judged
            .digest
            .map(|digest| format!("sha256:{digest}"))
            .as_deref(),
        Some(&*judged.image.id)
    );
    let sizes = source
        .members
        .iter()
        .filter(|(_, content)| !content.starts_with(b"{\"Base64"));
    assert_eq!(
        judged.size,
        sizes.map(|(_, content)| content.len() as u64).sum::<u64>()
    );
    assert_eq!(judged.image.blobs.len(), 4);
    assert_eq!(judgement.notes, []);
}

#[test]
fn a_layer_that_is_missing_makes_an_image_incomplete() {
    let mut source = signed();
    source.remove(&blob_path("a layer 1"));
    let missing = ImageFailure::BlobMissing(id("a layer 1").into());
    assert_eq!(source.verdict(), Verdict::Image(missing));
}

#[test]
fn a_blob_counts_by_its_content_wherever_it_is() {
    let mut source = signed();
    source.remove(&blob_path("a layer 1"));
    source.file("elsewhere", "a layer 1");
    assert_eq!(source.verdict(), valid());
}

#[test]
fn a_blob_with_the_name_of_another_fails_the_contents_whoever_uses_it() {
    let mut source = signed();
    let path = blob_path("a layer 1");
    source.replace(&path, b"a layer");
    let judgement = source.judged();
    let digest = Digest::of(b"a layer");
    let name = path.clone().into();
    assert_eq!(
        judgement.failures,
        [ContentsFailure::Mislabelled { name, digest }]
    );
    assert!(!judgement.images[0].verdict.passes());
    let mut source = signed();
    source.file(format!("x/{}", blob_path("nobody's")), "other");
    let (name, digest) = (
        format!("x/{}", blob_path("nobody's")).into(),
        Digest::of(b"other"),
    );
    assert_eq!(
        source.judged().failures[0],
        ContentsFailure::Mislabelled { name, digest }
    );
}

#[test]
fn a_size_that_differs_from_the_documents_fails() {
    let mut source = Source::default();
    let config = source.blob(CONFIG, config("linux/amd64", &[]));
    let mut layer = source.blob(LAYER, "layer");
    layer["size"] = json!(6);
    let image = source.manifest(&config, &[layer]);
    source.list(&image, "");
    let size = ImageFailure::BlobSize {
        digest: id("layer").into(),
        promised: 6,
        actual: 5,
    };
    assert_eq!(source.verdict(), Verdict::Image(size));
}

#[test]
fn a_blob_that_is_named_twice_must_have_the_right_size_both_times() {
    let mut source = Source::default();
    let config = source.blob(CONFIG, config("linux/amd64", &[]));
    let layer = source.blob(LAYER, "layer");
    let mut wrong = layer.clone();
    wrong["size"] = json!(4);
    let image = source.manifest(&config, &[layer.clone(), wrong]);
    source.list(&image, "");
    assert_eq!(source.verdict().reason().name(), "blob-size");
    let mut source = Source::default();
    let config = source.blob(CONFIG, super::made::config("linux/amd64", &[]));
    let layer = source.blob(LAYER, "layer");
    let image = source.manifest(&config, &[layer.clone(), layer]);
    source.list(&image, "").sign(&image, VENDOR, "r");
    assert_eq!(source.verdict(), valid());
}

#[test]
fn a_document_that_is_an_index_and_a_manifest_at_once_is_malformed() {
    let document = r#"{"schemaVersion":2,"manifests":[],"layers":[],"config":{}}"#;
    for media_type in [INDEX, MANIFEST] {
        let why = "it is both an index and a manifest";
        assert_eq!(
            with_root(media_type, document).verdict(),
            malformed(document, why)
        );
    }
}

#[test]
fn descriptors_and_documents_must_agree_on_what_a_document_is() {
    let index = r#"{"schemaVersion":2,"manifests":[]}"#;
    let why = "it is not of the media type that its descriptor gives it";
    assert_eq!(with_root(MANIFEST, index).verdict(), malformed(index, why));
    assert_eq!(with_root(CONFIG, index).verdict(), malformed(index, why));
    let typed = format!(r#"{{"mediaType":"{MANIFEST}","manifests":[]}}"#);
    let why = "its media type does not match its content";
    assert_eq!(with_root(INDEX, &typed).verdict(), malformed(&typed, why));
}

#[test]
fn dockers_types_mix_with_those_of_the_specification() {
    const LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    let mut source = Source::default();
    let image = source.image("a", "linux/amd64", 1);
    let list = json!({"schemaVersion": 2, "mediaType": LIST, "manifests": [image]}).to_string();
    // As some write it; a slash may be escaped in JSON.
    let list = list.replace('/', r"\/");
    let root = source.blob(INDEX, list);
    source.list(&root, "").sign(&root, VENDOR, "r");
    assert_eq!(source.verdict(), valid());
}

#[test]
fn documents_that_programs_read_differently_are_malformed() {
    for (document, why) in [
        (
            r#"{"schemaVersion":1,"fsLayers":[]}"#.to_owned(),
            "it is a manifest of schema 1, which names no configuration",
        ),
        (
            r#"{"schemaVersion":3,"manifests":[]}"#.to_owned(),
            "its schema version is not 2",
        ),
        (
            r#"{"manifests":[],"Manifests":[]}"#.to_owned(),
            r#"some programs read the key "Manifests" as "manifests""#,
        ),
        (
            format!(r#"{{"mediaType":"{MANIFEST}","layers":[]}}"#),
            r#""config" is missing"#,
        ),
        (
            format!(r#"{{"mediaType":"{MANIFEST}"}}"#),
            r#""config" is missing"#,
        ),
        (
            "{}".to_owned(),
            "it is neither an index nor a manifest of 4 MiB at most",
        ),
        (
            r#"{"manifests":[],"manifests":[]}"#.to_owned(),
            "it is neither an index nor a manifest of 4 MiB at most",
        ),
        (
            "not JSON".to_owned(),
            "it is neither an index nor a manifest of 4 MiB at most",
        ),
    ] {
        assert_eq!(
            with_root(INDEX, &document).verdict(),
            malformed(&document, why)
        );
    }
}

#[test]
fn digests_are_sha256_in_lower_case_and_nothing_else() {
    let hex = Digest::of(b"x").to_string();
    for digest in [
        format!("sha512:{hex}{hex}"),
        format!("sha256:{}", hex.to_uppercase()),
        format!("SHA256:{hex}"),
        format!("sha256:{}", &hex[1..]),
        hex,
    ] {
        let descriptor = json!({"mediaType": MANIFEST, "digest": digest, "size": 1});
        let document = json!({"manifests": [descriptor]}).to_string();
        let why = format!("{digest:?} is not sha256: with 64 lower-case digits");
        assert_eq!(
            with_root(INDEX, &document).verdict(),
            malformed(&document, &why)
        );
    }
}

#[test]
fn eight_nested_indexes_are_judged_and_nine_are_not() {
    for (depth, expected) in [
        (8, valid()),
        (
            9,
            Verdict::Image(ImageFailure::TooLarge(
                "its indexes are nested more than 8 levels deep".into(),
            )),
        ),
    ] {
        let mut source = Source::default();
        let mut root = source.image("a", "linux/amd64", 1);
        for _ in 0..depth {
            root = source.index(&[root]);
        }
        source.list(&root, "").sign(&root, VENDOR, "r");
        assert_eq!(source.verdict(), expected);
    }
}

#[test]
fn an_image_of_too_many_parts_is_not_judged_and_costs_little() {
    let mut source = Source::default();
    let mut root = source.image("a", "linux/amd64", 1);
    for _ in 0..6 {
        root = source.index(&vec![root; 20]);
    }
    source.list(&root, "").sign(&root, VENDOR, "r");
    let words = "it consists of more than 100000 parts";
    assert_eq!(
        source.verdict(),
        Verdict::Image(ImageFailure::TooLarge(words.into()))
    );
}

#[test]
fn a_graph_in_place_of_a_blob_is_malformed_and_so_is_a_blob_in_place_of_a_graph() {
    let mut source = Source::default();
    let config = source.blob(CONFIG, config("linux/amd64", &[]));
    let inner = source.image("a", "linux/amd64", 1);
    let image = source.manifest(&config, std::slice::from_ref(&inner));
    source.list(&image, "").sign(&image, VENDOR, "r");
    let why = "a manifest lists an index or a manifest as a blob".into();
    let document = inner["digest"].as_str().unwrap().into();
    assert_eq!(
        source.verdict(),
        Verdict::Image(ImageFailure::Malformed { document, why })
    );

    let mut source = Source::default();
    let image = source.image("a", "linux/amd64", 1);
    let other = source.blob("text/plain", "x");
    let index = source.index(&[image, other]);
    source.list(&index, "").sign(&index, VENDOR, "r");
    let why = "its index lists it as neither an index nor a manifest".into();
    let document = id("x").into();
    assert_eq!(
        source.verdict(),
        Verdict::Image(ImageFailure::Malformed { document, why })
    );
}

#[test]
fn a_layer_that_may_not_be_passed_on_may_be_absent() {
    use verify_signatures::internals::image::ImageNote;
    for (media_type, urls, passes) in [
        (FOREIGN, json!(["https://example.com/x"]), true),
        (FOREIGN, json!([]), false),
        (LAYER, json!(["https://example.com/x"]), false),
    ] {
        let mut source = Source::default();
        let config = source.blob(CONFIG, config("windows/amd64", &[]));
        let mut layer = descriptor(media_type, "not here");
        layer["urls"] = urls;
        let image = source.manifest(&config, &[layer]);
        source
            .list(&image, "r.example/w")
            .sign(&image, VENDOR, "r.example/w");
        let judgement = source.judged();
        assert_eq!(one(&judgement).verdict.passes(), passes);
        if passes {
            let (image, digest) = ("r.example/w".into(), id("not here").into());
            let note = ImageNote::ForeignLayer {
                image,
                digest,
                others: 0,
            };
            assert_eq!(judgement.notes, [note]);
        }
    }
}

#[test]
fn a_configuration_that_could_mean_two_things_is_malformed() {
    for (text, why) in [
        (
            r#"{"os":"linux","OS":"windows"}"#,
            r#"some programs read the key "OS" as "os""#,
        ),
        (
            r#"{"os":"linux","os":"windows"}"#,
            "not JSON, or larger than 4 MiB",
        ),
        (
            r#"{"rootfs":{"diff_ids":["sha256:0"]}}"#,
            r#""sha256:0" is not sha256: with 64 lower-case digits"#,
        ),
    ] {
        let mut source = Source::default();
        let config = source.blob(CONFIG, text);
        let layer = source.blob(LAYER, "layer");
        let image = source.manifest(&config, &[layer]);
        source.list(&image, "").sign(&image, VENDOR, "r");
        assert_eq!(source.verdict(), malformed(text, why));
    }
}

#[test]
fn the_name_of_a_mislabelled_blob_is_escaped_once() {
    let mut source = signed();
    source.file(format!("a\\b\u{1b}/{}", blob_path("nobody's")), "other");
    let name = format!("a\\\\b\\u{{1b}}/{}", blob_path("nobody's")).into();
    let digest = Digest::of(b"other");
    let mislabelled = ContentsFailure::Mislabelled { name, digest };
    assert_eq!(source.judged().failures[0], mislabelled);
}
