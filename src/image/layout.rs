//! Entry documents: how the programs that load images find them in a directory.

use super::contents::MAX_TEXT;
use super::descriptor::{Child, DescriptorError, is_hex};
use super::document::{Document, Graph};
use super::saved::Item;
use crate::digest::Digest;
use crate::text::json::Json;

/// What a directory has of the three layouts: OCI's, Docker's archive, and skopeo's `dir:`.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// `index.json`.
    pub(super) index: Option<Result<Box<[Child]>, Unusable>>,
    /// `manifest.json`.
    pub(super) manifest: Option<ManifestJson>,
    /// `oci-layout`.
    pub(super) marker: Option<Result<(), DescriptorError>>,
    /// Whether there is a `version`, which skopeo writes.
    has_version: bool,
    /// Whether there are blobs in `blobs/`.
    has_blobs: bool,
    /// Whether there are members named by a digest.
    has_hashes: bool,
    /// Whether there is a `repositories`, which was what Docker's archives had before
    /// `manifest.json`.
    has_repositories: bool,
}

/// Why an entry document has no meaning.
#[derive(Debug)]
pub(super) struct Unusable {
    /// In words.
    pub(super) why: DescriptorError,
    /// Whether the programs that load images would make something of it nevertheless, or may: it
    /// begins like one.
    is_like_one: bool,
}

/// What a `manifest.json` is.
#[derive(Debug)]
pub(super) enum ManifestJson {
    /// That of a Docker archive.
    Items(Result<Box<[Item]>, DescriptorError>),
    /// The index or manifest of skopeo's `dir:`, with its digest and size.
    Root(Digest, u64),
    /// A text that could be either, and is not.
    Unusable(Unusable),
    /// Something else with this name.
    Other,
}

/// Names of members that belong to a layout.
pub(super) const ENTRY_NAMES: [&[u8]; 5] = [
    b"index.json",
    b"manifest.json",
    b"oci-layout",
    b"version",
    b"repositories",
];

impl Layout {
    /// Reports whether a member with this name belongs to a layout, in any directory.
    pub(super) fn has_part(name: &[u8]) -> bool {
        ENTRY_NAMES.contains(&name) || is_named_by_hash(name)
    }

    /// Takes in a member of the directory by its `name`. `text` and `json` are as for
    /// [`super::contents::Contents::add_file`].
    pub(super) fn add(
        &mut self,
        name: &[u8],
        file: (Digest, u64),
        text: Option<&[u8]>,
        json: Option<&Result<Json, DescriptorError>>,
    ) {
        match name {
            b"index.json" => self.index = Some(index(file.1, text, json)),
            b"manifest.json" => self.manifest = Some(manifest(file, text, json)),
            b"oci-layout" => self.marker = Some(marker(json)),
            b"version" => self.has_version = true,
            b"repositories" => self.has_repositories = true,
            _ => self.has_hashes |= is_named_by_hash(name),
        }
    }

    /// Notes that there are blobs in its `blobs/`.
    pub(super) fn add_blob(&mut self) {
        self.has_blobs = true;
    }

    /// Reports whether its directory is one of skopeo's: only there is a bare digest a name that
    /// promises content.
    pub(super) fn is_skopeo(&self) -> bool {
        matches!(self.manifest, Some(ManifestJson::Root(..))) || self.has_version
    }

    fn is_oci(&self) -> bool {
        self.has_blobs || self.marker.is_some()
    }

    /// Returns what its `index.json` lists, or why that cannot be said; `None` if it is none.
    pub(super) fn children(&self, is_root: bool) -> Option<Result<&[Child], DescriptorError>> {
        let manifest = matches!(self.manifest, Some(ManifestJson::Items(_)));
        match &self.index {
            Some(Ok(children)) => Some(Ok(children)),
            Some(Err(unusable)) => {
                let counts = self.is_oci() || manifest || (is_root && unusable.is_like_one);
                counts.then(|| Err(unusable.why.clone()))
            }
            // Fail closed: without its list, images that were here are not judged.
            None => {
                let is_docker = matches!(self.manifest, Some(ManifestJson::Items(Ok(_))));
                let is_lost = self.is_oci() && !is_docker;
                is_lost.then(|| Err("missing, although there are parts of a layout".into()))
            }
        }
    }

