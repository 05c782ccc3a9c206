//! The command, top to bottom: arguments → configuration → run → exit status.

pub(crate) mod args;
mod compare;
mod config;
mod defect;
mod ending;
mod evidence;
mod generate;
mod ledger;
mod manual;
mod merge;
mod messages;
mod not_begun;
mod origin;
mod output;
mod planted;
mod process;
mod recap;
mod reports;
mod run;
mod usage;
mod values;

use std::io;
use std::process::ExitCode;

use clap::Parser;

use crate::digest::choice;
use crate::module;
use crate::report;
use crate::run::conclusion::Conclusion;
use crate::terminal;
use crate::terminal::message::{Message, set_colour};
use crate::text::{escape, os_error};
use args::Cli;
use config::{Config, Environment};

/// Runs the command with the process's arguments.
pub fn command() -> ExitCode {
    defect::install_hook();
    let conclusion = match process::lift() {
        // Fail closed: a run that panicked has judged nothing.
        Ok(()) => defect::guard(|| process::with_enough_stack(dispatch))
            .unwrap_or(Conclusion::CannotJudge),
        Err(error) => cannot(
            &Message::error(os_error::words(&error))
                .help("raise the limit on memory (ulimit -v, ulimit -d)"),
        ),
    };
    ExitCode::from(conclusion.exit_status())
}

fn dispatch() -> Conclusion {
    let environment = Environment::here();
    set_colour(environment.stderr_colour);
    if let Some(problem) = planted::option(std::env::args_os()) {
        return cannot(&problem);
    }
    match Cli::try_parse() {
        Ok(cli) if cli.version => version(&cli),
        Ok(Cli {
            generate: Some(what),
            ..
        }) => print(generate::generate(what)),
        Ok(cli) if !cli.compare.is_empty() => compare::run(&cli),
        Ok(cli) if !cli.merge.is_empty() => merge::run(&cli, &environment),
        Ok(cli) => run(&cli, &environment),
        Err(message) => usage(&message),
    }
}

fn run(cli: &Cli, environment: &Environment) -> Conclusion {
    set_colour(config::stderr_colour(cli, environment));
    match Config::resolve(cli, environment) {
        Ok(config) => run::run(&config),
        Err(error) => cannot(&Message::error(error.to_string()).maybe_help(error.help())),
    }
}

/// Prints help, or the problem with the arguments.
fn usage(message: &clap::Error) -> Conclusion {
    if !message.use_stderr() {
        return status_of(terminal::print_help(message));
    }
    // An argument may be a file name (`verify-signatures *`) that the message repeats, so the
    // message is built from the escaped arguments: no name can break its lines.
    let shown = std::env::args_os().map(|argument| escape::name(&argument));
    match Cli::try_parse_from(shown) {
        Err(message) => cannot(&usage::message(&message)),
        // The problem is bytes that are not UTF-8 where text is expected; escaped, they are text.
        Ok(_) => cannot(&usage::message(message)),
    }
}

fn cannot(error: &Message) -> Conclusion {
    error.print();
    Conclusion::CannotJudge
}

/// Returns success for help and version if they could be printed.
fn status_of(printed: io::Result<()>) -> Conclusion {
    match printed {
        Ok(()) => Conclusion::Valid,
        Err(error) => undelivered(&error),
    }
}

fn undelivered(error: &io::Error) -> Conclusion {
    let words = os_error::words(error);
    cannot(&Message::error(format!("standard output: {words}")))
}

fn print(text: io::Result<Vec<u8>>) -> Conclusion {
    status_of(text.and_then(|text| terminal::print(&text)))
}

fn version(cli: &Cli) -> Conclusion {
    let mut text = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"), "\n").to_owned();
    text += &module::version();
    text += "\n";
    if cli.verbose {
        text += &report::choice(&choice::choose(usize::MAX));
        text += "\n";
    }
    print(Ok(text.into_bytes()))
}
