//! Creates the reports, unless one would replace a file that the run depends on.

use std::collections::HashSet;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use super::config::Target;
use super::not_begun::NotBegun;
use crate::envelope::{self, Admitted};
use crate::files::{FileId, SharedPath};
use crate::mirror::{Artifact, Survey};
use crate::report::file::{LedHere, ReportFile};
use crate::report::format::{signature_of, signatures_of, signed_by};
use crate::report::place;
use crate::report::sign::Signer;
use crate::text::escape;
use crate::trust::signature::{MAX_BYTES_OF_ANY, Signature};
use crate::verify::Inputs;

/// Begins a report, unless it would replace a file that the run reads or writes.
///
/// Files that the user named (`--signature` and its PATH, the output; keys and the baseline in
/// [`Config::resolve`](super::config::Config::resolve)) are recognized by device and inode, so that
/// no link hides them. Files found in the tree are recognized by their place, the entry that a
/// rename would replace: a link or a hard link in the tree to the report's place was made by
/// someone who can write to the tree, and ends no run.
pub(super) fn create(
    target: &Target,
    inputs: &Inputs,
    survey: &Survey,
    signer: Option<&Signer>,
) -> Result<ReportFile, NotBegun> {
    let Target { path, format } = target;
    let shown = || escape::name(path.as_os_str());
    // Nothing can be replaced at a path that cannot be resolved: creating the report gives the
    // reason.
    let Ok(place) = place::of(path) else {
        return Ok(ReportFile::create(path, *format, Vec::new())?);
    };
    if is_output(&place) {
        return Err(NotBegun::ReportReplacesOutput(shown()));
    }
    let is_replaced = |artifact: &Artifact| artifact.would_be_replaced_by(&place);
    let led_here = led_here(survey, &place);
    if is_named(inputs, &place)
        || survey.artifacts.iter().any(is_replaced)
        || (has_signature(&led_here, &place) && is_signature(&place))
    {
        return Err(NotBegun::ReportReplaces(shown()));
    }
    if is_signed_by_another(&place, signer) {
        return Err(NotBegun::ReportReplacesSigned(shown()));
    }
    Ok(ReportFile::create(path, *format, led_here)?)
}

/// Checks that a file that is written anew, such as a ledger, replaces nothing that the run reads
/// or writes.
///
/// # Errors
/// [`NotBegun::ReportReplaces`] and its like, as for a report.
pub(super) fn spare(path: &Path, inputs: &Inputs, survey: &Survey) -> Result<(), NotBegun> {
    let shown = || escape::name(path.as_os_str());
    let Ok(place) = place::of(path) else {
        return Ok(());
    };
    if is_output(&place) {
        return Err(NotBegun::ReportReplacesOutput(shown()));
    }
    let is_replaced = |artifact: &Artifact| artifact.would_be_replaced_by(&place);
    // Fail closed: unlike a report, a ledger is never what a link in the tree may lead to.
    if is_named(inputs, &place)
        || survey.artifacts.iter().any(is_replaced)
        || !led_here(survey, &place).is_empty()
    {
        return Err(NotBegun::ReportReplaces(shown()));
    }
    if is_signed_by_another(&place, None) {
        return Err(NotBegun::ReportReplacesSigned(shown()));
    }
    Ok(())
}

/// Reports whether there is a file with a signature beside it, or that signature, other than an
/// earlier run's list and its signature by the same key.
///
/// Fail closed: patterns and depth may keep what somebody signed out of the survey.
fn is_signed_by_another(place: &Path, signer: Option<&Signer>) -> bool {
    let data = signed_by(place).unwrap_or_else(|| place.to_owned());
    let is_here = |path: &PathBuf| identity(path).is_some();
    if !is_here(&data) {
        return false;
    }
    let ours = signature_of(&data);
    let is_ours = |signer: &Signer| signer.signed(&data, &ours);
    let is_of_another = |signature: PathBuf| {
        is_here(&signature) && (signature != ours || !signer.is_some_and(is_ours))
    };
    signatures_of(&data).any(is_of_another)
}

/// Returns the identity of the regular file at a path, with links followed.
fn identity(path: &Path) -> Option<FileId> {
    let there = fs::metadata(path).ok().filter(Metadata::is_file)?;
    Some(FileId::from(&there))
}

/// Reports whether stdout or stderr goes to this file.
fn is_output(place: &Path) -> bool {
    let there = identity(place);
    there.is_some() && (is_stream(&io::stdout(), there) || is_stream(&io::stderr(), there))
}

/// Reports whether a stream comes from or goes to this file.
fn is_stream(stream: &impl AsFd, there: Option<FileId>) -> bool {
    rustix::fs::fstat(stream).is_ok_and(|stat| {
        let (device, inode) = (stat.st_dev, stat.st_ino);
        Some(FileId { device, inode }) == there
    })
}

/// Reports whether this is the data file or the signature of `--signature`.
fn is_named(inputs: &Inputs, place: &Path) -> bool {
    match inputs {
        Inputs::Paths(..) => false,
        Inputs::One(one) => {
            let there = identity(place);
            let is_it = |path: &&PathBuf| identity(path) == there;
            // A file that is redirected to it.
            let is_stdin = || one.is_stdin() && is_stream(&io::stdin(), there);
            there.is_some() && ([&one.data, &one.signature].iter().any(is_it) || is_stdin())
        }
    }
}

/// Returns the artifacts that reach the place of a report through links.
fn led_here(survey: &Survey, place: &Path) -> Vec<LedHere> {
    let Some(there) = identity(place) else {
        return Vec::new();
    };
    let links = survey.links_followed.iter();
    let links: HashSet<&SharedPath> = links
        .filter(|link| identity(&link.to_path_buf()) == Some(there))
        .collect();
    if links.is_empty() {
        return Vec::new();
    }
    // An artifact without a signature is never valid.
    let of_link = |artifact: &&Artifact| {
        let parts = artifact.parts.iter();
        let mut names = parts.chain([&artifact.data]).chain(artifact.signature());
        artifact.signature().is_some() && names.any(|name| links.contains(name))
    };
    let led = survey
        .artifacts
        .iter()
        .filter(of_link)
        .map(|artifact| LedHere {
            data: artifact.data.clone(),
            signature: artifact.signature().cloned(),
        });
    led.collect()
}

/// Reports whether a signature is a link to the place.
fn has_signature(led_here: &[LedHere], place: &Path) -> bool {
    let there = identity(place);
    let mut signatures = led_here.iter().filter_map(|led| led.signature.as_ref());
    signatures.any(|signature| identity(&signature.to_path_buf()) == there)
}

/// Reports whether a file has the form of a signature. No report has that form, so an attacker who
/// can only make links cannot keep a run from beginning; and a file with that form must not be
/// replaced when its artifact is damaged.
fn is_signature(place: &Path) -> bool {
    let mut bytes = Vec::new();
    let most = Admitted::Any.most_bytes() as u64;
    let read = |file: File| file.take(most).read_to_end(&mut bytes);
    let is_read = File::open(place).and_then(read).is_ok();
    let is_bundle = || {
        let opened = envelope::open(&bytes, Admitted::Any);
        opened.is_ok_and(|opened| opened.is_bundle())
    };
    // Those of other keys than on P-256 look random. Reports are texts, and so they differ.
    let is_like_random = || {
        let is_text = str::from_utf8(&bytes).is_ok();
        bytes.len() <= MAX_BYTES_OF_ANY && !is_text
    };
    is_read && (Signature::parse(&bytes).is_ok() || is_bundle() || is_like_random())
}
