//! What each setting is judged to be.

use scaigate_health::{Finding, Severity, origins};

use crate::world::judged;

fn found(changes: &[(&str, &str)]) -> Vec<Finding> {
    judged(changes).check.findings
}

fn codes(changes: &[(&str, &str)]) -> Vec<String> {
    let bad = found(changes)
        .into_iter()
        .filter(|finding| finding.severity > Severity::Info);
    bad.map(|finding| finding.code).collect()
}

#[test]
fn good_settings_have_no_findings_that_matter() {
    assert_eq!(codes(&[]), Vec::<String>::new());
}

#[test]
fn a_setting_that_is_wrong_is_named_with_its_fix_and_never_shown() {
    for (name, value) in [
        ("public_url", "canary-not-a-url"),
        ("app_url", "canary-not-a-url"),
        ("scaiwave_auth_mode", "canary"),
        ("session_secret", "canary-short"),
        ("session_ttl_seconds", "1"),
        ("refresh_ttl_days", "0"),
        ("scaiflow_scaikey_application_id", "canary/../x"),
        ("scaiflow_sync_interval_minutes", "canary"),
        ("scaigrid_base_url", "canary-not-a-url"),
        ("scaiflow_deploy_auth", "canary"),
        ("scaigrid_allowed_posts", "canary"),
        ("rate_limits", "canary"),
        ("bootstrap_super_admin", "canary@acme.example"),
        ("scaikey_base_url", "canary-not-a-url"),
        ("scaiflow_scaikey_client_id", "canary with spaces"),
    ] {
        let all = found(&[(name, value)]);
        let finding = all.iter().find(|finding| finding.code == "setting_invalid");
        let finding = finding.unwrap_or_else(|| panic!("{name}: {all:?}"));
        assert_eq!(finding.evidence["setting"], name.to_uppercase());
        assert!(!finding.fix.is_empty() && finding.severity == Severity::Error);
        assert!(!format!("{all:?}").contains("canary"), "{name}: {all:?}");
    }
}

#[test]
fn s_02_exactly_what_is_missing_is_told() {
    let all = found(&[("scaikey_base_url", ""), ("scaiflow_scaikey_client_id", "")]);
    let finding = all
        .iter()
        .find(|finding| finding.code == "oidc_not_configured");
    let missing = &finding.unwrap().evidence["missing"];
    let expected = serde_json::json!(["SCAIKEY_BASE_URL", "SCAIFLOW_SCAIKEY_CLIENT_ID"]);
    assert_eq!(missing, &expected);
}

#[test]
fn s_04_an_audience_that_is_not_the_client_id_is_told() {
    assert_eq!(
        codes(&[("scaikey_audience", "other")]),
        ["audience_mismatch"]
    );
    assert_eq!(
        codes(&[("scaikey_audience", "other, app_gate")]),
        Vec::<String>::new()
    );
}

#[test]
fn s_28_callers_without_proof_are_told_by_how_public_it_is() {
    let severity = |changes: &[(&str, &str)]| {
        let all = found(changes);
        let finding = all
            .iter()
            .find(|finding| finding.code == "dev_auth_enabled");
        finding.map(|finding| finding.severity)
    };
    let here = ("public_url", "http://127.0.0.1:3000");
    let allowed = (
        "dangerous_allow_dev_auth",
        "i-understand-anyone-can-sign-in",
    );
    assert_eq!(severity(&[]), None);
    assert_eq!(severity(&[here, ("env", "dev")]), Some(Severity::Info));
    assert_eq!(
        severity(&[here, ("env", "dev"), ("scaiwave_auth_mode", "mock")]),
        Some(Severity::Warning)
    );
    assert_eq!(severity(&[("env", "dev"), allowed]), Some(Severity::Error));
    // Without that it does not serve at all.
    assert!(!judged(&[("env", "dev")]).serves);
}

#[test]
fn s_01_two_spellings_of_one_machine_are_told() {
    let both = |public_url: &str, app_url: &str, host: Option<&str>| {
        let judged = judged(&[
            ("public_url", public_url),
            ("app_url", app_url),
            ("env", "dev"),
        ]);
        origins(&judged.deployment.unwrap(), host).len()
    };
    for (public_url, app_url, host, count) in [
        ("http://127.0.0.1:3000", "http://127.0.0.1:5173", None, 0),
        ("http://127.0.0.1:3000", "http://localhost:5173", None, 1),
        (
            "http://localhost:3000",
            "http://127.0.0.1:5173,http://localhost:1",
            None,
            1,
        ),
        (
            "http://127.0.0.1:3000",
            "http://127.0.0.1:5173",
            Some("127.0.0.1:3000"),
            0,
        ),
        (
            "http://127.0.0.1:3000",
            "http://127.0.0.1:5173",
            Some("localhost:3000"),
            1,
        ),
    ] {
        assert_eq!(
            both(public_url, app_url, host),
            count,
            "{public_url} {app_url} {host:?}"
        );
    }
}
