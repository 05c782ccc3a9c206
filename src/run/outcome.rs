//! The outcome of a run: its exit status, and what kept it from a judgement.

use std::io;
use std::sync::Arc;

use super::conclusion::Conclusion;
use crate::audit::Audit;
use crate::earlier::Unseen;
use crate::hints::notes::Note;
use crate::text::os_error;
use crate::text::time::rfc3339;
use crate::trust::summary::Summary;
use crate::trust::unchecked::{Excluded, Unchecked};

/// The outcome of verification and output.
#[derive(Debug)]
pub struct Outcome {
    /// The count of each verdict, and the cost.
    pub summary: Summary,
    /// Whether all output was written.
    pub output: io::Result<()>,
    /// PATHs with nothing to verify, as printed.
    pub empty: Vec<String>,
    /// The conclusion of a signal, if one ended the run.
    pub interrupted: Option<Conclusion>,
    /// Whether the first failure ended the run (`--fail-fast`).
    pub failed_fast: bool,
    /// What was not looked at for want of time (`--stop-after`), if anything was not.
    pub out_of_time: Option<OutOfTime>,
    /// Reports that could not be written, as text.
    pub unwritten: Vec<String>,
    /// Number of worker panics.
    pub panics: u64,
    /// Whether the run is over one shard of a mirror, which may have nothing to do.
    pub is_share: bool,
    /// Whether a run that was merged failed, be it for what it did not look at again.
    pub has_failed_part: bool,
    /// Why the reports that were merged are not those of one whole mirror.
    pub not_whole: Vec<Problem>,
    /// What the run did not check.
    pub unchecked: Arc<Unchecked>,
    /// The notes on the run as a whole.
    pub notes: Arc<[Note]>,
    /// The outcome of the audit.
    pub audit: Audited,
}

/// What was not looked at for want of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfTime {
    /// Number of artifacts.
    pub artifacts: u64,
    /// What earlier runs found of them, if that is known.
    pub unseen: Option<Unseen>,
}

impl OutOfTime {
    fn problem(&self, expected: u64) -> Problem {
        let mut words = format!(
            "time ran out: {} of {expected} not looked at",
            self.artifacts
        );
        let Some(unseen) = self.unseen else {
            return Problem::new(words)
                .help("--ledger FILE has the next run begin with what was not looked at");
        };
        if let Some(oldest) = unseen.oldest {
            words += &format!(", the oldest verdict is of {}", rfc3339(oldest));
        }
        if unseen.never > 0 {
            words += &format!(", {} never verified", unseen.never);
        }
        if unseen.failed > 0 {
            words += &format!(", {} failed when last looked at", unseen.failed);
        }
        Problem::new(words).help("run again with the same ledger: it begins with these")
    }
}

/// The outcome of an audit.
#[derive(Debug)]
pub enum Audited {
    /// No audit was requested.
    NotAsked,
    /// The run is incomplete: artifacts that it did not reach would count as missing.
    NotMade,
    /// The audit was made.
    Made(Arc<Audit>),
}

impl Audited {
    /// Returns the audit, if it was made.
    pub fn audit(&self) -> Option<&Arc<Audit>> {
        match self {
            Audited::Made(audit) => Some(audit),
            Audited::NotAsked | Audited::NotMade => None,
        }
    }
}

impl Outcome {
    /// Returns the outcome of a run that came to these counts, and of which there is nothing else
    /// to say.
    pub fn of(summary: Summary) -> Outcome {
        Outcome {
            summary,
            output: Ok(()),
            empty: Vec::new(),
            interrupted: None,
            failed_fast: false,
            out_of_time: None,
            unwritten: Vec::new(),
            panics: 0,
            is_share: false,
            has_failed_part: false,
            not_whole: Vec::new(),
            unchecked: Arc::default(),
            notes: Arc::from([]),
            audit: Audited::NotAsked,
        }
    }

