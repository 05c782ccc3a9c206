//! A whole mirror, end to end and with the page cache hot, against the sample script's way:
//! `openssl dgst -verify`, one file after the other, on the same files in the same run.
//!
//! `cargo bench --bench mirror [-- ARTIFACTS MIB PAIRS]`; by default 4 artifacts of 512 MiB, 5
//! pairs. The two take turns, so that a machine that changes its speed changes both. Without
//! `--bench` (as a test) it runs once on a few bytes.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::{Mirror, openssl_is_here};

const MIB: usize = 1024 * 1024;

struct Plan {
    artifacts: usize,
    size: usize,
    pairs: usize,
}

impl Plan {
    fn from_arguments() -> Plan {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let numbers: Vec<usize> = arguments.iter().filter_map(|a| a.parse().ok()).collect();
        match (arguments.iter().any(|a| a == "--bench"), numbers.as_slice()) {
            (false, _) => Plan {
                artifacts: 2,
                size: 77,
                pairs: 1,
            },
            (true, [artifacts, mib, pairs]) => Plan {
                artifacts: *artifacts,
                size: mib * MIB,
                pairs: *pairs,
            },
            (true, _) => Plan {
                artifacts: 4,
                size: 512 * MIB,
                pairs: 5,
            },
        }
    }
}

fn mirror(plan: &Plan) -> Mirror {
    let mirror = Mirror::new();
    let mut content: Vec<u8> = (0..plan.size).map(|n| (n * 7 % 255) as u8).collect();
    for number in 0..plan.artifacts {
        content[0] = number as u8;
        mirror.write_signed(
            &format!("{number}.zst"),
            &format!("{number}.sig.bin"),
            &content,
        );
    }
    mirror
}

fn timed(mut command: Command) -> Duration {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    assert!(command.status().unwrap().success());
    started.elapsed()
}

fn openssl_loop(mirror: &Mirror) -> Command {
    let script = "for s in *.sig.bin; do \
                  openssl dgst -sha256 -verify key.pem -signature $s ${s%.sig.bin}.zst || exit 1; done";
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(mirror.path());
    command
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn report(name: &str, bytes: usize, times: Vec<Duration>) {
    let median = median(times);
    let rate = bytes as f64 / median.as_secs_f64() / 1e9;
    println!(
        "{name:<28} {:>8.3} s  {rate:>6.2} GB/s",
        median.as_secs_f64()
    );
}

fn main() {
    let plan = Plan::from_arguments();
    let bytes = plan.artifacts * plan.size;
    let mirror = mirror(&plan);
    let ours = || timed(mirror.command(&["-k", "key.pem"]));
    // Once for the page cache.
    ours();
    if !openssl_is_here("the comparison with openssl") {
        report(
            "verify-signatures",
            bytes,
            (0..plan.pairs).map(|_| ours()).collect(),
        );
        return;
    }
    let pairs: Vec<(Duration, Duration)> = (0..plan.pairs)
        .map(|_| (ours(), timed(openssl_loop(&mirror))))
        .collect();
    report(
        "verify-signatures",
        bytes,
        pairs.iter().map(|p| p.0).collect(),
    );
    report(
        "openssl dgst, sequential",
        bytes,
        pairs.iter().map(|p| p.1).collect(),
    );
    let mut ratios: Vec<f64> = pairs
        .iter()
        .map(|p| p.1.as_secs_f64() / p.0.as_secs_f64())
        .collect();
    ratios.sort_by(f64::total_cmp);
    println!(
        "times as fast: {:.2} (median of {} pairs)",
        ratios[ratios.len() / 2],
        ratios.len()
    );
}
