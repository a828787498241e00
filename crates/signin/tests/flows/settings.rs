//! The settings.

use scaigate_problem::Code;
use scaigate_signin::settings::{self, Environment, Fault};

use crate::world::{VARIABLES, code, detail, variables};

const OTHER_KEY: &str = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=";
const ALLOW: &str = "i-understand-anyone-can-sign-in";

/// Variables and their values.
type Changes = &'static [(&'static str, &'static str)];

fn faults(changes: &[(&str, &str)]) -> Vec<Fault> {
    let variables = variables(changes);
    let parts = [
        settings::scaikey(&variables).err(),
        settings::deployment(&variables).err(),
        settings::sessions(&variables).err(),
    ];
    parts.into_iter().flatten().flatten().collect()
}

#[test]
fn each_setting_is_taken_or_named() {
    let key33 = "a".repeat(44);
    let two_keys = format!("{OTHER_KEY}, {key33}");
    let nine_keys = (0..9)
        .map(|i| format!("{i}{}", &key33[1..]))
        .collect::<Vec<_>>()
        .join(",");
    let same_key_twice = format!("{OTHER_KEY},{OTHER_KEY}");
    // Setting, value (empty: unset), what is wrong with it.
    let [sixteen, seventeen] = [16, 17].map(|count| vec!["client"; count].join(","));
    let table: &[(&str, &str, Option<&str>)] = &[
        ("scaikey_base_url", "", Some("missing")),
        ("scaikey_base_url", "   ", Some("missing")),
        (
            "scaikey_base_url",
            "scaikey.example",
            Some("not an https origin"),
        ),
        (
            "scaikey_base_url",
            "ftp://scaikey.example",
            Some("not an https origin"),
        ),
        (
            "scaikey_base_url",
            "http://scaikey.example",
            Some("not an https origin"),
        ),
        (
            "scaikey_base_url",
            "https://scaikey.example/path",
            Some("not an https origin"),
        ),
        (
            "scaikey_base_url",
            "https://user:pw@scaikey.example",
            Some("not an https origin"),
        ),
        (
            "scaikey_base_url",
            "https://scaikey.example?x",
            Some("not an https origin"),
        ),
        ("scaikey_base_url", "https://scaikey.example/", None),
        ("scaikey_base_url", " https://scaikey.example ", None),
        ("scaikey_base_url", "http://127.0.0.1:8080", None),
        ("scaikey_base_url", "http://localhost:8080", None),
        ("scaiflow_scaikey_client_id", "", Some("missing")),
        ("scaiflow_scaikey_client_id", "a b", Some("not a client id")),
        ("scaiflow_scaikey_client_id", "ä", Some("not a client id")),
        ("scaiflow_scaikey_client_secret", "", Some("missing")),
        ("public_url", "", Some("missing")),
        ("public_url", "gate.example", Some("not an https origin")),
        (
            "public_url",
            "http://gate.example",
            Some("not an https origin"),
        ),
        ("public_url", "http://127.0.0.1:3000", Some("is not https")),
        ("public_url", "https://gate.example/app", Some("has a path")),
        ("public_url", "https://gate.example/", None),
        ("app_url", "", None),
        ("app_url", " , ,", None),
        (
            "app_url",
            "app.example",
            Some("holds something that is not an absolute http(s) URL"),
        ),
        (
            "app_url",
            "https://app.example, *",
            Some("holds something that is not an absolute http(s) URL"),
        ),
        ("app_url", "https://*.app.example", None),
        (
            "app_url",
            "/done",
            Some("holds something that is not an absolute http(s) URL"),
        ),
        (
            "app_url",
            "javascript:alert(1)",
            Some("holds something that is not an absolute http(s) URL"),
        ),
        ("app_url", "https://app.example,,https://b.example", None),
        ("session_secret", "", Some("missing")),
        (
            "session_secret",
            "c2hvcnQ=",
            Some("not base64 of 32 bytes or more"),
        ),
        (
            "session_secret",
            "not base64!",
            Some("not base64 of 32 bytes or more"),
        ),
        ("session_secret", &two_keys, None),
        (
            "session_secret",
            &nine_keys,
            Some("not base64 of 32 bytes or more"),
        ),
        (
            "session_secret",
            &same_key_twice,
            Some("not base64 of 32 bytes or more"),
        ),
        ("session_ttl_seconds", "59", Some("out of range")),
        ("session_ttl_seconds", "60", None),
        ("session_ttl_seconds", "43200", None),
        ("session_ttl_seconds", "43201", Some("out of range")),
        ("session_ttl_seconds", "-1", Some("out of range")),
        ("session_ttl_seconds", "900s", Some("out of range")),
        ("session_ttl_seconds", "9e2", Some("out of range")),
        (
            "session_ttl_seconds",
            "99999999999999999999",
            Some("out of range"),
        ),
        ("refresh_ttl_days", "0", Some("out of range")),
        ("refresh_ttl_days", "1", None),
        ("refresh_ttl_days", "365", None),
        ("refresh_ttl_days", "366", Some("out of range")),
        ("refresh_ttl_days", "30.5", Some("out of range")),
        ("scaikey_audience", "", None),
        ("scaikey_audience", &sixteen, None),
        (
            "scaikey_audience",
            &seventeen,
            Some("more than 16 audiences"),
        ),
    ];
    for (setting, value, expected) in table {
        let found = faults(&[(setting, value)]);
        let named: Vec<_> = found
            .iter()
            .map(|fault| (fault.setting, fault.problem))
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|problem| (*setting, *problem))
            .collect();
        assert_eq!(named, expected, "{setting}={value:?}");
    }
}

