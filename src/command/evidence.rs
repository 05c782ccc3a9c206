//! What stderr says for the record: what was not checked, and the digests of the reports.

use crate::report::file::Written;
use crate::report::lines::Detail;
use crate::report::unchecked;
use crate::terminal::print_message;
use crate::text::escape;
use crate::trust::unchecked::{Names, Unchecked};

/// Lists what the survey left out, under `--verbose` and before the first file is read.
pub(super) fn name_left_out(left_out: &Unchecked, patterns: &[String], detail: Detail) {
    if !detail.reasons {
        return;
    }
    for kind in unchecked::kinds(patterns, left_out) {
        // Those were already named: see `messages::remark`.
        let names = kind.names.iter().filter(|_| !kind.is_known);
        names.for_each(|names| list(names, &kind.why));
    }
}

/// Prints how much was not checked, with the names of what was not judged under `--verbose`.
pub(super) fn count_unchecked(all: &Unchecked, patterns: &[String], detail: Detail) {
    for kind in unchecked::kinds(patterns, all) {
        if !kind.is_known {
            print_message(&format!("not checked: {}", kind.sentence));
        }
    }
    if detail.reasons {
        list(&all.unjudged, "not judged before the run ended");
    }
}

fn list(names: &Names, why: &str) {
    for name in names.kept() {
        let name = escape::name(&name.to_os_string());
        print_message(&format!("{name}: not checked ({why})"));
    }
    if names.left_off() > 0 {
        print_message(&format!("and {} more ({why})", names.left_off()));
    }
}

/// Prints the identifier of the run, and the digest of each report as `sha256sum` will find it.
pub(super) fn name_reports(id: &str, written: &[Written], detail: Detail) {
    if written.is_empty() || !detail.lines {
        return;
    }
    print_message(&format!("run {id}"));
    for Written { target, digest } in written {
        let target = escape::name(target.as_os_str());
        print_message(&format!("{target}: report written, SHA-256 {digest}"));
    }
}
