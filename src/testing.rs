//! What unit tests of several rooms have in common.

use p256::ecdsa::SigningKey;
use p256::pkcs8::EncodePublicKey;

use crate::digest::{Algorithms, Digests};
use crate::trust::key::Key;

/// The digests of a content of which no more than SHA-256 is wanted.
pub fn digests(content: &[u8]) -> Digests {
    Digests::of(content, Algorithms::NONE)
}

/// A signing key that is the same in every run; `number` tells several apart.
pub fn signing_key(number: u8) -> SigningKey {
    SigningKey::from_slice(&[number; 32]).unwrap()
}

/// The public half of [`signing_key`].
pub fn key(number: u8) -> Key {
    let der = signing_key(number).verifying_key().to_public_key_der();
    Key::parse("k", der.unwrap().as_bytes()).unwrap()
}
