//! From a file's bytes to its members: the layers of a bundle, recognized by their first bytes,
//! not by its name.

use std::io::{self, BufRead, Read};

use super::gzip::{self, Gzip};
use super::packer::Conveyor;
use super::zstd::{Magic, Zstd};
use super::{BundleError, Contents, Defect, Limits, WindowBudget, tar};

/// The first bytes of other compressed data, and what it is called. Programs that load images
/// decompress some of these.
const OTHERS: [(&[u8], &str); 5] = [
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"LZIP", "lzip"),
    (b"\x1f\x9d", "compress"),
];

/// What the layers have in common.
pub(super) struct Setting<'a> {
    pub(super) limits: Limits,
    pub(super) budget: WindowBudget,
    pub(super) is_abandoned: &'a dyn Fn() -> bool,
}

/// Reads the members of a bundle. What is no archive is not read to its end.
///
/// # Errors
/// The first fault.
pub(super) fn read<C: Conveyor>(
    mut input: impl BufRead,
    conveyor: &mut C,
    setting: &Setting<'_>,
) -> Result<Contents, BundleError> {
    let beginning = input.fill_buf()?;
    let magic = beginning
        .first_chunk()
        .map_or(Magic::Unknown, |bytes| Magic::of(*bytes));
    let is_gzip = beginning.starts_with(&gzip::MAGIC);
    // Fail closed: a tar archive can begin with any name, also with a magic number; programs that
    // do not know it (of skippable frames, few do) find other members than those that are inside.
    if (is_gzip || magic != Magic::Unknown) && tar::is_like_archive(beginning) {
        return Err(Defect::Polyglot.into());
    }
    // Fail closed: there may be images in it, which are not judged.
    if let Some((_, name)) = OTHERS
        .iter()
        .find(|(magic, _)| beginning.starts_with(magic))
    {
        return Err(Defect::OtherCompression(name).into());
    }
    let limits = &setting.limits;
    match magic {
        Magic::Legacy => Err(Defect::Legacy.into()),
        Magic::Frame | Magic::Skippable => {
            let budget = setting.budget.clone();
            let zstd = Zstd::new(input, limits.max_window, budget, setting.is_abandoned);
            tar::read(Metered::new(zstd, setting), conveyor, limits)
        }
        Magic::Unknown if is_gzip => {
            tar::read(Metered::new(Gzip::new(input), setting), conveyor, limits)
        }
        Magic::Unknown => tar::read(Metered::new(input, setting), conveyor, limits),
    }
}

/// Counts a decoder's output, and ends the decoder when that is too much or no longer wanted.
struct Metered<'a, R> {
    input: R,
    left: u64,
    is_abandoned: &'a dyn Fn() -> bool,
}

