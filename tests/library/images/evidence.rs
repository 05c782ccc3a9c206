//! What stands beside images: signatures and the like are none, and nothing passes as one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use verify_signatures::internals::image::{ImageNote, Judgement, Outer};

use super::made::*;

/// Adds a manifest with one layer of a media type, as Cosign writes its signatures.
fn attached(source: &mut Source, media_type: &str, content: &str) -> Value {
    let config = source.blob(CONFIG, config("/", &[]));
    let layer = source.blob(media_type, content);
    source.manifest(&config, &[layer])
}

fn listed(source: &mut Source, descriptor: &Value) {
    let mut descriptor = descriptor.clone();
    descriptor["annotations"] = json!({
        CONTAINERD: "r.example/a:sha256-00.sig",
        "kind": "dev.cosignproject.cosign/sigs",
    });
    source.entries.push(descriptor);
}

/// Adds the manifest of a signature of an image, as Cosign attaches it.
fn signature_of(source: &mut Source, image: &Value) -> Value {
    let line: Value = serde_json::from_str(&signature(
        image["digest"].as_str().unwrap(),
        VENDOR,
        "r.example/a",
    ))
    .unwrap();
    let payload = STANDARD.decode(line["Payload"].as_str().unwrap()).unwrap();
    let config = source.blob(CONFIG, config("/", &[]));
    let mut layer = source.blob(PAYLOAD, payload);
    layer["annotations"] =
        json!({"dev.cosignproject.cosign/signature": line["Base64Signature"].clone()});
    source.manifest(&config, &[layer])
}

fn names(judgement: &Judgement) -> Vec<(Option<&str>, &'static str)> {
    verdicts(judgement)
        .into_iter()
        .map(|(name, verdict)| (name, verdict.reason().name()))
        .collect()
}

