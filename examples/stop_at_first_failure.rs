//! Verifies a mirror and ends at the first failure: `cargo run --example stop_at_first_failure --
//! KEY DIRECTORY`.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use verify_signatures::{Key, Verifier};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [key, directory] = arguments.as_slice() else {
        return Err("usage: stop_at_first_failure KEY DIRECTORY".into());
    };
    let key = Key::parse(key, &std::fs::read(key)?)?;
    let mut records = Verifier::new([key]).mirror([directory])?;
    let mut out = io::stdout();
    // Records come as they are decided. Dropping the iterator ends the work on all others.
    if let Some(failure) = records.find(|record| !record.verdict.passes()) {
        writeln!(out, "{}: {}", failure.path(), failure.verdict.reason())?;
        return Ok(ExitCode::FAILURE);
    }
    let summary = records.summary();
    writeln!(out, "{} valid", summary.valid)?;
    // Nothing at all is no success: the directory may be the mount point of what is not mounted.
    Ok(if summary.is_complete() && summary.valid > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
