//! The end of a run on stderr: what it shows as a whole, the failures again if they may have left
//! the screen, the summary, and a last word that cannot be missed.

use std::io::{self, IsTerminal};

use super::config::{Output, Target};
use super::evidence::count_unchecked;
use super::recap::Recap;
use crate::report;
use crate::run::conclusion::Conclusion;
use crate::run::outcome::Outcome;
use crate::terminal::canvas;
use crate::terminal::message::{Message, Mood, last_word, summary_line};
use crate::trust::terms::Status;

/// Maximum number of notes printed on stderr; a report has them all.
const MOST_NOTES: usize = 100;

/// Prints the result.
pub(super) fn conclude(
    output: Output,
    (reports, patterns): (&[Target], &[String]),
    outcome: &Outcome,
    recap: &Recap,
) {
    let is_told = outcome.output.is_ok() || outcome.interrupted.is_some();
    let is_shown = output.detail.lines && is_told;
    let mut end = String::new();
    if is_shown {
        of_the_whole(outcome)
            .iter()
            .for_each(|message| end += &message.lines());
    }
    for problem in outcome.problems() {
        end += &Message::error(problem.what)
            .maybe_help(problem.help)
            .lines();
    }
    if is_shown {
        end += &more(recap, reports);
        end += &keys(outcome, recap);
        end += &count_unchecked(&outcome.unchecked, patterns, output.detail);
        end += &summary(outcome);
        end += &word(outcome);
        // Before the notes: these may say why so much failed, and must stay on the screen.
        end.insert_str(0, &again(recap, &end));
    }
    canvas::print(&end);
}

/// Returns the notes on the run as a whole, and how it differs from its baseline.
fn of_the_whole(outcome: &Outcome) -> Vec<Message> {
    let notes = outcome.notes.iter().take(MOST_NOTES);
    let mut messages: Vec<Message> = notes
        .map(|note| Message::note(report::note(note)))
        .collect();
    let more = outcome.notes.len().saturating_sub(MOST_NOTES);
    if more > 0 {
        let text = format!("and {more} more notes; a report lists all of them");
        messages.push(Message::note(text));
    }
    if let Some(audit) = outcome.audit.audit() {
        let findings = audit.findings.iter().map(report::finding);
        messages.extend(findings.map(Message::error));
        messages.push(if audit.findings.is_empty() {
            Message::note(report::audit(audit))
        } else {
            Message::error(report::audit(audit))
        });
    }
    messages
}

/// Returns where the failures are that stderr does not name.
fn more(recap: &Recap, reports: &[Target]) -> String {
    if recap.more() == 0 {
        return String::new();
    }
    let help = if reports.is_empty() {
        "--report FILE writes all of them, with reasons"
    } else {
        "the reports have all of them, with reasons"
    };
    let text = format!("{} more failures are not named here", recap.more());
    Message::note(text).help(help).lines()
}

/// Returns the failures again, unless they were all named where they can still be seen when `end`
/// is printed too. A log keeps everything.
fn again(recap: &Recap, end: &str) -> String {
    let failures = recap.again();
    if failures.is_empty() || !io::stderr().is_terminal() || canvas::is_marked_in_sight(end) {
        return String::new();
    }
    let heading = Message::note("the failures again, which may have scrolled away:").lines();
    failures
        .iter()
        .map(Message::lines)
        .fold(heading, |text, lines| text + &lines)
}

/// Returns each key with what it verified. They go before the failures, since there may be many.
fn keys(outcome: &Outcome, recap: &Recap) -> String {
    if outcome.summary.records() == 0 {
        return String::new();
    }
    let keys = recap.keys().map(|(what, text)| summary_line(what, &text));
    keys.collect()
}

/// Returns the counts. Nothing is not summarized.
fn summary(outcome: &Outcome) -> String {
    if outcome.summary.records() == 0 {
        return String::new();
    }
    summary_line("summary", &outcome.summary.to_string())
}

/// Returns the last line: how the run ended, in a word.
fn word(outcome: &Outcome) -> String {
    let summary = &outcome.summary;
    let (records, expected, failures) = (summary.records(), summary.expected, summary.failures);
    let valid = summary.valid_in_all();
    match outcome.conclusion() {
        Conclusion::Valid => {
            let (accepted, gaps) = (accepted(outcome), gaps(outcome));
            let of_share = if outcome.is_share {
                " in this shard"
            } else {
                ""
            };
            last_word(
                Mood::Good,
                &format!("OK: {valid} of {records} valid{of_share}{accepted}{gaps}"),
            )
        }
        Conclusion::NotValid => last_word(Mood::Bad, &format!("FAILED: {}", failed(outcome))),
        Conclusion::FailedFast => {
            let unjudged = expected.saturating_sub(records);
            let text =
                format!("FAILED: {failures} of {expected}, {unjudged} not judged (--fail-fast)");
            last_word(Mood::Bad, &text)
        }
        // The error says it all.
        Conclusion::CannotJudge | Conclusion::OutOfTime if records == 0 => String::new(),
        Conclusion::CannotJudge | Conclusion::OutOfTime => last_word(
            Mood::Bad,
            &format!("NO VERDICT: {valid} of {expected} valid; see the errors above"),
        ),
        Conclusion::HungUp | Conclusion::Interrupted | Conclusion::Terminated => {
            let mood = if failures > 0 {
                Mood::Bad
            } else {
                Mood::Broken
            };
            last_word(mood, &format!("Interrupted{}", interrupted(outcome)))
        }
        Conclusion::PipeClosed => String::new(),
    }
}

