//! All checks together: what is told, in which order, and how bad it is.

use std::time::Duration;

use futures::executor::block_on;
use http::HeaderMap;
use scaigate_health::{Asked, Report, Severity, local, own, ready};
use scaigate_problem::Code;
use scaigate_types::OutboundError;
use serde_json::{Value, json};

use crate::world::{NOW, SCAIGRID, Says, World, codes, findings, judged, variables};

/// The secrets that components hold, at hand.
const SECRETS: [(&str, &str); 3] = [
    ("scaiflow_scaikey_client_secret", "canary-client-secret"),
    (
        "scaiflow_scaikey_webhook_secret",
        "canary-webhook-secret-0001",
    ),
    (
        "credentials_key",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    ),
];

/// The report of who has the files and these settings.
fn at_hand(world: &World, changes: &[(&str, &str)]) -> Report {
    let all: Vec<_> = changes.iter().chain(&SECRETS).copied().collect();
    let variables = variables(&all);
    block_on(local(world, &judged(&all), &variables))
}

#[test]
fn the_worst_finding_is_how_a_deployment_is_and_comes_first() {
    let world = World::new();
    world.says(
        &format!("{SCAIGRID}/health"),
        Says::Fails(OutboundError::Refused),
    );
    let report = world.run(&judged(&[]));
    let body = report.json("1.2.3");
    assert_eq!(body["status"], "failing");
    assert_eq!(body["version"], "1.2.3");
    assert_eq!(body["checked_at"], NOW.rfc3339());
    let told = body["findings"].as_array().unwrap();
    let codes: Vec<_> = told
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes[..3],
        ["scaigrid_unreachable", "never_synced", "no_super_admin"]
    );
    let words: Vec<_> = told.iter().map(|one| one["severity"].clone()).collect();
    assert_eq!(words[..3], ["error", "warning", "warning"]);
    assert!(words[3..].iter().all(|word| word == "info"), "{words:?}");
    assert_eq!(told[0]["check"], "scaigrid");
    assert!(!told[0]["fix"].as_str().unwrap().is_empty());
    let status = |name: &str| {
        let checks = body["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["name"] == name);
        check.unwrap()["status"].clone()
    };
    assert_eq!(status("scaigrid"), "error");
    assert_eq!(status("directory"), "warning");
    assert_eq!(status("key_value"), "ok");
}

#[test]
fn a_deployment_with_nothing_but_good_to_know_is_ok() {
    let world = World::new();
    let mut report = world.run(&judged(&[]));
    assert_eq!(report.status(), "degraded");
    report.checks.retain(|check| check.name != "directory");
    assert!(!findings(&report).is_empty());
    assert_eq!(report.status(), "ok");
    // What is the caller's alone counts, too.
    world.says(
        "http://session.spin.internal",
        Says::Fails(OutboundError::Refused),
    );
    let asked = Asked {
        host: None,
        headers: &HeaderMap::new(),
    };
    let report = report.with(block_on(own(&world, &judged(&[]), &asked)));
    assert_eq!(codes(&report), ["component_unreachable"]);
    assert_eq!(report.status(), "failing");
}

#[test]
fn s_21_each_dependency_says_how_long_it_took_and_slow_ones_are_found() {
    let world = World::new();
    world.network.takes.set(Duration::from_millis(20));
    let timing = world.run(&judged(&[])).server_timing();
    for part in [
        "scaikey_discovery;dur=20",
        "scaigrid;dur=20",
        "database;dur=",
    ] {
        assert!(timing.contains(part), "{timing}");
    }
    // Nobody was asked about the settings.
    assert!(!timing.contains("settings"), "{timing}");

    world.network.takes.set(Duration::from_millis(1_000));
    let report = world.run(&judged(&[]));
    let slow: Vec<&Value> = findings(&report)
        .into_iter()
        .filter(|(_, finding)| finding.code == "dependency_slow")
        .map(|(_, finding)| &finding.evidence["dependency"])
        .collect();
    assert!(slow.contains(&&json!("scaikey_discovery")), "{slow:?}");
    assert!(slow.contains(&&json!("scaigrid")), "{slow:?}");
}

