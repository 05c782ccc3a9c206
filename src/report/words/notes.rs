//! Notes as text.

use std::path::Path;

use super::shown;
use crate::files::SharedPath;
use crate::hints::notes::Note;
use crate::names::alike::Difference;
use crate::names::endings::{SignatureEnding, is_artifact};
use crate::report::{images, signers};
use crate::text::escape;
use crate::trust::claimed::KeyName;

/// Maximum number of paths shown for a note; a report has them all.
const MOST_PATHS: usize = 4;

/// Returns a note as a sentence.
pub fn note(note: &Note) -> String {
    match note {
        Note::SameDirectory { path, judged_as } => format!(
            "{}: the same directory as {}, judged there",
            shown(path),
            shown(judged_as)
        ),
        Note::SameContent { paths, .. } => format!(
            "{}: the same content under different names; a signature does not cover the name, so one of them may be a different \
             release than its name says",
            list(paths)
        ),
        Note::SignatureFitsOther {
            signature,
            verifies,
            ..
        } => format!(
            "{}: this signature fits {}; the files are mixed up, or one is in the other's place",
            shown(signature),
            shown(verifies)
        ),
        Note::WrongKey { keys, signatures } => wrong_key(keys, *signatures),
        Note::OtherSigner {
            signer,
            examined,
            failed,
        } => signers::other_signer(signer, *examined, *failed),
        Note::NoCommonSigner {
            of,
            examined,
            failed,
        } => signers::no_common_signer(of, *examined, *failed),
        Note::SignatureFits {
            signature,
            verifies,
        } => format!(
            "{}: this signature fits {}; to pair them, rename {}",
            shown(signature),
            shown(verifies),
            pairing(signature, verifies)
        ),
        Note::NotAList { path } => format!(
            "{}: named like a checksum list and signed, but it lists nothing: it vouches for no file",
            shown(path)
        ),
        Note::StraySignature { path } => format!(
            "{}: named almost like a signature file, and paired with nothing; such a name ends in .sig.bin, .sig or .sigstore.json",
            shown(path)
        ),
        Note::SpareParts { whole, paths } => format!(
            "{}: parts of {}, which is here whole and was read instead of them",
            list(paths),
            shown(whole)
        ),
        Note::WithinShards => {
            "each shard looked for other signers and misplaced signatures in its own share only"
                .to_owned()
        }
        Note::Images { path, note } => images::note(path, note),
        Note::UnusedRegistry { prefix } => format!(
            "--signed-registry {}: no image in this run has a name below it",
            escape::message(prefix)
        ),
        Note::AlikeNames { difference, paths } => format!(
            "{}: these names look alike and are different files; they differ only in {}",
            list_as(paths, distinguishably(difference)),
            difference_in_words(difference)
        ),
    }
}

/// Describes which of two files to rename, and to what, so that they are paired.
fn pairing(signature: &SharedPath, data: &SharedPath) -> String {
    if let (Some(ending), Some(name)) = (other_ending(signature), data.file_name()) {
        let mut name = name.to_owned();
        name.push(ending);
        return format!("the signature to {}", shown(&data.directory().join(&name)));
    }
    let name = data.file_name().filter(|name| is_artifact(name));
    match name.and_then(|name| Path::new(name).file_stem()) {
        Some(stem) => {
            let mut name = stem.to_owned();
            name.push(".sig.bin");
            let to = data.directory().join(&name);
            let difference = Difference::between(signature, &to).map_or("", Difference::name);
            format!("the signature to {}", distinguishably(difference)(&to))
        }
        None => format!("{} after the signature {}", shown(data), shown(signature)),
    }
}

/// Returns the ending that a signature of another format than the vendor's should have, by what its
/// name is or resembles.
fn other_ending(signature: &SharedPath) -> Option<&'static str> {
    let name = signature.file_name()?;
    let text = name.to_string_lossy().to_lowercase();
    match SignatureEnding::of(name) {
        Some(SignatureEnding::SigBin) => None,
        Some(ending) => Some(ending.text()),
        None if text.contains(".sigstore") => Some(SignatureEnding::SigstoreJson.text()),
        None if text.contains(".sig") && !text.contains("bin") => Some(SignatureEnding::Sig.text()),
        None => None,
    }
}

/// Returns the first of some paths, and the number of the others.
fn list(paths: &[SharedPath]) -> String {
    list_as(paths, shown)
}

fn list_as(paths: &[SharedPath], shown: fn(&SharedPath) -> String) -> String {
    let shown: Vec<String> = paths.iter().take(MOST_PATHS).map(shown).collect();
    let more = match paths.len().saturating_sub(MOST_PATHS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    shown.join(", ") + &more
}

/// Returns the way to print paths so that the difference is visible.
pub(in crate::report) fn distinguishably(difference: &str) -> fn(&SharedPath) -> String {
    match difference {
        "normal-form" | "case-and-normal-form" => spelled_out,
        _ => shown,
    }
}

/// Returns a path with each non-ASCII character as its code point.
fn spelled_out(path: &SharedPath) -> String {
    let spell = |c: char| match c {
        c if c.is_ascii() => c.to_string(),
        c => c.escape_unicode().to_string(),
    };
    shown(path).chars().map(spell).collect()
}

pub(in crate::report) fn difference_in_words(term: &str) -> &'static str {
    match term {
        "case" => "the case of letters",
        "normal-form" => "their Unicode normal form",
        _ => "the case of letters and their Unicode normal form",
    }
}

/// Reports that the keys are probably the wrong ones.
fn wrong_key(keys: &[KeyName], signatures: u64) -> String {
    let key = |key: &KeyName| format!("{} ({})", key.name, key.fingerprint);
    let keys = keys.iter().map(key).collect::<Vec<_>>().join(", ");
    let found = match signatures {
        1 => "the only signature of this run was not made by a trusted key over its file: if the file is as its vendor published it, this is \
              probably the wrong key".to_owned(),
        more => format!("none of the {more} signatures of this run was made by a trusted key over its file: this is probably the wrong key"),
    };
    format!("{found}, an old one or another product's; used: {keys}")
}
