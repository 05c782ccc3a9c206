//! Images inside bundles, saved images and directories of images.

use crate::support::bundles::{Image, Layout, digest, downloaded, hex, payload, tar, zstd};
use crate::support::{Mirror, Run, public_der, public_pem, signing_key};

/// Writes a bundle and its signature.
fn write_bundle(mirror: &Mirror, name: &str, layout: &Layout) {
    let bundle = zstd(&layout.tar());
    mirror.write_signed(
        &format!("{name}.tar.zst"),
        &format!("{name}.tar.zst.sig.bin"),
        &bundle,
    );
}

fn lines(run: &Run) -> Vec<&str> {
    run.stdout.lines().collect()
}

/// An image that its vendor signs, for two platforms, and one of somebody else's.
fn two_images(mirror: &Mirror) -> Layout {
    let mut layout = Layout::default();
    let (amd64, arm64) = (
        Image::new("amd64", &[b"a layer", b"another"]),
        Image::new("arm64", &[b"a layer", b"a third"]),
    );
    let index = layout.add_index(
        "registry.example.com/team/app:1.0",
        &[("amd64", &amd64), ("arm64", &arm64)],
    );
    layout.sign(&mirror.key, "registry.example.com/team/app", &index);
    layout.add(
        "docker.io/library/busybox:1.36",
        &Image::new("amd64", &[b"busybox"]),
    );
    layout
}

#[test]
fn each_image_has_a_line_behind_its_bundle() {
    let mirror = Mirror::new();
    write_bundle(&mirror, "bundle", &two_images(&mirror));
    let run = mirror.run_pinned(&["--images", "."]);
    assert_eq!(
        lines(&run),
        [
            "bundle.tar.zst: ✅ Signature valid",
            "bundle.tar.zst » docker.io/library/busybox:1.36 (linux/amd64): ⚠️ Image not signed, intact",
            "bundle.tar.zst » registry.example.com/team/app:1.0 (linux/amd64, linux/arm64): ✅ Image signature valid",
        ],
        "{}",
        run.stderr
    );
    assert_eq!(run.status, Some(0));
    // Without the option, its contents are not examined.
    let run = mirror.run_pinned(&["."]);
    assert_eq!(lines(&run), ["bundle.tar.zst: ✅ Signature valid"]);
}

#[test]
fn no_unsigned_image_passes_in_a_bundle_whose_own_signature_is_invalid_or_absent() {
    let mirror = Mirror::new();
    let bundle = zstd(&two_images(&mirror).tar());
    mirror.write_signed("bad.zst", "bad.sig.bin", b"something else");
    mirror.write("bad.zst", &bundle);
    mirror.write("none.zst", &bundle);
    let run = mirror.run_pinned(&["--images", "."]);
    let inside = |name: &str| {
        [
            format!("{name} » docker.io/library/busybox:1.36 (linux/amd64): ❌ Image not signed"),
            format!(
                "{name} » registry.example.com/team/app:1.0 (linux/amd64, linux/arm64): ✅ Image signature valid"
            ),
        ]
    };
    let mut expected = vec!["bad.zst: ❌ Signature invalid".to_owned()];
    expected.extend(inside("bad.zst"));
    expected.push("none.zst: ❌ Signature file not found".to_owned());
    expected.extend(inside("none.zst"));
    assert_eq!(lines(&run), expected);
    assert_eq!(run.status, Some(1));
    // What the user accepts unsigned is accepted inside, too; what has a bad signature is not.
    let run = mirror.run_pinned(&["--images", "--allow-unsigned", "."]);
    assert_eq!(
        lines(&run)[3..5],
        [
            "none.zst: ⚠️ Signature file not found",
            "none.zst » docker.io/library/busybox:1.36 (linux/amd64): ⚠️ Image not signed, intact",
        ]
    );
    assert_eq!(
        lines(&run)[1],
        "bad.zst » docker.io/library/busybox:1.36 (linux/amd64): ❌ Image not signed"
    );
}

