//! The terminal on stderr: its size, and drawing on it.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::TermLike;
use rustix::termios::tcgetwinsize;

use super::stream::Stream;

/// Default size of a terminal that does not report one, and of a log.
const USUAL: (usize, usize) = (80, 24);

/// Columns that stay free to the right of the drawing: the terminal echoes `^C` there, at most
/// twice. Without room it would echo on a new line, which would never be erased.
const FOR_CTRL_C: usize = 4;

/// Returns the current number of columns and rows.
pub fn size() -> (usize, usize) {
    match tcgetwinsize(io::stderr()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => USUAL,
    }
}

/// Returns the number of columns to draw on.
pub(crate) fn columns() -> usize {
    size().0.saturating_sub(FOR_CTRL_C)
}

/// The screen as indicatif draws on it: a complete drawing is written at once.
#[derive(Debug, Default)]
pub(crate) struct Screen(Mutex<Drawing>);

#[derive(Debug, Default)]
struct Drawing {
    text: String,
    /// Whether the last line is complete, so that the next text starts a new one.
    line_is_complete: bool,
}

impl Screen {
    fn drawing(&self) -> MutexGuard<'_, Drawing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, text: &str) -> io::Result<()> {
        self.drawing().text.push_str(text);
        Ok(())
    }

    /// Appends a control sequence with a number (ECMA-48, 8.3); zero would count as one.
    fn control(&self, number: usize, function: char) -> io::Result<()> {
        match number {
            0 => Ok(()),
            number => self.add(&format!("\x1b[{number}{function}")),
        }
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        u16::try_from(size().0).unwrap_or(u16::MAX)
    }

    fn height(&self) -> u16 {
        u16::try_from(size().1).unwrap_or(u16::MAX)
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.control(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.control(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.control(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.control(n, 'D')
    }

    fn write_line(&self, s: &str) -> io::Result<()> {
        self.add(s)?;
        self.add("\n")
    }

    /// indicatif pads each line with blanks up to the right border, where the terminal would start
    /// a new line. Here the blanks represent the end of the line, and the cursor stays after the
    /// text; see [`FOR_CTRL_C`].
    fn write_str(&self, s: &str) -> io::Result<()> {
        let mut drawing = self.drawing();
        let is_end = s.chars().all(|c| c == ' ');
        if is_end {
            drawing.line_is_complete = true;
        } else {
            let begins = std::mem::take(&mut drawing.line_is_complete);
            drawing.text.push_str(if begins { "\n" } else { "" });
            drawing.text.push_str(s);
        }
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.add("\r\x1b[2K")
    }

    fn flush(&self) -> io::Result<()> {
        let drawn = std::mem::take(&mut *self.drawing());
        // indicatif panics if it learns that the terminal is gone. The bars are invisible then; the
        // verdicts do not depend on them.
        let _ = Stream::stderr().write_all(drawn.text.as_bytes());
        Ok(())
    }
}
