//! Certificates and public keys beside signatures. None is ever trusted or parsed: each is a digest
//! to compare.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{SigstoreError, bytes};
use crate::digest::Digest;
use crate::text::json::{Json, JsonError, Object};
use crate::trust::claimed::ClaimedDigest;

/// Whose signature it is, as somebody says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signer {
    /// The SHA-256 of a public key's DER.
    Key(ClaimedDigest),
    /// The SHA-256 of a certificate's DER.
    Certificate(ClaimedDigest),
}

/// Returns the digest of DER.
pub(crate) fn digest(der: &[u8]) -> ClaimedDigest {
    Digest::of(der).into()
}

/// Reads a certificate as PEM.
///
/// # Errors
/// [`SigstoreError::NotACertificate`], for a public key as well.
pub(crate) fn from_pem(text: &str) -> Result<ClaimedDigest, SigstoreError> {
    // Fail closed: Cosign has taken a public key in this place for the one to verify with.
    match signer(text) {
        Some(Signer::Certificate(digest)) => Ok(digest),
        _ => Err(SigstoreError::NotACertificate),
    }
}

/// Reads the one PEM block (RFC 7468) of a text: a certificate or a public key.
pub(crate) fn signer(text: &str) -> Option<Signer> {
    let inside = |label: &str| {
        let text = text.trim_ascii();
        let rest = text.strip_prefix(&format!("-----BEGIN {label}-----"))?;
        let base64 = rest.strip_suffix(&format!("-----END {label}-----"))?;
        let base64: String = base64.split_ascii_whitespace().collect();
        Some(digest(&STANDARD.decode(base64).ok()?))
    };
    let certificate = inside("CERTIFICATE").map(Signer::Certificate);
    certificate.or_else(|| inside("PUBLIC KEY").map(Signer::Key))
}

/// Returns the digest of the certificate in a bundle's verification material, if one is there
/// rather than a hint at a key.
///
/// # Errors
/// Reports material that is not exactly one of the three kinds.
pub(crate) fn in_material(material: &Object) -> Result<Option<ClaimedDigest>, SigstoreError> {
    let hint = material.object("publicKey")?;
    let chain = material.object("x509CertificateChain")?;
    let single = material.object("certificate")?;
    match (hint, chain, single) {
        // The hint is the name of a key. Which keys are trusted is not for a signature to say.
        (Some(_), None, None) => Ok(None),
        (None, Some(chain), None) => match chain.array("certificates")? {
            Some([Json::Object(leaf), ..]) => Ok(Some(digest(&bytes(leaf, "rawBytes")?))),
            _ => Err(JsonError::Missing("certificates").into()),
        },
        (None, None, Some(leaf)) => Ok(Some(digest(&bytes(leaf, "rawBytes")?))),
        _ => Err(SigstoreError::Alternatives(
            "publicKey, x509CertificateChain and certificate",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(label: &str, der: &[u8]) -> String {
        let base64 = STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n")
    }

    #[test]
    fn a_certificate_is_one_block_and_a_public_key_in_its_place_is_refused() {
        let certificate = pem("CERTIFICATE", b"der");
        assert_eq!(from_pem(&certificate), Ok(digest(b"der")));
        let key = pem("PUBLIC KEY", b"der");
        assert_eq!(signer(&key), Some(Signer::Key(digest(b"der"))));
        for text in [
            key,
            String::new(),
            certificate.repeat(2),
            pem("RSA PUBLIC KEY", b"der"),
            certificate.replace("END CERT", "END cert"),
            certificate.replace("ZGVy", "ZGV"),
        ] {
            assert_eq!(
                from_pem(&text),
                Err(SigstoreError::NotACertificate),
                "{text}"
            );
        }
    }

    #[test]
    fn verification_material_is_a_hint_or_a_certificate_and_not_both() {
        let read =
            |text: &str| in_material(Json::parse(text.as_bytes()).unwrap().as_object().unwrap());
        assert_eq!(read(r#"{"publicKey":{"hint":"x"}}"#), Ok(None));
        let (one, der) = (r#"{"rawBytes":"ZGVy"}"#, Ok(Some(digest(b"der"))));
        assert_eq!(read(&format!(r#"{{"certificate":{one}}}"#)), der);
        let chain = format!(r#"{{"x509CertificateChain":{{"certificates":[{one},{{}}]}}}}"#);
        assert_eq!(read(&chain), der);
        for text in [
            "{}".to_owned(),
            format!(r#"{{"publicKey":{{}},"certificate":{one}}}"#),
        ] {
            assert!(
                matches!(read(&text), Err(SigstoreError::Alternatives(_))),
                "{text}"
            );
        }
        let empty = r#"{"x509CertificateChain":{"certificates":[]}}"#;
        assert_eq!(read(empty), Err(JsonError::Missing("certificates").into()));
    }
}
