//! Keys in the module, which verify and sign the messages of [`Hash`]es.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::fmt;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

use aws_lc_fips_sys::{
    CBS, CBS_init, CBS_len, EC_KEY_check_fips, ERR_clear_error, EVP_DigestSignFinal,
    EVP_DigestVerifyFinal, EVP_MD_CTX_set_pkey_ctx, EVP_PKEY, EVP_PKEY_CTX, EVP_PKEY_CTX_free,
    EVP_PKEY_CTX_new, EVP_PKEY_CTX_set_rsa_padding, EVP_PKEY_CTX_set_rsa_pss_saltlen,
    EVP_PKEY_CTX_set_signature_md, EVP_PKEY_assign_RSA, EVP_PKEY_free, EVP_PKEY_get0_EC_KEY,
    EVP_PKEY_new, EVP_PKEY_sign_init, EVP_PKEY_size, EVP_PKEY_verify, EVP_PKEY_verify_init,
    EVP_parse_private_key, EVP_parse_public_key, FIPS_service_indicator_after_call,
    FIPS_service_indicator_before_call, RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING,
    RSA_PSS_SALTLEN_DIGEST, RSA_public_key_from_bytes,
};

use super::hash::{Function, Hash};

/// How a message is padded before a key signs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// Not at all: ECDSA.
    None,
    /// RSASSA-PKCS1-v1_5 (RFC 8017, 8.2).
    Pkcs1,
    /// RSASSA-PSS (RFC 8017, 8.1), its salt as long as the digest: the only length that the module
    /// verifies as an approved service.
    Pss,
}

/// A key: public, or a pair.
pub struct Key(NonNull<EVP_PKEY>);

// SAFETY: a key is never changed once it is made, and the module counts its references atomically
// (include/openssl/evp.h: "may be used concurrently on multiple threads by non-mutating
// functions").
unsafe impl Send for Key {}
// SAFETY: as above.
unsafe impl Sync for Key {}

impl Key {
    /// Reads a SubjectPublicKeyInfo in DER on a curve that FIPS 186-5 knows. The module validates
    /// the point (SP 800-56A, 5.6.2.3.3); `None` if it takes it for none.
    pub fn on_curve(der: &[u8]) -> Option<Key> {
        // SAFETY: the parser reads what the CBS covers, and returns a key of its own or nothing.
        Key::parsed(der, |cbs| unsafe { EVP_parse_public_key(cbs) })?.checked_on_curve()
    }

    /// Reads a private key on a curve as PKCS #8 in DER (RFC 5958), and validates it likewise.
    pub fn private_on_curve(der: &[u8]) -> Option<Key> {
        // SAFETY: as above. The key is overwritten when it is freed.
        Key::parsed(der, |cbs| unsafe { EVP_parse_private_key(cbs) })?.checked_on_curve()
    }

    /// Reads an RSAPublicKey in DER (RFC 8017, A.1.1).
    pub fn rsa(der: &[u8]) -> Option<Key> {
        // SAFETY: takes nothing, returns memory of its own or nothing.
        let key = Key(NonNull::new(unsafe { EVP_PKEY_new() })?);
        // SAFETY: the bytes are live for the call; the result is ours, or null.
        let rsa = unsafe { RSA_public_key_from_bytes(der.as_ptr(), der.len()) };
        // SAFETY: both are live, and from now on the first owns the second.
        if rsa.is_null() || unsafe { EVP_PKEY_assign_RSA(key.0.as_ptr(), rsa) } != 1 {
            return refused();
        }
        Some(key)
    }

    /// Reads DER to its end.
    fn parsed(der: &[u8], parse: impl FnOnce(*mut CBS) -> *mut EVP_PKEY) -> Option<Key> {
        let mut cbs = MaybeUninit::<CBS>::uninit();
        // SAFETY: CBS_init fills the whole structure, which borrows `der` until the end of this
        // function.
        let mut cbs = unsafe {
            CBS_init(cbs.as_mut_ptr(), der.as_ptr(), der.len());
            cbs.assume_init()
        };
        let Some(key) = NonNull::new(parse(&raw mut cbs)).map(Key) else {
            return refused();
        };
        // SAFETY: it was initialized above.
        (unsafe { CBS_len(&raw const cbs) } == 0).then_some(key)
    }

