//! Health: it lives, it can serve, and what works, each with the world as it is and with parts of it gone.

use std::time::Duration;

use http::Request;
use scaigate_e2e::emulator::{Endpoint, Fault};
use scaigate_e2e::grid::seed::ACME_KEY;
use scaigate_e2e::{Answer, Effect, Setup, Target, When, World};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";

async fn get(world: &World, path: &str) -> Answer {
    world.client.get(path, None).await
}

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().expect("checks");
    let found = checks.iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("{name} in {report:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn it_lives_whatever_is_down() {
    let world = World::with(Setup::default().variable("session_secret", "short")).await;
    for target in [Target::sqlite(), Target::key_value()] {
        world.faults.set(target, When::Always, Effect::Refuse);
    }
    for path in ["/v1/health", "/api/v1/health"] {
        let answer = get(&world, path).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["status"], "alive");
    }
    let request = Request::post("/v1/health").body(Default::default());
    let answer = world.client.send(request.expect("a request")).await;
    answer.assert_problem(405, "method_not_allowed");
    get(&world, "/v1/health/else")
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_can_serve_while_both_stores_answer() {
    let world = World::start().await;
    let answer = get(&world, "/v1/health/ready").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["status"], "ready");
    for (target, store) in [
        (Target::sqlite(), "sqlite"),
        (Target::key_value(), "key_value"),
    ] {
        for effect in [Effect::Refuse, Effect::LoseAnswer] {
            world.advance(2);
            let rule = world.faults.set(target.clone(), When::Always, effect);
            let answer = get(&world, "/v1/health/ready").await;
            answer.assert_problem(503, "store_unavailable");
            assert_eq!(answer.json()["error"]["details"]["store"], store);
            assert_ne!(answer.header("retry-after"), "");
            world.faults.remove(rule);
            world.advance(2);
            assert_eq!(get(&world, "/v1/health/ready").await.status, 200);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_hangs_is_told_of_and_not_waited_for() {
    for (target, store) in [
        (Target::sqlite(), "sqlite"),
        (Target::key_value(), "key_value"),
    ] {
        let world = World::start().await;
        assert_eq!(get(&world, "/v1/health/ready").await.status, 200);
        world.advance(2);
        world.faults.set(target, When::Always, Effect::Hang);
        let (answer, took) = world.hurry(None, get(&world, "/v1/health/ready")).await;
        answer.assert_problem(503, "store_unavailable");
        assert_eq!(answer.json()["error"]["details"]["store"], store);
        assert!(took <= Duration::from_secs(7), "{took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_every_setting_is_told_when_nobody_can_be_known() {
    let setup = [
        ("session_secret", "short"),
        ("public_url", ""),
        ("scaiflow_sync_interval_minutes", "-1"),
        ("rate_limits", "nonsense"),
    ]
    .iter()
    .fold(Setup::default(), |setup, (name, value)| {
        setup.variable(name, value)
    });
    let world = World::with(setup).await;
    for path in ["/v1/health/ready", "/v1/health/detailed"] {
        let answer = get(&world, path).await;
        answer.assert_problem(503, "configuration_invalid");
        let faults = answer.json()["error"]["details"]["faults"].clone();
        let mut names: Vec<&str> = faults
            .as_array()
            .expect("faults")
            .iter()
            .map(|fault| fault["setting"].as_str().expect("a name"))
            .collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "PUBLIC_URL",
                "RATE_LIMITS",
                "SCAIFLOW_SYNC_INTERVAL_MINUTES",
                "SESSION_SECRET"
            ],
            "{faults}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_is_well_every_part_says_so_and_the_doctor_ends_with_0() {
    let world = World::with(Setup::default().scaigrid()).await;
    world.sync().await;
    let token = world
        .administrator("usr_alice_acme", ALICE, "super_admin")
        .await;
    world.set_key(&token, ACME_KEY).await;
    // Something is remembered of ScaiKey by now.
    let report = world.health_by(&token).await;
    assert_eq!(report["status"], "ok", "{report:#}");
    for name in [
        "settings",
        "key_value",
        "database",
        "directory",
        "webhook",
        "scaigrid_credentials",
        "scaikey_discovery",
        "scaikey_keys",
        "scaikey_token_endpoint",
        "scaikey_sign_in",
        "scaigrid",
        "address",
        "request",
        "request_scaigrid",
    ] {
        assert_eq!(check(&report, name)["status"], "ok", "{name}: {report:#}");
    }
    for name in [
        "key_value",
        "database",
        "scaikey_discovery",
        "scaikey_keys",
        "scaikey_token_endpoint",
        "scaikey_sign_in",
        "scaigrid",
        "request",
        "request_scaigrid",
    ] {
        assert!(
            check(&report, name)["latency_ms"].is_u64(),
            "{name}: {report:#}"
        );
    }
    let fact = |name: &str, fact: &str| check(&report, name)["facts"][fact].clone();
    assert_eq!(
        fact("database", "schema_version"),
        fact("database", "schema_expected")
    );
    assert_eq!(fact("scaikey_discovery", "clock_skew_seconds"), 0);
    assert!(fact("scaikey_keys", "age_seconds").is_u64());
    assert_eq!(fact("directory", "super_admins"), 1);
    let last = fact("directory", "last_sync");
    assert_eq!(last["users_method"], "effective_users", "{last}");
    assert_eq!(last["outcome"], "applied", "{last}");
    assert_eq!(fact("scaikey_sign_in", "status"), 303);
    let told = world.scaigate(&token, &["doctor", "--json"]).await;
    assert_eq!(
        (told.code, told.json()["status"].clone()),
        (0, json!("ok")),
        "{told:?}"
    );
    let printed = world.scaigate(&token, &["doctor"]).await;
    assert_eq!(printed.code, 0, "{printed:?}");
    assert!(
        !printed.stdout.contains('✗') && !printed.stdout.contains('!'),
        "{printed:?}"
    );
    // What is told without a token.
    let outside = world.scaigate("", &["doctor", "--json"]).await;
    assert_eq!(outside.code, 0, "{outside:?}");
    assert_eq!(outside.json()["findings"][0]["code"], "not_asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_operators_see_what_is_inside() {
    let world = World::start().await;
    get(&world, "/v1/health/detailed")
        .await
        .assert_problem(401, "authentication_required");
    let session = world.sign_in(ALICE).await;
    let token = session["access_token"].as_str().expect("a token");
    world
        .detailed(token)
        .await
        .assert_problem(403, "admin_role_required");
    for path in ["/internal/settings", "/v1/internal/settings"] {
        assert_eq!(get(&world, path).await.status, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_repeated_for_ten_seconds() {
    let world = World::start().await;
    let token = world.operator_token("admin:read");
    world.health_by(&token).await;
    world.scaikey.recorder().clear();
    let asked = || {
        let recorder = world.scaikey.recorder();
        [Endpoint::Discovery, Endpoint::Jwks, Endpoint::Authorize].map(|e| recorder.count(e))
    };
    let first = world.health_by(&token).await;
    assert_eq!(asked(), [0, 0, 0]);
    world.advance(11);
    let second = world.health_by(&token).await;
    assert_eq!(asked(), [1, 1, 1]);
    assert_ne!(first["checked_at"], second["checked_at"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_part_that_fails_is_told_and_the_others_are_looked_at_all_the_same() {
    let world = World::with(Setup::default().scaigrid()).await;
    let token = world
        .signed_in_as(ALICE, "admin", Some("super_admin"))
        .await;
    world.set_key(&token, ACME_KEY).await;
    let down = Fault::Status {
        code: 503,
        retry_after: None,
    };
    for (endpoint, name, code) in [
        (
            Endpoint::Discovery,
            "scaikey_discovery",
            "scaikey_unavailable",
        ),
        (Endpoint::Jwks, "scaikey_keys", "jwks_unavailable"),
        (
            Endpoint::Token,
            "scaikey_token_endpoint",
            "scaikey_unavailable",
        ),
        (
            Endpoint::Authorize,
            "scaikey_sign_in",
            "scaikey_unavailable",
        ),
    ] {
        world.scaikey.switches().fail_always(endpoint, down.clone());
        world.advance(11);
        let report = world.health_by(&token).await;
        assert_eq!(report["status"], "failing", "{report:#}");
        assert_eq!(check(&report, name)["status"], "error", "{report:#}");
        assert_eq!(report["findings"][0]["code"], code, "{report:#}");
        assert_eq!(check(&report, "database")["status"], "ok");
        assert_eq!(check(&report, "request")["status"], "ok", "{report:#}");
        world.scaikey.switches().heal(endpoint);
    }
    world
        .faults
        .set(Target::sqlite(), When::Always, Effect::Refuse);
    world.advance(11);
    // The session token is checked without it.
    let report = world.health_by(&token).await;
    assert_eq!(check(&report, "database")["status"], "error", "{report:#}");
    assert_eq!(check(&report, "key_value")["status"], "ok", "{report:#}");
    world.faults.clear();
    world
        .faults
        .set(Target::key_value(), When::Always, Effect::Refuse);
    world.advance(11);
    // Without the revocation index nobody knows whether the token still holds: not told, and why.
    let answer = world.detailed(&token).await;
    answer.assert_problem(503, "store_unavailable");
    assert_eq!(answer.json()["error"]["details"]["store"], "key_value");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scaikey_that_is_silent_is_given_up_in_time() {
    let world = World::start().await;
    let token = world
        .signed_in_as(ALICE, "admin", Some("super_admin"))
        .await;
    world.health_by(&token).await;
    world.advance(11);
    for endpoint in [
        Endpoint::Discovery,
        Endpoint::Jwks,
        Endpoint::Token,
        Endpoint::Authorize,
    ] {
        world.scaikey.switches().fail_always(endpoint, Fault::Hang);
    }
    let (answer, took) = world
        .hurry(Some(Endpoint::Discovery), world.detailed(&token))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let report = answer.json();
    // Time moves for every check at once here, so others may be told of, too.
    let findings = report["findings"].as_array().expect("findings");
    let is_it = |finding: &Value| {
        finding["check"] == "scaikey_discovery" && finding["code"] == "scaikey_timeout"
    };
    assert!(findings.iter().any(is_it), "{report:#}");
    assert!(took <= Duration::from_secs(10), "{took:?}");
}
