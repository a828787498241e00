//! Roles given and taken by hand, over stores that fail.

use std::time::Duration;

use futures::executor::block_on;
use scaigate_directory::admin_scope::{self, AdminScope};
use scaigate_directory::roles;
use scaigate_kv::revocation::Revocation;
use scaigate_problem::{Code, Problem};
use scaigate_signin::{Principal, Service};
use scaigate_types::{AdminRole, ClientId, Clock as _, Issuer, SessionId};

use crate::world::stores::{STORE_FAULTS, StoreFault};
use crate::world::{BASE, World, code};

const BOB: &str = "usr_bob_acme";

fn operator(world: &World) -> AdminScope {
    let service = Service {
        issuer: Issuer::parse(BASE).unwrap(),
        client_id: ClientId::parse("an-operator").unwrap(),
        tenant_id: None,
        is_platform: true,
        scopes: vec!["admin:write".to_owned()],
        permissions: Vec::new(),
        roles: Vec::new(),
        expires_at: world.clock.now().plus(Duration::from_secs(60)),
    };
    admin_scope::roles(&Principal::Service(service.into())).unwrap()
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
