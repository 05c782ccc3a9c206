//! Signatures in the annotations beside a payload (Cosign up to version 2), and what becomes of a
//! signature in any form.

use super::{Found, Proof, SigstoreError};
use crate::sigstore::log::{self, Over};
use crate::sigstore::{Parts, certificate, from_base64};
use crate::text::json::{Json, JsonError, Object};
use crate::trust::claimed::ClaimedDigest;
use crate::trust::signature::Signature;

/// The annotation with the signature, in base64.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// The annotation with the certificate, as PEM.
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
/// The annotation with the entry of the transparency log.
const LOG: &str = "dev.sigstore.cosign/bundle";

/// Returns the signature, and why it cannot be used if it cannot.
pub(super) fn proof(parts: &Parts, over: &Over) -> (Proof, Option<SigstoreError>) {
    let (usable, why) = match usable(parts, over) {
        Ok(usable) => (Some(usable), None),
        Err(why) => (None, Some(why)),
    };
    let (signature, logged_key) = usable.unzip();
    let proof = Proof {
        signature,
        has_certificate: parts.certificate.is_some(),
        logged_key: logged_key.flatten(),
    };
    (proof, why)
}

fn usable(parts: &Parts, over: &Over) -> Result<(Signature, Option<ClaimedDigest>), SigstoreError> {
    let key = parts.logged_key(over)?;
    // Fail closed: a signature file may have containers, but here the bytes are DER.
    let signature = Signature::from_der(&parts.signature).map_err(|_| SigstoreError::NotP256)?;
    Ok((signature, key))
}

/// Reads the annotations of a payload with this digest.
pub(super) fn read(annotations: &Object, payload: ClaimedDigest) -> Vec<Found> {
    let over = Over {
        bytes: payload,
        statement: None,
    };
    let (proof, why) = match parts(annotations) {
        Ok(parts) => proof(&parts, &over),
        Err(why) => (
            Proof::unusable(is_there(annotations, CERTIFICATE)),
            Some(why),
        ),
    };
    let found = Found::Proof {
        over: payload,
        proof,
    };
    [found].into_iter().chain(why.map(Found::Refused)).collect()
}

impl Proof {
    /// Returns a signature that verifies nothing: it is there, and that is all.
    pub(super) fn unusable(has_certificate: bool) -> Proof {
        Proof {
            signature: None,
            has_certificate,
            logged_key: None,
        }
    }
}

fn parts(annotations: &Object) -> Result<Parts, SigstoreError> {
    let signature = annotation(annotations, SIGNATURE)?;
    let signature = signature.ok_or(JsonError::Missing(SIGNATURE))?;
    let certificate = annotation(annotations, CERTIFICATE)?;
    let entry = annotation(annotations, LOG)?;
    Ok(Parts {
        signature: from_base64(signature, SIGNATURE)?,
        certificate: certificate.map(certificate::from_pem).transpose()?,
        entries: entry.map(entry_of).transpose()?.into_iter().collect(),
    })
}

fn entry_of(bundle: &str) -> Result<Vec<u8>, SigstoreError> {
    let json = Json::parse(bundle.as_bytes())?;
    log::body(json.as_object().ok_or(JsonError::Missing("Payload"))?)
}

/// Returns an annotation; Cosign takes an empty one for none.
fn annotation<'a>(
    annotations: &'a Object,
    key: &'static str,
) -> Result<Option<&'a str>, JsonError> {
    let text = annotations.text(key)?;
    Ok(text.filter(|text| !text.is_empty()))
}

fn is_there(annotations: &Object, key: &'static str) -> bool {
    !matches!(annotation(annotations, key), Ok(None))
}

#[cfg(test)]
mod tests {
    use super::super::made;
    use super::*;
    use crate::digest::Digest;
    use crate::testing::signing_key;

    const PAYLOAD: &[u8] = b"payload";

