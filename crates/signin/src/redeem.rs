//! Redeeming a session code (`POST /v1/auth/token`).

use scaigate_jose::{constant_time_eq, pkce_challenge, token_hash};
use scaigate_kv::people::{self, Membership};
use scaigate_kv::session::{self, Code as SessionCode, PendingCode};
use scaigate_problem::{Code, Problem};
use scaigate_types::{Clock, WorkspaceId};

use crate::ports::Ports;
use crate::settings::Settings;
use crate::{SessionAnswer, failure};

/// How every session code begins.
pub(crate) const CODE_PREFIX: &str = "sgc_";

/// Digest of a session code.
pub(crate) fn code_hash(code: &str) -> String {
    token_hash("session_code", code)
}

/// What an app brings.
#[derive(Clone, Copy)]
pub struct RedeemRequest<'a> {
    /// The code the browser came back with.
    pub session_code: &'a str,
    /// Required when the login carried a challenge.
    pub code_verifier: Option<&'a str>,
    /// The chosen workspace.
    pub workspace_id: Option<&'a str>,
}

/// What it gets.
#[derive(Debug)]
pub enum Redeemed {
    /// A session.
    Session(Box<SessionAnswer>),
    /// Several workspaces: the code stays good for the call that names one.
    RequiresSelection(Vec<Membership>),
}

/// Redeems a session code. Of any number of parallel calls with one code exactly one gets the
/// session.
///
/// # Errors
/// The code is not good, not this app's, or leads to no workspace or to a session that is over; or
/// the database does not answer.
pub async fn redeem(
    ports: &impl Ports,
    settings: &Settings,
    request: &RedeemRequest<'_>,
) -> Result<Redeemed, Problem> {
    let code_hash = code_hash(request.session_code);
    let pending = match peek(ports, &code_hash).await? {
        Ok(pending) => pending,
        Err(code) => return Err(Problem::new(code)),
    };
    if let Some(challenge) = &pending.code_challenge {
        let Some(verifier) = request.code_verifier else {
            return Err(Problem::new(Code::CodeVerifierRequired));
        };
        if verifier.len() > 128 || !constant_time_eq(pkce_challenge(verifier), challenge) {
            return Err(Problem::new(Code::CodeVerifierMismatch));
        }
    } else if request.code_verifier.is_some() {
        // An app that has a verifier began with a challenge: this code is of another login, slipped
        // to it (RFC 9700 §4.8.2).
        return Err(Problem::new(Code::CodeVerifierMismatch));
    }
    let session = pending.session;
    // ScaiKey may have given it less time than the code has (`session_expiry`).
    if session.expires_at <= ports.clock().now() {
        return Err(Problem::new(Code::SessionEnded));
    }
    let person = people::find(ports.db(), &session.person_id)
        .await
        .map_err(failure::database)?
        .filter(|person| person.is_active)
        .ok_or_else(|| Problem::new(Code::PersonSuspended))?;
    let mut workspaces = people::workspaces(ports.db(), &person.person_id, &session.tenant_id)
        .await
        .map_err(failure::database)?;
    let workspace = match request.workspace_id {
        Some(id) => select(workspaces, id)?,
        None if workspaces.len() > 1 => return Ok(Redeemed::RequiresSelection(workspaces)),
        None => workspaces
            .pop()
            .ok_or_else(|| Problem::new(Code::NoWorkspace))?,
    };
    let now = ports.clock().now();
    let redeemed = session::redeem(ports.db(), &code_hash, &workspace.workspace_id, now)
        .await
        .map_err(failure::database)?;
    if !redeemed {
        let code = peek(ports, &code_hash).await?.err();
        return Err(Problem::new(code.unwrap_or(Code::SessionCodeAlreadyUsed)));
    }
    let answer = SessionAnswer::mint(ports, settings, &session, person, workspace)?;
    Ok(Redeemed::Session(Box::new(answer)))
}

async fn peek(ports: &impl Ports, code_hash: &str) -> Result<Result<PendingCode, Code>, Problem> {
    let code = session::peek_code(ports.db(), code_hash, ports.clock().now())
        .await
        .map_err(failure::database)?;
    Ok(match code {
        SessionCode::Pending(pending) => Ok(pending),
        SessionCode::Unknown => Err(Code::SessionCodeUnknown),
        SessionCode::Expired => Err(Code::SessionCodeExpired),
        SessionCode::AlreadyUsed => Err(Code::SessionCodeAlreadyUsed),
    })
}

/// The workspace with this identifier, among those the person is a member of.
pub(crate) fn select(workspaces: Vec<Membership>, id: &str) -> Result<Membership, Problem> {
    let id = WorkspaceId::parse(id)
        .map_err(|_| Problem::invalid_field("workspace_id", "not a workspace identifier"))?;
    workspaces
        .into_iter()
        .find(|workspace| workspace.workspace_id == id)
        .ok_or_else(|| {
            Problem::new(Code::WorkspaceForbidden).with_sw_code("SW_WORKSPACE_FORBIDDEN")
        })
}
