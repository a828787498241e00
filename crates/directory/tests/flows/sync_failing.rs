//! Every call of every port, failing in every way, in a sync: whoever asked is told, the mirror is the
//! old one or the new one and nothing between, and the next sync makes it the new one.

use std::time::Duration;

use scaigate_kv::revocation::Revocation;
use scaigate_problem::Code;
use scaigate_types::{OutboundError, SessionId};
use scaikey_emulator::seed;

use crate::world::mirror::Mirror;
use crate::world::scaikey::OutboundFault;
use crate::world::stores::{STORE_FAULTS, StoreFault};
use crate::world::{World, code};

const SESSIONS: [(&str, &str); 3] = [
    ("usr_alice_acme", "ses_alice"),
    ("usr_bob_acme", "ses_bob"),
    ("usr_frank_acme", "ses_frank"),
];

/// What there is before or after a sync.
#[derive(Debug, PartialEq)]
struct State {
    mirror: Mirror,
    decided: Vec<[String; 3]>,
}

fn state(world: &World) -> State {
    State {
        mirror: world.mirror(),
        decided: world.decided(),
    }
}

fn same(found: &State, expected: &State, what: &str) {
    assert_eq!(found.decided, expected.decided, "{what}");
    assert_eq!(
        found.mirror.differences(&expected.mirror),
        [""; 0],
        "{what}"
    );
}

fn revoked(world: &World) -> Vec<Option<Revocation>> {
    let of = |sid| world.revocation(&SessionId::parse(sid).unwrap());
    SESSIONS.iter().map(|(_, sid)| of(sid)).collect()
}

/// Nothing is mirrored, and nothing of ScaiKey known.
fn at_first() -> World {
    let world = World::with(&[("scaiflow_super_admin_groups", "grp_acme_admins")]);
    world.db.plan.heal();
    world
}

/// Much has changed since the last sync, and no event told of it.
fn much_later() -> World {
    let world = at_first();
    world.assign_everybody();
    world.sync(false).unwrap();
    for (user_id, sid) in SESSIONS {
        world.session(user_id, sid);
    }
    world.clock.advance(Duration::from_secs(3_600));
    let changes = world.scaikey.emulator.changes();
    for event in [
        changes.remove_member("grp_acme_admins", "usr_bob_acme"),
        changes.add_member("grp_acme_admins", "usr_carol_acme"),
        changes.suspend_user("usr_alice_acme"),
        changes.delete_user("usr_frank_acme"),
        changes.create_user(seed::UMBRA, "new@umbra.example", "N", "New"),
        changes.update_user("usr_dave_acme", |user| user.last_name = "Day".to_owned()),
        changes.create_group(seed::UMBRA, "new"),
        changes.delete_group("grp_umbra_research"),
        changes.update_tenant(seed::UMBRA, |tenant| tenant.name = "Umbrella".to_owned()),
    ] {
        assert!(event.is_some());
    }
    world.assign_everybody();
    world.db.plan.heal();
    world.scaikey.plan.heal();
    world
}

const OUTBOUND_FAULTS: [OutboundFault; 12] = [
    OutboundFault::Error(OutboundError::Refused),
    OutboundFault::Error(OutboundError::Denied),
    OutboundFault::Error(OutboundError::Timeout),
    OutboundFault::Error(OutboundError::Interrupted),
    OutboundFault::Error(OutboundError::TooLarge),
    OutboundFault::Instead(500, "text/plain", ""),
    OutboundFault::Instead(429, "text/plain", ""),
    OutboundFault::Instead(404, "application/json", "{\"detail\":\"Not Found\"}"),
    OutboundFault::Instead(401, "application/json", "{}"),
    OutboundFault::Instead(302, "text/plain", ""),
    OutboundFault::Instead(200, "text/html", "<html>"),
    OutboundFault::Instead(200, "application/json", "{\"data\":[{\"id\":"),
];

/// Syncs again, later if the answer says so.
fn sync_in_the_end(world: &World, what: &str) {
    let again = world.sync(false);
    if code(&again).is_none() {
        return;
    }
    // A run that was cut short is over by then, and so is a search for keys.
    let is_temporary = matches!(
        code(&again),
        Some(Code::SyncRunning | Code::JwksUnavailable)
    );
    assert!(is_temporary, "{what}: {again:?}");
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(code(&world.sync(false)), None, "{what}");
}

fn try_all(prepared: fn() -> World) {
    let world = prepared();
    let before = state(&world);
    world.sync(false).unwrap();
    let (calls, requests) = (world.db.plan.heal(), world.scaikey.plan.heal());
    let (after, index) = (state(&world), revoked(&world));
    assert_ne!(before, after);
    let position = |name: &str| calls.iter().rposition(|call| call == name);
    assert!(position("kv set") < position("COMMIT"), "{calls:?}");
    assert_eq!(calls.last().map(String::as_str), Some("COMMIT"));
    for (index_of_call, call) in calls.iter().enumerate() {
        for fault in STORE_FAULTS {
            let what = format!("call {} ({call}): {fault:?}", index_of_call + 1);
            let world = prepared();
            world.db.plan.fail_at(index_of_call + 1, fault);
            let failed = world.sync(false);
            // What is kept of ScaiKey's documents can be done without; nothing else can.
            let failure = code(&failed);
            // A search for keys that was begun, and nobody was told of it, is taken for somebody else's.
            let is_told = failure
                .is_none_or(|code| matches!(code, Code::StoreUnavailable | Code::JwksUnavailable));
            assert!(is_told, "{what}: {failure:?}");
            world.db.plan.heal();
            let is_done = failed.is_ok() || (call == "COMMIT" && fault == StoreFault::Unanswered);
            let whole = if is_done { &after } else { &before };
            same(&state(&world), whole, &what);
            for (now, after) in revoked(&world).iter().zip(&index) {
                assert!(now == after || (now.is_none() && !is_done), "{what}");
            }
            sync_in_the_end(&world, &what);
            same(&state(&world), &after, &what);
            assert_eq!(revoked(&world), index, "{what}");
        }
    }
    for (index_of_request, path) in requests.iter().enumerate() {
        for fault in OUTBOUND_FAULTS {
            let what = format!("request {} ({path}): {fault:?}", index_of_request + 1);
            let world = prepared();
            world.scaikey.plan.fail_at(index_of_request + 1, fault);
            let outcome = world.sync(false);
            world.scaikey.plan.heal();
            let whole = if outcome.is_ok() { &after } else { &before };
            same(&state(&world), whole, &what);
            sync_in_the_end(&world, &what);
            same(&state(&world), &after, &what);
            assert_eq!(revoked(&world), index, "{what}");
        }
    }
}

#[test]
fn n_144_whatever_fails_a_first_sync_mirrors_everything_or_nothing() {
    try_all(at_first);
}

#[test]
fn n_107_n_144_whatever_fails_a_sync_leaves_the_old_mirror_or_the_new_one() {
    try_all(much_later);
}
