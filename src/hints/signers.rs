//! Who made the signatures that no trusted key made: they are grouped by the keys that made them,
//! without any trust in those keys.
//!
//! One signature has two keys that may have made it (see [`key_recovery`]). A key that two
//! signatures over different digests have in common made both; so did a key whose file is at hand.
//! What has no key in common with anything else was probably not signed as it is now.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::budget::Budget;
use super::key_recovery::{self, Point};
use crate::digest::Digest;
use crate::files::SharedPath;
use crate::trust::claimed::ClaimedDigest;
use crate::trust::key::Key;
use crate::trust::signature::Signature;

/// Half the maximum number of signatures that are kept. A run with more of them has a sample
/// examined, taken from all over it.
const HALF: usize = 2048;
/// Maximum work of telling who made them, in verifications: about a second.
pub(crate) const MOST_WORK: usize = 2 * HALF * key_recovery::COST;

/// A signature that no trusted key made over what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The artifact.
    pub path: SharedPath,
    /// Its signature file, if the signature is in a file of its own.
    pub signature: Option<SharedPath>,
    /// The name or digest of the image in the artifact that the signature is for, if it is for one.
    pub image: Option<Box<str>>,
}

/// A key that made signatures, but is not trusted with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The SHA-256 of its DER, with the point uncompressed.
    pub fingerprint: ClaimedDigest,
    /// Files that hold it. They prove nothing: anyone can put a key beside their signatures.
    pub found_in: Vec<SharedPath>,
    /// What the user trusts this key with, if it is not what these signatures are for.
    pub trusted_for: Option<Purpose>,
    /// What it signed, in the order of the lines.
    pub made: Vec<Signed>,
}

/// What a key is trusted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `artifacts` (`--key`).
    Artifacts,
    /// `images` (`--image-key`).
    Images,
}

impl Purpose {
    /// Returns the purpose with this term.
    pub fn named(term: &str) -> Option<Purpose> {
        let all = [Purpose::Artifacts, Purpose::Images];
        all.into_iter().find(|purpose| purpose.name() == term)
    }

    /// Returns the term.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::Artifacts => "artifacts",
            Purpose::Images => "images",
        }
    }
}

/// A key at hand that may have made some of the signatures.
#[derive(Clone, Debug)]
pub(crate) struct AtHand {
    /// The key.
    pub(crate) key: Arc<Key>,
    /// Its file, unless the user named it for something.
    pub(crate) file: Option<SharedPath>,
    /// What it is trusted with, if the user named it.
    pub(crate) trusted_for: Option<Purpose>,
}

/// The signatures of a run, grouped.
#[derive(Debug, Default)]
pub(crate) struct Grouped {
    /// The keys, that of the most signatures first.
    pub(crate) signers: Vec<Signer>,
    /// What was signed by no key that another signature was made by as well.
    pub(crate) alone: Vec<Signed>,
    /// Number of signatures that were examined.
    pub(crate) examined: u64,
    /// Whether two of these could have shown a key that they have in common.
    pub(crate) could_share: bool,
}

/// A signature with what it is for.
#[derive(Clone, Debug)]
struct Stranger {
    digest: Digest,
    signature: Signature,
    of: Signed,
    /// Its place in a random order.
    rank: u64,
}

/// The signatures of a run that no trusted key made, in bounded memory.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    kept: Vec<Stranger>,
    /// Number of all of them.
    seen: u64,
    /// Those of lower ranks are kept; all if it is `None`.
    limit: Option<u64>,
}

