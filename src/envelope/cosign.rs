//! The bundle of `cosign sign-blob --bundle` up to version 2: a signature in base64, what Cosign
//! took for the certificate, and an entry of the transparency log.

use super::Opened;
use super::opened::refused;
use crate::sigstore::certificate::{Signer, signer};
use crate::sigstore::{Parts, SigstoreError, bytes, log};
use crate::text::json::{Json, Object};
use crate::trust::format::{EnvelopeError, Ignored, SignatureFormat};

use ::base64::Engine;
use ::base64::engine::general_purpose::STANDARD;

/// Reports whether a content is such a bundle, and none of Sigstore's.
pub(super) fn is(content: &[u8]) -> bool {
    let json = if super::is_object(content) {
        Json::parse(content).ok()
    } else {
        None
    };
    let object = json.as_ref().and_then(Json::as_object);
    object.is_some_and(|object| object.exact("base64Signature").is_some())
}

/// Opens the file.
pub(super) fn open(content: &[u8]) -> Result<Opened, EnvelopeError> {
    let json = Json::parse(content).map_err(|error| refused(&error.into()))?;
    let none = Object::default();
    read(json.as_object().unwrap_or(&none)).map_err(|why| refused(&why))
}

fn read(bundle: &Object) -> Result<Opened, SigstoreError> {
    // Fail closed: another reader may take it for a bundle of Sigstore's.
    for key in [
        "mediaType",
        "verificationMaterial",
        "messageSignature",
        "dsseEnvelope",
    ] {
        if bundle.get(key)?.is_some() {
            return Err(SigstoreError::Alternatives("base64Signature and mediaType"));
        }
    }
    let entry = bundle.object("rekorBundle")?.map(log::body).transpose()?;
    let signer = match bundle.text("cert")? {
        None | Some("") => None,
        Some(text) => Some(named(text)?),
    };
    let (certificate, key) = match signer {
        Some(Signer::Certificate(certificate)) => (Some(certificate), None),
        // Cosign puts the signer's public key here where there is no certificate.
        Some(Signer::Key(key)) => (None, Some(key)),
        None => (None, None),
    };
    Ok(Opened {
        format: SignatureFormat::CosignBundle,
        ignored: Ignored {
            certificate: certificate.is_some(),
            key: key.is_some(),
            log: entry.is_some(),
            timestamps: false,
        },
        declared: None,
        named_key: key,
        parts: Parts {
            signature: bytes(bundle, "base64Signature")?,
            certificate,
            entries: entry.into_iter().collect(),
        },
    })
}

/// Reads the signer: PEM, or the base64 of it.
fn named(text: &str) -> Result<Signer, SigstoreError> {
    let inside = STANDARD.decode(text.trim_ascii()).ok();
    let inside = inside.and_then(|bytes| String::from_utf8(bytes).ok());
    signer(inside.as_deref().unwrap_or(text)).ok_or(SigstoreError::NotACertificate)
}
