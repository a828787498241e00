//! The same thing at the same moment, many times: once is once, and nobody loses.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, header};
use scaigate_e2e::emulator::{Endpoint, Gate};
use scaigate_e2e::{Answer, Client, Setup, World, together};
use serde_json::{Value, json};

const VERIFIER: &str = "a-verifier-of-the-app-that-is-long-enough-0123456789";

/// With instances shared by many requests, and with one instance for each.
fn setups() -> [Setup; 2] {
    [Setup::default(), Setup::default().without_reuse()]
}

/// Outcomes of a race, counted: a status, and the code of a failure or where a redirect led.
fn tally(answers: &[Answer]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        let what = match answer.status.as_u16() {
            303 => {
                let error = answer.location_parameter("error");
                if error.is_empty() {
                    "session_code".to_owned()
                } else {
                    error
                }
            }
            // What nobody expects is to be told with its reason.
            500.. => format!("{} {}", answer.code(), answer.json()["error"]["details"]),
            _ => answer.code(),
        };
        *counts
            .entry(format!("{} {what}", answer.status.as_u16()))
            .or_default() += 1;
    }
    counts
}

fn expected<const N: usize>(counts: [(&str, usize); N]) -> BTreeMap<String, usize> {
    counts
        .into_iter()
        .map(|(what, n)| (what.to_owned(), n))
        .collect()
}

/// Posts one body to one address from `n` clients at once.
async fn post_together(world: &World, n: usize, path: &'static str, body: &Value) -> Vec<Answer> {
    together(n, |_| post(world.client.clone(), path, body.clone())).await
}

async fn post(client: Client, path: &'static str, body: Value) -> Answer {
    client.post(path, &body).await
}

