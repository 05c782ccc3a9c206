//! What a source lists, and what keeps its lists from having one meaning.

use std::collections::BTreeSet;

use super::contents::{Contents, is_blob_name, split};
use super::descriptor::{Child, Descriptor, DescriptorError};
use super::document::Graph;
use super::layout::{Layout, ManifestJson};
use super::saved::Item;
use super::sources::Sources;
use crate::trust::claimed::ClaimedDigest;
use crate::trust::image::ContentsFailure;

/// What the entry documents of a source list.
#[derive(Default)]
pub(super) struct Listed<'a> {
    /// What `index.json` lists; and the root of a directory of skopeo's.
    pub(super) entries: Vec<Entry<'a>>,
    /// What `manifest.json` lists, with its directory.
    pub(super) items: Vec<(&'a [u8], &'a Item)>,
    /// Why an entry document, or all of them, have no meaning.
    pub(super) failures: Vec<ContentsFailure>,
}

/// An image by its descriptor.
pub(super) struct Entry<'a> {
    pub(super) root: Descriptor,
    /// The names on its labels, its own first.
    pub(super) names: &'a [Box<str>],
}

/// Lists the images of a source, each as often as it is listed there.
pub(super) fn list<'a>(sources: &Sources<'a>) -> Listed<'a> {
    let inside = sources.inside;
    let mut listed = Listed::default();
    if inside.is_registry {
        listed.refuse("a registry's storage directory, which is not supported".into());
    }
    if let Some(why) = wrong_link(sources) {
        listed.refuse(why);
    }
    for (directory, layout) in &inside.layouts {
        listed.add(inside, directory, layout);
    }
    for directory in legacy(inside) {
        let layout = inside.layouts.get(directory);
        if layout.is_none_or(|layout| layout.manifest.is_none() && !has_no_list(inside, directory))
        {
            listed.refuse_document(directory, "manifest.json", NO_LIST);
        }
    }
    listed
}

/// Why an archive of Docker's without its list is refused.
///
/// Fail closed: Docker's own loader has other ways to find images in it.
const NO_LIST: &str = "missing, although there are files named like parts of an image";

/// Reports whether a directory has what Docker's archives have, and no list.
fn has_no_list(inside: &Contents, directory: &[u8]) -> bool {
    let layout = inside.layouts.get(directory);
    layout.is_some_and(|layout| layout.is_without_list(directory.is_empty(), inside.is_legacy))
}

/// Returns the directories with images in the form from before `manifest.json`: directories with a
/// description and a layer each, which Docker's loader takes if there is no list, named or not.
fn legacy(inside: &Contents) -> BTreeSet<&[u8]> {
    let links = inside.links.iter().map(|link| &link.path);
    let layers = inside.files.keys().chain(links).map(|path| split(path));
    let images = layers.filter_map(|(image, name)| (name == b"layer.tar").then_some(image));
    let is_described = |image: &&[u8]| {
        !image.is_empty()
            && inside
                .files
                .contains_key(&*[image, b"/json".as_slice()].concat())
    };
    images
        .filter(is_described)
        .map(|image| split(image).0)
        .collect()
}

impl<'a> Listed<'a> {
    fn refuse(&mut self, why: DescriptorError) {
        self.failures.push(ContentsFailure::Refused(why));
    }

    fn refuse_document(&mut self, directory: &[u8], name: &str, why: &str) {
        let slash = if directory.is_empty() { "" } else { "/" };
        let directory = String::from_utf8_lossy(directory);
        self.refuse(format!("{directory}{slash}{name}: {why}").into());
    }

    fn add(&mut self, inside: &'a Contents, directory: &'a [u8], layout: &'a Layout) {
        let is_root = directory.is_empty();
        if let Some(Err(why)) = &layout.marker {
            self.refuse_document(directory, "oci-layout", why);
        }
        match layout.children(is_root) {
            Some(Ok(children)) => self.entries.extend(children.iter().map(Entry::of)),
            Some(Err(why)) => self.refuse_document(directory, "index.json", &why),
            None => {}
        }
        match layout.saved(is_root) {
            Some(ManifestJson::Items(Ok(items))) => {
                self.items
                    .extend(items.iter().map(|item| (directory, item)));
            }
            Some(ManifestJson::Items(Err(why))) => {
                self.refuse_document(directory, "manifest.json", why);
            }
            Some(ManifestJson::Unusable(unusable)) => {
                self.refuse_document(directory, "manifest.json", &unusable.why);
            }
            Some(ManifestJson::Root(digest, size)) => {
                let digest = (*digest).into();
                let document = inside.document(&digest);
                match document.and_then(|document| document.graph.as_ref()) {
                    Some(Ok(graph)) => self.entries.push(Entry::root(graph, digest, *size)),
                    Some(Err(why)) => self.refuse_document(directory, "manifest.json", why),
                    None => {}
                }
            }
            Some(ManifestJson::Other) | None => {}
        }
        if has_no_list(inside, directory) {
            self.refuse_document(directory, "manifest.json", NO_LIST);
        }
    }
}

impl<'a> Entry<'a> {
    fn of(child: &'a Child) -> Entry<'a> {
        Entry {
            root: child.descriptor,
            names: &child.names,
        }
    }

    fn root(graph: &Graph, digest: ClaimedDigest, size: u64) -> Entry<'a> {
        Entry {
            root: Descriptor {
                digest,
                size,
                class: graph.class(),
                has_urls: false,
            },
            names: &[],
        }
    }
}

/// Returns what is wrong with the first link that may change what a program finds.
///
/// Fail closed: the only links that have a use are layers of Docker's archives, `layer.tar` beside
/// an old description, which lead to a regular member.
fn wrong_link(sources: &Sources<'_>) -> Option<DescriptorError> {
    let inside = sources.inside;
    let is_wrong = |path: &[u8], target: &[u8]| {
        let is_file = inside.files.contains_key(target)
            || (is_blob_name(target) && sources.file(target).is_some());
        split(path).1 != b"layer.tar" || !is_file || inside.directories.contains(path)
    };
    let wrong = inside
        .links
        .iter()
        .find(|link| is_wrong(&link.path, &link.target))?;
    let path = String::from_utf8_lossy(&wrong.path);
    Some(format!("{path} is a link, and not to a layer that is here").into())
}
