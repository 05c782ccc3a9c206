//! Images inside artifacts, as text: their names, and the verdicts on them.

use super::words::shown;
use crate::files::SharedPath;
use crate::text::escape;
use crate::text::size::size;
use crate::trust::image::{ContentsFailure, Image, ImageFailure};
use crate::trust::image_notes::ImageNote;
use crate::trust::verdict::{Unclaimed, Verdict};

/// What stands between an artifact and an image inside it. No name has it: see
/// [`escape::name`](crate::text::escape::name).
pub(super) const INSIDE: &str = " » ";
/// What stands for the contents as a whole. No image's name begins with a parenthesis; see
/// [`label`].
pub(super) const CONTENTS: &str = "(contents)";

/// Returns an image as printed: the artifact that holds it, its name or digest, its platforms.
pub(super) fn subject(image: &Image) -> String {
    let artifact = shown(&image.artifact);
    format!(
        "{artifact}{INSIDE}{}{}",
        name(image.name.as_deref(), &image.id),
        platforms(image)
    )
}

/// Returns an image by the name or digest that a report gives it, as printed.
pub(super) fn inside(artifact: &SharedPath, image: &str) -> String {
    format!("{}{INSIDE}{}", shown(artifact), label(image))
}

/// Returns the contents of an artifact as a whole, as printed.
pub(super) fn contents(artifact: &SharedPath) -> String {
    format!("{}{INSIDE}{CONTENTS}", shown(artifact))
}

/// Returns the name of an image, or its digest if it has none.
pub(super) fn name(name: Option<&str>, id: &str) -> String {
    match name {
        None => label(id),
        // A label that looks like the digest of an image without a name is none.
        Some(name) if name.starts_with("sha256:") => format!("\"{}\"", label(name)),
        Some(name) => label(name),
    }
}

/// Returns a label as printed: bare if it has only the characters of an image reference, which
/// cannot be taken for anything else on a line; otherwise escaped and in quotes.
pub(super) fn label(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) && !text.ends_with(':') {
        text.to_owned()
    } else {
        format!(
            "\"{}\"",
            escape::name(text.as_ref()).replace('"', "\\u{22}")
        )
    }
}

/// Maximum number of platforms that a line names.
const MOST_PLATFORMS: usize = 4;

/// Returns the platforms that are here, and the number of the others.
fn platforms(image: &Image) -> String {
    let whole = image.platforms.iter().filter(|platform| platform.is_whole);
    let names: Vec<String> = whole.map(|platform| label(&platform.name)).collect();
    let absent = image.platforms.len() - names.len();
    let shown = names.iter().take(MOST_PLATFORMS).cloned();
    let more = names.len().saturating_sub(MOST_PLATFORMS);
    let more = (more > 0).then(|| format!("{more} more"));
    let absent = (absent > 0).then(|| format!("{absent} absent"));
    let all: Vec<String> = shown.chain(more).chain(absent).collect();
    if all.is_empty() {
        String::new()
    } else {
        format!(" ({})", all.join(", "))
    }
}

/// Returns the verdict on an image or on the contents of an artifact; `None` for one that is given
/// on files only.
pub(super) fn verdict(verdict: &Verdict) -> Option<&'static str> {
    Some(match verdict {
        Verdict::Valid { .. } => "✅ Image signature valid",
        Verdict::Invalid(_) => "❌ Image signature invalid",
        Verdict::Unsigned { allowed: true, .. } => "⚠️ Image not signed, intact",
        Verdict::Unsigned { allowed: false, .. } => "❌ Image not signed",
        Verdict::Image(failure) => match failure {
            ImageFailure::BlobMissing(_)
            | ImageFailure::BlobSize { .. }
            | ImageFailure::PlatformMissing(_)
            | ImageFailure::NoPlatform
            | ImageFailure::LayersDiffer(_) => "❌ Image incomplete",
            ImageFailure::Malformed { .. } => "❌ Image malformed",
            ImageFailure::NameTwice(_) => "❌ Image name ambiguous",
            ImageFailure::TooLarge(_) => "❌ Image not judged",
        },
        Verdict::Contents(failure) => match failure {
            ContentsFailure::Damaged(_) => "❌ Contents damaged",
            ContentsFailure::Refused(_) | ContentsFailure::Mislabelled { .. } => {
                "❌ Contents refused"
            }
            ContentsFailure::Limit(_) => "❌ Contents not judged",
        },
        Verdict::NoImages => "⚠️ No images inside",
        _ => return None,
    })
}

