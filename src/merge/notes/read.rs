//! The notes of a report, from the objects in it.

use crate::hints::notes::Note;
use crate::hints::signers::{Purpose, Signed, Signer};
use crate::merge::part::sha256;
use crate::merge::paths::Paths;
use crate::merge::{PartError, options};
use crate::names::alike::Difference;
use crate::trust::claimed::KeyName;
use crate::trust::image_notes::ImageNote;
use crate::wire;

/// Reads the notes of a report.
///
/// # Errors
/// [`PartError::Damaged`] if a member is none of a note.
pub(in crate::merge) fn read(
    notes: &[wire::Note<'_>],
    paths: &mut Paths<'_>,
    start: &wire::Start<'_>,
) -> Result<Vec<Note>, PartError> {
    notes.iter().map(|note| one(note, paths, start)).collect()
}

fn one(
    note: &wire::Note<'_>,
    paths: &mut Paths<'_>,
    start: &wire::Start<'_>,
) -> Result<Note, PartError> {
    use wire::Note as Said;
    Ok(match note {
        Said::SameContent {
            sha256: digest,
            paths: of,
        } => Note::SameContent {
            digest: sha256(digest)?,
            paths: paths.paths(of)?,
        },
        Said::SignatureFitsOther {
            signature,
            path,
            fits,
        } => Note::SignatureFitsOther {
            signature: signature_of(paths, signature)?,
            path: paths.path(path)?,
            verifies: paths.path(fits)?,
        },
        Said::SignatureFits { signature, fits } => Note::SignatureFits {
            signature: signature_of(paths, signature)?,
            verifies: paths.path(fits)?,
        },
        Said::NotAList { path } => Note::NotAList {
            path: paths.path(path)?,
        },
        Said::StraySignature { signature } => Note::StraySignature {
            path: signature_of(paths, signature)?,
        },
        Said::SpareParts { path, paths: parts } => Note::SpareParts {
            whole: paths.path(path)?,
            paths: paths.paths(parts)?,
        },
        Said::AlikeNames {
            difference,
            paths: of,
        } => Note::AlikeNames {
            difference: Difference::named(difference)
                .ok_or_else(|| unknown(difference))?
                .name(),
            paths: paths.paths(of)?,
        },
        Said::SameDirectory { path, judged_as } => Note::SameDirectory {
            path: paths.path(path)?,
            judged_as: paths.path(judged_as)?,
        },
        Said::UnusedRegistry { prefix } => Note::UnusedRegistry {
            prefix: prefix.to_string(),
        },
        Said::WrongKey { signatures, .. } => Note::WrongKey {
            keys: options::keys(&start.keys)?
                .into_iter()
                .map(|key| KeyName {
                    name: key.name,
                    fingerprint: key.fingerprint,
                })
                .collect(),
            signatures: *signatures,
        },
        Said::OtherSigner {
            fingerprint,
            examined,
            failed,
            trusted_for,
            found_in,
            made,
            ..
        } => Note::OtherSigner {
            signer: Box::new(Signer {
                fingerprint: sha256(fingerprint)?,
                found_in: paths.paths(found_in)?,
                trusted_for: match trusted_for {
                    None => None,
                    Some(term) => Some(Purpose::named(term).ok_or_else(|| unknown(term))?),
                },
                made: signed(made, paths)?,
            }),
            examined: *examined,
            failed: *failed,
        },
        Said::NoCommonSigner {
            examined,
            failed,
            of,
            ..
        } => Note::NoCommonSigner {
            of: signed(of, paths)?,
            examined: *examined,
            failed: *failed,
        },
        Said::WithinShards => Note::WithinShards,
        image => return of_image(image, paths),
    })
}

/// Reads a note on the images in an artifact.
fn of_image(note: &wire::Note<'_>, paths: &mut Paths<'_>) -> Result<Note, PartError> {
    use wire::Note as Said;
    let (path, note) = match note {
        Said::ImageSignedAs {
            path,
            image,
            signed_as,
        } => (
            path,
            ImageNote::OtherRepository {
                image: image.as_ref().into(),
                signed_as: signed_as.as_ref().into(),
            },
        ),
        Said::SameImage { path, images } => (
            path,
            ImageNote::SameDigest {
                names: images.iter().map(|name| name.as_ref().into()).collect(),
            },
        ),
        Said::SignatureWithoutImage {
            path,
            image,
            others,
        } => (
            path,
            ImageNote::SignatureWithoutImage {
                digest: image.as_ref().into(),
                others: *others,
            },
        ),
        Said::UnusableSignature {
            path,
            blob,
            why,
            others,
        } => (
            path,
            ImageNote::UnusableSignature {
                digest: blob.as_ref().into(),
                why: why.as_ref().into(),
                others: *others,
            },
        ),
        Said::UnreachableContent { path, blobs, bytes } => (
            path,
            ImageNote::Unreachable {
                blobs: *blobs,
                bytes: *bytes,
            },
        ),
        Said::ForeignLayer {
            path,
            image,
            blob,
            others,
        } => (
            path,
            ImageNote::ForeignLayer {
                image: image.as_ref().into(),
                digest: blob.as_ref().into(),
                others: *others,
            },
        ),
        _ => return Err(unknown("a note")),
    };
    Ok(Note::Images {
        path: paths.path(path)?,
        note,
    })
}

fn signature_of(
    paths: &mut Paths<'_>,
    member: &wire::SignatureMember<'_>,
) -> Result<crate::files::SharedPath, PartError> {
    let path = paths.signature(member)?;
    path.ok_or_else(|| PartError::Damaged("a note on no signature".to_owned()))
}

fn signed(of: &[wire::Signed<'_>], paths: &mut Paths<'_>) -> Result<Vec<Signed>, PartError> {
    let mut all = Vec::new();
    for signed in of {
        all.push(Signed {
            path: paths.path(&signed.path)?,
            signature: paths.signature(&signed.signature)?,
            image: signed.image.as_deref().map(Into::into),
        });
    }
    Ok(all)
}

fn unknown(term: &str) -> PartError {
    PartError::Damaged(format!("{term:?} is no term of a note"))
}
