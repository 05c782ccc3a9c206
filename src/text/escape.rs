//! Escapes names for one line of output that shows their exact bytes.

use std::ffi::OsStr;
use std::fmt::Write;
use std::ops::RangeInclusive;
use std::os::unix::ffi::OsStrExt;

/// Marks at the beginning of a verdict's line. A name cannot display them, so searching the output
/// for a mark finds only verdicts.
const MARKS: [char; 4] = ['✅', '❌', '⚠', '⏭'];
/// Characters, beyond the control characters, that are invisible, look like a blank, end a line, or
/// change the direction of writing: Default_Ignorable_Code_Point, White_Space without U+0020, the
/// other invisible format characters and blank letters, and noncharacters (Unicode 17.0).
const UNSEEN: [RangeInclusive<char>; 42] = [
    '\u{a0}'..='\u{a0}',
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{1680}'..='\u{1680}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{2000}'..='\u{200f}',
    '\u{2028}'..='\u{202f}',
    '\u{205f}'..='\u{206f}',
    '\u{2800}'..='\u{2800}',
    '\u{3000}'..='\u{3000}',
    '\u{3164}'..='\u{3164}',
    '\u{fdd0}'..='\u{fdef}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffc}',
    // U+FFFE and U+FFFF are also forbidden in XML (XML 1.0, 2.2); every plane ends in two
    // noncharacters.
    '\u{fffe}'..='\u{ffff}',
    '\u{1107f}'..='\u{1107f}',
    '\u{13430}'..='\u{13442}',
    '\u{16fe4}'..='\u{16fe4}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d159}'..='\u{1d159}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{1fffe}'..='\u{1ffff}',
    '\u{2fffe}'..='\u{2ffff}',
    '\u{3fffe}'..='\u{3ffff}',
    '\u{4fffe}'..='\u{4ffff}',
    '\u{5fffe}'..='\u{5ffff}',
    '\u{6fffe}'..='\u{6ffff}',
    '\u{7fffe}'..='\u{7ffff}',
    '\u{8fffe}'..='\u{8ffff}',
    '\u{9fffe}'..='\u{9ffff}',
    '\u{afffe}'..='\u{affff}',
    '\u{bfffe}'..='\u{bffff}',
    '\u{cfffe}'..='\u{cffff}',
    '\u{dfffe}'..='\u{e0fff}',
    '\u{efffe}'..='\u{effff}',
    '\u{ffffe}'..='\u{fffff}',
    '\u{10fffe}'..='\u{10ffff}',
];

/// Returns a file name as printed.
///
/// - Control characters, characters that are invisible or look like a blank, and the verdicts'
///   marks become `\n`, `\r`, `\t` or `\u{…}` with the code in hexadecimal.
/// - A byte that is not part of UTF-8 becomes `\xHH`.
/// - A backslash becomes `\\`, so no two names print alike.
/// - Commands of CI runners are broken up: a colon with nothing but blanks before it
///   (`::set-output`, which GitHub obeys at the start of a line, after leading blanks), and a `#`
///   before another one (`##vso[`, `##[`, `##teamcity[`, which Azure DevOps, GitHub and TeamCity
///   obey anywhere in a line) become `\u{3a}` and `\u{23}`.
/// - A `»` with a blank beside it, or at either end, becomes `\u{bb}`: between blanks it stands
///   between an artifact and an image inside it.
///
/// Everything else stays unchanged. The rules depend only on the name, not on where it is printed:
/// each name has one form.
pub fn name(name: &OsStr) -> String {
    let is_mark = |c| c == '\\' || MARKS.contains(&c);
    escape(name.as_bytes(), &|before, c, next| {
        is_mark(c) || separates(before, c, next)
    })
}

/// Returns what is said about names as one line: like [`name`], but keeps backslashes, since names
/// in it are already escaped. What comes from a document and is not displays nothing that [`name`]
/// would not.
pub fn words(text: &str) -> String {
    escape(text.as_bytes(), &|before, c, next| {
        MARKS.contains(&c) || separates(before, c, next)
    })
}

/// Returns a message as one line for a terminal: like [`name`], but keeps backslashes and marks,
/// since names in the message are already escaped.
pub fn message(text: &str) -> String {
    escape(text.as_bytes(), &|_, _, _| false)
}

/// Reports whether a character is invisible, looks like a blank, or controls the terminal.
pub(crate) fn is_unseen(c: char) -> bool {
    c.is_control() || !c.is_ascii() && UNSEEN.iter().any(|range| range.contains(&c))
}

/// Decides on a character from the escaped text before it and the character after it.
type Also<'a> = &'a dyn Fn(&str, char, Option<&char>) -> bool;

fn escape(bytes: &[u8], also: Also<'_>) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut chars = chunk.valid().chars().peekable();
        while let Some(c) = chars.next() {
            let next = chars.peek();
            if is_unseen(c) || begins_command(&text, c, next) || also(&text, c, next) {
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

/// Reports whether a character could be taken for what separates an artifact from what is inside
/// it.
fn separates(before: &str, c: char, next: Option<&char>) -> bool {
    let is_before = before.is_empty() || before.ends_with(' ');
    c == '»' && (is_before || next.is_none_or(|next| *next == ' '))
}

/// Reports whether a character after the escaped text `before` begins a command for a CI runner.
fn begins_command(before: &str, c: char, next: Option<&char>) -> bool {
    match c {
        // The runner trims blanks of every kind; those other than U+0020 are escaped and no longer
        // blanks.
        ':' => before.bytes().all(|byte| byte == b' '),
        '#' => next == Some(&'#'),
        _ => false,
    }
}

fn push_escaped(text: &mut String, c: char) {
    match c {
        '\\' | '\n' | '\r' | '\t' => text.extend(c.escape_default()),
        _ => text.extend(c.escape_unicode()),
    }
}

#[cfg(test)]
#[path = "../../tests/support/unescape.rs"]
mod unescape;

#[cfg(test)]
mod tests {
    use super::unescape::unescaped;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_could_break_or_forge_a_line_is_escaped_and_nothing_else() {
        let cases: [(&[u8], &str); 18] = [
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
            (b"::error::x", "\\u{3a}:error::x"),
            (b"  ::error::x", "  \\u{3a}:error::x"),
            ("\u{a0}::error::x".as_bytes(), "\\u{a0}::error::x"),
            (b"a::b: c", "a::b: c"),
            (b"#a/##vso[x]###", "#a/\\u{23}#vso[x]\\u{23}\\u{23}#"),
            ("❤️".as_bytes(), "❤\\u{fe0f}"),
        ];
        for (bytes, text) in cases {
            assert_eq!(name(OsStr::from_bytes(bytes)), text);
        }
    }

    #[test]
    fn a_message_is_one_line() {
        assert_eq!(message("a\\b ✅\nc\x1b"), "a\\b ✅\\nc\\u{1b}");
    }

    proptest! {
        #[test]
        fn every_name_is_one_line_that_leads_back_to_it(bytes in any::<Vec<u8>>()) {
            let text = name(OsStr::from_bytes(&bytes));
            prop_assert!(!text.chars().any(char::is_control));
            prop_assert_eq!(unescaped(text.as_bytes()), bytes);
        }

        #[test]
        fn so_is_every_text(text in any::<String>()) {
            let printed = name(OsStr::new(&text));
            prop_assert_eq!(unescaped(printed.as_bytes()), text.into_bytes());
        }
    }
}
