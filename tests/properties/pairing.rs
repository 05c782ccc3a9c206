//! Names are paired as the rules say, which are written here again, as plainly as they are told; nothing is lost, and the order of
//! the names means nothing.
//!
//! The bytes are a list of names, one a line (so that none has a newline in it). In front of each stands what it is: `f` a file,
//! `d` a directory, `s` something special, `l` a link that leads nowhere; a capital letter says that it is excluded. A first line
//! `all` asks for a signature of every file.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use verify_signatures::mirror::pairing::{Entry, Kind, Needed, Pair, pair, relatives};

/// Checks a directory's names.
pub fn check(data: &[u8]) {
    let (needed, entries) = directory(data);
    let pairs = pair(&entries, needed);
    assert_eq!(pairs, naive(&entries, needed), "{entries:?}");
    let reversed: Vec<Entry> = entries.iter().rev().cloned().collect();
    assert_eq!(pair(&reversed, needed), pairs);
    for entry in &entries {
        nothing_is_lost(entry, &pairs, &entries, needed);
        its_relatives_are_enough(entry, &pairs, &entries, needed);
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
    let kind = match letter.to_ascii_lowercase() {
        b'f' => Kind::File,
        b'd' => Kind::Directory,
        b's' => Kind::Special,
        b'l' => Kind::Dangling,
        _ => return None,
    };
    Some(Entry {
        name: OsStr::from_bytes(name).to_owned(),
        kind,
        excluded: letter.is_ascii_uppercase(),
    })
}

/// One line for each signature file; then one for each file that needs a signature and that none claims.
fn naive(entries: &[Entry], needed: Needed) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let mut claimed = Vec::new();
    for signature in entries {
        let Some(stem) = stem_of_signature(signature) else {
            continue;
        };
        let data = data_of(stem, entries);
        claimed.push(data.clone());
        let there = find(entries, &data);
        // What the user left out takes its signature with it.
        if !there.is_some_and(|entry| entry.excluded) {
            pairs.push(Pair {
                data,
                data_kind: there.map(|entry| entry.kind),
                signature: Some((signature.name.clone(), signature.kind)),
            });
        }
    }
    for entry in entries {
        if must_be_signed(entry, needed) && !entry.excluded && !claimed.contains(&entry.name) {
            pairs.push(Pair {
                data: entry.name.clone(),
                data_kind: Some(entry.kind),
                signature: None,
            });
        }
    }
    pairs.sort();
    pairs
}

/// S, if this is a signature file `S.sig.bin` that was not left out.
fn stem_of_signature(entry: &Entry) -> Option<&[u8]> {
    let counts = entry.kind != Kind::Directory && !entry.excluded;
    let stem = entry.name.as_bytes().strip_suffix(b".sig.bin");
    stem.filter(|_| counts)
}

/// The first of these that exists: `S` as an artifact's name, `S.zst`, `S.iso`, `S`. Where none does, the name it is told under.
fn data_of(stem: &[u8], entries: &[Entry]) -> OsString {
    let with = |ending: &[u8]| OsStr::from_bytes(&[stem, ending].concat()).to_owned();
    let mut candidates = Vec::new();
    if is_artifact(stem) {
        candidates.push(with(b""));
    }
    candidates.extend([with(b".zst"), with(b".iso")]);
    // A directory is no file of whatever name, though it may stand in an artifact's place.
    let own = find(entries, &with(b""));
    if own.is_some_and(|entry| entry.kind != Kind::Directory) {
        candidates.push(with(b""));
    }
    let exists = |name: &&OsString| find(entries, name).is_some();
    let found = candidates.iter().find(exists).cloned();
    found.unwrap_or_else(|| with(if is_artifact(stem) { b"" } else { b".zst" }))
}

fn must_be_signed(entry: &Entry, needed: Needed) -> bool {
    let name = entry.name.as_bytes();
    let all = needed == Needed::AllFiles && !name.ends_with(b".sig.bin");
    match entry.kind {
        Kind::File | Kind::Dangling => is_artifact(name) || all,
        Kind::Special => is_artifact(name),
        Kind::Directory => false,
    }
}

fn is_artifact(name: &[u8]) -> bool {
    name.ends_with(b".zst") || name.ends_with(b".iso")
}

fn find<'a>(entries: &'a [Entry], name: &OsStr) -> Option<&'a Entry> {
    entries.iter().find(|entry| entry.name == name)
}

/// What is not left out has its line: a signature exactly one (unless its data was left out), what needs one at least one.
fn nothing_is_lost(entry: &Entry, pairs: &[Pair], entries: &[Entry], needed: Needed) {
    if let Some(stem) = stem_of_signature(entry) {
        let left_out = find(entries, &data_of(stem, entries)).is_some_and(|data| data.excluded);
        let lines = pairs.iter().filter(|pair| is_of(pair, &entry.name)).count();
        assert_eq!(lines, usize::from(!left_out), "{entry:?}");
    }
    if must_be_signed(entry, needed) {
        let lines = pairs.iter().filter(|pair| pair.data == entry.name).count();
        assert_eq!(lines > 0, !entry.excluded, "{entry:?}");
    }
}

/// A PATH that is one file looks at the names around it only; its own pairs are the same.
fn its_relatives_are_enough(entry: &Entry, pairs: &[Pair], entries: &[Entry], needed: Needed) {
    let near = relatives(&entry.name);
    let few = entries.iter().filter(|other| near.contains(&other.name));
    let few: Vec<Entry> = few.cloned().collect();
    let own = |pairs: &[Pair]| -> Vec<Pair> {
        let is_part = |pair: &&Pair| {
            let is_data = pair.data == entry.name && pair.signature.is_some();
            is_data || is_of(pair, &entry.name)
        };
        pairs.iter().filter(is_part).cloned().collect()
    };
    assert_eq!(own(&pair(&few, needed)), own(pairs), "{entry:?}");
}

fn is_of(pair: &Pair, signature: &OsStr) -> bool {
    let name = pair.signature.as_ref().map(|(name, _)| name.as_os_str());
    name == Some(signature)
}