#[test]
fn s_02_a_deployment_that_can_not_serve_says_every_setting_at_once() {
    let judged = judged(&[("public_url", "nowhere"), ("session_secret", "short")]);
    let world = World::new();
    world.db.failing.fail_at(1);
    let problem = block_on(ready(&world, &judged)).unwrap_err();
    // The settings come first: no store was asked.
    assert_eq!(problem.code(), Code::ConfigurationInvalid);
    assert_eq!(world.db.failing.heal(), 0);
    let faults = problem.details()["faults"].as_array().unwrap();
    let named: Vec<_> = faults
        .iter()
        .map(|one| one["setting"].as_str().unwrap())
        .collect();
    assert_eq!(named, ["SESSION_SECRET", "PUBLIC_URL"]);
    for fault in faults {
        assert!(!fault["problem"].as_str().unwrap().is_empty());
        assert!(!fault["fix"].as_str().unwrap().is_empty());
    }
}

#[test]
fn who_has_the_secrets_at_hand_is_told_the_same_as_who_asks_the_components() {
    let world = World::new();
    assert_eq!(
        codes(&at_hand(&world, &[])),
        codes(&world.run(&judged(&[])))
    );
    // No component was asked for it.
    let local_only = World::new();
    at_hand(&local_only, &[]);
    let asked = local_only.network.asked.borrow();
    assert!(!asked.is_empty());
    let is_sibling = |host: &str| host.ends_with(".spin.internal");
    assert!(
        !asked
            .iter()
            .any(|one| is_sibling(one.uri().host().unwrap()))
    );
}

#[test]
fn a_secret_that_is_missing_or_wrong_is_named_and_not_shown() {
    // The setting, what it is, and the finding with the setting in its evidence.
    for (name, value, code, evidence) in [
        (
            "scaiflow_scaikey_client_secret",
            "",
            "oidc_not_configured",
            json!({ "missing": ["SCAIFLOW_SCAIKEY_CLIENT_SECRET"] }),
        ),
        (
            "scaiflow_scaikey_webhook_secret",
            "",
            "webhook_not_configured",
            json!({}),
        ),
        (
            "scaiflow_scaikey_webhook_secret",
            "canary",
            "setting_invalid",
            json!({
                "setting": "SCAIFLOW_SCAIKEY_WEBHOOK_SECRET",
                "problem": "a secret shorter than 16 characters",
            }),
        ),
        (
            "credentials_key",
            "",
            "setting_invalid",
            json!({ "setting": "CREDENTIALS_KEY", "problem": "missing" }),
        ),
        (
            "credentials_key",
            "canary",
            "setting_invalid",
            json!({ "setting": "CREDENTIALS_KEY", "problem": "not base64 of 32 bytes or more" }),
        ),
    ] {
        let report = at_hand(&World::new(), &[(name, value)]);
        let all = findings(&report);
        let found = all.iter().filter(|(_, one)| one.code == code);
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), 1, "{name} {value}: {all:?}");
        let (check, finding) = found[0];
        assert_eq!(*check, "settings", "{name} {value}");
        assert_eq!(json!(finding.evidence), evidence, "{name} {value}");
        assert!(finding.severity > Severity::Info);
        assert!(!format!("{report:?}").contains("canary"), "{name} {value}");
    }
}

#[test]
fn what_nobody_needs_is_not_missed() {
    let none = [("credentials_key", ""), ("scaigrid_base_url", "")];
    let report = at_hand(&World::new(), &none);
    assert_eq!(codes(&report), ["never_synced", "no_super_admin"]);
}

#[test]
fn a_webhook_that_is_not_set_up_is_one_finding() {
    let report = at_hand(&World::new(), &[("scaiflow_scaikey_webhook_secret", "")]);
    let all = findings(&report);
    let of_webhook = all
        .iter()
        .filter(|(_, one)| one.code.starts_with("webhook"));
    let of_webhook: Vec<_> = of_webhook.map(|(_, one)| one.code.as_str()).collect();
    assert_eq!(of_webhook, ["webhook_not_configured"]);
}

#[test]
fn s_02_what_is_missing_here_and_there_is_one_list() {
    let missing = [
        ("scaikey_base_url", ""),
        ("scaiflow_scaikey_client_secret", ""),
    ];
    let report = at_hand(&World::new(), &missing);
    let all = findings(&report);
    let found: Vec<_> = all
        .iter()
        .filter(|(_, one)| one.code == "oidc_not_configured")
        .collect();
    assert_eq!(found.len(), 1, "{all:?}");
    let names = json!(["SCAIFLOW_SCAIKEY_CLIENT_SECRET", "SCAIKEY_BASE_URL"]);
    assert_eq!(found[0].1.evidence["missing"], names);
    // Without ScaiKey's address nobody asks it.
    assert!(
        !report
            .checks
            .iter()
            .any(|one| one.name.starts_with("scaikey"))
    );
}
