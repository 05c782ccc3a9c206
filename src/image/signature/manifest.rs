//! Manifests that hold signatures: those of Cosign up to version 2, whose layers are payloads, and
//! the referrers of version 3, whose one layer is a bundle.

use super::{Found, Reading, Role, SigstoreError, attached, sha256};
use crate::sigstore::{bundle, text};
use crate::text::json::{Json, JsonError, Object};
use crate::trust::claimed::ClaimedDigest;

/// The media type of a layer that is a payload.
pub(super) const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// What a layer is, by its media type. (The manifest's configuration looks like an image's.)
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layer {
    Payload,
    Bundle,
    Other,
}

/// Reads a manifest, if it has a layer of a signature.
pub(super) fn read(document: &Object) -> Option<Reading> {
    // What is no image manifest, or more than that, is for others to refuse.
    let layers = document.array("layers").ok()??;
    if !matches!(document.get("manifests"), Ok(None)) {
        return None;
    }
    let kinds: Vec<Layer> = layers.iter().map(kind).collect();
    let is = |wanted| move |kind: &Layer| *kind == wanted;
    match kinds.as_slice() {
        [Layer::Bundle] => Some(of_layers(layers, |_, _| Vec::new())),
        [_, ..] if kinds.iter().all(is(Layer::Payload)) => {
            Some(of_layers(layers, |layer, over| {
                let none = Object::default();
                match layer.object("annotations") {
                    Ok(annotations) => attached::read(annotations.unwrap_or(&none), over),
                    Err(why) => vec![Found::Refused(why.into())],
                }
            }))
        }
        _ if kinds.iter().all(is(Layer::Other)) => None,
        // Fail closed: a program may run the other layers, so it is judged as an image.
        _ => Some(Reading {
            found: vec![Found::Refused(SigstoreError::MixedLayers)],
            role: Role::None,
        }),
    }
}

fn kind(layer: &Json) -> Layer {
    let layer = layer.as_object();
    match layer.and_then(|layer| layer.text("mediaType").ok()?) {
        Some(SIMPLE_SIGNING) => Layer::Payload,
        Some(other) if bundle::is_media_type(other) => Layer::Bundle,
        _ => Layer::Other,
    }
}

/// Reads each layer; a manifest of which one layer is useless still has the others.
fn of_layers(layers: &[Json], read: impl Fn(&Object, ClaimedDigest) -> Vec<Found>) -> Reading {
    let (mut found, mut digests, mut is_whole) = (Vec::new(), Vec::new(), true);
    for layer in layers {
        match digest(layer) {
            Ok((layer, over)) => {
                found.extend(read(layer, over));
                digests.push(over);
            }
            Err(why) => {
                found.push(Found::Refused(why));
                is_whole = false;
            }
        }
    }
    let role = if is_whole {
        Role::Manifest(digests)
    } else {
        Role::None
    };
    Reading { found, role }
}

fn digest(layer: &Json) -> Result<(&Object, ClaimedDigest), SigstoreError> {
    let layer = layer.as_object().ok_or(JsonError::Missing("digest"))?;
    Ok((layer, sha256(text(layer, "digest")?)?))
}

#[cfg(test)]
mod tests {
    use super::super::made;
    use super::*;
    use crate::digest::Digest;
    use crate::testing::signing_key;

    fn reading(text: &str) -> Option<Reading> {
        super::super::read(text.as_bytes())
    }

    fn of_cosign() -> (String, ClaimedDigest) {
        let payload = made::payload("r", &Digest::of(b"image").into());
        let manifest = made::manifest(&signing_key(1), &payload, "");
        (manifest, Digest::of(&payload).into())
    }

    #[test]
    fn each_layer_of_a_signature_manifest_has_a_signature_of_its_payload() {
        let (manifest, payload) = of_cosign();
        let Reading { found, role } = reading(&manifest).unwrap();
        assert_eq!(role, Role::Manifest(vec![payload]));
        assert_eq!(found.len(), 1);
        assert!(matches!(&found[0], Found::Proof { over, proof }
            if *over == payload && proof.signature.is_some()));
        // Real documents have slashes with a backslash.
        let escaped = manifest.replace('/', r"\/");
        assert_eq!(reading(&escaped).unwrap().found, found);
    }

    #[test]
    fn a_manifest_with_another_layer_beside_is_judged_as_an_image() {
        let (manifest, _) = of_cosign();
        let other = r#""layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar"},"#;
        let mixed = reading(&manifest.replace(r#""layers":["#, other)).unwrap();
        let reading_of_mixed = Reading {
            found: vec![Found::Refused(SigstoreError::MixedLayers)],
            role: Role::None,
        };
        assert_eq!(mixed, reading_of_mixed);
        let twice = made::referrer(b"bundle").replace("}],", "},{}],");
        assert_eq!(reading(&twice), Some(reading_of_mixed));
    }

    #[test]
    fn a_document_that_is_an_index_too_and_one_of_other_layers_hold_no_signature() {
        let (manifest, _) = of_cosign();
        for more in [
            r#""manifests":[],"#,
            r#""Manifests":[],"#,
            r#""Layers":[],"#,
        ] {
            let both = manifest.replacen('{', &format!("{{{more}"), 1);
            assert_eq!(reading(&both), None, "{more}");
        }
        let other = manifest.replace("simplesigning.v1", "simplesigning.v2");
        assert_eq!(reading(&other), None);
        assert_eq!(reading(r#"{"config":{},"layers":[]}"#), None);
    }

    #[test]
    fn a_layer_without_a_digest_is_refused_and_its_manifest_is_judged_as_an_image() {
        let (manifest, _) = of_cosign();
        let odd = reading(&manifest.replace("sha256:", "sha512:")).unwrap();
        assert_eq!(odd.role, Role::None);
        assert!(matches!(
            odd.found[..],
            [Found::Refused(SigstoreError::Digest(_))]
        ));
    }

    #[test]
    fn a_referrer_holds_the_bundle_that_is_its_layer() {
        let reading = reading(&made::referrer(b"bundle")).unwrap();
        let role = Role::Manifest(vec![Digest::of(b"bundle").into()]);
        let found = Vec::new();
        assert_eq!(reading, Reading { found, role });
    }
}
