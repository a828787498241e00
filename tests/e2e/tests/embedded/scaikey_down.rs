//! ScaiKey failing in every way a server or a network can, at every endpoint, under every flow:
//! each answer is a documented one and leaves within ten seconds, nothing is half-done, and when
//! ScaiKey is back so is signing in.

use std::time::Duration;

use scaigate_e2e::emulator::{Endpoint, Fault};
use scaigate_e2e::{Answer, Browser, Effect, Target, When, World};
use serde_json::{Value, json};

use crate::negative_5_3::{VERIFIER, callback, exchange, refresh, scaikey_tokens};

const ALICE: &str = "alice@acme.example";

/// Longest time until an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Far longer than anybody's patience, in real milliseconds.
const FOREVER: u64 = 600_000;

/// What kind of failure a fault is to whoever calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// 5xx.
    Down,
    /// 429 with `Retry-After: 7`.
    Limited,
    /// 404, which no endpoint of ScaiKey's answers to us.
    Strange,
    /// 403 in ScaiKey's own form.
    Forbidden,
    /// A redirect.
    Redirect,
    /// Declared as something else, or not JSON.
    Unreadable,
    /// Cut off or without end.
    Broken,
    /// No answer, or none that ends.
    Silent,
    /// No connection.
    Refused,
}

/// Faults, what they are to the caller, and whether ScaiKey did what it was asked.
fn faults(world: &World) -> Vec<(Fault, Kind, bool)> {
    let to = format!(
        "{}/api/v1/platform/oauth/userinfo",
        world.scaikey.base_url()
    );
    let status = |code| Fault::Status {
        code,
        retry_after: None,
    };
    vec![
        (status(500), Kind::Down, false),
        (status(503), Kind::Down, false),
        (
            Fault::Status {
                code: 429,
                retry_after: Some(7),
            },
            Kind::Limited,
            false,
        ),
        (status(404), Kind::Strange, false),
        (status(403), Kind::Forbidden, false),
        (Fault::Redirect { to: to.clone() }, Kind::Redirect, false),
        (Fault::RedirectKeepingMethod { to }, Kind::Redirect, false),
        (Fault::Garbage, Kind::Unreadable, false),
        (Fault::WrongContentType, Kind::Unreadable, true),
        (Fault::Truncated, Kind::Broken, true),
        (Fault::EndlessBody, Kind::Broken, false),
        (Fault::Reset, Kind::Broken, false),
        (Fault::AnswerLost, Kind::Broken, true),
        (Fault::SlowHeaders { ms: FOREVER }, Kind::Silent, false),
        (Fault::SlowBody { ms: FOREVER }, Kind::Silent, true),
        (Fault::HangingBody, Kind::Silent, true),
        (Fault::Hang, Kind::Silent, false),
        (Fault::AnswerNever, Kind::Silent, true),
    ]
}

/// The failure that `kind` at `endpoint` is.
fn failure(endpoint: Endpoint, kind: Kind) -> (u16, &'static str) {
    match (endpoint, kind) {
        (Endpoint::Jwks, _) => (503, "jwks_unavailable"),
        (_, Kind::Down) => (502, "scaikey_unavailable"),
        (_, Kind::Limited) => (503, "scaikey_rate_limited"),
        (_, Kind::Silent) => (504, "scaikey_timeout"),
        (_, Kind::Refused) => (502, "scaikey_unreachable"),
        (_, Kind::Broken) => (502, "scaikey_invalid_response"),
        (Endpoint::Discovery, _) => (502, "discovery_invalid"),
        (_, Kind::Strange) => (502, "scaikey_unavailable"),
        // Where no standard code says why, a refusal is one of the grant.
        (_, Kind::Forbidden) => (400, "invalid_grant"),
        (_, Kind::Redirect | Kind::Unreadable) => (502, "scaikey_invalid_response"),
    }
}

/// A flow, and which endpoints it calls when nothing is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Login,
    Callback,
    Exchange,
    Refresh,
    Logout,
}

