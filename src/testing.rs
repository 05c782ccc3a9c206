//! What unit tests of several rooms have in common.

use p256::ecdsa::SigningKey;

/// A signing key that is the same in every run; `number` tells several apart.
pub fn signing_key(number: u8) -> SigningKey {
    SigningKey::from_slice(&[number; 32]).unwrap()
}
