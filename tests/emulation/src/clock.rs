//! Time: the settable clock, and the date formats that go over the wire.

use std::num::NonZero;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Iso8601;
use time::format_description::well_known::iso8601::{Config, EncodedConfig, TimePrecision};

/// Unix time in milliseconds. Tests share one settable clock between the product and its emulators.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The machine's own clock.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place where an emulator's clock reads the machine's"
)]
#[must_use]
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

const fn seconds_with(decimal_digits: Option<NonZero<u8>>) -> EncodedConfig {
    Config::DEFAULT
        .set_time_precision(TimePrecision::Second { decimal_digits })
        .encode()
}

const SECONDS: EncodedConfig = seconds_with(None);
const MILLISECONDS: EncodedConfig = seconds_with(NonZero::new(3));

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7). Times before 1970 are shown as its first second.
#[must_use]
pub fn http_date(unix_seconds: i64) -> String {
    let since = Duration::from_secs(u64::try_from(unix_seconds).unwrap_or(0));
    httpdate::fmt_http_date(UNIX_EPOCH + since)
}

/// `2025-01-31T08:49:37Z`, for timestamps in bodies.
///
/// # Panics
/// The year has more than four digits.
#[must_use]
pub fn iso8601(unix_seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(unix_seconds)
        .ok()
        .and_then(|time| time.format(&Iso8601::<SECONDS>).ok())
        .expect("a year of four digits")
}

/// `2025-01-31T08:49:37.042Z`, for the times of events.
///
/// # Panics
/// The year has more than four digits.
#[must_use]
pub fn iso8601_millis(unix_millis: i64) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(unix_millis) * 1_000_000)
        .ok()
        .and_then(|time| time.format(&Iso8601::<MILLISECONDS>).ok())
        .expect("a year of four digits")
}

#[cfg(test)]
mod tests {
    use super::{http_date, iso8601, iso8601_millis};

    #[test]
    fn formats_milliseconds() {
        for (millis, text) in [
            (784_111_777_042, "1994-11-06T08:49:37.042Z"),
            (784_111_777_000, "1994-11-06T08:49:37.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(iso8601_millis(millis), text);
        }
    }

    #[test]
    fn formats_known_instants() {
        for (seconds, http, iso) in [
            (
                784_111_777,
                "Sun, 06 Nov 1994 08:49:37 GMT",
                "1994-11-06T08:49:37Z",
            ),
            (0, "Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00Z"),
            (
                951_782_400,
                "Tue, 29 Feb 2000 00:00:00 GMT",
                "2000-02-29T00:00:00Z",
            ),
            (
                1_767_225_599,
                "Wed, 31 Dec 2025 23:59:59 GMT",
                "2025-12-31T23:59:59Z",
            ),
        ] {
            assert_eq!(http_date(seconds), http);
            assert_eq!(iso8601(seconds), iso);
        }
    }
}
