//! The three documented ways in.

use scaigate_e2e::World;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_and_calls_the_api() {
    let world = World::start().await;
    let session = world.sign_in("alice@acme.example").await;
    assert_eq!(session["token_type"], "Bearer");
    assert_eq!(session["expires_in"], 900);
    assert_eq!(session["tenant_id"], "tnt_acme0001");
    assert_eq!(session["workspace"]["role"], "admin");
    let token = session["access_token"].as_str().expect("a token");
    let me = world.client.get("/v1/me", Some(token)).await;
    assert_eq!(me.status, 200, "{}", me.text());
    assert_eq!(me.json()["email"], "alice@acme.example");
    assert_eq!(me.json()["data"]["tenant_id"], "tnt_acme0001");
    let refreshed = world
        .client
        .post("/v1/auth/refresh", &json!({ "refresh_token": session["refresh_token"] }))
        .await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.text());
    let out = world
        .client
        .post("/v1/auth/logout", &json!({ "refresh_token": refreshed.json()["refresh_token"] }))
        .await;
    assert_eq!(out.json()["scaikey_revoked"], true, "{}", out.text());
    assert_eq!(out.json()["logged_out"], true);
}
