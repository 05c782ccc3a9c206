//! Which signature belongs to which file, by their names alone. Pure: the names of one directory in, pairs out.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// How a signature file's name ends.
const SIGNATURE: &[u8] = b".sig.bin";
/// How the names of files that need a signature end.
const ZST: &[u8] = b".zst";
const ISO: &[u8] = b".iso";

/// What stands under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A regular file, or a link to one.
    File,
    /// A directory, or a link to one.
    Directory,
    /// A FIFO, a socket, a device, or a link to one.
    Special,
    /// A link that leads nowhere.
    Dangling,
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The file's name, without its directory.
    pub name: OsString,
    /// What stands there.
    pub kind: Kind,
    /// Whether the user asked to leave it out.
    pub excluded: bool,
}

/// What must have a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needed {
    /// What is named `.zst` or `.iso`.
    Artifacts,
    /// Every file that is not a signature itself.
    AllFiles,
}

/// One result: a signature with the file it belongs to, or a file that has none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The data file's name; where there is none, the name it should have.
    pub data: OsString,
    /// What stands under that name.
    pub data_kind: Option<Kind>,
    /// The signature file's name, and what stands there.
    pub signature: Option<(OsString, Kind)>,
}

/// Whether a file of this name is a signature.
pub fn is_signature(name: &OsStr) -> bool {
    name.as_bytes().ends_with(SIGNATURE)
}

/// Whether a file of this name needs a signature.
pub fn is_artifact(name: &OsStr) -> bool {
    ends_as_artifact(name.as_bytes())
}

/// Pairs the entries of one directory: every signature gives one pair, and every file that needs a
/// signature and has none gives one. Sorted, whatever the order of the entries.
pub fn pair(entries: &[Entry], needed: Needed) -> Vec<Pair> {
    let present: BTreeMap<&[u8], &Entry> = entries.iter().map(|e| (e.name.as_bytes(), e)).collect();
    let kind_of = |name: &[u8]| present.get(name).map(|entry| entry.kind);
    // Each name once: a file that is replaced while its directory is read is listed twice by some file systems.
    let entries = || present.values().copied();
    let mut pairs: Vec<Pair> = signatures(entries())
        .map(|(stem, signature)| {
            let data = data_of(stem, &present);
            Pair {
                data_kind: kind_of(&data),
                data: OsString::from_vec(data),
                signature: Some((signature.name.clone(), signature.kind)),
            }
        })
        .collect();
    let claimed: BTreeSet<&OsStr> = pairs.iter().map(|p| p.data.as_os_str()).collect();
    let unsigned: Vec<Pair> = entries()
        .filter(|e| needs_signature(e, needed) && !claimed.contains(e.name.as_os_str()))
        .map(|e| Pair {
            data: e.name.clone(),
            data_kind: Some(e.kind),
            signature: None,
        })
        .collect();
    pairs.extend(unsigned);
    // Excluded data still decides above what a signature belongs to: leaving a file out must not
    // make its signature speak of another one.
    pairs.retain(|p| present.get(p.data.as_bytes()).is_none_or(|e| !e.excluded));
    pairs.sort_unstable();
    pairs
}

/// The names, one of which may be `name` itself, that decide which pairs `name` is part of.
pub fn relatives(name: &OsStr) -> Vec<OsString> {
    let name = name.as_bytes();
    let mut stems: Vec<&[u8]> = vec![name];
    let endings = [SIGNATURE, ZST, ISO];
    stems.extend(endings.iter().filter_map(|end| name.strip_suffix(*end)));
    let names: BTreeSet<Vec<u8>> = stems
        .iter()
        .flat_map(|stem| [&[][..], ZST, ISO, SIGNATURE].map(|end| [stem, end].concat()))
        .filter(|name| !name.is_empty())
        .collect();
    names.into_iter().map(OsString::from_vec).collect()
}

/// The signature files among the entries, each behind its name without the ending.
fn signatures<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
) -> impl Iterator<Item = (&'a [u8], &'a Entry)> {
    entries
        .into_iter()
        // Excluding a signature leaves its data without one, which fails: nothing is passed by leaving it out.
        .filter(|e| e.kind != Kind::Directory && !e.excluded)
        .filter_map(|e| Some((e.name.as_bytes().strip_suffix(SIGNATURE)?, e)))
}

/// The name of the file that the signature `stem` + `.sig.bin` belongs to.
fn data_of(stem: &[u8], present: &BTreeMap<&[u8], &Entry>) -> Vec<u8> {
    let exists = |name: &Vec<u8>| present.contains_key(name.as_slice());
    let zst = [stem, ZST].concat();
    let iso = [stem, ISO].concat();
    let own = stem.to_vec();
    let may_be_signed = present
        .get(stem)
        // A directory that happens to bear the stem's name is no candidate for a file without an ending.
        .is_some_and(|e| e.kind != Kind::Directory);
    if ends_as_artifact(stem) && exists(&own) {
        own
    } else if exists(&zst) {
        zst
    } else if exists(&iso) {
        iso
    } else if may_be_signed || ends_as_artifact(stem) {
        own
    } else {
        zst
    }
}

