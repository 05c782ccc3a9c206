//! Names are paired as the rules say, which are written here again, as plainly as they are told;
//! nothing is lost, and the order of the names means nothing.
//!
//! The bytes are a list of names, one a line (so that none has a newline in it). In front of each
//! stands what it is: `f` a file, `o` a file that is no signature by its content, `d` a directory, `s` something special, `l` a link that leads
//! nowhere; a capital letter says that it is excluded. A first line `all` asks for a signature of
//! every file.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use verify_signatures::Unclaimed;
use verify_signatures::internals::mirror::lookalike::{is_versions, lookalike};
use verify_signatures::internals::mirror::pairing::{Content, Entry, Kind, Needed, Pair, pair};
use verify_signatures::internals::names::parts;

/// Checks a directory's names.
pub fn check(data: &[u8]) {
    let (needed, entries) = directory(data);
    let paired = pair(&entries, needed);
    assert_eq!(paired.pairs, naive(&entries, needed), "{entries:?}");
    let reversed: Vec<Entry> = entries.iter().rev().cloned().collect();
    assert_eq!(pair(&reversed, needed), paired);
    for entry in &entries {
        nothing_is_lost(entry, &paired.pairs, &entries, needed);
    }
}

fn directory(data: &[u8]) -> (Needed, Vec<Entry>) {
    let mut lines = data.split(|byte| *byte == b'\n').peekable();
    let needed = match lines.next_if(|line| line == b"all") {
        Some(_) => Needed::AllFiles,
        None => Needed::Artifacts,
    };
    let mut entries: Vec<Entry> = Vec::new();
    // A directory has a name once, and never these.
    for entry in lines.filter_map(entry) {
        let name = entry.name.as_bytes();
        let impossible = name.contains(&0) || name.contains(&b'/') || name == b"." || name == b"..";
        if !impossible && entries.iter().all(|other| other.name != entry.name) {
            entries.push(entry);
        }
    }
    (needed, entries)
}

fn entry(line: &[u8]) -> Option<Entry> {
    let (letter, name) = line.split_first().filter(|(_, name)| !name.is_empty())?;
    let letter = *letter;
    let kind = match letter.to_ascii_lowercase() {
        b'f' => Kind::File,
        b'o' if letter == b'o' => Kind::File,
        b'd' => Kind::Directory,
        b's' => Kind::Special,
        b'l' => Kind::Dangling,
        _ => return None,
    };
    Some(Entry {
        name: OsStr::from_bytes(name).to_owned(),
        kind,
        excluded: letter.is_ascii_uppercase(),
        is_other: letter == b'o',
    })
}

/// One line for each signature file; then one for each file that needs a signature and that none
/// claims.
fn naive(entries: &[Entry], needed: Needed) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let mut claimed = Vec::new();
    for signature in entries {
        let Some((data, content)) = signed_by(signature, entries) else {
            continue;
        };
        claimed.push(data.clone());
        if let Content::Split(parts) = &content {
            claimed.extend(parts.present.clone());
        }
        // What the user left out takes its signature with it.
        if !is_left_out(&data, &content, entries) {
            pairs.push(Pair {
                data,
                content,
                signature: Some((signature.name.clone(), signature.kind)),
            });
        }
    }
    for entry in entries {
        let content = content_without_signature(entry, entries, needed);
        let is_claimed = claimed.contains(&entry.name);
        if let Some(content) = content.filter(|_| !entry.excluded && !is_claimed) {
            pairs.push(Pair {
                data: entry.name.clone(),
                content,
                signature: None,
            });
        }
    }
    pairs.sort();
    pairs
}

fn is_left_out(data: &OsStr, content: &Content, entries: &[Entry]) -> bool {
    let excluded = |name: &OsStr| find(entries, name).is_some_and(|entry| entry.excluded);
    match content {
        Content::Split(parts) => parts.present.iter().all(|part| excluded(part)),
        _ => excluded(data),
    }
}

