//! Bundles and saved images made by the programs that people make them with, and signed by OpenSSL.

use std::fs::{self, File};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::support::bundles::{Image, Layout, SIMPLE_SIGNING, digest, payload};
use crate::support::hostile::gzip;
use crate::support::{Mirror, Run, is_here, private_pem};

const NAME: &str = "registry.example.com/team/app:1.0";

/// Runs a program in the mirror's directory, and returns what it printed.
fn run(mirror: &Mirror, program: &str, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new(program);
    let output = command
        .args(arguments)
        .current_dir(mirror.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {output:?}"
    );
    output.stdout
}

/// Signs a file with OpenSSL.
fn sign(mirror: &Mirror, file: &str, signature: &str) {
    mirror.write("private.pem", private_pem(&mirror.key));
    let arguments = [
        "dgst",
        "-sha256",
        "-sign",
        "private.pem",
        "-out",
        signature,
        file,
    ];
    run(mirror, "openssl", &arguments);
}

/// Signs a manifest as Cosign does, and writes what `cosign download signature` prints to
/// `evidence/`, with the manifest.
fn sign_image(mirror: &Mirror, manifest: &[u8]) {
    let signed = payload("registry.example.com/team/app", manifest);
    mirror.write("payload", &signed);
    sign(mirror, "payload", "signature");
    let signature = STANDARD.encode(fs::read(mirror.path().join("signature")).unwrap());
    let payload = STANDARD.encode(&signed);
    let line = format!(
        r#"{{"Base64Signature":"{signature}","Payload":"{payload}","Cert":null,"Chain":null,"Bundle":null}}"#
    );
    let annotation = format!(r#"{{"dev.cosignproject.cosign/signature":"{signature}"}}"#);
    let skopeo = format!(
        r#"{{"mimeType":"{SIMPLE_SIGNING}","payload":"{payload}","annotations":{annotation}}}"#
    );
    mirror.write("signature-1", format!("\0sigstore-json\n{skopeo}"));
    let id = digest(manifest).replace(':', "-");
    mirror.write(&format!("evidence/{id}.jsonl"), line + "\n");
    mirror.write(&format!("evidence/{id}.json"), manifest);
}

/// Judges a saved image with that evidence.
fn judge(mirror: &Mirror, path: &str) -> Run {
    let evidence = ["--image-signatures", "evidence"];
    mirror.run_pinned(&[&["--images"], &evidence[..], &[path]].concat())
}

fn assert_is_valid(mirror: &Mirror, path: &str, name: &str) {
    let run = judge(mirror, path);
    let line = format!("{path} » {name} (linux/amd64): ✅ Image signature valid\n");
    assert_eq!((run.stdout, run.status), (line, Some(0)), "{}", run.stderr);
}

/// The raw manifest of an image, as skopeo has it.
fn manifest(mirror: &Mirror, image: &str) -> Vec<u8> {
    run(mirror, "skopeo", &["inspect", "--raw", image])
}

fn copy(mirror: &Mirror, from: &str, to: &str) {
    run(
        mirror,
        "skopeo",
        &["copy", "-q", "--insecure-policy", from, to],
    );
}

fn are_here(programs: &[&str], test: &str) -> bool {
    programs.iter().all(|program| is_here(program, test))
}

/// Makes the layout `oci` with one image, `v1`.
fn make_layout(mirror: &Mirror) {
    mirror.write("file", "content");
    run(mirror, "umoci", &["init", "--layout", "oci"]);
    run(mirror, "umoci", &["new", "--image", "oci:v1"]);
    run(
        mirror,
        "umoci",
        &[
            "config",
            "--image",
            "oci:v1",
            "--architecture",
            "amd64",
            "--os",
            "linux",
        ],
    );
    for name in ["/one", "/two"] {
        run(
            mirror,
            "umoci",
            &["insert", "--image", "oci:v1", "file", name],
        );
    }
}

#[test]
fn images_that_umoci_makes_and_skopeo_converts_are_valid_in_every_form() {
    let test = "images made by umoci and skopeo";
    if !are_here(&["umoci", "skopeo", "openssl"], test) {
        return;
    }
    let mirror = Mirror::new();
    make_layout(&mirror);
    let signed = manifest(&mirror, "oci:oci:v1");
    sign_image(&mirror, &signed);
    // A layout has tags, and no names.
    assert_is_valid(&mirror, "oci", &digest(&signed));
    for (path, transport) in [
        ("layout.tar", format!("oci-archive:layout.tar:{NAME}")),
        ("docker.tar", format!("docker-archive:docker.tar:{NAME}")),
    ] {
        copy(&mirror, "oci:oci:v1", &transport);
        assert_is_valid(&mirror, path, NAME);
    }
    // What skopeo writes there names no image, and is byte for byte the manifest.
    copy(&mirror, "oci:oci:v1", "dir:dir");
    assert_is_valid(&mirror, "dir", &digest(&signed));
    // It may hold the signature itself.
    fs::rename(
        mirror.path().join("signature-1"),
        mirror.path().join("dir/signature-1"),
    )
    .unwrap();
    let signed_inside = mirror.run_pinned(&["--images", "dir"]);
    let line = format!(
        "dir » {} (linux/amd64): ✅ Image signature valid\n",
        digest(&signed)
    );
    assert_eq!(
        (signed_inside.stdout, signed_inside.status),
        (line, Some(0))
    );
    // In a directory, the blobs count as they are now.
    let layer = serde_json::from_slice::<Value>(&signed).unwrap();
    let layer = layer["layers"][0]["digest"]
        .as_str()
        .unwrap()
        .replace("sha256:", "");
    fs::write(mirror.path().join("dir").join(layer), "other").unwrap();
    let run = judge(&mirror, "dir");
    let first = run.stdout.lines().next();
    assert_eq!(first, Some("dir » (contents): ❌ Contents refused"));
    assert_eq!(run.status, Some(1));
}

#[test]
fn an_index_for_two_platforms_survives_skopeo() {
    let test = "an index for two platforms, copied by skopeo";
    if !are_here(&["skopeo", "openssl"], test) {
        return;
    }
    let mirror = Mirror::new();
    let (amd64, arm64) = (
        Image::new("amd64", &[&gzip(b"one")]),
        Image::new("arm64", &[&gzip(b"two")]),
    );
    // Layers that are not compressed would be on their way, and have other digests then.
    let mut layout = Layout::default();
    let index = layout.add_index(NAME, &[("amd64", &amd64), ("arm64", &arm64)]);
    for (path, content) in layout.files() {
        mirror.write(&format!("from/{path}"), content);
    }
    sign_image(&mirror, &index);
    let all = [
        "copy",
        "-q",
        "--insecure-policy",
        "--all",
        "--preserve-digests",
    ];
    let to = format!("oci-archive:all.tar:{NAME}");
    run(&mirror, "skopeo", &[&all[..], &["oci:from", &to]].concat());
    let judged = judge(&mirror, "all.tar");
    let line = format!("all.tar » {NAME} (linux/amd64, linux/arm64): ✅ Image signature valid\n");
    assert_eq!(
        (judged.stdout, judged.status),
        (line, Some(0)),
        "{}",
        judged.stderr
    );
    // One platform alone is signed by the index that the user brought along.
    let to = format!("oci-archive:one.tar:{NAME}");
    let one = [
        "copy",
        "-q",
        "--insecure-policy",
        "--override-arch",
        "amd64",
        "oci:from",
        &to,
    ];
    run(&mirror, "skopeo", &one);
    assert_is_valid(&mirror, "one.tar", NAME);
}

#[test]
fn images_that_buildah_builds_and_podman_saves_are_valid() {
    let test = "images made by buildah and podman";
    if !are_here(&["buildah", "podman", "skopeo", "openssl"], test) {
        return;
    }
    let mirror = Mirror::new();
    mirror.write("file", "content");
    let root = mirror.path().join("storage").display().to_string();
    let state = mirror.path().join("state").display().to_string();
    let storage = [
        "--root",
        &root,
        "--runroot",
        &state,
        "--storage-driver",
        "vfs",
    ];
    let with = |arguments: &[&'static str]| [&storage[..], arguments].concat();
    run(
        &mirror,
        "buildah",
        &with(&["from", "--name", "c", "--arch", "amd64", "scratch"]),
    );
    run(&mirror, "buildah", &with(&["copy", "c", "file", "/file"]));
    run(&mirror, "buildah", &with(&["commit", "c", NAME]));
    run(
        &mirror,
        "podman",
        &with(&["save", "--format", "oci-archive", "-o", "oci.tar", NAME]),
    );
    run(
        &mirror,
        "podman",
        &with(&[
            "save",
            "--format",
            "docker-archive",
            "-o",
            "docker.tar",
            NAME,
        ]),
    );
    sign_image(&mirror, &manifest(&mirror, "oci-archive:oci.tar"));
    assert_is_valid(&mirror, "oci.tar", NAME);
    assert_is_valid(&mirror, "docker.tar", NAME);
}

/// Compresses `bundle.tar` into `bundle.tar.zst` as from a pipe, so that its size is not known
/// beforehand, and signs it.
fn compress(mirror: &Mirror, program: &str, arguments: &[&str]) {
    let at = |name: &str| mirror.path().join(name);
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(File::create(at("bundle.tar.zst")).unwrap());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    std::io::copy(&mut File::open(at("bundle.tar")).unwrap(), &mut input).unwrap();
    drop(input);
    assert!(child.wait().unwrap().success(), "{program} {arguments:?}");
    sign(mirror, "bundle.tar.zst", "bundle.tar.zst.sig.bin");
}

/// A mirror with `bundle.tar`: a signed image whose layer is a few megabytes, half of them noise.
fn with_bundle() -> Mirror {
    let mirror = Mirror::new();
    let mut state = 1_u64;
    let mut noise = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    };
    let mut layer: Vec<u8> = (0..2_000_000).map(|_| noise()).collect();
    layer.extend_from_within(..);
    let image = Image::new("amd64", &[&layer]);
    let mut layout = Layout::default();
    layout.add(NAME, &image);
    layout.sign(
        &mirror.key,
        "registry.example.com/team/app",
        &image.manifest,
    );
    mirror.write("bundle.tar", layout.tar());
    mirror
}

fn judge_bundle(mirror: &Mirror, options: &[&str]) -> (String, Option<i32>) {
    let run = mirror.run_pinned(&[&["--images", "bundle.tar.zst"], options].concat());
    (run.stdout, run.status)
}

/// What is said of that bundle.
fn all_is_valid() -> (String, Option<i32>) {
    let lines = [
        "bundle.tar.zst: ✅ Signature valid\n",
        "bundle.tar.zst » registry.example.com/team/app:1.0 (linux/amd64): ✅ Image signature valid\n",
    ];
    (lines.concat(), Some(0))
}

#[test]
fn a_bundle_is_the_same_whatever_compressed_it() {
    let test = "bundles compressed by zstd, pzstd and gzip";
    if !are_here(&["zstd", "pzstd", "gzip", "openssl"], test) {
        return;
    }
    let mirror = with_bundle();
    for (program, arguments) in [
        ("zstd", &["-q", "-1"][..]),
        ("zstd", &["-q", "-T0"]),
        ("zstd", &["-q", "-1", "--long=25"]),
        ("zstd", &["-q", "-1", "--long=27"]),
        ("zstd", &["-q", "-1", "--no-check"]),
        ("zstd", &["-q", "-1", "--rsyncable", "-T0"]),
        ("pzstd", &["-q", "-1", "-p", "2"]),
        ("gzip", &["-1"]),
        ("gzip", &["-1", "--rsyncable"]),
    ] {
        compress(&mirror, program, arguments);
        assert_eq!(
            judge_bundle(&mirror, &[]),
            all_is_valid(),
            "{program} {arguments:?}"
        );
    }
}

#[test]
fn a_window_that_zstd_itself_must_be_told_of_needs_the_option() {
    let test = "a bundle with a window of 256 MiB";
    if !are_here(&["zstd", "openssl"], test) {
        return;
    }
    let mirror = with_bundle();
    compress(&mirror, "zstd", &["-q", "-1", "--long=28"]);
    let lines =
        "bundle.tar.zst: ✅ Signature valid\nbundle.tar.zst » (contents): ❌ Contents not judged\n";
    assert_eq!(judge_bundle(&mirror, &[]), (lines.to_owned(), Some(1)));
    assert_eq!(
        judge_bundle(&mirror, &["--max-window", "256M"]),
        all_is_valid()
    );
}

#[test]
fn a_bundle_of_zstd_with_its_last_bytes_lost_is_damaged_and_invalid() {
    let test = "a bundle that was cut off";
    if !are_here(&["zstd", "openssl"], test) {
        return;
    }
    let mirror = with_bundle();
    compress(&mirror, "zstd", &["-q", "-1"]);
    let file = File::options()
        .write(true)
        .open(mirror.path().join("bundle.tar.zst"))
        .unwrap();
    file.set_len(file.metadata().unwrap().len() - 4).unwrap();
    let lines =
        "bundle.tar.zst: ❌ Signature invalid\nbundle.tar.zst » (contents): ❌ Contents damaged\n";
    assert_eq!(judge_bundle(&mirror, &[]), (lines.to_owned(), Some(1)));
}
