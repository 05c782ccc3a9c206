//! Tests of the evidence for images.

use super::super::signature::made;
use super::*;
use crate::digest::Algorithms;
use crate::text::json::JsonError;
use made::{signer, trusted};
use proptest::prelude::*;

const IMAGE: &[u8] = br#"{"schemaVersion":2,"manifests":[{}]}"#;

fn image() -> Digest {
    Digest::of(IMAGE)
}

fn digests(content: &[u8]) -> Digests {
    Digests::of(content, Algorithms::NONE)
}

fn payload() -> Vec<u8> {
    made::payload("r.example/i", &image().into())
}

fn statement() -> String {
    made::statement(&[image().into()])
}

/// Returns what documents hold.
fn evidence<T: AsRef<[u8]>>(documents: &[T]) -> Evidence {
    let mut evidence = Evidence::default();
    for document in documents {
        let document = document.as_ref();
        evidence.add(&Digest::of(document), document);
    }
    evidence
}

/// Returns what the image's signatures come to under the keys of these numbers.
fn signed(evidence: &Evidence, keys: &[u8]) -> Signed {
    let keys: Vec<Arc<Key>> = keys
        .iter()
        .map(|number| trusted(&signer(*number)))
        .collect();
    evidence.signed(&digests(IMAGE), &keys)
}

fn by(number: u8, references: &[&str]) -> Signed {
    let key = trusted(&signer(number));
    Signed::By {
        verdict: Verdict::Valid { key },
        references: references.iter().map(|name| (*name).to_owned()).collect(),
    }
}

/// Returns the documents of a signature by the key 1 in each form, and the names in it.
fn forms() -> Vec<(Vec<Vec<u8>>, &'static [&'static str])> {
    let (key, payload, name) = (signer(1), payload(), &["r.example/i"][..]);
    let manifest = made::manifest(&key, &payload, "");
    let line = made::downloaded(&key, &payload, "null", "null");
    let bundle = made::bundle(&key, &statement());
    let referrer = made::referrer(bundle.as_bytes());
    vec![
        (vec![manifest.into_bytes(), payload.clone()], name),
        (vec![line.into_bytes()], name),
        (vec![made::skopeo(&key, &payload)], name),
        (vec![referrer.into_bytes(), bundle.into_bytes()], &[]),
        (vec![made::message_bundle(&key, IMAGE).into_bytes()], &[]),
    ]
}

/// Returns the reasons for which something was refused.
fn reasons(evidence: &Evidence) -> Vec<SigstoreError> {
    let refused = evidence.refused();
    refused.map(|refused| refused.why.clone()).collect()
}

#[test]
fn a_signature_of_any_form_and_in_any_order_is_the_trusted_keys_and_no_others() {
    for (documents, names) in forms() {
        let backwards: Vec<_> = documents.iter().rev().cloned().collect();
        let twice = [documents.clone(), documents.clone()].concat();
        for documents in [documents, backwards, twice] {
            let evidence = evidence(&documents);
            assert_eq!(signed(&evidence, &[1]), by(1, names));
            assert_eq!(signed(&evidence, &[2, 1]), by(1, names));
            assert_eq!(signed(&evidence, &[2]), Signed::Untrusted);
            assert_eq!(signed(&evidence, &[]), Signed::Untrusted);
            let other = evidence.signed(&digests(b"other"), &[trusted(&signer(1))]);
            assert_eq!(other, Signed::Nothing);
            assert!(evidence.subjects().eq([image().into()]));
            assert_eq!(reasons(&evidence), []);
        }
    }
}

#[test]
fn every_document_of_a_signature_is_told_and_no_other_is() {
    for (documents, _) in forms() {
        let mut evidence = Evidence::default();
        for document in &documents {
            assert!(evidence.add(&Digest::of(document), document));
        }
        assert!(!evidence.add(&image(), IMAGE));
        for document in &documents {
            assert!(evidence.is_part(&Digest::of(document).into()));
        }
        assert!(!evidence.is_part(&image().into()));
    }
}

#[test]
fn a_manifest_is_no_part_of_a_signature_until_its_layers_are_seen_to_be() {
    let manifest = made::manifest(&signer(1), &payload(), "");
    let digest = Digest::of(manifest.as_bytes()).into();
    let mut evidence = evidence(&[&manifest]);
    assert!(!evidence.is_part(&digest));
    evidence.add(&Digest::of(&payload()), &payload());
    assert!(evidence.is_part(&digest));
}

