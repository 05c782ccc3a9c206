//! Bundles as files: under several names, in parts, with several signatures.

use std::fs;
use std::path::Path;

use super::{APP, app_is_valid, image, said, signed};
use crate::support::bundles::{Layout, zstd};
use crate::support::hostile::gzip;
use crate::support::{Mirror, sign};

/// An archive with a signed image and one that is not.
fn mixed(mirror: &Mirror) -> Vec<u8> {
    let mut layout = signed(mirror);
    layout.add("docker.io/library/busybox:1.36", &image("busybox"));
    zstd(&layout.tar())
}

/// The lines of the images in [`mixed`].
fn inside(path: &str, busybox: &str) -> Vec<String> {
    vec![
        format!("{path} » docker.io/library/busybox:1.36 (linux/amd64): {busybox}"),
        format!("{path} » {APP} (linux/amd64): ✅ Image signature valid"),
    ]
}

const INTACT: &str = "⚠️ Image not signed, intact";
const NOT_SIGNED: &str = "❌ Image not signed";

#[test]
fn in_a_bundle_with_an_invalid_signature_images_are_judged_and_unsigned_ones_fail() {
    let mirror = Mirror::new();
    mirror.write("b.zst", mixed(&mirror));
    mirror.write("b.sig.bin", sign(&mirror.key, b"another"));
    let found = said(&mirror.run_pinned(&["--images", "."]));
    let own = vec!["b.zst: ❌ Signature invalid".to_owned()];
    assert_eq!(
        found,
        ([own, inside("b.zst", NOT_SIGNED)].concat(), Some(1))
    );
}

#[test]
fn parts_of_a_bundle_are_looked_into_as_their_whole() {
    let mirror = Mirror::new();
    let bundle = mixed(&mirror);
    mirror.write("x.tar.zst.sig.bin", sign(&mirror.key, &bundle));
    let size = bundle.len() / 3 + 1;
    for (part, letter) in bundle.chunks(size).zip(["aa", "ab", "ac"]) {
        mirror.write(&format!("x.tar.zst.part-{letter}"), part);
    }
    let own = vec!["x.tar.zst: ✅ Signature valid".to_owned()];
    let expected = [own, inside("x.tar.zst", INTACT)].concat();
    assert_eq!(
        said(&mirror.run_pinned(&["--images", "."])),
        (expected, Some(0))
    );
    // Without its last part nothing is known of it.
    fs::remove_file(mirror.path().join("x.tar.zst.part-ac")).unwrap();
    let run = mirror.run_pinned(&["--images", "."]);
    let own = vec!["x.tar.zst: ❌ Signature invalid".to_owned()];
    let contents = vec!["x.tar.zst » (contents): ❌ Contents damaged".to_owned()];
    assert_eq!(said(&run), ([own, contents].concat(), Some(1)));
}

#[test]
fn each_name_of_one_bundle_has_its_images() {
    let mirror = Mirror::new();
    let bundle = mixed(&mirror);
    mirror.write_signed("a.zst", "a.sig.bin", &bundle);
    fs::hard_link(mirror.path().join("a.zst"), mirror.path().join("b.zst")).unwrap();
    mirror.write("b.sig.bin", sign(&mirror.key, b"another"));
    let run = mirror.run_pinned(&["--images", "."]);
    // What one name vouches for is nothing to the other.
    let expected = [
        vec!["a.zst: ✅ Signature valid".to_owned()],
        inside("a.zst", INTACT),
        vec!["b.zst: ❌ Signature invalid".to_owned()],
        inside("b.zst", NOT_SIGNED),
    ];
    assert_eq!(said(&run), (expected.concat(), Some(1)));
}

#[test]
fn the_images_of_a_bundle_with_two_signatures_are_listed_once() {
    let mirror = Mirror::new();
    let bundle = mixed(&mirror);
    for (wrong, status) in [(false, 0), (true, 1)] {
        mirror.write_signed("a.zst", "a.sig.bin", &bundle);
        let signed = if wrong { b"another" } else { &bundle[..] };
        mirror.write("a.zst.sig.bin", sign(&mirror.key, signed));
        let run = mirror.run_pinned(&["--images", "."]);
        let second = if wrong {
            "❌ Signature invalid"
        } else {
            "✅ Signature valid"
        };
        let mut own = vec![
            "a.zst: ✅ Signature valid".to_owned(),
            format!("a.zst: {second}"),
        ];
        let (mut lines, found) = said(&run);
        let images = lines.split_off(2);
        own.sort();
        lines.sort();
        assert_eq!(
            (lines, images, found),
            (own, inside("a.zst", INTACT), Some(status))
        );
    }
}

#[test]
fn one_bundle_may_be_named_with_its_signature() {
    let mirror = Mirror::new();
    let bundle = mixed(&mirror);
    mirror.write("file", &bundle);
    mirror.write("signature", sign(&mirror.key, &bundle));
    let run = mirror.run_pinned(&["--images", "--signature", "signature", "file"]);
    let own = vec!["file: ✅ Signature valid".to_owned()];
    assert_eq!(
        said(&run),
        ([own, inside("file", INTACT)].concat(), Some(0))
    );
    mirror.write("signature", sign(&mirror.key, b"another"));
    let run = mirror.run_pinned(&["--images", "--signature", "signature", "file"]);
    let own = vec!["file: ❌ Signature invalid".to_owned()];
    assert_eq!(
        said(&run),
        ([own, inside("file", NOT_SIGNED)].concat(), Some(1))
    );
}

#[test]
fn saved_images_are_found_by_their_endings_and_told_by_their_content() {
    let mirror = Mirror::new();
    let tar = signed(&mirror).tar();
    for name in ["a.tar", "b.tgz", "c.tar.gz"] {
        for (way, bytes) in [tar.clone(), gzip(&tar), zstd(&tar)]
            .into_iter()
            .enumerate()
        {
            mirror.write(&format!("m/{way}{name}"), bytes);
        }
    }
    mirror.write("m/other.txt", &tar);
    let (lines, status) = said(&mirror.run_pinned(&["-v", "--images", "m"]));
    let expected = |path: &str| app_is_valid().0[0].replace("x.tar", path);
    let names = [
        "0a.tar",
        "0b.tgz",
        "0c.tar.gz",
        "1a.tar",
        "1b.tgz",
        "1c.tar.gz",
        "2a.tar",
        "2b.tgz",
        "2c.tar.gz",
    ];
    assert_eq!(lines, names.map(|name| expected(&format!("m/{name}"))));
    assert_eq!(status, Some(0));
}

#[test]
fn a_link_in_a_directory_of_images_is_not_followed() {
    let mirror = Mirror::new();
    let layout = signed(&mirror);
    let image = image("app");
    let mut other = Layout::default();
    other.add_content(&image);
    for (path, content) in layout.files() {
        mirror.write(&format!("l/{path}"), content);
    }
    let layer = format!(
        "l/blobs/sha256/{}",
        crate::support::bundles::hex(&image.blobs[1])
    );
    let at = mirror.path().join(layer);
    mirror.write("elsewhere", fs::read(&at).unwrap());
    fs::remove_file(&at).unwrap();
    std::os::unix::fs::symlink(Path::new("../../../elsewhere"), &at).unwrap();
    let run = mirror.run_pinned(&["-v", "--images", "l"]);
    let line = "l » (contents): ❌ Contents refused (../../../elsewhere: unsafe name)";
    assert_eq!(said(&run), (vec![line.to_owned()], Some(1)));
}
