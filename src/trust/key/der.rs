//! Keys as DER: reads a SubjectPublicKeyInfo, or identifies another structure.

use p256::ecdsa::VerifyingKey;
use p256::pkcs8::der::asn1::AnyRef;
use p256::pkcs8::der::{self, Decode, Reader, SliceReader, Tag, Tagged};
use p256::pkcs8::{AlgorithmIdentifierRef, ObjectIdentifier, SubjectPublicKeyInfoRef};

use super::KeyError;
use crate::digest::Digest;

/// `id-ecPublicKey` (RFC 5480, 2.1.1).
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// `rsaEncryption` (RFC 8017, appendix C).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// `secp256r1`, which NIST calls P-256 (RFC 5480, 2.1.1.1).
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

/// Algorithms and curves that a wrong key is likely to have, with their common names.
const KNOWN: [(&str, &str); 11] = [
    ("1.3.132.0.34", "P-384"),
    ("1.3.132.0.35", "P-521"),
    ("1.3.132.0.33", "P-224"),
    ("1.3.132.0.10", "secp256k1"),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"),
    ("1.3.101.110", "X25519"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
    ("1.2.840.10040.4.1", "DSA"),
    ("1.2.840.113549.1.1.10", "RSA-PSS"),
];

/// Reads a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7; RFC 5480), and nothing else.
pub(super) fn from_der(bytes: &[u8]) -> Result<(Digest, VerifyingKey), KeyError> {
    let info = SubjectPublicKeyInfoRef::from_der(bytes).map_err(|_| not_public(bytes))?;
    let point = info
        .subject_public_key
        .as_bytes()
        .ok_or(KeyError::NotAKey)?;
    expect_p256(&info.algorithm, point)?;
    // Fail closed: the reader below also accepts a point without its y (0x05), which OpenSSL does
    // not, and guesses which of two points it is.
    if !matches!(point, [0x02..=0x04, ..]) {
        return Err(KeyError::OtherForm);
    }
    let key = VerifyingKey::from_sec1_bytes(point).map_err(|_| KeyError::NotOnCurve)?;
    Ok((Digest::of(bytes), key))
}

fn expect_p256(algorithm: &AlgorithmIdentifierRef<'_>, key: &[u8]) -> Result<(), KeyError> {
    match algorithm.oid {
        EC_PUBLIC_KEY => match algorithm.parameters_oid() {
            Ok(P256) => Ok(()),
            Ok(curve) => Err(KeyError::OtherCurve(name_of(curve))),
            Err(_) => Err(KeyError::ExplicitCurve),
        },
        RSA => Err(rsa(key)),
        other => Err(KeyError::OtherAlgorithm(name_of(other))),
    }
}

fn name_of(oid: ObjectIdentifier) -> String {
    let oid = oid.to_string();
    let known = KNOWN.iter().find(|(number, _)| *number == oid);
    known.map_or(oid, |(_, name)| (*name).to_owned())
}

/// Measures the modulus of an `RSAPublicKey` (RFC 8017, A.1.1).
pub(super) fn rsa(bytes: &[u8]) -> KeyError {
    match elements(bytes).first() {
        Some(modulus) if modulus.tag() == Tag::Integer => {
            let leading: usize = modulus.value().iter().take_while(|b| **b == 0).count();
            let significant = modulus.value().get(leading..).unwrap_or_default();
            let unused = significant
                .first()
                .map_or(0, |b| b.leading_zeros() as usize);
            KeyError::Rsa {
                bits: significant.len() * 8 - unused,
            }
        }
        _ => KeyError::OtherAlgorithm("RSA".to_owned()),
    }
}

/// Identifies DER that is not a SubjectPublicKeyInfo by the first elements of the other formats.
fn not_public(bytes: &[u8]) -> KeyError {
    let parts = elements(bytes);
    let tags: Vec<Tag> = parts.iter().map(|part| part.tag()).collect();
    match tags.as_slice() {
        // PKCS #1, SEC 1 and PKCS #8 begin with a one-byte version number; an RSAPublicKey begins
        // with the modulus.
        [Tag::Integer, ..] if parts.first().is_some_and(|p| p.value().len() == 1) => {
            KeyError::PrivateKey
        }
        [Tag::Integer, Tag::Integer] => rsa(bytes),
        // EncryptedPrivateKeyInfo (RFC 5958, 3).
        [Tag::Sequence, Tag::OctetString] => KeyError::PrivateKey,
        // Certificate (RFC 5280, 4.1): the signed part, the algorithm, the signature.
        [Tag::Sequence, Tag::Sequence, Tag::BitString] => KeyError::Certificate,
        _ => KeyError::NotAKey,
    }
}

/// Returns the elements of the SEQUENCE in `bytes`; empty if `bytes` is not a well-formed SEQUENCE.
fn elements(bytes: &[u8]) -> Vec<AnyRef<'_>> {
    let read = || -> der::Result<Vec<AnyRef<'_>>> {
        let sequence = AnyRef::from_der(bytes)?;
        sequence.tag().assert_eq(Tag::Sequence)?;
        let mut reader = SliceReader::new(sequence.value())?;
        let mut found = Vec::new();
        while !reader.is_finished() {
            found.push(AnyRef::decode(&mut reader)?);
        }
        Ok(found)
    };
    read().unwrap_or_default()
}
