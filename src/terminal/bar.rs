//! The text of the progress bars: lines that fit the screen, built from numbers. Pure; `progress`
//! draws them.

use std::time::Duration;

use console::{Style, measure_text_width};

use crate::text::size::size;

/// The progress of a run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Total {
    /// Bytes processed or skipped.
    pub(crate) done: u64,
    /// Total bytes.
    pub(crate) bytes: u64,
    /// Bytes per second.
    pub(crate) rate: u64,
    /// Estimated time left, at this rate.
    pub(crate) left: Duration,
    /// Artifacts judged.
    pub(crate) decided: u64,
    /// Total artifacts.
    pub(crate) records: u64,
    /// Artifacts that failed.
    pub(crate) failures: u64,
}

/// Columns of a bar on a wide screen, and on a narrow one.
const WIDE: usize = 24;
const NARROW: usize = 10;
/// Minimum number of columns of a wide screen.
const ROOMY: usize = 70;

/// Returns the line for the whole run: as many parts as fit into `columns`, the most important
/// first.
pub(crate) fn total(total: &Total, columns: usize, colour: bool) -> String {
    let failures = match total.failures {
        0 => String::new(),
        failures => format!("{failures} failed"),
    };
    // In display order, with the rank by which they are kept.
    let parts = [
        (3, bar(total.done, total.bytes, bar_columns(columns))),
        (0, percent(total.done, total.bytes)),
        (6, format!("{}/{}", size(total.done), size(total.bytes))),
        (5, format!("{}/s", size(total.rate))),
        (4, format!("{} left", clock(total.left))),
        (2, format!("{}/{} files", total.decided, total.records)),
        (1, failures.clone()),
    ];
    let fits = |rank| columns_of(&parts, rank) <= columns;
    let rank = (0..=6).rev().find(|rank| fits(*rank)).unwrap_or(0);
    let red = Style::new().red().force_styling(colour);
    let shown = parts.iter().filter(|part| is_shown(part, rank));
    let texts = shown.map(|(_, text)| {
        if *text == failures {
            red.apply_to(text).to_string()
        } else {
            text.clone()
        }
    });
    texts.collect::<Vec<_>>().join(" ")
}

fn is_shown((own, text): &(usize, String), rank: usize) -> bool {
    *own <= rank && !text.is_empty()
}

fn columns_of(parts: &[(usize, String)], rank: usize) -> usize {
    let shown = parts.iter().filter(|part| is_shown(part, rank));
    shown
        .map(|(_, text)| width(text) + 1)
        .sum::<usize>()
        .saturating_sub(1)
}

/// Returns the line for one file: its name, shortened in the middle, a bar, and its progress.
pub(crate) fn file(name: &str, done: u64, bytes: u64, columns: usize) -> String {
    let numbers = if columns >= ROOMY {
        format!("{} {:>9}", percent(done, bytes), size(bytes))
    } else {
        percent(done, bytes)
    };
    let bar = bar(done, bytes, bar_columns(columns));
    let room = columns.saturating_sub(width(&bar) + width(&numbers) + 2);
    let name = shorten(name, room);
    let pad = " ".repeat(room.saturating_sub(width(&name)));
    format!("{name}{pad} {bar} {numbers}")
}

/// Returns the line for the files that do not fit on the screen.
pub(crate) fn more(files: usize) -> String {
    format!("… and {files} more")
}

/// Returns the line shown while directories are walked.
pub(crate) fn walking(entries: u64) -> String {
    format!("looking for files: {entries} seen")
}

fn bar_columns(columns: usize) -> usize {
    if columns >= ROOMY { WIDE } else { NARROW }
}

fn bar(done: u64, bytes: u64, columns: usize) -> String {
    let halves = (share(done, bytes) * (2 * columns) as f64) as usize;
    let half = if halves % 2 == 1 { "╸" } else { "" };
    let full = "━".repeat(halves / 2);
    format!("{:─<columns$}", full + half)
}

fn percent(done: u64, bytes: u64) -> String {
    format!("{:>3}%", (share(done, bytes) * 100.0) as u64)
}

