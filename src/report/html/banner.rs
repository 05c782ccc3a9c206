//! The result of the whole run, as the head of the page.

use super::super::words::count;
use crate::run::conclusion::Conclusion;
use crate::run::{End, Run};
use crate::trust::summary::Summary;
use crate::trust::terms::Status;

/// The result of the whole run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Banner {
    pub(super) class: &'static str,
    pub(super) title: String,
    pub(super) text: String,
}

impl Banner {
    pub(super) fn of(run: Run<'_>) -> Banner {
        let mut banner = Banner::of_one(run);
        if let Some(division) = run.start.division.as_ref().filter(|_| !is_share(run)) {
            let (index, count) = (division.shard.index(), division.shard.count());
            banner.title = format!("Shard {index} of {count}: {}", banner.title);
        }
        let shards = run.start.shards.len() as u64;
        if shards > 0 {
            let merged = count(shards, "shard", "shards");
            banner.text += &format!(" Merged from the reports of {merged}.");
        }
        banner
    }

    fn of_one(run: Run<'_>) -> Banner {
        let end = run.end;
        let failures = end.summary.failures;
        let unended = if failures > 0 { "fail" } else { "none" };
        // Fail closed: success remains only after everything else is ruled out.
        let (class, title, text) = match (end.interrupted, end.conclusion) {
            (Some(signal), _) => (unended, format!("Interrupted by {signal}"), of_all(end)),
            (None, Conclusion::PipeClosed) => (
                unended,
                "Ended early: standard output was closed".to_owned(),
                of_all(end),
            ),
            (None, Conclusion::FailedFast) => (
                "fail",
                "Ended at the first failure".to_owned(),
                format!(
                    "{} The rest was not judged, as --fail-fast asks.",
                    of_all(end)
                ),
            ),
            (None, Conclusion::NotValid) if failures == 0 && findings(end) == 0 => (
                "fail",
                "Failed earlier, and not looked at again".to_owned(),
                of_all(end),
            ),
            (None, Conclusion::NotValid) if failures == 0 => (
                "fail",
                differs(end),
                "Each difference is listed below.".to_owned(),
            ),
            (None, Conclusion::NotValid) => (
                "fail",
                failed(end),
                "Each is listed below, with the reason and what to do.".to_owned(),
            ),
            (None, Conclusion::Valid) if is_share(run) => return of_share(run),
            (None, Conclusion::Valid) if is_success(end) => {
                return success(end, run.start.options.allow_unsigned);
            }
            (None, _) => (unended, "No verdict".to_owned(), of_all(end)),
        };
        Banner { class, title, text }
    }
}

fn is_share(run: Run<'_>) -> bool {
    let end = run.end;
    run.start.division.is_some() && end.summary.failures == 0 && end.problems.is_empty()
}

/// Returns the banner of one shard in which nothing failed. Fail closed: a share of a mirror is no
/// mirror, and this page says nothing of the others.
fn of_share(run: Run<'_>) -> Banner {
    let valid = valid(&run.end.summary);
    let shard = run.start.division.as_ref().map(|division| division.shard);
    let (index, count) = shard.map_or((0, 0), |shard| (shard.index(), shard.count()));
    Banner {
        class: "none",
        title: format!("Shard {index} of {count}: {valid}"),
        text: "Nothing failed in this share of the mirror. The report that --merge makes of all shards has the verdict on the whole."
            .to_owned(),
    }
}

/// Returns the number of records that were judged and of those that failed.
fn of_all(end: &End) -> String {
    let summary = &end.summary;
    if summary.unsurveyed {
        return "How many artifacts there are is not known.".to_owned();
    }
    format!(
        "{} of {} {} were judged, and {} of them failed.",
        summary.records(),
        summary.expected,
        kinds(end),
        summary.failures
    )
}

fn kinds(end: &End) -> &'static str {
    match end.summary.images.records() {
        0 => "artifacts",
        _ => "artifacts and images",
    }
}

