//! Every call of every store, failing in every way, for every kind of event: the sender is told, nothing
//! is half-done, and the same delivery sent again has its effect, once.

use std::time::Duration;

use futures::executor::block_on;
use scaigate_kv::revocation::Revocation;
use scaigate_problem::Code;
use scaikey_emulator::{Changes, WebhookDelivery, WebhookEvent, seed};

use crate::world::mirror::Mirror;
use crate::world::stores::{STORE_FAULTS, StoreFault};
use crate::world::{World, code};

const SESSIONS: [(&str, &str); 3] = [
    ("usr_alice_acme", "ses_alice"),
    ("usr_bob_acme", "ses_bob"),
    ("usr_sybil_umbra", "ses_sybil"),
];

/// A change at ScaiKey, by the name of its event.
type Change = (&'static str, fn(&Changes<'_>) -> Option<WebhookEvent>);

const CHANGES: [Change; 13] = [
    ("user.created", |c| {
        c.create_user(seed::ACME, "new@acme.example", "N", "New")
    }),
    ("user.updated", |c| {
        c.update_user("usr_bob_acme", |user| user.last_name = "Baker".to_owned())
    }),
    ("user.suspended", |c| c.suspend_user("usr_bob_acme")),
    ("user.deleted", |c| c.delete_user("usr_bob_acme")),
    ("user.mfa_enabled", |c| {
        c.about_user("user.mfa_enabled", "usr_bob_acme")
    }),
    ("group.updated", |c| {
        c.update_group("grp_acme_admins", |group| group.name = "admins".to_owned())
    }),
    ("group.deleted", |c| c.delete_group("grp_acme_admins")),
    ("group.member_added", |c| {
        c.add_member("grp_acme_admins", "usr_carol_acme")
    }),
    ("group.member_removed", |c| {
        c.remove_member("grp_acme_admins", "usr_bob_acme")
    }),
    ("tenant.updated", |c| c.suspend_tenant(seed::ACME)),
    ("tenant.deleted", |c| c.delete_tenant(seed::UMBRA)),
    ("partner.updated", |c| c.suspend_partner(seed::PARTNER)),
    ("application.group_assigned", |c| {
        c.assign_group(seed::APPLICATION_ID, "grp_umbra_research")
    }),
];

/// What there is before or after an event.
#[derive(Debug, PartialEq)]
struct State {
    mirror: Mirror,
    decided: Vec<[String; 3]>,
    revoked: Vec<Option<Revocation>>,
}

fn revoked(world: &World) -> Vec<Option<Revocation>> {
    let of = |sid| world.revocation(&scaigate_types::SessionId::parse(sid).unwrap());
    SESSIONS.iter().map(|(_, sid)| of(sid)).collect()
}

fn state(world: &World) -> State {
    State {
        mirror: world.mirror(),
        decided: world.decided(),
        revoked: revoked(world),
    }
}

/// A world in which the change has happened and its event is about to arrive.
fn prepared(change: Change) -> (World, WebhookDelivery) {
    let world = World::with(&[("scaiflow_super_admin_groups", "grp_acme_admins")]);
    world.assign_everybody();
    world.sync(false).unwrap();
    for (user_id, sid) in SESSIONS {
        world.session(user_id, sid);
    }
    world.clock.advance(Duration::from_secs(10));
    let mut event = (change.1)(&world.scaikey.emulator.changes()).unwrap();
    assert_eq!(event.event_type, change.0);
    // The same in every world.
    event.id = "evt_1".to_owned();
    let delivery = world.delivery(&event);
    world.db.plan.heal();
    (world, delivery)
}

#[test]
fn n_102_n_144_whatever_fails_an_event_is_done_whole_or_not_at_all_and_once() {
    for change in CHANGES {
        let (world, delivery) = prepared(change);
        let before = state(&world);
        block_on(world.receive(&delivery)).unwrap();
        let calls = world.db.plan.heal();
        let after = state(&world);
        assert_ne!(before, after, "{}", change.0);
        assert_eq!(
            calls.last().map(String::as_str),
            Some("COMMIT"),
            "{}",
            change.0
        );
        for (index, call) in calls.iter().enumerate() {
            for fault in STORE_FAULTS {
                let what = format!("{}: call {} ({call}): {fault:?}", change.0, index + 1);
                let (world, delivery) = prepared(change);
                world.db.plan.fail_at(index + 1, fault);
                let failed = block_on(world.receive(&delivery));
                assert_eq!(code(&failed), Some(Code::StoreUnavailable), "{what}");
                world.db.plan.heal();
                let is_done = call == "COMMIT" && fault == StoreFault::Unanswered;
                let now = state(&world);
                let whole = if is_done { &after } else { &before };
                assert_eq!(now.mirror, whole.mirror, "{what}");
                assert_eq!(now.decided, whole.decided, "{what}");
                // The index may be ahead of the rows, never behind them, and never says too much.
                for (now, after) in now.revoked.iter().zip(&after.revoked) {
                    assert!(now == after || (now.is_none() && !is_done), "{what}");
                }
                let again = block_on(world.receive(&delivery)).unwrap();
                assert_eq!(again.is_duplicate, is_done, "{what}");
                assert_eq!(state(&world), after, "{what}");
                let again = block_on(world.receive(&delivery)).unwrap();
                assert!(again.is_duplicate, "{what}");
                assert_eq!(state(&world), after, "{what}");
            }
        }
    }
}

#[test]
fn n_105_sessions_are_revoked_before_the_event_counts() {
    // Whoever reads the index refuses the token already when the rows become visible.
    for change in CHANGES {
        let (world, delivery) = prepared(change);
        block_on(world.receive(&delivery)).unwrap();
        let calls = world.db.plan.heal();
        let position = |name: &str| calls.iter().rposition(|call| call == name);
        let ends = matches!(
            change.0,
            "user.suspended"
                | "user.deleted"
                | "group.deleted"
                | "group.member_removed"
                | "tenant.updated"
                | "tenant.deleted"
                | "partner.updated"
        );
        assert_eq!(
            position("kv set").is_some(),
            ends,
            "{}: {calls:?}",
            change.0
        );
        assert!(
            position("kv set") < position("COMMIT"),
            "{}: {calls:?}",
            change.0
        );
        assert_eq!(
            revoked(&world).iter().any(Option::is_some),
            ends,
            "{}",
            change.0
        );
    }
}
