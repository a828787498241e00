//! Who may look, and who may do more.

use futures::executor::block_on;
use scaigate_kv::people::{self, Arrival, FreshIds};
use scaigate_problem::Code;
use scaigate_signin::Principal;
use scaigate_types::{
    AdminRole, Issuer, PersonId, Query, Subject, Timestamp, WorkspaceId, WorkspaceRole,
};

use crate::world::{World, body, changed, code, service, tenant, user};

const CALL: &str = "/v1/scaigrid/inference/chat";

/// Whether `principal` may look, and may call.
fn may(world: &World, principal: &Principal) -> (bool, bool) {
    let looked = world.get("/v1/scaigrid/models", principal);
    let called = world.post(CALL, principal, "{}");
    for result in [&looked, &called] {
        assert!(matches!(code(result), None | Some(Code::InsufficientScope)));
    }
    (looked.is_ok(), called.is_ok())
}

fn world() -> World {
    World::with(&[("scaigrid_allowed_posts", "inference")])
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn the_role_decides_where_the_token_says_nothing() {
    use WorkspaceRole::{Admin, Author, Operator, Viewer};
    let world = world();
    for (role, admin_role, expected) in [
        (Some(Viewer), None, (true, false)),
        (Some(Operator), None, (true, false)),
        (Some(Author), None, (true, true)),
        (Some(Admin), None, (true, true)),
        (Some(Viewer), Some(AdminRole::TenantAdmin), (true, true)),
        (None, Some(AdminRole::SuperAdmin), (true, true)),
        // Somebody who has not signed in here yet would join as viewer.
        (None, None, (true, false)),
    ] {
        let principal = user(role, admin_role);
        assert_eq!(may(&world, &principal), expected, "{role:?} {admin_role:?}");
    }
}

#[test]
fn the_token_decides_where_it_says_something() {
    let world = world();
    for (permissions, scopes, expected) in [
        (&["scaicore:view"][..], &[][..], (true, false)),
        (&["scaicore:view", "scaicore:manage"], &[], (true, true)),
        (&["scaicore:manage"], &[], (false, true)),
        (&["reports:read"], &[], (false, false)),
        (&["reports:read"], &["scaicore:manage"], (false, true)),
        (&["scaicore:*"], &["openid"], (false, false)),
        (
            &["scaicore:viewer", "scaicore:view:all"],
            &[],
            (false, false),
        ),
        (&[], &["openid", "scaicore:view"], (true, false)),
        (&[], &["scaicore:manage"], (false, true)),
        (&[], &["scaicore:other"], (false, false)),
        (&["reports:read"], &["scaicore:view"], (true, false)),
        // Nothing of ScaiCore's: an administrator is one by role.
        (&[], &["openid", "profile"], (true, true)),
    ] {
        let principal = changed(|user| {
            user.permissions = names(permissions);
            user.scopes = names(scopes);
            user.admin_role = Some(AdminRole::TenantAdmin);
        });
        assert_eq!(
            may(&world, &principal),
            expected,
            "{permissions:?} {scopes:?}"
        );
    }
    for (scopes, expected) in [
        (&[][..], (false, false)),
        (&["scaicore:view"], (true, false)),
        (&["scaicore:view", "scaicore:manage"], (true, true)),
    ] {
        let principal = service(Some(tenant()), scopes);
        assert_eq!(may(&world, &principal), expected, "{scopes:?}");
    }
}

/// A person in the default workspace of the tenant.
fn arrived(world: &World, name: &str) -> PersonId {
    let fresh = FreshIds {
        person_id: PersonId::parse(name).unwrap(),
        workspace_id: WorkspaceId::parse("ws_default").unwrap(),
    };
    let arrival = Arrival {
        issuer: &Issuer::parse("https://scaikey.example").unwrap(),
        subject: &Subject::parse(name).unwrap(),
        tenant_id: &tenant(),
        email: None,
        name: None,
        is_tenant_admin: false,
        is_bootstrap_super_admin: false,
    };
    let now = Timestamp::from_secs(1_800_000_000);
    block_on(people::arrive(&world.db, &arrival, &fresh, now)).unwrap();
    fresh.person_id
}

#[test]
fn a_personal_workspace_says_nothing_about_the_tenant() {
    let world = world();
    let first = arrived(&world, "per_first");
    let later = arrived(&world, "per_later");
    let own = WorkspaceId::parse("ws_own").unwrap();
    let in_own = |person_id: &PersonId| {
        changed(|user| {
            user.person_id = Some(person_id.clone());
            user.personal_workspace_id = Some(own.clone());
            user.workspace = Some((own.clone(), WorkspaceRole::Admin));
        })
    };
    // The first of a tenant is admin of its default workspace, later ones are viewers.
    assert_eq!(may(&world, &in_own(&first)), (true, true));
    assert_eq!(may(&world, &in_own(&later)), (true, false));
    let remove = "UPDATE membership SET removed_at = 1 WHERE person_id = 'per_later'";
    block_on(world.db.query(remove, &[])).unwrap();
    assert_eq!(may(&world, &in_own(&later)), (false, false));
}

#[test]
fn s_17_a_refusal_says_what_is_missing_and_what_there_is() {
    let result = world().post(CALL, &user(Some(WorkspaceRole::Viewer), None), "{}");
    let details = body(&result)["error"]["details"].clone();
    assert_eq!(details["required"], serde_json::json!(["scaicore:manage"]));
    assert_eq!(details["present"], serde_json::json!(["scaicore:view"]));
}
