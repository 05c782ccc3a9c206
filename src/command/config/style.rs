//! How the progress and the lines are shown: as the options, the environment and the terminal have it.

use super::Environment;
use crate::command::args::{Cli, When};
use crate::terminal::progress::Style;

/// How the progress is shown.
pub(super) fn style(cli: &Cli, environment: &Environment) -> Style {
    // Under --status nothing goes to stdout, wherever that leads.
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

fn stderr_colour(cli: &Cli, environment: &Environment) -> bool {
    match cli.color {
        When::Auto => environment.stderr_colour,
        When::Always => true,
        When::Never => false,
    }
}

/// Piped lines are the sample script's bytes, whatever the environment: only who asks for colours
/// there by option gets them.
pub(super) fn stdout_colour(cli: &Cli, environment: &Environment) -> bool {
    match cli.color {
        When::Auto => environment.stdout_is_terminal && environment.stdout_colour,
        When::Always => true,
        When::Never => false,
    }
}
