//! Pairs signatures with files, by name alone. Pure: the names of one directory in, pairs out.

mod names;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::lookalike::is_like_signature;
use crate::names::endings::{self, Ending, Rule, SignatureEnding};
use crate::names::parts::Parts;
use crate::trust::verdict::Unclaimed;
use names::Names;

/// The kind of file under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A regular file, or a link to one.
    File,
    /// A directory, or a link to one.
    Directory,
    /// A FIFO, a socket, a device, or a link to one.
    Special,
    /// A link that cannot be resolved.
    Dangling,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The file's name, without its directory.
    pub name: OsString,
    /// Its kind.
    pub kind: Kind,
    /// Whether the user excluded it.
    pub excluded: bool,
    /// Whether it is known to be no signature, although its name is that of one.
    pub is_other: bool,
}

impl Entry {
    /// Reports whether it is a signature by its name.
    fn is_signature(&self) -> bool {
        !self.is_other && endings::is_signature(&self.name)
    }

    /// Reports whether it is a file, or could be one.
    fn is_file(&self) -> bool {
        matches!(self.kind, Kind::File | Kind::Dangling)
    }
}

/// The files that must have a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needed {
    /// Files named `.zst` or `.iso`, and artifacts under other names.
    Artifacts,
    /// Those, and saved images.
    ArtifactsAndImages,
    /// Every file that is not itself a signature.
    AllFiles,
}

/// One result: a signature with the file it belongs to, or a file without a signature.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The data file's name; if it does not exist, the expected name.
    pub data: OsString,
    /// The content under that name.
    pub content: Content,
    /// The signature file's name and kind.
    pub signature: Option<(OsString, Kind)>,
}

/// The content under the name of a data file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Content {
    /// Nothing.
    Nothing,
    /// A whole file.
    Whole(Kind),
    /// A whole file, or a directory of versions, whose name is an artifact's with something around
    /// it.
    Lookalike(Kind, Unclaimed),
    /// No whole file, but some or all of the parts that it was split into.
    Split(Parts<OsString>),
}

/// The result of pairing one directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paired {
    /// The pairs, sorted.
    pub pairs: Vec<Pair>,
    /// Files with names like a signature's that belong to no artifact, sorted.
    pub strays: Vec<OsString>,
    /// Parts whose whole is here too, each after the name of the whole, sorted. The whole is
    /// judged.
    pub spare_parts: Vec<(OsString, OsString)>,
    /// Regular files that no signature covers and that need none, sorted.
    pub uncovered: Vec<OsString>,
    /// Signatures left out along with their data, each before an excluded name of that, sorted.
    pub excluded_along: Vec<(OsString, OsString)>,
}

/// Pairs the entries of one directory: every signature yields one pair, and so does every file that
/// needs a signature and has none. The order of the entries does not matter.
pub fn pair(entries: &[Entry], needed: Needed) -> Paired {
    let names = Names::of(entries);
    let mut pairs: Vec<Pair> = names
        .signatures()
        .map(|(stem, ending, signature)| names.signed(stem, ending, signature))
        .collect();
    let claimed: BTreeSet<&OsStr> = pairs.iter().flat_map(Pair::data_names).collect();
    let is_left = |entry: &&&Entry| !claimed.contains(entry.name.as_os_str()) && !entry.excluded;
    let left: Vec<&Entry> = names.entries().filter(|entry| is_left(&entry)).collect();
    let unsigned: Vec<Pair> = left
        .iter()
        .filter_map(|entry| names.unsigned(entry, needed))
        .collect();
    let is_stray = |entry: &&&Entry| entry.is_file() && is_like_signature(entry.name.as_bytes());
    let strays = left.iter().filter(is_stray).map(|entry| entry.name.clone());
    let strays = strays.collect();
    let spare_parts = left
        .iter()
        .filter_map(|entry| names.spare_part(entry))
        .collect();
    let uncovered = uncovered(&left, &unsigned);
    pairs.extend(unsigned);
    // Excluded data still takes part in the matching above: excluding a file must not match its
    // signature with another one.
    let is_judged = |pair: &mut Pair| !names.is_excluded(pair);
    let excluded: Vec<Pair> = pairs.extract_if(.., |pair| !is_judged(pair)).collect();
    pairs.sort_unstable();
    Paired {
        pairs,
        strays,
        spare_parts,
        uncovered,
        excluded_along: excluded_along(excluded),
    }
}

