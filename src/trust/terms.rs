//! Machine-readable terms for verdicts.

use std::fmt;

use super::format::EnvelopeError;
use super::image::{ContentsFailure, ImageFailure};
use super::listed::{Unlisted, Unusable};
use super::signature::SignatureError;
use super::sniffed::Sniffed;
use super::verdict::{Invalid, Part, Unclaimed, Verdict};

/// The status of an artifact. The list is closed: another status means another version of the
/// reports' schema.
///
/// ```
/// use verify_signatures::{Status, Verdict};
///
/// assert_eq!(Verdict::Missing.status(), Status::Missing);
/// assert_eq!(Status::Missing.name(), "missing");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// `valid`: a trusted key verifies the signature over the artifact's bytes.
    Valid,
    /// `listed`: a checksum list that a trusted key signed has the digest of the artifact's bytes.
    Listed,
    /// `invalid`: no trusted key does, or a signed list has another digest.
    Invalid,
    /// `unsigned`: there is no signature.
    Unsigned,
    /// `missing`: there is a signature but no artifact.
    Missing,
    /// `changed`: the artifact changed while it was read.
    Changed,
    /// `unreadable`: the system refused to read something.
    Unreadable,
    /// `not-regular`: the artifact or its signature is not a regular file.
    NotRegular,
    /// `incomplete`: some of an image is missing or differs from what its documents promise.
    Incomplete,
    /// `malformed`: an image, or the contents of an artifact, break the rules that give them a
    /// meaning.
    Malformed,
    /// `too-large`: an image, or the contents of an artifact, exceed a limit.
    TooLarge,
    /// `no-images`: an archive that could be a saved image has none in it.
    NoImages,
    /// `verified-earlier`: an earlier run found the signature valid, and nothing has changed since
    /// as far as the file system says. The artifact was not read.
    VerifiedEarlier,
}

