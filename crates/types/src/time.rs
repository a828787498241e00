//! Points in time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z, never before it.
///
/// Arithmetic saturates: a hostile lifetime can reach the end of time but never wrap.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The latest representable time that also fits SQLite's signed integers.
    pub const MAX: Self = Self(i64::MAX as u64);

    /// From milliseconds since the epoch; larger values saturate at [`Timestamp::MAX`].
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        if millis > Self::MAX.0 {
            Self::MAX
        } else {
            Self(millis)
        }
    }

    /// From seconds since the epoch (a JWT `NumericDate`), saturating.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self::from_millis(secs.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Milliseconds since the epoch as SQLite stores them.
    #[must_use]
    pub const fn sql(self) -> i64 {
        // `MAX` keeps the value within `i64`.
        self.0 as i64
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn secs(self) -> u64 {
        self.0 / 1000
    }

    /// This time plus `duration`, saturating.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// This time minus `duration`, saturating at the epoch.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(millis))
    }

    /// The time from `earlier` to this one; zero when the clock went backwards.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// From a date of the Gregorian calendar and a time of that day in UTC; `None` for a day or a time
    /// that does not exist, a leap second, or anything before 1970 or after 9999.
    #[must_use]
    pub fn from_utc(
        (year, month, day): (u64, u64, u64),
        (hour, minute, second): (u64, u64, u64),
    ) -> Option<Self> {
        let is_leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let last_day = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if is_leap => 29,
            2 => 28,
            _ => return None,
        };
        let exists = (1970..=9999).contains(&year)
            && (1..=last_day).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        if !exists {
            return None;
        }
        // As in `rfc3339`, the other way round: years begin in March.
        let (year, month) = if month < 3 {
            (year - 1, month + 9)
        } else {
            (year, month - 3)
        };
        let days =
            365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
        let days = days - 719_468;
        Some(Self::from_secs(
            days * 86_400 + hour * 3_600 + minute * 60 + second,
        ))
    }

    /// As RFC 3339 writes it, in UTC and whole seconds: `2026-11-22T10:00:00Z`. Years after 9999
    /// are written as its last second.
    #[must_use]
    pub fn rfc3339(self) -> String {
        const LATEST: u64 = 253_402_300_799;
        let seconds = self.secs().min(LATEST);
        let (days, time) = (seconds / 86_400, seconds % 86_400);
        // Years that begin in March end with the leap day; 400 of them are 146,097 days.
        let from_march_0000 = days + 719_468;
        let (era, day) = (from_march_0000 / 146_097, from_march_0000 % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (month, next) = if month < 10 {
            (month + 3, 0)
        } else {
            (month - 9, 1)
        };
        let year = era * 400 + year + next;
        let (hour, minute, second) = (time / 3_600, time / 60 % 60, time % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (1_795_384_496, "2026-11-22T21:54:56Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
            (u64::MAX, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Timestamp::from_secs(seconds).rfc3339(), text);
        }
    }

    #[test]
    fn a_date_that_is_written_is_read_again() {
        for secs in (0..253_402_300_799).step_by(86_399 * 7) {
            let time = Timestamp::from_secs(secs);
            let text = time.rfc3339();
            let number = |from: usize, to: usize| text.get(from..to)?.parse().ok();
            let read = (|| {
                Timestamp::from_utc(
                    (number(0, 4)?, number(5, 7)?, number(8, 10)?),
                    (number(11, 13)?, number(14, 16)?, number(17, 19)?),
                )
            })();
            assert_eq!(read, Some(time), "{text}");
        }
        for (date, time) in [
            ((2025, 2, 29), (0, 0, 0)),
            ((2100, 2, 29), (0, 0, 0)),
            ((2024, 13, 1), (0, 0, 0)),
            ((2024, 0, 1), (0, 0, 0)),
            ((2024, 4, 31), (0, 0, 0)),
            ((2024, 1, 0), (0, 0, 0)),
            ((2024, 1, 1), (24, 0, 0)),
            ((2024, 1, 1), (0, 60, 0)),
            ((2024, 1, 1), (0, 0, 60)),
            ((1969, 12, 31), (23, 59, 59)),
            ((10_000, 1, 1), (0, 0, 0)),
        ] {
            assert_eq!(Timestamp::from_utc(date, time), None, "{date:?} {time:?}");
        }
    }

    #[test]
    fn arithmetic_saturates_instead_of_wrapping() {
        assert_eq!(Timestamp::from_secs(u64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MAX.plus(Duration::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::from_secs(1).minus(Duration::MAX).millis(), 0);
        assert_eq!(
            Timestamp::from_secs(1).since(Timestamp::from_secs(2)),
            Duration::ZERO
        );
        assert!(Timestamp::MAX.sql() > 0);
    }
}
