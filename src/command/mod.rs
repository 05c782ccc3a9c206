//! The wiring, top to bottom: command line → configuration → mirror → engine → report → exit status.

pub(crate) mod args;
pub(crate) mod config;
mod defect;
mod generate;
mod messages;
mod outcome;
mod output;
mod planted;
mod recap;
mod reports;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

use clap::Parser;

use crate::audit::{self, Audit};
use crate::command::args::Cli;
use crate::command::config::{Against, Config, Environment, Target};
use crate::command::recap::Recap;

use crate::digest::choice;
use crate::engine::{self, PoolError, Prepared, Work};
use crate::hints::budget::Budget;
use crate::hints::key_recovery;
use crate::hints::notes::{Note, Noting};
use crate::limits;
use crate::mirror::pairing::Needed;
use crate::mirror::walk::Reach;
use crate::mirror::watch::{Ended, Watch};
use crate::mirror::{self, Artifact, Search, Survey};
use crate::progress::{Cancel, Counters};
use crate::report;
use crate::report::file::{ReportError, ReportFile};
use crate::run::exit::Exit;
use crate::run::{End, Options, Run, Start};
use crate::terminal::progress::{Phase, Progress};
use crate::terminal::signals::Interrupt;
use crate::terminal::stream;
use crate::terminal::{self, Stream, say};
use crate::text::escape;
use crate::text::os_error;
use crate::trust::verdict::{Record, Summary};
use crate::verify::patience;
use crate::verify::unmatched::{self, Loose};
use crate::verify::work;
use messages::{conclude, explain, name_extent, name_skipped, remark, warn};
use outcome::{Audited, Outcome};
use output::Telling;

/// Runs the command with the process's arguments.
pub fn run() -> ExitCode {
    defect::tell();
    let exit = match limits::lift() {
        // Fail closed: what ended in the middle of something has judged nothing.
        Ok(()) => defect::guard(|| limits::with_enough_stack(command)).unwrap_or(Exit::CannotJudge),
        Err(error) => cannot(&format!(
            "{}: raise the limit on memory (ulimit -v, ulimit -d)",
            os_error::words(&error)
        )),
    };
    exit.into()
}

fn command() -> Exit {
    if let Some(problem) = planted::option(std::env::args_os()) {
        return cannot(&problem);
    }
    match Cli::try_parse() {
        Ok(cli) if cli.version => version(&cli),
        Ok(Cli {
            generate: Some(what),
            ..
        }) => print(generate::generate(what)),
        Ok(cli) => match Config::resolve(&cli, &Environment::here()) {
            Ok(config) => verify(&Arc::new(config)),
            Err(error) => cannot(&error),
        },
        Err(message) => usage(&message),
    }
}

/// Prints help, or what is wrong with the arguments.
fn usage(message: &clap::Error) -> Exit {
    if !message.use_stderr() {
        return told(terminal::explain(message), true);
    }
    // An argument may be a file's name (`verify-signatures *`), and the message repeats it: it is made from the arguments as
    // they are printed, so that no name can break its lines.
    let shown = std::env::args_os().map(|argument| escape::name(&argument));
    match Cli::try_parse_from(shown) {
        Err(message) => told(terminal::explain(&message), false),
        // What is wrong is bytes that are not UTF-8 where text is asked for, and escaped they are text.
        Ok(_) => cannot(&message.kind()),
    }
}

fn cannot(error: &impl Display) -> Exit {
    say(error);
    Exit::CannotJudge
}

/// Help and version are a success where they could be printed; a usage error never is.
fn told(printed: io::Result<()>, success: bool) -> Exit {
    match printed {
        Ok(()) if success => Exit::Valid,
        Ok(()) => Exit::CannotJudge,
        Err(error) => undelivered(&error),
    }
}

fn undelivered(error: &io::Error) -> Exit {
    cannot(&format!("standard output: {}", os_error::words(error)))
}

/// Whether stdout can be written to, if anything will be.
fn can_print(config: &Config) -> io::Result<()> {
    if config.detail.lines {
        Stream::stdout()?.check()
    } else {
        Ok(())
    }
}

fn print(text: io::Result<Vec<u8>>) -> Exit {
    told(text.and_then(|text| terminal::print(&text)), true)
}

fn version(cli: &Cli) -> Exit {
    let mut text = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"), "\n").to_owned();
    if cli.verbose {
        text += &report::choice(&choice::choose(usize::MAX));
        text += "\n";
    }
    print(Ok(text.into_bytes()))
}