    /// Returns what its `manifest.json` is, as far as programs that load images use it.
    pub(super) fn saved(&self, is_root: bool) -> Option<&ManifestJson> {
        let near = self.is_oci() || self.has_version || self.has_hashes || self.has_repositories;
        match self.manifest.as_ref()? {
            ManifestJson::Other => None,
            ManifestJson::Unusable(unusable) if !(near || is_root && unusable.is_like_one) => None,
            ManifestJson::Root(..) if !is_root && !self.has_version && !self.has_hashes => None,
            // An OCI layout with a `manifest.json` of another meaning, such as a web application's.
            known => Some(known),
        }
    }

    /// Reports whether it holds images that only a list which is not there could name.
    pub(super) fn is_without_list(&self, is_root: bool, is_legacy: bool) -> bool {
        let has_none = self.index.is_none() && self.saved(is_root).is_none();
        has_none && ((is_legacy && self.has_repositories) || (is_root && self.has_hashes))
    }

    /// Returns the bytes that it takes in memory, roughly.
    pub(super) fn weight(&self) -> usize {
        let children = match &self.index {
            Some(Ok(children)) => children.iter().map(Child::weight).sum(),
            Some(Err(unusable)) => unusable.why.len(),
            None => 0,
        };
        let items = match &self.manifest {
            Some(ManifestJson::Items(Ok(items))) => items.iter().map(Item::weight).sum(),
            _ => 0,
        };
        size_of::<Layout>() + children + items
    }
}

/// Reports whether a name is a digest, maybe with an ending, as layers and configurations in
/// archives have it.
fn is_named_by_hash(name: &[u8]) -> bool {
    let name = name.strip_prefix(b"sha256:").unwrap_or(name);
    let stem = name.get(..64).unwrap_or_default();
    let ending = name.get(64..).unwrap_or_default();
    is_hex(stem) && matches!(ending, b"" | b".json" | b".tar" | b".tar.gz")
}

fn index(
    size: u64,
    text: Option<&[u8]>,
    json: Option<&Result<Json, DescriptorError>>,
) -> Result<Box<[Child]>, Unusable> {
    let json = match json {
        Some(Ok(json)) => json,
        Some(Err(why)) => {
            return Err(Unusable {
                why: why.clone(),
                is_like_one: false,
            });
        }
        None => return Err(no_text(size, text)),
    };
    let unusable = |why: DescriptorError, is_like_one| Unusable { why, is_like_one };
    match Document::read(json).and_then(|document| document.graph) {
        Some(Ok(Graph::Index(children))) => Ok(children),
        Some(Ok(Graph::Manifest(_))) => Err(unusable("it is a manifest".into(), true)),
        Some(Err(why)) => Err(unusable(why, true)),
        None => Err(unusable("it lists no manifests".into(), false)),
    }
}

fn manifest(
    (digest, size): (Digest, u64),
    text: Option<&[u8]>,
    json: Option<&Result<Json, DescriptorError>>,
) -> ManifestJson {
    let json = match json {
        Some(Ok(json)) => json,
        Some(Err(why)) => {
            let first = text.and_then(|text| text.trim_ascii_start().first());
            return ManifestJson::Unusable(Unusable {
                why: why.clone(),
                is_like_one: first == Some(&b'['),
            });
        }
        None => return ManifestJson::Unusable(no_text(size, text)),
    };
    if let Some(items) = Item::read_all(json) {
        return ManifestJson::Items(items);
    }
    match Document::read(json) {
        Some(Document { graph: Some(_), .. }) => ManifestJson::Root(digest, size),
        _ => ManifestJson::Other,
    }
}

/// Says why a text is not there to be read.
fn no_text(size: u64, text: Option<&[u8]>) -> Unusable {
    let is_large = text.is_none() && size > MAX_TEXT as u64;
    let why = if is_large {
        "it is larger than 4 MiB"
    } else {
        "it is not JSON"
    };
    // Fail closed: what is too large to be read here may be read elsewhere.
    Unusable {
        why: why.into(),
        is_like_one: is_large,
    }
}

fn marker(json: Option<&Result<Json, DescriptorError>>) -> Result<(), DescriptorError> {
    let json = json
        .ok_or("it is not JSON")?
        .as_ref()
        .map_err(DescriptorError::clone)?;
    let object = json.as_object().ok_or("it is not an object")?;
    match object.text("imageLayoutVersion")? {
        Some("1.0.0") => Ok(()),
        _ => Err("its version is not 1.0.0".into()),
    }
}
