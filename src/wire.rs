//! The objects of the JSON reports as plain data: one definition for writing and reading.
//!
//! `docs/report.schema.json` specifies them (JSON Schema, draft 2020-12), and
//! [`report::json`](crate::report::json) describes them. A reader also accepts reports of this
//! schema from older versions of the program, so members that were added later may be missing.

pub mod audited;
pub mod resumed;

use std::borrow::Cow;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// Version of the objects, raised whenever a consumer could misunderstand the new ones.
pub const SCHEMA: u64 = 5;

/// The versions that a reader accepts: the first one had no images, the second did not account for
/// what was not checked, and the third had no shards and nothing that was verified earlier.
pub const READ: std::ops::RangeInclusive<u64> = 1..=SCHEMA;

/// A text: borrowed for writing, owned after reading.
type Text<'a> = Cow<'a, str>;

/// The type of the object in a line of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// [`Start`].
    Start,
    /// [`Artifact`].
    Artifact,
    /// [`Artifact`] with an [`Image`].
    Image,
    /// [`Artifact`]: its contents as a whole.
    Contents,
    /// [`Summary`].
    Summary,
    /// [`Comparison`].
    Comparison,
}

/// A path as an object, or as a member called `path`: text, or the base64 (RFC 4648, section 4) of
/// bytes that are not UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathMember<'a> {
    /// The path, if it is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Text<'a>>,
    /// The base64 of its bytes, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_base64: Option<Text<'a>>,
}

/// The path of a signature file as a member called `signature`; absent if there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureMember<'a> {
    /// The path, if it is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Text<'a>>,
    /// The base64 of its bytes, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_base64: Option<Text<'a>>,
}

impl<'a> PathMember<'a> {
    /// Returns the member for a path.
    pub fn of(path: &'a Path) -> PathMember<'a> {
        match path.to_str() {
            Some(text) => PathMember {
                path: Some(text.into()),
                path_base64: None,
            },
            None => PathMember::of_bytes(path.as_os_str().as_bytes().to_vec()),
        }
    }

    /// Returns the member for the bytes of a path.
    pub fn of_bytes(bytes: Vec<u8>) -> PathMember<'a> {
        match String::from_utf8(bytes) {
            Ok(text) => PathMember {
                path: Some(text.into()),
                path_base64: None,
            },
            Err(error) => PathMember {
                path: None,
                path_base64: Some(STANDARD.encode(error.as_bytes()).into()),
            },
        }
    }

    /// Returns the path; `None` if it is absent, present in both forms, or invalid base64.
    pub fn decode(&self) -> Option<PathBuf> {
        decode(self.path.as_deref(), self.path_base64.as_deref())
    }
}

impl<'a> From<PathMember<'a>> for SignatureMember<'a> {
    fn from(member: PathMember<'a>) -> SignatureMember<'a> {
        SignatureMember {
            signature: member.path,
            signature_base64: member.path_base64,
        }
    }
}

impl SignatureMember<'_> {
    /// Returns the path; `None` if it is absent, present in both forms, or invalid base64.
    pub fn decode(&self) -> Option<PathBuf> {
        decode(self.signature.as_deref(), self.signature_base64.as_deref())
    }
}

fn decode(text: Option<&str>, base64: Option<&str>) -> Option<PathBuf> {
    match (text, base64) {
        (Some(path), None) => Some(path.into()),
        (None, Some(text)) => Some(OsString::from_vec(STANDARD.decode(text).ok()?).into()),
        // Fail closed: of two paths, either could be the right one.
        _ => None,
    }
}

/// A whole run as one document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "A: Deserialize<'de>, N: Default + Deserialize<'de>"))]
pub struct Document<'a, A = Vec<Artifact<'a>>, N = Vec<Note<'a>>> {
    /// [`SCHEMA`].
    pub schema: u64,
    /// Its beginning.
    pub start: Start<'a>,
    /// Its artifacts, in the order of the lines.
    pub artifacts: A,
    /// Its end.
    pub summary: Summary<'a, N>,
}