    /// Returns the conclusion of the run.
    pub fn conclusion(&self) -> Conclusion {
        let summary = &self.summary;
        // Fail closed: success comes last, after everything that could contradict it.
        match (self.interrupted, &self.output) {
            // A failure is a judgement, even if the others were not judged.
            (Some(Conclusion::OutOfTime), _) if summary.failures > 0 => Conclusion::NotValid,
            (Some(exit), _) => exit,
            (None, Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                Conclusion::PipeClosed
            }
            (None, Err(_)) => Conclusion::CannotJudge,
            (None, Ok(())) if self.failed_fast && !summary.is_complete() => Conclusion::FailedFast,
            (None, Ok(())) if summary.failures > 0 || self.differs() => Conclusion::NotValid,
            // Fail closed: the last word on it was a failure, and nothing has been said since.
            (None, Ok(())) if self.failed_earlier() > 0 => Conclusion::NotValid,
            // A panic has failed the files that it affected; if it affected none, the rest cannot
            // be trusted either.
            (None, Ok(())) if self.panics > 0 => Conclusion::CannotJudge,
            (None, Ok(())) if self.out_of_time.is_some() => Conclusion::OutOfTime,
            // A run that was not interrupted has a record of everything; otherwise there is another
            // bug.
            (None, Ok(())) if !summary.is_complete() => Conclusion::CannotJudge,
            (None, Ok(())) if matches!(self.audit, Audited::NotMade) => Conclusion::CannotJudge,
            (None, Ok(())) if self.has_failed_part => Conclusion::NotValid,
            (None, Ok(())) if !self.not_whole.is_empty() => Conclusion::CannotJudge,
            // A missing mount is an empty directory: nothing was verified where something was
            // expected.
            (None, Ok(())) if !self.empty.is_empty() => Conclusion::CannotJudge,
            // Artifacts that are allowed to be unsigned prove nothing. Of a shard, that is for the
            // merge to say: its share of a mirror may be none, or only such artifacts.
            (None, Ok(())) if summary.covered() == 0 && !self.is_share => Conclusion::CannotJudge,
            // A reader of the report would find an old one, or none.
            (None, Ok(())) if !self.unwritten.is_empty() => Conclusion::CannotJudge,
            (None, Ok(())) => Conclusion::Valid,
        }
    }

    /// Returns how many of what was not looked at failed when they last were.
    pub fn failed_earlier(&self) -> u64 {
        let unseen = self.out_of_time.and_then(|left| left.unseen);
        unseen.map_or(0, |unseen| unseen.failed)
    }

    /// Reports whether the run differs from its baseline.
    fn differs(&self) -> bool {
        let audit = self.audit.audit();
        audit.is_some_and(|audit| !audit.findings.is_empty())
    }