#[test]
fn an_image_with_a_layer_of_a_signature_is_not_taken_for_a_signature() {
    let layer = made::layer(&payload(), &made::signature(&signer(1), &payload()), "");
    let other = r#"{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip"}"#.to_owned();
    let manifest = made::manifest_of(&[layer, other]);
    let mut evidence = evidence(&[payload()]);
    let digest = Digest::of(manifest.as_bytes());
    assert!(!evidence.add(&digest, manifest.as_bytes()));
    assert!(!evidence.is_part(&digest.into()));
    assert_eq!(signed(&evidence, &[1]), Signed::Nothing);
    assert_eq!(reasons(&evidence), [SigstoreError::MixedLayers]);
}

#[test]
fn a_payload_or_a_signature_alone_signs_nothing() {
    let manifest = made::manifest(&signer(1), &payload(), "");
    for alone in [evidence(&[payload()]), evidence(&[manifest.as_bytes()])] {
        assert_eq!(signed(&alone, &[1]), Signed::Nothing);
        assert_eq!(alone.subjects().count(), 0);
    }
}

#[test]
fn a_signature_over_another_payload_is_not_this_images() {
    let other = made::payload("r.example/i", &Digest::of(b"other").into());
    // The manifest names the image's payload, with a signature of the other one.
    let layer = made::layer(&payload(), &made::signature(&signer(1), &other), "");
    let evidence = evidence(&[made::manifest_of(&[layer]).into_bytes(), payload(), other]);
    assert_eq!(signed(&evidence, &[1]), Signed::Untrusted);
}

#[test]
fn a_payload_that_is_refused_signs_nothing_however_well_it_is_signed() {
    let text = String::from_utf8(payload()).unwrap();
    let payload = text.replace("cosign container", "atomic container");
    let manifest = made::manifest(&signer(1), payload.as_bytes(), "");
    let evidence = evidence(&[manifest.as_bytes(), payload.as_bytes()]);
    assert_eq!(signed(&evidence, &[1]), Signed::Nothing);
    let type_ = "atomic container image signature";
    assert_eq!(
        reasons(&evidence),
        [SigstoreError::PayloadType(type_.into())]
    );
    // It is a signature all the same, and not an image.
    assert!(evidence.is_part(&Digest::of(manifest.as_bytes()).into()));
}

#[test]
fn the_first_of_the_keys_that_signed_is_named_and_all_names_that_they_signed_are_told() {
    let claims = [(3, "c"), (2, "b"), (2, "b"), (4, "forged"), (1, "a")];
    let lines = claims.map(|(number, name)| {
        let payload = made::payload(name, &image().into());
        made::downloaded(&signer(number), &payload, "null", "null")
    });
    let together = evidence(&[lines.join("\n")]);
    let apart = evidence(&lines);
    for evidence in [together, apart] {
        assert_eq!(signed(&evidence, &[2, 3, 1]), by(2, &["a", "b", "c"]));
        assert_eq!(signed(&evidence, &[3, 2]), by(3, &["b", "c"]));
    }
}

#[test]
fn signatures_with_certificates_only_are_keyless_and_a_trusted_key_counts_all_the_same() {
    let cert = r#"{"Raw":"bGVhZg=="}"#;
    let keyless = made::downloaded(&signer(1), &payload(), cert, "null");
    let other = made::downloaded(&signer(2), &payload(), "null", "null");
    let alone = evidence(&[&keyless]);
    assert_eq!(signed(&alone, &[3]), Signed::Keyless);
    assert_eq!(signed(&alone, &[1]), by(1, &["r.example/i"]));
    let both = evidence(&[&keyless, &other]);
    assert_eq!(signed(&both, &[3]), Signed::Untrusted);
    assert_eq!(signed(&both, &[2]), by(2, &["r.example/i"]));
}

#[test]
fn a_signature_of_another_algorithm_is_one_by_somebody_else() {
    let line = made::downloaded(&signer(1), &payload(), "null", "null");
    let signature = made::base64(&made::signature(&signer(1), &payload()));
    let rsa = line.replace(&signature, &made::base64(&[0x5a; 256]));
    let evidence = evidence(&[rsa]);
    assert_eq!(signed(&evidence, &[1]), Signed::Untrusted);
    assert_eq!(reasons(&evidence), [SigstoreError::NotP256]);
}

