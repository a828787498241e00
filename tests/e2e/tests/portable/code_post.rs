//! The ways in where the app brings the code (ScaiFlow, ScaiWave), and the password grant.

use bytes::Bytes;
use http::Request;
use scaigate_e2e::emulator::Endpoint;
use scaigate_e2e::{Answer, Setup, World};
use serde_json::{Value, json};

const VERIFIER: &str = "a-verifier-of-the-app-that-is-long-enough-0123456789";
const EXCHANGE: &str = "/v1/auth/exchange";

fn exchange_body(code: &str) -> Value {
    json!({ "code": code, "code_verifier": VERIFIER, "redirect_uri": World::APP_REDIRECT_URI })
}

/// ScaiKey's tokens as documented: bare, and the same below `data`.
#[track_caller]
fn assert_scaikey_tokens(world: &World, answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    // What is kept for those who wait grows older meanwhile.
    let expires_in = body["expires_in"].as_u64().expect("a number");
    assert!((3590..=3600).contains(&expires_in), "{expires_in}");
    assert_eq!(body["refresh_after"], expires_in * 4 / 5);
    assert_eq!(body["scope"], "openid profile email");
    assert!(
        world
            .scaikey
            .is_live(body["access_token"].as_str().expect("a token"))
    );
    assert!(
        world
            .scaikey
            .is_refresh_live(body["refresh_token"].as_str().expect("a token"))
    );
    assert!(body["id_token"].is_string());
    let mut bare = body.clone();
    let data = bare
        .as_object_mut()
        .expect("an object")
        .remove("data")
        .expect("a twin");
    assert_eq!(bare, data);
    assert_eq!(answer.header("cache-control"), "no-store");
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn the_canvas_exchanges_its_code_and_refreshes_scaikeys_tokens() {
    let world = World::start().await;
    let code = world.app_code("alice@acme.example", Some(VERIFIER)).await;
    let answer = world.client.post(EXCHANGE, &exchange_body(&code)).await;
    let tokens = assert_scaikey_tokens(&world, &answer);
    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    let answer = world.client.post("/v1/auth/refresh", &refresh).await;
    let refreshed = assert_scaikey_tokens(&world, &answer);
    assert_ne!(refreshed["access_token"], tokens["access_token"]);
    assert_ne!(refreshed["refresh_token"], tokens["refresh_token"]);
    assert_eq!(world.scaikey.recorder().count_grant("refresh_token"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn s_03_a_second_exchange_never_reaches_scaikey_and_the_first_login_survives() {
    let world = World::start().await;
    let code = world.app_code("alice@acme.example", Some(VERIFIER)).await;
    let first = world.client.post(EXCHANGE, &exchange_body(&code)).await;
    let tokens = assert_scaikey_tokens(&world, &first);
    for path in [EXCHANGE, "/v1/auth/login"] {
        let second = world.client.post(path, &exchange_body(&code)).await;
        second.assert_problem(400, "code_already_used");
        assert_eq!(second.json()["detail"], "invalid_grant: code already used");
        assert_eq!(
            second.json()["error"]["details"]["sw_code"],
            "SW_AUTH_OIDC_FAILED"
        );
    }
    assert_eq!(world.scaikey.recorder().count(Endpoint::Token), 1);
    assert!(
        world
            .scaikey
            .is_live(tokens["access_token"].as_str().expect("a token"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_can_not_succeed_is_refused_before_scaikey_hears_of_it() {
    let world = World::start().await;
    let code = world.app_code("alice@acme.example", Some(VERIFIER)).await;
    let with = |name: &str, value: Option<&str>| {
        let mut body = exchange_body(&code);
        match value {
            Some(value) => body[name] = value.into(),
            None => drop(body.as_object_mut().expect("an object").remove(name)),
        }
        body
    };
    for (body, problem) in [
        (with("code", None), "invalid_request"),
        (with("code", Some("with space")), "invalid_request"),
        (with("code", Some(&"x".repeat(2049))), "invalid_request"),
        (with("code_verifier", None), "invalid_request"),
        (with("code_verifier", Some("short")), "invalid_request"),
        (with("redirect_uri", None), "invalid_request"),
        (
            with("redirect_uri", Some("https://evil.example/auth/callback")),
            "redirect_uri_not_allowed",
        ),
        (
            with("redirect_uri", Some("/auth/callback")),
            "redirect_uri_not_allowed",
        ),
    ] {
        world
            .client
            .post(EXCHANGE, &body)
            .await
            .assert_problem(400, problem);
    }
    assert_eq!(world.scaikey.recorder().count(Endpoint::Token), 0);
    // None of it has cost the code.
    let answer = world.client.post(EXCHANGE, &exchange_body(&code)).await;
    assert_scaikey_tokens(&world, &answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_verifier_is_scaikeys_invalid_grant() {
    let world = World::start().await;
    let code = world.app_code("alice@acme.example", Some(VERIFIER)).await;
    let mut body = exchange_body(&code);
    body["code_verifier"] = VERIFIER.to_uppercase().into();
    let answer = world.client.post(EXCHANGE, &body).await;
    answer.assert_problem(400, "invalid_grant");
    assert_eq!(
        answer.json()["error"]["details"]["oauth_error"],
        "invalid_grant"
    );
    assert!(answer.json()["error_description"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn scaiwave_posts_its_code_as_form_query_or_json() {
    let world = World::start().await;
    let redirect_uri = World::APP_REDIRECT_URI;
    let encoded = |code: &str| {
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("code", code), ("redirect_uri", redirect_uri)])
            .finish()
    };
    let code = world.app_code("alice@acme.example", None).await;
    let form = [("code", code.as_str()), ("redirect_uri", redirect_uri)];
    assert_scaikey_tokens(
        &world,
        &world.client.post_form("/v1/auth/login", &form).await,
    );
    let code = world.app_code("bob@acme.example", None).await;
    let request = Request::post(format!("/v1/auth/login?{}", encoded(&code))).body(Bytes::new());
    assert_scaikey_tokens(
        &world,
        &world.client.send(request.expect("a request")).await,
    );
    let code = world.app_code("carol@acme.example", None).await;
    let json = json!({ "code": code, "redirect_uri": redirect_uri });
    assert_scaikey_tokens(&world, &world.client.post("/v1/auth/login", &json).await);
    let code = world.app_code("dave@acme.example", Some(VERIFIER)).await;
    assert_scaikey_tokens(
        &world,
        &world
            .client
            .post("/v1/auth/login", &exchange_body(&code))
            .await,
    );
    let code = world.app_code("erin@acme.example", None).await;
    let missing = world
        .client
        .post("/v1/auth/login", &json!({ "code": code }))
        .await;
    missing.assert_problem(400, "invalid_request");
    assert_eq!(missing.json()["error"]["details"]["field"], "redirect_uri");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_passed_on_where_that_is_enabled() {
    let setup = Setup::default()
        .variable("password_grant_enabled", "true")
        .behaviour(|behaviour| behaviour.password_grant = true);
    let world = World::with(setup).await;
    let grant = |username: &str, password: &str| json!({ "grant_type": "password", "username": username, "password": password });
    let token = "/v1/auth/token";
    let answer = world
        .client
        .post(token, &grant("alice@acme.example", "password"))
        .await;
    assert_scaikey_tokens(&world, &answer);
    let form = [
        ("grant_type", "password"),
        ("username", "bob@acme.example"),
        ("password", "password"),
    ];
    assert_scaikey_tokens(&world, &world.client.post_form(token, &form).await);
    for (username, password, code) in [
        ("alice@acme.example", "wrong", "invalid_grant"),
        ("nobody@acme.example", "password", "invalid_grant"),
        ("", "password", "invalid_request"),
        (&"x".repeat(321), "password", "invalid_request"),
    ] {
        world
            .client
            .post(token, &grant(username, password))
            .await
            .assert_problem(400, code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s_29_a_password_grant_that_is_not_offered_is_named_with_the_fix() {
    let grant = json!({ "grant_type": "password", "username": "alice@acme.example", "password": "password" });
    let off = World::start().await;
    let answer = off.client.post("/v1/auth/token", &grant).await;
    answer.assert_problem(400, "unsupported_grant_type");
    assert!(
        answer.json()["error"]["fix"]
            .as_str()
            .expect("a fix")
            .contains("password_grant_enabled")
    );
    assert_eq!(off.scaikey.recorder().total(), 0);
    let other = off
        .client
        .post(
            "/v1/auth/token",
            &json!({ "grant_type": "client_credentials" }),
        )
        .await;
    other.assert_problem(400, "unsupported_grant_type");
    // Enabled here, but not at ScaiKey.
    let on = World::with(Setup::default().variable("password_grant_enabled", "true")).await;
    let answer = on.client.post("/v1/auth/token", &grant).await;
    answer.assert_problem(400, "unsupported_grant_type");
    assert_eq!(on.scaikey.recorder().count_grant("password"), 1);
}
