//! A point's precomputed multiples, which more than halve the cost of each further signature of the
//! key.
//!
//! Verification spends its time on multiplying two points: the generator and the key (FIPS 186-5,
//! 6.4.2, step 6). A mirror has many signatures of few keys. `p256` does all the arithmetic; this
//! module only orders the additions. Nothing here is secret, so the running time may depend on the
//! numbers.

use std::iter;
use std::sync::LazyLock;

use p256::elliptic_curve::BatchNormalize;
use p256::elliptic_curve::group::Group;
use p256::elliptic_curve::ops::{Invert, Reduce};
use p256::elliptic_curve::point::AffineCoordinates;
use p256::{AffinePoint, FieldBytes, ProjectivePoint, Scalar, ecdsa};

/// Width of a scalar's digits. Wider digits mean fewer additions per signature, but a larger table,
/// which takes longer to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// 7 bits: a multiplication takes about 36 additions of multiples, and the table 2.4 thousand
    /// additions; 6 takes 42 and 1.4 thousand, 8 takes 32 and 4.2 thousand, too long a wait for a
    /// few files.
    Narrow,
    /// 10 bits: 26 additions, and a table of 13 thousand multiples (1 MB); 11 takes 24 additions
    /// and 25 thousand multiples.
    Wide,
}

impl Width {
    /// Returns the width in bits. [`Width::digit`] relies on it: a digit of 10 bits at an even
    /// bit, and one of up to 9 at any, is within two bytes.
    const fn bits(self) -> usize {
        match self {
            Width::Narrow => 7,
            Width::Wide => 10,
        }
    }

    /// Returns the largest digit: digits are from 1 - `largest` to `largest`.
    const fn largest(self) -> usize {
        1 << (self.bits() - 1)
    }

    /// Returns the number of places of a 256-bit scalar, and of the carry out of it.
    const fn places(self) -> usize {
        257_usize.div_ceil(self.bits())
    }

    /// Returns the digit of a big-endian number at a place, lowest place first, without a sign.
    fn digit(self, number: &[u8], place: usize) -> usize {
        let bit = place * self.bits();
        let byte = |at| number.iter().rev().nth(at).map_or(0, |b| usize::from(*b));
        let pair = byte(bit / 8) | byte(bit / 8 + 1) << 8;
        pair >> (bit % 8) & (2 * self.largest() - 1)
    }
}

/// Multiples of a point by every positive digit, at each place of a scalar, lowest place first. A
/// negative digit takes the multiple's negative, which costs nothing.
#[derive(Clone, Debug)]
pub(crate) struct Multiples {
    width: Width,
    all: Vec<AffinePoint>,
}

/// Multiples of the generator in narrow digits. (`p256` has a table too; with it, a multiplication
/// takes 64 additions.)
static NARROW: LazyLock<Multiples> =
    LazyLock::new(|| Multiples::of(&AffinePoint::GENERATOR, Width::Narrow));
/// Multiples of the generator in wide digits.
static WIDE: LazyLock<Multiples> =
    LazyLock::new(|| Multiples::of(&AffinePoint::GENERATOR, Width::Wide));

impl Multiples {
    /// Computes the multiples of `point`, each by one addition; place by place, so that only those
    /// of one place exist twice.
    pub(crate) fn of(point: &AffinePoint, width: Width) -> Multiples {
        let mut all = Vec::with_capacity(width.places() * width.largest());
        let mut base = ProjectivePoint::from(*point);
        for _ in 0..width.places() {
            let step = base.to_affine();
            let multiples = iter::successors(Some(base), |multiple| Some(*multiple + step));
            let multiples: Vec<ProjectivePoint> = multiples.take(width.largest()).collect();
            let multiples: Vec<AffinePoint> =
                ProjectivePoint::batch_normalize(multiples.as_slice());
            all.extend(multiples);
            base = (0..width.bits()).fold(base, |base, _| base.double());
        }
        Multiples { width, all }
    }

    /// Returns the width of the digits.
    #[cfg(test)]
    pub(crate) fn width(&self) -> Width {
        self.width
    }