fn verify(config: &Arc<Config>) -> Exit {
    let began = (Instant::now(), SystemTime::now());
    let cancel = Cancel::default();
    let interrupt = match Interrupt::listen(&cancel) {
        Ok(interrupt) => interrupt,
        Err(error) => return cannot(&os_error::words(&error)),
    };
    stream::heed(cancel.flag());
    // Told before hours of work, not after them.
    if let Err(error) = can_print(config) {
        return undelivered(&error);
    }
    warn(config);
    name_skipped(config);
    name_extent(config);
    let survey = match survey(config, &cancel) {
        Ok(survey) => survey,
        Err(NotBegun::Cancelled) => return unsurveyed(config, began, &interrupt),
        Err(error) => return cannot(&error),
    };
    remark(config, &survey);
    // Told before the first byte is hashed; and after the walk, which would see the files that are begun here.
    let reports = match create(config, &survey) {
        Ok(reports) => reports,
        Err(error) => return cannot(&error),
    };
    match judge(config, survey, began, &cancel, &interrupt) {
        Ok(mut judged) => {
            write(reports, &mut judged);
            conclude(config, &judged.outcome, &judged.recap);
            judged.outcome.exit()
        }
        Err(NotBegun::Cancelled) => unsurveyed(config, began, &interrupt),
        Err(error) => cannot(&error),
    }
}

/// Whatever kept a run from beginning.
#[derive(Debug, thiserror::Error)]
enum NotBegun {
    #[error("ended by a signal")]
    Cancelled,
    #[error(
        "the limit on memory leaves too little for what lies here, of which {entries} entries were seen; raise it (ulimit -v, ulimit -d), \
         or verify fewer at a time"
    )]
    Memory { entries: u64 },
    #[error("standard output: {}", os_error::words(.0))]
    Stdout(#[from] io::Error),
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error("{0}: an artifact or a signature of this run; a report there would replace it")]
    ReportReplaces(String),
    #[error(
        "{0}: standard output or standard error of this run goes there, and a report would replace it; name another file"
    )]
    ReportReplacesOutput(String),
    #[error(transparent)]
    Report(#[from] ReportError),
}

fn survey(config: &Config, cancel: &Cancel) -> Result<Survey, NotBegun> {
    let (paths, search) = match &config.target {
        Target::Paths(paths, search) => (paths, search),
        Target::One(one) => {
            let one = one.clone();
            let survey = patience::unless_cancelled(cancel, move || Survey {
                artifacts: vec![work::artifact(&one)],
                ..Survey::default()
            });
            return survey.ok_or(NotBegun::Cancelled);
        }
    };
    let entries = Arc::new(AtomicU64::new(0));
    let progress = Progress::start(config.progress, Phase::Walking(Arc::clone(&entries)));
    let look = {
        let (paths, search, cancel) = (paths.clone(), search.clone(), cancel.clone());
        let entries = Arc::clone(&entries);
        move || {
            let watch = Watch {
                entries: &entries,
                cancelled: &|| cancel.is_cancelled(),
                has_room: &limits::has_room,
            };
            mirror::survey(&paths, &search, watch)
        }
    };
    let survey = patience::unless_cancelled(cancel, look);
    progress.finish();
    survey
        .unwrap_or(Err(Ended::Cancelled))
        .map_err(|ended| match ended {
            Ended::Cancelled => NotBegun::Cancelled,
            Ended::Memory => NotBegun::Memory {
                entries: entries.load(Ordering::Relaxed),
            },
        })
}

/// Writes the reports of a run that was ended while it looked for files, lest an earlier run's be taken for this one's.
fn unsurveyed(
    config: &Config,
    (began, time): (Instant, SystemTime),
    interrupt: &Interrupt,
) -> Exit {
    let summary = Summary {
        unsurveyed: true,
        elapsed: began.elapsed(),
        ..Summary::default()
    };
    let outcome = Outcome {
        summary,
        output: Ok(()),
        empty: Vec::new(),
        interrupted: interrupt.exit(),
        unwritten: Vec::new(),
        panics: 0,
        notes: Arc::from([]),
        audit: match config.against {
            Some(_) => Audited::NotMade,
            None => Audited::NotAsked,
        },
    };
    let nothing = engine::prepare(Vec::new(), config.settings.clone(), &BTreeMap::new());
    let nothing = match nothing {
        Ok(nothing) => nothing,
        Err(error) => return cannot(&error),
    };
    let mut judged = Judged {
        start: start(config, &nothing, time),
        end: end(&outcome),
        outcome,
        records: Vec::new(),
        recap: Recap::default(),
    };
    match create(config, &beside_reports(config)) {
        Ok(reports) => write(reports, &mut judged),
        Err(error) => judged.outcome.unwritten.push(error.to_string()),
    }
    judged.outcome.problems().iter().for_each(say);
    judged.outcome.exit()
}

