//! A point's precomputed multiples, which more than halve the cost of each further signature of the
//! key.
//!
//! Verification spends its time on multiplying two points: the generator and the key (FIPS 186-5,
//! 6.4.2, step 6). A mirror has many signatures of few keys. `p256` does all the arithmetic; this
//! module only orders the additions. Nothing here is secret, so the running time may depend on the
//! numbers.

use std::sync::LazyLock;

use p256::elliptic_curve::BatchNormalize;
use p256::elliptic_curve::group::Group;
use p256::elliptic_curve::ops::{Invert, Reduce};
use p256::elliptic_curve::point::AffineCoordinates;
use p256::{AffinePoint, FieldBytes, ProjectivePoint, Scalar, ecdsa};

/// Multiples of a point by every positive digit, at each place of a scalar, lowest place first. A
/// negative digit takes the multiple's negative, which costs nothing.
#[derive(Clone, Debug)]
pub(crate) struct Multiples(Vec<AffinePoint>);

/// Bits per digit. With 7, a multiplication takes about 36 additions of multiples and the table 2.4
/// thousand; 6 takes 42 and 1.4 thousand, 8 takes 32 and 4.2 thousand, too long a wait for a few
/// files.
const BITS: usize = 7;
/// The largest digit: digits are from 1 - `DIGITS` to `DIGITS`.
const DIGITS: usize = 1 << (BITS - 1);
/// Number of places of a 256-bit scalar, and of the carry out of it.
const PLACES: usize = 257_usize.div_ceil(BITS);

/// Multiples of the generator. (`p256` has a table too; with it, a multiplication takes 64
/// additions.)
static GENERATOR: LazyLock<Multiples> = LazyLock::new(|| Multiples::of(&AffinePoint::GENERATOR));

impl Multiples {
    /// Computes the multiples of `point`, each by one addition.
    pub(crate) fn of(point: &AffinePoint) -> Multiples {
        let mut all = Vec::with_capacity(PLACES * DIGITS);
        let mut base = ProjectivePoint::from(*point);
        for _ in 0..PLACES {
            let mut multiple = base;
            all.push(multiple);
            for _ in 1..DIGITS {
                multiple += base;
                all.push(multiple);
            }
            // Twice the last digit is the next place.
            base = multiple.double();
        }
        Multiples(ProjectivePoint::batch_normalize(all.as_slice()))
    }