    /// Returns the multiples of the generator, computed once.
    pub(crate) fn of_generator(width: Width) -> &'static Multiples {
        match width {
            Width::Narrow => &NARROW,
            Width::Wide => &WIDE,
        }
    }

    /// Returns the product of `scalar` and the point.
    pub(crate) fn times(&self, scalar: &Scalar) -> ProjectivePoint {
        let bytes: FieldBytes = scalar.into();
        let largest = self.width.largest();
        let (mut sum, mut carry) = (ProjectivePoint::IDENTITY, 0);
        for (place, row) in self.all.chunks_exact(largest).enumerate() {
            let digit = self.width.digit(&bytes, place) + carry;
            let is_negative = digit > largest;
            carry = usize::from(is_negative);
            let size = if is_negative {
                2 * largest - digit
            } else {
                digit
            };
            // A zero has no multiple, and adds nothing.
            match size.checked_sub(1).and_then(|at| row.get(at)) {
                Some(multiple) if is_negative => sum -= *multiple,
                Some(multiple) => sum += *multiple,
                None => {}
            }
        }
        // No carry is left: the places have a bit more than a scalar.
        sum
    }

    /// Reports whether the point's owner made `signature` over the SHA-256 `digest` (FIPS 186-5,
    /// 6.4.2).
    pub(crate) fn verify(&self, digest: &[u8; 32], signature: &ecdsa::Signature) -> bool {
        let (r, s) = signature.split_scalars();
        let e = Scalar::reduce(&FieldBytes::from(*digest));
        let inverse = *Invert::invert_vartime(&s);
        let (u, v) = (e * inverse, *r * inverse);
        let sum = Multiples::of_generator(self.width).times(&u) + self.times(&v);
        // Fail closed: the point at infinity has no coordinates and verifies nothing.
        if bool::from(sum.is_identity()) {
            return false;
        }
        Scalar::reduce(&sum.to_affine().x()) == *r
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
    use p256::ecdsa::{SigningKey, VerifyingKey};
    use proptest::prelude::*;

    const WIDTHS: [Width; 2] = [Width::Narrow, Width::Wide];

    fn key(secret: [u8; 32]) -> Option<SigningKey> {
        SigningKey::from_slice(&secret).ok()
    }

    /// A key with its multiples of each width.
    struct Verifier(VerifyingKey, [Multiples; 2]);

    impl Verifier {
        fn of(key: &SigningKey) -> Verifier {
            let key = *key.verifying_key();
            Verifier(
                key,
                WIDTHS.map(|width| Multiples::of(key.as_affine(), width)),
            )
        }

        /// Returns the verdict, on which `p256` and the multiples of each width must agree.
        fn verdict(&self, digest: &[u8; 32], signature: &ecdsa::Signature) -> bool {
            let theirs = self.0.verify_prehash(digest, signature).is_ok();
            for multiples in &self.1 {
                let ours = multiples.verify(digest, signature);
                assert_eq!(ours, theirs, "{:?}", multiples.width);
            }
            theirs
        }
    }

    #[test]
    fn the_verdict_is_that_of_p256_on_digests_and_scalars_at_the_edges() {
        let (zero, one, ones) = ([0; 32], one(), [0xff; 32]);
        for secret in [one, [7; 32]] {
            let key = key(secret).unwrap();
            let verifier = Verifier::of(&key);
            for digest in [zero, one, ones] {
                let made: ecdsa::Signature = key.sign_prehash(&digest).unwrap();
                assert!(verifier.verdict(&digest, &made));
                let small = ecdsa::Signature::from_scalars(one, one).unwrap();
                assert!(!verifier.verdict(&digest, &small));
            }
        }
    }

    #[test]
    fn a_multiple_is_that_of_p256_where_digits_carry() {
        for width in WIDTHS {
            let multiples = Multiples::of_generator(width);
            let largest = width.largest();
            let limits = [0, 1, largest - 1, largest, largest + 1, 2 * largest - 1];
            for digit in limits.map(|digit| digit as u64) {
                // The same digit at every place that ends within a scalar.
                let shift = Scalar::from(1_u64 << width.bits());
                let places = 0..width.places() - 1;
                let same = places.fold(Scalar::ZERO, |sum, _| sum * shift + Scalar::from(digit));
                for scalar in [same, -same, same + Scalar::ONE, -Scalar::ONE - same] {
                    let expected = ProjectivePoint::GENERATOR * scalar;
                    assert_eq!(multiples.times(&scalar), expected, "{width:?}, {digit}");
                }
            }
        }
    }

    #[test]
    fn the_point_at_infinity_verifies_nothing() {
        // With the key G and e = -r, the sum of step 6 is the point at infinity.
        let verifier = Verifier::of(&key(one()).unwrap());
        let r = Scalar::from(5_u64);
        let digest: [u8; 32] = FieldBytes::from(-r).into();
        let signature = ecdsa::Signature::from_scalars(FieldBytes::from(r), one()).unwrap();
        assert!(!verifier.verdict(&digest, &signature));
    }

    fn one() -> [u8; 32] {
        let mut one = [0; 32];
        one[31] = 1;
        one
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn the_verdict_is_that_of_p256(
            secret in any::<[u8; 32]>(), digest in any::<[u8; 32]>(), other in any::<[u8; 32]>(),
            r in any::<[u8; 32]>(), s in any::<[u8; 32]>()
        ) {
            let Some(key) = key(secret) else { return Ok(()) };
            let verifier = Verifier::of(&key);
            let made: ecdsa::Signature = key.sign_prehash(&digest).unwrap();
            prop_assert!(verifier.verdict(&digest, &made));
            prop_assert_eq!(verifier.verdict(&other, &made), other == digest);
            if let Ok(random) = ecdsa::Signature::from_scalars(r, s) {
                prop_assert!(!verifier.verdict(&digest, &random));
            }
        }

        #[test]
        fn a_multiple_is_that_of_p256(secret in any::<[u8; 32]>(), scalar in any::<[u8; 32]>()) {
            let Some(key) = key(secret) else { return Ok(()) };
            let point = key.verifying_key().as_affine();
            let scalar = Scalar::reduce(&FieldBytes::from(scalar));
            let expected = ProjectivePoint::from(*point) * scalar;
            for width in WIDTHS {
                prop_assert_eq!(Multiples::of(point, width).times(&scalar), expected);
            }
        }
    }
}
