//! Who may use flows at all (S-05, S-07).

use std::rc::Rc;

use futures::executor::block_on;
use scaigate_flows::caller;
use scaigate_problem::{Code, Problem};
use scaigate_signin::{Principal, Service, User};
use scaigate_types::{AdminRole, ClientId, Issuer, Timestamp};

use crate::world::{World, code, user};

/// Somebody whose token says nothing of permissions.
fn plain(admin_role: Option<AdminRole>) -> User {
    User {
        scopes: vec!["openid".to_owned()],
        ..user("usr_bob", "tnt_acme", admin_role)
    }
}

/// A workspace of the tenant acme in which Bob has a role.
fn joins(world: &World, id: &str, kind: &str, role: &str) {
    world.sql(
        "INSERT INTO workspace (workspace_id, tenant_id, name, kind, created_by, created_at)
         VALUES (?1, 'tnt_acme', 'W', ?2, 'somebody', 0)",
        &[id, kind],
    );
    world.sql(
        "INSERT INTO membership (person_id, workspace_id, role, created_at)
         VALUES ('per_usr_bob_tnt_acme', ?1, ?2, 0)",
        &[id, role],
    );
}

#[test]
fn s_05_s_07_only_people_of_scaikey() {
    let world = World::new();
    let dev = Principal::Dev(Rc::new(user(
        "usr_bob",
        "tnt_acme",
        Some(AdminRole::SuperAdmin),
    )));
    let service = Principal::Service(Rc::new(Service {
        issuer: Issuer::parse("https://scaikey.test").unwrap(),
        client_id: ClientId::parse("app").unwrap(),
        tenant_id: None,
        is_platform: true,
        scopes: vec!["scaicore:manage".to_owned()],
        permissions: Vec::new(),
        roles: Vec::new(),
        expires_at: Timestamp::MAX,
    }));
    for (principal, expected) in [
        (dev, Code::ScaikeyLoginRequired),
        (service, Code::UserRequired),
    ] {
        let reader = block_on(caller::reader(&world, principal.clone()));
        assert_eq!(code(&reader), Some(expected));
        let writer = block_on(caller::writer(&world, principal));
        assert_eq!(code(&writer), Some(expected));
    }
}

#[test]
fn looking_and_changing_need_a_permission_each() {
    for (scopes, permissions, role, may_read, may_write) in [
        (&["openid"][..], &[][..], Some("viewer"), true, false),
        (&["openid"], &[], Some("author"), true, true),
        (&["scaicore:view"], &[], Some("admin"), true, false),
        // By token neither name implies the other.
        (&["scaicore:manage"], &[], None, false, true),
        (&[], &["scaicore:view", "scaicore:manage"], None, true, true),
        (&["scaicore:manage"], &["reports:read"], None, false, true),
        (&[], &["reports:read"], Some("admin"), false, false),
    ] {
        let world = World::new();
        if let Some(role) = role {
            joins(&world, "ws_default", "default", role);
        }
        let names = |all: &[&str]| all.iter().map(|&name| name.to_owned()).collect();
        let principal = || {
            Principal::User(Rc::new(User {
                scopes: names(scopes),
                permissions: names(permissions),
                ..plain(None)
            }))
        };
        let expected = |may: bool| (!may).then_some(Code::InsufficientScope);
        let reader = block_on(caller::reader(&world, principal()));
        assert_eq!(
            code(&reader),
            expected(may_read),
            "{scopes:?} {permissions:?}"
        );
        let writer = block_on(caller::writer(&world, principal()));
        assert_eq!(
            code(&writer),
            expected(may_write),
            "{scopes:?} {permissions:?}"
        );
    }
}

#[test]
fn s_05_s_07_without_scaikey_nobody_can_be_known() {
    for (was, becomes) in [
        (Code::AuthenticationRequired, Code::ScaikeyLoginRequired),
        (Code::TokenInvalid, Code::ScaikeyLoginRequired),
        (Code::OidcNotConfigured, Code::ScaikeyLoginRequired),
        (Code::TokenExpired, Code::TokenExpired),
        (Code::StoreUnavailable, Code::StoreUnavailable),
    ] {
        assert_eq!(caller::without_scaikey(Problem::new(was)).code(), becomes);
    }
}
