//! From the client to ScaiGrid.

use http::header::{ACCEPT, ACCEPT_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue};
use scaigate_types::trace_id;
use thiserror::Error;

use crate::path::Route;

/// Longest value passed on, in bytes.
const MAX_VALUE: usize = 1024;
/// Most lines of a header that may have several.
const MAX_LINES: usize = 4;
/// Most names in `connection` that are looked at.
const MAX_CONNECTION: usize = 64;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

/// How often a header may occur.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    One,
    Several,
}

/// On which routes a header means anything.
#[derive(Clone, Copy)]
enum On {
    All,
    /// Reads whose answer goes through as it is. A lookup's answer is ours: ScaiGrid's tags and
    /// formats say nothing about it.
    Reads,
    /// Calls with a body.
    Writes,
}

/// What passes. `authorization`, `host`, `content-length`, `user-agent` and `x-request-id` are not
/// the client's to choose; `accept-encoding` isn't either, because bodies are read and watched.
const PASSED: &[(&str, Lines, On)] = &[
    ("accept", Lines::Several, On::Reads),
    ("accept", Lines::Several, On::Writes),
    ("accept-language", Lines::Several, On::All),
    ("content-type", Lines::One, On::Writes),
    ("idempotency-key", Lines::One, On::Writes),
    ("if-none-match", Lines::One, On::Reads),
    ("last-event-id", Lines::One, On::Reads),
];

/// Headers that decide something here and don't pass: two of one could be read as either (N-111).
const DECISIVE: &[&str] = &[
    "authorization",
    "content-length",
    "content-type",
    "host",
    "origin",
];

/// Why a request can't go on. Carries no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HeaderError {
    /// A header that may be there once is there again.
    #[error("the header {0} is there more than once")]
    Repeated(&'static str),
    /// A header that passes is too long, or has characters outside visible ASCII and spaces.
    #[error("the header {0} has a value that can't be passed on")]
    Value(&'static str),
    /// A call with a body that is not declared as `application/json`.
    #[error("the body is not declared as application/json")]
    ContentType,
}

/// The headers of a client that go on to ScaiGrid. Only [`RequestHeaders::filter`] makes them.
#[derive(Clone, Debug)]
pub struct RequestHeaders(HeaderMap);

impl RequestHeaders {
    /// Takes what passes on `route` out of a client's headers.
    ///
    /// Dropped are everything that is not on the list (cookies, `authorization`, `x-forwarded-*`,
    /// `x-dev-*`, `spin-*`, and whatever writes `_` for `-`), what `connection` names (RFC 9110
    /// §7.6.1), and a `traceparent` that is none (W3C Trace Context §4.3).
    ///
    /// # Errors
    /// [`HeaderError`] says what is wrong.
    pub fn filter(client: &HeaderMap, route: &Route) -> Result<Self, HeaderError> {
        for name in DECISIVE {
            if client.get_all(*name).iter().nth(1).is_some() {
                return Err(HeaderError::Repeated(name));
            }
        }
        let connection = named_by_connection(client);
        let mut passed = HeaderMap::new();
        for (name, lines, on) in PASSED {
            let matters = match on {
                On::All => true,
                On::Reads => route.is_read() && !route.is_lookup(),
                On::Writes => !route.is_read(),
            };
            if matters && !connection.iter().any(|named| named == name) {
                pass(client, &mut passed, name, *lines)?;
            }
        }
        pass_trace(client, &mut passed, &connection);
        if route.is_lookup() {
            passed.insert(ACCEPT, JSON);
        }
        if !route.is_read() && !passed.get("content-type").is_some_and(is_json) {
            return Err(HeaderError::ContentType);
        }
        passed.insert(ACCEPT_ENCODING, IDENTITY);
        Ok(Self(passed))
    }

    /// The headers.
    #[must_use]
    pub const fn as_map(&self) -> &HeaderMap {
        &self.0
    }
}

fn pass(
    client: &HeaderMap,
    passed: &mut HeaderMap,
    name: &'static str,
    lines: Lines,
) -> Result<(), HeaderError> {
    for (at, value) in client.get_all(name).iter().enumerate() {
        if lines == Lines::One && at > 0 {
            return Err(HeaderError::Repeated(name));
        }
        let plain = |byte: &u8| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t');
        let bytes = value.as_bytes();
        if at >= MAX_LINES || bytes.len() > MAX_VALUE || !bytes.iter().all(plain) {
            return Err(HeaderError::Value(name));
        }
        passed.append(HeaderName::from_static(name), value.clone());
    }
    Ok(())
}

/// Continues the client's trace, if it is one; a broken trace is not worth refusing a request for.
fn pass_trace(client: &HeaderMap, passed: &mut HeaderMap, connection: &[String]) {
    let dropped = |name: &str| connection.iter().any(|named| named == name);
    let mut parents = client.get_all("traceparent").iter();
    let (Some(parent), None) = (parents.next(), parents.next()) else {
        return;
    };
    let is_trace = parent.to_str().ok().and_then(trace_id).is_some();
    if dropped("traceparent") || !is_trace {
        return;
    }
    passed.insert(HeaderName::from_static("traceparent"), parent.clone());
    let mut state = HeaderMap::new();
    if !dropped("tracestate") && pass(client, &mut state, "tracestate", Lines::Several).is_ok() {
        passed.extend(state);
    }
}

fn named_by_connection(client: &HeaderMap) -> Vec<String> {
    client
        .get_all("connection")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .take(MAX_CONNECTION)
        .collect()
}

fn is_json(value: &HeaderValue) -> bool {
    let text = value.to_str().unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests;
