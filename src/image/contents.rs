//! What a source of images holds, taken in member by member.
//!
//! Of each member its digest and size are kept, and of its text only what it says of others. What
//! all of it takes in memory has a limit.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::descriptor::{DescriptorError, is_hex};
use super::document::Document;
use super::evidence::Evidence;
use super::layout::{ENTRY_NAMES, Layout};
use crate::digest::{Algorithms, Digest, Digests};
use crate::text::escape;
use crate::text::json::{self, Json};
use crate::text::tar_header::may_be_header;
use crate::trust::claimed::ClaimedDigest;
use crate::trust::image::ContentsFailure;

/// Size in bytes of the largest member whose text is read.
pub const MAX_TEXT: usize = json::MOST_BYTES;
/// Number of members that a source may have.
const MOST_MEMBERS: usize = 500_000;
/// Bytes that everything kept of a source's members may take, beside their digests.
const MOST_BYTES: usize = 64 << 20;
/// Number of failures of one kind that are kept one by one.
const MOST_FAILURES: usize = 100;

/// The members of one source, as hashed: an archive, a directory, or what the user brought along.
#[derive(Debug, Default)]
pub struct Contents {
    pub(super) members: Vec<Member>,
    /// By digest; with it as hashed, since signatures are verified over nothing else.
    pub(super) documents: HashMap<ClaimedDigest, (Digests, Document)>,
    pub(super) evidence: Evidence,
    /// Members whose names are not their digests, by path.
    pub(super) files: HashMap<Box<[u8]>, u32>,
    pub(super) links: Vec<Link>,
    /// Every directory with a member below it.
    pub(super) directories: HashSet<Box<[u8]>>,
    /// By directory; those without anything of a layout are not here.
    pub(super) layouts: BTreeMap<Box<[u8]>, Layout>,
    /// Blobs whose names are not their digests.
    mislabelled: Vec<ContentsFailure>,
    /// Members with a bare digest for a name, which is not theirs: a failure only in a directory of
    /// skopeo's.
    bare: Vec<(Box<[u8]>, Digest)>,
    /// Number of blobs with a wrong name that are in neither list.
    more_mislabelled: usize,
    /// Whether there is anything of an archive in the form from before `manifest.json`.
    pub(super) is_legacy: bool,
    /// Whether there is anything of a registry's storage.
    pub(super) is_registry: bool,
    weight: usize,
}

/// A member.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) digest: Digest,
    pub(super) size: u64,
    /// Whether it is JSON that could be read.
    pub(super) is_json: bool,
    /// Whether it is a text that programs could unpack as an archive.
    pub(super) may_be_tar: bool,
    /// Whether its place in a layout tells what it is for, so that nothing has to name it.
    pub(super) is_part_of_layout: bool,
}

/// A link.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) path: Box<[u8]>,
    pub(super) target: Box<[u8]>,
}

impl Contents {
    /// Takes in a regular file, with its path relative to the source, normalised, and its whole
    /// content if that is at most [`MAX_TEXT`] bytes and begins like JSON, or is a signature.
    pub fn add_file(&mut self, path: &[u8], digest: Digest, size: u64, text: Option<&[u8]>) {
        if self.is_over_limit() {
            return;
        }
        let json = text.map(|text| Json::parse(text).map_err(DescriptorError::from));
        let is_json = matches!(json, Some(Ok(_)));
        let number = self.members.len() as u32;
        let (directory, name) = split(path);
        self.members.push(Member {
            digest,
            size,
            is_json,
            may_be_tar: text
                .and_then(<[u8]>::first_chunk)
                .is_some_and(may_be_header),
            is_part_of_layout: is_part_of_layout(directory, name),
        });
        self.add_document(digest, text, json.as_ref());
        self.add_directories(directory);
        self.is_registry |= is_below_registry(path);
        // Under any algorithm of the specification, `blobs/sha512/` included.
        let (above, algorithm) = split(directory);
        if let (root, b"blobs") = split(above)
            && matches!(algorithm, b"sha256" | b"sha384" | b"sha512")
        {
            self.layout(root).add_blob();
        }
        if is_blob_name(path) {
            return self.add_blob(path, digest);
        }
        self.is_legacy |= matches!(name, b"layer.tar" | b"VERSION");
        if Layout::has_part(name) {
            self.add_to_layout(directory, name, (digest, size), text, json.as_ref());
        }
        self.weigh(path.len() + size_of::<Link>());
        self.files.insert(path.into(), number);
        if is_hex(name) && !is_name_of(digest, name) {
            self.weigh(path.len() + size_of::<Link>());
            self.bare.push((path.into(), digest));
        }
    }

    /// Takes in a file that the user brought along. Reports whether it is a signature, or an index
    /// or a manifest of images.
    pub fn bring(&mut self, content: &[u8]) -> bool {
        let hashed = Digests::of(content, Algorithms::NONE);
        let is_signature = self.evidence.add(hashed.sha256(), content);
        let text = (content.len() <= MAX_TEXT).then_some(content);
        let json = text.and_then(|text| Json::parse(text).ok());
        let document = json.and_then(|json| Document::read(&json));
        let is_graph = |document: &Document| matches!(document.graph, Some(Ok(_)));
        self.weigh(if is_signature { content.len() } else { 0 });
        let Some(document) = document.filter(is_graph) else {
            return is_signature;
        };
        self.weigh(document.weight());
        let digest = *hashed.sha256();
        self.documents.insert(digest.into(), (hashed, document));
        true
    }

