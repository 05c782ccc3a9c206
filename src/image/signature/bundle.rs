//! Sigstore's bundles, up to version 0.3: an envelope or a signature, with what belongs to it.

use super::attached::Parts;
use super::dsse::Envelope;
use super::log::Over;
use super::{Claim, Found, Proof, Refusal, bytes, certificate, object, or_refused, raw, text};
use crate::digest::Digest;
use crate::text::json::{Json, JsonError, Object};

/// What the media type of a bundle of any version begins with.
const ANY: &str = "application/vnd.dev.sigstore.bundle";
/// The media types that are known: versions 0.1 to 0.3.
const KNOWN: [&str; 4] = [
    "application/vnd.dev.sigstore.bundle.v0.3+json",
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
];

/// Reports whether a media type is that of a bundle, of a known version or not.
pub(super) fn is_media_type(media_type: &str) -> bool {
    media_type.starts_with(ANY)
}

/// Reads a document as a bundle, if its media type is that of one.
pub(super) fn read(document: &Object) -> Option<Vec<Found>> {
    let media_type = document.exact("mediaType")?.as_str()?;
    is_media_type(media_type).then(|| or_refused(of(document)))
}

/// Parses the bytes of a bundle that is inside another document.
pub(super) fn parse(text: &[u8]) -> Vec<Found> {
    let read = || {
        let json = Json::parse(text)?;
        of(json.as_object().ok_or(JsonError::Missing("mediaType"))?)
    };
    or_refused(read())
}

fn of(bundle: &Object) -> Result<Vec<Found>, Refusal> {
    let media_type = text(bundle, "mediaType")?;
    if !KNOWN.contains(&media_type) {
        return Err(Refusal::media_type(media_type));
    }
    let material = object(bundle, "verificationMaterial")?;
    let envelope = bundle.object("dsseEnvelope")?;
    let message = bundle.object("messageSignature")?;
    match (envelope, message) {
        (Some(envelope), None) => in_envelope(envelope, material),
        (None, Some(message)) => of_message(message, material),
        _ => Err(Refusal::Alternatives("dsseEnvelope and messageSignature")),
    }
}

/// Reads a bundle whose signature is over the envelope.
fn in_envelope(envelope: &Object, material: &Object) -> Result<Vec<Found>, Refusal> {
    let envelope = Envelope::read(envelope)?;
    let claim = Claim {
        digest: Digest::of(&envelope.signed()),
        images: envelope.images()?,
        reference: None,
    };
    let over = Over {
        bytes: claim.digest.into(),
        statement: Some(Digest::of(&envelope.payload).into()),
    };
    let (proof, why) = proof(envelope.signature, material, &over);
    let proof = Found::Proof {
        over: over.bytes,
        proof,
    };
    let found = [Found::Claim(claim), proof].into_iter();
    Ok(found.chain(why.map(Found::Refused)).collect())
}

/// Reads a bundle whose signature is over the image's manifest itself.
fn of_message(message: &Object, material: &Object) -> Result<Vec<Found>, Refusal> {
    let digest = object(message, "messageDigest")?;
    let algorithm = text(digest, "algorithm")?;
    if algorithm != "SHA2_256" {
        return Err(Refusal::digest(algorithm));
    }
    let image = raw(bytes(digest, "digest")?, "digest")?;
    let over = Over {
        bytes: image,
        statement: None,
    };
    let (proof, why) = proof(bytes(message, "signature")?, material, &over);
    let found = [Found::Direct { image, proof }].into_iter();
    Ok(found.chain(why.map(Found::Refused)).collect())
}

fn proof(signature: Vec<u8>, material: &Object, over: &Over) -> (Proof, Option<Refusal>) {
    let parts = || {
        Ok(Parts {
            signature,
            certificate: certificate::in_material(material)?,
            entries: entries(material)?,
        })
    };
    match parts() {
        Ok(parts) => parts.over(over),
        Err(why) => (Proof::unusable(false), Some(why)),
    }
}

fn entries(material: &Object) -> Result<Vec<Vec<u8>>, Refusal> {
    let entries = material.array("tlogEntries")?.unwrap_or_default();
    let body = |entry: &Json| {
        let entry = entry.as_object();
        bytes(
            entry.ok_or(JsonError::Missing("canonicalizedBody"))?,
            "canonicalizedBody",
        )
    };
    entries.iter().map(body).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Reading, Role, made};
    use super::*;
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
            assert_eq!(*over, claim.digest.into());
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
            let why = Refusal::MediaType(media_type.into());
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
        let other = found(&whole.replace("SHA2_256", "SHA2_512"));
        assert_eq!(other, [Found::Refused(Refusal::digest("SHA2_512"))]);
        let none = found(&whole.replace("messageDigest", "digestOfMessage"));
        let why = JsonError::Missing("messageDigest").into();
        assert_eq!(none, [Found::Refused(why)]);
    }

    #[test]
    fn a_bundle_with_both_kinds_of_signature_or_neither_is_refused() {
        let alternatives = "dsseEnvelope and messageSignature";
        let why = [Found::Refused(Refusal::Alternatives(alternatives))];
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
        let why = Refusal::Attestation(type_.into());
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
            assert_eq!(*why, Refusal::LogDiffers("signature"));
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
