//! Who signed an image: its own signature, that of an index that names it, or that of a manifest
//! with the same content.

use std::sync::Arc;

use super::contents::Contents;
use super::descriptor::Descriptor;
use super::document::Manifest;
use super::evidence::Signed;
use super::media::Class;
use super::sources::Sources;
use crate::digest::Digest;
use crate::trust::claimed::ClaimedDigest;
use crate::trust::image::ImageFailure;
use crate::trust::signature::Signature;
use crate::trust::verdict::Verdict;

/// Number of indexes above an image, one inside the other, through which a signature counts.
const MOST_PARENTS: usize = 8;

/// Steps that one verification of a signature costs, as measured against following a descriptor.
const STEPS_OF_CHECK: usize = 50;

/// Signatures that no trusted key made, each with what it is verified over.
pub(super) type Strange = Arc<[(Digest, Signature)]>;

/// Who signed an image, from the least to the best.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Signer {
    /// No one.
    Nobody,
    /// Only holders of short-lived certificates.
    Keyless,
    /// Others than those who are trusted: their signatures, each with what it is verified over.
    Other(Strange),
    /// A trusted key.
    Trusted {
        /// As the judge of signatures said it.
        verdict: Verdict,
        /// What the signatures call the image.
        references: Arc<[String]>,
    },
}

impl Signer {
    fn rank(&self) -> u8 {
        match self {
            Signer::Nobody => 0,
            Signer::Keyless => 1,
            Signer::Other(_) => 2,
            Signer::Trusted { .. } => 3,
        }
    }

    /// Returns the better of two; this one if they are alike.
    pub(super) fn or(self, other: Signer) -> Signer {
        if other.rank() > self.rank() {
            other
        } else {
            self
        }
    }

    /// Reports whether it is trusted.
    pub(super) fn is_trusted(&self) -> bool {
        matches!(self, Signer::Trusted { .. })
    }
}

impl Signer {
    fn of(signed: Signed, strange: impl FnOnce() -> Strange) -> Signer {
        match signed {
            // Fail closed: only what the judge of signatures calls valid is trusted.
            Signed::By {
                verdict: verdict @ Verdict::Valid { .. },
                references,
            } => Signer::Trusted {
                verdict,
                references: references.into(),
            },
            Signed::By { .. } | Signed::Untrusted => Signer::Other(strange()),
            Signed::Keyless => Signer::Keyless,
            Signed::Nothing => Signer::Nobody,
        }
    }
}

/// A signed manifest, compared with an image that has its configuration.
pub(super) struct Twin {
    /// Who signed a manifest with the same layers.
    pub(super) signer: Signer,
    /// Whether any manifest has the same layers.
    pub(super) is_known: bool,
    /// Whether a manifest has a trusted signature and other layers.
    pub(super) differs: bool,
}

