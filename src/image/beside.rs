//! Signatures, attestations and bills of materials that stand in a list beside images.

use super::descriptor::{Child, Descriptor};
use super::document::{Graph, Manifest};
use super::media::Class;
use super::sources::Sources;
use super::walk::walk;

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

    /// Fail closed: labels (`kind`, `.sig` at the end of a tag) are nothing to go by, nor are media
    /// types alone, since some programs unpack a layer whatever its type. Each layer must be here
    /// and be JSON, so that none can be unpacked.
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
            Graph::Manifest(manifest) => self.is_of_evidence(manifest),
        }
    }

    fn is_of_evidence(&mut self, manifest: &Manifest) -> bool {
        let Manifest { config, layers } = manifest;
        if self.pay(layers.len()).is_err() {
            return false;
        }
        let is_payload = |layer: &Descriptor| {
            let is_json = self
                .member(&layer.digest)
                .is_some_and(|member| member.is_json);
            layer.class == Class::Evidence && is_json && self.is_here(layer)
        };
        let is_config = !config.class.is_graph() && self.is_here(config);
        is_config && !layers.is_empty() && layers.iter().all(is_payload)
    }

    fn is_here(&self, descriptor: &Descriptor) -> bool {
        self.member(&descriptor.digest)
            .is_some_and(|member| member.size == descriptor.size)
    }
}
