//! What a caller may do here: `scaicore:view` and `scaicore:manage` (`contract/scaiflow.md` section 3),
//! for ScaiGrid, flows and the catalog alike (`product.md` section 7).
//!
//! ScaiKey's token decides where it says anything: it has `permissions`, or a scope that begins with
//! `scaicore:`. Neither name implies the other there. Otherwise the role here does: administrators hold
//! both, authors and above both, viewers and operators the first. The role is that in the tenant's
//! default workspace. In a personal one everybody is admin, which says nothing about the tenant and its
//! budget.

use scaigate_kv::people::{self, InDefault};
use scaigate_problem::{Code, Problem};
use scaigate_scaigrid::path::Permission;
use scaigate_signin::{Ports, Principal, User, failure};
use scaigate_types::WorkspaceRole;

const FAMILY: &str = "scaicore:";
const FIX: &str = "`details.required` is what is missing, `details.present` what the caller has. ScaiKey's token says it, or the role in the tenant's default workspace: viewers hold scaicore:view, authors scaicore:manage too.";

/// A permission that was looked for and found. Made by [`require`] alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted(Permission);

impl Granted {
    /// Which.
    #[must_use]
    pub const fn permission(self) -> Permission {
        self.0
    }
}

/// Looks whether `principal` holds `permission`.
///
/// # Errors
/// [`Code::InsufficientScope`] (S-17); the database does not answer.
pub async fn require(
    ports: &impl Ports,
    principal: &Principal,
    permission: Permission,
) -> Result<Granted, Problem> {
    let present = match principal {
        Principal::Service(service) => of_token(&service.permissions, &service.scopes),
        Principal::User(user) | Principal::Dev(user) => {
            let says = !user.permissions.is_empty()
                || user.scopes.iter().any(|scope| scope.starts_with(FAMILY));
            if says {
                of_token(&user.permissions, &user.scopes)
            } else {
                of_role(ports, user).await?
            }
        }
    };
    if present.iter().any(|held| held == permission.as_str()) {
        return Ok(Granted(permission));
    }
    Err(Problem::new(Code::InsufficientScope)
        .with("required", [permission.as_str()].as_slice())
        .with("present", present)
        .with_fix(FIX)
        .with_sw_code("SW_AUTH_INSUFFICIENT_PERMISSION"))
}

fn of_token(permissions: &[String], scopes: &[String]) -> Vec<String> {
    let all = permissions.iter().chain(scopes);
    all.filter(|name| name.starts_with(FAMILY))
        .cloned()
        .collect()
}

async fn of_role(ports: &impl Ports, user: &User) -> Result<Vec<String>, Problem> {
    let held: &[Permission] = if user.admin_role.is_some() {
        &[Permission::View, Permission::Manage]
    } else {
        match role(ports, user).await? {
            Some(WorkspaceRole::Admin | WorkspaceRole::Author) => {
                &[Permission::View, Permission::Manage]
            }
            Some(WorkspaceRole::Operator | WorkspaceRole::Viewer) => &[Permission::View],
            None => &[],
        }
    };
    Ok(held.iter().map(|held| held.as_str().to_owned()).collect())
}

/// The role in the tenant: the session's, or that of the row; somebody who has not signed in here yet
/// would join as viewer.
async fn role(ports: &impl Ports, user: &User) -> Result<Option<WorkspaceRole>, Problem> {
    if let Some((workspace_id, role)) = &user.workspace
        && user.personal_workspace_id.as_ref() != Some(workspace_id)
    {
        return Ok(Some(*role));
    }
    let Some(person_id) = &user.person_id else {
        return Ok(Some(WorkspaceRole::Viewer));
    };
    let standing = people::in_default_workspace(ports.db(), person_id, &user.tenant_id)
        .await
        .map_err(failure::database)?;
    Ok(match standing {
        InDefault::Member(role) => Some(role),
        InDefault::Unknown => Some(WorkspaceRole::Viewer),
        InDefault::Removed => None,
    })
}
