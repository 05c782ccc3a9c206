//! What a run did not check, in words.

use super::words::count;
use crate::text::escape;
use crate::text::size::size;
use crate::trust::unchecked::{Excluded, Names, Unchecked};

/// One kind of what was not checked.
pub struct Kind<'a> {
    /// The count, and why it was not checked.
    pub sentence: String,
    /// Why it was not checked.
    pub why: String,
    /// The names; directories stand for all that is in them.
    pub names: Vec<&'a Names>,
    /// Whether the run says it elsewhere, too: in its verdicts or in its summary.
    pub is_known: bool,
}

/// Returns each kind that has any. `patterns` are the excluded ones.
pub fn kinds<'a>(patterns: &[String], unchecked: &'a Unchecked) -> Vec<Kind<'a>> {
    let excluded = patterns.iter().zip(&unchecked.excluded);
    let excluded = excluded.filter(|(_, excluded)| !excluded.is_empty());
    let excluded = excluded.map(|(pattern, excluded)| Kind {
        sentence: format!("{} {}", of_pattern(excluded), by(pattern)),
        why: by(pattern),
        names: vec![&excluded.files, &excluded.directories],
        is_known: false,
    });
    excluded.chain(others(unchecked)).collect()
}

fn others(unchecked: &Unchecked) -> impl Iterator<Item = Kind<'_>> {
    let Unchecked {
        too_deep,
        links,
        uncovered,
        unjudged,
        ..
    } = unchecked;
    let kinds = [
        (
            unjudged,
            ["artifact", "artifacts"],
            "not judged before the run ended",
        ),
        (
            too_deep,
            ["directory", "directories"],
            "below --max-depth, not entered",
        ),
        (
            links,
            ["linked directory", "linked directories"],
            "not entered (see --follow-links)",
        ),
        (
            uncovered,
            ["file", "files"],
            "not covered by a signature (--all-files requires one)",
        ),
    ];
    let known = [unjudged, links];
    let kinds = kinds.into_iter().filter(|(names, ..)| names.count() > 0);
    kinds.map(move |(names, [one, more], why)| Kind {
        sentence: format!("{} {why}", count(names.count(), one, more)),
        why: why.to_owned(),
        names: vec![names],
        is_known: known.iter().any(|known| std::ptr::eq(*known, names)),
    })
}

fn by(pattern: &str) -> String {
    format!("excluded by {}", quoted(pattern))
}

fn of_pattern(excluded: &Excluded) -> String {
    let Excluded {
        files,
        artifacts,
        bytes,
        directories,
    } = excluded;
    let of_files = format!(
        "{} ({}, {})",
        count(files.count(), "file", "files"),
        count(*artifacts, "artifact", "artifacts"),
        size(*bytes)
    );
    let of_directories = match directories.count() {
        1 => "1 directory and all its contents".to_owned(),
        more => format!("{more} directories and all their contents"),
    };
    let both = [(files, of_files), (directories, of_directories)];
    let both = both.into_iter().filter(|(names, _)| names.count() > 0);
    let both: Vec<String> = both.map(|(_, text)| text).collect();
    both.join(" and ")
}

/// Returns a pattern as it is shown: in quotation marks, which end where the pattern ends.
pub fn quoted(pattern: &str) -> String {
    format!("\"{}\"", escape::message(pattern).replace('"', "\\u{22}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Names {
        names.iter().map(|name| (*name).into()).collect()
    }

    #[test]
    fn each_kind_is_counted_and_a_pattern_is_named() {
        let unchecked = Unchecked {
            excluded: vec![
                Excluded::default(),
                Excluded {
                    files: names(&["old/a.zst", "old/a.sig.bin"]),
                    artifacts: 1,
                    bytes: 6_400_000_070,
                    directories: names(&["old/b"]),
                },
            ],
            uncovered: names(&["README"]),
            unjudged: names(&["x.zst", "y.zst"]),
            ..Unchecked::default()
        };
        let patterns = ["none".to_owned(), "old/\"*\n".to_owned()];
        let kinds = kinds(&patterns, &unchecked);
        let sentences: Vec<&str> = kinds.iter().map(|kind| kind.sentence.as_str()).collect();
        let expected = [
            "2 files (1 artifact, 6.40 GB) and 1 directory and all its contents excluded by \"old/\\u{22}*\\n\"",
            "2 artifacts not judged before the run ended",
            "1 file not covered by a signature (--all-files requires one)",
        ];
        assert_eq!(sentences, expected);
        assert_eq!(kinds.iter().filter(|kind| kind.is_known).count(), 1);
    }
}
