//! What is printed of a name is one line without control characters that leads back to the name,
//! and to no other.

use std::ffi::OsStr;
use std::ops::RangeInclusive;
use std::os::unix::ffi::OsStrExt;
use std::sync::LazyLock;

use verify_signatures::internals::text::escape;

#[path = "../support/unescape.rs"]
mod unescape;

use unescape::unescaped;

/// Checks a name; and that its two halves, if they are two names, are printed differently.
pub fn check(name: &[u8]) {
    let text = printed(name);
    assert!(!text.contains(breaks_a_line), "{text:?}");
    assert!(!text.contains(shows_nothing), "{text:?}");
    assert!(!is_command(&text), "{text:?}");
    assert!(!text.contains(['✅', '❌', '⚠']), "{text:?}");
    assert_eq!(unescaped(text.as_bytes()), name);
    let (one, other) = name.split_at(name.len() / 2);
    assert_eq!(printed(one) == printed(other), one == other);
}

fn printed(name: &[u8]) -> String {
    escape::name(OsStr::from_bytes(name))
}

/// Control characters, and the line ends of Unicode beyond them.
fn breaks_a_line(c: char) -> bool {
    matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}')
}

/// What shows nothing or looks like a blank, as the Unicode database lists it:
/// Default_Ignorable_Code_Point (DerivedCoreProperties), White_Space without U+0020 (PropList), and
/// what these leave out: U+2800, U+FFF9..U+FFFC, the joiners, controls and blanks of Brahmi,
/// Egyptian, Khitan and music.
const NOTHING: &str = "00A0 00AD 034F 061C 115F..1160 1680 17B4..17B5 180B..180D 180E 180F 2000..200A 200B..200F 2028 2029 \
    202A..202E 202F 205F 2060..2064 2065 2066..206F 2800 3000 3164 FE00..FE0F FEFF FFA0 FFF0..FFF8 FFF9..FFFC 1107F 13430..13442 \
    16FE4 1BCA0..1BCA3 1D159 1D173..1D17A E0000..E0FFF";

/// The same as numbers.
static RANGES: LazyLock<Vec<RangeInclusive<u32>>> = LazyLock::new(|| {
    let number = |digits: &str| u32::from_str_radix(digits, 16).expect("a code");
    let range = |range: &str| {
        let (first, last) = range.split_once("..").unwrap_or((range, range));
        number(first)..=number(last)
    };
    NOTHING.split_whitespace().map(range).collect()
});

/// Whether a character shows nothing, or is no character (The Unicode Standard, section 23.7).
fn shows_nothing(c: char) -> bool {
    let code = u32::from(c);
    !c.is_ascii()
        && (RANGES.iter().any(|range| range.contains(&code))
            || code & 0xfffe == 0xfffe
            || (0xfdd0..=0xfdef).contains(&code))
}

/// Whether a CI runner would obey a line that begins like this: GitHub trims blanks and looks for
/// `::` at the start, GitHub (`##[`), Azure DevOps (`##vso[`) and TeamCity (`##teamcity[`) look for
/// theirs anywhere.
fn is_command(line: &str) -> bool {
    line.trim_start().starts_with(':') || line.contains("##")
}
