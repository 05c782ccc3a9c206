//! Signatures for tests, byte for byte as Cosign, skopeo and Rekor write them.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{self, SigningKey};
use p256::pkcs8::EncodePublicKey;

use crate::digest::Digest;
use crate::trust::claimed::ClaimedDigest;
use crate::trust::key::Key;

/// Whom an entry of the log names, by the bytes that are taken for its DER.
pub(crate) enum Logged {
    Key(&'static [u8]),
    Certificate(&'static [u8]),
}

/// Number of entries that [`log_entries`] returns.
pub(crate) const LOG_KINDS: usize = 6;

/// Returns a signing key that is the same in every run.
pub(crate) fn signer(number: u8) -> SigningKey {
    SigningKey::from_slice(&[number; 32]).unwrap()
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let base64 = base64(der);
    format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n")
}

/// Returns a trusted key.
pub(crate) fn trusted(key: &SigningKey) -> Arc<Key> {
    Arc::new(Key::parse("k", &public_der(key)).unwrap())
}

pub(crate) fn public_der(key: &SigningKey) -> Vec<u8> {
    let der = key.verifying_key().to_public_key_der().unwrap();
    der.as_bytes().to_vec()
}

pub(crate) fn signature(key: &SigningKey, message: &[u8]) -> Vec<u8> {
    let signature: ecdsa::Signature = key.sign_prehash(Digest::of(message).as_bytes()).unwrap();
    signature.to_der().as_bytes().to_vec()
}

pub(crate) fn payload(reference: &str, image: &ClaimedDigest) -> Vec<u8> {
    format!(
        r#"{{"critical":{{"identity":{{"docker-reference":"{reference}"}},"image":{{"docker-manifest-digest":"sha256:{image}"}},"type":"cosign container image signature"}},"optional":null}}"#
    )
    .into_bytes()
}

/// Returns a layer of a signature manifest; `more` is added to its annotations.
pub(crate) fn layer(payload: &[u8], signature: &[u8], more: &str) -> String {
    let (size, digest) = (payload.len(), Digest::of(payload));
    let signature = base64(signature);
    format!(
        r#"{{"mediaType":"application/vnd.dev.cosign.simplesigning.v1+json","size":{size},"digest":"sha256:{digest}","annotations":{{"dev.cosignproject.cosign/signature":"{signature}"{more}}}}}"#
    )
}

pub(crate) fn manifest_of(layers: &[String]) -> String {
    let config = Digest::of(b"config");
    let layers = layers.join(",");
    format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","size":233,"digest":"sha256:{config}"}},"layers":[{layers}]}}"#
    )
}

pub(crate) fn manifest(key: &SigningKey, payload: &[u8], more: &str) -> String {
    manifest_of(&[layer(payload, &signature(key, payload), more)])
}

pub(crate) fn referrer(bundle: &[u8]) -> String {
    let (size, digest) = (bundle.len(), Digest::of(bundle));
    let (empty, subject) = (Digest::of(b"{}"), Digest::of(b"manifest"));
    format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.empty.v1+json","size":2,"digest":"sha256:{empty}"}},"layers":[{{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","size":{size},"digest":"sha256:{digest}"}}],"annotations":{{"dev.sigstore.bundle.content":"dsse-envelope","dev.sigstore.bundle.predicateType":"https://sigstore.dev/cosign/sign/v1"}},"subject":{{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":8,"digest":"sha256:{subject}"}},"artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json"}}"#
    )
}

pub(crate) fn statement(images: &[ClaimedDigest]) -> String {
    let subject = |image| format!(r#"{{"digest":{{"sha256":"{image}"}}}}"#);
    let subjects: Vec<String> = images.iter().map(subject).collect();
    let subjects = subjects.join(",");
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{subjects}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{{}}}}"#
    )
}

/// Returns what is signed of a statement.
pub(crate) fn encoded(statement: &str) -> Vec<u8> {
    let length = statement.len();
    format!("DSSEv1 28 application/vnd.in-toto+json {length} {statement}").into_bytes()
}

