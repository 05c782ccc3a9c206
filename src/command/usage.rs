//! Problems with the command line, in the voice of every other message: what is wrong, and on the
//! next line what to do. clap finds them; its own wording is its own dialect.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Error};
use strsim::osa_distance;

use super::args::Cli;
use super::values::Refused;
use crate::terminal::Message;

/// What other programs call some options, and what to type here.
const ELSEWHERE: [(&[&str], &str); 7] = [
    (
        &["--recursive", "-r", "-R"],
        "directories are walked anyway; --max-depth limits how far",
    ),
    (&["--threads", "--workers"], "the option is --jobs"),
    (&["--pubkey", "--public-key"], "the option is --key"),
    (
        &["--json"],
        "--format jsonl prints JSON objects, and --report FILE.json writes a document",
    ),
    (&["--output", "-o"], "--report FILE writes a report"),
    (&["--ignore", "--skip"], "the option is --exclude"),
    (&["--silent"], "the options are --quiet and --status"),
];

/// Returns the message about a problem with the arguments.
pub(super) fn message(error: &Error) -> Message {
    let argument = text(error, ContextKind::InvalidArg).unwrap_or_default();
    let option = argument.split(' ').next().unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => {
            Message::error(format!("unexpected argument '{argument}'")).help(suggestion(&argument))
        }
        ErrorKind::InvalidValue => invalid_value(error, option),
        ErrorKind::ValueValidation => refused(error, option),
        ErrorKind::ArgumentConflict => conflict(error, option),
        ErrorKind::MissingRequiredArgument => {
            let needed = argument.replace(", ", " and ");
            Message::error(format!(
                "one of these options only works together with {needed}"
            ))
            .help(format!("add {needed}, or leave it out"))
        }
        _ => Message::error(first_line(error)),
    }
}

/// Returns a part of what clap says, as text.
fn text(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join(", ")),
        _ => None,
    }
}

/// Returns what to type instead of an option that does not exist.
fn suggestion(typed: &str) -> String {
    let all = "-h lists all options";
    let name = typed.split('=').next().unwrap_or_default();
    let elsewhere = ELSEWHERE.iter().find(|(names, _)| names.contains(&name));
    match (elsewhere, nearest(name)) {
        (Some((_, what)), _) => format!("{what}; {all}"),
        (None, Some(option)) => format!("did you mean --{option}? {all}"),
        (None, None) => all.to_owned(),
    }
}

/// Returns the option that is probably meant.
fn nearest(typed: &str) -> Option<String> {
    let typed = typed.strip_prefix("--")?;
    let command = Cli::command();
    let shown = command.get_arguments().filter(|a| !a.is_hide_set());
    let options: Vec<&str> = shown.filter_map(|argument| argument.get_long()).collect();
    let begun = |option: &&&str| typed.len() > 2 && option.starts_with(typed);
    let mut beginning = options.iter().filter(begun);
    // A beginning that several options share is none's.
    if let (Some(option), None) = (beginning.next(), beginning.next()) {
        return Some((*option).to_owned());
    }
    let distance = |option: &&&str| osa_distance(typed, option);
    let nearest = options.iter().min_by_key(distance)?;
    // A third of the letters may be wrong, as in `kye`.
    let is_near = distance(&nearest) * 3 <= typed.len().max(3);
    is_near.then(|| (*nearest).to_owned())
}

/// Describes a value that is none of those allowed, or missing.
fn invalid_value(error: &Error, option: &str) -> Message {
    let allowed = text(error, ContextKind::ValidValue).filter(|allowed| !allowed.is_empty());
    let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
    let what = if value.is_empty() {
        format!("{option} needs a value")
    } else {
        format!("{option} {value}: not a value of this option")
    };
    let one_of = allowed.map(|allowed| format!("give one of these: {allowed}"));
    Message::error(what).maybe_help(one_of)
}

/// Describes a value that `values` refuses.
fn refused(error: &Error, option: &str) -> Message {
    let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
    let source = std::error::Error::source(error);
    let refused = source.and_then(|source| source.downcast_ref::<Refused>());
    let why = source.map_or_else(|| "not a valid value".to_owned(), ToString::to_string);
    let help = refused.map(|refused| refused.help.to_owned());
    Message::error(format!("{option} {value}: {why}")).maybe_help(help)
}

