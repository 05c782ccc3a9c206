//! Verdicts as text.

mod notes;

use std::ffi::OsStr;
use std::path::Path;

use super::images;
use super::remedy::{Role, for_content, remedy};
use crate::digest::choice::{Choice, Measurement};
use crate::files::SharedPath;
use crate::names::endings::is_artifact;
use crate::run::origin::{Account, User};
use crate::shard::Division;
use crate::text::escape;
use crate::text::size::size;
use crate::text::time::day;
use crate::trust::claimed::ClaimedWhy;
use crate::trust::format::EnvelopeError;
use crate::trust::listed::{Unlisted, Unusable};
use crate::trust::record::{Record, Subject};
use crate::trust::signature::SignatureError;
use crate::trust::verdict::{Invalid, Part, Unclaimed, Verdict};

pub use notes::note;
pub(super) use notes::{difference_in_words, distinguishably};

/// Returns the subject of a record, as printed.
pub(crate) fn subject(record: &Record) -> String {
    match &record.subject {
        Subject::Artifact(path) => shown(path),
        Subject::Image(image) => images::subject(image),
        Subject::Contents(artifact) => images::contents(artifact),
    }
}

/// Returns a path as printed.
pub(crate) fn shown(path: &SharedPath) -> String {
    escape::name(&path.to_os_string())
}

/// Returns a plain path as printed.
pub(crate) fn shown_path(path: &Path) -> String {
    escape::name(path.as_os_str())
}

/// Returns a number of things.
pub(crate) fn count(number: u64, one: &str, more: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}

/// Returns what a shard had to do of the whole.
pub(crate) fn division(division: &Division) -> String {
    let Division {
        shard,
        survey,
        share,
        ..
    } = division;
    format!(
        "{shard}: {} of {} to verify, {} of {}",
        share.artifacts,
        survey.artifacts,
        size(share.bytes),
        size(survey.bytes)
    )
}

/// Returns the user, and who logged in as that.
pub(crate) fn user(user: &User) -> String {
    let effective = account(&user.effective);
    match &user.login {
        Some(login) => format!("{effective}, logged in as {}", account(login)),
        None => effective,
    }
}

fn account(account: &Account) -> String {
    match &account.name {
        Some(name) => format!("{} (uid {})", escape::name(name.as_ref()), account.id),
        None => format!("uid {}", account.id),
    }
}

/// Returns the verdict in the sample script's words, or in its style for the verdicts that it
/// lacks.
pub(crate) fn verdict(record: &Record) -> String {
    if let Verdict::Claimed(claimed) = &record.verdict {
        return claimed.line.to_string();
    }
    let of_image = match &record.subject {
        Subject::Artifact(_) => None,
        Subject::Image(_) | Subject::Contents(_) => images::verdict(&record.verdict),
    };
    of_image.map_or_else(|| of_artifact(&record.verdict), str::to_owned)
}

fn of_artifact(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Valid { .. } => "✅ Signature valid".to_owned(),
        Verdict::Listed { .. } => "✅ Listed in a signed list".to_owned(),
        Verdict::Unlisted(why) => unlisted(*why).to_owned(),
        Verdict::Invalid(_) => "❌ Signature invalid".to_owned(),
        Verdict::Missing | Verdict::PartMissing(_) => "❌ Data file not found".to_owned(),
        Verdict::Unsigned { allowed: false, .. } | Verdict::NotEntered { allowed: false } => {
            "❌ Signature file not found".to_owned()
        }
        Verdict::Unsigned { allowed: true, .. } | Verdict::NotEntered { allowed: true } => {
            "⚠️ Signature file not found".to_owned()
        }
        Verdict::Changed { .. } => "❌ Changed while reading".to_owned(),
        Verdict::Unreadable { words, .. } => format!("❌ Cannot read: {words}"),
        Verdict::NotRegular { .. } => "❌ Not a regular file".to_owned(),
        Verdict::Image(_) | Verdict::Contents(_) | Verdict::NoImages => {
            images::verdict(verdict).unwrap_or("❌").to_owned()
        }
        Verdict::VerifiedEarlier(earlier) => {
            format!("⏭️ Verified earlier, on {}", day(earlier.time))
        }
        Verdict::Claimed(claimed) => claimed.line.to_string(),
    }
}

