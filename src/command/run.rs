//! One run, top to bottom: survey → verify → finish → reports.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Instant, SystemTime};

use super::config::{Against, Config};
use super::messages::{conclude, explain, name_extent, name_skipped, remark, warn};
use super::output::Output;
use super::recap::Recap;
use super::{cannot, reports, undelivered};
use crate::audit::{self, Audit};
use crate::engine::Prepared;
use crate::mirror::pairing::Needed;
use crate::mirror::{Survey, walk::WalkOptions};
use crate::progress::Counters;
use crate::report::file::{ReportError, ReportFile};
use crate::run::conclusion::Conclusion;
use crate::run::outcome::{Audited, Outcome};
use crate::run::{End, Options, Run, Start};
use crate::terminal::progress::{Phase, Progress, Style};
use crate::terminal::signals::Interrupt;
use crate::terminal::stream;
use crate::terminal::{Stream, print_message};
use crate::text::{escape, os_error};
use crate::trust::verdict::{Record, Summary};
use crate::verify::{Inputs, Planned, Verifier, VerifyError};

/// Start of a run, on both clocks.
#[derive(Clone, Copy)]
struct Began {
    instant: Instant,
    time: SystemTime,
}

/// Verifies, prints and writes reports.
pub(super) fn run(config: &Config) -> Conclusion {
    let began = Began {
        instant: Instant::now(),
        time: SystemTime::now(),
    };
    let cancel = &config.verifier.cancel;
    let interrupt = match Interrupt::listen(cancel) {
        Ok(interrupt) => interrupt,
        Err(error) => return cannot(&os_error::words(&error)),
    };
    stream::cancel_on(cancel.flag());
    // Reported before hours of work, and not after them.
    if let Err(error) = can_print(config) {
        return undelivered(&error);
    }
    warn(config);
    name_skipped(config);
    name_extent(config);
    match judge(config, began, &interrupt) {
        Ok((reports, mut judged)) => {
            write(reports, &mut judged);
            conclude(config, &judged.outcome, &judged.recap);
            judged.outcome.conclusion()
        }
        Err(NotBegun::Verify(VerifyError::Cancelled)) => unsurveyed(config, began, &interrupt),
        Err(error) => cannot(&error),
    }
}

/// Checks that stdout can be written to, if anything will be.
fn can_print(config: &Config) -> io::Result<()> {
    if config.output.detail.lines {
        Stream::stdout()?.check()
    } else {
        Ok(())
    }
}

/// What kept a run from beginning.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotBegun {
    #[error(transparent)]
    Verify(#[from] VerifyError),
    #[error("standard output: {}", os_error::words(.0))]
    Stdout(#[from] io::Error),
    #[error("{0}: an artifact or a signature of this run; a report there would replace it")]
    ReportReplaces(String),
    #[error(
        "{0}: standard output or standard error of this run goes there, and a report would replace it; name another file"
    )]
    ReportReplacesOutput(String),
    #[error(transparent)]
    Report(#[from] ReportError),
}

/// A finished run, and what remains to be reported.
struct Judged {
    start: Start,
    end: End,
    outcome: Outcome,
    records: Vec<Record>,
    recap: Recap,
}

fn judge(
    config: &Config,
    began: Began,
    interrupt: &Interrupt,
) -> Result<(Vec<ReportFile>, Judged), NotBegun> {
    let survey = survey(config)?;
    remark(config, &survey);
    // Before the first byte is hashed, and after the walk, which would find the files created here.
    let reports = create(config, &survey)?;
    let empty = survey.empty.iter();
    let empty = empty.map(|path| escape::name(path.as_os_str())).collect();
    let planned = config.verifier.plan(survey, &config.inputs)?;
    let stdout = Stream::stdout()?;
    if config.output.detail.reasons {
        explain(config, &planned);
    }
    let judged = verify(config, planned, began, stdout, empty, interrupt)?;
    Ok((reports, judged))
}

fn survey(config: &Config) -> Result<Survey, VerifyError> {
    let entries = Arc::new(AtomicU64::new(0));
    let phase = match config.inputs {
        Inputs::Paths(_) => config.output.progress,
        // There is nothing to search for.
        Inputs::One(_) => Style::Hidden,
    };
    let progress = Progress::start(phase, Phase::Walking(Arc::clone(&entries)));
    let survey = config.verifier.survey(&config.inputs, &entries);
    progress.finish();
    survey
}

