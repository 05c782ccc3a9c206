//! The command line as typed. No I/O: `config` resolves it.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{ArgAction, Parser, ValueEnum, ValueHint};

use super::values::{self, Hashed};
use crate::content::IoMode;
use crate::shard::Shard;

/// Verify that the files of a mirror are what their vendor signed.
#[derive(Clone, Debug, Parser)]
#[command(
    long_about = ABOUT,
    max_term_width = 100,
    after_help = "Exit status: 0 valid, 1 not valid, 2 no verdict. See --help for the rest.",
    after_long_help = AFTER.as_str(),
    disable_version_flag = true,
    disable_help_flag = true
)]
pub struct Cli {
    /// A directory, a data file or a signature file
    ///
    /// Directories are walked recursively. With --signature, - is standard input; a file of that
    /// name is ./-. A file brings in what it is paired with; a checksum list, what it names. Name
    /// directories, or put -- before a *: a file's name may look like an option.
    #[arg(value_name = "PATH", default_value = ".", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,

    /// Trusted public key, or a directory of them
    ///
    /// ECDSA on P-256, P-384 or P-521, RSA of 2048 to 4096 bits, or Ed25519, as PEM or DER
    /// (SubjectPublicKeyInfo). In a directory every .pem, .pub and .der is one, in any case. May be
    /// given again. Without it: $PUBKEY, else spectro_public_key.pem in the current directory.
    #[arg(help_heading = WHAT, short, long = "key", value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub keys: Vec<PathBuf>,

    /// Accept only keys with this SHA-256
    ///
    /// 64 hexadecimal digits, as `openssl pkey -pubin -in KEY -outform DER | sha256sum` prints
    /// them. A key file that is named and has another fingerprint is refused; of a directory, keys
    /// with others are left out. May be given again.
    #[arg(help_heading = WHAT, long = "key-fingerprint", value_name = "HEX", value_parser = values::fingerprint)]
    pub fingerprints: Vec<String>,

