//! File formats, recognized by their first bytes.

use crate::trust::sniffed::Sniffed;

/// Offset of the identifier in the first volume descriptor of an ISO 9660 image (ECMA-119, 6.2.1
/// and 8.1.2: sector 16, of 2048 bytes, after one byte for its type).
const ISO_IDENTIFIER_AT: usize = 16 * 2048 + 1;
/// Identifier of a volume descriptor (ECMA-119, 8.1.2).
const ISO_IDENTIFIER: &[u8] = b"CD001";
/// Offset of the magic in a POSIX tar header (POSIX.1-2017, pax, ustar interchange format).
const TAR_MAGIC_AT: usize = 257;
/// Number of bytes that identify each format: up to the end of the ISO 9660 identifier.
pub(crate) const SNIFF_BYTES: usize = ISO_IDENTIFIER_AT + ISO_IDENTIFIER.len();
/// The UTF-8 byte order mark.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Containers, archives and compressed data, by their first bytes.
const MAGIC: [(&[u8], Sniffed); 14] = [
    // A Zstandard frame (RFC 8878, 3.1.1).
    (b"\x28\xb5\x2f\xfd", Sniffed::Zstd),
    // Gzip (RFC 1952, 2.3.1).
    (b"\x1f\x8b", Sniffed::Gzip),
    (b"\xfd7zXZ\0", Sniffed::Xz),
    (b"BZh", Sniffed::Bzip2),
    // An LZ4 frame, and the legacy format.
    (b"\x04\x22\x4d\x18", Sniffed::Lz4),
    (b"\x02\x21\x4c\x18", Sniffed::Lz4),
    (b"PK\x03\x04", Sniffed::Zip),
    (b"PK\x05\x06", Sniffed::Zip),
    (b"7z\xbc\xaf\x27\x1c", Sniffed::SevenZip),
    // AppleDouble and AppleSingle (RFC 1740, appendix A).
    (b"\x00\x05\x16\x07", Sniffed::AppleDouble),
    (b"\x00\x05\x16\x00", Sniffed::AppleDouble),
    (b"version https://git-lfs", Sniffed::GitLfs),
    // gitformat-bundle(5).
    (b"# v2 git bundle\n", Sniffed::GitBundle),
    (b"# v3 git bundle\n", Sniffed::GitBundle),
];

/// Returns the format of the first bytes, if it is known.
pub(crate) fn format(bytes: &[u8]) -> Option<Sniffed> {
    let magic = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic));
    let skippable = || is_skippable_frame(bytes).then_some(Sniffed::Zstd);
    let tar = || {
        bytes
            .get(TAR_MAGIC_AT..)?
            .starts_with(b"ustar")
            .then_some(Sniffed::Tar)
    };
    let iso = || is_iso(bytes).then_some(Sniffed::Iso9660);
    magic
        .map(|(_, looks)| *looks)
        .or_else(skippable)
        .or_else(tar)
        .or_else(iso)
        .or_else(|| document(bytes))
}

/// Returns the kind of document that a text is.
fn document(bytes: &[u8]) -> Option<Sniffed> {
    let text = text(bytes);
    if is_html(text) {
        Some(Sniffed::Html)
    } else if is_xml(text) {
        Some(Sniffed::Xml)
    } else if is_json(text) {
        Some(Sniffed::Json)
    } else {
        None
    }
}

/// Returns a text without byte order mark and surrounding blanks.
pub(crate) fn text(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BOM).unwrap_or(bytes).trim_ascii()
}

