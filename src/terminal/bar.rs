//! The text of the progress bars: lines that fit the screen, built from numbers. Pure; `progress`
//! draws them.

use std::time::Duration;

use console::Style;

use super::width::{pad, shorten_path, width};
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
    /// Time since the beginning.
    pub(crate) elapsed: Duration,
    /// Estimated time left, at this rate.
    pub(crate) left: Option<Duration>,
    /// Artifacts judged.
    pub(crate) decided: u64,
    /// Total artifacts.
    pub(crate) records: u64,
    /// Artifacts that failed.
    pub(crate) failures: u64,
    /// Artifacts that were verified earlier.
    pub(crate) earlier: u64,
}

/// The progress of a file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// Its path, as printed.
    pub(crate) name: String,
    /// Bytes hashed.
    pub(crate) done: u64,
    /// Total bytes.
    pub(crate) bytes: u64,
    /// Bytes per second.
    pub(crate) rate: u64,
    /// Estimated time left, at this rate.
    pub(crate) left: Option<Duration>,
}

/// Columns of a bar on a wide screen, and on a narrow one.
const WIDE: usize = 24;
const NARROW: usize = 10;
/// Minimum number of columns of a wide screen: everything fits beside a wide bar.
const ROOMY: usize = 99;
/// Minimum number of columns of a name beside anything but its percentage.
const LEAST_NAME: usize = 20;

/// A part of a line, and its rank: the parts of the lowest ranks are kept where not all fit.
type Part = (usize, String);

