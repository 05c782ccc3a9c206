//! The table of remedies: what to do about each failure, and about a file that holds something
//! else than its name says. A new reason gets its remedy here.

use super::images;
use crate::trust::format::EnvelopeError;
use crate::trust::listed::{Unlisted, Unusable};
use crate::trust::record::{Record, Subject};
use crate::trust::signature::SignatureError;
use crate::trust::sniffed::Sniffed;
use crate::trust::verdict::{INTERNAL_ERROR, Invalid, NO_DIRECT_IO, Part, Unclaimed, Verdict};

/// The role that a file's name, or the option that names it, gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// An artifact.
    Data,
    /// A signature.
    Signature,
    /// A trusted key.
    Key,
}

/// What to do about an invalid signature where a trusted key is not on P-256.
const OTHER_HASH_OR_SALT: &str = if cfg!(feature = "fips") {
    "if the signature is over another hash, name that with --digest sha384 or sha512; if it is one of RSA-PSS whose salt is not as long as the digest, the validated module does not verify it; otherwise download the file and its signature again, or ask the vendor which key signed it"
} else {
    "if the signature is over another hash, name that with --digest sha384 or sha512; otherwise download the file and its signature again, or ask the vendor which key signed it"
};

/// Returns what to do about a failure; `None` for a record that passes.
pub(crate) fn remedy(record: &Record) -> Option<&str> {
    let remedy = match &record.verdict {
        verdict if verdict.passes() => return None,
        Verdict::Valid { .. } | Verdict::Listed { .. } | Verdict::VerifiedEarlier(_) => {
            return None;
        }
        Verdict::Unlisted(why) => record
            .sniffed
            .map_or_else(|| unlisted(*why), |sniffed| for_content(sniffed, Role::Data)),
        Verdict::Invalid(Invalid::Malformed(error)) => signature(*error),
        Verdict::Invalid(Invalid::Envelope(error)) => envelope(error),
        Verdict::Invalid(_) if matches!(record.subject, Subject::Image(_)) => {
            "if the vendor signs images with another key, name it with --image-key; otherwise get the signature again"
        }
        // Nothing on P-256, which is always over SHA-256.
        Verdict::Invalid(Invalid::NoKeyVerifies) if is_of_other_algorithm(record) => {
            OTHER_HASH_OR_SALT
        }
        Verdict::Invalid(Invalid::NoKeyVerifies) => record.sniffed.map_or(
            "if no other key is reported to have made it, download the file and its signature again; if that does not help, ask the vendor which key signed it",
            |sniffed| for_content(sniffed, Role::Data),
        ),
        Verdict::Missing => "copy the data file here, or delete its signature",
        Verdict::PartMissing(_) => "copy all parts here",
        Verdict::Unsigned { why, .. } => match record.subject {
            Subject::Image(_) => images::unsigned_remedy(why)?,
            _ => unsigned(why),
        },
        Verdict::NotEntered { .. } => "--follow-links enters it, --exclude leaves it out",
        Verdict::Changed { .. } => "verify again once nothing is writing to it",
        Verdict::Unreadable { words, .. } if words == INTERNAL_ERROR => {
            "report the internal error shown on standard error; the file was not judged"
        }
        Verdict::Unreadable { words, .. } if words == NO_DIRECT_IO => {
            "use --io auto, which falls back where direct I/O is not supported"
        }
        Verdict::Unreadable { part, .. } => match part {
            Part::Data => "make the data file readable, or copy it again",
            Part::Signature => "make the signature file readable, or copy it again",
            Part::Directory => "make the directory readable, or leave it out with --exclude",
        },
        Verdict::Image(failure) => images::remedy(failure),
        Verdict::Contents(failure) => images::contents_remedy(failure),
        Verdict::NoImages => return None,
        Verdict::Claimed(claimed) => return claimed.remedy.as_deref(),
        Verdict::NotRegular { .. } => "replace it with the file itself, or leave it out with --exclude",
    };
    Some(remedy)
}

/// Reports whether a signature that no trusted key made cannot be one on P-256.
fn is_of_other_algorithm(record: &Record) -> bool {
    let signature = record.unfit.as_deref();
    signature.is_some_and(|signature| signature.p256().is_none())
}

/// Returns what to do about what a signed list does not vouch for, or about the list.
fn unlisted(why: Unlisted) -> &'static str {
    match why {
        Unlisted::Missing => {
            "copy the file here under its listed name; --exclude leaves it out if it is not wanted"
        }
        Unlisted::Differs => {
            "download the file again; if that does not help, the list may be of another release"
        }
        Unlisted::Unusable(Unusable::NoDigest) => {
            "ask whoever signed the list for one with SHA-256 digests"
        }
        Unlisted::Unusable(_) => {
            "ask whoever signed the list for one that names each file once, below the list's directory"
        }
        Unlisted::Line(_) | Unlisted::NotAList => {
            "get the list again; if it is the same, ask whoever signed it for one that sha256sum --check --strict accepts"
        }
        Unlisted::ClearSigned => {
            "gpgv --keyring KEYRING --output NEW LIST verifies it and takes the list out of it"
        }
        Unlisted::TooLong => "ask whoever signed the list for several shorter ones",
    }
}

