//! What a session is while time passes and while rights change.

use scaigate_e2e::{Answer, Setup, World};
use serde_json::{Value, json};

async fn me(world: &World, session: &Value) -> Answer {
    world
        .client
        .get("/v1/me", session["access_token"].as_str())
        .await
}

async fn refresh(world: &World, session: &Value) -> Answer {
    world
        .client
        .post(
            "/v1/auth/refresh",
            &json!({ "refresh_token": session["refresh_token"] }),
        )
        .await
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_is_seen_within_two_seconds_by_whoever_saw_the_session_alive() {
    for setup in [Setup::default(), Setup::default().without_reuse()] {
        let world = World::with(setup).await;
        let session = world.sign_in("alice@acme.example").await;
        for _ in 0..8 {
            assert_eq!(me(&world, &session).await.status, 200);
        }
        let body = json!({ "refresh_token": session["refresh_token"] });
        let out = world.client.post("/v1/auth/logout", &body).await;
        assert_eq!(out.json()["logged_out"], true, "{}", out.text());
        world.advance(2);
        for path in ["/v1/me", "/v1/me/workspaces", "/v1/auth/whoami"] {
            let answer = world
                .client
                .get(path, session["access_token"].as_str())
                .await;
            answer.assert_problem(401, "token_revoked");
        }
        refresh(&world, &session)
            .await
            .assert_problem(400, "session_ended");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_token_lives_as_long_as_it_says_and_a_refresh_goes_on() {
    let world = World::with(Setup::default().variable("session_ttl_seconds", "60")).await;
    let session = world.sign_in("alice@acme.example").await;
    assert_eq!(session["expires_in"], 60);
    assert_eq!(session["refresh_after"], 48);
    world.advance(48);
    assert_eq!(me(&world, &session).await.status, 200);
    let next = refresh(&world, &session).await.json();
    // Its sixty seconds, and five in which clocks may differ.
    world.advance(18);
    me(&world, &session)
        .await
        .assert_problem(401, "token_expired");
    assert_eq!(me(&world, &next).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_role_is_read_at_the_next_refresh() {
    let world = World::start().await;
    let session = world.sign_in("alice@acme.example").await;
    let person = text(&session["user"]["id"]);
    assert_eq!(session["workspace"]["role"], "admin");
    world.sql(
        "UPDATE membership SET role = 'author' WHERE person_id = ?1",
        &[person],
    );
    world.sql(
        "UPDATE person SET admin_role = 'tenant_admin', admin_role_source = 'manual' WHERE person_id = ?1",
        &[person],
    );
    // No lookup per request: the token says what it said.
    assert_eq!(
        me(&world, &session).await.json()["workspace"]["role"],
        "admin"
    );
    let next = refresh(&world, &session).await.json();
    assert_eq!(next["workspace"]["role"], "author");
    assert_eq!(next["user"]["admin_role"], "tenant_admin");
    let shown = me(&world, &next).await.json();
    assert_eq!(shown["workspace"]["role"], "author");
    assert_eq!(shown["admin_role"], "tenant_admin");
    let whoami = world
        .client
        .get("/v1/auth/whoami", next["access_token"].as_str())
        .await
        .json();
    assert_eq!(whoami["roles"], json!(["tenant_admin"]));
    assert_eq!(whoami["workspace_role"], "author");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_is_suspended_can_not_refresh_and_the_session_ends() {
    let world = World::start().await;
    let session = world.sign_in("bob@acme.example").await;
    let person = text(&session["user"]["id"]);
    world.sql(
        "UPDATE person SET status = 'suspended' WHERE person_id = ?1",
        &[person],
    );
    refresh(&world, &session)
        .await
        .assert_problem(400, "session_ended");
    world.advance(2);
    me(&world, &session)
        .await
        .assert_problem(401, "token_revoked");
    let browser = world.browser();
    let back = world
        .authorize(&browser, &json!({}), "bob@acme.example")
        .await;
    assert_eq!(
        browser.get(&back).await.location_parameter("error"),
        "person_suspended"
    );
    // Reinstated: a new sign-in works, the ended session stays ended.
    world.sql(
        "UPDATE person SET status = 'active' WHERE person_id = ?1",
        &[person],
    );
    world.sign_in("bob@acme.example").await;
    refresh(&world, &session)
        .await
        .assert_problem(400, "session_ended");
}
