//! Signature files of other formats, as their programs write them, with OpenSSL's signatures in them;
//! what is valid here is valid to Sigstore's own library.

use std::path::Path;
use std::process::Command;

use ::base64::Engine;
use ::base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::readers::Readers;
use crate::support::{
    Mirror, openssl_is_here, openssl_verifies, private_pem, public_der, public_pem, signing_key,
};

const DATA: &[u8] = b"what was published";

fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// The SHA-256 of a message, in digits.
fn hex(message: &[u8]) -> String {
    let digest = Sha256::digest(message);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A mirror with `tool`, and OpenSSL's signature of it by the key of this number.
fn signed_by(number: u8) -> (Mirror, Vec<u8>) {
    let mirror = Mirror::new();
    mirror.write("tool", DATA);
    let secret = tempfile::tempdir().unwrap();
    let key = secret.path().join("private.pem");
    std::fs::write(&key, private_pem(&signing_key(number))).unwrap();
    let mut openssl = Command::new("openssl");
    openssl.args(["dgst", "-sha256", "-sign"]).arg(&key);
    let output = openssl.arg(mirror.path().join("tool")).output().unwrap();
    assert!(output.status.success());
    (mirror, output.stdout)
}

/// An entry of the log on a signature of [`DATA`] by a key, as Rekor records it.
fn entry(signature: &[u8], signer: &str) -> String {
    let hash = hex(DATA);
    base64(
        json!({
            "apiVersion": "0.0.1",
            "kind": "hashedrekord",
            "spec": {
                "data": {"hash": {"algorithm": "sha256", "value": hash}},
                "signature": {"content": base64(signature), "publicKey": {"content": base64(signer)}},
            },
        })
        .to_string(),
    )
}

fn log_entry(signature: &[u8], signer: &str) -> Value {
    json!({
        "logIndex": "25579",
        "logId": {"keyId": base64(Sha256::digest(b"log"))},
        "kindVersion": {"kind": "hashedrekord", "version": "0.0.1"},
        "integratedTime": "1689177396",
        "inclusionPromise": {"signedEntryTimestamp": base64(b"promise")},
        "inclusionProof": {
            "logIndex": "25579", "rootHash": base64(Sha256::digest(b"root")), "treeSize": "25580",
            "hashes": [base64(Sha256::digest(b"node"))],
            "checkpoint": {"envelope": "rekor\n25580\n"},
        },
        "canonicalizedBody": entry(signature, signer),
    })
}

fn bundle(version: &str, material: &Value, signature: &[u8]) -> Value {
    json!({
        "mediaType": version,
        "verificationMaterial": material,
        "messageSignature": {
            "messageDigest": {"algorithm": "SHA2_256", "digest": base64(Sha256::digest(DATA))},
            "signature": base64(signature),
        },
    })
}

const V0_1: &str = "application/vnd.dev.sigstore.bundle+json;version=0.1";
const V0_3: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

fn certificate() -> (String, Value) {
    let pem = include_str!("../keys/certificate.pem").to_owned();
    let der = include_bytes!("../keys/certificate.der");
    (pem, json!({"rawBytes": base64(der)}))
}

/// The documents that programs write of a signature: names, contents, and whether a certificate is
/// in them.
fn documents(signature: &[u8], key: &str) -> Vec<(&'static str, Value, bool)> {
    let (pem, leaf) = certificate();
    let rekor = |signer: &str| {
        json!({
            "SignedEntryTimestamp": base64(b"promise"),
            "Payload": {
                "body": entry(signature, signer), "integratedTime": 1_624_396_085_u64,
                "logIndex": 5179, "logID": hex(b"log"),
            },
        })
    };
    let hint = json!({"hint": "hint"});
    let chain = json!({"certificates": [leaf.clone()]});
    let old = |cert: String, bundle: &Value| json!({"base64Signature": base64(signature), "cert": cert, "rekorBundle": bundle});
    vec![
        (
            "tool.sigstore.json",
            bundle(V0_3, &json!({"publicKey": hint}), signature),
            false,
        ),
        (
            "tool.sigstore",
            bundle(
                V0_3,
                &json!({"publicKey": hint, "tlogEntries": [log_entry(signature, key)]}),
                signature,
            ),
            false,
        ),
        ("tool.bundle", old(base64(key), &rekor(key)), false),
        ("tool.cosign.bundle", old(base64(&pem), &rekor(&pem)), true),
        (
            "tool.sigstore.json",
            bundle(
                V0_3,
                &json!({"certificate": leaf, "tlogEntries": [log_entry(signature, &pem)]}),
                signature,
            ),
            true,
        ),
        (
            "tool.sigstore",
            bundle(
                V0_1,
                &json!({"x509CertificateChain": chain, "tlogEntries": [log_entry(signature, &pem)]}),
                signature,
            ),
            true,
        ),
    ]
}

#[test]
fn what_programs_write_is_valid_by_a_trusted_key_and_keyless_or_invalid_without_one() {
    if !openssl_is_here("envelopes are judged as OpenSSL's signatures in them are") {
        return;
    }
    for number in [1, 2] {
        let (mirror, signature) = signed_by(number);
        mirror.write("raw", &signature);
        let at = |name: &str| mirror.path().join(name);
        assert_eq!(
            openssl_verifies(&at("key.pem"), &at("raw"), &at("tool")),
            number == 1
        );
        for (name, document, has_certificate) in
            documents(&signature, &public_pem(&signing_key(number)))
        {
            mirror.write(name, document.to_string());
            let run = mirror.run_pinned(&["-v", "tool"]);
            let line = match (number, has_certificate) {
                (1, _) => format!("tool: ✅ Signature valid ({name}, key key.pem; not judged: "),
                (_, false) => format!(
                    "tool: ❌ Signature invalid ({name}: no trusted key made this signature over these bytes"
                ),
                (_, true) => format!(
                    "tool: ❌ Signature invalid ({name}: no trusted key made this signature, and its certificate (keyless) cannot be judged here"
                ),
            };
            assert!(run.stdout.starts_with(&line), "{document}\n{}", run.stdout);
            assert_eq!(run.status, Some(i32::from(number != 1)), "{name}");
            // Over other bytes, it is nothing.
            mirror.write("tool", b"what was put in its place");
            let run = mirror.run_pinned(&["tool"]);
            assert_eq!(run.stdout, "tool: ❌ Signature invalid\n");
            mirror.write("tool", DATA);
            std::fs::remove_file(at(name)).unwrap();
        }
    }
}

#[test]
fn a_report_says_in_which_format_a_signature_was_and_why_one_does_not_count() {
    if !openssl_is_here("reports name the formats of signatures") {
        return;
    }
    let (mirror, signature) = signed_by(1);
    mirror.write("tool.sig", base64(&signature));
    mirror.write("tool.sig.bin", &signature);
    let new = bundle(V0_3, &json!({"publicKey": {"hint": ""}}), &signature);
    mirror.write("tool.sigstore.json", new.to_string());
    mirror.write(
        "tool.bundle",
        json!({"base64Signature": base64(&signature)}).to_string(),
    );
    let mut other = new.clone();
    other["messageSignature"]["messageDigest"]["digest"] = base64(Sha256::digest(b"x")).into();
    mirror.write("tool.sigstore", other.to_string());
    let run = mirror.run_pinned(&["--report", "r.json", "tool"]);
    assert_eq!(run.status, Some(1));
    let report: Value =
        serde_json::from_slice(&std::fs::read(mirror.path().join("r.json")).unwrap()).unwrap();
    let rows = report["artifacts"].as_array().unwrap().iter().map(|row| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let format = text(&row["signature_file"]["format"]);
        (text(&row["signature"]), format, text(&row["reason"]))
    });
    let row = |name: &str, format: &str, reason: &str| {
        (name.to_owned(), format.to_owned(), reason.to_owned())
    };
    assert_eq!(
        rows.collect::<Vec<_>>(),
        [
            row("tool.bundle", "cosign-bundle", "key-verifies"),
            row("tool.sig", "base64", "key-verifies"),
            row("tool.sig.bin", "bare", "key-verifies"),
            row("tool.sigstore", "sigstore-bundle", "signature-other-digest"),
            row("tool.sigstore.json", "sigstore-bundle", "key-verifies"),
        ]
    );
}

