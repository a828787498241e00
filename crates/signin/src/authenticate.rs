//! Who is calling (`product.md` section 5): our session token, else ScaiKey's access token, else
//! what the mode allows.
//!
//! A session token costs one HMAC and one key-value read, which an instance remembers for two
//! seconds. An access token costs one asymmetric verification, which an instance remembers, and a
//! look at the revocation index and the mirror every two seconds.

mod access_token;
mod dev;

use std::rc::Rc;

use http::HeaderMap;
use scaigate_jose::{SessionClaims, SessionSigner, SessionTokenError};
use scaigate_kv::revocation::{self, Revocation};
use scaigate_problem::{Code, Problem};
use scaigate_types::{Clock, Timestamp};

use crate::failure;
use crate::ports::Ports;
use crate::principal::{Authentication, Credential, Principal, User};
use crate::scaikey::Memory;
use crate::settings::{AuthMode, Deployment, Environment, Fault, Provider};

pub(crate) use access_token::subject_digest;
pub use dev::HEADERS as DEV_HEADERS;

const BEARER: &[u8] = b"bearer ";

/// What a component accepts as a credential.
#[derive(Clone, Copy)]
pub struct Acceptance<'a> {
    /// Verifies session tokens.
    pub signer: &'a SessionSigner,
    /// Where we are, and whose bearer tokens pass.
    pub deployment: &'a Deployment,
    /// ScaiKey; without it access tokens can't be checked and session tokens can.
    pub provider: Result<&'a Provider, &'a [Fault]>,
}

/// The bearer token of an `Authorization` header (RFC 6750 §2.1), the only place one is taken from.
///
/// # Errors
/// [`Code::AuthenticationRequired`] when there is none; [`Code::TokenInvalid`] when the header has
/// another form.
pub fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut values = headers.get_all(http::header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(Problem::new(Code::AuthenticationRequired));
    };
    let malformed = || invalid("not one bearer token");
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

/// What follows `Bearer ` in the one `Authorization` header there is, whatever it is.
fn presented(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(http::header::AUTHORIZATION).iter();
    let (scheme, token) = values.next()?.as_bytes().split_at_checked(BEARER.len())?;
    (values.next().is_none() && scheme.eq_ignore_ascii_case(BEARER)).then_some(token)
}

/// Whom the credential of a request, there since `now`, was found to be in the last two seconds: what
/// [`authenticate`] looks at first, for callers who would rather not wait.
pub fn recognise(
    memory: &Memory,
    acceptance: &Acceptance<'_>,
    headers: &HeaderMap,
    now: Timestamp,
) -> Option<Principal> {
    let token = presented(headers)?;
    let seen = memory.seen.trusting(acceptance.provider.ok());
    seen.principal(token, now)
}

/// Looks at the credential of a request that is there since `now`.
///
/// # Errors
/// Only what is neither yes nor no: a store or ScaiKey does not answer, or ScaiKey is not
/// configured and its token was presented.
pub async fn authenticate(
    ports: &impl Ports,
    acceptance: &Acceptance<'_>,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Authentication, Problem> {
    let deployment = acceptance.deployment;
    // Before anybody looks at its form: one that was found good has it.
    if let Some(principal) = recognise(ports.memory(), acceptance, headers, now) {
        return Ok(Authentication::Authenticated(principal));
    }
    let token = match bearer(headers) {
        Ok(token) => token,
        Err(problem) if problem.code() != Code::AuthenticationRequired => {
            return Ok(Authentication::Rejected(problem));
        }
        Err(_) if deployment.environment == Environment::Development => {
            return dev::headers(ports, headers).await;
        }
        Err(_) => return Ok(Authentication::NotPresented),
    };
    let public_url = deployment.public_url.as_str();
    match acceptance.signer.verify(token, public_url, now) {
        Ok(claims) => return session(ports, token, claims).await,
        Err(SessionTokenError::Malformed) if !SessionSigner::recognises(token) => {}
        Err(error) => return Ok(Authentication::Rejected(rejected(error))),
    }
    match deployment.auth_mode {
        AuthMode::Mock => dev::mock(ports).await,
        AuthMode::Hybrid if token.split('.').count() != 3 => dev::mock(ports).await,
        AuthMode::Hybrid | AuthMode::Scaikey => {
            access_token::authenticate(ports, acceptance, token).await
        }
    }
}

async fn session(
    ports: &impl Ports,
    token: &str,
    claims: SessionClaims,
) -> Result<Authentication, Problem> {
    if is_revoked(ports, &claims).await? {
        return Ok(Authentication::Rejected(Problem::new(Code::TokenRevoked)));
    }
    let SessionClaims {
        subject,
        subject_issuer,
        person_id,
        tenant_id,
        workspace_id,
        role,
        admin_role,
        personal_workspace_id,
        email,
        name,
        sid,
        expires_at,
        ..
    } = claims;
    let principal = Principal::User(Rc::new(User {
        issuer: subject_issuer,
        subject,
        tenant_id,
        person_id: Some(person_id),
        email,
        name,
        admin_role,
        personal_workspace_id,
        workspace: Some((workspace_id, role)),
        scopes: Vec::new(),
        permissions: Vec::new(),
        roles: Vec::new(),
        groups: Vec::new(),
        credential: Credential::Session(sid),
        expires_at: Some(expires_at),
    }));
    let now = ports.clock().now();
    let seen = &ports.memory().seen;
    seen.note_principal(token, &principal, expires_at, now);
    Ok(Authentication::Authenticated(principal))
}

async fn is_revoked(ports: &impl Ports, claims: &SessionClaims) -> Result<bool, Problem> {
    let revocation = revocation::read(ports.kv(), &claims.sid)
        .await
        .map_err(failure::kv)?;
    Ok(match revocation {
        None => false,
        Some(Revocation::Ended) => true,
        // A role was changed: tokens made before it say the old one. The next refresh says the new.
        Some(Revocation::Narrowed { generation }) => claims.generation <= generation,
    })
}

fn invalid(reason: impl Into<String>) -> Problem {
    Problem::new(Code::TokenInvalid)
        .with("reason", reason.into())
        .with_sw_code("SW_AUTH_INVALID_TOKEN")
}

/// What a rejected session token is to the caller.
pub(crate) fn rejected(error: SessionTokenError) -> Problem {
    match error {
        SessionTokenError::Expired => expired(),
        other => invalid(other.to_string()),
    }
}

fn expired() -> Problem {
    Problem::new(Code::TokenExpired).with_sw_code("SW_AUTH_EXPIRED_TOKEN")
}
