//! Tricks with compression.

use super::{app_is_valid, contents, damaged, refused, said, signed, verdict_on, verdict_with};
use crate::support::bundles::zstd;
use crate::support::hostile::{END, Frame, file, gzip, header, members, skippable};
use crate::support::{Mirror, end_of, sign};

const MIB: u64 = 1024 * 1024;

/// The archive of a valid image.
fn plain(mirror: &Mirror) -> Vec<u8> {
    signed(mirror).tar()
}

#[test]
fn frames_in_any_number_with_skippable_ones_between_are_one_content() {
    let mirror = Mirror::new();
    let tar = plain(&mirror);
    let (one, two) = tar.split_at(700);
    let frame = |content| Frame::of(content).bytes();
    for bytes in [
        zstd(&tar),
        [frame(one), zstd(two)].concat(),
        [
            skippable(b"x"),
            frame(one),
            skippable(b""),
            frame(b""),
            frame(two),
            skippable(b"table"),
        ]
        .concat(),
        gzip(&tar),
        [gzip(one), gzip(two)].concat(),
    ] {
        assert_eq!(verdict_on(&mirror, bytes), app_is_valid());
    }
}

#[test]
fn a_frame_that_is_cut_off_anywhere_is_damaged() {
    let mirror = Mirror::new();
    let tar = plain(&mirror);
    let (one, two) = tar.split_at(700);
    let whole = [
        Frame::of(one).bytes(),
        skippable(b"abc"),
        Frame::of(two).bytes(),
    ]
    .concat();
    let first = Frame::of(one).bytes().len();
    // In a header, a block, behind a whole frame, in a skippable one, before the last block.
    for length in [
        5,
        300,
        first,
        first + 9,
        first + 11,
        whole.len() - 3,
        whole.len() - 1,
    ] {
        let cut = verdict_on(&mirror, &whole[..length]);
        assert_eq!(cut, damaged("the content is cut off"), "{length}");
    }
    let whole = gzip(&tar);
    for length in [12, 100, whole.len() - 1] {
        let cut = verdict_on(&mirror, &whole[..length]);
        assert_eq!(cut, damaged("the content is cut off"), "{length}");
    }
}

#[test]
fn a_dictionary_is_refused() {
    let mirror = Mirror::new();
    let tar = plain(&mirror);
    for dictionary in [&[7][..], &[0, 7], &[0, 0, 0, 7]] {
        let frame = Frame {
            dictionary,
            ..Frame::of(&tar)
        };
        let why = "the content was compressed with a dictionary";
        assert_eq!(verdict_on(&mirror, frame.bytes()), refused(why));
    }
}

#[test]
fn a_wrong_checksum_is_damage() {
    let mirror = Mirror::new();
    let tar = plain(&mirror);
    let why = "a checksum of the compressed data does not match";
    let frame = Frame {
        checksum: Some([0; 4]),
        ..Frame::of(&tar)
    };
    assert_eq!(verdict_on(&mirror, frame.bytes()), damaged(why));
    let mut zipped = gzip(&tar);
    let crc = zipped.len() - 8;
    zipped[crc] ^= 1;
    assert_eq!(verdict_on(&mirror, zipped), damaged(why));
}

#[test]
fn a_window_above_the_limit_is_not_judged_unless_the_limit_is_raised() {
    let mirror = Mirror::new();
    let tar = plain(&mirror);
    // 2^(10 + exponent), and as many eighths more as the lowest bits say.
    for (window, size, most) in [
        (17 << 3 | 1, 144 * MIB, "144M"),
        (20 << 3, 1024 * MIB, "1G"),
    ] {
        let bytes = Frame {
            window,
            ..Frame::of(&tar)
        }
        .bytes();
        let why = format!("decompression needs a window of {size} bytes, more than allowed");
        assert_eq!(verdict_on(&mirror, &bytes), contents("not judged", &why));
        let raised = verdict_with(&mirror, &bytes, &["--max-window", most]);
        assert_eq!(raised, app_is_valid());
    }
    let usual = Frame {
        window: 17 << 3,
        ..Frame::of(&tar)
    }
    .bytes();
    assert_eq!(verdict_on(&mirror, &usual), app_is_valid());
    let why = "decompression needs a window of 134217728 bytes, more than allowed";
    let lowered = verdict_with(&mirror, &usual, &["--max-window", "8M"]);
    assert_eq!(lowered, contents("not judged", why));
}

