//! The verdict on each image of a source.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::contents::Contents;
use super::found::{Found, Id, find};
use super::listed::{Listed, list};
use super::names;
use super::notes;
use super::policy::{Outer, Policy};
use super::signer::{Signer, Strange};
use super::sources::Sources;
use super::walk::missing;
use crate::digest::Digest;
use crate::files::SharedPath;
use crate::trust::claimed::ClaimedDigest;
use crate::trust::image::{ContentsFailure, Image, ImageFailure};
use crate::trust::image_notes::ImageNote;
use crate::trust::verdict::{Invalid, Unclaimed, Verdict};

/// Steps that telling one blob costs.
const STEPS_OF_BLOB: usize = 4;

/// What a source's images come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// The images, by name, then by digest.
    pub images: Vec<Judged>,
    /// What is wrong with the source as a whole.
    pub failures: Vec<ContentsFailure>,
    /// What is worth knowing beside.
    pub notes: Vec<ImageNote>,
    /// The images that signatures outside are about and that are here.
    pub(crate) brought_for: Vec<ClaimedDigest>,
}

/// An image and its verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The image.
    pub image: Image,
    /// The verdict on it.
    pub verdict: Verdict,
    /// The SHA-256 of its root document, as hashed: its index, manifest or configuration. `None` if
    /// that is not here.
    pub digest: Option<Digest>,
    /// The sum of the sizes of its blobs that are here, each counted once, in bytes.
    pub size: u64,
    /// Its signatures, each with what it is verified over, if no trusted key made one.
    pub(crate) strange: Option<Strange>,
}

/// Judges every image of the source `inside`. `outside` is what the user brought along: signatures,
/// and manifests and indexes that a signature names and the source has lost.
pub fn judge(
    artifact: &SharedPath,
    inside: &Contents,
    outside: &Contents,
    policy: &Policy,
    outer: Outer,
) -> Judgement {
    let mut judgement = Judgement {
        failures: inside.failures(),
        ..Judgement::default()
    };
    if inside.is_over_limit() || outside.is_over_limit() {
        // Fail closed: what was not taken in is not judged, so that nothing is.
        let words = "it has more members or larger documents than are judged";
        judgement
            .failures
            .push(ContentsFailure::Limit(words.into()));
        return judgement;
    }
    let mut sources = Sources::new(inside, outside, &policy.keys);
    let listed = list(&sources);
    let found = find(&mut sources, &listed, policy);
    let Listed { failures, .. } = listed;
    judgement.failures.extend(failures);
    let others = Others::new(&found);
    for found in &found {
        let judged = one(&mut sources, artifact, found, &others, (policy, outer));
        judgement.images.push(judged);
    }
    let key = |judged: &Judged| (judged.image.name.clone(), judged.image.id.clone());
    judgement.images.sort_by_cached_key(key);
    judgement.images.dedup();
    judgement.notes = notes::notes(&mut sources, &found, outer);
    judgement.brought_for = notes::brought_for(&sources);
    judgement
}

/// The images that have each name.
struct Others(HashMap<String, BTreeMap<Id, ()>>);

impl Others {
    fn new(found: &[Found]) -> Others {
        let mut all: HashMap<String, BTreeMap<Id, ()>> = HashMap::new();
        // Attestations have the name of their image in some layouts; what can be neither run nor
        // unpacked is not taken for it.
        for found in found.iter().filter(|found| !found.content.is_inert) {
            for name in found.names() {
                let ids = all.entry(names::normalised(name)).or_default();
                ids.insert(found.id.clone(), ());
            }
        }
        Others(all)
    }

    /// Returns the first other image with the name of this one.
    fn of(&self, found: &Found) -> Option<&Id> {
        if found.content.is_inert {
            return None;
        }
        let with = |name| self.0.get(&names::normalised(name));
        let mut ids = found.names().filter_map(with).flat_map(BTreeMap::keys);
        ids.find(|id| **id != found.id)
    }
}

fn one(
    sources: &mut Sources<'_>,
    artifact: &SharedPath,
    found: &Found,
    others: &Others,
    (policy, outer): (&Policy, Outer),
) -> Judged {
    let content = &found.content;
    let walked = &content.walked;
    let mut verdict = verdict(found, others, policy, outer);
    let mut image = Image {
        artifact: artifact.clone(),
        name: found.name.clone(),
        id: found.id.to_string().into(),
        platforms: Arc::default(),
        blobs: Vec::new(),
    };
    let blobs = if policy.wants_blobs {
        walked.blobs.len() * STEPS_OF_BLOB
    } else {
        0
    };
    match sources.pay(1 + content.steps_to_tell + blobs) {
        Ok(()) => {
            image.platforms = Arc::clone(&content.platforms);
            if policy.wants_blobs {
                image.blobs.clone_from(&walked.blobs);
            }
        }
        Err(failure) if verdict.passes() => verdict = Verdict::Image(failure),
        Err(_) => {}
    }
    Judged {
        image,
        verdict,
        digest: walked.digest,
        size: walked.size,
        strange: match &content.signer {
            Signer::Other(strange) => Some(Arc::clone(strange)),
            _ => None,
        },
    }
}

fn verdict(found: &Found, others: &Others, policy: &Policy, outer: Outer) -> Verdict {
    let content = &found.content;
    // Fail closed: an image that is not whole fails whoever signed it.
    if let Some(failure) = &content.walked.failure {
        return Verdict::Image(failure.clone());
    }
    // Fail closed: which of two images a name means depends on who loads it.
    if let Some(other) = others.of(found) {
        return Verdict::Image(ImageFailure::NameTwice(other.to_string().into()));
    }
    // Fail closed: what has no digest of its own was not looked at.
    if content.walked.digest.is_none() {
        return Verdict::Image(match &found.id {
            Id::Digest(digest) => missing(digest),
            Id::Path(path) => ImageFailure::BlobMissing(path.clone()),
        });
    }
    let allowed = !policy.requires(found.names(), outer);
    let unsigned = |why| Verdict::Unsigned { allowed, why };
    match &content.signer {
        Signer::Trusted { verdict, .. } => verdict.clone(),
        Signer::Other(_) if !allowed => Verdict::Invalid(Invalid::NoKeyVerifies),
        Signer::Other(_) => unsigned(Unclaimed::OtherSigner),
        Signer::Keyless => unsigned(Unclaimed::Keyless),
        Signer::Nobody => unsigned(Unclaimed::NoSignature),
    }
}
