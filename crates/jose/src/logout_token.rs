//! The logout token (OpenID Connect Back-Channel Logout 1.0 §2.4), checked as §2.6 says, except
//! that whoever calls remembers which `jti` were seen and which sessions are meant, and that `exp` may be
//! missing: older drafts had none, `max_age` bounds a token's life all the same, and a logout that is refused
//! leaves a session open.

use std::fmt;
use std::time::Duration;

use scaigate_types::{ClientId, Issuer, Subject, TenantId, Timestamp};
use thiserror::Error;

use crate::claims::{ClaimError, Verified};
use crate::issuer::issuer_and_tenant;
use crate::jwks::{Jwks, VerifyError};
use crate::jwt::UnverifiedJwt;
use crate::refusal::says_refusals;

/// The member of `events` that makes a token a logout token.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What a logout token must say.
#[derive(Clone, Copy)]
pub struct LogoutTokenExpectation<'a> {
    /// The issuer whose keys are used. One of a tenant binds the token to that tenant.
    pub issuer: &'a Issuer,
    /// Our client there, the only audience.
    pub client_id: &'a ClientId,
    /// The time now.
    pub now: Timestamp,
    /// How much ScaiKey's clock may differ from ours: 60 s (product.md, section 5).
    pub skew: Duration,
    /// How long after its `iat` a token is taken. Its `jti` must be remembered for at least
    /// `max_age` and twice `skew`.
    pub max_age: Duration,
}

/// Why a logout token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LogoutTokenError {
    /// Its `typ` says it is something else than a logout token (RFC 8725 §3.11).
    #[error("not a logout token")]
    Type,
    /// The signature could not be verified.
    #[error("the signature could not be verified")]
    Verify(#[from] VerifyError),
    /// A claim is missing or not well-formed.
    #[error("a claim is not usable")]
    Claim(#[from] ClaimError),
    /// `iss` is neither the expected issuer nor the token's own tenant there.
    #[error("issued by another issuer")]
    Issuer,
    /// `tenant_id` is not the tenant whose issuer is expected.
    #[error("issued for another tenant")]
    Tenant,
    /// `aud` is not exactly our client id.
    #[error("issued for another audience")]
    Audience,
    /// `iat` is longer ago than is taken.
    #[error("the logout token is too old")]
    TooOld,
    /// `nbf` or `iat` is in the future.
    #[error("the logout token is not valid yet")]
    NotYetValid,
    /// `exp` has passed.
    #[error("the logout token has expired")]
    Expired,
    /// `events` is missing or has no logout in it, so it is a token of another kind.
    #[error("the event is not a logout")]
    Event,
    /// It has a `nonce`, which only an ID token has.
    #[error("a logout token has no nonce")]
    Nonce,
    /// It names neither a subject nor a session.
    #[error("neither a subject nor a session is named")]
    NoTarget,
}

says_refusals!(LogoutTokenError);

/// A verified order to end sessions: of `subject`, or the one session `sid`, or with both that
/// session of that subject. Never without `issuer`: another issuer's may be called the same.
#[derive(Clone, PartialEq, Eq)]
pub struct LogoutToken {
    /// The `iss` of the token.
    pub issuer: Issuer,
    /// The `tenant_id`, else the tenant that the issuer names.
    pub tenant_id: Option<TenantId>,
    /// The `sub`, at most 255 printable ASCII characters. At least one of this and `sid` is there.
    pub subject: Option<Subject>,
    /// ScaiKey's session: 1 to 256 bytes.
    pub sid: Option<String>,
    /// The `jti`, 1 to 256 bytes: to be taken once per issuer.
    pub jti: String,
    /// The `iat`.
    pub issued_at: Timestamp,
}

impl fmt::Debug for LogoutToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rest is personal data, and what makes the token unique.
        f.debug_struct("LogoutToken")
            .field("issuer", &self.issuer)
            .field("tenant_id", &self.tenant_id)
            .finish_non_exhaustive()
    }
}

/// Verifies a logout token: signature first, then every claim that Back-Channel Logout §2.6 names.
///
/// # Errors
/// [`LogoutTokenError`] names the first rule it breaks.
pub fn verify_logout_token(
    jwt: &UnverifiedJwt<'_>,
    keys: &Jwks,
    expect: &LogoutTokenExpectation<'_>,
) -> Result<LogoutToken, LogoutTokenError> {
    let is_logout = |typ: &str| {
        ["JWT", "logout+jwt", "application/logout+jwt"]
            .iter()
            .any(|name| typ.eq_ignore_ascii_case(name))
    };
    if !jwt.typ().is_none_or(is_logout) {
        return Err(LogoutTokenError::Type);
    }
    let claims = keys.verify(jwt)?;
    check_kind(&claims)?;
    let (issuer, tenant_id) = issuer_and_tenant(&claims, expect.issuer)?;
    let foreign = |entry: &&str| *entry != expect.client_id.as_str();
    if claims.audience()?.iter().any(foreign) {
        return Err(LogoutTokenError::Audience);
    }
    let issued_at = claims.validity(expect.now, expect.skew)?.issued_at;
    if expect.now > issued_at.plus(expect.max_age).plus(expect.skew) {
        return Err(LogoutTokenError::TooOld);
    }
    let jti = claims
        .short_text("jti")?
        .ok_or(ClaimError::Missing("jti"))?;
    let subject = match claims.text("sub")? {
        Some(subject) => Some(Subject::parse(subject).map_err(|_| ClaimError::Malformed("sub"))?),
        None => None,
    };
    let sid = claims.short_text("sid")?;
    if subject.is_none() && sid.is_none() {
        return Err(LogoutTokenError::NoTarget);
    }
    Ok(LogoutToken {
        issuer,
        tenant_id,
        subject,
        sid: sid.map(str::to_owned),
        jti: jti.to_owned(),
        issued_at,
    })
}

/// What tells a logout token from an ID token of the same issuer for the same client
/// (Back-Channel Logout §2.4, RFC 8725 §3.12).
fn check_kind(claims: &Verified) -> Result<(), LogoutTokenError> {
    let event = claims.claim("events").and_then(|events| events.get(EVENT));
    if !event.is_some_and(serde_json::Value::is_object) {
        return Err(LogoutTokenError::Event);
    }
    if claims.has("nonce") {
        return Err(LogoutTokenError::Nonce);
    }
    Ok(())
}
