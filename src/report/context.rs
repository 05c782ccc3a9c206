//! What a report is made of: the run, and for those that refer to others or are signed, these.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::format::ReportFormat;
use super::sign::Signer;
use crate::digest::Digests;
use crate::run::Run;

/// What one report is made of.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The run.
    pub run: Run<'a>,
    /// The report's own place, without links.
    pub place: &'a Path,
    /// The key to sign with (`--sign-report`).
    pub signer: Option<&'a Signer>,
    /// The reports of this run that are already in place.
    pub written: &'a [Written],
}

/// A report that is in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its name, as it was given.
    pub target: PathBuf,
    /// Its place, without links.
    pub place: PathBuf,
    /// Its format.
    pub format: ReportFormat,
    /// The digest of its bytes.
    pub digests: Digests,
}

/// Why a report cannot be made of this run, although the file system would take it.
///
/// It is not written, and an earlier run's report is removed from its place: whoever finds a report
/// there takes it for that of the last run.
#[derive(Debug)]
pub(super) struct Withheld(pub(super) String);

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Withheld {}

impl Withheld {
    /// Reports whether this is why a report was not made.
    pub(super) fn is_reason(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Withheld>())
    }
}

impl From<Withheld> for io::Error {
    fn from(withheld: Withheld) -> io::Error {
        io::Error::other(withheld)
    }
}
