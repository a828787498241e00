//! New identifiers.

use scaigate_kv::people::FreshIds;
use scaigate_problem::{Code, Problem};
use scaigate_types::encoding::base64url;
use scaigate_types::{Entropy, PersonId, SessionId, WorkspaceId};

use crate::ports::Ports;

fn text(ports: &impl Ports, prefix: &str) -> String {
    format!("{prefix}_{}", base64url(&ports.entropy().bytes::<16>()))
}

fn internal<E>(_: E) -> Problem {
    Problem::new(Code::Internal)
}

/// For a person and the default workspace of a tenant, whichever do not exist yet.
pub(crate) fn person(ports: &impl Ports) -> Result<FreshIds, Problem> {
    Ok(FreshIds {
        person_id: PersonId::parse(&text(ports, "per")).map_err(internal)?,
        workspace_id: workspace_id(ports)?,
    })
}

/// For a workspace.
pub(crate) fn workspace_id(ports: &impl Ports) -> Result<WorkspaceId, Problem> {
    WorkspaceId::parse(&text(ports, "ws")).map_err(internal)
}

/// For a session.
pub(crate) fn session_id(ports: &impl Ports) -> Result<SessionId, Problem> {
    SessionId::parse(&text(ports, "ses")).map_err(internal)
}