/// Describes two options that exclude each other, or one that is given twice.
fn conflict(error: &Error, option: &str) -> Message {
    let other = text(error, ContextKind::PriorArg).unwrap_or_default();
    let names: Vec<&str> = other
        .split(", ")
        .filter_map(|other| other.split(' ').next())
        .collect();
    match names.as_slice() {
        [other] if *other == option => {
            Message::error(format!("{option} is given twice")).help("give it once")
        }
        others => {
            let others = others.join(" and ");
            Message::error(format!("{option} cannot be used with {others}"))
                .help("leave one of them out")
        }
    }
}

/// Returns the first line of clap's own message.
fn first_line(error: &Error) -> String {
    let rendered = error.render().to_string();
    let line = rendered.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn said(arguments: &[&str]) -> String {
        let arguments = [&["verify-signatures"], arguments].concat();
        message(&Cli::try_parse_from(arguments).unwrap_err()).lines()
    }

    #[test]
    fn an_option_that_does_not_exist_gets_the_one_that_is_meant() {
        for (typed, meant) in [
            ("--kye", "--key"),
            ("--keys", "--key"),
            ("--key-fingerprnt", "--key-fingerprint"),
            ("--exlude", "--exclude"),
            ("--colour", "--color"),
            ("--verb", "--verbose"),
            ("--follow-link", "--follow-links"),
            ("--depth-max", "--max-depth"),
        ] {
            let expected = format!(
                "error: unexpected argument '{typed}'\nhelp: did you mean {meant}? -h lists all options\n"
            );
            if typed == "--depth-max" {
                // Too far from any.
                assert!(said(&[typed]).ends_with("\nhelp: -h lists all options\n"));
            } else {
                assert_eq!(said(&[typed]), expected);
            }
        }
        assert_eq!(
            said(&["--recursive"]),
            "error: unexpected argument '--recursive'\nhelp: directories are walked anyway; --max-depth limits how far; -h lists all options\n"
        );
        assert_eq!(
            said(&["-x"]),
            "error: unexpected argument '-x'\nhelp: -h lists all options\n"
        );
    }

    #[test]
    fn what_other_programs_call_an_option_is_no_option_here() {
        for names in ELSEWHERE.iter().flat_map(|(names, _)| *names) {
            let error = Cli::try_parse_from(["verify-signatures", names]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnknownArgument, "{names}");
        }
    }

    #[test]
    fn a_value_that_is_refused_is_explained() {
        assert_eq!(
            said(&["--jobs", "0"]),
            "error: --jobs 0: without a thread nothing is verified\n\
             help: give a number from 1 to 1024, or leave the option out to use every core\n"
        );
        assert_eq!(
            said(&["-j", "many"]),
            "error: --jobs many: not a number\n\
             help: give a number from 1 to 1024, or leave the option out to use every core\n"
        );
        assert_eq!(
            said(&["--io", "fast"]),
            "error: --io fast: not a value of this option\nhelp: give one of these: auto, mmap, read, direct\n"
        );
        assert_eq!(
            said(&["--io"]),
            "error: --io needs a value\nhelp: give one of these: auto, mmap, read, direct\n"
        );
        assert_eq!(said(&["--key"]), "error: --key needs a value\n");
    }

    #[test]
    fn options_that_do_not_go_together_are_named() {
        assert_eq!(
            said(&["-s", "x", "--all-files"]),
            "error: --signature cannot be used with --all-files\nhelp: leave one of them out\n"
        );
        assert_eq!(
            said(&["--io", "read", "--io", "mmap"]),
            "error: --io is given twice\nhelp: give it once\n"
        );
        assert_eq!(
            said(&["--image-blobs"]),
            "error: one of these options only works together with --images\nhelp: add --images, or leave it out\n"
        );
        assert_eq!(
            said(&["--quiet=x"]),
            "error: unexpected value 'x' for '--quiet' found; no more were expected\n"
        );
    }
}
