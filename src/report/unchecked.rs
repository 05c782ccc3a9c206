//! What a run did not check, in words.

use super::words::count;
use crate::text::escape;
use crate::text::size::size;
use crate::trust::unchecked::{Excluded, Names, Unchecked};

/// One kind of what was not checked.
pub struct Kind<'a> {
    /// The count, and why it was not checked.
    pub sentence: String,
    /// The names; directories stand for all that is in them.
    pub names: Vec<&'a Names>,
    /// Whether it may hold artifacts. What needed no signature holds none.
    pub is_gap: bool,
    /// Whether the run says it elsewhere, too: in its verdicts or in its summary.
    pub is_known: bool,
}

/// Returns each kind that has any. `patterns` are the excluded ones.
pub fn kinds<'a>(patterns: &[String], unchecked: &'a Unchecked) -> Vec<Kind<'a>> {
    let excluded = patterns.iter().zip(&unchecked.excluded);
    let excluded = excluded.filter(|(_, excluded)| !excluded.is_empty());
    let excluded = excluded.map(|(pattern, excluded)| Kind {
        sentence: of_pattern(pattern, excluded),
        names: vec![&excluded.files, &excluded.directories],
        is_gap: true,
        is_known: false,
    });
    excluded.chain(others(unchecked)).collect()
}

fn others(unchecked: &Unchecked) -> impl Iterator<Item = Kind<'_>> {
    let kind = |names, sentence: String, is_gap, is_known| Kind {
        sentence,
        names: vec![names],
        is_gap,
        is_known,
    };
    let directories = |names: &Names| count(names.count(), "directory", "directories");
    let Unchecked {
        too_deep,
        links,
        uncovered,
        unjudged,
        ..
    } = unchecked;
    let kinds = [
        kind(
            unjudged,
            format!(
                "{} not judged before the run ended",
                count(unjudged.count(), "artifact", "artifacts")
            ),
            true,
            true,
        ),
        kind(
            too_deep,
            format!(
                "{} below --max-depth, with all that is in them",
                directories(too_deep)
            ),
            true,
            false,
        ),
        kind(
            links,
            format!("{} behind links, not entered", directories(links)),
            true,
            true,
        ),
        kind(
            uncovered,
            format!(
                "{} that no signature covers and that needed none (--all-files requires one)",
                count(uncovered.count(), "file", "files")
            ),
            false,
            false,
        ),
    ];
    kinds.into_iter().filter(|kind| kind.names[0].count() > 0)
}

fn of_pattern(pattern: &str, excluded: &Excluded) -> String {
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
    let of_directories = format!(
        "{} with all that is in them",
        count(directories.count(), "directory", "directories")
    );
    let both = [(files, of_files), (directories, of_directories)];
    let both = both.into_iter().filter(|(names, _)| names.count() > 0);
    let both: Vec<String> = both.map(|(_, text)| text).collect();
    format!("{} excluded by {}", both.join(" and "), quoted(pattern))
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
            "2 files (1 artifact, 6.40 GB) and 1 directory with all that is in them excluded by \"old/\\u{22}*\\n\"",
            "2 artifacts not judged before the run ended",
            "1 file that no signature covers and that needed none (--all-files requires one)",
        ];
        assert_eq!(sentences, expected);
        assert_eq!(kinds.iter().filter(|kind| kind.is_gap).count(), 2);
    }
}
