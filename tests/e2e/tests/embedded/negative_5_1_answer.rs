//! Section 5.1: ScaiKey's answer, and where the browser goes with it.

use http::{Request, header};
use scaigate_e2e::address::{parameter, path_and_query, with_parameter};
use scaigate_e2e::emulator::{AuthorizationLie, Deviation, PlatformIssuer};
use scaigate_e2e::{Setup, World};
use serde_json::json;

const ALICE: &str = "alice@acme.example";

fn lie(world: &World, lie: AuthorizationLie) {
    world
        .scaikey
        .switches()
        .set_next(Deviation::Authorization(lie), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_007_a_declared_iss_that_is_missing_stops_everything() {
    let world = World::start().await;
    let browser = world.browser();
    lie(&world, AuthorizationLie::IssMissing);
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    let before = world.scaikey.recorder().total();
    browser.get(&back).await.assert_told("issuer_mismatch");
    assert_eq!(
        world.scaikey.recorder().total(),
        before,
        "no endpoint may be called (RFC 9207)"
    );
    // The state is spent: the same answer with an iss added is not taken.
    let repaired = with_parameter(&back, "iss", &[&world.scaikey.base_url()]);
    browser
        .fetch(&repaired)
        .await
        .assert_problem(400, "state_already_used");
    assert_eq!(world.exchanges(), 0);
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    browser.completes(&back).await;
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
    browser.completes(&back).await;
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    let wrong = with_parameter(&back, "iss", &["https://other-issuer.example"]);
    browser.get(&wrong).await.assert_told("issuer_mismatch");
    assert_eq!(world.exchanges(), 1);
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
        answer.assert_told("issuer_mismatch");
        assert_eq!(world.scaikey.recorder().total(), before, "{wrong}");
    }
    for told in [
        AuthorizationLie::IssOfAnotherServer,
        AuthorizationLie::IssTrailingSlash,
    ] {
        lie(&world, told);
        let back = world.authorize(&browser, &json!({}), ALICE).await;
        browser.get(&back).await.assert_told("issuer_mismatch");
    }
    assert_eq!(world.exchanges(), 0);
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
    at_b.fetch(&moved)
        .await
        .assert_problem(400, "state_unknown");
    // Under a state that is pending at B: A's `iss` gives it away, and so does none.
    let mixed = with_parameter(&moved, "state", &[&parameter(&from_b, "state")]);
    at_b.get(&mixed).await.assert_told("issuer_mismatch");
    let next = b.authorize(&at_b, &json!({}), ALICE).await;
    let silent = with_parameter(
        &with_parameter(&mixed, "iss", &[]),
        "state",
        &[&parameter(&next, "state")],
    );
    at_b.get(&silent).await.assert_told("issuer_mismatch");
    assert_eq!(b.exchanges(), 0, "A's code must not reach B");
    // With B's `iss` forged on it, B refuses the code, and A never sees it from B.
    let next = b.authorize(&at_b, &json!({}), ALICE).await;
    let forged = with_parameter(&next, "code", &[&parameter(&from_a, "code")]);
    at_b.get(&forged).await.assert_told("invalid_grant");
    assert_eq!((a.exchanges(), b.exchanges()), (0, 1));
    at_a.completes(&from_a).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_009_an_answer_of_one_tenant_is_nothing_to_a_person_of_another() {
    for issuer in [PlatformIssuer::Base, PlatformIssuer::Tenant] {
        let world = World::with(Setup::default().behaviour(|b| b.platform_issuer = issuer)).await;
        let browser = world.browser();
        let back = world.authorize(&browser, &json!({}), ALICE).await;
        let others = with_parameter(
            &back,
            "iss",
            &[&world.scaikey.issuer(Some("tnt_umbra0001"))],
        );
        browser.get(&others).await.assert_told("issuer_mismatch");
        let back = world.authorize(&browser, &json!({}), ALICE).await;
        let own = with_parameter(&back, "iss", &[&world.scaikey.issuer(Some("tnt_acme0001"))]);
        browser.completes(&own).await;
    }
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
        browser
            .fetch(address)
            .await
            .assert_problem(400, "callback_malformed");
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
        browser
            .fetch(&answer)
            .await
            .assert_problem(400, "callback_malformed");
    }
    assert_eq!(world.exchanges(), 0);
    // An unknown parameter alone is none of ours (RFC 6749 §4.1.2).
    browser
        .completes(&with_parameter(&back, "session_state", &["x.y"]))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_012_a_code_that_was_never_issued_signs_nobody_in() {
    let world = World::start().await;
    let browser = world.browser();
    lie(&world, AuthorizationLie::CodeUnknown);
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    browser.get(&back).await.assert_told("invalid_grant");
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
            assert!(
                !text.contains("<script") && !text.contains("onerror"),
                "{text}"
            );
            assert!(
                !format!("{:?}", answer.headers).contains("script>"),
                "{:?}",
                answer.headers
            );
        }
    }
    for address in &hostile[2..] {
        let answer = browser.get(address).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (400, "text/html; charset=utf-8")
        );
        assert!(!answer.text().contains("onerror"), "{}", answer.text());
    }
    // With a good state the app is told, in our words.
    let answer = browser.get(&back).await;
    answer.assert_told("authorization_refused");
    assert!(
        !answer.location().contains("alert"),
        "{}",
        answer.location()
    );
    // An error code of ScaiKey's invention is not passed on either.
    lie(&world, AuthorizationLie::ErrorUnknown);
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    let answer = browser
        .get(&with_parameter(&back, "error", &[markup]))
        .await;
    answer.assert_told("authorization_refused");
    assert!(
        !answer.location().contains("alert"),
        "{}",
        answer.location()
    );
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
    browser
        .fetch(&fragment)
        .await
        .assert_problem(400, "callback_malformed");
    assert_eq!(world.exchanges(), 0);
    browser.completes(&back).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_020_redirects_are_303_only() {
    let world = World::start().await;
    let browser = world.browser();
    let begin = browser.get("/v1/auth/login").await;
    let back = world
        .scaikey
        .sign_in(begin.location(), ALICE)
        .await
        .expect("signed in");
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
    assert_eq!(
        (page.status.as_u16(), page.header("content-type")),
        (400, "text/html; charset=utf-8")
    );
    for answer in [&answer, &page] {
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let html = page.text();
    assert!(
        !html.contains(&parameter(&back, "code")) && !html.contains(&parameter(&back, "state")),
        "{html}"
    );
    for foreign in [
        "src=", "href=", "http:", "https:", "url(", "<script", "<iframe", "<form", "@import",
    ] {
        assert!(!html.contains(foreign), "{foreign} in {html}");
    }
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'none'")
    );
}
