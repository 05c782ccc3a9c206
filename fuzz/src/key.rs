//! A key file that is taken is one to OpenSSL, too, of an algorithm that is supported, and its fingerprint that of the DER which OpenSSL
//! writes; and the DER of a key on P-256, P-384 or P-521, as OpenSSL writes it, is taken.

use openssl::ec::Asn1Flag;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Public};
use openssl::sha::sha256;
use verify_signatures::Key;

/// The first bytes of points that RFC 5480, 2.2 knows: compressed, and not. (OpenSSL knows more, which are not in use.)
const FORMS: [u8; 3] = [2, 3, 4];
/// Sizes of an RSA modulus in bits.
const BITS: std::ops::RangeInclusive<u32> = 2048..=4096;

/// Checks a key file's content.
pub fn check(content: &[u8]) {
    let ours = Key::parse("key", content);
    if let Ok(key) = &ours {
        let pem = PKey::public_key_from_pem(content).ok();
        let theirs = pem.or_else(|| PKey::public_key_from_der(content).ok());
        let theirs = theirs.filter(is_supported).expect("a key to OpenSSL");
        let der = theirs.public_key_to_der().expect("DER");
        assert_eq!(key.fingerprint().as_bytes(), &sha256(&der));
    }
    let theirs = PKey::public_key_from_der(content).ok().filter(is_supported);
    // Some RSA keys do not occur in practice: those with a small or even exponent, or parameters.
    let theirs = theirs.filter(|key| !matches!(key.id(), Id::RSA | Id::RSA_PSS));
    let der = theirs.and_then(|key| key.public_key_to_der().ok());
    if der.is_some_and(|der| der == content && has_usual_form(content)) {
        ours.expect("a key that OpenSSL wrote is taken");
    }
}

/// Whether a key has a point in a form that is taken. (OpenSSL takes any 32 bytes for a key of Ed25519.)
fn has_usual_form(der: &[u8]) -> bool {
    let key = PKey::public_key_from_der(der).expect("a key");
    let Ok(ec) = key.ec_key() else {
        return false;
    };
    let bytes = ec.group().degree().div_ceil(8) as usize;
    let mut lengths = [1 + bytes, 1 + 2 * bytes].into_iter();
    // In front of the point is the number of unused bits of its BIT STRING.
    lengths.any(|length| {
        let at = der.len().checked_sub(length + 1);
        at.and_then(|at| der.get(at..)).is_some_and(|end| {
            end[0] == 0 && FORMS.contains(&end[1]) && (end[1] == 4) == (length > 1 + bytes)
        })
    })
}

/// Whether a key is of an algorithm that is supported.
fn is_supported(key: &PKey<Public>) -> bool {
    match key.id() {
        Id::ED25519 => true,
        Id::RSA | Id::RSA_PSS => BITS.contains(&key.bits()),
        Id::EC => key.ec_key().is_ok_and(|ec| {
            let named = ec.group().asn1_flag() == Asn1Flag::NAMED_CURVE;
            let curves = [Nid::X9_62_PRIME256V1, Nid::SECP384R1, Nid::SECP521R1];
            let curve = ec.group().curve_name();
            named && curve.is_some_and(|curve| curves.contains(&curve))
        }),
        _ => false,
    }
}