/// The beginning of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start<'a> {
    /// [`Type::Start`].
    #[serde(default = "start")]
    pub r#type: Type,
    /// [`SCHEMA`].
    #[serde(default)]
    pub schema: u64,
    /// The run's identifier, a UUID.
    #[serde(default)]
    pub id: Text<'a>,
    /// What the user has to say on the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text<'a>>,
    /// The version of the program.
    #[serde(default)]
    pub version: Text<'a>,
    /// The commit that it was built from, if its builder named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Text<'a>>,
    /// The validated module that did the cryptography; `null` if there was none in its build. Programs
    /// from before there were any say nothing of it.
    #[serde(default)]
    pub module: Option<Module<'a>>,
    /// The SHA-256 of its executable, in hexadecimal digits, if it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executable_sha256: Option<Text<'a>>,
    /// The command line, as a shell reads it.
    #[serde(default)]
    pub command: Text<'a>,
    /// The user.
    #[serde(default)]
    pub user: User<'a>,
    /// The operating system.
    #[serde(default)]
    pub system: Text<'a>,
    /// Start time (RFC 3339, UTC).
    pub time: Text<'a>,
    /// The name of the machine.
    #[serde(default)]
    pub host: Text<'a>,
    /// The trusted keys.
    #[serde(default)]
    pub keys: Vec<Key<'a>>,
    /// The working directory, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathMember<'a>>,
    /// The PATHs as given.
    pub roots: Vec<PathMember<'a>>,
    /// The other options.
    #[serde(default)]
    pub options: Options<'a>,
    /// Which part of the mirror was verified, if it was divided among machines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard<'a>>,
    /// The runs over the shards of which this report is a merge.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shards: Vec<ShardRun<'a>>,
}

fn start() -> Type {
    Type::Start
}

/// A cryptographic module that was validated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module<'a> {
    /// Its name.
    pub name: Text<'a>,
    /// Its version.
    pub version: Text<'a>,
    /// The certificate, and what it was issued for.
    pub certificate: Text<'a>,
}

/// A part of a divided mirror.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard<'a> {
    /// Its number, from 1.
    pub index: u32,
    /// The number of shards.
    pub count: u32,
    /// How the mirror was divided: `by-size`.
    pub divided: Text<'a>,
    /// The whole mirror, as this machine saw it.
    pub survey: Share<'a>,
    /// What this shard was to verify.
    pub share: Share<'a>,
    /// The SHA-256 of all shares, in hexadecimal digits.
    pub division_sha256: Text<'a>,
}

/// An amount of work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share<'a> {
    /// Number of signatures, and of artifacts and directories that have none.
    pub artifacts: u64,
    /// Their sizes in bytes, counting each file once.
    pub bytes: u64,
    /// The SHA-256 of what it consists of, in hexadecimal digits.
    pub sha256: Text<'a>,
}

/// A run over one shard, as a merge names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardRun<'a> {
    /// The shard's number, from 1.
    pub index: u32,
    /// Its report.
    pub report: PathMember<'a>,
    /// The SHA-256 of that, in hexadecimal digits.
    pub sha256: Text<'a>,
    /// The identifier of its run.
    pub id: Text<'a>,
    /// The name of its machine.
    pub host: Text<'a>,
    /// The working directory there, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathMember<'a>>,
    /// The PATHs as they were given there.
    pub roots: Vec<PathMember<'a>>,
    /// When it began (RFC 3339, UTC).
    pub time: Text<'a>,
    /// How long it took, in seconds.
    pub seconds: u64,
    /// Number of its artifacts and images.
    pub records: u64,
    /// Number of those that did not pass.
    pub failures: u64,
    /// The exit status of its run.
    pub exit_status: u8,
}

/// The user of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct User<'a> {
    /// The number of the account with whose rights it ran.
    pub id: u32,
    /// Its name, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Text<'a>>,
    /// The number of the account that logged in, if that is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_id: Option<u32>,
    /// Its name, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_name: Option<Text<'a>>,
}

