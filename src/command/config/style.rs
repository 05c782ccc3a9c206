//! The style of progress and lines, from the options, the environment and the terminal.

use std::env;
use std::io::IsTerminal;

use super::Environment;
use crate::command::args::{Cli, When};
use crate::terminal::progress::Style;

/// Returns the style of the progress display.
pub(super) fn style(cli: &Cli, environment: &Environment) -> Style {
    // With --status nothing goes to stdout, so its destination does not matter.
    let is_ours = cli.status || environment.stdout_is_apart;
    let can_be_drawn_on =
        environment.stderr_is_terminal && !environment.terminal_is_dumb && is_ours;
    match (cli.progress, can_be_drawn_on) {
        (When::Never, _) | (When::Auto, false) => Style::Hidden,
        (When::Auto, true) if cli.status => Style::Hidden,
        (When::Auto | When::Always, true) => Style::Bars {
            colour: stderr_colour(cli, environment),
        },
        (When::Always, false) => Style::Lines,
    }
}

/// Reports whether messages and bars have colours.
pub fn stderr_colour(cli: &Cli, environment: &Environment) -> bool {
    match cli.color {
        When::Auto => environment.stderr_colour,
        When::Always => true,
        When::Never => false,
    }
}

/// Piped lines are byte for byte those of the sample script in every environment: only the option
/// adds colours there.
pub(super) fn stdout_colour(cli: &Cli, environment: &Environment) -> bool {
    match cli.color {
        When::Auto => environment.stdout_is_terminal && environment.stdout_colour,
        When::Always => true,
        When::Never => false,
    }
}

/// Reports whether the environment asks for colours on a stream.
pub(super) fn wants_colour(stream: &impl IsTerminal) -> bool {
    let variable = |name: &str| env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    is_colourful(variable, stream.is_terminal())
}

/// Follows the conventions of <https://no-color.org> and <https://bixense.com/clicolors>, in clap's
/// order of precedence.
fn is_colourful(variable: impl Fn(&str) -> Option<String>, is_terminal: bool) -> bool {
    let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
    let is_on = |name| variable(name).map(|value| value != "0");
    if is_set("NO_COLOR") {
        false
    } else if is_set("CLICOLOR_FORCE") && is_on("CLICOLOR_FORCE") == Some(true) {
        true
    } else if is_on("CLICOLOR") == Some(false) {
        false
    } else {
        let can = variable("TERM").is_some_and(|kind| kind != "dumb");
        is_terminal && (can || is_on("CLICOLOR") == Some(true) || variable("CI").is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Variables, whether the stream is a terminal, and whether colours are expected.
    type Case = (&'static [(&'static str, &'static str)], bool, bool);

    #[test]
    fn the_environment_chooses_colours_by_its_conventions() {
        let cases: [Case; 14] = [
            (&[("TERM", "xterm")], true, true),
            (&[("TERM", "xterm")], false, false),
            (&[("TERM", "dumb")], true, false),
            (&[], true, false),
            (&[("TERM", "dumb"), ("CI", "1")], true, true),
            (&[("TERM", "dumb"), ("CLICOLOR", "1")], true, true),
            (&[("TERM", "xterm"), ("CLICOLOR", "0")], true, false),
            (&[("TERM", "xterm"), ("NO_COLOR", "1")], true, false),
            (&[("TERM", "xterm"), ("NO_COLOR", "")], true, true),
            (&[("CLICOLOR_FORCE", "1")], false, true),
            (&[("CLICOLOR_FORCE", "0")], false, false),
            (&[("CLICOLOR_FORCE", ""), ("TERM", "dumb")], true, false),
            (&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], true, false),
            (&[("CLICOLOR", "0"), ("CLICOLOR_FORCE", "1")], false, true),
        ];
        for (variables, is_terminal, expected) in cases {
            let of = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            let colours = is_colourful(of, is_terminal);
            assert_eq!(colours, expected, "{variables:?}, {is_terminal}");
        }
    }
}
