//! Artifacts under other names: unfinished downloads, second copies, names with a URL's query. A
//! walk for only `.zst` and `.iso` would skip them silently, and users of the mirror would take
//! them for artifacts. Pure: names in, classification out.

use crate::names::endings::{self, Ending, Rule};
use crate::names::parts::Suffix;
use crate::trust::verdict::Unclaimed;

/// Words that download and copy programs add to a name until they finish.
const UNFINISHED: [&str; 35] = [
    "part",
    "partial",
    "crdownload",
    "download",
    "downloading",
    "filepart",
    "aria2",
    "tmp",
    "temp",
    "opdownload",
    "!ut",
    "!qb",
    "!bt",
    "!mv",
    "!sync",
    "bc!",
    "jc!",
    "dltmp",
    "dctmp",
    "incomplete",
    "unfinished",
    "inprogress",
    "writing",
    "uploading",
    "unconfirmed",
    "td",
    "xltd",
    "cfg!",
    "st",
    "gstmp",
    "_gstmp",
    "wget",
    "axel",
    "swp",
    "fdmdownload",
];

/// Words after a dot in the names of second copies and of copies that were set aside.
const COPIES: [&str; 16] = [
    "bak",
    "backup",
    "old",
    "orig",
    "original",
    "copy",
    "save",
    "saved",
    "prev",
    "previous",
    "dup",
    "duplicate",
    "new",
    "dpkg-old",
    "rpmsave",
    "rpmorig",
];

/// Extensions of files that accompany an artifact: checksums, signatures, descriptions.
const COMPANIONS: [&str; 66] = [
    "sha1",
    "sha1sum",
    "sha224",
    "sha224sum",
    "sha256",
    "sha256sum",
    "sha256sums",
    "sha384",
    "sha384sum",
    "sha512",
    "sha512sum",
    "sha512sums",
    "sha2",
    "sha3",
    "md5",
    "md5sum",
    "md5sums",
    "b2",
    "b2sum",
    "b3",
    "b3sum",
    "blake2",
    "blake3",
    "crc",
    "crc32",
    "sfv",
    "checksum",
    "checksums",
    "sum",
    "sums",
    "hash",
    "digest",
    "dgst",
    "asc",
    "gpg",
    "pgp",
    "sig",
    "sign",
    "signature",
    "minisig",
    "p7s",
    "tsr",
    "ots",
    "pem",
    "crt",
    "cert",
    "pub",
    "key",
    "sigstore",
    "bundle",
    "json",
    "jsonl",
    "yaml",
    "yml",
    "xml",
    "html",
    "txt",
    "md",
    "log",
    "torrent",
    "metalink",
    "meta4",
    "zsync",
    "sbom",
    "spdx",
    "manifest",
];

/// Classifies a file by name, if it is an artifact under another name. `exists` reports whether the
/// same directory contains a file of another name.
pub fn lookalike(name: &[u8], exists: impl Fn(&[u8]) -> bool) -> Option<Unclaimed> {
    // A regular ending means an artifact or a signature, and a name that contains a signature's is
    // not an artifact's.
    let is_signature = endings::strip_signature(name).is_some() || is_like_sig_bin(name);
    if Ending::split(name).is_some() || is_signature {
        return None;
    }
    if is_of_rsync(name) || is_of_chrome(name) {
        return Some(Unclaimed::UnfinishedDownload);
    }
    let (whole, rest) = Ending::inside(name)?;
    let is_part = |suffix: &[u8], ending: &[u8]| {
        let exists = |first: &[u8]| exists(&[whole, first, ending].concat());
        Suffix::parse(suffix).is_some_and(|suffix| suffix.is_part(exists))
    };
    let without_whole = || (!exists(whole)).then_some(Unclaimed::PartWithoutWhole);
    // The pairing handles a part beside its whole, and reports it once for all parts.
    if is_part(rest, b"") {
        return without_whole();
    }
    let text = String::from_utf8_lossy(rest).to_lowercase();
    if is_companion(&text) {
        return None;
    }
    behind(&text).or_else(|| {
        // `split --additional-suffix` adds an ending after the number.
        let dot = rest.iter().rposition(|byte| *byte == b'.')?;
        let (suffix, ending) = rest.split_at(dot);
        is_part(suffix, ending).then(without_whole)?
    })
}

/// What SeaweedFS adds to the name of an object for the directory of its versions.
const VERSIONS: &[u8] = b".versions";