#[test]
fn a_saved_image_needs_no_signature_file_but_a_signature_of_every_image_in_it() {
    let mirror = Mirror::new();
    let mut signed = Layout::default();
    let image = Image::new("amd64", &[b"docs"]);
    signed.add("registry.example.com/docs:1", &image);
    signed.sign(&mirror.key, "registry.example.com/docs", &image.manifest);
    mirror.write("docs.tar", signed.tar());
    let run = mirror.run_pinned(&["--images", "docs.tar"]);
    let valid = "docs.tar » registry.example.com/docs:1 (linux/amd64): ✅ Image signature valid";
    assert_eq!(lines(&run), [valid], "{}", run.stderr);
    assert_eq!(run.status, Some(0));
    mirror.write("more.tar", two_images(&mirror).tar());
    let run = mirror.run_pinned(&["--images", "."]);
    assert_eq!(
        lines(&run)[..2],
        [
            valid,
            "more.tar » docker.io/library/busybox:1.36 (linux/amd64): ❌ Image not signed"
        ]
    );
    assert_eq!(run.status, Some(1));
}

#[test]
fn a_directory_of_images_is_judged_by_them() {
    let mirror = Mirror::new();
    for (path, content) in two_images(&mirror).files() {
        mirror.write(&format!("m/layout/{path}"), content);
    }
    let run = mirror.run_pinned(&["--images", "m"]);
    assert_eq!(
        lines(&run),
        [
            "m/layout » docker.io/library/busybox:1.36 (linux/amd64): ❌ Image not signed",
            "m/layout » registry.example.com/team/app:1.0 (linux/amd64, linux/arm64): ✅ Image signature valid",
        ],
        "{}",
        run.stderr
    );
    assert_eq!(run.status, Some(1));
}

#[test]
fn an_image_that_lacks_a_layer_is_incomplete_whatever_signed_it() {
    let mirror = Mirror::new();
    let mut layout = two_images(&mirror);
    layout.files.retain(|(_, content)| content != b"a layer");
    write_bundle(&mirror, "b", &layout);
    let run = mirror.run_pinned(&["--images", "."]);
    assert_eq!(
        lines(&run)[2],
        "b.tar.zst » registry.example.com/team/app:1.0 (linux/amd64, linux/arm64): ❌ Image incomplete",
        "{}",
        run.stdout
    );
    assert_eq!(run.status, Some(1));
}

#[test]
fn a_blob_that_is_not_what_its_name_says_is_refused() {
    let mirror = Mirror::new();
    let mut layout = two_images(&mirror);
    for (_, content) in &mut layout.files {
        if content == b"busybox" {
            *content = b"busyb0x".to_vec();
        }
    }
    write_bundle(&mirror, "b", &layout);
    let run = mirror.run_pinned(&["--images", "."]);
    assert_eq!(
        lines(&run)[1],
        "b.tar.zst » (contents): ❌ Contents refused",
        "{}",
        run.stdout
    );
    assert_eq!(run.status, Some(1));
}

#[test]
fn a_registry_that_signs_its_images_has_none_that_are_not_signed() {
    let mirror = Mirror::new();
    let mut layout = two_images(&mirror);
    layout.add(
        "registry.example.com/team/other:1",
        &Image::new("amd64", &[b"other"]),
    );
    layout.add(
        "registry.example.com/teams/x:1",
        &Image::new("amd64", &[b"x"]),
    );
    write_bundle(&mirror, "b", &layout);
    let policy = ["--images", "--signed-registry", "registry.example.com/team"];
    let run = mirror.run_pinned(&policy);
    assert_eq!(
        lines(&run)[3..],
        [
            "b.tar.zst » registry.example.com/team/other:1 (linux/amd64): ❌ Image not signed",
            "b.tar.zst » registry.example.com/teams/x:1 (linux/amd64): ⚠️ Image not signed, intact",
        ]
    );
    assert_eq!(run.status, Some(1));
}