#[test]
fn a_signature_is_no_image_and_an_attestation_in_the_form_of_one_is_listed_as_one() {
    const EMPTY: &str = "application/vnd.oci.empty.v1+json";
    let mut source = Source::default();
    let image = source.image("a", "linux/amd64", 1);
    source.list(&image, "r.example/a:1");
    let signature = signature_of(&mut source, &image);
    let config = source.blob(EMPTY, "{}");
    let layer = source.blob("application/vnd.in-toto+json", r#"{"_type":"x"}"#);
    let referrer = source.manifest(&config, &[layer]);
    let referrers = source.index(&[signature.clone(), referrer.clone()]);
    for evidence in [&signature, &referrer, &referrers] {
        listed(&mut source, evidence);
        source.list(evidence, "r.example/a:1");
    }
    let judgement = source.judged();
    assert_eq!(one(&judgement).verdict, valid());
    assert_eq!(judgement.notes, []);
    let dsse = "application/vnd.dsse.envelope.v1+json";
    for (media_type, name) in [(dsse, "r.example/a:1"), ("text/spdx+json", "r.example/b:1")] {
        let attestation = attached(&mut source, media_type, r#"{"x":1}"#);
        source.list(&attestation, name);
    }
    let expected = [
        (Some("r.example/a:1"), "key-verifies"),
        (Some("r.example/a:1"), "no-signature-file"),
        (Some("r.example/b:1"), "no-signature-file"),
    ];
    let judgement = source.judged();
    let mut found = names(&judgement);
    found.sort_unstable();
    assert_eq!(found, expected);
    let in_valid = source.judged_by(&policy(), Outer::Valid);
    assert!(in_valid.images.iter().all(|judged| judged.verdict.passes()));
}

/// Returns JSON that is a tar archive at once: its first block is the header of a first member.
fn json_and_tar() -> Vec<u8> {
    let mut text = format!("{{\"x\":\"{}\"}}", "y".repeat(1100)).into_bytes();
    text[148..156].fill(b' ');
    let sum: u32 = text[..512].iter().map(|byte| u32::from(*byte)).sum();
    text[148..156].copy_from_slice(format!("{sum:06o}  ").as_bytes());
    text
}

#[test]
fn what_could_be_unpacked_or_run_is_an_image_whatever_its_types() {
    let types = [
        "application/spdx+json",
        "application/vnd.in-toto+json",
        PAYLOAD,
    ];
    for media_type in types {
        for (config_type, config, layer) in [
            (CONFIG, config("linux/amd64", &[]), br#"{"x":1}"#.to_vec()),
            ("x/y", config("linux/amd64", &[]), br#"{"x":1}"#.to_vec()),
            (CONFIG, config("/", &[]), json_and_tar()),
            ("x/y", "{}".to_owned(), json_and_tar()),
        ] {
            let mut source = Source::default();
            let config = source.blob(config_type, config);
            let layer = source.blob(media_type, layer);
            let manifest = source.manifest(&config, &[layer]);
            source.list(&manifest, "r.example/a:1");
            let expected = [(Some("r.example/a:1"), "no-signature-file")];
            assert_eq!(names(&source.judged()), expected);
            // Its name is that of the image.
            let image = source.image("a", "linux/amd64", 1);
            source.list(&image, "r.example/a:1");
            let judgement = source.judged();
            let twice = (Some("r.example/a:1"), "name-twice");
            assert_eq!(names(&judgement), [twice, twice]);
        }
    }
}

#[test]
fn the_payload_of_a_signature_with_a_configuration_that_runs_is_an_image() {
    let mut source = Source::default();
    let image = source.image("a", "linux/amd64", 1);
    let signature = signature_of(&mut source, &image);
    let path = path_of(&signature);
    let text = &source
        .members
        .iter()
        .find(|(other, _)| *other == path)
        .unwrap()
        .1;
    let mut manifest: Value = serde_json::from_slice(text).unwrap();
    manifest["config"] = source.blob(CONFIG, config("linux/amd64", &[]));
    let manifest = source.blob(MANIFEST, manifest.to_string());
    source.list(&manifest, "r.example/a:1");
    let expected = [(Some("r.example/a:1"), "no-signature-file")];
    assert_eq!(names(&source.judged()), expected);
}

#[test]
fn no_label_and_no_media_type_hides_an_image() {
    let judged = |source: &Source| source.judged_by(&policy(), Outer::NotValid).images;
    // An image that runs, labelled as a signature.
    let mut source = Source::default();
    let image = source.image("a", "linux/amd64", 1);
    listed(&mut source, &image);
    assert_eq!(judged(&source).len(), 1);
    // A layer that is no document, typed as a payload.
    let mut source = Source::default();
    let image = attached(&mut source, PAYLOAD, "a tar");
    listed(&mut source, &image);
    assert_eq!(judged(&source).len(), 1);
    // A layer that is somewhere else.
    let mut source = Source::default();
    let image = attached(&mut source, PAYLOAD, "{}");
    source.remove(&blob_path("{}"));
    listed(&mut source, &image);
    assert_eq!(judged(&source)[0].verdict.reason().name(), "blob-missing");
    // One layer among payloads.
    let mut source = Source::default();
    let config = source.blob(CONFIG, config("linux/amd64", &[]));
    let layers = [(PAYLOAD, "{}"), (LAYER, "layer")];
    let layers = layers.map(|(media_type, text)| source.blob(media_type, text));
    let image = source.manifest(&config, &layers);
    listed(&mut source, &image);
    assert_eq!(judged(&source).len(), 1);
    // An image without layers.
    let mut source = Source::default();
    let image = source.image("a", "linux/amd64", 0);
    listed(&mut source, &image);
    assert_eq!(judged(&source).len(), 1);
    // An image among signatures, here or not.
    let mut source = Source::default();
    let config = source.blob("x/y", "{}");
    let payload = source.blob(PAYLOAD, "{}");
    let signature = source.manifest(&config, &[payload]);
    let index = source.index(&[signature, descriptor(MANIFEST, "not here")]);
    listed(&mut source, &index);
    assert_eq!(judged(&source).len(), 1);
}

#[test]
fn a_signature_manifest_that_manifest_json_lists_is_an_image() {
    let mut source = Source::default();
    source
        .file("c", config("linux/amd64", &[id("{}")]))
        .file("l", "{}");
    source.file("manifest.json", r#"[{"Config":"c","Layers":["l"]}]"#);
    assert_eq!(source.verdict().reason().name(), "no-signature-file");
}

#[test]
fn signatures_without_images_and_unreachable_members_are_told() {
    let mut source = Source::default();
    let image = source.image("a", "linux/amd64", 1);
    source
        .list(&image, "r.example/a:1")
        .sign(&image, VENDOR, "r.example/a");
    source.sign(&descriptor("", "gone"), 2, "r.example/b");
    source.blob("", "left over");
    source.file("README", "read me");
    let notes = [
        ImageNote::SignatureWithoutImage {
            digest: id("gone").into(),
            others: 0,
        },
        ImageNote::Unreachable {
            blobs: 2,
            bytes: 16,
        },
    ];
    assert_eq!(source.judged().notes, notes);
}
