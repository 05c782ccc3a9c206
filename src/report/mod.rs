//! What people and programs see. Everything that is printed, is printed from here.

pub mod escape;
pub mod progress;
pub mod text;

use std::fmt::Display;
use std::fs::File;
use std::io::{self, IsTerminal, LineWriter, Write};
use std::os::fd::AsFd;

/// Prints help or version to stdout, a usage error to stderr.
///
/// # Errors
/// Those of the stream; a pipe that nobody reads is none.
pub fn explain(message: &clap::Error) -> io::Result<()> {
    let printed = match message.use_stderr() {
        true => message.print(),
        // To a terminal with clap's colours; to a file or pipe so that no error is lost.
        false if io::stdout().is_terminal() => message.print(),
        false => stdout().and_then(|mut out| write!(out, "{}", message.render())),
    };
    printed.or_else(ignore_closed_pipe)
}

/// Standard output, where every error is told: std's own takes a descriptor that cannot be written for one that swallows all.
///
/// # Errors
/// Those of dup(2).
pub fn stdout() -> io::Result<LineWriter<File>> {
    let own = io::stdout().as_fd().try_clone_to_owned()?;
    Ok(LineWriter::new(own.into()))
}

/// Prints text to stdout.
///
/// # Errors
/// Those of the stream; a pipe that nobody reads is none.
pub fn print(text: &str) -> io::Result<()> {
    let printed = stdout().and_then(|mut out| writeln!(out, "{text}"));
    printed.or_else(ignore_closed_pipe)
}

fn ignore_closed_pipe(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(error),
    }
}

/// Says something on stderr, for people.
pub fn say(message: &impl Display) {
    let text = escape::message(&message.to_string());
    // Where stderr is closed, nobody listens; the verdicts and the exit status do not depend on it.
    let _ = writeln!(io::stderr().lock(), "verify-signatures: {text}");
}
