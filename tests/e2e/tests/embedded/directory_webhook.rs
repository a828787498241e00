//! ScaiKey's webhooks, from the bytes on the wire to the mirror and the sessions.

use std::collections::BTreeSet;

use scaigate_e2e::emulator::{
    Changes, EVENTS, Endpoint, Envelope, EventNames, UserShape, WebhookEvent, seed,
};
use scaigate_e2e::{Setup, World};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";
const ALICE_ID: &str = "usr_alice_acme";

#[tokio::test(flavor = "multi_thread")]
async fn a_change_arrives_in_the_mirror() {
    let world = World::start().await;
    world.sync().await;
    world.advance(5);
    let event = world
        .scaikey
        .changes()
        .update_user("usr_bob_acme", |user| user.last_name = "Baker".to_owned())
        .expect("a change");
    world.handled(&event).await;
    let row = world.mirrored("usr_bob_acme").await;
    assert_eq!(row["display_name"], "Bob Baker", "{row}");
    let again = world.event(&event).await;
    assert_eq!(again.json()["duplicate"], true, "{}", again.text());
    let deliveries = world.admin("/v1/admin/webhooks/deliveries").await;
    assert_eq!(deliveries["deliveries"][0]["outcome"], "duplicate");
    assert_eq!(deliveries["deliveries"][1]["outcome"], "applied");
}

#[tokio::test(flavor = "multi_thread")]
async fn n_105_a_suspension_ends_the_sessions() {
    let world = World::start().await;
    let session = world.sign_in(ALICE).await;
    let token = session["access_token"].as_str().expect("a token");
    assert_eq!(world.client.get("/v1/me", Some(token)).await.status, 200);
    let event = world.scaikey.changes().suspend_user("usr_alice_acme");
    world.handled(&event.expect("a change")).await;
    world.advance(2);
    let answer = world.client.get("/v1/me", Some(token)).await;
    answer.assert_problem(401, "token_revoked");
    let body = serde_json::json!({ "refresh_token": session["refresh_token"] });
    let answer = world.client.post("/v1/auth/refresh", &body).await;
    assert_ne!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        world.mirrored("usr_alice_acme").await["status"],
        "SUSPENDED"
    );
    assert_ne!(world.mirrored("usr_alice_acme").await, Value::Null);
}

/// Everybody whom a test makes has access: `user.created` is told about no others
/// (`contract/scaikey.md` 4.4).
fn assign(world: &World, user: &str) {
    let mut directory = world.scaikey.directory();
    let ours = directory.client_mut(seed::CLIENT_ID).expect("our client");
    ours.assigned_users.push(user.to_owned());
}

/// An event about a partner that the emulator does not make itself.
fn partner(event_type: &str, id: &str, like: &WebhookEvent) -> WebhookEvent {
    let mut event = WebhookEvent::new(event_type, id);
    event.partner_id = Some(id.to_owned());
    event.data = json!({ "name": "A partner", "status": "ACTIVE" });
    event.data[if like.data["id"].is_null() {
        "partner_id"
    } else {
        "id"
    }] = id.into();
    event.envelope = like.envelope;
    event
}

/// Names and statuses of tenants and partners, here and at ScaiKey.
fn assert_tenants_are(world: &World, what: &str) {
    let here = world.rows(
        "SELECT tenant_id, name, slug, partner_id, upper(status) FROM tenant
          WHERE deleted_at IS NULL AND synced_at IS NOT NULL ORDER BY 1",
    );
    let partner = world.rows("SELECT upper(status) FROM partner WHERE partner_id = 'prt_scai0001'");
    let directory = world.scaikey.directory();
    let mut there: Vec<String> = directory
        .tenants
        .iter()
        .filter(|tenant| tenant.status != "DELETED")
        .map(|t| [&*t.id, &*t.name, &*t.slug, &*t.partner_id, &*t.status].join(" | "))
        .collect();
    there.sort();
    assert_eq!(here, there, "{what}");
    let status = directory.partner(seed::PARTNER).expect("it").status.clone();
    assert!(partner.is_empty() || partner == [status], "{what}");
}

fn user(n: usize) -> String {
    format!("usr_n{n}_acme")
}

fn group(n: usize) -> String {
    format!("grp_acme_team_{n}")
}

fn tenant(n: usize) -> String {
    format!("tnt_t{n}")
}

