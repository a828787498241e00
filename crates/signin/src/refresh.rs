//! Refreshing a session with our own refresh token (`POST /v1/auth/refresh`), which is also how a
//! workspace is switched.

use scaigate_jose::RefreshToken;
use scaigate_kv::people::{self, Membership, Person};
use scaigate_kv::revocation;
use scaigate_kv::session::{self, Rotation, Session};
use scaigate_problem::{Code, Problem};
use scaigate_types::{Clock, WorkspaceId};

use crate::ports::Ports;
use crate::settings::Settings;
use crate::{SessionAnswer, failure, redeem, revoke};

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
    let (_, workspace) = standing(ports, &found, workspace_id).await?;
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
    // A role that changed since was narrowed to the generations before this one: what this token
    // says must be read after it was made.
    let wanted = Some(workspace.workspace_id.as_str());
    let (person, workspace) = standing(ports, &found, wanted).await?;
    if found.workspace_id.as_ref() != Some(&workspace.workspace_id) {
        session::switch_workspace(ports.db(), &session.sid, &workspace.workspace_id)
            .await
            .map_err(failure::database)?;
    }
    SessionAnswer::mint(ports, settings, &session, person, workspace)
}

/// Who the session's person is now, and what in the wanted workspace, else the session's.
async fn standing(
    ports: &impl Ports,
    session: &Session,
    workspace_id: Option<&str>,
) -> Result<(Person, Membership), Problem> {
    let person = people::find(ports.db(), &session.person_id)
        .await
        .map_err(failure::database)?;
    let Some(person) = person.filter(|person| person.is_active) else {
        revoke::end(ports, &session.sid, "person_inactive").await?;
        return Err(oauth(Code::SessionEnded));
    };
    let workspaces = people::workspaces(ports.db(), &person.person_id, &session.tenant_id)
        .await
        .map_err(failure::database)?;
    let wanted = workspace_id
        .or(session.workspace_id.as_ref().map(WorkspaceId::as_str))
        .ok_or_else(|| oauth(Code::RefreshTokenInvalid))?;
    Ok((person, redeem::select(workspaces, wanted)?))
}

fn oauth(code: Code) -> Problem {
    Problem::new(code).with_oauth_error("invalid_grant")
}