/// What the reports' own names belong to, and what stands there: all that is known of the mirror when the walk did not come to its end.
fn beside_reports(config: &Config) -> Survey {
    let targets = config.reports.iter().map(|(target, _)| target);
    let places = targets.flat_map(|target| [Some(target.clone()), target.canonicalize().ok()]);
    let files: Vec<PathBuf> = places.flatten().filter(|place| !place.is_dir()).collect();
    let search = Search {
        reach: Reach::default(),
        needed: Needed::Artifacts,
    };
    let watch = Watch {
        entries: &AtomicU64::new(0),
        cancelled: &|| false,
        has_room: &limits::has_room,
    };
    mirror::survey(&files, &search, watch).unwrap_or_default()
}

fn create(config: &Config, survey: &Survey) -> Result<Vec<ReportFile>, NotBegun> {
    let reports = config.reports.iter();
    let created = reports.map(|(target, format)| reports::create(target, *format, config, survey));
    created.collect()
}

/// A run that is over, and what is still to be told of it.
struct Judged {
    start: Start,
    end: End,
    outcome: Outcome,
    records: Vec<Record>,
    recap: Recap,
}

/// Bytes that an artifact takes until the work begins, beside its paths.
const MEMORY_OF_A_WORK: u64 = 600;

fn judge(
    config: &Arc<Config>,
    survey: Survey,
    (began, time): (Instant, SystemTime),
    cancel: &Cancel,
    interrupt: &Interrupt,
) -> Result<Judged, NotBegun> {
    let empty = survey.empty.iter();
    let empty = empty.map(|path| escape::name(path.as_os_str())).collect();
    let artifacts = survey.artifacts.len();
    if !limits::has_room(MEMORY_OF_A_WORK.saturating_mul(artifacts as u64)) {
        return Err(PoolError::Memory { records: artifacts }.into());
    }
    let to_works = Arc::clone(config);
    let works = patience::unless_cancelled(cancel, move || {
        let loose = Loose::of(&survey);
        (works(&to_works, survey.artifacts, loose.seeks()), loose)
    });
    let (works, loose) = works.ok_or(NotBegun::Cancelled)?;
    let expected = works.len() as u64;
    let stdout = Stream::stdout()?;
    let prepared = prepare(config, works)?;
    let start = start(config, &prepared, time);
    let counters = Arc::new(Counters::default());
    let progress = Progress::start(config.progress, Phase::Verifying(Arc::clone(&counters)));
    let mut telling = Telling::new(config, stdout, progress, expected);
    telling.start(&start);
    let ran = prepared.run(Arc::clone(&counters), cancel, &mut telling);
    telling.finish_progress();
    ran?;
    telling.summary.bytes = counters.hashed();
    telling.summary.elapsed = began.elapsed();
    let noting = std::mem::take(&mut telling.noting);
    let mut outcome = Outcome {
        notes: notes(config, noting, loose, cancel).into(),
        audit: audit(config, &telling.summary, &telling.kept),
        summary: telling.summary.clone(),
        output: std::mem::replace(&mut telling.output, Ok(())),
        empty,
        interrupted: interrupt.exit(),
        unwritten: Vec::new(),
        panics: counters.panics(),
    };
    if outcome.output.is_ok() {
        telling.end(&end(&outcome));
        outcome.output = telling.output;
    }
    Ok(Judged {
        start,
        // After the last line: if that was not taken, the reports say so.
        end: end(&outcome),
        outcome,
        records: telling.kept,
        recap: telling.recap,
    })
}

/// The most work that finding another key may be, in verifications: less than a tenth of a second's worth.
const MOST_RECOVERY: usize = 1000;

