//! What an administrator may do, as a value that the next step takes.

use scaigate_kv::directory::Cause;
use scaigate_problem::{Code, Problem};
use scaigate_signin::{Principal, Service, User};
use scaigate_types::{AdminRole, TenantId};

/// Whom a caller may administer, and in whose name that is recorded. Made by the functions here alone.
#[derive(Clone, Debug)]
pub struct AdminScope {
    tenant_id: Option<TenantId>,
    may_give_super_admin: bool,
    cause: Cause,
}

impl AdminScope {
    /// The one tenant that the caller may administer; `None` for all.
    #[must_use]
    pub const fn tenant_id(&self) -> Option<&TenantId> {
        self.tenant_id.as_ref()
    }

    /// Whether the caller may give and take the role of a super admin.
    #[must_use]
    pub const fn may_give_super_admin(&self) -> bool {
        self.may_give_super_admin
    }

    /// What the change log says.
    #[must_use]
    pub const fn cause(&self) -> &Cause {
        &self.cause
    }
}

/// ScaiKey's scopes that make a service of the platform an operator here, as they do at ScaiKey
/// (`contract/scaikey.md` 3.1).
const READ: [&str; 2] = ["admin:read", "admin:write"];
const WRITE: [&str; 1] = ["admin:write"];

fn refused(required: &[&str], present: Option<AdminRole>) -> Problem {
    Problem::new(Code::AdminRoleRequired)
        .with("required", required)
        .with("present", present.map(AdminRole::as_str))
        .with_sw_code("SW_AUTH_INSUFFICIENT_PERMISSION")
}

/// A test user is no administrator of the real directory unless the development headers say so: those
/// of `mock` have no role.
fn of_user(user: &User, tenant_id: Option<TenantId>, may_give_super_admin: bool) -> AdminScope {
    let cause = match &user.person_id {
        Some(person_id) => Cause::Admin(person_id.clone()),
        None => Cause::Operator,
    };
    AdminScope {
        tenant_id,
        may_give_super_admin,
        cause,
    }
}

fn of_service(service: &Service, scopes: &[&str]) -> Result<AdminScope, Problem> {
    let has = service
        .scopes
        .iter()
        .any(|scope| scopes.contains(&scope.as_str()));
    if !service.is_platform || !has {
        return Err(Problem::new(Code::InsufficientScope)
            .with("required", scopes)
            .with("present", service.scopes.clone())
            .with("platform_token", service.is_platform));
    }
    Ok(AdminScope {
        tenant_id: None,
        may_give_super_admin: true,
        cause: Cause::Service(service.client_id.clone()),
    })
}

/// Who may see the whole directory and start a sync: super admins, and services of the platform with
/// `admin:read` or `admin:write`.
///
/// # Errors
/// [`Code::AdminRoleRequired`], or [`Code::InsufficientScope`] for a service.
pub fn platform(principal: &Principal) -> Result<AdminScope, Problem> {
    match principal {
        Principal::Service(service) => of_service(service, &READ),
        Principal::User(user) | Principal::Dev(user) => match user.admin_role {
            Some(AdminRole::SuperAdmin) => Ok(of_user(user, None, true)),
            role => Err(refused(&["super_admin"], role)),
        },
    }
}

/// Who may change roles: super admins everybody's, tenant admins that of `tenant_admin` in their own
/// tenant (`contract/scaiflow.md` 2.2), services of the platform with `admin:write` everybody's.
///
/// # Errors
/// As [`platform`].
pub fn roles(principal: &Principal) -> Result<AdminScope, Problem> {
    match principal {
        Principal::Service(service) => of_service(service, &WRITE),
        Principal::User(user) | Principal::Dev(user) => match user.admin_role {
            Some(AdminRole::SuperAdmin) => Ok(of_user(user, None, true)),
            Some(AdminRole::TenantAdmin) => Ok(of_user(user, Some(user.tenant_id.clone()), false)),
            None => Err(refused(&["super_admin", "tenant_admin"], None)),
        },
    }
}

/// Who may see their own tenant's directory: its administrators. For a super admin, too, it is the
/// tenant they are in.
///
/// # Errors
/// [`Code::AdminRoleRequired`], or [`Code::UserRequired`] for a service.
pub fn own_tenant(principal: Principal) -> Result<AdminScope, Problem> {
    let user = principal.into_user()?;
    match user.admin_role {
        Some(role) => {
            let may_give_super_admin = role == AdminRole::SuperAdmin;
            let tenant_id = Some(user.tenant_id.clone());
            Ok(of_user(&user, tenant_id, may_give_super_admin))
        }
        None => Err(refused(&["tenant_admin", "super_admin"], None)),
    }
}
