//! How a run ended, and the one table of exit statuses.

use crate::audit::comparison::Comparison;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// At least one artifact was verified, and every one is valid.
    Valid,
    /// At least one is not valid.
    NotValid,
    /// At least one is not valid, and the run was ended because of that (`--fail-fast`): the others
    /// were not judged.
    FailedFast,
    /// No judgement: bad usage, no usable key, a PATH that does not exist, nothing to verify,
    /// output that cannot be written.
    CannotJudge,
    /// The time is used up: that of `--stop-after`, or (SIGXCPU) the limit on processor time. No
    /// judgement.
    OutOfTime,
    /// Ended by SIGHUP, for example because the terminal was closed (128 + 1).
    HungUp,
    /// Ended by SIGINT (128 + 2, as shells report it).
    Interrupted,
    /// Ended by SIGTERM (128 + 15).
    Terminated,
    /// Standard output was closed by its reader (128 + 13, SIGPIPE).
    PipeClosed,
}

impl Conclusion {
    /// Returns the name that reports give it.
    pub fn name(self) -> &'static str {
        match self {
            Conclusion::Valid => "valid",
            Conclusion::NotValid => "not-valid",
            Conclusion::FailedFast => "failed-fast",
            Conclusion::CannotJudge => "cannot-judge",
            Conclusion::OutOfTime => "out-of-time",
            Conclusion::HungUp => "hung-up",
            Conclusion::Interrupted => "interrupted",
            Conclusion::Terminated => "terminated",
            Conclusion::PipeClosed => "pipe-closed",
        }
    }

    /// Returns the conclusion of a comparison of two reports.
    pub fn of(comparison: &Comparison) -> Conclusion {
        // Fail closed: success comes last.
        if comparison.differs() {
            Conclusion::NotValid
        } else if comparison.proves_nothing() {
            Conclusion::CannotJudge
        } else {
            Conclusion::Valid
        }
    }

    /// Returns the exit status that the shell sees.
    pub fn exit_status(self) -> u8 {
        match self {
            Conclusion::Valid => 0,
            Conclusion::NotValid | Conclusion::FailedFast => 1,
            Conclusion::CannotJudge | Conclusion::OutOfTime => 2,
            Conclusion::HungUp => 129,
            Conclusion::Interrupted => 130,
            // Fail closed: the rest was not verified, so this is no success, unlike in tools that
            // only search or print.
            Conclusion::PipeClosed => 141,
            Conclusion::Terminated => 143,
        }
    }
}