/// Returns the verdict on what a signed list does not vouch for, or on the list.
fn unlisted(why: Unlisted) -> &'static str {
    match why {
        Unlisted::Missing => "❌ Data file not found",
        Unlisted::Differs => "❌ Differs from the signed list",
        Unlisted::Unusable(Unusable::TwoDigests) => "❌ Listed with two digests",
        Unlisted::Unusable(Unusable::NoDigest) => "❌ Listed without a usable digest",
        Unlisted::Unusable(Unusable::Outside) => "❌ Listed outside the list's directory",
        Unlisted::Line(_) | Unlisted::NotAList | Unlisted::ClearSigned | Unlisted::TooLong => {
            "❌ Not a usable checksum list"
        }
    }
}

/// Returns the signature file: only its name if it is beside the artifact, as nearly all are.
pub(crate) fn signature(record: &Record) -> String {
    match &record.signature {
        None => "no signature file".to_owned(),
        Some(path) => beside(path, record.path()),
    }
}

/// Returns a path as printed: only its name if it is beside `data`.
fn beside(path: &SharedPath, data: &SharedPath) -> String {
    match path.file_name().filter(|_| path.is_beside(data)) {
        Some(name) => escape::name(name),
        None => shown(path),
    }
}

/// Returns the reason for the verdict, the file that it comes from, and the name under which that
/// was read.
pub(crate) fn reason(record: &Record) -> String {
    match &record.verdict {
        // It has all of that.
        Verdict::Claimed(claimed) => claimed_why(record, &claimed.why),
        _ => why(record, Advice::Included) + &how(record),
    }
}

/// Returns the reason that a report gives.
fn claimed_why(record: &Record, why: &ClaimedWhy) -> String {
    if why.follows_signature {
        signature(record) + &why.text
    } else {
        why.text.to_string()
    }
}

/// Whether a reason includes what to do about the content of a file, if that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Advice {
    Included,
    Apart,
}

/// Describes how an artifact was read, if not as one file under its own name.
fn how(record: &Record) -> String {
    let link = record.link.as_deref();
    // A link's target was read under that name; repeating it adds nothing.
    let read_as = record.read_as.as_deref().filter(|_| link.is_none());
    let link = link.map(|target| format!("; a link to {}", shown(target)));
    let read_as =
        read_as.map(|name| format!("; read as {}, another name of the same file", shown(name)));
    let parts = parts(&record.parts).map(|parts| format!("; {parts}"));
    [link, read_as, parts].into_iter().flatten().collect()
}

/// Describes the parts that an artifact was split into.
fn parts(parts: &[SharedPath]) -> Option<String> {
    let (first, last) = (parts.first()?, parts.last()?);
    Some(match parts.len() {
        1 => format!("1 part, {}", shown(first)),
        count => format!("{count} parts, {} to {}", shown(first), shown(last)),
    })
}

fn why(record: &Record, advice: Advice) -> String {
    if let Subject::Image(image) = &record.subject {
        return images::why(image, &record.verdict);
    }
    let signature = signature(record);
    match &record.verdict {
        Verdict::Valid { key } => {
            format!("{signature}, key {}{}", key.name(), ignored(record))
        }
        Verdict::Listed { key } => format!("{signature}, key {}", key.name()),
        Verdict::Unlisted(why) => format!("{signature}: {why}{}", sniffed(record, advice)),
        Verdict::Invalid(why) => {
            format!(
                "{signature}: {}{}",
                invalid(why, advice),
                sniffed(record, advice)
            )
        }
        Verdict::Missing => format!("{signature} exists, but the file that it signs does not"),
        Verdict::PartMissing(part) => {
            format!(
                "{signature} exists, but part {} of the file that it signs is missing",
                shown(part)
            )
        }
        Verdict::Unsigned { why, .. } => {
            unclaimed(record, why) + &unsigned_list(record) + &sniffed(record, advice)
        }
        Verdict::NotEntered { .. } => "a linked directory that was not entered".to_owned(),
        Verdict::Changed { part } => match part {
            Part::Directory => {
                "entries were added or removed while it was being read, so some may be missing here"
                    .to_owned()
            }
            Part::Data | Part::Signature => {
                format!("{signature}: the file was modified or replaced while it was being read")
            }
        },
        Verdict::Unreadable { part, .. } => match part {
            Part::Data => format!("the data file {} cannot be read", subject(record)),
            Part::Signature => format!("the signature file {signature} cannot be read"),
            Part::Directory => "nothing in it was verified".to_owned(),
        },
        Verdict::NotRegular { part } => match part {
            Part::Signature => {
                format!("{signature}: the signature is a directory, FIFO, socket or device")
            }
            Part::Data | Part::Directory => "a directory, FIFO, socket or device".to_owned(),
        },
        Verdict::Image(failure) => escape::words(&failure.to_string()),
        Verdict::Contents(failure) => images::why_contents(failure),
        Verdict::NoImages => "it contains no images".to_owned(),
        Verdict::VerifiedEarlier(earlier) => format!(
            "{signature}, key {}: not read again, since nothing has changed as far as the file system says",
            earlier.key.name()
        ),
        Verdict::Claimed(claimed) => claimed_why(record, &claimed.why),
    }
}