/// Why an artifact has its status. The list is closed: another reason means another version of the
/// reports' schema.
///
/// ```
/// use verify_signatures::{Reason, Verdict};
///
/// assert_eq!(Verdict::Missing.reason(), Reason::NoDataFile);
/// assert_eq!(Reason::NoDataFile.name(), "no-data-file");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// `key-verifies`: a trusted key verifies the signature (status `valid`).
    KeyVerifies,
    /// `in-signed-list`: a checksum list that a trusted key signed names it, with its digest
    /// (status `listed`).
    InSignedList,
    /// `list-data-missing`: a signed list names it, and it is not there (status `missing`).
    ListDataMissing,
    /// `list-digest-differs`: a signed list has another digest for it (status `invalid`).
    ListDigestDiffers,
    /// `list-two-digests`: a signed list has two digests of one kind for it (status `invalid`).
    ListTwoDigests,
    /// `list-no-digest`: a signed list has no digest of a kind that counts for it (status
    /// `invalid`).
    ListNoDigest,
    /// `list-outside`: its name in a signed list leads out of the list's directory (status
    /// `invalid`).
    ListOutside,
    /// `list-line`: a line of this signed list is not one of a checksum list (status `invalid`).
    ListLine,
    /// `list-empty`: this signed list, which was named as one, lists nothing (status `invalid`).
    ListEmpty,
    /// `list-clear-signed`: this signed list has an OpenPGP signature inside (status `invalid`).
    ListClearSigned,
    /// `list-too-long`: this signed list is longer than any that is read (status `invalid`).
    ListTooLong,
    /// `no-key-verifies`: a well-formed signature, but no trusted key made it over these bytes
    /// (status `invalid`).
    NoKeyVerifies,
    /// `signature-empty`: the signature file is empty (status `invalid`).
    SignatureEmpty,
    /// `signature-too-long`: the signature file is longer than any signature (status `invalid`).
    SignatureTooLong,
    /// `signature-not-der`: the signature file holds no DER-encoded ECDSA P-256 signature (status
    /// `invalid`).
    SignatureNotDer,
    /// `signature-of-other-algorithm`: no trusted key can have made a signature of these bytes, and
    /// not all trusted keys are on P-256 (status `invalid`).
    SignatureOfOtherAlgorithm,
    /// `signature-` and a term of [`Sniffed`]: the signature file has content of a known kind
    /// (status `invalid`).
    SignatureIs(Sniffed),
    /// `signature-refused`: the signature file is of a known format, and breaks its rules or needs
    /// what this program does not do (status `invalid`).
    SignatureRefused,
    /// `signature-attestation`: the signature file holds an attestation, not a signature of the
    /// file (status `invalid`).
    SignatureAttestation,
    /// `signature-other-digest`: the signature file declares another digest than the file has
    /// (status `invalid`).
    SignatureOtherDigest,
    /// `signature-keyless`: the signature was made with a short-lived certificate and by no trusted
    /// key (status `invalid`).
    SignatureKeyless,
    /// `no-signature-file`: no signature file claims the artifact (status `unsigned`).
    NoSignatureFile,
    /// `unfinished-download`: an unfinished download or copy, or a file kept beside one (status
    /// `unsigned`).
    UnfinishedDownload,
    /// `second-copy`: a second copy of an artifact by its name (status `unsigned`).
    SecondCopy,
    /// `url-query`: an artifact's name with the query of its URL (status `unsigned`).
    UrlQuery,
    /// `trailing-blanks`: an artifact's name followed by blanks or control characters (status
    /// `unsigned`).
    TrailingBlanks,
    /// `part-without-whole`: a part of a split artifact that no signature claims (status
    /// `unsigned`).
    PartWithoutWhole,
    /// `object-versions`: a directory of the versions that an object store keeps of an artifact
    /// (status `unsigned`).
    ObjectVersions,
    /// `signed-elsewhere`: a link to an artifact whose signature is not part of the run (status
    /// `unsigned`).
    SignedElsewhere,
    /// `linked-directory-not-entered`: a link to a directory whose content was not judged (status
    /// `unsigned`).
    LinkedDirectoryNotEntered,
    /// `no-data-file`: the file that the signature belongs to does not exist (status `missing`).
    NoDataFile,
    /// `part-missing`: one of the parts that the file was split into does not exist (status
    /// `missing`).
    PartMissing,
    /// `changed-while-reading`: the artifact was modified or replaced while it was read (status
    /// `changed`).
    ChangedWhileReading,
    /// `data-unreadable`: the system refused to read the artifact (status `unreadable`).
    DataUnreadable,
    /// `signature-unreadable`: the system refused to read the signature file (status `unreadable`).
    SignatureUnreadable,
    /// `directory-changed`: entries of a directory came or went while it was read, so one may be
    /// missing (status `changed`).
    DirectoryChanged,
    /// `directory-unreadable`: the system refused to read a directory; nothing in it was verified
    /// (status `unreadable`).
    DirectoryUnreadable,
    /// `data-not-regular`: the artifact is a directory, FIFO, socket or device (status
    /// `not-regular`).
    DataNotRegular,
    /// `signature-not-regular`: the signature file is a directory, FIFO, socket or device (status
    /// `not-regular`).
    SignatureNotRegular,
    /// `no-trusted-signer`: an image has signatures, none of which a trusted key made (status
    /// `unsigned`).
    NoTrustedSigner,
    /// `keyless`: an image has only signatures made with short-lived certificates (status
    /// `unsigned`).
    Keyless,
    /// `blob-missing`: a blob that an image consists of is not there (status `incomplete`).
    BlobMissing,
    /// `blob-size`: a blob of an image has another size than its document says (status
    /// `incomplete`).
    BlobSize,
    /// `platform-missing`: a platform that was asked for is not there (status `incomplete`).
    PlatformMissing,
    /// `no-platform`: no platform of an image is there as a whole (status `incomplete`).
    NoPlatform,
    /// `layers-differ`: the layers of an archive are not those of the signed manifest (status
    /// `incomplete`).
    LayersDiffer,
    /// `document-malformed`: a document of an image breaks the rules that give it a meaning (status
    /// `malformed`).
    DocumentMalformed,
    /// `name-twice`: two images of one source have the same name (status `malformed`).
    NameTwice,
    /// `image-too-large`: an image has more documents, or deeper ones, than are judged (status
    /// `too-large`).
    ImageTooLarge,
    /// `contents-damaged`: the compressed data or the archive is damaged (status `malformed`).
    ContentsDamaged,
    /// `contents-refused`: the archive could be read in more than one way, or reaches outside
    /// (status `malformed`).
    ContentsRefused,
    /// `blob-mislabelled`: a blob's name is not its digest (status `malformed`).
    BlobMislabelled,
    /// `contents-limit`: the contents need more memory or time than they may (status
    /// `too-large`).
    ContentsLimit,
    /// `no-images`: an archive that could be a saved image has none in it (status `no-images`).
    NoImages,
    /// `unchanged-since`: verified by an earlier run and unchanged since, as far as the file system
    /// says (status `verified-earlier`).
    UnchangedSince,
}