pub(crate) fn envelope(payload: &[u8], signatures: &[&[u8]]) -> String {
    let payload = base64(payload);
    let signature = |bytes: &&[u8]| format!(r#"{{"sig":"{}"}}"#, base64(bytes));
    let signatures: Vec<String> = signatures.iter().map(signature).collect();
    let signatures = signatures.join(",");
    format!(
        r#"{{"payload":"{payload}","payloadType":"application/vnd.in-toto+json","signatures":[{signatures}]}}"#
    )
}

pub(crate) fn bundle(key: &SigningKey, statement: &str) -> String {
    bundle_with(key, statement, "")
}

fn bundle_with(key: &SigningKey, statement: &str, material: &str) -> String {
    let signature = signature(key, &encoded(statement));
    let envelope = envelope(statement.as_bytes(), &[&signature]);
    let hint = base64(Digest::of(&public_der(key)).as_bytes());
    format!(
        r#"{{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{{{material}"publicKey":{{"hint":"{hint}"}}}},"dsseEnvelope":{envelope}}}"#
    )
}

/// Returns a bundle with an entry of one kind, about the signature that the key of this number
/// would have made.
pub(crate) fn logged_bundle(key: &SigningKey, statement: &str, logged: u8, kind: usize) -> String {
    let logged = signer(logged);
    let signed = encoded(statement);
    let signature = signature(&logged, &signed);
    let der = public_der(&logged);
    let entry = &entries(
        &signed,
        statement.as_bytes(),
        &signature,
        "PUBLIC KEY",
        &der,
    )[kind];
    let body = base64(entry.as_bytes());
    let material = format!(
        r#""tlogEntries":[{{"logIndex":"1","logId":{{"keyId":"AA=="}},"integratedTime":"1","canonicalizedBody":"{body}"}}],"#
    );
    bundle_with(key, statement, &material)
}

/// Returns a bundle with this content and a hint at no key.
pub(crate) fn bundle_of(content: &str) -> String {
    format!(
        r#"{{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{{"publicKey":{{"hint":"x"}}}},{content}}}"#
    )
}

pub(crate) fn message_bundle(key: &SigningKey, manifest: &[u8]) -> String {
    let digest = base64(Digest::of(manifest).as_bytes());
    let signature = base64(&signature(key, manifest));
    bundle_of(&format!(
        r#""messageSignature":{{"messageDigest":{{"algorithm":"SHA2_256","digest":"{digest}"}},"signature":"{signature}"}}"#
    ))
}

/// Returns a line of `cosign download signature`.
pub(crate) fn downloaded(key: &SigningKey, payload: &[u8], cert: &str, log: &str) -> String {
    let (signature, payload) = (base64(&signature(key, payload)), base64(payload));
    format!(
        r#"{{"Base64Signature":"{signature}","Payload":"{payload}","Cert":{cert},"Chain":null,"Bundle":{log},"RFC3161Timestamp":null}}"#
    )
}

pub(crate) fn skopeo(key: &SigningKey, payload: &[u8]) -> Vec<u8> {
    let (signature, payload) = (base64(&signature(key, payload)), base64(payload));
    let json = format!(
        r#"{{"mimeType":"application/vnd.dev.cosign.simplesigning.v1+json","payload":"{payload}","annotations":{{"dev.cosignproject.cosign/signature":"{signature}"}}}}"#
    );
    [b"\0sigstore-json\n", json.as_bytes()].concat()
}

/// Returns the bundle that Cosign keeps of an entry beside a payload.
pub(crate) fn rekor_bundle(entry: &str) -> String {
    let body = base64(entry.as_bytes());
    let id = Digest::of(b"log");
    format!(
        r#"{{"SignedEntryTimestamp":"AA==","Payload":{{"body":"{body}","integratedTime":1624396085,"logIndex":5179,"logID":"{id}"}}}}"#
    )
}

/// Returns an entry of each kind: three over the signed bytes, three over the statement in them.
pub(crate) fn log_entries(
    signed: &[u8],
    statement: &[u8],
    signature: &[u8],
    signer: &Logged,
) -> Vec<String> {
    match signer {
        Logged::Key(der) => entries(signed, statement, signature, "PUBLIC KEY", der),
        Logged::Certificate(der) => entries(signed, statement, signature, "CERTIFICATE", der),
    }
}

fn entries(signed: &[u8], statement: &[u8], sig: &[u8], label: &str, der: &[u8]) -> Vec<String> {
    let signer = base64(pem(label, der).as_bytes());
    let (signed, statement) = (Digest::of(signed), Digest::of(statement));
    let sig = base64(sig);
    let twice = base64(sig.as_bytes());
    let raw_signed = base64(signed.as_bytes());
    let raw_statement = base64(statement.as_bytes());
    let kind = match label {
        "CERTIFICATE" => "x509Certificate",
        _ => "publicKey",
    };
    let verifier = format!(
        r#"{{"keyDetails":"PKIX_ECDSA_P256_SHA_256","{kind}":{{"rawBytes":"{}"}}}}"#,
        base64(der)
    );
    let record = |kind: &str| {
        format!(
            r#"{{"apiVersion":"0.0.1","kind":"{kind}","spec":{{"data":{{"hash":{{"algorithm":"sha256","value":"{signed}"}}}},"signature":{{"content":"{sig}","publicKey":{{"content":"{signer}"}}}}}}}}"#
        )
    };
    vec![
        record("hashedrekord"),
        record("rekord"),
        format!(
            r#"{{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{{"hashedRekordV002":{{"data":{{"algorithm":"SHA2_256","digest":"{raw_signed}"}},"signature":{{"content":"{sig}","verifier":{verifier}}}}}}}}}"#
        ),
        format!(
            r#"{{"apiVersion":"0.0.1","kind":"dsse","spec":{{"envelopeHash":{{"algorithm":"sha256","value":"{signed}"}},"payloadHash":{{"algorithm":"sha256","value":"{statement}"}},"signatures":[{{"signature":"{sig}","verifier":"{signer}"}}]}}}}"#
        ),
        format!(
            r#"{{"apiVersion":"0.0.2","kind":"dsse","spec":{{"dsseV002":{{"payloadHash":{{"algorithm":"SHA2_256","digest":"{raw_statement}"}},"signatures":[{{"content":"{sig}","verifier":{verifier}}}]}}}}}}"#
        ),
        format!(
            r#"{{"apiVersion":"0.0.2","kind":"intoto","spec":{{"content":{{"envelope":{{"payloadType":"application/vnd.in-toto+json","signatures":[{{"publicKey":"{signer}","sig":"{twice}"}}]}},"hash":{{"algorithm":"sha256","value":"{signed}"}},"payloadHash":{{"algorithm":"sha256","value":"{statement}"}}}}}}}}"#
        ),
    ]
}