/// Returns why a verdict on an image is what it is.
pub(super) fn why(image: &Image, verdict: &Verdict) -> String {
    match verdict {
        Verdict::Valid { key } => format!("{}, key {}", image.id, key.name()),
        Verdict::Invalid(_) => format!("{}: none of its signatures is by a trusted key", image.id),
        Verdict::Unsigned { why, .. } => format!("{}: {}", image.id, unclaimed(why)),
        Verdict::Image(failure) => failure_in_words(failure),
        other => other.reason().name().to_owned(),
    }
}

fn unclaimed(why: &Unclaimed) -> &'static str {
    match why {
        Unclaimed::OtherSigner => "it is signed, but not by a trusted key",
        Unclaimed::Keyless => {
            "its signatures are keyless (made with a short-lived certificate) and cannot be verified offline"
        }
        _ => "no signature for this digest was found",
    }
}

/// Returns why an image fails, with everything escaped that comes from its documents.
fn failure_in_words(failure: &ImageFailure) -> String {
    escape::words(&failure.to_string())
}

/// Returns why contents cannot be judged.
pub(super) fn why_contents(failure: &ContentsFailure) -> String {
    escape::words(&failure.to_string())
}

/// Returns what to do about an image without a trusted signature.
pub(super) fn unsigned_remedy(why: &Unclaimed) -> Option<&'static str> {
    match why {
        Unclaimed::NoSignature => Some(
            "get its signature with `cosign download signature` and name it with --image-signatures; for a saved image without its manifest, that and its index too (`crane manifest`)",
        ),
        Unclaimed::OtherSigner => {
            Some("name the key that signed it with --image-key, if the vendor publishes that key")
        }
        Unclaimed::Keyless => Some(
            "ask the vendor for a signature made with a key, or verify it online before you carry it in",
        ),
        _ => None,
    }
}

/// Returns what to do about an image that fails, regardless of who signed it.
pub(super) fn remedy(failure: &ImageFailure) -> &'static str {
    match failure {
        ImageFailure::BlobMissing(_) | ImageFailure::BlobSize { .. } | ImageFailure::NoPlatform => {
            "save the image again, and copy the result again"
        }
        ImageFailure::PlatformMissing(_) => {
            "save the image with that platform, or drop that --platform"
        }
        ImageFailure::LayersDiffer(_) => "pull the image again by its digest, and save it again",
        ImageFailure::Malformed { .. } => {
            "ask its publisher for an image that follows the specification"
        }
        ImageFailure::NameTwice(_) => "rename or remove one of them",
        ImageFailure::TooLarge(_) => "ask its publisher for a smaller image",
    }
}

/// Returns what to do about contents that cannot be judged.
pub(super) fn contents_remedy(failure: &ContentsFailure) -> &'static str {
    match failure {
        ContentsFailure::Damaged(_) => {
            "copy the file here again; if its own signature is valid, its vendor packed it like this: ask the vendor"
        }
        ContentsFailure::Refused(_) | ContentsFailure::Mislabelled { .. } => {
            "do not load it: other programs may read it differently"
        }
        ContentsFailure::Limit(_) => {
            "if you trust where it comes from, raise --max-window or --max-unpacked; other limits are fixed: have it split"
        }
    }
}

/// Maximum number of names shown for a note; a report has them all.
const MOST_NAMES: usize = 4;

/// Returns a note on the images in an artifact as a sentence.
pub(super) fn note(artifact: &SharedPath, note: &ImageNote) -> String {
    let path = shown(artifact);
    match note {
        ImageNote::OtherRepository { image, signed_as } => format!(
            "{}: signed as {}; the label may be wrong",
            inside(artifact, image),
            label(signed_as)
        ),
        ImageNote::SameDigest { names } => {
            let shown: Vec<String> = names
                .iter()
                .take(MOST_NAMES)
                .map(|name| label(name))
                .collect();
            let more = match names.len().saturating_sub(MOST_NAMES) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!(
                "{path}: one image has several names: {}{more}",
                shown.join(", ")
            )
        }
        ImageNote::SignatureWithoutImage { digest, others } => format!(
            "{path}: a signature for {}{}, but no such image was found",
            label(digest),
            and_more(*others)
        ),
        ImageNote::UnusableSignature {
            digest,
            why,
            others,
        } => format!(
            "{path}: the signature in {}{} cannot be used: {}",
            label(digest),
            and_more(*others),
            escape::name(why.as_ref().as_ref())
        ),
        ImageNote::Unreachable { blobs, bytes } => format!(
            "{path}: files in it that belong to no image: {blobs}, {} in all",
            size(*bytes)
        ),
        ImageNote::ForeignLayer {
            image,
            digest,
            others,
        } => format!(
            "{}: layer {}{} is absent: it is not redistributable and is fetched from elsewhere",
            inside(artifact, image),
            label(digest),
            and_more(*others)
        ),
    }
}

fn and_more(others: usize) -> String {
    match others {
        0 => String::new(),
        others => format!(" and {others} more"),
    }
}
