//! The library in twenty lines: `cargo run --example verify_one KEY SIGNATURE DATA`.

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use verify_signatures::{engine, trust::key::Key};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [key, signature, data] = arguments.as_slice() else {
        return Err("usage: verify_one KEY SIGNATURE DATA".into());
    };
    let key = Arc::new(Key::parse(key, &std::fs::read(key)?)?);
    let record = engine::verify_file(&[key], Path::new(data), Path::new(signature));
    writeln!(io::stdout(), "{:?}", record.verdict)?;
    // A file that cannot be read is a verdict too, so there is one question to ask.
    Ok(match record.verdict.passes() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
