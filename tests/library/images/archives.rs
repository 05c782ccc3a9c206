//! Docker's archives: a configuration, layers, and a signed manifest from elsewhere.

use serde_json::{Value, json};
use verify_signatures::internals::image::{Contents, Outer};
use verify_signatures::{ImageFailure, Unclaimed, Verdict};

use super::made::*;

/// An archive of an image with two uncompressed layers, as `docker save` wrote it.
fn saved(tags: &[&str]) -> Source {
    let mut source = Source::default();
    let config = config("linux/amd64", &[id("one"), id("two")]);
    source
        .file("c.json", config)
        .file("a/layer.tar", "one")
        .file("b/layer.tar", "two");
    source.file(
        "manifest.json",
        list(tags, &["a/layer.tar", "b/layer.tar"]).to_string(),
    );
    source
}

fn list(tags: &[&str], layers: &[&str]) -> Value {
    json!([{"Config": "c.json", "RepoTags": tags, "Layers": layers}])
}

/// Returns the manifest that the registry has of it, and a signature over that.
fn pulled(key: u8, layers: [&str; 2]) -> (String, String) {
    let config = descriptor(CONFIG, config("linux/amd64", &[id("one"), id("two")]));
    let layers = layers.map(|layer| descriptor(LAYER, layer));
    let manifest = json!({"schemaVersion": 2, "config": config, "layers": layers}).to_string();
    let signature = signature(&id(&manifest), key, "r.example/a");
    (manifest, signature)
}

fn outside((manifest, signature): &(String, String)) -> Contents {
    let mut outside = Contents::default();
    assert!(outside.bring(manifest.as_bytes()));
    assert!(outside.bring(signature.as_bytes()));
    outside
}

fn differ(words: &str) -> Verdict {
    Verdict::Image(ImageFailure::LayersDiffer(words.into()))
}

fn unsigned(allowed: bool) -> Verdict {
    let why = Unclaimed::NoSignature;
    Verdict::Unsigned { allowed, why }
}

#[test]
fn an_archive_with_uncompressed_layers_is_signed_by_the_manifest_that_was_brought_along() {
    let source = saved(&["r.example/a:1"]);
    let outside = outside(&pulled(VENDOR, ["one as gzip", "two as gzip"]));
    let judgement = source.judged_with(&outside, &policy(), Outer::NotValid);
    let judged = one(&judgement);
    assert_eq!(judged.verdict, valid());
    assert_eq!(
        *judged.image.id,
        *id(config("linux/amd64", &[id("one"), id("two")]))
    );
    assert_eq!(judged.image.platforms[0].name, "linux/amd64".into());
    assert_eq!(source.verdict(), unsigned(false));
    let by_another = pulled(2, ["one as gzip", "two as gzip"]);
    let judgement = source.judged_with(&self::outside(&by_another), &policy(), Outer::NotValid);
    assert_eq!(one(&judgement).verdict.reason().name(), "no-key-verifies");
}