#[test]
fn an_attestation_by_a_trusted_key_signs_nothing() {
    let type_ = "https://spdx.dev/Document";
    let statement = statement().replace("https://sigstore.dev/cosign/sign/v1", type_);
    let evidence = evidence(&[made::bundle(&signer(1), &statement)]);
    assert_eq!(signed(&evidence, &[1]), Signed::Nothing);
    assert_eq!(
        reasons(&evidence),
        [SigstoreError::Attestation(type_.into())]
    );
}

#[test]
fn an_entry_of_the_log_must_name_the_key_that_signed() {
    for kind in 0..made::LOG_KINDS {
        let own = made::logged_bundle(&signer(1), &statement(), 1, kind);
        assert_eq!(signed(&evidence(&[own]), &[1]), by(1, &[]));
    }
    let signature = made::signature(&signer(1), &payload());
    let signer = made::Logged::Key(b"another key");
    let entries = made::log_entries(&payload(), b"", &signature, &signer);
    let log = made::rekor_bundle(&entries[0]);
    let line = made::downloaded(&made::signer(1), &payload(), "null", &log);
    let evidence = evidence(&[line]);
    assert_eq!(signed(&evidence, &[1]), Signed::Untrusted);
}

#[test]
fn a_key_in_a_signature_file_is_never_used() {
    // Everything is right, except that the key is not trusted.
    let key = made::pem("PUBLIC KEY", &made::public_der(&signer(1)));
    let quoted = serde_json::to_string(&key).unwrap();
    let more = format!(r#","dev.sigstore.cosign/certificate":{quoted}"#);
    let manifest = made::manifest(&signer(1), &payload(), &more);
    let evidence = evidence(&[manifest.into_bytes(), payload()]);
    assert_eq!(signed(&evidence, &[2]), Signed::Keyless);
    assert_eq!(reasons(&evidence), [SigstoreError::NotACertificate]);
}

#[test]
fn a_statement_signs_each_of_its_subjects() {
    let other = Digest::of(b"other");
    let statement = made::statement(&[other.into(), image().into()]);
    let evidence = evidence(&[made::bundle(&signer(1), &statement)]);
    assert_eq!(signed(&evidence, &[1]), by(1, &[]));
    let key = trusted(&signer(1));
    let verdict = evidence.signed(&digests(b"other"), &[Arc::clone(&key)]);
    assert!(matches!(verdict, Signed::By { .. }));
    let mut both = [ClaimedDigest::from(other), image().into()];
    both.sort();
    assert!(evidence.subjects().eq(both));
}

#[test]
fn a_signature_manifest_over_the_images_own_bytes_signs_nothing() {
    // Only a bundle says that its signature is over a manifest; a layer is a payload.
    let manifest = made::manifest(&signer(1), IMAGE, "");
    let evidence = evidence(&[manifest.as_bytes(), IMAGE]);
    assert_eq!(signed(&evidence, &[1]), Signed::Nothing);
}

/// Returns a manifest with many signatures of the payload by unknown keys.
fn crowd(count: u32) -> Vec<String> {
    let layer = |number: u32| {
        let der = [
            &[0x30, 9, 2, 4, 1][..],
            &number.to_be_bytes()[1..],
            &[2, 1, 1],
        ]
        .concat();
        made::layer(&payload(), &der, "")
    };
    (0..count).map(layer).collect()
}

#[test]
fn of_more_signatures_than_are_tried_the_same_are_tried_in_any_order() {
    let own = made::layer(&payload(), &made::signature(&signer(1), &payload()), "");
    let mut layers = crowd(u32::try_from(MAX_TRIED).unwrap() - 1);
    layers.push(own);
    let tried = |layers: &[String]| {
        let documents = [made::manifest_of(layers).into_bytes(), payload()];
        signed(&evidence(&documents), &[1])
    };
    assert_eq!(tried(&layers), by(1, &["r.example/i"]));
    layers.rotate_right(1);
    assert_eq!(tried(&layers), by(1, &["r.example/i"]));
    // All in the crowd have a lesser r, and it has filled the places.
    layers.push(crowd(u32::try_from(MAX_TRIED).unwrap()).pop().unwrap());
    assert_eq!(tried(&layers), Signed::Untrusted);
    layers.rotate_left(1);
    assert_eq!(tried(&layers), Signed::Untrusted);
}

#[test]
fn reasons_are_kept_up_to_a_limit_and_the_same_in_any_order() {
    let lines: Vec<String> = (0..=MAX_REFUSED)
        .map(|number| {
            let version = 4 + number;
            format!(r#"{{"mediaType":"application/vnd.dev.sigstore.bundle.v0.{version}+json"}}"#)
        })
        .collect();
    let forwards = evidence(&lines);
    let backwards = evidence(&lines.iter().rev().collect::<Vec<_>>());
    assert_eq!(forwards.refused().count(), MAX_REFUSED);
    assert!(forwards.refused().eq(backwards.refused()));
}

#[test]
fn a_signature_without_its_annotation_is_refused_with_the_digest_of_its_manifest() {
    let layer = made::layer(&payload(), b"", "");
    let manifest = made::manifest_of(&[layer.replace("cosign/signature", "cosign/other")]);
    let evidence = evidence(&[manifest.as_bytes()]);
    let refused = Refused {
        document: Digest::of(manifest.as_bytes()).into(),
        why: JsonError::Missing("dev.cosignproject.cosign/signature").into(),
    };
    assert!(evidence.refused().eq([&refused]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn with_any_bit_of_what_is_signed_or_of_the_signature_flipped_no_key_made_it(
        form in 0_usize..3, of_signature: bool, at in any::<prop::sample::Index>(), bit in 0_u8..8
    ) {
        let key = signer(1);
        let statement = statement();
        let mut message = match form {
            0 => payload(),
            1 => statement.into_bytes(),
            _ => IMAGE.to_vec(),
        };
        let signed_bytes = match form {
            1 => made::encoded(str::from_utf8(&message).unwrap()),
            _ => message.clone(),
        };
        let mut signature = made::signature(&key, &signed_bytes);
        let flipped = if of_signature { &mut signature } else { &mut message };
        let at = at.index(flipped.len());
        flipped[at] ^= 1 << bit;
        let documents = match form {
            0 => vec![
                made::manifest_of(&[made::layer(&message, &signature, "")]).into_bytes(),
                message.clone(),
            ],
            1 => {
                let envelope = made::envelope(&message, &[&signature]);
                vec![made::bundle_of(&format!(r#""dsseEnvelope":{envelope}"#)).into_bytes()]
            }
            _ => {
                let (digest, signature) = (Digest::of(&message), made::base64(&signature));
                let digest = made::base64(digest.as_bytes());
                vec![made::bundle_of(&format!(
                    r#""messageSignature":{{"messageDigest":{{"algorithm":"SHA2_256","digest":"{digest}"}},"signature":"{signature}"}}"#
                )).into_bytes()]
            }
        };
        let evidence = evidence(&documents);
        for image in [digests(IMAGE), digests(&message)] {
            let verdict = evidence.signed(&image, &[trusted(&key)]);
            prop_assert!(!matches!(verdict, Signed::By { .. }), "{}", at);
        }
    }

    #[test]
    fn with_any_byte_of_any_document_changed_nothing_but_the_same_image_is_signed(
        form in 0_usize..5, document: bool, at in any::<prop::sample::Index>(), byte: u8
    ) {
        let (mut documents, names) = forms().swap_remove(form);
        let number = usize::from(document) % documents.len();
        let at = at.index(documents[number].len());
        documents[number][at] = byte;
        let evidence = evidence(&documents);
        // What is not signed may change: spaces, hints, other annotations. What is signed may not.
        let of_image = signed(&evidence, &[1]);
        if matches!(of_image, Signed::By { .. }) {
            prop_assert_eq!(of_image, by(1, names));
        }
        let key = trusted(&signer(1));
        for subject in evidence.subjects().filter(|subject| *subject != image().into()) {
            let other = evidence.claims.values().find(|claim| claim.images.contains(&subject));
            let verified = other.is_some_and(|claim| {
                let proofs = evidence.proofs.get(&(*claim.hashed.sha256()).into());
                proofs.into_iter().flatten().any(|proof| {
                    valid(&[Arc::clone(&key)], &claim.hashed, proof).is_some()
                })
            });
            prop_assert!(!verified);
        }
    }
}
