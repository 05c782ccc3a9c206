//! Texts that programs could unpack as an archive.

/// Size in bytes of an archive's header.
const BLOCK: usize = 512;
/// Place of the checksum in it.
const CHECKSUM: std::ops::Range<usize> = 148..156;

/// Reports whether a text begins like a tar archive: its first block has its own checksum.
///
/// A header of the first format has no magic number and no byte that a text could not have.
///
/// Fail closed: a number is read as the most lenient programs read it, up to the first character
/// that belongs to none.
pub(super) fn may_be_tar(text: &[u8]) -> bool {
    let Some(block) = text.get(..BLOCK) else {
        return false;
    };
    let field = &block[CHECKSUM];
    let rest = || block.iter().chain([b' '; 8].iter());
    let unsigned: i64 = rest().map(|byte| i64::from(*byte)).sum();
    let signed: i64 = rest().map(|byte| i64::from(byte.cast_signed())).sum();
    let of_field: i64 = field.iter().map(|byte| i64::from(*byte)).sum();
    let signed_field: i64 = field.iter().map(|byte| i64::from(byte.cast_signed())).sum();
    let sums = [unsigned - of_field, signed - signed_field];
    let is_blank = |byte: &&u8| matches!(byte, 0 | b' ' | b'\t');
    let digits: Vec<u8> = field.iter().skip_while(is_blank).copied().collect();
    let base64 = digits.strip_prefix(b"+").map(|digits| number(digits, 64));
    sums.contains(&number(&digits, 8)) || base64.is_some_and(|number| sums.contains(&number))
}

/// Reads the digits in front, octal or those of base64, which GNU tar once wrote.
fn number(digits: &[u8], base: i64) -> i64 {
    let value = |byte: &u8| match (byte, base) {
        (b'0'..=b'7', 8) => Some(byte - b'0'),
        (b'A'..=b'Z', 64) => Some(byte - b'A'),
        (b'a'..=b'z', 64) => Some(byte - b'a' + 26),
        (b'0'..=b'9', 64) => Some(byte - b'0' + 52),
        (b'+', 64) => Some(62),
        (b'/', 64) => Some(63),
        _ => None,
    };
    let values = digits.iter().map_while(value);
    values.fold(0, |number, value| number * base + i64::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert!(may_be_tar(&text));
        }
        assert!(may_be_tar(&text(|sum| {
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
        assert!(!may_be_tar(&text(|sum| format!("{:06o}  ", sum + 1))));
        assert!(!may_be_tar(&text(|_| "yyyyyyyy".to_owned())));
        assert!(!may_be_tar(&text(|sum| format!("{sum:06o}  "))[..511]));
        assert!(!may_be_tar(b"{}"));
    }
}
