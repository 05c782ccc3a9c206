//! Turns artifacts into work for the engine, and decides how to read each device.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use super::Policy;
use super::inputs::{DataKind, One};
use crate::device::identity::Identities;
use crate::device::{self, Access, Medium};
use crate::engine::plan::{Cost, Turn};
use crate::engine::{self, Bundle, Claim, Named, NamedData, Task, Work};
use crate::files::{FileId, SharedPath};
use crate::limits;
use crate::mirror::{self, Artifact, Metadata, State};
use crate::names::endings::{Ending, FOREIGN, is_saved_image};
use crate::text::os_error;
use crate::trust::listed::UnsignedEntry;
use crate::trust::record::Record;
use crate::trust::verdict::{Part, Unclaimed, Verdict};

/// Returns the media of the files, by device number.
pub(super) fn media(works: &[Work]) -> BTreeMap<u64, Medium> {
    let devices: BTreeSet<u64> = works
        .iter()
        .filter_map(|work| match work {
            Work::Verify(task) => Some(task.cost.file.device),
            Work::Decided(_) => None,
        })
        .collect();
    devices
        .into_iter()
        .map(|device| (device, device::medium(device)))
        .collect()
}

/// Reports whether a PATH lies on a medium that is slower with many readers because its head, or
/// its lens, moves between them. (A network share answers many questions at once.)
pub(super) fn seeks(path: &Path) -> bool {
    // What cannot be examined is not walked either.
    let metadata = path.metadata();
    metadata.is_ok_and(|path| {
        matches!(
            device::medium(path.dev()),
            Medium::Spinning | Medium::Optical
        )
    })
}

/// Returns how to read a medium: in the way that suits it best, but with as many threads as the
/// user asked for unless readers are limited.
pub(crate) fn access(medium: Medium, limit_readers: bool) -> Access {
    let best = medium.access();
    Access {
        readers: best.readers.filter(|_| limit_readers),
        ..best
    }
}

/// Returns the engine's work for these artifacts, in their order.
pub(super) fn works(
    artifacts: Vec<Artifact>,
    policy: Policy,
    one: Option<&One>,
    seeks: bool,
) -> Vec<Work> {
    let mut works = Vec::with_capacity(artifacts.len());
    limits::consume(artifacts, |_, artifact| {
        works.push(work(artifact, policy, one, seeks));
    });
    works.reverse();
    share(&mut works);
    look(&mut works);
    works
}

/// Returns the engine's work for an artifact; it is already decided if the state on disk decides
/// it. `seeks`: whether the digests of artifacts without a signature are needed, although those
/// fail.
fn work(artifact: Artifact, policy: Policy, one: Option<&One>, seeks: bool) -> Work {
    let Artifact {
        data,
        parts,
        link,
        listing,
        read_as_list,
        unsigned_entry,
        state,
    } = artifact;
    let decided = |signature, verdict| {
        Work::Decided(Box::new(Record {
            parts: Arc::clone(&parts),
            link: link.clone(),
            ..Record::unhashed(data.clone(), signature, verdict)
        }))
    };
    let unreadable = |part, error: &io::Error| Verdict::Unreadable {
        part,
        words: os_error::words(error),
    };
    match state {
        State::Signed(signature, metadata) => Work::Verify(Task {
            cost: cost(metadata),
            bundle: signed_bundle(&data, one),
            data,
            parts,
            link,
            claim: match listing {
                Some(listing) => Claim::Listed(listing),
                None => claim(signature, one),
            },
            earlier: None,
            read_as_list,
        }),
        State::SavedImage(metadata) => of_images(data, metadata, Claim::SavedImage),
        State::ImageDirectory(metadata) => of_images(data, metadata, Claim::ImageDirectory),
        State::Unlisted(list, why) => decided(Some(list), Verdict::Unlisted(why)),
        State::Missing(signature) => decided(Some(signature), Verdict::Missing),
        State::PartMissing(signature, part) => decided(Some(signature), Verdict::PartMissing(part)),
        State::Unsigned(why) => unsigned(data, why, unsigned_entry, policy, seeks),
        State::DataNotRegular(signature) => {
            decided(signature, Verdict::NotRegular { part: Part::Data })
        }
        State::SignatureNotRegular(signature) => decided(
            Some(signature),
            Verdict::NotRegular {
                part: Part::Signature,
            },
        ),
        State::Unreadable(signature, error) => {
            decided(Some(signature), unreadable(Part::Data, &error))
        }
        State::Gone(error) => decided(None, unreadable(Part::Data, &error)),
        State::DirectoryUnreadable(error) => decided(None, unreadable(Part::Directory, &error)),
        State::LinkNotEntered => decided(
            None,
            Verdict::NotEntered {
                allowed: policy.allow_unsigned,
            },
        ),
        State::DirectoryChanged => decided(
            None,
            Verdict::Changed {
                part: Part::Directory,
            },
        ),
    }
}

