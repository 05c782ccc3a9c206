//! Configuration errors: what keeps a run from starting, and what to do.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::DEFAULT_KEY;
use crate::audit::baseline::BaselineError;
use crate::content::IoMode;
use crate::earlier::resume::NotResumable;
use crate::hints::path::PathHint;
use crate::module::NotValidated;
use crate::report::remedy::{Role, for_content};
use crate::report::sign::SignerError;
use crate::text::escape;
use crate::text::os_error::words;
use crate::trust::key::{KeyError, OwnDigest};
use crate::trust::sniffed::Sniffed;

/// Why nothing can be verified.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// No key is given, and none exists in the default places.
    #[error(
        "no public key: --key was not given, $PUBKEY is not set, and there is no {DEFAULT_KEY} in the current \
         directory"
    )]
    NoKey,
    /// A key file cannot be read.
    #[error("{}: cannot read the key: {}", shown(path), words(source))]
    KeyUnreadable {
        /// The key file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A key's text was given instead of a key file's path.
    #[error("what was given for the key is not a path")]
    KeyText,
    /// The key from `$PUBKEY` is bad.
    #[error("{0} (the key is the one that $PUBKEY names)")]
    FromPubkey(Box<ConfigError>),
    /// A directory has a key under a name that macOS gives to metadata.
    #[error("{}: a key under a name that macOS gives to metadata", shown(.0))]
    HiddenKey(PathBuf),
    /// The default key is a directory, a FIFO, a socket or a device.
    #[error("{}: the key is not a regular file", shown(.0))]
    KeyNotAFile(PathBuf),
    /// A key file contains something else.
    #[error("{}: {}", shown(path), bad_key(source, *sniffed))]
    BadKey {
        /// The key file.
        path: PathBuf,
        /// What is wrong with its content.
        source: KeyError,
        /// What the content is, if it can be identified by itself.
        sniffed: Option<Sniffed>,
    },
    /// A key file has another fingerprint than the pinned ones.
    #[error("{name}: its fingerprint is {fingerprint}, which --key-fingerprint does not list")]
    OtherFingerprint {
        /// The key file.
        name: String,
        /// The SHA-256 of its DER.
        fingerprint: String,
    },
    /// `--digest` for a file that is no trusted key.
    #[error("--digest: {} is not one of the trusted keys", shown(.0))]
    DigestOfNoKey(PathBuf),
    /// `--digest` for a key that settles its hash.
    #[error("--digest: {name}: {source}")]
    OwnDigest {
        /// The key file.
        name: String,
        /// The reason.
        source: OwnDigest,
    },
    /// `--digest` where all keys settle their hashes.
    #[error("--digest: every trusted key has a hash of its own")]
    DigestOfNothing,
    /// `--digest` with two hashes for all keys.
    #[error("--digest: given twice, with different hashes")]
    DigestTwice,
    /// Two hashes for one key.
    #[error("--digest: {}: two different hashes for one key", shown(.0))]
    TwoDigests(PathBuf),
    /// A directory has no pinned key.
    #[error("{}: no key in this directory has a fingerprint that --key-fingerprint names", shown(.0))]
    NoKeyWithFingerprint(PathBuf),
    /// A directory of keys contains none.
    #[error("{}: no key in this directory", shown(.0))]
    NoKeyInDirectory(PathBuf),
    /// A prefix of `--signed-registry` that no image name begins with.
    #[error("--signed-registry {prefix}: {why}")]
    BadRegistry {
        /// The prefix.
        prefix: String,
        /// What is wrong with it.
        why: String,
    },
    /// A value of `--platform` that is no platform.
    #[error("--platform {platform}: {why}")]
    BadPlatform {
        /// The value.
        platform: String,
        /// What is wrong with it.
        why: String,
    },
    /// Something named by `--image-signatures` cannot be read.
    #[error("{}: cannot read the image signatures: {}", shown(path), words(source))]
    ImageSignaturesUnreadable {
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Nothing named by `--image-signatures` is a signature.
    #[error("{}: not an image signature, manifest or index", shown(.0))]
    NoImageSignatures(PathBuf),
    /// A PATH cannot be examined.
    #[error("{}: {}", shown(path), words(source))]
    NoPath {
        /// The PATH.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// `--note` in a run that has no report.
    #[error("--note: there is no report for it; add --report FILE or --format jsonl")]
    NoteNowhere,
    /// `-` without `--signature`.
    #[error("-: standard input is verified against one signature, and --signature is not given")]
    StdinWithoutSignature,
    /// Standard input cannot be examined.
    #[error("-: cannot read standard input: {}", words(.0))]
    StdinUnreadable(io::Error),
    /// Standard input is a terminal.
    #[error("-: standard input is a terminal")]
    StdinTerminal,
    /// Standard input is a directory.
    #[error("-: standard input is a directory")]
    StdinDirectory,
    /// Standard input is a block device.
    #[error("-: standard input is a block device")]
    StdinDevice,
    /// Standard input is closed, or a character device.
    #[error("-: standard input is closed, or a device such as /dev/null")]
    StdinNothing,
    /// Standard input was also named as something else.
    #[error("{}: this is standard input, which is to be verified", shown(.0))]
    StdinTwice(PathBuf),
    /// `-` with `--io mmap` or `--io direct`.
    #[error("--io {} does not apply to standard input", .0.name())]
    StdinRead(IoMode),
    /// `-` with `--baseline`.
    #[error("--baseline compares files by their paths, and standard input has none")]
    StdinCompared,
    /// `-` with a report that names files.
    #[error("--report {}: it names files, and standard input has no name", shown(.0))]
    StdinListed(PathBuf),
    /// `--image-key` with a key that verifies no image.
    #[error(
        "--image-key {}: the signatures of images are verified by ECDSA P-256 keys, and this one is {algorithm}",
        shown(path)
    )]
    ImageKeyAlgorithm {
        /// The key's file.
        path: PathBuf,
        /// The term of its algorithm.
        algorithm: String,
    },
    /// `--list` with a directory.
    #[error("{}: --list names a checksum list, and this is a directory", shown(.0))]
    ListIsDirectory(PathBuf),
    /// `--list` with a signature file.
    #[error("{}: --list names a checksum list, and this is a signature file", shown(.0))]
    ListIsSignature(PathBuf),
    /// `--signature` without exactly one data file.
    #[error("--signature needs exactly one PATH: the data file that it signs")]
    NotOneFile,
    /// `--signature` with something that is neither a file nor a pipe.
    #[error("{}: the signature is neither a regular file nor a pipe", shown(.0))]
    SignatureNotAFile(PathBuf),
    /// `--signature` with a pipe that cannot be read.
    #[error("{}: cannot read the signature: {}", shown(path), words(source))]
    SignatureUnreadable {
        /// The given path.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// `--length` for something other than a block device.
    #[error("--length applies to block devices only, and {} is not one", shown(.0))]
    LengthOfFile(PathBuf),
    /// A block device that cannot be read.
    #[error("{}: cannot read the device: {}", shown(path), words(source))]
    DeviceUnreadable {
        /// The device.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A block device that is smaller than the extent to hash.
    #[error(
        "{}: the device has {size} bytes, fewer than the {length} that {}", shown(path),
        if *is_asked { "--length names" } else { "its ISO 9660 volume descriptor names: the image was not written whole" }
    )]
    DeviceTooSmall {
        /// The device.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
        /// Number of bytes to hash.
        length: u64,
        /// Whether the user gave that number.
        is_asked: bool,
    },
    /// A block device with an image of unknown length.
    #[error("{}: the device has no valid ISO 9660 volume descriptor to give the image's size", shown(.0))]
    NoLength(PathBuf),
    /// `--sha256` with an implementation that this processor does not support.
    #[error("--sha256 {name}: this processor knows {}", known.join(", "))]
    NoSuchHasher {
        /// The requested name.
        name: String,
        /// The supported names.
        known: Vec<&'static str>,
    },
    /// `--report` with a name that implies no format.
    #[error("--report {}: the name does not say which format to write", shown(.0))]
    ReportFormat(PathBuf),
    /// A report among the signatures of images.
    #[error("--report {}: this is where --image-signatures reads; a report there could replace a signature", shown(.0))]
    ReportReplacesEvidence(PathBuf),
    /// `--report` twice with one name.
    #[error("--report {}: given twice", shown(.0))]
    SameReport(PathBuf),
    /// `--sign-report` without a report that can be signed.
    #[error("--sign-report: no report that can be signed is asked for")]
    NothingToSign,
    /// The key of `--sign-report` is inside the verified tree.
    #[error("--sign-report {}: this key is inside the tree that is verified, where others can read it or replace it", shown(.0))]
    SigningKeyInside(PathBuf),
    /// `--report` with a format that has no comparisons.
    #[error("--report {}: a comparison is written as .json, .xml (JUnit) or .html, and not in this format", shown(.0))]
    NoComparison(PathBuf),
    /// A report would replace one that is compared.
    #[error("--report {}: this is one of the reports to compare; a report there would replace it", shown(.0))]
    ReportReplacesCompared(PathBuf),
    /// The key of `--sign-report` cannot be read.
    #[error(
        "--sign-report {}: cannot read the key: {}",
        shown(path),
        words(source)
    )]
    SigningKeyUnreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A report to compare cannot be read.
    #[error("{}: cannot read the report: {}", shown(path), words(source))]
    ReportUnreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The key of `--sign-report` is not one.
    #[error("--sign-report {}: {source}", shown(path))]
    BadSigningKey {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        source: SignerError,
    },
    /// The baseline cannot be read.
    #[error("{}: cannot read the baseline: {}", shown(path), words(source))]
    BaselineUnreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The baseline is not a baseline, or not one for this run.
    #[error("{}: {}", shown(path), escape::name(source.to_string().as_ref()))]
    BadBaseline {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: BaselineError,
    },
    /// The baseline has images, and this run is not to judge any.
    #[error("{}: this baseline lists images, and this run does not judge any", shown(.0))]
    BaselineHasImages(PathBuf),
    /// A report would replace the baseline.
    #[error("--report {}: this is the baseline; a report there would replace it", shown(.0))]
    ReportReplacesBaseline(PathBuf),
    /// The ledger is inside the verified tree.
    #[error("--ledger {}: this ledger is inside the tree that is verified, where those who can change the artifacts can change it too", shown(.0))]
    LedgerInside(PathBuf),
    /// The ledger would replace another file of the run.
    #[error("--ledger {}: this is another file of this run; the ledger would replace it", shown(.0))]
    LedgerReplaces(PathBuf),
    /// The report to resume from is inside the verified tree.
    #[error("--resume {}: this report is inside the tree that is verified, where those who can change the artifacts can change it too", shown(.0))]
    ResumedInside(PathBuf),
    /// The report is not one that a run is resumed from.
    #[error("--resume {}: {}", shown(path), escape::name(source.to_string().as_ref()))]
    NotResumable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: NotResumable,
    },
    /// A report would replace a key.
    #[error("--report {}: this is a key of this run; a report there would replace it", shown(.0))]
    ReportReplacesKey(PathBuf),
    /// `-` with `--ledger` or `--resume`.
    #[error("--ledger and --resume: standard input cannot be found again by a later run")]
    StdinLater,
    /// `--max-age` without anything that has an age.
    #[error("--max-age: it is for what --ledger or --resume knows, and neither is given")]
    AgeOfNothing,
    /// No validated module does the cryptography.
    #[error("{0}")]
    NotValidated(NotValidated),
    /// `--within` without `--merge`.
    #[error("--within: it is for --merge, and there is nothing to merge")]
    WithinNothing,
    /// A directory of reports to merge has none.
    #[error("{}: no report in this directory", shown(.0))]
    NoReportInDirectory(PathBuf),
    /// A report would replace one that is merged, or the baseline.
    #[error("--report {}: this is one of the reports to merge, or their baseline; a report there would replace it", shown(.0))]
    ReportReplacesMerged(PathBuf),
    /// `--shard` without a report that can be merged.
    #[error("--shard: a shard's verdict counts only in a merge, and there is no report to merge")]
    ShardUnreported,
    /// `--shard` with a report that would look like that of a whole mirror.
    #[error("--report {}: of one shard, such a report would look like that of the whole mirror", shown(.0))]
    ShardOfWhole(PathBuf),
    /// `--exclude` with a glob that no path can match.
    #[error(
        "--exclude {0:?} matches nothing: it is compared with the path below PATH, which does not begin with a slash"
    )]
    GlobMatchesNothing(String),
    /// `--exclude` with an invalid glob.
    #[error("--exclude {glob}: {source}")]
    BadGlob {
        /// The given glob.
        glob: String,
        /// The reason.
        source: globset::Error,
    },
}

