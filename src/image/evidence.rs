//! The signatures of images that a source holds, and what they come to under trusted keys.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::signature::{self, Claim, Found, Proof, Role, SigstoreError};
use crate::digest::{Digest, Digests};
use crate::trust;
use crate::trust::claimed::ClaimedDigest;
use crate::trust::key::Key;
use crate::trust::signature::Signature;
use crate::trust::verdict::Verdict;

/// The most signatures that are verified for one image, and that are kept of those over the same
/// bytes. Cosign takes 100.
const MAX_TRIED: usize = 1000;
/// The most signatures of an image that are kept to tell whose they are, where no trusted key made
/// one.
const MOST_STRANGE: usize = 8;
/// The most reasons that are kept.
const MAX_REFUSED: usize = 1000;

/// Every signature that was found, in any form and order.
///
/// ```
/// # #[cfg(feature = "internals")] {
/// use verify_signatures::Digest;
/// use verify_signatures::internals::digest::{Algorithms, Digests};
/// use verify_signatures::internals::image::evidence::{Evidence, Signed};
///
/// let mut evidence = Evidence::default();
/// let index = br#"{"schemaVersion":2,"manifests":[]}"#;
/// assert!(!evidence.add(&Digest::of(index), index));
/// assert_eq!(evidence.signed(&Digests::of(index, Algorithms::NONE), &[]), Signed::Nothing);
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Evidence {
    /// Bytes that name images, by their digest.
    claims: BTreeMap<ClaimedDigest, Claim>,
    /// Signatures of such bytes, by the digest of the bytes, which may not be here.
    proofs: BTreeMap<ClaimedDigest, BTreeSet<Proof>>,
    /// The digests of the claims that name an image, by the image's digest.
    naming: BTreeMap<ClaimedDigest, BTreeSet<ClaimedDigest>>,
    /// Signatures of an image's manifest or index itself, by its digest.
    direct: BTreeMap<ClaimedDigest, BTreeSet<Proof>>,
    /// Documents of signatures that cannot be mistaken for an image's.
    contents: BTreeSet<ClaimedDigest>,
    /// Manifests of signatures, with their layers.
    manifests: BTreeMap<ClaimedDigest, Vec<ClaimedDigest>>,
    refused: BTreeSet<Refused>,
}

/// A signature that cannot be used, whoever made it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Refused {
    /// The digest of the document that it is in.
    pub(crate) document: ClaimedDigest,
    /// Why.
    pub(crate) why: SigstoreError,
}

/// What the signatures of an image come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signed {
    /// A trusted key made at least one of them.
    By {
        /// [`Verdict::Valid`], by the first of the keys that made one.
        verdict: Verdict,
        /// The names that the image was signed under, sorted: those of payloads that a trusted key
        /// signed.
        references: Vec<String>,
    },
    /// It has signatures, none of which a trusted key made.
    Untrusted,
    /// All its signatures have certificates, and no trusted key made one.
    Keyless,
    /// It has none.
    Nothing,
}

impl Evidence {
    /// Takes in a document with the digest that it was hashed to, if it is a signature of a known
    /// form, or part of one; returns whether it was. Manifests and payloads may come in any order,
    /// and more than once.
    pub fn add(&mut self, digest: &Digest, text: &[u8]) -> bool {
        let Some(reading) = signature::read(text) else {
            return false;
        };
        let document = ClaimedDigest::from(*digest);
        for found in reading.found {
            self.take(found, document);
        }
        match reading.role {
            Role::None => return false,
            Role::Content => _ = self.contents.insert(document),
            Role::Manifest(layers) => _ = self.manifests.insert(document, layers),
        }
        true
    }

    fn take(&mut self, found: Found, document: ClaimedDigest) {
        match found {
            Found::Claim(claim) => {
                let digest = ClaimedDigest::from(*claim.hashed.sha256());
                for image in &claim.images {
                    self.naming.entry(*image).or_default().insert(digest);
                }
                self.claims.insert(digest, claim);
            }
            Found::Proof { over, proof } => {
                keep(self.proofs.entry(over).or_default(), proof, MAX_TRIED);
            }
            Found::Direct { image, proof } => {
                keep(self.direct.entry(image).or_default(), proof, MAX_TRIED);
            }
            Found::Refused(why) => {
                keep(&mut self.refused, Refused { document, why }, MAX_REFUSED);
            }
        }
    }

