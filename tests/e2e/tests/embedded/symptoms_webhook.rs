//! Webhooks that do not arrive (S-11): each cause is told apart from the others, and what is to be done
//! about it works.

use scaigate_e2e::{Setup, WEBHOOK_SECRET, World};
use serde_json::{Value, json};

const BOB: &str = "usr_bob_acme";
const SECRET: &str = "scaiflow_scaikey_webhook_secret";

async fn deliveries(world: &World) -> Value {
    world.admin("/v1/admin/webhooks/deliveries").await
}

/// Deliveries that were refused: their codes and how many.
async fn refused(world: &World) -> Vec<(String, u64)> {
    let page = world
        .admin("/v1/admin/webhooks/deliveries?outcome=refused")
        .await;
    let rows = page["deliveries"].as_array().expect("rows").clone();
    let row = |row: &Value| {
        let code = row["code"].as_str().expect("a code").to_owned();
        (code, row["count"].as_u64().expect("a number"))
    };
    rows.iter().map(row).collect()
}

/// A manual sync brings what no webhook brought.
async fn a_sync_catches_up(world: &World) {
    world.advance(5);
    world.sync().await;
    world
        .live()
        .assert_is(&world.expected(false), "a manual sync catches up");
}

#[tokio::test(flavor = "multi_thread")]
async fn s_11_without_a_secret_every_delivery_is_told_so_and_listed() {
    let mut world = World::with(Setup::default().variable(SECRET, "")).await;
    world.sync().await;
    let event = world.scaikey.changes().suspend_user(BOB).expect("a change");
    let answer = world.event(&event).await;
    answer.assert_problem(503, "webhook_not_configured");
    let fix = answer.json()["error"]["fix"].to_string();
    assert!(fix.contains("SCAIFLOW_SCAIKEY_WEBHOOK_SECRET"), "{fix}");
    let page = deliveries(&world).await;
    assert_eq!(page["last_received_at"], Value::Null, "{page}");
    assert!(page["last_refused_at"].is_string(), "{page}");
    assert_eq!(
        refused(&world).await,
        [("webhook_not_configured".to_owned(), 1)]
    );
    a_sync_catches_up(&world).await;
    // The secret is set; ScaiKey sends the event again, for it was told 503.
    world.crash(&[(SECRET, WEBHOOK_SECRET)]).await;
    let answer = world.event(&event).await;
    assert_eq!(answer.json(), json!({ "handled": true }));
    let page = deliveries(&world).await;
    assert!(page["last_received_at"].is_string(), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn s_11_a_wrong_secret_is_counted_and_listed_with_its_time() {
    let world = World::start().await;
    world.sync().await;
    let event = world.scaikey.changes().suspend_user(BOB).expect("a change");
    // Twenty in one second, and then, a minute later, one.
    for round in [20, 1] {
        for _ in 0..round {
            let delivery = world
                .scaikey
                .webhook("the-secret-of-another-webhook-1", &event);
            let answer = world.receive(&delivery).await;
            answer.assert_problem(400, "webhook_signature_mismatch");
        }
        world.advance(60);
    }
    let told = refused(&world).await;
    let count: u64 = told.iter().map(|(_, count)| count).sum();
    assert_eq!(count, 21, "{told:?}");
    let page = deliveries(&world).await;
    assert_eq!(page["last_received_at"], Value::Null, "{page}");
    let latest = &page["deliveries"][0];
    assert_eq!(latest["received_at"], page["last_refused_at"], "{page}");
    assert_eq!(latest["received_at"], "2026-11-22T12:01:00Z", "{page}");
    // Nothing of what nobody proved to have sent is kept.
    for name in ["event_id", "event_type", "tenant_id"] {
        assert_eq!(latest[name], Value::Null, "{page}");
    }
    a_sync_catches_up(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_11_no_delivery_ever_is_told_from_deliveries_that_are_refused() {
    let world = World::start().await;
    world.sync().await;
    let suspended = world.scaikey.changes().suspend_user(BOB);
    assert!(suspended.is_some(), "an event that ScaiKey sends to nobody");
    let page = deliveries(&world).await;
    for name in ["last_received_at", "last_refused_at"] {
        assert_eq!(page[name], Value::Null, "{page}");
    }
    assert_eq!(page["total"], 0, "{page}");
    a_sync_catches_up(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_11_a_secret_is_rotated_without_losing_a_delivery() {
    const NEXT: &str = "the-next-secret-of-the-webhook-1";
    let mut world = World::start().await;
    world.sync().await;
    let mut n = 0;
    let mut arrives = async |world: &World, secret: &str| {
        n += 1;
        let name = format!("B{n}");
        let event = world
            .scaikey
            .changes()
            .update_user(BOB, |user| user.last_name = name);
        let delivery = world.scaikey.webhook(secret, &event.expect("a change"));
        world.receive(&delivery).await
    };
    assert_eq!(arrives(&world, WEBHOOK_SECRET).await.status, 200);
    arrives(&world, NEXT)
        .await
        .assert_problem(400, "webhook_signature_mismatch");
    world
        .crash(&[(SECRET, &format!("{WEBHOOK_SECRET}, {NEXT}"))])
        .await;
    for secret in [WEBHOOK_SECRET, NEXT, WEBHOOK_SECRET] {
        assert_eq!(arrives(&world, secret).await.status, 200, "{secret}");
    }
    // ScaiKey may sign with both for a while.
    let event = world.scaikey.changes().suspend_user(BOB).expect("a change");
    let both = world
        .scaikey
        .webhook("a-secret-that-nobody-has-any-more", &event)
        .also_signed(NEXT);
    assert_eq!(world.receive(&both).await.status, 200);
    world.crash(&[(SECRET, NEXT)]).await;
    assert_eq!(arrives(&world, NEXT).await.status, 200);
    arrives(&world, WEBHOOK_SECRET)
        .await
        .assert_problem(400, "webhook_signature_mismatch");
    let row = world.mirrored(BOB).await;
    assert_eq!(
        (&row["display_name"], &row["status"]),
        (&json!("Bob B6"), &json!("SUSPENDED"))
    );
}
