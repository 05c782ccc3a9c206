//! What keeps a run from starting, in words that say what to do.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::DEFAULT_KEY;
use crate::audit::baseline::BaselineError;
use crate::hints::path::PathHint;
use crate::text::escape;
use crate::text::os_error::words;
use crate::trust::key::KeyError;
use crate::trust::sniffed::{Role, Sniffed};

/// Why nothing can be verified.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// No key is named, and none lies where keys are looked for.
    #[error(
        "no public key: --key was not given, $PUBKEY is not set, and there is no {DEFAULT_KEY} in the current \
         directory; get the vendor's public key from a source that you trust, not with the files, and name it with --key FILE"
    )]
    NoKey,
    /// A key file cannot be read.
    #[error(
        "{}: cannot read the key: {}{}",
        shown(path),
        words(source),
        advice(path, source)
    )]
    KeyUnreadable {
        /// The key file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The text of a key in the place of a key file's path.
    #[error("what was given for the key is not a path: {}", PathHint::KeyText.advice())]
    KeyText,
    /// Something is wrong with the key that `$PUBKEY` names.
    #[error("{0} (the key is the one that $PUBKEY names)")]
    FromPubkey(Box<ConfigError>),
    /// A directory has a key under the name of what macOS keeps beside a file.
    #[error(
        "{}: a key under a name that macOS gives to metadata; if it is to be trusted, give it a name without the leading ._; \
         if not, take it out of the directory", shown(.0)
    )]
    HiddenKey(PathBuf),
    /// The default key is a directory, a FIFO, a socket or a device.
    #[error("{}: the key is not a regular file; give one with --key FILE", shown(.0))]
    KeyNotAFile(PathBuf),
    /// A key file holds something else.
    #[error("{}: {}", shown(path), bad_key(source, *looks))]
    BadKey {
        /// The key file.
        path: PathBuf,
        /// What it holds.
        source: KeyError,
        /// What that is, where it is known by the content alone.
        looks: Option<Sniffed>,
    },
    /// A key file is not the one that was pinned.
    #[error(
        "{name}: its fingerprint is {fingerprint}, which --key-fingerprint does not list; this is not the key that you expect"
    )]
    OtherFingerprint {
        /// The key file.
        name: String,
        /// The SHA-256 of its DER.
        fingerprint: String,
    },
    /// A directory has no key that was pinned.
    #[error("{}: no key in this directory has a fingerprint that --key-fingerprint names", shown(.0))]
    NoKeyWithFingerprint(PathBuf),
    /// A directory of keys has none.
    #[error("{}: no key in this directory; their names end in .pem, .pub or .der", shown(.0))]
    NoKeyInDirectory(PathBuf),
    /// A PATH cannot be looked at.
    #[error("{}: {}{}", shown(path), words(source), advice(path, source))]
    NoPath {
        /// The PATH.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// `--signature` without exactly one data file.
    #[error("--signature needs exactly one PATH: the data file that it signs")]
    NotOneFile,
    /// `--signature` with something that is no file.
    #[error("{}: the signature is neither a regular file nor a pipe", shown(.0))]
    SignatureNotAFile(PathBuf),
    /// `--signature` with a pipe that cannot be read.
    #[error("{}: cannot read the signature: {}", shown(path), words(source))]
    SignatureUnreadable {
        /// What was named.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// `--length` for something that is no block device.
    #[error("--length applies to block devices only, and {} is not one: a file is always hashed whole", shown(.0))]
    LengthOfFile(PathBuf),
    /// A block device that cannot be read.
    #[error("{}: cannot read the device: {}", shown(path), words(source))]
    DeviceUnreadable {
        /// The device.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A block device that is smaller than what is to be hashed of it.
    #[error(
        "{}: the device has {size} bytes, fewer than the {length} that {}", shown(path),
        if *is_asked { "--length names" } else { "its ISO 9660 volume descriptor names: the image was not written whole" }
    )]
    DeviceTooSmall {
        /// The device.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
        /// The bytes that are to be hashed.
        length: u64,
        /// Whether the user named them.
        is_asked: bool,
    },
    /// A block device of which nothing says how long the image on it is.
    #[error(
        "{}: the device has no valid ISO 9660 volume descriptor to give the image's size; give it with --length BYTES", shown(.0)
    )]
    NoLength(PathBuf),
    /// `--sha256` with a way that this processor does not know.
    #[error("--sha256 {name}: this processor knows {}", known.join(", "))]
    NoSuchHasher {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// `--report` with a name that says no format.
    #[error("--report {}: its name must end in .json, .xml (JUnit) or .html, which says what to write", shown(.0))]
    ReportFormat(PathBuf),
    /// `--report` with one name twice.
    #[error("--report {}: given twice", shown(.0))]
    SameReport(PathBuf),
    /// The baseline cannot be read.
    #[error("{}: cannot read the baseline: {}", shown(path), words(source))]
    BaselineUnreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The baseline is none, or none for this run.
    #[error("{}: {}", shown(path), escape::name(source.to_string().as_ref()))]
    BadBaseline {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: BaselineError,
    },
    /// A report in the place of the baseline.
    #[error("--report {}: this is the baseline; a report there would replace it", shown(.0))]
    ReportReplacesBaseline(PathBuf),
    /// A report in the place of a key.
    #[error("--report {}: this is a key of this run; a report there would replace it", shown(.0))]
    ReportReplacesKey(PathBuf),
    /// `--exclude` with something that no path can match.
    #[error(
        "--exclude {0:?} matches nothing: it is compared with the path below PATH, which does not begin with a slash"
    )]
    GlobMatchesNothing(String),
    /// `--exclude` with something that is no glob.
    #[error("--exclude {glob}: {source}")]
    BadGlob {
        /// What was given.
        glob: String,
        /// What is wrong with it.
        source: globset::Error,
    },
}

/// A path as messages show it.
pub(super) fn shown(path: &Path) -> String {
    escape::name(path.as_os_str())
}

/// What may be wrong with a path at which there is nothing.
fn advice(path: &Path, error: &io::Error) -> String {
    use io::ErrorKind::{InvalidFilename, NotADirectory, NotFound};
    let is_nothing = matches!(error.kind(), NotFound | NotADirectory | InvalidFilename);
    let looks = PathHint::of(path.as_os_str().as_bytes()).filter(|_| is_nothing);
    looks.map_or_else(String::new, |looks| format!("; {}", looks.advice()))
}

/// What a key file holds instead of a key, and what to do.
fn bad_key(error: &KeyError, looks: Option<Sniffed>) -> String {
    let Some(looks) = looks else {
        return error.to_string();
    };
    format!(
        "{}; an ECDSA P-256 public key is needed: {}",
        looks.is(),
        looks.remedy(Role::Key)
    )
}
