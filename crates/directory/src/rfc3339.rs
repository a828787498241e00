//! Reading a point in time as RFC 3339 writes it.

use scaigate_types::Timestamp;

/// Longest text read: a date, a time, nine digits of a second and an offset.
const MAX: usize = 35;
const MAX_FRACTION_DIGITS: usize = 9;

/// Reads `2026-11-22T10:00:00Z`, with or without up to nine digits of a second, of which three are
/// kept, and with `Z` or an offset. A time without either is taken as UTC: ScaiKey promises "ISO
/// 8601 UTC" (`contract/scaikey.md` 4.1), which is not always written with a `Z`.
///
/// `None` for anything else: a day that the calendar doesn't have, the 61st second, a time before
/// 1970, a space for the `T`.
#[must_use]
pub fn parse(text: &str) -> Option<Timestamp> {
    if text.len() > MAX {
        return None;
    }
    let mut rest = Rest(text.as_bytes());
    let year = rest.number(4)?;
    rest.one_of(b"-")?;
    let month = rest.number(2)?;
    rest.one_of(b"-")?;
    let day = rest.number(2)?;
    rest.one_of(b"Tt")?;
    let hour = rest.number(2)?;
    rest.one_of(b":")?;
    let minute = rest.number(2)?;
    rest.one_of(b":")?;
    let second = rest.number(2)?;
    let millis = if rest.one_of(b".").is_some() {
        rest.fraction()?
    } else {
        0
    };
    let offset = rest.offset()?;
    let local = Timestamp::from_utc((year, month, day), (hour, minute, second))?;
    let offset_millis = offset * 60_000;
    let utc = i64::try_from(local.millis()).ok()? - offset_millis;
    let utc = u64::try_from(utc).ok()?;
    Some(Timestamp::from_millis(utc + millis))
}

/// What is left to read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    /// Exactly `digits` digits.
    fn number(&mut self, digits: usize) -> Option<u64> {
        let (head, tail) = self.0.split_at_checked(digits)?;
        let number = head.iter().try_fold(0, |number, digit| {
            digit
                .is_ascii_digit()
                .then(|| number * 10 + u64::from(digit - b'0'))
        })?;
        self.0 = tail;
        Some(number)
    }

    /// One of `allowed`.
    fn one_of(&mut self, allowed: &[u8]) -> Option<u8> {
        let (first, tail) = self.0.split_first()?;
        if !allowed.contains(first) {
            return None;
        }
        self.0 = tail;
        Some(*first)
    }

    /// The digits behind the point, in milliseconds.
    fn fraction(&mut self) -> Option<u64> {
        let (mut millis, mut unit, mut digits) = (0, 100, 0);
        while let Some(digit) = self.number(1) {
            millis += digit * unit;
            unit /= 10;
            digits += 1;
        }
        (1..=MAX_FRACTION_DIGITS)
            .contains(&digits)
            .then_some(millis)
    }

    /// The rest as minutes ahead of UTC.
    fn offset(&mut self) -> Option<i64> {
        if self.0.is_empty() {
            return Some(0);
        }
        let sign = self.one_of(b"Zz+-")?;
        let minutes = match sign {
            b'+' | b'-' => {
                let hours = self.number(2)?;
                self.one_of(b":")?;
                let minutes = self.number(2)?;
                if hours > 23 || minutes > 59 {
                    return None;
                }
                hours * 60 + minutes
            }
            _ => 0,
        };
        if !self.0.is_empty() {
            return None;
        }
        let minutes = i64::try_from(minutes).ok()?;
        Some(if sign == b'-' { -minutes } else { minutes })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn documented_and_usual_forms_are_read() {
        for (text, millis) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-04-29T10:00:00Z", 1_777_456_800_000),
            ("2026-04-29t10:00:00z", 1_777_456_800_000),
            ("2026-04-29T10:00:00.5Z", 1_777_456_800_500),
            ("2026-04-29T10:00:00.123999Z", 1_777_456_800_123),
            ("2026-04-29T10:00:00.123456789+00:00", 1_777_456_800_123),
            ("2026-04-29T10:00:00.123456+00:00", 1_777_456_800_123),
            ("2026-04-29T10:00:00-00:00", 1_777_456_800_000),
            ("2026-04-29T12:00:00+02:00", 1_777_456_800_000),
            ("2026-04-28T19:30:00-14:30", 1_777_456_800_000),
            ("2026-04-29T10:00:00.123456", 1_777_456_800_123),
            ("2026-04-29T10:00:00", 1_777_456_800_000),
            ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("2024-02-29T23:59:59.999Z", 1_709_251_199_999),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ] {
            assert_eq!(parse(text), Some(Timestamp::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "2026",
            "2026-04-29",
            "2026-04-29T",
            "2026-04-29T10:00",
            "2026-04-29T10:00Z",
            "2026-04-29 10:00:00Z",
            "2026-04-29_10:00:00Z",
            " 2026-04-29T10:00:00Z",
            "2026-04-29T10:00:00Z ",
            "2026-04-29T10:00:00Z\n",
            "2026-04-29T10:00:00ZZ",
            "2026-04-29T10:00:00.Z",
            "2026-04-29T10:00:00,5Z",
            "2026-04-29T10:00:00.1234567890Z",
            "2026-04-29T10:00:00+0200",
            "2026-04-29T10:00:00+02",
            "2026-04-29T10:00:00+24:00",
            "2026-04-29T10:00:00+00:60",
            "2026-04-29T10:00:00+02:00Z",
            "2026-04-29T10:00:00 UTC",
            "2026-4-29T10:00:00Z",
            "26-04-29T10:00:00Z",
            "+2026-04-29T10:00:00Z",
            "-2026-04-29T10:00:00Z",
            "2026-00-10T10:00:00Z",
            "2026-13-10T10:00:00Z",
            "2026-04-00T10:00:00Z",
            "2026-04-31T10:00:00Z",
            "2026-02-29T10:00:00Z",
            "2100-02-29T10:00:00Z",
            "2026-04-29T24:00:00Z",
            "2026-04-29T10:60:00Z",
            "2016-12-31T23:59:60Z",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+00:01",
            "0000-01-01T00:00:00Z",
            "1777456800",
            "2026-04-29T10:00:0éZ",
            "２０２６-04-29T10:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn what_is_written_is_read_back(seconds in 0..=253_402_300_799_u64) {
            let time = Timestamp::from_secs(seconds);
            prop_assert_eq!(parse(&time.rfc3339()), Some(time));
        }

        #[test]
        fn every_fraction_and_offset_names_the_same_instant(
            seconds in 86_400..=253_402_200_000_u64,
            millis in 0..1000_u64,
            offset in -1439..=1439_i64,
        ) {
            let local = Timestamp::from_secs(seconds.saturating_add_signed(offset * 60)).rfc3339();
            let local = local.trim_end_matches('Z');
            let sign = if offset < 0 { '-' } else { '+' };
            let (hours, minutes) = (offset.abs() / 60, offset.abs() % 60);
            let text = format!("{local}.{millis:03}{sign}{hours:02}:{minutes:02}");
            prop_assert_eq!(parse(&text), Some(Timestamp::from_millis(seconds * 1000 + millis)), "{}", text);
        }

        #[test]
        fn no_text_makes_the_reader_panic(
            text in "\\PC{0,40}",
            near in "[0-9]{3,5}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{0,12})?([Zz]|[+-][0-9]{2}:[0-9]{2})?",
        ) {
            prop_assert!(parse(&text).is_none_or(|time| time < Timestamp::MAX));
            prop_assert!(parse(&near).is_none_or(|time| time < Timestamp::MAX));
        }
    }
}
