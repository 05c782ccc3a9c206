//! The command.

use std::process::ExitCode;

fn main() -> ExitCode {
    verify_signatures::command()
}
