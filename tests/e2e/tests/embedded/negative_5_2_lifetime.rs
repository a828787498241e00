//! Section 5.2: how long a session lives.

use scaigate_e2e::address::parameter;
use scaigate_e2e::emulator::{Endpoint, Fault, seed};
use scaigate_e2e::{Setup, World};
use serde_json::{Map, Value, json};

const ALICE: &str = "alice@acme.example";
const DAY: u64 = 86_400;

async fn refresh(world: &World, session: &Value) -> scaigate_e2e::Answer {
    world
        .client
        .post(
            "/v1/auth/refresh",
            &json!({ "refresh_token": session["refresh_token"] }),
        )
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn n_032_a_session_token_is_refused_when_its_life_is_over() {
    let world = World::start().await;
    let session = world.sign_in(ALICE).await;
    let token = session["access_token"].as_str();
    world.advance(890);
    assert_eq!(world.client.get("/v1/me", token).await.status, 200);
    world.advance(20);
    for path in ["/v1/me", "/v1/me/workspaces", "/v1/auth/whoami"] {
        let answer = world.client.get(path, token).await;
        answer.assert_problem(401, "token_expired");
        assert!(answer.header("www-authenticate").contains("invalid_token"));
    }
    assert_eq!(refresh(&world, &session).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_032_a_session_ends_however_often_it_is_refreshed() {
    let world = World::with(Setup::default().variable("refresh_ttl_days", "1")).await;
    let mut session = world.sign_in(ALICE).await;
    for _ in 0..3 {
        world.advance(DAY / 4);
        let answer = refresh(&world, &session).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        session = answer.json();
    }
    world.advance(DAY / 4 - 300);
    session = refresh(&world, &session).await.json();
    let left = session["expires_in"].as_u64().expect("seconds");
    assert!(
        (1..=300).contains(&left),
        "the last token does not outlive the session: {left} s"
    );
    world.advance(310);
    world
        .client
        .get("/v1/me", session["access_token"].as_str())
        .await
        .assert_problem(401, "token_expired");
    for _ in 0..2 {
        refresh(&world, &session)
            .await
            .assert_problem(400, "session_ended");
    }
    world.sign_in(ALICE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_032_a_session_ends_when_scaikey_says_that_its_own_does() {
    let world = World::start().await;
    let browser = world.browser();
    let begun = browser.post("/v1/auth/login", &json!({})).await.json();
    let url = begun["authorize_url"].as_str().expect("a URL");
    let back = world.scaikey.sign_in(url, ALICE).await.expect("signed in");
    let now = world.clock.wall().as_secs();
    let claims: Map<String, Value> = serde_json::from_value(json!({
        "iss": world.scaikey.base_url(),
        "aud": seed::CLIENT_ID,
        "sub": "usr_alice_acme",
        "tenant_id": "tnt_acme0001",
        "iat": now,
        "exp": now + 3600,
        "nonce": parameter(url, "nonce"),
        "session_expiry": now + 600,
    }))
    .expect("an object");
    let body = json!({
        "access_token": "opaque-access-token",
        "token_type": "Bearer",
        "expires_in": 3600,
        "id_token": world.scaikey.mint(Map::new(), claims),
    });
    let answer = Fault::Answer {
        code: 200,
        body: body.to_string(),
    };
    world
        .scaikey
        .switches()
        .fail_next(Endpoint::Token, answer, 1);
    let code = browser.get(&back).await.location_parameter("session_code");
    let session = world.redeem(&code).await;
    assert_eq!(session.status, 200, "{}", session.text());
    let session = session.json();
    let life = session["expires_in"].as_u64().expect("seconds");
    assert!((500..=600).contains(&life), "{life} s");
    world.advance(300);
    let session = refresh(&world, &session).await.json();
    assert!(session["expires_in"].as_u64().expect("seconds") <= 300);
    world.advance(310);
    world
        .client
        .get("/v1/me", session["access_token"].as_str())
        .await
        .assert_problem(401, "token_expired");
    refresh(&world, &session)
        .await
        .assert_problem(400, "session_ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn n_032_a_session_does_not_outlive_the_secret_that_made_it() {
    // Two deployments that differ in the secret only: what one issued is nothing to the other.
    let ours = World::start().await;
    let session = ours.sign_in(ALICE).await;
    let setup = Setup::default().variable("public_url", &ours.url).variable(
        "session_secret",
        "YW5vdGhlci1zZXNzaW9uLXNlY3JldC1vZi0zMi1ieXRlcyEh",
    );
    let other = World::with(setup).await;
    other
        .client
        .get("/v1/me", session["access_token"].as_str())
        .await
        .assert_problem(401, "token_invalid");
    refresh(&other, &session)
        .await
        .assert_problem(400, "refresh_token_invalid");
    assert_eq!(other.scaikey.recorder().count_grant("refresh_token"), 0);
}