const ENDPOINTS: [Endpoint; 4] = [
    Endpoint::Discovery,
    Endpoint::Jwks,
    Endpoint::Token,
    Endpoint::Revoke,
];

impl Entry {
    fn calls(self, endpoint: Endpoint) -> bool {
        match self {
            Self::Login => endpoint == Endpoint::Discovery,
            // What discovery said is kept with the login.
            Self::Callback => matches!(endpoint, Endpoint::Jwks | Endpoint::Token),
            Self::Exchange | Self::Refresh => endpoint != Endpoint::Revoke,
            Self::Logout => matches!(endpoint, Endpoint::Discovery | Endpoint::Revoke),
        }
    }
}

/// A flow with everything done up to the request that is to meet a fault.
enum Prepared {
    Login,
    Callback(Browser, String),
    Exchange(String),
    Refresh(Value),
    Logout(Value),
}

impl Prepared {
    async fn of(world: &World, entry: Entry) -> Self {
        match entry {
            Entry::Login => Self::Login,
            Entry::Callback => {
                let browser = world.browser();
                let back = world.authorize(&browser, &json!({}), ALICE).await;
                Self::Callback(browser, back)
            }
            Entry::Exchange => Self::Exchange(world.app_code(ALICE, Some(VERIFIER)).await),
            Entry::Refresh => {
                Self::Refresh(scaikey_tokens(world, ALICE).await["refresh_token"].clone())
            }
            Entry::Logout => Self::Logout(world.sign_in(ALICE).await),
        }
    }

    async fn run(&self, world: &World) -> Answer {
        match self {
            Self::Login => world.client.post("/v1/auth/login", &json!({})).await,
            Self::Callback(browser, back) => browser.get(back).await,
            Self::Exchange(code) => exchange(world, code).await,
            Self::Refresh(token) => refresh(world, token).await,
            Self::Logout(session) => {
                let body = json!({ "refresh_token": session["refresh_token"] });
                world.client.post("/v1/auth/logout", &body).await
            }
        }
    }
}

/// The failure that the browser takes back to the app, or the one in the body.
fn assert_failed(answer: &Answer, prepared: &Prepared, (status, code): (u16, &str), what: &str) {
    if matches!(prepared, Prepared::Callback(..)) {
        assert_eq!(answer.status, 303, "{what}: {}", answer.text());
        assert_eq!(answer.location_parameter("error"), code, "{what}");
        assert!(
            answer.location_parameter("session_code").is_empty(),
            "{what}"
        );
        assert!(!answer.location_parameter("state").is_empty(), "{what}");
    } else {
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (status, code),
            "{what}"
        );
        answer.assert_problem(status, code);
    }
}

fn assert_worked(answer: &Answer, prepared: &Prepared, what: &str) {
    if matches!(prepared, Prepared::Callback(..)) {
        assert!(
            !answer.location_parameter("session_code").is_empty(),
            "{what}: {}",
            answer.location()
        );
    } else {
        assert_eq!(answer.status, 200, "{what}: {}", answer.text());
    }
}

async fn assert_state_is_spent(world: &World, browser: &Browser, back: &str) {
    let calls = world.scaikey.recorder().count(Endpoint::Token);
    let answer = browser.get(back).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.text().contains("Code state_already_used"),
        "{}",
        answer.text()
    );
    assert_eq!(world.scaikey.recorder().count(Endpoint::Token), calls);
}

/// After a fault of the token endpoint, when it is over.
async fn assert_spent_or_not(world: &World, prepared: &Prepared, spent: bool, what: &str) {
    match prepared {
        Prepared::Login | Prepared::Logout(_) => {}
        // The state is consumed, whatever happened: the code can't be tried again.
        Prepared::Callback(browser, back) => {
            assert_state_is_spent(world, browser, back).await;
        }
        // Nor here: ScaiKey may have seen it.
        Prepared::Exchange(code) => {
            let calls = world.scaikey.recorder().count(Endpoint::Token);
            exchange(world, code)
                .await
                .assert_problem(400, "code_already_used");
            assert_eq!(
                world.scaikey.recorder().count(Endpoint::Token),
                calls,
                "{what}"
            );
        }
        Prepared::Refresh(token) => {
            let again = refresh(world, token).await;
            if spent {
                // ScaiKey said no, or took the token and its answer is lost: sign in again.
                again.assert_problem(400, "invalid_grant");
            } else {
                assert_eq!(again.status, 200, "{what}: {}", again.text());
            }
        }
    }
}

