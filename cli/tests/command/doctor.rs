//! `doctor`: from outside against a server that says what a test makes it say, from inside by its report or
//! by the database file.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};

use crate::bench::{Bench, Ran, TOKEN};
use crate::database::Stores;
use crate::stub::{Answer, Asked, Stub};

const APP: &str = "https://app.example";

/// A deployment in which all is well, but for the answers that a test changes.
fn deployment(changes: Vec<(&'static str, Answer)>) -> Stub {
    let changes: BTreeMap<_, _> = changes.into_iter().collect();
    let url: Arc<OnceLock<String>> = Arc::default();
    let stub = Stub::start({
        let url = url.clone();
        move |asked: &Asked| {
            let path = asked.target.split('?').next().unwrap_or_default();
            if let Some(answer) = changes.get(path) {
                return answer.clone();
            }
            usual(asked, path, url.get().map_or("", String::as_str))
        }
    });
    url.set(stub.url()).unwrap();
    stub
}

fn usual(asked: &Asked, path: &str, url: &str) -> Answer {
    match path {
        "/v1/health" => Answer::json(200, &json!({ "status": "alive", "version": "1" })),
        "/v1/health/ready" => Answer::json(200, &json!({ "status": "ready" })),
        "/v1/auth/config" => Answer::json(
            200,
            &json!({
                "auth_mode": "scaikey", "scaiwave_auth_mode": "scaikey", "client_id": "app_gate",
                "redirect_uri": format!("{url}/v1/auth/callback"), "scaikey_base_url": null,
            }),
        ),
        "/v1/auth/login" => {
            let origin = asked.headers.get("origin").cloned().unwrap_or_default();
            let answer = Answer::empty(204);
            if origin == APP {
                answer.with("access-control-allow-origin", APP)
            } else {
                answer
            }
        }
        "/v1/health/detailed" => Answer::json(200, &report(&[])),
        _ => Answer::problem(404, "not_found", &json!({})),
    }
}

/// A report with these findings of the check `directory`: code and severity.
fn report(findings: &[(&str, &str)]) -> Value {
    let findings: Vec<Value> = findings
        .iter()
        .map(|(code, severity)| {
            json!({
                "code": code, "severity": severity, "check": "directory", "message": "So it is.",
                "fix": format!("Mend {code}."), "evidence": { "count": 3 },
            })
        })
        .collect();
    json!({
        "status": "ok", "version": "1", "checked_at": "2026-11-22T12:00:00Z",
        "checks": [
            { "name": "database", "status": "ok", "latency_ms": 2, "facts": { "schema_version": 6 } },
            { "name": "directory", "status": "ok", "latency_ms": null, "facts": {} },
        ],
        "findings": findings,
    })
}

fn doctor(stub: &Stub, line: &str) -> Ran {
    Bench::at(&stub.url()).with("APP_URL", APP).run(line)
}

/// Codes of the findings, the worst first.
fn codes(ran: &Ran) -> Vec<String> {
    let json = ran.json();
    let findings = json["findings"].as_array().unwrap();
    let code = |finding: &Value| finding["code"].as_str().unwrap().to_owned();
    findings.iter().map(code).collect()
}

#[test]
fn where_all_is_well_every_line_says_so() {
    let stub = deployment(Vec::new());
    let ran = doctor(&stub, "doctor");
    let lines: Vec<&str> = ran.done().lines().collect();
    for (line, begins) in lines.iter().zip([
        "✓  outside  reachable",
        "✓  outside  ready",
        "✓  outside  auth_config",
        "✓  outside  address",
        "✓  outside  cors",
        "✓  inside   database     2 ms",
        "✓  inside   directory",
    ]) {
        assert!(line.starts_with(begins), "{line}");
    }
    assert_eq!(lines.len(), 7, "{lines:?}");
    let json = doctor(&stub, "doctor --json").json();
    assert_eq!(
        (&json["status"], &json["findings"]),
        (&json!("ok"), &json!([]))
    );
    // The token goes to the deployment's report and nowhere else.
    for asked in stub.asked() {
        let carries = asked.headers.contains_key("authorization");
        assert_eq!(carries, asked.target == "/v1/health/detailed", "{asked:?}");
    }
}

#[test]
fn how_bad_it_is_is_told_by_the_exit_code() {
    for (findings, code, mark) in [
        (vec![("scaigrid_not_configured", "info")], 0, '·'),
        (vec![("no_super_admin", "warning")], 6, '!'),
        (
            vec![("no_super_admin", "warning"), ("schema_newer", "error")],
            1,
            '✗',
        ),
    ] {
        let stub = deployment(vec![(
            "/v1/health/detailed",
            Answer::json(200, &report(&findings)),
        )]);
        let ran = doctor(&stub, "doctor");
        ran.code_is(code);
        for (name, _) in &findings {
            assert!(
                ran.stdout.contains(&format!("{name}: So it is.")),
                "{ran:?}"
            );
            assert!(
                ran.stdout.contains(&format!("  fix: Mend {name}.")),
                "{ran:?}"
            );
        }
        assert!(ran.stdout.contains(&format!("\n{mark} ")), "{ran:?}");
        assert!(ran.stdout.contains("    count: 3\n"), "{ran:?}");
    }
}

#[test]
fn nobody_there_is_told_with_what_to_look_at() {
    let gone = deployment(Vec::new()).url();
    let ran = Bench::at(&gone).run("doctor --json");
    ran.code_is(5);
    assert_eq!(codes(&ran), ["no_connection"]);
    let stub = deployment(vec![("/v1/health", Answer::hanging_up())]);
    let ran = doctor(&stub, "doctor --json");
    ran.code_is(5);
    assert_eq!(codes(&ran), ["no_answer"]);
    let stub = Stub::saying(Answer::bytes(200, "text/html", b"<html>".to_vec()));
    let ran = doctor(&stub, "doctor --json");
    ran.code_is(1);
    // Seen from outside, and when its own report is asked for.
    assert_eq!(codes(&ran), ["unreadable_answer", "unreadable_answer"]);
}

#[test]
fn what_is_wrong_outside_is_told_by_name() {
    let url = "http://127.0.0.1:9/v1/auth/callback";
    let config = |more: Value| {
        let mut config = json!({ "auth_mode": "scaikey", "scaiwave_auth_mode": "scaikey" });
        let more = more.as_object().unwrap().clone();
        config.as_object_mut().unwrap().extend(more);
        Answer::json(200, &config)
    };
    let fault = |setting: &str, problem: &str| json!({ "setting": setting, "problem": problem, "fix": "Set it." });
    let missing = fault("SCAIFLOW_SCAIKEY_CLIENT_SECRET", "missing");
    let wrong = fault("PUBLIC_URL", "is not https");
    let open = Answer::empty(204).with("access-control-allow-origin", "*");
    let down = Answer::problem(503, "store_unavailable", &json!({ "store": "sqlite" }));
    for (path, answer, code, exit) in [
        ("/v1/health/ready", down, "store_unavailable", 1),
        (
            "/v1/auth/config",
            config(json!({ "redirect_uri": url })),
            "origin_mismatch",
            6,
        ),
        (
            "/v1/auth/config",
            config(json!({ "reason": { "faults": [missing] } })),
            "oidc_not_configured",
            1,
        ),
        (
            "/v1/auth/config",
            config(json!({ "configuration": { "faults": [wrong] } })),
            "setting_invalid",
            1,
        ),
        (
            "/v1/auth/config",
            config(json!({ "discovery": { "code": "discovery_invalid" } })),
            "discovery_invalid",
            1,
        ),
        (
            "/v1/auth/config",
            config(json!({ "scaiwave_auth_mode": "mock" })),
            "dev_auth_enabled",
            6,
        ),
        (
            "/v1/auth/config",
            config(json!({ "scaikey_base_url": "http://127.0.0.1:9" })),
            "scaikey_unreachable",
            6,
        ),
        (
            "/v1/auth/login",
            Answer::empty(204),
            "origin_not_allowed",
            1,
        ),
        ("/v1/auth/login", open, "cors_open", 1),
        (
            "/v1/health/detailed",
            Answer::problem(401, "service_token_without_subject", &json!({})),
            "service_token_without_subject",
            1,
        ),
        (
            "/v1/health/detailed",
            Answer::json(200, &json!([])),
            "unreadable_answer",
            1,
        ),
    ] {
        let ran = doctor(&deployment(vec![(path, answer)]), "doctor --json");
        ran.code_is(exit);
        assert_eq!(codes(&ran), [code], "{path}");
        let finding = ran.json()["findings"][0].clone();
        assert_ne!(finding["fix"], "", "{finding}");
    }
}

#[test]
fn without_a_token_it_looks_from_outside_alone() {
    let stub = deployment(Vec::new());
    let ran = Bench::new()
        .with("PUBLIC_URL", &stub.url())
        .run("doctor --json");
    ran.code_is(0);
    assert_eq!(codes(&ran), ["not_asked"]);
    assert!(!stub.lines().iter().any(|line| line.contains("detailed")));
}

fn env_file(stores: &Stores) {
    stores.bench.write(
        ".env",
        "SESSION_SECRET=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\
         SCAIFLOW_SCAIKEY_WEBHOOK_SECRET=canary-webhook-secret\n",
    );
}

#[test]
fn s_10_s_02_the_files_are_looked_into_when_nothing_runs() {
    let stores = Stores::new(&[("usr_alice", "tnt_acme", "alice@acme.example")]);
    env_file(&stores);
    let ran = stores
        .bench
        .run("doctor --database .spin/sqlite_db.db --json");
    ran.code_is(1);
    let found = codes(&ran);
    for code in ["oidc_not_configured", "setting_invalid", "no_super_admin"] {
        assert!(
            found.iter().any(|found| found == code),
            "{code} in {found:?}"
        );
    }
    assert!(!ran.stdout.contains("canary"), "{ran:?}");
    let missing = &ran.json()["findings"][0]["evidence"]["missing"];
    assert_eq!(
        missing,
        &json!([
            "SCAIFLOW_SCAIKEY_CLIENT_ID",
            "SCAIFLOW_SCAIKEY_CLIENT_SECRET",
            "SCAIKEY_BASE_URL"
        ])
    );
    // The fix that is printed works.
    let fix = "admin grant alice@acme.example --role super_admin --database .spin/sqlite_db.db";
    stores.bench.run(fix).done();
    let ran = stores
        .bench
        .run("doctor --database .spin/sqlite_db.db --json");
    assert!(
        !codes(&ran).iter().any(|code| code == "no_super_admin"),
        "{ran:?}"
    );
}

#[test]
fn s_25_a_schema_of_another_version_is_told_with_the_way_on() {
    for (version, code) in [(99, "schema_newer"), (1, "schema_older")] {
        let stores = Stores::new(&[]);
        env_file(&stores);
        stores.sql(&format!("UPDATE schema_version SET version = {version}"));
        let ran = stores
            .bench
            .run("doctor --database .spin/sqlite_db.db --json");
        ran.code_is(1);
        assert_eq!(codes(&ran), [code]);
    }
}

#[test]
fn s_27_the_bundle_has_what_support_needs_and_no_secret() {
    let session = "canarySESSIONsecretAAECAwQFBgcICQoLDA0ODxAREhM=";
    let jwt = "eyJhbGciOiJIUzI1NiJ9.canary-jwt.sig";
    let mut told = report(&[("no_super_admin", "warning")]);
    told["findings"][0]["evidence"] = json!({
        "said": jwt, "key": "sgk_canary_1", "echo": format!("it is {session}"),
        "client_secret": "canary-short", "header": "Bearer canary-bearer",
    });
    let audit = json!({ "rows": [{ "action": "sign_in", "refresh_token": "canary-row", "who": "usr_alice" }] });
    let stub = deployment(vec![
        ("/v1/health/detailed", Answer::json(200, &told)),
        ("/v1/admin/audit", Answer::json(200, &audit)),
    ]);
    let bench = Bench::at(&stub.url())
        .with("APP_URL", APP)
        .with(
            "SESSION_SECRET",
            &format!("{session},canary-second-session-secret"),
        )
        .with("CREDENTIALS_KEY", "canary-credentials-key")
        .with("SCAIFLOW_SCAIKEY_CLIENT_SECRET", "canary-client-secret");
    let ran = bench
        .run("doctor --bundle support.json --request-id req_stub_1 --since 2026-11-22T12:00:00Z");
    ran.code_is(6);
    assert!(ran.stdout.ends_with("bundle: support.json\n"), "{ran:?}");
    assert_eq!(bench.mode("support.json"), 0o600);
    let text = bench.read("support.json");
    assert!(!text.contains("canary"), "{text}");
    for secret in [session, jwt, TOKEN] {
        assert!(!text.contains(secret), "{text}");
    }
    let bundle: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(bundle["request_id"], "req_stub_1");
    assert_eq!(bundle["since"], "2026-11-22T12:00:00Z");
    assert_eq!(bundle["settings"]["SESSION_SECRET"], "set");
    assert_eq!(bundle["settings"]["SCAIGRID_API_KEY"], "unset");
    assert_eq!(bundle["settings"]["APP_URL"], APP);
    assert_eq!(bundle["report"]["findings"][0]["code"], "no_super_admin");
    assert_eq!(bundle["audit"]["rows"][0]["who"], "usr_alice");
    // Where it can't be written, nothing is asked.
    let before = stub.asked().len();
    bench.run("doctor --bundle nowhere/support.json").code_is(1);
    assert_eq!(stub.asked().len(), before);
}
