//! `--merge`: the reports of all shards, merged into the verdict on the whole mirror. Nothing is
//! hashed and no key is needed.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::args::{Cli, Format};
use super::config::{Against, Environment, Merging, part};
use super::ending::conclude;
use super::evidence::name_reports;
use super::messages::warn_of_key;
use super::not_begun::NotBegun;
use super::recap::Recap;
use super::run::write_reports;
use super::{cannot, origin, reports};
use crate::audit::{self, Audit};
use crate::merge::{Merged, Part, Reports, merge};
use crate::mirror::Survey;
use crate::report::file::ReportFile;
use crate::report::{json, lines};
use crate::run::conclusion::Conclusion;
use crate::run::origin::Origin;
use crate::run::outcome::{Audited, Outcome, Problem};
use crate::run::{End, Start};
use crate::terminal::{Message, Stream, canvas};
use crate::text::escape;
use crate::trust::record::Record;
use crate::verify::Inputs;

/// Merges the reports, prints and writes what they come to.
pub(super) fn run(cli: &Cli, environment: &Environment) -> Conclusion {
    match merged(cli, environment) {
        Ok(conclusion) => conclusion,
        Err(error) => cannot(&error.message()),
    }
}

fn merged(cli: &Cli, environment: &Environment) -> Result<Conclusion, NotBegun> {
    let merging = Merging::resolve(cli, environment)?;
    let files = create(&merging)?;
    let reports = read(&merging.parts);
    let unread = reports.unread.clone();
    let Some(merged) = merge(reports, &merging.demands) else {
        unread.iter().for_each(|problem| message(problem).print());
        return Ok(cannot(&Message::error(
            "none of these is the report of a shard",
        )));
    };
    let has_images = merged.options.images.is_some();
    let against = merging.against(merged.roots.len(), has_images)?;
    let is_reported = !files.is_empty() || merging.output.format == Format::Jsonl;
    let origin = if is_reported {
        origin::of_this_run(merging.note.as_deref(), &merged.roots)
            .map_err(NotBegun::NoIdentifier)?
    } else {
        Origin::default()
    };
    Ok(conclude_all(
        &merging,
        files,
        merged,
        against.as_ref(),
        origin,
    ))
}

/// Prints everything, writes the reports, and says what it all comes to.
fn conclude_all(
    merging: &Merging,
    files: Vec<ReportFile>,
    merged: Merged,
    against: Option<&Against>,
    origin: Origin,
) -> Conclusion {
    let start = start(&merged, origin, against);
    let detail = merging.output.detail;
    if detail.lines {
        let remarks = merged.remarks.iter();
        remarks.for_each(|remark| Message::note(remark.as_str()).print());
        let exposed = start
            .keys
            .iter()
            .filter(|key| key.is_exposed && !key.is_pinned);
        exposed.for_each(|key| warn_of_key(&key.name));
    }
    let mut recap = Recap::new(&start);
    let mut outcome = Outcome {
        audit: audited(against, &merged),
        has_failed_part: merged.has_failed,
        not_whole: merged.problems,
        unchecked: Arc::new(merged.unchecked),
        notes: merged.notes.into(),
        ..Outcome::of(merged.summary)
    };
    let ended = |outcome: &Outcome| End {
        time: merged.ended,
        ..End::of(outcome)
    };
    outcome.output = print(merging, &start, &merged.records, &mut recap, || {
        ended(&outcome)
    });
    let end = ended(&outcome);
    let signer = merging.signer.as_ref();
    let (written, unwritten) = write_reports(files, (&start, &merged.records, &end), signer);
    outcome.unwritten = unwritten;
    if outcome.output.is_ok() {
        name_reports(&start.origin.id, &written, detail);
    }
    let patterns = &start.options.exclude;
    conclude(
        merging.output,
        (&merging.reports, patterns),
        &outcome,
        &recap,
    );
    outcome.conclusion()
}

/// Creates the reports. What they must not replace is checked by [`Merging::resolve`], but for what
/// lies in their place.
fn create(merging: &Merging) -> Result<Vec<ReportFile>, NotBegun> {
    let (nothing, no_paths) = (Survey::default(), Inputs::Paths(Vec::new()));
    let created = merging.reports.iter();
    created
        .map(|target| reports::create(target, &no_paths, &nothing, merging.signer.as_ref()))
        .collect()
}

