//! Identifies an artifact that fails, by its name, its size and its first bytes.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::formats::{self, format, is_prose, is_zeros};
use super::signature;
use crate::trust::sniffed::Sniffed;

/// Number of bytes examined at the beginning of an artifact.
pub const SNIFF_BYTES: usize = formats::SNIFF_BYTES;

/// Maximum size of a file on FAT32 (Microsoft's FAT specification: 32 bits for the size).
const FAT32_MOST: u64 = u32::MAX as u64;
/// Maximum offset in programs that store it in 31 bits.
const TWO_GIB_MOST: u64 = i32::MAX as u64;

/// Endings of the control files that download programs keep beside an unfinished file: aria2, axel,
/// and programs that keep the unfinished file beside an empty one with its final name.
const CONTROL_ENDINGS: [&str; 7] = [
    ".aria2",
    ".st",
    ".part",
    ".partial",
    ".crdownload",
    ".filepart",
    ".download",
];

/// Returns the names beside an artifact that show that its download is unfinished.
pub fn control_names(name: &OsStr) -> impl Iterator<Item = std::ffi::OsString> {
    let with = |ending: &&str| {
        let mut control = name.to_owned();
        control.push(ending);
        control
    };
    CONTROL_ENDINGS
        .iter()
        .map(with)
        .collect::<Vec<_>>()
        .into_iter()
}

/// Reports whether a file of this name may be the control file of a download.
pub fn is_control_file(name: &OsStr) -> bool {
    let is_of = |ending: &&str| name.as_bytes().ends_with(ending.as_bytes());
    CONTROL_ENDINGS.iter().any(is_of)
}

/// What is known about an artifact that fails.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Its name, without its directory.
    pub name: &'a OsStr,
    /// Its size in bytes.
    pub size: u64,
    /// Its first [`SNIFF_BYTES`], or all its bytes if it has fewer.
    pub beginning: &'a [u8],
    /// Whether one of its [`control_names`] exists.
    pub has_control_file: bool,
}

/// Returns what an artifact really is; `None` if it matches its name, or its kind is unknown.
pub fn sniff(seen: Seen<'_>) -> Option<Sniffed> {
    let is_whole = seen.size == seen.beginning.len() as u64;
    let begins_as = format(seen.beginning);
    let small = || seen.beginning.get(..).filter(|_| is_whole);
    let mixed_up = || small().and_then(signature::signature_or_key);
    let kind = begins_as.filter(|looks| is_wrong(*looks, seen.name));
    kind.or_else(mixed_up)
        .or(seen.has_control_file.then_some(Sniffed::Unfinished))
        .or_else(|| by_size(seen.size))
        .or_else(|| is_blank(seen).then_some(Sniffed::Zeros))
        .or_else(|| not_as_named(seen, begins_as))
}

/// Reports whether there are zeros in place of content. An image begins with 32 KiB that may well
/// be zeros (ECMA-119, 6.2.1).
fn is_blank(seen: Seen<'_>) -> bool {
    let is_long_enough = !is_named(seen.name, "iso") || seen.beginning.len() == SNIFF_BYTES;
    is_long_enough && is_zeros(seen.beginning)
}

fn by_size(size: u64) -> Option<Sniffed> {
    match size {
        0 => Some(Sniffed::Empty),
        FAT32_MOST => Some(Sniffed::Fat32Limit),
        TWO_GIB_MOST => Some(Sniffed::TwoGibLimit),
        _ => None,
    }
}

/// Reports whether a file of this name must not be of this kind.
fn is_wrong(looks: Sniffed, name: &OsStr) -> bool {
    match looks {
        Sniffed::Zstd => !is_named(name, "zst") && is_named(name, "iso"),
        Sniffed::Iso9660 => is_named(name, "zst"),
        Sniffed::Tar
        | Sniffed::Gzip
        | Sniffed::Xz
        | Sniffed::Bzip2
        | Sniffed::Lz4
        | Sniffed::Zip
        | Sniffed::SevenZip => is_named(name, "zst") || is_named(name, "iso"),
        Sniffed::Json | Sniffed::Xml => !is_named(name, "json") && !is_named(name, "xml"),
        _ => true,
    }
}

fn not_as_named(seen: Seen<'_>, begins_as: Option<Sniffed>) -> Option<Sniffed> {
    let named = if is_named(seen.name, "zst") {
        (Sniffed::Zstd, Sniffed::NotZstd)
    } else if is_named(seen.name, "iso") {
        (Sniffed::Iso9660, Sniffed::NotIso9660)
    } else {
        return None;
    };
    if begins_as == Some(named.0) {
        None
    } else if is_prose(seen.beginning) {
        Some(Sniffed::Text)
    } else {
        Some(named.1)
    }
}