/// The endings of the signatures that sign exactly what stands before them, the longest first.
const EXACT: [&str; 5] = [
    ".cosign.bundle",
    ".sigstore.json",
    ".sigstore",
    ".bundle",
    ".sig",
];

/// What a signature file that was not left out signs.
fn signed_by(entry: &Entry, entries: &[Entry]) -> Option<(OsString, Content)> {
    if entry.kind == Kind::Directory || entry.excluded || entry.is_other {
        return None;
    }
    let name = entry.name.as_bytes();
    if let Some(stem) = without(name, ".sig.bin") {
        return Some(data_of(stem, entries));
    }
    let stem = exact_stem(name)?;
    let data = OsStr::from_bytes(stem).to_owned();
    let here = find(entries, &data).filter(|here| here.kind != Kind::Directory);
    let content = match (here, parts_of(&data, entries)) {
        (Some(here), _) => Content::Whole(here.kind),
        (None, Some(parts)) => Content::Split(parts),
        (None, None) => Content::Nothing,
    };
    Some((data, content))
}

fn exact_stem(name: &[u8]) -> Option<&[u8]> {
    let mut stems = EXACT.iter().filter_map(|ending| without(name, ending));
    stems.find(|stem| !stem.is_empty())
}

fn is_named_signature(name: &[u8]) -> bool {
    without(name, ".sig.bin").or(exact_stem(name)).is_some()
}

/// What stands before an ending in letters of any case.
fn without<'a>(name: &'a [u8], ending: &str) -> Option<&'a [u8]> {
    let ends = name.to_ascii_lowercase().ends_with(ending.as_bytes());
    ends.then(|| &name[..name.len() - ending.len()])
}

/// The first of these that exists: `S` as an artifact's name, `S.zst`, `S.iso`, `S`; or that was
/// split. An ending in exactly the letters that are looked for goes before the same in others, and
/// of those the first bytewise.
fn data_of(stem: &[u8], entries: &[Entry]) -> (OsString, Content) {
    let name = |bytes: &[u8]| OsStr::from_bytes(bytes).to_owned();
    let mut candidates: Vec<OsString> = Vec::new();
    let mut add = |base: &[u8], ending: &str, exact: OsString| {
        // As it is here, or as its parts call it.
        let spelled = |entry: &Entry| {
            let bytes = entry.name.as_bytes();
            let length = base.len() + ending.len();
            let begins = bytes.len() >= length && without(&bytes[..length], ending) == Some(base);
            let rest = bytes.get(length..).filter(|_| begins)?;
            let last = !has_ending_behind(rest);
            let is_part = !rest.is_empty() && last && parts::Suffix::parse(rest).is_some();
            (rest.is_empty() || is_part).then(|| name(&bytes[..length]))
        };
        let folded: BTreeSet<OsString> = entries.iter().filter_map(spelled).collect();
        candidates.push(exact);
        candidates.extend(folded);
    };
    for ending in [".zst", ".iso"] {
        if let Some(base) = without(stem, ending) {
            add(base, ending, name(stem));
        }
    }
    for ending in [".zst", ".iso"] {
        add(stem, ending, name(&[stem, ending.as_bytes()].concat()));
    }
    if !stem.is_empty() {
        candidates.push(name(stem));
    }
    for candidate in &candidates {
        if let Some(entry) = find(entries, candidate) {
            // A directory is not a file, though it may stand in an artifact's place.
            if entry.kind != Kind::Directory || is_artifact(candidate.as_bytes()) {
                return (candidate.clone(), Content::Whole(entry.kind));
            }
        }
    }
    let split = |complete: bool| {
        let mut splits = candidates
            .iter()
            .filter_map(|whole| Some((whole, parts_of(whole, entries)?)));
        splits.find(|(_, parts)| parts.missing.is_none() == complete)
    };
    if let Some((whole, parts)) = split(true).or_else(|| split(false)) {
        return (whole.clone(), Content::Split(parts));
    }
    let ending: &[u8] = if is_artifact(stem) { b"" } else { b".zst" };
    (name(&[stem, ending].concat()), Content::Nothing)
}

