//! Resolves the command line against the environment, the key files, the terminal and the machine.

mod baseline;
mod compared;
mod digests;
mod earlier;
mod error;
mod images;
mod keys;
mod merging;
mod one;
mod places;
mod search;
mod sharding;
mod signing;
mod stdin;
mod style;
mod targets;

use std::ffi::OsString;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::args::{Cli, Format};
use crate::audit::baseline::Baseline;
use crate::digest::Hasher;
use crate::engine::{Images, Settings};
use crate::module;
use crate::names::endings::is_signature;
use crate::progress::Cancel;
use crate::report::format::ReportFormat;
use crate::report::lines::Detail;
use crate::report::sign::Signer;
use crate::run::{ImageOptions, Options, OverTime, TrustedKey};
use crate::shard::Shard;
use crate::terminal::outlet::{self, Outlet};
use crate::terminal::progress::Style;
use crate::trust::key::Key;
use crate::verify::{Inputs, Policy, Verifier};
pub use compared::Compared;
pub use earlier::LedgerFound;
pub use error::ConfigError;
use error::shown;
use keys::exposed;
pub use keys::{Skipped, WhyNoKey};
pub use merging::{Merging, part};
use search::{globs, search};
pub use style::stderr_colour;
use style::{stdout_colour, style};
pub use targets::Target;
use targets::{key_files, reports, spare};

/// Default key file, used if no key is given.
const DEFAULT_KEY: &str = "spectro_public_key.pem";

/// The checked configuration of a run. [`super::run`] hands each stage its own part.
#[derive(Debug)]
pub struct Config {
    /// What to verify.
    pub inputs: Inputs,
    /// The keys, the policy, and how to verify.
    pub verifier: Verifier,
    /// What to report about the keys.
    pub keys: KeysFound,
    /// What to print.
    pub output: Output,
    /// The reports to write.
    pub reports: Vec<Target>,
    /// The key that signs those that can be signed, if one was given.
    pub signer: Option<Signer>,
    /// The baseline of the audit, if there is one.
    pub audit: Option<Against>,
    /// The ledger to keep, if there is one.
    pub ledger: Option<LedgerFound>,
    /// The options that a report records.
    pub asked: Asked,
}

/// What to report about the keys.
#[derive(Debug)]
pub struct KeysFound {
    /// Keys inside the verified tree, where anyone who can change the artifacts can change them
    /// too.
    pub exposed: Vec<Arc<Key>>,
    /// Files in directories of keys that were not read as keys.
    pub skipped: Vec<Skipped>,
}

/// What to print.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// Which lines to print.
    pub detail: Detail,
    /// The format of stdout.
    pub format: Format,
    /// The style of the progress display.
    pub progress: Style,
    /// Whether the first failure ends the run.
    pub fail_fast: bool,
}

/// The baseline of an audit.
#[derive(Debug)]
pub struct Against {
    /// The path of the report.
    pub path: PathBuf,
    /// Its content.
    pub baseline: Baseline,
    /// Whether it is inside the verified tree, where anyone who can change the artifacts can change
    /// it too.
    pub is_exposed: bool,
}

/// The options that a report records.
#[derive(Debug)]
pub struct Asked {
    /// The PATHs.
    pub roots: Vec<PathBuf>,
    /// The other options.
    pub options: Options,
    /// The trusted keys.
    pub keys: Vec<TrustedKey>,
    /// The keys whose files are inside the verified tree, pinned or not.
    pub exposed_keys: Vec<Arc<Key>>,
    /// What the user has to say on the run.
    pub note: Option<String>,
    /// Which part of the mirror to verify (`--shard`), if it is divided among machines.
    pub shard: Option<Shard>,
}

impl Asked {
    fn of(
        cli: &Cli,
        keys: &[Arc<Key>],
        images: Option<&Images>,
        exposed_keys: Vec<Arc<Key>>,
    ) -> Asked {
        Asked {
            note: cli.note.clone(),
            shard: shard(cli),
            keys: trusted(keys, cli, &exposed_keys),
            roots: cli.paths.clone(),
            options: Options {
                signature: cli.signature.clone(),
                max_depth: cli.max_depth,
                follow_links: cli.follow_links,
                exclude: cli.exclude.clone(),
                key_fingerprints: cli.fingerprints.clone(),
                allow_unsigned: cli.allow_unsigned,
                all_files: cli.all_files,
                lists: cli.lists.clone(),
                fail_fast: cli.fail_fast,
                images: images.map(|images| ImageOptions {
                    keys: trusted(&images.policy.keys, cli, &exposed_keys),
                    signatures: cli.image_signatures.clone(),
                    signed_registries: cli.signed_registries.clone(),
                    platforms: cli.platforms.clone(),
                    max_window: cli.max_window,
                    max_unpacked: cli.max_unpacked,
                }),
                baseline: cli.baseline.clone(),
                over_time: OverTime {
                    stop_after: cli.stop_after,
                    ledger: cli.ledger.clone(),
                    max_age: cli.max_age,
                    resume: cli.resume.clone(),
                },
                io: cli.io.name().to_owned(),
            },
            exposed_keys,
        }
    }
}

