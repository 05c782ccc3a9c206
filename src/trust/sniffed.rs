//! The kinds of file that content reveals under a misleading name: their terms, descriptions and
//! remedies. A hint; no verdict depends on it.

/// The role that a file's name, or the option that names it, gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// An artifact.
    Data,
    /// A signature.
    Signature,
    /// A trusted key.
    Key,
}

/// One table for all kinds: the variant, its term in reports, its description, and its remedy.
macro_rules! sniffed {
    ($($variant:ident, $name:literal, $is:literal, $remedy:literal;)*) => {
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

            fn usual_remedy(self) -> &'static str {
                match self { $(Sniffed::$variant => $remedy,)* }
            }
        }
    };
}

sniffed! {
    Html, "html", "an HTML page, such as a server sends for an error", "download it again";
    Xml, "xml", "an XML document, such as an object store sends for an error", "download it again";
    Json, "json", "a JSON document, such as a server sends for an error", "download it again";
    Text, "text", "plain text, such as a server sends for an error", "read it, and download the file again";
    GitLfs, "git-lfs-pointer", "a Git LFS pointer", "fetch the file that it stands for: git lfs pull";
    AppleDouble, "apple-double", "an AppleDouble file, in which macOS keeps metadata of the real file",
        "delete it, and use the file of this name without the leading ._";
    Empty, "empty", "empty", "download or copy it again";
    Zeros, "zeros", "all zeros as far as it was looked at, so its download or copy was not finished", "download or copy it again";
    Unfinished, "unfinished-download", "an unfinished download, whose control file is beside it", "finish the download";
    Fat32Limit, "fat32-limit", "exactly 4 GiB - 1 bytes long, the most that FAT32 holds",
        "copy it again to a file system without this limit (exFAT, ext4), or split";
    TwoGibLimit, "two-gib-limit", "exactly 2 GiB - 1 bytes long, the most that some old programs copy", "copy it again with another program";
    NotZstd, "not-zstd", "not Zstandard data, though its name says so", "download it again";
    NotIso9660, "not-iso9660", "not a whole ISO 9660 image, though its name says so", "download it again";
    Tar, "tar", "a plain tar archive", "the signature is over the file as it was published: download it again, and do not unpack it";
    Zstd, "zstd", "Zstandard data", "the signature is over the file as it was published: download it again under its own name";
    Iso9660, "iso9660", "an ISO 9660 image", "the signature is over the file as it was published: download it again under its own name";
    Gzip, "gzip", "gzip data", "the signature is over the file as it was published: download it again, and do not repack it";
    Xz, "xz", "xz data", "the signature is over the file as it was published: download it again, and do not repack it";
    Bzip2, "bzip2", "bzip2 data", "the signature is over the file as it was published: download it again, and do not repack it";
    Lz4, "lz4", "LZ4 data", "the signature is over the file as it was published: download it again, and do not repack it";
    Zip, "zip", "a ZIP archive", "the signature is over the file as it was published: download it again, and do not repack it";
    SevenZip, "7z", "a 7z archive", "the signature is over the file as it was published: download it again, and do not repack it";
    Signature, "ecdsa", "a signature", "the files are mixed up: put each under its own name";
    PublicKey, "public-key", "a public key", "the files are mixed up: put each under its own name";
    PrivateKey, "private-key", "a private key", "it should not be here at all: move it away, and put the right file in its place";
    Certificate, "certificate", "a certificate", "the files are mixed up: put each under its own name";
    Pgp, "pgp", "OpenPGP data", "a file made for ECDSA P-256 is needed: get the vendor's";
    Minisign, "minisign", "a minisign or signify file", "a file made for ECDSA P-256 is needed: get the vendor's";
    Ssh, "ssh", "an SSH signature", "a file made for ECDSA P-256 is needed: get the vendor's";
    Pem, "pem", "a PEM block", "a signature as DER is needed, without PEM around it";
    Pkcs7, "pkcs7", "a PKCS #7 (CMS) signature", "a detached ECDSA P-256 signature as DER is needed: get the vendor's";
    SigstoreBundle, "sigstore-bundle", "a Sigstore bundle", "the signature inside it is needed: jq -r '.messageSignature.signature // .base64Signature' FILE | base64 -d";
    Base64, "base64", "base64 text, as cosign writes it", "its bytes are needed: base64 -d FILE";
    Base64Url, "base64url", "base64url text", "its bytes are needed: basenc --base64url -d FILE (with = at the end, to a multiple of 4)";
    Base64Twice, "base64-twice", "base64 text of base64 text", "its bytes are needed: base64 -d FILE | base64 -d";
    Hex, "hex", "hexadecimal text", "its bytes are needed: xxd -r -p FILE";
    HexPrefixed, "hex-prefixed", "hexadecimal text as openssl dgst -hex prints it", "its bytes are needed: sed 's/.*= //; s/ [*].*//' FILE | tr -d : | xxd -r -p";
    HexSeparated, "hex-separated", "hexadecimal text with separators", "its bytes are needed: tr -cd 0-9A-Fa-f <FILE | xxd -r -p";
    Hex0x, "hex-0x", "hexadecimal text with 0x or \\x before it", "its bytes are needed: grep -oiE '(0|[\\])x[0-9a-f]+' FILE | cut -c3- | xxd -r -p";
    HexDump, "hex-dump", "a dump of the file, as xxd, hexdump and od print it", "the file itself is needed: download it again (xxd -r FILE undoes what xxd did)";
    P1363, "p1363", "a raw pair of 64 bytes (IEEE P1363)", "a signature as DER is needed";
    OtherCurve, "other-curve", "an ECDSA signature for a larger curve, such as P-384", "a signature by a P-256 key is needed: get the vendor's";
    RsaSized, "rsa-sized", "as long as an RSA signature", "a signature by an ECDSA P-256 key is needed: get the vendor's";
    Utf16, "utf-16", "text in UTF-16, as PowerShell's > writes it", "write its bytes as they are: download it again, or use Set-Content -AsByteStream";
    Replaced, "replacement-characters", "binary data that was read as text, and lost bytes (U+FFFD)", "download it again as binary";
    Latin1, "latin1-as-utf8", "binary data that was read as Latin-1 text and written as UTF-8", "download it again as binary (iconv -f UTF-8 -t LATIN1 FILE may undo it)";
    Crlf, "crlf", "a signature whose line feeds became CR LF on the way", "download or copy it again as binary";
    TrailingNewline, "trailing-newline", "a signature with a newline or blanks after it", "remove them: head -c -1 FILE removes a line feed, head -c -2 FILE a CR LF";
    TrailingBytes, "trailing-bytes", "a signature with other bytes after it", "download it again";
    CutOff, "cut-off", "a signature whose end is missing", "download it again";
    Jwk, "jwk", "a JSON Web Key", "the key as PEM or DER is needed: get it from the vendor, or convert it";
    Ssh2, "ssh2", "a public key in SSH2 format (RFC 4716)", "it is needed as PEM: ssh-keygen -i -f FILE | ssh-keygen -e -m PKCS8 -f /dev/stdin";
    RawPoint, "raw-point", "a bare point of the curve", "the key as PEM or DER (SubjectPublicKeyInfo) is needed: get it from the vendor";
    EscapedNewlines, "escaped-newlines", "PEM with \\n written out in place of its line ends", "write them as line ends: printf '%b' \"$(cat FILE)\"";
    OtherDashes, "other-dashes", "PEM whose hyphens a text editor changed", "get it again as a file, or write ----- in plain hyphens";
}

