//! Where stdout leads, as far as it affects the bars on stderr.
//!
//! In `verify-signatures | tee log`, another process writes the lines to the terminal, at any
//! moment. Bars move the cursor up and erase what is there, so they would erase lines that this
//! process does not know about.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

use rustix::fs::{FileType, Stat, fstat};
use rustix::termios::tcgetsid;

/// Devices that discard what is written to them.
const SINKS: [&str; 3] = ["/dev/null", "/dev/zero", "/dev/full"];

/// Where the lines on stdout appear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlet {
    /// Not on the terminal: in a file, or nowhere.
    Elsewhere,
    /// On the terminal, written there by this process.
    Terminal,
    /// Where another process writes them, which may be the terminal.
    Unknown,
}

/// Returns where the lines appear, as seen from the terminal on stderr.
pub fn of_stdout() -> Outlet {
    let (out, err) = (io::stdout(), io::stderr());
    let Ok(stat) = fstat(&out) else {
        return Outlet::Unknown;
    };
    // Fail closed: what passes is a list. A pipe or a socket may have any reader (tee, jq, cat),
    // and so may another terminal, since a pseudo-terminal is read by the program that created it
    // (socat, expect).
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Outlet::Elsewhere,
        FileType::CharacterDevice if is_sink(&stat) => Outlet::Elsewhere,
        FileType::CharacterDevice if is_same_terminal(&out, &err) => Outlet::Terminal,
        _ => Outlet::Unknown,
    }
}

fn is_sink(stat: &Stat) -> bool {
    let is_it = |path: &str| fs::metadata(path).is_ok_and(|sink| sink.rdev() == stat.st_rdev);
    SINKS.into_iter().any(is_it)
}

/// Reports whether both lead to one terminal, so that lines and bars can take turns. A session has
/// one controlling terminal, regardless of the names by which it was opened (`/dev/tty` is one);
/// any other is the same if it is the same device of the same file system.
fn is_same_terminal(out: &impl AsFd, err: &impl AsFd) -> bool {
    let both_control = tcgetsid(out).is_ok() && tcgetsid(err).is_ok();
    let device = |stat: Stat| (stat.st_dev, stat.st_ino, stat.st_rdev);
    let same_device = match (fstat(out), fstat(err)) {
        (Ok(out), Ok(err)) => device(out) == device(err),
        _ => false,
    };
    both_control || same_device
}