#[test]
fn a_signed_manifest_of_another_configuration_signs_nothing_here() {
    let mut source = saved(&[]);
    let changed = config("linux/amd64", &[id("one"), id("two")]).replace(r#""sh""#, r#""rm""#);
    source.replace("c.json", changed.as_bytes());
    let outside = outside(&pulled(VENDOR, ["one as gzip", "two as gzip"]));
    let judgement = source.judged_with(&outside, &policy(), Outer::NotValid);
    assert_eq!(one(&judgement).verdict, unsigned(false));
}

#[test]
fn layers_of_another_content_order_or_number_differ() {
    for (layers, words) in [
        (
            vec!["b/layer.tar", "a/layer.tar"],
            "layer 1 differs from its configuration",
        ),
        (
            vec!["a/layer.tar", "a/layer.tar"],
            "layer 2 differs from its configuration",
        ),
        (
            vec!["a/layer.tar"],
            "it has 1 layers; its configuration lists 2",
        ),
        (
            vec!["a/layer.tar", "b/layer.tar", "b/layer.tar"],
            "it has 3 layers; its configuration lists 2",
        ),
    ] {
        let mut source = saved(&[]);
        source.replace("manifest.json", list(&[], &layers).to_string().as_bytes());
        assert_eq!(source.verdict(), differ(words));
    }
    let mut source = saved(&[]);
    source.replace("b/layer.tar", b"tw");
    assert_eq!(
        source.verdict(),
        differ("layer 2 differs from its configuration")
    );
}

#[test]
fn compressed_layers_need_a_name_or_a_manifest_that_tells_their_digest() {
    let names = ["one as gzip", "two as gzip"].map(|layer| format!("{}.tar.gz", &id(layer)[7..]));
    let compressed = |names: &[String; 2]| {
        let mut source = saved(&[]);
        source.remove("a/layer.tar");
        source.remove("b/layer.tar");
        source
            .file(&names[0], "one as gzip")
            .file(&names[1], "two as gzip");
        let layers: Vec<&str> = names.iter().map(|name| &**name).collect();
        source.replace("manifest.json", list(&[], &layers).to_string().as_bytes());
        source
    };
    assert_eq!(compressed(&names).verdict(), unsigned(false));
    let unnamed = compressed(&["x".into(), "y".into()]);
    let words = "layer 1 cannot be checked: no manifest gives its digest";
    assert_eq!(unnamed.verdict(), differ(words));
    let brought = outside(&pulled(VENDOR, ["one as gzip", "two as gzip"]));
    let judgement = unnamed.judged_with(&brought, &policy(), Outer::NotValid);
    assert_eq!(one(&judgement).verdict, valid());
    let others = outside(&pulled(VENDOR, ["one as gzip", "other"]));
    let judgement = compressed(&names).judged_with(&others, &policy(), Outer::NotValid);
    let words = "its layers are not those of the signed manifest";
    assert_eq!(one(&judgement).verdict, differ(words));
}

#[test]
fn a_member_that_is_missing_or_no_configuration_fails() {
    for (path, missing) in [("c.json", "c.json"), ("a/layer.tar", "a/layer.tar")] {
        let mut source = saved(&[]);
        source.remove(path);
        let missing = ImageFailure::BlobMissing(missing.into());
        assert_eq!(source.verdict(), Verdict::Image(missing));
    }
    let mut source = saved(&[]);
    source.replace("c.json", b"[]");
    let why = "it is not the configuration of an image".into();
    let document = id("[]").into();
    assert_eq!(
        source.verdict(),
        Verdict::Image(ImageFailure::Malformed { document, why })
    );
}

#[test]
fn a_layer_may_be_a_link_to_a_regular_member_and_no_other_link_is_taken() {
    let mut source = saved(&[]);
    source.replace(
        "manifest.json",
        list(&[], &["a/layer.tar", "l/layer.tar"])
            .to_string()
            .as_bytes(),
    );
    source.links = vec![("l/layer.tar".into(), "b/layer.tar".into())];
    assert_eq!(source.verdict(), unsigned(false));
    for (path, target) in [
        ("l/layer.tar", "nowhere"),
        ("l/layer.tar", "b"),
        ("index.json", "c.json"),
        ("l", "b/layer.tar"),
    ] {
        source.links = vec![(path.into(), target.into())];
        let words = format!("{path} is a link, and not to a layer that is here");
        assert_eq!(source.judged().failures[0].to_string(), words);
    }
}

#[test]
fn several_tags_are_several_images() {
    let judgement = saved(&["b:1", "a:1"]).judged_by(&policy(), Outer::Valid);
    let expected = [(Some("a:1"), unsigned(true)), (Some("b:1"), unsigned(true))];
    assert_eq!(verdicts(&judgement), expected);
}

#[test]
fn an_image_in_both_entry_documents_is_one_image_and_manifest_json_names_it() {
    let mut source = saved(&["a:1"]);
    let config = source.blob(CONFIG, config("linux/amd64", &[id("one"), id("two")]));
    let layers = ["one", "two"].map(|layer| source.blob(LAYER, layer));
    let manifest = source.manifest(&config, &layers);
    source.list(&manifest, "");
    let outside = outside(&pulled(VENDOR, ["one as gzip", "two as gzip"]));
    let judgement = source.judged_with(&outside, &policy(), Outer::NotValid);
    assert_eq!(verdicts(&judgement), [(Some("a:1"), valid())]);
    assert_eq!(
        *judgement.images[0].image.id,
        *manifest["digest"].as_str().unwrap()
    );
    // One that is not whole is told.
    source.remove("b/layer.tar");
    let judgement = source.judged_with(&outside, &policy(), Outer::NotValid);
    assert!(
        judgement
            .images
            .iter()
            .any(|judged| judged.verdict.reason().name() == "blob-missing")
    );
}

#[test]
fn both_entry_documents_are_judged_where_they_list_different_images() {
    let mut source = saved(&["a:1"]);
    let image = source.image("x", "linux/amd64", 1);
    source
        .list(&image, "docker.io/library/b:1")
        .sign(&image, VENDOR, "docker.io/library/b");
    let expected = [
        (Some("a:1"), unsigned(false)),
        (Some("docker.io/library/b:1"), valid()),
    ];
    assert_eq!(verdicts(&source.judged()), expected);
    let mut source = saved(&["a:1"]);
    let image = source.image("x", "linux/amd64", 1);
    source
        .list(&image, "docker.io/library/a:1")
        .sign(&image, VENDOR, "docker.io/library/a");
    let statuses = source
        .judged()
        .images
        .into_iter()
        .map(|judged| judged.verdict.reason().name());
    assert!(statuses.eq(["name-twice", "name-twice"]));
}

#[test]
fn an_index_json_without_images_leaves_those_of_manifest_json() {
    let mut source = saved(&["a:1"]);
    source.file("index.json", r#"{"manifests":null}"#);
    source.file("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    assert_eq!(verdicts(&source.judged()), [(Some("a:1"), unsigned(false))]);
}

#[test]
fn a_manifest_that_nobody_signed_has_no_signature_of_another_with_its_content() {
    let contents = ["one", "two"];
    let judged = |is_saved: bool, media_types: [&str; 2], has_last: bool| {
        let mut source = match is_saved {
            true => saved(&["r.example/a:1"]),
            false => Source::default(),
        };
        let config = source.blob(CONFIG, config("linux/amd64", &contents.map(id)));
        let (manifest, signature) = pulled(VENDOR, contents);
        source.blob("", manifest);
        source.blob("", signature);
        let mut layers = contents.map(|layer| source.blob(LAYER, layer));
        for (layer, media_type) in layers.iter_mut().zip(media_types) {
            layer["mediaType"] = json!(media_type);
            layer["urls"] = json!(["https://evil.example/x"]);
        }
        let changed = source.manifest(&config, &layers);
        source.list(&changed, "r.example/a:1");
        if !has_last {
            source.remove(&blob_path("two"));
        }
        let judgement = source.judged();
        one(&judgement).verdict.clone()
    };
    assert_eq!(judged(true, [LAYER, LAYER], true), valid());
    assert_eq!(judged(false, [LAYER, LAYER], true), unsigned(false));
    let encrypted = "application/vnd.oci.image.layer.v1.tar+encrypted";
    for other in [FOREIGN, encrypted] {
        assert_eq!(judged(false, [LAYER, other], true), unsigned(false));
    }
    assert_eq!(judged(false, [LAYER, FOREIGN], false), unsigned(false));
    // With what `docker save` writes, the same under another type is an image of its own.
    for other in [FOREIGN, encrypted] {
        let mut source = saved(&[]);
        let config = source.blob(CONFIG, config("linux/amd64", &contents.map(id)));
        let layers = [source.blob(LAYER, "one"), source.blob(other, "two")];
        let changed = source.manifest(&config, &layers);
        source.list(&changed, "r.example/a:1");
        let judgement = source.judged_with(
            &outside(&pulled(VENDOR, contents)),
            &policy(),
            Outer::NotValid,
        );
        let mut verdicts = verdicts(&judgement).into_iter();
        let of_changed = verdicts.find(|(name, _)| name.is_some());
        assert_eq!(of_changed, Some((Some("r.example/a:1"), unsigned(false))));
    }
}
