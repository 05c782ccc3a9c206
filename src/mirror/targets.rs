//! Links to artifacts: a link without a signature of its own is judged by its target's signatures.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::siblings::Siblings;
use super::watch::{Ended, Room, Watch};
use super::{Artifact, State};
use crate::files::{Directory, SharedPath};
use crate::text::os_error;
use crate::trust::verdict::Unclaimed;

/// Maximum number of links followed in succession, as in Linux (path_resolution(7)).
const MOST_HOPS: usize = 40;

/// Memory per artifact in bytes in the index by location.
const MEMORY_OF_A_PLACE: usize = 200;

/// Judges each link without a signature of its own by the signatures of its target, if that is in
/// the same run. For other links, records where the signature is.
///
/// This makes nothing pass by itself: the bytes read through the link are verified.
pub(super) fn share_signatures(
    artifacts: Vec<Artifact>,
    siblings: &mut Siblings,
    watch: Watch<'_>,
    room: &mut Room<'_>,
) -> Result<Vec<Artifact>, Ended> {
    let is_link = |artifact: &Artifact| {
        // Fail closed: a list that the user named needs a signature of its own, in its own
        // directory.
        let is_unsigned =
            matches!(&artifact.state, State::Unsigned(why) if *why != Unclaimed::NamedList);
        is_unsigned && artifact.data.to_path_buf().is_symlink()
    };
    let links: HashMap<usize, Vec<Artifact>> = {
        let links: Vec<usize> = (0..artifacts.len())
            .filter(|at| is_link(&artifacts[*at]))
            .collect();
        if links.is_empty() {
            return Ok(artifacts);
        }
        room.borrow(MEMORY_OF_A_PLACE * artifacts.len())?;
        let mut places = Places::of(&artifacts);
        let mut shared = HashMap::new();
        for at in links {
            watch.go_on()?;
            room.take(size_of::<Artifact>() + MEMORY_OF_A_PLACE)?;
            shared.insert(at, places.judged(&artifacts[at].data, siblings, room)?);
        }
        shared
    };
    let mut links = links;
    let replaced = artifacts
        .into_iter()
        .enumerate()
        .flat_map(|(at, artifact)| match links.remove(&at) {
            Some(judged) if !judged.is_empty() => judged,
            _ => vec![artifact],
        });
    Ok(replaced.collect())
}

/// The artifacts with signatures, by their location, independent of how they were reached.
struct Places<'a> {
    signed: HashMap<SharedPath, Vec<&'a Artifact>>,
    directories: Directories,
}

/// Directories with all links resolved, each resolved once.
#[derive(Default)]
struct Directories(HashMap<PathBuf, Option<Directory>>);

impl Directories {
    /// Returns the location of this directory entry; if it is a link, it is not resolved.
    fn place(&mut self, path: &SharedPath) -> Option<SharedPath> {
        let (directory, name) = (path.parent()?, path.file_name()?);
        if !self.0.contains_key(directory) {
            let resolved = Path::new(".").join(directory).canonicalize().ok();
            let resolved = resolved.as_deref().map(Directory::new);
            self.0.insert(directory.to_owned(), resolved);
        }
        Some(self.0.get(directory)?.as_ref()?.join(name))
    }
}

impl<'a> Places<'a> {
    fn of(artifacts: &'a [Artifact]) -> Places<'a> {
        let mut places = Places {
            signed: HashMap::new(),
            directories: Directories::default(),
        };
        for artifact in artifacts
            .iter()
            .filter(|artifact| artifact.signature().is_some())
        {
            if let Some(place) = places.directories.place(&artifact.data) {
                places.signed.entry(place).or_default().push(artifact);
            }
        }
        places
    }

    /// Returns the artifacts for a link, judged by its target; none if the target has no signature.
    fn judged(
        &mut self,
        link: &SharedPath,
        siblings: &mut Siblings,
        room: &mut Room<'_>,
    ) -> Result<Vec<Artifact>, Ended> {
        let hops = hops(link);
        for hop in &hops {
            let signed = self
                .directories
                .place(hop)
                .and_then(|place| self.signed.get(&place));
            if let Some(signed) = signed {
                let through = signed.iter().map(|target| target.through(link));
                return Ok(through.collect());
            }
        }
        for hop in &hops {
            if let Some(signature) = self.signature_beside(hop, siblings, room)? {
                let why = Unclaimed::SignedElsewhere(signature);
                return Ok(vec![Artifact::new(link.clone(), State::Unsigned(why))]);
            }
        }
        Ok(Vec::new())
    }

    /// Returns the signature file that belongs to `path`, a file outside of the run.
    fn signature_beside(
        &mut self,
        path: &SharedPath,
        siblings: &mut Siblings,
        room: &mut Room<'_>,
    ) -> Result<Option<SharedPath>, Ended> {
        let Some(place) = self.directories.place(path) else {
            return Ok(None);
        };
        let (Some(directory), Some(name)) = (place.parent(), place.file_name()) else {
            return Ok(None);
        };
        let mut pairs = siblings.pairs(directory, name, room)?.into_iter();
        let signature = pairs.find_map(|pair| pair.signature.filter(|_| pair.data == name));
        Ok(signature.map(|(signature, _)| place.directory().join(&signature)))
    }
}

/// Returns the chain of a link's targets: its target, the target of that, and so on.
fn hops(link: &SharedPath) -> Vec<SharedPath> {
    let next = |at: &PathBuf| Some(at.parent()?.join(at.read_link().ok()?));
    std::iter::successors(next(&link.to_path_buf()), next)
        .take(MOST_HOPS)
        .map(SharedPath::from)
        .collect()
}

impl Artifact {
    /// Returns this artifact as reached through a link to it.
    fn through(&self, link: &SharedPath) -> Artifact {
        let state = match &self.state {
            State::Signed(signature, metadata) => State::Signed(signature.clone(), *metadata),
            State::Missing(signature) => State::Missing(signature.clone()),
            State::PartMissing(signature, part) => {
                State::PartMissing(signature.clone(), part.clone())
            }
            State::DataNotRegular(signature) => State::DataNotRegular(signature.clone()),
            State::SignatureNotRegular(signature) => State::SignatureNotRegular(signature.clone()),
            State::Unreadable(signature, error) => {
                State::Unreadable(signature.clone(), os_error::copy(error))
            }
            State::Unsigned(why) => State::Unsigned(why.clone()),
            State::SavedImage(metadata) => State::SavedImage(*metadata),
            State::ImageDirectory(metadata) => State::ImageDirectory(*metadata),
            State::Unlisted(list, why) => State::Unlisted(list.clone(), *why),
            State::Gone(error) => State::Gone(os_error::copy(error)),
            State::DirectoryUnreadable(error) => State::DirectoryUnreadable(os_error::copy(error)),
            State::DirectoryChanged => State::DirectoryChanged,
            State::LinkNotEntered => State::LinkNotEntered,
        };
        Artifact {
            data: link.clone(),
            parts: Arc::clone(&self.parts),
            link: Some(Arc::new(self.data.clone())),
            listing: self.listing.clone(),
            read_as_list: self.read_as_list.clone(),
            unsigned_entry: None,
            state,
        }
    }
}
