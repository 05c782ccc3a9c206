//! The table of remedies: what to do about each failure. A new reason gets its remedy here.

use super::images;
use crate::trust::signature::SignatureError;
use crate::trust::sniffed::Role;
use crate::trust::verdict::{INTERNAL_ERROR, Invalid, Part, Record, Subject, Unclaimed, Verdict};

/// Returns what to do about a failure; `None` for a record that passes.
pub(crate) fn remedy(record: &Record) -> Option<&'static str> {
    let remedy = match &record.verdict {
        verdict if verdict.passes() => return None,
        Verdict::Valid { .. } => return None,
        Verdict::Invalid(Invalid::Malformed(error)) => signature(*error),
        Verdict::Invalid(Invalid::NoKeyVerifies) => record.sniffed.map_or(
            "download the file and its signature again; if that does not help, ask the vendor which key signed it",
            |looks| looks.remedy(Role::Data),
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
        Verdict::Unreadable { part, .. } => match part {
            Part::Data => "make the data file readable, or copy it again",
            Part::Signature => "make the signature file readable, or copy it again",
            Part::Directory => "make the directory readable, or leave it out with --exclude",
        },
        Verdict::Image(failure) => images::remedy(failure),
        Verdict::Contents(failure) => images::contents_remedy(failure),
        Verdict::NoImages => return None,
        Verdict::NotRegular { .. } => "replace it with the file itself, or leave it out with --exclude",
    };
    Some(remedy)
}

/// Returns what to do about a signature file that contains no signature.
fn signature(error: SignatureError) -> &'static str {
    match error {
        SignatureError::Empty | SignatureError::TooLong | SignatureError::NotDer => {
            "download the signature file again"
        }
        SignatureError::Instead(looks) => looks.remedy(Role::Signature),
    }
}

fn unsigned(why: &Unclaimed) -> &'static str {
    match why {
        Unclaimed::NoSignature => {
            "get its signature from the vendor; --exclude leaves it out, --allow-unsigned accepts it"
        }
        Unclaimed::UnfinishedDownload => "finish it, or delete it",
        Unclaimed::SecondCopy => "delete it, or rename it to match its signature",
        Unclaimed::UrlQuery | Unclaimed::TrailingBlanks => "rename it to match its signature",
        Unclaimed::PartWithoutWhole => {
            "copy all parts and the signature of the whole here, or delete it"
        }
        Unclaimed::SignedElsewhere(_) => "name its directory as another PATH",
        Unclaimed::OtherSigner | Unclaimed::Keyless => "ask the vendor which key signed it",
    }
}
