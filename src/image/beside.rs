//! Signatures, attestations and bills of materials that stand in a list beside images.

use super::descriptor::{Child, Descriptor};
use super::document::{Graph, Manifest};
use super::media::Class;
use super::sources::Sources;
use super::walk::walk;
use crate::trust::claimed::ClaimedDigest;

/// Number of indexes, one inside the other, that are looked into.
const MOST_INDEXES: usize = 8;

impl Sources<'_> {
    /// Reports whether a descriptor is that of signatures and the like, all of it, and takes note
    /// of its parts if so.
    pub(super) fn is_evidence(&mut self, root: &Descriptor) -> bool {
        let is_evidence = self.is_evidence_below(root, 0);
        if is_evidence {
            // For what it reaches: that it is whole was just seen.
            let _ = walk(self, root, &[]);
        }
        is_evidence
    }

    /// Fail closed: labels (`kind`, `.sig` at the end of a tag) are no evidence, nor are media
    /// types, since some programs load anything with the name that they look for.
    fn is_evidence_below(&mut self, descriptor: &Descriptor, depth: usize) -> bool {
        if depth > MOST_INDEXES || self.pay(1).is_err() {
            return false;
        }
        let document = self.document(&descriptor.digest);
        let Some(Ok(graph)) = document.and_then(|document| document.graph.as_ref()) else {
            return false;
        };
        if graph.class() != descriptor.class || !self.is_here(descriptor) {
            return false;
        }
        match graph {
            Graph::Index(children) => {
                let is_evidence =
                    |child: &Child| self.is_evidence_below(&child.descriptor, depth + 1);
                !children.is_empty() && children.iter().all(is_evidence)
            }
            Graph::Manifest(manifest) => self.is_of_evidence(&descriptor.digest, manifest),
        }
    }

    /// Fail closed: only a signature that was read as one, or what has no configuration of an
    /// image, is beside the images. Attestations in the form of an image are listed as one.
    fn is_of_evidence(&mut self, digest: &ClaimedDigest, manifest: &Manifest) -> bool {
        let config = &manifest.config;
        let document = self.document(&config.digest);
        let is_config = document.is_some_and(|document| document.config.is_some());
        let is_image = config.class == Class::Config || is_config;
        self.is_inert(manifest) && (!is_image || self.inside.evidence.is_part(digest))
    }

    /// Reports whether nothing can run or unpack what a manifest names: it is all here, its
    /// configuration names no platform, and its layers are typed as evidence, and JSON.
    pub(super) fn is_inert(&mut self, manifest: &Manifest) -> bool {
        let Manifest { config, layers } = manifest;
        if self.pay(layers.len()).is_err() {
            return false;
        }
        let is_text = |descriptor: &Descriptor| {
            let member = self.member(&descriptor.digest);
            // Fail closed: a text can be JSON and an archive at once.
            member.is_some_and(|member| member.is_json && !member.may_be_tar)
                && self.is_here(descriptor)
        };
        let is_payload = |layer: &Descriptor| layer.class == Class::Evidence && is_text(layer);
        let document = self.document(&config.digest);
        let read = document.and_then(|document| document.config.as_ref());
        let runs = read.is_some_and(|config| match config {
            Ok(config) => config.platform.is_some(),
            Err(_) => true,
        });
        let is_config = !config.class.is_graph() && is_text(config) && !runs;
        is_config && !layers.is_empty() && layers.iter().all(is_payload)
    }

    fn is_here(&self, descriptor: &Descriptor) -> bool {
        self.member(&descriptor.digest)
            .is_some_and(|member| member.size == descriptor.size)
    }
}
