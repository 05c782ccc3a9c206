//! Signs reports: ECDSA P-256 over SHA-256 (FIPS 186-5), with deterministic nonces (RFC 6979), so
//! that no weak source of randomness can give the key away. In a build with a validated module that
//! signs, with nonces of its own random numbers.
//!
//! This is the only place that holds a private key. Nothing here takes part in a verdict.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use p256::SecretKey;
use p256::pkcs8::{DecodePrivateKey, EncodePublicKey};
use thiserror::Error;

use crate::digest::stream::Stream;
use crate::digest::{Digest, Digests};
use crate::trust::signature::MAX_BYTES;

/// Maximum size of the file of a private key in bytes. A P-256 key has about 250.
pub const MAX_FILE_BYTES: usize = 16 * 1024;

/// A private key that signs reports. Its secret is overwritten when it is dropped.
pub struct Signer {
    key: implementation::Pair,
    fingerprint: Digest,
}

/// Why a file holds no key to sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SignerError {
    /// The file is longer than any key.
    #[error("longer than {MAX_FILE_BYTES} bytes, so not a private key")]
    TooLong,
    /// It is protected by a passphrase, which cannot be typed in a pipeline.
    #[error(
        "an encrypted private key; decrypt it where only this run can read it: openssl pkey -in FILE -out KEY.pem"
    )]
    Encrypted,
    /// A private key in the older form of SEC 1.
    #[error(
        "a private key in the form of SEC 1; convert it to PKCS #8: openssl pkcs8 -topk8 -nocrypt -in FILE -out KEY.pem"
    )]
    Sec1,
    /// A public key.
    #[error("a public key; reports are signed with the private key that belongs to it")]
    Public,
    /// It is PKCS #8, for another algorithm or another curve, or it is damaged.
    #[error(
        "a private key, but not one for ECDSA P-256; make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out KEY.pem"
    )]
    NotP256,
    /// Anything else.
    #[error("not a private key in PEM (PKCS #8, \"BEGIN PRIVATE KEY\")")]
    NotAKey,
}

impl Signer {
    /// Reads an ECDSA P-256 private key, as PEM with PKCS #8 inside (RFC 5958).
    ///
    /// # Errors
    /// What the content is instead.
    pub fn from_pem(content: &[u8]) -> Result<Signer, SignerError> {
        if content.len() > MAX_FILE_BYTES {
            return Err(SignerError::TooLong);
        }
        let text = std::str::from_utf8(content).map_err(|_| SignerError::NotAKey)?;
        let secret = SecretKey::from_pkcs8_pem(text).map_err(|_| instead(text))?;
        let public = secret.public_key().to_public_key_der();
        let public = public.map_err(|_| SignerError::NotP256)?;
        Ok(Signer {
            key: implementation::pair(secret).ok_or(SignerError::NotP256)?,
            fingerprint: Digest::of(public.as_bytes()),
        })
    }

    /// Returns the fingerprint of the public key: the SHA-256 of its DER, as everywhere here.
    pub fn fingerprint(&self) -> &Digest {
        &self.fingerprint
    }

    /// Signs what has this digest, and returns the signature as DER.
    ///
    /// # Errors
    /// If no signature can be made, or if the one that was made does not verify: a fault in the
    /// computation would otherwise be published, and could reveal the key.
    pub(super) fn sign(&self, digests: &Digests) -> io::Result<Vec<u8>> {
        let der = implementation::sign(&self.key, digests);
        let der = der.ok_or_else(|| io::Error::other("the report cannot be signed"))?;
        self.check(digests, &der)?;
        Ok(der)
    }

    /// Checks that a signature in DER is this key's over what has this digest.
    ///
    /// # Errors
    /// If it is not.
    pub(super) fn check(&self, digests: &Digests, der: &[u8]) -> io::Result<()> {
        if implementation::verifies(&self.key, digests, der) {
            Ok(())
        } else {
            Err(io::Error::other("the report's signature does not verify"))
        }
    }
}

/// A pair of keys of our own.
#[cfg(not(feature = "fips"))]
mod implementation {
    use p256::SecretKey;
    use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
    use p256::ecdsa::{Signature, SigningKey};

    use crate::digest::Digests;

    pub(super) type Pair = SigningKey;

    pub(super) fn pair(secret: SecretKey) -> Option<Pair> {
        Some(secret.into())
    }

    pub(super) fn sign(pair: &Pair, digests: &Digests) -> Option<Vec<u8>> {
        let signature = pair.sign_prehash(digests.sha256().as_bytes());
        let signature: Signature = signature.ok()?;
        Some(signature.to_der().as_bytes().to_vec())
    }

    pub(super) fn verifies(pair: &Pair, digests: &Digests, der: &[u8]) -> bool {
        let digest = digests.sha256().as_bytes();
        let verified = Signature::from_der(der)
            .and_then(|signature| pair.verifying_key().verify_prehash(digest, &signature));
        verified.is_ok()
    }
}

/// A pair of keys in the module.
#[cfg(feature = "fips")]
mod implementation {
    use p256::SecretKey;
    use p256::ecdsa::Signature;
    use p256::pkcs8::EncodePrivateKey;

    use crate::digest::{Algorithm, Digests};
    use crate::module::key::{Key, Padding};

