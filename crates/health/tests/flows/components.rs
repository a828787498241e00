//! What other components of the deployment say, and what is made of it.

use futures::executor::block_on;
use http::HeaderMap;
use scaigate_health::{Asked, Check, Severity, own};
use scaigate_types::OutboundError;
use serde_json::{Value, json};

use crate::world::{Says, World, codes, findings, judged, of_check};

const HOLDERS: [&str; 3] = ["auth-config", "webhook", "tenants"];

fn fault(setting: &str, problem: &str) -> Value {
    json!({ "setting": setting, "problem": problem, "fix": "Set it." })
}

/// A world in which one component says this.
fn where_says(component: &str, says: Says) -> World {
    let world = World::new();
    world.says(&format!("http://{component}.spin.internal"), says);
    world
}

/// The checks of whoever asks.
fn asked(world: &World, changes: &[(&str, &str)]) -> Vec<Check> {
    let asked = Asked {
        host: Some("gate.example"),
        headers: &HeaderMap::new(),
    };
    block_on(own(world, &judged(changes), &asked))
}

#[test]
fn a_component_that_does_not_answer_as_one_is_named() {
    for component in HOLDERS {
        for says in [
            Says::Fails(OutboundError::Refused),
            Says::Status(502, "<html>".to_owned()),
            Says::json(500, &json!({ "error": "of another kind" })),
            // A name that no failure of ours has: nobody knows what it is, but something is.
            Says::problem(500, "unheard_of", json!({})),
        ] {
            let world = where_says(component, says);
            let report = world.run(&judged(&[]));
            let told = of_check(&report, "settings");
            let told: Vec<_> = told
                .iter()
                .filter(|one| one.code == "component_unreachable")
                .collect();
            assert_eq!(told.len(), 1, "{component}: {:?}", findings(&report));
            assert_eq!(told[0].evidence["component"], component);
        }
    }
}

#[test]
fn a_component_that_refuses_is_told_by_its_own_code() {
    for component in HOLDERS {
        let says = Says::problem(503, "store_unavailable", json!({}));
        let report = where_says(component, says).run(&judged(&[]));
        assert!(codes(&report).contains(&"store_unavailable"), "{component}");
    }
}

#[test]
fn a_component_whose_settings_are_wrong_names_each() {
    for component in HOLDERS {
        for code in ["configuration_invalid", "oidc_not_configured"] {
            let faults = json!({ "faults": [
                fault("scaikey_base_url", "missing"),
                fault("app_url", "not an origin"),
                // What is no fault is passed over.
                "nonsense",
                { "setting": "public_url" },
            ]});
            let report = where_says(component, Says::problem(503, code, faults)).run(&judged(&[]));
            let told = of_check(&report, "settings");
            let of = |code: &str| told.iter().find(|one| one.code == code).unwrap();
            let missing = &of("oidc_not_configured").evidence["missing"];
            assert_eq!(missing, &json!(["SCAIKEY_BASE_URL"]), "{component} {code}");
            let wrong = of("setting_invalid");
            assert_eq!(wrong.evidence["setting"], "APP_URL", "{component} {code}");
            assert_eq!(wrong.fix, "Set it.");
        }
        // One that names none is not well either.
        let says = Says::problem(503, "configuration_invalid", json!({}));
        let report = where_says(component, says).run(&judged(&[]));
        let told = codes(&report);
        assert!(
            told.contains(&"configuration_invalid"),
            "{component}: {told:?}"
        );
    }
}

#[test]
fn a_setting_that_several_complain_of_is_told_once() {
    let world = World::new();
    let faults = || json!({ "faults": [fault("PUBLIC_URL", "not a URL")] });
    for component in HOLDERS {
        world.says(
            &format!("http://{component}.spin.internal"),
            Says::problem(503, "configuration_invalid", faults()),
        );
    }
    let report = world.run(&judged(&[("public_url", "nowhere")]));
    let told = of_check(&report, "settings");
    let told = told.iter().filter(|one| one.code == "setting_invalid");
    assert_eq!(told.count(), 1);
}

#[test]
fn tenants_keys_are_asked_about_only_where_there_is_a_scaigrid() {
    let says = || Says::Fails(OutboundError::Refused);
    let with = where_says("tenants", says()).run(&judged(&[]));
    assert!(codes(&with).contains(&"component_unreachable"));
    let none = [("scaigrid_base_url", "")];
    let without = where_says("tenants", says()).run(&judged(&none));
    assert!(!codes(&without).contains(&"component_unreachable"));
}

#[test]
fn s_23_a_real_request_that_fails_is_told_with_what_to_do_and_how_bad_it_is() {
    for (status, code, told, severity) in [
        (401, "token_expired", "token_expired", Severity::Error),
        (
            503,
            "scaikey_unavailable",
            "scaikey_unavailable",
            Severity::Error,
        ),
        // What the caller may not, or has no key for, is no fault of the deployment.
        (
            403,
            "insufficient_scope",
            "insufficient_scope",
            Severity::Info,
        ),
        (
            412,
            "missing_credentials",
            "missing_credentials",
            Severity::Warning,
        ),
        (429, "rate_limited", "rate_limited", Severity::Warning),
        // What says nothing is told as what it is.
        (500, "internal", "request_failed", Severity::Error),
        (500, "unheard_of", "request_failed", Severity::Error),
    ] {
        for (component, name) in [("session", "request"), ("proxies", "request_scaigrid")] {
            let body = json!({ "error": {
                "code": code, "fix": "Mend it.", "request_id": "req_1",
            }});
            let world = where_says(component, Says::json(status, &body));
            let checks = asked(&world, &[]);
            let check = checks.iter().find(|check| check.name == name).unwrap();
            assert_eq!(check.findings.len(), 1, "{name} {code}");
            let finding = &check.findings[0];
            assert_eq!((finding.code.as_str(), finding.severity), (told, severity));
            assert_eq!(finding.fix, "Mend it.");
            assert_eq!(finding.evidence["status"], status);
            assert_eq!(finding.evidence["path"], check.facts["path"]);
            assert_eq!(finding.evidence["request_id"], "req_1");
            assert_eq!(check.latency_ms, Some(0));
        }
    }
}

#[test]
fn s_23_a_real_request_that_nobody_answers_names_the_component() {
    let world = where_says("session", Says::Fails(OutboundError::Timeout));
    let checks = asked(&world, &[]);
    let check = checks.iter().find(|check| check.name == "request").unwrap();
    assert_eq!(check.findings[0].code, "component_unreachable");
    assert_eq!(check.findings[0].evidence["component"], "session");
    assert_eq!(check.latency_ms, None);
    // Without a ScaiGrid no request goes through to it.
    let without = asked(&World::new(), &[("scaigrid_base_url", "")]);
    let names: Vec<_> = without.iter().map(|check| check.name).collect();
    assert_eq!(names, ["address", "request"]);
}
