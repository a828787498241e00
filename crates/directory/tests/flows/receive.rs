//! What an event does, and what it does when it comes again or late.

use std::time::Duration;

use futures::executor::block_on;
use scaigate_kv::revocation::Revocation;
use scaigate_problem::Code;
use scaigate_types::Clock as _;
use scaikey_emulator::{User, WebhookDelivery, WebhookEvent, seed};
use serde_json::json;

use crate::world::{SECRET, World, code};

const ALICE: &str = "usr_alice_acme";
const BOB: &str = "usr_bob_acme";
const ADMINS: &str = "grp_acme_admins";

/// Everybody is mirrored, and the members of a group are super admins.
fn world() -> World {
    let world = World::with(&[("scaiflow_super_admin_groups", ADMINS)]);
    world.assign_everybody();
    world.sync(false).unwrap();
    world.clock.advance(Duration::from_secs(10));
    world
}

fn role(world: &World, user_id: &str) -> i64 {
    world.number(&format!(
        "SELECT count(*) FROM person WHERE subject = '{user_id}' AND admin_role = 'super_admin'"
    ))
}

fn outcomes(world: &World) -> Vec<[String; 2]> {
    world.rows("SELECT outcome, sum(count) FROM webhook_delivery GROUP BY 1 ORDER BY 1")
}

#[test]
fn n_094_an_event_has_its_effect_once_however_often_it_comes() {
    let world = world();
    let event = world.scaikey.emulator.changes().suspend_user(BOB).unwrap();
    let first = world.event(Some(event.clone()));
    assert!(!first.is_duplicate);
    // Somebody activates the person by hand here; the repetition must not undo it.
    world.sql(
        "UPDATE person SET status = 'active' WHERE subject = ?1",
        &[BOB.into()],
    );
    for _ in 0..4 {
        world.clock.advance(Duration::from_secs(20));
        assert!(world.event(Some(event.clone())).is_duplicate);
    }
    let status = world.rows::<1>("SELECT status FROM person WHERE subject = 'usr_bob_acme'");
    assert_eq!(status, [["active"]]);
    assert_eq!(outcomes(&world), [["applied", "1"], ["duplicate", "4"]]);
}

#[test]
fn n_094_another_body_under_the_same_id_is_refused() {
    let world = world();
    let event = world.scaikey.emulator.changes().suspend_user(BOB).unwrap();
    world.event(Some(event.clone()));
    let other = WebhookEvent {
        event_type: "user.deleted".to_owned(),
        ..event
    };
    let refused = block_on(world.receive(&world.delivery(&other)));
    assert_eq!(code(&refused), Some(Code::WebhookEventConflict));
    assert_eq!(
        world.number("SELECT count(*) FROM person WHERE deleted_at IS NOT NULL"),
        0
    );
    assert_eq!(outcomes(&world), [["applied", "1"]]);
}

#[test]
fn n_098_without_a_secret_nothing_is_looked_at() {
    let world = world();
    let event = world.scaikey.emulator.changes().suspend_user(BOB).unwrap();
    let delivery = world.delivery(&event);
    let receiver = scaigate_directory::receive::Context {
        secrets: None,
        ..world.receiver()
    };
    world.db.plan.heal();
    let refused = block_on(scaigate_directory::receive::receive(
        &world,
        receiver,
        &delivery.headers,
        &delivery.body,
    ));
    assert_eq!(code(&refused), Some(Code::WebhookNotConfigured));
    assert_eq!(
        world.db.plan.heal(),
        Vec::<String>::new(),
        "no store was asked"
    );
}

