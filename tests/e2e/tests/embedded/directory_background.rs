//! Syncs that nobody calls for: whoever answers a request notices that one is due, and it runs after
//! the answer, once.

use std::time::Duration;

use scaigate_e2e::emulator::{Deviation, Endpoint, Fault, TokenAnswerLie, seed};
use scaigate_e2e::{Effect, Setup, Target, When, World};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";
const MINUTE: u64 = 60;
const HOUR: u64 = 3600;

async fn world() -> World {
    World::with(Setup::default().variable("scaiflow_sync_interval_minutes", "60")).await
}

/// Runs of the sync, by the rows they leave.
fn runs(world: &World) -> Vec<String> {
    let sql = "SELECT started_by || ' ' || coalesce(outcome, 'running') FROM sync_run ORDER BY 1";
    let table = "SELECT name FROM sqlite_master WHERE name = 'sync_run'";
    match world.sql_text(table, &[]) {
        Some(_) => world.rows(sql),
        None => Vec::new(),
    }
}

/// Waits until something is so that components bring about, and not for long.
pub async fn until(world: &World, what: &str, is_so: impl Fn() -> bool) {
    let limit = Duration::from_secs(30);
    let so = tokio::time::timeout(limit, world.faults.until(is_so)).await;
    assert!(so.is_ok(), "never so: {what}");
}

/// Waits until so many runs have ended.
async fn ended(world: &World, count: usize) {
    until(world, &format!("{count} runs have ended"), || {
        let all = runs(world);
        all.len() == count && all.iter().all(|run| !run.ends_with("running"))
    })
    .await;
}

/// Every call that goes to the component that syncs has been answered, and nothing more has come of
/// it: whoever noticed has said so, and has been told that there is nothing to do.
async fn quiet(world: &World, count: usize) {
    let state = world.admin("/v1/admin/sync").await;
    assert_eq!(state["running"], Value::Null, "{state}");
    assert_eq!(runs(world).len(), count, "{:?}", runs(world));
}

/// Calls of one component to another, in which it says that a sync may be due.
fn hints(world: &World) -> usize {
    let host = Target::Outbound("sync.spin.internal".to_owned());
    usize::try_from(world.faults.count(&host)).expect("few")
}

