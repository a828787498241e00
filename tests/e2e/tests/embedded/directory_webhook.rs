//! ScaiKey's webhooks, from the bytes on the wire to the mirror and the sessions.

use scaigate_e2e::World;
use serde_json::Value;

const ALICE: &str = "alice@acme.example";

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
