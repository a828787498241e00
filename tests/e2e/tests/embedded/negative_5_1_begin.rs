//! Section 5.1: PKCE, and logins that a third party begins.

use scaigate_e2e::address::{parameter, with_parameter};
use scaigate_e2e::emulator::{Deviation, DiscoveryLie, seed};
use scaigate_e2e::{World, pkce_challenge};
use serde_json::json;

const ALICE: &str = "alice@acme.example";
const VERIFIER: &str = "a-verifier-of-the-app-that-is-long-enough-0001";

#[tokio::test(flavor = "multi_thread")]
async fn n_015_scaikey_is_always_asked_with_s256() {
    let world = World::start().await;
    let browser = world.browser();
    let mut verifiers = std::collections::BTreeSet::new();
    for login in [
        json!({}),
        json!({ "code_challenge": pkce_challenge(VERIFIER) }),
        json!({ "prompt": "login" }),
    ] {
        let begun = browser.post("/v1/auth/login", &login).await.json();
        let url = begun["authorize_url"].as_str().expect("a URL");
        assert_eq!(parameter(url, "code_challenge_method"), "S256");
        // The app's challenge is for us; ScaiKey gets ours.
        assert_ne!(parameter(url, "code_challenge"), pkce_challenge(VERIFIER));
        let back = world.scaikey.sign_in(url, ALICE).await.expect("signed in");
        browser.completes(&back).await;
        let request = world
            .scaikey
            .recorder()
            .token_requests()
            .pop()
            .expect("a token request");
        let verifier = request
            .form("code_verifier")
            .expect("a verifier")
            .to_owned();
        assert_eq!(parameter(url, "code_challenge"), pkce_challenge(&verifier));
        assert!(verifiers.insert(verifier), "a verifier serves one login");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_015_plain_and_broken_challenges_are_refused() {
    let world = World::start().await;
    let good = pkce_challenge(VERIFIER);
    for (field, login) in [
        (
            "code_challenge_method",
            json!({ "code_challenge": good, "code_challenge_method": "plain" }),
        ),
        (
            "code_challenge_method",
            json!({ "code_challenge": good, "code_challenge_method": "s256" }),
        ),
        (
            "code_challenge_method",
            json!({ "code_challenge": VERIFIER, "code_challenge_method": "plain" }),
        ),
        (
            "code_challenge_method",
            json!({ "code_challenge_method": "none" }),
        ),
        ("code_challenge", json!({ "code_challenge": VERIFIER })),
        (
            "code_challenge",
            json!({ "code_challenge": format!("{good}=") }),
        ),
        ("code_challenge", json!({ "code_challenge": &good[1..] })),
        ("code_challenge", json!({ "code_challenge": "x" })),
    ] {
        let answer = world.client.post("/v1/auth/login", &login).await;
        answer.assert_problem(400, "invalid_request");
        assert_eq!(answer.json()["error"]["details"]["field"], field, "{login}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_015_a_session_code_is_bound_to_the_app_s_challenge() {
    let world = World::start().await;
    let challenge = pkce_challenge(VERIFIER);
    let login = json!({ "code_challenge": challenge, "code_challenge_method": "S256" });
    let code = world.session_code(&world.browser(), &login, ALICE).await;
    for (verifier, want) in [
        (None, "code_verifier_required"),
        (Some(""), "code_verifier_required"),
        (Some(challenge.as_str()), "code_verifier_mismatch"),
        (
            Some("another-verifier-that-is-long-enough-for-rfc7636"),
            "code_verifier_mismatch",
        ),
        (
            Some(VERIFIER.to_uppercase().as_str()),
            "code_verifier_mismatch",
        ),
        (Some("v".repeat(4096).as_str()), "code_verifier_mismatch"),
    ] {
        let mut body = json!({ "session_code": code });
        if let Some(verifier) = verifier {
            body["code_verifier"] = verifier.into();
        }
        world
            .client
            .post("/v1/auth/token", &body)
            .await
            .assert_problem(400, want);
    }
    let body = json!({ "session_code": code, "code_verifier": VERIFIER });
    let answer = world.client.post("/v1/auth/token", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn n_015_a_verifier_without_a_challenge_is_a_code_of_another_login() {
    // RFC 9700 §4.8.2: an app that sends a verifier began with a challenge. A code without one was
    // slipped to it.
    let world = World::start().await;
    let code = world
        .session_code(&world.browser(), &json!({}), ALICE)
        .await;
    let body = json!({ "session_code": code, "code_verifier": VERIFIER });
    world
        .client
        .post("/v1/auth/token", &body)
        .await
        .assert_problem(400, "code_verifier_mismatch");
    assert_eq!(
        world.redeem(&code).await.status,
        200,
        "its own app can still redeem it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn n_015_a_scaikey_that_offers_plain_only_is_not_used() {
    let world = World::start().await;
    world
        .scaikey
        .switches()
        .set(Deviation::Discovery(DiscoveryLie::PkcePlainOnly));
    let answer = world.client.post("/v1/auth/login", &json!({})).await;
    answer.assert_problem(502, "discovery_invalid");
    // Not declaring it is allowed: what binds the answer to the browser is the state and its cookie.
    world.scaikey.switches().clear_all();
    world
        .scaikey
        .switches()
        .set(Deviation::Discovery(DiscoveryLie::NoPkce));
    let browser = world.browser();
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    world
        .browser()
        .fetch(&back)
        .await
        .assert_problem(400, "state_other_browser");
    browser.completes(&back).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_017_a_third_party_begins_a_login_but_decides_nothing() {
    let world = World::start().await;
    let login = format!("{}/v1/auth/login", world.url);
    let base = world.scaikey.base_url();
    let browser = world.browser();
    for (query, code) in [
        ("iss=https://evil.example".to_owned(), "issuer_mismatch"),
        (format!("iss={base}/"), "issuer_mismatch"),
        (format!("iss={base}.evil.example"), "issuer_mismatch"),
        (format!("iss={base}&iss={base}"), "invalid_request"),
        (
            format!("iss={base}&target_link_uri=https://evil.example/"),
            "return_to_not_allowed",
        ),
        (
            format!("iss={base}&target_link_uri=//evil.example/"),
            "return_to_not_allowed",
        ),
        (
            format!("iss={base}&target_link_uri=javascript:alert(1)"),
            "return_to_not_allowed",
        ),
        (format!("iss={base}&login_hint=a%0d%0ab"), "invalid_request"),
        (
            format!("iss={base}&prompt=none%26scope=admin"),
            "invalid_request",
        ),
        (format!("iss={base}&prompt=none+login"), "invalid_request"),
        (
            format!("iss={base}&code_challenge_method=plain"),
            "invalid_request",
        ),
    ] {
        let answer = browser.fetch(&format!("{login}?{query}")).await;
        answer.assert_problem(400, code);
        assert_eq!(browser.cookie("scaigate_login"), None, "{query}");
    }
    // Everything else somebody may want to smuggle into the request to ScaiKey.
    let mut address = with_parameter(&login, "iss", &[&base]);
    for (name, value) in [
        ("target_link_uri", "https://app.example/inbox"),
        ("login_hint", "alice@acme.example&scope=admin:read"),
        ("scope", "admin:read"),
        ("client_id", "evil"),
        ("redirect_uri", "https://evil.example/"),
        ("response_type", "token"),
        ("response_mode", "fragment"),
        ("nonce", "fixed"),
        ("request", "x"),
        ("request_uri", "https://evil.example/"),
        ("resource", "https://evil.example/"),
        ("max_age", "0"),
        ("id_token_hint", "x"),
        ("claims", "{}"),
    ] {
        address = with_parameter(&address, name, &[value]);
    }
    let answer = browser.get(&address).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let to = answer.location();
    assert!(to.starts_with(&base), "{to}");
    for (name, value) in [
        ("scope", "openid profile email"),
        ("client_id", seed::CLIENT_ID),
        ("redirect_uri", &format!("{}/v1/auth/callback", world.url)),
        ("response_type", "code"),
        ("code_challenge_method", "S256"),
        ("login_hint", "alice@acme.example&scope=admin:read"),
    ] {
        assert_eq!(parameter(to, name), value);
    }
    assert_eq!(parameter(to, "nonce").len(), 43);
    let url = url::Url::parse(to).expect("a URL");
    let mut names: Vec<String> = url
        .query_pairs()
        .map(|(name, _)| name.into_owned())
        .collect();
    names.sort();
    let known = [
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "login_hint",
        "nonce",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
    ];
    assert_eq!(names, known, "each once, and no other");
    let back = world.scaikey.sign_in(to, ALICE).await.expect("signed in");
    let answer = browser.get(&back).await;
    assert!(
        answer.location().starts_with("https://app.example/inbox?"),
        "{}",
        answer.location()
    );
}
