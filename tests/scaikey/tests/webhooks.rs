//! Events: about changes of the directory, and on their way.

mod support;

use scaikey_emulator::{
    EVENTS, Envelope, EventNames, Recorded, UserShape, WebhookDelivery, WebhookEvent, seed,
    sign_webhook,
};
use serde_json::{Value, json};
use support::{Bench, START};

const SECRET: &str = "hook-secret";
const APP: &str = seed::APPLICATION_ID;

/// Sends an event to the emulator itself: any endpoint records what arrives; this one answers 404.
async fn arrived(bench: &Bench, delivery: WebhookDelivery) -> Recorded {
    let answer = bench.emulator.deliver(&bench.url("/hook"), delivery).await;
    assert_eq!(answer.unwrap().status(), 404);
    bench.emulator.recorder().requests().pop().unwrap()
}

async fn body(bench: &Bench, event: &WebhookEvent) -> Value {
    let seen = arrived(bench, bench.emulator.webhook(SECRET, event)).await;
    serde_json::from_slice(&seen.body).unwrap()
}

#[tokio::test]
async fn deliveries_are_signed_in_each_envelope() {
    let bench = Bench::start().await;
    for (envelope, id_field, type_field, time_field) in [
        (Envelope::ScaiKey, "event_id", "event_type", "timestamp"),
        (Envelope::Short, "event_id", "event_type", "timestamp"),
        (Envelope::ScaiFlow, "id", "type", "created_at"),
    ] {
        let mut event = WebhookEvent::new("user.created", "usr_x");
        event.envelope = envelope;
        event.tenant_id = Some(seed::ACME.to_owned());
        event.data = json!({"id": "usr_x", "email": "x@acme.example"});
        event.at_ms = Some(START * 1_000 + 7);
        let target = bench.url("/hook");
        let answer = bench.emulator.send_webhook(&target, SECRET, &event).await;
        assert_eq!(answer.unwrap().status(), 404);
        let seen = bench.emulator.recorder().requests().pop().unwrap();
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(body[id_field], event.id.as_str());
        assert_eq!(body[type_field], "user.created");
        assert_eq!(body[time_field], "2025-06-15T15:06:40.007Z");
        let signature = format!("t={START},v1={}", sign_webhook(SECRET, START, &seen.body));
        assert_eq!(seen.header("X-ScaiKey-Signature"), Some(signature.as_str()));
        assert_eq!(
            seen.header("X-ScaiKey-Timestamp"),
            Some(START.to_string().as_str())
        );
        assert_eq!(seen.header("X-ScaiKey-Event-ID"), Some(event.id.as_str()));
        assert_eq!(seen.header("X-ScaiKey-Event-Type"), Some("user.created"));
        assert_eq!(seen.header("user-agent"), Some("ScaiKey-Webhook/1.0"));
    }
}

#[tokio::test]
async fn a_repeated_delivery_has_the_same_body_and_a_fresh_signature() {
    let bench = Bench::start().await;
    let event = WebhookEvent::new("user.updated", "usr_x");
    let first = arrived(&bench, bench.emulator.webhook(SECRET, &event)).await;
    bench.advance(40);
    let second = arrived(&bench, bench.emulator.webhook(SECRET, &event)).await;
    assert_eq!(first.body, second.body);
    for name in [
        "x-scaikey-signature",
        "x-scaikey-timestamp",
        "x-scaikey-webhook-id",
    ] {
        assert_ne!(first.header(name), second.header(name), "{name}");
    }
}

#[tokio::test]
async fn deliveries_can_be_bent() {
    let bench = Bench::start().await;
    let both = WebhookDelivery::of_bytes("not json", "old", START).also_signed("new");
    let seen = arrived(&bench, both).await;
    let told = seen.header("x-scaikey-signature").unwrap().to_owned();
    for secret in ["old", "new"] {
        let part = format!(",v1={}", sign_webhook(secret, START, b"not json"));
        assert!(told.contains(&part), "{secret}: {told}");
    }
    assert_eq!(seen.body.as_ref(), b"not json");
    let bare = WebhookDelivery::of_bytes("{}", SECRET, START)
        .with_header("x-scaikey-timestamp", None)
        .with_header("x-scaikey-signature", Some("t=1,v1=00"));
    let seen = arrived(&bench, bare).await;
    assert_eq!(seen.header("x-scaikey-timestamp"), None);
    assert_eq!(seen.header("x-scaikey-signature"), Some("t=1,v1=00"));
}

