//! One run, top to bottom: survey → verify → finish → reports.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Instant, SystemTime};

use super::args::Format;
use super::config::{Against, Asked, Config, LedgerFound, Output, Target};
use super::ending::conclude;
use super::evidence::{name_left_out, name_reports};
use super::ledger::Ledger;
use super::messages::{
    self, explain, name_damage, name_extent, name_pipe, name_skipped, remark, warn,
};
use super::not_begun::NotBegun;
use super::output::Printer;
use super::recap::Recap;
use super::{cannot, origin, reports, undelivered};
use crate::audit::{self, Audit};
use crate::earlier::Past;
use crate::earlier::place::Known;
use crate::engine::Prepared;
use crate::files::SharedPath;
use crate::hints::notes::Note;
use crate::mirror::Survey;
use crate::module::Module;
use crate::progress::Counters;
use crate::report::context::Written;
use crate::report::file::ReportFile;
use crate::report::lines::Detail;
use crate::report::sign::Signer;
use crate::run::conclusion::Conclusion;
use crate::run::origin::Origin;
use crate::run::outcome::{Audited, OutOfTime, Outcome};
use crate::run::{End, Run, Start};
use crate::shard::{self, Division};
use crate::terminal::progress::{Phase, Progress, Style};
use crate::terminal::signals::Interrupt;
use crate::terminal::stream;
use crate::terminal::{Message, Stream};
use crate::text::{escape, os_error};
use crate::trust::record::Record;
use crate::trust::summary::Summary;
use crate::trust::unchecked::Unchecked;
use crate::verify::{Inputs, Planned, Records, Verifier, VerifyError};

/// Verifies, prints and writes reports. Hands each stage its own part of the configuration.
pub(super) fn run(config: &Config) -> Conclusion {
    let Config {
        inputs,
        verifier,
        keys,
        output,
        reports,
        signer,
        audit,
        ledger,
        asked,
    } = config;
    let (instant, time) = (Instant::now(), SystemTime::now());
    let interrupt = match Interrupt::listen(&verifier.cancel) {
        Ok(interrupt) => interrupt,
        Err(error) => return cannot(&Message::error(os_error::words(&error))),
    };
    stream::cancel_on(verifier.cancel.flag());
    // Reported before hours of work, and not after them.
    if let Err(error) = can_print(output.detail) {
        return undelivered(&error);
    }
    warn(keys, audit.as_ref(), output.detail);
    name_skipped(keys, output.detail);
    name_damage(ledger.as_ref(), output.detail);
    name_extent(inputs, output.detail);
    name_pipe(inputs, output.detail);
    // Only reports and objects have it: hashing the executable takes its time.
    let is_reported = !reports.is_empty() || output.format == Format::Jsonl;
    let origin = match is_reported.then(|| origin::of_this_run(asked.note.as_deref(), &asked.roots))
    {
        None => Origin::default(),
        Some(Ok(origin)) => origin,
        Some(Err(error)) => return cannot(&NotBegun::NoIdentifier(error).message()),
    };
    let account = Account {
        origin,
        asked,
        signer: signer.as_ref(),
        against: audit.as_ref(),
        ledger: ledger.as_ref(),
        instant,
        time,
        interrupt: &interrupt,
    };
    let judged = prepare(inputs, verifier, reports, &account, *output)
        .and_then(|ready| verify(ready, verifier, &account, *output));
    match judged {
        Ok(mut judged) => {
            judged.write_reports(account.signer);
            judged.name_reports(*output);
            let patterns = &asked.options.exclude;
            conclude(*output, (reports, patterns), &judged.outcome, &judged.recap);
            judged.outcome.conclusion()
        }
        Err(NotBegun::Verify(VerifyError::Cancelled)) => {
            unsurveyed(inputs, verifier, reports, &account, *output)
        }
        Err(error) => cannot(&error.message()),
    }
}