/// Reports whether a directory holds the versions of an artifact, or of a signature whose artifact
/// has no such directory. `exists` reports whether the same directory contains a directory of
/// another name.
///
/// Such a directory is seen where the store's own file system is mounted. The object is not beside
/// it, or an old version is: either way what its users get is not what is verified here.
pub fn is_versions(name: &[u8], exists: impl Fn(&[u8]) -> bool) -> bool {
    let Some(object) = name.strip_suffix(VERSIONS) else {
        return false;
    };
    let is_artifact = |name: &[u8]| Ending::split(name).is_some();
    let Some((stem, ending)) = endings::strip_signature(object) else {
        return is_artifact(object);
    };
    let artifacts: &[&[u8]] = match ending.rule() {
        Rule::Documented => &[b"", b".zst", b".iso"],
        Rule::Exact => &[b""],
        // Most files of such a name are no signatures.
        Rule::ByContent if !is_artifact(stem) => return false,
        Rule::ByContent => &[b""],
    };
    let has_own = |name: &[u8]| is_artifact(name) && exists(&[name, VERSIONS].concat());
    let mut artifacts = artifacts.iter().map(|ending| [stem, ending].concat());
    !artifacts.any(|name| has_own(&name))
}

/// Reports whether a file accompanies an artifact, by the last word of its name: a checksum, a
/// signature of another kind, a description.
fn is_companion(text: &str) -> bool {
    let last = text.rsplit(SEPARATORS).next().unwrap_or_default();
    COMPANIONS.contains(&last.trim_end_matches(is_blank))
}

/// Characters between the words of a name.
const SEPARATORS: [char; 4] = ['.', ' ', '-', '~'];

/// Classifies the part of a name that follows an artifact's ending.
fn behind(text: &str) -> Option<Unclaimed> {
    let words: Vec<&str> = text.split(SEPARATORS).collect();
    let is_any = |known: &[&str]| words.iter().any(|word| known.contains(word));
    if text.chars().all(|c| is_blank(c) || c == '.') {
        Some(Unclaimed::TrailingBlanks)
    } else if text.starts_with(['?', '&', '#', ';', '@']) || text.starts_with("%3f") {
        Some(Unclaimed::UrlQuery)
    } else if is_any(&UNFINISHED) || is_of_aws(text) || text.contains("lftp-pget") {
        Some(Unclaimed::UnfinishedDownload)
    } else if is_any(&COPIES) || is_numbered(text) || begins_as_no_extension(text) {
        Some(Unclaimed::SecondCopy)
    } else {
        // `.gz`, `.xml.gz`, `late`: another kind of name.
        None
    }
}

/// Reports whether the rest begins with neither a letter nor a digit, so the name is an artifact's
/// with a suffix: `x.zst (1)`, `x.zst.~1~`.
fn begins_as_no_extension(text: &str) -> bool {
    let first = text.trim_start_matches('.').chars().next();
    first.is_some_and(|c| !c.is_ascii_alphanumeric())
}

/// Recognizes `.1`, as wget numbers a file that it already has.
fn is_numbered(text: &str) -> bool {
    let number = text.strip_prefix('.').unwrap_or_default();
    (1..=3).contains(&number.len()) && number.bytes().all(|digit| digit.is_ascii_digit())
}

/// Reports whether a character is whitespace, a control character, or as invisible.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// Recognizes `.NAME.XXXXXX`, rsync's name for a file that it is writing.
fn is_of_rsync(name: &[u8]) -> bool {
    let Some((rest, random)) = name.split_last_chunk::<6>() else {
        return false;
    };
    let hidden = rest
        .strip_prefix(b".")
        .and_then(|rest| rest.strip_suffix(b"."));
    let is_artifact = hidden.is_some_and(|name| Ending::split(name).is_some());
    is_artifact && random.iter().all(u8::is_ascii_alphanumeric)
}

/// Recognizes `Unconfirmed 123456.crdownload`, Chromium's name for an unconfirmed download.
fn is_of_chrome(name: &[u8]) -> bool {
    name.starts_with(b"Unconfirmed ") && name.ends_with(b".crdownload")
}

