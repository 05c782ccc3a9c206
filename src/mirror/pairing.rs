//! Pairs signatures with files, by name alone. Pure: the names of one directory in, pairs out.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::ops::Bound;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::lookalike::{is_like_signature, is_versions, lookalike};
use crate::names::endings::{self, Ending, Rule, SignatureEnding, is_artifact, is_saved_image};
use crate::names::lists::is_list;
use crate::names::parts::{self, Parts, Suffix};
use crate::trust::verdict::Unclaimed;

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
    let is_stray = |entry: &&&Entry| is_file(entry) && is_like_signature(entry.name.as_bytes());
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

/// The stem of an artifact's name, and its ending.
type Split<'a> = (&'a [u8], Ending);

/// The entries of a directory, each name once: some file systems list a file twice that is replaced
/// while its directory is read.
struct Names<'a> {
    present: BTreeMap<&'a [u8], &'a Entry>,
    /// The names of artifacts here, whole or split, sorted, each after its stem and ending: several
    /// share both if only the case of their endings differs.
    artifacts: Vec<(Split<'a>, &'a [u8])>,
}

impl<'a> Names<'a> {
    fn of(entries: &'a [Entry]) -> Names<'a> {
        let present: BTreeMap<&[u8], &Entry> =
            entries.iter().map(|e| (e.name.as_bytes(), e)).collect();
        let mut artifacts: Vec<(Split<'_>, &[u8])> = Vec::new();
        for name in present.keys() {
            let whole = Ending::inside(name)
                .filter(|(_, rest)| Suffix::parse(rest).is_some())
                .map(|(whole, _)| whole);
            for name in [Some(*name), whole].into_iter().flatten() {
                if let Some(split) = Ending::split(name) {
                    artifacts.push((split, name));
                }
            }
        }
        artifacts.sort_unstable();
        artifacts.dedup();
        Names { present, artifacts }
    }

    /// Returns the names of artifacts with this stem and ending.
    fn artifacts(&self, base: &[u8], ending: Ending) -> impl Iterator<Item = &'a [u8]> {
        let first = self
            .artifacts
            .partition_point(|(at, _)| *at < (base, ending));
        let names = self.artifacts.get(first..).unwrap_or_default().iter();
        let same = names.take_while(move |(at, _)| *at == (base, ending));
        same.map(|(_, name)| *name)
    }

    fn entries(&self) -> impl Iterator<Item = &'a Entry> {
        self.present.values().copied()
    }

    fn kind(&self, name: &[u8]) -> Option<Kind> {
        self.present.get(name).map(|entry| entry.kind)
    }

    /// Returns the signature files, each after its name without the ending, and the ending.
    fn signatures(&self) -> impl Iterator<Item = (&'a [u8], SignatureEnding, &'a Entry)> {
        self.entries()
            // An excluded signature leaves its data unsigned, which fails: exclusion makes nothing
            // pass.
            .filter(|entry| entry.kind != Kind::Directory && !entry.excluded && !entry.is_other)
            .filter_map(|entry| {
                let (stem, ending) = endings::strip_signature(entry.name.as_bytes())?;
                Some((stem, ending, entry))
            })
    }

    /// Returns the pair of a signature with this name.
    fn signed(&self, stem: &[u8], ending: SignatureEnding, signature: &Entry) -> Pair {
        let (data, content) = match ending.rule() {
            Rule::Documented => self.data(stem),
            Rule::Exact | Rule::ByContent => self.exactly(stem),
        };
        Pair {
            data: OsString::from_vec(data),
            content,
            signature: Some((signature.name.clone(), signature.kind)),
        }
    }

    /// Returns the name of the data that a signature belongs to which is named exactly after it, and
    /// its content. A directory is not data.
    fn exactly(&self, stem: &[u8]) -> (Vec<u8>, Content) {
        let whole = self.kind(stem).filter(|kind| *kind != Kind::Directory);
        let content = whole.map(Content::Whole);
        let split = || self.parts(stem).map(Content::Split);
        let content = content.or_else(split).unwrap_or(Content::Nothing);
        (stem.to_vec(), content)
    }

