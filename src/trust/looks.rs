//! What an artifact looks like by its first bytes: a hint for whoever wonders why a signature is invalid. No verdict rests on it.

use std::ffi::OsStr;
use std::path::Path;

/// Where the first volume descriptor of an ISO 9660 image has its identifier (ECMA-119, 6.2.1 and 8.1.2: sector 16, of 2048 bytes, behind
/// one byte for its type).
const ISO_IDENTIFIER_AT: usize = 16 * 2048 + 1;
/// That identifier (ECMA-119, 8.1.2).
const ISO_IDENTIFIER: &[u8] = b"CD001";
/// How a Zstandard frame begins (RFC 8878, 3.1.1).
const ZSTD_FRAME: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// How a skippable frame begins, behind a first byte of `0x50` to `0x5f` (RFC 8878, 3.1.2).
const ZSTD_SKIPPABLE: [u8; 3] = [0x2a, 0x4d, 0x18];

/// As many bytes from the beginning of an artifact are looked at: up to the end of what tells an ISO 9660 image.
pub const LOOK_BYTES: usize = ISO_IDENTIFIER_AT + ISO_IDENTIFIER.len();

/// What an artifact looks like where it does not look like what its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// `html`: a page of the web, such as a server sends in place of a file that it does not have.
    Html,
    /// `not-zstd`: it is named `.zst`, and does not begin as Zstandard does.
    NotZstd,
    /// `not-iso9660`: it is named `.iso`, and does not begin as an ISO 9660 image does.
    NotIso9660,
}

impl Looks {
    /// What the artifact of this name looks like by its first [`LOOK_BYTES`], or all its bytes if it has fewer; `None` if it is as it
    /// should be, or nothing is known of its kind.
    pub fn of(name: &OsStr, beginning: &[u8]) -> Option<Looks> {
        let is_named = |ending| Path::new(name).extension() == Some(OsStr::new(ending));
        if is_html(beginning.trim_ascii_start()) {
            Some(Looks::Html)
        } else if is_named("zst") && !is_zstd(beginning) {
            Some(Looks::NotZstd)
        } else if is_named("iso") && !is_iso(beginning) {
            Some(Looks::NotIso9660)
        } else {
            None
        }
    }

    /// The term.
    pub fn name(self) -> &'static str {
        match self {
            Looks::Html => "html",
            Looks::NotZstd => "not-zstd",
            Looks::NotIso9660 => "not-iso9660",
        }
    }
}

/// Whether a text is a page of the web, as far as its beginning tells.
pub(super) fn is_html(text: &[u8]) -> bool {
    let begins = |tag: &[u8]| {
        let begin = text.get(..tag.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(tag))
    };
    begins(b"<!doctype html") || begins(b"<html")
}

fn is_zstd(beginning: &[u8]) -> bool {
    let skippable =
        |first: &u8| first & 0xf0 == 0x50 && beginning[1..].starts_with(&ZSTD_SKIPPABLE);
    beginning.starts_with(&ZSTD_FRAME) || beginning.first().is_some_and(skippable)
}

fn is_iso(beginning: &[u8]) -> bool {
    let identifier = beginning.get(ISO_IDENTIFIER_AT..);
    identifier.is_some_and(|bytes| bytes.starts_with(ISO_IDENTIFIER))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(name: &str, beginning: &[u8]) -> Option<Looks> {
        Looks::of(OsStr::new(name), beginning)
    }

    fn image(identifier: &[u8]) -> Vec<u8> {
        [&[0; 32_769][..], identifier].concat()
    }

    #[test]
    fn what_begins_as_its_name_says_gives_no_hint() {
        assert_eq!(looks("a.zst", &[0x28, 0xb5, 0x2f, 0xfd, 0]), None);
        for first in [0x50, 0x57, 0x5f] {
            assert_eq!(looks("a.tar.zst", &[first, 0x2a, 0x4d, 0x18]), None);
        }
        assert_eq!(looks("a.iso", &image(b"CD001")), None);
        assert_eq!(image(b"CD001").len(), LOOK_BYTES);
        assert_eq!(looks("a.bin", b""), None);
        assert_eq!(looks("zst", b"anything"), None);
    }

    #[test]
    fn what_begins_otherwise_is_told_by_its_name() {
        let no_zstd: [&[u8]; 6] = [
            b"",
            b"P",
            &[0x28, 0xb5, 0x2f],
            &[0x28, 0xb5, 0x2f, 0xfe],
            &[0x60, 0x2a, 0x4d, 0x18],
            &[0x4f, 0x2a, 0x4d, 0x18],
        ];
        for bytes in no_zstd {
            assert_eq!(looks("a.zst", bytes), Some(Looks::NotZstd), "{bytes:?}");
        }
        for image in [
            image(b""),
            image(b"CD00"),
            image(b"CD002"),
            image(b" CD001"),
        ] {
            assert_eq!(looks("a.iso", &image), Some(Looks::NotIso9660));
        }
    }

    #[test]
    fn a_page_of_the_web_is_one_whatever_it_is_named() {
        for name in ["a.zst", "a.iso", "a.bin"] {
            for page in ["<!DOCTYPE html>", "\r\n <HTML lang=en>", "<!doctype HTML\n"] {
                assert_eq!(looks(name, page.as_bytes()), Some(Looks::Html), "{page}");
            }
        }
        assert_eq!(looks("a.bin", b"<!doctype htm"), None);
        assert_eq!(looks("a.bin", b"see <html>"), None);
    }

    #[test]
    fn every_look_has_its_term() {
        let all = [Looks::Html, Looks::NotZstd, Looks::NotIso9660];
        let names = all.map(Looks::name);
        assert_eq!(names, ["html", "not-zstd", "not-iso9660"]);
    }
}
