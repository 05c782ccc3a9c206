//! The beginning of a run.

use serde::{Deserialize, Serialize};

use super::{PathMember, SignatureMember, Text, Type};

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
    /// The validated module that did the cryptography; `null` if there was none in its build.
    /// Programs from before there were any say nothing of it.
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