/// Returns what to do about a signature file that contains no signature.
fn signature(error: SignatureError) -> &'static str {
    match error {
        SignatureError::Empty | SignatureError::TooLong | SignatureError::NotDer => {
            "download the signature file again"
        }
        SignatureError::OtherAlgorithm => {
            "if another key made it, name that with --key; otherwise download the signature file again"
        }
        SignatureError::Instead(sniffed) => for_content(sniffed, Role::Signature),
    }
}

/// Returns what to do about a signature that does not count in its format.
fn envelope(error: &EnvelopeError) -> &'static str {
    match error {
        EnvelopeError::TooLong { .. } => "download the signature file again",
        EnvelopeError::Attestation => {
            "get a signature of the file itself; cosign verify-blob-attestation verifies attestations"
        }
        EnvelopeError::OtherDigest => "one of the two is another release's: download both again",
        EnvelopeError::Keyless => {
            "get a signature by the vendor's key, or verify it with cosign verify-blob and the identity that the vendor names"
        }
        _ => {
            "download the signature file again; if that does not help, ask the vendor for a signature in another format"
        }
    }
}

fn unsigned(why: &Unclaimed) -> &'static str {
    match why {
        Unclaimed::NamedList => "get the signature of the list from whoever made it",
        Unclaimed::NoSignature => {
            "get its signature from the vendor; --exclude leaves it out, --allow-unsigned accepts it"
        }
        Unclaimed::UnfinishedDownload => "finish it, or delete it",
        Unclaimed::SecondCopy => "delete it, or rename it to match its signature",
        Unclaimed::UrlQuery | Unclaimed::TrailingBlanks => "rename it to match its signature",
        Unclaimed::PartWithoutWhole => {
            "copy all parts and the signature of the whole here, or delete it"
        }
        Unclaimed::ObjectVersions => {
            "mount the bucket by its S3 interface (s3fs), which shows the current version; --exclude '**/*.versions' leaves all of them out"
        }
        Unclaimed::SignedElsewhere(_) => "name its directory as another PATH",
        Unclaimed::OtherSigner | Unclaimed::Keyless => "ask the vendor which key signed it",
    }
}

/// Returns what to do about a file with this content that should have the role `role`.
pub(crate) fn for_content(sniffed: Sniffed, role: Role) -> &'static str {
    use Sniffed::{
        Base64, Bzip2, Gzip, Hex, Iso9660, Lz4, Minisign, Pgp, SevenZip, Signature, Ssh, Tar,
        Utf16, Xz, Zip, Zstd,
    };
    match (role, sniffed) {
        (Role::Key, Base64) => "its bytes are a key: base64 -d FILE >key.der",
        (Role::Key, Hex) => "its bytes are a key: xxd -r -p FILE >key.der",
        (Role::Key, Signature) => "name the vendor's public key instead",
        (Role::Key, Pgp | Minisign | Ssh) => "get the vendor's",
        (Role::Signature, Pgp) => {
            "it is not judged here: gpgv --keyring KEYRING SIGNATURE FILE verifies it"
        }
        (Role::Signature, Minisign) => {
            "it is not judged here: minisign -V -p KEY -x SIGNATURE -m FILE verifies it, or signify with the same options"
        }
        (Role::Signature, Ssh) => {
            "it is not judged here: ssh-keygen -Y verify -f ALLOWED_SIGNERS -I SIGNER -n NAMESPACE -s SIGNATURE <FILE verifies it"
        }
        (Role::Key, Utf16) => "convert it: iconv -f UTF-16 -t UTF-8 FILE",
        (
            Role::Key | Role::Signature,
            Tar | Zstd | Gzip | Xz | Bzip2 | Lz4 | Zip | SevenZip | Iso9660,
        ) => "unpack it, or download the file itself",
        _ => usual(sniffed),
    }
}

