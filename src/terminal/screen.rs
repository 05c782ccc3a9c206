//! The size of the terminal on stderr.

use std::io;

use rustix::termios::tcgetwinsize;

/// Default size of a terminal that does not report one, and of a log.
const USUAL: (usize, usize) = (80, 24);

/// Returns the current number of columns and rows.
pub fn size() -> (usize, usize) {
    match tcgetwinsize(io::stderr()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => USUAL,
    }
}

/// Returns the number of columns to draw on: a text that reaches the last one may be taken for one
/// that continues on the next row.
pub(crate) fn columns() -> usize {
    size().0.saturating_sub(1)
}