/// Checks that stdout can be written to, if anything will be.
fn can_print(detail: Detail) -> io::Result<()> {
    if detail.lines {
        Stream::stdout()?.check()
    } else {
        Ok(())
    }
}

/// A run that is about to begin: nothing was hashed yet.
struct Ready {
    planned: Planned,
    reports: Vec<ReportFile>,
    ledger: Option<Ledger>,
    stdout: Stream<File>,
    /// The PATHs in which nothing was found, as they are shown.
    empty: Vec<String>,
    /// What the survey left out.
    unchecked: Unchecked,
    /// How it was divided, if it is one shard's.
    division: Option<Division>,
}

/// Surveys the inputs, creates the reports and plans the work.
fn prepare(
    inputs: &Inputs,
    verifier: &Verifier,
    targets: &[Target],
    account: &Account<'_>,
    output: Output,
) -> Result<Ready, NotBegun> {
    let Account { asked, signer, .. } = account;
    let mut survey = survey(inputs, verifier, output.progress)?;
    remark(&survey, &asked.roots, output.detail);
    name_left_out(&survey.unchecked, &asked.options.exclude, output.detail);
    // Before the first byte is hashed, and after the walk, which would find the files created here.
    let reports = create(targets, inputs, &survey, *signer)?;
    if let Some(ledger) = account.ledger {
        reports::spare(&ledger.path, inputs, &survey)?;
    }
    let empty = survey.empty.iter();
    let empty = empty.map(|path| escape::name(path.as_os_str())).collect();
    let unchecked = std::mem::take(&mut survey.unchecked);
    let division = asked.shard.map(|shard| {
        let share = shard::divide(&mut survey.artifacts, &asked.roots, shard);
        messages::name_share(&share, output.detail);
        share
    });
    let planned = verifier.plan(survey, inputs)?;
    let images = asked.options.images.is_some();
    let keep = |found| Ledger::begin(found, Arc::clone(&planned.places), images);
    let ledger = account.ledger.map(keep).transpose()?;
    let stdout = Stream::stdout()?;
    if output.detail.reasons {
        explain(verifier, &planned, inputs);
    }
    Ok(Ready {
        planned,
        reports,
        ledger,
        stdout,
        empty,
        unchecked,
        division,
    })
}

fn survey(inputs: &Inputs, verifier: &Verifier, style: Style) -> Result<Survey, VerifyError> {
    let entries = Arc::new(AtomicU64::new(0));
    let phase = match inputs {
        Inputs::Paths(_) => style,
        // There is nothing to search for.
        Inputs::One(_) => Style::Hidden,
    };
    let progress = Progress::start(phase, Phase::Walking(Arc::clone(&entries)));
    let survey = verifier.survey(inputs, &entries);
    progress.finish();
    survey
}

fn create(
    targets: &[Target],
    inputs: &Inputs,
    survey: &Survey,
    signer: Option<&Signer>,
) -> Result<Vec<ReportFile>, NotBegun> {
    let created = targets
        .iter()
        .map(|target| reports::create(target, inputs, survey, signer));
    created.collect()
}

/// What the account of a run states besides its records.
struct Account<'a> {
    origin: Origin,
    asked: &'a Asked,
    signer: Option<&'a Signer>,
    against: Option<&'a Against>,
    ledger: Option<&'a LedgerFound>,
    /// Start of the run, on both clocks.
    instant: Instant,
    time: SystemTime,
    interrupt: &'a Interrupt,
}

