//! The kinds of file that content reveals under a misleading name: their terms and descriptions. A
//! hint; no verdict depends on it.

/// One table for all kinds: the variant, its term in reports, and its description.
macro_rules! sniffed {
    ($($variant:ident, $name:literal, $is:literal;)*) => {
        /// The kind of file that its content reveals. The list is closed: another kind means
        /// another version of the reports' schema.
        ///
        /// ```
        /// use verify_signatures::Sniffed;
        ///
        /// assert_eq!(Sniffed::GitLfs.name(), "git-lfs-pointer");
        /// assert_eq!(Sniffed::GitLfs.is(), "a Git LFS pointer");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Sniffed {
            $(#[doc = concat!("`", $name, "`: ", $is, ".")] $variant,)*
        }

        impl Sniffed {
            /// Every kind.
            pub const ALL: &[Sniffed] = &[$(Sniffed::$variant,)*];

            /// Returns the kind with this term.
            pub(crate) fn named(term: &str) -> Option<Sniffed> {
                Sniffed::ALL.iter().copied().find(|looks| looks.name() == term)
            }

            /// Returns the term, as in the member `looks` of a report.
            pub fn name(self) -> &'static str {
                match self { $(Sniffed::$variant => $name,)* }
            }

            /// Returns the term of a signature file of this kind, as in the member `reason` of a
            /// report.
            pub fn reason(self) -> &'static str {
                match self { $(Sniffed::$variant => concat!("signature-", $name),)* }
            }

            /// Returns the description, which completes a sentence that begins with "the file is".
            pub fn is(self) -> &'static str {
                match self { $(Sniffed::$variant => $is,)* }
            }
        }
    };
}

sniffed! {
    Html, "html", "an HTML page, such as a server sends for an error";
    Xml, "xml", "an XML document, such as an object store sends for an error";
    Json, "json", "a JSON document, such as a server sends for an error";
    Text, "text", "plain text, such as a server sends for an error";
    GitLfs, "git-lfs-pointer", "a Git LFS pointer";
    GitBundle, "git-bundle", "a bundle of Git";
    AppleDouble, "apple-double", "an AppleDouble file, in which macOS keeps metadata of the real file";
    Empty, "empty", "empty";
    Zeros, "zeros", "all zeros as far as it was looked at, so its download or copy was not finished";
    Unfinished, "unfinished-download", "an unfinished download, whose control file is beside it";
    Fat32Limit, "fat32-limit", "exactly 4 GiB - 1 bytes long, the most that FAT32 holds";
    TwoGibLimit, "two-gib-limit", "exactly 2 GiB - 1 bytes long, the most that some old programs copy";
    NotZstd, "not-zstd", "not Zstandard data, though its name says so";
    NotIso9660, "not-iso9660", "not a whole ISO 9660 image, though its name says so";
    Tar, "tar", "a plain tar archive";
    Zstd, "zstd", "Zstandard data";
    Iso9660, "iso9660", "an ISO 9660 image";
    Gzip, "gzip", "gzip data";
    Xz, "xz", "xz data";
    Bzip2, "bzip2", "bzip2 data";
    Lz4, "lz4", "LZ4 data";
    Zip, "zip", "a ZIP archive";
    SevenZip, "7z", "a 7z archive";
    Signature, "ecdsa", "a signature";
    PublicKey, "public-key", "a public key";
    PrivateKey, "private-key", "a private key";
    Certificate, "certificate", "a certificate";
    Pgp, "pgp", "OpenPGP data";
    Minisign, "minisign", "a minisign or signify file";
    Ssh, "ssh", "an SSH signature";
    Pem, "pem", "a PEM block";
    Pkcs7, "pkcs7", "a PKCS #7 (CMS) signature";
    SigstoreBundle, "sigstore-bundle", "a Sigstore bundle";
    Base64, "base64", "base64 text, as cosign writes it";
    Base64Url, "base64url", "base64url text";
    Base64Twice, "base64-twice", "base64 text of base64 text";
    Hex, "hex", "hexadecimal text";
    HexPrefixed, "hex-prefixed", "hexadecimal text as openssl dgst -hex prints it";
    HexSeparated, "hex-separated", "hexadecimal text with separators";
    Hex0x, "hex-0x", "hexadecimal text with 0x or \\x before it";
    HexDump, "hex-dump", "a dump of the file, as xxd, hexdump and od print it";
    P1363, "p1363", "a raw pair of 64 bytes (IEEE P1363)";
    OtherCurve, "other-curve", "an ECDSA signature for a larger curve, such as P-384";
    RsaSized, "rsa-sized", "as long as an RSA signature";
    Utf16, "utf-16", "text in UTF-16, as PowerShell's > writes it";
    Replaced, "replacement-characters", "binary data that was read as text, and lost bytes (U+FFFD)";
    Latin1, "latin1-as-utf8", "binary data that was read as Latin-1 text and written as UTF-8";
    Crlf, "crlf", "a signature whose line feeds became CR LF on the way";
    TrailingNewline, "trailing-newline", "a signature with a newline or blanks after it";
    TrailingBytes, "trailing-bytes", "a signature with other bytes after it";
    CutOff, "cut-off", "a signature whose end is missing";
    Jwk, "jwk", "a JSON Web Key";
    Ssh2, "ssh2", "a public key in SSH2 format (RFC 4716)";
    RawPoint, "raw-point", "a bare point of the curve";
    EscapedNewlines, "escaped-newlines", "PEM with \\n written out in place of its line ends";
    OtherDashes, "other-dashes", "PEM whose hyphens a text editor changed";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_kind_has_a_term_of_its_own_and_a_description() {
        let names: HashSet<&str> = Sniffed::ALL.iter().map(|looks| looks.name()).collect();
        assert_eq!(names.len(), Sniffed::ALL.len());
        for looks in Sniffed::ALL {
            assert_eq!(looks.reason(), format!("signature-{}", looks.name()));
            assert!(!looks.is().is_empty());
        }
    }
}
