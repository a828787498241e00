//! What the console's backend refuses: other pages, other people's sign-ins, other people's cookies.

use bytes::Bytes;
use http::{Method, Request};
use scaigate_e2e::{LOGIN_COOKIE, SESSION_COOKIE, World};

const ALICE: &str = "alice@acme.example";
const MALLORY: &str = "mallory@acme.example";

fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Bytes::new()).expect("a request")
}

#[tokio::test]
async fn n_024_n_025_another_page_can_neither_read_nor_do_anything() {
    let world = World::start().await;
    let page = world.console();
    world.console_sign_in(&page, ALICE).await;
    let own = world.url.clone();
    let marked = ("x-scaigate-console", "1");
    let evil = ("origin", "https://evil.example");
    let app = ("origin", "https://app.example");
    for (method, path) in [
        ("GET", "/console/api/v1/me"),
        ("DELETE", "/console/api/v1/admin/users/usr_bob_acme/role"),
        ("POST", "/console/api/v1/admin/sync"),
        ("POST", "/console/sign-out"),
        ("POST", "/console/workspace"),
    ] {
        for headers in [
            vec![],
            vec![("origin", own.as_str())],
            vec![("sec-fetch-site", "same-origin")],
            vec![marked, evil],
            // An app of ours has /v1, not the console's cookie.
            vec![marked, app],
            vec![marked, ("origin", "null")],
            vec![marked, ("sec-fetch-site", "cross-site")],
            vec![marked, ("sec-fetch-site", "same-site")],
            vec![
                marked,
                ("origin", own.as_str()),
                ("sec-fetch-site", "cross-site"),
            ],
        ] {
            let answer = page.send(request(method, path, &headers)).await;
            answer.assert_problem(403, "origin_not_allowed");
        }
    }
    // A browser that asks first whether it may is not told that it may.
    let asks = [
        evil,
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "x-scaigate-console"),
    ];
    let answer = page
        .send(request("OPTIONS", "/console/sign-out", &asks))
        .await;
    answer.assert_problem(403, "origin_not_allowed");
    for origin in [evil, app] {
        let answer = page.send(request("GET", "/", &[origin])).await;
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
    let answer = page
        .send(request(
            "GET",
            "/console/api/v1/me",
            &[marked, ("origin", &own)],
        ))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn only_what_the_page_shows_can_be_called_and_only_with_the_cookie() {
    let world = World::start().await;
    let page = world.console();
    world.console_sign_in(&page, ALICE).await;
    for (method, path) in [
        (Method::POST, "/console/api/v1/auth/refresh"),
        (Method::POST, "/console/api/v1/auth/token"),
        (Method::GET, "/console/api/v1/auth/whoami"),
        (Method::POST, "/console/api/internal/sync-if-due"),
        (Method::GET, "/console/api/v1/scaigrid/models"),
        (
            Method::POST,
            "/console/api/v1/tenants/me/scaigrid_credentials",
        ),
        (Method::GET, "/console/api/v1/admin/users/%2e%2e/role"),
        (Method::GET, "/console/api//v1/me"),
        (Method::GET, "/console/api/v1/me/../../auth/config"),
        (Method::GET, "/console/api/v1/me%2fworkspaces"),
        (Method::GET, "/console/apiv1/me"),
        (Method::GET, "/console/"),
        (Method::GET, "/console/api"),
    ] {
        let answer = page.call(method.clone(), path, None).await;
        answer.assert_problem(404, "not_found");
    }
    // A bearer token is not the console's credential.
    let session = world.sign_in(ALICE).await;
    let bearer = format!(
        "Bearer {}",
        session["access_token"].as_str().expect("a token")
    );
    let headers = [
        ("x-scaigate-console", "1"),
        ("authorization", bearer.as_str()),
    ];
    let answer = world
        .client
        .send(request("GET", "/console/api/v1/me", &headers))
        .await;
    answer.assert_problem(401, "authentication_required");
    // Nor is the cookie one for /v1.
    page.0
        .fetch("/v1/me")
        .await
        .assert_problem(401, "authentication_required");
}

#[tokio::test]
async fn n_018_n_022_a_sign_in_begun_by_somebody_else_is_nobodys() {
    let world = World::start().await;
    let (attacker, victim) = (world.console(), world.console());
    let planted = world.console_return(&attacker, MALLORY).await;

    // The address of the attacker's sign-in, opened in the victim's browser.
    let answer = victim.get(&planted).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(
        answer.text().contains("state_other_browser"),
        "{}",
        answer.text()
    );
    assert!(victim.0.cookie(SESSION_COOKIE).is_none());

    // Also while the victim's own is under way, and with the attacker's state exchanged for the victim's.
    let own = world.console_return(&victim, ALICE).await;
    let code = |address: &str| {
        let url = url::Url::parse(address).expect("an address");
        url.query_pairs()
            .find(|(name, _)| name == "session_code")
            .expect("a code")
            .1
            .into_owned()
    };
    let mixed = own.replace(&code(&own), &code(&planted));
    assert_ne!(mixed, own);
    let answer = victim.get(&mixed).await;
    assert!(
        answer.text().contains("code_verifier_mismatch"),
        "{}",
        answer.text()
    );
    assert!(victim.0.cookie(SESSION_COOKIE).is_none());

    // A session that was there before is not gone on with: a sign-in makes its own.
    let done = attacker.get(&planted).await;
    assert_eq!(done.status, 303, "{}", done.text());
    let session = attacker.0.cookie(SESSION_COOKIE).expect("a session");
    victim.0.set_cookie(SESSION_COOKIE, &session);
    world.console_sign_in(&victim, ALICE).await;
    assert_ne!(victim.0.cookie(SESSION_COOKIE), Some(session));
    assert_eq!(victim.me().await.json()["email"], ALICE);
    assert_eq!(attacker.me().await.json()["email"], MALLORY);
}

#[tokio::test]
async fn n_004_n_033_a_return_address_is_good_once_and_for_ten_minutes() {
    let world = World::start().await;
    let page = world.console();
    let back = world.console_return(&page, ALICE).await;
    let kept = page.0.cookie(LOGIN_COOKIE).expect("a cookie");
    assert_eq!(page.get(&back).await.status, 303);
    assert!(page.get(&back).await.text().contains("state_other_browser"));
    page.0.set_cookie(LOGIN_COOKIE, &kept);
    assert!(
        page.get(&back)
            .await
            .text()
            .contains("session_code_already_used")
    );

    let late = world.console();
    let back = world.console_return(&late, ALICE).await;
    world.advance(601);
    assert_eq!(late.get(&back).await.status, 400);
    assert!(late.0.cookie(SESSION_COOKIE).is_none());
}

#[tokio::test]
async fn n_027_n_031_a_cookie_that_is_not_as_it_was_made_is_none() {
    let world = World::start().await;
    let page = world.console();
    let back = world.console_return(&page, ALICE).await;
    let login = page.0.cookie(LOGIN_COOKIE).expect("a cookie");
    assert_eq!(page.get(&back).await.status, 303);
    let session = page.0.cookie(SESSION_COOKIE).expect("a cookie");
    let mut changed = session.clone().into_bytes();
    for at in [0, 9, 60, changed.len() / 2, changed.len() - 2] {
        let before = changed[at];
        changed[at] = if before == b'A' { b'B' } else { b'A' };
        page.0
            .set_cookie(SESSION_COOKIE, std::str::from_utf8(&changed).expect("text"));
        page.me()
            .await
            .assert_problem(401, "authentication_required");
        changed[at] = before;
    }
    let token = world.sign_in(ALICE).await["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let long = "A".repeat(9000);
    for foreign in [
        "",
        "x",
        &session[..session.len() - 1],
        &session[1..],
        &login,
        &token,
        &long,
    ] {
        page.0.set_cookie(SESSION_COOKIE, foreign);
        page.me()
            .await
            .assert_problem(401, "authentication_required");
    }
    page.0.set_cookie(SESSION_COOKIE, &session);
    assert_eq!(page.me().await.status, 200);
    // Twice: somebody else may have planted one of them.
    let both = format!("{SESSION_COOKIE}={session}; {SESSION_COOKIE}={session}");
    let headers = [("x-scaigate-console", "1"), ("cookie", both.as_str())];
    let answer = world
        .client
        .send(request("GET", "/console/api/v1/me", &headers))
        .await;
    answer.assert_problem(401, "authentication_required");
}

#[tokio::test]
async fn n_017_a_link_or_frame_of_another_site_starts_no_sign_in() {
    let world = World::start().await;
    let page = world.console();
    for headers in [
        [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
        ],
        [
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-mode", "no-cors"),
        ],
        [
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-dest", "iframe"),
        ],
        [("host", "localhost:1"), ("accept", "text/html")],
    ] {
        let answer = page
            .send(request("GET", "/console/sign-in", &headers))
            .await;
        assert_eq!(answer.status, 303, "{headers:?}");
        assert_eq!(answer.location(), format!("{}/", world.url), "{headers:?}");
        assert_eq!(answer.header("set-cookie"), "", "{headers:?}");
    }
}

#[tokio::test]
async fn n_013_what_comes_back_in_the_address_is_shown_as_nothing_but_a_code_of_ours() {
    let world = World::start().await;
    let page = world.console();
    let begun = page.get("/console/sign-in").await;
    let state_of = |url: &str| {
        let url = url::Url::parse(url).expect("an address");
        url.query_pairs()
            .find(|(name, _)| name == "state")
            .expect("a state")
            .1
            .into_owned()
    };
    let state = state_of(begun.location());
    let answer = page
        .get(&format!(
            "/console/signed-in?error=%3Cscript%3E&error_description=%3Cscript%3E&state={state}"
        ))
        .await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.text().contains("authorization_refused"),
        "{}",
        answer.text()
    );
    assert!(!answer.text().contains("<script"), "{}", answer.text());
    assert!(
        answer
            .header("content-security-policy")
            .contains("frame-ancestors 'none'")
    );
}