/// Each component that notices, by a request that it answers.
async fn each(world: &World, who: &str, session: &Value) {
    let token = session["access_token"].as_str();
    match who {
        "session" => {
            let _ = world.client.get("/v1/me", token).await;
        }
        "callback" => {
            let _ = world.client.post("/v1/auth/login", &json!({})).await;
        }
        _ => {
            let event = world
                .scaikey
                .changes()
                .update_user("usr_ivan_acme", |user| {
                    user.last_name.push('x');
                });
            world.handled(&event.expect("a change")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_answers_a_request_starts_the_sync_that_is_due_and_no_other() {
    let world = world().await;
    let recorder = world.scaikey.recorder();
    // Nothing has ever been synced: the sign-in itself notices.
    let session = world.sign_in(ALICE).await;
    ended(&world, 1).await;
    assert_eq!(runs(&world), ["due applied"]);
    world.live().assert_is(&world.expected(false), "the first");
    let mut count = 1;
    for who in ["session", "callback", "webhook"] {
        // Not before its time, however often somebody looks.
        for _ in 0..3 {
            world.advance(10 * MINUTE);
            each(&world, who, &session).await;
        }
        let seen = hints(&world);
        world.advance(HOUR - 31 * MINUTE);
        each(&world, who, &session).await;
        until(&world, "a hint", || hints(&world) > seen).await;
        quiet(&world, count).await;
        recorder.clear();
        world.advance(MINUTE + 1);
        each(&world, who, &session).await;
        count += 1;
        ended(&world, count).await;
        assert_eq!(recorder.count_grant("client_credentials"), 1, "{who}");
        assert_eq!(recorder.count(Endpoint::AdminGroups), 1, "{who}");
        let state = world.admin("/v1/admin/sync").await;
        assert_eq!(state["last"]["trigger"], "due", "{state}");
        assert_eq!(state["last"]["outcome"], "applied", "{state}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_does_not_wait_for_the_sync() {
    let world = world().await;
    let recorder = world.scaikey.recorder();
    recorder.hold(Endpoint::AdminGroups);
    let session = world.sign_in(ALICE).await;
    let token = session["access_token"].as_str();
    recorder.held(Endpoint::AdminGroups, 1).await;
    // It has been answered, and so are others.
    assert_eq!(world.client.get("/v1/me", token).await.status, 200);
    let state = world.admin("/v1/admin/sync").await;
    assert_eq!(state["running"]["trigger"], "due", "{state}");
    recorder.release(Endpoint::AdminGroups);
    ended(&world, 1).await;
    world
        .live()
        .assert_is(&world.expected(false), "after the answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_notice_at_one_moment_one_sync_runs() {
    for setup in [Setup::default(), Setup::default().without_reuse()] {
        let setup = setup.variable("scaiflow_sync_interval_minutes", "60");
        let world = World::with(setup).await;
        let session = world.sign_in(ALICE).await;
        ended(&world, 1).await;
        world.advance(HOUR);
        let recorder = world.scaikey.recorder();
        recorder.clear();
        let token = session["access_token"].as_str().expect("a token");
        let answers = scaigate_e2e::together(40, |n| {
            let (client, token) = (world.client.clone(), token.to_owned());
            async move {
                match n % 3 {
                    0 => client.get("/v1/me/workspaces", Some(&token)).await,
                    1 => client.post("/v1/auth/login", &json!({})).await,
                    _ => client.get("/v1/auth/whoami", Some(&token)).await,
                }
            }
        })
        .await;
        assert_eq!(answers.len(), 40);
        ended(&world, 2).await;
        assert_eq!(recorder.count_grant("client_credentials"), 1);
        assert_eq!(recorder.count(Endpoint::AdminGroups), 1);
        quiet(&world, 2).await;
    }
}

/// Statements of the database since the calls were last forgotten.
fn statements(world: &World) -> Vec<String> {
    let calls = world.faults.calls().into_iter();
    // Others seal the audit log meanwhile.
    let of_sync = calls.filter(|call| call.component == "sync" && call.target == Target::sqlite());
    of_sync.map(|call| call.detail).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looked_before_a_sync_and_begins_after_it_does_not_sync_again() {
    let world = world().await;
    let session = world.sign_in(ALICE).await;
    ended(&world, 1).await;
    // At which of its statements a hint begins, after it has looked whether a sync is due.
    let begins =
        |statement: &String| statement.contains("UPDATE sync_run SET outcome = 'abandoned'");
    world.advance(HOUR);
    world.faults.reset_calls();
    each(&world, "session", &session).await;
    ended(&world, 2).await;
    let place = statements(&world)
        .iter()
        .position(begins)
        .expect("a beginning")
        + 1;
    // The first hint is slow there, and a second one overtakes it.
    world.advance(HOUR);
    world.faults.reset_calls();
    let nth = When::Nth(place as u64);
    let slow = Effect::Delay(Duration::from_secs(10 * MINUTE));
    world.faults.set_for("sync", Target::sqlite(), nth, slow);
    each(&world, "session", &session).await;
    until(&world, "the first begins", || {
        statements(&world).iter().any(begins)
    })
    .await;
    world.advance(MINUTE + 1);
    each(&world, "session", &session).await;
    ended(&world, 3).await;
    let inserts = |world: &World| {
        let all = statements(world).into_iter();
        all.filter(|statement| statement.contains("INSERT INTO sync_run"))
            .count()
    };
    assert_eq!(inserts(&world), 1);
    world.advance(10 * MINUTE);
    until(&world, "the first goes on", || inserts(&world) == 2).await;
    quiet(&world, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_tried_again_later_and_later() {
    let world = world().await;
    let switches = world.scaikey.switches();
    switches.fail_always(Endpoint::AdminTenants, Fault::Garbage);
    let session = world.sign_in(ALICE).await;
    ended(&world, 1).await;
    assert_eq!(runs(&world), ["due failed"]);
    let mut count = 1;
    for minutes in [1, 2, 4, 8] {
        let state = world.admin("/v1/admin/sync").await;
        assert_eq!(state["last"]["code"], "sync_incomplete", "{state}");
        world.advance(minutes * MINUTE - 5);
        each(&world, "session", &session).await;
        quiet(&world, count).await;
        world.advance(MINUTE + 6);
        each(&world, "callback", &session).await;
        count += 1;
        ended(&world, count).await;
    }
    // Never later than the interval.
    for _ in 0..3 {
        world.advance(HOUR + 1);
        each(&world, "callback", &session).await;
        count += 1;
        ended(&world, count).await;
    }
    switches.clear_all();
    world.advance(HOUR + 1);
    each(&world, "callback", &session).await;
    ended(&world, count + 1).await;
    world.live().assert_is(&world.expected(false), "at last");
    let state = world.admin("/v1/admin/sync").await;
    assert_eq!(state["last"]["outcome"], "applied", "{state}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_died_is_followed_by_another() {
    let world = world().await;
    let recorder = world.scaikey.recorder();
    recorder.hold(Endpoint::AdminGroups);
    let session = world.sign_in(ALICE).await;
    recorder.held(Endpoint::AdminGroups, 1).await;
    world.host().kill_instances();
    recorder.held(Endpoint::AdminGroups, 0).await;
    recorder.release(Endpoint::AdminGroups);
    // Its lease, and the first wait after a failure.
    world.advance(2 * MINUTE);
    each(&world, "callback", &session).await;
    ended(&world, 2).await;
    assert_eq!(runs(&world), ["due abandoned", "due applied"]);
    world.live().assert_is(&world.expected(false), "the second");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_interval_nothing_is_due_by_time() {
    let world = World::start().await;
    let session = world.sign_in(ALICE).await;
    for _ in 0..3 {
        world.advance(24 * HOUR);
        for who in ["session", "callback"] {
            each(&world, who, &session).await;
        }
    }
    assert_eq!(hints(&world), 0);
    let state = world.admin("/v1/admin/sync").await;
    assert_eq!(
        state,
        json!({ "running": null, "last": null, "due_at": null })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_event_asks_for_is_due_at_once_and_without_an_interval_too() {
    let world = World::start().await;
    world.sync().await;
    world.advance(5);
    let event = world
        .scaikey
        .changes()
        .assign_user(seed::APPLICATION_ID, "usr_zoe_acme")
        .expect("a change");
    world.handled(&event).await;
    ended(&world, 2).await;
    world
        .live()
        .assert_is(&world.expected(false), "after the event");
    assert_eq!(runs(&world), ["call applied", "due applied"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduler_syncs_with_the_token_of_a_service() {
    let audience = format!("{},{}", seed::CLIENT_ID, seed::SERVICE_CLIENT_ID);
    let world = World::with(Setup::default().variable("scaikey_audience", &audience)).await;
    let tokens = [
        ("admin:read", 200),
        ("admin:write", 200),
        ("users:read groups:read", 403),
    ];
    for (scope, status) in tokens {
        let token = world.operator_token(scope);
        let answer = world
            .call(http::Method::POST, "/v1/admin/sync", &token, None)
            .await;
        assert_eq!(answer.status, status, "{scope}: {}", answer.text());
        if status == 403 {
            answer.assert_problem(403, "insufficient_scope");
        }
    }
    // So does that of another service of the platform, where its audience is accepted.
    let token = world.service_token().await;
    let answer = world
        .call(http::Method::POST, "/v1/admin/sync", &token, None)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(runs(&world).len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_component_can_say_that_a_sync_is_due() {
    let world = world().await;
    let port = world.url.rsplit(':').next().expect("a port").to_owned();
    for (path, host) in [
        ("/internal/sync-if-due", "127.0.0.1"),
        ("/v1/internal/sync-if-due", "127.0.0.1"),
        ("/api/v1/internal/sync-if-due", "127.0.0.1"),
        ("/v1/admin/sync/../../../internal/sync-if-due", "127.0.0.1"),
        ("/v1/admin/%2e%2e/%2e%2e/internal/sync-if-due", "127.0.0.1"),
        ("/internal/sync-if-due", "sync.spin.internal"),
        ("//internal/sync-if-due", "sync.spin.internal"),
    ] {
        let request = http::Request::post(path)
            .header("host", format!("{host}:{port}"))
            .body(bytes::Bytes::new())
            .expect("a request");
        let answer = world.client.send(request).await;
        assert_eq!(answer.status, 404, "{host}{path}: {}", answer.text());
    }
    quiet(&world, 0).await;
    assert!(world.live().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_a_sync_says_so_and_none_is_due() {
    let setup = Setup::default()
        .variable("scaiflow_sync_interval_minutes", "60")
        .variable("scaiflow_scaikey_client_secret", "");
    let world = World::with(setup).await;
    let report = world.sync().await;
    assert_eq!(report["skipped_reason"], "credentials_missing", "{report}");
    assert_eq!(report["users_method"], Value::Null, "{report}");
    assert_eq!(report["sync_id"], Value::Null, "{report}");
    assert_eq!(report["users_seen"], 0, "{report}");
    world.advance(2 * HOUR);
    let _ = world
        .client
        .get("/v1/auth/whoami", Some(&world.operator_token("admin:read")))
        .await;
    until(&world, "a hint", || hints(&world) > 0).await;
    quiet(&world, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_scaikey_refuses_fails_the_sync_by_name() {
    let world = World::start().await;
    let lie = Deviation::TokenAnswer(TokenAnswerLie::InvalidClient);
    world.scaikey.switches().set(lie);
    let answer = world.try_sync(false).await;
    answer.assert_problem(502, "client_refused");
    assert!(world.live().is_empty());
}