#[test]
fn bytes_behind_the_last_frame_are_refused() {
    let mirror = Mirror::new();
    let tar = plain(&mirror);
    let why = "data follows the end of the content";
    let frame = zstd(&tar);
    for rest in [&b"rest"[..], &[0; 4], &gzip(&tar), &tar] {
        assert_eq!(
            verdict_on(&mirror, [&frame[..], rest].concat()),
            refused(why)
        );
    }
    let zipped = [&gzip(&tar)[..], b"rest"].concat();
    assert_eq!(verdict_on(&mirror, zipped), refused(why));
    // A second archive in a frame of its own.
    assert_eq!(
        verdict_on(&mirror, [&frame[..], &frame].concat()),
        refused(why)
    );
}

#[test]
fn frames_of_old_versions_of_zstd_are_refused() {
    let mirror = Mirror::new();
    let why = "compressed in a zstd format older than version 0.8";
    let old = [&[0x27, 0xb5, 0x2f, 0xfd][..], b"anything"].concat();
    assert_eq!(verdict_on(&mirror, &old), refused(why));
    let behind = [zstd(&plain(&mirror)), old].concat();
    assert_eq!(verdict_on(&mirror, behind), refused(why));
}

#[test]
fn a_compression_that_is_not_looked_into_is_refused_and_not_without_images() {
    let mirror = Mirror::new();
    for (beginning, name) in [
        (&b"BZh91AY&SY"[..], "bzip2"),
        (b"\xfd7zXZ\0\0\x04", "xz"),
        (b"\x04\x22\x4d\x18\x64\x40\xa7", "lz4"),
        (b"LZIP\x01\x0c", "lzip"),
        (b"\x1f\x9d\x90", "compress"),
    ] {
        let bytes = [beginning, &[1; 2000]].concat();
        let why = format!("compressed with {name}, which is not supported");
        assert_eq!(verdict_on(&mirror, bytes), refused(&why));
    }
}

#[test]
fn a_bomb_ends_where_the_limit_says_however_much_it_promises() {
    let mirror = Mirror::new();
    let zeros = 64 * 1024 * MIB;
    let start = [
        file("a", b"x"),
        header(b'0', b"zeros", zeros).as_bytes().to_vec(),
    ]
    .concat();
    let bomb = [
        Frame::of(&start).bytes(),
        Frame {
            zeros,
            ..Frame::of(&members(&signed(&mirror)))
        }
        .bytes(),
        zstd(&END),
    ]
    .concat();
    assert!(bomb.len() < 4 << 20);
    mirror.write("x.tar", &bomb);
    mirror.write("bomb.zst", &bomb);
    mirror.write("bomb.zst.sig.bin", sign(&mirror.key, &bomb));
    for name in ["x.tar", "bomb.zst"] {
        let key = crate::support::PINNED;
        let options = ["-v", "--images", "--max-unpacked", "1M", name];
        let mut command = mirror.command(&[&key, &options[..]].concat());
        let mut child = command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        assert_eq!(end_of(&mut child), Some(1), "{name}");
        let stdout = std::io::read_to_string(child.stdout.unwrap()).unwrap();
        let last = stdout.lines().last().unwrap();
        let why = "larger than --max-unpacked allows";
        let expected = format!("{name} » (contents): ❌ Contents not judged ({why})");
        assert_eq!(last, expected);
    }
}

#[test]
fn a_limit_that_is_just_enough_changes_nothing() {
    let mirror = Mirror::new();
    let tar = plain(&mirror);
    let (enough, less) = (tar.len().to_string(), (tar.len() - 1).to_string());
    for bytes in [&tar, &zstd(&tar), &gzip(&tar)] {
        let with = |limit: &str| verdict_with(&mirror, bytes, &["--max-unpacked", limit]);
        assert_eq!(with(&enough), app_is_valid());
        let why = "larger than --max-unpacked allows";
        assert_eq!(with(&less), contents("not judged", why));
    }
}

#[test]
fn what_is_damaged_in_a_bundle_fails_it_though_its_signature_is_valid() {
    let mirror = Mirror::new();
    let bytes = [&zstd(&plain(&mirror))[..], b"rest"].concat();
    mirror.write_signed("b.zst", "b.sig.bin", &bytes);
    let (lines, status) = said(&mirror.run_pinned(&["-v", "--images", "."]));
    assert_eq!(
        lines,
        [
            "b.zst: ✅ Signature valid (b.sig.bin, key key.pem)",
            "b.zst » (contents): ❌ Contents refused (data follows the end of the content)",
        ]
    );
    assert_eq!(status, Some(1));
}