    /// Returns the name of the signal that ended the run.
    pub fn signal(&self) -> Option<&'static str> {
        match self.interrupted? {
            Conclusion::HungUp => Some("SIGHUP"),
            Conclusion::Interrupted => Some("SIGINT"),
            Conclusion::Terminated => Some("SIGTERM"),
            Conclusion::OutOfTime => Some("SIGXCPU"),
            _ => None,
        }
    }

    /// Returns what kept the run from a judgement, beyond the lines and the summary.
    pub fn problems(&self) -> Vec<Problem> {
        let empty = self.empty.iter().map(|path| {
            Problem::new(format!(
                "{path}: nothing to verify: no signature, and no file that needs one"
            ))
            .help(self.why_empty())
        });
        let mut problems: Vec<Problem> = empty.collect();
        if self.interrupted == Some(Conclusion::OutOfTime) {
            let words = "the processor time that this process is allowed is used up (ulimit -t); not everything was verified";
            problems.push(Problem::new(words).help("raise the limit, or verify fewer at a time"));
        }
        let out_of_time = self.out_of_time.iter();
        problems.extend(out_of_time.map(|left| left.problem(self.summary.expected)));
        if self.panics > 0 {
            let words = "an internal error (see standard error) kept artifacts from being judged; they count as failures";
            problems.push(Problem::new(words));
        }
        problems.extend(self.problem());
        problems.extend(self.not_whole.iter().cloned());
        if matches!(self.audit, Audited::NotMade) {
            let words = "not compared with the baseline, since the run did not reach its end";
            problems.push(Problem::new(words));
        }
        problems.extend(self.unwritten.iter().map(Problem::new));
        problems
    }

    /// Returns what to check if there was nothing to verify.
    fn why_empty(&self) -> &'static str {
        let Unchecked {
            excluded, too_deep, ..
        } = &*self.unchecked;
        if !excluded.iter().all(Excluded::is_empty) {
            "check --exclude: what it left out is counted below"
        } else if too_deep.count() > 0 {
            "check --max-depth: directories below it were not entered"
        } else {
            "check that this is the right directory, and that what belongs there is mounted"
        }
    }

    fn problem(&self) -> Option<Problem> {
        let summary = &self.summary;
        match &self.output {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => None,
            Err(error) => Some(Problem::new(format!(
                "standard output: {}",
                os_error::words(error)
            ))),
            Ok(()) if summary.unsurveyed && self.interrupted.is_none() => Some(Problem::new(
                "an internal error (see standard error) ended the search for files; nothing was verified",
            )),
            Ok(()) if summary.unsurveyed => Some(Problem::new(
                "interrupted while looking for files; nothing was verified",
            )),
            Ok(()) if summary.failures > 0 || !summary.is_complete() || self.differs() => None,
            Ok(()) if summary.covered() == 0 && summary.records() > 0 && !self.is_share => Some(
                Problem::new("nothing was verified: no file here has a signature")
                    .help("a signature S.sig.bin belongs beside the file S, S.zst or S.iso"),
            ),
            Ok(()) => None,
        }
    }
}

/// What kept a run from a judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong. Reports have no more than this.
    pub what: String,
    /// What to do.
    pub help: Option<String>,
}

impl Problem {
    /// Returns a problem that says itself what to do.
    pub fn new(what: impl Into<String>) -> Problem {
        Problem {
            what: what.into(),
            help: None,
        }
    }

    /// Adds what to do.
    pub fn help(mut self, help: &str) -> Problem {
        self.help = Some(help.to_owned());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Difference, Finding};
    use crate::digest::Digest;
    use std::time::{Duration, SystemTime};

    fn outcome(valid: u64, failures: u64, expected: u64) -> Outcome {
        Outcome::of(Summary {
            valid,
            invalid: failures,
            failures,
            expected,
            ..Summary::default()
        })
    }

    fn with_empty_path(outcome: Outcome) -> Outcome {
        Outcome {
            empty: vec!["d".to_owned()],
            ..outcome
        }
    }

    #[test]
    fn only_a_whole_run_in_which_something_is_valid_and_nothing_failed_is_a_success() {
        assert_eq!(outcome(2, 0, 2).conclusion(), Conclusion::Valid);
        assert_eq!(outcome(1, 1, 2).conclusion(), Conclusion::NotValid);
        assert_eq!(outcome(1, 0, 2).conclusion(), Conclusion::CannotJudge);
        assert_eq!(
            with_empty_path(outcome(2, 0, 2)).conclusion(),
            Conclusion::CannotJudge
        );
        assert_eq!(outcome(0, 0, 0).conclusion(), Conclusion::CannotJudge);
    }