/// A trusted key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key<'a> {
    /// The name of its file.
    pub name: Text<'a>,
    /// The SHA-256 of its DER, in hexadecimal digits.
    pub fingerprint: Text<'a>,
    /// The term of its algorithm. Reports that do not say it are of P-256 keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<Text<'a>>,
    /// The hash that its signatures are over; absent if that is part of its algorithm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Text<'a>>,
    /// Whether it was named by its fingerprint.
    #[serde(default)]
    pub pinned: bool,
    /// Whether its file lay inside the verified tree.
    #[serde(default)]
    pub inside_tree: bool,
}

/// The options of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options<'a> {
    /// The signature file named for a single artifact.
    #[serde(flatten)]
    pub signature: SignatureMember<'a>,
    /// Maximum depth of the walk; absent if unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_depth: Option<usize>,
    /// Whether linked directories were entered.
    pub follow_links: bool,
    /// The excluded patterns.
    pub exclude: Vec<Text<'a>>,
    /// The only fingerprints that keys were allowed to have.
    pub key_fingerprints: Vec<Text<'a>>,
    /// Whether a missing signature was accepted.
    pub allow_unsigned: bool,
    /// Whether every regular file needed a signature.
    pub all_files: bool,
    /// The checksum lists that were named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<PathMember<'a>>,
    /// Whether the first failure was to end the run.
    #[serde(default)]
    pub fail_fast: bool,
    /// Whether the images in artifacts were judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<ImageOptions<'a>>,
    /// The report that the run was audited against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<PathMember<'a>>,
    /// The time after which no artifact was begun, such as `6h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_after: Option<Text<'a>>,
    /// The ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<PathMember<'a>>,
    /// How old a verdict of the ledger could be to do instead of reading, such as `30days`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Text<'a>>,
    /// The report of the run that was resumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<PathMember<'a>>,
    /// How files were read.
    pub io: Text<'a>,
    /// Worker threads.
    pub threads: usize,
    /// The SHA-256 implementation.
    pub sha256: Text<'a>,
}

/// How images were judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageOptions<'a> {
    /// The keys that they may be signed with.
    pub keys: Vec<Key<'a>>,
    /// Files and directories with signatures of images.
    pub signatures: Vec<PathMember<'a>>,
    /// Prefixes of the names of images that must be signed.
    pub signed_registries: Vec<Text<'a>>,
    /// Platforms that each image must be here for.
    pub platforms: Vec<Text<'a>>,
    /// The largest window of a zstd frame in bytes.
    pub max_window: u64,
    /// The number of bytes that are unpacked of one bundle; absent if unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_unpacked: Option<u64>,
}

/// An image inside an artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image<'a> {
    /// The name on its label; absent if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Text<'a>>,
    /// The digest of its index or manifest: `sha256:` and hexadecimal digits.
    pub id: Text<'a>,
    /// Its platforms.
    #[serde(default)]
    pub platforms: Vec<Platform<'a>>,
    /// The blobs that it consists of, if they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blobs: Vec<Blob<'a>>,
}

/// A platform of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform<'a> {
    /// Operating system, architecture and variant.
    pub name: Text<'a>,
    /// Whether its content is there, all of it.
    pub whole: bool,
}

/// A blob of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob<'a> {
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: Text<'a>,
    /// Its size in bytes.
    pub size: u64,
}