#[test]
fn n_146_every_fault_is_reported_at_once_with_its_fix_and_without_its_value() {
    let changes = [
        ("scaikey_base_url", "http://canary-base"),
        ("scaiflow_scaikey_client_id", "canary id"),
        ("scaiflow_scaikey_client_secret", ""),
        ("public_url", "http://canary-url"),
        ("app_url", "canary-app"),
        ("session_secret", "canary-secret"),
        ("session_ttl_seconds", "canary-ttl"),
        ("refresh_ttl_days", "canary-days"),
    ];
    let found = faults(&changes);
    for (setting, _) in changes {
        let fault = found.iter().find(|fault| fault.setting == setting);
        assert!(
            fault.is_some_and(|fault| fault.fix.ends_with('.')),
            "{setting}"
        );
    }
    assert_eq!(found.len(), changes.len());
    let result = settings::settings(&variables(&changes));
    assert_eq!(
        detail(&result, "faults").as_array().map(Vec::len),
        Some(changes.len())
    );
    let shown = format!("{found:?} {}", result.err().unwrap().body("/", "req_1"));
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn s_02_the_missing_of_the_three_are_listed() {
    let three = [
        "scaikey_base_url",
        "scaiflow_scaikey_client_id",
        "scaiflow_scaikey_client_secret",
    ];
    for missing in 1..8_usize {
        let absent = |index: &usize| missing & (1 << index) != 0;
        let names: Vec<&str> = (0..3).filter(absent).map(|index| three[index]).collect();
        let changes: Vec<_> = names.iter().map(|name| (*name, "")).collect();
        let result = settings::settings(&variables(&changes));
        assert_eq!(code(&result), Some(Code::OidcNotConfigured));
        let upper: Vec<String> = names.iter().map(|name| name.to_uppercase()).collect();
        assert_eq!(detail(&result, "missing"), serde_json::json!(upper));
        let body = result.err().unwrap().body("/v1/auth/exchange", "req_1");
        assert_eq!(
            (&body["detail"], &body["status"]),
            (
                &"ScaiKey OIDC not configured on the server".into(),
                &503.into()
            )
        );
    }
}

#[test]
fn other_faults_are_a_configuration_that_does_not_allow_it() {
    for change in [
        ("scaikey_base_url", "x"),
        ("public_url", ""),
        ("session_secret", ""),
        ("refresh_ttl_days", "x"),
    ] {
        assert_eq!(
            code(&settings::settings(&variables(&[change]))),
            Some(Code::ConfigurationInvalid),
            "{change:?}"
        );
    }
}

#[test]
fn s_28_development_does_not_start_on_a_public_https_deployment() {
    let table: &[(Changes, Option<&str>)] = &[
        (&[("env", "dev")], Some("env")),
        (
            &[("env", "dev"), ("dangerous_allow_dev_auth", "true")],
            Some("env"),
        ),
        (
            &[
                ("env", "dev"),
                (
                    "dangerous_allow_dev_auth",
                    "I-UNDERSTAND-ANYONE-CAN-SIGN-IN",
                ),
            ],
            Some("env"),
        ),
        (&[("env", "dev"), ("dangerous_allow_dev_auth", ALLOW)], None),
        (
            &[("env", "dev"), ("public_url", "https://localhost:3000")],
            None,
        ),
        (
            &[("env", "dev"), ("public_url", "http://127.0.0.1:3000")],
            None,
        ),
        (&[("env", "dev"), ("public_url", "http://[::1]:3000")], None),
        (
            &[("env", "dev"), ("public_url", "http://gate.example")],
            Some("public_url"),
        ),
        (
            &[
                ("env", "dev"),
                ("public_url", "http://127.0.0.1.evil.example"),
            ],
            Some("public_url"),
        ),
        (
            &[("env", "prod"), ("public_url", "http://127.0.0.1:3000")],
            Some("public_url"),
        ),
        (
            &[("env", "DEV"), ("public_url", "http://127.0.0.1:3000")],
            Some("public_url"),
        ),
        (
            &[
                ("env", "development"),
                ("public_url", "http://127.0.0.1:3000"),
            ],
            Some("public_url"),
        ),
    ];
    for (changes, expected) in table {
        let found = faults(changes);
        let named: Vec<_> = found.iter().map(|fault| fault.setting).collect();
        assert_eq!(
            named,
            expected.iter().copied().collect::<Vec<_>>(),
            "{changes:?}"
        );
    }
}

#[test]
fn http_issuers_are_for_development_and_loopback() {
    let http = ("scaikey_base_url", "http://scaikey.internal");
    let local = ("public_url", "http://127.0.0.1:3000");
    assert_eq!(faults(&[http]).len(), 1);
    assert!(faults(&[http, local, ("env", "dev")]).is_empty());
}

#[test]
fn defaults_are_the_documented_ones() {
    let settings = settings::settings(&variables(&[("app_url", "")]))
        .ok()
        .unwrap();
    assert_eq!(settings.scaikey.provider.audiences, ["app_gate"]);
    assert_eq!(settings.deployment.home.as_str(), "https://gate.example/");
    assert_eq!(settings.deployment.environment, Environment::Production);
    assert_eq!(settings.sessions.session_ttl.as_secs(), 900);
    assert_eq!(settings.sessions.refresh_ttl.as_secs(), 30 * 86_400);
    assert!(!settings.password_grant_enabled);
    assert_eq!(settings.bootstrap_super_admin, None);
}

#[test]
fn values_are_read_as_documented() {
    let changes = [
        ("scaikey_audience", " , first ,second"),
        (
            "app_url",
            "https://app.example/auth/done,https://app.example/other,https://b.example",
        ),
        ("password_grant_enabled", " true "),
        ("bootstrap_super_admin", "user:Ada@Acme.example"),
    ];
    let settings = settings::settings(&variables(&changes)).ok().unwrap();
    assert_eq!(settings.scaikey.provider.audiences, ["first", "second"]);
    assert_eq!(
        settings.deployment.home.as_str(),
        "https://app.example/auth/done"
    );
    let apps: Vec<&str> = settings
        .deployment
        .apps
        .iter()
        .map(|app| app.as_str())
        .collect();
    assert_eq!(apps, ["https://app.example", "https://b.example"]);
    assert!(settings.password_grant_enabled);
    assert_eq!(
        settings.bootstrap_super_admin.as_deref(),
        Some("ada@acme.example")
    );
}

#[test]
fn a_missing_session_secret_leaves_scaikeys_settings_readable() {
    let changes = [("session_secret", "")];
    let variables = variables(&changes);
    assert!(settings::sessions(&variables).is_err());
    assert!(settings::scaikey(&variables).is_ok() && settings::deployment(&variables).is_ok());
    assert!(VARIABLES.iter().any(|(name, _)| *name == "session_secret"));
}
