//! Finds which of many digests signatures were made over, all at once instead of by verifying each
//! pair.
//!
//! Verification (FIPS 186-5, 6.4.2) computes R = s⁻¹·(e·G + r·Q) from the digest e and the key Q,
//! and compares R's x-coordinate with r. Conversely, R is one of two points whose x-coordinate is
//! r, and for each of them s·R − r·Q is the point e·G of the digest that the signature was made
//! over. So each digest's point is looked up among those. Each match is then verified in the usual
//! way.
//!
//! That is of P-256. What other keys signed is found by verifying each pair, within the same
//! budget, if it is over SHA-256, the one digest that is kept of a file.

use std::collections::HashMap;
use std::sync::Arc;

use p256::elliptic_curve::BatchNormalize;
use p256::elliptic_curve::ops::Reduce;
use p256::elliptic_curve::point::{AffineCoordinates, DecompressPoint};
use p256::elliptic_curve::subtle::Choice;
use p256::{AffinePoint, FieldBytes, ProjectivePoint, Scalar};

use super::budget::Budget;
use crate::digest::Digest;
use crate::trust::key::Key;
use crate::trust::multiples::{Multiples, Width};
use crate::trust::signature::Signature;

/// Cost of [`candidates`], in verifications: two multiplications of arbitrary points, and two
/// conversions to affine coordinates.
const CANDIDATES_COST: usize = 4;
/// Cost of verifying by a key that is not on P-256, in verifications: at most as many, on P-521.
const COST_OF_ANOTHER: usize = 10;
/// Number of digests whose points cost one verification: one multiplication of the generator each,
/// converted to affine coordinates together.
const POINTS_OF_A_VERIFICATION: usize = 3;