/// Returns why a signature is not valid, and what to do if it is a file of a known kind.
fn invalid(why: &Invalid, advice: Advice) -> String {
    match (why, advice) {
        (Invalid::Malformed(SignatureError::Instead(looks)), Advice::Included) => {
            format!("{why}; {}", for_content(*looks, Role::Signature))
        }
        (Invalid::Envelope(EnvelopeError::Refused(_)), _) => escape::words(&why.to_string()),
        (Invalid::Malformed(_) | Invalid::Envelope(_) | Invalid::NoKeyVerifies, _) => {
            why.to_string()
        }
    }
}

/// Names what a signature file has besides the signature, which was not judged.
fn ignored(record: &Record) -> String {
    let file = record.signature_file.as_deref();
    let ignored = file.map(|file| file.ignored).unwrap_or_default();
    let parts = [
        (ignored.certificate, "certificate"),
        (ignored.key, "key hint"),
        (ignored.log, "log entries"),
        (ignored.timestamps, "timestamps"),
    ];
    let parts = parts.into_iter().filter(|(is_there, _)| *is_there);
    let parts: Vec<&str> = parts.map(|(_, name)| name).collect();
    if parts.is_empty() {
        String::new()
    } else {
        format!("; not judged: {}", parts.join(", "))
    }
}

/// Returns why a file counts as unsigned.
fn unclaimed(record: &Record, why: &Unclaimed) -> String {
    match why {
        Unclaimed::NoSignature | Unclaimed::NamedList => format!(
            "no signature file claims it: {}{}",
            looked_for(record),
            foreign(record)
        ),
        Unclaimed::UnfinishedDownload => "an unfinished download or copy".to_owned(),
        Unclaimed::SecondCopy => "named like a second copy, and no signature claims it".to_owned(),
        Unclaimed::UrlQuery => "its name ends in the query of a URL".to_owned(),
        Unclaimed::TrailingBlanks => "its name ends in blanks or control characters".to_owned(),
        Unclaimed::PartWithoutWhole => {
            "a part of a split artifact, and no signature claims the whole".to_owned()
        }
        Unclaimed::ObjectVersions => {
            "a directory of the versions that an object store keeps; which one is current is not to be seen here".to_owned()
        }
        Unclaimed::SignedElsewhere(signature) => format!(
            "a link to an artifact outside this run, signed by {}",
            shown(signature)
        ),
        Unclaimed::OtherSigner | Unclaimed::Keyless => "no trusted key signed it".to_owned(),
    }
}

/// Describes how an artifact compares with a list, where neither is signed; empty if no list names
/// it.
///
/// Nothing in it may be taken for a verdict: whoever replaced the artifact could replace the list.
fn unsigned_list(record: &Record) -> String {
    let Some(compared) = &record.unsigned_list else {
        return String::new();
    };
    let list = beside(&compared.list, record.path());
    let is = if compared.agrees { "is" } else { "is not" };
    let signed = match compared.foreign.as_ref().and_then(|path| path.file_name()) {
        Some(name) => format!("whose signature {}", not_judged(name)),
        None if compared.agrees => {
            "which is not signed either, so nothing shows who made them".to_owned()
        }
        None => "which is not signed either".to_owned(),
    };
    format!("; its digest {is} the one in {list}, {signed}")
}

/// Names the signature that another program verifies, if one is here, and how.
fn foreign(record: &Record) -> String {
    let name = record.foreign.as_deref().and_then(|path| path.file_name());
    name.map_or_else(String::new, |name| format!("; {}", not_judged(name)))
}

/// Says of a signature file that another program verifies it, and how.
fn not_judged(name: &OsStr) -> String {
    let command = match Path::new(name).extension().and_then(OsStr::to_str) {
        Some("minisig") => "minisign -V -p KEY -x SIGNATURE -m FILE",
        Some("p7s") => {
            "openssl cms -verify -binary -inform DER -in SIGNATURE -content FILE -CAfile CA"
        }
        _ => "gpgv --keyring KEYRING SIGNATURE FILE",
    };
    format!("{} is not judged here: {command}", escape::name(name))
}

