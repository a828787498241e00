//! What every answer's header says.

use std::time::Duration;

use http::HeaderMap;
use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use scaigate_types::Timestamp;

/// Longest wait that an answer may ask for: past it, the caller's own schedule is better.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// Whether exactly one `content-type` says JSON (`application/json` or `application/…+json`).
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let Ok(text) = value.to_str() else {
        return false;
    };
    let essence = text
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match essence.strip_prefix("application/") {
        Some(subtype) => subtype == "json" || subtype.ends_with("+json"),
        None => false,
    }
}

/// `retry-after` in seconds (RFC 9110 §10.2.3), at most an hour. The form with a date needs a clock
/// and is read as if it were not there.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if text.is_empty() || text.len() > 20 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Twenty digits can only fail to parse by being too large.
    let wait = text.parse().map_or(MAX_RETRY_AFTER, Duration::from_secs);
    Some(wait.min(MAX_RETRY_AFTER))
}

/// When the answer was made by ScaiKey's clock: `date` in the form that RFC 9110 §5.6.7 has senders
/// write, such as `Sun, 06 Nov 1994 08:49:37 GMT`. Anything else is read as if it were not there.
#[must_use]
pub fn date(headers: &HeaderMap) -> Option<Timestamp> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let text = headers.get(DATE)?.to_str().ok()?;
    let number = |text: &str, digits: usize| {
        let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| is_number)
    };
    let (_, rest) = text.split_once(", ")?;
    let mut parts = rest.split(' ');
    let mut next = || parts.next();
    let (day, month, year, time, zone) = (next()?, next()?, next()?, next()?, next()?);
    if zone != "GMT" || next().is_some() {
        return None;
    }
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let mut time = time.split(':');
    let mut next = || time.next();
    let (hour, minute, second) = (next()?, next()?, next()?);
    if next().is_some() {
        return None;
    }
    Timestamp::from_utc(
        (
            number(year, 4)?,
            u64::try_from(month).ok()?,
            number(day, 2)?,
        ),
        (number(hour, 2)?, number(minute, 2)?, number(second, 2)?),
    )
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(http::HeaderName, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn json_is_recognised_whatever_its_case_and_parameters() {
        let table = [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/jwk-set+json", true),
            ("application/problem+json", true),
            ("text/html", false),
            ("text/json", false),
            ("application/jsonp", false),
            ("application/xml, application/json", false),
            ("", false),
        ];
        for (value, expected) in table {
            assert_eq!(
                is_json(&headers(&[(CONTENT_TYPE, value)])),
                expected,
                "{value:?}"
            );
        }
        assert!(!is_json(&HeaderMap::new()));
        let twice = [
            (CONTENT_TYPE, "application/json"),
            (CONTENT_TYPE, "text/html"),
        ];
        let mut map = HeaderMap::new();
        for (name, value) in twice {
            map.append(name, HeaderValue::from_static(value));
        }
        assert!(!is_json(&map));
    }

    #[test]
    fn a_date_is_read_in_the_one_form_that_senders_write() {
        let table = [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Thu, 26 Nov 2026 08:10:20 GMT", Some(1_795_680_620)),
            ("Sun, 6 Nov 1994 08:49:37 GMT", None),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None),
            ("Sun Nov  6 08:49:37 1994", None),
            ("Sun, 06 Nov 1994 08:49:37 UTC", None),
            ("Sun, 06 Nov 1994 08:49:37 GMT x", None),
            ("Sun, 06 Nov 1994 +8:49:37 GMT", None),
            ("Sun, 31 Feb 1994 08:49:37 GMT", None),
            ("", None),
        ];
        for (value, expected) in table {
            let read = date(&headers(&[(DATE, value)]));
            assert_eq!(read, expected.map(Timestamp::from_secs), "{value:?}");
        }
        assert_eq!(date(&HeaderMap::new()), None);
    }

    #[test]
    fn n_143_retry_after_is_bounded() {
        let table = [
            ("30", Some(30)),
            ("0", Some(0)),
            (" 5 ", Some(5)),
            ("999999", Some(3600)),
            ("99999999999999999999", Some(3600)),
            ("999999999999999999999", None),
            ("-1", None),
            ("1.5", None),
            ("", None),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ];
        for (value, expected) in table {
            let read = retry_after(&headers(&[(RETRY_AFTER, value)]));
            assert_eq!(read, expected.map(Duration::from_secs), "{value:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