/// Returns the regular files that no signature claims and that need none.
fn uncovered(left: &[&Entry], unsigned: &[Pair]) -> Vec<OsString> {
    let needs_one: BTreeSet<&OsStr> = unsigned.iter().map(|pair| pair.data.as_os_str()).collect();
    let files = left.iter().filter(|entry| entry.kind == Kind::File);
    let files = files.filter(|entry| !entry.is_signature());
    files
        .map(|entry| &entry.name)
        .filter(|name| !needs_one.contains(name.as_os_str()))
        .cloned()
        .collect()
}

/// Returns the signatures of excluded data, each with an excluded name of that.
fn excluded_along(excluded: Vec<Pair>) -> Vec<(OsString, OsString)> {
    let along = excluded.into_iter().filter_map(|pair| {
        let data = pair.part_names().next().unwrap_or(&pair.data).to_owned();
        Some((pair.signature?.0, data))
    });
    let mut along: Vec<_> = along.collect();
    along.sort_unstable();
    along
}

/// Returns the names of files that are signatures only if their content is one: their names do not
/// tell, and what they would be signatures of is not here.
pub fn undecided(entries: &[Entry]) -> Vec<&OsStr> {
    let is_possible = |entry: &&Entry| {
        let ending = SignatureEnding::of(&entry.name).map(SignatureEnding::rule);
        entry.kind == Kind::File && ending == Some(Rule::ByContent)
    };
    if !entries.iter().any(|entry| is_possible(&entry)) {
        return Vec::new();
    }
    let names = Names::of(entries);
    let possible = names.signatures();
    let possible = possible.filter(|(_, _, entry)| is_possible(entry));
    let alone = possible.filter(|(stem, _, _)| names.exactly(stem).1 == Content::Nothing);
    alone.map(|(_, _, entry)| entry.name.as_os_str()).collect()
}

/// Returns the names, possibly including `name`, that determine the pairs of `name` if all endings
/// are in small letters and nothing is split: for a directory that cannot be listed.
pub fn relatives(name: &OsStr) -> Vec<OsString> {
    let name = name.as_bytes();
    let mut stems: Vec<&[u8]> = vec![name];
    stems.extend(endings::strip_signature(name).map(|(stem, _)| stem));
    stems.extend(Ending::split(name).map(|(base, _)| base));
    let signatures = SignatureEnding::ALL.map(|ending| ending.text().as_bytes());
    let endings = [&b""[..], b".zst", b".iso"].into_iter().chain(signatures);
    let endings: Vec<&[u8]> = endings.collect();
    let with = |stem: &[u8]| -> Vec<Vec<u8>> {
        let names = endings.iter().map(|ending| [stem, ending].concat());
        names.collect()
    };
    let names: BTreeSet<Vec<u8>> = stems
        .into_iter()
        .flat_map(with)
        .filter(|name| !name.is_empty())
        .collect();
    names.into_iter().map(OsString::from_vec).collect()
}

impl Pair {
    /// Returns the data's name, and those of its parts.
    pub fn data_names(&self) -> impl Iterator<Item = &OsStr> {
        std::iter::once(self.data.as_os_str()).chain(self.part_names())
    }

    /// Returns the names of the parts of the data.
    pub fn part_names(&self) -> impl Iterator<Item = &OsStr> {
        let parts = match &self.content {
            Content::Split(parts) => parts.present.as_slice(),
            Content::Nothing | Content::Whole(_) | Content::Lookalike(..) => &[],
        };
        parts.iter().map(OsString::as_os_str)
    }
}
