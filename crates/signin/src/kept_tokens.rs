//! ScaiKey's tokens of a sign-in, kept sealed in the session's row: the caller's own token for what
//! is done on their behalf.

use scaigate_jose::{SealContext, Sealer};
use scaigate_kv::session;
use scaigate_problem::{Code, Problem};
use scaigate_scaikey::TokenResponse;
use scaigate_types::{Clock, Secret, SessionId, Timestamp};

use crate::failure;
use crate::held_tokens::LEAST_LIFE;
use crate::ports::Ports;
use crate::settings::TokenKeeper;
use crate::upstream_refresh::{self, Refreshed};

/// The tokens.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct KeptTokens {
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

fn context(sid: &SessionId) -> SealContext<'_> {
    SealContext {
        purpose: "scaikey_tokens",
        owner: sid.as_str(),
    }
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

    /// What follows after a refresh: ScaiKey need not repeat what stays the same.
    fn refreshed(self, refreshed: Refreshed) -> Self {
        Self {
            v: 1,
            access_token: refreshed.access_token,
            refresh_token: refreshed.refresh_token.or(self.refresh_token),
            id_token: refreshed.id_token.or(self.id_token),
            expires_at: refreshed.expires_at,
        }
    }

    /// Seals them for the session's row.
    ///
    /// # Errors
    /// [`Code::Internal`] when they can't be written.
    pub fn seal(
        &self,
        ports: &impl Ports,
        sealer: &Sealer,
        sid: &SessionId,
    ) -> Result<Vec<u8>, Problem> {
        let record = serde_json::to_vec(self).map_err(|_| Problem::new(Code::Internal))?;
        Ok(sealer.seal(ports.entropy(), &context(sid), &record))
    }

    /// Opens what [`KeptTokens::seal`] sealed; `None` when its key is no longer configured.
    pub fn open(sealer: &Sealer, sid: &SessionId, sealed: &[u8]) -> Option<Self> {
        let record = sealer.open(&context(sid), sealed).ok()?;
        serde_json::from_slice(record.expose()).ok()
    }
}

/// There is no token of ScaiKey to act with for this caller.
pub(crate) fn login_required() -> Problem {
    Problem::new(Code::ScaikeyLoginRequired)
}

/// An access token of ScaiKey for the session's person, refreshed there first if need be: once,
/// however many callers need it.
///
/// # Errors
/// [`Code::ScaikeyLoginRequired`] when there is none to be had; ScaiKey or the database does not
/// answer.
pub async fn access_token(
    ports: &impl Ports,
    keeper: TokenKeeper<'_>,
    sid: &SessionId,
) -> Result<(Secret<String>, Timestamp), Problem> {
    let held = &ports.memory().tokens;
    let key = format!("session {sid}");
    if let Some(token) = held.get(&key, ports.clock().now()) {
        return Ok(token);
    }
    let kept = current(ports, keeper, sid).await?;
    let token = (Secret::new(kept.access_token), kept.expires_at);
    held.put(key, token.clone(), ports.clock().now());
    Ok(token)
}

async fn read(
    ports: &impl Ports,
    keeper: TokenKeeper<'_>,
    sid: &SessionId,
) -> Result<(Vec<u8>, KeptTokens), Problem> {
    let session = session::find(ports.db(), sid)
        .await
        .map_err(failure::database)?
        .ok_or_else(|| Problem::new(Code::TokenRevoked))?;
    let sealed = session.scaikey_tokens.ok_or_else(login_required)?;
    let kept = KeptTokens::open(keeper.sealer, sid, &sealed);
    Ok((sealed, kept.ok_or_else(login_required)?))
}

async fn current(
    ports: &impl Ports,
    keeper: TokenKeeper<'_>,
    sid: &SessionId,
) -> Result<KeptTokens, Problem> {
    let is_good = |kept: &KeptTokens, now: Timestamp| kept.expires_at > now.plus(LEAST_LIFE);
    let (sealed, kept) = read(ports, keeper, sid).await?;
    if is_good(&kept, ports.clock().now()) {
        return Ok(kept);
    }
    let refresh_token = kept.refresh_token.clone().ok_or_else(login_required)?;
    let refreshed = upstream_refresh::refresh(ports, keeper, &Secret::new(refresh_token)).await;
    let refreshed = match refreshed {
        Ok(refreshed) => refreshed,
        Err(problem) if problem.code() == Code::InvalidGrant => {
            // Another request may have been given the successor and kept it already.
            let (now_sealed, kept) = read(ports, keeper, sid).await?;
            if now_sealed != sealed && is_good(&kept, ports.clock().now()) {
                return Ok(kept);
            }
            return Err(login_required());
        }
        Err(problem) => return Err(problem),
    };
    let next = kept.refreshed(refreshed);
    let next_sealed = next.seal(ports, keeper.sealer, sid)?;
    // Everybody who was given this answer keeps the same; one who was slow replaces nothing newer.
    let replace = || session::replace_tokens(ports.db(), sid, &sealed, &next_sealed);
    if replace().await.is_err() {
        // Once more: when the answer is forgotten, these are the only tokens there are.
        replace().await.map_err(failure::database)?;
    }
    Ok(next)
}
