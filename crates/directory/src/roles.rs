//! Giving and taking administrator roles by hand (`contract/scaiflow.md` 2.2).

use scaigate_kv::directory::Stamp;
use scaigate_kv::directory::role::{self, Change};
use scaigate_problem::{Code, Problem};
use scaigate_signin::{Ports, failure, revoke};
use scaigate_types::{AdminRole, Clock, Database, TenantId, Transaction};

use crate::admin_scope::AdminScope;

/// Longest identifier of a user.
const MAX_USER_ID: usize = 255;

/// Gives `user_id` a role, or takes the one there is, and makes the person's session tokens say so:
/// what they hold now is revoked, the next refresh says what is true. Row and revocation are one
/// transaction. A role given by hand stays whatever the groups say.
///
/// # Errors
/// [`Code::UserNotFound`], [`Code::UserAmbiguous`], [`Code::AdminRoleRequired`] for what the scope
/// does not reach, [`Code::LastSuperAdmin`]; a store does not answer.
pub async fn set(
    ports: &impl Ports,
    scope: &AdminScope,
    user_id: &str,
    tenant_id: Option<&TenantId>,
    role: Option<AdminRole>,
) -> Result<(), Problem> {
    let not_found = || Problem::new(Code::UserNotFound);
    if user_id.len() > MAX_USER_ID {
        return Err(not_found());
    }
    // Another tenant's user is not there for a tenant's administrator, whoever is asked about.
    let within = match (scope.tenant_id(), tenant_id) {
        (Some(own), Some(asked)) if own != asked => return Err(not_found()),
        (Some(own), _) => Some(own),
        (None, asked) => asked,
    };
    let needs_super_admin = || {
        Problem::new(Code::AdminRoleRequired)
            .with("required", ["super_admin"].as_slice())
            .with("present", AdminRole::TenantAdmin.as_str())
    };
    if role == Some(AdminRole::SuperAdmin) && !scope.may_give_super_admin() {
        return Err(needs_super_admin());
    }
    let now = ports.clock().now();
    let stamp = Stamp {
        cause: scope.cause().clone(),
        now,
        at: now,
    };
    let tx = ports.db().begin().await.map_err(failure::database)?;
    let holders = role::by_user_id(&tx, user_id, within)
        .await
        .map_err(failure::database)?;
    let holder = match holders.as_slice() {
        [] => return Err(not_found()),
        [holder] => holder,
        several => {
            let tenants: Vec<&str> = several.iter().map(|one| one.tenant_id.as_str()).collect();
            return Err(Problem::new(Code::UserAmbiguous).with("tenant_ids", tenants));
        }
    };
    // A tenant's administrator neither gives nor takes what is above them.
    if holder.role == Some(AdminRole::SuperAdmin) && !scope.may_give_super_admin() {
        return Err(needs_super_admin());
    }
    let change = role::set(&tx, &holder.person_id, within, role, &stamp)
        .await
        .map_err(failure::database)?;
    match change {
        Change::NotFound => Err(not_found()),
        Change::LastSuperAdmin => Err(Problem::new(Code::LastSuperAdmin)),
        Change::Done { .. } => {
            if holder.role != role {
                revoke::narrow_all(ports, &tx, &holder.person_id).await?;
            }
            tx.commit().await.map_err(failure::database)
        }
    }
}
