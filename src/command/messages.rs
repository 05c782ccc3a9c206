//! Messages on stderr besides the lines: warnings and settings before the work begins, and the
//! result.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use super::args::Format;
use super::config::{Against, KeysFound, Output, Skipped, Target, WhyNoKey};
use super::evidence::count_unchecked;
use super::recap::Recap;
use crate::content::IoMode;
use crate::engine::WhyFewer;
use crate::mirror::Survey;
use crate::mirror::links::{self, OutsideLink};
use crate::report;
use crate::report::lines::Detail;
use crate::run::outcome::Outcome;
use crate::terminal::print_message;
use crate::terminal::screen;
use crate::text::{escape, os_error};
use crate::verify::{Inputs, Planned, Verifier, access};

/// Maximum number of notes printed on stderr; a report has them all.
const MOST_NOTES: usize = 100;

/// Warns about keys and a baseline that are in a place where they may have been replaced together
/// with the artifacts.
pub(super) fn warn(keys: &KeysFound, against: Option<&Against>, detail: Detail) {
    if !detail.lines {
        return;
    }
    if let Some(against) = against.filter(|against| against.is_exposed) {
        print_message(&format!(
            "{}: this baseline is inside the tree that is compared with it, so anyone who can change the artifacts can change it too; keep it \
             elsewhere",
            escape::name(against.path.as_os_str())
        ));
    }
    for key in &keys.exposed {
        print_message(&format!(
            "{}: this key is inside the tree that it verifies, so anyone who can change the artifacts can change the key; compare its \
             fingerprint with the vendor's and pin it: --key-fingerprint {}",
            key.name(),
            key.fingerprint()
        ));
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
            print_message(&format!(
                "{}: not read as a key: {words}",
                escape::name(path.as_os_str())
            ));
        }
    }
}

/// Prints how many bytes of a block device are hashed, if its image determines that.
pub(super) fn name_extent(inputs: &Inputs, detail: Detail) {
    if let Inputs::One(one) = inputs
        && let Some(extent) = one.device.filter(|extent| !extent.is_asked)
        && detail.lines
    {
        print_message(&format!(
            "{}: hashing its first {} bytes, the size that its ISO 9660 volume descriptor names; if the signature does not fit, the image \
             may be longer: name its size with --length BYTES",
            escape::name(one.data.as_os_str()),
            extent.length
        ));
    }
}

/// Prints what the survey found worth reporting, before the first file is read.
pub(super) fn remark(survey: &Survey, roots: &[PathBuf], detail: Detail) {
    let linked = survey.links_not_entered.len();
    if linked > 0 && detail.lines {
        print_message(&format!(
            "linked directories not entered: {linked} (--follow-links enters them)"
        ));
    }
    if detail.reasons {
        for link in &survey.links_not_entered {
            let link = escape::name(&link.to_os_string());
            print_message(&format!("{link}: a link to a directory, not entered"));
        }
        for OutsideLink { link, target } in links::leading_out(survey, roots) {
            let (link, target) = (link.as_os_str(), target.as_os_str());
            let (link, target) = (escape::name(link), escape::name(target));
            print_message(&format!("{link}: a link to {target}, outside of the PATHs"));
        }
    }
}

/// Prints the settings of this run.
pub(super) fn explain(verifier: &Verifier, planned: &Planned) {
    let (prepared, limit_readers) = (&planned.prepared, verifier.limit_readers);
    let io = match verifier.settings.io {
        IoMode::Auto => "memory maps, pread(2) for small files and where maps are refused",
        IoMode::Mmap => "memory maps",
        IoMode::Read => "pread(2)",
    };
    print_message(&format!("threads: {}; reading by {io}", prepared.threads()));
    if let Some(why) = prepared.why_fewer_threads() {
        let why = why_fewer_threads(why, prepared.useful_threads());
        print_message(&format!("threads: {why}"));
    }
    print_message(&report::choice(prepared.choice()));
    for medium in planned.media.values().collect::<BTreeSet<_>>() {
        print_message(&match access(*medium, limit_readers).readers {
            Some(readers) => format!(
                "{medium}: {readers} file at a time, in the order of the paths (--jobs overrides)"
            ),
            None => format!("{medium}: files side by side, the largest first"),
        });
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

/// Prints the result on stderr.
pub(super) fn conclude(
    output: Output,
    (reports, patterns): (&[Target], &[String]),
    outcome: &Outcome,
    recap: &Recap,
) {
    if output.detail.lines && (outcome.output.is_ok() || outcome.interrupted.is_some()) {
        explain_failures(output, reports, recap);
        remark_on_all(outcome);
        print_message(&outcome.summary);
        count_unchecked(&outcome.unchecked, patterns, output.detail);
        recap.keys().for_each(|key| print_message(&key));
    }
    outcome.problems().iter().for_each(print_message);
}

/// Prints the notes on the run as a whole, and how it differs from its baseline.
fn remark_on_all(outcome: &Outcome) {
    for note in outcome.notes.iter().take(MOST_NOTES) {
        print_message(&report::note(note));
    }
    let more = outcome.notes.len().saturating_sub(MOST_NOTES);
    if more > 0 {
        print_message(&format!(
            "and {more} more notes; a report lists all of them"
        ));
    }
    if let Some(audit) = outcome.audit.audit() {
        audit
            .findings
            .iter()
            .map(report::finding)
            .for_each(|line| print_message(&line));
        print_message(&report::audit(audit));
    }
}

/// Prints why each artifact failed and what to do. The lines on stdout do not include that, and
/// they may have scrolled off the screen, or gone elsewhere.
fn explain_failures(output: Output, reports: &[Target], recap: &Recap) {
    if recap.failures().next().is_none() {
        return;
    }
    if reasons_are_in_sight(output, recap) {
        recap.advice().for_each(|advice| print_message(&advice));
    } else {
        print_message(&"what failed, and what to do:");
        recap.failures().for_each(|failure| print_message(&failure));
    }
    if recap.more() > 0 {
        let all = if reports.is_empty() {
            "--report has all of them"
        } else {
            "the reports have all of them"
        };
        print_message(&format!("and {} more; {all}", recap.more()));
    }
}

/// Reports whether the reasons are still on the screen: in lines that were printed there, and have
/// not scrolled off.
fn reasons_are_in_sight(output: Output, recap: &Recap) -> bool {
    let (_, rows) = screen::size();
    let has_reasons = output.detail.reasons && output.format == Format::Text;
    has_reasons && io::stdout().is_terminal() && recap.fits(rows)
}
