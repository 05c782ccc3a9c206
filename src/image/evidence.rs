//! Placeholder until the signatures' forms are merged: knows only lines of `cosign download
//! signature` with a key.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::json::Json;
use crate::digest::Digest;
use crate::trust::claimed::ClaimedDigest;
use crate::trust::key::Key;
use crate::trust::signature::Signature;
use crate::trust::verdict::Verdict;

/// Signatures over images.
#[derive(Debug, Default)]
pub struct Evidence(Vec<Line>);

#[derive(Debug)]
struct Line {
    part: ClaimedDigest,
    image: ClaimedDigest,
    reference: String,
    payload: Digest,
    signature: Signature,
}

/// Who signed an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signed {
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
    /// Takes in a document, if it is a signature.
    pub fn add(&mut self, digest: &Digest, text: &[u8]) -> bool {
        let line = line(digest, text);
        let is_some = line.is_some();
        self.0.extend(line);
        is_some
    }

    /// Returns who signed this manifest or index.
    pub fn signed(&self, image: &Digest, keys: &[Arc<Key>]) -> Signed {
        let mut signed = Signed::Nothing;
        let image = ClaimedDigest::from(*image);
        for line in self.0.iter().filter(|line| line.image == image) {
            match crate::trust::judge(keys, &line.payload, &line.signature) {
                verdict @ Verdict::Valid { .. } => {
                    let references = vec![line.reference.clone()];
                    return Signed::By {
                        verdict,
                        references,
                    };
                }
                _ => signed = Signed::Untrusted,
            }
        }
        signed
    }

    /// Returns the digests that signatures assert.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = ClaimedDigest> {
        self.0.iter().map(|line| line.image)
    }

    /// Reports whether the blob with this digest is part of a signature.
    pub(crate) fn is_part(&self, digest: &ClaimedDigest) -> bool {
        self.0.iter().any(|line| line.part == *digest)
    }
}

fn line(digest: &Digest, text: &[u8]) -> Option<Line> {
    let json = Json::parse(text).ok()?;
    let bytes = |key| {
        STANDARD
            .decode(json.as_object()?.exact(key)?.as_str()?)
            .ok()
    };
    let payload = bytes("Payload")?;
    let parsed = Json::parse(&payload).ok()?;
    let critical = parsed.as_object()?.object("critical").ok()??;
    let text = |of, key| critical.object(of).ok()??.text(key).ok()?;
    let image = text("image", "docker-manifest-digest")?.strip_prefix("sha256:")?;
    Some(Line {
        part: (*digest).into(),
        image: ClaimedDigest::parse(image)?,
        reference: text("identity", "docker-reference")?.to_owned(),
        payload: Digest::of(&payload),
        signature: Signature::parse(&bytes("Base64Signature")?).ok()?,
    })
}
