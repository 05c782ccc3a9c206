//! Tests of the reader of tar archives.

use proptest::prelude::*;
use tar::{EntryType, Header as Made};

use crate::bundle::testing::{defect, file, read, read_with, tar};
use crate::bundle::{Contents, Defect, Entry, Limits, Member};

/// The two blocks that end an archive.
const END: [u8; 1024] = [0; 1024];

/// A header with its checksum.
fn header(kind: u8, name: &[u8], size: u64) -> Made {
    let mut header = Made::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(EntryType::new(kind));
    header.set_size(size);
    header.set_cksum();
    header
}

/// A member with its header, its content and its padding.
fn member(kind: u8, name: &[u8], content: &[u8]) -> Vec<u8> {
    let mut bytes = header(kind, name, content.len() as u64).as_bytes().to_vec();
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn link(kind: u8, name: &str, target: &str) -> Vec<u8> {
    let mut header = header(kind, name.as_bytes(), 0);
    header.set_link_name_literal(target).unwrap();
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn archive(members: &[Vec<u8>]) -> Vec<u8> {
    [members.concat(), END.to_vec()].concat()
}

fn pax(kind: u8, records: &[(&str, &str)]) -> Vec<u8> {
    let record = |(key, value): &(&str, &str)| {
        let rest = key.len() + value.len() + 3;
        let length = (rest..).find(|n| n.to_string().len() + rest == *n);
        format!("{} {key}={value}\n", length.unwrap())
    };
    let body: String = records.iter().map(record).collect();
    member(kind, b"pax", body.as_bytes())
}

fn bad(what: &'static str) -> Defect {
    Defect::BadHeader(what)
}

fn unsafe_name(name: &str) -> Defect {
    Defect::UnsafeName(name.into())
}

#[test]
fn members_come_with_their_digests_sizes_and_texts() {
    let big = vec![7; 1_000_000];
    let files: [(&str, &[u8]); 5] = [
        ("index.json", b"{\"a\":1}"),
        ("empty", b""),
        ("blobs/sha256/x", &big),
        ("blobs/sha256/y", &big[..512]),
        ("list", b"[]"),
    ];
    let expected: Vec<Member> = files
        .iter()
        .map(|(path, bytes)| file(path, bytes))
        .collect();
    assert_eq!(read(&tar(&files)), (expected, Ok(Contents::Tar)));
}

#[test]
fn text_is_what_begins_like_json_or_is_a_signature_and_is_small() {
    let large = [b"{".to_vec(), vec![b' '; 4 * 1024 * 1024]].concat();
    let small = [vec![b' '; 300_000], b"\n[1]".to_vec()].concat();
    let signature = [
        b"\0sigstore-json\n{".to_vec(),
        vec![b' '; 300_000],
        b"}".to_vec(),
    ]
    .concat();
    let other = b"\0sigstore-jsonl\n{}";
    let files: [(&str, &[u8]); 6] = [
        ("signature", &signature),
        ("other", other),
        ("large", &large),
        ("small", &small),
        ("word", b"x{"),
        ("blank", b"  \n"),
    ];
    let (members, _) = read(&tar(&files));
    let text = |member: &Member| match &member.entry {
        Entry::File { text, .. } => text.clone(),
        Entry::Link { .. } => None,
    };
    let found: Vec<_> = members.iter().map(text).collect();
    assert_eq!(
        found,
        [
            Some(signature.clone()),
            None,
            None,
            Some(small.clone()),
            None,
            None
        ]
    );
}

#[test]
fn texts_have_a_budget() {
    let limits = Limits {
        text: 10,
        ..Limits::default()
    };
    let within: [(&str, &[u8]); 3] = [("a", b"{12}"), ("b", b"plain, so free"), ("c", b"[4567]")];
    assert_eq!(read_with(&*tar(&within), limits).1, Ok(Contents::Tar));
    let beyond: [(&str, &[u8]); 2] = [("a", b"{12}"), ("b", b"[45678]")];
    let result = read_with(&*tar(&beyond), limits).1;
    assert_eq!(result, Err(Defect::TooMuchText));
}

#[test]
fn an_archive_without_members_is_one_and_other_data_is_none() {
    for (bytes, contents) in [
        (vec![0; 1024], Contents::Tar),
        (vec![0; 10240], Contents::Tar),
        (vec![0; 512], Contents::NotATar),
        (vec![], Contents::NotATar),
        (vec![1; 4096], Contents::NotATar),
        (b"short".to_vec(), Contents::NotATar),
        // The system area of an ISO 9660 image.
        (
            [vec![0; 32768], b"\x01CD001".to_vec()].concat(),
            Contents::NotATar,
        ),
    ] {
        assert_eq!(read(&bytes), (Vec::new(), Ok(contents)), "{}", bytes.len());
    }
}

#[test]
fn names_are_in_one_form_and_directories_yield_nothing() {
    let bytes = archive(&[
        member(b'5', b"./", b""),
        member(b'5', b"./blobs/", b""),
        member(b'5', b"blobs", b""),
        member(b'0', b"old/", b""),
        member(b'0', b"./blobs//x", b"1"),
        member(0, b"y", b"2"),
    ]);
    let expected = vec![file("blobs/x", b"1"), file("y", b"2")];
    assert_eq!(read(&bytes), (expected, Ok(Contents::Tar)));
}

#[test]
fn long_names_of_gnu_and_pax_and_the_prefix_of_ustar_are_names() {
    let long = format!("blobs/{}/x", "a".repeat(200));
    let gnu = archive(&[
        member(b'L', b"././@LongLink", format!("{long}\0").as_bytes()),
        member(b'0', b"cut", b"1"),
    ]);
    let pax = archive(&[
        pax(b'g', &[("comment", "a commit")]),
        pax(b'x', &[("mtime", "1.5"), ("path", &long), ("size", "1")]),
        member(b'0', b"cut", b"1"),
    ]);
    let mut prefixed = header(b'0', b"x", 1);
    let prefix = &long.as_bytes()[..long.len() - 2];
    prefixed.as_ustar_mut().unwrap().prefix[..100].copy_from_slice(&prefix[..100]);
    prefixed.set_cksum();
    let ustar = archive(&[[&prefixed.as_bytes()[..], &[b'1'; 512][..]].concat()]);
    let of_prefix = format!("{}/x", &long[..100]);
    for (bytes, name) in [(gnu, &long), (pax, &long), (ustar, &of_prefix)] {
        assert_eq!(read(&bytes), (vec![file(name, b"1")], Ok(Contents::Tar)));
    }
}

#[test]
fn a_link_leads_to_a_path_of_the_bundle() {
    let bytes = archive(&[
        link(b'2', "a/layer.tar", "../b/layer.tar"),
        link(b'1', "c/layer.tar", "./b/layer.tar"),
    ]);
    let to = |path: &str| Member {
        path: path.into(),
        entry: Entry::Link {
            target: "b/layer.tar".into(),
        },
    };
    let expected = vec![to("a/layer.tar"), to("c/layer.tar")];
    assert_eq!(read(&bytes), (expected, Ok(Contents::Tar)));
}

#[test]
fn names_and_targets_that_lead_elsewhere_are_unsafe() {
    for name in ["../a", "/a", "a/../../b", ".."] {
        let bytes = archive(&[member(b'0', name.as_bytes(), b"")]);
        assert_eq!(defect(&bytes), unsafe_name(name));
    }
    for (kind, target) in [(b'2', "../x"), (b'2', "/etc"), (b'1', "../x"), (b'1', "")] {
        assert_eq!(
            defect(&archive(&[link(kind, "a", target)])),
            unsafe_name(target)
        );
    }
    assert_eq!(
        defect(&archive(&[member(b'0', b".", b"")])),
        unsafe_name(".")
    );
    assert_eq!(
        defect(&archive(&[member(b'0', b"", b"x")])),
        unsafe_name("")
    );
    let zero = archive(&[member(b'L', b"l", b"a\0b\0"), member(b'0', b"x", b"")]);
    assert_eq!(defect(&zero), unsafe_name("a\\u{0}b"));
}

#[test]
fn two_members_of_one_name_are_refused_in_any_spelling() {
    let duplicate = |name: &str| Defect::Duplicate(name.into());
    for second in ["a/b", "./a/b", "a//b", "a/./b"] {
        let second = member(b'0', second.as_bytes(), b"2");
        let bytes = archive(&[member(b'0', b"a/b", b"1"), second]);
        assert_eq!(defect(&bytes), duplicate("a/b"));
    }
    let directory = archive(&[member(b'0', b"a", b""), member(b'5', b"a/", b"")]);
    assert_eq!(defect(&directory), duplicate("a"));
    let below = archive(&[link(b'2', "a", "b"), member(b'0', b"a/c", b"")]);
    assert_eq!(defect(&below), duplicate("a"));
}

#[test]
fn sparse_members_of_gnu_and_pax_are_refused() {
    let sparse = Defect::Sparse("a".into());
    assert_eq!(defect(&archive(&[member(b'S', b"a", b"")])), sparse);
    for key in ["GNU.sparse.major", "GNU.sparse.map", "SCHILY.realsize"] {
        let bytes = archive(&[pax(b'x', &[(key, "1")]), member(b'0', b"a", b"")]);
        assert_eq!(defect(&bytes), sparse, "{key}");
    }
}

#[test]
fn devices_and_fifos_are_refused() {
    for kind in [b'3', b'4', b'6'] {
        let bytes = archive(&[member(kind, b"a", b"")]);
        assert_eq!(defect(&bytes), Defect::SpecialFile("a".into()));
    }
}

#[test]
fn a_global_header_must_not_name_or_size_members() {
    for key in ["path", "linkpath", "size", "GNU.sparse.size"] {
        let bytes = archive(&[pax(b'g', &[(key, "1")]), member(b'0', b"a", b"1")]);
        assert_eq!(defect(&bytes), Defect::GlobalPath, "{key}");
    }
}

#[test]
fn a_global_header_between_the_headers_of_a_member_is_refused() {
    for extension in [
        pax(b'x', &[("path", "b")]),
        pax(b'x', &[("mtime", "1")]),
        member(b'L', b"l", b"b\0"),
        member(b'K', b"l", b"b\0"),
    ] {
        let global = pax(b'g', &[("comment", "a commit")]);
        let bytes = archive(&[extension, global, member(b'0', b"a", b"1")]);
        let expected = bad("a global header lies between a member's headers");
        assert_eq!(defect(&bytes), expected);
    }
}

#[test]
fn a_size_of_pax_that_differs_is_refused() {
    let bytes = archive(&[pax(b'x', &[("size", "512")]), member(b'0', b"a", b"1")]);
    assert_eq!(defect(&bytes), Defect::SizeDiffers("a".into()));
}

#[test]
fn a_member_is_described_once() {
    let twice = bad("a member is described twice");
    let long = member(b'L', b"l", b"x\0");
    let path = pax(b'x', &[("path", "y")]);
    let target = pax(b'x', &[("linkpath", "y")]);
    for two in [
        vec![long.clone(), long.clone()],
        vec![path.clone(), target.clone()],
        vec![long, path],
        vec![member(b'K', b"l", b"x\0"), target],
    ] {
        let bytes = archive(&[two.concat(), link(b'2', "a", "b")]);
        assert_eq!(defect(&bytes), twice);
    }
}

#[test]
fn a_header_for_no_member_is_refused() {
    let bytes = archive(&[member(b'0', b"a", b""), member(b'L', b"l", b"x\0")]);
    assert_eq!(defect(&bytes), bad("it describes no member"));
}

#[test]
fn a_link_or_a_directory_has_no_content() {
    for kind in [b'1', b'2', b'5'] {
        let bytes = archive(&[member(kind, b"a", b"content")]);
        assert_eq!(defect(&bytes), bad("content where there can be none"));
    }
    let old = archive(&[member(b'0', b"a/", b"content")]);
    assert_eq!(defect(&old), bad("content where there can be none"));
}

#[test]
fn a_kind_that_is_not_known_and_a_wrong_checksum_are_refused() {
    let unknown = archive(&[member(b'Q', b"a", b"")]);
    assert_eq!(defect(&unknown), bad("a kind of member that is not known"));
    let mut wrong = member(b'0', b"b", b"");
    wrong[0] = b'c';
    let wrong = archive(&[member(b'0', b"a", b""), wrong]);
    assert_eq!(defect(&wrong), bad("its checksum does not match"));
}

#[test]
fn a_first_header_whose_checksum_some_program_accepts_is_a_damaged_archive() {
    let sum = |block: &[u8]| block.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    let mut blank = header(b'0', b"a", 0).as_bytes().to_vec();
    // Without the magic, which alone would tell.
    blank[257..265].fill(0);
    blank[148..156].fill(b' ');
    let sum = sum(&blank);
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |place: u32| char::from(digits[(sum >> (6 * place)) as usize % 64]);
    for checksum in [
        format!("+{}{}{}\0\0\0\0", digit(2), digit(1), digit(0)),
        format!("{:>8}", format!("0o{sum:o}")),
        format!("\0\0{sum:06o}"),
        format!("{sum:06o}\0x"),
        format!("+{sum:06o} "),
    ] {
        let mut block = blank.clone();
        block[148..156].copy_from_slice(checksum.as_bytes());
        let bytes = [block, END.to_vec()].concat();
        assert_eq!(
            defect(&bytes),
            bad("its checksum does not match"),
            "{checksum:?}"
        );
    }
}

#[test]
fn a_name_has_its_bounds() {
    let large = vec![b'a'; 1024 * 1024 + 1];
    for kind in [b'L', b'K', b'x', b'g'] {
        let bytes = archive(&[member(kind, b"l", &large), member(b'0', b"a", b"")]);
        assert_eq!(defect(&bytes), Defect::NamesTooLong);
    }
}

#[test]
fn members_have_a_limit() {
    let limits = Limits {
        members: 3,
        ..Limits::default()
    };
    let files: [(&str, &[u8]); 4] = [("a", b""), ("b", b""), ("c", b""), ("d", b"")];
    assert_eq!(read_with(&*tar(&files[..3]), limits).1, Ok(Contents::Tar));
    assert_eq!(
        read_with(&*tar(&files), limits).1,
        Err(Defect::TooManyMembers)
    );
}

#[test]
fn only_zeros_follow_the_end() {
    let one = tar(&[("a", b"1")]);
    let zeros = [one.clone(), vec![0; 100_000]].concat();
    assert_eq!(read(&zeros).1, Ok(Contents::Tar));
    for rest in [
        b"\x01".to_vec(),
        one.clone(),
        [vec![0; 100_000], one.clone()].concat(),
    ] {
        let bytes = [one.clone(), rest].concat();
        assert_eq!(defect(&bytes), Defect::TrailingData);
    }
}

#[test]
fn an_archive_without_its_end_is_cut_off() {
    let whole = tar(&[("a", &[1; 700]), ("b", b"2")]);
    // Up to the first of the two blocks that end it; some programs write no other.
    let end = whole.len() - 1024;
    assert_eq!(read(&whole[..end + 512]).1, Ok(Contents::Tar));
    for length in [
        512,
        600,
        1211,
        1212,
        1535,
        1536,
        1600,
        2047,
        2048,
        2500,
        end,
        end + 511,
    ] {
        assert_eq!(defect(&whole[..length]), Defect::Truncated, "{length}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_another_hand_packed_is_found_again(
        contents in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..300),
                (0..600_000_usize, any::<u8>()).prop_map(|(size, byte)| vec![byte; size]),
            ],
            0..12,
        )
    ) {
        let names: Vec<String> = (0..contents.len()).map(|n| format!("d{}/{n}", n % 3)).collect();
        let files: Vec<(&str, &[u8])> =
            names.iter().map(String::as_str).zip(contents.iter().map(Vec::as_slice)).collect();
        let (members, result) = read(&tar(&files));
        prop_assert_eq!(result, Ok(Contents::Tar));
        let digests: Vec<_> = members.iter().map(|member| match &member.entry {
            Entry::File { digest, size, .. } => (member.path.clone(), *digest, *size as usize),
            Entry::Link { .. } => unreachable!(),
        }).collect();
        let expected: Vec<_> = files.iter().map(|(path, content)| {
            let digest = crate::digest::Digest::of(content);
            (path.as_bytes().to_vec(), digest, content.len())
        }).collect();
        prop_assert_eq!(digests, expected);
    }

    #[test]
    fn damage_anywhere_never_panics(
        at in 0..3072_usize, value in any::<u8>(), rest in prop::collection::vec(any::<u8>(), 0..600)
    ) {
        let mut bytes = tar(&[("a", b"{}"), ("b", &[1; 700])]);
        bytes[at] = value;
        let _ = read(&bytes);
        // The same with a checksum that is right.
        let mut header: [u8; 512] = bytes[..512].try_into().unwrap();
        header[at % 512] = value;
        let mut made = Made::new_old();
        made.as_mut_bytes().copy_from_slice(&header);
        made.set_cksum();
        let _ = read(&[&made.as_bytes()[..], &rest, &END].concat());
    }
}
