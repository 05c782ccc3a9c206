//! What stands beside images: signatures and the like are none, and nothing passes as one.

use serde_json::{Value, json};
use verify_signatures::internals::image::{ImageNote, Outer};

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

#[test]
fn signatures_attestations_and_bills_of_materials_are_no_images() {
    let mut source = Source::default();
    let image = source.image("a", "linux/amd64", 1);
    source
        .list(&image, "r.example/a:1")
        .sign(&image, VENDOR, "r.example/a");
    let types = [
        PAYLOAD,
        "application/vnd.dsse.envelope.v1+json",
        "text/spdx+json",
    ];
    let all = types.map(|media_type| attached(&mut source, media_type, r#"{"x":1}"#));
    all.iter()
        .for_each(|manifest| listed(&mut source, manifest));
    let referrers = source.index(&all);
    listed(&mut source, &referrers);
    let judgement = source.judged();
    assert_eq!(one(&judgement).verdict, valid());
    // The payload says nothing that a signature says.
    assert!(matches!(
        judgement.notes[..],
        [ImageNote::UnusableSignature { others: 0, .. }]
    ));
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
    let signature = attached(&mut source, PAYLOAD, "{}");
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