    /// The hash that the signatures are over
    ///
    /// sha256 (the default), sha384 or sha512. Applies to every RSA, P-384 and P-521 key; or, as
    /// HASH=FILE, only to the key in that file of --key. P-256 and Ed25519 have a fixed hash. May
    /// be given again. An RSA key verifies signatures of PKCS #1 v1.5 and of PSS, over this hash.
    #[arg(help_heading = WHAT, long = "digest", value_name = "HASH[=FILE]",
        value_parser = OsStringValueParser::new().try_map(values::digest))]
    pub digests: Vec<Hashed>,

    /// Verify one PATH against this signature
    ///
    /// PATH is exactly one data file, or - for standard input, and no name matters. The signature
    /// may have any format, which its content decides, and may be a pipe, such as <(unzip -p ZIP
    /// FILE) or /dev/stdin. PATH may be a block device with an image on it (a written USB stick, a
    /// disc); see --length.
    #[arg(help_heading = WHAT, short, long, value_name = "FILE", value_hint = ValueHint::FilePath,
        conflicts_with_all = ["max_depth", "follow_links", "exclude", "allow_unsigned", "all_files", "lists"])]
    pub signature: Option<PathBuf>,

    /// How many bytes of a block device to verify
    ///
    /// With --signature. By default, the size in its ISO 9660 volume descriptor. An image that can
    /// be started from a USB stick may be longer than that says.
    #[arg(help_heading = WHAT, long, value_name = "BYTES", requires = "signature", value_parser = values::length)]
    pub length: Option<u64>,

    /// How many levels to walk; 1 = only PATH itself
    ///
    /// With 1, only the files directly in PATH are verified.
    #[arg(help_heading = WHAT, long, value_name = "N", value_parser = values::depth)]
    pub max_depth: Option<usize>,

    /// Enter linked directories too
    ///
    /// Each directory is read once, under its first name. Without this option a linked directory
    /// fails, unless all of it is judged under another name. Linked files are always read.
    #[arg(help_heading = WHAT, short = 'L', long)]
    pub follow_links: bool,

    /// Leave out paths that match
    ///
    /// A glob, compared with the path below PATH: `*` stays within a component, `**` crosses them.
    /// A directory that is left out takes everything in it along, a data file its signatures. May
    /// be given again.
    #[arg(help_heading = WHAT, long, value_name = "GLOB")]
    pub exclude: Vec<String>,

    /// Accept files without a signature
    ///
    /// They are reported, and do not fail.
    #[arg(help_heading = WHAT, long)]
    pub allow_unsigned: bool,

    /// Require a signature for every regular file
    ///
    /// By default only .zst and .iso need one.
    #[arg(help_heading = WHAT, long)]
    pub all_files: bool,

    /// A checksum list that vouches for files
    ///
    /// What sha256sum, sha512sum or shasum print, in a file of any name, with a signature of any
    /// format beside it, which it must have. By a valid signature it vouches for every file that it
    /// names, below its own directory: each is listed, missing or different. Lists inside a PATH
    /// are found by their names, such as SHA256SUMS, checksums.txt or x.iso.sha256. May be given
    /// again.
    #[arg(help_heading = WHAT, long = "list", value_name = "LIST", value_hint = ValueHint::FilePath)]
    pub lists: Vec<PathBuf>,

    /// Fail on any difference from an earlier run
    ///
    /// REPORT is the earlier run's JSON report. Artifacts removed, added, modified or renamed since
    /// then, or that lost their signature, are listed on stderr and in reports, each by its path.
    /// Artifacts are compared by their paths below each PATH and by SHA-256; PATHs are compared
    /// with those of the earlier run in their order.
    #[arg(help_heading = WHAT, long, value_name = "REPORT", value_hint = ValueHint::FilePath)]
    pub baseline: Option<PathBuf>,

    /// Compare two JSON reports, hashing nothing
    ///
    /// What --baseline would find, if the second report were the run. It rests on what the reports
    /// claim: no file is read, no signature is verified and no key is needed. Differences are
    /// printed, and written as .json, .xml or .html with --report. Exit status: 0 no difference,
    /// and nothing in NEW failed; 1 otherwise; 2 if they cannot be compared.
    #[arg(help_heading = WHAT, long, num_args = 2, value_names = ["OLD", "NEW"], value_hint = ValueHint::FilePath,
        conflicts_with_all = ["paths", "keys", "fingerprints", "digests", "signature", "max_depth", "follow_links", "exclude", "allow_unsigned",
            "all_files", "lists", "length", "baseline", "images", "verbose", "jobs", "io", "progress", "color", "note", "sign_report", "fail_fast",
            "stop_after", "ledger", "max_age", "resume"])]
    pub compare: Vec<PathBuf>,

    /// Verify part K of N of the mirror
    ///
    /// Run it on N machines, with K from 1 to N. Each lists the whole mirror and takes its share
    /// by size, so nothing is verified twice or left out. Needs a
    /// report for --merge: --report FILE.json, or --format jsonl.
    #[arg(help_heading = MANY, long, value_name = "K/N", value_parser = Shard::parse,
        conflicts_with_all = ["baseline", "signature", "shard_index"])]
    pub shard: Option<Shard>,

    /// The same, counting from 0
    ///
    /// For schedulers that number their tasks from 0, such as Kubernetes (JOB_COMPLETION_INDEX).
    #[arg(help_heading = MANY, long, value_name = "I/N", value_parser = Shard::parse_from_zero,
        conflicts_with_all = ["baseline", "signature"])]
    pub shard_index: Option<Shard>,

    /// Merge the reports of all shards
    ///
    /// Reads JSON reports (or what --format jsonl printed), one for each shard, or all in a directory
    /// (.json, .jsonl), and gives the verdict on the whole mirror: 0 and 1 as for one run, and 2 if a shard is missing, was cut off, is
    /// given twice, or saw another mirror or trusted other keys. Nothing is hashed and no key is
    /// needed: it rests on what the reports claim. Use it with --report, --baseline,
    /// --key-fingerprint and --within.
    #[arg(help_heading = MANY, long, num_args = 1.., value_name = "REPORT", value_hint = ValueHint::AnyPath,
        conflicts_with_all = ["paths", "keys", "digests", "signature", "length", "max_depth", "follow_links", "exclude", "allow_unsigned", "all_files", "lists",
            "compare", "images", "image_keys", "jobs", "io", "progress", "fail_fast", "shard", "shard_index",
            "stop_after", "ledger", "max_age", "resume"])]
    pub merge: Vec<PathBuf>,

    /// Give no verdict if the shards ran further apart
    ///
    /// With --merge: from the start of the first shard to the end of
    /// the last, for example 24h. Without
    /// it, the span is reported.
    #[arg(help_heading = MANY, long, value_name = "SPAN", requires = "merge", value_parser = values::span)]
    pub within: Option<Duration>,

    /// Also verify the container images in bundles
    ///
    /// Reads every .zst in one pass, unpacking nothing to disk, and also checks saved images (.tar,
    /// .tgz, .tar.gz, directories with an oci-layout). Each image must be complete, and must have a
    /// Cosign signature of its own unless its bundle's signature is valid.
    #[arg(help_heading = WHAT, long)]
    pub images: bool,

    /// Trusted key for images, or a directory of them
    ///
    /// ECDSA P-256, as for --key. By default the keys of --key; if given, it replaces them for
    /// images. These keys verify images only. May be given again.
    #[arg(help_heading = IMAGES, long = "image-key", value_name = "FILE", value_hint = ValueHint::AnyPath, requires = "images")]
    pub image_keys: Vec<PathBuf>,

    /// Signatures and manifests of images
    ///
    /// A file or a directory: what `cosign download signature` and `crane manifest` print, sigstore
    /// bundles, the directories of `cosign save`, the signature files of skopeo. Each file applies
    /// to the image whose digest it names, under any name. May be given again.
    #[arg(help_heading = IMAGES, long = "image-signatures", value_name = "PATH", value_hint = ValueHint::AnyPath, requires = "images")]
    pub image_signatures: Vec<PathBuf>,

    /// Require signatures for images with this name
    ///
    /// PREFIX is a registry, or a repository in it: registry.example.com/team covers
    /// registry.example.com/team/app and not registry.example.com/teams. Such an image needs a
    /// signature of its own even in a valid bundle. May be given again.
    #[arg(help_heading = IMAGES, long = "signed-registry", value_name = "PREFIX", requires = "images")]
    pub signed_registries: Vec<String>,

    /// Require this platform in every image
    ///
    /// For example linux/amd64 or linux/arm/v7. By default one complete platform is enough. May be
    /// given again.
    #[arg(help_heading = IMAGES, long = "platform", value_name = "OS/ARCH", requires = "images")]
    pub platforms: Vec<String>,

    /// Largest zstd window, held in memory
    ///
    /// Bytes, or a number with K, M, G or T (powers of 1024); 128M by default. `zstd --long=27`
    /// needs 128M.
    #[arg(help_heading = IMAGES, long, value_name = "SIZE", default_value = "128M", hide_default_value = true, value_parser = values::bytes, requires = "images")]
    pub max_window: u64,

    /// Most bytes to unpack from one bundle
    ///
    /// A larger one fails. Nothing is written to disk, so this limits time, not space. By default
    /// there is no limit.
    #[arg(help_heading = IMAGES, long, value_name = "SIZE", value_parser = values::bytes, requires = "images")]
    pub max_unpacked: Option<u64>,

    /// List every image's blobs in JSON reports
    #[arg(help_heading = IMAGES, long, requires = "images")]
    pub image_blobs: bool,

    /// Print only what is not valid
    ///
    /// Nor what was verified earlier (--max-age, --resume).
    #[arg(help_heading = OUTPUT, short, long)]
    pub quiet: bool,

    /// Print nothing; only set the exit status
    #[arg(help_heading = OUTPUT, long, conflicts_with = "verbose")]
    pub status: bool,

    /// Print text lines, or JSON objects
    ///
    /// With jsonl, one JSON object a line, each as soon as it is decided.
    #[arg(help_heading = OUTPUT, long, value_name = "text|jsonl", default_value = "text", hide_default_value = true, hide_possible_values = true)]
    pub format: Format,

    /// Also write a report, in the format of its name
    ///
    /// .json, .xml (JUnit) or .html, and for machines .csv, .prom (Prometheus), .oscal.json (OSCAL
    /// assessment results), .intoto.jsonl (in-toto statements in DSSE envelopes), and a file named
    /// SHA256SUMS, which `sha256sum -c` checks. May be given again.
    /// The file is written whole or not at all: under a temporary name, then renamed. It keeps the
    /// mode of the one that it replaces, and follows no link that another user made.
    #[arg(help_heading = OUTPUT, long = "report", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub reports: Vec<PathBuf>,

    /// A note for all reports of this run
    ///
    /// Such as a change number or the operator. At most 1000 characters. Reports have it as it is;
    /// pages and XML show it on one line.
    #[arg(help_heading = OUTPUT, long, value_name = "TEXT", value_parser = values::note)]
    pub note: Option<String>,

    /// Sign the reports that can be signed
    ///
    /// With this private key, ECDSA P-256 as PKCS #8 in PEM, without a passphrase: `openssl genpkey
    /// -algorithm EC -pkeyopt ec_paramgen_curve:P-256`. It signs .intoto.jsonl, and SHA256SUMS by a
    /// SHA256SUMS.sig.bin beside it. The key must not be inside what is verified.
    #[arg(help_heading = OUTPUT, long, value_name = "KEY", value_hint = ValueHint::FilePath)]
    pub sign_report: Option<PathBuf>,

    /// Bars on stderr: auto, always or never
    ///
    /// auto, the default, draws them on a terminal that nothing else writes to. No bars are drawn
    /// where stdout is a pipe (`| tee log`): its reader may write to the same terminal, and bars
    /// would erase that. There, and where stderr is not a terminal, always prints one plain line
    /// every ten seconds.
    #[arg(help_heading = OUTPUT, long, value_name = "WHEN", default_value = "auto", hide_default_value = true, hide_possible_values = true)]
    pub progress: When,

    /// Colours: auto, always or never
    ///
    /// auto, the default, uses them on terminals, and as NO_COLOR and CLICOLOR_FORCE say.
    #[arg(help_heading = OUTPUT, long, value_name = "WHEN", default_value = "auto", hide_default_value = true, hide_possible_values = true)]
    pub color: When,

    /// Print reasons, and the settings used
    ///
    /// Also lists on stderr every link that leads outside the PATHs, and every name that is not
    /// checked.
    #[arg(help_heading = OUTPUT, short, long)]
    pub verbose: bool,

    /// Print the man page or shell completions
    ///
    /// WHAT is man, bash, zsh, fish, powershell or elvish.
    #[arg(help_heading = OUTPUT, long, value_name = "WHAT", hide_possible_values = true)]
    pub generate: Option<Generate>,

    /// Print help; -h is the short form
    #[arg(help_heading = OUTPUT, short, long, action = ArgAction::Help)]
    help: Option<bool>,

    /// Print the version, and the FIPS module if any
    ///
    /// With --verbose, also how fast each implementation of SHA-256 is on this machine.
    #[arg(help_heading = OUTPUT, short = 'V', long)]
    pub version: bool,

    /// Worker threads; by default, every core
    ///
    /// At most 1024; no more are started than there are files. Without it, files on a spinning
    /// disk, an optical drive or a network share are read one at a time, except that up to four
    /// small files (16 MiB or less) are read at once from disks and shares. Where the system gives
    /// fewer threads, fewer are used; with it, that is an error.
    #[arg(help_heading = HOW, short, long, value_name = "N", value_parser = values::jobs)]
    pub jobs: Option<usize>,

    /// How to read files: auto, mmap, read or direct
    ///
    /// direct bypasses the page cache (O_DIRECT), and fails where the file system does not support
    /// that. auto, the default, uses it for large files on local disks that are not cached yet, and
    /// otherwise memory maps where the file system allows them.
    #[arg(help_heading = HOW, long, value_name = "MODE", default_value = "auto", hide_default_value = true, hide_possible_values = true)]
    pub io: IoMode,

    /// End at the first failure
    ///
    /// The exit status is 1. What was not judged by then is counted in the summary and in reports.
    #[arg(help_heading = HOW, long)]
    pub fail_fast: bool,

    /// Start no artifact after this time
    ///
    /// Such as 6h or 90min, from the start of the command. Artifacts in progress are finished. The
    /// exit status is 2, or 1 if something failed; what was not looked at is counted in the summary
    /// and in reports.
    #[arg(help_heading = NIGHTS, long, value_name = "SPAN", value_parser = values::span)]
    pub stop_after: Option<Duration>,

    /// Refuse to run unless AWS-LC FIPS does the cryptography
    ///
    /// Only verify-signatures-fips, a separate build, hashes and verifies in that module, with or
    /// without this option. With it, the run starts only if the module is in FIPS mode and passes
    /// its self-tests. Whether a certificate covers the module's version and your platform is for
    /// your assessor to say; --version names both. The runs behind --merge, --compare, --resume and
    /// --max-age may not have used the module, so these are refused.
    #[arg(help_heading = HOW, long, conflicts_with_all = ["compare", "merge", "max_age", "resume"])]
    pub fips: bool,

    /// Keep a record of when each artifact last passed
    ///
    /// Starts with what never passed or failed last time, then what passed longest ago; among
    /// equals, the largest. With --stop-after, nightly runs cover everything in turn. Each artifact
    /// is recorded as soon as it is judged. FILE must not be inside a PATH. By itself it skips
    /// nothing.
    #[arg(help_heading = NIGHTS, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ledger: Option<PathBuf>,

    /// Skip what passed within this time and is unchanged
    ///
    /// Such as 30d. Only what the ledger (or the report of --resume) says passed since, and whose
    /// device, inode, size and time stamps, signature and key are unchanged. It is reported as
    /// "verified earlier", not as valid, and as skipped in JUnit. This finds accidents, not
    /// attackers: time stamps can be set. Split artifacts, devices, pipes, (with --images) bundles,
    /// and files on file systems that do not keep the time of every change (FAT, tmpfs, FUSE,
    /// mounted images) are always read.
    #[arg(help_heading = NIGHTS, long, value_name = "SPAN", value_parser = values::span)]
    pub max_age: Option<Duration>,

    /// Continue the run that wrote this report
    ///
    /// REPORT is the JSON report of a run with the same options, such as one that was interrupted.
    /// What was valid there is verified earlier, as with --max-age, if it and its signature are
    /// unchanged and its key is trusted; everything else is verified.
    #[arg(help_heading = NIGHTS, long, value_name = "REPORT", value_hint = ValueHint::FilePath)]
    pub resume: Option<PathBuf>,

    /// The SHA-256 implementation: portable, avx2 or sha-ni; without it what the processor's
    /// instructions promise, unless that is measured to be slower
    #[arg(long, value_name = "NAME", hide = true)]
    pub sha256: Option<String>,
}

