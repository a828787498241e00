//! Claims of a token whose signature has been checked, and how each kind of claim is read.

use std::time::Duration;

use scaigate_types::{Issuer, Timestamp, json};
use serde_json::{Map, Value};

use crate::jwt::{Algorithm, PAYLOAD, UnverifiedJwt};
pub use crate::refusal::ClaimError;
use crate::refusal::Refusal;

/// 9999-12-31T23:59:59Z. A later `NumericDate` is a mistake (milliseconds for seconds) or an
/// attack on somebody's arithmetic.
const LATEST_DATE: u64 = 253_402_300_799;
/// Most audiences of one token.
const MAX_AUDIENCES: usize = 16;
/// Longest identifier that is a text of its issuer's own making (`sid`, `jti`), name, group, role,
/// scope or permission, in bytes.
pub(crate) const MAX_TEXT: usize = 256;

/// When a token is good, as it says itself.
pub(crate) struct Validity {
    pub issued_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

/// The claims of a token whose signature was checked. Made only by
/// [`Jwks::verify`](crate::Jwks::verify); who issued it, to whom and until when is still to be
/// decided by whoever reads it.
#[derive(Clone)]
pub struct Verified {
    claims: Map<String, Value>,
    algorithm: Algorithm,
}

impl Verified {
    /// Reads the claims. The caller checks the signature before it hands the result out.
    pub(crate) fn read(jwt: &UnverifiedJwt<'_>) -> Result<Self, ClaimError> {
        let claims = json::object(jwt.payload(), PAYLOAD).ok_or(ClaimError::Unreadable)?;
        Ok(Self {
            claims,
            algorithm: jwt.algorithm(),
        })
    }

    /// The algorithm the token was verified with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// A claim as it came; `null` counts as absent.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name).filter(|value| !value.is_null())
    }

    /// Whether there is a claim of this name, `null` included: for the ones that must not be.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.claims.contains_key(name)
    }

    /// A claim that is a text, if it is there.
    ///
    /// # Errors
    /// [`ClaimError::Malformed`] when it is of another type.
    pub fn text(&self, name: &'static str) -> Result<Option<&str>, ClaimError> {
        match self.claim(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(ClaimError::Malformed(name)),
        }
    }

    /// A claim that is a text of 1 to 256 bytes, if it is there.
    pub(crate) fn short_text(&self, name: &'static str) -> Result<Option<&str>, ClaimError> {
        match self.text(name)? {
            Some(text) if text.is_empty() || text.len() > MAX_TEXT => {
                Err(ClaimError::Malformed(name))
            }
            text => Ok(text),
        }
    }

    /// A claim that is a `NumericDate` (RFC 7519 §2), if it is there: whole seconds from 1970 to
    /// 9999. RFC 7519 would allow fractions; no issuer sends them, and refusing them keeps every
    /// reader at the same second.
    ///
    /// # Errors
    /// [`ClaimError::Malformed`] when it is anything else: a text, a fraction, negative, too late.
    pub fn date(&self, name: &'static str) -> Result<Option<Timestamp>, ClaimError> {
        match self.claim(name) {
            None => Ok(None),
            Some(value) => value
                .as_u64()
                .filter(|seconds| *seconds <= LATEST_DATE)
                .map(|seconds| Some(Timestamp::from_secs(seconds)))
                .ok_or(ClaimError::Malformed(name)),
        }
    }

    /// As [`Verified::date`], for a claim that must be there.
    ///
    /// # Errors
    /// [`ClaimError::Missing`] or [`ClaimError::Malformed`].
    pub fn required_date(&self, name: &'static str) -> Result<Timestamp, ClaimError> {
        self.date(name)?.ok_or(ClaimError::Missing(name))
    }

    /// `iat`, which must be there, and `exp`. `exp` has not passed, `iat` and `nbf` have come, each
    /// give or take `skew` (RFC 7519 §4.1.4 to §4.1.6).
    pub(crate) fn validity(&self, now: Timestamp, skew: Duration) -> Result<Validity, Refusal> {
        let expires_at = self.date("exp")?;
        let issued_at = self.required_date("iat")?;
        let not_before = self.date("nbf")?.unwrap_or(issued_at);
        if expires_at.is_some_and(|expires_at| now > expires_at.plus(skew)) {
            return Err(Refusal::Expired);
        }
        if issued_at.max(not_before) > now.plus(skew) {
            return Err(Refusal::NotYetValid);
        }
        Ok(Validity {
            issued_at,
            expires_at,
        })
    }

    /// The `iss` claim.
    ///
    /// # Errors
    /// [`ClaimError::Missing`], or [`ClaimError::Malformed`] when it is no [`Issuer`].
    pub fn issuer(&self) -> Result<Issuer, ClaimError> {
        let text = self.text("iss")?.ok_or(ClaimError::Missing("iss"))?;
        Issuer::parse(text).map_err(|_| ClaimError::Malformed("iss"))
    }

    /// The `aud` claim: one text or a list of texts (RFC 7519 §4.1.3), here always a list of 1
    /// to 16.
    ///
    /// # Errors
    /// [`ClaimError::Missing`] when there is none or the list is empty, else
    /// [`ClaimError::Malformed`].
    pub fn audience(&self) -> Result<Vec<&str>, ClaimError> {
        const AUD: &str = "aud";
        match self.claim(AUD) {
            Some(Value::String(one)) => Ok(vec![one]),
            Some(Value::Array(list)) if !list.is_empty() && list.len() <= MAX_AUDIENCES => list
                .iter()
                .map(|entry| entry.as_str().ok_or(ClaimError::Malformed(AUD)))
                .collect(),
            Some(Value::Array(list)) if list.is_empty() => Err(ClaimError::Missing(AUD)),
            Some(_) => Err(ClaimError::Malformed(AUD)),
            None => Err(ClaimError::Missing(AUD)),
        }
    }
}
