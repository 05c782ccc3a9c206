//! Which of many digests a signature was made over, found at once for all of them instead of by verifying each.
//!
//! Verifying (FIPS 186-5, 6.4.2) computes R = s⁻¹·(e·G + r·Q) from the digest e and the key Q, and compares R's x-coordinate with r. Turned
//! around: R is a point whose x-coordinate is r, there are two of those, and with each of them s·R − r·Q is the point e·G of the digest
//! that the signature was made over. Who keeps the points of all digests looks it up. What is found is verified in the usual way then.

use std::collections::HashMap;

use p256::elliptic_curve::BatchNormalize;
use p256::elliptic_curve::ops::Reduce;
use p256::elliptic_curve::point::{AffineCoordinates, DecompressPoint};
use p256::elliptic_curve::subtle::Choice;
use p256::{AffinePoint, FieldBytes, ProjectivePoint, Scalar};

use super::key::Key;
use super::multiples::Multiples;
use super::signature::Signature;
use crate::digest::Digest;

/// Digests, ready to be found by a signature over one of them.
#[derive(Debug)]
pub(super) struct Fits<'a> {
    digests: &'a [Digest],
    /// The place of each digest by the x-coordinate of e·G, which e and n − e share.
    places: HashMap<FieldBytes, usize>,
}

impl Fits<'_> {
    /// Computes the points of all digests: an addition for every six bits of each. `None` when it was cancelled before the end.
    pub(super) fn among<'a>(
        digests: &'a [Digest],
        cancelled: &dyn Fn() -> bool,
    ) -> Option<Fits<'a>> {
        let point = |digest: &Digest| {
            let e = Scalar::reduce(&FieldBytes::from(*digest.as_bytes()));
            (!cancelled()).then(|| Multiples::of_generator().times(&e))
        };
        let points: Option<Vec<ProjectivePoint>> = digests.iter().map(point).collect();
        let points = points?;
        let points: Vec<AffinePoint> = ProjectivePoint::batch_normalize(points.as_slice());
        let places = points
            .iter()
            .enumerate()
            .map(|(place, point)| (point.x(), place));
        Some(Fits {
            digests,
            places: places.collect(),
        })
    }

    /// The place of the digest that `key` made `signature` over.
    pub(super) fn find(&self, key: &Key, signature: &Signature) -> Option<usize> {
        let candidates = candidates(key.point(), signature)?;
        let places = candidates.iter().filter_map(|x| self.places.get(x));
        let fits = |place: &&usize| {
            let digest = self.digests.get(**place);
            digest.is_some_and(|digest| key.verifies(digest, signature))
        };
        places.into_iter().find(fits).copied()
    }
}

/// The x-coordinates of s·R − r·Q for both points R. (A third and fourth, whose x-coordinates are r + n, are left out: there are such in
/// one of 2¹²⁸ signatures, and what is missed is a hint.)
fn candidates(key: &AffinePoint, signature: &Signature) -> Option<[FieldBytes; 2]> {
    let (r, s) = signature.0.split_scalars();
    let point = AffinePoint::decompress(&FieldBytes::from(*r), Choice::from(0));
    let times_s = ProjectivePoint::from(Option::<AffinePoint>::from(point)?) * *s;
    let times_r = ProjectivePoint::from(*key) * *r;
    // With −R it is −(s·R + r·Q), which has the x-coordinate of s·R + r·Q.
    Some([times_s - times_r, times_s + times_r].map(|point| point.to_affine().x()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::SigningKey;
    use p256::ecdsa::signature::hazmat::PrehashSigner;
    use p256::pkcs8::EncodePublicKey;
    use proptest::prelude::*;

    fn signing_key(secret: u8) -> SigningKey {
        SigningKey::from_slice(&[secret; 32]).unwrap()
    }

    fn public(key: &SigningKey) -> Key {
        let der = key.verifying_key().to_public_key_der().unwrap();
        Key::parse("k", der.as_bytes()).unwrap()
    }

    fn sign(key: &SigningKey, digest: &Digest) -> Signature {
        Signature(key.sign_prehash(digest.as_bytes()).unwrap())
    }

    fn among(digests: &[Digest]) -> Fits<'_> {
        Fits::among(digests, &|| false).unwrap()
    }

    #[test]
    fn a_search_that_is_cancelled_finds_nothing() {
        let digests = [Digest::of(b"alpha"), Digest::of(b"beta")];
        for after in 0..2 {
            let looks = std::cell::Cell::new(0);
            let cancelled = || looks.replace(looks.get() + 1) >= after;
            assert!(Fits::among(&digests, &cancelled).is_none());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn every_signature_finds_its_own_digest_among_all_and_none_where_its_own_is_not(
            messages in prop::collection::hash_set(any::<Vec<u8>>(), 1..20), secret in 1..254_u8
        ) {
            let digests: Vec<Digest> = messages.iter().map(|message| Digest::of(message)).collect();
            let (signing, other) = (signing_key(secret), signing_key(254));
            let (all, without_first) = (among(&digests), among(&digests[1..]));
            for (place, digest) in digests.iter().enumerate() {
                let made = sign(&signing, digest);
                prop_assert_eq!(all.find(&public(&signing), &made), Some(place));
                prop_assert_eq!(without_first.find(&public(&signing), &made), place.checked_sub(1));
                prop_assert_eq!(all.find(&public(&other), &made), None);
                // OpenSSL makes either of s and n - s.
                let (r, s) = made.0.split_scalars();
                let high = p256::ecdsa::Signature::from_scalars(*r, -*s).unwrap();
                prop_assert_eq!(all.find(&public(&signing), &Signature(high)), Some(place));
            }
        }
    }

    #[test]
    fn a_signature_whose_r_is_the_x_of_no_point_fits_nothing() {
        let digests = [Digest::of(b"alpha")];
        let r_of = |number: u64| FieldBytes::from(Scalar::from(number));
        let no_point = |number: &u64| {
            let point = AffinePoint::decompress(&r_of(*number), Choice::from(0));
            bool::from(point.is_none())
        };
        let r = (1..).find(no_point).unwrap();
        let signature = p256::ecdsa::Signature::from_scalars(r_of(r), r_of(1)).unwrap();
        let found = among(&digests).find(&public(&signing_key(1)), &Signature(signature));
        assert_eq!(found, None);
    }
}
