//! Media types (OCI image specification, and Docker's registry, schema 2), as classes.

/// What content of a media type is for those that load it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Class {
    /// An index, or Docker's manifest list.
    Index,
    /// A manifest.
    Manifest,
    /// The configuration of an image that runs.
    Config,
    /// A layer.
    Layer,
    /// A layer that may not be passed on, and comes from elsewhere.
    ForeignLayer,
    /// A signature, an attestation or a bill of materials: a document in JSON beside an image.
    Evidence,
    /// Anything else: charts, packs, what an artifact consists of.
    Other,
}

/// Beginning of every media type of Sigstore's bundles.
const SIGSTORE_BUNDLE: &str = "application/vnd.dev.sigstore.bundle";

impl Class {
    /// Returns the class of a media type, which is compared as it stands after JSON decoding.
    pub(super) fn of(media_type: &str) -> Class {
        match media_type {
            "application/vnd.oci.image.index.v1+json"
            | "application/vnd.docker.distribution.manifest.list.v2+json" => Class::Index,
            "application/vnd.oci.image.manifest.v1+json"
            | "application/vnd.docker.distribution.manifest.v2+json" => Class::Manifest,
            "application/vnd.oci.image.config.v1+json"
            | "application/vnd.docker.container.image.v1+json" => Class::Config,
            "application/vnd.oci.image.layer.v1.tar"
            | "application/vnd.oci.image.layer.v1.tar+gzip"
            | "application/vnd.oci.image.layer.v1.tar+zstd"
            | "application/vnd.docker.image.rootfs.diff.tar"
            | "application/vnd.docker.image.rootfs.diff.tar.gzip"
            | "application/vnd.docker.image.rootfs.diff.tar.zstd" => Class::Layer,
            "application/vnd.oci.image.layer.nondistributable.v1.tar"
            | "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
            | "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"
            | "application/vnd.docker.image.rootfs.foreign.diff.tar"
            | "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" => Class::ForeignLayer,
            "application/vnd.dev.cosign.simplesigning.v1+json"
            | "application/vnd.dsse.envelope.v1+json"
            | "application/vnd.in-toto+json"
            | "application/spdx+json"
            | "text/spdx+json"
            | "application/vnd.cyclonedx+json"
            | "application/vnd.syft+json" => Class::Evidence,
            other if other.starts_with(SIGSTORE_BUNDLE) => Class::Evidence,
            _ => Class::Other,
        }
    }

    /// Reports whether content of this class names further content.
    pub(super) fn is_graph(self) -> bool {
        matches!(self, Class::Index | Class::Manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockers_types_and_those_of_the_specification_are_one_class() {
        for (docker, oci) in [
            (
                "application/vnd.docker.distribution.manifest.list.v2+json",
                "application/vnd.oci.image.index.v1+json",
            ),
            (
                "application/vnd.docker.distribution.manifest.v2+json",
                "application/vnd.oci.image.manifest.v1+json",
            ),
            (
                "application/vnd.docker.container.image.v1+json",
                "application/vnd.oci.image.config.v1+json",
            ),
            (
                "application/vnd.docker.image.rootfs.diff.tar.gzip",
                "application/vnd.oci.image.layer.v1.tar+gzip",
            ),
        ] {
            assert_eq!(Class::of(docker), Class::of(oci));
            assert_ne!(Class::of(docker), Class::Other);
        }
    }

    #[test]
    fn a_type_in_other_case_or_with_a_parameter_is_no_known_one() {
        for text in [
            "Application/vnd.oci.image.index.v1+json",
            "application/vnd.oci.image.index.v1+json; charset=utf-8",
            "application/vnd.docker.distribution.manifest.v1+prettyjws",
            "",
        ] {
            assert_eq!(Class::of(text), Class::Other);
        }
    }
}
