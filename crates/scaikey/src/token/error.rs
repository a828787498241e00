//! What the token endpoint refuses, and how it fails.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use crate::{json, response, sanitise};

/// Why a grant was refused (RFC 6749 §5.2, RFC 8693 §2.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OAuthError {
    /// `invalid_grant`: the code or refresh token is wrong, used, expired or another client's.
    InvalidGrant,
    /// `invalid_client`: our id or secret is wrong.
    InvalidClient,
    /// `invalid_request`
    InvalidRequest,
    /// `unauthorized_client`: our client may not use this grant.
    UnauthorizedClient,
    /// `unsupported_grant_type`
    UnsupportedGrantType,
    /// `invalid_scope`
    InvalidScope,
    /// `invalid_target`: no token for that audience.
    InvalidTarget,
    /// A code that neither standard names.
    Other,
}

impl OAuthError {
    const ALL: [Self; 8] = [
        Self::InvalidGrant,
        Self::InvalidClient,
        Self::InvalidRequest,
        Self::UnauthorizedClient,
        Self::UnsupportedGrantType,
        Self::InvalidScope,
        Self::InvalidTarget,
        Self::Other,
    ];

    /// The code as the standards spell it; `other` for [`OAuthError::Other`].
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidClient => "invalid_client",
            Self::InvalidRequest => "invalid_request",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::Other => "other",
        }
    }

    fn parse(code: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|error| error.as_str() == code)
            .unwrap_or(Self::Other)
    }
}

/// Why the token endpoint gave no token.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TokenError {
    /// ScaiKey read the request and said no. Only this, with [`OAuthError::InvalidGrant`], means that
    /// a session is over (N-048).
    #[error("ScaiKey refused: {}", error.as_str())]
    Refused {
        /// Why.
        error: OAuthError,
        /// ScaiKey's words (with the code, where it is not one of ours): at most 200 printable ASCII
        /// characters, to be escaped where shown.
        description: Option<String>,
    },
    /// 429.
    #[error("ScaiKey limits the rate of token requests")]
    RateLimited {
        /// What ScaiKey asks us to wait, at most an hour.
        retry_after: Option<Duration>,
    },
    /// 5xx, or a 4xx that is no refusal of the token endpoint's (a gateway's page, a wrong path).
    #[error("ScaiKey's token endpoint answered with status {status}")]
    Unavailable {
        /// The status.
        status: u16,
    },
    /// 3xx, which is not followed: it would take our credentials elsewhere (N-045).
    #[error("ScaiKey's token endpoint answered with a redirect")]
    Redirected,
    /// A success that is not declared as JSON.
    #[error("ScaiKey's token answer is not declared as JSON")]
    ContentType,
    /// A success that is too large or not what RFC 6749 §5.1 says, or a status that it doesn't know.
    #[error("ScaiKey's token answer is not readable")]
    Malformed,
    /// Not a bearer token, or exchanged for another type of token than asked (N-130).
    #[error("ScaiKey's token is not of the type asked for")]
    TokenType,
}

impl TokenError {
    /// Whether ScaiKey refused because of `redirect_uri`: the fix is to register the exact value.
    #[must_use]
    pub fn is_redirect_mismatch(&self) -> bool {
        let Self::Refused {
            description: Some(description),
            ..
        } = self
        else {
            return false;
        };
        let description = description.to_ascii_lowercase();
        ["redirect_uri", "redirect uri", "redirecturi"]
            .iter()
            .any(|name| description.contains(name))
    }

    /// Reads an answer whose status is not 200.
    pub(super) fn of(response: &Response<Bytes>) -> Self {
        match response.status().as_u16() {
            429 => Self::RateLimited {
                retry_after: response::retry_after(response.headers()),
            },
            status @ 400..=499 => refusal(status, response).unwrap_or(Self::Unavailable { status }),
            status @ 500.. => Self::Unavailable { status },
            300..=399 => Self::Redirected,
            _ => Self::Malformed,
        }
    }
}

#[derive(Deserialize)]
struct Body {
    error: Option<Value>,
    error_description: Option<Value>,
    detail: Option<Value>,
}

/// A refusal as RFC 6749 §5.2 has it, or in ScaiKey's own forms, with `detail` as text, as list or
/// as the standard pair (`contract/scaikey.md` 1.10). Where there is no code, the status names it.
fn refusal(status: u16, response: &Response<Bytes>) -> Option<TokenError> {
    if !response::is_json(response.headers()) {
        return None;
    }
    let body: Body = json::object(response.body())?;
    let detail = body.detail.unwrap_or_default();
    let pairs = [
        (body.error.as_ref(), body.error_description.as_ref()),
        (detail.get("error"), detail.get("error_description")),
    ];
    let pair = pairs
        .into_iter()
        .find_map(|(code, words)| Some((text(code)?, text(words))));
    // Without a code of the standards, only these are the token endpoint's own; 404 and its like
    // come from whoever answers in its place.
    let error = match (status, pair) {
        (_, Some((code, words))) if OAuthError::parse(code) != OAuthError::Other => {
            return Some(refused(code, words));
        }
        (400 | 401 | 403 | 422, Some((code, words))) => return Some(refused(code, words)),
        (400 | 403, None) => OAuthError::Other,
        (401, None) => OAuthError::InvalidClient,
        (422, None) => OAuthError::InvalidRequest,
        _ => return None,
    };
    if let Some(words) = text(Some(&detail)) {
        // The documented spelling of a relayed refusal: `invalid_grant: code already used`.
        let (code, rest) = words.split_once(':').unwrap_or((words, ""));
        return Some(match OAuthError::parse(code.trim()) {
            OAuthError::Other => TokenError::Refused {
                error,
                description: sanitise::sanitise(words),
            },
            error => TokenError::Refused {
                error,
                description: sanitise::sanitise(rest),
            },
        });
    }
    let fault = detail.get(0)?;
    let place = fault
        .get("loc")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let place: Vec<_> = place.take(4).filter_map(Value::as_str).collect();
    let words = format!("{}: {}", place.join("."), text(fault.get("msg"))?);
    Some(TokenError::Refused {
        error,
        description: sanitise::sanitise(&words),
    })
}

fn refused(code: &str, description: Option<&str>) -> TokenError {
    let error = OAuthError::parse(code);
    let words = match (error, description) {
        (OAuthError::Other, Some(description)) => Some(format!("{code}: {description}")),
        (OAuthError::Other, None) => Some(code.to_owned()),
        (_, description) => description.map(str::to_owned),
    };
    TokenError::Refused {
        error,
        description: words.and_then(|words| sanitise::sanitise(&words)),
    }
}

fn text(value: Option<&Value>) -> Option<&str> {
    value
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