#[test]
fn an_attestation_and_an_entry_about_something_else_are_named() {
    if !openssl_is_here("what is no signature of the file is named") {
        return;
    }
    let (mirror, signature) = signed_by(1);
    let reason = |document: &Value| {
        mirror.write("tool.sigstore.json", document.to_string());
        let run = mirror.run_pinned(&["-v", "tool"]);
        assert_eq!(run.status, Some(1));
        let line = run.stdout.trim_end().to_owned();
        let before = "tool: ❌ Signature invalid (tool.sigstore.json: the signature file ";
        line.strip_prefix(before).unwrap_or(&line).to_owned()
    };
    let attestation = json!({
        "mediaType": V0_3,
        "verificationMaterial": {"publicKey": {"hint": ""}},
        "dsseEnvelope": {"payload": base64("{}"), "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"sig": base64(&signature)}]},
    });
    assert_eq!(
        reason(&attestation),
        "holds an attestation (dsseEnvelope), not a signature of the file)"
    );
    let key = public_pem(&signing_key(1));
    let logged = |entry: Value| {
        let material = json!({"publicKey": {"hint": ""}, "tlogEntries": [entry]});
        reason(&bundle(V0_3, &material, &signature))
    };
    let differs = |what: &str| format!("cannot be used: its log entry has a different {what})");
    assert_eq!(logged(log_entry(b"another", &key)), differs("signature"));
    let other = public_pem(&signing_key(2));
    assert_eq!(logged(log_entry(&signature, &other)), differs("key"));
    let (pem, _) = certificate();
    assert_eq!(logged(log_entry(&signature, &pem)), differs("certificate"));
    let later = bundle(
        "application/vnd.dev.sigstore.bundle.v0.4+json",
        &json!({}),
        &signature,
    );
    assert_eq!(
        reason(&later),
        "cannot be used: the media type \"application/vnd.dev.sigstore.bundle.v0.4+json\" is not known)"
    );
}

#[test]
fn a_report_replaces_no_file_that_has_a_signature_of_any_format_and_no_such_signature() {
    let mirror = Mirror::new();
    mirror.write_signed("m/x.zst", "m/x.sig.bin", DATA);
    for ending in [
        ".sig",
        ".sigstore.json",
        ".sigstore",
        ".bundle",
        ".cosign.bundle",
    ] {
        let signature = format!("r.csv{ending}");
        mirror.write("r.csv", "somebody's");
        mirror.write(&signature, "somebody's");
        let run = mirror.run_pinned(&["--report", "r.csv", "m"]);
        assert_eq!(run.status, Some(2), "{}", run.stderr);
        assert_eq!(
            std::fs::read(mirror.path().join("r.csv")).unwrap(),
            b"somebody's"
        );
        std::fs::remove_file(mirror.path().join(&signature)).unwrap();
    }
    mirror.write("s.sigstore.json", "somebody's");
    mirror.write("s", "somebody's");
    let run = mirror.run_pinned(&["--report", "s.sigstore.json", "m"]);
    assert_eq!(run.status, Some(2), "{}", run.stderr);
    let run = mirror.run_pinned(&["--report", "r.csv", "m"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
}

#[test]
fn shards_and_their_merge_have_the_records_of_one_run_over_signatures_of_every_format() {
    let mirror = Mirror::new();
    let signature = crate::support::sign(&mirror.key, DATA);
    for n in 0..4 {
        mirror.write(&format!("m/{n}"), DATA);
        mirror.write(&format!("m/{n}.sig"), base64(&signature));
        mirror.write(&format!("m/{n}.sig.bin"), &signature);
        let old = json!({"base64Signature": base64(&signature)}).to_string();
        mirror.write(&format!("m/{n}.bundle"), &old);
        mirror.write(
            &format!("m/lone{n}.bundle"),
            if n == 0 { &old } else { "# v2 git bundle\n" },
        );
    }
    let whole = mirror.run_pinned(&["--report", "whole.json", "m"]);
    assert_eq!(whole.status, Some(1), "{}", whole.stderr);
    for shard in ["1/2", "2/2"] {
        let report = format!("{}.json", &shard[..1]);
        mirror.run_pinned(&["--shard", shard, "--report", &report, "m"]);
    }
    let merged = mirror.run(&["--report", "merged.json", "--merge", "1.json", "2.json"]);
    assert_eq!(merged.stdout, whole.stdout, "{}", merged.stderr);
    let formats = |report: &str| -> Vec<Value> {
        let text = std::fs::read(mirror.path().join(report)).unwrap();
        let report: Value = serde_json::from_slice(&text).unwrap();
        let records = report["artifacts"].as_array().unwrap().iter();
        records
            .map(|record| record["signature_file"].clone())
            .collect()
    };
    assert_eq!(formats("merged.json"), formats("whole.json"));
    assert_eq!(formats("whole.json").len(), 13);
}

#[test]
fn a_bundle_that_is_valid_is_valid_to_sigstores_own_library() {
    let test = "sigstore's own library verifies bundles";
    let Some(readers) = Readers::of(test) else {
        return;
    };
    if !openssl_is_here(test) {
        return;
    }
    let (mirror, signature) = signed_by(1);
    let at = |name: &str| mirror.path().join(name);
    mirror.write("key.der", public_der(&signing_key(1)));
    let verified = |name: &str| {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let more = [text(&at("tool")), text(&at("key.der"))];
        let more = more.each_ref().map(String::as_str);
        readers.read("blob.cjs", &at(name), &more)
    };
    let hint = json!({"publicKey": {"hint": "hint"}});
    let whole = bundle(V0_3, &hint, &signature);
    let mut digest = whole.clone();
    digest["messageSignature"]["signature"] = base64(b"0").into();
    let mut other = whole.clone();
    let by_other = crate::support::sign(&signing_key(2), DATA);
    other["messageSignature"]["signature"] = base64(by_other).into();
    for (document, is_valid) in [(whole, true), (digest, false), (other, false)] {
        mirror.write("tool.sigstore.json", document.to_string());
        let run = mirror.run_pinned(&["tool"]);
        assert_eq!(run.status == Some(0), is_valid, "{document}");
        let theirs = verified("tool.sigstore.json");
        assert_eq!(theirs.is_ok(), is_valid, "{document}\n{theirs:?}");
    }
}