impl Status {
    /// Every status, in the order in which they are reported.
    pub const ALL: [Status; 13] = [
        Status::Valid,
        Status::Listed,
        Status::Invalid,
        Status::Unsigned,
        Status::Missing,
        Status::Changed,
        Status::Unreadable,
        Status::NotRegular,
        Status::Incomplete,
        Status::Malformed,
        Status::TooLarge,
        Status::NoImages,
        Status::VerifiedEarlier,
    ];

    /// Returns the status with this term.
    pub(crate) fn named(term: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.name() == term)
    }

    /// Reports whether there are verdicts with this status that pass.
    pub(crate) fn may_pass(self) -> bool {
        // Fail closed: those that may are listed.
        matches!(
            self,
            Status::Valid
                | Status::Listed
                | Status::Unsigned
                | Status::NoImages
                | Status::VerifiedEarlier
        )
    }

    /// Returns the status of a verdict.
    pub fn of(verdict: &Verdict) -> Status {
        match verdict {
            Verdict::Valid { .. } => Status::Valid,
            Verdict::Listed { .. } => Status::Listed,
            Verdict::Unlisted(Unlisted::Missing) => Status::Missing,
            Verdict::Invalid(_) | Verdict::Unlisted(_) => Status::Invalid,
            Verdict::Missing | Verdict::PartMissing(_) => Status::Missing,
            Verdict::Unsigned { .. } | Verdict::NotEntered { .. } => Status::Unsigned,
            Verdict::Changed { .. } => Status::Changed,
            Verdict::Unreadable { .. } => Status::Unreadable,
            Verdict::NotRegular { .. } => Status::NotRegular,
            Verdict::Image(failure) => match failure {
                ImageFailure::BlobMissing(_)
                | ImageFailure::BlobSize { .. }
                | ImageFailure::PlatformMissing(_)
                | ImageFailure::NoPlatform
                | ImageFailure::LayersDiffer(_) => Status::Incomplete,
                ImageFailure::Malformed { .. } | ImageFailure::NameTwice(_) => Status::Malformed,
                ImageFailure::TooLarge(_) => Status::TooLarge,
            },
            Verdict::Contents(failure) => match failure {
                ContentsFailure::Damaged(_)
                | ContentsFailure::Refused(_)
                | ContentsFailure::Mislabelled { .. } => Status::Malformed,
                ContentsFailure::Limit(_) => Status::TooLarge,
            },
            Verdict::NoImages => Status::NoImages,
            Verdict::VerifiedEarlier(_) => Status::VerifiedEarlier,
            Verdict::Claimed(claimed) => claimed.status,
        }
    }

    /// Reports whether a trusted key vouches for it, as this run found by reading it.
    pub(crate) fn is_verified(self) -> bool {
        matches!(self, Status::Valid | Status::Listed)
    }

    /// Reports whether a trusted key vouches for it, by its own signature or that of a list, as
    /// this run or an earlier one found.
    pub(crate) fn is_signed(self) -> bool {
        matches!(
            self,
            Status::Valid | Status::Listed | Status::VerifiedEarlier
        )
    }

    /// Returns the term.
    pub fn name(self) -> &'static str {
        match self {
            Status::Valid => "valid",
            Status::Listed => "listed",
            Status::Invalid => "invalid",
            Status::Unsigned => "unsigned",
            Status::Missing => "missing",
            Status::Changed => "changed",
            Status::Unreadable => "unreadable",
            Status::NotRegular => "not-regular",
            Status::Incomplete => "incomplete",
            Status::Malformed => "malformed",
            Status::TooLarge => "too-large",
            Status::NoImages => "no-images",
            Status::VerifiedEarlier => "verified-earlier",
        }
    }
}

