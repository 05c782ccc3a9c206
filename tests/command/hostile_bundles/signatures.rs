//! Things in place of a signature, and signatures that are not all they seem.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::SigningKey;

use super::{APP, app, app_fails, image, said, valid, verdict_on, verdict_with};
use crate::support::bundles::{Layout, digest, downloaded, hex, payload, sign, zstd};
use crate::support::hostile::{
    BY_CERTIFICATE, BY_KEY, IS_SIGNATURE, downloaded_with, enveloped, referrer, statement,
};
use crate::support::{Mirror, public_der, public_pem, signing_key};

const REPOSITORY: &str = "registry.example.com/team/app";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// A layout with the image and nothing that signs it.
fn unsigned() -> Layout {
    let mut layout = Layout::default();
    layout.add(APP, &image("app"));
    layout
}

/// The archive of the image, and of this Sigstore bundle that refers to it.
fn referred(bundle: &[u8]) -> Vec<u8> {
    let mut layout = unsigned();
    referrer(&mut layout, BUNDLE, bundle, &image("app").manifest);
    layout.tar()
}

fn id() -> String {
    digest(&image("app").manifest)
}

/// What is said of the image if nothing signs it.
fn not_signed() -> (Vec<String>, Option<i32>) {
    app_fails(
        "Image not signed",
        &format!("{}: no signature for this digest was found", id()),
    )
}

/// What is said of it if something does, and nothing of it counts.
fn not_trusted() -> (Vec<String>, Option<i32>) {
    let why = format!("{}: none of its signatures is by a trusted key", id());
    app_fails("Image signature invalid", &why)
}

fn keyless() -> (Vec<String>, Option<i32>) {
    let why = "its signatures are keyless (made with a short-lived certificate) and cannot be verified offline";
    app_fails("Image not signed", &format!("{}: {why}", id()))
}

/// What is said of the image, with this file brought along.
fn with_evidence(mirror: &Mirror, evidence: impl AsRef<[u8]>) -> (Vec<String>, Option<i32>) {
    mirror.write("evidence", evidence);
    verdict_with(
        mirror,
        unsigned().tar(),
        &["--image-signatures", "evidence"],
    )
}

#[test]
fn a_bundle_of_cosign_3_that_refers_to_the_image_signs_it() {
    let mirror = Mirror::new();
    let statement = statement(IS_SIGNATURE, &image("app").manifest);
    let bundle = enveloped(&mirror.key, &statement, BY_KEY);
    assert_eq!(verdict_on(&mirror, referred(&bundle)), valid(&image("app")));
    assert_eq!(with_evidence(&mirror, &bundle), valid(&image("app")));
}

#[test]
fn an_attestation_by_the_trusted_key_is_no_signature() {
    let mirror = Mirror::new();
    for predicate in [
        "https://spdx.dev/Document",
        "https://cyclonedx.org/bom",
        "https://slsa.dev/provenance/v1",
        "https://sigstore.dev/cosign/sign/v2",
        "https://sigstore.dev/cosign/sign/v1/",
        "",
    ] {
        let statement = statement(predicate, &image("app").manifest);
        let bundle = enveloped(&mirror.key, &statement, BY_KEY);
        assert_eq!(
            verdict_on(&mirror, referred(&bundle)),
            not_signed(),
            "{predicate}"
        );
        assert_eq!(with_evidence(&mirror, &bundle), not_signed(), "{predicate}");
    }
}

#[test]
fn a_statement_about_another_digest_signs_that_alone() {
    let mirror = Mirror::new();
    let other = statement(IS_SIGNATURE, &image("other").manifest);
    let bundle = enveloped(&mirror.key, &other, BY_KEY);
    assert_eq!(verdict_on(&mirror, referred(&bundle)), not_signed());
    assert_eq!(with_evidence(&mirror, &bundle), not_signed());
}

#[test]
fn an_envelope_whose_payload_was_exchanged_signs_nothing() {
    let mirror = Mirror::new();
    let statement_of = |content| statement(IS_SIGNATURE, &image(content).manifest);
    let bundle = enveloped(&mirror.key, &statement_of("other"), BY_KEY);
    let (from, to) = (statement_of("other"), statement_of("app"));
    let bundle = String::from_utf8(bundle).unwrap();
    let bundle = bundle.replace(&STANDARD.encode(from), &STANDARD.encode(to));
    assert_eq!(
        verdict_on(&mirror, referred(bundle.as_bytes())),
        not_trusted()
    );
}

#[test]
fn a_bundle_of_a_version_that_is_not_known_signs_nothing() {
    let mirror = Mirror::new();
    let statement = statement(IS_SIGNATURE, &image("app").manifest);
    let bundle = enveloped(&mirror.key, &statement, BY_KEY);
    let bundle = String::from_utf8(bundle).unwrap().replace("v0.3", "v0.4");
    assert_eq!(
        verdict_on(&mirror, referred(bundle.as_bytes())),
        not_signed()
    );
}