    fn checked_on_curve(self) -> Option<Key> {
        // SAFETY: the key is live. What is returned is its own, or null if it is no EC key.
        let ec = unsafe { EVP_PKEY_get0_EC_KEY(self.0.as_ptr()) };
        // SAFETY: it is not null, and lives as long as the key.
        if ec.is_null() || unsafe { EC_KEY_check_fips(ec) } != 1 {
            return refused();
        }
        Some(self)
    }

    /// Reports whether this key made the signature over the message that was hashed, and the
    /// module verified that as an approved service.
    pub fn verifies(&self, message: &Hash, padding: Padding, signature: &[u8]) -> bool {
        let verified = self.operation(message, padding, EVP_PKEY_verify_init);
        let verified = verified.is_some_and(|mut operation| {
            approved(|| {
                // SAFETY: the operation has a message and an initialized key; the bytes are live.
                unsafe {
                    EVP_DigestVerifyFinal(
                        operation.message.context_mut(),
                        signature.as_ptr(),
                        signature.len(),
                    )
                }
            })
        });
        forget_errors();
        verified
    }

    /// Signs the message that was hashed: on a curve, in DER. `None` if the module does not, or
    /// does not call it an approved service. Its nonces are random.
    pub fn signs(&self, message: &Hash) -> Option<Vec<u8>> {
        let mut operation = self.operation(message, Padding::None, EVP_PKEY_sign_init)?;
        // SAFETY: the key is live.
        let most = usize::try_from(unsafe { EVP_PKEY_size(self.0.as_ptr()) }).ok()?;
        let (mut signature, mut length) = (vec![0; most], most);
        let is_signed = approved(|| {
            // SAFETY: the operation has a message and an initialized key; there is as much room as
            // `length` says, which is what this key's signatures need at most.
            unsafe {
                EVP_DigestSignFinal(
                    operation.message.context_mut(),
                    signature.as_mut_ptr(),
                    &raw mut length,
                )
            }
        });
        forget_errors();
        signature.truncate(length);
        is_signed.then_some(signature)
    }

    /// Reports whether this key made the signature over a message with this SHA-256.
    ///
    /// Of a digest that it did not compute in the same call, the module does not say whether this
    /// is an approved service, so no verdict may rest on it.
    pub fn made(&self, digest: &[u8; 32], padding: Padding, signature: &[u8]) -> bool {
        let settings = self.settings(Function::Sha256, padding, EVP_PKEY_verify_init);
        let made = settings.is_some_and(|settings| {
            // SAFETY: the context is set up to verify; the bytes are live.
            let verified = unsafe {
                EVP_PKEY_verify(
                    settings.0.as_ptr(),
                    signature.as_ptr(),
                    signature.len(),
                    digest.as_ptr(),
                    digest.len(),
                )
            };
            verified == 1
        });
        forget_errors();
        made
    }

    /// Begins an operation of this key.
    fn settings(
        &self,
        function: Function,
        padding: Padding,
        begin: unsafe extern "C" fn(*mut EVP_PKEY_CTX) -> c_int,
    ) -> Option<Settings> {
        // SAFETY: the key is live, and counted once more; there is no engine.
        let key = unsafe { EVP_PKEY_CTX_new(self.0.as_ptr(), ptr::null_mut()) };
        let settings = Settings(NonNull::new(key)?);
        let key = settings.0.as_ptr();
        // SAFETY: the context is live and ours alone, the table static. Fail closed: each of these
        // must succeed.
        let is_set = unsafe {
            begin(key) == 1
                && EVP_PKEY_CTX_set_signature_md(key, function.table()) == 1
                && match padding {
                    Padding::None => true,
                    Padding::Pkcs1 => EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PADDING) == 1,
                    Padding::Pss => {
                        EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING) == 1
                            && EVP_PKEY_CTX_set_rsa_pss_saltlen(key, RSA_PSS_SALTLEN_DIGEST) == 1
                    }
                }
        };
        is_set.then_some(settings)
    }

    /// Joins this key with a message.
    fn operation(
        &self,
        message: &Hash,
        padding: Padding,
        begin: unsafe extern "C" fn(*mut EVP_PKEY_CTX) -> c_int,
    ) -> Option<Operation> {
        let settings = self.settings(message.function(), padding, begin)?;
        let mut message = message.clone();
        // SAFETY: both contexts are live, the message's is ours alone, and the key's outlives it:
        // see `Operation`.
        unsafe { EVP_MD_CTX_set_pkey_ctx(message.context_mut(), settings.0.as_ptr()) };
        Some(Operation {
            message,
            _settings: settings,
        })
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: the reference is ours, and given up once.
        unsafe { EVP_PKEY_free(self.0.as_ptr()) }
    }
}

