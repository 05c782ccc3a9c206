//! Entries of the transparency log Rekor beside a signature.
//!
//! No entry is required, since the log is on the network. One that is present must be about
//! this signature, so that nothing is gained by showing another's.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::certificate::{Signer, digest, signer};
use super::{SigstoreError, bytes, from_base64, hex, object, only, quoted, raw, text};
use crate::text::json::{Json, JsonError, Object};
use crate::trust::claimed::ClaimedDigest;

/// What a signature is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Over {
    /// The digest of the bytes that are signed.
    pub(crate) bytes: ClaimedDigest,
    /// The digest of the statement inside those bytes, if they are those of an envelope.
    pub(crate) statement: Option<ClaimedDigest>,
}

/// What an entry says was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Bytes(ClaimedDigest),
    Statement(ClaimedDigest),
}

/// An entry: what was signed, the signature, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    hash: Hash,
    signature: Vec<u8>,
    signer: Signer,
}

/// Checks that an entry, as the log recorded it, is about this signature. Returns the SHA-256 of
/// the public key's DER, if it names a key and not the certificate.
///
/// # Errors
/// Reports what it has that is different, or unknown.
pub(crate) fn check(
    body: &[u8],
    over: &Over,
    signature: &[u8],
    certificate: Option<ClaimedDigest>,
) -> Result<Option<ClaimedDigest>, SigstoreError> {
    let entry = parse(body)?;
    let is_same = match entry.hash {
        Hash::Bytes(digest) => digest == over.bytes,
        Hash::Statement(digest) => Some(digest) == over.statement,
    };
    // Fail closed: no verdict rests on the log, but an entry for something else was put there by
    // somebody who wants the signature to be taken for more than it is.
    match entry.signer {
        _ if !is_same => Err(SigstoreError::LogDiffers("hash")),
        _ if entry.signature != signature => Err(SigstoreError::LogDiffers("signature")),
        Signer::Key(key) => Ok(Some(key)),
        Signer::Certificate(logged) if Some(logged) == certificate => Ok(None),
        Signer::Certificate(_) => Err(SigstoreError::LogDiffers("certificate")),
    }
}

/// Returns the body of the entry in a Rekor bundle, as Cosign keeps it beside a payload.
pub(crate) fn body(bundle: &Object) -> Result<Vec<u8>, SigstoreError> {
    bytes(object(bundle, "Payload")?, "body")
}

fn parse(body: &[u8]) -> Result<Entry, SigstoreError> {
    let json = Json::parse(body)?;
    let entry = json.as_object().ok_or(JsonError::Missing("kind"))?;
    let (kind, version) = (text(entry, "kind")?, text(entry, "apiVersion")?);
    let spec = object(entry, "spec")?;
    match (kind, version) {
        ("hashedrekord" | "rekord", "0.0.1") => record(spec),
        ("hashedrekord", "0.0.2") => record_2(object(spec, "hashedRekordV002")?),
        ("dsse", "0.0.1") => envelope(spec),
        ("dsse", "0.0.2") => envelope_2(object(spec, "dsseV002")?),
        ("intoto", "0.0.2") => statement(object(spec, "content")?),
        // Fail closed: what it is about cannot be compared.
        _ => Err(SigstoreError::LogKind(quoted(&format!("{kind} {version}")))),
    }
}

fn record(spec: &Object) -> Result<Entry, SigstoreError> {
    let signature = object(spec, "signature")?;
    Ok(Entry {
        hash: Hash::Bytes(hash(object(object(spec, "data")?, "hash")?)?),
        signature: bytes(signature, "content")?,
        signer: in_pem(object(signature, "publicKey")?, "content")?,
    })
}

fn record_2(spec: &Object) -> Result<Entry, SigstoreError> {
    let signature = object(spec, "signature")?;
    Ok(Entry {
        hash: Hash::Bytes(hash_2(object(spec, "data")?)?),
        signature: bytes(signature, "content")?,
        signer: in_der(object(signature, "verifier")?)?,
    })
}

fn envelope(spec: &Object) -> Result<Entry, SigstoreError> {
    let signature = only(spec, "signatures")?;
    Ok(Entry {
        hash: Hash::Statement(hash(object(spec, "payloadHash")?)?),
        signature: bytes(signature, "signature")?,
        signer: in_pem(signature, "verifier")?,
    })
}

fn envelope_2(spec: &Object) -> Result<Entry, SigstoreError> {
    let signature = only(spec, "signatures")?;
    Ok(Entry {
        hash: Hash::Statement(hash_2(object(spec, "payloadHash")?)?),
        signature: bytes(signature, "content")?,
        signer: in_der(object(signature, "verifier")?)?,
    })
}

fn statement(content: &Object) -> Result<Entry, SigstoreError> {
    let signature = only(object(content, "envelope")?, "signatures")?;
    let once = bytes(signature, "sig")?;
    Ok(Entry {
        hash: Hash::Statement(hash(object(content, "payloadHash")?)?),
        // This kind has the envelope's base64 in base64 once more.
        signature: STANDARD.decode(&once).unwrap_or(once),
        signer: in_pem(signature, "publicKey")?,
    })
}

