//! A key as this build holds it: by itself, or with the validated module, which then verifies its
//! signatures.

#[cfg(not(feature = "fips"))]
pub(super) use ours::{Held, held};
#[cfg(feature = "fips")]
pub(super) use validated::{Held, held};

#[cfg(not(feature = "fips"))]
mod ours {
    use super::super::KeyError;

    /// The key by itself, whose own code verifies.
    pub(in crate::trust) type Held<K> = K;

    /// Holds a key.
    pub(in crate::trust) fn held<K>(key: K, _: &[u8], _: &[u8]) -> Result<Held<K>, KeyError> {
        Ok(key)
    }
}

#[cfg(feature = "fips")]
mod validated {
    use std::ops::Deref;

    use super::super::{Hash, KeyError, Scheme};
    use crate::digest::{Algorithm, Digest, Digests, Wanted};
    use crate::module::key::{Key, Padding};
    use crate::trust::signature::Signature;

    /// A key, and what the module reads in the same bytes.
    #[derive(Debug)]
    pub(in crate::trust) struct Held<K> {
        key: K,
        module: Key,
    }

    /// Holds a key with its SubjectPublicKeyInfo and the bit string in it.
    ///
    /// # Errors
    /// [`KeyError::NotInModule`] if the module does not verify its signatures.
    pub(in crate::trust) fn held<K: Scheme>(
        key: K,
        info: &[u8],
        bits: &[u8],
    ) -> Result<Held<K>, KeyError> {
        let refused = || KeyError::NotInModule(key.name());
        let module = match key.paddings() {
            // Fail closed: no service of the module is approved for these keys.
            [] => None,
            [Padding::None] => Key::on_curve(info),
            _ => Key::rsa(bits),
        };
        let module = module.ok_or_else(refused)?;
        Ok(Held { key, module })
    }

    impl<K> Deref for Held<K> {
        type Target = K;

        fn deref(&self) -> &K {
            &self.key
        }
    }

    impl<K: Scheme> Scheme for Held<K> {
        fn name(&self) -> String {
            self.key.name()
        }

        fn hash(&self) -> Hash {
            self.key.hash()
        }

        fn can_make(&self, signature: &Signature) -> bool {
            self.key.can_make(signature)
        }

        fn wants(&self, hash: Algorithm, signature: &Signature) -> Wanted {
            self.key.wants(hash, signature)
        }

        /// Nothing but the module verifies. Fail closed: beside it stands what our own code demands
        /// of a signature's encoding, and where a hash was not computed nothing verifies.
        fn verifies(&self, hash: Algorithm, digests: &Digests, signature: &Signature) -> bool {
            let Some(message) = digests.message(hash).filter(|_| self.can_make(signature)) else {
                return false;
            };
            let bytes = signature.bytes();
            let mut paddings = self.key.paddings().iter();
            paddings.any(|padding| self.module.verifies(message, *padding, bytes))
        }

        fn made(&self, digest: &Digest, signature: &Signature) -> bool {
            let bytes = signature.bytes();
            let mut paddings = self.key.paddings().iter();
            self.can_make(signature)
                && paddings.any(|padding| self.module.made(digest.as_bytes(), *padding, bytes))
        }

        fn paddings(&self) -> &'static [Padding] {
            self.key.paddings()
        }
    }
}
