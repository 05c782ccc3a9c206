//! The command, in a build with a validated module.

use std::process::ExitCode;

fn main() -> ExitCode {
    verify_signatures::command()
}
