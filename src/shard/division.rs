//! The division of a survey into shares.

use std::collections::HashMap;
use std::path::PathBuf;

use super::Shard;
use super::assignment::assign;
use super::fingerprint::{self, Fingerprint};
use crate::files::FileId;
use crate::mirror::{Artifact, Metadata, State};
use crate::names::place::{Place, Roots};
use crate::trust::claimed::ClaimedDigest;
use crate::trust::listed::ReadAsList;

/// How work is divided, as reports name it. Another way has another name.
pub const METHOD: &str = "by-size";

/// Cost of an artifact in bytes besides its own: what could be hashed while it is opened and its
/// signature is verified.
const COST_OF_ONE: u64 = 128 * 1024;

/// What one shard has to do, and what it saw of the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Division {
    /// Which shard.
    pub shard: Shard,
    /// The whole survey. Its digest has the place, the state, the signature and the size of each
    /// artifact, and which names are one file.
    pub survey: Total,
    /// The share. Its digest has the places of its artifacts; see [`fingerprint::of_share`].
    pub share: Total,
    /// The digest of all shares; see [`fingerprint::of_division`].
    pub division: ClaimedDigest,
}

/// An amount of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// Number of signatures, and of artifacts and directories that have none.
    pub artifacts: u64,
    /// Their sizes in bytes, counting each file once.
    pub bytes: u64,
    /// The digest of what it consists of.
    pub sha256: ClaimedDigest,
}

/// Names that are read together: of one file, or with several signatures.
#[derive(Clone, Copy, Debug)]
struct Unit {
    /// The position of its first entry.
    first: usize,
    entries: u64,
    size: u64,
}

/// Something that gets a record.
struct Entry {
    place: Place,
    signature: Option<Place>,
    state: &'static str,
    file: Option<(FileId, u64)>,
    /// The content of the list, if it is one: it decides what others must be.
    list: Option<ReadAsList>,
    /// Its position in the survey.
    at: usize,
}

/// Keeps the artifacts of a shard, and returns how the survey of the PATHs `roots` is divided.
pub fn divide(artifacts: &mut Vec<Artifact>, roots: &[PathBuf], shard: Shard) -> Division {
    let entries = entries(artifacts, roots);
    let (of_entry, units) = units(&entries);
    let costs: Vec<u64> = units.iter().map(Unit::cost).collect();
    let shards = assign(&costs, shard.count());
    let shard_of = |entry: usize| shards[of_entry[entry]];
    let mine = shard.index() - 1;
    let mut is_mine = vec![false; artifacts.len()];
    for (n, entry) in entries.iter().enumerate() {
        is_mine[entry.at] = shard_of(n) == mine;
    }
    let shares = shares(&entries, shard_of, shard.count());
    let is_of_share = |unit: &&Unit| shard_of(unit.first) == mine;
    let division = Division {
        shard,
        survey: Total {
            artifacts: entries.len() as u64,
            bytes: bytes(units.iter()),
            sha256: of_survey(&entries, &of_entry, &units),
        },
        share: Total {
            artifacts: is_mine.iter().filter(|is_mine| **is_mine).count() as u64,
            bytes: bytes(units.iter().filter(is_of_share)),
            sha256: shares[mine as usize],
        },
        division: fingerprint::of_division(shares),
    };
    let mut is_mine = is_mine.into_iter();
    artifacts.retain(|_| is_mine.next().unwrap_or(false));
    division
}

impl Unit {
    fn cost(&self) -> u64 {
        let each = COST_OF_ONE.saturating_mul(self.entries);
        self.size.saturating_add(each)
    }
}

fn bytes<'a>(units: impl Iterator<Item = &'a Unit>) -> u64 {
    units.map(|unit| unit.size).fold(0, u64::saturating_add)
}