/// Returns a path as messages show it.
pub(super) fn shown(path: &Path) -> String {
    escape::name(path.as_os_str())
}

impl ConfigError {
    /// Returns what to do, if the problem does not say it already.
    pub fn help(&self) -> Option<String> {
        let help = match self {
            ConfigError::KeyUnreadable { path, source } => {
                return advice(path, source).or_else(|| missing_key(source));
            }
            ConfigError::NoPath { path, source } => {
                let word = || command_word(path).or_else(|| missing_path(source));
                return advice(path, source).or_else(word);
            }
            ConfigError::FromPubkey(error) => return error.help(),
            ConfigError::BadKey {
                source, sniffed, ..
            } => return usable_key(source, *sniffed).map(str::to_owned),
            ConfigError::NoKey => {
                "get the vendor's public key from a source that you trust, not with the files, and name it with --key FILE"
            }
            ConfigError::NotValidated(NotValidated::NotBuilt) => {
                "use verify-signatures-fips, the same command with such a module, which is built with the feature `fips`"
            }
            ConfigError::NotValidated(NotValidated::NotInMode | NotValidated::SelfTest) => {
                "nothing was verified: build or install the program again, or use another machine"
            }
            ConfigError::KeyText => PathHint::KeyText.advice(),
            ConfigError::HiddenKey(_) => {
                "if it is to be trusted, give it a name without the leading ._; if not, take it out of the directory"
            }
            ConfigError::KeyNotAFile(_) => "give one with --key FILE",
            ConfigError::OtherFingerprint { .. } => {
                "this is not the key that you expect: get the vendor's again, from a source that you trust"
            }
            ConfigError::DigestOfNoKey(_) => "name a file that --key names, by the same path",
            ConfigError::OwnDigest { .. } | ConfigError::DigestOfNothing => {
                "leave it out: P-256 keys sign SHA-256, Ed25519 has its hash inside, and RSA-PSS keys may name one"
            }
            ConfigError::DigestTwice => "give the one hash, or one for each key: HASH=FILE",
            ConfigError::TwoDigests(_) => "give each key one hash",
            ConfigError::NoKeyWithFingerprint(_) => {
                "compare the fingerprint with the vendor's, and put the vendor's key there"
            }
            ConfigError::NoReportInDirectory(_) => {
                "the names of the shards' reports end in .json or .jsonl"
            }
            ConfigError::NoKeyInDirectory(_) => "the names of keys end in .pem, .pub or .der",
            ConfigError::NoImageSignatures(_) => {
                "save the output of `cosign download signature` and `crane manifest`"
            }
            ConfigError::StdinWithoutSignature => {
                "add --signature FILE; a file or a directory that is called - is ./-"
            }
            ConfigError::StdinTerminal | ConfigError::StdinNothing => {
                "pipe the file into this command, or name it"
            }
            ConfigError::StdinDirectory => "name the directory, and leave --signature out",
            ConfigError::StdinDevice => "name the device, so that its length is known",
            ConfigError::StdinTwice(_) => "name a file, or a pipe of its own: <(COMMAND)",
            ConfigError::StdinRead(_) => "leave --io out",
            ConfigError::StdinCompared => "leave it out",
            ConfigError::StdinListed(_) => {
                "write another report, such as .json, or verify the file by its name"
            }
            ConfigError::ImageKeyAlgorithm { .. } => "name the vendor's P-256 key for images",
            ConfigError::ListIsSignature(_) => "name the list that it signs",
            ConfigError::ListIsDirectory(_) => {
                "name the list itself, such as SHA256SUMS; lists inside a PATH are found by their names"
            }
            ConfigError::NotOneFile => "leave --signature out to verify directories",
            ConfigError::LengthOfFile(_) => "leave it out: a file is always hashed whole",
            ConfigError::DeviceTooSmall { .. } => "write the image again, and compare the sizes",
            ConfigError::NoLength(_) => "give the size with --length BYTES",
            ConfigError::BaselineHasImages(_) => "add --images to compare them",
            ConfigError::ReportFormat(_) => {
                "end it in .json, .xml (JUnit), .html, .csv, .prom (Prometheus), .intoto.jsonl or .oscal.json, or call it SHA256SUMS"
            }
            ConfigError::ShardUnreported => {
                "add --report FILE.json, or print everything with --format jsonl"
            }
            ConfigError::ShardOfWhole(_) => "write it when the shards are merged, with --merge",
            ConfigError::NothingToSign => "add --report FILE.intoto.jsonl or --report SHA256SUMS",
            ConfigError::SigningKeyInside(_)
            | ConfigError::LedgerInside(_)
            | ConfigError::ResumedInside(_) => "keep it elsewhere",
            ConfigError::NotResumable { .. } => {
                "leave --resume out to verify everything, or use --ledger with --max-age"
            }
            ConfigError::LedgerReplaces(_)
            | ConfigError::ReportReplacesBaseline(_)
            | ConfigError::ReportReplacesKey(_)
            | ConfigError::ReportReplacesCompared(_)
            | ConfigError::ReportReplacesMerged(_)
            | ConfigError::ReportReplacesEvidence(_) => "name another file",
            _ => return None,
        };
        Some(help.to_owned())
    }
}