fn verify(
    config: &Config,
    planned: Planned,
    began: Began,
    stdout: impl Write,
    empty: Vec<String>,
    interrupt: &Interrupt,
) -> Result<Judged, NotBegun> {
    let start = start(config, &planned.prepared, began.time);
    let counters = Arc::new(Counters::default());
    let cancel = config.verifier.cancel.child();
    let (records, unmatched) = planned.begin(Arc::clone(&counters), cancel, began.instant)?;
    let progress = Phase::Verifying(Arc::clone(&counters));
    let progress = Progress::start(config.output.progress, progress);
    let mut output = Output::new(config, stdout, progress);
    output.start(&start);
    let summary = output.all(records);
    output.finish_progress();
    if output.taken.is_err() {
        // Output failed: what else the run could find is not worth waiting for.
        config.verifier.cancel.cancel();
    }
    let collector = std::mem::take(&mut output.collector);
    let is_wanted = config.output.detail.lines || !config.reports.is_empty();
    let notes = is_wanted.then(|| config.verifier.notes(collector, unmatched));
    let mut outcome = Outcome {
        notes: notes.unwrap_or_default().into(),
        audit: audit(config, &summary, &output.kept),
        summary,
        output: std::mem::replace(&mut output.taken, Ok(())),
        empty,
        interrupted: interrupt.conclusion(),
        unwritten: Vec::new(),
        panics: counters.panics(),
    };
    if outcome.output.is_ok() {
        output.end(&End::of(&outcome));
        outcome.output = output.taken;
    }
    Ok(Judged {
        start,
        // After the last line, so that the reports record a failure to print it.
        end: End::of(&outcome),
        outcome,
        records: output.kept,
        recap: output.recap,
    })
}

/// Compares the records with the baseline, if there is one.
fn audit(config: &Config, summary: &Summary, records: &[Record]) -> Audited {
    let Some(Against { path, baseline, .. }) = &config.audit else {
        return Audited::NotAsked;
    };
    if !summary.is_complete() {
        return Audited::NotMade;
    }
    Audited::Made(Arc::new(Audit {
        baseline: path.clone(),
        digest: baseline.digest,
        time: baseline.time.clone(),
        findings: audit::compare(baseline, &config.asked.roots, records),
    }))
}

/// Writes the reports of a run that was cancelled during the survey, lest an earlier run's reports
/// be taken for its own.
fn unsurveyed(config: &Config, began: Began, interrupt: &Interrupt) -> Conclusion {
    let nothing = match config.verifier.plan_nothing() {
        Ok(nothing) => nothing,
        Err(error) => return cannot(&error),
    };
    let outcome = Outcome {
        summary: Summary {
            unsurveyed: true,
            elapsed: began.instant.elapsed(),
            ..Summary::default()
        },
        output: Ok(()),
        empty: Vec::new(),
        interrupted: interrupt.conclusion(),
        unwritten: Vec::new(),
        panics: 0,
        notes: Arc::from([]),
        audit: match config.audit {
            Some(_) => Audited::NotMade,
            None => Audited::NotAsked,
        },
    };
    let mut judged = Judged {
        start: start(config, &nothing, began.time),
        end: End::of(&outcome),
        outcome,
        records: Vec::new(),
        recap: Recap::default(),
    };
    match create(config, &beside_reports(config)) {
        Ok(reports) => write(reports, &mut judged),
        Err(error) => judged.outcome.unwritten.push(error.to_string()),
    }
    judged.outcome.problems().iter().for_each(print_message);
    judged.outcome.conclusion()
}

/// Surveys the reports' own names and what exists there: all that is known about the mirror when
/// the walk was cut short.
fn beside_reports(config: &Config) -> Survey {
    let targets = config.reports.iter().map(|(target, _)| target);
    let places = targets.flat_map(|target| [Some(target.clone()), target.canonicalize().ok()]);
    let files: Vec<PathBuf> = places.flatten().filter(|place| !place.is_dir()).collect();
    // A cancelled verifier would stop at once, so this survey uses a new one.
    let verifier = Verifier::new([]);
    let survey = verifier.survey(&Inputs::Paths(files), &Arc::default());
    survey.unwrap_or_default()
}

fn create(config: &Config, survey: &Survey) -> Result<Vec<ReportFile>, NotBegun> {
    let reports = config.reports.iter();
    let created = reports.map(|(target, format)| reports::create(target, *format, config, survey));
    created.collect()
}

fn start(config: &Config, prepared: &Prepared, time: SystemTime) -> Start {
    let Verifier {
        settings,
        search,
        policy,
        ..
    } = &config.verifier;
    let WalkOptions {
        max_depth,
        follow_links,
        ..
    } = search.reach;
    let node = rustix::system::uname();
    Start {
        time,
        host: node.nodename().to_string_lossy().into_owned(),
        keys: settings.keys.clone(),
        directory: std::env::current_dir().ok(),
        roots: config.asked.roots.clone(),
        options: Options {
            signature: match &config.inputs {
                Inputs::Paths(_) => None,
                Inputs::One(one) => Some(one.signature.clone()),
            },
            max_depth,
            follow_links,
            exclude: config.asked.exclude.clone(),
            key_fingerprints: config.asked.fingerprints.clone(),
            allow_unsigned: policy.allow_unsigned,
            all_files: search.needed == Needed::AllFiles,
            baseline: config.audit.as_ref().map(|against| against.path.clone()),
            io: config.asked.io,
            threads: prepared.threads(),
            sha256: prepared.choice().hasher.name(),
        },
    }
}

/// Writes the reports. A failure is recorded, and the other reports are still written.
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
