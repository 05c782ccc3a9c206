//! Makes a small signed bundle with two images in it, to try `--images` on: `cargo run --example
//! make_bundle -- DIR`.
//!
//! The bundle is a zstd frame with a tar archive, as vendors publish them: an OCI image layout with
//! one image that carries a signature (Cosign) and one that carries none. DIR gets the bundle, its
//! signature and the public key; the private key is never stored.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use clap::Parser;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{DerSignature, Signature, SigningKey};
use p256::elliptic_curve::Generate;
use p256::pkcs8::EncodePublicKey;
use sha2::{Digest, Sha256};

#[path = "../tests/support/bundles.rs"]
mod bundles;
use bundles::{Image, Layout};

/// Makes a signed bundle with two images.
#[derive(Parser)]
struct Options {
    /// Where
    directory: PathBuf,
}

/// The bundle's content.
fn layout(key: &SigningKey) -> Layout {
    let mut layout = Layout::default();
    let ours = ["amd64", "arm64"].map(|architecture| {
        let program = format!("a program for {architecture}");
        Image::new(architecture, &[b"a base layer", program.as_bytes()])
    });
    let index = layout.add_index(
        "registry.example.com/palette-images/app:4.10.17",
        &[("amd64", &ours[0]), ("arm64", &ours[1])],
    );
    layout.sign(key, "registry.example.com/palette-images/app", &index);
    let theirs = Image::new("amd64", &[b"somebody else's layer"]);
    layout.add("docker.io/library/busybox:1.36", &theirs);
    layout
}

fn main() -> Result<(), Box<dyn Error>> {
    let Options { directory } = Options::parse();
    let key = SigningKey::generate();
    let bundle = bundles::zstd(&layout(&key).tar());
    let signature: Signature = key.sign_prehash(&Sha256::digest(&bundle))?;
    let public = key.verifying_key().to_public_key_der()?;
    let public = pem::encode_config(
        &pem::Pem::new("PUBLIC KEY", public.as_bytes()),
        pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
    );
    fs::create_dir_all(&directory)?;
    fs::write(directory.join("content-4.10.17.tar.zst"), bundle)?;
    let signature = DerSignature::from(signature);
    fs::write(
        directory.join("content-4.10.17.tar.sig.bin"),
        signature.as_bytes(),
    )?;
    fs::write(directory.join("vendor.pem"), public)?;
    Ok(())
}
