//! Every port failing at every step: the report is there, says which part, and is never well.

use std::time::Duration;

use futures::executor::block_on;
use scaigate_health::{Asked, detailed, own, ready};
use scaigate_kv::dev_headers;
use scaigate_kv::memory::MemoryDatabase;
use scaigate_problem::Code;
use scaigate_signin::{Memory, Ports};
use scaigate_types::{Clock, Kv, OutboundError, StoreError, Timestamp};
use serde_json::json;

use crate::world::{
    NOW, Network, SCAIGRID, SCAIKEY, Says, Still, World, codes, findings, judged, of_check,
};

/// What a world without a directory is told of, when nothing fails.
const USUAL: [&str; 2] = ["never_synced", "no_super_admin"];

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    let world = World::new();
    assert_eq!(codes(&world.run(&judged(&[]))), USUAL);
}

#[test]
fn every_call_of_the_network_failing_is_told_of() {
    let world = World::new();
    world.run(&judged(&[]));
    let calls = world.network.calls.get();
    assert!(calls >= 8, "{calls}");
    for call in 1..=calls {
        for error in [
            OutboundError::Refused,
            OutboundError::Timeout,
            OutboundError::Interrupted,
            OutboundError::TooLarge,
        ] {
            let world = World::new();
            world.network.fail_at.set(Some((call, error)));
            let report = world.run(&judged(&[]));
            let whom = world.network.asked.borrow()[usize::try_from(call).unwrap() - 1].clone();
            let more = codes(&report).len() - USUAL.len();
            assert_eq!(more, 1, "{} {error}: {:?}", whom.uri(), findings(&report));
            assert_eq!(report.status(), "failing", "{} {error}", whom.uri());
        }
    }
}

#[test]
fn every_call_of_the_stores_failing_is_told_of() {
    for (store, expected) in [("key_value", 3), ("sqlite", 5)] {
        let world = World::new();
        world.kv.failing.heal();
        world.db.failing.heal();
        world.run(&judged(&[]));
        let calls = match store {
            "key_value" => world.kv.failing.heal(),
            _ => world.db.failing.heal(),
        };
        assert!(calls >= expected, "{store}: {calls}");
        let mut told = 0;
        for call in 1..=calls {
            let world = World::new();
            match store {
                "key_value" => world.kv.failing.fail_at(call),
                _ => world.db.failing.fail_at(call),
            }
            let report = world.run(&judged(&[]));
            let is_of_store = |(_, finding): &(&str, &scaigate_health::Finding)| {
                finding.code == "store_unavailable" && finding.evidence["store"] == store
            };
            if findings(&report).iter().any(is_of_store) {
                told += 1;
                assert_eq!(report.status(), "failing");
            }
            // Whatever of the rest could be looked at was.
            assert!(
                report
                    .checks
                    .iter()
                    .any(|check| check.name == "scaikey_keys")
            );
        }
        // Reading the age of a document, or the note of headers, may fail alone without harm.
        assert!(told >= 2, "{store}: {told} of {calls}");
    }
}

#[test]
fn it_can_not_serve_when_a_store_fails_and_says_which() {
    let judged = judged(&[]);
    let world = World::new();
    assert_eq!(block_on(ready(&world, &judged)), Ok(()));
    world.db.failing.fail_at(1);
    let problem = block_on(ready(&world, &judged)).unwrap_err();
    assert_eq!(problem.code(), Code::StoreUnavailable);
    assert_eq!(problem.details()["store"], "sqlite");
    world.db.failing.heal();
    world.kv.failing.fail_at(1);
    let problem = block_on(ready(&world, &judged)).unwrap_err();
    assert_eq!(problem.details()["store"], "key_value");
}

#[test]
fn s_25_a_newer_schema_is_told_with_the_way_on() {
    use scaigate_types::Query as _;
    let world = World::new();
    block_on(
        world
            .db
            .query("UPDATE schema_version SET version = 99", &[]),
    )
    .unwrap();
    // As the store of a component answers it, which looks before its first use.
    assert_eq!(
        block_on(scaigate_kv::schema::migrate(&world.db)),
        Err(StoreError::SchemaNewer)
    );
    let report = world.run(&judged(&[]));
    assert!(
        codes(&report).contains(&"schema_newer"),
        "{:?}",
        codes(&report)
    );
}

#[test]
fn what_the_holders_of_secrets_say_is_told_once_and_by_name() {
    let fault = |setting: &str, problem: &str| json!({ "setting": setting, "problem": problem, "fix": "Set it." });
    let world = World::new();
    world.says(
        "http://auth-config.spin.internal",
        Says::json(
            200,
            &json!({ "reason": { "faults": [fault("SCAIFLOW_SCAIKEY_CLIENT_SECRET", "missing")] } }),
        ),
    );
    world.says(
        "http://webhook.spin.internal",
        Says::problem(503, "webhook_not_configured", json!({})),
    );
    world.says(
        "http://tenants.spin.internal",
        Says::problem(
            503,
            "configuration_invalid",
            json!({ "faults": [fault("credentials_key", "missing")] }),
        ),
    );
    let report = world.run(&judged(&[]));
    let found = findings(&report);
    let of = |code: &str| {
        found
            .iter()
            .find(|(_, finding)| finding.code == code)
            .unwrap()
            .1
    };
    assert_eq!(
        of("oidc_not_configured").evidence["missing"],
        json!(["SCAIFLOW_SCAIKEY_CLIENT_SECRET"])
    );
    assert_eq!(of("setting_invalid").evidence["setting"], "CREDENTIALS_KEY");
    assert!(
        of("webhook_not_configured")
            .fix
            .contains("SCAIFLOW_SCAIKEY_WEBHOOK_SECRET")
    );
    assert!(
        !found
            .iter()
            .any(|(_, finding)| finding.code == "webhook_never_received")
    );
}