#[test]
fn n_101_what_is_not_signed_reaches_no_store() {
    let world = world();
    let now = world.clock.now().sql() / 1000;
    let signed = |body: &str| WebhookDelivery::of_bytes(body, SECRET, now);
    let unsigned = signed("{}").with_header("x-scaikey-signature", None);
    let undated = signed("{}").with_header("x-scaikey-timestamp", None);
    let old = WebhookDelivery::of_bytes("{}", SECRET, now - 301);
    let redated = signed("{}").with_header("x-scaikey-timestamp", Some(&(now - 1).to_string()));
    let stranger = WebhookDelivery::of_bytes("{\"id\":", "another-secret-0123456789", now);
    for (delivery, expected) in [
        (unsigned, Code::WebhookSignatureMissing),
        (undated, Code::WebhookTimestampMissing),
        (old, Code::WebhookTimestampOutOfWindow),
        (redated, Code::WebhookSignatureMismatch),
        (stranger, Code::WebhookSignatureMismatch),
        (signed("{\"id\":"), Code::WebhookMalformed),
        (
            signed(&format!("{{\"a\":{}", "[".repeat(100_000))),
            Code::WebhookMalformed,
        ),
        (signed(&" ".repeat(1024 * 1024 + 1)), Code::PayloadTooLarge),
    ] {
        world.db.plan.heal();
        let refused = block_on(world.receive(&delivery));
        assert_eq!(code(&refused), Some(expected));
        assert_eq!(
            world.db.plan.heal(),
            Vec::<String>::new(),
            "no store was asked"
        );
    }
}

#[test]
fn n_106_leaving_the_group_takes_the_role_and_the_tokens_that_say_it() {
    let world = world();
    let session = world.session(BOB, "ses_bob");
    assert_eq!(role(&world, BOB), 1);
    world.event(world.scaikey.emulator.changes().remove_member(ADMINS, BOB));
    assert_eq!(role(&world, BOB), 0);
    assert_eq!(
        world.revocation(&session),
        Some(Revocation::Narrowed { generation: 0 })
    );
    assert_eq!(role(&world, ALICE), 1);
}

#[test]
fn n_106_a_deletion_that_comes_late_takes_the_roles_of_what_it_ended() {
    // The person, or the group, is known to be there again before the news that it was gone arrives.
    let world = world();
    let changes = world.scaikey.emulator.changes();
    let session = world.session(BOB, "ses_bob");
    let (gone, back) = (changes.delete_user(BOB), changes.restore_user(BOB));
    world.event(back);
    assert_eq!(role(&world, BOB), 1, "nobody knows better yet");
    world.event(gone);
    assert_eq!(world.mirror().members, world.truth().members);
    assert_eq!(role(&world, BOB), 0);
    assert!(world.revocation(&session).is_some());

    let gone = changes.delete_group(ADMINS);
    world.clock.advance(Duration::from_secs(1));
    let back = changes.create_group(seed::ACME, "admins");
    world.event(back);
    world.event(gone);
    assert_eq!(world.mirror().groups, world.truth().groups);
    assert_eq!(role(&world, ALICE), 0);
    assert_eq!(outcomes(&world), [["applied", "4"]]);
}

#[test]
fn n_100_what_is_older_than_what_is_known_changes_nothing() {
    let world = world();
    let changes = world.scaikey.emulator.changes();
    let name = |text: &str| {
        let text = text.to_owned();
        changes
            .update_user(BOB, |user| user.last_name = text)
            .unwrap()
    };
    let (older, newer) = (name("Older"), name("Newer"));
    world.event(Some(newer));
    let stale = world.event(Some(older));
    assert!(!stale.is_duplicate && !stale.wants_sync);
    assert_eq!(world.mirror(), Mirrored::of(&world));
    assert_eq!(outcomes(&world), [["applied", "1"], ["stale", "1"]]);
}

#[test]
fn what_happened_while_a_sync_read_asks_for_another() {
    // The sync was read at one second, and its answers are dated in whole ones.
    for (from_then, expected) in [(-1, false), (0, true), (1_000, true), (1_001, false)] {
        let world = World::new();
        world.assign_everybody();
        let read_at = world.clock.now().sql();
        world.sync(false).unwrap();
        world.clock.advance(Duration::from_secs(10));
        let rename = |user: &mut User| user.last_name = "Newer".to_owned();
        let renamed = world.scaikey.emulator.changes().update_user(BOB, rename);
        let event = renamed.map(|event| WebhookEvent {
            at_ms: Some(read_at + from_then),
            ..event
        });
        let received = world.event(event);
        assert_eq!(received.wants_sync, expected, "{from_then}");
        assert_eq!(world.is_sync_due(), expected, "{from_then}");
    }
}