/// What the file system said of a file when it was hashed, and when that was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamps<'a> {
    /// The number of its device (`st_dev`).
    pub device: u64,
    /// Its inode number (`st_ino`).
    pub inode: u64,
    /// Its size in bytes.
    pub size: u64,
    /// When its content was last modified: seconds since 1970 with nine decimals (`stat -c %.9Y`).
    pub modified: Text<'a>,
    /// When its inode was last changed, in the same form (`stat -c %.9Z`).
    pub changed: Text<'a>,
    /// When hashing began (RFC 3339, UTC).
    pub read: Text<'a>,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Artifact<'a> {
    /// [`Type::Artifact`].
    #[serde(default = "artifact")]
    pub r#type: Type,
    /// Its path, or the expected one, if it is UTF-8. See [`PathMember`]: its members stand here
    /// themselves, since a million of them are read in a third of the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Text<'a>>,
    /// The base64 of its bytes, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_base64: Option<Text<'a>>,
    /// The image in it that the record is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image<'a>>,
    /// A term of [`Status`](crate::trust::terms::Status).
    pub status: Text<'a>,
    /// Whether it may be used.
    #[serde(default)]
    pub passes: bool,
    /// What its line says after the path.
    #[serde(default)]
    pub line: Text<'a>,
    /// A term of [`Reason`](crate::trust::terms::Reason).
    pub reason: Text<'a>,
    /// The reason as text.
    #[serde(default)]
    pub detail: Text<'a>,
    /// The remedy, if it does not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<Text<'a>>,
    /// Its size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Its SHA-256, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Text<'a>>,
    /// Its signature file, if there is one and its path is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Text<'a>>,
    /// The base64 of its path, if that is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_base64: Option<Text<'a>>,
    /// The signature file as it was read, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_file: Option<SignatureFile<'a>>,
    /// The archive that holds the image, if that has no object of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<Content<'a>>,
    /// What the file system said of it, if it is one file that was hashed and did not change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamps: Option<Stamps<'a>>,
    /// The fingerprint of the key that verified it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Text<'a>>,
    /// The files that it was split into, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PathMember<'a>>,
    /// The link's target, if the signature is the target's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<PathMember<'a>>,
    /// The kind of its content: a hint, a term of [`Sniffed`](crate::trust::sniffed::Sniffed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks: Option<Text<'a>>,
    /// Another name of the same file, under which it was read once for both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_as: Option<PathMember<'a>>,
    /// Seconds from opening it to its verdict.
    #[serde(default)]
    pub seconds: f64,
}

fn artifact() -> Type {
    Type::Artifact
}

impl Artifact<'_> {
    /// Returns its path, or the expected one.
    pub fn path(&self) -> PathMember<'_> {
        PathMember {
            path: self.path.as_deref().map(Into::into),
            path_base64: self.path_base64.as_deref().map(Into::into),
        }
    }

    /// Returns its signature file.
    pub fn signature(&self) -> SignatureMember<'_> {
        SignatureMember {
            signature: self.signature.as_deref().map(Into::into),
            signature_base64: self.signature_base64.as_deref().map(Into::into),
        }
    }
}

/// A signature file as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureFile<'a> {
    /// Its SHA-256, in hexadecimal digits, unless it was too long to be read to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Text<'a>>,
    /// Its size in bytes.
    pub size: u64,
    /// When its content was last modified (RFC 3339, UTC), if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<Text<'a>>,
    /// Its format, if a signature was found in it: a term of
    /// [`SignatureFormat`](crate::trust::format::SignatureFormat).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Text<'a>>,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary<'a, N = Vec<Note<'a>>> {
    /// [`Type::Summary`].
    #[serde(default = "summary")]
    pub r#type: Type,
    /// End time (RFC 3339, UTC).
    #[serde(default)]
    pub time: Text<'a>,
    /// Whether every artifact was found and judged.
    pub complete: bool,
    /// The signal that ended it, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<Text<'a>>,
    /// The expected number of artifacts.
    #[serde(default)]
    pub expected: u64,
    /// The number of artifacts with each status.
    #[serde(default)]
    pub counts: Counts,
    /// The number of images with each status, if any were judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_counts: Option<ImageCounts>,
    /// The number of artifacts and images that do not pass.
    #[serde(default)]
    pub failures: u64,
    /// Bytes hashed.
    #[serde(default)]
    pub bytes: u64,
    /// Duration in seconds.
    #[serde(default)]
    pub seconds: f64,
    /// The exit status.
    #[serde(default)]
    pub exit_status: u8,
    /// What was not checked.
    #[serde(default)]
    pub not_checked: NotChecked<'a>,
    /// How the run ended, a term of [`Conclusion`](crate::run::conclusion::Conclusion).
    #[serde(default)]
    pub conclusion: Text<'a>,
    /// What prevented a judgement, as text.
    #[serde(default)]
    pub problems: Vec<Text<'a>>,
    /// Observations on the run as a whole.
    #[serde(default)]
    pub notes: N,
    /// The differences from its baseline, if it was audited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<Audit<'a>>,
}

