//! Content and documents by digest: those of the source that is judged, and those that the user
//! brought along.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::contents::{Contents, Member, is_blob_name, split};
use super::document::{Document, Graph, Manifest};
use super::media::Class;
use super::signer::Signer;
use crate::trust::claimed::ClaimedDigest;
use crate::trust::image::ImageFailure;
use crate::trust::key::Key;

/// Number of descriptors that are followed for all images of one source. A few small documents can
/// name each other so often that following them all would not end in a lifetime.
const MOST_STEPS: u64 = 4_000_000;

/// What verdicts on one source's images rest on.
pub(super) struct Sources<'a> {
    pub(super) inside: &'a Contents,
    pub(super) outside: &'a Contents,
    pub(super) keys: &'a [Arc<Key>],
    /// Members of the source, ordered by digest, one of each.
    order: Vec<u32>,
    /// Whether each of them belongs to something.
    reached: Vec<bool>,
    links: HashMap<&'a [u8], &'a [u8]>,
    /// Indexes that name each document: document and index, ordered. Of both sources.
    parents: Vec<(ClaimedDigest, ClaimedDigest)>,
    /// Manifests of images that name each configuration: configuration and manifest, ordered. Of
    /// both sources.
    by_config: Vec<(ClaimedDigest, ClaimedDigest)>,
    /// Who signed each document that was asked for.
    pub(super) signers: HashMap<ClaimedDigest, Signer>,
    /// Who signed each document itself, regardless of what names it.
    pub(super) own_signers: HashMap<ClaimedDigest, Signer>,
    steps: u64,
}

impl<'a> Sources<'a> {
    pub(super) fn new(
        inside: &'a Contents,
        outside: &'a Contents,
        keys: &'a [Arc<Key>],
    ) -> Sources<'a> {
        let mut order: Vec<u32> = (0..inside.members.len() as u32).collect();
        let digest = |number: &u32| ClaimedDigest::from(inside.members[*number as usize].digest);
        order.sort_by_key(digest);
        order.dedup_by_key(|number| digest(number));
        let links = inside.links.iter().map(|link| (&*link.path, &*link.target));
        let (parents, by_config) = relations([inside, outside]);
        Sources {
            inside,
            outside,
            keys,
            reached: vec![false; order.len()],
            order,
            links: links.collect(),
            parents,
            by_config,
            signers: HashMap::new(),
            own_signers: HashMap::new(),
            steps: MOST_STEPS,
        }
    }

    /// Returns the member with this digest, regardless of its name.
    pub(super) fn member(&self, digest: &ClaimedDigest) -> Option<&'a Member> {
        let number = self.order[self.place(digest)?];
        Some(&self.inside.members[number as usize])
    }

    /// Returns the place of the member with this digest in the order.
    fn place(&self, digest: &ClaimedDigest) -> Option<usize> {
        let of = |number: &u32| self.inside.members[*number as usize].digest.into();
        self.order.binary_search_by_key(digest, of).ok()
    }

    /// Returns the document with this digest inside the source.
    pub(super) fn document(&self, digest: &ClaimedDigest) -> Option<&'a Document> {
        self.inside.document(digest)
    }

    /// Returns the manifest with this digest inside or outside the source.
    pub(super) fn manifest(&self, digest: &ClaimedDigest) -> Option<&'a Manifest> {
        let mut both = [self.inside, self.outside].into_iter();
        both.find_map(|contents| match &contents.document(digest)?.graph {
            Some(Ok(Graph::Manifest(manifest))) => Some(manifest),
            _ => None,
        })
    }

    /// Returns the indexes that name this document, and pays for them.
    ///
    /// # Errors
    /// [`ImageFailure::TooLarge`].
    pub(super) fn parents(
        &mut self,
        digest: &ClaimedDigest,
    ) -> Result<Vec<ClaimedDigest>, ImageFailure> {
        let places = places(&self.parents, digest);
        self.pay(places.len())?;
        Ok(self.parents[places].iter().map(|pair| pair.1).collect())
    }

    /// Returns the manifests of images that name this configuration, and pays for them.
    ///
    /// # Errors
    /// [`ImageFailure::TooLarge`].
    pub(super) fn with_config(
        &mut self,
        digest: &ClaimedDigest,
    ) -> Result<Vec<ClaimedDigest>, ImageFailure> {
        let places = places(&self.by_config, digest);
        self.pay(places.len())?;
        Ok(self.by_config[places].iter().map(|pair| pair.1).collect())
    }

    /// Returns the member with this path, or with the digest that the path promises.
    pub(super) fn file(&self, path: &[u8]) -> Option<&'a Member> {
        if is_blob_name(path) {
            let name = std::str::from_utf8(split(path).1).ok()?;
            return self.member(&ClaimedDigest::parse(name)?);
        }
        let number = self.inside.files.get(path)?;
        Some(&self.inside.members[*number as usize])
    }

    /// Returns the target of a link.
    pub(super) fn link(&self, path: &[u8]) -> Option<&'a [u8]> {
        self.links.get(path).copied()
    }

    /// Notes that the member with this digest belongs to something.
    pub(super) fn reach(&mut self, digest: &ClaimedDigest) {
        if let Some(place) = self.place(digest) {
            self.reached[place] = true;
        }
    }

    /// Reports whether the member with this digest belongs to something.
    pub(super) fn is_reached(&self, digest: &ClaimedDigest) -> bool {
        self.place(digest).is_some_and(|place| self.reached[place])
    }

    /// Pays for a number of steps.
    ///
    /// # Errors
    /// [`ImageFailure::TooLarge`] if so many are not left.
    pub(super) fn pay(&mut self, steps: usize) -> Result<(), ImageFailure> {
        match self.steps.checked_sub(steps as u64) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => {
                // Fail closed: what follows is not judged either, even if it costs less.
                self.steps = 0;
                let words = "the images here name more documents than are judged";
                Err(ImageFailure::TooLarge(words.into()))
            }
        }
    }
}

type Pairs = Vec<(ClaimedDigest, ClaimedDigest)>;

/// Returns which index names which document, and which manifest which configuration.
fn relations(both: [&Contents; 2]) -> (Pairs, Pairs) {
    let (mut parents, mut by_config) = (Vec::new(), Vec::new());
    let documents = both.iter().flat_map(|contents| &contents.documents);
    for (digest, (_, document)) in documents {
        match &document.graph {
            Some(Ok(Graph::Index(children))) => {
                let children = children.iter().map(|child| &child.descriptor);
                let graphs = children.filter(|descriptor| descriptor.class.is_graph());
                parents.extend(graphs.map(|descriptor| (descriptor.digest, *digest)));
            }
            Some(Ok(Graph::Manifest(manifest))) if manifest.config.class == Class::Config => {
                by_config.push((manifest.config.digest, *digest));
            }
            _ => {}
        }
    }
    for pairs in [&mut parents, &mut by_config] {
        pairs.sort_unstable();
        pairs.dedup();
    }
    (parents, by_config)
}

/// Returns where the pairs that begin with `first` are.
fn places(pairs: &Pairs, first: &ClaimedDigest) -> Range<usize> {
    let start = pairs.partition_point(|pair| pair.0 < *first);
    let end = pairs.partition_point(|pair| pair.0 <= *first);
    start..end
}
