//! Verifies one file: `cargo run --example verify_one -- KEY SIGNATURE DATA`.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use verify_signatures::{Key, Verifier};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [key, signature, data] = arguments.as_slice() else {
        return Err("usage: verify_one KEY SIGNATURE DATA".into());
    };
    let key = Key::parse(key, &std::fs::read(key)?)?;
    let record = Verifier::new([key]).file(data, signature);
    let reason = record.verdict.reason();
    writeln!(io::stdout(), "{}: {reason}", record.path())?;
    // A file that cannot be read is a verdict too, so there is one question to ask.
    Ok(if record.verdict.passes() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
