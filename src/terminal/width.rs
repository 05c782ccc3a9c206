//! How many columns a text takes, and shorter forms of names that are too long.

use console::measure_text_width;

/// Returns a path of at most `columns` columns. The file's name says what it is, so the directories
/// are shortened first: in the middle, since they differ at both ends.
pub(crate) fn shorten_path(path: &str, columns: usize) -> String {
    if width(path) <= columns {
        return path.to_owned();
    }
    let Some((directory, name)) = path.rsplit_once('/') else {
        return shorten(path, columns);
    };
    match columns.checked_sub(width(name) + 1) {
        // One column shows nothing of a directory but that there is one.
        Some(room @ 1..) => format!("{}/{name}", shorten(directory, room)),
        _ => shorten(name, columns),
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

/// Returns a text with blanks after it, up to a number of columns.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    let blanks = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(blanks))
}

/// Returns the maximum number of columns of a text: a sum over its characters, so that the widths
/// of parts add up to that of the whole.
///
/// Terminals differ: some measure each character, others join several into one glyph
/// (`UnicodeWidthStr`). No rule for joining makes a text wider than this sum.
pub(crate) fn width(text: &str) -> usize {
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
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

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
    fn of_a_path_the_directories_are_shortened_and_the_files_name_is_kept() {
        let one = "mirror/palette/4.6/palette-enterprise-appliance-4.6.32.iso";
        let other = "mirror/palette/4.6/palette-enterprise-appliance-4.6.33.iso";
        assert_eq!(
            shorten_path(one, 46),
            "mi…4.6/palette-enterprise-appliance-4.6.32.iso"
        );
        assert_ne!(shorten_path(one, 46), shorten_path(other, 46));
        assert_eq!(
            shorten_path(one, 41),
            "…/palette-enterprise-appliance-4.6.32.iso"
        );
        // Not even the name fits.
        assert_eq!(shorten_path(one, 20), "palette-e…4.6.32.iso");
        assert_ne!(shorten_path(one, 20), shorten_path(other, 20));
        assert_eq!(shorten_path("a/b.iso", 7), "a/b.iso");
        assert_eq!(shorten_path("a/b.iso", 0), "");
    }

    /// Texts of all of Unicode, with a higher share of characters that join or widen their
    /// neighbours.
    pub(crate) fn text() -> impl Strategy<Value = String> {
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
            "/",
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
        }
        assert_eq!(shorten(&hearts, 5), "❤️…❤️");
    }

    #[test]
    fn no_pair_of_characters_is_wider_than_their_sum() {
        // Every assigned character next to those that widen or narrow their neighbours somewhere in
        // Unicode: planes 0 to 3, and the tags and variation selectors of plane 14. Behind them are
        // only characters of private use, which join with nothing.
        for c in ('\0'..='\u{3ffff}').chain('\u{e0000}'..='\u{e01ff}') {
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
            let path = shorten_path(&text, columns);
            prop_assert!(width(&path) <= columns);
            prop_assert!(width(&text) > columns || path == text);
        }
    }
}
