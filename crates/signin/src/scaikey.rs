//! ScaiKey as the flows see it: its discovery document, its keys and its token endpoint, with what
//! is remembered of them.
//!
//! Documents are fresh for ten minutes, in the instance and in the key-value store; while ScaiKey
//! does not answer, the last good one serves for a day. An unknown key is looked for at once, at
//! most every thirty seconds.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use scaigate_jose::{
    IdToken, IdTokenError, IdTokenExpectation, Jwks, UnverifiedJwt, VerifyError, token_hash,
    verify_id_token,
};
use scaigate_kv::document::{self, Document};
use scaigate_kv::keys;
use scaigate_problem::{Code, Problem};
use scaigate_scaikey::{
    DiscoveryError, Metadata, TokenError, TokenResponse, discovery, jwks, token,
};
use scaigate_types::{Clock, Outbound, OutboundError, Secret, TenantId, Timestamp};

use crate::failure;
use crate::ports::{Deadline, Ports};
use crate::settings::Scaikey;

const FRESH: Duration = Duration::from_secs(600);
const SERVED_WHILE_DOWN: Duration = Duration::from_secs(24 * 3600);
const UNKNOWN_KEY_REFETCH: Duration = Duration::from_secs(30);
/// Least time for which it is worth sending what ScaiKey takes only once.
const GRANT: Duration = Duration::from_millis(1_500);
/// How far ScaiKey's clock may differ from ours.
const SKEW: Duration = Duration::from_secs(60);

/// What an instance remembers of ScaiKey.
#[derive(Debug, Default)]
pub struct Memory {
    metadata: RefCell<Option<(Timestamp, Rc<Metadata>)>>,
    keys: RefCell<Option<KnownKeys>>,
}

/// ScaiKey's keys and how they were come by.
#[derive(Clone, Debug)]
struct KnownKeys {
    fetched_at: Timestamp,
    /// When they were last read because a token named a key that was not among them.
    sought_at: Option<Timestamp>,
    keys: Rc<Jwks>,
}

impl KnownKeys {
    /// Whether they serve without asking ScaiKey again. For a token that other keys did not verify:
    /// if they verify it, or have been sought for such a token so lately that ScaiKey is not asked.
    fn serve(&self, unverified: Option<&UnverifiedJwt<'_>>, now: Timestamp) -> bool {
        is_fresh(self.fetched_at, now, FRESH)
            && unverified.is_none_or(|jwt| {
                self.sought_at
                    .is_some_and(|at| is_fresh(at, now, UNKNOWN_KEY_REFETCH))
                    || self.keys.verify(jwt).is_ok()
            })
    }
}

fn is_fresh(fetched_at: Timestamp, now: Timestamp, age: Duration) -> bool {
    // A document from the future is one from before the clock was set back: not fresh.
    fetched_at <= now && now.since(fetched_at) < age
}

/// ScaiKey's discovery document.
///
/// # Errors
/// Why there is none, with what to do.
pub async fn metadata(
    ports: &impl Ports,
    scaikey: &Scaikey,
    deadline: Deadline,
) -> Result<Rc<Metadata>, Problem> {
    let now = ports.clock().now();
    let remembered = ports.memory().metadata.borrow().clone();
    if let Some((fetched_at, metadata)) = &remembered
        && is_fresh(*fetched_at, now, FRESH)
    {
        return Ok(Rc::clone(metadata));
    }
    let key = keys::discovery(&token_hash("discovery", scaikey.base.as_str()));
    // A key-value store that is down costs a call to ScaiKey, no more.
    let stored = document::load(ports.kv(), &key).await.unwrap_or(None);
    let read = |document: &Document| {
        serde_json::from_str::<Metadata>(&document.body)
            .ok()
            .filter(|metadata| metadata.check(&scaikey.base).is_ok())
            .map(|metadata| (document.fetched_at, Rc::new(metadata)))
    };
    let stored = stored.as_ref().and_then(read);
    if let Some((fetched_at, metadata)) = &stored
        && is_fresh(*fetched_at, now, FRESH)
    {
        ports
            .memory()
            .metadata
            .replace(Some((*fetched_at, Rc::clone(metadata))));
        return Ok(Rc::clone(metadata));
    }
    match fetch_metadata(ports, scaikey, deadline).await {
        Ok(metadata) => {
            let now = ports.clock().now();
            let metadata = Rc::new(metadata);
            if let Ok(body) = serde_json::to_string(&*metadata) {
                let _ = document::save(ports.kv(), &key, &Document::new(now, body)).await;
            }
            ports
                .memory()
                .metadata
                .replace(Some((now, Rc::clone(&metadata))));
            Ok(metadata)
        }
        Err(problem) => {
            let last_good = [remembered, stored]
                .into_iter()
                .flatten()
                .filter(|(fetched_at, _)| is_fresh(*fetched_at, now, SERVED_WHILE_DOWN))
                .max_by_key(|(fetched_at, _)| *fetched_at);
            match last_good {
                Some((_, metadata)) if is_outage(&problem) => Ok(metadata),
                _ => Err(problem),
            }
        }
    }
}