const WHAT: &str = "What is verified, and by which keys";
const MANY: &str = "Many machines";
const IMAGES: &str = "Images inside bundles";
const OUTPUT: &str = "What is printed";
const NIGHTS: &str = "Longer than one night";
const HOW: &str = "How the work is done";

const ABOUT: &str = "\
Verify that the files of a mirror are what their vendor signed.

Walks each PATH, pairs every signature (*.sig.bin, *.sig, *.sigstore.json, *.bundle) with its file, and verifies them in parallel: \
ECDSA P-256 over SHA-256, and by P-384, P-521, RSA and Ed25519 keys too. Prints a line for each. \
Never touches the network.";

/// Usage examples: description and command.
pub const EXAMPLES: [(&str, &str); 12] = [
    (
        "A whole mirror, however nested",
        "verify-signatures --key vendor.pem /srv/mirror",
    ),
    (
        "Only what is wrong with it",
        "verify-signatures --key vendor.pem --quiet /srv/mirror",
    ),
    (
        "Also the container images in its bundles",
        "verify-signatures --key vendor.pem --images /srv/mirror",
    ),
    (
        "By a list that names every file, and an RSA key that signs SHA-512",
        "verify-signatures --key vendor.pem --digest sha512 --list /srv/mirror/SHA256SUMS /srv/mirror",
    ),
    (
        "Sign the list of what is valid, to hand the mirror over to another network",
        "verify-signatures --key vendor.pem --report /srv/SHA256SUMS --sign-report operator.pem /srv/mirror",
    ),
    (
        "One image; its signature is found by name",
        "verify-signatures --key vendor.pem /mnt/usb/appliance-4.10.17.iso",
    ),
    (
        "One file and its signature, under any names",
        "verify-signatures --key vendor.pem --signature proof.bin image.raw",
    ),
    (
        "As evidence for an auditor, and for the pipeline",
        "verify-signatures --key vendor.pem --report evidence.html --report junit.xml /srv/mirror",
    ),
    (
        "The paths of everything that failed",
        "verify-signatures -k vendor.pem --format jsonl /srv/mirror | jq -r 'select(.passes == false) | .path // .path_base64'",
    ),
    (
        "The third of eight machines that share the work",
        "verify-signatures --key vendor.pem --shard 3/8 --report r/3.json /mirror",
    ),
    (
        "The verdict of all eight",
        "verify-signatures --merge r/*.json --report whole.json --report evidence.html",
    ),
    (
        "The completions of bash",
        "verify-signatures --generate bash > ~/.local/share/bash-completion/completions/verify-signatures",
    ),
];

