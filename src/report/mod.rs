//! What people and programs see. Everything that is printed, is printed from here.

mod bar;
pub mod escape;
pub mod file;
pub mod html;
pub mod json;
pub mod junit;
mod pause;
pub mod place;
pub mod progress;
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
    let printed = match message.use_stderr() {
        true => message.print(),
        // To a terminal with clap's colours; to a file or pipe so that no error is lost.
        false if io::stdout().is_terminal() => message.print(),
        false => print(message.render().to_string().as_bytes()),
    };
    printed.or_else(ignore_closed_pipe)
}

/// Prints text to stdout.
///
/// # Errors
/// Those of the stream; a pipe that nobody reads is none.
pub fn print(text: &[u8]) -> io::Result<()> {
    let printed = Stream::stdout().and_then(|mut out| out.write_all(text));
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
    let line = format!("verify-signatures: {text}\n");
    // Where stderr is closed, nobody listens; the verdicts and the exit status do not depend on it.
    let _ = Stream::stderr().write_all(line.as_bytes());
}
