//! Makes a signed mirror of any size: `cargo run --release --example make_mirror -- --artifacts 7
//! --size 2G DIR`.
//!
//! The files are nested as a vendor nests them and named by every rule in turn. Their contents are
//! random numbers behind the first bytes of a real bundle or image. The public key lies in DIR as
//! `spectro_public_key.pem`; the private key is never stored.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::Parser;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{DerSignature, Signature, SigningKey};
use p256::pkcs8::EncodePublicKey;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

/// The head of a Zstandard skippable frame (RFC 8878, 3.1.2), which decompresses to nothing.
const ZSTD_SKIPPABLE: [u8; 4] = [0x50, 0x2a, 0x4d, 0x18];
/// Where an ISO 9660 image has its first volume descriptor, and how that begins (ECMA-119, 8.1).
const ISO_AT: usize = 16 * 2048;
const ISO_MAGIC: &[u8] = b"\x01CD001\x01";
/// How much is written at a time.
const PIECE: usize = 1 << 20;

/// Makes a signed mirror.
#[derive(Parser)]
struct Options {
    /// How many artifacts
    #[arg(long, default_value_t = 7)]
    artifacts: usize,
    /// How large each is: bytes, or with K, M or G for powers of 1024
    #[arg(long, default_value = "1M", value_parser = bytes)]
    size: u64,
    /// How many of them have one byte flipped after signing
    #[arg(long, default_value_t = 0)]
    tamper: usize,
    /// Where; must not exist or be empty
    directory: PathBuf,
}

fn bytes(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.split_at_checked(text.len().saturating_sub(1)) {
        Some((digits, "K")) => (digits, 10),
        Some((digits, "M")) => (digits, 20),
        Some((digits, "G")) => (digits, 30),
        _ => (text, 0),
    };
    let number: u64 = digits.parse().map_err(|e| format!("{e}"))?;
    number
        .checked_mul(1 << shift)
        .ok_or_else(|| "too large".to_owned())
}

/// The path of an artifact, below the mirror, and of its signature.
fn names(number: usize) -> (String, String) {
    let version = format!("{}.{}.{}", 1 + number / 100, number / 10 % 10, number % 10);
    let (data, signature) = match number % 4 {
        0 => (
            format!("kubernetes-{version}.zst"),
            format!("kubernetes-{version}.sig.bin"),
        ),
        1 => (
            format!("bundle-{version}.tar.zst"),
            format!("bundle-{version}.tar.sig.bin"),
        ),
        2 => (
            format!("appliance-{version}.iso"),
            format!("appliance-{version}.iso.sig.bin"),
        ),
        _ => (
            format!("installer-{version}.iso"),
            format!("installer-{version}.sig.bin"),
        ),
    };
    let directory = format!("product-{}/{version}", number % 3);
    (
        format!("{directory}/{data}"),
        format!("{directory}/{signature}"),
    )
}

/// Numbers by the xorshift of Marsaglia (2003): fast, and different for every artifact.
struct Noise(u64);

impl Noise {
    fn fill(&mut self, buffer: &mut [u8]) {
        for word in buffer.chunks_mut(8) {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            word.copy_from_slice(&self.0.to_le_bytes()[..word.len()]);
        }
    }
}

/// Makes the beginning of the content what the name promises.
fn put_head(name: &str, size: u64, first: &mut [u8]) {
    let length = u32::try_from(size.saturating_sub(8)).unwrap_or(u32::MAX);
    let frame = [ZSTD_SKIPPABLE, length.to_le_bytes()].concat();
    let (at, head) = match name.ends_with(".iso") {
        true => (ISO_AT, ISO_MAGIC),
        false => (0, frame.as_slice()),
    };
    if let Some(place) = first.get_mut(at..at + head.len()) {
        place.copy_from_slice(head);
    }
}

fn write_artifact(path: &Path, name: &str, size: u64, seed: u64) -> io::Result<Vec<u8>> {
    let mut file = File::create(path)?;
    let (mut noise, mut hasher) = (Noise(seed | 1), Sha256::new());
    let mut buffer = vec![0; PIECE];
    let mut left = size;
    while left > 0 {
        let length = usize::try_from(left).map_or(PIECE, |left| left.min(PIECE));
        let piece = &mut buffer[..length];
        noise.fill(piece);
        if left == size {
            put_head(name, size, piece);
        }
        hasher.update(&*piece);
        file.write_all(piece)?;
        left -= length as u64;
    }
    Ok(hasher.finalize().to_vec())
}

fn make(
    options: &Options,
    key: &SigningKey,
    number: usize,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let (data, signature) = names(number);
    let path = options.directory.join(&data);
    fs::create_dir_all(path.parent().unwrap_or(&options.directory))?;
    let seed = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let digest = write_artifact(&path, &data, options.size, seed)?;
    let signed: Signature = key.sign_prehash(&digest)?;
    fs::write(
        options.directory.join(signature),
        DerSignature::from(signed).as_bytes(),
    )?;
    match number < options.tamper {
        true => Ok(flip_a_byte(&path, options.size / 2)?),
        false => Ok(()),
    }
}

fn flip_a_byte(path: &Path, at: u64) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    let file = File::options().read(true).write(true).open(path)?;
    let mut byte = [0];
    file.read_exact_at(&mut byte, at)?;
    file.write_all_at(&[byte[0] ^ 1], at)
}

fn random_key() -> Result<SigningKey, Box<dyn Error>> {
    let mut secret = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut secret)?;
    Ok(SigningKey::from_slice(&secret)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    fs::create_dir_all(&options.directory)?;
    if fs::read_dir(&options.directory)?.next().is_some() {
        return Err(format!("{}: not empty", options.directory.display()).into());
    }
    if options.tamper > 0 && options.size == 0 {
        return Err("an empty artifact has no byte to flip".into());
    }
    if options.tamper > options.artifacts {
        return Err("there are fewer artifacts than are to be tampered with".into());
    }
    let key = random_key()?;
    (0..options.artifacts)
        .into_par_iter()
        .try_for_each(|number| make(&options, &key, number))
        .map_err(|error| error.to_string())?;
    let der = key.verifying_key().to_public_key_der()?;
    let block = pem::encode_config(
        &pem::Pem::new("PUBLIC KEY", der.as_bytes()),
        pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
    );
    fs::write(options.directory.join("spectro_public_key.pem"), block)?;
    Ok(())
}