    #[test]
    fn a_failure_goes_before_an_empty_path_and_a_signal_before_both() {
        let failed = with_empty_path(outcome(1, 1, 2));
        assert_eq!(failed.conclusion(), Conclusion::NotValid);
        let interrupted = Some(Conclusion::Interrupted);
        let failed = Outcome {
            interrupted,
            ..failed
        };
        assert_eq!(failed.conclusion(), Conclusion::Interrupted);
        assert_eq!(failed.signal(), Some("SIGINT"));
        let out_of_time = Some(Conclusion::OutOfTime);
        let failed = Outcome {
            interrupted: out_of_time,
            ..failed
        };
        assert_eq!(failed.conclusion(), Conclusion::NotValid);
        assert_eq!(failed.signal(), Some("SIGXCPU"));
        let unfinished = Outcome {
            interrupted: out_of_time,
            ..outcome(1, 0, 2)
        };
        assert_eq!(unfinished.conclusion(), Conclusion::OutOfTime);
        let whole = Outcome {
            interrupted,
            ..outcome(2, 0, 2)
        };
        assert_eq!(whole.conclusion(), Conclusion::Interrupted);
    }

    #[test]
    fn a_run_that_its_first_failure_ended_says_so_unless_it_was_the_last_one() {
        let failed_fast = |valid, failures, expected| Outcome {
            failed_fast: true,
            ..outcome(valid, failures, expected)
        };
        assert_eq!(failed_fast(1, 1, 3).conclusion(), Conclusion::FailedFast);
        assert_eq!(failed_fast(2, 1, 3).conclusion(), Conclusion::NotValid);
        let interrupted = Outcome {
            interrupted: Some(Conclusion::Interrupted),
            ..failed_fast(1, 1, 3)
        };
        assert_eq!(interrupted.conclusion(), Conclusion::Interrupted);
    }

    #[test]
    fn output_that_was_not_delivered_is_no_success() {
        let mut undelivered = outcome(2, 0, 2);
        undelivered.output = Err(io::ErrorKind::StorageFull.into());
        assert_eq!(undelivered.conclusion(), Conclusion::CannotJudge);
        undelivered.output = Err(io::ErrorKind::BrokenPipe.into());
        assert_eq!(undelivered.conclusion(), Conclusion::PipeClosed);
    }

