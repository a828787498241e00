//! Refreshing a session with our own refresh token (`POST /v1/auth/refresh`), which is also how a
//! workspace is switched.

use scaigate_jose::RefreshToken;
use scaigate_kv::session::{self, Rotation};
use scaigate_kv::{people, revocation};
use scaigate_problem::{Code, Problem};
use scaigate_types::{Clock, SessionId};

use crate::ports::Ports;
use crate::settings::Settings;
use crate::{SessionAnswer, failure, redeem};

/// Refreshes: the role and the membership are read again, the refresh token is replaced.
///
/// # Errors
/// The token is not ours, was replaced before (which ends the session), or its session has ended;
/// the person or the membership is gone; or a store does not answer, which leaves the token good.
pub async fn refresh(
    ports: &impl Ports,
    settings: &Settings,
    refresh_token: &str,
    workspace_id: Option<&str>,
) -> Result<SessionAnswer, Problem> {
    let token = RefreshToken::verify(&settings.sessions.refresh, refresh_token)
        .map_err(|_| oauth(Code::RefreshTokenInvalid))?;
    let now = ports.clock().now();
    let found = session::find(ports.db(), &token.sid)
        .await
        .map_err(failure::database)?
        .ok_or_else(|| oauth(Code::SessionEnded))?;
    // What may be refused for another reason is looked at first: a refusal must not cost the token.
    let person = people::find(ports.db(), &found.person_id)
        .await
        .map_err(failure::database)?;
    let Some(person) = person.filter(|person| person.is_active) else {
        end(ports, &token.sid, "person_inactive").await?;
        return Err(oauth(Code::SessionEnded));
    };
    let workspaces = people::workspaces(ports.db(), &person.person_id, &found.tenant_id)
        .await
        .map_err(failure::database)?;
    let current = found.workspace_id.clone();
    let wanted = match (workspace_id, &current) {
        (Some(id), _) => id,
        (None, Some(id)) => id.as_str(),
        (None, None) => return Err(oauth(Code::RefreshTokenInvalid)),
    };
    let workspace = redeem::select(workspaces, wanted)?;
    let rotated = session::rotate(ports.db(), &token.sid, token.generation, now)
        .await
        .map_err(failure::database)?;
    let session = match rotated {
        Rotation::Current(session) => session,
        Rotation::Reused(sid) => {
            revocation::revoke(ports.kv(), &sid, now)
                .await
                .map_err(failure::kv)?;
            return Err(oauth(Code::RefreshTokenReused));
        }
        Rotation::Ended => {
            // Whoever ended it may have been cut short before the record was written.
            revocation::revoke(ports.kv(), &token.sid, now)
                .await
                .map_err(failure::kv)?;
            return Err(oauth(Code::SessionEnded));
        }
        Rotation::Unknown => return Err(oauth(Code::SessionEnded)),
    };
    if current.as_ref() != Some(&workspace.workspace_id) {
        session::switch_workspace(ports.db(), &session.sid, &workspace.workspace_id)
            .await
            .map_err(failure::database)?;
    }
    SessionAnswer::mint(ports, settings, &session, person, workspace)
}

/// Ends a session everywhere: the record that every request reads first, then its row.
pub(crate) async fn end(ports: &impl Ports, sid: &SessionId, reason: &str) -> Result<(), Problem> {
    let now = ports.clock().now();
    revocation::revoke(ports.kv(), sid, now)
        .await
        .map_err(failure::kv)?;
    session::end(ports.db(), sid, reason, now)
        .await
        .map_err(failure::database)
}

fn oauth(code: Code) -> Problem {
    Problem::new(code).with_oauth_error("invalid_grant")
}
