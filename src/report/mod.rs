//! What people and programs see. Everything that is printed, is printed from here.

pub mod escape;
pub mod progress;
pub mod text;

use std::fmt::Display;
use std::io::{self, Write};

/// Says something on stderr, for people.
pub fn say(message: &impl Display) {
    let text = escape::message(&message.to_string());
    // Where stderr is closed, nobody listens; the verdicts and the exit status do not depend on it.
    let _ = writeln!(io::stderr().lock(), "verify-signatures: {text}");
}
