//! The wiring, top to bottom: command line → configuration → mirror → engine → report → exit status.

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;

use crate::cli::Cli;
use crate::config::{Config, Environment, Target};
use crate::content::{self, Io};
use crate::engine::plan::{FileId, Load};
use crate::engine::{self, Cancel, Counters, PoolError, Settings, Task, Work};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::mirror::{self, Artifact, Facts, State, Survey};
use crate::report::progress::Progress;
use crate::report::say;
use crate::report::text::Lines;
use crate::trust::verdict::{Part, Record, Subject, Summary, Verdict};

/// Runs the command with the process's arguments.
pub fn run() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(help_or_error) => return told_by_clap(&help_or_error),
    };
    match Config::resolve(&cli, &Environment::here()) {
        Ok(config) => verify(config),
        Err(error) => cannot(&error),
    }
}

/// Help and version go to stdout and are a success; a usage error goes to stderr.
fn told_by_clap(message: &clap::Error) -> Exit {
    // A closed pipe behind `--help` is nobody's problem.
    let _ = message.print();
    match message.use_stderr() {
        true => Exit::CannotJudge,
        false => Exit::Valid,
    }
}

fn cannot(error: &impl std::fmt::Display) -> Exit {
    say(error);
    Exit::CannotJudge
}

fn verify(config: Config) -> Exit {
    let started = Instant::now();
    let cancel = Cancel::default();
    let interrupt = match Interrupt::listen(&cancel) {
        Ok(interrupt) => interrupt,
        Err(error) => return cannot(&error),
    };
    let survey = survey(&config.target, &cancel);
    remark(&config, &survey);
    let mut end = match judge(&config, survey.artifacts, &cancel) {
        Ok(end) => end,
        Err(error) => return cannot(&error),
    };
    end.summary.elapsed = started.elapsed();
    if config.detail.lines && end.output.is_ok() {
        say(&end.summary);
    }
    exit(&end, survey.empty.is_empty(), interrupt.exit())
}

fn survey(target: &Target, cancel: &Cancel) -> Survey {
    match target {
        Target::Paths(paths, search) => mirror::survey(paths, search, &|| cancel.is_cancelled()),
        Target::One { data, signature } => Survey {
            artifacts: vec![mirror::appointed(data, signature)],
            ..Survey::default()
        },
    }
}

/// What is worth saying before the first file is read.
fn remark(config: &Config, survey: &Survey) {
    for path in &survey.empty {
        say(&format!(
            "{}: nothing to verify: no .zst, .iso or .sig.bin file",
            path.display()
        ));
    }
    let linked = survey.links_not_entered.len();
    if linked > 0 && config.detail.lines {
        say(&format!(
            "linked directories not entered: {linked} (--follow-links enters them)"
        ));
    }
    if config.detail.reasons {
        explain(&config.settings);
        for link in &survey.links_not_entered {
            say(&format!(
                "{}: a link to a directory, not entered",
                link.display()
            ));
        }
    }
}

/// What was chosen for this run.
fn explain(settings: &Settings) {
    let io = match settings.io {
        Io::Auto => "memory maps, pread(2) where they are refused",
        Io::Mmap => "memory maps",
        Io::Read => "pread(2)",
    };
    say(&format!("up to {} threads; {io}", settings.threads));
    for key in &settings.keys {
        let (name, fingerprint) = (key.name(), key.fingerprint());
        say(&format!("key {name} with fingerprint {fingerprint}"));
    }
}

/// What came of verifying, and of telling it.
struct End {
    summary: Summary,
    output: io::Result<()>,
}

fn judge(config: &Config, artifacts: Vec<Artifact>, cancel: &Cancel) -> Result<End, PoolError> {
    let to_work = |artifact| work(artifact, config.allow_unsigned);
    let works: Vec<Work> = artifacts.into_iter().map(to_work).collect();
    let mut end = End {
        summary: Summary {
            expected: works.len() as u64,
            ..Summary::default()
        },
        output: Ok(()),
    };
    let counters = Arc::new(Counters::default());
    let shown = Arc::clone(&counters);
    let progress = Progress::start(config.progress, move || (shown.done(), shown.total()));
    let mut lines = Lines::new(io::stdout().lock(), config.detail);
    let settings = config.settings.clone();
    let ran = engine::run(works, settings, Arc::clone(&counters), cancel, |record| {
        end.summary.count(&record.verdict);
        let told = match lines.shows(&record) {
            true => progress.aside(|| lines.record(&record)),
            false => Ok(()),
        };
        end.output = told;
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
    let verdict = match artifact.state {
        State::Ready(facts) => return ready(artifact.data, artifact.signature, facts),
        State::Missing => Verdict::Missing,
        State::Unsigned => Verdict::Unsigned {
            allowed: allow_unsigned,
        },
        State::DataNotRegular => Verdict::NotRegular { part: Part::Data },
        State::SignatureNotRegular => Verdict::NotRegular {
            part: Part::Signature,
        },
        State::Unreadable(error) => Verdict::Unreadable {
            part: match artifact.signature {
                Some(_) => Part::Data,
                None => Part::Directory,
            },
            words: content::words(&error),
        },
    };
    decided(artifact.data, artifact.signature, verdict)
}

fn ready(data: PathBuf, signature: Option<PathBuf>, facts: Facts) -> Work {
    let file = FileId {
        device: facts.device,
        inode: facts.inode,
    };
    let load = Load {
        size: facts.size,
        file,
    };
    match signature {
        Some(signature) => Work::Verify(Task {
            data,
            signature,
            load,
        }),
        None => decided(data, None, Verdict::Unsigned { allowed: false }),
    }
}

fn decided(data: PathBuf, signature: Option<PathBuf>, verdict: Verdict) -> Work {
    Work::Decided(Record {
        subject: Subject::Artifact(data),
        signature,
        verdict,
        digest: None,
        size: None,
        elapsed: Duration::ZERO,
    })
}

fn exit(end: &End, every_path_has_artifacts: bool, interrupted: Option<Exit>) -> Exit {
    match &end.output {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Exit::PipeClosed,
        Err(error) => return cannot(&format!("standard output: {}", content::words(error))),
        Ok(()) => {}
    }
    let summary = &end.summary;
    // Fail closed: success stands last, behind everything that could speak against it.
    match interrupted {
        Some(exit) => exit,
        None if summary.failures > 0 => Exit::NotValid,
        None if !summary.is_complete() => cannot(&"the run ended before its end"),
        // A mount that is not there is an empty directory: nothing was verified where something was expected.
        None if !every_path_has_artifacts => Exit::CannotJudge,
        None if summary.valid == 0 => cannot(&"nothing was verified: no file here has a signature"),
        None => Exit::Valid,
    }
}
