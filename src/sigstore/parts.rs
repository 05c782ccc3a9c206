//! What all forms have in common: a signature, its certificate and its log entries, brought
//! together.

use super::SigstoreError;
use super::log::{self, Over};
use crate::trust::claimed::ClaimedDigest;

/// A signature as a document has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    /// The signature's bytes.
    pub(crate) signature: Vec<u8>,
    /// The SHA-256 of the certificate's DER, if there is one.
    pub(crate) certificate: Option<ClaimedDigest>,
    /// The entries of the transparency log.
    pub(crate) entries: Vec<Vec<u8>>,
}

impl Parts {
    /// Checks that the log entries are about this signature over these bytes. Returns the SHA-256
    /// of the DER of the public key that they name, if they name one.
    ///
    /// # Errors
    /// Reports the first entry that is about something else.
    pub(crate) fn logged_key(&self, over: &Over) -> Result<Option<ClaimedDigest>, SigstoreError> {
        let mut key = None;
        for body in &self.entries {
            let logged = log::check(body, over, &self.signature, self.certificate)?;
            // Fail closed: two entries may not name two keys.
            if key.is_some_and(|key| Some(key) != logged.or(Some(key))) {
                return Err(SigstoreError::LogDiffers("key"));
            }
            key = key.or(logged);
        }
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::super::made;
    use super::*;
    use crate::digest::Digest;
    use crate::testing::signing_key;

    #[test]
    fn two_log_entries_that_name_two_keys_make_the_signature_useless() {
        const PAYLOAD: &[u8] = b"payload";
        let signature = made::signature(&signing_key(1), PAYLOAD);
        let entry = |key: &'static [u8]| {
            let signer = made::Logged::Key(key);
            made::log_entries(PAYLOAD, b"", &signature, &signer)[0]
                .clone()
                .into_bytes()
        };
        let over = Over {
            bytes: Digest::of(PAYLOAD).into(),
            statement: None,
        };
        let logged_key = |entries: &[&'static [u8]]| {
            let parts = Parts {
                signature: signature.clone(),
                certificate: None,
                entries: entries.iter().map(|key| entry(key)).collect(),
            };
            parts.logged_key(&over)
        };
        let key = Digest::of(b"a").into();
        assert_eq!(logged_key(&[b"a", b"a"]), Ok(Some(key)));
        assert_eq!(
            logged_key(&[b"a", b"b"]),
            Err(SigstoreError::LogDiffers("key"))
        );
    }
}