/// Returns advice on a path where nothing exists.
fn advice(path: &Path, error: &io::Error) -> Option<String> {
    let hint = PathHint::of(path.as_os_str().as_bytes()).filter(|_| is_nothing(error));
    hint.map(|hint| hint.advice().to_owned())
}

fn missing_key(error: &io::Error) -> Option<String> {
    is_nothing(error).then(|| {
        "check the path, or leave --key out to use $PUBKEY or ./spectro_public_key.pem".to_owned()
    })
}

fn missing_path(error: &io::Error) -> Option<String> {
    is_nothing(error).then(|| "check the path, and that its file system is mounted".to_owned())
}

fn is_nothing(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | InvalidFilename)
}

/// Returns what to type instead of a command of other programs, for a PATH where nothing exists.
fn command_word(path: &Path) -> Option<String> {
    let option = match path.to_str()? {
        "help" => "for help, type verify-signatures --help",
        "version" => "for the version, type verify-signatures --version",
        "verify" | "check" | "run" => "verifying is all that it does: name the directory",
        "completion" | "completions" | "man" => "for these, type verify-signatures --generate WHAT",
        _ => return None,
    };
    Some(format!("there are no commands, only PATHs; {option}"))
}

/// Describes what a key file contains instead of a key.
fn bad_key(error: &KeyError, sniffed: Option<Sniffed>) -> String {
    sniffed.map_or_else(
        || error.to_string(),
        |sniffed| {
            format!(
                "{}; a public key is needed: ECDSA, RSA or Ed25519",
                sniffed.is()
            )
        },
    )
}

