//! The process's standard streams, the screen that they may share, and the signals that come from
//! it.

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
/// Those of the stream; a pipe that nobody reads is none.
pub fn explain(message: &clap::Error) -> io::Result<()> {
    let printed = if message.use_stderr() {
        message.print()
    } else {
        help(message)
    };
    printed.or_else(ignore_closed_pipe)
}

fn help(message: &clap::Error) -> io::Result<()> {
    // std takes a terminal that cannot be written to for one that swallows everything.
    Stream::stdout()?.check()?;
    // To a terminal with clap's colours; to a file or pipe so that no error is lost.
    if io::stdout().is_terminal() {
        message.print()
    } else {
        print(message.render().to_string().as_bytes())
    }
}

/// Prints text to stdout.
///
/// # Errors
/// Those of the stream; a pipe that nobody reads is none.
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

/// Says something on stderr, for people.
pub fn print_message(message: &impl Display) {
    let text = escape::message(&message.to_string());
    let line = format!("verify-signatures: {text}\n");
    // Where stderr is closed, nobody listens; the verdicts and the exit status do not depend on it.
    let _ = Stream::stderr().write_all(line.as_bytes());
}
