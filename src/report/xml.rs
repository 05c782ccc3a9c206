//! Escapes text for XML 1.0, in attributes and between tags.

use std::fmt::{self, Write};

use askama::filters::Escaper;

/// The escaper of the templates whose names end in `.xml`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Xml;

impl Escaper for Xml {
    fn write_escaped_str<W: Write>(&self, mut out: W, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| match c {
            '<' => out.write_str("&lt;"),
            '>' => out.write_str("&gt;"),
            '&' => out.write_str("&amp;"),
            '\'' => out.write_str("&apos;"),
            '"' => out.write_str("&quot;"),
            c if is_char(c) => out.write_char(c),
            // One such character, and no parser accepts the report.
            _ => out.write_char(char::REPLACEMENT_CHARACTER),
        })
    }
}

/// Reports whether XML allows a character (XML 1.0, 2.2: `Char`).
fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped_and_what_xml_forbids_is_replaced() {
        let mut out = String::new();
        let text = "<a b='c'>&\"\n\u{0}\u{b}\u{1b}\u{fffe}é\u{1f600}";
        Xml.write_escaped_str(&mut out, text).unwrap();
        assert_eq!(
            out,
            "&lt;a b=&apos;c&apos;&gt;&amp;&quot;\n\u{fffd}\u{fffd}\u{fffd}\u{fffd}é\u{1f600}"
        );
    }
}