impl Reason {
    /// All but those that name what a signature file has instead.
    const PLAIN: [Reason; 54] = [
        Reason::InSignedList,
        Reason::ListDataMissing,
        Reason::ListDigestDiffers,
        Reason::ListTwoDigests,
        Reason::ListNoDigest,
        Reason::ListOutside,
        Reason::ListLine,
        Reason::ListEmpty,
        Reason::ListClearSigned,
        Reason::ListTooLong,
        Reason::UnchangedSince,
        Reason::KeyVerifies,
        Reason::NoKeyVerifies,
        Reason::SignatureEmpty,
        Reason::SignatureTooLong,
        Reason::SignatureNotDer,
        Reason::SignatureOfOtherAlgorithm,
        Reason::SignatureRefused,
        Reason::SignatureAttestation,
        Reason::SignatureOtherDigest,
        Reason::SignatureKeyless,
        Reason::NoSignatureFile,
        Reason::UnfinishedDownload,
        Reason::SecondCopy,
        Reason::UrlQuery,
        Reason::TrailingBlanks,
        Reason::PartWithoutWhole,
        Reason::ObjectVersions,
        Reason::SignedElsewhere,
        Reason::LinkedDirectoryNotEntered,
        Reason::NoDataFile,
        Reason::PartMissing,
        Reason::ChangedWhileReading,
        Reason::DataUnreadable,
        Reason::SignatureUnreadable,
        Reason::DirectoryChanged,
        Reason::DirectoryUnreadable,
        Reason::DataNotRegular,
        Reason::SignatureNotRegular,
        Reason::NoTrustedSigner,
        Reason::Keyless,
        Reason::BlobMissing,
        Reason::BlobSize,
        Reason::PlatformMissing,
        Reason::NoPlatform,
        Reason::LayersDiffer,
        Reason::DocumentMalformed,
        Reason::NameTwice,
        Reason::ImageTooLarge,
        Reason::ContentsDamaged,
        Reason::ContentsRefused,
        Reason::BlobMislabelled,
        Reason::ContentsLimit,
        Reason::NoImages,
    ];

    /// Returns the reason with this term.
    pub(crate) fn named(term: &str) -> Option<Reason> {
        let instead = Sniffed::ALL.iter().copied().map(Reason::SignatureIs);
        let mut all = Reason::PLAIN.into_iter().chain(instead);
        all.find(|reason| reason.name() == term)
    }