/// Signatures whose artifacts are sought.
#[derive(Debug)]
pub(crate) struct Seeking<'a> {
    signatures: Vec<&'a Signature>,
    /// For each x-coordinate that e·G may have: the index of the signature, and the key that would
    /// have made it. (e and n − e share it.)
    by_point: HashMap<FieldBytes, Vec<(usize, &'a Key)>>,
    /// The same for keys that are not on P-256, by which each digest is tried.
    others: Vec<(usize, &'a Key)>,
}

impl<'a> Seeking<'a> {
    /// Computes the digest's point for each signature and each key, within the `budget`.
    pub(crate) fn of(
        signatures: Vec<&'a Signature>,
        keys: &'a [Arc<Key>],
        budget: &Budget<'_>,
    ) -> Seeking<'a> {
        let mut by_point: HashMap<FieldBytes, Vec<(usize, &'a Key)>> = HashMap::new();
        let mut others: Vec<(usize, &'a Key)> = Vec::new();
        let pairs = signatures.iter().enumerate();
        let pairs = pairs
            .flat_map(|(number, signature)| keys.iter().map(move |key| (number, *signature, key)));
        for (number, signature, key) in pairs.take_while(|_| budget.spend(CANDIDATES_COST)) {
            match key.point() {
                Some(point) => {
                    for x in candidates(point, signature).into_iter().flatten() {
                        by_point.entry(x).or_default().push((number, key));
                    }
                }
                // It can be verified over nothing but the SHA-256.
                None if key.can_make(signature) && key.wants(signature).is_empty() => {
                    others.push((number, key));
                }
                None => {}
            }
        }
        Seeking {
            signatures,
            by_point,
            others,
        }
    }

    /// Returns which signatures were made over one of the digests: the index of each, and that of
    /// the digest.
    pub(crate) fn among(&self, digests: &[Digest], budget: &Budget<'_>) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        if !budget.spend(digests.len().div_ceil(POINTS_OF_A_VERIFICATION)) {
            return found;
        }
        for (place, (digest, point)) in digests.iter().zip(points(digests)).enumerate() {
            let seeking = self.by_point.get(&point.x()).into_iter().flatten();
            let seeking = seeking.chain(&self.others);
            let verifies = |(number, key): &&(usize, &Key)| {
                let signature = self.signatures.get(*number);
                let cost = if key.point().is_some() {
                    1
                } else {
                    COST_OF_ANOTHER
                };
                signature.is_some_and(|signature| budget.spend(cost) && key.made(digest, signature))
            };
            found.extend(seeking.filter(verifies).map(|(number, _)| (*number, place)));
        }
        found
    }
}

/// Returns the point e·G of each digest e.
fn points(digests: &[Digest]) -> Vec<AffinePoint> {
    let point = |digest: &Digest| {
        let e = Scalar::reduce(&FieldBytes::from(*digest.as_bytes()));
        Multiples::of_generator(Width::Narrow).times(&e)
    };
    let points: Vec<ProjectivePoint> = digests.iter().map(point).collect();
    ProjectivePoint::batch_normalize(points.as_slice())
}

/// Returns the x-coordinates of s·R − r·Q for both points R. (A third and fourth, whose
/// x-coordinates are r + n, are omitted: they exist for one in 2¹²⁸ signatures, and missing one
/// loses only a hint.)
fn candidates(key: &AffinePoint, signature: &Signature) -> Option<[FieldBytes; 2]> {
    let (r, s) = signature.scalars()?;
    let point = AffinePoint::decompress(&FieldBytes::from(*r), Choice::from(0));
    let times_s = ProjectivePoint::from(Option::<AffinePoint>::from(point)?) * *s;
    let times_r = ProjectivePoint::from(*key) * *r;
    // For −R it is −(s·R + r·Q), which has the x-coordinate of s·R + r·Q.
    Some([times_s - times_r, times_s + times_r].map(|point| point.to_affine().x()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::signing_key;
    use p256::ecdsa::SigningKey;
    use p256::ecdsa::signature::hazmat::PrehashSigner;
    use p256::pkcs8::EncodePublicKey;
    use proptest::prelude::*;

    fn public(key: &SigningKey) -> Key {
        let der = key.verifying_key().to_public_key_der().unwrap();
        Key::parse("k", der.as_bytes()).unwrap()
    }

    fn sign(key: &SigningKey, digest: &Digest) -> Signature {
        let made: p256::ecdsa::Signature = key.sign_prehash(digest.as_bytes()).unwrap();
        made.into()
    }

    /// Returns the indices of the digests that the key made the signature over.
    fn places(key: &SigningKey, signature: &Signature, digests: &[Digest]) -> Vec<usize> {
        let keys = [Arc::new(public(key))];
        let budget = Budget::new(1000, &|| false);
        let found = Seeking::of(vec![signature], &keys, &budget).among(digests, &budget);
        found.into_iter().map(|(_, place)| place).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn every_signature_finds_its_own_digest_among_all_and_none_where_its_own_is_not(
            messages in prop::collection::hash_set(any::<Vec<u8>>(), 1..12), secret in 1..254_u8
        ) {
            let digests: Vec<Digest> = messages.iter().map(|message| Digest::of(message)).collect();
            let (signing, other) = (signing_key(secret), signing_key(254));
            for (place, digest) in digests.iter().enumerate() {
                let made = sign(&signing, digest);
                prop_assert_eq!(places(&signing, &made, &digests), [place]);
                let others = [&digests[..place], &digests[place + 1..]].concat();
                prop_assert_eq!(places(&signing, &made, &others), [0; 0]);
                prop_assert_eq!(places(&other, &made, &digests), [0; 0]);
                // OpenSSL produces either of s and n - s.
                let (r, s) = made.scalars().unwrap();
                let high = p256::ecdsa::Signature::from_scalars(*r, -*s).unwrap();
                prop_assert_eq!(places(&signing, &high.into(), &digests), [place]);
            }
        }
    }

    #[test]
    fn a_search_ends_where_its_budget_ends() {
        let digests = [Digest::of(b"a"), Digest::of(b"b")];
        let signing = signing_key(1);
        let made = digests.map(|digest| sign(&signing, &digest));
        let keys = [Arc::new(public(&signing))];
        // Candidates for two, points of both digests, and a verification for each.
        let both = 2 * CANDIDATES_COST + 1 + 2;
        for (work, expected) in [
            (0, vec![]),
            (CANDIDATES_COST, vec![]),
            (CANDIDATES_COST + 2, vec![(0, 0)]),
            (both - 1, vec![(0, 0)]),
            (both, vec![(0, 0), (1, 1)]),
        ] {
            let budget = Budget::new(work, &|| false);
            let seeking = Seeking::of(made.iter().collect(), &keys, &budget);
            assert_eq!(seeking.among(&digests, &budget), expected, "{work}");
            assert!(budget.spent() <= work);
        }
    }

    #[test]
    fn of_many_signatures_by_several_keys_each_finds_its_own() {
        let digests = ["a", "b", "c"].map(|text| Digest::of(text.as_bytes()));
        let (one, two) = (signing_key(1), signing_key(2));
        let made = [
            sign(&one, &digests[2]),
            sign(&two, &digests[0]),
            sign(&two, &digests[0]),
        ];
        let unknown = sign(&signing_key(3), &digests[1]);
        let keys = [Arc::new(public(&one)), Arc::new(public(&two))];
        let signatures = [&unknown, &made[0], &made[1], &made[2]];
        let budget = Budget::new(1000, &|| false);
        let found = Seeking::of(signatures.into(), &keys, &budget).among(&digests, &budget);
        assert_eq!(found, [(2, 0), (3, 0), (1, 2)]);
    }

    #[test]
    fn a_signature_whose_r_is_the_x_of_no_point_matches_nothing() {
        let digests = [Digest::of(b"alpha")];
        let r_of = |number: u64| FieldBytes::from(Scalar::from(number));
        let no_point = |number: &u64| {
            let point = AffinePoint::decompress(&r_of(*number), Choice::from(0));
            bool::from(point.is_none())
        };
        let r = (1..).find(no_point).unwrap();
        let signature = p256::ecdsa::Signature::from_scalars(r_of(r), r_of(1)).unwrap();
        let signature = signature.into();
        assert_eq!(places(&signing_key(1), &signature, &digests), [0; 0]);
    }
}