/// Returns the work for something that is judged by the images in it.
fn of_images(data: SharedPath, metadata: Metadata, claim: Claim) -> Work {
    Work::Verify(Task {
        cost: cost(metadata),
        data,
        parts: Arc::default(),
        link: None,
        claim,
        bundle: Bundle::Certain,
        earlier: None,
        read_as_list: None,
    })
}

/// Reports whether there may be images in a file of this name.
fn is_bundle(data: &SharedPath) -> bool {
    let is_named = |name: &OsStr| {
        let ending = Ending::split(name.as_bytes()).map(|(_, ending)| ending);
        ending == Some(Ending::Zst) || is_saved_image(name)
    };
    data.file_name().is_some_and(is_named)
}

/// Reports whether there may be images in a signed file.
fn signed_bundle(data: &SharedPath, one: Option<&One>) -> Bundle {
    let ending = data
        .file_name()
        .map(OsStr::as_bytes)
        .and_then(Ending::split);
    match (one, ending) {
        // A device has no images to load.
        (Some(one), _) if one.device().is_some() => Bundle::No,
        _ if is_bundle(data) => Bundle::Certain,
        // A disk image, unless the user names it for what it is.
        (None, Some((_, Ending::Iso))) => Bundle::No,
        // Fail closed: a signature may belong to a file of any name.
        _ => Bundle::Possible,
    }
}

/// Returns the claim that this signature, or what the user named in its place, makes on an
/// artifact.
fn claim(signature: SharedPath, one: Option<&One>) -> Claim {
    match one {
        Some(one) => Claim::Named(Box::new(Named {
            signature,
            content: one.content.clone(),
            data: match one.kind {
                DataKind::File => NamedData::File,
                DataKind::Device(extent) => NamedData::Device(extent.length),
                DataKind::Stdin(_) => NamedData::Stdin,
            },
        })),
        None => Claim::Signed(signature),
    }
}

/// Returns the one artifact of `--signature`.
pub(super) fn artifact(one: &One) -> Artifact {
    let is_read = one.content.is_some();
    if let DataKind::Stdin(size) = one.kind {
        return mirror::appointed_stream(&one.data, size, &one.signature, is_read);
    }
    let artifact = mirror::appointed(&one.data, &one.signature, is_read);
    match (artifact.state, one.device()) {
        (State::DataNotRegular(Some(signature)), Some(device)) => Artifact {
            state: match Metadata::of_device(&one.data, device.length) {
                Ok(metadata) => State::Signed(signature, metadata),
                Err(error) => State::Unreadable(signature, error),
            },
            ..artifact
        },
        (state, _) => Artifact { state, ..artifact },
    }
}

