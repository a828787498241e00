//! Refreshing ScaiKey's own tokens for the apps that hold them (`POST /v1/auth/refresh` with a
//! refresh token of ScaiKey): exchanged there once, however many callers bring it.

use std::time::Duration;

use scaigate_jose::{IdToken, SealContext, SessionSigner, token_hash};
use scaigate_kv::upstream_refresh::{self, ANSWER_KEPT, FAILURE_KEPT, LEASE, Owner, Turn};
use scaigate_problem::{Code, Problem};
use scaigate_scaikey::{TokenResponse, token};
use scaigate_types::{Clock, Secret, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ports::{Deadline, Ports};
use crate::settings::TokenKeeper;
use crate::{begin, failure, redeem, scaikey};

/// How often those who wait look for the answer.
const POLL: Duration = Duration::from_millis(40);

/// What a leader may take: done before its lease ends, so that nobody who waits takes a slow leader
/// for a lost one and presents the token a second time.
const LEAD: Duration = LEASE.saturating_sub(Duration::from_millis(250));

/// Longest refresh token taken.
const MAX_TOKEN: usize = 4096;

/// ScaiKey's tokens as they are handed to every caller.
#[derive(Clone, Serialize, Deserialize)]
pub struct Refreshed {
    /// ScaiKey's access token.
    pub access_token: String,
    /// The successor of the presented token.
    pub refresh_token: Option<String>,
    /// If ScaiKey sent one.
    pub id_token: Option<String>,
    /// As ScaiKey sent it.
    pub scope: Option<String>,
    /// When the access token expires.
    pub expires_at: Timestamp,
}

/// What became of a refresh, as kept for those who wait.
#[derive(Serialize, Deserialize)]
enum Outcome {
    Refreshed(Refreshed),
    /// The code of the failure; details are in the log of whoever led.
    Failed(String),
}

fn hash(refresh_token: &str) -> String {
    token_hash("scaikey_refresh_token", refresh_token)
}

fn context(token_hash: &str) -> SealContext<'_> {
    SealContext {
        purpose: "upstream_refresh",
        owner: token_hash,
    }
}

fn nonce_hash(id_token: &IdToken) -> Option<String> {
    let nonce = id_token.nonce.as_deref()?;
    Some(token_hash("nonce", nonce))
}

fn owner_of(id_token: &IdToken) -> Owner {
    Owner {
        issuer: id_token.issuer.clone(),
        subject: id_token.subject.clone(),
        auth_time: id_token.auth_time,
        nonce_hash: nonce_hash(id_token),
    }
}

/// Remembers whose a refresh token of ScaiKey is, so that its successor can be held against it.
///
/// # Errors
/// The database does not answer.
pub(crate) async fn bind(
    ports: &impl Ports,
    tokens: &TokenResponse,
    id_token: &IdToken,
) -> Result<(), Problem> {
    let Some(refresh_token) = &tokens.refresh_token else {
        return Ok(());
    };
    upstream_refresh::bind(
        ports.db(),
        &hash(refresh_token.expose()),
        &owner_of(id_token),
        ports.clock().now(),
    )
    .await
    .map_err(failure::database)
}

/// Refreshes at ScaiKey, or hands over what another request got for the same token.
///
/// # Errors
/// ScaiKey refuses or does not answer; its answer is for somebody else (N-049, N-050); another
/// request is still at it when the time is up ([`Code::RefreshBusy`], the token stays good); or the
/// database does not answer.
pub async fn refresh(
    ports: &impl Ports,
    keeper: impl Into<TokenKeeper<'_>>,
    refresh_token: &Secret<String>,
) -> Result<Refreshed, Problem> {
    let keeper = keeper.into();
    let text = refresh_token.expose();
    // What we issued for another purpose is nothing to ScaiKey, and never leaves for it (N-031).
    let ours = text.starts_with(redeem::CODE_PREFIX) || SessionSigner::recognises(text);
    let printable = text.bytes().all(|c| c.is_ascii_graphic());
    if ours || text.is_empty() || text.len() > MAX_TOKEN || !printable {
        return Err(Problem::new(Code::RefreshTokenInvalid).with_oauth_error("invalid_grant"));
    }
    let deadline = Deadline::start(ports.clock());
    let token_hash = hash(text);
    let owner = begin::token(ports.entropy());
    loop {
        let now = ports.clock().now();
        let lead_until = deadline.within(ports.clock(), LEAD);
        let turn = upstream_refresh::turn(ports.db(), &token_hash, &owner, now)
            .await
            .map_err(failure::database)?;
        match turn {
            Turn::Answer(sealed) => return read(keeper, &token_hash, &sealed),
            Turn::Lead => {
                return lead(
                    ports,
                    keeper,
                    refresh_token,
                    &token_hash,
                    &owner,
                    lead_until,
                )
                .await;
            }
            Turn::Wait if deadline.left(ports.clock()).is_zero() => {
                return Err(
                    Problem::new(Code::RefreshBusy).with_retry_after(Duration::from_secs(1))
                );
            }
            Turn::Wait => ports.clock().sleep(POLL).await,
        }
    }
}

