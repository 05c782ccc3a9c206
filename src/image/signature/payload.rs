//! The payload that Cosign signs ("simple signing"): which image, under which name.

use super::{Claim, Found, SigstoreError, or_refused, sha256};
use crate::digest::{Algorithms, Digests};
use crate::sigstore::{PAYLOAD_TYPE as TYPE, object, quoted, text};
use crate::text::json::{Json, JsonError, Object};

/// Reads a document as a payload, if it has a payload's members and no others.
pub(super) fn read(document: &Object, bytes: &[u8]) -> Option<Vec<Found>> {
    let is_known = |(key, _)| matches!(key, "critical" | "optional");
    let is_payload = document.exact("critical").is_some() && document.members().all(is_known);
    is_payload.then(|| or_refused(of(document, bytes).map(|claim| vec![Found::Claim(claim)])))
}

/// Parses the bytes of a payload that is inside another document.
///
/// # Errors
/// Reports what it has that a payload has not, and what it lacks.
pub(super) fn parse(bytes: &[u8]) -> Result<Claim, SigstoreError> {
    let json = Json::parse(bytes)?;
    let document = json.as_object().ok_or(JsonError::Missing("critical"))?;
    of(document, bytes)
}

fn of(document: &Object, bytes: &[u8]) -> Result<Claim, SigstoreError> {
    // Fail closed: a member that is not known might restrict what the others say.
    members(document, &["critical", "optional"])?;
    let critical = object(document, "critical")?;
    members(critical, &["identity", "image", "type"])?;
    let identity = object(critical, "identity")?;
    members(identity, &["docker-reference"])?;
    let image = object(critical, "image")?;
    members(image, &["docker-manifest-digest"])?;
    let type_ = text(critical, "type")?;
    if type_ != TYPE {
        return Err(SigstoreError::PayloadType(quoted(type_)));
    }
    document.object("optional")?;
    let reference = text(identity, "docker-reference")?;
    Ok(Claim {
        // Fail closed: what was parsed is hashed here, regardless of what was hashed before.
        hashed: Digests::of(bytes, Algorithms::NONE),
        images: vec![sha256(text(image, "docker-manifest-digest")?)?],
        reference: (!reference.is_empty()).then(|| reference.into()),
    })
}

/// Checks that an object has no members but these.
fn members(object: &Object, known: &[&str]) -> Result<(), SigstoreError> {
    let mut keys = object.members().map(|(key, _)| key);
    let unknown = keys.find(|key| !known.contains(key));
    unknown.map_or(Ok(()), |key| Err(SigstoreError::UnknownMember(quoted(key))))
}

#[cfg(test)]
mod tests {
    use super::super::made;
    use super::*;
    use crate::digest::Digest;
    use crate::trust::claimed::ClaimedDigest;

    fn image() -> ClaimedDigest {
        Digest::of(b"an image").into()
    }

    /// Returns what a payload is refused for after each occurrence of a text was replaced.
    fn refusal(from: &str, to: &str) -> SigstoreError {
        let whole = String::from_utf8(made::payload("r.example/i", &image())).unwrap();
        assert!(whole.contains(from), "{from}");
        parse(whole.replace(from, to).as_bytes()).unwrap_err()
    }

    #[test]
    fn a_payload_as_cosign_writes_it_names_its_image_and_reference() {
        let bytes = made::payload("r.example/i", &image());
        let claim = Claim {
            hashed: Digests::of(&bytes, Algorithms::NONE),
            images: vec![image()],
            reference: Some("r.example/i".into()),
        };
        assert_eq!(parse(&bytes), Ok(claim.clone()));
        let whole = Object::clone(Json::parse(&bytes).unwrap().as_object().unwrap());
        assert_eq!(read(&whole, &bytes), Some(vec![Found::Claim(claim)]));
        let text = String::from_utf8(bytes).unwrap();
        let optional = text.replace("null", r#"{"creator":"x","timestamp":1}"#);
        assert_eq!(parse(optional.as_bytes()).unwrap().images, [image()]);
        let absent = text.replace(r#","optional":null"#, "");
        assert_eq!(parse(absent.as_bytes()).unwrap().images, [image()]);
        let nameless = parse(&made::payload("", &image())).unwrap();
        assert_eq!(nameless.reference, None);
    }

    #[test]
    fn a_payload_with_another_member_at_any_level_is_refused() {
        let unknown = |key: &str| SigstoreError::UnknownMember(key.into());
        for (from, to) in [
            (r#"{"critical""#, r#"{"x":1,"critical""#),
            (r#"{"identity""#, r#"{"x":1,"identity""#),
            (r#"{"docker-reference""#, r#"{"x":1,"docker-reference""#),
            (r#"{"docker-manifest"#, r#"{"x":1,"docker-manifest"#),
        ] {
            assert_eq!(refusal(from, to), unknown("x"));
        }
        let twice = refusal(r#""optional""#, r#""Critical""#);
        assert_eq!(twice, unknown("Critical"));
    }

    #[test]
    fn a_payload_without_one_of_its_members_or_of_another_type_is_refused() {
        let missing = |key| SigstoreError::Json(JsonError::Missing(key));
        let reference = refusal(r#""docker-reference":"r.example/i""#, "");
        assert_eq!(reference, missing("docker-reference"));
        let type_ = refusal(&format!(r#","type":"{TYPE}""#), "");
        assert_eq!(type_, missing("type"));
        let other = "atomic container signature";
        assert_eq!(
            refusal(TYPE, other),
            SigstoreError::PayloadType(other.into())
        );
        let digest = refusal("sha256:", "sha512:");
        assert_eq!(
            digest,
            SigstoreError::digest(&format!("sha512:{}", image()))
        );
        let optional = refusal("null", "[]");
        let (key, expected) = ("optional", "an object");
        assert_eq!(optional, JsonError::Type { key, expected }.into());
        assert_eq!(parse(b"[]"), Err(missing("critical")));
    }

    #[test]
    fn a_payload_with_a_member_twice_or_anything_behind_its_end_is_refused() {
        let twice = refusal(r#""optional":null"#, r#""critical":{}"#);
        assert!(matches!(twice, SigstoreError::Json(JsonError::Syntax(_))));
        let behind = refusal("null}", "null}}");
        assert!(matches!(behind, SigstoreError::Json(JsonError::Syntax(_))));
    }
}
