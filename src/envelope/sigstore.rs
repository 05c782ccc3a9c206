//! Sigstore's bundle, of version 0.1 to 0.3, with the signature of a file.

use super::Opened;
use super::opened::refused;
use crate::sigstore::bundle::{Bundle, Content, Material, Message};
use crate::sigstore::{Parts, SigstoreError};
use crate::text::json::{Json, JsonError, Object};
use crate::trust::format::{EnvelopeError, Ignored, SignatureFormat};

/// Opens the file.
pub(super) fn open(content: &[u8]) -> Result<Opened, EnvelopeError> {
    let json = Json::parse(content).map_err(|error| refused(&error.into()))?;
    let missing = || refused(&JsonError::Missing("mediaType").into());
    let document = json.as_object().ok_or_else(missing)?;
    // Fail closed: another reader may take it for one of Cosign's.
    for key in ["base64Signature", "cert", "rekorBundle"] {
        let found = document.get(key).map_err(|error| refused(&error.into()))?;
        if found.is_some() {
            return Err(refused(&SigstoreError::Alternatives(
                "base64Signature and mediaType",
            )));
        }
    }
    let Bundle { content, material } = Bundle::read(document).map_err(|why| refused(&why))?;
    match content {
        // Fail closed: whoever attests what is in a file does not say that the file is good.
        Content::Envelope(_) => Err(EnvelopeError::Attestation),
        Content::Message(message) => read(message, material).map_err(|why| refused(&why)),
    }
}

fn read(message: &Object, material: &Object) -> Result<Opened, SigstoreError> {
    let message = Message::read(message)?;
    let Material {
        certificate,
        entries,
    } = Material::read(material)?;
    Ok(Opened {
        format: SignatureFormat::SigstoreBundle,
        ignored: Ignored {
            certificate: certificate.is_some(),
            key: certificate.is_none(),
            log: !entries.is_empty(),
            timestamps: material.object("timestampVerificationData")?.is_some(),
        },
        declared: message.digest,
        named_key: None,
        parts: Parts {
            signature: message.signature,
            certificate,
            entries,
        },
    })
}
