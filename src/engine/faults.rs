//! Panics on demand, for tests of what becomes of them: a file asks for one by its name.

use std::ffi::OsStr;
use std::panic::resume_unwind;
use std::path::Path;

/// Where in the work on a file a panic may happen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Moment {
    Opening,
    Hashing,
    Judging,
}

impl Moment {
    pub(super) const ALL: [Moment; 3] = [Moment::Opening, Moment::Hashing, Moment::Judging];

    /// The name of a file over which a worker panics at this moment.
    pub(super) fn name(self) -> &'static str {
        match self {
            Moment::Opening => "panics-when-opened",
            Moment::Hashing => "panics-when-hashed",
            Moment::Judging => "panics-when-judged",
        }
    }
}

/// Panics where the file at `path` asks for it, without the message of the panic hook.
pub(super) fn strike(moment: Moment, path: &Path) {
    if path.file_name().and_then(OsStr::to_str) == Some(moment.name()) {
        resume_unwind(Box::new(moment.name()));
    }
}
