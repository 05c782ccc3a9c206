//! ECDSA on P-256 over SHA-256 (FIPS 186-5, 6.4).

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use p256::AffinePoint;
use p256::ecdsa::VerifyingKey;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::pkcs8::{Document, EncodePublicKey};

use super::{Hash, KeyError, Scheme};
use crate::digest::{Algorithm, Digests};
use crate::trust::multiples::Multiples;
use crate::trust::signature::Signature;

/// Break-even: computing the multiples, which make every later signature cheaper, takes as long as
/// verifying this many signatures.
const FEW: usize = 24;

/// A public key.
#[derive(Debug)]
pub(in crate::trust) struct P256 {
    verifying: VerifyingKey,
    /// Number of signatures verified so far.
    used: AtomicUsize,
    /// Computed after [`FEW`] signatures.
    multiples: OnceLock<Multiples>,
}

impl P256 {
    /// Reads a point (SEC 1, 2.3.4).
    pub(super) fn read(point: &[u8]) -> Result<P256, KeyError> {
        let verifying = VerifyingKey::from_sec1_bytes(point);
        Ok(P256 {
            verifying: verifying.map_err(|_| KeyError::NotOnCurve("P-256"))?,
            used: AtomicUsize::new(0),
            multiples: OnceLock::new(),
        })
    }

    /// Returns the point.
    pub(in crate::trust) fn point(&self) -> &AffinePoint {
        self.verifying.as_affine()
    }

    /// Returns the DER of its SubjectPublicKeyInfo with the point uncompressed, as nearly every
    /// program writes it.
    pub(in crate::trust) fn usual_der(&self) -> Option<Document> {
        self.verifying.to_public_key_der().ok()
    }
}

impl Scheme for P256 {
    fn name(&self) -> String {
        "ecdsa-p256".to_owned()
    }

    fn hash(&self) -> Hash {
        Hash::Own(Algorithm::Sha256)
    }

    fn can_make(&self, signature: &Signature) -> bool {
        signature.p256().is_some()
    }

    fn verifies(&self, _: Algorithm, digests: &Digests, signature: &Signature) -> bool {
        let Some(signature) = signature.p256() else {
            return false;
        };
        let digest = digests.sha256().as_bytes();
        if self.used.fetch_add(1, Ordering::Relaxed) < FEW {
            return self.verifying.verify_prehash(digest, signature).is_ok();
        }
        let multiples = || Multiples::of(self.point());
        self.multiples
            .get_or_init(multiples)
            .verify(digest, signature)
    }
}