/// Whether ScaiKey is down, as against answering something that can't be right.
fn is_outage(problem: &Problem) -> bool {
    matches!(
        problem.code(),
        Code::ScaikeyUnreachable
            | Code::ScaikeyTimeout
            | Code::ScaikeyUnavailable
            | Code::ScaikeyRateLimited
            | Code::ScaikeyInvalidResponse
            | Code::JwksUnavailable
    )
}

async fn fetch_metadata(
    ports: &impl Ports,
    scaikey: &Scaikey,
    deadline: Deadline,
) -> Result<Metadata, Problem> {
    let mut last = DiscoveryError::NotFound;
    for request in discovery::requests(&scaikey.base) {
        let response = send(ports, request, deadline, discovery::MAX_BYTES).await?;
        match discovery::parse_response(&scaikey.base, &response) {
            Ok(metadata) => return Ok(metadata),
            Err(DiscoveryError::NotFound) => last = DiscoveryError::NotFound,
            Err(error) => {
                last = error;
                break;
            }
        }
    }
    Err(failure::discovery(&last))
}

async fn send(
    ports: &impl Ports,
    request: Request<Bytes>,
    deadline: Deadline,
    max_body: usize,
) -> Result<Response<Bytes>, Problem> {
    let limits = deadline.limits(ports.clock(), max_body);
    ports
        .outbound()
        .send(request, limits)
        .await
        .map_err(failure::outbound)
}

/// ScaiKey's keys; for a token that the keys at hand do not verify, read anew unless that was done
/// for such a token in the last thirty seconds. That they have only just been read anyway is no
/// reason not to: ScaiKey may have rotated them since (N-071).
async fn key_set(
    ports: &impl Ports,
    metadata: &Metadata,
    unverified: Option<&UnverifiedJwt<'_>>,
    deadline: Deadline,
) -> Result<Rc<Jwks>, Problem> {
    let now = ports.clock().now();
    let remembered = ports.memory().keys.borrow().clone();
    if let Some(known) = &remembered
        && known.serve(unverified, now)
    {
        return Ok(Rc::clone(&known.keys));
    }
    let key = keys::jwks(&token_hash("jwks", &metadata.jwks_uri));
    let stored = document::load(ports.kv(), &key).await.unwrap_or(None);
    let stored = stored.and_then(|document| {
        let keys = Rc::new(Jwks::parse(document.body.as_bytes()).ok()?);
        let Document {
            fetched_at,
            sought_at,
            ..
        } = document;
        Some(KnownKeys {
            fetched_at,
            sought_at,
            keys,
        })
    });
    // The last keys read are what counts: an older set may hold one that ScaiKey has withdrawn.
    let known = [remembered, stored]
        .into_iter()
        .flatten()
        .max_by_key(|known| known.fetched_at);
    if let Some(known) = &known
        && known.serve(unverified, now)
    {
        ports.memory().keys.replace(Some(known.clone()));
        return Ok(Rc::clone(&known.keys));
    }
    match fetch_keys(ports, metadata, deadline).await {
        Ok((keys, body)) => {
            let fetched_at = ports.clock().now();
            let sought_at = match unverified {
                Some(_) => Some(fetched_at),
                None => known.and_then(|known| known.sought_at),
            };
            let mut document = Document::new(fetched_at, body);
            document.sought_at = sought_at;
            let _ = document::save(ports.kv(), &key, &document).await;
            let known = KnownKeys {
                fetched_at,
                sought_at,
                keys: Rc::new(keys),
            };
            let keys = Rc::clone(&known.keys);
            ports.memory().keys.replace(Some(known));
            Ok(keys)
        }
        Err(problem) => match known {
            Some(mut known)
                if is_outage(&problem) && is_fresh(known.fetched_at, now, SERVED_WHILE_DOWN) =>
            {
                let keys = Rc::clone(&known.keys);
                if unverified.is_some() {
                    // Sought in vain is sought: an outage does not lift the limit (N-072).
                    known.sought_at = Some(now);
                    ports.memory().keys.replace(Some(known));
                }
                Ok(keys)
            }
            _ => Err(problem),
        },
    }
}

