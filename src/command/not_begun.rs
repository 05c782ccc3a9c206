//! What kept a run from beginning, and what to do.

use std::io;

use crate::engine::PoolError;
use crate::report::file::ReportError;
use crate::text::os_error;
use crate::verify::VerifyError;

/// What kept a run from beginning.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotBegun {
    #[error("{}", with_advice(.0))]
    Verify(#[from] VerifyError),
    #[error("standard output: {}", os_error::words(.0))]
    Stdout(#[from] io::Error),
    #[error("{0}: an artifact or a signature of this run; a report there would replace it")]
    ReportReplaces(String),
    #[error(
        "{0}: standard output or standard error of this run goes there, and a report would replace it; name another file"
    )]
    ReportReplacesOutput(String),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error("the system has no random numbers for the identifier of this run: {}", os_error::words(.0))]
    NoIdentifier(#[source] io::Error),
}

/// Returns the error of the library, with what a user of the command can do.
fn with_advice(error: &VerifyError) -> String {
    match error {
        VerifyError::Memory { .. } | VerifyError::Pool(PoolError::Memory { .. }) => {
            format!("{error}; raise it (ulimit -v, ulimit -d), or verify fewer at a time")
        }
        VerifyError::Pool(PoolError::FewerThreads {
            asked,
            given,
            source,
        }) => format!(
            "--jobs {asked}: the system starts only {given} of these threads: {}; use --jobs {given}, or raise the limit on processes \
             (ulimit -u, or pids.max of the control group)",
            os_error::words(source)
        ),
        VerifyError::Cancelled
        | VerifyError::NoPath { .. }
        | VerifyError::Pool(PoolError::Pool(_)) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_adds_what_to_do_to_what_the_library_states() {
        let memory = VerifyError::from(PoolError::Memory { records: 7 });
        assert_eq!(
            NotBegun::from(memory).to_string(),
            "the limit on memory leaves too little to verify 7 artifacts; raise it (ulimit -v, ulimit -d), or verify fewer at a time"
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
        assert_eq!(
            NotBegun::from(VerifyError::from(threads)).to_string(),
            "--jobs 8: the system starts only 3 of these threads: Resource temporarily unavailable; use --jobs 3, or raise the limit on \
             processes (ulimit -u, or pids.max of the control group)"
        );
    }
}