fn ends_as_artifact(name: &[u8]) -> bool {
    name.ends_with(ZST) || name.ends_with(ISO)
}

fn needs_signature(entry: &Entry, needed: Needed) -> bool {
    let name = entry.name.as_bytes();
    match entry.kind {
        Kind::Directory => false,
        Kind::Special => ends_as_artifact(name),
        Kind::File | Kind::Dangling => {
            ends_as_artifact(name) || (needed == Needed::AllFiles && !name.ends_with(SIGNATURE))
        }
    }
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
        }
    }

    fn paired(names: &[&str]) -> Vec<(String, Option<String>)> {
        let entries: Vec<Entry> = names.iter().map(|n| entry(n, Kind::File)).collect();
        pair(&entries, Needed::Artifacts)
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
        assert_eq!(paired(&[".sig.bin"]), [signed(".zst", ".sig.bin")]);
    }

    #[test]
    fn names_are_compared_as_bytes() {
        assert_eq!(
            paired(&["X.zst", "x.sig.bin", "y.ZST", "y.SIG.BIN"]),
            [unsigned("X.zst"), signed("x.zst", "x.sig.bin")]
        );
    }

    #[test]
    fn signatures_and_artifacts_are_told_by_how_their_names_end() {
        let told = [
            "x.sig.bin",
            "x.zst",
            "x.iso",
            "x.iso.sha256",
            "x.sig.bin.tar",
        ]
        .map(OsStr::new)
        .map(|name| (is_signature(name), is_artifact(name)));
        let (signature, artifact, neither) = ((true, false), (false, true), (false, false));
        assert_eq!(told, [signature, artifact, artifact, neither, neither]);
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
        assert_eq!(pair(&entries, Needed::AllFiles), []);
        entries[0].excluded = false;
        entries[1].excluded = true;
        let alone = Pair {
            data: "x.zst".into(),
            data_kind: Some(Kind::File),
            signature: None,
        };
        assert_eq!(pair(&entries, Needed::AllFiles), [alone]);
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
            let pairs = pair(&entries, needed);
            pairs.into_iter().map(|p| p.data).collect::<Vec<_>>()
        };
        assert_eq!(data(Needed::Artifacts), ["a.sig.bin", "a.zst"]);
        assert_eq!(data(Needed::AllFiles), ["a.sig.bin", "a.zst", "key.pem"]);
    }

    /// Names that collide often: every rule meets every other.
    fn entries() -> impl Strategy<Value = Vec<Entry>> {
        let stem = prop::sample::select(vec!["", "a", "b", "a.tar", "a.iso", "a.zst", "a.sig.bin"]);
        let ending =
            prop::sample::select(vec!["", ".zst", ".iso", ".sig.bin", ".zst.sig.bin", ".tar"]);
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
        fn every_signature_gives_exactly_one_pair(entries in entries()) {
            let pairs = pair(&entries, Needed::Artifacts);
            let left_out = |pair_data: &[u8]| {
                entries.iter().any(|e| e.excluded && e.name.as_bytes() == pair_data)
            };
            let present = entries.iter().map(|e| (e.name.as_bytes(), e)).collect();
            for (stem, signature) in signatures(&entries) {
                let found = pairs.iter().filter(|p| is_of(p, &signature.name)).count();
                let expected = usize::from(!left_out(&data_of(stem, &present)));
                prop_assert_eq!(found, expected, "{:?}", signature);
            }
        }

        #[test]
        fn no_file_is_lost(entries in entries()) {
            let pairs = pair(&entries, Needed::AllFiles);
            for entry in entries.iter().filter(|e| !e.excluded) {
                let judged = pairs.iter().any(|p| {
                    p.data == entry.name || is_of(p, &entry.name)
                });
                let name = entry.name.as_bytes();
                // A signature whose data is left out goes with it.
                let must = match entry.kind {
                    Kind::Directory => false,
                    Kind::Special => ends_as_artifact(name),
                    Kind::File | Kind::Dangling => !name.ends_with(SIGNATURE),
                };
                prop_assert!(judged || !must, "{:?} of {:?}", entry, entries);
            }
        }

        #[test]
        fn the_pairs_do_not_depend_on_the_order_of_the_entries(
            (entries, shuffled) in entries().prop_flat_map(|e| (Just(e.clone()), Just(e).prop_shuffle()))
        ) {
            prop_assert_eq!(pair(&entries, Needed::AllFiles), pair(&shuffled, Needed::AllFiles));
        }

        #[test]
        fn the_relatives_of_a_name_are_enough_to_find_its_pairs(entries in entries()) {
            let all = pair(&entries, Needed::Artifacts);
            for entry in &entries {
                let near = relatives(&entry.name);
                let few: Vec<Entry> =
                    entries.iter().filter(|e| near.contains(&e.name)).cloned().collect();
                let of_entry = |pairs: &[Pair]| -> Vec<Pair> {
                    let is_part = |p: &&Pair| {
                        is_of(p, &entry.name) || (p.data == entry.name && p.signature.is_some())
                    };
                    pairs.iter().filter(is_part).cloned().collect()
                };
                prop_assert_eq!(of_entry(&all), of_entry(&pair(&few, Needed::Artifacts)));
            }
        }
    }
}