/// Recognizes `.XXXXXXXX`, the AWS command line's suffix for a file that it is writing.
fn is_of_aws(text: &str) -> bool {
    let random = text.strip_prefix('.').unwrap_or_default();
    random.len() == 8 && random.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Reports whether a name resembles a signature's without being one, with text inside or around it:
/// `x.sig (1).bin`, `x.sig.bin.txt`, `x.sigstore.json.1`.
///
/// `.bundle` is left out, since most such files are no signatures.
pub fn is_like_signature(name: &[u8]) -> bool {
    // Nearly all of them are signatures.
    if endings::strip_signature(name).is_some() {
        return false;
    }
    is_like_sig_bin(name)
        || [".sig", ".sigstore"]
            .iter()
            .any(|ending| is_like(name, ending))
}

/// Reports whether text stands behind an ending of a signature, as behind the name of a second copy
/// or of an unfinished download.
fn is_like(name: &[u8], ending: &str) -> bool {
    let text = String::from_utf8_lossy(name).to_lowercase();
    let Some((_, after)) = text.rsplit_once(ending) else {
        return false;
    };
    let after = after.strip_suffix(".txt").unwrap_or(after);
    if after.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return false;
    }
    // `x.sigstore (1).json`, and `x.sigstore.json (1)`.
    let after = after.strip_suffix(".json").unwrap_or(after);
    let after = after.strip_prefix(".json").unwrap_or(after);
    let is_artifact = Ending::ALL.iter().any(|ending| {
        let ending = String::from_utf8_lossy(ending.text());
        after.contains(&*ending)
    });
    let is_txt = after.is_empty() && text.ends_with(".txt");
    let is_changed = is_txt || !after.is_empty() && behind(after).is_some();
    is_changed && !is_artifact && !is_companion(after)
}