/// Reports whether a later run may know this one's artifacts by their stamps.
fn keeps_stamps(cli: &Cli, reports: &[Target]) -> bool {
    let is_json = |report: &Target| report.format == ReportFormat::Json;
    let is_reported = reports.iter().any(is_json) || cli.format == Format::Jsonl;
    is_reported || cli.ledger.is_some() || cli.resume.is_some()
}

/// Returns which part of the mirror to verify.
fn shard(cli: &Cli) -> Option<Shard> {
    cli.shard.or(cli.shard_index)
}

/// Describes keys for reports.
fn trusted(keys: &[Arc<Key>], cli: &Cli, exposed: &[Arc<Key>]) -> Vec<TrustedKey> {
    let is_pinned = !cli.fingerprints.is_empty();
    let keys = keys.iter();
    keys.map(|key| TrustedKey::of(key, is_pinned, exposed.contains(key)))
        .collect()
}

/// What a run takes from its environment.
#[derive(Clone, Debug)]
pub struct Environment {
    /// `$PUBKEY`.
    pub pubkey: Option<OsString>,
    /// Whether stderr is a terminal.
    pub stderr_is_terminal: bool,
    /// Whether the terminal cannot move its cursor (`TERM=dumb`), so that bars cannot be drawn.
    pub terminal_is_dumb: bool,
    /// Whether stdout is a terminal.
    pub stdout_is_terminal: bool,
    /// Whether no other process writes this command's stdout to the terminal on stderr.
    pub stdout_is_apart: bool,
    /// Whether the environment (`NO_COLOR`, `CLICOLOR_FORCE`, `CLICOLOR`, `TERM`) asks for colours
    /// on stderr, whether it is a terminal or not.
    pub stderr_colour: bool,
    /// The same for stdout.
    pub stdout_colour: bool,
    /// Number of threads that the system can run at once.
    pub cores: usize,
}

