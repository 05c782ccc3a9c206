//! A signature is valid under a key and over a message exactly where OpenSSL verifies it, however its numbers and its bytes are
//! harmed; and where nothing is harmed, it is valid.
//!
//! Pairs that fit are made in both ways: a signature by a private key, and a public key for a signature whose numbers the fuzzer
//! chooses (SEC 1, 4.1.6). OpenSSL does the arithmetic, never the code under test.

use std::sync::{Arc, LazyLock};

use arbitrary::{Arbitrary, Unstructured};
use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::Public;
use openssl::sha::sha256;
use verify_signatures::Digest;
use verify_signatures::Key;
use verify_signatures::internals::trust::judge;
use verify_signatures::internals::trust::signature::Signature;

/// A pair that fits, and what is done to it.
#[derive(Debug, Arbitrary)]
struct Case {
    given: Given,
    nonce: [u8; 32],
    numbers: Vec<Harm>,
    bytes: Vec<Damage>,
    /// Whether another message is verified than was signed.
    other: bool,
    message: Vec<u8>,
}

/// What the rest of a pair is computed from.
#[derive(Debug, Arbitrary)]
enum Given {
    /// The number of one of [`PRIVATE_KEYS`].
    Private(u8),
    /// The second number of the signature.
    S([u8; 32]),
}

/// What is done to r, if it is that, or to s.
#[derive(Debug, Arbitrary)]
struct Harm {
    to_r: bool,
    how: How,
}

#[derive(Debug, Arbitrary)]
enum How {
    /// −x modulo n. With s it is a signature as good as before.
    Complement,
    /// x + n, the same modulo n.
    AddOrder,
    Increment,
    Zero,
    Order,
    Exchange,
    Replace([u8; 32]),
}

/// What is done to the DER.
#[derive(Debug, Arbitrary)]
enum Damage {
    Flip { at: u8, bit: u8 },
    Cut { length: u8 },
    Append { byte: u8 },
}

/// The private keys 1 to 4 and n − 1 to n − 4, whose points meet those of the arithmetic's tables.
const PRIVATE_KEYS: u8 = 8;
/// As often as this a key verifies before it computes its multiples; it verifies by other means from then on.
const OFTEN: usize = 30;

/// A key for each private key, often used.
static USED: LazyLock<Vec<Arc<Key>>> = LazyLock::new(|| {
    let curve = Curve::new().expect("OpenSSL knows the curve");
    let keys = (0..PRIVATE_KEYS).map(|number| {
        let private = private_key(number, &curve).expect("a number");
        let public = curve.times(&private).expect("a point");
        let key = Arc::new(curve.key(&public).expect("a key").0);
        let signature = Signature::parse(&[0x30, 6, 2, 1, 1, 2, 1, 1]).expect("r and s are 1");
        for _ in 0..OFTEN {
            judge(&[Arc::clone(&key)], &Digest::of(b"").into(), &signature);
        }
        key
    });
    keys.collect()
});

/// Checks a case.
pub fn check(data: &[u8]) {
    verdict(data);
}

/// The verdict on a case, on which all agree; none if the bytes are no case.
pub fn verdict(data: &[u8]) -> Option<bool> {
    let case = Case::arbitrary(&mut Unstructured::new(data)).ok()?;
    let curve = Curve::new().expect("OpenSSL knows the curve");
    compare(&case, &curve).expect("OpenSSL computes")
}

/// The order of the curve's group, n.
pub(crate) fn order() -> BigNum {
    Curve::new().expect("OpenSSL knows the curve").order
}

fn compare(case: &Case, curve: &Curve) -> Result<Option<bool>, ErrorStack> {
    let Some((public, r, s)) = fitting(case, curve)? else {
        return Ok(None);
    };
    let mut numbers = (r, s);
    for harm in &case.numbers {
        numbers = harmed(numbers, harm, curve)?;
    }
    let mut der = EcdsaSig::from_private_components(numbers.0, numbers.1)?.to_der()?;
    case.bytes.iter().for_each(|damage| apply(damage, &mut der));
    let mut message = case.message.clone();
    message.extend(case.other.then_some(0));
    let (fresh, theirs) = curve.key(&public)?;
    let expected = openssl_verifies(&der, &message, &theirs);
    let unharmed = case.numbers.is_empty() && case.bytes.is_empty() && !case.other;
    assert!(expected || !unharmed, "made to fit: {case:?}");
    assert_eq!(we_verify(&der, &message, Arc::new(fresh)), expected);
    if let Given::Private(number) = case.given {
        let used = &USED[usize::from(number % PRIVATE_KEYS)];
        assert_eq!(we_verify(&der, &message, Arc::clone(used)), expected);
    }
    Ok(Some(expected))
}

fn we_verify(signature: &[u8], message: &[u8], key: Arc<Key>) -> bool {
    Signature::parse(signature)
        .is_ok_and(|signature| judge(&[key], &Digest::of(message).into(), &signature).passes())
}

fn openssl_verifies(signature: &[u8], message: &[u8], key: &EcKey<Public>) -> bool {
    let signature = crate::signature::read(signature);
    signature.is_some_and(|signature| signature.verify(&sha256(message), key).unwrap_or(false))
}

