//! Endings of names, which make a file an artifact or a signature. FAT and old tools write endings
//! in capitals, so the case of their ASCII letters is ignored. Everything before an ending is
//! compared as bytes.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// An ending that makes a file a signature. What such a file may hold is in `envelope::FORMATS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignatureEnding {
    /// `.sig.bin`: the vendor's.
    SigBin,
    /// `.sig`: what `cosign sign-blob` writes, and others.
    Sig,
    /// `.sigstore.json`: a bundle.
    SigstoreJson,
    /// `.sigstore`: a bundle.
    Sigstore,
    /// `.cosign.bundle`: a bundle.
    CosignBundle,
    /// `.bundle`: a bundle, or a file of Git or JavaScript.
    Bundle,
}

/// How a signature is matched with its data by their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// As the vendor documents it: the stem with an artifact's ending, or the stem.
    Documented,
    /// It belongs to exactly the file of its stem.
    Exact,
    /// The same, but without that file it is a signature only if its content is one.
    ByContent,
}

impl SignatureEnding {
    /// All, each before those that it ends with.
    pub const ALL: [SignatureEnding; 6] = [
        SignatureEnding::SigBin,
        SignatureEnding::Sig,
        SignatureEnding::SigstoreJson,
        SignatureEnding::Sigstore,
        SignatureEnding::CosignBundle,
        SignatureEnding::Bundle,
    ];

    /// Returns the ending in its usual case.
    pub fn text(self) -> &'static str {
        match self {
            SignatureEnding::SigBin => ".sig.bin",
            SignatureEnding::Sig => ".sig",
            SignatureEnding::SigstoreJson => ".sigstore.json",
            SignatureEnding::Sigstore => ".sigstore",
            SignatureEnding::CosignBundle => ".cosign.bundle",
            SignatureEnding::Bundle => ".bundle",
        }
    }

    /// Returns how a signature with this ending is matched with its data.
    pub fn rule(self) -> Rule {
        match self {
            SignatureEnding::SigBin => Rule::Documented,
            SignatureEnding::Bundle => Rule::ByContent,
            SignatureEnding::Sig
            | SignatureEnding::SigstoreJson
            | SignatureEnding::Sigstore
            | SignatureEnding::CosignBundle => Rule::Exact,
        }
    }

    /// Returns the ending of a signature file's name; `None` for any other name.
    pub fn of(name: &OsStr) -> Option<SignatureEnding> {
        strip_signature(name.as_bytes()).map(|(_, ending)| ending)
    }
}

/// The ending of a file that needs a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// `.zst`: a bundle or a pack.
    Zst,
    /// `.iso`: an image.
    Iso,
}

impl Ending {
    /// Both, in the order in which a signature is matched with its data.
    pub const ALL: [Ending; 2] = [Ending::Zst, Ending::Iso];

    /// Returns the ending in its usual case.
    pub fn text(self) -> &'static [u8] {
        match self {
            Ending::Zst => b".zst",
            Ending::Iso => b".iso",
        }
    }

    /// Splits an artifact's name into its stem and its ending; `None` if it has no ending.
    pub fn split(name: &[u8]) -> Option<(&[u8], Ending)> {
        let split = |ending: Ending| Some((strip(name, ending.text())?, ending));
        Ending::ALL.into_iter().find_map(split)
    }

    /// Finds the last ending in a name that is followed by more: returns the name up to and
    /// including that ending, and the rest.
    pub fn inside(name: &[u8]) -> Option<(&[u8], &[u8])> {
        let at = |ending: Ending| {
            let text = ending.text();
            let last = name.len().checked_sub(text.len() + 1)?;
            (0..=last)
                .rev()
                .find(|at| name[*at..at + text.len()].eq_ignore_ascii_case(text))
                .map(|at| at + text.len())
        };
        let end = Ending::ALL.into_iter().filter_map(at).max()?;
        Some(name.split_at(end))
    }
}

