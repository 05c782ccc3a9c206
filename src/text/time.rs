//! Formats times as RFC 3339, in UTC.

use std::time::{Duration, SystemTime};

use humantime::{format_duration, format_rfc3339_millis, parse_rfc3339};

/// Last second of the year 9999; later years have more than four digits.
const LAST: Duration = Duration::from_secs(253_402_300_799);

/// Formats a time as in the JSON and HTML reports: with milliseconds and `Z`. A time before 1970 or
/// after 9999 is clamped to that range.
pub fn rfc3339(time: SystemTime) -> String {
    let first = SystemTime::UNIX_EPOCH;
    format_rfc3339_millis(time.clamp(first, first + LAST)).to_string()
}

/// Reads a time that [`rfc3339`] wrote; `None` if it is none.
pub(crate) fn from_rfc3339(text: &str) -> Option<SystemTime> {
    parse_rfc3339(text).ok()
}

/// Formats a span of time, such as `5h 3m 20s`: to the second, or to the millisecond if it is
/// short.
pub(crate) fn span(span: Duration) -> String {
    let shown = match span.as_secs() {
        0..10 => Duration::from_millis(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
        seconds => Duration::from_secs(seconds),
    };
    format_duration(shown).to_string()
}

/// Reads a time exactly as [`rfc3339`] writes it, in no other spelling.
pub(crate) fn exactly(text: &str) -> Option<SystemTime> {
    let time = from_rfc3339(text)?;
    (rfc3339(time) == text).then_some(time)
}

/// Formats the day of a time, in UTC.
pub(crate) fn day(time: SystemTime) -> String {
    rfc3339(time).chars().take("9999-12-31".len()).collect()
}

/// Formats a time with `+00:00`, as in JUnit reports.
pub(crate) fn rfc3339_with_offset(time: SystemTime) -> String {
    rfc3339(time).replace('Z', "+00:00")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_utc_with_milliseconds() {
        let time = SystemTime::UNIX_EPOCH + Duration::new(1_790_000_000, 7_900_000);
        assert_eq!(rfc3339(time), "2026-09-21T14:13:20.007Z");
        assert_eq!(day(time), "2026-09-21");
        let millis = SystemTime::UNIX_EPOCH + Duration::new(1_790_000_000, 7_000_000);
        assert_eq!(exactly("2026-09-21T14:13:20.007Z"), Some(millis));
        for other in [
            "",
            "2026-09-21",
            "2026-09-21T14:13:20Z",
            "2026-13-21T14:13:20.007Z",
            "∞",
        ] {
            assert_eq!(exactly(other), None, "{other}");
        }
        assert_eq!(rfc3339_with_offset(time), "2026-09-21T14:13:20.007+00:00");
    }

    #[test]
    fn a_clock_that_is_set_wrong_is_written_as_near_as_can_be() {
        let late = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
        assert_eq!(rfc3339(late), "9999-12-31T23:59:59.000Z");
        let early = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(rfc3339(early), "1970-01-01T00:00:00.000Z");
    }
}
