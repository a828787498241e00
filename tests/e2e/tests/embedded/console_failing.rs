//! The console while something else is down: what it says, and that it goes on afterwards.

use http::Method;
use scaigate_e2e::emulator::{Endpoint, Fault};
use scaigate_e2e::{Effect, SESSION_COOKIE, Setup, Target, When, World};

const ALICE: &str = "alice@acme.example";

fn scaikey_host(world: &World) -> Target {
    let url = world.scaikey.base_url();
    let host = url.split_once("://").expect("an address").1;
    Target::Outbound(host.to_owned())
}

#[tokio::test]
async fn with_scaikey_down_signing_in_says_so_and_who_is_signed_in_works_on() {
    let world = World::start().await;
    let page = world.console();
    let fault = world
        .faults
        .set(scaikey_host(&world), When::Always, Effect::Refuse);
    let answer = page.get("/console/sign-in").await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    for text in ["scaikey_unreachable", "What to do", "Try again"] {
        assert!(answer.text().contains(text), "{text}: {}", answer.text());
    }
    assert_eq!(page.get("/").await.status, 200);
    world.faults.remove(fault);

    world.console_sign_in(&page, ALICE).await;
    world
        .faults
        .set(scaikey_host(&world), When::Always, Effect::Refuse);
    assert_eq!(page.me().await.status, 200);
    world.advance(1000);
    assert_eq!(
        page.me().await.status,
        200,
        "a session of ours needs no ScaiKey"
    );
    // Signing out ends the session here, whatever ScaiKey does.
    let out = page.call(Method::POST, "/console/sign-out", None).await;
    assert_eq!(out.json()["session_ended"], true, "{}", out.text());
}

#[tokio::test]
async fn with_scaikey_busy_the_page_says_when_to_try_again() {
    let world = World::start().await;
    let busy = Fault::Status {
        code: 429,
        retry_after: Some(17),
    };
    let switches = world.scaikey.switches();
    switches.fail_always(Endpoint::Discovery, busy);
    let answer = world.console().get("/console/sign-in").await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert!(answer.text().contains("scaikey_rate_limited"));
    assert_eq!(answer.header("retry-after"), "17");
}

#[tokio::test]
async fn with_a_store_down_nobody_is_signed_out() {
    let world = World::start().await;
    let page = world.console();
    world.console_sign_in(&page, ALICE).await;
    for target in [Target::sqlite(), Target::key_value()] {
        let fault = world.faults.set(target, When::Always, Effect::Refuse);
        world.advance(1000);
        let answer = page.me().await;
        assert!(
            answer.status == 503 || answer.status == 200,
            "{}",
            answer.text()
        );
        if answer.status == 503 {
            answer.assert_problem(503, "store_unavailable");
        }
        world.faults.remove(fault);
        assert_eq!(page.me().await.status, 200);
    }
    // A store that is down when somebody signs out: the browser is signed out all the same, and told.
    let fault = world
        .faults
        .set(Target::sqlite(), When::Always, Effect::Refuse);
    let out = page.call(Method::POST, "/console/sign-out", None).await;
    assert_eq!(out.status, 200, "{}", out.text());
    assert_eq!(out.json()["session_ended"], false);
    world.faults.remove(fault);
    page.me()
        .await
        .assert_problem(401, "authentication_required");
}

#[tokio::test]
async fn a_refresh_that_fails_costs_nothing_while_the_token_is_good() {
    let world = World::start().await;
    let page = world.console();
    world.console_sign_in(&page, ALICE).await;
    let cookie = page.0.cookie(SESSION_COOKIE);
    // Past the time to refresh, before the end of the token.
    world.advance(800);
    let callback = Target::Outbound("callback.spin.internal".to_owned());
    let fault = world.faults.set(callback, When::Always, Effect::Refuse);
    assert_eq!(page.me().await.status, 200);
    assert_eq!(page.0.cookie(SESSION_COOKIE), cookie);
    world.advance(200);
    let answer = page.me().await;
    answer.assert_problem(503, "part_unavailable");
    assert_eq!(answer.json()["error"]["details"]["component"], "callback");
    world.faults.remove(fault);
    assert_eq!(page.me().await.status, 200);
}

#[tokio::test]
async fn without_its_secret_the_page_says_what_to_set_and_the_rest_works() {
    for (value, problem) in [
        ("", "missing"),
        ("c2hvcnQ=", "not base64 of 32 bytes or more"),
    ] {
        let world = World::with(Setup::default().variable("console_secret", value)).await;
        let page = world.console();
        assert_eq!(page.get("/").await.status, 200);
        let answer = page.me().await;
        answer.assert_problem(503, "configuration_invalid");
        let fault = &answer.json()["error"]["details"]["faults"][0];
        assert_eq!(fault["setting"], "console_secret");
        assert_eq!(fault["problem"], problem);
        let signing_in = page.get("/console/sign-in").await;
        assert_eq!(signing_in.status, 503);
        assert!(
            signing_in.text().contains("console_secret"),
            "{}",
            signing_in.text()
        );
        assert!(world.sign_in(ALICE).await["access_token"].is_string());
    }
}

#[tokio::test]
async fn during_a_rotation_of_its_secret_both_are_good() {
    let (old, new) = (
        "b2xkLXNlY3JldC1vZi10aGUtY29uc29sZS0wMDAwMDE=",
        "bmV3LXNlY3JldC1vZi10aGUtY29uc29sZS0wMDAwMDE=",
    );
    let mut world = World::with(Setup::default().variable("console_secret", old)).await;
    let cookie = {
        let page = world.console();
        world.console_sign_in(&page, ALICE).await;
        page.0.cookie(SESSION_COOKIE).expect("a cookie")
    };
    for (secrets, is_good) in [(format!("{new},{old}"), true), (new.to_owned(), false)] {
        // No connection is left open: the next runner has the same address.
        world.crash(&[("console_secret", &secrets)]).await;
        let page = world.console();
        page.0.set_cookie(SESSION_COOKIE, &cookie);
        let me = page.me().await;
        assert_eq!(me.status.is_success(), is_good, "{secrets}: {}", me.text());
        assert!(is_good || me.code() == "authentication_required");
    }
}
