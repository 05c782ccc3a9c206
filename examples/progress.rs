//! Draws its own progress while a mirror is verified: `cargo run --example progress -- KEY
//! DIRECTORY`.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use verify_signatures::{Counters, Key, Verifier};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [key, directory] = arguments.as_slice() else {
        return Err("usage: progress KEY DIRECTORY".into());
    };
    let key = Key::parse(key, &std::fs::read(key)?)?;
    let mut records = Verifier::new([key]).mirror([directory])?.in_order();
    let counters = records.progress();
    let failures = records.by_ref().filter(|record| !record.verdict.passes());
    let failures = watched(&counters, || failures.count())?;
    let summary = records.summary();
    writeln!(
        io::stderr(),
        "\r{} valid, {failures} failed, {} bytes",
        summary.valid,
        summary.bytes
    )?;
    Ok(
        if failures == 0 && summary.is_complete() && summary.valid > 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        },
    )
}

/// Does the work and shows ten times a second how far it is.
fn watched<T: Send>(counters: &Arc<Counters>, work: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let working = scope.spawn(work);
        while !working.is_finished() {
            let percent = counters.done() * 100 / counters.total().max(1);
            let largest = counters.in_flight().into_iter().max_by_key(|f| f.size);
            let name = largest.map_or_else(String::new, |f| f.path.display().to_string());
            write!(io::stderr(), "\r{percent:>3}% {name:<60.60}")?;
            thread::sleep(Duration::from_millis(100));
        }
        working
            .join()
            .map_err(|_| io::Error::other("the work broke down"))
    })
}
