//! Tricks with tar archives.

use std::io::Write;

use super::{app_is_valid, contents, damaged, refused, signed, verdict_on};
use crate::support::Mirror;
use crate::support::hostile::{
    END, archive, file, gzip_writer, header, link, member, members, pax, with_content,
};

/// The verdict on the archive of a valid image with these members before the others.
fn with(before: &[Vec<u8>]) -> (Vec<String>, Option<i32>) {
    let mirror = Mirror::new();
    let bytes = archive(&[before.concat(), members(&signed(&mirror))]);
    verdict_on(&mirror, bytes)
}

#[test]
fn an_archive_with_nothing_unusual_in_it_is_valid() {
    assert_eq!(with(&[]), app_is_valid());
}

#[test]
fn two_members_of_one_name_are_refused_in_whatever_way_it_is_spelled() {
    for name in [
        "index.json",
        "./index.json",
        ".//index.json",
        "././index.json",
    ] {
        let other = file(name, br#"{"schemaVersion":2,"manifests":[]}"#);
        let why = "index.json: more than one member has this name";
        assert_eq!(with(&[other]), refused(why), "{name}");
    }
}

#[test]
fn a_member_below_a_file_or_a_link_is_refused() {
    let why = "blobs: more than one member has this name";
    for at in [file("blobs", b""), link(b'2', "blobs", "elsewhere")] {
        assert_eq!(with(&[at]), refused(why));
    }
}

#[test]
fn a_directory_may_come_often_and_in_any_spelling() {
    let directories: Vec<Vec<u8>> = ["./", "blobs", "./blobs/sha256/", "blobs/"]
        .map(|name| member(b'5', name.as_bytes(), b""))
        .to_vec();
    assert_eq!(with(&directories), app_is_valid());
}

#[test]
fn names_that_lead_out_of_the_archive_are_refused() {
    for name in ["..", "../x", "a/../x", "/etc/x", "./../x"] {
        assert_eq!(
            with(&[file(name, b"")]),
            refused(&format!("{name}: unsafe name"))
        );
    }
    let nul = [member(b'L', b"l", b"index.json\0x\0"), file("y", b"")];
    assert_eq!(with(&nul), refused("index.json\\u{0}x: unsafe name"));
    assert_eq!(with(&[file("", b"x")]), refused("\\u{3a} unsafe name"));
}

#[test]
fn devices_fifos_and_members_of_no_known_kind_are_refused() {
    for kind in [b'3', b'4', b'6'] {
        assert_eq!(
            with(&[member(kind, b"dev/x", b"")]),
            refused("dev/x: special file")
        );
    }
    for kind in [b'D', b'M', b'V', b'Z'] {
        let why = "invalid header in the archive: a kind of member that is not known";
        assert_eq!(with(&[member(kind, b"x", b"")]), damaged(why));
    }
}

#[test]
fn sparse_members_are_refused_in_the_forms_of_gnu_pax_and_star() {
    let why = "x: sparse file";
    assert_eq!(with(&[member(b'S', b"x", b"")]), refused(why));
    for record in [
        ("GNU.sparse.major", "1"),
        ("GNU.sparse.map", "0,1"),
        ("SCHILY.realsize", "9"),
    ] {
        assert_eq!(
            with(&[pax(b'x', &[record]), file("x", b"1")]),
            refused(why),
            "{record:?}"
        );
    }
}

#[test]
fn a_size_in_pax_that_is_not_the_header_s_is_refused() {
    for size in ["0", "1", "1024"] {
        let members = [pax(b'x', &[("size", size)]), file("x", b"12")];
        assert_eq!(with(&members), refused("x: its headers give two sizes"));
    }
    let same = [pax(b'x', &[("size", "2")]), file("x", b"12")];
    assert_eq!(with(&same), app_is_valid());
}

#[test]
fn a_path_in_pax_counts_and_may_not_be_there_twice() {
    let other = |name| [pax(b'x', &[("path", name)]), file("innocent", b"{}")];
    let why = "index.json: more than one member has this name";
    assert_eq!(with(&other("index.json")), refused(why));
    assert_eq!(
        with(&other("../index.json")),
        refused("../index.json: unsafe name")
    );
    let twice = [pax(b'x', &[("path", "a"), ("path", "b")]), file("c", b"")];
    let why = "invalid header in the archive: a pax record comes twice";
    assert_eq!(with(&twice), damaged(why));
    let both = [
        member(b'L', b"l", b"a\0"),
        pax(b'x', &[("path", "b")]),
        file("c", b""),
    ];
    let why = "invalid header in the archive: a member is described twice";
    assert_eq!(with(&both), damaged(why));
}

#[test]
fn a_global_header_may_not_name_or_size_members() {
    for record in [("path", "index.json"), ("size", "0"), ("linkpath", "x")] {
        let why = "a global header sets a name or size for all members";
        assert_eq!(with(&[pax(b'g', &[record])]), refused(why), "{record:?}");
    }
    assert_eq!(
        with(&[pax(b'g', &[("comment", "of git archive")])]),
        app_is_valid()
    );
}

#[test]
fn a_prefix_that_only_some_programs_read_is_refused() {
    // For those the member is the blob, for others a file of no interest.
    let prefixed = |magic: &[u8; 8], trailer: &[u8]| {
        let mut made = header(b'0', b"index.json", 2);
        let prefix = &mut made.as_ustar_mut().unwrap().prefix;
        prefix.fill(b'a');
        prefix[..5].copy_from_slice(b"blobs");
        let mut bytes = *made.as_bytes();
        bytes[257..265].copy_from_slice(magic);
        bytes[508..508 + trailer.len()].copy_from_slice(trailer);
        let mut made = tar::Header::from_byte_slice(&bytes).clone();
        made.set_cksum();
        with_content(&made, b"{}")
    };
    let why = "invalid header in the archive: programs differ in whether its name has a prefix";
    for (magic, trailer) in [
        (b"ustar\x0001", &b""[..]),
        (b"ustar\0\0\0", b""),
        (b"ustar   ", b""),
        (b"ustar  \0", b""),
        (b"\0\0\0\0\0\0\0\0", b""),
        (b"ustar\x0000", b"tar\0"),
    ] {
        assert_eq!(with(&[prefixed(magic, trailer)]), damaged(why), "{magic:?}");
    }
}

#[test]
fn a_second_archive_behind_the_first_is_refused() {
    let mirror = Mirror::new();
    let one = archive(&[members(&signed(&mirror))]);
    let why = "data follows the end of the content";
    assert_eq!(verdict_on(&mirror, [&one[..], &one].concat()), refused(why));
    // Far behind it, too.
    let far = [&one[..], &vec![0; 300_000], &one].concat();
    assert_eq!(verdict_on(&mirror, far), refused(why));
}

#[test]
fn behind_the_end_there_are_only_zeros() {
    let mirror = Mirror::new();
    let one = archive(&[members(&signed(&mirror))]);
    let why = "data follows the end of the content";
    for garbage in [&b"x"[..], &[[0; 511].as_slice(), b"x"].concat()] {
        assert_eq!(
            verdict_on(&mirror, [&one[..], garbage].concat()),
            refused(why)
        );
    }
    assert_eq!(
        verdict_on(&mirror, [&one[..], &[0; 9999]].concat()),
        app_is_valid()
    );
}

#[test]
fn an_archive_that_ends_early_is_damaged() {
    let mirror = Mirror::new();
    let whole = members(&signed(&mirror));
    for length in [whole.len(), whole.len() - 512, whole.len() - 513] {
        let cut = verdict_on(&mirror, &whole[..length]);
        assert_eq!(cut, damaged("the content is cut off"), "{length}");
    }
}

#[test]
fn an_archive_whose_first_header_only_some_programs_accept_is_damaged_and_not_without_images() {
    let mirror = Mirror::new();
    let whole = archive(&[file("\u{e9}", b""), members(&signed(&mirror))]);
    let why = "invalid header in the archive: its checksum does not match";
    // As old programs compute it, from bytes with a sign; and any.
    let sum: i64 = whole[..512]
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            if (148..156).contains(&at) {
                32
            } else {
                i64::from(*byte as i8)
            }
        })
        .sum();
    for sum in [sum, 1] {
        let mut changed = whole.clone();
        changed[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        assert_eq!(verdict_on(&mirror, changed), damaged(why), "{sum}");
    }
}

