//! Ed25519 and Ed25519ph (RFC 8032), strictly: neither the key nor R is of small order, s is in
//! range, and every encoding is the only one.
//!
//! Ed25519 hashes R and the key in front of the message. So that a file of any size is read once
//! and never held in memory, `digest/` hashes it behind these 64 bytes, and its digest is what is
//! verified here. The two schemes hash different prefixes, so no signature of one is one of the
//! other.

use ed25519_dalek::hazmat::raw_verify;
use ed25519_dalek::{Signature as Raw, VerifyingKey};
use p256::pkcs8::der::asn1::AnyRef;
use sha2::Digest as _;
use sha2::digest::consts::U64;
use sha2::digest::{FixedOutput, HashMarker, Output, OutputSizeUser, Update};

use super::{Hash, KeyError, Scheme};
use crate::digest::{Algorithm, Algorithms, Digests, Wanted};
use crate::trust::signature::Signature;

/// Length of a signature in bytes (RFC 8032, 5.1.6): R and s.
const SIGNATURE: usize = 64;

/// A public key.
#[derive(Debug)]
pub(in crate::trust) struct Ed25519(VerifyingKey);

impl Ed25519 {
    /// Reads a key (RFC 8410, 4), which has no parameters (RFC 8410, 3).
    pub(super) fn read(parameters: Option<AnyRef<'_>>, key: &[u8]) -> Result<Ed25519, KeyError> {
        if parameters.is_some() {
            return Err(KeyError::Parameters("Ed25519"));
        }
        let not_on_curve = || KeyError::NotOnCurve("Ed25519");
        let key: [u8; 32] = key.try_into().map_err(|_| KeyError::OtherForm)?;
        let read = VerifyingKey::from_bytes(&key).map_err(|_| not_on_curve())?;
        // Fail closed: with a key of small order, one signature is valid for many messages; and a
        // coordinate that is not reduced is another name of a key (RFC 8032, 5.1.3).
        let usual = VerifyingKey::from(read.to_edwards());
        if read.is_weak() || usual.as_bytes() != &key {
            return Err(not_on_curve());
        }
        Ok(Ed25519(read))
    }

    /// Returns what is hashed in front of a message (RFC 8032, 5.1.7, step 2): R and the key.
    fn prefix(&self, signature: &Raw) -> [u8; 64] {
        let mut prefix = [0; 64];
        let (r, key) = prefix.split_at_mut(32);
        r.copy_from_slice(signature.r_bytes());
        key.copy_from_slice(self.0.as_bytes());
        prefix
    }
}

/// Returns R and s, of which neither is known to be in range.
fn raw(signature: &Signature) -> Option<Raw> {
    let bytes: &[u8; SIGNATURE] = signature.bytes().try_into().ok()?;
    Some(Raw::from_bytes(bytes))
}

impl Scheme for Ed25519 {
    fn name(&self) -> String {
        "ed25519".to_owned()
    }

    fn hash(&self) -> Hash {
        Hash::Inside
    }

    fn can_make(&self, signature: &Signature) -> bool {
        raw(signature).is_some()
    }

    fn wants(&self, _: Algorithm, signature: &Signature) -> Wanted {
        let mut wanted = Wanted::from(Algorithms::from(Algorithm::Sha512));
        if let Some(signature) = raw(signature) {
            wanted.add_behind(self.prefix(&signature));
        }
        wanted
    }

    fn verifies(&self, _: Algorithm, digests: &Digests, signature: &Signature) -> bool {
        let Some(signature) = raw(signature) else {
            return false;
        };
        // Fail closed: an R of small order, which only whoever made the key can use, verifies for
        // more than one message.
        let r = VerifyingKey::from_bytes(signature.r_bytes());
        if r.is_ok_and(|r| r.is_weak()) {
            return false;
        }
        let pure = digests.behind(&self.prefix(&signature));
        let prehashed = digests.get(Algorithm::Sha512);
        pure.is_some_and(|digest| raw_verify::<Computed>(&self.0, digest, &signature).is_ok())
            || prehashed.is_some_and(|digest| {
                let digest = Computed::new_with_prefix(digest);
                let verified = self.0.verify_prehashed_strict(digest, None, &signature);
                verified.is_ok()
            })
    }
}

/// A hash that was computed already, in the place of one that is to be: what it makes of any bytes
/// are the last 64 of them.
#[derive(Clone, Debug)]
struct Computed([u8; 64]);

impl Default for Computed {
    fn default() -> Computed {
        Computed([0; 64])
    }
}

impl OutputSizeUser for Computed {
    type OutputSize = U64;
}

impl Update for Computed {
    fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0.rotate_left(1);
            self.0[63] = *byte;
        }
    }
}

impl FixedOutput for Computed {
    fn finalize_into(self, out: &mut Output<Self>) {
        out.copy_from_slice(&self.0);
    }
}

impl HashMarker for Computed {}