/// Returns how to get the needed key from the given one, if there is a way.
fn usable_key(error: &KeyError, sniffed: Option<Sniffed>) -> Option<&'static str> {
    if let Some(sniffed) = sniffed {
        return Some(for_content(sniffed, Role::Key));
    }
    match error {
        KeyError::PrivateKey => Some("`openssl pkey -in FILE -pubout` prints the public key"),
        KeyError::Certificate => Some("`openssl x509 -in FILE -noout -pubkey` prints it"),
        KeyError::OtherForm => {
            Some("`openssl ec -pubin -in FILE -conv_form uncompressed` may be able to write it so")
        }
        KeyError::Several(_) => Some("give each key a file of its own and name each with --key"),
        KeyError::Pkcs1 => Some(
            "`openssl rsa -RSAPublicKey_in -in FILE -pubout` prints that; add -inform DER if it is not PEM",
        ),
        KeyError::NotInModule(_) => {
            Some("verify what it signed with verify-signatures, a build without that module")
        }
        KeyError::OpenSsh => Some("`ssh-keygen -e -m PKCS8 -f FILE` prints that"),
        KeyError::Empty
        | KeyError::TooLong
        | KeyError::Rsa { .. }
        | KeyError::OtherCurve(_)
        | KeyError::ExplicitCurve
        | KeyError::OtherAlgorithm(_)
        | KeyError::NotOnCurve(_)
        | KeyError::BadRsa
        | KeyError::Parameters(_)
        | KeyError::OtherHash(_)
        | KeyError::OtherBlock(_)
        | KeyError::DamagedPem
        | KeyError::NotAKey => None,
    }
}