    /// Returns the name of the data that the signature `stem` + `.sig.bin` belongs to, and its
    /// content.
    fn data(&self, stem: &[u8]) -> (Vec<u8>, Content) {
        // Fail closed: see `candidates`; a list may be in parts.
        if is_list(OsStr::from_bytes(stem))
            && !self.is_file_here(stem)
            && let Some(parts) = self.parts(stem)
        {
            return (stem.to_vec(), Content::Split(parts));
        }
        let mut candidates = self.candidates(stem);
        let whole = candidates.find_map(|name| {
            let kind = self.kind(&name)?;
            Some((name, Content::Whole(kind)))
        });
        // The last candidate may be a name without an ending; a directory under that name is not a
        // candidate.
        let is_file = |(name, content): &(Vec<u8>, Content)| {
            Ending::split(name).is_some() || *content != Content::Whole(Kind::Directory)
        };
        let split = || {
            let splits = self.candidates(stem).filter_map(|name| {
                let parts = self.parts(&name)?;
                Some((name, Content::Split(parts)))
            });
            let is_incomplete = |(_, content): &(Vec<u8>, Content)| matches!(content, Content::Split(parts) if parts.missing.is_some());
            splits.min_by_key(is_incomplete)
        };
        whole
            .filter(is_file)
            .or_else(split)
            .unwrap_or_else(|| (expected(stem), Content::Nothing))
    }

    /// Returns the possible data names of `stem` + `.sig.bin`, in order of precedence: the stem
    /// itself, if it is an artifact's name or that of a checksum list; with either ending; the stem
    /// itself, with any name.
    fn candidates(&self, stem: &[u8]) -> impl Iterator<Item = Vec<u8>> {
        let own = Ending::split(stem);
        let with = move |ending: Ending| (stem, ending, [stem, ending.text()].concat());
        let own_first = own.map(|(base, ending)| (base, ending, stem.to_vec()));
        // Fail closed: a file put beside a list must not take its signature away, since the list
        // would vouch for nothing then, and what it names would not be missed.
        let is_list = is_list(OsStr::from_bytes(stem)) && self.is_file_here(stem);
        let list_first = is_list.then(|| stem.to_vec());
        let endings = own_first
            .into_iter()
            .chain(Ending::ALL.into_iter().map(with));
        let with_endings = endings.flat_map(|(base, ending, exact)| {
            // The exact ending takes precedence over the same ending in other case.
            let folded = self.artifacts(base, ending).map(<[u8]>::to_vec);
            std::iter::once(exact).chain(folded)
        });
        // A file has a nonempty name.
        let alone = (!stem.is_empty()).then(|| stem.to_vec());
        list_first.into_iter().chain(with_endings).chain(alone)
    }

