//! What ScaiGrid says when it says no (`contract/scaiwave-scaicrew-scaigrid.md` 3.6, 3.7), without
//! its words: they may repeat the credential, and clients branch on codes anyway.

mod code;
mod refusal;

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use scaigate_types::json::{self, Bounds};
use serde_json::{Map, Value};
use thiserror::Error;

pub use code::{KnownCode, UpstreamCode};
pub use refusal::{InvalidAnswer, Refusal};

use crate::headers::{AnswerError, upstream_request_id};
use crate::text;

/// Most bytes of a failed answer's body that are worth reading.
pub const MAX_BODY: usize = 65_536;
const BOUNDS: Bounds = Bounds {
    bytes: MAX_BODY,
    depth: 16,
    values: 4096,
};
/// Longest wait that an answer may ask for: past it, the caller's own schedule is better.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// The headers of ScaiGrid's rate limits: limit, remaining, reset.
pub(crate) const RATE_LIMIT: [&str; 3] = [
    "x-scaigrid-ratelimit-limit",
    "x-scaigrid-ratelimit-remaining",
    "x-scaigrid-ratelimit-reset",
];

/// Where a caller stands with ScaiGrid's rate limits (S-22).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateLimit {
    /// Calls a minute.
    pub limit: Option<u64>,
    /// Calls left.
    pub remaining: Option<u64>,
    /// When the window ends, in seconds since 1970.
    pub reset: Option<u64>,
}

impl RateLimit {
    /// Reads the headers; what is no number is as if it were not there.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let [limit, remaining, reset] = RATE_LIMIT.map(|name| number(headers, name));
        Self {
            limit,
            remaining,
            reset,
        }
    }
}

/// A failure as ScaiGrid answers it. Holds numbers, a code and an id; none of its text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("ScaiGrid answered with status {status}")]
pub struct UpstreamError {
    /// The status, 400 or more.
    pub status: StatusCode,
    /// Its code.
    pub code: Option<UpstreamCode>,
    /// What it asks us to wait, at most an hour.
    pub retry_after: Option<Duration>,
    /// Its rate limits.
    pub rate_limit: RateLimit,
    /// Its id of the request.
    pub request_id: Option<String>,
}

impl UpstreamError {
    /// Reads a failed answer: ScaiGrid's envelope, FastAPI's `detail`, a gateway's page, or nothing.
    /// `body` may be cut off at [`MAX_BODY`]; then it says nothing.
    #[must_use]
    pub fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        // Whatever it is declared as: what is not this object says nothing.
        let members = json::object(body, BOUNDS).unwrap_or_default();
        let error = object(&members, "error");
        let detail = object(&members, "detail");
        let code = [
            error.and_then(|error| error.get("code")),
            detail.and_then(|detail| detail.get("error")),
            detail.and_then(|detail| detail.get("code")),
        ];
        let code = code
            .into_iter()
            .flatten()
            .find_map(|code| UpstreamCode::parse(code.as_str()?));
        let wait = number(headers, "retry-after").or_else(|| {
            let wait = error?.get("retry_after")?;
            wait.as_u64().or_else(|| rounded_up(wait.as_f64()?))
        });
        let header_id = upstream_request_id(headers).and_then(|id| id.to_str().ok());
        let body_id = object(&members, "meta")
            .and_then(|meta| meta.get("request_id"))
            .and_then(Value::as_str)
            .filter(|id| text::is_id(id));
        Self {
            status,
            code,
            retry_after: wait.map(|wait| Duration::from_secs(wait).min(MAX_RETRY_AFTER)),
            rate_limit: RateLimit::of(headers),
            request_id: header_id.or(body_id).map(str::to_owned),
        }
    }

    /// The code, if it is a documented one that means something here.
    #[must_use]
    pub fn known_code(&self) -> Option<KnownCode> {
        match self.code {
            Some(UpstreamCode::Known(code)) => Some(code),
            Some(UpstreamCode::Other(_)) | None => None,
        }
    }
}

fn object<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Map<String, Value>> {
    members.get(name).and_then(Value::as_object)
}

/// A header that is there once and is a whole number. A date in `retry-after` needs a clock and is
/// read as if it were not there.
fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let digits = value.to_str().ok()?.trim();
    // Fifteen digits fit, and no date is that far.
    let is_number =
        (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

fn rounded_up(seconds: f64) -> Option<u64> {
    // A cast saturates; what is negative or no number is no wait.
    (seconds >= 0.0).then_some(seconds.ceil() as u64)
}

#[cfg(test)]
mod tests;