#[test]
fn a_bundle_with_a_duplicate_key_signs_nothing() {
    let mirror = Mirror::new();
    let statement = statement(IS_SIGNATURE, &image("app").manifest);
    let bundle = enveloped(&mirror.key, &statement, BY_KEY);
    let bundle = String::from_utf8(bundle).unwrap();
    for (from, to) in [
        (r#""payload":"#, r#""payload":"","payload":"#),
        (r#""payload":"#, r#""Payload":"","payload":"#),
        (r#""signatures":["#, r#""signatures":[{"sig":""},"#),
    ] {
        let changed = bundle.replace(from, to);
        assert_eq!(
            verdict_on(&mirror, referred(changed.as_bytes())),
            not_signed(),
            "{to}"
        );
    }
}

#[test]
fn a_signature_without_a_key_is_told_as_such_and_never_counts() {
    let mirror = Mirror::new();
    let statement = statement(IS_SIGNATURE, &image("app").manifest);
    let bundle = enveloped(&signing_key(9), &statement, BY_CERTIFICATE);
    assert_eq!(verdict_on(&mirror, referred(&bundle)), keyless());
    let line = |cert| {
        downloaded_with(
            &signing_key(9),
            REPOSITORY,
            &image("app").manifest,
            cert,
            "null",
        )
    };
    let cert = r#"{"Raw":"bGVhZg==","IsCA":false}"#;
    assert_eq!(with_evidence(&mirror, line(cert)), keyless());
    // Beside one of a key that is not trusted it is no longer the only one.
    let both = line(cert) + &line("null");
    assert_eq!(with_evidence(&mirror, both), not_trusted());
    // In a bundle that is valid itself, an image may be unsigned.
    let sealed = zstd(&referred(&bundle));
    mirror.write_signed("b.zst", "b.sig.bin", &sealed);
    let run = mirror.run_pinned(&["--images", "b.zst"]);
    let line = format!("b.zst » {APP} (linux/amd64): ⚠️ Image not signed, intact");
    let expected = vec!["b.zst: ✅ Signature valid".to_owned(), line];
    assert_eq!(said(&run), (expected, Some(0)));
}

#[test]
fn a_public_key_beside_a_signature_is_never_taken_for_a_trusted_one() {
    let mirror = Mirror::new();
    let stranger = signing_key(9);
    let manifest = image("app").manifest;
    let payload = payload(REPOSITORY, &manifest);
    let (pem, der) = (
        public_pem(&stranger),
        STANDARD.encode(public_der(&stranger)),
    );
    let quoted = serde_json::to_string(&pem).unwrap();
    // Where a line of `cosign download signature` has its certificate.
    for cert in [quoted.clone(), format!(r#"{{"Raw":"{der}"}}"#)] {
        let line = downloaded_with(&stranger, REPOSITORY, &manifest, &cert, "null");
        let (lines, status) = with_evidence(&mirror, line);
        assert!(lines[0].contains(": ❌ Image not signed ("), "{lines:?}");
        assert_eq!((lines.len(), status), (1, Some(1)));
    }
    // Where the annotations have it.
    let mut layout = unsigned();
    let signature = sign(&stranger, &payload);
    let injected = format!(
        r#"{signature}","dev.sigstore.cosign/certificate":{}"#,
        &quoted[..quoted.len() - 1]
    );
    layout.add_signature(REPOSITORY, &manifest, &payload, &injected);
    let (lines, status) = verdict_on(&mirror, layout.tar());
    assert!(lines[0].contains(": ❌ Image not signed ("), "{lines:?}");
    assert_eq!((lines.len(), status), (1, Some(1)));
    // The old bundle of `cosign sign-blob`, over the manifest and over the payload; and its
    // successor's raw key.
    for over in [&manifest, &payload] {
        let cert = STANDARD.encode(&pem);
        let old = format!(
            r#"{{"base64Signature":"{}","cert":"{cert}","rekorBundle":null}}"#,
            sign(&stranger, over)
        );
        // It signs no image, so that the run does not begin.
        assert_eq!(with_evidence(&mirror, old), (Vec::new(), Some(2)));
    }
    let material = format!(r#"{{"publicKey":{{"hint":"x","rawBytes":"{der}"}}}}"#);
    let bundle = enveloped(&stranger, &statement(IS_SIGNATURE, &manifest), &material);
    assert_eq!(with_evidence(&mirror, bundle), not_trusted());
}

#[test]
fn a_payload_about_another_digest_signs_that_and_not_what_its_tag_says() {
    let mirror = Mirror::new();
    let mut layout = unsigned();
    let other = payload(REPOSITORY, &image("other").manifest);
    let signature = sign(&mirror.key, &other);
    // The tag is that of the image.
    layout.add_signature(REPOSITORY, &image("app").manifest, &other, &signature);
    mirror.write("x.tar", layout.tar());
    let run = mirror.run_pinned(&["-v", "--images", "x.tar"]);
    assert_eq!(said(&run), not_signed());
    let note = format!(
        "note: x.tar: a signature for {}, but no such image was found",
        digest(&image("other").manifest)
    );
    assert!(
        run.stderr.lines().any(|line| line == note),
        "{}",
        run.stderr
    );
}

/// The archive of the image with this payload, signed by the key of the mirror.
fn with_payload(mirror: &Mirror, payload: &str) -> Vec<u8> {
    let mut layout = unsigned();
    let signature = sign(&mirror.key, payload.as_bytes());
    layout.add_signature(
        REPOSITORY,
        &image("app").manifest,
        payload.as_bytes(),
        &signature,
    );
    layout.tar()
}

#[test]
fn a_payload_that_could_be_read_in_two_ways_or_is_of_another_type_signs_nothing() {
    let mirror = Mirror::new();
    let usual = String::from_utf8(payload(REPOSITORY, &image("app").manifest)).unwrap();
    assert_eq!(
        verdict_on(&mirror, with_payload(&mirror, &usual)),
        valid(&image("app"))
    );
    let digest = |content| digest(&image(content).manifest);
    let key = r#""docker-manifest-digest":"#;
    for (from, to) in [
        (
            key.to_owned(),
            format!(r#"{key}"{}",{key}"#, digest("other")),
        ),
        (
            key.to_owned(),
            format!(r#""Docker-Manifest-Digest":"{}",{key}"#, digest("other")),
        ),
        (
            "cosign container image signature".to_owned(),
            "atomic container signature".to_owned(),
        ),
        (
            r#""optional":null"#.to_owned(),
            r#""optional":null,"more":1"#.to_owned(),
        ),
        (digest("app"), digest("app").to_uppercase()),
    ] {
        let changed = usual.replace(&from, &to);
        assert_ne!(changed, usual);
        let (lines, status) = verdict_on(&mirror, with_payload(&mirror, &changed));
        let line = format!("{}: no signature for this digest was found", id());
        assert!(
            lines.contains(&app("❌ Image not signed", &line)),
            "{to} {lines:?}"
        );
        assert_eq!(status, Some(1));
    }
}

/// The archive of the image with a signature by each of these keys.
fn signed_by(keys: &[&SigningKey]) -> Vec<u8> {
    let mut layout = unsigned();
    for key in keys {
        layout.sign(key, REPOSITORY, &image("app").manifest);
    }
    layout.tar()
}

#[test]
fn an_untrusted_signature_beside_a_trusted_one_takes_nothing_from_it() {
    let mirror = Mirror::new();
    let stranger = signing_key(9);
    let ways = [[&stranger, &mirror.key], [&mirror.key, &stranger]];
    for keys in ways {
        assert_eq!(verdict_on(&mirror, signed_by(&keys)), valid(&image("app")));
    }
    assert_eq!(verdict_on(&mirror, signed_by(&[&stranger])), not_trusted());
    // If the stranger is trusted too, its signature counts.
    mirror.write("other.pub", public_pem(&stranger));
    let pin = hex(&public_der(&stranger));
    let found = verdict_with(
        &mirror,
        signed_by(&[&stranger]),
        &["--image-key", "other.pub", "--key-fingerprint", &pin],
    );
    let line = app(
        "✅ Image signature valid",
        &format!("{}, key other.pub", id()),
    );
    assert_eq!(found, (vec![line], Some(0)));
}

#[test]
fn a_signature_whose_log_entry_is_about_another_key_does_not_count() {
    let mirror = Mirror::new();
    let manifest = image("app").manifest;
    let payload = payload(REPOSITORY, &manifest);
    let entry = |key: &SigningKey| {
        let body = format!(
            r#"{{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{{"data":{{"hash":{{"algorithm":"sha256","value":"{}"}}}},"signature":{{"content":"{}","publicKey":{{"content":"{}"}}}}}}}}"#,
            hex(&payload),
            sign(&mirror.key, &payload),
            STANDARD.encode(public_pem(key))
        );
        let bundle = format!(
            r#"{{"SignedEntryTimestamp":"","Payload":{{"body":"{}"}}}}"#,
            STANDARD.encode(body)
        );
        downloaded_with(&mirror.key, REPOSITORY, &manifest, "null", &bundle)
    };
    assert_eq!(
        with_evidence(&mirror, entry(&mirror.key)),
        valid(&image("app"))
    );
    assert_eq!(
        with_evidence(&mirror, entry(&signing_key(9))),
        not_trusted()
    );
}

#[test]
fn a_signature_of_what_is_inside_an_image_does_not_sign_the_image() {
    let mirror = Mirror::new();
    let image = image("app");
    for content in [&image.blobs[0], &image.blobs[1]] {
        let line = downloaded(&mirror.key, &payload(REPOSITORY, content));
        assert_eq!(with_evidence(&mirror, line), not_signed());
    }
}
