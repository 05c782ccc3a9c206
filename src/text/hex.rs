//! Bytes in hexadecimal digits.

/// The bytes that hexadecimal digits stand for, of either case.
pub(crate) fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: &u8| {
        char::from(*byte)
            .to_digit(16)
            .and_then(|value| u8::try_from(value).ok())
    };
    let (pairs, rest) = digits.as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| Some(digit(high)? << 4 | digit(low)?);
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_either_case_are_bytes_and_nothing_else_is() {
        assert_eq!(from_hex(b"00fFA0"), Some(vec![0, 0xff, 0xa0]));
        assert_eq!(from_hex(b""), Some(Vec::new()));
        for none in [&b"0"[..], b"0g", b"+1", b" 0", b"0x00"] {
            assert_eq!(from_hex(none), None, "{none:?}");
        }
    }
}