impl Sources<'_> {
    /// Returns who signed a document, or an index that names it.
    ///
    /// # Errors
    /// [`ImageFailure::TooLarge`].
    pub(super) fn signer(&mut self, digest: ClaimedDigest) -> Result<Signer, ImageFailure> {
        self.signer_below(digest, 0)
    }

    fn signer_below(
        &mut self,
        digest: ClaimedDigest,
        above: usize,
    ) -> Result<Signer, ImageFailure> {
        if let Some(signer) = self.signers.get(&digest) {
            return Ok(signer.clone());
        }
        self.pay(1)?;
        let mut signer = self.own_signer(&digest)?;
        for parent in self.parents(&digest)? {
            if signer.is_trusted() || above == MOST_PARENTS {
                break;
            }
            signer = signer.or(self.signer_below(parent, above + 1)?);
        }
        // Asked for from deep below, it may lack what indexes further up have.
        if above == 0 {
            self.signers.insert(digest, signer.clone());
        }
        Ok(signer)
    }

    /// Returns who signed a document itself, which must be here, inside or outside. Its signatures
    /// are verified once, and paid for.
    fn own_signer(&mut self, digest: &ClaimedDigest) -> Result<Signer, ImageFailure> {
        if let Some(signer) = self.own_signers.get(digest) {
            return Ok(signer.clone());
        }
        let both = [self.inside, self.outside];
        let hashed = both
            .iter()
            .find_map(|contents| contents.documents.get(digest));
        let Some((hashed, _)) = hashed else {
            return Ok(Signer::Nobody);
        };
        let checks = both.map(|contents| contents.evidence.count(hashed));
        // Fail closed: what costs too much to be verified is not verified.
        self.pay((checks[0] + checks[1]) * self.keys.len().max(1) * STEPS_OF_CHECK)?;
        let signed = |contents: &Contents| {
            let evidence = &contents.evidence;
            Signer::of(evidence.signed(hashed, self.keys), || {
                evidence.strange(hashed)
            })
        };
        let [inside, outside] = both.map(signed);
        let signer = Signer::or(inside, outside);
        self.own_signers.insert(*digest, signer.clone());
        Ok(signer)
    }

    /// Returns who signed a manifest that has this configuration and these layers, each by the
    /// manifest's digest or by that which the configuration has for the uncompressed one.
    ///
    /// A signature over such a manifest covers this content: the configuration's digest is in the
    /// manifest, and those of uncompressed layers are in the configuration.
    ///
    /// # Errors
    /// [`ImageFailure::TooLarge`].
    pub(super) fn twin(
        &mut self,
        config: ClaimedDigest,
        layers: &[ClaimedDigest],
        diff_ids: &[ClaimedDigest],
    ) -> Result<Twin, ImageFailure> {
        let mut twin = Twin {
            signer: Signer::Nobody,
            is_known: false,
            differs: false,
        };
        for digest in self.with_config(&config)? {
            self.pay(layers.len())?;
            let Some(manifest) = self.manifest(&digest) else {
                continue;
            };
            let signer = self.signer(digest)?;
            if has_layers(manifest, layers, diff_ids) {
                twin.is_known = true;
                twin.signer = twin.signer.or(signer);
            } else {
                twin.differs |= signer.is_trusted();
            }
        }
        Ok(twin)
    }

    /// Returns who signed a manifest with the content of another one, which `docker save` wrote.
    ///
    /// Fail closed: the manifest itself says more than its content, and is unsigned. So the media
    /// types must mean the same in both: all are layers, none of which may be absent.
    ///
    /// # Errors
    /// [`ImageFailure::TooLarge`].
    pub(super) fn twin_of_saved(
        &mut self,
        manifest: &Manifest,
        diff_ids: &[ClaimedDigest],
    ) -> Result<Signer, ImageFailure> {
        let layers: Vec<_> = manifest.layers.iter().map(|layer| layer.digest).collect();
        let is_plain = |layer: &Descriptor| layer.class == Class::Layer;
        let mut best = Signer::Nobody;
        if !manifest.layers.iter().all(is_plain) {
            return Ok(best);
        }
        for digest in self.with_config(&manifest.config.digest)? {
            self.pay(2 * layers.len())?;
            if let Some(other) = self.manifest(&digest)
                && other.config.class == manifest.config.class
                && other.layers.iter().all(is_plain)
                && has_layers(other, &layers, diff_ids)
            {
                best = best.or(self.signer(digest)?);
            }
        }
        Ok(best)
    }
}

/// Reports whether these are a manifest's layers, in its order.
fn has_layers(manifest: &Manifest, layers: &[ClaimedDigest], diff_ids: &[ClaimedDigest]) -> bool {
    let is_same = |(place, layer): (usize, &ClaimedDigest)| {
        manifest.layers[place].digest == *layer || diff_ids.get(place) == Some(layer)
    };
    // Fail closed: diff_ids of another number belong to other layers.
    let counts = [manifest.layers.len(), diff_ids.len()];
    counts == [layers.len(); 2] && layers.iter().enumerate().all(is_same)
}