/// Something that happens at ScaiKey, to the n-th of everything.
type Happening = fn(&Changes<'_>, usize) -> Option<WebhookEvent>;

const HAPPENINGS: [Happening; 22] = [
    |c, _| c.suspend_partner(seed::PARTNER),
    |c, _| c.activate_partner(seed::PARTNER),
    |c, n| c.create_tenant(&format!("t{n}"), "Third", seed::PARTNER),
    |c, n| c.update_tenant(&tenant(n), |tenant| tenant.name = "Renamed".to_owned()),
    |c, n| c.suspend_tenant(&tenant(n)),
    |c, n| c.activate_tenant(&tenant(n)),
    |c, n| c.delete_tenant(&tenant(n)),
    |c, n| c.create_user(seed::ACME, &format!("n{n}@acme.example"), "N", "New"),
    |c, n| c.update_user(&user(n), |user| user.email = format!("m{n}@acme.example")),
    |c, n| c.suspend_user(&user(n)),
    |c, n| c.activate_user(&user(n)),
    |c, n| c.about_user("user.password_changed", &user(n)),
    |c, n| c.about_user("user.mfa_enabled", &user(n)),
    |c, n| c.about_user("user.mfa_disabled", &user(n)),
    |c, n| c.create_group(seed::ACME, &format!("team {n}")),
    |c, n| c.update_group(&group(n), |group| group.name = format!("Team {n}")),
    |c, n| c.add_member(&group(n), &user(n)),
    |c, n| c.remove_member(&group(n), &user(n)),
    |c, n| c.add_member(&group(n), &user(n)),
    |c, n| c.delete_user(&user(n)),
    |c, n| c.restore_user(&user(n)),
    |c, n| c.delete_group(&group(n)),
];

/// Every way in which an event is documented: envelope, names, data.
fn spellings() -> Vec<(Envelope, EventNames, UserShape)> {
    let mut all = Vec::new();
    for envelope in [Envelope::ScaiKey, Envelope::Short, Envelope::ScaiFlow] {
        for names in [EventNames::ScaiKey, EventNames::ScaiFlow] {
            for data in [UserShape::Flat, UserShape::NestedTenant, UserShape::UserId] {
                all.push((envelope, names, data));
            }
        }
    }
    all
}

fn spell(world: &World, (envelope, names, data): (Envelope, EventNames, UserShape)) {
    world.scaikey.switches().change(|behaviour| {
        behaviour.webhook_envelope = envelope;
        behaviour.webhook_names = names;
        behaviour.webhook_data = data;
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_event_has_its_effect_in_every_envelope_and_spelling() {
    let world = World::start().await;
    world.sync().await;
    world.advance(5);
    let mut seen = BTreeSet::new();
    for (n, spelling) in spellings().into_iter().enumerate() {
        spell(&world, spelling);
        let mut last = None;
        for happening in HAPPENINGS {
            let event = happening(&world.scaikey.changes(), n).expect("a change");
            let what = format!("{spelling:?} {}", event.event_type);
            if event.event_type == "user.created" {
                assign(&world, &user(n));
            }
            world.handled(&event).await;
            world.live().assert_is(&world.expected(false), &what);
            assert_tenants_are(&world, &what);
            seen.insert(event.event_type.clone());
            last = Some(event);
        }
        // A partner that is made, and one that is deleted, are nobody's yet.
        let (id, like) = (format!("prt_new{n}"), last.expect("an event"));
        for (event_type, live) in [("partner.created", "1"), ("partner.deleted", "0")] {
            world.handled(&partner(event_type, &id, &like)).await;
            seen.insert(event_type.to_owned());
            let sql = format!(
                "SELECT count(*) FROM partner WHERE partner_id = '{id}' AND deleted_at IS NULL"
            );
            assert_eq!(world.rows(&sql), [live], "{spelling:?} {event_type}");
        }
        let unknown = world
            .scaikey
            .changes()
            .about_user("session.revoked", ALICE_ID);
        let answer = world.event(&unknown.expect("an event")).await;
        assert_eq!(answer.json(), json!({ "handled": false }), "{spelling:?}");
    }
    let documented = EVENTS.iter().map(|name| (*name).to_owned());
    let of_another_test = |name: &String| name.starts_with("application.");
    let expected: BTreeSet<String> = documented
        .filter(|name| name != "session.revoked" && !of_another_test(name))
        .collect();
    assert_eq!(seen, expected);
}

/// Waits until a sync that follows an event is over: until the run after `before` has ended.
async fn synced(world: &World, before: &Value) -> Value {
    world
        .scaikey
        .recorder()
        .arrived(Endpoint::AdminTenants, 1)
        .await;
    loop {
        let state = world.admin("/v1/admin/sync").await;
        if state["running"].is_null() && state["last"]["sync_id"] != *before {
            return state["last"].clone();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_access_is_followed_by_a_sync_in_every_envelope_and_spelling() {
    let world = World::start().await;
    let mut before = world.sync().await["sync_id"].clone();
    let happenings: [Happening; 4] = [
        |c, _| c.assign_user(seed::APPLICATION_ID, "usr_zoe_acme"),
        |c, _| c.assign_group(seed::APPLICATION_ID, "grp_umbra_research"),
        |c, _| c.unassign_user(seed::APPLICATION_ID, "usr_zoe_acme"),
        |c, _| c.unassign_group(seed::APPLICATION_ID, "grp_umbra_research"),
    ];
    for (n, spelling) in spellings().into_iter().enumerate() {
        spell(&world, spelling);
        for happening in happenings {
            world.advance(5);
            world.scaikey.recorder().clear();
            let event = happening(&world.scaikey.changes(), n).expect("a change");
            let what = format!("{spelling:?} {}", event.event_type);
            world.handled(&event).await;
            let last = synced(&world, &before).await;
            assert_eq!(last["outcome"], "applied", "{what}: {last}");
            before = last["sync_id"].clone();
            world.live().assert_is(&world.expected(false), &what);
        }
    }
}

/// Who is signed in, and what happens to whom.
struct Ending {
    email: &'static str,
    happens: Happening,
    undone: Happening,
}

#[tokio::test(flavor = "multi_thread")]
async fn n_105_whoever_may_not_act_any_more_is_signed_out_within_two_seconds() {
    let endings = [
        Ending {
            email: "bob@acme.example",
            happens: |c, _| c.suspend_user("usr_bob_acme"),
            undone: |c, _| c.activate_user("usr_bob_acme"),
        },
        Ending {
            email: "carol@acme.example",
            happens: |c, _| c.delete_user("usr_carol_acme"),
            undone: |c, _| c.restore_user("usr_carol_acme"),
        },
        Ending {
            email: "sybil@umbra.example",
            happens: |c, _| c.suspend_tenant(seed::UMBRA),
            undone: |c, _| c.activate_tenant(seed::UMBRA),
        },
        Ending {
            email: ALICE,
            happens: |c, _| c.suspend_partner(seed::PARTNER),
            undone: |c, _| c.activate_partner(seed::PARTNER),
        },
    ];
    let world = World::start().await;
    world.sync().await;
    for ending in endings {
        let email = ending.email;
        world.advance(5);
        let session = world.sign_in(email).await;
        let token = session["access_token"].as_str().expect("a token");
        let before = world.client.get("/v1/me", Some(token)).await;
        assert_eq!(before.status, 200, "{email}");
        let event = (ending.happens)(&world.scaikey.changes(), 0);
        world.handled(&event.expect("a change")).await;
        world.advance(2);
        let after = world.client.get("/v1/me", Some(token)).await;
        after.assert_problem(401, "token_revoked");
        let body = json!({ "refresh_token": session["refresh_token"] });
        let refreshed = world.client.post("/v1/auth/refresh", &body).await;
        assert_eq!(refreshed.status, 400, "{email}: {}", refreshed.text());
        // It is over for good; another sign-in works once they may act again.
        let event = (ending.undone)(&world.scaikey.changes(), 0);
        world.handled(&event.expect("a change")).await;
        world.advance(2);
        let after = world.client.get("/v1/me", Some(token)).await;
        after.assert_problem(401, "token_revoked");
        let again = world.sign_in(email).await;
        let token = again["access_token"].as_str().expect("a token");
        let after = world.client.get("/v1/me", Some(token)).await;
        assert_eq!(after.status, 200, "{email}: {}", after.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_106_a_group_that_is_left_or_gone_takes_its_role_within_two_seconds() {
    let happenings: [Happening; 2] = [
        |c, _| c.remove_member("grp_acme_admins", ALICE_ID),
        |c, _| c.delete_group("grp_acme_admins"),
    ];
    for happening in happenings {
        let setup = Setup::default().variable("scaiflow_super_admin_groups", "grp_acme_admins");
        let world = World::with(setup).await;
        world.sync().await;
        world.advance(5);
        let session = world.sign_in(ALICE).await;
        let token = session["access_token"].as_str().expect("a token");
        let users = world.client.get("/v1/admin/users", Some(token)).await;
        assert_eq!(users.status, 200, "{}", users.text());
        let event = happening(&world.scaikey.changes(), 0).expect("a change");
        world.handled(&event).await;
        world.advance(2);
        let users = world.client.get("/v1/admin/users", Some(token)).await;
        users.assert_problem(401, "token_revoked");
        // The session goes on, without the role.
        let refreshed = world.refreshed(&session).await;
        let token = refreshed["access_token"].as_str().expect("a token");
        assert_eq!(world.client.get("/v1/me", Some(token)).await.status, 200);
        let users = world.client.get("/v1/admin/users", Some(token)).await;
        users.assert_problem(403, "admin_role_required");
    }
}
