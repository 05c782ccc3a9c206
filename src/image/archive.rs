//! Images of Docker's archives, which keep a configuration and layers, and no manifest.

use std::collections::HashSet;

use super::contents::{Member, split};
use super::document::Config;
use super::saved::Item;
use super::signer::{Signer, Twin};
use super::sources::Sources;
use super::walk::{Walked, malformed};
use crate::trust::claimed::ClaimedDigest;
use crate::trust::image::ImageFailure;

/// An image of an archive, as found.
pub(super) struct Archived {
    /// What it consists of.
    pub(super) walked: Walked,
    /// The digest of its configuration, which is the image's ID; `None` if it is not here.
    pub(super) id: Option<ClaimedDigest>,
    /// Who signed a manifest of it.
    pub(super) signer: Signer,
}

/// Looks for everything that an item of a `manifest.json` in this directory names.
pub(super) fn find(sources: &mut Sources<'_>, directory: &[u8], item: &Item) -> Archived {
    let mut archived = Archived {
        walked: Walked::default(),
        id: None,
        signer: Signer::Nobody,
    };
    if let Err(failure) = archived.fill(sources, directory, item) {
        archived.walked.failure = Some(failure);
    }
    archived
}

impl Archived {
    fn fill(
        &mut self,
        sources: &mut Sources<'_>,
        directory: &[u8],
        item: &Item,
    ) -> Result<(), ImageFailure> {
        sources.pay(1 + item.layers.len())?;
        let here = |path: &str| member(sources, directory, path);
        let config = here(&item.config);
        let layers: Vec<_> = item.layers.iter().map(|path| here(path)).collect();
        self.add(
            sources,
            config.into_iter().chain(layers.iter().flatten().copied()),
        );
        let absent = |path: &str| ImageFailure::BlobMissing(path.into());
        let config = config.ok_or_else(|| absent(&item.config))?;
        let id = config.digest.into();
        self.id = Some(id);
        self.walked.digest = Some(config.digest);
        self.walked.configs.push(id);
        let config = read(sources, &id)?;
        let layers: Vec<ClaimedDigest> = layers
            .iter()
            .zip(&item.layers)
            .map(|(layer, path)| Ok(layer.ok_or_else(|| absent(path))?.digest.into()))
            .collect::<Result<_, ImageFailure>>()?;
        let twin = sources.twin(id, &layers, &config.diff_ids)?;
        check(item, &layers, config, &twin)?;
        self.signer = twin.signer;
        self.walked.set_platform(config.platform.clone());
        Ok(())
    }

    /// Adds members to what the image consists of.
    fn add<'m>(&mut self, sources: &mut Sources<'_>, members: impl Iterator<Item = &'m Member>) {
        let mut seen = HashSet::new();
        for member in members.filter(|member| seen.insert(member.digest)) {
            sources.reach(&member.digest.into());
            self.walked.add_blob(member);
        }
    }
}

/// Returns the member that a path of an archive's list means: it, or what a link of this name leads
/// to.
fn member<'a>(sources: &Sources<'a>, directory: &[u8], path: &str) -> Option<&'a Member> {
    let path = match directory {
        b"" => path.as_bytes().to_vec(),
        directory => [directory, b"/", path.as_bytes()].concat(),
    };
    let path = sources.link(&path).unwrap_or(&path);
    sources.file(path)
}

/// Reads an image's configuration.
fn read<'a>(sources: &Sources<'a>, id: &ClaimedDigest) -> Result<&'a Config, ImageFailure> {
    match sources
        .document(id)
        .and_then(|document| document.config.as_ref())
    {
        Some(Ok(config)) => Ok(config),
        Some(Err(why)) => Err(malformed(id, why)),
        None => Err(malformed(id, "it is not the configuration of an image")),
    }
}

/// Fails unless something shows of each layer that it is the right one.
///
/// Fail closed: uncompressed layers must be those of the configuration, in its order. Compressed
/// ones cannot be compared with it; they must be those of a manifest of the same configuration, or
/// have names that are their digests, which says as much of an unsigned image as a manifest would.
fn check(
    item: &Item,
    layers: &[ClaimedDigest],
    config: &Config,
    twin: &Twin,
) -> Result<(), ImageFailure> {
    let differ = |words: String| Err(ImageFailure::LayersDiffer(words.into()));
    let (count, promised) = (layers.len(), config.diff_ids.len());
    if count != promised {
        return differ(format!(
            "it has {count} layers; its configuration lists {promised}"
        ));
    }
    if twin.differs && !twin.signer.is_trusted() {
        return differ("its layers are not those of the signed manifest".to_owned());
    }
    if twin.is_known {
        return Ok(());
    }
    let known: HashSet<_> = config.diff_ids.iter().collect();
    let is_uncompressed = layers.iter().any(|layer| known.contains(layer));
    for (place, (layer, path)) in layers.iter().zip(&item.layers).enumerate() {
        let (is_same, number) = (config.diff_ids[place] == *layer, place + 1);
        if is_uncompressed && !is_same {
            return differ(format!("layer {number} differs from its configuration"));
        }
        if !is_same && !is_named(path, layer) {
            return differ(format!(
                "layer {number} cannot be checked: no manifest gives its digest"
            ));
        }
    }
    Ok(())
}

/// Reports whether the last component of a path is a digest, with an ending at most.
fn is_named(path: &str, digest: &ClaimedDigest) -> bool {
    let (_, name) = split(path.as_bytes());
    let name = name.strip_prefix(b"sha256:").unwrap_or(name);
    let ending = name.strip_prefix(digest.to_string().as_bytes());
    ending.is_some_and(|ending| ending.is_empty() || ending.starts_with(b"."))
}
