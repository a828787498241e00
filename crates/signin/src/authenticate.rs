//! Who is calling: the session token and the revocation index.

use scaigate_jose::{SessionClaims, SessionSigner, SessionTokenError};
use scaigate_kv::revocation;
use scaigate_problem::{Code, Problem};
use scaigate_types::{Kv, SessionId, Timestamp};

use crate::failure;

/// How long an instance may go on believing that a session is not revoked.
pub const REVOCATION_CACHED: std::time::Duration = std::time::Duration::from_secs(2);

/// Whether a session is revoked, as remembered by an instance.
pub trait RevocationCache {
    /// Whether the session was seen not to be revoked within [`REVOCATION_CACHED`] of `now`.
    fn is_fresh(&self, sid: &SessionId, now: Timestamp) -> bool;
    /// Notes that the session was seen not to be revoked.
    fn note(&self, sid: &SessionId, now: Timestamp);
}

/// The bearer token of an `Authorization` header (RFC 6750 §2.1), the only place one is taken from.
///
/// # Errors
/// [`Code::AuthenticationRequired`] when there is none; [`Code::TokenInvalid`] when the header has
/// another form.
pub fn bearer(headers: &http::HeaderMap) -> Result<&str, Problem> {
    let mut values = headers.get_all(http::header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(Problem::new(Code::AuthenticationRequired));
    };
    let malformed = || Problem::new(Code::TokenInvalid).with("reason", "not one bearer token");
    if values.next().is_some() {
        return Err(malformed());
    }
    let text = value.to_str().map_err(|_| malformed())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(malformed)?;
    let token = token.trim_start_matches(' ');
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || token.contains(' ') {
        return Err(malformed());
    }
    Ok(token)
}

/// Checks a session token and that its session has not been ended.
///
/// # Errors
/// The token is rejected, with the reason, or the revocation index does not answer, which is
/// neither.
pub async fn session(
    signer: &SessionSigner,
    public_url: &str,
    kv: &impl Kv,
    cache: &impl RevocationCache,
    token: &str,
    now: Timestamp,
) -> Result<SessionClaims, Problem> {
    let claims = signer.verify(token, public_url, now).map_err(rejected)?;
    if !cache.is_fresh(&claims.sid, now) {
        if revocation::read(kv, &claims.sid)
            .await
            .map_err(failure::kv)?
            .is_some()
        {
            return Err(Problem::new(Code::TokenRevoked));
        }
        cache.note(&claims.sid, now);
    }
    Ok(claims)
}

/// What a rejected session token is to the caller.
pub(crate) fn rejected(error: SessionTokenError) -> Problem {
    match error {
        SessionTokenError::Expired => {
            Problem::new(Code::TokenExpired).with_sw_code("SW_AUTH_EXPIRED_TOKEN")
        }
        other => Problem::new(Code::TokenInvalid)
            .with("reason", other.to_string())
            .with_sw_code("SW_AUTH_INVALID_TOKEN"),
    }
}
