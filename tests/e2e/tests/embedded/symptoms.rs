//! The troubleshooting guide's failures: prevented, or named with the fix.

use http::Request;
use scaigate_e2e::address::parameter;
use scaigate_e2e::emulator::{Deviation, Endpoint, Fault, TokenAnswerLie};
use scaigate_e2e::{Answer, Setup, World};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";
const VERIFIER: &str = "a-verifier-of-the-app-that-is-long-enough-0004";

async fn exchange(world: &World, code: &str) -> Answer {
    let body =
        json!({ "code": code, "code_verifier": VERIFIER, "redirect_uri": World::APP_REDIRECT_URI });
    world.client.post("/v1/auth/exchange", &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn s_01_a_login_begun_in_another_tab_still_completes() {
    let world = World::start().await;
    let browser = world.browser();
    let first = world
        .authorize(
            &browser,
            &json!({ "return_to": "https://app.example/1" }),
            ALICE,
        )
        .await;
    let second = world
        .authorize(
            &browser,
            &json!({ "return_to": "https://app.example/2" }),
            "bob@acme.example",
        )
        .await;
    // Finished in the other order: state and verifier are ours, not the tab's.
    for (back, to, email) in [
        (second, "https://app.example/2?", "bob@acme.example"),
        (first, "https://app.example/1?", ALICE),
    ] {
        let answer = browser.get(&back).await;
        assert!(answer.location().starts_with(to), "{}", answer.location());
        assert_eq!(
            answer.location_parameter("state"),
            parameter(&back, "state")
        );
        let session = world
            .redeem(&answer.location_parameter("session_code"))
            .await
            .json();
        assert_eq!(session["user"]["email"], email);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s_01_every_mismatch_of_a_state_is_named_with_its_fix() {
    let world = World::start().await;
    let browser = world.browser();
    let used = world.authorize(&browser, &json!({}), ALICE).await;
    assert_eq!(browser.get(&used).await.status, 303);
    let expired = world.authorize(&browser, &json!({}), ALICE).await;
    let others = world.authorize(&world.browser(), &json!({}), ALICE).await;
    world.advance(601);
    for (address, code, words) in [
        (used.clone(), "state_already_used", "Go back to the app"),
        (expired, "state_expired", "Begin again"),
        (others, "state_other_browser", "one browser"),
        (
            used.replace("state=", "state=x"),
            "state_unknown",
            "localhost and 127.0.0.1 are two",
        ),
    ] {
        let answer = browser.fetch(&address).await;
        answer.assert_problem(400, code);
        let fix = answer.json()["error"]["fix"]
            .as_str()
            .expect("a fix")
            .to_owned();
        assert!(fix.contains(words), "{code}: {fix}");
        let page = browser.get(&address).await;
        assert!(
            page.text().contains(words) && page.text().contains(code),
            "{}",
            page.text()
        );
        assert!(
            page.text().contains(page.header("x-request-id")),
            "the page names the request"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s_01_an_app_on_localhost_and_a_server_on_127_0_0_1_are_told_apart() {
    let world = World::start().await;
    let port = world.url.rsplit(':').next().expect("a port");
    let localhost = format!("localhost:{port}");
    let begin = |host: &str| {
        Request::post("/v1/auth/login")
            .header("host", host)
            .header("content-type", "application/json")
            .body("{}".into())
            .expect("a request")
    };
    let answer = world.client.send(begin(&localhost)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let warning = &answer.json()["warnings"][0];
    assert_eq!(warning["code"], "origin_mismatch");
    assert_eq!(warning["host"], localhost);
    assert_eq!(warning["public_url"], world.url);
    assert!(
        warning["fix"]
            .as_str()
            .is_some_and(|fix| fix.contains("localhost")),
        "{warning}"
    );
    let fine = world.client.send(begin(&format!("127.0.0.1:{port}"))).await;
    assert_eq!(fine.json()["warnings"], json!([]));
    // The cookie was for localhost, so it does not come back to 127.0.0.1; and the other way round
    // the answer says which two hosts it saw.
    let url = answer.json()["authorize_url"]
        .as_str()
        .expect("a URL")
        .to_owned();
    let back = world.scaikey.sign_in(&url, ALICE).await.expect("signed in");
    let request = Request::get(scaigate_e2e::address::path_and_query(&back))
        .header("host", &localhost)
        .body(Default::default())
        .expect("a request");
    let answer = world.client.send(request).await;
    answer.assert_problem(400, "state_other_browser");
    let details = &answer.json()["error"]["details"]["origin_mismatch"];
    assert_eq!(
        (&details["host"], &details["public_url"]),
        (&Value::from(localhost), &Value::from(world.url.clone()))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn s_02_exactly_the_missing_settings_are_named() {
    const THREE: [&str; 3] = [
        "scaikey_base_url",
        "scaiflow_scaikey_client_id",
        "scaiflow_scaikey_client_secret",
    ];
    for missing in 1_u8..8 {
        let names: Vec<&str> = (0..3)
            .filter(|bit| missing & (1 << bit) != 0)
            .map(|bit| THREE[bit])
            .collect();
        let setup = names
            .iter()
            .fold(Setup::default(), |setup, name| setup.variable(name, ""));
        let world = World::with(setup).await;
        let upper: Vec<String> = names.iter().map(|name| name.to_uppercase()).collect();
        let bodies = [
            ("/v1/auth/login", json!({})),
            (
                "/v1/auth/exchange",
                json!({ "code": "c", "code_verifier": VERIFIER, "redirect_uri": World::APP_REDIRECT_URI }),
            ),
            ("/v1/auth/refresh", json!({ "refresh_token": "x" })),
        ];
        for (path, body) in &bodies {
            let answer = world.client.post(path, body).await;
            answer.assert_problem(503, "oidc_not_configured");
            let problem = answer.json();
            assert_eq!(
                problem["detail"],
                "ScaiKey OIDC not configured on the server"
            );
            assert_eq!(
                problem["error"]["details"]["missing"],
                json!(upper),
                "{path}"
            );
        }
        // Shown before anybody tries.
        let config = world.client.get("/v1/auth/config", None).await;
        assert_eq!(config.status, 200, "{}", config.text());
        let config = config.json();
        assert_eq!(config["auth_mode"], "dev_token");
        let shown: Vec<&Value> = config["reason"]["faults"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|fault| &fault["setting"])
            .collect();
        assert_eq!(json!(shown), json!(upper));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s_03_a_code_exchanged_twice_reaches_scaikey_once_and_the_first_login_survives() {
    let world = World::start().await;
    let code = world.app_code(ALICE, Some(VERIFIER)).await;
    let first = exchange(&world, &code).await;
    assert_eq!(first.status, 200, "{}", first.text());
    let tokens = first.json();
    for _ in 0..3 {
        let again = exchange(&world, &code).await;
        again.assert_problem(400, "code_already_used");
        let problem = again.json();
        assert_eq!(problem["detail"], "invalid_grant: code already used");
        assert_eq!(
            problem["error_description"],
            "invalid_grant: code already used"
        );
        assert_eq!(problem["error"]["details"]["oauth_error"], "invalid_grant");
    }
    // Nor through another door.
    for (path, body) in [
        (
            "/v1/auth/login",
            json!({ "code": code, "redirect_uri": World::APP_REDIRECT_URI, "code_verifier": VERIFIER }),
        ),
        (
            "/api/v1/auth/exchange",
            json!({ "code": code, "redirect_uri": World::APP_REDIRECT_URI, "code_verifier": VERIFIER }),
        ),
    ] {
        world
            .client
            .post(path, &body)
            .await
            .assert_problem(400, "code_already_used");
    }
    assert_eq!(world.exchanges(), 1);
    assert!(
        world
            .scaikey
            .is_live(tokens["access_token"].as_str().expect("a token"))
    );
    assert!(
        world
            .scaikey
            .is_refresh_live(tokens["refresh_token"].as_str().expect("a token"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn s_03_the_callback_s_code_brought_to_another_door_reaches_scaikey_once() {
    let world = World::start().await;
    let browser = world.browser();
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    let session_code = browser.get(&back).await.location_parameter("session_code");
    let code = parameter(&back, "code");
    let redirect_uri = format!("{}/v1/auth/callback", world.url);
    for path in ["/v1/auth/exchange", "/v1/auth/login"] {
        let body = json!({ "code": code, "redirect_uri": redirect_uri, "code_verifier": VERIFIER });
        world
            .client
            .post(path, &body)
            .await
            .assert_problem(400, "code_already_used");
    }
    assert_eq!(world.exchanges(), 1);
    let session = world.redeem(&session_code).await;
    assert_eq!(session.status, 200, "{}", session.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn s_30_every_token_answer_says_when_to_refresh() {
    let setup = Setup::default()
        .variable("password_grant_enabled", "true")
        .behaviour(|b| b.password_grant = true);
    let world = World::with(setup).await;
    let session = world.sign_in(ALICE).await;
    let code = world.app_code(ALICE, Some(VERIFIER)).await;
    let exchanged = exchange(&world, &code).await.json();
    let posted = world.app_code(ALICE, None).await;
    let posted = world
        .client
        .post_form(
            "/v1/auth/login",
            &[("code", &posted), ("redirect_uri", World::APP_REDIRECT_URI)],
        )
        .await
        .json();
    let password = json!({ "grant_type": "password", "username": ALICE, "password": "password" });
    let password = world.client.post("/v1/auth/token", &password).await.json();
    let refreshed = world
        .client
        .post(
            "/v1/auth/refresh",
            &json!({ "refresh_token": session["refresh_token"] }),
        )
        .await
        .json();
    let upstream = world
        .client
        .post(
            "/v1/auth/refresh",
            &json!({ "refresh_token": exchanged["refresh_token"] }),
        )
        .await
        .json();
    for (what, answer) in [
        ("token", &session),
        ("refresh", &refreshed),
        ("exchange", &exchanged),
        ("code post", &posted),
        ("code post, data", &posted["data"]),
        ("password", &password),
        ("refresh at ScaiKey", &upstream),
    ] {
        let life = answer["expires_in"]
            .as_u64()
            .unwrap_or_else(|| panic!("{what}: {answer}"));
        assert!(life > 0, "{what}");
        assert_eq!(
            answer["refresh_after"],
            life * 4 / 5,
            "{what}: 80 % of the life"
        );
    }
    // Too late all the same: named, and what remains is good.
    world.advance(1000);
    let late = world
        .client
        .get("/v1/me", session["access_token"].as_str())
        .await;
    late.assert_problem(401, "token_expired");
    let fix = late.json()["error"]["fix"]
        .as_str()
        .expect("a fix")
        .to_owned();
    assert!(fix.contains("refresh_after"), "{fix}");
    let again = world
        .client
        .post(
            "/v1/auth/refresh",
            &json!({ "refresh_token": refreshed["refresh_token"] }),
        )
        .await;
    assert_eq!(again.status, 200, "{}", again.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn s_32_an_unregistered_callback_is_named_with_the_value_to_register() {
    let world = World::start().await;
    // An app whose redirect_uri is not the one it asked with.
    let code = world.app_code(ALICE, Some(VERIFIER)).await;
    let other = "http://127.0.0.1:5173/auth/other";
    let body = json!({ "code": code, "code_verifier": VERIFIER, "redirect_uri": other });
    let answer = world.client.post("/v1/auth/exchange", &body).await;
    answer.assert_problem(400, "redirect_uri_mismatch");
    let details = &answer.json()["error"]["details"];
    assert_eq!(details["redirect_uri"], other);
    assert_eq!(details["sw_code"], "SW_AUTH_REDIRECT_MISMATCH");
    // Our own callback.
    let browser = world.browser();
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    let refusal =
        json!({ "error": "invalid_grant", "error_description": "redirect_uri is not registered" });
    let fault = Fault::Answer {
        code: 400,
        body: refusal.to_string(),
    };
    world
        .scaikey
        .switches()
        .fail_next(Endpoint::Token, fault, 1);
    let answer = browser.get(&back).await;
    assert_eq!(
        answer.location_parameter("error"),
        "redirect_uri_mismatch",
        "{}",
        answer.location()
    );
    // Shown before anybody tries: what has to be registered, spelt exactly.
    let config = world.client.get("/v1/auth/config", None).await.json();
    assert_eq!(
        config["redirect_uri"],
        format!("{}/v1/auth/callback", world.url)
    );
    // The person can sign in as soon as it is registered.
    world.session_code(&browser, &json!({}), ALICE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_32_the_browser_is_told_the_value_to_register() {
    let world = World::start().await;
    let browser = world.browser();
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    let refusal =
        json!({ "error": "invalid_request", "error_description": "redirect_uri mismatch" });
    let fault = Fault::Answer {
        code: 400,
        body: refusal.to_string(),
    };
    world
        .scaikey
        .switches()
        .fail_next(Endpoint::Token, fault, 1);
    let answer = browser.get(&back).await;
    assert_eq!(
        answer.location_parameter("error"),
        "redirect_uri_mismatch",
        "{}",
        answer.location()
    );
    let told = answer.location_parameter("error_description");
    assert!(
        told.contains(&format!("{}/v1/auth/callback", world.url)),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn s_03_a_refusal_of_scaikey_is_not_taken_for_a_second_use() {
    let world = World::start().await;
    world
        .scaikey
        .switches()
        .set_next(Deviation::TokenAnswer(TokenAnswerLie::InvalidGrant), 1);
    let code = world.app_code(ALICE, Some(VERIFIER)).await;
    let answer = exchange(&world, &code).await;
    answer.assert_problem(400, "invalid_grant");
    assert_ne!(answer.json()["detail"], "invalid_grant: code already used");
}
