//! Human-readable sizes and rates.

use std::time::Duration;

/// Returns the rate in bytes per second.
pub(crate) fn rate(bytes: u64, time: Duration) -> u64 {
    let nanoseconds = time.as_nanos().max(1);
    u64::try_from(u128::from(bytes) * 1_000_000_000 / nanoseconds).unwrap_or(u64::MAX)
}

/// Formats a number of bytes in powers of 1000 (SI), as in the specifications of disks and
/// networks.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (1_000_000_000_000, "TB"),
        (1_000_000_000, "GB"),
        (1_000_000, "MB"),
        (1_000, "kB"),
    ];
    let unit = UNITS.iter().find(|(unit, _)| bytes >= *unit);
    unit.map_or(format!("{bytes} B"), |(unit, name)| {
        format!("{:.2} {name}", bytes as f64 / *unit as f64)
    })
}

/// Reads a number of bytes: a whole number, or one followed by `K`, `M` or `G` for powers of 1024.
///
/// # Errors
/// Says what is expected.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let expected = || {
        "use a whole number of bytes, or one with K, M or G, such as 4096, 128M or 2G".to_owned()
    };
    let (digits, unit) = match text.char_indices().next_back() {
        Some((at, letter)) if letter.is_ascii_alphabetic() => (&text[..at], letter),
        _ => (text, 'B'),
    };
    let factor: u64 = match unit.to_ascii_uppercase() {
        'B' if digits.len() == text.len() => 1,
        'K' => 1 << 10,
        'M' => 1 << 20,
        'G' => 1 << 30,
        _ => return Err(expected()),
    };
    // No sign: `+5` and `-5` are no numbers of bytes.
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    let number: Option<u64> = digits.parse().ok().filter(|_| is_number);
    let bytes = number.and_then(|number| number.checked_mul(factor));
    bytes.filter(|bytes| *bytes > 0).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_bytes_may_have_a_unit_of_1024_and_nothing_else() {
        assert_eq!(parse("4096"), Ok(4096));
        assert_eq!(parse("128M"), Ok(128 << 20));
        assert_eq!(parse("3g"), Ok(3 << 30));
        for bad in [
            "",
            "M",
            "0",
            "-1",
            "+1",
            "1.5G",
            "1T",
            "5B",
            "1 M",
            "99999999999G",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
