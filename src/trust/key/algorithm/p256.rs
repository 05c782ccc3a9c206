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
    /// Number of signatures that were checked against the key.
    checked: AtomicUsize,
    /// Number of those that the key made.
    made: AtomicUsize,
    /// Multiples in narrow digits, computed after [`FEW`] checks.
    narrow: OnceLock<Multiples>,
    /// Multiples in wide digits, computed after [`MANY`] signatures that the key made: of many
    /// keys, only those in use get a table of a megabyte.
    wide: OnceLock<Multiples>,
}

impl P256 {
    /// Reads a point (SEC 1, 2.3.4).
    pub(super) fn read(point: &[u8]) -> Result<P256, KeyError> {
        let verifying = VerifyingKey::from_sec1_bytes(point);
        Ok(P256 {
            verifying: verifying.map_err(|_| KeyError::NotOnCurve("P-256"))?,
            checked: AtomicUsize::new(0),
            made: AtomicUsize::new(0),
            narrow: OnceLock::new(),
            wide: OnceLock::new(),
        })
    }

    /// Returns the point.
    pub(in crate::trust) fn point(&self) -> &AffinePoint {
        self.verifying.as_affine()
    }

    /// Counts one more check, and returns the multiples that are worth having by now; `None`
    /// for the first few.
    fn multiples(&self) -> Option<&Multiples> {
        let is_worth_it = self.checked.fetch_add(1, Ordering::Relaxed) >= FEW;
        let narrow = || Multiples::of(self.point(), Width::Narrow);
        is_worth_it.then(|| {
            let wide = self.wide.get();
            wide.unwrap_or_else(|| self.narrow.get_or_init(narrow))
        })
    }

    /// Counts one more signature that the key made. One thread computes the wide digits' multiples,
    /// and the others go on with narrow ones until these are here.
    fn count_made(&self) {
        if self.made.fetch_add(1, Ordering::Relaxed) == MANY {
            Multiples::of_generator(Width::Wide);
            let wide = || Multiples::of(self.point(), Width::Wide);
            self.wide.get_or_init(wide);
        }
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
        let is_made = match self.multiples() {
            Some(multiples) => multiples.verify(digest, signature),
            None => self.verifying.verify_prehash(digest, signature).is_ok(),
        };
        if is_made {
            self.count_made();
        }
        is_made
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Wanted;
    use crate::testing::signing_key;
    use p256::ecdsa::SigningKey;
    use p256::ecdsa::signature::hazmat::PrehashSigner;
    use std::thread;

    fn signature(key: &SigningKey, digests: &Digests) -> Signature {
        let made: p256::ecdsa::Signature = key.sign_prehash(digests.sha256().as_bytes()).unwrap();
        Signature::from_der(made.to_der().as_bytes()).unwrap()
    }

    /// Returns the key, and whether its owner's and another's signature are verified by it.
    fn fixture() -> (P256, impl Fn(&P256) -> [bool; 2]) {
        let (owner, other) = (signing_key(1), signing_key(2));
        let key = P256::read(&owner.verifying_key().to_sec1_bytes()).unwrap();
        let digests = Digests::of(b"signed", Wanted::default());
        let made = [&owner, &other].map(|by| signature(by, &digests));
        let verdicts = move |key: &P256| {
            let made = made.each_ref();
            made.map(|made| key.verifies(Algorithm::Sha256, &digests, made))
        };
        (key, verdicts)
    }

    #[test]
    fn verdicts_are_the_same_before_and_after_each_table_is_there() {
        let (key, verdicts) = fixture();
        for (checked, made, width) in [
            (0, 0, None),
            (FEW - 2, 0, Some(Width::Narrow)),
            (2 * MANY, MANY - 1, Some(Width::Narrow)),
            (2 * MANY, MANY, Some(Width::Wide)),
        ] {
            key.checked.store(checked, Ordering::Relaxed);
            key.made.store(made, Ordering::Relaxed);
            assert_eq!(verdicts(&key), [true, false], "{checked}, {made}");
            let next = key.multiples().map(Multiples::width);
            assert_eq!(next, width, "{checked}, {made}");
        }
    }

    #[test]
    fn verdicts_are_right_on_all_threads_while_one_computes_the_wide_table() {
        let (key, verdicts) = fixture();
        key.made.store(MANY - 20, Ordering::Relaxed);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..50).for_each(|_| assert_eq!(verdicts(&key), [true, false])));
            }
        });
        assert_eq!(key.multiples().map(Multiples::width), Some(Width::Wide));
    }
}