/// After a fault of discovery or of the keys, when it is over.
async fn assert_as_good_as_new(world: &World, prepared: &Prepared, what: &str) {
    match prepared {
        Prepared::Login | Prepared::Logout(_) => {}
        Prepared::Callback(browser, back) => {
            assert_state_is_spent(world, browser, back).await;
        }
        Prepared::Exchange(_) | Prepared::Refresh(_) => {
            assert_worked(&prepared.run(world).await, prepared, what);
        }
    }
}

async fn every_fault(entry: Entry) {
    let world = World::start().await;
    for endpoint in ENDPOINTS {
        let called = entry.calls(endpoint);
        for (fault, kind, effect) in faults(&world) {
            if !called && fault != Fault::Hang {
                continue;
            }
            let what = format!("{entry:?}, {endpoint:?}, {fault:?}");
            let prepared = Prepared::of(&world, entry).await;
            let sessions = world.sessions();
            world.forget_documents();
            world.scaikey.switches().fail_always(endpoint, fault);
            let before = world.scaikey.recorder().count(endpoint);
            let silent = (kind == Kind::Silent).then_some(endpoint);
            let (answer, took) = world.wait_out(silent, prepared.run(&world)).await;
            assert!(took <= PATIENCE, "{what}: after {took:?}");
            let calls = world.scaikey.recorder().count(endpoint) - before;
            // Discovery has two addresses; the second is asked when the first is not there.
            let most = if endpoint == Endpoint::Discovery {
                2
            } else {
                1
            };
            assert_eq!(calls > 0, called, "{what}: {calls} calls");
            assert!(calls <= most, "{what}: {calls} calls");
            if let Prepared::Logout(session) = &prepared {
                assert_logged_out(&world, &answer, session, endpoint, kind, effect, &what).await;
            } else if called {
                assert_failed(&answer, &prepared, failure(endpoint, kind), &what);
                assert_eq!(world.sessions(), sessions, "{what}: a session was made");
                if kind == Kind::Limited && !matches!(prepared, Prepared::Callback(..)) {
                    assert_eq!(answer.header("retry-after"), "7", "{what}");
                }
            } else {
                assert_worked(&answer, &prepared, &what);
            }
            world.scaikey.switches().heal(endpoint);
            if called && endpoint == Endpoint::Token {
                let spent = effect || kind == Kind::Forbidden;
                assert_spent_or_not(&world, &prepared, spent, &what).await;
            } else if called {
                // What comes before the grant costs nothing that can be used once only.
                assert_as_good_as_new(&world, &prepared, &what).await;
            }
            assert_eq!(
                world.scaikey.recorder().count(Endpoint::Userinfo),
                0,
                "{what}: followed"
            );
            // A failure is handed on for two seconds at the most, and never to another sign-in.
            world.sign_in(ALICE).await;
        }
    }
}

