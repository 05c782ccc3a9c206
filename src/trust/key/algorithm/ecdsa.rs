//! ECDSA on P-384 and P-521 (FIPS 186-5, 6.4), over any of the hashes. P-256, which is verified
//! faster and over SHA-256 alone, has a file of its own.

use std::fmt;

use p384::ecdsa::signature::hazmat::PrehashVerifier;

use super::{Hash, KeyError, Scheme};
use crate::digest::{Algorithm, Digests};
use crate::trust::signature::Signature;

/// A public key on P-384.
pub(in crate::trust) type P384 = Ecdsa<p384::ecdsa::VerifyingKey, p384::ecdsa::Signature>;
/// A public key on P-521.
pub(in crate::trust) type P521 = Ecdsa<p521::ecdsa::VerifyingKey, p521::ecdsa::Signature>;

/// A public key on one curve, whose signatures are of the type `S`.
pub(in crate::trust) struct Ecdsa<K, S: 'static> {
    verifying: K,
    curve: &'static Curve<S>,
}

/// What distinguishes a curve.
struct Curve<S> {
    /// The term of the algorithm.
    name: &'static str,
    /// Length of a coordinate in bytes.
    bytes: usize,
    /// Reads strict DER, with r and s in range.
    from_der: fn(&[u8]) -> Option<S>,
}

static ON_P384: Curve<p384::ecdsa::Signature> = Curve {
    name: "ecdsa-p384",
    bytes: 48,
    from_der: |der| p384::ecdsa::Signature::from_der(der).ok(),
};

static ON_P521: Curve<p521::ecdsa::Signature> = Curve {
    name: "ecdsa-p521",
    bytes: 66,
    from_der: |der| p521::ecdsa::Signature::from_der(der).ok(),
};

impl P384 {
    /// Reads a point (SEC 1, 2.3.4).
    pub(super) fn read(point: &[u8]) -> Result<P384, KeyError> {
        let verifying = p384::ecdsa::VerifyingKey::from_sec1_bytes(point);
        Ok(Ecdsa {
            verifying: verifying.map_err(|_| KeyError::NotOnCurve("P-384"))?,
            curve: &ON_P384,
        })
    }
}

impl P521 {
    /// Reads a point (SEC 1, 2.3.4).
    pub(super) fn read(point: &[u8]) -> Result<P521, KeyError> {
        let verifying = p521::ecdsa::VerifyingKey::from_sec1_bytes(point);
        Ok(Ecdsa {
            verifying: verifying.map_err(|_| KeyError::NotOnCurve("P-521"))?,
            curve: &ON_P521,
        })
    }
}

impl<K, S: 'static> fmt::Debug for Ecdsa<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.curve.name)
    }
}

impl<K, S> Scheme for Ecdsa<K, S>
where
    K: PrehashVerifier<S> + Send + Sync,
    S: 'static,
{
    fn name(&self) -> String {
        self.curve.name.to_owned()
    }

    fn hash(&self) -> Hash {
        Hash::Open(Algorithm::Sha256)
    }

    fn can_make(&self, signature: &Signature) -> bool {
        (self.curve.from_der)(signature.bytes()).is_some()
    }

    fn verifies(&self, hash: Algorithm, digests: &Digests, signature: &Signature) -> bool {
        let signature = (self.curve.from_der)(signature.bytes());
        let (Some(digest), Some(signature)) = (digests.get(hash), signature) else {
            return false;
        };
        let digest = as_number(digest, self.curve.bytes);
        self.verifying.verify_prehash(&digest, &signature).is_ok()
    }
}

/// Returns a digest as long as a curve's field, for a curve that would refuse a shorter one. As in
/// FIPS 186-5, 6.4.2, it is a number, which zeros in front do not change; of a longer digest the
/// first bits count.
fn as_number(digest: &[u8], bytes: usize) -> Vec<u8> {
    let digest = digest.get(..bytes).unwrap_or(digest);
    let mut number = vec![0; bytes - digest.len()];
    number.extend(digest);
    number
}
