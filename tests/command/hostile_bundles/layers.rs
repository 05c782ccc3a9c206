//! Layers and blobs that are links, have the name of another content, or are another image's.

use super::{app, app_fails, app_is_valid, image, refused, said, signed, valid, verdict_on};
use crate::support::Mirror;
use crate::support::bundles::{Image, LAYER, Layout, descriptor, digest, downloaded, hex, payload};
use crate::support::hostile::{
    archive, docker_archive, docker_item, file, link, manifest, members,
};

/// The archive of a layout, with a link in place of the member with this content.
fn with_link(layout: &Layout, content: &[u8], kind: u8, target: &str) -> Vec<u8> {
    let files = layout.files().into_iter().map(|(path, found)| {
        if found == content {
            [link(kind, &path, target), file("elsewhere", content)].concat()
        } else {
            file(&path, &found)
        }
    });
    archive(&files.collect::<Vec<_>>())
}

#[test]
fn a_link_in_place_of_a_layer_a_configuration_or_a_manifest_is_refused() {
    let mirror = Mirror::new();
    let (layout, image) = (signed(&mirror), image("app"));
    for content in [&image.manifest, &image.blobs[0], &image.blobs[1]] {
        for (kind, target) in [(b'2', "../../elsewhere"), (b'1', "elsewhere")] {
            let bytes = with_link(&layout, content, kind, target);
            let path = format!("blobs/sha256/{}", hex(content));
            let (lines, status) = verdict_on(&mirror, bytes);
            let why = format!("{path} is a link, and not to a layer that is here");
            assert_eq!(lines[0], refused(&why).0[0]);
            assert_eq!(status, Some(1));
        }
    }
}

#[test]
fn a_link_out_of_the_archive_is_refused_wherever_it_is() {
    let mirror = Mirror::new();
    let members = members(&signed(&mirror));
    for (kind, target) in [
        (b'2', "/etc/passwd"),
        (b'2', "../x"),
        (b'1', "../x"),
        (b'1', "/x"),
    ] {
        let bytes = archive(&[link(kind, "a", target), members.clone()]);
        assert_eq!(
            verdict_on(&mirror, bytes),
            refused(&format!("{target}: unsafe name"))
        );
    }
}

#[test]
fn an_entry_document_that_is_a_link_is_refused() {
    let mirror = Mirror::new();
    let bytes = with_link(
        &Layout::default(),
        &Layout::default().files()[0].1,
        b'2',
        "elsewhere",
    );
    let why = "index.json is a link, and not to a layer that is here";
    assert_eq!(verdict_on(&mirror, bytes).0[0], refused(why).0[0]);
}

/// A Docker archive of two images, the layer of the second a link to that of the first.
fn linked(mirror: &Mirror, kind: u8, target: impl Fn(&str) -> String) -> (Vec<u8>, [Image; 2]) {
    let images = [
        Image::new("amd64", &[b"base"]),
        Image::new("arm64", &[b"base"]),
    ];
    for (number, image) in images.iter().enumerate() {
        let payload = payload("registry.example.com/team/app", &image.manifest);
        mirror.write(&format!("e/{number}"), downloaded(&mirror.key, &payload));
        mirror.write(&format!("e/{number}.json"), &image.manifest);
    }
    let (one, mut files) = docker_item("registry.example.com/team/app:1.0", &images[0]);
    let (two, others) = docker_item("registry.example.com/team/app:2.0", &images[1]);
    let layer = files[1].0.clone();
    let two = two.replace(&layer, "two/layer.tar");
    files.push(others[0].clone());
    let link = link(kind, "two/layer.tar", &target(&layer));
    (
        archive(&[link, docker_archive(&files, &[one, two])]),
        images,
    )
}