/// Returns the line for the whole run: as many parts as fit into `columns`, the most important
/// first.
pub(crate) fn total(total: &Total, columns: usize, colour: bool) -> String {
    let failures = match total.failures {
        0 => String::new(),
        failures => format!("{failures} failed"),
    };
    let if_known = |text: String| if total.is_open() { String::new() } else { text };
    // In display order.
    let parts = [
        (
            6,
            if_known(bar(total.done, total.bytes, bar_columns(columns))),
        ),
        (0, if_known(percent(total.done, total.bytes))),
        (4, amount(total)),
        (7, format!("{}/s", size(total.rate))),
        (5, format!("{} elapsed", clock(Some(total.elapsed)))),
        (3, if_known(format!("{} left", clock(total.left)))),
        (
            2,
            format!(
                "{}/{} files{}",
                total.decided,
                total.records,
                earlier(total.earlier)
            ),
        ),
        (1, failures.clone()),
    ];
    let fits = |rank| columns_of(&parts, rank) <= columns;
    let rank = (0..=7).rev().find(|rank| fits(*rank)).unwrap_or(0);
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

/// Returns what is said of artifacts that were verified earlier.
pub(crate) fn earlier(count: u64) -> String {
    match count {
        0 => String::new(),
        count => format!(", {count} verified earlier"),
    }
}

impl Total {
    /// Reports whether it is unknown how much is to come: bytes come from a stream.
    fn is_open(&self) -> bool {
        self.bytes == 0 && self.done > 0
    }
}

/// Returns how much is done, and of how much if that is known.
fn amount(total: &Total) -> String {
    if total.is_open() {
        size(total.done)
    } else {
        format!("{}/{}", size(total.done), size(total.bytes))
    }
}

fn is_shown((own, text): &Part, rank: usize) -> bool {
    *own <= rank && !text.is_empty()
}

fn columns_of(parts: &[Part], rank: usize) -> usize {
    let shown = parts.iter().filter(|part| is_shown(part, rank));
    shown
        .map(|(_, text)| width(text) + 1)
        .sum::<usize>()
        .saturating_sub(1)
}

/// Returns a line for each file: its name, a bar, and its progress, in columns. A name gives way
/// before the bar does, and both before the percentage.
pub(crate) fn files(files: &[File], columns: usize) -> Vec<String> {
    let parts: Vec<[Part; 5]> = files.iter().map(|file| parts(file, columns)).collect();
    let wanted = files
        .iter()
        .map(|file| width(&file.name))
        .max()
        .unwrap_or(0);
    // All lines have the same columns, since each part has the same width in all of them.
    let room = |rank| {
        let taken = parts.first().map_or(0, |parts| columns_of(parts, rank) + 1);
        columns.checked_sub(taken)
    };
    let fits = |rank: &usize, least| room(*rank).is_some_and(|room| room >= least);
    let whole = (0..=4).rev().find(|rank| fits(rank, wanted));
    let shortened = (1..=2).rev().find(|rank| fits(rank, LEAST_NAME));
    let rank = whole.max(shortened).unwrap_or(0);
    let name = room(rank).unwrap_or(0).min(wanted);
    let lines = files.iter().zip(parts).map(|(file, parts)| {
        let shown = parts.into_iter().filter(|part| is_shown(part, rank));
        let shown: Vec<String> = shown.map(|(_, text)| text).collect();
        let label = pad(&shorten_path(&file.name, name), name);
        format!("{label} {}", shown.join(" "))
    });
    lines.collect()
}

/// Returns what is said about a file beside its name, in display order.
fn parts(file: &File, columns: usize) -> [Part; 5] {
    [
        (1, bar(file.done, file.bytes, bar_columns(columns))),
        (0, percent(file.done, file.bytes)),
        (2, format!("{:>9}", size(file.bytes))),
        (4, format!("{:>9}/s", size(file.rate))),
        (3, format!("{:>8} left", clock(file.left))),
    ]
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
pub(crate) fn clock(time: Option<Duration>) -> String {
    let seconds = time.map_or(u64::MAX, |time| time.as_secs());
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        1..100 => format!("{hours}:{minutes:02}:{seconds:02}"),
        // Unknown, or too early for an estimate.
        _ => "-:--".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::width::tests::text;
    use super::*;
    use console::measure_text_width;
    use proptest::prelude::*;

    const TOTAL: Total = Total {
        done: 3_210_000_000,
        bytes: 8_590_000_000,
        rate: 4_000_000_000,
        elapsed: Duration::from_secs(45),
        left: Some(Duration::from_secs(65)),
        decided: 3,
        records: 7,
        failures: 2,
        earlier: 0,
    };

    #[test]
    fn the_total_shows_as_much_as_fits() {
        let at = |columns| total(&TOTAL, columns, false);
        assert_eq!(
            at(119),
            "━━━━━━━━╸───────────────  37% 3.21 GB/8.59 GB 4.00 GB/s 0:45 elapsed 1:05 left 3/7 files 2 failed"
        );
        assert_eq!(
            at(79),
            "━━━╸──────  37% 3.21 GB/8.59 GB 0:45 elapsed 1:05 left 3/7 files 2 failed"
        );
        assert_eq!(
            at(70),
            " 37% 3.21 GB/8.59 GB 0:45 elapsed 1:05 left 3/7 files 2 failed"
        );
        assert_eq!(at(50), " 37% 3.21 GB/8.59 GB 1:05 left 3/7 files 2 failed");
        assert_eq!(at(40), " 37% 1:05 left 3/7 files 2 failed");
        assert_eq!(at(30), " 37% 3/7 files 2 failed");
        assert_eq!(at(20), " 37% 2 failed");
        assert_eq!(at(3), " 37%");
        let some = Total {
            earlier: 1,
            ..TOTAL
        };
        let words = " 37% 3/7 files, 1 verified earlier 2 failed";
        assert_eq!(total(&some, 45, false), words);
    }

    #[test]
    fn at_80_columns_a_long_run_shows_its_bytes_and_both_of_its_times() {
        let long = Total {
            done: 1_234_560_000_000,
            bytes: 9_876_540_000_000,
            elapsed: Duration::from_secs(5 * 3600 + 7),
            left: Some(Duration::from_secs(35 * 3600)),
            decided: 1234,
            records: 5678,
            failures: 12,
            ..TOTAL
        };
        assert_eq!(
            total(&long, 79, false),
            " 12% 1.23 TB/9.88 TB 5:00:07 elapsed 35:00:00 left 1234/5678 files 12 failed"
        );
    }

    #[test]
    fn of_a_stream_of_unknown_length_there_is_no_share_and_no_time_left() {
        let stream = Total {
            bytes: 0,
            left: Some(Duration::ZERO),
            decided: 0,
            records: 1,
            failures: 0,
            ..TOTAL
        };
        assert_eq!(
            total(&stream, 119, false),
            "3.21 GB 4.00 GB/s 0:45 elapsed 0/1 files"
        );
        assert_eq!(total(&stream, 12, false), "0/1 files");
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

    fn file(name: &str, done: u64, bytes: u64) -> File {
        File {
            name: name.to_owned(),
            done,
            bytes,
            rate: 50_000_000,
            left: Some(Duration::from_secs(10)),
        }
    }

    #[test]
    fn a_file_has_its_name_its_bar_its_share_and_where_there_is_room_its_pace() {
        let one = [file("mirror/kubernetes-1.32.3.zst", 1 << 29, 1 << 30)];
        let at = |columns| files(&one, columns).concat();
        assert_eq!(
            at(119),
            "mirror/kubernetes-1.32.3.zst ━━━━━━━━━━━━────────────  50%   1.07 GB  50.00 MB/s     0:10 left"
        );
        assert_eq!(
            at(80),
            "mirror/kubernetes-1.32.3.zst ━━━━━─────  50%   1.07 GB  50.00 MB/s     0:10 left"
        );
        assert_eq!(
            at(70),
            "mirror/kubernetes-1.32.3.zst ━━━━━─────  50%   1.07 GB     0:10 left"
        );
        assert_eq!(at(45), "mirror/kubernetes-1.32.3.zst ━━━━━─────  50%");
        assert_eq!(at(40), "…r/kubernetes-1.32.3.zst ━━━━━─────  50%");
        assert_eq!(at(20), "kuberne…2.3.zst  50%");
    }

    #[test]
    fn names_are_a_column_no_wider_than_the_longest_of_them() {
        let two = [file("a.iso", 0, 1 << 30), file("longer.iso", 0, 1 << 30)];
        let lines = files(&two, 199);
        assert!(lines[0].starts_with("a.iso      ─"), "{lines:#?}");
        assert!(lines[1].starts_with("longer.iso ─"), "{lines:#?}");
        assert!(!lines.concat().contains("       "), "{lines:#?}");
    }

    #[test]
    fn two_files_of_one_directory_have_two_labels_on_80_columns() {
        let directory = "mirror/palette/enterprise/appliance/releases/4.6/stable";
        let two = ["4.6.32", "4.6.33"].map(|version| {
            let name = format!("{directory}/palette-enterprise-appliance-{version}.iso");
            file(&name, 1, 20_000_000_000)
        });
        let lines = files(&two, 79);
        assert!(
            lines[0].contains("/palette-enterprise-appliance-4.6.32.iso "),
            "{lines:#?}"
        );
        assert!(
            lines[1].contains("/palette-enterprise-appliance-4.6.33.iso "),
            "{lines:#?}"
        );
    }

    #[test]
    fn times_are_clocks_and_an_unknown_one_is_none() {
        let text = |seconds| clock(Some(Duration::from_secs(seconds)));
        assert_eq!([text(7), text(3725)], ["0:07", "1:02:05"]);
        assert_eq!([clock(None), text(u64::MAX)], ["-:--", "-:--"]);
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_screen(
            names in prop::collection::vec(text(), 1..4), escaped in any::<bool>(), done in any::<u64>(), bytes in any::<u64>(),
            columns in 16_usize..200
        ) {
            let of = |name: &String| if escaped {
                file(&crate::text::escape::name(name.as_ref()), done, bytes)
            } else {
                file(name, done, bytes)
            };
            let flights: Vec<File> = names.iter().map(of).collect();
            for line in files(&flights, columns) {
                prop_assert!(measure_text_width(&line) <= columns);
                prop_assert!(width(&line) <= columns, "{line:?}");
            }
            let run = Total { done, bytes, rate: done, left: Some(Duration::from_secs(bytes)), decided: 1, records: done, failures: 0, ..TOTAL };
            prop_assert!(measure_text_width(&total(&run, columns, false)) <= columns);
        }
    }
}
