//! The wiring, top to bottom: command line → configuration → mirror → engine → report → exit status.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::Parser;

use crate::cli::Cli;
use crate::config::{Config, Environment, Target};
use crate::content::Io;
use crate::device::{self, Access, Medium};
use crate::digest::choice;
use crate::engine::plan::{FileId, Load};
use crate::engine::{self, Cancel, Counters, PoolError, Prepared, Task, Work};
use crate::errno;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::mirror::{self, Artifact, Facts, State, Survey};
use crate::report::progress::Progress;
use crate::report::text::{self, Lines};
use crate::report::{self, escape, say};
use crate::trust::verdict::{Part, Record, Summary, Verdict};

/// Runs the command with the process's arguments.
pub fn run() -> ExitCode {
    let exit = match Cli::try_parse() {
        Ok(cli) if cli.version => version(&cli),
        Ok(cli) => match Config::resolve(&cli, &Environment::here()) {
            Ok(config) => verify(&config),
            Err(error) => cannot(&error),
        },
        Err(message) => told(report::explain(&message), !message.use_stderr()),
    };
    exit.into()
}

fn cannot(error: &impl std::fmt::Display) -> Exit {
    say(error);
    Exit::CannotJudge
}

/// Help and version are a success where they could be printed; a usage error never is.
fn told(printed: io::Result<()>, success: bool) -> Exit {
    match printed {
        Ok(()) if success => Exit::Valid,
        Ok(()) => Exit::CannotJudge,
        Err(error) => cannot(&format!("standard output: {}", errno::words(&error))),
    }
}

fn version(cli: &Cli) -> Exit {
    let mut text = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned();
    if cli.verbose {
        text += &format!("\n{}", text::choice(&choice::fastest(usize::MAX)));
    }
    told(report::print(&text), true)
}

fn verify(config: &Config) -> Exit {
    let started = Instant::now();
    let cancel = Cancel::default();
    let interrupt = match Interrupt::listen(&cancel) {
        Ok(interrupt) => interrupt,
        Err(error) => return cannot(&errno::words(&error)),
    };
    let Some(survey) = survey(&config.target, &cancel) else {
        say(&"interrupted while looking for files; nothing was verified");
        return interrupt.exit().unwrap_or(Exit::CannotJudge);
    };
    remark(config, &survey);
    let stdout = match report::stdout() {
        Ok(stdout) => stdout,
        Err(error) => return cannot(&format!("standard output: {}", errno::words(&error))),
    };
    let mut end = match judge(config, survey.artifacts, stdout, &cancel) {
        Ok(end) => end,
        Err(error) => return cannot(&error),
    };
    end.summary.elapsed = started.elapsed();
    if config.detail.lines && end.output.is_ok() {
        say(&end.summary);
    }
    if let Some(problem) = problem(&end) {
        say(&problem);
    }
    exit(&end, survey.empty.is_empty(), interrupt.exit())
}

/// `None` when cancelled before the end.
fn survey(target: &Target, cancel: &Cancel) -> Option<Survey> {
    match target {
        Target::Paths(paths, search) => mirror::survey(paths, search, &|| cancel.is_cancelled()),
        Target::One { data, signature } => Some(Survey {
            artifacts: vec![mirror::appointed(data, signature)],
            ..Survey::default()
        }),
    }
}

/// What is worth saying before the first file is read.
fn remark(config: &Config, survey: &Survey) {
    for path in &survey.empty {
        let path = escape::name(path.as_os_str());
        say(&format!(
            "{path}: nothing to verify: no signature, and no file that needs one"
        ));
    }
    let linked = survey.links_not_entered.len();
    if linked > 0 && config.detail.lines {
        say(&format!(
            "linked directories not entered: {linked} (--follow-links enters them)"
        ));
    }
    if config.detail.reasons {
        for link in &survey.links_not_entered {
            let link = escape::name(link.as_os_str());
            say(&format!("{link}: a link to a directory, not entered"));
        }
    }
}