    pub(super) type Pair = Key;

    pub(super) fn pair(secret: SecretKey) -> Option<Pair> {
        // Overwritten when it is dropped, like the key itself.
        Key::private_on_curve(secret.to_pkcs8_der().ok()?.as_bytes())
    }

    pub(super) fn sign(pair: &Pair, digests: &Digests) -> Option<Vec<u8>> {
        pair.signs(digests.message(Algorithm::Sha256)?)
    }

    pub(super) fn verifies(pair: &Pair, digests: &Digests, der: &[u8]) -> bool {
        // Fail closed: only strict DER is a signature.
        let message = digests.message(Algorithm::Sha256);
        let message = message.filter(|_| Signature::from_der(der).is_ok());
        message.is_some_and(|message| pair.verifies(message, Padding::None, der))
    }
}

impl Signer {
    /// Reports whether the key made the signature in one file over the other.
    pub fn signed(&self, data: &Path, signature: &Path) -> bool {
        let mut content = Stream::default();
        let mut der = Vec::new();
        let read = File::open(data).and_then(|mut file| io::copy(&mut file, &mut content));
        let signature = File::open(signature).map(|file| file.take(MAX_BYTES as u64 + 1));
        let read_too = signature.and_then(|mut file| file.read_to_end(&mut der));
        read.is_ok() && read_too.is_ok() && self.check(&content.digests(), &der).is_ok()
    }
}

/// Shows the fingerprint only: no message and no log may have the secret.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.fingerprint)
    }
}

/// Says what a text is that holds no key to sign with.
fn instead(text: &str) -> SignerError {
    let has = |label: &str| text.contains(&format!("-----BEGIN {label}-----"));
    let is_encrypted = || text.contains("Proc-Type: 4,ENCRYPTED");
    match () {
        () if has("ENCRYPTED PRIVATE KEY") || is_encrypted() => SignerError::Encrypted,
        () if has("EC PRIVATE KEY") => SignerError::Sec1,
        () if has("PRIVATE KEY") || has("RSA PRIVATE KEY") => SignerError::NotP256,
        () if has("PUBLIC KEY") => SignerError::Public,
        () => SignerError::NotAKey,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{digests, signing_key};
    use p256::pkcs8::{EncodePrivateKey, LineEnding};

    fn pem(number: u8) -> String {
        let pem = signing_key(number).to_pkcs8_pem(LineEnding::LF).unwrap();
        pem.to_string()
    }

    #[test]
    fn a_signature_verifies_over_its_hash_only_and_our_own_is_the_same_each_time() {
        let signer = Signer::from_pem(pem(1).as_bytes()).unwrap();
        let (hash, other) = (digests(b"1"), digests(b"2"));
        let der = signer.sign(&hash).unwrap();
        assert_eq!(signer.sign(&hash).unwrap() == der, !cfg!(feature = "fips"));
        assert!(signer.check(&hash, &der).is_ok());
        assert!(signer.check(&other, &der).is_err());
        let another = Signer::from_pem(pem(2).as_bytes()).unwrap();
        assert!(another.check(&hash, &der).is_err());
    }

    /// RFC 6979, A.2.5: P-256 with SHA-256, the message `sample`.
    #[cfg(not(feature = "fips"))]
    #[test]
    fn nonces_are_those_of_rfc_6979() {
        use crate::text::hex::from_hex;
        use p256::ecdsa::{Signature, SigningKey};
        let secret = b"c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
        let key = SigningKey::from_slice(&from_hex(secret).unwrap()).unwrap();
        let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
        let signer = Signer::from_pem(pem.as_bytes()).unwrap();
        let made = signer.sign(&digests(b"sample")).unwrap();
        let made = Signature::from_der(&made).unwrap();
        let r = b"efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";
        let s = b"f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
        let expected = [from_hex(r).unwrap(), from_hex(s).unwrap()].concat();
        assert_eq!(made.to_bytes().to_vec(), expected);
    }

    #[test]
    fn a_signer_shows_its_fingerprint_and_never_its_secret() {
        let signer = Signer::from_pem(pem(1).as_bytes()).unwrap();
        let shown = format!("{signer:?}");
        assert_eq!(shown, format!("Signer({})", signer.fingerprint()));
    }

    #[test]
    fn what_is_no_key_to_sign_with_is_named() {
        let block = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        for (text, error) in [
            (String::new(), SignerError::NotAKey),
            ("\u{e9}".to_owned(), SignerError::NotAKey),
            (block("CERTIFICATE"), SignerError::NotAKey),
            (block("PUBLIC KEY"), SignerError::Public),
            (block("EC PRIVATE KEY"), SignerError::Sec1),
            (block("ENCRYPTED PRIVATE KEY"), SignerError::Encrypted),
            (block("PRIVATE KEY"), SignerError::NotP256),
            (block("RSA PRIVATE KEY"), SignerError::NotP256),
            ("x".repeat(MAX_FILE_BYTES + 1), SignerError::TooLong),
        ] {
            let made = Signer::from_pem(text.as_bytes());
            assert_eq!(made.map(|_| ()), Err(error), "{text:.40}");
        }
        assert!(matches!(
            Signer::from_pem(b"\xff"),
            Err(SignerError::NotAKey)
        ));
    }
}
