//! Keys as DER: reads a SubjectPublicKeyInfo, or identifies another structure.

use p256::pkcs8::der::asn1::AnyRef;
use p256::pkcs8::der::{self, Decode, Reader, SliceReader, Tag, Tagged};
use p256::pkcs8::{ObjectIdentifier, SubjectPublicKeyInfoRef};

use super::KeyError;
use super::algorithm::{Public, RSA_SIZES};
use crate::digest::Digest;

/// Algorithms and curves that a wrong key is likely to have, with their common names.
const KNOWN: [(&str, &str); 11] = [
    ("1.3.132.0.33", "P-224"),
    ("1.3.132.0.10", "secp256k1"),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"),
    ("1.3.101.110", "X25519"),
    ("1.3.101.113", "Ed448"),
    ("1.2.840.10040.4.1", "DSA"),
    ("1.3.14.3.2.26", "SHA-1"),
    ("2.16.840.1.101.3.4.2.4", "SHA-224"),
    ("2.16.840.1.101.3.4.2.5", "SHA-512/224"),
    ("2.16.840.1.101.3.4.2.6", "SHA-512/256"),
];

/// Reads a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7; RFC 5480), and nothing else.
pub(super) fn from_der(bytes: &[u8]) -> Result<(Digest, Public), KeyError> {
    let info = SubjectPublicKeyInfoRef::from_der(bytes).map_err(|_| not_public(bytes))?;
    let key = info
        .subject_public_key
        .as_bytes()
        .ok_or(KeyError::NotAKey)?;
    let public = Public::read(&info.algorithm, key, bytes)?;
    Ok((Digest::of(bytes), public))
}

/// Returns the common name of what an identifier stands for, or the identifier.
pub(super) fn name_of(oid: ObjectIdentifier) -> String {
    let oid = oid.to_string();
    let known = KNOWN.iter().find(|(number, _)| *number == oid);
    known.map_or(oid, |(_, name)| (*name).to_owned())
}

/// Returns what is wrong with an `RSAPublicKey` (RFC 8017, A.1.1): its size, or else that it is not
/// a SubjectPublicKeyInfo.
pub(super) fn rsa(bytes: &[u8]) -> KeyError {
    match elements(bytes).first() {
        Some(modulus) if modulus.tag() == Tag::Integer => {
            let leading: usize = modulus.value().iter().take_while(|b| **b == 0).count();
            let significant = modulus.value().get(leading..).unwrap_or_default();
            let unused = significant
                .first()
                .map_or(0, |b| b.leading_zeros() as usize);
            let bits = significant.len() * 8 - unused;
            if RSA_SIZES.contains(&bits) {
                KeyError::Pkcs1
            } else {
                KeyError::Rsa { bits }
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
