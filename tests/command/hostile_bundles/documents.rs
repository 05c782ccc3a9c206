//! Documents that two programs could read in two ways: `index.json`, `manifest.json`, indexes and
//! manifests.

use super::{app, app_fails, app_is_valid, image, refused, signed, signed_as, valid, verdict_on};
use crate::support::Mirror;
use crate::support::bundles::{
    CONFIG, INDEX, Image, LAYER, Layout, MANIFEST, descriptor, digest, index, label, platform,
};
use crate::support::hostile::{archive, changed, file};

/// The archive of a layout with this `index.json`.
fn with_index(layout: &Layout, index: &str) -> Vec<u8> {
    let files = layout
        .files()
        .into_iter()
        .map(|(path, content)| match path.as_str() {
            "index.json" => file(&path, index.as_bytes()),
            _ => file(&path, &content),
        });
    archive(&files.collect::<Vec<_>>())
}

/// The `index.json` of a layout.
fn index_of(layout: &Layout) -> String {
    let files = layout.files();
    let (_, content) = files.iter().find(|(path, _)| path == "index.json").unwrap();
    String::from_utf8(content.clone()).unwrap()
}

/// The key that no document here should have.
fn spelled(found: &str, key: &str) -> String {
    format!("some programs read the key {found:?} as {key:?}")
}

