//! Recovers the key that made signatures that no trusted key made, from only the signatures and the
//! digests. This says nothing about whether to trust that key: anyone can sign anything.
//!
//! A signature (r, s) over the digest e is valid for at most four public keys (SEC 1, 4.1.6): Q =
//! r⁻¹·(s·R − e·G), for each point R whose x-coordinate is r or r + n. A key that two signatures
//! over different digests have in common made both.

use std::collections::HashMap;

use p256::ecdsa::VerifyingKey;
use p256::elliptic_curve::ops::{Invert, Reduce};
use p256::elliptic_curve::point::DecompressPoint;
use p256::elliptic_curve::subtle::Choice;
use p256::pkcs8::EncodePublicKey;
use p256::{AffinePoint, FieldBytes, ProjectivePoint, Scalar};

use super::budget::Budget;
use crate::digest::Digest;
use crate::trust::signature::Signature;

/// Maximum number of signatures to examine: a key that made only later ones is missed.
const MOST_SIGNATURES: usize = 64;
/// Cost of recovering the keys of one signature, in verifications.
const COST: usize = 6;

/// A key that made signatures, but is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The SHA-256 of its DER, with the point uncompressed.
    pub fingerprint: Digest,
    /// Number of examined signatures that it made.
    pub signatures: u64,
}

/// Returns the key that made the most signatures, each over its digest, if it made at least two.
pub fn signer(signatures: &[(Digest, Signature)], budget: &Budget<'_>) -> Option<Signer> {
    let mut made: HashMap<Vec<u8>, u64> = HashMap::new();
    let mut seen: Vec<&(Digest, Signature)> = Vec::new();
    for signature in signatures {
        let (digest, (r, _)) = (signature.0, signature.1.scalars());
        // With the same digest, or the same r and another s, more than one key is valid for both.
        let is_redundant =
            |other: &&&(Digest, Signature)| other.0 == digest || *other.1.scalars().0 == *r;
        if seen.iter().find(is_redundant).is_some() {
            continue;
        }
        if seen.len() == MOST_SIGNATURES || !budget.spend(COST) {
            break;
        }
        seen.push(signature);
        for key in candidates(&signature.0, &signature.1) {
            *made.entry(key).or_default() += 1;
        }
    }
    // The most signatures first; ties are broken arbitrarily but deterministically.
    let most = made
        .into_iter()
        .max_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)))?;
    let (der, signatures) = most;
    (signatures >= 2).then(|| Signer {
        fingerprint: Digest::of(&der),
        signatures,
    })
}

/// Returns the DER of the keys that may have made the signature.
fn candidates(digest: &Digest, signature: &Signature) -> Vec<Vec<u8>> {
    let (r, s) = signature.scalars();
    let e = Scalar::reduce(&FieldBytes::from(*digest.as_bytes()));
    let inverse = *Invert::invert_vartime(&r);
    let key = |point: AffinePoint| {
        let point = (ProjectivePoint::from(point) * *s - ProjectivePoint::GENERATOR * e) * inverse;
        let key = VerifyingKey::from_affine(point.to_affine()).ok()?;
        Some(key.to_public_key_der().ok()?.into_vec())
    };
    // (Two more points, whose x-coordinates are r + n, are omitted: they exist for one in 2¹²⁸
    // signatures.)
    let points =
        [0, 1].map(|odd| AffinePoint::decompress(&FieldBytes::from(*r), Choice::from(odd)));
    let points = points.into_iter().filter_map(Option::<AffinePoint>::from);
    points.filter_map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::signing_key as key;
    use p256::ecdsa::signature::hazmat::PrehashSigner;
    use proptest::prelude::*;

    fn signed(secret: u8, text: &str) -> (Digest, Signature) {
        let digest = Digest::of(text.as_bytes());
        let signature: p256::ecdsa::Signature =
            key(secret).sign_prehash(digest.as_bytes()).unwrap();
        (
            digest,
            Signature::parse(signature.to_der().as_bytes()).unwrap(),
        )
    }

    fn fingerprint(secret: u8) -> Digest {
        Digest::of(
            key(secret)
                .verifying_key()
                .to_public_key_der()
                .unwrap()
                .as_bytes(),
        )
    }

    fn found(signatures: &[(Digest, Signature)]) -> Option<(Digest, u64)> {
        let signer = signer(signatures, &Budget::new(10_000, &|| false));
        signer.map(|signer| (signer.fingerprint, signer.signatures))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn the_key_that_made_two_signatures_or_more_is_found_among_others(
            secret in 1_u8..100, texts in prop::collection::hash_set("[a-z]{1,8}", 2..8)
        ) {
            let mut signatures: Vec<_> = texts.iter().map(|text| signed(secret, text)).collect();
            let count = signatures.len() as u64;
            signatures.insert(1, signed(secret + 100, "another's"));
            prop_assert_eq!(found(&signatures), Some((fingerprint(secret), count)));
        }
    }

    #[test]
    fn one_signature_or_copies_of_one_or_of_different_keys_name_no_key() {
        assert_eq!(found(&[]), None);
        assert_eq!(found(&[signed(1, "a")]), None);
        assert_eq!(found(&[signed(1, "a"), signed(1, "a")]), None);
        assert_eq!(
            found(&[signed(1, "a"), signed(2, "b"), signed(3, "c")]),
            None
        );
        // (r, n - s) is valid for what (r, s) is valid for.
        let (digest, made) = signed(1, "a");
        let (r, s) = made.scalars();
        let other = p256::ecdsa::Signature::from_scalars(*r, -*s).unwrap();
        let other = Signature::parse(other.to_der().as_bytes()).unwrap();
        assert_eq!(found(&[(digest, made), (Digest::of(b"x"), other)]), None);
    }

    #[test]
    fn a_signature_over_other_bytes_than_these_does_not_keep_the_key_from_being_found() {
        let (_, elsewhere) = signed(1, "before it was damaged");
        let signatures = [
            signed(1, "a"),
            (Digest::of(b"damaged"), elsewhere),
            signed(1, "b"),
        ];
        assert_eq!(found(&signatures), Some((fingerprint(1), 2)));
    }

    #[test]
    fn no_more_than_its_budget_and_a_number_of_signatures_are_looked_at() {
        let many: Vec<_> = (0..100).map(|n| signed(1, &n.to_string())).collect();
        let budget = Budget::new(10_000, &|| false);
        assert_eq!(signer(&many, &budget).unwrap().signatures, 64);
        assert_eq!(budget.spent(), 64 * COST);
        let small = Budget::new(2 * COST + 1, &|| false);
        assert_eq!(signer(&many, &small).unwrap().signatures, 2);
        assert_eq!(signer(&many, &Budget::new(COST, &|| false)), None);
        assert_eq!(signer(&many, &Budget::new(10_000, &|| true)), None);
    }
}
