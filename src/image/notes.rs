//! Notes on a source's images.

use std::collections::{BTreeMap, BTreeSet};

use super::descriptor::Descriptor;
use super::document::{Graph, Manifest};
use super::found::{Found, Id};
use super::media::Class;
use super::names;
use super::policy::Outer;
use super::signer::Signer;
use super::sources::Sources;
use super::walk::{MOST_INDEXES, walk};
use crate::trust::claimed::ClaimedDigest;
use crate::trust::image_notes::ImageNote;

/// Returns the notes, each kind in the order of names and digests.
pub(super) fn notes(sources: &mut Sources<'_>, found: &[Found], outer: Outer) -> Vec<ImageNote> {
    let mut notes = Vec::new();
    if outer != Outer::Valid {
        notes.extend(sorted(found.iter().filter_map(other_repository)));
    }
    notes.extend(same_digest(found));
    notes.extend(sorted(found.iter().filter_map(foreign)));
    notes.extend(without_image(sources));
    notes.extend(unusable(sources));
    notes.extend(unreachable(sources));
    notes
}

fn sorted(notes: impl Iterator<Item = ImageNote>) -> BTreeSet<ImageNote> {
    notes.collect()
}

/// Compares the name on an image's label with those in its signatures. Signatures without names
/// tell nothing.
fn other_repository(found: &Found) -> Option<ImageNote> {
    let Signer::Trusted { references, .. } = &found.content.signer else {
        return None;
    };
    let (image, signed_as) = (found.name.as_ref()?, references.first()?);
    let is_same = |reference: &String| names::is_same_repository(image, reference);
    (!references.iter().any(is_same)).then(|| ImageNote::OtherRepository {
        image: image.clone(),
        signed_as: signed_as.as_str().into(),
    })
}

fn same_digest(found: &[Found]) -> Vec<ImageNote> {
    let mut all: BTreeMap<&Id, BTreeMap<String, &str>> = BTreeMap::new();
    for found in found {
        if let Some(name) = &found.name {
            let names = all.entry(&found.id).or_default();
            names.entry(names::normalised(name)).or_insert(name);
        }
    }
    let several = all.into_values().filter(|names| names.len() > 1);
    let note = |names: BTreeMap<String, &str>| ImageNote::SameDigest {
        names: names.into_values().map(Box::from).collect(),
    };
    several.map(note).collect()
}

fn foreign(found: &Found) -> Option<ImageNote> {
    let layers = &found.content.walked.foreign;
    Some(ImageNote::ForeignLayer {
        image: found
            .name
            .clone()
            .unwrap_or_else(|| found.id.to_string().into()),
        digest: layers.first()?.with_algorithm(),
        others: layers.len() - 1,
    })
}

/// Returns the images that signatures outside are about and that are in this source, as a whole or
/// in part.
pub(super) fn brought_for(sources: &Sources<'_>) -> Vec<ClaimedDigest> {
    let subjects = sources.outside.evidence.subjects();
    subjects
        .filter(|digest| is_partly_here(sources, digest, MOST_INDEXES))
        .collect()
}

/// Reports whether a document, or a part of one that was brought along, is in the source; `depth`
/// is the number of indexes that are still opened.
fn is_partly_here(sources: &Sources<'_>, digest: &ClaimedDigest, depth: usize) -> bool {
    if sources.member(digest).is_some() {
        return true;
    }
    let document = sources.outside.document(digest);
    match document.and_then(|document| document.graph.as_ref()) {
        Some(Ok(Graph::Manifest(manifest))) => sources.member(&manifest.config.digest).is_some(),
        Some(Ok(Graph::Index(index))) => {
            let mut children = index.iter();
            depth > 0
                && children
                    .any(|child| is_partly_here(sources, &child.descriptor.digest, depth - 1))
        }
        _ => false,
    }
}

/// Looks for signatures in the source whose images are nowhere.
fn without_image(sources: &Sources<'_>) -> Option<ImageNote> {
    let is_absent = |digest: &ClaimedDigest| {
        sources.member(digest).is_none() && !sources.outside.documents.contains_key(digest)
    };
    let subjects = sources.inside.evidence.subjects();
    let absent: BTreeSet<ClaimedDigest> = subjects.filter(is_absent).collect();
    Some(ImageNote::SignatureWithoutImage {
        digest: absent.first()?.with_algorithm(),
        others: absent.len() - 1,
    })
}

/// Names the first signature in the source that cannot be used, whoever made it.
fn unusable(sources: &Sources<'_>) -> Option<ImageNote> {
    let mut refused = sources.inside.evidence.refused();
    let first = refused.next()?;
    Some(ImageNote::UnusableSignature {
        digest: first.document.with_algorithm(),
        why: first.why.to_string().into(),
        others: refused.count(),
    })
}

/// Counts the members that belong to nothing.
fn unreachable(sources: &mut Sources<'_>) -> Option<ImageNote> {
    reach_unlisted_evidence(sources);
    let inside = sources.inside;
    let is_of_nothing =
        |digest: &ClaimedDigest| !sources.is_reached(digest) && !inside.evidence.is_part(digest);
    let members = inside
        .members
        .iter()
        .filter(|member| !member.is_part_of_layout);
    let of_nothing = members.filter(|member| is_of_nothing(&member.digest.into()));
    let (blobs, bytes) = of_nothing.fold((0, 0_u64), |(blobs, bytes), member| {
        (blobs + 1, bytes.saturating_add(member.size))
    });
    (blobs > 0).then_some(ImageNote::Unreachable { blobs, bytes })
}

/// Takes note of the parts of signatures that no list names, as those that refer to their subject
/// have it.
fn reach_unlisted_evidence(sources: &mut Sources<'_>) {
    let documents = sources.inside.documents.iter();
    let manifests = documents.filter_map(|(digest, (_, document))| match &document.graph {
        Some(Ok(Graph::Manifest(manifest))) => Some((*digest, manifest)),
        _ => None,
    });
    let is_typed = |manifest: &Manifest| {
        let is_evidence = |layer: &Descriptor| {
            let member = sources.member(&layer.digest);
            layer.class == Class::Evidence && member.is_some_and(|member| member.is_json)
        };
        !manifest.layers.is_empty() && manifest.layers.iter().all(is_evidence)
    };
    let typed = manifests.filter(|(_, manifest)| is_typed(manifest));
    let ordered: BTreeSet<ClaimedDigest> = typed.map(|(digest, _)| digest).collect();
    for digest in ordered {
        if let Some(member) = sources.member(&digest) {
            let root = Descriptor {
                digest,
                size: member.size,
                class: Class::Manifest,
                has_urls: false,
            };
            // For what it reaches; whether it is whole does not matter to a note.
            let _ = walk(sources, &root, &[]);
        }
    }
}
