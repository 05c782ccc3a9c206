//! Placeholder until the signatures' forms are merged: knows none of them.

use std::sync::Arc;

use crate::digest::Digest;
use crate::trust::claimed::ClaimedDigest;
use crate::trust::key::Key;
use crate::trust::signature::Signature;
use crate::trust::verdict::Verdict;

/// Signatures over images, by the digest that they assert.
#[derive(Debug, Default)]
pub(crate) struct Evidence(Vec<(ClaimedDigest, Digest, Signature, String)>);

/// Who signed an image.
pub(crate) enum Signed {
    /// A trusted key.
    By {
        /// As judged.
        verdict: Verdict,
        /// What the signatures call the image.
        references: Vec<String>,
    },
    /// Others.
    Untrusted,
    /// Only short-lived certificates.
    Keyless,
    /// Nobody.
    Nothing,
}

impl Evidence {
    /// Takes in a document of a form that tests use: `signs HEX NAME DER-as-hex`, in quotes.
    pub(crate) fn add(&mut self, digest: &Digest, text: &[u8]) -> bool {
        let parsed = || {
            let text = std::str::from_utf8(text)
                .ok()?
                .strip_prefix("{\"signs\":\"")?;
            let mut words = text.strip_suffix("\"}")?.split(' ');
            let image = ClaimedDigest::parse(words.next()?)?;
            let name = words.next()?.to_owned();
            let der = crate::text::hex::from_hex(words.next()?.as_bytes())?;
            Some((image, *digest, Signature::parse(&der).ok()?, name))
        };
        let found = parsed();
        let is_some = found.is_some();
        self.0.extend(found);
        is_some
    }

    /// Returns who signed this manifest or index.
    pub(crate) fn signed(&self, image: &ClaimedDigest, keys: &[Arc<Key>]) -> Signed {
        let mut signed = Signed::Nothing;
        for (subject, _, signature, name) in &self.0 {
            if subject == image {
                let asserted = Digest::of(subject.to_string().as_bytes());
                match crate::trust::judge(keys, &asserted, signature) {
                    verdict @ Verdict::Valid { .. } => {
                        let references = vec![name.clone()];
                        return Signed::By {
                            verdict,
                            references,
                        };
                    }
                    _ => signed = Signed::Untrusted,
                }
            }
        }
        signed
    }

    /// Returns the digests that signatures assert.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = ClaimedDigest> {
        self.0.iter().map(|(subject, ..)| *subject)
    }

    /// Reports whether the blob with this digest is part of a signature.
    pub(crate) fn is_part(&self, digest: &ClaimedDigest) -> bool {
        self.0
            .iter()
            .any(|(_, part, ..)| ClaimedDigest::from(*part) == *digest)
    }
}