/// What ScaiKey holds, the partners left out of whom nobody has told.
struct Mirrored;

impl Mirrored {
    fn of(world: &World) -> crate::world::mirror::Mirror {
        crate::world::mirror::Mirror {
            partners: world.mirror().partners,
            ..world.truth()
        }
    }
}

#[test]
fn who_joins_a_group_and_is_not_mirrored_makes_a_sync_due() {
    let world = World::new();
    world.sync(false).unwrap();
    world.clock.advance(Duration::from_secs(10));
    let changes = world.scaikey.emulator.changes();
    // Zoë has no access to our application, so she is not mirrored; the group gives it to her.
    let received = world.event(changes.add_member("grp_acme_staff", "usr_zoe_acme"));
    assert!(received.wants_sync && world.is_sync_due());
    world.sync(false).unwrap();
    assert_eq!(
        world.number("SELECT count(*) FROM person WHERE subject = 'usr_zoe_acme'"),
        1
    );
    assert!(!world.is_sync_due());
    // Of whom is mirrored already, nothing has to be read again.
    world.clock.advance(Duration::from_secs(10));
    let received = world.event(changes.remove_member("grp_acme_staff", "usr_carol_acme"));
    assert!(!received.wants_sync);
    let received = world.event(changes.add_member("grp_acme_staff", "usr_carol_acme"));
    assert!(!received.wants_sync && !world.is_sync_due());
}

#[test]
fn who_leaves_a_group_and_is_not_mirrored_makes_no_sync_due() {
    let world = World::new();
    world.sync(false).unwrap();
    world.clock.advance(Duration::from_secs(10));
    let changes = world.scaikey.emulator.changes();
    assert!(
        changes
            .add_member("grp_acme_staff", "usr_zoe_acme")
            .is_some()
    );
    // Nobody told of the joining, and there is nobody to be found by the leaving.
    let received = world.event(changes.remove_member("grp_acme_staff", "usr_zoe_acme"));
    assert!(!received.wants_sync && !world.is_sync_due());
    assert_eq!(outcomes(&world), [["applied", "1"]]);
}

#[test]
fn roles_are_looked_at_only_where_an_event_can_have_changed_one() {
    let renamed = json!({ "id": BOB, "first_name": "Rob", "last_name": "B" });
    let suspended = json!({ "id": BOB, "status": "SUSPENDED" });
    for (groups, data, is_looked_at) in [
        (ADMINS, &suspended, true),
        (ADMINS, &renamed, false),
        ("", &suspended, false),
    ] {
        let world = World::with(&[("scaiflow_super_admin_groups", groups)]);
        world.assign_everybody();
        world.sync(false).unwrap();
        world.clock.advance(Duration::from_secs(10));
        let mut event = bare("user.updated", "user", BOB, data.clone());
        event.tenant_id = Some(seed::ACME.to_owned());
        world.db.plan.heal();
        world.event(Some(event));
        // An election's statements begin so, and no other of an event.
        let calls = world.db.plan.heal();
        let is_elected = calls.iter().any(|call| call == "WITH");
        assert_eq!(is_elected, is_looked_at, "{groups} {data}: {calls:?}");
    }
}

#[test]
fn access_that_changes_makes_a_sync_due_at_once() {
    let world = world();
    let changes = world.scaikey.emulator.changes();
    let (app, group) = (seed::APPLICATION_ID, "grp_umbra_research");
    for event in [
        changes.assign_group(app, group),
        changes.unassign_group(app, group),
        changes.unassign_user(app, ALICE),
        changes.assign_user(app, ALICE),
    ] {
        assert!(!world.is_sync_due());
        assert!(world.event(event).wants_sync && world.is_sync_due());
        world.clock.advance(Duration::from_secs(1));
        world.sync(false).unwrap();
        world.clock.advance(Duration::from_secs(10));
    }
}

