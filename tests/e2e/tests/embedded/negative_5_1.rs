//! Section 5.1: what ties a sign-in to one browser and one moment.

use std::collections::BTreeSet;

use scaigate_e2e::address::{parameter, with_parameter};
use scaigate_e2e::emulator::{AuthorizationLie, Deviation};
use scaigate_e2e::{Answer, World, pkce_challenge};
use serde_json::json;

const ALICE: &str = "alice@acme.example";
const BOB: &str = "bob@acme.example";

fn assert_no_session(answer: &Answer) {
    assert!(
        !answer.location().contains("session_code"),
        "{}",
        answer.location()
    );
    assert!(
        !answer.text().contains("session_code="),
        "{}",
        answer.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn n_001_a_response_without_state_is_refused_and_costs_nothing() {
    let world = World::start().await;
    let browser = world.browser();
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    for values in [&[][..], &[""]] {
        let answer = browser.fetch(&with_parameter(&back, "state", values)).await;
        answer.assert_problem(400, "state_missing");
    }
    let page = browser.get(&with_parameter(&back, "state", &[])).await;
    assert_eq!(
        (page.status.as_u16(), page.header("content-type")),
        (400, "text/html; charset=utf-8")
    );
    assert!(page.text().contains("state_missing"), "{}", page.text());
    // The same, as ScaiKey would send it.
    world
        .scaikey
        .switches()
        .set_next(Deviation::Authorization(AuthorizationLie::StateMissing), 1);
    let stateless = world.authorize(&browser, &json!({}), ALICE).await;
    browser
        .fetch(&stateless)
        .await
        .assert_problem(400, "state_missing");
    assert_eq!(world.exchanges(), 0);
    browser.completes(&back).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_002_a_wrong_state_is_refused_and_costs_nothing() {
    let world = World::start().await;
    let browser = world.browser();
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    let state = parameter(&back, "state");
    let flipped = {
        let last = if state.ends_with('A') { "B" } else { "A" };
        format!("{}{last}", &state[..state.len() - 1])
    };
    let wrong = [
        "not-the-state-you-sent".to_owned(),
        flipped,
        state[..state.len() - 1].to_owned(),
        format!("{state}A"),
        format!("{state} "),
        state.to_ascii_lowercase(),
        "' OR 1=1 --".to_owned(),
        "%".to_owned(),
        "A".repeat(2048),
    ];
    for wrong in &wrong {
        let answer = browser
            .fetch(&with_parameter(&back, "state", &[wrong]))
            .await;
        answer.assert_problem(400, "state_unknown");
    }
    assert_eq!(world.exchanges(), 0);
    browser.completes(&back).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_003_a_state_of_another_browser_is_refused_and_stays_good_for_its_own() {
    let world = World::start().await;
    let (own, other, empty) = (world.browser(), world.browser(), world.browser());
    let back = world.authorize(&own, &json!({}), ALICE).await;
    // A browser with a pending login of its own, and one that has never been here.
    let others = world.authorize(&other, &json!({}), BOB).await;
    for browser in [&other, &empty] {
        let answer = browser.fetch(&back).await;
        answer.assert_problem(400, "state_other_browser");
        assert_no_session(&browser.get(&back).await);
    }
    assert_eq!(world.exchanges(), 0);
    own.completes(&back).await;
    other.completes(&others).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_004_a_state_used_twice_is_refused_before_scaikey_is_asked() {
    let world = World::start().await;
    let browser = world.browser();
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    let code = browser.get(&back).await.location_parameter("session_code");
    for _ in 0..3 {
        browser
            .fetch(&back)
            .await
            .assert_problem(400, "state_already_used");
    }
    let other_code = with_parameter(&back, "code", &["another-code"]);
    browser
        .fetch(&other_code)
        .await
        .assert_problem(400, "state_already_used");
    assert_eq!(world.exchanges(), 1);
    // The first one stands.
    assert_eq!(world.redeem(&code).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_004_a_state_expires_after_ten_minutes() {
    let world = World::start().await;
    let browser = world.browser();
    let early = browser.post("/v1/auth/login", &json!({})).await.json();
    let late = browser.post("/v1/auth/login", &json!({})).await.json();
    world.advance(590);
    let url = early["authorize_url"].as_str().expect("a URL");
    let back = world.scaikey.sign_in(url, ALICE).await.expect("signed in");
    browser.completes(&back).await;
    world.advance(11);
    let url = late["authorize_url"].as_str().expect("a URL");
    let back = world.scaikey.sign_in(url, ALICE).await.expect("signed in");
    browser
        .fetch(&back)
        .await
        .assert_problem(400, "state_expired");
    assert_eq!(world.exchanges(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_005_nothing_of_a_login_can_be_predicted_from_another() {
    let world = World::start().await;
    let browser = world.browser();
    let mut seen = BTreeSet::new();
    for _ in 0..100 {
        // The same person in the same browser: still nothing may repeat.
        let begun = browser
            .post("/v1/auth/login", &json!({ "login_hint": ALICE }))
            .await
            .json();
        let url = begun["authorize_url"].as_str().expect("a URL");
        assert_eq!(begun["state"], parameter(url, "state"));
        for name in ["state", "nonce", "code_challenge"] {
            let value = parameter(url, name);
            assert_eq!(value.len(), 43, "{name} holds 256 bits");
            assert!(seen.insert(value), "{name} repeats");
        }
    }
    for _ in 0..20 {
        let fresh = world.browser();
        assert_eq!(fresh.post("/v1/auth/login", &json!({})).await.status, 200);
        let cookie = fresh.cookie("scaigate_login").expect("a cookie");
        assert!(seen.insert(cookie), "a browser's cookie repeats");
    }
    // A counter, a time or a person in it would show as a long common beginning.
    let sorted: Vec<&String> = seen.iter().collect();
    for pair in sorted.windows(2) {
        let common = pair[0]
            .bytes()
            .zip(pair[1].bytes())
            .take_while(|(a, b)| a == b)
            .count();
        assert!(
            common < 10,
            "two values share their first {common} characters"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_006_the_verifier_is_seen_by_scaikey_alone() {
    let world = World::start().await;
    let browser = world.browser();
    let begun = browser.post("/v1/auth/login", &json!({})).await;
    let url = begun.json()["authorize_url"]
        .as_str()
        .expect("a URL")
        .to_owned();
    let back = world.scaikey.sign_in(&url, ALICE).await.expect("signed in");
    // While it is pending, the database is what a thief would read.
    let kept = world.stored_bytes();
    let answer = browser.get(&back).await;
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
    assert_eq!(pkce_challenge(&verifier), parameter(&url, "code_challenge"));
    world.canaries.add(&verifier);
    let cookie = browser.cookie("scaigate_login").expect("a cookie");
    for (what, text) in [
        ("the authorization URL", url.as_str()),
        ("the answer to login", &begun.text()),
        ("the headers of login", &format!("{:?}", begun.headers)),
        ("the cookie", &cookie),
        ("the way back", &back),
        ("the way to the app", answer.location()),
    ] {
        assert!(!text.contains(&verifier), "{what} holds the verifier");
    }
    for (what, seen) in [
        ("state", parameter(&url, "state")),
        ("nonce", parameter(&url, "nonce")),
        ("cookie", cookie),
    ] {
        // What the browser knows gives no verifier by the transformations of the known holes.
        assert_ne!(seen, verifier, "{what}");
        assert_ne!(pkce_challenge(&seen), verifier, "{what}");
        assert_ne!(
            pkce_challenge(&seen),
            parameter(&url, "code_challenge"),
            "{what}"
        );
    }
    for (what, secret) in [
        ("verifier", verifier),
        ("state", parameter(&url, "state")),
        ("nonce", parameter(&url, "nonce")),
    ] {
        let found = kept
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!found, "the {what} is stored in the clear");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_010_a_flow_begun_by_one_person_does_not_end_in_the_browser_of_another() {
    let world = World::start().await;
    let (mallory, victim) = (world.browser(), world.browser());
    let attackers = world
        .authorize(&mallory, &json!({}), "mallory@acme.example")
        .await;
    let victims = world.authorize(&victim, &json!({}), ALICE).await;
    victim
        .fetch(&attackers)
        .await
        .assert_problem(400, "state_other_browser");
    mallory
        .fetch(&victims)
        .await
        .assert_problem(400, "state_other_browser");
    // Mallory's code under the victim's own state: what her browser knows is not enough, because
    // the code is bound to her verifier and the ID token to her nonce.
    let mixed = with_parameter(&victims, "code", &[&parameter(&attackers, "code")]);
    let answer = victim.get(&mixed).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(answer.location_parameter("error"), "invalid_grant");
    assert_no_session(&answer);
    // A new sign-in of the victim is the victim's.
    let code = world.session_code(&victim, &json!({}), ALICE).await;
    assert_eq!(world.redeem(&code).await.json()["user"]["email"], ALICE);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_014_an_error_with_a_bad_state_changes_nothing() {
    let world = World::start().await;
    let browser = world.browser();
    let code = world.session_code(&browser, &json!({}), ALICE).await;
    let session = world.redeem(&code).await.json();
    let pending = world.authorize(&browser, &json!({}), ALICE).await;
    let others = world.authorize(&world.browser(), &json!({}), BOB).await;
    let callback = format!("{}/v1/auth/callback", world.url);
    for (query, code) in [
        (
            "error=access_denied&state=bogus".to_owned(),
            "state_unknown",
        ),
        ("error=access_denied".to_owned(), "state_missing"),
        ("error=access_denied&state=".to_owned(), "state_missing"),
        (
            format!("error=access_denied&state={}", parameter(&others, "state")),
            "state_other_browser",
        ),
        (
            format!("error=&state={}", parameter(&pending, "state")),
            "callback_malformed",
        ),
    ] {
        browser
            .fetch(&format!("{callback}?{query}"))
            .await
            .assert_problem(400, code);
    }
    let me = world
        .client
        .get("/v1/me", session["access_token"].as_str())
        .await;
    assert_eq!(me.status, 200, "{}", me.text());
    let body = json!({ "refresh_token": session["refresh_token"] });
    assert_eq!(
        world.client.post("/v1/auth/refresh", &body).await.status,
        200
    );
    browser.completes(&pending).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_018_nobody_is_signed_in_as_the_attacker() {
    let world = World::start().await;
    let attacker = world.browser();
    let back = world
        .authorize(&attacker, &json!({}), "mallory@acme.example")
        .await;
    let victim = world.browser();
    for address in [
        back.clone(),
        back.replace("/v1/auth/callback", "/v1/auth/login"),
        back.replace("/v1/", "/api/v1/"),
    ] {
        let answer = victim.fetch(&address).await;
        answer.assert_problem(400, "state_other_browser");
        assert_no_session(&answer);
    }
    // The code alone, from a form on the attacker's page.
    let code = parameter(&back, "code");
    let redirect_uri = format!("{}/v1/auth/callback", world.url);
    let body = json!({ "code": code, "redirect_uri": redirect_uri }).to_string();
    let request = http::Request::post("/v1/auth/login")
        .header("content-type", "application/json")
        .header("origin", "https://evil.example")
        .body(body.into())
        .expect("a request");
    victim
        .send(request)
        .await
        .assert_problem(403, "origin_not_allowed");
    assert_eq!(world.exchanges(), 0);
    assert_eq!(victim.cookie("scaigate_login"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_019_of_21_pending_logins_the_oldest_is_dropped_and_the_cookie_stays_one() {
    let world = World::start().await;
    let browser = world.browser();
    let mut cookies = BTreeSet::new();
    let mut pending = Vec::new();
    for _ in 0..21 {
        let begun = browser.post("/v1/auth/login", &json!({})).await;
        let set: Vec<_> = begun.headers.get_all("set-cookie").iter().collect();
        assert_eq!(set.len(), 1);
        let text = set[0].to_str().expect("text");
        assert!(text.len() < 200, "{} bytes", text.len());
        cookies.insert(text.split(';').next().unwrap_or_default().to_owned());
        pending.push(
            begun.json()["authorize_url"]
                .as_str()
                .expect("a URL")
                .to_owned(),
        );
    }
    assert_eq!(cookies.len(), 1, "one cookie however many tabs");
    let oldest = world
        .scaikey
        .sign_in(&pending[0], ALICE)
        .await
        .expect("signed in");
    browser
        .fetch(&oldest)
        .await
        .assert_problem(400, "state_unknown");
    assert_eq!(world.exchanges(), 0);
    for url in &pending[1..] {
        let back = world.scaikey.sign_in(url, ALICE).await.expect("signed in");
        browser.completes(&back).await;
    }
    assert_eq!(world.exchanges(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_019_pending_logins_of_one_browser_cost_another_nothing() {
    let world = World::start().await;
    let (patient, busy) = (world.browser(), world.browser());
    let back = world.authorize(&patient, &json!({}), ALICE).await;
    for _ in 0..40 {
        assert_eq!(busy.post("/v1/auth/login", &json!({})).await.status, 200);
    }
    patient.completes(&back).await;
}
