//! The process's standard streams, the screen that they may share, and its signals.

pub mod bar;
pub mod canvas;
pub mod closed;
pub mod message;
pub mod outlet;
mod pace;
pub mod progress;
pub mod screen;
pub mod signals;
pub mod stream;
pub mod suspend;
mod trail;
mod width;

use std::io::{self, IsTerminal, Write};

pub use message::Message;
pub use stream::Stream;

/// Prints help to stdout.
///
/// # Errors
/// Those of the stream; a pipe closed by its reader is not an error.
pub fn print_help(help: &clap::Error) -> io::Result<()> {
    on_stdout(help).or_else(ignore_closed_pipe)
}

fn on_stdout(message: &clap::Error) -> io::Result<()> {
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