/// What was chosen for this run.
fn explain(config: &Config, prepared: &Prepared, media: &BTreeMap<u64, Medium>) {
    let settings = &config.settings;
    let io = match settings.io {
        Io::Auto => "memory maps, pread(2) for small files and where maps are refused",
        Io::Mmap => "memory maps",
        Io::Read => "pread(2)",
    };
    say(&format!("threads: {}; reading by {io}", prepared.threads()));
    say(&text::choice(prepared.choice()));
    for medium in media.values().collect::<BTreeSet<_>>() {
        say(&match access(*medium, config).readers {
            Some(readers) => format!(
                "{medium}: {readers} file at a time, in the order of the paths (--jobs overrides)"
            ),
            None => format!("{medium}: files side by side, the largest first"),
        });
    }
    for key in &settings.keys {
        let (name, fingerprint) = (key.name(), key.fingerprint());
        say(&format!("key {name} with fingerprint {fingerprint}"));
    }
}

/// What the files lie on, by the number of the device.
fn media(works: &[Work]) -> BTreeMap<u64, Medium> {
    let devices: BTreeSet<u64> = works
        .iter()
        .filter_map(|work| match work {
            Work::Verify(task) => Some(task.load.file.device),
            Work::Decided(_) => None,
        })
        .collect();
    devices
        .into_iter()
        .map(|device| (device, device::medium(device)))
        .collect()
}

/// How a medium is read: as is best for it, but by as many threads as the user asked for.
fn access(medium: Medium, config: &Config) -> Access {
    let best = medium.access();
    Access {
        readers: best.readers.filter(|_| config.limit_readers),
        ..best
    }
}

/// What came of verifying, and of telling it.
struct End {
    summary: Summary,
    output: io::Result<()>,
}