/// A public key, and r and s that it verifies over the case's message; none where a number is 0 modulo n.
fn fitting(case: &Case, curve: &Curve) -> Result<Option<(EcPoint, BigNum, BigNum)>, ErrorStack> {
    let e = curve.reduced(&sha256(&case.message))?;
    let k = curve.reduced(&case.nonce)?;
    let point = curve.times(&k)?;
    let Some(r) = curve.x(&point)? else {
        return Ok(None);
    };
    let (public, s) = match &case.given {
        Given::Private(number) => {
            let private = private_key(*number, curve)?;
            // s = (e + r d)/k
            let product = curve.product(&r, &private)?;
            let s = curve.quotient(&*curve.sum(&e, &product)?, &k)?;
            (curve.times(&private)?, s)
        }
        Given::S(s) => {
            let s = curve.reduced(s)?;
            // Q = s/r R − e/r G
            let (of_point, of_generator) = (curve.quotient(&s, &r)?, curve.quotient(&e, &r)?);
            let of_generator = curve.negative(&of_generator)?;
            (curve.combined(&of_generator, &point, &of_point)?, s)
        }
    };
    let none = s.num_bits() == 0 || public.is_infinity(&curve.group);
    Ok((!none).then_some((public, r, s)))
}

fn private_key(number: u8, curve: &Curve) -> Result<BigNum, ErrorStack> {
    let small = BigNum::from_u32(1 + u32::from(number % 4))?;
    match number % PRIVATE_KEYS {
        0..4 => Ok(small),
        _ => curve.negative(&small),
    }
}

fn harmed(
    (r, s): (BigNum, BigNum),
    harm: &Harm,
    curve: &Curve,
) -> Result<(BigNum, BigNum), ErrorStack> {
    let (old, other) = if harm.to_r { (r, s) } else { (s, r) };
    let order = &curve.order;
    let new = match &harm.how {
        How::Exchange => {
            return Ok(if harm.to_r {
                (other, old)
            } else {
                (old, other)
            });
        }
        How::Complement => curve.negative(&old)?,
        How::AddOrder => &**order + &*old,
        How::Increment => &*old + &*BigNum::from_u32(1)?,
        How::Zero => BigNum::new()?,
        How::Order => (**order).to_owned()?,
        How::Replace(bytes) => BigNum::from_slice(bytes)?,
    };
    Ok(if harm.to_r {
        (new, other)
    } else {
        (other, new)
    })
}

fn apply(damage: &Damage, der: &mut Vec<u8>) {
    match damage {
        Damage::Flip { at, bit } => {
            let at = usize::from(*at).checked_rem(der.len());
            if let Some(byte) = at.and_then(|at| der.get_mut(at)) {
                *byte ^= 1 << (bit % 8);
            }
        }
        Damage::Cut { length } => der.truncate(usize::from(*length)),
        Damage::Append { byte } => der.push(*byte),
    }
}

/// P-256 as OpenSSL computes on it. All numbers are modulo the order of its group, n.
struct Curve {
    group: EcGroup,
    order: BigNum,
}

impl Curve {
    fn new() -> Result<Curve, ErrorStack> {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
        let mut order = BigNum::new()?;
        group.order(&mut order, &mut *context()?)?;
        Ok(Curve { group, order })
    }

    fn reduced(&self, bytes: &[u8]) -> Result<BigNum, ErrorStack> {
        self.sum(&*BigNum::from_slice(bytes)?, &*BigNum::new()?)
    }

    fn sum(&self, a: &BigNumRef, b: &BigNumRef) -> Result<BigNum, ErrorStack> {
        let mut sum = BigNum::new()?;
        sum.mod_add(a, b, &self.order, &mut *context()?)?;
        Ok(sum)
    }

    /// −a.
    fn negative(&self, a: &BigNumRef) -> Result<BigNum, ErrorStack> {
        let mut negative = BigNum::new()?;
        negative.mod_sub(&*BigNum::new()?, a, &self.order, &mut *context()?)?;
        Ok(negative)
    }

    fn product(&self, a: &BigNumRef, b: &BigNumRef) -> Result<BigNum, ErrorStack> {
        let mut product = BigNum::new()?;
        product.mod_mul(a, b, &self.order, &mut *context()?)?;
        Ok(product)
    }

    /// a/b, where b is not 0.
    fn quotient(&self, a: &BigNumRef, b: &BigNumRef) -> Result<BigNum, ErrorStack> {
        let mut inverse = BigNum::new()?;
        inverse.mod_inverse(b, &self.order, &mut *context()?)?;
        self.product(a, &inverse)
    }

    /// The generator, multiplied.
    fn times(&self, factor: &BigNumRef) -> Result<EcPoint, ErrorStack> {
        let mut product = EcPoint::new(&self.group)?;
        product.mul_generator2(&self.group, factor, &mut *context()?)?;
        Ok(product)
    }

    /// The generator times `a`, and the point times `b`.
    fn combined(
        &self,
        a: &BigNumRef,
        point: &EcPoint,
        b: &BigNumRef,
    ) -> Result<EcPoint, ErrorStack> {
        let mut sum = EcPoint::new(&self.group)?;
        sum.mul_full(&self.group, a, point, b, &mut *context()?)?;
        Ok(sum)
    }

    /// The point's x modulo n; none where that is 0, or the point is at infinity.
    fn x(&self, point: &EcPoint) -> Result<Option<BigNum>, ErrorStack> {
        if point.is_infinity(&self.group) {
            return Ok(None);
        }
        let (mut x, mut y) = (BigNum::new()?, BigNum::new()?);
        point.affine_coordinates(&self.group, &mut x, &mut y, &mut *context()?)?;
        let reduced = self.sum(&x, &*BigNum::new()?)?;
        Ok((reduced.num_bits() > 0).then_some(reduced))
    }

    /// The key of this point, to us and to OpenSSL.
    fn key(&self, point: &EcPoint) -> Result<(Key, EcKey<Public>), ErrorStack> {
        let theirs = EcKey::from_public_key(&self.group, point)?;
        let ours = Key::parse("key", &theirs.public_key_to_der()?);
        Ok((ours.expect("a key that OpenSSL wrote is taken"), theirs))
    }
}

fn context() -> Result<BigNumContext, ErrorStack> {
    BigNumContext::new()
}