    /// Returns the multiples of the generator, computed once.
    pub(crate) fn of_generator() -> &'static Multiples {
        &GENERATOR
    }

    /// Returns the product of `scalar` and the point.
    pub(crate) fn times(&self, scalar: &Scalar) -> ProjectivePoint {
        let bytes: FieldBytes = scalar.into();
        let (mut sum, mut carry) = (ProjectivePoint::IDENTITY, 0);
        for (place, row) in self.0.chunks_exact(DIGITS).enumerate() {
            let digit = digit(&bytes, place) + carry;
            let is_negative = digit > DIGITS;
            carry = usize::from(is_negative);
            let size = if is_negative {
                2 * DIGITS - digit
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
        sum
    }

    /// Reports whether the point's owner made `signature` over the SHA-256 `digest` (FIPS 186-5,
    /// 6.4.2).
    pub(crate) fn verify(&self, digest: &[u8; 32], signature: &ecdsa::Signature) -> bool {
        let (r, s) = signature.split_scalars();
        let e = Scalar::reduce(&FieldBytes::from(*digest));
        let inverse = *Invert::invert_vartime(&s);
        let (u, v) = (e * inverse, *r * inverse);
        let sum = GENERATOR.times(&u) + self.times(&v);
        // Fail closed: the point at infinity has no coordinates and verifies nothing.
        if bool::from(sum.is_identity()) {
            return false;
        }
        Scalar::reduce(&sum.to_affine().x()) == *r
    }
}

/// Returns the digit of a big-endian number at a place, lowest place first, without a sign.
fn digit(number: &[u8], place: usize) -> usize {
    let bit = place * BITS;
    let byte = |at| number.iter().rev().nth(at).map_or(0, |b| usize::from(*b));
    let pair = byte(bit / 8) | byte(bit / 8 + 1) << 8;
    pair >> (bit % 8) & (2 * DIGITS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::SigningKey;
    use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
    use proptest::prelude::*;

    fn key(secret: [u8; 32]) -> Option<SigningKey> {
        SigningKey::from_slice(&secret).ok()
    }

    /// Returns both verdicts, ours first.
    fn verdicts(key: &SigningKey, digest: &[u8; 32], signature: &ecdsa::Signature) -> (bool, bool) {
        let theirs = key
            .verifying_key()
            .verify_prehash(digest, signature)
            .is_ok();
        let multiples = Multiples::of(key.verifying_key().as_affine());
        (multiples.verify(digest, signature), theirs)
    }

    #[test]
    fn the_verdict_is_that_of_p256_on_digests_and_scalars_at_the_edges() {
        let (zero, one, ones) = ([0; 32], one(), [0xff; 32]);
        for secret in [one, [7; 32]] {
            let key = key(secret).unwrap();
            for digest in [zero, one, ones] {
                let made: ecdsa::Signature = key.sign_prehash(&digest).unwrap();
                assert_eq!(verdicts(&key, &digest, &made), (true, true));
                let small = ecdsa::Signature::from_scalars(one, one).unwrap();
                let (ours, theirs) = verdicts(&key, &digest, &small);
                assert_eq!(ours, theirs);
            }
        }
    }

    #[test]
    fn a_multiple_is_that_of_p256_where_digits_carry() {
        let point = AffinePoint::GENERATOR;
        let multiples = Multiples::of(&point);
        let limits = [0, 1, DIGITS - 1, DIGITS, DIGITS + 1, 2 * DIGITS - 1];
        for digit in limits.map(|digit| digit as u64) {
            // The same digit at every place that ends within a scalar.
            let shift = Scalar::from(1_u64 << BITS);
            let same =
                (1..PLACES - 1).fold(Scalar::ZERO, |sum, _| sum * shift + Scalar::from(digit));
            for scalar in [same, -same, same + Scalar::ONE, -Scalar::ONE - same] {
                let expected = ProjectivePoint::from(point) * scalar;
                assert_eq!(multiples.times(&scalar), expected, "{digit}");
            }
        }
    }

    #[test]
    fn the_point_at_infinity_verifies_nothing() {
        // With the key G and e = -r, the sum of step 6 is the point at infinity.
        let key = key(one()).unwrap();
        let r = Scalar::from(5_u64);
        let digest: [u8; 32] = FieldBytes::from(-r).into();
        let signature = ecdsa::Signature::from_scalars(FieldBytes::from(r), one()).unwrap();
        assert_eq!(verdicts(&key, &digest, &signature), (false, false));
    }

    fn one() -> [u8; 32] {
        let mut one = [0; 32];
        one[31] = 1;
        one
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_verdict_is_that_of_p256(
            secret in any::<[u8; 32]>(), digest in any::<[u8; 32]>(), other in any::<[u8; 32]>(),
            r in any::<[u8; 32]>(), s in any::<[u8; 32]>()
        ) {
            let Some(key) = key(secret) else { return Ok(()) };
            let made: ecdsa::Signature = key.sign_prehash(&digest).unwrap();
            prop_assert_eq!(verdicts(&key, &digest, &made), (true, true));
            prop_assert_eq!(verdicts(&key, &other, &made), (other == digest, other == digest));
            if let Ok(random) = ecdsa::Signature::from_scalars(r, s) {
                prop_assert_eq!(verdicts(&key, &digest, &random), (false, false));
            }
        }

        #[test]
        fn a_multiple_is_that_of_p256(secret in any::<[u8; 32]>(), scalar in any::<[u8; 32]>()) {
            let Some(key) = key(secret) else { return Ok(()) };
            let point = key.verifying_key().as_affine();
            let scalar = Scalar::reduce(&FieldBytes::from(scalar));
            prop_assert_eq!(Multiples::of(point).times(&scalar), ProjectivePoint::from(*point) * scalar);
        }
    }
}