fn failed(end: &End) -> String {
    let summary = &end.summary;
    let failed = format!(
        "{} of {} {} failed",
        summary.failures,
        summary.expected,
        kinds(end)
    );
    match findings(end) {
        0 => failed,
        _ => format!("{failed}, and {} from the baseline", differences(end)),
    }
}

/// Returns the result of a run whose audit alone fails it.
fn differs(end: &End) -> String {
    let summary = &end.summary;
    let (valid, unsigned) = (summary.valid_in_all(), summary.of(Status::Unsigned));
    let differences = differences(end);
    if valid > 0 && unsigned == 0 && summary.verified_earlier == 0 && summary.listed == 0 {
        format!("{differences} from the baseline, though every signature is valid: {valid}")
    } else {
        format!(
            "{differences} from the baseline; signatures: {}",
            self::valid(summary)
        )
    }
}

fn differences(end: &End) -> String {
    count(findings(end) as u64, "difference", "differences")
}

/// Returns the banner of a run in which nothing failed.
fn success(end: &End, allow_unsigned: bool) -> Banner {
    let (valid, unsigned) = (valid(&end.summary), end.summary.of(Status::Unsigned));
    let (class, title, text) = if unsigned == 0 {
        (
            "pass",
            match end.summary.listed {
                0 => format!("Every signature is valid: {}", end.summary.valid_in_all()),
                _ => format!("Everything is signed: {valid}"),
            },
            "Every artifact that was checked is what the holder of a trusted key signed."
                .to_owned(),
        )
    } else if allow_unsigned {
        (
            "none",
            format!("{valid}, {unsigned} without a signature"),
            "Missing signatures were accepted, as requested: nothing vouches for those artifacts."
                .to_owned(),
        )
    } else {
        (
            "pass",
            format!("Nothing failed: {valid}"),
            format!(
                "Images without a signature by a trusted key: {}. They are intact, and the valid signature of their bundle covers them.",
                end.summary.images.unsigned
            ),
        )
    };
    if end.summary.verified_earlier > 0 {
        return earlier(end);
    }
    // Fail closed: half a mirror is no mirror.
    if end.unchecked.has_gaps() {
        let title = match unsigned {
            0 => format!("{valid}; not everything was checked"),
            _ => format!("{valid}, {unsigned} without a signature; not everything was checked"),
        };
        return Banner {
            class: "none",
            title,
            text,
        };
    }
    Banner { class, title, text }
}

/// Returns the banner of a run in which nothing failed, and not everything was read.
fn earlier(end: &End) -> Banner {
    let summary = &end.summary;
    let mut title = format!(
        "{}, {} verified earlier",
        valid(summary),
        summary.verified_earlier
    );
    match summary.of(Status::Unsigned) {
        0 => {}
        unsigned => title += &format!(", {unsigned} without a signature"),
    }
    if end.unchecked.has_gaps() {
        title += "; not everything was checked";
    }
    let text = "What was verified earlier was not read again: nothing has changed since, as far as the file system says.";
    Banner {
        class: "none",
        title,
        text: text.to_owned(),
    }
}

/// Returns how many are valid, and how many a signed list vouches for.
fn valid(summary: &Summary) -> String {
    let valid = summary.valid_in_all();
    match summary.listed {
        0 => format!("{valid} valid"),
        listed => format!("{valid} valid, {listed} listed in a signed list"),
    }
}

/// Returns the number of differences from the baseline.
fn findings(end: &End) -> usize {
    end.audit.as_ref().map_or(0, |audit| audit.findings.len())
}

/// Reports whether nothing contradicts success.
fn is_success(end: &End) -> bool {
    let summary = &end.summary;
    findings(end) == 0
        && summary.is_complete()
        && summary.failures == 0
        && summary.covered() > 0
        && end.problems.is_empty()
}
