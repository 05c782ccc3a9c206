//! Names made safe for a line: what is printed is one line, and says which bytes the name has.

use std::ffi::OsStr;
use std::fmt::Write;
use std::ops::RangeInclusive;
use std::os::unix::ffi::OsStrExt;

/// The marks that a line's verdict begins with. A name cannot show them, so that searching the output for one finds verdicts only.
const MARKS: [char; 3] = ['✅', '❌', '⚠'];
/// Characters that are no control characters and yet nothing to look at: line ends to some programs, or changes of the
/// direction, or of no width, or fillers (Unicode, general categories Zl, Zp and Cf as far as it is unseen, and letters that are blank).
const UNSEEN: [RangeInclusive<char>; 17] = [
    '\u{ad}'..='\u{ad}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180e}'..='\u{180e}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff9}'..='\u{fffb}',
    // No characters at all, and forbidden in XML (XML 1.0, 2.2).
    '\u{fffe}'..='\u{ffff}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0001}'..='\u{e007f}',
];

/// A file name as it is printed.
///
/// Control characters (U+0000 to U+001F, U+007F to U+009F), characters that nobody sees (separators of lines, changes of the
/// direction of writing, characters of no width), and the verdicts' marks are written as `\n`, `\r`, `\t` or `\u{…}` with the code in hexadecimal; a byte that is no part of UTF-8 as
/// `\xHH`; and a backslash as `\\`, so that no two names are printed alike. All else stays as it is.
pub fn name(name: &OsStr) -> String {
    escape(name.as_bytes(), &|c| c == '\\' || MARKS.contains(&c))
}

/// A message for a terminal, one line: as [`name`], but backslashes and marks stay, since the names in it are escaped already.
pub fn message(text: &str) -> String {
    escape(text.as_bytes(), &|_| false)
}

fn escape(bytes: &[u8], also: &dyn Fn(char) -> bool) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() || UNSEEN.iter().any(|range| range.contains(&c)) || also(c) {
                push_escaped(&mut text, c);
            } else {
                text.push(c);
            }
        }
        for byte in chunk.invalid() {
            // Writing to a String does not fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

fn push_escaped(text: &mut String, c: char) {
    match c {
        '\\' | '\n' | '\r' | '\t' => text.extend(c.escape_default()),
        _ => text.extend(c.escape_unicode()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_could_break_or_forge_a_line_is_escaped_and_nothing_else() {
        let cases: [(&[u8], &str); 12] = [
            (b"kubernetes-1.32.3.tar.zst", "kubernetes-1.32.3.tar.zst"),
            ("größe 1 \"x\".zst".as_bytes(), "größe 1 \"x\".zst"),
            (b"a\nb", "a\\nb"),
            (b"a\rb\tc", "a\\rb\\tc"),
            (b"a\\nb", "a\\\\nb"),
            (b"\x1b[31m", "\\u{1b}[31m"),
            (b"a\xff\xc3", "a\\xff\\xc3"),
            ("a\u{85}b\u{2028}".as_bytes(), "a\\u{85}b\\u{2028}"),
            (
                "x: ✅ Signature valid".as_bytes(),
                "x: \\u{2705} Signature valid",
            ),
            (b"\x7f\x00", "\\u{7f}\\u{0}"),
            ("a\u{202e}b\u{200b}".as_bytes(), "a\\u{202e}b\\u{200b}"),
            ("a\u{fffe}\u{ffff}".as_bytes(), "a\\u{fffe}\\u{ffff}"),
        ];
        for (bytes, text) in cases {
            assert_eq!(name(OsStr::from_bytes(bytes)), text);
        }
    }

    #[test]
    fn a_message_is_one_line() {
        assert_eq!(message("a\\b ✅\nc\x1b"), "a\\b ✅\\nc\\u{1b}");
    }

    /// The name that a printed form stands for; an implementation of its own.
    fn unescape(text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c != '\\' {
                bytes.extend(c.to_string().bytes());
                continue;
            }
            match chars.next().unwrap() {
                'n' => bytes.push(b'\n'),
                'r' => bytes.push(b'\r'),
                't' => bytes.push(b'\t'),
                '\\' => bytes.push(b'\\'),
                'x' => {
                    let digits: String = chars.by_ref().take(2).collect();
                    bytes.push(u8::from_str_radix(&digits, 16).unwrap());
                }
                'u' => {
                    let digits: String = chars.by_ref().skip(1).take_while(|c| *c != '}').collect();
                    let code = u32::from_str_radix(&digits, 16).unwrap();
                    bytes.extend(char::from_u32(code).unwrap().to_string().bytes());
                }
                other => panic!("\\{other}"),
            }
        }
        bytes
    }

    proptest! {
        #[test]
        fn every_name_is_one_line_that_leads_back_to_it(bytes in any::<Vec<u8>>()) {
            let text = name(OsStr::from_bytes(&bytes));
            prop_assert!(!text.chars().any(char::is_control));
            prop_assert_eq!(unescape(&text), bytes);
        }

        #[test]
        fn so_is_every_text(text in any::<String>()) {
            prop_assert_eq!(unescape(&name(OsStr::new(&text))), text.into_bytes());
        }
    }
}
