//! Signing out (`POST /v1/auth/logout`).

use scaigate_jose::RefreshToken;
use scaigate_kv::session;
use scaigate_problem::{Code, Problem};
use scaigate_scaikey::revocation::{self, TokenHint};
use scaigate_scaikey::{Metadata, end_session};
use scaigate_types::{Clock, Outbound, ReturnTo, Secret, SessionId};
use serde_json::{Value, json};

use crate::kept_tokens::KeptTokens;
use crate::ports::{Deadline, Ports};
use crate::settings::Settings;
use crate::{failure, revoke, scaikey};

/// Bytes of a revocation answer that are read.
const MAX_ANSWER: usize = 16_384;

/// What a caller brings. Either token names the session.
#[derive(Clone, Copy, Default)]
pub struct LogoutRequest<'a> {
    /// Our refresh token.
    pub refresh_token: Option<&'a str>,
    /// The session token.
    pub session_token: Option<&'a str>,
    /// Where ScaiKey's logout page sends the browser; must be one of ours.
    pub post_logout_redirect_uri: Option<&'a str>,
}

/// What was done.
#[derive(Debug)]
pub struct LoggedOut {
    /// Whether ScaiKey confirmed that its tokens of this sign-in are revoked.
    pub scaikey_revoked: bool,
    /// Where the browser goes to sign out at ScaiKey too, if it offers that.
    pub end_session_url: Option<String>,
}

impl LoggedOut {
    /// The answer.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "logged_out": true,
            "scaikey_revoked": self.scaikey_revoked,
            "end_session_url": self.end_session_url,
        })
    }
}

/// Ends the session at once, everywhere; then asks ScaiKey to revoke its tokens, which may fail
/// without undoing the first.
///
/// # Errors
/// No token that names a session ([`Code::AuthenticationRequired`]), or a store does not answer:
/// then the same request can be sent again.
pub async fn logout(
    ports: &impl Ports,
    settings: &Settings,
    request: &LogoutRequest<'_>,
) -> Result<LoggedOut, Problem> {
    let deadline = Deadline::start(ports.clock());
    let sid = named_session(ports, settings, request)?;
    let deployment = &settings.deployment;
    let back = match request.post_logout_redirect_uri {
        None => None,
        Some(text) => Some(
            ReturnTo::parse(text, &deployment.public_url, &deployment.apps).map_err(|error| {
                Problem::new(Code::ReturnToNotAllowed)
                    .with("field", "post_logout_redirect_uri")
                    .with("reason", error.to_string())
            })?,
        ),
    };
    let found = session::find(ports.db(), &sid)
        .await
        .map_err(failure::database)?;
    let kept = found.and_then(|found| {
        KeptTokens::open(&settings.sessions.sealer, &sid, &found.scaikey_tokens?)
    });
    revoke::end(ports, &sid, "logout").await?;

    let mut outcome = LoggedOut {
        scaikey_revoked: false,
        end_session_url: None,
    };
    // Signed out here already: what ScaiKey can't be told now, it is not told.
    if let Ok(metadata) = scaikey::metadata(ports, &settings.scaikey.provider, deadline).await {
        outcome.end_session_url = end_session::url(
            &metadata,
            &settings.scaikey.client.id,
            kept.as_ref().and_then(|kept| kept.id_token.as_deref()),
            back.as_ref().map(ReturnTo::as_str),
            None,
        );
        if let Some(kept) = kept {
            outcome.scaikey_revoked =
                revoke_at_scaikey(ports, settings, &metadata, kept, deadline).await;
        }
    }
    Ok(outcome)
}

fn named_session(
    ports: &impl Ports,
    settings: &Settings,
    request: &LogoutRequest<'_>,
) -> Result<SessionId, Problem> {
    let sessions = &settings.sessions;
    if let Some(text) = request.refresh_token {
        return RefreshToken::verify(&sessions.refresh, text)
            .map(|token| token.sid)
            .map_err(|_| {
                Problem::new(Code::RefreshTokenInvalid).with_oauth_error("invalid_grant")
            });
    }
    let token = request
        .session_token
        .ok_or_else(|| Problem::new(Code::AuthenticationRequired))?;
    let public_url = settings.deployment.public_url.as_str();
    sessions
        .signer
        .verify(token, public_url, ports.clock().now())
        .map(|claims| claims.sid)
        .map_err(crate::authenticate::rejected)
}

async fn revoke_at_scaikey(
    ports: &impl Ports,
    settings: &Settings,
    metadata: &Metadata,
    kept: KeptTokens,
    deadline: Deadline,
) -> bool {
    // Revoking the refresh token ends the grant and with it the access token (RFC 7009 §2.1).
    let (token, hint) = match kept.refresh_token {
        Some(token) => (token, TokenHint::RefreshToken),
        None => (kept.access_token, TokenHint::AccessToken),
    };
    let client = &settings.scaikey.client;
    let Some(request) = revocation::request(metadata, client, &Secret::new(token), hint) else {
        return false;
    };
    let limits = deadline.limits(ports.clock(), MAX_ANSWER);
    let answer = ports.outbound().send(request, limits).await;
    answer.is_ok_and(|response| revocation::succeeded(&response))
}