#[test]
fn an_event_that_names_no_tenant_is_its_only_users_or_makes_a_sync_due() {
    let world = world();
    let event = |user_id: &str| {
        let mut event = WebhookEvent::new("user.suspended", user_id);
        event.data = json!({ "user_id": user_id });
        event
    };
    assert!(!world.event(Some(event(BOB))).wants_sync);
    assert_eq!(
        world.number("SELECT count(*) FROM person WHERE status = 'suspended'"),
        1
    );
    for nobody_or_two in ["usr_nobody", "usr_alice_acme"] {
        if nobody_or_two == ALICE {
            world.sql(
                "INSERT INTO person (person_id, issuer, subject, tenant_id, created_at, last_seen_at)
                 VALUES ('per_other', 'https://scaikey.example/tenants/tnt_umbra0001', ?1,
                         'tnt_umbra0001', 1, 1)",
                &[ALICE.into()],
            );
        }
        assert!(world.event(Some(event(nobody_or_two))).wants_sync);
    }
    assert_eq!(
        world.number("SELECT count(*) FROM person WHERE status = 'suspended'"),
        1
    );
}

/// An event that says only this.
fn bare(event_type: &str, kind: &str, id: &str, data: serde_json::Value) -> WebhookEvent {
    let mut event = WebhookEvent::new(event_type, id);
    kind.clone_into(&mut event.resource.0);
    event.data = data;
    event
}

#[test]
fn n_105_whoever_is_deleted_by_a_status_is_as_gone_as_by_an_event_of_that_name() {
    let deleted = "DELETED";
    for (by_status, by_name) in [
        (
            bare(
                "user.updated",
                "user",
                BOB,
                json!({ "id": BOB, "tenant_id": seed::ACME, "status": deleted }),
            ),
            bare(
                "user.deleted",
                "user",
                BOB,
                json!({ "id": BOB, "tenant_id": seed::ACME }),
            ),
        ),
        (
            bare(
                "tenant.updated",
                "tenant",
                seed::ACME,
                json!({ "id": seed::ACME, "status": deleted }),
            ),
            bare(
                "tenant.deleted",
                "tenant",
                seed::ACME,
                json!({ "id": seed::ACME }),
            ),
        ),
        (
            bare(
                "partner.updated",
                "partner",
                seed::PARTNER,
                json!({ "id": seed::PARTNER, "status": deleted }),
            ),
            bare(
                "partner.deleted",
                "partner",
                seed::PARTNER,
                json!({ "id": seed::PARTNER }),
            ),
        ),
    ] {
        let after = |event: WebhookEvent| {
            let what = event.event_type.clone();
            let world = world();
            let session = world.session(BOB, "ses_bob");
            world.event(Some(event));
            assert_eq!(
                world.revocation(&session),
                Some(Revocation::Ended),
                "{what}"
            );
            (world.mirror(), role(&world, ALICE))
        };
        assert_eq!(after(by_status), after(by_name));
    }
}

#[test]
fn a_partner_that_is_made_is_active_until_an_event_says_otherwise() {
    let world = world();
    let status = |world: &World| world.mirror().partners.get("prt_new").cloned();
    let event = |event_type: &str, status: &str| {
        let data = json!({ "id": "prt_new", "name": "New", "status": status });
        Some(bare(event_type, "partner", "prt_new", data))
    };
    for (event_type, said, expected) in [
        ("partner.created", "ACTIVE", Some("active")),
        ("partner.updated", "SUSPENDED", Some("suspended")),
        ("partner.updated", "DELETED", None),
        ("partner.created", "ACTIVE", Some("active")),
    ] {
        world.clock.advance(Duration::from_secs(1));
        world.event(event(event_type, said));
        assert_eq!(status(&world).as_deref(), expected, "{event_type} {said}");
    }
}

