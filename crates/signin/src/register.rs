//! Making a caller a participant (`POST /v1/auth/register`, `contract/scaiwave-scaicrew-scaigrid.md`
//! 1.6): idempotent, also when many requests do it at once.

use scaigate_kv::people::{self, Arrival, Person};
use scaigate_problem::{Code, Problem};
use scaigate_types::{AdminRole, Clock, Database, Transaction, WorkspaceId};

use crate::failure;
use crate::fresh;
use crate::ports::Ports;
use crate::principal::User;
use crate::scaikey::is_admin_role;

/// A participant.
#[derive(Debug)]
pub struct Registered {
    /// The participant.
    pub person: Person,
    /// Their own workspace.
    pub personal_workspace_id: WorkspaceId,
    /// Whether this request made it.
    pub created: bool,
}

/// Makes sure that the caller has a row here and a workspace of their own.
///
/// # Errors
/// [`Code::PersonSuspended`], or the database does not answer; then the same request can be sent
/// again.
pub async fn register(ports: &impl Ports, user: &User) -> Result<Registered, Problem> {
    let arrival = Arrival {
        issuer: &user.issuer,
        subject: &user.subject,
        tenant_id: &user.tenant_id,
        email: user.email.as_deref(),
        name: user.name.as_deref(),
        is_tenant_admin: user.admin_role >= Some(AdminRole::TenantAdmin)
            || user.roles.iter().any(|role| is_admin_role(role)),
        // Only an ID token says whose address it is.
        is_bootstrap_super_admin: false,
    };
    let ids = fresh::person(ports)?;
    let personal = fresh::workspace_id(ports)?;
    let now = ports.clock().now();
    let tx = ports.db().begin().await.map_err(failure::database)?;
    let registration = people::register(&tx, &arrival, &ids, &personal, now)
        .await
        .map_err(failure::database)?;
    tx.commit().await.map_err(failure::database)?;
    let registration = registration.ok_or_else(|| Problem::new(Code::PersonSuspended))?;
    Ok(Registered {
        person: registration.person,
        personal_workspace_id: registration.personal_workspace_id,
        created: registration.created,
    })
}
