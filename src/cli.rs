//! What was typed. No I/O: what it means here is found out in `config`.

use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Parser, ValueEnum};

/// Verify that the files of a mirror are what their vendor signed.
///
/// Walks each PATH, pairs every `*.sig.bin` with its `.zst`, `.iso` or other file, and verifies the ECDSA P-256
/// signatures over SHA-256 in parallel. Never touches the network.
#[derive(Clone, Debug, Parser)]
#[command(max_term_width = 100, after_help = EXIT_STATUS, disable_version_flag = true)]
pub struct Cli {
    /// A directory (walked recursively), a data file or a signature file
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,

    /// A trusted public key, PEM or DER, ECDSA P-256, or a directory of them (.pem, .pub, .der); may be given
    /// again [default: $PUBKEY, else spectro_public_key.pem in the current directory]
    #[arg(short, long = "key", value_name = "FILE")]
    pub keys: Vec<PathBuf>,

    /// Verify exactly one PATH, a data file, against this signature, whatever the names
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["max_depth", "follow_links", "exclude", "allow_unsigned", "all_files"])]
    pub signature: Option<PathBuf>,

    /// Worker threads [default: every core]
    #[arg(short, long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    pub jobs: Option<usize>,

    /// How many levels to walk; 1 = only the files directly in PATH
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    pub max_depth: Option<usize>,

    /// Enter linked directories too (linked files are always read)
    #[arg(short = 'L', long)]
    pub follow_links: bool,

    /// Leave out what matches, on the path below PATH (`*` stays within a component, `**` crosses them); may be given again
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,

    /// A data file without a signature is reported, but is no failure
    #[arg(long)]
    pub allow_unsigned: bool,

    /// Every regular file must be covered by a signature, not only .zst and .iso
    #[arg(long)]
    pub all_files: bool,

    /// Print only what is not valid
    #[arg(long)]
    pub quiet: bool,

    /// Print nothing; the exit status tells
    #[arg(long, conflicts_with = "verbose")]
    pub status: bool,

    /// A progress bar on stderr; auto = when stderr is a terminal
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub progress: When,

    /// How files are read; auto = memory maps where the file system allows them
    #[arg(long, value_name = "WAY", default_value = "auto")]
    pub io: Way,

    /// The reason behind each verdict, and on stderr what was chosen (threads, SHA-256 implementation, I/O)
    #[arg(short, long)]
    pub verbose: bool,

    /// Print the version; with --verbose also how fast each SHA-256 implementation is here, and which would be used
    #[arg(short = 'V', long)]
    pub version: bool,

    /// The SHA-256 implementation: portable, avx2 or sha-ni; without it the fastest, by measurement
    #[arg(long, value_name = "NAME", hide = true)]
    pub sha256: Option<String>,
}

const EXIT_STATUS: &str = "\
Exit status:
  0    at least one artifact is valid, and nothing is wrong with any other
  1    at least one is not valid
  2    no judgement: bad usage, no usable key, a PATH that does not exist, nothing to verify
  130  interrupted (SIGINT)
  141  standard output was closed before the end
  143  terminated (SIGTERM)";

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

/// How to read files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// Memory maps, and pread(2) where they are refused.
    Auto,
    /// Memory maps only.
    Mmap,
    /// pread(2) only.
    Read,
}
