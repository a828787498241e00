//! A token answer.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use scaigate_types::Secret;
use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

use super::error::TokenError;
use super::request::ACCESS_TOKEN_TYPE;
use crate::{json, response};

/// Largest answer read, in bytes.
pub const MAX_BYTES: usize = json::MAX_BYTES;
/// How long a token is taken to live when the answer doesn't say: ScaiKey's own default
/// (`contract/scaikey.md` 1.7).
pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(3600);
/// The longest life believed.
pub const MAX_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);
/// Longest scope kept, in bytes.
const MAX_SCOPE: usize = 4096;

/// What the token endpoint gave. Tokens are printable ASCII without spaces and not empty; nothing
/// else about them has been checked.
#[derive(Clone)]
pub struct TokenResponse {
    /// To present as bearer.
    pub access_token: Secret<String>,
    /// The next refresh token. Where an answer to a refresh brings none, the old one stays good
    /// (RFC 6749 §6).
    pub refresh_token: Option<Secret<String>>,
    /// Unverified.
    pub id_token: Option<Secret<String>>,
    /// Life of the access token: [`DEFAULT_LIFETIME`] when the answer doesn't say; a fraction is cut
    /// off; more than [`MAX_LIFETIME`] (1e300 too) counts as that. Anything that is not a
    /// non-negative JSON number (a string, too) makes the answer [`TokenError::Malformed`].
    pub expires_in: Duration,
    /// What was granted; `None` means what was asked for (RFC 6749 §5.1).
    pub scope: Option<String>,
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The scope is a text of theirs, in which a token may be repeated.
        f.debug_struct("TokenResponse")
            .field("access_token", &self.access_token)
            .field("refresh_token", &self.refresh_token)
            .field("id_token", &self.id_token)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// Reads the answer to any grant but an exchange.
///
/// # Errors
/// [`TokenError`] says why there is no token.
pub fn parse_response(response: &Response<Bytes>) -> Result<TokenResponse, TokenError> {
    body(response)?.checked()
}

fn body(response: &Response<Bytes>) -> Result<Body, TokenError> {
    if response.status().as_u16() != 200 {
        return Err(TokenError::of(response));
    }
    if !response::is_json(response.headers()) {
        return Err(TokenError::ContentType);
    }
    json::object(response.body()).ok_or(TokenError::Malformed)
}

/// Reads the answer to an exchange. A token of another type than asked is not used (RFC 8693
/// §2.2.1), and a refresh token is not kept: it would outlive the subject (N-127).
///
/// # Errors
/// [`TokenError`] says why there is no token.
pub fn parse_exchange_response(response: &Response<Bytes>) -> Result<TokenResponse, TokenError> {
    let body = body(response)?;
    let is_access_token = body.issued_token_type.as_deref() == Some(ACCESS_TOKEN_TYPE);
    let tokens = body.checked()?;
    if !is_access_token {
        return Err(TokenError::TokenType);
    }
    Ok(TokenResponse {
        refresh_token: None,
        ..tokens
    })
}

#[derive(Deserialize)]
struct Body {
    access_token: Option<Secret<String>>,
    token_type: Option<String>,
    refresh_token: Option<Secret<String>>,
    id_token: Option<Secret<String>>,
    expires_in: Option<Seconds>,
    scope: Option<String>,
    issued_token_type: Option<String>,
    error: Option<serde::de::IgnoredAny>,
}

impl Body {
    fn checked(self) -> Result<TokenResponse, TokenError> {
        let access_token = self.access_token.ok_or(TokenError::Malformed)?;
        let tokens = [
            Some(&access_token),
            self.refresh_token.as_ref(),
            self.id_token.as_ref(),
        ];
        let is_token = |token: &Secret<String>| {
            !token.expose().is_empty() && token.expose().bytes().all(|byte| byte.is_ascii_graphic())
        };
        let is_text = |text: &String| {
            text.len() <= MAX_SCOPE && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        };
        if self.error.is_some()
            || !tokens.into_iter().flatten().all(is_token)
            || !self.scope.iter().all(is_text)
        {
            return Err(TokenError::Malformed);
        }
        // Whatever its case (RFC 6749 §5.1, N-041), but it has to be there.
        if !self
            .token_type
            .is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"))
        {
            return Err(TokenError::TokenType);
        }
        Ok(TokenResponse {
            access_token,
            refresh_token: self.refresh_token,
            id_token: self.id_token,
            expires_in: self
                .expires_in
                .map_or(DEFAULT_LIFETIME, |Seconds(life)| life),
            scope: self.scope,
        })
    }
}

/// A lifetime as [`TokenResponse::expires_in`] describes it.
struct Seconds(Duration);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecondsVisitor)
    }
}

struct SecondsVisitor;

impl Visitor<'_> for SecondsVisitor {
    type Value = Seconds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a non-negative number of seconds")
    }

    fn visit_u64<E>(self, seconds: u64) -> Result<Seconds, E> {
        Ok(Seconds(Duration::from_secs(seconds).min(MAX_LIFETIME)))
    }

    fn visit_i64<E: serde::de::Error>(self, seconds: i64) -> Result<Seconds, E> {
        self.visit_u64(u64::try_from(seconds).map_err(|_| E::custom("negative"))?)
    }

    fn visit_f64<E: serde::de::Error>(self, seconds: f64) -> Result<Seconds, E> {
        // Not a number fails the comparison, too. The cast saturates and cuts the fraction off.
        if seconds >= 0.0 {
            self.visit_u64(seconds as u64)
        } else {
            Err(E::custom("negative"))
        }
    }
}

#[cfg(test)]
mod tests;
