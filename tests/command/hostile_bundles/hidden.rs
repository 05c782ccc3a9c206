//! Images that try to be overlooked.

use super::{APP, app_is_valid, image, refused, said, signed, verdict_on, verdict_with};
use crate::support::Mirror;
use crate::support::bundles::{
    CONFIG, Image, LAYER, Layout, MANIFEST, SIMPLE_SIGNING, descriptor, digest, hex, label, zstd,
};
use crate::support::hostile::{
    archive, docker_archive, docker_item, file, manifest, members, parts,
};

/// The verdict on the archive of a signed image and of an unsigned one, whose descriptor has these
/// further members.
fn beside(hidden: &Image, more: &str) -> (Vec<String>, Option<i32>) {
    let mirror = Mirror::new();
    let mut layout = signed(&mirror);
    layout.add_content(hidden);
    layout
        .entries
        .push(descriptor(MANIFEST, &hidden.manifest, more));
    verdict_on(&mirror, layout.tar())
}

/// What is said of both if the other is not overlooked: its lines in the order of names.
fn both(name: &str, hidden: &Image, platform: &str) -> (Vec<String>, Option<i32>) {
    let id = digest(&hidden.manifest);
    let name = if name.is_empty() { &id } else { name };
    let why = format!("{id}: no signature for this digest was found");
    let hidden = format!("x.tar » {name}{platform}: ❌ Image not signed ({why})");
    let mut lines = [app_is_valid().0, vec![hidden]].concat();
    if name.starts_with("sha256") || name < APP {
        lines.reverse();
    }
    (lines, Some(1))
}

const AMD64: &str = " (linux/amd64)";