impl Account<'_> {
    fn start(&self, prepared: &Prepared, division: Option<Division>) -> Start {
        let node = rustix::system::uname();
        Start {
            origin: self.origin.clone(),
            module: Module::of_this_build(),
            time: self.time,
            host: node.nodename().to_string_lossy().into_owned(),
            keys: self.asked.keys.clone(),
            directory: std::env::current_dir().ok(),
            roots: self.asked.roots.clone(),
            options: self.asked.options.clone(),
            threads: prepared.threads(),
            sha256: prepared.choice().hasher.name().to_owned(),
            division,
            shards: Vec::new(),
        }
    }

    /// Compares the records with the baseline, if there is one.
    fn audit(&self, summary: &Summary, records: &[Record]) -> Audited {
        let Some(Against { path, baseline, .. }) = self.against else {
            return Audited::NotAsked;
        };
        if !summary.is_complete() {
            return Audited::NotMade;
        }
        Audited::Made(Arc::new(Audit {
            baseline: path.clone(),
            digest: baseline.digest,
            time: baseline.time.clone(),
            leaves_out_images: self.asked.options.images.is_some() && !baseline.has_images(),
            findings: audit::compare(baseline, &self.asked.roots, records),
        }))
    }
}

/// A finished run, and what remains to be reported.
struct Judged {
    start: Start,
    end: End,
    outcome: Outcome,
    records: Vec<Record>,
    recap: Recap,
    reports: Vec<ReportFile>,
    /// The reports that were written.
    written: Vec<Written>,
}

impl Judged {
    /// Writes the reports. A failure is recorded, and the other reports are still written.
    fn write_reports(&mut self, signer: Option<&Signer>) {
        let reports = std::mem::take(&mut self.reports);
        let run = (&self.start, self.records.as_slice(), &self.end);
        let (written, unwritten) = write_reports(reports, run, signer);
        self.written = written;
        self.outcome.unwritten.extend(unwritten);
    }

    /// Prints the digest of each report, unless stdout was closed: then nothing is printed.
    fn name_reports(&self, output: Output) {
        if self.outcome.output.is_ok() || self.outcome.interrupted.is_some() {
            name_reports(&self.start.origin.id, &self.written, output.detail);
        }
    }
}

/// Writes reports. Returns those that were written, and why others were not.
pub(super) fn write_reports(
    mut reports: Vec<ReportFile>,
    (start, records, end): (&Start, &[Record], &End),
    signer: Option<&Signer>,
) -> (Vec<Written>, Vec<String>) {
    let run = Run {
        start,
        records,
        end,
    };
    let (mut all, mut unwritten) = (Vec::new(), Vec::new());
    // What refers to other reports is written after them.
    reports.sort_by_key(ReportFile::rank);
    for report in reports {
        match report.write(run, signer, &all) {
            Ok(written) => all.push(written),
            Err(error) => unwritten.push(error.to_string()),
        }
    }
    (all, unwritten)
}

fn verify(
    ready: Ready,
    verifier: &Verifier,
    account: &Account,
    output: Output,
) -> Result<Judged, NotBegun> {
    let Ready {
        planned,
        reports,
        ledger,
        stdout,
        empty,
        mut unchecked,
        division,
    } = ready;
    let places = Arc::clone(&planned.places);
    let start = account.start(&planned.prepared, division);
    let counters = Arc::new(Counters::default());
    let cancel = verifier.cancel.child();
    let (mut records, unmatched) = planned.begin(Arc::clone(&counters), cancel, account.instant)?;
    let progress = Progress::start(output.progress, Phase::Verifying(Arc::clone(&counters)));
    let mut printer = Printer::new(output, stdout, progress, Recap::new(&start));
    printer.keeps = !reports.is_empty() || account.against.is_some();
    printer.ledger = ledger;
    printer.start(&start);
    let summary = printer.all(&mut records);
    unchecked.unjudged = records.not_judged().cloned().collect();
    let out_of_time = out_of_time(&records, &places, verifier.past.as_deref());
    // Ends the run, if it has not ended by itself.
    drop(records);
    let ledger = printer.ledger.take().map_or(Ok(()), Ledger::finish);
    printer.finish_progress();
    if printer.taken.is_err() {
        // Output failed: what else the run could find is not worth waiting for.
        verifier.cancel.cancel();
    }
    let collector = std::mem::take(&mut printer.collector);
    let is_wanted = output.detail.lines || !reports.is_empty();
    let notes = is_wanted.then(|| verifier.notes(collector, unmatched));
    let mut notes = notes.unwrap_or_default();
    // One failure says nothing of the key.
    notes.retain(|note| !(printer.failed_fast && matches!(note, Note::WrongKey { .. })));
    let mut outcome = Outcome {
        unchecked: Arc::new(unchecked),
        notes: notes.into(),
        audit: account.audit(&summary, &printer.kept),
        summary,
        output: std::mem::replace(&mut printer.taken, Ok(())),
        empty,
        interrupted: account.interrupt.conclusion(),
        failed_fast: printer.failed_fast,
        out_of_time,
        unwritten: ledger.err().iter().map(ToString::to_string).collect(),
        panics: counters.panics(),
        is_share: start.division.is_some(),
        has_failed_part: false,
        not_whole: Vec::new(),
    };
    if outcome.output.is_ok() {
        printer.end(&start, &End::of(&outcome));
        outcome.output = printer.taken;
    }
    Ok(Judged {
        start,
        // After the last line, so that the reports record a failure to print it.
        end: End::of(&outcome),
        outcome,
        records: printer.kept,
        recap: printer.recap,
        reports,
        written: Vec::new(),
    })
}

