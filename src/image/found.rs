//! Images as found: what each consists of, who signed it, and its names.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use super::archive;
use super::descriptor::Descriptor;
use super::document::Graph;
use super::listed::{Entry, Listed};
use super::media::Class;
use super::names::normalised;
use super::platform;
use super::policy::Policy;
use super::signer::Signer;
use super::sources::Sources;
use super::walk::{Walked, walk};
use crate::trust::claimed::ClaimedDigest;
use crate::trust::image::{ImageFailure, Platform};

/// An image under one of its names.
pub(super) struct Found {
    /// The name on its label.
    pub(super) name: Option<Box<str>>,
    /// The names on its other labels, by which some programs find it.
    pub(super) more_names: Box<[Box<str>]>,
    /// The digest in its entry, or of its configuration; where that is not here, the path that its
    /// entry has for it.
    pub(super) id: Id,
    /// What is the same under each of its names.
    pub(super) content: Rc<Content>,
}

/// What tells an image from others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Id {
    Digest(ClaimedDigest),
    Path(Box<str>),
}

/// What an image consists of, and who signed it.
pub(super) struct Content {
    pub(super) walked: Walked,
    pub(super) signer: Signer,
    /// Its platforms, taken out of what was walked: the same for each name.
    pub(super) platforms: Arc<[Platform]>,
    /// Steps that telling them once costs.
    pub(super) steps_to_tell: usize,
    /// Whether it is evidence that nothing can run or unpack.
    pub(super) is_inert: bool,
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Id::Digest(digest) => write!(f, "sha256:{digest}"),
            Id::Path(path) => f.write_str(path),
        }
    }
}

impl Content {
    fn new(mut walked: Walked, signer: Result<Signer, ImageFailure>) -> Content {
        let platforms: Arc<[Platform]> = std::mem::take(&mut walked.platforms).into();
        let steps = platforms.iter().map(|one| platform::steps(&one.name));
        let mut content = Content {
            steps_to_tell: steps.sum(),
            platforms,
            walked,
            signer: Signer::Nobody,
            is_inert: false,
        };
        match signer {
            Ok(signer) => content.signer = signer,
            Err(failure) => {
                content.walked.failure.get_or_insert(failure);
            }
        }
        content
    }
}

/// Finds all images that a source lists, under each of their names.
pub(super) fn find(sources: &mut Sources<'_>, listed: &Listed<'_>, policy: &Policy) -> Vec<Found> {
    let mut finder = Finder {
        tags: HashMap::new(),
        named: HashSet::new(),
        walked: HashMap::new(),
        found: Vec::new(),
    };
    let items: Vec<_> = listed
        .items
        .iter()
        .map(|(directory, item)| {
            let mut archived = archive::find(sources, directory, item);
            archived.walked.demand(&policy.platforms);
            if let Some(id) = archived.id {
                let tags = finder.tags.entry(id).or_default();
                tags.extend(item.tags.iter().map(|tag| &**tag));
            }
            (archived, *item)
        })
        .collect();
    for entry in &listed.entries {
        finder.add_entry(sources, entry, policy);
    }
    for (archived, item) in items {
        let id = archived
            .id
            .map_or_else(|| Id::Path(item.config.clone()), Id::Digest);
        let content = Content::new(archived.walked, Ok(archived.signer));
        finder.add_item(id, content, &item.tags);
    }
    finder.found
}

struct Finder<'a> {
    /// The names that `manifest.json` has for each configuration.
    tags: HashMap<ClaimedDigest, Vec<&'a str>>,
    /// Configurations of the images of `index.json`, with the names that these have.
    named: HashSet<(ClaimedDigest, Option<String>)>,
    walked: HashMap<Descriptor, Rc<Content>>,
    found: Vec<Found>,
}

impl Found {
    /// Returns all names by which a program may find it.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.name.iter().chain(&self.more_names);
        names.map(|name| &**name)
    }
}