/// A directory so far below another one.
fn deep(n: usize, levels: usize) -> Vec<u8> {
    let name = format!("{n}/{}", "a/".repeat(levels));
    [member(b'L', b"l", name.as_bytes()), file("x", b"")].concat()
}

#[test]
fn a_member_too_deep_is_no_verdict_on_any_image() {
    assert_eq!(with(&[deep(0, 127)]), app_is_valid());
    assert_eq!(
        with(&[deep(0, 128)]),
        contents(
            "not judged",
            "a member has a name that is too long or too deep"
        )
    );
}

#[test]
fn more_names_than_are_judged_are_no_verdict_on_any_image() {
    // Each member is 128 directories.
    let many: Vec<Vec<u8>> = (0..4000).map(|n| deep(n, 127)).collect();
    assert_eq!(with(&many), contents("not judged", "too many members"));
    assert_eq!(with(&many[..3900]), app_is_valid());
}

#[test]
#[ignore = "makes a million members; CI runs it"]
fn a_million_members_are_no_verdict_on_any_image() {
    let mirror = Mirror::new();
    let mut writer = gzip_writer();
    for n in 0..1_000_000 {
        writer.write_all(&file(&n.to_string(), b"")).unwrap();
    }
    writer.write_all(&members(&signed(&mirror))).unwrap();
    writer.write_all(&END).unwrap();
    let found = verdict_on(&mirror, writer.finish().unwrap());
    assert_eq!(found, contents("not judged", "too many members"));
}

#[test]
fn names_longer_than_a_megabyte_are_not_held_in_memory() {
    let mut long = header(b'L', b"l", u64::from(u32::MAX));
    long.set_cksum();
    let found = with(&[long.as_bytes().to_vec()]);
    assert_eq!(
        found,
        contents(
            "not judged",
            "a member has a name that is too long or too deep"
        )
    );
}

#[test]
fn more_text_than_is_kept_is_no_verdict_on_any_image() {
    let document = [b"{".to_vec(), vec![b' '; 4 * 1024 * 1024 - 1]].concat();
    let many: Vec<Vec<u8>> = (0..17).map(|n| file(&n.to_string(), &document)).collect();
    assert_eq!(
        with(&many),
        contents("not judged", "too much text in documents")
    );
}
