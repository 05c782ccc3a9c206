//! Numbers of a header, read as leniently as any program reads them: only to tell what may be an
//! archive for some program.

/// The digits of GNU tar's base 64, in order of their values.
const BASE_64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Returns what programs may read in a field: octal digits (GNU tar, Go, libarchive), those with a
/// sign, a prefix or underscores (Python), base 64 (GNU tar) and base 256.
pub(super) fn numbers(field: &[u8]) -> impl Iterator<Item = i64> {
    let is_filler = |byte: &u8| *byte == 0 || is_blank(*byte);
    let start = field.iter().position(|byte| !is_filler(byte));
    let rest = start.and_then(|start| field.get(start..));
    let rest = rest.unwrap_or_default();
    // To Python and Go, a field that a zero byte begins has no digits, and to them that is 0.
    let nothing = is_empty(field).then_some(0);
    [octal(rest), base_64(rest), base_256(field), nothing]
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

/// Parses octal digits up to a blank, a zero byte or the end of the field.
fn octal(field: &[u8]) -> Option<i64> {
    let (is_negative, digits) = signed(field);
    let digits = digits.strip_prefix(b"0o").unwrap_or(digits);
    let digits = digits.strip_prefix(b"0O").unwrap_or(digits);
    let end = digits.iter().position(|byte| *byte == 0 || is_blank(*byte));
    let digits = digits.get(..end.unwrap_or(digits.len()))?;
    let add = |sum: i64, byte: &u8| match byte {
        b'_' => Some(sum),
        b'0'..=b'7' => Some(sum << 3 | i64::from(byte - b'0')),
        _ => None,
    };
    let number = digits.iter().try_fold(0, add)?;
    Some(if is_negative { -number } else { number })
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
            (b"17 \0junk", &[15]),
            (b"0o17\0\0\0\0", &[15]),
            (b"1_7\0\0\0\0\0", &[15]),
            (b"-17     ", &[-15, -(53 << 6 | 59)]),
            (b"+AAAAABA", &[64]),
            (b"-BA\0\0\0\0\0", &[-64]),
            (b"\x80\0\0\0\0\0\x01\0", &[256]),
            (b"\xff\xff\xff\xff\xff\xff\xff\xfe", &[-2]),
            (b"        ", &[0, 0]),
            (b"\0junk 17", &[0]),
            (b"junk  17", &[]),
            (b"17junk\0\0", &[]),
        ] {
            let found: Vec<i64> = numbers(field).collect();
            assert_eq!(found, expected, "{}", field.escape_ascii());
        }
    }
}
