//! Slow devices: how long a run takes, how busy it keeps the device, and how often the head has to
//! move, with a disk that seeks, a stick and a share of the network, each a file system that answers
//! as late as such a device would (`tests/support/device.rs`); against other numbers of readers, and
//! against `openssl dgst` one after the other and two at a time.
//!
//! `cargo bench --bench slow [-- MIB TURNS [DEVICE]...]`: artifacts of 512 MiB in all, 3 turns; `disk`,
//! `stick` and `share`, or all; the ways take
//! turns, and every run begins with nothing cached. Needs `/dev/fuse` and root. Without `--bench` (as a test) it runs
//! once on a few bytes.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::device::{Account, Device, Disk, Speed, write_image};
use support::{Mirror, is_available, is_root, openssl_is_here};

const MIB: usize = 1024 * 1024;

const fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

/// A device, as makers describe one.
#[derive(Clone, Copy)]
struct Model {
    name: &'static str,
    speed: Speed,
    /// The KiB of its largest request, if it serves the blocks of an ext4; none if it serves files.
    largest: Option<u32>,
}

const MODELS: [Model; 3] = [
    Model {
        name: "spinning disk",
        speed: Speed {
            seek: micros(8000),
            command: micros(0),
            rate: 150_000_000,
            round_trip: micros(0),
        },
        largest: Some(1280),
    },
    Model {
        name: "USB stick",
        speed: Speed {
            seek: micros(0),
            command: micros(500),
            rate: 40_000_000,
            round_trip: micros(0),
        },
        // About that of Linux's usb-storage, which gets what waits for it merged to 120.
        largest: Some(128),
    },
    Model {
        name: "NFS share",
        speed: Speed {
            seek: micros(0),
            command: micros(0),
            rate: 110_000_000,
            round_trip: micros(1000),
        },
        largest: None,
    },
];

/// What reads the device.
#[derive(Clone, Copy)]
enum Reader {
    /// The command, with these arguments.
    Ours(&'static [&'static str]),
    /// A script, in the folder of the mirror.
    Script(&'static str),
}

const VERIFY: &str =
    "openssl dgst -sha256 -verify ../key.pem -signature \"$0\" \"${0%.sig.bin}.zst\" >/dev/null";

const READERS: [(&str, Reader); 6] = [
    ("as chosen", Reader::Ours(&[])),
    ("--jobs 1", Reader::Ours(&["--jobs", "1"])),
    ("--jobs 2", Reader::Ours(&["--jobs", "2"])),
    ("--jobs 4", Reader::Ours(&["--jobs", "4"])),
    (
        "openssl, one by one",
        Reader::Script("xargs -n1 sh -c \"$VERIFY\""),
    ),
    (
        "openssl, xargs -P2",
        Reader::Script("xargs -P2 -n1 sh -c \"$VERIFY\""),
    ),
];

/// Artifacts in a folder of the mirror, each with its signature; the key is beside it.
fn mirror(artifacts: usize, size: usize) -> Mirror {
    let mirror = Mirror::new();
    fs::create_dir(mirror.path().join("d")).unwrap();
    let mut content: Vec<u8> = (0..size).map(|n| (n * 7 % 255) as u8).collect();
    for number in 0..artifacts {
        content[..8].copy_from_slice(&(number as u64).to_le_bytes());
        let name = format!("d/{number:05}");
        mirror.write_signed(&format!("{name}.zst"), &format!("{name}.sig.bin"), &content);
    }
    mirror
}

fn command(mirror: &Mirror, reader: Reader) -> Command {
    match reader {
        Reader::Ours(arguments) => {
            let mut command = mirror.command(&["-k", "key.pem", "--status", "m"]);
            command.args(arguments);
            command
        }
        Reader::Script(script) => {
            let mut command = Command::new("sh");
            let script = format!("ls | grep sig.bin | {script}");
            command.args(["-c", &script]).env("VERIFY", VERIFY);
            command.current_dir(mirror.path().join("m"));
            command
        }
    }
}

/// What is mounted for a run.
enum Mounted {
    Share(Device),
    Disk(Disk),
}

/// Reads a device that nothing of is cached; returns the time and what the device did.
fn cold(mirror: &Mirror, model: Model, reader: Reader) -> (f64, Account) {
    let path = |name: &str| mirror.path().join(name);
    let mounted = match model.largest {
        None => Mounted::Share(Device::mount(&path("d"), &path("m"), model.speed)),
        Some(largest) => Mounted::Disk(Disk::mount(mirror, model.speed, largest)),
    };
    let device = match &mounted {
        Mounted::Share(device) => device,
        Mounted::Disk(disk) => disk.device(),
    };
    let mut command = command(mirror, reader);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    assert!(command.status().unwrap().success());
    (started.elapsed().as_secs_f64(), device.take_account())
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn compare(mirror: &Mirror, what: &str, model: Model, turns: usize) {
    println!("{}, {what}", model.name);
    let mut runs: Vec<Vec<(f64, Account)>> = vec![Vec::new(); READERS.len()];
    for _ in 0..turns {
        for (runs, (_, reader)) in runs.iter_mut().zip(READERS) {
            runs.push(cold(mirror, model, reader));
        }
    }
    for (runs, (name, _)) in runs.iter().zip(READERS) {
        let of = |value: &dyn Fn(&(f64, Account)) -> f64| median(runs.iter().map(value));
        println!(
            "  {name:<22} {:>7.2} s  {:>5.1} % busy {:>6} seeks {:>6} requests",
            of(&|run| run.0),
            of(&|run| run.1.busy.as_secs_f64() / run.0) * 100.0,
            of(&|run| run.1.seeks as f64),
            of(&|run| run.1.asked.len() as f64),
        );
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<usize> = arguments.iter().filter_map(|a| a.parse().ok()).collect();
    let (size, turns) = match (arguments.iter().any(|a| a == "--bench"), &*numbers) {
        (false, _) => (MIB, 1),
        (true, [mib, turns]) => (mib * MIB, *turns),
        (true, _) => (512 * MIB, 3),
    };
    let fuse = Path::new("/dev/fuse").exists() && is_root();
    if !is_available(fuse, "/dev/fuse and root", "slow") || !openssl_is_here("slow") {
        return;
    }
    let mirrors = [("4 files", 4), ("32 files", 32), ("512 files", 512)];
    // A test need not wait for hundreds of seeks.
    let mirrors = mirrors
        .iter()
        .take(if size == MIB { 1 } else { mirrors.len() });
    for (what, artifacts) in mirrors.copied() {
        let mirror = mirror(artifacts, size / artifacts);
        write_image(&mirror, size as u64);
        let named = |model: &&Model| {
            let is_any = |model: &Model| arguments.iter().any(|word| model.name.ends_with(word));
            is_any(model) || !MODELS.iter().any(is_any)
        };
        for model in MODELS.iter().filter(named).copied() {
            compare(&mirror, what, model, turns);
        }
    }
}
