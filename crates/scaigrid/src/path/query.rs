//! The query: sent as it was received, or not at all.

use std::fmt;

use thiserror::Error;

use super::segment::{is_reserved, is_unreserved, octet};
use crate::credential_name;

/// Longest query read, in bytes.
const MAX_QUERY: usize = 4096;
/// Most parameters read.
const MAX_PARAMETERS: usize = 64;

/// Why a query is refused. Carries no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum QueryError {
    /// Longer than 4 KiB.
    #[error("it is too long")]
    TooLong,
    /// More than 64 parameters.
    #[error("it has too many parameters")]
    TooMany,
    /// A character that RFC 3986 §3.4 doesn't allow as it is, or `;`, which some readers take for `&`.
    #[error("it has a character that must be encoded")]
    Character,
    /// `%` without two hexadecimal digits.
    #[error("it has a broken percent sequence")]
    BrokenEncoding,
    /// It decodes to a control character or to what is no UTF-8, or a name is encoded twice.
    #[error("it does not decode to plain text")]
    Text,
    /// A parameter that carries a credential: addresses end up in logs, and we choose the credential.
    #[error("it carries a credential")]
    Credential,
}

impl QueryError {
    /// A stable word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLong => "query_too_long",
            Self::TooMany => "query_too_many",
            Self::Character => "query_character",
            Self::BrokenEncoding => "query_broken_encoding",
            Self::Text => "query_text",
            Self::Credential => "query_credential",
        }
    }
}

/// A query that was looked at. May hold personal data: not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Query(String);

impl Query {
    /// Reads a query without its `?`.
    pub(super) fn parse(text: &str) -> Result<Self, QueryError> {
        if text.len() > MAX_QUERY {
            return Err(QueryError::TooLong);
        }
        // RFC 3986 §3.4, without `;`.
        let allowed =
            |byte| is_unreserved(byte) || is_reserved(byte) || matches!(byte, b'/' | b'?' | b'%');
        if !text.bytes().all(allowed) {
            return Err(QueryError::Character);
        }
        if text.split('&').count() > MAX_PARAMETERS {
            return Err(QueryError::TooMany);
        }
        for piece in text.split('&') {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if name.contains('%') {
                return Err(QueryError::Text);
            }
            if credential_name::of_parameter(&name) || credential_name::is_key(&value) {
                return Err(QueryError::Credential);
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The query, without `?`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the caller pages by itself (`limit` or `cursor`), so that it gets the page it asked
    /// for. Who doesn't gets everything: no lookup documents paging.
    #[must_use]
    pub fn asks_for_a_page(&self) -> bool {
        self.0
            .split('&')
            .any(|piece| names(piece, "limit") || names(piece, "cursor"))
    }

    /// This query with one parameter set.
    pub(super) fn with(&self, name: &str, value: &str) -> Self {
        let mut text: String = self
            .0
            .split('&')
            .filter(|piece| !piece.is_empty() && !names(piece, name))
            .flat_map(|piece| [piece, "&"])
            .collect();
        text.push_str(name);
        text.push('=');
        for byte in value.bytes() {
            if is_unreserved(byte) {
                text.push(char::from(byte));
            } else {
                text.push_str(&format!("%{byte:02X}"));
            }
        }
        Self(text)
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Query({} bytes)", self.0.len())
    }
}

fn names(piece: &str, name: &str) -> bool {
    let own = piece.split('=').next().unwrap_or_default();
    decode(own).is_ok_and(|own| own == name)
}

/// What a form reader makes of it (WHATWG URL §5.1), if that is plain text.
fn decode(text: &str) -> Result<String, QueryError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => octet(bytes.next(), bytes.next()).ok_or(QueryError::BrokenEncoding)?,
            byte => byte,
        });
    }
    let decoded = String::from_utf8(decoded).map_err(|_| QueryError::Text)?;
    if decoded.chars().any(char::is_control) {
        return Err(QueryError::Text);
    }
    Ok(decoded)
}