fn summary() -> Type {
    Type::Summary
}

/// What a run did not check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NotChecked<'a> {
    /// What each excluded pattern left out, in their order.
    pub excluded: Vec<Excluded<'a>>,
    /// Directories below the maximum depth.
    pub too_deep: Names<'a>,
    /// Linked directories that were not entered, and whose content was not judged elsewhere.
    pub links: Names<'a>,
    /// Regular files that no signature covers and that needed none.
    pub uncovered: Names<'a>,
    /// Artifacts that were not judged before the run ended.
    pub unjudged: Names<'a>,
}

/// What an excluded pattern left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Excluded<'a> {
    /// The pattern.
    pub pattern: Text<'a>,
    /// How many of the files have the name of an artifact.
    pub artifacts: u64,
    /// The sizes of the files, in bytes.
    pub bytes: u64,
    /// The files.
    pub files: Names<'a>,
    /// The directories.
    pub directories: Names<'a>,
}

/// Names, of which there may be too many to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Names<'a> {
    /// How many there are.
    pub count: u64,
    /// The first of them.
    pub paths: Vec<PathMember<'a>>,
    /// How many are not listed.
    pub left_off: u64,
}

/// The number of artifacts with each status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Counts {
    /// `valid`.
    pub valid: u64,
    /// `listed`.
    pub listed: u64,
    /// `invalid`.
    pub invalid: u64,
    /// `unsigned`.
    pub unsigned: u64,
    /// `missing`.
    pub missing: u64,
    /// `changed`.
    pub changed: u64,
    /// `unreadable`.
    pub unreadable: u64,
    /// `not-regular`.
    pub not_regular: u64,
    /// `verified-earlier`.
    pub verified_earlier: u64,
}

/// The number of images with each status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct ImageCounts {
    /// `valid`.
    pub valid: u64,
    /// `invalid`.
    pub invalid: u64,
    /// `unsigned`.
    pub unsigned: u64,
    /// `incomplete`.
    pub incomplete: u64,
    /// `malformed`.
    pub malformed: u64,
    /// `too-large`.
    pub too_large: u64,
    /// `no-images`.
    pub no_images: u64,
}

/// An observation on the run as a whole, with the variants of [`Note`](crate::hints::notes::Note).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Note<'a, P = Vec<PathMember<'a>>> {
    SameContent {
        sha256: Text<'a>,
        paths: P,
    },
    SignatureFitsOther {
        #[serde(flatten)]
        signature: SignatureMember<'a>,
        #[serde(flatten)]
        path: PathMember<'a>,
        fits: PathMember<'a>,
    },
    SignatureFits {
        #[serde(flatten)]
        signature: SignatureMember<'a>,
        fits: PathMember<'a>,
    },
    WrongKey {
        keys: Vec<Text<'a>>,
        signatures: u64,
    },
    OtherSigner {
        fingerprint: Text<'a>,
        signatures: u64,
        examined: u64,
        failed: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trusted_for: Option<Text<'a>>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        found_in: Vec<PathMember<'a>>,
        made: Vec<Signed<'a>>,
    },
    NoCommonSigner {
        signatures: u64,
        examined: u64,
        failed: u64,
        of: Vec<Signed<'a>>,
    },
    NotAList {
        #[serde(flatten)]
        path: PathMember<'a>,
    },
    StraySignature {
        #[serde(flatten)]
        signature: SignatureMember<'a>,
    },
    SpareParts {
        #[serde(flatten)]
        path: PathMember<'a>,
        paths: P,
    },
    AlikeNames {
        difference: Text<'a>,
        paths: P,
    },
    SameDirectory {
        #[serde(flatten)]
        path: PathMember<'a>,
        judged_as: PathMember<'a>,
    },
    UnusedRegistry {
        prefix: Text<'a>,
    },
    WithinShards,
    ImageSignedAs {
        #[serde(flatten)]
        path: PathMember<'a>,
        image: Text<'a>,
        signed_as: Text<'a>,
    },
    SameImage {
        #[serde(flatten)]
        path: PathMember<'a>,
        images: Vec<Text<'a>>,
    },
    SignatureWithoutImage {
        #[serde(flatten)]
        path: PathMember<'a>,
        image: Text<'a>,
        others: usize,
    },
    UnusableSignature {
        #[serde(flatten)]
        path: PathMember<'a>,
        blob: Text<'a>,
        why: Text<'a>,
        others: usize,
    },
    UnreachableContent {
        #[serde(flatten)]
        path: PathMember<'a>,
        blobs: u64,
        bytes: u64,
    },
    ForeignLayer {
        #[serde(flatten)]
        path: PathMember<'a>,
        image: Text<'a>,
        blob: Text<'a>,
        others: usize,
    },
}

