//! Sigstore's bundles about images: of a statement that names them, or of a manifest itself.

use super::attached::proof;
use super::{Claim, Found, Proof, SigstoreError, or_refused, statement};
use crate::digest::{Algorithms, Digest, Digests};
use crate::sigstore::Parts;
use crate::sigstore::bundle::{Bundle, Content, Material, Message, is_bundle};
use crate::sigstore::dsse::Envelope;
use crate::sigstore::log::Over;
use crate::text::json::{Json, JsonError, Object};

/// Reads a document as a bundle, if its media type is that of one.
pub(super) fn read(document: &Object) -> Option<Vec<Found>> {
    is_bundle(document).then(|| or_refused(of(document)))
}

/// Parses the bytes of a bundle that is inside another document.
pub(super) fn parse(text: &[u8]) -> Vec<Found> {
    let read = || {
        let json = Json::parse(text)?;
        of(json.as_object().ok_or(JsonError::Missing("mediaType"))?)
    };
    or_refused(read())
}

fn of(bundle: &Object) -> Result<Vec<Found>, SigstoreError> {
    let Bundle { content, material } = Bundle::read(bundle)?;
    match content {
        Content::Envelope(envelope) => in_envelope(&Envelope::read(envelope)?, material),
        Content::Message(message) => of_message(Message::read(message)?, material),
    }
}

/// Reads a bundle whose signature is over the envelope.
fn in_envelope(envelope: &Envelope, material: &Object) -> Result<Vec<Found>, SigstoreError> {
    let claim = Claim {
        hashed: Digests::of(&envelope.signed(), Algorithms::NONE),
        images: statement::images(envelope)?,
        reference: None,
    };
    let over = Over {
        bytes: (*claim.hashed.sha256()).into(),
        statement: Some(Digest::of(&envelope.payload).into()),
    };
    let (proof, why) = with_material(envelope.signature.clone(), material, &over);
    let proof = Found::Proof {
        over: over.bytes,
        proof,
    };
    let found = [Found::Claim(claim), proof].into_iter();
    Ok(found.chain(why.map(Found::Refused)).collect())
}

/// Reads a bundle whose signature is over the image's manifest itself.
fn of_message(message: Message, material: &Object) -> Result<Vec<Found>, SigstoreError> {
    let image = message.sha256()?;
    let over = Over {
        bytes: image,
        statement: None,
    };
    let (proof, why) = with_material(message.signature, material, &over);
    let found = [Found::Direct { image, proof }].into_iter();
    Ok(found.chain(why.map(Found::Refused)).collect())
}

