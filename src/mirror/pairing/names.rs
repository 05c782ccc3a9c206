//! The names in one directory, and what each of them belongs to.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::ops::Bound;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::{Content, Entry, Kind, Needed, Pair};
use crate::mirror::lookalike::{is_versions, lookalike};
use crate::names::endings::{self, Ending, Rule, SignatureEnding, is_artifact, is_saved_image};
use crate::names::lists::is_list;
use crate::names::parts::{self, Parts, Suffix};
use crate::trust::verdict::Unclaimed;

/// The stem of an artifact's name, and its ending.
type Split<'a> = (&'a [u8], Ending);

/// The entries of a directory, each name once: some file systems list a file twice that is replaced
/// while its directory is read.
pub(super) struct Names<'a> {
    present: BTreeMap<&'a [u8], &'a Entry>,
    /// The names of artifacts here, whole or split, sorted, each after its stem and ending: several
    /// share both if only the case of their endings differs.
    artifacts: Vec<(Split<'a>, &'a [u8])>,
}

impl<'a> Names<'a> {
    pub(super) fn of(entries: &'a [Entry]) -> Names<'a> {
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

    pub(super) fn entries(&self) -> impl Iterator<Item = &'a Entry> {
        self.present.values().copied()
    }

    fn kind(&self, name: &[u8]) -> Option<Kind> {
        self.present.get(name).map(|entry| entry.kind)
    }

    /// Returns the signature files, each after its name without the ending, and the ending.
    pub(super) fn signatures(
        &self,
    ) -> impl Iterator<Item = (&'a [u8], SignatureEnding, &'a Entry)> {
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
    pub(super) fn signed(&self, stem: &[u8], ending: SignatureEnding, signature: &Entry) -> Pair {
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

    /// Returns the name of the data that a signature belongs to which is named exactly after it,
    /// and its content. A directory is not data.
    pub(super) fn exactly(&self, stem: &[u8]) -> (Vec<u8>, Content) {
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
    pub(super) fn unsigned(&self, entry: &Entry, needed: Needed) -> Option<Pair> {
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
    pub(super) fn spare_part(&self, entry: &Entry) -> Option<(OsString, OsString)> {
        let (whole, rest) = Ending::inside(entry.name.as_bytes())?;
        let exists = |rest: &[u8]| self.is_file_here(&[whole, rest].concat());
        let is_possible = entry.is_file() && !entry.is_signature();
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

    pub(super) fn is_excluded(&self, pair: &Pair) -> bool {
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

/// Returns the name under which a signature without data is reported.
fn expected(stem: &[u8]) -> Vec<u8> {
    let is_whole = Ending::split(stem).is_some() || is_list(OsStr::from_bytes(stem));
    let ending = if is_whole { b"" } else { Ending::Zst.text() };
    [stem, ending].concat()
}