impl Environment {
    /// Reads the environment.
    pub fn here() -> Environment {
        Environment {
            pubkey: std::env::var_os("PUBKEY").filter(|value| !value.is_empty()),
            stderr_is_terminal: io::stderr().is_terminal(),
            terminal_is_dumb: std::env::var_os("TERM").is_some_and(|kind| kind == "dumb"),
            stdout_is_terminal: io::stdout().is_terminal(),
            stdout_is_apart: outlet::of_stdout() != Outlet::Unknown,
            stderr_colour: style::wants_colour(&io::stderr()),
            stdout_colour: style::wants_colour(&io::stdout()),
            cores: thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

impl Config {
    /// Checks the command line and loads the keys; reads no artifact.
    ///
    /// # Errors
    /// On the first problem that keeps the run from starting.
    pub fn resolve(cli: &Cli, environment: &Environment) -> Result<Config, ConfigError> {
        check_module(cli)?;
        if cli.within.is_some() {
            return Err(ConfigError::WithinNothing);
        }
        let exclude = globs(&cli.exclude)?;
        let hasher = hasher(cli)?;
        let inputs = inputs(cli, environment)?;
        let (keys, skipped) = keys::find(cli, environment)?;
        let of_files: Vec<Arc<Key>> = keys.iter().map(|(_, key)| Arc::clone(key)).collect();
        let (of_images, skipped_too) = keys::load(&cli.image_keys, (&cli.fingerprints, &[]))?;
        images::check_keys(&of_images)?;
        let by_images: Vec<Arc<Key>> = if of_images.is_empty() {
            of_files.clone()
        } else {
            of_images.iter().map(|(_, key)| Arc::clone(key)).collect()
        };
        let images = images::find(cli, by_images)?;
        let skipped = [skipped, skipped_too].concat();
        let keys = [keys, of_images].concat();
        let audit = baseline::load(cli)?;
        let reports = reports(cli)?;
        let signer = signing::load(cli, stdin::without(&cli.paths), &reports)?;
        let key_files = key_files(cli, environment);
        spare(&reports, cli, &key_files)?;
        let ledger = earlier::ledger(cli, &key_files)?;
        let past = earlier::past(cli, ledger.as_ref())?;
        sharding::check(cli, &reports)?;
        let exposed = exposed(&keys, stdin::without(&cli.paths));
        let asked = Asked::of(cli, &of_files, images.as_ref(), exposed);
        // A pinned key cannot be replaced silently.
        let exposed = match cli.fingerprints.as_slice() {
            [] => asked.exposed_keys.clone(),
            _ => Vec::new(),
        };
        let is_json = |report: &Target| report.format == ReportFormat::Json;
        Ok(Config {
            inputs,
            verifier: Verifier {
                settings: Settings {
                    keys: of_files,
                    io: cli.io,
                    threads: cli.jobs.unwrap_or(environment.cores),
                    exact_threads: cli.jobs.is_some(),
                    hasher,
                    images: images.map(Arc::new),
                    stop_at: cli.stop_after.and_then(from_now),
                    keeps_stamps: keeps_stamps(cli, &reports),
                    control_files: true,
                },
                search: search(cli, exclude)?,
                policy: Policy {
                    allow_unsigned: cli.allow_unsigned,
                    wants_digests: audit.is_some() || reports.iter().any(is_json),
                    images: cli.images,
                },
                limit_readers: cli.jobs.is_none(),
                cancel: Cancel::default(),
                past,
            },
            keys: KeysFound { exposed, skipped },
            output: Output {
                detail: Detail {
                    lines: !cli.status,
                    valid: !cli.quiet,
                    reasons: cli.verbose,
                    colour: stdout_colour(cli, environment),
                },
                format: cli.format,
                progress: style(cli, environment),
                fail_fast: cli.fail_fast,
            },
            reports,
            signer,
            audit,
            ledger,
            asked,
        })
    }
}

/// Checks the validated module, where one is asked for or built in.
///
/// # Errors
/// Fail closed: a run whose cryptography is not what the user asked for, or not what its reports say
/// of it, does not begin.
fn check_module(cli: &Cli) -> Result<(), ConfigError> {
    if cli.fips || cfg!(feature = "fips") {
        module::check().map_err(ConfigError::NotValidated)?;
    }
    Ok(())
}

/// Returns the time after a span; `None` if no clock gets there.
fn from_now(span: Duration) -> Option<Instant> {
    Instant::now().checked_add(span)
}

/// Returns the requested hasher, if any.
fn hasher(cli: &Cli) -> Result<Option<Hasher>, ConfigError> {
    let known = |name: &String| {
        Hasher::named(name).ok_or_else(|| ConfigError::NoSuchHasher {
            name: name.clone(),
            known: Hasher::all().iter().map(|hasher| hasher.name()).collect(),
        })
    };
    cli.sha256.as_ref().map(known).transpose()
}

fn inputs(cli: &Cli, environment: &Environment) -> Result<Inputs, ConfigError> {
    if let Some(one) = stdin::find(cli, environment)? {
        return Ok(Inputs::One(one));
    }
    let check = |path: &PathBuf| {
        fs::metadata(path).map_err(|source| ConfigError::NoPath {
            path: path.clone(),
            source,
        })
    };
    // A mistyped PATH is reported now, and not after hours of hashing the others.
    cli.paths
        .iter()
        .try_for_each(|path| check(path).map(|_| ()))?;
    for list in &cli.lists {
        if check(list)?.is_dir() {
            return Err(ConfigError::ListIsDirectory(list.clone()));
        }
        if list.file_name().is_some_and(is_signature) {
            return Err(ConfigError::ListIsSignature(list.clone()));
        }
    }
    let Some(signature) = &cli.signature else {
        return Ok(Inputs::Paths(cli.paths.clone()));
    };
    match cli.paths.as_slice() {
        [data] if !data.is_dir() => {
            let found = check(signature)?;
            Ok(Inputs::One(one::of(data, signature, &found, cli.length)?))
        }
        _ => Err(ConfigError::NotOneFile),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn environment(stderr_is_terminal: bool, colour: bool) -> Environment {
        Environment {
            pubkey: None,
            terminal_is_dumb: false,
            stderr_is_terminal,
            stdout_is_terminal: stderr_is_terminal,
            stdout_is_apart: true,
            stderr_colour: colour,
            stdout_colour: colour,
            cores: 1,
        }
    }

    fn cli(arguments: &[&str]) -> Cli {
        Cli::parse_from([&["verify-signatures"], arguments].concat())
    }

    #[test]
    fn the_bars_are_for_terminals_and_not_where_nothing_is_to_be_printed() {
        let style_of =
            |arguments: &[&str], terminal| style(&cli(arguments), &environment(terminal, false));
        let bars = Style::Bars { colour: false };
        assert_eq!(style_of(&[], true), bars);
        assert_eq!(style_of(&[], false), Style::Hidden);
        assert_eq!(style_of(&["--status"], true), Style::Hidden);
        assert_eq!(style_of(&["--progress", "never"], true), Style::Hidden);
        assert_eq!(style_of(&["--progress", "always"], true), bars);
        assert_eq!(style_of(&["--progress", "always"], false), Style::Lines);
        let mut dumb = environment(true, false);
        dumb.terminal_is_dumb = true;
        assert_eq!(style(&cli(&[]), &dumb), Style::Hidden);
        let mut piped = environment(true, false);
        piped.stdout_is_apart = false;
        assert_eq!(style(&cli(&[]), &piped), Style::Hidden);
        let always = cli(&["--progress", "always"]);
        assert_eq!(style(&always, &piped), Style::Lines);
        let silent = cli(&["--progress", "always", "--status"]);
        assert_eq!(style(&silent, &piped), bars);
    }

    #[test]
    fn what_is_piped_has_no_colours_unless_the_option_says_so() {
        let colour_of = |arguments: &[&str], terminal, colour| {
            stdout_colour(&cli(arguments), &environment(terminal, colour))
        };
        assert!(colour_of(&[], true, true));
        assert!(!colour_of(&[], false, true));
        assert!(!colour_of(&[], true, false));
        assert!(colour_of(&["--color", "always"], false, false));
        assert!(!colour_of(&["--color", "never"], true, true));
    }
}