/// Returns the entries of a survey in the order of their places.
fn entries(artifacts: &[Artifact], roots: &[PathBuf]) -> Vec<Entry> {
    let roots = Roots::new(roots);
    let entry = |(at, artifact): (usize, &Artifact)| Entry {
        place: roots.place(&artifact.data.to_path_buf()),
        signature: artifact
            .signature()
            .map(|path| roots.place(&path.to_path_buf())),
        state: term(&artifact.state),
        file: metadata(&artifact.state).map(|metadata| {
            let Metadata {
                size,
                device,
                inode,
            } = *metadata;
            (FileId { device, inode }, size)
        }),
        list: artifact.read_as_list.as_deref().copied(),
        at,
    };
    let mut entries: Vec<Entry> = artifacts.iter().enumerate().map(entry).collect();
    entries.sort_by(|a, b| {
        let names = (&a.place, &a.signature, a.state);
        names.cmp(&(&b.place, &b.signature, b.state))
    });
    entries
}

/// Returns the number of each entry's unit, and the units in the order of their first entries.
///
/// All entries of one place are together, so that a file with two signatures is read once. So are
/// names that seem to be one file. If they are not (a network share may repeat a number), that
/// makes shares uneven and no verdict wrong.
fn units(entries: &[Entry]) -> (Vec<usize>, Vec<Unit>) {
    let mut by_file: HashMap<(FileId, u64), usize> = HashMap::new();
    let mut units: Vec<Unit> = Vec::new();
    let mut of_entry = Vec::with_capacity(entries.len());
    for group in entries.chunk_by(|a, b| a.place == b.place) {
        let files = || group.iter().filter_map(|entry| entry.file);
        let known = files().find_map(|file| by_file.get(&file).copied());
        let number = known.unwrap_or(units.len());
        if number == units.len() {
            units.push(Unit {
                first: of_entry.len(),
                entries: 0,
                size: 0,
            });
        }
        let unit = &mut units[number];
        unit.entries += group.len() as u64;
        let sizes = files().map(|(_, size)| size);
        unit.size = sizes.fold(unit.size, u64::max);
        for file in files() {
            by_file.entry(file).or_insert(number);
        }
        of_entry.extend(group.iter().map(|_| number));
    }
    (of_entry, units)
}

/// Returns the digest of each share.
fn shares(entries: &[Entry], shard_of: impl Fn(usize) -> u32, count: u32) -> Vec<ClaimedDigest> {
    let mut shares = vec![Fingerprint::default(); count as usize];
    let mut last = None;
    for (n, entry) in entries.iter().enumerate() {
        if last.replace(&entry.place) != Some(&entry.place) {
            shares[shard_of(n) as usize].place(&entry.place);
        }
    }
    shares.into_iter().map(Fingerprint::finish).collect()
}

fn of_survey(entries: &[Entry], of_entry: &[usize], units: &[Unit]) -> ClaimedDigest {
    let mut survey = Fingerprint::default();
    for (entry, unit) in entries.iter().zip(of_entry) {
        survey.place(&entry.place);
        survey.text(entry.state.as_bytes());
        survey.number(u64::from(entry.signature.is_some()));
        entry.signature.iter().for_each(|path| survey.place(path));
        survey.number(entry.file.map_or(0, |(_, size)| size));
        if let Some(list) = &entry.list {
            survey.text(list.digest.as_bytes());
            survey.number(u64::from(list.is_signed));
        }
        survey.place(&entries[units[*unit].first].place);
    }
    survey.finish()
}

fn metadata(state: &State) -> Option<&Metadata> {
    match state {
        State::Signed(_, metadata)
        | State::SavedImage(metadata)
        | State::ImageDirectory(metadata) => Some(metadata),
        _ => None,
    }
}

/// Returns what distinguishes a state from others in the digest of a survey.
fn term(state: &State) -> &'static str {
    match state {
        State::Signed(..) => "signed",
        State::Missing(_) => "missing",
        State::PartMissing(..) => "part-missing",
        State::Unsigned(_) => "unsigned",
        State::SavedImage(_) => "saved-image",
        State::ImageDirectory(_) => "image-directory",
        State::DataNotRegular(_) => "data-not-regular",
        State::SignatureNotRegular(_) => "signature-not-regular",
        State::Unreadable(..) => "unreadable",
        State::Gone(_) => "gone",
        State::DirectoryUnreadable(_) => "directory-unreadable",
        State::DirectoryChanged => "directory-changed",
        State::LinkNotEntered => "link-not-entered",
        State::Unlisted(..) => "unlisted",
    }
}