/// The exit statuses and their meanings.
pub const EXIT_STATUS: [(&str, &str); 7] = [
    (
        "0",
        "everything judged passed, and at least one artifact or image is valid or was verified earlier; or a shard had nothing to do",
    ),
    ("1", "at least one is not valid"),
    (
        "2",
        "no verdict: bad usage, no usable key, a PATH that does not exist, nothing to verify, a report that could not be written, \
         an incomplete merge, running out of time, too little memory, an internal error",
    ),
    ("129", "the terminal was closed (SIGHUP)"),
    ("130", "interrupted (SIGINT)"),
    ("141", "standard output was closed before the end"),
    ("143", "terminated (SIGTERM)"),
];

static AFTER: LazyLock<String> = LazyLock::new(|| {
    let examples = EXAMPLES.map(|(what, command)| format!("  {what}:\n    {command}\n"));
    let statuses = EXIT_STATUS.map(|(status, when)| format!("  {status:<4} {when}\n"));
    format!(
        "Examples:\n{}\nExit status:\n{}",
        examples.concat(),
        statuses.concat()
    )
});

/// The format of stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The sample script's lines.
    Text,
    /// One JSON object a line.
    Jsonl,
}

/// What to generate from this definition of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Generate {
    /// The manual page, as roff.
    Man,
    /// Completions for bash.
    Bash,
    /// Completions for zsh.
    Zsh,
    /// Completions for fish.
    Fish,
    /// Completions for PowerShell.
    Powershell,
    /// Completions for elvish.
    Elvish,
}

/// When to show something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// As fits the terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_exit_statuses_of_the_help_are_those_of_the_reports_schema() {
        let schema = include_str!("../../docs/report.schema.json");
        let schema: Value = serde_json::from_str(schema).unwrap();
        let listed = &schema["$defs"]["summary"]["properties"]["exit_status"]["enum"];
        let listed = listed.as_array().unwrap().iter().map(Value::to_string);
        assert!(listed.eq(EXIT_STATUS.map(|(status, _)| status.to_owned())));
    }
}