fn is_named(name: &OsStr, ending: &str) -> bool {
    let extension = Path::new(name).extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(name: &str, beginning: &[u8]) -> Option<Sniffed> {
        with_size(name, beginning, beginning.len() as u64)
    }

    fn with_size(name: &str, beginning: &[u8], size: u64) -> Option<Sniffed> {
        sniff(Seen {
            name: OsStr::new(name),
            size,
            beginning,
            has_control_file: false,
        })
    }

    fn image(identifier: &[u8]) -> Vec<u8> {
        [&[0; 32_769][..], identifier].concat()
    }

    const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd\0";

    #[test]
    fn what_begins_as_its_name_says_gives_no_hint() {
        assert_eq!(seen("a.zst", ZSTD), None);
        assert_eq!(seen("a.TAR.ZST", b"\x50\x2a\x4d\x18"), None);
        assert_eq!(seen("a.iso", &image(b"CD001")), None);
        assert_eq!(image(b"CD001").len(), SNIFF_BYTES);
        assert_eq!(seen("a.bin", b"\x7fELF"), None);
        assert_eq!(seen("a.tar", &[&[b'n'; 257][..], b"ustar"].concat()), None);
        assert_eq!(seen("a.tgz", b"\x1f\x8b"), None);
        assert_eq!(seen("zst", b"\x01"), None);
        assert_eq!(seen("a.json", b"{}"), None);
    }

    #[test]
    fn what_is_something_else_is_called_what_it_is() {
        let tar = [&[b'n'; 257][..], b"ustar"].concat();
        let cases: [(&str, &[u8], Sniffed); 17] = [
            ("a.zst", &tar, Sniffed::Tar),
            ("a.zst", b"\x1f\x8b\x08", Sniffed::Gzip),
            ("a.iso", b"\x1f\x8b\x08", Sniffed::Gzip),
            ("a.iso", ZSTD, Sniffed::Zstd),
            ("a.zst", &image(b"CD001"), Sniffed::Iso9660),
            ("a.zst", b"PK\x03\x04", Sniffed::Zip),
            ("a.bin", b"<html>", Sniffed::Html),
            ("a.zst", b"{\"error\": 1}", Sniffed::Json),
            ("a.zst", b"<Error></Error>", Sniffed::Xml),
            (
                "a.zst",
                b"version https://git-lfs.github.com/spec/v1",
                Sniffed::GitLfs,
            ),
            ("._a.zst", b"\x00\x05\x16\x07", Sniffed::AppleDouble),
            ("a.zst", b"404 page not found\n", Sniffed::Text),
            ("a.zst", b"\x01\x02", Sniffed::NotZstd),
            ("a.iso", &image(b"CD002"), Sniffed::NotIso9660),
            ("a.zst", &[0; 4096], Sniffed::Zeros),
            ("a.iso", &[0; SNIFF_BYTES], Sniffed::Zeros),
            ("a.iso", &[0; SNIFF_BYTES - 1], Sniffed::NotIso9660),
        ];
        for (name, beginning, expected) in cases {
            assert_eq!(seen(name, beginning), Some(expected), "{name} {expected:?}");
        }
    }

    #[test]
    fn sizes_at_the_limits_of_file_systems_are_recognized() {
        assert_eq!(seen("a.zst", b""), Some(Sniffed::Empty));
        assert_eq!(
            with_size("a.zst", ZSTD, 0xffff_ffff),
            Some(Sniffed::Fat32Limit)
        );
        assert_eq!(
            with_size("a.zst", ZSTD, 0x7fff_ffff),
            Some(Sniffed::TwoGibLimit)
        );
        for size in [0xffff_fffe, 0x1_0000_0000, 0x7fff_fffe, 0x8000_0000] {
            assert_eq!(with_size("a.zst", ZSTD, size), None, "{size}");
        }
    }

    #[test]
    fn a_control_file_beside_it_marks_an_unfinished_download_unless_the_content_is_more_specific() {
        let sniffed = |beginning| {
            sniff(Seen {
                name: OsStr::new("a.zst"),
                size: 1 << 40,
                beginning,
                has_control_file: true,
            })
        };
        assert_eq!(sniffed(ZSTD), Some(Sniffed::Unfinished));
        assert_eq!(sniffed(&[0; 64]), Some(Sniffed::Unfinished));
        assert_eq!(sniffed(b"<html>"), Some(Sniffed::Html));
        let names: Vec<_> = control_names(OsStr::new("a.zst")).collect();
        assert_eq!(names[0], "a.zst.aria2");
    }
}