fn usual(sniffed: Sniffed) -> &'static str {
    match sniffed {
        Sniffed::Html
        | Sniffed::Xml
        | Sniffed::Json
        | Sniffed::NotZstd
        | Sniffed::NotIso9660
        | Sniffed::TrailingBytes
        | Sniffed::CutOff => "download it again",
        Sniffed::Text => "read it, and download the file again",
        Sniffed::GitLfs => "fetch the file that it stands for: git lfs pull",
        Sniffed::GitBundle => "give it, or the file that it seems to sign, another name",
        Sniffed::AppleDouble => "delete it, and use the file of this name without the leading ._",
        Sniffed::Empty | Sniffed::Zeros => "download or copy it again",
        Sniffed::Unfinished => "finish the download",
        Sniffed::Fat32Limit => {
            "copy it again to a file system without this limit (exFAT, ext4), or split"
        }
        Sniffed::TwoGibLimit => "copy it again with another program",
        Sniffed::Tar => {
            "the signature is over the file as it was published: download it again, and do not unpack it"
        }
        Sniffed::Zstd | Sniffed::Iso9660 => {
            "the signature is over the file as it was published: download it again under its own name"
        }
        Sniffed::Gzip
        | Sniffed::Xz
        | Sniffed::Bzip2
        | Sniffed::Lz4
        | Sniffed::Zip
        | Sniffed::SevenZip => {
            "the signature is over the file as it was published: download it again, and do not repack it"
        }
        Sniffed::Signature | Sniffed::PublicKey | Sniffed::Certificate => {
            "the files are mixed up: put each under its own name"
        }
        Sniffed::PrivateKey => {
            "it should not be here at all: move it away, and put the right file in its place"
        }
        Sniffed::Pgp | Sniffed::Minisign | Sniffed::Ssh => {
            "a PEM or DER key (SubjectPublicKeyInfo) is needed: get the vendor's"
        }
        Sniffed::Pem => "a signature as DER is needed, without PEM around it",
        Sniffed::Pkcs7 => "a detached signature by a plain key is needed: get the vendor's",
        Sniffed::SigstoreBundle => "a name that is its file's and ends in .sigstore.json is needed",
        Sniffed::Base64 => "its bytes are needed: base64 -d FILE",
        Sniffed::Base64Url => {
            "its bytes are needed: basenc --base64url -d FILE (with = at the end, to a multiple of 4)"
        }
        Sniffed::Base64Twice => "its bytes are needed: base64 -d FILE | base64 -d",
        Sniffed::Hex => "its bytes are needed: xxd -r -p FILE",
        Sniffed::HexPrefixed => {
            "its bytes are needed: sed 's/.*= //; s/ [*].*//' FILE | tr -d : | xxd -r -p"
        }
        Sniffed::HexSeparated => "its bytes are needed: tr -cd 0-9A-Fa-f <FILE | xxd -r -p",
        Sniffed::Hex0x => {
            "its bytes are needed: grep -oiE '(0|[\\])x[0-9a-f]+' FILE | cut -c3- | xxd -r -p"
        }
        Sniffed::HexDump => {
            "the file itself is needed: download it again (xxd -r FILE undoes what xxd did)"
        }
        Sniffed::P1363 => {
            "a signature as DER is needed; if it is an Ed25519 signature, name that key with --key"
        }
        Sniffed::OtherCurve => "if the vendor signs with a key on that curve, name it with --key",
        Sniffed::RsaSized => "if the vendor signs with an RSA key, name it with --key",
        Sniffed::Utf16 => {
            "write its bytes as they are: download it again, or use Set-Content -AsByteStream"
        }
        Sniffed::Replaced => "download it again as binary",
        Sniffed::Latin1 => {
            "download it again as binary (iconv -f UTF-8 -t LATIN1 FILE may undo it)"
        }
        Sniffed::Crlf => "download or copy it again as binary",
        Sniffed::TrailingNewline => {
            "remove them: head -c -1 FILE removes a line feed, head -c -2 FILE a CR LF"
        }
        Sniffed::Jwk => "the key as PEM or DER is needed: get it from the vendor, or convert it",
        Sniffed::Ssh2 => {
            "it is needed as PEM: ssh-keygen -i -f FILE | ssh-keygen -e -m PKCS8 -f /dev/stdin"
        }
        Sniffed::RawPoint => {
            "the key as PEM or DER (SubjectPublicKeyInfo) is needed: get it from the vendor"
        }
        Sniffed::EscapedNewlines => "write them as line ends: printf '%b' \"$(cat FILE)\"",
        Sniffed::OtherDashes => "get it again as a file, or write ----- in plain hyphens",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_text_is_decoded_into_what_its_role_says() {
        let sniffed = Sniffed::Base64;
        assert_eq!(
            for_content(sniffed, Role::Key),
            "its bytes are a key: base64 -d FILE >key.der"
        );
        assert_eq!(
            for_content(sniffed, Role::Signature),
            "its bytes are needed: base64 -d FILE"
        );
    }

    #[test]
    fn a_container_in_place_of_a_signature_is_unpacked_and_one_in_place_of_data_is_not() {
        let unpack = "unpack it, or download the file itself";
        assert_eq!(for_content(Sniffed::Gzip, Role::Signature), unpack);
        let again = "the signature is over the file as it was published: download it again, and do not repack it";
        assert_eq!(for_content(Sniffed::Gzip, Role::Data), again);
    }
}
