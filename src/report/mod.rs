//! What people and programs see. Everything that is printed, is printed from here.

mod bar;
pub mod escape;
pub mod file;
pub mod html;
pub mod json;
pub mod junit;
pub mod outlet;
mod pause;
pub mod place;
pub mod progress;
mod remedy;
mod replace;
pub mod run;
pub mod screen;
pub mod stream;
pub mod summary;
pub mod text;
mod words;

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

pub use stream::Stream;
pub use words::{audit, choice, finding, note};

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
pub fn say(message: &impl Display) {
    let text = escape::message(&message.to_string());
    let line = format!("verify-signatures: {text}\n");
    // Where stderr is closed, nobody listens; the verdicts and the exit status do not depend on it.
    let _ = Stream::stderr().write_all(line.as_bytes());
}