/// ScaiKey's tokens, brought by an app.
async fn scaikey_tokens(world: &World) -> Value {
    let code = world.app_code("alice@acme.example", None).await;
    let body = json!({ "code": code, "redirect_uri": World::APP_REDIRECT_URI });
    let answer = world.client.post("/v1/auth/login", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    world.scaikey.recorder().clear();
    answer.json()
}

fn refresh_request(token: &Value) -> Request<Bytes> {
    Request::post("/v1/auth/refresh")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Bytes::from(json!({ "refresh_token": token }).to_string()))
        .expect("a request")
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_redemptions_of_one_session_code_exactly_one_wins() {
    for setup in setups() {
        let world = World::with(setup).await;
        let code = world
            .session_code(&world.browser(), &json!({}), "alice@acme.example")
            .await;
        // However long it takes here, it is one moment there.
        world.clock.freeze();
        let answers = post_together(
            &world,
            200,
            "/v1/auth/token",
            &json!({ "session_code": code }),
        )
        .await;
        let counts = expected([("200 ", 1), ("400 session_code_already_used", 199)]);
        assert_eq!(tally(&answers), counts);
        let winner = answers
            .iter()
            .find(|answer| answer.status == 200)
            .expect("one")
            .json();
        let me = world
            .client
            .get("/v1/me", winner["access_token"].as_str())
            .await;
        assert_eq!(me.status, 200, "{}", me.text());
        let next = post(
            world.client.clone(),
            "/v1/auth/refresh",
            json!({ "refresh_token": winner["refresh_token"] }),
        )
        .await;
        assert_eq!(next.status, 200, "{}", next.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_callbacks_with_one_state_exactly_one_signs_in() {
    for setup in setups() {
        let world = World::with(setup).await;
        let browser = world.browser();
        let back = world
            .authorize(&browser, &json!({}), "alice@acme.example")
            .await;
        world.clock.freeze();
        let answers = together(200, |_| {
            let (browser, back) = (browser.clone(), back.clone());
            async move { browser.fetch(&back).await }
        })
        .await;
        let counts = expected([("303 session_code", 1), ("400 state_already_used", 199)]);
        assert_eq!(tally(&answers), counts);
        assert_eq!(world.scaikey.recorder().count(Endpoint::Token), 1);
        let winner = answers
            .iter()
            .find(|answer| answer.status == 303)
            .expect("one");
        let session = world
            .redeem(&winner.location_parameter("session_code"))
            .await;
        assert_eq!(session.status, 200, "{}", session.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_100_exchanges_of_one_code_one_reaches_scaikey() {
    for setup in setups() {
        let world = World::with(setup).await;
        let code = world.app_code("alice@acme.example", Some(VERIFIER)).await;
        let body = json!({ "code": code, "code_verifier": VERIFIER, "redirect_uri": World::APP_REDIRECT_URI });
        world.clock.freeze();
        let answers = post_together(&world, 100, "/v1/auth/exchange", &body).await;
        let counts = expected([("200 ", 1), ("400 code_already_used", 99)]);
        assert_eq!(tally(&answers), counts);
        assert_eq!(world.scaikey.recorder().count(Endpoint::Token), 1);
        // Nothing has made ScaiKey revoke what the winner got.
        let winner = answers
            .iter()
            .find(|answer| answer.status == 200)
            .expect("one")
            .json();
        assert!(
            world
                .scaikey
                .is_live(winner["access_token"].as_str().expect("a token"))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_code_at_every_door_reaches_scaikey_once() {
    let world = World::start().await;
    let code = world.app_code("alice@acme.example", Some(VERIFIER)).await;
    let body =
        json!({ "code": code, "code_verifier": VERIFIER, "redirect_uri": World::APP_REDIRECT_URI });
    world.clock.freeze();
    let doors = [
        "/v1/auth/exchange",
        "/v1/auth/login",
        "/api/v1/auth/exchange",
        "/api/v1/auth/login",
    ];
    let answers = together(40, |i| {
        post(world.client.clone(), doors[i % doors.len()], body.clone())
    })
    .await;
    assert_eq!(
        tally(&answers),
        expected([("200 ", 1), ("400 code_already_used", 39)])
    );
    assert_eq!(world.scaikey.recorder().count(Endpoint::Token), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_051_100_refreshes_of_one_token_are_one_rotation_and_all_succeed() {
    for setup in setups() {
        let world = World::with(setup).await;
        let session = world.sign_in("alice@acme.example").await;
        let generation = || world.sql_text("SELECT CAST(generation AS TEXT) FROM session", &[]);
        assert_eq!(generation().as_deref(), Some("0"));
        world.clock.freeze();
        let body = json!({ "refresh_token": session["refresh_token"] });
        let answers = post_together(&world, 100, "/v1/auth/refresh", &body).await;
        assert_eq!(tally(&answers), expected([("200 ", 100)]));
        assert_eq!(generation().as_deref(), Some("1"));
        let next = answers[0].json();
        for answer in &answers {
            assert_eq!(answer.json()["refresh_token"], next["refresh_token"]);
            let me = world
                .client
                .get("/v1/me", answer.json()["access_token"].as_str())
                .await;
            assert_eq!(me.status, 200, "{}", me.text());
        }
        let body = json!({ "refresh_token": next["refresh_token"] });
        let after = world.client.post("/v1/auth/refresh", &body).await;
        assert_eq!(after.status, 200, "{}", after.text());
        assert_eq!(generation().as_deref(), Some("2"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_047_100_refreshes_of_one_scaikey_token_are_one_call_and_one_answer() {
    for setup in setups() {
        let world = World::with(setup).await;
        let tokens = scaikey_tokens(&world).await;
        // The lease can't run out while ScaiKey keeps the leader waiting.
        world.clock.freeze();
        world.scaikey.recorder().hold(Endpoint::Token);
        let body = json!({ "refresh_token": tokens["refresh_token"] });
        let (client, sent) = (world.client.clone(), body.clone());
        let all = tokio::spawn(together(100, move |_| {
            post(client.clone(), "/v1/auth/refresh", sent.clone())
        }));
        world.scaikey.recorder().held(Endpoint::Token, 1).await;
        world.scaikey.recorder().release(Endpoint::Token);
        world.clock.thaw();
        let answers = all.await.expect("answers");
        assert_eq!(tally(&answers), expected([("200 ", 100)]));
        assert_eq!(world.scaikey.recorder().count_grant("refresh_token"), 1);
        let first = answers[0].json();
        assert_ne!(first["access_token"], tokens["access_token"]);
        for answer in &answers {
            let answer = answer.json();
            for member in ["access_token", "refresh_token", "id_token", "scope"] {
                assert_eq!(answer[member], first[member], "{member}");
            }
        }
        // A late caller gets the same; the successor is good, once.
        let late = world.client.post("/v1/auth/refresh", &body).await;
        assert_eq!(
            late.json()["access_token"],
            first["access_token"],
            "{}",
            late.text()
        );
        let body = json!({ "refresh_token": first["refresh_token"] });
        let next = world.client.post("/v1/auth/refresh", &body).await;
        assert_eq!(next.status, 200, "{}", next.text());
        assert_eq!(world.scaikey.recorder().count_grant("refresh_token"), 2);
    }
}

/// Twenty callers bring a token; ScaiKey has the leader's call at `gate` when every instance is
/// killed. Ten more callers then come: what they get, after the lost leader's lease.
async fn after_a_lost_leader(world: &World, tokens: &Value, gate: Gate) -> Vec<Answer> {
    let recorder = world.scaikey.recorder();
    world.clock.freeze();
    recorder.hold_at(Endpoint::Token, gate);
    let (client, token) = (world.client.clone(), tokens["refresh_token"].clone());
    let lost = tokio::spawn(together(20, move |_| {
        let (client, request) = (client.clone(), refresh_request(&token));
        async move { client.try_send(request).await }
    }));
    recorder.held(Endpoint::Token, 1).await;
    world.host().kill_instances();
    recorder.held(Endpoint::Token, 0).await;
    recorder.release(Endpoint::Token);
    world.advance(5);
    world.clock.thaw();
    // Whoever had been taken up was cut off; whoever came to a new instance waited for the lease.
    let outcomes = lost.await.expect("outcomes");
    let answers = together(10, |_| {
        let (client, request) = (
            world.client.clone(),
            refresh_request(&tokens["refresh_token"]),
        );
        async move { client.send(request).await }
    })
    .await;
    for outcome in outcomes {
        // Those cut off see a cut connection or the runner's own 500; nobody sees another token.
        if let Ok(answer) = outcome
            && answer.status == 200
        {
            assert_eq!(
                answer.json()["access_token"],
                answers[0].json()["access_token"]
            );
        }
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_lost_before_scaikey_acted_is_replaced_and_nobody_is_signed_out() {
    let world = World::start().await;
    let tokens = scaikey_tokens(&world).await;
    let answers = after_a_lost_leader(&world, &tokens, Gate::Before).await;
    assert_eq!(tally(&answers), expected([("200 ", 10)]));
    assert_eq!(world.scaikey.recorder().count_grant("refresh_token"), 2);
    let first = answers[0].json();
    assert!(
        answers
            .iter()
            .all(|answer| answer.json()["refresh_token"] == first["refresh_token"])
    );
    assert!(
        world
            .scaikey
            .is_refresh_live(first["refresh_token"].as_str().expect("a token"))
    );
    let next = world
        .client
        .send(refresh_request(&first["refresh_token"]))
        .await;
    assert_eq!(next.status, 200, "{}", next.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_lost_after_scaikey_acted_costs_at_most_two_calls_and_is_told_as_it_is() {
    let world = World::start().await;
    let tokens = scaikey_tokens(&world).await;
    let answers = after_a_lost_leader(&world, &tokens, Gate::After).await;
    // ScaiKey has given the token's successor to somebody who is no more.
    assert_eq!(tally(&answers), expected([("400 invalid_grant", 10)]));
    assert_eq!(world.scaikey.recorder().count_grant("refresh_token"), 2);
    world.sign_in("alice@acme.example").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn first_sign_ins_of_a_tenant_at_one_moment_make_one_workspace_with_one_admin() {
    let world = World::start().await;
    let mut arrivals = Vec::new();
    for name in [
        "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan",
    ] {
        let browser = world.browser();
        let back = world
            .authorize(&browser, &json!({}), &format!("{name}@acme.example"))
            .await;
        arrivals.push((browser, back));
    }
    world.clock.freeze();
    let answers = together(arrivals.len(), |i| {
        let (browser, back) = arrivals[i].clone();
        async move { browser.fetch(&back).await }
    })
    .await;
    assert_eq!(tally(&answers), expected([("303 session_code", 8)]));
    let mut roles = Vec::new();
    let mut workspaces = Vec::new();
    for answer in &answers {
        let session = world
            .redeem(&answer.location_parameter("session_code"))
            .await
            .json();
        roles.push(
            session["workspace"]["role"]
                .as_str()
                .expect("a role")
                .to_owned(),
        );
        workspaces.push(session["workspace"]["workspace_id"].clone());
    }
    roles.sort_unstable();
    assert_eq!(roles[0], "admin");
    assert!(roles[1..].iter().all(|role| role == "viewer"), "{roles:?}");
    assert!(
        workspaces.iter().all(|id| *id == workspaces[0]),
        "{workspaces:?}"
    );
}
