//! Injected panics for tests: a file requests one by its name.

use std::ffi::OsStr;
use std::panic::resume_unwind;
use std::path::Path;

/// The point in the work on a file at which a panic is injected.
#[derive(Clone, Copy, Debug)]
pub(super) enum Moment {
    Opening,
    Hashing,
    Judging,
}

impl Moment {
    pub(super) const ALL: [Moment; 3] = [Moment::Opening, Moment::Hashing, Moment::Judging];

    /// Returns the file name for which a worker panics at this point.
    pub(super) fn name(self) -> &'static str {
        match self {
            Moment::Opening => "panics-when-opened",
            Moment::Hashing => "panics-when-hashed",
            Moment::Judging => "panics-when-judged",
        }
    }
}

/// Panics if the name of the file at `path` requests it, without running the panic hook.
pub(super) fn strike(moment: Moment, path: &Path) {
    if path.file_name().and_then(OsStr::to_str) == Some(moment.name()) {
        resume_unwind(Box::new(moment.name()));
    }
}