#[tokio::test]
async fn times_of_events_increase_while_the_clock_stands_still_or_goes_back() {
    let bench = Bench::start().await;
    let changes = bench.emulator.changes();
    let mut times = Vec::new();
    for n in 0..5 {
        let event = changes.update_user("usr_bob_acme", |u| u.last_name = n.to_string());
        times.push(event.unwrap().at_ms.unwrap());
    }
    bench.advance(-3_600);
    let event = changes.suspend_user("usr_bob_acme").unwrap();
    times.push(event.at_ms.unwrap());
    let expected: Vec<i64> = (0..6).map(|n| START * 1_000 + n).collect();
    assert_eq!(times, expected);
    bench.advance(7_200);
    let event = changes.activate_user("usr_bob_acme").unwrap();
    assert_eq!(event.at_ms, Some((START + 3_600) * 1_000));
    assert_eq!(
        body(&bench, &event).await["timestamp"],
        "2025-06-15T16:06:40.000Z"
    );
}

#[tokio::test]
async fn every_change_has_its_event_and_a_change_of_nothing_has_none() {
    let bench = Bench::start().await;
    let c = bench.emulator.changes();
    let (bob, staff, zoe) = ("usr_bob_acme", "grp_umbra_staff", "usr_zoe_acme");
    let made = "grp_umbra_night_shift";
    let active = |status: &mut String| "ACTIVE".clone_into(status);
    for (n, (event, event_type, kind, id)) in [
        (
            c.create_user(seed::UMBRA, "new@umbra.example", "New", "Person"),
            "user.created",
            "user",
            "usr_new_umbra",
        ),
        (
            c.update_user(bob, |u| u.email = "robert@acme.example".to_owned()),
            "user.updated",
            "user",
            bob,
        ),
        (c.suspend_user(bob), "user.suspended", "user", bob),
        (c.activate_user(bob), "user.activated", "user", bob),
        (c.delete_user(bob), "user.deleted", "user", bob),
        (c.restore_user(bob), "user.created", "user", bob),
        (
            c.about_user("user.mfa_enabled", bob),
            "user.mfa_enabled",
            "user",
            bob,
        ),
        (
            c.create_group(seed::UMBRA, "Night Shift"),
            "group.created",
            "group",
            made,
        ),
        (
            c.update_group(made, |g| g.name = "Nights".to_owned()),
            "group.updated",
            "group",
            made,
        ),
        (
            c.add_member(staff, "usr_new_umbra"),
            "group.member_added",
            "group",
            staff,
        ),
        (
            c.remove_member(staff, "usr_new_umbra"),
            "group.member_removed",
            "group",
            staff,
        ),
        (
            c.assign_group(APP, made),
            "application.group_assigned",
            "application",
            APP,
        ),
        (
            c.unassign_group(APP, made),
            "application.group_unassigned",
            "application",
            APP,
        ),
        (
            c.assign_user(APP, zoe),
            "application.user_assigned",
            "application",
            APP,
        ),
        (
            c.unassign_user(APP, zoe),
            "application.user_unassigned",
            "application",
            APP,
        ),
        (c.delete_group(made), "group.deleted", "group", made),
        (
            c.create_tenant("lumen", "Lumen", seed::PARTNER),
            "tenant.created",
            "tenant",
            "tnt_lumen",
        ),
        (
            c.suspend_tenant(seed::UMBRA),
            "tenant.updated",
            "tenant",
            seed::UMBRA,
        ),
        (
            c.activate_tenant(seed::UMBRA),
            "tenant.updated",
            "tenant",
            seed::UMBRA,
        ),
        (
            c.delete_tenant("tnt_lumen"),
            "tenant.deleted",
            "tenant",
            "tnt_lumen",
        ),
        (
            c.suspend_partner(seed::PARTNER),
            "partner.updated",
            "partner",
            seed::PARTNER,
        ),
        (
            c.activate_partner(seed::PARTNER),
            "partner.updated",
            "partner",
            seed::PARTNER,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let event = event.unwrap_or_else(|| panic!("{n}: no {event_type}"));
        assert_eq!(event.event_type, event_type);
        assert_eq!(event.resource, (kind.to_owned(), id.to_owned()));
        assert!(EVENTS.contains(&event_type));
        let belongs = (event.tenant_id.is_some(), event.partner_id.is_some());
        let expected = match kind {
            "tenant" => (true, true),
            "partner" => (false, true),
            _ => (true, false),
        };
        assert_eq!(belongs, expected, "{event_type}");
    }
    for (what, event) in [
        (
            "create_user",
            c.create_user(seed::ACME, "bob@acme.example", "Bob", "Again"),
        ),
        (
            "create_user nowhere",
            c.create_user("tnt_x", "x@x.example", "X", "X"),
        ),
        ("update_user", c.update_user(bob, |_| {})),
        (
            "update_user's id",
            c.update_user(bob, |u| u.id = "usr_x".to_owned()),
        ),
        ("activate_user", c.activate_user(bob)),
        ("restore_user", c.restore_user(bob)),
        ("suspend_user", c.suspend_user("usr_x")),
        ("create_group", c.create_group(seed::ACME, "staff")),
        ("update_group", c.update_group(staff, |g| g.members.clear())),
        ("delete_group with groups", c.delete_group("grp_acme_staff")),
        ("add_member", c.add_member(staff, "usr_sybil_umbra")),
        ("add_member of another tenant", c.add_member(staff, bob)),
        ("remove_member", c.remove_member(staff, "usr_otto_umbra")),
        (
            "create_tenant",
            c.create_tenant("acme", "Acme", seed::PARTNER),
        ),
        (
            "update_tenant",
            c.update_tenant(seed::ACME, |t| active(&mut t.status)),
        ),
        ("suspend a deleted tenant", c.suspend_tenant("tnt_lumen")),
        (
            "update_partner",
            c.update_partner(seed::PARTNER, |p| active(&mut p.status)),
        ),
        ("assign_group", c.assign_group(APP, staff)),
        ("assign_group to nothing", c.assign_group("app_x", staff)),
        ("unassign_user", c.unassign_user(APP, bob)),
    ] {
        assert!(event.is_none(), "{what}");
    }
}

#[tokio::test]
async fn events_tell_the_state_after_the_change_and_lists_agree() {
    let bench = Bench::start().await;
    let token = bench.service_token().await;
    let c = bench.emulator.changes();
    let row = async |id: &str| {
        let path = format!("/api/v1/admin/users/{id}");
        support::json(&bench.get_as(&path, &token).await)["data"].clone()
    };
    bench.emulator.switches().change(|b| {
        b.user_shape = UserShape::NestedTenant;
    });
    let event = c.update_user("usr_amir_umbra", |u| u.first_name = "Émir".to_owned());
    assert_eq!(event.unwrap().data, row("usr_amir_umbra").await);
    let event = c.suspend_user("usr_amir_umbra").unwrap();
    assert_eq!(event.data["status"], "SUSPENDED");
    assert_eq!(event.data, row("usr_amir_umbra").await);
    let event = c.delete_user("usr_amir_umbra").unwrap();
    assert_eq!(event.data["status"], "DELETED");
    let members = "/api/v1/admin/groups/grp_umbra_staff/members?per_page=100";
    assert_eq!(bench.rows(members, &token).await.len(), 13);
    c.restore_user("usr_amir_umbra").unwrap();
    // A restored person is in no group.
    assert_eq!(bench.rows(members, &token).await.len(), 13);
    let event = c.add_member("grp_umbra_staff", "usr_amir_umbra").unwrap();
    assert_eq!(event.data["user"]["id"], "usr_amir_umbra");
    assert_eq!(bench.rows(members, &token).await.len(), 14);
    let event = c.suspend_tenant(seed::UMBRA).unwrap();
    assert_eq!(event.data["status"], "SUSPENDED");
    let path = format!("/api/v1/admin/tenants/{}", seed::UMBRA);
    let tenant = support::json(&bench.get_as(&path, &token).await);
    assert_eq!(tenant["data"]["status"], "SUSPENDED");
    let event = c.suspend_partner(seed::PARTNER).unwrap();
    assert_eq!(event.data["status"], "SUSPENDED");
    let partners = bench.rows("/api/v1/admin/partners/", &token).await;
    assert_eq!(partners[0]["status"], "SUSPENDED");
}

#[tokio::test]
async fn spellings_and_names_follow_the_switches() {
    let bench = Bench::start().await;
    let c = bench.emulator.changes();
    let tenant = json!({"id": seed::UMBRA, "name": "Umbra", "slug": "umbra"});
    for (shape, names, added, user, member, group, assigned) in [
        (
            UserShape::NestedTenant,
            EventNames::ScaiKey,
            "group.member_added",
            vec![("/id", json!("usr_bea_umbra")), ("/tenant", tenant.clone())],
            vec![
                ("/group/id", json!("grp_umbra_admins")),
                ("/user/id", json!("usr_bea_umbra")),
                ("/tenant", tenant.clone()),
            ],
            vec![("/id", json!("grp_umbra_admins")), ("/tenant", tenant)],
            vec![
                ("/application/id", json!(APP)),
                ("/group/id", json!("grp_umbra_admins")),
            ],
        ),
        (
            UserShape::Flat,
            EventNames::ScaiFlow,
            "group_membership.added",
            vec![
                ("/id", json!("usr_bea_umbra")),
                ("/tenant_id", json!(seed::UMBRA)),
            ],
            vec![
                ("/group_id", json!("grp_umbra_admins")),
                ("/user_id", json!("usr_bea_umbra")),
                ("/tenant_id", json!(seed::UMBRA)),
            ],
            vec![
                ("/id", json!("grp_umbra_admins")),
                ("/tenant_id", json!(seed::UMBRA)),
            ],
            vec![
                ("/application_id", json!(APP)),
                ("/group_id", json!("grp_umbra_admins")),
            ],
        ),
        (
            UserShape::UserId,
            EventNames::ScaiFlow,
            "group_membership.added",
            vec![
                ("/user_id", json!("usr_bea_umbra")),
                ("/id", Value::Null),
                ("/email", json!("bea@umbra.example")),
                ("/tenant_id", json!(seed::UMBRA)),
            ],
            vec![("/user_id", json!("usr_bea_umbra"))],
            vec![
                ("/group_id", json!("grp_umbra_admins")),
                ("/id", Value::Null),
            ],
            vec![("/application_id", json!(APP))],
        ),
    ] {
        bench.emulator.switches().change(|b| {
            b.webhook_data = shape;
            b.webhook_names = names;
            b.webhook_envelope = Envelope::ScaiFlow;
        });
        let about = c.about_user("user.updated", "usr_bea_umbra").unwrap();
        let membership = c.add_member("grp_umbra_admins", "usr_bea_umbra").unwrap();
        let named = c.update_group("grp_umbra_admins", |g| g.name = format!("{shape:?}"));
        let access = c.assign_group(APP, "grp_umbra_admins").unwrap();
        for (event, expected) in [
            (&about, user),
            (&membership, member),
            (&named.unwrap(), group),
            (&access, assigned),
        ] {
            let body = body(&bench, event).await;
            assert_eq!(body["type"], event.event_type.as_str());
            for (pointer, value) in expected {
                let told = body["data"].pointer(pointer).cloned().unwrap_or_default();
                assert_eq!(told, value, "{shape:?} {} {pointer}", event.event_type);
            }
        }
        assert_eq!(membership.event_type, added);
        c.remove_member("grp_umbra_admins", "usr_bea_umbra")
            .unwrap();
        c.unassign_group(APP, "grp_umbra_admins").unwrap();
    }
}
