//! Recovers the keys that may have made a signature, from only the signature and a digest. This
//! says nothing about whether to trust them: anyone can sign anything.
//!
//! A signature (r, s) over the digest e is valid for at most four public keys (SEC 1, 4.1.6): Q =
//! r⁻¹·(s·R − e·G), for each point R whose x-coordinate is r or r + n.

use p256::ecdsa::VerifyingKey;
use p256::elliptic_curve::BatchNormalize;
use p256::elliptic_curve::group::Group;
use p256::elliptic_curve::ops::{Invert, Reduce};
use p256::elliptic_curve::point::{AffineCoordinates, DecompressPoint};
use p256::elliptic_curve::subtle::Choice;
use p256::pkcs8::EncodePublicKey;
use p256::{AffinePoint, FieldBytes, ProjectivePoint, Scalar};

use crate::digest::Digest;
use crate::trust::multiples::{Multiples, Width};
use crate::trust::signature::Signature;

/// Cost of [`candidates`], in verifications: one multiplication of an arbitrary point, and the root
/// and the inversions around it.
pub(super) const COST: usize = 4;

/// A public key, without a name and without any trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Point {
    x: FieldBytes,
    is_odd: bool,
}

impl Point {
    /// Returns a point of the curve.
    pub(super) fn of(point: &AffinePoint) -> Point {
        Point {
            x: point.x(),
            is_odd: point.y_is_odd().into(),
        }
    }

    /// Returns the SHA-256 of the key's DER with the point uncompressed, as nearly every program
    /// writes it; `None` if it is not a key.
    pub(super) fn fingerprint(&self) -> Option<Digest> {
        let point = AffinePoint::decompress(&self.x, Choice::from(u8::from(self.is_odd)));
        let key = VerifyingKey::from_affine(Option::<AffinePoint>::from(point)?).ok()?;
        Some(Digest::of(key.to_public_key_der().ok()?.as_bytes()))
    }
}

/// Returns the keys that may have made the signature over the digest.
///
/// (Up to two more, for points whose x-coordinates are r + n, are omitted: they exist for one in
/// 2¹²⁸ signatures.)
pub(super) fn candidates(digest: &Digest, signature: &Signature) -> Option<[Point; 2]> {
    let (r, s) = signature.scalars()?;
    let e = Scalar::reduce(&FieldBytes::from(*digest.as_bytes()));
    let inverse = *Invert::invert_vartime(&r);
    let even = AffinePoint::decompress(&FieldBytes::from(*r), Choice::from(0));
    let signed = ProjectivePoint::from(Option::<AffinePoint>::from(even)?) * (*s * inverse);
    let hashed = Multiples::of_generator(Width::Narrow).times(&(e * inverse));
    // The other point is −R.
    let keys = [signed - hashed, -signed - hashed];
    if keys.iter().any(|key| bool::from(key.is_identity())) {
        return None;
    }
    let keys: [AffinePoint; 2] = ProjectivePoint::batch_normalize(&keys);
    Some([Point::of(&keys[0]), Point::of(&keys[1])])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::signing_key as key;
    use p256::ecdsa::signature::hazmat::PrehashSigner;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn the_key_that_made_a_signature_is_one_of_two_candidates_with_its_usual_fingerprint(
            secret in 1_u8..200, text in ".{0,16}", is_high in any::<bool>()
        ) {
            let digest = Digest::of(text.as_bytes());
            let made: p256::ecdsa::Signature = key(secret).sign_prehash(digest.as_bytes()).unwrap();
            // OpenSSL produces either of s and n − s.
            let (r, s) = made.split_scalars();
            let s = if is_high { -*s } else { *s };
            let made = p256::ecdsa::Signature::from_scalars(*r, s).unwrap();
            let signature = Signature::parse(made.to_der().as_bytes()).unwrap();
            let der = key(secret).verifying_key().to_public_key_der().unwrap();
            let fingerprints = candidates(&digest, &signature).unwrap().map(|key| key.fingerprint());
            prop_assert!(fingerprints.contains(&Some(Digest::of(der.as_bytes()))));
            // Over anything else, it was not made by that key.
            let others = candidates(&Digest::of(b"something else"), &signature).unwrap();
            let others = others.map(|key| key.fingerprint());
            prop_assert!(!others.contains(&Some(Digest::of(der.as_bytes()))));
        }
    }
}