    #[test]
    fn a_report_that_was_not_written_is_no_success_and_hides_no_failure() {
        let unwritten = || vec!["r.json: cannot write the report".to_owned()];
        let valid = Outcome {
            unwritten: unwritten(),
            ..outcome(2, 0, 2)
        };
        assert_eq!(valid.conclusion(), Conclusion::CannotJudge);
        let problems = valid.problems();
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].what, unwritten()[0]);
        let failed = Outcome {
            unwritten: unwritten(),
            ..outcome(1, 1, 2)
        };
        assert_eq!(failed.conclusion(), Conclusion::NotValid);
    }

    #[test]
    fn a_panic_is_reported_and_is_no_success_even_where_nothing_failed() {
        let panicked = |valid, failures| Outcome {
            panics: 1,
            ..outcome(valid, failures, valid + failures)
        };
        let problem = "an internal error (see standard error) kept artifacts from being judged; they count as failures";
        assert_eq!(panicked(1, 1).conclusion(), Conclusion::NotValid);
        assert_eq!(panicked(2, 0).conclusion(), Conclusion::CannotJudge);
        assert_eq!(panicked(2, 0).problems(), [Problem::new(problem)]);
    }

    #[test]
    fn a_search_that_ended_without_a_signal_is_no_interruption() {
        let unsurveyed = |interrupted| {
            let mut outcome = outcome(0, 0, 0);
            outcome.summary.unsurveyed = true;
            outcome.interrupted = interrupted;
            (outcome.conclusion(), outcome.problems())
        };
        let error = "an internal error (see standard error) ended the search for files; nothing was verified";
        assert_eq!(
            unsurveyed(None),
            (Conclusion::CannotJudge, vec![Problem::new(error)])
        );
        let signal = "interrupted while looking for files; nothing was verified";
        let interrupted = unsurveyed(Some(Conclusion::Interrupted));
        assert_eq!(
            interrupted,
            (Conclusion::Interrupted, vec![Problem::new(signal)])
        );
    }

    fn audited(valid: u64, failures: u64, findings: Vec<Finding>) -> Outcome {
        let audit = Audit {
            leaves_out_images: false,
            baseline: "b.json".into(),
            digest: Digest::of(b""),
            time: String::new(),
            findings,
        };
        Outcome {
            audit: Audited::Made(Arc::new(audit)),
            ..outcome(valid, failures, valid + failures)
        }
    }

    #[test]
    fn any_difference_from_the_baseline_is_no_success_and_hides_nothing_worse() {
        let missing = || vec![Finding::new(Difference::Removed, "x".into())];
        assert_eq!(audited(2, 0, Vec::new()).conclusion(), Conclusion::Valid);
        assert_eq!(audited(2, 1, Vec::new()).conclusion(), Conclusion::NotValid);
        assert_eq!(audited(2, 0, missing()).conclusion(), Conclusion::NotValid);
        // A mirror that was emptied.
        let emptied = with_empty_path(audited(0, 0, missing()));
        assert_eq!(emptied.conclusion(), Conclusion::NotValid);
        assert_eq!(
            audited(0, 0, Vec::new()).conclusion(),
            Conclusion::CannotJudge
        );
        let interrupted = Outcome {
            interrupted: Some(Conclusion::Interrupted),
            ..audited(2, 0, missing())
        };
        assert_eq!(interrupted.conclusion(), Conclusion::Interrupted);
    }

    #[test]
    fn an_audit_that_was_not_made_is_no_success_and_is_reported() {
        let unmade = Outcome {
            audit: Audited::NotMade,
            ..outcome(2, 0, 2)
        };
        assert_eq!(unmade.conclusion(), Conclusion::CannotJudge);
        let problem = "not compared with the baseline, since the run did not reach its end";
        assert_eq!(unmade.problems(), [Problem::new(problem)]);
    }

    #[test]
    fn a_run_whose_time_ran_out_is_no_success_and_says_what_it_did_not_look_at() {
        let run = |failures, unseen| {
            let outcome = Outcome {
                out_of_time: Some(OutOfTime {
                    artifacts: 3,
                    unseen,
                }),
                ..outcome(2, failures, 5 + failures)
            };
            let words = outcome.problems().into_iter().map(|problem| problem.what);
            (outcome.conclusion(), words.collect::<Vec<_>>().concat())
        };
        let unseen = |failed, never, oldest: Option<u64>| {
            let oldest = oldest.map(|s| SystemTime::UNIX_EPOCH + Duration::from_secs(s));
            Some(Unseen {
                failed,
                never,
                oldest,
            })
        };
        let words = |words: &str| format!("time ran out: 3 of {words}");
        let time = "1970-01-01T00:00:07.000Z";
        let cases = [
            (0, None, Conclusion::OutOfTime, words("5 not looked at")),
            (
                0,
                unseen(0, 0, Some(7)),
                Conclusion::OutOfTime,
                words(&format!("5 not looked at, the oldest verdict is of {time}")),
            ),
            (
                0,
                unseen(0, 2, None),
                Conclusion::OutOfTime,
                words("5 not looked at, 2 never verified"),
            ),
            (
                0,
                unseen(1, 0, Some(7)),
                Conclusion::NotValid,
                words(&format!(
                    "5 not looked at, the oldest verdict is of {time}, 1 failed when last looked at"
                )),
            ),
            (1, None, Conclusion::NotValid, words("6 not looked at")),
        ];
        for (failures, unseen, conclusion, words) in cases {
            assert_eq!(run(failures, unseen), (conclusion, words));
        }
    }

    #[test]
    fn what_was_verified_earlier_is_enough_for_a_success_and_is_not_counted_as_valid() {
        let mut earlier = outcome(0, 0, 2);
        earlier.summary.verified_earlier = 2;
        assert_eq!(earlier.conclusion(), Conclusion::Valid);
        assert_eq!(earlier.problems(), []);
        assert_eq!(earlier.summary.valid_in_all(), 0);
    }
}
