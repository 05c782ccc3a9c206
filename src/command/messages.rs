//! Messages on stderr before the work begins: warnings, and the settings.

use std::collections::BTreeSet;
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;

use super::config::{Against, KeysFound, LedgerFound, Skipped, WhyNoKey};
use crate::content::IoMode;
use crate::engine::WhyFewer;
use crate::mirror::Survey;
use crate::mirror::links::{self, OutsideLink};
use crate::report;
use crate::report::lines::Detail;
use crate::report::words;
use crate::shard::Division;
use crate::terminal::Message;
use crate::text::{escape, os_error};
use crate::verify::{DataKind, Inputs, Planned, Verifier, access};

/// Warns about keys and a baseline that are in a place where they may have been replaced together
/// with the artifacts.
pub(super) fn warn(keys: &KeysFound, against: Option<&Against>, detail: Detail) {
    if !detail.lines {
        return;
    }
    if let Some(against) = against.filter(|against| against.is_exposed) {
        Message::warning(format!(
            "{}: this baseline is inside the tree that is compared with it, so anyone who can change the artifacts can change it too",
            escape::name(against.path.as_os_str())
        ))
        .help("keep it elsewhere")
        .print();
    }
    for key in &keys.exposed {
        // Fail closed: this key's own fingerprint is not given here, since pinning what was found
        // beside the artifacts proves nothing.
        warn_of_key(key.name());
    }
}

/// Warns of a key that lies in what it verifies.
pub(super) fn warn_of_key(name: &str) {
    Message::warning(format!(
        "{name}: this key is inside the tree that it verifies, so anyone who can change the artifacts can change the key"
    ))
    .help(
        "get the fingerprint from the vendor through a different channel than the files, and pin it with --key-fingerprint; or keep the key elsewhere",
    )
    .print();
}

/// Warns of a ledger that counts as empty.
pub(super) fn name_damage(ledger: Option<&LedgerFound>, detail: Detail) {
    let damaged = ledger.filter(|_| detail.lines);
    if let Some((ledger, damage)) = damaged.and_then(|found| Some((found, found.damage.as_ref()?)))
    {
        let path = escape::name(ledger.path.as_os_str());
        Message::warning(format!("{path}: this ledger counts as empty: {damage}"))
            .help("what it was is kept beside it, with .damaged behind its name")
            .print();
    }
}

/// Lists the files in directories of keys that were not read as keys: AppleDouble files always,
/// others under `--verbose`.
pub(super) fn name_skipped(keys: &KeysFound, detail: Detail) {
    for Skipped { path, why } in &keys.skipped {
        let (words, is_shown) = match why {
            WhyNoKey::AppleDouble => (
                "an AppleDouble file, in which macOS keeps metadata",
                detail.lines,
            ),
            WhyNoKey::OtherEnding => (
                "its name does not end in .pem, .pub or .der",
                detail.reasons,
            ),
            WhyNoKey::NotAFile => ("not a regular file", detail.reasons),
        };
        if is_shown {
            let path = escape::name(path.as_os_str());
            Message::note(format!("{path}: not read as a key: {words}")).print();
        }
    }
}

/// Prints how many bytes of a block device are hashed, if its image determines that.
pub(super) fn name_extent(inputs: &Inputs, detail: Detail) {
    if let Inputs::One(one) = inputs
        && let Some(extent) = one.device().filter(|extent| !extent.is_asked)
        && detail.lines
    {
        Message::note(format!(
            "{}: hashing its first {} bytes, the size that its ISO 9660 volume descriptor names",
            escape::name(one.data.as_os_str()),
            extent.length
        ))
        .help("if the signature does not fit, the image may be longer: give its size with --length BYTES")
        .print();
    }
}

/// Says how a pipe is verified, if one is named as the artifact: by its name it is not.
pub(super) fn name_pipe(inputs: &Inputs, detail: Detail) {
    if let Inputs::One(one) = inputs
        && one.kind == DataKind::File
        && one
            .data
            .metadata()
            .is_ok_and(|data| data.file_type().is_fifo())
        && detail.lines
    {
        let path = escape::name(one.data.as_os_str());
        Message::note(format!("{path}: a pipe, which is not read under a name"))
            .help("lead it to standard input, and give - as PATH")
            .print();
    }
}

/// Prints what the survey found worth reporting, before the first file is read.
pub(super) fn remark(survey: &Survey, roots: &[PathBuf], detail: Detail) {
    let linked = survey.links_not_entered.len();
    if linked > 0 && detail.lines {
        Message::note(format!("linked directories not entered: {linked}"))
            .help("--follow-links enters them, --exclude leaves them out")
            .print();
    }
    if detail.reasons {
        for link in &survey.links_not_entered {
            let link = escape::name(&link.to_os_string());
            Message::note(format!("{link}: a link to a directory, not entered")).print();
        }
        for OutsideLink { link, target } in links::leading_out(survey, roots) {
            let (link, target) = (link.as_os_str(), target.as_os_str());
            let (link, target) = (escape::name(link), escape::name(target));
            Message::note(format!("{link}: a link to {target}, outside of the PATHs")).print();
        }
    }
}

/// Prints what a shard takes of the mirror.
pub(super) fn name_share(division: &Division, detail: Detail) {
    if !detail.lines {
        return;
    }
    Message::note(format!("shard {}", words::division(division))).print();
}

/// Prints the settings of this run.
pub(super) fn explain(verifier: &Verifier, planned: &Planned, inputs: &Inputs) {
    let (prepared, limit_readers) = (&planned.prepared, verifier.limit_readers);
    let is_stdin = matches!(inputs, Inputs::One(one) if one.is_stdin());
    let io = match verifier.settings.io {
        _ if is_stdin => "read(2), once",
        IoMode::Auto => {
            "memory maps, direct I/O for large files on local disks that are not cached, pread(2) for \
             small files and where maps are refused"
        }
        IoMode::Mmap => "memory maps",
        IoMode::Read => "pread(2)",
        IoMode::Direct => "direct I/O",
    };
    Message::note(format!("threads: {}; reading by {io}", prepared.threads())).print();
    if let Some(why) = prepared.why_fewer_threads() {
        let why = why_fewer_threads(why, prepared.useful_threads());
        Message::note(format!("threads: {why}")).print();
    }
    Message::note(report::choice(prepared.choice())).print();
    let media = planned.media.values().filter(|_| !is_stdin);
    for medium in media.collect::<BTreeSet<_>>() {
        let message = match access(*medium, limit_readers).readers {
            Some(readers) => {
                let small = small_files(readers);
                Message::note(format!(
                    "{medium}: one file at a time{small}, in the order of the paths"
                ))
                .help("--jobs overrides this")
            }
            None => Message::note(format!("{medium}: files side by side, the largest first")),
        };
        message.print();
    }
}

/// Returns how many small files are read at once, if that is more than one.
fn small_files(readers: usize) -> String {
    match readers {
        ..=1 => String::new(),
        _ => format!(", small ones up to {readers}"),
    }
}

fn why_fewer_threads(why: WhyFewer<'_>, useful: usize) -> String {
    match why {
        WhyFewer::NoThread(error) => format!(
            "the system starts no thread ({}): the main thread does the work, and answers signals between two reads",
            os_error::words(error)
        ),
        WhyFewer::NoMore(error) => format!(
            "{useful} would have work; the system starts no more: {}",
            os_error::words(error)
        ),
        WhyFewer::Limits => format!(
            "{useful} would have work; the limits on memory or open files (ulimit -v, -d, -n) allow no more"
        ),
    }
}