/// Returns a share from 0 to 1. Of nothing, everything is done.
fn share(done: u64, bytes: u64) -> f64 {
    match bytes {
        0 => 1.0,
        _ => (done as f64 / bytes as f64).min(1.0),
    }
}

/// Returns a time in clock format: `0:07`, `2:05:09`.
pub(crate) fn clock(time: Duration) -> String {
    let (hours, rest) = (time.as_secs() / 3600, time.as_secs() % 3600);
    let (minutes, seconds) = (rest / 60, rest % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        1..100 => format!("{hours}:{minutes:02}:{seconds:02}"),
        // Unknown, or too early for an estimate.
        _ => "-:--".to_owned(),
    }
}

/// Returns a text of at most `columns` columns: a longer one is shortened in the middle, since
/// names differ at their ends.
pub(crate) fn shorten(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let Some(room) = columns.checked_sub(1) else {
        return String::new();
    };
    let tail = fitting(text.chars().rev(), room.div_ceil(2));
    let tail: String = tail.chars().rev().collect();
    let head = fitting(text.chars(), room.saturating_sub(width(&tail)));
    format!("{head}…{tail}")
}

/// Returns the leading characters that fit.
fn fitting(chars: impl Iterator<Item = char>, columns: usize) -> String {
    let mut used = 0;
    let fits = |c: &char| {
        used += char_width(*c);
        used <= columns
    };
    chars.take_while(fits).collect()
}

/// Returns the maximum number of columns of a text: a sum over its characters, so that the widths
/// of parts add up to that of the whole.
///
/// Terminals differ: some measure each character, others join several into one glyph
/// (`UnicodeWidthStr`). No rule for joining makes a text wider than this sum.
fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// Emoji presentation selector, which makes the preceding character two columns wide.
const EMOJI: char = '\u{fe0f}';