/// Shows nothing of it: it may be a private one.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// A key and what is to be done with it.
struct Settings(NonNull<EVP_PKEY_CTX>);

impl Drop for Settings {
    fn drop(&mut self) {
        // SAFETY: it came from EVP_PKEY_CTX_new and is freed once.
        unsafe { EVP_PKEY_CTX_free(self.0.as_ptr()) }
    }
}

/// A hashed message, and the key that it meets, whose context the message's refers to and does not
/// free. Fields are dropped in their order: the message goes first.
struct Operation {
    message: Hash,
    _settings: Settings,
}

/// Reports whether a service of the module succeeded and the module calls it approved, which its
/// indicator, one for each thread, says by having grown.
fn approved(service: impl FnOnce() -> c_int) -> bool {
    // SAFETY: takes nothing.
    let before = unsafe { FIPS_service_indicator_before_call() };
    let succeeded = service() == 1;
    // SAFETY: takes nothing.
    let after = unsafe { FIPS_service_indicator_after_call() };
    succeeded && before != after
}

fn refused<T>() -> Option<T> {
    forget_errors();
    None
}

/// Empties this thread's list of errors, which is of no use here.
fn forget_errors() {
    // SAFETY: takes nothing.
    unsafe { ERR_clear_error() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::signing_key;
    use p256::pkcs8::{EncodePrivateKey, EncodePublicKey};

    fn message(bytes: &[u8]) -> Hash {
        let mut hash = Hash::new(Function::Sha256);
        hash.update(bytes);
        hash
    }

    fn public(number: u8) -> Key {
        let der = signing_key(number).verifying_key().to_public_key_der();
        Key::on_curve(der.unwrap().as_bytes()).unwrap()
    }

    #[test]
    fn what_a_pair_signs_its_public_key_verifies_and_nothing_else_is_verified() {
        let pair = signing_key(1).to_pkcs8_der().unwrap();
        let pair = Key::private_on_curve(pair.as_bytes()).unwrap();
        let hash = message(b"message");
        let signature = pair.signs(&hash).unwrap();
        let verifies = |key: &Key, hash: &Hash, signature: &[u8]| {
            let verdict = key.verifies(hash, Padding::None, signature);
            assert_eq!(key.made(&hash.digest(), Padding::None, signature), verdict);
            verdict
        };
        // A message stays as it is, no matter what is verified over it.
        for _ in 0..2 {
            assert!(verifies(&public(1), &hash, &signature));
        }
        assert!(verifies(&pair, &hash, &signature));
        assert!(!verifies(&public(2), &hash, &signature));
        assert!(!verifies(&public(1), &message(b"massage"), &signature));
        assert!(!verifies(
            &public(1),
            &hash,
            &signature[..signature.len() - 1]
        ));
        assert!(!verifies(&public(1), &hash, &[]));
        for at in 0..signature.len() {
            let mut harmed = signature.clone();
            harmed[at] ^= 1;
            assert!(!verifies(&public(1), &hash, &harmed), "{at}");
        }
        // A key of a curve takes no padding.
        assert!(!public(1).verifies(&hash, Padding::Pss, &signature));
    }

    #[test]
    fn a_key_is_read_to_its_end_and_only_if_its_point_is_on_the_curve() {
        let der = signing_key(1).verifying_key().to_public_key_der().unwrap();
        let der = der.as_bytes();
        let mut off = der.to_vec();
        off[90] ^= 1;
        for bytes in [&off[..], &[der, &[0]].concat(), &der[..90], &[]] {
            assert!(Key::on_curve(bytes).is_none());
            assert!(Key::private_on_curve(bytes).is_none());
            assert!(Key::rsa(bytes).is_none());
        }
    }

    #[test]
    fn what_succeeds_without_the_modules_approval_is_not_approved() {
        assert!(!approved(|| 1));
        let hash = message(b"x");
        assert!(approved(|| {
            assert_eq!(hash.digest::<32>()[0], 0x2d);
            1
        }));
        assert!(!approved(|| {
            hash.digest::<32>();
            0
        }));
    }
}
