//! The backend does it all (ScaiCrew): begin, come back, redeem.

use scaigate_e2e::emulator::Endpoint;
use scaigate_e2e::{World, pkce_challenge};
use serde_json::json;
use url::Url;

const VERIFIER: &str = "a-verifier-of-the-app-that-is-long-enough-0123456789";

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_and_calls_the_api() {
    let world = World::start().await;
    let session = world.sign_in("alice@acme.example").await;
    assert_eq!(session["token_type"], "Bearer");
    assert_eq!(session["expires_in"], 900);
    assert_eq!(session["refresh_after"], 720);
    assert_eq!(session["tenant_id"], "tnt_acme0001");
    assert_eq!(session["workspace"]["role"], "admin");
    assert_eq!(session["workspace"]["name"], "Default");
    assert_eq!(session["user"]["sub"], "usr_alice_acme");
    assert_eq!(session["user"]["email"], "alice@acme.example");
    assert_eq!(session["user"]["name"], "Alice Ahrens");
    let token = session["access_token"].as_str().expect("a token");
    let me = world.client.get("/v1/me", Some(token)).await;
    assert_eq!(me.status, 200, "{}", me.text());
    assert_eq!(me.json()["email"], "alice@acme.example");
    assert_eq!(me.json()["data"]["tenant_id"], "tnt_acme0001");
    let refreshed = world
        .client
        .post(
            "/v1/auth/refresh",
            &json!({ "refresh_token": session["refresh_token"] }),
        )
        .await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.text());
    let out = world
        .client
        .post(
            "/v1/auth/logout",
            &json!({ "refresh_token": refreshed.json()["refresh_token"] }),
        )
        .await;
    assert_eq!(out.json()["scaikey_revoked"], true, "{}", out.text());
    assert_eq!(out.json()["logged_out"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_login_says_where_to_go_and_which_state_comes_back() {
    let world = World::start().await;
    let browser = world.browser();
    let login = json!({ "login_hint": "alice@acme.example", "prompt": "login" });
    let begun = browser.post("/v1/auth/login", &login).await;
    assert_eq!(begun.status, 200, "{}", begun.text());
    let begun = begun.json();
    assert_eq!(begun["expires_in"], 600);
    assert_eq!(begun["warnings"], json!([]));
    let url = Url::parse(begun["authorize_url"].as_str().expect("an address")).expect("an address");
    let asked = |name: &str| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, v)| v.into_owned())
    };
    assert!(url.as_str().starts_with(&world.scaikey.base_url()), "{url}");
    assert_eq!(asked("response_type").as_deref(), Some("code"));
    assert_eq!(asked("code_challenge_method").as_deref(), Some("S256"));
    assert_eq!(
        asked("redirect_uri"),
        Some(format!("{}/v1/auth/callback", world.url))
    );
    assert_eq!(asked("login_hint").as_deref(), Some("alice@acme.example"));
    assert_eq!(asked("prompt").as_deref(), Some("login"));
    assert_eq!(asked("state").as_deref(), begun["state"].as_str());
    let back = world
        .scaikey
        .sign_in(url.as_str(), "alice@acme.example")
        .await
        .expect("signed in");
    let done = browser.get(&back).await;
    assert_eq!(done.status, 303, "{}", done.text());
    assert_eq!(
        Some(done.location_parameter("state").as_str()),
        begun["state"].as_str()
    );
    // The first `app_url` is where a browser goes by default.
    assert!(
        done.location()
            .starts_with("http://127.0.0.1:5173/auth/done?"),
        "{}",
        done.location()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_returns_to_where_the_app_said() {
    let world = World::start().await;
    for (return_to, expected) in [
        (
            "/welcome?tab=2".to_owned(),
            format!("{}/welcome?tab=2&session_code=", world.url),
        ),
        (
            "https://app.example/deep/link".to_owned(),
            "https://app.example/deep/link?session_code=".to_owned(),
        ),
        (
            "http://127.0.0.1:5173/?a=b".to_owned(),
            "http://127.0.0.1:5173/?a=b&session_code=".to_owned(),
        ),
        (
            format!("{}/x", world.url),
            format!("{}/x?session_code=", world.url),
        ),
    ] {
        let browser = world.browser();
        let login = json!({ "return_to": return_to });
        let back = world.authorize(&browser, &login, "bob@acme.example").await;
        let done = browser.get(&back).await;
        assert!(
            done.location().starts_with(&expected),
            "{return_to}: {}",
            done.location()
        );
        assert_eq!(
            world
                .redeem(&done.location_parameter("session_code"))
                .await
                .status,
            200
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_challenge_binds_the_session_code_to_the_app_that_began() {
    let world = World::start().await;
    let login =
        json!({ "code_challenge": pkce_challenge(VERIFIER), "code_challenge_method": "S256" });
    let code = world
        .session_code(&world.browser(), &login, "alice@acme.example")
        .await;
    world
        .redeem(&code)
        .await
        .assert_problem(400, "code_verifier_required");
    let other = json!({ "session_code": code, "code_verifier": VERIFIER.to_uppercase() });
    world
        .client
        .post("/v1/auth/token", &other)
        .await
        .assert_problem(400, "code_verifier_mismatch");
    let right = json!({ "session_code": code, "code_verifier": VERIFIER });
    let answer = world.client.post("/v1/auth/token", &right).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let again = world.client.post("/v1/auth/token", &right).await;
    again.assert_problem(400, "session_code_already_used");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_asks_for_what_is_not_allowed_begins_nothing() {
    let world = World::start().await;
    for (login, code) in [
        (
            json!({ "return_to": "https://evil.example/" }),
            "return_to_not_allowed",
        ),
        (
            json!({ "code_challenge": pkce_challenge(VERIFIER), "code_challenge_method": "plain" }),
            "invalid_request",
        ),
        (json!({ "code_challenge": VERIFIER }), "invalid_request"),
        (json!({ "prompt": "sesame" }), "invalid_request"),
        (
            json!({ "login_hint": "a b@acme.example" }),
            "invalid_request",
        ),
        (json!({ "login_hint": "x".repeat(321) }), "invalid_request"),
    ] {
        let browser = world.browser();
        browser
            .post("/v1/auth/login", &login)
            .await
            .assert_problem(400, code);
        assert_eq!(browser.cookie("scaigate_login"), None, "{login}");
    }
    world.sign_in("alice@acme.example").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_signs_in_by_navigation_alone() {
    let world = World::start().await;
    let browser = world.browser();
    let begun = browser
        .get("/v1/auth/login?return_to=/after&login_hint=carol%40acme.example")
        .await;
    assert_eq!(begun.status, 303, "{}", begun.text());
    assert!(
        begun.location().contains("login_hint=carol%40acme.example"),
        "{}",
        begun.location()
    );
    let back = world
        .scaikey
        .sign_in(begun.location(), "carol@acme.example")
        .await
        .expect("signed in");
    // ScaiWave's clients are sent to `login`, which is then the callback.
    let back = back.replace("/v1/auth/callback?", "/v1/auth/login?");
    let done = browser.get(&back).await;
    assert_eq!(done.status, 303, "{}", done.text());
    assert!(
        done.location()
            .starts_with(&format!("{}/after?session_code=", world.url))
    );
    let session = world.redeem(&done.location_parameter("session_code")).await;
    assert_eq!(session.json()["user"]["email"], "carol@acme.example");
}

#[tokio::test(flavor = "multi_thread")]
async fn scaikey_itself_can_initiate_a_sign_in() {
    let world = World::start().await;
    let at = |parameters: &[(&str, &str)]| {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(parameters)
            .finish();
        format!("/v1/auth/login?{query}")
    };
    let base = world.scaikey.base_url();
    let browser = world.browser();
    let begun = browser
        .get(&at(&[
            ("iss", base.as_str()),
            ("target_link_uri", "https://app.example/inbox"),
            ("login_hint", "dave@acme.example"),
        ]))
        .await;
    assert_eq!(begun.status, 303, "{}", begun.text());
    let back = world
        .scaikey
        .sign_in(begun.location(), "dave@acme.example")
        .await
        .expect("signed in");
    let done = browser.get(&back).await;
    assert!(
        done.location()
            .starts_with("https://app.example/inbox?session_code="),
        "{}",
        done.location()
    );
    for (parameters, code) in [
        (
            [
                ("iss", "https://scaikey.evil.example"),
                ("target_link_uri", "/"),
            ],
            "issuer_mismatch",
        ),
        (
            [
                ("iss", base.as_str()),
                ("target_link_uri", "https://evil.example/"),
            ],
            "return_to_not_allowed",
        ),
    ] {
        world
            .client
            .get(&at(&parameters), None)
            .await
            .assert_problem(400, code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_scaikey_refuses_is_told_to_the_app_with_the_fix() {
    let world = World::start().await;
    let browser = world.browser();
    // Nobody is signed in at ScaiKey, so a silent sign-in finds no session.
    let back = world
        .authorize(&browser, &json!({ "prompt": "none" }), "alice@acme.example")
        .await;
    let told = browser.get(&back).await;
    assert_eq!(told.status, 303, "{}", told.text());
    assert_eq!(told.location_parameter("error"), "authorization_refused");
    assert!(
        told.location_parameter("error_description")
            .contains("login_required")
    );
    assert!(!told.location_parameter("state").is_empty());
    assert_eq!(
        told.location_parameter("request_id"),
        told.header("x-request-id")
    );
    assert!(told.location_parameter("session_code").is_empty());
    assert_eq!(world.scaikey.recorder().count(Endpoint::Token), 0);
    world
        .session_code(&browser, &json!({}), "alice@acme.example")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_also_answers_below_api() {
    let world = World::start().await;
    let browser = world.browser();
    let config = world.client.get("/api/v1/auth/config", None).await;
    assert_eq!(config.json()["auth_mode"], "scaikey", "{}", config.text());
    let begun = browser.post("/api/v1/auth/login", &json!({})).await;
    let url = begun.json()["authorize_url"]
        .as_str()
        .expect("an address")
        .to_owned();
    let back = world
        .scaikey
        .sign_in(&url, "alice@acme.example")
        .await
        .expect("signed in");
    let done = browser
        .get(&back.replace("/v1/auth/callback?", "/api/v1/auth/callback?"))
        .await;
    let code = json!({ "session_code": done.location_parameter("session_code") });
    let session = world.client.post("/api/v1/auth/token", &code).await;
    assert_eq!(session.status, 200, "{}", session.text());
    let session = session.json();
    let token = session["access_token"].as_str();
    for path in ["/api/v1/me", "/api/v1/me/workspaces", "/api/v1/auth/whoami"] {
        let answer = world.client.get(path, token).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    let refresh = json!({ "refresh_token": session["refresh_token"] });
    let session = world.client.post("/api/v1/auth/refresh", &refresh).await;
    assert_eq!(session.status, 200, "{}", session.text());
    let out = json!({ "refresh_token": session.json()["refresh_token"] });
    let out = world.client.post("/api/v1/auth/logout", &out).await;
    assert_eq!(out.json()["logged_out"], true, "{}", out.text());
    let navigated = browser.get("/api/v1/auth/login").await;
    assert_eq!(navigated.status, 303, "{}", navigated.text());
    let code = world.app_code("bob@acme.example", Some(VERIFIER)).await;
    let body =
        json!({ "code": code, "code_verifier": VERIFIER, "redirect_uri": World::APP_REDIRECT_URI });
    let tokens = world.client.post("/api/v1/auth/exchange", &body).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text());
    world
        .client
        .get("/api/v1/nothing", None)
        .await
        .assert_problem(404, "not_found");
    world
        .client
        .get("/api/v1/flows/flow_1/sync", None)
        .await
        .assert_problem(501, "not_implemented");
}