    /// Returns the one signature in these annotations, and why it is refused.
    fn found(more: &str) -> (Proof, Option<SigstoreError>) {
        let signature = made::base64(&made::signature(&signing_key(1), PAYLOAD));
        found_in(&format!(r#"{{"{SIGNATURE}":"{signature}"{more}}}"#))
    }

    fn found_in(text: &str) -> (Proof, Option<SigstoreError>) {
        let json = Json::parse(text.as_bytes()).unwrap();
        let payload = Digest::of(PAYLOAD).into();
        let mut found = read(json.as_object().unwrap(), payload).into_iter();
        let Some(Found::Proof { over, proof }) = found.next() else {
            panic!("{text}");
        };
        assert_eq!(over, payload);
        let why = found.next().map(|found| match found {
            Found::Refused(why) => why,
            other => panic!("{other:?}"),
        });
        assert_eq!(found.next(), None);
        (proof, why)
    }

    fn quoted(text: &str) -> String {
        serde_json::to_string(text).unwrap()
    }

    fn with_log(signer: &made::Logged) -> String {
        let signature = made::signature(&signing_key(1), PAYLOAD);
        let entries = made::log_entries(PAYLOAD, b"", &signature, signer);
        let bundle = made::rekor_bundle(&entries[0]);
        format!(r#","{LOG}":{}"#, quoted(&bundle))
    }

    #[test]
    fn a_signature_without_anything_beside_it_is_taken() {
        let bytes = made::signature(&signing_key(1), PAYLOAD);
        let proof = Proof {
            signature: Some(Signature::parse(&bytes).unwrap()),
            has_certificate: false,
            logged_key: None,
        };
        assert_eq!(found(""), (proof.clone(), None));
        let empty = format!(r#","{CERTIFICATE}":"","{LOG}":"","x":1"#);
        assert_eq!(found(&empty), (proof, None));
    }

    #[test]
    fn a_certificate_is_told_and_a_public_key_in_its_place_makes_the_signature_useless() {
        let pem = quoted(&made::pem("CERTIFICATE", b"leaf"));
        let (proof, why) = found(&format!(r#","{CERTIFICATE}":{pem}"#));
        assert!(proof.signature.is_some() && proof.has_certificate);
        assert_eq!(why, None);
        let key = quoted(&made::pem("PUBLIC KEY", b"key"));
        let (proof, why) = found(&format!(r#","{CERTIFICATE}":{key}"#));
        assert_eq!(proof, Proof::unusable(true));
        assert_eq!(why, Some(SigstoreError::NotACertificate));
    }

    #[test]
    fn a_log_entry_about_this_signature_tells_the_key_and_one_about_another_makes_it_useless() {
        let (proof, why) = found(&with_log(&made::Logged::Key(b"key")));
        assert_eq!(proof.logged_key, Some(Digest::of(b"key").into()));
        assert_eq!(why, None);
        let (proof, why) = found(&with_log(&made::Logged::Certificate(b"leaf")));
        assert_eq!(proof, Proof::unusable(false));
        assert_eq!(why, Some(SigstoreError::LogDiffers("certificate")));
        let (proof, why) = found(&format!(r#","{LOG}":"{{}}""#));
        assert_eq!(proof, Proof::unusable(false));
        assert_eq!(why, Some(JsonError::Missing("Payload").into()));
    }

    #[test]
    fn what_is_no_signature_of_this_curve_is_there_and_useless() {
        let only = |value: &str| found_in(&format!(r#"{{"{SIGNATURE}":{value}}}"#));
        let der = made::signature(&signing_key(1), PAYLOAD);
        let longer = made::base64(&[&der[..], &[0]].concat());
        for (value, why) in [
            (r#""MEUC""#.to_owned(), SigstoreError::NotP256),
            (quoted(&longer), SigstoreError::NotP256),
            (r#""MEU""#.to_owned(), SigstoreError::Base64(SIGNATURE)),
            (r#""MEUC\n""#.to_owned(), SigstoreError::Base64(SIGNATURE)),
            ("null".to_owned(), JsonError::Missing(SIGNATURE).into()),
        ] {
            assert_eq!(only(&value), (Proof::unusable(false), Some(why)), "{value}");
        }
    }
}
