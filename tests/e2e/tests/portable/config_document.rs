//! `GET /v1/auth/config` and what works without ScaiKey's settings.

use scaigate_e2e::emulator::{Endpoint, Fault};
use scaigate_e2e::{Setup, World};
use serde_json::{Value, json};

const CONFIG: &str = "/v1/auth/config";

#[tokio::test(flavor = "multi_thread")]
async fn the_config_document_tells_a_client_all_it_needs() {
    let world = World::start().await;
    let answer = world.client.get(CONFIG, None).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "public, max-age=60");
    let base = world.scaikey.base_url();
    let oauth = format!("{base}/api/v1/platform/oauth");
    let mut expected = json!({
        "auth_mode": "scaikey",
        "scaiwave_auth_mode": "scaikey",
        "scaikey_base_url": base,
        "client_id": "scaigate-dev-client",
        "audience": "scaigate-dev-client",
        "redirect_uri": format!("{}/v1/auth/callback", world.url),
    });
    let mut data = expected.clone();
    data["issuer"] = base.into();
    data["authorization_endpoint"] = format!("{oauth}/authorize").into();
    data["token_endpoint"] = format!("{oauth}/token").into();
    data["scopes_supported"] = json!(["openid", "profile", "email", "groups", "offline_access"]);
    expected["data"] = data;
    assert_eq!(answer.json(), expected);
    for _ in 0..3 {
        assert_eq!(world.client.get(CONFIG, None).await.json(), expected);
    }
    assert_eq!(world.scaikey.recorder().count(Endpoint::Discovery), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_audience_is_shown() {
    let world = World::with(Setup::default().variable("scaikey_audience", "aud-1, aud-2")).await;
    assert_eq!(
        world.client.get(CONFIG, None).await.json()["audience"],
        "aud-1"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn s_02_without_scaikeys_settings_the_mode_and_what_is_missing_are_shown() {
    let all = [
        "scaikey_base_url",
        "scaiflow_scaikey_client_id",
        "scaiflow_scaikey_client_secret",
    ];
    for missing in [&all[..], &all[..1], &all[1..2], &all[2..]] {
        let setup = missing
            .iter()
            .fold(Setup::default(), |setup, name| setup.variable(name, ""));
        let world = World::with(setup).await;
        let names: Vec<String> = missing.iter().map(|name| name.to_uppercase()).collect();
        let document = world.client.get(CONFIG, None).await;
        assert_eq!(document.status, 200, "{}", document.text());
        let document = document.json();
        assert_eq!(document["auth_mode"], "dev_token");
        assert_eq!(document["client_id"], Value::Null);
        assert_eq!(document["data"]["auth_mode"], "dev_token");
        assert_eq!(document["reason"]["code"], "oidc_not_configured");
        let faults = document["reason"]["faults"].as_array().expect("a list");
        assert_eq!(
            faults
                .iter()
                .map(|fault| &fault["setting"])
                .collect::<Vec<_>>(),
            names.iter().collect::<Vec<_>>()
        );
        let login = world.client.post("/v1/auth/login", &json!({})).await;
        login.assert_problem(503, "oidc_not_configured");
        assert_eq!(
            login.json()["detail"],
            "ScaiKey OIDC not configured on the server"
        );
        assert_eq!(login.json()["error"]["details"]["missing"], json!(names));
        // Checking a session needs no ScaiKey.
        world
            .client
            .get("/v1/me", None)
            .await
            .assert_problem(401, "authentication_required");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_faulty_setting_is_named_at_once_and_no_value_is_shown() {
    let setup = Setup::default()
        .variable("session_secret", "dG9vLXNob3J0LXNlY3JldC10b28tc2hvcnQ")
        .variable("session_ttl_seconds", "5")
        .variable("refresh_ttl_days", "many")
        .variable("app_url", "not-an-address-at-all");
    let world = World::with(setup).await;
    let login = world.client.post("/v1/auth/login", &json!({})).await;
    login.assert_problem(503, "configuration_invalid");
    let body = login.json();
    let faults = body["error"]["details"]["faults"]
        .as_array()
        .expect("a list");
    let mut named: Vec<&str> = faults
        .iter()
        .filter_map(|fault| fault["setting"].as_str())
        .collect();
    named.sort_unstable();
    assert_eq!(
        named,
        [
            "app_url",
            "refresh_ttl_days",
            "session_secret",
            "session_ttl_seconds"
        ]
    );
    for value in ["dG9vLXNob3J0", "many", "not-an-address"] {
        assert!(!login.text().contains(value), "{}", login.text());
    }
    // The public document needs none of them.
    assert_eq!(
        world.client.get(CONFIG, None).await.json()["auth_mode"],
        "scaikey"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn while_discovery_is_down_the_document_says_so_and_recovers_by_itself() {
    let world = World::start().await;
    let fault = Fault::Status {
        code: 503,
        retry_after: None,
    };
    world
        .scaikey
        .switches()
        .fail_always(Endpoint::Discovery, fault);
    let document = world.client.get(CONFIG, None).await.json();
    assert_eq!(document["auth_mode"], "scaikey", "{document}");
    assert_eq!(document["client_id"], "scaigate-dev-client");
    assert_eq!(document["data"]["authorization_endpoint"], Value::Null);
    assert_eq!(document["discovery"]["code"], "scaikey_unavailable");
    assert!(document["discovery"]["fix"].is_string());
    let login = world.client.post("/v1/auth/login", &json!({})).await;
    login.assert_problem(502, "scaikey_unavailable");
    world.scaikey.switches().heal(Endpoint::Discovery);
    let document = world.client.get(CONFIG, None).await.json();
    assert_eq!(document.get("discovery"), None, "{document}");
    assert!(document["data"]["authorization_endpoint"].is_string());
    world.sign_in("alice@acme.example").await;
}
