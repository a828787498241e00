//! Roles given and taken by hand, over stores that fail.

use std::time::Duration;

use futures::executor::block_on;
use scaigate_directory::admin_scope::{self, AdminScope};
use scaigate_directory::roles;
use scaigate_kv::revocation::Revocation;
use scaigate_problem::{Code, Problem};
use scaigate_types::{AdminRole, SessionId, TenantId};
use scaikey_emulator::seed;

use crate::world::stores::{STORE_FAULTS, StoreFault};
use crate::world::{World, code, service, user};

const BOB: &str = "usr_bob_acme";

fn operator(world: &World) -> AdminScope {
    admin_scope::roles(&service(world, &["admin:write"])).unwrap()
}

fn tenant(id: &str) -> TenantId {
    TenantId::parse(id).unwrap()
}

fn role_of(world: &World, user_id: &str) -> [String; 2] {
    let sql = format!(
        "SELECT coalesce(admin_role, ''), coalesce(admin_role_source, '') FROM person
          WHERE subject = '{user_id}' AND tenant_id = '{}'",
        seed::ACME
    );
    world.rows::<2>(&sql).remove(0)
}

fn set(world: &World, role: Option<AdminRole>) -> Result<(), Problem> {
    block_on(roles::set(world, &operator(world), BOB, None, role))
}

/// Alice and Bob are super admins by their group; Bob is signed in.
fn prepared() -> (World, SessionId) {
    let world = World::with(&[("scaiflow_super_admin_groups", "grp_acme_admins")]);
    world.sync(false).unwrap();
    let session = world.session(BOB, "ses_bob");
    world.db.plan.heal();
    (world, session)
}

#[test]
fn n_144_whatever_fails_a_role_is_changed_whole_or_not_at_all() {
    for role in [Some(AdminRole::TenantAdmin), None] {
        let (world, _) = prepared();
        let before = world.decided();
        set(&world, role).unwrap();
        let calls = world.db.plan.heal();
        let after = world.decided();
        assert_ne!(before, after);
        let position = |name: &str| calls.iter().rposition(|call| call == name);
        assert!(position("kv set").is_some() && position("kv set") < position("COMMIT"));
        for (index, call) in calls.iter().enumerate() {
            for fault in STORE_FAULTS {
                let what = format!("{role:?}: call {} ({call}): {fault:?}", index + 1);
                let (world, session) = prepared();
                world.db.plan.fail_at(index + 1, fault);
                let failed = set(&world, role);
                assert_eq!(code(&failed), Some(Code::StoreUnavailable), "{what}");
                world.db.plan.heal();
                let is_done = call == "COMMIT" && fault == StoreFault::Unanswered;
                let whole = if is_done { &after } else { &before };
                assert_eq!(&world.decided(), whole, "{what}");
                let narrowed = Some(Revocation::Narrowed { generation: 0 });
                assert!(!is_done || world.revocation(&session) == narrowed, "{what}");
                set(&world, role).unwrap();
                assert_eq!(world.decided(), after, "{what}");
                assert_eq!(world.revocation(&session), narrowed, "{what}");
            }
        }
    }
}

#[test]
fn a_role_by_hand_outlives_the_group_that_gave_another() {
    let (world, _) = prepared();
    set(&world, Some(AdminRole::TenantAdmin)).unwrap();
    world.clock.advance(Duration::from_secs(10));
    let changes = world.scaikey.emulator.changes();
    world.event(changes.remove_member("grp_acme_admins", BOB));
    world.event(changes.add_member("grp_acme_admins", BOB));
    world.sync(false).unwrap();
    let role = world.rows::<2>(
        "SELECT admin_role, admin_role_source FROM person WHERE subject = 'usr_bob_acme'",
    );
    assert_eq!(role, [["tenant_admin", "manual"]]);
}

