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

/// Reads a number of bytes: a whole number, or one followed by `K`, `M`, `G` or `T` (or `KiB` and
/// so on) for powers of 1024.
///
/// # Errors
/// Says what is expected.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let end = text.find(|letter: char| !letter.is_ascii_digit());
    let (digits, unit) = text.split_at(end.unwrap_or(text.len()));
    let unit = unit.to_ascii_uppercase();
    let power = match unit.strip_suffix("IB").unwrap_or(&unit) {
        // `5iB` is not a number of bytes.
        "" if unit.is_empty() => Some(0),
        "K" => Some(1),
        "M" => Some(2),
        "G" => Some(3),
        "T" => Some(4),
        _ => None,
    };
    let number: Option<u64> = digits.parse().ok();
    let factor = power.map(|power| 1024_u64.pow(power));
    let bytes = number
        .zip(factor)
        .and_then(|(n, factor)| n.checked_mul(factor));
    bytes.filter(|bytes| *bytes > 0).ok_or_else(|| {
        "use a whole number of bytes, or one with K, M, G or T, such as 4096, 128M or 2G".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_bytes_may_have_a_unit_of_1024_and_nothing_else() {
        assert_eq!(parse("4096"), Ok(4096));
        assert_eq!(parse("128M"), Ok(128 << 20));
        assert_eq!(parse("3g"), Ok(3 << 30));
        assert_eq!(parse("64MiB"), Ok(64 << 20));
        assert_eq!(parse("2T"), Ok(2 << 40));
        for bad in [
            "",
            "M",
            "0",
            "-1",
            "+1",
            "1.5G",
            "1P",
            "1MB",
            "1iB",
            "5B",
            "1 M",
            "99999999999G",
            "99999999T",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
