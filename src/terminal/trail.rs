//! How far the first failure is from the bottom of the terminal: the lines printed since then, and
//! the rows that they take.

use super::width::width;

/// Maximum number of lines remembered: no screen has more rows.
const MOST: usize = 4096;

/// The lines printed since a moment worth finding again.
#[derive(Debug, Default)]
pub(super) struct Trail {
    begun: bool,
    /// The columns that each line takes; the screen may be resized before they are needed.
    widths: Vec<usize>,
    more: bool,
}

impl Trail {
    /// Returns a trail that has not begun.
    pub(super) const fn new() -> Trail {
        Trail {
            begun: false,
            widths: Vec::new(),
            more: false,
        }
    }

    /// Remembers what is printed from now on.
    pub(super) fn begin(&mut self) {
        self.begun = true;
    }

    /// Takes printed lines into account.
    pub(super) fn add(&mut self, text: &str) {
        if !self.begun || self.more {
            return;
        }
        self.widths.extend(widths(text));
        self.more = self.widths.len() > MOST;
    }

    /// Reports whether the first of the lines is still on a screen of this size when `ahead` is
    /// printed as well, and then a prompt.
    pub(super) fn is_in_sight(&self, (columns, rows): (usize, usize), ahead: &str) -> bool {
        if self.more {
            return false;
        }
        let lines = self.widths.iter().copied().chain(widths(ahead));
        let taken: usize = lines.map(|width| rows_of(width, columns)).sum();
        taken + PROMPT <= rows
    }
}

/// Maximum number of rows that a shell's prompt is expected to take.
const PROMPT: usize = 2;

/// Returns the columns that each line takes.
fn widths(text: &str) -> impl Iterator<Item = usize> {
    text.lines().map(|line| {
        let mut pieces = line.split('\x1b');
        let before = pieces.next().map_or(0, width);
        // What is printed has no other control sequences than those of colours, which end in `m`.
        let coloured =
            pieces.map(|piece| width(piece.split_once('m').map_or(piece, |(_, text)| text)));
        before + coloured.sum::<usize>()
    })
}

/// Returns the rows that a line takes; the terminal wraps it.
fn rows_of(width: usize, columns: usize) -> usize {
    width.div_ceil(columns.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(lines: &[&str]) -> Trail {
        let mut trail = Trail::new();
        trail.begin();
        lines.iter().for_each(|line| trail.add(line));
        trail
    }

    #[test]
    fn a_line_stays_in_sight_until_the_rows_below_it_fill_the_screen() {
        let trail = after(&["error: a\n", "help: b\n"]);
        assert!(trail.is_in_sight((80, 5), "OK\n"));
        assert!(!trail.is_in_sight((80, 4), "OK\n"));
        assert!(!trail.is_in_sight((80, 5), "note\nOK\n"));
    }

    #[test]
    fn wrapped_lines_and_empty_ones_take_their_rows() {
        let trail = after(&[&format!("{}\n\n", "x".repeat(81))]);
        assert!(trail.is_in_sight((80, 5), ""));
        assert!(!trail.is_in_sight((80, 4), ""));
        // On the screen as it is at the end.
        assert!(!trail.is_in_sight((40, 5), ""));
    }

    #[test]
    fn colours_take_no_columns() {
        let trail = after(&["\u{1b}[31merror:\u{1b}[0m 1234\n"]);
        assert!(trail.is_in_sight((11, 3), ""));
    }

    #[test]
    fn what_was_printed_before_does_not_count_and_too_much_is_out_of_sight() {
        let mut trail = Trail::new();
        trail.add("before\n");
        trail.begin();
        assert!(trail.is_in_sight((80, 2), ""));
        trail.add(&"x\n".repeat(MOST + 1));
        assert!(!trail.is_in_sight((80, usize::MAX), ""));
    }
}