/// Returns the work for an artifact without a signature, whose verdict is known. It is still hashed
/// if it is accepted and a later run may compare its digest, if unmatched signatures need a digest
/// to match, or if a list without a signature has a digest to compare. Without metadata it gets no
/// digest.
fn unsigned(
    data: SharedPath,
    why: Unclaimed,
    unsigned_entry: Option<Arc<UnsignedEntry>>,
    policy: Policy,
    seeks: bool,
) -> Work {
    // Fail closed: who names a list wants what it names to be judged.
    let allowed = policy.allow_unsigned && why != Unclaimed::NamedList;
    let is_bundle = is_bundle(&data);
    let is_hashed = seeks
        || unsigned_entry.is_some()
        || allowed && policy.wants_digests
        || policy.images && is_bundle;
    let verdict = Verdict::Unsigned { allowed, why };
    match is_hashed.then(|| Metadata::at(&data.to_path_buf())) {
        Some(Ok(metadata)) => Work::Verify(Task {
            cost: cost(metadata),
            data,
            parts: Arc::default(),
            link: None,
            claim: Claim::Unsigned(Box::new(verdict), unsigned_entry),
            bundle: if is_bundle {
                Bundle::Certain
            } else {
                Bundle::No
            },
            earlier: None,
            read_as_list: None,
        }),
        // Fail closed: what the user accepts without a signature does not pass where its images
        // cannot be judged.
        Some(Err(error)) if policy.images && is_bundle => {
            let words = os_error::words(&error);
            let part = Part::Data;
            let verdict = Verdict::Unreadable { part, words };
            Work::Decided(Box::new(Record::unhashed(data, None, verdict)))
        }
        _ => Work::Decided(Box::new(Record::unhashed(data, None, verdict))),
    }
}

/// Maximum number of artifacts without a signature that are sniffed: a run with more of them has
/// another problem.
const MOST_LOOKED_AT: usize = 1000;

/// Sniffs artifacts that fail for lack of a signature and are not read for another reason: they may
/// be something else altogether.
fn look(works: &mut [Work]) {
    let records = works.iter_mut().filter_map(|work| match work {
        Work::Decided(record) => Some(record),
        Work::Verify(_) => None,
    });
    let fails = |record: &&mut Box<Record>| {
        let why = Unclaimed::NoSignature;
        record.verdict
            == Verdict::Unsigned {
                allowed: false,
                why,
            }
    };
    for record in records.filter(fails).take(MOST_LOOKED_AT) {
        record.sniffed = engine::sniff_file(&record.path().to_path_buf(), true);
        record.foreign = foreign(record.path()).map(Box::new);
    }
}

/// Returns the file beside an artifact whose name is that of a signature which only another program
/// verifies.
pub(super) fn foreign(data: &SharedPath) -> Option<SharedPath> {
    let names = FOREIGN
        .iter()
        .map(|ending| data.followed_by(OsStr::new(ending)));
    let mut names = names.filter(|name| name.to_path_buf().is_file());
    names.next()
}

/// Determines which of the files with one inode number are certainly the same file, to read each
/// once for all its names. Split files are read once for each list of parts.
fn share(works: &mut [Work]) {
    let ambiguous = ambiguous(works);
    let mut identities = None;
    let mut numbers: HashMap<(SharedPath, Arc<[SharedPath]>), usize> = HashMap::new();
    for work in works {
        let Work::Verify(task) = work else {
            continue;
        };
        let mut is_certain = || {
            identities
                .get_or_insert_with(Identities::now)
                .is_certain(&task.data.to_path_buf())
        };
        let name = if !task.parts.is_empty() {
            // Fail closed: a file and a whole that begins with it have different digests.
            ("".into(), Arc::clone(&task.parts))
        } else if ambiguous.contains(&task.cost.file) && !is_certain() {
            // One path, which may have several signatures, is one file everywhere.
            (task.data.clone(), Arc::default())
        } else {
            continue;
        };
        let next = numbers.len();
        task.cost.name = Some(*numbers.entry(name).or_insert(next));
    }
}

/// Returns the files that more than one task seems to refer to.
fn ambiguous(works: &[Work]) -> HashSet<FileId> {
    let (mut seen, mut ambiguous) = (HashSet::new(), HashSet::new());
    for work in works {
        if let Work::Verify(task) = work
            && !seen.insert(task.cost.file)
        {
            ambiguous.insert(task.cost.file);
        }
    }
    ambiguous
}

fn cost(metadata: Metadata) -> Cost {
    Cost {
        name: None,
        turn: Turn::default(),
        size: metadata.size,
        file: FileId {
            device: metadata.device,
            inode: metadata.inode,
        },
    }
}
