//! Files that are written whole or not at all, as reports are.

use std::io::{self, Write};
use std::path::Path;

use super::file::{ReportError, create, error as unwritten, replace_by, write};
use super::place;

/// Checks that a file can be replaced, without a trace.
///
/// # Errors
/// If it cannot.
pub(crate) fn check(path: &Path) -> Result<(), ReportError> {
    let created = place::of(path).and_then(|place| create(&place));
    created.map(drop).map_err(|source| error(path, source))
}

/// Writes a file under a temporary name, and moves it into place.
///
/// # Errors
/// Those of the file system. What was there is still there then.
pub(crate) fn replace(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), ReportError> {
    let replaced = place::of(path).and_then(|place| {
        let temporary = create(&place)?;
        write(&temporary, content)?;
        // The new file is not kept: the lines that were appended to the old one say the same.
        replace_by(temporary, &place).map_err(|failed| failed.error)
    });
    replaced.map_err(|source| error(path, source))
}

/// Returns the error of a file that cannot be written.
pub(crate) fn error(path: &Path, source: io::Error) -> ReportError {
    unwritten(path, "ledger", source)
}
