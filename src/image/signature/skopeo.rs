//! The files `signature-1`, `signature-2` … that skopeo writes beside an image: a payload, or a
//! bundle, with its annotations.

use super::{Found, SigstoreError, attached, bundle, manifest, or_refused, payload};
use crate::sigstore::bundle::is_media_type;
use crate::sigstore::{bytes, text};
use crate::text::json::{Json, JsonError, Object};

/// What such a file begins with.
pub(super) const MAGIC: &[u8] = b"\0sigstore-json\n";

/// Reads what follows the beginning.
pub(super) fn read(rest: &[u8]) -> Vec<Found> {
    or_refused(of(rest))
}

fn of(rest: &[u8]) -> Result<Vec<Found>, SigstoreError> {
    let json = Json::parse(rest)?;
    let file = json.as_object().ok_or(JsonError::Missing("mimeType"))?;
    let media_type = text(file, "mimeType")?;
    let content = bytes(file, "payload")?;
    match media_type {
        manifest::SIMPLE_SIGNING => {
            let claim = payload::parse(&content)?;
            let none = Object::default();
            let annotations = file.object("annotations")?.unwrap_or(&none);
            let mut found = attached::read(annotations, (*claim.hashed.sha256()).into());
            found.insert(0, Found::Claim(claim));
            Ok(found)
        }
        bundled if is_media_type(bundled) => Ok(bundle::parse(&content)),
        other => Err(SigstoreError::media_type(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Reading, Role, made};
    use super::*;
    use crate::digest::Digest;
    use crate::testing::signing_key;

    fn found(file: &[u8]) -> Vec<Found> {
        let Reading { found, role } = super::super::read(file).unwrap();
        assert_eq!(role, Role::Content);
        found
    }

    #[test]
    fn a_file_is_a_payload_and_its_signature() {
        let payload = made::payload("r", &Digest::of(b"image").into());
        let found = found(&made::skopeo(&signing_key(1), &payload));
        let [Found::Claim(claim), Found::Proof { over, proof }] = &found[..] else {
            panic!("{found:?}");
        };
        assert_eq!(claim.hashed.sha256(), &Digest::of(&payload));
        assert_eq!(*over, (*claim.hashed.sha256()).into());
        assert!(proof.signature.is_some());
    }

    #[test]
    fn a_file_may_hold_a_bundle_and_nothing_else_of_another_type() {
        let statement = made::statement(&[Digest::of(b"image").into()]);
        let bundle = made::bundle(&signing_key(1), &statement);
        let file = |media_type: &str| {
            let content = made::base64(bundle.as_bytes());
            let json = format!(r#"{{"mimeType":"{media_type}","payload":"{content}"}}"#);
            found(&[MAGIC, json.as_bytes()].concat())
        };
        let bundled = file("application/vnd.dev.sigstore.bundle.v0.3+json");
        assert!(matches!(
            bundled[..],
            [Found::Claim(_), Found::Proof { .. }]
        ));
        let other = "application/vnd.dsse.envelope.v1+json";
        assert_eq!(
            file(other),
            [Found::Refused(SigstoreError::media_type(other))]
        );
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let found = found(b"\0sigstore-json\n{}");
        let why = JsonError::Missing("mimeType").into();
        assert_eq!(found, [Found::Refused(why)]);
    }
}
