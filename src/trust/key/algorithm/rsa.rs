//! RSA (RFC 8017): RSASSA-PKCS1-v1_5 and RSASSA-PSS, over any of the hashes.

use std::ops::RangeInclusive;

use p256::pkcs8::ObjectIdentifier;
use p256::pkcs8::der::asn1::{AnyRef, Null, UintRef};
use p256::pkcs8::der::{Any, Decode, Encode};
use p256::pkcs8::spki::AlgorithmIdentifierOwned;
use rsa::pkcs1::{RsaPssParams, RsaPublicKeyRef};
use rsa::pkcs1v15::RsaSignatureAssociatedOid;
use rsa::traits::{PublicKeyParts, SignatureScheme};
use rsa::{BoxedUint, Pkcs1v15Sign, Pss, PublicKey};
use sha2::{Sha256, Sha384, Sha512};

use super::{Hash, KeyError, Scheme};
use crate::digest::{Algorithm, Digests};
#[cfg(feature = "fips")]
use crate::module::key::Padding;
use crate::trust::signature::Signature;

/// The sizes of a modulus in bits that are accepted. Fail closed: shorter ones can be factored, or
/// soon will be (SP 800-131A), and a longer one is nearly always a mistake.
pub(in crate::trust) const SIZES: RangeInclusive<usize> = 2048..=4096;

/// `id-mgf1` (RFC 8017, appendix C).
const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");

/// The hashes by their identifiers (RFC 8017, appendix B.1).
const HASHES: [(&str, Algorithm); 3] = [
    ("2.16.840.1.101.3.4.2.1", Algorithm::Sha256),
    ("2.16.840.1.101.3.4.2.2", Algorithm::Sha384),
    ("2.16.840.1.101.3.4.2.3", Algorithm::Sha512),
];

/// What a key may sign by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Paddings {
    /// Either scheme; the salt of PSS has any length, as for OpenSSL.
    Both,
    /// Only PSS.
    Pss(Option<PssTerms>),
}

/// What the parameters of a key demand of its signatures (RFC 4055, 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PssTerms {
    hash: Algorithm,
    /// Length of the salt in bytes.
    salt: usize,
}

/// A public key.
#[derive(Debug)]
pub(in crate::trust) struct Rsa {
    key: PublicKey,
    paddings: Paddings,
}

impl Rsa {
    /// Reads the key of an `rsaEncryption`, whose parameters must be NULL (RFC 8017, A.1).
    pub(super) fn read(parameters: Option<AnyRef<'_>>, key: &[u8]) -> Result<Rsa, KeyError> {
        if parameters != Some(Null.into()) {
            return Err(KeyError::Parameters("RSA"));
        }
        Ok(Rsa {
            key: modulus_and_exponent(key)?,
            paddings: Paddings::Both,
        })
    }

    /// Reads the key of an `id-RSASSA-PSS`, which must not be used otherwise (RFC 4055, 1.2).
    pub(super) fn read_pss(parameters: Option<AnyRef<'_>>, key: &[u8]) -> Result<Rsa, KeyError> {
        Ok(Rsa {
            key: modulus_and_exponent(key)?,
            paddings: Paddings::Pss(parameters.map(terms).transpose()?),
        })
    }

    fn bits(&self) -> usize {
        self.key.n().bit_width_vartime() as usize
    }

    fn verifies_with<D>(&self, digest: &[u8], signature: &[u8]) -> bool
    where
        D: sha2::Digest + sha2::digest::FixedOutputReset + RsaSignatureAssociatedOid,
        D: sha2::digest::const_oid::AssociatedOid,
    {
        let made_by = |scheme: &dyn Fn() -> rsa::Result<()>| scheme().is_ok();
        let pss = |salt_len| {
            made_by(&|| {
                let pss = Pss::<D> {
                    blinded: false,
                    digest: D::new(),
                    salt_len,
                };
                pss.verify(&self.key, digest, signature)
            })
        };
        match self.paddings {
            Paddings::Both => {
                let pkcs1 = || Pkcs1v15Sign::new::<D>().verify(&self.key, digest, signature);
                made_by(&pkcs1) || pss(None)
            }
            // Fail closed: a longer salt than the parameters name would be allowed, but OpenSSL
            // demands this one.
            Paddings::Pss(terms) => pss(terms.map(|terms| terms.salt)),
        }
    }
}

