//! Tests of pairing.

use std::collections::BTreeMap;

use super::*;
use crate::names::endings::is_artifact;
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
fn leaving_data_out_leaves_its_signature_out_and_leaving_a_signature_out_leaves_data_unsigned() {
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
