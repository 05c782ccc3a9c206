//! Who signed what: keys, signatures and the verdicts on artifacts.
//!
//! Everything here is pure: bytes in, values out. No files, threads, clock or printing. The only
//! outside types are those of [`crate::digest`], which cannot be made without hashing.

pub(crate) mod claimed;
pub mod earlier;
mod envelope;
pub mod format;
pub mod image;
pub(crate) mod image_notes;
pub mod key;
pub mod listed;
pub(crate) mod multiples;
pub mod record;
pub mod signature;
pub mod sniffed;
pub mod summary;
pub mod terms;
pub mod unchecked;
pub mod verdict;

use std::sync::Arc;

use crate::digest::Digests;
use key::Key;
use signature::Signature;
use verdict::{Invalid, Verdict};

/// Decides one signature: valid if any of the trusted `keys` verifies it over the content with
/// these `digests`.
///
/// Tries the keys in order; the verdict names the first that verifies.
pub fn judge(keys: &[Arc<Key>], digests: &Digests, signature: &Signature) -> Verdict {
    // Fail closed: this is the only place that returns `Valid`, and only a key that verifies
    // reaches it.
    keys.iter()
        .find(|key| key.verifies(digests, signature))
        .map_or(Verdict::Invalid(Invalid::NoKeyVerifies), |key| {
            Verdict::Valid {
                key: Arc::clone(key),
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::testing::{digests, signing_key as signing};
    use p256::ecdsa::signature::hazmat::PrehashSigner;
    use p256::ecdsa::{self, SigningKey};
    use p256::pkcs8::EncodePublicKey;
    use proptest::prelude::*;

    fn public(key: &SigningKey) -> Arc<Key> {
        let der = key.verifying_key().to_public_key_der().unwrap();
        Arc::new(Key::parse("k", der.as_bytes()).unwrap())
    }

    fn signed(key: &SigningKey, message: &[u8]) -> ecdsa::Signature {
        let digest = Digest::of(message);
        key.sign_prehash(digest.as_bytes()).unwrap()
    }

    /// Returns the verdict of a fresh key and, if they agree, of one that has verified many
    /// signatures.
    fn passes(key: &SigningKey, message: &[u8], signature: &ecdsa::Signature) -> bool {
        let signature = Signature::parse(signature.to_der().as_bytes()).unwrap();
        let (digests, key) = (digests(message), public(key));
        let verdict = || judge(&[Arc::clone(&key)], &digests, &signature).passes();
        let first = verdict();
        assert!((0..50).all(|_| verdict() == first));
        first
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_signature_is_valid_over_its_message_under_its_key_and_nowhere_else(
            number in 1_u8..100, message in any::<Vec<u8>>(), bit in 0_usize..512
        ) {
            let key = signing(number);
            let made = signed(&key, &message);
            prop_assert!(passes(&key, &message, &made));
            let (r, s) = made.split_scalars();
            // (r, -s) is a valid signature too, as everywhere in ECDSA.
            let other_s = ecdsa::Signature::from_scalars(*r, -*s).unwrap();
            prop_assert!(passes(&key, &message, &other_s));
            prop_assert!(!passes(&signing(number + 100), &message, &made));
            prop_assert!(!passes(&key, &[&message[..], &[0]].concat(), &made));
            let mut bytes = made.to_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(harmed) = ecdsa::Signature::from_slice(&bytes) {
                prop_assert!(!passes(&key, &message, &harmed), "{}", bit);
            }
        }
    }

    #[test]
    fn the_first_of_the_keys_that_verifies_is_named_and_without_one_nothing_is_valid() {
        let signature = signed(&signing(2), b"x");
        let signature = Signature::parse(signature.to_der().as_bytes()).unwrap();
        let keys = [1, 2, 2].map(|number| public(&signing(number)));
        let verdict = |keys: &[Arc<Key>]| judge(keys, &digests(b"x"), &signature);
        match verdict(&keys) {
            Verdict::Valid { key } => assert!(Arc::ptr_eq(&key, &keys[1])),
            other => panic!("{other:?}"),
        }
        let invalid = Verdict::Invalid(Invalid::NoKeyVerifies);
        assert_eq!(verdict(&keys[..1]), invalid);
        assert_eq!(verdict(&[]), invalid);
    }
}
