//! What the value of an option or a variable is, where no file has it for its path.

/// What is wrong with a path at which there is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathLooks {
    /// A key itself, as text.
    KeyText,
    /// It begins with `~`.
    Tilde,
    /// It is in quotation marks.
    Quoted,
    /// It begins or ends with a blank or a line end.
    Blank,
    /// A URL with a path of this machine.
    FileUrl,
    /// A URL.
    Url,
    /// It has a variable in it.
    Variable,
}

impl PathLooks {
    /// What is wrong with a path at which there is nothing, if that is known.
    pub fn of(path: &[u8]) -> Option<PathLooks> {
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
            Some(PathLooks::KeyText)
        } else if text.trim() != text {
            Some(PathLooks::Blank)
        } else if text.starts_with(marks) || text.ends_with(marks) {
            Some(PathLooks::Quoted)
        } else if begins(b"file:") {
            Some(PathLooks::FileUrl)
        } else if text.contains("://") {
            Some(PathLooks::Url)
        } else if begins(b"~") {
            Some(PathLooks::Tilde)
        } else if text.split('$').skip(1).any(is_word) || begins(b"%") && text[1..].contains('%') {
            Some(PathLooks::Variable)
        } else {
            None
        }
    }

    /// What it is and what to do, as a part of a message.
    pub fn advice(self) -> &'static str {
        match self {
            PathLooks::KeyText => {
                "it is the text of a key, and the path of a file is needed: write the text to a file, and name that"
            }
            PathLooks::Tilde => {
                "only the shell expands ~, and not in quotes: write $HOME, or the whole path"
            }
            PathLooks::Quoted => "the quotation marks are a part of it: leave them out",
            PathLooks::Blank => "it begins or ends with a blank or a line end: remove that",
            PathLooks::FileUrl => "it is a URL: leave out file:// and name the path",
            PathLooks::Url => {
                "it is a URL, and this program never uses the network: download the file, and name its path"
            }
            PathLooks::Variable => {
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
        let cases: [(&str, Option<PathLooks>); 20] = [
            (
                "-----BEGIN PUBLIC KEY-----\nMFk\n",
                Some(PathLooks::KeyText),
            ),
            (
                "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE",
                Some(PathLooks::KeyText),
            ),
            ("~/key.pem", Some(PathLooks::Tilde)),
            ("~user/key.pem", Some(PathLooks::Tilde)),
            ("\"key.pem\"", Some(PathLooks::Quoted)),
            ("'key.pem'", Some(PathLooks::Quoted)),
            ("\u{201c}key.pem\u{201d}", Some(PathLooks::Quoted)),
            ("key.pem ", Some(PathLooks::Blank)),
            (" key.pem", Some(PathLooks::Blank)),
            ("key.pem\n", Some(PathLooks::Blank)),
            ("key.pem\r", Some(PathLooks::Blank)),
            ("key.pem\u{a0}", Some(PathLooks::Blank)),
            ("file:///etc/key.pem", Some(PathLooks::FileUrl)),
            ("FILE:key.pem", Some(PathLooks::FileUrl)),
            ("https://example.com/key.pem", Some(PathLooks::Url)),
            ("$HOME/key.pem", Some(PathLooks::Variable)),
            ("${KEYS}/key.pem", Some(PathLooks::Variable)),
            ("%USERPROFILE%/key.pem", Some(PathLooks::Variable)),
            ("key.pem", None),
            ("price-5$.pem", None),
        ];
        for (path, expected) in cases {
            assert_eq!(PathLooks::of(path.as_bytes()), expected, "{path}");
        }
    }
}
