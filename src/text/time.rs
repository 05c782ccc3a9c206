//! Times as RFC 3339 writes them, in UTC.

use std::time::SystemTime;

use jiff::Timestamp;

/// A time as the JSON and HTML reports write it: with milliseconds and `Z`.
pub fn rfc3339(time: SystemTime) -> String {
    format(time, "%Y-%m-%dT%H:%M:%S%.3fZ")
}

/// The same with `+00:00`, as JUnit reports write it.
pub(crate) fn rfc3339_with_offset(time: SystemTime) -> String {
    format(time, "%Y-%m-%dT%H:%M:%S%.3f+00:00")
}

fn format(time: SystemTime, format: &str) -> String {
    // A clock that is set to a year without four digits shows the end of what can be written.
    let timestamp = Timestamp::try_from(time).unwrap_or(if time < SystemTime::UNIX_EPOCH {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    });
    timestamp.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_time_is_written_in_utc_with_milliseconds() {
        let time = SystemTime::UNIX_EPOCH + Duration::new(1_790_000_000, 7_900_000);
        assert_eq!(rfc3339(time), "2026-09-21T14:13:20.007Z");
        assert_eq!(rfc3339_with_offset(time), "2026-09-21T14:13:20.007+00:00");
        let late = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
        assert_eq!(&rfc3339(late)[..5], "9999-");
    }
}
