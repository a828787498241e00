//! Our session token: HS256, `typ` `scaigate-session+jwt` (product.md, section 4).
//!
//! Every request to a component pays for a verification, so it costs one HMAC and one pass over
//! the claims: `jwt-simple` signs and computes the tag, the claims are read here, straight into
//! their types.

use std::cell::OnceCell;
use std::fmt;
use std::time::Duration;

use jwt_simple::algorithms::{HS256Key, MACLike};
use jwt_simple::claims::{Audiences, JWTClaims};
use jwt_simple::common::HeaderOptions;
use jwt_simple::prelude::UnixTimeStamp;
use scaigate_types::encoding::{base64url, from_base64url};
use scaigate_types::{
    AdminRole, Issuer, PersonId, SessionId, Subject, TenantId, Timestamp, WorkspaceId,
    WorkspaceRole,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::digest::constant_time_eq;
use crate::jwt::MAX_TOKEN;
use crate::keyring::{KeyRing, Purpose};

const TYP: &str = "scaigate-session+jwt";
/// Longest encoded header read, in bytes; ours have about 90.
const MAX_HEADER: usize = 256;
/// Instances of one deployment may disagree about the time by this much. The issuer is ourselves,
/// so the 60 s that ScaiKey gets would only lengthen sessions.
const SKEW: Duration = Duration::from_secs(5);

/// What a session token says. Times are whole seconds in the token; fractions are cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionClaims {
    /// Our `public_url`: issuer and audience at once.
    pub issuer: String,
    /// The person's `sub` at ScaiKey.
    pub subject: Subject,
    /// The issuer of that `sub` (claim `sub_iss`): a person is (issuer, `sub`).
    pub subject_issuer: Issuer,
    /// Our id of the person.
    pub person_id: PersonId,
    /// The tenant of the workspace.
    pub tenant_id: TenantId,
    /// The workspace the session is in.
    pub workspace_id: WorkspaceId,
    /// The role in that workspace.
    pub role: WorkspaceRole,
    /// The administrator role, if any.
    pub admin_role: Option<AdminRole>,
    /// The person's own workspace, if there was one when the token was made.
    pub personal_workspace_id: Option<WorkspaceId>,
    /// For display.
    pub email: Option<String>,
    /// For display.
    pub name: Option<String>,
    /// The session, under which it can be revoked.
    pub sid: SessionId,
    /// How often the session had been refreshed when this token was made (claim `gen`).
    pub generation: u32,
    /// Unique to this token.
    pub jti: String,
    /// When it was made.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// The claims that are not registered ones, to be written.
#[derive(Serialize)]
struct Body<'a> {
    sub_iss: &'a Issuer,
    person_id: &'a PersonId,
    tenant_id: &'a TenantId,
    workspace_id: &'a WorkspaceId,
    role: WorkspaceRole,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_role: Option<AdminRole>,
    #[serde(skip_serializing_if = "Option::is_none")]
    personal_workspace_id: Option<&'a WorkspaceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    sid: &'a SessionId,
    #[serde(rename = "gen")]
    generation: u32,
}

/// All claims, to be read.
#[derive(Deserialize)]
struct Payload {
    iss: String,
    aud: String,
    sub: Subject,
    jti: String,
    iat: u64,
    exp: u64,
    sub_iss: Issuer,
    person_id: PersonId,
    tenant_id: TenantId,
    workspace_id: WorkspaceId,
    role: WorkspaceRole,
    admin_role: Option<AdminRole>,
    personal_workspace_id: Option<WorkspaceId>,
    email: Option<String>,
    name: Option<String>,
    sid: SessionId,
    #[serde(rename = "gen")]
    generation: u32,
}

/// Why no session token was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SignError {
    /// The token would end before it begins, or after the year 2106.
    #[error("the lifetime is out of range")]
    Lifetime,
    /// The token would be longer than [`MAX_TOKEN`].
    #[error("the token is too long")]
    TooLong,
    /// The claims can't be written.
    #[error("the claims can't be written")]
    Encoding,
}

/// Why a session token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SessionTokenError {
    /// Not of the form of our tokens: too long, other `typ` or `alg`, unreadable.
    #[error("not a session token")]
    Malformed,
    /// Signed with a key that is not, or no longer, configured.
    #[error("signed with a key that is not configured")]
    UnknownKey,
    /// The signature is not ours.
    #[error("the signature does not match")]
    Signature,
    /// Made for another deployment: `iss` or `aud` is not our `public_url`.
    #[error("made for another deployment")]
    Audience,
    /// Over, by more than 5 s.
    #[error("the session token has expired")]
    Expired,
    /// Made in the future, by more than 5 s.
    #[error("the session token is from the future")]
    NotYetValid,
    /// Rightly signed but without the claims of this version.
    #[error("a claim is missing or not well-formed")]
    Claims,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

struct SigningKey {
    kid: String,
    key: HS256Key,
    /// The header of a token that this key has verified. Another with the same says the same.
    header: OnceCell<String>,
}

/// Signs and verifies session tokens. Prepared once from the key ring.
pub struct SessionSigner {
    keys: Vec<SigningKey>,
}

impl SessionSigner {
    /// A signer whose first key signs and all of whose keys verify.
    #[must_use]
    pub fn new(keys: &KeyRing) -> Self {
        let keys = keys
            .derive_with_ids(Purpose::SessionToken)
            .into_iter()
            .map(|(id, key)| {
                let kid = base64url(&id);
                SigningKey {
                    key: HS256Key::from_bytes(key.expose()).with_key_id(&kid),
                    kid,
                    header: OnceCell::new(),
                }
            })
            .collect();
        Self { keys }
    }