/// What the run shows as a whole, if anybody will hear of it.
fn notes(config: &Config, mut noting: Noting, loose: Loose, cancel: &Cancel) -> Vec<Note> {
    if !config.detail.lines && config.reports.is_empty() {
        return Vec::new();
    }
    let mut notes = loose.into_notes(&mut noting);
    let cancelled = || cancel.is_cancelled();
    let found = noting.notes(&config.settings.keys, &cancelled);
    notes.extend(wrong_key(config, &noting, &found, &cancelled));
    notes.extend(found);
    unmatched::without_repetitions(notes)
}

/// The note that the keys are probably the wrong ones; none where one of them made a signature, though over another file.
fn wrong_key(
    config: &Config,
    noting: &Noting,
    found: &[Note],
    cancelled: &dyn Fn() -> bool,
) -> Option<Note> {
    let fits = |note: &Note| {
        matches!(
            note,
            Note::SignatureFitsOther { .. } | Note::SignatureFits { .. }
        )
    };
    let (strangers, signatures) = noting.all_strange().filter(|_| !found.iter().any(fits))?;
    let signer = key_recovery::signer(strangers, &Budget::new(MOST_RECOVERY, cancelled));
    Some(Note::WrongKey {
        keys: config.settings.keys.clone(),
        signatures,
        signer: signer.map(|signer| (signer.fingerprint, signer.signatures)),
    })
}

/// Compares the records with the baseline, if there is one.
fn audit(config: &Config, summary: &Summary, records: &[Record]) -> Audited {
    let Some(against) = &config.against else {
        return Audited::NotAsked;
    };
    if !summary.is_complete() {
        return Audited::NotMade;
    }
    let Against { path, baseline, .. } = against;
    Audited::Made(Arc::new(Audit {
        baseline: path.clone(),
        digest: baseline.digest,
        time: baseline.time.clone(),
        findings: audit::compare(baseline, &config.asked.roots, records),
    }))
}

fn works(config: &Config, artifacts: Vec<Artifact>, seeks: bool) -> Vec<Work> {
    let to_work = |artifact| work::work(artifact, config, seeks);
    let mut works: Vec<Work> = artifacts.into_iter().map(to_work).collect();
    work::share(&mut works);
    work::look(&mut works);
    works
}

fn prepare(config: &Config, works: Vec<Work>) -> Result<Prepared, PoolError> {
    let media = work::media(&works);
    let access = media
        .iter()
        .map(|(device, medium)| (*device, work::access(*medium, config)));
    let prepared = engine::prepare(works, config.settings.clone(), &access.collect())?;
    if config.detail.reasons {
        explain(config, &prepared, &media);
    }
    Ok(prepared)
}

fn start(config: &Config, prepared: &Prepared, time: SystemTime) -> Start {
    let (search, signature) = match &config.target {
        Target::Paths(_, search) => (Some(search), None),
        Target::One(one) => (None, Some(one.signature.clone())),
    };
    let reach = search.map(|search| &search.reach);
    let node = rustix::system::uname();
    Start {
        time,
        host: node.nodename().to_string_lossy().into_owned(),
        keys: config.settings.keys.clone(),
        directory: std::env::current_dir().ok(),
        roots: config.asked.roots.clone(),
        options: Options {
            signature,
            max_depth: reach.and_then(|reach| reach.max_depth),
            follow_links: reach.is_some_and(|reach| reach.follow_links),
            exclude: config.asked.exclude.clone(),
            key_fingerprints: config.asked.fingerprints.clone(),
            allow_unsigned: config.allow_unsigned,
            all_files: search.is_some_and(|search| search.needed == Needed::AllFiles),
            baseline: config.against.as_ref().map(|against| against.path.clone()),
            io: config.asked.io,
            threads: prepared.threads(),
            sha256: prepared.choice().hasher.name(),
        },
    }
}

fn end(outcome: &Outcome) -> End {
    End {
        time: SystemTime::now(),
        summary: outcome.summary.clone(),
        interrupted: outcome.signal(),
        exit_status: outcome.exit().code(),
        problems: outcome.problems(),
        notes: Arc::clone(&outcome.notes),
        audit: outcome.audit.audit().map(Arc::clone),
    }
}

/// Writes the reports. One that cannot be written is told of, and the others are written all the same.
fn write(reports: Vec<ReportFile>, judged: &mut Judged) {
    let run = Run {
        start: &judged.start,
        records: &judged.records,
        end: &judged.end,
    };
    let failed = reports
        .into_iter()
        .filter_map(|report| report.write(run).err());
    judged.outcome.unwritten = failed.map(|error| error.to_string()).collect();
}