/// Reports whether the bytes begin a Zstandard skippable frame (RFC 8878, 3.1.2).
fn is_skippable_frame(bytes: &[u8]) -> bool {
    matches!(bytes, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

fn is_iso(bytes: &[u8]) -> bool {
    let identifier = bytes.get(ISO_IDENTIFIER_AT..);
    identifier.is_some_and(|bytes| bytes.starts_with(ISO_IDENTIFIER))
}

/// Reports whether a text is a web page, judging by its beginning.
fn is_html(text: &[u8]) -> bool {
    let begins = |tag: &[u8]| {
        let begin = text.get(..tag.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(tag))
    };
    let tags: [&[u8]; 6] = [
        b"<!doctype html",
        b"<html",
        b"<head",
        b"<body",
        b"<title",
        b"<h1",
    ];
    // XHTML begins as XML.
    tags.iter().any(|tag| begins(tag)) || begins(b"<?xml") && contains(text, b"<html")
}

fn is_xml(text: &[u8]) -> bool {
    matches!(text, [b'<', b'?' | b'!' | b'A'..=b'Z' | b'a'..=b'z', ..]) && contains(text, b">")
}

fn is_json(text: &[u8]) -> bool {
    let Some((b'{' | b'[', rest)) = text.split_first() else {
        return false;
    };
    matches!(
        rest.trim_ascii_start(),
        [b'"' | b'{' | b'[' | b'}' | b']', ..]
    )
}

/// Reports whether the bytes are prose: UTF-8 with blanks between words, and no control characters.
pub(crate) fn is_prose(bytes: &[u8]) -> bool {
    let text = text(bytes);
    let is_plain = |c: char| !c.is_control() || c.is_whitespace();
    let whole = match str::from_utf8(text) {
        Ok(text) => text,
        // The beginning of a file may end inside a character.
        Err(error) if error.error_len().is_none() => {
            str::from_utf8(&text[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    whole.chars().all(is_plain) && whole.contains(char::is_whitespace)
}

/// Reports whether there are bytes, and all of them are zero.
pub(crate) fn is_zeros(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| *byte == 0)
}

/// Reports whether the bytes are OpenPGP or minisign, as text or as packets.
pub(crate) fn other_signer(bytes: &[u8]) -> Option<Sniffed> {
    let text = text(bytes);
    if text.starts_with(b"-----BEGIN PGP ") || is_pgp_packet(bytes) {
        Some(Sniffed::Pgp)
    } else if text.starts_with(b"untrusted comment:") {
        Some(Sniffed::Minisign)
    } else if text.starts_with(b"-----BEGIN SSH SIGNATURE-----") {
        Some(Sniffed::Ssh)
    } else {
        None
    }
}

/// Recognizes a signature, public key or secret key packet (RFC 9580, 4.2): a tag, a length within
/// the bytes, and a version.
fn is_pgp_packet(bytes: &[u8]) -> bool {
    let (tag, length, body) = match bytes {
        [tag @ 0xc0..=0xff, length @ 0..192, body @ ..] => (tag & 0x3f, usize::from(*length), body),
        [tag @ 0xc0..=0xff, high @ 192..224, low, body @ ..] => {
            let length = (usize::from(*high) - 192) << 8 | usize::from(*low);
            (tag & 0x3f, length + 192, body)
        }
        [tag @ 0x80..0xc0, length, body @ ..] if tag & 3 == 0 => {
            (tag >> 2 & 0xf, usize::from(*length), body)
        }
        [tag @ 0x80..0xc0, high, low, body @ ..] if tag & 3 == 1 => (
            tag >> 2 & 0xf,
            usize::from(u16::from_be_bytes([*high, *low])),
            body,
        ),
        _ => return false,
    };
    let is_whole = length > 0 && length <= body.len();
    is_whole && matches!(tag, 2 | 5 | 6) && matches!(body, [3..=6, ..])
}

pub(crate) fn contains(text: &[u8], what: &[u8]) -> bool {
    text.windows(what.len()).any(|window| window == what)
}

/// Decodes UTF-16 text with a byte order mark, or without one if every other byte is zero.
pub(crate) fn from_utf16(bytes: &[u8]) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let zeros = |at: usize| !pairs.is_empty() && pairs.iter().all(|pair| pair[at] == 0);
    let (pairs, little) = match pairs {
        [[0xff, 0xfe], pairs @ ..] => (pairs, true),
        [[0xfe, 0xff], pairs @ ..] => (pairs, false),
        pairs if zeros(1) => (pairs, true),
        pairs if zeros(0) => (pairs, false),
        _ => return None,
    };
    let unit = |pair: &[u8; 2]| {
        if little {
            u16::from_le_bytes(*pair)
        } else {
            u16::from_be_bytes(*pair)
        }
    };
    let units: Vec<u16> = pairs.iter().map(unit).collect();
    rest.is_empty().then(|| String::from_utf16(&units).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_is_known_by_how_it_begins() {
        let tar = [&[b'n'; 257][..], b"ustar\0"].concat();
        let iso = [&[0; 32_769][..], b"CD001"].concat();
        let cases: [(&[u8], Option<Sniffed>); 29] = [
            (b"\x28\xb5\x2f\xfd", Some(Sniffed::Zstd)),
            (b"\x5f\x2a\x4d\x18", Some(Sniffed::Zstd)),
            (b"\x60\x2a\x4d\x18", None),
            (b"\x28\xb5\x2f\xfe", None),
            (b"\x1f\x8b\x08", Some(Sniffed::Gzip)),
            (b"\xfd7zXZ\0", Some(Sniffed::Xz)),
            (b"BZh91AY", Some(Sniffed::Bzip2)),
            (b"\x04\x22\x4d\x18", Some(Sniffed::Lz4)),
            (b"PK\x03\x04", Some(Sniffed::Zip)),
            (b"7z\xbc\xaf\x27\x1c", Some(Sniffed::SevenZip)),
            (b"\x00\x05\x16\x07\0\x02", Some(Sniffed::AppleDouble)),
            (
                b"version https://git-lfs.github.com/spec/v1\n",
                Some(Sniffed::GitLfs),
            ),
            (&tar, Some(Sniffed::Tar)),
            (&iso, Some(Sniffed::Iso9660)),
            (&iso[..32_773], None),
            (b"\xef\xbb\xbf<!DOCTYPE html>", Some(Sniffed::Html)),
            (b"\r\n <HTML lang=en>", Some(Sniffed::Html)),
            (b"<head><title>404", Some(Sniffed::Html)),
            (b"<?xml version='1.0'?><html xmlns", Some(Sniffed::Html)),
            (
                b"<?xml version='1.0'?><Error><Code>NoSuchKey",
                Some(Sniffed::Xml),
            ),
            (b"<Error><Code>AccessDenied</Code>", Some(Sniffed::Xml)),
            (b"{\"errors\" : [", Some(Sniffed::Json)),
            (b"[ {", Some(Sniffed::Json)),
            (b"{}", Some(Sniffed::Json)),
            (b"{ not json }", None),
            (b"see <html>", None),
            (b"<!doctype htm", None),
            (b"", None),
            (b"<", None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(
                format(bytes),
                expected,
                "{}",
                String::from_utf8_lossy(bytes)
            );
        }
    }

    #[test]
    fn prose_has_words_and_no_control_characters() {
        for prose in [
            "404 page not found",
            "Nicht gefunden: \u{e4}\n",
            "Access denied\r\n",
        ] {
            assert!(is_prose(prose.as_bytes()), "{prose}");
        }
        // Cut off inside a character.
        assert!(is_prose(b"nicht gefunden \xc3"));
        for other in [&b"MEUCIQDabc="[..], b"", b"a b\0", b"a \xff b", b"\n"] {
            assert!(!is_prose(other), "{other:?}");
        }
    }

    #[test]
    fn openpgp_is_known_as_text_and_as_packets_of_the_length_that_they_say() {
        for pgp in [
            &b"-----BEGIN PGP SIGNATURE-----\n"[..],
            &[0x88, 2, 4, 0],
            &[0xc2, 2, 4, 0],
            &[0x99, 0, 2, 4, 0],
        ] {
            assert_eq!(other_signer(pgp), Some(Sniffed::Pgp), "{pgp:?}");
        }
        for other in [
            &[0x88, 3, 4, 0][..],
            &[0x88, 2, 9, 0],
            &[0x30, 2, 4, 0],
            &[0xc2, 0],
            &[0xb8, 2, 4, 0],
        ] {
            assert_eq!(other_signer(other), None, "{other:?}");
        }
        assert_eq!(
            other_signer(b"untrusted comment: signature"),
            Some(Sniffed::Minisign)
        );
        assert_eq!(
            other_signer(b"-----BEGIN SSH SIGNATURE-----"),
            Some(Sniffed::Ssh)
        );
    }
}