#[test]
fn no_credential_of_ours_is_sent_and_the_callers_goes_to_components_alone() {
    let world = World::new();
    let judged = judged(&[]);
    world.run(&judged);
    let mut headers = http::HeaderMap::new();
    headers.insert("authorization", "Bearer canary-token".parse().unwrap());
    headers.insert("cookie", "canary-cookie".parse().unwrap());
    let asked = Asked {
        host: Some("gate.example"),
        headers: &headers,
    };
    let checks = block_on(own(&world, &judged, &asked));
    assert!(
        checks.iter().all(|check| check.findings.is_empty()),
        "{checks:?}"
    );
    let mut carried = 0;
    for request in world.network.asked.borrow().iter() {
        let host = request.uri().host().unwrap();
        assert!(!request.headers().contains_key("cookie"), "{host}");
        if request.headers().contains_key("authorization") {
            carried += 1;
            assert!(host.ends_with(".spin.internal"), "{host}");
        }
        assert!(!String::from_utf8_lossy(request.body()).contains("canary"));
    }
    assert_eq!(carried, 2);
}

#[test]
fn what_scaikey_and_scaigrid_answer_amiss_is_named() {
    for (address, says, code) in [
        (
            format!("{SCAIKEY}/jwks"),
            Says::json(200, &json!({ "keys": [] })),
            "jwks_unavailable",
        ),
        (
            format!("{SCAIKEY}/token"),
            Says::json(500, &json!({})),
            "scaikey_unavailable",
        ),
        (
            format!("{SCAIKEY}/token"),
            Says::json(404, &json!({})),
            "scaikey_invalid_response",
        ),
        (
            format!("{SCAIKEY}/token"),
            Says::json(429, &json!({})),
            "scaikey_rate_limited",
        ),
        (
            format!("{SCAIKEY}/"),
            Says::json(200, &json!({ "issuer": "https://other.example" })),
            "discovery_invalid",
        ),
        (
            format!("{SCAIGRID}/health"),
            Says::json(503, &json!({})),
            "scaigrid_unhealthy",
        ),
        (
            format!("{SCAIGRID}/health"),
            Says::Fails(OutboundError::Timeout),
            "scaigrid_timeout",
        ),
    ] {
        let world = World::new();
        world.says(&address, says);
        let report = world.run(&judged(&[]));
        assert!(
            codes(&report).contains(&code),
            "{address} {code}: {:?}",
            findings(&report)
        );
    }
}

/// A world whose key-value store never answers, and whose time passes for whoever waits.
struct Silent(World);

struct Never;

impl Kv for Never {
    async fn get(&self, _: &str) -> Result<Option<Vec<u8>>, StoreError> {
        std::future::pending().await
    }

    async fn set(&self, _: &str, _: &[u8]) -> Result<(), StoreError> {
        std::future::pending().await
    }

    async fn delete(&self, _: &str) -> Result<(), StoreError> {
        std::future::pending().await
    }
}

impl Clock for Silent {
    fn now(&self) -> Timestamp {
        self.0.clock().now()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.later(duration);
    }
}

impl Ports for Silent {
    type Clock = Self;
    type Entropy = Still;
    type Kv = Never;
    type Database = MemoryDatabase;
    type Outbound = Network;

    fn clock(&self) -> &Self {
        self
    }

    fn entropy(&self) -> &Still {
        self.0.entropy()
    }

    fn kv(&self) -> &Never {
        &Never
    }

    fn db(&self) -> &MemoryDatabase {
        self.0.db()
    }

    fn outbound(&self) -> &Network {
        self.0.outbound()
    }

    fn memory(&self) -> &Memory {
        self.0.memory()
    }
}

#[test]
fn n_143_a_store_that_never_answers_is_told_of_in_bounded_time() {
    let judged = judged(&[]);
    let silent = Silent(World::new());
    let problem = block_on(ready(&silent, &judged)).unwrap_err();
    assert_eq!(problem.code(), Code::StoreUnavailable);
    assert_eq!(problem.details()["store"], "key_value");
    assert_eq!(silent.now().since(NOW), Duration::from_secs(3));
    let report = block_on(detailed(&silent, &judged));
    let found = of_check(&report, "key_value");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].code, "store_timeout");
    assert_eq!(found[0].evidence["waited_ms"], 3_000);
    assert_eq!(report.status(), "failing");
    // What else there is was looked at.
    assert!(of_check(&report, "database").is_empty());
    assert!(of_check(&report, "scaikey_keys").is_empty());
}

#[test]
fn s_33_headers_of_development_that_mean_nothing_are_counted() {
    let world = World::new();
    for seconds in [0, 5] {
        let at = NOW.plus(Duration::from_secs(seconds));
        block_on(dev_headers::note(&world.kv, 2, at)).unwrap();
    }
    let report = world.run(&judged(&[]));
    let found = of_check(&report, "key_value");
    assert_eq!(found[0].code, "dev_headers_ignored");
    assert_eq!(found[0].evidence["count"], 4);
    assert_eq!(found[0].evidence["last_at"], "2027-01-15T08:00:05Z");
}
