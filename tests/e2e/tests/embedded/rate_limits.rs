//! Rate limits on the wasm that ships: what a caller is told, whom it concerns, and that many instances
//! give no more than one (S-22).

use scaigate_e2e::emulator::seed;
use scaigate_e2e::{Answer, Effect, Setup, Target, When, World, together};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";
const BOB: &str = "bob@acme.example";
const USERS: &str = "/v1/admin/users";

/// A world where the pages of administrators are limited, and Alice is one.
fn limited(limits: &str) -> Setup {
    Setup::default()
        .variable("rate_limits", limits)
        .variable("bootstrap_super_admin", &format!("user:{ALICE}"))
}

async fn users(world: &World, token: &str) -> Answer {
    world.client.get(USERS, Some(token)).await
}

/// The session token of somebody who signs in.
async fn session(world: &World, email: &str) -> String {
    let session = world.sign_in(email).await;
    session["access_token"]
        .as_str()
        .expect("a token")
        .to_owned()
}

/// 2026-11-22T13:00:00Z, when time stands still.
const ONE_O_CLOCK: u64 = 1_795_352_400;

/// A world in which time moves only when a test moves it.
async fn still(setup: Setup) -> World {
    let world = World::with(setup).await;
    world.clock.freeze();
    world.clock.set_wall(ONE_O_CLOCK);
    world
}

