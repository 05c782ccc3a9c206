//! The digest walk: from the digest of an image's root down to the last of its blobs.

use std::collections::{HashMap, HashSet};

use super::contents::Member;
use super::descriptor::{Child, Descriptor};
use super::document::{Graph, Manifest};
use super::media::Class;
use super::platform::{self, Wanted};
use super::sources::Sources;
use crate::digest::Digest;
use crate::trust::claimed::ClaimedDigest;
use crate::trust::image::{Blob, ImageFailure, Platform};

/// Number of indexes, one inside the other.
pub(super) const MOST_INDEXES: usize = 8;
/// Number of descriptors of one image.
const MOST_NODES: usize = 100_000;

/// What an image consists of, and whether all of it is here.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// The first failure.
    pub(super) failure: Option<ImageFailure>,
    /// Its platforms, in the order of its index.
    pub(super) platforms: Vec<Platform>,
    /// Its blobs, each once.
    pub(super) blobs: Vec<Blob>,
    /// The sum of their sizes, in bytes.
    pub(super) size: u64,
    /// Layers that are absent and come from elsewhere.
    pub(super) foreign: Vec<ClaimedDigest>,
    /// Configurations of its manifests.
    pub(super) configs: Vec<ClaimedDigest>,
    /// The digest of its root, as hashed.
    pub(super) digest: Option<Digest>,
    /// Whether anything of it has a platform or could run.
    has_runnable: bool,
}

/// What is here of a manifest.
#[derive(Clone, Debug)]
struct Leaf {
    is_whole: bool,
    /// The platform of its configuration.
    platform: Option<Box<str>>,
}

struct Walk<'s, 'a> {
    sources: &'s mut Sources<'a>,
    nodes: usize,
    leaves: HashMap<ClaimedDigest, Leaf>,
    counted: HashSet<ClaimedDigest>,
    walked: Walked,
}

/// Walks an image from the descriptor of its root. `wanted` are platforms that it must have.
pub(super) fn walk(sources: &mut Sources<'_>, root: &Descriptor, wanted: &[Wanted]) -> Walked {
    let mut walk = Walk {
        sources,
        nodes: 0,
        leaves: HashMap::new(),
        counted: HashSet::new(),
        walked: Walked::default(),
    };
    if let Err(failure) = walk.root(root) {
        walk.fail(failure);
    }
    let mut walked = walk.walked;
    walked.demand(wanted);
    walked
}

impl Walked {
    /// Adds a blob, which must be a new one.
    pub(super) fn add_blob(&mut self, member: &Member) {
        self.size = self.size.saturating_add(member.size);
        self.blobs.push(Blob {
            digest: member.digest,
            size: member.size,
        });
    }

    /// Sets the one platform of an image that can run, if it is known.
    pub(super) fn set_platform(&mut self, name: Option<Box<str>>) {
        let is_whole = true;
        self.platforms = name
            .map(|name| Platform { name, is_whole })
            .into_iter()
            .collect();
        self.has_runnable = true;
    }

    /// Fails if a platform that is wanted is not here. Charts and the like have none, and need
    /// none.
    pub(super) fn demand(&mut self, wanted: &[Wanted]) {
        if self.failure.is_some() || !self.has_runnable {
            return;
        }
        let whole = self.platforms.iter().filter(|platform| platform.is_whole);
        let whole: Vec<_> = whole.map(|platform| &platform.name).collect();
        let is_absent = |wanted: &&Wanted| !whole.iter().any(|name| wanted.is(name));
        if let Some(absent) = wanted.iter().find(is_absent) {
            self.failure = Some(ImageFailure::PlatformMissing(absent.to_string().into()));
        }
    }
}

