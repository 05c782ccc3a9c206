//! One line of a checksum list.

use crate::digest::Algorithm;
use crate::text::hex::from_hex;
use crate::trust::listed::Sum;

use super::name::tidy;

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A comment, or nothing.
    Nothing,
    /// A file, by its tidy name, and what the line says of it.
    File { name: Vec<u8>, sum: Said },
    /// Something else.
    Unreadable,
}

/// What a line says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A digest that counts.
    Sum(Sum),
    /// A digest that is too weak to count (MD5, SHA-1), or that is not computed here (SHA-224,
    /// BLAKE2).
    Other,
}

/// The names of the digests that count in tagged lines: those of coreutils and BSD, and those of
/// OpenSSL 3.
const TAGS: [(&[u8], Algorithm); 6] = [
    (b"SHA256", Algorithm::Sha256),
    (b"SHA384", Algorithm::Sha384),
    (b"SHA512", Algorithm::Sha512),
    (b"SHA2-256", Algorithm::Sha256),
    (b"SHA2-384", Algorithm::Sha384),
    (b"SHA2-512", Algorithm::Sha512),
];

/// The digests that count in lines without a tag, by their length in hexadecimal digits.
const LENGTHS: [(usize, Algorithm); 3] = [
    (64, Algorithm::Sha256),
    (96, Algorithm::Sha384),
    (128, Algorithm::Sha512),
];

/// The lengths of digests that do not count: MD5, SHA-1, SHA-224.
const OTHER_LENGTHS: [usize; 3] = [32, 40, 56];

/// How names follow digests in lines without a tag. The first such line decides for the list, as in
/// coreutils: otherwise one name could be read in two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `digits  name` or `digits *name`, as coreutils and `shasum` print it.
    Marked,
    /// `digits name`, as BSD's `sha256 -r` does.
    Unmarked,
}

impl Line {
    /// Reads a line without its line feed. `form` is that of the lines before it.
    pub(super) fn parse(line: &[u8], form: &mut Option<Form>) -> Line {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = line.trim_ascii_start();
        if text.is_empty() || text.starts_with(b"#") {
            return Line::Nothing;
        }
        // Fail closed: no program lists a name with a zero byte in it.
        if text.contains(&0) {
            return Line::Unreadable;
        }
        let (is_escaped, text) = match text.strip_prefix(b"\\") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        // Digits first: a name may look like what follows a tag.
        let read = plain(text, form).or_else(|| tagged(text));
        let file = read.and_then(|(name, sum)| {
            let name = if is_escaped {
                unescaped(name)?
            } else {
                name.to_vec()
            };
            Some(Line::File {
                name: tidy(&name)?,
                sum,
            })
        });
        file.unwrap_or(Line::Unreadable)
    }
}

/// Reads `SHA256 (name) = digits`, as BSD and `sha256sum --tag` print it, or `SHA256(name)=
/// digits`, as OpenSSL does.
fn tagged(text: &[u8]) -> Option<(&[u8], Said)> {
    let open = text.iter().position(|byte| *byte == b'(')?;
    let tag = text[..open].trim_ascii_end();
    let is_tag =
        |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"-/".contains(byte);
    let is_known_form = !tag.is_empty()
        && (tag.iter().all(is_tag) || tag.starts_with(b"BLAKE2"))
        && open - tag.len() <= 1;
    // The name may have parentheses of its own; the digits have none.
    let close = text.iter().rposition(|byte| *byte == b')')?;
    let name = text.get(open + 1..close).filter(|_| is_known_form)?;
    let digits = text[close + 1..].trim_ascii_start().strip_prefix(b"=")?;
    let digits = digits.trim_ascii();
    let algorithm = TAGS.iter().find(|(known, _)| *known == tag);
    let stated = match algorithm {
        Some((_, algorithm)) => Said::Sum(Sum::parse(*algorithm, digits)?),
        None => from_hex(digits).map(|_| Said::Other)?,
    };
    Some((name, stated))
}

/// Reads digits and a name behind them, as `digest_check` of coreutils' cksum.c does.
fn plain<'a>(text: &'a [u8], form: &mut Option<Form>) -> Option<(&'a [u8], Said)> {
    let end = text.iter().position(|byte| !byte.is_ascii_hexdigit())?;
    let (digits, rest) = text.split_at(end);
    let algorithm = LENGTHS.iter().find(|(length, _)| *length == end);
    let said = match algorithm {
        Some((_, algorithm)) => Said::Sum(Sum::parse(*algorithm, digits)?),
        None if OTHER_LENGTHS.contains(&end) => Said::Other,
        None => return None,
    };
    let rest = rest
        .strip_prefix(b" ")
        .or_else(|| rest.strip_prefix(b"\t"))?;
    let (name, of_line) = match rest {
        [] => return None,
        [b' ' | b'*', name @ ..] if !name.is_empty() => (name, Form::Marked),
        _ => (rest, Form::Unmarked),
    };
    match (*form.get_or_insert(of_line), of_line) {
        (Form::Marked, Form::Marked) => Some((name, said)),
        (Form::Unmarked, _) => Some((rest, said)),
        // Fail closed: coreutils refuses it too.
        (Form::Marked, Form::Unmarked) => None,
    }
}

/// Undoes the escapes of coreutils, which a line that begins with `\` has in its name.
fn unescaped(name: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(name.len());
    let mut bytes = name.iter();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'\\' => match bytes.next()? {
                b'\\' => b'\\',
                b'n' => b'\n',
                b'r' => b'\r',
                _ => return None,
            },
            byte => *byte,
        });
    }
    Some(plain)
}