    /// Judges the signatures of the image whose manifest or index has this digest.
    ///
    /// What a document says counts only if a trusted key signed it. No more than 1000 signatures
    /// are tried, always the same.
    pub fn signed(&self, image: &Digests, keys: &[Arc<Key>]) -> Signed {
        let (mut best, mut references) = (None, BTreeSet::new());
        let (mut count, mut with_certificate) = (0, 0);
        // Fail closed: beyond the limit, a good signature is not found.
        for (hashed, proof, reference) in self.candidates(image).take(MAX_TRIED) {
            count += 1;
            with_certificate += usize::from(proof.has_certificate);
            if let Some((rank, verdict)) = valid(keys, hashed, proof) {
                references.extend(reference);
                best = match best {
                    Some((least, _)) if least <= rank => best,
                    _ => Some((rank, verdict)),
                };
            }
        }
        match best {
            Some((_, verdict)) => Signed::By {
                verdict,
                references: references.into_iter().map(str::to_owned).collect(),
            },
            None if count == 0 => Signed::Nothing,
            None if count == with_certificate => Signed::Keyless,
            None => Signed::Untrusted,
        }
    }

    /// Returns how many signatures [`Evidence::signed`] tries for an image.
    pub(crate) fn count(&self, image: &Digests) -> usize {
        self.candidates(image).take(MAX_TRIED).count()
    }

    /// Returns signatures that may be the image's, each with the digest that it is verified over,
    /// without those of certificates.
    pub(crate) fn strange(&self, image: &Digests) -> Arc<[(Digest, Signature)]> {
        let usable = self.candidates(image).filter_map(|(hashed, proof, _)| {
            let signature = proof
                .signature
                .as_ref()
                .filter(|_| !proof.has_certificate)?;
            Some((*hashed.sha256(), signature.clone()))
        });
        usable.take(MOST_STRANGE).collect()
    }

    /// Returns the signatures that may be the image's, each with the digest that it is verified
    /// over and the name in what it signs.
    fn candidates<'a>(
        &'a self,
        image: &'a Digests,
    ) -> impl Iterator<Item = (&'a Digests, &'a Proof, Option<&'a str>)> {
        let claimed = ClaimedDigest::from(*image.sha256());
        let direct = self.direct.get(&claimed).into_iter().flatten();
        let naming = self.naming.get(&claimed).into_iter().flatten();
        let of_claims = naming.flat_map(|digest| {
            let claim = self.claims.get(digest);
            claim.into_iter().flat_map(|claim| {
                let proofs = self.proofs.get(digest).into_iter().flatten();
                proofs.map(|proof| (&claim.hashed, proof, claim.reference.as_deref()))
            })
        });
        let direct = direct.map(move |proof| (image, proof, None));
        direct.chain(of_claims)
    }

    /// Returns the digests of all images that have signatures here, verified or not, in order.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = ClaimedDigest> {
        let is_signed =
            |claims: &BTreeSet<_>| claims.iter().any(|claim| self.proofs.contains_key(claim));
        let named = self.naming.iter();
        let named = named.filter_map(|(image, claims)| is_signed(claims).then_some(*image));
        let all: BTreeSet<ClaimedDigest> = named.chain(self.direct.keys().copied()).collect();
        all.into_iter()
    }

    /// Reports whether a document is one of a signature and cannot be an image: what is signed, a
    /// bundle, or a manifest of nothing but these.
    pub(crate) fn is_part(&self, digest: &ClaimedDigest) -> bool {
        // Fail closed: layers that were not seen to be signatures may be those of an image, with a
        // wrong type.
        let is_whole = |layers: &Vec<_>| layers.iter().all(|layer| self.contents.contains(layer));
        self.contents.contains(digest) || self.manifests.get(digest).is_some_and(is_whole)
    }

    /// Returns signatures that cannot be used, at most 1000 of them, in order.
    pub(crate) fn refused(&self) -> impl Iterator<Item = &Refused> {
        self.refused.iter()
    }
}

/// Returns the verdict if a trusted key made the signature, and the key's place among the keys.
fn valid(keys: &[Arc<Key>], hashed: &Digests, proof: &Proof) -> Option<(usize, Verdict)> {
    let verdict = trust::judge(keys, hashed, proof.signature.as_ref()?);
    let Verdict::Valid { key } = &verdict else {
        return None;
    };
    // Fail closed: an entry of the log about another key is about another signature.
    if !proof
        .logged_key
        .is_none_or(|logged| key.is_named_by(&logged))
    {
        return None;
    }
    let rank = keys.iter().position(|other| Arc::ptr_eq(other, key))?;
    Some((rank, verdict))
}

/// Adds an item to a set that keeps only its least ones, so that what is kept does not depend on
/// the order in which they come.
fn keep<T: Ord>(set: &mut BTreeSet<T>, item: T, limit: usize) {
    set.insert(item);
    if set.len() > limit {
        set.pop_last();
    }
}

#[cfg(test)]
mod tests;
