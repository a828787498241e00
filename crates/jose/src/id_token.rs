//! The ID token (OpenID Connect Core 1.0 §2, §3.1.3.7) as ScaiKey issues it.

use std::fmt;
use std::time::Duration;

use scaigate_types::encoding::base64url;
use scaigate_types::{ClientId, Issuer, Subject, TenantId, Timestamp};
use thiserror::Error;

use crate::claims::{ClaimError, Verified};
use crate::digest::{constant_time_eq, sha256};
use crate::issuer::issuer_and_tenant;
use crate::jwks::{Jwks, VerifyError};
use crate::jwt::{Algorithm, UnverifiedJwt};
use crate::profile;
use crate::refusal::says_refusals;

/// What the ID token of one sign-in must say.
#[derive(Clone, Copy)]
pub struct IdTokenExpectation<'a> {
    /// The issuer the login was begun with.
    pub issuer: &'a Issuer,
    /// Our client there, the audience.
    pub client_id: &'a ClientId,
    /// The nonce of the authorization request. `None` only where there was none to send (a
    /// refresh, the password grant); then the claim is not looked at.
    pub nonce: Option<&'a str>,
    /// The access token of the same answer; `at_hash` is checked against it when present.
    pub access_token: Option<&'a str>,
    /// The time now.
    pub now: Timestamp,
    /// How much ScaiKey's clock may differ from ours: 60 s (product.md, section 5).
    pub skew: Duration,
}

/// Why an ID token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IdTokenError {
    /// Its `typ` says it is something else than an ID token (RFC 8725 §3.11).
    #[error("not an ID token")]
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
    /// `azp` names another client, or is missing beside several audiences.
    #[error("issued to another client")]
    AuthorizedParty,
    /// `sub` is a client: the token of a service, not of a person.
    #[error("issued to a service, not to a person")]
    NotAPerson,
    /// `exp` has passed.
    #[error("the ID token has expired")]
    Expired,
    /// `nbf` or `iat` is in the future.
    #[error("the ID token is not valid yet")]
    NotYetValid,
    /// `nonce` is missing or not that of the login.
    #[error("the nonce is not that of the login")]
    Nonce,
    /// `at_hash` does not belong to the access token.
    #[error("the access token is not the one it was issued with")]
    AccessTokenHash,
}

says_refusals!(IdTokenError);

/// A verified identity. Who the person is are `issuer` and `subject` together, never the e-mail
/// address (OIDC Core §5.7).
///
/// What identifies or restricts must be well-formed or the token is refused. What only describes
/// (e-mail, name, groups, roles) is left out where it is not well-formed: see each field.
#[derive(Clone, PartialEq, Eq)]
pub struct IdToken {
    /// The `iss` of the token.
    pub issuer: Issuer,
    /// The `sub`, at most 255 printable ASCII characters.
    pub subject: Subject,
    /// The `tenant_id`, else the tenant that the issuer names.
    pub tenant_id: Option<TenantId>,
    /// The e-mail address as sent: at most 320 bytes, one `@`, no space or control character;
    /// anything else is left out.
    pub email: Option<String>,
    /// Whether ScaiKey says the address was verified: `true` and `false`, also as texts.
    pub email_verified: Option<bool>,
    /// The first usable of `name`, `display_name`, `first_name` (`given_name`) with `last_name`
    /// (`family_name`), and `preferred_username`. Control and direction-changing characters are
    /// removed; what is empty or longer than 256 bytes then is not usable.
    pub name: Option<String>,
    /// Union of `role` and `roles`, without repeats; see [`IdToken::groups`].
    pub roles: Vec<String>,
    /// The `groups`, a list or a single text, without repeats. An entry that is not a text, is
    /// empty, or is longer than 256 bytes is left out. More than 512 entries refuse the token: to
    /// drop some would change somebody's rights silently.
    pub groups: Vec<String>,
    /// ScaiKey's session, for logout: at most 256 bytes.
    pub sid: Option<String>,
    /// The `nonce`, if it has one: at a refresh, to be held against that of the sign-in.
    pub nonce: Option<String>,
    /// When the person last proved who they are.
    pub auth_time: Option<Timestamp>,
    /// When ScaiKey wants our session to end (`session_expiry`).
    pub session_expiry: Option<Timestamp>,
    /// The `iat`.
    pub issued_at: Timestamp,
    /// The `exp`.
    pub expires_at: Timestamp,
}

impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rest is personal data.
        f.debug_struct("IdToken")
            .field("issuer", &self.issuer)
            .field("tenant_id", &self.tenant_id)
            .finish_non_exhaustive()
    }
}

/// Verifies an ID token: signature first, then every claim that OIDC Core §3.1.3.7 names.
///
/// # Errors
/// [`IdTokenError`] names the first rule it breaks.
pub fn verify_id_token(
    jwt: &UnverifiedJwt<'_>,
    keys: &Jwks,
    expect: &IdTokenExpectation<'_>,
) -> Result<IdToken, IdTokenError> {
    if jwt
        .typ()
        .is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT"))
    {
        return Err(IdTokenError::Type);
    }
    let claims = keys.verify(jwt)?;
    let (issuer, tenant_id) = issuer_and_tenant(&claims, expect.issuer)?;
    check_audience(&claims, expect.client_id)?;
    let validity = claims.validity(expect.now, expect.skew)?;
    let expires_at = validity.expires_at.ok_or(ClaimError::Missing("exp"))?;
    let subject = check_subject(&claims, expect.client_id)?;
    check_nonce(&claims, expect.nonce)?;
    check_access_token(&claims, expect.access_token)?;
    Ok(IdToken {
        issuer,
        subject,
        tenant_id,
        email: profile::email(&claims),
        email_verified: profile::email_verified(&claims),
        name: profile::name(&claims),
        roles: profile::list(&claims, &["role", "roles"])?,
        groups: profile::list(&claims, &["groups"])?,
        sid: claims.short_text("sid")?.map(str::to_owned),
        nonce: claims.text("nonce")?.map(str::to_owned),
        auth_time: claims.date("auth_time")?,
        session_expiry: claims.date("session_expiry")?,
        issued_at: validity.issued_at,
        expires_at,
    })
}

/// A service's token names the client as its subject (contract/scaikey.md, 2.2). A client must
/// never pass for a person, whatever its id is (RFC 9700 §4.15).
fn check_subject(claims: &Verified, client_id: &ClientId) -> Result<Subject, IdTokenError> {
    let subject = claims.text("sub")?.ok_or(ClaimError::Missing("sub"))?;
    if subject == client_id.as_str() || claims.text("client_id")? == Some(subject) {
        return Err(IdTokenError::NotAPerson);
    }
    Ok(Subject::parse(subject).map_err(|_| ClaimError::Malformed("sub"))?)
}

fn check_audience(claims: &Verified, client_id: &ClientId) -> Result<(), IdTokenError> {
    let audience = claims.audience()?;
    if audience.iter().any(|entry| *entry != client_id.as_str()) {
        return Err(IdTokenError::Audience);
    }
    match claims.text("azp")? {
        Some(party) if party != client_id.as_str() => Err(IdTokenError::AuthorizedParty),
        None if audience.len() > 1 => Err(IdTokenError::AuthorizedParty),
        _ => Ok(()),
    }
}

fn check_nonce(claims: &Verified, expected: Option<&str>) -> Result<(), IdTokenError> {
    let Some(expected) = expected else {
        return Ok(());
    };
    let nonce = claims.text("nonce")?.ok_or(IdTokenError::Nonce)?;
    if constant_time_eq(nonce, expected) {
        Ok(())
    } else {
        Err(IdTokenError::Nonce)
    }
}

/// `at_hash` is the left half of the hash that belongs to the token's algorithm (OIDC Core
/// §3.1.3.6). The code flow's ID token carries no `c_hash` (that is the hybrid flow's).
fn check_access_token(claims: &Verified, access_token: Option<&str>) -> Result<(), IdTokenError> {
    let (Some(hash), Some(access_token)) = (claims.text("at_hash")?, access_token) else {
        return Ok(());
    };
    let expected = match claims.algorithm() {
        Algorithm::Rs256 | Algorithm::Es256 => left_half(&sha256(access_token)),
        // Ed25519 signs over SHA-512.
        Algorithm::EdDsa => left_half(&hmac_sha512::Hash::hash(access_token)),
    };
    if constant_time_eq(hash, expected) {
        Ok(())
    } else {
        Err(IdTokenError::AccessTokenHash)
    }
}

fn left_half(hash: &[u8]) -> String {
    base64url(hash.split_at(hash.len() / 2).0)
}
