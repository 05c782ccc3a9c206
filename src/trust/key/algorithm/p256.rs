//! ECDSA on P-256 over SHA-256 (FIPS 186-5, 6.4).

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use p256::AffinePoint;
use p256::ecdsa::VerifyingKey;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::pkcs8::{Document, EncodePublicKey};

use super::{Hash, KeyError, Scheme};
use crate::digest::{Algorithm, Digests};
use crate::trust::multiples::{Multiples, Width};
use crate::trust::signature::Signature;

/// Break-even: computing the multiples in narrow digits, which make every later signature cheaper,
/// takes as long as verifying this many signatures.
const FEW: usize = 24;
/// Break-even of wide digits: computing their multiples, of the key and of the generator, takes as
/// long as they save in this many signatures.
const MANY: usize = 1500;

/// A public key.
#[derive(Debug)]
pub(in crate::trust) struct P256 {
    verifying: VerifyingKey,
    /// Number of signatures verified so far.
    used: AtomicUsize,
    /// Multiples in narrow digits, computed after [`FEW`] signatures.
    narrow: OnceLock<Multiples>,
    /// Multiples in wide digits, computed after [`MANY`] signatures.
    wide: OnceLock<Multiples>,
}

impl P256 {
    /// Reads a point (SEC 1, 2.3.4).
    pub(super) fn read(point: &[u8]) -> Result<P256, KeyError> {
        let verifying = VerifyingKey::from_sec1_bytes(point);
        Ok(P256 {
            verifying: verifying.map_err(|_| KeyError::NotOnCurve("P-256"))?,
            used: AtomicUsize::new(0),
            narrow: OnceLock::new(),
            wide: OnceLock::new(),
        })
    }

    /// Returns the point.
    pub(in crate::trust) fn point(&self) -> &AffinePoint {
        self.verifying.as_affine()
    }

    /// Returns the multiples that are worth having by now; `None` for the first signatures.
    fn multiples(&self) -> Option<&Multiples> {
        let used = self.used.fetch_add(1, Ordering::Relaxed);
        if used < FEW {
            return None;
        }
        let of = |width| Multiples::of(self.point(), width);
        if used == MANY {
            // Other threads go on with narrow digits until these are here.
            Multiples::of_generator(Width::Wide);
            return Some(self.wide.get_or_init(|| of(Width::Wide)));
        }
        let narrow = || self.narrow.get_or_init(|| of(Width::Narrow));
        Some(self.wide.get().unwrap_or_else(narrow))
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
        match self.multiples() {
            Some(multiples) => multiples.verify(digest, signature),
            None => self.verifying.verify_prehash(digest, signature).is_ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Wanted;
    use crate::testing::signing_key;
    use p256::ecdsa::SigningKey;
    use p256::ecdsa::signature::hazmat::PrehashSigner;

    fn signature(key: &SigningKey, digests: &Digests) -> Signature {
        let made: p256::ecdsa::Signature = key.sign_prehash(digests.sha256().as_bytes()).unwrap();
        Signature::from_der(made.to_der().as_bytes()).unwrap()
    }

    #[test]
    fn verdicts_are_the_same_before_and_after_each_table_is_there() {
        let (owner, other) = (signing_key(1), signing_key(2));
        let key = P256::read(&owner.verifying_key().to_sec1_bytes()).unwrap();
        let digests = Digests::of(b"signed", Wanted::default());
        let made = [&owner, &other].map(|by| signature(by, &digests));
        for used in [0, FEW - 2, FEW, MANY - 2, MANY, MANY + 2] {
            key.used.store(used, Ordering::Relaxed);
            for _ in 0..2 {
                let verdicts = made
                    .each_ref()
                    .map(|made| key.verifies(Algorithm::Sha256, &digests, made));
                assert_eq!(verdicts, [true, false], "{used}");
            }
            assert_eq!(key.narrow.get().is_some(), used >= FEW - 2, "{used}");
            assert_eq!(key.wide.get().is_some(), used >= MANY - 2, "{used}");
        }
    }
}
