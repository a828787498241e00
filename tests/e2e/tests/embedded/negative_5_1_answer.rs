//! Section 5.1: ScaiKey's answer, PKCE, third-party-initiated login, and where the browser goes.

use http::{Request, header};
use scaigate_e2e::address::{parameter, path_and_query, with_parameter};
use scaigate_e2e::emulator::{AuthorizationLie, Deviation, DiscoveryLie, seed};
use scaigate_e2e::{Answer, Browser, Setup, World, pkce_challenge};
use serde_json::json;

const ALICE: &str = "alice@acme.example";
const VERIFIER: &str = "a-verifier-of-the-app-that-is-long-enough-0001";

fn exchanges(world: &World) -> usize {
    world.scaikey.recorder().count_grant("authorization_code")
}

async fn completes(browser: &Browser, back: &str) {
    let answer = browser.get(back).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert!(!answer.location_parameter("session_code").is_empty(), "{}", answer.location());
}

/// The app is told `code`, and gets nothing it could redeem.
#[track_caller]
fn assert_told(answer: &Answer, code: &str) {
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert!(answer.location().starts_with("http://127.0.0.1:5173/auth/done?"), "{}", answer.location());
    assert_eq!(answer.location_parameter("error"), code, "{}", answer.location());
    assert_eq!(answer.location_parameter("session_code"), "");
    assert!(!answer.location_parameter("error_description").is_empty());
    assert!(!answer.location_parameter("state").is_empty());
}