#[test]
fn an_image_that_is_labelled_as_a_signature_is_an_image() {
    let hidden = image("hidden");
    for kind in [
        "dev.cosignproject.cosign/sigs",
        "dev.cosignproject.cosign/atts",
        "dev.hauler/sboms",
        "dev.hauler/referrers/1",
    ] {
        let more = format!(r#","annotations":{{"kind":"{kind}"}}"#);
        assert_eq!(beside(&hidden, &more), both("", &hidden, AMD64), "{kind}");
    }
}

#[test]
fn an_image_whose_tag_is_that_of_a_signature_is_an_image() {
    let hidden = image("hidden");
    for ending in ["sig", "att", "sbom"] {
        let tag = format!("sha256-{}.{ending}", hex(&image("app").manifest));
        let name = format!("registry.example.com/team/app:{tag}");
        assert_eq!(beside(&hidden, &label(&name)), both(&name, &hidden, AMD64));
    }
}

#[test]
fn an_image_with_an_artifact_type_is_an_image() {
    let hidden = image("hidden");
    let kind = r#""artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json""#;
    let more = format!(",{kind}{}", label("registry.example.com/x:1"));
    assert_eq!(
        beside(&hidden, &more),
        both("registry.example.com/x:1", &hidden, AMD64)
    );
    let inside = crate::support::hostile::changed(&hidden, |text| {
        text.replacen('{', &format!("{{{kind},"), 1)
    });
    assert_eq!(beside(&inside, ""), both("", &inside, AMD64));
}

#[test]
fn an_image_whose_layers_have_the_media_type_of_signatures_is_an_image() {
    let usual = image("hidden");
    let layer = descriptor(SIMPLE_SIGNING, &usual.blobs[1], "");
    let hidden = Image {
        manifest: manifest(&parts(&usual).0, &[layer]),
        blobs: usual.blobs,
    };
    assert_eq!(beside(&hidden, ""), both("", &hidden, AMD64));
    // With a true signature among its layers.
    let usual = Image::new("amd64", &[b"hidden", br#"{"critical":{},"optional":null}"#]);
    let layers = [
        descriptor(SIMPLE_SIGNING, &usual.blobs[2], ""),
        descriptor(LAYER, &usual.blobs[1], ""),
    ];
    let hidden = Image {
        manifest: manifest(&parts(&usual).0, &layers),
        blobs: usual.blobs,
    };
    assert_eq!(beside(&hidden, ""), both("", &hidden, AMD64));
}

#[test]
fn an_image_that_says_nothing_of_a_platform_is_an_image() {
    let layer = b"hidden";
    for config in [
        &br#"{}"#[..],
        br#"{"rootfs":{"type":"layers","diff_ids":[]}}"#,
    ] {
        let hidden = Image {
            manifest: manifest(
                &descriptor(CONFIG, config, ""),
                &[descriptor(LAYER, layer, "")],
            ),
            blobs: vec![config.to_vec(), layer.to_vec()],
        };
        assert_eq!(beside(&hidden, ""), both("", &hidden, ""));
    }
}

#[test]
fn an_image_in_a_layout_beside_the_first_is_judged_with_it() {
    let mirror = Mirror::new();
    let mut other = Layout::default();
    let hidden = image("hidden");
    other.add("registry.example.com/hidden:1", &hidden);
    for directory in ["other", "a/b/images"] {
        let below: Vec<u8> = other
            .files()
            .iter()
            .flat_map(|(path, content)| file(&format!("{directory}/{path}"), content))
            .collect();
        let found = verdict_on(&mirror, archive(&[members(&signed(&mirror)), below]));
        assert_eq!(found, both("registry.example.com/hidden:1", &hidden, AMD64));
    }
}

#[test]
fn an_image_that_only_manifest_json_lists_is_judged_with_the_others() {
    let mirror = Mirror::new();
    let hidden = image("hidden");
    let (item, files) = docker_item("registry.example.com/hidden:1", &hidden);
    let found = verdict_on(
        &mirror,
        archive(&[members(&signed(&mirror)), docker_archive(&files, &[item])]),
    );
    let id = digest(&hidden.blobs[0]);
    let line = format!(
        "x.tar » registry.example.com/hidden:1 (linux/amd64): ❌ Image not signed ({id}: no signature for this digest was found)"
    );
    assert_eq!(found, (vec![line, app_is_valid().0.remove(0)], Some(1)));
}

#[test]
fn one_name_with_two_digests_is_ambiguous_whoever_signed_them() {
    let mirror = Mirror::new();
    let (one, two) = (image("app"), image("another"));
    for name in [APP, "Registry.Example.com/team/app:1.0"] {
        let mut layout = signed(&mirror);
        layout.add(name, &two);
        layout.sign(&mirror.key, "registry.example.com/team/app", &two.manifest);
        let (lines, status) = verdict_on(&mirror, layout.tar());
        let line = |name: &str, other: &Image| {
            let other = digest(&other.manifest);
            format!(
                "x.tar » {name} (linux/amd64): ❌ Image name ambiguous ({other} has the same name)"
            )
        };
        let mut expected = [line(APP, &two), line(name, &one)];
        let mut found = [lines[0].clone(), lines[1].clone()];
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
        assert_eq!((lines.len(), status), (2, Some(1)));
    }
}

#[test]
fn one_digest_under_two_names_is_noted_and_valid() {
    let mirror = Mirror::new();
    let mut layout = signed(&mirror);
    let image = image("app");
    layout.add("registry.example.com/team/app:2.0", &image);
    mirror.write("x.tar", layout.tar());
    let run = mirror.run_pinned(&["-v", "--images", "x.tar"]);
    let one = app_is_valid().0.remove(0);
    let two = one.replace("app:1.0", "app:2.0");
    assert_eq!(said(&run), (vec![one, two], Some(0)));
    let note = format!(
        "note: x.tar: one image has several names: {APP}, registry.example.com/team/app:2.0"
    );
    assert!(
        run.stderr.lines().any(|line| line == note),
        "{}",
        run.stderr
    );
}

#[test]
fn a_signed_image_under_the_name_of_another_repository_is_noted() {
    let mirror = Mirror::new();
    let image = image("app");
    let mut layout = Layout::default();
    layout.add(APP, &image);
    layout.sign(
        &mirror.key,
        "registry.example.com/team/old",
        &image.manifest,
    );
    mirror.write("x.tar", layout.tar());
    let run = mirror.run_pinned(&["-v", "--images", "x.tar"]);
    assert_eq!(said(&run), app_is_valid());
    let note = format!(
        "note: x.tar » {APP}: signed as registry.example.com/team/old; the label may be wrong"
    );
    assert!(
        run.stderr.lines().any(|line| line == note),
        "{}",
        run.stderr
    );
}

#[test]
fn what_belongs_to_no_image_is_counted() {
    let mirror = Mirror::new();
    let bytes = archive(&[
        members(&signed(&mirror)),
        file("a", &[7; 1000]),
        file("b/c", &[8; 500]),
    ]);
    mirror.write("x.tar", bytes);
    let run = mirror.run_pinned(&["-v", "--images", "x.tar"]);
    assert_eq!(said(&run), app_is_valid());
    let note = "note: x.tar: files in it that belong to no image: 2, 1.50 kB in all";
    assert!(
        run.stderr.lines().any(|line| line == note),
        "{}",
        run.stderr
    );
}

#[test]
fn the_storage_of_a_registry_is_refused_and_not_without_images() {
    let mirror = Mirror::new();
    let bytes = archive(&[file(
        "docker/registry/v2/blobs/sha256/aa/aaaa/data",
        b"layer",
    )]);
    let why = "a registry's storage directory, which is not supported";
    assert_eq!(verdict_on(&mirror, bytes), refused(why));
}

#[test]
fn an_unsigned_image_of_a_signed_registry_fails_in_a_valid_bundle_in_whatever_way_it_is_spelled() {
    let mirror = Mirror::new();
    let hidden = image("hidden");
    for (name, is_below) in [
        ("registry.example.com/team/x:1", true),
        ("Registry.Example.COM/team/x@sha256:0", true),
        ("registry.example.com/team", true),
        ("registry.example.com/teams/x", false),
        ("registry.example.com:443/team/x", true),
        ("docker.io/registry.example.com/team/x", false),
    ] {
        let mut layout = Layout::default();
        layout.add(name, &hidden);
        mirror.write_signed("b.zst", "b.sig.bin", &zstd(&layout.tar()));
        let options = [
            "--images",
            "--signed-registry",
            "registry.example.com/team",
            "b.zst",
        ];
        let verdict = if is_below {
            "❌ Image not signed"
        } else {
            "⚠️ Image not signed, intact"
        };
        let line = format!("b.zst » {name} (linux/amd64): {verdict}");
        let expected = vec!["b.zst: ✅ Signature valid".to_owned(), line];
        assert_eq!(
            said(&mirror.run_pinned(&options)),
            (expected, Some(i32::from(is_below)))
        );
    }
}

#[test]
fn a_platform_that_was_asked_for_must_be_whole() {
    let mirror = Mirror::new();
    let (amd64, arm64) = (Image::new("amd64", &[b"a"]), Image::new("arm64", &[b"b"]));
    let mut layout = Layout::default();
    let index = layout.add_index(APP, &[("amd64", &amd64), ("arm64", &arm64)]);
    layout.sign(&mirror.key, "registry.example.com/team/app", &index);
    let path = |content: &[u8]| format!("blobs/sha256/{}", hex(content));
    // One platform was left out, as is usual.
    layout
        .files
        .retain(|(found, _)| *found != path(&arm64.manifest));
    let asked = |platform: &str| verdict_with(&mirror, layout.tar(), &["--platform", platform]);
    let line = |words: &str| vec![format!("x.tar » {APP} (linux/amd64, 1 absent): {words}")];
    let valid = line(&format!(
        "✅ Image signature valid ({}, key key.pem)",
        digest(&index)
    ));
    assert_eq!(asked("linux/amd64"), (valid, Some(0)));
    let missing = line("❌ Image incomplete (platform linux/arm64 is missing)");
    assert_eq!(asked("linux/arm64"), (missing, Some(1)));
}
