//! The access token as ScaiKey issues it (contract/scaikey.md, 2.2), checked as a resource server
//! does: RFC 9068 §4 where ScaiKey follows it, RFC 8725 throughout.

use std::fmt;
use std::time::Duration;

use scaigate_types::{ClientId, Issuer, Subject, TenantId, Timestamp};
use serde_json::Value;
use thiserror::Error;

use crate::claims::{ClaimError, MAX_TEXT, Verified};
use crate::issuer::issuer_and_tenant;
use crate::jwks::{Jwks, VerifyError};
use crate::jwt::UnverifiedJwt;
use crate::profile;
use crate::refusal::says_refusals;

/// Most actors of one delegation.
const MAX_ACTORS: usize = 4;

/// What an access token must say to be good here.
#[derive(Clone, Copy)]
pub struct AccessTokenExpectation<'a> {
    /// The issuer whose keys are used. One of a tenant binds the token to that tenant.
    pub issuer: &'a Issuer,
    /// The audiences that are ours: one of them must be in `aud`, byte for byte. An empty list
    /// takes no token.
    pub audiences: &'a [String],
    /// The time now.
    pub now: Timestamp,
    /// How much ScaiKey's clock may differ from ours: 60 s (product.md, section 5).
    pub skew: Duration,
}

/// Why an access token is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AccessTokenError {
    /// Its `typ` says it is something else than an access token (RFC 8725 §3.11).
    #[error("not an access token")]
    Type,
    /// Its claims are those of an ID token, a logout token or a security event.
    #[error("the claims are not those of an access token")]
    NotAnAccessToken,
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
    /// No entry of `aud` is an audience of ours.
    #[error("issued for another audience")]
    Audience {
        /// The audiences it was issued for, to tell the caller which: at most 16, of the ones of 1
        /// to 256 printable ASCII characters. Signature and issuer have been checked.
        received: Vec<String>,
    },
    /// `exp` has passed.
    #[error("the access token has expired")]
    Expired,
    /// `nbf` or `iat` is in the future.
    #[error("the access token is not valid yet")]
    NotYetValid,
    /// The token of a service without `sub`, as older versions of ScaiKey issue it.
    #[error("the token of a service has no subject")]
    ServiceWithoutSubject,
    /// The token of a service whose `sub` is not its `client_id`.
    #[error("the subject of a service's token is not the service")]
    ServiceSubject,
    /// It is bound to a key (`cnf`: RFC 7800, RFC 9449 §6, RFC 8705 §3), so whoever bears it has
    /// proved nothing yet.
    #[error("bound to a key, and no bearer token")]
    Bound,
    /// `act` is not a chain of at most four actors (RFC 8693 §4.1).
    #[error("the chain of actors is not usable")]
    ActorChain,
}

says_refusals!(AccessTokenError);

/// Whom an access token speaks for. Never both: a service that passed for a person could take that
/// person's place (RFC 9700 §4.15).
#[derive(Clone, PartialEq, Eq)]
pub enum Party {
    /// A person, also one on whose behalf a service acts (RFC 8693): then the service is in
    /// [`AccessToken::actors`].
    User {
        /// The `sub`, at most 255 printable ASCII characters, unique within the issuer.
        subject: Subject,
    },
    /// A service, for itself.
    Service {
        /// The `sub`, which is the service's client.
        client_id: ClientId,
        /// Whether it may cross tenants: the claim `platform_token` is `true`.
        is_platform: bool,
    },
}

impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Who is personal data.
            Self::User { .. } => f.debug_struct("User").finish_non_exhaustive(),
            Self::Service {
                client_id,
                is_platform,
            } => f
                .debug_struct("Service")
                .field("client_id", client_id)
                .field("is_platform", is_platform)
                .finish(),
        }
    }
}