impl Finder<'_> {
    fn add_entry(&mut self, sources: &mut Sources<'_>, entry: &Entry<'_>, policy: &Policy) {
        let known = self.walked.get(&entry.root).map(Rc::clone);
        let content = match known {
            Some(content) => content,
            None if sources.is_evidence(&entry.root) => return,
            None => {
                let content = Rc::new(content(sources, &entry.root, policy, &self.tags));
                self.walked.insert(entry.root, Rc::clone(&content));
                content
            }
        };
        let names = match self.names(sources, entry, &content) {
            Ok(names) => names,
            Err(failure) => {
                // Fail closed: an image that is not known under all its names is not judged.
                let content = Content::new(Walked::default(), Err(failure));
                self.push(entry.names.first().cloned(), entry, &Rc::new(content));
                return;
            }
        };
        for config in &content.walked.configs {
            let with = |name: &Option<Box<str>>| (*config, name.as_deref().map(normalised));
            self.named.extend(names.iter().map(with));
            self.named.insert((*config, None));
        }
        for name in names {
            self.push(name, entry, &content);
        }
    }

    fn push(&mut self, name: Option<Box<str>>, entry: &Entry<'_>, content: &Rc<Content>) {
        self.found.push(Found {
            name,
            more_names: entry.names.get(1..).unwrap_or_default().into(),
            id: Id::Digest(entry.root.digest),
            content: Rc::clone(content),
        });
    }

    /// Returns the names of an entry: that on its label, or those that `manifest.json` has for what
    /// it consists of.
    fn names(
        &self,
        sources: &mut Sources<'_>,
        entry: &Entry<'_>,
        content: &Content,
    ) -> Result<Vec<Option<Box<str>>>, ImageFailure> {
        sources.pay(1 + content.walked.configs.len())?;
        if let Some(name) = entry.names.first() {
            return Ok(vec![Some(name.clone())]);
        }
        let mut names = Vec::new();
        for config in &content.walked.configs {
            let tags = self.tags.get(config).map_or(&[][..], Vec::as_slice);
            sources.pay(tags.len() * (1 + content.walked.configs.len()))?;
            names.extend(tags.iter().map(|tag| Some(Box::from(*tag))));
        }
        names.sort();
        names.dedup();
        if names.is_empty() {
            names.push(None);
        }
        Ok(names)
    }

    /// Adds what `manifest.json` lists, unless it is whole and `index.json` lists the same under
    /// the same name.
    fn add_item(&mut self, id: Id, content: Content, tags: &[Box<str>]) {
        let is_whole = content.walked.failure.is_none();
        let is_there = |name: Option<&str>| match &id {
            Id::Digest(id) => is_whole && self.named.contains(&(*id, name.map(normalised))),
            Id::Path(_) => false,
        };
        let all = tags.iter().map(|tag| Some(&**tag));
        let none = tags.is_empty().then_some(None);
        let names: Vec<_> = all.chain(none).filter(|name| !is_there(*name)).collect();
        let content = Rc::new(content);
        for name in names {
            self.found.push(Found {
                name: name.map(Box::from),
                more_names: Box::default(),
                id: id.clone(),
                content: Rc::clone(&content),
            });
        }
    }
}

/// Walks an image, and asks who signed it. `saved` are the configurations that `manifest.json`
/// names.
fn content(
    sources: &mut Sources<'_>,
    root: &Descriptor,
    policy: &Policy,
    saved: &HashMap<ClaimedDigest, Vec<&str>>,
) -> Content {
    let walked = walk(sources, root, &policy.platforms);
    // Who signed what fails is never asked.
    let signer = match &walked.failure {
        Some(_) => Ok(Signer::Nobody),
        None => signer(sources, root, saved),
    };
    let is_inert = match graph(sources, root) {
        Some(Graph::Manifest(manifest)) => sources.is_inert(manifest),
        _ => false,
    };
    Content {
        is_inert,
        ..Content::new(walked, signer)
    }
}

fn graph<'a>(sources: &Sources<'a>, root: &Descriptor) -> Option<&'a Graph> {
    let document = sources.document(&root.digest)?;
    document.graph.as_ref()?.as_ref().ok()
}

fn signer(
    sources: &mut Sources<'_>,
    root: &Descriptor,
    saved: &HashMap<ClaimedDigest, Vec<&str>>,
) -> Result<Signer, ImageFailure> {
    let signer = sources.signer(root.digest)?;
    let Some(Graph::Manifest(manifest)) = graph(sources, root) else {
        return Ok(signer);
    };
    let config = &manifest.config;
    let document = sources.document(&config.digest);
    let document = document.and_then(|document| document.config.as_ref());
    // Only `docker save` writes a manifest that is not that of the registry.
    let is_saved = config.class == Class::Config && saved.contains_key(&config.digest);
    match document {
        Some(Ok(document)) if is_saved && !signer.is_trusted() => {
            Ok(signer.or(sources.twin_of_saved(manifest, &document.diff_ids)?))
        }
        _ => Ok(signer),
    }
}