/// Returns a random rank that is the same in every run. Every second signature, say, may be another
/// product's, so a sample must not depend on the order. (Whoever makes the files can influence it,
/// and gains a wrong hint.)
fn rank(digest: &Digest, number: u64) -> u64 {
    let (first, _) = digest
        .as_bytes()
        .split_first_chunk()
        .unwrap_or((&[0; 8], &[]));
    // Copies of one file have one digest.
    u64::from_be_bytes(*first) ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Strangers {
    /// Takes in a signature that no trusted key made over `digest`, in the order of the lines. Only
    /// the key of one on P-256 can be computed.
    pub(crate) fn take(&mut self, digest: Digest, signature: &Signature, of: impl Fn() -> Signed) {
        if signature.p256().is_none() {
            return;
        }
        let rank = rank(&digest, self.seen);
        self.seen += 1;
        if self.limit.is_none_or(|limit| rank < limit) {
            self.kept.push(Stranger {
                digest,
                signature: signature.clone(),
                of: of(),
                rank,
            });
        }
        if self.kept.len() == 2 * HALF {
            let mut ranks: Vec<u64> = self.kept.iter().map(|stranger| stranger.rank).collect();
            let (_, limit, _) = ranks.select_nth_unstable(HALF);
            self.kept.retain(|stranger| stranger.rank < *limit);
            self.limit = Some(*limit);
        }
    }

    /// Returns the number of all of them.
    pub(crate) fn count(&self) -> u64 {
        self.seen
    }

    /// Leaves out signatures that are known to have been made over another file.
    pub(crate) fn leave_out(&mut self, files: &HashSet<&SharedPath>) {
        let before = self.kept.len();
        let is_known = |of: &Signed| {
            of.signature
                .as_ref()
                .is_some_and(|file| files.contains(file))
        };
        self.kept.retain(|stranger| !is_known(&stranger.of));
        let gone = (before - self.kept.len()) as u64;
        // Of a sample, so many times as many have gone as it stands for.
        let times = self.seen / (before as u64).max(1);
        self.seen = self.seen.saturating_sub(gone * times);
    }

    /// Groups them by the keys that made them, within the `budget`.
    pub(crate) fn grouped(&self, at_hand: &[AtHand], budget: &Budget<'_>) -> Grouped {
        let pairs = self.pairs();
        let examined: Vec<Pair<'_>> = pairs
            .into_iter()
            .map_while(|pair| budget.spend(key_recovery::COST).then_some(pair))
            .collect();
        let mut by_key: HashMap<Point, Vec<usize>> = HashMap::new();
        for (number, pair) in examined.iter().enumerate() {
            let keys = key_recovery::candidates(pair.digest, pair.signature);
            for key in keys.into_iter().flatten() {
                by_key.entry(key).or_default().push(number);
            }
        }
        let at_hand = by_point(at_hand);
        let made_it =
            |key: &Point, of: &[usize]| at_hand.contains_key(key) || are_independent(&examined, of);
        by_key.retain(|key, of| made_it(key, of));
        let mut rest = Rest::of(&examined);
        Grouped {
            signers: rest.signers(by_key, &at_hand, self),
            alone: rest.alone(self),
            examined: rest.examined,
            could_share: rest.could_share,
        }
    }

    /// Returns each different pair of a digest and a signature once: copies of one file have one.
    fn pairs(&self) -> Vec<Pair<'_>> {
        let mut numbers: HashMap<(&Digest, &Signature), usize> = HashMap::new();
        let mut pairs: Vec<Pair<'_>> = Vec::new();
        for (number, stranger) in self.kept.iter().enumerate() {
            let (digest, signature) = (&stranger.digest, &stranger.signature);
            let place = *numbers.entry((digest, signature)).or_insert(pairs.len());
            if place == pairs.len() {
                pairs.push(Pair {
                    digest,
                    signature,
                    of: Vec::new(),
                });
            }
            pairs[place].of.push(number);
        }
        pairs
    }
}

/// A signature over a digest, and where it is.
struct Pair<'a> {
    digest: &'a Digest,
    signature: &'a Signature,
    /// Indices of the strangers.
    of: Vec<usize>,
}

impl Pair<'_> {
    /// Reports whether a key that both have in common made both. With one digest, or one r and
    /// another s, both have a key in common that need not have made either.
    fn is_independent_of(&self, other: &Pair<'_>) -> bool {
        let r = |pair: &Pair<'_>| pair.signature.scalars().map(|(r, _)| *r);
        self.digest != other.digest && r(self) != r(other)
    }
}