impl<'a> Walk<'_, 'a> {
    /// Walks the root. An error ends the walk; other failures are kept, and it goes on, so that
    /// everything that belongs to the image is known.
    fn root(&mut self, root: &Descriptor) -> Result<(), ImageFailure> {
        let Some(member) = self.blob(root)? else {
            return Err(missing(&root.digest));
        };
        self.walked.digest = Some(member.digest);
        match self.graph(root)? {
            Graph::Index(children) => {
                self.index(children, 1)?;
                let platforms = &self.walked.platforms;
                if !platforms.iter().any(|platform| platform.is_whole) {
                    self.fail(ImageFailure::NoPlatform);
                }
            }
            Graph::Manifest(manifest) => {
                let leaf = self.manifest(&root.digest, manifest)?;
                if !leaf.is_whole {
                    self.fail(missing(&manifest.config.digest));
                }
                if let Some(name) = leaf.platform {
                    self.add_platform(name, leaf.is_whole)?;
                }
            }
        }
        Ok(())
    }

    fn index(&mut self, children: &[Child], depth: usize) -> Result<(), ImageFailure> {
        // Fail closed: what is deeper is not looked at.
        if depth > MOST_INDEXES {
            let words = format!("its indexes are nested more than {MOST_INDEXES} levels deep");
            return Err(ImageFailure::TooLarge(words.into()));
        }
        for child in children {
            self.child(child, depth)?;
        }
        Ok(())
    }

    fn child(&mut self, child: &Child, depth: usize) -> Result<(), ImageFailure> {
        let descriptor = &child.descriptor;
        if !descriptor.class.is_graph() {
            // Fail closed: programs differ in whether they skip it or load it.
            let why = "its index lists it as neither an index nor a manifest";
            self.fail(malformed(&descriptor.digest, why));
        }
        let leaf = match self.blob(descriptor)? {
            None => Leaf {
                is_whole: false,
                platform: None,
            },
            Some(_) => match self.graph(descriptor) {
                Ok(Graph::Index(children)) => return self.index(children, depth + 1),
                Ok(Graph::Manifest(manifest)) => self.manifest(&descriptor.digest, manifest)?,
                Err(failure) => {
                    self.fail(failure);
                    return Ok(());
                }
            },
        };
        let name = child.platform.clone().or(leaf.platform);
        // What nothing runs on is no platform, and does not stand for one.
        if !name.as_deref().is_some_and(platform::is_none) {
            let unnamed = || descriptor.digest.with_algorithm();
            self.walked.has_runnable |= name.is_some();
            self.add_platform(name.unwrap_or_else(unnamed), leaf.is_whole)?;
        }
        Ok(())
    }

    fn manifest(
        &mut self,
        digest: &ClaimedDigest,
        manifest: &Manifest,
    ) -> Result<Leaf, ImageFailure> {
        if let Some(leaf) = self.leaves.get(digest) {
            return Ok(leaf.clone());
        }
        let is_here = self.config(&manifest.config)?;
        for layer in &manifest.layers {
            self.no_graph(layer);
            if self.blob(layer)?.is_some() || !is_here {
                continue;
            }
            if layer.may_be_absent() {
                self.walked.foreign.push(layer.digest);
            } else {
                self.fail(missing(&layer.digest));
            }
        }
        let config = self.sources.document(&manifest.config.digest);
        let config = config.and_then(|document| document.config.as_ref()?.as_ref().ok());
        let is_image = manifest.config.class == Class::Config;
        let leaf = Leaf {
            is_whole: is_here,
            platform: config
                .filter(|_| is_image)
                .and_then(|config| config.platform.clone()),
        };
        self.walked.has_runnable |= is_image;
        self.leaves.insert(*digest, leaf.clone());
        Ok(leaf)
    }

    /// Looks at a configuration, and returns whether it is here.
    fn config(&mut self, descriptor: &Descriptor) -> Result<bool, ImageFailure> {
        self.no_graph(descriptor);
        self.walked.configs.push(descriptor.digest);
        let Some(member) = self.blob(descriptor)? else {
            return Ok(false);
        };
        if descriptor.class == Class::Config {
            let document = self.sources.document(&descriptor.digest);
            match document.and_then(|document| document.config.as_ref()) {
                // Fail closed: programs would find different things in it.
                _ if !member.is_json => {
                    self.fail(malformed(
                        &descriptor.digest,
                        "not JSON, or larger than 4 MiB",
                    ));
                }
                Some(Err(why)) => self.fail(malformed(&descriptor.digest, why)),
                Some(Ok(_)) | None => {}
            }
        }
        Ok(true)
    }

    /// Fails if content that is not walked has a media type of content that programs walk.
    fn no_graph(&mut self, descriptor: &Descriptor) {
        if descriptor.class.is_graph() {
            // Fail closed: some go by the media type wherever a descriptor stands.
            let why = "a manifest lists an index or a manifest as a blob";
            self.fail(malformed(&descriptor.digest, why));
        }
    }

    /// Returns the document of a descriptor whose content is here.
    fn graph(&self, descriptor: &Descriptor) -> Result<&'a Graph, ImageFailure> {
        let document = self.sources.document(&descriptor.digest);
        let graph = match document.and_then(|document| document.graph.as_ref()) {
            Some(Ok(graph)) => graph,
            Some(Err(why)) => return Err(malformed(&descriptor.digest, why)),
            None => {
                let why = "it is neither an index nor a manifest of 4 MiB at most";
                return Err(malformed(&descriptor.digest, why));
            }
        };
        // Fail closed: a program that goes by the descriptor would read it as something else.
        if graph.class() != descriptor.class {
            let why = "it is not of the media type that its descriptor gives it";
            return Err(malformed(&descriptor.digest, why));
        }
        Ok(graph)
    }

    /// Returns the member with the digest of a descriptor, if it is here.
    fn blob(&mut self, descriptor: &Descriptor) -> Result<Option<&'a Member>, ImageFailure> {
        self.sources.pay(1)?;
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            let words = format!("it consists of more than {MOST_NODES} parts");
            return Err(ImageFailure::TooLarge(words.into()));
        }
        let Some(member) = self.sources.member(&descriptor.digest) else {
            return Ok(None);
        };
        if member.size != descriptor.size {
            self.fail(ImageFailure::BlobSize {
                digest: descriptor.digest.with_algorithm(),
                promised: descriptor.size,
                actual: member.size,
            });
        }
        if self.counted.insert(descriptor.digest) {
            self.sources.reach(&descriptor.digest);
            self.walked.add_blob(member);
        }
        Ok(Some(member))
    }

    /// Adds a platform, and pays for what its name takes in memory.
    fn add_platform(&mut self, name: Box<str>, is_whole: bool) -> Result<(), ImageFailure> {
        self.sources.pay(platform::steps(&name))?;
        self.walked.platforms.push(Platform { name, is_whole });
        Ok(())
    }

    fn fail(&mut self, failure: ImageFailure) {
        self.walked.failure.get_or_insert(failure);
    }
}

/// Says that a blob is missing.
pub(super) fn missing(digest: &ClaimedDigest) -> ImageFailure {
    ImageFailure::BlobMissing(digest.with_algorithm())
}

/// Says that a document is malformed.
pub(super) fn malformed(digest: &ClaimedDigest, why: &str) -> ImageFailure {
    ImageFailure::Malformed {
        document: digest.with_algorithm(),
        why: why.into(),
    }
}