/// Reads the reports in their order. The first of a shard decides how paths are spelled; the others
/// follow, as many at once as there are cores.
fn read(mut paths: &[PathBuf]) -> Reports {
    let mut roots: Option<Vec<PathBuf>> = None;
    let mut reports = Reports::default();
    while !paths.is_empty() {
        let at_once = roots.as_ref().map_or(1, |_| rayon::current_num_threads());
        let (these, later) = paths.split_at(at_once.min(paths.len()));
        let spelled = roots.as_deref().unwrap_or_default();
        let read: Vec<Result<Part, Problem>> = these
            .par_iter()
            .map(|path| read_one(path, spelled))
            .collect();
        for one in read {
            match one {
                Ok(part) => {
                    roots.get_or_insert_with(|| part.roots().to_vec());
                    reports.add(part);
                }
                Err(problem) => reports.unread.push(problem),
            }
        }
        paths = later;
    }
    reports
}

fn read_one(path: &Path, roots: &[PathBuf]) -> Result<Part, Problem> {
    let content = part(path).map_err(|error| Problem::new(error.to_string()))?;
    Part::parse(path, &content, roots).map_err(|error| {
        let text = format!("{}: {error}", escape::name(path.as_os_str()));
        Problem::new(escape::message(&text))
    })
}

fn message(problem: &Problem) -> Message {
    Message::error(problem.what.as_str()).maybe_help(problem.help.clone())
}

/// Describes the whole as one run, from the beginning of the first shard's.
fn start(merged: &Merged, origin: Origin, against: Option<&Against>) -> Start {
    let node = rustix::system::uname();
    let mut options = merged.options.clone();
    options.baseline = against.map(|against| against.path.clone());
    Start {
        origin,
        module: merged.module.clone(),
        time: merged.began,
        host: node.nodename().to_string_lossy().into_owned(),
        keys: merged.keys.clone(),
        directory: merged.directory.clone(),
        roots: merged.roots.clone(),
        options,
        threads: merged.threads,
        sha256: merged.sha256.clone(),
        division: None,
        shards: merged.shards.clone(),
    }
}

/// Compares the whole with the baseline, if there is one.
fn audited(against: Option<&Against>, merged: &Merged) -> Audited {
    let Some(Against { path, baseline, .. }) = against else {
        return Audited::NotAsked;
    };
    // Fail closed: what is missing because a shard is missing is not removed.
    if !merged.problems.is_empty() || !merged.summary.is_complete() {
        return Audited::NotMade;
    }
    Audited::Made(Arc::new(Audit {
        baseline: path.clone(),
        digest: baseline.digest,
        time: baseline.time.clone(),
        leaves_out_images: merged.options.images.is_some() && !baseline.has_images(),
        findings: audit::compare(baseline, &merged.roots, &merged.records),
    }))
}

/// Prints the lines, or the objects, and names the failures.
fn print(
    merging: &Merging,
    start: &Start,
    records: &[Record],
    recap: &mut Recap,
    end: impl FnOnce() -> End,
) -> io::Result<()> {
    let (detail, format) = (merging.output.detail, merging.output.format);
    let mut out = printer(detail.lines)?;
    if format == Format::Jsonl && detail.lines {
        json::start(&mut out, start)?;
    }
    for record in records {
        if let Some(message) = recap.note(record)
            && detail.lines
        {
            canvas::mark();
            message.print();
        }
        match format {
            Format::Text => lines::record(&mut out, record, detail)?,
            Format::Jsonl if detail.shows(record) => json::record(&mut out, record)?,
            Format::Jsonl => {}
        }
    }
    if format == Format::Jsonl && detail.lines {
        json::end(&mut out, start, &end())?;
    }
    out.flush()
}

/// Returns stdout, or what takes the place of it where nothing is printed.
fn printer(is_used: bool) -> io::Result<Box<dyn Write>> {
    if !is_used {
        return Ok(Box::new(io::sink()));
    }
    let stdout: Stream<File> = Stream::stdout()?;
    stdout.check()?;
    Ok(Box::new(io::BufWriter::with_capacity(64 * 1024, stdout)))
}