    /// Returns the parts of `whole` that are here, without those that the user excluded. If all of
    /// them are excluded, returns them nevertheless, since the pair is excluded because of them.
    fn parts(&self, whole: &[u8]) -> Option<Parts<OsString>> {
        let behind = (Bound::Excluded(whole), Bound::Unbounded);
        let beginning = self
            .present
            .range::<[u8], _>(behind)
            .take_while(|(name, _)| name.starts_with(whole));
        let parts: Vec<(&[u8], &Entry)> = beginning
            // `.sig` could be the number of a part, in letters.
            .filter(|(_, entry)| entry.kind != Kind::Directory && !entry.is_signature())
            .map(|(name, entry)| (&name[whole.len()..], *entry))
            .collect();
        let name = |(rest, entry): (&'a [u8], &Entry)| (rest, entry.name.clone());
        let here = parts
            .iter()
            .copied()
            .filter(|(_, entry)| !entry.excluded)
            .map(name);
        // Fail closed: if the parts here do not form a split by themselves, they form one together
        // with the excluded parts, and are judged; excluding the first part must not make the last
        // one vanish.
        parts::collect(here).or_else(|| parts::collect(parts.iter().copied().map(name)))
    }

    /// Returns the pair of an entry that no signature claims, if it needs one.
    fn unsigned(&self, entry: &Entry, needed: Needed) -> Option<Pair> {
        let name = entry.name.as_bytes();
        let is_saved = || needed == Needed::ArtifactsAndImages && is_saved_image(&entry.name);
        let is_artifact = is_artifact(&entry.name) || is_saved();
        let is_any_file = || needed == Needed::AllFiles && !entry.is_signature();
        let content = match entry.kind {
            Kind::File | Kind::Dangling | Kind::Special if is_artifact => {
                Content::Whole(entry.kind)
            }
            kind @ Kind::Directory if is_versions(name, |other| self.is_directory_here(other)) => {
                Content::Lookalike(kind, Unclaimed::ObjectVersions)
            }
            Kind::Directory | Kind::Special => return None,
            kind => match lookalike(name, |other| self.is_file_here(other)) {
                Some(why) => Content::Lookalike(kind, why),
                None if is_any_file() => Content::Whole(kind),
                None => return None,
            },
        };
        Some(Pair {
            data: entry.name.clone(),
            content,
            signature: None,
        })
    }

    /// Returns this entry after the name of its whole, if it is a part and its whole is here.
    fn spare_part(&self, entry: &Entry) -> Option<(OsString, OsString)> {
        let (whole, rest) = Ending::inside(entry.name.as_bytes())?;
        let exists = |rest: &[u8]| self.is_file_here(&[whole, rest].concat());
        let is_possible = is_file(entry) && !entry.is_signature();
        let is_spare = is_possible && exists(b"") && Suffix::parse(rest)?.is_part(exists);
        is_spare.then(|| (OsStr::from_bytes(whole).to_owned(), entry.name.clone()))
    }

    /// Reports whether a file of this name exists and is not excluded.
    ///
    /// Fail closed: a whole that will not be judged does not stand in for its parts.
    fn is_file_here(&self, name: &[u8]) -> bool {
        let entry = self.present.get(name);
        entry.is_some_and(|entry| entry.kind != Kind::Directory && !entry.excluded)
    }

    /// Reports whether a directory of this name exists and is not excluded.
    fn is_directory_here(&self, name: &[u8]) -> bool {
        let entry = self.present.get(name);
        entry.is_some_and(|entry| entry.kind == Kind::Directory && !entry.excluded)
    }

    fn is_excluded(&self, pair: &Pair) -> bool {
        let is_excluded = |name: &OsStr| {
            self.present
                .get(name.as_bytes())
                .is_some_and(|entry| entry.excluded)
        };
        match &pair.content {
            Content::Split(parts) => parts.present.iter().all(|part| is_excluded(part)),
            _ => is_excluded(&pair.data),
        }
    }
}

fn is_file(entry: &Entry) -> bool {
    matches!(entry.kind, Kind::File | Kind::Dangling)
}

/// Returns the name under which a signature without data is reported.
fn expected(stem: &[u8]) -> Vec<u8> {
    let is_whole = Ending::split(stem).is_some() || is_list(OsStr::from_bytes(stem));
    let ending = if is_whole { b"" } else { Ending::Zst.text() };
    [stem, ending].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(name: &str, kind: Kind) -> Entry {
        Entry {
            name: name.into(),
            kind,
            excluded: false,
            is_other: false,
        }
    }

    fn paired(names: &[&str]) -> Vec<(String, Option<String>)> {
        let entries: Vec<Entry> = names.iter().map(|n| entry(n, Kind::File)).collect();
        pair(&entries, Needed::Artifacts)
            .pairs
            .into_iter()
            .map(|p| {
                let text = |name: OsString| name.into_string().unwrap();
                (text(p.data), p.signature.map(|(name, _)| text(name)))
            })
            .collect()
    }

    fn signed(data: &str, signature: &str) -> (String, Option<String>) {
        (data.to_owned(), Some(signature.to_owned()))
    }

    fn unsigned(data: &str) -> (String, Option<String>) {
        (data.to_owned(), None)
    }

    #[test]
    fn a_content_bundle_belongs_to_its_signature_even_beside_an_unpacked_tar() {
        assert_eq!(
            paired(&["x.tar.sig.bin", "x.tar.zst", "x.tar"]),
            [signed("x.tar.zst", "x.tar.sig.bin")]
        );
    }

    #[test]
    fn an_iso_is_signed_under_either_of_its_names() {
        assert_eq!(
            paired(&["x.iso", "x.iso.sig.bin"]),
            [signed("x.iso", "x.iso.sig.bin")]
        );
        assert_eq!(
            paired(&["x.iso", "x.sig.bin"]),
            [signed("x.iso", "x.sig.bin")]
        );
    }

    #[test]
    fn a_zst_goes_before_an_iso_of_the_same_stem_which_is_then_unsigned() {
        assert_eq!(
            paired(&["x.zst", "x.iso", "x.sig.bin"]),
            [unsigned("x.iso"), signed("x.zst", "x.sig.bin")]
        );
    }

    #[test]
    fn data_with_two_signatures_gives_two_pairs() {
        assert_eq!(
            paired(&["x.iso", "x.iso.sig.bin", "x.sig.bin"]),
            [
                signed("x.iso", "x.iso.sig.bin"),
                signed("x.iso", "x.sig.bin")
            ]
        );
    }

    #[test]
    fn any_other_file_may_be_signed_under_its_whole_name() {
        assert_eq!(
            paired(&["airgap.bin", "airgap.bin.sig.bin"]),
            [signed("airgap.bin", "airgap.bin.sig.bin")]
        );
    }

    #[test]
    fn a_signature_without_data_is_reported_under_the_name_the_data_should_have() {
        assert_eq!(paired(&["x.sig.bin"]), [signed("x.zst", "x.sig.bin")]);
        assert_eq!(
            paired(&["x.iso.sig.bin"]),
            [signed("x.iso", "x.iso.sig.bin")]
        );
        assert_eq!(
            paired(&["x.zst.sig.bin"]),
            [signed("x.zst", "x.zst.sig.bin")]
        );
        let nameless = [".sig.bin", "00", "01"];
        assert_eq!(paired(&nameless), [signed(".zst", ".sig.bin")]);
    }

    #[test]
    fn endings_are_recognized_in_any_case_and_the_rest_of_a_name_is_compared_as_bytes() {
        assert_eq!(
            paired(&["X.zst", "x.sig.bin", "y.ZST", "y.SIG.BIN"]),
            [
                unsigned("X.zst"),
                signed("x.zst", "x.sig.bin"),
                signed("y.ZST", "y.SIG.BIN")
            ]
        );
        assert_eq!(
            paired(&["z.Iso", "z.iso.Sig.bin"]),
            [signed("z.Iso", "z.iso.Sig.bin")]
        );
    }

    #[test]
    fn an_ending_in_exactly_the_usual_letters_goes_before_another() {
        assert_eq!(
            paired(&["x.ZST", "x.zst", "x.sig.bin"]),
            [unsigned("x.ZST"), signed("x.zst", "x.sig.bin")]
        );
        assert_eq!(
            paired(&["x.ISO", "x.iso", "x.ISO.sig.bin"]),
            [signed("x.ISO", "x.ISO.sig.bin"), unsigned("x.iso")]
        );
        assert_eq!(
            paired(&["x.ZSt", "x.ZST", "x.sig.bin"]),
            [signed("x.ZST", "x.sig.bin"), unsigned("x.ZSt")]
        );
    }

    /// Returns the parts that a signature claims, and the missing one.
    fn parts_of(names: &[&str]) -> Vec<(String, Vec<OsString>, Option<String>)> {
        let entries: Vec<Entry> = names.iter().map(|n| entry(n, Kind::File)).collect();
        let pairs = pair(&entries, Needed::Artifacts).pairs.into_iter();
        let split = pairs.filter_map(|pair| match pair.content {
            Content::Split(parts) => {
                let missing = parts.missing.map(|rest| String::from_utf8(rest).unwrap());
                Some((pair.data.into_string().unwrap(), parts.present, missing))
            }
            _ => None,
        });
        split.collect()
    }

    #[test]
    fn the_parts_of_a_split_artifact_stand_for_it_where_it_is_not_here_whole() {
        let parts = |names: [&str; 2]| names.map(OsString::from).to_vec();
        for (signature, whole, names) in [
            ("x.sig.bin", "x.zst", ["x.zst_part00", "x.zst_part01"]),
            (
                "x.tar.sig.bin",
                "x.tar.zst",
                ["x.tar.zst.aa", "x.tar.zst.ab"],
            ),
            ("x.sig.bin", "x.iso", ["x.iso.001", "x.iso.002"]),
            ("x.iso.sig.bin", "x.iso", ["x.iso.part-aa", "x.iso.part-ab"]),
            ("x.sig.bin", "x", ["x.part000", "x.part001"]),
            ("a.bin.sig.bin", "a.bin", ["a.bin00", "a.bin01"]),
            ("X.SIG.BIN", "X.ZST", ["X.ZST.001", "X.ZST.002"]),
        ] {
            let [first, second] = names;
            let all = parts_of(&[second, signature, first]);
            assert_eq!(all, [(whole.to_owned(), parts(names), None)], "{signature}");
            assert_eq!(
                parts_of(&[first, second, whole, signature]),
                [],
                "{signature}"
            );
        }
        let missing = parts_of(&["x.zst_part00", "x.zst_part02", "x.sig.bin"]);
        assert_eq!(missing[0].2.as_deref(), Some("_part01"));
    }

    #[test]
    fn parts_that_nothing_claims_are_unsigned_and_those_of_what_is_here_whole_are_named() {
        assert_eq!(
            paired(&["x.zst_part00", "x.zst_part01"]),
            [unsigned("x.zst_part00"), unsigned("x.zst_part01")]
        );
        let names = ["x.zst", "x.sig.bin", "x.zst_part00", "x.zst.01"];
        assert_eq!(paired(&names), [signed("x.zst", "x.sig.bin")]);
        let mut entries = names.map(|name| entry(name, Kind::File));
        let spare = |entries: &[Entry]| -> Vec<OsString> {
            let parts = pair(entries, Needed::Artifacts).spare_parts.into_iter();
            parts.map(|(_, part)| part).collect()
        };
        assert_eq!(spare(&entries), ["x.zst.01", "x.zst_part00"]);
        // An excluded file, or a directory, does not stand in for its parts.
        entries[0].excluded = true;
        assert_eq!(spare(&entries), [] as [OsString; 0]);
        assert_eq!(pair(&entries, Needed::Artifacts).pairs.len(), 2);
        entries[0] = entry("x.zst", Kind::Directory);
        assert_eq!(spare(&entries), [] as [OsString; 0]);
        assert_eq!(pair(&entries, Needed::Artifacts).pairs.len(), 3);
    }

    #[test]
    fn parts_that_are_left_out_are_missing_and_if_all_are_so_is_their_signature() {
        let names = ["x.zst_part00", "x.zst_part02", "x.sig.bin"];
        let mut entries = names.map(|name| entry(name, Kind::File));
        entries[0].excluded = true;
        let pairs = pair(&entries, Needed::Artifacts).pairs;
        assert!(
            matches!(&pairs[..], [Pair { content: Content::Split(parts), .. }]
            if parts.missing.as_deref() == Some(b"_part00"))
        );
        entries[1].excluded = true;
        assert_eq!(pair(&entries, Needed::Artifacts).pairs, []);
    }

    #[test]
    fn the_other_endings_sign_exactly_the_file_that_they_follow() {
        for ending in [
            ".sig",
            ".SIG",
            ".sigstore.json",
            ".sigstore",
            ".cosign.bundle",
            ".bundle",
        ] {
            let signature = |data: &str| format!("{data}{ending}");
            let (tool, iso) = (signature("tool-linux-amd64"), signature("x"));
            assert_eq!(
                paired(&["tool-linux-amd64", &tool, "x.iso", "x.zst", &iso]),
                [
                    signed("tool-linux-amd64", &tool),
                    signed("x", &iso),
                    unsigned("x.iso"),
                    unsigned("x.zst"),
                ],
                "no ending is guessed"
            );
            let parts = parts_of(&["x.zst.001", "x.zst.002", &signature("x.zst")]);
            assert_eq!(parts[0].0, "x.zst");
            assert_eq!(parts[0].1, ["x.zst.001", "x.zst.002"]);
        }
    }

    #[test]
    fn a_signature_of_a_signature_leaves_both_to_be_judged() {
        let of_signature = "x.zst.sig.bin.sig";
        assert_eq!(
            paired(&["x.zst", "x.zst.sig.bin", of_signature]),
            [
                signed("x.zst", "x.zst.sig.bin"),
                signed("x.zst.sig.bin", of_signature)
            ]
        );
    }

    #[test]
    fn a_directory_is_neither_a_signature_nor_what_one_of_the_other_endings_signs() {
        let entries = [
            entry("x.zst", Kind::Directory),
            entry("x.zst.sig", Kind::File),
            entry("y.iso", Kind::File),
            entry("y.iso.sigstore", Kind::Directory),
        ];
        let pairs = pair(&entries, Needed::Artifacts).pairs;
        let contents = pairs.into_iter().map(|pair| (pair.content, pair.signature));
        let sig = Some(("x.zst.sig".into(), Kind::File));
        let expected = [(Content::Nothing, sig), (Content::Whole(Kind::File), None)];
        assert!(contents.eq(expected));
    }

    #[test]
    fn only_a_bundle_without_its_file_is_undecided_and_what_is_no_signature_is_like_any_file() {
        let names = [
            "a",
            "a.bundle",
            "b.bundle",
            "c.sig",
            "d.cosign.bundle",
            "e.00",
            "e.01",
            "e.bundle",
        ];
        let mut entries = names.map(|name| entry(name, Kind::File));
        assert_eq!(undecided(&entries), ["b.bundle"]);
        let missing = |entries: &[Entry]| {
            let pairs = pair(entries, Needed::Artifacts).pairs.into_iter();
            let missing = pairs.filter(|pair| pair.content == Content::Nothing);
            missing.map(|pair| pair.data).collect::<Vec<_>>()
        };
        assert_eq!(missing(&entries), ["b", "c", "d"]);
        entries[2].is_other = true;
        assert_eq!(missing(&entries), ["c", "d"]);
        let uncovered = pair(&entries, Needed::Artifacts).uncovered;
        assert_eq!(uncovered, ["b.bundle"]);
        let all = pair(&entries, Needed::AllFiles).pairs;
        let unsigned = |pair: &Pair| pair.signature.is_none() && pair.data == "b.bundle";
        assert!(all.iter().any(unsigned));
    }

    #[test]
    fn a_signature_in_all_but_name_is_a_stray() {
        let names = [
            "x.zst",
            "x.sig (1).bin",
            "x.sig.bin.1",
            "y.sig.bin",
            "z.json",
        ];
        let entries = names.map(|name| entry(name, Kind::File));
        let strays = pair(&entries, Needed::Artifacts).strays;
        assert_eq!(strays, ["x.sig (1).bin", "x.sig.bin.1"]);
    }

    #[test]
    fn signatures_and_artifacts_are_recognized_by_their_endings() {
        let kinds = [
            "x.sig.bin",
            "x.zst",
            "x.iso",
            "x.iso.sha256",
            "x.sig.bin.tar",
        ]
        .map(OsStr::new)
        .map(|name| (endings::is_signature(name), is_artifact(name)));
        let (signature, artifact, neither) = ((true, false), (false, true), (false, false));
        assert_eq!(kinds, [signature, artifact, artifact, neither, neither]);
    }

    #[test]
    fn a_directory_takes_the_place_of_an_artifact_but_not_of_a_file_without_ending() {
        let entries = [
            entry("x.zst", Kind::Directory),
            entry("x.sig.bin", Kind::File),
            entry("y", Kind::Directory),
            entry("y.sig.bin", Kind::File),
            entry("z.sig.bin", Kind::Directory),
        ];
        let data: Vec<OsString> = pair(&entries, Needed::AllFiles)
            .pairs
            .into_iter()
            .map(|p| p.data)
            .collect();
        assert_eq!(data, ["x.zst", "y.zst"]);
    }

    #[test]
    fn leaving_data_out_leaves_its_signature_out_and_leaving_a_signature_out_leaves_data_unsigned()
    {
        let mut entries = [entry("x.zst", Kind::File), entry("x.sig.bin", Kind::File)];
        entries[0].excluded = true;
        assert_eq!(pair(&entries, Needed::AllFiles).pairs, []);
        entries[0].excluded = false;
        entries[1].excluded = true;
        let alone = Pair {
            data: "x.zst".into(),
            content: Content::Whole(Kind::File),
            signature: None,
        };
        assert_eq!(pair(&entries, Needed::AllFiles).pairs, [alone]);
    }

    #[test]
    fn a_name_that_is_listed_twice_gives_one_pair() {
        let twice = ["x.zst", "x.sig.bin", "y.iso", "x.zst", "x.sig.bin", "y.iso"];
        assert_eq!(
            paired(&twice),
            [signed("x.zst", "x.sig.bin"), unsigned("y.iso")]
        );
    }

    #[test]
    fn only_all_files_asks_a_signature_of_every_file() {
        let entries = [
            entry("key.pem", Kind::File),
            entry("fifo", Kind::Special),
            entry("a.sig.bin.sig.bin", Kind::File),
            entry("a.sig.bin", Kind::File),
        ];
        let data = |needed| {
            let pairs = pair(&entries, needed).pairs;
            pairs.into_iter().map(|p| p.data).collect::<Vec<_>>()
        };
        assert_eq!(data(Needed::Artifacts), ["a.sig.bin", "a.zst"]);
        assert_eq!(data(Needed::AllFiles), ["a.sig.bin", "a.zst", "key.pem"]);
    }

    /// Generates names that collide often: every rule meets every other.
    fn entries() -> impl Strategy<Value = Vec<Entry>> {
        let stem = prop::sample::select(vec!["", "a", "b", "a.tar", "a.iso", "a.zst", "a.sig.bin"]);
        let ending = prop::sample::select(vec![
            "",
            ".zst",
            ".iso",
            ".sig.bin",
            ".zst.sig.bin",
            ".tar",
            ".ZST",
            ".zst.sig",
            ".sigstore.json",
            ".bundle",
            ".zst.part",
            ".zst_part00",
            ".zst_part01",
        ]);
        let kind = prop::sample::select(vec![
            Kind::File,
            Kind::File,
            Kind::Directory,
            Kind::Special,
            Kind::Dangling,
        ]);
        let one = (stem, ending, kind, any::<bool>(), any::<bool>());
        prop::collection::vec(one, 0..14).prop_map(|list| {
            let unique: BTreeMap<String, Entry> = list
                .into_iter()
                .map(|(stem, ending, kind, a, b)| (format!("{stem}{ending}"), kind, a && b))
                .filter(|(name, _, _)| !name.is_empty())
                .map(|(name, kind, excluded)| {
                    let mut entry = entry(&name, kind);
                    entry.excluded = excluded;
                    (name, entry)
                })
                .collect();
            unique.into_values().collect()
        })
    }

    fn is_of(pair: &Pair, signature: &OsStr) -> bool {
        pair.signature
            .as_ref()
            .is_some_and(|(name, _)| name == signature)
    }

    proptest! {
        #[test]
        fn no_file_is_lost(entries in entries()) {
            let pairs = pair(&entries, Needed::AllFiles).pairs;
            for entry in entries.iter().filter(|e| !e.excluded) {
                let judged = pairs.iter().any(|pair| {
                    let mut names = pair.data_names();
                    names.any(|name| name == entry.name) || is_of(pair, &entry.name)
                });
                // A signature whose data is excluded is excluded with it.
                let must = match entry.kind {
                    Kind::Directory => false,
                    Kind::Special => is_artifact(&entry.name),
                    Kind::File | Kind::Dangling => !entry.is_signature(),
                };
                prop_assert!(judged || !must, "{:?} of {:?}", entry, entries);
            }
        }
    }
}