fn char_width(c: char) -> usize {
    match c {
        EMOJI => 1,
        // A control character takes at most one column.
        _ => measure_text_width(c.encode_utf8(&mut [0; 4])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOTAL: Total = Total {
        done: 3_210_000_000,
        bytes: 8_590_000_000,
        rate: 4_000_000_000,
        left: Duration::from_secs(65),
        decided: 3,
        records: 7,
        failures: 2,
    };

    #[test]
    fn the_total_shows_as_much_as_fits() {
        let at = |columns| total(&TOTAL, columns, false);
        assert_eq!(
            at(100),
            "━━━━━━━━╸───────────────  37% 3.21 GB/8.59 GB 4.00 GB/s 1:05 left 3/7 files 2 failed"
        );
        assert_eq!(
            at(80),
            "━━━━━━━━╸───────────────  37% 4.00 GB/s 1:05 left 3/7 files 2 failed"
        );
        assert_eq!(at(50), "━━━╸──────  37% 1:05 left 3/7 files 2 failed");
        assert_eq!(at(40), "━━━╸──────  37% 3/7 files 2 failed");
        assert_eq!(at(30), " 37% 3/7 files 2 failed");
        assert_eq!(at(20), " 37% 2 failed");
        assert_eq!(at(3), " 37%");
    }

    #[test]
    fn failures_are_red_and_only_they() {
        let text = total(&TOTAL, 40, true);
        assert!(
            text.ends_with("3/7 files \u{1b}[31m2 failed\u{1b}[0m"),
            "{text:?}"
        );
        let none = Total {
            failures: 0,
            ..TOTAL
        };
        assert!(!total(&none, 100, true).contains('\u{1b}'));
    }

    #[test]
    fn a_file_has_its_name_its_bar_and_its_share() {
        assert_eq!(
            file("mirror/kubernetes-1.32.3.zst", 1 << 29, 1 << 30, 40),
            "mirror/kube…s-1.32.3.zst ━━━━━─────  50%"
        );
        assert_eq!(
            file("x.iso", 0, 1_500_000_000, 70),
            format!("{:<30} {}   0%   1.50 GB", "x.iso", "─".repeat(24))
        );
        assert_eq!(
            file("x.iso", 0, 0, 40),
            "x.iso                    ━━━━━━━━━━ 100%"
        );
    }

    #[test]
    fn names_are_shortened_in_the_middle_and_double_width_characters_counted() {
        assert_eq!(shorten("kubernetes.zst", 14), "kubernetes.zst");
        assert_eq!(shorten("kubernetes.zst", 9), "kube….zst");
        assert_eq!(shorten("漢字漢字.zst", 9), "漢字….zst");
        assert_eq!(shorten("漢字漢字.zst", 8), "漢….zst");
        assert_eq!(shorten("abc", 1), "…");
        assert_eq!(shorten("abc", 0), "");
    }

    #[test]
    fn times_are_clocks_and_a_meaningless_one_is_none() {
        let text = |seconds| clock(Duration::from_secs(seconds));
        assert_eq!(
            [text(7), text(3725), text(u64::MAX)],
            ["0:07", "1:02:05", "-:--"]
        );
    }

    /// Texts of all of Unicode, with a higher share of characters that join or widen their
    /// neighbours.
    fn text() -> impl Strategy<Value = String> {
        let joining = prop::sample::select(vec![
            "\u{fe0f}",
            "\u{fe0e}",
            "\u{200d}",
            "\u{20e3}",
            "\u{1f3fb}",
            "\u{1f1e9}",
            "\u{1f1ea}",
            "❤️",
            "👩\u{200d}👧",
            "#️⃣",
            "e\u{301}",
            "لا",
            "ᄀ",
            "ᅡ",
            "ᆨ",
            "ក្ក",
            "\u{a4fc}\u{a4fd}",
            "\u{1a15}",
            "\u{1a17}\u{200d}\u{1a10}",
            "\u{e0067}",
            "漢",
            "\t",
            "\r\n",
            "\u{338}",
        ]);
        let piece = prop_oneof![
            joining.prop_map(str::to_owned),
            any::<String>(),
            any::<char>().prop_map(String::from)
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    #[test]
    fn hearts_as_emoji_fit_the_screen() {
        let hearts = "❤️".repeat(40);
        for columns in 0..200 {
            assert!(measure_text_width(&shorten(&hearts, columns)) <= columns);
            assert!(measure_text_width(&file(&hearts, 1, 2, columns.max(16))) <= columns.max(16));
        }
        assert_eq!(shorten(&hearts, 5), "❤️…❤️");
    }

    #[test]
    fn no_pair_of_characters_is_wider_than_their_sum() {
        // Every character next to those that widen or narrow their neighbours somewhere in Unicode.
        for c in '\0'..=char::MAX {
            for other in [
                'a',
                '\u{fe0f}',
                '\u{fe0e}',
                '\u{200d}',
                '\u{1f3fb}',
                '\u{20e3}',
                '\u{338}',
            ] {
                for pair in [format!("{c}{other}"), format!("{other}{c}")] {
                    assert!(measure_text_width(&pair) <= width(&pair), "{pair:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_is_wider_than_its_width_and_none_is_shortened_in_vain(text in text(), columns in 0_usize..200) {
            prop_assert!(measure_text_width(&text) <= width(&text));
            let short = shorten(&text, columns);
            prop_assert!(width(&short) <= columns);
            prop_assert_eq!(short == text, width(&text) <= columns || text == "…");
        }

        #[test]
        fn no_line_is_wider_than_the_screen(
            name in text(), escaped in any::<bool>(), done in any::<u64>(), bytes in any::<u64>(), columns in 16_usize..200
        ) {
            let name = match escaped {
                true => crate::text::escape::name(name.as_ref()),
                false => name,
            };
            let line = file(&name, done, bytes, columns);
            prop_assert!(measure_text_width(&line) <= columns);
            prop_assert_eq!(width(&line), columns);
            let run = Total { done, bytes, rate: done, left: Duration::from_secs(bytes), decided: 1, records: done, failures: 0 };
            prop_assert!(measure_text_width(&total(&run, columns, false)) <= columns);
        }
    }
}