fn lie(world: &World, lie: AuthorizationLie) {
    world.scaikey.switches().set_next(Deviation::Authorization(lie), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_007_a_declared_iss_that_is_missing_stops_everything() {
    let world = World::start().await;
    let browser = world.browser();
    lie(&world, AuthorizationLie::IssMissing);
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    let before = world.scaikey.recorder().total();
    assert_told(&browser.get(&back).await, "issuer_mismatch");
    assert_eq!(world.scaikey.recorder().total(), before, "no endpoint may be called (RFC 9207)");
    // The state is spent: the same answer with an iss added is not taken.
    let repaired = with_parameter(&back, "iss", &[&world.scaikey.base_url()]);
    browser.fetch(&repaired).await.assert_problem(400, "state_already_used");
    assert_eq!(exchanges(&world), 0);
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    completes(&browser, &back).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_007_an_undeclared_iss_may_be_missing_but_not_wrong() {
    let setup = Setup::default().behaviour(|b| {
        b.declare_iss_parameter = false;
        b.send_iss_parameter = false;
    });
    let world = World::with(setup).await;
    let browser = world.browser();
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    completes(&browser, &back).await;
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    let wrong = with_parameter(&back, "iss", &["https://other-issuer.example"]);
    assert_told(&browser.get(&wrong).await, "issuer_mismatch");
    assert_eq!(exchanges(&world), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_008_the_iss_of_another_server_stops_everything() {
    let world = World::start().await;
    let browser = world.browser();
    let base = world.scaikey.base_url();
    let wrong = [
        "https://other-issuer.example".to_owned(),
        format!("{base}/"),
        format!("{base}/tenants"),
        format!("{base}/tenants/"),
        format!("{base}/tenants/tnt_acme0001/x"),
        format!("{base}.evil.example"),
        base.replace("http://", "https://"),
        base.replace("http://", "HTTP://"),
        format!("{base}#"),
        format!("{base}?"),
        String::new(),
    ];
    for wrong in &wrong {
        let back = world.authorize(&browser, &json!({}), ALICE).await;
        let before = world.scaikey.recorder().total();
        let answer = browser.get(&with_parameter(&back, "iss", &[wrong])).await;
        assert_told(&answer, "issuer_mismatch");
        assert_eq!(world.scaikey.recorder().total(), before, "{wrong}");
    }
    for told in [AuthorizationLie::IssOfAnotherServer, AuthorizationLie::IssTrailingSlash] {
        lie(&world, told);
        let back = world.authorize(&browser, &json!({}), ALICE).await;
        assert_told(&browser.get(&back).await, "issuer_mismatch");
    }
    assert_eq!(exchanges(&world), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_009_an_answer_of_one_scaikey_is_nothing_to_the_client_of_another() {
    let (a, b) = (World::start().await, World::start().await);
    let (at_a, at_b) = (a.browser(), b.browser());
    let from_a = a.authorize(&at_a, &json!({}), ALICE).await;
    let from_b = b.authorize(&at_b, &json!({}), ALICE).await;
    b.canaries.add_url(&from_a);
    // As it is.
    let moved = from_a.replace(&a.url, &b.url);
    at_b.fetch(&moved).await.assert_problem(400, "state_unknown");
    // Under a state that is pending at B: A's `iss` gives it away, and so does none.
    let mixed = with_parameter(&moved, "state", &[&parameter(&from_b, "state")]);
    assert_told(&at_b.get(&mixed).await, "issuer_mismatch");
    let next = b.authorize(&at_b, &json!({}), ALICE).await;
    let silent = with_parameter(&with_parameter(&mixed, "iss", &[]), "state", &[&parameter(&next, "state")]);
    assert_told(&at_b.get(&silent).await, "issuer_mismatch");
    assert_eq!(exchanges(&b), 0, "A's code must not reach B");
    // With B's `iss` forged on it, B refuses the code, and A never sees it from B.
    let next = b.authorize(&at_b, &json!({}), ALICE).await;
    let forged = with_parameter(&next, "code", &[&parameter(&from_a, "code")]);
    assert_told(&at_b.get(&forged).await, "invalid_grant");
    assert_eq!((exchanges(&a), exchanges(&b)), (0, 1));
    completes(&at_a, &from_a).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_012_an_answer_that_oauth_does_not_allow_is_refused_and_costs_nothing() {
    let world = World::start().await;
    let browser = world.browser();
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    let code = parameter(&back, "code");
    let state = parameter(&back, "state");
    let malformed = [
        with_parameter(&back, "error", &["access_denied"]),
        with_parameter(&back, "code", &[""]),
        with_parameter(&back, "code", &[]),
        with_parameter(&back, "code", &[&code, &code]),
        with_parameter(&back, "state", &[&state, &state]),
        with_parameter(&back, "state", &[&state, "other"]),
        with_parameter(&back, "iss", &["https://a.example", "https://b.example"]),
        with_parameter(&back, "code", &["c".repeat(2049).as_str()]),
        with_parameter(&back, "code", &["c".repeat(20_000).as_str()]),
        with_parameter(&back, "state", &["s".repeat(2049).as_str()]),
        with_parameter(&back, "code", &["cöde"]),
        with_parameter(&back, "code", &["code\u{7f}"]),
        with_parameter(&back, "code", &["a\nb"]),
        with_parameter(&back, "code", &["a\0b"]),
        with_parameter(&back, "state", &["ſtate"]),
        with_parameter(&with_parameter(&back, "code", &[]), "error", &[""]),
        with_parameter(&back, "unknown", &["1", "2"]),
        format!("{back}&code=%zz"),
        format!("{back}&x=%ff"),
        format!("{back}{}", "&a=b".repeat(4000)),
        format!("{}/v1/auth/callback", world.url),
        format!("{}/v1/auth/callback?", world.url),
    ];
    for address in &malformed {
        browser.fetch(address).await.assert_problem(400, "callback_malformed");
    }
    for told in [
        AuthorizationLie::CodeAndError,
        AuthorizationLie::CodeEmpty,
        AuthorizationLie::CodeTwice,
        AuthorizationLie::CodeHuge,
        AuthorizationLie::StateTwice,
        AuthorizationLie::IssTwice,
    ] {
        lie(&world, told);
        let answer = world.authorize(&browser, &json!({}), ALICE).await;
        browser.fetch(&answer).await.assert_problem(400, "callback_malformed");
    }
    assert_eq!(exchanges(&world), 0);
    // An unknown parameter alone is none of ours (RFC 6749 §4.1.2).
    completes(&browser, &with_parameter(&back, "session_state", &["x.y"])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_012_a_code_that_was_never_issued_signs_nobody_in() {
    let world = World::start().await;
    let browser = world.browser();
    lie(&world, AuthorizationLie::CodeUnknown);
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    assert_told(&browser.get(&back).await, "invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn n_013_markup_from_outside_is_never_shown() {
    let world = World::start().await;
    let browser = world.browser();
    let markup = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>";
    lie(&world, AuthorizationLie::ErrorWithMarkup);
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    let callback = format!("{}/v1/auth/callback", world.url);
    let hostile = [
        with_parameter(&back, "state", &[]),
        with_parameter(&back, "state", &[markup]),
        with_parameter(&with_parameter(&back, "state", &[]), "iss", &[markup]),
        with_parameter(&callback, "code", &[markup]),
        with_parameter(&callback, markup, &[markup]),
    ];
    for address in &hostile[..2] {
        for accept in ["text/html", "application/json"] {
            let request = Request::get(address)
                .header(header::ACCEPT, accept)
                .header("x-request-id", "<script>alert(1)</script>")
                .body(Default::default())
                .expect("a request");
            let answer = browser.send(request).await;
            assert_eq!(answer.status, 400);
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            let text = answer.text();
            assert!(!text.contains("<script") && !text.contains("onerror"), "{text}");
            assert!(!format!("{:?}", answer.headers).contains("script>"), "{:?}", answer.headers);
        }
    }
    for address in &hostile[2..] {
        let answer = browser.get(address).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (400, "text/html; charset=utf-8"));
        assert!(!answer.text().contains("onerror"), "{}", answer.text());
    }
    // With a good state the app is told, in our words.
    let answer = browser.get(&back).await;
    assert_told(&answer, "authorization_refused");
    assert!(!answer.location().contains("script") && !answer.location().contains("onerror"));
    // An error code of ScaiKey's invention is not passed on either.
    lie(&world, AuthorizationLie::ErrorUnknown);
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    let answer = browser.get(&with_parameter(&back, "error", &[markup])).await;
    assert_told(&answer, "authorization_refused");
    assert!(!answer.location().contains("onerror"));
}

#[tokio::test(flavor = "multi_thread")]
async fn n_015_scaikey_is_always_asked_with_s256() {
    let world = World::start().await;
    let browser = world.browser();
    let mut verifiers = std::collections::BTreeSet::new();
    for login in [json!({}), json!({ "code_challenge": pkce_challenge(VERIFIER) }), json!({ "prompt": "login" })] {
        let begun = browser.post("/v1/auth/login", &login).await.json();
        let url = begun["authorize_url"].as_str().expect("a URL");
        assert_eq!(parameter(url, "code_challenge_method"), "S256");
        // The app's challenge is for us; ScaiKey gets ours.
        assert_ne!(parameter(url, "code_challenge"), pkce_challenge(VERIFIER));
        let back = world.scaikey.sign_in(url, ALICE).await.expect("signed in");
        completes(&browser, &back).await;
        let request = world.scaikey.recorder().token_requests().pop().expect("a token request");
        let verifier = request.form("code_verifier").expect("a verifier").to_owned();
        assert_eq!(parameter(url, "code_challenge"), pkce_challenge(&verifier));
        assert!(verifiers.insert(verifier), "a verifier serves one login");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_015_plain_and_broken_challenges_are_refused() {
    let world = World::start().await;
    let good = pkce_challenge(VERIFIER);
    for (field, login) in [
        ("code_challenge_method", json!({ "code_challenge": good, "code_challenge_method": "plain" })),
        ("code_challenge_method", json!({ "code_challenge": good, "code_challenge_method": "s256" })),
        ("code_challenge_method", json!({ "code_challenge": VERIFIER, "code_challenge_method": "plain" })),
        ("code_challenge_method", json!({ "code_challenge_method": "none" })),
        ("code_challenge", json!({ "code_challenge": VERIFIER })),
        ("code_challenge", json!({ "code_challenge": format!("{good}=") })),
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
        (Some("another-verifier-that-is-long-enough-for-rfc7636"), "code_verifier_mismatch"),
        (Some(VERIFIER.to_uppercase().as_str()), "code_verifier_mismatch"),
        (Some("v".repeat(4096).as_str()), "code_verifier_mismatch"),
    ] {
        let mut body = json!({ "session_code": code });
        if let Some(verifier) = verifier {
            body["code_verifier"] = verifier.into();
        }
        world.client.post("/v1/auth/token", &body).await.assert_problem(400, want);
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
    let code = world.session_code(&world.browser(), &json!({}), ALICE).await;
    let body = json!({ "session_code": code, "code_verifier": VERIFIER });
    world.client.post("/v1/auth/token", &body).await.assert_problem(400, "code_verifier_mismatch");
    assert_eq!(world.redeem(&code).await.status, 200, "its own app can still redeem it");
}

#[tokio::test(flavor = "multi_thread")]
async fn n_015_a_scaikey_that_offers_plain_only_is_not_used() {
    let world = World::start().await;
    world.scaikey.switches().set(Deviation::Discovery(DiscoveryLie::PkcePlainOnly));
    let answer = world.client.post("/v1/auth/login", &json!({})).await;
    answer.assert_problem(502, "discovery_invalid");
    // Not declaring it is allowed: what binds the answer to the browser is the state and its cookie.
    world.scaikey.switches().clear_all();
    world.scaikey.switches().set(Deviation::Discovery(DiscoveryLie::NoPkce));
    let browser = world.browser();
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    world.browser().fetch(&back).await.assert_problem(400, "state_other_browser");
    completes(&browser, &back).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_016_no_other_response_mode_is_taken() {
    let world = World::start().await;
    let browser = world.browser();
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    let url = path_and_query(&back);
    let (path, query) = url.split_once('?').expect("a query");
    // form_post
    let form = Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(query.to_owned().into())
        .expect("a request");
    let answer = browser.send(form).await;
    answer.assert_problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "GET");
    // JARM, implicit, hybrid
    for extra in ["response", "access_token", "id_token"] {
        let answer = browser.fetch(&with_parameter(&back, extra, &["x"])).await;
        answer.assert_problem(400, "callback_malformed");
    }
    // A fragment never arrives: what does is an answer without one.
    lie(&world, AuthorizationLie::Fragment);
    let fragment = world.authorize(&browser, &json!({}), ALICE).await;
    browser.fetch(&fragment).await.assert_problem(400, "callback_malformed");
    assert_eq!(exchanges(&world), 0);
    completes(&browser, &back).await;
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
        (format!("iss={base}&target_link_uri=https://evil.example/"), "return_to_not_allowed"),
        (format!("iss={base}&target_link_uri=//evil.example/"), "return_to_not_allowed"),
        (format!("iss={base}&target_link_uri=javascript:alert(1)"), "return_to_not_allowed"),
        (format!("iss={base}&login_hint=a%0d%0ab"), "invalid_request"),
        (format!("iss={base}&prompt=none%26scope=admin"), "invalid_request"),
        (format!("iss={base}&prompt=none+login"), "invalid_request"),
        (format!("iss={base}&code_challenge_method=plain"), "invalid_request"),
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
    let mut names: Vec<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    names.sort();
    let known = ["client_id", "code_challenge", "code_challenge_method", "login_hint", "nonce", "redirect_uri", "response_type", "scope", "state"];
    assert_eq!(names, known, "each once, and no other");
    let back = world.scaikey.sign_in(to, ALICE).await.expect("signed in");
    let answer = browser.get(&back).await;
    assert!(answer.location().starts_with("https://app.example/inbox?"), "{}", answer.location());
}

#[tokio::test(flavor = "multi_thread")]
async fn n_020_redirects_are_303_only() {
    let world = World::start().await;
    let browser = world.browser();
    let begin = browser.get("/v1/auth/login").await;
    let back = world.scaikey.sign_in(begin.location(), ALICE).await.expect("signed in");
    lie(&world, AuthorizationLie::ServerError);
    let failed = world.authorize(&browser, &json!({}), ALICE).await;
    for answer in [begin, browser.get(&back).await, browser.get(&failed).await] {
        assert_eq!(answer.status, 303, "{}", answer.text());
        assert!(answer.body.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_021_the_code_is_left_behind_at_once() {
    let world = World::start().await;
    let browser = world.browser();
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    let answer = browser.get(&back).await;
    assert_eq!(answer.status, 303);
    assert!(!answer.location().contains(&parameter(&back, "code")));
    let page = browser.get(&back).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (400, "text/html; charset=utf-8"));
    for answer in [&answer, &page] {
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let html = page.text();
    assert!(!html.contains(&parameter(&back, "code")) && !html.contains(&parameter(&back, "state")), "{html}");
    for foreign in ["src=", "href=", "http:", "https:", "url(", "<script", "<iframe", "<form", "@import"] {
        assert!(!html.contains(foreign), "{foreign} in {html}");
    }
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
}
