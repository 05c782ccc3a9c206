//! Indexes, manifests and configurations (OCI image specification; Docker's registry, schema 2),
//! reduced to what they say of other content.

use super::descriptor::{Child, Descriptor, DescriptorError, digest};
use super::media::Class;
use super::platform;
use crate::text::json::{Json, JsonError, Object};
use crate::trust::claimed::ClaimedDigest;

/// What a text in JSON says in each of the roles in which another document can name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Document {
    /// As an index or a manifest, if it looks like one.
    pub(super) graph: Option<Result<Graph, DescriptorError>>,
    /// As the configuration of an image, if it looks like one.
    pub(super) config: Option<Result<Config, DescriptorError>>,
}

/// A document that names others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Graph {
    /// An index, or Docker's manifest list.
    Index(Box<[Child]>),
    /// A manifest.
    Manifest(Manifest),
}

/// The manifest of an image, or of an artifact in the form of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    /// Its configuration.
    pub(super) config: Descriptor,
    /// Its layers, lowest first.
    pub(super) layers: Box<[Descriptor]>,
}

/// The configuration of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Config {
    /// The platform that it is for, if it says so.
    pub(super) platform: Option<Box<str>>,
    /// The digests of its uncompressed layers, lowest first.
    pub(super) diff_ids: Box<[ClaimedDigest]>,
}

impl Document {
    /// Reads a text; `None` if it is neither index nor manifest nor configuration.
    pub(super) fn read(json: &Json) -> Option<Document> {
        let object = json.as_object()?;
        let document = Document {
            graph: graph(object).transpose(),
            config: config(object).transpose(),
        };
        (document.graph.is_some() || document.config.is_some()).then_some(document)
    }

    /// Returns the bytes that it takes in memory, roughly.
    pub(super) fn weight(&self) -> usize {
        let graph = match &self.graph {
            Some(Ok(Graph::Index(children))) => children.iter().map(Child::weight).sum(),
            Some(Ok(Graph::Manifest(manifest))) => manifest.layers.len() * size_of::<Descriptor>(),
            Some(Err(why)) => why.len(),
            None => 0,
        };
        let config = match &self.config {
            Some(Ok(config)) => {
                let platform = config.platform.as_deref().map_or(0, str::len);
                config.diff_ids.len() * size_of::<ClaimedDigest>() + platform
            }
            Some(Err(why)) => why.len(),
            None => 0,
        };
        size_of::<Document>() + graph + config
    }
}

impl Graph {
    /// Returns the class of media types that descriptors of this document must have.
    pub(super) fn class(&self) -> Class {
        match self {
            Graph::Index(_) => Class::Index,
            Graph::Manifest(_) => Class::Manifest,
        }
    }
}

impl Child {
    /// Returns the bytes that it takes in memory, roughly.
    pub(super) fn weight(&self) -> usize {
        let platform = self.platform.as_deref().map_or(0, str::len);
        let names = self.names.iter();
        let names = names.map(|name| size_of::<Box<str>>() + name.len());
        size_of::<Child>() + platform + names.sum::<usize>()
    }
}

/// Reads an index or a manifest; `None` if it has nothing of either.
fn graph(object: &Object) -> Result<Option<Graph>, DescriptorError> {
    let (manifests, layers) = (object.array("manifests")?, object.array("layers")?);
    let has = |key| object.exact(key).is_some();
    // Fail closed: which of the two such a document is depends on who reads it (CVE-2021-41190).
    if has("manifests") && (has("layers") || has("config")) {
        return Err("it is both an index and a manifest".into());
    }
    if has("fsLayers") {
        return Err("it is a manifest of schema 1, which names no configuration".into());
    }
    let media_type = object.text("mediaType")?.map(Class::of);
    let is_typed = media_type.is_some_and(Class::is_graph);
    if !is_typed && !has("manifests") && !has("layers") {
        return Ok(None);
    }
    // Fail closed: a third version would be another format.
    if object
        .number("schemaVersion")?
        .is_some_and(|version| version != 2)
    {
        return Err("its schema version is not 2".into());
    }
    let graph = if has("manifests") {
        let children: Result<_, DescriptorError> = manifests
            .unwrap_or_default()
            .iter()
            .map(Child::read)
            .collect();
        Graph::Index(children?)
    } else {
        Graph::Manifest(Manifest {
            config: Descriptor::read(object.get("config")?.ok_or(JsonError::Missing("config"))?)?,
            layers: layers
                .ok_or(JsonError::Missing("layers"))?
                .iter()
                .map(Descriptor::read)
                .collect::<Result<_, DescriptorError>>()?,
        })
    };
    // Fail closed: a program that goes by the type would read it as something else.
    if media_type.is_some_and(|class| class != graph.class()) {
        return Err("its media type does not match its content".into());
    }
    Ok(Some(graph))
}

/// Reads the configuration of an image; `None` if it has nothing of one.
fn config(object: &Object) -> Result<Option<Config>, DescriptorError> {
    let rootfs = object.object("rootfs")?;
    let platform = platform::read(object)?;
    let Some(rootfs) = rootfs else {
        let diff_ids = Box::default();
        return Ok(platform.map(|platform| Config {
            platform: Some(platform),
            diff_ids,
        }));
    };
    let diff_ids = rootfs.array("diff_ids")?.unwrap_or_default();
    let text = |json: &Json| digest(json.as_str().unwrap_or_default());
    Ok(Some(Config {
        platform,
        diff_ids: diff_ids
            .iter()
            .map(text)
            .collect::<Result<_, DescriptorError>>()?,
    }))
}
