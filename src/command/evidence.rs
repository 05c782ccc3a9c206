//! What stderr says for the record: what was not checked, and the digests of the reports.

use crate::report::context::Written;
use crate::report::lines::Detail;
use crate::report::unchecked;
use crate::terminal::canvas;
use crate::terminal::message::{Message, summary_line};
use crate::text::escape;
use crate::trust::unchecked::{Names, Unchecked};

/// Lists what the survey left out, under `--verbose` and before the first file is read.
pub(super) fn name_left_out(left_out: &Unchecked, patterns: &[String], detail: Detail) {
    if detail.lines {
        warn_of_idle(left_out, patterns);
    }
    if !detail.reasons {
        return;
    }
    for kind in unchecked::kinds(patterns, left_out) {
        // Those were already named: see `messages::remark`.
        let names = kind.names.iter().filter(|_| !kind.is_known);
        names.for_each(|names| list(names, &kind.why).iter().for_each(Message::print));
    }
}

/// Warns of patterns that match nothing: what they were to leave out is verified, or they are
/// mistyped.
fn warn_of_idle(left_out: &Unchecked, patterns: &[String]) {
    let both = patterns.iter().zip(&left_out.excluded);
    for (pattern, _) in both.filter(|(_, excluded)| excluded.is_empty()) {
        let quoted = unchecked::quoted(pattern);
        Message::warning(format!("--exclude {quoted}: nothing matches"))
            .help("it is compared with the path below PATH; **/ in front matches at every level")
            .print();
    }
}

/// Returns how much was not checked, with the names of what was not judged under `--verbose`.
pub(super) fn count_unchecked(all: &Unchecked, patterns: &[String], detail: Detail) -> String {
    let mut text = String::new();
    if detail.reasons {
        let unjudged = list(&all.unjudged, "not judged before the run ended");
        unjudged.iter().for_each(|message| text += &message.lines());
    }
    for kind in unchecked::kinds(patterns, all) {
        // The summary itself counts what was not judged.
        let is_counted = |names: &&Names| std::ptr::eq(*names, &all.unjudged);
        if !kind.names.iter().any(is_counted) {
            text += &summary_line("not checked", &kind.sentence);
        }
    }
    text
}

fn list(names: &Names, why: &str) -> Vec<Message> {
    let named = names.kept().iter().map(|name| {
        let name = escape::name(&name.to_os_string());
        Message::note(format!("{name}: not checked ({why})"))
    });
    let more = (names.left_off() > 0).then(|| match names.kept() {
        // Those of a shard whose report is missing.
        [] => Message::note(format!(
            "{} more, without names here ({why})",
            names.left_off()
        )),
        _ => Message::note(format!("and {} more ({why})", names.left_off())),
    });
    named.chain(more).collect()
}

/// Prints the identifier of the run, and the digest of each report as `sha256sum` will find it.
pub(super) fn name_reports(id: &str, written: &[Written], detail: Detail) {
    if written.is_empty() || !detail.lines {
        return;
    }
    canvas::print(&summary_line("run", id));
    written.iter().for_each(name_report);
}

/// Prints the digest of a report.
pub(super) fn name_report(
    Written {
        target, digests, ..
    }: &Written,
) {
    let (target, digest) = (escape::name(target.as_os_str()), digests.sha256());
    Message::note(format!("{target}: report written, SHA-256 {digest}")).print();
}