#[track_caller]
fn assert_headers(answer: &Answer, limit: &str, remaining: &str, reset: u64) {
    for (name, value) in [
        ("x-ratelimit-limit", limit),
        ("x-ratelimit-remaining", remaining),
        ("x-ratelimit-reset", &reset.to_string()),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s_22_too_many_requests_are_told_category_limit_remaining_and_reset() {
    let world = still(limited("admin=3")).await;
    for (number, remaining) in [(1, "2"), (2, "1"), (3, "0")] {
        // Another token each time: the limit is the caller's.
        let answer = users(&world, &world.operator_token("admin:read")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_headers(&answer, "3", remaining, ONE_O_CLOCK + 20 * number);
    }
    let token = world.operator_token("admin:read");
    let refused = users(&world, &token).await;
    refused.assert_problem(429, "rate_limited");
    assert_headers(&refused, "3", "0", ONE_O_CLOCK + 60);
    assert_eq!(refused.header("retry-after"), "20");
    let error = refused.json()["error"].clone();
    assert_eq!(
        error["details"],
        json!({
            "category": "admin", "limit": 3, "remaining": 0, "reset_at": "2026-11-22T13:01:00Z",
            "retry_after_seconds": 20, "sw_code": "SW_RATE_LIMIT_EXCEEDED",
        })
    );
    let fix = error["fix"].as_str().expect("a fix");
    for word in ["Retry-After", "batch counts once", "rate_limits"] {
        assert!(fix.contains(word), "{fix}");
    }
    world.advance(19);
    let refused = users(&world, &token).await;
    refused.assert_problem(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), "1");
    world.advance(1);
    assert_eq!(users(&world, &token).await.status, 200);
    users(&world, &token)
        .await
        .assert_problem(429, "rate_limited");
    // What is there again after a minute is the limit, however long nobody came.
    world.advance(3000);
    let token = world.operator_token("admin:read");
    for status in [200, 200, 200, 429] {
        assert_eq!(users(&world, &token).await.status, status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s_22_a_request_counts_once_whatever_it_asks_for_and_whatever_comes_of_it() {
    let world = still(limited("admin=10")).await;
    world.sync().await;
    let token = world.operator_token("admin:read");
    for (path, status, remaining) in [
        (USERS, 200, "9"),
        ("/v1/admin/users?per_page=500", 200, "8"),
        ("/api/v1/admin/groups", 200, "7"),
        ("/v1/admin/groups/grp_none/members", 404, "6"),
        ("/v1/admin/users?per_page=0", 400, "5"),
        // A service has no tenant of its own.
        ("/v1/admin/tenant/users", 403, "4"),
    ] {
        let answer = world.client.get(path, Some(&token)).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert_eq!(answer.header("x-ratelimit-remaining"), remaining, "{path}");
    }
    // Nobody proven, nobody's limit.
    let answer = world.client.get(USERS, None).await;
    answer.assert_problem(401, "authentication_required");
    assert_eq!(answer.header("x-ratelimit-limit"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_is_limited() {
    let world = still(limited("admin=1")).await;
    let alice = session(&world, ALICE).await;
    let bob = session(&world, BOB).await;
    // The other tenant is known by her.
    session(&world, "sybil@umbra.example").await;
    assert_eq!(users(&world, &alice).await.status, 200);
    users(&world, &alice)
        .await
        .assert_problem(429, "rate_limited");
    // By another credential she is who she is.
    let tokens = world.tokens_of(ALICE).await;
    let token = tokens["access_token"].as_str().expect("a token");
    users(&world, token)
        .await
        .assert_problem(429, "rate_limited");
    // Another person, a namesake in another tenant, and a service.
    let subject = "usr_same";
    let namesake = |tenant: &str| world.minted(json!({ "sub": subject, "tenant_id": tenant }));
    for (token, status) in [
        (bob, 403),
        (namesake(seed::ACME), 403),
        (namesake(seed::UMBRA), 403),
        (world.operator_token("admin:read"), 200),
    ] {
        let answer = users(&world, &token).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert_eq!(answer.header("x-ratelimit-remaining"), "0");
        users(&world, &token)
            .await
            .assert_problem(429, "rate_limited");
    }
    // Nor is what has no limit.
    let me = world.client.get("/v1/me", Some(&alice)).await;
    assert_eq!(me.status, 200);
    assert_eq!(me.header("x-ratelimit-limit"), "");
}

/// How many of so many requests at once are admitted, the others being refused for the limit.
async fn admitted(world: &World, token: &str, requests: usize) -> usize {
    let answers = together(requests, |_| {
        let (client, token) = (world.client.clone(), token.to_owned());
        async move { client.get(USERS, Some(&token)).await }
    })
    .await;
    let mut admitted = 0;
    for answer in answers {
        if answer.status == 200 {
            admitted += 1;
        } else {
            answer.assert_problem(429, "rate_limited");
        }
    }
    admitted
}

#[tokio::test(flavor = "multi_thread")]
async fn many_instances_together_give_exactly_the_limit() {
    let world = still(limited("admin=50").without_reuse()).await;
    let token = session(&world, ALICE).await;
    assert_eq!(admitted(&world, &token, 200).await, 50);
    // Twelve seconds are ten more.
    world.advance(12);
    assert_eq!(admitted(&world, &token, 100).await, 10);
    assert_eq!(admitted(&world, &token, 20).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_that_are_reused_give_no_more_than_the_limit_and_not_much_less() {
    let world = still(limited("admin=100")).await;
    let token = session(&world, ALICE).await;
    for _ in 0..2 {
        let admitted = admitted(&world, &token, 300).await;
        assert!((60..=100).contains(&admitted), "{admitted}");
        world.advance(60);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn far_from_the_limit_and_beyond_it_the_database_is_hardly_asked() {
    let takes = |world: &World| {
        let calls = world.faults.calls();
        let takes = calls
            .iter()
            .filter(|call| call.detail.contains("INSERT INTO rate_bucket"));
        takes.count()
    };
    let world = still(limited("admin=10000")).await;
    let token = world.operator_token("admin:read");
    for _ in 0..100 {
        assert_eq!(users(&world, &token).await.status, 200);
    }
    let far = takes(&world);
    assert!((1..=10).contains(&far), "{far} takes for 100 requests");

    let world = still(limited("admin=1")).await;
    let token = world.operator_token("admin:read");
    assert_eq!(users(&world, &token).await.status, 200);
    for _ in 0..100 {
        users(&world, &token)
            .await
            .assert_problem(429, "rate_limited");
    }
    let beyond = takes(&world);
    assert!(beyond <= 5, "{beyond} takes for 100 refusals");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_down_only_what_was_leased_is_allowed() {
    let world = still(limited("admin=1000")).await;
    // No administrator: what is answered needs no database.
    let bob = session(&world, BOB).await;
    for _ in 0..5 {
        users(&world, &bob)
            .await
            .assert_problem(403, "admin_role_required");
    }
    world
        .faults
        .set(Target::sqlite(), When::Always, Effect::Refuse);
    let mut leased = 0;
    let refused = loop {
        let answer = users(&world, &bob).await;
        if answer.status != 403 {
            break answer;
        }
        leased += 1;
    };
    assert_eq!(leased, 2, "of a slice of four");
    refused.assert_problem(503, "store_unavailable");
    assert_eq!(refused.header("x-ratelimit-limit"), "");
    world.faults.clear();
    users(&world, &bob)
        .await
        .assert_problem(403, "admin_role_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_on_unless_they_are_off_and_a_wrong_setting_is_named() {
    for (setting, limit) in [
        ("", "300"),
        ("deploy=1", "300"),
        ("admin=off", ""),
        ("off", ""),
    ] {
        let world = World::with(limited(setting)).await;
        let answer = users(&world, &world.operator_token("admin:read")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("x-ratelimit-limit"), limit, "{setting:?}");
    }
    let world = World::with(limited("admin=many")).await;
    let answer = users(&world, &world.operator_token("admin:read")).await;
    answer.assert_problem(503, "configuration_invalid");
    let fault = answer.json()["error"]["details"]["faults"][0].clone();
    assert_eq!(fault["setting"], "rate_limits");
    assert_ne!(fault["fix"], Value::Null);
}
