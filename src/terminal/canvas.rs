//! The rows at the bottom of the terminal that are drawn again and again, and what is printed above
//! them.
//!
//! The cursor waits *above* the rows, on a blank row of its own, and a drawing begins with erasing
//! everything below the cursor. Programs that leave it below their rows must move it up by as many
//! rows as they think they have drawn, and are wrong when the terminal has wrapped them again
//! (narrowed windows, tmux) or the user has typed a line; what they miss stays on the screen. Here
//! the terminal itself keeps the place:
//!
//! - Rows that are wrapped anew are still below the cursor, which stays with its own row.
//! - A line that the user types moves the cursor down. The system counts what was typed (FIONREAD,
//!   which takes nothing away from who reads it), and the cursor returns to where it was.
//! - A line of another program takes the blank row, and the rows are drawn below it.
//!
//! Rows stay behind only where the process is killed between two drawings, where more lines are
//! typed between two drawings than there are rows, or where the terminal itself moves them into its
//! history: tmux does that with the uppermost rows when a narrowed window needs more of them. No
//! program can erase anything there.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::io::ioctl_fionread;

use super::screen;
use super::stream::Stream;
use super::trail::Trail;

/// The one canvas of the process, which has one stderr.
static CANVAS: Mutex<Canvas> = Mutex::new(Canvas::new());

/// Moves the cursor to the first column, and erases its row and everything below it (ECMA-48, EL
/// and ED). In two steps, since tmux keeps a screen in its history that is erased from its first
/// place on. The cursor returns by its saved place: it may be in the last row already, and would
/// not have moved down.
const ERASE: &str = "\r\x1b[K\x1b7\x1b[B\x1b[J\x1b8";
/// Saves the cursor's place, and returns there (DECSC, DECRC).
const SAVE: &str = "\x1b7";
const RESTORE: &str = "\x1b8";
/// Cuts lines off at the border instead of wrapping them, and wraps them again (DECAWM). A terminal
/// that was narrowed may be drawn on before the system says so (tmux waits a quarter of a second).
const CUT: &str = "\x1b[?7l";
const WRAP: &str = "\x1b[?7h";

struct Canvas {
    /// The rows to show, the last at the bottom.
    rows: Vec<String>,
    /// Where they were drawn, if they are on the screen.
    drawn: Option<Place>,
    /// Whether rows may be drawn.
    is_open: bool,
    trail: Trail,
}

/// What tells whether the cursor was moved by someone else.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    size: (usize, usize),
    /// Bytes typed that no program has read.
    typed: u64,
}

impl Place {
    fn here() -> Place {
        Place {
            size: screen::size(),
            // Not a terminal, or one that does not say: then nothing counts as typed.
            typed: ioctl_fionread(io::stderr()).unwrap_or(0),
        }
    }
}

/// Allows rows to be drawn from now on.
pub(super) fn open() {
    lock().is_open = true;
}

/// Removes the rows; none are drawn from now on.
pub(super) fn close() {
    let mut canvas = lock();
    let text = canvas.erasing();
    write(&text);
    canvas.rows.clear();
    canvas.is_open = false;
}

/// Draws rows in place of those that are there.
pub(super) fn draw(rows: Vec<String>) {
    let mut canvas = lock();
    if !canvas.is_open {
        return;
    }
    let mut text = canvas.erasing();
    canvas.rows = rows;
    text += &canvas.drawing();
    write(&text);
}

/// Prints complete lines on stderr, above the rows.
pub fn print(lines: &str) {
    let mut canvas = lock();
    canvas.trail.add(lines);
    let text = canvas.erasing() + lines + &canvas.drawing();
    write(&text);
}

/// Lets something else print complete lines to the terminal, above the rows.
pub fn print_by<T>(lines: &[u8], print: impl FnOnce() -> T) -> T {
    let mut canvas = lock();
    canvas.trail.add(&String::from_utf8_lossy(lines));
    canvas.without_rows(print)
}

/// Takes note of complete lines that may appear on the terminal.
pub fn note(lines: &[u8]) {
    lock().trail.add(&String::from_utf8_lossy(lines));
}

/// Does something while the rows are not there.
pub(super) fn without_rows<T>(act: impl FnOnce() -> T) -> T {
    lock().without_rows(act)
}

/// Remembers what is printed from now on, to know later whether it can still be seen.
pub fn mark() {
    lock().trail.begin();
}

/// Reports whether everything printed since the mark can be seen when `ahead` is printed as well.
pub fn is_marked_in_sight(ahead: &str) -> bool {
    lock().trail.is_in_sight(screen::size(), ahead)
}

/// Locks the canvas, which is consistent wherever a thread could panic, so poisoning is ignored.
fn lock() -> MutexGuard<'static, Canvas> {
    CANVAS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write(text: &str) {
    if !text.is_empty() {
        // A closed stderr has no reader; the verdicts and the exit status do not depend on it.
        let _ = Stream::stderr().write_all(text.as_bytes());
    }
}