#[test]
fn a_layer_of_a_docker_archive_may_be_a_link_to_another() {
    type Target = fn(&str) -> String;
    let ways: [(u8, Target); 2] = [(b'2', |layer| format!("../{layer}")), (b'1', str::to_owned)];
    for (kind, target) in ways {
        let mirror = Mirror::new();
        let (bytes, images) = linked(&mirror, kind, target);
        mirror.write("x.tar", bytes);
        let run = mirror.run_pinned(&["-v", "--images", "--image-signatures", "e", "x.tar"]);
        let line = |tag: &str, platform: &str, image: &Image| {
            let id = digest(&image.blobs[0]);
            format!(
                "x.tar » registry.example.com/team/app:{tag} (linux/{platform}): ✅ Image signature valid ({id}, key key.pem)"
            )
        };
        let expected = vec![
            line("1.0", "amd64", &images[0]),
            line("2.0", "arm64", &images[1]),
        ];
        assert_eq!(said(&run), (expected, Some(0)));
    }
}

#[test]
fn a_link_of_a_docker_archive_to_no_member_is_refused() {
    let mirror = Mirror::new();
    let (bytes, _) = linked(&mirror, b'2', |_| "../nowhere/layer.tar".to_owned());
    let why = "two/layer.tar is a link, and not to a layer that is here";
    assert_eq!(verdict_on(&mirror, bytes).0[0], refused(why).0[0]);
}

#[test]
fn a_blob_with_the_name_of_other_content_is_refused_whether_anything_names_it_or_not() {
    let mirror = Mirror::new();
    let (layout, image) = (signed(&mirror), image("app"));
    for content in [
        &image.manifest[..],
        &image.blobs[0],
        &image.blobs[1],
        b"never named",
    ] {
        let path = format!("blobs/sha256/{}", hex(content));
        let evil = b"evil";
        let mut other = layout.clone();
        other.files.retain(|(found, _)| *found != path);
        // The right content is there as well, in another place.
        other.files.push(("a".to_owned(), content.to_vec()));
        other.files.push((path.clone(), evil.to_vec()));
        let (lines, status) = verdict_on(&mirror, other.tar());
        let why = format!("{path}: its content has the digest {}", hex(evil));
        assert_eq!(lines[0], refused(&why).0[0]);
        assert_eq!(status, Some(1));
    }
}

#[test]
fn a_blob_under_another_algorithm_is_not_taken_for_a_layer() {
    let mirror = Mirror::new();
    let image = image("app");
    let mut layout = signed(&mirror);
    let path = format!("blobs/sha256/{}", hex(&image.blobs[1]));
    layout.files.retain(|(found, _)| *found != path);
    layout.files.push((
        format!("blobs/sha512/{}", "a".repeat(128)),
        b"evil".to_vec(),
    ));
    let why = format!("{} is missing", digest(&image.blobs[1]));
    assert_eq!(
        verdict_on(&mirror, layout.tar()),
        app_fails("Image incomplete", &why)
    );
}