#[test]
fn a_tenants_administrator_gives_and_takes_the_tenants_own_role_alone() {
    const CAROL: &str = "usr_carol_acme";
    const SYBIL: &str = "usr_sybil_umbra";
    let (world, _) = prepared();
    let scope = admin_scope::roles(&user(Some(AdminRole::TenantAdmin))).unwrap();
    let set = |user_id: &str, tenant_id: Option<&TenantId>, role: Option<AdminRole>| {
        code(&block_on(roles::set(
            &world, &scope, user_id, tenant_id, role,
        )))
    };
    let (tenant_admin, super_admin) = (Some(AdminRole::TenantAdmin), Some(AdminRole::SuperAdmin));
    let (acme, umbra) = (tenant(seed::ACME), tenant(seed::UMBRA));
    let before = world.decided();
    for (user_id, tenant_id, role, expected) in [
        // Another tenant's people are not there, and nobody learns which there are.
        (SYBIL, None, tenant_admin, Code::UserNotFound),
        (SYBIL, Some(&umbra), tenant_admin, Code::UserNotFound),
        (CAROL, Some(&umbra), tenant_admin, Code::UserNotFound),
        ("usr_nobody", None, tenant_admin, Code::UserNotFound),
        // Nothing is given or taken that is above them.
        (CAROL, None, super_admin, Code::AdminRoleRequired),
        (BOB, None, tenant_admin, Code::AdminRoleRequired),
        (BOB, None, None, Code::AdminRoleRequired),
    ] {
        let refused = set(user_id, tenant_id, role);
        assert_eq!(refused, Some(expected), "{user_id} {tenant_id:?} {role:?}");
        assert_eq!(world.decided(), before, "{user_id} {tenant_id:?} {role:?}");
    }
    assert_eq!(set(CAROL, Some(&acme), tenant_admin), None);
    assert_eq!(role_of(&world, CAROL), ["tenant_admin", "manual"]);
    assert_eq!(set(CAROL, None, None), None);
    assert_eq!(role_of(&world, CAROL), ["", ""]);
}

#[test]
fn a_user_of_two_tenants_is_changed_only_where_the_tenant_is_named() {
    let (world, _) = prepared();
    world.sql(
        "INSERT INTO person (person_id, issuer, subject, tenant_id, created_at, last_seen_at)
         VALUES ('per_other', 'https://scaikey.example/tenants/tnt_umbra0001', ?1,
                 'tnt_umbra0001', 1, 1)",
        &["usr_carol_acme".into()],
    );
    let scope = operator(&world);
    let role = Some(AdminRole::TenantAdmin);
    let set = |tenant_id: Option<&TenantId>| {
        let carol = "usr_carol_acme";
        block_on(roles::set(&world, &scope, carol, tenant_id, role))
    };
    let ambiguous = set(None).unwrap_err();
    assert_eq!(ambiguous.code(), Code::UserAmbiguous);
    let tenants = serde_json::json!([seed::ACME, seed::UMBRA]);
    assert_eq!(ambiguous.details()["tenant_ids"], tenants);
    set(Some(&tenant(seed::UMBRA))).unwrap();
    assert_eq!(role_of(&world, "usr_carol_acme"), ["", ""]);
    let umbra = "SELECT admin_role FROM person WHERE person_id = 'per_other'";
    assert_eq!(world.rows::<1>(umbra), [["tenant_admin"]]);
}

#[test]
fn the_last_super_admin_keeps_the_role() {
    let (world, session) = prepared();
    let scope = operator(&world);
    let take = |user_id: &str| code(&block_on(roles::set(&world, &scope, user_id, None, None)));
    assert_eq!(take("usr_alice_acme"), None);
    let before = world.decided();
    assert_eq!(take(BOB), Some(Code::LastSuperAdmin));
    assert_eq!(world.decided(), before);
    assert_eq!(world.revocation(&session), None);
}

#[test]
fn no_store_is_asked_about_an_identifier_that_nobody_can_have() {
    let (world, _) = prepared();
    let long = "u".repeat(256);
    let refused = block_on(roles::set(&world, &operator(&world), &long, None, None));
    assert_eq!(code(&refused), Some(Code::UserNotFound));
    assert_eq!(world.db.plan.heal(), Vec::<String>::new());
    // With one byte less somebody could have it.
    let refused = block_on(roles::set(
        &world,
        &operator(&world),
        &long[1..],
        None,
        None,
    ));
    assert_eq!(code(&refused), Some(Code::UserNotFound));
    assert_ne!(world.db.plan.heal(), Vec::<String>::new());
}

#[test]
fn a_role_that_is_given_again_leaves_the_tokens_alone() {
    let (world, session) = prepared();
    set(&world, Some(AdminRole::SuperAdmin)).unwrap();
    assert_eq!(role_of(&world, BOB), ["super_admin", "manual"]);
    assert_eq!(world.revocation(&session), None);
}