fn with_material(
    signature: Vec<u8>,
    material: &Object,
    over: &Over,
) -> (Proof, Option<SigstoreError>) {
    match Material::read(material) {
        Ok(Material {
            certificate,
            entries,
        }) => proof(
            &Parts {
                signature,
                certificate,
                entries,
            },
            over,
        ),
        Err(why) => (Proof::unusable(false), Some(why)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Reading, Role, made};
    use super::*;
    use crate::sigstore::bundle::KNOWN;
    use crate::testing::signing_key;
    use crate::trust::claimed::ClaimedDigest;
    use crate::trust::signature::Signature;

    fn image() -> ClaimedDigest {
        Digest::of(b"manifest").into()
    }

    fn found(bundle: &str) -> Vec<Found> {
        let reading = super::super::read(bundle.as_bytes()).unwrap();
        let Reading { found, role } = reading;
        assert_eq!(role, Role::Content);
        found
    }

    fn with_envelope() -> String {
        made::bundle(&signing_key(1), &made::statement(&[image()]))
    }

    #[test]
    fn a_bundle_of_any_version_up_to_0_3_signs_the_subjects_of_its_statement() {
        let whole = with_envelope();
        for media_type in KNOWN {
            let found = found(&whole.replace(KNOWN[0], media_type));
            let [Found::Claim(claim), Found::Proof { over, proof }] = &found[..] else {
                panic!("{found:?}");
            };
            assert_eq!(claim.images, [image()]);
            assert_eq!(*over, (*claim.hashed.sha256()).into());
            assert!(proof.signature.is_some() && !proof.has_certificate);
        }
    }

    #[test]
    fn a_bundle_of_a_later_version_is_refused_by_name() {
        for media_type in [
            "application/vnd.dev.sigstore.bundle.v0.4+json",
            "application/vnd.dev.sigstore.bundle.v1+json",
            "application/vnd.dev.sigstore.bundle+json;version=0.4",
            "application/vnd.dev.sigstore.bundle+json",
        ] {
            let found = found(&with_envelope().replace(KNOWN[0], media_type));
            let why = SigstoreError::MediaType(media_type.into());
            assert_eq!(found, [Found::Refused(why)]);
        }
    }

    #[test]
    fn a_bundle_with_a_message_signature_signs_the_manifest_itself() {
        let found = found(&made::message_bundle(&signing_key(1), b"manifest"));
        let bytes = made::signature(&signing_key(1), b"manifest");
        let proof = Proof {
            signature: Some(Signature::parse(&bytes).unwrap()),
            has_certificate: false,
            logged_key: None,
        };
        let image = image();
        assert_eq!(found, [Found::Direct { image, proof }]);
    }

    #[test]
    fn a_message_signature_with_another_or_no_digest_is_refused() {
        let whole = made::message_bundle(&signing_key(1), b"manifest");
        let other = |name: &str| Found::Refused(SigstoreError::DigestAlgorithm(name.into()));
        let unknown = found(&whole.replace("SHA2_256", "SHA3_256"));
        assert_eq!(unknown, [other("SHA3_256")]);
        // Images are known by their SHA-256.
        let digest = made::base64(Digest::of(b"manifest").as_bytes());
        let wide = whole.replace(&digest, &made::base64(&[7; 64]));
        let wide = found(&wide.replace("SHA2_256", "SHA2_512"));
        assert_eq!(wide, [other("SHA2_512")]);
        let none = found(&whole.replace("messageDigest", "digestOfMessage"));
        let why = JsonError::Missing("messageDigest").into();
        assert_eq!(none, [Found::Refused(why)]);
    }

    #[test]
    fn a_bundle_with_both_kinds_of_signature_or_neither_is_refused() {
        let alternatives = "dsseEnvelope and messageSignature";
        let why = [Found::Refused(SigstoreError::Alternatives(alternatives))];
        let both = with_envelope().replacen('{', r#"{"messageSignature":{},"#, 1);
        assert_eq!(found(&both), why);
        let neither = with_envelope().replace("dsseEnvelope", "envelope");
        assert_eq!(found(&neither), why);
    }

    #[test]
    fn an_attestation_by_the_same_key_is_refused() {
        let type_ = "https://spdx.dev/Document";
        let statement = made::statement(&[image()]);
        let statement = statement.replace("https://sigstore.dev/cosign/sign/v1", type_);
        let why = SigstoreError::Attestation(type_.into());
        let found = found(&made::bundle(&signing_key(1), &statement));
        assert_eq!(found, [Found::Refused(why)]);
    }

    #[test]
    fn log_entries_of_a_bundle_must_be_about_its_signature() {
        let statement = made::statement(&[image()]);
        for number in 0..made::LOG_KINDS {
            let logged = |statement: &str, key| {
                let bundle = made::logged_bundle(&signing_key(1), statement, key, number);
                found(&bundle)
            };
            let right = logged(&statement, 1);
            assert_eq!(right.len(), 2, "{right:?}");
            let wrong = logged(&statement, 2);
            let Some(Found::Refused(why)) = wrong.last() else {
                panic!("{wrong:?}");
            };
            assert_eq!(*why, SigstoreError::LogDiffers("signature"));
        }
        let without = r#""tlogEntries":[{}],"publicKey""#;
        let found = found(&with_envelope().replace(r#""publicKey""#, without));
        let why = JsonError::Missing("canonicalizedBody").into();
        assert_eq!(found.last(), Some(&Found::Refused(why)));
    }

    #[test]
    fn a_bundle_that_could_be_taken_for_an_image_is_none() {
        for key in ["layers", "Manifests", "config"] {
            let more = format!(r#"{{"{key}":[],"#);
            let both = with_envelope().replacen('{', &more, 1);
            assert_eq!(super::super::read(both.as_bytes()), None, "{key}");
        }
    }
}