/// Returns what was not looked at for want of time, if anything was not.
fn out_of_time(records: &Records, places: &Known, past: Option<&Past>) -> Option<OutOfTime> {
    let left_out = records.left_out();
    if left_out.is_empty() {
        return None;
    }
    let of =
        |(data, signature): &(SharedPath, Option<SharedPath>)| places.of(data, signature.as_ref());
    let places = left_out.iter().map(of);
    Some(OutOfTime {
        artifacts: left_out.len() as u64,
        unseen: past.map(|past| past.count(places)),
    })
}

/// Writes the reports of a run that was cancelled during the survey, lest an earlier run's reports
/// be taken for its own.
fn unsurveyed(
    inputs: &Inputs,
    verifier: &Verifier,
    targets: &[Target],
    account: &Account,
    output: Output,
) -> Conclusion {
    let nothing = match verifier.plan_nothing() {
        Ok(nothing) => nothing,
        Err(error) => return cannot(&NotBegun::from(error).message()),
    };
    let summary = Summary {
        unsurveyed: true,
        elapsed: account.instant.elapsed(),
        ..Summary::default()
    };
    let outcome = Outcome {
        interrupted: account.interrupt.conclusion(),
        audit: match account.against {
            Some(_) => Audited::NotMade,
            None => Audited::NotAsked,
        },
        ..Outcome::of(summary)
    };
    let mut judged = Judged {
        start: account.start(&nothing, None),
        end: End::of(&outcome),
        outcome,
        records: Vec::new(),
        recap: Recap::default(),
        reports: Vec::new(),
        written: Vec::new(),
    };
    match create(targets, inputs, &beside(targets), account.signer) {
        Ok(reports) => {
            judged.reports = reports;
            judged.write_reports(account.signer);
        }
        Err(error) => judged.outcome.unwritten.push(error.to_string()),
    }
    judged.name_reports(output);
    conclude(output, (targets, &[]), &judged.outcome, &judged.recap);
    judged.outcome.conclusion()
}

/// Surveys the reports' own names and what exists there: all that is known about the mirror when
/// the walk was cut short.
fn beside(targets: &[Target]) -> Survey {
    let targets = targets.iter().map(|target| &target.path);
    let places = targets.flat_map(|target| [Some(target.clone()), target.canonicalize().ok()]);
    let files: Vec<PathBuf> = places.flatten().filter(|place| !place.is_dir()).collect();
    // A cancelled verifier would stop at once, so this survey uses a new one.
    let verifier = Verifier::new([]);
    let survey = verifier.survey(&Inputs::Paths(files), &Arc::default());
    survey.unwrap_or_default()
}
