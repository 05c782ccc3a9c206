//! What people read on stderr: each message says how serious it is and what is wrong, and below
//! that, what to do.

use std::sync::atomic::{AtomicBool, Ordering};

use console::Style;

use super::canvas;
use crate::text::escape;

/// Whether messages have colours. Set before the first thread starts; a panic is printed too.
static COLOUR: AtomicBool = AtomicBool::new(false);

/// Sets whether messages have colours.
pub fn set_colour(colour: bool) {
    COLOUR.store(colour, Ordering::Relaxed);
}

/// How serious a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Something failed.
    Error,
    /// Something may be wrong, although nothing failed.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// Returns the word that begins the message, and its style: those of clap, which styles a wrong
    /// value yellow and a literal bold.
    fn label(self) -> (&'static str, Style) {
        match self {
            Severity::Error => ("error", Style::new().red().bold()),
            Severity::Warning => ("warning", Style::new().yellow().bold()),
            Severity::Note => ("note", Style::new().bold()),
        }
    }
}

/// A message of one line, or two if something can be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    severity: Severity,
    what: String,
    help: Option<String>,
}

impl Message {
    /// Returns a message about a failure.
    pub fn error(what: impl Into<String>) -> Message {
        Message::new(Severity::Error, what.into())
    }

    /// Returns a message about something that may be wrong.
    pub fn warning(what: impl Into<String>) -> Message {
        Message::new(Severity::Warning, what.into())
    }

    /// Returns a message about something worth knowing.
    pub fn note(what: impl Into<String>) -> Message {
        Message::new(Severity::Note, what.into())
    }

    fn new(severity: Severity, what: String) -> Message {
        Message {
            severity,
            what,
            help: None,
        }
    }

    /// Adds what to do.
    pub fn help(self, help: impl Into<String>) -> Message {
        self.maybe_help(Some(help.into()))
    }

    /// Adds what to do, if something can be done.
    pub fn maybe_help(mut self, help: Option<String>) -> Message {
        self.help = help;
        self
    }

    /// Returns the lines of the message.
    pub fn lines(&self) -> String {
        self.styled(COLOUR.load(Ordering::Relaxed))
    }

    fn styled(&self, colour: bool) -> String {
        let (word, style) = self.severity.label();
        let what = labelled(word, &style, &self.what, colour);
        let help = self.help.as_ref();
        // clap's tips are green.
        let help = help.map(|help| labelled("help", &Style::new().green(), help, colour));
        what + &help.unwrap_or_default()
    }

    /// Prints the message on stderr.
    pub fn print(&self) {
        canvas::print(&self.lines());
    }
}

/// Returns a line of the summary: its label, and what it says.
pub fn summary_line(label: &str, text: &str) -> String {
    let colour = COLOUR.load(Ordering::Relaxed);
    labelled(label, &Style::new().bold(), text, colour)
}

/// How a run ended, as the colour of its last word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Everything is valid.
    Good,
    /// Something is not, or nothing can be said.
    Bad,
    /// The run was ended from outside.
    Broken,
}

/// Returns the last line of a run, in the colour of its mood.
pub fn last_word(mood: Mood, text: &str) -> String {
    let style = match mood {
        Mood::Good => Style::new().green(),
        Mood::Bad => Style::new().red(),
        Mood::Broken => Style::new().yellow(),
    };
    let style = style.bold().force_styling(COLOUR.load(Ordering::Relaxed));
    format!("{}\n", style.apply_to(escape::message(text)))
}

fn labelled(label: &str, style: &Style, text: &str, colour: bool) -> String {
    let style = style.clone().force_styling(colour);
    let label = style.apply_to(format!("{label}:"));
    format!("{label} {}\n", escape::message(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_what_is_wrong_and_on_the_next_line_what_to_do() {
        let message = Message::warning("k.pem: this key is inside the tree").help("pin it");
        assert_eq!(
            message.styled(false),
            "warning: k.pem: this key is inside the tree\nhelp: pin it\n"
        );
        let alone = Message::note("2 threads");
        assert_eq!(alone.styled(false), "note: 2 threads\n");
    }

    #[test]
    fn only_the_labels_have_colours() {
        let message = Message::error("x").help("y");
        assert_eq!(
            message.styled(true),
            "\u{1b}[31m\u{1b}[1merror:\u{1b}[0m x\n\u{1b}[32mhelp:\u{1b}[0m y\n"
        );
    }

    #[test]
    fn no_message_has_more_lines_than_its_own() {
        let forged = Message::error("a\nOK: 1 of 1 valid").help("b\nc");
        assert_eq!(
            forged.styled(false),
            "error: a\\nOK: 1 of 1 valid\nhelp: b\\nc\n"
        );
    }
}