/// What of a split artifact is here, those parts that were left out only where there is nothing
/// else.
fn parts_of(whole: &OsStr, entries: &[Entry]) -> Option<parts::Parts<OsString>> {
    let rest = |entry: &'_ Entry| {
        let rest = entry.name.as_bytes().strip_prefix(whole.as_bytes());
        rest.filter(|rest| !rest.is_empty()).map(<[u8]>::to_vec)
    };
    let files = entries.iter().filter(|entry| entry.kind != Kind::Directory);
    let files = files.filter(|entry| entry.is_other || !is_named_signature(entry.name.as_bytes()));
    let rests: Vec<(Vec<u8>, &Entry)> = files
        .filter_map(|entry| Some((rest(entry)?, entry)))
        .collect();
    let collect = |all: bool| {
        let some = rests.iter().filter(|(_, entry)| all || !entry.excluded);
        parts::collect(some.map(|(rest, entry)| (rest.as_slice(), entry.name.clone())))
    };
    collect(false).or_else(|| collect(true))
}

fn has_ending_behind(rest: &[u8]) -> bool {
    let lower = rest.to_ascii_lowercase();
    let has = |ending: &[u8]| {
        lower
            .windows(4)
            .rev()
            .skip(1)
            .any(|window| window == ending)
    };
    has(b".zst") || has(b".iso")
}

fn content_without_signature(entry: &Entry, entries: &[Entry], needed: Needed) -> Option<Content> {
    let name = entry.name.as_bytes();
    let is_here = |other: &[u8]| {
        let other = find(entries, OsStr::from_bytes(other));
        other.is_some_and(|other| other.kind != Kind::Directory && !other.excluded)
    };
    let all = needed == Needed::AllFiles && (entry.is_other || !is_named_signature(name));
    let is_directory = |other: &[u8]| {
        let other = find(entries, OsStr::from_bytes(other));
        other.is_some_and(|other| other.kind == Kind::Directory && !other.excluded)
    };
    match entry.kind {
        Kind::Directory => is_versions(name, is_directory).then_some(Content::Lookalike(
            Kind::Directory,
            Unclaimed::ObjectVersions,
        )),
        kind if is_artifact(name) => Some(Content::Whole(kind)),
        Kind::Special => None,
        kind => match lookalike(name, is_here) {
            Some(why) => Some(Content::Lookalike(kind, why)),
            None => all.then_some(Content::Whole(kind)),
        },
    }
}

fn is_artifact(name: &[u8]) -> bool {
    without(name, ".zst").or(without(name, ".iso")).is_some()
}

fn find<'a>(entries: &'a [Entry], name: &OsStr) -> Option<&'a Entry> {
    entries.iter().find(|entry| entry.name == name)
}

/// What is not left out has its line: a signature exactly one (unless its data was left out), what
/// needs one at least one.
fn nothing_is_lost(entry: &Entry, pairs: &[Pair], entries: &[Entry], needed: Needed) {
    if let Some((data, content)) = signed_by(entry, entries) {
        let lines = pairs.iter().filter(|pair| is_of(pair, &entry.name)).count();
        assert_eq!(
            lines,
            usize::from(!is_left_out(&data, &content, entries)),
            "{entry:?}"
        );
    }
    if content_without_signature(entry, entries, needed).is_some() {
        let is_data = |pair: &&Pair| pair.data == entry.name;
        let has_it = |pair: &&Pair| pair.data_names().any(|name| name == entry.name);
        if entry.excluded {
            // It may still be a part of what was not left out whole.
            assert!(!pairs.iter().any(|pair| is_data(&pair)), "{entry:?}");
        } else {
            assert!(pairs.iter().any(|pair| has_it(&pair)), "{entry:?}");
        }
    }
}

fn is_of(pair: &Pair, signature: &OsStr) -> bool {
    let name = pair.signature.as_ref().map(|(name, _)| name.as_os_str());
    name == Some(signature)
}