    /// Returns the reason for a verdict.
    pub fn of(verdict: &Verdict) -> Reason {
        match verdict {
            Verdict::Valid { .. } => Reason::KeyVerifies,
            Verdict::Listed { .. } => Reason::InSignedList,
            Verdict::Unlisted(why) => match why {
                Unlisted::Missing => Reason::ListDataMissing,
                Unlisted::Differs => Reason::ListDigestDiffers,
                Unlisted::Unusable(Unusable::TwoDigests) => Reason::ListTwoDigests,
                Unlisted::Unusable(Unusable::NoDigest) => Reason::ListNoDigest,
                Unlisted::Unusable(Unusable::Outside) => Reason::ListOutside,
                Unlisted::Line(_) => Reason::ListLine,
                Unlisted::NotAList => Reason::ListEmpty,
                Unlisted::ClearSigned => Reason::ListClearSigned,
                Unlisted::TooLong => Reason::ListTooLong,
            },
            Verdict::Invalid(Invalid::NoKeyVerifies) => Reason::NoKeyVerifies,
            Verdict::Invalid(Invalid::Malformed(error)) => match error {
                SignatureError::Empty => Reason::SignatureEmpty,
                SignatureError::TooLong => Reason::SignatureTooLong,
                SignatureError::NotDer => Reason::SignatureNotDer,
                SignatureError::OtherAlgorithm => Reason::SignatureOfOtherAlgorithm,
                SignatureError::Instead(looks) => Reason::SignatureIs(*looks),
            },
            Verdict::Invalid(Invalid::Envelope(error)) => match error {
                EnvelopeError::TooLong { .. } => Reason::SignatureTooLong,
                EnvelopeError::Refused(_) => Reason::SignatureRefused,
                EnvelopeError::Attestation => Reason::SignatureAttestation,
                EnvelopeError::OtherDigest => Reason::SignatureOtherDigest,
                EnvelopeError::Keyless => Reason::SignatureKeyless,
            },
            Verdict::Missing => Reason::NoDataFile,
            Verdict::PartMissing(_) => Reason::PartMissing,
            Verdict::Unsigned { why, .. } => match why {
                Unclaimed::NoSignature | Unclaimed::NamedList => Reason::NoSignatureFile,
                Unclaimed::UnfinishedDownload => Reason::UnfinishedDownload,
                Unclaimed::SecondCopy => Reason::SecondCopy,
                Unclaimed::UrlQuery => Reason::UrlQuery,
                Unclaimed::TrailingBlanks => Reason::TrailingBlanks,
                Unclaimed::PartWithoutWhole => Reason::PartWithoutWhole,
                Unclaimed::ObjectVersions => Reason::ObjectVersions,
                Unclaimed::SignedElsewhere(_) => Reason::SignedElsewhere,
                Unclaimed::OtherSigner => Reason::NoTrustedSigner,
                Unclaimed::Keyless => Reason::Keyless,
            },
            Verdict::NotEntered { .. } => Reason::LinkedDirectoryNotEntered,
            Verdict::Changed { part } => match part {
                Part::Directory => Reason::DirectoryChanged,
                Part::Data | Part::Signature => Reason::ChangedWhileReading,
            },
            Verdict::Unreadable { part, .. } => match part {
                Part::Data => Reason::DataUnreadable,
                Part::Signature => Reason::SignatureUnreadable,
                Part::Directory => Reason::DirectoryUnreadable,
            },
            Verdict::NotRegular { part } => match part {
                Part::Signature => Reason::SignatureNotRegular,
                Part::Data | Part::Directory => Reason::DataNotRegular,
            },
            Verdict::Image(failure) => match failure {
                ImageFailure::BlobMissing(_) => Reason::BlobMissing,
                ImageFailure::BlobSize { .. } => Reason::BlobSize,
                ImageFailure::PlatformMissing(_) => Reason::PlatformMissing,
                ImageFailure::NoPlatform => Reason::NoPlatform,
                ImageFailure::LayersDiffer(_) => Reason::LayersDiffer,
                ImageFailure::Malformed { .. } => Reason::DocumentMalformed,
                ImageFailure::NameTwice(_) => Reason::NameTwice,
                ImageFailure::TooLarge(_) => Reason::ImageTooLarge,
            },
            Verdict::Contents(failure) => match failure {
                ContentsFailure::Damaged(_) => Reason::ContentsDamaged,
                ContentsFailure::Refused(_) => Reason::ContentsRefused,
                ContentsFailure::Mislabelled { .. } => Reason::BlobMislabelled,
                ContentsFailure::Limit(_) => Reason::ContentsLimit,
            },
            Verdict::NoImages => Reason::NoImages,
            Verdict::VerifiedEarlier(_) => Reason::UnchangedSince,
            Verdict::Claimed(claimed) => claimed.reason,
        }
    }

