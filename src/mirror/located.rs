//! From pairs of names to artifacts: what the file system says of each.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use super::pairing::{self, Content, Entry, Kind, Pair};
use super::siblings::Siblings;
use super::watch::{Ended, Room};
use super::{Artifact, Metadata, State, walk};
use crate::files::{Directory, SharedPath};
use crate::trust::verdict::Unclaimed;

/// Returns a data file with the signature that the user names for it, regardless of their names. If
/// `is_read`, the signature was already read, so its path is not examined.
pub fn appointed(data: &Path, signature: &Path, is_read: bool) -> Artifact {
    // Fail closed: a file that cannot be examined is opened all the same; opening it reports the
    // error.
    let kind = |path| walk::kind_at(path).unwrap_or(Kind::Dangling);
    let signature_kind = if is_read { Kind::File } else { kind(signature) };
    let signature = (signature.into(), signature_kind);
    whole(data.into(), kind(data), Some(signature))
}

/// Returns a stream of `size` bytes, if that is known, with the signature that the user names for
/// it. Nothing is looked up by its name.
pub fn appointed_stream(
    name: &Path,
    size: Option<u64>,
    signature: &Path,
    is_read: bool,
) -> Artifact {
    let kind = || walk::kind_at(signature).unwrap_or(Kind::Dangling);
    let kind = if is_read { Kind::File } else { kind() };
    let metadata = Metadata {
        size: size.unwrap_or(0),
        device: 0,
        inode: 0,
    };
    let state = signed((signature.into(), kind), || Ok(metadata));
    Artifact::new(name.into(), state)
}

/// Looks into the files of a directory whose names leave open whether they are signatures.
pub(super) fn decide(directory: &Path, entries: &mut [Entry], is_signature: fn(&Path) -> bool) {
    let undecided = pairing::undecided(entries).into_iter();
    let others = undecided.filter(|name| !is_signature(&directory.join(name)));
    let others: HashSet<OsString> = others.map(OsStr::to_owned).collect();
    for entry in entries.iter_mut().filter(|_| !others.is_empty()) {
        entry.is_other = others.contains(&entry.name);
    }
}

/// Returns the pairs that the file itself is part of, as data, as a part of it, or as a signature.
pub(super) fn of_file(
    path: &Path,
    siblings: &mut Siblings,
    room: &mut Room<'_>,
) -> Result<Vec<Artifact>, Ended> {
    let Some(name) = path.file_name() else {
        return Ok(Vec::new());
    };
    let directory = path.parent().unwrap_or(Path::new(""));
    let pairs = siblings.pairs(directory, name, room)?;
    if pairs.is_empty() {
        return Ok(vec![alone(path)]);
    }
    let directory = Directory::new(directory);
    let located = |pair| located(&directory, pair);
    Ok(pairs.into_iter().map(located).collect())
}

/// Returns a PATH that belongs to no pair: it must be verified regardless of its name and kind.
fn alone(path: &Path) -> Artifact {
    let state = match walk::kind_at(path) {
        Ok(Kind::Special | Kind::Directory) => State::DataNotRegular(None),
        Ok(Kind::File | Kind::Dangling) => State::Unsigned(Unclaimed::NoSignature),
        // Fail closed: it existed a moment ago, and may have been a directory whose content was not
        // seen. As an artifact without a signature it could pass.
        Err(error) => State::Gone(error),
    };
    Artifact::new(path.into(), state)
}

pub(super) fn located(directory: &Directory, pair: Pair) -> Artifact {
    let signature = pair
        .signature
        .map(|(name, kind)| (directory.join(&name), kind));
    let data = directory.join(&pair.data);
    match (pair.content, signature) {
        (Content::Whole(kind), signature) => whole(data, kind, signature),
        (Content::Lookalike(_, why), _) => Artifact::new(data, State::Unsigned(why)),
        (Content::Nothing, Some((signature, _))) => Artifact::new(data, State::Missing(signature)),
        (Content::Split(parts), Some(signature)) => {
            let missing = parts.missing;
            let missing = missing.map(|rest| data.followed_by(OsStr::from_bytes(&rest)));
            let present = parts.present.iter().map(|part| directory.join(part));
            split(data, present.collect(), missing, signature)
        }
        // Without data and without a signature there is no pair.
        (Content::Nothing | Content::Split(_), None) => {
            Artifact::new(data, State::Unsigned(Unclaimed::NoSignature))
        }
    }
}

/// Returns an artifact that is one file.
pub(super) fn whole(
    data: SharedPath,
    kind: Kind,
    signature: Option<(SharedPath, Kind)>,
) -> Artifact {
    let state = match (kind, signature) {
        (Kind::Special | Kind::Directory, signature) => {
            State::DataNotRegular(signature.map(|(path, _)| path))
        }
        (Kind::File | Kind::Dangling, None) => State::Unsigned(Unclaimed::NoSignature),
        (Kind::File | Kind::Dangling, Some(signature)) => {
            signed(signature, || Metadata::at(&data.to_path_buf()))
        }
    };
    Artifact::new(data, state)
}

/// Returns an artifact that was split into `parts`.
pub(super) fn split(
    data: SharedPath,
    parts: Arc<[SharedPath]>,
    missing: Option<SharedPath>,
    signature: (SharedPath, Kind),
) -> Artifact {
    let state = match missing {
        Some(missing) => State::PartMissing(signature.0, missing),
        None => signed(signature, || Metadata::of_all(&parts)),
    };
    Artifact {
        parts,
        ..Artifact::new(data, state)
    }
}

fn signed(
    (signature, kind): (SharedPath, Kind),
    metadata: impl Fn() -> io::Result<Metadata>,
) -> State {
    match (kind, metadata()) {
        (Kind::Special | Kind::Directory, _) => State::SignatureNotRegular(signature),
        (Kind::File | Kind::Dangling, Ok(metadata)) => State::Signed(signature, metadata),
        (_, Err(error)) if error.kind() == io::ErrorKind::NotFound => State::Missing(signature),
        (_, Err(error)) => State::Unreadable(signature, error),
    }
}
