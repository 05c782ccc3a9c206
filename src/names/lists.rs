//! Names of checksum lists: `SHA256SUMS`, `sha256sum-rhel8.txt`, `tool_1.2_checksums.txt`,
//! `Rocky-9-CHECKSUM`, `x.iso.sha256`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The words that the names of lists contain, in small letters.
const WORDS: [&[u8]; 15] = [
    b"shasums256",
    b"shasums512",
    b"sha256",
    b"sha384",
    b"sha512",
    b"sha256sums",
    b"sha256sum",
    b"sha384sums",
    b"sha384sum",
    b"sha512sums",
    b"sha512sum",
    b"checksums",
    b"checksum",
    b"shasums",
    b"hashes",
];

/// Endings of files that have a word in their names and are something else: signatures, data about
/// lists, programs, archives.
const OTHERS: [&[u8]; 32] = [
    b"asc",
    b"bin",
    b"bundle",
    b"bz2",
    b"cfg",
    b"conf",
    b"crt",
    b"der",
    b"exe",
    b"gpg",
    b"gz",
    b"htm",
    b"html",
    b"iso",
    b"json",
    b"jsonl",
    b"minisig",
    b"p7s",
    b"pem",
    b"pgp",
    b"py",
    b"sh",
    b"sig",
    b"sign",
    b"sigstore",
    b"tar",
    b"xml",
    b"xz",
    b"yaml",
    b"yml",
    b"zip",
    b"zst",
];

/// Reports whether a file of this name should be a checksum list. The case of ASCII letters is
/// ignored.
pub fn is_list(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let ending = name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let mut words = name.split(|byte| !byte.is_ascii_alphanumeric());
    !is_among(&OTHERS, ending) && words.any(|word| is_among(&WORDS, word))
}

fn is_among(known: &[&[u8]], word: &[u8]) -> bool {
    known.iter().any(|known| known.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_known_by_a_word_of_its_name_unless_its_ending_is_that_of_something_else() {
        for name in [
            "SHA256SUMS",
            "sha512sum.txt",
            "sha256sum-rhel8.txt",
            "tool_1.2_checksums.txt",
            "checksums.txt",
            "Rocky-9.4-x86_64-CHECKSUM",
            "x.iso.sha256",
            "x.iso.SHA512",
            "x.iso.sha256sum",
            "x.iso.sha256.txt",
            "SHA256SUMS-v1.2",
            "SHA256SUMS.el9",
            "sha256.sum",
            "checksums.md",
            "CHECKSUM",
            "SHASUMS256.txt",
            "shasums.list",
        ] {
            assert!(is_list(OsStr::new(name)), "{name}");
        }
        for name in [
            "",
            "x.iso",
            "checksums.json",
            "sha256sum.exe",
            "SHA256SUMS.sig.bin",
            "SHA256SUMS.asc",
            "sha256-tool.zst",
            "SHA256SUMS.gpg",
            "mychecksums.txt",
            "MD5SUMS",
            "sha1sum.txt",
        ] {
            assert!(!is_list(OsStr::new(name)), "{name}");
        }
    }
}
