//! ECDSA on P-521 (FIPS 186-5, 6.4), over any of the hashes.

use p521::ecdsa::signature::hazmat::PrehashVerifier;
use p521::ecdsa::{self, VerifyingKey};

use super::{Hash, KeyError, Scheme, as_number};
use crate::digest::{Algorithm, Digests};
use crate::trust::signature::Signature;

/// Length of a coordinate in bytes.
const BYTES: usize = 66;

/// A public key.
#[derive(Debug)]
pub(in crate::trust) struct P521(VerifyingKey);

impl P521 {
    /// Reads a point (SEC 1, 2.3.4).
    pub(super) fn read(point: &[u8]) -> Result<P521, KeyError> {
        let verifying = VerifyingKey::from_sec1_bytes(point);
        verifying
            .map(P521)
            .map_err(|_| KeyError::NotOnCurve("P-521"))
    }
}

/// Reads strict DER, with r and s in range.
fn signature(bytes: &[u8]) -> Option<ecdsa::Signature> {
    ecdsa::Signature::from_der(bytes).ok()
}

impl Scheme for P521 {
    fn name(&self) -> String {
        "ecdsa-p521".to_owned()
    }

    fn hash(&self) -> Hash {
        Hash::Open(Algorithm::Sha256)
    }

    fn can_make(&self, given: &Signature) -> bool {
        signature(given.bytes()).is_some()
    }

    fn verifies(&self, hash: Algorithm, digests: &Digests, given: &Signature) -> bool {
        let (Some(digest), Some(signature)) = (digests.get(hash), signature(given.bytes())) else {
            return false;
        };
        let digest = as_number::<BYTES>(digest);
        self.0.verify_prehash(&digest, &signature).is_ok()
    }
}
