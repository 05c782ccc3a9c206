//! What lists the images: `index.json` and `manifest.json`, which disagree or say nothing.

use super::{app, app_fails, image, refused, said, signed, verdict_on};
use crate::support::Mirror;
use crate::support::bundles::{digest, downloaded, payload};
use crate::support::hostile::{archive, docker_archive, docker_item, file, link, members};

#[test]
fn both_entry_documents_are_judged_where_they_disagree() {
    let mirror = Mirror::new();
    let hidden = image("hidden");
    let (item, files) = docker_item("registry.example.com/team/app:1.0", &hidden);
    let both = archive(&[members(&signed(&mirror)), docker_archive(&files, &[item])]);
    let (lines, status) = verdict_on(&mirror, &both);
    let other = digest(&hidden.blobs[0]);
    let id = digest(&image("app").manifest);
    let twice = |this: &str| {
        app(
            "❌ Image name ambiguous",
            &format!("{this} has the same name"),
        )
    };
    let mut expected = [(&id, twice(&other)), (&other, twice(&id))];
    expected.sort();
    assert_eq!(lines, expected.map(|(_, line)| line));
    assert_eq!(status, Some(1));
}

#[test]
fn an_index_json_without_a_list_leaves_what_manifest_json_lists() {
    let mirror = Mirror::new();
    // As `docker save IMAGE-ID` writes it.
    let image = image("app");
    let (item, files) = docker_item("registry.example.com/team/app:1.0", &image);
    let index = file("index.json", br#"{"schemaVersion":2,"manifests":null}"#);
    let layout = file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
    let bytes = archive(&[index, layout, docker_archive(&files, &[item])]);
    let id = digest(&image.blobs[0]);
    let why = format!("{id}: no signature for this digest was found");
    assert_eq!(
        verdict_on(&mirror, &bytes),
        app_fails("Image not signed", &why)
    );
    // The signed manifest may be beside the signature.
    mirror.write("e/manifest.json", &image.manifest);
    let payload = payload("registry.example.com/team/app", &image.manifest);
    mirror.write("e/signature", downloaded(&mirror.key, &payload));
    let run = mirror.run_pinned(&["-v", "--images", "--image-signatures", "e", "x.tar"]);
    let line = app("✅ Image signature valid", &format!("{id}, key key.pem"));
    assert_eq!(said(&run), (vec![line], Some(0)));
}

#[test]
fn a_layout_without_its_list_is_refused() {
    let mirror = Mirror::new();
    let layout = signed(&mirror);
    let files = layout
        .files()
        .into_iter()
        .filter(|(path, _)| path != "index.json");
    let files: Vec<_> = files.map(|(path, content)| file(&path, &content)).collect();
    let why = "index.json: missing, although there are parts of a layout";
    assert_eq!(verdict_on(&mirror, archive(&files)), refused(why));
}

#[test]
fn an_archive_in_the_form_before_manifest_json_is_refused_and_not_without_images() {
    let mirror = Mirror::new();
    let repositories = file(
        "repositories",
        br#"{"registry.example.com/app":{"1":"app"}}"#,
    );
    let description = file("app/json", br#"{"id":"app"}"#);
    let why = "manifest.json: missing, although there are files named like parts of an image";
    for layer in [
        file("app/layer.tar", b"layer"),
        [link(b'2', "app/layer.tar", "../x"), file("x", b"layer")].concat(),
        [link(b'1', "app/layer.tar", "x"), file("x", b"layer")].concat(),
    ] {
        let bytes = archive(&[repositories.clone(), description.clone(), layer]);
        assert_eq!(verdict_on(&mirror, bytes), refused(why));
    }
}