fn judge(
    config: &Config,
    artifacts: Vec<Artifact>,
    stdout: impl io::Write,
    cancel: &Cancel,
) -> Result<End, PoolError> {
    let to_work = |artifact| work(artifact, config.allow_unsigned);
    let works: Vec<Work> = artifacts.into_iter().map(to_work).collect();
    let mut end = End {
        summary: Summary {
            expected: works.len() as u64,
            ..Summary::default()
        },
        output: Ok(()),
    };
    let media = media(&works);
    let access = media
        .iter()
        .map(|(device, medium)| (*device, access(*medium, config)));
    let prepared = engine::prepare(works, config.settings.clone(), &access.collect());
    if config.detail.reasons {
        explain(config, &prepared, &media);
    }
    let counters = Arc::new(Counters::default());
    let shown = Arc::clone(&counters);
    let progress = Progress::start(config.progress, move || (shown.done(), shown.total()));
    let mut lines = Lines::new(stdout, config.detail);
    let ran = prepared.run(Arc::clone(&counters), cancel, |record| {
        end.summary.count(&record.verdict);
        if lines.shows(&record) {
            end.output = progress.aside(|| lines.record(&record));
        }
        match &end.output {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    });
    progress.finish();
    end.summary.bytes = counters.hashed();
    ran.map(|()| end)
}

/// What the engine has to do for an artifact: nothing, where what lies on disk decides it.
fn work(artifact: Artifact, allow_unsigned: bool) -> Work {
    let data = artifact.data;
    let decided = |signature, verdict| {
        Work::Decided(Box::new(Record::unhashed(data.clone(), signature, verdict)))
    };
    let unreadable = |part, error: &io::Error| Verdict::Unreadable {
        part,
        words: errno::words(error),
    };
    match artifact.state {
        State::Signed(signature, facts) => Work::Verify(Task {
            load: load(facts),
            data,
            signature,
        }),
        State::Missing(signature) => decided(Some(signature), Verdict::Missing),
        State::Unsigned => decided(
            None,
            Verdict::Unsigned {
                allowed: allow_unsigned,
            },
        ),
        State::DataNotRegular(signature) => {
            decided(signature, Verdict::NotRegular { part: Part::Data })
        }
        State::SignatureNotRegular(signature) => decided(
            Some(signature),
            Verdict::NotRegular {
                part: Part::Signature,
            },
        ),
        State::Unreadable(signature, error) => {
            decided(Some(signature), unreadable(Part::Data, &error))
        }
        State::DirectoryUnreadable(error) => decided(None, unreadable(Part::Directory, &error)),
    }
}

fn load(facts: Facts) -> Load {
    Load {
        size: facts.size,
        file: FileId {
            device: facts.device,
            inode: facts.inode,
        },
    }
}

/// What kept the run from a judgement, beyond what the lines and the summary say.
fn problem(end: &End) -> Option<String> {
    match &end.output {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => None,
        Err(error) => Some(format!("standard output: {}", errno::words(error))),
        Ok(()) if end.summary.failures > 0 || !end.summary.is_complete() => None,
        Ok(()) if end.summary.valid == 0 && end.summary.records() > 0 => {
            Some("nothing was verified: no file here has a signature".to_owned())
        }
        Ok(()) => None,
    }
}

fn exit(end: &End, every_path_has_artifacts: bool, interrupted: Option<Exit>) -> Exit {
    let summary = &end.summary;
    // Fail closed: success stands last, behind everything that could speak against it.
    match (&end.output, interrupted) {
        (Err(error), _) if error.kind() == io::ErrorKind::BrokenPipe => Exit::PipeClosed,
        (Err(_), _) => Exit::CannotJudge,
        (Ok(()), Some(exit)) => exit,
        (Ok(()), None) if summary.failures > 0 => Exit::NotValid,
        // A worker that vanished took its records with it.
        (Ok(()), None) if !summary.is_complete() => Exit::CannotJudge,
        // A mount that is not there is an empty directory: nothing was verified where something was expected.
        (Ok(()), None) if !every_path_has_artifacts => Exit::CannotJudge,
        // What is allowed to have no signature proves nothing.
        (Ok(()), None) if summary.valid == 0 => Exit::CannotJudge,
        (Ok(()), None) => Exit::Valid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(valid: u64, failures: u64, expected: u64) -> End {
        End {
            summary: Summary {
                valid,
                invalid: failures,
                failures,
                expected,
                ..Summary::default()
            },
            output: Ok(()),
        }
    }

    #[test]
    fn only_a_whole_run_in_which_something_is_valid_and_nothing_failed_is_a_success() {
        assert_eq!(exit(&end(2, 0, 2), true, None), Exit::Valid);
        assert_eq!(exit(&end(1, 1, 2), true, None), Exit::NotValid);
        assert_eq!(exit(&end(1, 0, 2), true, None), Exit::CannotJudge);
        assert_eq!(exit(&end(2, 0, 2), false, None), Exit::CannotJudge);
        assert_eq!(exit(&end(0, 0, 0), true, None), Exit::CannotJudge);
    }

    #[test]
    fn a_failure_goes_before_an_empty_path_and_a_signal_before_both() {
        assert_eq!(exit(&end(1, 1, 2), false, None), Exit::NotValid);
        let interrupted = Some(Exit::Interrupted);
        assert_eq!(exit(&end(1, 1, 2), false, interrupted), Exit::Interrupted);
        assert_eq!(exit(&end(2, 0, 2), true, interrupted), Exit::Interrupted);
    }

    #[test]
    fn output_that_was_not_delivered_is_no_success() {
        let mut undelivered = end(2, 0, 2);
        undelivered.output = Err(io::ErrorKind::StorageFull.into());
        assert_eq!(exit(&undelivered, true, None), Exit::CannotJudge);
        undelivered.output = Err(io::ErrorKind::BrokenPipe.into());
        assert_eq!(exit(&undelivered, true, None), Exit::PipeClosed);
    }
}
