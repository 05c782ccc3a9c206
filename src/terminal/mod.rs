//! The process's standard streams, the screen that they may share, and its signals.

pub mod bar;
pub mod closed;
pub mod outlet;
pub mod progress;
pub mod screen;
pub mod signals;
pub mod stream;
pub mod suspend;

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use crate::text::escape;
pub use stream::Stream;

/// Prints help or version to stdout, a usage error to stderr.
///
/// # Errors
/// Those of the stream; a pipe closed by its reader is not an error.
pub fn explain(message: &clap::Error) -> io::Result<()> {
    let printed = if message.use_stderr() {
        message.print()
    } else {
        help(message)
    };
    printed.or_else(ignore_closed_pipe)
}

fn help(message: &clap::Error) -> io::Result<()> {
    // std ignores write errors on a terminal that is not open for writing.
    Stream::stdout()?.check()?;
    // On a terminal with clap's colours; to a file or pipe in a way that loses no error.
    if io::stdout().is_terminal() {
        message.print()
    } else {
        print(message.render().to_string().as_bytes())
    }
}

/// Prints text to stdout.
///
/// # Errors
/// Those of the stream; a pipe closed by its reader is not an error.
pub fn print(text: &[u8]) -> io::Result<()> {
    let mut out = Stream::stdout()?;
    out.check()?;
    out.write_all(text).or_else(ignore_closed_pipe)
}

fn ignore_closed_pipe(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(error),
    }
}

/// Prints a message on stderr, for people.
pub fn print_message(message: &impl Display) {
    let text = escape::message(&message.to_string());
    let line = format!("verify-signatures: {text}\n");
    // A closed stderr has no reader; the verdicts and the exit status do not depend on it.
    let _ = Stream::stderr().write_all(line.as_bytes());
}