async fn fetch_keys(
    ports: &impl Ports,
    metadata: &Metadata,
    deadline: Deadline,
) -> Result<(Jwks, String), Problem> {
    let request = jwks::request(metadata);
    let limits = deadline.limits(ports.clock(), jwks::MAX_BYTES);
    let response = ports
        .outbound()
        .send(request, limits)
        .await
        .map_err(|error| Problem::new(Code::JwksUnavailable).with("reason", error.to_string()))?;
    let body = jwks::parse_response(&response).map_err(failure::keys_answer)?;
    let keys = Jwks::parse(body).map_err(failure::keys)?;
    let text = String::from_utf8(body.to_vec())
        .map_err(|_| Problem::new(Code::JwksUnavailable).with("reason", "not UTF-8"))?;
    Ok((keys, text))
}

/// Makes sure, before a code or token is sent that ScaiKey takes only once, that its answer can be
/// waited for and checked: nothing is spent for tokens that nobody could be given (N-048).
///
/// # Errors
/// [`Code::JwksUnavailable`], or [`Code::ScaikeyTimeout`] when reading the documents took so long
/// that too little time is left.
pub(crate) async fn ready_for_grant(
    ports: &impl Ports,
    metadata: &Metadata,
    deadline: Deadline,
) -> Result<(), Problem> {
    key_set(ports, metadata, None, deadline).await?;
    if deadline.left(ports.clock()) < GRANT {
        return Err(Problem::new(Code::ScaikeyTimeout));
    }
    Ok(())
}

/// Why a grant gave no tokens: the answer for the caller, and whether ScaiKey certainly never saw
/// the request.
#[derive(Debug)]
pub struct GrantFailure {
    /// The answer.
    pub problem: Problem,
    /// No connection was made.
    pub not_received: bool,
    /// ScaiKey itself refused the grant: asking again is of no use.
    pub refused: bool,
}

/// Sends a grant to the token endpoint, once. Never repeated: no grant here is idempotent.
///
/// # Errors
/// [`GrantFailure`].
pub async fn grant(
    ports: &impl Ports,
    request: Request<Bytes>,
    grant_type: &'static str,
    redirect_uri: Option<&str>,
    deadline: Deadline,
) -> Result<TokenResponse, GrantFailure> {
    let limits = deadline.limits(ports.clock(), token::MAX_BYTES);
    let response = ports
        .outbound()
        .send(request, limits)
        .await
        .map_err(|error| GrantFailure {
            problem: failure::outbound(error),
            not_received: matches!(error, OutboundError::Refused | OutboundError::Denied),
            refused: false,
        })?;
    token::parse_response(&response).map_err(|error| GrantFailure {
        problem: failure::token(&error, grant_type, redirect_uri),
        not_received: false,
        refused: matches!(error, TokenError::Refused { .. }),
    })
}

/// A person as ScaiKey's tokens prove it.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The verified ID token.
    pub id_token: IdToken,
    /// The tenant: the ID token's, or that of the access token it was issued with.
    pub tenant_id: TenantId,
    /// Whether ScaiKey calls the person an administrator of the tenant.
    pub is_tenant_admin: bool,
}

