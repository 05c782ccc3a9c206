//! ECDSA on P-384 (FIPS 186-5, 6.4), over any of the hashes.

use p384::ecdsa::signature::hazmat::PrehashVerifier;
use p384::ecdsa::{self, VerifyingKey};

use super::{Hash, KeyError, Scheme, as_number};
use crate::digest::{Algorithm, Digests};
use crate::trust::signature::Signature;

/// Length of a coordinate in bytes.
const BYTES: usize = 48;

/// A public key.
#[derive(Debug)]
pub(in crate::trust) struct P384(VerifyingKey);

impl P384 {
    /// Reads a point (SEC 1, 2.3.4).
    pub(super) fn read(point: &[u8]) -> Result<P384, KeyError> {
        let verifying = VerifyingKey::from_sec1_bytes(point);
        verifying
            .map(P384)
            .map_err(|_| KeyError::NotOnCurve("P-384"))
    }
}

/// Reads strict DER, with r and s in range.
fn signature(bytes: &[u8]) -> Option<ecdsa::Signature> {
    ecdsa::Signature::from_der(bytes).ok()
}

impl Scheme for P384 {
    fn name(&self) -> String {
        "ecdsa-p384".to_owned()
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
