//! Time: the settable clock, and the two date formats that go over the wire.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Unix time in milliseconds. Tests share one settable clock between the product and its emulators.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The machine's own clock.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place where a clock reads the machine's"
)]
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

const MONTHS: [(&str, i64); 12] = [
    ("Jan", 31),
    ("Feb", 28),
    ("Mar", 31),
    ("Apr", 30),
    ("May", 31),
    ("Jun", 30),
    ("Jul", 31),
    ("Aug", 31),
    ("Sep", 30),
    ("Oct", 31),
    ("Nov", 30),
    ("Dec", 31),
];

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Year, month from 0, day from 1. Counts years up from 1970: times before it are shown as its first day.
fn date(days: i64) -> (i64, usize, i64) {
    let mut rest = days.max(0);
    let mut year = 1970;
    while rest >= 365 + i64::from(is_leap(year)) {
        rest -= 365 + i64::from(is_leap(year));
        year += 1;
    }
    for (month, (_, length)) in MONTHS.iter().enumerate() {
        let length = length + i64::from(month == 1 && is_leap(year));
        if rest < length {
            return (year, month, rest + 1);
        }
        rest -= length;
    }
    (year, 11, 31)
}

fn time(unix_seconds: i64) -> String {
    let second = unix_seconds.rem_euclid(86_400);
    format!(
        "{:02}:{:02}:{:02}",
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7), for the `Date` header.
pub(crate) fn http_date(unix_seconds: i64) -> String {
    // 1970 began on a Thursday.
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let days = unix_seconds.div_euclid(86_400);
    let (year, month, day) = date(days);
    let weekday = DAYS[usize::try_from(days.rem_euclid(7)).unwrap_or(0)];
    format!(
        "{weekday}, {day:02} {} {year:04} {} GMT",
        MONTHS[month].0,
        time(unix_seconds)
    )
}

/// `2025-01-31T08:49:37Z`, for timestamps in bodies.
pub(crate) fn iso8601(unix_seconds: i64) -> String {
    let (year, month, day) = date(unix_seconds.div_euclid(86_400));
    format!(
        "{year:04}-{:02}-{day:02}T{}Z",
        month + 1,
        time(unix_seconds)
    )
}

#[cfg(test)]
mod tests {
    use super::{http_date, iso8601};

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