/// What a signature is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed<'a> {
    /// The artifact.
    #[serde(flatten)]
    pub path: PathMember<'a>,
    /// The signature file, if the signature is in a file of its own.
    #[serde(flatten)]
    pub signature: SignatureMember<'a>,
    /// The image in the artifact, by name or digest, if it is for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Text<'a>>,
}

/// The differences of a run from its baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit<'a> {
    /// The baseline's path.
    pub baseline: PathMember<'a>,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: Text<'a>,
    /// The start time of the run that the baseline reports.
    pub time: Text<'a>,
    /// The differences.
    pub findings: Vec<Finding<'a>>,
}

/// A difference from the baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding<'a> {
    /// A term of `audit::Difference`.
    pub finding: Text<'a>,
    /// The artifact's path, or the expected one.
    #[serde(flatten)]
    pub path: PathMember<'a>,
    /// The image in it, by name or digest, if the difference is one of an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Text<'a>>,
    /// The path in the baseline's own words, if it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PathMember<'a>>,
    /// The content that the baseline has, if it has the artifact or image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Content<'a>>,
    /// The content now, if the artifact or image exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Content<'a>>,
    /// The missing artifact that an added one resembles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<PathMember<'a>>,
}

/// A content: of an artifact, or of the root document of an image. What is unknown is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content<'a> {
    /// Its SHA-256, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Text<'a>>,
    /// Its size in bytes; of an image, that of its blobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// Two reports compared with each other (`--compare`): what they claim, and nothing that was
/// hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison<'a> {
    /// [`SCHEMA`].
    pub schema: u64,
    /// [`Type::Comparison`].
    pub r#type: Type,
    /// The version of the program.
    pub version: Text<'a>,
    /// The time of the comparison (RFC 3339, UTC).
    pub time: Text<'a>,
    /// The machine on which it was made.
    pub host: Text<'a>,
    /// The earlier report.
    pub old: Compared<'a>,
    /// The later report.
    pub new: Compared<'a>,
    /// The differences.
    pub findings: Vec<Finding<'a>>,
    /// Keys that the later run trusted and the earlier one did not.
    pub new_keys: Vec<KeyName<'a>>,
    /// What else there is to say, as text.
    pub remarks: Vec<Text<'a>>,
    /// The exit status.
    pub exit_status: u8,
}

/// A key, as a report names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyName<'a> {
    /// The name of its file.
    pub name: Text<'a>,
    /// The SHA-256 of its DER, in hexadecimal digits.
    pub fingerprint: Text<'a>,
}

/// A report that was compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared<'a> {
    /// The report.
    pub report: PathMember<'a>,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: Text<'a>,
    /// When its run began, as it says.
    pub time: Text<'a>,
    /// The machine of its run, as it says.
    pub host: Text<'a>,
    /// Number of artifacts in it.
    pub artifacts: u64,
    /// Number of artifacts and images that did not pass, as it says.
    pub failures: u64,
    /// The exit status of its run, as it says.
    pub exit_status: u8,
}

#[cfg(test)]
mod tests;
