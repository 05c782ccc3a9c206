//! What kept a run from beginning, and what to do.

use std::io;

use super::config::ConfigError;
use crate::engine::PoolError;
use crate::report::file::ReportError;
use crate::terminal::Message;
use crate::text::os_error;
use crate::verify::VerifyError;

/// What kept a run from beginning.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotBegun {
    #[error("{}", of_library(.0))]
    Verify(#[from] VerifyError),
    #[error("standard output: {}", os_error::words(.0))]
    Stdout(#[from] io::Error),
    #[error("{0}: an artifact or a signature of this run; a report there would replace it")]
    ReportReplaces(String),
    #[error("{0}: there is a file with a signature, which the report would replace")]
    ReportReplacesSigned(String),
    #[error(
        "{0}: standard output or standard error of this run goes there, and a report would replace it"
    )]
    ReportReplacesOutput(String),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error("the system has no random numbers for the identifier of this run: {}", os_error::words(.0))]
    NoIdentifier(#[source] io::Error),
}

impl NotBegun {
    /// Returns the message about it.
    pub(super) fn message(&self) -> Message {
        Message::error(self.to_string()).maybe_help(self.help())
    }

    /// Returns what to do, if something can be done.
    fn help(&self) -> Option<String> {
        match self {
            NotBegun::Verify(error) => advice(error),
            NotBegun::Config(error) => error.help(),
            NotBegun::ReportReplacesSigned(_) => Some(
                "name another file; a list that an earlier run signed is replaced with the same --sign-report key, or after its .sig.bin is \
                 removed"
                    .to_owned(),
            ),
            NotBegun::ReportReplaces(_) | NotBegun::ReportReplacesOutput(_) => {
                Some("name another file".to_owned())
            }
            NotBegun::Stdout(_) | NotBegun::Report(_) | NotBegun::NoIdentifier(_) => None,
        }
    }
}

/// Returns the error of the library in the words of the command.
fn of_library(error: &VerifyError) -> String {
    match error {
        VerifyError::Pool(PoolError::FewerThreads {
            asked,
            given,
            source,
        }) => format!(
            "--jobs {asked}: the system starts only {given} of these threads: {}",
            os_error::words(source)
        ),
        VerifyError::Cancelled
        | VerifyError::NoPath { .. }
        | VerifyError::Memory { .. }
        | VerifyError::Pool(_) => error.to_string(),
    }
}

/// Returns what a user of the command can do about an error of the library.
fn advice(error: &VerifyError) -> Option<String> {
    match error {
        VerifyError::Memory { .. } | VerifyError::Pool(PoolError::Memory { .. }) => {
            Some("raise it (ulimit -v, ulimit -d), or verify fewer at a time".to_owned())
        }
        VerifyError::Pool(PoolError::FewerThreads { given, .. }) => Some(format!(
            "use --jobs {given}, or raise the limit on processes (ulimit -u, or pids.max of the control group)"
        )),
        VerifyError::Cancelled
        | VerifyError::NoPath { .. }
        | VerifyError::Pool(PoolError::Pool(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_adds_what_to_do_to_what_the_library_states() {
        let both = |error: VerifyError| {
            let error = NotBegun::from(error);
            (error.to_string(), error.help().unwrap_or_default())
        };
        let memory = VerifyError::from(PoolError::Memory { records: 7 });
        let (what, help) = both(memory);
        assert_eq!(
            what,
            "the limit on memory leaves too little to verify 7 artifacts"
        );
        assert_eq!(
            help,
            "raise it (ulimit -v, ulimit -d), or verify fewer at a time"
        );
        let threads = PoolError::FewerThreads {
            asked: 8,
            given: 3,
            source: rustix::io::Errno::AGAIN.into(),
        };
        assert_eq!(
            threads.to_string(),
            "the system starts only 3 of 8 threads: Resource temporarily unavailable"
        );
        let (what, help) = both(threads.into());
        assert_eq!(
            what,
            "--jobs 8: the system starts only 3 of these threads: Resource temporarily unavailable"
        );
        assert_eq!(
            help,
            "use --jobs 3, or raise the limit on processes (ulimit -u, or pids.max of the control group)"
        );
    }
}
