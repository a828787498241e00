//! What a caller may administer.

use scaigate_directory::admin_scope::{self, AdminScope};
use scaigate_problem::{Code, Problem};
use scaigate_signin::Principal;
use scaigate_types::{AdminRole, TenantId};
use scaikey_emulator::seed;
use serde_json::json;

use crate::world::{World, service, user};

const SUPER: Option<AdminRole> = Some(AdminRole::SuperAdmin);
const TENANT: Option<AdminRole> = Some(AdminRole::TenantAdmin);

/// The tenant a scope is limited to, whether it reaches super admins, and in whose name.
type Shown = (Option<String>, bool, String);

fn shown(scope: Result<AdminScope, Problem>) -> Result<Shown, Code> {
    scope
        .map(|scope| {
            let tenant_id = scope.tenant_id().map(|id| id.as_str().to_owned());
            let cause = scope.cause().to_string();
            (tenant_id, scope.may_give_super_admin(), cause)
        })
        .map_err(|problem| problem.code())
}

fn everything(cause: &str) -> Result<Shown, Code> {
    Ok((None, true, cause.to_owned()))
}

fn acme(may_give_super_admin: bool) -> Result<Shown, Code> {
    let cause = "admin:per_caller".to_owned();
    Ok((Some(seed::ACME.to_owned()), may_give_super_admin, cause))
}

/// The same person, by a development header instead of a session.
fn dev(principal: &Principal) -> Principal {
    let Principal::User(user) = principal else {
        return principal.clone();
    };
    let mut user = (**user).clone();
    user.person_id = None;
    Principal::Dev(user.into())
}

/// The same service without the platform's reach.
fn of_a_tenant(principal: &Principal) -> Principal {
    let Principal::Service(service) = principal else {
        return principal.clone();
    };
    let mut service = (**service).clone();
    service.is_platform = false;
    service.tenant_id = Some(TenantId::parse(seed::ACME).unwrap());
    Principal::Service(service.into())
}

#[test]
fn a_role_or_a_scope_reaches_as_far_as_it_should_and_no_further() {
    let world = World::new();
    let role_required = || Err(Code::AdminRoleRequired);
    let scope_missing = || Err(Code::InsufficientScope);
    let no_user = || Err(Code::UserRequired);
    let by_service = || everything("service:an-operator");
    let read = service(&world, &["admin:read"]);
    let write = service(&world, &["openid", "admin:write"]);
    let other = service(&world, &["users:read", "admin:reader"]);
    // Whoever calls, then: the whole directory, changing roles, their own tenant's directory.
    for (what, principal, platform, roles, own) in [
        (
            "a super admin",
            user(SUPER),
            everything("admin:per_caller"),
            everything("admin:per_caller"),
            acme(true),
        ),
        (
            "a tenant admin",
            user(TENANT),
            role_required(),
            acme(false),
            acme(false),
        ),
        (
            "somebody",
            user(None),
            role_required(),
            role_required(),
            role_required(),
        ),
        (
            "a super admin by headers",
            dev(&user(SUPER)),
            everything("operator"),
            everything("operator"),
            Ok((Some(seed::ACME.to_owned()), true, "operator".to_owned())),
        ),
        (
            "a test user",
            dev(&user(None)),
            role_required(),
            role_required(),
            role_required(),
        ),
        (
            "admin:read",
            read.clone(),
            by_service(),
            scope_missing(),
            no_user(),
        ),
        (
            "admin:write",
            write.clone(),
            by_service(),
            by_service(),
            no_user(),
        ),
        (
            "other scopes",
            other,
            scope_missing(),
            scope_missing(),
            no_user(),
        ),
        (
            "admin:read of a tenant",
            of_a_tenant(&read),
            scope_missing(),
            scope_missing(),
            no_user(),
        ),
        (
            "admin:write of a tenant",
            of_a_tenant(&write),
            scope_missing(),
            scope_missing(),
            no_user(),
        ),
    ] {
        assert_eq!(shown(admin_scope::platform(&principal)), platform, "{what}");
        assert_eq!(shown(admin_scope::roles(&principal)), roles, "{what}");
        assert_eq!(shown(admin_scope::own_tenant(principal)), own, "{what}");
    }
}

#[test]
fn whoever_is_refused_is_told_what_they_lack() {
    let world = World::new();
    let refused = admin_scope::platform(&user(TENANT)).unwrap_err();
    assert_eq!(refused.details()["required"], json!(["super_admin"]));
    assert_eq!(refused.details()["present"], "tenant_admin");
    let refused = admin_scope::roles(&user(None)).unwrap_err();
    let either = json!(["super_admin", "tenant_admin"]);
    assert_eq!(refused.details()["required"], either);
    assert_eq!(refused.details()["present"], json!(null));
    let reader = service(&world, &["admin:read"]);
    let refused = admin_scope::roles(&reader).unwrap_err();
    assert_eq!(refused.details()["required"], json!(["admin:write"]));
    assert_eq!(refused.details()["present"], json!(["admin:read"]));
    assert_eq!(refused.details()["platform_token"], true);
}