    /// Returns the term.
    pub fn name(self) -> &'static str {
        match self {
            Reason::KeyVerifies => "key-verifies",
            Reason::InSignedList => "in-signed-list",
            Reason::ListDataMissing => "list-data-missing",
            Reason::ListDigestDiffers => "list-digest-differs",
            Reason::ListTwoDigests => "list-two-digests",
            Reason::ListNoDigest => "list-no-digest",
            Reason::ListOutside => "list-outside",
            Reason::ListLine => "list-line",
            Reason::ListEmpty => "list-empty",
            Reason::ListClearSigned => "list-clear-signed",
            Reason::ListTooLong => "list-too-long",
            Reason::NoKeyVerifies => "no-key-verifies",
            Reason::SignatureEmpty => "signature-empty",
            Reason::SignatureTooLong => "signature-too-long",
            Reason::SignatureNotDer => "signature-not-der",
            Reason::SignatureOfOtherAlgorithm => "signature-of-other-algorithm",
            Reason::SignatureIs(looks) => looks.reason(),
            Reason::SignatureRefused => "signature-refused",
            Reason::SignatureAttestation => "signature-attestation",
            Reason::SignatureOtherDigest => "signature-other-digest",
            Reason::SignatureKeyless => "signature-keyless",
            Reason::NoSignatureFile => "no-signature-file",
            Reason::UnfinishedDownload => "unfinished-download",
            Reason::SecondCopy => "second-copy",
            Reason::UrlQuery => "url-query",
            Reason::TrailingBlanks => "trailing-blanks",
            Reason::PartWithoutWhole => "part-without-whole",
            Reason::ObjectVersions => "object-versions",
            Reason::SignedElsewhere => "signed-elsewhere",
            Reason::LinkedDirectoryNotEntered => "linked-directory-not-entered",
            Reason::NoDataFile => "no-data-file",
            Reason::PartMissing => "part-missing",
            Reason::ChangedWhileReading => "changed-while-reading",
            Reason::DataUnreadable => "data-unreadable",
            Reason::SignatureUnreadable => "signature-unreadable",
            Reason::DirectoryChanged => "directory-changed",
            Reason::DirectoryUnreadable => "directory-unreadable",
            Reason::DataNotRegular => "data-not-regular",
            Reason::SignatureNotRegular => "signature-not-regular",
            Reason::NoTrustedSigner => "no-trusted-signer",
            Reason::Keyless => "keyless",
            Reason::BlobMissing => "blob-missing",
            Reason::BlobSize => "blob-size",
            Reason::PlatformMissing => "platform-missing",
            Reason::NoPlatform => "no-platform",
            Reason::LayersDiffer => "layers-differ",
            Reason::DocumentMalformed => "document-malformed",
            Reason::NameTwice => "name-twice",
            Reason::ImageTooLarge => "image-too-large",
            Reason::ContentsDamaged => "contents-damaged",
            Reason::ContentsRefused => "contents-refused",
            Reason::BlobMislabelled => "blob-mislabelled",
            Reason::ContentsLimit => "contents-limit",
            Reason::NoImages => "no-images",
            Reason::UnchangedSince => "unchanged-since",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_statuses_are_those_that_the_reports_schema_lists() {
        let schema = include_str!("../../docs/report.schema.json");
        let schema: Value = serde_json::from_str(schema).unwrap();
        let listed = &schema["$defs"]["artifact"]["properties"]["status"]["enum"];
        let listed = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|term| term.as_str().unwrap());
        assert!(listed.eq(Status::ALL.map(Status::name)));
    }

    #[test]
    fn every_term_that_the_reports_schema_lists_is_read_as_what_it_names() {
        let schema = include_str!("../../docs/report.schema.json");
        let schema: Value = serde_json::from_str(schema).unwrap();
        let terms = |member: &str| {
            let listed = &schema["$defs"]["artifact"]["properties"][member]["enum"];
            let terms = listed.as_array().unwrap().clone();
            terms
                .into_iter()
                .map(|term| term.as_str().unwrap().to_owned())
        };
        for term in terms("reason") {
            assert_eq!(Reason::named(&term).map(Reason::name), Some(&*term));
        }
        for term in terms("status") {
            assert_eq!(Status::named(&term).map(Status::name), Some(&*term));
        }
    }
}