impl Sniffed {
    /// Returns the remedy for a file that should have the role `role`.
    pub(crate) fn remedy(self, role: Role) -> &'static str {
        use Sniffed::{
            Base64, Bzip2, Gzip, Hex, Iso9660, Lz4, Minisign, Pgp, SevenZip, Signature, Ssh, Tar,
            Utf16, Xz, Zip, Zstd,
        };
        match (role, self) {
            (Role::Key, Base64) => "its bytes are a key: base64 -d FILE >key.der",
            (Role::Key, Hex) => "its bytes are a key: xxd -r -p FILE >key.der",
            (Role::Key, Signature) => "name the vendor's public key instead",
            (Role::Key, Pgp | Minisign | Ssh) => "get the vendor's",
            (Role::Key, Utf16) => "convert it: iconv -f UTF-16 -t UTF-8 FILE",
            (
                Role::Key | Role::Signature,
                Tar | Zstd | Gzip | Xz | Bzip2 | Lz4 | Zip | SevenZip | Iso9660,
            ) => "unpack it, or download the file itself",
            _ => self.usual_remedy(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_kind_has_a_term_of_its_own_and_words_for_people() {
        let names: HashSet<&str> = Sniffed::ALL.iter().map(|looks| looks.name()).collect();
        assert_eq!(names.len(), Sniffed::ALL.len());
        for looks in Sniffed::ALL {
            assert_eq!(looks.reason(), format!("signature-{}", looks.name()));
            for role in [Role::Data, Role::Signature, Role::Key] {
                assert!(!looks.is().is_empty() && !looks.remedy(role).is_empty());
            }
        }
    }
}