/// Verifies the tokens of a sign-in. With `nonce`, the ID token must be of that very login.
///
/// # Errors
/// The ID token is missing (N-046) or refused, or there are no keys to check it with.
pub async fn verify(
    ports: &impl Ports,
    scaikey: &Scaikey,
    metadata: &Metadata,
    tokens: &TokenResponse,
    nonce: Option<&str>,
    deadline: Deadline,
) -> Result<Identity, Problem> {
    let Some(compact) = &tokens.id_token else {
        return Err(Problem::new(Code::IdTokenInvalid).with("reason", "there is no ID token"));
    };
    let jwt = UnverifiedJwt::parse(compact.expose())
        .map_err(|error| Problem::new(Code::IdTokenInvalid).with("reason", error.to_string()))?;
    let expectation = IdTokenExpectation {
        issuer: &metadata.issuer,
        client_id: &scaikey.client.id,
        nonce,
        access_token: Some(tokens.access_token.expose()),
        now: ports.clock().now(),
        skew: SKEW,
    };
    let mut keys = key_set(ports, metadata, None, deadline).await?;
    if !keys.has_key_for(&jwt) {
        keys = key_set(ports, metadata, Some(&jwt), deadline).await?;
    }
    let id_token = match verify_id_token(&jwt, &keys, &expectation) {
        // Without `kid` nothing says that a key is missing but the signature.
        Err(IdTokenError::Verify(VerifyError::Signature)) if jwt.kid().is_none() => {
            let keys = key_set(ports, metadata, Some(&jwt), deadline).await?;
            verify_id_token(&jwt, &keys, &expectation)
        }
        outcome => outcome,
    }
    .map_err(|error| match error {
        IdTokenError::Audience => {
            failure::id_token(error).with("expected", scaikey.client.id.as_str())
        }
        _ => failure::id_token(error),
    })?;
    // The access token carries what ScaiKey leaves out of the ID token (contract/scaikey.md 2.2).
    let access = UnverifiedJwt::parse(tokens.access_token.expose())
        .ok()
        .and_then(|jwt| keys.verify(&jwt).ok())
        .filter(|claims| claims.text("sub") == Ok(Some(id_token.subject.as_str())));
    let from_access = access
        .as_ref()
        .and_then(|claims| claims.text("tenant_id").ok().flatten());
    let tenant_id = id_token
        .tenant_id
        .clone()
        .or_else(|| from_access.and_then(|text| TenantId::parse(text).ok()))
        .or_else(|| {
            let (_, tenant) = id_token.issuer.as_str().rsplit_once("/tenants/")?;
            TenantId::parse(tenant).ok()
        })
        .ok_or_else(|| Problem::new(Code::TenantClaimMissing))?;
    const ADMIN_ROLES: [&str; 3] = ["tenant_admin", "partner_admin", "super_admin"];
    let role = access
        .as_ref()
        .and_then(|claims| claims.text("role").ok().flatten());
    let is_tenant_admin = id_token
        .roles
        .iter()
        .map(String::as_str)
        .chain(role)
        .any(|role| ADMIN_ROLES.contains(&role));
    Ok(Identity {
        id_token,
        tenant_id,
        is_tenant_admin,
    })
}

/// ScaiKey's tokens as a flow keeps them, sealed, in a session's row.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct KeptTokens {
    v: u8,
    /// For calls on the person's behalf.
    pub access_token: String,
    /// For the next one.
    pub refresh_token: Option<String>,
    /// For ScaiKey's logout.
    pub id_token: Option<String>,
    /// When the access token expires.
    pub expires_at: Timestamp,
}

impl KeptTokens {
    /// The tokens of an answer received at `now`.
    #[must_use]
    pub fn of(tokens: &TokenResponse, now: Timestamp) -> Self {
        let text = |secret: &Secret<String>| secret.expose().clone();
        Self {
            v: 1,
            access_token: text(&tokens.access_token),
            refresh_token: tokens.refresh_token.as_ref().map(text),
            id_token: tokens.id_token.as_ref().map(text),
            expires_at: now.plus(tokens.expires_in),
        }
    }
}
