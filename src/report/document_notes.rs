//! Converts the notes on a run to the objects of the JSON reports.

use super::document::{Members, member, signature};
use crate::files::SharedPath;
use crate::hints::notes;
use crate::hints::signers::{self, Signer};
use crate::trust::claimed::KeyName;
use crate::trust::image_notes::ImageNote;
use crate::wire::{Note, Signed};

/// Returns a note.
pub(super) fn note(note: &notes::Note) -> Note<'_, Members<'_>> {
    use notes::Note as Found;
    match note {
        Found::SameContent { digest, paths: of } => Note::SameContent {
            sha256: digest.to_string().into(),
            paths: Members(of),
        },
        Found::SameDirectory { path, judged_as } => Note::SameDirectory {
            path: member(path),
            judged_as: member(judged_as),
        },
        Found::SignatureFitsOther {
            signature,
            path,
            verifies,
        } => Note::SignatureFitsOther {
            signature: self::signature(signature),
            path: member(path),
            fits: member(verifies),
        },
        Found::WrongKey { keys, signatures } => wrong_key(keys, *signatures),
        Found::OtherSigner {
            signer,
            examined,
            failed,
        } => other_signer(signer, *examined, *failed),
        Found::NoCommonSigner {
            of,
            examined,
            failed,
        } => no_common_signer(of, *examined, *failed),
        Found::SignatureFits {
            signature,
            verifies,
        } => Note::SignatureFits {
            signature: self::signature(signature),
            fits: member(verifies),
        },
        Found::NotAList { path } => Note::NotAList { path: member(path) },
        Found::StraySignature { path } => Note::StraySignature {
            signature: signature(path),
        },
        Found::SpareParts { whole, paths: of } => Note::SpareParts {
            path: member(whole),
            paths: Members(of),
        },
        Found::AlikeNames {
            difference,
            paths: of,
        } => Note::AlikeNames {
            difference: (*difference).into(),
            paths: Members(of),
        },
        Found::UnusedRegistry { prefix } => Note::UnusedRegistry {
            prefix: prefix.as_str().into(),
        },
        Found::WithinShards => Note::WithinShards,
        Found::Images { path, note } => image_note(path, note),
    }
}

fn other_signer(signer: &Signer, examined: u64, failed: u64) -> Note<'_, Members<'_>> {
    Note::OtherSigner {
        fingerprint: signer.fingerprint.to_string().into(),
        signatures: signer.made.len() as u64,
        examined,
        failed,
        trusted_for: signer.trusted_for.map(|purpose| purpose.name().into()),
        found_in: signer.found_in.iter().map(member).collect(),
        made: signer.made.iter().map(signed).collect(),
    }
}

fn wrong_key(keys: &[KeyName], signatures: u64) -> Note<'static, Members<'static>> {
    let fingerprints = keys.iter().map(|key| key.fingerprint.to_string().into());
    Note::WrongKey {
        keys: fingerprints.collect(),
        signatures,
    }
}

fn no_common_signer(of: &[signers::Signed], examined: u64, failed: u64) -> Note<'_, Members<'_>> {
    Note::NoCommonSigner {
        signatures: of.len() as u64,
        examined,
        failed,
        of: of.iter().map(signed).collect(),
    }
}

fn signed(signed: &signers::Signed) -> Signed<'_> {
    Signed {
        path: member(&signed.path),
        signature: signed.signature.as_ref().map(signature).unwrap_or_default(),
        image: signed.image.as_deref().map(Into::into),
    }
}

fn image_note<'a>(path: &SharedPath, note: &'a ImageNote) -> Note<'a, Members<'a>> {
    let path = member(path);
    match note {
        ImageNote::OtherRepository { image, signed_as } => Note::ImageSignedAs {
            path,
            image: (**image).into(),
            signed_as: (**signed_as).into(),
        },
        ImageNote::SameDigest { names } => Note::SameImage {
            path,
            images: names.iter().map(|name| (**name).into()).collect(),
        },
        ImageNote::SignatureWithoutImage { digest, others } => Note::SignatureWithoutImage {
            path,
            image: (**digest).into(),
            others: *others,
        },
        ImageNote::UnusableSignature {
            digest,
            why,
            others,
        } => Note::UnusableSignature {
            path,
            blob: (**digest).into(),
            why: (**why).into(),
            others: *others,
        },
        ImageNote::Unreachable { blobs, bytes } => Note::UnreachableContent {
            path,
            blobs: *blobs,
            bytes: *bytes,
        },
        ImageNote::ForeignLayer {
            image,
            digest,
            others,
        } => Note::ForeignLayer {
            path,
            image: (**image).into(),
            blob: (**digest).into(),
            others: *others,
        },
    }
}