/// Returns whether something was left out that may hold artifacts.
fn gaps(outcome: &Outcome) -> &'static str {
    if outcome.unchecked.has_gaps() {
        ", not everything was checked"
    } else {
        ""
    }
}

/// Returns what passed without a valid signature of its own.
fn accepted(outcome: &Outcome) -> String {
    let summary = &outcome.summary;
    let counts = [
        (summary.of(Status::Listed), "listed in a signed list"),
        (summary.of(Status::VerifiedEarlier), "verified earlier"),
        (summary.of(Status::Unsigned), "accepted without a signature"),
        (summary.of(Status::NoImages), "without images"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    counts
        .map(|(count, what)| format!(", {count} {what}"))
        .collect()
}

fn failed(outcome: &Outcome) -> String {
    let summary = &outcome.summary;
    let differences = outcome
        .audit
        .audit()
        .map_or(0, |audit| audit.findings.len());
    let differences = match differences {
        0 => String::new(),
        1 => "1 difference from the baseline".to_owned(),
        count => format!("{count} differences from the baseline"),
    };
    let failures = format!("{} of {}", summary.failures, summary.expected);
    let earlier = outcome.failed_earlier();
    match (summary.failures, differences.is_empty()) {
        (0, true) if earlier > 0 => {
            format!("{earlier} of {} when last looked at", summary.expected)
        }
        (0, false) => differences,
        (_, true) => failures,
        (_, false) => format!("{failures}, and {differences}"),
    }
}

fn interrupted(outcome: &Outcome) -> String {
    let summary = &outcome.summary;
    if summary.unsurveyed {
        return String::new();
    }
    let (records, expected) = (summary.records(), summary.expected);
    format!(
        ": {records} of {expected} judged, {} failed",
        summary.failures
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Audit, Difference, Finding};
    use crate::digest::Digest;
    use crate::run::outcome::Audited;
    use crate::trust::summary::Summary;
    use std::sync::Arc;

    fn outcome(valid: u64, invalid: u64, expected: u64) -> Outcome {
        Outcome::of(Summary {
            valid,
            invalid,
            failures: invalid,
            expected,
            ..Summary::default()
        })
    }

    fn with_a_difference(outcome: Outcome) -> Outcome {
        Outcome {
            audit: Audited::Made(Arc::new(Audit {
                leaves_out_images: false,
                baseline: "b.json".into(),
                digest: Digest::of(b""),
                time: String::new(),
                findings: vec![Finding::new(Difference::Removed, "x".into())],
            })),
            ..outcome
        }
    }

    #[test]
    fn the_last_word_is_ok_only_where_the_conclusion_is() {
        assert_eq!(word(&outcome(15, 0, 15)), "OK: 15 of 15 valid\n");
        let mut accepted = outcome(13, 0, 15);
        accepted.summary.unsigned = 2;
        assert_eq!(
            word(&accepted),
            "OK: 13 of 15 valid, 2 accepted without a signature\n"
        );
        let unwritten = Outcome {
            unwritten: vec!["r.json: disk full".to_owned()],
            ..outcome(15, 0, 15)
        };
        assert_eq!(
            word(&unwritten),
            "NO VERDICT: 15 of 15 valid; see the errors above\n"
        );
        assert_eq!(word(&outcome(0, 0, 0)), "");
    }

    #[test]
    fn the_last_word_on_failures_counts_them() {
        assert_eq!(word(&outcome(15, 6, 21)), "FAILED: 6 of 21\n");
        assert_eq!(
            word(&with_a_difference(outcome(15, 6, 21))),
            "FAILED: 6 of 21, and 1 difference from the baseline\n"
        );
        assert_eq!(
            word(&with_a_difference(outcome(15, 0, 15))),
            "FAILED: 1 difference from the baseline\n"
        );
        let fast = Outcome {
            failed_fast: true,
            ..outcome(6, 1, 21)
        };
        assert_eq!(
            word(&fast),
            "FAILED: 1 of 21, 14 not judged (--fail-fast)\n"
        );
    }

    #[test]
    fn an_interrupted_run_says_so_whatever_else_it_found() {
        let interrupted = |outcome| Outcome {
            interrupted: Some(Conclusion::Interrupted),
            ..outcome
        };
        assert_eq!(
            word(&interrupted(outcome(1, 1, 4))),
            "Interrupted: 2 of 4 judged, 1 failed\n"
        );
        let mut unsurveyed = interrupted(outcome(0, 0, 0));
        unsurveyed.summary.unsurveyed = true;
        assert_eq!(word(&unsurveyed), "Interrupted\n");
    }
}