/// Signed out here whatever ScaiKey does.
async fn assert_logged_out(
    world: &World,
    answer: &Answer,
    session: &Value,
    endpoint: Endpoint,
    kind: Kind,
    effect: bool,
    what: &str,
) {
    assert_eq!(answer.status, 200, "{what}: {}", answer.text());
    let out = answer.json();
    assert_eq!(out["logged_out"], true, "{what}");
    let knows = endpoint != Endpoint::Discovery;
    assert_eq!(out["end_session_url"].is_string(), knows, "{what}: {out}");
    if endpoint == Endpoint::Revoke && !(effect || kind == Kind::Unreadable) {
        assert_eq!(out["scaikey_revoked"], false, "{what}");
    }
    world.advance(2);
    let token = session["access_token"].as_str();
    world
        .client
        .get("/v1/me", token)
        .await
        .assert_problem(401, "token_revoked");
    refresh(world, &session["refresh_token"])
        .await
        .assert_problem(400, "session_ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_meets_every_fault_of_scaikey() {
    every_fault(Entry::Login).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_meets_every_fault_of_scaikey() {
    every_fault(Entry::Callback).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_meets_every_fault_of_scaikey() {
    every_fault(Entry::Exchange).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_meets_every_fault_of_scaikey() {
    every_fault(Entry::Refresh).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_meets_every_fault_of_scaikey() {
    every_fault(Entry::Logout).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_once_read_serve_for_a_day_while_scaikey_is_down() {
    let world = World::start().await;
    for (fault, kind, _) in faults(&world) {
        // These say that ScaiKey is another now, not that it is down.
        let changed = matches!(
            kind,
            Kind::Strange | Kind::Forbidden | Kind::Redirect | Kind::Unreadable
        );
        world.forget_documents();
        world.sign_in(ALICE).await;
        world.advance(11 * 60);
        let silent = (kind == Kind::Silent).then_some(Endpoint::Discovery);
        world
            .scaikey
            .switches()
            .fail_always(Endpoint::Discovery, fault.clone());
        let (answer, took) = world
            .wait_out(silent, world.client.post("/v1/auth/login", &json!({})))
            .await;
        assert!(took <= PATIENCE, "{fault:?}: after {took:?}");
        assert_eq!(
            answer.status.is_success(),
            !changed,
            "{fault:?}: {}",
            answer.text()
        );
        world.scaikey.switches().heal(Endpoint::Discovery);
        // Keys: whatever is wrong, the last good ones serve.
        let browser = world.browser();
        let back = world.authorize(&browser, &json!({}), ALICE).await;
        let silent = (kind == Kind::Silent).then_some(Endpoint::Jwks);
        world
            .scaikey
            .switches()
            .fail_always(Endpoint::Jwks, fault.clone());
        let (answer, took) = world.wait_out(silent, browser.get(&back)).await;
        assert!(took <= PATIENCE, "{fault:?}: after {took:?}");
        assert!(
            !answer.location_parameter("session_code").is_empty(),
            "{fault:?}: {}",
            answer.location()
        );
        world.scaikey.switches().heal(Endpoint::Jwks);
    }
    // After a day they do not.
    world.scaikey.switches().fail_always(
        Endpoint::Discovery,
        Fault::Status {
            code: 503,
            retry_after: None,
        },
    );
    world.advance(25 * 3600);
    world
        .client
        .post("/v1/auth/login", &json!({}))
        .await
        .assert_problem(502, "scaikey_unavailable");
    world.scaikey.switches().heal(Endpoint::Discovery);
    world.sign_in(ALICE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scaikey_that_takes_no_connections_is_named_and_costs_no_code() {
    let world = World::start().await;
    let scaikey = Target::Outbound("127.0.0.1".to_owned());
    for entry in [
        Entry::Login,
        Entry::Callback,
        Entry::Exchange,
        Entry::Refresh,
    ] {
        let prepared = Prepared::of(&world, entry).await;
        world
            .faults
            .set(scaikey.clone(), When::Always, Effect::Refuse);
        if entry == Entry::Login {
            world.forget_documents();
        }
        let answer = prepared.run(&world).await;
        assert_failed(
            &answer,
            &prepared,
            failure(Endpoint::Token, Kind::Refused),
            &format!("{entry:?}"),
        );
        world.faults.clear();
        // What certainly did not reach ScaiKey can be tried again; a state is spent all the same.
        if entry != Entry::Callback {
            assert_worked(
                &prepared.run(&world).await,
                &prepared,
                &format!("{entry:?} again"),
            );
        }
        assert_eq!(callback(&world).await, "");
    }
}