#[test]
fn a_signature_that_was_carried_in_counts_for_the_image_whose_digest_it_names() {
    let mirror = Mirror::new();
    let image = Image::new("amd64", &[b"docs"]);
    let mut layout = Layout::default();
    layout.add("registry.example.com/docs:1", &image);
    mirror.write("docs.tar", layout.tar());
    let other = signing_key(9);
    mirror.write("docs.pub", public_pem(&other));
    let signed = payload("registry.example.com/docs", &image.manifest);
    mirror.write("evidence/docs.jsonl", downloaded(&other, &signed));
    let pin = hex(&public_der(&other));
    let with = [
        "--images",
        "--image-key",
        "docs.pub",
        "--key-fingerprint",
        &pin,
        "docs.tar",
    ];
    let evidence = ["--image-signatures", "evidence"];
    assert_eq!(
        lines(&mirror.run_pinned(&with)),
        ["docs.tar » registry.example.com/docs:1 (linux/amd64): ❌ Image not signed"]
    );
    let run = mirror.run_pinned(&[&with[..], &evidence].concat());
    assert_eq!(
        lines(&run),
        ["docs.tar » registry.example.com/docs:1 (linux/amd64): ✅ Image signature valid"]
    );
    assert_eq!(run.status, Some(0));
    // The key of the artifacts did not make it.
    let run = mirror.run_pinned(&[&["--images", "docs.tar"][..], &evidence].concat());
    assert_eq!(
        lines(&run),
        ["docs.tar » registry.example.com/docs:1 (linux/amd64): ❌ Image signature invalid"]
    );
}

#[test]
fn neither_the_order_of_the_members_nor_a_directory_around_them_changes_anything() {
    let mirror = Mirror::new();
    let files = two_images(&mirror).files();
    let reversed: Vec<_> = files.iter().rev().cloned().collect();
    let below = |directory: &str| -> Vec<(String, Vec<u8>)> {
        let path =
            |(path, content): &(String, Vec<u8>)| (format!("{directory}{path}"), content.clone());
        files.iter().map(path).collect()
    };
    let expected = lines(&{
        mirror.write("x.tar", tar(&files));
        mirror.run_pinned(&["--images", "x.tar"])
    })
    .into_iter()
    .map(str::to_owned)
    .collect::<Vec<_>>();
    assert_eq!(expected.len(), 2);
    for other in [reversed, below("./"), below("images/")] {
        mirror.write("x.tar", tar(&other));
        let run = mirror.run_pinned(&["--images", "x.tar"]);
        assert_eq!(lines(&run), expected);
    }
}

#[test]
fn a_tar_without_an_image_is_reported_and_no_failure_and_no_success() {
    let mirror = Mirror::new();
    mirror.write("plain.tar", tar(&[("a/file".to_owned(), b"text".to_vec())]));
    let run = mirror.run_pinned(&["--images", "plain.tar"]);
    assert_eq!(lines(&run), ["plain.tar » (contents): ⚠️ No images inside"]);
    assert_eq!(run.status, Some(2));
}

#[test]
fn a_signature_that_was_carried_in_for_an_image_that_is_nowhere_is_noted() {
    let mirror = Mirror::new();
    write_bundle(&mirror, "b", &two_images(&mirror));
    let absent = Image::new("amd64", &[b"absent"]);
    let signed = payload("registry.example.com/absent", &absent.manifest);
    mirror.write("evidence/absent.json", downloaded(&mirror.key, &signed));
    let run = mirror.run_pinned(&["--images", "--image-signatures", "evidence", "b.tar.zst"]);
    let note = format!(
        "note: evidence/absent.json: a signature for {}, but no such image was found\n",
        digest(&absent.manifest)
    );
    assert!(run.stderr.contains(&note), "{}", run.stderr);
    assert_eq!(run.status, Some(0));
}