#[test]
fn a_docker_archive_with_other_layers_than_the_signed_manifest_is_incomplete() {
    let mirror = Mirror::new();
    let image = Image::new("amd64", &[b"one", b"two"]);
    let payload = payload("registry.example.com/team/app", &image.manifest);
    mirror.write("e/s", downloaded(&mirror.key, &payload));
    mirror.write("e/m", &image.manifest);
    let (item, files) = docker_item("registry.example.com/team/app:1.0", &image);
    let judge = |item: &str, files: &[(String, Vec<u8>)]| {
        mirror.write(
            "x.tar",
            archive(&[docker_archive(files, &[item.to_owned()])]),
        );
        said(&mirror.run_pinned(&["-v", "--images", "--image-signatures", "e", "x.tar"]))
    };
    let id = digest(&image.blobs[0]);
    let line = app("✅ Image signature valid", &format!("{id}, key key.pem"));
    assert_eq!(judge(&item, &files), (vec![line], Some(0)));
    let fails = |found: (Vec<String>, Option<i32>), why: &str| {
        let (lines, status) = found;
        let line = format!("x.tar » {}: ❌ Image incomplete ({why})", super::APP);
        assert_eq!((lines, status), (vec![line], Some(1)));
    };
    // The order, the number, the content.
    let (one, two) = (format!("{:?}", files[1].0), format!("{:?}", files[2].0));
    let swapped = item.replace(&format!("{one},{two}"), &format!("{two},{one}"));
    fails(
        judge(&swapped, &files),
        "its layers are not those of the signed manifest",
    );
    let fewer = item.replace(&format!("{one},{two}"), &one);
    fails(
        judge(&fewer, &files),
        "it has 1 layers; its configuration lists 2",
    );
    let more = item.replace(&format!("{one},{two}"), &format!("{one},{two},{two}"));
    fails(
        judge(&more, &files),
        "it has 3 layers; its configuration lists 2",
    );
    let mut evil = files.clone();
    evil[2].1 = b"evil".to_vec();
    fails(
        judge(&item, &evil),
        "its layers are not those of the signed manifest",
    );
    evil.remove(2);
    fails(judge(&item, &evil), &format!("{} is missing", files[2].0));
}

#[test]
fn paths_of_manifest_json_that_lead_out_of_the_archive_are_refused() {
    let mirror = Mirror::new();
    let (item, files) = docker_item("registry.example.com/team/app:1.0", &image("app"));
    for path in ["../x", "/etc/passwd", "a/../x"] {
        let other = item.replace(&files[1].0, path);
        let bytes = archive(&[docker_archive(&files, &[other])]);
        let why = format!("manifest.json: {path:?} is not the path of a member");
        assert_eq!(verdict_on(&mirror, bytes), refused(&why));
    }
}

#[test]
fn keys_of_manifest_json_that_come_twice_or_in_other_case_are_refused() {
    let mirror = Mirror::new();
    let (item, files) = docker_item("registry.example.com/team/app:1.0", &image("app"));
    for key in ["Config", "Layers", "RepoTags"] {
        let other = key.to_lowercase();
        let twice = item.replacen('{', &format!(r#"{{"{other}":[],"#), 1);
        let bytes = archive(&[docker_archive(&files, &[twice])]);
        let why = format!("manifest.json: some programs read the key {other:?} as {key:?}");
        assert_eq!(verdict_on(&mirror, bytes), refused(&why));
        let twice = item.replacen('{', &format!(r#"{{"{key}":[],"#), 1);
        let bytes = archive(&[docker_archive(&files, &[twice])]);
        let (lines, status) = verdict_on(&mirror, bytes);
        let why = format!("manifest.json: duplicate key {key:?}");
        assert!(lines[0].contains(&why), "{lines:?}");
        assert_eq!((lines.len(), status), (1, Some(1)));
    }
}

#[test]
fn a_layer_that_may_be_fetched_from_elsewhere_may_be_absent_and_a_usual_one_may_not() {
    let mirror = Mirror::new();
    let image = image("app");
    let config = descriptor(crate::support::bundles::CONFIG, &image.blobs[0], "");
    let foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
    let urls = r#","urls":["https://registry.example.com/layer"]"#;
    for (class, more, is_valid) in [
        (foreign, urls, true),
        (foreign, "", false),
        (LAYER, urls, false),
    ] {
        let other = Image {
            manifest: manifest(&config, &[descriptor(class, &image.blobs[1], more)]),
            blobs: vec![image.blobs[0].clone()],
        };
        let found = verdict_on(&mirror, super::signed_as(&mirror, &other).tar());
        let missing = format!("{} is missing", digest(&image.blobs[1]));
        let expected = if is_valid {
            valid(&other)
        } else {
            app_fails("Image incomplete", &missing)
        };
        assert_eq!(found, expected);
    }
    assert_eq!(verdict_on(&mirror, signed(&mirror).tar()), app_is_valid());
}