fn is_like_sig_bin(name: &[u8]) -> bool {
    let text = String::from_utf8_lossy(name).to_lowercase();
    let Some((_, after)) = text.rsplit_once(".sig") else {
        return false;
    };
    let is_word = !after.starts_with(|c: char| c.is_ascii_alphanumeric());
    let is_like = is_word && after.contains("bin") || after == "bin";
    // The checksum of a signature is not one; a `.txt` file may be a signature that was saved as
    // text.
    let extension = text.rsplit('.').next().unwrap_or_default();
    let is_companion = COMPANIONS.contains(&extension) && extension != "txt";
    is_like && !is_companion && endings::strip_signature(name).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Option<Unclaimed> {
        lookalike(name.as_bytes(), |_| false)
    }

    #[test]
    fn unfinished_downloads_are_recognized_by_what_programs_add_to_a_name() {
        for name in [
            "x.zst.part",
            "x.tar.zst.partial",
            "X.ISO.crdownload",
            "x.zst.download",
            "x.iso.filepart",
            "x.zst.aria2",
            "x.zst.!ut",
            ".x.zst.Ab12Cd",
            "x.zst.tmp",
            "x.zst.5dB2E8fB",
            "x.zst_.gstmp",
            "x.zst.a1b2c3d4.partial",
            "Unconfirmed 51.crdownload",
            "x.zst.lftp-pget-status",
            "x.zst.1.part",
            "x.Ab12.iso.part",
            ".syncthing.x.zst.tmp",
        ] {
            assert_eq!(of(name), Some(Unclaimed::UnfinishedDownload), "{name}");
        }
    }

    #[test]
    fn second_copies_are_recognized() {
        for name in [
            "x.zst.1",
            "x.iso.12",
            "x.zst (1)",
            "x.zst(2)",
            "x.zst~",
            "x.zst.bak",
            "x.zst - Copy",
            "x.zst copy 2",
            "x.zst.old",
            "x.zst_old",
            "x.zst.~1~",
            "x.zst [1]",
            "x.iso（1）",
            "x.zst.orig",
            "x.zst-1",
        ] {
            assert_eq!(of(name), Some(Unclaimed::SecondCopy), "{name}");
        }
    }

    #[test]
    fn a_query_and_blanks_behind_the_ending_are_recognized() {
        for name in [
            "x.tar.zst?X-Amz-Date=1",
            "x.iso#top",
            "x.zst@X-Amz-Date=1",
            "x.zst%3FX-Amz",
            "x.zst&a=b",
        ] {
            assert_eq!(of(name), Some(Unclaimed::UrlQuery), "{name}");
        }
        for name in [
            "x.zst ",
            "x.iso\r",
            "x.zst\t\n",
            "x.zst\u{a0}",
            "x.zst\u{200b}",
        ] {
            assert_eq!(of(name), Some(Unclaimed::TrailingBlanks), "{name:?}");
        }
    }

    #[test]
    fn the_versions_of_an_artifact_are_recognized_and_those_of_its_signature_where_they_stand_alone()
     {
        let of = |name: &str, there: &[&str]| {
            is_versions(name.as_bytes(), |other| {
                there.iter().any(|there| there.as_bytes() == other)
            })
        };
        assert!(of("x.zst.versions", &[]));
        assert!(of("X.ISO.versions", &["X.ISO.sig.bin.versions"]));
        for signature in [
            "x.sig.bin.versions",
            "x.zst.sig.bin.versions",
            "x.zst.sig.versions",
            "x.zst.sigstore.json.versions",
            "x.zst.bundle.versions",
        ] {
            assert!(of(signature, &[]));
            assert!(!of(signature, &["x.zst.versions"]));
        }
        // That directory would not be reported by itself.
        assert!(of("x.raw.sig.bin.versions", &["x.raw.versions"]));
        for name in [
            "x.raw.versions",
            "versions",
            ".versions",
            "x.zst.version",
            "x.zst",
            "x.zst.versions.old",
            "x.bundle.versions",
        ] {
            assert!(!of(name, &[]), "{name}");
        }
    }

    #[test]
    fn companions_of_artifacts_and_other_formats_are_not_artifacts() {
        for name in [
            "x.zst",
            "x.iso",
            "x.sig.bin",
            "x.iso.sha256",
            "x.iso.sha256 (1)",
            "x.zst.asc",
            "x.zst.sig",
            "x.iso.torrent",
            "x.iso.gz",
            "x.zst.sigstore.json",
            "x.isolate",
            "x.zst.d",
            "zst",
            ".zst.d",
            "x.tar",
            "x.zst.sig.bin.1",
            "x.iso-sha256.txt",
            "part",
            "download",
            "x.part",
        ] {
            assert_eq!(of(name), None, "{name}");
        }
    }

    #[test]
    fn a_part_is_one_only_where_its_whole_is_not() {
        let part = |there: &'static str, name: &str| {
            lookalike(name.as_bytes(), |other| other == there.as_bytes())
        };
        assert_eq!(of("x.zst_part03"), Some(Unclaimed::PartWithoutWhole));
        assert_eq!(part("x.zst", "x.zst_part03"), None);
        assert_eq!(
            part("x.zst.001", "x.zst.003"),
            Some(Unclaimed::PartWithoutWhole)
        );
        assert_eq!(
            part("x.zstaa", "x.zstac"),
            Some(Unclaimed::PartWithoutWhole)
        );
        assert_eq!(of("x.zstac"), None);
        assert_eq!(
            part("x.zst.aa.bin", "x.zst.ab.bin"),
            Some(Unclaimed::PartWithoutWhole)
        );
        assert_eq!(of("x.zst.ab.bin"), None);
        // A checksum of a part is not a part, and an unfinished part is an unfinished download,
        // also beside the whole.
        assert_eq!(of("x.zst_part00.sha256"), None);
        assert_eq!(
            part("x.zst", "x.zst.part02.crdownload"),
            Some(Unclaimed::UnfinishedDownload)
        );
    }

    #[test]
    fn what_is_like_a_signature_is_recognized_and_signatures_themselves_are_not() {
        for name in [
            "x.sig (1).bin",
            "x.sig.bin.1",
            "x.sig.bin.txt",
            "x.SIG.BIN ",
            "x.sig_1.bin",
            "x.sig.bin?X-Amz=1",
            "x.sigbin",
            "x.sig.bin.part",
            "x.sig-bin",
            "x.sig (1)",
            "x.sig.1",
            "x.iso.sig.part",
            "x.sig.txt",
            "x.sig?X-Amz=1",
            "x.sigstore (1).json",
            "x.iso.sigstore.json.1",
            "x.sigstore.json.txt",
            "x.sigstore~",
        ] {
            assert!(is_like_signature(name.as_bytes()), "{name}");
        }
        for name in [
            "x.sig.bin",
            "X.SIG.BIN",
            "x.sig",
            "x.signed.bin",
            "x.zst",
            "sig.bin",
            "x.bin",
            "x.sigstore.json",
            "x.sig.sha256",
            "x.sig.zst.part",
            "x.sig.iso (1)",
            "x.signal.1",
            "x.signed.part",
            "x.bundle.1",
            "x.app.bundle.js",
        ] {
            assert!(!is_like_signature(name.as_bytes()), "{name}");
        }
    }
}