/// A verified access token.
///
/// What identifies or restricts must be well-formed or the token is refused. An entry of a list
/// that grants something (scopes, permissions, roles, groups) is left out where it is not a text
/// of 1 to 256 bytes, and repeats are; more than 512 entries refuse the token.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The `iss` of the token.
    pub issuer: Issuer,
    /// Whom it speaks for.
    pub party: Party,
    /// The `tenant_id`, else the tenant that the issuer names. A platform's service has none.
    pub tenant_id: Option<TenantId>,
    /// The `client_id`: who asked for the token.
    pub client_id: Option<ClientId>,
    /// The `aud` as sent, 1 to 16 texts, at least one of them ours.
    pub audience: Vec<String>,
    /// The `scope`, a text with spaces or a list. An entry with a character that RFC 6749 §3.3
    /// doesn't allow is left out.
    pub scopes: Vec<String>,
    /// The `permissions`, a list or a single text.
    pub permissions: Vec<String>,
    /// Union of `role` and `roles`.
    pub roles: Vec<String>,
    /// The `groups`, a list or a single text.
    pub groups: Vec<String>,
    /// The e-mail address, as in [`IdToken::email`](crate::IdToken::email).
    pub email: Option<String>,
    /// The name, as in [`IdToken::name`](crate::IdToken::name).
    pub name: Option<String>,
    /// ScaiKey's session: 1 to 256 bytes.
    pub sid: Option<String>,
    /// Who acts for the party, the one that acts now first (`act`, RFC 8693 §4.1): at most four.
    /// Only the first may be asked for a decision; the others are history.
    pub actors: Vec<String>,
    /// The `iat`.
    pub issued_at: Timestamp,
    /// The `exp`.
    pub expires_at: Timestamp,
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rest is personal data.
        f.debug_struct("AccessToken")
            .field("issuer", &self.issuer)
            .field("party", &self.party)
            .field("tenant_id", &self.tenant_id)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// Verifies an access token: signature first, then every claim that decides whose it is, for whom
/// and until when.
///
/// # Errors
/// [`AccessTokenError`] names the first rule it breaks.
pub fn verify_access_token(
    jwt: &UnverifiedJwt<'_>,
    keys: &Jwks,
    expect: &AccessTokenExpectation<'_>,
) -> Result<AccessToken, AccessTokenError> {
    let kind = Kind::of(jwt.typ()).ok_or(AccessTokenError::Type)?;
    let claims = keys.verify(jwt)?;
    check_kind(&claims, kind)?;
    let (issuer, tenant_id) = issuer_and_tenant(&claims, expect.issuer)?;
    let audience = audience(&claims, expect.audiences)?;
    let validity = claims.validity(expect.now, expect.skew)?;
    let expires_at = validity.expires_at.ok_or(ClaimError::Missing("exp"))?;
    if claims.claim("cnf").is_some() {
        return Err(AccessTokenError::Bound);
    }
    let client_id = match claims.text("client_id")? {
        Some(id) => Some(ClientId::parse(id).map_err(|_| ClaimError::Malformed("client_id"))?),
        None => None,
    };
    Ok(AccessToken {
        party: party(&claims, client_id.as_ref(), &audience, expect.audiences)?,
        actors: actors(&claims)?,
        scopes: profile::scopes(&claims)?,
        permissions: profile::list(&claims, &["permissions"])?,
        roles: profile::list(&claims, &["role", "roles"])?,
        groups: profile::list(&claims, &["groups"])?,
        email: profile::email(&claims),
        name: profile::name(&claims),
        sid: claims.short_text("sid")?.map(str::to_owned),
        issued_at: validity.issued_at,
        issuer,
        tenant_id,
        client_id,
        audience,
        expires_at,
    })
}

/// What the header says the token is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `at+jwt` (RFC 9068 §2.1).
    AccessToken,
    /// Nothing, or only that it is a JWT.
    Unsaid,
}

impl Kind {
    /// `None` when it is something else than an access token.
    fn of(typ: Option<&str>) -> Option<Self> {
        let Some(typ) = typ else {
            return Some(Self::Unsaid);
        };
        let is = |name: &str| typ.eq_ignore_ascii_case(name);
        if is("at+jwt") || is("application/at+jwt") {
            Some(Self::AccessToken)
        } else if is("JWT") {
            Some(Self::Unsaid)
        } else {
            None
        }
    }
}