/// Splits a signature file's name into its stem and its ending; `None` for any other name.
pub fn strip_signature(name: &[u8]) -> Option<(&[u8], SignatureEnding)> {
    let split = |ending: SignatureEnding| {
        let stem = strip(name, ending.text().as_bytes())?;
        // No file has the empty name that `.sig` would be the signature of. (`.sig.bin` may be that
        // of `.zst`.)
        let has_data = !stem.is_empty() || ending.rule() == Rule::Documented;
        has_data.then_some((stem, ending))
    };
    SignatureEnding::ALL.into_iter().find_map(split)
}

/// The endings of signatures that other programs verify.
pub const FOREIGN: [&str; 6] = [".asc", ".gpg", ".pgp", ".sign", ".minisig", ".p7s"];

/// Reports whether a file of this name is a signature.
pub fn is_signature(name: &OsStr) -> bool {
    strip_signature(name.as_bytes()).is_some()
}

/// Reports whether a file of this name needs a signature.
pub fn is_artifact(name: &OsStr) -> bool {
    Ending::split(name.as_bytes()).is_some()
}

/// The endings of archives in which images are saved, none of which needs a signature file.
const SAVED: [&[u8]; 3] = [b".tar", b".tgz", b".tar.gz"];

/// Reports whether a file of this name may be a saved image.
pub fn is_saved_image(name: &OsStr) -> bool {
    let is_of = |ending: &&[u8]| strip(name.as_bytes(), ending).is_some();
    SAVED.iter().any(is_of)
}

/// The endings of public keys.
const KEYS: [&[u8]; 3] = [b".pem", b".pub", b".der"];

/// Reports whether a file of this name may be a public key.
pub fn is_key(name: &OsStr) -> bool {
    let is_of = |ending: &&[u8]| strip(name.as_bytes(), ending).is_some();
    KEYS.iter().any(is_of)
}

fn strip<'a>(name: &'a [u8], ending: &[u8]) -> Option<&'a [u8]> {
    let (stem, end) = name.split_at_checked(name.len().checked_sub(ending.len())?)?;
    end.eq_ignore_ascii_case(ending).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_case_of_an_ending_does_not_count_and_what_stands_before_it_does() {
        assert_eq!(Ending::split(b"X.ZsT"), Some((&b"X"[..], Ending::Zst)));
        assert_eq!(Ending::split(b".iso"), Some((&b""[..], Ending::Iso)));
        assert_eq!(Ending::split(b"x.zst.1"), None);
        let (tar, bin) = (&b"x.Tar"[..], SignatureEnding::SigBin);
        assert_eq!(strip_signature(b"x.Tar.SIG.bin"), Some((tar, bin)));
        assert_eq!(strip_signature(b"sig.bin"), None);
    }

    #[test]
    fn the_longest_ending_of_a_signature_counts_and_none_signs_a_file_without_a_name() {
        let of = |name: &str| SignatureEnding::of(OsStr::new(name));
        for ending in SignatureEnding::ALL {
            for text in [ending.text().to_owned(), ending.text().to_uppercase()] {
                assert_eq!(of(&format!("x.iso{text}")), Some(ending), "{text}");
            }
        }
        assert_eq!(of(".sig.bin"), Some(SignatureEnding::SigBin));
        assert_eq!(of(".cosign.bundle"), Some(SignatureEnding::Bundle));
        for name in [
            ".sig",
            ".bundle",
            ".sigstore",
            ".sigstore.json",
            "sig",
            "x.json",
        ] {
            assert_eq!(of(name), None, "{name}");
        }
    }

    #[test]
    fn the_last_ending_with_something_behind_it_is_found() {
        let inside = |name: &'static str| Ending::inside(name.as_bytes());
        let split =
            |whole: &'static str, rest: &'static str| Some((whole.as_bytes(), rest.as_bytes()));
        assert_eq!(inside("a.zst.iso.1"), split("a.zst.iso", ".1"));
        assert_eq!(inside("a.iso.ZST (1)"), split("a.iso.ZST", " (1)"));
        assert_eq!(inside("a.iso.zst"), split("a.iso", ".zst"));
        assert_eq!(inside("a.zst"), None);
        assert_eq!(inside("zst"), None);
    }
}
