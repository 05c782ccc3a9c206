//! The exit codes: the one table of them.

use std::process::ExitCode;

/// How a run ended, for the caller's shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// At least one artifact was verified, and every one is valid.
    Valid,
    /// At least one is not valid.
    NotValid,
    /// No judgement: bad usage, no usable key, a PATH that does not exist, nothing to verify, output that cannot be written.
    CannotJudge,
    /// Ended by SIGXCPU: the processor time that the system allows is used up. No judgement.
    OutOfTime,
    /// Ended by SIGHUP, as when the terminal is closed (128 + 1).
    HungUp,
    /// Ended by SIGINT (128 + 2, as a shell shows it).
    Interrupted,
    /// Ended by SIGTERM (128 + 15).
    Terminated,
    /// Nobody reads standard output any more (128 + 13, SIGPIPE).
    PipeClosed,
}

impl Exit {
    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Exit::Valid => 0,
            Exit::NotValid => 1,
            Exit::CannotJudge | Exit::OutOfTime => 2,
            Exit::HungUp => 129,
            Exit::Interrupted => 130,
            // Fail closed: the rest was not verified, so this is no success, unlike with tools that only search or print.
            Exit::PipeClosed => 141,
            Exit::Terminated => 143,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