/// ScaiKey isn't known to write `at+jwt`, so the claims must tell an access token from the other
/// tokens of the same issuer for the same audience (RFC 8725 §3.12): `client_id` is on every access
/// token, and the rest on none.
fn check_kind(claims: &Verified, kind: Kind) -> Result<(), AccessTokenError> {
    let another = ["nonce", "at_hash", "c_hash", "events"]
        .iter()
        .any(|name| claims.claim(name).is_some());
    let says_so = kind == Kind::AccessToken
        || claims.claim("scope").is_some()
        || claims.claim("client_id").is_some();
    if another || !says_so {
        Err(AccessTokenError::NotAnAccessToken)
    } else {
        Ok(())
    }
}

/// An access token may be for several resources at once (RFC 9068 §4), so one that is ours is
/// enough.
fn audience(claims: &Verified, ours: &[String]) -> Result<Vec<String>, AccessTokenError> {
    let audience = claims.audience()?;
    let is_ours = |entry: &&str| !entry.is_empty() && ours.iter().any(|our| our == entry);
    if audience.iter().any(is_ours) {
        return Ok(audience.into_iter().map(str::to_owned).collect());
    }
    let tellable = |entry: &&str| {
        !entry.is_empty()
            && entry.len() <= MAX_TEXT
            && entry.bytes().all(|c| c == b' ' || c.is_ascii_graphic())
    };
    Err(AccessTokenError::Audience {
        received: audience
            .into_iter()
            .filter(tellable)
            .map(str::to_owned)
            .collect(),
    })
}

/// A token is a service's when anything in it says so, and then everything must fit.
fn party(
    claims: &Verified,
    client_id: Option<&ClientId>,
    audience: &[String],
    ours: &[String],
) -> Result<Party, AccessTokenError> {
    let subject = claims.text("sub")?;
    let is_platform = match claims.claim("platform_token") {
        None => false,
        Some(Value::Bool(platform)) => *platform,
        Some(_) => return Err(ClaimError::Malformed("platform_token").into()),
    };
    let names_a_client = subject.is_some_and(|subject| {
        client_id.is_some_and(|id| id.as_str() == subject)
            || audience.iter().chain(ours).any(|id| id == subject)
    });
    let by_credentials = claims.text("token_type")? == Some("client_credentials");
    if !(by_credentials || is_platform || names_a_client) {
        let subject = subject.ok_or(ClaimError::Missing("sub"))?;
        let subject = Subject::parse(subject).map_err(|_| ClaimError::Malformed("sub"))?;
        return Ok(Party::User { subject });
    }
    let subject = subject
        .filter(|subject| !subject.is_empty())
        .ok_or(AccessTokenError::ServiceWithoutSubject)?;
    if client_id.is_some_and(|id| id.as_str() != subject) {
        return Err(AccessTokenError::ServiceSubject);
    }
    let client_id = ClientId::parse(subject).map_err(|_| ClaimError::Malformed("sub"))?;
    Ok(Party::Service {
        client_id,
        is_platform,
    })
}

/// The actor of now is the outermost `act`, the ones before it are nested in it. What can't be read
/// to its end is refused: a shortened chain would hide who acts.
fn actors(claims: &Verified) -> Result<Vec<String>, AccessTokenError> {
    let mut actors = Vec::new();
    let mut next = claims.claim("act");
    while let Some(actor) = next {
        let subject = actor.get("sub").and_then(Value::as_str);
        let subject = subject.and_then(|subject| Subject::parse(subject).ok());
        match subject {
            Some(subject) if actors.len() < MAX_ACTORS => actors.push(subject.into()),
            _ => return Err(AccessTokenError::ActorChain),
        }
        next = actor.get("act").filter(|act| !act.is_null());
    }
    Ok(actors)
}
