//! The formats of signature files: bytes and a name in, what the file holds out.
//!
//! Each format has a file of its own and a row in [`FORMATS`]. An envelope yields the bytes of a
//! signature, and what it says about them. What it says makes no signature valid: it can only keep
//! one from being so. A key or certificate in an envelope is compared, and never used as a key.

mod bare;
mod base64;
mod cosign;
mod opened;
mod sigstore;

use std::ffi::OsStr;

use crate::names::endings::SignatureEnding;
use crate::trust::format::{EnvelopeError, SignatureFormat};
use crate::trust::signature::{MAX_BYTES_OF_ANY, SNIFF_BYTES, SignatureError};
use crate::trust::verdict::Invalid;

pub use opened::Opened;

/// The most bytes of a bundle that are read. One with a certificate, a log entry and its proof
/// takes about 10 KiB.
const LONGEST_BUNDLE: usize = 64 * 1024;

/// A format of signature files. How a file is paired by its ending is in
/// [`SignatureEnding::rule`].
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// Its term in reports.
    pub name: SignatureFormat,
    /// The endings of the files that may have it.
    pub endings: &'static [SignatureEnding],
    /// The most bytes that a file of it has.
    pub longest: usize,
    /// Reports whether a content has this format rather than another.
    is: fn(&[u8]) -> bool,
    /// Opens a content of this format.
    open: fn(&[u8]) -> Result<Opened, EnvelopeError>,
}

/// The endings of bundles. The content shows what they hold, since programs have used each of them
/// for both forms.
const BUNDLES: &[SignatureEnding] = &[
    SignatureEnding::SigstoreJson,
    SignatureEnding::Sigstore,
    SignatureEnding::CosignBundle,
    SignatureEnding::Bundle,
];

/// Every format. Of those that a file may have, its content has the first that fits.
pub const FORMATS: [Format; 4] = [
    Format {
        name: SignatureFormat::CosignBundle,
        endings: BUNDLES,
        longest: LONGEST_BUNDLE,
        is: cosign::is,
        open: cosign::open,
    },
    Format {
        name: SignatureFormat::SigstoreBundle,
        endings: BUNDLES,
        longest: LONGEST_BUNDLE,
        is: is_signature,
        open: sigstore::open,
    },
    Format {
        name: SignatureFormat::Base64,
        endings: &[SignatureEnding::Sig],
        longest: base64::LONGEST,
        is: base64::is,
        open: base64::open,
    },
    Format {
        name: SignatureFormat::Bare,
        endings: &[SignatureEnding::SigBin, SignatureEnding::Sig],
        longest: MAX_BYTES_OF_ANY,
        is: |_| true,
        open: bare::open,
    },
];

/// The formats that a signature file may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// Those of an ending.
    Of(SignatureEnding),
    /// All: the user specified the file, regardless of its name.
    Any,
}

impl Admitted {
    /// Returns the formats of a file with this name; all if it has no ending of a signature.
    pub fn by_name(name: &OsStr) -> Admitted {
        SignatureEnding::of(name).map_or(Admitted::Any, Admitted::Of)
    }

    fn formats(self) -> impl Iterator<Item = &'static Format> {
        let is_admitted = move |format: &&Format| match self {
            Admitted::Of(ending) => format.endings.contains(&ending),
            Admitted::Any => true,
        };
        FORMATS.iter().filter(is_admitted)
    }

    /// Returns how many bytes of a file to read: enough to open it, or to see that it is too long
    /// and what it is instead.
    pub fn most_bytes(self) -> usize {
        let longest = self.formats().map(|format| format.longest).max();
        longest.map_or(0, |longest| longest + 1).max(SNIFF_BYTES)
    }
}

/// Opens a signature file of which these bytes were read, as many as [`Admitted::most_bytes`].
///
/// # Errors
/// [`SignatureError::Empty`]; [`SignatureError::NotDer`] for what has none of the formats; and the
/// errors of the format that it has.
pub fn open(content: &[u8], admitted: Admitted) -> Result<Opened, Invalid> {
    if content.is_empty() {
        return Err(SignatureError::Empty.into());
    }
    let format = admitted.formats().find(|format| (format.is)(content));
    let format = format.ok_or(SignatureError::NotDer)?;
    // The length of a bare signature depends on the key, so what reads it tells.
    let is_bare = format.name == SignatureFormat::Bare;
    if content.len() > format.longest && !is_bare {
        let longest = format.longest;
        return Err(EnvelopeError::TooLong { longest }.into());
    }
    Ok((format.open)(content)?)
}

/// Reports whether a content is a bundle of either form, whole or not.
pub fn is_signature(content: &[u8]) -> bool {
    // Fail closed: a damaged bundle is one, too.
    let names: [&[u8]; 2] = [b"dev.sigstore.bundle", b"\"base64Signature\""];
    let is_in = |name: &&[u8]| {
        let mut windows = content.windows(name.len());
        windows.any(|window| window.eq_ignore_ascii_case(name))
    };
    is_object(content) && names.iter().any(is_in)
}

/// Reports whether a content begins as a JSON object does.
fn is_object(content: &[u8]) -> bool {
    let text = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    text.trim_ascii_start().starts_with(b"{")
}

#[cfg(test)]
mod tests;