/// Reads an `RSAPublicKey` (RFC 8017, A.1.1).
fn modulus_and_exponent(key: &[u8]) -> Result<PublicKey, KeyError> {
    let key = RsaPublicKeyRef::from_der(key).map_err(|_| KeyError::BadRsa)?;
    let number = |number: UintRef<'_>| {
        let bytes = number.as_bytes();
        let bits = u32::try_from(bytes.len() * 8).ok()?;
        BoxedUint::from_be_slice(bytes, bits).ok()
    };
    let modulus = number(key.modulus).ok_or(KeyError::BadRsa)?;
    let bits = modulus.bit_width_vartime() as usize;
    if !SIZES.contains(&bits) {
        return Err(KeyError::Rsa { bits });
    }
    let exponent = number(key.public_exponent).ok_or(KeyError::BadRsa)?;
    // Fail closed: with the exponent 1 everything is its own signature.
    if exponent.bit_width_vartime() < 2 {
        return Err(KeyError::BadRsa);
    }
    PublicKey::new(modulus, exponent).map_err(|_| KeyError::BadRsa)
}

/// Reads the parameters of a key (RFC 4055, 3.1).
fn terms(parameters: AnyRef<'_>) -> Result<PssTerms, KeyError> {
    let bad = |_| KeyError::Parameters("RSA-PSS");
    let der = parameters.to_der().map_err(bad)?;
    let parameters = RsaPssParams::<Any>::from_der(&der).map_err(bad)?;
    let hash = hash_named(&parameters.hash)?;
    let mask = &parameters.mask_gen;
    let of_mask = mask.parameters.as_ref();
    let of_mask = of_mask.ok_or(KeyError::Parameters("RSA-PSS"))?;
    // Fail closed: two hashes in one signature are allowed, and not in use.
    if mask.oid != MGF1 || hash_named(of_mask)? != hash {
        return Err(KeyError::Parameters("RSA-PSS"));
    }
    Ok(PssTerms {
        hash,
        salt: usize::from(parameters.salt_len),
    })
}

fn hash_named(algorithm: &AlgorithmIdentifierOwned) -> Result<Algorithm, KeyError> {
    let oid = algorithm.oid.to_string();
    let known = HASHES.iter().find(|(number, _)| *number == oid);
    let is_plain = algorithm.parameters.as_ref().is_none_or(Any::is_null);
    match known {
        Some((_, hash)) if is_plain => Ok(*hash),
        _ => Err(KeyError::OtherHash(super::der::name_of(algorithm.oid))),
    }
}

impl Scheme for Rsa {
    fn name(&self) -> String {
        match self.paddings {
            Paddings::Both => format!("rsa-{}", self.bits()),
            Paddings::Pss(_) => format!("rsa-pss-{}", self.bits()),
        }
    }

    fn hash(&self) -> Hash {
        match self.paddings {
            Paddings::Pss(Some(terms)) => Hash::Own(terms.hash),
            Paddings::Both | Paddings::Pss(None) => Hash::Open(Algorithm::Sha256),
        }
    }

    fn can_make(&self, signature: &Signature) -> bool {
        signature.bytes().len() == self.key.size()
    }

    fn verifies(&self, hash: Algorithm, digests: &Digests, signature: &Signature) -> bool {
        let Some(digest) = digests.get(hash) else {
            return false;
        };
        let signature = signature.bytes();
        match hash {
            Algorithm::Sha256 => self.verifies_with::<Sha256>(digest, signature),
            Algorithm::Sha384 => self.verifies_with::<Sha384>(digest, signature),
            Algorithm::Sha512 => self.verifies_with::<Sha512>(digest, signature),
        }
    }

    /// Fail closed: for PSS only a salt as long as the digest is an approved service of the module,
    /// and a modulus only if its number of bits is even.
    #[cfg(feature = "fips")]
    fn paddings(&self) -> &'static [Padding] {
        match self.paddings {
            _ if self.bits() % 2 == 1 => &[],
            Paddings::Pss(Some(terms)) if terms.salt != terms.hash.bytes() => &[],
            Paddings::Pss(_) => &[Padding::Pss],
            Paddings::Both => &[Padding::Pkcs1, Padding::Pss],
        }
    }
}
