//! Platforms: how documents name them, and which of them the user asks for.

use std::fmt;

use super::descriptor::DescriptorError;
use crate::text::json::Object;

/// What BuildKit calls the platform of an attestation, which nothing runs on.
const NO_PLATFORM: &str = "unknown/unknown";

/// Size in bytes of the longest name that is read. The longest in use have about 20.
const MOST_BYTES: usize = 128;
/// Bytes of a name that one step pays for.
const BYTES_PER_STEP: usize = 16;

/// A platform that the user asks for, such as `linux/arm/v7`: operating system, architecture and
/// variant, spelled as containerd normalises them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// As given.
    text: Box<str>,
    parts: [String; 3],
}

impl Wanted {
    /// Reads `os/arch` or `os/arch/variant`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Wanted, String> {
        let is_word = |part: &str| {
            let is_of_word = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            !part.is_empty() && part.chars().all(is_of_word)
        };
        let parts: Vec<&str> = text.split('/').collect();
        if !(2..=3).contains(&parts.len()) || !parts.iter().all(|part| is_word(part)) {
            return Err(format!(
                "{text:?} is not a platform: one is written like linux/amd64 or linux/arm/v7"
            ));
        }
        Ok(Wanted {
            text: text.into(),
            parts: normalised(text),
        })
    }

    /// Reports whether this is the platform with a name from a document.
    pub(super) fn is(&self, name: &str) -> bool {
        self.parts == normalised(name)
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Returns the name of a platform from an object with `os`, `architecture` and `variant`; `None` if
/// it says neither of the first two.
pub(super) fn read(object: &Object) -> Result<Option<Box<str>>, DescriptorError> {
    let os = object.text("os")?.unwrap_or_default();
    let architecture = object.text("architecture")?.unwrap_or_default();
    let variant = object.text("variant")?.unwrap_or_default();
    if os.is_empty() && architecture.is_empty() {
        return Ok(None);
    }
    let mut name = format!("{os}/{architecture}");
    if !variant.is_empty() {
        name.push('/');
        name.push_str(variant);
    }
    if name.len() > MOST_BYTES {
        return Err(format!("a platform's name is longer than {MOST_BYTES} bytes").into());
    }
    Ok(Some(name.into()))
}

/// Returns how many steps a name costs wherever it is reported.
pub(super) fn steps(name: &str) -> usize {
    1 + name.len() / BYTES_PER_STEP
}

/// Reports whether an index marks a child with this platform as one that nothing runs on.
pub(super) fn is_none(name: &str) -> bool {
    name == NO_PLATFORM
}

/// Returns the three parts of a platform's name, with the names that mean the same made equal, as
/// containerd does.
fn normalised(name: &str) -> [String; 3] {
    let lower = name.to_ascii_lowercase();
    let mut parts = lower.splitn(3, '/');
    let mut part = || parts.next().unwrap_or_default();
    let (os, architecture, variant) = (part(), part(), part());
    let os = if os == "macos" { "darwin" } else { os };
    let (architecture, variant) = match (architecture, variant) {
        ("x86_64" | "x86-64" | "amd64", "" | "v1") => ("amd64", ""),
        ("x86_64" | "x86-64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", "" | "8" | "v8") => ("arm64", ""),
        ("aarch64", variant) => ("arm64", variant),
        ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
        ("armel", _) | ("arm", "6") => ("arm", "v6"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "8") => ("arm", "v8"),
        ("i386", _) => ("386", ""),
        both => both,
    };
    [os, architecture, variant].map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_platform_are_the_same() {
        for (wanted, name) in [
            ("linux/amd64", "linux/amd64"),
            ("linux/x86_64", "linux/amd64"),
            ("linux/arm64", "linux/arm64/v8"),
            ("linux/aarch64/v8", "linux/arm64"),
            ("linux/arm", "linux/arm/v7"),
            ("Linux/ARM/v7", "linux/arm/7"),
        ] {
            assert!(Wanted::parse(wanted).unwrap().is(name), "{wanted} {name}");
        }
    }

    #[test]
    fn another_variant_is_another_platform() {
        for (wanted, name) in [
            ("linux/amd64", "linux/amd64/v3"),
            ("linux/arm/v6", "linux/arm/v7"),
            ("linux/arm64", "linux/arm64/v9"),
            ("linux/amd64", "windows/amd64"),
            ("linux/amd64", "linux/amd64/v1/x"),
        ] {
            assert!(!Wanted::parse(wanted).unwrap().is(name), "{wanted} {name}");
        }
    }

    #[test]
    fn what_is_no_platform_is_refused_in_words() {
        for text in ["linux", "", "linux/", "/amd64", "a/b/c/d", "linux/amd 64"] {
            let words = format!(
                "{text:?} is not a platform: one is written like linux/amd64 or linux/arm/v7"
            );
            assert_eq!(Wanted::parse(text), Err(words));
        }
    }
}
