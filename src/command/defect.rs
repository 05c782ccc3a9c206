//! Panics, which are bugs in this program: reported, and never a success.

use std::any::Any;
use std::env;
use std::panic::{self, PanicHookInfo, UnwindSafe};
use std::thread;

use crate::terminal::Message;

/// What to do about a panic, and what it means for the verdicts.
const HELP: &str = "please report it; what it kept from being judged fails";

/// Installs the hook that prints a panic as a message instead of std's message; with
/// RUST_BACKTRACE, prints that too.
pub fn install_hook() {
    let standard = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        Message::error(message(panic)).help(HELP).print();
        if env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            standard(panic);
        }
    }));
}

/// Runs `command`; returns `None` if it panicked.
pub fn guard<T>(command: impl FnOnce() -> T + UnwindSafe) -> Option<T> {
    panic::catch_unwind(command).ok()
}

fn message(panic: &PanicHookInfo<'_>) -> String {
    let place = panic.location().map(|place| format!(", at {place}"));
    words(
        panic.payload(),
        &place.unwrap_or_default(),
        thread::current().name(),
    )
}

fn words(payload: &(dyn Any + Send), place: &str, thread: Option<&str>) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    format!(
        "internal error, a bug in verify-signatures: {}{place}, in thread {}",
        text.unwrap_or("no message"),
        thread.unwrap_or("without a name")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_reported_with_its_message_place_and_thread() {
        let message_of =
            |payload: Box<dyn Any + Send>| words(&*payload, ", at src/x.rs:1:2", Some("verify"));
        let line = |text| {
            format!(
                "internal error, a bug in verify-signatures: {text}, at src/x.rs:1:2, in thread verify"
            )
        };
        assert_eq!(message_of(Box::new("a slice")), line("a slice"));
        assert_eq!(
            message_of(Box::new("a\nstring".to_owned())),
            line("a\nstring")
        );
        assert_eq!(message_of(Box::new(7)), line("no message"));
    }

    #[test]
    fn a_command_that_panics_gives_nothing() {
        assert_eq!(guard(|| 7), Some(7));
        assert_eq!(
            guard(|| -> u8 { panic::resume_unwind(Box::new("gone")) }),
            None
        );
    }
}
