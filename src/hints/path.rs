//! Identifies the value of an option or a variable that is not the path of any file.

/// What is wrong with a path where nothing exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathHint {
    /// A key itself, as text.
    KeyText,
    /// It begins with `~`.
    Tilde,
    /// It is in quotation marks.
    Quoted,
    /// It begins or ends with a blank or a line end.
    Blank,
    /// A URL of a local file.
    FileUrl,
    /// A URL.
    Url,
    /// It contains a variable.
    Variable,
}

impl PathHint {
    /// Returns what is wrong with a path where nothing exists, if that is known.
    pub fn of(path: &[u8]) -> Option<PathHint> {
        let begins = |with: &[u8]| {
            path.get(..with.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(with))
        };
        let text = String::from_utf8_lossy(path);
        let marks = [
            '"', '\'', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}', '\u{ab}', '\u{bb}',
        ];
        let is_word = |name: &str| {
            name.starts_with(|c: char| c == '{' || c == '_' || c.is_ascii_alphabetic())
        };
        if text.contains("-----BEGIN") || text.trim_start().starts_with("MFkwEwYHKoZI") {
            Some(PathHint::KeyText)
        } else if text.trim() != text {
            Some(PathHint::Blank)
        } else if text.starts_with(marks) || text.ends_with(marks) {
            Some(PathHint::Quoted)
        } else if begins(b"file:") {
            Some(PathHint::FileUrl)
        } else if text.contains("://") {
            Some(PathHint::Url)
        } else if begins(b"~") {
            Some(PathHint::Tilde)
        } else if text.split('$').skip(1).any(is_word) || begins(b"%") && text[1..].contains('%') {
            Some(PathHint::Variable)
        } else {
            None
        }
    }

    /// Returns what it is and what to do, as part of a message.
    pub fn advice(self) -> &'static str {
        match self {
            PathHint::KeyText => {
                "it is the text of a key, and the path of a file is needed: write the text to a file, and name that"
            }
            PathHint::Tilde => {
                "only the shell expands ~, and not in quotes: write $HOME, or the whole path"
            }
            PathHint::Quoted => "the quotation marks are a part of it: leave them out",
            PathHint::Blank => "it begins or ends with a blank or a line end: remove that",
            PathHint::FileUrl => "it is a URL: leave out file:// and name the path",
            PathHint::Url => {
                "it is a URL, and this program never uses the network: download the file, and name its path"
            }
            PathHint::Variable => {
                "it has a variable in it that was not expanded: write the whole path"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_at_which_there_is_nothing_is_called_what_it_is() {
        let cases: [(&str, Option<PathHint>); 20] = [
            ("-----BEGIN PUBLIC KEY-----\nMFk\n", Some(PathHint::KeyText)),
            (
                "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE",
                Some(PathHint::KeyText),
            ),
            ("~/key.pem", Some(PathHint::Tilde)),
            ("~user/key.pem", Some(PathHint::Tilde)),
            ("\"key.pem\"", Some(PathHint::Quoted)),
            ("'key.pem'", Some(PathHint::Quoted)),
            ("\u{201c}key.pem\u{201d}", Some(PathHint::Quoted)),
            ("key.pem ", Some(PathHint::Blank)),
            (" key.pem", Some(PathHint::Blank)),
            ("key.pem\n", Some(PathHint::Blank)),
            ("key.pem\r", Some(PathHint::Blank)),
            ("key.pem\u{a0}", Some(PathHint::Blank)),
            ("file:///etc/key.pem", Some(PathHint::FileUrl)),
            ("FILE:key.pem", Some(PathHint::FileUrl)),
            ("https://example.com/key.pem", Some(PathHint::Url)),
            ("$HOME/key.pem", Some(PathHint::Variable)),
            ("${KEYS}/key.pem", Some(PathHint::Variable)),
            ("%USERPROFILE%/key.pem", Some(PathHint::Variable)),
            ("key.pem", None),
            ("price-5$.pem", None),
        ];
        for (path, expected) in cases {
            assert_eq!(PathHint::of(path.as_bytes()), expected, "{path}");
        }
    }
}