fn read(keeper: TokenKeeper<'_>, token_hash: &str, sealed: &[u8]) -> Result<Refreshed, Problem> {
    let outcome = keeper
        .sealer
        .open(&context(token_hash), sealed)
        .ok()
        .and_then(|record| serde_json::from_slice(record.expose()).ok());
    match outcome {
        Some(Outcome::Refreshed(refreshed)) => Ok(refreshed),
        Some(Outcome::Failed(name)) => {
            let code = Code::ALL.iter().copied().find(|code| code.as_str() == name);
            Err(with_oauth_error(Problem::new(
                code.unwrap_or(Code::ScaikeyUnavailable),
            )))
        }
        None => Err(Problem::new(Code::RefreshBusy).with_retry_after(ANSWER_KEPT)),
    }
}

fn with_oauth_error(problem: Problem) -> Problem {
    if problem.code() == Code::InvalidGrant {
        problem.with_oauth_error("invalid_grant")
    } else {
        problem
    }
}

async fn lead(
    ports: &impl Ports,
    keeper: TokenKeeper<'_>,
    refresh_token: &Secret<String>,
    token_hash: &str,
    owner: &str,
    deadline: Deadline,
) -> Result<Refreshed, Problem> {
    let called = call(ports, keeper, refresh_token, token_hash, deadline).await;
    let now = ports.clock().now();
    let (outcome, kept) = match &called {
        Ok(refreshed) => (Outcome::Refreshed(refreshed.clone()), ANSWER_KEPT),
        Err(failed) => {
            if !failed.is_final {
                // Somebody who waits may try once more at once, if there is a try left.
                let more = upstream_refresh::release(ports.db(), token_hash, owner).await;
                if more == Ok(true) {
                    return Err(failed.problem.clone());
                }
            }
            let kept = if failed.is_final {
                ANSWER_KEPT
            } else {
                FAILURE_KEPT
            };
            (
                Outcome::Failed(failed.problem.code().as_str().to_owned()),
                kept,
            )
        }
    };
    if let Ok(record) = serde_json::to_vec(&outcome) {
        let sealed = keeper
            .sealer
            .seal(ports.entropy(), &context(token_hash), &record);
        let finish = || upstream_refresh::finish(ports.db(), token_hash, &sealed, now, kept);
        // Once more if need be: those who wait would present the spent token when the lease ends.
        // The caller who holds the answer gets it even if the others can't.
        if finish().await.is_err() {
            let _ = finish().await;
        }
    }
    called.map_err(|failed| failed.problem)
}

struct Failed {
    problem: Problem,
    /// Asking again is of no use.
    is_final: bool,
}

async fn call(
    ports: &impl Ports,
    keeper: TokenKeeper<'_>,
    refresh_token: &Secret<String>,
    token_hash: &str,
    deadline: Deadline,
) -> Result<Refreshed, Failed> {
    let passing = |problem| Failed {
        problem,
        is_final: false,
    };
    let scaikey = keeper.client().map_err(passing)?;
    let bound = upstream_refresh::bound(ports.db(), token_hash)
        .await
        .map_err(|error| passing(failure::database(error)))?;
    let metadata = scaikey::metadata(ports, &scaikey.provider, deadline)
        .await
        .map_err(passing)?;
    scaikey::ready_for_grant(ports, &metadata, deadline)
        .await
        .map_err(passing)?;
    let request = token::refresh_request(&metadata, &scaikey.client, refresh_token);
    let tokens = scaikey::grant(ports, request, "refresh_token", None, deadline)
        .await
        .map_err(|failure| Failed {
            is_final: failure.refused,
            problem: failure.problem,
        })?;
    let mut owner = bound;
    if tokens.id_token.is_some() {
        let identity =
            scaikey::verify(ports, &scaikey.provider, &metadata, &tokens, None, deadline)
                .await
                .map_err(|problem| Failed {
                    problem,
                    is_final: true,
                })?;
        let id_token = identity.id_token;
        if let Some(bound) = &owner {
            check_same(bound, &id_token).map_err(|problem| Failed {
                problem,
                is_final: true,
            })?;
        } else {
            owner = Some(owner_of(&id_token));
        }
    }
    let now = ports.clock().now();
    if let (Some(next), Some(owner)) = (&tokens.refresh_token, &owner) {
        // Without it the next refresh is checked less, not wrongly.
        let _ = upstream_refresh::bind(ports.db(), &hash(next.expose()), owner, now).await;
    }
    let text = |secret: &Secret<String>| secret.expose().clone();
    Ok(Refreshed {
        access_token: text(&tokens.access_token),
        refresh_token: tokens.refresh_token.as_ref().map(text),
        id_token: tokens.id_token.as_ref().map(text),
        scope: tokens.scope.clone(),
        expires_at: now.plus(tokens.expires_in),
    })
}

/// A refreshed ID token must be of the same person and sign-in (OIDC Core §12.2).
fn check_same(owner: &Owner, id_token: &IdToken) -> Result<(), Problem> {
    let Owner {
        issuer,
        subject,
        auth_time,
        nonce_hash: nonce,
    } = owner;
    let refuse = |reason: &str| Err(Problem::new(Code::IdTokenInvalid).with("reason", reason));
    if &id_token.issuer != issuer {
        return refuse("refreshed by another issuer");
    }
    if &id_token.subject != subject {
        return refuse("refreshed for another person");
    }
    if auth_time.is_some() && id_token.auth_time.is_some() && &id_token.auth_time != auth_time {
        return refuse("refreshed with another time of authentication");
    }
    if id_token.nonce.is_some() && &nonce_hash(id_token) != nonce {
        return refuse("refreshed with another nonce");
    }
    Ok(())
}