    /// Returns the images that its signatures are about.
    pub(crate) fn signed_images(&self) -> impl Iterator<Item = ClaimedDigest> {
        self.evidence.subjects()
    }

    /// Returns the document with this digest.
    pub(super) fn document(&self, digest: &ClaimedDigest) -> Option<&Document> {
        self.documents.get(digest).map(|(_, document)| document)
    }

    /// Takes in a link, with its path and its target, both relative to the source and normalised.
    pub fn add_link(&mut self, path: &[u8], target: &[u8]) {
        self.weigh(path.len() + target.len() + size_of::<Link>());
        if !self.is_over_limit() {
            let (directory, name) = split(path);
            self.add_directories(directory);
            self.is_legacy |= name == b"layer.tar";
            self.links.push(Link {
                path: path.into(),
                target: target.into(),
            });
        }
    }

    /// Reports whether it has more than may be kept. Nothing is taken in from then on.
    pub fn is_over_limit(&self) -> bool {
        self.members.len() > MOST_MEMBERS || self.weight > MOST_BYTES
    }

    /// Returns what is wrong with its members, regardless of their purpose.
    pub(super) fn failures(&self) -> Vec<ContentsFailure> {
        let in_skopeo = |path: &[u8]| {
            self.layouts
                .get(split(path).0)
                .is_some_and(Layout::is_skopeo)
        };
        let bare = self.bare.iter().filter(|(path, _)| in_skopeo(path));
        let bare = bare.map(|(path, digest)| mislabelled(path, *digest));
        let mut failures: Vec<_> = self.mislabelled.iter().cloned().chain(bare).collect();
        let more = failures.len().saturating_sub(MOST_FAILURES) + self.more_mislabelled;
        failures.truncate(MOST_FAILURES);
        if more > 0 {
            let words = format!("{more} more blobs do not match their names");
            failures.push(ContentsFailure::Refused(words.into()));
        }
        failures
    }

    fn add_document(
        &mut self,
        digest: Digest,
        text: Option<&[u8]>,
        json: Option<&Result<Json, DescriptorError>>,
    ) {
        if let Some(text) = text
            && self.evidence.add(&digest, text)
        {
            self.weigh(text.len());
        }
        if let (Some(text), Some(Ok(json))) = (text, json)
            && let Some(document) = Document::read(json)
        {
            self.weigh(document.weight());
            let hashed = Digests::of(text, Algorithms::NONE);
            self.documents.insert(digest.into(), (hashed, document));
        }
    }

    /// Takes in a member whose path is that of a blob.
    fn add_blob(&mut self, path: &[u8], digest: Digest) {
        let (_, name) = split(path);
        // Fail closed, whoever uses it: a program that goes by the name would load other content.
        if !is_name_of(digest, name) {
            if self.mislabelled.len() < MOST_FAILURES {
                self.mislabelled.push(mislabelled(path, digest));
            } else {
                self.more_mislabelled += 1;
            }
        }
    }

    fn add_to_layout(
        &mut self,
        directory: &[u8],
        name: &[u8],
        file: (Digest, u64),
        text: Option<&[u8]>,
        json: Option<&Result<Json, DescriptorError>>,
    ) {
        let layout = self.layout(directory);
        let before = layout.weight();
        layout.add(name, file, text, json);
        let more = layout.weight().saturating_sub(before);
        self.weigh(more);
    }

    fn layout(&mut self, directory: &[u8]) -> &mut Layout {
        if !self.layouts.contains_key(directory) {
            self.weigh(directory.len() + size_of::<Layout>());
        }
        self.layouts.entry(directory.into()).or_default()
    }

    fn add_directories(&mut self, mut directory: &[u8]) {
        while !directory.is_empty() && !self.directories.contains(directory) {
            self.weigh(directory.len() + size_of::<Link>());
            self.directories.insert(directory.into());
            directory = split(directory).0;
        }
    }

    fn weigh(&mut self, bytes: usize) {
        self.weight = self.weight.saturating_add(bytes);
    }
}

/// Reports whether a name is this digest, in hexadecimal digits.
fn is_name_of(digest: Digest, name: &[u8]) -> bool {
    let name = std::str::from_utf8(name)
        .ok()
        .and_then(ClaimedDigest::parse);
    name == Some(digest.into())
}

fn mislabelled(path: &[u8], digest: Digest) -> ContentsFailure {
    let name = escape::name(OsStr::from_bytes(path)).into();
    ContentsFailure::Mislabelled { name, digest }
}

/// Takes a path apart into its directory, empty for the root, and its last component.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

/// Reports whether a member's name is the digest that its content must have: `blobs/sha256/` and 64
/// digits, below any directory.
pub(super) fn is_blob_name(path: &[u8]) -> bool {
    let (directory, name) = split(path);
    let (above, algorithm) = split(directory);
    split(above).1 == b"blobs" && algorithm == b"sha256" && is_hex(name)
}

fn is_below_registry(path: &[u8]) -> bool {
    const STORAGE: &[u8] = b"docker/registry/v2/";
    path.starts_with(STORAGE)
        || path
            .windows(STORAGE.len() + 1)
            .any(|part| part[0] == b'/' && &part[1..] == STORAGE)
}

/// Reports whether a name in a directory is one that layouts give to what no document names.
fn is_part_of_layout(directory: &[u8], name: &[u8]) -> bool {
    let is_of_layer = matches!(name, b"json" | b"VERSION") && is_hex(split(directory).1);
    ENTRY_NAMES.contains(&name) || is_of_layer
}
