//! The request for ScaiKey's keys. The keys themselves are `scaigate-jose`'s subject.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use thiserror::Error;

use crate::discovery::Metadata;
use crate::{request, response};

/// Largest key set read, in bytes.
pub const MAX_BYTES: usize = 65536;

/// Why an answer holds no key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum JwksError {
    /// 429.
    #[error("ScaiKey limits the rate of key requests")]
    RateLimited {
        /// What ScaiKey asks us to wait, at most an hour.
        retry_after: Option<Duration>,
    },
    /// Any status but 200; redirects are not followed.
    #[error("ScaiKey answered the request for its keys with status {0}")]
    Status(u16),
    /// Not declared as JSON.
    #[error("ScaiKey's keys are not declared as JSON")]
    ContentType,
    /// More than [`MAX_BYTES`].
    #[error("ScaiKey's key set is too large")]
    TooLarge,
}

/// Asks for the key set.
#[must_use]
pub fn request(metadata: &Metadata) -> Request<Bytes> {
    request::get(&metadata.jwks_uri)
}

/// The key set's JSON, unread.
///
/// # Errors
/// [`JwksError`] when the answer is not one that may hold a key set.
pub fn parse_response(response: &Response<Bytes>) -> Result<&[u8], JwksError> {
    match response.status().as_u16() {
        200 => {}
        429 => {
            let retry_after = response::retry_after(response.headers());
            return Err(JwksError::RateLimited { retry_after });
        }
        status => return Err(JwksError::Status(status)),
    }
    if !response::is_json(response.headers()) {
        return Err(JwksError::ContentType);
    }
    if response.body().len() > MAX_BYTES {
        return Err(JwksError::TooLarge);
    }
    Ok(response.body())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{answer, metadata};

    #[test]
    fn keys_are_asked_for_without_credentials() {
        let request = request(&metadata());
        assert_eq!(request.method(), http::Method::GET);
        let path = "https://scaikey.example/api/v1/platform/.well-known/jwks.json";
        assert_eq!(request.uri(), path);
        assert!(!request.headers().contains_key("authorization"));
    }

    #[test]
    fn only_a_bounded_json_answer_is_handed_on() {
        let json = "application/json";
        let large = "x".repeat(MAX_BYTES + 1);
        let table = [
            (200, json, "{}", Ok(&b"{}"[..])),
            (200, "application/jwk-set+json", "{}", Ok(&b"{}"[..])),
            (200, "text/html", "{}", Err(JwksError::ContentType)),
            (200, json, large.as_str(), Err(JwksError::TooLarge)),
            (302, json, "{}", Err(JwksError::Status(302))),
            (500, json, "{}", Err(JwksError::Status(500))),
            (
                429,
                json,
                "{}",
                Err(JwksError::RateLimited { retry_after: None }),
            ),
        ];
        for (status, content_type, body, expected) in table {
            let answer = answer(status, content_type, body);
            assert_eq!(parse_response(&answer), expected, "{status} {content_type}");
        }
    }
}
