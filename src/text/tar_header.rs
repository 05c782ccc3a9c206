//! Whether a block may be the header of a tar archive for some program. Only to refuse what some
//! program may unpack: archives themselves are read strictly.

/// Size of a header in bytes.
pub(crate) const BLOCK: usize = 512;

/// Place of the checksum in it.
const CHECKSUM: std::ops::Range<usize> = 148..156;

/// The digits of GNU tar's base 64, in order of their values.
const BASE_64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Reports whether the block's checksum is right in any way in which a program writes, reads and
/// computes it. A header of the first format has no magic number, and no byte that a text could not
/// have.
pub(crate) fn may_be_header(block: &[u8; BLOCK]) -> bool {
    // Old programs added up bytes with a sign.
    let signed = sum(block, |byte| i64::from(byte.cast_signed()));
    let unsigned = sum(block, i64::from);
    numbers(&block[CHECKSUM]).any(|claimed| [signed, unsigned].contains(&claimed))
}

/// Adds up the bytes of a block, with those of the checksum as blanks.
pub(crate) fn sum(block: &[u8; BLOCK], value: impl Fn(u8) -> i64) -> i64 {
    let bytes = block.iter().enumerate();
    let byte = |(at, byte): (usize, &u8)| {
        let is_checksum = CHECKSUM.contains(&at);
        value(if is_checksum { b' ' } else { *byte })
    };
    bytes.map(byte).sum()
}

/// Returns what programs may read in a field: octal digits (GNU tar, Go, libarchive), those with a
/// sign, a prefix or underscores (Python), base 64 (GNU tar) and base 256.
fn numbers(field: &[u8]) -> impl Iterator<Item = i64> {
    let is_filler = |byte: &u8| *byte == 0 || is_blank(*byte);
    let start = field.iter().position(|byte| !is_filler(byte));
    let rest = start.and_then(|start| field.get(start..));
    let rest = rest.unwrap_or_default();
    // To Python and Go, a field that a zero byte begins has no digits, and to them that is 0.
    let nothing = is_empty(field).then_some(0);
    [Some(octal(rest)), base_64(rest), base_256(field), nothing]
        .into_iter()
        .flatten()
}

fn is_blank(byte: u8) -> bool {
    // The vertical tab is not among Rust's.
    byte.is_ascii_whitespace() || byte == 0x0b
}

fn is_empty(field: &[u8]) -> bool {
    let first = field.iter().find(|byte| !is_blank(**byte));
    first.is_none_or(|byte| *byte == 0)
}

/// Parses the leading octal digits: libarchive accepts anything after them, and takes none at all
/// for 0.
fn octal(field: &[u8]) -> i64 {
    let (is_negative, digits) = signed(field);
    let digits = digits.strip_prefix(b"0o").unwrap_or(digits);
    let digits = digits.strip_prefix(b"0O").unwrap_or(digits);
    let is_digit = |byte: &&u8| matches!(byte, b'0'..=b'7' | b'_');
    let values = digits.iter().take_while(is_digit);
    let values = values.filter(|byte| **byte != b'_');
    let number = values.fold(0, |sum, byte| sum << 3 | i64::from(byte - b'0'));
    if is_negative { -number } else { number }
}

/// Parses a sign and digits of base 64, as many as there are.
fn base_64(field: &[u8]) -> Option<i64> {
    let (is_negative, digits) = signed(field);
    if digits.len() == field.len() {
        return None;
    }
    let value = |byte: &u8| BASE_64.iter().position(|digit| digit == byte);
    let digits = digits.iter().map_while(value);
    let number = digits.fold(0, |sum, digit| sum << 6 | digit as i64);
    Some(if is_negative { -number } else { number })
}

/// Parses base 256, which the first bit tells: the last four bytes of a number with a sign. No sum
/// needs more.
fn base_256(field: &[u8]) -> Option<i64> {
    field.first().filter(|first| **first & 0x80 != 0)?;
    let last = field.last_chunk()?;
    Some(i64::from(i32::from_be_bytes(*last)))
}

/// Splits off a sign, and reports whether it is a minus.
fn signed(field: &[u8]) -> (bool, &[u8]) {
    match field.split_first() {
        Some((b'-', digits)) => (true, digits),
        Some((b'+', digits)) => (false, digits),
        _ => (false, field),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_in_each_way_in_which_a_program_reads_it() {
        for (field, expected) in [
            (b"0000017\0", &[15][..]),
            (b"\0    17 ", &[15, 0]),
            (b"\t    17 ", &[15]),
            (b"17 \0junk", &[15]),
            (b"0o17\0\0\0\0", &[15]),
            (b"1_7\0\0\0\0\0", &[15]),
            (b"-17     ", &[-15, -(53 << 6 | 59)]),
            (b"+AAAAABA", &[0, 64]),
            (b"-BA\0\0\0\0\0", &[0, -64]),
            (b"\x80\0\0\0\0\0\x01\0", &[0, 256]),
            (b"\xff\xff\xff\xff\xff\xff\xff\xfe", &[0, -2]),
            (b"        ", &[0, 0]),
            (b"\0junk 17", &[0, 0]),
            (b"junk  17", &[0]),
            (b"17junk\0\0", &[15]),
        ] {
            let found: Vec<i64> = numbers(field).collect();
            assert_eq!(found, expected, "{}", field.escape_ascii());
        }
    }

    fn begins_like_a_header(text: &[u8]) -> bool {
        text.first_chunk().is_some_and(may_be_header)
    }

    /// Returns JSON whose first block has a checksum, written by `field`.
    fn text(field: impl Fn(u32) -> String) -> Vec<u8> {
        let mut text = format!("{{\"x\":\"{}\"}}", "y".repeat(600)).into_bytes();
        text[CHECKSUM].fill(b' ');
        let sum = text[..BLOCK].iter().map(|byte| u32::from(*byte)).sum();
        text[CHECKSUM].copy_from_slice(field(sum).as_bytes());
        text
    }

    #[test]
    fn json_that_has_the_checksum_of_a_tar_header_is_found() {
        for field in [
            |sum| format!("{sum:06o}  "),
            |sum| format!("{sum:08o}"),
            |sum| format!(" {sum:06o}x"),
        ] {
            let text = text(field);
            assert!(crate::text::json::Json::parse(&text).is_ok());
            assert!(begins_like_a_header(&text));
        }
        assert!(begins_like_a_header(&text(|sum| {
            let digit = |value: u32| match value {
                0..26 => char::from(b'A' + value as u8),
                26..52 => char::from(b'a' + (value - 26) as u8),
                52..62 => char::from(b'0' + (value - 52) as u8),
                _ => '/',
            };
            let [high, middle, low] = [sum >> 12, sum >> 6 & 63, sum & 63].map(digit);
            format!("+{high}{middle}{low}    ")
        })));
    }

    #[test]
    fn other_texts_are_not() {
        assert!(!begins_like_a_header(&text(|sum| format!(
            "{:06o}  ",
            sum + 1
        ))));
        assert!(!begins_like_a_header(&text(|_| "yyyyyyyy".to_owned())));
    }
}
