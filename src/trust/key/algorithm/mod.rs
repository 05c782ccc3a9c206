//! The algorithms of keys, one idea a file; [`Public::read`] is the table of them.

mod ecdsa;
#[cfg(not(feature = "fips"))]
mod ed25519;
mod held;
mod p256;
mod rsa;

use std::fmt::Debug;

use ::p256::pkcs8::{AlgorithmIdentifierRef, ObjectIdentifier};

use self::ecdsa::{P384, P521};
#[cfg(not(feature = "fips"))]
use self::ed25519::Ed25519;
use self::held::{Held, held};
pub(in crate::trust) use self::p256::P256;
use self::rsa::Rsa;
pub(super) use self::rsa::SIZES as RSA_SIZES;
use super::{KeyError, der};
use crate::digest::{Algorithm, Digest, Digests, Wanted};
#[cfg(feature = "fips")]
use crate::module::key::Padding;
use crate::trust::signature::Signature;

/// `id-ecPublicKey` (RFC 5480, 2.1.1).
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// `secp256r1`, which NIST calls P-256 (RFC 5480, 2.1.1.1).
const SECP256R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
/// `secp384r1`, which NIST calls P-384 (RFC 5480, 2.1.1.1).
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
/// `secp521r1`, which NIST calls P-521 (RFC 5480, 2.1.1.1).
const SECP521R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
/// `rsaEncryption` (RFC 8017, appendix C).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// `id-RSASSA-PSS` (RFC 4055, 1.2; RFC 8017, appendix C).
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
/// `id-Ed25519` (RFC 8410, 3).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// The hash of the signatures that a key makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    /// The key leaves it open; this one, unless the user names another.
    Open(Algorithm),
    /// The key settles it.
    Own(Algorithm),
    /// It is part of the algorithm, and no other can be named.
    #[cfg_attr(feature = "fips", allow(dead_code))]
    Inside,
}

/// What an algorithm does with one of its keys.
pub(super) trait Scheme: Debug + Send + Sync {
    /// Returns the term of the algorithm in reports, with the size of the key if there are several.
    fn name(&self) -> String;

    /// Returns the hash of the signatures.
    fn hash(&self) -> Hash;

    /// Reports whether the key can have made a signature of these bytes, over any content.
    fn can_make(&self, signature: &Signature) -> bool;

    /// Returns what must be computed of a content beside its SHA-256 before a signature over its
    /// `hash` can be verified.
    fn wants(&self, hash: Algorithm, signature: &Signature) -> Wanted {
        let _ = signature;
        hash.into()
    }

    /// Reports whether the key made the signature, over the `hash` of the content with these
    /// digests. Fail closed: what was not computed verifies nothing.
    fn verifies(&self, hash: Algorithm, digests: &Digests, signature: &Signature) -> bool;

    /// Reports whether the key made the signature over a content with this SHA-256, for hints.
    #[cfg(not(feature = "fips"))]
    fn made(&self, digest: &Digest, signature: &Signature) -> bool {
        self.verifies(Algorithm::Sha256, &(*digest).into(), signature)
    }

    /// Reports whether the key made the signature over a content with this SHA-256, for hints. By
    /// itself it says that of none: see `held`.
    #[cfg(feature = "fips")]
    fn made(&self, _: &Digest, _: &Signature) -> bool {
        false
    }

    /// Returns the paddings that the key's signatures may have, of those that the module verifies;
    /// none if it verifies no signature of the key.
    #[cfg(feature = "fips")]
    fn paddings(&self) -> &'static [Padding] {
        &[Padding::None]
    }
}

/// The public key of any algorithm.
#[derive(Debug)]
pub(super) enum Public {
    P256(Held<P256>),
    P384(Held<P384>),
    P521(Held<P521>),
    Rsa(Held<Rsa>),
    #[cfg(not(feature = "fips"))]
    Ed25519(Ed25519),
}

impl Public {
    /// Reads the `key` of a SubjectPublicKeyInfo, which is `info`.
    pub(super) fn read(
        algorithm: &AlgorithmIdentifierRef<'_>,
        key: &[u8],
        info: &[u8],
    ) -> Result<Public, KeyError> {
        match algorithm.oid {
            EC => match algorithm.parameters_oid() {
                Ok(SECP256R1) => held(P256::read(point(key)?)?, info, key).map(Public::P256),
                Ok(SECP384R1) => held(P384::read(point(key)?)?, info, key).map(Public::P384),
                Ok(SECP521R1) => held(P521::read(point(key)?)?, info, key).map(Public::P521),
                Ok(curve) => Err(KeyError::OtherCurve(der::name_of(curve))),
                Err(_) => Err(KeyError::ExplicitCurve),
            },
            RSA => held(Rsa::read(algorithm.parameters, key)?, info, key).map(Public::Rsa),
            RSA_PSS => held(Rsa::read_pss(algorithm.parameters, key)?, info, key).map(Public::Rsa),
            #[cfg(not(feature = "fips"))]
            ED25519 => Ed25519::read(algorithm.parameters, key).map(Public::Ed25519),
            // Fail closed: the module hashes the message of Ed25519 only in one piece, in memory,
            // and has no Ed25519ph; an artifact has any size.
            #[cfg(feature = "fips")]
            ED25519 => Err(KeyError::NotInModule("ed25519".to_owned())),
            other => Err(KeyError::OtherAlgorithm(der::name_of(other))),
        }
    }

    /// Returns what its algorithm does with it.
    pub(super) fn scheme(&self) -> &dyn Scheme {
        match self {
            Public::P256(key) => key,
            Public::P384(key) => key,
            Public::P521(key) => key,
            Public::Rsa(key) => key,
            #[cfg(not(feature = "fips"))]
            Public::Ed25519(key) => key,
        }
    }
}

/// Returns the point of a key on any curve.
fn point(key: &[u8]) -> Result<&[u8], KeyError> {
    // Fail closed: the readers also accept a point without its y (0x05), which OpenSSL does not,
    // and guess which of two points it is.
    if matches!(key, [0x02..=0x04, ..]) {
        Ok(key)
    } else {
        Err(KeyError::OtherForm)
    }
}

#[cfg(test)]
mod tests;