/// Returns the expected names of an artifact's signature.
fn looked_for(record: &Record) -> String {
    let path = record.path();
    let name = path.file_name().unwrap_or_default();
    let with_ending = |name: &OsStr| {
        let mut signature = name.to_owned();
        signature.push(".sig.bin");
        escape::name(&signature)
    };
    match Path::new(name).file_stem().filter(|_| is_artifact(name)) {
        Some(stem) => format!(
            "neither {} nor {} is here",
            with_ending(stem),
            with_ending(name)
        ),
        None => format!("{} is not here", with_ending(name)),
    }
}

/// Describes what a failing artifact really is, and what to do; empty if that is unknown.
fn sniffed(record: &Record, advice: Advice) -> String {
    record.sniffed.map_or_else(String::new, |looks| {
        let is = format!("; the data file is {}", looks.is());
        match advice {
            Advice::Included => format!("{is}: {}", for_content(looks, Role::Data)),
            Advice::Apart => is,
        }
    })
}

/// Returns the reason and what to do, in one sentence. A remedy that the reason already includes is
/// not repeated.
fn explanation(record: &Record) -> String {
    let reason = reason(record);
    match remedy(record) {
        Some(remedy) if !reason.contains(remedy) => format!("{reason}; {remedy}"),
        _ => reason,
    }
}

/// Returns a failure in full: what failed and why, and what to do.
pub(crate) fn failure(record: &Record) -> (String, Option<String>) {
    let (subject, verdict) = (subject(record), verdict(record));
    let (reason, remedy) = reason_and_remedy(record);
    (format!("{subject}: {verdict} ({reason})"), remedy)
}

/// Returns why something failed, and what to do.
pub(super) fn reason_and_remedy(record: &Record) -> (String, Option<String>) {
    let reason = match &record.verdict {
        Verdict::Claimed(claimed) => claimed_why(record, &claimed.why),
        _ => why(record, Advice::Apart) + &how(record),
    };
    let remedy = everything_to_do(record, &reason);
    (reason, remedy)
}

/// Returns what to do about the content of a file, if its kind is known, and about the failure.
fn everything_to_do(record: &Record, reason: &str) -> Option<String> {
    let is_named = matches!(
        record.verdict,
        Verdict::Invalid(_) | Verdict::Unsigned { .. }
    );
    let looks = record.sniffed.filter(|_| is_named);
    let of_content = looks.map(|looks| for_content(looks, Role::Data));
    let of_failure = remedy(record).filter(|remedy| Some(*remedy) != of_content);
    let known = [of_content, of_failure].into_iter().flatten();
    let known: Vec<&str> = known.filter(|what| !reason.contains(what)).collect();
    (!known.is_empty()).then(|| known.join("; "))
}

/// Returns the verdict, its reason and what to do, without a mark.
pub(crate) fn full_detail(record: &Record) -> String {
    let verdict = verdict(record);
    let (_, words) = verdict.split_once(' ').unwrap_or_default();
    format!("{words} ({})", explanation(record))
}

/// Returns the verdict and its reason, without a mark.
pub(crate) fn detail(record: &Record) -> String {
    let verdict = verdict(record);
    let (_, words) = verdict.split_once(' ').unwrap_or_default();
    format!("{words} ({})", reason(record))
}

/// Returns the chosen implementation of SHA-256 and the reason, in one line.
pub fn choice(choice: &Choice) -> String {
    let name = choice.hasher.name();
    if choice.measured.is_empty() {
        return format!("SHA-256: {name}, not measured");
    }
    let measured: Vec<String> = choice.measured.iter().map(measurement).collect();
    let why = match choice.demoted() {
        None => "as the processor's instructions promise".to_owned(),
        Some(promised) => format!("since {} was slower twice", promised.name()),
    };
    format!("SHA-256: {name}, {why}; measured: {}", measured.join(", "))
}

fn measurement(measured: &Measurement) -> String {
    let lanes = match measured.lanes {
        1 => "1 lane".to_owned(),
        lanes => format!("{lanes} lanes"),
    };
    let gigabytes = measured.rate / 1e9;
    format!("{} on {lanes} {gigabytes:.2} GB/s", measured.hasher.name())
}