fn are_independent(pairs: &[Pair<'_>], of: &[usize]) -> bool {
    of.split_first().is_some_and(|(first, others)| {
        let first = &pairs[*first];
        others
            .iter()
            .any(|other| first.is_independent_of(&pairs[*other]))
    })
}

/// Returns the keys at hand, by their points.
fn by_point(at_hand: &[AtHand]) -> HashMap<Point, Vec<&AtHand>> {
    let mut keys: HashMap<Point, Vec<&AtHand>> = HashMap::new();
    for one in at_hand {
        if let Some(point) = one.key.point() {
            keys.entry(Point::of(point)).or_default().push(one);
        }
    }
    keys
}

/// The pairs whose key is not known yet.
struct Rest<'a> {
    pairs: &'a [Pair<'a>],
    is_known: Vec<bool>,
    examined: u64,
    could_share: bool,
}

impl<'a> Rest<'a> {
    fn of(pairs: &'a [Pair<'a>]) -> Rest<'a> {
        let all: Vec<usize> = (0..pairs.len()).collect();
        Rest {
            pairs,
            is_known: vec![false; pairs.len()],
            examined: pairs.iter().map(|pair| pair.of.len() as u64).sum(),
            could_share: are_independent(pairs, &all),
        }
    }

    /// Returns the keys with what each made. That of the most signatures comes first, and takes
    /// those that another key could have made, too.
    fn signers(
        &mut self,
        by_key: HashMap<Point, Vec<usize>>,
        at_hand: &HashMap<Point, Vec<&AtHand>>,
        strangers: &Strangers,
    ) -> Vec<Signer> {
        let count = |of: &[usize]| {
            of.iter()
                .map(|pair| self.pairs[*pair].of.len())
                .sum::<usize>()
        };
        let mut found: Vec<(usize, Digest, Point, Vec<usize>)> = by_key
            .into_iter()
            .filter_map(|(key, of)| Some((count(&of), key.fingerprint()?, key, of)))
            .collect();
        found.sort_by(|a, b| (b.0, a.1.as_bytes()).cmp(&(a.0, b.1.as_bytes())));
        let mut signers = Vec::new();
        for (_, fingerprint, key, of) in found {
            let made = self.made(&of, strangers);
            if made.is_empty() {
                continue;
            }
            let known = at_hand.get(&key).into_iter().flatten();
            signers.push(Signer {
                fingerprint: fingerprint.into(),
                found_in: known.clone().filter_map(|key| key.file.clone()).collect(),
                trusted_for: known.clone().find_map(|key| key.trusted_for),
                made,
            });
        }
        signers.sort_by_key(|signer| std::cmp::Reverse(signer.made.len()));
        signers
    }

    fn made(&mut self, of: &[usize], strangers: &Strangers) -> Vec<Signed> {
        let mut all: Vec<usize> = Vec::new();
        for pair in of {
            if !std::mem::replace(&mut self.is_known[*pair], true) {
                all.extend(&self.pairs[*pair].of);
            }
        }
        signed(all, strangers)
    }

    /// Returns what no key was found for. An image that has another signature whose key was found
    /// is not among it.
    fn alone(&self, strangers: &Strangers) -> Vec<Signed> {
        let of = |is_known: bool| {
            let pairs = self.pairs.iter().zip(&self.is_known);
            let pairs = pairs.filter(move |(_, known)| **known == is_known);
            pairs.flat_map(|(pair, _)| pair.of.iter().copied())
        };
        let image = |number: &usize| {
            let of = &strangers.kept[*number].of;
            of.image.as_ref().map(|image| (&of.path, image))
        };
        let known: Vec<usize> = of(true).collect();
        let images: HashSet<_> = known.iter().filter_map(image).collect();
        let is_alone = |number: &usize| image(number).is_none_or(|image| !images.contains(&image));
        signed(of(false).filter(is_alone).collect(), strangers)
    }
}

/// Returns what the strangers with these indices are for, in their order; an image once.
fn signed(mut numbers: Vec<usize>, strangers: &Strangers) -> Vec<Signed> {
    numbers.sort_unstable();
    let all = numbers
        .iter()
        .map(|number| strangers.kept[*number].of.clone());
    let mut all: Vec<Signed> = all.collect();
    all.dedup();
    all
}

#[cfg(test)]
mod tests;
