//! The facts of the run: who ran what where, and how it went.

use super::super::words;
use super::options;
use crate::module;
use crate::run::origin::COMMIT;
use crate::run::{Run, VERSION};
use crate::text::escape;
use crate::text::size::{rate, size};
use crate::text::time::rfc3339;

/// A fact: what it is, its value, and whether that is code.
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) is_code: bool,
}

/// Returns the facts that are known.
pub(super) fn of(run: Run<'_>) -> Vec<Fact> {
    let (start, summary) = (run.start, &run.end.summary);
    let origin = &start.origin;
    let roots: Vec<String> = start
        .roots
        .iter()
        .map(|root| words::shown_path(root))
        .collect();
    let seconds = summary.elapsed.as_secs_f64();
    let per_second = size(rate(summary.bytes, summary.elapsed));
    let executable = origin.executable.map(|digest| digest.to_string());
    let texts = [
        ("Run", origin.id.clone()),
        (
            "Note",
            origin
                .note
                .as_deref()
                .map(escape::message)
                .unwrap_or_default(),
        ),
        ("Program", format!("verify-signatures {VERSION}")),
        (
            "Module",
            escape::message(&module::words(start.module.as_ref())),
        ),
        ("Commit", COMMIT.map(escape::message).unwrap_or_default()),
        (
            "Executable",
            executable
                .map(|digest| format!("SHA-256 {digest}"))
                .unwrap_or_default(),
        ),
        ("Command", origin.command.clone()),
        ("User", words::user(&origin.user)),
        ("Host", escape::name(start.host.as_ref())),
        ("System", escape::message(&origin.system)),
        ("Began", rfc3339(start.time)),
        ("Ended", rfc3339(run.end.time)),
        ("Took", format!("{seconds:.2} s, {per_second}/s")),
        (
            "Hashed",
            format!("{} ({} bytes)", size(summary.bytes), summary.bytes),
        ),
        (
            "Directory",
            start
                .directory
                .as_deref()
                .map(words::shown_path)
                .unwrap_or_default(),
        ),
        ("Paths", roots.join("\n")),
        (
            "Shard",
            start
                .division
                .as_ref()
                .map(words::division)
                .unwrap_or_default(),
        ),
        ("Options", options::of(run)),
        ("Exit status", run.end.conclusion.exit_status().to_string()),
    ];
    let known = texts.into_iter().filter(|(_, value)| !value.is_empty());
    let fact = |(name, value)| Fact {
        name,
        value,
        is_code: matches!(name, "Run" | "Commit" | "Executable" | "Command"),
    };
    known.map(fact).collect()
}