impl Canvas {
    const fn new() -> Canvas {
        Canvas {
            rows: Vec::new(),
            drawn: None,
            is_open: false,
            trail: Trail::new(),
        }
    }

    /// Returns what removes the rows from the screen.
    fn erasing(&mut self) -> String {
        match self.drawn.take() {
            None => String::new(),
            Some(place) => erasing(place, Place::here()),
        }
    }

    /// Returns what puts the rows on the screen, and remembers where.
    fn drawing(&mut self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let place = Place::here();
        self.drawn = Some(place);
        drawing(&self.rows, place.size.1)
    }

    fn without_rows<T>(&mut self, act: impl FnOnce() -> T) -> T {
        write(&self.erasing());
        let done = act();
        write(&self.drawing());
        done
    }
}

fn erasing(drawn: Place, now: Place) -> String {
    // After a resize the terminal has moved the cursor with its row, and the saved place is
    // another row's.
    let was_moved_by_typing = drawn.size == now.size && now.typed > drawn.typed;
    let back = if was_moved_by_typing { RESTORE } else { "" };
    format!("{back}{ERASE}")
}

/// Returns the rows that fit below the cursor's own, and the way back there.
fn drawing(rows: &[String], height: usize) -> String {
    let fitting = rows.len().min(height.saturating_sub(1));
    let rows = &rows[rows.len() - fitting..];
    if rows.is_empty() {
        return String::new();
    }
    let (text, up) = (rows.join("\n"), rows.len());
    format!("{CUT}\n{text}\r\x1b[{up}A{WRAP}{SAVE}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use vt100::Parser;

    const ROWS: [&str; 2] = ["a 1%", "b 2%"];

    fn rows() -> Vec<String> {
        ROWS.map(str::to_owned).to_vec()
    }

    fn place(columns: usize, rows: usize, typed: u64) -> Place {
        let size = (columns, rows);
        Place { size, typed }
    }

    /// What a screen of 5 rows and 20 columns shows.
    fn shown(screen: &Parser) -> Vec<String> {
        let rows = screen.screen().rows(0, 20);
        rows.map(|row| row.trim_end().to_owned()).collect()
    }

    /// A screen at whose bottom the rows were drawn below a line.
    fn drawn() -> Parser {
        let mut screen = Parser::new(5, 20, 0);
        screen.process(b"1\r\n2\r\n3\r\n4\r\nline\r\n");
        screen.process(terminal(&drawing(&rows(), 5)).as_bytes());
        assert_eq!(shown(&screen), ["4", "line", "", "a 1%", "b 2%"]);
        screen
    }

    /// The text as the terminal gets it: the system puts a carriage return before each line feed.
    fn terminal(text: &str) -> String {
        text.replace('\n', "\r\n")
    }

    #[test]
    fn rows_are_drawn_in_the_place_of_those_before() {
        let mut screen = drawn();
        let again = erasing(place(20, 5, 0), place(20, 5, 0)) + &drawing(&rows(), 5);
        screen.process(terminal(&again).as_bytes());
        assert_eq!(shown(&screen), ["4", "line", "", "a 1%", "b 2%"]);
        let gone = erasing(place(20, 5, 0), place(20, 5, 0));
        screen.process(gone.as_bytes());
        assert_eq!(shown(&screen), ["4", "line", "", "", ""]);
    }

    #[test]
    fn what_the_user_types_leaves_no_row_behind() {
        let mut screen = drawn();
        // The terminal's echo of a held Enter, and what FIONREAD says then.
        screen.process(b"\r\n\r\n");
        let again = erasing(place(20, 5, 0), place(20, 5, 2)) + &drawing(&rows(), 5);
        screen.process(terminal(&again).as_bytes());
        assert_eq!(shown(&screen), ["4", "line", "", "a 1%", "b 2%"]);
    }

    #[test]
    fn a_line_of_another_program_stays_above_the_rows() {
        let mut screen = drawn();
        screen.process(b"another\r\n");
        let again = erasing(place(20, 5, 0), place(20, 5, 0)) + &drawing(&rows(), 5);
        screen.process(terminal(&again).as_bytes());
        assert_eq!(shown(&screen), ["line", "another", "", "a 1%", "b 2%"]);
    }

    #[test]
    fn rows_wrapped_by_a_resize_are_erased_from_where_the_cursor_is() {
        // The saved place is not where the cursor is: the terminal has moved both.
        assert_eq!(erasing(place(20, 5, 0), place(10, 5, 1)), ERASE);
        assert_eq!(erasing(place(20, 5, 0), place(20, 4, 1)), ERASE);
    }

    #[test]
    fn no_more_rows_are_drawn_than_the_screen_has_below_the_cursor() {
        assert_eq!(drawing(&rows(), 2), "\x1b[?7l\nb 2%\r\x1b[1A\x1b[?7h\x1b7");
        assert_eq!(drawing(&rows(), 1), "");
        assert_eq!(drawing(&[], 24), "");
    }
}