    /// Makes a session token.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn sign(&self, claims: &SessionClaims) -> Result<String, SignError> {
        let body = Body {
            sub_iss: &claims.subject_issuer,
            person_id: &claims.person_id,
            tenant_id: &claims.tenant_id,
            workspace_id: &claims.workspace_id,
            role: claims.role,
            admin_role: claims.admin_role,
            personal_workspace_id: claims.personal_workspace_id.as_ref(),
            email: claims.email.as_deref(),
            name: claims.name.as_deref(),
            sid: &claims.sid,
            generation: claims.generation,
        };
        if claims.expires_at < claims.issued_at {
            return Err(SignError::Lifetime);
        }
        let registered = JWTClaims {
            issued_at: Some(seconds(claims.issued_at)?),
            expires_at: Some(seconds(claims.expires_at)?),
            invalid_before: None,
            issuer: Some(claims.issuer.clone()),
            subject: Some(claims.subject.as_str().to_owned()),
            audiences: Some(Audiences::AsString(claims.issuer.clone())),
            jwt_id: Some(claims.jti.clone()),
            nonce: None,
            custom: body,
        };
        let header = HeaderOptions {
            signature_type: Some(TYP.to_owned()),
            content_type: None,
        };
        let first = self.keys.first().ok_or(SignError::Encoding)?;
        let token = first
            .key
            .authenticate_with_options(registered, &header)
            .map_err(|_| SignError::Encoding)?;
        if token.len() > MAX_TOKEN {
            Err(SignError::TooLong)
        } else {
            Ok(token)
        }
    }

    /// Checks a session token made by the deployment at `public_url`. Whether its session was
    /// revoked is for the revocation records to say.
    ///
    /// # Errors
    /// [`SessionTokenError`]. Claims are read only after the signature was found to be ours.
    pub fn verify(
        &self,
        token: &str,
        public_url: &str,
        now: Timestamp,
    ) -> Result<SessionClaims, SessionTokenError> {
        if token.len() > MAX_TOKEN {
            return Err(SessionTokenError::Malformed);
        }
        let (input, tag) = token.rsplit_once('.').ok_or(SessionTokenError::Malformed)?;
        let (head, payload) = input.split_once('.').ok_or(SessionTokenError::Malformed)?;
        let signing = self.key_for(head)?;
        let tag = from_base64url(tag).ok_or(SessionTokenError::Malformed)?;
        if !constant_time_eq(signing.key.authentication_tag(input.as_bytes()), tag) {
            return Err(SessionTokenError::Signature);
        }
        signing.header.get_or_init(|| head.to_owned());
        let payload = from_base64url(payload).ok_or(SessionTokenError::Malformed)?;
        let payload = serde_json::from_slice(&payload).map_err(|_| SessionTokenError::Claims)?;
        accept(payload, public_url, now)
    }

    /// The key that a token with this header says it was signed with.
    fn key_for(&self, head: &str) -> Result<&SigningKey, SessionTokenError> {
        let is_known = |signing: &&SigningKey| signing.header.get().is_some_and(|it| it == head);
        if let Some(signing) = self.keys.iter().find(is_known) {
            return Ok(signing);
        }
        let header = header(head).ok_or(SessionTokenError::Malformed)?;
        if header.alg != "HS256" || header.typ != TYP {
            return Err(SessionTokenError::Malformed);
        }
        let mut keys = self.keys.iter();
        keys.find(|signing| signing.kid == header.kid)
            .ok_or(SessionTokenError::UnknownKey)
    }

    /// Whether `token` says of itself that it is one of our session tokens. Decides who verifies
    /// it, nothing else.
    #[must_use]
    pub fn recognises(token: &str) -> bool {
        let head = token.split_once('.').map(|(head, _)| head);
        token.len() <= MAX_TOKEN
            && head
                .and_then(header)
                .is_some_and(|header| header.typ == TYP)
    }
}

impl fmt::Debug for SessionSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionSigner")
            .field("keys", &self.keys.len())
            .finish()
    }
}

fn header(head: &str) -> Option<Header> {
    if head.len() > MAX_HEADER {
        return None;
    }
    serde_json::from_slice(&from_base64url(head)?).ok()
}

fn accept(
    payload: Payload,
    public_url: &str,
    now: Timestamp,
) -> Result<SessionClaims, SessionTokenError> {
    if payload.iss != public_url || payload.aud != public_url {
        return Err(SessionTokenError::Audience);
    }
    let issued_at = Timestamp::from_secs(payload.iat);
    let expires_at = Timestamp::from_secs(payload.exp);
    if now > expires_at.plus(SKEW) {
        return Err(SessionTokenError::Expired);
    }
    if issued_at > now.plus(SKEW) {
        return Err(SessionTokenError::NotYetValid);
    }
    Ok(SessionClaims {
        issuer: payload.iss,
        subject: payload.sub,
        subject_issuer: payload.sub_iss,
        person_id: payload.person_id,
        tenant_id: payload.tenant_id,
        workspace_id: payload.workspace_id,
        role: payload.role,
        admin_role: payload.admin_role,
        personal_workspace_id: payload.personal_workspace_id,
        email: payload.email,
        name: payload.name,
        sid: payload.sid,
        generation: payload.generation,
        jti: payload.jti,
        issued_at,
        expires_at,
    })
}

/// `jwt-simple` keeps 32 bits of seconds; what doesn't fit would wrap around.
fn seconds(time: Timestamp) -> Result<UnixTimeStamp, SignError> {
    u32::try_from(time.secs())
        .map(|seconds| UnixTimeStamp::from_secs(seconds.into()))
        .map_err(|_| SignError::Lifetime)
}
