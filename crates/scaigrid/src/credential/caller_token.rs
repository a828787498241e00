//! The caller's own ScaiKey token.

use scaigate_types::Secret;
use thiserror::Error;

use crate::credential_name;

/// Longest token sent, in bytes: what is accepted from callers (`product.md` section 5).
const MAX: usize = 8192;

/// Why a text can't be sent as the caller's token. Carries no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CallerTokenError {
    /// Empty or longer than 8 KiB.
    #[error("the token's length is out of range")]
    Length,
    /// Not what RFC 6750 §2.1 allows behind `Bearer`.
    #[error("the token has a character that a bearer token never has")]
    Character,
    /// It begins as an API key does. ScaiGrid would take it for one, and callers don't choose keys.
    #[error("the token looks like an API key")]
    ApiKey,
}

/// A ScaiKey token of the caller: the one of the sign-in, or one exchanged for ScaiGrid. The flow
/// that makes this has verified it; here it only has to be sendable.
#[derive(Clone, Debug)]
pub struct CallerToken(Secret<String>);

impl CallerToken {
    /// Takes a verified token.
    ///
    /// # Errors
    /// [`CallerTokenError`] says what is wrong.
    pub fn parse(text: Secret<String>) -> Result<Self, CallerTokenError> {
        let token = text.expose();
        if token.is_empty() || token.len() > MAX {
            return Err(CallerTokenError::Length);
        }
        let allowed = |byte: u8| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
        };
        if !token.bytes().all(allowed) {
            return Err(CallerTokenError::Character);
        }
        if credential_name::is_key(token) {
            return Err(CallerTokenError::ApiKey);
        }
        Ok(Self(text))
    }

    /// The token. Every call is a place to review.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}
