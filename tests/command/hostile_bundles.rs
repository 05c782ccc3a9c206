//! Bundles made to deceive: anything that another program could read otherwise, or take for more
//! than it is, fails; and what only looks unusual passes.

mod archives;
mod documents;
mod entries;
mod frames;
mod hidden;
mod labels;
mod layers;
mod signatures;
mod whole;

use crate::support::bundles::{Image, Layout};
use crate::support::{Mirror, Run};

/// The name of the image in [`signed`].
const APP: &str = "registry.example.com/team/app:1.0";

/// An image of one layer, which `content` tells from others.
fn image(content: &str) -> Image {
    Image::new("amd64", &[content.as_bytes()])
}

/// A layout with one image that the key of the mirror signed.
fn signed(mirror: &Mirror) -> Layout {
    signed_as(mirror, &image("app"))
}

/// A layout with this image, which the key of the mirror signed.
fn signed_as(mirror: &Mirror, image: &Image) -> Layout {
    let mut layout = Layout::default();
    layout.add(APP, image);
    layout.sign(
        &mirror.key,
        "registry.example.com/team/app",
        &image.manifest,
    );
    layout
}

/// What is said of a saved image, `x.tar`: its lines with their reasons, and the exit status.
fn verdict_on(mirror: &Mirror, bytes: impl AsRef<[u8]>) -> (Vec<String>, Option<i32>) {
    verdict_with(mirror, bytes, &[])
}

/// What is said of it with these options.
fn verdict_with(
    mirror: &Mirror,
    bytes: impl AsRef<[u8]>,
    options: &[&str],
) -> (Vec<String>, Option<i32>) {
    mirror.write("x.tar", bytes);
    said(&mirror.run_pinned(&[&["-v", "--images", "x.tar"], options].concat()))
}

/// The lines of a run, and its exit status.
fn said(run: &Run) -> (Vec<String>, Option<i32>) {
    let lines = run.stdout.lines().map(str::to_owned).collect();
    (lines, run.status)
}

/// The verdict on contents that fail as a whole.
fn contents(verdict: &str, why: &str) -> (Vec<String>, Option<i32>) {
    let line = format!("x.tar » (contents): ❌ Contents {verdict} ({why})");
    (vec![line], Some(1))
}

fn refused(why: &str) -> (Vec<String>, Option<i32>) {
    contents("refused", why)
}

fn damaged(why: &str) -> (Vec<String>, Option<i32>) {
    contents("damaged", why)
}

/// The verdict on an archive in which nothing is but the image of [`signed`], whole and signed.
fn app_is_valid() -> (Vec<String>, Option<i32>) {
    valid(&image("app"))
}

/// The verdict on an archive in which nothing is but this image, whole and signed.
fn valid(image: &Image) -> (Vec<String>, Option<i32>) {
    let digest = crate::support::bundles::digest(&image.manifest);
    (
        vec![app(
            "✅ Image signature valid",
            &format!("{digest}, key key.pem"),
        )],
        Some(0),
    )
}

/// The verdict on an archive in which nothing is but one image, which fails.
fn app_fails(verdict: &str, why: &str) -> (Vec<String>, Option<i32>) {
    (vec![app(&format!("❌ {verdict}"), why)], Some(1))
}

/// The line of the image for one platform.
fn app(verdict: &str, why: &str) -> String {
    format!("x.tar » {APP} (linux/amd64): {verdict} ({why})")
}