#[test]
fn a_key_of_index_json_that_comes_twice_or_in_other_case_is_refused() {
    let mirror = Mirror::new();
    let layout = signed(&mirror);
    let index = index_of(&layout);
    for (first, why) in [
        (
            r#"{"manifests":[],"#,
            "duplicate key \"manifests\"".to_owned(),
        ),
        (r#"{"Manifests":[],"#, spelled("Manifests", "manifests")),
        (r#"{"MANIFESTS":[],"#, spelled("MANIFESTS", "manifests")),
        // Long s, which Go folds to s.
        (
            "{\"manife\u{17f}ts\":[],",
            spelled("manife\u{17f}ts", "manifests"),
        ),
        (r#"{"MediaType":"x","#, spelled("MediaType", "mediaType")),
    ] {
        let twice = index.replacen('{', first, 1);
        let (lines, status) = verdict_on(&mirror, with_index(&layout, &twice));
        let line = format!("x.tar » (contents): ❌ Contents refused (index.json: {why}");
        assert!(lines[0].starts_with(&line), "{lines:?}");
        assert_eq!((lines.len(), status), (1, Some(1)));
    }
    let twice = index.replace(r#""digest""#, r#""Digest":"","digest""#);
    let why = format!("index.json: {}", spelled("Digest", "digest"));
    assert_eq!(
        verdict_on(&mirror, with_index(&layout, &twice)),
        refused(&why)
    );
}

#[test]
fn data_behind_a_document_is_refused() {
    let mirror = Mirror::new();
    let layout = signed(&mirror);
    let index = index_of(&layout);
    let column = index.len() + 1;
    let why = format!("index.json: trailing characters at line 1 column {column}");
    let two = with_index(&layout, &format!("{index}{{}}"));
    assert_eq!(verdict_on(&mirror, two), refused(&why));
}

#[test]
fn a_manifest_whose_key_comes_twice_or_in_other_case_is_malformed_whoever_signed_it() {
    let mirror = Mirror::new();
    let image = image("app");
    let layers = format!(r#""layers":[{}],"#, descriptor(LAYER, b"another", ""));
    for (more, why) in [
        (
            layers.clone(),
            "it is neither an index nor a manifest of 4 MiB at most".to_owned(),
        ),
        (
            layers.replace("layers", "Layers"),
            spelled("Layers", "layers"),
        ),
        (
            layers.replace("layers", "layer\u{17f}"),
            spelled("layer\u{17f}", "layers"),
        ),
        (r#""Config":{},"#.to_owned(), spelled("Config", "config")),
    ] {
        let other = changed(&image, |text| text.replacen('{', &format!("{{{more}"), 1));
        let mut layout = signed_as(&mirror, &other);
        layout.add_blob(b"another");
        let (lines, status) = verdict_on(&mirror, layout.tar());
        let id = digest(&other.manifest);
        let line = format!("x.tar » {} : ❌ Image malformed ({id}: {why})", super::APP);
        assert_eq!(lines, [line.replace(" :", ":")]);
        assert_eq!(status, Some(1));
    }
}

#[test]
fn a_document_that_is_an_index_and_a_manifest_at_once_is_malformed() {
    let mirror = Mirror::new();
    let (image, hidden) = (image("app"), image("hidden"));
    let manifests = format!(
        r#"{{"manifests":[{}],"#,
        descriptor(MANIFEST, &hidden.manifest, "")
    );
    let both = changed(&image, |text| text.replacen('{', &manifests, 1));
    for media_type in [MANIFEST, INDEX] {
        let mut layout = Layout::default();
        layout
            .entries
            .push(descriptor(media_type, &both.manifest, &label(super::APP)));
        layout.add_content(&both);
        layout.add_content(&hidden);
        layout.sign(&mirror.key, "registry.example.com/team/app", &both.manifest);
        let id = digest(&both.manifest);
        let line = format!(
            "x.tar » {}: ❌ Image malformed ({id}: it is both an index and a manifest)",
            super::APP
        );
        assert_eq!(verdict_on(&mirror, layout.tar()), (vec![line], Some(1)));
    }
    // In index.json itself.
    let layout = signed(&mirror);
    for more in [r#"{"layers":[],"#, r#"{"config":{},"#] {
        let both = index_of(&layout).replacen('{', more, 1);
        let why = "index.json: it is both an index and a manifest";
        assert_eq!(
            verdict_on(&mirror, with_index(&layout, &both)),
            refused(why)
        );
    }
}

#[test]
fn a_descriptor_of_another_class_than_its_document_is_malformed() {
    let mirror = Mirror::new();
    let image = image("app");
    let mut layout = Layout::default();
    layout
        .entries
        .push(descriptor(INDEX, &image.manifest, &label(super::APP)));
    layout.add_content(&image);
    layout.sign(
        &mirror.key,
        "registry.example.com/team/app",
        &image.manifest,
    );
    let (lines, status) = verdict_on(&mirror, layout.tar());
    let id = digest(&image.manifest);
    let why = "it is not of the media type that its descriptor gives it";
    assert_eq!(
        lines,
        [format!(
            "x.tar » {}: ❌ Image malformed ({id}: {why})",
            super::APP
        )]
    );
    assert_eq!(status, Some(1));
}

#[test]
fn sizes_that_are_not_those_of_the_blobs_make_an_image_incomplete_whoever_signed_it() {
    let mirror = Mirror::new();
    let image = image("app");
    for (blob, class) in [(&image.blobs[0], CONFIG), (&image.blobs[1], LAYER)] {
        let usual = descriptor(class, blob, "");
        for size in [0, blob.len() + 1, blob.len() * 100] {
            let wrong = usual.replace(
                &format!(r#""size":{}"#, blob.len()),
                &format!(r#""size":{size}"#),
            );
            let other = changed(&image, |text| text.replace(&usual, &wrong));
            assert_ne!(other.manifest, image.manifest);
            let found = verdict_on(&mirror, signed_as(&mirror, &other).tar());
            let (digest, has) = (digest(blob), blob.len());
            let why = format!("{digest} has {has} bytes instead of {size}");
            assert_eq!(found, app_fails("Image incomplete", &why));
        }
    }
    // Of the manifest, in index.json.
    let layout = signed(&mirror);
    let has = image.manifest.len();
    let wrong = index_of(&layout).replace(&format!(r#""size":{has}"#), r#""size":7"#);
    let why = format!("{} has {has} bytes instead of 7", digest(&image.manifest));
    let found = verdict_on(&mirror, with_index(&layout, &wrong));
    assert_eq!(found, app_fails("Image incomplete", &why));
}

#[test]
fn a_size_that_is_no_whole_number_is_refused() {
    let mirror = Mirror::new();
    let layout = signed(&mirror);
    for size in ["-1", "1.5", "\"1\"", "1e3", "18446744073709551616"] {
        let wrong = index_of(&layout).replacen(r#""size":"#, &format!(r#""size":{size},"x":"#), 1);
        let found = verdict_on(&mirror, with_index(&layout, &wrong));
        assert_eq!(
            found,
            refused("index.json: \"size\" is not a whole number"),
            "{size}"
        );
    }
}

#[test]
fn only_sha256_in_lower_case_is_a_digest() {
    let mirror = Mirror::new();
    let (layout, image) = (signed(&mirror), image("app"));
    let right = digest(&image.manifest);
    let upper = right.to_uppercase().replace("SHA256", "sha256");
    for wrong in [
        format!("sha512:{}", "a".repeat(128)),
        upper,
        right.replace("sha256", "SHA256"),
        right.replace("sha256:", ""),
        format!("{right}0"),
        right[..70].to_owned(),
        String::new(),
    ] {
        let index = index_of(&layout).replacen(&right, &wrong, 1);
        let why = format!("index.json: {wrong:?} is not sha256: with 64 lower-case digits");
        assert_eq!(
            verdict_on(&mirror, with_index(&layout, &index)),
            refused(&why)
        );
    }
    // Of a layer, under a signature.
    let layer = digest(&image.blobs[1]);
    let wrong = format!("sha512:{}", "a".repeat(128));
    let other = changed(&image, |text| text.replace(&layer, &wrong));
    let id = digest(&other.manifest);
    let line = format!(
        "x.tar » {}: ❌ Image malformed ({id}: {wrong:?} is not sha256: with 64 lower-case digits)",
        super::APP
    );
    let found = verdict_on(&mirror, signed_as(&mirror, &other).tar());
    assert_eq!(found, (vec![line], Some(1)));
}

#[test]
fn escaped_slashes_in_a_media_type_are_slashes() {
    let mirror = Mirror::new();
    let image = changed(&image("app"), |text| text.replace('/', "\\/"));
    assert_eq!(
        verdict_on(&mirror, signed_as(&mirror, &image).tar()),
        valid(&image)
    );
}

/// An image below so many indexes, one inside the other, of which the key signed the outermost.
fn nested(mirror: &Mirror, depth: usize) -> (Layout, Vec<u8>) {
    let mut layout = Layout::default();
    let image = image("deep");
    layout.add_content(&image);
    let mut root = index(&[(&image.manifest, platform("amd64"))]);
    for _ in 1..depth {
        layout.add_blob(&root);
        let child = descriptor(INDEX, &root, "");
        root = format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{child}]}}"#)
            .into_bytes();
    }
    layout.add_blob(&root);
    layout
        .entries
        .push(descriptor(INDEX, &root, &label(super::APP)));
    layout.sign(&mirror.key, "registry.example.com/team/app", &root);
    (layout, root)
}

#[test]
fn eight_nested_indexes_pass_and_nine_fail() {
    let mirror = Mirror::new();
    let (layout, root) = nested(&mirror, 8);
    let line = app(
        "✅ Image signature valid",
        &format!("{}, key key.pem", digest(&root)),
    );
    assert_eq!(verdict_on(&mirror, layout.tar()), (vec![line], Some(0)));
    let (layout, _) = nested(&mirror, 9);
    let why = "its indexes are nested more than 8 levels deep";
    let line = format!("x.tar » {}: ❌ Image not judged ({why})", super::APP);
    assert_eq!(verdict_on(&mirror, layout.tar()), (vec![line], Some(1)));
}

#[test]
fn an_index_that_names_one_manifest_a_hundred_thousand_times_is_not_judged() {
    let mirror = Mirror::new();
    let image = image("app");
    let child = descriptor(MANIFEST, &image.manifest, "");
    // Two levels, since a document has a largest size.
    let children = vec![child.as_str(); 400].join(",");
    let inner = format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{children}]}}"#);
    let child = descriptor(INDEX, inner.as_bytes(), "");
    let children = vec![child.as_str(); 300].join(",");
    let root = format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{children}]}}"#);
    let mut layout = Layout::default();
    layout.add_content(&image);
    layout.add_blob(inner.as_bytes());
    layout.add_blob(root.as_bytes());
    layout
        .entries
        .push(descriptor(INDEX, root.as_bytes(), &label(super::APP)));
    layout.sign(
        &mirror.key,
        "registry.example.com/team/app",
        root.as_bytes(),
    );
    let (lines, status) = verdict_on(&mirror, layout.tar());
    assert_eq!(lines.len(), 1);
    let why = "❌ Image not judged (it consists of more than 100000 parts)";
    assert!(lines[0].ends_with(why), "{lines:?}");
    assert_eq!(status, Some(1));
}

#[test]
fn a_document_that_is_not_there_is_missed_whoever_signed_what_names_it() {
    let mirror = Mirror::new();
    let image = Image::new("amd64", &[b"app"]);
    for blob in &image.blobs {
        let mut layout = signed_as(&mirror, &image);
        layout.files.retain(|(_, content)| content != blob);
        let (lines, status) = verdict_on(&mirror, layout.tar());
        let why = format!("❌ Image incomplete ({} is missing)", digest(blob));
        assert_eq!(lines.len(), 1);
        assert!(lines[0].ends_with(&why), "{lines:?}");
        assert_eq!(status, Some(1));
    }
    assert_eq!(
        verdict_on(&mirror, signed_as(&mirror, &image).tar()),
        app_is_valid()
    );
}