#[test]
fn what_is_accepted_unsigned_does_not_pass_where_its_images_cannot_be_judged() {
    let mirror = Mirror::new();
    write_bundle(&mirror, "b", &two_images(&mirror));
    let whole = zstd(&two_images(&mirror).tar());
    mirror.write("cut.zst", &whole[..whole.len() / 2]);
    std::os::unix::fs::symlink("nowhere", mirror.path().join("dangling.zst")).unwrap();
    let run = mirror.run_pinned(&["--images", "--allow-unsigned", "--quiet", "."]);
    assert_eq!(
        lines(&run),
        [
            "b.tar.zst » docker.io/library/busybox:1.36 (linux/amd64): ⚠️ Image not signed, intact",
            "cut.zst: ⚠️ Signature file not found",
            "cut.zst » (contents): ❌ Contents damaged",
            "dangling.zst: ❌ Cannot read: No such file or directory",
        ]
    );
    assert_eq!(run.status, Some(1));
}

#[test]
fn a_signed_file_of_any_name_is_looked_into_and_need_not_be_a_bundle() {
    let mirror = Mirror::new();
    let bundle = zstd(&two_images(&mirror).tar());
    mirror.write_signed("bundle", "bundle.sig.bin", &bundle);
    mirror.write_signed("script.bin", "script.bin.sig.bin", b"#!/bin/sh\n");
    // bzip2, which fails under the name of a bundle.
    mirror.write_signed("x.bz2", "x.bz2.sig.bin", b"BZh91AY&SY rest");
    let run = mirror.run_pinned(&["--images", "."]);
    assert_eq!(
        lines(&run),
        [
            "bundle: ✅ Signature valid",
            "bundle » docker.io/library/busybox:1.36 (linux/amd64): ⚠️ Image not signed, intact",
            "bundle » registry.example.com/team/app:1.0 (linux/amd64, linux/arm64): ✅ Image signature valid",
            "script.bin: ✅ Signature valid",
            "x.bz2: ✅ Signature valid",
        ]
    );
}

#[test]
fn an_image_that_an_index_lists_twice_is_two_cases() {
    let mirror = Mirror::new();
    let image = Image::new("amd64", &[b"layer"]);
    let mut layout = Layout::default();
    layout.add("registry.example.com/app:1", &image);
    // The second time as an index, which it is not.
    let again = layout.entries[0].replace("image.manifest", "image.index");
    layout.entries.push(again);
    write_bundle(&mirror, "b", &layout);
    mirror.run_pinned(&["--images", "--report", "r.xml", "."]);
    let report = std::fs::read_to_string(mirror.path().join("r.xml")).unwrap();
    let report = roxmltree::Document::parse(&report).unwrap();
    let cases = report
        .descendants()
        .filter(|node| node.has_tag_name("testcase"));
    let names: Vec<_> = cases.map(|case| case.attribute("name").unwrap()).collect();
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!((names.len(), once.len()), (3, 3), "{names:?}");
}

#[test]
fn a_linked_directory_of_images_that_only_one_path_enters_is_judged_whichever_comes_first() {
    let mirror = Mirror::new();
    let mut layout = Layout::default();
    layout.add("v1", &Image::new("amd64", &[b"a layer"]));
    for (path, content) in layout.files() {
        mirror.write(&format!("layout/{path}"), content);
    }
    // The layer is not what its manifest promises.
    let layer = format!("layout/blobs/sha256/{}", hex(b"a layer"));
    assert!(mirror.path().join(&layer).exists(), "{layer}");
    mirror.write(&layer, "A layer");
    mirror.write("layout/tmp", "");
    mirror.write_signed("m/x.zst", "m/x.sig.bin", b"x");
    std::os::unix::fs::symlink("../layout", mirror.path().join("m/l")).unwrap();
    for paths in [["m", "m/l"], ["m/l", "m"]] {
        let options = ["--images", "--allow-unsigned", "--exclude", "tmp"];
        let run = mirror.run_pinned(&[&options[..], &paths].concat());
        let failures = run.stdout.lines().filter(|line| line.contains('❌'));
        let failures: Vec<&str> = failures.collect();
        let expected = [
            "m/l » (contents): ❌ Contents refused",
            "m/l » v1 (linux/amd64): ❌ Image incomplete",
        ];
        assert_eq!(failures, expected, "{paths:?}: {run:?}");
        assert_eq!(run.status, Some(1), "{paths:?}");
    }
}