impl<'a, R> Metered<'a, R> {
    fn new(input: R, setting: &Setting<'a>) -> Metered<'a, R> {
        Metered {
            input,
            left: setting.limits.max_output,
            is_abandoned: setting.is_abandoned,
        }
    }
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if (self.is_abandoned)() {
            return Err(BundleError::Abandoned.into());
        }
        let count = self.input.read(target)?;
        let left = self.left.checked_sub(count as u64);
        self.left = left.ok_or(Defect::TooMuchOutput)?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{
        Chopped, Frame, defect, file, gzip, read, read_with, skippable, tar,
    };
    use super::super::{Contents, Defect, Limits, Member};

    const MIB: u64 = 1024 * 1024;

    fn sample() -> (Vec<u8>, Vec<Member>) {
        let big: Vec<u8> = (0..700_000_u32).map(|n| (n * 31 + n / 251) as u8).collect();
        let files: [(&str, &[u8]); 3] = [("a", b"{}"), ("big", &big), ("c", b"")];
        let members = files.map(|(path, content)| file(path, content)).to_vec();
        (tar(&files), members)
    }

    fn frame(content: &[u8]) -> Vec<u8> {
        Frame::of(content).bytes()
    }

    #[test]
    fn one_archive_has_the_same_members_however_it_is_compressed() {
        let (tar, members) = sample();
        let (one, two) = tar.split_at(300_000);
        let compressed = |content| {
            let level = ruzstd::encoding::CompressionLevel::Fastest;
            ruzstd::encoding::compress_to_vec(content, level)
        };
        for (number, bytes) in [
            tar.clone(),
            frame(&tar),
            compressed(&tar[..]),
            [frame(one), compressed(two)].concat(),
            // The formats of pzstd and of seekable archives.
            [
                skippable(b"abc"),
                frame(one),
                skippable(b""),
                frame(two),
                skippable(b"table"),
            ]
            .concat(),
            [frame(b""), frame(&tar), frame(b"")].concat(),
            gzip(&tar),
            [gzip(one), gzip(two)].concat(),
            [gzip(&tar), vec![0; 1000]].concat(),
        ]
        .iter()
        .enumerate()
        {
            assert_eq!(
                read(bytes),
                (members.clone(), Ok(Contents::Tar)),
                "{number}"
            );
        }
    }

    #[test]
    fn what_is_compressed_but_no_archive_has_no_members() {
        for bytes in [
            frame(b"text"),
            gzip(&[1; 5000]),
            frame(b""),
            skippable(b"x"),
            gzip(b""),
            b"text".to_vec(),
        ] {
            assert_eq!(read(&bytes), (Vec::new(), Ok(Contents::NotATar)));
        }
    }

    #[test]
    fn what_is_both_a_tar_archive_and_compressed_is_refused() {
        let inside = tar(&[("signed", b"1")]);
        // Their lengths, little-endian, are those of a name without zeros.
        let of_skippable = [0x50, 0x2a, 0x4d, 0x18, 0x01, 0x06, 0x01, 0x01];
        for magic in [&of_skippable[..], b"\x28\xb5\x2f\xfd", b"\x1f\x8b\x08"] {
            let mut archive = tar(&[("name-that-is-replaced", b"2"), ("other", b"3")]);
            archive[..magic.len()].copy_from_slice(magic);
            let mut header = tar::Header::new_gnu();
            header.as_mut_bytes().copy_from_slice(&archive[..512]);
            header.set_cksum();
            archive[..512].copy_from_slice(header.as_bytes());
            let bytes = [archive, frame(&inside)].concat();
            assert_eq!(defect(&bytes), Defect::Polyglot, "{magic:x?}");
        }
        // The first header as a skippable frame's beginning, and a real frame behind the archive.
        let outside = tar(&[("12345678", b"2")]);
        let length = u32::try_from(outside.len() - 8).unwrap().to_le_bytes();
        let mut header = tar::Header::new_old();
        header.as_mut_bytes().copy_from_slice(&outside[..512]);
        header.as_old_mut().name[..4].copy_from_slice(&of_skippable[..4]);
        header.as_old_mut().name[4..8].copy_from_slice(&length);
        header.as_old_mut().cksum.fill(0);
        header.set_cksum();
        let whole = [header.as_bytes(), &outside[512..], &frame(&inside)].concat();
        assert_eq!(defect(&whole), Defect::Polyglot);
    }

    #[test]
    fn what_is_compressed_in_another_way_is_refused() {
        for (magic, name) in super::OTHERS {
            let bytes = [magic, &[0; 1000]].concat();
            assert_eq!(defect(&bytes), Defect::OtherCompression(name));
        }
    }

    #[test]
    fn frames_with_a_window_above_the_limit_are_refused_before_memory_is_taken() {
        let (tar, _) = sample();
        // Exponent and mantissa: 128 MiB, and an eighth more.
        for (window, needed) in [(17 << 3 | 1, 144 * MIB), (31 << 3, 1 << 41)] {
            let frame = Frame {
                window,
                ..Frame::of(&tar)
            };
            assert_eq!(defect(&frame.bytes()), Defect::WindowTooLarge { needed });
        }
        let largest = Frame {
            window: 17 << 3,
            ..Frame::of(&tar)
        };
        assert_eq!(read(&largest.bytes()).1, Ok(Contents::Tar));
    }

    #[test]
    fn a_frame_in_one_segment_has_a_window_of_its_size() {
        let mut header = super::super::zstd::MAGIC.to_vec();
        header.push(0xe0);
        header.extend((129 * MIB).to_le_bytes());
        let needed = 129 * MIB;
        assert_eq!(defect(&header), Defect::WindowTooLarge { needed });
    }

    #[test]
    fn dictionaries_are_refused_and_the_number_zero_is_none() {
        let (tar, members) = sample();
        for (dictionary, is_one) in [(&[1][..], true), (&[0, 1], true), (&[0; 4], false)] {
            let bytes = Frame {
                dictionary,
                ..Frame::of(&tar)
            }
            .bytes();
            if is_one {
                assert_eq!(defect(&bytes), Defect::Dictionary);
            } else {
                assert_eq!(read(&bytes), (members.clone(), Ok(Contents::Tar)));
            }
        }
    }

    #[test]
    fn a_reserved_bit_and_a_wrong_size_are_damage() {
        let (tar, _) = sample();
        let mut reserved = frame(&tar);
        reserved[4] |= 8;
        let damaged = |text: &str| Defect::Damaged(text.into());
        assert_eq!(defect(&reserved), damaged("a reserved bit is set"));
        for (size, expected) in [(0, Ok(Contents::Tar)), (1, Err(())), (-1, Err(()))] {
            let bytes = Frame {
                size: Some((tar.len() as i64 + size) as u64),
                ..Frame::of(&tar)
            };
            let contents = read(&bytes.bytes()).1.map_err(|defect| {
                assert_eq!(defect, damaged("a frame is not as long as it says"));
            });
            assert_eq!(contents, expected);
        }
    }

    #[test]
    fn wrong_checksums_are_defects() {
        let (tar, _) = sample();
        let mut zstd = frame(&tar);
        *zstd.last_mut().unwrap() ^= 1;
        assert_eq!(defect(&zstd), Defect::Checksum);
        let mut gzip = gzip(&tar);
        let crc = gzip.len() - 8;
        gzip[crc] ^= 1;
        assert_eq!(defect(&gzip), Defect::Checksum);
    }

    #[test]
    fn frames_of_old_versions_are_refused_wherever_they_are() {
        let (tar, _) = sample();
        let old = [[0x27, 0xb5, 0x2f, 0xfd], [0xfd, 0x2f, 0xb5, 0x1e]];
        for magic in old {
            assert_eq!(defect(&magic), Defect::Legacy);
            assert_eq!(defect(&[&frame(&tar), &magic[..]].concat()), Defect::Legacy);
        }
    }

    #[test]
    fn data_behind_the_last_frame_is_a_defect() {
        let (tar, _) = sample();
        for (bytes, rest) in [
            (frame(&tar), b"rest".to_vec()),
            (frame(&tar), vec![0; 4]),
            (frame(&tar), gzip(b"")),
            (gzip(&tar), b"rest".to_vec()),
            (gzip(&tar), [vec![0; 100], b"1".to_vec()].concat()),
            // Another archive in a frame of its own.
            (frame(&tar), frame(&tar)),
            (gzip(&tar), gzip(&tar)),
        ] {
            assert_eq!(defect(&[bytes, rest].concat()), Defect::TrailingData);
        }
        assert_eq!(
            defect(&[&frame(&tar)[..], b"r"].concat()),
            Defect::Truncated
        );
    }

    #[test]
    fn output_has_a_limit() {
        let (tar, _) = sample();
        let with = |max_output| Limits {
            max_output,
            ..Limits::default()
        };
        let size = tar.len() as u64;
        for bytes in [frame(&tar), gzip(&tar), tar.clone()] {
            assert_eq!(read_with(&*bytes, with(size)).1, Ok(Contents::Tar));
            let less = read_with(&*bytes, with(size - 1)).1;
            assert_eq!(less, Err(Defect::TooMuchOutput));
        }
    }

    #[test]
    fn cut_anywhere_compressed_content_is_cut_off() {
        let small = tar(&[("a", &[7; 2000])]);
        let (one, two) = small.split_at(900);
        for whole in [
            frame(&small),
            gzip(&small),
            [skippable(b"x"), frame(one), frame(two)].concat(),
        ] {
            for length in (5..whole.len()).filter(|n| n % 7 == 0 || n + 20 > whole.len()) {
                let bytes = &whole[..length];
                let is_skippable_alone = length == skippable(b"x").len();
                let expected = match read(bytes).1 {
                    // Nothing but a skippable frame: no archive.
                    Ok(Contents::NotATar) if is_skippable_alone => continue,
                    result => result,
                };
                assert_eq!(expected, Err(Defect::Truncated), "{length}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn any_chunks_give_the_same_members(
            lengths in prop::collection::vec(1..70_000_usize, 1..6), way in 0..3_usize
        ) {
            let (tar, members) = sample();
            let bytes = [frame(&tar), gzip(&tar), tar][way].clone();
            let chopped = Chopped { bytes: &bytes, lengths, at: 0 };
            prop_assert_eq!(
                read_with(chopped, Limits::default()),
                (members, Ok(Contents::Tar))
            );
        }

        #[test]
        fn random_bytes_never_panic(
            which in 0..4_usize, bytes in prop::collection::vec(any::<u8>(), 0..3000)
        ) {
            let magic = [&b""[..], &[0x28, 0xb5, 0x2f, 0xfd], &[0x1f, 0x8b, 8], &[0x51, 0x2a, 0x4d, 0x18]];
            let _ = read(&[magic[which], &bytes].concat());
        }

        #[test]
        fn a_flipped_bit_in_a_frame_with_a_checksum_is_a_defect_or_changes_nothing_but_its_framing(
            at in 0..4000_usize, bit in 0..8_u32
        ) {
            let small = tar(&[("a", &[7; 2000])]);
            let mut bytes = frame(&small);
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            let (members, result) = read(&bytes);
            if result == Ok(Contents::Tar) {
                prop_assert_eq!(members, vec![file("a", &[7; 2000])]);
            }
        }
    }
}
