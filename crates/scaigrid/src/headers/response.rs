//! From ScaiGrid to the client.

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use thiserror::Error;

use crate::credential::Credential;
use crate::error::RATE_LIMIT;
use crate::path::Route;
use crate::text;

/// Longest value passed on, in bytes.
const MAX_VALUE: usize = 512;
/// ScaiGrid's id of the request, under which its operators find it.
const UPSTREAM_ID: HeaderName = HeaderName::from_static("x-upstream-request-id");
/// What passes beside the body's own description and the rate limits.
const PASSED: &[&str] = &["content-language", "etag", "last-modified"];

/// Why an answer is not delivered. Carries nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AnswerError {
    /// 3xx: not followed, because the credential would follow, and not passed on, because where it
    /// leads is ScaiGrid's to know (N-116).
    #[error("ScaiGrid answered with a redirect")]
    Redirected,
    /// A success that no request of ours asks for.
    #[error("ScaiGrid answered with a status that was not asked for")]
    Status,
    /// A header that may be there once is there again, or is not what it is named.
    #[error("ScaiGrid's answer has headers that contradict each other")]
    Headers,
    /// A kind of content that a browser would run or render on our origin, or a lookup that is no
    /// JSON.
    #[error("ScaiGrid answered with a kind of content that is not passed on")]
    ContentType,
    /// Compressed, though it was asked not to.
    #[error("ScaiGrid answered in an encoding that was not asked for")]
    Encoded,
    /// A header repeats the credential (N-120).
    #[error("ScaiGrid's answer repeats the credential")]
    Reflected,
}

/// What to do with an answer, before its body is read.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Pass the body on under these headers, or normalise it.
    Deliver(ResponseHeaders),
    /// ScaiGrid says no: read some of the body and give it to
    /// [`UpstreamError::read`](crate::UpstreamError::read).
    Explain,
    /// Answer for ScaiGrid.
    Refuse(AnswerError),
}

/// The headers of an answer that go on to the client. Only [`judge`] makes them.
///
/// Ours to add: `cache-control: no-store`, the security headers, `x-request-id`.
#[derive(Clone, Debug)]
pub struct ResponseHeaders {
    headers: HeaderMap,
    stream: bool,
}

impl ResponseHeaders {
    /// The headers.
    #[must_use]
    pub const fn as_map(&self) -> &HeaderMap {
        &self.headers
    }

    /// Whether the body is a stream of events, which has no length and no time limit of its own.
    #[must_use]
    pub const fn is_stream(&self) -> bool {
        self.stream
    }
}

/// Judges the head of an answer to a request for `route` that was sent with `credential`.
///
/// Dropped is everything that is not on the list, such as `set-cookie` (N-117), `www-authenticate`,
/// `server`, `access-control-*`, `location`, cache and security headers, and everything hop-by-hop.
#[must_use]
pub fn judge(
    route: &Route,
    credential: &Credential,
    status: StatusCode,
    upstream: &HeaderMap,
) -> Verdict {
    let bodiless = status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED;
    let is_asked_for = match status.as_u16() {
        400.. => return Verdict::Explain,
        // A lookup reads its body, and its tags are not passed on.
        200 => true,
        201 | 202 => !route.is_read(),
        204 => !route.is_lookup(),
        304 => route.is_read() && !route.is_lookup(),
        300..400 => return Verdict::Refuse(AnswerError::Redirected),
        _ => false,
    };
    if !is_asked_for {
        return Verdict::Refuse(AnswerError::Status);
    }
    match passed(route, credential, bodiless, upstream) {
        Ok(headers) => Verdict::Deliver(headers),
        Err(error) => Verdict::Refuse(error),
    }
}

fn passed(
    route: &Route,
    credential: &Credential,
    bodiless: bool,
    upstream: &HeaderMap,
) -> Result<ResponseHeaders, AnswerError> {
    let encoding = one(upstream, "content-encoding")?;
    if encoding.is_some_and(|value| value != "identity") {
        return Err(AnswerError::Encoded);
    }
    let mut headers = HeaderMap::new();
    let mut stream = false;
    let declared = one(upstream, "content-type")?;
    let length = one(upstream, "content-length")?;
    if !bodiless {
        let kind = match declared {
            Some(value) => kind(value).ok_or(AnswerError::ContentType)?,
            // Who doesn't say what it is gets it saved, not shown.
            None => Kind::Data,
        };
        if route.is_lookup() && kind != Kind::Json {
            return Err(AnswerError::ContentType);
        }
        stream = kind == Kind::Events;
        const UNKNOWN: HeaderValue = HeaderValue::from_static("application/octet-stream");
        headers.insert(CONTENT_TYPE, declared.cloned().unwrap_or(UNKNOWN));
        if let Some(value) = length {
            let digits = value.as_bytes();
            if digits.is_empty() || digits.len() > 15 || !digits.iter().all(u8::is_ascii_digit) {
                return Err(AnswerError::Headers);
            }
            // A lookup's body is rewritten, and a stream ends when it ends.
            if !stream && !route.is_lookup() {
                headers.insert(CONTENT_LENGTH, value.clone());
            }
        }
    }
    if !route.is_lookup() {
        for name in PASSED {
            if let Some(value) = one(upstream, name)?.filter(|value| is_plain(value)) {
                headers.insert(HeaderName::from_static(name), value.clone());
            }
        }
    }
    for name in RATE_LIMIT.iter().chain(&["retry-after"]) {
        let is_number = |value: &&HeaderValue| {
            let digits = value.as_bytes();
            (1..=15).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
        };
        if let Some(value) = one(upstream, name)?.filter(is_number) {
            headers.insert(HeaderName::from_static(name), value.clone());
        }
    }
    if let Some(id) = upstream_request_id(upstream) {
        headers.insert(UPSTREAM_ID, id.clone());
    }
    if headers
        .values()
        .any(|value| credential.occurs_in(value.as_bytes()))
    {
        return Err(AnswerError::Reflected);
    }
    Ok(ResponseHeaders { headers, stream })
}

/// ScaiGrid's id of a request, when it is one that can be shown and logged.
pub(crate) fn upstream_request_id(upstream: &HeaderMap) -> Option<&HeaderValue> {
    let is_id = |value: &&HeaderValue| value.to_str().is_ok_and(text::is_id);
    one(upstream, "x-request-id").ok().flatten().filter(is_id)
}

fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a HeaderValue>, AnswerError> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        Err(AnswerError::Headers)
    } else {
        Ok(first)
    }
}

fn is_plain(value: &HeaderValue) -> bool {
    value.len() <= MAX_VALUE && value.to_str().is_ok()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Events,
    Data,
}

/// What a body is, if it is of a kind that passes: data, and nothing that a browser runs or renders
/// as a page of our origin (HTML, SVG, XML, scripts).
fn kind(value: &HeaderValue) -> Option<Kind> {
    let text = value.to_str().ok().filter(|text| text.len() <= MAX_VALUE)?;
    let essence = text.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    match essence.split_once('/')? {
        ("application", "json") => Some(Kind::Json),
        ("application", subtype) if subtype.ends_with("+json") => Some(Kind::Json),
        ("text", "event-stream") => Some(Kind::Events),
        ("application", "octet-stream" | "x-ndjson" | "jsonl" | "yaml")
        | ("text", "plain" | "csv")
        | ("image", "png" | "jpeg" | "gif" | "webp")
        | ("audio", "mpeg" | "wav" | "ogg" | "opus" | "flac" | "aac" | "mp4" | "webm") => {
            Some(Kind::Data)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
