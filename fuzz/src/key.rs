//! A key file that is taken is one to OpenSSL, too, and its fingerprint that of the DER which OpenSSL writes; and the DER of a
//! P-256 key, as OpenSSL writes it, is taken.

use openssl::ec::Asn1Flag;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Public};
use openssl::sha::sha256;
use verify_signatures::Key;

/// The first bytes of points that RFC 5480, 2.2 knows: compressed, and not. (OpenSSL knows more, which nobody uses.)
const FORMS: [u8; 3] = [2, 3, 4];
/// Bytes of a SubjectPublicKeyInfo of P-256 in front of the point.
const HEADER: usize = 26;

/// Checks a key file's content.
pub fn check(content: &[u8]) {
    let ours = Key::parse("key", content);
    if let Ok(key) = &ours {
        let pem = PKey::public_key_from_pem(content).ok();
        let theirs = pem.or_else(|| PKey::public_key_from_der(content).ok());
        let der = theirs.and_then(p256_der).expect("a P-256 key to OpenSSL");
        assert_eq!(key.fingerprint().as_bytes(), &sha256(&der));
    }
    let der = PKey::public_key_from_der(content).ok().and_then(p256_der);
    if der.is_some_and(|der| der == content && FORMS.contains(&der[HEADER])) {
        ours.expect("a key that OpenSSL wrote is taken");
    }
}

/// What OpenSSL writes for a key, if that is one on the named curve P-256.
fn p256_der(key: PKey<Public>) -> Option<Vec<u8>> {
    let ec = key.ec_key().ok()?;
    let named = ec.group().asn1_flag() == Asn1Flag::NAMED_CURVE;
    let p256 = ec.group().curve_name() == Some(Nid::X9_62_PRIME256V1);
    (named && p256).then(|| key.public_key_to_der().ok())?
}
