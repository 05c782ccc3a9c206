//! The options of the run, in words.

use std::path::PathBuf;
use std::time::Duration;

use super::super::unchecked::quoted;
use super::super::words;
use crate::run::{ImageOptions, OverTime, Run};
use crate::text::{escape, time};
use crate::trust::unchecked::Excluded;

/// Returns the options of a run, one a line.
pub(super) fn of(run: Run<'_>) -> String {
    let start = run.start;
    let options = &start.options;
    let mut texts = vec![format!(
        "{}, SHA-256 by {}, reading by {}",
        words::count(start.threads as u64, "thread", "threads"),
        start.sha256,
        options.io
    )];
    texts.extend(
        options
            .signature
            .as_ref()
            .map(|path| format!("signature file {}", words::shown_path(path))),
    );
    texts.extend(
        options
            .max_depth
            .map(|levels| format!("{levels} levels deep")),
    );
    let excluded = &run.end.unchecked.excluded;
    let has_matched = |at: usize| {
        excluded
            .get(at)
            .is_none_or(|excluded: &Excluded| !excluded.is_empty())
    };
    let patterns = options.exclude.iter().enumerate();
    texts.extend(patterns.map(|(at, pattern)| {
        let note = if has_matched(at) {
            ""
        } else {
            ", which matched nothing"
        };
        format!("without {}{note}", quoted(pattern))
    }));
    let pins = options.key_fingerprints.iter();
    texts.extend(pins.map(|pin| format!("only a key with the fingerprint {pin}")));
    let switches = [
        (options.follow_links, "linked directories entered"),
        (options.allow_unsigned, "missing signatures accepted"),
        (options.all_files, "a signature needed for every file"),
        (options.fail_fast, "ends at the first failure"),
    ];
    let on = switches.into_iter().filter(|(on, _)| *on);
    texts.extend(on.map(|(_, text)| text.to_owned()));
    let lists = options.lists.iter();
    texts.extend(lists.map(|path| format!("checksum list: {}", words::shown_path(path))));
    texts.extend(over_time(&options.over_time));
    texts.extend(options.images.iter().flat_map(of_images));
    texts.join("\n")
}

fn over_time(options: &OverTime) -> impl Iterator<Item = String> {
    let path = |path: &Option<PathBuf>| path.as_deref().map(words::shown_path);
    let span = |span: Option<Duration>| span.map(time::span);
    let texts = [
        span(options.stop_after).map(|span| format!("no artifact begun after {span}")),
        path(&options.ledger).map(|path| format!("ledger: {path}")),
        span(options.max_age)
            .map(|span| format!("not read again if it passed within {span} and is unchanged")),
        path(&options.resume).map(|path| format!("resumed from {path}")),
    ];
    texts.into_iter().flatten()
}

fn of_images(options: &ImageOptions) -> Vec<String> {
    let mut texts = vec![format!(
        "images verified, with zstd windows of at most {} bytes",
        options.max_window
    )];
    let most = options.max_unpacked;
    texts.extend(most.map(|most| format!("at most {most} bytes decompressed from a bundle")));
    let signatures = options.signatures.iter();
    texts.extend(signatures.map(|path| format!("image signatures in {}", words::shown_path(path))));
    let registries = options.signed_registries.iter();
    texts.extend(registries.map(|prefix| {
        format!(
            "signatures required for images below {}",
            escape::message(prefix)
        )
    }));
    let platforms = options.platforms.iter();
    texts.extend(
        platforms.map(|platform| format!("platform {} required", escape::message(platform))),
    );
    texts
}