#[test]
fn an_event_of_a_group_that_names_no_tenant_is_of_the_one_that_has_it() {
    let world = world();
    let membership = |event_type: &str, group: &str, user: &str| {
        let data = json!({ "group_id": group, "user_id": user });
        Some(bare(event_type, "group", group, data))
    };
    let is_member = |group: &str, user: &str| {
        let key = [seed::ACME, group, user].map(str::to_owned);
        world.mirror().members.contains(&key)
    };
    world.event(membership("group.member_removed", ADMINS, BOB));
    assert!(!is_member(ADMINS, BOB));
    assert_eq!(role(&world, BOB), 0);
    let renamed = json!({ "id": ADMINS, "name": "renamed" });
    world.event(Some(bare("group.updated", "group", ADMINS, renamed)));
    let key = (seed::ACME.to_owned(), ADMINS.to_owned());
    assert_eq!(world.mirror().groups[&key][0], "renamed");
    world.event(Some(bare(
        "group.deleted",
        "group",
        ADMINS,
        json!({ "id": ADMINS }),
    )));
    assert!(!world.mirror().groups.contains_key(&key));
    assert_eq!(role(&world, ALICE), 0);

    // Of a group that nobody has told of, the member's tenant is; of neither, only reading tells.
    assert!(!world.is_sync_due());
    let received = world.event(membership("group.member_added", "grp_new", BOB));
    assert!(!received.wants_sync);
    let rows = "SELECT tenant_id, user_id FROM group_membership WHERE group_id = 'grp_new'";
    assert_eq!(world.rows::<2>(rows), [[seed::ACME, BOB]]);
    for event in [
        membership("group.member_added", "grp_newer", "usr_nobody"),
        Some(bare(
            "group.updated",
            "group",
            "grp_newest",
            json!({ "id": "grp_newest" }),
        )),
        Some(bare(
            "group.deleted",
            "group",
            "grp_newest",
            json!({ "id": "grp_newest" }),
        )),
    ] {
        assert!(world.event(event).wants_sync);
    }
    assert!(world.is_sync_due());
}

#[test]
fn who_is_assigned_is_mirrored_at_once_where_the_event_says_who_that_is() {
    let world = World::new();
    world.sync(false).unwrap();
    world.clock.advance(Duration::from_secs(10));
    let data = json!({ "user": {
        "id": "usr_zoe_acme", "tenant_id": seed::ACME, "email": "zoe@acme.example",
        "first_name": "Zoë", "last_name": "Zimmermann", "status": "ACTIVE",
    }});
    let event = bare(
        "application.user_assigned",
        "application",
        seed::APPLICATION_ID,
        data,
    );
    assert!(world.event(Some(event)).wants_sync);
    let key = (seed::ACME.to_owned(), "usr_zoe_acme".to_owned());
    assert_eq!(world.mirror().users[&key][0], "zoe@acme.example");
}

#[test]
fn a_tenant_that_is_no_part_of_an_issuer_is_no_tenant_of_ours() {
    for event_type in ["user.suspended", "user.deleted", "user.updated"] {
        let world = world();
        let mut event = bare(
            event_type,
            "user",
            BOB,
            json!({ "id": BOB, "status": "ACTIVE" }),
        );
        event.tenant_id = Some("tnt_acme0001/..".to_owned());
        let before = world.mirror();
        let refused = block_on(world.receive(&world.delivery(&event)));
        assert_eq!(code(&refused), Some(Code::WebhookMalformed), "{event_type}");
        assert_eq!(world.mirror(), before, "{event_type}");
        assert_eq!(outcomes(&world), Vec::<[String; 2]>::new(), "{event_type}");
    }
}

#[test]
fn what_an_event_says_is_empty_is_and_what_it_does_not_say_stays() {
    let world = world();
    let email = |world: &World| {
        let sql = "SELECT coalesce(email, 'none') FROM person WHERE subject = 'usr_bob_acme'";
        world.rows::<1>(sql).remove(0)
    };
    for (data, expected) in [
        (
            json!({ "id": BOB, "first_name": "Rob" }),
            "bob@acme.example",
        ),
        (json!({ "id": BOB, "email": null }), "none"),
        (
            json!({ "id": BOB, "email": "rob@acme.example" }),
            "rob@acme.example",
        ),
    ] {
        world.clock.advance(Duration::from_secs(1));
        let mut event = bare("user.updated", "user", BOB, data);
        event.tenant_id = Some(seed::ACME.to_owned());
        world.event(Some(event));
        assert_eq!(email(&world), [expected]);
    }
}