/// Reads a hash of version 1.
fn hash(object: &Object) -> Result<ClaimedDigest, SigstoreError> {
    match text(object, "algorithm")? {
        "sha256" => hex(text(object, "value")?),
        _ => Err(SigstoreError::LogDiffers("hash")),
    }
}

/// Reads a hash of version 2.
fn hash_2(object: &Object) -> Result<ClaimedDigest, SigstoreError> {
    match text(object, "algorithm")? {
        "SHA2_256" => raw(bytes(object, "digest")?, "digest"),
        _ => Err(SigstoreError::LogDiffers("hash")),
    }
}

/// Reads a signer of version 1: PEM, in base64 once more.
fn in_pem(object: &Object, key: &'static str) -> Result<Signer, SigstoreError> {
    let pem = from_base64(text(object, key)?, key)?;
    let signer = str::from_utf8(&pem).ok().and_then(signer);
    signer.ok_or(SigstoreError::LogDiffers("key"))
}

/// Reads a signer of version 2.
fn in_der(verifier: &Object) -> Result<Signer, SigstoreError> {
    let der = |object| bytes(object, "rawBytes").map(|der| digest(&der));
    let key = verifier.object("publicKey")?;
    let certificate = verifier.object("x509Certificate")?;
    match (key, certificate) {
        (Some(key), None) => der(key).map(Signer::Key),
        (None, Some(certificate)) => der(certificate).map(Signer::Certificate),
        _ => Err(SigstoreError::Alternatives("publicKey and x509Certificate")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::made;
    use super::*;

    const OVER: &[u8] = b"signed";
    const STATEMENT: &[u8] = b"statement";
    const SIGNATURE: &[u8] = b"\x30signature";

    fn check_all(body: &str, over: &[u8], statement: &[u8], signature: &[u8]) -> Checked {
        let over = Over {
            bytes: digest(over),
            statement: Some(digest(statement)),
        };
        check(body.as_bytes(), &over, signature, Some(digest(b"leaf")))
    }

    type Checked = Result<Option<ClaimedDigest>, SigstoreError>;

    /// Returns an entry of each kind by a public key, and how many of them are over statements.
    fn by_key() -> Vec<String> {
        let signer = made::Logged::Key(b"key");
        made::log_entries(OVER, STATEMENT, SIGNATURE, &signer)
    }

    #[test]
    fn an_entry_of_any_known_kind_about_this_signature_tells_its_key() {
        for body in by_key() {
            let checked = check_all(&body, OVER, STATEMENT, SIGNATURE);
            assert_eq!(checked, Ok(Some(digest(b"key"))), "{body}");
        }
    }

    #[test]
    fn an_entry_about_another_hash_or_signature_is_refused() {
        for body in by_key() {
            let hash = check_all(&body, b"other", b"other", SIGNATURE);
            assert_eq!(hash, Err(SigstoreError::LogDiffers("hash")), "{body}");
            let signature = check_all(&body, OVER, STATEMENT, b"other");
            assert_eq!(
                signature,
                Err(SigstoreError::LogDiffers("signature")),
                "{body}"
            );
        }
    }

    #[test]
    fn an_entry_with_a_certificate_must_name_the_one_beside_the_signature() {
        let entries = |leaf: &'static [u8]| {
            let signer = made::Logged::Certificate(leaf);
            made::log_entries(OVER, STATEMENT, SIGNATURE, &signer)
        };
        for (same, other) in entries(b"leaf").iter().zip(entries(b"other")) {
            assert_eq!(check_all(same, OVER, STATEMENT, SIGNATURE), Ok(None));
            let other = check_all(&other, OVER, STATEMENT, SIGNATURE);
            assert_eq!(other, Err(SigstoreError::LogDiffers("certificate")));
            let over = Over {
                bytes: digest(OVER),
                statement: Some(digest(STATEMENT)),
            };
            let without = check(same.as_bytes(), &over, SIGNATURE, None);
            assert_eq!(without, Err(SigstoreError::LogDiffers("certificate")));
        }
    }

    #[test]
    fn an_entry_of_an_unknown_kind_or_hash_is_refused() {
        let body = &by_key()[0];
        let kind = body.replace("hashedrekord", "cose");
        let refused = check_all(&kind, OVER, STATEMENT, SIGNATURE);
        assert_eq!(refused, Err(SigstoreError::LogKind("cose 0.0.1".into())));
        let version = body.replace("0.0.1", "0.0.3");
        let refused = check_all(&version, OVER, STATEMENT, SIGNATURE);
        assert_eq!(
            refused,
            Err(SigstoreError::LogKind("hashedrekord 0.0.3".into()))
        );
        let hash = body.replace("sha256", "sha512");
        let refused = check_all(&hash, OVER, STATEMENT, SIGNATURE);
        assert_eq!(refused, Err(SigstoreError::LogDiffers("hash")));
    }
}
