//! A bundle, read once for its own digest and those of its members, with the page cache hot,
//! against the two things that it cannot be faster than both of: `zstd -t`, and hashing the
//! content once in one lane; and against what scripts do: hash the file, then decompress it into a
//! pipe that is hashed, or unpack it and hash each file.
//!
//! `cargo bench --bench bundle [-- MIB PAIRS]`; by default 2048 MiB of layers and 5 pairs. They
//! take turns, so that a machine that changes its speed changes all of them. The layers are random
//! (as those that gzip has compressed), then words (as those that nothing has). Needs `zstd` and `tar`.
//! Without `--bench` (as a test) it runs once on a few bytes.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use verify_signatures::internals::bundle;
use verify_signatures::internals::digest::{Feed, Hasher};

const MIB: usize = 1024 * 1024;

/// Numbers by the xorshift of Marsaglia (2003).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// What is in a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    Random,
    Words,
}

fn layer(kind: Layer, size: usize, numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        let number = numbers.next();
        match kind {
            Layer::Random => bytes.extend(number.to_le_bytes()),
            // One of 4096 words of 3 to 10 letters.
            Layer::Words => {
                let mut word = Numbers((number % 4096 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
                let length = 3 + word.next() % 8;
                bytes.extend((0..length).map(|_| b'a' + (word.next() % 26) as u8));
                bytes.push(b' ');
            }
        }
    }
    bytes.truncate(size);
    bytes
}

/// Writes an archive of layers, and compresses it.
fn write(directory: &Path, kind: Layer, size: usize) -> (PathBuf, PathBuf) {
    let path = directory.join(format!("{kind:?}.tar"));
    let mut builder = tar::Builder::new(BufWriter::new(File::create(&path).unwrap()));
    let mut numbers = Numbers(88_172_645_463_325_252);
    let (mut left, mut number) = (size, 0);
    while left > 0 {
        let part = left.min([3, 20, 40, 60, 90][number % 5] * MIB);
        let mut header = tar::Header::new_gnu();
        header.set_size(part as u64);
        let name = format!("blobs/sha256/{number:064}");
        let content = layer(kind, part, &mut numbers);
        builder.append_data(&mut header, name, &*content).unwrap();
        (left, number) = (left - part, number + 1);
    }
    builder.into_inner().unwrap().flush().unwrap();
    let compressed = directory.join(format!("{kind:?}.tar.zst"));
    let mut zstd = Command::new("zstd");
    zstd.args(["-q", "-T0", "-o"]).args([&compressed, &path]);
    assert!(zstd.status().unwrap().success());
    (path, compressed)
}

fn ours(path: &Path) {
    let (_, members, defect) = bundle::read(path, Hasher::promised()).unwrap();
    assert!(members > 0 && defect.is_none(), "{defect:?}");
}

fn zstd_test(path: &Path) {
    let mut command = Command::new("zstd");
    assert!(command.arg("-tq").arg(path).status().unwrap().success());
}

/// Hashes what `input` has, in one lane.
fn hash(mut input: impl Read) {
    let mut lane = Hasher::promised().begin();
    let mut buffer = vec![0; MIB];
    loop {
        let mut filled = 0;
        while filled < buffer.len() {
            match input.read(&mut buffer[filled..]).unwrap() {
                0 => break,
                count => filled += count,
            }
        }
        let (blocks, rest) = buffer[..filled].as_chunks();
        Hasher::promised().advance(&mut [Feed {
            lane: &mut lane,
            blocks,
        }]);
        if filled < buffer.len() {
            std::hint::black_box(lane.finish(rest));
            return;
        }
    }
}

fn decompressing(path: &Path) -> Child {
    let mut command = Command::new("zstd");
    command.arg("-dcq").arg(path).stdout(Stdio::piped());
    command.spawn().unwrap()
}

/// Hashes the file, then decompresses it into a pipe that is hashed.
fn pipe(path: &Path) {
    hash(File::open(path).unwrap());
    let mut child = decompressing(path);
    hash(child.stdout.take().unwrap());
    assert!(child.wait().unwrap().success());
}

/// Hashes the file, unpacks it to the disk, and hashes each file.
fn unpack(path: &Path) {
    hash(File::open(path).unwrap());
    let directory = tempfile::tempdir_in(path.parent().unwrap()).unwrap();
    let mut child = decompressing(path);
    let mut tar = Command::new("tar");
    tar.args(["-xf", "-", "-C"]).arg(directory.path());
    let status = tar.stdin(child.stdout.take().unwrap()).status().unwrap();
    assert!(status.success() && child.wait().unwrap().success());
    for entry in fs::read_dir(directory.path().join("blobs/sha256")).unwrap() {
        hash(File::open(entry.unwrap().path()).unwrap());
    }
}

fn timed(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_secs_f64()
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn compare(kind: Layer, size: usize, pairs: usize) {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (plain, compressed) = write(directory.path(), kind, size);
    // Once for the page cache.
    ours(&compressed);
    hash(File::open(&plain).unwrap());
    let rounds: Vec<[f64; 5]> = (0..pairs)
        .map(|_| {
            [
                timed(|| ours(&compressed)),
                timed(|| zstd_test(&compressed)),
                timed(|| hash(File::open(&plain).unwrap())),
                timed(|| pipe(&compressed)),
                timed(|| unpack(&compressed)),
            ]
        })
        .collect();
    let megabytes = |path: &Path| fs::metadata(path).unwrap().len() / 1_000_000;
    println!(
        "{kind:?}: {} MB, {} MB compressed",
        megabytes(&plain),
        megabytes(&compressed)
    );
    let names = [
        "this room",
        "zstd -t",
        "hashing once",
        "hash; zstd -dc | hash",
        "hash; unpack; hash",
    ];
    for (at, name) in names.iter().enumerate() {
        let time = median(rounds.iter().map(|times| times[at]).collect());
        println!("  {name:<22} {time:>8.3} s");
    }
    let ratio = |times: &[f64; 5]| times[0] / times[1].max(times[2]);
    let ratio = median(rounds.iter().map(ratio).collect());
    println!("  times the longer of zstd -t and hashing once: {ratio:.2} (median of {pairs})");
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<usize> = arguments.iter().filter_map(|a| a.parse().ok()).collect();
    let (size, pairs) = match (arguments.iter().any(|a| a == "--bench"), &*numbers) {
        (false, _) => (777, 1),
        (true, [mib, pairs]) => (mib * MIB, *pairs),
        (true, _) => (2048 * MIB, 5),
    };
    if Command::new("zstd").arg("-V").output().is_err() {
        println!("skipped: no zstd here");
        return;
    }
    for kind in [Layer::Random, Layer::Words] {
        compare(kind, size, pairs);
    }
}
