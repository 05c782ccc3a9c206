//! Endings of names, which make a file an artifact or a signature. FAT and old tools write endings
//! in capitals, so the case of their ASCII letters is ignored. Everything before an ending is
//! compared as bytes.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Ending of a signature file's name.
const SIGNATURE: &[u8] = b".sig.bin";

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

/// Returns the stem of a signature file's name; `None` for any other name.
pub fn strip_signature(name: &[u8]) -> Option<&[u8]> {
    strip(name, SIGNATURE)
}

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
        assert_eq!(strip_signature(b"x.Tar.SIG.bin"), Some(&b"x.Tar"[..]));
        assert_eq!(strip_signature(b"sig.bin"), None);
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
